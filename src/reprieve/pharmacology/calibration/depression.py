"""Level 4, how relief comes and goes: response to ketamine in depression over a week, and relapse after a course.

The link, said plainly: a person responds when their fall passes a threshold, and falls are normal with one spread
in both arms. Then the probit of the response with the drug less that of the control is the drug's effect in
standard deviations of change, whatever the threshold. It is taken to be the effect on severity here over the
standard deviation of change that Feder 2021 implies: depression's scale is not PTSD's, and that it can stand in for
it is an assumption.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from reprieve.pharmacology.calibration.level import Datum, Level, Values
from reprieve.pharmacology.calibration.numerics import jax, jnp
from reprieve.pharmacology.calibration.priors import Prior
from reprieve.pharmacology.calibration.slow import severity, signals
from reprieve.pharmacology.check import FEDER, FORTY_MINUTES_H, SIX_DAYS, finding, value
from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG
from reprieve.pharmacology.model import Course
from reprieve.pharmacology.parameters import ParameterSet
from reprieve.pharmacology.regimen import Regimen

FITTED = "w_S w_G tau_th eta rho".split()
TURNOVER = "kf"
POOLED, POOLED_PEOPLE = "Han 2016", 368
WHEN = (("24 h", 1.0), ("72 h", 3.0), ("day 7", 7.0))
WITHIN = 0.6  # correlation of a person's response at two times; a guess
LAST_INFUSION, RELAPSE = 11.0, ("median relapse after course", "Murrough 2013 repeated")
HALF, HALF_ERROR = 0.5, 0.25
EARLY_H = 3.0


def change_sd() -> float:
    """The standard deviation of change in CAPS-5 points that Feder 2021 implies: its difference over its d."""
    difference = value(finding("CAPS-5 advantage at week 2", FEDER.study))
    return difference / value(finding("effect size at week 2", FEDER.study))


def probit_difference(drug: float, control: float, people: tuple[float, float]) -> tuple[float, float]:
    """Difference of the probits of two shares, and its standard error.

    >>> tuple(round(each, 2) for each in probit_difference(0.5, 0.5, (100, 100)))
    (0.0, 0.18)
    """
    probits = [float(ndtri(share)) for share in (drug, control)]
    variances = [
        share * (1 - share) / size * 2 * math.pi * math.exp(probit**2)
        for share, size, probit in zip((drug, control), people, probits, strict=True)
    ]
    return probits[0] - probits[1], math.sqrt(sum(variances))


def level(p: ParameterSet) -> Level:
    """The level; ``p`` holds what is frozen."""
    dose = 0.5 * REFERENCE_WEIGHT_KG
    one, six = (Regimen.repeated(dose, FORTY_MINUTES_H, days) for days in ([0], SIX_DAYS))
    relapse = finding(*RELAPSE)
    lost_on = LAST_INFUSION + value(relapse)
    courses = [Course(regimen, arm="even odds") for regimen in (one, Regimen(), six)]
    driven = signals(p, courses, math.ceil(lost_on) + 1)
    spread = change_sd()
    at = [driven.step_at(day) for _, day in WHEN]
    early, end, lost = driven.step_at(EARLY_H / 24), driven.step_at(LAST_INFUSION + 1), driven.step_at(lost_on)

    def predict(values: Values) -> jax.Array:
        own = {**p, **values, "ke": values[TURNOVER]}
        theta = severity(own, driven)
        effect = (theta[1] - theta[0]) / spread
        course = theta[1] - theta[2]
        return jnp.stack([*(effect[k] for k in at), course[lost] / course[end], effect[early] / effect[at[0]]])

    data, errors = [], []
    for name, _ in WHEN:
        drug, control = (finding(f"response {arm} at {name}", POOLED) for arm in ("ketamine", "control"))
        seen, error = probit_difference(value(drug) / 100, value(control) / 100, (POOLED_PEOPLE / 2,) * 2)
        words = f"response {value(drug):g} v {value(control):g} % at {name}"
        data.append(Datum(words, seen, error, "sd of change", POOLED, drug.source.mark))
        errors.append(error)
    data.append(
        Datum(f"effect left {value(relapse):g} d after a course", HALF, HALF_ERROR, "share", relapse.source.name,
              relapse.source.mark, note="half have relapsed; taken as half the effect, give or take a quarter")
    )  # fmt: skip
    correlation = np.eye(len(data))
    correlation[:3, :3] = np.where(np.eye(3), 1.0, WITHIN)
    scale = np.array([*errors, HALF_ERROR])
    fixed = jnp.asarray(correlation * np.outer(scale, scale))
    nasal = [finding(f"MADRS advantage at {when}", "intranasal ketamine/esketamine meta-analysis")
             for when in ("2-4 h", "24 h")]  # fmt: skip
    return Level(
        name="symptoms",
        title="How relief comes and goes",
        priors=tuple(Prior.of(symbol) for symbol in (*FITTED, TURNOVER)),
        data=tuple(data),
        predict=predict,
        checks=(
            Datum(
                "effect at 2 to 4 h over that at 24 h",
                value(nasal[0]) / value(nasal[1]),
                0.0,
                "ratio",
                "nasal meta-analysis",
                nasal[0].source.mark,
            ),
        ),
        covariance=lambda _: fixed,
        tied={"ke": TURNOVER},
        notes=(
            "The link from response to severity: the difference of probits is the effect in standard deviations of "
            f"change, {spread:.1f} CAPS-5 points from Feder 2021. How many people were in each arm is not printed "
            f"({POOLED_PEOPLE} in all, taken as half and half); trials differ, which is not counted; a person's "
            f"responses at two times are taken to correlate by {WITHIN}.",
            "Relapse enters weakly: when half have relapsed, about half of the mean effect is left. ke is kept equal "
            "to kf, as the table has it, because no datum before this one has seen either.",
        ),
    )
