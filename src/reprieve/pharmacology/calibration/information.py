"""What the data inform: the Fisher information about the scores, and the combinations of parameters that are seen.

In scores the prior's own information is 1 in every direction. So an eigenvalue of the data's says how many times
more than the prior they know about that combination: along it they shrink the standard deviation to 1/sqrt(1 +
eigenvalue) of what it was. An eigenvalue of zero is a combination that no amount of such data would ever see.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from reprieve.pharmacology.calibration.level import Level
from reprieve.pharmacology.calibration.numerics import jax, jnp, log_null

Array = NDArray[np.float64]

SEEN = 1.0  # an eigenvalue from which the data know more than the prior
STARTS = 4


@dataclass(frozen=True, slots=True)
class Combination:
    """One direction: its eigenvalue, and the exponents of its parameters, largest first, scaled to a largest of 1."""

    information: float
    exponents: tuple[tuple[str, float], ...]

    @property
    def left(self) -> float:
        """What share of the prior's standard deviation is left along it."""
        return float(1 / np.sqrt(1 + max(self.information, 0.0)))

    @property
    def words(self) -> str:
        """As a product of powers.

        >>> Combination(9.0, (("w_S", 1.0), ("tau", -0.5))).words
        'w_S x tau^-0.5'
        """
        return " x ".join(f"{name}^{power:.2g}" if abs(power - 1) > 0.005 else name for name, power in self.exponents)


def most_likely(level: Level, seed: int = 0) -> Array:
    """The highest point of the posterior, in scores, from several starts."""
    climb = jax.jit(jax.value_and_grad(lambda scores: -level.log_posterior(scores)))
    noise = np.random.Generator(np.random.Philox(seed))
    count = len(level.priors)
    starts = [np.zeros(count), *(0.7 * noise.standard_normal((STARTS - 1, count)))]

    def downhill(scores: Array) -> tuple[float, Array]:
        value, slope = climb(jnp.asarray(scores))
        return float(value), np.asarray(slope)

    ends = [minimize(downhill, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}) for start in starts]
    return np.asarray(min(ends, key=lambda end: end.fun).x)


def fisher(level: Level, scores: Array) -> Array:
    """The expected information of the data about the scores; shape (k, k).

    For numbers that are normal with mean m and covariance C it is m' C^-1 m' + tr(C^-1 C' C^-1 C')/2; for a trial
    that only says whether it found something, with chance p of nothing, p'^2 / (p (1 - p)).
    """
    at, count = jnp.asarray(scores), len(level.priors)
    slopes = np.asarray(jax.jacobian(level.means)(at)).reshape(len(level.data), count)
    found = np.zeros((count, count))
    if len(level.numbers):
        spread = np.asarray(level.spread(at))
        own = slopes[level.numbers]
        found += own.T @ np.linalg.solve(spread, own)
        if level.covariance is not None:
            changes = np.asarray(jax.jacobian(level.spread)(at))
            moved = np.stack([np.linalg.solve(spread, changes[..., k]) for k in range(count)])
            found += 0.5 * np.einsum("iab,jba->ij", moved, moved)
    for k in level.nulls:
        error = level.data[k].error
        mean = level.means(at)[k]
        nothing = float(jnp.exp(log_null(mean, error)))
        slope = float(jax.grad(lambda m, error=error: jnp.exp(log_null(m, error)))(mean))
        found += slope**2 / max(nothing * (1 - nothing), 1e-300) * np.outer(slopes[k], slopes[k])
    symmetric: Array = (found + found.T) / 2
    return symmetric


def combinations(level: Level, information: Array, least: float = 0.15) -> tuple[Combination, ...]:
    """The eigen-directions of the information, best seen first; exponents below ``least`` of the largest are left out.

    Scores are turned into logarithms of the parameters, so that a direction reads as a product of powers.
    """
    values, vectors = np.linalg.eigh(information)
    widths = np.array([prior.second if prior.shape == "lognormal" else np.nan for prior in level.priors])
    found = []
    for place in np.argsort(values)[::-1]:
        direction = vectors[:, place]
        named = {
            symbol: each / width if np.isfinite(width) else each
            for symbol, each, width in zip(level.symbols, direction, widths, strict=True)
        }
        shown = [symbol for symbol, each in zip(level.symbols, direction, strict=True)
                 if abs(each) >= least * np.abs(direction).max()]  # fmt: skip
        shown.sort(key=lambda symbol: -abs(direction[level.symbols.index(symbol)]))
        scale = named[shown[0]]
        found.append(Combination(float(values[place]), tuple((name, float(named[name] / scale)) for name in shown)))
    return tuple(found)
