"""What would be written down of a simulated course: noise of assays, cuffs and raters about what the model expects.

Concentrations carry a log-normal error, pressures and pulse a normal one (the pressure's was published for the mean
arterial pressure), the CADSS is a whole number from a zero-inflated negative binomial, and CAPS-5 and PCL-5 share the
person's own drift and have an error each. No error was read for hydroxynorketamine, so it has none to be drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.dissociation import Dissociation
from reprieve.pharmacology.symptoms import fluctuation, seen
from reprieve.pharmacology.trajectories import Trajectories
from reprieve.pharmacology.variability import RATING_STREAM, generator

Array = NDArray[np.float64]

LEVELS = {"ketamine_plasma_ng_per_ml": "sigma_K", "norketamine_plasma_ng_per_ml": "sigma_N"}
READINGS = {
    "systolic_change_mmhg": "bp_res",
    "diastolic_change_mmhg": "bp_res",
    "pulse_change_per_min": "hr_res",
}
RATED = ("cadss_total", "caps5_total", "pcl5_total")
SUFFIX = "_measured"
MINUTES_PER_DAY = 1440


def measured(expected: Trajectories, p: Mapping[str, float], seed: int = 1) -> Trajectories:
    """One measurement beside each expectation.

    Parameters
    ----------
    p : the values of the people's set; errors do not differ between people
    seed : with the person's number it decides every error, whoever else is there

    Returns
    -------
    the same, with ``ketamine_plasma_ng_per_ml_measured`` and so on of :data:`LEVELS`, :data:`READINGS`, :data:`RATED`

    Examples
    --------
    >>> from reprieve.pharmacology.parameters import parameter_set
    >>> from reprieve.pharmacology.regimen import Regimen
    >>> from reprieve.pharmacology.simulate import trajectories
    >>> course = trajectories(Regimen.repeated(35, 2 / 3, [0]), times_min=[40, 80])
    >>> measured(course, parameter_set(), seed=1)["caps5_total_measured"] == course["caps5_total"]
    array([[False, False]])
    """
    days = expected.times_min / MINUTES_PER_DAY
    names = (*LEVELS, *READINGS, *RATED)
    found = {name: np.empty_like(expected[name]) for name in names}
    for row, number in enumerate(expected.numbers.tolist()):
        own = {name: expected[name][row] for name in names}
        for name, values in _measured(own, days, p, generator(seed, number, RATING_STREAM)).items():
            found[name][row] = values
    said = {name + SUFFIX: (expected.said[name][0], f"{expected.said[name][1]}, as measured") for name in names}
    return expected.with_more({name + SUFFIX: values for name, values in found.items()}, said)


def _measured(
    own: Mapping[str, Array], days: Array, p: Mapping[str, float], noise: np.random.Generator
) -> dict[str, Array]:
    """One person; each of shape (T,)."""
    found = {name: own[name] * _relative_error(p[symbol], len(days), noise) for name, symbol in LEVELS.items()}
    found |= {name: own[name] + p[symbol] * noise.standard_normal(len(days)) for name, symbol in READINGS.items()}
    drift = fluctuation(days, p, noise)
    return found | {
        "cadss_total": Dissociation.of(p).rated(own["cadss_total"], noise).astype(float),
        "caps5_total": seen(own["caps5_total"] + drift, p["sem_caps"], noise),
        "pcl5_total": seen(own["pcl5_total"] + p["pcl_b"] * drift, p["sem_pcl"], noise),
    }


def _relative_error(cv: float, size: int, noise: np.random.Generator) -> Array:
    """Log-normal factors with this coefficient of variation and median 1."""
    factors: Array = np.exp(math.sqrt(math.log1p(cv * cv)) * noise.standard_normal(size))
    return factors
