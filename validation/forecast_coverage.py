"""How often the 90 % intervals of reprieve.pharmacology.forecast hold a made-up person's own values.

python validation/forecast_coverage.py --sets 1000       # the table of docs/explanation/forecast.md, about a minute
"""

from __future__ import annotations

import argparse

import numpy as np

from reprieve.pharmacology.forecast import NINETY, SYMBOLS, Body, learn
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.readings import KINDS, Reading
from reprieve.pharmacology.regimen import Regimen
from reprieve.pharmacology.variability import generator

BODY = Body(Person(weight_kg=70), Regimen.repeated(35, 40 / 60, days=[0]), parameter_set())
RICH = [(minute, what) for minute in (30, 60, 150) for what in KINDS if what != "ketamine_venous_ng_per_ml"]
CUFF = [(minute, f"{which}_change_mmhg") for minute in (20, 40, 80) for which in ("systolic", "diastolic")]
CUFF += [(40, "cadss_total"), (80, "cadss_total")]
PLANS = {"every kind of reading at three times": RICH, "six pressures and two CADSS, as a nurse takes": CUFF}


def readings(plan: list[tuple[int, str]], scores: np.ndarray, noise: np.random.Generator) -> list[Reading]:
    """What would be read in this person, kept within what is taken as a reading."""
    asked = [Reading(minute, what, 1) for minute, what in plan]
    expected = BODY.expected(scores[None], asked)[0]
    drawn = [float(each.drawn(np.array([mean]), BODY.p, noise)[0]) for each, mean in zip(asked, expected, strict=True)]
    kept = [
        min(max(value, KINDS[each.what].lowest), KINDS[each.what].highest)
        for each, value in zip(asked, drawn, strict=True)
    ]
    return [Reading(each.time_min, each.what, value) for each, value in zip(asked, kept, strict=True)]


def covered(plan: list[tuple[int, str]], sets: int) -> tuple[np.ndarray, np.ndarray]:
    """The share of people whose own value lies in its interval, and the mean shrinkage; shapes (9,)."""
    held, shrunk = np.zeros(len(SYMBOLS)), np.zeros(len(SYMBOLS))
    for number in range(sets):
        noise = generator(20261125, number)
        own = noise.standard_normal(len(SYMBOLS))
        learnt = learn(BODY, readings(plan, own, noise))
        spread = np.sqrt(np.diag(BODY.mixing @ learnt.covariance @ BODY.mixing.T))
        held += np.abs(BODY.mixing @ (own - learnt.scores)) < NINETY * spread
        shrunk += 1 - spread
    return held / sets, shrunk / sets


def main() -> None:
    """Print a row for each parameter."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sets", type=int, default=1000)
    sets = asked.parse_args().sets
    found = [covered(plan, sets) for plan in PLANS.values()]
    print("| parameter | " + " | ".join(f"{name}: covered | shrinkage" for name in PLANS) + " |")
    print("|---" * (1 + 2 * len(PLANS)) + "|")
    for k, words in enumerate(SYMBOLS.values()):
        print(f"| {words} | " + " | ".join(f"{100 * held[k]:.1f} % | {shrunk[k]:.2f}" for held, shrunk in found) + " |")


if __name__ == "__main__":
    main()
