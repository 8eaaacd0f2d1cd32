"""How far ketamine blocks the NMDA receptor, with magnesium in the way and drug trapped in the closed channel.

Two pools: I, on interneurons (GluN2C and 2D weighted), and P, on pyramidal cells (GluN2A and 2B). With Ce in umol/L,

    dB/dt = Po [kon m Ce (1 - B) - koff B]        kinetic form, per second
    B     = Ce / (Ce + IC50)                      its equilibrium, whatever Po

because a fully trapped drug needs an open channel both to enter and to leave. Po sets the speed alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Level = TypeVar("Level", float, NDArray[np.float64])

SECONDS_PER_HOUR = 3600.0


def magnesium_factor(magnesium_mmol_per_l: float, membrane_potential_mv: float) -> float:
    """By how much magnesium raises the half-blocking concentration: 1 + [Mg]/K, K = 3.57 exp(0.062 V) mmol/L.

    Jahr and Stevens 1990; V in mV. Its inverse is the fraction m of open channels that ketamine finds free.

    >>> round(magnesium_factor(1.0, -65.0), 2)
    16.76
    """
    return 1 + magnesium_mmol_per_l / (3.57 * math.exp(0.062 * membrane_potential_mv))


@dataclass(frozen=True, slots=True)
class Receptor:
    """Half-blocking levels in umol/L with magnesium, unblocking rate in 1/s, open probability.

    ``potency`` multiplies the effect-site level of one person; ``norketamine_ratio`` is how many times weaker
    norketamine is, None leaves it out.
    """

    half_block_interneuron: float
    half_block_pyramidal: float
    unblock_per_s: float
    open_probability: float
    potency: float = 1.0
    norketamine_ratio: float | None = None

    @classmethod
    def of(cls, p: Mapping[str, float], *, norketamine: bool = False) -> Receptor:
        """The values ``p`` by the symbols of ``parameters.csv``."""
        return cls(p["IC50_I"], p["IC50_P"], p["koff"], p["Po"], p["pot"], p["r_NK"] if norketamine else None)

    def drive(self, ketamine: Level, norketamine: Level) -> Level:
        """The level that competes for the receptor, umol/L of ketamine: potency (Ce + CeN / ratio)."""
        if self.norketamine_ratio is None:
            return self.potency * ketamine
        return self.potency * (ketamine + norketamine / self.norketamine_ratio)

    def block_interneuron(self, drive: Level) -> Level:
        """Equilibrium block of pool I, 0 to 1.

        >>> round(Receptor(2.0, 5.2, 0.22, 0.058).block_interneuron(0.39), 3)
        0.163
        """
        return drive / (drive + self.half_block_interneuron)

    def block_pyramidal(self, drive: Level) -> Level:
        """Equilibrium block of pool P, 0 to 1."""
        return drive / (drive + self.half_block_pyramidal)

    def rates_per_h(self, drive: float, block_i: float, block_p: float) -> tuple[float, float]:
        """The kinetic form, per hour, of pools I and P; kon m is koff/IC50 in each, so that equilibria agree."""
        return (
            self._rate_per_h(drive, block_i, self.half_block_interneuron),
            self._rate_per_h(drive, block_p, self.half_block_pyramidal),
        )

    def _rate_per_h(self, drive: float, block: float, half_block: float) -> float:
        on = self.unblock_per_s / half_block * drive
        return SECONDS_PER_HOUR * self.open_probability * (on * (1 - block) - self.unblock_per_s * block)

    def time_constant_min(self, drive: float = 0.0) -> float:
        """How long block of pool I takes to follow: 1 / (Po (kon m Ce + koff)), in minutes.

        >>> round(Receptor(2.0, 5.2, 0.22, 0.058).time_constant_min(0.39), 1)
        1.1
        """
        return 1 / (self.open_probability * self.unblock_per_s * (1 + drive / self.half_block_interneuron)) / 60
