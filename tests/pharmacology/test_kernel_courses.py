"""The fast kernel on courses that nobody thought of: whatever is drawn, it agrees with the readable model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reprieve.pharmacology.kernel import STATES, People, simulate_many
from reprieve.pharmacology.memory import TherapySession
from reprieve.pharmacology.model import Course, Switches
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.regimen import Infusion, Regimen
from reprieve.pharmacology.symptoms import ARMS, SETTINGS, Ssri
from reprieve.pharmacology.variability import draw
from tests.pharmacology.agreement import oracle, relative_error

HOURS = st.sampled_from([0, 1 / 60, 0.25, 2 / 3, 1, 1.5, 7, 24, 24.5, 47, 48, 100.3])
INFUSIONS = st.builds(Infusion, HOURS, st.sampled_from([1 / 60, 0.25, 2 / 3, 1.7, 30]), st.sampled_from([5, 20, 35]))
SESSIONS = st.lists(st.sampled_from([0, 1 / 36, 1 / 24, 0.5, 1, 2, 3.3]), max_size=3, unique=True)
PILLS = st.sampled_from([(), (Ssri(100),), (Ssri(50, 1, 3),), (Ssri(50, 0, 2), Ssri(150, 2))])
CHANGED = st.fixed_dictionaries(
    {},
    optional={
        "r_I": st.just(0.001), "k_e2": st.just(0.4), "p": st.sampled_from([1.0, 3.0]), "sigma_0": st.just(0.0),
        "rho": st.just(0.0), "X_0": st.just(0.3), "tau_M": st.just(3.0), "a": st.sampled_from([0.7, 8.0]),
    },
)  # fmt: skip
TIMES = st.sampled_from(
    [
        (5.0,),
        (0.0,),
        (0.0, 1 / 36, 1.0, 6.0),
        tuple(np.arange(0, 6, 0.25)),
        (0.9, 1.1, 4.0),
        (1 / 1440, 2 + 1 / 36, 9.0),
    ]
)


@st.composite
def courses(draw_one) -> Course:
    sessions = tuple(TherapySession(day, draw_one(st.sampled_from([0.3, 1.0]))) for day in draw_one(SESSIONS))
    return Course(
        Regimen(draw_one(st.lists(INFUSIONS, max_size=4))),
        sessions,
        draw_one(PILLS),
        draw_one(st.sampled_from(sorted(ARMS))),
        draw_one(st.sampled_from(SETTINGS)),
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(courses(), CHANGED, TIMES, st.booleans())
def test_any_course_agrees_with_the_readable_model(course, changed, times_days, norketamine):
    people = [draw(parameter_set(overrides=changed), 11, number) for number in range(2)]
    occasions = np.stack([each.occasions(len(course.regimen.sittings())) for each in people])
    switches = Switches(norketamine=norketamine)

    found = simulate_many(People.among(people), course, times_days, switches=switches, occasions=occasions)

    for row, each in enumerate(people):
        own = Course(course.regimen.scaled(occasions[row]), course.therapy, course.ssri, course.arm, course.setting)
        reference = oracle(each, own, times_days, switches)
        errors = relative_error(np.stack([found[name][row] for name in STATES]), reference).max(axis=1)
        assert errors.max() < 1e-4, dict(zip(STATES, errors, strict=True))


def test_occasions_of_the_wrong_shape_are_refused():
    people = People.among([draw(parameter_set(), 11, 0)])
    course = Regimen.repeated(35, 2 / 3, [0, 2])

    with pytest.raises(ValueError, match="1 people by 2 sittings"):
        simulate_many(people, course, [1], occasions=np.ones((1, 3)))
    with pytest.raises(ValueError, match="above zero"):
        simulate_many(people, course, [1], occasions=np.zeros((1, 2)))
