"""How long relief lasts: the share of treated people still better, by day, as far as anybody counted.

Two kinds of row say it: people better on a day, and the median time until those who got better had lost it. Between
the days nothing is known; a line there is a guide for the eye.
"""

from __future__ import annotations

from dataclasses import dataclass

from reprieve.evidence.proportions import exact_interval
from reprieve.evidence.rows import Outcome, Study
from reprieve.evidence.tables import Evidence, tables

BETTER = ("responders", "remitters", "durable_responders")
MEDIANS = ("median_days_to_loss_of_response", "median_days_to_relapse")


@dataclass(frozen=True, slots=True)
class Point:
    """The share of people better on a day, counted from the first dose, and the row that says so."""

    day: float
    share: float
    low: float | None
    high: float | None
    row: Outcome


@dataclass(frozen=True, slots=True)
class Course:
    """One group's points, in order of days."""

    study: Study
    treatment: str
    controlled: bool
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Durability:
    """What is known and what is not."""

    courses: tuple[Course, ...]
    medians: tuple[Outcome, ...]
    without_day: tuple[Outcome, ...]

    def headline(self) -> str:
        """How long it took until half of those who had got better lost it, in words."""
        days = sorted(row.value for row in self.medians if row.value is not None)
        if not days:
            return "Nobody has measured how long the gain lasts"
        span = f"{days[0]:g}" if len(days) == 1 else f"{days[0]:g} to {days[-1]:g}"
        return f"Half of those who got better had lost it after {span} days"


def durability(evidence: Evidence | None = None, *, include_recalled: bool = False) -> Durability:
    """Responders over time after ketamine, and median days until the gain was lost, for PTSD."""
    evidence = evidence or tables()
    rows = [
        row
        for row in evidence.without_twins(include_recalled=include_recalled)
        if row.kind in (*BETTER, *MEDIANS) and evidence.measures[row.instrument].outcome == "ptsd"
    ]
    courses, without_day = [], []
    for study_id, arm_id in dict.fromkeys((row.study_id, row.arm_id) for row in rows):
        own = [row for row in rows if (row.study_id, row.arm_id) == (study_id, arm_id)]
        without_day += [row for row in own if row.kind in BETTER and row.day is None]
        points = _points(own)
        given = evidence.treatment_of(study_id, arm_id)
        if points and given:
            study = evidence.studies[study_id]
            courses.append(Course(study, given.treatment, study.is_randomised, tuple(points)))
    medians = [row for row in rows if row.kind in MEDIANS and row.value is not None]
    return Durability(tuple(courses), tuple(medians), tuple(without_day))


def _points(rows: list[Outcome]) -> list[Point]:
    """Counted points, and after the last of them half its share once the median time has passed."""
    points = []
    for row in sorted((r for r in rows if r.kind in BETTER and r.day is not None), key=lambda r: r.day or 0):
        low, high = exact_interval(row.events or 0, row.n or 1)
        points.append(Point(row.day or 0, (row.events or 0) / (row.n or 1), low, high, row))
    for row in rows:
        if row.kind in MEDIANS and row.value is not None and points:
            points.append(Point(points[-1].day + row.value, points[-1].share / 2, None, None, row))
            break
    return points
