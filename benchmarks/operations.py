"""How many people a second one core could do if it only did the kernel's arithmetic, at its own measured peak.

The operations are not counted by hand, which goes stale, but read off the source of ``blocks.py`` with ``ast``: every
addition, multiplication, division, power, and every comparison or choice (max, min, if-else), a lane and a call of each
function, as written. A product that is added at once is one instruction with its addition (a fused multiply-add).
Indices are not counted; a division by a number is a multiplication, as the compiler makes it. How often each function
is called comes from the grid of the course.

The peak is measured in the same run: independent fused multiply-adds on vectors of float64, and independent divisions.
Every instruction but a division is taken to cost what a fused multiply-add costs. Divisions have a unit of their own,
so the limit is the longer of the two times and not their sum. Powers, roots, cosines and exponentials, a handful a
person, are counted and left out. A processor that adds beside its multiply-adds could in theory go beyond the limit;
reading and writing memory, which the limit leaves out, keeps the kernel below it.
"""

from __future__ import annotations

import ast
import inspect
import time
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numba import njit

from reprieve.pharmacology import blocks
from reprieve.pharmacology.grid import steps
from reprieve.pharmacology.model import Course

ROUNDS = {"LANES": 1, "MODES * LANES": blocks.MODES, "MODES": blocks.MODES}  # of a loop, for one lane
ROOTS = ("sqrt", "cos", "acos", "exp")
NOT_TAKEN = "not square"  # a branch for exponents other than 2
Counts = dict[str, Counter[str]]


def counted(source: str) -> Counts:
    """Operations of each function in ``source``, a lane and a call; a product that is added at once is ``fused`` too.

    >>> counted("def f(s, k):\\n for j in range(LANES):\\n  s[A + j] = k[B + j] * s[A + j] + max(s[C + j], 0.0) / 2")
    {'f': Counter({'multiply': 2, 'fused': 1, 'choose': 1})}
    """
    functions = {each.name: each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef)}
    return {name: _of(each, functions) for name, each in functions.items()}


def _of(node: ast.AST, functions: Mapping[str, ast.FunctionDef]) -> Counter[str]:
    if isinstance(node, ast.Subscript) or (isinstance(node, ast.If) and ast.unparse(node.test) == NOT_TAKEN):
        return Counter()  # an index is no arithmetic
    found = Counter(_operations(node))
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).removeprefix("math.")
        found["choose"] += name in ("min", "max")
        found["root or exponential"] += name in ROOTS
        if name in functions:
            found += _of(functions[name], functions)
    rounds = ROUNDS.get(ast.unparse(node.iter.args[0]), 1) if isinstance(node, ast.For) else 1
    for child in [*node.body] if isinstance(node, ast.For | ast.FunctionDef) else ast.iter_child_nodes(node):
        found.update({kind: count * rounds for kind, count in _of(child, functions).items()})
    return +found


def _operations(node: ast.AST) -> list[str]:
    if isinstance(node, ast.IfExp | ast.Compare):
        return ["choose"]
    if not isinstance(node, ast.BinOp | ast.AugAssign):
        return []
    left, right = (node.target, node.value) if isinstance(node, ast.AugAssign) else (node.left, node.right)
    if isinstance(node.op, ast.Add | ast.Sub):
        added = any(isinstance(each, ast.BinOp) and isinstance(each.op, ast.Mult) for each in (left, right))
        return ["fused"] if added else ["add"]
    if isinstance(node.op, ast.Div):
        return ["multiply" if isinstance(right, ast.Constant) else "divide"]
    return ["multiply" if isinstance(node.op, ast.Mult) else "power"]


def calls(course: Course, times_h: np.ndarray) -> dict[str, float]:
    """How often a lane goes through each function for one person on this course, whose exponent p is 2."""
    grid, sittings = steps(course, times_h), course.regimen.sittings()
    silent, count = int(grid.silent.sum()), len(grid.ends_h)
    looks = (max(each.stop_h for each in sittings[0]) + 1 - sittings[0][0].start_h) * 60 if sittings else 0
    return {
        "person": 1,
        "first_sitting": round(looks),
        "believe": 1,
        "decays": len(grid.lengths_h) + bool(sittings),
        "_open": max(len(sittings) - 1, 0),
        "_switch": np.count_nonzero(grid.rate != grid.before),
        "_silent": silent,
        "_drug": count - silent,
        "_signal": count,
        "_slow": count,
        "_session": np.count_nonzero(grid.session),
        "_write": len(times_h),
        "_totals": 1,
    }


@njit(fastmath={"contract"}, error_model="numpy")
def _multiply_and_add(x, rounds):
    for _ in range(rounds):
        for j in range(len(x)):
            v = x[j]
            a, b, c, d, e, f, g, h = v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7
            for _again in range(16):
                a, b, c, d = a * 0.5 + 1.0, b * 0.5 + 1.0, c * 0.5 + 1.0, d * 0.5 + 1.0
                e, f, g, h = e * 0.5 + 1.0, f * 0.5 + 1.0, g * 0.5 + 1.0, h * 0.5 + 1.0
            x[j] = (a + b) + (c + d) + ((e + f) + (g + h))


@njit(error_model="numpy")
def _divide(x, rounds):
    for _ in range(rounds):
        for j in range(len(x)):
            v = x[j]
            a, b, c, d = v, v + 1, v + 2, v + 3
            for _again in range(8):
                a, b, c, d = 3.0 / a, 3.0 / b, 3.0 / c, 3.0 / d
            x[j] = (a + b) + (c + d)


def peak(task, per_element: int, seconds: float = 0.3) -> float:
    """The most operations a second that this core does of a loop, in lanes."""
    x, best = np.linspace(1, 2, 256), 0.0
    task(x, 1)  # compiles
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        task(x, 2000)
        best = max(best, 2000 * len(x) * per_element / (time.perf_counter() - start))
    return best


def limit(course: Course, times_h: np.ndarray) -> dict[str, float]:
    """People a second at the peak, and what it is made of."""
    each, number = counted(inspect.getsource(blocks)), calls(course, times_h)
    total: Counter[str] = Counter()
    for name, times in number.items():
        total.update({kind: int(count * times) for kind, count in each[name].items()})
    plain = total["add"] + total["multiply"] + total["choose"]
    adding, dividing = peak(_multiply_and_add, 128), peak(_divide, 32)
    return {
        "instructions_per_person": plain,
        "of_them_fused_multiply_adds": total["fused"],
        "divisions_per_person": total["divide"],
        "peak_fused_multiply_adds_per_s": adding,
        "peak_divisions_per_s": dividing,
        "limit_people_per_s": 1 / max(plain / adding, total["divide"] / dividing),
    }


def table() -> str:
    """The counts as they stand in docs/explanation/engine.md."""
    each = counted(inspect.getsource(blocks))
    kinds = ("add", "multiply", "fused", "choose", "divide", "power", "root or exponential")
    rows = [
        f"| `{name}` | " + " | ".join(str(each[name][kind]) for kind in kinds) + " |"
        for name in calls(Course(), np.ones(1))
    ]
    return "\n".join([f"| function | {' | '.join(kinds)} |", "|---|" + "---|" * len(kinds), *rows])
