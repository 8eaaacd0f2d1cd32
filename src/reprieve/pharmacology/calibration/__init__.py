"""What the data say about the parameters, level by level, and which of them they do not inform.

Needs the extra ``fit`` (JAX, NumPyro, ArviZ); nothing else in the package imports it. Fitted values never replace
``parameters.csv``. For research and method development only.
"""

from __future__ import annotations

import importlib.util

from reprieve.pharmacology import PharmacologyError

EXTRA = ("jax", "numpyro", "arviz")


class CalibrationError(PharmacologyError):
    """A calibration cannot be run: says why, and the way out."""


def needs_extra() -> None:
    """Refuse, in one line, if what calibration needs is not installed."""
    for name in EXTRA:
        try:
            is_there = importlib.util.find_spec(name) is not None
        except ValueError:  # somebody has blocked it
            is_there = False
        if not is_there:
            raise CalibrationError(
                "reprieve fit needs jax, numpyro and arviz: install the extra 'fit' (in a clone: make research)"
            )
