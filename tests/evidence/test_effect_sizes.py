"""Effect sizes are metafor's, positive when they favour arm a, and refused with a way out when they cannot be had."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gamma
from scipy.stats import norm, t

from reprieve.evidence.effect_sizes import (
    EffectSize,
    EffectSizeError,
    crossover_sensitivity,
    number_needed_to_treat,
    odds_ratio,
    ratio,
    risk_difference,
    risk_ratio,
    smd_from_crossover,
    smd_from_mean_difference,
    smd_from_means,
    smd_from_t,
)
from tests.evidence.metafor import METAFOR

SMD = METAFOR["effect_sizes"]["smd"]
COUNTED = {"log_risk_ratio": risk_ratio, "log_odds_ratio": odds_ratio, "risk_difference": risk_difference}

people = st.integers(5, 200)
scores = st.floats(0, 100).map(lambda value: round(value, 2))
deviations = st.floats(1, 30).map(lambda value: round(value, 2))


@st.composite
def tables(draw):
    n_a, n_b = draw(people), draw(people)
    return draw(st.integers(1, n_a - 1)), n_a, draw(st.integers(1, n_b - 1)), n_b


# --- standardised mean differences -------------------------------------------------------------------------------


def test_hedges_g_is_metafors():
    columns = [SMD[name] for name in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]
    found = [smd_from_means(*row, higher_is_worse=False) for row in zip(*columns, strict=True)]

    assert [effect.estimate for effect in found] == pytest.approx(SMD["estimate"], rel=1e-10)
    assert [effect.variance for effect in found] == pytest.approx(SMD["variance"], rel=1e-10)


@pytest.mark.parametrize("df", [2, 3, 10, 58, 400])
def test_the_correction_is_the_gamma_one(df):
    n_a, n_b = (df + 2) // 2, df + 2 - (df + 2) // 2
    exact = math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)

    assert smd_from_means(1, 1, n_a, 0, 1, n_b, higher_is_worse=False).estimate == pytest.approx(exact)
    if df < 100:
        assert exact == pytest.approx(gamma(df / 2) / (math.sqrt(df / 2) * gamma((df - 1) / 2)))


def test_on_a_symptom_scale_the_lower_score_is_the_better():
    lower_in_a = (18, 9, 30, 25, 10, 31)

    assert smd_from_means(*lower_in_a, higher_is_worse=True).estimate > 0
    assert smd_from_means(*lower_in_a, higher_is_worse=False).estimate < 0


@given(scores, deviations, people, scores, deviations, people)
def test_means_t_and_mean_difference_tell_the_same(mean_a, sd_a, n_a, mean_b, sd_b, n_b):
    whole = smd_from_means(mean_a, sd_a, n_a, mean_b, sd_b, n_b, higher_is_worse=True)
    df, difference = n_a + n_b - 2, mean_a - mean_b
    pooled = math.sqrt(((n_a - 1) * sd_a**2 + (n_b - 1) * sd_b**2) / df)
    se = pooled * math.sqrt(1 / n_a + 1 / n_b)
    reach = t.ppf(0.95, df) * se
    sources = [
        {"se": se},
        {"sd": pooled},
        {"interval": (difference - reach, difference + reach), "level": 0.9},
    ]
    p_value = 2 * t.sf(abs(difference) / se, df)
    if difference != 0 and 1e-12 < p_value < 1:
        sources.append({"p_value": p_value})

    for source in sources:
        found = smd_from_mean_difference(difference, n_a, n_b, higher_is_worse=True, **source)
        assert found.estimate == pytest.approx(whole.estimate, rel=1e-3 if "p_value" in source else 1e-9, abs=1e-9)
        assert found.measure == "smd"
    assert smd_from_t(-difference / se, n_a, n_b).estimate == pytest.approx(whole.estimate)


def test_how_names_the_source():
    found = smd_from_mean_difference(-6.0, 30, 31, higher_is_worse=True, interval=(-10.0, -2.0))

    assert found.how == "From the mean difference and its 95% interval, taking the two arms to vary alike."


def test_no_difference_and_a_p_of_one_is_no_effect():
    assert smd_from_mean_difference(0.0, 20, 20, higher_is_worse=True, p_value=1.0).estimate == 0


# --- crossover trials --------------------------------------------------------------------------------------------


def test_a_crossover_trial_by_hand():
    n, r, statistic = 22, 0.6, 2.4
    d = statistic / math.sqrt(n) * math.sqrt(2 * (1 - r))
    j = gamma(21 / 2) / (math.sqrt(21 / 2) * gamma(20 / 2))
    found = smd_from_crossover(n=n, correlation=r, t=statistic, higher_is_worse=False)

    assert found.estimate == pytest.approx(j * d)
    assert found.variance == pytest.approx(j**2 * (1 / n + d**2 / (2 * n)) * 2 * (1 - r))
    assert found.how == (
        "From the paired t statistic of 22 people who had both, assuming a correlation of 0.6 between their two scores."
    )


def test_at_a_correlation_of_a_half_the_two_standard_deviations_are_one():
    found = smd_from_crossover(n=400, correlation=0.5, t=4.0, higher_is_worse=False)

    assert found.estimate == pytest.approx(4.0 / 20, rel=2e-3)  # d is then d_z


@pytest.mark.parametrize(
    "source",
    [
        {"t": -2.0},
        {"difference": -6.0, "se": 3.0},
        {"difference": -6.0, "interval": (-6.0 - t.ppf(0.975, 19) * 3, -6.0 + t.ppf(0.975, 19) * 3)},
        {"difference": -6.0, "p_value": 2 * t.sf(2.0, 19)},
    ],
)
def test_a_paired_difference_gives_its_t(source):
    found = smd_from_crossover(n=20, correlation=0.4, higher_is_worse=True, **source)

    assert found.estimate == pytest.approx(
        smd_from_crossover(n=20, correlation=0.4, t=2.0, higher_is_worse=False).estimate
    )


def test_the_assumed_correlation_is_tried_at_each_value():
    found = crossover_sensitivity((0.0, 0.5, 0.9), n=20, t=2.0, higher_is_worse=False)

    assert [r for r, _ in found] == [0.0, 0.5, 0.9]
    assert found[1][1] == smd_from_crossover(n=20, correlation=0.5, t=2.0, higher_is_worse=False)
    assert found[0][1].estimate > found[1][1].estimate > found[2][1].estimate


# --- counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["bcg", "zeros"])
@pytest.mark.parametrize("measure", COUNTED)
def test_counts_give_metafors_numbers(table, measure):
    expected = METAFOR["effect_sizes"][table]
    rows = list(zip(*(expected["counts"][name] for name in ("events_a", "n_a", "events_b", "n_b")), strict=True))
    if measure == "risk_difference" and table == "zeros":
        rows, corrected = rows[:3], rows[3]  # none against all: the variance is metafor's 0, and ours is not
        assert expected[measure]["variance"][3] == 0 < risk_difference(*corrected, event_is_good=True).variance
    found = [COUNTED[measure](*row, event_is_good=True) for row in rows]

    assert [effect.estimate for effect in found] == pytest.approx(expected[measure]["estimate"][: len(rows)], rel=1e-10)
    assert [effect.variance for effect in found] == pytest.approx(expected[measure]["variance"][: len(rows)], rel=1e-10)


def test_only_a_zero_cell_is_corrected_and_how_says_so():
    corrected = "From the counts of events; half was added to each cell because one was zero."

    assert risk_ratio(0, 20, 4, 21, event_is_good=False).how == corrected
    assert odds_ratio(12, 12, 7, 13, event_is_good=True).how == corrected
    assert risk_ratio(1, 20, 4, 21, event_is_good=False).how == "From the counts of events."


@given(tables(), st.sampled_from(list(COUNTED)))
def test_a_bad_event_turns_the_sign_and_so_do_the_arms(table, measure):
    effect_of, swapped = COUNTED[measure], (*table[2:], *table[:2])
    good = effect_of(*table, event_is_good=True)

    assert effect_of(*table, event_is_good=False).estimate == -good.estimate
    assert effect_of(*swapped, event_is_good=True).estimate == pytest.approx(-good.estimate, abs=1e-12)


@given(tables(), st.booleans())
def test_the_plain_ratio_is_a_over_b(table, event_is_good):
    events_a, n_a, events_b, n_b = table
    found = ratio(risk_ratio(*table, event_is_good=event_is_good), event_is_good=event_is_good)

    assert found.value == pytest.approx((events_a / n_a) / (events_b / n_b))
    assert found.low <= found.value <= found.high


def test_fewer_bad_events_in_a_favour_a():
    assert risk_ratio(3, 9, 6, 9, event_is_good=False).estimate == pytest.approx(math.log(2))
    assert odds_ratio(3, 9, 6, 9, event_is_good=False).estimate == pytest.approx(math.log(4))
    assert risk_difference(3, 9, 6, 9, event_is_good=False).estimate == pytest.approx(1 / 3)


@pytest.mark.parametrize("n", [10, 100])
def test_no_event_in_either_arm_still_has_a_risk_difference(n):
    found = risk_difference(0, n, 0, n, event_is_good=False)

    assert found.estimate == 0
    assert found.variance == pytest.approx(2 * (0.5 / (n + 1)) * (1 - 0.5 / (n + 1)) / (n + 1))


# --- number needed to treat ---------------------------------------------------------------------------------------


def test_altmans_example_of_an_interval_through_infinity():
    # BMJ 1998;317:1309: risk difference 10.0%, 95% interval -5.3% to 25.3%; NNTB 10, NNTH 18.9 to infinity to NNTB 4.0
    effect = EffectSize(0.10, ((0.253 + 0.053) / 2 / norm.ppf(0.975)) ** 2, "risk_difference", "Given.")
    found = number_needed_to_treat(effect)

    assert (found.number, found.direction) == (pytest.approx(10), "benefit")
    assert (found.low, found.low_direction) == (pytest.approx(1 / 0.253), "benefit")
    assert (found.high, found.high_direction) == (pytest.approx(1 / 0.053), "harm")
    assert found.through_infinity
    assert str(found) == "10.0 (benefit), 95% interval 4.0 (benefit) to infinity to 18.9 (harm)"


def test_a_harm_counts_the_people_for_one_more_harmed():
    found = number_needed_to_treat(risk_difference(15, 20, 3, 20, event_is_good=False))

    assert (found.number, found.direction) == (pytest.approx(1 / 0.6), "harm")
    assert not found.through_infinity
    assert (found.low_direction, found.high_direction) == ("harm", "harm")
    assert found.low > found.number > found.high


def test_no_difference_needs_infinitely_many():
    found = number_needed_to_treat(risk_difference(5, 20, 5, 20, event_is_good=True))

    assert (found.number, found.direction) == (math.inf, "neither")
    assert str(found) == "infinity, 95% interval 3.7 (benefit) to infinity to 3.7 (harm)"


# --- what cannot be had -------------------------------------------------------------------------------------------

TEN = {"n_a": 10, "n_b": 10, "higher_is_worse": True}
PAIRS = {"n": 20, "correlation": 0.5, "higher_is_worse": True}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: smd_from_means(20, 0, 10, 25, 5, 10, higher_is_worse=True),
            "sd_a is 0; it must be finite and above zero "
            "(a standard error times the square root of n is a standard deviation)",
        ),
        (
            lambda: smd_from_means(math.nan, 5, 10, 25, 5, 10, higher_is_worse=True),
            "mean_a is nan; it must be a finite number (leave the trial out and say why)",
        ),
        (
            lambda: smd_from_means(20, 5, 10, 25, 5, 1, higher_is_worse=True),
            "n_b is 1; an arm needs 2 people or more (describe the trial in words instead)",
        ),
        (
            lambda: smd_from_mean_difference(-6, **TEN),
            "exactly one of se, interval, p_value, sd is needed; none given",
        ),
        (
            lambda: smd_from_mean_difference(-6, se=2, p_value=0.01, **TEN),
            "exactly one of se, interval, p_value, sd is needed; se and p_value given",
        ),
        (
            lambda: smd_from_mean_difference(-6, p_value=0, **TEN),
            "a p value of 0 gives no size; give it as an upper bound (for P<0.001 give 0.001)",
        ),
        (
            lambda: smd_from_mean_difference(-6, p_value=1.2, **TEN),
            "p value 1.2 must be above 0 and at most 1 (two-sided, as reported)",
        ),
        (
            lambda: smd_from_mean_difference(0, p_value=0.04, **TEN),
            "a difference of 0 cannot have a two-sided p value of 0.04; give its standard error or interval",
        ),
        (
            lambda: smd_from_mean_difference(-6, interval=(-2, -10), **TEN),
            "interval -2 to -10 is out of order; give the lower end first",
        ),
        (
            lambda: smd_from_mean_difference(6, interval=(-10, -2), **TEN),
            "interval -10 to -2 does not hold the difference 6; check the signs (both are a minus b)",
        ),
        (
            lambda: smd_from_mean_difference(-6, interval=(-10, -2), level=95, **TEN),
            "level 95 must be above 0 and below 1 (0.95 for a 95% interval)",
        ),
        (
            lambda: smd_from_mean_difference(-6, se=-1, **TEN),
            "se is -1; it must be finite and above zero (give an interval or a p value if it is not reported)",
        ),
        (
            lambda: smd_from_crossover(t=2, **PAIRS | {"correlation": 1}),
            "correlation 1 must be above -1 and below 1 (where it is not reported, try 0.3, 0.5 and 0.7)",
        ),
        (
            lambda: smd_from_crossover(t=2, **PAIRS | {"n": 2}),
            "n is 2; a paired effect needs 3 people or more (describe the trial in words instead)",
        ),
        (
            lambda: smd_from_crossover(**PAIRS),
            "give exactly one of t and difference (a difference comes with se, interval or p_value)",
        ),
        (
            lambda: smd_from_crossover(t=2, se=1, **PAIRS),
            "t already says how precise it is; leave out se, interval and p_value",
        ),
        (
            lambda: smd_from_crossover(difference=-6, **PAIRS),
            "exactly one of se, interval, p_value is needed; none given",
        ),
        (
            lambda: risk_ratio(0, 20, 0, 21, event_is_good=False),
            "0 of 20 against 0 of 21: nobody in either arm had an event, so no risk ratio can be had "
            "(use risk_difference, which is 0 here and has an interval)",
        ),
        (
            lambda: odds_ratio(20, 20, 21, 21, event_is_good=True),
            "20 of 20 against 21 of 21: everybody in either arm had an event, so no odds ratio can be had "
            "(use risk_difference, which is 0 here and has an interval)",
        ),
        (
            lambda: risk_difference(21, 20, 3, 20, event_is_good=True),
            "events_a is 21 of 20; it must be from 0 to 20 (count people, not events)",
        ),
        (
            lambda: risk_difference(1, 20, 0, 0, event_is_good=True),
            "n_b is 0; an arm needs at least one person (give the number analysed)",
        ),
        (
            lambda: ratio(smd_from_t(2, 10, 10), event_is_good=True),
            "a smd is no ratio; give a log_risk_ratio or a log_odds_ratio",
        ),
        (
            lambda: number_needed_to_treat(risk_ratio(3, 9, 6, 9, event_is_good=True)),
            "a log_risk_ratio gives no number needed to treat; give a risk_difference (from the counts of both arms)",
        ),
        (
            lambda: EffectSize(math.inf, 0.1, "smd", "Given."),
            "estimate inf is not a finite number; leave the trial out and say why",
        ),
        (
            lambda: EffectSize(0.1, 0.0, "smd", "Given."),
            "variance 0 must be finite and above zero (give the square of the standard error)",
        ),
        (
            lambda: EffectSize(0.1, 0.1, "hazard_ratio", "Given."),
            "measure 'hazard_ratio' is not known; use one of smd, log_risk_ratio, log_odds_ratio, risk_difference",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_with_a_way_out(call, message):
    with pytest.raises(EffectSizeError) as refused:
        call()

    assert str(refused.value) == message


def test_an_interval_is_as_wide_as_its_level():
    effect = EffectSize(0.5, 0.04, "smd", "Given.")

    assert effect.se == 0.2
    assert effect.interval(0.9) == pytest.approx((0.5 - norm.ppf(0.95) * 0.2, 0.5 + norm.ppf(0.95) * 0.2))
    assert np.diff(effect.interval(0.99)) > np.diff(effect.interval(0.95))
