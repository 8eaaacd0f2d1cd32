"""The days of a course: open, in order, never too near, and none is lost."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.sources import read_table
from reprieve.treatment.plan import LEAST_GAP_DAYS, PlanError, days_of, instead_of, next_open, templates

MONDAY = date(2026, 11, 30)
EVERY = pytest.mark.parametrize("name", templates())


def weekdays(day: date) -> bool:
    return day.weekday() < 5


def always(day: date) -> bool:
    return True


@st.composite
def openings(draw):
    """A clinic's week and its holidays."""
    week = draw(st.sets(st.integers(0, 6), min_size=1))
    closed = draw(st.sets(st.integers(0, 90).map(lambda day: MONDAY + timedelta(days=day)), max_size=30))
    return lambda day: day.weekday() in week and day not in closed


@EVERY
def test_a_template_says_what_its_source_says(name):
    row = next(row for row in read_table("reprieve.treatment", "plans.csv") if row["plan_id"] == name)
    template = templates()[name]

    assert len(template.days) == int(row["sessions"])
    assert template.days[0] == 0
    assert all(later - earlier >= LEAST_GAP_DAYS for earlier, later in pairwise(template.days))
    if template.maintenance:
        assert template.note.startswith("our choice:")
    else:
        said = f"{template.fact.value} {template.fact.timing}"
        assert f"{row['sessions']} infusions" in said
        assert "our choice" in template.note  # the days of the week


@pytest.mark.parametrize(
    ("name", "text", "fact_text"),
    [
        ("6-in-2-weeks", "3 a week for 2 weeks", "value"),
        ("8-in-4-weeks", "2 a week for 4 weeks", "value"),
        ("8-in-4-weeks-low", "8 infusions twice weekly", "timing"),
    ],
)
def test_as_many_a_week_as_in_the_trial(name, text, fact_text):
    template = templates()[name]
    weeks = [sum(day // 7 == week for day in template.days) for week in range(template.days[-1] // 7 + 1)]

    assert text in getattr(template.fact, fact_text)
    assert set(weeks) == {3 if name == "6-in-2-weeks" else 2}


@EVERY
def test_in_a_clinic_that_never_closes_the_days_are_the_template_s(name):
    found = days_of(templates()[name], MONDAY, always)

    assert tuple((day - MONDAY).days for day in found) == templates()[name].days


@EVERY
@given(is_open=openings(), start=st.integers(0, 13))
def test_days_are_open_in_order_apart_and_none_is_lost(name, is_open, start):
    template, first = templates()[name], MONDAY + timedelta(days=start)

    found = days_of(template, first, is_open)

    assert len(found) == len(template.days)
    assert all(is_open(day) for day in found)
    assert all((later - earlier).days >= LEAST_GAP_DAYS for earlier, later in pairwise(found))
    assert all((day - found[0]).days >= offset for day, offset in zip(found, template.days, strict=True))
    assert found[0] == next_open(first, is_open)


def test_a_first_day_that_is_closed_moves_the_whole_course():
    saturday = MONDAY - timedelta(days=2)

    assert days_of(templates()["8-in-4-weeks"], saturday, weekdays) == days_of(
        templates()["8-in-4-weeks"], MONDAY, weekdays
    )


def test_sessions_after_the_end_are_left_out_and_the_last_day_counts():
    template = templates()["maintenance"]

    assert len(days_of(template, MONDAY, weekdays, MONDAY + timedelta(days=28))) == 3
    assert len(days_of(template, MONDAY, weekdays, MONDAY + timedelta(days=27))) == 2
    with pytest.raises(PlanError, match="no session fits before"):
        days_of(template, MONDAY, weekdays, MONDAY - timedelta(days=1))


def test_a_clinic_that_stays_closed_has_no_plan():
    with pytest.raises(PlanError, match="no open day"):
        days_of(templates()["maintenance"], MONDAY, lambda day: False)


@given(
    is_open=openings(),
    others=st.sets(st.integers(-14, 40).map(lambda day: MONDAY + timedelta(days=day)), max_size=8),
    missed=st.integers(-10, 10),
)
def test_a_missed_session_gets_the_first_open_day_with_room(is_open, others, missed):
    lost = MONDAY + timedelta(days=missed)

    found = instead_of(lost, sorted(others), MONDAY, is_open)

    def fits(day):
        return is_open(day) and all(abs((day - other).days) >= LEAST_GAP_DAYS for other in others)

    assert found > max(lost, MONDAY)
    assert fits(found)
    between = [max(lost, MONDAY) + timedelta(days=ahead) for ahead in range(1, (found - max(lost, MONDAY)).days)]
    assert not any(fits(day) for day in between)
