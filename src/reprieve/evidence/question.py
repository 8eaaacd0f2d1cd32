"""A question to the trials: which treatment, which outcome, when, against what, in whom, and what may be counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # to ask a question costs nothing; to answer it loads the statistics
    from reprieve.evidence.pooling import IntervalMethod, Method


class QuestionError(ValueError):
    """A question that the tables cannot be asked: says the value, the choices, and the way out."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a result was measured, in days: from the first dose, or from the end of the course."""

    name: str
    words: str
    first_day: float
    last_day: float
    after_course: bool
    repeated_only: bool = False

    def holds(self, day: float | None, course_days: int | None, repeated: bool) -> bool:
        """Whether a result on ``day`` (from the first dose) belongs here."""
        if day is None or (self.repeated_only and not repeated):
            return False
        if not self.after_course:
            return self.first_day <= day <= self.last_day
        return course_days is not None and self.first_day <= day - course_days <= self.last_day


WINDOWS = {
    window.name: window
    for window in (
        Window("24h", "one day after the first dose", 0.5, 2, after_course=False),
        Window("1w", "one week after the first dose", 4, 10, after_course=False),
        Window("end", "at the end of a course of several doses", -3, 7, after_course=True, repeated_only=True),
        Window("4w", "about four weeks after the last dose", 21, 42, after_course=True),
    )
}
OUTCOMES = {
    "ptsd": "PTSD symptoms",
    "depression": "low mood",
    "response": "people who got much better",
    "remission": "people with few symptoms left",
}
COMPARATORS = {
    "any": "any control",
    "active": "a control the person can feel, such as midazolam",
    "inactive": "a control without a felt effect, such as saline",
}
PEOPLE = {"any": "anybody", "veterans": "veterans and soldiers", "others": "other groups"}
RESPONSE_KINDS = {
    "response": ("responders", "responder_percent"),
    "remission": ("remitters", "remitter_percent"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask of the trials.

    ``treatment`` is a name in treatments.csv. ``correlation`` is assumed between a person's two periods in a crossover
    trial that does not print it. ``directions`` counts trials that report a direction only.
    """

    treatment: str = "ketamine"
    outcome: str = "ptsd"
    window: str = "24h"
    comparator: str = "any"
    people: str = "any"
    single_centre: bool = True
    directions: bool = True
    include_recalled: bool = False
    correlation: float = 0.5
    method: Method = "REML"
    interval_method: IntervalMethod = "hartung-knapp"

    def __post_init__(self) -> None:
        for name, allowed in (
            ("outcome", OUTCOMES),
            ("window", WINDOWS),
            ("comparator", COMPARATORS),
            ("people", PEOPLE),
        ):
            if getattr(self, name) not in allowed:
                raise QuestionError(f"{name} {getattr(self, name)!r}; it must be one of {', '.join(allowed)}")
        if not -1 < self.correlation < 1:
            raise QuestionError(f"correlation {self.correlation:g}; it must lie between -1 and 1, such as 0.5")

    def words(self) -> str:
        """The question in a line."""
        against = "" if self.comparator == "any" else f", against {COMPARATORS[self.comparator]}"
        among = "" if self.people == "any" else f", in {PEOPLE[self.people]}"
        return f"{self.treatment} and {OUTCOMES[self.outcome]}, {WINDOWS[self.window].words}{against}{among}"
