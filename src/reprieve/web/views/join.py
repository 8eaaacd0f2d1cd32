"""The way in for a new member of the team: a link that works once."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from reprieve.web.door import home_of
from reprieve.web.forms_team import JoinForm
from reprieve.web.models import Event, Invitation, Member, Role

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@sensitive_post_parameters("password")
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Make an account from an invitation, log in, and go on to setting up a second step."""
    invitation = Invitation.open(token)
    if invitation is None:
        return render(request, "join/ended.html", status=404)
    form = JoinForm(request.POST or None, role=invitation.role)
    if request.method != "POST" or not form.is_valid():
        return render(
            request, "join/join.html", {"form": form, "role": Role(invitation.role).label if invitation.role else ""}
        )
    member = _admit(token, form)
    if member is None:
        return render(request, "join/ended.html", status=404)
    login(request, member, backend=BACKEND)
    record_authentication(request, member, method="password", reauthenticated=True)
    return redirect(home_of(member) if request.POST.get("later") else "mfa_index")


@transaction.atomic
def _admit(token: str, form: JoinForm) -> Member | None:
    """The new member, unless somebody else used the link meanwhile."""
    invitation = Invitation.open(token)
    if invitation is None or not _is_still_unused(invitation):
        return None
    said = form.cleaned_data
    first = not Member.objects.exists()
    member = Member.objects.create_user(
        said["email"],
        said["password"],
        name=said["name"],
        role=invitation.role or said["role"],
        manages=invitation.manages or first,
        call_order=1 if first else None,
    )
    EmailAddress.objects.create(user=member, email=member.email, primary=True, verified=True)
    invitation.used_by = member
    invitation.save(update_fields=["used_by"])
    Event.record(member.actor, "joined", member.actor, role=member.role)
    return member


def _is_still_unused(invitation: Invitation) -> bool:
    """Lock the row, and look again."""
    return Invitation.objects.select_for_update().filter(pk=invitation.pk, used_by__isnull=True).exists()
