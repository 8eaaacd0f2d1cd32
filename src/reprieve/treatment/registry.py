"""A clinic's courses for a registry: counts alone, no names and no dates, small cells hidden.

A hidden cell stays hidden: what can be computed from the totals is checked by linear programming, and more cells are
hidden until every hidden one could be any of several numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from reprieve.treatment.results import NEVER, CourseRecord, Courses, Totals

LEAST = 5  # our choice: registers commonly hide counts below five
INSTRUMENT = "PCL-5"
BAND_YEARS, YOUNGEST, OLDEST = 10, 10, 80
LOSS_WEEKS = (6, 10, 14, 28)  # since the start of the course: the ends of the bands
ALL = "all"

Sum = tuple[str, tuple[str, ...]]  # the cell that is the sum, and the cells that it is the sum of


@dataclass(frozen=True, slots=True)
class Cell:
    """One count of the export; None when it is hidden."""

    table: str
    row: str
    column: str
    count: int | None

    @property
    def words(self) -> str:
        """The count, or that it is hidden."""
        return "hidden (small)" if self.count is None else str(self.count)


def suppressed(count: int, least: int = LEAST) -> int | None:
    """A count as it may be shown: None when it is below ``least``, zero included.

    >>> suppressed(5), suppressed(4), suppressed(0)
    (5, None, None)
    """
    return count if count >= least else None


def protected(counts: Mapping[str, int], sums: Sequence[Sum], least: int = LEAST) -> dict[str, int | None]:
    """Counts with the small ones hidden, and as many more as keep those from being computed.

    Parameters
    ----------
    counts : by cell
    sums : which cells add up to which other; a cell may stand in several

    Returns
    -------
    each cell's count or None. Whoever knows the shown cells and the sums finds, for each hidden cell, numbers that lie
    at least ``least`` apart, unless all cells of its sums are hidden

    Examples
    --------
    Three is small, and twelve would give it away.

    >>> protected({"yes": 12, "no": 3, "open": 30, "all": 45}, [("all", ("yes", "no", "open"))])
    {'yes': None, 'no': None, 'open': 30, 'all': 45}
    """
    hidden = {cell for cell, count in counts.items() if suppressed(count, least) is None}
    while more := _also(counts, sums, hidden, least):
        hidden |= more
    return {cell: None if cell in hidden else count for cell, count in counts.items()}


def _also(counts: Mapping[str, int], sums: Sequence[Sum], hidden: set[str], least: int) -> set[str]:
    """The smallest shown cell beside each hidden one that is given away; beside its neighbours if it has none."""
    found = set()
    for cell in sorted(hidden):
        low, high = bounds(cell, {each: None if each in hidden else counts[each] for each in counts}, sums)
        if high - low < least - 1e-6:
            beside = _shown_beside({cell}, sums, hidden)
            if beside:
                found.add(min(sorted(beside), key=lambda each: counts[each]))
    return found


def _shown_beside(cells: set[str], sums: Sequence[Sum], hidden: set[str]) -> set[str]:
    """Shown cells in a sum with one of ``cells``, or farther along hidden ones."""
    reached = {each for total, parts in sums if cells & {total, *parts} for each in (total, *parts)}
    if reached - hidden or reached <= cells:
        return reached - hidden
    return _shown_beside(cells | reached, sums, hidden)


def bounds(cell: str, shown: Mapping[str, int | None], sums: Sequence[Sum]) -> tuple[float, float]:
    """Lowest and highest number that a hidden cell can be, for all that the shown ones and the sums tell."""
    hidden = [each for each, count in shown.items() if count is None]
    known = {each: count for each, count in shown.items() if count is not None}
    place = {each: number for number, each in enumerate(hidden)}
    left: NDArray[np.float64] = np.zeros((len(sums), len(hidden)))
    right = np.zeros(len(sums))
    for number, (total, parts) in enumerate(sums):
        for each, sign in ((total, -1), *((part, 1) for part in parts)):
            if each in place:
                left[number, place[each]] += sign
            else:
                right[number] -= sign * known[each]
    wanted = np.zeros(len(hidden))
    wanted[place[cell]] = 1
    ends = []
    for sign in (1, -1):
        found = linprog(sign * wanted, A_eq=left, b_eq=right, bounds=(0, None)) if len(sums) else None
        ends.append(sign * found.fun if found is not None and found.fun is not None else (0 if sign == 1 else np.inf))
    return float(ends[0]), float(ends[1])


def registry_rows(courses: Courses | Sequence[CourseRecord], as_of: date, least: int = LEAST) -> tuple[Cell, ...]:
    """The export: courses that ended and whose measure at the end is past, by age band and what came of them.

    Three tables share their totals: response on the PCL-5 at the end by age, the kind of ending by age, and the week,
    counted from the start of the course, in which a loss of response was seen. None holds a name, a day or an age.

    Parameters
    ----------
    courses : arrays, or a record for each course
    as_of : the day of the export; courses whose window at the end is open on it wait for the next
    least : counts below it are hidden
    """
    counts, sums = _tables(courses if isinstance(courses, Courses) else Courses.of(courses), as_of)
    shown = protected({_key(*cell): count for cell, count in counts.items()}, sums, least)
    return tuple(Cell(*cell, shown[_key(*cell)]) for cell in counts)


def _key(table: str, row: str, column: str) -> str:
    """Totals over columns are one cell in every table, however often they stand there."""
    return f"{'' if column == ALL else table}|{row}|{column}"


def _tables(found: Courses, as_of: date) -> tuple[dict[tuple[str, str, str], int], list[Sum]]:
    totals = found.totals[INSTRUMENT]
    counted = [int(course) for course in np.flatnonzero(totals.closed("end", as_of))]
    ages = {course: _band(int(found.age_years[course])) for course in counted}
    responses = _responses(totals, counted)
    endings = {course: found.endings[course] for course in counted}
    counts: dict[tuple[str, str, str], int] = {}
    sums: list[Sum] = []
    for table, columns in (("response at the end", responses), ("ending", endings)):
        _cross(table, ages, columns, counts, sums)
    _one_way("week of loss", _weeks(totals, set(ages)), counts, sums)
    return counts, sums


def _band(age_years: int) -> str:
    """Ten years of age.

    >>> _band(34), _band(80), _band(91), _band(NEVER)
    ('30 to 39', '80 or more', '80 or more', 'not known')
    """
    if age_years == NEVER:
        return "not known"
    low = max(YOUNGEST, age_years // BAND_YEARS * BAND_YEARS)
    return f"{low} to {low + BAND_YEARS - 1}" if low < OLDEST else f"{OLDEST} or more"


def _responses(totals: Totals, counted: Sequence[int]) -> dict[int, str]:
    surely, perhaps, there = totals.responded("end")
    return {
        course: "responded" if surely[course] else "not known" if perhaps[course] or not there[course] else "did not"
        for course in counted
    }


def _weeks(totals: Totals, counted: set[int]) -> Iterator[str]:
    """For each responder that is counted, in which weeks since the start the loss was seen."""
    courses, _, _, lost_on = totals.lost()
    for course, lost in zip(courses, lost_on, strict=True):
        if int(course) in counted:
            week = -(-int(lost - totals.started[course]) // 7)
            ends = [end for end in LOSS_WEEKS if week <= end]
            seen = f"up to {ends[0]}" if ends else f"after {LOSS_WEEKS[-1]}"
            yield "not seen lost" if lost == NEVER else seen


def _cross(
    table: str,
    rows: Mapping[int, str],
    columns: Mapping[int, str],
    counts: dict[tuple[str, str, str], int],
    sums: list[Sum],
) -> None:
    """Counts of every row by every column, with totals both ways, and the sums that hold."""
    found = Counter((row, columns[course]) for course, row in rows.items())
    row_names, column_names = sorted(set(rows.values())), sorted(set(columns.values()))
    if not row_names:
        return
    for row in row_names:
        for column in column_names:
            counts[table, row, column] = found[row, column]
        counts[table, row, ALL] = sum(found[row, column] for column in column_names)
        sums.append((_key(table, row, ALL), tuple(_key(table, row, column) for column in column_names)))
    for column in (*column_names, ALL):
        counts[table, ALL, column] = sum(counts[table, row, column] for row in row_names)
        sums.append((_key(table, ALL, column), tuple(_key(table, row, column) for row in row_names)))
    sums.append((_key(table, ALL, ALL), tuple(_key(table, ALL, column) for column in column_names)))


def _one_way(table: str, values: Iterator[str], counts: dict[tuple[str, str, str], int], sums: list[Sum]) -> None:
    """Counts of the responders by week; their sum is the responders of the first table."""
    found = Counter(values)
    for value in sorted(found):
        counts[table, value, "responders"] = found[value]
    if found:
        parts = tuple(_key(table, value, "responders") for value in sorted(found))
        sums.append((_key("response at the end", ALL, "responded"), parts))
