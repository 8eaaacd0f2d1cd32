"""The table of parameters, its sets and overrides, and the tables of facts behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprieve.pharmacology.facts import FINDINGS, FactError, Finding, findings, observations, published_models
from reprieve.pharmacology.page import CHAPTERS, reference_page
from reprieve.pharmacology.parameters import (
    ABOVE_ZERO,
    LEVELS,
    ParameterError,
    parameter_set,
    read,
    set_from_csv,
    table,
)
from reprieve.sources import Source

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/parameters.md"
ROW = {
    "symbol": "kf", "name": "rate", "value": "1", "low": "0", "high": "2", "distribution": "fixed", "unit": "1/d",
    "level": "assumed", "source": "here", "provenance": "read",
}  # fmt: skip


def test_every_parameter_says_what_it_is():
    assert len(table()) == 141
    assert {parameter.level for parameter in table().values()} == set(LEVELS)
    assert set(ABOVE_ZERO) <= set(table())
    assert set(CHAPTERS) <= set(table())


def test_the_start_set_differs_in_three_values():
    default, start = parameter_set(), parameter_set("start")

    assert {symbol: start[symbol] for symbol in default if start[symbol] != default[symbol]} == {
        "kf": 0.0625, "ke": 0.0625, "eta": 40,
    }  # fmt: skip


def test_an_override_goes_by_symbol_or_by_name():
    assert parameter_set(overrides={"eta": 100}) == parameter_set(overrides={"formation_gain": 100})


def test_a_value_outside_its_range_runs_with_a_warning():
    warned = parameter_set(overrides={"eta": 1000}).warnings

    assert warned == ("eta = 1000 none lies outside its range of 60 to 300; used as given",)
    assert parameter_set(overrides={"eta": 300}).warnings == ()


@pytest.mark.parametrize(
    ("name", "overrides", "says"),
    [
        ("defualt", {}, "parameter set 'defualt'; the sets are default, start, otto2021, simons2022; nearest: default"),
        ("default", {"etta": 1}, "parameter 'etta' is not in parameters.csv; nearest: eta"),
        ("default", {"clearance": 1}, "nearest: clearance_l_per_h"),
        ("default", {"CL": 0}, "CL = 0 L/h per 70 kg; it must be above zero"),
        ("default", {"a": -1}, "a = -1 none; it must not be negative"),
        ("default", {"CL": float("inf")}, "CL = inf; it must be a finite number"),
    ],
)
def test_what_cannot_be_a_set_is_refused(name, overrides, says):
    with pytest.raises(ParameterError) as refused:
        parameter_set(name, overrides)

    assert says in str(refused.value)


def test_a_set_in_a_file_is_the_default_with_its_values():
    written = "symbol,value,unit,source\neta,40,none,mine\nclearance_l_per_h,90,,\nkf,0.02,1/d,\n"

    found = set_from_csv(written, "mine.csv", {"ke": 0.03})

    assert found.changed == {"eta": 40, "CL": 90, "ke": 0.03}
    assert found["eta"] == 40
    assert found.name == "mine.csv"
    assert found.warnings == ("eta = 40 none lies outside its range of 60 to 300; used as given",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "mine.csv line 1: the header must have symbol and value"),
        ("symbol,amount\neta,1\n", "mine.csv line 1: the header must have symbol and value"),
        ("symbol,value\nCL,84\netta,1\n", "mine.csv line 3: parameter 'etta' is not in parameters.csv; nearest: eta"),
        ("symbol,value\neta,\n", "mine.csv line 2: eta: value is empty; give a number, or leave the row out"),
        ("symbol,value\neta,many\n", "mine.csv line 2: eta, column value: 'many'; it must be a number"),
        ("symbol,value,unit\nCL,1400,mL/min\n", "mine.csv line 2: CL: unit 'mL/min'; it must be in L/h per 70 kg"),
        ("symbol,value\neta,1\neta,2\n", "mine.csv line 3: eta stands above already; drop one row"),
        ("symbol,value\nCL,-1\n", "CL = -1 L/h per 70 kg; it must be above zero"),
    ],
)
def test_a_file_that_is_no_set_is_refused(text, says):
    with pytest.raises(ParameterError) as refused:
        set_from_csv(text, "mine.csv")

    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"level": "guessed"}, "line 2: kf: level 'guessed'; it must be one of measured, derived"),
        ({"provenance": "seen"}, "line 2: kf: provenance 'seen'; it must be read or recalled"),
        ({"value": ""}, "line 2: kf: value is empty"),
        ({"value": "x"}, "line 2: kf, column value: 'x'; it must be a number"),
        ({"value": "3"}, "line 2: kf: value 3 is outside 0.0 to 2.0"),
        ({"unit": ""}, "line 2: kf: unit is empty"),
    ],
)
def test_a_row_that_breaks_its_rule_is_named(cells, says):
    with pytest.raises(ParameterError) as refused:
        read([ROW | cells])

    assert says in str(refused.value)


def test_no_symbol_stands_twice():
    with pytest.raises(ParameterError, match=r"parameters.csv line 3: kf stands in the table already"):
        read([ROW, ROW])


def test_the_facts_are_read_with_their_sources():
    assert (len(published_models()), len(observations())) == (122, 91)
    assert {name: len(findings(name)) for name in FINDINGS} == {
        "receptor": 67, "plasticity": 41, "haemodynamics_and_dissociation": 51, "symptoms_timecourse": 104,
    }  # fmt: skip
    assert all(row.source.url.startswith("https://") for row in observations())


def test_a_finding_whose_ends_are_crossed_is_refused():
    with pytest.raises(FactError, match="low 3 is above high 2"):
        Finding("x", 2.5, 3, 2, "", "", "", "", "", Source("s", "https://example.org", "read"))


def test_the_page_is_drawn_from_the_table():
    assert PAGE.read_text() == reference_page()


def test_the_page_of_the_model_counts_its_assumptions():
    assumed = sum(parameter.level == "assumed" for parameter in table().values())

    assert (
        f"Of {len(table())} values {assumed} are assumptions." in (PAGE.parents[1] / "explanation/model.md").read_text()
    )
