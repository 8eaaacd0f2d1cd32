"""The model as SBML runs in libroadrunner to the curves of the readable model, and says what it is."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import antimony
import numpy as np
import pytest
import roadrunner

from reprieve import __version__
from reprieve.pharmacology.compartments import STATES, SiteError
from reprieve.pharmacology.memory import TherapySession
from reprieve.pharmacology.model import BLOCK, CHAIN, Course, Model, Switches, solve
from reprieve.pharmacology.parameters import parameter_set, table
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Infusion, Regimen
from reprieve.pharmacology.sbml import WITHOUT_INFUSIONS, SbmlError, in_antimony, sbml
from reprieve.pharmacology.simulate import VARIABLES, Population, simulate
from reprieve.pharmacology.symptoms import Ssri
from reprieve.pharmacology.variability import draw
from tests.pharmacology.agreement import OF_THE_PEAK, ONE_POINT, SMALLEST
from tests.pharmacology.runs import SIX_DAYS, half_mg_per_kg

P = parameter_set()
NAMES = (*STATES, *BLOCK, *CHAIN)
READINGS = tuple(name for name in VARIABLES if name != WITHOUT_INFUSIONS)
IN_POINTS = {"theta", "caps5_total", "pcl5_total"}
NOT_FROM_ZERO = {"s", "sigma", "I", "labile_synapse_fraction", "synaptic_density_fraction", "stress_load_fraction"}
SIX = half_mg_per_kg(SIX_DAYS)
CLOSELY = np.unique(
    [*np.arange(0, 40 * 24, 8.0), *(24 * day + hour for day in (0, 4, 11) for hour in (0.1, 0.7, 1, 3))]
)
EVERYTHING = Course(
    SIX,
    (TherapySession(0), TherapySession(0.02), TherapySession(3), TherapySession(7, 0.5), TherapySession(7, 0.25)),
    (Ssri(100, 3, 25), Ssri(50, 0)),
    arm="even odds",
    setting="military",
)
OVERLAPPING = Course(Regimen([Infusion(1, 1 / 60, 15), Infusion(1, 0.5, 20), Infusion(1.2, 1, 5), Infusion(2.2, 1, 5)]))
LATE = Course(Regimen([Infusion(0, 2 / 3, 35), Infusion(700.3, 1 / 60, 15)]))


@pytest.fixture(autouse=True)
def _quiet():
    roadrunner.Logger.disableLogging()


def run(document: str, times_h, names) -> dict[str, np.ndarray]:
    """The document in libroadrunner, which would scale one absolute tolerance for all by the states as they stand."""
    runner = roadrunner.RoadRunner(document)
    runner.integrator.relative_tolerance = 1e-9
    runner.integrator.absolute_tolerance = [1e-12] * len(runner.integrator.getAbsoluteToleranceVector())
    runner.timeCourseSelections = list(names)
    found = np.array(runner.simulate(times=list(times_h)))
    return dict(zip(names, found.T, strict=True))


def worst(found, reference) -> dict[str, float]:
    """Worst relative error of each name, by the measure of agreement.py."""
    errors = {}
    for name, ours in found.items():
        size = np.abs(reference[name])
        floor = ONE_POINT if name in IN_POINTS else 0 if name in NOT_FROM_ZERO else OF_THE_PEAK * size.max()
        errors[name] = float((np.abs(ours - reference[name]) / np.maximum(size, max(floor, SMALLEST))).max())
    return errors


def states_of(model, times_h):
    found = solve(model, times_h)
    return {name: found[name] for name in NAMES}


@pytest.mark.parametrize(
    ("course", "switches", "times_h"),
    [
        (Course(half_mg_per_kg()), Switches(), np.array([0, 0.25, 0.5, 2 / 3, 1, 2, 8, 24, 100, 672])),
        (EVERYTHING, Switches(), CLOSELY),
        (OVERLAPPING, Switches(), np.arange(0, 72, 0.1)),
        (LATE, Switches(), np.array([0, 1, 700, 700.31, 700.4, 701, 702, 724, 800])),
        (EVERYTHING, Switches(kinetic_block=True), CLOSELY),
        (EVERYTHING, Switches(norketamine=True, covariates=("sex",)), CLOSELY),
        (Course(SIX), Switches(with_translation=False, stress_moves=False), CLOSELY),
        (Course(arm="daily pill", ssri=(Ssri(150),)), Switches(), CLOSELY),
    ],
    ids="one everything overlapping minute kinetic norketamine shorter nothing".split(),
)
def test_every_state_and_reading_is_that_of_the_readable_model(course, switches, times_h):
    person = Person(82.5, sex="female")
    model = Model(P, person, course, switches)
    given = simulate(course, person, times_min=times_h * 60, switches=switches)

    found = run(sbml(model), times_h, (*NAMES, *READINGS))

    readings = {name: given[name].values[0] for name in READINGS}
    errors = worst(found, states_of(model, times_h) | readings)
    assert max(errors.values()) < 1e-4, errors


def test_drawn_people_run_to_their_own_curves():
    given = simulate(EVERYTHING, Population(3, seed=7), times_min=CLOSELY * 60, site="venous")

    for number in range(3):
        each = draw(P, 7, number)
        sittings = each.occasions(len(EVERYTHING.regimen.sittings()))
        model = Model(each.p, each.person, replace(EVERYTHING, regimen=EVERYTHING.regimen.scaled(sittings)))
        model = replace(model, believes=float(each.belief_rank < model.belief))
        found = run(sbml(model, site="venous", pcl5_offset=each.pcl5_offset), CLOSELY, READINGS)
        errors = worst(found, {name: given[name].values[number] for name in READINGS})
        assert max(errors.values()) < 1e-4, (number, errors)


@pytest.mark.parametrize(
    "overrides", [{"a": 0.5, "p": 3.0, "k_e2": 0.3}, {"h": 2.5, "r_I": 0.001, "X_0": 0.2, "m": 1.5}]
)
def test_other_values_run_too(overrides):
    model = Model(
        parameter_set("start", overrides), Person(), Course(half_mg_per_kg((0, 3), 1.5), (TherapySession(2),))
    )

    errors = worst(run(sbml(model), CLOSELY, NAMES), states_of(model, CLOSELY))

    assert max(errors.values()) < 1e-4, errors


@pytest.mark.parametrize("day", [14, 30, 180])
def test_an_infusion_after_a_long_rest_runs_with_libroadrunners_own_settings(day):
    model, times = Model(P, Person(), Course(half_mg_per_kg((0, day)))), np.array([0, day * 24 + 0.5, day * 24 + 96])
    runner = roadrunner.RoadRunner(sbml(model))
    runner.timeCourseSelections = ["BI", "s"]

    found = np.array(runner.simulate(times=list(times)))

    solved = solve(model, times)
    assert found == pytest.approx(np.column_stack([solved["BI"], solved["s"]]), rel=1e-3)


def test_a_value_changed_in_the_document_has_its_effect():
    course = Course(half_mg_per_kg())
    document = sbml(Model(P, Person(70), course))
    changed = re.sub(r'(id="weight_kg"[^>]*value=)"70"', r'\1"100"', document)
    changed = re.sub(r'(id="gam"[^>]*value=)"2"', r'\1"1"', changed)

    found = run(changed, [0, 0.5, 48], ["A1", "s"])

    heavier = solve(Model(parameter_set(overrides={"gam": 1}), Person(100), course), np.array([0, 0.5, 48]))
    assert found == {name: pytest.approx(heavier[name], rel=1e-5, abs=1e-9) for name in found}


def test_the_document_is_valid_and_its_units_agree():
    for switches in (Switches(), Switches(kinetic_block=True, norketamine=True)):
        said = roadrunner.validateSBML(sbml(Model(P, Person(), EVERYTHING, switches)), 127)

        assert "Error" not in said
        assert "Fatal" not in said
        # 99505: the unit of a bare number, as in 1 - X, is not declared
        assert set(re.findall(r"\((\d+) \[Warning\]\)", said)) == {"99505"}


def test_antimony_reads_its_own_document_and_parameters_keep_their_values():
    each = draw(P, 7, 1)
    model = Model(each.p, each.person, EVERYTHING)
    document = sbml(model)

    assert antimony.loadSBMLString(document) >= 0, antimony.getLastError()
    again = antimony.getAntimonyString()
    runner = roadrunner.RoadRunner(document)
    kept = {symbol: runner.model[symbol] for symbol in table() if symbol in runner.model.getGlobalParameterIds()}

    assert antimony.loadAntimonyString(again) >= 0, antimony.getLastError()
    twice = roadrunner.RoadRunner(antimony.getSBMLString("reprieve_course"))
    assert len(kept) > 90
    assert kept == {symbol: pytest.approx(each.p[symbol], rel=1e-14) for symbol in kept}
    assert kept == {symbol: twice.model[symbol] for symbol in kept}
    assert runner.model["infusion_2_dose"] == 35
    assert runner.model["P_belief"] == pytest.approx(model.belief, rel=1e-14)


def test_it_says_what_it_is():
    p = parameter_set("start", {"eta": 1000, "S50": 0.8})
    document = sbml(Model(p, Person(), Course(half_mg_per_kg(mg_per_kg=2), setting="military")), site="venous")

    notes = document[document.index("<notes>") : document.index("</notes>")]
    for words in (
        "Not for dosing people", f"Reprieve {__version__}", "Parameter set: start; overridden: eta = 1000, S50 = 0.8",
        "Plasma: venous", "Arm: open label", "Setting: military", "eta = 1000 none lies outside", "above 1 mg/kg",
    ):  # fmt: skip
        assert words in notes
    assert 'level="3"' in document
    ic50 = document[document.index('<parameter id="IC50_I"') :]
    assert "half_block_interneuron_umol_per_l, umol/L: assumed;" in ic50[: ic50.index("</parameter>")]
    assert "from memory, not yet checked" in ic50[: ic50.index("</parameter>")]


def test_without_antimony_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "antimony", None)

    with pytest.raises(
        SbmlError, match=r"^SBML needs antimony: install the extra 'interchange' \(in a clone: make research\)$"
    ):
        sbml(Model(P))


def test_there_are_two_places_to_draw_blood_from():
    with pytest.raises(SiteError, match="it must be arterial or venous"):
        in_antimony(Model(P), site="heel")
