"""The slow part of the model in JAX: synapses, stress and severity under signals that the kernel has computed.

    ds/dt = kf (1 + eta W)(1 - s) - ke (1 + gam sigma) s              exact for constant W and sigma
    theta' = (theta_ss - theta)/tau_th,  sigma' = (f(theta) - sigma)/tau_sig          exact for constant targets

in steps of an hour or so; W and N enter by their means over each step. E, P and the natural course have closed forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.calibration.numerics import jax, jnp
from reprieve.pharmacology.kernel import People, simulate_many
from reprieve.pharmacology.model import Course, Model
from reprieve.pharmacology.parameters import ParameterSet
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import HOURS_PER_DAY

Array = NDArray[np.float64]
State = tuple[jax.Array, jax.Array, jax.Array]  # s, sigma and theta of each course

LOOKS_PER_STEP = 12  # at the signals, for their means
SIGNALS = ("bdnf_signal_fraction", "spine_signal_fraction")


@dataclass(frozen=True)
class Signals:
    """What drives the typical person on each of C courses over T steps of ``step_days``; arrays (C, T) or (C,)."""

    step_days: float
    bdnf: Array
    spine: Array
    belief: Array
    military: Array
    ssri: Array  # dose / (D50 + dose) of a dose that never changes

    @property
    def middles(self) -> Array:
        """The middle of each step in days; shape (T,)."""
        middles: Array = (np.arange(self.bdnf.shape[1], dtype=np.float64) + 0.5) * self.step_days
        return middles

    def step_at(self, day: float) -> int:
        """The column of :func:`severity` for this day."""
        return round(day / self.step_days)


def signals(p: ParameterSet, courses: Sequence[Course], until_day: float, step_h: float = 1.0) -> Signals:
    """The typical person of 70 kg with the values ``p`` on each course; therapy sessions are not in it."""
    steps = round(until_day * HOURS_PER_DAY / step_h)
    times = np.arange(steps * LOOKS_PER_STEP + 1) * step_h / LOOKS_PER_STEP / HOURS_PER_DAY
    one = People.of([Person()], [p])
    bdnf, spine = np.zeros((len(courses), steps)), np.zeros((len(courses), steps))
    for row, course in enumerate(courses):
        if course.regimen.infusions:
            found = simulate_many(one, course, times, SIGNALS)
            bdnf[row], spine[row] = (_means(found[name][0]) for name in SIGNALS)
    doses = np.array([course.ssri_mg_per_day(0.0) for course in courses])
    return Signals(
        step_days=step_h / HOURS_PER_DAY,
        bdnf=bdnf,
        spine=spine,
        belief=np.array([Model(p, Person(), course).belief for course in courses]),
        military=np.array([course.setting == "military" for course in courses]),
        ssri=doses / (p["D50"] + doses),
    )


def _means(values: Array) -> Array:
    """Means over each step, by the trapezium rule."""
    pieces = (values[1:] + values[:-1]) / 2
    means: Array = pieces.reshape(-1, LOOKS_PER_STEP).mean(axis=1)
    return means


def severity(p: Mapping[str, Any], driven: Signals) -> jax.Array:
    """theta at the start and after each step, CAPS-5 points; shape (C, T + 1)."""
    days, step = jnp.asarray(driven.middles), driven.step_days
    weight = jnp.where(driven.military, p["r_mil"], 1.0)
    ssri = p["adh"] * p["Emax_u"] * driven.ssri[:, None] * -jnp.expm1(-days / p["tau_E"])
    expected = driven.belief[:, None] * -jnp.expm1(-days / p["tau_P"])
    fallen = p["w_E"] * ssri + p["w_P"] * expected + p["b_inf"] * -jnp.expm1(-days / p["tau_b"])
    fallen += (weight * p["w_G"])[:, None] * driven.bdnf
    lags, follows = jnp.exp(-step / p["tau_th"]), jnp.exp(-step / p["tau_sig"])
    resting = p["kf"] / (p["kf"] + p["ke"] * (1 + p["gam"] * p["sigma_0"]))

    def advance(state: State, now: tuple[jax.Array, jax.Array]) -> tuple[State, jax.Array]:
        s, sigma, theta = state
        spine, fall = now
        formed = p["kf"] * (1 + p["eta"] * spine)
        rate = formed + p["ke"] * (1 + p["gam"] * sigma)
        s_after = formed / rate + (s - formed / rate) * jnp.exp(-rate * step)
        target = p["theta_0"] - fall - weight * p["w_S"] * p["rho"] * ((s + s_after) / 2 - resting)
        theta_after = target + (theta - target) * lags
        load = jnp.maximum(0.0, 1 + p["g_sig"] * ((theta + theta_after) / 2 / p["theta_0"] - 1)) * p["sigma_0"]
        return (s_after, load + (sigma - load) * follows, theta_after), theta_after

    many = jnp.ones(len(driven.belief))
    start = (resting * many, p["sigma_0"] * many, p["theta_0"] * many)
    after = jax.lax.scan(advance, start, (jnp.asarray(driven.spine).T, fallen.T))[1]
    return jnp.concatenate([(p["theta_0"] * many)[:, None], after.T], axis=1)
