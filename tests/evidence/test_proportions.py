"""Proportions: exact for one trial, the exact likelihood for several, zeros as they are."""

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binom, norm

from reprieve.evidence import proportions
from reprieve.evidence.pooling import PoolingError
from reprieve.evidence.proportions import FEW_TRIALS, ONE_TRIAL, TYPICAL, exact_interval, pool_proportions
from tests.evidence.metafor import METAFOR

NO_COUNT = "{} is no count of people; events must be whole, from 0 to n (count people, not events)"


@pytest.mark.parametrize("case", METAFOR["exact"])
def test_the_exact_interval_is_rs(case):
    assert exact_interval(case["events"], case["n"], case["level"]) == pytest.approx(
        (case["low"], case["high"]), abs=1e-12
    )


def test_no_event_has_a_closed_form():
    assert exact_interval(0, 30) == (0.0, pytest.approx(1 - 0.025 ** (1 / 30)))
    assert exact_interval(30, 30) == (pytest.approx(0.025 ** (1 / 30)), 1.0)


@given(n=st.integers(1, 300), data=st.data())
def test_the_exact_interval_is_exact(n, data):
    events = data.draw(st.integers(0, n))
    low, high = exact_interval(events, n)

    assert low <= events / n <= high
    if events > 0:
        assert binom.sf(events - 1, n, low) == pytest.approx(0.025)
    if events < n:
        assert binom.cdf(events, n, high) == pytest.approx(0.025)


@pytest.mark.parametrize("name", METAFOR["proportions"])
def test_pooled_proportions_are_metafors(name):
    expected = METAFOR["proportions"][name]
    found = pool_proportions(expected["events"], expected["n"])

    assert found.proportion == pytest.approx(expected["proportion"], abs=1e-5)
    assert (found.ci_low, found.ci_high) == pytest.approx((expected["ci_low"], expected["ci_high"]), abs=1e-5)
    assert found.tau_squared == pytest.approx(expected["tau_squared"], abs=2e-5)
    assert (found.k, found.events, found.n) == (len(expected["n"]), sum(expected["events"]), sum(expected["n"]))
    assert found.notes[0] == TYPICAL


def test_the_data_sets_have_zeros():
    assert METAFOR["proportions"]["coated"]["events"].count(0) == 6


def test_where_glmer_differs_ours_is_the_more_likely():
    for expected in METAFOR["proportions"].values():
        x, n = np.array(expected["events"], float), np.array(expected["n"], float)
        mu, _, tau = proportions._fitted(x, n)
        ours = proportions._negative_log_likelihood(np.array([mu, tau]), x, n)[0]
        theirs = np.array([expected["logit"], expected["tau_squared"] ** 0.5])

        assert ours <= proportions._negative_log_likelihood(theirs, x, n)[0] + 1e-12


@pytest.mark.parametrize(("mu", "tau"), [(-2.0, 0.8), (0.5, 2.5), (0.0, 5.0), (-1.0, 0.05), (1.0, 0.0)])
def test_the_quadrature_is_the_integral(mu, tau):
    x, n = np.array([0.0, 3, 240, 40]), np.array([20.0, 25, 300, 40])

    def integral(count, people):
        def density(u):
            p = expit(mu + tau * u)
            return p**count * (1 - p) ** (people - count) * norm.pdf(u)

        peak = max(np.linspace(-9, 9, 2001), key=density)
        return quad(density, peak - 9, peak + 9, points=[peak], limit=400, epsabs=0, epsrel=1e-11)[0]

    exact = -sum(np.log(integral(count, people)) for count, people in zip(x, n, strict=True))

    assert proportions._negative_log_likelihood(np.array([mu, tau]), x, n)[0] == pytest.approx(exact, rel=1e-7)


def test_trials_alike_are_one_binomial():
    found = pool_proportions([5, 10, 20, 5, 10], [50, 100, 200, 50, 100])

    assert (found.proportion, found.tau_squared) == (pytest.approx(0.1), 0.0)
    reach = norm.ppf(0.975) / np.sqrt(500 * 0.1 * 0.9)
    assert found.ci_high == pytest.approx(expit(np.log(0.1 / 0.9) + reach))


def test_one_trial_has_the_exact_interval_and_says_so():
    found = pool_proportions([3], [20])

    assert (found.proportion, found.ci_low, found.ci_high) == (0.15, *exact_interval(3, 20))
    assert (found.tau_squared, found.k, found.notes) == (None, 1, (ONE_TRIAL,))


def test_no_event_anywhere_gives_the_limit_of_the_counts_added_up():
    found = pool_proportions([0, 0, 0], [20, 30, 50])

    assert (found.proportion, found.ci_low, found.ci_high) == (0.0, *exact_interval(0, 100))
    assert found.notes == (
        "No event in any of the 3 trials: nothing can be modelled, so this is the exact upper limit of the counts "
        "added up, which takes the trials to be alike.",
    )


def test_everyone_everywhere_gives_the_lower_limit():
    found = pool_proportions([20, 30], [20, 30])

    assert (found.proportion, found.ci_low, found.ci_high) == (1.0, *exact_interval(50, 50))
    assert "exact lower limit" in found.notes[0]


def test_one_trial_with_all_the_events_is_told_beside_the_typical():
    assert pool_proportions([3, 0, 0, 0, 0, 0, 0], [2000] * 7).notes == (
        TYPICAL,
        "The counts added up are 3 of 14000 (0.021%), far from the typical trial, because the trials differ much; "
        "give both.",
    )


def test_two_trials_pool_with_a_warning():
    assert pool_proportions([2, 9], [20, 30]).notes == (TYPICAL, FEW_TRIALS)


@given(data=st.data(), ns=st.lists(st.integers(5, 80), min_size=2, max_size=6))
def test_counting_the_others_turns_the_proportion_round(data, ns):
    events = [data.draw(st.integers(0, n // 2)) for n in ns]
    try:
        one = pool_proportions(events, ns)
    except PoolingError:
        reject()  # too far apart, which has its own test
    other = pool_proportions([n - x for x, n in zip(events, ns, strict=True)], ns)

    assert other.proportion == pytest.approx(1 - one.proportion, abs=1e-5)
    assert (other.ci_low, other.ci_high) == pytest.approx((1 - one.ci_high, 1 - one.ci_low), abs=1e-4)
    assert one.ci_low <= one.proportion <= one.ci_high


@pytest.mark.parametrize(
    ("events", "ns"),
    [([0, 50], [50, 50]), ([0, 0, 400], [300, 300, 400]), ([0, 23, 11, 40], [23, 23, 11, 40]), ([0, 5] * 4, [5] * 8)],
)
def test_trials_of_none_and_of_all_have_no_proportion_in_common(events, ns):
    with pytest.raises(PoolingError) as refused:
        pool_proportions(events, ns)

    assert str(refused.value) == (
        f"the proportions of {len(ns)} trials, from 0% to 100%, are too far apart to pool; "
        "give each trial's exact_interval side by side"
    )


@pytest.mark.parametrize(
    ("events", "ns", "level", "message"),
    [
        ([], [], 0.95, "no trial to pool; say that there is none, and name the event that none has counted"),
        ([1], [10, 20], 0.95, "1 counts of events and 2 of people; give both for each trial"),
        (
            [11],
            [10],
            0.95,
            "11 of 10 is no count of people; events must be whole, from 0 to n (count people, not events)",
        ),
        (
            [0.5],
            [10],
            0.95,
            "0.5 of 10 is no count of people; events must be whole, from 0 to n (count people, not events)",
        ),
        ([0], [0], 0.95, NO_COUNT.format("0 of 0")),
        ([1], [10], 1, "level 1 must be above 0 and below 1 (0.95 for a 95% interval)"),
    ],
)
def test_impossible_counts_are_refused_with_a_way_out(events, ns, level, message):
    with pytest.raises(PoolingError) as refused:
        pool_proportions(events, ns, level)

    assert str(refused.value) == message
