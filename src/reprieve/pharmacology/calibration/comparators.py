"""Level 6, an SSRI and a dummy pill over twelve weeks."""

from __future__ import annotations

import math

from reprieve.pharmacology.calibration.depression import probit_difference
from reprieve.pharmacology.calibration.level import Datum, Level, Values
from reprieve.pharmacology.calibration.numerics import jax, jnp
from reprieve.pharmacology.calibration.priors import Prior
from reprieve.pharmacology.calibration.slow import severity, signals
from reprieve.pharmacology.check import (
    BRADY,
    CAPS2_TO_CAPS5,
    DAVIDSON,
    SERTRALINE_MG,
    TWELVE_WEEKS,
    Design,
    finding,
    value,
)
from reprieve.pharmacology.model import Course
from reprieve.pharmacology.parameters import ParameterSet
from reprieve.pharmacology.symptoms import Ssri

FITTED = "w_E b_inf tau_b w_P tau_P tau_E".split()
STEP_H = 6.0


def change_sd(p: ParameterSet, day: float) -> float:
    """The standard deviation of change that the model gives people on a dummy by this day, CAPS-5 points.

    From the spread of the natural fall and of expectancy, the fluctuation and two ratings.
    """
    fallen = -math.expm1(-day / p["tau_b"]) * p["b_inf"] * 0.6
    expected = -math.expm1(-day / p["tau_P"]) * p["w_P"]
    belief = expected**2 * (0.5 * (1 + 0.5**2) - 0.25)
    drift = 2 * p["sd_ou"] ** 2 * -math.expm1(-day / p["tau_ou"])
    return math.sqrt(fallen**2 + belief + drift + 2 * p["sem_caps"] ** 2)


def level(p: ParameterSet) -> Level:
    """The level; ``p`` holds what is frozen."""
    courses = [Course(ssri=(Ssri(SERTRALINE_MG),), arm="daily pill"), Course(arm="daily pill")]
    driven, spread = signals(p, courses, TWELVE_WEEKS, STEP_H), change_sd(p, TWELVE_WEEKS)

    def predict(values: Values) -> jax.Array:
        theta = severity({**p, **values}, driven)
        falls = theta[:, 0] - theta[:, -1]
        effect = (falls[0] - falls[1]) / spread
        return jnp.stack([falls[0], falls[1], effect, effect, effect])

    difference = finding("CAPS-2 difference", BRADY.study)
    assert difference.low is not None and difference.high is not None  # noqa: PT018
    error = (difference.high - difference.low) / 3.92 * CAPS2_TO_CAPS5 / math.sqrt(2)
    falls = []
    for arm in ("sertraline", "placebo"):
        row = finding(f"CAPS-2 change {arm}", BRADY.study)
        fall = -value(row) * CAPS2_TO_CAPS5
        falls.append(Datum(f"fall on {arm}", fall, error, "CAPS-5 points", BRADY.study, row.source.mark))
    pooled = finding("SSRI class vs placebo", "Huang 2020")
    return Level(
        name="comparators",
        title="An SSRI and a dummy pill",
        priors=tuple(Prior.of(symbol) for symbol in FITTED),
        data=(*falls, _responders(DAVIDSON)),
        predict=predict,
        checks=(
            _responders(BRADY),
            Datum(
                "SSRI class over placebo",
                -value(pooled),
                0.0,
                "SMD",
                pooled.source.name,
                pooled.source.mark,
                note="from memory: shown, not fitted",
            ),
        ),
        notes=(
            "CAPS-2 points times 80/136, a convention. The error of each arm is half the variance of the printed "
            "interval of the difference.",
            f"Responders by the same probit link, with the model's own spread of change ({spread:.1f} points). The "
            "trials asked for a global rating too: only the difference of arms is fitted, not their levels. Responders "
            "of Brady are the same people as its falls and so are a check.",
        ),
    )


def _responders(design: Design) -> Datum:
    drug, dummy = (finding(f"responders {arm}", design.study) for arm in ("sertraline", "placebo"))
    people = (float(design.people[0]), float(design.people[1]))
    seen, error = probit_difference(value(drug) / 100, value(dummy) / 100, people)
    words = f"responders {value(drug):g} v {value(dummy):g} %"
    return Datum(words, seen, error, "sd of change", design.study, drug.source.mark)
