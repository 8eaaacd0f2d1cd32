"""The team's own pages: promises kept and missed, notices that wait, members and how they get in."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from reprieve.web.context import clinic_of
from reprieve.web.door import may, needs
from reprieve.web.forms_team import InviteForm, MemberForm
from reprieve.web.models import Enquiry, Event, Invitation, Member, Notice
from reprieve.web.models.member import INVITATION_DAYS
from reprieve.web.promises import Week, bounds, finding, mondays

CHART_WIDTHS, CHART_LOOKS = (328, 620), ("light", "dark")
NOTICES_SHOWN = 200


@needs("see the team")
@require_safe
def promises(request: HttpRequest) -> HttpResponse:
    """Promised calls made in time, missed, and still open, week by week."""
    weeks = _weeks(request)
    return render(request, "team/promises.html", {"weeks": weeks, "finding": finding(weeks)})


@needs("see the team")
@require_safe
def promises_chart(request: HttpRequest, width: int, look: str) -> HttpResponse:
    """The same weeks as a picture, drawn for one width and one look."""
    if width not in CHART_WIDTHS or look not in CHART_LOOKS:
        raise Http404
    from reprieve.web import charts

    weeks = _weeks(request)
    return HttpResponse(charts.promises(weeks, width, look), content_type="image/svg+xml")


@needs("see the team")
def notices(request: HttpRequest) -> HttpResponse:
    """Notices that have not been delivered; a POST tries those again that were given up."""
    if request.method == "POST":
        from reprieve.web.jobs import send

        with transaction.atomic():
            given_up = list(Notice.objects.select_for_update().filter(state=Notice.State.GIVEN_UP)[:NOTICES_SHOWN])
            for notice in given_up:
                Notice.objects.filter(pk=notice.pk).update(state=Notice.State.WAITING, tries=0)
                send.enqueue(notice.pk)
            Event.record(_actor(request), "tried notices again", "notices", count=len(given_up))
        messages.info(request, f"Trying again: {len(given_up)}.")
        return redirect("notices")
    undelivered = Notice.objects.exclude(state=Notice.State.SENT).select_related("member", "enquiry")
    shown = list(
        undelivered.only(
            "kind", "channel", "state", "tries", "problem", "created_at", "member__name", "enquiry__reference"
        ).order_by("-pk")[:NOTICES_SHOWN]
    )
    sent = Notice.objects.filter(state=Notice.State.SENT).order_by("-pk").values_list("sent_at", flat=True).first()
    given_up_count = sum(notice.state == Notice.State.GIVEN_UP for notice in shown)
    context = {"notices": shown, "last_sent_at": sent, "given_up": given_up_count, "most": NOTICES_SHOWN}
    context["mail_goes_out"] = "console" not in settings.EMAIL_BACKEND
    return render(request, "team/notices.html", context)


@needs("see the team")
def members(request: HttpRequest) -> HttpResponse:
    """Who is on the team and on call; a manager makes an invitation link, which is shown once."""
    form = InviteForm(request.POST or None)
    link = ""
    if request.method == "POST":
        if not may(request.user, "manage the clinic"):
            return render(request, "403.html", status=403)
        if form.is_valid():
            with transaction.atomic():
                token = Invitation.issue(form.cleaned_data["role"], form.cleaned_data["manages"])
                Event.record(
                    _actor(request),
                    "invited",
                    "members",
                    role=form.cleaned_data["role"],
                    manages=form.cleaned_data["manages"],
                )
            link = settings.BASE_URL + reverse("join", args=[token])
            form = InviteForm()
    steps = Authenticator.objects.filter(
        user=OuterRef("pk"), type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    )
    team = Member.objects.annotate(has_second_step=Exists(steps)).order_by("-is_active", "call_order", "name", "pk")
    context = {
        "form": form,
        "link": link,
        "days": INVITATION_DAYS,
        "members": sorted(team, key=lambda m: (not m.is_active, m.call_order is None, m.call_order or 0, m.name)),
        "invitations": Invitation.objects.filter(used_by__isnull=True, expires_at__gt=timezone.now()).count(),
    }
    return render(request, "team/members.html", context)


@needs("manage the clinic")
def member(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one member: role, call list, notice address, or whether they may log in."""
    changed = get_object_or_404(Member, pk=pk)
    name = changed.name
    with transaction.atomic():
        if request.method == "POST":  # two managers who take rights from each other at once: the second must see it
            list(Member.objects.select_for_update().filter(manages=True).order_by("pk"))
        form = MemberForm(request.POST or None, instance=changed)
        if form.is_valid():
            form.save()
            rights = {"role": changed.role, "manages": changed.manages, "may_log_in": changed.is_active}
            Event.record(_actor(request), "changed a member", changed.actor, fields=sorted(form.changed_data), **rights)
            messages.success(request, f"Saved. {changed.name} is up to date.")
            theirs = 0 if changed.is_active else Enquiry.objects.filter(is_open=True, owner=changed).count()
            if theirs:
                words = f"{changed.name} still owns {theirs} open enquir{'y' if theirs == 1 else 'ies'}. "
                messages.warning(request, f"{words}Find them in the inbox under owner “Nobody”, and hand them over.")
            return redirect("members")
    return render(request, "team/member.html", {"form": form, "member": changed, "member_name": name})


@needs("see the team")
def stay(request: HttpRequest) -> HttpResponse:
    """Nothing to show: any answer from here renews the log-in."""
    return HttpResponse(status=204)


def _weeks(request: HttpRequest) -> list[Week]:
    now, zone = timezone.now(), clinic_of(request).zone
    objects: Any = Enquiry.objects
    return [Week(monday, **objects.promises(*bounds(monday, zone), now)) for monday in mondays(now, zone)]


def _actor(request: HttpRequest) -> str:
    assert isinstance(request.user, Member)
    return request.user.actor
