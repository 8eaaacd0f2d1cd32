"""The inbox and the card: the gravest first, in words, fast, and with no name in any address."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from reprieve.web.models import Attempt, Enquiry, Event, Signature
from reprieve.web.times import day, day_and_hour, due, span
from tests.web.conftest import CLEAR, PLAN

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday noon in New York


def persons(page: str) -> list[str]:
    return re.findall(r'class="person" href="[^"]*">([^<]*)<', page)


def shown(browser, **query) -> str:
    return browser.get(reverse("inbox"), query).content.decode()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3 * 86400, "3 days late"),
        (-48 * 3600, "2 days late"),
        (-47 * 3600, "47 h late"),
        (-120 * 60, "2 h late"),
        (-119 * 60, "119 min late"),
        (-12 * 60, "12 min late"),
        (-12 * 60 - 59, "12 min late"),
        (-1, "1 min late"),
        (0, "due now"),
        (1, "due in 1 min"),
        (9 * 60, "due in 9 min"),
        (8 * 60 + 1, "due in 9 min"),
        (3600, "due in 60 min"),
        (3601, "due Mon 23 Nov, 13:00"),
        (86400, "due Tue 24 Nov, 12:00"),
        (60 * 86400, "due Fri 22 Jan 2027, 12:00"),
    ],
)
def test_a_deadline_in_words(seconds, words):
    assert due(NOW + timedelta(seconds=seconds), NOW, NEW_YORK) == words


@pytest.mark.parametrize(
    ("moment", "zone", "words"),
    [
        ("2026-11-01T05:30+00:00", NEW_YORK, "Sun 1 Nov, 01:30"),  # the hour that comes twice, first time
        ("2026-11-01T06:30+00:00", NEW_YORK, "Sun 1 Nov, 01:30"),  # and second time
        ("2026-11-01T07:30+00:00", NEW_YORK, "Sun 1 Nov, 02:30"),
        ("2026-03-29T00:59+00:00", BERLIN, "Sun 29 Mar, 01:59"),
        ("2026-03-29T01:00+00:00", BERLIN, "Sun 29 Mar, 03:00"),  # two o'clock does not come
    ],
)
def test_the_clock_of_the_clinic_when_it_is_put_back_or_forward(moment, zone, words):
    at = datetime.fromisoformat(moment)

    assert day_and_hour(at, at, zone) == words


def test_lateness_counts_minutes_that_passed_not_what_the_clock_shows():
    before, after = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)

    assert due(before, after, NEW_YORK) == "60 min late"


def test_the_list_is_gravest_first_then_nearest(ada, as_, enquiry):
    now = timezone.now()
    enquiry(name="Later", at=now - timedelta(hours=1))
    enquiry(name="Sooner", at=now - timedelta(days=3))
    enquiry(PLAN, name="Urgent now")
    enquiry(PLAN, name="Urgent late", at=now - timedelta(hours=2))

    page = shown(as_(ada))

    assert persons(page) == ["Urgent late", "Urgent now", "Sooner", "Later"]
    assert "<title>Inbox: 4 waiting, 2 late – Harbour Clinic</title>" in page
    assert "Gravest first, then nearest deadline" in page
    assert "105 min late" in page


@pytest.mark.parametrize(
    ("query", "people", "words"),
    [
        ({}, ["Urgent", "Mine", "Plain"], "Shown: open"),
        ({"urgency": "0"}, ["Urgent"], "Shown: open, urgent"),
        ({"owner": "me"}, ["Mine"], "Shown: open, yours"),
        ({"owner": "none"}, ["Urgent", "Plain"], "Shown: open, nobody&#x27;s yet"),
        ({"late": "1"}, ["Urgent"], "Shown: open, late only"),
        ({"state": "closed"}, ["Closed"], "Shown: closed"),
        ({"urgency": "9", "owner": "x", "page": "-4"}, ["Urgent", "Mine", "Plain"], "Shown: open"),
        ({"owner": "me", "late": "1"}, [], "No enquiry fits: open, yours, late only."),
    ],
)
def test_filters_stand_in_the_address_and_in_words(ada, as_, enquiry, query, people, words):
    now = timezone.now()
    enquiry(PLAN, name="Urgent", at=now - timedelta(hours=1))
    mine, closed = enquiry(name="Mine", at=now - timedelta(minutes=9)), enquiry(name="Closed")
    enquiry(name="Plain")
    mine.hand_over(ada, mine.version, ada)
    closed.decide(ada, closed.version, "not_now", "Later.", now)

    page = shown(as_(ada), **query)

    assert persons(page) == people
    assert words in page


def test_pages_of_fifty_keep_the_filter(ada, as_, enquiry):
    for number in range(51):
        enquiry(name=f"Person {number}")

    first, second = shown(as_(ada), owner="none"), shown(as_(ada), owner="none", page="2")

    assert (len(persons(first)), len(persons(second))) == (50, 1)
    assert 'href="?owner=none&amp;page=2"' in first
    assert 'href="?owner=none&amp;page=1"' in second


@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_takes_the_same_few_queries_however_long(ada, as_, enquiry, django_assert_num_queries, rows, settings):
    settings.CLINIC_SECONDS = 0
    for _ in range(rows):
        one = enquiry()
        one.hand_over(ada, one.version, ada)
    browser = as_(ada)
    browser.get(reverse("inbox"))

    # session, member, clinic, rows with owners, counts, alerts, newest; then the session is saved in a transaction
    with django_assert_num_queries(11):
        page = shown(browser)
    assert len(persons(page)) == rows


def test_the_list_never_reads_answers_or_findings(ada, as_, enquiry, django_assert_max_num_queries):
    enquiry()
    browser = as_(ada)

    with django_assert_max_num_queries(12) as read:
        browser.get(reverse("inbox"))

    rows = next(query["sql"] for query in read.captured_queries if '"why"' in query["sql"])
    assert '"answers"' not in rows
    assert '"assessment"' not in rows


def test_nobody_waiting_says_when_the_last_call_was_kept(ada, as_, enquiry):
    assert "Nobody is waiting. No call has been logged yet." in shown(as_(ada))
    person = enquiry()
    person.log_attempt(ada, person.version, "phone", Attempt.Outcome.REACHED)
    person.decide(ada, person.version, "not_now", "Later.", timezone.now())

    assert re.search(r"Nobody is waiting\. The last call was kept at \w{3} \d+ \w{3}, \d\d:\d\d\.", shown(as_(ada)))


def test_a_person_is_found_by_whole_name_or_reference_and_no_name_is_in_an_address(ada, as_, enquiry):
    person = enquiry(name="Zoë  de Vries")
    enquiry(name="Zoe Else")
    browser = as_(ada)

    by_name = browser.post(reverse("inbox"), {"find": " zoë de  VRIES "})
    by_reference = browser.post(reverse("inbox"), {"find": person.reference.lower()})
    by_half = browser.post(reverse("inbox"), {"find": "Zoë"})

    assert persons(by_name.content.decode()) == ["Zoë  de Vries"]
    assert by_reference.headers["Location"] == reverse("card", args=[person.pk])
    assert "Nobody here has that reference, or exactly that name." in by_half.content.decode()
    assert [event.detail for event in Event.objects.filter(verb="searched")] == [
        {"by": "name"}, {"by": "reference"}, {"by": "name"},
    ]  # fmt: skip


def test_news_counts_open_enquiries_that_came_after(ada, as_, enquiry):
    first = enquiry()
    enquiry()
    enquiry(wants_contact="no")
    browser = as_(ada)

    assert browser.get(reverse("inbox-news"), {"after": first.pk}).json() == {"new": 1}
    assert browser.get(reverse("inbox-news"), {"after": "x"}).json() == {"new": 2}


def card(browser, person) -> str:
    return browser.get(reverse("card", args=[person.pk])).content.decode()


def test_the_card_shows_every_answer_and_says_what_is_blank(ada, as_, enquiry):
    answers = {name: value for name, value in CLEAR.items() if name not in ("escort_available", "medicines")}
    page = card(as_(ada), enquiry(answers | {"conditions": ["not_sure"]}))

    left_blank = page[page.index("Left blank") : page.index("Not sure, or rather")]
    assert "Could an adult take you home after each visit?" in left_blank
    assert "Medicines: do you take any of these now?" in left_blank
    assert page.count('<dd class="grave">Not answered</dd>') == 2
    assert page.index("Clear up first") < page.index('id="answers"') < page.index('id="decision"')


def test_the_card_names_reason_source_strength_and_what_is_from_memory(ada, as_, enquiry):
    person = enquiry(PLAN)
    page = card(as_(ada), person)

    finding = person.assessment["findings"][0]
    assert finding["criterion_id"] == "URG-01"
    assert f'href="{finding["source_url"]}"' in page
    assert "I made a plan and meant to do it" in page
    assert "Strength: strong" in page
    assert "This is not a decision." in page
    assert "not signed yet by a clinician" in page
    assert person.assessment["rule_set_version"] in page
    assert "Against ketamine, or unknown" in page
    assert "Doing nothing for now" in page
    assert "%" not in re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL).replace("100%", "")


def test_the_card_says_who_signed_its_rules(ada, as_, enquiry):
    person = enquiry()
    Signature.objects.create(item=f"rules {person.assessment['rule_set_version']}", by=ada)

    assert "signed by Ada on" in card(as_(ada), person)


def test_medicines_that_matter_and_those_not_recognised(ada, as_, enquiry):
    page = card(as_(ada), enquiry(medicine_list=["Xanax 1 mg", "<b>blue pill</b>"]))

    assert "typed “Xanax 1 mg”" in page
    assert "“&lt;b&gt;blue pill&lt;/b&gt;”" in page


def test_blanks_leave_a_range_of_signs(ada, as_, enquiry):
    answers = {name: value for name, value in CLEAR.items() if name not in ("pcptsd5_1", "pcptsd5_2", "pcptsd5_3")}

    assert "2 to 5 of 5 signs, cut at 3: not clear, because of blanks" in card(as_(ada), enquiry(answers))


def test_opening_a_card_is_noted(nia, as_, enquiry):
    person = enquiry()

    card(as_(nia), person)

    opened = Event.objects.get(verb="opened")
    assert (opened.actor, opened.subject, opened.detail) == (nia.actor, person.subject, {})


def test_a_call_without_a_next_step_gets_one(nia, as_, enquiry, clinic):
    person = enquiry(PLAN)
    said = {"call-channel": "phone", "call-outcome": "no_answer", "call-note": "", "call-version": person.version}

    as_(nia).post(reverse("log-attempt", args=[person.pk]), said)

    person.refresh_from_db()
    assert person.state == Enquiry.State.TRYING
    assert timedelta(minutes=14) < person.due_at - timezone.now() < timedelta(minutes=18)
    assert person.owner == nia


def test_a_next_step_is_read_by_the_clinics_clock_and_lies_ahead(nia, as_, enquiry):
    person = enquiry()
    said = {"call-channel": "phone", "call-outcome": "call_back", "call-version": person.version}
    tomorrow = (timezone.now() + timedelta(days=1)).astimezone(NEW_YORK).date()
    ahead = said | {"call-next_try_at_0": tomorrow.isoformat(), "call-next_try_at_1": "14:30"}
    past = said | {"call-next_try_at_0": "2001-07-01", "call-next_try_at_1": "14:30"}
    address = reverse("log-attempt", args=[person.pk])

    refused, taken = as_(nia).post(address, past), as_(nia).post(address, ahead)

    assert "Choose a day and an hour that are still ahead" in refused.content.decode()
    assert taken.status_code == 302
    person.refresh_from_db()
    assert person.due_at == datetime.combine(tomorrow, time(14, 30), NEW_YORK)


@pytest.mark.parametrize(
    ("years", "hour", "words"),
    [
        (0, "nine", "Write the hour with two figures each, such as 09:30"),
        (0, "", "Write the hour too, such as 14:30"),
        (2, "14:30", "Choose a day within the next year, and look at the year again"),
    ],
)
def test_a_next_step_that_would_lose_the_person_is_refused(nia, as_, enquiry, years, hour, words):
    person = enquiry()
    day_ahead = date.today() + timedelta(days=2 + 366 * years)
    said = {"call-channel": "phone", "call-outcome": "no_answer", "call-version": person.version}
    said |= {"call-next_try_at_0": day_ahead.isoformat(), "call-next_try_at_1": hour}

    page = as_(nia).post(reverse("log-attempt", args=[person.pk]), said).content.decode()

    assert words in page
    assert not person.attempts.exists()


@pytest.mark.parametrize("hour", ["09:30", "9:30", "9.30", "0930"])
def test_an_hour_may_be_typed_in_several_ways(nia, as_, enquiry, hour):
    person = enquiry()
    said = {"call-channel": "phone", "call-outcome": "call_back", "call-version": person.version}
    said |= {"call-next_try_at_0": (date.today() + timedelta(days=2)).isoformat(), "call-next_try_at_1": hour}

    as_(nia).post(reverse("log-attempt", args=[person.pk]), said)

    assert f"{person.attempts.get().next_try_at.astimezone(NEW_YORK):%H:%M}" == "09:30"


def test_whoever_asked_for_another_time_is_not_logged_without_one(nia, as_, enquiry):
    person = enquiry()
    said = {"call-channel": "phone", "call-outcome": "call_back", "call-version": person.version}

    page = as_(nia).post(reverse("log-attempt", args=[person.pk]), said).content.decode()

    assert "Write the day and the hour that they asked for" in page


def test_the_card_names_what_is_urgent_before_the_answers(nia, as_, enquiry):
    page = as_(nia).get(reverse("card", args=[enquiry(PLAN).pk])).content.decode()

    standing, answers = page.index('id="standing"'), page.index('id="answers"')
    assert standing < page.index("Suicidal thoughts with some intent or a plan") < answers


def test_every_question_on_the_card_says_what_it_is_about(nia, as_, enquiry):
    page = as_(nia).get(reverse("card", args=[enquiry().pk])).content.decode()

    asked = re.findall("<dt>([^<]*)</dt>", page)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("typed", ["{0}", "{1}{2}", "{1} {2}"])
def test_a_reference_is_found_however_it_is_typed(nia, as_, enquiry, typed):
    person = enquiry()
    words = typed.format(person.reference, *person.reference.lower().split("-"))

    found = as_(nia).post(reverse("inbox"), {"find": words})

    assert found.headers["Location"] == reverse("card", args=[person.pk])


def test_what_a_member_who_left_owns_is_nobodys(ada, nia, as_, enquiry):
    person = enquiry()
    person.hand_over(ada, person.version, nia)
    nia.is_active = False
    nia.save()

    assert persons(shown(as_(ada), owner="none")) == ["Robin Sample"]
    assert "has left" in shown(as_(ada))


def test_a_finding_is_ruled_out_with_a_reason_and_stays(ada, as_, enquiry):
    person = enquiry(conditions=["bp_high_or_unknown"])
    said = {"criterion": "CV-04", "out-CV-04-reason": "122/78 today.", "out-CV-04-version": person.version}
    browser = as_(ada)

    browser.post(reverse("rule-out", args=[person.pk]), said)

    page = card(browser, person)
    assert "Ruled out by Ada" in page
    assert "122/78 today." in page
    assert "Review first. A clinician looks at the findings below" in page
    assert "After the findings that were ruled out:" in page
    person.refresh_from_db()
    assert person.assessment["disposition"] == "exclude_until_reviewed"


@pytest.mark.parametrize(
    ("criterion", "reason"), [("URG-01", "Fine."), ("PSY-99", "Fine."), ("", "Fine."), ("CV-04", "")]
)
def test_what_cannot_be_ruled_out(ada, as_, enquiry, criterion, reason):
    person = enquiry(PLAN, conditions=["bp_high_or_unknown"])
    said = {"criterion": criterion, f"out-{criterion}-reason": reason, f"out-{criterion}-version": person.version}

    answer = as_(ada).post(reverse("rule-out", args=[person.pk]), said)

    assert answer.status_code == 200
    assert "<title>Error:" in answer.content.decode()
    assert not person.reviews.exists()


def test_a_coordinator_notes_only_that_the_person_declined(cleo, as_, enquiry):
    person = enquiry()
    said = {"decide-decision": "consult", "decide-words": "Come in.", "decide-version": person.version}
    address = reverse("decide", args=[person.pk])

    refused = as_(cleo).post(address, said)
    person.refresh_from_db()
    assert (refused.status_code, person.decision) == (200, "")

    as_(cleo).post(address, said | {"decide-decision": "declined"})
    person.refresh_from_db()
    assert person.decision == Enquiry.Decision.DECLINED


def test_the_timeline_tells_the_whole_story_newest_first(ada, nia, as_, enquiry):
    person = enquiry()
    person.log_attempt(nia, person.version, "phone", Attempt.Outcome.NO_ANSWER, "Rang out.")
    person.hand_over(nia, person.version, ada)
    person.refer(ada, person.version, "Riverside", date(2026, 12, 7))
    person.decide(ada, person.version, "referred", "Riverside will call you.", timezone.now())
    person.reopen(ada, person.version, timezone.now() + timedelta(days=1))

    page = card(as_(ada), person)
    story = re.findall(r"<li><b>(.*?)</b>", page[page.index('id="timeline"') :])

    assert story[:6] == [
        "Reopened",
        "Decided",
        "Referred elsewhere",
        "Handed over",
        "Phone: No answer",
        "Sent the form",
    ]


def test_an_erased_enquiry_shows_its_times_and_nothing_else(ada, as_, enquiry):
    person = enquiry(PLAN, name="Alex Gone")
    person.erase(ada, timezone.now())

    page = card(as_(ada), person)

    assert "This record is erased." in page
    assert "Nobody has called yet" not in page  # nobody can say that any more
    assert "Alex" not in page
    assert "plan" not in page.lower().replace("explan", "")


def test_an_age_and_a_day_are_written_one_way():
    assert span(timedelta(minutes=12)) == "12 min"
    assert day(NOW, BERLIN) == "Mon 23 Nov 2026"


def test_after_reopening_the_words_that_the_person_read_stay_on_the_card(ada, as_, enquiry):
    person = enquiry()
    person.decide(ada, person.version, "not_now", "Please see your doctor first.", timezone.now())
    person.reopen(ada, person.version, timezone.now() + timedelta(days=1))

    page = as_(ada).get(reverse("card", args=[person.pk])).content.decode()

    assert "Before that, the person read:" in page
    assert "Please see your doctor first." in page
    assert "It had been decided: Not now" in page


def test_a_referral_is_not_followed_up_on_a_day_that_has_passed(nia, as_, enquiry):
    person = enquiry()
    said = {"refer-to": "Riverside", "refer-follow_up_on": "2020-01-01", "refer-version": person.version}

    page = as_(nia).post(reverse("refer", args=[person.pk]), said).content.decode()

    assert "Choose a day from today on" in page
    assert not person.referrals.exists()


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([], Enquiry.State.WAITING),
        (["no_answer"], Enquiry.State.TRYING),
        (["call_back"], Enquiry.State.REACHED),
        (["reached", "no_answer"], Enquiry.State.REACHED),
    ],
)
def test_a_reopened_enquiry_stands_where_its_calls_left_it(ada, enquiry, outcomes, state):
    person = enquiry()
    for outcome in outcomes:
        person.log_attempt(ada, person.version, "phone", outcome)
    assert person.state == state
    person.decide(ada, person.version, "not_now", "Not now.", timezone.now())

    person.reopen(ada, person.version, timezone.now() + timedelta(days=1))

    assert Enquiry.objects.get(pk=person.pk).state == state
