"""Safety limits of the sessions: what each one is, where it comes from, and the numbers that a clinic signed.

Limits whose source disagrees with others, or is silent, are "our choice". None is used before a named medical lead
of the clinic has signed the whole set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from reprieve.sources import read_table
from reprieve.treatment.monitoring import Fact, fact


class LimitError(ValueError):
    """A limit cannot stand: says which, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: in words, its unit, what it is until somebody changes it, and how far it may be changed."""

    id: str
    words: str
    unit: str
    default: float
    low: float
    high: float
    is_our_choice: bool
    fact: Fact
    note: str


@cache
def limits() -> dict[str, Limit]:
    """Every limit by its id, in the order of the table."""
    return {
        row["limit_id"]: Limit(
            row["limit_id"],
            row["words"],
            row["unit"],
            float(row["default"]),
            float(row["low"]),
            float(row["high"]),
            row["choice"] == "our choice",
            fact(row["fact_id"]),
            row["note"],
        )
        for row in read_table("reprieve.treatment", "limits.csv")
    }


BELOW = (  # pairs of which the first must be lower
    ("hold_systolic_mmhg", "retake_systolic_mmhg"),
    ("retake_systolic_mmhg", "stop_systolic_mmhg"),
    ("hold_diastolic_mmhg", "retake_diastolic_mmhg"),
    ("retake_diastolic_mmhg", "stop_diastolic_mmhg"),
    ("stop_spo2_percent", "check_spo2_percent"),
    ("stop_moaas", "stay_moaas"),
)


class Limits(dict[str, float]):
    """The number of each limit; one that is left out has its default.

    Raises
    ------
    LimitError : if a number is unknown, out of its bounds, no whole number of points, or not below its pair's

    Examples
    --------
    >>> Limits()["watch_min"]
    120.0
    >>> Limits({"watch_min": 30})
    Traceback (most recent call last):
        ...
    reprieve.treatment.limits.LimitError: Least minutes in the clinic after the drip: 30 min; it must be 60 to 360
    """

    def __init__(self, numbers: Mapping[str, float] | None = None) -> None:
        table, numbers = limits(), numbers or {}
        unknown = set(numbers) - set(table)
        if unknown:
            raise LimitError(f"{min(unknown)!r} is no limit; the limits are {', '.join(table)}")
        super().__init__({name: float(numbers.get(name, limit.default)) for name, limit in table.items()})
        for name, limit in table.items():
            if not limit.low <= self[name] <= limit.high:
                raise LimitError(
                    f"{limit.words}: {self[name]:g} {limit.unit}; it must be {limit.low:g} to {limit.high:g}"
                )
            if limit.unit == "points" and not self[name].is_integer():
                raise LimitError(f"{limit.words}: {self[name]:g}; a score has no fractions: choose a whole number")
        for lower, higher in BELOW:
            if not self[lower] < self[higher]:
                raise LimitError(
                    f"{table[lower].words} ({self[lower]:g}) must be below {table[higher].words.lower()} "
                    f"({self[higher]:g}); change one of them"
                )
