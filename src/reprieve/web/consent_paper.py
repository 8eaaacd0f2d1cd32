"""The consent text for one person of this clinic, and the paper of what they signed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse

from reprieve.candidacy.crisis import first_line, lines_for
from reprieve.paper import Signature, pdf
from reprieve.treatment.consent import ConsentText, SignedConsent, as_document, current
from reprieve.treatment.told import ClinicWords, Element
from reprieve.web.models import Clinic, Consent, Enquiry
from reprieve.web.public_words import moment

ROLE_OF_THE_PERSON = "person"


def text_for(enquiry: Enquiry, clinic: Clinic) -> ConsentText:
    """The text as it stands today.

    Raises
    ------
    WordsError : if the clinic has not filled in what only it can say
    """
    place = enquiry.country_region or clinic.region or clinic.country
    emergency = next((line.text for line in lines_for(place, danger=True) if line.is_emergency), "")
    words = ClinicWords(
        phone=clinic.phone,
        night_phone=clinic.night_phone,
        costs=clinic.costs,
        crisis=first_line(place).text,
        emergency=emergency or "call the emergency number",
    )
    return current(words)


def paper_of(consent: Consent, clinic: Clinic, now: datetime) -> bytes:
    """What was signed, as a tagged PDF."""
    enquiry = consent.course.enquiry
    place = enquiry.country_region or clinic.region or clinic.country
    assert consent.clinician_signed_at is not None
    signed = SignedConsent(
        version=consent.text_version,
        elements=tuple(Element.from_kept(kept) for kept in consent.text),
        questions=consent.questions,
        teach_back=consent.teach_back,
        capacity=consent.capacity,
        interpreter=consent.interpreter,
        person=_signature(
            consent.person_name, ROLE_OF_THE_PERSON, consent.person_signature, consent.person_signed_at, clinic
        ),
        clinician=_signature(
            consent.clinician.name,
            consent.clinician.get_role_display().lower(),
            consent.clinician_signature,
            consent.clinician_signed_at,
            clinic,
        ),
        withdrawn=_when(consent.withdrawn_at, clinic) if consent.withdrawn_at else "",
    )
    document = as_document(
        signed,
        clinic=clinic.name,
        reference=enquiry.reference,
        printed_at=now.astimezone(clinic.zone),
        crisis_line=f"In danger? {first_line(place).text.capitalize()}",
    )
    return pdf(document)


def _signature(name: str, role: str, kept: dict[str, Any], at: datetime, clinic: Clinic) -> Signature:
    strokes = tuple(tuple((float(x), float(y)) for x, y in stroke) for stroke in kept.get("strokes", ()))
    return Signature(name=name, role=role, moment=_when(at, clinic), strokes=strokes, typed=kept.get("typed", ""))


def _when(at: datetime, clinic: Clinic) -> str:
    return f"{at.astimezone(clinic.zone):%Y}, {moment(at, clinic.zone)}"


def pdf_response(content: bytes, reference: str) -> HttpResponse:
    """A PDF that no cache keeps; its name is the reference alone."""
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{reference}.pdf"'
    return response
