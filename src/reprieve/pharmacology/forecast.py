"""One person's course, before and after readings from that person: how they may differ, learnt by Bayes' rule.

    prior       z ~ Normal(0, I); each parameter is the typical one times exp(spread x z), as ``variability.py`` draws
    posterior   log p(z | readings) = sum log p(reading | z) - z'z / 2 + constant
    Laplace     z | readings ~ Normal(z*, H^-1): z* where that is highest (MAP), H its curvature there, with a minus

Bands come from people drawn from the prior and from that approximation, by the same random numbers, pushed through the
exact closed form. They are bands of what the model expects, without the error of a single reading. No symptoms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtri

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.compartments import SITES, Disposition, SiteError
from reprieve.pharmacology.dissociation import Dissociation, prior_sittings
from reprieve.pharmacology.exposures import Exposures
from reprieve.pharmacology.haemodynamics import Haemodynamics
from reprieve.pharmacology.parameters import ParameterSet, parameter_set, table
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.readings import Reading
from reprieve.pharmacology.receptor import Receptor
from reprieve.pharmacology.regimen import Regimen
from reprieve.pharmacology.variability import CORRELATED, FORECAST_STREAM, MEAN_ONE, generator

Array = NDArray[np.float64]

CAUTION = (
    "For research and method development only. Not for dosing, monitoring or discharging anybody: this forecast for "
    "one person has not been tested in people, and much of its spread between people is assumed."
)
SHORT_CAUTION = "research only, not for dosing people"

# What is learnt about one person, in words
SYMBOLS = {
    "V1": "central volume",
    "CL": "clearance of ketamine",
    "VN": "volume of norketamine",
    "CLN": "clearance of norketamine",
    "pot": "potency at the receptor",
    "Dmax": "largest dissociation",
    "Emax_s": "largest systolic rise",
    "Emax_d": "largest diastolic rise",
    "Emax_h": "largest rise of the pulse",
}
PLACE = {symbol: k for k, symbol in enumerate(SYMBOLS)}

# Every signal of a forecast and its unit; names as in ``simulate.VARIABLES``
SIGNALS = {
    "ketamine_plasma_ng_per_ml": "ng/mL",
    "norketamine_plasma_ng_per_ml": "ng/mL",
    "receptor_block_interneuron_fraction": "1",
    "receptor_block_pyramidal_fraction": "1",
    "systolic_change_mmhg": "mmHg",
    "diastolic_change_mmhg": "mmHg",
    "pulse_change_per_min": "1/min",
    "cadss_total": "points",
}
READ_AS = {  # the signal, and for ketamine the site, that each kind of reading reads
    "ketamine_arterial_ng_per_ml": ("ketamine_plasma_ng_per_ml", "arterial"),
    "ketamine_venous_ng_per_ml": ("ketamine_plasma_ng_per_ml", "venous"),
    "norketamine_ng_per_ml": ("norketamine_plasma_ng_per_ml", ""),
    "systolic_change_mmhg": ("systolic_change_mmhg", ""),
    "diastolic_change_mmhg": ("diastolic_change_mmhg", ""),
    "pulse_change_per_min": ("pulse_change_per_min", ""),
    "cadss_total": ("cadss_total", ""),
}
PEOPLE = 600  # drawn for each band, in pairs of opposites so that medians stand where they should
SEED = 1
MOST_READINGS = 200
STEP, FINE_STEP = 1e-3, 1e-4  # of the curvature and of the gradient
FAR_OUT = 3.0  # standard deviations from which a reading is said not to fit
NINETY = 1.6448536269514722  # standard normal, 95 %
LITTLE = 0.05  # a parameter whose spread shrank by less was not learnt


class ForecastError(PharmacologyError):
    """A forecast cannot be made: says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Band:
    """5 %, 50 % and 95 % of people; numbers, or arrays of shape (T,)."""

    low: Array
    middle: Array
    high: Array

    @classmethod
    def of(cls, people: Array) -> Band:
        """Over the first axis."""
        return cls(*np.quantile(people, [0.05, 0.5, 0.95], axis=0))


@dataclass(frozen=True)
class Body:
    """One body on one regimen, and how it may differ from the typical one.

    ``scores`` below are independent standard normal numbers, shape (N, 9), one column a symbol of :data:`SYMBOLS`;
    a row of zeros is the median of every parameter.
    """

    person: Person
    regimen: Regimen
    p: ParameterSet
    covariates: tuple[str, ...] = ()

    @cached_property
    def typical(self) -> Disposition:
        """The disposition of the median person of this weight."""
        return Disposition.of(self.p, self.person, self.covariates)

    @cached_property
    def spread(self) -> Array:
        """Standard deviation of the log of each parameter between people; shape (9,)."""
        return np.array([math.sqrt(math.log1p((table()[symbol].cv or 0.0) ** 2)) for symbol in SYMBOLS])

    @cached_property
    def mixing(self) -> Array:
        """Scores to correlated deviations: deviations = scores @ mixing.T; shape (9, 9)."""
        mixed = np.eye(len(SYMBOLS))
        for symbol, (beside, correlation) in CORRELATED.items():
            if symbol in PLACE:
                r = self.p[correlation]
                mixed[PLACE[symbol], PLACE[symbol]] = math.sqrt(1 - r * r)
                mixed[PLACE[symbol], PLACE[beside]] = r
        return mixed

    def factors(self, scores: Array) -> Array:
        """What each typical value is multiplied by; shape (N, 9)."""
        centre = [-sd * sd / 2 if symbol in MEAN_ONE else 0.0 for symbol, sd in zip(SYMBOLS, self.spread, strict=True)]
        factors: Array = np.exp(scores @ self.mixing.T * self.spread + np.array(centre))
        return factors

    def signals(self, scores: Array, times_min: Array, site: str = "arterial") -> dict[str, Array]:
        """Every signal of N people at T minutes, each of shape (N, T)."""
        if site not in SITES:
            raise SiteError(f"site {site!r}; it must be {' or '.join(SITES)}")
        times_h = np.asarray(times_min, dtype=float) / 60
        own = dict(zip(SYMBOLS, self.factors(scores).T, strict=True))
        typical = {name: getattr(self.typical, name) * own[name] for name in ("V1", "CL", "VN", "CLN")}
        levels = Exposures(self.typical, **typical, regimen=self.regimen).levels(times_h)
        mass = self.typical.molar_mass_ketamine
        arterial, effect_site = levels.arterial * mass, levels.effect_site * mass
        receptor, felt, pressed = Receptor.of(self.p), Dissociation.of(self.p), Haemodynamics.of(self.p)
        drive = levels.effect_site * self.typical.free_at_effect_site * (own["pot"] * self.p["pot"])[:, None]
        prior = prior_sittings(times_h, [sitting[0].start_h for sitting in self.regimen.sittings()])
        return {
            "ketamine_plasma_ng_per_ml": levels.venous * mass if site == "venous" else arterial,
            "norketamine_plasma_ng_per_ml": levels.norketamine * self.typical.molar_mass_norketamine,
            "receptor_block_interneuron_fraction": receptor.block_interneuron(drive),
            "receptor_block_pyramidal_fraction": receptor.block_pyramidal(drive),
            "systolic_change_mmhg": pressed.systolic_change_mmhg(arterial) * own["Emax_s"][:, None],
            "diastolic_change_mmhg": pressed.diastolic_change_mmhg(arterial) * own["Emax_d"][:, None],
            "pulse_change_per_min": pressed.pulse_change_per_min(arterial) * own["Emax_h"][:, None],
            "cadss_total": felt.base + felt.rise(effect_site, prior) * own["Dmax"][:, None],
        }

    def expected(self, scores: Array, readings: Sequence[Reading]) -> Array:
        """What the model expects of N people where each reading was taken; shape (N, number of readings)."""
        times = np.array(sorted({each.time_min for each in readings}))
        sites = {READ_AS[each.what][1] or "arterial" for each in readings}
        found = {site: self.signals(scores, times, site) for site in sites}
        columns = []
        for each in readings:
            signal, site = READ_AS[each.what]
            columns.append(found[site or next(iter(sites))][signal][:, np.searchsorted(times, each.time_min)])
        return np.stack(columns, axis=1)

    def log_chance(self, scores: Array, readings: Sequence[Reading]) -> Array:
        """Log likelihood of all readings together, in each of N people; shape (N,)."""
        expected = self.expected(scores, readings)
        each_of: Array = np.array([each.log_chance(expected[:, k], self.p) for k, each in enumerate(readings)])
        total: Array = each_of.sum(axis=0)
        return total


@dataclass(frozen=True)
class Learnt:
    """Where a person's scores lie: Normal(scores, covariance); shapes (9,) and (9, 9)."""

    scores: Array
    covariance: Array

    @classmethod
    def nothing(cls) -> Learnt:
        """The prior."""
        return cls(np.zeros(len(SYMBOLS)), np.eye(len(SYMBOLS)))

    def drawn(self, people: int = PEOPLE, seed: int = SEED) -> Array:
        """People as they may be, always the same ones; shape (people, 9), every second the opposite of one before."""
        half = generator(seed, 0, FORECAST_STREAM).standard_normal((people // 2, len(SYMBOLS)))
        both = np.concatenate([half, -half])
        drawn: Array = self.scores + both @ np.linalg.cholesky(self.covariance).T
        return drawn


def learn(body: Body, readings: Sequence[Reading], symbols: Sequence[str] = tuple(SYMBOLS)) -> Learnt:
    """A person's scores given the readings: the most probable, and Laplace's covariance about it.

    Parameters
    ----------
    readings : in any order; none gives the prior, exactly
    symbols : what may differ; the others are held at their medians

    Raises
    ------
    ForecastError : for a reading before any drug was given, for too many, or where no single answer is most probable
    """
    kept = _checked(body, readings)
    free = [PLACE[symbol] for symbol in symbols]
    if not kept or not free:
        return Learnt.nothing()

    def cost(points: Array) -> Array:  # minus log posterior at each of N points of the free scores
        scores = np.zeros((len(points), len(SYMBOLS)))
        scores[:, free] = points
        found: Array = 0.5 * np.sum(points**2, axis=1) - body.log_chance(scores, kept)
        return found

    def cost_and_gradient(point: Array) -> tuple[float, Array]:
        steps = FINE_STEP * np.eye(len(free))
        values = cost(point + np.concatenate([np.zeros((1, len(free))), steps, -steps]))
        return float(values[0]), (values[1 : len(free) + 1] - values[len(free) + 1 :]) / (2 * FINE_STEP)

    start = np.zeros(len(free))
    top: Array = minimize(cost_and_gradient, start, jac=True, method="BFGS", options={"gtol": 1e-4}).x
    for _ in range(2):  # BFGS stops near the top; two steps of Newton's go there
        curvature = _curvature(cost, top)
        if _is_positive(curvature):
            top = top - np.linalg.solve(curvature, cost_and_gradient(top)[1])
    curvature = _curvature(cost, top)
    if not _is_positive(curvature) or not np.all(np.isfinite(top)):
        raise ForecastError(
            "these readings do not settle on one most probable person; look for one that was typed wrongly, or leave "
            "out the one that fits least"
        )
    scores, covariance = np.zeros(len(SYMBOLS)), np.eye(len(SYMBOLS))
    scores[free] = top
    covariance[np.ix_(free, free)] = np.linalg.inv(curvature)
    return Learnt(scores, (covariance + covariance.T) / 2)


def _checked(body: Body, readings: Sequence[Reading]) -> list[Reading]:
    """The readings in order of time, none before there is drug."""
    if len(readings) > MOST_READINGS:
        raise ForecastError(f"{len(readings)} readings; give at most {MOST_READINGS}")
    kept = sorted(readings)
    begins = body.regimen.infusions[0].start_h * 60 if body.regimen.infusions else math.inf
    for each in kept:
        if each.time_min <= begins:
            raise ForecastError(
                f"{each.words}: that is not after the start of the first infusion"
                + (f", {begins:g} min" if math.isfinite(begins) else ", and there is none")
                + "; a reading at rest says nothing about the drug, so leave it out"
            )
    return kept


def _curvature(cost: Callable[[Array], Array], point: Array) -> Array:
    """Second derivatives by central differences, all in one call; shape (F, F)."""
    f = len(point)
    first, second = np.triu_indices(f)
    eye = STEP * np.eye(f)
    corners = [point + a * eye[first] + b * eye[second] for a in (1, -1) for b in (1, -1)]
    values = cost(np.concatenate(corners)).reshape(4, -1)
    found = np.zeros((f, f))
    found[first, second] = (values[0] - values[1] - values[2] + values[3]) / (4 * STEP * STEP)
    return found + np.triu(found, 1).T


def _is_positive(matrix: Array) -> bool:
    return bool(np.all(np.isfinite(matrix)) and np.linalg.eigvalsh(matrix)[0] > 0)


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter before and after: median and central 90 %, by the table's unit; how much its spread shrank."""

    symbol: str
    words: str
    unit: str
    before: tuple[float, float, float]  # low, median, high
    after: tuple[float, float, float]
    shrinkage: float  # 1 - spread after / spread before, of the log; 0 is nothing learnt

    @property
    def is_learnt(self) -> bool:
        """Whether the readings say anything worth naming about it."""
        return self.shrinkage >= LITTLE


@dataclass(frozen=True, slots=True)
class Check:
    """A reading beside what was expected: medians and central 90 %, before and after, and how far out it lies.

    ``surprise`` counts standard deviations among single readings expected before any was known, ``residual`` those
    from what is expected of this person now.
    """

    reading: Reading
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    surprise: float
    residual: float

    @property
    def fits(self) -> bool:
        """Whether it lies within three standard deviations, by both counts."""
        return abs(self.surprise) <= FAR_OUT and abs(self.residual) <= FAR_OUT

    @property
    def words(self) -> str:
        """What to say of it."""
        return "fits" if self.fits else "this reading does not fit: check it"


@dataclass(frozen=True)
class Forecast:
    """One person's signals over time, before and after the readings."""

    body: Body
    readings: tuple[Reading, ...]
    site: str
    times_min: Array
    learnt: Learnt
    people_before: Array = field(repr=False)  # scores, (N, 9)
    people_after: Array = field(repr=False)

    @cached_property
    def before(self) -> Mapping[str, Band]:
        """Each signal with its band, before the readings."""
        return self._bands(self.people_before)

    @cached_property
    def after(self) -> Mapping[str, Band]:
        """Each signal with its band, after the readings; the same as before if there are none."""
        return self._bands(self.people_after) if self.readings else self.before

    def _bands(self, people: Array) -> Mapping[str, Band]:
        found = self.body.signals(people, self.times_min, self.site)
        return {name: Band.of(each) for name, each in found.items()}

    @cached_property
    def parameters(self) -> tuple[Change, ...]:
        """What was learnt about each parameter."""
        body, found = self.body, []
        typical = body.factors(np.zeros((1, len(SYMBOLS))))[0]
        shifts = body.mixing @ self.learnt.scores * body.spread
        spreads = np.sqrt(np.diag(body.mixing @ self.learnt.covariance @ body.mixing.T)) * body.spread
        for k, (symbol, words) in enumerate(SYMBOLS.items()):
            median = body.p[symbol] * typical[k]
            found.append(
                Change(
                    symbol,
                    words,
                    table()[symbol].unit,
                    _interval(median, body.spread[k]),
                    _interval(median * math.exp(shifts[k]), spreads[k]),
                    round(float(1 - spreads[k] / body.spread[k]), 6) + 0.0 if self.readings else 0.0,
                )
            )
        return tuple(found)

    @property
    def not_informed(self) -> tuple[Change, ...]:
        """Parameters about which the readings say next to nothing."""
        return tuple(each for each in self.parameters if not each.is_learnt)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Each reading beside what was expected, in order of time."""
        if not self.readings:
            return ()
        before = self.body.expected(self.people_before, self.readings)
        after = self.body.expected(self.people_after, self.readings)
        best = self.body.expected(self.learnt.scores[None], self.readings)
        return tuple(
            Check(each, _spread(before[:, k]), _spread(after[:, k]), self._out(each, before[:, k]),
                  self._out(each, best[:, k]))
            for k, each in enumerate(self.readings)
        )  # fmt: skip

    def _out(self, reading: Reading, expected: Array) -> float:
        """How many standard deviations out, by the share of such readings that would be smaller."""
        share = float(np.mean(reading.chance_below(expected, self.body.p)))
        return float(ndtri(min(max(share, 1e-12), 1 - 1e-12)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to say about doses and values that the model was not made for, and about readings that do not fit."""
        odd = (f"{each.reading.words}: {each.words}" for each in self.checks if not each.fits)
        return (*self.body.p.warnings, *self.body.regimen.warnings(self.body.person.weight_kg), *odd)


def _interval(median: float, spread: float) -> tuple[float, float, float]:
    reach = math.exp(NINETY * spread)
    return float(median / reach), float(median), float(median * reach)


def _spread(people: Array) -> tuple[float, float, float]:
    low, middle, high = np.quantile(people, [0.05, 0.5, 0.95])
    return float(low), float(middle), float(high)


def forecast(
    person: Person,
    regimen: Regimen,
    readings: Sequence[Reading] = (),
    parameters: ParameterSet | None = None,
    *,
    times_min: Sequence[float] | Array | None = None,
    site: str = "arterial",
    covariates: tuple[str, ...] = (),
    people: int = PEOPLE,
) -> Forecast:
    """What the model expects of one person, before and after readings from that person.

    Parameters
    ----------
    readings : in any order, in minutes from day 0
    times_min : minutes from day 0; the first session up to six hours if not given
    site : where plasma is drawn in the forecast, arterial or venous; each reading says its own
    people : drawn for each band

    Examples
    --------
    A clearance that is 20 % higher than usual shows in the levels.

    >>> course = Regimen.repeated(35, 2 / 3, days=[0])
    >>> known = [Reading(80, "ketamine_arterial_ng_per_ml", 60), Reading(230, "ketamine_arterial_ng_per_ml", 20)]
    >>> found = forecast(Person(weight_kg=70), course, known, times_min=[110])
    >>> level = "ketamine_plasma_ng_per_ml"
    >>> found.before[level].middle.round(), found.after[level].middle.round()
    (array([54.]), array([48.]))
    >>> [each.words for each in found.parameters if each.is_learnt]
    ['central volume', 'clearance of ketamine']
    """
    if site not in SITES:
        raise SiteError(f"site {site!r}; it must be {' or '.join(SITES)}")
    body = Body(person, regimen, parameters or parameter_set(), covariates)
    learnt = learn(body, readings)
    times = np.asarray(session_times_min(regimen) if times_min is None else times_min, dtype=float)
    if times.ndim != 1 or not len(times) or not np.all(np.isfinite(times)) or times.min() < 0:
        raise ForecastError("times must be one or more minutes from day 0, none of them negative")
    before = Learnt.nothing().drawn(people)
    after = learnt.drawn(people) if readings else before
    return Forecast(body, tuple(sorted(readings)), site, times, learnt, before, after)


def session_times_min(regimen: Regimen, session: int = 1, hours: float = 6.0) -> Array:
    """Minutes from day 0 about one session, 1 the first: every 2 to an hour past its last infusion, then ever rarer.

    >>> times = session_times_min(Regimen.repeated(35, 2 / 3, days=[0, 2]), session=2)
    >>> float(times[0]) / 1440, float(times[-1] - times[0]), len(times)
    (2.0, 360.0, 73)
    """
    sittings = regimen.sittings()
    if not 1 <= session <= len(sittings):
        raise ForecastError(f"session {session}; the regimen has {len(sittings)}")
    begin = sittings[session - 1][0].start_h * 60
    stops = [each.stop_h * 60 for each in sittings[session - 1]]
    last = begin + hours * 60
    if session < len(sittings):
        last = min(last, sittings[session][0].start_h * 60)
    last = max(last, max(stops))
    close = np.arange(begin, min(max(stops) + 60, last), 2)
    later = np.arange(max(stops) + 60, min(max(stops) + 240, last), 10)
    rest = np.arange(max(stops) + 240, last, 20)
    times: Array = np.unique(np.concatenate([close, stops, later, rest, [last]]).round(6))
    return times
