"""Charts of the clinic's own numbers, drawn to SVG on the server: no script, no style, one file to each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

from reprieve.web.promises import Week, finding

FONT = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of one colour scheme; the same as in ``site.css``."""

    surface: str
    ink: str
    ink_2: str
    rule: str
    series: tuple[str, str, str]


LOOKS = {
    "light": Look("#ffffff", "#1b2426", "#4b585b", "#d8d4c9", ("#0a4c86", "#d0640f", "#7f878a")),
    "dark": Look("#1b2426", "#eeece5", "#b5bfc0", "#374346", ("#9bd0ff", "#e8772e", "#8b979a")),
}


def theme(look: Look) -> dict[str, Any]:
    """The configuration that every chart shares: horizontal grid, no frame, text of 14 px."""
    return {
        "background": look.surface,
        "font": FONT,
        "view": {"stroke": None},
        "title": {
            "anchor": "start", "align": "left", "fontSize": 18, "fontWeight": 600, "color": look.ink,
            "subtitleFontSize": 14, "subtitleColor": look.ink_2, "subtitlePadding": 6, "offset": 16,
            "frame": "bounds",
        },
        "axis": {
            "labelFontSize": 14, "labelColor": look.ink_2, "titleFontSize": 14, "titleColor": look.ink_2,
            "titleFontWeight": "normal", "gridColor": look.rule, "domain": False, "ticks": False,
        },
        "header": {"labelFontSize": 14, "labelColor": look.ink, "labelFontWeight": 600, "title": None},
        "range": {"category": list(look.series)},
    }  # fmt: skip


def svg(chart: alt.TopLevelMixin, look: Look) -> str:
    """The chart as one SVG document."""
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict() | {"config": theme(look)})
    return drawn


def promises(weeks: Sequence[Week], width: int, look: str) -> str:
    """Promised calls by week: one panel for those made in time, one for those missed, one for those still open."""
    colours = LOOKS[look]
    names = ("Made in time", "Late or not made", "Still open")
    rows = [
        {"week": f"{week.monday.day} {week.monday:%b}", "kind": kind, "calls": calls, "order": number}
        for number, week in enumerate(weeks)
        for kind, calls in zip(names, (week.in_time, week.missed, week.still_open), strict=True)
    ]
    top = max(1, *(calls for week in weeks for calls in (week.in_time, week.missed, week.still_open)))
    every = 2 if width > 400 else 4
    shown = [f"{week.monday.day} {week.monday:%b}" for week in weeks][::-every]
    subtitle = ["Calls by the week they were promised for,", f"most in a week: {top}"]
    inner = width - 56
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "week:N",
            sort=None,
            title=None,
            axis=alt.Axis(values=shown, labelAngle=0, labelOverlap=False, labelPadding=10),
        ),
        y=alt.Y(
            "calls:Q",
            title=None,
            scale=alt.Scale(domain=[0, top], nice=False),
            axis=alt.Axis(values=sorted({0, top}), format="d"),
        ),
    )
    panels = [
        base.transform_filter(alt.datum.kind == kind)
        .mark_bar(color=colour)
        .properties(width=inner, height=72, title=alt.Title(kind, fontSize=14, color=colours.ink, offset=6))
        for kind, colour in zip(names, colours.series, strict=True)
    ]
    words = finding(weeks)
    chart = alt.vconcat(*panels, spacing=16).properties(
        title=alt.Title(_lines(words, width // 12), subtitle=subtitle if width < 400 else " ".join(subtitle))
    )
    return svg(chart, colours)


def _lines(words: str, length: int) -> list[str]:
    lines = [""]
    for word in words.split():
        if len(lines[-1]) + len(word) > length:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
