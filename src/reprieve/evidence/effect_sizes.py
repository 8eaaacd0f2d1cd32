"""Effect sizes: what one trial found, on a scale that can be pooled.

The sign in this room: an effect is positive when it favours ``arm_a``, always. The tables hold raw differences, a minus
b; on a symptom scale higher is worse, so a negative raw difference favours arm a and becomes positive here. The
functions therefore ask ``higher_is_worse`` or ``event_is_good`` and have no default for it.

Ratios are kept as logarithms. The log of a ratio of bad events is turned round, so that it too is positive when it
favours arm a; ``ratio`` gives back the plain ratio, a over b.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import gammaln, ndtri, stdtrit

Measure = Literal["smd", "log_risk_ratio", "log_odds_ratio", "risk_difference"]
MEASURES: tuple[Measure, ...] = ("smd", "log_risk_ratio", "log_odds_ratio", "risk_difference")
LOG_RATIOS: tuple[Measure, ...] = ("log_risk_ratio", "log_odds_ratio")


class EffectSizeError(ValueError):
    """Numbers from which no effect size can be had; the message says what could be given instead."""


@dataclass(frozen=True, slots=True)
class EffectSize:
    """One trial's effect, positive when it favours arm a, with its sampling variance and how it was had.

    Examples
    --------
    >>> effect = EffectSize(0.5, 0.04, "smd", "Given.")
    >>> effect.se
    0.2
    >>> tuple(round(bound, 3) for bound in effect.interval())
    (0.108, 0.892)
    """

    estimate: float
    variance: float
    measure: Measure
    how: str

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise EffectSizeError(f"measure {self.measure!r} is not known; use one of {', '.join(MEASURES)}")
        if not math.isfinite(self.estimate):
            raise EffectSizeError(f"estimate {self.estimate} is not a finite number; leave the trial out and say why")
        if not (math.isfinite(self.variance) and self.variance > 0):
            raise EffectSizeError(
                f"variance {self.variance:g} must be finite and above zero (give the square of the standard error)"
            )

    @property
    def se(self) -> float:
        return math.sqrt(self.variance)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The interval estimate -/+ z se, on the scale of the estimate (log for ratios)."""
        reach = float(ndtri(0.5 + _level(level) / 2)) * self.se
        return self.estimate - reach, self.estimate + reach


# --- standardised mean differences ------------------------------------------------------------------------------------


def smd_from_means(
    mean_a: float, sd_a: float, n_a: int, mean_b: float, sd_b: float, n_b: int, *, higher_is_worse: bool
) -> EffectSize:
    """Hedges' g from the mean, standard deviation and size of two parallel arms.

    g = J (mean_a - mean_b) / pooled SD, with the exact J = gamma(m/2) / (sqrt(m/2) gamma((m-1)/2)), m = n_a + n_b - 2;
    its variance is 1/n_a + 1/n_b + g^2 / (2 (n_a + n_b)). Change scores go in the same way, with the standard deviation
    of the change, not of the scores: the two differ, and a pool should hold one kind.

    Parameters
    ----------
    mean_a, mean_b, sd_a, sd_b : in the units of the scale
    n_a, n_b : people analysed, 2 or more
    higher_is_worse : whether a higher score means more illness; then a lower mean in arm a favours arm a

    Raises
    ------
    EffectSizeError : for an SD that is not above zero, fewer than 2 people in an arm, or a mean that is not a number

    Examples
    --------
    >>> round(smd_from_means(20, 10, 30, 25, 10, 30, higher_is_worse=True).estimate, 4)
    0.4935

    References
    ----------
    Hedges 1981, J Educ Stat 6:107; metafor's escalc(measure="SMD", vtype="LS")
    """
    _people(n_a, n_b)
    for name, sd in (("sd_a", sd_a), ("sd_b", sd_b)):
        _above_zero(name, sd, "a standard error times the square root of n is a standard deviation")
    df = n_a + n_b - 2
    pooled_sd = math.sqrt(((n_a - 1) * sd_a**2 + (n_b - 1) * sd_b**2) / df)
    difference = _number("mean_a", mean_a) - _number("mean_b", mean_b)
    return _hedges(
        _favouring_a(difference, higher_is_worse) / pooled_sd,
        n_a,
        n_b,
        "From the mean, standard deviation and size of both arms, with the standard deviation pooled.",
    )


def smd_from_mean_difference(
    difference: float,
    n_a: int,
    n_b: int,
    *,
    higher_is_worse: bool,
    se: float | None = None,
    interval: tuple[float, float] | None = None,
    level: float = 0.95,
    p_value: float | None = None,
    sd: float | None = None,
) -> EffectSize:
    """Hedges' g from a reported mean difference, a minus b, and one measure of its precision.

    A standard error, an interval or a p value gives t = difference / se and d = t sqrt(1/n_a + 1/n_b); intervals and
    p values are read against t with n_a + n_b - 2 degrees of freedom. An ``sd`` divides the difference as it is. When
    the difference was adjusted for baseline, its standard error is smaller than that of the raw scores and g comes out
    larger than it would from the raw means.

    Raises
    ------
    EffectSizeError : unless exactly one of se, interval, p_value and sd is given; for a p value of 0; for an interval
        that is out of order or does not hold the difference

    References
    ----------
    Cochrane Handbook 6.5.2
    """
    _people(n_a, n_b)
    df = n_a + n_b - 2
    _exactly_one(se=se, interval=interval, p_value=p_value, sd=sd)
    if sd is not None:
        _above_zero("sd", sd, "give se, interval or p_value instead")
        d = _number("difference", difference) / sd
        how = "From the mean difference and the standard deviation given with it."
    else:
        t, read_from = _t_of(difference, df, se, interval, level, p_value)
        d = t * math.sqrt(1 / n_a + 1 / n_b)
        how = f"From the mean difference and its {read_from}, taking the two arms to vary alike."
    return _hedges(_favouring_a(d, higher_is_worse), n_a, n_b, how)


def smd_from_t(t: float, n_a: int, n_b: int) -> EffectSize:
    """Hedges' g from the t statistic of two parallel arms; ``t`` must be given positive when it favours arm a."""
    _people(n_a, n_b)
    d = _number("t", t) * math.sqrt(1 / n_a + 1 / n_b)
    return _hedges(d, n_a, n_b, "From the t statistic of two independent arms, taking them to vary alike.")


def smd_from_crossover(
    *,
    n: int,
    correlation: float,
    t: float | None = None,
    difference: float | None = None,
    se: float | None = None,
    interval: tuple[float, float] | None = None,
    level: float = 0.95,
    p_value: float | None = None,
    higher_is_worse: bool,
) -> EffectSize:
    """Hedges' g of a crossover trial analysed in pairs, comparable with that of a parallel trial.

    d_z = t / sqrt(n) is in standard deviations of the difference within a person; d = d_z sqrt(2 (1 - r)) is in those
    of the scores. Then g = J d with n - 1 degrees of freedom, and var(g) = J^2 (1/n + d^2 / (2 n)) 2 (1 - r). The
    correlation r between a person's two scores is hardly ever reported: see ``crossover_sensitivity``.

    Parameters
    ----------
    n : people with both scores
    correlation : between the two scores of a person, above -1 and below 1
    t, difference : the paired t statistic, or the mean difference with one of se, interval, p_value; a minus b
    higher_is_worse : turns a negative t or difference into an effect that favours arm a

    Raises
    ------
    EffectSizeError : for a correlation of -1, 1 or beyond, fewer than 3 people, or not exactly one source for t

    Examples
    --------
    >>> effect = smd_from_crossover(n=22, correlation=0.5, t=-2.2, higher_is_worse=True)
    >>> round(effect.estimate, 3), round(effect.se, 3)
    (0.452, 0.216)

    References
    ----------
    Borenstein et al. 2009, Introduction to Meta-Analysis, chapter 4
    """
    if not -1 < correlation < 1:
        raise EffectSizeError(
            f"correlation {correlation:g} must be above -1 and below 1 (where it is not reported, try 0.3, 0.5 and 0.7)"
        )
    if not n >= 3:
        raise EffectSizeError(f"n is {n}; a paired effect needs 3 people or more (describe the trial in words instead)")
    if (t is None) == (difference is None):
        raise EffectSizeError("give exactly one of t and difference (a difference comes with se, interval or p_value)")
    if t is None:
        _exactly_one(se=se, interval=interval, p_value=p_value)
        t, read_from = _t_of(float(difference or 0.0), n - 1, se, interval, level, p_value)
        source = f"mean difference and its {read_from}"
    else:
        if not (se is None and interval is None and p_value is None):
            raise EffectSizeError("t already says how precise it is; leave out se, interval and p_value")
        source = "paired t statistic"
    spread = 2 * (1 - correlation)
    d = _favouring_a(_number("t", t), higher_is_worse) / math.sqrt(n) * math.sqrt(spread)
    correction = _hedges_j(n - 1)
    return EffectSize(
        correction * d,
        correction**2 * (1 / n + d**2 / (2 * n)) * spread,
        "smd",
        f"From the {source} of {n} people who had both, "
        f"assuming a correlation of {correlation:g} between their two scores.",
    )


def crossover_sensitivity(
    correlations: Sequence[float],
    *,
    n: int,
    t: float | None = None,
    difference: float | None = None,
    se: float | None = None,
    interval: tuple[float, float] | None = None,
    level: float = 0.95,
    p_value: float | None = None,
    higher_is_worse: bool,
) -> list[tuple[float, EffectSize]]:
    """The effect of a crossover trial under each assumed correlation: how much the assumption matters.

    Examples
    --------
    >>> for r, effect in crossover_sensitivity((0.3, 0.7), n=22, t=2.2, higher_is_worse=False):
    ...     print(r, round(effect.estimate, 3))
    0.3 0.535
    0.7 0.35
    """
    return [
        (
            correlation,
            smd_from_crossover(
                n=n,
                correlation=correlation,
                t=t,
                difference=difference,
                se=se,
                interval=interval,
                level=level,
                p_value=p_value,
                higher_is_worse=higher_is_worse,
            ),
        )
        for correlation in correlations
    ]


# --- counts of events -------------------------------------------------------------------------------------------------


def risk_ratio(events_a: int, n_a: int, events_b: int, n_b: int, *, event_is_good: bool) -> EffectSize:
    """Log risk ratio; positive when it favours arm a, so of bad events it is the log of b over a.

    Half is added to every cell of the two-by-two table when one of them is zero, and ``how`` says so.

    Raises
    ------
    EffectSizeError : for impossible counts, or when both arms have no event or everyone has one

    Examples
    --------
    Response in 6 of 9 against 3 of 9 people: twice the risk of something good.

    >>> effect = risk_ratio(6, 9, 3, 9, event_is_good=True)
    >>> round(effect.estimate, 4), ratio(effect, event_is_good=True).value
    (0.6931, 2.0)
    """
    cells, corrected = _cells("risk ratio", events_a, n_a, events_b, n_b)
    a, b, c, d = cells
    estimate = math.log(a / (a + b)) - math.log(c / (c + d))
    variance = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
    return EffectSize(_if_good(estimate, event_is_good), variance, "log_risk_ratio", _how_counted(corrected))


def odds_ratio(events_a: int, n_a: int, events_b: int, n_b: int, *, event_is_good: bool) -> EffectSize:
    """Log odds ratio; positive when it favours arm a. Zero cells and errors as in ``risk_ratio``."""
    (a, b, c, d), corrected = _cells("odds ratio", events_a, n_a, events_b, n_b)
    estimate = math.log(a / b) - math.log(c / d)
    variance = 1 / a + 1 / b + 1 / c + 1 / d
    return EffectSize(_if_good(estimate, event_is_good), variance, "log_odds_ratio", _how_counted(corrected))


def risk_difference(events_a: int, n_a: int, events_b: int, n_b: int, *, event_is_good: bool) -> EffectSize:
    """Difference in risk, from -1 to 1; positive when it favours arm a.

    The difference is never corrected. Its variance is p_a (1 - p_a) / n_a + p_b (1 - p_b) / n_b; where that would be
    zero, because each arm had all or none, it is taken from the counts with half added to each cell, and ``how`` says
    so.

    Examples
    --------
    >>> risk_difference(0, 20, 0, 20, event_is_good=False).how
    'From the counts of events; each arm had all or none, so the variance is that with half added to each cell.'
    """
    _counts(events_a, n_a, events_b, n_b)
    share_a, share_b = events_a / n_a, events_b / n_b
    variance = share_a * (1 - share_a) / n_a + share_b * (1 - share_b) / n_b
    how = "From the counts of events."
    if variance == 0:
        half_a, half_b = (events_a + 0.5) / (n_a + 1), (events_b + 0.5) / (n_b + 1)
        variance = half_a * (1 - half_a) / (n_a + 1) + half_b * (1 - half_b) / (n_b + 1)
        how = (
            "From the counts of events; each arm had all or none, so the variance is that with half added to each cell."
        )
    return EffectSize(_if_good(share_a - share_b, event_is_good), variance, "risk_difference", how)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A plain ratio of arm a over arm b with its interval; 1 means no difference."""

    value: float
    low: float
    high: float


def ratio(effect: EffectSize, *, event_is_good: bool, level: float = 0.95) -> Ratio:
    """The plain ratio, a over b, as papers print it, from a log ratio that favours arm a when positive.

    Examples
    --------
    >>> harm = risk_ratio(3, 9, 6, 9, event_is_good=False)
    >>> round(harm.estimate, 4), round(ratio(harm, event_is_good=False).value, 4)
    (0.6931, 0.5)
    """
    if effect.measure not in LOG_RATIOS:
        raise EffectSizeError(f"a {effect.measure} is no ratio; give a {' or a '.join(LOG_RATIOS)}")
    low, high = sorted(_if_good(bound, event_is_good) for bound in effect.interval(level))
    return Ratio(math.exp(_if_good(effect.estimate, event_is_good)), math.exp(low), math.exp(high))


@dataclass(frozen=True, slots=True)
class NumberNeeded:
    """How many people need arm a, rather than b, for one more good outcome (benefit) or one more bad one (harm).

    ``number`` is infinite and ``direction`` "neither" when the risks are the same. The interval is given by its two
    ends, each a number with its own direction, ``low`` the end that favours arm a more; when the ends point opposite
    ways the interval runs through infinity, which is no difference.
    """

    number: float
    direction: Literal["benefit", "harm", "neither"]
    low: float
    low_direction: Literal["benefit", "harm", "neither"]
    high: float
    high_direction: Literal["benefit", "harm", "neither"]
    level: float

    @property
    def through_infinity(self) -> bool:
        return self.low_direction != self.high_direction

    def __str__(self) -> str:
        low, high = (
            f"{number:.1f} ({direction})" if math.isfinite(number) else "infinity"
            for number, direction in ((self.low, self.low_direction), (self.high, self.high_direction))
        )
        middle = " to infinity to " if self.through_infinity and "infinity" not in (low, high) else " to "
        number = f"{self.number:.1f} ({self.direction})" if math.isfinite(self.number) else "infinity"
        return f"{number}, {self.level * 100:g}% interval {low}{middle}{high}"


def number_needed_to_treat(effect: EffectSize, *, level: float = 0.95) -> NumberNeeded:
    """Number needed to treat from a risk difference, with Altman's interval.

    Raises
    ------
    EffectSizeError : for any other measure, because a ratio says nothing of the risk it multiplies

    Examples
    --------
    >>> print(number_needed_to_treat(risk_difference(12, 20, 4, 20, event_is_good=True)))
    2.5 (benefit), 95% interval 1.5 (benefit) to 8.1 (benefit)
    >>> print(number_needed_to_treat(risk_difference(8, 20, 6, 20, event_is_good=True)))
    10.0 (benefit), 95% interval 2.5 (benefit) to infinity to 5.2 (harm)

    References
    ----------
    Altman 1998, BMJ 317:1309
    """
    if effect.measure != "risk_difference":
        raise EffectSizeError(
            f"a {effect.measure} gives no number needed to treat; give a risk_difference (from the counts of both arms)"
        )
    worst, best = effect.interval(level)
    number, direction = _needed(effect.estimate)
    low, low_direction = _needed(best)
    high, high_direction = _needed(worst)
    return NumberNeeded(number, direction, low, low_direction, high, high_direction, level)


# --- the arithmetic they share ------------------------------------------------------------------------------------


def _hedges(d: float, n_a: int, n_b: int, how: str) -> EffectSize:
    g = _hedges_j(n_a + n_b - 2) * d
    return EffectSize(g, 1 / n_a + 1 / n_b + g**2 / (2 * (n_a + n_b)), "smd", how)


def _hedges_j(df: int) -> float:
    """Exact small-sample correction of a standardised mean difference with ``df`` degrees of freedom."""
    return float(math.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / math.sqrt(df / 2))


def _favouring_a(value: float, higher_is_worse: bool) -> float:
    return -value if higher_is_worse else value


def _if_good(value: float, event_is_good: bool) -> float:
    return value if event_is_good else -value


def _t_of(
    difference: float,
    df: int,
    se: float | None,
    interval: tuple[float, float] | None,
    level: float,
    p_value: float | None,
) -> tuple[float, str]:
    """The t statistic of a difference, and from what it was read."""
    _number("difference", difference)
    if se is not None:
        _above_zero("se", se, "give an interval or a p value if it is not reported")
        return difference / se, "standard error"
    if interval is not None:
        low, high = interval
        if not low < high:
            raise EffectSizeError(f"interval {low:g} to {high:g} is out of order; give the lower end first")
        if not low <= difference <= high:
            raise EffectSizeError(
                f"interval {low:g} to {high:g} does not hold the difference {difference:g}; "
                "check the signs (both are a minus b)"
            )
        se = (high - low) / (2 * float(stdtrit(df, 0.5 + _level(level) / 2)))
        return difference / se, f"{level * 100:g}% interval"
    assert p_value is not None
    return _t_from_p(difference, df, p_value), "two-sided p value"


def _t_from_p(difference: float, df: int, p_value: float) -> float:
    if p_value == 0:
        raise EffectSizeError("a p value of 0 gives no size; give it as an upper bound (for P<0.001 give 0.001)")
    if not 0 < p_value <= 1:
        raise EffectSizeError(f"p value {p_value:g} must be above 0 and at most 1 (two-sided, as reported)")
    if (difference == 0) != (p_value == 1):
        raise EffectSizeError(
            f"a difference of {difference:g} cannot have a two-sided p value of {p_value:g}; "
            "give its standard error or interval"
        )
    return math.copysign(float(stdtrit(df, 1 - p_value / 2)), difference)


def _cells(
    name: str, events_a: int, n_a: int, events_b: int, n_b: int
) -> tuple[tuple[float, float, float, float], bool]:
    """Events and non-events of arm a, then of arm b; with half added to each when one is zero."""
    _counts(events_a, n_a, events_b, n_b)
    nobody, everybody = events_a == events_b == 0, (events_a, events_b) == (n_a, n_b)
    if nobody or everybody:
        raise EffectSizeError(
            f"{events_a} of {n_a} against {events_b} of {n_b}: {'nobody' if nobody else 'everybody'} in either arm "
            f"had an event, so no {name} can be had (use risk_difference, which is 0 here and has an interval)"
        )
    cells = (events_a, n_a - events_a, events_b, n_b - events_b)
    if 0 in cells:
        a, b, c, d = (cell + 0.5 for cell in cells)
        return (a, b, c, d), True
    a, b, c, d = (float(cell) for cell in cells)
    return (a, b, c, d), False


def _how_counted(corrected: bool) -> str:
    if corrected:
        return "From the counts of events; half was added to each cell because one was zero."
    return "From the counts of events."


def _needed(difference: float) -> tuple[float, Literal["benefit", "harm", "neither"]]:
    if difference == 0:
        return math.inf, "neither"
    return 1 / abs(difference), "benefit" if difference > 0 else "harm"


# --- what may go in -----------------------------------------------------------------------------------------------


def _number(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise EffectSizeError(f"{name} is {value}; it must be a finite number (leave the trial out and say why)")
    return value


def _above_zero(name: str, value: float, way_out: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise EffectSizeError(f"{name} is {value:g}; it must be finite and above zero ({way_out})")


def _people(n_a: int, n_b: int) -> None:
    for name, n in (("n_a", n_a), ("n_b", n_b)):
        if not n >= 2:
            raise EffectSizeError(f"{name} is {n}; an arm needs 2 people or more (describe the trial in words instead)")


def _counts(events_a: int, n_a: int, events_b: int, n_b: int) -> None:
    for arm, events, n in (("a", events_a, n_a), ("b", events_b, n_b)):
        if not n >= 1:
            raise EffectSizeError(f"n_{arm} is {n}; an arm needs at least one person (give the number analysed)")
        if not 0 <= events <= n:
            raise EffectSizeError(
                f"events_{arm} is {events} of {n}; it must be from 0 to {n} (count people, not events)"
            )


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise EffectSizeError(f"level {level:g} must be above 0 and below 1 (0.95 for a 95% interval)")
    return level


def _exactly_one(**given: object) -> None:
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise EffectSizeError(f"exactly one of {', '.join(given)} is needed; {' and '.join(named) or 'none'} given")
