"""The JSON Schema of a set of answers, drawn from the questions."""

from __future__ import annotations

from typing import Any

from reprieve.candidacy.derived import CHOICES, DERIVED
from reprieve.candidacy.questions import (
    CONTACT_PARTS,
    INSTRUMENT_OF,
    LINE_LENGTH,
    LINES,
    NOT_APPLICABLE,
    QUESTIONS,
    REGION,
    Question,
)
from reprieve.instruments import Instrument, Item

DRAFT = "https://json-schema.org/draft/2020-12/schema"
DAY = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
TYPES = {"boolean": "boolean", "integer": "integer", "number": "number"}


def answers_schema() -> dict[str, Any]:
    """What ``assess`` and ``reprieve screen`` accept: every question and every derived answer by name, and today.

    A name that is none of these is not an error: it is reported and not used, so the schema leaves it open.
    """
    return {
        "$schema": DRAFT,
        "title": "Answers to the questions of Reprieve",
        "description": "null, or leaving a name out, is a blank.",
        "type": "object",
        "properties": {
            **{name: _or_null(question.wording, _question(question)) for name, question in QUESTIONS.items()},
            **{name: _or_null(f"Derived: {found.rule}", _derived(name)) for name, found in DERIVED.items()},
            "today": {"description": "The day on which ages and the age of a reading are counted.", **DAY},
        },
    }


def _or_null(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "anyOf": [schema, {"type": "null"}]}


def _question(question: Question) -> dict[str, Any]:
    codes = [*question.codes, *([NOT_APPLICABLE] if question.is_follow_up else [])]
    match question.type:
        case "single":
            return {"enum": list(dict.fromkeys(codes))}
        case "multi":
            return {"type": "array", "items": {"enum": codes}}
        case "date":
            return DAY
        case "integer" | "number":
            number = {"type": question.type, "minimum": question.minimum, "maximum": question.maximum}
            return {"anyOf": [number, {"const": NOT_APPLICABLE}]} if question.is_follow_up else number
        case "region":
            return {"type": "string", "pattern": f"^{REGION.pattern}$"}
        case "group":
            return _contact()
        case "medicine_list":
            return {"type": "array", "maxItems": LINES, "items": {"type": "string", "maxLength": LINE_LENGTH}}
        case "instrument":
            return _instrument(INSTRUMENT_OF[question.id])
        case "boolean":
            return {"type": "boolean"}
    return _ruled_out()


def _contact() -> dict[str, Any]:
    parts: dict[str, Any] = {part: {"type": ["string", "null"]} for part in CONTACT_PARTS}
    parts["safe_to_leave_message"] = {"enum": ["yes", "no", "", None]}
    return {"type": "object", "properties": parts, "additionalProperties": False}


def _instrument(instrument: Instrument) -> dict[str, Any]:
    return {
        "type": "array",
        "prefixItems": [_item(item) for item in instrument.items],
        "items": False,
        "minItems": len(instrument.required),
    }


def _item(item: Item) -> dict[str, Any]:
    numbers = {"type": "integer", "minimum": item.lowest, "maximum": item.highest}
    words = [{"enum": ["yes", "no"]}, {"type": "boolean"}] if item.yes_no else []
    return {"title": item.prompt, "anyOf": [*words, numbers, {"type": "null"}]}


def _ruled_out() -> dict[str, Any]:
    entry = {
        "type": "object",
        "properties": {"criterion_id": {"type": "string"}, "reason": {"type": "string", "pattern": r"\S"}},
        "required": ["criterion_id", "reason"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": entry}


def _derived(name: str) -> dict[str, Any]:
    kind = DERIVED[name].type
    if kind == "list":
        return {"type": "array", "items": {"type": "string"}}
    return {"enum": list(CHOICES[name])} if kind == "choice" else {"type": TYPES[kind]}
