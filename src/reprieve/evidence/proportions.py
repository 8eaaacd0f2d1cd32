"""Proportions of people: one trial's exactly, several trials' pooled with their zeros as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv, expit, logit, ndtri

from reprieve.evidence.pooling import FloatArray, PoolingError

_NODES, _NODE_WEIGHTS = np.polynomial.hermite.hermgauss(101)
ONE_TRIAL = "One trial only: this is that trial's exact interval; nothing is pooled and heterogeneity cannot be seen."
TYPICAL = "This is the proportion in a typical trial; the interval is of that, not of what a further trial would find."
FEW_TRIALS = (
    "Fewer than five trials: how far their true proportions vary is hardly known, and the interval is too narrow."
)
FEW, FARTHEST = 5, 5.0  # trials; tau in logits: past this, odds a standard deviation apart differ 150 times


@dataclass(frozen=True, slots=True)
class PooledProportion:
    """A proportion, from 0 to 1, of ``n`` people in ``k`` trials; ``tau_squared`` is on the logit scale."""

    proportion: float
    ci_low: float
    ci_high: float
    tau_squared: float | None
    k: int
    events: int
    n: int
    level: float
    notes: tuple[str, ...]


def exact_interval(events: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of a proportion.

    Raises
    ------
    PoolingError : when events are not from 0 to n, or n is not above zero

    Examples
    --------
    None of 20 people: the proportion can still be as high as one in six.

    >>> low, high = exact_interval(0, 20)
    >>> low, round(high, 4)
    (0.0, 0.1684)

    References
    ----------
    Clopper and Pearson 1934, Biometrika 26:404
    """
    _counts([events], [n], level)
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, tail))
    high = 1.0 if events == n else float(betaincinv(events + 1, n - events, 1 - tail))
    return low, high


def pool_proportions(events: Sequence[int], ns: Sequence[int], level: float = 0.95) -> PooledProportion:
    """Pool proportions with random effects on the logit scale and the exact binomial likelihood.

    Each trial's logit is N(mu, tau^2) and its events binomial, so that a zero is a zero and needs no correction. The
    likelihood is integrated by adaptive Gauss-Hermite quadrature (101 nodes) and maximised; the interval of mu is
    Wald's, from the observed information. One trial has the exact interval. Where no trial has an event, or everyone
    has one in all, no variance can be had and the exact interval of the summed counts is given.

    Parameters
    ----------
    events, ns : k counts of people with the event, and of people

    Raises
    ------
    PoolingError : with no trial, unequal lengths or impossible counts; when they are too far apart, above all
        when some trials have none and the others all, which leaves the variance between them without an estimate

    Examples
    --------
    >>> pooled = pool_proportions([0, 2, 5, 1], [20, 25, 40, 18])
    >>> round(pooled.proportion, 3), pooled.events, pooled.n
    (0.078, 8, 103)

    References
    ----------
    Stijnen et al. 2010, Stat Med 29:3046; metafor's rma.glmm(measure="PLO")
    """
    x, n = _counts(events, ns, level)
    total, people = int(x.sum()), int(n.sum())
    if len(x) == 1 or total in (0, people):
        low, high = exact_interval(total, people, level)
        note = ONE_TRIAL if len(x) == 1 else _all_alike(total, len(x))
        return PooledProportion(total / people, low, high, None, len(x), total, people, level, (note,))
    mu, se, tau = _fitted(x, n)
    reach = float(ndtri(0.5 + level / 2)) * se
    low, middle, high = (float(expit(value)) for value in (mu - reach, mu, mu + reach))
    said = (
        (True, TYPICAL),
        (len(x) < FEW, FEW_TRIALS),
        (not 0.5 < middle / (total / people) < 2, _summed(total, people)),
    )
    notes = tuple(note for holds, note in said if holds)
    return PooledProportion(middle, low, high, tau**2, len(x), total, people, level, notes)


def _fitted(x: FloatArray, n: FloatArray) -> tuple[float, float, float]:
    """Maximum likelihood mu, its standard error, and tau. The likelihood is even in tau, so no bound is needed."""
    alike = float(logit(x.sum() / n.sum()))
    start = np.array([alike, 0.5])
    found = minimize(_negative_log_likelihood, start, args=(x, n), jac=True, method="BFGS", options={"gtol": 1e-9})
    mu, tau = float(found.x[0]), abs(float(found.x[1]))
    if _negative_log_likelihood(np.array([alike, 0.0]), x, n)[0] <= found.fun + 1e-9:
        return alike, 1 / math.sqrt(n.sum() * expit(alike) * expit(-alike)), 0.0
    information = _information(np.array([mu, tau]), x, n)
    if tau > FARTHEST or not np.linalg.det(information) > 0 or not information[1, 1] > 0:
        raise PoolingError(
            f"the proportions of {len(x)} trials, from {(x / n).min():.0%} to {(x / n).max():.0%}, are too far apart "
            "to pool; give each trial's exact_interval side by side"
        )
    return mu, math.sqrt(np.linalg.inv(information)[0, 0]), tau


def _information(at: FloatArray, x: FloatArray, n: FloatArray, step: float = 1e-4) -> FloatArray:
    """Shape (2, 2): second derivatives by central differences of the gradient."""
    moves = step * np.eye(2)
    rows = [
        (_negative_log_likelihood(at + move, x, n)[1] - _negative_log_likelihood(at - move, x, n)[1]) / (2 * step)
        for move in moves
    ]
    return np.array(rows)


def _negative_log_likelihood(mu_tau: FloatArray, x: FloatArray, n: FloatArray) -> tuple[float, FloatArray]:
    """Its value and gradient at (mu, tau), without the binomial coefficients.

    Each trial's integral over u ~ N(0, 1), logit = mu + tau u, is taken on nodes centred on the integrand's peak and
    spread by its curvature, without which a large trial falls between the nodes.
    """
    mu, tau = mu_tau
    peak, spread = _peak(mu, tau, x, n)
    u = peak[:, None] + math.sqrt(2) * spread[:, None] * _NODES
    eta = mu + tau * u
    log_terms = x[:, None] * eta - n[:, None] * np.logaddexp(0, eta) - u**2 / 2 + _NODES**2 + np.log(_NODE_WEIGHTS)
    highest = log_terms.max(axis=1, keepdims=True)
    terms = np.exp(log_terms - highest)
    mass = terms.sum(axis=1)
    share = terms / mass[:, None]
    surprise = x[:, None] - n[:, None] * expit(eta)
    value = -float((np.log(mass) + highest[:, 0] + np.log(spread)).sum()) + 0.5 * len(x) * math.log(math.pi)
    return value, -np.array([(share * surprise).sum(), (share * surprise * u).sum()])


def _peak(mu: float, tau: float, x: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where each trial's integrand is highest, and 1 / sqrt of its curvature there; shape (k,) each."""
    u = np.zeros(len(x))
    for _ in range(100):
        p = expit(mu + tau * u)
        curvature = 1 + tau**2 * n * p * (1 - p)
        move = np.clip((tau * (x - n * p) - u) / curvature, -1, 1)
        u = u + move
        if np.abs(move).max() < 1e-12:
            break
    return u, 1 / np.sqrt(curvature)


def _all_alike(total: int, k: int) -> str:
    what = "No event in any" if total == 0 else "Everyone had the event in all"
    end = "upper" if total == 0 else "lower"
    return (
        f"{what} of the {k} trials: nothing can be modelled, so this is the exact {end} limit of the counts added up, "
        "which takes the trials to be alike."
    )


def _summed(total: int, people: int) -> str:
    return (
        f"The counts added up are {total} of {people} ({100 * total / people:.2g}%), far from the typical trial, "
        "because the trials differ much; give both."
    )


def _counts(events: Sequence[int], ns: Sequence[int], level: float) -> tuple[FloatArray, FloatArray]:
    x, n = np.asarray(events, dtype=float), np.asarray(ns, dtype=float)
    if x.ndim != 1 or x.shape != n.shape:
        raise PoolingError(f"{x.size} counts of events and {n.size} of people; give both for each trial")
    if not len(x):
        raise PoolingError("no trial to pool; say that there is none, and name the event that none has counted")
    for count, people in zip(x, n, strict=True):
        if not (people >= 1 and 0 <= count <= people and count == round(count) and people == round(people)):
            raise PoolingError(
                f"{count:g} of {people:g} is no count of people; events must be whole, from 0 to n (count people, not "
                "events)"
            )
    if not 0 < level < 1:
        raise PoolingError(f"level {level:g} must be above 0 and below 1 (0.95 for a 95% interval)")
    return x, n
