"""Pictures of a course: for each subject the first hours at the left, the days at the right; a band for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt

from reprieve.charts import LOOKS, Look, lines
from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.trajectories import Trajectories

FIRST_HOURS = 6.0
DAYS_STEP_MIN = 10  # finer than this the days cannot show
PANEL_HEIGHT = 130
MOST_COMPARED = 3  # a fourth series is another picture, not another colour
DASHES = ([1, 0], [6, 3], [2, 3])
BAND_OPACITY = 0.18
LABEL_WIDTH, LABEL_STEP, LABEL_LETTERS = 120, 18, 15


class PictureError(PharmacologyError):
    """A picture cannot be drawn: says why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the picture: variables with their labels, unit, and the lowest and highest of the axis if fixed."""

    title: str
    variables: Mapping[str, str]
    factor: float = 1.0
    domain: tuple[float, float] | None = None
    is_slow: bool = False  # lines are named where they end; else in the order of their peaks


SUBJECTS = (
    Subject(
        "In plasma, ng/mL",
        {
            "ketamine_plasma_ng_per_ml": "ketamine",
            "norketamine_plasma_ng_per_ml": "norketamine",
            "hydroxynorketamine_plasma_ng_per_ml": "HNK",
        },
    ),
    Subject(
        "NMDA receptors blocked, %",
        {
            "receptor_block_interneuron_fraction": "interneurons",
            "receptor_block_pyramidal_fraction": "pyramidal cells",
        },
        factor=100,
    ),
    Subject(
        "Rise of blood pressure, mmHg",
        {"systolic_change_mmhg": "systolic", "diastolic_change_mmhg": "diastolic"},
    ),
    Subject("Feeling detached, CADSS points", {"cadss_total": "CADSS"}),
    Subject(
        "Prefrontal synapses, % of all sites (speculative)",
        {"synaptic_density_fraction": "density"},
        factor=100,
        domain=(80, 100),
        is_slow=True,
    ),
    Subject(
        "Symptoms, points of 80, lower is better (speculative)",
        {
            "caps5_total": "CAPS-5",
            "pcl5_total": "PCL-5",
            "caps5_total_without_infusions": "CAPS-5, no drug",
        },
        domain=(0, 80),
        is_slow=True,
    ),
)


def trajectory(found: Trajectories, width: int, look: str) -> alt.TopLevelMixin:
    """Everything about one course; with more than one person the median and the central 90 %."""
    people = len(found)
    who = f"median of {people} people drawn, band: the central 90 %" if people > 1 else "a person with typical values"
    rows = [
        _row(subject, {label: (found, name) for name, label in subject.variables.items()}, width, LOOKS[look])
        for subject in SUBJECTS
    ]
    return _picture(rows, f"What the model gives: {who}. HNK is hydroxynorketamine.", width)


def comparison(courses: Mapping[str, Trajectories], width: int, look: str) -> alt.TopLevelMixin:
    """Up to three courses by name, one variable a subject: the first of each."""
    if len(courses) > MOST_COMPARED:
        raise PictureError(f"{len(courses)} regimens in one picture; compare at most {MOST_COMPARED}")
    rows = []
    for subject in SUBJECTS:
        variable, label = next(iter(subject.variables.items()))
        series = {name[:LABEL_LETTERS]: (each, variable) for name, each in courses.items()}
        rows.append(_row(replace(subject, title=f"{subject.title}: {label}"), series, width, LOOKS[look]))
    return _picture(rows, "What the model gives for each regimen.", width)


def _picture(rows: Sequence[alt.HConcatChart], words: str, width: int) -> alt.VConcatChart:
    said = lines(f"{words} Research only, not for dosing people.", width // 8)
    stacked: alt.VConcatChart = alt.vconcat(*rows).resolve_scale(color="independent", strokeDash="independent")
    return stacked.properties(title=alt.TitleParams("A simulated course", subtitle=said))


def _row(subject: Subject, series: Mapping[str, tuple[Trajectories, str]], width: int, look: Look) -> alt.HConcatChart:
    """The two panels of a subject: hours at the left, days at the right, the same vertical axis; names at the right."""
    points = [point for label, (found, name) in series.items() for point in _points(found, name, label, subject.factor)]
    low, high = subject.domain or (0.0, max(point["high"] for point in points) * 1.05 or 1.0)
    inner = (width - LABEL_WIDTH - 90) // 2
    early = [point for point in points if point["minutes"] <= points[0]["minutes"] + FIRST_HOURS * 60]
    names = _names(subject, points, low, high, list(series), inner, look)
    hours = _panel(early, "hours", (low, high), inner, list(series), look)
    thinned = [point for point in points if point["minutes"] % DAYS_STEP_MIN == 0 or point is points[-1]]
    days = alt.layer(_panel(thinned, "days", (low, high), inner, list(series), look), *names)
    return alt.hconcat(hours, days, spacing=24).properties(
        title=alt.TitleParams(subject.title, fontSize=14, anchor="start", offset=6)
    )


def _points(found: Trajectories, name: str, label: str, factor: float) -> Iterator[dict[str, Any]]:
    middle, low, high = found.summary(name)
    for minutes, m, lowest, highest in zip(found.times_min, middle, low, high, strict=True):
        yield {
            "minutes": float(minutes),
            "hours": float(minutes) / 60,
            "days": float(minutes) / 1440,
            "series": label,
            "value": float(m) * factor,
            "low": float(lowest) * factor,
            "high": float(highest) * factor,
        }


def _panel(
    points: list[dict[str, Any]], unit: str, domain: tuple[float, float], width: int, names: list[str], look: Look
) -> Any:
    """One band and one line a series over time in ``unit``."""
    colours = alt.Scale(domain=names, range=list(look.series[: len(names)]))
    base = alt.Chart(alt.InlineData(values=points), width=width, height=PANEL_HEIGHT).encode(
        x=alt.X(f"{unit}:Q", title=unit, axis=alt.Axis(tickCount=6), scale=alt.Scale(nice=False)),
        color=alt.Color("series:N", scale=colours, legend=None),
    )
    scale, axis = alt.Scale(domain=list(domain), nice=False, zero=False), alt.Axis(tickCount=4)
    band = base.mark_area(opacity=BAND_OPACITY).encode(
        y=alt.Y("low:Q", title=None, scale=scale, axis=axis), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2).encode(
        y=alt.Y("value:Q", title=None, scale=scale, axis=axis),
        strokeDash=alt.StrokeDash("series:N", scale=alt.Scale(domain=names, range=DASHES[: len(names)]), legend=None),
    )
    return alt.layer(band, line)


def _names(
    subject: Subject,
    points: list[dict[str, Any]],
    low: float,
    high: float,
    names: list[str],
    width: int,
    look: Look,
) -> list[alt.Chart]:
    """The name of each line at the right edge, in its colour, none over another."""
    wanted = {}
    for name in names:
        own = [point["value"] for point in points if point["series"] == name]
        value = own[-1] if subject.is_slow else max(own)
        wanted[name] = PANEL_HEIGHT * (1 - (value - low) / (high - low))
    return [
        alt.Chart(alt.InlineData(values=[{"name": name}]))
        .mark_text(align="left", baseline="middle", fontSize=14, color=look.series[names.index(name)])
        .encode(x=alt.value(width + 8), y=alt.value(place), text="name:N")
        for name, place in spread(wanted, LABEL_STEP).items()
    ]


def spread(wanted: Mapping[str, float], step: float) -> dict[str, float]:
    """Places at least ``step`` apart, in the order of what was wanted, the lowest first.

    >>> spread({"a": 10, "b": 12, "c": 60}, step=18)
    {'a': 10, 'b': 28, 'c': 60}
    """
    placed: dict[str, float] = {}
    last = -step
    for name, place in sorted(wanted.items(), key=lambda each: each[1]):
        last = max(place, last + step)
        placed[name] = last
    return placed
