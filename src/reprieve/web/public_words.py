"""What a person reads: facts with their sources, and what the team will talk about, in plain words.

The clinician's words stay with the clinician: no finding's id, no verdict and no percentage of a person's own
chances is said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reprieve.candidacy.criteria import CRITERIA
from reprieve.evidence import plain
from reprieve.sources import read_table
from reprieve.web.evidence_words import Link, links_to

FIRST = "How you are right now, and how to keep you safe. This comes first."


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is said, and where it comes from: the rows it was computed from, or a criterion's source."""

    id: str
    text: str
    links: tuple[Link, ...]


TOPICS: dict[str, str] = {}
FACTS: set[str] = set()
for row in read_table(__package__, "public_words.csv"):
    TOPICS[row["criterion_id"]] = row["words"]
    if row["states_a_fact"] == "true":
        FACTS.add(row["criterion_id"])


def statements(*ids: str) -> list[Said]:
    """The sentences with these ids, in this order, from the evidence's tables."""
    return [Said(one.id, one.text, links_to(one.cites)) for one in plain.statements(*ids)]


def topics(criterion_ids: Iterable[str]) -> list[Said]:
    """What the team will talk about, each subject once, the person's safety first; a fact names where it was read.

    >>> topics(["CV-04", "CV-05", "URG-01"])[1].text
    'Your blood pressure. Ketamine raises it, so a doctor looks at this first.'
    """
    first_of: dict[str, str] = {}
    for name in criterion_ids:
        first_of.setdefault(TOPICS[name], name)
    said = [Said(name, words, _read_at(name) if name in FACTS else ()) for words, name in first_of.items()]
    return sorted(said, key=lambda topic: topic.text != FIRST)


def _read_at(criterion_id: str) -> tuple[Link, ...]:
    """Where the fact behind a criterion was read."""
    source = CRITERIA[criterion_id].source
    return (Link("where we read this", source.url, source.mark, f"Where we read this: {source.name}", outside=True),)


def reach(contact: Mapping[str, str]) -> str:
    """What we do to reach a person who gave these details; empty when they gave no way.

    >>> reach({"phone": "555 0142"}), reach({"email": "bo@example.com"}), reach({"name": "Bo"})
    ('calls you', 'writes to you', '')
    """
    return "calls you" if contact.get("phone") else "writes to you" if contact.get("email") else ""


def day(at: datetime, zone: ZoneInfo) -> str:
    """A day as the clinic's calendar shows it, with the year.

    >>> day(datetime(2027, 5, 21, 19, 0, tzinfo=ZoneInfo("UTC")), ZoneInfo("America/New_York"))
    '21 May 2027'
    """
    local = at.astimezone(zone)
    return f"{local.day} {local:%B %Y}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time as the clinic's clock shows it.

    >>> moment(datetime(2026, 11, 24, 22, 0, tzinfo=ZoneInfo("UTC")), ZoneInfo("America/New_York"))
    '17:00 on Tuesday 24 November (EST)'
    """
    local = at.astimezone(zone)
    return f"{local:%H:%M} on {local:%A} {local.day} {local:%B} ({local.tzname()})"
