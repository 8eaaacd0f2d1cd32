"""The same equations as ``model.py``, fast: thousands to millions of people who share one course.

Nothing here is a model of its own: :func:`simulate_many` is held to the readable statement by its tests. How it gets
there (docs/explanation/engine.md): drug in eigenmodes, exact; block at its equilibrium; the linear chain from glutamate
to the spine signal, and what it does to severity, exactly for a source that is a parabola within a step; synapses by a
Runge-Kutta step; severity and stress by exponential weights. People go through in blocks of 32, each in lanes of the
processor's vectors, so that nobody's numbers depend on who else is simulated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.special import betaincinv, ndtr

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.blocks import (
    AFTER,
    AFTER_HALF,
    BY_PROBABILITY,
    CHAIN,
    COLUMNS,
    GLUTAMATE,
    HALF,
    LENGTH,
    SEVERITY,
    STRESS,
    WIDTH,
    run_blocks,
)
from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG
from reprieve.pharmacology.grid import SAME_H, Grid, steps
from reprieve.pharmacology.model import Course, Switches, TimesError
from reprieve.pharmacology.parameters import ParameterSet, table
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import HOURS_PER_DAY, Regimen
from reprieve.pharmacology.symptoms import ARMS
from reprieve.pharmacology.variability import (
    ADHERENCE_SD,
    CORRELATED,
    DRAWS,
    FLOORED_AT_ZERO,
    LOGNORMAL,
    MEAN_ONE,
    SEVERITY_LIMITS,
    WEIGHT_LIMITS_KG,
    Drawn,
    generator,
)

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

CHUNK = 1024  # people that one thread takes at a time
FINER = 8  # how much finer the grid of people whose glutamate falls below rest, or who clear the drug slowly
SLOW_PER_H, TOO_SLOW_PER_H = 0.06, 0.035  # slowest rates of the drug below which steps are finer, or do not do at all
APART_H = 4 * SAME_H  # times closer than this are refused: the grid would take them for one

STATES = (
    "ketamine_plasma_ng_per_ml",  # arterial
    "norketamine_plasma_ng_per_ml",
    "receptor_block_interneuron_fraction",
    "receptor_block_pyramidal_fraction",
    "glutamate_rise_fraction",
    "bdnf_signal_fraction",
    "translation_signal_fraction",
    "spine_signal_fraction",
    "labile_synapse_fraction",
    "synaptic_density_fraction",
    "stress_load_fraction",
    "extinction_fraction",
    "caps5_total",
)
UNBOUNDED = "severity_points"  # the CAPS-5 before it is kept within 0 to 80; to be asked for by name
SUMMARIES = (
    "peak_ketamine_ng_per_ml",
    "peak_block_interneuron_fraction",
    "peak_synaptic_density_fraction",
    "lowest_caps5_total",
    "mean_caps5_total",  # over time, not clipped
    "lowest_glutamate_rise_fraction",
)
# What all people of one call share; people who differ in these go through in groups
SHARED = "p tau_G tau_N tau_M tau_W tau_th tau_sig tau_E tau_P tau_b D50 r_I".split()
ADDED = ("weight_kg", "scale", "arm", "rank")  # columns that are no symbols
OWN = tuple(name for name in COLUMNS if name not in ADDED)  # what may differ from person to person
LOWEST_GLUTAMATE = SUMMARIES.index("lowest_glutamate_rise_fraction")
# In long steps the drug fades about so, per hour, and the source is fitted as that: by hours of the step
FADING_PER_H = ((0.4, 0.0), (5.0, 0.2), (math.inf, 0.1))
BELOW_REST = 1e-8  # glutamate this far below rest is cut off there


class ManyError(PharmacologyError):
    """Many people cannot be simulated like this: says what, the rule, and the way out."""


@dataclass(frozen=True)
class People:
    """Who is simulated: for each symbol of ``parameters.csv`` one value for all, or an array of shape (n,).

    ``belief_rank`` is where each stands among those who believe, as :class:`~reprieve.pharmacology.variability.Drawn`
    has it; None takes the probability of believing.
    """

    weight_kg: Array
    values: Mapping[str, float | Array]
    belief_rank: Array | None = None

    def __len__(self) -> int:
        return len(self.weight_kg)

    @classmethod
    def of(cls, bodies: Sequence[Person], sets: Sequence[ParameterSet], ranks: Array | None = None) -> People:
        """People whose values are known, one set each."""
        if len(bodies) != len(sets):
            raise ManyError(f"{len(bodies)} people and {len(sets)} sets of values; give one set each")
        weights = np.array([body.weight_kg for body in bodies], dtype=float)
        names = [*OWN, *SHARED, *ARMS.values(), "r_mil"]
        return cls(weights, {name: _folded(np.array([p[name] for p in sets], dtype=float)) for name in names}, ranks)

    @classmethod
    def among(cls, drawn: Sequence[Drawn]) -> People:
        """People drawn by :func:`~reprieve.pharmacology.variability.draw`."""
        ranks = np.array([each.belief_rank for each in drawn], dtype=float)
        return cls.of([each.person for each in drawn], [each.p for each in drawn], ranks)

    @classmethod
    def drawn(cls, p: ParameterSet, seed: int, numbers: Sequence[int], weight_kg: float | None = None) -> People:
        """The people of these numbers in the population of ``seed``: the same as :func:`draw` gives, all at once."""
        z = np.empty((len(numbers), len(DRAWS)))
        for row, number in enumerate(numbers):
            generator(seed, number).standard_normal(out=z[row])
        scores = dict(zip(DRAWS, z.T, strict=True))
        for symbol, (beside, correlation) in CORRELATED.items():
            r = p[correlation]
            scores[symbol] = r * scores[beside] + math.sqrt(1 - r * r) * scores[symbol]
        weights = np.clip(p["WT_mean"] + p["WT_sd"] * scores["WT"], *WEIGHT_LIMITS_KG)
        if weight_kg is not None:
            weights = np.full(len(numbers), Person(weight_kg=weight_kg).weight_kg)
        names = [*OWN, *SHARED, *ARMS.values(), "r_mil"]
        return cls(weights, {name: p[name] for name in names} | _spread(p, scores), ndtr(scores["belief"]))

    def some(self, index: Any) -> People:
        """Those at ``index``, a slice or an array."""
        values = {name: value[index] if isinstance(value, np.ndarray) else value for name, value in self.values.items()}
        ranks = None if self.belief_rank is None else self.belief_rank[index]
        return People(self.weight_kg[index], values, ranks)

    def column(self, name: str) -> Array:
        """One symbol; shape (n,)."""
        return np.broadcast_to(np.asarray(self.values[name], dtype=float), len(self))


def _spread(p: ParameterSet, scores: Mapping[str, Array]) -> dict[str, float | Array]:
    """The symbols that differ between people, from standard normal scores."""
    found: dict[str, float | Array] = {}
    for symbol in set(LOGNORMAL) & set(OWN):
        cv = table()[symbol].cv or 0.0
        sd = math.sqrt(math.log1p(cv * cv))
        found[symbol] = p[symbol] * np.exp(sd * scores[symbol] - (sd * sd / 2 if symbol in MEAN_ONE else 0.0))
    for symbol in FLOORED_AT_ZERO:
        found[symbol] = np.maximum(0.0, p[symbol] * (1 + (table()[symbol].cv or 0.0) * scores[symbol]))
    found["theta_0"] = np.clip(p["theta_0"] + p["theta_0_sd"] * scores["theta_0"], *SEVERITY_LIMITS)
    mean = p["adh"]
    size = min(mean * (1 - mean) / ADHERENCE_SD**2 - 1, 1e6)
    found["adh"] = betaincinv(mean * size, (1 - mean) * size, ndtr(scores["adh"])) if size > 0 else mean
    return found


def _folded(values: Array) -> float | Array:
    return float(values[0]) if len(values) and np.all(values == values[0]) else values


@dataclass(frozen=True)
class Many:
    """What :func:`simulate_many` found: states of shape (n, T), summaries of shape (n,), each by its name."""

    times_h: Array
    states: Mapping[str, NDArray[Any]]
    summaries: Mapping[str, Array]

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.states[name] if name in self.states else self.summaries[name]


def simulate_many(
    people: People,
    course: Course | Regimen,
    times_days: Sequence[float] | Array,
    states: Sequence[str] = STATES,
    *,
    mg_per_kg: bool = False,
    occasions: Array | None = None,
    switches: Switches | None = None,
    fineness: int = 1,
    threads: int = 1,
    dtype: Any = np.float64,
) -> Many:
    """The course of many people, each with values of their own.

    Parameters
    ----------
    course : doses in mg, the same for everybody; with ``mg_per_kg`` they are for 70 kg and follow body weight
    times_days : shape (T,), increasing from 0 or later; summaries run from day 0 to the last
    occasions : shape (n, sittings), how many times the dose of ``course`` each person gets in each sitting; 1 if None
    states : which of :data:`STATES` to keep, or :data:`UNBOUNDED`
    switches : ``kinetic_block`` and covariates are not to be had here
    fineness : 2 halves every step
    dtype : of the states; float32 halves their memory and keeps seven digits

    Returns
    -------
    states and summaries, in the order of ``people``; without observation noise

    Raises
    ------
    ManyError : for a state or a switch that there is none of, or a person whose drug stays too long
    TimesError : if times do not increase

    Examples
    --------
    >>> from reprieve.pharmacology.parameters import parameter_set
    >>> from reprieve.pharmacology.regimen import Infusion
    >>> trio = People.of([Person(), Person(), Person()], [parameter_set()] * 3)
    >>> found = simulate_many(trio, Regimen([Infusion(0, 2 / 3, 35)]), [0, 1, 28])
    >>> found["labile_synapse_fraction"][0].round(3)
    array([0.25 , 0.305, 0.265])
    >>> found["peak_ketamine_ng_per_ml"].round()
    array([253., 253., 253.])
    """
    given = Course(regimen=course) if isinstance(course, Regimen) else course
    chosen = switches or Switches()
    times_h = _checked(given, times_days, states, chosen)
    factors = _changes_of_dose(given, occasions, len(people))
    kept = np.empty((len(states), len(people), len(times_h)), dtype)
    summed = np.empty((len(SUMMARIES), len(people)))
    rows = np.array([(*STATES, UNBOUNDED).index(name) for name in states], dtype=np.int64)

    def run(job: _Job, numbers: Whole, *, clips: bool = False, finer: bool = False) -> Whole:
        """Fills in these people, a chunk a task, and says whose glutamate fell below rest."""
        tables = _tables(job, FINER * fineness if clips or finer else fineness, clips)

        def one(chunk: Whole) -> Whole:
            _solve(tables, job.columns(people.some(chunk)), factors[chunk], chunk, rows, kept, summed)
            fell: Whole = chunk[summed[LOWEST_GLUTAMATE, chunk] < -BELOW_REST]
            return fell

        chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)] or [numbers]
        if threads == 1:
            return np.concatenate([one(chunk) for chunk in chunks])
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(one, chunks)))

    slow = _slow(people, chosen, has_drug=bool(given.regimen.infusions))
    for group in _groups(people):
        shared = tuple(float(people.column(name)[group[0]]) for name in SHARED)
        job = _Job(given, switches or Switches(), tuple(times_h), shared, mg_per_kg)
        is_slow = slow[group]
        fell = np.concatenate([run(job, group[~is_slow]), run(job, group[is_slow], finer=True)])
        clipped = np.union1d(fell, group[people.column("k_e2")[group] != 0])
        if len(clipped):
            run(job, clipped, clips=True)
    return Many(times_h, dict(zip(states, kept, strict=True)), dict(zip(SUMMARIES, summed, strict=True)))


def _checked(course: Course, times_days: Sequence[float] | Array, states: Sequence[str], switches: Switches) -> Array:
    times = np.atleast_1d(np.asarray(times_days, dtype=float)) * HOURS_PER_DAY
    if not len(times) or not np.all(np.isfinite(times)) or times[0] < 0 or np.any(np.diff(times) <= APART_H):
        raise TimesError("times must be finite, 0 or later, and increase; sort them and drop repeats")
    for name in states:
        if name not in (*STATES, UNBOUNDED):
            raise ManyError(f"state {name!r}; the states are {', '.join(STATES)} and {UNBOUNDED}")
    if switches.kinetic_block or switches.covariates:
        raise ManyError("kinetic block and covariates are not in the fast kernel; use simulate for them")
    days = sorted(session.day for session in course.therapy)
    if np.any(np.diff(days) * HOURS_PER_DAY <= APART_H):
        raise ManyError("two therapy sessions at one time; move one by an hour")
    return times


def _slow(people: People, switches: Switches, *, has_drug: bool) -> NDArray[np.bool_]:
    """Who clears the drug so slowly that steps must be finer; shape (n,).

    The bound is below the slowest rate of ketamine, and of norketamine if it counts: long steps take the drug's level
    for a fading parabola, and late ones the receptor for free.

    Raises
    ------
    ManyError : for somebody whose drug stays so long that no step here would do
    """
    if not has_drug:
        return np.zeros(len(people), dtype=bool)
    size = people.weight_kg / REFERENCE_WEIGHT_KG
    volume, flow = size ** people.column("exp_V"), size ** people.column("exp_CL")
    per_volume = {name: flow / volume * people.column(flow_name) / people.column(volume_name) for
                  name, flow_name, volume_name in _RATES}  # fmt: skip
    k10, k12, k13, k21, k31 = (per_volume[name] for name in ("k10", "k12", "k13", "k21", "k31"))
    slowest = k10 * k21 * k31 / (k10 * k31 + k21 * k31 + k21 * k13 + k10 * k21 + k31 * k12)
    if switches.norketamine:
        out, across, back = (per_volume[name] for name in ("out", "across", "back"))
        slowest = np.minimum(slowest, out * back / (out + across + back))
    if len(people) and slowest.min() < TOO_SLOW_PER_H:
        raise ManyError(
            f"a person whose drug fades at {slowest.min():.3g} per hour at the slowest; the fast kernel takes "
            f"{TOO_SLOW_PER_H} or above (is a clearance off by a factor?): use simulate for them"
        )
    is_slow: NDArray[np.bool_] = slowest < SLOW_PER_H
    return is_slow


_RATES = (
    ("k10", "CL", "V1"), ("k12", "Q2", "V1"), ("k13", "Q3", "V1"), ("k21", "Q2", "V2"), ("k31", "Q3", "V3"),
    ("out", "CLN", "VN"), ("across", "QN", "VN"), ("back", "QN", "VPN"),
)  # fmt: skip


def _changes_of_dose(course: Course, occasions: Array | None, people: int) -> Array:
    """By how much each sitting's dose differs from the one before, the first from the course's; (n, sittings or 1)."""
    sittings = len(course.regimen.sittings())
    if occasions is None or not sittings:
        return np.broadcast_to(1.0, (people, max(sittings, 1)))
    given = np.asarray(occasions, dtype=float)
    if given.shape != (people, sittings):
        raise ManyError(f"occasions of shape {given.shape}; they must be {people} people by {sittings} sittings")
    if not np.all(np.isfinite(given)) or given.min(initial=1.0) <= 0:
        raise ManyError("occasions must be above zero; leave a missed sitting out of the course")
    changes: Array = given / np.column_stack([np.ones(people), given[:, :-1]])
    return changes


def _groups(people: People) -> list[Whole]:
    """Numbers of people who share every time constant, an array a group."""
    differing = [name for name in SHARED if np.ndim(people.values[name])]
    if not differing or not len(people):
        return [np.arange(len(people))] if len(people) else []
    rows = np.column_stack([people.column(name) for name in differing])
    _, group = np.unique(rows, axis=0, return_inverse=True)
    return [np.flatnonzero(group == each) for each in range(group.max() + 1)]


@dataclass(frozen=True)
class _Job:
    """What all the people of a group share."""

    course: Course
    switches: Switches
    times_h: tuple[float, ...]
    shared: tuple[float, ...]  # as SHARED
    mg_per_kg: bool

    def columns(self, people: People) -> Array:
        """What the compiled part reads of each person; shape (n, columns)."""
        table = np.empty((len(people), len(COLUMNS)))
        for name in OWN:
            table[:, COLUMNS.index(name)] = people.values[name]
        factor = people.column("r_mil") if self.course.setting == "military" else 1.0
        for name in ("w_S", "w_G"):
            table[:, COLUMNS.index(name)] *= factor
        if not self.switches.norketamine:
            table[:, COLUMNS.index("r_NK")] = np.inf
        if self.course.arm == "under anaesthesia":
            table[:, [COLUMNS.index("b1"), COLUMNS.index("b2")]] = 0.0
        weights = people.weight_kg
        table[:, COLUMNS.index("weight_kg")] = weights
        table[:, COLUMNS.index("scale")] = weights / REFERENCE_WEIGHT_KG if self.mg_per_kg else 1.0
        table[:, COLUMNS.index("arm")] = people.column(ARMS[self.course.arm])
        ranks = people.belief_rank
        table[:, COLUMNS.index("rank")] = BY_PROBABILITY if ranks is None else ranks
        return table

    def value(self, name: str) -> float:
        """One of the symbols that all share."""
        return self.shared[SHARED.index(name)]


@dataclass(frozen=True)
class _Tables:
    """The steps, and the weights of each length of step and time that all people share."""

    grid: Grid
    weights: Array  # (D, 128)
    nodes: Array  # (K + 1, 2, 4): natural course, belief, SSRI and memory trace, at the middle and end of each step
    sitting: tuple[Array, Whole, Array, Whole]
    opens: Whole  # (K,): the sitting that begins with a step, or -1; the first is there from the start
    rows: int
    first_session: float
    clips: bool
    exponent: float


@lru_cache(maxsize=32)
def _tables(job: _Job, fineness: int, clips: bool) -> _Tables:
    """Everything about the steps; ``clips`` for the form that cuts glutamate off at rest."""
    grid = steps(job.course, np.array(job.times_h), fineness)
    p, switches = dict(zip(SHARED, job.shared, strict=True)), job.switches
    weights = np.zeros((max(len(grid.lengths_h), 1), WIDTH))
    severity = 1 / (p["tau_th"] * HOURS_PER_DAY)
    stress = 1 / (p["tau_sig"] * HOURS_PER_DAY) if switches.stress_moves else 0.0
    chain = np.zeros((5, 5))  # G, N, M, W, and severity's answer to N
    for row, (source, rate) in enumerate(
        ((None, 1 / p["tau_G"]), (0, 1 / p["tau_N"]), (1, 1 / p["tau_M"]),
         (2 if switches.with_translation else 1, 1 / p["tau_W"]), (1, severity))
    ):  # fmt: skip
        chain[row, row] = -rate
        if source is not None:
            chain[row, source] = rate
    for row, length in enumerate(grid.lengths_h):
        _fill_weights(weights[row], chain, severity, stress, float(length))
    return _Tables(
        grid, weights, _nodes(job, grid), _sitting(job), _opens(job.course.regimen, grid), len(job.times_h),
        _first_session(job.course), clips, p["p"],
    )  # fmt: skip


def _fill_weights(row: Array, chain: Array, severity: float, stress: float, length_h: float) -> None:
    """Weights of one length of step: for the chain whole, for glutamate alone and the rest, for severity and stress."""
    fading = next(rate for until, rate in FADING_PER_H if length_h <= until)
    whole = _quadratic(chain, -chain[0, 0] * np.eye(5)[0], length_h, fading)
    row[CHAIN : CHAIN + 40] = np.hstack(whole[0]).ravel()
    half_phi, half_psi = whole[1]
    row[HALF : HALF + 16] = np.hstack([half_phi, half_psi])[3:5].ravel()
    alone = _quadratic(chain[:1, :1], -chain[0, :1], length_h, fading)
    row[GLUTAMATE : GLUTAMATE + 8] = np.concatenate([np.hstack(each).ravel() for each in alone])
    after = _quadratic(chain[1:, 1:], -chain[1, 1] * np.eye(4)[0], length_h, fading)
    row[AFTER : AFTER + 28] = np.hstack(after[0]).ravel()
    row[AFTER_HALF : AFTER_HALF + 14] = np.hstack(after[1])[2:4].ravel()
    for place, rate in ((SEVERITY, severity), (STRESS, stress)):
        decay = _quadratic(np.array([[-rate]]), np.array([rate]), length_h)
        row[place : place + 8] = np.concatenate([np.hstack(each).ravel() for each in decay])
    row[LENGTH] = length_h


Response = tuple[Array, Array]


def _quadratic(matrix: Array, drive: Array, length_h: float, fading: float = 0.0) -> tuple[Response, Response]:
    """x' = matrix x + drive u over a step and over its first half, for u a parabola times exp(-fading t) within it.

    Each pair is (Phi, Psi), shapes (m, m) and (m, 3), with x(end) = Phi x(0) + Psi (u at start, middle, end); exact
    for any rates, equal ones too.
    """
    m = len(matrix)
    joint = np.zeros((m + 3, m + 3))
    joint[:m, :m], joint[:m, m] = matrix, drive
    joint[m, m + 1], joint[m + 1, m + 2] = 1 / length_h, 2 / length_h
    parabola = np.array([[1.0, 0.0, 0.0], [-3.0, 4.0, -1.0], [2.0, -4.0, 2.0]])
    joint[m:, m:] -= fading * np.eye(3)
    parabola *= np.exp(fading * length_h * np.array([0.0, 0.5, 1.0]))
    whole, half = (expm(joint * each)[:m] for each in (length_h, length_h / 2))
    return (whole[:, :m], whole[:, m:] @ parabola), (half[:, :m], half[:, m:] @ parabola)


def _nodes(job: _Job, grid: Grid) -> Array:
    """What moves alike in everybody, at the start (row 0) and at the middle and end of each step; (K + 1, 2, 4)."""
    starts = np.concatenate([[0.0], grid.ends_h[:-1]]) if len(grid.ends_h) else grid.ends_h
    times = np.column_stack([(starts + grid.ends_h) / 2, grid.ends_h])
    days = np.concatenate([np.zeros((1, 2)), times]) / HOURS_PER_DAY
    falls = [-np.expm1(-days / job.value("tau_b")), -np.expm1(-days / job.value("tau_P"))]
    return np.stack([*falls, _ssri(job, days), np.exp(-job.value("r_I") * days)], axis=-1)


def _ssri(job: _Job, days: Array) -> Array:
    """E / (adherence Emax) at these days, exact between changes of dose."""
    course = job.course
    changes = sorted({0.0, *(day for each in course.ssri for day in (each.start_day, each.stop_day))} - {math.inf})
    level, found = 0.0, np.zeros_like(days)
    for begin, end in zip(changes, [*changes[1:], math.inf], strict=True):
        dose = course.ssri_mg_per_day(begin * HOURS_PER_DAY)
        target = dose / (job.value("D50") + dose)
        inside = (days >= begin) & (days <= end)
        found[inside] = target + (level - target) * np.exp(-(days[inside] - begin) / job.value("tau_E"))
        level = target + (level - target) * math.exp(-(end - begin) / job.value("tau_E"))
    return found


def _first_session(course: Course) -> float:
    return sum(session.dose for session in course.therapy if session.day * HOURS_PER_DAY <= SAME_H)


def _sitting(job: _Job) -> tuple[Array, Whole, Array, Whole]:
    """The first sitting, minute by minute as the oracle looks at it: lengths, which one, rate, and whether to look."""
    sittings = job.course.regimen.sittings()
    if not sittings:
        return np.ones(1), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64)
    begin, ends = sittings[0][0].start_h, [each.stop_h for each in sittings[0]]
    looks = np.union1d(np.arange(begin, max(ends) + 1, 1 / 60), ends)
    changes = [time for time in job.course.regimen.changes_h() if begin <= time <= looks[-1]]
    times = np.union1d(looks, changes)
    lengths, index = np.unique(np.diff(times).round(10), return_inverse=True)
    rate = np.array([job.course.regimen.rate_mg_per_h(time) for time in times[:-1]])
    return lengths, index.astype(np.int64), rate, np.isin(times[1:], looks).astype(np.int64)


def _opens(regimen: Regimen, grid: Grid) -> Whole:
    found = np.full(len(grid.ends_h), -1, dtype=np.int64)
    starts = np.concatenate([[0.0], grid.ends_h[:-1]]) if len(grid.ends_h) else grid.ends_h
    for number, sitting in enumerate(regimen.sittings()):
        if number:
            found[np.abs(starts - sitting[0].start_h) <= 2 * SAME_H] = number
    return found


def _solve(
    tables: _Tables, columns: Array, factors: Array, numbers: Whole, rows: Whole, found: NDArray[Any], totals: Array
) -> None:
    """Fill in the people of these ``numbers``: ``found`` (V, n, T) with the states ``rows``, ``totals`` (6, n)."""
    grid, (lengths, which, rate, looks) = tables.grid, tables.sitting
    columns[:, COLUMNS.index("scale")] *= factors[:, 0]
    starts_asked = bool(tables.rows > np.count_nonzero(grid.asked >= 0))
    run_blocks(
        columns, factors, tables.opens, tables.weights, tables.nodes, grid.lengths_h, grid.length, grid.before,
        grid.rate, grid.asked, grid.session, grid.silent, lengths, which, rate, looks, tables.first_session,
        starts_asked, tables.clips, tables.exponent, numbers, rows, found, totals,
    )  # fmt: skip
