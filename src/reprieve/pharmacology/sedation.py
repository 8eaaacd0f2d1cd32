"""How alert a person is during an infusion: the chance of a MOAA/S score below 5, fully alert.

    chance = x^h / (C50^h + x^h)        x in ng/mL, as for dissociation

The slope is shallow because it stands for people who differ; it was set to the range that a label gives for two doses
of nasal esketamine. Nothing read says how it goes on in later hours or with repeated doses, so there is no tolerance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sedation:
    """Half-level in ng/mL of total racemate at the effect site, and slope."""

    half_level: float
    hill: float

    @classmethod
    def of(cls, p: Mapping[str, float]) -> Sedation:
        """The values ``p`` by the symbols of ``parameters.csv``."""
        return cls(p["C50_sed"], p["h_sed"])

    def chance(self, effect_site_ng_per_ml: Array) -> Array:
        """The chance of being less than fully alert, 0 to 1; same shape.

        >>> Sedation(140, 1.2).chance(np.array([0.0, 140.0]))
        array([0. , 0.5])
        """
        x = np.maximum(effect_site_ng_per_ml, 0.0) ** self.hill
        chance: Array = x / (self.half_level**self.hill + x)
        return chance
