"""How long pooling takes on one core: ten trials at a time, a thousand pools for leaving one out; and a page of it.

Bare PyMARE is timed in the same run, turn about with ours, because a machine is never as fast twice; it only fits REML,
where ours also gives the Hartung-Knapp interval, Q-profile, I^2, H^2, the prediction interval and the weights.

The page is that of the trials with its forest plot, on the real server, warm but for the question: each is asked for
the first time, so that it is answered and drawn, then again.

Prints a table for people and, last, one line of JSON: {"pool_10_ms": ..., "pymare_reml_10_ms": ..., "ratio": ...,
"leave_one_out_1000_s": ..., "page_and_plot_first_ms": ..., "page_and_plot_again_ms": ...}: medians.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from pymare.estimators import VarianceBasedLikelihoodEstimator
from rich.console import Console
from rich.table import Table

from reprieve.evidence.pooling import METHODS, pool, tau_squared
from reprieve.evidence.question import COMPARATORS, PEOPLE, WINDOWS
from reprieve.evidence.sensitivity import leave_one_out

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.web.server import Server, running

SEED, TRIALS, REPEATS, CALLS = 20261122, 10, 7, 100


def trials(chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Effects of ten trials of 20 to 200 people with some variance between them, and their variances."""
    variances = 4 / chance.integers(20, 200, TRIALS)
    return chance.normal(0.4, np.sqrt(0.05 + variances)), variances


def milliseconds(*tasks: Callable[[], object]) -> list[list[float]]:
    """Processor time of one call of each task in each repeat, turn about, after one warm-up."""
    taken: list[list[float]] = [[] for _ in tasks]
    for _ in range(REPEATS + 1):
        for times, task in zip(taken, tasks, strict=True):
            start = time.process_time()
            for _ in range(CALLS):
                task()
            times.append(1000 * (time.process_time() - start) / CALLS)
    return [times[1:] for times in taken]


def bare_pymare(y: np.ndarray, v: np.ndarray) -> object:
    fit = VarianceBasedLikelihoodEstimator("REML", small_sample_correction="wald")
    return fit.fit(y[:, None], v[:, None], np.ones((len(y), 1)))


def thousand_left_out(chance: np.random.Generator) -> list[float]:
    """Seconds for 1,000 pools, a hundred sets of ten trials each left out in turn, three times over."""
    sets = [trials(chance) for _ in range(1000 // TRIALS)]
    taken = []
    for _ in range(3):
        start = time.process_time()
        for y, v in sets:
            leave_one_out(y, v)
        taken.append(time.process_time() - start)
    return taken


def pages() -> tuple[list[float], list[float]]:
    """Milliseconds for the trials page and its plot, asked for the first time and again, for each of many questions."""
    first, again = [], []
    with tempfile.TemporaryDirectory(prefix="reprieve-bench-") as home, running(Path(home)) as server:
        for _ in range(6):  # both processes have drawn once
            page_and_plot(server, "treatment=sertraline&window=end")
        for window, comparator, people in product(WINDOWS, COMPARATORS, PEOPLE):
            asked = f"window={window}&comparator={comparator}&people={people}"
            first.append(page_and_plot(server, asked))
            again += [page_and_plot(server, asked) for _ in range(3)][1:]
    return first, again


def page_and_plot(server: Server, asked: str) -> float:
    start = time.perf_counter()
    for path in ("/what-is-known/trials/", "/what-is-known/trials/forest-620-light.svg"):
        status, _, _ = server.get(f"{path}?{asked}")
        assert status == 200, (path, asked, status)
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    chance = np.random.default_rng(SEED)
    y, v = trials(chance)
    tasks: dict[str, Callable[[], object]] = {
        "PyMARE's REML alone": lambda: bare_pymare(y, v),
        "tau squared by REML": lambda: tau_squared(y, v, "REML"),
    }
    for method in METHODS:
        tasks[f'pool, "{method}"'] = partial(pool, y, v, method=method)
    taken = dict(zip(tasks, milliseconds(*tasks.values()), strict=True))
    left_out = thousand_left_out(chance)
    first, again = pages()

    table = Table(title=f"pooling {TRIALS} trials, ms of one core, {REPEATS} repeats of {CALLS}")
    for heading in ("what", "median", "fastest", "slowest"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for name, times in taken.items():
        table.add_row(name, *(f"{value:.3f}" for value in (statistics.median(times), min(times), max(times))))
    table.add_row("1,000 leave-one-out pools, together", *(f"{1000 * s:,.0f}" for s in sorted(left_out)[1:2]), "", "")
    for name, times in (("page and plot, first asked", first), ("page and plot, asked again", again)):
        table.add_row(name, *(f"{value:.1f}" for value in (statistics.median(times), min(times), max(times))))
    Console().print(table)

    ours, theirs = (statistics.median(taken[name]) for name in ('pool, "REML"', "PyMARE's REML alone"))
    found = {"pool_10_ms": ours, "pymare_reml_10_ms": theirs, "ratio": ours / theirs}
    found["leave_one_out_1000_s"] = statistics.median(left_out)
    found |= {"page_and_plot_first_ms": statistics.median(first), "page_and_plot_again_ms": statistics.median(again)}
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))


if __name__ == "__main__":
    main()
