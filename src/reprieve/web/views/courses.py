"""Courses of treatment: planning one, its days, its end; and the safety limits that a medical lead signs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from reprieve.treatment.plan import instead_of, templates
from reprieve.web.context import clinic_of
from reprieve.web.door import may, needs
from reprieve.web.forms_course import EndForm, LimitsForm, MissForm, MoveForm, OwnerForm, PlanForm, local
from reprieve.web.forms_team import Versioned
from reprieve.web.models import ChangedMeanwhileError, Consultation, Course, Enquiry, Event, LimitSet, Member
from reprieve.web.models import TreatmentSession as Session
from reprieve.web.readiness import open_baseline


@needs("see courses")
@require_safe
def courses(request: HttpRequest) -> HttpResponse:
    """Courses that go on, the newest first; ended ones on request."""
    objects: Any = Course.objects
    ended = request.GET.get("state") == "ended"
    rows = objects.filter(state=Course.State.ENDED).order_by("-ended_on", "-pk") if ended else objects.going_on()
    context = {"courses": rows.select_related("enquiry", "owner")[:200], "ended": ended, "templates": templates()}
    return render(request, "course/courses.html", context)


@needs("prescribe")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan a course after a consultation that decided on one."""
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if not enquiry.consultations.filter(decision=Consultation.Decision.COURSE).exists():
        raise Http404("no consultation decided on a course")
    member, clinic, in_force = _member(request), clinic_of(request), LimitSet.in_force()
    first = {"owner": member.pk, "dose_mg_per_kg": "0.5"}
    form = PlanForm(request.POST or None, clinic=clinic, in_force=in_force, initial=first)
    if request.method == "POST" and in_force and form.is_valid():
        said = form.cleaned_data
        template = templates()[said["template"]]
        names = ("owner", "template", "dose_mg_per_kg", "reason")
        course = Course.plan(
            member,
            enquiry,
            form.sessions,
            infusion_min=round(said["infusion_min"]),
            maintenance=template.maintenance,
            must_end_on=said["must_end_on"] if template.maintenance else None,
            review_on=timezone.localdate(form.sessions[-1]),
            **{name: said[name] for name in names},
        )
        messages.success(request, f"Planned: {len(form.sessions)} sessions. Look at the days below.")
        return redirect("course", course.pk)
    context = {"form": form, "enquiry": enquiry, "in_force": in_force, "templates": templates().values()}
    return render(request, "course/new.html", context)


@needs("see courses")
@require_safe
def course(request: HttpRequest, pk: int) -> HttpResponse:
    """One course. Opening it is noted."""
    found = _course(pk)
    with transaction.atomic():
        Event.record(_member(request).actor, "opened", found.subject)
    return _page(request, found)


def _page(
    request: HttpRequest, found: Course, which: str = "", form: Form | None = None, status: int = 200
) -> HttpResponse:
    """The course's page; ``form`` is what was typed into the form ``which``, such as "end" or "move-12"."""
    sessions = list(found.sessions.all())
    for session in sessions:
        version = {"version": session.version}
        session.forms = {  # type: ignore[attr-defined]
            "move": form if which == f"move-{session.pk}" else MoveForm(prefix=f"move-{session.pk}", initial=version),
            "miss": form if which == f"miss-{session.pk}" else MissForm(prefix=f"miss-{session.pk}", initial=version),
        }
        session.typed = which.endswith(f"-{session.pk}")  # type: ignore[attr-defined]
    version = {"version": found.version}
    template = templates().get(found.template)
    context = {
        "course": found,
        "enquiry": found.enquiry,
        "sessions": sessions,
        "done": sum(session.state == Session.State.ENDED for session in sessions),
        "template": template,
        "consent": found.consents.filter(withdrawn_at=None, clinician_signed_at__isnull=False).last(),
        "withdrawn": found.consents.filter(withdrawn_at__isnull=False).last(),
        "in_force": LimitSet.in_force(),
        "open_baseline": len(open_baseline(found)) if found.state != Course.State.ENDED else 0,
        "forms": {
            "end": form if which == "end" else EndForm(prefix="end", initial=version),
            "hand": form if which == "hand" else OwnerForm(prefix="hand", initial=version),
        },
        "form": form if status == 200 else None,
        "which": which,
        "changed": status == 409,
    }
    return render(request, "course/course.html", context, status=status)


def _course(pk: int) -> Course:
    return get_object_or_404(Course.objects.select_related("enquiry", "owner"), pk=pk)


def _change(
    request: HttpRequest, found: Course, which: str, form: Versioned, act: Callable[[dict[str, Any]], str]
) -> HttpResponse:
    """Do ``act`` and go back to the course; show its page with what was typed when that cannot be done."""
    if not form.is_valid():
        return _page(request, found, which, form)
    try:
        said = act(form.cleaned_data)
    except ChangedMeanwhileError:
        return _page(request, _course(found.pk), which, form, status=409)
    messages.success(request, said)
    return redirect("course", found.pk)


@needs("treat")
@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """No further session until somebody resumes it."""
    found, member = _going_on(pk), _member(request)

    def act(said: dict[str, Any]) -> str:
        found.pause(member, said["version"])
        return "Paused. No session can be opened until a prescriber resumes it."

    return _change(request, found, "pause", Versioned(request.POST), act)


@needs("prescribe")
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Sessions may be opened again."""
    found, member = _going_on(pk), _member(request)

    objects: Any = found.consents
    if not objects.in_force().exists() and found.consents.exists():
        messages.error(request, "Consent was withdrawn. It is signed anew before the course goes on.")
        return redirect("course", pk)

    def act(said: dict[str, Any]) -> str:
        found.resume(member, said["version"])
        return "Resumed."

    return _change(request, found, "resume", Versioned(request.POST), act)


@needs("prescribe")
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End it, with a reason."""
    found, member = _going_on(pk), _member(request)

    def act(said: dict[str, Any]) -> str:
        found.end(member, said["version"], said["ending"], said["words"], timezone.localdate())
        return "Ended. Sessions that had not begun are called off; follow-up measures stay."

    return _change(request, found, "end", EndForm(request.POST, prefix="end"), act)


@needs("prescribe")
@require_POST
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it to another prescriber."""
    found, member = _going_on(pk), _member(request)

    def act(said: dict[str, Any]) -> str:
        found.hand_over(member, said["version"], said["to"])
        return f"{said['to'].name} answers for it now."

    return _change(request, found, "hand", OwnerForm(request.POST, prefix="hand"), act)


def _going_on(pk: int) -> Course:
    found = _course(pk)
    if found.state == Course.State.ENDED:
        raise Http404("the course has ended")
    return found


@needs("plan sessions")
@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan a session for another time."""
    session, member = _planned(pk), _member(request)

    def act(said: dict[str, Any]) -> str:
        session.move(member, said["version"], said["planned_at"])
        return f"Session {session.number} is moved."

    prefix = f"move-{pk}"
    return _change(request, _course(session.course_id), prefix, MoveForm(request.POST, prefix=prefix), act)


@needs("plan sessions")
@require_POST
def miss(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that a session did not take place, and plan it again if wished."""
    session, member, clinic = _planned(pk), _member(request), clinic_of(request)
    planned_at = session.planned_at

    @transaction.atomic
    def act(said: dict[str, Any]) -> str:
        session.miss(member, said["version"], said["why"])
        if not said["again"]:
            return f"Session {session.number} is noted as missed."
        session.move(member, session.version, _again(session, planned_at.astimezone(clinic.zone), clinic))
        return f"Noted. Session {session.number} is planned again."

    prefix = f"miss-{pk}"
    return _change(request, _course(session.course_id), prefix, MissForm(request.POST, prefix=prefix), act)


def _again(session: Session, planned_at: Any, clinic: Any) -> Any:
    others = Session.objects.filter(course=session.course_id).exclude(pk=session.pk)
    taken = [each.planned_at.astimezone(clinic.zone).date() for each in others.exclude(state=Session.State.CALLED_OFF)]
    day = instead_of(planned_at.date(), taken, timezone.localdate(), clinic.hours.is_open_on)
    return local(day, planned_at.time(), clinic)


@needs("plan sessions")
@require_POST
def call_off(request: HttpRequest, pk: int) -> HttpResponse:
    """A session will not take place."""
    session, member = _planned(pk), _member(request)

    def act(said: dict[str, Any]) -> str:
        session.call_off(member, said["version"])
        return f"Session {session.number} is called off."

    return _change(request, _course(session.course_id), "call-off", Versioned(request.POST), act)


def _planned(pk: int) -> Session:
    session = get_object_or_404(Session.objects.select_related("course"), pk=pk)
    if session.state not in (Session.State.PLANNED, Session.State.MISSED) or session.course.state == Course.State.ENDED:
        raise Http404("the session has begun, or its course has ended")
    return session


@needs("see courses")
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The appointments of a day, by the clinic's clock."""
    shown = _day(request.GET.get("day", "")) or timezone.localdate()
    clinic = clinic_of(request)
    begin, finish = (local(day, _MIDNIGHT, clinic) for day in (shown, date.fromordinal(shown.toordinal() + 1)))
    rows = Session.objects.filter(planned_at__gte=begin, planned_at__lt=finish)
    rows = rows.exclude(state=Session.State.CALLED_OFF).select_related("course__enquiry", "course__owner")
    open_ones = Session.objects.filter(state=Session.State.OPEN).exclude(planned_at__gte=begin, planned_at__lt=finish)
    context = {
        "sessions": rows.order_by("planned_at", "pk"),
        "still_open": open_ones.select_related("course__enquiry").order_by("planned_at"),
        "shown": shown,
        "is_today": shown == timezone.localdate(),
        "before": date.fromordinal(shown.toordinal() - 1),
        "after": date.fromordinal(shown.toordinal() + 1),
    }
    return render(request, "course/today.html", context)


_MIDNIGHT = time.min


def _day(words: str) -> date | None:
    try:
        day = date.fromisoformat(words)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


@needs("see courses")
def safety_limits(request: HttpRequest) -> HttpResponse:
    """The limits in force, each with its source; a prescriber signs new ones."""
    in_force = LimitSet.in_force()
    may_sign = may(request.user, "prescribe")
    form = LimitsForm(request.POST if request.method == "POST" and may_sign else None, in_force=in_force)
    if form.is_bound and form.is_valid():
        LimitSet.sign(_member(request), form.cleaned_data)
        messages.success(request, "Signed, in your name. Sessions that open from now on use these limits.")
        return redirect("limits")
    history = LimitSet.objects.select_related("by").order_by("-pk")[:20]
    context = {"form": form, "in_force": in_force, "may_sign": may_sign, "history": history}
    return render(request, "course/limits.html", context)


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user
