"""What can go wrong has a word, a source, and a rule for the drip."""

import pytest

from reprieve.sources import read_table
from reprieve.treatment.adverse import OUTCOMES, SEVERITIES, terms
from reprieve.treatment.monitoring import facts

ROWS = read_table("reprieve.treatment", "adverse_terms.csv")
EVENTS = {row["event"] for row in read_table("reprieve.treatment", "adverse_events.csv")}


def test_every_term_names_a_row_that_is_there():
    assert {row["fact"] for row in ROWS} <= EVENTS | facts().keys()
    assert len({row["term"] for row in ROWS}) == len(ROWS)
    assert {row["choice"] for row in ROWS} == {"source", "our choice"}
    assert {row["stops"] for row in ROWS} == {"yes", "no"}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("chest_pain", "chest pain"),
        ("neurological", "neurological sign"),
        ("agitation", "severe agitation"),
        ("asked_to_stop", "patient request"),
    ],
)
def test_a_term_that_stops_the_drip_by_its_source_stands_there(code, said):
    assert said in facts()["MON-35"].value
    assert terms()[code].source == facts()["MON-35"].source


def test_what_stops_the_drip_without_a_source_is_our_choice():
    stops = {code for code, term in terms().items() if term.stops and term.is_our_choice}

    assert stops == {"slow_breathing", "psychosis", "suicidal"}
    assert "stop" in terms()["loss_of_consciousness"].management


def test_those_that_stop_come_first_and_something_else_last():
    stops = [term.stops for term in terms().values()]

    assert stops == sorted(stops, reverse=True)
    assert list(terms())[-1] == "other"


def test_each_term_has_something_to_do_and_a_source():
    for term in terms().values():
        assert term.management
        assert "as above" not in term.management.lower()
        assert term.source.url.startswith("http")


def test_severities_and_outcomes_are_told_apart_by_what_was_done():
    assert list(SEVERITIES) == ["mild", "moderate", "severe"]
    assert list(OUTCOMES) == ["gone", "better", "same", "transfer"]
