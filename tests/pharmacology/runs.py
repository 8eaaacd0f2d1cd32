"""Runs that several tests look at, each made once: the reference person of 70 kg and the regimens of the proposal."""

from __future__ import annotations

from functools import cache

import numpy as np

from reprieve.pharmacology.compartments import Disposition, Exposure
from reprieve.pharmacology.facts import observations
from reprieve.pharmacology.model import Course, Model, Switches, Trajectory, solve
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Infusion, Regimen

FORTY_MINUTES = 40 / 60
SIX_DAYS = (0, 2, 4, 7, 9, 11)


def half_mg_per_kg(days=(0,), mg_per_kg=0.5, weight_kg=70.0) -> Regimen:
    """0.5 mg/kg in 40 minutes on each day."""
    return Regimen.repeated(mg_per_kg * weight_kg, FORTY_MINUTES, days)


def exposure(regimen=None, weight_kg=70.0, **changed) -> Exposure:
    """Concentrations in a person with default values, some changed by symbol."""
    p = parameter_set().replaced(changed)
    return Exposure(Disposition.of(p, Person(weight_kg=weight_kg)), regimen or half_mg_per_kg())


@cache
def prototype(name="default", days=(0,), mg_per_kg=0.5, with_translation=True, po=None) -> Trajectory:
    """The runs of the proposal: 70 kg, stress held at 1; every minute of the first day, then twice a day to day 41."""
    p = parameter_set(name, {} if po is None else {"Po": po})
    switches = Switches(stress_moves=False, with_translation=with_translation, kinetic_block=po is not None)
    model = Model(p, Person(), Course(half_mg_per_kg(days, mg_per_kg)), switches)
    times = np.concatenate([np.arange(0, 24, 1 / 60), np.arange(24, 41 * 24 + 1, 12.0)])
    return solve(model, times)


def labile(day, **run) -> float:
    """s on a day of such a run."""
    found = prototype(**run)
    return float(found["s"][np.isclose(found.times_h, day * 24)][0])


THREE_STEPS = Regimen(
    Infusion.at_rate(start, 1, rate, weight_kg=70) for start, rate in ((0, 0.28), (1, 0.57), (2, 1.14))
)


@cache
def predicted_over_observed(analyte: str) -> np.ndarray:
    """The model without any fitting over the digitised arterial curve of volunteers, three steps of racemate."""
    rows = [row for row in observations() if "0.28 then 0.57 then 1.14" in row.dose and row.analyte.endswith(analyte)]
    rows += [row for row in observations() if row.analyte == f"{analyte} (total)"]
    seen = {time: sum(row.mean for row in rows if row.time_min == time) for time in {row.time_min for row in rows}}
    times = np.array(sorted(seen)) / 60
    levels = {
        "-ketamine": THREE_STEP_EXPOSURE.at(times)[:, 0] / THREE_STEP_EXPOSURE.disposition.V1,
        "-norketamine": THREE_STEP_EXPOSURE.at(times)[:, 3] / THREE_STEP_EXPOSURE.disposition.VN,
        "hydroxynorketamine": THREE_STEP_EXPOSURE.at(times)[:, 5] / THREE_STEP_EXPOSURE.disposition.VH,
    }
    return levels[analyte] / np.array([seen[time] for time in sorted(seen)])


THREE_STEP_EXPOSURE = exposure(THREE_STEPS)
