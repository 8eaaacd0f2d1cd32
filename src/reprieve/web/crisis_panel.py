"""When help is shown on the form at once, and what it says there. It locks nothing and counts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reprieve.candidacy.crisis import CrisisLine, lines_for

SAFETY = ("urgent_now", "suicidal_thoughts_month", "suicidal_behaviour")
CALM = {"urgent_now": "none", "suicidal_thoughts_month": "none", "suicidal_behaviour": "never"}
UNSAID = "prefer_not_to_say"
OTHER_LINES = 4


@dataclass(frozen=True, slots=True)
class Panel:
    """What to do now: a few short lines, and whom to call. ``kind`` tells one panel from another."""

    kind: str
    title: str
    steps: tuple[str, ...]
    first: CrisisLine
    others: tuple[CrisisLine, ...]


def panel_for(question_id: str, answer: Any, country_region: str | None) -> Panel | None:
    """The panel that an answer to a safety question calls for, or None.

    A blank calls for the quiet one, as a blank may hide the same need.

    >>> panel_for("suicidal_behaviour", "past_3_months", "US-CT").first.contact
    '988'
    >>> panel_for("urgent_now", ["chest_or_stroke"], "GB").first.contact
    '999'
    >>> panel_for("urgent_now", ["none"], "GB") is None
    True
    """
    if question_id not in SAFETY:
        return None
    said = set(answer if isinstance(answer, list) else [answer] if answer else [])
    if said == {CALM[question_id]}:
        return None
    if "chest_or_stroke" in said or "withdrawal" in said:
        return _emergency(country_region)
    if "danger_from_others" in said:
        return _unsafe_place(country_region)
    if said <= {UNSAID, CALM[question_id]}:
        return _quiet(country_region)
    return _distress(country_region)


def panel_at_once(question_id: str, country_region: str | None) -> Panel:
    """The panel that a small script shows as soon as a danger is ticked, whichever it is."""
    if question_id != "urgent_now":
        return _distress(country_region)
    steps = (
        "If you are in danger now, call the first number.",
        "Tell someone near you, and try not to be alone.",
        "“Leave site” on top of this page takes you away fast.",
    )
    return _panel("now", "You can get help right now", steps, lines_for(country_region, danger=True))


def _panel(kind: str, title: str, steps: Sequence[str], lines: Sequence[CrisisLine]) -> Panel:
    return Panel(kind, title, tuple(steps), lines[0], tuple(lines[1 : 1 + OTHER_LINES]))


def _emergency(country_region: str | None) -> Panel:
    lines = lines_for(country_region, danger=True)
    steps = ("Call now. Do not wait for us.", "Do not drive yourself.", "Ask someone to stay with you.")
    return _panel(
        "emergency", "This needs a doctor right now", steps, [x for x in lines if not x.is_for_danger_at_home]
    )


def _unsafe_place(country_region: str | None) -> Panel:
    steps = (
        "If you are in danger now, call the first number.",
        "If you can, go to a place with other people.",
        "“Leave site” on top of this page takes you away fast.",
    )
    return _panel("unsafe", "You deserve to be safe", steps, lines_for(country_region, danger=True))


def _distress(country_region: str | None) -> Panel:
    steps = (
        "Call or text now. You do not need to be sure.",
        "Tell someone near you, and try not to be alone.",
        "Put some distance between you and anything you could hurt yourself or others with.",
    )
    return _panel("distress", "You can get help right now", steps, lines_for(country_region))


def _quiet(country_region: str | None) -> Panel:
    steps = (
        "You do not have to tell us.",
        "If you are not safe, or not sure, these people listen at any hour.",
        "A person from our team will ask you about this too.",
    )
    return _panel("quiet", "Help is here if you want it", steps, lines_for(country_region))
