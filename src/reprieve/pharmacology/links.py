"""How well founded each link of the chain is, and what stands behind it: one table, read by page, picture and docs.

``claims``, ``findings`` and ``statements`` are ids in the evidence, which this room does not know: the web looks them
up. ``facts`` are sources in the tables of this room, such as ``plasticity:Milak 2016``.

``python -m reprieve.pharmacology.links`` prints the table of docs/explanation/model.md.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.facts import FINDINGS, findings, observations
from reprieve.sources import Source, read_table

FILE = "links.csv"
STANDINGS = ("well founded", "plausible", "speculative")

# The ends of links: as a label in the picture, and in the middle of a sentence
NODES = {
    "infusion": ("Drip", "the drip"),
    "blood": ("Blood", "the blood"),
    "receptor": ("Receptor", "the receptor"),
    "glutamate": ("Glutamate", "glutamate"),
    "synapses": ("Synapses", "synapses"),
    "symptoms": ("PTSD signs", "PTSD signs"),
    "stress": ("Stress", "stress"),
    "ssri": ("Pill", "sertraline"),
    "learning": ("Talk therapy", "learning in therapy"),
    "pressure": ("Blood pressure", "blood pressure"),
    "detached": ("Feeling detached", "feeling detached"),
}


class LinkError(PharmacologyError):
    """A link cannot be used: says which, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Link:
    """One row of ``links.csv``. A link without ends is part of the model and no arrow of the picture."""

    id: str
    name: str
    start: str
    end: str
    standing: str
    in_full: str
    why: str
    plain: str
    claims: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.standing not in STANDINGS:
            raise LinkError(f"{self.id}: standing {self.standing!r}; it must be one of {', '.join(STANDINGS)}")
        if bool(self.start) != bool(self.end):
            raise LinkError(f"{self.id}: an arrow needs both ends; fill in from and to, or neither")
        for node in filter(None, (self.start, self.end)):
            if node not in NODES:
                raise LinkError(f"{self.id}: no node {node!r}; the nodes are {', '.join(NODES)}")
        if self.is_drawn and self.standing not in self.in_full:
            raise LinkError(f"{self.id}: {self.in_full!r} does not say {self.standing!r}, as its arrow does")
        if not (self.name and self.in_full and self.why) or (self.is_drawn and not self.plain):
            raise LinkError(f"{self.id}: name, in_full or why is empty, or plain is for an arrow; fill it in")

    @property
    def is_drawn(self) -> bool:
        """Whether it is an arrow of the picture."""
        return bool(self.start)

    @property
    def heading(self) -> str:
        """Where it leads.

        >>> links()["blood-receptor"].heading
        'From the blood to the receptor'
        """
        return f"From {NODES[self.start][1]} to {NODES[self.end][1]}"

    def sources(self) -> tuple[Source, ...]:
        """Where the facts behind it were read, each once."""
        return tuple(_source(self.id, fact) for fact in self.facts)


@cache
def links() -> Mapping[str, Link]:
    """Every link by its id, in the table's order."""
    return read(read_table(__package__, FILE))


def read(rows: Sequence[Mapping[str, str]]) -> Mapping[str, Link]:
    """The links in the ``rows`` of a table, checked."""
    found: dict[str, Link] = {}
    for line, row in enumerate(rows, start=2):
        try:
            link = _link(row)
            link.sources()
        except LinkError as error:
            raise LinkError(f"{FILE} line {line}: {error}") from None
        if link.id in found:
            raise LinkError(f"{FILE} line {line}: {link.id} stands in the table already; drop one row")
        found[link.id] = link
    return found


def _link(row: Mapping[str, str]) -> Link:
    def names(column: str) -> tuple[str, ...]:
        return tuple(filter(None, row[column].split(";")))

    return Link(
        row["id"],
        row["name"],
        row["from"],
        row["to"],
        row["standing"],
        row["in_full"],
        row["why"],
        row["plain"],
        names("claims"),
        names("findings"),
        names("statements"),
        names("facts"),
    )


def _source(link_id: str, fact: str) -> Source:
    """The source that ``fact`` names: the one that was read, if any row of it was."""
    table, _, name = fact.partition(":")
    if table not in (*FINDINGS, "observations"):
        raise LinkError(f"{link_id}: no table {table!r} of facts; the tables are {', '.join(FINDINGS)}, observations")
    sources = [row.source for row in (observations() if table == "observations" else findings(table))]
    named = sorted((each for each in sources if each.name == name), key=lambda each: each.mark)
    if not named:
        raise LinkError(f"{link_id}: {table}.csv has no row from {name!r}; name its source as it stands there")
    return named[0]


def drawn() -> list[Link]:
    """The arrows of the picture, in order."""
    return [link for link in links().values() if link.is_drawn]


def docs_table() -> str:
    """The table in docs/explanation/model.md."""
    rows = (f"| {link.name} | {link.in_full} | {link.why} |" for link in links().values())
    return "\n".join(("| link | standing | why |", "|---|---|---|", *rows))


if __name__ == "__main__":
    sys.stdout.write(docs_table() + "\n")
