"""The screen that a nurse stands in front of: before the dose, the drip, the watch after it, and leaving."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from reprieve.charts import LOOKS
from reprieve.treatment import dose as doses
from reprieve.treatment import vitals
from reprieve.treatment.session import BEFORE, OFFLINE, PAUSED, RUNNING
from reprieve.treatment.told import WordsError
from reprieve.web.consent_paper import aftercare_paper, pdf_response
from reprieve.web.context import clinic_of
from reprieve.web.door import is_password_of, leave_the_log_in_as_it_is, may, needs
from reprieve.web.forms_session import GateForm, SecondPersonForm, WeightForm
from reprieve.web.models import ChangedMeanwhileError, Course, Enquiry, Entry, Event, LimitSet, Lot, Member
from reprieve.web.models import TreatmentSession as Session
from reprieve.web.readiness import facts_of, known_of, open_baseline
from reprieve.web.sessions import CLOCK_OFF, Shown, as_entry, form_of, when_it_happened

MOST_AT_ONCE = 200
LONGEST_VISIT = timedelta(hours=12)  # then an open screen no longer keeps anybody logged in
WIDTHS = (328, 620)


@needs("see courses")
@require_safe
def session(request: HttpRequest, pk: int) -> HttpResponse:
    """The screen. Opening it is noted."""
    found = _session(pk)
    with transaction.atomic():
        Event.record(_member(request).actor, "looked at", found.subject)
    return _screen(request, found)


@needs("see courses")
@require_safe
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The parts of the screen that change, for the script to put in their place; nothing when nothing has changed."""
    found = _session(pk)
    if found.opened_at is None or timezone.now() - found.opened_at > LONGEST_VISIT:
        leave_the_log_in_as_it_is(request)
    if request.GET.get("stamp") == stamp(found, found.entries.count()):
        return HttpResponse(status=204)
    return render(request, "session/_live.html", _shown(request, found))


def stamp(found: Session, entries: int) -> str:
    """What a session's screen was made from: it changes with each entry, and with the session or its course."""
    return f"{entries}-{found.version}-{found.course.version}"


@needs("see courses")
@require_safe
def chart(request: HttpRequest, pk: int, width: int, look: str) -> HttpResponse:
    """Blood pressure over what the model expects; the address changes with the number of entries."""
    if width not in WIDTHS or look not in LOOKS:
        raise Http404
    drawn = Shown.of(_session(pk), timezone.now()).picture(width, look)
    return HttpResponse(drawn, content_type="image/svg+xml")


@needs("treat")
@require_POST
def open_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the visit. It needs signed limits and a course that is not paused or ended."""
    found, limits, member = _session(pk), LimitSet.in_force(), _member(request)
    if found.state != Session.State.PLANNED:
        return redirect("session", pk)
    blocked = why_not_open(found, limits)
    if blocked or limits is None:
        messages.error(request, blocked)
        return redirect("session", pk)
    try:
        found.open(member, found.version, limits, timezone.now())
    except ChangedMeanwhileError:
        messages.error(request, "Somebody changed this session at the same moment. Look again.")
    return redirect("session", pk)


def why_not_open(found: Session, limits: LimitSet | None) -> str:
    """Why a visit may not begin; nothing when it may."""
    if limits is None:
        return "The safety limits are not signed. A prescriber signs them before the first session."
    if found.course.state == Course.State.PAUSED:
        return "The course is paused. A prescriber resumes it first."
    if found.course.state == Course.State.ENDED:
        return "The course has ended."
    consents: Any = found.course.consents
    if not consents.filter(clinician_signed_at__isnull=False, withdrawn_at=None).exists():
        return "No consent is in force. It is signed before the first session."
    return ""


@needs("treat")
def gate(request: HttpRequest, pk: int) -> HttpResponse:
    """The checklist before the dose, all of it; the figures at rest are kept as vitals too."""
    found, member, now = _open(pk), _member(request), timezone.now()
    shown = Shown.of(found, now)
    if shown.here.phase != BEFORE:
        return redirect("session", pk)
    form = _checklist(request, "pre-dose", shown, initial=shown.here.gate.get("answers"))
    if request.method == "POST" and form.is_valid():
        kept = {"complete": True} | _answered(form)
        Entry.keep(member, Entry(session=found, uid=uuid.uuid4(), kind="gate", data=kept, at=now))
        rest = {name: form.answers[name] for name in vitals.vitals() if form.answers.get(name) is not None}
        Entry.keep(member, Entry(session=found, uid=uuid.uuid4(), kind="vitals", data=rest, at=now))
        return redirect("session", pk)
    return render(
        request,
        "session/gate.html",
        {"session": found, "enquiry": found.course.enquiry, "form": form, "title": "Before the dose"},
    )


@needs("treat")
def discharge(request: HttpRequest, pk: int) -> HttpResponse:
    """The checklist before the person leaves: complete, or overridden with a reason. It ends the session."""
    found, member, now = _open(pk), _member(request), timezone.now()
    shown = Shown.of(found, now)
    if shown.here.phase in (RUNNING, PAUSED):
        messages.error(request, "The drip is not stopped yet.")
        return redirect("session", pk)
    stopped = shown.here.stopped_at
    watched_min = shown.limits["watch_min"] if stopped is None else max((now - stopped) // timedelta(minutes=1), 0)
    form = _checklist(request, "discharge", shown, known={"watched_min": float(watched_min)})
    if request.method == "POST" and form.is_valid():
        try:
            _leave(found, member, _answered(form), now)
        except ChangedMeanwhileError:
            messages.error(request, "Somebody else ended this session at the same moment.")
        return redirect("session", pk)
    context = {"session": found, "enquiry": found.course.enquiry, "form": form, "title": "Going home"}
    context |= {"watched_min": watched_min if stopped else None, "escort": shown.here.gate.get("answers", {})}
    return render(request, "session/gate.html", context)


def _checklist(request: HttpRequest, phase: str, shown: Shown, **more: Any) -> GateForm:
    facts = replace(facts_of(shown.session.course.enquiry), limits=dict(shown.limits))
    typed = request.POST if request.method == "POST" else None
    return GateForm(typed, phase=phase, facts=facts, prescriber=may(request.user, "prescribe"), **more)


def _answered(form: GateForm) -> dict[str, Any]:
    return {"answers": form.answers, "override": form.cleaned_data["override"], "overridden": form.overridden}


@transaction.atomic
def _leave(found: Session, member: Member, kept: dict[str, Any], now: datetime) -> None:
    Entry.keep(member, Entry(session=found, uid=uuid.uuid4(), kind="discharge", data=kept, at=now))
    here = Shown.of(found, now).here
    found.close(member, found.version, round(here.infused_mg, 2), now, here.dose.get("mg"))
    if kept["answers"].get("escort_here") == "no":
        found.tell_of_no_escort()


@needs("treat")
@require_safe
def aftercare(request: HttpRequest, pk: int) -> HttpResponse:
    """The sheet that the person takes home, to print."""
    found, now = _session(pk), timezone.now()
    escort = Shown.of(found, now).here.gate.get("answers", {}).get("escort_name", "")
    try:
        paper = aftercare_paper(found, escort, clinic_of(request), now)
    except WordsError as problem:
        messages.error(request, f"The after-care sheet cannot be made: {problem}.")
        return redirect("session", pk)
    return pdf_response(paper, found.course.enquiry.reference)


@needs("treat")
@require_POST
def weigh(request: HttpRequest, pk: int) -> HttpResponse:
    """Compute the dose from the weight of the day."""
    found = _open(pk)
    shown = Shown.of(found, timezone.now())
    form = WeightForm(request.POST, prefix="weight")
    if shown.here.phase != BEFORE:
        raise Http404("the drip has begun")
    if form.is_valid() and _dose_fits(form, found, shown):
        kept = _dose_data(form, found, shown)
        entry = Entry(session=found, uid=uuid.uuid4(), kind="dose", data=kept, at=timezone.now())
        Entry.keep(_member(request), entry)
        return redirect("session", pk)
    return _screen(request, found, "weight", form)


def _dose_fits(form: WeightForm, found: Session, shown: Shown) -> bool:
    known = _last_dose(found)
    strengths = [float(known["mg_per_ml"])] if known else [float(lot.mg_per_ml) for lot in usable_lots()]
    doubts = [
        *doses.doubts(form.weight_kg, _known_weight(found, known), shown.limits),
        *doses.strength_doubts(form.cleaned_data["mg_per_ml"], strengths),
    ]
    if doubts and not form.cleaned_data["sure"]:
        for doubt in doubts:
            form.add_error(None, doubt)
        form.add_error(None, "Look again. If it is right, tick that it is, and send once more.")
        return False
    try:
        _dose(form, found, shown)
    except doses.DoseError as problem:
        form.add_error(None, f"{problem}.")
        return False
    return True


def _dose(form: WeightForm, found: Session, shown: Shown) -> doses.Dose:
    return doses.dose(form.weight_kg, found.course.dose_mg_per_kg, form.cleaned_data["mg_per_ml"], shown.limits)


def _dose_data(form: WeightForm, found: Session, shown: Shown) -> dict[str, Any]:
    dose = _dose(form, found, shown)
    return {
        "weight_kg": dose.weight_kg,
        "mg_per_kg": dose.mg_per_kg,
        "mg_per_ml": dose.mg_per_ml,
        "mg": dose.mg,
        "ml": dose.ml,
        "ml_per_h": round(dose.rate_ml_per_h(found.course.infusion_min), 2),
        "capped": dose.capped,
        "words": dose.words,
    }


def _last_dose(found: Session) -> Mapping[str, Any] | None:
    """The dose of the last session of the course; None before the first."""
    rows = Entry.objects.filter(session__course=found.course, kind="dose").exclude(session=found)
    last = rows.order_by("-at").first()
    return last.data if last else None


def _known_weight(found: Session, last: Mapping[str, Any] | None) -> float | None:
    """The weight of the last session, else what the person told."""
    said = last["weight_kg"] if last else known_of(found.course.enquiry)[0].get("weight_kg")
    return float(said) if said else None


def usable_lots() -> list[Lot]:
    """Lots that may be drawn from today."""
    lots: Any = Lot.objects
    return list(lots.usable(timezone.localdate()))


@needs("treat")
@require_POST
def second_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Another member confirms the dose with their own password, on the same screen."""
    found, member = _open(pk), _member(request)
    form = SecondPersonForm(request.POST, not_by=member, prefix="second")
    dose = Shown.of(found, timezone.now()).here.dose
    if not dose:
        raise Http404("no dose to check")
    if form.is_valid():
        second = form.cleaned_data["second"]
        if not is_password_of(request, second, form.cleaned_data["password"]):
            form.add_error("password", "This is not the password of that person")
        else:
            kept = {"mg": dose["mg"], "ml": dose["ml"], "confirmed_on_screen_of": member.name}
            Entry.keep(second, Entry(session=found, uid=uuid.uuid4(), kind="dose_check", data=kept, at=timezone.now()))
            return redirect("session", pk)
    return _screen(request, found, "second", form)


@needs("treat")
@require_POST
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep one entry from the page itself, without script."""
    found, kind = _open(pk), request.POST.get("kind", "")
    if kind not in OFFLINE:
        raise Http404("no such entry")
    form = form_of(kind, request.POST, ask_again=True, prefix=None)
    now = timezone.now()
    blocked = _why_not(found, kind, now)
    if blocked:
        messages.error(request, blocked)
    elif not form.is_valid():
        return _screen(request, found, kind, form)
    else:
        Entry.keep(_member(request), as_entry(found, kind, form, now, uid=_uid(request.POST.get("uid"))))
        _began(found, kind, now)
    return redirect("session", pk)


@needs("treat")
@require_POST
def entries(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep entries that a browser made, perhaps long ago and without a network. The same entry twice is kept once.

    Takes ``{"member": pk, "device_now": ISO, "entries": [{"uid", "kind", "device_at", "data"}]}``; answers with the
    uids that are safe on the server now, and those that cannot be kept with the reason.
    """
    found, member, now = _session(pk), _member(request), timezone.now()
    try:
        sent = json.loads(request.body)
        device_now = _moment(sent["device_now"])
        listed = list(sent["entries"])[:MOST_AT_ONCE]
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"problem": "not a list of entries"}, status=400)
    if sent.get("member") != member.pk:
        return JsonResponse({"problem": "these entries are another member's"}, status=409)
    saved, refused = [], []
    for one in listed:
        uid = str(one.get("uid", "")) if isinstance(one, dict) else ""
        why = _keep_one(found, member, one, device_now, now)
        if why:
            refused.append({"uid": uid, "why": why})
        else:
            saved.append(uid)
    return JsonResponse({"saved": saved, "refused": refused})


def _keep_one(found: Session, member: Member, one: Any, device_now: datetime, now: datetime) -> str:
    """Keep one entry; why not, when it cannot be."""
    try:
        uid, kind, data = uuid.UUID(one["uid"]), one["kind"], dict(one["data"])
        device_at = _moment(one["device_at"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "it cannot be read"
    there = Entry.objects.filter(uid=uid).values_list("session", flat=True).first()
    if there is not None:
        return "" if there == found.pk else "it belongs to another session"
    if kind not in OFFLINE:
        return "it is no entry of a session"
    if found.opened_at is None:
        return "the session is not open"
    if found.course.enquiry.state == Enquiry.State.ERASED:
        return "the record is erased"
    form = form_of(kind, data, ask_again=False)
    if not form.is_valid():
        return " ".join(str(problem) for problems in form.errors.values() for problem in problems)
    at, ahead, brought_in = when_it_happened(device_at, device_now, found, now)
    blocked = _why_not(found, kind, at)
    if blocked:
        return blocked
    kept = as_entry(found, kind, form, now, uid=uid, at=at)
    kept.device_at = device_at
    if abs(ahead) > CLOCK_OFF:
        kept.data["clock_ahead_s"] = round(ahead.total_seconds())
    if brought_in:
        kept.data["time_unsure"] = True
    Entry.keep(member, kept)
    _began(found, kind, at)
    return ""


def _why_not(found: Session, kind: str, at: datetime) -> str:
    """Why the drip may not start; every other entry is always kept."""
    if kind != "start":
        return ""
    here = Shown.of(found, at).here
    if here.phase != BEFORE:
        return ""
    if not here.gate.get("complete"):
        return "The questions before the dose are not answered yet"
    if not here.checked:
        return "A second person has not checked the dose yet"
    return why_not_open(found, found.limits)


@transaction.atomic
def _began(found: Session, kind: str, at: datetime) -> None:
    """The first drip of a course begins the course."""
    course = Course.objects.get(pk=found.course_id)
    if kind == "start" and course.started_on is None:
        course.change(
            None, "the course began", course.version, {}, started_on=timezone.localdate(at), state=Course.State.RUNNING
        )
        course.plan_measures()


def _moment(words: str) -> datetime:
    moment = parse_datetime(words)
    if moment is None or moment.tzinfo is None:
        raise ValueError(words)
    return moment


def _uid(words: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(words or "")
    except ValueError:
        return uuid.uuid4()


def _session(pk: int) -> Session:
    rows = Session.objects.select_related("course__enquiry", "course__owner", "limits", "opened_by")
    return get_object_or_404(rows, pk=pk)


def _open(pk: int) -> Session:
    found = _session(pk)
    if found.state != Session.State.OPEN:
        raise Http404("the session is not open")
    return found


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user


def _screen(request: HttpRequest, found: Session, which: str = "", form: Form | None = None) -> HttpResponse:
    """The whole screen; ``form`` is what was typed into the form ``which``."""
    context = _shown(request, found) | {"which": which, "form": form}
    if form and "forms" in context:
        context["forms"] |= {which: form}
    if found.state == Session.State.PLANNED:
        context["blocked"] = why_not_open(found, LimitSet.in_force())
        context["open_baseline"] = len(open_baseline(found.course))
    return render(request, "session/session.html", context)


def _forms(member: Member, phase: str) -> dict[str, Any]:
    forms = {kind: form_of(kind, None, ask_again=True) for kind in ("vitals", "adverse")}
    forms["words"] = form_of("note", None, ask_again=True)
    if phase == BEFORE:
        forms |= {"weight": WeightForm(prefix="weight"), "second": SecondPersonForm(prefix="second", not_by=member)}
    return forms


def _shown(request: HttpRequest, found: Session) -> dict[str, Any]:
    shown = Shown.of(found, timezone.now())
    withdrawn = not found.course.consents.filter(withdrawn_at=None, clinician_signed_at__isnull=False).exists()
    is_open, member = found.state == Session.State.OPEN, _member(request)
    context = {
        "session": found,
        "course": found.course,
        "enquiry": found.course.enquiry,
        "shown": shown,
        "here": shown.here,
        "withdrawn": withdrawn and is_open,
        "browser": shown.for_the_browser(member, clinic_of(request).time_zone)
        | {"stamp": stamp(found, len(shown.entries))},
        "is_open": is_open,
    }
    if is_open and may(member, "treat"):
        context["forms"] = _forms(member, shown.here.phase)
    return context
