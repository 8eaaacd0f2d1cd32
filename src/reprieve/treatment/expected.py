"""What the model expects of one drip, behind what was measured: blood pressure and ketamine in blood. Research only.

The drip as it ran so far, and at its present rate until the syringe is empty, goes through the model's forecast
(``reprieve.pharmacology.forecast``). It is no limit: it says what is usual, and alarms go by the signed limits alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reprieve.charts import LOOKS, Look, lines
from reprieve.pharmacology.forecast import Band, Forecast, forecast
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Infusion, Regimen

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name; nothing is fetched
STEP_MIN = 4
AXIS_WIDTH = 36
PEOPLE = 400
LOWEST_MMHG, HIGHEST_MMHG = 40, 200


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


def finding(found: Forecast | None, pressures: Sequence[Pressure]) -> str:
    """The picture in a sentence: how many readings lie in the expected range."""
    if not pressures:
        return "No blood pressure yet."
    last = max(pressures, key=lambda reading: reading.at_min)
    said = f"The last blood pressure is {last.systolic:g}/{last.diastolic:g}."
    rest, during = rest_of(pressures), [reading for reading in pressures if reading.at_min > 0]
    if found is None or rest is None or not during:
        return said
    inside = sum(_inside(found, rest, reading) for reading in during)
    return f"{said} {inside} of {len(during)} readings since the start lie in the range that the model expects."


def _inside(found: Forecast, rest: Pressure, reading: Pressure) -> bool:
    k = int(np.argmin(np.abs(found.times_min - reading.at_min)))
    pairs = (
        ("systolic_change_mmhg", reading.systolic - rest.systolic),
        ("diastolic_change_mmhg", reading.diastolic - rest.diastolic),
    )
    return all(found.after[name].low[k] <= change <= found.after[name].high[k] for name, change in pairs)


def picture(found: Forecast | None, pressures: Sequence[Pressure], now_min: float, width: int, look: str) -> Picture:
    """Pressures as bars over the expected range, and the expected level below, on one clock."""
    colours = LOOKS[look]
    hours = [0.0, *(reading.at_min / 60 for reading in pressures), now_min / 60]
    if found is not None:
        hours.append(float(found.times_min[-1]) / 60)
    span = (min(hours), max([*hours, 1.0]))
    panels = [_pressure_panel(found, pressures, now_min / 60, span, width, colours)]
    if found is not None:
        panels.append(_level_panel(found, now_min / 60, span, width, colours))
    words = (
        "Bars: measured. Grey: where the central 90 % of people are expected. Line: now. Research only, not a limit."
    )
    title = {"text": lines(finding(found, pressures), width // 11), "subtitle": lines(words, width // 8)}
    return Picture({"$schema": SCHEMA, "title": title, "vconcat": panels, "spacing": 14})


def _pressure_panel(
    found: Forecast | None,
    pressures: Sequence[Pressure],
    now_h: float,
    span: tuple[float, float],
    width: int,
    look: Look,
) -> dict[str, Any]:
    top = max([HIGHEST_MMHG, *(math.ceil(reading.systolic / 20) * 20 for reading in pressures)])
    x = _x(span, labels=found is None)
    y = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [LOWEST_MMHG, top], "nice": False},
        "axis": _axis(4),
    }
    layers = []
    rest = rest_of(pressures)
    if found is not None and rest is not None:
        for signal, base in (("systolic_change_mmhg", rest.systolic), ("diastolic_change_mmhg", rest.diastolic)):
            layers.append(_band(found, found.after[signal], base, x, y, look))
    measured = [
        {"h": round(reading.at_min / 60, 3), "s": reading.systolic, "d": reading.diastolic} for reading in pressures
    ]
    bar = {"type": "rule", "color": look.series[0], "strokeWidth": 4}
    layers.append(
        {"data": {"values": measured}, "mark": bar, "encoding": {"x": x, "y": y | {"field": "s"}, "y2": {"field": "d"}}}
    )
    layers.append(_now(now_h, x, look))
    return _panel("Blood pressure, mmHg", 132, width, layers)


def _level_panel(found: Forecast, now_h: float, span: tuple[float, float], width: int, look: Look) -> dict[str, Any]:
    band = found.after["ketamine_plasma_ng_per_ml"]
    x = _x(span, labels=True)
    y = {"type": "quantitative", "title": None, "axis": _axis(3)}
    return _panel(
        "Ketamine in blood from a vein, ng/mL, expected",
        84,
        width,
        [_band(found, band, 0, x, y, look), _now(now_h, x, look)],
    )


def _band(
    found: Forecast, band: Band, base: float, x: Mapping[str, Any], y: Mapping[str, Any], look: Look
) -> dict[str, Any]:
    values = [
        {"h": round(float(t) / 60, 3), "l": round(base + float(low), 1), "u": round(base + float(high), 1)}
        for t, low, high in zip(found.times_min, band.low, band.high, strict=True)
    ]
    mark = {"type": "area", "color": look.series[2], "opacity": 0.3}
    return {
        "data": {"values": values},
        "mark": mark,
        "encoding": {"x": x, "y": {**y, "field": "l"}, "y2": {"field": "u"}},
    }


def _now(now_h: float, x: Mapping[str, Any], look: Look) -> dict[str, Any]:
    mark = {"type": "rule", "color": look.ink_2, "strokeDash": [2, 3], "strokeWidth": 1.5}
    return {"data": {"values": [{"h": round(now_h, 3)}]}, "mark": mark, "encoding": {"x": x}}


def _x(span: tuple[float, float], labels: bool) -> dict[str, Any]:
    return {
        "field": "h",
        "type": "quantitative",
        "title": "hours from the start of the drip" if labels else None,
        "scale": {"domain": [round(each, 3) for each in span], "nice": False},
        "axis": {"tickCount": 6, "grid": False, "labels": labels},
    }


def _axis(ticks: int) -> dict[str, Any]:
    return {"tickCount": ticks, "minExtent": AXIS_WIDTH, "maxExtent": AXIS_WIDTH}


def _panel(title: str, height: int, width: int, layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    said = {"text": lines(title, width // 8), "fontSize": 14, "anchor": "start", "offset": 6, "frame": "bounds"}
    return {"width": width - AXIS_WIDTH - 12, "height": height, "title": said, "layer": list(layers)}
