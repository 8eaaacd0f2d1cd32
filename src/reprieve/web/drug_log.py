"""The drug log as people read it: its rows with the running balance of each lot, and the same on paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from reprieve.paper import Bullets, Document, Heading, Paragraph, Part, Rows
from reprieve.treatment import stock
from reprieve.web.models import Clinic, Lot, StockEntry, TreatmentSession

MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Line:
    """One row with what it did to the safe.

    Parameters
    ----------
    amount : in mL and mg, with the sign of its change to the safe, if it changes it
    left : what is in the safe after it, in mL and mg
    person : whom it was for, such as "R7K2-4QX, session 3"; empty for nobody
    taken_back_by : number of the row that took it back
    """

    entry: StockEntry
    on: date
    amount: str
    left: str
    person: str
    taken_back_by: int | None

    @property
    def can_be_taken_back(self) -> bool:
        """Whether a reversal may name it."""
        return self.entry.kind != StockEntry.Kind.REVERSAL and self.taken_back_by is None


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one lot in a period, and what was in the safe before and after them."""

    lot: Lot
    before: str
    after: str
    lines: list[Line]


def lines_of(lot: Lot, names: bool = False) -> list[Line]:
    """Every row of a lot, in the order it was written; with ``names`` the person's name stands beside the reference."""
    objects: Any = StockEntry.objects
    entries = list(objects.filter(lot=lot).with_sessions().select_related("lot", "by", "witness"))
    rows = [entry.row for entry in entries]
    taken_back = {row.reverses: row.id for row in rows if row.reverses is not None}
    people = _people(entries, names)
    before, found = stock.NOTHING, []
    for entry, row, left in zip(entries, rows, stock.balances(rows), strict=True):
        sign = "+" if left > before else MINUS if left < before else ""
        person = people.get(entry.session_id or 0, "")
        words = lot.vials.amount(left)
        found.append(Line(entry, row.on, f"{sign}{entry.amount}", words, person, taken_back.get(row.id)))
        before = left
    return found


def sections(lots: Iterable[Lot], first: date, last: date) -> list[Section]:
    """The log from ``first`` to ``last``, lot by lot; a lot with no row and nothing left is not among them."""
    found = []
    for lot in lots:
        lines = lines_of(lot, names=True)
        within = [line for line in lines if first <= line.on <= last]
        before = next((line.left for line in reversed(lines) if line.on < first), lot.vials.amount(stock.NOTHING))
        after = within[-1].left if within else before
        if within or after != lot.vials.amount(stock.NOTHING):
            found.append(Section(lot, before, after, within))
    return found


def document(clinic: Clinic, shown: list[Section], first: date, last: date, now: datetime) -> Document:
    """The log of a period on paper, for whoever may ask to see it."""
    parts: list[Part] = [
        Paragraph(
            f"From {plain_day(first)} to {plain_day(last)}. "
            "Rows are never changed: a wrong one is taken back by another."
        )
    ]
    wrong = [one.words for section in shown for one in section.lot.discrepancies]
    parts += [Heading("What does not add up"), Bullets(tuple(wrong))] if wrong else []
    for section in shown:
        parts += [
            Heading(f"Lot {section.lot.number}"),
            Paragraph(f"{section.lot.label}. In the safe before: {section.before}."),
        ]
        if section.lines:
            parts.append(_table(section.lines))
        parts.append(Paragraph(f"In the safe at the end: {section.after}."))
    if not shown:
        parts.append(Paragraph("No lot was in the safe in this time."))
    day = f"{first.isoformat()} to {last.isoformat()}"
    printed_at = datetime.fromisoformat(timezone.localtime(now).isoformat(timespec="seconds"))  # as the typesetter asks
    return Document("Controlled-drug log", clinic.name, f"drug log {day}", tuple(parts), printed_at=printed_at)


def _table(lines: list[Line]) -> Rows:
    cells = []
    for line in lines:
        entry, at = line.entry, timezone.localtime(line.entry.at)
        what = [entry.get_kind_display()]
        what += [f"takes back row {entry.reverses_id}"] if entry.reverses_id else []
        what += [f"taken back by row {line.taken_back_by}"] if line.taken_back_by else []
        witness = f"; witness {entry.witness.name}" if entry.witness else ""
        about = ". ".join(words for words in (line.person, entry.note) if words)
        cells.append(
            (
                f"{entry.pk}",
                f"{plain_day(at.date())}, {at:%H:%M}",
                "; ".join(what),
                _unbroken(line.amount),
                _unbroken(line.left),
                f"{entry.by.name}{witness}",
                about,
            )
        )
    header = ("Row", "When", "What", "Amount", "In the safe", "By", "Person and note")
    return Rows(header, tuple(cells), (0.7, 1.4, 1.4, 1.5, 1.6, 1.3, 2.2))


def _unbroken(amount: str) -> str:
    """An amount whose figures stay with their units in a narrow column."""
    return amount.replace(" m", "\u00a0m")


def _people(entries: list[StockEntry], names: bool) -> dict[int, str]:
    """What names the person of each session; a name is decrypted only when it is asked for."""
    keys = {entry.session_id for entry in entries if entry.session_id}
    columns = ["number", "course_id", "course__enquiry_id", "course__enquiry__reference"]
    columns += ["course__enquiry__contact"] if names else []
    sessions = TreatmentSession.objects.filter(pk__in=keys).select_related("course__enquiry").only(*columns)
    return {session.pk: person_of(session, names) for session in sessions}


def person_of(session: TreatmentSession, names: bool) -> str:
    """Such as "R7K2-4QX, session 3", with the name before it if asked for."""
    enquiry = session.course.enquiry
    name = f"{enquiry.name}, " if names and enquiry.name else ""
    return f"{name}{enquiry.reference}, session {session.number}"


def plain_day(on: date) -> str:
    """Such as "Wed 25 Nov 2026"."""
    return f"{on:%a} {on.day} {on:%b %Y}"
