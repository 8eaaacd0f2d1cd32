"""The longer form before a consultation, behind a private link: one page after the other, then sent."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from reprieve.candidacy.crisis import lines_for
from reprieve.web import private_link
from reprieve.web.context import clinic_of
from reprieve.web.crisis_panel import panel_for
from reprieve.web.forms_measures import YearForm
from reprieve.web.forms_second import SecondForm
from reprieve.web.models import Clinic, PreConsultation
from reprieve.web.models.measure import year_of_birth
from reprieve.web.public_words import moment
from reprieve.web.readiness import answer_in_words
from reprieve.web.second_form import MOOD, Step, speaks_of_death, steps_for

DO = ["GET", "HEAD", "POST"]


def _form_at(request: HttpRequest, token: str) -> PreConsultation | None:
    found = PreConsultation.at_link(token, timezone.now())
    if found is not None:
        request.country_region = found.enquiry.country_region  # type: ignore[attr-defined]
    return found


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "second/ended.html", status=404)


def _sent(request: HttpRequest, found: PreConsultation) -> HttpResponse:
    clinic = clinic_of(request)
    waits = found.enquiry.is_open and found.enquiry.due_at
    context = {
        "call_by": moment(found.enquiry.due_at, clinic.zone) if waits and found.enquiry.due_at else "",
        "urgent": speaks_of_death(found.answers),
        "help_lines": lines_for(found.enquiry.country_region or clinic.region or clinic.country)[:4],
    }
    return render(request, "second/sent.html", context)


def _is_open(request: HttpRequest, found: PreConsultation, token: str) -> bool:
    """Whether this browser may see the answers: the person's year of birth was given, or nobody knows it."""
    known = year_of_birth(found.enquiry)
    return not known or private_link.is_open(request, f"before-{found.pk}", token)


def _ask_year(request: HttpRequest, found: PreConsultation, token: str) -> HttpResponse:
    form = YearForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if found.is_opened_by(form.cleaned_data["year"]):
            path = reverse("before", args=[token])
            return private_link.opened(redirect("before", token), f"before-{found.pk}", token, path)
        if found.link_hash is None:
            return _ended(request)
        form.add_error("year", private_link.WRONG_YEAR)
    return render(request, "second/year.html", {"form": form})


@require_http_methods(DO)
def start(request: HttpRequest, token: str) -> HttpResponse:
    """Who is there; then what the form is, how long it takes, who reads it."""
    found = _form_at(request, token)
    if found is None:
        return _ended(request)
    if not _is_open(request, found, token):
        return _ask_year(request, found, token)
    if found.completed_at:
        return _sent(request, found)
    steps = steps_for(found.enquiry.answers)
    begun = [place for place, step in enumerate(steps) if any(q.id in found.answers for q in step.questions)]
    place = begun[-1] + 1 if begun else 0
    slug = steps[place].slug if place < len(steps) else ""
    go_on = reverse("before-question", args=[token, slug]) if slug else reverse("before-check", args=[token])
    context = {"go_on": go_on, "begun": bool(begun), "pages": len(steps)}
    return render(request, "second/start.html", context)


@require_http_methods(DO)
def question(request: HttpRequest, token: str, page: str) -> HttpResponse:
    """One page: show it, or save it and go on."""
    found = _form_at(request, token)
    if found is None:
        return _ended(request)
    if found.completed_at or not _is_open(request, found, token):
        return redirect("before", token)
    steps = steps_for(found.enquiry.answers)
    place = next((number for number, step in enumerate(steps) if step.slug == page), None)
    if place is None:
        raise Http404
    clinic, now = clinic_of(request), timezone.now()
    today = now.astimezone(clinic.zone).date()
    form = SecondForm(steps[place], found.answers, today, request.POST if request.method == "POST" else None)
    after = steps[place + 1].slug if place + 1 < len(steps) else ""
    next_url = reverse("before-question", args=[token, after]) if after else reverse("before-check", args=[token])
    if form.is_bound and form.is_valid():
        found.keep(form.answers, now, clinic)
        if page == MOOD and speaks_of_death(found.answers) and request.POST.get("shown") != "yes":
            return redirect(f"{request.path}#aside")
        return redirect(next_url)
    return _ask(request, found, steps, place, form, next_url)


def _ask(
    request: HttpRequest, found: PreConsultation, steps: list[Step], place: int, form: SecondForm, next_url: str
) -> HttpResponse:
    step, clinic = steps[place], clinic_of(request)
    helped = step.slug == MOOD and not form.is_bound and speaks_of_death(found.answers)
    region = found.enquiry.country_region or clinic.region or clinic.country
    before = steps[place - 1].slug if place else ""
    token = request.resolver_match.kwargs["token"] if request.resolver_match else ""
    context = {
        "form": form,
        "step": step,
        "title": step.questions[0].wording if step.instrument else "A few questions",
        "hint": step.questions[0].help if step.instrument else "",
        "progress": f"Page {place + 1} of {len(steps)}",
        "back_url": reverse("before-question", args=[token, before]) if before else reverse("before", args=[token]),
        "next_url": next_url,
        "panel": panel_for("suicidal_thoughts_month", "thoughts", region) if helped else None,
        **_duty(clinic),
    }
    return render(request, "second/question.html", context)


def _duty(clinic: Clinic) -> dict[str, Any]:
    now = timezone.now()
    staffed = clinic.is_staffed(now)
    return {"staffed": staffed, "opens": "" if staffed else moment(clinic.hours.next_opening(now), clinic.zone)}


@require_http_methods(DO)
def check(request: HttpRequest, token: str) -> HttpResponse:
    """Every answer with a way to change it; then send. Sent twice is one result."""
    found = _form_at(request, token)
    if found is None:
        return _ended(request)
    if not _is_open(request, found, token):
        return redirect("before", token)
    if request.method == "POST":
        found.complete(timezone.now(), clinic_of(request))
        return redirect("before", token)
    if found.completed_at:
        return redirect("before", token)
    rows = [
        {
            "asks": asked.wording,
            "lines": answer_in_words(asked.id, found.answers.get(asked.id)),
            "change_url": reverse("before-question", args=[token, step.slug]),
        }
        for step in steps_for(found.enquiry.answers)
        for asked in step.questions
    ]
    return render(request, "second/check.html", {"rows": rows, "back_url": reverse("before", args=[token])})
