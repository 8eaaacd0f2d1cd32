"""What the exposure page shows of a forecast: sentences, tables, and the picture inside the page. Nothing is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from reprieve.charts import LOOKS, svg
from reprieve.pharmacology import forecast_plot
from reprieve.pharmacology.forecast import Band, Forecast, forecast, session_times_min
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.readings import Reading
from reprieve.pharmacology.regimen import Regimen
from reprieve.pharmacology.thresholds import Peak, peaks, times_below

SITE = "venous"  # a clinic draws from a vein
TABLE_MIN = (10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300, 360)
WIDTHS = {"slim": 328, "broad": 620}
# Heading, signal, factor, digits
COLUMNS = (
    ("Ketamine, ng/mL", "ketamine_plasma_ng_per_ml", 1, 0),
    ("Norketamine, ng/mL", "norketamine_plasma_ng_per_ml", 1, 0),
    ("Block, interneurons, %", "receptor_block_interneuron_fraction", 100, 0),
    ("Block, pyramidal cells, %", "receptor_block_pyramidal_fraction", 100, 0),
    ("Systolic, mmHg", "systolic_change_mmhg", 1, 0),
    ("Diastolic, mmHg", "diastolic_change_mmhg", 1, 0),
    ("Pulse, per min", "pulse_change_per_min", 1, 0),
    ("CADSS", "cadss_total", 1, 0),
)
# What a sentence is about, its signal, how it goes on, factor
SENTENCES = (
    ("Ketamine", "ketamine_plasma_ng_per_ml", "{} ng/mL in blood from a vein", 1),
    ("Receptor block", "receptor_block_interneuron_fraction", "{} % of receptors on interneurons", 100),
    ("Upper pressure", "systolic_change_mmhg", "{} mmHg above rest", 1),
    ("Lower pressure", "diastolic_change_mmhg", "{} mmHg above rest", 1),
    ("Feeling detached", "cadss_total", "CADSS {} of 92", 1),
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One signal in words: highest, its band, when, and what was expected before the readings."""

    about: str
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Line:
    """When one threshold is expected to be kept, from the start of the session."""

    words: str
    half: str
    most: str
    most_before: str
    source: str
    published: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A reading beside what the model expected of it."""

    words: str
    before: str
    now: str
    fits: bool


@dataclass(frozen=True)
class Shown:
    """Everything that the page says of one forecast."""

    found: Forecast
    session: int
    begin_min: float
    rest: Mapping[str, float | None]  # pressures by signal

    @classmethod
    def of(
        cls,
        person: Person,
        regimen: Regimen,
        session: int,
        readings: tuple[Reading, ...],
        rest: Mapping[str, float | None],
    ) -> Shown:
        """Compute it."""
        times = session_times_min(regimen, session, forecast_plot.HOURS)
        begin = float(times[0])
        times = np.union1d(times, [begin + each for each in TABLE_MIN])
        return cls(forecast(person, regimen, readings, times_min=times, site=SITE), session, begin, rest)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of the dose."""
        return self.found.body.regimen.warnings(self.found.body.person.weight_kg)

    def sentences(self) -> Iterator[Sentence]:
        """One a signal."""
        clock = self.found.times_min - self.begin_min
        for about, signal, words, factor in SENTENCES:
            after, before = self.found.after[signal], self.found.before[signal]
            top = int(np.argmax(after.middle))
            now = f"highest about {clock[top]:.0f} min after the start: {words.format(_figure(after, top, factor))}"
            rest = self.rest.get(signal)
            if rest is not None:
                now += f", so about {_span(tuple(rest + each for each in _three(after, top)))}"
            then = _figure(before, int(np.argmax(before.middle)), factor) if self.found.readings else ""
            yield Sentence(about, now, then)

    def lines(self) -> Iterator[Line]:
        """When each threshold is expected to be kept."""
        for each in times_below(self.found, self.session):
            most_before = when(each.most_before_min) if self.found.readings else ""
            yield Line(
                each.threshold.words[0].upper() + each.threshold.words[1:],
                when(each.half_after_min),
                when(each.most_after_min),
                most_before,
                each.threshold.source,
                each.threshold.published,
            )

    def checked(self) -> Iterator[Checked]:
        """Each reading, its minute counted from the start of the session."""
        for each in self.found.checks:
            minute = each.reading.time_min - self.begin_min
            words = Reading(minute, each.reading.what, each.reading.value).words
            yield Checked(words, _span(each.before), _span(each.after), each.fits)

    def learnt(self) -> list[tuple[str, int]]:
        """What the readings tell, in words, and by how much the spread shrank in per cent, most first."""
        found = [(each.words, round(100 * each.shrinkage)) for each in self.found.parameters if each.is_learnt]
        return sorted(found, key=lambda each: -each[1])

    def not_informed(self) -> str:
        """What they do not tell."""
        return ", ".join(each.words for each in self.found.not_informed)

    def numbers(self) -> Iterator[tuple[int, list[str]]]:
        """The table: minutes from the start, and each signal with its band."""
        clock = self.found.times_min - self.begin_min
        for minute in TABLE_MIN:
            k = int(np.argmin(np.abs(clock - minute)))
            if abs(clock[k] - minute) < 1e-6:
                yield minute, [_figure(self.found.after[signal], k, factor) for _, signal, factor, _ in COLUMNS]

    @property
    def headings(self) -> tuple[str, ...]:
        """Of the table."""
        return tuple(heading for heading, *_ in COLUMNS)

    def course(self) -> Iterator[tuple[Peak, str, str, str]]:
        """The highest of each session of the course."""
        for each in peaks(self.found):
            yield each, _span(each.ketamine_ng_per_ml), _span(each.systolic_mmhg), _span(each.cadss)

    def pictures(self) -> Iterator[tuple[str, SafeString]]:
        """The picture at two widths, drawn inside the page: an address of it would carry what was typed."""
        said = "; ".join(f"{each.about.lower()} {each.now}" for each in self.sentences())
        label = f"Session {self.session} hour by hour: {said}. The table below has the numbers."
        for name, width in WIDTHS.items():
            yield (
                name,
                inside(svg(forecast_plot.session(self.found, self.session, width, "light"), LOOKS["light"]), label),
            )


def inside(drawn: str, label: str) -> SafeString:
    """An SVG as part of the page: its colours are the page's own, light or dark; it is heard as one picture.

    >>> inside('<svg width="9"><rect role="graphics-symbol" fill="#ffffff"/></svg>', "Nothing")
    '<svg role="img" aria-label="Nothing" width="9"><rect fill="var(--surface)"/></svg>'
    """
    drawn = re.sub(r' (?:role|class|aria-[a-z]+)="[^"]*"', "", drawn)
    light = LOOKS["light"]
    for colour, token in (
        (light.surface, "surface"), (light.ink, "ink"), (light.ink_2, "ink-2"), (light.rule, "rule"),
        (light.series[0], "series"),
    ):  # fmt: skip
        drawn = drawn.replace(f'"{colour}"', f'"var(--{token})"')
    return mark_safe(drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1))  # noqa: S308 ours alone


def when(minutes: float) -> str:
    """A time from the start of the session, to whole minutes and never too early.

    >>> when(0), when(50), when(124.2), when(math.inf)
    ('from the start', '50 min', '2 h 05 min', 'not seen within a day')
    """
    if not math.isfinite(minutes):
        return "not seen within a day"
    hours, rest = divmod(math.ceil(minutes), 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min" if rest else "from the start"


def _three(band: Band, k: int) -> tuple[float, ...]:
    return tuple(float(each[k]) for each in (band.low, band.middle, band.high))


def _figure(band: Band, k: int, factor: float) -> str:
    return _span(tuple(each * factor for each in _three(band, k)))


def _span(three: tuple[float, ...]) -> str:
    low, middle, high = (f"{each + 0.0:.0f}" for each in three)
    return f"{middle} ({low} to {high})"
