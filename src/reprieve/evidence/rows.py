"""What one row of each evidence table says, as a frozen value that checks itself when made.

A row is read cell by cell through :class:`Cells`, so that every complaint names the file, the line, the column,
the value, the rule and the way out. An empty cell means "not seen", never zero.

Raw differences are arm_a minus arm_b, as the tables hold them. What favours whom is settled in ``effect_sizes``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from reprieve.sources import PROVENANCES, Source


class EvidenceError(ValueError):
    """A table cannot be used: says which file, line and column, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row, and where the row stands."""

    file: str
    line: int
    cells: Mapping[str, str]

    def wrong(self, column: str, rule: str) -> EvidenceError:
        """An error about one cell: ``rule`` says what it must be and what to do."""
        return EvidenceError(f"{self.file} line {self.line}, column {column}: {self.cells.get(column, '')!r}; {rule}")

    def text(self, column: str, *, needed: bool = False) -> str:
        """The cell as it stands."""
        found = self.cells.get(column, "")
        if needed and not found:
            raise self.wrong(column, "this cell must not be empty; fill it in")
        return found

    def one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        """The cell, when it is one of ``allowed``."""
        found = self.text(column)
        if found not in allowed:
            words = ", ".join(repr(word) if word else "empty" for word in allowed)
            raise self.wrong(column, f"it must be one of {words}")
        return found

    def number(self, column: str, *, low: float | None = None, above: float | None = None) -> float | None:
        """The cell as a number, None when empty, at least ``low`` and greater than ``above``."""
        found = self.text(column)
        if not found:
            return None
        try:
            value = float(found)
        except ValueError:
            raise self.wrong(column, "it must be a number, such as -12.7; leave the cell empty if not seen") from None
        if value != value or abs(value) == float("inf"):
            raise self.wrong(column, "it must be a finite number; leave the cell empty if not seen")
        if low is not None and value < low:
            raise self.wrong(column, f"it must be {low:g} or more; check the sign and the column")
        if above is not None and value <= above:
            raise self.wrong(column, f"it must be greater than {above:g}; check the sign and the column")
        return value

    def count(self, column: str) -> int | None:
        """The cell as a whole number from 0, None when empty."""
        value = self.number(column, low=0)
        if value is not None and value != int(value):
            raise self.wrong(column, "it must be a whole number of people; a derived count is rounded and noted")
        return None if value is None else int(value)

    def names(self, column: str) -> tuple[str, ...]:
        """The cell as a list with semicolons between."""
        return tuple(name.strip() for name in self.text(column).split(";") if name.strip())

    def day(self, column: str) -> date:
        """The cell as a date."""
        try:
            return date.fromisoformat(self.text(column))
        except ValueError:
            raise self.wrong(column, "it must be a date such as 2026-11-22") from None

    def source(self, name: str) -> Source:
        """Where the row was read."""
        provenance = self.one_of("provenance", PROVENANCES)
        url = self.text("source_url")
        if provenance == "read" and not url:
            raise self.wrong("source_url", "a row marked read names where; give the address, or mark it recalled")
        if url and not url.startswith(("https://", "http://")):
            raise self.wrong("source_url", "it must begin with https:// or http://")
        return Source(name, url, provenance)


@dataclass(frozen=True, slots=True)
class PValue:
    """A p value, exact or an upper bound."""

    value: float
    is_bound: bool = False

    def __str__(self) -> str:
        return f"<{self.value:g}" if self.is_bound else f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class Percent:
    """A percentage, exact when ``low == high``, else a range."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


def _p_value(cells: Cells) -> PValue | None:
    text = cells.text("p_value")
    if not text:
        return None
    is_bound = text.startswith("<")
    try:
        value = float(text.removeprefix("<"))
    except ValueError:
        raise cells.wrong("p_value", "it must be a number such as 0.02, or a bound such as <0.001") from None
    if not 0 < value <= 1:
        raise cells.wrong("p_value", "it must be above 0 and at most 1; for a p printed as 0 give its bound, as <0.001")
    return PValue(value, is_bound)


_RANGE = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


def _percent(cells: Cells) -> Percent | None:
    text = cells.text("percent")
    if not text:
        return None
    matched = _RANGE.fullmatch(text)
    try:
        if matched:
            low, high = map(float, matched.groups())
        elif text.startswith("<"):
            low, high = 0.0, float(text[1:])
        else:
            low = high = float(text)
    except ValueError:
        raise cells.wrong("percent", "it must be a number, a range such as 49-61, or a bound such as <5") from None
    if not 0 <= low <= high <= 100:
        raise cells.wrong("percent", "it must lie between 0 and 100, the lower end first")
    return Percent(low, high)


PEOPLE = ("", "veterans", "civilians", "mixed")
SITES = ("", "one", "several")


@dataclass(frozen=True, slots=True)
class Study:
    """A trial, a review or a safety source. ``part_of`` names the study whose people it counts again."""

    id: str
    first_author: str
    year: int | None
    title: str
    journal: str
    doi: str
    registry_id: str
    design: str
    population: str
    people: str
    sites: str
    part_of: str
    n_randomised: int | None
    setting: str
    country: str
    funder: str
    bias: str
    role: str
    recalled_columns: tuple[str, ...]
    source: Source

    @classmethod
    def read(cls, cells: Cells) -> Study:
        """The study in one row."""
        author, year = cells.text("first_author"), cells.count("year")
        if not author:
            author = cells.text("study_id", needed=True).removesuffix(str(year or "")).replace("_", " ").capitalize()
        name = f"{author} {year or ''}".strip()
        return cls(
            id=cells.text("study_id", needed=True),
            first_author=cells.text("first_author"),
            year=year,
            title=cells.text("title_short", needed=True),
            journal=cells.text("journal"),
            doi=cells.text("doi"),
            registry_id=cells.text("registry_id"),
            design=cells.text("design", needed=True),
            population=cells.text("population"),
            people=cells.one_of("people", PEOPLE),
            sites=cells.one_of("sites", SITES),
            part_of=cells.text("part_of"),
            n_randomised=cells.count("n_randomised"),
            setting=cells.text("setting"),
            country=cells.text("country"),
            funder=cells.text("funder"),
            bias=cells.text("risk_of_bias_notes"),
            role=cells.text("evidence_role"),
            recalled_columns=cells.names("recalled_columns"),
            source=cells.source(name),
        )

    @property
    def name(self) -> str:
        """Author and year, as a reader cites it."""
        return self.source.name

    @property
    def is_randomised(self) -> bool:
        """Whether chance decided who got what, by its design."""
        return "RCT" in self.design and self.is_primary

    @property
    def is_primary(self) -> bool:
        """Whether it is one study of people rather than a review, a label or an alert."""
        return self.role != "pooled or reference" and "pooled" not in self.design

    @property
    def is_crossover(self) -> bool:
        """Whether each person had both treatments."""
        return self.design.startswith("crossover")

    @property
    def is_pending(self) -> bool:
        """Whether it is registered without a result."""
        return self.role == "pipeline"


_DURATION = re.compile(r"(?:about )?(\d+)(?:-(\d+))? (day|week)s?")


@dataclass(frozen=True, slots=True)
class Arm:
    """One group of a trial and what it was given."""

    study_id: str
    id: str
    treatment: str
    dose: str
    route: str
    n_infusions: int | None
    schedule: str
    duration: str
    n: int | None
    note: str
    recalled_columns: tuple[str, ...]
    source: Source

    @classmethod
    def read(cls, cells: Cells) -> Arm:
        """The arm in one row."""
        arm = cls(
            study_id=cells.text("study_id", needed=True),
            id=cells.text("arm_id", needed=True),
            treatment=cells.text("treatment", needed=True),
            dose=cells.text("dose"),
            route=cells.text("route"),
            n_infusions=cells.count("n_infusions"),
            schedule=cells.text("schedule"),
            duration=cells.text("duration"),
            n=cells.count("n"),
            note=cells.text("note"),
            recalled_columns=cells.names("recalled_columns"),
            source=cells.source(cells.text("study_id")),
        )
        if arm.duration and arm.duration_days is None:
            raise cells.wrong("duration", "it must read as 12 days, 4 weeks or 2-3 weeks")
        return arm

    @property
    def duration_days(self) -> int | None:
        """How long the course lasts; the longer end of a range; None when not seen."""
        matched = _DURATION.fullmatch(self.duration)
        if not matched:
            return None
        low, high, unit = matched.groups()
        return int(high or low) * (7 if unit == "week" else 1)

    @property
    def n_seen(self) -> int | None:
        """The number of people, when it was read and not recalled."""
        return None if "n" in self.recalled_columns or self.source.mark else self.n


# What an outcome row's ``kind`` holds, and whether it is about one arm or about two
KINDS: dict[str, str] = {
    "mean": "arm",
    "change": "arm",
    "responders": "count",
    "remitters": "count",
    "durable_responders": "count",
    "completers": "count",
    "positive_screen": "count",
    "responder_percent": "percent",
    "remitter_percent": "percent",
    "mean_difference": "contrast",
    "smd": "contrast",
    "cohen_d": "either",
    "hedges_g": "contrast",
    "smd_network": "contrast",
    "smd_single_comparison": "contrast",
    "smd_threshold": "contrast",
    "risk_ratio": "contrast",
    "risk_difference": "contrast",
    "odds_ratio_positive_screen": "contrast",
    "posterior_mean_difference": "contrast",
    "median_days_to_loss_of_response": "arm",
    "median_days_to_relapse": "arm",
    "mean_days_to_relapse": "arm",
    "cluster_result": "contrast",
    "secondary_contrast": "arm",
    "group_test": "contrast",
    "group_by_time_test": "contrast",
    "slope_test": "contrast",
    "change_test": "arm",
}
STANDARDISED = ("smd", "cohen_d", "hedges_g", "smd_network")
DIRECTIONS = ("", "favours_a", "favours_b", "not_significant")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One result: of an arm, or of a contrast (arm_a minus arm_b).

    ``value`` is the estimate, whatever ``kind`` says it is. ``n_a`` and ``n_b`` are arm sizes for a result that gives
    a direction only; they may be halves of a total.
    """

    id: str
    study_id: str
    arm_id: str
    arm_a: str
    arm_b: str
    instrument: str
    day: float | None
    kind: str
    n: int | None
    k_studies: int | None
    value: float | None
    sd: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    events: int | None
    p: PValue | None
    higher_is_worse: bool
    direction: str
    analysis: str
    n_a: float | None
    n_b: float | None
    note: str
    recalled_columns: tuple[str, ...]
    source: Source

    @classmethod
    def read(cls, cells: Cells) -> Outcome:
        """The result in one row."""
        outcome = cls(
            id=cells.text("outcome_id", needed=True),
            study_id=cells.text("study_id", needed=True),
            arm_id=cells.text("arm_id"),
            arm_a=cells.text("arm_a"),
            arm_b=cells.text("arm_b"),
            instrument=cells.text("instrument", needed=True),
            day=cells.number("timepoint_days", low=0),
            kind=cells.one_of("kind", tuple(KINDS)),
            n=cells.count("n"),
            k_studies=cells.count("k_studies"),
            value=cells.number("mean"),
            sd=cells.number("sd", above=0),
            se=cells.number("se", above=0),
            ci_low=cells.number("ci_low"),
            ci_high=cells.number("ci_high"),
            events=cells.count("events"),
            p=_p_value(cells),
            higher_is_worse=cells.one_of("higher_is_worse", ("true", "false")) == "true",
            direction=cells.one_of("direction", DIRECTIONS),
            analysis=cells.text("analysis"),
            n_a=cells.number("n_a", above=0),
            n_b=cells.number("n_b", above=0),
            note=cells.text("note"),
            recalled_columns=cells.names("recalled_columns"),
            source=cells.source(cells.text("study_id")),
        )
        outcome._check(cells)
        return outcome

    def _check(self, cells: Cells) -> None:
        holds = KINDS[self.kind]
        if bool(self.arm_a) != bool(self.arm_b):
            missing = "arm_b" if self.arm_a else "arm_a"
            raise cells.wrong(missing, "one arm of two; name both arms of the contrast, or one arm in arm_id")
        if bool(self.arm_id) == bool(self.arm_a):
            raise cells.wrong("arm_id", "name either one arm in arm_id, or both of arm_a and arm_b")
        if self.arm_a and self.arm_a == self.arm_b:
            raise cells.wrong("arm_b", "an arm cannot be compared with itself; name the other arm")
        if holds == "contrast" and not self.arm_a:
            raise cells.wrong("arm_a", f"a {self.kind} compares two arms; name arm_a and arm_b")
        if holds in ("count", "percent", "arm") and self.kind != "mean" and self.arm_a:
            raise cells.wrong("kind", f"a {self.kind} is about one arm; name it in arm_id")
        if holds == "count" and (self.events is None or self.n is None):
            raise cells.wrong("events", f"{self.kind} needs events and n; give both, or a percent kind")
        if self.events is not None and self.n is not None and self.events > self.n:
            raise cells.wrong("events", f"{self.events} events in {self.n} people; events are at most n")
        if holds == "percent" and (self.value is None or not 0 <= self.value <= 100):
            raise cells.wrong("mean", "a percentage lies between 0 and 100")
        self._check_interval(cells)
        if (self.n_a is None) != (self.n_b is None):
            missing = "n_b" if self.n_b is None else "n_a"
            raise cells.wrong(missing, "one arm of two; give both n_a and n_b, or neither")
        if self.recalled_columns and not self.is_recalled:
            raise cells.wrong(
                "recalled_columns",
                "a result marked read holds no figure from memory; put those into a recalled twin row",
            )

    def _check_interval(self, cells: Cells) -> None:
        low, high = self.ci_low, self.ci_high
        if low is not None and high is not None and low >= high:
            raise cells.wrong("ci_low", f"ci_high is {high:g}; the lower end comes first: swap the two")
        if self.value is None:
            return
        if low is not None and low > self.value:
            raise cells.wrong("ci_low", f"the estimate is {self.value:g}; the lower end lies below it: check the signs")
        if high is not None and high < self.value:
            raise cells.wrong("ci_high", f"the estimate is {self.value:g}; the upper end lies above: check the signs")

    @property
    def is_recalled(self) -> bool:
        """Whether any figure in it comes from memory."""
        return self.source.provenance == "recalled"

    @property
    def arms(self) -> tuple[str, ...]:
        """Ids of the arms it is about; a contrast of pooled arms names each."""
        sides = (self.arm_a, self.arm_b) if self.arm_a else (self.arm_id,)
        return tuple(arm for side in sides for arm in side.split(" and "))

    @property
    def result(self) -> tuple[object, ...]:
        """What it is a result of: the same for a row that was read and its twin with more from memory."""
        return (self.study_id, *self.arms, self.instrument, self.day, self.kind, self.analysis, self.value, self.events)


@dataclass(frozen=True, slots=True)
class Harm:
    """One event in one group: people it happened to, of how many, or a percentage or a range of them."""

    id: str
    study_id: str
    arm_id: str
    event: str
    events: int | None
    n: int | None
    percent: Percent | None
    severity: str
    population: str
    note: str
    recalled_columns: tuple[str, ...]
    source: Source

    @classmethod
    def read(cls, cells: Cells) -> Harm:
        """The event in one row."""
        harm = cls(
            id=cells.text("safety_id", needed=True),
            study_id=cells.text("study_id", needed=True),
            arm_id=cells.text("arm_id", needed=True),
            event=cells.text("event", needed=True),
            events=cells.count("n_events"),
            n=cells.count("n_total"),
            percent=_percent(cells),
            severity=cells.one_of("severity", ("", "mild", "moderate", "serious", "transient", "unknown")),
            population=cells.text("population", needed=True),
            note=cells.text("note"),
            recalled_columns=cells.names("recalled_columns"),
            source=cells.source(cells.text("study_id")),
        )
        if harm.events is not None and harm.n is not None and harm.events > harm.n:
            raise cells.wrong("n_events", f"{harm.events} events in {harm.n} people; events are at most n_total")
        return harm

    @property
    def is_recalled(self) -> bool:
        """Whether its figures come from memory."""
        return self.source.provenance == "recalled"

    @property
    def in_ptsd(self) -> bool:
        """Whether it was seen in people with PTSD."""
        return self.population.startswith("PTSD")

    @property
    def share(self) -> Percent | None:
        """The percentage, from the counts when both were seen."""
        if self.events is not None and self.n and "n_total" not in self.recalled_columns:
            exact = 100 * self.events / self.n
            return Percent(exact, exact)
        return self.percent


@dataclass(frozen=True, slots=True)
class Guideline:
    """One body's position on one subject."""

    id: str
    body: str
    year: int
    topic: str
    statement: str
    strength: str
    where: str
    note: str
    source: Source

    @classmethod
    def read(cls, cells: Cells) -> Guideline:
        """The position in one row."""
        body, year = cells.text("body", needed=True), cells.count("year")
        return cls(
            id=cells.text("guideline_id", needed=True),
            body=body,
            year=year or 0,
            topic=cells.text("topic", needed=True),
            statement=cells.text("statement", needed=True),
            strength=cells.text("strength", needed=True),
            where=cells.text("doi_or_url"),
            note=cells.text("note"),
            source=cells.source(f"{body} {year}"),
        )


VERDICTS = ("supported", "partly supported", "contested", "untested", "contradicted")


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of the text that this project answers, judged."""

    id: str
    claim: str
    verdict: str
    reasoning: str
    for_ids: tuple[str, ...]
    against_ids: tuple[str, ...]
    confidence: str
    figure: str
    judged_on: date
    source: Source

    @classmethod
    def read(cls, cells: Cells) -> Claim:
        """The claim in one row."""
        return cls(
            id=cells.text("claim_id", needed=True),
            claim=cells.text("claim", needed=True),
            verdict=cells.one_of("verdict", VERDICTS),
            reasoning=cells.text("reasoning", needed=True),
            for_ids=cells.names("studies_for"),
            against_ids=cells.names("studies_against"),
            confidence=cells.text("confidence", needed=True),
            figure=cells.text("figure", needed=True),
            judged_on=cells.day("judged_on"),
            source=cells.source(cells.text("claim_id")),
        )


_ID = re.compile(r"([a-z_]+)(\d{4})_?(.*)")


def _cited_as(study_id: str) -> str:
    """An id as a reader cites it.

    >>> _cited_as("holmes2022"), _cited_as("swanberg2022_7t")
    ('Holmes 2022', 'Swanberg 2022 7t')
    """
    matched = _ID.fullmatch(study_id)
    return " ".join(filter(None, matched.groups())).replace("_", " ").capitalize() if matched else study_id


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about how PTSD or ketamine may work, in people or animals, and which claims it bears on."""

    id: str
    doi: str
    year: int | None
    species: str
    method: str
    finding: str
    n: str
    effect_size: str
    direction: str
    claims: tuple[str, ...]
    relevance: str
    note: str
    source: Source

    @classmethod
    def read(cls, cells: Cells) -> Finding:
        """The finding in one row."""
        study = cells.text("study_id", needed=True)
        return cls(
            id=study,
            doi=cells.text("doi"),
            year=cells.count("year"),
            species=cells.text("species", needed=True),
            method=cells.text("method", needed=True),
            finding=cells.text("finding", needed=True),
            n=cells.text("n"),
            effect_size=cells.text("effect_size"),
            direction=cells.text("direction"),
            claims=cells.names("claims"),
            relevance=cells.text("relevance"),
            note=cells.text("note"),
            source=cells.source(_cited_as(study)),
        )

    @property
    def in_people(self) -> bool:
        """Whether it was seen in human beings."""
        return "human" in self.species


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a label in the tables stands for. ``comparator`` is empty for what nobody uses as a control."""

    label: str
    treatment: str
    words: str
    kind: str
    comparator: str
    with_therapy: bool
    note: str

    @classmethod
    def read(cls, cells: Cells) -> Treatment:
        """The treatment in one row."""
        return cls(
            label=cells.text("label", needed=True),
            treatment=cells.text("treatment", needed=True),
            words=cells.text("words", needed=True),
            kind=cells.one_of("kind", ("infusion", "pill", "talk", "none")),
            comparator=cells.one_of("comparator", ("", "active", "inactive")),
            with_therapy=cells.one_of("with_therapy", ("true", "false")) == "true",
            note=cells.text("note"),
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """What an instrument measures, who rates it, and its range. Of several, the lowest ``rank`` speaks for a trial."""

    instrument: str
    outcome: str
    rated_by: str
    lowest: float | None
    highest: float | None
    rank: int
    note: str

    @classmethod
    def read(cls, cells: Cells) -> Measure:
        """The instrument in one row."""
        measure = cls(
            instrument=cells.text("instrument", needed=True),
            outcome=cells.text("outcome", needed=True),
            rated_by=cells.one_of("rated_by", ("clinician", "self", "several", "none")),
            lowest=cells.number("lowest"),
            highest=cells.number("highest"),
            rank=cells.count("rank") or 0,
            note=cells.text("note"),
        )
        if measure.lowest is not None and (measure.highest is None or measure.highest <= measure.lowest):
            raise cells.wrong("highest", f"the lowest score is {measure.lowest:g}; give a higher one")
        return measure

    def holds(self, outcome: Outcome) -> bool:
        """Whether a mean on it lies in its range, or a change or difference within its width."""
        if outcome.value is None or self.lowest is None or self.highest is None:
            return True
        if outcome.kind == "mean":
            return self.lowest <= outcome.value <= self.highest
        if outcome.kind in ("change", "mean_difference"):
            return abs(outcome.value) <= self.highest - self.lowest
        return True


@dataclass(frozen=True, slots=True)
class HarmName:
    """Which harm an event in the tables is, and its plain words."""

    event: str
    harm: str
    words: str

    @classmethod
    def read(cls, cells: Cells) -> HarmName:
        """The event in one row."""
        return cls(cells.text("event", needed=True), cells.text("harm", needed=True), cells.text("words"))


@dataclass(frozen=True, slots=True)
class Release:
    """One state of the data."""

    version: int
    released_on: date
    change: str

    @classmethod
    def read(cls, cells: Cells) -> Release:
        """The release in one row."""
        version = cells.count("version")
        if not version:
            raise cells.wrong("version", "it must be a whole number from 1")
        return cls(version, cells.day("released_on"), cells.text("change", needed=True))
