"""What was measured in one person, and how likely it is when the model expects something else.

    log level   ~ Normal(log expected, sigma)         sigma^2 = log(1 + cv^2), cv from Otto 2021
    rise of pressure, of pulse ~ Normal(expected, s)  s from Kurian 2025, where it belongs to mean arterial pressure
    CADSS       ~ 0 with probability pi0, else negative binomial, as :meth:`Dissociation.rated` draws it

A rise is above the person's own rest: whoever takes readings subtracts the pressure at rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaln, ndtr, xlogy

from reprieve.pharmacology import PharmacologyError

Array = NDArray[np.float64]


class ReadingError(PharmacologyError):
    """A reading cannot be used: says which, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be read: in words, the unit, the lowest and highest that are taken, and the symbol of its error."""

    words: str
    unit: str
    lowest: float
    highest: float
    error: str


KINDS = {
    "ketamine_arterial_ng_per_ml": Kind("ketamine, arterial", "ng/mL", 0.1, 20_000, "sigma_K"),
    "ketamine_venous_ng_per_ml": Kind("ketamine, venous", "ng/mL", 0.1, 20_000, "sigma_K"),
    "norketamine_ng_per_ml": Kind("norketamine", "ng/mL", 0.1, 20_000, "sigma_N"),
    "systolic_change_mmhg": Kind("systolic rise", "mmHg", -80, 150, "bp_res"),
    "diastolic_change_mmhg": Kind("diastolic rise", "mmHg", -80, 150, "bp_res"),
    "pulse_change_per_min": Kind("rise of the pulse", "per min", -80, 150, "hr_res"),
    "cadss_total": Kind("CADSS", "points", 0, 92, ""),  # 23 items of 0 to 4
}
LEVELS = tuple(name for name in KINDS if name.endswith("_ng_per_ml"))


@dataclass(frozen=True, slots=True, order=True)
class Reading:
    """One figure: minutes from day 0, a key of :data:`KINDS`, and the value in the unit that the key ends with.

    >>> Reading(40, "systolic_change_mmhg", 14).words
    'systolic rise 14 mmHg at 40 min'
    >>> Reading(40, "systolic", 134)
    Traceback (most recent call last):
        ...
    reprieve.pharmacology.readings.ReadingError: 'systolic' is no reading; it must be one of \
ketamine_arterial_ng_per_ml, ketamine_venous_ng_per_ml, norketamine_ng_per_ml, systolic_change_mmhg, \
diastolic_change_mmhg, pulse_change_per_min, cadss_total
    """

    time_min: float
    what: str
    value: float

    def __post_init__(self) -> None:
        if self.what not in KINDS:
            raise ReadingError(f"{self.what!r} is no reading; it must be one of {', '.join(KINDS)}")
        kind = KINDS[self.what]
        if not (math.isfinite(self.time_min) and self.time_min >= 0):
            raise ReadingError(
                f"{kind.words} at {self.time_min:g} min; time runs from 0, the start of the first infusion's day"
            )
        if not kind.lowest <= self.value <= kind.highest:  # also refuses nan
            raise ReadingError(
                f"{kind.words} {self.value:g}; it must be {kind.lowest:g} to {kind.highest:g} {kind.unit}"
            )
        if self.what == "cadss_total" and self.value != int(self.value):
            raise ReadingError(f"CADSS {self.value:g}; it must be a whole number of points")

    @property
    def words(self) -> str:
        """The reading in words."""
        kind = KINDS[self.what]
        return f"{kind.words} {self.value:g} {kind.unit} at {self.time_min:g} min"

    def log_chance(self, expected: Array, p: Mapping[str, float]) -> Array:
        """Log density, or log probability of a count, where the model expects ``expected``; same shape.

        >>> from reprieve.pharmacology.parameters import parameter_set
        >>> zero = Reading(40, "cadss_total", 0)  # one person in twenty says nothing whatever happens
        >>> float(np.exp(zero.log_chance(np.array([1e9]), parameter_set()))[0].round(3))
        0.05
        """
        if self.what == "cadss_total":
            return self._log_chance_of_count(expected, p)
        residual, spread = self._residual(expected, p)
        density: Array = -0.5 * residual**2 - math.log(spread * math.sqrt(2 * math.pi))
        return density

    def chance_below(self, expected: Array, p: Mapping[str, float]) -> Array:
        """Probability of a smaller figure than this one; of an equal count half; same shape."""
        if self.what == "cadss_total":
            k, above, zero = p["nb_k"], _above(expected, p), p["pi0"]
            upto = zero + (1 - zero) * betainc(k, self.value + 1, k / (k + above))
            share: Array = upto - np.exp(self._log_chance_of_count(expected, p)) / 2
            return share
        normal: Array = ndtr(self._residual(expected, p)[0])
        return normal

    def drawn(self, expected: Array, p: Mapping[str, float], noise: np.random.Generator) -> Array:
        """Figures that the model would give instead of this one; same shape as ``expected``."""
        if self.what == "cadss_total":
            counted = noise.negative_binomial(p["nb_k"], p["nb_k"] / (p["nb_k"] + _above(expected, p)))
            counts: Array = np.where(noise.random(np.shape(expected)) < p["pi0"], 0, counted).astype(float)
            return counts
        error = self._spread(p) * noise.standard_normal(np.shape(expected))
        figures: Array = expected * np.exp(error) if self.what in LEVELS else expected + error
        return figures

    def _spread(self, p: Mapping[str, float]) -> float:
        error = p[KINDS[self.what].error]
        return math.sqrt(math.log1p(error * error)) if self.what in LEVELS else error

    def _residual(self, expected: Array, p: Mapping[str, float]) -> tuple[Array, float]:
        spread = self._spread(p)
        apart = np.log(self.value / np.maximum(expected, 1e-9)) if self.what in LEVELS else self.value - expected
        return apart / spread, spread

    def _log_chance_of_count(self, expected: Array, p: Mapping[str, float]) -> Array:
        k, n, zero, above = p["nb_k"], self.value, p["pi0"], _above(expected, p)
        counted = gammaln(n + k) - gammaln(k) - gammaln(n + 1) - k * np.log1p(above / k) + xlogy(n, above / (k + above))
        if n > 0:
            return np.asarray(math.log1p(-zero) + counted)
        return np.asarray(np.log(zero + (1 - zero) * np.exp(counted)))


def _above(expected: Array, p: Mapping[str, float]) -> Array:
    """The mean over those who are not among the sure zeros."""
    above: Array = np.maximum(expected, 1e-9) / (1 - p["pi0"])
    return above
