"""The model's concentrations held to the published ones, every row of the table accounted for."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from reprieve.pharmacology.facts import Observation, observations
from reprieve.pharmacology.observations import (
    ANALYTES,
    BAND,
    MISFITS,
    OWED,
    REACH,
    READINGS,
    Comparison,
    ObservationError,
    Reading,
    compare,
    fold_error,
    page,
    picture,
)
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.regimen import Infusion, Regimen
from reprieve.sources import Source

DOCS = Path(__file__).resolve().parents[2] / "docs"
WEEK = 168.0

# 20 mg/h for a week settles at 20 / 84 = 0.2381 mg/L of ketamine
LONG = Reading("Ada", "Ada 2026", "20 mg/h for a week", "as printed", Regimen([Infusion(0, WEEK, 20 * WEEK)]))
SEEN = Observation(
    "Ada 2026", "", "20 mg/h for a week", None, "ketamine (racemate)", WEEK * 60, 200.0, None, 10, "ng/mL",
    Source("Ada 2026", "https://example.org", "read"),
)  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare()


def among(rows, reading=LONG) -> Comparison:
    return compare(rows=rows, readings=[reading])


def test_every_row_of_the_table_is_accounted_for_once(found):
    compared = [line for point in found.points for line, _ in point.numbered]
    rest = [each.numbered[0] for each in (*found.brackets, *found.unpredicted)]

    assert sorted(compared + rest) == list(range(2, len(observations()) + 2))
    assert (len(compared), len(found.points), len(found.brackets), len(found.unpredicted)) == (80, 49, 3, 8)


@pytest.mark.parametrize(("species", "site"), REACH)
def test_the_fold_error_reaches_what_was_promised(found, species, site):
    assert fold_error(point.ratio for point in found.among(species, site)) <= REACH[species, site]


@pytest.mark.parametrize(
    ("name", "species", "site", "points", "error"),
    [
        ("default", "ketamine", "arterial", 18, 1.113),
        ("default", "ketamine", "venous", 1, 1.104),
        ("default", "norketamine", "arterial", 15, 1.067),
        ("default", "hydroxynorketamine", "arterial", 15, 1.122),
        ("simons2022", "ketamine", "arterial", 18, 1.126),
        ("simons2022", "norketamine", "arterial", 15, 1.141),
        ("otto2021", "ketamine", "venous", 1, 1.171),
    ],
)
def test_fold_errors_as_they_come_out(name, species, site, points, error):
    ratios = [point.ratio for point in compare(parameter_set(name)).among(species, site)]

    assert len(ratios) == points
    assert fold_error(ratios) == pytest.approx(error, abs=1e-3)


def test_a_fold_error_by_hand():
    assert fold_error([2.0, 0.5]) == pytest.approx(2)
    assert fold_error([1.0, 10.0]) == pytest.approx(10**0.5)
    with pytest.raises(ObservationError, match="a fold error of no points"):
        fold_error([])


def test_a_level_by_hand():  # 1000 x 20 / 84 ng/mL over 200
    assert among([SEEN]).points[0].ratio == pytest.approx(1000 * 20 / 84 / 200, rel=1e-6)


@pytest.mark.parametrize("unit", ["umol/L", "nmol/mL"])
def test_moles_become_nanograms_by_the_molar_mass(unit):
    assert among([replace(SEEN, mean=1.0, unit=unit)]).points[0].observed_ng_per_ml == pytest.approx(237.73)


def test_one_enantiomer_of_a_racemate_is_half_of_the_model():
    whole, half = among([SEEN]), among([replace(SEEN, analyte="S-ketamine")])

    assert half.points[0].predicted_ng_per_ml == pytest.approx(whole.points[0].predicted_ng_per_ml / 2)


def test_s_ketamine_that_was_given_alone_is_all_of_the_model():
    alone = among([replace(SEEN, analyte="S-ketamine")], replace(LONG, drug="S-ketamine"))

    assert alone.points[0].predicted_ng_per_ml == pytest.approx(among([SEEN]).points[0].predicted_ng_per_ml)


def test_s_and_r_at_one_time_are_added(found):
    s, r = replace(SEEN, analyte="S-ketamine", mean=90.0), replace(SEEN, analyte="R-ketamine", mean=110.0)
    (point,) = among([s, r]).points

    assert (point.observed_ng_per_ml, [line for line, _ in point.numbered]) == (200.0, [2, 3])
    assert point.ratio == pytest.approx(among([SEEN]).points[0].ratio)
    sixty = next(each for each in found.points if each.key == ("Kamp 2020", "ketamine", 60.0))
    assert sixty.observed_ng_per_ml == pytest.approx((0.2701 + 0.3959) * 237.73)


def test_a_venous_level_is_read_after_the_delay():
    early = replace(SEEN, time_min=10.0)
    artery, vein = among([early]), among([early], replace(LONG, site="venous"))

    assert vein.points[0].predicted_ng_per_ml < artery.points[0].predicted_ng_per_ml


def test_what_otto_calls_arterial_is_a_vein_and_gets_no_second_delay():  # 158 ng/mL at the end of 0.5 mg/kg
    otto = compare(parameter_set("otto2021"))

    assert next(p for p in otto.points if p.reading.site == "venous").predicted_ng_per_ml == pytest.approx(158, abs=0.5)


def test_a_level_from_memory_is_marked_and_kept_out_of_the_fold_error():
    recalled = replace(SEEN, analyte="ketamine (racemate)", source=Source("Bo", "https://example.org", "recalled"))
    held = among([recalled])

    assert held.points[0].is_recalled
    assert held.among("ketamine") == ()
    assert held.among("ketamine", recalled=True) == held.points


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"analyte": "dehydronorketamine maximum"}, "dehydronorketamine is not in the model"),
        ({"mean": None}, "no level above zero is printed"),
        ({"mean": 0.0}, "no level above zero is printed"),
        ({"unit": "arbitrary"}, "unit 'arbitrary' is none of ng/mL, nmol/mL, umol/L"),
        ({"time_min": None}, "no time is printed"),
        ({"time_min": 0.0}, "0 min is not after the start of the dose"),
    ],
)
def test_a_row_that_cannot_be_predicted_is_listed_with_the_reason(change, because):
    held = among([replace(SEEN, **change)])

    assert (held.points, held.brackets) == ((), ())
    assert [(each.numbered[0], each.because) for each in held.unpredicted] == [(2, because)]


def test_a_dose_that_nobody_has_read_is_an_error():
    with pytest.raises(ObservationError, match=r"line 2: no reading of the dose 'a spoonful' of 'Ada 2026'.*READINGS"):
        among([replace(SEEN, dose="a spoonful")])


def test_a_level_that_stands_twice_is_an_error():
    with pytest.raises(ObservationError, match=r"line 3: ketamine .* stands on line 2 already; drop one"):
        among([SEEN, SEEN])


@pytest.mark.parametrize(
    ("change", "message"), [({"site": "toe"}, "it must be arterial or venous"), ({"drug": "R"}, "it must be racemate")]
)
def test_a_reading_checks_itself(change, message):
    with pytest.raises(ObservationError, match=message):
        replace(LONG, **change)


def test_levels_without_a_time_are_bracketed(found):  # steady state by hand: 15 ug/kg/min of 70 kg are 63 mg/h
    zanos, idvall, kienbaum = found.brackets

    assert zanos.low_ng_per_ml < zanos.observed_ng_per_ml < zanos.high_ng_per_ml
    assert idvall.high_ng_per_ml < idvall.observed_ng_per_ml  # the page says so of both
    assert kienbaum.high_ng_per_ml < kienbaum.observed_ng_per_ml
    assert kienbaum.steady_ng_per_ml == pytest.approx(63 / 84 * 1000, rel=1e-6)


def test_misfits_are_named_and_no_others(found):
    assert {point.key for point in found.misfits} == set(MISFITS)
    assert all(1 / BAND <= point.ratio <= BAND for point in found.points if point.key not in MISFITS)
    with pytest.raises(ObservationError, match=r"Ada, ketamine, 10080 min: .* 2\.38, .*add it to MISFITS"):
        _ = among([replace(SEEN, mean=100.0)]).points[0].reason


def test_tables_in_code_name_nothing_that_is_not_there(found):
    assert {(row.study, row.dose) for row in observations()} == {(each.study, each.dose) for each in READINGS}
    assert {*ANALYTES} == {row.analyte for row in observations()} - {"dehydronorketamine maximum"}
    assert {*OWED} <= {(point.reading.label, point.species) for point in found.points}


def test_the_page_is_what_the_observations_give():
    assert (DOCS / "explanation/pk-observations.md").read_text() == page()


def test_the_picture_is_what_the_observations_give(found):
    kept, anew = ((DOCS / "pictures/pk-observations.svg").read_text(), picture())
    drawn = [re.findall(r'aria-label="(predicted[^"]*)"', each) for each in (kept, anew)]

    assert drawn[0] == drawn[1]  # what is drawn; where the letters stand depends on the fonts of the machine
    assert sum("site: " in label for label in drawn[0]) == len(found.points)
