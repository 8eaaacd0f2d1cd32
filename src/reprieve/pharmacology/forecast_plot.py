"""The picture of one session: a panel for each signal on one clock; before the readings grey and dashed, after solid.

It is written as Vega-Lite itself, which Altair checks in a test: a page draws it while somebody waits, and building it
out of Altair's objects takes three times as long as everything else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reprieve.charts import LOOKS, Look, lines
from reprieve.pharmacology.forecast import READ_AS, Band, Forecast, session_times_min
from reprieve.pharmacology.thresholds import thresholds

Array = NDArray[np.float64]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name; nothing is fetched
PANEL_HEIGHT = 104
AXIS_WIDTH = 32
BAND_OPACITY, INFUSION_OPACITY = 0.18, 0.12
HOURS = 6.0
SEEN_PX = 0.4  # a point that moves its line by less than this many pixels is left out


@dataclass(frozen=True, slots=True)
class Panel:
    """One row of the picture: a signal, its title, and what it is multiplied by."""

    signal: str
    title: str
    factor: float = 1.0


PANELS = (
    Panel("ketamine_plasma_ng_per_ml", "Ketamine in {site} blood, ng/mL"),
    Panel("receptor_block_interneuron_fraction", "Receptors blocked on interneurons, %", factor=100),
    Panel("systolic_change_mmhg", "Systolic pressure above rest, mmHg"),
    Panel("diastolic_change_mmhg", "Diastolic pressure above rest, mmHg"),
    Panel("cadss_total", "Feeling detached, CADSS points"),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A description in Vega-Lite."""

    described: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The description."""
        return self.described


def session(forecast: Forecast, number: int, width: int, look: str) -> Picture:
    """One session of the course, 1 the first; the forecast must hold its times (:func:`session_times_min`)."""
    times = session_times_min(forecast.body.regimen, number, HOURS)
    kept = np.isin(forecast.times_min, times)
    begin = float(times[0])
    clock = (forecast.times_min[kept] - begin) / 60
    before, after = (
        {name: _cut(band, kept) for name, band in bands.items()} for bands in (forecast.before, forecast.after)
    )
    sitting = forecast.body.regimen.sittings()[number - 1]
    running = [(each.start_h - begin / 60, each.stop_h - begin / 60) for each in sitting]
    levels = {each.signal: each.level for each in thresholds(forecast.body.p)}
    data: dict[str, Any] = {"running": [{"h": _short(a), "to": _short(b)} for a, b in running]}
    rows = []
    for place, panel in enumerate(PANELS):
        series = {"before": before[panel.signal]} if forecast.readings else {}
        series["after"] = after[panel.signal]
        threshold = _short(levels[panel.signal] * panel.factor)
        read = list(_read(forecast, panel, begin, float(times[-1])))
        bottom, top = _domain(panel, series, threshold, read)
        seen = (top - bottom) / PANEL_HEIGHT * SEEN_PX
        data |= {f"{name}{place}": _points(band, clock, panel.factor, seen) for name, band in series.items()}
        data |= {f"threshold{place}": [{"v": threshold}], f"read{place}": read}
        rows.append(
            _row(panel, place, list(series), (bottom, top), float(clock[-1]), forecast.site, width, LOOKS[look])
        )
    return Picture(
        {
            "$schema": SCHEMA,
            "title": _title(forecast, number, width),
            "vconcat": rows,
            "spacing": 14,
            "datasets": data,
        }
    )


def _title(forecast: Forecast, number: int, width: int) -> dict[str, Any]:
    if forecast.readings:
        one, dots = "Dashed grey: expected before the readings. Solid: after them.", " Dots: the readings."
    else:
        one, dots = "Line: what half of people like this stay under.", ""
    words = (
        f"{one} Bands: the central 90 % of people, without the error of a single reading.{dots} "
        "Orange: drug running. Dotted: the threshold in the table. Research only."
    )
    return {
        "text": lines(f"What the model expects in session {number}", width // 11),
        "subtitle": lines(words, width // 8),
    }


def _cut(band: Band, kept: Any) -> Band:
    return Band(band.low[kept], band.middle[kept], band.high[kept])


def _read(forecast: Forecast, panel: Panel, begin: float, end: float) -> Iterator[dict[str, float]]:
    for each in forecast.readings:
        signal, site = READ_AS[each.what]
        if signal == panel.signal and site in ("", forecast.site) and begin <= each.time_min <= end:
            yield {"h": _short((each.time_min - begin) / 60), "v": _short(each.value * panel.factor)}


def _domain(
    panel: Panel, series: Mapping[str, Band], threshold: float, read: Sequence[Mapping[str, float]]
) -> tuple[float, float]:
    """The lowest and the highest of the axis: from 0, unless a reading lies below."""
    dots = [each["v"] for each in read]
    highest = max(float(band.high.max()) * panel.factor for band in series.values())
    lowest = min([0.0, *dots])
    return -_round_up(-lowest) if lowest < 0 else 0.0, _round_up(max([highest, threshold, *dots]))


def _row(
    panel: Panel,
    place: int,
    series: Sequence[str],
    domain: tuple[float, float],
    hours: float,
    site: str,
    width: int,
    look: Look,
) -> dict[str, Any]:
    """One panel: drug running, the threshold, a band and a line a series, and the readings as dots."""
    is_last = place == len(PANELS) - 1
    x = {
        "field": "h",
        "type": "quantitative",
        "title": "hours from the start of the session" if is_last else None,
        "scale": {"domain": [0, hours], "nice": False},
        "axis": {"tickCount": 6, "grid": False, "labels": is_last},
    }
    scale = {"domain": list(domain), "nice": False, "zero": False}

    def y(field: str) -> dict[str, Any]:
        axis = {"tickCount": 3, "minExtent": AXIS_WIDTH, "maxExtent": AXIS_WIDTH}
        return {"field": field, "type": "quantitative", "title": None, "scale": scale, "axis": axis}

    layers = [
        _layer(
            "running", {"type": "rect", "color": look.series[1], "opacity": INFUSION_OPACITY}, x=x, x2={"field": "to"}
        )
    ]
    for name in series:
        colour, dash = (look.series[2], [6, 4]) if name == "before" else (look.series[0], [1, 0])
        band = {"type": "area", "color": colour, "opacity": BAND_OPACITY}
        line = {"type": "line", "color": colour, "strokeWidth": 2, "strokeDash": dash}
        layers.append(_layer(f"{name}{place}", band, x=x, y=y("l"), y2={"field": "u"}))
        layers.append(_layer(f"{name}{place}", line, x=x, y=y("m")))
    rule = {"type": "rule", "color": look.ink_2, "strokeDash": [2, 3], "strokeWidth": 1.5}
    dot = {"type": "point", "color": look.ink, "fill": look.surface, "size": 64, "strokeWidth": 2.5, "opacity": 1}
    layers.append(_layer(f"threshold{place}", rule, y=y("v")))
    layers.append(_layer(f"read{place}", dot, x=x, y=y("v")))
    said = lines(panel.title.format(site=site), width // 8)
    title = {"text": said, "fontSize": 14, "anchor": "start", "offset": 6, "frame": "bounds"}
    return {"width": width - AXIS_WIDTH - 12, "height": PANEL_HEIGHT, "title": title, "layer": layers}


def _layer(data: str, mark: Mapping[str, Any], **encoding: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": {"name": data}, "mark": mark, "encoding": encoding}


def _points(band: Band, clock: Array, factor: float, seen: float) -> list[dict[str, float]]:
    """The band's points that the eye would miss: each that bends one of its three lines by ``seen`` or more."""
    three = np.stack([band.low, band.middle, band.high]) * factor
    kept = [0]
    for k in range(2, len(clock)):
        a, between = kept[-1], np.arange(kept[-1] + 1, k)
        share = (clock[between] - clock[a]) / (clock[k] - clock[a])
        straight = three[:, [a]] + share * (three[:, [k]] - three[:, [a]])
        if np.max(np.abs(straight - three[:, between])) > seen:
            kept.append(k - 1)
    kept.append(len(clock) - 1)
    return [
        {"h": _short(clock[k]), "l": _short(three[0, k]), "m": _short(three[1, k]), "u": _short(three[2, k])}
        for k in kept
    ]


def _short(value: float) -> float:
    """A number with four figures: a picture shows no more."""
    return float(f"{value:.4g}")


def _round_up(value: float) -> float:
    """The next round number, so that axes end on one.

    >>> _round_up(276), _round_up(31.2), _round_up(7)
    (300.0, 40.0, 8.0)
    """
    if value <= 0:
        return 1.0
    step = 10 ** math.floor(math.log10(value))
    return float(next(step * each for each in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * each >= value))
