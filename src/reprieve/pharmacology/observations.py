"""The model's concentrations held to every published one in ``observations_pk.csv``: a table, an error, a picture.

``python -m reprieve.pharmacology.observations > docs/explanation/pk-observations.md`` writes the page anew, and with
``--picture > docs/pictures/pk-observations.svg`` its picture.

Nothing is fitted here. A row that can be predicted at a time is a :class:`Point`; where a dose is known and no time, a
:class:`Bracket` holds what the model passes through; every other row is :class:`Unpredicted`, with the reason.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt
import numpy as np

from reprieve.charts import LOOKS, Look, lines, svg
from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.compartments import SITES, Disposition, Exposure
from reprieve.pharmacology.facts import Observation, observations
from reprieve.pharmacology.parameters import ParameterSet, parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Infusion, Regimen

FILE = "observations_pk.csv"
BAND = 1.3  # fold; a point outside it is a misfit and must be given a reason
REACH = {("ketamine", "arterial"): 1.3, ("norketamine", "arterial"): 1.4}  # what was promised, by species and site
ALTERNATIVES = ("simons2022", "otto2021")
CENTRAL_IS_VENOUS = ("otto2021",)  # fitted to venous samples: its V1 is what a vein shows, with no further delay

SPECIES = ("ketamine", "norketamine", "hydroxynorketamine")
MOLAR_MASS = {"ketamine": "MW_K", "norketamine": "MW_N", "hydroxynorketamine": "MW_H"}
ENANTIOMERS = ("S", "R")
ANALYTES = {  # as printed: species, and S, R or both together
    "S-ketamine": ("ketamine", "S"),
    "R-ketamine": ("ketamine", "R"),
    "S-ketamine Cmax": ("ketamine", "S"),
    "S-ketamine during anaesthesia": ("ketamine", "S"),
    "ketamine (racemate)": ("ketamine", "both"),
    "ketamine (racemate) Cmax": ("ketamine", "both"),
    "ketamine maintenance level": ("ketamine", "both"),
    "ketamine at recovery": ("ketamine", "both"),
    "S-norketamine": ("norketamine", "S"),
    "R-norketamine": ("norketamine", "R"),
    "norketamine maximum": ("norketamine", "both"),
    "hydroxynorketamine (total)": ("hydroxynorketamine", "both"),
}
MASS_UNITS = ("ng/mL",)
MOLAR_UNITS = ("nmol/mL", "umol/L")  # the same thing

MINUTE_H = 1 / 60
LONG_H = 336.0  # two weeks of a constant rate: steady to 1e-10, the slowest rate being 0.136 per hour
ANAESTHESIA_MIN = (15.0, 120.0)


class ObservationError(PharmacologyError):
    """An observation cannot be read: says which line, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a study's words about its dose are taken to mean; ``regimen`` None if they do not say what was given.

    ``drug`` is what the dose weighs, racemate or S-ketamine. ``window_min`` is when blood may have been drawn, for
    levels printed without a time; ``rate_lasts`` says that the infusion goes on, so that a steady state can be told.
    """

    label: str
    study: str
    dose: str
    words: str
    regimen: Regimen | None = None
    weight_kg: float = 70.0
    site: str = "arterial"
    drug: str = "racemate"
    window_min: tuple[float, float] | None = None
    rate_lasts: bool = False

    def __post_init__(self) -> None:
        if self.site not in SITES:
            raise ObservationError(f"{self.label}: site {self.site!r}; it must be {' or '.join(SITES)}")
        if self.drug not in ("racemate", "S-ketamine"):
            raise ObservationError(f"{self.label}: drug {self.drug!r}; it must be racemate or S-ketamine")

    def share(self, enantiomers: Iterable[str]) -> float:
        """How much of the model's total these enantiomers are: half for one of a racemate, else all."""
        return 0.5 if self.drug == "racemate" and len({*enantiomers} & {*ENANTIOMERS}) == 1 else 1.0


def _per_kg(*steps: tuple[float, float, float], weight_kg: float = 70.0) -> Regimen:
    """Infusions of so many hours from so many hours on, at mg/kg/h."""
    return Regimen(Infusion.at_rate(start, lasts, rate, weight_kg) for start, lasts, rate in steps)


_KAMP = "Kamp 2020 BJA (racemate arm)"
_SIMONS = "Simons 2022 ({} mg film visit; dose 6 h after film; {}arterial; 95% CI {})"
_PUMP = (
    "a pump driven by another model to a set level: the rates that it gave are not printed, so how well the level was "
    "met tells of that model and not of ours"
)

READINGS = (
    Reading(
        "Kamp 2020",
        _KAMP,
        "racemate 0.28 then 0.57 then 1.14 mg/kg/h, 60 min each; arterial; digitised mean curve",
        "three steps of an hour from minute 0; S and R were measured apart and are added",
        _per_kg((0, 1, 0.28), (1, 1, 0.57), (2, 1, 1.14)),
    ),
    Reading(
        "Zarate 2006",
        "Zarate 2006 (quoted in Zanos 2018 table 1)",
        "racemate 0.5 mg/kg IV",
        "0.5 mg/kg in 40 minutes, read at the end; the site is not printed: venous, as the proposal takes it",
        _per_kg((0, 2 / 3, 0.75)),
        site="venous",
    ),
    Reading(
        "Zanos 2018, bolus",
        "Zanos 2018 table 1 (older report)",
        "racemate 0.3 mg/kg IV bolus",
        "0.3 mg/kg in 1 minute; neither site nor time is printed: arterial, 1 to 30 minutes",
        _per_kg((0, MINUTE_H, 18.0)),
        window_min=(1, 30),
    ),
    *(
        Reading(
            f"Simons 2022, {film} mg visit",
            _SIMONS.format(film, weight, interval),
            "S-ketamine 20 mg IV",
            "20 mg of S-ketamine in 20 minutes, 73 kg; what is left of the film 6 hours before is taken as none",
            Regimen([Infusion(0, 1 / 3, 20.0)]),
            weight_kg=73.0,
            drug="S-ketamine",
        )
        for film, weight, interval in ((50, "mean 73 kg; ", "259-287"), (100, "", "251-269"))
    ),
    Reading(
        "Idvall 1979",
        "Idvall 1979 (adaptive infusion with nitrous oxide; mean rate 41 SD 21)",
        "racemate about 41 ug/kg/min IV maintenance",
        "2 mg/kg in 1 minute (from the abstract, not on the row), then the mean rate unchanged, though it was turned "
        "down as anaesthesia went on; the site is not printed: arterial, 15 to 120 minutes",
        _per_kg((0, MINUTE_H, 120.0), (MINUTE_H, LONG_H, 41 * 0.06)),
        window_min=ANAESTHESIA_MIN,
        rate_lasts=True,
    ),
    Reading("Idvall 1979", "Idvall 1979", "at awakening", "neither rates nor the time since the infusion are printed"),
    Reading("Idvall 1979", "Idvall 1979", "surgical infusion", "neither rates nor the length of infusion are printed"),
    Reading("Langsjo 2005", "Langsjo 2005", "S-ketamine target-controlled infusion, target 150 ng/mL", _PUMP),
    Reading(
        "Langsjo 2005",
        "Langsjo 2005",
        "S-ketamine target-controlled infusion, target 1500-2000 ng/mL (total 10.4 mg/kg)",
        f"{_PUMP}; a total is printed, but not over what time",
    ),
    *(
        Reading("Langsjo 2003", "Langsjo 2003", f"racemate target-controlled infusion, target {level} ng/mL", _PUMP)
        for level in (30, 100, 300)
    ),
    Reading(
        "Kienbaum 2001",
        "Kienbaum 2001",
        "S-ketamine 0.67 mg/kg IV then 15 ug/kg/min",
        "0.67 mg/kg in 1 minute, then the rate; neither site nor time is printed: arterial, 15 to 120 minutes",
        _per_kg((0, MINUTE_H, 0.67 * 60), (MINUTE_H, LONG_H, 15 * 0.06)),
        drug="S-ketamine",
        window_min=ANAESTHESIA_MIN,
        rate_lasts=True,
    ),
)

# Points outside the band, by label, species and minute, and why they may be
MISFITS = {
    ("Kamp 2020", "ketamine", 60.0): (
        "the curve jumps: at an unchanged rate R-ketamine goes from 0.243 to 0.396 nmol/mL in 15 "
        "minutes, where S-ketamine goes from 0.215 to 0.270. A digitising slip, or drawn after the step up at 60 "
        "minutes; half the prediction is 0.86 of S-ketamine alone"
    ),
    ("Kamp 2020", "hydroxynorketamine", 300.0): (
        "measured levels stand still from 190 to 300 minutes, while the model's single compartment follows "
        "norketamine down: a second, slow compartment is missing"
    ),
}

# What the values of the default set owe to these very points
OWED = {
    ("Kamp 2020", "ketamine"): "partly circular: these volunteers may be among the pooled data",
    ("Kamp 2020", "hydroxynorketamine"): "circular: VH and CLH were fitted to these points",
    ("Zarate 2006", "ketamine"): "circular: the venous delay was chosen with it in view",
}


@dataclass(frozen=True, slots=True)
class Point:
    """One observed level with the model's at the same time; of a racemate, S and R added where both were measured."""

    numbered: tuple[tuple[int, Observation], ...]
    reading: Reading
    species: str
    time_min: float
    observed_ng_per_ml: float
    predicted_ng_per_ml: float

    @property
    def ratio(self) -> float:
        """Predicted over observed."""
        return self.predicted_ng_per_ml / self.observed_ng_per_ml

    @property
    def is_misfit(self) -> bool:
        """Whether it lies outside the band."""
        return not 1 / BAND <= self.ratio <= BAND

    @property
    def is_recalled(self) -> bool:
        """Whether any part of it is from memory, not yet checked."""
        return any(row.source.mark != "" for _, row in self.numbered)

    @property
    def key(self) -> tuple[str, str, float]:
        """What it is called in :data:`MISFITS`."""
        return self.reading.label, self.species, self.time_min

    @property
    def reason(self) -> str:
        """Why it is a misfit."""
        if self.key not in MISFITS:
            raise ObservationError(
                f"{self.reading.label}, {self.species}, {self.time_min:g} min: predicted over observed is "
                f"{self.ratio:.2f}, outside {1 / BAND:.2f} to {BAND:g}; "
                "a misfit is named with a reason (add it to MISFITS)"
            )
        return MISFITS[self.key]


@dataclass(frozen=True, slots=True)
class Bracket:
    """A level printed without a time, and what the model passes through; outside every error."""

    numbered: tuple[int, Observation]
    reading: Reading
    species: str
    observed_ng_per_ml: float
    low_ng_per_ml: float
    high_ng_per_ml: float
    steady_ng_per_ml: float | None


@dataclass(frozen=True, slots=True)
class Unpredicted:
    """A row that the model says nothing about, and why."""

    numbered: tuple[int, Observation]
    because: str


@dataclass(frozen=True)
class Comparison:
    """Every row, once: compared at a time, bracketed, or not predicted."""

    parameters: ParameterSet
    points: tuple[Point, ...]
    brackets: tuple[Bracket, ...]
    unpredicted: tuple[Unpredicted, ...]

    @cached_property
    def misfits(self) -> tuple[Point, ...]:
        """The points outside the band."""
        return tuple(point for point in self.points if point.is_misfit)

    def among(self, species: str, site: str = "", label: str = "", *, recalled: bool = False) -> tuple[Point, ...]:
        """Points of a species, by site or label if given; those from memory only if asked for."""
        return tuple(
            point
            for point in self.points
            if point.species == species
            and site in ("", point.reading.site)
            and label in ("", point.reading.label)
            and (recalled or not point.is_recalled)
        )


def fold_error(ratios: Iterable[float]) -> float:
    """Geometric mean fold error, 10 ** mean |log10 ratio|: 1 is perfect, twice and half count the same.

    >>> round(fold_error([2.0, 0.5, 1.0, 1.0]), 3)  # 2 ** (2 / 4)
    1.414
    """
    logs = [abs(math.log10(ratio)) for ratio in ratios]
    if not logs:
        raise ObservationError("a fold error of no points; give at least one ratio")
    return float(10 ** (sum(logs) / len(logs)))


def compare(
    parameters: ParameterSet | None = None,
    rows: Sequence[Observation] | None = None,
    readings: Sequence[Reading] = READINGS,
) -> Comparison:
    """Each observation beside the model's level, for the ``default`` set if none is given.

    Raises
    ------
    ObservationError : for a dose that no reading is written down for, or a level that stands twice

    Examples
    --------
    >>> found = compare()
    >>> round(fold_error(point.ratio for point in found.among("ketamine", "arterial")), 2)
    1.11
    """
    p = parameters or parameter_set()
    sorted_out = _Sorted(p, {(each.study, each.dose): each for each in readings})
    for line, row in enumerate(observations() if rows is None else rows, start=2):
        sorted_out.take(line, row)
    return sorted_out.compared()


class _Sorted:
    """Rows as they are taken in: levels at a time by what was measured, the rest as they end up."""

    def __init__(self, p: ParameterSet, readings: Mapping[tuple[str, str], Reading]) -> None:
        self.p = p
        self.readings = readings
        self.timed: dict[tuple[str, str, str, float], dict[str, tuple[int, Observation]]] = {}
        self.brackets: list[Bracket] = []
        self.unpredicted: list[Unpredicted] = []

    def take(self, line: int, row: Observation) -> None:
        """Sort one row."""
        if (row.study, row.dose) not in self.readings:
            raise ObservationError(
                f"{FILE} line {line}: no reading of the dose {row.dose!r} of {row.study!r}; each dose is read by hand "
                "(add a Reading to READINGS: regimen, weight, site, drug)"
            )
        reading = self.readings[row.study, row.dose]
        because = _unpredictable(row, reading)
        if because:
            self.unpredicted.append(Unpredicted((line, row), because))
        elif row.time_min is None:
            self.brackets.append(_bracket(self.p, (line, row), reading))
        else:
            self._pair(line, row, row.time_min)

    def _pair(self, line: int, row: Observation, time_min: float) -> None:
        species, enantiomer = ANALYTES[row.analyte]
        parts = self.timed.setdefault((row.study, row.dose, species, time_min), {})
        if enantiomer in parts:
            raise ObservationError(
                f"{FILE} line {line}: {row.analyte} of {row.study} at {time_min:g} min stands on line "
                f"{parts[enantiomer][0]} already; drop one"
            )
        parts[enantiomer] = (line, row)

    def compared(self) -> Comparison:
        """What has become of the rows."""
        points = [
            _point(self.p, self.readings[study, dose], species, time_min, numbered)
            for (study, dose, species, time_min), parts in self.timed.items()
            for numbered in _levels(parts)
        ]
        return Comparison(self.p, tuple(points), tuple(self.brackets), tuple(self.unpredicted))


def _levels(parts: Mapping[str, tuple[int, Observation]]) -> list[dict[str, tuple[int, Observation]]]:
    """S and R as one level, where both are given; a level of both measured together by itself."""
    apart = {name: parts[name] for name in ENANTIOMERS if name in parts}
    together = {name: parts[name] for name in ("both",) if name in parts}
    return [each for each in (apart, together) if each]


def _unpredictable(row: Observation, reading: Reading) -> str:
    """Why a row cannot be predicted; empty if it can."""
    if row.analyte not in ANALYTES:
        return f"{row.analyte.split()[0]} is not in the model"
    if row.mean is None or row.mean == 0:
        return "no level above zero is printed"
    if row.unit not in (*MASS_UNITS, *MOLAR_UNITS):
        return f"unit {row.unit!r} is none of {', '.join((*MASS_UNITS, *MOLAR_UNITS))}"
    if reading.regimen is None:
        return reading.words
    if row.time_min is None and reading.window_min is None:
        return "no time is printed"
    if row.time_min is not None and row.time_min <= 0:
        return f"{row.time_min:g} min is not after the start of the dose"
    return ""


def _ng_per_ml(p: Mapping[str, float], row: Observation) -> float:
    """The printed mean in ng/mL; umol/L times g/mol is ng/mL."""
    assert row.mean is not None
    return row.mean if row.unit in MASS_UNITS else row.mean * p[MOLAR_MASS[ANALYTES[row.analyte][0]]]


def _point(
    p: ParameterSet,
    reading: Reading,
    species: str,
    time_min: float,
    parts: Mapping[str, tuple[int, Observation]],
) -> Point:
    observed = sum(_ng_per_ml(p, row) for _, row in parts.values())
    predicted = _predicted_ng_per_ml(p, reading, species, [time_min / 60])[0] * reading.share(parts)
    return Point(tuple(parts.values()), reading, species, time_min, observed, predicted)


def _bracket(p: ParameterSet, numbered: tuple[int, Observation], reading: Reading) -> Bracket:
    row = numbered[1]
    assert reading.window_min is not None
    species, enantiomer = ANALYTES[row.analyte]
    share, (first, last) = reading.share([enantiomer]), reading.window_min
    passed = [
        level * share for level in _predicted_ng_per_ml(p, reading, species, [m / 60 for m in _minutes(first, last)])
    ]
    steady = _predicted_ng_per_ml(p, reading, species, [LONG_H])[0] * share if reading.rate_lasts else None
    return Bracket(numbered, reading, species, _ng_per_ml(p, row), min(passed), max(passed), steady)


def _minutes(first: float, last: float) -> list[float]:
    """Every minute from first to last."""
    return [first + k for k in range(int(last - first) + 1)]


def _predicted_ng_per_ml(p: ParameterSet, reading: Reading, species: str, times_h: Sequence[float]) -> list[float]:
    """The model's level at each time, of all that was given, at the site of the reading."""
    assert reading.regimen is not None
    exposure = Exposure(Disposition.of(p, Person(weight_kg=reading.weight_kg)), reading.regimen)
    times = np.array(times_h)
    site = "arterial" if p.name in CENTRAL_IS_VENOUS else reading.site
    levels = {
        "ketamine": lambda: exposure.ketamine_plasma_ng_per_ml(times, site),
        "norketamine": lambda: exposure.norketamine_plasma_ng_per_ml(times),
        "hydroxynorketamine": lambda: exposure.hydroxynorketamine_plasma_ng_per_ml(times),
    }
    return [float(level) for level in levels[species]()]


# The page

OPENING = f"""\
# Held to published concentrations

This page is drawn from `{FILE}` in `src/reprieve/pharmacology`. After a change there or in the model, write it
anew with `python -m reprieve.pharmacology.observations > docs/explanation/pk-observations.md`, and its picture with
`python -m reprieve.pharmacology.observations --picture > docs/pictures/pk-observations.svg`. The equations are in
[the model](model.md). Research only, not for dosing people.

Nothing was fitted for this page. The ratio is predicted over observed, so that below 1 the model reads low. The fold
error is the geometric mean, 10 to the mean of |log10 ratio|: 1 is perfect, and twice or half as much is 2.
"""

CAUTION = """
A small error here is less than it looks. Nearly all the points lie on the mean curves of one experiment in twenty
volunteers, read off a figure: they are one test of the model, not so many. Where the volunteers' or patients' weight is
not printed 70 kg is assumed; a dose by weight then misses by (weight/70)^0.25 at the most, 5 % at 85 kg.
"""

ALTERNATIVE_WORDS = """
`simons2022` (arterial samples) and `otto2021` (venous samples, so what it calls arterial is a vein) replace ketamine's
own disposition and leave the metabolites as they are. Otto's levels beside arterial ones show how much the site
matters, not how good that model is.
"""

BRACKET_WORDS = f"""
For these a dose is printed but not when blood was drawn. The model's lowest and highest level in the time named are
given, and where an infusion goes on the level after {LONG_H / 24:g} days, which no such patient reaches. None counts in
the fold error, because a time could be chosen that fits.
"""


def page() -> str:
    """The page as Markdown."""
    found = compare()
    others = [compare(parameter_set(name)) for name in ALTERNATIVES]
    parts = (_errors(found, others), _by_study(found), _misfits(found), _brackets(found), _unpredicted(found))
    return "\n".join([OPENING, *(line for part in (*parts, _doses(), _points(found, others)) for line in part), ""])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _head(title: str, *columns: str, words: str = "") -> Iterator[str]:
    yield f"\n## {title}\n{words}"
    yield _row(*columns)
    yield f"|{'---|' * len(columns)}"


def _error_of(points: Sequence[Point]) -> str:
    return f"{fold_error(point.ratio for point in points):.2f}" if points else "none"


def _without_misfits(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if not point.is_misfit]


def _errors(found: Comparison, others: Sequence[Comparison]) -> Iterator[str]:
    counted = f"{len(found.points)} points from {sum(len(point.numbered) for point in found.points)} rows"
    rest = f"{len(found.brackets)} rows without a time, {len(found.unpredicted)} that cannot be predicted"
    recalled = sum(point.is_recalled for point in found.points)
    yield f"{counted}; {rest}. From memory, and so left out of the fold errors: {recalled or 'none'}.\n"
    yield (
        f"![Observed against predicted levels on logarithmic axes: {len(found.points) - len(found.misfits)} of "
        f"{len(found.points)} points lie within {BAND:g}-fold of the line of identity](../pictures/pk-observations.svg)"
    )
    columns = ("analyte", "site", "points", "fold error", "without misfits", "to reach", *ALTERNATIVES)
    yield from _head("Fold error", *columns)
    for species, site in ((species, site) for species in SPECIES for site in SITES):
        points = found.among(species, site)
        if points:
            reach = REACH.get((species, site))
            cells = (_error_of(points), _error_of(_without_misfits(points)), f"{reach:g}" if reach else "")
            beside = (_error_of(other.among(species, site)) for other in others)
            yield _row(species, site, str(len(points)), *cells, *beside)
    yield ALTERNATIVE_WORDS + CAUTION


def _by_study(found: Comparison) -> Iterator[str]:
    yield from _head("By study", "study", "analyte", "points", "fold error", "ratios", "what the model owes to it")
    for label, species in dict.fromkeys((point.reading.label, point.species) for point in found.points):
        points = found.among(species, label=label)
        ratios = sorted(point.ratio for point in found.among(species, label=label, recalled=True))
        between = f"{ratios[0]:.2f} to {ratios[-1]:.2f}" if len(ratios) > 1 else f"{ratios[0]:.2f}"
        yield _row(label, species, str(len(ratios)), _error_of(points), between, OWED.get((label, species), "nothing"))


def _misfits(found: Comparison) -> Iterator[str]:
    words = f"\nEvery point outside {1 / BAND:.2f} to {BAND:g}, none left out.\n"
    yield from _head("Misfits", "study", "analyte", "min", "ratio", "why", words=words)
    for point in found.misfits:
        yield _row(
            point.reading.label,
            point.species,
            f"{point.time_min:g}",
            f"{point.ratio:.2f}",
            point.reason + (" †" if point.is_recalled else ""),
        )
    low = [f"{100 * (1 - point.ratio):.0f}" for point in found.points if point.reading.label.startswith("Simons")]
    yield (
        f"\nBoth S-ketamine peaks of Simons lie inside the band, but {' and '.join(low)} % low: arterial peaks in that "
        "laboratory need `simons2022`, or a smaller V1; and some of the film may still have been in the blood."
    )


def _brackets(found: Comparison) -> Iterator[str]:
    columns = (
        "line",
        "study",
        "analyte",
        "as printed",
        "seen, ng/mL",
        "model, ng/mL",
        "ratio",
        "steady state, ng/mL",
        "how it was read",
    )
    yield from _head("Without a time", *columns, words=BRACKET_WORDS)
    for each in found.brackets:
        seen, line = each.observed_ng_per_ml, each.numbered[0]
        model = f"{each.low_ng_per_ml:.0f} to {each.high_ng_per_ml:.0f}"
        ratio = f"{each.low_ng_per_ml / seen:.2f} to {each.high_ng_per_ml / seen:.2f}"
        steady = f"{each.steady_ng_per_ml:.0f} ({each.steady_ng_per_ml / seen:.2f})" if each.steady_ng_per_ml else ""
        yield _row(
            str(line),
            each.reading.label,
            each.species,
            _printed(each.numbered),
            f"{seen:.0f}",
            model,
            ratio,
            steady,
            each.reading.words,
        )
    yield (
        "\nIdvall's and Kienbaum's anaesthetic levels are misfits too: above all that the model passes through between "
        "15 and 120 minutes, though near its steady state. Either blood was drawn in the first minutes, or the model "
        "is too low after an anaesthetic bolus. It is not made for such doses."
    )


def _unpredicted(found: Comparison) -> Iterator[str]:
    yield from _head("Not predicted", "line", "study", "analyte", "dose as printed", "seen", "why not")
    for each in found.unpredicted:
        line, row = each.numbered
        yield _row(str(line), row.study, row.analyte, row.dose, _printed(each.numbered), each.because)


def _doses() -> Iterator[str]:
    yield from _head("How each dose was read", "study", "as printed", "drug", "kg", "site", "read as")
    for each in READINGS:
        if each.regimen is not None:
            yield _row(each.label, each.dose, each.drug, f"{each.weight_kg:g}", each.site, each.words)


def _points(found: Comparison, others: Sequence[Comparison]) -> Iterator[str]:
    words = f"\nLines are those of `{FILE}`. A star marks a misfit, a dagger (†) what is from memory.\n"
    columns = ("lines", "study", "analyte", "site", "min", "as printed", "seen, ng/mL", "predicted, ng/mL", "ratio")
    yield from _head("Every point", *columns, *ALTERNATIVES, words=words)
    for point, *beside in zip(found.points, *(other.points for other in others), strict=True):
        yield _row(
            ", ".join(str(line) for line, _ in point.numbered),
            point.reading.label,
            point.species,
            point.reading.site,
            f"{point.time_min:g}",
            " + ".join(_printed(numbered) for numbered in point.numbered),
            f"{point.observed_ng_per_ml:.3g}",
            f"{point.predicted_ng_per_ml:.3g}",
            f"{point.ratio:.2f}{' *' if point.is_misfit else ''}",
            *(f"{other.ratio:.2f}" for other in beside),
        )


def _printed(numbered: tuple[int, Observation]) -> str:
    """The level as printed, with a dagger if it is from memory."""
    row = numbered[1]
    spread = f" (SD {row.sd:g})" if row.sd is not None else ""
    dagger = " †" if row.source.mark else ""
    return f"{row.mean:g}{spread} {row.unit}{dagger}" if row.mean is not None else ""


# The picture

WIDTH, HEIGHT = 520, 420
AXIS_NG_PER_ML = (0.3, 3000.0)
SHAPES = {"arterial": "circle", "venous": "triangle-up"}


def picture(look: str = "light") -> str:
    """Observed against predicted on logarithmic axes, with the line of identity and the band, as SVG."""
    found = compare()
    layers = alt.layer(*_band(LOOKS[look]), *_rules(found, LOOKS[look]), _dots(found, LOOKS[look]))
    said = (
        f"Default set; hydroxynorketamine was fitted to these points. Band: within {BAND:g}-fold. "
        "Circle: arterial, triangle: venous. Bars: levels "
        "printed without a time, over what the model passes through. Research only, not for dosing people."
    )
    title = alt.TitleParams("Published levels and the model's", subtitle=lines(said, WIDTH // 8))
    return svg(layers.properties(width=WIDTH, height=HEIGHT, title=title), LOOKS[look])


def _x(field: str, title: str | None = "predicted, ng/mL") -> alt.X:
    return alt.X(f"{field}:Q", title=title, axis=_ticks(), scale=_log())


def _y(field: str, title: str | None = "observed, ng/mL") -> alt.Y:
    return alt.Y(f"{field}:Q", title=title, axis=_ticks(), scale=_log())


def _ticks() -> alt.Axis:
    return alt.Axis(values=[1, 10, 100, 1000], format="~d")


def _log() -> alt.Scale:
    return alt.Scale(type="log", domain=list(AXIS_NG_PER_ML), nice=False)


def _band(look: Look) -> Iterator[Any]:
    """The band and the line of identity."""
    ends = [{"x": x, "low": x / BAND, "high": x * BAND} for x in (AXIS_NG_PER_ML[0] / 2, AXIS_NG_PER_ML[1] * 2)]
    base = alt.Chart(alt.InlineData(values=ends))
    yield base.mark_area(opacity=0.7, color=look.rule, clip=True).encode(x=_x("x"), y=_y("low"), y2="high:Q")
    yield base.mark_line(strokeWidth=1, color=look.ink_2, clip=True).encode(x=_x("x"), y=_y("x"))


def _rules(found: Comparison, look: Look) -> Iterator[Any]:
    """Levels without a time, from the lowest to the highest that the model passes through, by name."""
    values = [
        {
            "low": each.low_ng_per_ml,
            "high": each.high_ng_per_ml,
            "observed": each.observed_ng_per_ml,
            "name": each.reading.label,
        }
        for each in found.brackets
    ]
    base = alt.Chart(alt.InlineData(values=values))
    yield base.mark_rule(strokeWidth=3, color=look.ink_2).encode(x=_x("low"), x2="high:Q", y=_y("observed"))
    named = base.mark_text(align="right", dx=-6, fontSize=14, color=look.ink_2)
    yield named.encode(x=_x("low"), y=_y("observed"), text="name:N")


def _dots(found: Comparison, look: Look) -> Any:
    values = [
        {
            "predicted": point.predicted_ng_per_ml,
            "observed": point.observed_ng_per_ml,
            "analyte": point.species,
            "site": point.reading.site,
        }
        for point in found.points
    ]
    legend = alt.Legend(title=None, orient="top", labelFontSize=14, labelColor=look.ink_2, symbolSize=80)
    shapes = alt.Scale(domain=list(SHAPES), range=list(SHAPES.values()))
    base = alt.Chart(alt.InlineData(values=values)).mark_point(filled=True, size=60, opacity=0.85)
    return base.encode(
        x=_x("predicted"),
        y=_y("observed"),
        color=alt.Color("analyte:N", scale=alt.Scale(domain=list(SPECIES)), legend=legend),
        shape=alt.Shape("site:N", scale=shapes, legend=None),
    )


if __name__ == "__main__":
    sys.stdout.write(picture() if sys.argv[1:] == ["--picture"] else page())
