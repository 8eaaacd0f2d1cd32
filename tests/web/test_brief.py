"""The brief form from the first page to the reference, and everything that can go wrong on the way."""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from reprieve.candidacy import BRIEF
from reprieve.web.deadlines import Urgency
from reprieve.web.forms import PAGES
from reprieve.web.models import Clinic, Draft, Enquiry, Hit
from reprieve.web.models.enquiry import sha256
from tests.web.conftest import CLEAR

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
POSTS: dict[str, dict[str, Any]] = {
    "country_region": {"country": "US", "region": "US-CT"},
    "birth_date": {"birth_date_0": "1", "birth_date_1": "3", "birth_date_2": "1986"},
    "pcptsd5": {f"pcptsd5_{number}": "yes" for number in range(1, 6)},
    "contact_details": CLEAR["contact_details"],
}


def typed(page: str) -> dict[str, Any]:
    """What the person of CLEAR types on a page."""
    return POSTS[page] if page in POSTS else {page: CLEAR[page]}


def start(browser: Client) -> str:
    """Start a form four minutes ago, and return the device's token."""
    browser.post("/form/")
    token = browser.cookies["form"].value
    Draft.objects.filter(key=sha256(token)).update(started_at=timezone.now() - timedelta(minutes=4))
    return token


def fill_in(browser: Client, **instead: Any) -> str:
    """Answer every page of the form, and return the token."""
    token = start(browser)
    for page in PAGES:
        answer = browser.post(f"/form/{page}/", instead.get(page, typed(page)))
        assert answer.status_code == 302, (page, answer.context["form"].errors)
    return token


def saved(token: str) -> dict[str, Any]:
    """What the draft holds."""
    draft = Draft.held_by(token)
    assert draft is not None
    return draft.answers


def test_the_whole_way(bo: Client) -> None:
    token = fill_in(bo)

    assert saved(token) == CLEAR | {"contact_details": saved(token)["contact_details"]}
    answer = bo.post("/form/check/")
    assert answer.url == "/form/received/"
    enquiry = Enquiry.objects.get()
    assert enquiry.contact["phone_e164"] == "+12035550142"
    assert enquiry.reference in bo.get("/form/received/").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens(bo: Client, page: str) -> None:
    start(bo)

    answer = bo.get(f"/form/{page}/")

    assert answer.status_code == 200
    assert PAGES[page].progress in answer.content.decode()


# Start


def test_start_says_who_asks_by_when_we_call_and_that_somebody_is_here(bo: Client, clinic: Clinic) -> None:
    page = bo.get("/form/").content.decode()

    assert "Harbour Clinic asks you 20 short questions" in page
    assert "Somebody from our team is on duty now." in page
    assert "not for an emergency" in page
    assert clinic.call_due(timezone.now(), Urgency.ROUTINE).astimezone(clinic.zone).strftime("%A") in page


@pytest.mark.parametrize("path", ["/form/", "/form/urgent_now/", "/form/check/"])
def test_when_nobody_is_on_duty_the_page_says_so_and_who_is(bo: Client, clinic: Clinic, path: str) -> None:
    start(bo)
    clinic.opening_hours = [None] * 7
    tomorrow = (timezone.now().astimezone(clinic.zone) + timedelta(days=1)).weekday()
    clinic.opening_hours[tomorrow] = ["09:00", "17:00"]
    clinic.save()

    page = bo.get(path).content.decode()

    assert "Nobody from our team is here right now" in page
    assert "Call or text 988" in page


def test_the_device_keeps_only_a_token_that_scripts_cannot_read(bo: Client) -> None:
    token = start(bo)

    cookie = bo.cookies["form"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == 7 * 86_400
    assert not Draft.objects.filter(key=token).exists()


def test_a_form_that_was_left_is_carried_on_where_it_stopped(bo: Client) -> None:
    token = start(bo)
    Draft.save_answers(token, {name: CLEAR[name] for name in ("country_region", "birth_date", "urgent_now")})

    page = bo.get("/form/").content.decode()

    assert "Carry on where you stopped" in page
    assert 'href="/form/suicidal_thoughts_month/"' in page


def test_starting_again_gives_a_blank_form(bo: Client) -> None:
    first = start(bo)

    second = start(bo)

    assert Draft.held_by(first) is None
    assert saved(second) == {}


def test_without_a_form_on_this_device_a_page_leads_to_the_start(bo: Client) -> None:
    answer = bo.get("/form/conditions/", follow=True)

    assert answer.redirect_chain == [("/form/?stopped=1", 302)]
    assert "We could not find your form on this device" in answer.content.decode()


def test_an_expired_form_says_so_calmly(bo: Client) -> None:
    token = start(bo)
    Draft.objects.filter(key=sha256(token)).update(updated_at=timezone.now() - timedelta(days=8))

    for answer in (bo.get("/form/conditions/"), bo.post("/form/conditions/", {}), bo.post("/form/check/")):
        assert answer.status_code == 410
        assert "This form was open for more than 7 days" in answer.content.decode()


def test_a_page_that_is_no_question_is_not_found(bo: Client) -> None:
    start(bo)

    assert bo.get("/form/phq9/").status_code == 404
    assert bo.get("/form/pcptsd5_3/").url == "/form/pcptsd5/"


# Blanks


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("contact_details", "pcptsd5")])
def test_a_blank_is_asked_about_once_and_then_stays_a_blank(bo: Client, page: str) -> None:
    token = start(bo)

    first = bo.post(f"/form/{page}/", {})
    asked = first.context["form"].asked_about
    second = bo.post(f"/form/{page}/", {"asked": asked, "shown": first.context["shown"]})

    assert "You left this blank." in first.content.decode()
    assert second.status_code == 302
    assert saved(token) == {}


def test_five_signs_may_all_stay_blank(bo: Client) -> None:
    token = start(bo)

    first = bo.post("/form/pcptsd5/", {"pcptsd5_2": "no"})
    second = bo.post("/form/pcptsd5/", {"pcptsd5_2": "no", "asked": first.context["form"].asked_about})

    assert second.url == "/form/conditions/"
    assert saved(token) == {"pcptsd5_2": "no"}


def test_an_answer_can_be_taken_back(bo: Client) -> None:
    token = fill_in(bo)

    bo.post("/form/conditions/", {"asked": "conditions"})

    assert "conditions" not in saved(token)


def test_no_trauma_skips_the_five_signs_and_forgets_them(bo: Client) -> None:
    token = fill_in(bo)

    answer = bo.post("/form/trauma_exposure/", {"trauma_exposure": "no"})

    assert answer.url == "/form/conditions/"
    assert not any(name.startswith("pcptsd5") for name in saved(token))
    assert "Questions 7 to 11" not in bo.get("/form/check/").content.decode()


def test_a_changed_mind_about_trauma_leads_from_the_check_page_to_the_signs_and_back(bo: Client) -> None:
    fill_in(bo)
    bo.post("/form/trauma_exposure/", {"trauma_exposure": "no"})

    to_signs = bo.post("/form/trauma_exposure/?from=check", {"trauma_exposure": "yes"})
    back = bo.post(to_signs.url, typed("pcptsd5"))

    assert to_signs.url == "/form/pcptsd5/?from=check"
    assert back.url == "/form/check/"


def test_none_of_these_beside_another_answer_is_asked_about_once_and_kept_as_it_is(bo: Client) -> None:
    token = start(bo)
    both = {"conditions": ["diabetes", "none"]}

    first = bo.post("/form/conditions/", both)
    bo.post("/form/conditions/", both | {"asked": first.context["form"].asked_about})

    assert "something else" in first.content.decode()
    assert saved(token)["conditions"] == ["diabetes", "none"]


# What is typed


@pytest.mark.parametrize(
    ("day", "month", "year", "words"),
    [
        ("1", "3", "86", "Write the year with four figures, such as 1984"),
        ("31", "2", "1986", "There is no such day"),
        ("0", "0", "0000", "There is no such day"),
        ("1", "", "1986", "Write the month too"),
        ("", "", "1986", "Write the day and the month too"),
        ("one", "3", "1986", "Write the date in figures"),
        ("1", "3", "2999", "This day has not come yet"),
        ("1", "3", "1850", "Check the year"),
        ("١", "3", "1986", "Write the date in figures"),
    ],
)
def test_a_birthday_that_cannot_be(bo: Client, day: str, month: str, year: str, words: str) -> None:
    token = start(bo)

    answer = bo.post("/form/birth_date/", {"birth_date_0": day, "birth_date_1": month, "birth_date_2": year})

    assert words in answer.content.decode()
    assert "<title>Error: " in answer.content.decode()
    assert f'value="{year}"' in answer.content.decode()
    assert saved(token) == {}


@pytest.mark.parametrize(("years", "young"), [(18, False), (17, True)])
def test_under_18_gets_help_and_may_still_send(bo: Client, clinic: Clinic, years: int, young: bool) -> None:
    start(bo)
    today = timezone.now().astimezone(clinic.zone).date()
    born = {
        "birth_date_0": str(min(today.day, 28)),
        "birth_date_1": str(today.month),
        "birth_date_2": str(today.year - years),
    }

    answer = bo.post("/form/birth_date/", born)

    assert answer.url == ("/form/birth_date/#aside" if young else "/form/urgent_now/")
    if young:
        page = bo.get("/form/birth_date/").content.decode()
        assert "We treat adults only" in page
        assert 'href="/form/urgent_now/"' in page
        assert bo.post("/form/birth_date/", born | {"shown": "young"}).url == "/form/urgent_now/"


def test_a_country_that_the_clinic_does_not_serve(bo: Client) -> None:
    token = start(bo)
    Draft.save_answers(token, CLEAR)

    answer = bo.post("/form/country_region/", {"country": "GB", "region": "GB-SCT"})
    page = bo.get("/form/country_region/").content.decode()

    assert answer.url == "/form/country_region/#aside"
    assert "We can only call people in the United States" in page
    assert "116 123" in page
    assert bo.post("/form/check/").url == "/form/country_region/?from=check#aside"
    assert saved(token)["conditions"] == ["none"]
    assert Enquiry.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "saved_as"),
    [
        ({"country": "US", "region": "US-CT"}, "US-CT"),
        ({"country": "", "region": "US-CT"}, "US-CT"),
        ({"country": "US", "region": "", "asked": "region"}, "US"),
    ],
)
def test_a_place(bo: Client, typed: dict[str, str], saved_as: str) -> None:
    token = start(bo)

    bo.post("/form/country_region/", typed)

    assert saved(token) == {"country_region": saved_as}


def test_a_region_of_another_country_is_asked_about(bo: Client) -> None:
    start(bo)

    answer = bo.post("/form/country_region/", {"country": "US", "region": "CA-ON"})

    assert "This is not in the United States" in answer.content.decode()


def test_the_clinics_country_comes_first(bo: Client) -> None:
    start(bo)

    codes = [code for code, _ in bo.get("/form/country_region/").context["form"].fields["country"].choices]

    assert codes[:2] == ["", "US"]
    assert len(codes) == len(set(codes)) == 250


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": ""}, "Write your name, or any name we may use"),
        ({"phone": "", "email": ""}, "Give a phone number or an email address"),
        ({"phone": "call me"}, "Check the phone number"),
        ({"phone": "12"}, "This does not look like a full phone number"),
        ({"email": "robin at home"}, "Check the email address"),
        ({"name": "n" * 81}, "Use at most 80 letters"),
        ({"phone": "1" * 41}, "Use at most 40 letters"),
        ({"email": "e" * 250 + "@example.com"}, "Use at most 254 letters"),
        ({"safe_to_leave_message": "perhaps"}, "Choose yes or no"),
    ],
)
def test_contact_details_that_need_a_look(bo: Client, typed: dict[str, str], words: str) -> None:
    token = start(bo)

    answer = bo.post("/form/contact_details/", CLEAR["contact_details"] | typed)

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert saved(token) == {}


def test_an_odd_phone_number_is_asked_about_once_and_kept_as_typed(bo: Client) -> None:
    token = start(bo)
    contact = {"name": "Robin", "phone": "555-0100"}

    first = bo.post("/form/contact_details/", contact)
    bo.post("/form/contact_details/", contact | {"asked": first.context["form"].asked_about})

    assert saved(token)["contact_details"]["phone"] == "555-0100"


@pytest.mark.parametrize("name", ["Ro🌻bin", "Ελένη Παπαδοπούλου", "محمد", "李小龍", "O’Neil-Ångström", "👩‍🚀"])
def test_names_are_kept_exactly(bo: Client, name: str) -> None:
    token = start(bo)

    bo.post("/form/contact_details/", {"name": name, "email": "robin@example.com"})

    assert saved(token)["contact_details"] == {"name": name, "email": "robin@example.com"}


def test_control_and_direction_characters_are_dropped(bo: Client) -> None:
    token = start(bo)

    bo.post("/form/contact_details/", {"name": "Ro\x00b\u202ein\u2066\x07\r\n S", "email": "robin@example.com"})

    assert saved(token)["contact_details"]["name"] == "Robin  S"


def test_somebody_who_wants_no_call_may_leave_the_contact_page_blank(bo: Client) -> None:
    token = start(bo)
    Draft.save_answers(token, {"wants_contact": "no"})

    assert bo.post("/form/contact_details/", {}).url == "/form/check/"
    assert bo.post("/form/check/").url == "/form/received/"


def test_an_option_that_does_not_exist_is_refused(bo: Client) -> None:
    token = start(bo)

    single = bo.post("/form/trauma_exposure/", {"trauma_exposure": "maybe"})
    several = bo.post("/form/conditions/", {"conditions": ["none", "\x00", "' OR 1=1"]})

    assert "Choose yes, no or rather not say" in single.content.decode()
    assert "Choose from the answers below" in several.content.decode()
    assert saved(token) == {}


def test_keys_that_are_no_question_of_the_page_are_not_kept(bo: Client) -> None:
    token = start(bo)

    bo.post("/form/trauma_exposure/", {"trauma_exposure": "yes", "conditions": "none", "age_years": "40", "x": "y"})

    assert saved(token) == {"trauma_exposure": "yes"}


def test_medicines_are_kept_line_by_line_as_typed(bo: Client) -> None:
    token = start(bo)
    lines = {"medicines": ["antidepressant"], "medicine_1": "Sertraline 50mg ", "medicine_3": "zoloft?"}

    bo.post("/form/medicines/", lines)

    assert saved(token) == {"medicines": ["antidepressant"], "medicine_list": ["Sertraline 50mg", "zoloft?"]}


def test_another_medicine_without_script(bo: Client) -> None:
    token = start(bo)

    page = bo.post("/form/medicines/", {"medicines": ["other"], "medicine_3": "lithium", "add": "1"})

    assert [part.field.name for part in page.context["form"].medicine_boxes][-1] == "medicine_4"
    assert 'value="lithium"' in page.content.decode()
    assert saved(token) == {}


def test_at_most_twenty_medicines(bo: Client) -> None:
    token = start(bo)
    many = {f"medicine_{number}": f"drug {number}" for number in range(1, 90)}

    bo.post("/form/medicines/", {"medicines": "other"} | many)

    assert len(saved(token)["medicine_list"]) == 20


# Help at once


@pytest.mark.parametrize(
    ("page", "answer", "kind", "first"),
    [
        ("urgent_now", ["chest_or_stroke"], "emergency", "Call 911"),
        ("urgent_now", ["withdrawal"], "emergency", "Call 911"),
        ("urgent_now", ["voices_harm"], "distress", "Call or text 988"),
        ("urgent_now", ["harm_others"], "distress", "Call or text 988"),
        ("urgent_now", ["danger_from_others"], "unsafe", "Call 911"),
        ("urgent_now", ["prefer_not_to_say"], "quiet", "Call or text 988"),
        *(
            ("suicidal_thoughts_month", said, "distress", "Call or text 988")
            for said in ("wish_dead", "thoughts", "method", "intent", "plan")
        ),
        ("suicidal_thoughts_month", "prefer_not_to_say", "quiet", "Call or text 988"),
        ("suicidal_behaviour", "over_3_months", "distress", "Call or text 988"),
        ("suicidal_behaviour", "past_3_months", "distress", "Call or text 988"),
        ("suicidal_behaviour", "prefer_not_to_say", "quiet", "Call or text 988"),
    ],
)
def test_help_stands_on_the_page_itself_before_going_on(
    bo: Client, page: str, answer: Any, kind: str, first: str
) -> None:
    token = start(bo)

    saved_it = bo.post(f"/form/{page}/", {page: answer})
    shown = bo.get(f"/form/{page}/")
    words = shown.content.decode()
    panel = words[words.index('id="aside"') :]

    assert saved_it.url == f"/form/{page}/#aside"
    assert saved(token) == {page: answer}
    assert first in panel[: panel.index("</p>")]
    assert "Continue the form when you are ready" in panel
    assert bo.post(f"/form/{page}/", {page: answer, "shown": kind}).url == shown.context["next_url"]


def test_a_graver_answer_shows_its_own_help(bo: Client) -> None:
    start(bo)

    answer = bo.post("/form/suicidal_thoughts_month/", {"suicidal_thoughts_month": "plan", "shown": "quiet"})

    assert answer.url == "/form/suicidal_thoughts_month/#aside"


def test_a_blank_safety_answer_shows_the_quiet_panel(bo: Client) -> None:
    start(bo)

    page = bo.post("/form/suicidal_behaviour/", {}).content.decode()

    assert "Help is here if you want it" in page


def test_the_line_on_top_follows_the_persons_country(bo: Client) -> None:
    token = start(bo)
    Draft.save_answers(token, {"country_region": "GB-SCT"})

    assert "Call 116 123" in bo.get("/form/birth_date/").content.decode().split("</header>")[0]


# Words


def test_no_rule_id_and_no_note_for_the_team_reaches_the_person(bo: Client, clinic: Clinic) -> None:
    start(bo)

    pages = [bo.get(f"/form/{page}/").content.decode() for page in PAGES]

    for page in pages:
        assert not re.search(r"\b(SOC|URG|PSY|DDI|CV)-\d|\.csv|C-SSRS|PC-PTSD|\[The clinic", page)


def test_the_privacy_promise_stands_only_once_the_clinic_has_checked_it(bo: Client, clinic: Clinic) -> None:
    start(bo)

    before = bo.get("/form/substances/").content.decode()
    clinic.privacy_promise_checked = True
    clinic.save()
    after = bo.get("/form/substances/").content.decode()

    assert "police" not in before
    assert "We do not share it with police or your job." in after


def test_the_check_page_shows_every_answer_a_blank_too(bo: Client) -> None:
    token = fill_in(bo)
    Draft.save_answers(token, {"conditions": None, "medicine_list": ["zoloft"]})

    page = bo.get("/form/check/").content.decode()

    assert page.count('class="change"') == len(BRIEF)
    assert page.count("Not answered") == 1
    assert "1 March 1986" in page
    assert "United States, Connecticut" in page
    assert "zoloft" in page
    assert "/form/conditions/?from=check" in page


# Sending


def test_sending_twice_is_one_enquiry(bo: Client) -> None:
    fill_in(bo)

    first, second = bo.post("/form/check/"), bo.post("/form/check/")

    assert (first.url, second.url) == ("/form/received/", "/form/received/")
    assert Enquiry.objects.count() == 1


def test_after_sending_the_back_button_leads_to_the_received_page(bo: Client) -> None:
    fill_in(bo)
    bo.post("/form/check/")

    assert bo.get("/form/conditions/").url == "/form/received/"
    assert bo.post("/form/conditions/", {"conditions": "diabetes"}).url == "/form/received/"
    assert Draft.objects.count() == 0


def test_two_tabs_lose_nothing(bo: Client) -> None:
    token = start(bo)
    bo.get("/form/conditions/")
    bo.get("/form/substances/")

    bo.post("/form/substances/", {"substances": "none"})
    bo.post("/form/conditions/", {"conditions": "diabetes"})

    assert saved(token) == {"substances": ["none"], "conditions": ["diabetes"]}


def test_a_form_without_a_way_to_reach_the_person_leads_back_to_that_page(bo: Client) -> None:
    token = fill_in(bo)
    Draft.save_answers(token, {"contact_details": None})

    assert bo.post("/form/check/").url == "/form/contact_details/?from=check"


def test_a_form_sent_within_ten_seconds_is_asked_about_once(bo: Client) -> None:
    token = fill_in(bo)
    Draft.objects.filter(key=sha256(token)).update(started_at=timezone.now())

    first = bo.post("/form/check/")
    second = bo.post("/form/check/", {"again": "1"})

    assert "That was quick." in first.content.decode()
    assert "Send again" in first.content.decode()
    assert second.url == "/form/received/"


def test_a_program_that_fills_the_hidden_box_is_asked_to_leave_it_empty(bo: Client) -> None:
    token = fill_in(bo)

    pages = [
        bo.post("/form/conditions/", {"conditions": "diabetes", "website": "x"}),
        bo.post("/form/check/", {"website": "x"}),
        bo.post("/form/", {"website": "x"}),
    ]

    for page in pages:
        assert "A box that must stay empty was filled in" in page.content.decode()
    assert re.search(r'value="diabetes"[^>]* checked', pages[0].content.decode())
    assert saved(token)["conditions"] == ["none"]
    assert Enquiry.objects.count() == 0


@pytest.mark.parametrize("path", ["/form/", "/form/conditions/"])
def test_too_many_posts_in_a_minute_wait_and_lose_nothing(bo: Client, settings: Any, path: str) -> None:
    token = fill_in(bo)
    settings.FORM_POSTS_PER_MINUTE = 0

    answer = bo.post(path, {"conditions": "diabetes"})

    assert answer.status_code == 429
    assert "Your answers are kept" in answer.content.decode()
    assert saved(token)["conditions"] == ["none"]
    if "conditions" in path:
        assert re.search(r'value="diabetes"[^>]* checked', answer.content.decode())


def test_behind_a_proxy_people_are_counted_apart(clinic: Clinic, settings: Any) -> None:
    settings.TRUST_PROXY = True

    for number in (1, 2, 1):
        Client(headers={"X-Forwarded-For": f"6.6.6.6, 203.0.113.{number}"}).post("/form/")

    assert Hit.objects.values("key").distinct().count() == 2


def test_a_page_that_was_open_for_long_keeps_what_was_typed(clinic: Clinic) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["form"] = token = Draft.new_token()
    Draft.save_answers(token, {})

    answer = browser.post(
        "/form/contact_details/", {"name": "Robin", "phone": "203 555 0142", "csrfmiddlewaretoken": "x"}
    )
    page = answer.content.decode()
    key = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert key is not None
    again = browser.post(
        "/form/contact_details/", {"name": "Robin", "phone": "203 555 0142", "csrfmiddlewaretoken": key[1]}
    )

    assert answer.status_code == 403
    assert "This page was open for a long time. Your answers are kept. Press Save and continue again." in page
    assert 'value="Robin"' in page
    assert again.url == "/form/check/"


@pytest.mark.parametrize("page", PAGES)
def test_a_stale_page_is_shown_again_as_typed(clinic: Clinic, page: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(f"/form/{page}/", typed(page))

    assert answer.status_code == 403
    assert "Error" not in answer.content.decode().split("</title>")[0]
    assert re.search(r"checked|selected|value=\"(?:1986|Robin)", answer.content.decode())


def test_a_huge_body_is_refused_calmly(bo: Client) -> None:
    token = start(bo)

    long = bo.post("/form/contact_details/", {"name": "n" * 200_000})
    many = bo.post("/form/conditions/", {f"x{number}": "y" for number in range(500)})

    for answer in (long, many):
        assert answer.status_code == 400
        assert "We could not read that" in answer.content.decode()
    assert saved(token) == {}


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", "image/png", ""])
def test_a_body_of_another_kind_is_no_answer(bo: Client, kind: str) -> None:
    token = start(bo)

    answer = bo.post("/form/conditions/", b'{"conditions": ["none"]}', content_type=kind)

    assert answer.status_code in (200, 400)
    assert saved(token) == {}


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(bo: Client, method: str) -> None:
    start(bo)

    for path in ("/form/", "/form/conditions/", "/form/check/", "/form/received/"):
        assert getattr(bo, method)(path).status_code == 405


# Received


def test_the_received_page(bo: Client) -> None:
    fill_in(bo, conditions={"conditions": ["bp_high_or_unknown"]})
    bo.post("/form/check/")
    enquiry = Enquiry.objects.get()

    page = bo.get("/form/received/").content.decode()

    assert enquiry.reference in page
    assert enquiry.promised_at is not None
    local = enquiry.promised_at.astimezone(Clinic.current().zone)
    assert f"{local:%H:%M} on {local:%A} {local.day} {local:%B}" in page
    assert "call <a" in page
    assert "Your blood pressure. Ketamine raises it, so a doctor looks at this first." in page
    assert "Call or text 988" in page
    assert "/status/" in page
    assert "Clear this device" in page
    assert not re.search(r"\b[A-Z]{2,3}-\d\d\b|eligib|qualif|exclu|disposition|consider\b", page)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "we will not call you"),
        ({"suicidal_thoughts_month": "plan"}, "We call because of what you said about being safe"),
    ],
)
def test_somebody_who_wants_no_call(bo: Client, more: dict[str, Any], words: str) -> None:
    token = start(bo)
    Draft.save_answers(token, CLEAR | {"wants_contact": "no"} | more)

    bo.post("/form/check/")

    assert words in bo.get("/form/received/").content.decode()


def test_clearing_the_device(bo: Client) -> None:
    fill_in(bo)
    bo.post("/form/check/")

    assert "cleared" in bo.post("/form/clear/").content.decode()

    assert bo.get("/form/received/").url == "/form/"
    assert Enquiry.objects.count() == 1


def test_clearing_the_device_before_sending_deletes_the_answers(bo: Client) -> None:
    fill_in(bo)

    bo.get("/form/clear/")
    assert Draft.objects.count() == 1
    bo.post("/form/clear/")

    assert Draft.objects.count() == 0


def test_nothing_of_the_form_is_kept_by_the_browser(bo: Client) -> None:
    fill_in(bo)

    for path in ("/form/conditions/", "/form/check/"):
        assert bo.get(path).headers["Cache-Control"] == "no-store, private"


# When the database fails


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="locks a SQLite file")
@pytest.mark.parametrize("path", ["/form/contact_details/", "/form/check/"])
def test_a_locked_database_keeps_what_was_typed(bo: Client, clinic: Clinic, path: str) -> None:
    token = fill_in(bo)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 100")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    answer = bo.post(path, {"name": "Robin ✿", "phone": "203 555 0142"})
    other.execute("ROLLBACK")
    other.close()
    page = answer.content.decode()

    assert answer.status_code == 503
    assert "We could not save this. Your answers are kept on this page. Try again, or call 555-0100" in page
    assert Enquiry.objects.count() == 0
    assert saved(token)["contact_details"]["name"] == "Robin Sample"
    if "contact" in path:
        assert 'value="Robin ✿"' in page
    assert bo.post("/form/check/").url == "/form/received/"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="fills a SQLite file")
def test_a_full_disk_keeps_what_was_saved(bo: Client, clinic: Clinic) -> None:
    token = fill_in(bo)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # other tests leave empty pages, which would fit one more form
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")  # as if not one page more fitted

    answer = bo.post("/form/check/")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1000000")

    assert answer.status_code == 503
    assert "We could not save this. Your answers are kept on this page." in answer.content.decode()
    assert Enquiry.objects.count() == 0
    assert saved(token)["contact_details"]["name"] == "Robin Sample"
    assert bo.post("/form/check/").url == "/form/received/"


def test_a_database_that_is_gone_keeps_what_was_typed(bo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    start(bo)

    def gone(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(Draft.objects, "filter", gone)
    monkeypatch.setattr(Clinic, "current", gone)
    monkeypatch.setattr("reprieve.web.models.Hit.count_one", gone)
    answer = bo.post("/form/contact_details/", {"name": "Robin"})

    assert answer.status_code == 503
    assert 'value="Robin"' in answer.content.decode()


# Anything at all

ODD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["yes", "none", "prefer_not_to_say", "US", "US-CT", "1986", "0", "-1", "1e309", "\x00", "\u202e", "99999999999"]
    ),
)


@pytest.mark.parametrize("page", [*PAGES, "check"])
@effort(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_body_breaks_a_page(page: str, data: st.DataObject, bo: Client) -> None:
    start(bo)
    fields = ["country", "region", "name", "phone", "email", "safe_to_leave_message", "best_time", "asked", "shown"]
    fields += ["medicine_1", "medicine_99", "again", "add", *(f"birth_date_{part}" for part in range(4))]
    fields += [question.id for question in PAGES[page].questions] if page in PAGES else []
    names = st.one_of(st.sampled_from(fields), st.text(min_size=1, max_size=12))
    body = data.draw(st.dictionaries(names, st.one_of(ODD, st.lists(ODD, max_size=3)), max_size=8))

    answer = bo.post(f"/form/{page}/", urlencode(body, doseq=True, errors="replace"), FORM)

    assert answer.status_code in (200, 302)
    assert bo.get("/form/check/").status_code == 200
