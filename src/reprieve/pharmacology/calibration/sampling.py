"""The posterior of a level by NUTS, whether the chains agree, and what the draws mean."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpyro
from numpy.typing import NDArray
from numpyro import distributions as dist
from numpyro.infer import MCMC, NUTS, init_to_value

from reprieve.pharmacology.calibration import CalibrationError
from reprieve.pharmacology.calibration.level import Level
from reprieve.pharmacology.calibration.numerics import jax, jnp

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # ArviZ 0.23 announces its successor at every import
    import arviz

Array = NDArray[np.float64]

FEWEST_DRAWS = 50


@dataclass(frozen=True, slots=True)
class Effort:
    """How much sampling: chains, draws kept of each, draws thrown away before, the seed."""

    chains: int = 4
    samples: int = 1000
    warmup: int = 500
    seed: int = 20261125

    def __post_init__(self) -> None:
        if self.chains < 2:
            raise CalibrationError(f"{self.chains} chains; it takes two or more to see whether they agree")
        if min(self.samples, self.warmup) < FEWEST_DRAWS:
            raise CalibrationError(f"{self.samples} samples after {self.warmup}; give at least {FEWEST_DRAWS} of each")


@dataclass(frozen=True)
class Draws:
    """Scores (chains, samples, k), divergences, R-hat and bulk effective sample size of each parameter."""

    scores: Array
    divergences: int
    r_hat: Array
    effective: Array

    @property
    def flat(self) -> Array:
        """All chains together; shape (chains x samples, k)."""
        flat: Array = self.scores.reshape(-1, self.scores.shape[-1])
        return flat


def sample(level: Level, effort: Effort, start: Array) -> Draws:
    """Draws from the posterior of ``level``, each chain from near ``start``, its highest point."""
    count = len(level.priors)

    def model() -> None:
        scores = numpyro.sample("scores", dist.Normal(0.0, 1.0).expand([count]).to_event(1))
        numpyro.factor("data", level.log_likelihood(scores))

    kernel = NUTS(model, init_strategy=init_to_value(values={"scores": jnp.asarray(start)}), dense_mass=True,
                  target_accept_prob=0.95, max_tree_depth=8)  # fmt: skip
    chains = MCMC(
        kernel,
        num_warmup=effort.warmup,
        num_samples=effort.samples,
        num_chains=effort.chains,
        chain_method="vectorized",
        progress_bar=False,
    )
    noise = np.random.Generator(np.random.Philox(effort.seed))
    near = np.asarray(start) + 0.3 * noise.standard_normal((effort.chains, count))
    chains.run(jax.random.key(effort.seed), init_params={"scores": jnp.asarray(near)}, extra_fields=("diverging",))
    scores = np.asarray(chains.get_samples(group_by_chain=True)["scores"])
    divergences = int(np.asarray(chains.get_extra_fields()["diverging"]).sum())
    found = arviz.from_dict(posterior={"scores": scores})
    r_hat = np.asarray(arviz.rhat(found)["scores"].values)
    effective = np.asarray(arviz.ess(found, method="bulk")["scores"].values)
    return Draws(scores, divergences, r_hat, effective)


def parameters(level: Level, scores: Array) -> Mapping[str, Array]:
    """Values of each parameter at each draw; ``scores`` (n, k) to arrays of shape (n,)."""
    found = jax.vmap(level.values)(jnp.asarray(scores))
    return {symbol: np.asarray(values) for symbol, values in found.items()}


def predictions(level: Level, scores: Array) -> Array:
    """What is predicted for each datum and check at each draw; shape (n, data + checks)."""
    return np.asarray(jax.lax.map(level.everything, jnp.asarray(scores), batch_size=200))


def derived(level: Level, scores: Array) -> Mapping[str, Array]:
    """Further quantities at each draw, by name."""
    if level.derived is None:
        return {}
    of = level.derived
    found = jax.lax.map(lambda each: of(level.values(each)), jnp.asarray(scores), batch_size=200)
    return {name: np.asarray(values) for name, values in found.items()}


def replicated(level: Level, scores: Array, predicted: Array, noise: np.random.Generator) -> Array:
    """New data as the level would give them, at each draw; shape (n, data): a number, or 1 for a trial with nothing."""
    found = np.empty((len(scores), len(level.data)))
    if len(level.numbers):
        spread = np.asarray(jax.lax.map(level.spread, jnp.asarray(scores), batch_size=200))
        roots = np.linalg.cholesky(spread)
        shocks = noise.standard_normal((len(scores), len(level.numbers)))
        found[:, level.numbers] = predicted[:, level.numbers] + np.einsum("nij,nj->ni", roots, shocks)
    for k in level.nulls:
        error = level.data[k].error
        z = (predicted[:, k] + error * noise.standard_normal(len(scores))) / error
        found[:, k] = np.abs(z) < 1.959963984540054
    return found
