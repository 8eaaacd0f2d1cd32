"""Regimens: what can be given, how it is written, and what is refused or warned of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.pharmacology.person import Person, PersonError
from reprieve.pharmacology.regimen import Infusion, Regimen, RegimenError, from_events, from_toml, ramp


def toml(*lines: str) -> str:
    return "\n".join(("[[infusion]]", *lines))


GOOD = ("start_h = 0", "duration_h = 0.5", "dose_mg = 35")


def test_infusions_that_overlap_add():
    regimen = Regimen([Infusion(1, 2, 20), Infusion(0, 2, 40)])

    assert [regimen.rate_mg_per_h(time) for time in (0.5, 1.5, 2.5, 3.0)] == [20, 30, 10, 0]
    assert regimen.changes_h() == (0, 1, 2, 3)


def test_the_three_ways_to_write_a_dose_agree():
    ways = ("dose_mg = 35", "dose_mg_per_kg = 0.5", "rate_mg_per_kg_per_h = 1")

    found = {from_toml(toml("start_h = 0", "duration_h = 0.5", way), weight_kg=70) for way in ways}

    assert found == {Regimen([Infusion(0, 0.5, 35)])}


def test_a_course_misses_a_day_and_stops_early():
    course = Regimen.repeated(40.0, 1, days=[0, 2, 4])

    assert course.without_day(2).changes_h() == (0, 1, 96, 97)
    assert course.stopped(at_h=48.25).infusions[1] == Infusion(48, 0.25, 10)
    assert course.stopped(at_h=48.25).total_mg == 90


def test_dose_records_mean_the_same_as_infusions():
    text = "ID,TIME,AMT,RATE,DUR,II,ADDL,EVID\n1,0,35,52.5,.,48,2,1\n1,3,.,.,.,.,.,0\n1,168,30,0,1,0,0,1\n"

    regimen = from_events(text)

    assert [each.start_h for each in regimen.infusions] == [0, 48, 96, 168]
    assert regimen.infusions[0].duration_h == pytest.approx(2 / 3)
    assert regimen.total_mg == 135


def test_a_bolus_and_what_follows_are_one_sitting():
    regimen = Regimen([Infusion(0, 1 / 6, 28), Infusion(1 / 6, 1, 28), Infusion(48, 1, 28)])

    assert [len(sitting) for sitting in regimen.sittings()] == [2, 1]


@given(st.floats(0, 80), st.floats(0, 80), st.floats(0.1, 5), st.integers(1, 40))
def test_a_ramp_gives_the_area_under_it(first, last, hours, pieces):
    if first + last > 0.1:
        assert ramp(0, hours, first, last, pieces).total_mg == pytest.approx((first + last) / 2 * hours, rel=1e-9)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Infusion(0, 1, 0), "a dose of 0 mg; a dose must be above zero"),
        (lambda: Infusion(0, 1, -35), "a dose of -35 mg; a dose must be above zero"),
        (lambda: Infusion(2, -1, 35), "ends before it starts, at 1 h; give its duration"),
        (lambda: Infusion(2, 0, 35), "lasts 0 h; an infusion must last longer than zero"),
        (lambda: Infusion(-1, 1, 35), "starts at -1 h; time runs from 0"),
        (lambda: Infusion(0, 1, float("nan")), "dose_mg is nan; it must be a finite number"),
        (lambda: Regimen.repeated(35, 1, days=[]), "no days; give at least one"),
        (
            lambda: Regimen.repeated(35, 1, days=[0, 2]).without_day(1),
            "day 1 has no infusion to miss; the days are 0, 2",
        ),
        (lambda: Regimen.repeated(35, 1, days=[0]).stopped(5), "nothing runs at 5 h"),
        (lambda: ramp(0, 1, 10, -1), "a rate below zero"),
        (lambda: ramp(0, 1, 10, 20, pieces=0), "0 pieces; it needs at least one"),
        (lambda: from_toml(toml(*GOOD, "dose_mg_per_kg = 0.5"), 70), "dose_mg and dose_mg_per_kg; give exactly one of"),
        (lambda: from_toml(toml(*GOOD[:2]), 70), "no dose; give exactly one of dose_mg"),
        (lambda: from_toml(toml(*GOOD[:2], "dose = 35"), 70), "'dose' has no unit; write dose_mg, dose_mg_per_kg"),
        (lambda: from_toml(toml(*GOOD[:2], 'dose_mg = "35 mg"'), 70), "dose_mg = '35 mg'; it must be a number"),
        (lambda: from_toml(toml(*GOOD, "colour = 1"), 70), "infusion 1: unknown key 'colour'; the keys are start_h"),
        (lambda: from_toml("[infusions]\na = 1", 70), "unknown key 'infusions'; a regimen is a list of"),
        (lambda: from_toml("", 70), "no infusion; write at least one"),
        (lambda: from_toml("= 1", 70), "not TOML"),
        (lambda: from_toml(toml("duration_h = 1", "dose_mg = 35"), 70), "start_h is missing"),
        (
            lambda: from_toml(toml("start_h = 3", "duration_h = -1", "rate_mg_per_kg_per_h = 1"), 70),
            "infusion 1: infusion at 3 h ends before it starts",
        ),
        (lambda: from_events("TIME,DOSE\n0,35"), "the header must have TIME and AMT"),
        (lambda: from_events("TIME,AMT,SPEED\n0,35,1"), "unknown column SPEED"),
        (lambda: from_events("TIME,AMT\n0,35"), "line 2: RATE 0 and DUR 0; give one of them"),
        (lambda: from_events("TIME,AMT,DUR,ADDL\n0,35,1,2"), "ADDL 2 with II 0; ADDL is a whole number and needs II"),
        (lambda: from_events("TIME,AMT,DUR\n0,x,1"), "line 2, column AMT: 'x'; it must be a number"),
        (lambda: from_events("TIME,AMT,DUR\n0,-5,1"), "line 2: infusion at 0 h has a dose of -5 mg"),
        (lambda: from_events("ID,TIME,AMT,DUR\n1,0,35,1\n2,0,35,1"), "more than one ID"),
    ],
)
def test_what_cannot_be_given_is_refused(make, says):
    with pytest.raises(RegimenError) as refused:
        make()

    assert says in str(refused.value)


@pytest.mark.parametrize(("weight_kg", "is_fine"), [(29.9, False), (30, True), (250, True), (250.1, False)])
def test_weights_that_nobody_has_are_refused(weight_kg, is_fine):
    if is_fine:
        Person(weight_kg=weight_kg)
    else:
        with pytest.raises(PersonError, match=r"it must be 30 to 250 kg \(is it in kilograms\?\)"):
            Person(weight_kg=weight_kg)


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ({"weight_kg": float("nan")}, "weight nan kg"),
        ({"age_years": 12}, "age 12; it must be 18 to 110 years"),
        ({"sex": "f"}, "sex 'f'; it must be female or male"),
    ],
)
def test_people_who_are_not_in_it_are_refused(person, says):
    with pytest.raises(PersonError, match=says):
        Person(**person)


@pytest.mark.parametrize(
    ("mg_per_kg", "minutes", "warned"),
    [
        (0.5, 40, []),
        (1.0, 40, []),
        (1.01, 40, ["1.01 mg/kg in one sitting is above 1 mg/kg"]),
        (0.5, 10, []),
        (0.5, 2, []),
        (0.6, 9, ["0.6 mg/kg within 10 minutes is above 0.5 mg/kg"]),
        (3, 5, ["3 mg/kg in one sitting is above 1 mg/kg", "3 mg/kg within 10 minutes is above 0.5 mg/kg"]),
    ],
)
def test_doses_beyond_the_model_run_with_a_warning(mg_per_kg, minutes, warned):
    said = Regimen([Infusion(0, minutes / 60, mg_per_kg * 70)]).warnings(weight_kg=70)

    assert [words.split(":")[0] for words in said] == warned
