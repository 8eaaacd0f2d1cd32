"""When each signal of a session is expected to be below a threshold, and to stay there.

No threshold says that anybody may go home: they are where a published range begins, or where we chose to draw a line,
and each says which. A person who never comes above a threshold counts as below it from the start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.facts import Finding, findings
from reprieve.pharmacology.forecast import Forecast, ForecastError, session_times_min
from reprieve.pharmacology.parameters import ParameterSet

Array = NDArray[np.float64]

HOURS = 24.0  # how far ahead one looks
OUR_CHOICE = "our choice"
CADSS_NEAR_REST, RISE_MMHG, BLOCK = 2.0, 5.0, 0.01
TABLE = "haemodynamics_and_dissociation"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level of one signal: in words, where it comes from, and what has been published to hold the time against."""

    signal: str
    words: str
    level: float
    source: str
    published: str = ""


@dataclass(frozen=True, slots=True)
class Below:
    """Minutes from the start of the session until half of people, and 95 % of them, are below and stay there.

    ``math.inf`` says not before the next session, or not within a day.
    """

    threshold: Threshold
    half_before_min: float
    most_before_min: float
    half_after_min: float
    most_after_min: float


def thresholds(p: ParameterSet) -> tuple[Threshold, ...]:
    """The thresholds, from rows of ``haemodynamics_and_dissociation.csv`` where there is one.

    >>> from reprieve.pharmacology.parameters import parameter_set
    >>> [(each.words, each.level, each.source) for each in thresholds(parameter_set())][0]
    ('ketamine under 50 ng/mL', 50.0, 'Bowdle 1998: the lower end of the range in which people felt changed')
    """
    felt = _row("psychedelic VAS vs plasma ketamine: linear range")
    rested = _row("time for BP and HR to return to baseline")
    calm = _row("dissociation back to baseline by")
    assert felt.low is not None
    back = f"published: pressure back at rest {rested.value:g} {rested.unit} ({rested.source.name})"
    near = f"within {CADSS_NEAR_REST:g} points of rest"
    return (
        Threshold(
            "ketamine_plasma_ng_per_ml",
            f"ketamine under {felt.low:g} ng/mL",
            felt.low,
            f"{felt.source.name}: the lower end of the range in which people felt changed",
        ),
        Threshold(
            "cadss_total",
            f"CADSS {near}",
            p["cad_base"] + CADSS_NEAR_REST,
            OUR_CHOICE,
            f"published: back at rest by {calm.value:g} {calm.unit} ({calm.source.name})",
        ),
        Threshold("systolic_change_mmhg", f"systolic rise under {RISE_MMHG:g} mmHg", RISE_MMHG, OUR_CHOICE, back),
        Threshold("diastolic_change_mmhg", f"diastolic rise under {RISE_MMHG:g} mmHg", RISE_MMHG, OUR_CHOICE, back),
        Threshold(
            "receptor_block_interneuron_fraction",
            f"block under {100 * BLOCK:g} % on interneurons",
            BLOCK,
            OUR_CHOICE,
        ),
        Threshold(
            "receptor_block_pyramidal_fraction",
            f"block under {100 * BLOCK:g} % on pyramidal cells",
            BLOCK,
            OUR_CHOICE,
        ),
    )


def _row(parameter: str) -> Finding:
    return next(row for row in findings(TABLE) if row.parameter == parameter)


def times_below(forecast: Forecast, session: int = 1) -> tuple[Below, ...]:
    """When each threshold is expected to be kept in one session, before and after the readings.

    >>> from reprieve.pharmacology.forecast import forecast
    >>> from reprieve.pharmacology.person import Person
    >>> from reprieve.pharmacology.regimen import Regimen
    >>> found = times_below(forecast(Person(weight_kg=70), Regimen.repeated(35, 2 / 3, days=[0])))
    >>> found[0].threshold.words, round(found[0].half_before_min, -1), round(found[0].most_before_min, -1)
    ('ketamine under 50 ng/mL', 120.0, 160.0)
    """
    body = forecast.body
    if not body.regimen.infusions:
        raise ForecastError("there is no infusion, so nothing to come down from; give a regimen with at least one")
    times = session_times_min(body.regimen, session, HOURS)
    before = body.signals(forecast.people_before, times, forecast.site)
    after = body.signals(forecast.people_after, times, forecast.site) if forecast.readings else before
    elapsed = times - times[0]
    found = []
    for each in thresholds(body.p):
        spans = [_half_and_most(_last_above(people[each.signal], elapsed, each.level)) for people in (before, after)]
        found.append(Below(each, *spans[0], *spans[1]))
    return tuple(found)


def _last_above(people: Array, elapsed: Array, level: float) -> Array:
    """When each person comes below for good, along a straight line between two times; shape (N,)."""
    above = people >= level
    last = people.shape[1] - 1 - np.argmax(above[:, ::-1], axis=1)  # of those who are ever above
    following = np.minimum(last + 1, people.shape[1] - 1)
    row = np.arange(len(people))
    high, low = people[row, last], people[row, following]
    share = np.divide(high - level, high - low, out=np.zeros(len(people)), where=high > low)
    when = elapsed[last] + share * (elapsed[following] - elapsed[last])
    when = np.where(last == people.shape[1] - 1, math.inf, when)
    found: Array = np.where(above.any(axis=1), when, 0.0)
    return found


def _half_and_most(minutes: Array) -> tuple[float, float]:
    """Minutes by which half of people, and 95 % of them, are there."""
    ordered = np.sort(minutes)
    n = len(ordered)
    return float(ordered[math.ceil(0.5 * n) - 1]), float(ordered[math.ceil(0.95 * n) - 1])


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest of one session, 5 %, 50 % and 95 % of people after the readings."""

    session: int
    day: float
    ketamine_ng_per_ml: tuple[float, float, float]
    systolic_mmhg: tuple[float, float, float]
    cadss: tuple[float, float, float]


def peaks(forecast: Forecast) -> tuple[Peak, ...]:
    """The highest of each session of the course: levels hardly add up, and dissociation is a little less each time."""
    body, found = forecast.body, []
    for number, sitting in enumerate(body.regimen.sittings(), start=1):
        begin = sitting[0].start_h
        stops = np.array([each.stop_h * 60 for each in sitting])
        times = np.unique(np.concatenate([stops + late for late in (0.0, 1.0, 2.0, 4.0, 6.0)]))
        people = body.signals(forecast.people_after, times, forecast.site)
        names = ("ketamine_plasma_ng_per_ml", "systolic_change_mmhg", "cadss_total")
        highest = [tuple(np.quantile(people[name].max(axis=1), [0.05, 0.5, 0.95]).tolist()) for name in names]
        found.append(Peak(number, begin / 24, *highest))
    return tuple(found)
