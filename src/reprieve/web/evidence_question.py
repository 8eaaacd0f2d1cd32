"""A question to the trials as it stands in an address, and the links that change one part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, QueryDict

from reprieve.evidence.question import COMPARATORS, OUTCOMES, PEOPLE, Question

TREATMENTS = ("ketamine", "sertraline", "paroxetine", "venlafaxine")
USUAL = Question()


@dataclass(frozen=True, slots=True)
class Toggle:
    """One part of the question, and a link for each answer to it."""

    title: str
    choices: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the question: its field, its title, and for each word in an address the value and how it is said."""

    field: str
    title: str
    choices: Mapping[str, tuple[object, str]]


def _part(field: str, title: str, said: Mapping[str, str]) -> Part:
    return Part(field, title, {name: (name, f"{text[0].upper()}{text[1:]}") for name, text in said.items()})


def _switch(field: str, title: str, usual: bool) -> Part:
    both = {"with": (True, "Counted"), "without": (False, "Left out")}
    return Part(field, title, both if usual else dict(reversed(both.items())))


WHEN = {"24h": "after a day", "1w": "after a week", "end": "end of a course", "4w": "four weeks after the last dose"}
PARTS = {
    "window": _part("window", "When", WHEN),
    "treatment": _part("treatment", "Treatment", {name: name for name in TREATMENTS}),
    "outcome": _part("outcome", "What was measured", OUTCOMES),
    "comparator": _part("comparator", "Against", COMPARATORS),
    "people": _part("people", "In whom", PEOPLE),
    "one-centre": _switch("single_centre", "Trials from one centre", usual=True),
    "directions": _switch("directions", "Trials that give a direction only", usual=True),
    "recalled": _switch("include_recalled", "Figures from memory", usual=False),
}


def question_of(asked: QueryDict) -> Question:
    """The question in an address; what is no question is not found."""
    values: dict[str, Any] = {}
    for name, given in asked.lists():
        if name not in PARTS or len(given) != 1 or given[0] not in PARTS[name].choices:
            raise Http404
        values[PARTS[name].field] = PARTS[name].choices[given[0]][0]
    return Question(**values)


def query_of(question: Question) -> str:
    """The shortest query that asks this question, with its question mark; empty for the usual one."""
    named = {
        name: next(word for word, (value, _) in part.choices.items() if value == getattr(question, part.field))
        for name, part in PARTS.items()
        if getattr(question, part.field) != getattr(USUAL, part.field)
    }
    return f"?{urlencode(named)}" if named else ""


def toggles(question: Question) -> Iterator[Toggle]:
    """Each part of the question, and an address for each answer to it."""
    for part in PARTS.values():
        choices = []
        for value, said in part.choices.values():
            other = replace(question, **{part.field: value})  # type: ignore[arg-type]
            if part.field == "treatment" and value != "ketamine" and question.treatment == "ketamine":
                other = replace(other, window="end")  # pills take weeks: their trials end with the course
            choices.append((said, query_of(other) or "?", value == getattr(question, part.field)))
        yield Toggle(part.title, tuple(choices))


def in_words(question: Question) -> str:
    """The question in a line, with what is not as usual."""
    asked = question.words()
    extra = [
        text
        for text, is_so in (
            ("without trials from one centre", not question.single_centre),
            ("without trials that give a direction only", not question.directions),
            ("with figures from memory", question.include_recalled),
        )
        if is_so
    ]
    return ", ".join([asked[0].upper() + asked[1:], *extra])
