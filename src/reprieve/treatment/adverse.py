"""Adverse events as a session writes them down: a term, how grave, what was done, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from reprieve.sources import Source, read_table
from reprieve.treatment.monitoring import facts

SEVERITIES = {
    "mild": "Mild: noticed, no help needed",
    "moderate": "Moderate: needed help or medicine",
    "severe": "Severe: the drip was stopped, or it lasted",
}
OUTCOMES = {"gone": "Gone", "better": "Better, not gone", "same": "Not better yet", "transfer": "Taken to hospital"}


@dataclass(frozen=True, slots=True)
class Term:
    """One kind of adverse event.

    Parameters
    ----------
    stops : whether the drip is stopped for it, however mild
    is_our_choice : whether no source says so in these words
    management : what the source does about it, in short
    harm : what the evidence's table of harms calls it; empty where no study counted it by itself
    """

    code: str
    words: str
    stops: bool
    is_our_choice: bool
    management: str
    source: Source
    harm: str


@cache
def terms() -> dict[str, Term]:
    """Every term by its code: those that stop the drip first."""
    by_event = {row["event"]: row for row in reversed(read_table("reprieve.treatment", "adverse_events.csv"))}
    found = {}
    for row in read_table("reprieve.treatment", "adverse_terms.csv"):
        if row["fact"] in facts():
            seen = facts()[row["fact"]]
            management, source = seen.action, seen.source
        else:
            event = by_event[row["fact"]]
            management = event["management"]
            source = Source(event["context"], event["source_url"], event["provenance"])
        found[row["term"]] = Term(
            row["term"],
            row["words"],
            row["stops"] == "yes",
            row["choice"] == "our choice",
            management,
            source,
            row["harm"],
        )
    return found
