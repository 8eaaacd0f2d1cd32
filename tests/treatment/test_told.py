"""What is told on paper has no hole in it, and its figures stand in rows."""

from __future__ import annotations

import re

import pytest

from reprieve.candidacy.criteria import CRITERIA
from reprieve.evidence import plain
from reprieve.sources import PROVENANCES, read_table
from reprieve.treatment.adverse import terms
from reprieve.treatment.monitoring import facts
from reprieve.treatment.told import ClinicWords, Element, WordsError, elements, filled, named

TABLES = ("consent.csv", "aftercare.csv")
ROWS = [(table, row) for table in TABLES for row in read_table("reprieve.treatment", table)]
NUMBER = re.compile(r"\d+(?:\.\d+)?")
CLINIC_HOLES = {"phone", "night_phone", "costs", "crisis", "emergency", "escort", "check_in"}


def each_row(test):
    """The test once for each row of the tables."""
    ids = [f"{table}-{row['id']}" for table, row in ROWS]
    return pytest.mark.parametrize("row", [row for _, row in ROWS], ids=ids)(test)


@each_row
def test_a_hole_is_a_sentence_of_the_evidence_or_the_clinics(row):
    assert set(named(row["text"])) <= set(plain.all_statements()) | CLINIC_HOLES


@each_row
def test_a_row_says_where_it_comes_from(row):
    from_evidence = set(named(row["text"])) & set(plain.all_statements())

    assert row["provenance"] in PROVENANCES
    if row["provenance"] == "read":
        assert from_evidence or row["facts"]


@each_row
def test_each_fact_that_a_row_names_is_there(row):
    stated = {name for name in row["facts"].split(";") if name}

    assert stated <= facts().keys() | terms().keys() | CRITERIA.keys()


@each_row
def test_a_number_is_typed_only_as_a_fact_holds_it(row):
    held = " ".join(str(facts()[name]) for name in row["facts"].split(";") if name in facts())

    typed, known = (set(map(float, NUMBER.findall(text))) for text in (row["text"] + row["heading"], held))

    assert typed <= known


@each_row
def test_what_rests_on_a_recalled_fact_alone_is_not_called_read(row):
    sources = [facts()[name].source for name in row["facts"].split(";") if name in facts()]
    from_evidence = set(named(row["text"])) & set(plain.all_statements())

    if row["provenance"] == "read" and sources and not from_evidence:
        assert [source.name for source in sources if not source.mark] != []


def test_from_memory_is_said_beside_what_is_from_memory(words):
    holes = words.as_holes() | {"escort": "Cleo", "check_in": "10:00"}
    told = {(table, element.id): element for table in TABLES for element in elements(table, holes)}
    recalled = {(table, row["id"]) for table, row in ROWS if row["provenance"] == "recalled"}

    assert {key for key, element in told.items() if "(From memory, not yet checked.)" in element.text} == recalled
    assert ("consent.csv", "rare-recalled") in recalled


def test_what_a_clinic_writes_is_not_read_as_a_hole():
    assert filled("Costs: {costs}", {"costs": "{phone} {0} {largest-trial}"}, "it") == (
        "Costs: {phone} {0} {largest-trial}"
    )


def test_a_sentence_without_rows_is_missed_aloud():
    with pytest.raises(WordsError, match=r"trials has the hole \{lost-rows\}; it must be a sentence of the evidence"):
        filled("What we know: {lost-rows}", {}, "trials")


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("phone", "Phone on the clinic's page"),
        ("night_phone", "Night phone on the clinic's page"),
        ("costs", "Costs on the clinic's page"),
        ("crisis", "Country on the clinic's page"),
        ("emergency", "Country on the clinic's page"),
    ],
)
def test_an_empty_word_of_the_clinic_says_which_setting_to_fill_in(name, setting):
    filled_in = dict.fromkeys(("phone", "night_phone", "costs", "crisis", "emergency"), "call 555-0100")

    with pytest.raises(WordsError, match=f"{name} is ' '; it must say .*; fill in {setting}"):
        ClinicWords(**filled_in | {name: " "})


def test_an_element_is_kept_and_comes_back():
    element = Element("stop", "You can stop", "At any time.", ("our own rule",))

    assert Element.from_kept(element.as_kept()) == element
    assert Element.from_kept({"id": "a", "heading": "A", "text": "One."}) == Element("a", "A", "One.")


def test_an_element_without_words_is_refused():
    with pytest.raises(WordsError, match="element 'stop' has an empty id, heading or text"):
        Element("stop", " ", "At any time.")
