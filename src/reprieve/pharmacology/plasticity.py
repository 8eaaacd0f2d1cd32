"""From receptor block to synapses: glutamate, AMPA throughput and BDNF, translation, spine formation, labile synapses.

    G_ss = (1 + a B_I) (1 - B_P)^p - 1              dG/dt = (G_ss - G) / tau_G          per hour
    dN/dt = (max(G, 0) + k_e2 B_P - N) / tau_N      dM/dt = (N - M) / tau_M             per hour
    dW/dt = (M - W) / tau_W                                                             per hour
    ds/dt = kf (1 + eta W) (1 - s) - ke (1 + gam sigma) s                               per day
    S     = (1 - rho) S_fix + rho s

G is the relative rise of prefrontal glutamate, s in [0, 1] the filled share of the labile synapses, sigma >= 0 the load
of stress (chronic PTSD 1, healthy 0), S the whole prefrontal density relative to all sites filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Level = TypeVar("Level", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Plasticity:
    """Gains without unit, times in hours, ``formation`` and ``elimination`` per day.

    ``with_translation`` false leaves M out, so that W follows N: the shorter chain of the prototype.
    """

    disinhibition_gain: float
    pyramidal_exponent: float
    glutamate_time_h: float
    bdnf_time_h: float
    rest_block_gain: float
    translation_time_h: float
    spine_signal_time_h: float
    formation_per_day: float
    elimination_per_day: float
    stress_gain: float
    formation_gain: float
    labile_fraction: float
    stable_level: float
    with_translation: bool

    @classmethod
    def of(cls, p: Mapping[str, float], *, with_translation: bool = True) -> Plasticity:
        """The values ``p`` by the symbols of ``parameters.csv``."""
        return cls(
            disinhibition_gain=p["a"],
            pyramidal_exponent=p["p"],
            glutamate_time_h=p["tau_G"],
            bdnf_time_h=p["tau_N"],
            rest_block_gain=p["k_e2"],
            translation_time_h=p["tau_M"],
            spine_signal_time_h=p["tau_W"],
            formation_per_day=p["kf"],
            elimination_per_day=p["ke"],
            stress_gain=p["gam"],
            formation_gain=p["eta"],
            labile_fraction=p["rho"],
            stable_level=p["S_fix"],
            with_translation=with_translation,
        )

    def glutamate_steady(self, block_i: Level, block_p: Level) -> Level:
        """G_ss, the relative rise that the blocks would settle at; below zero when pyramidal block wins.

        >>> from reprieve.pharmacology.parameters import parameter_set
        >>> round(Plasticity.of(parameter_set()).glutamate_steady(0.164, 0.070), 2)
        0.43
        """
        risen: Level = (1 + self.disinhibition_gain * block_i) * (1 - block_p) ** self.pyramidal_exponent - 1
        return risen

    def signal_rates(
        self, glutamate: float, bdnf: float, translation: float, spine_signal: float, block_i: float, block_p: float
    ) -> tuple[float, float, float, float]:
        """dG/dt, dN/dt, dM/dt, dW/dt per hour."""
        rise = max(glutamate, 0.0) + self.rest_block_gain * block_p
        made = translation if self.with_translation else bdnf
        return (
            (self.glutamate_steady(block_i, block_p) - glutamate) / self.glutamate_time_h,
            (rise - bdnf) / self.bdnf_time_h,
            (bdnf - translation) / self.translation_time_h,
            (made - spine_signal) / self.spine_signal_time_h,
        )

    def synapse_rate(self, labile: float, spine_signal: float, stress: float) -> float:
        """ds/dt per day; inward at both ends, so that s stays in [0, 1]."""
        gain = self.formation_per_day * (1 + self.formation_gain * spine_signal) * (1 - labile)
        return gain - self.elimination_per_day * (1 + self.stress_gain * stress) * labile

    def resting(self, stress: float) -> float:
        """s at which formation and loss balance without drug.

        >>> from reprieve.pharmacology.parameters import parameter_set
        >>> Plasticity.of(parameter_set()).resting(stress=0), Plasticity.of(parameter_set()).resting(stress=1)
        (0.5, 0.25)
        """
        loss = self.elimination_per_day * (1 + self.stress_gain * stress)
        return self.formation_per_day / (self.formation_per_day + loss)

    def density(self, labile: Level) -> Level:
        """S, the whole prefrontal synaptic density."""
        return (1 - self.labile_fraction) * self.stable_level + self.labile_fraction * labile
