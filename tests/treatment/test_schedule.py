"""What falls due when, in courses that end as planned, early or late."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.instruments import INSTRUMENTS
from reprieve.sources import read_table
from reprieve.treatment.schedule import ScheduleError, due, slot, slots

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/explanation/outcomes.md"
START = date(2026, 11, 30)
SIX = (0, 2, 4, 7, 9, 11)  # days of six sessions in two weeks


def day(number: int) -> date:
    return START + timedelta(days=number)


def days_of(found, instrument: str) -> list[tuple[int, str]]:
    return [((each.day - START).days, each.slot.moment) for each in found if each.instrument == instrument]


def follow_up(found, end: date) -> list[tuple[str, int]]:
    return [(each.slot.id, (each.day - end).days) for each in found if each.slot.moment.startswith("week-")]


courses = st.lists(st.integers(0, 120), min_size=1, max_size=12, unique=True).map(lambda days: sorted({0, *days}))


def test_every_slot_names_an_instrument_a_fact_and_whose_choice_it_is():
    rows = read_table("reprieve.treatment", "outcome_schedule.csv")

    assert {row["choice"] for row in rows} == {"source", "our choice"}
    assert {each.instrument for each in slots().values()} - set(INSTRUMENTS) == {"side effects"}
    assert all(each.source.url.startswith(("https://", "http://")) for each in slots().values())
    assert all(len(each.id) <= 40 for each in slots().values())
    assert len({(each.moment, each.instrument) for each in slots().values()}) == len(slots())


def test_six_sessions_in_two_weeks():
    found = due(START, day(11), [day(each) for each in SIX])

    follow_up = [(39, "week-4"), (67, "week-8"), (95, "week-12"), (193, "week-26")]
    assert days_of(found, "PCL-5") == [
        (0, "baseline"), (2, "session"), (4, "session"), (7, "session"), (9, "session"), (11, "session"),
        (12, "end"), *follow_up,
    ]  # fmt: skip
    assert days_of(found, "PHQ-9") == [(0, "baseline"), (7, "weekly"), (12, "end"), *follow_up]
    assert days_of(found, "CAPS-5") == [(0, "baseline"), (12, "end"), (39, "week-4")]
    assert days_of(found, "side effects") == [
        (1, "check-in"), (3, "check-in"), (7, "weekly"), (12, "end"), *follow_up,
    ]  # fmt: skip


def test_weeks_without_a_session_are_measured_too():
    found = due(START, day(28), [day(each) for each in (0, 14, 28)])

    assert days_of(found, "PCL-5")[:6] == [
        (0, "baseline"), (7, "weekly"), (14, "session"), (21, "weekly"), (28, "session"), (29, "end"),
    ]  # fmt: skip


def test_a_course_that_ends_after_one_session_is_followed_up_from_then():
    found = due(START, START, [day(each) for each in SIX])

    assert days_of(found, "PCL-5")[:3] == [(0, "baseline"), (1, "end"), (28, "week-4")]
    assert days_of(found, "side effects")[:2] == [(1, "check-in"), (28, "week-4")]


def test_windows_are_open_around_the_day():
    [week_4] = [each for each in due(START, day(11)) if each.slot.id == "week-4-pcl5"]

    assert (week_4.first, week_4.day, week_4.last) == (day(32), day(39), day(46))
    assert (week_4.reason, week_4.source.name) == ("4 weeks after the course", "our choice")


def test_a_course_that_ends_before_it_starts_is_refused():
    with pytest.raises(ScheduleError, match="must not end before it starts"):
        due(START, day(-1))


def test_a_moment_without_the_instrument_is_refused():
    with pytest.raises(ScheduleError, match="not measured"):
        slot("week-8", "CAPS-5")


@given(courses)
def test_follow_up_hangs_on_the_end_alone(sessions):
    end = day(sessions[-1])

    assert follow_up(due(START, end, map(day, sessions)), end) == follow_up(due(START, START), START)


@given(courses)
def test_every_session_and_every_week_of_the_course_has_its_pcl5(sessions):
    own = [each for each in due(START, day(sessions[-1]), map(day, sessions)) if each.instrument == "PCL-5"]

    for session in sessions[1:]:
        assert any(each.first <= day(session) <= each.last for each in own)
    for week in range(7, sessions[-1] + 1, 7):
        assert any(each.first <= day(week + 2) and each.last >= day(week - 2) for each in own)


@given(courses)
def test_nothing_is_asked_twice_and_every_day_lies_in_its_window(sessions):
    found = due(START, day(sessions[-1]), map(day, sessions))

    assert max(Counter((each.slot.id, each.day) for each in found).values()) == 1
    assert all(each.first <= each.day <= each.last for each in found)
    assert [each.day for each in found] == sorted(each.day for each in found)


@given(courses, st.integers(0, 60))
def test_ending_early_drops_what_was_planned_after(sessions, cut):
    last = min(cut, sessions[-1])
    found = due(START, day(last), map(day, sessions))

    assert all(each.day <= day(last) for each in found if each.slot.moment in ("session", "weekly"))
    assert {each.slot.moment for each in found} >= {"baseline", "end", "week-26"}


def test_the_document_has_every_moment_and_what_is_measured_then():
    moments = {}
    for each in slots().values():
        moments.setdefault(each.words, []).append(each.instrument)

    found = [
        line
        for line in DOCUMENT.read_text().splitlines()
        if line.startswith(tuple(f"| {words} |" for words in moments))
    ]

    assert found == [f"| {words} | {', '.join(instruments)} |" for words, instruments in moments.items()]
