"""Do small trials find more than large ones? Three looks at it, none of which can say why.

Unpublished trials are one reason; smaller trials treating sicker people, or being run worse, are others. With fewer
than ten trials these tests can hardly find anything, and each result says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from reprieve.evidence.pooling import FloatArray, IntervalMethod, Method, Pooled, PoolingError, checked_trials, pool
from reprieve.evidence.sensitivity import Coefficient, meta_regression

Side = Literal["left", "right"]
ENOUGH, MOST_ROUNDS = 10, 100
NOT_THE_REASON = "Asymmetry has many reasons besides unpublished trials."


@dataclass(frozen=True, slots=True)
class Egger:
    """Regression of effect on standard error: ``bias`` is the slope, ``limit`` the effect of a trial without error."""

    k: int
    bias: float
    se: float
    t: float
    df: int
    p_value: float
    limit: float
    limit_low: float
    limit_high: float
    level: float
    notes: tuple[str, ...]


def egger(estimates: ArrayLike, variances: ArrayLike, *, level: float = 0.95) -> Egger:
    """Egger's test of funnel asymmetry: weighted least squares on the standard error, dispersion estimated.

    Raises
    ------
    PoolingError : with fewer than three trials, or when all are equally precise

    Examples
    --------
    >>> found = egger([0.1, 0.3, 0.2, 0.8, 0.9], [0.01, 0.02, 0.02, 0.1, 0.12])
    >>> round(found.bias, 2), found.df
    (3.25, 3)

    References
    ----------
    Egger et al. 1997, BMJ 315:629; metafor's regtest(model="lm")
    """
    y, v = _enough(estimates, variances)
    limit, bias = _line(y, v, np.sqrt(v), "standard error", level)
    return Egger(
        k=len(y),
        bias=bias.estimate,
        se=bias.se,
        t=bias.estimate / bias.se,
        df=len(y) - 2,
        p_value=bias.p_value,
        limit=limit.estimate,
        limit_low=limit.ci_low,
        limit_high=limit.ci_high,
        level=level,
        notes=(*_few(len(y)), NOT_THE_REASON),
    )


@dataclass(frozen=True, slots=True)
class TrimAndFill:
    """The pool as it is and as it would be if the funnel were made symmetrical by inventing the trials missing.

    ``side`` is where trials are missing: left, those less favourable to arm a. ``missing_se`` is None where the formula
    gives none.
    """

    k: int
    side: Side
    missing: int
    missing_se: float | None
    pooled: Pooled
    filled: Pooled
    filled_estimates: tuple[float, ...]
    filled_variances: tuple[float, ...]
    notes: tuple[str, ...]


def trim_and_fill(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    side: Side | None = None,
    method: Method = "REML",
    interval_method: IntervalMethod = "hartung-knapp",
    level: float = 0.95,
) -> TrimAndFill:
    """Duval and Tweedie's trim and fill, estimator L0.

    Parameters
    ----------
    side : where trials are missing; None takes it from the slope of effect on standard error (left if it is positive),
        fitted by ``method``, or by REML for "PM", which has no regression here

    Raises
    ------
    PoolingError : with fewer than three trials, when the rounds do not settle, or when no side is given and all trials
        are equally precise

    Examples
    --------
    >>> found = trim_and_fill([0.1, 0.2, 0.3, 0.8, 0.9, 1.0], [0.01, 0.01, 0.02, 0.1, 0.12, 0.15], method="DL")
    >>> found.side, found.missing, found.filled.estimate < found.pooled.estimate
    ('left', 2, True)

    References
    ----------
    Duval and Tweedie 2000, Biometrics 56:455; metafor's trimfill
    """
    y, v = _enough(estimates, variances)
    if side not in (None, "left", "right"):
        raise PoolingError(f"side {side!r} is not known; use left or right, or leave it out")
    side = side or _missing_side(y, v, method)
    turned = -y if side == "right" else y
    order = np.argsort(turned, kind="stable")
    missing, missing_se, centre = _trimmed(turned[order], v[order], method)
    last = order[len(y) - missing :]
    mirrored = 2 * (-centre if side == "right" else centre) - y[last]
    filled_y, filled_v = np.concatenate((y, mirrored)), np.concatenate((v, v[last]))
    pooled = pool(y, v, method=method, interval_method=interval_method, level=level)
    filled = pool(filled_y, filled_v, method=method, interval_method=interval_method, level=level)
    return TrimAndFill(
        k=len(y),
        side=side,
        missing=missing,
        missing_se=missing_se,
        pooled=pooled,
        filled=filled,
        filled_estimates=tuple(mirrored.tolist()),
        filled_variances=tuple(v[last].tolist()),
        notes=(
            *_few(len(y)),
            "The trials filled in are invented: the filled pool shows how far asymmetry could matter, not the truth.",
            NOT_THE_REASON,
        ),
    )


@dataclass(frozen=True, slots=True)
class PetPeese:
    """The effect a trial without error would have had, by a line on the standard error (PET) or on its square (PEESE).

    ``pet`` and ``peese`` are the two intercepts; ``chosen`` is the one the rule picks.
    """

    k: int
    pet: Coefficient
    peese: Coefficient
    chosen: Literal["PET", "PEESE"]
    level: float
    notes: tuple[str, ...]

    @property
    def adjusted(self) -> Coefficient:
        return self.pet if self.chosen == "PET" else self.peese


def pet_peese(estimates: ArrayLike, variances: ArrayLike, *, level: float = 0.95) -> PetPeese:
    """Precision-effect test and estimate, by weighted least squares with the dispersion estimated.

    PEESE is chosen when PET's intercept has the sign of the common-effect pool and a one-sided p value below 0.05, as
    PET is biased towards zero when there is an effect; otherwise PET.

    Raises
    ------
    PoolingError : with fewer than three trials, or when all are equally precise

    Examples
    --------
    >>> found = pet_peese([0.1, 0.3, 0.2, 0.8, 0.9], [0.01, 0.02, 0.02, 0.1, 0.12])
    >>> found.chosen, round(found.adjusted.estimate, 2)
    ('PET', -0.22)

    References
    ----------
    Stanley and Doucouliagos 2014, Res Synth Methods 5:60
    """
    y, v = _enough(estimates, variances)
    pet, _ = _line(y, v, np.sqrt(v), "standard error", level)
    peese, _ = _line(y, v, v, "variance", level)
    direction = pool(y, v, method="common", interval_method="normal").estimate
    found = pet.estimate * direction > 0 and pet.p_value / 2 < 0.05
    return PetPeese(
        k=len(y),
        pet=pet,
        peese=peese,
        chosen="PEESE" if found else "PET",
        level=level,
        notes=(
            *_few(len(y)),
            "A line drawn beyond the largest trial: it can overshoot, above all when the trials differ much.",
        ),
    )


def _line(y: FloatArray, v: FloatArray, along: FloatArray, name: str, level: float) -> tuple[Coefficient, Coefficient]:
    """Intercept and slope; Hartung-Knapp around a common effect is least squares with the dispersion estimated."""
    if np.ptp(v) <= 1e-12 * v.max():
        raise PoolingError(
            f"all {len(v)} trials are equally precise, so small ones cannot be told from large (report the pool alone)"
        )
    fitted = meta_regression(y, v, along, [name], method="common", interval_method="hartung-knapp", level=level)
    intercept, slope = fitted.coefficients
    return intercept, slope


def _missing_side(y: FloatArray, v: FloatArray, method: Method) -> Side:
    if np.ptp(v) <= 1e-12 * v.max():
        raise PoolingError("all trials are equally precise, so no slope shows where trials are missing; give side")
    fitted = meta_regression(
        y, v, np.sqrt(v), ["standard error"], method="REML" if method == "PM" else method, interval_method="normal"
    )
    return "right" if fitted.coefficients[1].estimate < 0 else "left"


def _trimmed(y: FloatArray, v: FloatArray, method: Method) -> tuple[int, float | None, float]:
    """How many trials are missing on the left of ``y``, which rises; its standard error; the centre without them."""
    k, missing = len(y), 0
    for _ in range(MOST_ROUNDS):
        kept = k - missing
        centre = pool(y[:kept], v[:kept], method=method, interval_method="normal").estimate
        distance = y - centre
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(distance), kind="stable")] = np.arange(1, k + 1)
        above = float(ranks[distance > 0].sum())
        found = (4 * above - k * (k + 1)) / (2 * k - 1)
        before, missing = missing, max(0, round(found))
        if missing == before:
            return missing, _missing_se(found, k), centre
    raise PoolingError(f"trim and fill did not settle in {MOST_ROUNDS} rounds (report the pool without it)")


def _missing_se(missing: float, k: int) -> float | None:
    spread = k * (k + 1) * (2 * k + 1) + 10 * missing**3 + 27 * missing**2 + 17 * missing
    spread -= 18 * k * missing**2 + 18 * k * missing - 6 * k**2 * missing
    return float(4 * np.sqrt(spread / 24) / (2 * k - 1)) if spread >= 0 else None


def _enough(estimates: ArrayLike, variances: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y, v = checked_trials(estimates, variances)
    if len(y) < 3:
        raise PoolingError(
            f"{len(y)} trial{'s' if len(y) > 1 else ''} cannot show whether small trials find more; "
            "three are needed and ten are wanted (say that it was not looked at)"
        )
    return y, v


def _few(k: int) -> tuple[str, ...]:
    if k >= ENOUGH:
        return ()
    return (f"{k} trials: with fewer than ten these tests can hardly find anything, and finding nothing means little.",)
