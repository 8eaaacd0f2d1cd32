"""Promised calls by week: which weeks, and what they show in a sentence. Pure; no clock, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKS = 12


@dataclass(slots=True)
class Week:
    """Promises that fell due in the week from ``monday``."""

    monday: date
    in_time: int = 0
    missed: int = 0
    called_off: int = 0
    still_open: int = 0

    @property
    def total(self) -> int:
        """All promises but those that the person called off."""
        return self.in_time + self.missed + self.still_open


def mondays(now: datetime, zone: ZoneInfo, count: int = WEEKS) -> list[date]:
    """The Mondays of the last ``count`` weeks and of the one after, oldest first, by the clinic's calendar.

    >>> [str(day) for day in mondays(datetime.fromisoformat("2026-11-23T02:00+00:00"), ZoneInfo("America/New_York"), 2)]
    ['2026-11-09', '2026-11-16', '2026-11-23']
    """
    today = now.astimezone(zone).date()
    this_monday = today - timedelta(days=today.weekday())
    return [this_monday + timedelta(weeks=number) for number in range(1 - count, 2)]


def bounds(monday: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the week from ``monday`` starts, and when the next one does; a week in which the clock changes too.

    >>> start, end = bounds(date(2026, 10, 26), ZoneInfo("America/New_York"))
    >>> (end.astimezone(ZoneInfo("UTC")) - start.astimezone(ZoneInfo("UTC"))).total_seconds() / 3600
    169.0
    """
    start, end = (datetime.combine(day, time(), zone) for day in (monday, monday + timedelta(weeks=1)))
    return start, end


def finding(weeks: Iterable[Week]) -> str:
    """What the weeks show, in a sentence.

    >>> finding([Week(date(2026, 11, 23), in_time=11, missed=1, still_open=2)])
    '11 of 12 promised calls were made in time; 2 are still open'
    >>> finding([])
    'No call has fallen due yet'
    """
    weeks = list(weeks)
    in_time, missed, still_open = (
        sum(getattr(week, name) for week in weeks) for name in ("in_time", "missed", "still_open")
    )
    after = f"; {still_open} {'is' if still_open == 1 else 'are'} still open" if still_open else ""
    if not in_time + missed:
        return f"No call has fallen due yet{after}"
    return f"{in_time} of {in_time + missed} promised calls were made in time{after}"
