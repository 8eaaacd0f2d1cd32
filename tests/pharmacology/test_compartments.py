"""The closed form against the matrix exponential, and what must hold for any linear body."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from reprieve.pharmacology.compartments import CovariateError, Disposition, Exposure, SiteError
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Infusion, Regimen
from tests.pharmacology.runs import exposure, half_mg_per_kg

TIMES_H = np.array([0.1, 1 / 3, 2 / 3, 1.0, 4.0, 26.0, 49.0, 72.0])
infusions = st.builds(Infusion, start_h=st.floats(0, 100), duration_h=st.floats(0.02, 24), dose_mg=st.floats(0.1, 300))
regimens = st.lists(infusions, min_size=1, max_size=5).map(Regimen)


def stepped(found: Exposure, times_h) -> np.ndarray:
    """The same states by the matrix exponential, piece after piece, with the rate as one more state."""
    states = []
    for time in times_h:
        x = np.append(np.zeros(9), 1.0)
        edges = [edge for edge in found.pieces_h if edge < time]
        for start, end in zip(edges, [*edges[1:], time], strict=True):
            rate = found.disposition.umol_per_h(found.regimen.rate_mg_per_h(start))
            grown = np.zeros((10, 10))
            grown[:9, :9], grown[0, 9] = found.disposition.matrix, rate
            x = expm(grown * (end - start)) @ x
        states.append(x[:9])
    return np.array(states)


def highest(found: Exposure) -> np.ndarray:
    """The peak of each state over the course."""
    times = np.concatenate([found.pieces_h, *(start + np.linspace(0, 30, 300) for start in found.pieces_h)])
    return found.at(times).max(axis=0)


def test_the_closed_form_is_the_matrix_exponential():
    found = exposure(half_mg_per_kg(days=(0, 2)))

    assert np.all(np.abs(found.at(TIMES_H) - stepped(found, TIMES_H)) <= 1e-12 * highest(found))


@settings(max_examples=30, deadline=None)
@given(regimens)
def test_the_closed_form_is_the_matrix_exponential_for_any_regimen(regimen):
    found = exposure(regimen)

    assert np.all(np.abs(found.at(TIMES_H) - stepped(found, TIMES_H)) <= 1e-12 * highest(found))


@settings(max_examples=30, deadline=None)
@given(regimens, st.floats(40, 150))
def test_nothing_is_lost_or_made(regimen, weight_kg):
    found = exposure(regimen, weight_kg=weight_kg)
    times = np.linspace(0.5, 200, 40)
    given_umol = [
        sum(min(max(time - each.start_h, 0) / each.duration_h, 1) * each.dose_mg for each in regimen.infusions)
        * 1000
        / 237.73
        for time in times
    ]

    held = found.at(times)[:, :6].sum(axis=1) + found.excreted_umol(times)

    assert held == pytest.approx(np.array(given_umol), rel=1e-10, abs=1e-9)


def test_what_is_not_made_into_norketamine_still_leaves():
    found = exposure(fN=0.52, fH=0.7)

    held = found.at(np.array([3.0]))[:, :6].sum() + found.excreted_umol(np.array([3.0]))

    assert held == pytest.approx(35 * 1000 / 237.73, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(regimens, regimens)
def test_doses_superpose(one, other):
    both = exposure(one + other)

    apart = exposure(one).at(TIMES_H) + exposure(other).at(TIMES_H)

    assert np.all(np.abs(both.at(TIMES_H) - apart) <= 1e-11 * highest(both))


@settings(max_examples=30, deadline=None)
@given(regimens, st.floats(0.1, 10))
def test_levels_are_proportional_to_the_dose(regimen, factor):
    more = exposure(
        Regimen(Infusion(each.start_h, each.duration_h, factor * each.dose_mg) for each in regimen.infusions)
    )

    assert np.all(np.abs(more.at(TIMES_H) - factor * exposure(regimen).at(TIMES_H)) <= 1e-11 * highest(more))


def test_a_long_infusion_settles_at_rate_over_clearance():
    found = exposure(Regimen([Infusion(0, 500, 20 * 500)]))
    rate = found.disposition.umol_per_h(20)

    states = found.at(np.array([499.9]))[0]

    assert states[0] / 25 == pytest.approx(rate / 84, rel=1e-12)
    assert states[3] / 92.8 == pytest.approx(rate / 54.3, rel=1e-12)
    assert states[5] / 77 == pytest.approx(rate / 347, rel=1e-12)
    assert states[6] == pytest.approx(rate / 84, rel=1e-12)
    assert states[7] == pytest.approx(0.68 * 0.6 * rate / 84, rel=1e-12)


def test_a_short_infusion_tends_to_the_bolus():
    found = exposure(Regimen([Infusion(0, 1e-7, 35)]))
    rates, coefficients = found.disposition.ketamine_modes()
    times = np.array([0.05, 0.5, 3.0])

    bolus = 35 * 1000 / 237.73 * (coefficients * np.exp(-np.outer(times, rates))).sum(axis=1)

    assert found.arterial_umol_per_l(times) == pytest.approx(bolus, rel=1e-5)
    assert found.disposition.ketamine_modes()[1].sum() == pytest.approx(1 / 25, rel=1e-12)


def test_rates_that_coincide_are_solved_by_the_matrix_exponential():
    fastest = exposure().disposition.ketamine_modes()[0][0]
    same, near = exposure(kv=fastest), exposure(kv=fastest * (1 + 1e-6))

    assert not same.modes.is_safe
    assert same.at(TIMES_H) == pytest.approx(near.at(TIMES_H), rel=1e-5, abs=1e-12)


def test_before_the_first_infusion_there_is_nothing():
    found = exposure(half_mg_per_kg(days=(1,)))

    assert np.all(found.at(np.array([0.0, 12.0])) == 0)


def test_a_vein_lags_behind_the_artery():
    found = exposure()
    rising, falling = np.array([0.3]), np.array([1.0])

    assert found.ketamine_plasma_ng_per_ml(rising, "venous") < found.ketamine_plasma_ng_per_ml(rising)
    assert found.ketamine_plasma_ng_per_ml(falling, "venous") > found.ketamine_plasma_ng_per_ml(falling)


def test_volumes_grow_with_weight_and_clearances_with_its_three_quarter_power():
    twice = Disposition.of(parameter_set(), Person(weight_kg=140))

    assert pytest.approx([50, 185.6]) == [twice.V1, twice.VN]
    assert abs(twice.CL - 84 * 2**0.75) < 1e-9


def test_women_clear_faster_only_when_asked():
    woman = Person(weight_kg=70, sex="female")

    assert Disposition.of(parameter_set(), woman).CL == 84
    assert Disposition.of(parameter_set(), woman, ("sex",)).CL == 84 * 1.2
    assert Disposition.of(parameter_set(), Person(sex="male"), ("sex",)).CL == 84


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: Disposition.of(parameter_set(), Person(), ("sex",)), "without a sex; give female or male"),
        (lambda: Disposition.of(parameter_set(), Person(), ("shoes",)), "the covariates are sex"),
    ],
)
def test_a_covariate_needs_to_be_one(ask, says):
    with pytest.raises(CovariateError, match=says):
        ask()


def test_blood_is_drawn_from_an_artery_or_a_vein():
    with pytest.raises(SiteError, match="site 'ear'; it must be arterial or venous"):
        exposure().ketamine_plasma_ng_per_ml(TIMES_H, "ear")
