"""How people differ: each parameter that has a spread in ``parameters.csv`` drawn per person, with its correlations.

Random numbers are counter-based (Philox) and keyed by the seed and the person's number, so that person 7 is the same
whether they are drawn alone, in a chunk, or on another machine. Each parameter has its own place among the draws; a new
one goes to the end of the list, so that people drawn before stay who they were.

Volumes and clearances are log-normal about the table's value as median, as population pharmacokinetics has it. Gains,
weights and largest rises are log-normal with the table's value as mean, because they were calibrated to the means of
groups. The factors that only enter as one product, Kpuu and the half-blocking levels, are not drawn as well as ``pot``,
as the table asks. From one sitting to the next, what reaches a person's blood differs by a log-normal factor of mean 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.parameters import ParameterSet, table
from reprieve.pharmacology.person import Person

Array = NDArray[np.float64]

# Places among the draws. The first is whether the person believes, the second weight; then one a parameter.
DRAWS = tuple(
    "belief WT V1 CL VN CLN CLH pot a w_S w_G adh w_P theta_0 b_inf pcl_off Dmax Emax_s Emax_d Emax_h".split()
)
LOGNORMAL = ("V1", "CL", "VN", "CLN", "CLH", "pot", "a", "w_S", "w_G", "Dmax", "Emax_s", "Emax_d", "Emax_h")
MEAN_ONE = ("pot", "a", "w_S", "w_G", "Dmax", "Emax_s", "Emax_d", "Emax_h")
FLOORED_AT_ZERO = ("w_P", "b_inf")
CORRELATED = {"CL": ("V1", "rho_V1_CL"), "CLN": ("VN", "rho_VN_CLN")}
WEIGHT_LIMITS_KG = (50.0, 120.0)
SEVERITY_LIMITS = (30.0, 72.0)
ADHERENCE_SD = 0.1  # the table says beta with no width; this one keeps nearly all between 0.6 and 1
PEOPLE_STREAM, RATING_STREAM, OCCASION_STREAM = 0, 1, 2


class PopulationError(PharmacologyError):
    """A population cannot be drawn: says the value, the rule, and the way out."""


@dataclass(frozen=True)
class Drawn:
    """One person of a population: a body, values of their own, and where they stand among those who believe.

    ``belief_rank`` is uniform on 0 to 1: the person believes if it is below the chance of believing.
    """

    number: int
    person: Person
    p: ParameterSet
    belief_rank: float
    pcl5_offset: float
    seed: int

    def occasions(self, sittings: int) -> Array:
        """How many times the dose reaches the blood in each sitting, about 1 on average; shape (sittings,)."""
        scores = generator(self.seed, self.number, OCCASION_STREAM).standard_normal(sittings)
        return np.array([_lognormal(self.p["cv_occ"], z, mean_one=True) for z in scores.tolist()])


def generator(seed: int, number: int, stream: int = PEOPLE_STREAM) -> np.random.Generator:
    """The random numbers of one person; ``stream`` 0 is who they are, 1 noise in their ratings, 2 their sittings.

    >>> generator(1, 7).standard_normal() == generator(1, 7).standard_normal()
    True
    """
    if seed < 0 or number < 0:
        raise PopulationError(f"seed {seed}, person {number}; both must be zero or above")
    return np.random.Generator(np.random.Philox(key=[seed % 2**64, number], counter=[0, 0, 0, stream]))


def draw(p: ParameterSet, seed: int, number: int, weight_kg: float | None = None, sex: str | None = None) -> Drawn:
    """Person ``number`` of the population of ``seed``, about the values ``p``.

    Parameters
    ----------
    weight_kg : given to everybody; None draws it

    Returns
    -------
    the person, with their own values in place of the typical ones
    """
    z = dict(zip(DRAWS, generator(seed, number).standard_normal(len(DRAWS)).tolist(), strict=True))
    for symbol, (beside, correlation) in CORRELATED.items():
        r = p[correlation]
        z[symbol] = r * z[beside] + math.sqrt(1 - r * r) * z[symbol]
    weight = weight_kg
    if weight is None:
        weight = _clipped(p["WT_mean"] + p["WT_sd"] * z["WT"], WEIGHT_LIMITS_KG)
    own = dict(_own(p, z))
    rank = _below(z["belief"])
    return Drawn(number, Person(weight_kg=weight, sex=sex), p.replaced(own), rank, p["pcl_off"] * z["pcl_off"], seed)


def _own(p: ParameterSet, z: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for symbol in LOGNORMAL:
        yield symbol, p[symbol] * _lognormal(_cv(symbol), z[symbol], mean_one=symbol in MEAN_ONE)
    for symbol in FLOORED_AT_ZERO:
        yield symbol, max(0.0, p[symbol] * (1 + _cv(symbol) * z[symbol]))
    yield "theta_0", _clipped(p["theta_0"] + p["theta_0_sd"] * z["theta_0"], SEVERITY_LIMITS)
    yield "adh", _adherence(p["adh"], z["adh"])


def _cv(symbol: str) -> float:
    cv = table()[symbol].cv
    if cv is None:
        raise PopulationError(f"{symbol} has no cv in its distribution column; write one, such as 'lognormal cv 0.3'")
    return cv


def _lognormal(cv: float, z: float, *, mean_one: bool = False) -> float:
    """A factor with this coefficient of variation; median 1, or mean 1.

    >>> round(_lognormal(0.5, 0.0), 3), round(_lognormal(0.5, 0.0, mean_one=True), 3)
    (1.0, 0.894)
    """
    sd = math.sqrt(math.log1p(cv * cv))
    return math.exp(sd * z - (sd * sd / 2 if mean_one else 0.0))


def _clipped(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


def _adherence(mean: float, z: float) -> float:
    if not 0 < mean < 1:
        return mean
    size = min(mean * (1 - mean) / ADHERENCE_SD**2 - 1, 1e6)
    if size <= 0:
        return mean
    from scipy.special import betaincinv  # slow to load, and one person needs none of it

    return float(betaincinv(mean * size, (1 - mean) * size, _below(z)))


def _below(z: float) -> float:
    """The share of a standard normal distribution below ``z``."""
    return math.erfc(-z / math.sqrt(2)) / 2
