"""Informed consent as versioned text in our own words, and the paper of what was signed.

``consent.csv`` holds the elements, ``teach_back.csv`` what the person is asked to say in their own words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reprieve.paper import Bullets, Document, Facts, Heading, Paragraph, Part, Signature
from reprieve.sources import read_table
from reprieve.treatment.told import ClinicWords, Element, WordsError, elements, filled

TITLE = "Consent to a course of ketamine"


@dataclass(frozen=True, slots=True)
class ConsentText:
    """The text that a person reads and signs. Another word, another figure: another version."""

    version: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class TeachBack:
    """A question that the clinician asks, and what a good answer holds; ``elements`` are where it was told."""

    id: str
    question: str
    good_answer: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignedConsent:
    """What was signed: the text as it stood, what was asked and said, and two signatures.

    Parameters
    ----------
    version, elements : of the text as it was read; they must belong together
    questions : what the person asked and what was answered; empty if nothing was asked
    teach_back : id of the question to what the person said
    capacity : how the clinician judged that the person can decide
    interpreter : who helped with the language; empty if nobody was needed
    withdrawn : when consent was withdrawn, in words; empty while it is in force

    Raises
    ------
    WordsError : if the text is not that of its version, or capacity or an answer is empty
    """

    version: str
    elements: tuple[Element, ...]
    questions: str
    teach_back: Mapping[str, str]
    capacity: str
    interpreter: str
    person: Signature
    clinician: Signature
    withdrawn: str = ""

    def __post_init__(self) -> None:
        found = version_of(self.elements)
        if found != self.version:
            raise WordsError(
                f"the text signed as version {self.version} is now version {found}; a signed text must not change, "
                "so look in the backups for the one that was signed"
            )
        if not self.capacity.strip():
            raise WordsError("capacity is empty; it must say how you judged that the person can decide, so write it")
        for name, answer in self.teach_back.items():
            if not answer.strip():
                raise WordsError(f"the answer to {name} is empty; write what the person said, in their own words")


def version_of(text: Sequence[Element]) -> str:
    """A short name that changes with any word of the text: ten letters of a SHA-256.

    >>> version_of([Element("a", "A", "One.")]) == version_of([Element("a", "A", "One!")])
    False
    """
    said = json.dumps([[element.id, element.heading, element.text] for element in text])
    return hashlib.sha256(said.encode()).hexdigest()[:10]


def current(clinic: ClinicWords) -> ConsentText:
    """The text as it stands today, with the clinic's own words in it.

    Raises
    ------
    WordsError : if a sentence of the evidence that it needs has lost its rows
    """
    text = elements("consent.csv", clinic.as_holes())
    return ConsentText(version_of(text), text)


def teach_back() -> tuple[TeachBack, ...]:
    """What the person is asked to say in their own words, in the order of asking."""
    return tuple(
        TeachBack(
            row["id"], row["question"], filled(row["good_answer"], {}, row["id"]), tuple(row["elements"].split(";"))
        )
        for row in read_table(__package__, "teach_back.csv")
    )


def as_document(
    signed: SignedConsent, *, clinic: str, reference: str, printed_at: datetime, crisis_line: str
) -> Document:
    """The paper of what was signed, for the person and for the record."""
    return Document(
        title=TITLE,
        clinic=clinic,
        reference=reference,
        parts=(*_top(signed), *_told(signed), *_talked(signed), *_signatures(signed)),
        printed_at=printed_at,
        crisis_line=crisis_line,
    )


def _top(signed: SignedConsent) -> tuple[Part, ...]:
    pairs = (
        ("Person", signed.person.name),
        ("Signed", signed.person.moment),
        ("Version of the text", signed.version),
        *((("Withdrawn", signed.withdrawn),) if signed.withdrawn else ()),
    )
    return (Facts(pairs),)


def _told(signed: SignedConsent) -> tuple[Part, ...]:
    parts: list[Part] = []
    for element in signed.elements:
        parts += [Heading(element.heading), Paragraph(element.text)]
        if element.sources:
            parts.append(Paragraph(f"Where this comes from: {'; '.join(element.sources)}.", small=True))
    return tuple(parts)


def _talked(signed: SignedConsent) -> tuple[Part, ...]:
    asked = {question.id: question.question for question in teach_back()}
    said: list[Part] = []
    for name, answer in signed.teach_back.items():
        said += [Heading(asked.get(name, f"Question {name}, which is no longer asked"), level=3), Paragraph(answer)]
    return (
        Heading("What you asked, and what we said"),
        Paragraph(signed.questions if signed.questions.strip() else "No question was written down."),
        *((Heading("In your own words"), *said) if said else ()),
        Heading("How we know that you can decide"),
        Paragraph(signed.capacity),
        Paragraph(f"Interpreter: {signed.interpreter or 'nobody was needed'}."),
    )


def _signatures(signed: SignedConsent) -> tuple[Part, ...]:
    return (
        Heading("Signatures"),
        Bullets(("I have read this or had it read to me.", "I could ask what I liked.", "I can stop at any time.")),
        signed.person,
        signed.clinician,
    )
