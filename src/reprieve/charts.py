"""How every chart looks: one theme, light and dark, drawn to SVG on the server with no script and no style in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import vl_convert

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


class Described(Protocol):
    """A chart of Altair, or anything else that is a description in Vega-Lite."""

    def to_dict(self) -> dict[str, Any]:
        """The description."""


def svg(chart: Described, look: Look) -> str:
    """The chart as one SVG document."""
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict() | {"config": theme(look)})
    return drawn


def png(chart: Described, look: Look, *, scale: float = 2) -> bytes:
    """The chart as a PNG picture, ``scale`` times as many pixels as the SVG has units."""
    drawn: bytes = vl_convert.vegalite_to_png(chart.to_dict() | {"config": theme(look)}, scale=scale)
    return drawn


def lines(words: str, length: int) -> list[str]:
    """Words broken into lines of at most ``length`` letters."""
    broken = [""]
    for word in words.split():
        if len(broken[-1]) + len(word) > length:
            broken.append("")
        broken[-1] = f"{broken[-1]} {word}".strip()
    return broken
