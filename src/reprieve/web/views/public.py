"""Pages that anybody may read, and a person's own page behind a private link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from reprieve.candidacy.crisis import COUNTRIES, lines_for
from reprieve.web.consent_paper import paper_of, pdf_response
from reprieve.web.context import clinic_of, is_new
from reprieve.web.deadlines import Urgency
from reprieve.web.forms import ContactForm
from reprieve.web.models import ChangedMeanwhileError, Consent, Enquiry
from reprieve.web.models.enquiry import DRAFT_DAYS, LINK_DAYS
from reprieve.web.public_words import day, moment, reach, statements

YEARS_OF_DAYS = 365.25


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The question, the answer with its doubt, what guidelines say, what can go wrong, what the form is."""
    clinic = clinic_of(request)
    context = {
        "unready": is_new(clinic),
        "short": statements("short-answer"),
        "answer": statements("off-label", "largest-trial", "small-trial", "fades"),
        "guidelines": statements(
            "guideline-therapy", "guideline-sertraline", "guideline-venlafaxine", "guideline-ketamine"
        ),
        "harms": statements("feel-strange", "common-harms", "grave-harms", "long-term"),
        "call_by": moment(clinic.call_due(timezone.now(), Urgency.ROUTINE), clinic.zone),
    }
    return render(request, "public/home.html", context)


@require_safe
def help_now(request: HttpRequest) -> HttpResponse:
    """Every line of the clinic's country, then those of other countries."""
    clinic = clinic_of(request)
    place = clinic.region or clinic.country
    everything = {"veteran": True, "danger": True, "substance_use": True, "sexual_violence": True}
    others = [lines_for(code)[:3] for code in COUNTRIES if code not in (clinic.country, "EU", "XX")]
    context = {
        "here": dict.fromkeys([*lines_for(place), *lines_for(place, **everything)]),
        "elsewhere": [(lines[0].country, lines) for lines in others],
        "anywhere": lines_for(None),
    }
    return render(request, "public/help.html", context)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, who sees it, for how long, and how to have it deleted."""
    years = round(clinic_of(request).keep_closed_days / YEARS_OF_DAYS, 1)
    context = {"draft_days": DRAFT_DAYS, "link_days": LINK_DAYS, "keep_years": f"{years:g}"}
    return render(request, "public/privacy.html", context)


# A person's own page


def _behind(request: HttpRequest, token: str) -> Enquiry:
    enquiry = Enquiry.objects.at_link(token)
    if enquiry is None:
        raise Http404
    request.country_region = enquiry.country_region  # type: ignore[attr-defined]
    return enquiry


def _once_more(token: str, act: Callable[[Enquiry], Any], enquiry: Enquiry) -> Any:
    """Do it; if the team changed the row at the same moment, do it again on what they wrote."""
    try:
        return act(enquiry)
    except ChangedMeanwhileError:
        newer = Enquiry.objects.at_link(token)
        if newer is None:
            raise Http404 from None
        return act(newer)


def _may_stop(enquiry: Enquiry) -> bool:
    """Whether there is anything to stop; after a decision, stopping would hide the clinician's words."""
    return enquiry.state not in (Enquiry.State.STOPPED, Enquiry.State.ERASED, Enquiry.State.DECIDED)


@require_safe
def status(request: HttpRequest, token: str) -> HttpResponse:
    """How the request stands, whether the promise was kept, and the decision in the clinician's words."""
    enquiry = _behind(request, token)
    clinic = clinic_of(request)

    def when(at: Any) -> str:
        return moment(at, clinic.zone) if at else ""

    consents = list(_consents_of(enquiry))
    context = {
        "enquiry": enquiry,
        "token": token,
        "received_at": when(enquiry.received_at),
        "promised_at": when(enquiry.promised_at),
        "first_called_at": when(enquiry.first_called_at),
        "reach": reach(enquiry.contact),
        "unreachable": enquiry.is_open and not reach(enquiry.contact),
        "next_is_late": enquiry.due_at is not None and enquiry.due_at < timezone.now(),
        "next_at": when(enquiry.due_at) if enquiry.due_at != enquiry.promised_at else "",
        "decided_at": when(enquiry.decided_at),
        "link_ends": day(enquiry.link_expires_at, clinic.zone),
        "is_late": enquiry.is_open and enquiry.first_called_at is None and enquiry.kept is False,
        "may_stop": _may_stop(enquiry),
        "done": request.GET.get("done", ""),
        "consents": [(row, day(row.person_signed_at, clinic.zone)) for row in consents],
        "in_force": any(row.is_in_force for row in consents),
    }
    return render(request, "public/status.html", context)


def _consents_of(enquiry: Enquiry) -> QuerySet[Consent]:
    rows = Consent.objects.filter(course__enquiry=enquiry, clinician_signed_at__isnull=False)
    return rows.select_related("clinician", "course__enquiry").order_by("-pk")


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """The person takes their consent back: the course pauses now. Once is enough."""
    enquiry = _behind(request, token)
    in_force = list(_consents_of(enquiry).filter(withdrawn_at=None))
    if request.method == "POST":
        for row in in_force:
            row.withdraw(None, "", timezone.now())
        return redirect(reverse("status", args=[token]) + "?done=withdrawn")
    if not in_force:
        return redirect("status", token)
    return render(request, "public/withdraw.html", {"back_url": reverse("status", args=[token])})


@require_safe
def consent_pdf(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """What the person signed, on paper."""
    enquiry = _behind(request, token)
    row = get_object_or_404(_consents_of(enquiry), pk=pk)
    return pdf_response(paper_of(row, clinic_of(request), timezone.now()), enquiry.reference)


@require_http_methods(["GET", "HEAD", "POST"])
def correct_contact(request: HttpRequest, token: str) -> HttpResponse:
    """Put the phone number, the address or the name right."""
    enquiry = _behind(request, token)
    if enquiry.state == Enquiry.State.ERASED:
        raise Http404
    clinic = clinic_of(request)
    if request.method == "POST":
        form = ContactForm(clinic, data=request.POST)
        if form.is_valid():
            _once_more(token, lambda row: row.correct_contact(form.contact), enquiry)
            return redirect(reverse("status", args=[token]) + "?done=contact")
    else:
        form = ContactForm(clinic, initial=enquiry.contact)
    return render(request, "public/contact.html", {"form": form, "back_url": reverse("status", args=[token])})


@require_http_methods(["GET", "HEAD", "POST"])
def stop_contact(request: HttpRequest, token: str) -> HttpResponse:
    """No more calls."""
    enquiry = _behind(request, token)
    if request.method == "POST":
        if _may_stop(enquiry):
            _once_more(token, lambda row: row.stop_contact(timezone.now()) if _may_stop(row) else None, enquiry)
        return redirect(reverse("status", args=[token]) + "?done=stop")
    context = {"back_url": reverse("status", args=[token]), "needs_a_person": enquiry.needs_a_person_first}
    return render(request, "public/stop.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Delete the answers, or ask the privacy lead where the law makes us keep a record."""
    enquiry = _behind(request, token)
    if request.method == "POST":
        if enquiry.state != Enquiry.State.ERASED and enquiry.erasure_asked_at is None:
            _once_more(token, lambda row: row.ask_for_erasure(timezone.now()), enquiry)
        return redirect("status", token)
    if enquiry.state == Enquiry.State.ERASED or enquiry.erasure_asked_at is not None:
        return redirect("status", token)
    context = {
        "back_url": reverse("status", args=[token]),
        "record": enquiry.is_part_of_a_medical_record,
        "needs_a_person": enquiry.needs_a_person_first,
    }
    return render(request, "public/erase.html", context)
