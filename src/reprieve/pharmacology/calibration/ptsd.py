"""Level 5, the two trials of repeated infusions in PTSD, one positive and one that found nothing, with the same weight.

The positive trial printed its difference and standard error: a normal density. The other printed that it found nothing:
the chance of that, P(|z| < 1.96), under the true difference and the standard error that its size implies. Each counts
once; neither is tempered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from reprieve.pharmacology.calibration.depression import change_sd
from reprieve.pharmacology.calibration.level import Datum, Level, Values
from reprieve.pharmacology.calibration.numerics import jax, jnp
from reprieve.pharmacology.calibration.priors import Prior
from reprieve.pharmacology.calibration.slow import severity, signals
from reprieve.pharmacology.check import (
    ABDALLAH,
    FEDER,
    FORTY_MINUTES_H,
    FOUR_WEEKS,
    SIX_DAYS,
    TWICE_A_WEEK,
    TWO_WEEKS,
    finding,
    noted,
    value,
)
from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG
from reprieve.pharmacology.model import Course
from reprieve.pharmacology.parameters import ParameterSet
from reprieve.pharmacology.regimen import Regimen

FITTED = "w_S w_G w_P".split()
POSITIVE, NULL = "true difference, six infusions, civilian", "true difference, eight infusions, veterans"
# How the two trials may differ: what is fitted, and how it is called
VERSIONS = {
    "as in the table": "r_mil about 0.4, the hand-made guess",
    "one common effect": "r_mil fixed at 1: the same effect in both",
    "no side taken": "r_mil about 1, as likely half as twice",
}


def level(p: ParameterSet, version: str = "as in the table", *, only: str = "") -> Level:
    """The level in one of :data:`VERSIONS`; ``only`` names the one trial to fit, both if empty."""
    dose = 0.5 * REFERENCE_WEIGHT_KG
    six, eight = (Regimen.repeated(dose, FORTY_MINUTES_H, days) for days in (SIX_DAYS, TWICE_A_WEEK))
    courses = [
        Course(six, arm="midazolam"),
        Course(arm="midazolam"),
        Course(eight, arm="two to one", setting="military"),
        Course(arm="two to one", setting="military"),
    ]
    driven = signals(p, courses, FOUR_WEEKS)
    two, four = driven.step_at(TWO_WEEKS), driven.step_at(FOUR_WEEKS)

    def differences(values: Values) -> tuple[jax.Array, jax.Array]:
        own = {**p, "r_mil": 1.0, **values} if version == "one common effect" else {**p, **values}
        theta = severity(own, driven)
        return theta[1, two] - theta[0, two], theta[3, four] - theta[2, four]

    def derived(values: Values) -> Mapping[str, jax.Array]:
        positive, null = differences(values)
        return {POSITIVE: positive, NULL: null}

    seen = finding("CAPS-5 advantage at week 2", FEDER.study)
    nothing = finding("group-by-time effect on PCL-5 and CAPS-5", ABDALLAH.study)
    error = change_sd() * math.sqrt(1 / ABDALLAH.people[2] + 1 / ABDALLAH.people[0])
    both = (
        Datum("CAPS-5 difference at 2 weeks", value(seen), noted(seen, "SE"), "CAPS-5 points", FEDER.study,
              seen.source.mark),
        Datum("no significant difference after 4 weeks", 0.0, error, "CAPS-5 points", ABDALLAH.study,
              nothing.source.mark, kind="null", note=f"standard error by size: {error:.2f}"),
    )  # fmt: skip
    kept = [k for k, datum in enumerate(both) if not only or datum.source == only]
    held = [k for k in range(len(both)) if k not in kept]
    order = jnp.array([*kept, *held])

    def predict(values: Values) -> jax.Array:
        return jnp.stack(differences(values))[order]

    priors = [Prior.of(symbol) for symbol in FITTED]
    if version == "as in the table":
        priors.append(Prior.of("r_mil"))
    elif version == "no side taken":
        priors.append(Prior.ours("r_mil", 1.0, 1.0, "factor", "about 1; half and twice within one sd"))
    return Level(
        name="ptsd",
        title="The two trials in PTSD",
        priors=tuple(priors),
        data=tuple(both[k] for k in kept),
        predict=predict,
        checks=tuple(both[k] for k in held),
        derived=derived,
        notes=(
            "w_S and w_G are fitted anew, from the table's priors: points of depression are not points of PTSD. The "
            "table's w_S and r_mil were chosen by hand with these two trials in view, so their ranges are taken twice "
            "as wide; that does not undo the circle.",
            "The standard error of the trial that found nothing is by its size and the standard deviation of change of "
            f"the other: {error:.2f}. Its test was over three arms and all times; the difference of 0.5 mg/kg from "
            "placebo at the end stands in for it. 'Typical person' differences stand for means of people.",
        ),
    )
