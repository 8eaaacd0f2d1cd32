"""What is measured when: a table of slots, and the days on which they fall due in one course."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from reprieve.sources import Source, read_table
from reprieve.treatment.monitoring import fact

ANCHORS = ("start", "session", "end")


class ScheduleError(ValueError):
    """A schedule cannot be made: says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of ``outcome_schedule.csv``: ``day`` days after its anchor, open from some days before to some after.

    ``repeat_days`` is 0 for a slot that comes once; ``only_first`` is 0 for one that follows every session.
    """

    id: str
    moment: str
    instrument: str
    words: str
    anchor: str
    day: int
    opens_days_before: int
    closes_days_after: int
    repeat_days: int
    only_first: int
    is_our_choice: bool
    source: Source

    def __post_init__(self) -> None:
        if self.anchor not in ANCHORS:
            raise ScheduleError(f"anchor {self.anchor!r} of {self.id}; it must be one of {', '.join(ANCHORS)}")
        if min(self.opens_days_before, self.closes_days_after, self.repeat_days, self.only_first) < 0:
            raise ScheduleError(f"{self.id} has a number of days below zero; days before and after count from zero")

    def window(self, anchor: date) -> tuple[date, date]:
        """First and last day on which it may be done."""
        day = anchor + timedelta(days=self.day)
        return day - timedelta(days=self.opens_days_before), day + timedelta(days=self.closes_days_after)


@dataclass(frozen=True, slots=True)
class Due:
    """One questionnaire or interview that falls due in a course: wished for on ``day``, possible in the window."""

    slot: Slot
    day: date
    first: date
    last: date

    @property
    def instrument(self) -> str:
        """As in the instruments' table, or "side effects"."""
        return self.slot.instrument

    @property
    def reason(self) -> str:
        """Why then, in words."""
        return self.slot.words

    @property
    def source(self) -> Source:
        """Who says so."""
        return self.slot.source


@cache
def slots() -> dict[str, Slot]:
    """Every slot by its id, in the order of the table: of two that meet, the later in the table yields."""
    return {row["slot_id"]: _slot(row) for row in read_table("reprieve.treatment", "outcome_schedule.csv")}


def _slot(row: dict[str, str]) -> Slot:
    seen, is_our_choice = fact(row["fact_id"]).source, row["choice"] == "our choice"
    return Slot(
        id=row["slot_id"],
        moment=row["moment"],
        instrument=row["instrument"],
        words=row["words"],
        anchor=row["anchor"],
        day=int(row["day"]),
        opens_days_before=int(row["opens"]),
        closes_days_after=int(row["closes"]),
        repeat_days=int(row["repeat_days"] or 0),
        only_first=int(row["only_first"] or 0),
        is_our_choice=is_our_choice,
        source=Source("our choice" if is_our_choice else seen.name, seen.url, row["provenance"]),
    )


@cache
def slot(moment: str, instrument: str) -> Slot:
    """The slot of a moment for an instrument.

    Raises
    ------
    ScheduleError : if the instrument is not measured then
    """
    for each in slots().values():
        if (each.moment, each.instrument) == (moment, instrument):
            return each
    raise ScheduleError(f"the {instrument} is not measured at {moment!r}; see the table outcome_schedule.csv")


def due(start: date, end: date, sessions: Iterable[date] = ()) -> tuple[Due, ...]:
    """Everything that falls due in a course, in order of days.

    When a course ends early or late, ask again with its new end: what hangs on the end moves with it, and sessions
    and weeks after it are left out. What an earlier row of the table asks at that time is not asked twice.

    Parameters
    ----------
    start : day of the first session
    end : day of the last session, planned or as it came; the first day for a course of one session
    sessions : days of the sessions; the first day alone if none are given

    Raises
    ------
    ScheduleError : if the course ends before it starts

    Examples
    --------
    >>> days = [date(2026, 11, 30) + timedelta(days=n) for n in (0, 2, 4, 7, 9, 11)]
    >>> found = due(days[0], days[-1], days)
    >>> [f"{each.day:%d %b}" for each in found if each.instrument == "CAPS-5"]
    ['30 Nov', '12 Dec', '08 Jan']
    """
    if end < start:
        raise ScheduleError(f"a course from {start} to {end}; it must not end before it starts")
    days = sorted({day for day in (*sessions, start) if start <= day <= end})
    kept: list[Due] = []
    for each in slots().values():
        kept += [found for found in _falling(each, start, end, days) if not _meets(found, kept)]
    return tuple(sorted(kept, key=lambda found: (found.day, found.last, found.slot.id)))


def _falling(each: Slot, start: date, end: date, sessions: list[date]) -> Iterator[Due]:
    anchors = {"start": [start], "session": sessions, "end": [end]}[each.anchor]
    if each.only_first:
        anchors = anchors[: each.only_first]
    if each.repeat_days:
        repeats = ((end - start).days - each.day) // each.repeat_days + 1
        anchors = [start + timedelta(days=n * each.repeat_days) for n in range(repeats)]
    for anchor in anchors:
        yield Due(each, anchor + timedelta(days=each.day), *each.window(anchor))


def _meets(found: Due, kept: list[Due]) -> bool:
    """Whether another slot asks for the same instrument on that day; for one that repeats, within its window."""
    others = [each for each in kept if each.instrument == found.instrument and each.slot is not found.slot]
    if found.slot.repeat_days and any(found.first <= each.day <= found.last for each in others):
        return True
    return any(each.first <= found.day <= each.last for each in others)
