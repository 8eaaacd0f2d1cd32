"""Before a course: the consultation, the second form, the baseline checklist, consent and its end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reprieve.treatment.alternatives import alternatives
from reprieve.treatment.checklist import asked_items, open_items
from reprieve.treatment.consent import ConsentText, teach_back
from reprieve.treatment.told import WordsError
from reprieve.web import card as cards
from reprieve.web.consent_paper import paper_of, pdf_response, text_for
from reprieve.web.context import clinic_of
from reprieve.web.door import may, needs
from reprieve.web.forms_before import BaselineForm, ConsentForm, ConsultationForm, Seen, WithdrawForm
from reprieve.web.models import (
    BaselineItem,
    ChangedMeanwhileError,
    Consent,
    Consultation,
    Course,
    Enquiry,
    Event,
    Member,
    PreConsultation,
)
from reprieve.web.readiness import facts_of, known_of
from reprieve.web.short_forms import cluster_tops

DO = ["GET", "HEAD", "POST"]


def _member(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user


def _only_who_may(request: HttpRequest, what: str) -> None:
    if not may(request.user, what):
        raise PermissionDenied(what)


def _opened(request: HttpRequest, subject: str) -> None:
    with transaction.atomic():
        Event.record(_member(request).actor, "opened", subject)


def _course(pk: int) -> Course:
    return get_object_or_404(Course.objects.select_related("enquiry", "owner"), pk=pk)


def _seeing(form: Seen, newest: int) -> None:
    """Let a refused form carry the row that its writer sees now."""
    form.data = {**form.data.dict(), form.add_prefix("seen"): newest}  # type: ignore[attr-defined]


# The consultation


@needs("see courses")
@require_http_methods(DO)
def consultation(request: HttpRequest, pk: int) -> HttpResponse:
    """What was found and decided, each consultation as it was written; a prescriber adds another."""
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if enquiry.state == Enquiry.State.ERASED:
        return redirect("card", pk=pk)
    if request.method != "POST":
        _opened(request, enquiry.subject)
        return _consultation(request, enquiry, ConsultationForm(initial={"seen": _last(enquiry)}))
    _only_who_may(request, "prescribe")
    form = ConsultationForm(request.POST)
    if not form.is_valid():
        return _consultation(request, enquiry, form)
    try:
        Consultation.record(_member(request), enquiry, form.cleaned_data["seen"], **form.record)
    except ChangedMeanwhileError:
        _seeing(form, _last(enquiry))
        return _consultation(request, enquiry, form, changed=True)
    messages.success(request, "Kept. It stays as you wrote it.")
    return redirect("consultation", pk=pk)


def _last(enquiry: Enquiry) -> int:
    last = Consultation.objects.filter(enquiry=enquiry).last()
    return last.pk if last else 0


def _consultation(
    request: HttpRequest, enquiry: Enquiry, form: ConsultationForm, changed: bool = False
) -> HttpResponse:
    rows: list[dict[str, Any]] = [
        {
            "row": row,
            "alternatives": [
                (alternatives()[name].words if name in alternatives() else name, said)
                for name, said in row.alternatives.items()
            ],
        }
        for row in Consultation.objects.filter(enquiry=enquiry).select_related("by").order_by("-pk")
    ]
    context = {
        "enquiry": enquiry,
        "rows": rows,
        "form": form if may(request.user, "prescribe") else None,
        "top": sum(cluster_tops().values()),
        "changed": changed,
        "has_course": bool(rows) and rows[0]["row"].decision == Consultation.Decision.COURSE,
    }
    return render(request, "before/consultation.html", context, status=409 if changed else 200)


@needs("log calls")
@require_POST
def ask_second_form(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the private link to the second form, and send it if there is an e-mail address."""
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if enquiry.state == Enquiry.State.ERASED:
        return redirect("card", pk=pk)
    form = PreConsultation.ask(_member(request), enquiry, timezone.now())
    if form.completed_at:
        said = "The person has sent this form already."
    elif (enquiry.contact or {}).get("email"):
        said = "The link is on its way by e-mail. You can also read it out from this page."
    else:
        said = "The link is ready. There is no e-mail address, so copy it or read it out."
    messages.success(request, said)
    return redirect("card", pk=pk)


# The baseline checklist


@needs("see courses")
@require_http_methods(DO)
def baseline(request: HttpRequest, pk: int) -> HttpResponse:
    """What must be asked, measured and arranged before the first dose."""
    course = _course(pk)
    facts = facts_of(course.enquiry)
    items = asked_items("baseline", facts)
    last, newest = BaselineItem.last_of(course)
    answers = {item: row.answer for item, row in last.items()}
    form, status = BaselineForm(items, answers, initial={"seen": newest}), 200
    if request.method == "POST":
        _only_who_may(request, "treat")
        form = BaselineForm(items, {}, request.POST)
        if form.is_valid():
            try:
                BaselineItem.keep(_member(request), course, form.cleaned_data["seen"], form.answers)
                messages.success(request, "Saved.")
                return redirect("baseline", pk=pk)
            except ChangedMeanwhileError:
                status = 409
                _seeing(form, newest)
    else:
        _opened(request, course.subject)
    _, assessment = known_of(course.enquiry)
    context = {
        "course": course,
        "enquiry": course.enquiry,
        "form": form,
        "open": open_items("baseline", answers, facts),
        "answered": [(item, _in_words(item, answers[item.id]), last[item.id]) for item in items if item.id in answers],
        "interactions": cards.interactions_of(assessment) if assessment else [],
        "unrecognised": assessment.get("unrecognised_medicines", []),
        "limits_signed": bool(facts.limits),
        "changed": status == 409,
    }
    return render(request, "before/baseline.html", context, status=status)


def _in_words(item: Any, answer: Any) -> str:
    if item.kind == "choice":
        return str(dict(item.options).get(answer, answer))
    return f"{answer:g} {item.unit}" if isinstance(answer, float) else str(answer)


# Consent


@needs("see courses")
@require_http_methods(DO)
def consent(request: HttpRequest, pk: int) -> HttpResponse:
    """The text, read together; what was asked and said; two signatures."""
    course, clinic = _course(pk), clinic_of(request)
    try:
        text = text_for(course.enquiry, clinic)
    except WordsError as error:
        return _consent(request, course, None, None, problem=str(error))
    initial = {"seen": _last_consent(course), "text_version": text.version}
    if request.method != "POST":
        _opened(request, course.subject)
        return _consent(request, course, text, ConsentForm(teach_back(), initial=initial))
    _only_who_may(request, "prescribe")
    form = ConsentForm(teach_back(), request.POST)
    if not form.is_valid():
        return _consent(request, course, text, form)
    try:
        _sign(request, course, text, form)
    except ChangedMeanwhileError:
        course = _course(pk)
        form.data = {**request.POST.dict(), **{name: str(value) for name, value in initial.items()}}
        return _consent(request, course, text, form, changed=True)
    messages.success(request, "Signed by both, and kept with the text.")
    return redirect("consent", pk=pk)


def _sign(request: HttpRequest, course: Course, text: ConsentText, form: ConsentForm) -> None:
    """Keep it, if the text that was read is the text that stands."""
    if form.cleaned_data["text_version"] != text.version:
        raise ChangedMeanwhileError("the consent text")
    kept = [element.as_kept() for element in text.elements]
    Consent.sign(
        _member(request), course, form.cleaned_data["seen"], timezone.now(),
        text_version=text.version, text=kept, **form.record,
    )  # fmt: skip


def _last_consent(course: Course) -> int:
    last = Consent.objects.filter(course=course).order_by("pk").last()
    return last.pk if last else 0


def _consent(
    request: HttpRequest,
    course: Course,
    text: ConsentText | None,
    form: ConsentForm | None,
    *,
    problem: str = "",
    changed: bool = False,
    withdraw: WithdrawForm | None = None,
) -> HttpResponse:
    consents = list(Consent.objects.filter(course=course).select_related("clinician").order_by("-pk"))
    in_force = next((row for row in consents if row.is_in_force), None)
    newer = bool(in_force and text and in_force.text_version != text.version)
    signable = may(request.user, "prescribe") and course.state != Course.State.ENDED
    wanted = in_force is None or newer or (form is not None and form.is_bound)
    context = {
        "course": course,
        "enquiry": course.enquiry,
        "text": text,
        "form": withdraw or (form if signable and wanted else None),
        "sign": form if signable and wanted else None,
        "withdraw": withdraw or (WithdrawForm() if in_force else None),
        "consents": [(row, cards.names_of_members().get(row.withdrawn_by, "")) for row in consents],
        "in_force": in_force,
        "newer": newer,
        "problem": problem,
        "changed": changed,
    }
    return render(request, "before/consent.html", context, status=409 if changed else 200)


@needs("see courses")
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody of the team was told that consent ends."""
    course, form = _course(pk), WithdrawForm(request.POST)
    in_force = Consent.objects.filter(course=course, withdrawn_at=None).last()
    if in_force is None:
        return redirect("consent", pk=pk)
    if not form.is_valid():
        try:
            text = text_for(course.enquiry, clinic_of(request))
        except WordsError:
            text = None
        return _consent(request, course, text, None, withdraw=form)
    in_force.withdraw(_member(request), form.cleaned_data["words"], timezone.now())
    messages.success(request, "Consent is withdrawn and the course is paused. Stop a drip that runs.")
    return redirect("consent", pk=pk)


@needs("see courses")
@require_safe
def consent_pdf(request: HttpRequest, pk: int, consent_pk: int) -> HttpResponse:
    """What was signed, on paper."""
    row = get_object_or_404(Consent.objects.select_related("course__enquiry", "clinician"), pk=consent_pk, course_id=pk)
    _opened(request, row.course.subject)
    return pdf_response(paper_of(row, clinic_of(request), timezone.now()), row.course.enquiry.reference)
