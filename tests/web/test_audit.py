"""The audit trail: it grows, it chains, and nobody can bend it unseen."""

import pytest
from django.db import Error, connection, transaction

from reprieve.web.models import Enquiry, Event
from reprieve.web.proof import TRIGGERS, examine
from tests.web.triggers import lifted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three_events():
    return [Event.record("member 1", verb, "enquiry 1") for verb in ("opened", "logged a call", "decided")]


def behind_the_triggers(sql: str, *values: object) -> None:
    """What somebody with the database's own password could do."""
    with lifted(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_each_event_follows_the_one_before(three_events):
    assert [event.previous for event in three_events] == ["0" * 64, three_events[0].hash, three_events[1].hash]
    assert list(Event.broken_links()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE web_event SET verb = 'nothing happened'",
        "DELETE FROM web_event",
        "INSERT INTO web_event (at, actor, verb, subject, detail, previous, hash)"
        " VALUES ('2026-01-01 00:00:00', 'member 9', 'was here', 'enquiry 1', '{}', 'made up', 'made up')",
    ],
)
def test_the_database_refuses_to_change_the_trail(three_events, sql):
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert Event.objects.count() == 3


def test_bulk_writes_cannot_slip_past(three_events):
    with pytest.raises(Error), transaction.atomic():
        Event.objects.update(actor="nobody")
    with pytest.raises(Error), transaction.atomic():
        Event.objects.all().delete()
    with pytest.raises(Error), transaction.atomic():
        Event.objects.bulk_create(
            [Event(at=three_events[0].at, actor="x", verb="x", subject="x", previous="", hash="x")]
        )


def test_an_event_changed_behind_the_triggers_is_found(three_events):
    behind_the_triggers("UPDATE web_event SET actor = 'member 2' WHERE id = %s", three_events[1].pk)

    assert list(Event.broken_links()) == [f"event {three_events[1].pk} was changed after it was written"]


def test_an_event_removed_behind_the_triggers_is_found(three_events):
    behind_the_triggers("DELETE FROM web_event WHERE id = %s", three_events[1].pk)

    assert list(Event.broken_links()) == [
        f"event {three_events[2].pk} does not follow the one before it: a row was removed, added or reordered"
    ]


def test_a_removed_tail_is_found_by_the_enquiry_it_told_of(enquiry):
    received = enquiry()
    behind_the_triggers("DELETE FROM web_event")

    assert examine().problems == [f"enquiry {received.pk} has no event in the audit trail"]


def test_a_missing_trigger_is_found(enquiry):
    enquiry()

    with lifted():
        problems = examine().problems

    assert "the trigger audit_chain that guards the audit trail is missing" in problems
    assert len(problems) == len(TRIGGERS[connection.vendor])


def test_a_change_and_its_event_stand_or_fall_together(enquiry, nia, monkeypatch):
    received = enquiry()
    monkeypatch.setattr(Event, "record", classmethod(lambda *args, **kwargs: 1 / 0))

    with pytest.raises(ZeroDivisionError):
        received.log_attempt(nia, received.version, "phone", "reached")

    kept = Enquiry.objects.get(pk=received.pk)
    assert (kept.state, kept.version, kept.attempts.count()) == (Enquiry.State.WAITING, 1, 0)


def test_events_hold_no_health_content_and_no_name(enquiry, nia):
    received = enquiry(name="Quill Hush")
    received.log_attempt(nia, received.version, "phone", "no_answer", note="sounded low")

    text = " ".join(f"{event} {event.detail}" for event in Event.objects.all())
    assert "Quill" not in text
    assert "low" not in text
