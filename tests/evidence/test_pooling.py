"""Pooling gives metafor's numbers, keeps to closed forms, and says what one or two trials cannot show."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymare.estimators import VarianceBasedLikelihoodEstimator
from scipy.stats import norm, t

from reprieve.evidence.pooling import (
    COMMON_DOUBTED,
    EMPTY_PROFILE,
    FEW_TRIALS,
    NARROWER,
    NO_SCATTER,
    ONE_TRIAL,
    TWO_TRIALS,
    Pooled,
    PoolingError,
    pool,
    tau_squared,
)
from tests.evidence.metafor import BCG, SETS, options

CASES = [(name, key) for name, found in SETS.items() for key in found["pooled"]]
RANDOM = ("DL", "REML", "PM")

effects = st.floats(-3, 3).map(lambda value: round(value, 3))
spreads = st.floats(0.01, 2).map(lambda value: round(value, 3))
trials = st.lists(st.tuples(effects, spreads), min_size=2, max_size=12)
methods = st.sampled_from(("common", *RANDOM))


def both(rows):
    return [effect for effect, _ in rows], [variance for _, variance in rows]


@pytest.mark.parametrize(("name", "key"), CASES)
def test_every_quantity_is_metafors(name, key):
    expected = SETS[name]["pooled"][key]
    pooled = pool(SETS[name]["estimates"], SETS[name]["variances"], **options(key))

    if pooled.method == "common":
        assert (pooled.tau_squared, expected.pop("tau_squared")) == (
            None,
            0,
        )  # metafor prints 0 for the one we leave out
    found = {quantity: getattr(pooled, quantity) for quantity in expected}
    assert found.pop("weights") == pytest.approx(expected.pop("weights"), abs=1e-7)
    assert found == {quantity: pytest.approx(value, rel=1e-8, abs=1e-10) for quantity, value in expected.items()}


def test_the_cases_cover_every_method_and_interval():
    assert len(SETS) == 8
    assert all(len(found["pooled"]) == 8 for found in SETS.values())


def test_reml_on_bcg_is_what_the_handbooks_print():
    pooled = pool(*BCG, method="REML", interval_method="normal")

    assert pooled.estimate == pytest.approx(-0.7145, abs=1e-4)
    assert pooled.tau_squared == pytest.approx(0.3132, abs=1e-4)
    assert pooled.i_squared == pytest.approx(92.22, abs=1e-2)
    assert (pooled.k, pooled.q_df) == (13, 12)


@pytest.mark.parametrize("name", SETS)
def test_reml_is_pymares_too(name):
    y, v = (np.array(SETS[name][part])[:, None] for part in ("estimates", "variances"))
    fit = VarianceBasedLikelihoodEstimator("REML", small_sample_correction="wald", xtol=1e-12).fit(
        y, v, np.ones_like(y)
    )

    assert tau_squared(y[:, 0], v[:, 0], "REML") == pytest.approx(fit.params_["tau2"][0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("y", "v", "tau2"),
    [
        ([1.5, 1.5, 2.3, 0.7], [0.003, 0.015, 0.094, 2.499], 0.0943),  # the other peak is at 0
        ([-0.4, 1.8, -2.4, -0.3, 1.7], [0.002, 1.067, 3.174, 0.002, 0.977], 0.0033),  # and here at 0.6482
    ],
)
def test_a_likelihood_with_two_peaks_gives_the_higher(y, v, tau2):
    found = tau_squared(y, v, "REML")

    def likelihood(tau2):
        w = 1 / (np.array(v) + tau2)
        scatter = w @ (np.array(y) - w @ np.array(y) / w.sum()) ** 2
        return 0.5 * (np.log(w).sum() - np.log(w.sum()) - scatter)

    assert found == pytest.approx(tau2, abs=1e-4)
    assert likelihood(found) >= max(likelihood(tau2) for tau2 in np.geomspace(1e-8, 12, 4000)) - 1e-9


def test_equal_variances_have_a_closed_form():
    y = np.array([0.1, 0.5, 0.9, 1.7])
    pooled = pool(y, [0.05] * 4, method="REML")

    assert pooled.estimate == pytest.approx(y.mean())
    assert pooled.tau_squared == pytest.approx(y.var(ddof=1) - 0.05)
    assert pooled.se == pytest.approx(y.std(ddof=1) / 2)  # Hartung-Knapp is then the t interval of a mean
    assert pooled.ci_high == pytest.approx(y.mean() + t.ppf(0.975, 3) * y.std(ddof=1) / 2)
    assert pooled.weights == pytest.approx((25, 25, 25, 25))


def test_two_trials_have_a_closed_form_in_every_method():
    for method in RANDOM:
        assert tau_squared([0.0, 2.0], [0.3, 0.3], method) == pytest.approx(2.0 - 0.3)


def test_one_trial_is_its_own_interval():
    assert asdict(pool([0.4], [0.09], method="DL", level=0.9)) == {
        "k": 1,
        "method": "DL",
        "interval_method": "normal",
        "level": 0.9,
        "estimate": 0.4,
        "se": pytest.approx(0.3),
        "ci_low": pytest.approx(0.4 - norm.ppf(0.95) * 0.3),
        "ci_high": pytest.approx(0.4 + norm.ppf(0.95) * 0.3),
        "p_value": pytest.approx(2 * norm.sf(0.4 / 0.3)),
        "tau_squared": None,
        "tau_squared_low": None,
        "tau_squared_high": None,
        "q": None,
        "q_df": 0,
        "q_p": None,
        "i_squared": None,
        "h_squared": None,
        "prediction_low": None,
        "prediction_high": None,
        "weights": (100.0,),
        "notes": (ONE_TRIAL,),
    }


@pytest.mark.parametrize(
    ("y", "v", "asked", "notes"),
    [
        ([0.1, 0.9], [0.01, 0.02], {}, (TWO_TRIALS, FEW_TRIALS)),
        ([0.1, 0.9], [0.01, 0.02], {"interval_method": "normal"}, (FEW_TRIALS,)),
        ([0.1, 0.9], [0.01, 0.02], {"method": "common", "interval_method": "normal"}, (COMMON_DOUBTED,)),
        ([0.1, 0.3, 0.9, 1.2], [0.01] * 4, {}, (FEW_TRIALS,)),
        ([0.1, 0.3, 0.9, 1.2, 0.5], [0.01] * 5, {}, ()),
        ([0.1, 0.2, 0.3, 0.2, 0.1], [0.02] * 5, {}, (NARROWER,)),
        ([0.2] * 5, [0.1] * 5, {}, (NO_SCATTER, EMPTY_PROFILE)),
        ([0.2] * 5, [0.1] * 5, {"interval_method": "normal"}, (EMPTY_PROFILE,)),
    ],
)
def test_notes_say_what_the_numbers_cannot(y, v, asked, notes):
    assert pool(y, v, **asked).notes == notes


def test_two_trials_are_hardly_bounded():
    pooled = pool([0.1, 0.9], [0.01, 0.02])

    assert pooled.ci_high - pooled.ci_low == pytest.approx(2 * t.ppf(0.975, 1) * pooled.se)
    assert pooled.ci_low < -4 < 5 < pooled.ci_high


def test_trials_that_agree_exactly_have_the_normal_interval():
    pooled = pool([0.2] * 5, [0.1] * 5)

    assert (pooled.interval_method, pooled.tau_squared, pooled.i_squared) == ("normal", 0.0, 0.0)
    assert (pooled.tau_squared_low, pooled.tau_squared_high) == (None, None)
    assert pooled.ci_high == pytest.approx(0.2 + norm.ppf(0.975) * math.sqrt(0.1 / 5))


def test_no_scatter_at_all_has_no_heterogeneity_from_q():
    assert pool([0.0, 0.0], [1.0, 1.0], method="common").i_squared == 0.0


@given(rows=trials, method=methods)
def test_turning_every_sign_turns_the_estimate(rows, method):
    y, v = both(rows)
    forward, back = pool(y, v, method=method), pool([-effect for effect in y], v, method=method)

    assert back.estimate == pytest.approx(-forward.estimate, abs=1e-9)
    assert (back.ci_low, back.ci_high) == pytest.approx((-forward.ci_high, -forward.ci_low), rel=1e-6, abs=1e-8)


@given(rows=trials, method=methods, data=st.data())
def test_the_order_of_trials_does_not_matter(rows, method, data):
    shuffled = data.draw(st.permutations(rows))
    one, other = pool(*both(rows), method=method), pool(*both(shuffled), method=method)

    assert other.estimate == pytest.approx(one.estimate, abs=1e-8)
    assert other.se == pytest.approx(one.se, rel=1e-6, abs=1e-9)
    assert sorted(other.weights) == pytest.approx(sorted(one.weights), abs=1e-5)


@given(effect=effects, variances=st.lists(spreads, min_size=2, max_size=8), method=st.sampled_from(RANDOM))
def test_equal_estimates_have_no_variance_between_them(effect, variances, method):
    pooled = pool([effect] * len(variances), variances, method=method)

    assert pooled.tau_squared == pytest.approx(0, abs=1e-12)
    assert pooled.estimate == pytest.approx(effect, abs=1e-9)


@given(rows=trials, method=methods, scale=st.sampled_from((0.01, 0.5, 20.0)))
def test_another_unit_scales_the_estimate_and_leaves_the_percentages(rows, method, scale):
    y, v = both(rows)
    one = pool(y, v, method=method)
    other = pool([scale * effect for effect in y], [scale**2 * variance for variance in v], method=method)

    assert other.estimate == pytest.approx(scale * one.estimate, rel=1e-6, abs=1e-8)
    assert other.se == pytest.approx(scale * one.se, rel=1e-6)
    assert other.i_squared == pytest.approx(one.i_squared, abs=1e-4)


@given(rows=trials, method=methods)
def test_what_comes_out_holds_together(rows, method):
    pooled = pool(*both(rows), method=method)

    assert min(both(rows)[0]) - 1e-9 <= pooled.estimate <= max(both(rows)[0]) + 1e-9
    assert sum(pooled.weights) == pytest.approx(100)
    assert 0 <= pooled.i_squared <= 100
    if pooled.tau_squared is not None:
        assert pooled.prediction_low <= pooled.ci_low <= pooled.ci_high <= pooled.prediction_high
        assert pooled.tau_squared <= np.ptp(both(rows)[0]) ** 2


@pytest.mark.parametrize(
    ("arguments", "asked", "message"),
    [
        (
            ([], []),
            {},
            "no trial to pool; say that there is none, and name the outcome that none has reported",
        ),
        (
            ([0.1, 0.2], [0.1]),
            {},
            "estimates have shape (2,) and variances (1,); both must be one row of the same length "
            "(one estimate and one variance for each trial)",
        ),
        (
            ([0.1, math.nan], [0.1, 0.1]),
            {},
            "estimate nan is not a finite number (leave that trial out and say why)",
        ),
        (
            ([0.1, 0.2], [0.1, 0.0]),
            {},
            "variance 0 must be finite and above zero (give the square of the standard error)",
        ),
        (([0.1], [0.1]), {"method": "ML"}, "method 'ML' is not known; use one of common, DL, REML, PM"),
        (
            ([0.1], [0.1]),
            {"interval_method": "t"},
            "interval method 't' is not known; use normal or hartung-knapp",
        ),
        (([0.1], [0.1]), {"level": 95}, "level 95 must be above 0 and below 1 (0.95 for a 95% interval)"),
    ],
)
def test_what_cannot_be_pooled_is_refused_with_a_way_out(arguments, asked, message):
    with pytest.raises(PoolingError) as refused:
        pool(*arguments, **asked)

    assert str(refused.value) == message


def test_tau_squared_needs_two_trials_and_a_method_that_has_one():
    with pytest.raises(PoolingError) as one:
        tau_squared([0.1], [0.1], "DL")
    with pytest.raises(PoolingError) as common:
        tau_squared([0.1, 0.2], [0.1, 0.1], "common")

    assert str(one.value).startswith("one trial cannot show how trials vary")
    assert str(common.value) == '"common" takes tau squared to be zero; ask for "DL", "REML" or "PM"'


def test_an_estimate_outside_its_interval_cannot_be_made():
    good = pool([0.4], [0.09])

    with pytest.raises(PoolingError, match="outside its interval"):
        Pooled(**{name: getattr(good, name) for name in Pooled.__slots__} | {"estimate": 9.0})
