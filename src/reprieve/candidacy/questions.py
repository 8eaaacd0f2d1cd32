"""Every question once: the brief form, the pre-consultation form and the consultation.

The form, the command line, the printed schema and the documentation are all drawn from ``questions.csv``.
An answer is checked here and nowhere else, so that a mistyped option can never read as "no".
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from reprieve import instruments
from reprieve.instruments.score import read_answers
from reprieve.sources import read_table

SECTIONS = ("brief", "pre_consult", "consult")
UNSURE = frozenset({"not_sure", "prefer_not_to_say"})
NOT_APPLICABLE = "not_applicable"
CONTACT_PARTS = ("name", "phone", "phone_e164", "email", "phone_or_email", "safe_to_leave_message", "best_time")
REGION = re.compile(r"[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?", re.ASCII)
LINE_LENGTH, LINES = 300, 100

ASKED_WHEN = {  # conditions that the table gives in words only
    "benzodiazepine_lorazepam_mg_day": "'benzodiazepine' in medicines or 'DDI-01' in interaction_levels",
    "ecg_result": "'heart_attack_unstable' in conditions or 'heart_failure' in conditions "
    "or 'heart_rhythm' in conditions or 'stent_bypass_valve' in conditions "
    "or ecg_told_abnormal == 'yes' or age_years >= 60",
    "child_pugh": "'liver_severe' in conditions or 'liver_mild' in conditions",
    "pregnancy_test": "'pregnant_or_maybe' in pregnancy_status or 'could_become' in pregnancy_status",
}


class AnswerError(ValueError):
    """An answer that does not fit its question; ``question_id`` names the question."""

    def __init__(self, question_id: str, message: str) -> None:
        super().__init__(f"{question_id}: {message}")
        self.question_id = question_id


@dataclass(frozen=True, slots=True)
class Question:
    """One question as the form shows it and as the rules read it.

    ``asked_when`` is an expression in the language of ``criteria_logic.csv``, empty when the question is always
    asked. A required question left blank is asked once more and then accepted: it never blocks the form.
    """

    id: str
    section: str
    order: int
    type: str
    required: bool
    asked_when: str
    wording: str
    options: tuple[tuple[str, str], ...]
    minimum: float | None
    maximum: float | None
    unit: str
    help: str
    why: str

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(code for code, _ in self.options)

    @property
    def is_brief(self) -> bool:
        return self.section == "brief"

    @property
    def is_follow_up(self) -> bool:
        """Whether the question is asked only because of another answer."""
        return bool(self.asked_when)

    def label(self, code: str) -> str:
        """The words of an option, or the code itself when it is none of the options.

        >>> QUESTIONS["escort_available"].label("not_sure")
        'Not sure'
        """
        return dict(self.options).get(code, code)


def _condition(question_id: str, required: str) -> str:
    if question_id in ASKED_WHEN:
        return ASKED_WHEN[question_id]
    if ticked := re.fullmatch(r"if (\w+) has ([\w, ]+)", required):
        codes = re.split(r", | or ", ticked[2])
        return " or ".join(f"'{code}' in {ticked[1]}" for code in codes)
    if unless := re.fullmatch(r"unless (\w+) is (\w+)", required):
        return f"not {unless[1]} == '{unless[2]}'"
    return ""


def _question(row: Mapping[str, str]) -> Question:
    pairs = [option.partition("=") for option in row["options"].split("|")]
    limits = re.match(r"(\d+)-(\d+) ?(.*)", row["options"]) if row["type"] in ("integer", "number") else None
    return Question(
        id=row["question_id"],
        section=row["section"],
        order=int(row["order"]),
        type=row["type"],
        required=row["required"] != "no",
        asked_when=_condition(row["question_id"], row["required"]),
        wording=row["wording"],
        options=tuple((code, label) for code, _, label in pairs) if row["type"] in ("single", "multi") else (),
        minimum=float(limits[1]) if limits else None,
        maximum=float(limits[2]) if limits else None,
        unit=limits[3] if limits else "",
        help=row["help"],
        why=row["why"],
    )


QUESTIONS: dict[str, Question] = {
    row["question_id"]: _question(row) for row in read_table(__package__, "questions.csv")
}
BRIEF: tuple[Question, ...] = tuple(question for question in QUESTIONS.values() if question.is_brief)


INSTRUMENT_OF: dict[str, instruments.Instrument] = {
    row["question_id"]: instruments.find(row["options"].removeprefix("items and ranges of ").partition(" in ")[0])
    for row in read_table(__package__, "questions.csv")
    if row["type"] == "instrument"
}
"""The instrument behind each question that stands for one."""


def is_blank(value: Any) -> bool:
    """Whether this is no answer: nothing given, or a list with nothing in it."""
    return value is None or value == "" or (isinstance(value, list | tuple | dict) and not value)


def _shown(value: Any) -> str:
    return reprlib.repr(value)


def _listed(codes: tuple[Any, ...]) -> str:
    return ", ".join(str(code) for code in codes)


def _single(question: Question, value: Any) -> Any:
    if isinstance(value, str) and (value in question.codes or (question.is_follow_up and value == NOT_APPLICABLE)):
        return value
    raise AnswerError(question.id, f"{_shown(value)} is not an option; give one of {_listed(question.codes)}, or null")


def _multi(question: Question, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise AnswerError(question.id, f"{_shown(value)} is not a list; give a list of codes, or null")
    if NOT_APPLICABLE in value and len(value) > 1:
        raise AnswerError(question.id, "'not_applicable' stands alone; leave out the other options, or leave it out")
    return list(dict.fromkeys(_single(question, code) for code in value))


def as_date(question_id: str, value: Any) -> date:
    """The day in an answer written ``YYYY-MM-DD``."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise AnswerError(question_id, f"{_shown(value)} is not a day; write it YYYY-MM-DD, such as 1984-02-29")


def _date(question: Question, value: Any) -> Any:
    return as_date(question.id, value).isoformat()


def _number(question: Question, value: Any) -> Any:
    low, high = question.minimum or 0.0, question.maximum or math.inf
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise AnswerError(
            question.id, f"{_shown(value)} must be a number from {low:g} to {high:g} {question.unit}".rstrip()
        )
    if question.type == "integer":
        if value != int(value):
            raise AnswerError(
                question.id, f"{_shown(value)} must be a whole number; leave out the part after the point"
            )
        return int(value)
    return value


def _region(question: Question, value: Any) -> Any:
    if isinstance(value, str) and REGION.fullmatch(value):
        return value.upper()
    raise AnswerError(question.id, f"{_shown(value)} is not a country and region; write US-CT, or GB alone")


def _contact(question: Question, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise AnswerError(question.id, f"{_shown(value)} is not an object; give {_listed(CONTACT_PARTS)}")
    for part, text in value.items():
        if part not in CONTACT_PARTS:
            raise AnswerError(question.id, f"{_shown(part)} is not a part of it; give {_listed(CONTACT_PARTS)}")
        if text is not None and not isinstance(text, str):
            raise AnswerError(question.id, f"{part} is {_shown(text)}; write it as text, or null")
    if value.get("safe_to_leave_message") not in ("yes", "no", "", None):
        raise AnswerError(question.id, "safe_to_leave_message must be yes, no or null")
    return dict(value)


def _medicines(question: Question, value: Any) -> Any:
    if not isinstance(value, list | tuple) or not all(isinstance(line, str) for line in value):
        raise AnswerError(
            question.id, f'{_shown(value)} is not a list of lines; give ["sertraline 50 mg"], or ["none"]'
        )
    lines = [line for line in value if line.strip()]
    if len(lines) > LINES or any(len(line) > LINE_LENGTH for line in lines):
        raise AnswerError(question.id, f"at most {LINES} lines of {LINE_LENGTH} letters; put one medicine on a line")
    return lines or None


def _instrument(question: Question, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise AnswerError(
            question.id, f"{_shown(value)} is not a list; give the answers in item order, null for a blank"
        )
    try:
        read_answers(INSTRUMENT_OF[question.id], value)
    except instruments.AnswerError as error:
        raise AnswerError(question.id, str(error)) from None
    return list(value)


def _boolean(question: Question, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    raise AnswerError(question.id, f"{_shown(value)} must be true, false or null")


def _ruled_out(question: Question, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise AnswerError(
            question.id, f'{_shown(value)} is not a list; give [{{"criterion_id": "CV-04", "reason": "..."}}]'
        )
    for entry in value:
        if not isinstance(entry, Mapping) or set(entry) != {"criterion_id", "reason"}:
            raise AnswerError(question.id, f"{_shown(entry)} must have criterion_id and reason, and nothing else")
        if not isinstance(entry["reason"], str) or not entry["reason"].strip():
            raise AnswerError(
                question.id, f"{_shown(entry['criterion_id'])} has no reason; a finding is ruled out in words"
            )
    return [dict(entry) for entry in value]


_CHECKS = {
    "single": _single,
    "multi": _multi,
    "date": _date,
    "integer": _number,
    "number": _number,
    "region": _region,
    "group": _contact,
    "medicine_list": _medicines,
    "instrument": _instrument,
    "boolean": _boolean,
    "criterion_list": _ruled_out,
}


def check_answer(question_id: str, value: Any) -> Any:
    """The answer in its plain form, ready for ``assess`` and for JSON; ``None`` when it is blank.

    Raises
    ------
    AnswerError : with the value, the rule and the way out

    Examples
    --------
    >>> check_answer("systolic_last", 122)
    122
    >>> check_answer("conditions", []) is None
    True
    >>> check_answer("home_misuse", "Yes")
    Traceback (most recent call last):
    reprieve.candidacy.questions.AnswerError: home_misuse: 'Yes' is not an option; give one of yes, no, \
prefer_not_to_say, or null
    """
    if question_id not in QUESTIONS:
        raise AnswerError(question_id, "is not a question; the names are in questions.csv")
    if is_blank(value):
        return None
    question = QUESTIONS[question_id]
    if value == NOT_APPLICABLE and question.is_follow_up and question.type != "multi":
        return NOT_APPLICABLE
    return _CHECKS[question.type](question, value)
