"""The clinic as a whole: every count has a denominator, what is missing is shown, and arrays agree with one by one."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reprieve.evidence.tables import tables
from reprieve.treatment.adverse import terms
from reprieve.treatment.outcome import NO, NOT_MEASURED, UNDECIDED, YES, Measured, baseline_of, judge
from reprieve.treatment.results import (
    CourseRecord,
    HarmCount,
    Minutes,
    ResultsError,
    Share,
    Totals,
    published,
    published_median,
    summarise,
)
from reprieve.treatment.survival import kaplan_meier

START = date(2026, 1, 5)
END = START + timedelta(days=11)
AS_OF = date(2026, 11, 25)
DONE = CourseRecord(START, END, 6, 6, 0, "as_planned")


def pcl(day: int, low: int, high: int | None = None) -> Measured:
    return Measured(START + timedelta(days=day), "PCL-5", (low, low if high is None else high))


def with_totals(*measured: Measured) -> CourseRecord:
    return replace(DONE, measured=measured)


def response_of(records, moment: str, as_of: date = AS_OF, instrument: str = "PCL-5"):
    [found] = [
        each
        for each in summarise(records, as_of).responses
        if (each.moment, each.rule.instrument) == (moment, instrument)
    ]
    return found


def counts_of(records) -> dict[str, tuple[int, int, int]]:
    return {each.id: (each.share.events, each.share.n, each.unknown) for each in summarise(records, AS_OF).counts}


def test_response_is_shown_of_those_measured_and_at_worst_and_at_best():
    """Two responded, one did not, blanks leave one open, two were not measured at the end, one not before."""
    records = [with_totals(pcl(0, 50), pcl(12, after)) for after in (30, 35, 36)]
    records += [
        with_totals(pcl(0, 50), pcl(12, 34, 36)),
        with_totals(pcl(0, 50)),
        with_totals(),
        with_totals(pcl(12, 9)),
    ]

    found = response_of(records, "end")

    assert (found.undecided, found.missing) == (1, 3)
    assert [(share.events, share.n) for share in (found.of_measured, found.if_none, found.if_all)] == [
        (2, 3), (2, 7), (6, 7),
    ]  # fmt: skip


@pytest.mark.parametrize(("before", "undecided"), [((50, 50), 0), ((49, 50), 1)])
def test_blanks_before_the_course_leave_a_response_open(before, undecided):
    found = response_of([with_totals(pcl(0, *before), pcl(12, 35))], "end")

    assert (found.of_measured.events, found.undecided) == (1 - undecided, undecided)


@pytest.mark.parametrize(("day", "n"), [(18, 0), (19, 1)])
def test_a_course_counts_once_its_window_has_closed(day, n):
    """The last day on which the end can be measured is day 18."""
    found = response_of([with_totals(pcl(0, 50), pcl(12, 30))], "end", START + timedelta(days=day))

    assert (found.if_none.n, found.missing) == (n, 0)


def test_four_weeks_after_has_its_own_window():
    records = [with_totals(pcl(0, 50), pcl(12, 30), pcl(day, 30)) for day in (31, 32, 46, 47)]

    found = response_of(records, "week-4")

    assert (found.of_measured.events, found.missing) == (2, 2)


def test_a_total_of_more_than_two_weeks_before_the_course_is_no_baseline():
    records = [with_totals(pcl(day, 50), pcl(12, 30)) for day in (-15, -14)]

    assert response_of(records, "end").missing == 1


def test_courses_that_never_began_or_go_on_are_in_no_response():
    records = [CourseRecord(), CourseRecord(START, None, 6, 2, measured=(pcl(0, 50), pcl(4, 20)))]

    found = summarise(records, AS_OF)

    assert (found.courses, found.started, found.ended) == (2, 1, 0)
    assert {each.if_none.n for each in found.responses} == {0}
    assert {curve.n for curve in found.losses.values()} == {0}


def test_loss_of_response_is_followed_from_the_measure_at_the_end():
    records = [
        with_totals(pcl(0, 50), pcl(12, 30), pcl(40, 33), pcl(68, 40)),  # seen lost after 56 days
        with_totals(pcl(0, 50), pcl(13, 30), pcl(40, 31)),  # last seen kept after 27
        with_totals(pcl(0, 50), pcl(12, 30)),  # never seen again
        with_totals(pcl(0, 50), pcl(12, 45), pcl(40, 30)),  # did not respond
    ]

    assert summarise(records, AS_OF).losses["PCL-5"] == kaplan_meier([56, 27, 0], [True, False, False])


def test_counts_have_their_denominators():
    records = [
        replace(DONE, contact_kept=True),
        replace(DONE, given=2, stopped_early=1, missed=3, ending="harm", contact_kept=False),
        CourseRecord(START, None, 6, 1, contact_kept=True),
        CourseRecord(),
    ]

    assert counts_of(records) == {
        "contact-kept": (2, 3, 1),
        "given": (8, 12, 0),
        "missed": (3, 12, 0),
        "stopped-early": (1, 9, 0),
        "ending-as_planned": (1, 2, 0),
        "ending-harm": (1, 2, 0),
    }


def test_minutes_of_consent_name_how_many_were_not_noted():
    records = [replace(DONE, consent_min=minutes) for minutes in (20, 30, 40, 50, None)]

    assert summarise(records, AS_OF).consent == Minutes(4, 1, 35.0, (27.5, 42.5))
    assert summarise([], AS_OF).consent == Minutes(0, 0, None, None)


def test_harms_are_counted_by_person_and_by_session():
    records = [
        replace(DONE, harms=((1, "nausea"), (1, "nausea"), (2, "nausea"))),
        replace(DONE, harms=((3, "nausea"), (3, "chest_pain"))),
        replace(DONE, given=3),
        CourseRecord(),
    ]

    harms = summarise(records, AS_OF).harms

    words = terms()["nausea"].words
    assert harms[0] == HarmCount("nausea", words, Share.of(2, 3), Share.of_sessions(3, 15))
    assert {each.code for each in harms} == set(terms())
    assert {each.people.n for each in harms} == {3}


def test_a_harm_that_nobody_had_has_an_upper_limit():
    [found] = [each for each in summarise([DONE] * 20, AS_OF).harms if each.code == "chest_pain"]

    assert (found.people.events, found.people.n, found.people.high) == (0, 20, pytest.approx(0.1684, abs=1e-4))


def test_nobody_is_no_share():
    assert Share.of(0, 0) == Share(0, 0, None, None, None)
    assert Share.of(0, 0).words == "nothing to count yet"
    assert Share.of_sessions(3, 12).words == "3 of 12 (25 %)"


def test_an_empty_clinic_has_a_summary():
    assert {each.share.n for each in summarise([], AS_OF).counts} == {0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"given": -1},
        {"given": 2, "stopped_early": 3},
        {"ending": ""},
        {"ended_on": None},
        {"ended_on": START - timedelta(days=1)},
        {"harms": ((0, "nausea"),)},
    ],
)
def test_a_record_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ResultsError):
        replace(DONE, **wrong)


totals = st.tuples(st.integers(0, 80), st.integers(0, 4)).map(lambda pair: (pair[0], min(80, sum(pair))))
days = st.sampled_from([-15, -14, -3, 0, 5, 12, 18, 19, 32, 46, 60, 100]).map(lambda day: START + timedelta(days=day))
measures = st.builds(Measured, days, st.sampled_from(["PCL-5", "CAPS-5"]), totals)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(measures, max_size=8, unique_by=lambda each: (each.on, each.instrument)), max_size=6))
def test_all_at_once_agrees_with_one_by_one(drawn):
    records = [with_totals(*measured) for measured in drawn]
    for instrument, found in Totals.of(records).items():
        surely, perhaps, there = found.responded("end")
        lost = {int(course): rest for course, *rest in zip(*found.lost(), strict=True)}
        for number, record in enumerate(records):
            baseline = baseline_of(record.measured, START, instrument)
            one = judge(baseline, record.measured, END, instrument)
            code = (
                NOT_MEASURED if not there[number] else YES if surely[number] else UNDECIDED if perhaps[number] else NO
            )
            assert code == one.response.result
            assert (number in lost) == (one.response.result == YES)
            if number in lost:
                days = [day.toordinal() if day else -1 for day in (one.loss.since, one.loss.kept_on, one.loss.lost_on)]
                assert lost[number] == days


def test_the_trials_beside_it_are_rows_of_the_evidence():
    found = {each.row.id: each for each in published()}

    assert found["feder2021-4"].share == Share.of(10, 15)
    assert found["feder2021-5"].treatment == "midazolam, 0.045 mg/kg, IV"
    assert {each.row.study_id for each in published()} >= {"feder2021", "abdallah2022"}
    assert found["abdallah2022-2"].words == "no significant difference between the groups, in 158 people"
    assert not any(each.row.is_recalled for each in published())
    assert all(each.row is tables().outcomes[each.row.id] for each in published())


def test_the_published_median_is_the_trial_s():
    assert [published_median(name).days for name in ("CAPS-5", "PCL-5")] == [27.5, 41]
    assert published_median("PHQ-9") is None


def test_the_sentence_says_that_this_is_no_proof():
    assert "no proof" in summarise([], AS_OF).sentence
