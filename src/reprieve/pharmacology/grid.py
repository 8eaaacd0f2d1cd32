"""The steps of the fast kernel: one grid of times for everybody on the same course.

Steps are short while a level moves and long when it rests: a little over a minute about each start and stop of an
infusion, a day in the tail. Lengths come from a short ladder, so that the weights of a step are worked out once a
length, and every time at which something jumps or is asked for is the end of a step.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.memory import TherapySession
from reprieve.pharmacology.model import Course
from reprieve.pharmacology.regimen import HOURS_PER_DAY, Regimen

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Step = tuple[float, float]  # start and end in hours

TICK_H = 1.25 / 60
LADDER = (1, 2, 4, 8, 16, 32, 48, 64, 96, 144, 288, 576, 1152)  # ticks; the last is a day
SAME_H = 1e-9  # times closer than this are one time
NEARLY = 1e-6  # of a tick
SILENT_AFTER_H = 480.0  # after the last start or stop; by then no drug is left that the receptor would notice

# Longest step in ticks, by hours since the last start or stop of an infusion
WHILE_ON = ((0.05, 1), (0.4, 2), (1.0, 4), (3.0, 8), (math.inf, 16))
WHILE_OFF = ((0.07, 1), (0.25, 2), (0.6, 4), (1.2, 8), (3.0, 16), (6.0, 32), (20.0, 48), (96.0, 96), (240.0, 288),
             (math.inf, 1152))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps, each with its length and what happens at its ends; arrays of shape (K,) unless said otherwise.

    ``length`` indexes ``lengths_h``. ``rate`` is the infusion rate in mg/h during the step and ``before`` the rate up
    to it. ``asked`` is the row of the times asked for that a step ends on, or -1. ``session`` is the dose of therapy
    at its end, 0 for none. ``silent`` marks steps so late that the receptor is free.
    """

    lengths_h: Array  # (D,)
    ends_h: Array
    length: Whole
    before: Array
    rate: Array
    asked: Whole
    session: Array
    silent: Whole


def steps(course: Course, times_h: Array, fineness: int = 1) -> Grid:
    """The grid from time 0 to the last of ``times_h``, which increase.

    ``fineness`` 2 halves every step, and so on: two answers that differ say how far either can be trusted.
    """
    last = float(times_h[-1])
    changes = [time for time in course.changes_h() if 0 < time < last]
    nodes = _distinct([0.0, *changes], times_h)
    jumps = course.regimen.changes_h()
    found: list[Step] = []
    for start, end in pairwise(nodes):
        found += _between(course.regimen, jumps, start, end, fineness)
    starts, ends = np.array(found, dtype=float).reshape(-1, 2).T
    lengths, index = np.unique((ends - starts).round(10), return_inverse=True)
    piece = np.searchsorted(jumps, starts + SAME_H, side="right")
    rate = np.array([0.0, *map(course.regimen.rate_mg_per_h, jumps)])[piece]
    return Grid(
        lengths_h=lengths,
        ends_h=ends,
        length=index.astype(np.int64),
        before=np.concatenate([[0.0], rate[:-1]]) if len(rate) else rate,
        rate=rate,
        asked=_rows(ends, times_h),
        session=_doses(course.therapy, ends),
        silent=np.array(
            [_since(jumps, start) > SILENT_AFTER_H and not now for start, now in zip(starts, rate, strict=True)],
            dtype=np.int64,
        ),
    )


def _distinct(jumps: Sequence[float], times_h: Array) -> list[float]:
    """All of them in order; of two that are nearly the same, the jump, so that its rate is read after it."""
    nodes = sorted({*jumps})
    near = np.searchsorted(nodes, times_h - SAME_H)
    after = np.array([*nodes, math.inf])[near]
    return sorted({*nodes, *map(float, times_h[after - times_h > SAME_H])})


def _since(changes: Sequence[float], time: float) -> float:
    before = bisect_right(changes, time + SAME_H)
    return time - changes[before - 1] if before else math.inf


def _between(regimen: Regimen, changes: Sequence[float], start: float, end: float, fineness: int) -> list[Step]:
    """Steps from one node to the next: each the longest that is allowed and that divides what is left."""
    found, time = [], start
    longest = WHILE_ON if regimen.rate_mg_per_h(start) > 0 else WHILE_OFF
    while end - time > SAME_H:
        since = _since(changes, time)
        most = next(ticks for until, ticks in longest if since < until or until == math.inf)
        left = (end - time) / TICK_H * fineness
        over = left - math.floor(left + NEARLY)
        whole = [each for each in LADDER if each <= most and each <= left + NEARLY and round(left) % each == 0]
        step = (over if over > NEARLY or not whole else whole[-1]) * TICK_H / fineness
        until = end if abs(time + step - end) < SAME_H else time + step
        found.append((time, until))
        time = until
    return found


def _rows(ends: Array, times_h: Array) -> Whole:
    near = np.searchsorted(times_h, ends - 2 * SAME_H)
    near = np.minimum(near, len(times_h) - 1)
    return np.where(np.abs(times_h[near] - ends) <= 2 * SAME_H, near, -1).astype(np.int64)


def _doses(sessions: Sequence[TherapySession], ends: Array) -> Array:
    doses = np.zeros(len(ends))
    for each in sessions:
        doses[np.abs(ends - each.day * HOURS_PER_DAY) <= 2 * SAME_H] = each.dose
    return doses
