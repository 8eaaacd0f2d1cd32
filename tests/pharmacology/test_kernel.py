"""The fast kernel is held to the readable model: the same people, the same states, whoever is simulated beside them."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from reprieve.pharmacology.grid import steps
from reprieve.pharmacology.kernel import STATES, ManyError, People, simulate_many
from reprieve.pharmacology.memory import TherapySession
from reprieve.pharmacology.model import Course, Model, Switches, TimesError
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Infusion, Regimen
from reprieve.pharmacology.simulate import Population, simulate
from reprieve.pharmacology.symptoms import Ssri
from reprieve.pharmacology.variability import draw
from tests.pharmacology.agreement import oracle, relative_error
from tests.pharmacology.runs import FORTY_MINUTES, SIX_DAYS, half_mg_per_kg

SIX = Regimen.repeated(35, FORTY_MINUTES, SIX_DAYS)
AROUND = (1 / 3, 2 / 3, 1, 1.5, 2, 4, 8, 12)  # hours
SIX_TIMES = np.unique([*range(61), *(day + hour / 24 for day in (0, 4, 11) for hour in AROUND)])


def drawn(count, seed=7):
    return [draw(parameter_set(), seed, number) for number in range(count)]


@cache
def everybody() -> People:
    return People.drawn(parameter_set(), 7, range(1000))


def worst(people, course, times_days, **options) -> dict[str, float]:
    """Worst relative error of each state over these people."""
    switches = options.get("switches", Switches())
    found = simulate_many(People.among(people), course, times_days, **options)
    errors = np.zeros(len(STATES))
    for row, each in enumerate(people):
        ours = np.stack([found[name][row] for name in STATES])
        errors = np.maximum(errors, relative_error(ours, oracle(each, course, times_days, switches)).max(axis=1))
    return dict(zip(STATES, errors, strict=True))


@pytest.mark.parametrize(
    ("course", "times_days"),
    [
        (Course(half_mg_per_kg()), np.array([0, 1 / 72, 1 / 36, 0.1, 0.5, *range(1, 29)])),
        (Course(SIX), SIX_TIMES),
        (Course(SIX, setting="military", arm="even odds"), np.arange(0, 183, 7.0)),
        (Course(Regimen(), ssri=(Ssri(100, 3, 50), Ssri(50, 20)), arm="daily pill"), np.arange(0, 85, 7.0)),
        (Course(SIX, (TherapySession(0), TherapySession(1.5, 0.5), TherapySession(8))), np.arange(0, 29, 0.5)),
        (
            Course(Regimen([Infusion(1, 1 / 60, 15), Infusion(1.1, 0.41, 20), Infusion(1.2, 1, 5)])),
            np.arange(0, 5, 0.1),
        ),
        (Course(Regimen([Infusion(5, 30, 300)])), np.arange(0, 10, 0.25)),
    ],
    ids=["one infusion", "six", "long tail, veterans", "SSRI alone", "with therapy", "bolus and overlap", "30 h"],
)
def test_everything_agrees_with_the_readable_model(course, times_days):
    errors = worst(drawn(8), course, times_days)

    assert max(errors.values()) < 1e-4, errors


def test_forty_people_agree_with_the_readable_model():
    errors = worst(drawn(40, seed=20261122), Course(SIX), SIX_TIMES)

    assert max(errors.values()) < 1e-4, errors


def test_people_whose_glutamate_falls_below_rest_agree_too():
    course, times = Course(Regimen.repeated(70, FORTY_MINUTES, [0, 3])), np.arange(0, 8, 0.125)
    weak = [draw(parameter_set(overrides={"a": 0.9}), 7, number) for number in range(12)]

    lowest = simulate_many(People.among(weak), course, times)["lowest_glutamate_rise_fraction"]
    errors = worst(weak, course, times)

    assert np.count_nonzero(lowest < -0.01) > 3
    assert max(errors.values()) < 1e-4, errors


@pytest.mark.parametrize("switches", [Switches(norketamine=True), Switches(with_translation=False, stress_moves=False)])
def test_other_forms_of_the_model_agree(switches):
    errors = worst(drawn(6), Course(SIX), np.arange(0, 29.0), switches=switches)

    assert max(errors.values()) < 1e-4, errors


@pytest.mark.parametrize(
    "changed",
    [{"p": 3.0}, {"k_e2": 0.5}, {"tau_W": 6.0, "tau_th": 0.25, "r_I": 0.001, "X_0": 0.3}, {"ke0": 14.0, "tau_M": 4.0}],
)
def test_other_values_agree(changed):
    people = [draw(parameter_set(overrides=changed), 7, number) for number in range(6)]

    errors = worst(people, Course(SIX, (TherapySession(2.5),)), np.arange(0, 29, 0.5))

    assert max(errors.values()) < 1e-4, errors


def test_named_sets_agree():
    for name in ("start", "otto2021", "simons2022"):
        people = [draw(parameter_set(name), 7, number) for number in range(4)]
        errors = worst(people, Course(SIX), np.arange(0, 29.0))
        assert max(errors.values()) < 1e-4, (name, errors)


def test_people_drawn_at_once_are_those_drawn_one_by_one():
    p = parameter_set()
    at_once, one_by_one = People.drawn(p, 7, range(50)), People.among([draw(p, 7, number) for number in range(50)])

    for name in one_by_one.values:
        assert at_once.column(name) == pytest.approx(one_by_one.column(name), rel=1e-14), name
    assert at_once.weight_kg == pytest.approx(one_by_one.weight_kg, rel=1e-14)
    assert at_once.belief_rank == pytest.approx(one_by_one.belief_rank, rel=1e-14)


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_a_person_is_the_same_in_any_chunk(size, monkeypatch):
    whole = simulate_many(everybody(), SIX, [0, 1, 28])
    monkeypatch.setattr("reprieve.pharmacology.kernel.CHUNK", size)

    in_chunks = simulate_many(everybody(), SIX, [0, 1, 28])

    for name in (*STATES, *whole.summaries):
        assert np.array_equal(in_chunks[name], whole[name]), name


def test_a_person_is_the_same_in_any_order_and_on_two_threads(monkeypatch):
    whole = simulate_many(everybody(), SIX, [0, 1, 28])
    monkeypatch.setattr("reprieve.pharmacology.kernel.CHUNK", 96)
    order = np.random.default_rng(1).permutation(1000)

    shuffled = simulate_many(everybody().some(order), SIX, [0, 1, 28], threads=2)

    for name in (*STATES, *whole.summaries):
        assert np.array_equal(shuffled[name], whole[name][order]), name


def test_doses_add():
    times, first, second = np.arange(0, 3, 0.125), Regimen([Infusion(0, 1, 30)]), Regimen([Infusion(30, 0.5, 20)])
    name = "norketamine_plasma_ng_per_ml"

    one, two, both = (simulate_many(everybody(), each, times)[name] for each in (first, second, first + second))

    assert one + two == pytest.approx(both, rel=1e-8, abs=1e-12)  # digits lost where two rates nearly meet


def test_doses_by_weight_follow_the_person():
    times, people = [0, 1 / 36, 1], everybody().some(slice(0, 3))
    name = "ketamine_plasma_ng_per_ml"

    by_weight = simulate_many(people, SIX, times, mg_per_kg=True)[name]

    for row, weight in enumerate(people.weight_kg):
        own = Regimen.repeated(0.5 * weight, FORTY_MINUTES, SIX_DAYS)
        assert by_weight[row] == pytest.approx(simulate_many(people, own, times)[name][row], rel=1e-12)


def test_without_treatment_people_rest():
    found = simulate_many(everybody(), Regimen(), [0, 10, 60])

    assert np.all(found["spine_signal_fraction"] == 0)
    assert found["labile_synapse_fraction"][:, 0] == pytest.approx(0.25)
    assert found["ketamine_plasma_ng_per_ml"].max() == 0


def test_nobody_is_nobody():
    found = simulate_many(everybody().some(slice(0, 0)), SIX, [0, 1])

    assert found["caps5_total"].shape == (0, 2)
    assert found["lowest_caps5_total"].shape == (0,)


def test_summaries_are_those_of_the_course_seen_closely():
    people, times = everybody().some(slice(0, 5)), np.union1d(np.arange(0, 12, 1 / 96), np.arange(2, 4 / 3 + 40) / 1440)
    found = simulate_many(people, SIX, times)

    assert found["peak_ketamine_ng_per_ml"] == pytest.approx(found["ketamine_plasma_ng_per_ml"].max(axis=1), rel=0.05)
    closely = found["receptor_block_interneuron_fraction"].max(axis=1)
    assert np.all(found["peak_block_interneuron_fraction"] >= closely)
    assert found["lowest_caps5_total"] == pytest.approx(found["caps5_total"].min(axis=1), rel=1e-3)
    mean = np.trapezoid(found["caps5_total"], times) / times[-1]
    assert found["mean_caps5_total"] == pytest.approx(mean, rel=1e-4)


def test_peak_block_is_that_of_the_readable_model():
    each = draw(parameter_set(), 7, 0)
    model = Model(each.p, each.person, Course(half_mg_per_kg()))
    levels = model.exposure.at(np.arange(0, 2, 1e-4))[:, 7:9]

    found = simulate_many(People.among([each]), half_mg_per_kg(), [0, 1])

    assert found["peak_block_interneuron_fraction"][0] == pytest.approx(
        model.equilibrium_block(levels)[0].max(), rel=1e-4
    )


def test_float32_keeps_seven_digits():
    fine, small = (simulate_many(everybody(), SIX, [28], ["caps5_total"], dtype=each) for each in ("f8", "f4"))

    assert small["caps5_total"] == pytest.approx(fine["caps5_total"], rel=1e-6)


def test_steps_end_on_every_time_asked_for_and_every_jump():
    course, times = Course(SIX, (TherapySession(1.234),)), np.array([0.1, 1.0, 26.37, 290.0])

    ends = steps(course, times).ends_h

    for time_h in (*times, *course.changes_h()):
        if 0 < time_h <= times[-1]:
            assert np.abs(ends - time_h).min() < 1e-9, time_h
    assert np.all(np.diff(ends) > 0)


def test_rates_that_coincide_lose_no_digits():
    p = parameter_set(overrides={"ke0": 14.648, "QN": 1e-3, "CLN": 42.0, "kf": 0.0201})
    people = [draw(p, 7, number) for number in range(3)]
    fastest = [Model(each.p, each.person).exposure.disposition.ketamine_modes()[0] for each in people]
    people = [
        type(each)(each.number, each.person, each.p.replaced({"ke0": float(rates[0])}), each.belief_rank, 0.0, 7)
        for each, rates in zip(people, fastest, strict=True)
    ]

    errors = worst(people, Course(SIX), np.arange(0, 15, 0.25))

    assert max(errors.values()) < 1e-4, errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"states": ["caps"]}, "state 'caps'; the states are ketamine"),
        ({"switches": Switches(kinetic_block=True)}, "not in the fast kernel"),
        ({"course": Course(SIX, (TherapySession(1), TherapySession(1)))}, "move one by an hour"),
    ],
)
def test_what_it_cannot_do_is_said(arguments, words):
    with pytest.raises(ManyError, match=words):
        simulate_many(everybody(), arguments.pop("course", SIX), [0, 1], **arguments)


@pytest.mark.parametrize("times_days", [[], [1, 1], [2, 1], [-1], [float("nan")]])
def test_times_that_do_not_increase_are_refused(times_days):
    with pytest.raises(TimesError, match="increase"):
        simulate_many(everybody(), SIX, times_days)


def test_one_set_of_values_for_each_person():
    with pytest.raises(ManyError, match="2 people and 1 sets"):
        People.of([Person(), Person()], [parameter_set()])


def test_a_later_process_starts_from_the_cache():
    simulate_many(everybody().some(slice(0, 1)), SIX, [0, 1])  # so that there is a cache
    script = (
        "from reprieve.pharmacology.kernel import *; from reprieve.pharmacology.parameters import *;"
        "simulate_many(People.drawn(parameter_set(), 1, range(10)), Course(), [0, 1]);"
        "print(sum(run_blocks.stats.cache_hits.values()), sum(run_blocks.stats.cache_misses.values()))"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert ran.stdout.split() == ["1", "0"]


def test_sittings_that_differ_from_person_to_person_agree_with_the_readable_model():
    people = drawn(6)
    occasions = np.stack([each.occasions(len(SIX_DAYS)) for each in people])

    found = simulate_many(People.among(people), SIX, SIX_TIMES, occasions=occasions)

    for row, each in enumerate(people):
        reference = oracle(each, Course(SIX.scaled(occasions[row])), SIX_TIMES)
        assert relative_error(np.stack([found[name][row] for name in STATES]), reference).max() < 1e-4


def test_severity_can_be_had_before_it_is_kept_within_its_scale():
    strong = People.among([draw(parameter_set(overrides={"w_S": 1500, "theta_0": 30}), 7, n) for n in range(4)])

    found = simulate_many(strong, SIX, [0, 14], ["caps5_total", "severity_points"])

    assert found["severity_points"][:, 1].min() < 0
    assert np.array_equal(found["caps5_total"], found["severity_points"].clip(0, 80))


@pytest.mark.parametrize(
    ("changed", "switches"), [({"CL": 11.0}, Switches()), ({"CLN": 14.0}, Switches(norketamine=True))]
)
def test_people_who_clear_slowly_go_through_on_finer_steps(changed, switches):
    people = [draw(parameter_set(overrides=changed | {"cv_occ": 0}), 7, number) for number in range(4)]

    errors = worst(people, Course(SIX), np.arange(0, 29, 0.5), switches=switches)

    assert max(errors.values()) < 1e-4, errors


def test_a_drug_that_stays_for_days_is_refused_here_and_simulated_elsewhere():
    slow = parameter_set(overrides={"CL": 2})

    with pytest.raises(ManyError, match=r"per hour at the slowest; the fast kernel takes 0\.035 or above"):
        simulate_many(People.drawn(slow, 7, range(3)), SIX, [0, 1])
    assert simulate(SIX, Population(2), slow, times_min=[0, 60]).sizes["person"] == 2


@pytest.mark.parametrize("day", [0.7, 1.9, 27.7])
def test_an_ssri_starts_and_stops_at_any_tenth_of_a_day(day):
    each = draw(parameter_set(), 7, 0)

    for course in (Course(ssri=(Ssri(150, day),)), Course(ssri=(Ssri(150, 0, day),))):
        assert max(worst([each], course, [day + 0.01, 40.0, 60.0]).values()) < 1e-4


def test_what_happens_almost_at_once_is_refused_and_the_start_is_the_start():
    people = everybody().some(slice(0, 2))

    with pytest.raises(TimesError, match="increase"):
        simulate_many(people, SIX, [0, 1, 1 + 6.25e-11, 2])
    with pytest.raises(ManyError, match="move one by an hour"):
        simulate_many(people, Course(therapy=(TherapySession(1), TherapySession(1 + 1e-11))), [2])
    first, nearly = (simulate_many(people, Course(therapy=(TherapySession(day),)), [2]) for day in (0, 1e-11))
    assert nearly["extinction_fraction"] == pytest.approx(first["extinction_fraction"], rel=1e-9)
