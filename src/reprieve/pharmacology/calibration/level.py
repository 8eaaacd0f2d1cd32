"""A level of the calibration: parameters with priors, data, and how the first predict the second.

Everything is in standard normal scores, one a parameter, so that priors have no scale of their own and what the
data add can be read off directly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.calibration import CalibrationError
from reprieve.pharmacology.calibration.numerics import jax, jnp, log_null, ndtr
from reprieve.pharmacology.calibration.priors import Prior

Array = NDArray[np.float64]
Values = Mapping[str, jax.Array]

KINDS = ("number", "null")


@dataclass(frozen=True, slots=True)
class Datum:
    """One thing that was seen. ``observed`` is on the scale of the likelihood, a logarithm if ``is_log``.

    A ``null`` is a trial that reports only that its difference, with standard error ``error``, was not significant.
    ``error`` may be 0 where the level has its own covariance, or for a check that has none.
    """

    name: str
    observed: float
    error: float
    unit: str
    source: str
    mark: str = ""
    kind: str = "number"
    is_log: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise CalibrationError(f"{self.name}: kind {self.kind!r}; it must be one of {', '.join(KINDS)}")
        if self.kind == "null" and self.error <= 0:
            raise CalibrationError(f"{self.name}: a trial that found nothing needs a standard error above zero")


@dataclass(frozen=True)
class Level:
    """Parameters, data, and what ``predict`` gives for each datum and then each check, in their order.

    ``predict_checks`` gives the checks apart, if that saves work. ``covariance`` is of the data that are numbers, if
    they are not independent with their own errors; ``whiten`` gives the same more quickly: from values and residuals
    the independent standard normal scores, and the sum of the logarithms of their scales. ``derived`` are further
    quantities to report; ``tied`` symbols take the value of another. ``notes`` are for the page.
    """

    name: str
    title: str
    priors: tuple[Prior, ...]
    data: tuple[Datum, ...]
    predict: Callable[[Values], jax.Array]
    checks: tuple[Datum, ...] = ()
    predict_checks: Callable[[Values], jax.Array] | None = None
    covariance: Callable[[Values], jax.Array] | None = None
    whiten: Callable[[Values, jax.Array], tuple[jax.Array, jax.Array]] | None = None
    derived: Callable[[Values], Mapping[str, jax.Array]] | None = None
    tied: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    @property
    def symbols(self) -> tuple[str, ...]:
        """The parameters, in order."""
        return tuple(prior.symbol for prior in self.priors)

    @property
    def numbers(self) -> Array:
        """Which data are numbers."""
        return np.array([k for k, datum in enumerate(self.data) if datum.kind == "number"], dtype=int)

    @property
    def nulls(self) -> Array:
        """Which data are trials that found nothing."""
        return np.array([k for k, datum in enumerate(self.data) if datum.kind == "null"], dtype=int)

    def values(self, scores: jax.Array) -> dict[str, jax.Array]:
        """Parameters from their scores, shape (k,)."""
        return {
            prior.symbol: prior.value(scores[place], cdf=ndtr, exp=jnp.exp) for place, prior in enumerate(self.priors)
        }

    def means(self, scores: jax.Array) -> jax.Array:
        """What is predicted for each datum; shape (n,)."""
        return self.predict(self.values(scores))[: len(self.data)]

    def everything(self, scores: jax.Array) -> jax.Array:
        """What is predicted for each datum and then each check; shape (n + c,)."""
        values = self.values(scores)
        found = self.predict(values)
        return found if self.predict_checks is None else jnp.concatenate([found, self.predict_checks(values)])

    def spread(self, scores: jax.Array) -> jax.Array:
        """Covariance of the data that are numbers; shape (m, m)."""
        if self.covariance is not None:
            return self.covariance(self.values(scores))
        errors = jnp.array([self.data[k].error for k in self.numbers])
        return jnp.diag(errors**2)

    def log_likelihood(self, scores: jax.Array) -> jax.Array:
        """Of all data, at these scores; each datum counts once."""
        means, total = self.means(scores), jnp.zeros(())
        if len(self.numbers):
            observed = jnp.array([self.data[k].observed for k in self.numbers])
            off, log_scale = self._whitened(scores, observed - means[self.numbers])
            total += -0.5 * jnp.sum(off**2) - log_scale
            total += -0.5 * len(self.numbers) * jnp.log(2 * jnp.pi)
        for k in self.nulls:
            total += log_null(means[k], self.data[k].error)
        return total

    def _whitened(self, scores: jax.Array, off: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Residuals as independent standard normal scores, and the sum of the logarithms of their scales."""
        if self.whiten is not None:
            return self.whiten(self.values(scores), off)
        if self.covariance is None:
            errors = jnp.array([self.data[k].error for k in self.numbers])
            return off / errors, jnp.sum(jnp.log(errors))
        root = jnp.linalg.cholesky(self.spread(scores))
        return jax.scipy.linalg.solve_triangular(root, off, lower=True), jnp.sum(jnp.log(jnp.diag(root)))

    def log_posterior(self, scores: jax.Array) -> jax.Array:
        """Up to a constant."""
        return self.log_likelihood(scores) - 0.5 * jnp.sum(scores**2)
