"""Facts about watching over a session and what comes after it, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from reprieve.sources import Source, read_table


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of ``monitoring.csv``."""

    id: str
    phase: str
    parameter: str
    value: str
    timing: str
    action: str
    setting: str
    strength: str
    source: Source


@cache
def facts() -> dict[str, Fact]:
    """Every fact by its id."""
    return {
        row["fact_id"]: Fact(
            row["fact_id"],
            row["phase"],
            row["parameter"],
            row["value"],
            row["timing_or_interval"],
            row["action"],
            row["setting_or_trial"],
            row["agreement_or_strength"],
            Source(row["setting_or_trial"], row["source_url"], row["provenance"]),
        )
        for row in read_table("reprieve.treatment", "monitoring.csv")
    }


def fact(fact_id: str) -> Fact:
    """The fact of this id.

    Raises
    ------
    KeyError : if there is none

    >>> fact("MON-31").value
    'about 40 min'
    """
    return facts()[fact_id]
