"""The levels in their order, each with what came before frozen at its posterior medians, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.calibration import CalibrationError, comparators, depression, disposition, glutamate, ptsd
from reprieve.pharmacology.calibration import safety as acute
from reprieve.pharmacology.calibration.information import Combination, combinations, fisher, most_likely
from reprieve.pharmacology.calibration.level import Datum, Level
from reprieve.pharmacology.calibration.priors import Prior
from reprieve.pharmacology.calibration.sampling import (
    Draws,
    Effort,
    derived,
    parameters,
    predictions,
    replicated,
    sample,
)
from reprieve.pharmacology.parameters import ParameterSet, parameter_set, table

Array = NDArray[np.float64]

LEVELS: Mapping[str, Callable[[ParameterSet], Level]] = {
    "pk": disposition.level,
    "safety": acute.level,
    "synapses": glutamate.level,
    "symptoms": depression.level,
    "ptsd": ptsd.level,
    "comparators": comparators.level,
}
INFORMED, HARDLY = 0.3, 0.05  # shrinkage from which the data inform, and from which they do so hardly
DRAWS_SHOWN = 1000  # of the posterior, for predictions
AGREE, ENOUGH = 1.01, 400  # R-hat and effective draws that are asked for
# What no level can see apart, whatever its own numbers say
INSEPARABLE = (
    "free fraction, brain entry and potency at the receptor (fu, Kpuu, pot, IC50) enter with the gain a as one product",
    "eta, rho and w_S enter as one product: synapses are not seen in any datum",
    "fN with CLN, and fH with CLH: only ratios are seen; fN moves with its range and no further",
    "w_P cannot be told from the drug without arms that hide the cue; its posterior is all but its prior",
    "r_mil stands for everything in which two trials differ; two trials cannot say what that is",
)


@dataclass(frozen=True, slots=True)
class Posterior:
    """One parameter: prior and posterior as median and central 90 %, and what the data did."""

    prior: Prior
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    shrinkage: float  # 1 - sd after / sd before, of the score
    r_hat: float
    effective: float

    @property
    def words(self) -> str:
        """What the data say of it."""
        if self.shrinkage >= INFORMED:
            return "the data inform it"
        return "the data hardly inform it" if self.shrinkage >= HARDLY else "the data do not inform it"

    @property
    def table_value(self) -> float | None:
        """The default in ``parameters.csv``."""
        return table()[self.prior.symbol].value if self.prior.is_in_table else None


@dataclass(frozen=True, slots=True)
class Predicted:
    """One datum, or a check that was not fitted: what was seen beside the central 90 % of what would be.

    ``tail`` is the share of new data beyond what was seen, the smaller side; for a trial that found nothing the share
    of such trials that find nothing. A check that has no error of its own is held to the prediction without one.
    """

    datum: Datum
    is_fitted: bool
    middle: tuple[float, float, float]
    tail: float


@dataclass(frozen=True)
class Fitted:
    """One level after its data."""

    level: Level
    frozen: Mapping[str, float]
    posteriors: tuple[Posterior, ...]
    predicted: tuple[Predicted, ...]
    combinations: tuple[Combination, ...]
    derived: Mapping[str, tuple[float, float, float]]
    divergences: int
    seconds: float
    draws: Draws = field(repr=False)

    @property
    def agrees(self) -> bool:
        """Whether the chains agree and drew enough."""
        return all(each.r_hat <= AGREE and each.effective >= ENOUGH for each in self.posteriors)

    @property
    def medians(self) -> dict[str, float]:
        """What later levels take as given."""
        own = {each.prior.symbol: each.after[0] for each in self.posteriors if each.prior.is_in_table}
        return own | {symbol: own[other] for symbol, other in self.level.tied.items()}


def middle(values: Array) -> tuple[float, float, float]:
    """Median and central 90 %."""
    low, median, high = np.quantile(values, [0.05, 0.5, 0.95])
    return float(median), float(low), float(high)


def fit_level(level: Level, effort: Effort, frozen: Mapping[str, float]) -> Fitted:
    """One level: its highest point, the posterior about it, predictions, and what the data see."""
    begun = time.monotonic()
    top = most_likely(level)
    draws = sample(level, effort, top)
    some = draws.flat[:: max(1, len(draws.flat) // DRAWS_SHOWN)]
    values = parameters(level, draws.flat)
    posteriors = tuple(
        Posterior(
            prior, prior.middle(), middle(values[prior.symbol]), float(1 - draws.flat[:, k].std()),
            float(draws.r_hat[k]), float(draws.effective[k]),
        )
        for k, prior in enumerate(level.priors)
    )  # fmt: skip
    return Fitted(
        level=level,
        frozen=frozen,
        posteriors=posteriors,
        predicted=tuple(_predicted(level, some, effort.seed)),
        combinations=combinations(level, fisher(level, top)),
        derived={name: middle(each) for name, each in derived(level, some).items()},
        divergences=draws.divergences,
        seconds=time.monotonic() - begun,
        draws=draws,
    )


def _predicted(level: Level, scores: Array, seed: int) -> Iterator[Predicted]:
    expected = predictions(level, scores)
    noise = np.random.Generator(np.random.Philox(key=[seed, 7]))
    again = replicated(level, scores, expected, noise)
    for k, datum in enumerate((*level.data, *level.checks)):
        is_fitted = k < len(level.data)
        if datum.kind == "null":
            nothing = again[:, k] if is_fitted else np.abs(_noisy(expected[:, k], datum, noise) / datum.error) < 1.96
            yield Predicted(datum, is_fitted, middle(expected[:, k]), float(np.mean(nothing)))
            continue
        new = again[:, k] if is_fitted else _noisy(expected[:, k], datum, noise)
        above = float(np.mean(new >= datum.observed))
        shown = np.exp(new) if datum.is_log else new
        yield Predicted(datum, is_fitted, middle(shown), min(above, 1 - above))


def _noisy(expected: Array, datum: Datum, noise: np.random.Generator) -> Array:
    found: Array = expected + datum.error * noise.standard_normal(len(expected))
    return found


def calibrate(
    effort: Effort, names: Sequence[str] = tuple(LEVELS), told: Callable[[str], None] = lambda _: None
) -> dict[str, Fitted]:
    """The levels of these names in the order of the calibration, each given the medians of those before it.

    The two trials in PTSD are fitted in every version of how they may differ, as ``ptsd: VERSION``; the first goes on.

    Raises
    ------
    CalibrationError : for a name that is no level
    """
    for name in names:
        if name not in LEVELS:
            raise CalibrationError(f"level {name!r}; the levels are {', '.join(LEVELS)}")
    p, frozen, found = parameter_set(), dict[str, float](), dict[str, Fitted]()
    for name in (each for each in LEVELS if each in names):
        given = p.replaced(frozen)
        versions = ptsd.VERSIONS if name == "ptsd" else {"": ""}
        for version in versions:
            key = f"{name}: {version}" if version else name
            told(key)
            level = ptsd.level(given, version) if version else LEVELS[name](given)
            found[key] = fit_level(level, effort, dict(frozen))
        first = found[f"{name}: {next(iter(versions))}" if name == "ptsd" else name]
        frozen |= first.medians
    return found
