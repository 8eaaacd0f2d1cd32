"""Charts of the clinic's own numbers."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from reprieve.charts import LOOKS, lines, svg
from reprieve.web.promises import Week, finding


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
        title=alt.Title(lines(words, width // 12), subtitle=subtitle if width < 400 else " ".join(subtitle))
    )
    return svg(chart, colours)
