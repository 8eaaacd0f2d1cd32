"""What is known of a person before a dose, from everything they answered, and what of the baseline is still open."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from reprieve.candidacy.questions import INSTRUMENT_OF
from reprieve.treatment.checklist import CheckItem, Facts, open_items
from reprieve.web import card as cards
from reprieve.web.answers import in_words
from reprieve.web.models import BaselineItem, Course, Enquiry, LimitSet, PreConsultation
from reprieve.web.second_form import choices_of, items_of


def known_of(enquiry: Enquiry) -> tuple[dict[str, Any], dict[str, Any]]:
    """All answers, and the assessment that was made of them last: with the second form once it is sent."""
    second = PreConsultation.objects.filter(enquiry=enquiry, completed_at__isnull=False).first()
    if second is None:
        return enquiry.answers or {}, enquiry.assessment or {}
    return (enquiry.answers or {}) | second.answers, second.assessment or {}


def facts_of(enquiry: Enquiry) -> Facts:
    """What the checklists need to know: criteria that fired or are not known yet, answers, and the signed limits."""
    answers, assessment = known_of(enquiry)
    criteria = {
        row["criterion_id"] for part in ("findings", "unknown", "not_asked_yet") for row in assessment.get(part, [])
    }
    signed = LimitSet.in_force()
    return Facts.of(answers, criteria, signed.values if signed else {})


def before_a_course(enquiry: Enquiry) -> dict[str, Any]:
    """What the candidacy card shows of the way from the decision to a course."""
    second = PreConsultation.objects.filter(enquiry=enquiry).first()
    shown: dict[str, Any] = {"consultations": list(enquiry.consultations.select_related("by").order_by("-pk"))}
    shown |= {"second": second, "courses_of": list(enquiry.courses.order_by("-pk"))}
    if second is None:
        return shown
    if second.is_open(timezone.now()):
        shown["second_link"] = f"{settings.BASE_URL}{reverse('before', args=[second.token])}"
    if second.completed_at and second.assessment:
        found = second.assessment
        shown |= {
            "second_disposition": cards.DISPOSITIONS[found["disposition"]],
            "second_groups": cards.groups_of(found, []),
            "second_answers": [
                (cards.wording(name), answer_in_words(name, said)) for name, said in second.answers.items()
            ],
            "second_interactions": cards.interactions_of(found),
        }
    return shown


def answer_in_words(question_id: str, answer: Any) -> list[str]:
    """An answer line by line; of an instrument, each item with its answer."""
    if question_id not in INSTRUMENT_OF or not isinstance(answer, list):
        return in_words(question_id, answer)
    lines = []
    for item, value in zip(items_of(question_id), answer, strict=False):
        said = "not answered" if value is None else dict(choices_of(question_id, item))[str(int(value))].lower()
        lines.append(f"{item.prompt}: {said}")
    return lines


def baseline_answers(course: Course) -> dict[str, Any]:
    """The answer that counts, by item."""
    return {item: row.answer for item, row in BaselineItem.last_of(course)[0].items()}


def open_baseline(course: Course) -> tuple[CheckItem, ...]:
    """What of the baseline checklist is still open, each with why; empty when the baseline is complete."""
    return open_items("baseline", baseline_answers(course), facts_of(course.enquiry))
