"""Answers in words, as the check page, the candidacy card and a copy for the person show them."""

from __future__ import annotations

from datetime import date
from typing import Any

from reprieve.candidacy import QUESTIONS
from reprieve.candidacy.questions import NOT_APPLICABLE, is_blank
from reprieve.web.places import country_name, region_name

CONTACT = {"name": "Name", "phone": "Phone", "email": "Email", "best_time": "Best time"}
MESSAGE = {"yes": "We may leave a message", "no": "Leave no message"}


def in_words(question_id: str, answer: Any) -> list[str]:
    """An answer, line by line; nothing when it is blank. 0 is "0", and a name that is no question is shown as it is.

    >>> in_words("escort_available", "yes"), in_words("escort_available", None), in_words("phq9_item9", 0)
    (['Yes'], [], ['0'])
    >>> in_words("country_region", "US-CT"), in_words("birth_date", "1986-03-01")
    (['United States, Connecticut'], ['1 March 1986'])
    """
    if is_blank(answer):
        return []
    if answer in (NOT_APPLICABLE, [NOT_APPLICABLE]):
        return ["Not asked"]
    question = QUESTIONS.get(question_id)
    match question.type if question else "":
        case "region":
            return [country_name(answer[:2]) + (f", {region_name(answer)}" if "-" in answer else "")]
        case "date":
            day = date.fromisoformat(answer)
            return [f"{day.day} {day:%B %Y}"]
        case "group":
            lines = [f"{label}: {answer[name]}" for name, label in CONTACT.items() if answer.get(name)]
            return [*lines, *filter(None, [MESSAGE.get(answer.get("safe_to_leave_message", ""))])]
        case "instrument":
            return [", ".join("blank" if part is None else str(part) for part in answer)]
    parts = answer if isinstance(answer, list | tuple) else [answer]
    if question and question.options:
        return [question.label(part) for part in parts]
    unit = f" {question.unit}" if question and question.unit else ""
    return [f"{_plain(part)}{unit}" for part in parts]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{value:g}" if isinstance(value, float) else str(value)
