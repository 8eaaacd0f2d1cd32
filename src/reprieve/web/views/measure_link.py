"""A short form behind a private link: the year of birth first, then a few pages, then thanks. Works without script.

Every page is kept as soon as it is answered. An unknown link, one that has expired and one that was closed look alike.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from reprieve.web import private_link, short_forms
from reprieve.web.context import clinic_of
from reprieve.web.crisis_panel import Panel, panel_for
from reprieve.web.forms_measures import AnswersForm, YearForm
from reprieve.web.models import Clinic, Measure
from reprieve.web.public_words import day, moment

View = Callable[..., HttpResponse]


def _is_open(request: HttpRequest, measure: Measure, token: str) -> bool:
    """Whether this browser has given the year of birth."""
    return private_link.is_open(request, f"measure-{measure.pk}", token)


def _open(response: HttpResponse, measure: Measure, token: str) -> HttpResponse:
    return private_link.opened(response, f"measure-{measure.pk}", token, reverse("measure", args=[token]))


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "measure_link/ended.html", status=404)


def _behind(request: HttpRequest, token: str) -> Measure | None:
    measures: Any = Measure.objects
    found: Measure | None = measures.at_link(token, timezone.now())
    return found


def _opened(view: View) -> View:
    """Give the view the measure; whoever has not shown that they are the person is asked first."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        measure = _behind(request, token)
        if measure is None:
            return _ended(request)
        if not _is_open(request, measure, token):
            return redirect("measure", token)
        request.country_region = measure.course.enquiry.country_region  # type: ignore[attr-defined]
        return view(request, token, measure, **kwargs)

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
def measure(request: HttpRequest, token: str) -> HttpResponse:
    """Who is there; then the first page that waits for an answer, or thanks when all is sent."""
    found = _behind(request, token)
    if found is None:
        return _ended(request)
    if not _is_open(request, found, token):
        return _ask_year(request, found, token)
    if found.completed_at:
        return _thanks(request, found, token)
    return redirect(_next_page(found, token))


def _ask_year(request: HttpRequest, found: Measure, token: str) -> HttpResponse:
    form = YearForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if found.is_opened_by(form.cleaned_data["year"], timezone.now()):
            return _open(redirect("measure", token), found, token)
        if found.link_hash is None:
            return _ended(request)
        form.add_error("year", private_link.WRONG_YEAR)
    return render(request, "measure_link/year.html", {"form": form, "token": token})


def _next_page(found: Measure, token: str) -> str:
    """The first page with a question that was not asked yet, or else the page to send from."""
    answers = found.answers or {}
    for number, page in enumerate(found.form.pages(answers), start=1):
        if any(question.id not in answers for question in page):
            return reverse("measure-page", args=[token, number])
    return reverse("measure-send", args=[token])


@require_http_methods(["GET", "HEAD", "POST"])
@_opened
def page(request: HttpRequest, token: str, found: Measure, number: int) -> HttpResponse:
    """One page: show it, or keep it and go on. An answer about safety shows help here, at once."""
    answers = found.answers or {}
    pages = found.form.pages(answers)
    if found.completed_at or not 1 <= number <= len(pages):
        return redirect("measure", token)
    questions = pages[number - 1]
    form = AnswersForm(questions, answers, request.POST or None)
    if request.method == "POST" and form.is_valid():
        found.keep(form.answers, timezone.now(), clinic_of(request))
        here = reverse("measure-page", args=[token, number])
        if _panel(found, questions) and request.POST.get("shown") != "yes":
            return redirect(f"{here}#aside")
        return redirect(_after(found, token, number))
    panel = _panel(found, questions) if all(question.id in answers for question in questions) else None
    context = {
        "measure": found,
        "short_form": found.form,
        "form": form,
        "alone": len(questions) == 1,
        "progress": f"Page {number} of {len(pages)}",
        "first": number == 1,
        "panel": panel,
        "next_url": _after(found, token, number),
        "back_url": reverse("measure-page", args=[token, number - 1]) if number > 1 else "",
        "token": token,
        **_duty(clinic_of(request), timezone.now()),
    }
    return render(request, "measure_link/page.html", context)


def _after(found: Measure, token: str, number: int) -> str:
    pages = found.form.pages(found.answers or {})
    return (
        reverse("measure-page", args=[token, number + 1])
        if number < len(pages)
        else reverse("measure-send", args=[token])
    )


def _panel(found: Measure, questions: tuple[short_forms.Asked, ...]) -> Panel | None:
    """The help that the answers of this page call for. A blank calls for the quiet one."""
    answers, place = found.answers or {}, found.course.enquiry.country_region
    asked = questions[0].id
    if asked == short_forms.SAFETY:
        return panel_for(short_forms.SAFETY, answers.get(asked), place)
    if found.instrument == short_forms.PHQ_9 and asked == short_forms.ITEM_9:
        said = "none" if answers.get(asked) == 0 else "thoughts" if answers.get(asked) else None
        return panel_for(short_forms.SAFETY, said, place)
    return None


def _duty(clinic: Clinic, now: datetime) -> dict[str, Any]:
    staffed = clinic.is_staffed(now)
    return {"staffed": staffed, "opens": "" if staffed else moment(clinic.hours.next_opening(now), clinic.zone)}


@require_http_methods(["GET", "HEAD", "POST"])
@_opened
def send(request: HttpRequest, token: str, found: Measure) -> HttpResponse:
    """Send it to the team. Sent twice it is one result."""
    waits = _next_page(found, token)
    if found.completed_at or waits != reverse("measure-send", args=[token]):
        return redirect("measure", token)
    if request.method == "POST":
        found.complete(None, {}, timezone.now(), clinic_of(request))
        return redirect("measure", token)
    answers, pages = found.answers or {}, found.form.pages(found.answers or {})
    blanks = [question.words for page in pages for question in page if answers.get(question.id) is None]
    context = {
        "measure": found,
        "blanks": blanks,
        "back_url": reverse("measure-page", args=[token, len(pages)]),
        "token": token,
        **_duty(clinic_of(request), timezone.now()),
    }
    return render(request, "measure_link/send.html", context)


def _thanks(request: HttpRequest, found: Measure, token: str) -> HttpResponse:
    clinic, now = clinic_of(request), timezone.now()
    enquiry = found.course.enquiry
    request.country_region = enquiry.country_region  # type: ignore[attr-defined]
    said = found.answers or {}
    urgent = short_forms.how_soon(found.instrument, said, True) is not None
    later = _own(found).filter(first_on__gt=now.astimezone(clinic.zone).date()).order_by("first_on").first()
    visit = found.course.sessions.filter(state="planned", planned_at__gt=now).order_by("planned_at").first()
    context = {
        "urgent": urgent,
        "call_by": moment(enquiry.due_at, clinic.zone) if urgent and enquiry.is_open and enquiry.due_at else "",
        "panel": panel_for(short_forms.SAFETY, said.get(short_forms.SAFETY) or "thoughts", enquiry.country_region)
        if urgent
        else None,
        "another": _now_due(found, now, clinic),
        "next_form": f"{later.first_on.day} {later.first_on:%B}" if later else "",
        "next_visit": moment(visit.planned_at, clinic.zone) if visit else "",
        "token": token,
        "link_ends": day(found.link_expires_at, clinic.zone) if found.link_expires_at else "",
        **_duty(clinic, now),
    }
    return render(request, "measure_link/thanks.html", context)


def _own(found: Measure) -> Any:
    """Other short forms of the same course that are not done."""
    measures: Any = Measure.objects
    return measures.open().by_the_person().filter(course=found.course).exclude(pk=found.pk)


def _now_due(found: Measure, now: datetime, clinic: Clinic) -> Measure | None:
    """Another short form of the same person that is due today."""
    today = now.astimezone(clinic.zone).date()
    due: Measure | None = _own(found).due(today).first()
    return due


@require_POST
@_opened
def go_on(request: HttpRequest, token: str, found: Measure) -> HttpResponse:
    """Open the next short form that is due, for the person who has just sent this one."""
    now, clinic = timezone.now(), clinic_of(request)
    another = _now_due(found, now, clinic)
    if another is None or found.completed_at is None:
        return redirect("measure", token)
    its_token = another.issue_link(now, clinic)
    return _open(redirect("measure", its_token), another, its_token)


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """No more of these messages; open to whoever got one, as it may have reached a stranger."""
    found = _behind(request, token)
    if found is None:
        return _ended(request)
    if request.method == "POST":
        found.course.stop_messages(timezone.now())
    context = {
        "stopped": found.course.messages_stopped_at is not None,
        "back_url": reverse("measure", args=[token]),
    }
    return render(request, "measure_link/stop.html", context)
