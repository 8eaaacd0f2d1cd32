"""On which days a course is given: templates, days that the clinic is closed, sessions that were missed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from reprieve.sources import read_table
from reprieve.treatment.monitoring import Fact, fact

LEAST_GAP_DAYS = 2  # our choice: never on two days in a row; three a week, as in one trial, allows no more
GAP = timedelta(days=LEAST_GAP_DAYS)
LOOK_AHEAD_DAYS = 120

IsOpen = Callable[[date], bool]


class PlanError(ValueError):
    """A plan cannot be made: says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Template:
    """A course as a trial gave it, or a maintenance course with an end: days count from the first session's, 0."""

    id: str
    words: str
    days: tuple[int, ...]
    dose_mg_per_kg: float
    infusion_min: int
    maintenance: bool
    fact: Fact
    note: str


@cache
def templates() -> dict[str, Template]:
    """Every template by its id."""
    return {
        row["plan_id"]: Template(
            row["plan_id"],
            row["words"],
            tuple(int(day) for day in row["days"].split()),
            float(row["dose_mg_per_kg"]),
            int(row["infusion_min"]),
            row["maintenance"] == "yes",
            fact(row["fact_id"]),
            row["note"],
        )
        for row in read_table("reprieve.treatment", "plans.csv")
    }


def days_of(template: Template, first: date, is_open: IsOpen, last: date | None = None) -> tuple[date, ...]:
    """The days of a course, counted from the first that is open.

    One that falls on a closed day moves to the next open one, and pushes those after it only where they would come
    nearer than the least gap.

    Parameters
    ----------
    first : the day that is wished for the first session
    is_open : whether the clinic is open on a day
    last : sessions after it are left out, as a course with an end date asks

    Raises
    ------
    PlanError : if the clinic is closed for months, or no session fits before ``last``

    Examples
    --------
    A Monday start in a clinic that is closed at weekends and on the first Friday.

    >>> is_open = lambda day: day.weekday() < 5 and day != date(2026, 12, 4)
    >>> days = days_of(templates()["6-in-2-weeks"], date(2026, 11, 30), is_open)
    >>> [f"{day:%a %d}" for day in days]
    ['Mon 30', 'Wed 02', 'Mon 07', 'Wed 09', 'Fri 11', 'Mon 14']
    """
    found: list[date] = []
    for offset in template.days:
        earliest = (found[0] if found else first) + timedelta(days=offset)
        found.append(next_open(earliest if not found else max(earliest, found[-1] + GAP), is_open))
    kept = tuple(day for day in found if last is None or day <= last)
    if not kept:
        raise PlanError(f"no session fits before {last}; choose an earlier first day or a later end date")
    return kept


def next_open(earliest: date, is_open: IsOpen, taken: Collection[date] = ()) -> date:
    """The first open day from ``earliest`` that is no nearer than the least gap to a day in ``taken``.

    Raises
    ------
    PlanError : if there is none within :data:`LOOK_AHEAD_DAYS` days
    """
    for ahead in range(LOOK_AHEAD_DAYS):
        day = earliest + timedelta(days=ahead)
        if is_open(day) and all(abs((day - other).days) >= LEAST_GAP_DAYS for other in taken):
            return day
    raise PlanError(f"no open day with room in the {LOOK_AHEAD_DAYS} days from {earliest}; look at the opening hours")


def instead_of(missed: date, others: Sequence[date], today: date, is_open: IsOpen) -> date:
    """A new day for a missed session: as soon as there is room between the others, else after the last.

    >>> others = [date(2026, 12, 2), date(2026, 12, 4)]
    >>> str(instead_of(date(2026, 11, 30), others, date(2026, 11, 30), lambda day: day.weekday() < 5))
    '2026-12-07'
    """
    return next_open(max(missed, today) + timedelta(days=1), is_open, others)
