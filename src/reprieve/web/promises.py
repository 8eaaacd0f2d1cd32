"""Promised calls counted by week: made in time, missed, called off, still open. Pure; no clock, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEKS = 12

Promise = tuple[datetime | None, datetime | None, datetime | None]  # promised at, first called at, closed at


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


def weeks_of(promises: Iterable[Promise], now: datetime, zone: ZoneInfo, count: int = WEEKS) -> list[Week]:
    """The last ``count`` weeks and the one after, oldest first, by the clinic's calendar.

    A call is missed when it was made too late, or not at all although its time has passed. A promise is called
    off when the enquiry was closed before the call was due.

    >>> utc, noon = ZoneInfo("UTC"), datetime.fromisoformat("2026-11-25T12:00+00:00")
    >>> hour = timedelta(hours=1)
    >>> made, late, never, stopped, ahead = (
    ...     (noon - hour, noon - 2 * hour, None), (noon - 2 * hour, noon - hour, None), (noon - hour, None, None),
    ...     (noon - hour, None, noon - 2 * hour), (noon + hour, None, None))
    >>> weeks_of([made, late, never, stopped, ahead], noon, utc)[-2]
    Week(monday=datetime.date(2026, 11, 23), in_time=1, missed=2, called_off=1, still_open=1)
    """
    today = now.astimezone(zone).date()
    this_monday = today - timedelta(days=today.weekday())
    weeks = {monday: Week(monday) for monday in (this_monday + timedelta(weeks=n) for n in range(1 - count, 2))}
    for promised_at, called_at, closed_at in promises:
        if promised_at is None:
            continue
        day = promised_at.astimezone(zone).date()
        week = weeks.get(day - timedelta(days=day.weekday()))
        if week is None:
            continue
        if called_at is not None:
            week.in_time += called_at <= promised_at
            week.missed += called_at > promised_at
        elif closed_at is not None and closed_at <= promised_at:
            week.called_off += 1
        else:
            week.missed += promised_at < now
            week.still_open += promised_at >= now
    return list(weeks.values())


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
