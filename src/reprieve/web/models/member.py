"""The people of the team, and how they get in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from reprieve.web.encryption import EncryptedText

INVITATION_DAYS = 7


class Role(models.TextChoices):
    """What a member of the team does. What each may do is in ``reprieve.web.door``."""

    COORDINATOR = "coordinator", "Coordinator"
    NURSE = "nurse", "Nurse"
    PRESCRIBER = "prescriber", "Prescriber"
    PRIVACY_LEAD = "privacy_lead", "Privacy lead"


class MemberManager(BaseUserManager["Member"]):
    """Members by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Member:
        """Save a new member; without a password nobody can log in as them."""
        member = self.model(email=email.strip().lower(), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def on_call(self) -> models.QuerySet[Member]:
        """Who is told of a new enquiry, in the order of escalation."""
        return self.filter(is_active=True, call_order__isnull=False).order_by("call_order", "pk")


class Member(AbstractUser):
    """One person of the team, known by e-mail address."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=20, choices=Role)
    manages = models.BooleanField(default=False, help_text="may invite members and change the clinic's settings")
    call_order = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="told of new enquiries in this order; blank is never told"
    )
    notice_url = EncryptedText(null=True, blank=True, help_text="an Apprise address for texts, pager or chat")
    calendar_hash = models.CharField(max_length=64, unique=True, null=True)  # of the token of the calendar feed

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[MemberManager] = MemberManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def actor(self) -> str:
        """How the audit trail names this member."""
        return f"member {self.pk}"


class Invitation(models.Model):
    """A one-time link that makes a staff account. Only a hash of its token is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=20, choices=Role, blank=True)  # blank: the first member chooses
    manages = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    used_by = models.OneToOneField(Member, models.CASCADE, null=True, blank=True)

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @classmethod
    def issue(cls, role: str = "", manages: bool = False) -> str:
        """Save a new invitation and return its token, which is shown once."""
        token = secrets.token_urlsafe(24)
        expires_at = timezone.now() + timedelta(days=INVITATION_DAYS)
        cls.objects.create(token_hash=_hash(token), role=role, manages=manages, expires_at=expires_at)
        return token

    @classmethod
    def open(cls, token: str) -> Invitation | None:
        """The invitation that ``token`` opens, unless it was used or has expired."""
        return cls.objects.filter(token_hash=_hash(token), used_by__isnull=True, expires_at__gt=timezone.now()).first()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
