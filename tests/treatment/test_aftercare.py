"""The after-care sheet says what not to do, what to expect and whom to call, in plain words on one page."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from reprieve.evidence import plain
from reprieve.paper import pdf
from reprieve.treatment.aftercare import as_document, current
from reprieve.treatment.told import ClinicWords, WordsError
from tests.web.reading import grade

FOOT = r"Fictional Clinic · Reference R7K2-4QX Page \d of \d In danger\? Call or text 988 ?"
CALL = "10:00 on Wednesday 25 November"


def sheet(words: ClinicWords) -> PdfReader:
    """The sheet for Bo, who goes home with Cleo."""
    made = as_document(
        words,
        escort="Cleo Fictional",
        check_in=CALL,
        clinic_name="Fictional Clinic",
        reference="R7K2-4QX",
        printed_at=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
        crisis_line="In danger? Call or text 988",
    )
    return PdfReader(io.BytesIO(pdf(made)))


def test_the_sheet_says_each_thing_that_it_must(words):
    told = {element.id: element.text for element in current(words, escort="Cleo Fictional", check_in=CALL)}

    assert told["home"].startswith("Cleo Fictional takes you home.")
    assert plain.all_statements()["no-driving"].text in told["driving"]
    assert told["decisions"].startswith("Do not drink.")
    assert plain.all_statements()["feel-strange"].text in told["expect"]
    assert "call 911" in told["emergency"]
    assert "In the day, call 555-0100. At night, call 555-0111." in told["call"]
    assert "call or text 988" in told["crisis"]
    assert told["check-in"].startswith(f"We call you at {CALL}.")


def test_each_thing_reads_at_grade_six_or_less(words):
    told = current(words, escort="Cleo Fictional", check_in=CALL)

    assert {element.id: grade(element.text) for element in told if grade(element.text) > 6} == {}


def test_the_paper_holds_it_all_on_one_page_with_the_crisis_line(words):
    pages = [" ".join(page.extract_text().split()) for page in sheet(words).pages]

    assert len(pages) == 1
    assert "In danger? Call or text 988" in pages[0]
    for element in current(words, escort="Cleo Fictional", check_in=CALL):
        assert element.text in re.sub(FOOT, "", " ".join(pages))


def test_the_paper_says_where_its_facts_come_from(words):
    found = " ".join(" ".join(page.extract_text() for page in sheet(words).pages).split())

    assert "Where this comes from: NCT02397889; US FDA 2019; Spravato label; Clinic handout;" in found


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"escort": " ", "check_in": CALL}, "escort is ' '; it must name the adult who takes the person home"),
        ({"escort": "Cleo", "check_in": ""}, "check_in is ''; it must say when the clinic calls"),
    ],
)
def test_a_sheet_without_escort_or_call_is_refused(words, given, complaint):
    with pytest.raises(WordsError, match=complaint):
        current(words, **given)
