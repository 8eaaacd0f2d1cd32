"""Everything that is kept of a person's courses, as plain values: what they get when they ask for a copy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models

from reprieve.web.models import Enquiry, Entry, Event, Member, PreConsultation, StockEntry

NOT_THEIRS = {"link_hash", "version", "changed_at", "changed_by", "wrong_tries"}  # keys to doors and how rows are kept


def courses_of(enquiry: Enquiry) -> dict[str, Any]:
    """The second form, the consultations, and each course with its sessions and all that was written down."""
    second = PreConsultation.objects.filter(enquiry=enquiry).first()
    return {
        "second_form": _row(second) if second else None,
        "consultations": _rows(enquiry.consultations.all()),
        "courses": [_course(course) for course in enquiry.courses.all()],
    }


def _course(course: Any) -> dict[str, Any]:
    return _row(course) | {
        "sessions": _rows(course.sessions.all()),
        "entries": _rows(Entry.objects.filter(session__course=course).select_related("session", "by")),
        "controlled_drug_log": _rows(StockEntry.objects.filter(session__course=course).select_related("session", "by")),
        "baseline": _rows(course.baseline_items.all()),
        "consents": _rows(course.consents.all()),
        "measures": _rows(course.measures.all()),
        "alerts": _rows(course.alerts.all()),
        "other_treatments": _rows(course.other_treatments.all()),
        "events": [
            {"at": event.at, "what": event.verb, "detail": event.detail}
            for event in Event.objects.filter(subject=course.subject)
        ],
    }


def _rows(rows: Iterable[models.Model]) -> list[dict[str, Any]]:
    return [_row(row) for row in rows]


def _row(row: models.Model) -> dict[str, Any]:
    """Every column by its name; a member or another row by what it is called."""
    found: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        if field.name in NOT_THEIRS:
            continue
        value = getattr(row, field.name)
        if isinstance(value, Member):
            value = value.name
        elif isinstance(value, models.Model):
            value = str(value)
        found[field.name] = value
    return found
