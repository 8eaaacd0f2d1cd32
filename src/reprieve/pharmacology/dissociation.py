"""How far a person feels detached during an infusion: the CADSS total.

    mean = base + Dmax x^h / (C50^h + x^h) exp(-k_tol n_prior)        x in ng/mL

x is the level of total racemate that the effect site stands for, Ce / (fu Kpuu) times the molar mass. A single rating
is a zero-inflated negative binomial draw about this mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dissociation:
    """Points of the CADSS, half-level in ng/mL, tolerance per prior sitting."""

    base: float
    maximum: float
    half_level: float
    hill: float
    tolerance: float
    dispersion: float
    zero_share: float

    @classmethod
    def of(cls, p: Mapping[str, float]) -> Dissociation:
        """The values ``p`` by the symbols of ``parameters.csv``."""
        return cls(*(p[name] for name in "cad_base Dmax C50_D h k_tol nb_k pi0".split()))

    def rise(self, effect_site_ng_per_ml: Array, prior_sittings: Array | float = 0.0) -> Array:
        """Mean CADSS above base; same shape."""
        x = np.maximum(effect_site_ng_per_ml, 0.0) ** self.hill
        rise: Array = self.maximum * x / (self.half_level**self.hill + x) * np.exp(-self.tolerance * prior_sittings)
        return rise

    def mean(self, effect_site_ng_per_ml: Array, prior_sittings: Array | float = 0.0) -> Array:
        """Mean CADSS total; same shape.

        >>> from reprieve.pharmacology.parameters import parameter_set
        >>> Dissociation.of(parameter_set()).mean(np.array([0.0, 150.0])).round(1)  # at C50, base + half the maximum
        array([ 3. , 18.5])
        """
        return self.base + self.rise(effect_site_ng_per_ml, prior_sittings)

    def rated(self, mean: Array, noise: np.random.Generator) -> NDArray[np.int64]:
        """Whole-number ratings about ``mean``: zero with probability pi0, else negative binomial; same shape."""
        above = mean / (1 - self.zero_share)  # so that the mean over zeros and the rest is ``mean``
        drawn = noise.negative_binomial(self.dispersion, self.dispersion / (self.dispersion + above))
        return np.where(noise.random(np.shape(mean)) < self.zero_share, 0, drawn)


def prior_sittings(times_h: Array, sitting_starts_h: Sequence[float]) -> Array:
    """How many sittings began before the one that each time belongs to; shape (T,).

    >>> prior_sittings(np.array([0.5, 47.0, 48.5]), [0.0, 48.0])
    array([0., 0., 1.])
    """
    begun = np.searchsorted(np.asarray(sitting_starts_h), times_h, side="right")
    return np.maximum(begun - 1, 0).astype(float)
