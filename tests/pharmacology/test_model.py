"""The right-hand side: two solvers and two ways to the concentrations agree, and each part does what its words say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprieve.pharmacology.dissociation import Dissociation
from reprieve.pharmacology.memory import TherapyError, TherapySession
from reprieve.pharmacology.model import CHAIN, Course, Model, Switches, TimesError, solve
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.receptor import Receptor
from reprieve.pharmacology.regimen import Infusion, Regimen
from reprieve.pharmacology.symptoms import Ssri, Symptoms, TreatmentError, belief, fluctuation, responded, seen
from reprieve.pharmacology.variability import draw, generator
from tests.pharmacology.runs import SIX_DAYS, half_mg_per_kg

P = parameter_set()
DAYS = np.arange(0, 29) * 24.0
SIX = Course(half_mg_per_kg(SIX_DAYS), (TherapySession(3), TherapySession(10, 0.5)), (Ssri(100, 5, 20),))


def severity(course: Course, days=(28,), switches=None, **changed) -> float:
    model = Model(parameter_set(overrides=changed), Person(), course, switches or Switches())
    return float(solve(model, np.array([0.0, *(day * 24.0 for day in days)]))["theta"][-1])


@pytest.mark.parametrize("switches", [Switches(), Switches(kinetic_block=True, norketamine=True)])
def test_concentrations_from_the_closed_form_and_from_the_solver_agree(switches):
    model = Model(P, Person(), SIX, switches)

    closed, integrated = solve(model, DAYS), solve(model, DAYS, pk="ode")

    assert integrated.chain == pytest.approx(closed.chain, rel=1e-7, abs=1e-8)
    assert integrated.drug == pytest.approx(closed.drug, rel=1e-6, abs=1e-7)


def test_two_solvers_agree():
    model = Model(P, Person(), SIX)

    lsoda, radau = solve(model, DAYS), solve(model, DAYS, method="Radau")

    assert radau.chain == pytest.approx(lsoda.chain, rel=1e-7, abs=1e-8)


def test_the_answer_does_not_depend_on_the_times_asked_for():
    model = Model(P, Person(), SIX)

    alone = solve(model, np.array([240.0]))
    among = solve(model, np.linspace(0, 480, 97))

    assert among.chain[48] == pytest.approx(alone.chain[0], rel=1e-8, abs=1e-10)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 3), st.floats(0.05, 4))
def test_synapses_stay_between_none_and_all(number, mg_per_kg, hours):
    drawn = draw(P, seed=3, number=number)
    regimen = Regimen.repeated(mg_per_kg * drawn.person.weight_kg, hours, days=[0, 1, 2, 3, 4])

    found = solve(Model(drawn.p, drawn.person, Course(regimen)), np.arange(0, 240, 4.0), rtol=1e-6, atol=1e-8)

    assert 0 <= found["s"].min() <= found["s"].max() <= 1
    assert 0 <= found.block.min() <= found.block.max() < 1


@given(st.floats(0, 100), st.floats(0, 10))
def test_block_grows_with_the_level_and_interneurons_are_blocked_first(level, more):
    receptor = Receptor.of(P)

    assert receptor.block_interneuron(level + more) >= receptor.block_interneuron(level)
    assert receptor.block_pyramidal(level + more) >= receptor.block_pyramidal(level)
    assert receptor.block_interneuron(level) >= receptor.block_pyramidal(level)


@given(st.floats(0, 20))
def test_the_kinetic_form_rests_at_the_equilibrium(level):
    receptor = Receptor.of(P)
    blocks = receptor.block_interneuron(level), receptor.block_pyramidal(level)

    assert receptor.rates_per_h(level, *blocks) == pytest.approx((0, 0), abs=1e-9)


def test_norketamine_adds_block():
    course = Course(half_mg_per_kg())
    times = np.array([1.0])

    without = solve(Model(P, Person(), course), times)["BI"][0]
    with_it = solve(Model(P, Person(), course, Switches(norketamine=True)), times)["BI"][0]

    assert without < with_it < 1.25 * without


def test_an_empty_course_falls_by_natural_course_and_expectancy_only():
    still = solve(Model(P, Person(), Course(arm="even odds"), Switches(stress_moves=False)), np.array([0, 672.0]))

    expected = 42 - 12 * (1 - np.exp(-28 / 42)) - 4 * belief(P, "even odds", 0, 0) * (1 - np.exp(-28 / 14))
    assert still["theta"][-1] == pytest.approx(expected, abs=0.15)  # theta lags by half a day
    assert still["s"][-1] == pytest.approx(0.25, abs=1e-9)


def test_therapy_adds_extinction_at_its_session_less_under_the_drug():
    quiet, during = TherapySession(1), TherapySession(0.5 / 24)

    after = solve(Model(P, Person(), Course(therapy=(quiet,))), np.array([23.9, 24.0]))["X"]
    under = solve(Model(P, Person(), Course(half_mg_per_kg(), (during,))), np.array([0.4, 0.5]))["X"]

    assert after == pytest.approx([0, 0.12 * 0.5], abs=1e-4)
    assert 0 < under[1] < after[1]


def test_a_session_on_day_0_counts():
    found = solve(Model(P, Person(), Course(therapy=(TherapySession(0),))), np.array([0.0, 1.0]))["X"]

    assert found == pytest.approx([0.06, 0.06], rel=1e-3)


@pytest.mark.parametrize(
    ("better", "than"),
    [
        (Course(half_mg_per_kg()), Course()),
        (Course(half_mg_per_kg(SIX_DAYS)), Course(half_mg_per_kg())),
        (Course(ssri=(Ssri(150),)), Course()),
        (Course(ssri=(Ssri(150),)), Course(ssri=(Ssri(150, stop_day=10),))),
        (Course(therapy=(TherapySession(7),)), Course()),
        (Course(arm="open label"), Course(arm="even odds")),
        (Course(half_mg_per_kg(SIX_DAYS)), Course(half_mg_per_kg(SIX_DAYS), setting="military")),
    ],
)
def test_what_should_help_more_does(better, than):
    assert severity(better) < severity(than)


def test_under_anaesthesia_nobody_can_tell():
    assert (
        belief(P, "under anaesthesia", 30, 20) == belief(P, "under anaesthesia", 0, 0) == belief(P, "even odds", 0, 0)
    )


def test_a_drawn_belief_replaces_its_chance():
    model = Model(P, Person(), Course(half_mg_per_kg()))

    assert 0.9 < model.belief < 1
    assert replace(model, believes=0.0).belief == 0.0


def test_tolerance_lowers_the_cadss_and_its_ratings_have_its_mean():
    feeling = Dissociation.of(P)
    first, sixth = feeling.mean(np.array([229.0]), 0), feeling.mean(np.array([229.0]), 5)

    ratings = feeling.rated(np.full(200_000, first[0]), generator(1, 0))

    assert sixth - 3 == pytest.approx((first - 3) * np.exp(-0.5))
    assert ratings.mean() == pytest.approx(first[0], rel=0.01)
    assert (ratings == 0).mean() > 0.05


def test_ratings_scatter_about_severity():
    days = np.array([0.0, 14.0])
    noises = [generator(1, number, 1) for number in range(4000)]
    rated = np.array([seen(42.0 + fluctuation(days, P, noise), P["sem_caps"], noise) for noise in noises])

    change = rated[:, 1] - rated[:, 0]
    spread = np.sqrt(2 * 5.5**2 * (1 - np.exp(-1)) + 2 * 4.7**2)
    assert change.mean() == pytest.approx(0, abs=0.5)
    assert change.std() == pytest.approx(spread, rel=0.05)
    assert rated.min() >= 0
    assert rated.max() <= 80


@pytest.mark.parametrize(("now", "is_responder"), [(28.0, True), (28.1, False)])
def test_a_responder_falls_by_three_tenths(now, is_responder):
    assert responded(40.0, now) is is_responder


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([], "no times; give at least one"),
        ([-1.0, 2.0], "time -1 h; times must be finite and 0 or later"),
        ([0.0, 2.0, 1.0], "times must increase: 1 h comes after 2 h"),
        ([0.0, 1.0, 1.0], "times must increase: 1 h comes after 1 h; sort them and drop repeats"),
    ],
)
def test_times_must_increase(times, says):
    with pytest.raises(TimesError, match=says):
        solve(Model(P), np.array(times))


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: TherapySession(-1), TherapyError, "days are counted from 0"),
        (lambda: TherapySession(1, 0), TherapyError, "must be above 0 and at most 1"),
        (lambda: Ssri(0), TreatmentError, "it must be above zero"),
        (lambda: Ssri(50, 5, 5), TreatmentError, "starts on day 0 or later, then stops"),
        (lambda: Symptoms.of(P, "naval"), TreatmentError, "it must be civilian or military"),
        (lambda: belief(P, "blind", 0, 0), TreatmentError, "the arms are even odds"),
    ],
)
def test_treatments_that_cannot_be_are_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_states_go_by_their_symbols():
    found = solve(Model(P, Person(), Course(Regimen([Infusion(0, 1, 35)]))), np.array([1.0]))

    assert {name: found[name].shape for name in (*CHAIN, "BI", "Ce")} == dict.fromkeys((*CHAIN, "BI", "Ce"), (1,))
    with pytest.raises(KeyError, match="the states are G, N"):
        found["Q"]
