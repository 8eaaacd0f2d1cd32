"""The dose of one session: from the weight of the day, under the ceilings, in steps of the syringe."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reprieve.treatment.limits import Limits

KG_PER_POUND = 0.45359237
LIGHTEST_KG, HEAVIEST_KG = 30.0, 250.0


class DoseError(ValueError):
    """A dose cannot be computed: says the value, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Dose:
    """What is drawn up and given.

    Parameters
    ----------
    wanted_mg : weight times dose for each kilogram
    mg, ml : under the ceiling, rounded down to the syringe's step
    capped : whether the ceiling lowered it
    """

    weight_kg: float
    mg_per_kg: float
    mg_per_ml: float
    wanted_mg: float
    mg: float
    ml: float
    capped: bool

    def rate_ml_per_h(self, infusion_min: float) -> float:
        """The pump's rate that gives it all in ``infusion_min``."""
        return self.ml / (infusion_min / 60)

    @property
    def words(self) -> str:
        """How it came about.

        >>> dose(82.0, 0.5, 10.0, Limits()).words
        '82 kg x 0.5 mg/kg = 41 mg, which is 4.1 mL of 10 mg/mL'
        >>> dose(140.0, 0.5, 10.0, Limits()).words
        '140 kg x 0.5 mg/kg = 70 mg, lowered to the ceiling: 60 mg, which is 6 mL of 10 mg/mL'
        """
        lowered = f", lowered to the ceiling: {self.mg:g} mg" if self.capped else ""
        rounded = f", rounded down to {self.mg:g} mg" if not self.capped and self.mg < self.wanted_mg - 1e-9 else ""
        return (
            f"{self.weight_kg:g} kg x {self.mg_per_kg:g} mg/kg = {self.wanted_mg:g} mg{lowered}{rounded}, "
            f"which is {self.ml:g} mL of {self.mg_per_ml:g} mg/mL"
        )


def dose(weight_kg: float, mg_per_kg: float, mg_per_ml: float, limits: Limits) -> Dose:
    """The dose for a weight.

    Raises
    ------
    DoseError : if the weight cannot be a grown person's, or the dose for each kilogram is above the signed limit

    Examples
    --------
    >>> dose(71.3, 0.5, 10.0, Limits()).ml  # 35.65 mg is 3.565 mL
    3.5
    """
    if not LIGHTEST_KG <= weight_kg <= HEAVIEST_KG:
        raise DoseError(
            f"{weight_kg:g} kg; a weight is {LIGHTEST_KG:g} to {HEAVIEST_KG:g} kg: look for a slipped point"
        )
    most = limits["most_mg_per_kg"]
    if not 0 < mg_per_kg <= most:
        raise DoseError(f"{mg_per_kg:g} mg/kg; the signed limit is {most:g} mg/kg: look for a slipped point")
    if not mg_per_ml > 0:
        raise DoseError(f"{mg_per_ml:g} mg/mL; a vial's strength is above zero: read it from the vial")
    wanted = round(weight_kg * mg_per_kg, 6)
    allowed = min(wanted, limits["most_mg"])
    steps = math.floor(allowed / mg_per_ml / limits["syringe_step_ml"] + 1e-9)
    ml = round(steps * limits["syringe_step_ml"], 6)
    return Dose(weight_kg, mg_per_kg, mg_per_ml, wanted, round(ml * mg_per_ml, 6), ml, allowed < wanted)


def doubts(weight_kg: float, known_kg: float | None, limits: Limits) -> tuple[str, ...]:
    """Why to ask again before a weight is used: it differs from the one that is known, perhaps by its unit.

    >>> doubts(176, 80, Limits())
    ('176 kg is 2.2 times the 80 kg known so far: was it read in pounds? 176 lb is 79.8 kg.',)
    >>> doubts(81, 80, Limits())
    ()
    """
    if known_kg is None:
        return ()
    ratio = weight_kg / known_kg
    if 1.9 <= ratio <= 2.5:
        return (
            f"{weight_kg:g} kg is {ratio:.2g} times the {known_kg:g} kg known so far: was it read in pounds? "
            f"{weight_kg:g} lb is {weight_kg * KG_PER_POUND:.1f} kg.",
        )
    if abs(ratio - 1) > limits["weight_change_percent"] / 100:
        return (f"{weight_kg:g} kg differs by {abs(ratio - 1):.0%} from the {known_kg:g} kg known so far.",)
    return ()
