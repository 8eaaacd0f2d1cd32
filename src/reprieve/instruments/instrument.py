"""What an instrument is: items, subscales, bands, cut points and skips, as values that check themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from reprieve.sources import Source

OUR_WORDING = "our own short wording, not the official text"
USES = ("total", "rule", "extra")

Answers = Mapping[str, int | None]
Result = str | int | tuple[str, ...] | None


class InstrumentError(ValueError):
    """An instrument contradicts itself, or is not one that we have."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of ``instruments.csv``: what is said, a remark, and where it was seen."""

    value: str
    note: str
    source: Source


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    Parameters
    ----------
    number : as printed on the form: "1", "6a", "P1"
    lowest, highest : the whole numbers that an answer may take
    use : "total" adds points to the total; "rule" is read by a rule only; "extra" may be left out of the answers
    reverse : the highest answer earns the fewest points
    choices : official words for the answers from lowest to highest; empty until a clinic imports them
    """

    number: str
    prompt: str
    lowest: int
    highest: int
    source: Source
    use: str = "total"
    yes_no: bool = False
    reverse: bool = False
    criterion: str = ""
    loinc: str = ""
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.number or not self.prompt:
            raise InstrumentError(f"item {self.number!r} with prompt {self.prompt!r}; an item needs both")
        if not 0 <= self.lowest < self.highest:
            raise InstrumentError(
                f"item {self.number} runs from {self.lowest} to {self.highest}; it must start at zero or later and rise"
            )
        if self.use not in USES:
            raise InstrumentError(f"item {self.number} has use {self.use!r}; it must be one of {', '.join(USES)}")

    def points(self, answer: int) -> int:
        """What an answer adds to the total."""
        return self.lowest + self.highest - answer if self.reverse else answer

    @property
    def allowed(self) -> str:
        """The answers that this item takes, in words."""
        return "yes or no (1 or 0)" if self.yes_no else f"a whole number from {self.lowest} to {self.highest}"


@dataclass(frozen=True, slots=True)
class Subscale:
    """A sum over some of the items."""

    name: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A severity band, both ends included."""

    low: int
    high: int
    label: str


@dataclass(frozen=True, slots=True)
class CutPoint:
    """A total that separates: at or above it, or below.

    Totals from ``borderline_from`` up to the cut are neither. ``fact`` names the row of ``instruments.csv`` that the
    number rests on. ``sex`` is empty when the cut point holds for everyone.

    >>> CutPoint("platform", 33, "platform_cut", borderline_from=31).judge(31, 32)
    'borderline'
    """

    name: str
    cut: int
    fact: str
    borderline_from: int | None = None
    sex: str = ""

    def __post_init__(self) -> None:
        if self.borderline_from is not None and self.borderline_from >= self.cut:
            raise InstrumentError(
                f"cut point {self.name} is borderline from {self.borderline_from}, which must lie below {self.cut}"
            )

    def judge(self, low: int, high: int) -> str:
        """``at_or_above``, ``borderline`` or ``below``; ``undetermined`` when low and high differ in that."""
        verdict = self._judge(low)
        return verdict if verdict == self._judge(high) else "undetermined"

    def _judge(self, total: int) -> str:
        if total >= self.cut:
            return "at_or_above"
        if self.borderline_from is not None and total >= self.borderline_from:
            return "borderline"
        return "below"


@dataclass(frozen=True, slots=True)
class Skip:
    """Items that are not asked when ``item`` is answered no, never or zero: a skip is not a blank."""

    item: str
    skips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How many points of change count, and the row of ``instruments.csv`` that says so."""

    name: str
    points: float
    fact: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule reads: answers by item number, verdicts by cut point, and items left blank that were not skipped."""

    answers: Answers
    verdicts: Mapping[str, str]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a rule reads off the answers beyond the sum."""

    results: Mapping[str, Result]
    notes: tuple[str, ...] = ()


Rule = Callable[[Reading], Findings]


@dataclass(frozen=True)
class Instrument:
    """A questionnaire or interview, with everything needed to score it.

    ``facts`` holds the rows of ``instruments.csv`` by name, among them ``scoring_rule``, ``missing_item_rule`` and
    ``licence``. Higher totals are worse in every instrument here.
    """

    id: str
    items: tuple[Item, ...]
    facts: Mapping[str, Fact]
    subscales: tuple[Subscale, ...] = ()
    bands: tuple[Band, ...] = ()
    cut_points: tuple[CutPoint, ...] = ()
    skips: tuple[Skip, ...] = ()
    changes: tuple[Change, ...] = ()
    rule: Rule | None = None
    wording: str = OUR_WORDING

    def __post_init__(self) -> None:
        if len(self.by_number) != len(self.items):
            raise InstrumentError(f"{self.id} has two items with the same number; give each its own")
        self._check_items_named()
        self._check_bands()
        self._check_facts_named()

    @cached_property
    def by_number(self) -> Mapping[str, Item]:
        """Items by number, in small letters."""
        return {item.number.casefold(): item for item in self.items}

    @cached_property
    def scored(self) -> tuple[Item, ...]:
        """Items that add to the total."""
        return tuple(item for item in self.items if item.use == "total")

    @cached_property
    def required(self) -> tuple[Item, ...]:
        """Items that a list of answers has to hold."""
        return tuple(item for item in self.items if item.use != "extra")

    @cached_property
    def asked_after(self) -> Mapping[str, str]:
        """For each item that may be skipped, the item that decides it."""
        return {number: skip.item for skip in self.skips for number in skip.skips}

    @cached_property
    def total_bounds(self) -> tuple[int, int] | None:
        """Lowest and highest total, or None where there is no total."""
        if not self.scored:
            return None
        return sum(item.lowest for item in self.scored), sum(item.highest for item in self.scored)

    def band_of(self, total: int) -> str:
        """Label of the band that holds ``total``."""
        return next(band.label for band in self.bands if band.low <= total <= band.high)

    def _check_items_named(self) -> None:
        named = [number for subscale in self.subscales for number in subscale.items]
        named += [number for skip in self.skips for number in (skip.item, *skip.skips)]
        known = {item.number for item in self.items}
        for number in named:
            if number not in known:
                raise InstrumentError(f"{self.id} names item {number!r}, which it does not have; mend the table")

    def _check_bands(self) -> None:
        if not self.bands:
            return
        edges = [self.bands[0].low, *(band.high + 1 for band in self.bands)]
        if self.total_bounds != (edges[0], edges[-1] - 1) or any(
            band.low != edge or band.high < band.low for band, edge in zip(self.bands, edges, strict=False)
        ):
            raise InstrumentError(
                f"{self.id} has bands that do not cover its totals once each; each must start one above the last"
            )

    def _check_facts_named(self) -> None:
        named = ["licence", "scoring_rule", *(cut.fact for cut in self.cut_points), *(c.fact for c in self.changes)]
        for name in named:
            if name not in self.facts:
                raise InstrumentError(f"{self.id} rests on the fact {name!r}, which instruments.csv does not give")
