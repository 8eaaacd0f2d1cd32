"""What a person is told on paper: one thing at a time, its figures from the evidence, its numbers to call the clinic's.

A table holds the words, with holes: ``{largest-trial}`` is a sentence of ``evidence/statements.csv``, ``{phone}`` is
the clinic's own. ``facts`` names what the other words say in plain form: rows of ``monitoring.csv``, terms of
``adverse_terms.csv``, criteria of the candidacy room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reprieve.evidence import plain
from reprieve.sources import Source, read_table
from reprieve.treatment.adverse import terms
from reprieve.treatment.monitoring import facts

SETTINGS = {
    "phone": "the clinic's telephone number; fill in Phone on the clinic's page",
    "night_phone": "whom people call when the clinic is closed; fill in Night phone on the clinic's page",
    "costs": "what a course costs and who pays; fill in Costs on the clinic's page",
    "crisis": "the crisis line; fill in Country on the clinic's page, as the line follows from it",
    "emergency": "what to do in an emergency; fill in Country on the clinic's page, as it follows from it",
}


class WordsError(ValueError):
    """What a person is to be told has a hole in it: says which, the rule and the way out."""


@dataclass(frozen=True, slots=True)
class ClinicWords:
    """What only the clinic can say: whom to call by day and night, what it costs and who pays, help in danger.

    ``crisis`` and ``emergency`` are something to do, such as "call or text 988" and "call 911".

    >>> ClinicWords(phone="555-0100", night_phone=" ", costs="Nothing.", crisis="call 988", emergency="call 911")
    Traceback (most recent call last):
    reprieve.treatment.told.WordsError: night_phone is ' '; it must say whom people call when the clinic is closed; \
fill in Night phone on the clinic's page
    """

    phone: str
    night_phone: str
    costs: str
    crisis: str
    emergency: str

    def __post_init__(self) -> None:
        for name, rule in SETTINGS.items():
            if not getattr(self, name).strip():
                raise WordsError(f"{name} is {getattr(self, name)!r}; it must say {rule}")

    def as_holes(self) -> dict[str, str]:
        """What fills the holes of these names; a full stop at the end is left to the table."""
        return {name: getattr(self, name).strip() for name in SETTINGS}


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that is told, and the names of its sources, each with its caveat."""

    id: str
    heading: str
    text: str
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.id and self.heading.strip() and self.text.strip()):
            raise WordsError(
                f"element {self.id!r} has an empty id, heading or text; each must hold words, so fill it in"
            )

    def as_kept(self) -> dict[str, Any]:
        """The element as plain data, to be kept with a signature."""
        return {"id": self.id, "heading": self.heading, "text": self.text, "sources": list(self.sources)}

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> Element:
        """The element that was kept; older ones have no sources."""
        return cls(str(kept["id"]), str(kept["heading"]), str(kept["text"]), tuple(kept.get("sources", ())))


def elements(table: str, holes: Mapping[str, str]) -> tuple[Element, ...]:
    """Every element of a table beside this module, its holes filled.

    Raises
    ------
    WordsError : if a hole is neither in ``holes`` nor a sentence of the evidence
    """
    return tuple(_element(row, holes) for row in read_table(__package__, table))


def _element(row: Mapping[str, str], holes: Mapping[str, str]) -> Element:
    text = filled(row["text"], holes, row["id"])
    mark = Source(row["id"], "", row["provenance"]).mark
    return Element(row["id"], row["heading"], f"{text} ({mark.capitalize()}.)" if mark else text, _sources(row))


def filled(text: str, holes: Mapping[str, str], name: str) -> str:
    """The text with its holes filled, from ``holes`` or from the sentences of the evidence.

    >>> filled("{off-label} Call {phone}.", {"phone": "555-0100"}, "an example")[-14:]
    'Call 555-0100.'
    """
    known = {each: statement.text for each, statement in plain.all_statements().items()} | dict(holes)
    for hole in named(text):
        if hole not in known:
            raise WordsError(
                f"{name} has the hole {{{hole}}}; it must be a sentence of the evidence that has its rows, or words of "
                "the clinic, so mend the table or bring back the rows"
            )
    return text.format_map(known)


def named(text: str) -> list[str]:
    """The holes of a text, in order."""
    return re.findall(r"\{([a-z_-]+)\}", text)


def _sources(row: Mapping[str, str]) -> tuple[str, ...]:
    """Where an element comes from; a source once, a caveat beside it."""
    cites = [(cite.name, cite.mark) for said in plain.statements(*named(row["text"])) for cite in said.cites]
    stated = [source for name in row["facts"].split(";") if name for source in _sources_of(name)]
    own = [("our own rule", "")] if row["provenance"] == "reviewer design" else []
    words = (f"{name} ({mark})" if mark else name for name, mark in (*cites, *stated, *own))
    return tuple(dict.fromkeys(words))


def _sources_of(name: str) -> list[tuple[str, str]]:
    """The sources of a fact, each with its caveat: a row of ``monitoring.csv``, a term of harm, or a criterion."""
    known = facts().get(name) or terms().get(name)
    if not known:
        return [(f"criterion {name}", "")]
    return [(part, known.source.mark) for part in known.source.name.split("; ")]
