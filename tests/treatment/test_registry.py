"""What leaves the clinic names nobody, and no hidden count can be worked out from what is shown."""

import itertools
import re
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reprieve.treatment.outcome import Measured
from reprieve.treatment.registry import bounds, protected, registry_rows, suppressed
from reprieve.treatment.results import CourseRecord

START, AS_OF = date(2026, 1, 5), date(2027, 1, 4)
END = START + timedelta(days=11)


def course(after: int | None, age: int | None = 34, ending: str = "as_planned", weeks_later: tuple[int, ...] = ()):
    """A course from 50 points to ``after`` at the end; 48 again that many weeks after the end, if any."""
    totals = [(START, 50)] + [(END + timedelta(days=1), after)] * (after is not None)
    totals += [(END + timedelta(weeks=weeks), 48) for weeks in weeks_later]
    measured = tuple(Measured(on, "PCL-5", (total, total)) for on, total in totals)
    return CourseRecord(START, END, 6, 6, 0, ending, measured, age_years=age)


def table(rows, name: str) -> dict[tuple[str, str], int | None]:
    return {(cell.row, cell.column): cell.count for cell in rows if cell.table == name}


@pytest.mark.parametrize(("count", "shown"), [(0, None), (4, None), (5, 5), (6, 6)])
def test_counts_below_five_are_hidden(count, shown):
    assert suppressed(count) == shown


def test_large_counts_are_shown_with_their_totals():
    rows = registry_rows([course(30)] * 20 + [course(45)] * 10 + [course(None)] * 6, AS_OF)

    assert table(rows, "response at the end") == {
        ("30 to 39", "responded"): 20, ("30 to 39", "did not"): 10, ("30 to 39", "not known"): 6,
        ("30 to 39", "all"): 36,
        ("all", "responded"): 20, ("all", "did not"): 10, ("all", "not known"): 6, ("all", "all"): 36,
    }  # fmt: skip


def test_a_small_cell_takes_another_with_it_in_every_line():
    courses = [course(after, age) for age in (34, 44, 54) for after in [30] * 10 + [45] * 10]
    rows = registry_rows([*courses, *[course(None, 34)] * 3, *[course(None, 44)] * 20], AS_OF)

    found = table(rows, "response at the end")
    assert found["30 to 39", "not known"] is None
    for line in ("30 to 39", "40 to 49", "50 to 59", "all"):
        hidden = [count for (row, _), count in found.items() if row == line and count is None]
        assert len(hidden) != 1


def test_weeks_count_from_the_start_of_the_course():
    rows = registry_rows(
        [course(30, weeks_later=(4,))] * 7 + [course(30, weeks_later=(40,))] * 8 + [course(30)] * 9, AS_OF
    )

    assert table(rows, "week of loss") == {
        ("up to 6", "responders"): 7, ("after 28", "responders"): 8, ("not seen lost", "responders"): 9,
    }  # fmt: skip


def test_no_name_day_or_age_leaves():
    rows = registry_rows([course(30, age, weeks_later=(8,)) for age in range(18, 95)] * 3, AS_OF)

    words = " ".join(f"{cell.table} {cell.row} {cell.column}" for cell in rows)
    assert not re.search(r"\d{4}|\d\d-\d\d", words)
    assert {cell.row for cell in rows if cell.table == "ending"} == {
        "10 to 19", "20 to 29", "30 to 39", "40 to 49", "50 to 59", "60 to 69", "70 to 79", "80 or more", "all",
    }  # fmt: skip


def test_courses_that_go_on_or_just_ended_wait():
    going_on = CourseRecord(START, None, 6, 3)

    assert registry_rows([], AS_OF) == registry_rows([going_on], AS_OF) == ()
    assert registry_rows([course(30)] * 5, END + timedelta(days=7)) == ()
    assert table(registry_rows([course(30)] * 5, END + timedelta(days=8)), "ending")["all", "all"] == 5


def possible(hidden: str, shown, sums, most: int) -> set[int]:
    """Every number that the cell can be, by trying all."""
    unknown = [cell for cell, count in shown.items() if count is None]
    fits = set()
    for numbers in itertools.product(range(most), repeat=len(unknown)):
        filled = shown | dict(zip(unknown, numbers, strict=True))
        if all(filled[total] == sum(filled[part] for part in parts) for total, parts in sums):
            fits.add(filled[hidden])
    return fits


counts = st.integers(0, 12)


@settings(max_examples=40, deadline=None)
@given(counts, counts, counts)
def test_trying_every_number_finds_several_for_each_hidden_cell(one, two, three):
    sums = [("all", ("one", "two", "three"))]
    cells = {"one": one, "two": two, "three": three, "all": one + two + three}

    shown = protected(cells, sums)

    for cell in [cell for cell, count in shown.items() if count is None]:
        if sum(count is None for count in shown.values()) < 4:
            assert len(possible(cell, shown, sums, most=25)) > 5


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from([30, 45, None]), st.sampled_from([25, 35, 45, None]),
                  st.sampled_from(["as_planned", "harm"]), st.sampled_from([(), (4,), (12,)])),
        max_size=120,
    )
)  # fmt: skip
def test_no_hidden_cell_can_be_computed_from_what_is_shown(drawn):
    """The totals that two tables share are one unknown; sums are written anew here, from the cells that left."""
    rows = registry_rows([course(after, age, ending, weeks) for after, age, ending, weeks in drawn], AS_OF)

    assert all(cell.count is None or cell.count >= 5 for cell in rows)
    shown, sums = {}, []
    for cell in rows:
        name = (cell.row, cell.column) if cell.column == "all" else (cell.table, cell.row, cell.column)
        assert shown.setdefault(name, cell.count) == cell.count
    for name in ("response at the end", "ending"):
        own = [cell for cell in rows if cell.table == name]
        key = {(c.row, c.column): (c.row, c.column) if c.column == "all" else (name, c.row, c.column) for c in own}
        lines, columns = {c.row for c in own}, {c.column for c in own}
        sums += [(key[r, "all"], tuple(key[r, c] for c in columns - {"all"})) for r in lines]
        sums += [(key["all", c], tuple(key[r, c] for r in lines - {"all"})) for c in columns]
    weeks = tuple(("week of loss", c.row, c.column) for c in rows if c.table == "week of loss")
    if weeks:
        sums.append((("response at the end", "all", "responded"), weeks))
    for cell in [cell for cell, count in shown.items() if count is None]:
        low, high = bounds(cell, shown, sums)
        assert high - low >= 5 - 1e-6
