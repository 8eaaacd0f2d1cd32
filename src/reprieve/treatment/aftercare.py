"""The sheet that a person takes home after an infusion: what not to do, what to expect, whom to call.

``aftercare.csv`` holds the words.
"""

from __future__ import annotations

from datetime import datetime

from reprieve.paper import Document, Heading, Paragraph, Part
from reprieve.treatment.told import ClinicWords, Element, WordsError, elements

TITLE = "After your drip"


def current(clinic: ClinicWords, *, escort: str, check_in: str) -> tuple[Element, ...]:
    """What the sheet says.

    Parameters
    ----------
    escort : the adult who takes the person home, as they are called
    check_in : when the clinic calls, in words, such as "10:00 on Wednesday 25 November"

    Raises
    ------
    WordsError : if ``escort`` or ``check_in`` is empty
    """
    if not escort.strip():
        raise WordsError(f"escort is {escort!r}; it must name the adult who takes the person home, so ask who that is")
    if not check_in.strip():
        raise WordsError(f"check_in is {check_in!r}; it must say when the clinic calls, so plan that call first")
    return elements("aftercare.csv", clinic.as_holes() | {"escort": escort.strip(), "check_in": check_in.strip()})


def as_document(
    clinic: ClinicWords,
    *,
    escort: str,
    check_in: str,
    clinic_name: str,
    reference: str,
    printed_at: datetime,
    crisis_line: str,
) -> Document:
    """The sheet on paper, with the crisis line at the foot of each page and where its facts come from at the end."""
    told = current(clinic, escort=escort, check_in=check_in)
    parts: list[Part] = []
    for element in told:
        parts += [Heading(element.heading), Paragraph(element.text)]
    sources = dict.fromkeys(source for element in told for source in element.sources if source)
    return Document(
        title=TITLE,
        clinic=clinic_name,
        reference=reference,
        parts=(*parts, Paragraph(f"Where this comes from: {'; '.join(sources)}.", small=True)),
        printed_at=printed_at,
        crisis_line=crisis_line,
    )
