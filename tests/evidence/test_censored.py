"""Pooling of trials that report only a direction, against closed forms, plain optimisers, quadrature and PyMARE."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.optimize import minimize
from scipy.stats import norm, t

from reprieve.evidence.censored import (
    CensoredError,
    Direction,
    Trials,
    fit,
    likelihood_cut,
    likelihood_intervals,
    posterior,
)

approx = pytest.approx
Y = [0.9, 0.7, 0.1, 1.3, -0.2, 0.5]
V = [0.10, 0.12, 0.06, 0.20, 0.09, 0.15]
SILENT = Direction.parallel("not_significant", 20.5, 20.5)
FOR_A = Direction.parallel("favours_a", 15, 20)
FOR_B = Direction.parallel("favours_b", 15, 20)
SWAPPED = {"favours_a": "favours_b", "favours_b": "favours_a", "not_significant": "not_significant"}


def minus_log_likelihood(parameters, y, v, directions):
    """Written again with scipy.stats, so that it shares no code with the module."""
    mu, tau = parameters
    total = norm.logpdf(y, mu, np.sqrt(np.asarray(v) + tau**2)).sum()
    for d in directions:
        s = np.hypot(np.sqrt(d.variance), tau)
        total += np.log(max(norm.cdf((d.high - mu) / s) - norm.cdf((d.low - mu) / s), 1e-300))
    return -total


def random_set(seed):
    """Four to eight numbers and three directions about a mean of 0.4."""
    rng = np.random.default_rng(seed)
    k = rng.integers(4, 9)
    names = rng.choice(["not_significant", "favours_a"], size=3)
    directions = [Direction.parallel(name, *rng.integers(10, 60, 2).tolist()) for name in names]
    return rng.normal(0.4, 0.5, k), rng.uniform(0.04, 0.2, k), directions


# What a direction says


def test_a_parallel_trial_is_cut_where_its_t_test_is_significant():
    trial = Direction.parallel("not_significant", 20, 20)

    least = t.ppf(0.975, 38) * np.sqrt(2 / 20)
    assert trial.high == approx(least * (1 - 3 / (4 * 38 - 1)), rel=1e-4)  # the usual approximation of Hedges' J
    assert trial.low == -trial.high
    assert trial.variance == approx(2 / 20 + trial.high**2 / 80)
    assert trial.how == "not significant at 0.05 with 20 and 20 people in parallel arms: g lies between -0.63 and 0.63"


def test_a_crossover_is_cut_where_its_paired_t_test_is_significant():
    trial = Direction.crossover("favours_b", 22, 0.6)

    least = t.ppf(0.975, 21) * np.sqrt(2 * 0.4 / 22)
    assert trial.high == approx(-least * (1 - 3 / (4 * 21 - 1)), rel=1e-3)
    assert trial.low == -np.inf
    assert trial.variance == approx(2 * 0.4 / 22 + trial.high**2 / 44)


def test_the_directions_meet_at_the_boundary():
    a, none, b = (Direction.parallel(result, 30, 25) for result in ("favours_a", "not_significant", "favours_b"))

    assert (b.low, b.high, none.high, a.high) == (-np.inf, none.low, a.low, np.inf)


def test_a_stricter_alpha_widens_what_not_significant_means():
    widths = [Direction.parallel("not_significant", 20, 20, alpha).high for alpha in (0.10, 0.05, 0.01)]

    assert widths == sorted(widths)
    assert widths[0] < widths[1] < widths[2]


# Maximum likelihood


def test_without_directions_it_is_the_ordinary_estimate():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # PyMARE leaves a file of its own open
        from pymare.estimators import VarianceBasedLikelihoodEstimator
    y, v = np.array(Y)[:, None], np.array(V)[:, None]
    theirs = VarianceBasedLikelihoodEstimator(method="ML").fit(y, v, np.ones_like(y)).summary()

    ours = fit(Y, V, [])

    assert ours.estimate == approx(float(theirs.fe_params[0, 0]), abs=1e-4)
    assert ours.tau**2 == approx(float(np.ravel(theirs.tau2)[0]), abs=1e-4)
    assert (ours.k_numbers, ours.k_directions, ours.notes) == (6, 0, ())


def test_the_interval_of_equal_variances_is_that_of_student():
    y = np.array([0.1, 0.9, 0.4, 1.2, 0.3, 0.7])
    half = t.ppf(0.975, 5) * y.std(ddof=1) / np.sqrt(6)

    for variance in (0.01, 0.1, 0.5):  # with tau above zero, and with the numbers closer together than they should be
        ours = fit(y, [variance] * 6, [])
        assert (ours.ci_low, ours.ci_high) == approx((y.mean() - half, y.mean() + half), abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_it_agrees_with_a_plain_optimiser(seed):
    y, v, directions = random_set(seed)
    starts = [(0.2, 0.05), (0.6, 0.5), (0.4, 0.2)]

    found = min(
        (minimize(minus_log_likelihood, s, (y, v, directions), bounds=[(-3, 3), (0, 3)]) for s in starts),
        key=lambda result: result.fun,
    )
    ours = fit(y, v, directions)

    assert (ours.estimate, ours.tau) == approx(found.x, abs=2e-3)
    assert minus_log_likelihood((ours.estimate, ours.tau), y, v, directions) <= found.fun + 1e-8
    assert ours.ci_low < ours.estimate < ours.ci_high


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_limits_are_where_the_profile_likelihood_reaches_its_cut(level):
    y, v, directions = random_set(1)

    def profile(mu):
        scaled = [(np.asarray(v) * share, 0.0) for share in np.linspace(0.05, 1, 400)]
        spreads = scaled + [(np.asarray(v), tau) for tau in np.linspace(0, 2, 400)]
        return min(minus_log_likelihood((mu, tau), y, w, directions) for w, tau in spreads)

    ours = fit(y, v, directions, level=level)
    top = min(profile(mu) for mu in np.linspace(ours.ci_low, ours.ci_high, 41))

    for limit in (ours.ci_low, ours.ci_high):
        assert 2 * (profile(limit) - top) == approx(likelihood_cut(len(y), 3, level), abs=0.03)


def test_a_huge_trial_that_is_not_significant_pulls_to_zero_and_narrows():
    huge = Direction.parallel("not_significant", 50_000, 50_000)
    alone = fit(Y, V, [])

    together = fit(Y, V, [huge] * 6)

    assert abs(together.estimate) < 0.1 * alone.estimate
    assert together.ci_high - together.ci_low < 0.5 * (alone.ci_high - alone.ci_low)
    assert posterior(Y, V, [huge] * 6).mean < 0.5 * posterior(Y, V, []).mean


def test_all_in_favour_of_a_has_a_lower_limit_and_no_upper():
    ours = fit([], [], [FOR_A] * 5)

    assert (ours.estimate, ours.ci_high) == (np.inf, np.inf)
    assert 0 < ours.ci_low < 1
    assert "the estimate and the upper limit are infinite" in ours.notes[0]
    assert fit([], [], [FOR_B] * 5).ci_high == approx(-ours.ci_low)


def test_all_not_significant_is_zero_within_finite_limits():
    ours = fit([], [], [SILENT] * 5)

    assert ours.estimate == approx(0, abs=1e-9)
    assert ours.ci_high == approx(-ours.ci_low)
    assert 0.3 < ours.ci_high < 1
    assert ours.notes[0].startswith("No trial reports a number")
    assert fit([], [], [SILENT] * 20).ci_high < ours.ci_high


def test_one_number_alone_is_its_own_interval():
    ours = fit([0.5], [0.04], [])

    assert (ours.estimate, ours.ci_low, ours.ci_high) == approx(
        (0.5, 0.5 - 1.95996 * 0.2, 0.5 + 1.95996 * 0.2), abs=1e-5
    )
    assert ours.notes == ("One trial cannot show heterogeneity; the interval is that of this trial alone.",)


@pytest.mark.parametrize("numbers", [1, 2, 3])
@pytest.mark.parametrize("directions", [[], [SILENT], [FOR_A], [SILENT, FOR_A], [FOR_A, FOR_B], [SILENT] * 3])
def test_few_trials_give_an_ordered_interval(numbers, directions):
    ours = fit(Y[:numbers], V[:numbers], directions)

    assert -np.inf < ours.ci_low < ours.estimate < ours.ci_high < np.inf
    assert not np.isnan([ours.estimate, ours.ci_low, ours.ci_high, ours.tau]).any()


def test_directions_that_contradict_each_other_are_said_to():
    ours = fit([], [], [FOR_A, FOR_B])

    assert ours.estimate == approx(0, abs=1e-6)
    assert ours.notes[-1].startswith("The directions contradict each other")


def test_numbers_that_happen_to_be_close_do_not_outvote_directions_that_disagree():
    directions = [
        Direction.parallel("favours_a", 6, 3000),
        Direction.parallel("favours_b", 675, 13_800),
        Direction.parallel("not_significant", 134, 5200),
        Direction.parallel("favours_a", 94, 3300),
    ]

    ours = fit([-0.006, 0.032, 0.016, 0.005], [0.016, 0.067, 0.66, 0.00027], directions)

    assert ours.tau > 0.1
    assert ours.ci_low < ours.estimate < ours.ci_high
    assert ours.ci_high - ours.ci_low > 0.2


def test_an_interval_far_from_everything_else_is_still_exact():
    far = Direction(40.0, 41.0, 0.01, "a trial forty standard deviations away")

    ours = fit([0.0] * 4, [0.01] * 4, [far])

    assert 0 < ours.estimate < 41
    assert ours.tau > 5


mostly = st.lists(
    st.tuples(st.floats(-1.5, 1.5), st.floats(0.02, 0.4)).map(lambda pair: (round(pair[0], 3), round(pair[1], 3))),
    min_size=2,
    max_size=7,
)
some = st.lists(st.tuples(st.sampled_from(list(SWAPPED)), st.integers(10, 60)), max_size=5)


@settings(max_examples=40, deadline=None)
@given(numbers=mostly, directions=some)
def test_swapping_the_arms_swaps_the_signs(numbers, directions):
    y, v = map(np.array, zip(*numbers, strict=True))
    there = [Direction.parallel(result, n, n) for result, n in directions]
    back = [Direction.parallel(SWAPPED[result], n, n) for result, n in directions]

    ours, theirs = fit(y, v, there), fit(-y, v, back)
    believed, disbelieved = posterior(y, v, there), posterior(-y, v, back)

    assert (ours.ci_low, ours.ci_high, ours.tau) == approx(
        (-theirs.ci_high, -theirs.ci_low, theirs.tau), rel=1e-3, abs=1e-3
    )
    assert ours.estimate == approx(-theirs.estimate, abs=1e-4)
    assert ours.ci_low <= ours.estimate <= ours.ci_high
    assert (believed.mean, believed.sd) == approx((-disbelieved.mean, disbelieved.sd), abs=1e-6)
    assert believed.ci_low == approx(-disbelieved.ci_high, abs=1e-6)


# Bayes


def test_one_trial_without_heterogeneity_is_the_conjugate_normal():
    believed = posterior([0.6], [0.04], [], prior_sd=0.5, tau_scale=1e-6)

    precision = 1 / 0.04 + 1 / 0.25
    mean, sd = 0.6 / 0.04 / precision, precision**-0.5
    assert (believed.mean, believed.median, believed.sd) == approx((mean, mean, sd), abs=1e-5)
    assert (believed.ci_low, believed.ci_high) == approx((mean - 1.95996 * sd, mean + 1.95996 * sd), abs=5e-4)
    assert believed.probability_above(0.5) == approx(norm.sf(0.5, mean, sd), abs=5e-4)
    assert believed.prediction_high == approx(believed.ci_high, abs=1e-3)


@pytest.mark.parametrize("seed", [0, 3])
def test_it_agrees_with_two_dimensional_quadrature(seed):
    y, v, directions = random_set(seed)

    def integral(of, high=4.0):
        def joint(mu, tau):
            prior = np.exp(-0.5 * (mu / 0.5) ** 2 - 0.5 * (tau / 0.3) ** 2)
            return of(mu, tau) * prior * np.exp(5 - minus_log_likelihood((mu, tau), y, v, directions))

        return dblquad(joint, 0, 2.4, -2, high, epsabs=1e-7, epsrel=1e-6)[0]

    believed = posterior(y, v, directions)
    total = integral(lambda mu, tau: 1)
    mean = integral(lambda mu, tau: mu) / total
    below = integral(lambda mu, tau: norm.cdf((believed.prediction_low - mu) / (tau + 1e-9))) / total

    assert believed.mean == approx(mean, abs=1e-5)
    assert believed.sd**2 == approx(integral(lambda mu, tau: (mu - mean) ** 2) / total, abs=1e-5)
    assert integral(lambda mu, tau: 1, high=believed.ci_low) / total == approx(0.025, abs=2e-4)
    assert below == approx(0.025, abs=2e-4)


def test_the_grid_of_the_mean_is_a_density():
    believed = posterior(Y, V, [SILENT])

    step = believed.mu_grid[1] - believed.mu_grid[0]
    assert believed.mu_density.sum() * step == approx(1)
    assert believed.probability_above(-5) == 1
    assert believed.probability_above(5) == 0
    assert believed.probability_above(believed.median) == approx(0.5)


def test_all_in_favour_of_a_is_finite_under_a_prior():
    believed = posterior([], [], [FOR_A] * 5)

    assert 0.5 < believed.median < 1.5
    assert believed.prediction_low < believed.ci_low < believed.ci_high < believed.prediction_high


def test_trials_at_odds_outweigh_the_prior_of_tau():
    believed = posterior([-9, 9], [0.1, 0.1], [])

    assert believed.tau_low > 1
    assert believed.mean == approx(0, abs=1e-9)


# Coverage


@pytest.mark.parametrize(("mu", "tau", "seed"), [(0.3, 0.0, 1), (0.3, 0.3, 2)])
def test_the_interval_holds_the_truth_as_often_as_it_says(mu, tau, seed):
    """Ten trials, four of them without a number. Within 3.5 binomial standard errors of 93 to 97 %."""
    sets, rng = 400, np.random.default_rng(seed)
    n = rng.integers(10, 61, (sets, 10))
    v = 2 / n
    y = rng.normal(mu, np.sqrt(v + tau**2))
    c = t.ppf(0.975, 2 * n - 2) * np.sqrt(v)
    low = np.where(y > c, c, np.where(y < -c, -np.inf, -c))[:, 6:]
    high = np.where(y > c, np.inf, np.where(y < -c, -c, c))[:, 6:]

    _, _, (ci_low, ci_high) = likelihood_intervals(Trials(y[:, :6], v[:, :6], low, high, v[:, 6:]))

    covered = ((ci_low <= mu) & (mu <= ci_high)).mean()
    margin = 3.5 * np.sqrt(0.95 * 0.05 / sets)
    assert 0.93 - margin < covered < 0.97 + margin
    assert covered < 1


def test_many_sets_at_once_are_each_as_if_alone():
    y, v, directions = random_set(4)
    low, high, w = np.array([(d.low, d.high, d.variance) for d in directions]).T
    both = Trials(*(np.stack([a, b]) for a, b in ((y, y / 2), (v, v), (low, low), (high, high), (w, w))))

    estimates, taus, limits = likelihood_intervals(both)

    for i, scale in enumerate((1, 0.5)):
        alone = fit(y * scale, v, directions)
        assert (estimates[i], taus[i]) == approx((alone.estimate, alone.tau), abs=1e-6)
        assert limits[:, i] == approx((alone.ci_low, alone.ci_high), abs=1e-5)


# Errors: the value, the rule, the way out


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Direction.parallel("better", 20, 20), "result 'better'; it must be one of favours_a, favours_b, not_"),
        (lambda: Direction.parallel("favours_a", 0.5, 20), "0.5 people; an arm must hold at least 1 person"),
        (lambda: Direction.parallel("favours_a", 20, 0), "0 people; an arm must hold at least 1 person"),
        (lambda: Direction.parallel("favours_a", 1, 2), "3 people; the two arms together must hold at least 4 people"),
        (lambda: Direction.parallel("favours_a", np.nan, 20), "nan people; an arm must hold at least 1 person"),
        (lambda: Direction.parallel("favours_a", 20, 20, alpha=0), "alpha 0; it must lie between 0 and 1"),
        (lambda: Direction.crossover("favours_a", 2, 0.5), "2 people; a crossover trial must hold at least 3 people"),
        (lambda: Direction.crossover("favours_a", 20, 1), "correlation 1; it must lie between -1 and 1"),
        (lambda: Direction(0.5, 0.5, 0.1, ""), "interval from 0.5 to 0.5; the low end must lie below the high end"),
        (lambda: Direction(-np.inf, np.inf, 0.1, ""), "interval from -inf to inf; the low end must lie below"),
        (lambda: Direction(0.0, 1.0, 0.0, ""), "variance 0; a sampling variance must be above zero and finite"),
        (lambda: fit([], [], []), "no trials; at least one estimate or direction is needed"),
        (lambda: fit([0.1, 0.2], [0.1], []), "2 estimates and 1 variances; each estimate needs its variance"),
        (lambda: fit([0.1], [-0.1], []), "estimate 0.1 with variance -0.1; an estimate must be finite"),
        (lambda: fit([np.nan], [0.1], []), "estimate nan with variance 0.1; an estimate must be finite"),
        (lambda: fit([0.1], [0.1], [], level=95), "level 95; it must lie between 0 and 1"),
        (lambda: posterior([0.1], [0.1], [], level=1), "level 1; it must lie between 0 and 1"),
        (lambda: posterior([0.1], [0.1], [], prior_sd=0), "prior_sd 0; it must be above zero and finite"),
        (lambda: posterior([0.1], [0.1], [], tau_scale=-1), "tau_scale -1; it must be above zero and finite"),
    ],
)
def test_an_error_says_the_value_the_rule_and_the_way_out(make, words):
    with pytest.raises(CensoredError) as error:
        make()

    assert str(error.value).startswith(words)
    assert str(error.value).endswith(")")
