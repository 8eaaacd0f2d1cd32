"""How far the fast kernel is from the readable model: both of one person, and the measure of their difference."""

from __future__ import annotations

import numpy as np

from reprieve.pharmacology.kernel import STATES
from reprieve.pharmacology.model import Course, Model, Switches, solve
from reprieve.pharmacology.variability import Drawn

RESTS_AT_ZERO = 8  # the first so many states: levels, block and signals
OF_THE_PEAK = 1e-3
SMALLEST = 1e-6  # no level, block, signal or extinction below it matters; a glutamate rise of a third is typical
ONE_POINT = 1.0  # of the CAPS-5, which can come down to zero


def oracle(each: Drawn, course: Course, times_days, switches: Switches | None = None) -> np.ndarray:
    """The states of the kernel from the readable model at rtol 1e-9; shape (13, T)."""
    model = Model(each.p, each.person, course, switches or Switches())
    believes = float(each.belief_rank < model.belief)
    model = Model(each.p, each.person, course, switches or Switches(), believes=believes)
    found, body = solve(model, np.asarray(times_days, dtype=float) * 24), model.exposure.disposition
    states = [
        found["A1"] / body.V1 * body.molar_mass_ketamine,
        found["AN1"] / body.VN * body.molar_mass_norketamine,
        *(found[state] for state in ("BI", "BP", "G", "N", "M", "W", "s")),
        model.plasticity.density(found["s"]),
        found["sigma"],
        found["X"],
        np.clip(found["theta"], 0.0, 80.0),
    ]
    assert len(states) == len(STATES)
    return np.stack(states)


def relative_error(found: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Relative error; shape (13, T). Sizes are floored, each where it would divide by nothing that matters:

    levels, block and signals at a thousandth of the person's own peak, the CAPS-5 at one point, anything at 1e-6.
    """
    size = np.abs(reference)
    floor = np.zeros_like(size)
    floor[:RESTS_AT_ZERO] = OF_THE_PEAK * size[:RESTS_AT_ZERO].max(axis=1, keepdims=True)
    floor = np.maximum(floor, SMALLEST)
    floor[STATES.index("caps5_total")] = ONE_POINT
    return np.abs(found - reference) / np.maximum(size, floor)
