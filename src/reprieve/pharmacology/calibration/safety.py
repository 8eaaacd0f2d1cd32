"""Level 2, dissociation and blood pressure, with the drug's course frozen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.calibration.level import Datum, Level, Values
from reprieve.pharmacology.calibration.numerics import jax, jnp
from reprieve.pharmacology.calibration.priors import Prior
from reprieve.pharmacology.check import finding, noted, value
from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG, Disposition, Exposure
from reprieve.pharmacology.parameters import ParameterSet
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Infusion, Regimen

Array = NDArray[np.float64]

SUBJECT = "haemodynamics_and_dissociation"
VOLUNTEERS = "Goldway 2025 data set"
# 0.4 mg/kg in 10 minutes, then 0.4 mg/kg/h to the end of the hour: how long it ran is not printed
VOLUNTEERS_REGIMEN = Regimen(
    [Infusion(0, 1 / 6, 0.4 * REFERENCE_WEIGHT_KG), Infusion(1 / 6, 5 / 6, 0.4 * REFERENCE_WEIGHT_KG * 5 / 6)]
)
RATINGS = (
    ("CADSS total before ketamine", 0.0),
    ("CADSS total about 10 min after bolus end", 20.0),
    ("CADSS total end-of-infusion rating (stated as 30 min after end)", 90.0),
)
PLACEBO_RATINGS = ("CADSS total placebo before", "CADSS total placebo post", "CADSS total placebo end")
# Cohort: systolic row, diastolic row, minute of the rating, patients
COHORTS = {
    "Yale series 2024": ("SBP peak rise at 40 min", "DBP peak rise at 40 min", 40.0, 138),
    "741-infusion depression cohort": (
        "SBP largest mean rise (30-40 min)", "DBP largest mean rise (30-40 min)", 40.0, 135
    ),
    "Riva-Posse 2018": ("SBP maximal mean rise (30 min)", "DBP maximal mean rise (30 min)", 30.0, 66),
}  # fmt: skip
BASE, BETWEEN = "cadss_base_of_volunteers", "setting_spread"
RESTING_MAP_ROW = ("MAP before", "Kienbaum 2000")
RACEMATE_LEVEL = 411.0


def _setting(cohort: str) -> str:
    return f"setting_{cohort.split()[0].split('-')[0].lower()}"


def level(p: ParameterSet) -> Level:
    """The level; ``p`` holds the frozen disposition."""
    half = Regimen.repeated(0.5 * REFERENCE_WEIGHT_KG, 2 / 3, [0])
    arterial = {minute: _arterial(p, half, minute) for minute in (30.0, 40.0)}
    felt = {minute: _felt(p, minute) for _, minute in RATINGS}
    resting_map = value(finding(*RESTING_MAP_ROW, SUBJECT))

    def rises(values: Values, emax: str, ng_per_ml: float) -> jax.Array:
        return values[emax] * ng_per_ml / (values["C50_bp"] + ng_per_ml)

    def cadss(values: Values, ng_per_ml: float) -> jax.Array:
        if ng_per_ml <= 0:
            return values[BASE]
        share = 1 / (1 + jnp.exp(values["h"] * (jnp.log(values["C50_D"]) - math.log(ng_per_ml))))
        return values[BASE] + values["Dmax"] * share

    def predict(values: Values) -> jax.Array:
        found = [cadss(values, felt[minute]) for _, minute in RATINGS]
        for cohort, (_, _, minute, _) in COHORTS.items():
            factor = jnp.exp(values[BETWEEN] * values[_setting(cohort)])
            found += [factor * rises(values, emax, arterial[minute]) for emax in ("Emax_s", "Emax_d")]
        found += [values[BASE]] * len(PLACEBO_RATINGS)
        found += [rises(values, emax, arterial[40.0]) for emax in ("Emax_s", "Emax_d")]
        systolic, diastolic = (rises(values, emax, RACEMATE_LEVEL) for emax in ("Emax_s", "Emax_d"))
        found.append(100 * (systolic + 2 * diastolic) / 3 / resting_map)
        return jnp.stack(found)

    priors = [
        Prior.ours(BASE, p["cad_base"], 0.41, "CADSS points", "table value of cad_base, 1 to 5 about as 95 %"),
        *(Prior.of(symbol) for symbol in ("Dmax", "C50_D", "h", "Emax_s", "Emax_d", "C50_bp")),
        Prior.ours(BETWEEN, 0.5, 0.5, "sd of the log", "how far settings differ; ours"),
        *(Prior(_setting(cohort), "normal", 0.0, 1.0, "score", "this setting among others") for cohort in COHORTS),
    ]
    return Level(
        name="safety",
        title="Dissociation and blood pressure",
        priors=tuple(priors),
        data=(*_ratings(), *_pressures()),
        predict=predict,
        checks=_checks(),
        notes=(
            "The volunteers' own resting CADSS (0.94) is not that of the placebo sessions of the same people (3.6 to "
            "3.9), which were not given in random order; it is fitted apart from cad_base and not handed on.",
            "Each cohort's pressures are multiplied by one factor of its setting, the same for systolic and diastolic. "
            "The spread that this needs is between settings and not between people; Emax is the middle of settings. "
            "Only one cohort prints a standard deviation; the others are given the same.",
            f"Mean arterial pressure at {RACEMATE_LEVEL:g} ng/mL (eight or nine volunteers, a pump) is held against "
            f"the fit and not fitted: its resting value is not in the row, so {resting_map:g} mmHg of other volunteers "
            "is used, and it is a highest value, not a mean.",
        ),
    )


def _arterial(p: ParameterSet, regimen: Regimen, minute: float) -> float:
    return float(Exposure(Disposition.of(p, Person()), regimen).ketamine_plasma_ng_per_ml(np.array([minute / 60]))[0])


def _felt(p: ParameterSet, minute: float) -> float:
    """The level of total racemate that the effect site stands for."""
    exposure = Exposure(Disposition.of(p, Person()), VOLUNTEERS_REGIMEN)
    site = exposure.at(np.array([minute / 60]))[0, 7]
    return float(site / exposure.disposition.free_at_effect_site * p["MW_K"])


def _ratings() -> list[Datum]:
    found = []
    for name, _ in RATINGS:
        row = finding(name, VOLUNTEERS, SUBJECT)
        error = noted(row, "SD") / math.sqrt(noted(row, "n"))
        found.append(Datum(name, value(row), error, "CADSS points", VOLUNTEERS, row.source.mark))
    return found


def _pressures() -> list[Datum]:
    found = []
    first = next(iter(COHORTS))
    spreads = [noted(finding(name, first, SUBJECT), "SD") for name in COHORTS[first][:2]]
    for cohort, (systolic, diastolic, _, patients) in COHORTS.items():
        for name, spread in zip((systolic, diastolic), spreads, strict=True):
            row = finding(name, cohort, SUBJECT)
            found.append(Datum(name, value(row), spread / math.sqrt(patients), "mmHg", cohort, row.source.mark))
    return found


def _checks() -> tuple[Datum, ...]:
    found = []
    for name in PLACEBO_RATINGS:
        row = finding(name, VOLUNTEERS, SUBJECT)
        error = noted(row, "SD") / math.sqrt(noted(row, "n"))
        found.append(Datum(name, value(row), error, "CADSS points", VOLUNTEERS, row.source.mark))
    for name in ("SBP peak rise", "DBP peak rise"):
        row = finding(name, "Wan 2015", SUBJECT)
        found.append(Datum(name, value(row), 0.0, "mmHg", "Wan 2015", row.source.mark, note="another setting"))
    row = finding("mean arterial pressure maximal rise (411 ng/mL)", "Langsjo 2003", SUBJECT)
    found.append(Datum(row.parameter, value(row), 0.0, "%", "Langsjo 2003", row.source.mark))
    return tuple(found)
