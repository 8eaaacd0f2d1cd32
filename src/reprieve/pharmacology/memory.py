"""The trauma memory, and what is learnt against it in therapy.

    I' = -r_I I                                     X' = -r_X X - r_s sigma X           per day
    X(t+) = X(t) + lx v (1 - X) n_M h(S)            at an exposure session of dose v in [0, 1]
    n_M = (1 - B_P)^q                               learning needs the receptor open
    h = S^m / (S^m + S50^m)                         learning needs synapses

The memory is never erased: what pulls on symptoms is I (1 - X).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reprieve.pharmacology import PharmacologyError


class TherapyError(PharmacologyError):
    """A therapy session cannot be used: says the value, the rule, and the way out."""


@dataclass(frozen=True, slots=True, order=True)
class TherapySession:
    """One exposure session: when, in days from the first visit, and how much of a full one it was."""

    day: float
    dose: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.day) and self.day >= 0):
            raise TherapyError(f"therapy session on day {self.day:g}; days are counted from 0, the first visit")
        if not 0 < self.dose <= 1:
            raise TherapyError(
                f"therapy session of dose {self.dose:g}; it must be above 0 and at most 1, a full session"
            )


@dataclass(frozen=True, slots=True)
class Memory:
    """Rates per day, gain per session, exponents, and S50 as in ``parameters.csv``."""

    trace_decay_per_day: float
    trace_at_start: float
    extinction_at_start: float
    extinction_gain: float
    block_exponent: float
    synapse_exponent: float
    half_learning_density: float
    extinction_loss_per_day: float
    stress_loss_per_day: float

    @classmethod
    def of(cls, p: Mapping[str, float]) -> Memory:
        """The values ``p`` by the symbols of ``parameters.csv``."""
        return cls(*(p[name] for name in "r_I I_0 X_0 lx q m S50 r_X r_s".split()))

    def rates(self, trace: float, extinction: float, stress: float) -> tuple[float, float]:
        """dI/dt and dX/dt per day."""
        loss = self.extinction_loss_per_day + self.stress_loss_per_day * stress
        return -self.trace_decay_per_day * trace, -loss * extinction

    def receptor_gate(self, block_p: float) -> float:
        """n_M, how far learning works under block: 1 without it."""
        return math.pow(1 - block_p, self.block_exponent)

    def synapse_gate(self, density: float) -> float:
        """h(S), 0.5 at S50.

        >>> from reprieve.pharmacology.parameters import parameter_set
        >>> Memory.of(parameter_set()).synapse_gate(0.85)
        0.5
        """
        ratio = math.pow(density / self.half_learning_density, self.synapse_exponent)
        return ratio / (1 + ratio)

    def after_session(self, extinction: float, dose: float, block_p: float, density: float) -> float:
        """X just after a session."""
        gates = self.receptor_gate(block_p) * self.synapse_gate(density)
        return extinction + self.extinction_gain * dose * (1 - extinction) * gates

    def pull(self, trace: float, extinction: float) -> float:
        """I (1 - X), what the memory does to symptoms."""
        return trace * (1 - extinction)
