"""What must be asked, measured and arranged before a course, before each dose and before the person leaves.

``checklist.csv`` is the list. Its numbers are limits of ``limits.csv``, named by id. An item that is asked only for a
reason is asked too when nobody knows whether the reason holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from reprieve.sources import read_table
from reprieve.treatment.limits import limits
from reprieve.treatment.monitoring import Fact, fact

PHASES = ("baseline", "pre-dose", "discharge")
KINDS = ("choice", "number", "text")
GIVEN, AT_MOST, AT_LEAST, IS = "given", "at most", "at least", "is "
LONGEST_TEXT = 500
NOT_ANSWERED = "Not answered yet."
OVERRIDES = ("", "prescriber", "anyone")


class ChecklistError(ValueError):
    """An item or an answer does not fit: says the value, the rule and the way out."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the person and of the clinic, as far as the list needs it.

    Parameters
    ----------
    reasons : ids of criteria that fired or cannot be decided yet, and answers as ``question=option``
    limits : the signed limits by id; empty while nobody has signed them, and then no number is good enough
    """

    reasons: frozenset[str] = frozenset()
    limits: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        answers: Mapping[str, Any],
        criteria: Iterable[str],
        limits: Mapping[str, float],
    ) -> Facts:
        """The facts of a person's answers, by question, and of the ``criteria`` that fired or are not known yet.

        >>> sorted(Facts.of({"pregnancy_status": ["could_become"]}, ["CV-06"], {}).reasons)
        ['CV-06', 'pregnancy_status=could_become']
        """
        said = {
            f"{name}={option}"
            for name, value in answers.items()
            for option in (value if isinstance(value, list | tuple) else [value])
            if isinstance(option, str)
        }
        return cls(frozenset(said) | frozenset(criteria), dict(limits))


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One item of a list.

    Parameters
    ----------
    kind : ``choice`` (the answer is the code of an option), ``number`` or ``text``
    low, high : what a number may be at all; None for other kinds
    asked_for : reasons to ask, as in ``Facts``; empty when it is always asked
    complete_when : ``given``, ``at most`` or ``at least`` the limit, or ``is`` with codes of options
    otherwise : what to do while the answer does not do
    override : who may go on in spite of an answer, with a reason: nobody when empty, ``prescriber`` or ``anyone``
    why : why the item is open; empty until ``open_items`` says so
    """

    id: str
    phase: str
    words: str
    kind: str
    options: tuple[tuple[str, str], ...]
    unit: str
    low: float | None
    high: float | None
    asked_for: tuple[str, ...]
    complete_when: str
    otherwise: str
    override: str
    limit_ids: tuple[str, ...]
    fact: Fact
    provenance: str
    why: str = ""

    def __post_init__(self) -> None:
        if self.phase not in PHASES:
            raise ChecklistError(f"{self.id}: phase {self.phase!r} must be one of {', '.join(PHASES)}")
        if self.override not in OVERRIDES:
            raise ChecklistError(f"{self.id}: override {self.override!r} must be one of {', '.join(OVERRIDES)}")
        if self.kind not in KINDS:
            raise ChecklistError(f"{self.id}: kind {self.kind!r} must be one of {', '.join(KINDS)}")
        unknown = set(self.good) - set(dict(self.options))
        if unknown or (self.kind == "choice") != bool(self.options):
            raise ChecklistError(f"{self.id}: {self.complete_when!r} must name options, and only a choice has them")
        if (self.complete_when in (AT_MOST, AT_LEAST)) != (len(self.limit_ids) == 1):
            raise ChecklistError(f"{self.id}: {self.complete_when!r} goes with one limit; it has {self.limit_ids}")
        for name in self.limit_ids:
            if name not in limits():
                raise ChecklistError(f"{self.id}: {name!r} is no limit; the limits are {', '.join(limits())}")

    @property
    def good(self) -> tuple[str, ...]:
        """Codes of the options that complete the item; empty for numbers and text."""
        codes = self.complete_when.removeprefix(IS) if self.complete_when.startswith(IS) else ""
        return tuple(code.strip() for code in codes.split(",") if code.strip())

    def may_go_on(self, prescriber: bool) -> bool:
        """Whether somebody, a prescriber or not, may go on in spite of the answer; never in spite of a blank."""
        return self.why != NOT_ANSWERED and (
            self.override == "anyone" or (self.override == "prescriber" and prescriber)
        )

    @property
    def mark(self) -> str:
        """Words to show beside an item that nobody has looked up; empty otherwise."""
        return "from memory, not yet checked" if self.provenance == "recalled" else ""

    def is_asked(self, facts: Facts) -> bool:
        """Whether there is a reason to ask."""
        return not self.asked_for or not facts.reasons.isdisjoint(self.asked_for)

    def check(self, answer: Any) -> str | float:
        """The answer in its plain form.

        Raises
        ------
        ChecklistError : with the value, the rule and the way out

        >>> {item.id: item for item in items("baseline")}["weight_kg"].check(180.5)
        180.5
        """
        if self.kind == "number":
            return self._number(answer)
        if self.kind == "text":
            if not isinstance(answer, str) or not answer.strip() or len(answer) > LONGEST_TEXT:
                raise ChecklistError(f"{self.words}: write it in 1 to {LONGEST_TEXT} letters")
            return answer.strip()
        if answer not in dict(self.options):
            raise ChecklistError(
                f"{self.words}: {answer!r} is no option; choose one of {', '.join(dict(self.options))}"
            )
        return str(answer)

    def _number(self, answer: Any) -> float:
        low, high = self.low or 0.0, math.inf if self.high is None else self.high
        fits = isinstance(answer, int | float) and not isinstance(answer, bool) and low <= answer <= high
        if not fits:
            raise ChecklistError(f"{self.words}: {answer!r} must be a number from {low:g} to {high:g} {self.unit}")
        return float(answer)

    def open_because(self, answer: Any, facts: Facts) -> str:
        """Why the item is still open with this answer; empty when it is complete.

        Raises
        ------
        ChecklistError : if the answer is none that this item takes
        """
        if answer is None or answer == "":
            return NOT_ANSWERED
        said = self.check(answer)
        if self.complete_when == GIVEN:
            return ""
        if self.good:
            return "" if said in self.good else f"{dict(self.options)[str(said)]}. {self.otherwise}"
        return self._against_the_limit(float(said), facts)

    def _against_the_limit(self, said: float, facts: Facts) -> str:
        limit = facts.limits.get(self.limit_ids[0])
        if limit is None:
            return "The clinic's limits are not signed yet, so this cannot be judged."
        if said <= limit if self.complete_when == AT_MOST else said >= limit:
            return ""
        return f"{said:g} {self.unit}; the limit is {self.complete_when} {limit:g}. {self.otherwise}"


def _item(row: Mapping[str, str]) -> CheckItem:
    pairs = (option.partition("=") for option in row["options"].split("|") if option)
    return CheckItem(
        id=row["item_id"],
        phase=row["phase"],
        words=row["words"],
        kind=row["kind"],
        options=tuple((code, label) for code, _, label in pairs),
        unit=row["unit"],
        low=float(row["low"]) if row["low"] else None,
        high=float(row["high"]) if row["high"] else None,
        asked_for=tuple(filter(None, row["asked_for"].split(";"))),
        complete_when=row["complete_when"],
        otherwise=row["otherwise"],
        override=row["override"],
        limit_ids=tuple(filter(None, row["limit_ids"].split(";"))),
        fact=fact(row["fact_id"]),
        provenance=row["provenance"],
    )


@cache
def items(phase: str) -> tuple[CheckItem, ...]:
    """Every item of a phase, in the order of asking.

    Raises
    ------
    ChecklistError : if there is no such phase

    >>> [item.id for item in items("pre-dose")][:3]
    ['systolic', 'diastolic', 'pulse']
    """
    if phase not in PHASES:
        raise ChecklistError(f"{phase!r} is no phase; it must be one of {', '.join(PHASES)}")
    return tuple(_item(row) for row in read_table(__package__, "checklist.csv") if row["phase"] == phase)


def asked_items(phase: str, facts: Facts) -> tuple[CheckItem, ...]:
    """The items of a phase that this person is asked."""
    return tuple(item for item in items(phase) if item.is_asked(facts))


def open_items(phase: str, answers: Mapping[str, Any], facts: Facts) -> tuple[CheckItem, ...]:
    """The items that are still open, each with ``why``.

    Parameters
    ----------
    answers : by item id: the code of an option, a number or a text; a blank is absent, None or ""

    Raises
    ------
    ChecklistError : for an answer that does not fit its item

    >>> [(item.id, item.why) for item in open_items("pre-dose", {"sober": "no"}, Facts()) if item.id == "sober"]
    [('sober', 'No. Do not dose today.')]
    """
    whys = ((item, item.open_because(answers.get(item.id), facts)) for item in asked_items(phase, facts))
    return tuple(replace(item, why=why) for item, why in whys if why)
