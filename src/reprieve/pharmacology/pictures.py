"""The pictures of the page on how ketamine is thought to work: the chain, and one chart a link.

Each is drawn at a size that is known before it is drawn, so that a page can keep its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np

from reprieve.charts import LOOKS, Look, lines
from reprieve.pharmacology.links import NODES, STANDINGS, Link, drawn
from reprieve.pharmacology.panels import HOURS, IN_WEEKS, Curve, Panel
from reprieve.pharmacology.plot import DASHES, spread

NARROW = 400
FONT_SIZE, LINE = 14, 18
TITLE_LINE = 23
HEIGHT = 170  # of the plot itself
LEFT, BELOW, GAP = 40, 44, 12
LABEL_LETTER = 8.6  # pixels a letter of a label takes, at most
THICK = {"well founded": 3.5, "plausible": 2.5, "speculative": 2.5}
STROKE = {"well founded": [1, 0], "plausible": [8, 4], "speculative": [2, 4]}
HEAD = 600  # of an arrow: its length in pixels is half the root of this
POINTS_A_LINE = 90  # more than these a chart of this size cannot show


# One chart a link


def _title(panel: Panel, width: int) -> tuple[list[str], list[str]]:
    measure = f"{panel.measure}. Ticks are drips" if panel.drips else panel.measure
    return lines(panel.title, width // 12), lines(measure, width // 9)


def _above(panel: Panel, width: int) -> int:
    title, measure = _title(panel, width)
    return len(title) * TITLE_LINE + len(measure) * LINE + 24


def size(panel: Panel, width: int) -> tuple[int, int]:
    """Width and height of its picture in pixels."""
    return width, _above(panel, width) + HEIGHT + BELOW


def chart(panel: Panel, width: int, look: str) -> alt.TopLevelMixin:
    """The curves of one link, each named where it ends; ticks at the bottom are drips."""
    colours = LOOKS[look]
    right = int(max(len(curve.label) for curve in panel.curves) * LABEL_LETTER) + GAP
    inner = width - LEFT - right - 4
    title, measure = _title(panel, width)
    layers = [*_drips(panel, colours), *_mark(panel, colours)]
    layers += [_curve(panel, curve, colours) for curve in reversed(panel.curves)]
    layers += _labels(panel, inner, colours)
    above = _above(panel, width)
    return alt.layer(*layers).properties(
        width=inner,
        height=HEIGHT,
        padding={"left": LEFT, "right": right + 4, "top": above, "bottom": BELOW},
        autosize=alt.AutoSizeParams(type="none"),
        title=alt.TitleParams(title, subtitle=measure, offset=16, dx=-LEFT + 2, frame="group"),
    )


def _scales(panel: Panel) -> tuple[alt.X, alt.Y]:
    last = float(panel.across[-1])
    ticks = {HOURS: [0, 1, 2, 3, 4, 5, 6], IN_WEEKS: list(range(0, round(last) + 1, 2))}.get(panel.axis)
    across = alt.Axis(values=ticks, grid=False, title=panel.axis) if ticks else alt.Axis(
        tickCount=4, grid=False, title=panel.axis
    )  # fmt: skip
    return (
        alt.X("x:Q", scale=alt.Scale(domain=[float(panel.across[0]), last], nice=False), axis=across),
        alt.Y(
            "y:Q",
            title=None,
            scale=alt.Scale(domain=list(panel.domain), nice=False, zero=False),
            axis=alt.Axis(tickCount=4),
        ),
    )


def _curve(panel: Panel, curve: Curve, colours: Look) -> alt.Chart:
    across, up = _scales(panel)
    values = [
        {"x": round(float(panel.across[place]), 3), "y": round(float(curve.values[place]), 2)}
        for place in _thinned(panel)
    ]
    drawn_line = alt.Chart(alt.InlineData(values=values)).mark_line(
        strokeWidth=2.5, color=colours.series[curve.series], strokeDash=DASHES[curve.series]
    )
    encoded: alt.Chart = drawn_line.encode(x=across, y=up)
    return encoded


def _thinned(panel: Panel) -> Sequence[int]:
    """Places to draw: all if few, else evenly many, the highest and the lowest of each curve kept."""
    count = len(panel.across)
    if count <= POINTS_A_LINE:
        return range(count)
    kept = set(np.linspace(0, count - 1, POINTS_A_LINE).astype(int).tolist())
    for curve in panel.curves:
        kept |= {int(np.argmax(curve.values)), int(np.argmin(curve.values))}
    return sorted(kept)


def _labels(panel: Panel, inner: int, colours: Look) -> list[alt.Chart]:
    """The name of each line at its end, none over another, none below the axis."""
    low, high = panel.domain
    ends = {curve.label: HEIGHT * (curve.values[-1] - low) / (high - low) for curve in panel.curves}
    series = {curve.label: curve.series for curve in panel.curves}
    return [
        alt.Chart(alt.InlineData(values=[{"name": name}]))
        .mark_text(align="left", baseline="middle", fontSize=FONT_SIZE, color=colours.series[series[name]])
        .encode(x=alt.value(inner + 8), y=alt.value(HEIGHT - above), text="name:N")
        for name, above in spread(ends, LINE).items()
    ]


def _drips(panel: Panel, colours: Look) -> Iterator[alt.Chart]:
    if panel.drips:
        across, up = _scales(panel)
        ticks = alt.Chart(alt.InlineData(values=[{"x": week, "y": panel.domain[0]} for week in panel.drips]))
        yield ticks.mark_tick(
            orient="vertical", size=12, thickness=2, yOffset=-6, color=colours.series[1]
        ).encode(x=across, y=up)  # fmt: skip


def _mark(panel: Panel, colours: Look) -> Iterator[alt.Chart]:
    """A dot where the made-up person stands."""
    if panel.mark is not None:
        across, up = _scales(panel)
        value = float(np.interp(panel.mark, panel.across, panel.curves[0].values))
        dot = alt.Chart(alt.InlineData(values=[{"x": panel.mark, "y": value}]))
        yield dot.mark_point(size=140, filled=True, opacity=1, color=colours.series[1]).encode(x=across, y=up)


# The chain

Place = tuple[float, float]
Side = Literal["left", "center", "right"]

NODE_ROW, NODE_HALF, TOP = 84, 20, 24  # pixels from row to row, half a box, the middle of the first row
NODE_LETTER = 9
PLACES = {  # column and row of each node
    "infusion": (1, 0), "blood": (1, 1), "receptor": (1, 2), "glutamate": (1, 3), "synapses": (1, 4),
    "symptoms": (1, 5), "detached": (0, 1), "pressure": (2, 1), "stress": (0, 4), "ssri": (0, 5), "learning": (2, 3),
}  # fmt: skip
ROWS = 1 + max(row for _, row in PLACES.values())
COLUMNS = {  # middle of each column and half the width of its boxes: on a phone, on a page
    True: ((40, 38), (160, 48), (286, 40)),
    False: ((69, 66), (310, 62), (551, 66)),
}


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node stands."""

    column: int
    left: float
    right: float
    top: float
    bottom: float

    @classmethod
    def of(cls, node: str, width: int) -> Box:
        """The box of a node in a picture of this width."""
        column, row = PLACES[node]
        centre, half = COLUMNS[width <= NARROW][column]
        return cls(
            column, centre - half, centre + half, TOP + row * NODE_ROW - NODE_HALF, TOP + row * NODE_ROW + NODE_HALF
        )

    @property
    def middle(self) -> float:
        """Half its height down."""
        return (self.top + self.bottom) / 2

    @property
    def centre(self) -> float:
        """Half its width across."""
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """The corners of an arrow, and where its word stands."""

    corners: tuple[Place, ...]
    word: Place
    side: Side

    @classmethod
    def of(cls, link: Link, width: int) -> Arrow:
        """The arrow of a link in a picture of this width."""
        start, end = Box.of(link.start, width), Box.of(link.end, width)
        if link.end == "learning":
            return cls._slanting(start, end)
        if link.start == "learning":
            return cls._round_the_corner(start, end)
        if start.column == end.column:
            word = (start.centre + 9, (start.bottom + end.top) / 2 - 3)
            return cls(((start.centre, start.bottom), (end.centre, end.top)), word, "left")
        return cls._across(start, end, width)

    @classmethod
    def _slanting(cls, start: Box, end: Box) -> Arrow:
        down = start.top < end.top
        head = (end.left + 0.45 * (end.right - end.left), end.top if down else end.bottom)
        word = (start.right + 10, start.middle + (-11 if down else 11))
        return cls(((start.right, start.middle), head), word, "left")

    @classmethod
    def _round_the_corner(cls, start: Box, end: Box) -> Arrow:
        edge = start.right - 8
        corners = ((edge, start.bottom), (edge, end.middle), (end.right, end.middle))
        return cls(corners, (edge, end.middle + 16), "right")

    @classmethod
    def _across(cls, start: Box, end: Box, width: int) -> Arrow:
        left, right = sorted((start, end), key=lambda box: box.left)
        tail, head = (left.right, right.left) if start is left else (right.left, left.right)
        corners = ((tail, start.middle), (head, end.middle))
        if width > NARROW:
            return cls(corners, ((tail + head) / 2, start.middle - 13), "center")
        below = start.bottom + 12  # no room beside the arrow: its word goes below the outer box
        return cls(corners, (left.left, below), "left") if left.column == 0 else cls(
            corners, (right.right, below), "right"
        )  # fmt: skip


def chain_size(width: int) -> tuple[int, int]:
    """Width and height of the picture of the chain in pixels."""
    return width, 2 * TOP + (ROWS - 1) * NODE_ROW + (22 if width <= NARROW else 0)


def chain(width: int, look: str) -> alt.TopLevelMixin:
    """Every link as an arrow from node to node: a word, a colour and a dash for how well founded it is."""
    colours = LOOKS[look]
    layers = [layer for link in drawn() for layer in _arrow(link, width, colours)]
    return alt.layer(*layers, *_boxes(width, colours)).properties(
        width=width, height=chain_size(width)[1], padding=0, autosize=alt.AutoSizeParams(type="none")
    )


def _at(values: Sequence[Mapping[str, Any]], width: int) -> tuple[alt.Chart, alt.X, alt.Y]:
    """A chart of these values whose axes are pixels."""
    return (
        alt.Chart(alt.InlineData(values=list(values))),
        alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], nice=False)),
        alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[chain_size(width)[1], 0], nice=False)),
    )


def _boxes(width: int, colours: Look) -> Iterator[alt.Chart]:
    boxes = {node: Box.of(node, width) for node in PLACES}
    base, x, y = _at([{"x": b.left, "y": b.top, "x2": b.right, "y2": b.bottom} for b in boxes.values()], width)
    yield base.mark_rect(
        fill=colours.surface, stroke=colours.ink_2, strokeWidth=1.5, cornerRadius=6, opacity=1
    ).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")  # fmt: skip
    words = []
    for node, box in boxes.items():
        said = lines(NODES[node][0], int((box.right - box.left) / NODE_LETTER))
        words += [
            {"x": box.centre, "y": box.middle + (number - (len(said) - 1) / 2) * LINE, "said": line}
            for number, line in enumerate(said)
        ]
    base, x, y = _at(words, width)
    yield base.mark_text(fontSize=FONT_SIZE, color=colours.ink, baseline="middle").encode(x=x, y=y, text="said:N")


def _arrow(link: Link, width: int, colours: Look) -> Iterator[alt.Chart]:
    arrow, colour = Arrow.of(link, width), colours.series[STANDINGS.index(link.standing)]
    base, x, y = _at([{"x": across, "y": down, "n": n} for n, (across, down) in enumerate(arrow.corners)], width)
    yield base.mark_line(
        color=colour, strokeWidth=THICK[link.standing], strokeDash=STROKE[link.standing]
    ).encode(x=x, y=y, order="n:Q")  # fmt: skip
    (from_x, from_y), (to_x, to_y) = arrow.corners[-2:]
    base, x, y = _at([{"x": to_x, "y": to_y}], width)
    yield base.mark_point(
        shape="M0,0L-1,-.55L-1,.55Z", size=HEAD, filled=True, opacity=1, color=colour, strokeWidth=0,
        angle=float(np.degrees(np.arctan2(to_y - from_y, to_x - from_x))) % 360,
    ).encode(x=x, y=y)  # fmt: skip
    base, x, y = _at([{"x": arrow.word[0], "y": arrow.word[1], "said": link.standing}], width)
    yield base.mark_text(fontSize=FONT_SIZE, color=colours.ink, align=arrow.side, baseline="middle").encode(
        x=x, y=y, text="said:N"
    )
