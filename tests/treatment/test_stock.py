"""The drug log adds up, whatever order its rows come in, and says with numbers where it does not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.treatment.stock import (
    Account,
    Kind,
    Row,
    StockError,
    Vials,
    accounts,
    balance_ml,
    balances,
    check_addition,
    discrepancies,
    in_effect,
    inventory_due_on,
)

TODAY = date(2026, 11, 25)
K1 = Vials("K1", Decimal("50"), Decimal("10"), date(2026, 11, 30))
ONE = "session 1 of course 1"
FORWARD = [kind for kind in Kind if kind is not Kind.REVERSAL]


def row(id: int, kind: Kind, ml: str, session: str = "", reverses: int | None = None, on: date = TODAY) -> Row:
    return Row(id, kind, Decimal(ml), on, session, reverses)


RECEIVED = row(1, Kind.RECEIPT, "50")
DRAWN = row(2, Kind.DRAWN, "0.70", ONE)


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    """Rows of one lot in any order, some of them taken back."""
    cents = draw(st.lists(st.tuples(st.sampled_from(FORWARD), st.integers(1, 10**6), st.sampled_from(["", ONE]))))
    rows = [Row(n, kind, Decimal(ml) / 100, TODAY, session) for n, (kind, ml, session) in enumerate(cents)]
    wrong = draw(st.lists(st.sampled_from(rows), unique=True)) if rows else []
    rows += [Row(len(rows) + n, Kind.REVERSAL, one.ml, TODAY, "", one.id) for n, one in enumerate(wrong)]
    return draw(st.permutations(rows))


@given(logs())
def test_the_balance_is_what_came_less_what_was_drawn_and_returned(rows):
    standing = in_effect(rows)
    total = {kind: sum((one.ml for one in standing if one.kind is kind), Decimal(0)) for kind in Kind}

    assert balance_ml(rows) == total[Kind.RECEIPT] - total[Kind.DRAWN] - total[Kind.RETURNED]
    assert len(balances(rows)) == len(rows)


@given(logs(), st.data())
def test_a_row_and_its_reversal_leave_no_trace_in_the_balance_and_both_stay(rows, data):
    wrong = row(-1, data.draw(st.sampled_from(FORWARD)), "3.21", ONE)
    both = [wrong, row(-2, Kind.REVERSAL, "3.21", reverses=-1)]
    where = data.draw(st.integers(0, len(rows)))

    mended = [*rows[:where], *both, *rows[where:]]

    assert balance_ml(mended) == balance_ml(rows)
    assert accounts(mended) == accounts(rows)
    assert {-1, -2} <= {one.id for one in mended}


@given(logs())
def test_what_was_given_and_wasted_never_moves_the_safe(rows):
    others = [one for one in rows if one.kind not in (Kind.GIVEN, Kind.WASTED, Kind.INVENTORY)]
    named = {one.id: one for one in rows}
    kept = [one for one in others if one.reverses is None or named[one.reverses] in others]

    assert balance_ml(rows) == balance_ml(kept)


@given(logs())
def test_rows_that_were_checked_one_by_one_never_go_below_zero_or_give_more_than_was_drawn(rows):
    kept: list[Row] = []
    for one in rows:
        try:
            check_addition(K1, kept, one)
        except StockError:
            continue
        kept.append(one)

    assert min(balances(kept), default=Decimal(0)) >= 0
    assert min((account.open_ml for account in accounts(kept).values()), default=Decimal(0)) >= 0


def test_the_balance_stands_after_each_row():
    rows = [RECEIVED, DRAWN, row(3, Kind.GIVEN, "0.60", ONE), row(4, Kind.WASTED, "0.10", ONE)]
    rows += [row(5, Kind.RETURNED, "10"), row(6, Kind.REVERSAL, "10", reverses=5), row(7, Kind.INVENTORY, "49.3")]

    assert balances(rows) == tuple(map(Decimal, ("50", "49.3", "49.3", "49.3", "39.3", "49.3", "49.3")))
    assert accounts(rows) == {ONE: Account(Decimal("0.70"), Decimal("0.60"), Decimal("0.10"))}
    assert discrepancies(K1, rows, {ONE}) == ()


@pytest.mark.parametrize(
    ("before", "new", "words"),
    [
        ([RECEIVED], row(2, Kind.DRAWN, "50.01", ONE), "50.01 mL (2500.5 mg) is more than the vials hold: 50.00 mL"),
        ([RECEIVED], row(2, Kind.RETURNED, "50.01"), "50.01 mL (2500.5 mg) is more than the vials hold: 50.00 mL"),
        ([RECEIVED, DRAWN], row(3, Kind.GIVEN, "0.71", ONE), "0.71 mL (35.5 mg) given is more than is left of what"),
        ([RECEIVED, DRAWN], row(3, Kind.WASTED, "0.71", ONE), "0.70 mL (35 mg) drawn, 0.00 mL (0 mg) given, 0.00 mL"),
        ([RECEIVED, DRAWN], row(3, Kind.GIVEN, "0.10"), "0.10 mL (5 mg) given in no session; choose the session"),
        (
            [RECEIVED],
            row(2, Kind.DRAWN, "1", ONE, on=date(2026, 12, 1)),
            "lot K1 was good until 30 Nov 2026 and this is 1 Dec 2026; take another lot",
        ),
        ([RECEIVED], row(2, Kind.REVERSAL, "50", reverses=9), "row 9 is not in the log of lot K1"),
        (
            [RECEIVED, row(2, Kind.REVERSAL, "50", reverses=1)],
            row(3, Kind.REVERSAL, "50", reverses=1),
            "row 1 was taken back already; a row is taken back once",
        ),
        (
            [RECEIVED, row(2, Kind.REVERSAL, "50", reverses=1)],
            row(3, Kind.REVERSAL, "50", reverses=2),
            "row 2 takes back another row and stays; write the right row anew",
        ),
        (
            [RECEIVED, DRAWN],
            row(3, Kind.REVERSAL, "50", reverses=1),
            "without row 1 the safe would hold -0.70 mL (-35 mg) of lot K1; write the right row first",
        ),
        (
            [RECEIVED, DRAWN, row(3, Kind.GIVEN, "0.60", ONE)],
            row(4, Kind.REVERSAL, "0.70", reverses=2),
            "without row 2 0.60 mL (30 mg) more would be given and wasted than drawn; take back what was given",
        ),
    ],
)
def test_a_row_that_cannot_be_true_is_refused_with_the_numbers(before, new, words):
    with pytest.raises(StockError) as refused:
        check_addition(K1, before, new)

    assert words in str(refused.value)


@pytest.mark.parametrize(
    "new",
    [
        row(3, Kind.DRAWN, "49.30", ONE),
        row(3, Kind.DRAWN, "49.30", ONE, on=K1.expires_on),
        row(3, Kind.DRAWN, "0.01", on=date(2027, 1, 1)),  # an expired vial goes to waste
        row(3, Kind.GIVEN, "0.70", ONE),
        row(3, Kind.INVENTORY, "0"),
        row(3, Kind.REVERSAL, "0.70", reverses=2),
    ],
)
def test_a_row_at_the_limit_stands(new):
    check_addition(K1, [RECEIVED, DRAWN], new)


@pytest.mark.parametrize(
    ("rows", "kind", "words"),
    [
        (
            [RECEIVED, DRAWN, row(3, Kind.GIVEN, "0.60", ONE), row(4, Kind.WASTED, "0.05", ONE)],
            "not accounted for",
            f"Lot K1, {ONE}: 0.70 mL (35 mg) drawn, 0.60 mL (30 mg) given, 0.05 mL (2.5 mg) wasted. "
            "0.05 mL (2.5 mg) is not accounted for.",
        ),
        (
            [RECEIVED, row(2, Kind.DRAWN, "10")],
            "not accounted for",
            "Lot K1, no session: 10.00 mL (500 mg) drawn, 0.00 mL (0 mg) given, 0.00 mL (0 mg) wasted. "
            "10.00 mL (500 mg) is not accounted for.",
        ),
        (
            [RECEIVED, DRAWN, row(3, Kind.GIVEN, "0.80", ONE)],
            "more than drawn",
            f"Lot K1, {ONE}: 0.70 mL (35 mg) drawn, 0.80 mL (40 mg) given, 0.00 mL (0 mg) wasted. "
            "0.10 mL (5 mg) more used than drawn.",
        ),
        (
            [RECEIVED, row(2, Kind.RETURNED, "50.5")],
            "below zero",
            "Lot K1: after row 2 of 25 Nov 2026 the safe would hold -0.50 mL (-25 mg). "
            "More was taken than was received.",
        ),
        (
            [RECEIVED, row(2, Kind.INVENTORY, "49.5")],
            "count differs",
            "Lot K1: 49.50 mL (2475 mg) counted on 25 Nov 2026, and the log said 50.00 mL (2500 mg). "
            "The difference is 0.50 mL (25 mg).",
        ),
        (
            [RECEIVED, row(2, Kind.DRAWN, "1", ONE, on=date(2026, 12, 1)), row(3, Kind.GIVEN, "1", ONE)],
            "expired",
            f"Lot K1, {ONE}: 1.00 mL (50 mg) drawn on 1 Dec 2026. The lot was good until 30 Nov 2026.",
        ),
    ],
)
def test_what_does_not_add_up_is_said_with_the_numbers(rows, kind, words):
    found = discrepancies(K1, rows, {ONE})

    assert [(one.kind, one.words) for one in found] == [(kind, words)]


def test_a_session_that_goes_on_may_still_hold_a_full_syringe():
    assert discrepancies(K1, [RECEIVED, DRAWN], ended=()) == ()


def test_a_later_count_or_taking_the_count_back_settles_it():
    wrong = [RECEIVED, row(2, Kind.INVENTORY, "49.5")]

    assert discrepancies(K1, [*wrong, row(3, Kind.INVENTORY, "50")], ()) == ()
    assert discrepancies(K1, [*wrong, row(3, Kind.REVERSAL, "49.5", reverses=2)], ()) == ()


def test_a_count_is_due_two_years_after_the_last_one_while_something_is_left():
    counted = [RECEIVED, row(2, Kind.INVENTORY, "50", on=date(2027, 3, 1))]

    assert inventory_due_on([RECEIVED]) == date(2028, 11, 25)
    assert inventory_due_on(counted) == date(2029, 3, 1)
    assert inventory_due_on([*counted, row(3, Kind.RETURNED, "50")]) is None
    assert inventory_due_on([]) is None


@pytest.mark.parametrize("ml", ["0", "-1", "0.005", "NaN", "Infinity"])
def test_an_amount_that_is_none_is_refused(ml):
    with pytest.raises(StockError, match=r"write an amount of 0\.01 mL or more"):
        row(1, Kind.DRAWN, ml)


def test_only_a_reversal_names_a_row():
    with pytest.raises(StockError, match="only a reversal names one"):
        row(1, Kind.DRAWN, "1", reverses=2)
    with pytest.raises(StockError, match="only a reversal names one"):
        row(1, Kind.REVERSAL, "1")


def test_a_reversal_of_a_row_that_is_not_there_is_no_balance():
    with pytest.raises(StockError, match="row 2 takes back row 1, which is not in the log of this lot"):
        balances([row(2, Kind.REVERSAL, "1", reverses=1)])


@pytest.mark.parametrize(("mg_per_ml", "vial_ml"), [("0", "10"), ("50", "-1"), ("NaN", "10")])
def test_vials_have_a_strength_and_a_size(mg_per_ml, vial_ml):
    with pytest.raises(StockError, match="it must be above 0: read it from the vial"):
        Vials("K1", Decimal(mg_per_ml), Decimal(vial_ml), TODAY)
