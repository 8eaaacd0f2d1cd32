"""Two people write about one person at the same time: nothing is overwritten, and nothing typed is lost."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from reprieve.web.models import Attempt, ChangedMeanwhileError, Enquiry, Event

DECIDE = {"decide-decision": "consult", "decide-words": "Please come on Tuesday at ten."}
CALL = {"call-channel": "phone", "call-outcome": "no_answer", "call-note": "Rang out."}


def test_the_second_to_write_is_told_who_did_what_and_keeps_their_words(ada, nia, as_, enquiry):
    person = enquiry()
    seen = person.version
    as_(nia).post(reverse("log-attempt", args=[person.pk]), CALL | {"call-version": seen})

    answer = as_(ada).post(reverse("decide", args=[person.pk]), DECIDE | {"decide-version": seen})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Nia" in page
    assert "phone" in page.lower()
    assert "Please come on Tuesday at ten." in page
    person.refresh_from_db()
    assert (person.decision, person.version) == ("", seen + 1)
    assert f'name="decide-version" value="{seen + 1}"' in page


def test_sending_it_again_after_reading_works(ada, nia, as_, enquiry):
    person = enquiry()
    person.hand_over(nia, person.version, nia)
    person.refresh_from_db()

    as_(ada).post(reverse("decide", args=[person.pk]), DECIDE | {"decide-version": person.version})

    person.refresh_from_db()
    assert (person.decision, person.decided_by) == ("consult", ada)


@pytest.mark.parametrize("name", ["log-attempt", "hand-over", "rule-out", "refer", "decide"])
def test_no_form_writes_over_a_newer_version(name, ada, nia, as_, enquiry):
    person = enquiry(conditions=["bp_high_or_unknown"])
    seen = person.version
    person.hand_over(nia, seen, nia)
    said = {
        "log-attempt": CALL | {"call-version": seen},
        "hand-over": {"hand-to": ada.pk, "hand-version": seen},
        "rule-out": {"criterion": "CV-04", "out-CV-04-reason": "Measured twice.", "out-CV-04-version": seen},
        "refer": {"refer-to": "Riverside", "refer-version": seen},
        "decide": DECIDE | {"decide-version": seen},
    }[name]
    browser = as_(ada)
    before = Event.objects.count()

    answer = browser.post(reverse(name, args=[person.pk]), said)

    person.refresh_from_db()
    assert answer.status_code == 409
    assert (person.version, person.owner, person.decision) == (seen + 1, nia, "")
    assert [rows.count() for rows in (person.attempts, person.reviews, person.referrals)] == [0, 0, 0]
    assert Event.objects.count() == before


def test_a_closed_enquiry_takes_no_call_and_an_open_one_is_not_reopened(ada, as_, enquiry):
    closed, still_open = enquiry(), enquiry()
    closed.decide(ada, closed.version, "not_now", "Later.", timezone.now())
    due = {"reopen-due_at_0": "2999-01-01", "reopen-due_at_1": "10:00"}

    late = as_(ada).post(reverse("log-attempt", args=[closed.pk]), CALL | {"call-version": closed.version})
    early = as_(ada).post(reverse("reopen", args=[still_open.pk]), due | {"reopen-version": still_open.version})

    assert (late.status_code, early.status_code) == (409, 409)
    assert Attempt.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_exactly_one_writes(ada, enquiry):
    person = enquiry()
    seen, outcomes, ready = person.version, [], threading.Barrier(6)

    def write() -> None:
        try:
            mine = Enquiry.objects.get(pk=person.pk)
            ready.wait(timeout=10)
            mine.decide(ada, seen, "not_now", "Later.", timezone.now())
            outcomes.append("written")
        except ChangedMeanwhileError:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["refused"] * 5 + ["written"]
    assert Event.objects.filter(verb="decided").count() == 1
    assert list(Event.broken_links()) == []
