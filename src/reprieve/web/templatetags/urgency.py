"""The urgency of an enquiry as the word that ``_tag.html`` takes."""

from __future__ import annotations

from django import template

from reprieve.web.deadlines import Urgency

register = template.Library()
WORDS = {
    Urgency.IMMEDIATE: "urgent",
    Urgency.SAME_DAY: "same_day",
    Urgency.NEXT_BUSINESS_DAY: "next_day",
    Urgency.ROUTINE: "routine",
}


@register.filter
def urgency_word(urgency: int) -> str:
    """Such as "same_day"."""
    return WORDS[Urgency(urgency)]
