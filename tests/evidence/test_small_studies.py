"""Egger's test, trim and fill and PET-PEESE give metafor's and lm's numbers, and warn when trials are few."""

import pytest

from reprieve.evidence.pooling import PoolingError
from reprieve.evidence.small_studies import NOT_THE_REASON, egger, pet_peese, trim_and_fill
from tests.evidence.metafor import BCG, METHOD, SETS

NAMES = [name for name, found in SETS.items() if "small_studies" in found]
FILLS = [(name, key) for name in NAMES for key in SETS[name]["small_studies"]["trim_and_fill"]]
CHECKS = (egger, trim_and_fill, pet_peese)
FEW = "4 trials: with fewer than ten these tests can hardly find anything, and finding nothing means little."
FOUR = [0.1, 0.3, 0.2, 0.8], [0.01, 0.02, 0.02, 0.1]


def data(name):
    return SETS[name]["estimates"], SETS[name]["variances"]


def test_six_data_sets_are_compared():
    assert len(NAMES) == 6


@pytest.mark.parametrize("name", NAMES)
def test_egger_is_metafors(name):
    expected = SETS[name]["small_studies"]["egger"]
    found = egger(*data(name))

    assert {quantity: getattr(found, quantity) for quantity in expected} == {
        quantity: pytest.approx(value, rel=1e-9, abs=1e-12) for quantity, value in expected.items()
    }
    assert found.bias / found.se == pytest.approx(found.t)


@pytest.mark.parametrize(("name", "key"), FILLS)
def test_trim_and_fill_is_metafors(name, key):
    expected = SETS[name]["small_studies"]["trim_and_fill"][key]
    method, side = key.split()
    found = trim_and_fill(
        *data(name), method=METHOD[method], interval_method="normal", side=None if side == "chosen" else side
    )

    assert (found.side, found.missing) == (expected["side"], expected["missing"])
    missing_se = None if expected["se_missing"] == "NaN" else pytest.approx(expected["se_missing"])
    assert found.missing_se == missing_se
    for quantity in ("estimate", "se", "ci_low", "ci_high"):
        assert getattr(found.filled, quantity) == pytest.approx(expected[quantity], abs=1e-9), quantity
    assert (found.filled.tau_squared or 0) == pytest.approx(expected["tau_squared"], abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_pet_and_peese_are_weighted_lines(name):
    expected = SETS[name]["small_studies"]
    found = pet_peese(*data(name))

    for which, mine in (("pet", found.pet), ("peese", found.peese)):
        for quantity, value in expected[which].items():
            assert getattr(mine, quantity) == pytest.approx(value, rel=1e-9, abs=1e-12), (which, quantity)


def test_peese_is_chosen_when_pet_finds_an_effect_in_the_pools_direction():
    y, v = data("hine1989")
    chosen = pet_peese(y, v)

    assert (chosen.chosen, chosen.adjusted) == ("PEESE", chosen.peese)
    assert (pet_peese(*BCG).chosen, pet_peese(*BCG).adjusted) == ("PET", pet_peese(*BCG).pet)


def test_an_effect_against_the_pools_direction_does_not_choose_peese():
    found = pet_peese([0.5, 0.6, 0.4, -0.1, 0.3], [0.72, 0.89, 0.85, 0.08, 0.52])

    assert found.pet.estimate < 0
    assert found.pet.p_value / 2 < 0.05
    assert found.chosen == "PET"


def test_nothing_missing_leaves_the_pool_as_it_is():
    found = trim_and_fill(*data("raudenbush1985"), side="right")

    assert (found.missing, found.filled_estimates) == (0, ())
    assert found.filled == found.pooled


def test_the_filled_trials_mirror_the_last_ones():
    y, v = data("hackshaw1998")
    found = trim_and_fill(y, v, method="DL")

    assert (found.side, found.missing, len(found.filled_estimates)) == ("left", 7, 7)
    assert set(found.filled_variances) <= set(v)
    assert max(found.filled_estimates) < found.filled.estimate < found.pooled.estimate


def test_turning_every_sign_turns_the_side():
    y, v = data("hackshaw1998")
    one, other = trim_and_fill(y, v), trim_and_fill([-effect for effect in y], v)

    assert (one.side, other.side) == ("left", "right")
    assert other.filled.estimate == pytest.approx(-one.filled.estimate)
    assert other.filled_estimates == pytest.approx([-effect for effect in one.filled_estimates])


def test_paule_mandel_takes_the_side_from_reml():
    y, v = data("hackshaw1998")

    assert trim_and_fill(y, v, method="PM").side == trim_and_fill(y, v, method="REML").side


@pytest.mark.parametrize("check", CHECKS)
def test_few_trials_carry_their_warning_and_ten_do_not(check):
    assert FEW in check(*FOUR).notes
    assert not any("fewer than ten" in note for note in check(*BCG).notes)


def test_asymmetry_is_never_called_publication_bias():
    assert NOT_THE_REASON in egger(*FOUR).notes
    assert NOT_THE_REASON in trim_and_fill(*FOUR).notes


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("k", "said"), [(1, "1 trial cannot"), (2, "2 trials cannot")])
def test_fewer_than_three_trials_are_refused(check, k, said):
    with pytest.raises(PoolingError) as refused:
        check([0.1, 0.4][:k], [0.1, 0.2][:k])

    assert str(refused.value) == (
        f"{said} show whether small trials find more; "
        "three are needed and ten are wanted (say that it was not looked at)"
    )


@pytest.mark.parametrize("check", CHECKS)
def test_no_trial_is_refused_as_pooling_refuses_it(check):
    with pytest.raises(PoolingError, match="no trial to pool"):
        check([], [])


def test_equally_precise_trials_have_no_small_ones():
    same = [0.1, 0.4, 0.2], [0.1, 0.1, 0.1]
    with pytest.raises(PoolingError) as refused:
        egger(*same)
    with pytest.raises(PoolingError) as sideless:
        trim_and_fill(*same)

    assert str(refused.value) == (
        "all 3 trials are equally precise, so small ones cannot be told from large (report the pool alone)"
    )
    assert str(sideless.value) == (
        "all trials are equally precise, so no slope shows where trials are missing; give side"
    )
    assert trim_and_fill(*same, side="left").k == 3


def test_an_unknown_side_is_refused():
    with pytest.raises(PoolingError, match="side 'up' is not known; use left or right, or leave it out"):
        trim_and_fill(*FOUR, side="up")
