"""Random-effects pooling of trials with numbers together with trials of which only the direction is known.

A trial that reports "not significant" still says something: its unseen effect lies between the two values that
would have been significant. A trial that reports "significantly in favour of a" says that its effect lies above
one of them. Both enter the likelihood as the probability of that interval, beside the densities of the trials
with numbers. Effects are standardised mean differences (Hedges' g); positive favours arm a.

    theta_i ~ N(mu, tau^2)    y_i | theta_i ~ N(theta_i, v_i)    s_i^2 = v_i + tau^2
    a number contributes      phi((y_i - mu) / s_i) / s_i
    a direction contributes   Phi((high_i - mu) / s_i) - Phi((low_i - mu) / s_i)

The page docs/explanation/directions.md argues every choice; docs/explanation/coverage.md shows how well they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, log_ndtr, ndtr, ndtri, stdtrit

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

RESULTS = ("favours_a", "favours_b", "not_significant")
ALTOGETHER_UNLIKELY = 20.0  # natural-log units below the highest point of a posterior; e^-20 is 2 in 10^9
LEAST_SPREAD = -0.95  # numbers may lie as close together as if their variances were a twentieth
LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)


class CensoredError(ValueError):
    """A trial, a prior or a level that cannot be used; says which value, the rule and the way out."""


@dataclass(frozen=True, slots=True)
class Direction:
    """What a trial says that reports only whether, and for whom, its result was significant.

    The unseen g lies between ``low`` and ``high``, one of which may be infinite. ``variance`` is its sampling
    variance, ``how`` the sentence that says where the interval came from.

    >>> trial = Direction.parallel("not_significant", n_a=20.5, n_b=20.5)
    >>> round(trial.low, 3), round(trial.high, 3)
    (-0.62, 0.62)
    """

    low: float
    high: float
    variance: float
    how: str

    def __post_init__(self) -> None:
        if not self.low < self.high or np.isinf([self.low, self.high]).all():
            raise CensoredError(
                f"interval from {self.low:g} to {self.high:g}; the low end must lie below the high end and one of "
                "them must be finite (leave out a trial that says nothing; give a trial with a number as an estimate)"
            )
        if not 0 < self.variance < np.inf:
            raise CensoredError(
                f"variance {self.variance:g}; a sampling variance must be above zero and finite "
                "(use Direction.parallel or Direction.crossover, which work it out from the numbers of people)"
            )

    @classmethod
    def parallel(cls, result: str, n_a: float, n_b: float, alpha: float = 0.05) -> Direction:
        """Two arms of ``n_a`` and ``n_b`` people, compared by a two-sided t test at ``alpha``.

        The least significant g is J t sqrt(1/n_a + 1/n_b), t on n_a + n_b - 2 degrees of freedom. Sizes need not
        be whole: half of 41 is 20.5.

        Raises
        ------
        CensoredError : for an unknown result, arms too small for a t test, or alpha outside 0 to 1
        """
        _require_size(n_a, 1, "an arm must hold at least 1 person")
        _require_size(n_b, 1, "an arm must hold at least 1 person")
        _require_size(n_a + n_b, 4, "the two arms together must hold at least 4 people")
        design = f"{n_a:g} and {n_b:g} people in parallel arms"
        return _direction(result, n_a + n_b - 2, 1 / n_a + 1 / n_b, n_a + n_b, alpha, design)

    @classmethod
    def crossover(cls, result: str, n: float, correlation: float, alpha: float = 0.05) -> Direction:
        """``n`` people who took both treatments, compared by a paired two-sided t test at ``alpha``.

        ``correlation`` is that between a person's two outcomes. The least significant g, in units of the standard
        deviation between people, is J t sqrt(2 (1 - correlation) / n), t on n - 1 degrees of freedom.

        Raises
        ------
        CensoredError : for an unknown result, fewer than 3 people, a correlation not between -1 and 1, or alpha
            outside 0 to 1
        """
        _require_size(n, 3, "a crossover trial must hold at least 3 people")
        if not -1 < correlation < 1:
            raise CensoredError(
                f"correlation {correlation:g}; it must lie between -1 and 1, ends excluded "
                "(0.5 is a common guess when a report is silent; try 0.3 and 0.7 as well)"
            )
        design = f"{n:g} people in a crossover, correlation {correlation:g}"
        return _direction(result, n - 1, 2 * (1 - correlation) / n, n, alpha, design)


def _require_size(people: float, least: float, rule: str) -> None:
    if not least <= people < np.inf:
        raise CensoredError(f"{people:g} people; {rule} (leave the trial out if its size is unknown)")


def _direction(result: str, df: float, unit: float, people: float, alpha: float, design: str) -> Direction:
    """The interval for g = J t sqrt(unit); the variance is that of a g at the boundary of significance."""
    if result not in RESULTS:
        raise CensoredError(
            f"result {result!r}; it must be one of {', '.join(RESULTS)} (a trial that reports a "
            "number belongs among the estimates)"
        )
    if not 0 < alpha < 1:
        raise CensoredError(f"alpha {alpha:g}; it must lie between 0 and 1 (0.05 unless the trial says otherwise)")
    correction = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)  # Hedges' J, exactly
    least = float(correction * stdtrit(df, 1 - alpha / 2) * np.sqrt(unit))
    low, high, words = {
        "favours_a": (least, np.inf, f"above {least:.2f}"),
        "favours_b": (-np.inf, -least, f"below {-least:.2f}"),
        "not_significant": (-least, least, f"between {-least:.2f} and {least:.2f}"),
    }[result]
    says = {"favours_a": "significant in favour of a", "favours_b": "significant in favour of b"}.get(
        result, "not significant"
    )
    how = f"{says} at {alpha:g} with {design}: g lies {words}"
    return Direction(low, high, unit + least**2 / (2 * people), how)


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials as arrays: k numbers and d directions along the last axis, any number of data sets before it.

    ``fit`` and ``posterior`` hold one set; the simulation in validation/coverage.py holds thousands and so runs
    the very code that it judges.
    """

    y: Array  # shape (..., k)
    y_variance: Array
    low: Array  # shape (..., d)
    high: Array
    direction_variance: Array

    @classmethod
    def of(cls, estimates: ArrayLike, variances: ArrayLike, directions: Sequence[Direction]) -> Trials:
        """One data set, checked."""
        y, v = (np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (estimates, variances))
        if y.ndim != 1 or y.shape != v.shape:
            raise CensoredError(
                f"{y.size} estimates and {v.size} variances; each estimate needs its variance "
                "(two flat lists in the same order)"
            )
        for value, variance in zip(y, v, strict=True):
            if not (np.isfinite(value) and 0 < variance < np.inf):
                raise CensoredError(
                    f"estimate {value:g} with variance {variance:g}; an estimate must be finite and its variance "
                    "above zero and finite (give a trial without a number as a Direction)"
                )
        if y.size + len(directions) == 0:
            raise CensoredError("no trials; at least one estimate or direction is needed (there is nothing to pool)")
        low, high, w = np.array([(d.low, d.high, d.variance) for d in directions]).reshape(-1, 3).T
        return cls(y, v, low, high, w)

    @property
    def count(self) -> int:
        """Trials in a set, with a number or without."""
        return int(self.y.shape[-1] + self.low.shape[-1])

    def expanded(self) -> Trials:
        """The same with an axis before the trials, so that each set can meet several values of mu or tau."""
        return Trials(*(a[..., None, :] for a in self.arrays()))

    def arrays(self) -> tuple[Array, Array, Array, Array, Array]:
        """The five arrays in the order of the fields."""
        return self.y, self.y_variance, self.low, self.high, self.direction_variance

    def reach(self) -> tuple[Array, Array, Array]:
        """Lowest and highest finite value named by any trial, and the largest standard error; each shape (...)."""
        low = np.where(np.isinf(self.low), self.high, self.low)
        high = np.where(np.isinf(self.high), self.low, self.high)
        errors = np.sqrt(np.concatenate([self.y_variance, self.direction_variance], axis=-1))
        return (
            np.concatenate([self.y, low], axis=-1).min(axis=-1),
            np.concatenate([self.y, high], axis=-1).max(axis=-1),
            errors.max(axis=-1),
        )


@dataclass(frozen=True, slots=True)
class Residuals:
    """Standardised residuals z = (y - mu) / s, seen or, for a direction, expected given its interval."""

    log_likelihood: Array  # shape (..., trials)
    mean: Array  # E[z]; z itself where y was seen
    square: Array  # E[z^2]
    deviation: Array  # s

    def score(self) -> Array:
        """First derivative of the log-likelihood in mu."""
        return np.asarray((self.mean / self.deviation).sum(axis=-1))

    def information(self) -> Array:
        """Minus its second derivative: 1 / s^2 for a number, less by the variance of the unseen z for a direction."""
        unseen = np.clip(self.square - self.mean**2, 0, 1)
        return np.asarray(((1 - unseen) / self.deviation**2).sum(axis=-1))

    def total(self) -> Array:
        """The log-likelihood."""
        return np.asarray(self.log_likelihood.sum(axis=-1))


def _log_between(a: Array, b: Array) -> Array:
    """log(Phi(b) - Phi(a)) for a < b, to full precision however far out in either tail."""
    mirrored = a + b > 0
    a, b = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
    log_b = log_ndtr(b)
    return np.asarray(log_b + np.log1p(-np.exp(log_ndtr(a) - log_b)))


def _times_density(z: Array, log_p: Array) -> tuple[Array, Array]:
    """phi(z) / P and z phi(z) / P, both zero at an infinite z."""
    ratio = np.exp(-0.5 * z**2 - LOG_SQRT_2PI - log_p)
    return ratio, np.where(np.isinf(z), 0, z) * ratio


def _residuals(trials: Trials, mu: Array, tau: Array) -> Residuals:
    """Residuals of every trial at one mu and tau for each set; both shape (...)."""
    mu, tau_squared = mu[..., None], tau[..., None] ** 2
    s = np.sqrt(trials.y_variance + tau_squared)
    r = np.sqrt(trials.direction_variance + tau_squared)
    z = (trials.y - mu) / s
    a, b = (trials.low - mu) / r, (trials.high - mu) / r
    log_p = _log_between(a, b)
    at_a, a_at_a = _times_density(a, log_p)
    at_b, b_at_b = _times_density(b, log_p)
    return Residuals(
        np.concatenate([-0.5 * z**2 - np.log(s) - LOG_SQRT_2PI, log_p], axis=-1),
        np.concatenate([z, at_a - at_b], axis=-1),
        np.concatenate([z**2, 1 + a_at_a - b_at_b], axis=-1),
        np.concatenate([s, r], axis=-1),
    )


def _log_likelihood(trials: Trials, mu: Array, tau: Array) -> Array:
    """Log-likelihood of each set at one mu and tau, shape (...); the same as the residuals' total, but quicker."""
    mu, tau_squared = mu[..., None], tau[..., None] ** 2
    s_squared, r = trials.y_variance + tau_squared, np.sqrt(trials.direction_variance + tau_squared)
    numbers = -0.5 * ((trials.y - mu) ** 2 / s_squared + np.log(s_squared)).sum(axis=-1)
    between = _log_between((trials.low - mu) / r, (trials.high - mu) / r).sum(axis=-1)
    return np.asarray(numbers + between - trials.y.shape[-1] * LOG_SQRT_2PI)


def _peak(trials: Trials, tau: Array, prior_precision: float = 0.0) -> Array:
    """The mu of greatest likelihood (or posterior density) at a given tau, shape (...).

    The logarithm is concave in mu, so the sign of the slope tells the side: Newton steps of bounded length, halving
    where one leaves the bracket.
    """
    low, high, error = trials.reach()
    width = np.sqrt(error**2 + tau**2)
    far = 40 * width
    left = np.minimum(low, 0 if prior_precision else low) - far
    right = np.maximum(high, 0 if prior_precision else high) + far
    mu = np.clip((low + high) / 2 + 0 * tau, left, right)
    for _ in range(200):
        seen = _residuals(trials, mu, tau)
        slope = seen.score() - prior_precision * mu
        left, right = np.where(slope > 0, mu, left), np.where(slope < 0, mu, right)
        step = np.clip(slope / np.maximum(seen.information() + prior_precision, 1e-300), -3 * width, 3 * width)
        inside = (left < mu + step) & (mu + step < right)
        after = np.where(inside, mu + step, np.where(slope == 0, mu, (left + right) / 2))
        if np.all(np.abs(after - mu) <= 1e-10 * width):
            return after
        mu = after
    return mu


def _either_side(drop: Callable[[Array], Array], peak: Array, step: Array, fall: Array, endless: Flags) -> Array:
    """Where ``drop``, zero at the peak, first reaches ``fall`` below it and above it, shape (2, ...).

    Its square root is close to a straight line, which regula falsi (with the Illinois halving) follows quickly.
    Infinite where ``endless``.
    """
    side = np.array([-1.0, 1.0]).reshape(2, *(1 for _ in np.shape(peak)))

    def over(distance: Array) -> Array:
        return np.sqrt(np.maximum(drop(peak + side * distance), 0)) - np.sqrt(fall)

    near, far = np.zeros((2, *np.shape(peak))), np.zeros((2, *np.shape(peak))) + step
    at_near, at_far = near - np.sqrt(fall), over(far)
    for _ in range(100):
        short = (at_far < 0) & ~endless
        if not short.any():
            break
        near, at_near, far = np.where(short, far, near), np.where(short, at_far, at_near), np.where(short, 2 * far, far)
        at_far = np.where(short, over(far), at_far)
    for _ in range(60):
        if np.all((far - near < 1e-7 * step) | (np.minimum(-at_near, at_far) < 1e-7) | endless):
            break
        middle = (near * at_far - far * at_near) / np.where(endless, 1, at_far - at_near)
        at_middle = over(middle)
        short = at_middle < 0
        near, far = np.where(short, middle, near), np.where(short, far, middle)
        at_near, at_far = np.where(short, at_middle, at_near / 2), np.where(short, at_far / 2, at_middle)
    return np.where(endless, side * np.inf, peak + side * np.where(-at_near < at_far, near, far))


def _limits(trials: Trials, peak: Array, tau: Array, fall: Array, prior_precision: float = 0.0) -> Array:
    """Where the log-likelihood (or log posterior) at a given tau has fallen by ``fall``, shape (2, ...).

    Infinite on a side towards which every trial would agree for ever.
    """

    def drop(mu: Array) -> Array:
        return top - _log_likelihood(trials, mu, tau + 0 * mu) + 0.5 * prior_precision * (mu**2 - peak**2)

    seen = _residuals(trials, peak, tau)
    top = seen.total()
    numbers = trials.y.shape[-1] > 0 or prior_precision > 0
    endless = np.stack([np.isinf(trials.low).all(axis=-1), np.isinf(trials.high).all(axis=-1)]) & (not numbers)
    step = np.minimum(1 / np.sqrt(seen.information() + prior_precision + 1e-300), 10 * trials.reach()[2])
    return _either_side(drop, peak, step * np.sqrt(2 * fall), fall, endless)


def _lopsided(trials: Trials) -> Array:
    """1 where there is no number and all directions say "in favour of a", -1 for b, else 0; shape (...)."""
    if trials.y.shape[-1]:
        return np.zeros(trials.y.shape[:-1])
    return np.asarray(np.isinf(trials.high).all(axis=-1) * 1.0 - np.isinf(trials.low).all(axis=-1))


def _spread_out(trials: Trials, spread: Array) -> tuple[Trials, Array]:
    """The trials at several spreads, and tau: a spread below zero shrinks the variances of the numbers instead."""
    y, variance, *directions = (a + 0 * spread[..., None] for a in trials.expanded().arrays())
    return Trials(y, variance * (1 + np.minimum(spread, 0))[..., None], *directions), np.maximum(spread, 0)


def _likeliest_spread(trials: Trials, mu: Array | None = None, least: ArrayLike = 0.0) -> tuple[Array, Array]:
    """The spread of greatest likelihood at ``mu``, or with mu profiled out, and that log-likelihood; both shape (...).

    Looks at twenty values from ``least`` up at once and closes in on the best.
    """
    low, high, error = trials.reach()
    if mu is not None:
        low, high = np.minimum(low, mu), np.maximum(high, mu)
    top, least = (2 * (high - low) + 2 * error)[..., None], np.asarray(least)[..., None]
    share = np.concatenate([np.linspace(LEAST_SPREAD, 0, 8)[:-1], np.linspace(0, 1, 14) ** 3])
    spread = np.where(share < 0, share, top * share)
    for _ in range(8 if mu is None else 5):  # at a given mu only the height is wanted, which is flat at its top
        many, tau = _spread_out(trials, spread)
        at = _peak(many, tau) if mu is None else mu[..., None] + 0 * tau
        height = np.where(spread < least, -np.inf, _log_likelihood(many, at, tau))
        best = height.argmax(axis=-1)[..., None]
        likeliest = np.take_along_axis(spread, best, axis=-1)[..., 0]
        last = spread.shape[-1] - 1
        left, right = (np.take_along_axis(spread, np.clip(best + step, 0, last), axis=-1) for step in (-1, 1))
        left = np.maximum(left, least)
        spread = left + (right - left) * np.linspace(0, 1, 10)
    likeliest = np.where(np.abs(likeliest) > 1e-6 * error, likeliest, 0)
    return np.where(_lopsided(trials) == 0, likeliest, 0), height.max(axis=-1)


def likelihood_cut(numbers: int, directions: int, level: float) -> float:
    """How far below its top twice the log-likelihood may lie within the interval.

    m log(1 + t^2 / (m - 1)), t on m - 1 degrees of freedom, is exact for m normal observations of unknown common
    variance; a direction says about a quarter as much of the spread as a number does. One trial shows no spread.

    >>> round(likelihood_cut(1, 0, 0.95), 2), round(likelihood_cut(6, 0, 0.95), 2), round(likelihood_cut(3, 4, 0.95), 2)
    (3.84, 5.05, 5.9)
    """
    if numbers + directions == 1:
        return float(ndtri((1 + level) / 2) ** 2)
    m = max(numbers + directions / 4, min(numbers + directions, 3))
    return float(m * np.log1p(stdtrit(m - 1, (1 + level) / 2) ** 2 / (m - 1)))


def likelihood_intervals(trials: Trials, level: float = 0.95) -> tuple[Array, Array, Array]:
    """Likeliest mu and tau, shape (...), and the interval for mu, shape (2, ...), of each data set.

    Where the likeliest tau is 0, the profile likelihood lets numbers lie closer together than their variances say.
    With no number or one, tau stays at its likeliest value, since nothing then shows the spread.
    """
    numbers, directions = trials.y.shape[-1], trials.low.shape[-1]
    half_cut = np.asarray(likelihood_cut(numbers, directions, level) / 2)
    tau, _ = _likeliest_spread(trials)
    mu = _peak(trials, tau)
    if numbers < 2:
        return mu, tau, _limits(trials, mu, tau, half_cut)
    least = np.where(tau > 0, 0, LEAST_SPREAD)
    spread, top = _likeliest_spread(trials, least=least)
    many, tau_of_spread = _spread_out(trials, spread[..., None])
    centre = _peak(many, tau_of_spread)
    information = _residuals(many, centre, tau_of_spread).information()[..., 0]
    both_sides = Trials(*(np.broadcast_to(a, (2, *a.shape)) for a in trials.arrays()))

    def drop(at: Array) -> Array:
        return top - _likeliest_spread(both_sides, at, least)[1]

    endless = np.zeros((2, *np.shape(mu)), dtype=bool)
    low, high = _either_side(drop, centre[..., 0], np.sqrt(2 * half_cut / information), half_cut, endless)
    return mu, tau, np.stack([np.minimum(low, mu), np.maximum(high, mu)])


@dataclass(frozen=True, slots=True)
class CensoredFit:
    """Maximum likelihood: the mean effect, its interval and the spread of true effects, with what to know of them."""

    estimate: float
    ci_low: float
    ci_high: float
    tau: float
    level: float
    k_numbers: int
    k_directions: int
    method: str
    notes: tuple[str, ...]


def fit(
    estimates: ArrayLike, variances: ArrayLike, directions: Sequence[Direction], *, level: float = 0.95
) -> CensoredFit:
    """Pool trials with numbers and trials of which only the direction is known, by maximum likelihood.

    The interval holds every mean whose profile likelihood is not too low; the cut is that of Student's t, and
    numbers may lie closer together than their variances say, as in Knapp and Hartung's method.

    Parameters
    ----------
    estimates, variances : shape (k,), Hedges' g and its sampling variance; both may be empty
    directions : the trials without a number
    level : of the interval

    Returns
    -------
    CensoredFit : estimate and limits may be infinite, and the notes then say why

    Raises
    ------
    CensoredError : without any trial, or for a value that cannot be used

    Examples
    --------
    Two small trials report numbers; a larger one says only "not significant".

    >>> larger = Direction.parallel("not_significant", n_a=60, n_b=60)
    >>> round(fit([0.9, 0.7], [0.10, 0.12], []).estimate, 2)
    0.81
    >>> round(fit([0.9, 0.7], [0.10, 0.12], [larger]).estimate, 2)
    0.5
    """
    _require_level(level)
    trials = Trials.of(estimates, variances, directions)
    mu, tau, limits = likelihood_intervals(trials, level)
    lopsided = float(_lopsided(trials))
    return CensoredFit(
        estimate=float(mu) if not lopsided else lopsided * np.inf,
        ci_low=float(limits[0]),
        ci_high=float(limits[1]),
        tau=float(tau),
        level=level,
        k_numbers=trials.y.size,
        k_directions=trials.low.size,
        method="maximum likelihood with interval-censored trials; profile likelihood interval, Student's t cut",
        notes=_notes(trials, float(tau)),
    )


def _require_level(level: float) -> None:
    if not 0 < level < 1:
        raise CensoredError(f"level {level:g}; it must lie between 0 and 1 (0.95 for a 95 % interval)")


def _notes(trials: Trials, tau: float) -> tuple[str, ...]:
    """What a reader of the fit should know, in sentences."""
    low, high, error = trials.reach()
    lopsided = _lopsided(trials)
    notes = []
    if lopsided:
        arm, end = ("a", "upper") if lopsided > 0 else ("b", "lower")
        notes.append(
            f"Every trial says only that arm {arm} was better, so any large enough effect fits equally well: "
            f"the estimate and the {end} limit are infinite, and only the other limit means something."
        )
    elif not trials.y.size:
        notes.append("No trial reports a number; the size of the effect rests on where significance begins.")
    if trials.count == 1:
        notes.append("One trial cannot show heterogeneity; the interval is that of this trial alone.")
    elif trials.y.size < 2:
        notes.append(
            f"With {_count(trials.y.size)} heterogeneity cannot be seen; the interval takes tau to be {tau:.2f}."
        )
    elif trials.count < 5:
        notes.append(f"With {trials.count} trials heterogeneity is barely known and the interval is wide.")
    if tau > 1.9 * (high - low + error):
        notes.append("The directions contradict each other, and no number says how large heterogeneity is.")
    return tuple(notes)


def _count(numbers: int) -> str:
    return "one number" if numbers == 1 else "no number"


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed of the mean effect, of tau and of a new trial's true effect after seeing the trials."""

    mean: float
    median: float
    sd: float
    ci_low: float
    ci_high: float
    tau_median: float
    tau_low: float
    tau_high: float
    prediction_low: float
    prediction_high: float
    level: float
    k_numbers: int
    k_directions: int
    mu_grid: Array  # shape (M,), equally spaced
    mu_density: Array  # shape (M,), per unit of mu

    def probability_above(self, x: float) -> float:
        """Probability that the mean effect exceeds ``x``."""
        return float(1 - np.interp(x, self.mu_grid, _cumulative(self.mu_grid, self.mu_density)))


def posterior(
    estimates: ArrayLike,
    variances: ArrayLike,
    directions: Sequence[Direction],
    *,
    prior_sd: float = 0.5,
    tau_scale: float = 0.3,
    level: float = 0.95,
) -> Posterior:
    """Believe the same likelihood with mu ~ N(0, prior_sd^2) and tau half-normal, summed over a grid.

    Parameters
    ----------
    estimates, variances, directions : as for ``fit``
    prior_sd : standard deviation of the mean effect before any trial
    tau_scale : scale of the half-normal prior of tau; its prior median is 0.67 times this
    level : of the intervals, which leave equal probability on both sides

    Raises
    ------
    CensoredError : without any trial, or for a value that cannot be used

    Examples
    --------
    >>> larger = Direction.parallel("not_significant", n_a=60, n_b=60)
    >>> believed = posterior([0.9, 0.7], [0.10, 0.12], [larger])
    >>> round(believed.median, 2), round(believed.probability_above(0), 2)
    (0.4, 0.96)
    """
    _require_level(level)
    for name, value in (("prior_sd", prior_sd), ("tau_scale", tau_scale)):
        if not 0 < value < np.inf:
            raise CensoredError(
                f"{name} {value:g}; it must be above zero and finite (take a large one, such as 10, to say little)"
            )
    trials = Trials.of(estimates, variances, directions)
    mu, tau, weight = posterior_grid(trials, prior_sd, tau_scale)
    density, tau_density = weight.sum(axis=1) / (mu[1] - mu[0]), weight.sum(axis=0)
    tails = np.array([0.5, (1 - level) / 2, (1 + level) / 2])
    median, ci_low, ci_high = np.interp(tails, _cumulative(mu, density), mu)
    tau_median, tau_low, tau_high = np.interp(tails, _cumulative(tau, tau_density), tau)
    mean = float((weight.sum(axis=1) * mu).sum())
    prediction_low, prediction_high = _prediction(mu, tau, weight, tails[1:])
    return Posterior(
        mean=mean,
        median=float(median),
        sd=float(np.sqrt((weight.sum(axis=1) * (mu - mean) ** 2).sum())),
        ci_low=float(ci_low),
        ci_high=float(ci_high),
        tau_median=float(tau_median),
        tau_low=float(tau_low),
        tau_high=float(tau_high),
        prediction_low=prediction_low,
        prediction_high=prediction_high,
        level=level,
        k_numbers=trials.y.size,
        k_directions=trials.low.size,
        mu_grid=mu,
        mu_density=density,
    )


def posterior_grid(
    trials: Trials, prior_sd: float, tau_scale: float, points: tuple[int, int] = (201, 41)
) -> tuple[Array, Array, Array]:
    """Joint posterior on a grid: mu (..., M), tau (..., T) and weights (..., M, T) that add up to 1.

    The grid spans where the posterior is within e^-20 of its highest point. It is equally spaced, and the density
    is smooth in mu and even in tau, so plain sums converge very fast.
    """
    low, high, tau_high = _worth_a_look(trials, prior_sd, tau_scale)
    mu = low[..., None] + (high - low)[..., None] * np.linspace(0, 1, points[0])
    tau = tau_high[..., None] * np.linspace(0, 1, points[1])
    height = _grid_log_likelihood(trials, mu, tau)
    height = height - 0.5 * (mu[..., :, None] / prior_sd) ** 2 - 0.5 * (tau[..., None, :] / tau_scale) ** 2
    weight = np.exp(height - height.max(axis=(-2, -1), keepdims=True))
    weight[..., 0] /= 2  # trapezoidal ends in tau
    weight[..., -1] /= 2
    return mu, tau, weight / weight.sum(axis=(-2, -1), keepdims=True)


def _worth_a_look(trials: Trials, prior_sd: float, tau_scale: float) -> tuple[Array, Array, Array]:
    """Lowest and highest mu, and highest tau, of the region that holds the posterior; each shape (...)."""
    low, high, error = trials.reach()
    share = np.concatenate(
        [np.linspace(0, 6, 13), np.geomspace(8, 6 + np.max(4 * (high - low + error)) / tau_scale + 8, 12)]
    )
    tau = tau_scale * share + 0 * error[..., None]
    many = Trials(*(a + 0 * tau[..., None] for a in trials.expanded().arrays()))
    precision = prior_sd**-2
    peak = _peak(many, tau, precision)
    seen = _residuals(many, peak, tau)
    height = seen.total() - 0.5 * precision * peak**2 - 0.5 * (tau / tau_scale) ** 2
    left = ALTOGETHER_UNLIKELY - (height.max(axis=-1, keepdims=True) - height)
    worth = left > 0
    ends = _limits(many, peak, tau, np.maximum(left, 1e-3), precision)
    last = share.size - 1 - np.argmax(worth[..., ::-1], axis=-1)
    above = np.minimum(last + 1, share.size - 1)
    return (
        np.where(worth, ends[0], np.inf).min(axis=-1),
        np.where(worth, ends[1], -np.inf).max(axis=-1),
        tau_scale * share[above],
    )


def _grid_log_likelihood(trials: Trials, mu: Array, tau: Array) -> Array:
    """Log-likelihood at every pair of mu (..., M) and tau (..., T), shape (..., M, T); numbers as a quadratic in mu."""
    mu, tau_squared = mu[..., :, None], tau[..., None, :] ** 2
    precision = 1 / (trials.y_variance[..., None, :, None] + tau_squared[..., None, :])  # (..., 1, k, T)
    y = trials.y[..., None, :, None]
    total, first, second = (np.asarray((precision * y**power).sum(axis=-2)) for power in (0, 1, 2))
    height = 0.5 * np.log(precision).sum(axis=-2) - 0.5 * (total * mu**2 - 2 * first * mu + second)
    for i in range(trials.low.shape[-1]):
        low, high, variance = (a[..., i, None, None] for a in trials.arrays()[2:])
        s = np.sqrt(variance + tau_squared)
        height = height + _log_between((low - mu) / s, (high - mu) / s)
    return np.asarray(height)


def _cumulative(grid: Array, density: Array) -> Array:
    """Distribution function at each point of the grid, from 0 to 1."""
    steps = np.diff(grid) * (density[1:] + density[:-1]) / 2
    total = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(total / total[-1])


def _prediction(mu: Array, tau: Array, weight: Array, tails: Array) -> tuple[float, float]:
    """Quantiles of a new trial's true effect: normal about mu with deviation tau, mixed over the posterior."""
    spread = np.maximum(tau, 1e-3 * tau[-1])
    far = 10 * tau[-1]

    def beyond(x: float, tail: float) -> float:
        return float((weight * ndtr((x - mu[:, None]) / spread)).sum() - tail)

    low, high = (brentq(beyond, mu[0] - far, mu[-1] + far, args=(tail,), xtol=1e-7) for tail in tails)
    return float(low), float(high)
