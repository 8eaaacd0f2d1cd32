"""The brief form: start, one page after the other, check, send, received. Works without script and without an account.

Every page is saved as soon as it is answered. The device holds a token in a cookie; the database holds its hash.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from reprieve.candidacy import check_answer
from reprieve.candidacy.crisis import lines_for
from reprieve.candidacy.questions import AnswerError
from reprieve.web.answers import in_words
from reprieve.web.context import clinic_of, is_new
from reprieve.web.crisis_panel import SAFETY, panel_at_once, panel_for
from reprieve.web.deadlines import Urgency
from reprieve.web.door import address_of
from reprieve.web.forms import (
    ADULT_YEARS,
    PAGES,
    SIGNS,
    BriefForm,
    Page,
    age,
    asked_pages,
    asks,
    why_asked,
)
from reprieve.web.models import Clinic, Draft, Enquiry, Hit
from reprieve.web.models.enquiry import DRAFT_DAYS, LINK_DAYS, link_token, sha256
from reprieve.web.places import country_in_words
from reprieve.web.public_words import moment, reach, statements, topics

logger = logging.getLogger("reprieve")

View = Callable[..., HttpResponse]
COOKIE = "__Host-form" if settings.PRODUCTION else "form"  # so named, no neighbouring site can plant one
TRAP = "website"  # a box that people do not see; programs fill it in
TOO_QUICK = timedelta(seconds=10)

WAS_OPEN_LONG = "This page was open for a long time. Your answers are kept. Press Save and continue again."
CHECK_AGAIN = "This page was open for a long time. Your answers are kept. Press Send to the team again."
START_AGAIN = (
    "We could not start the form. Press the button again. If that does not help, your browser may block cookies: "
    "please allow them for this site."
)
TOO_MANY = "There were too many tries in one minute. Your answers are kept. Wait a minute, then press the button again."
LEAVE_EMPTY = (
    "A box that must stay empty was filled in. We have emptied it. Your answers are kept. Press the button again."
)
QUICK = "That was quick. Have a look at your answers, then press Send again."
NOT_SAVED = "We could not save this. Your answers are kept on this page. Try again"


def _kept_when_the_database_fails(view: View) -> View:
    """Show a page that was posted again, as typed, when it cannot be saved."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DatabaseError as problem:
            if request.method != "POST":
                raise
            logger.error("the form could not be saved", exc_info=problem)
            return _not_saved(request, kwargs.get("page", ""))

    return guarded


def _not_saved(request: HttpRequest, page: str) -> HttpResponse:
    """The page as it was sent, with what can still be read round it."""
    draft = None
    try:
        clinic = clinic_of(request)
        draft = _draft_of(request.COOKIES.get(COOKIE))
    except DatabaseError:
        clinic = request.clinic = getattr(request, "clinic", None) or Clinic(pk=1)  # type: ignore[attr-defined]
    notice = f"{NOT_SAVED}, or call {clinic.phone}." if clinic.phone else f"{NOT_SAVED}."
    if page in PAGES:
        return _as_typed(request, PAGES[page], draft.answers if draft else {}, notice, 503)
    if draft and request.resolver_match and request.resolver_match.view_name == "form-check":
        return _check(request, draft, notice, 503)
    return render(request, "brief/not_saved.html", {"notice": notice}, status=503)


def _fits(question_id: str, answer: Any) -> bool:
    try:
        check_answer(question_id, answer)
    except AnswerError:
        return False
    return True


def _draft_of(token: str | None) -> Draft | None:
    """The device's draft. An answer that the table of questions no longer knows reads as a blank, and is ``unfit``."""
    draft = Draft.held_by(token)
    if draft is not None:
        draft.unfit = {name for name, answer in draft.answers.items() if not _fits(name, answer)}
        draft.answers = {name: answer for name, answer in draft.answers.items() if name not in draft.unfit}
    return draft


def _too_many(request: HttpRequest, now: datetime) -> bool:
    return Hit.count_one(address_of(request), now) > settings.FORM_POSTS_PER_MINUTE


def _remember(response: HttpResponse, token: str) -> HttpResponse:
    response.set_cookie(
        COOKIE, token, max_age=DRAFT_DAYS * 86_400, httponly=True, samesite="Lax", secure=settings.PRODUCTION
    )
    return response


def _was_sent(token: str | None) -> bool:
    return bool(token) and Enquiry.objects.filter(draft_key=sha256(str(token))).exists()


def _no_draft(request: HttpRequest, token: str | None) -> HttpResponse:
    """Nothing to go on with: it was sent already, or it is too old, or this device never started."""
    if _was_sent(token):
        return redirect("form-received")
    if token:
        return render(request, "brief/expired.html", {"days": DRAFT_DAYS}, status=410)
    return redirect(reverse("form-start") + "?stopped=1")


# Start


@require_http_methods(["GET", "HEAD", "POST"])
@_kept_when_the_database_fails
def start(request: HttpRequest) -> HttpResponse:
    """Who asks, why, who reads it, by when we call; then the first page."""
    now = timezone.now()
    token = request.COOKIES.get(COOKIE)
    draft = _draft_of(token)
    if request.method != "POST":
        return _start(request, now, draft)
    if _too_many(request, now):
        return _start(request, now, draft, TOO_MANY, 429)
    if request.POST.get(TRAP):
        return _start(request, now, draft, LEAVE_EMPTY)
    if draft is not None:
        draft.delete()
    token = Draft.new_token()
    Draft.save_answers(token, {})
    return _remember(redirect("form-question", next(iter(PAGES))), token)


def _start(
    request: HttpRequest, now: datetime, draft: Draft | None, notice: str = "", status: int = 200
) -> HttpResponse:
    clinic = clinic_of(request)
    context = {
        "notice": notice,
        "draft": draft,
        "carry_on_url": _first_open(draft.answers) if draft else "",
        "unready": is_new(clinic),
        "sent": draft is None and _was_sent(request.COOKIES.get(COOKIE)),
        "stopped": "stopped" in request.GET,
        "call_by": moment(clinic.call_due(now, Urgency.ROUTINE), clinic.zone),
        "draft_days": DRAFT_DAYS,
        **_duty(clinic, now, draft.answers if draft else {}),
    }
    return render(request, "brief/start.html", context, status=status)


def _duty(clinic: Clinic, now: datetime, answers: dict[str, Any]) -> dict[str, Any]:
    """Whether somebody reads the form now, and who is there when nobody does."""
    staffed = clinic.is_staffed(now)
    return {
        "staffed": staffed,
        "opens": "" if staffed else moment(clinic.hours.next_opening(now), clinic.zone),
        "help_lines": lines_for(answers.get("country_region") or clinic.region or clinic.country)[:4],
    }


def _first_open(answers: dict[str, Any]) -> str:
    """Where to carry on: after the last page that has an answer."""
    pages = asked_pages(answers)
    answered = [place for place, page in enumerate(pages) if any(question.id in answers for question in page.questions)]
    place = answered[-1] + 1 if answered else 0
    return reverse("form-question", args=[pages[place].slug]) if place < len(pages) else reverse("form-check")


# One page


@require_http_methods(["GET", "HEAD", "POST"])
@_kept_when_the_database_fails
def question(request: HttpRequest, page: str) -> HttpResponse:
    """One page of the form: show it, or save it and go on."""
    if page.startswith(SIGNS + "_"):
        return redirect("form-question", SIGNS)
    if page not in PAGES:
        raise Http404
    step, now, token = PAGES[page], timezone.now(), request.COOKIES.get(COOKIE)
    if request.method != "POST":
        draft = _draft_of(token)
        if draft is not None and step not in asked_pages(draft.answers):
            return redirect("form-check")
        return _ask(request, step, draft.answers) if draft else _no_draft(request, token)
    if _too_many(request, now):
        return _as_typed(request, step, _answers_of(token), TOO_MANY, 429)
    draft = _draft_of(token)
    if draft is None or token is None:
        return _no_draft(request, token)
    if step not in asked_pages(draft.answers):  # answered in another tab; what the check page hides is not kept
        return redirect("form-check")
    if request.POST.get(TRAP):
        return _as_typed(request, step, draft.answers, LEAVE_EMPTY)
    clinic = clinic_of(request)
    form = BriefForm(step, clinic, draft.answers, _today(clinic, now), data=request.POST)
    if "add" in request.POST:
        return _as_typed(request, step, draft.answers)
    if not form.is_valid():
        return _show(request, step, form, draft.answers)
    Draft.save_answers(token, form.answers)
    answers = _answers_of(token)
    return _remember(redirect(_next_url(request, step, answers, clinic)), token)


def _answers_of(token: str | None) -> dict[str, Any]:
    draft = _draft_of(token)
    return draft.answers if draft else {}


def _today(clinic: Clinic, now: datetime) -> Any:
    return now.astimezone(clinic.zone).date()


def _next_url(request: HttpRequest, step: Page, answers: dict[str, Any], clinic: Clinic) -> str:
    """The same page when there is something to show there first, else the next one, or back to the check page."""
    here = reverse("form-question", args=[step.slug])
    from_check = "?from=check" if request.GET.get("from") == "check" else ""
    aside = _aside(step, answers, clinic)
    if aside and aside != request.POST.get("shown"):
        return f"{here}{from_check}#aside"
    return _after(step, answers, bool(from_check))


def _after(step: Page, answers: dict[str, Any], from_check: bool) -> str:
    signs_open = answers.get("trauma_exposure") != "no" and not any(name.startswith(SIGNS) for name in answers)
    if from_check and step.slug == "trauma_exposure" and signs_open:
        return reverse("form-question", args=[SIGNS]) + "?from=check"
    pages = asked_pages(answers)
    place = pages.index(step) + 1 if step in pages else len(pages)
    if from_check or place >= len(pages):
        return reverse("form-check")
    return reverse("form-question", args=[pages[place].slug])


def _aside(step: Page, answers: dict[str, Any], clinic: Clinic) -> str:
    """What must be shown before going on, as one word; empty when nothing."""
    answer = answers.get(step.slug)
    if step.slug in SAFETY:
        panel = panel_for(step.slug, answer, answers.get("country_region"))
        return panel.kind if panel else ""
    if step.slug == "birth_date" and answer and age(answer, _today(clinic, timezone.now())) < ADULT_YEARS:
        return "young"
    return "abroad" if _abroad(answers, clinic) and step.slug == "country_region" else ""


def _can_be_reached(contact: Mapping[str, Any] | None) -> bool:
    return bool(contact and (contact.get("phone") or contact.get("email")))


def _abroad(answers: dict[str, Any], clinic: Clinic) -> bool:
    place = str(answers.get("country_region") or "")
    return bool(place) and place[:2] != clinic.country


def _ask(request: HttpRequest, step: Page, answers: dict[str, Any]) -> HttpResponse:
    clinic = clinic_of(request)
    form = BriefForm(step, clinic, answers, _today(clinic, timezone.now()))
    return _show(
        request, step, form, answers, aside=_aside(step, answers, clinic) if _was_answered(step, answers) else ""
    )


def _was_answered(step: Page, answers: dict[str, Any]) -> bool:
    return any(question.id in answers for question in step.questions)


def _as_typed(
    request: HttpRequest, step: Page, answers: dict[str, Any], notice: str = "", status: int = 200
) -> HttpResponse:
    """The page again with what was typed in it, unchecked."""
    clinic = clinic_of(request)
    form = BriefForm(step, clinic, answers, _today(clinic, timezone.now()), typed=request.POST)
    return _show(request, step, form, answers, notice=notice, status=status)


def stale_start(request: HttpRequest) -> HttpResponse:
    """The first page, after it was open for too long, or in a browser that keeps no cookies."""
    return _start(request, timezone.now(), _draft_of(request.COOKIES.get(COOKIE)), START_AGAIN, 403)


def stale_check(request: HttpRequest) -> HttpResponse:
    """The check page, after it was open for too long."""
    token = request.COOKIES.get(COOKIE)
    draft = _draft_of(token)
    return _check(request, draft, CHECK_AGAIN, 403) if draft else _no_draft(request, token)


def keep_unsaved(request: HttpRequest, page: str) -> HttpResponse:
    """A page that was open for too long: what was typed, and a fresh key to send it with."""
    if page not in PAGES:
        raise Http404
    return _as_typed(request, PAGES[page], _answers_of(request.COOKIES.get(COOKIE)), WAS_OPEN_LONG, 403)


def _show(
    request: HttpRequest,
    step: Page,
    form: BriefForm,
    answers: dict[str, Any],
    aside: str = "",
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    clinic = clinic_of(request)
    request.country_region = answers.get("country_region") or ""  # type: ignore[attr-defined]
    place = answers.get("country_region") or clinic.region or clinic.country
    from_check = request.GET.get("from") == "check"
    safety = step.slug in SAFETY
    missing = safety and form.is_bound and bool(form.errors)
    if missing:
        aside = "quiet"
    pages = asked_pages(answers)
    before = pages.index(step) - 1 if step in pages else len(pages) - 1
    back = reverse("form-question", args=[pages[before].slug]) if before >= 0 else reverse("form-start")
    context = {
        "page": step,
        "form": form,
        "progress": step.progress,
        "why": why_asked(step.questions[0]) if step.slug != SIGNS else "",
        "back_url": reverse("form-check") if from_check else back,
        "next_url": _after(step, answers, from_check),
        "notice": notice,
        "aside": aside,
        "shown": aside,
        "panel": panel_for(step.slug, None if missing else answers.get(step.slug), place) if safety and aside else None,
        "panel_at_once": panel_at_once(step.slug, place) if safety and not aside else None,
        "place_name": country_in_words(place[:2]),
        "served_name": country_in_words(clinic.country),
        "call_wanted": answers.get("wants_contact") != "no",
        **_duty(clinic, timezone.now(), answers),
    }
    return render(request, "brief/question.html", context, status=status)


# Check and send


@require_http_methods(["GET", "HEAD", "POST"])
@_kept_when_the_database_fails
def check(request: HttpRequest) -> HttpResponse:
    """Every answer with a way to change it; then send."""
    token = request.COOKIES.get(COOKIE)
    if request.method == "POST":
        return _send(request, token)
    draft = _draft_of(token)
    return _check(request, draft) if draft else _no_draft(request, token)


def _send(request: HttpRequest, token: str | None) -> HttpResponse:
    """Send a draft. It needs no count of its own: a draft is sent once, and starting one was counted."""
    now = timezone.now()
    draft = _draft_of(token)
    if draft is None or token is None:
        return _no_draft(request, token)
    if request.POST.get(TRAP):
        return _check(request, draft, LEAVE_EMPTY)
    if now - draft.started_at < TOO_QUICK and not request.POST.get("again"):
        return _check(request, draft, QUICK, again=True)
    answers, clinic = draft.answers, clinic_of(request)
    if slug := _no_longer_fits(token, draft):
        return redirect("form-question", slug)
    if _abroad(answers, clinic):
        return redirect(reverse("form-question", args=["country_region"]) + "?from=check#aside")
    if not _can_be_reached(answers.get("contact_details")) and answers.get("wants_contact") != "no":
        return redirect(reverse("form-question", args=["contact_details"]) + "?from=check")
    Enquiry.receive(token, answers, now, clinic, agreed_at=draft.started_at)
    return redirect("form-received")


def _no_longer_fits(token: str, draft: Draft) -> str:
    """Take away what the table of questions does not know any more, and name the first page to answer again."""
    if not draft.unfit:
        return ""
    Draft.save_answers(token, dict.fromkeys(draft.unfit))
    pages = asked_pages(draft.answers)
    return next((page.slug for page in pages if any(question.id in draft.unfit for question in page.questions)), "")


def _check(
    request: HttpRequest, draft: Draft, notice: str = "", status: int = 200, again: bool = False
) -> HttpResponse:
    clinic, answers = clinic_of(request), draft.answers
    request.country_region = answers.get("country_region") or ""  # type: ignore[attr-defined]
    rows = [
        {
            "asks": asks(asked),
            "lines": in_words(asked.id, answers.get(asked.id)),
            "typed": answers.get("medicine_list") if asked.id == "medicines" else None,
            "change_url": f"{reverse('form-question', args=[page.slug])}?from=check"
            + (f"#{asked.id}" if page.slug == SIGNS else ""),
        }
        for page in asked_pages(answers)
        for asked in page.questions
    ]
    context = {
        "rows": rows,
        "notice": notice,
        "again": again,
        "abroad": _abroad(answers, clinic),
        "served_name": country_in_words(clinic.country),
        "back_url": reverse("form-question", args=["contact_details"]),
        **_duty(clinic, timezone.now(), answers),
    }
    return render(request, "brief/check.html", context, status=status)


# After sending


@require_http_methods(["GET", "HEAD"])
def received(request: HttpRequest) -> HttpResponse:
    """Thanks, the reference, when somebody calls, what we will talk about, and where help is now."""
    token = request.COOKIES.get(COOKIE)
    enquiry = Enquiry.objects.filter(draft_key=sha256(token)).first() if token else None
    if enquiry is None or token is None:
        return redirect("form-check") if _draft_of(token) else redirect("form-start")
    status_path = reverse("status", args=[link_token(token)])
    if enquiry.state not in (Enquiry.State.WAITING, Enquiry.State.NO_CALL) or enquiry.kept is False:
        return redirect(status_path)  # what was promised here no longer holds; that page says what does
    clinic = clinic_of(request)
    request.country_region = enquiry.country_region  # type: ignore[attr-defined]
    findings = (enquiry.assessment or {}).get("findings", [])
    wanted = (enquiry.answers or {}).get("wants_contact") != "no"
    context = {
        "enquiry": enquiry,
        "reach": reach(enquiry.contact),
        "link_days": LINK_DAYS,
        "unready": is_new(clinic),
        "call_by": moment(enquiry.promised_at, clinic.zone) if enquiry.promised_at else "",
        "wanted": wanted,
        "urgent": enquiry.urgency <= Urgency.SAME_DAY,
        "topics": topics(finding["criterion_id"] for finding in findings),
        "status_path": status_path,
        "status_url": request.build_absolute_uri(status_path),
        "help_lines": lines_for(enquiry.country_region or clinic.region or clinic.country),
        "known": statements("off-label", "largest-trial", "small-trial", "fades"),
        "first": statements("guideline-therapy", "guideline-sertraline", "guideline-venlafaxine"),
    }
    return render(request, "brief/received.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def clear(request: HttpRequest) -> HttpResponse:
    """Take the form off this device. What was sent stays with the team; what was not sent is gone."""
    if request.method != "POST":
        return render(request, "brief/clear.html")
    draft = _draft_of(request.COOKIES.get(COOKIE))
    if draft is not None:
        draft.delete()
    response = render(request, "brief/cleared.html")
    response.delete_cookie(COOKIE, samesite="Lax")
    return response
