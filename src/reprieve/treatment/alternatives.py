"""What else can be offered, each gone through with the person before anything is decided.

``alternatives.csv`` is the list; ``source_row`` names the row of ``guidelines.csv`` that speaks of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from reprieve.sources import Source, read_table


@dataclass(frozen=True, slots=True)
class Alternative:
    """One alternative. ``source`` is what a guideline says of it, or our own list."""

    id: str
    words: str
    source: Source


@cache
def alternatives() -> dict[str, Alternative]:
    """Every alternative by its id, in the order of going through them; doing nothing for now is the last.

    >>> list(alternatives())[0], list(alternatives())[-1]
    ('trauma_therapy', 'nothing')
    """
    stated = {row["guideline_id"]: row for row in read_table("reprieve.evidence", "guidelines.csv")}
    found = {}
    for row in read_table(__package__, "alternatives.csv"):
        seen = stated.get(row["source_row"])
        name = f"{seen['body']} {seen['year']}" if seen else "our own list"
        source = Source(name, seen["source_url"] if seen else "", row["provenance"])
        found[row["id"]] = Alternative(row["id"], row["words"], source)
    return found
