"""The whole model as one right-hand side that can be read, solved by SciPy: the oracle for anything faster.

Time is in hours; the rates that the equations give per day are divided by 24 in one place. The solver starts anew at
every start and stop of an infusion, every therapy session and every change of an SSRI, so no step straddles a jump.
Concentrations come from the closed form, or with ``pk="ode"`` from the same solver, so that each checks the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.compartments import STATES, Disposition, Exposure
from reprieve.pharmacology.dissociation import Dissociation
from reprieve.pharmacology.haemodynamics import Haemodynamics
from reprieve.pharmacology.memory import Memory, TherapySession
from reprieve.pharmacology.parameters import ParameterSet
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.plasticity import Plasticity
from reprieve.pharmacology.receptor import Receptor
from reprieve.pharmacology.regimen import HOURS_PER_DAY, Regimen
from reprieve.pharmacology.sedation import Sedation
from reprieve.pharmacology.symptoms import Ssri, Symptoms, belief

Array = NDArray[np.float64]

# The states after the drug, as in the equations: signal, synapses, stress, memory, severity, other treatments
CHAIN = ("G", "N", "M", "W", "s", "sigma", "I", "X", "theta", "E", "P")
BLOCK = ("BI", "BP")  # states of their own in the kinetic form only
RTOL, ATOL = 1e-9, 1e-11


class TimesError(PharmacologyError):
    """Times cannot be used: says which, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is done: infusions, therapy sessions, an SSRI; what the person was told; where."""

    regimen: Regimen = field(default_factory=Regimen)
    therapy: tuple[TherapySession, ...] = ()
    ssri: tuple[Ssri, ...] = ()
    arm: str = "open label"
    setting: str = "civilian"

    def ssri_mg_per_day(self, time_h: float) -> float:
        """The daily dose at this hour, a start included and a stop not; in hours, as :meth:`changes_h` has them."""
        return sum(
            each.dose_mg_per_day
            for each in self.ssri
            if each.start_day * HOURS_PER_DAY <= time_h < each.stop_day * HOURS_PER_DAY
        )

    def changes_h(self) -> tuple[float, ...]:
        """Every time at which something jumps, in order, each once."""
        therapy = [session.day * HOURS_PER_DAY for session in self.therapy]
        ssri = [day * HOURS_PER_DAY for each in self.ssri for day in (each.start_day, each.stop_day)]
        return tuple(sorted({*self.regimen.changes_h(), *therapy, *ssri}))


@dataclass(frozen=True, slots=True)
class Switches:
    """Forms of the model other than the default one."""

    kinetic_block: bool = False  # dB/dt instead of its equilibrium
    norketamine: bool = False  # norketamine competes for the receptor
    with_translation: bool = True  # M between N and W
    stress_moves: bool = True  # sigma follows severity; false holds it at sigma_0
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """One person on one course. ``believes`` is P_belief, 0 or 1 once drawn; None takes its probability."""

    p: ParameterSet
    person: Person = field(default_factory=Person)
    course: Course = field(default_factory=Course)
    switches: Switches = field(default_factory=Switches)
    believes: float | None = None

    @cached_property
    def exposure(self) -> Exposure:
        """Concentrations, exact at any time."""
        return Exposure(Disposition.of(self.p, self.person, self.switches.covariates), self.course.regimen)

    @cached_property
    def receptor(self) -> Receptor:
        """Section 2 of the model."""
        return Receptor.of(self.p, norketamine=self.switches.norketamine)

    @cached_property
    def plasticity(self) -> Plasticity:
        """Section 3 of the model."""
        return Plasticity.of(self.p, with_translation=self.switches.with_translation)

    @cached_property
    def memory(self) -> Memory:
        """Section 4 of the model."""
        return Memory.of(self.p)

    @cached_property
    def symptoms(self) -> Symptoms:
        """Section 5 of the model."""
        return Symptoms.of(self.p, self.course.setting)

    @cached_property
    def dissociation(self) -> Dissociation:
        """Section 6 of the model, CADSS."""
        return Dissociation.of(self.p)

    @cached_property
    def haemodynamics(self) -> Haemodynamics:
        """Section 6 of the model, pressure and pulse."""
        return Haemodynamics.of(self.p)

    @cached_property
    def sedation(self) -> Sedation:
        """How alert the person is."""
        return Sedation.of(self.p)

    def effect_site_ng_per_ml(self, effect_site_umol_per_l: Array) -> Array:
        """The level of total racemate that a free effect-site level stands for; same shape."""
        disposition = self.exposure.disposition
        return effect_site_umol_per_l / disposition.free_at_effect_site * disposition.molar_mass_ketamine

    @cached_property
    def belief(self) -> float:
        """P_belief: as drawn, or the chance of it after the peaks of the first sitting."""
        if self.believes is not None:
            return self.believes
        cadss, systolic = self.first_sitting_peaks()
        return belief(self.p, self.course.arm, cadss, systolic)

    def first_sitting_peaks(self) -> tuple[float, float]:
        """Highest rise of the CADSS and of systolic pressure in mmHg, in the first sitting; zeros without one."""
        sittings = self.course.regimen.sittings()
        if not sittings:
            return 0.0, 0.0
        ends = [infusion.stop_h for infusion in sittings[0]]
        times = np.union1d(np.arange(sittings[0][0].start_h, max(ends) + 1, 1 / 60), ends)
        states = self.exposure.at(times)
        arterial = states[:, 0] / self.exposure.disposition.V1 * self.exposure.disposition.molar_mass_ketamine
        cadss = self.dissociation.rise(self.effect_site_ng_per_ml(states[:, 7]))
        return float(cadss.max()), float(self.haemodynamics.systolic_change_mmhg(arterial).max())

    @cached_property
    def resting_density(self) -> float:
        """S_0, the prefrontal density at the start."""
        return self.plasticity.density(self.plasticity.resting(self.symptoms.stress_at_start))

    def at_start(self) -> Array:
        """The chain at time 0, in the order of :data:`CHAIN`; shape (11,)."""
        stress = self.symptoms.stress_at_start
        memory = self.memory.trace_at_start, self.memory.extinction_at_start
        return np.array([0, 0, 0, 0, self.plasticity.resting(stress), stress, *memory, self.symptoms.baseline, 0, 0])

    def right_hand_side(
        self, time_h: float, chain: Sequence[float], block_i: float, block_p: float, ssri_mg_per_day: float
    ) -> list[float]:
        """d(chain)/dt per hour, in the order of :data:`CHAIN`, under the given blocks."""
        glutamate, bdnf, translation, spine, labile, stress, trace, extinction, severity, ssri, expectancy = chain
        by, signal = self.symptoms, self.plasticity
        target = by.severity_target(
            time_h / HOURS_PER_DAY,
            self.memory.pull(trace, extinction),
            signal.density(labile) - self.resting_density,
            bdnf,
            ssri,
            expectancy,
        )
        d_trace, d_extinction = self.memory.rates(trace, extinction, stress)
        d_stress = (by.stress_target(severity) - stress) / by.stress_time_days if self.switches.stress_moves else 0.0
        per_day = (
            signal.synapse_rate(labile, spine, stress),
            d_stress,
            d_trace,
            d_extinction,
            (target - severity) / by.severity_time_days,
            (by.ssri_target(ssri_mg_per_day) - ssri) / by.ssri_time_days,
            (self.belief - expectancy) / by.expectancy_time_days,
        )
        per_hour = signal.signal_rates(glutamate, bdnf, translation, spine, block_i, block_p)
        return [*per_hour, *(rate / HOURS_PER_DAY for rate in per_day)]

    def equilibrium_block(self, levels: Array) -> tuple[Array, Array]:
        """Block of pools I and P for effect-site levels of both drugs; shape (T, 2) to two of (T,)."""
        drive = self.receptor.drive(levels[:, 0], levels[:, 1])
        return self.receptor.block_interneuron(drive), self.receptor.block_pyramidal(drive)


@dataclass(frozen=True)
class Trajectory:
    """What :func:`solve` found: ``chain`` (T, 11), ``block`` (T, 2) of pools I and P, ``drug`` (T, 9)."""

    times_h: Array
    chain: Array
    block: Array
    drug: Array

    def __getitem__(self, state: str) -> Array:
        """One state by its symbol; shape (T,).

        >>> from reprieve.pharmacology.parameters import parameter_set
        >>> solve(Model(parameter_set()), np.array([0.0, 24.0]))["s"].round(6)  # without drug it rests
        array([0.25, 0.25])
        """
        for names, values in ((CHAIN, self.chain), (BLOCK, self.block), (STATES, self.drug)):
            if state in names:
                return values[:, names.index(state)]
        raise KeyError(f"{state!r}; the states are {', '.join((*CHAIN, *BLOCK, *STATES))}")


Rates = Callable[[float, Array], list[float]]


def solve(
    model: Model,
    times_h: Array,
    *,
    pk: str = "closed form",
    method: str = "LSODA",
    rtol: float = RTOL,
    atol: float = ATOL,
) -> Trajectory:
    """Every state of ``model`` at each of ``times_h``.

    Parameters
    ----------
    times_h : shape (T,), hours, increasing from 0 or later
    pk : "closed form", or "ode" to integrate the compartments too
    method : an implicit solver of SciPy, LSODA, Radau or BDF

    Returns
    -------
    each state at each time; where something jumps, the value just after

    Raises
    ------
    TimesError : if ``times_h`` is empty, negative or does not increase
    RuntimeError : if the solver gives up
    """
    from scipy.integrate import solve_ivp  # slow to load, and populations do without

    times = _checked(times_h)
    if pk not in ("closed form", "ode"):
        raise ValueError(f"pk {pk!r}; it must be 'closed form' or 'ode'")
    layout = _Layout(model, integrates_drug=pk == "ode")
    ends = [time for time in model.course.changes_h() if 0 < time < times[-1]] + [max(times[-1], 1e-9)]
    state, start, found = layout.at_start(), 0.0, np.empty((len(times), layout.size))
    state = _therapy(model, layout, start, state)
    for end in ends:
        inside = (times >= start) & (times < end) if end != ends[-1] else times >= start
        asked = np.append(times[inside & (times <= end)], end)
        solved = solve_ivp(
            layout.rates(start), (start, end), state, method, np.unique(asked), rtol=rtol, atol=atol
        )  # fmt: skip
        if not solved.success:
            raise RuntimeError(f"the solver stopped at {solved.t[-1]:g} h: {solved.message}")
        found[inside] = solved.y.T[np.searchsorted(solved.t, times[inside])]
        state, start = _therapy(model, layout, end, solved.y[:, -1]), end
    if times[-1] in model.course.changes_h():
        found[-1] = state
    return layout.trajectory(times, found)


def _checked(times_h: Array) -> Array:
    times = np.atleast_1d(np.asarray(times_h, dtype=float))
    if not len(times):
        raise TimesError("no times; give at least one")
    if not np.all(np.isfinite(times)) or times[0] < 0:
        raise TimesError(f"time {times[0]:g} h; times must be finite and 0 or later")
    steps = np.flatnonzero(np.diff(times) <= 0)
    if len(steps):
        before, after = times[steps[0]], times[steps[0] + 1]
        raise TimesError(f"times must increase: {after:g} h comes after {before:g} h; sort them and drop repeats")
    return times


def _therapy(model: Model, layout: _Layout, time_h: float, state: Array) -> Array:
    """The state after the therapy sessions of this moment, if there are any."""
    extinction, labile = CHAIN.index("X"), CHAIN.index("s")
    for session in model.course.therapy:
        if session.day * HOURS_PER_DAY == time_h:
            block_p = layout.blocks(time_h, state)[1]
            density = model.plasticity.density(float(state[labile]))
            state = state.copy()
            state[extinction] = model.memory.after_session(state[extinction], session.dose, block_p, density)
    return state


@dataclass(frozen=True)
class _Layout:
    """What the solver's vector holds: the chain, then the blocks if kinetic, then the drug if it is integrated too."""

    model: Model
    integrates_drug: bool

    @property
    def is_kinetic(self) -> bool:
        return self.model.switches.kinetic_block

    @property
    def size(self) -> int:
        return len(CHAIN) + 2 * self.is_kinetic + len(STATES) * self.integrates_drug

    def at_start(self) -> Array:
        return np.append(self.model.at_start(), np.zeros(self.size - len(CHAIN)))

    def levels(self, time_h: float, state: Sequence[float] | Array) -> tuple[float, float]:
        """Effect-site levels of ketamine and norketamine in umol/L."""
        if self.integrates_drug:
            return float(state[-2]), float(state[-1])
        drug = self.model.exposure.at(np.array([time_h]))[0]
        return float(drug[7]), float(drug[8])

    def blocks(self, time_h: float, state: Sequence[float] | Array) -> tuple[float, float]:
        """Block of pools I and P."""
        if self.is_kinetic:
            return float(state[11]), float(state[12])
        drive = self.model.receptor.drive(*self.levels(time_h, state))
        return self.model.receptor.block_interneuron(drive), self.model.receptor.block_pyramidal(drive)

    def rates(self, start_h: float) -> Rates:
        """The right-hand side for the piece that begins at ``start_h``."""
        model, receptor = self.model, self.model.receptor
        ssri = model.course.ssri_mg_per_day(start_h)
        matrix = model.exposure.disposition.matrix
        given = model.exposure.disposition.umol_per_h(model.course.regimen.rate_mg_per_h(start_h))
        level = None if self.integrates_drug else _levels_from(model.exposure, start_h)

        def rates(time_h: float, state: Array) -> list[float]:
            values = state.tolist()
            kinetic: tuple[float, ...] = ()
            drive = receptor.drive(*(level(time_h) if level else (values[-2], values[-1])))
            if self.is_kinetic:
                block_i, block_p = values[11], values[12]
                kinetic = receptor.rates_per_h(drive, block_i, block_p)
            else:
                block_i, block_p = receptor.block_interneuron(drive), receptor.block_pyramidal(drive)
            chain = model.right_hand_side(time_h, values[:11], block_i, block_p, ssri)
            if not self.integrates_drug:
                return [*chain, *kinetic]
            moved = matrix @ state[-9:]
            moved[0] += given
            return [*chain, *kinetic, *moved]

        return rates

    def trajectory(self, times_h: Array, found: Array) -> Trajectory:
        chain = found[:, : len(CHAIN)]
        drug = found[:, -9:] if self.integrates_drug else self.model.exposure.at(times_h)
        block = found[:, 11:13] if self.is_kinetic else np.column_stack(self.model.equilibrium_block(drug[:, 7:9]))
        return Trajectory(times_h, chain, block, drug)


def _levels_from(exposure: Exposure, start_h: float) -> Callable[[float], tuple[float, float]]:
    """Effect-site levels within one piece, from the modes; the same as ``Exposure.at`` and quicker for one time."""
    if not exposure.modes.is_safe:

        def slowly(time_h: float) -> tuple[float, float]:
            drug = exposure.at(np.array([time_h]))[0]
            return float(drug[7]), float(drug[8])

        return slowly
    piece = int(np.searchsorted(exposure.pieces_h, start_h, side="right")) - 1
    begun = exposure.pieces_h[piece]
    weights = exposure.modes.vectors[7:9] * exposure.amplitudes[piece]
    steady = exposure.steady[piece, 7:9]

    def quickly(time_h: float) -> tuple[float, float]:
        ketamine, norketamine = weights @ np.exp(-exposure.modes.rates * (time_h - begun)) + steady
        return float(ketamine), float(norketamine)

    return quickly
