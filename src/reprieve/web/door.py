"""Who may come in, and what each role may do there."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from reprieve.web.encryption import decrypt, encrypt
from reprieve.web.models import Member, Role

CLINICAL = {Role.COORDINATOR, Role.NURSE, Role.PRESCRIBER}
MAY: dict[str, set[str]] = {
    "see enquiries": set(CLINICAL),
    "log calls": set(CLINICAL),
    "hand over": set(CLINICAL),
    "decide": {Role.NURSE, Role.PRESCRIBER},
    "rule out findings": {Role.PRESCRIBER},
    "see courses": set(CLINICAL),
    "plan sessions": set(CLINICAL),
    "treat": {Role.NURSE, Role.PRESCRIBER},
    "prescribe": {Role.PRESCRIBER},
    "keep the drug log": {Role.NURSE, Role.PRESCRIBER},
    "see results": set(CLINICAL),
    "export the registry": {Role.PRIVACY_LEAD},
    "look after privacy": {Role.PRIVACY_LEAD},
    "see the team": set(Role.values),
}
MANAGERS_TOO = {"export the registry"}  # whatever their role


def may(member: Any, what: str) -> bool:
    """Whether ``member`` may do ``what``, a key of MAY or "manage the clinic"."""
    if not isinstance(member, Member) or not member.is_active:
        return False
    if what == "manage the clinic":
        return member.manages
    return member.role in MAY[what] or (member.manages and what in MANAGERS_TOO)


def needs(what: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a staff view: log in first, then be refused unless your role may do ``what``."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(request.user, what):
                raise PermissionDenied(what)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def leave_the_log_in_as_it_is(request: HttpRequest) -> None:
    """Let this request not renew the log-in: it is the page that asks, not the member."""

    def not_saved(must_create: bool = False) -> None:
        """Stand in for saving the session."""

    request.session.save = not_saved  # type: ignore[method-assign]


def has_second_step(member: Any) -> bool:
    """Whether the member has a one-time code app or a passkey set up."""
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return bool(Authenticator.objects.filter(user=member, type__in=kinds).exists())


def is_password_of(request: HttpRequest, member: Member, password: str) -> bool:
    """Whether a member who stands beside another types their own password. Wrong ones count as at the log-in.

    What counts them keeps what was sent, readable, so it is shown the password's try and nothing else of the form.
    """
    alone = copy(request)
    alone.GET = alone.POST = QueryDict()
    found = authenticate(alone, email=member.email, password=password)
    if getattr(alone, "axes_locked_out", False):
        request.axes_locked_out = True  # type: ignore[attr-defined]
    return bool(found == member)


def home_of(member: Any) -> str:
    """The name of the page where a member starts."""
    return "inbox" if may(member, "see enquiries") else "erasures"


def tried_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name that somebody tries to log in with, by which wrong passwords are counted."""
    return str((credentials or {}).get("email") or request.POST.get("login", "")).strip().lower()


def address_of(request: HttpRequest) -> str:
    """The address that a request comes from: behind a trusted proxy the one that the proxy itself saw."""
    if settings.TRUST_PROXY:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


class StaffAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: accounts come from invitations."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The member's first page."""
        return reverse(home_of(request.user))

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address by which tries are counted."""
        return address_of(request)


class SecondStepAdapter(DefaultMFAAdapter):
    """Secrets of one-time code apps are encrypted like names and answers."""

    def encrypt(self, text: str) -> str:
        """Token of a secret."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again."""
        return decrypt(encrypted_text)
