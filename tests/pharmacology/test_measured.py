"""What would be written down: errors of the size that the table gives, the same for a person whoever else is there."""

from __future__ import annotations

import numpy as np
import pytest

from reprieve.pharmacology.measured import LEVELS, RATED, READINGS, measured
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.simulate import Population, trajectories
from tests.pharmacology.runs import half_mg_per_kg

P = parameter_set()


@pytest.fixture(scope="module")
def many():
    course = trajectories(half_mg_per_kg(), Population(3000, seed=5, weight_kg=70), times_min=[0, 40, 1440, 14 * 1440])
    return measured(course, P, seed=5)


def error(many, name, time=1) -> np.ndarray:
    return many[f"{name}_measured"][:, time] - many[name][:, time]


def test_concentrations_err_by_a_share_of_themselves(many):
    for name, symbol in LEVELS.items():
        logs = np.log(many[f"{name}_measured"][:, 1] / many[name][:, 1])

        assert np.median(logs) == pytest.approx(0, abs=0.02)
        assert logs.std() == pytest.approx(np.sqrt(np.log1p(P[symbol] ** 2)), rel=0.05)


def test_pressure_and_pulse_err_by_as_much_at_any_level(many):
    for name, symbol in READINGS.items():
        assert error(many, name).std() == pytest.approx(P[symbol], rel=0.05)
        assert error(many, name, time=2).mean() == pytest.approx(0, abs=0.5)


def test_dissociation_is_a_whole_number_about_the_expected(many):
    rated = many["cadss_total_measured"]

    assert np.array_equal(rated, rated.round())
    assert rated.min() == 0
    assert rated.mean(axis=0) == pytest.approx(many["cadss_total"].mean(axis=0), rel=0.06)


def test_the_two_symptom_scales_share_the_drift_of_a_person(many):
    caps5, pcl5 = error(many, "caps5_total", time=3), error(many, "pcl5_total", time=3)
    drift = 2 * P["sd_ou"] ** 2 * (1 - np.exp(-14 / P["tau_ou"]))

    assert caps5.std() == pytest.approx(
        np.sqrt(drift + P["sem_caps"] ** 2), rel=0.07
    )  # a few meet the ends of the scale
    assert np.cov(caps5, pcl5)[0, 1] == pytest.approx(drift, rel=0.15)
    assert error(many, "caps5_total", time=0).std() == pytest.approx(P["sem_caps"], rel=0.05)


def test_scales_keep_within_their_ends(many):
    for name in ("caps5_total", "pcl5_total"):
        assert 0 <= many[f"{name}_measured"].min() <= many[f"{name}_measured"].max() <= 80


def test_a_person_is_measured_alike_alone_or_among_others():
    few, more = (
        measured(trajectories(half_mg_per_kg(), Population(n, seed=2), times_min=[0, 40]), P, seed=2) for n in (2, 5)
    )

    assert few.dataset().equals(more.dataset().isel(person=slice(2)))
    assert {f"{name}_measured" for name in (*LEVELS, *READINGS, *RATED)} <= set(few.said)
