"""Notices to the team: kept until they are delivered, and shown as waiting until then."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from reprieve.web.models.member import Member


class Notice(models.Model):
    """One message to one member by one channel. It says that something waits and by when, never what or whose."""

    class Kind(models.TextChoices):
        """Why the member is told."""

        NEW = "new", "A new enquiry waits"
        LATE = "late", "A promised call is late"
        YOURS = "yours", "An enquiry was handed to you"
        ERASURE = "erasure", "A person asked to be erased"
        ALERT = "alert", "A course needs your answer"

    class Channel(models.TextChoices):
        """How the member is told."""

        EMAIL = "email", "E-mail"
        APPRISE = "apprise", "Text, pager or chat"

    class State(models.TextChoices):
        """Whether it got there."""

        WAITING = "waiting", "Waiting to be sent"
        SENT = "sent", "Sent"
        GIVEN_UP = "given_up", "Given up"

    enquiry = models.ForeignKey("web.Enquiry", models.CASCADE, related_name="notices")
    member = models.ForeignKey(Member, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    channel = models.CharField(max_length=10, choices=Channel)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=80, blank=True)  # the kind of failure, such as "ConnectionRefusedError"
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False) | ~models.Q(state="sent"),
                name="sent_notice_has_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_state_display()})"
