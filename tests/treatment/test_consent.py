"""Consent says what must be said, in plain words, and the paper holds what was signed."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from reprieve.evidence import plain
from reprieve.paper import Signature, pdf
from reprieve.treatment.consent import SignedConsent, as_document, current, teach_back, version_of
from reprieve.treatment.told import ClinicWords, Element, WordsError
from tests.web.reading import grade

FOOT = r"Fictional Clinic · Reference R7K2-4QX Page \d of \d In danger\? Call 988 ?"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MUST_BE_SAID = {
    "off-label": ("off-label",),
    "trials": ("trials", "pooled"),
    "guideline against": ("guideline",),
    "alternatives": ("alternatives",),
    "a session": ("session",),
    "dose and route": ("dose",),
    "expected effects with figures": ("expected", "expected-counts", "blood-pressure", "early-stop"),
    "rare harm": ("rare", "rare-recalled"),
    "unknown long-term safety": ("long-term",),
    "no driving": ("driving",),
    "escort": ("escort",),
    "pregnancy and milk": ("pregnancy",),
    "medicines": ("medicines",),
    "no home ketamine": ("home",),
    "costs": ("costs",),
    "right to stop": ("stop", "when-we-stop"),
    "data": ("data",),
    "whom to call": ("contact",),
    "capacity and interpreter": ("choosing",),
    "teach-back": ("own-words",),
}


@pytest.fixture
def signed(words) -> SignedConsent:
    """Bo's consent, taken by Ada, both of them fictional."""
    text = current(words)
    return SignedConsent(
        version=text.version,
        elements=text.elements,
        questions="Will it hurt? The needle may.",
        teach_back={"TB-01": "Not for PTSD.", "TB-06": "Any time, no reason."},
        capacity="Weighed both sides, said why.",
        interpreter="",
        person=Signature("Bo Fictional", "person", "12:00 on 24 November 2026", strokes=(((0, 0), (1, 1)),)),
        clinician=Signature("Ada Fictional", "prescriber", "12:05 on 24 November 2026", typed="Ada Fictional"),
    )


def printed(signed: SignedConsent) -> str:
    """All words of the paper, without the foot of each page."""
    made = as_document(
        signed, clinic="Fictional Clinic", reference="R7K2-4QX", printed_at=NOON, crisis_line="In danger? Call 988"
    )
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf(made))).pages)
    return re.sub(FOOT, "", " ".join(text.split()))


def squeezed(text: str) -> str:
    """Without spaces: a line may end at any hyphen."""
    return "".join(text.split())


def test_each_element_that_the_pathway_asks_for_is_there(words):
    assert sorted(element.id for element in current(words).elements) == sorted(
        name for names in MUST_BE_SAID.values() for name in names
    )


def test_each_element_reads_at_grade_six_or_less(words):
    hard = {element.id: grade(element.text) for element in current(words).elements if grade(element.text) > 6}

    assert hard == {}


def test_both_trials_stand_together(words):
    trials = next(element for element in current(words).elements if element.id == "trials")
    said = plain.all_statements()

    assert said["largest-trial"].text in trials.text
    assert said["small-trial"].text in trials.text
    assert said["fades"].text in trials.text
    assert "Abdallah 2022" in trials.sources
    assert "Feder 2021" in trials.sources


def test_a_caveat_of_a_source_is_said(words):
    guideline = next(element for element in current(words).elements if element.id == "guideline")

    assert guideline.sources == ("VA/DoD 2023 (seen on another site, to be confirmed)",)


def test_the_clinics_own_words_are_in_the_text(words):
    told = {element.id: element.text for element in current(words).elements}

    assert told["costs"].startswith("One drip costs 400 dollars. You pay it.")
    assert "In the day, call 555-0100. At night, call 555-0111." in told["contact"]
    assert "call or text 988" in told["contact"]


def test_the_version_is_the_same_today_and_tomorrow(words):
    assert current(words).version == current(replace(words)).version


@pytest.mark.parametrize("changed", ["phone", "night_phone", "costs", "crisis"])
def test_another_word_is_another_version(words, changed):
    assert current(replace(words, **{changed: "something else"})).version != current(words).version


@pytest.mark.parametrize(
    "changed", [{"id": "b"}, {"heading": "Another"}, {"text": "It may help"}, {"text": "It may help. "}]
)
def test_any_change_of_an_element_is_another_version(changed):
    element = Element("a", "Heading", "It may help.")

    assert version_of([replace(element, **changed)]) != version_of([element])


def test_where_it_comes_from_is_not_part_of_what_was_agreed():
    element = Element("a", "Heading", "It may help.", ("Feder 2021",))

    assert version_of([replace(element, sources=("Feder 2022",))]) == version_of([element])


def test_a_version_fits_the_row_that_keeps_it(words: ClinicWords):
    assert len(current(words).version) <= 16


def test_teach_back_asks_about_what_was_told(words):
    asked = teach_back()
    told = {element.id for element in current(words).elements}

    assert [question.id for question in asked] == [f"TB-0{n}" for n in range(1, 8)]
    assert {name for question in asked for name in question.elements} <= told
    assert all(grade(question.question) <= 6 for question in asked)
    assert asked[1].good_answer.startswith(plain.all_statements()["largest-trial"].text)


def test_the_paper_holds_each_element_the_talk_and_both_signatures(signed):
    found = printed(signed)

    assert [element.id for element in signed.elements if element.heading not in found] == []
    assert [element.id for element in signed.elements if squeezed(element.text) not in squeezed(found)] == []
    for words in (
        f"Version of the text {signed.version}",
        "Will it hurt? The needle may.",
        "What is ketamine not approved for? Not for PTSD.",
        "When can you say stop? Any time, no reason.",
        "Weighed both sides, said why.",
        "Interpreter: nobody was needed.",
        "Bo Fictional, person 12:00 on 24 November 2026",
        "Ada Fictional, prescriber 12:05 on 24 November 2026",
    ):
        assert words in found
    assert "Withdrawn" not in found


def test_a_withdrawn_consent_says_so_on_its_paper(signed):
    assert "Withdrawn 09:00 on 1 December 2026" in printed(replace(signed, withdrawn="09:00 on 1 December 2026"))


def test_an_old_consent_prints_a_question_that_is_no_longer_asked(signed):
    found = printed(replace(signed, teach_back={"TB-99": "An answer."}, questions=""))

    assert "Question TB-99, which is no longer asked An answer." in found
    assert "No question was written down." in found


def test_a_text_that_changed_after_signing_is_not_printed(signed):
    changed = (replace(signed.elements[0], text="Ketamine is approved for PTSD."), *signed.elements[1:])

    with pytest.raises(WordsError, match=f"signed as version {signed.version} is now version"):
        replace(signed, elements=changed)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"capacity": " "}, "capacity is empty; it must say how you judged"),
        ({"teach_back": {"TB-01": ""}}, "the answer to TB-01 is empty; write what the person said"),
    ],
)
def test_a_consent_with_a_hole_is_refused(signed, changed, complaint):
    with pytest.raises(WordsError, match=complaint):
        replace(signed, **changed)
