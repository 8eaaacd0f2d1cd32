"""JAX in double precision, as every file here uses it, and what is common to their arithmetic."""

from __future__ import annotations

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
from jax.scipy.special import log_ndtr, ndtr  # noqa: E402

__all__ = ["jax", "jnp", "log_ndtr", "log_null", "ndtr"]

SIGNIFICANT = 1.959963984540054


def log_null(difference: jax.Array, error: jax.Array | float) -> jax.Array:
    """Log of the chance that a trial finds nothing: P(|z| < 1.96) for a true ``difference`` and standard ``error``."""
    apart = jnp.abs(difference) / error
    high, low = log_ndtr(SIGNIFICANT - apart), log_ndtr(-SIGNIFICANT - apart)
    return high + jnp.log1p(-jnp.exp(low - high))
