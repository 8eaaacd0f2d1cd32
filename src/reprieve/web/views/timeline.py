"""One timeline for one person: for the team with the judgement by stated rules, for the person in plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from reprieve import instruments
from reprieve.treatment import outcome
from reprieve.web import short_forms
from reprieve.web.context import clinic_of
from reprieve.web.door import needs
from reprieve.web.forms_measures import OtherTreatmentForm
from reprieve.web.models import Course, Enquiry, Event, Measure, Member, OtherTreatment, TreatmentSession
from reprieve.web.models.measure import all_measured, measured_of, started_on_of
from reprieve.web.public_words import day, moment

WIDTHS = (328, 620)
LOOKS = ("light", "dark")
JUDGED = (short_forms.PCL_5, short_forms.CAPS_5)
WORDS = {
    outcome.YES: "Yes",
    outcome.NO: "No",
    outcome.UNDECIDED: "Open: blanks leave it undecided",
    outcome.NOT_MEASURED: "Missing: it was not measured",
    outcome.NOT_RELEVANT: "Does not apply",
    outcome.IMPROVED: "Improved",
    outcome.WORSENED: "Got worse",
    outcome.NO_CLEAR_CHANGE: "No clear change",
}


def story_of(course: Course, zone: ZoneInfo) -> Any:
    """The course as the picture takes it; None while no session is planned."""
    from reprieve.treatment.outcome_plot import Beside, Timeline

    started_on = started_on_of(course, zone)
    if started_on is None:
        return None
    held = course.sessions.filter(state=TreatmentSession.State.ENDED)
    return Timeline(
        started_on,
        tuple(each for each in all_measured(course, zone) if each.instrument in JUDGED),
        tuple((session.opened_at or session.planned_at).astimezone(zone).date() for session in held),
        tuple(
            Beside(other.what, other.from_on, other.to_on, other.kind == OtherTreatment.Kind.EVENT)
            for other in course.other_treatments.all()
        ),
    )


def ended_on(course: Course, zone: ZoneInfo) -> date | None:
    """Day of the last session that was held, once the course has ended."""
    if course.state != Course.State.ENDED:
        return None
    last = course.sessions.filter(state=TreatmentSession.State.ENDED).order_by("-planned_at").first()
    return (last.opened_at or last.planned_at).astimezone(zone).date() if last else course.ended_on


def judgements(course: Course, zone: ZoneInfo) -> list[tuple[str, list[tuple[str, outcome.Rule, str, str]]]]:
    """For each instrument, its rules: what is judged, the rule, the result in words, and the totals behind it."""
    found = []
    for instrument in JUDGED:
        baseline, later = measured_of(course, instrument, zone)
        came = outcome.judge(baseline, later, ended_on(course, zone), instrument)
        rows = [("Reliable change", came.reliable), ("Response", came.response), ("Remission", came.remission)]
        said = [(name, row.rule, WORDS[row.result], _totals(row)) for name, row in rows if row]
        others = [each for each in came.by_published_rules if each.points != came.reliable.rule.value]
        beside = "; ".join(f"{each.points:g} points: {WORDS[each.result].lower()}" for each in others)
        name, rule, result, totals = said[0]
        said[0] = (name, rule, f"{result}. By other published figures, {beside}" if beside else result, totals)
        loss = came.loss
        said.append(("Loss of response", loss.rule, WORDS[loss.result], _when_lost(loss)))
        found.append((instrument, said))
    return found


def _totals(row: outcome.Judged) -> str:
    if row.before is None or row.after is None:
        return ""
    return f"{row.before.words} on {_day(row.before.on)}, {row.after.words} on {_day(row.after.on)}"


def _when_lost(loss: outcome.Loss) -> str:
    if loss.lost_on:
        return f"seen on {_day(loss.lost_on)}"
    return f"last seen kept on {_day(loss.kept_on)}" if loss.kept_on else ""


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def rows_of(course: Course, zone: ZoneInfo) -> list[tuple[date, str, str]]:
    """Everything on the timeline, in the order of days: the day, what it is, in words."""
    rows = [
        (done.completed_at.astimezone(zone).date(), _name(done), done.total_words) for done in _measures(course).done()
    ]
    rows += [
        ((held.opened_at or held.planned_at).astimezone(zone).date(), "Infusion", _infused(held))
        for held in course.sessions.filter(state=TreatmentSession.State.ENDED)
    ]
    rows += [
        (missed.planned_at.astimezone(zone).date(), "Session", "missed")
        for missed in course.sessions.filter(state=TreatmentSession.State.MISSED)
    ]
    for other in course.other_treatments.all():
        until = f", until {_day(other.to_on)}" if other.to_on else ""
        rows.append((other.from_on, other.get_kind_display(), f"{other.what}{until}"))
    today = timezone.now().astimezone(zone).date()
    rows += [
        (late.last_on, _name(late), "missing: not done in its window") for late in _measures(course).overdue(today)
    ]
    return sorted(rows, key=lambda row: row[0])


def _measures(course: Course) -> Any:
    objects: Any = Measure.objects
    return objects.filter(course=course)


def _name(measure: Measure) -> str:
    return "Side effects" if measure.instrument == short_forms.SIDE_EFFECTS else measure.instrument


def _infused(held: TreatmentSession) -> str:
    given = f"{held.infused_mg:g} mg" if held.infused_mg is not None else "dose not noted"
    return f"number {held.number}, {given}"


@needs("see courses")
@require_safe
def timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture, the table beside it, the judgement, and a form for what else happens."""
    course = _course(pk)
    assert isinstance(request.user, Member)
    with transaction.atomic():
        Event.record(request.user.actor, "opened the timeline", course.subject)
    return _timeline(request, course, OtherTreatmentForm())


def _course(pk: int) -> Course:
    return get_object_or_404(Course.objects.select_related("enquiry", "owner"), pk=pk)


def _timeline(request: HttpRequest, course: Course, form: Form) -> HttpResponse:
    zone = clinic_of(request).zone
    from reprieve.treatment import outcome_plot

    rows, story = rows_of(course, zone), story_of(course, zone)
    context = {
        "course": course,
        "enquiry": course.enquiry,
        "picture": story is not None and bool(story.measured),
        "finding": outcome_plot.finding(story) if story else "",
        "rows": rows,
        "judgements": judgements(course, zone),
        "form": form,
        "ended": ended_on(course, zone),
    }
    return render(request, "measures/timeline.html", context)


@needs("see courses")
@require_safe
def picture(request: HttpRequest, pk: int, width: int, look: str) -> HttpResponse:
    """The timeline as a picture, drawn for one width and one look."""
    return _drawn(story_of(_course(pk), clinic_of(request).zone), width, look)


def _drawn(story: Any, width: int, look: str) -> HttpResponse:
    if width not in WIDTHS or look not in LOOKS or story is None:
        raise Http404
    from reprieve import charts
    from reprieve.treatment import outcome_plot

    chart = outcome_plot.timeline(story, width, look)
    return HttpResponse(charts.svg(chart, charts.LOOKS[look]), content_type="image/svg+xml")


@needs("see courses")
@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Note a medicine, therapy sessions or an event."""
    course, form = _course(pk), OtherTreatmentForm(request.POST)
    if not form.is_valid():
        return _timeline(request, course, form)
    assert isinstance(request.user, Member)
    OtherTreatment.note(request.user, course, **form.cleaned_data)
    messages.success(request, "Noted.")
    return redirect("timeline", pk)


# The person's own page


def _own_course(request: HttpRequest, token: str) -> Course:
    objects: Any = Enquiry.objects
    enquiry = objects.at_link(token)
    course = enquiry.courses.order_by("-pk").first() if enquiry and enquiry.state != Enquiry.State.ERASED else None
    if course is None:
        raise Http404
    request.country_region = enquiry.country_region  # type: ignore[attr-defined]
    found: Course = course
    return found


def change_in_words(course: Course, zone: ZoneInfo) -> list[str]:
    """What the person's own totals did, in plain words; no verdict."""
    baseline, later = measured_of(course, short_forms.PCL_5, zone)
    exact = [each for each in later if each.total is not None]
    if baseline is None or baseline.total is None or not exact or exact[-1].total is None:
        return []
    points = exact[-1].total - baseline.total
    least = outcome.rule(short_forms.PCL_5, "reliable_change").value
    way = (
        f"went {'down' if points < 0 else 'up'} by {abs(points)} point{'s' * (abs(points) != 1)}"
        if points
        else "is the same"
    )
    return [f"Since you began, your score {way}.", f"A change of {least:g} or more is more than chance ups and downs."]


@require_safe
def own_course(request: HttpRequest, token: str) -> HttpResponse:
    """How many drips are done, when the next visit is, and their own scores. No verdict, no promise."""
    course, clinic = _own_course(request, token), clinic_of(request)
    now = timezone.now()
    planned = course.sessions.exclude(state=TreatmentSession.State.CALLED_OFF)
    visit = planned.filter(state=TreatmentSession.State.PLANNED, planned_at__gt=now).order_by("planned_at").first()
    form = (
        _measures(course)
        .open()
        .by_the_person()
        .filter(last_on__gte=_local(now, clinic.zone))
        .order_by("first_on")
        .first()
    )
    scores = [
        (day(row.completed_at, clinic.zone), row.total_words)
        for row in _measures(course).done().filter(instrument=short_forms.PCL_5)
    ]
    context = {
        "course": course,
        "token": token,
        "done": planned.filter(state=TreatmentSession.State.ENDED).count(),
        "all": planned.count(),
        "next_visit": moment(visit.planned_at, clinic.zone) if visit else "",
        "next_form": f"{form.first_on.day} {form.first_on:%B}" if form else "",
        "scores": scores,
        "picture": bool(scores) and started_on_of(course, clinic.zone) is not None,
        "change": change_in_words(course, clinic.zone),
        "highest": (instruments.find(short_forms.PCL_5).total_bounds or (0, 0))[1],
    }
    return render(request, "measures/own_course.html", context)


@require_safe
def own_picture(request: HttpRequest, token: str, width: int, look: str) -> HttpResponse:
    """The person's own scores as a picture."""
    course, zone = _own_course(request, token), clinic_of(request).zone
    story = story_of(course, zone)
    own = tuple(each for each in story.measured if each.instrument == short_forms.PCL_5) if story else ()
    return _drawn(replace(story, measured=own, beside=()) if story else None, width, look)


def _local(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()
