"""What the model expects of one drip, behind what was measured: blood pressure and ketamine in blood. Research only.

The drip as it ran so far, and at its present rate until the syringe is empty, goes through the model's forecast
(``reprieve.pharmacology.forecast``); a paused or stopped drip as it ran. It is no limit: it says what is usual, and
alarms go by the signed limits alone.

    expected of a reading   middle -+ sqrt((middle - edge)^2 + (1.645 s)^2): people differ, and so do readings of one
    s                       6.2 mmHg (``bp_res`` in parameters.csv); added as if both were normal
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reprieve.charts import LOOKS, Look, lines
from reprieve.pharmacology.forecast import NINETY, Band, Forecast, forecast
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Infusion, Regimen
from reprieve.treatment.limits import Limits

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name; nothing is fetched
STEP_MIN = 4
AXIS_WIDTH = 36
PEOPLE = 400
LOWEST_MMHG, HIGHEST_MMHG, ROUND_MMHG = 40, 200, 20  # of the axis, which goes further where a figure does
SIGNALS = {"systolic": "systolic_change_mmhg", "diastolic": "diastolic_change_mmhg"}
PALE, PAST, GREY = 0.07, 0.3, 0.35  # opacities
MARGIN = 0.03  # of the width, before the first bar
CLOCK, CLOCK_BEFORE = "hours from the start of the drip", "hours from now"


@dataclass(frozen=True, slots=True)
class Run:
    """The drip at one rate, in minutes from its start."""

    start_min: float
    stop_min: float
    mg_per_h: float


@dataclass(frozen=True, slots=True)
class Pressure:
    """One reading of both pressures, in minutes from the start of the drip; before it the minutes are negative."""

    at_min: float
    systolic: float
    diastolic: float


@dataclass(frozen=True)
class Picture:
    """A description in Vega-Lite."""

    described: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The description."""
        return self.described


def expected(person: Person, runs: Sequence[Run], until_min: float) -> Forecast | None:
    """The forecast of a drip, every few minutes until ``until_min``; None while nothing has run in."""
    infusions = [
        Infusion(
            run.start_min / 60, (run.stop_min - run.start_min) / 60, run.mg_per_h * (run.stop_min - run.start_min) / 60
        )
        for run in runs
        if run.stop_min > run.start_min and run.mg_per_h > 0
    ]
    if not infusions:
        return None
    times = np.arange(0, until_min + STEP_MIN, STEP_MIN, dtype=float)
    return forecast(person, Regimen(infusions), times_min=times, site="venous", people=PEOPLE)


def rest_of(pressures: Sequence[Pressure]) -> Pressure | None:
    """The last reading before the drip: a rise is counted from it."""
    before = [reading for reading in pressures if reading.at_min <= 0]
    return max(before, key=lambda reading: reading.at_min, default=None)


def range_of(found: Forecast, rest: Pressure, which: str) -> Band:
    """Where nine of ten readings are expected, mmHg at each of ``found.times_min``; ``which`` is a key of SIGNALS."""
    change, error = found.after[SIGNALS[which]], NINETY * found.body.p["bp_res"]
    middle = getattr(rest, which) + change.middle
    return Band(
        middle - np.hypot(change.middle - change.low, error),
        middle,
        middle + np.hypot(change.high - change.middle, error),
    )


def finding(found: Forecast | None, pressures: Sequence[Pressure]) -> str:
    """The picture in a sentence: how many readings lie in the expected range."""
    if not pressures:
        return "No blood pressure yet."
    last = max(pressures, key=lambda reading: reading.at_min)
    said = f"The last blood pressure is {last.systolic:g}/{last.diastolic:g}."
    rest = rest_of(pressures)
    if found is None or rest is None:
        return said
    during = [reading for reading in pressures if 0 < reading.at_min <= found.times_min[-1]]
    if not during:
        return said
    inside = sum(_inside(found, rest, reading) for reading in during)
    return f"{said} {inside} of {len(during)} since the start are in the expected range."


def _inside(found: Forecast, rest: Pressure, reading: Pressure) -> bool:
    for which in SIGNALS:
        band = range_of(found, rest, which)
        low, high = (float(np.interp(reading.at_min, found.times_min, edge)) for edge in (band.low, band.high))
        if not low <= getattr(reading, which) <= high:
            return False
    return True


def picture(
    found: Forecast | None,
    pressures: Sequence[Pressure],
    now_min: float,
    width: int,
    look: str,
    limits: Limits | None = None,
) -> Picture:
    """Pressures as bars over the expected range, and the expected level below, on one clock.

    Parameters
    ----------
    limits : signed limits, to show below which upper pressure a dose may begin; left out where none are signed
    """
    colours = LOOKS[look]
    hours = [0.0, *(reading.at_min / 60 for reading in pressures), now_min / 60]
    if found is not None:
        hours.append(float(found.times_min[-1]) / 60)
    first, last = min(hours), max([*hours, 1.0])
    span = (first - (last - first) * MARGIN, last)  # a bar keeps clear of the labels
    panels = [_pressure_panel(found, pressures, now_min / 60, span, width, colours, limits)]
    if found is not None:
        panels.append(_level_panel(found, now_min / 60, span, width, colours))
    seen = ["Bars: measured."]
    if limits is not None:
        seen.append(f"Pale: upper pressure to {limits['hold_systolic_mmhg']:g}, at which a dose may begin.")
    if found is not None:
        seen.append("Grey: expected of nine in ten. Research only, not a limit.")
    words = " ".join([*seen, "Dotted line: now."])
    title = {"text": lines(finding(found, pressures), width // 11), "subtitle": lines(words, width // 8)}
    return Picture({"$schema": SCHEMA, "title": title, "vconcat": panels, "spacing": 14})


def _pressure_panel(
    found: Forecast | None,
    pressures: Sequence[Pressure],
    now_h: float,
    span: tuple[float, float],
    width: int,
    look: Look,
    limits: Limits | None,
) -> dict[str, Any]:
    rest = rest_of(pressures)
    bands = [] if found is None or rest is None else [range_of(found, rest, which) for which in SIGNALS]
    bottom, top = _reach(bands, pressures)
    x = _x(span, "" if found is not None else CLOCK if now_h > 0 else CLOCK_BEFORE)
    y = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [bottom, top], "nice": False},
        "axis": _axis(4),
    }
    layers = [_past(span[0], now_h, x, look)]
    if limits is not None:
        layers.append(_pale(bottom, limits["hold_systolic_mmhg"], y, look))
    if found is not None:
        layers += [_band(found, band, x, y, look) for band in bands]
    measured = [
        {"h": round(reading.at_min / 60, 3), "s": reading.systolic, "d": reading.diastolic} for reading in pressures
    ]
    bar = {"type": "rule", "color": look.series[0], "strokeWidth": 5, "strokeCap": "round"}
    layers.append(
        {"data": {"values": measured}, "mark": bar, "encoding": {"x": x, "y": y | {"field": "s"}, "y2": {"field": "d"}}}
    )
    layers.append(_now(now_h, x, look))
    return _panel("Blood pressure, mmHg", 132, width, layers)


def _level_panel(found: Forecast, now_h: float, span: tuple[float, float], width: int, look: Look) -> dict[str, Any]:
    band = found.after["ketamine_plasma_ng_per_ml"]
    x = _x(span, CLOCK)
    y = {"type": "quantitative", "title": None, "axis": _axis(3)}
    return _panel(
        "Ketamine in blood from a vein, ng/mL",
        84,
        width,
        [_past(span[0], now_h, x, look), _band(found, band, x, y, look), _now(now_h, x, look)],
    )


def _band(found: Forecast, band: Band, x: Mapping[str, Any], y: Mapping[str, Any], look: Look) -> dict[str, Any]:
    values = [
        {"h": round(float(t) / 60, 3), "l": round(float(low), 1), "u": round(float(high), 1)}
        for t, low, high in zip(found.times_min, band.low, band.high, strict=True)
    ]
    mark = {"type": "area", "color": look.series[2], "opacity": GREY}
    return {
        "data": {"values": values},
        "mark": mark,
        "encoding": {"x": x, "y": {**y, "field": "l"}, "y2": {"field": "u"}},
    }


def _reach(bands: Sequence[Band], pressures: Sequence[Pressure]) -> tuple[int, int]:
    """The lowest and the highest of the axis."""
    every = [figure for each in pressures for figure in (each.systolic, each.diastolic)]
    low = min([LOWEST_MMHG, *every, *(float(band.low.min()) for band in bands)])
    high = max([HIGHEST_MMHG, *every, *(float(band.high.max()) for band in bands)])
    return math.floor(low / ROUND_MMHG) * ROUND_MMHG, math.ceil(high / ROUND_MMHG) * ROUND_MMHG


def _past(begin_h: float, now_h: float, x: Mapping[str, Any], look: Look) -> dict[str, Any]:
    mark = {"type": "rect", "color": look.rule, "opacity": PAST}
    values = [{"h": round(begin_h, 3), "to": round(now_h, 3)}]
    return {"data": {"values": values}, "mark": mark, "encoding": {"x": x, "x2": {"field": "to"}}}


def _pale(bottom: float, top: float, y: Mapping[str, Any], look: Look) -> dict[str, Any]:
    mark = {"type": "rect", "color": look.series[0], "opacity": PALE}
    encoding = {"y": {**y, "field": "l"}, "y2": {"field": "u"}}
    return {"data": {"values": [{"l": bottom, "u": top}]}, "mark": mark, "encoding": encoding}


def _now(now_h: float, x: Mapping[str, Any], look: Look) -> dict[str, Any]:
    mark = {"type": "rule", "color": look.ink_2, "strokeDash": [2, 3], "strokeWidth": 1.5}
    return {"data": {"values": [{"h": round(now_h, 3)}]}, "mark": mark, "encoding": {"x": x}}


def _x(span: tuple[float, float], title: str) -> dict[str, Any]:
    return {
        "field": "h",
        "type": "quantitative",
        "title": title or None,
        "scale": {"domain": [round(each, 3) for each in span], "nice": False},
        "axis": {"tickCount": 6, "grid": False, "labels": bool(title)},
    }


def _axis(ticks: int) -> dict[str, Any]:
    return {"tickCount": ticks, "minExtent": AXIS_WIDTH, "maxExtent": AXIS_WIDTH}


def _panel(title: str, height: int, width: int, layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    said = {"text": lines(title, width // 8), "fontSize": 14, "anchor": "start", "offset": 6, "frame": "bounds"}
    return {"width": width - AXIS_WIDTH - 12, "height": height, "title": said, "layer": list(layers)}
