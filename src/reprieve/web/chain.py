"""The chain from drip to symptoms as its page shows it: each link with its curves, and the evidence behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from reprieve.evidence import plain
from reprieve.evidence.rows import Claim, Finding
from reprieve.evidence.tables import tables
from reprieve.pharmacology import pictures
from reprieve.pharmacology.links import STANDINGS, Link, drawn
from reprieve.pharmacology.made_up import (
    FIRST_THERAPY_DAY,
    INFUSION_DAYS,
    INFUSION_H,
    SLIDERS,
    WEEKS,
    WHO,
    MadeUp,
    Settings,
)
from reprieve.pharmacology.panels import HOURS, IN_WEEKS, PANELS, Panel, in_short, settings_words
from reprieve.sources import Source
from reprieve.web import evidence_tables as shown
from reprieve.web import evidence_words as words
from reprieve.web.evidence_words import Table, table
from reprieve.web.public_words import Said, statements

WHOLE = "chain"  # the picture of all links
WIDTHS = (328, 620)
STEPS = ("c01", "c04", "c05", "c06", "c07", "c08", "c09")  # the account that clinics give
MEANINGS = {
    "well founded": "Measured in people many times, and it held.",
    "plausible": "Seen in animals, or by some studies and not by others.",
    "speculative": "A guess. Nobody has shown it in people.",
}
PARTS = {
    "time": "Time",
    "belief": "Belief",
    "sertraline": "Sertraline",
    "therapy": "Talk therapy",
    "ketamine": "Ketamine",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's name, query and sizes, narrow and wide, so that a page keeps its place, and its words."""

    name: str
    query: str
    narrow: tuple[int, int]
    wide: tuple[int, int]
    alt: str

    def address(self, width: int, look: str) -> str:
        """Where it is drawn for this width and look."""
        return reverse("link-picture", args=[self.name, width, look]) + self.query

    @property
    def narrow_light(self) -> str:
        """For a phone by day."""
        return self.address(WIDTHS[0], "light")

    @property
    def narrow_dark(self) -> str:
        """For a phone by night."""
        return self.address(WIDTHS[0], "dark")

    @property
    def wide_light(self) -> str:
        """For a page by day."""
        return self.address(WIDTHS[1], "light")

    @property
    def wide_dark(self) -> str:
        """For a page by night."""
        return self.address(WIDTHS[1], "dark")


def story() -> dict[str, Any]:
    """What stays the same whatever is set: the chain, how many links stand how, and what is said of all."""
    links = drawn()
    counts = Counter(link.standing for link in links)
    narrow, wide = (pictures.chain_size(width) for width in WIDTHS)
    said = "; ".join(f"{link.heading}: {link.standing}" for link in links)
    return {
        "chain_picture": Picture(WHOLE, "", narrow, wide, f"{said}."),
        "links_count": plain.number_word(len(links)),
        "standings": [
            {
                "words": standing,
                "tag": tag(standing),
                "meaning": MEANINGS[standing],
                "count": plain.number_word(counts[standing]),
                "links": [link for link in links if link.standing == standing],
            }
            for standing in STANDINGS
        ],
        "weight_kg": f"{WHO.weight_kg:.0f}",
        "infusion_minutes": f"{60 * INFUSION_H:.0f}",
        "infusion_days": ", ".join(map(str, INFUSION_DAYS[:-1])) + f" and {INFUSION_DAYS[-1]}",
        "therapy_day": FIRST_THERAPY_DAY,
        "weeks": WEEKS,
        "short": statements("short-answer"),
    }


def tag(standing: str) -> str:
    """The class of the tag of a standing.

    >>> tag("well founded")
    'well-founded'
    """
    return standing.replace(" ", "-")


# What the settings change


def under(one: MadeUp) -> dict[str, Any]:
    """The sliders as they stand, and each link as it is under them."""
    return {
        "sliders": [_slider(one.settings, place) for place in range(len(SLIDERS))],
        "settings_words": settings_words(one.settings),
        "in_short": in_short(one),
        "panels": [_panel(link, PANELS[link.id](one), one) for link in drawn()],
    }


def _slider(settings: Settings, place: int) -> dict[str, str]:
    slider = SLIDERS[place]
    return {
        "name": slider.name,
        "label": slider.label,
        "hint": slider.hint,
        "unit": slider.unit,
        "step": slider.text(slider.step),
        "highest": slider.text(slider.highest),
        "value": slider.text(settings.of(slider)),
    }


def query(settings: Settings) -> str:
    """The settings as an address has them, with the question mark."""
    return f"?{urlencode(settings.texts())}"


def _panel(link: Link, panel: Panel, one: MadeUp) -> dict[str, Any]:
    narrow, wide = (pictures.size(panel, width) for width in WIDTHS)
    alt = f"{panel.title}. {panel.measure}. The table below has the numbers."
    return {
        "link": link,
        "tag": tag(link.standing),
        "said": panel.said,
        "picture": Picture(link.id, query(one.settings), narrow, wide, alt),
        "table": _numbers(panel),
        "parts": _parts(one) if link.id == "synapses-symptoms" else None,
        "behind": behind(link),
    }


def _numbers(panel: Panel) -> Table:
    heads = (panel.axis[0].upper() + panel.axis[1:], *(curve.label.capitalize() for curve in panel.curves))
    rows = (
        ("", (_place(panel, place), *(_figure(curve.values[place], panel.decimals) for curve in panel.curves)))
        for place in panel.shown
    )
    return table(panel.measure, heads, rows)


def _figure(value: float, decimals: int) -> str:
    """A figure without a minus before a zero.

    >>> _figure(-0.01, 1), _figure(12.34, 0)
    ('0.0', '12')
    """
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if not float(text) else text


def _place(panel: Panel, place: int) -> str:
    across = float(panel.across[place])
    if panel.axis == HOURS:
        return f"{60 * across:.0f} minutes" if 0 < across < 1 else f"{across:.0f}"
    if panel.axis == IN_WEEKS:
        return "1 day" if 0 < across < 1 else f"{across:.0f}"
    return f"{across:.1f}"


def _parts(one: MadeUp) -> Table:
    """Where the fall of the score comes from, when the drug does most and at the end."""
    places = list(dict.fromkeys((one.best, len(one.weeks) - 1)))
    heads = ("What takes points off", *(f"By week {one.weeks[place]:.0f}" for place in places))
    rows = [
        ("", (PARTS[name], *(_figure(float(values[place]), 1) for place in places)))
        for name, values in one.shares.items()
    ]
    fall = one["caps5_total"][0] - one["caps5_total"]
    rows.append(("", ("All", *(_figure(float(fall[place]), 1) for place in places))))
    return table("Where the fall comes from, in points", heads, rows)


# What was seen


@dataclass(frozen=True, slots=True)
class Behind:
    """The evidence of a link: sentences, claims judged, findings, and where the model's numbers were read."""

    said: list[Said]
    claims: list[dict[str, Any]]
    tables: list[Table]
    also: list[words.Link]
    sources: list[words.Link]

    @property
    def count(self) -> int:
        """How many studies and texts are named, each once."""
        named = {link.name for one in self.said for link in one.links if not link.spoken}
        named |= {line.id for each in self.tables for line in each.lines}
        return len(named | {link.name for link in (*self.also, *self.sources)})


def behind(link: Link) -> Behind:
    """What was seen of a link."""
    known = tables()
    return Behind(
        statements(*link.statements),
        [_claim(known.claims[name]) for name in link.claims],
        finding_tables([known.findings[name] for name in link.findings]),
        [words.finding_link(one) for one in _bearing_on(link.claims) if one.id not in link.findings],
        [_outside(source) for source in link.sources()],
    )


def _claim(claim: Claim) -> dict[str, Any]:
    return {"claim": claim, "tag": words.verdict_tag(claim)}


def _bearing_on(claims: Iterable[str]) -> list[Finding]:
    wanted = set(claims)
    return [one for one in tables().findings.values() if wanted & set(one.claims)]


def _outside(source: Source) -> words.Link:
    return words.Link(source.name, source.url, source.mark, outside=True)


def finding_tables(found: Sequence[Finding]) -> list[Table]:
    """Findings by where they were seen; only tables with rows."""
    people = shown.findings("Seen in people", [one for one in found if one.in_people])
    animals = shown.findings("Seen in animals", [one for one in found if words.in_animals(one)])
    told = shown.findings("Told in a review", [one for one in found if not one.in_people and not words.in_animals(one)])
    return [one for one in (people, animals, told) if one.lines]


def outside() -> dict[str, Any]:
    """Claims of the account that are no link, with their findings; then the findings that stand nowhere else."""
    known = tables()
    placed = {name for link in drawn() for name in link.findings}
    claimed = {name for link in drawn() for name in link.claims}
    told = []
    for claim in (known.claims[name] for name in STEPS if name in known.claims and name not in claimed):
        found = _bearing_on([claim.id])
        new = [one for one in found if one.id not in placed]
        placed |= {one.id for one in new}
        also = [words.finding_link(one) for one in found if one not in new]
        told.append({**_claim(claim), "tables": finding_tables(new), "also": also})
    rest = [one for one in known.findings.values() if one.id not in placed]
    return {"told": told, "rest": shown.findings("Other findings", rest)}
