"""Ratings of many people at once: what raters write down, who responded, and when a response was lost.

The same noise as ``measured.py``, for everybody in one call.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.symptoms import RESPONSE, Items, fluctuation, seen

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

PEOPLE_AT_ONCE = 500  # of the item model, which holds 80 answers a person and rating


def caps5_ratings(severity: Array, times_days: Array, p: Mapping[str, float], noise: np.random.Generator) -> Array:
    """CAPS-5 totals as written down: severity, drift since the first rating, the rater's error; clipped to 0 to 80.

    Parameters
    ----------
    severity : shape (n, T), CAPS-5 points
    times_days : shape (T,), increasing

    Returns
    -------
    shape (n, T)
    """
    return seen(severity + fluctuation(times_days, p, noise, (len(severity),)), p["sem_caps"], noise)


def pcl5_ratings(
    severity: Array, synaptic_fall: Array, times_days: Array, p: Mapping[str, float], noise: np.random.Generator
) -> Array:
    """PCL-5 totals by the item model: the same drift, a constant of each person, error; clipped to 0 to 80.

    Parameters
    ----------
    severity, synaptic_fall : shape (n, T), CAPS-5 points; the second is w_S (S - S_0)
    times_days : shape (T,), increasing

    Returns
    -------
    shape (n, T)
    """
    items, drift = Items.of(p), fluctuation(times_days, p, noise, (len(severity),))
    offset = p["pcl_off"] * noise.standard_normal((len(severity), 1))
    expected = np.empty(severity.shape)
    for start in range(0, len(severity), PEOPLE_AT_ONCE):
        some = slice(start, start + PEOPLE_AT_ONCE)
        answered = items.pcl5((severity + drift)[some].ravel(), synaptic_fall[some].ravel())
        expected[some] = answered.reshape(severity[some].shape)
    return seen(expected + offset, p["sem_pcl"], noise)


def responders(baseline_seen: Array, now_seen: Array) -> Flags:
    """Who fell by 30 % or more of their observed baseline; same shape.

    >>> responders(np.array([40.0, 40.0]), np.array([28.0, 29.0]))
    array([ True, False])
    """
    fell: Flags = now_seen <= (1 - RESPONSE) * baseline_seen
    return fell


def days_to_loss(responding: Flags, days: Array) -> Array:
    """The day of the first rating at which each person no longer responds; infinite if none; shape (n,).

    Parameters
    ----------
    responding : shape (n, T), at each of ``days``, counted from when response was found

    Examples
    --------
    >>> days_to_loss(np.array([[True, False, True], [True, True, True]]), np.array([7.0, 14.0, 21.0]))
    array([14., inf])
    """
    lost = ~responding
    first: Array = np.where(lost.any(axis=1), days[lost.argmax(axis=1)], math.inf)
    return first


def median_time(times: Array) -> Array:
    """The first time by which half have lost it, along the last axis: the Kaplan-Meier median when nobody leaves.

    >>> float(median_time(np.array([7.0, 14.0, 21.0, np.inf])))
    14.0
    """
    middle: Array = np.sort(times, axis=-1)[..., (times.shape[-1] + 1) // 2 - 1]
    return middle
