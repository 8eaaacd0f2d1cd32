"""The body that a regimen is given to: weight, age, sex."""

from __future__ import annotations

from dataclasses import dataclass

from reprieve.pharmacology import PharmacologyError

LIGHTEST_KG, HEAVIEST_KG = 30.0, 250.0
YOUNGEST_YEARS, OLDEST_YEARS = 18.0, 110.0
SEXES = ("female", "male")


class PersonError(PharmacologyError):
    """A person's figures cannot be used: says which, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Person:
    """Weight in kg; age in years and sex if known.

    Age and sex are kept for the record and for the covariates that are asked for by name: the default set has no
    effect of either (the pooled analysis of Kamp 2020 retained none).

    >>> Person(weight_kg=7)
    Traceback (most recent call last):
        ...
    reprieve.pharmacology.person.PersonError: weight 7 kg; it must be 30 to 250 kg (is it in kilograms?)
    """

    weight_kg: float = 70.0
    age_years: float | None = None
    sex: str | None = None

    def __post_init__(self) -> None:
        if not LIGHTEST_KG <= self.weight_kg <= HEAVIEST_KG:  # also refuses nan
            raise PersonError(
                f"weight {self.weight_kg:g} kg; it must be {LIGHTEST_KG:g} to {HEAVIEST_KG:g} kg (is it in kilograms?)"
            )
        if self.age_years is not None and not YOUNGEST_YEARS <= self.age_years <= OLDEST_YEARS:
            raise PersonError(
                f"age {self.age_years:g}; it must be {YOUNGEST_YEARS:g} to {OLDEST_YEARS:g} years, "
                "the model says nothing of children"
            )
        if self.sex is not None and self.sex not in SEXES:
            raise PersonError(f"sex {self.sex!r}; it must be female or male, or left out")
