"""A document on paper: headings, sentences, tables and signatures as a tagged PDF (PDF/UA-1).

``paper.typ`` says how it looks. Words reach it as data and are never read as its markup. No network, no clock, no
font but those that come with the typesetter: the same document always gives the same bytes.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

import typst

STANDARD: Final = "ua-1"  # PDF/UA-1, ISO 14289-1: the standard for PDFs that everybody can read
PAD_WIDTH_MM, PAD_HEIGHT_MM = 75, 25
LONGEST_TYPED = 60
LONGEST_WORD, BREAK_EVERY = 24, 8  # letters
REPLACED = "\ufffd"
KEPT_SIGNS = "\u00ad\u200b\u200c\u200d\u200e\u200f"  # soft hyphen, zero-width space and joiners, direction marks
UNSHOWN_NOTE = "A code in square brackets, such as {code}, stands for a letter that this document's fonts lack."


class PaperError(ValueError):
    """A document cannot be made: says the value, the rule and the way out."""


def _needs(words: str, what: str) -> None:
    if not words.strip():
        raise PaperError(f"{what} is {words!r}; it must hold words, so write them or leave the part out")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a section (``level`` 2) or of a part of one (3); the document's title is level 1."""

    text: str
    level: int = 2

    def __post_init__(self) -> None:
        _needs(self.text, "the text of a heading")
        if self.level not in (2, 3):
            raise PaperError(f"level {self.level} of heading {self.text!r}; it must be 2 or 3, as 1 is the title")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences; a line break stays one. ``small`` for where they come from."""

    text: str
    small: bool = False

    def __post_init__(self) -> None:
        _needs(self.text, "the text of a paragraph")


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, each item a sentence or two."""

    items: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.items:
            raise PaperError("a list of 0 items; it must hold one or more, so leave an empty list out")
        for item in self.items:
            _needs(item, "an item of a list")


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and their values, such as ``(("Dose", "35 mg"),)``."""

    pairs: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if not self.pairs:
            raise PaperError("facts without a pair; there must be one or more, so leave empty facts out")
        for label, value in self.pairs:
            _needs(label, "the label of a fact")
            _needs(value, f"the value of {label!r}")


@dataclass(frozen=True, slots=True)
class Rows:
    """A table; its head is repeated on each page. ``widths`` are shares of the width, equal when not given."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.header:
            raise PaperError("a table without a head; name each column in header")
        for cell in self.header:
            _needs(cell, "a cell of a table's head")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.header):
                raise PaperError(
                    f"row {number} has {len(row)} cells and the head {len(self.header)}; "
                    "give each row a cell for each column, empty if nothing is known"
                )
        if self.widths and (len(self.widths) != len(self.header) or not all(0 < w < math.inf for w in self.widths)):
            raise PaperError(f"widths {self.widths}; give one number above 0 for each of {len(self.header)} columns")


Stroke = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, as what, when, and the sign itself: strokes drawn on a pad, or a name typed.

    Parameters
    ----------
    moment : when, in words, such as "17:05 on Tuesday 24 November 2026 (EST)"
    strokes : polylines of points (x, y) from 0 to 1, from the pad's left upper corner; the pad is three times as
        wide as high
    typed : the name as the person typed it
    """

    name: str
    role: str
    moment: str
    strokes: tuple[Stroke, ...] = ()
    typed: str = ""

    def __post_init__(self) -> None:
        for words, what in ((self.name, "name"), (self.role, "role"), (self.moment, "moment")):
            _needs(words, f"the {what} of a signature")
        if bool(self.strokes) == bool(self.typed.strip()):
            raise PaperError(
                f"the signature of {self.name!r} has {len(self.strokes)} strokes and the typed name {self.typed!r}; "
                "give strokes or a typed name, one of the two"
            )
        if len(self.typed) > LONGEST_TYPED:
            raise PaperError(
                f"the typed name {self.typed[:LONGEST_TYPED]!r}... has {len(self.typed)} letters; "
                f"at most {LONGEST_TYPED} fit on the line, so shorten it"
            )
        for x, y in (point for stroke in self.strokes for point in stroke):
            if not (0 <= x <= 1 and 0 <= y <= 1):
                raise PaperError(f"a point of a signature at ({x}, {y}); both must lie from 0 to 1 of the pad")
        if self.strokes and not all(self.strokes):
            raise PaperError("a stroke of 0 points; a stroke must hold one or more, so leave it out")

    @property
    def svg(self) -> str:
        """The strokes as a picture, made from numbers only; empty when the name was typed.

        >>> Signature("Ada", "prescriber", "noon", strokes=(((0.0, 0.5), (1.0, 0.5)),)).svg.split('"')[-2]
        'M0.00 12.50L75.00 12.50'
        """
        if not self.strokes:
            return ""
        path = "".join(map(_path, self.strokes))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PAD_WIDTH_MM} {PAD_HEIGHT_MM}">'
            '<path fill="none" stroke="#000" stroke-width="0.6" stroke-linecap="round" stroke-linejoin="round" '
            f'd="{path}"/></svg>'
        )


def _path(stroke: Stroke) -> str:
    """One stroke in millimetres; a single point is a dot."""
    points = [f"{PAD_WIDTH_MM * x:.2f} {PAD_HEIGHT_MM * y:.2f}" for x, y in stroke]
    return "M" + "L".join(points if len(points) > 1 else points * 2)


Part = Heading | Paragraph | Bullets | Facts | Rows | Signature


@dataclass(frozen=True, slots=True)
class Document:
    """What is printed, and when.

    Parameters
    ----------
    title : what it is, as the first line and as the window's title
    clinic, reference : stand in the footer of each page
    parts : in reading order; the first heading is of level 2
    printed_at : with a time zone; its date goes into the file
    language : of the words, such as "en", for the voice of a screen reader
    crisis_line : what to do in danger, on each page; empty on documents that are for the team alone
    """

    title: str
    clinic: str
    reference: str
    parts: tuple[Part, ...]
    printed_at: datetime
    language: str = "en"
    crisis_line: str = ""

    def __post_init__(self) -> None:
        for words, what in ((self.title, "title"), (self.clinic, "clinic"), (self.reference, "reference")):
            _needs(words, f"the {what} of a document")
        if not self.parts:
            raise PaperError(f"the document {self.title!r} has no parts; give one or more")
        if not re.fullmatch(r"[a-z]{2,3}", self.language):
            raise PaperError(f"language {self.language!r}; it must be a code of two or three small letters, as en")
        if self.printed_at.tzinfo is None:
            raise PaperError(f"printed_at {self.printed_at} has no time zone; give one, as that settles the day")
        levels = [part.level for part in self.parts if isinstance(part, Heading)]
        if levels and levels[0] != 2:
            raise PaperError(f"the first heading is of level {levels[0]}; begin with level 2")


def pdf(document: Document) -> bytes:
    """The document as a tagged PDF on A4 paper.

    A letter that the fonts lack is printed as its code, such as [U+4E2D], with a note on the last page.

    Raises
    ------
    PaperError : if the typesetter refuses the document

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    >>> pdf(Document("A letter", "Fictional Clinic", "R7K2-4QX", (Paragraph("Hello."),), printed_at=noon))[:5]
    b'%PDF-'
    """
    try:
        made = typst.compile(
            _look(),
            format="pdf",
            sys_inputs={"document": _data(document)},
            pdf_standards=STANDARD,
            timestamp=_to_the_second(document.printed_at),
            ignore_system_fonts=True,
        )
    except typst.TypstError as refused:
        raise PaperError(
            f"the document {document.title!r} cannot be set: {refused.message}; change the part that it speaks of"
        ) from None
    return made


def _to_the_second(at: datetime) -> datetime:
    """The same second with a fixed offset; the typesetter takes neither parts of a second nor named zones."""
    return at.replace(microsecond=0, tzinfo=timezone(at.utcoffset() or timedelta()))


@cache
def _look() -> bytes:
    return resources.files(__package__).joinpath("paper.typ").read_bytes()


# What the template reads


def _data(document: Document) -> str:
    at = document.printed_at
    said = {
        "title": document.title,
        "clinic": document.clinic,
        "foot": f"{document.clinic} · Reference {document.reference}",
        "crisis": document.crisis_line,
        "parts": [_part(part) for part in document.parts],
    }
    shown = _mapped(said, _tidy)
    codes = _codes("".join(sorted(set("".join(_strings(shown))))))
    if codes:
        shown = _mapped(shown, lambda words: "".join(codes.get(sign, sign) for sign in words))
        note = UNSHOWN_NOTE.format(code=next(iter(codes.values())))
        shown["parts"].append({"kind": "note", "text": note})
    shown = _mapped(shown, _breakable)
    pictures = [part.svg for part in document.parts if isinstance(part, Signature)]
    day = {"year": at.year, "month": at.month, "day": at.day}
    return json.dumps({**shown, "pictures": pictures, "language": document.language, "day": day})


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Heading(text, level):
            return {"kind": "heading", "text": text, "level": level}
        case Paragraph(text, small):
            return {"kind": "note" if small else "paragraph", "text": text}
        case Bullets(items):
            return {"kind": "bullets", "items": items}
        case Facts(pairs):
            return {"kind": "facts", "pairs": pairs}
        case Rows(header, rows, widths):
            return {"kind": "rows", "header": header, "rows": rows, "widths": widths or (1,) * len(header)}
        case Signature(name, role, moment, _, typed):
            signed = {"name": name, "role": role, "moment": moment, "typed": typed}
            return {"kind": "signature", "alt": f"Signature of {name}", **signed}


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same shape with each string changed; what a part is stays."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: each if key == "kind" else _mapped(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(each, change) for each in value]
    return value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _tidy(words: str) -> str:
    """The words in one way of writing, without signs that are no letters or that could turn the text round.

    >>> _tidy("one\\r\\ntwo\\tthree\\x1b\\u202e")
    'one\\ntwo three��'
    """
    lines = "\n".join(unicodedata.normalize("NFC", words).splitlines())
    return "".join(map(_sign, lines))


def _sign(sign: str) -> str:
    if sign == "\t":
        return " "
    if sign == "\n" or sign in KEPT_SIGNS or unicodedata.category(sign)[0] != "C":
        return sign
    return REPLACED


def _breakable(words: str) -> str:
    """The words with a place to break in those that would run out of the page.

    >>> _breakable("a" * 10), len(_breakable("a" * 30))
    ('aaaaaaaaaa', 33)
    """
    long = rf"\S{{{LONGEST_WORD + 1},}}"
    return re.sub(long, lambda word: re.sub(rf"(\S{{{BREAK_EVERY}}})(?=\S)", "\\1\u200b", word[0]), words)


@lru_cache(maxsize=64)
def _codes(letters: str) -> dict[str, str]:
    """Letters that our fonts lack, and what is printed for each; the typesetter itself is asked.

    >>> _codes("aé"), _codes("a中")
    ({}, {'中': '[U+4E2D]'})
    """
    asked = [letter for letter in letters if letter > "\u00ff"]
    if not asked:
        return {}
    source = b"""#set document(title: "letters")
#for letter in json(bytes(sys.inputs.letters)) [#letter #strong(letter) #emph(letter) #parbreak()]"""
    try:
        typst.compile(
            source,
            format="pdf",
            sys_inputs={"letters": json.dumps(asked)},
            pdf_standards=STANDARD,
            ignore_system_fonts=True,
        )
    except typst.TypstError as refused:
        named = re.findall(r'the text `"(.+?)"` could not be displayed', refused.diagnostic)
        lacking = {letter for name in named for letter in _unescaped(name)}
        return {letter: f"[U+{ord(letter):04X}]" for letter in asked if letter in lacking}
    return {}


def _unescaped(name: str) -> str:
    """A letter as the typesetter's message writes it."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: chr(int(code[1], 16)), name)
