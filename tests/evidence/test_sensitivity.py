"""Leave one out, cumulative pools, subgroups and meta-regression give metafor's numbers."""

import numpy as np
import pytest
from scipy.stats import linregress

from reprieve.evidence.pooling import PoolingError, pool
from reprieve.evidence.sensitivity import CONFOUNDED, cumulative, leave_one_out, meta_regression, subgroups
from tests.evidence.metafor import BCG, METAFOR, options

REGRESSION = METAFOR["meta_regression"]
MODERATORS = {
    "one": (REGRESSION["latitude"], ["latitude"]),
    "two": (np.column_stack((REGRESSION["latitude"], REGRESSION["year"])), ["latitude", "year"]),
}


def agrees(pooled, expected):
    for quantity in ("estimate", "se", "ci_low", "ci_high", "p_value"):
        assert getattr(pooled, quantity) == pytest.approx(expected[quantity], abs=1e-9), quantity


@pytest.mark.parametrize("test", ["z", "knha"])
def test_leave_one_out_is_metafors(test):
    expected = METAFOR["leave_one_out"][test]
    found = leave_one_out(*BCG, **options(f"REML {test}"))

    assert len(found) == len(expected) == 13
    for pooled, row in zip(found, expected, strict=True):
        agrees(pooled, row)
        assert (pooled.k, pooled.q) == (12, pytest.approx(row["q"]))
        assert pooled.tau_squared == pytest.approx(row["tau_squared"], abs=1e-9)
        assert pooled.i_squared == pytest.approx(row["i_squared"], abs=1e-7)


@pytest.mark.parametrize("test", ["z", "knha"])
def test_cumulative_is_metafors(test):
    expected = METAFOR["cumulative"][test]
    found = cumulative(*BCG, order=METAFOR["cumulative"]["order"], **options(f"REML {test}"))

    assert [pooled.k for pooled in found] == list(range(1, 14))
    for pooled, row in zip(found[1:], expected[1:], strict=True):
        agrees(pooled, row)
    assert (found[0].estimate, found[0].se) == pytest.approx((expected[0]["estimate"], expected[0]["se"]))


def test_the_last_cumulative_pool_is_the_pool():
    *_, last = cumulative(*BCG, order=range(13), method="DL")

    assert last == pool(*BCG, method="DL")


def test_subgroups_are_metafors():
    expected = METAFOR["subgroups"]
    found = subgroups(*BCG, expected["groups"], interval_method="normal")

    assert (found.q_between, found.p_value, found.q_df) == (
        pytest.approx(expected["q"]),
        pytest.approx(expected["p_value"]),
        2,
    )
    assert set(found.groups) == set(expected["each"])
    for name, row in expected["each"].items():
        agrees(found.groups[name], row)
        assert found.groups[name].tau_squared == pytest.approx(row["tau_squared"], abs=1e-8)
    assert found.notes == (
        "Groups were not assigned to the trials: a difference between them is an association, not an effect.",
    )


def test_q_between_does_not_hang_on_the_interval_method():
    groups = METAFOR["subgroups"]["groups"]

    assert subgroups(*BCG, groups).q_between == subgroups(*BCG, groups, interval_method="normal").q_between


def test_a_group_of_one_is_named_and_a_single_group_is_not_compared():
    alone = subgroups([0.1, 0.2, 0.7], [0.1] * 3, ["oral", "oral", "iv"])
    single = subgroups([0.1, 0.2], [0.1] * 2, ["iv", "iv"])

    assert alone.notes[1:] == ("One trial only in: iv.",)
    assert (single.q_between, single.q_df, single.p_value) == (None, 0, None)
    assert single.notes == ("There is one group only, so nothing to compare.",)


@pytest.mark.parametrize("key", ["DL z", "DL knha", "REML z", "REML knha"])
@pytest.mark.parametrize("which", ["one", "two"])
def test_meta_regression_is_metafors(which, key):
    expected = REGRESSION[which][key]
    found = meta_regression(*BCG, *MODERATORS[which], **options(key))

    for quantity, mine in (("coefficients", "estimate"), ("se", "se"), ("ci_low", "ci_low"), ("p_value", "p_value")):
        values = [getattr(coefficient, mine) for coefficient in found.coefficients]
        assert values == pytest.approx(expected[quantity], rel=1e-5, abs=1e-5), quantity
    assert found.tau_squared == pytest.approx(expected["tau_squared"], abs=1e-6)
    assert found.r_squared == pytest.approx(expected["r_squared"], abs=1e-3)
    assert (found.q_residual, found.q_p) == (pytest.approx(expected["q"]), pytest.approx(expected["q_p"]))
    assert [coefficient.name for coefficient in found.coefficients] == ["intercept", *MODERATORS[which][1]]


def test_equal_weights_make_meta_regression_least_squares():
    x, y = np.array([1.0, 2, 3, 5, 8]), np.array([0.2, 0.1, 0.5, 0.6, 1.4])
    slope = meta_regression(y, [0.01] * 5, x, ["weeks"], method="common").coefficients[1]
    line = linregress(x, y)

    assert (slope.estimate, slope.se, slope.p_value) == pytest.approx((line.slope, line.stderr, line.pvalue))


def test_regression_notes_count_the_trials_for_each_moderator():
    few = meta_regression(*BCG, *MODERATORS["two"])
    enough = meta_regression(*BCG, *MODERATORS["one"])

    assert enough.notes == (CONFOUNDED,)
    assert few.notes == (
        CONFOUNDED,
        "13 trials for 2 moderators: fewer than 10 each, so take any slope as a question, not an answer.",
    )


def test_a_line_through_every_trial_has_normal_intervals():
    found = meta_regression([1.0, 2.0, 3.0], [0.1] * 3, [1, 2, 3], ["dose"])

    assert (found.interval_method, found.tau_squared) == ("normal", pytest.approx(0, abs=1e-9))
    assert "no scatter" in found.notes[-1]


def test_a_common_effect_has_no_tau_squared_to_explain():
    found = meta_regression(*BCG, *MODERATORS["one"], method="common")

    assert (found.tau_squared, found.r_squared) == (None, None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: leave_one_out([0.1], [0.1]),
            "one trial left out of one leaves none; give two or more, or report that trial as it is",
        ),
        (
            lambda: cumulative([0.1, 0.2], [0.1, 0.1], order=[0, 0]),
            "order [0, 0] must name each of the positions 0 to 1 once (np.argsort of the years does)",
        ),
        (
            lambda: subgroups([0.1, 0.2], [0.1, 0.1], ["iv"]),
            "1 groups for 2 trials; give one label for each trial",
        ),
        (
            lambda: meta_regression([0.1] * 4, [0.1] * 4, [1, 2, 3], ["dose"]),
            "moderators have shape (3, 1) for 4 trials and 1 names; "
            "give a row for each trial and a column for each name",
        ),
        (
            lambda: meta_regression([0.1] * 3, [0.1] * 3, [1, 2, np.nan], ["dose"]),
            "a moderator is missing in some trial (leave that trial out of the regression and say so)",
        ),
        (
            lambda: meta_regression([0.1] * 2, [0.1] * 2, [1, 2], ["dose"]),
            "2 trials for 1 moderators; at least 3 are needed (pool them, or use fewer)",
        ),
        (
            lambda: meta_regression([0.1] * 4, [0.1] * 4, [2, 2, 2, 2], ["dose"]),
            "moderators dose do not vary or repeat each other; leave one out",
        ),
        (
            lambda: meta_regression([0.1] * 4, [0.1] * 4, [1, 2, 3, 4], ["dose"], method="PM"),
            '"PM" has no meta-regression here; use "REML" or "DL"',
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_way_out(call, message):
    with pytest.raises(PoolingError) as refused:
        call()

    assert str(refused.value) == message
