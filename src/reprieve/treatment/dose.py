"""The dose of one session: from the weight of the day, under the ceilings, in steps of the syringe."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from reprieve.sources import read_table
from reprieve.treatment.limits import Limits

KG_PER_POUND = 0.45359237
LIGHTEST_KG, HEAVIEST_KG = 30.0, 250.0
POUNDS_AS_KG, KG_AS_POUNDS = (1.9, 2.5), (0.4, 0.53)  # ratios that a mistaken unit leaves, with some change of weight


class DoseError(ValueError):
    """A dose cannot be computed: says the value, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Dose:
    """What is drawn up and given.

    Parameters
    ----------
    wanted_mg : weight times dose for each kilogram
    allowed_mg : the same, or the ceiling where that is lower
    mg, ml : what is allowed, rounded down to the syringe's step
    """

    weight_kg: float
    mg_per_kg: float
    mg_per_ml: float
    wanted_mg: float
    allowed_mg: float
    mg: float
    ml: float

    @property
    def capped(self) -> bool:
        """Whether the ceiling lowered it."""
        return self.allowed_mg < self.wanted_mg

    def rate_ml_per_h(self, infusion_min: float) -> float:
        """The pump's rate that gives it all in ``infusion_min``.

        Raises
        ------
        DoseError : if that is no time at all
        """
        if not infusion_min > 0:
            raise DoseError(f"{infusion_min:g} minutes; an infusion takes longer than none: look at the plan")
        return self.ml / (infusion_min / 60)

    @property
    def words(self) -> str:
        """How it came about.

        >>> dose(82.0, 0.5, 10.0, Limits()).words
        '82 kg x 0.5 mg/kg = 41 mg, which is 4.1 mL of 10 mg/mL'
        >>> dose(140.0, 0.5, 10.0, Limits()).words
        '140 kg x 0.5 mg/kg = 70 mg, lowered to the ceiling: 60 mg, which is 6 mL of 10 mg/mL'
        """
        lowered = f", lowered to the ceiling: {self.allowed_mg:g} mg" if self.capped else ""
        rounded = f", rounded down to {self.mg:g} mg" if self.mg < self.allowed_mg - 1e-9 else ""
        return (
            f"{self.weight_kg:g} kg x {self.mg_per_kg:g} mg/kg = {self.wanted_mg:g} mg{lowered}{rounded}, "
            f"which is {self.ml:g} mL of {self.mg_per_ml:g} mg/mL"
        )


def dose(weight_kg: float, mg_per_kg: float, mg_per_ml: float, limits: Limits) -> Dose:
    """The dose for a weight.

    Raises
    ------
    DoseError : if the weight cannot be a grown person's, the dose for each kilogram is above the signed limit, the
        strength is none, or all of it is less than one step of the syringe

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
    if not 0 < mg_per_ml < math.inf:
        raise DoseError(f"{mg_per_ml:g} mg/mL; a vial's strength is a number above zero: read it from the vial")
    wanted = round(weight_kg * mg_per_kg, 6)
    allowed = min(wanted, limits["most_mg"])
    steps = math.floor(allowed / mg_per_ml / limits["syringe_step_ml"] + 1e-9)
    if steps < 1:
        raise DoseError(
            f"{allowed:g} mg of {mg_per_ml:g} mg/mL is {allowed / mg_per_ml:.2g} mL; the syringe's step is "
            f"{limits['syringe_step_ml']:g} mL: look for a slipped point, or take a weaker vial"
        )
    ml = round(steps * limits["syringe_step_ml"], 6)
    return Dose(weight_kg, mg_per_kg, mg_per_ml, wanted, allowed, round(ml * mg_per_ml, 6), ml)


@cache
def strengths() -> tuple[float, ...]:
    """The strengths that vials are sold in, mg/mL.

    >>> strengths()
    (10.0, 50.0, 100.0)
    """
    return tuple(float(row["mg_per_ml"]) for row in read_table("reprieve.treatment", "strengths.csv"))


def strength_doubts(mg_per_ml: float, known: Collection[float] = ()) -> tuple[str, ...]:
    """Why to read the vial again: its strength is none that is known here, or one with a ten-fold twin.

    Parameters
    ----------
    known : strengths of this person's last session or of this clinic's vials, mg/mL; none when nothing is known

    >>> strength_doubts(100, known=[10])
    ('100 mg/mL; known so far: 10 mg/mL. Read the vial again.',)
    >>> strength_doubts(10, known=[10])
    ()
    >>> strength_doubts(10)
    ('10 mg/mL; vials of 100 mg/mL are sold too. Read the vial again.',)
    """
    if mg_per_ml not in (known or strengths()):
        told = ", ".join(f"{each:g}" for each in sorted(known or strengths()))
        return (f"{mg_per_ml:g} mg/mL; known so far: {told} mg/mL. Read the vial again.",)
    if known:
        return ()
    twins = [each for each in strengths() if math.isclose(each, mg_per_ml * 10) or math.isclose(each, mg_per_ml / 10)]
    return tuple(f"{mg_per_ml:g} mg/mL; vials of {each:g} mg/mL are sold too. Read the vial again." for each in twins)


def doubts(weight_kg: float, known_kg: float | None, limits: Limits) -> tuple[str, ...]:
    """Why to ask again before a weight is used: it differs from the one that is known, perhaps by its unit.

    >>> doubts(176, 80, Limits())
    ('176 kg is 2.2 times the 80 kg known so far: was it read in pounds? 176 lb is 79.8 kg.',)
    >>> doubts(81, 80, Limits())
    ()
    """
    if known_kg is None:
        return ()
    if not known_kg > 0:
        return (f"The weight known so far, {known_kg:g} kg, cannot be right. Weigh again.",)
    ratio = weight_kg / known_kg
    if POUNDS_AS_KG[0] <= ratio <= POUNDS_AS_KG[1]:
        return (
            f"{weight_kg:g} kg is {ratio:.2g} times the {known_kg:g} kg known so far: was it read in pounds? "
            f"{weight_kg:g} lb is {weight_kg * KG_PER_POUND:.1f} kg.",
        )
    if KG_AS_POUNDS[0] <= ratio <= KG_AS_POUNDS[1]:
        return (
            f"{weight_kg:g} kg is {ratio:.2g} times the {known_kg:g} kg known so far: was a weight in kilograms "
            f"taken for pounds? It would be {weight_kg / KG_PER_POUND:.1f} kg.",
        )
    if not abs(weight_kg - known_kg) * 100 <= limits["weight_change_percent"] * known_kg + 1e-6:
        return (f"{weight_kg:g} kg differs by {abs(ratio - 1):.0%} from the {known_kg:g} kg known so far.",)
    return ()
