"""The controlled-drug log as arithmetic: what is in the safe after each row, and what does not add up.

Rows are only ever added. A receipt adds to the safe; what is drawn up or returned to the supplier takes from it. What
was given and what was wasted leave the safe as it is, but together they must be what was drawn. A row that takes
another back undoes it, and both stay. Every function takes the rows of one lot, in the order they were written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache

from reprieve.sources import Source, read_table

NOTHING = Decimal("0.00")
STEP_ML = Decimal("0.01")


class StockError(ValueError):
    """A row cannot stand in the log: says the numbers, the rule and the way out."""


class Kind(StrEnum):
    """What happened to the drug."""

    RECEIPT = "receipt"
    DRAWN = "drawn"
    GIVEN = "given"
    WASTED = "wasted"
    RETURNED = "returned"
    INVENTORY = "inventory"
    REVERSAL = "reversal"


CHANGES_THE_SAFE = {Kind.RECEIPT: 1, Kind.DRAWN: -1, Kind.RETURNED: -1}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of ``stock_rules.csv``: what the law asks for, and how often or how long."""

    words: str
    years: int
    source: Source


@cache
def rules() -> dict[str, Rule]:
    """Every rule by its id.

    >>> rules()["inventory"].years, rules()["inventory"].source.mark
    (2, 'from memory, not yet checked')
    """
    return {
        row["rule_id"]: Rule(
            row["words"], int(row["years"]), Source(row["source"], row["source_url"], row["provenance"])
        )
        for row in read_table("reprieve.treatment", "stock_rules.csv")
    }


@dataclass(frozen=True, slots=True)
class Vials:
    """Vials of one lot: strength, size, and the last day on which they may be used.

    Raises
    ------
    StockError : if the strength or the size is not above zero
    """

    number: str
    mg_per_ml: Decimal
    vial_ml: Decimal
    expires_on: date

    def __post_init__(self) -> None:
        for value, what in ((self.mg_per_ml, "mg in 1 mL"), (self.vial_ml, "mL in a vial")):
            if not (value.is_finite() and value > 0):
                raise StockError(f"{value} {what} of lot {self.number}; it must be above 0: read it from the vial")

    def amount(self, ml: Decimal) -> str:
        """An amount in both units.

        >>> Vials("K1", Decimal(50), Decimal(10), date(2028, 1, 31)).amount(Decimal("0.7"))
        '0.70 mL (35 mg)'
        """
        return f"{ml:.2f} mL ({plain(ml * self.mg_per_ml)} mg)"

    def is_expired(self, today: date) -> bool:
        """Whether the last day of use has passed."""
        return today > self.expires_on


def plain(number: Decimal) -> str:
    """A number without zeros that say nothing.

    >>> plain(Decimal("35.0000")), plain(Decimal("3.50")), plain(Decimal("100"))
    ('35', '3.5', '100')
    """
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the log.

    Parameters
    ----------
    ml : of an inventory what was counted; of a reversal what the row held that it takes back
    session : names the session it was for; empty for none, as when a vial broke
    reverses : id of the row that a reversal takes back

    Raises
    ------
    StockError : if the amount is not one, or a reversal names no row
    """

    id: int
    kind: Kind
    ml: Decimal
    on: date
    session: str = ""
    reverses: int | None = None

    def __post_init__(self) -> None:
        least = NOTHING if self.kind in (Kind.INVENTORY, Kind.REVERSAL) else STEP_ML
        if not (self.ml.is_finite() and self.ml >= least and self.ml == round(self.ml, 2)):
            raise StockError(f"{self.ml} mL; write an amount of {least} mL or more, with at most two decimals")
        if (self.kind is Kind.REVERSAL) != (self.reverses is not None):
            raise StockError(
                f"row {self.id} is {self.kind} and takes back row {self.reverses}; only a reversal names one"
            )


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the drug that was drawn up for one session, or for none."""

    drawn_ml: Decimal = NOTHING
    given_ml: Decimal = NOTHING
    wasted_ml: Decimal = NOTHING

    @property
    def open_ml(self) -> Decimal:
        """What was drawn and is neither given nor wasted yet; below zero if more was used than drawn."""
        return self.drawn_ml - self.given_ml - self.wasted_ml


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something that does not add up: which kind, and a sentence with the numbers."""

    kind: str  # "below zero", "more than drawn", "not accounted for", "expired" or "count differs"
    words: str


def balances(rows: Sequence[Row]) -> tuple[Decimal, ...]:
    """What is in the safe after each row, in mL.

    Raises
    ------
    StockError : if a reversal names a row that is not there

    Examples
    --------
    >>> day = date(2026, 11, 25)
    >>> rows = [Row(1, Kind.RECEIPT, Decimal(50), day), Row(2, Kind.DRAWN, Decimal("0.7"), day, "session 1")]
    >>> balances([*rows, Row(3, Kind.REVERSAL, Decimal("0.7"), day, reverses=2)])
    (Decimal('50.00'), Decimal('49.30'), Decimal('50.00'))
    """
    named = {row.id: row for row in rows}
    after, total = [], NOTHING
    for row in rows:
        total += _change_ml(row, named)
        after.append(total)
    return tuple(after)


def balance_ml(rows: Sequence[Row]) -> Decimal:
    """What is in the safe now."""
    return next(reversed(balances(rows)), NOTHING)


def _change_ml(row: Row, named: dict[int, Row]) -> Decimal:
    if row.reverses is None:
        return CHANGES_THE_SAFE.get(row.kind, 0) * row.ml
    if row.reverses not in named:
        raise StockError(f"row {row.id} takes back row {row.reverses}, which is not in the log of this lot")
    return -_change_ml(named[row.reverses], named)


def in_effect(rows: Sequence[Row]) -> list[Row]:
    """The rows that stand: those that nobody took back, without the reversals."""
    taken_back = {row.reverses for row in rows}
    return [row for row in rows if row.kind is not Kind.REVERSAL and row.id not in taken_back]


def accounts(rows: Sequence[Row]) -> dict[str, Account]:
    """What became of the drug, by session; the empty name is for no session."""
    columns = {Kind.DRAWN: "drawn_ml", Kind.GIVEN: "given_ml", Kind.WASTED: "wasted_ml"}
    found: dict[str, Account] = {}
    for row in in_effect(rows):
        if row.kind in columns:
            column, account = columns[row.kind], found.get(row.session, Account())
            found[row.session] = replace(account, **{column: getattr(account, column) + row.ml})
    return found


def check_addition(vials: Vials, rows: Sequence[Row], new: Row) -> None:
    """Refuse a row that cannot be true of these vials.

    Raises
    ------
    StockError : if more is taken than is there, or used than was drawn; if the lot has expired; if a row is taken back
        twice, or its going would leave a balance below zero
    """
    if new.kind is Kind.REVERSAL:
        _check_reversal(vials, rows, new)
    elif new.kind in (Kind.DRAWN, Kind.RETURNED):
        _check_taking(vials, balance_ml(rows), new)
    elif new.kind in (Kind.GIVEN, Kind.WASTED):
        _check_use(vials, accounts(rows).get(new.session, Account()), new)


def _check_taking(vials: Vials, there_ml: Decimal, new: Row) -> None:
    if new.kind is Kind.DRAWN and new.session and vials.is_expired(new.on):
        raise StockError(
            f"lot {vials.number} was good until {_day(vials.expires_on)} and this is {_day(new.on)}; take another lot"
        )
    if new.ml > there_ml:
        raise StockError(
            f"{vials.amount(new.ml)} is more than the vials hold: {vials.amount(there_ml)} of lot {vials.number} is in "
            "the safe; look for a slipped point"
        )


def _check_use(vials: Vials, account: Account, new: Row) -> None:
    if new.kind is Kind.GIVEN and not new.session:
        raise StockError(f"{vials.amount(new.ml)} given in no session; choose the session")
    if new.ml > account.open_ml:
        raise StockError(
            f"{vials.amount(new.ml)} {new.kind} is more than is left of what was drawn: "
            f"{vials.amount(account.drawn_ml)} drawn, {vials.amount(account.given_ml)} given, "
            f"{vials.amount(account.wasted_ml)} wasted; look for a slipped point, or write down first what was drawn"
        )


def _check_reversal(vials: Vials, rows: Sequence[Row], new: Row) -> None:
    wrong = next((row for row in rows if row.id == new.reverses), None)
    if wrong is None:
        raise StockError(f"row {new.reverses} is not in the log of lot {vials.number}; choose a row of this lot")
    if wrong.kind is Kind.REVERSAL:
        raise StockError(f"row {wrong.id} takes back another row and stays; write the right row anew")
    if any(row.reverses == wrong.id for row in rows):
        raise StockError(f"row {wrong.id} was taken back already; a row is taken back once")
    after = [*rows, new]
    if balance_ml(after) < min(NOTHING, balance_ml(rows)):
        raise StockError(
            f"without row {wrong.id} the safe would hold {vials.amount(balance_ml(after))} of lot {vials.number}; "
            "write the right row first, then take this one back"
        )
    open_ml = accounts(after).get(wrong.session, Account()).open_ml
    if open_ml < min(NOTHING, accounts(rows).get(wrong.session, Account()).open_ml):
        raise StockError(
            f"without row {wrong.id} {vials.amount(-open_ml)} more would be given and wasted than drawn; "
            "take back what was given or wasted first, or write the right row first"
        )


def discrepancies(vials: Vials, rows: Sequence[Row], ended: Collection[str]) -> tuple[Discrepancy, ...]:
    """What does not add up in the log of one lot, as sentences.

    Parameters
    ----------
    ended : names of sessions in which nothing more will be given

    Examples
    --------
    >>> day = date(2026, 11, 25)
    >>> rows = [Row(1, Kind.RECEIPT, Decimal(50), day), Row(2, Kind.DRAWN, Decimal("0.7"), day, "session 1")]
    >>> vials = Vials("K1", Decimal(50), Decimal(10), date(2028, 1, 31))
    >>> discrepancies(vials, [*rows, Row(3, Kind.GIVEN, Decimal("0.6"), day, "session 1")], {"session 1"})[0].words
    'Lot K1, session 1: 0.70 mL (35 mg) drawn, 0.60 mL (30 mg) given, 0.00 mL (0 mg) wasted. 0.10 mL (5 mg) is not \
accounted for.'
    """
    return (
        *_below_zero(vials, rows),
        *_unequal(vials, rows, ended),
        *_expired(vials, rows),
        *_miscounted(vials, rows),
    )


def _below_zero(vials: Vials, rows: Sequence[Row]) -> list[Discrepancy]:
    below = [(row, left) for row, left in zip(rows, balances(rows), strict=True) if left < 0]
    return [
        Discrepancy(
            "below zero",
            f"Lot {vials.number}: after row {row.id} of {_day(row.on)} the safe would hold {vials.amount(left)}. "
            "More was taken than was received.",
        )
        for row, left in below[:1]
    ]


def _unequal(vials: Vials, rows: Sequence[Row], ended: Collection[str]) -> list[Discrepancy]:
    found = []
    for session, account in accounts(rows).items():
        over, left = account.open_ml < 0, account.open_ml > 0 and (not session or session in ended)
        if over or left:
            words = (
                f"Lot {vials.number}, {session or 'no session'}: {vials.amount(account.drawn_ml)} drawn, "
                f"{vials.amount(account.given_ml)} given, {vials.amount(account.wasted_ml)} wasted. "
            )
            tail = "more used than drawn." if over else "is not accounted for."
            words += f"{vials.amount(abs(account.open_ml))} {tail}"
            found.append(Discrepancy("more than drawn" if over else "not accounted for", words))
    return found


def _expired(vials: Vials, rows: Sequence[Row]) -> list[Discrepancy]:
    return [
        Discrepancy(
            "expired",
            f"Lot {vials.number}, {row.session}: {vials.amount(row.ml)} drawn on {_day(row.on)}. "
            f"The lot was good until {_day(vials.expires_on)}.",
        )
        for row in in_effect(rows)
        if row.kind is Kind.DRAWN and row.session and vials.is_expired(row.on)
    ]


def _miscounted(vials: Vials, rows: Sequence[Row]) -> list[Discrepancy]:
    """The last count that stands, held to the balance at that time; a later count settles an earlier one."""
    after = dict(zip((row.id for row in rows), balances(rows), strict=True))
    counts = [row for row in in_effect(rows) if row.kind is Kind.INVENTORY]
    return [
        Discrepancy(
            "count differs",
            f"Lot {vials.number}: {vials.amount(row.ml)} counted on {_day(row.on)}, and the log said "
            f"{vials.amount(after[row.id])}. The difference is {vials.amount(abs(row.ml - after[row.id]))}.",
        )
        for row in counts[-1:]
        if row.ml != after[row.id]
    ]


def inventory_due_on(rows: Sequence[Row]) -> date | None:
    """The day by which the lot must be counted: two years after the last count, or after it came; None if none is left.

    >>> inventory_due_on([Row(1, Kind.RECEIPT, Decimal(50), date(2028, 2, 29))])
    datetime.date(2030, 2, 28)
    """
    if balance_ml(rows) <= 0:
        return None
    known = [row.on for row in in_effect(rows) if row.kind in (Kind.INVENTORY, Kind.RECEIPT)]
    counted = [row.on for row in in_effect(rows) if row.kind is Kind.INVENTORY]
    since = max(counted) if counted else min(known)
    year = since.year + rules()["inventory"].years
    return date(year, 2, 28) if (since.month, since.day) == (2, 29) else since.replace(year=year)


def _day(on: date) -> str:
    """Such as "25 Nov 2026"."""
    return f"{on.day} {on:%b %Y}"
