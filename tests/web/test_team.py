"""The team's own pages: promises counted, notices that wait, members, settings, the checklist, privacy."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from reprieve.candidacy import RULE_SET_VERSION
from reprieve.web import charts
from reprieve.web.models import Attempt, Clinic, Enquiry, Event, Invitation, Member, Notice, Role, Signature
from reprieve.web.promises import Week
from tests.web.conftest import PLAN

WEEKS = [Week(date(2026, 11, 16), 8, 1, 1, 0), Week(date(2026, 11, 23), 3, 0, 0, 2)]


def text(browser, name, **kwargs) -> str:
    return browser.get(reverse(name, kwargs=kwargs)).content.decode()


def test_promises_are_counted_by_week_and_a_call_nobody_made_is_missed(nia, as_, enquiry):
    now = timezone.now()
    met, late, never = (
        enquiry(PLAN),
        enquiry(PLAN, at=now - timedelta(hours=1)),
        enquiry(PLAN, at=now - timedelta(hours=1)),
    )
    enquiry(PLAN)
    enquiry().stop_contact(now)
    for one in (met, late):
        one.log_attempt(nia, one.version, "phone", Attempt.Outcome.NO_ANSWER)

    page = text(as_(nia), "promises")

    assert "1 of 3 promised calls were made in time; 1 is still open." in page
    numbers = [int(number) for number in re.findall(r'<td class="number">(\d+)', page)]
    assert [sum(numbers[column::4]) for column in range(4)] == [1, 2, 1, 1]
    assert never.kept is False


@pytest.mark.parametrize("look", charts.LOOKS)
@pytest.mark.parametrize("width", [328, 620])
def test_the_chart_is_one_file_without_script_or_style(width, look):
    drawn = charts.promises(WEEKS, width, look)

    assert drawn.startswith("<svg")
    assert int(re.search(r'width="(\d+)', drawn)[1]) <= width + 24
    assert not re.search(r"<script|<style|style=|on\w+=|href=", drawn)
    assert charts.LOOKS[look].series[0] in drawn
    assert "Late or not made" in drawn


def test_only_the_drawn_sizes_exist(nia, as_):
    browser = as_(nia)

    assert browser.get("/team/promises/328-dark.svg").headers["Content-Type"] == "image/svg+xml"
    assert browser.get("/team/promises/9999-dark.svg").status_code == 404
    assert browser.get("/team/promises/328-pink.svg").status_code == 404


def test_notices_that_wait_are_shown_and_those_given_up_are_tried_again(nia, as_, enquiry):
    person = enquiry()
    Notice.objects.create(
        enquiry=person, member=nia, kind="new", channel="email", tries=3, problem="ConnectionRefusedError"
    )
    gone = Notice.objects.create(enquiry=person, member=nia, kind="late", channel="apprise", tries=12, state="given_up")
    browser = as_(nia)

    page = text(browser, "notices")
    assert "Notices: 2 not delivered" in page
    assert "3, last failure ConnectionRefusedError" in page
    assert "Robin" not in page

    browser.post(reverse("notices"))
    gone.refresh_from_db()
    assert (gone.state, gone.tries) == (Notice.State.WAITING, 0)


def test_mail_that_is_only_printed_is_not_called_delivered(nia, as_, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    page = as_(nia).get(reverse("notices")).content.decode()

    assert "No mail server is set" in page
    assert "Every notice was delivered" not in page


def test_an_invitation_is_shown_once_and_kept_only_as_a_hash(ada, as_):
    browser = as_(ada)

    page = browser.post(reverse("members"), {"role": "nurse"}).content.decode()

    link = re.search(r'value="(http[^"]+/team/join/([^/"]+)/)"', page)
    assert Invitation.open(link[2]).role == Role.NURSE
    assert link[2] not in text(browser, "members")
    assert not Invitation.objects.filter(token_hash=link[2]).exists()
    assert Event.objects.get(verb="invited").detail == {"role": "nurse", "manages": False}


def test_only_a_manager_invites(nia, as_):
    assert as_(nia).post(reverse("members"), {"role": "nurse"}).status_code == 403
    assert not Invitation.objects.exists()


MEMBER = {"name": "Nia", "role": "nurse", "call_order": "2", "notice_url": "", "is_active": "on"}


@pytest.mark.filterwarnings("ignore:.imghdr.:DeprecationWarning")  # of the notices library
def test_a_manager_changes_a_member(ada, nia, as_):
    address = "json://pager.example/nia"

    as_(ada).post(reverse("member", args=[nia.pk]), MEMBER | {"role": "coordinator", "notice_url": address})

    nia.refresh_from_db()
    assert (nia.role, nia.notice_url) == (Role.COORDINATOR, address)
    rights = {"role": "coordinator", "manages": False, "may_log_in": True}
    assert Event.objects.get(verb="changed a member").detail == {"fields": ["notice_url", "role"]} | rights


@pytest.mark.filterwarnings("ignore:.imghdr.:DeprecationWarning")
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("notice_url", "not an address", "This is not an address that can take notices."),
        ("call_order", "first", "Write a whole number from 1"),
        ("call_order", "0", "Write 1 or more"),
        ("name", "", "Write the member&#x27;s name"),
    ],
)
def test_what_is_wrong_with_a_member_is_said(ada, nia, as_, field, value, words):
    page = as_(ada).post(reverse("member", args=[nia.pk]), MEMBER | {field: value}).content.decode()

    assert words in page


def test_a_member_who_leaves_owning_enquiries_is_said_so(ada, nia, as_, enquiry):
    person = enquiry()
    person.hand_over(ada, person.version, nia)

    page = as_(ada).post(reverse("member", args=[nia.pk]), MEMBER | {"is_active": ""}, follow=True).content.decode()

    assert "still owns 1 open enquiry" in page


def test_the_last_manager_stays(ada, as_):
    page = (
        as_(ada).post(reverse("member", args=[ada.pk]), MEMBER | {"name": "Ada", "role": "prescriber"}).content.decode()
    )

    assert "Somebody must manage the clinic." in page
    ada.refresh_from_db()
    assert ada.manages


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
CLINIC = {
    "name": "Harbour Clinic",
    "phone": "555-0100",
    "country": "US",
    "region": "US-CT",
    "time_zone": "America/New_York",
    "urgent_minutes": "15",
    "same_day_minutes": "120",
    "routine_days": "2",
    "keep_closed_days": "2555",
    "leave_url": "https://www.weather.gov/",
    "closures": "2026-12-25\n2026-11-26\n",
    "night_phone": "555-0199, the doctor on call",
    "costs": "400 dollars a visit, paid by the person",
    "quiet_from": "20:00",
    "quiet_until": "9",
    "text_url": "json://texts.example/{to}",
    **{f"{day}_opens": "08:30" for day in WEEKDAYS},
    **{f"{day}_closes": "17:00" for day in WEEKDAYS},
}


def test_the_clinics_settings_are_kept(ada, as_):
    saved = as_(ada).post(reverse("clinic"), CLINIC)

    clinic = Clinic.objects.get()
    assert saved.status_code == 302
    assert clinic.opening_hours == [["08:30", "17:00"]] * 5 + [None, None]
    assert clinic.closures == ["2026-11-26", "2026-12-25"]
    assert (clinic.quiet_from, clinic.quiet_until) == (time(20), time(9))
    assert (clinic.night_phone, clinic.costs) == (CLINIC["night_phone"], CLINIC["costs"])
    assert clinic.text_url == "json://texts.example/{to}"
    assert clinic.is_staffed(datetime(2026, 11, 23, 13, 30, tzinfo=UTC))
    assert not clinic.is_staffed(datetime(2026, 11, 26, 13, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"monday_closes": ""}, "Monday: write both hours, or leave both blank"),
        ({"monday_closes": "08:30"}, "Monday must close later than it opens"),
        ({"monday_opens": "half past"}, "Monday opens: write an hour such as 09:00"),
        (
            dict.fromkeys([f"{day}_{part}" for day in WEEKDAYS for part in ("opens", "closes")], ""),
            "Open at least one day",
        ),
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus is not a time zone"),
        ({"region": "GB-SCT"}, "GB-SCT is not a region of that country"),
        ({"closures": "Christmas"}, "Christmas is not a day"),
        ({"leave_url": "http://insecure.example/"}, "Write an address that starts with https://"),
        ({"urgent_minutes": "0"}, "write a whole number from 1 to 240"),
        ({"routine_days": "soon"}, "write a whole number from 1 to 30"),
        ({"quiet_from": "late"}, "No message from: write an hour such as 20:00"),
        ({"quiet_until": ""}, "No message until: write an hour such as 20:00"),
        ({"text_url": "json://texts.example/"}, "Write {to} where the number goes"),
        ({"text_url": "nothing://{to}"}, "This is not an address that can send texts"),
        ({"name": ""}, "Write the clinic&#x27;s name"),
        ({"country": "XX"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_and_nothing_saved(ada, as_, clinic, change, words):
    before = Clinic.objects.values().get()

    answer = as_(ada).post(reverse("clinic"), CLINIC | change)

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert Clinic.objects.values().get() == before


def test_each_help_line_is_checked_by_name_and_day(ada, as_):
    browser = as_(ada)
    page = text(browser, "checklist")
    assert page.index("From memory") < page.index("Not checked")
    item = re.search(r'name="item" value="(crisis US 988[^"]*988)"', page)[1].replace("&amp;", "&")

    browser.post(reverse("checklist"), {"item": item})

    assert Signature.objects.get().item == item
    assert re.search(r"Checked</span>\s+Ada, \w{3} \d+ \w{3} \d{4}", text(browser, "checklist"))


@pytest.mark.parametrize("who", ["nia", "pia"])
def test_only_who_may_signs(who, request, as_):
    browser = as_(request.getfixturevalue(who))

    assert browser.post(reverse("checklist"), {"item": f"rules {RULE_SET_VERSION}"}).status_code == 403
    assert browser.post(reverse("checklist"), {"item": "anything"}).status_code == 403
    assert not Signature.objects.exists()


def test_a_prescriber_signs_the_rules_and_the_card_says_so(ada, as_, enquiry):
    browser, person = as_(ada), enquiry()

    browser.post(reverse("checklist"), {"item": f"rules {RULE_SET_VERSION}"})

    assert "signed by Ada on" in text(browser, "card", pk=person.pk)


def test_a_test_mail_goes_to_who_asks(ada, as_):
    as_(ada).post(reverse("checklist"), {"item": "mail"})

    assert [message.to for message in mail.outbox] == [["ada@clinic.example"]]


def test_a_test_mail_that_fails_says_how(ada, as_, settings):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend",
        "127.0.0.1",
        9,
    )
    page = as_(ada).post(reverse("checklist"), {"item": "mail"}, follow=True).content.decode()

    assert "The mail was not sent (ConnectionRefusedError)" in page
    assert not Signature.objects.exists()


def story(enquiry, ada: Member, nia: Member) -> Enquiry:
    person = enquiry(PLAN, name="Alex Whole", conditions=["bp_high_or_unknown"])
    person.log_attempt(nia, person.version, "phone", Attempt.Outcome.REACHED, "Spoke for ten minutes.")
    person.rule_out(ada, person.version, "CV-04", "122/78 today.")
    person.refer(ada, person.version, "Riverside", date(2026, 12, 7))
    person.decide(ada, person.version, "referred", "Riverside will call you.", timezone.now())
    Notice.objects.create(enquiry=person, member=nia, kind="new", channel="email")
    return person


def test_a_copy_holds_everything_and_is_noted(ada, nia, pia, as_, enquiry):
    person = story(enquiry, ada, nia)

    answer = as_(pia).get(reverse("export", args=[person.pk]))

    copy = json.loads(answer.content)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{person.reference}.json"'
    assert copy["contact"]["name"] == "Alex Whole"
    assert copy["answers"]["suicidal_thoughts_month"] == "plan"
    assert copy["assessment"]["findings"][0]["criterion_id"] == "URG-01"
    assert copy["calls"][0]["note"] == "Spoke for ten minutes."
    assert copy["reviews"][0]["reason"] == "122/78 today."
    assert copy["referrals"][0]["to"] == "Riverside"
    assert copy["decision_words"] == "Riverside will call you."
    assert [event["what"] for event in copy["events"]][-1] == "exported"
    assert copy["notices"][0]["to"] == "Nia"
    assert {"agreed_at", "erasure_asked_at"} <= copy.keys()
    assert ["I made a plan and meant to do it"] in copy["answers_in_words"].values()
    assert {event["by"] for event in copy["events"]} <= {"The person", "The system", "Ada", "Nia", "Pia"}


def test_a_wish_to_be_erased_is_kept_with_a_reason_or_granted(ada, nia, pia, as_, enquiry):
    kept, erased = story(enquiry, ada, nia), story(enquiry, ada, nia)
    for one in (kept, erased):
        one.ask_for_erasure(timezone.now())
    browser = as_(pia)
    assert "Erasures: 2 asked" in text(browser, "erasures")

    reason = "Connecticut asks us to keep it for seven years."
    browser.post(reverse("erase", args=[kept.pk]), {"do": "keep", "reason": reason, "version": kept.version})
    browser.post(reverse("erase", args=[erased.pk]), {"do": "erase", "version": erased.version})

    kept.refresh_from_db()
    erased.refresh_from_db()
    assert (kept.kept_because, kept.erasure_asked_at, kept.name) == (reason, None, "Alex Whole")
    assert (erased.state, erased.contact, erased.answers, erased.decision_words) == ("erased", {}, {}, None)
    assert "Erasures: 0 asked" in text(browser, "erasures")


def test_erasing_an_old_version_is_refused(ada, nia, pia, as_, enquiry):
    person = story(enquiry, ada, nia)

    answer = as_(pia).post(reverse("erase", args=[person.pk]), {"do": "erase", "version": person.version - 1})

    person.refresh_from_db()
    assert answer.status_code == 409
    assert person.name == "Alex Whole"


def test_whoever_erases_an_open_enquiry_is_told_that_the_person_waits(nia, pia, as_, enquiry):
    waiting, closed = enquiry(), enquiry()
    closed.stop_contact(timezone.now())

    pages = [as_(pia).get(reverse("erase", args=[one.pk])).content.decode() for one in (waiting, closed)]

    assert ["still waits for a call" in page for page in pages] == [True, False]


def test_the_audit_trail_is_filtered_and_holds_no_health_content(ada, nia, pia, as_, enquiry):
    person, other = story(enquiry, ada, nia), enquiry(name="Kim Else")
    browser = as_(pia)

    everything = text(browser, "audit")
    one = browser.get(reverse("audit"), {"subject": person.reference.lower(), "actor": ada.actor}).content.decode()

    assert re.findall(r'data-label="Did"><span>(.*?)<', one) == ["decided", "referred", "ruled out a finding"]
    assert f'<span>{other.subject}, <span class="nowrap">{other.reference}</span></span>' in everything
    for told in ("Alex", "Kim Else", "plan", "122/78", "Riverside", "Spoke for"):
        assert told not in everything


def test_a_privacy_lead_finds_a_record_without_seeing_answers(ada, nia, pia, as_, enquiry):
    person = story(enquiry, ada, nia)

    page = as_(pia).post(reverse("erasures"), {"find": "alex  WHOLE"}).content.decode()

    assert person.reference in page
    assert "Suicidal" not in page
