"""The longer form before a consultation: which questions this person is asked, and on which page.

Pure values, no database. Questions come from ``questions.csv``, items from the instruments' tables, the words of their
answers from ``instrument_choices.csv``. The suicide screener is not among them: its official wording needs a
registration, so a clinician asks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reprieve.candidacy import QUESTIONS, Question
from reprieve.candidacy.derived import is_asked
from reprieve.candidacy.questions import INSTRUMENT_OF
from reprieve.instruments import Item
from reprieve.web.short_forms import choice_words

SECTION = "pre_consult"
FOR_THE_TEAM = ("cssrs", "benzodiazepine_lorazepam_mg_day")  # asked by a clinician; worked out by the team
ON_A_PAGE = 4
MOOD, ITEM_9 = "phq9", 8  # the question about mood, and the place of its item about death


@dataclass(frozen=True, slots=True)
class Step:
    """One page: an instrument, or a few questions."""

    slug: str
    questions: tuple[Question, ...]

    @property
    def instrument(self) -> str:
        """The id of the question when this page is an instrument; else empty."""
        return self.slug if self.slug in INSTRUMENT_OF else ""


def steps_for(answers: Mapping[str, Any]) -> list[Step]:
    """The pages for a person with these answers to the brief form, in order.

    >>> [len(step.questions) for step in steps_for({"conditions": ["none"]})][:4]
    [2, 1, 1, 1]
    """
    steps: list[Step] = []
    run: list[Question] = []

    def close() -> None:
        if run:
            steps.append(Step(run[0].id, tuple(run)))
            run.clear()

    for question in QUESTIONS.values():
        if question.section != SECTION or question.id in FOR_THE_TEAM or is_asked(question.id, answers) is False:
            continue
        if question.id in INSTRUMENT_OF:
            close()
            steps.append(Step(question.id, (question,)))
            continue
        run.append(question)
        if len(run) == ON_A_PAGE:
            close()
    close()
    return steps


def items_of(question_id: str) -> tuple[Item, ...]:
    """The items that a person answers for this question."""
    return INSTRUMENT_OF[question_id].required


def choices_of(question_id: str, item: Item) -> tuple[tuple[str, str], ...]:
    """Value and words of each answer of an item, from the lowest to the highest.

    >>> choices_of("dast10", items_of("dast10")[0])
    (('1', 'Yes'), ('0', 'No'))
    """
    if item.yes_no:
        return (("1", "Yes"), ("0", "No"))
    labels = choice_words(INSTRUMENT_OF[question_id], item)
    return tuple(zip(map(str, range(item.lowest, item.highest + 1)), labels, strict=True))


def speaks_of_death(answers: Mapping[str, Any]) -> bool:
    """Whether the item about death was answered with more than "not at all".

    >>> speaks_of_death({"phq9": [0, 0, 0, 0, 0, 0, 0, 0, 1]}), speaks_of_death({"phq9": [3]}), speaks_of_death({})
    (True, False, False)
    """
    mood = answers.get(MOOD) or []
    return len(mood) > ITEM_9 and bool(mood[ITEM_9])
