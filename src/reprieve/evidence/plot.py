"""Pictures of the evidence: forest plot, relief over time, who met whom, how many of 100; for a phone or a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from reprieve.charts import LOOKS, Look, lines
from reprieve.evidence.answer import Answer
from reprieve.evidence.durability import Durability
from reprieve.evidence.harms import HarmSummary
from reprieve.evidence.network import Network
from reprieve.evidence.question import OUTCOMES, WINDOWS
from reprieve.evidence.trial import DIRECTION_ONLY, POOLED, Entry

NARROW = 400
RECALLED = "Some figures come from memory and were not checked."


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a forest plot. ``low`` and ``high`` may lie beyond the axis; ``value`` is None without a number."""

    label: str
    kind: str
    value: float | None
    low: float
    high: float
    weight: float = 0

    def text(self, ratio: bool) -> str:
        """Its figures as printed at the right."""
        if self.value is None:
            return "direction only"
        low, value, high = (math.exp(x) if ratio else x for x in (self.low, self.value, self.high))
        return f"{value:.2f} ({low:.2f} to {high:.2f})"


def forest_lines(answer: Answer) -> list[Line]:
    """The lines of a forest plot: trials with a number, trials with a direction, then what they say together."""
    weights = answer.pooled.weights if answer.pooled else ()
    found = [_line(entry, weight) for entry, weight in zip(answer.used(POOLED), weights, strict=True) if entry.effect]
    found += [
        Line(_label(entry), "direction", None, entry.direction.low, entry.direction.high)
        for entry in answer.used(DIRECTION_ONLY)
        if entry.direction
    ]
    return found + list(_summaries(answer))


def _label(entry: Entry) -> str:
    return f"{entry.study.name}{' (from memory)' if entry.is_recalled else ''}"


def _line(entry: Entry, weight: float) -> Line:
    assert entry.effect is not None
    low, high = entry.effect.interval()
    return Line(_label(entry), "trial", entry.effect.estimate, low, high, weight)


def _summaries(answer: Answer) -> Iterator[Line]:
    pooled, all_trials = answer.pooled, answer.with_directions
    if pooled and pooled.k > 1:
        yield Line("Numbers only, pooled", "pooled", pooled.estimate, pooled.ci_low, pooled.ci_high)
        if pooled.prediction_low is not None and pooled.prediction_high is not None:
            middle = pooled.estimate
            yield Line("A new trial (numbers only)", "new", middle, pooled.prediction_low, pooled.prediction_high)
    if all_trials and answer.directions and math.isfinite(all_trials.estimate):
        yield Line("All, directions counted", "pooled", all_trials.estimate, all_trials.ci_low, all_trials.ci_high)
    if answer.belief:
        belief = answer.belief
        yield Line("All, with a weak prior", "pooled", belief.median, belief.ci_low, belief.ci_high)
        yield Line("A new trial (weak prior)", "new", belief.median, belief.prediction_low, belief.prediction_high)


def headline(answer: Answer) -> str:
    """What the trials say together, in a short sentence without figures."""
    treatment = answer.question.treatment
    low, high = _together(answer)
    if low is None or high is None:
        return f"No trial we can use has measured this for {treatment}"
    alone = len(answer.used(POOLED)) + len(answer.used(DIRECTION_ONLY)) == 1
    together, favour = ("The one trial we can use", "favours") if alone else ("Together the trials", "favour")
    if low > 0:
        return f"{together} {favour} {treatment}"
    if high < 0:
        return f"{together} {favour} the control over {treatment}"
    return f"{together} cannot tell {treatment} from the control"


def _together(answer: Answer) -> tuple[float | None, float | None]:
    if answer.with_directions is not None:
        return answer.with_directions.ci_low, answer.with_directions.ci_high
    return None, None


def alt_text(answer: Answer) -> str:
    """The forest plot in a sentence, with its figures."""
    parts = [f"{line.label}: {line.text(answer.is_ratio)}" for line in forest_lines(answer)]
    return f"{headline(answer)}. {'; '.join(parts)}." if parts else f"{headline(answer)}."


def forest(answer: Answer, width: int, look: str) -> alt.TopLevelMixin:
    """A forest plot: square by weight, line = interval, outlined diamond = together, thin bar = a new trial."""
    colours = LOOKS[look]
    found = forest_lines(answer)
    low, high = _domain(found, answer.is_ratio)
    rows = [_row(number, line, low, high, answer.is_ratio) for number, line in enumerate(found)]
    inner, narrow = width - 24, width <= NARROW  # on a phone a name and its figures need a line each
    x = alt.X("low:Q", title=None, scale=alt.Scale(domain=[low, high], nice=False), axis=_axis(answer.is_ratio))
    y = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[len(rows) - 0.4, -0.6], nice=False))
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    layers = [
        _no_difference(colours),
        _kind(base, "direction").mark_bar(height=14, opacity=0.35, color=colours.series[2]).encode(x=x, x2="high:Q"),
        _kind(base, "new").mark_bar(height=4, color=colours.series[2]).encode(x=x, x2="high:Q"),
        _kind(base, "trial").mark_rule(strokeWidth=2, color=colours.series[0]).encode(x=x, x2="high:Q"),
        _kind(base, "pooled").mark_rule(strokeWidth=2, color=colours.ink).encode(x=x, x2="high:Q"),
        _kind(base, "trial")
        .mark_point(shape="square", filled=True, opacity=1, color=colours.series[0])
        .encode(x="value:Q", size=alt.Size("area:Q", scale=None)),
        _kind(base, "pooled")
        .mark_point(shape="diamond", size=190, opacity=1, fill=colours.surface, stroke=colours.ink, strokeWidth=2)
        .encode(x="value:Q"),
        base.mark_text(
            align="left", baseline="bottom", dy=-26 if narrow else -10, fontSize=14, color=colours.ink
        ).encode(x=alt.value(0), text="label:N"),
        base.mark_text(align="right", baseline="bottom", dy=-10, fontSize=14, color=colours.ink_2).encode(
            x=alt.value(inner), text="figures:N"
        ),
    ]  # fmt: skip
    if not rows:
        layers = layers[:1]
    return alt.layer(*layers).properties(
        width=inner,
        height=max(40, (62 if narrow else 46) * len(rows)),
        title=_title(headline(answer), _explained(answer), width),
    )


def _no_difference(colours: Look) -> alt.Chart:
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}]))
    chart: alt.Chart = zero.mark_rule(color=colours.ink_2, strokeDash=[4, 4]).encode(x=alt.X("zero:Q", title=None))
    return chart


def _kind(base: alt.Chart, kind: str) -> alt.Chart:
    chart: alt.Chart = base.transform_filter(alt.datum.kind == kind)
    return chart


def _row(number: int, line: Line, low: float, high: float, ratio: bool) -> dict[str, Any]:
    """A line within the axis: an end beyond it is cut there."""
    return {
        "row": number,
        "kind": line.kind,
        "label": line.label,
        "figures": "" if line.value is None else line.text(ratio),
        "value": None if line.value is None else min(max(line.value, low), high),
        "low": max(line.low, low),
        "high": min(line.high, high),
        "area": 40 + 2.2 * line.weight,
    }


def _domain(found: Sequence[Line], ratio: bool) -> tuple[float, float]:
    """The axis: from -1 to 2 on the standard scale, from a quarter to eight times as often for ratios, or wider."""
    low, high = (math.log(0.25), math.log(8)) if ratio else (-1.0, 2.0)
    ends = [end for line in found if line.kind == "trial" for end in (line.low, line.high)]
    return min([low, *ends]), max([high, *ends])


def _axis(ratio: bool) -> alt.Axis:
    if not ratio:
        return alt.Axis(values=[-1, -0.5, 0, 0.5, 1, 1.5, 2], format=".1~f", grid=True)
    values = [math.log(x) for x in (0.25, 0.5, 1, 2, 4, 8)]
    return alt.Axis(values=values, labelExpr="format(exp(datum.value), '.2~f')", grid=True)


def _explained(answer: Answer) -> str:
    question = answer.question
    what = "How many times as often" if answer.is_ratio else "Standardised difference"
    about = OUTCOMES[question.outcome]
    words = (
        f"{about[0].upper()}{about[1:]}, {WINDOWS[question.window].words}. {what}; right of the dashed line favours "
        f"{question.treatment}. Line: 95% interval. Wide grey bar: only a direction was reported, the effect lies "
        "in it. Thin bar: range for a new trial."
    )
    return f"{words} {RECALLED}" if answer.recalled else words


def _title(title: str, subtitle: str, width: int) -> alt.TitleParams:
    letters = width // 8
    return alt.TitleParams(lines(f"{title[0].upper()}{title[1:]}", width // 11), subtitle=lines(subtitle, letters))


def survival(known: Durability, width: int, look: str) -> alt.TopLevelMixin:
    """The share of treated people still better, by day from the first dose, as far as anybody counted."""
    colours = LOOKS[look]
    rows = [
        {
            "course": course.study.name
            if course.treatment == "ketamine"
            else f"{course.study.name}, {course.treatment}",
            "group": course.treatment if course.controlled else f"{course.treatment}, no control group",
            "day": point.day if course.treatment == "ketamine" else point.day + 1,
            "share": 100 * point.share,
            "low": None if point.low is None else 100 * point.low,
            "high": None if point.high is None else 100 * point.high,
            "series": _series(course.controlled, course.treatment, colours),
            "last": number == len(course.points) - 1,
        }
        for course in known.courses
        for number, point in enumerate(course.points)
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "day:Q",
            title="Days from the first dose",
            scale=alt.Scale(domain=[0, 70 if width > NARROW else 84], nice=False),
        ),
        color=alt.Color("series:N", scale=None),
    )
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(values=[0, 25, 50, 75, 100]))
    detail = alt.Detail("course:N"), alt.Detail("group:N")
    counted = base.transform_filter("datum.low != null")
    layers = [
        base.mark_line(strokeDash=[3, 5], strokeWidth=1.5).encode(y=y, detail=[detail[0], detail[1]]),
        counted.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(y=y),
        base.transform_filter("datum.last").mark_text(align="left", dx=8, fontSize=14).encode(y=y, text="course:N"),
    ]
    subtitle = (
        "Of 100 treated people, how many were better. Blue: ketamine in a trial with a control group, orange: without "
        "one, grey: the control. Upright line: 95% interval of a count. A point without one: half of those had lost "
        "the gain by then. Between points nobody counted."
    )
    title = _title(known.headline(), subtitle, width)
    return alt.layer(*layers).properties(width=width - 60, height=220, title=title)


def _series(controlled: bool, treatment: str, colours: Look) -> str:
    if treatment != "ketamine":
        return colours.series[2]
    return colours.series[0] if controlled else colours.series[1]


def graph(known: Network, width: int, look: str) -> alt.TopLevelMixin:
    """Who was compared with whom: an arc for each pair, thicker with more trials, dashed where only a review did it."""
    colours = LOOKS[look]
    inner = width - 24
    row = {name: number for number, name in enumerate(known.treatments)}
    points: list[dict[str, Any]] = [
        {"pair": f"{pair.a}, {pair.b}", "step": step, "x": x, "y": y,
         "width": 1.5 + 1.5 * len(pair.studies), "direct": bool(pair.studies)}
        for pair in known.comparisons
        for step, (x, y) in enumerate(_arc(row[pair.a], row[pair.b]))
    ]  # fmt: skip
    reach = max((-point["x"] for point in points), default=1)
    across = alt.Scale(domain=[-reach, reach * LABEL_PX / (inner - LABEL_PX)], nice=False)
    down = alt.Scale(domain=[len(row) - 0.5, -0.5], nice=False)
    at: Any = {"x": alt.X("x:Q", scale=across, axis=None), "y": alt.Y("y:Q", scale=down, axis=None)}
    arcs = alt.Chart(alt.InlineData(values=points)).encode(
        **at, order="step:Q", detail="pair:N", strokeWidth=alt.StrokeWidth("width:Q", scale=None)
    )
    dots = alt.Chart(alt.InlineData(values=[{"x": 0, "y": y, "name": name} for name, y in row.items()])).encode(**at)
    layers = [
        arcs.transform_filter("datum.direct").mark_line(color=colours.series[0]),
        arcs.transform_filter("!datum.direct").mark_line(color=colours.series[2], strokeDash=[4, 4]),
        dots.mark_point(filled=True, size=80, opacity=1, color=colours.ink),
        dots.mark_text(align="left", dx=10, fontSize=14, color=colours.ink).encode(text="name:N"),
    ]
    subtitle = (
        "An arc: randomised trials put the two side by side, thicker with more. Dashed: only a review pooled them."
    )
    title = _title(known.headline(), subtitle, width)
    return alt.layer(*layers).properties(width=inner, height=28 * len(row), title=title)


LABEL_PX = 180


def _arc(one: int, other: int) -> list[tuple[float, float]]:
    """Points of a half ellipse between two rows, bulging to the left by the way between them."""
    half = abs(other - one) / 2
    turns = [math.pi * step / 16 for step in range(17)]
    return [(-(half**0.7) * math.sin(turn), (one + other) / 2 - half * math.cos(turn)) for turn in turns]


def icons(panels: Sequence[tuple[str, float]], width: int, look: str) -> alt.TopLevelMixin:
    """Of 100 people, how many: one field of 100 small squares for each (label, share of 1)."""
    colours = LOOKS[look]
    side = 130 if width <= NARROW else 180
    charts = []
    for label, share in panels:
        full = round(100 * share)
        squares = [{"x": n % 10, "y": n // 10, "on": n < full} for n in range(100)]
        charts.append(
            alt.Chart(alt.InlineData(values=squares))
            .mark_point(shape="square", size=side * 0.6, strokeWidth=1.5, opacity=1)
            .encode(
                x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.6, 9.6])),
                y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[9.6, -0.6])),
                fill=alt.condition("datum.on", alt.value(colours.series[0]), alt.value(colours.surface)),
                stroke=alt.condition("datum.on", alt.value(colours.series[0]), alt.value(colours.series[2])),
            )
            .properties(
                width=side, height=side,
                title=alt.TitleParams(lines(f"{full} of 100: {label}", side // 9), fontSize=14, offset=6),
            )
        )  # fmt: skip
    return alt.hconcat(*charts, spacing=24)


def harm_bars(summaries: Sequence[HarmSummary], width: int, look: str) -> alt.TopLevelMixin:
    """How often each harm was seen, with the drug and with the control, of 100 people in the largest count there is."""
    colours = LOOKS[look]
    rows: list[dict[str, Any]] = []
    for summary in summaries:
        counted = [seen for seen in summary.rows if seen.share and seen.control and seen.control.share]
        if not counted:
            continue
        seen = max(counted, key=lambda row: row.harm.n or 0)
        for treated, share in ((True, seen.share), (False, seen.control.share if seen.control else None)):
            if share is not None:
                name = {"harm": summary.words, "treated": treated, "population": seen.harm.population}
                rows.append({**name, "low": share.low, "high": share.high})
    order = [row["harm"] for row in sorted(rows, key=lambda row: -row["high"]) if row["treated"]]
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=alt.Y("harm:N", sort=order, axis=None))
    of_100 = alt.X(
        "high:Q", title=None, scale=alt.Scale(domain=[0, 50], clamp=True), axis=alt.Axis(values=[0, 10, 20, 30, 40, 50])
    )
    with_drug = base.transform_filter("datum.treated")
    layers = [
        with_drug.mark_bar(height=9, yOffset=5, color=colours.series[0]).encode(x=of_100),
        base.transform_filter("!datum.treated")
        .mark_bar(height=9, yOffset=15, color=colours.series[2])
        .encode(x=of_100),
        with_drug.mark_text(align="left", baseline="bottom", dy=-1, fontSize=14, color=colours.ink).encode(
            x=alt.value(0), text="harm:N"
        ),
    ]
    populations = " and ".join(dict.fromkeys(row["population"] for row in rows))
    drugs = " or ".join(dict.fromkeys(summary.treatment for summary in summaries))
    subtitle = f"Of 100 people. Upper bar: with {drugs}. Lower bar, grey: with the control. Counted in {populations}."
    chart = alt.layer(*layers)
    return chart.properties(
        width=width - 24,
        height=46 * len(order),
        title=_title(_commonest(rows), subtitle, width),
    )


def _commonest(rows: Sequence[dict[str, Any]]) -> str:
    """The three harms seen most often with the drug, in words."""
    treated = sorted((row for row in rows if row["treated"]), key=lambda row: -row["high"])
    return "Seen most often: " + ", ".join(row["harm"] for row in treated[:3])
