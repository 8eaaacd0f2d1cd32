"""How much a pooled estimate hangs on one trial, on the order they came in, or on a kind of trial."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator, WeightedLeastSquares
from pymare.stats import q_gen
from scipy.special import chdtrc

from reprieve.evidence.pooling import (
    FloatArray,
    IntervalMethod,
    Method,
    Pooled,
    PoolingError,
    check_options,
    checked_trials,
    pool,
    two_sided_p,
    two_sided_quantile,
)

TRIALS_PER_MODERATOR = 10
CONFOUNDED = "Trials were not assigned to these values: a slope across trials is an association, not an effect."


def leave_one_out(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    method: Method = "REML",
    interval_method: IntervalMethod = "hartung-knapp",
    level: float = 0.95,
) -> tuple[Pooled, ...]:
    """The pool without each trial in turn, in the order of the trials.

    Raises
    ------
    PoolingError : with fewer than two trials, and as ``pool``

    Examples
    --------
    >>> [round(pooled.estimate, 2) for pooled in leave_one_out([0.2, 0.4, 0.9], [0.1, 0.1, 0.1])]
    [0.65, 0.55, 0.3]
    """
    y, v = checked_trials(estimates, variances)
    if len(y) < 2:
        raise PoolingError("one trial left out of one leaves none; give two or more, or report that trial as it is")
    kept = ~np.eye(len(y), dtype=bool)
    return tuple(pool(y[rest], v[rest], method=method, interval_method=interval_method, level=level) for rest in kept)


def cumulative(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    order: Sequence[int],
    method: Method = "REML",
    interval_method: IntervalMethod = "hartung-knapp",
    level: float = 0.95,
) -> tuple[Pooled, ...]:
    """The pool after each further trial: of the first, of the first two, and so on.

    Parameters
    ----------
    order : the position of each trial, every one once, for example ``np.argsort(years, kind="stable")``

    Raises
    ------
    PoolingError : when ``order`` does not name every trial once, and as ``pool``

    Examples
    --------
    >>> [pooled.k for pooled in cumulative([0.2, 0.4, 0.9], [0.1, 0.1, 0.1], order=[2, 0, 1])]
    [1, 2, 3]
    """
    y, v = checked_trials(estimates, variances)
    places = [int(place) for place in order]
    if sorted(places) != list(range(len(y))):
        raise PoolingError(
            f"order {places} must name each of the positions 0 to {len(y) - 1} once (np.argsort of the years does)"
        )
    return tuple(
        pool(y[first], v[first], method=method, interval_method=interval_method, level=level)
        for first in (places[: count + 1] for count in range(len(y)))
    )


@dataclass(frozen=True, slots=True)
class Subgroups:
    """Each group's pool, and whether the groups differ more than chance would have them.

    ``q_between``, ``q_df`` and ``p_value`` are None, 0 and None when there is one group only.
    """

    groups: dict[Hashable, Pooled]
    q_between: float | None
    q_df: int
    p_value: float | None
    notes: tuple[str, ...]


def subgroups(
    estimates: ArrayLike,
    variances: ArrayLike,
    groups: Sequence[Hashable],
    *,
    method: Method = "REML",
    interval_method: IntervalMethod = "hartung-knapp",
    level: float = 0.95,
) -> Subgroups:
    """Pool each group of trials on its own, with a tau squared of its own, and test whether the groups differ.

    Q between is Cochran's Q of the groups' estimates, weighted by their normal (not Hartung-Knapp) standard errors, on
    groups - 1 degrees of freedom: Hartung-Knapp's of two trials that happen to agree would outweigh all the others.

    Parameters
    ----------
    groups : k labels, one for each trial; the result keeps the order in which they first appear

    Raises
    ------
    PoolingError : when there is not one label for each trial, and as ``pool``

    Examples
    --------
    >>> found = subgroups([0.1, 0.2, 0.8, 0.9], [0.1] * 4, ["oral", "oral", "iv", "iv"])
    >>> {name: round(group.estimate, 2) for name, group in found.groups.items()}, round(found.q_between, 2)
    ({'oral': 0.15, 'iv': 0.85}, 4.9)

    References
    ----------
    Borenstein et al. 2009, Introduction to Meta-Analysis, chapter 19
    """
    y, v = checked_trials(estimates, variances)
    if len(groups) != len(y):
        raise PoolingError(f"{len(groups)} groups for {len(y)} trials; give one label for each trial")
    members = {name: [place for place, group in enumerate(groups) if group == name] for name in dict.fromkeys(groups)}
    pooled = {
        name: pool(y[at], v[at], method=method, interval_method=interval_method, level=level)
        for name, at in members.items()
    }
    alone = [str(name) for name, group in pooled.items() if group.k == 1]
    notes = ["Groups were not assigned to the trials: a difference between them is an association, not an effect."]
    if alone:
        notes.append(f"One trial only in: {', '.join(alone)}.")
    if len(pooled) == 1:
        return Subgroups(pooled, None, 0, None, ("There is one group only, so nothing to compare.",))
    normal = [pool(y[at], v[at], method=method, interval_method="normal") for at in members.values()]
    means, weights = np.array([group.estimate for group in normal]), np.array([group.se**-2 for group in normal])
    q = float(weights @ (means - weights @ means / weights.sum()) ** 2)
    return Subgroups(pooled, q, len(pooled) - 1, float(chdtrc(len(pooled) - 1, q)), tuple(notes))


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient of a meta-regression: the change in effect for one unit of the moderator."""

    name: str
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Regression:
    """Effects regressed on moderators; the intercept comes first.

    ``tau_squared`` is what variance between trials is left, ``r_squared`` the per cent of it that the moderators took
    away (None when there was none to take away, or with "common"), ``q_residual`` the test of what is left.
    """

    k: int
    method: Method
    interval_method: IntervalMethod
    level: float
    coefficients: tuple[Coefficient, ...]
    tau_squared: float | None
    r_squared: float | None
    q_residual: float
    q_df: int
    q_p: float
    notes: tuple[str, ...]


def meta_regression(
    estimates: ArrayLike,
    variances: ArrayLike,
    moderators: ArrayLike,
    names: Sequence[str],
    *,
    method: Method = "REML",
    interval_method: IntervalMethod = "hartung-knapp",
    level: float = 0.95,
) -> Regression:
    """Regress the effects on one or more moderators, with random effects, by PyMARE.

    Parameters
    ----------
    moderators : shape (k, p), or (k,) for one; an intercept is added
    names : p names, for the coefficients

    Raises
    ------
    PoolingError : for "PM", which is not fitted here; with fewer than p + 2 trials; for moderators that are not finite,
        do not vary or repeat each other

    Examples
    --------
    >>> found = meta_regression([0.1, 0.3, 0.5, 0.7], [0.1] * 4, [1, 2, 3, 4], ["weeks"])
    >>> [(c.name, round(c.estimate, 3)) for c in found.coefficients]
    [('intercept', -0.1), ('weeks', 0.2)]

    References
    ----------
    Knapp and Hartung 2003, Stat Med 22:2693; metafor's rma(mods=)
    """
    y, v = checked_trials(estimates, variances)
    check_options(method, interval_method, level)
    if method == "PM":
        raise PoolingError('"PM" has no meta-regression here; use "REML" or "DL"')
    design = _design(moderators, names, len(y))
    beta, cov, tau2, scatter = _fitted(y, v, design, method, interval_method)
    df = len(y) - design.shape[1] if scatter else None
    quantile = two_sided_quantile(level, df)
    errors = np.sqrt(np.diagonal(cov))
    q, q_df = float(q_gen(y[:, None], v[:, None], design, 0.0)[0]), len(y) - design.shape[1]
    before = pool(y, v, method=method, interval_method="normal").tau_squared
    return Regression(
        k=len(y),
        method=method,
        interval_method="hartung-knapp" if scatter else "normal",
        level=level,
        coefficients=tuple(
            Coefficient(name, b, se, b - quantile * se, b + quantile * se, two_sided_p(b / se, df))
            for name, b, se in zip(("intercept", *names), beta.tolist(), errors.tolist(), strict=True)
        ),
        tau_squared=None if method == "common" else tau2,
        r_squared=max(0.0, 100 * (before - tau2) / before) if before else None,
        q_residual=q,
        q_df=q_df,
        q_p=float(chdtrc(q_df, q)),
        notes=_regression_notes(len(y), len(names), interval_method == "hartung-knapp" and not scatter),
    )


def _fitted(
    y: FloatArray, v: FloatArray, design: FloatArray, method: Method, interval_method: IntervalMethod
) -> tuple[FloatArray, FloatArray, float, bool]:
    """Coefficients (p,), covariance (p, p), tau^2, and whether Hartung-Knapp found scatter to work from."""
    for correction in ("knapp-hartung", "wald") if interval_method == "hartung-knapp" else ("wald",):
        match method:
            case "common":
                fit = WeightedLeastSquares(small_sample_correction=correction)
            case "DL":
                fit = DerSimonianLaird(small_sample_correction=correction)
            case _:
                fit = VarianceBasedLikelihoodEstimator("REML", small_sample_correction=correction, xtol=1e-12, ftol=0.0)
        found = fit.fit(y=y[:, None], v=v[:, None], X=design).params_
        cov = found["inv_cov"][:, :, 0]
        if correction == "knapp-hartung" and cov[0, 0] > 0:
            break
    return found["fe_params"][:, 0], cov, float(np.ravel(found["tau2"])[0]), correction == "knapp-hartung"


def _design(moderators: ArrayLike, names: Sequence[str], k: int) -> FloatArray:
    """Shape (k, p + 1), a column of ones first."""
    values = np.asarray(moderators, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    if values.shape != (k, len(names)):
        raise PoolingError(
            f"moderators have shape {values.shape} for {k} trials and {len(names)} names; "
            "give a row for each trial and a column for each name"
        )
    if not np.isfinite(values).all():
        raise PoolingError("a moderator is missing in some trial (leave that trial out of the regression and say so)")
    if k < len(names) + 2:
        raise PoolingError(
            f"{k} trials for {len(names)} moderators; at least {len(names) + 2} are needed (pool them, or use fewer)"
        )
    design = np.column_stack((np.ones(k), values))
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise PoolingError(f"moderators {', '.join(names)} do not vary or repeat each other; leave one out")
    return design


def _regression_notes(k: int, moderators: int, no_scatter: bool) -> tuple[str, ...]:
    notes = [CONFOUNDED]
    if k < TRIALS_PER_MODERATOR * moderators:
        notes.append(
            f"{k} trials for {moderators} moderator{'s' if moderators > 1 else ''}: fewer than "
            f"{TRIALS_PER_MODERATOR} each, so take any slope as a question, not an answer."
        )
    if no_scatter:
        notes.append(
            "The line fits every trial, so Hartung-Knapp has no scatter to work from; the intervals are normal."
        )
    return tuple(notes)
