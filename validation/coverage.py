"""How often the intervals of reprieve.evidence.censored hold the true mean, shown as a page of documentation.

    python validation/coverage.py --sets 1000 > docs/explanation/coverage.md
    python validation/coverage.py --compare --sets 1000      # the candidates for the interval, for directions.md
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from reprieve.evidence import censored
from reprieve.evidence.censored import Trials

Array = NDArray[np.float64]

SEED = 20261122
MEANS = (0.0, 0.3, 0.6)
TAUS = (0.0, 0.2, 0.4)
COUNTS = (6, 10, 20)
SHARES = (0.0, 0.3, 0.6)
MECHANISMS = ("chance", "selective")
SELECTIVE_ODDS = 5  # a non-significant trial is that many times likelier to be the next to hide its number
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of the simulation."""

    k: int
    share: float
    mechanism: str
    mu: float
    tau: float

    @property
    def hidden(self) -> int:
        """Trials in a set that report only a direction."""
        return round(self.k * self.share)


@dataclass(frozen=True, slots=True)
class Score:
    """How one method did over the sets of a cell."""

    coverage: float
    width: float  # median, since a few likelihood intervals are very wide
    bias: float


def cells() -> Iterator[Cell]:
    """Every setting; without hidden numbers the two mechanisms are one."""
    for k, share, mechanism, mu, tau in product(COUNTS, SHARES, MECHANISMS, MEANS, TAUS):
        if share or mechanism == "chance":
            yield Cell(k, share, mechanism, mu, tau)


def draw(rng: np.random.Generator, sets: int, cell: Cell) -> Trials:
    """Sets of trials as this literature has them, drawn from people's scores and not from the model that is fitted.

    Arms of 10 to 60 people, g from a noncentral t, its variance estimated from g itself, significance decided by
    the t test.
    """
    size = np.exp(rng.uniform(np.log(10), np.log(60), (sets, cell.k)))
    n_a, n_b = (np.clip(np.round(size * rng.uniform(0.8, 1.25, (sets, cell.k))), 10, 60) for _ in "ab")
    df, unit, people = n_a + n_b - 2, 1 / n_a + 1 / n_b, n_a + n_b
    theta = rng.normal(cell.mu, cell.tau, (sets, cell.k))
    t = rng.normal(theta / np.sqrt(unit), 1) / np.sqrt(rng.chisquare(df) / df)
    correction = 1 - 3 / (4 * df - 1)
    g, least = correction * t * np.sqrt(unit), correction * stdtrit(df, 1 - ALPHA / 2) * np.sqrt(unit)
    silent = np.abs(g) < least
    odds = SELECTIVE_ODDS if cell.mechanism == "selective" else 1
    order = np.argsort(rng.gumbel(size=g.shape) + np.log(odds) * silent, axis=1)  # the last ones hide their number
    low = np.where(silent, -least, np.where(g > 0, least, -np.inf))
    high = np.where(silent, least, np.where(g > 0, np.inf, -least))
    variance, at_least = unit + g**2 / (2 * people), unit + least**2 / (2 * people)
    seen = cell.k - cell.hidden
    g, variance, low, high, at_least = (np.take_along_axis(a, order, 1) for a in (g, variance, low, high, at_least))
    return Trials(g[:, :seen], variance[:, :seen], low[:, seen:], high[:, seen:], at_least[:, seen:])


def score(mu: float, estimate: Array, low: Array, high: Array) -> Score:
    """Coverage, median width and bias of one method."""
    return Score(
        float(((low <= mu) & (mu <= high)).mean()), float(np.median(high - low)), float(estimate.mean() - mu)
    )


def likelihood(trials: Trials, mu: float) -> Score:
    """Maximum likelihood with our interval."""
    estimate, _, (low, high) = censored.likelihood_intervals(trials)
    return score(mu, estimate, low, high)


def bayes(trials: Trials, mu: float, block: int = 200) -> Score:
    """Posterior median and interval with the priors of ``posterior``, on a coarser grid for speed."""
    sets = trials.y.shape[0]
    quantiles = [
        _quantiles(*censored.posterior_grid(Trials(*(a[i : i + block] for a in trials.arrays())), 0.5, 0.3, (81, 21)))
        for i in range(0, sets, block)
    ]
    low, median, high = np.concatenate(quantiles).T
    return score(mu, median, low, high)


def _quantiles(mu: Array, _tau: Array, weight: Array) -> Array:
    density = weight.sum(axis=-1)
    below = np.cumsum(density, axis=-1) - density / 2
    return np.array([np.interp([0.025, 0.5, 0.975], row, grid) for row, grid in zip(below, mu, strict=True)])


def numbers_only(trials: Trials, mu: float) -> Score:
    """What is usually done: leave out trials without a number; REML, Knapp-Hartung interval."""
    y, v = trials.y, trials.y_variance
    tau_squared = reml(y, v)
    w = 1 / (v + tau_squared[:, None])
    estimate = (w * y).sum(1) / w.sum(1)
    df = y.shape[1] - 1
    error = np.sqrt((w * (y - estimate[:, None]) ** 2).sum(1) / df / w.sum(1))
    half = stdtrit(df, 0.975) * error
    return score(mu, estimate, estimate - half, estimate + half)


def reml(y: Array, v: Array) -> Array:
    """tau^2 of greatest restricted likelihood in each row, by looking at 16 values at once and closing in."""
    left, right = np.zeros((len(y), 1)), 2 * np.ptp(y, axis=1)[:, None]
    share = np.linspace(0, 1, 16) ** 3
    for _ in range(8):
        tau = left + (right - left) * share
        w = 1 / (v[:, None] + tau[..., None] ** 2)
        mean = (w * y[:, None]).sum(-1) / w.sum(-1)
        residual = (w * (y[:, None] - mean[..., None]) ** 2).sum(-1)
        height = 0.5 * (np.log(w).sum(-1) - np.log(w.sum(-1)) - residual)
        best = height.argmax(1)[:, None]
        left, right = (np.take_along_axis(tau, np.clip(best + d, 0, 15), 1) for d in (-1, 1))
        share = np.linspace(0, 1, 16)
    return np.take_along_axis(tau, best, 1)[:, 0] ** 2


METHODS = {"likelihood": likelihood, "Bayes": bayes, "numbers only": numbers_only}


def run(sets: int) -> dict[Cell, dict[str, Score]]:
    """Every method in every cell; each cell draws from its own stream of the seed."""
    found = {}
    for i, cell in enumerate(cells()):
        trials = draw(np.random.default_rng([SEED, i]), sets, cell)
        found[cell] = {name: method(trials, cell.mu) for name, method in METHODS.items()}
        print(f"{cell} {time.process_time():.0f} s", file=sys.stderr)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--compare", action="store_true")
    chosen = parser.parse_args()
    run(chosen.sets)
