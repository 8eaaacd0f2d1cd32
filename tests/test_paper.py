"""A document on paper opens elsewhere, speaks to a screen reader, and prints what people typed as they typed it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, PdfObject

from reprieve.paper import (
    Bullets,
    Document,
    Facts,
    Heading,
    PaperError,
    Paragraph,
    Part,
    Rows,
    Signature,
    pdf,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WAVE = tuple((x / 20, 0.5 + 0.4 * (-1) ** x) for x in range(21))
LETTER: tuple[Part, ...] = (
    Heading("What was agreed"),
    Paragraph("You chose to start."),
    Bullets(("You can stop.", "We keep watch.")),
    Facts((("Dose", "35 mg"),)),
    Rows(("Time", "Pressure"), (("10:00", "120/80"),)),
    Signature("Ada Fictional", "prescriber", "12:00 on 24 November 2026", strokes=(WAVE,)),
    Signature("Bo Fictional", "person", "12:05 on 24 November 2026", typed="Bo Fictional"),
)


def document(*parts: Part, **changed: str) -> Document:
    """A document of these parts, of a fictional clinic."""
    said = {"title": "A letter", "clinic": "Fictional Clinic", "reference": "R7K2-4QX"} | changed
    return Document(parts=parts, printed_at=NOON, **said)


def opened(made: Document) -> PdfReader:
    """The document as an independent reader opens it."""
    return PdfReader(io.BytesIO(pdf(made)))


def words(made: Document) -> str:
    """All that the reader finds on all pages, with one space between words."""
    return " ".join(" ".join(page.extract_text().replace("\u200b", "") for page in opened(made).pages).split())


def body(text: str) -> str:
    """A paragraph of this text, printed, without the title before it and the footer after it."""
    found = words(document(Paragraph(text)))
    return found.removeprefix("A letter ").removesuffix(" Fictional Clinic · Reference R7K2-4QX Page 1 of 1")


def tags(made: Document) -> list[DictionaryObject]:
    """The tags in reading order."""
    found: list[DictionaryObject] = []

    def walk(node: PdfObject | None) -> None:
        node = node.get_object() if node is not None else None
        if isinstance(node, ArrayObject):
            for each in node:
                walk(each)
        elif isinstance(node, DictionaryObject):
            if "/S" in node:
                found.append(node)
            walk(node.get("/K"))

    walk(opened(made).trailer["/Root"]["/StructTreeRoot"])
    return found


def test_a_document_says_that_it_is_pdf_ua_and_in_which_language():
    reader = opened(document(*LETTER))

    root = reader.trailer["/Root"]
    marker = re.search(r"<pdfuaid:part>(\d)</pdfuaid:part>", root["/Metadata"].get_data().decode())
    assert marker is not None
    assert marker[1] == "1"
    assert str(root["/MarkInfo"]["/Marked"]) == "True"
    assert root["/Lang"] == "en"
    assert str(root["/ViewerPreferences"]["/DisplayDocTitle"]) == "True"
    assert reader.metadata.title == "A letter"
    assert reader.metadata.author == "Fictional Clinic"


def test_parts_are_tagged_in_reading_order():
    roles = [str(node["/S"]) for node in tags(document(*LETTER))]

    kept = [role for role in roles if role in ("/H1", "/H2", "/P", "/L", "/Table", "/TH", "/TD", "/Figure")]
    assert kept[:3] == ["/H1", "/H2", "/P"]
    assert kept.count("/L") == 2  # the list, and the facts as terms
    assert (kept.count("/Table"), kept.count("/TH"), kept.count("/TD")) == (1, 2, 2)
    assert kept.count("/Figure") == 1


def test_a_drawn_signature_has_words_for_those_who_cannot_see_it():
    pictures = [node for node in tags(document(*LETTER)) if node["/S"] == "/Figure"]

    assert [str(node["/Alt"]) for node in pictures] == ["Signature of Ada Fictional"]


def test_the_text_is_what_was_said():
    assert words(document(*LETTER)) == (
        "A letter What was agreed You chose to start. • You can stop. • We keep watch. Dose 35 mg "
        "Time Pressure 10:00 120/80 Ada Fictional, prescriber 12:00 on 24 November 2026 "
        "Bo Fictional Bo Fictional, person 12:05 on 24 November 2026 "
        "Fictional Clinic · Reference R7K2-4QX Page 1 of 1"
    )


def test_each_page_holds_the_reference_its_number_and_the_crisis_line():
    made = document(*[Paragraph("One more sentence.") for _ in range(80)], crisis_line="In danger? Call or text 988")

    pages = [page.extract_text() for page in opened(made).pages]

    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        assert "Fictional Clinic · Reference R7K2-4QX" in page
        assert f"Page {number} of 3" in page
        assert "In danger? Call or text 988" in page


def test_the_same_document_gives_the_same_bytes():
    assert pdf(document(*LETTER)) == pdf(document(*LETTER))


def test_the_day_of_the_file_is_the_day_of_printing():
    assert opened(document(*LETTER)).metadata.creation_date.date() == NOON.date()


@pytest.mark.parametrize(
    "typed",
    [
        "#evil $x$ *b* _i_ @ref <label> \\ `raw` // gone /* gone */ = head - item",
        "#sys.inputs #read(\"/etc/passwd\") #import \"@preview/x:1.0.0\"",
        "\\u{41} ~ -- --- ... 'quoted' \"twice\" https://example.org",
        '{"kind": "heading"}',
        "</svg><script>",
        "שלום",
        "Ωμέγα, Жизнь, žluťoučký kůň",
    ],
)  # fmt: skip
def test_what_people_type_is_printed_as_typed(typed):
    assert body(typed) == typed


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\u202e", "\u2066", "\ufeff", "\ue000", "\ufffe"])
def test_a_sign_that_is_no_letter_is_shown_as_replaced(sign):
    assert body(f"a{sign}b") == "a\ufffdb"


def test_a_line_break_and_a_tab_stay_space():
    assert body("one\r\ntwo\tthree") == "one two three"


def test_arabic_letters_are_set():
    assert len(opened(document(Paragraph("مرحبا بك"))).pages) == 1


def test_letters_that_no_font_has_are_printed_as_their_codes():
    found = body("中 and ก")

    assert found == (
        "[U+4E2D] and [U+0E01] "
        "A code in square brackets, such as [U+0E01], stands for a letter that this document's fonts lack."
    )


@pytest.mark.parametrize("part", [Paragraph, lambda text: Rows(("a",) * 8, ((text,) * 8,))])
def test_a_very_long_word_stays_on_the_page(part):
    made = opened(document(part("w" * 300)))

    rightmost: list[float] = []
    for page in made.pages:
        page.extract_text(visitor_text=lambda text, cm, tm, font, size: rightmost.append(tm[4] if text.strip() else 0))
    assert "".join(page.extract_text() for page in made.pages).count("w") in (300, 2400)
    assert max(rightmost) <= (210 - 20) / 25.4 * 72


def test_ten_thousand_letters_go_over_pages():
    made = document(Paragraph("word " * 2000))

    assert len(opened(made).pages) > 1
    assert words(made).count("word") == 2000


def test_a_log_repeats_its_head_on_each_page():
    rows = tuple((f"{n}", "received", "500 mg") for n in range(100))

    pages = [page.extract_text() for page in opened(document(Rows(("Line", "What", "How much"), rows))).pages]

    assert len(pages) == 3
    assert ["How much" in page for page in pages] == [True] * 3
    assert sum(page.count("received") for page in pages) == 100


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Heading(" "), "the text of a heading is ' '; it must hold words, so write them or leave the part out"),
        (lambda: Heading("a", 1), "level 1 of heading 'a'; it must be 2 or 3, as 1 is the title"),
        (lambda: Paragraph(""), "the text of a paragraph is ''; it must hold words"),
        (lambda: Bullets(()), "a list of 0 items; it must hold one or more"),
        (lambda: Facts((("Dose", ""),)), "the value of 'Dose' is ''; it must hold words"),
        (lambda: Facts(()), "facts without a pair; there must be one or more"),
        (lambda: Rows((), ()), "a table without a head; name each column in header"),
        (lambda: Rows(("a", "b"), (("1", "2"), ("1",))), "row 2 has 1 cells and the head 2; give each row a cell"),
        (lambda: Rows(("a",), (), (0.0,)), r"widths \(0.0,\); give one number above 0 for each of 1 columns"),
        (
            lambda: Signature("Ada", "nurse", "noon"),
            "has 0 strokes and the typed name ''; give strokes or a typed name",
        ),
        (lambda: Signature("Ada", "nurse", "noon", strokes=(((0, 1.1),),)), r"a point of a signature at \(0, 1.1\)"),
        (lambda: Signature("Ada", "nurse", "noon", strokes=(((float("nan"), 1),),)), "a point of a signature at"),
        (lambda: Signature("Ada", "nurse", "noon", strokes=((),)), "a stroke of 0 points"),
        (lambda: Signature("Ada", "nurse", "noon", typed="a" * 61), "has 61 letters; at most 60 fit on the line"),
        (lambda: Signature("Ada", "", "noon", typed="Ada"), "the role of a signature is ''"),
        (lambda: document(), "the document 'A letter' has no parts"),
        (lambda: document(Paragraph("a"), reference=""), "the reference of a document is ''"),
        (lambda: document(Paragraph("a"), language="English"), "language 'English'; it must be a code"),
        (lambda: document(Heading("a", 3)), "the first heading is of level 3; begin with level 2"),
        (lambda: replace(document(*LETTER), printed_at=datetime(2026, 1, 1)), "has no time zone; give one"),
    ],
)
def test_a_part_that_cannot_be_printed_says_the_value_the_rule_and_the_way_out(make, complaint):
    with pytest.raises(PaperError, match=complaint):
        make()
