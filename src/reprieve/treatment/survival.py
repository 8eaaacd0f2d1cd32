"""How long a response lasts: Kaplan and Meier's curve, with everybody who was followed for as long as they were."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import CensoredData, ecdf

LEVEL = 0.95
NEARLY = 1e-9  # a half that rounding has moved is still a half


class SurvivalError(ValueError):
    """A curve cannot be drawn: says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Step:
    """The curve from one day on: ``at_risk`` were followed up to that day, ``lost`` on it.

    ``low`` and ``high`` are None where the interval is not defined: before the first loss, and when nobody is left.
    """

    day: float
    at_risk: int
    lost: int
    survival: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Median:
    """Day by which half have lost it, with its interval; None where the curve, or the band, has not come to a half."""

    day: float | None
    low: float | None
    high: float | None

    @property
    def words(self) -> str:
        """The median in words."""
        if self.day is None:
            return "not reached"
        low = "from the start" if self.low is None else f"{self.low:g}"
        high = "no upper end yet" if self.high is None else f"{self.high:g}"
        return f"{self.day:g} days (95 % interval {low} to {high})"


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: a step for each day on which somebody lost it or was last seen; the first is day 0."""

    n: int
    censored: int
    steps: tuple[Step, ...]
    median: Median

    @property
    def last_day(self) -> float:
        """The last day on which anybody was seen."""
        return self.steps[-1].day

    def at_risk_on(self, day: float) -> int:
        """How many were still followed and had not lost it just before ``day``."""
        return next((step.at_risk for step in self.steps if step.day >= day), 0)


def kaplan_meier(days: Sequence[float], lost: Sequence[bool]) -> Curve:
    """The share that has not lost it, by day.

    The estimate is SciPy's; the interval is pointwise, on the log-log scale. The median is the first day on which
    the curve is at a half or below, its interval the days on which the ends of the band are.

    Parameters
    ----------
    days : shape (n,), from 0: until the loss, or until last seen without it
    lost : shape (n,): whether it was lost; if not, the person is censored

    Raises
    ------
    SurvivalError : for unequal lengths, or a day that is not a number from 0

    Examples
    --------
    Of five people two lost it, on days 10 and 20; the others were last seen on days 15, 30 and 30.

    >>> curve = kaplan_meier([10, 15, 20, 30, 30], [True, False, True, False, False])
    >>> [(step.day, step.at_risk, round(step.survival, 3)) for step in curve.steps]
    [(0.0, 5, 1.0), (10.0, 5, 0.8), (15.0, 4, 0.8), (20.0, 3, 0.533), (30.0, 2, 0.533)]
    >>> curve.median.words
    'not reached'

    Nobody to follow is a result as well.

    >>> kaplan_meier([], []).n
    0

    References
    ----------
    Kaplan and Meier 1958, J Am Stat Assoc 53:457; Brookmeyer and Crowley 1982, Biometrics 38:29
    """
    at, events = np.asarray(days, dtype=float), np.asarray(lost, dtype=bool)
    if at.shape != events.shape or at.ndim != 1:
        raise SurvivalError(f"{at.size} days and {events.size} of lost or not; give both for each person")
    if not np.all(np.isfinite(at) & (at >= 0)):
        raise SurvivalError(
            "a day that is below 0 or no number; count from the end of the course, and leave out others"
        )
    steps = [Step(0.0, len(at), int(np.sum(events & (at == 0))), 1.0, None, None)]
    if len(at):
        steps = _steps(at, events)
    return Curve(len(at), int(np.sum(~events)), tuple(steps), _median(steps))


def _steps(at: np.ndarray, events: np.ndarray) -> list[Step]:
    found = ecdf(CensoredData(uncensored=at[events], right=at[~events])).sf
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        band = found.confidence_interval(confidence_level=LEVEL, method="log-log")
    steps = [
        Step(
            float(day),
            int(np.sum(at >= day)),
            int(np.sum(events & (at == day))),
            float(survival),
            _defined(low),
            _defined(high),
        )
        for day, survival, low, high in zip(
            found.quantiles, found.probabilities, band.low.probabilities, band.high.probabilities, strict=True
        )
    ]
    return steps if steps[0].day == 0 else [Step(0.0, len(at), 0, 1.0, None, None), *steps]


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _median(steps: Sequence[Step]) -> Median:
    def first(values: Sequence[float | None]) -> float | None:
        below = (s.day for s, value in zip(steps, values, strict=True) if value is not None and value <= 0.5 + NEARLY)
        return next(below, None)

    return Median(
        first([step.survival for step in steps]),
        first([step.low for step in steps]),
        first([step.high for step in steps]),
    )
