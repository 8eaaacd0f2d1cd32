"""Pooling: one estimate from several trials, with how far the trials disagree.

PyMARE fits DerSimonian-Laird and weighted least squares, and gives the Knapp-Hartung covariance, Cochran's Q and the
Q-profile interval. Paule-Mandel is ours because PyMARE has none; REML for a plain pool is ours because it is asked for
thousands of times (leave one out, cumulative) and PyMARE's search takes ten times as long. ``validation/README.md`` has
the measurements, and the agreement with R's metafor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

Method = Literal["common", "DL", "REML", "PM"]
IntervalMethod = Literal["normal", "hartung-knapp"]
METHODS: tuple[Method, ...] = ("common", "DL", "REML", "PM")
INTERVAL_METHODS: tuple[IntervalMethod, ...] = ("normal", "hartung-knapp")
FloatArray = NDArray[np.float64]

ONE_TRIAL = "One trial only: this is that trial's own interval; nothing is pooled and heterogeneity cannot be seen."
TWO_TRIALS = "Two trials: the Hartung-Knapp interval rests on one degree of freedom and is very wide."
FEW_TRIALS = "Fewer than five trials: how far their true effects vary is hardly known; see the interval of tau squared."
NARROWER = (
    "The Hartung-Knapp interval is built on a smaller standard error than the normal one, because the trials "
    "agree better than chance would have them; read the normal interval beside it."
)
NO_SCATTER = "The trials found the same, so Hartung-Knapp has no scatter to work from; the interval is the normal one."
EMPTY_PROFILE = "The trials agree so closely that even a tau squared of 0 is too much for the Q-profile interval."
COMMON_DOUBTED = (
    "The trials differ more than chance would have them (Q test, P below 0.1), so one common effect is doubtful."
)
FEW, DOUBTED = 5, 0.1
NO_SCALE = 1e-12  # of the Hartung-Knapp factor, whose expectation is 1: below this the scatter is rounding


class PoolingError(ValueError):
    """Trials that cannot be pooled as asked; the message says what can still be said."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """Several trials in one estimate, on the scale of the estimates (log for ratios), with its heterogeneity.

    Percentages are from 0 to 100. What is not defined is None: heterogeneity with one trial or (tau squared, prediction
    interval) with a common effect, and the interval of tau squared when even zero is too much for it.
    ``interval_method`` is the one used, "normal" for a single trial whatever was asked; ``notes`` are sentences to be
    read with the numbers.
    """

    k: int
    method: Method
    interval_method: IntervalMethod
    level: float
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    tau_squared: float | None
    tau_squared_low: float | None
    tau_squared_high: float | None
    q: float | None
    q_df: int
    q_p: float | None
    i_squared: float | None
    h_squared: float | None
    prediction_low: float | None
    prediction_high: float | None
    weights: tuple[float, ...]
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.ci_low <= self.estimate <= self.ci_high:
            raise PoolingError(
                f"estimate {self.estimate:g} is outside its interval {self.ci_low:g} to {self.ci_high:g} (use pool)"
            )


def pool(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    method: Method = "REML",
    interval_method: IntervalMethod = "hartung-knapp",
    level: float = 0.95,
) -> Pooled:
    """Pool the effects of k independent trials by inverse variance.

    The trials' true effects are taken to vary as N(mu, tau^2), or to be one and the same with "common"; the estimate of
    mu is sum(w y) / sum(w), w = 1 / (v + tau^2). The Hartung-Knapp interval rescales its standard error by how far the
    trials scatter and reads it against t with k - 1 degrees of freedom. I^2 = tau^2 / (tau^2 + s^2) and H^2 = (tau^2 +
    s^2) / s^2 with the typical variance s^2 of Higgins and Thompson; with "common" both come from Q. The prediction
    interval, for the true effect of a further trial, is estimate -/+ quantile sqrt(se^2 + tau^2) with the quantile the
    confidence interval used.

    Parameters
    ----------
    estimates : shape (k,), each positive when it favours arm a; ratios as logarithms
    variances : shape (k,), their sampling variances, above zero
    method : of estimating tau^2: "DL" DerSimonian-Laird, "REML", "PM" Paule-Mandel; "common" has none
    interval_method : "hartung-knapp" or "normal"; one trial has the normal interval either way
    level : of every interval, between 0 and 1

    Raises
    ------
    PoolingError : with no trial, unequal lengths, a variance that is not above zero, or an unknown method

    Examples
    --------
    Two trials that differ no more than chance would have them weigh in by their precision.

    >>> pooled = pool([0.2, 0.3], [0.04, 0.01], method="DL", interval_method="normal")
    >>> round(pooled.estimate, 3), [round(weight) for weight in pooled.weights]
    (0.28, [20, 80])

    References
    ----------
    Higgins and Thompson 2002, Stat Med 21:1539; Hartung and Knapp 2001, Stat Med 20:3875; Viechtbauer 2007, Stat Med
    26:37 (Q-profile); metafor's rma
    """
    y, v = checked_trials(estimates, variances)
    check_options(method, interval_method, level)
    if len(y) == 1:
        return _one_trial(float(y[0]), float(v[0]), method, level)
    k, common = len(y), method == "common"
    tau2 = 0.0 if common else _tau_squared(y, v, method)
    mean = _weighted_mean(y, v, tau2, interval_method)
    quantile = two_sided_quantile(level, mean.df)
    q, q_p, i_squared, h_squared = _heterogeneity(y, v, None if common else tau2)
    tau2_low, tau2_high = (None, None) if common else _tau_squared_interval(y, v, level)
    predicted = quantile * math.sqrt(mean.se**2 + tau2)
    return Pooled(
        k=k,
        method=method,
        interval_method="normal" if mean.df is None else "hartung-knapp",
        level=level,
        estimate=mean.estimate,
        se=mean.se,
        ci_low=mean.estimate - quantile * mean.se,
        ci_high=mean.estimate + quantile * mean.se,
        p_value=two_sided_p(mean.estimate / mean.se, mean.df),
        tau_squared=None if common else tau2,
        tau_squared_low=tau2_low,
        tau_squared_high=tau2_high,
        q=q,
        q_df=k - 1,
        q_p=q_p,
        i_squared=i_squared,
        h_squared=h_squared,
        prediction_low=None if common else mean.estimate - predicted,
        prediction_high=None if common else mean.estimate + predicted,
        weights=tuple((100 * mean.weights).tolist()),
        notes=_notes(k, common, interval_method, mean, q_p, tau2_high),
    )


def tau_squared(estimates: ArrayLike, variances: ArrayLike, method: Method) -> float:
    """Variance of the true effects between two trials or more, by "DL", "REML" or "PM"; never below zero.

    Raises
    ------
    PoolingError : with fewer than two trials, or for "common", which has none

    Examples
    --------
    With equal variances all three are the variance of the estimates less that of sampling, here 0.5 - 0.1.

    >>> [round(tau_squared([0.0, 1.0], [0.1, 0.1], method), 6) for method in ("DL", "REML", "PM")]
    [0.4, 0.4, 0.4]
    """
    y, v = checked_trials(estimates, variances)
    check_options(method, "normal", 0.95)
    if method == "common":
        raise PoolingError('"common" takes tau squared to be zero; ask for "DL", "REML" or "PM"')
    if len(y) < 2:
        raise PoolingError("one trial cannot show how trials vary; give two or more, or report that trial as it is")
    return _tau_squared(y, v, method)


# --- the variance between trials --------------------------------------------------------------------------------------


def _tau_squared(y: FloatArray, v: FloatArray, method: Method) -> float:
    if method == "DL":
        from pymare.estimators import DerSimonianLaird  # loading PyMARE takes two seconds: paid by who pools

        fit = DerSimonianLaird(small_sample_correction="wald").fit(y[:, None], v[:, None], np.ones((len(y), 1)))
        return float(fit.params_["tau2"][0])
    return _paule_mandel(y, v) if method == "PM" else _reml(y, v)


def _paule_mandel(y: FloatArray, v: FloatArray) -> float:
    """The tau^2 at which Cochran's Q with weights 1 / (v + tau^2) is its expectation, k - 1 (Paule and Mandel 1982).

    Q falls as tau^2 rises, and is below k - 1 beyond half the squared range of the estimates, which closes the bracket.
    """

    def excess(tau2: float) -> float:
        weights = 1 / (v + tau2)
        mean = (weights @ y) / weights.sum()
        return float(weights @ (y - mean) ** 2) - (len(y) - 1)

    return 0.0 if excess(0.0) <= 0 else float(brentq(excess, 0.0, np.ptp(y) ** 2, xtol=1e-15))


def _reml(y: FloatArray, v: FloatArray) -> float:
    """The tau^2 of highest restricted likelihood, over all of [0, half the squared range], beyond which it only falls.

    With p = w / sum(w), d l / d tau^2 is half of sum(w^2 (y - mu)^2) - sum(w) (1 - sum(p^2)); the first term is at most
    (range^2 / (2 tau^2)) times the second, whence the bound. A grid finds the highest point, so that a likelihood with
    two peaks is no trap, and the root of the slope beside it gives the digits.
    """
    top = float(np.ptp(y)) ** 2
    if top == 0:
        return 0.0
    grid = top * _GRID
    weights = 1 / (v[:, None] + grid)
    total = weights.sum(axis=0)
    scatter = (weights * (y[:, None] - (y @ weights) / total) ** 2).sum(axis=0)
    best = int(np.argmax(np.log(weights).sum(axis=0) - np.log(total) - scatter))

    def slope(tau2: float) -> float:
        w = 1 / (v + tau2)
        whole, squared = w.sum(), w * w
        return float(squared @ (y - (w @ y) / whole) ** 2 - whole + squared.sum() / whole)

    left, right = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    if slope(left) <= 0 or slope(right) >= 0:
        return float(grid[best])
    return float(brentq(slope, left, right, xtol=1e-15))


_GRID: FloatArray = np.concatenate(([0.0], np.geomspace(1e-7, 1.0, 48)))  # of the squared range


def _tau_squared_interval(y: FloatArray, v: FloatArray, level: float) -> tuple[float | None, float | None]:
    """Q-profile interval; (None, None) when it is empty, which PyMARE gives as (0, 0)."""
    from pymare.stats import q_profile

    found = q_profile(y, v, np.ones((len(y), 1)), alpha=1 - level)
    low, high = float(found["ci_l"]), float(found["ci_u"])
    return (low, high) if high > 0 else (None, None)


# --- the mean ---------------------------------------------------------------------------------------------------------


class _Mean(NamedTuple):
    estimate: float
    se: float
    df: int | None  # None: a normal quantile
    weights: FloatArray  # shape (k,), summing to 1
    scale: float  # the Hartung-Knapp factor, 1 where it is not used


def _weighted_mean(y: FloatArray, v: FloatArray, tau2: float, interval_method: IntervalMethod) -> _Mean:
    from pymare.stats import knapp_hartung_cov_and_dof, weighted_least_squares

    columns = y[:, None], v[:, None], np.ones((len(y), 1))
    beta, cov = weighted_least_squares(*columns, tau2=tau2, return_cov=True)
    estimate, variance = float(beta[0, 0]), float(cov[0, 0, 0])
    weights = variance / (v + tau2)
    if interval_method == "hartung-knapp":
        adjusted, _ = knapp_hartung_cov_and_dof(*columns, beta, cov, tau2=tau2)
        scale = float(adjusted[0, 0, 0]) / variance
        if scale > NO_SCALE:
            return _Mean(estimate, math.sqrt(variance * scale), len(y) - 1, weights, scale)
        return _Mean(estimate, math.sqrt(variance), None, weights, 0.0)
    return _Mean(estimate, math.sqrt(variance), None, weights, 1.0)


def _heterogeneity(y: FloatArray, v: FloatArray, tau2: float | None) -> tuple[float, float, float, float]:
    """Cochran's Q, its p value, I^2 in per cent and H^2; from Q itself when there is no tau^2."""
    weights, df = 1 / v, len(y) - 1
    total = weights.sum()
    q = float(weights @ (y - (weights @ y) / total) ** 2)
    if tau2 is None:
        return q, float(chdtrc(df, q)), max(0.0, 100 * (q - df) / q) if q > 0 else 0.0, q / df
    typical = df / float(total - (weights @ weights) / total)
    return q, float(chdtrc(df, q)), 100 * tau2 / (tau2 + typical), 1 + tau2 / typical


def _one_trial(estimate: float, variance: float, method: Method, level: float) -> Pooled:
    se = math.sqrt(variance)
    reach = two_sided_quantile(level, None) * se
    nothing = dict.fromkeys(
        ("tau_squared", "tau_squared_low", "tau_squared_high", "q", "q_p", "i_squared", "h_squared"), None
    )
    return Pooled(
        k=1,
        method=method,
        interval_method="normal",
        level=level,
        estimate=estimate,
        se=se,
        ci_low=estimate - reach,
        ci_high=estimate + reach,
        p_value=two_sided_p(estimate / se, None),
        q_df=0,
        prediction_low=None,
        prediction_high=None,
        weights=(100.0,),
        notes=(ONE_TRIAL,),
        **nothing,
    )


def _notes(
    k: int, common: bool, interval_method: IntervalMethod, mean: _Mean, q_p: float, tau2_high: float | None
) -> tuple[str, ...]:
    said = (
        (k == 2 and mean.df is not None, TWO_TRIALS),
        (k < FEW and not common, FEW_TRIALS),
        (mean.df is not None and mean.scale < 1, NARROWER),
        (interval_method == "hartung-knapp" and mean.df is None, NO_SCATTER),
        (not common and tau2_high is None, EMPTY_PROFILE),
        (common and q_p < DOUBTED, COMMON_DOUBTED),
    )
    return tuple(note for holds, note in said if holds)


def two_sided_quantile(level: float, df: int | None) -> float:
    """The two-sided quantile: normal, or of t with ``df`` degrees of freedom."""
    upper = 0.5 + level / 2
    return float(ndtri(upper) if df is None else stdtrit(df, upper))


def two_sided_p(statistic: float, df: int | None) -> float:
    return float(2 * (ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic))))


# --- what may go in ---------------------------------------------------------------------------------------------------


def checked_trials(estimates: ArrayLike, variances: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Estimates and variances as arrays, shape (k,) each, with k at least 1."""
    y, v = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    if y.ndim != 1 or y.shape != v.shape:
        raise PoolingError(
            f"estimates have shape {y.shape} and variances {v.shape}; both must be one row of the same length "
            "(one estimate and one variance for each trial)"
        )
    if not len(y):
        raise PoolingError("no trial to pool; say that there is none, and name the outcome that none has reported")
    if not np.isfinite(y).all():
        raise PoolingError(
            f"estimate {y[~np.isfinite(y)][0]} is not a finite number (leave that trial out and say why)"
        )
    if not (np.isfinite(v).all() and (v > 0).all()):
        wrong = v[~(np.isfinite(v) & (v > 0))][0]
        raise PoolingError(f"variance {wrong:g} must be finite and above zero (give the square of the standard error)")
    return y, v


def check_options(method: str, interval_method: str, level: float) -> None:
    if method not in METHODS:
        raise PoolingError(f"method {method!r} is not known; use one of {', '.join(METHODS)}")
    if interval_method not in INTERVAL_METHODS:
        raise PoolingError(f"interval method {interval_method!r} is not known; use {' or '.join(INTERVAL_METHODS)}")
    if not 0 < level < 1:
        raise PoolingError(f"level {level:g} must be above 0 and below 1 (0.95 for a 95% interval)")
