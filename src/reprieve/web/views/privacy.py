"""What the privacy lead does: erase or keep, hand out a person's whole record, read the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from reprieve.treatment.registry import LEAST
from reprieve.web.card import answers_of, names_of_members
from reprieve.web.door import needs
from reprieve.web.forms_team import KeepForm, SearchForm, as_reference
from reprieve.web.models import ChangedMeanwhileError, Enquiry, Event, Member
from reprieve.web.treatment_record import courses_of

EVENTS_ON_A_PAGE = 100
MOST_FOUND = 50


@needs("look after privacy")
def erasures(request: HttpRequest) -> HttpResponse:
    """Who asked to be erased, longest waiting first; and a search for one record."""
    search = SearchForm(request.POST or None)
    found: list[Enquiry] | None = None
    columns = Enquiry.objects.only("reference", "received_at", "state", "decision", "erasure_asked_at")
    if search.is_valid():
        words = search.cleaned_data["find"].strip()
        by_reference = columns.filter(reference=as_reference(words))
        found = list(by_reference or columns.named(words)[:MOST_FOUND])
        with transaction.atomic():
            Event.record(_member(request).actor, "searched", "enquiries", found=len(found))
    asked = columns.filter(erasure_asked_at__isnull=False).order_by("erasure_asked_at")
    context = {"asked": asked, "form": search, "found": found, "least": LEAST}
    return render(request, "privacy/erasures.html", context)


@needs("look after privacy")
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    """Erase one person's record, or keep it and say why."""
    enquiry = get_object_or_404(Enquiry, pk=pk)
    keep = KeepForm(request.POST if request.POST.get("do") == "keep" else None, initial={"version": enquiry.version})
    status = 200
    if request.method == "POST":
        try:
            if request.POST.get("do") == "erase":
                return _erased(request, enquiry)
            if keep.is_valid():
                enquiry.keep(_member(request), keep.cleaned_data["version"], keep.cleaned_data["reason"])
                messages.success(request, f"Kept. The person reads your reason behind {enquiry.reference}.")
                return redirect("erasures")
        except ChangedMeanwhileError:
            status = 409
            enquiry = get_object_or_404(Enquiry, pk=pk)
            keep = KeepForm({"version": enquiry.version, "reason": request.POST.get("reason", "")})
    context = {"enquiry": enquiry, "form": keep, "changed": status == 409}
    return render(request, "privacy/erase.html", context, status=status)


def _erased(request: HttpRequest, enquiry: Enquiry) -> HttpResponse:
    if str(enquiry.version) != request.POST.get("version"):
        raise ChangedMeanwhileError(enquiry.subject)
    enquiry.erase(_member(request), timezone.now())
    messages.success(request, f"Erased: {enquiry.reference}. The times and the audit trail stay.")
    return redirect("erasures")


@needs("look after privacy")
@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything we hold about one person, as a file. The audit trail says that it was taken out."""
    enquiry = get_object_or_404(Enquiry, pk=pk)
    with transaction.atomic():
        Event.record(_member(request).actor, "exported", enquiry.subject)
    response = JsonResponse(everything_about(enquiry), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response.headers["Content-Disposition"] = f'attachment; filename="{enquiry.reference}.json"'
    return response


def everything_about(enquiry: Enquiry) -> dict[str, Any]:
    """All that is stored about one person, in plain values."""
    times = ("agreed_at", "received_at", "promised_at", "first_called_at", "due_at", "closed_at", "erasure_asked_at")
    said = ("contact", "answers", "assessment", "country_region", "why")
    done = ("decision", "decision_words", "decided_at", "kept_because", "fictional")
    record: dict[str, Any] = {name: getattr(enquiry, name) for name in ("reference", *times, *said, *done)}
    names = names_of_members()
    record |= {
        "answers_in_words": {row.question: list(row.lines) for row in answers_of(enquiry)} if enquiry.answers else {},
        "state": enquiry.get_state_display(),
        "urgency": enquiry.get_urgency_display(),
        "owner": _name(enquiry.owner),
        "decided_by": _name(enquiry.decided_by),
    }
    record["calls"] = [
        {"at": a.at, "by": a.by.name, "how": a.get_channel_display(), "outcome": a.get_outcome_display(),
         "note": a.note, "next_try_at": a.next_try_at}
        for a in enquiry.attempts.select_related("by")
    ]  # fmt: skip
    record["reviews"] = [
        {"at": r.at, "by": r.by.name, "criterion": r.criterion_id, "reason": r.reason}
        for r in enquiry.reviews.select_related("by")
    ]
    record["referrals"] = [
        {"at": r.at, "by": r.by.name, "to": r.to, "follow_up_on": r.follow_up_on, "accepted_on": r.accepted_on}
        for r in enquiry.referrals.select_related("by")
    ]
    record["notices"] = [
        {"at": n.created_at, "to": n.member.name, "kind": n.get_kind_display(), "channel": n.get_channel_display(),
         "state": n.get_state_display()}
        for n in enquiry.notices.select_related("member").order_by("pk")
    ]  # fmt: skip
    record |= courses_of(enquiry)
    record["events"] = [
        {"at": e.at, "by": names.get(e.actor, e.actor), "what": e.verb, "detail": e.detail}
        for e in Event.objects.filter(subject=enquiry.subject)
    ]
    return record


@needs("look after privacy")
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The audit trail, newest first: who did what to which record, never what was in it."""
    members = {member.actor: member.name for member in Member.objects.order_by("name")}
    subject, actor = request.GET.get("subject", "").strip(), request.GET.get("actor", "")
    events = Event.objects.order_by("-id")
    reference = Enquiry.objects.filter(reference=as_reference(subject)).first() if subject else None
    if subject:
        events = events.filter(subject=reference.subject if reference else subject)
    if actor:
        events = events.filter(actor=actor)
    page = Paginator(events, EVENTS_ON_A_PAGE).get_page(request.GET.get("page"))
    names, references = names_of_members(), _references(page.object_list)
    shown = [(event, names.get(event.actor, event.actor), references.get(event.subject)) for event in page.object_list]
    context = {"page": page, "shown": shown, "members": members, "subject": subject, "actor": actor}
    return render(request, "privacy/audit.html", context)


def _references(events: Iterable[Event]) -> dict[str, str]:
    """The reference of each enquiry that the events are about, by the audit trail's word for it. One query."""
    words = [event.subject.partition(" ") for event in events]
    keys = {int(pk) for kind, _, pk in words if kind == "enquiry" and pk.isdecimal()}
    return {f"enquiry {pk}": name for pk, name in Enquiry.objects.filter(pk__in=keys).values_list("pk", "reference")}


def _name(member: Member | None) -> str | None:
    return member.name if member else None


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user
