"""Pictures of outcomes: one person's totals over the weeks, and how long responses last in a clinic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import altair as alt

from reprieve.charts import LOOKS, Look, lines
from reprieve.instruments import find
from reprieve.treatment.outcome import (
    IMPROVED,
    NO_CLEAR_CHANGE,
    WORSENED,
    Measured,
    baseline_of,
    judge,
    judged_instruments,
    rule,
)
from reprieve.treatment.results import PublishedResult
from reprieve.treatment.survival import Curve

NARROW = 400
BAND_OPACITY = 0.18
AXIS_WIDTH, LABEL_WIDTH = 28, 58
HEIGHT, LANE_HEIGHT, TICK_HEIGHT = 240, 44, 12
FOLLOW_UP_DAYS = 182
CHANGED = {
    IMPROVED: "more than the questionnaire's own noise, so better",
    WORSENED: "more than the questionnaire's own noise, so worse",
    NO_CLEAR_CHANGE: "too little to be sure of",
}


@dataclass(frozen=True, slots=True)
class Beside:
    """Another treatment or an event: from a day, to a day if it has an end, or on one day."""

    words: str
    from_on: date
    to_on: date | None = None
    is_event: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """One person's course on one clock: totals, infusions and what else happened."""

    started_on: date
    measured: tuple[Measured, ...] = ()
    infusions: tuple[date, ...] = ()
    beside: tuple[Beside, ...] = ()

    def week(self, day: date) -> float:
        """Weeks from the first session."""
        return (day - self.started_on).days / 7

    def of(self, instrument: str) -> list[Measured]:
        """The totals of one instrument in order of days."""
        return sorted((each for each in self.measured if each.instrument == instrument), key=lambda each: each.on)


def headline(story: Timeline) -> str:
    """What is seen, in few words."""
    baseline = baseline_of(story.measured, story.started_on, "PCL-5")
    later = [each for each in story.of("PCL-5") if baseline is None or each.on > baseline.on]
    if not later:
        return "PCL-5: no total since the first session"
    if baseline is None:
        return f"PCL-5: {later[-1].words}, none before the course"
    return f"PCL-5: {baseline.words} before, {later[-1].words} in week {story.week(later[-1].on):.0f}"


def finding(story: Timeline) -> str:
    """The timeline in a sentence, for somebody who does not see it."""
    baseline = baseline_of(story.measured, story.started_on, "PCL-5")
    found = judge(baseline, story.measured, None)
    if found.baseline is None or found.at is None:
        return f"{headline(story)}; {_infusions(story)}."
    change = CHANGED.get(found.reliable.result, "with items left blank, so that the change is not clear")
    return (
        f"The PCL-5 was {found.baseline.words} before the first session and {found.at.words} in week "
        f"{story.week(found.at.on):.0f}: {change}; {_infusions(story)}."
    )


def _infusions(story: Timeline) -> str:
    count = len(story.infusions)
    return f"{count or 'no'} infusion{'' if count == 1 else 's'}"


def rows(story: Timeline) -> list[tuple[date, float, str, str]]:
    """The table beside: day, week, what, and the total or words; in order of days."""
    found = [(each.on, each.instrument, each.words) for each in story.measured]
    found += [(day, "infusion", "given") for day in story.infusions]
    for each in story.beside:
        until = f" until {each.to_on:%d %b %Y}" if each.to_on else ""
        found.append((each.from_on, "event" if each.is_event else "other treatment", f"{each.words}{until}"))
    return [(day, story.week(day), what, words) for day, what, words in sorted(found)]


def timeline(story: Timeline, width: int, look: str) -> alt.TopLevelMixin:
    """Totals over the weeks, the band of reliable change, infusions as ticks; below it other treatments and events."""
    colours = LOOKS[look]
    days = [story.started_on, *(each.on for each in story.measured), *story.infusions]
    days += [day for each in story.beside for day in (each.from_on, each.to_on) if day]
    weeks = [story.week(day) for day in days]
    domain = (min(weeks) - 0.3, max(weeks) + 0.7)
    inner = width - AXIS_WIDTH - LABEL_WIDTH
    panels = [_totals(story, domain, inner, colours)]
    if story.beside:
        panels.append(_lanes(story, domain, inner, colours))
    picture: alt.VConcatChart = alt.vconcat(*panels, spacing=8).resolve_scale(x="shared")
    return picture.properties(
        title=alt.TitleParams(lines(headline(story), width // 11), subtitle=lines(_explained(story), width // 8))
    )


def _explained(story: Timeline) -> str:
    low, high = find("PCL-5").total_bounds or (0, 0)
    told = [f"Totals from {low} to {high}; lower is better."]
    if baseline_of(story.measured, story.started_on, "PCL-5"):
        told.append(f"Grey band: change too small to be sure of, less than {rule('PCL-5', 'reliable_change').figure}.")
    told.append("Orange ticks: infusions.")
    if any(each.total is None for each in story.measured):
        told.append("Open mark with an upright line: items are blank, the total lies on the line.")
    return " ".join(told)


def _totals(story: Timeline, domain: tuple[float, float], width: int, look: Look) -> Any:
    low, high = find("PCL-5").total_bounds or (0, 0)
    labelled = alt.Axis(values=list(range(low, high + 1, 20)), minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH)
    y = alt.Y("middle:Q", title=None, scale=alt.Scale(domain=[low, high], nice=False), axis=labelled)
    x = _weeks("week", domain, shown=not story.beside)
    layers = [*_band(story, domain, x, look), *_ticks(story, x, look)]
    for place, instrument in enumerate(("PCL-5", "CAPS-5")):
        layers += _series(story, instrument, place, x, y, width, look)
    return alt.layer(*layers).properties(width=width, height=HEIGHT)


def _weeks(field: str, domain: tuple[float, float], *, shown: bool) -> alt.X:
    axis = alt.Axis(grid=False, labels=shown, tickMinStep=1, format="d", tickCount=6)
    title = "weeks from the first session" if shown else None
    return alt.X(f"{field}:Q", title=title, scale=alt.Scale(domain=list(domain), nice=False), axis=axis)


def _data(values: Sequence[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(values)))


def _band(story: Timeline, domain: tuple[float, float], x: alt.X, look: Look) -> Iterator[Any]:
    """One point less than a reliable change on either side of the baseline, cut at the ends of the instrument."""
    baseline = baseline_of(story.measured, story.started_on, "PCL-5")
    if baseline is None:
        return
    low, high = find("PCL-5").total_bounds or (0, 0)
    points = rule("PCL-5", "reliable_change").value - 1
    lower, upper = max(low, baseline.total_range[0] - points), min(high, baseline.total_range[1] + points)
    band = _data([{"week": domain[0], "to": domain[1], "middle": lower, "upper": upper}])
    yield band.mark_rect(color=look.series[2], opacity=BAND_OPACITY).encode(x=x, x2="to", y="middle:Q", y2="upper")


def _ticks(story: Timeline, x: alt.X, look: Look) -> Iterator[Any]:
    if story.infusions:
        ticks = _data([{"week": story.week(day)} for day in story.infusions])
        at = {"y": alt.value(HEIGHT - TICK_HEIGHT), "y2": alt.value(HEIGHT)}
        yield ticks.mark_rule(color=look.series[1], strokeWidth=3).encode(x=x, **at)


def _series(story: Timeline, instrument: str, place: int, x: alt.X, y: alt.Y, width: int, look: Look) -> Iterator[Any]:
    """A line with a mark for each total; the second instrument dashed, with squares."""
    own = [
        {
            "week": story.week(each.on),
            "low": each.total_range[0],
            "high": each.total_range[1],
            "middle": sum(each.total_range) / 2,
            "open": each.total is None,
            "name": instrument,
        }
        for each in story.of(instrument)
    ]
    colour, shape, dash = ((look.series[0], "circle", [1, 0]), (look.ink, "square", [5, 4]))[place]
    base = _data(own).encode(x=x)
    yield base.mark_line(color=colour, strokeDash=dash, strokeWidth=2).encode(y=y)
    if any(each["open"] for each in own):
        yield base.transform_filter("datum.open").mark_rule(color=colour, strokeWidth=2).encode(y="low:Q", y2="high")
    yield base.mark_point(shape=shape, size=64, stroke=colour, strokeWidth=2, opacity=1).encode(
        y=y, fill=alt.condition("datum.open", alt.value(look.surface), alt.value(colour))
    )
    label = _data(own[-1:]).mark_text(align="left", dx=8, dy=_lifted(story, instrument), fontSize=14, color=colour)
    yield label.encode(x=x, y=y, text="name:N")


def _lifted(story: Timeline, instrument: str) -> int:
    """How far a label is moved so that it lies on no other: the lower one down, the higher one up."""
    ends = {name: story.of(name)[-1] for name in judged_instruments() if story.of(name)}
    if len(ends) < 2:
        return 0
    middles = {name: sum(each.total_range) / 2 for name, each in ends.items()}
    other = next(name for name in ends if name != instrument)
    near = abs(middles[instrument] - middles[other]) < 6 and abs((ends[instrument].on - ends[other].on).days) < 60
    if not near:
        return 0
    return -9 if (middles[instrument], instrument) > (middles[other], other) else 9


def _lanes(story: Timeline, domain: tuple[float, float], width: int, look: Look) -> Any:
    """A lane for each other treatment or event: its words, as far as there is room, and below them a bar or a mark."""
    room = (width + LABEL_WIDTH) // 8
    values = [
        {
            "week": story.week(each.from_on),
            "to": domain[1] if each.to_on is None else story.week(each.to_on),
            "words": each.words if len(each.words) <= room else f"{each.words[: room - 1]}…",
            "lane": place + 0.75,
            "at": place + 0.35,
            "event": each.is_event,
        }
        for place, each in enumerate(story.beside)
    ]
    scale = alt.Scale(domain=[len(values), 0], nice=False)
    y = alt.Y("lane:Q", title=None, scale=scale, axis=alt.Axis(labels=False, grid=False, minExtent=AXIS_WIDTH))
    x = _weeks("week", domain, shown=True)
    base = _data(values).encode(x=x)
    bars = base.transform_filter("!datum.event").mark_rule(color=look.series[1], strokeWidth=4)
    marks = base.transform_filter("datum.event").mark_point(
        shape="diamond", size=90, filled=True, opacity=1, color=look.series[1]
    )
    words = _data(values).mark_text(align="left", baseline="middle", fontSize=14, color=look.ink)
    layers = [
        bars.encode(x2="to", y=y),
        marks.encode(y=y),
        words.encode(x=alt.value(0), y=alt.Y("at:Q", scale=scale), text="words:N"),
    ]
    return alt.layer(*layers).properties(width=width, height=LANE_HEIGHT * len(values))


def survival_headline(curve: Curve) -> str:
    """What the curve shows, in few words."""
    if not curve.n:
        return "Nobody who responded has been followed yet"
    if curve.median.day is None:
        return "Fewer than half have been seen to lose their response so far"
    return f"Half had lost their response {curve.median.day:g} days after the course"


def survival_finding(curve: Curve, published: PublishedResult | None = None) -> str:
    """The curve in a sentence, for somebody who does not see it."""
    lost = curve.n - curve.censored
    told = f"{survival_headline(curve)}. Of {_people(curve.n)} who responded, {lost} lost it; "
    told += f"median {curve.median.words}."
    return f"{told} {_reference(published)}" if published else told


def _people(count: int) -> str:
    return f"{count} {'person' if count == 1 else 'people'}"


def _reference(published: PublishedResult) -> str:
    return f"{published.study}, on the {published.instrument}: median {published.days:g} days."


def survival_rows(curve: Curve) -> list[tuple[float, int, int, str, str]]:
    """The table beside: day, at risk, lost, percent that kept it, and its interval."""
    return [
        (
            step.day,
            step.at_risk,
            step.lost,
            f"{100 * step.survival:.0f} %",
            "" if step.low is None or step.high is None else f"{100 * step.low:.0f} to {100 * step.high:.0f} %",
        )
        for step in curve.steps
    ]


def survival(curve: Curve, published: PublishedResult | None, width: int, look: str) -> alt.TopLevelMixin:
    """The share that kept its response, with its band; numbers at risk below; a published median as a dotted line."""
    colours = LOOKS[look]
    last = max(FOLLOW_UP_DAYS, curve.last_day)
    every = 28 if width > NARROW else 56
    days = list(range(0, int(last) + 1, every))
    axis = alt.Axis(values=days, grid=False, format="d", labelFlush=False)
    x = alt.X(
        "day:Q", title="days from the end of the course", axis=axis, scale=alt.Scale(domain=[0, last], nice=False)
    )
    shares = alt.Axis(values=[0, 25, 50, 75, 100], minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH)
    y = alt.Y("share:Q", title=None, axis=shares, scale=alt.Scale(domain=[0, 100], nice=False))
    inner = width - AXIS_WIDTH - 24
    layers = [*_reference_line(published, x, inner, last, colours), *_steps(curve, x, y, colours)]
    chart = alt.layer(*layers).properties(width=inner, height=HEIGHT)
    below = _at_risk(curve, days, last, inner, colours)
    return alt.vconcat(chart, below, spacing=8).properties(
        title=alt.TitleParams(
            lines(survival_headline(curve), width // 11),
            subtitle=lines(_survival_explained(curve, published), width // 8),
        )
    )


def _survival_explained(curve: Curve, published: PublishedResult | None) -> str:
    told = [
        f"Of 100 who responded, how many still do; {_people(curve.n)} counted. Band: 95 % interval.",
        "Upright marks: last seen on that day, still responding. A loss counts on the day it was seen.",
    ]
    if published:
        told.append(f"Dotted: {_reference(published)}")
    return " ".join(told)


def _reference_line(published: PublishedResult | None, x: alt.X, width: int, last: float, look: Look) -> Iterator[Any]:
    if published is None or published.days is None:
        return
    base = _data([{"day": published.days, "words": f"{published.study}: {published.days:g}"}]).encode(x=x)
    yield base.mark_rule(color=look.ink_2, strokeDash=[2, 3], strokeWidth=1.5)
    yield base.mark_text(align="left", dx=6, fontSize=14, color=look.ink_2).encode(
        y=alt.value(HEIGHT - 10), text="words:N"
    )


def _steps(curve: Curve, x: alt.X, y: alt.Y, look: Look) -> Iterator[Any]:
    band = list(_band_rows(curve))
    values = [{"day": step.day, "share": 100 * step.survival} for step in curve.steps if curve.n]
    if band:
        area = _data(band).mark_area(interpolate="step-after", color=look.series[0], opacity=BAND_OPACITY)
        yield area.encode(x=x, y=alt.Y("share:Q"), y2="high")
    yield _data(values).mark_line(interpolate="step-after", color=look.series[0], strokeWidth=2).encode(x=x, y=y)
    seen = [value for value in values if _censored(curve, value["day"])]
    if seen:
        yield _data(seen).mark_tick(
            orient="vertical", color=look.series[0], thickness=1.5, size=12
        ).encode(x=x, y=y)  # fmt: skip


def _censored(curve: Curve, day: float) -> bool:
    """Whether somebody was last seen on that day without a loss."""
    place = [step.day for step in curve.steps].index(day)
    step = curve.steps[place]
    left = curve.steps[place + 1].at_risk if place + 1 < len(curve.steps) else 0
    return step.at_risk - step.lost > left


def _band_rows(curve: Curve) -> Iterator[dict[str, float]]:
    """The band where it is defined; after its last step it is drawn to the day on which nobody is left."""
    kept: dict[str, float] | None = None
    for step in curve.steps:
        if step.low is not None and step.high is not None:
            kept = {"day": step.day, "share": 100 * step.low, "high": 100 * step.high}
            yield kept
        elif kept is not None:
            yield kept | {"day": step.day}


def _at_risk(curve: Curve, days: Sequence[int], last: float, width: int, look: Look) -> Any:
    """How many are still followed, below the axis."""
    values = [{"day": day, "n": curve.at_risk_on(day)} for day in days]
    scale = alt.Scale(domain=[0, last], nice=False)
    base = _data(values).encode(x=alt.X("day:Q", axis=None, scale=scale), text="n:N")
    numbers = base.mark_text(fontSize=14, color=look.ink).encode(y=alt.value(30))
    title = _data([{"words": "still followed"}]).mark_text(align="left", fontSize=14, color=look.ink_2)
    return alt.layer(numbers, title.encode(x=alt.value(0), y=alt.value(8), text="words:N")).properties(
        width=width, height=36
    )
