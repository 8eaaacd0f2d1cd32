"""The questions before a dose and before leaving: what stops the person from going on, and what may be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from reprieve.sources import read_table
from reprieve.treatment.limits import Limits, limits
from reprieve.treatment.monitoring import Fact, fact

BEFORE, LEAVING = "before", "leaving"
PREGNANCY = {
    "negative": "Negative",
    "not_possible": "Not possible for this person",
    "positive": "Positive",
    "refused": "Not done",
}
NOT_ANSWERED = "not answered"  # and nothing overrides that
WATCHED = "watched"  # the key of the watch that was too short, which no question asks for


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    Parameters
    ----------
    kind : yes_no, text, number or pregnancy
    must : the answer that lets the person go on: a word, "any", or ">=" or "<=" and a limit's id or a number
    may_override : whether somebody may go on in spite of it, with a reason
    """

    id: str
    phase: str
    words: str
    kind: str
    must: str
    may_override: bool
    fact: Fact
    is_our_choice: bool

    def asked(self, numbers: Limits) -> str:
        """The question with the clinic's numbers.

        >>> items(BEFORE)["no_food"].asked(Limits())
        'No food for 6 hours?'
        """
        return self.words.format(**{name: f"{value:g}" for name, value in numbers.items()})

    def problem(self, answer: Any, numbers: Limits) -> str:
        """Why this answer does not let the person go on; nothing when it does.

        >>> items(BEFORE)["systolic"].problem(141, Limits()), items(BEFORE)["systolic"].problem(140, Limits())
        ('141 is above 140', '')
        >>> items(BEFORE)["pregnancy"].problem(None, Limits())
        'not answered'
        """
        if answer in (None, ""):
            return NOT_ANSWERED
        if self.must == "not_pregnant":
            return "" if answer in ("negative", "not_possible") else f"it is: {PREGNANCY.get(answer, answer).lower()}"
        if self.must[:2] in ("<=", ">="):
            bound = _bound(self.must[2:], numbers)
            if self.must[:2] == "<=":
                return f"{answer:g} is above {bound:g}" if answer > bound else ""
            return f"{answer:g} is below {bound:g}" if answer < bound else ""
        return "" if self.must in ("any", answer) else f"the answer is {answer}"


def _bound(words: str, numbers: Limits) -> float:
    return numbers[words] if words in limits() else float(words)


@cache
def _all() -> tuple[Item, ...]:
    return tuple(
        Item(
            row["item_id"], row["phase"], row["words"], row["kind"], row["must"], row["override"] == "yes",
            fact(row["fact_id"]), row["choice"] == "our choice",
        )
        for row in read_table("reprieve.treatment", "gate.csv")
    )  # fmt: skip


@cache
def items(phase: str) -> dict[str, Item]:
    """The questions of a phase, by id, in their order."""
    return {item.id: item for item in _all() if item.phase == phase}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not let the person go on, in words, and whether a reason may override it."""

    id: str
    words: str
    may_override: bool
    source: str


def problems(phase: str, answers: Mapping[str, Any], numbers: Limits) -> tuple[Problem, ...]:
    """What still stands in the way, in the order of the questions."""
    found = []
    for item in items(phase).values():
        why = item.problem(answers.get(item.id), numbers)
        if why:
            words = f"{item.asked(numbers)} {why[0].upper()}{why[1:]}."
            may_override = item.may_override and why != NOT_ANSWERED
            found.append(Problem(item.id, words, may_override, item.fact.id))
    return tuple(found)


def too_short(watched_min: float | None, numbers: Limits) -> Problem | None:
    """The watch after the drip, when it was too short; None when it was long enough, or no drip ran.

    >>> too_short(119, Limits()).words
    'Watched for 119 minutes since the drip stopped; the limit is 120.'
    >>> too_short(120, Limits()) is None
    True
    """
    least = numbers["watch_min"]
    if watched_min is None or watched_min >= least:
        return None
    words = f"Watched for {int(watched_min)} minutes since the drip stopped; the limit is {least:g}."
    return Problem(WATCHED, words, True, "MON-40")
