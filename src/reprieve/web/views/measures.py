"""What is due and overdue, one course's measures, answers typed by the team, and alerts that wait for an answer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reprieve import instruments
from reprieve.web import letters, short_forms
from reprieve.web.context import clinic_of
from reprieve.web.door import may, needs
from reprieve.web.forms_measures import AcknowledgeForm, AddMeasureForm, ClustersForm, OnBehalfForm
from reprieve.web.models import Alert, ChangedMeanwhileError, Clinic, Course, Event, Measure, Member
from reprieve.web.models.measure import NO_WAY

SHOWN = 200
LAST_ANSWERED = 20
OVERDUE_DAYS = 28  # our choice: what is longer overdue is missed, and stands on the page of its course only
TOO_LATE = "Somebody else has done that, or the person has sent it, since you opened the page."


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user


def _today(clinic: Clinic) -> date:
    return timezone.now().astimezone(clinic.zone).date()


def stands(measure: Measure, clinic: Clinic) -> tuple[str, str]:
    """How the message about a measure stands, and the kind of its tag."""
    if not measure.is_for_the_person:
        return "To be asked by a prescriber", ""
    if measure.course.messages_stopped_at:
        return "Asked for no messages: ask at a visit", "caution"
    if measure.problem == NO_WAY or not letters.way_to(measure.course.enquiry, clinic):
        return "No way to send: call", "caution"
    if measure.problem:
        return f"Not sent ({measure.problem}): call", "danger"
    if measure.sent_at is None:
        return "Not sent yet", ""
    again = f", reminded {measure.reminders} times" if measure.reminders > 1 else ", reminded once"
    return f"Sent{again if measure.reminders else ''}", "ok"


@needs("see courses")
@require_safe
def measures(request: HttpRequest) -> HttpResponse:
    """What is due and what is overdue, over all courses."""
    clinic, rows = clinic_of(request), _rows()
    today = _today(clinic)
    lately = rows.overdue(today).filter(last_on__gte=today - timedelta(days=OVERDUE_DAYS))
    due, overdue = list(rows.due(today)[:SHOWN]), list(lately[:SHOWN])
    context = {
        "groups": [
            ("overdue", "Overdue", [(row, *stands(row, clinic)) for row in overdue]),
            ("due", "Due now", [(row, *stands(row, clinic)) for row in due]),
        ],
        "due": rows.due(today).count(),
        "overdue": lately.count(),
        "alerts": _alerts().waiting().count(),
        "now": timezone.now(),
    }
    return render(request, "measures/measures.html", context)


def _rows() -> Any:
    objects: Any = Measure.objects
    return objects.select_related("course__enquiry", "by")


def _alerts() -> Any:
    objects: Any = Alert.objects
    return objects.select_related("course__enquiry", "owner", "acknowledged_by")


@needs("see courses")
@require_safe
def course_measures(request: HttpRequest, pk: int) -> HttpResponse:
    """Every measure of one course: what is done, due and to come."""
    course = get_object_or_404(Course.objects.select_related("enquiry", "owner"), pk=pk)
    with transaction.atomic():
        Event.record(_member(request).actor, "opened the measures", course.subject)
    return _course(request, course)


def _course(request: HttpRequest, course: Course, form: Form | None = None) -> HttpResponse:
    clinic = clinic_of(request)
    today = _today(clinic)
    rows = list(_rows().filter(course=course))
    context = {
        "course": course,
        "enquiry": course.enquiry,
        "rows": [(row, *_stage(row, today, clinic)) for row in rows],
        "form": form,
        "add_form": form or AddMeasureForm(),
    }
    return render(request, "measures/course.html", context)


def _stage(row: Measure, today: date, clinic: Clinic) -> tuple[str, str, str]:
    """Where one measure stands: a word, the kind of its tag, and more words."""
    if row.completed_at:
        return "Done", "ok", row.total_words
    if row.called_off:
        return "Called off", "", ""
    if row.first_on > today:
        return "To come", "", ""
    if row.last_on < today - timedelta(days=OVERDUE_DAYS):
        return "Missed", "", ""
    words, kind = stands(row, clinic)
    return ("Overdue", "danger", words) if row.last_on < today else ("Due", kind, words)


@needs("see courses")
@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for one measure more."""
    course = get_object_or_404(Course.objects.select_related("enquiry", "owner"), pk=pk)
    form = AddMeasureForm(request.POST)
    if not form.is_valid():
        return _course(request, course, form)
    Measure.add(_member(request), course, form.cleaned_data["instrument"], _today(clinic_of(request)))
    messages.success(request, "Added. It is due from today.")
    return redirect("course-measures", pk)


@needs("see courses")
@require_http_methods(["GET", "HEAD", "POST"])
def measure(request: HttpRequest, pk: int) -> HttpResponse:
    """One measure: its answers when it is done; before that, a form to type them in as the person said them."""
    row = get_object_or_404(_rows(), pk=pk)
    member = _member(request)
    may_enter = may(member, "treat" if row.is_for_the_person else "prescribe")
    if request.method != "POST":
        with transaction.atomic():
            Event.record(member.actor, "opened a measure", row.subject)
        return _measure(request, row, may_enter)
    if not may_enter:
        raise PermissionDenied("enter answers")
    if row.completed_at:
        return _measure(request, row, may_enter, status=409)
    form = _entry_form(row, request.POST)
    if not form.is_valid():
        return _measure(request, row, may_enter, form)
    if not row.complete(member, form.answers, timezone.now(), clinic_of(request)):
        return _measure(request, get_object_or_404(_rows(), pk=pk), may_enter, status=409)
    messages.success(request, "Kept.")
    return redirect("course-measures", row.course_id)


def _entry_form(row: Measure, data: Any = None) -> Any:
    return OnBehalfForm(row.form, data) if row.is_for_the_person else ClustersForm(data)


def _measure(
    request: HttpRequest, row: Measure, may_enter: bool, form: Form | None = None, status: int = 200
) -> HttpResponse:
    clinic = clinic_of(request)
    entry = None if row.completed_at or not may_enter else form or _entry_form(row)
    context = {
        "measure": row,
        "course": row.course,
        "enquiry": row.course.enquiry,
        "answers": answers_of(row) if row.completed_at else [],
        "score": _score(row) if row.completed_at else None,
        "stage": _stage(row, _today(clinic), clinic),
        "form": form,
        "entry": entry,
        "late": TOO_LATE if status == 409 else "",
        "may_send": row.is_for_the_person and not row.completed_at and not row.called_off,
    }
    return render(request, "measures/measure.html", context, status=status)


def answers_of(row: Measure) -> list[tuple[str, str]]:
    """Questions and answers in words; an empty answer was left blank."""
    given = row.answers or {}
    if not row.is_for_the_person:
        return [(ClustersForm.NAMES[name], "" if value is None else str(value)) for name, value in given.items()]
    asked = {question.id: question for page in row.form.pages(given) for question in page}
    return [
        (question.words, "" if given.get(name) is None else dict(question.choices)[str(given[name])])
        for name, question in asked.items()
    ]


def _score(row: Measure) -> Any:
    if row.instrument not in (short_forms.PCL_5, short_forms.PHQ_9):
        return None
    numbers = {item.number for item in instruments.find(row.instrument).items}
    return instruments.score(row.instrument, {name: said for name, said in row.answers.items() if name in numbers})


@needs("see courses")
@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the private link now."""
    row, clinic = get_object_or_404(_rows(), pk=pk), clinic_of(request)
    if not row.is_for_the_person or row.course.messages_stopped_at or not letters.way_to(row.course.enquiry, clinic):
        messages.error(request, "There is no way to send it. Call the person, and type the answers in.")
        return redirect("team-measure", pk)
    try:
        row.send_now(_member(request), timezone.now())
    except ChangedMeanwhileError:
        return _measure(request, get_object_or_404(_rows(), pk=pk), may(_member(request), "treat"), status=409)
    quiet = clinic.is_quiet(timezone.now())
    messages.success(
        request, f"It goes out {f'at {clinic.quiet_until:%H:%M}, after the quiet hours' if quiet else 'now'}."
    )
    return redirect("team-measure", pk)


@needs("see courses")
@require_POST
def call_off(request: HttpRequest, pk: int) -> HttpResponse:
    """It will not be done."""
    row = get_object_or_404(_rows(), pk=pk)
    try:
        row.call_off(_member(request))
    except ChangedMeanwhileError:
        return _measure(request, get_object_or_404(_rows(), pk=pk), may(_member(request), "treat"), status=409)
    messages.success(request, "Called off.")
    return redirect("course-measures", row.course_id)


# Alerts


@needs("see courses")
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """Alerts that wait for an answer, and those that were answered lately."""
    rows = _alerts()
    context = {
        "waiting": list(rows.waiting()[:SHOWN]),
        "count": rows.waiting().count(),
        "answered": list(rows.exclude(acknowledged_at=None).order_by("-acknowledged_at")[:LAST_ANSWERED]),
    }
    return render(request, "measures/alerts.html", context)


@needs("see courses")
@require_http_methods(["GET", "HEAD", "POST"])
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """One alert: its reasons, and what was done. Its owner or a prescriber answers it, once."""
    row, member = get_object_or_404(_alerts(), pk=pk), _member(request)
    if request.method != "POST":
        with transaction.atomic():
            Event.record(member.actor, "opened an alert", row.subject)
        return _alert(request, row, AcknowledgeForm())
    if not row.may_be_answered_by(member):
        raise PermissionDenied("answer this alert")
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        return _alert(request, row, form)
    try:
        row.acknowledge(member, form.cleaned_data["words"], timezone.now())
    except ChangedMeanwhileError:
        return _alert(request, get_object_or_404(_alerts(), pk=pk), form, status=409)
    messages.success(request, "Kept. Nobody is told of it again.")
    return redirect("alerts")


def _alert(request: HttpRequest, row: Alert, form: AcknowledgeForm, status: int = 200) -> HttpResponse:
    context = {
        "alert": row,
        "course": row.course,
        "enquiry": row.course.enquiry,
        "form": form,
        "may_answer": row.acknowledged_at is None and row.may_be_answered_by(_member(request)),
        "late": status == 409,
    }
    return render(request, "measures/alert.html", context, status=status)
