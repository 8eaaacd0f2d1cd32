"""How many people a second on one core, beside libroadrunner in the same run: same model, people, outputs and accuracy.

The course is six infusions of 35 mg in 40 minutes, then rest to day 60; 85 times, every state that the kernel gives.
libroadrunner (CVODE) compiles the model once and runs person after person at the loosest tolerance that keeps it
within the accuracy asked of the kernel, 1e-4 against the readable model. It gets the equations without what the
outputs do not need, which it runs half as fast again as the whole model that ``pharmacology/sbml.py`` exports, and
``max`` where a condition would cost it a root to find. Each is timed by the processor time of one pinned core, turn
about; the kernel in batches of 6,144 people. Two cores are timed by the clock on a rating a day, so anything else that
runs there counts against them.

Accuracy is the kernel's worst relative error over 2,000 people against CVODE at rtol 1e-10, and over 200 of them
against the readable model in SciPy as well; how far these two are apart is printed beside it. The limit is that of
``benchmarks/operations.py``. A fresh process is timed twice, first with nothing compiled.

Prints a table for people and, last, one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import antimony
import numpy as np
import roadrunner
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks import operations
from reprieve.pharmacology.kernel import STATES, Many, People, simulate_many
from reprieve.pharmacology.model import Course, Model
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Regimen
from reprieve.pharmacology.simulate import simulate
from reprieve.pharmacology.variability import Drawn, draw
from tests.pharmacology.agreement import oracle, relative_error

SEED, CHECKED, CHECKED_BY_SCIPY, PEER_CHECKED = 20261122, 2000, 200, 24
PEER_TIMED, BATCH, BATCHES, ROUNDS = 100, 6144, 6, 5
ACCURACY, TOLERANCES, REFERENCE = 1e-4, (3e-5, 1e-5, 5e-6, 3e-6, 1e-6, 1e-7), 1e-10
SIX = Regimen.repeated(35, 40 / 60, [0, 2, 4, 7, 9, 11])
AROUND = (1 / 3, 2 / 3, 1, 1.5, 2, 4, 8, 12)
TIMES = np.unique([*range(61), *(day + hour / 24 for day in (0, 4, 11) for hour in AROUND)])
MILLION, DAILY = 1_000_000, np.arange(61.0)

EQUATIONS = """
model chain
  var A1, A2, A3, N1, N2, Ce, G, N, M, W, s, sigma, X, theta
  x := pot * Ce;  BI := x / (x + IC50_I);  BP := x / (x + IC50_P)
  S := (1 - rho) * S_fix + rho * s
  target := rest + w_I * I_0 * (1 - X) - w_S * (S - S_0) - w_G * N \\
            - w_P * believes * (1 - exp(-time / 24 / tau_P)) - b_inf * (1 - exp(-time / 24 / tau_b))
  A1' = R - (CL + Q2 + Q3) * A1 / V1 + Q2 * A2 / V2 + Q3 * A3 / V3
  A2' = Q2 * (A1 / V1 - A2 / V2);  A3' = Q3 * (A1 / V1 - A3 / V3)
  N1' = fN * CL * A1 / V1 - (CLN + QN) * N1 / VN + QN * N2 / VPN;  N2' = QN * (N1 / VN - N2 / VPN)
  Ce' = ke0 * (free * A1 / V1 - Ce)
  G' = ((1 + a * BI) * (1 - BP)^p - 1 - G) / tau_G
  N' = (max(G, 0) - N) / tau_N;  M' = (N - M) / tau_M;  W' = (M - W) / tau_W
  s' = (kf * (1 + eta * W) * (1 - s) - ke * (1 + gam * sigma) * s) / 24
  sigma' = (max(sense, 0) * sigma_0 - sigma) / tau_sig / 24
  sense := 1 + g_sig * (theta / theta_0 - 1)
  X' = -(r_X + r_s * sigma) * X / 24
  theta' = (target - theta) / tau_th / 24
"""
# In a process of its own: seconds for the imports, for one person's simulate and for ten people in the kernel
FRESH = """
import time
start = time.perf_counter()
from reprieve.pharmacology.kernel import People, simulate_many
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Regimen
from reprieve.pharmacology.simulate import simulate
imported = time.perf_counter()
six = Regimen.repeated(35, 40 / 60, [0, 2, 4, 7, 9, 11])
simulate(six, Person())
one = time.perf_counter()
simulate_many(People.drawn(parameter_set(), 1, range(10)), six, range(61))
print(imported - start, one - imported, time.perf_counter() - one)
"""
BODY = "V1 V2 V3 CL Q2 Q3 VN VPN CLN QN fN ke0".split()
SYMBOLS = (
    "pot IC50_I IC50_P a p tau_G tau_N tau_M tau_W kf ke eta gam rho S_fix g_sig sigma_0 tau_sig r_X r_s theta_0 "
    "tau_th w_I I_0 w_S w_G w_P tau_P b_inf tau_b".split()
)
ADDED = ("free", "rest", "S_0", "believes", "R")
STARTS = "A1 A2 A3 N1 N2 Ce G N M W s sigma X theta".split()
SIZES = (25, 30, 60, 30, 30, 0.4, 0.4, 0.1, 0.1, 0.02, 0.3, 1, 1, 40)  # about the peak of each, for absolute tolerances
OUTPUTS = ("A1", "N1", "BI", "BP", "G", "N", "M", "W", "s", "S", "sigma", "X", "theta")


def believing(each: Drawn) -> Model:
    """The model of one person, who believes or does not."""
    model = Model(each.p, each.person, Course(SIX))
    return Model(each.p, each.person, Course(SIX), believes=float(each.belief_rank < model.belief))


class Peer:
    """libroadrunner: one model for everybody, infusions as events, values set in one call a person."""

    def __init__(self) -> None:
        given = believing(draw(parameter_set(), SEED, 0)).exposure.disposition.umol_per_h(
            SIX.infusions[0].rate_mg_per_h
        )
        events = "".join(
            f"  on{n}: at (time >= {each.start_h}): R = {given};\n" for n, each in enumerate(SIX.infusions) if n
        )
        events += "".join(f"  off{n}: at (time >= {each.stop_h}): R = 0;\n" for n, each in enumerate(SIX.infusions))
        names = (*BODY, *SYMBOLS, *ADDED)
        text = EQUATIONS.replace("\\\n", "") + "".join(f"  {name} = 1;\n" for name in names) + events
        text += "".join(f"  {name} = 0;\n" for name in STARTS) + "end"
        if antimony.loadAntimonyString(text) < 0:
            raise RuntimeError(antimony.getLastError())
        self.runner = roadrunner.RoadRunner(antimony.getSBMLString("chain"))
        roadrunner.Logger.disableLogging()
        self.runner.timeCourseSelections = list(OUTPUTS)
        ids = list(self.runner.model.getGlobalParameterIds())
        starts = ("s", "sigma", "X", "theta")
        self.given, self.places = given, [ids.index(name) for name in (*names, *starts)]
        self.times = list(TIMES * 24)

    def values(self, each: Drawn) -> list[float]:
        """What is set for one person: parameters, then the states that do not start at zero."""
        model = believing(each)
        body, p = model.exposure.disposition, each.p
        added = [body.free_at_effect_site, model.symptoms.rest, model.resting_density, model.belief, self.given]
        starts = [model.plasticity.resting(p["sigma_0"]), p["sigma_0"], p["X_0"], p["theta_0"]]
        return [*(getattr(body, name) for name in BODY), *(p[name] for name in SYMBOLS), *added, *starts]

    def run(self, values: list[float], tolerance: float) -> np.ndarray:
        """The outputs of one person as the solver gives them; shape (T, 13)."""
        runner = self.runner
        runner.reset()
        runner.model.setGlobalParameterValues(self.places, values)
        runner.integrator.relative_tolerance = tolerance
        runner.integrator.absolute_tolerance = [size * tolerance * 1e-3 for size in SIZES]
        runner.integrator.maximum_num_steps = 100_000
        return np.array(runner.simulate(times=self.times))

    def states(self, each: Drawn, tolerance: float) -> np.ndarray:
        """The states in the kernel's units; shape (13, T)."""
        found, body = self.run(self.values(each), tolerance).T.copy(), believing(each).exposure.disposition
        found[0] *= body.molar_mass_ketamine / body.V1
        found[1] *= body.molar_mass_norketamine / body.VN
        found[-1] = np.clip(found[-1], 0, 80)
        return found


def readable(each: Drawn) -> np.ndarray:
    """The states by the readable model; shape (13, T)."""
    return oracle(each, Course(SIX), TIMES)


def worst(found: list[np.ndarray], references: list[np.ndarray]) -> float:
    return max(float(relative_error(ours, theirs).max()) for ours, theirs in zip(found, references, strict=True))


def per_second(count: int, task: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    task()
    return count / (clock() - start)


def daily(people: People, threads: int) -> Many:
    """A rating a day for sixty days, as a trial of many people would keep it."""
    return simulate_many(people, SIX, DAILY, ["caps5_total"], dtype=np.float32, threads=threads)


def large_run() -> None:
    """A million people with 61 daily ratings; prints the peak memory of this process in MB and the seconds it took."""
    start = time.perf_counter()
    people = People.drawn(parameter_set(), SEED, range(MILLION))
    drawn = time.perf_counter() - start
    found = daily(people, os.cpu_count() or 1)
    assert found["caps5_total"].shape == (MILLION, 61)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, drawn, time.perf_counter() - start - drawn)


def fresh() -> tuple[list[float], list[float]]:
    """Seconds of the three parts of :data:`FRESH`, with nothing compiled, and again."""
    with tempfile.TemporaryDirectory() as cache:
        runs = [in_a_process("-c", FRESH, NUMBA_CACHE_DIR=cache) for _ in range(2)]
    first, later = ([float(part) for part in run.split()] for run in runs)
    return first, later


def main() -> None:
    cores = sorted(os.sched_getaffinity(0))
    drawn = [draw(parameter_set(), SEED, number) for number in range(CHECKED)]
    ours = simulate_many(People.among(drawn), SIX, TIMES)
    found, peer = [np.stack([ours[name][row] for name in STATES]) for row in range(CHECKED)], Peer()
    references = [peer.states(each, REFERENCE) for each in drawn]
    with ProcessPoolExecutor(len(cores)) as pool:
        by_scipy = list(pool.map(readable, drawn[:CHECKED_BY_SCIPY]))
    error = max(worst(found, references), worst(found[:CHECKED_BY_SCIPY], by_scipy))

    few = drawn[:PEER_CHECKED]
    errors = {each: worst([peer.states(who, each) for who in few], by_scipy[:PEER_CHECKED]) for each in TOLERANCES}
    tolerance = max((each for each in TOLERANCES if errors[each] <= ACCURACY), default=TOLERANCES[-1])
    values = [peer.values(each) for each in drawn[:PEER_TIMED]]
    crowd = People.drawn(parameter_set(), SEED, range(BATCH))
    many = crowd.some(np.arange(BATCH * BATCHES * 2) % BATCH)

    os.sched_setaffinity(0, cores[-1:])
    simulate_many(crowd, SIX, TIMES)
    rates: dict[str, list[float]] = {"peer": [], "kernel": [], "one": [], "two": []}
    for _ in range(ROUNDS):
        rates["peer"].append(per_second(PEER_TIMED, lambda: [peer.run(each, tolerance) for each in values]))
        rates["kernel"].append(
            per_second(BATCH * BATCHES, lambda: [simulate_many(crowd, SIX, TIMES) for _ in range(BATCHES)])
        )
    limit = operations.limit(Course(SIX), TIMES * 24)
    alone = [1e3 / per_second(1, lambda: simulate(SIX, Person()), time.perf_counter) for _ in range(ROUNDS)]
    os.sched_setaffinity(0, cores)
    for _ in range(ROUNDS):
        for name, threads in (("one", 1), ("two", 2)):
            rates[name].append(per_second(len(many), lambda n=threads: daily(many, n), time.perf_counter))
    memory, drawing, running = map(float, in_a_process(__file__, "large").split())
    first, later = fresh()

    middle = {name: statistics.median(each) for name, each in rates.items()}
    result = {
        "ratio_to_libroadrunner_one_core": round(middle["kernel"] / middle["peer"], 1),
        "worst_relative_error": float(f"{error:.2g}"),
        "patients": CHECKED,
        "scaling_two_cores": round(max(rates["two"]) / max(rates["one"]), 2),
        "kernel_people_per_s_one_core": round(middle["kernel"]),
        "libroadrunner_people_per_s_one_core": round(middle["peer"], 1),
        "libroadrunner_rtol": tolerance,
        "libroadrunner_worst_relative_error": float(f"{errors[tolerance]:.2g}"),
        "patients_by_scipy": CHECKED_BY_SCIPY,
        "two_references_apart": float(f"{worst(references[:CHECKED_BY_SCIPY], by_scipy):.2g}"),
        **{name: round(figure) for name, figure in limit.items()},
        "fraction_of_hand_counted_limit": round(middle["kernel"] / limit["limit_people_per_s"], 2),
        "daily_people_per_s_one_thread": round(max(rates["one"])),
        "million_people_daily_peak_mb": round(memory),
        "million_people_drawn_s": round(drawing, 1),
        "million_people_simulated_s": round(running, 1),
        "first_process_with_imports_s": round(sum(first), 1),
        "later_process_imports_s": round(later[0], 2),
        "later_process_simulate_one_s": round(later[1], 2),
        "later_process_kernel_first_call_s": round(later[2], 2),
        "simulate_one_person_warm_ms": round(statistics.median(alone)),
        "load_average_at_end": round(os.getloadavg()[0], 1),
    }
    shown = Table("what", "figure")
    for name, figure in result.items():
        shown.add_row(name.replace("_", " "), f"{figure:,}")
    Console().print(shown)
    print(json.dumps(result))


def in_a_process(*arguments: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env=os.environ | environment,
    )
    return ran.stdout


if __name__ == "__main__":
    large_run() if "large" in sys.argv[1:] else main()
