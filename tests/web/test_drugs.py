"""The controlled-drug log: it adds up, it only grows, and waste has a witness."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from django.db import Error, IntegrityError, connection, connections, transaction
from django.template import engines
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from reprieve.treatment.stock import StockError
from reprieve.web import rotation
from reprieve.web.encryption import encrypt
from reprieve.web.forms_drugs import NO_SESSION
from reprieve.web.models import Course, Event, LimitSet, Lot, Member, Role, StockEntry, TreatmentSession
from reprieve.web.proof import examine
from reprieve.web.secrets import new_field_key
from tests.web.conftest import PASSWORD
from tests.web.triggers import lifted

KINDS = StockEntry.Kind
LATER = date(2099, 1, 31)
VIALS = {"number": "K1", "product": "Ketamine", "mg_per_ml": "50", "vial_ml": "10", "expires_on": "2099-01-31"}
TASKS = ["drug-draw", "drug-give", "drug-waste", "drug-return", "drug-count"]


@pytest.fixture
def lot(nia: Member) -> Lot:
    """Five vials of 10 mL."""
    lot = Lot.add(nia, "K1", "Ketamine", Decimal(50), Decimal(10), LATER)
    keep(nia, lot, KINDS.RECEIPT, "50")
    return lot


@pytest.fixture
def session(course: Callable[..., Course]) -> TreatmentSession:
    """The first session of a course, planned for now."""
    found = course().sessions.first()
    assert found is not None
    return found


def keep(member: Member, lot: Lot, kind: str, ml: str, **more: Any) -> StockEntry:
    """A row of the log."""
    return StockEntry.keep(member, lot, kind, Decimal(ml), **{"uid": uuid4()} | more)


def at(name: str, row: Any) -> str:
    return reverse(name, args=[row.pk])


def typed(**more: Any) -> dict[str, Any]:
    """A form as it is sent."""
    return {"uid": uuid4(), "note": "", **more}


def words_of(answer: Any) -> str:
    """What the page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def close(session: TreatmentSession, member: Member) -> None:
    """Open a session and end it."""
    limits = LimitSet.sign(member, {})
    session.open(member, session.version, limits, timezone.now())
    session.close(member, session.version, 30.0, timezone.now())


# Who gets in


ADDRESSES = ["drugs", "drug-delivery", "drug-log", "drug-log-pdf"]


@pytest.mark.parametrize("name", [*ADDRESSES, "drug-lot", *TASKS, "drug-take-back"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_who_may_keep_the_log_comes_in(name, method, bo, ada, nia, cleo, pia, as_, lot):
    address = reverse(name) if name in ADDRESSES else at(name, StockEntry.objects.get() if "take" in name else lot)

    stranger = getattr(bo, method)(address)
    refused = [getattr(as_(who), method)(address).status_code for who in (cleo, pia)]
    allowed = [getattr(as_(who), method)(address).status_code for who in (ada, nia)]

    assert stranger.headers["Location"].startswith(reverse("account_login"))
    assert refused == [403, 403]
    assert set(allowed) <= {200, 405}
    assert StockEntry.objects.count() == 1


def test_the_way_to_the_log_is_shown_only_to_who_may_go_it(nia, cleo, as_, clinic):
    assert reverse("drugs") in as_(nia).get(reverse("inbox")).content.decode()
    assert reverse("drugs") not in as_(cleo).get(reverse("inbox")).content.decode()


# The way of a vial


def test_from_the_delivery_to_the_waste(ada, nia, as_, session):
    browser = as_(nia)
    browser.post(reverse("drug-delivery"), typed(**VIALS, vials="5"))
    lot = Lot.objects.get()
    drawn = browser.post(at("drug-draw", lot), typed(session=session.pk, ml="0.7"))
    browser.post(at("drug-give", lot), typed(session=session.pk, ml="0.6"))
    seen = {"session": session.pk, "ml": "0.10", "witness": ada.pk, "password": PASSWORD}
    page = browser.post(at("drug-waste", lot), typed(**seen), follow=True)

    rows = [(e.kind, e.ml, e.session, e.by, e.witness) for e in StockEntry.objects.all()]
    assert rows == [
        ("receipt", Decimal(50), None, nia, None),
        ("drawn", Decimal("0.7"), session, nia, None),
        ("given", Decimal("0.6"), session, nia, None),
        ("wasted", Decimal("0.1"), session, nia, ada),
    ]
    assert drawn.headers["Location"] == f"{at('drug-lot', lot)}?session={session.pk}"
    assert "Wasted: 0.10 mL (5 mg)." in words_of(page)
    assert "witness Ada" in words_of(page)
    assert "49.30 mL (2465 mg)" in words_of(page)
    close(session, ada)
    assert lot.discrepancies == ()
    assert examine().problems == []


def test_every_row_is_told_of_in_the_audit_trail_without_amounts_or_notes(nia, lot, session):
    drawn = keep(nia, lot, KINDS.DRAWN, "0.70", session=session, note="shaking hand")

    told = Event.objects.filter(subject=drawn.subject).get()
    assert (told.actor, told.verb, told.detail) == (nia.actor, "drug log: drawn up", {"seal": drawn.seal()})


def test_a_note_is_not_readable_in_the_database(nia, lot):
    entry = keep(nia, lot, KINDS.DRAWN, "1", note="the vial broke")

    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM web_stockentry WHERE id = %s", [entry.pk])
        assert "broke" not in cursor.fetchone()[0]
    assert StockEntry.objects.get(pk=entry.pk).note == "the vial broke"


# Sent twice, and at once


def test_a_form_sent_twice_is_one_row(nia, as_, lot, session):
    browser, said = as_(nia), typed(session=session.pk, ml="0.7")
    given = typed(session=session.pk, ml="0.7")

    answers = [browser.post(at("drug-draw", lot), said).status_code for _ in range(2)]
    answers += [browser.post(at("drug-give", lot), given).status_code for _ in range(2)]

    assert answers == [302] * 4
    assert [entry.kind for entry in StockEntry.objects.all()] == ["receipt", "drawn", "given"]


def test_a_delivery_sent_twice_is_one_lot_and_one_row(nia, as_, clinic):
    browser, said = as_(nia), typed(**VIALS, vials="5")

    answers = [browser.post(reverse("drug-delivery"), said).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert (Lot.objects.count(), StockEntry.objects.get().ml) == (1, Decimal(50))


def test_a_used_form_cannot_write_another_row(nia, as_, lot, session):
    said = typed(session=session.pk, ml="0.7")
    as_(nia).post(at("drug-draw", lot), said)

    answer = as_(nia).post(at("drug-draw", lot), said | {"ml": "0.8"})

    assert "This form was used for another row; open it anew and write the row again." in words_of(answer)
    assert StockEntry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_who_draw_the_last_vial_at_once_exactly_one_gets_it(nia, lot):
    keep(nia, lot, KINDS.RETURNED, "40")
    outcomes, ready = [], threading.Barrier(6)

    def draw() -> None:
        try:
            mine = Lot.objects.get(pk=lot.pk)
            ready.wait(timeout=10)
            keep(nia, mine, KINDS.DRAWN, "10")
            outcomes.append("drawn")
        except StockError:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=draw) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["drawn"] + ["refused"] * 5
    assert Lot.objects.get().balance_ml == 0
    assert list(Event.broken_links()) == []


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_by_many_hands_at_once_is_one_row(nia, lot):
    uid, kept, ready = uuid4(), [], threading.Barrier(4)

    def draw() -> None:
        try:
            ready.wait(timeout=10)
            kept.append(keep(nia, lot, KINDS.DRAWN, "1", uid=uid).pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(kept), len(set(kept))) == (4, 1)
    assert StockEntry.objects.filter(kind="drawn").count() == 1


# What cannot be


@pytest.mark.parametrize(
    ("name", "ml", "words"),
    [
        (
            "drug-draw",
            "70",
            "70.00 mL (3500 mg) is more than the vials hold: 50.00 mL (2500 mg) of lot K1 is in the safe",
        ),
        ("drug-draw", "0,7", "Write mL in figures with a point, such as 0.70"),
        ("drug-draw", "0.705", "Write at most two figures after the point, such as 0.70"),
        ("drug-draw", "0", "Write 0.01 or more"),
        ("drug-draw", "NaN", "Write mL in figures with a point, such as 0.70"),
        ("drug-draw", "99999999", "This is more than any safe holds; look for a slipped point"),
        ("drug-draw", "", "Write how many mL"),
        ("drug-return", "51", "51.00 mL (2550 mg) is more than the vials hold: 50.00 mL (2500 mg)"),
    ],
)
def test_a_slip_is_refused_with_the_numbers(name, ml, words, nia, as_, lot, session):
    answer = as_(nia).post(at(name, lot), typed(session=session.pk, ml=ml))

    assert words in words_of(answer)
    assert StockEntry.objects.count() == 1


def test_more_cannot_be_given_than_was_drawn(nia, as_, lot, session):
    keep(nia, lot, KINDS.DRAWN, "0.70", session=session)

    answer = as_(nia).post(at("drug-give", lot), typed(session=session.pk, ml="7.0"))

    assert "7.00 mL (350 mg) given is more than is left of what was drawn: 0.70 mL (35 mg) drawn" in words_of(answer)
    assert not StockEntry.objects.filter(kind="given").exists()


def test_nothing_is_drawn_for_a_session_from_a_lot_out_of_date(nia, as_, session):
    old = Lot.add(nia, "K0", "Ketamine", Decimal(50), Decimal(10), date(2020, 1, 31))
    keep(nia, old, KINDS.RECEIPT, "10")

    refused = as_(nia).post(at("drug-draw", old), typed(session=session.pk, ml="1"))
    wasted = as_(nia).post(at("drug-draw", old), typed(session=NO_SESSION, ml="1", note="Out of date."))

    assert "Lot K0 was good until 31 Jan 2020 and this is" in words_of(refused)
    assert wasted.status_code == 302
    assert "31 Jan 2020 Out of date" in words_of(as_(nia).get(reverse("drugs")))


def test_only_lots_with_something_left_and_in_date_are_usable(nia, lot):
    old = Lot.add(nia, "K0", "Ketamine", Decimal(50), Decimal(10), LATER - timedelta(days=1))
    keep(nia, old, KINDS.RECEIPT, "10")
    Lot.add(nia, "K9", "Ketamine", Decimal(50), Decimal(10), LATER)

    assert [lot.number for lot in Lot.objects.usable(LATER - timedelta(days=1))] == ["K0", "K1"]
    assert [lot.number for lot in Lot.objects.usable(LATER)] == ["K1"]
    assert Lot.objects.usable(LATER + timedelta(days=1)) == []


def test_no_session_that_was_missed_or_called_off_gets_a_drug(nia, lot, session):
    session.miss(nia, session.version, "Ill.")

    with pytest.raises(StockError, match=r"session 1 of course .* is missed; choose a session that takes place"):
        keep(nia, lot, KINDS.DRAWN, "1", session=session)


def test_a_vial_that_broke_needs_words(nia, as_, lot):
    answer = as_(nia).post(at("drug-draw", lot), typed(session=NO_SESSION, ml="10"))

    assert "Write what happened to the vial" in words_of(answer)
    assert StockEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"expires_on": "2020-01-31"}, "This day has passed."),
        ({"mg_per_ml": "500"}, "This is too much; look for a slipped point"),
        ({"vials": "0"}, "Write 1 or more"),
        ({"vials": "five"}, "Write how many vials in figures, such as 10"),
        ({"number": ""}, "Write the lot number from the vial"),
        (
            {"expires_on": "2099-02-28"},
            "Lot K1 is in the log as Ketamine 50 mg/mL, vials of 10 mL, good until 31 Jan 2099;",
        ),
    ],
)
def test_a_delivery_that_cannot_be_is_refused(changed, words, nia, as_, lot):
    answer = as_(nia).post(reverse("drug-delivery"), typed(**VIALS | {"vials": "5"} | changed))

    assert words in words_of(answer)
    assert StockEntry.objects.count() == 1


def test_an_unusual_strength_is_asked_about_once(nia, as_, clinic):
    said = typed(**VIALS | {"vials": "5", "mg_per_ml": "5"})

    asked = as_(nia).post(reverse("drug-delivery"), said)
    sure = as_(nia).post(reverse("drug-delivery"), said | {"sure": "on"})

    assert "5 mg in 1 mL is not a usual strength (10, 50, 100). Read the vial again" in words_of(asked)
    assert sure.status_code == 302
    assert Lot.objects.get().mg_per_ml == 5


def test_a_wrong_lot_is_written_anew_once_its_rows_are_taken_back(nia, as_, lot):
    StockEntry.objects.get().reverse(nia, "The date was misread.", uid=uuid4())

    answer = as_(nia).post(reverse("drug-delivery"), typed(**VIALS | {"vials": "5", "expires_on": "2099-02-28"}))

    assert answer.status_code == 302
    assert [(one.expires_on, one.balance_ml) for one in Lot.objects.all()] == [
        (LATER, Decimal(0)),
        (date(2099, 2, 28), Decimal(50)),
    ]


# The witness


@pytest.fixture
def left(nia: Member, lot: Lot, session: TreatmentSession) -> dict[str, Any]:
    """0.10 mL is left in the syringe; the form that wastes it lacks its witness."""
    keep(nia, lot, KINDS.DRAWN, "0.70", session=session)
    keep(nia, lot, KINDS.GIVEN, "0.60", session=session)
    return typed(session=session.pk, ml="0.10")


def test_waste_without_a_witness_is_refused_by_the_form(nia, as_, lot, left):
    answer = as_(nia).post(at("drug-waste", lot), left)

    assert "Waste needs a witness. Choose who watched" in words_of(answer)
    assert not StockEntry.objects.filter(kind="wasted").exists()


def test_waste_without_a_witness_is_refused_by_the_model(nia, lot, left, session):
    with pytest.raises(StockError, match="waste without a witness"):
        keep(nia, lot, KINDS.WASTED, "0.10", session=session)


def test_waste_without_a_witness_is_refused_by_the_database(nia, lot, left, session):
    with pytest.raises(IntegrityError, match="waste_has_a_witness"), transaction.atomic():
        StockEntry.objects.create(uid=uuid4(), lot=lot, kind="wasted", ml=Decimal("0.1"), session=session, by=nia)


def test_nobody_is_their_own_witness(nia, as_, lot, left, session):
    answer = as_(nia).post(at("drug-waste", lot), left | {"witness": nia.pk, "password": PASSWORD})

    assert "Choose a colleague from the list, not yourself" in words_of(answer)
    with pytest.raises(StockError, match="Nia cannot be their own witness"):
        keep(nia, lot, KINDS.WASTED, "0.10", session=session, witness=nia)
    with pytest.raises(IntegrityError, match="witness_is_another_person"), transaction.atomic():
        StockEntry.objects.create(
            uid=uuid4(), lot=lot, kind="wasted", ml=Decimal("0.1"), session=session, by=nia, witness=nia
        )


def test_a_witness_may_keep_the_log_and_still_works_here(nia, cleo, as_, lot, left, session):
    gone = Member.objects.create_user("gil@clinic.example", PASSWORD, name="Gil", role=Role.NURSE, is_active=False)

    pages = [
        words_of(as_(nia).post(at("drug-waste", lot), left | {"witness": who.pk, "password": PASSWORD}))
        for who in (cleo, gone)
    ]

    assert ["Choose a colleague from the list, not yourself" in page for page in pages] == [True, True]
    for who in (cleo, gone):
        with pytest.raises(StockError, match=f"{who.name} may not keep the drug log"):
            keep(nia, lot, KINDS.WASTED, "0.10", session=session, witness=who)


def test_a_wrong_password_of_the_witness_wastes_nothing_and_is_not_said_back(ada, nia, as_, lot, left):
    answer = as_(nia).post(at("drug-waste", lot), left | {"witness": ada.pk, "password": "a secret of hers"})

    assert "This is not the password of Ada. Let Ada type it again" in words_of(answer)
    assert "a secret of hers" not in answer.content.decode()
    assert not StockEntry.objects.filter(kind="wasted").exists()


def test_the_password_of_the_nurse_herself_does_not_do(ada, nia, as_, lot, left):
    nia.set_password("another lantern by the sea")
    nia.save()

    answer = as_(nia).post(at("drug-waste", lot), left | {"witness": ada.pk, "password": "another lantern by the sea"})

    assert "This is not the password of Ada" in words_of(answer)


def test_passwords_of_a_witness_cannot_be_guessed(ada, nia, as_, lot, left):
    browser = as_(nia)
    guess = left | {"witness": ada.pk, "password": "a wrong guess"}

    codes = [browser.post(at("drug-waste", lot), guess).status_code for _ in range(8)]
    right = browser.post(at("drug-waste", lot), guess | {"password": PASSWORD})

    assert codes == [200] * 7 + [429]
    assert right.status_code == 429
    assert not StockEntry.objects.filter(kind="wasted").exists()


def test_counted_tries_hold_nothing_of_the_form(ada, nia, as_, lot, left):
    wrong = {"witness": ada.pk, "password": "a wrong guess", "note": "The person felt unwell."}

    as_(nia).post(f"{at('drug-waste', lot)}?session=1", left | wrong)

    counted = AccessAttempt.objects.get()
    assert (counted.username, counted.post_data, counted.get_data) == (ada.email, "", "")
    assert "unwell" not in str(AccessAttempt.objects.values())


def test_a_slip_elsewhere_costs_the_witness_no_try(ada, nia, as_, lot, left):
    browser = as_(nia)
    slipped = left | {"ml": "ten", "witness": ada.pk, "password": "a wrong guess"}

    for _ in range(10):
        browser.post(at("drug-waste", lot), slipped)
    answer = browser.post(at("drug-waste", lot), left | {"witness": ada.pk, "password": PASSWORD})

    assert answer.status_code == 302


def test_the_witness_is_not_logged_in_by_it(ada, nia, as_, lot, left):
    browser = as_(nia)

    page = browser.post(at("drug-waste", lot), left | {"witness": ada.pk, "password": PASSWORD}, follow=True)

    assert page.wsgi_request.user == nia


# Taking back


def test_a_wrong_row_is_taken_back_and_both_stay(nia, as_, lot, session):
    wrong = keep(nia, lot, KINDS.DRAWN, "7.00", session=session)

    page = as_(nia).post(at("drug-take-back", wrong), {"uid": uuid4(), "why": "Meant 0.70."}, follow=True)

    assert [(e.kind, e.ml, e.reverses, e.note) for e in StockEntry.objects.all()[1:]] == [
        ("drawn", Decimal(7), None, ""),
        ("reversal", Decimal(7), wrong, "Meant 0.70."),
    ]
    assert Lot.objects.get().balance_ml == 50
    assert "Taken back by row" in words_of(page)


def test_taking_back_needs_a_reason(nia, as_, lot):
    entry = StockEntry.objects.get()

    answer = as_(nia).post(at("drug-take-back", entry), {"uid": uuid4(), "why": " "})

    assert "Write why this row is wrong" in words_of(answer)
    with pytest.raises(StockError, match="no reason; write why this row is wrong"):
        entry.reverse(nia, "", uid=uuid4())


def test_a_row_is_taken_back_once_and_a_taking_back_never(nia, as_, lot):
    entry = StockEntry.objects.get()
    said = {"uid": uuid4(), "why": "Another clinic's."}

    again = [as_(nia).post(at("drug-take-back", entry), said).status_code for _ in range(2)]
    twice = as_(nia).post(at("drug-take-back", entry), said | {"uid": uuid4()})
    back = as_(nia).post(at("drug-take-back", StockEntry.objects.last()), said | {"uid": uuid4()})

    assert again == [302, 302]
    assert "was taken back already; a row is taken back once." in words_of(twice)
    assert "takes back another row and stays; write the right row anew." in words_of(back)
    assert StockEntry.objects.count() == 2


def test_a_row_that_others_rest_on_stays_until_they_go(nia, as_, lot, session):
    drawn = keep(nia, lot, KINDS.DRAWN, "0.70", session=session)
    keep(nia, lot, KINDS.GIVEN, "0.70", session=session)

    answer = as_(nia).post(at("drug-take-back", drawn), {"uid": uuid4(), "why": "Wrong lot."})

    assert "0.70 mL (35 mg) more would be given and wasted than drawn" in words_of(answer)


# It only grows


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE web_stockentry SET ml = 1",
        "UPDATE web_stockentry SET witness_id = NULL, note = ''",
        "DELETE FROM web_stockentry",
        "UPDATE web_lot SET expires_on = '2100-01-01'",
        "DELETE FROM web_lot",
    ],
)
def test_the_database_refuses_to_change_the_log(sql, lot):
    with pytest.raises(Error, match="drug log cannot be"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert StockEntry.objects.get().ml == 50
    assert Lot.objects.get().expires_on == LATER


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "UPDATE web_stockentry SET ml = 40",
            "stock entry {row} of the drug log is not as the audit trail tells of it",
        ),
        ("UPDATE web_lot SET mg_per_ml = 5", "lot {lot} of the drug log is not as the audit trail tells of it"),
        ("DELETE FROM web_stockentry", "stock entry {row} of the drug log is gone, and the audit trail tells of it"),
    ],
)
def test_what_was_changed_behind_the_triggers_is_found(sql, words, lot):
    row = StockEntry.objects.get().pk
    with lifted(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert examine().problems == [words.format(row=row, lot=lot.pk)]


def test_a_note_changed_behind_the_seal_is_found(lot):
    row = StockEntry.objects.get()

    StockEntry.objects.filter(pk=row.pk).update(note="made up")

    assert examine().problems == [f"stock entry {row.pk} of the drug log is not as the audit trail tells of it"]


def test_a_row_written_past_the_verbs_is_found(nia, lot, session):
    row = StockEntry.objects.create(uid=uuid4(), lot=lot, kind="drawn", ml=Decimal(51), session=session, by=nia)

    found = examine().problems

    assert f"stock entry {row.pk} of the drug log is not as the audit trail tells of it" in found
    assert [words for words in found if "the safe would hold -1.00 mL (-50 mg)" in words]


@pytest.mark.django_db(transaction=True)
def test_new_keys_leave_the_log_whole(nia, lot, settings):
    keep(nia, lot, KINDS.DRAWN, "10", note="the vial broke")
    keep(nia, lot, KINDS.INVENTORY, "40")
    StockEntry.objects.get(kind="drawn").reverse(nia, "It did not break.", uid=uuid4())
    settings.FIELD_KEYS = [new_field_key(), *settings.FIELD_KEYS]

    rotation.rewrite_all()
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]

    assert [entry.note for entry in StockEntry.objects.all()] == ["", "the vial broke", "", "It did not break."]
    assert encrypt("") != ""
    assert examine().problems == []


@pytest.mark.parametrize("fields", [{"kind": "given"}, {"kind": "drawn", "ml": 0}, {"kind": "reversal"}])
def test_the_database_refuses_a_row_that_says_nothing(fields, nia, lot):
    whole = {"uid": uuid4(), "lot": lot, "ml": Decimal(1), "by": nia}

    with pytest.raises(IntegrityError), transaction.atomic():
        StockEntry.objects.create(**whole | fields)


# What does not add up


def test_a_session_that_ended_with_something_left_stands_on_top_until_it_is_accounted_for(ada, nia, as_, lot, session):
    keep(nia, lot, KINDS.DRAWN, "0.70", session=session)
    keep(nia, lot, KINDS.GIVEN, "0.60", session=session)
    before = words_of(as_(nia).get(reverse("drugs")))
    close(session, ada)

    page = words_of(as_(nia).get(reverse("drugs")))
    problems = examine().problems
    keep(nia, lot, KINDS.WASTED, "0.10", session=session, witness=ada)
    after = words_of(as_(nia).get(reverse("drugs")))

    sentence = (
        f"Lot K1, {session.course.enquiry.reference}, session 1 of course {session.course_id}: "
        "0.70 mL (35 mg) drawn, 0.60 mL (30 mg) given, 0.00 mL (0 mg) wasted. 0.10 mL (5 mg) is not accounted for."
    )
    assert ["do not add up" in text or "does not add up" in text for text in (before, page, after)] == [
        False,
        True,
        False,
    ]
    assert sentence in page
    assert problems == [sentence]
    assert examine().problems == []


def test_a_count_that_differs_stands_on_top_until_a_new_one_agrees(nia, as_, lot):
    as_(nia).post(at("drug-count", lot), typed(ml="49.50"))
    page = words_of(as_(nia).get(reverse("drugs")))
    as_(nia).post(at("drug-count", lot), typed(ml="50"))

    assert "and the log said 50.00 mL (2500 mg). The difference is 0.50 mL (25 mg)." in page
    assert "does not add up" not in words_of(as_(nia).get(reverse("drugs")))


def test_the_next_count_is_due_two_years_on_and_its_source_is_marked(nia, as_, lot, monkeypatch):
    page = words_of(as_(nia).get(reverse("drugs")))
    monkeypatch.setattr(timezone, "now", lambda now=timezone.now: now() + timedelta(days=740))

    late = words_of(as_(nia).get(reverse("drugs")))

    assert "every 2 years (US rules for controlled drugs, from memory, not yet checked)" in page
    assert "Count what is in the safe. It was due on" not in page
    assert "Count what is in the safe. It was due on" in late


# In the session, and on paper


def test_a_session_shows_what_became_of_the_drug_and_where_to_go_on(nia, as_, lot, session, rf):
    keep(nia, lot, KINDS.DRAWN, "7.00", session=session).reverse(nia, "Slipped.", uid=uuid4())
    keep(nia, lot, KINDS.DRAWN, "0.70", session=session)
    keep(nia, lot, KINDS.GIVEN, "0.60", session=session)
    template = engines["django"].from_string("{% load drugs %}{% drugs_of session %}")

    html = template.render({"session": session, "may": {"keep_the_drug_log": True, "see_courses": True}})

    [(found, account)] = StockEntry.objects.of_session(session).accounts()
    assert (found, account.drawn_ml, account.given_ml, account.open_ml) == (
        lot,
        Decimal("0.70"),
        Decimal("0.60"),
        Decimal("0.10"),
    )
    assert f"{at('drug-waste', lot)}?session={session.pk}" in html
    assert "0.10 mL (5 mg)" in html
    assert at("session", session) in html
    chosen = f'<option value="{session.pk}" selected>'
    assert chosen in as_(nia).get(f"{at('drug-waste', lot)}?session={session.pk}").content.decode()


def test_the_log_of_a_period_opens_as_page_and_as_pdf_with_witness_and_balance(ada, nia, as_, lot, session):
    keep(nia, lot, KINDS.DRAWN, "0.70", session=session)
    keep(nia, lot, KINDS.WASTED, "0.70", session=session, witness=ada, note="The person went home.")
    today = timezone.localdate().isoformat()

    page = as_(nia).get(reverse("drug-log"), {"from": today, "until": today})
    answer = as_(nia).get(reverse("drug-log-pdf"), {"from": today, "until": today})

    reader = PdfReader(io.BytesIO(answer.content))
    printed = " ".join(sheet.extract_text().replace("\u200b", "") for sheet in reader.pages)
    enquiry = session.course.enquiry
    said = ["Lot K1", "49.30 mL (2465 mg)", "witness Ada", "The person went home.", enquiry.reference, "Robin Sample"]
    for text in (words_of(page), printed):
        unbroken = "".join(text.split())
        assert [words for words in said if "".join(words.split()) not in unbroken] == []
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store, private"
    verbs = Event.objects.filter(subject="drug log").values_list("verb", flat=True)
    assert list(verbs) == ["opened the drug log", "printed the drug log"]


def test_a_period_before_the_delivery_is_empty_and_one_after_it_brings_the_balance_forward(nia, as_, lot):
    past, ahead = {"from": "2001-01-01", "until": "2001-01-31"}, {"from": "2098-01-01", "until": "2098-01-31"}

    before = words_of(as_(nia).get(reverse("drug-log"), past))
    after = words_of(as_(nia).get(reverse("drug-log"), ahead))
    papers = [as_(nia).get(reverse("drug-log-pdf"), period).content[:5] for period in (past, ahead)]

    assert "No lot was in the safe in this time." in before
    assert "at least 2 years (US rules for controlled drugs, from memory, not yet checked)" in before
    assert "In the safe before: 50.00 mL (2500 mg)." in after
    assert papers == [b"%PDF-", b"%PDF-"]


def test_days_that_are_none_are_said_back(nia, as_, clinic):
    wrong = as_(nia).get(reverse("drug-log"), {"from": "soon", "until": "2026-01-01"})
    turned = as_(nia).get(reverse("drug-log"), {"from": "2026-02-01", "until": "2026-01-01"})
    pdf = as_(nia).get(reverse("drug-log-pdf"), {"from": "soon"})

    assert "Choose a day from the calendar" in words_of(wrong)
    assert "Choose a day on or after the first one" in words_of(turned)
    assert pdf.headers["Location"] == f"{reverse('drug-log')}?from=soon"


def test_a_second_delivery_of_a_lot_starts_from_what_its_vials_say(nia, as_, lot):
    page = as_(nia).get(f"{reverse('drug-delivery')}?lot={lot.pk}").content.decode()

    as_(nia).post(reverse("drug-delivery"), typed(**VIALS, vials="2"))

    assert 'value="K1"' in page
    assert (Lot.objects.count(), Lot.objects.get().balance_ml) == (1, Decimal(70))
