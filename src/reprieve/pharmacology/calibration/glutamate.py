"""Level 3, from block to glutamate and synapses: one scan of eight people; most parameters no datum touches."""

from __future__ import annotations

from typing import Any

import numpy as np

from reprieve.pharmacology.calibration.level import Datum, Level, Values
from reprieve.pharmacology.calibration.numerics import jax, jnp
from reprieve.pharmacology.calibration.priors import Prior
from reprieve.pharmacology.check import finding, noted, value
from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG, Disposition, Exposure
from reprieve.pharmacology.parameters import ParameterSet
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Regimen

FITTED = "a p tau_G Kpuu IC50_I IC50_P".split()
UNTOUCHED = "kf ke tau_W".split()
MINUTES = 120
SCAN_MINUTE = 26  # "about 26 min"


def rises(values: Values, drive: jax.Array, step_h: float) -> jax.Array:
    """Glutamate after each step, from the effect-site level at its ends; exact for a target that is a line within it.

    Parameters
    ----------
    drive : shape (T + 1,), umol/L

    Returns
    -------
    shape (T,)
    """
    block_i, block_p = drive / (drive + values["IC50_I"]), drive / (drive + values["IC50_P"])
    target = (1 + values["a"] * block_i) * (1 - block_p) ** values["p"] - 1
    x = step_h / values["tau_G"]
    decay = jnp.exp(-x)
    late = 1 - (1 - decay) / x
    early = 1 - decay - late

    def step(g: jax.Array, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        after = g * decay + early * ends[0] + late * ends[1]
        return after, after

    return jax.lax.scan(step, jnp.zeros(()), (target[:-1], target[1:]))[1]


def level(p: ParameterSet) -> Level:
    """The level; ``p`` holds the frozen disposition."""
    exposure = Exposure(Disposition.of(p, Person()), Regimen.repeated(0.5 * REFERENCE_WEIGHT_KG, 2 / 3, [0]))
    entered = exposure.at(np.arange(MINUTES + 1) / 60)[:, 7] / p["Kpuu"]  # free level for each unit of Kpuu
    glx, null = finding("Glx peak rise", "Milak 2016", "plasticity"), finding(
        "ACC glutamate change, null reports", "Bojesen 2018", "plasticity"
    )  # fmt: skip

    def predict(values: Values) -> jax.Array:
        own: dict[str, Any] = {**p, **values}
        rise = 100 * rises(own, own["Kpuu"] * jnp.asarray(entered), 1 / 60)
        return jnp.stack([rise.max(), rise[SCAN_MINUTE - 1], rise.max()])

    return Level(
        name="synapses",
        title="Block, glutamate, synapses",
        priors=tuple(Prior.of(symbol) for symbol in (*FITTED, *UNTOUCHED)),
        data=(Datum(glx.parameter, value(glx), noted(glx, "SE"), "%", glx.source.name, glx.source.mark),),
        predict=predict,
        checks=(
            Datum("the same at 26 min, when it was seen", value(glx), 0.0, "%", glx.source.name, glx.source.mark),
            Datum(
                null.parameter,
                value(null),
                0.0,
                "%",
                null.source.name,
                null.source.mark,
                note="another region, drug and dose; shown, not fitted",
            ),
        ),
        notes=(
            "One number is fitted, the highest rise of Glx, with six parameters that could explain it. The scan saw it "
            "near minute 26, while the model's highest comes later; the check at 26 minutes shows the misfit.",
            "kf, ke and tau_W have no datum here: rodent rows give recovery in 7 to 10 days, density raised up to 14 "
            "days, formation within 12 to 24 h (or 72 to 132 h in another laboratory) and turnover of 3 to 5 % in two "
            "weeks, which cannot all be true of one rate. They stand as wide priors, and shrink by nothing.",
        ),
    )
