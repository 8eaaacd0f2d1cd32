"""Survival curves held to lifelines, and by hand where a person can count."""

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprieve.treatment.survival import Curve, Median, Step, SurvivalError, kaplan_meier

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what lifelines imports is not ours to mend
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

FREIREICH = (  # weeks of remission of 21 people on 6-MP, Freireich 1963: published in every textbook
    [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
)
TIES = ([5, 8, 8, 12, 20, 20, 30], [1, 1, 0, 1, 0, 1, 1])
ALL_LOST = ([1, 2, 3, 4, 4, 9], [1] * 6)
NONE_LOST = ([3, 3, 28], [0, 0, 0])
LOST_AT_ONCE = ([0, 0, 5, 7], [1, 0, 1, 0])

people = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)


def hold_to_lifelines(days, lost):
    curve = kaplan_meier(days, [bool(each) for each in lost])
    peer = KaplanMeierFitter().fit(days, lost)

    assert [step.day for step in curve.steps] == list(peer.survival_function_.index)
    assert [step.survival for step in curve.steps] == pytest.approx(
        peer.survival_function_["KM_estimate"].to_list(), abs=1e-9
    )
    for step, (low, high) in zip(curve.steps, peer.confidence_interval_.to_numpy(), strict=True):
        if 1e-9 < step.survival < 1 - 1e-9:
            assert (step.low, step.high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
        else:
            assert (step.low, step.high) == (None, None)  # where lifelines writes 1 to 1 or 0 to 0
    at_risk = peer.event_table["at_risk"]
    assert [step.at_risk for step in curve.steps] == [at_risk[step.day] for step in curve.steps]
    if all(abs(step.survival - 0.5) > 1e-9 for step in curve.steps):
        hold_median(curve, peer)


def hold_median(curve: Curve, peer):
    def finite(value):
        return None if value == float("inf") else value

    low, high = median_survival_times(peer.confidence_interval_).to_numpy()[0]
    assert curve.median.day == finite(peer.median_survival_time_)
    with_nobody_left = [step.day for step in curve.steps if step.survival < 1e-9]
    expected = [None if end in with_nobody_left else finite(end) for end in (low, high)]
    assert [curve.median.low, curve.median.high] == expected


@pytest.mark.parametrize("data", [FREIREICH, TIES, ALL_LOST, NONE_LOST, LOST_AT_ONCE])
def test_the_curve_its_interval_and_median_agree_with_lifelines(data):
    hold_to_lifelines(*data)


@settings(max_examples=40, deadline=None)
@given(people)
def test_whatever_is_drawn_agrees_with_lifelines(drawn):
    hold_to_lifelines([day for day, _ in drawn], [lost for _, lost in drawn])


def test_freireichs_remissions_have_the_median_of_the_textbooks():
    days, lost = FREIREICH

    assert kaplan_meier(days, lost).median == Median(23, 13, None)


def test_nobody_gives_an_empty_curve():
    assert kaplan_meier([], []) == Curve(0, 0, (Step(0.0, 0, 0, 1.0, None, None),), Median(None, None, None))


@pytest.mark.parametrize(
    ("lost", "steps", "median"),
    [
        (True, (Step(0.0, 1, 0, 1.0, None, None), Step(4.0, 1, 1, 0.0, None, None)), Median(4.0, None, None)),
        (False, (Step(0.0, 1, 0, 1.0, None, None), Step(4.0, 1, 0, 1.0, None, None)), Median(None, None, None)),
    ],
)
def test_one_person_has_a_curve_and_no_interval(lost, steps, median):
    assert kaplan_meier([4], [lost]) == Curve(1, int(not lost), steps, median)


def test_half_lost_is_the_median_in_spite_of_rounding():
    assert kaplan_meier([1, 2, 3, 4, 5, 5, 5, 5], [True] * 4 + [False] * 4).median.day == 4


def test_numbers_at_risk_are_those_followed_up_to_the_day():
    curve = kaplan_meier([0, 28, 56], [False, False, True])

    assert [curve.at_risk_on(day) for day in (0, 1, 28, 29, 56, 57)] == [3, 2, 2, 1, 1, 0]


@pytest.mark.parametrize(
    ("days", "lost"), [([1, 2], [True]), ([-1], [True]), ([float("nan")], [False]), ([float("inf")], [False])]
)
def test_what_is_no_day_is_refused(days, lost):
    with pytest.raises(SurvivalError):
        kaplan_meier(days, lost)
