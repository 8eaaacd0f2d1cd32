"""What the person's pages promise can be kept: there is a way to reach the person, and no promise outlives its day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reprieve.web.models import Clinic, Draft, Enquiry, Member
from reprieve.web.models.enquiry import link_token
from tests.web.conftest import CLEAR, PLAN
from tests.web.test_brief import POSTS, saved, start

pytestmark = pytest.mark.django_db

NOBODY = {"name": "Bo"}
EMAIL = {"name": "Bo", "email": "bo@example.com"}


def send(browser: Client, answers: dict[str, Any]) -> tuple[str, str]:
    """Send these answers; return the received page and the address of the private page."""
    token = start(browser)
    Draft.save_answers(token, answers)
    assert browser.post("/form/check/").url == "/form/received/"
    return browser.get("/form/received/").content.decode(), f"/status/{link_token(token)}/"


def test_a_name_alone_is_no_way_to_call(bo: Client) -> None:
    token = start(bo)
    Draft.save_answers(token, CLEAR | {"contact_details": NOBODY})

    assert bo.post("/form/check/").url == "/form/contact_details/?from=check"
    assert not Enquiry.objects.exists()


@pytest.mark.parametrize("contact", [None, NOBODY])
def test_somebody_in_danger_who_left_no_number_is_asked_for_one(bo: Client, contact: dict[str, str] | None) -> None:
    page, link = send(bo, PLAN | {"wants_contact": "no", "contact_details": contact})

    assert "You gave us no way to reach you." in page
    assert f'href="{link}contact/"' in page
    assert "A person from our team" not in page
    assert "You gave us no way to reach you." in bo.get(link).content.decode()

    bo.post(f"{link}contact/", POSTS["contact_details"])

    assert "A person from our team calls you by" in bo.get(link).content.decode()
    assert "A person from our team calls you by" in bo.get("/form/received/").content.decode()


def test_somebody_with_an_email_address_only_is_written_to(bo: Client) -> None:
    page, link = send(bo, CLEAR | {"contact_details": EMAIL})

    assert "writes to you by" in page
    assert "calls you" not in page
    assert "writes to you by" in bo.get(link).content.decode()


@pytest.mark.parametrize("what", ["stop", "erase"])
def test_the_received_page_promises_no_call_once_the_person_said_stop(bo: Client, what: str) -> None:
    _, link = send(bo, CLEAR)

    bo.post(f"{link}{what}/")

    assert bo.get("/form/received/").url == link
    assert "not yet" not in bo.get(link).content.decode()


def test_somebody_who_wants_no_call_is_told_when_we_call_all_the_same(bo: Client) -> None:
    token = start(bo)
    Draft.save_answers(token, {"wants_contact": "no"})

    assert "we call all the same" in bo.get("/form/contact_details/").content.decode()


def test_the_received_page_promises_no_call_in_the_past(bo: Client) -> None:
    _, link = send(bo, CLEAR)
    Enquiry.objects.update(promised_at=timezone.now() - timedelta(minutes=1))

    assert bo.get("/form/received/").url == link


def test_a_second_try_that_is_late_is_admitted(bo: Client, ada: Member) -> None:
    _, link = send(bo, CLEAR)
    enquiry = Enquiry.objects.get()
    enquiry.log_attempt(ada, enquiry.version, "phone", "no_answer", next_try_at=timezone.now() - timedelta(minutes=1))

    page = bo.get(link).content.decode()

    assert "We try again by" not in page
    assert "We said that we would try again by" in page


def test_why_a_record_is_kept_is_told_to_the_person(bo: Client, ada: Member, pia: Member) -> None:
    _, link = send(bo, CLEAR)
    enquiry = Enquiry.objects.get()
    enquiry.log_attempt(ada, enquiry.version, "phone", "reached")
    bo.post(f"{link}erase/")
    enquiry.refresh_from_db()
    enquiry.keep(pia, enquiry.version, "State law: <seven> years.")

    page = bo.get(link).content.decode()

    assert "Why we keep the record" in page
    assert "State law: &lt;seven&gt; years." in page


def test_stopping_from_an_old_tab_does_not_hide_a_decision(bo: Client, ada: Member) -> None:
    _, link = send(bo, CLEAR)
    enquiry = Enquiry.objects.get()
    enquiry.decide(ada, enquiry.version, "consult", "Let us meet on Friday.", timezone.now())

    bo.post(f"{link}stop/")

    assert "Let us meet on Friday." in bo.get(link).content.decode()


def test_what_is_deleted_is_not_offered_for_deletion_again(bo: Client) -> None:
    _, link = send(bo, CLEAR)
    bo.post(f"{link}erase/")

    assert bo.get(f"{link}erase/").url == link


def test_a_private_address_written_down_without_its_last_stroke_opens(bo: Client) -> None:
    _, link = send(bo, CLEAR)

    assert bo.get(link.rstrip("/")).url == link
    assert bo.get("/help?from=paper").url == "/help/?from=paper"
    assert bo.get("/nowhere").status_code == 404


def test_a_clinic_without_a_number_asks_nobody_to_call_it(bo: Client, clinic: Clinic) -> None:
    Clinic.objects.update(phone="", name="The clinic")

    page, link = send(bo, CLEAR)
    bo.post(f"{link}stop/")

    assert "look at your private page" in page
    assert "get in touch" not in page
    assert "call us" not in bo.get(link).content.decode()


def test_the_start_page_says_that_a_form_was_sent_from_here(bo: Client) -> None:
    send(bo, CLEAR)

    assert "You do not need to send it again" in bo.get("/form/").content.decode()
    assert "You do not need to send it again" not in Client().get("/form/").content.decode()


@pytest.mark.parametrize(
    ("name", "answer", "page"),
    [
        ("birth_date", "the first of May", "birth_date"),
        ("country_region", ["US"], "country_region"),
        ("urgent_now", ["an_old_option"], "urgent_now"),
        ("pcptsd5_3", {"old": "kind"}, "pcptsd5"),
        ("contact_details", ["Bo"], "contact_details"),
        ("medicine_list", "sertraline", ""),
        ("an_old_question", "yes", ""),
    ],
)
def test_an_answer_that_no_longer_fits_is_a_blank_and_asked_about_again(
    bo: Client, name: str, answer: Any, page: str
) -> None:
    token = start(bo)
    Draft.save_answers(token, CLEAR | {name: answer})

    for path in ("/form/", "/form/check/", f"/form/{page or 'medicines'}/"):
        assert bo.get(path).status_code == 200
    sent = bo.post("/form/check/").url

    assert sent == (f"/form/{page}/" if page else "/form/received/")
    if page:
        assert name not in saved(token)


@pytest.mark.parametrize(("path", "words"), [("/form/", "block cookies"), ("/form/check/", "Your answers are kept")])
def test_a_page_without_its_key_is_shown_again(clinic: Clinic, path: str, words: str) -> None:
    bo = Client(enforce_csrf_checks=True)
    token = Draft.new_token()
    Draft.save_answers(token, CLEAR)
    bo.cookies["form"] = token

    answer = bo.post(path)

    assert answer.status_code == 403
    assert words in answer.content.decode()
    assert 'method="post"' in answer.content.decode()
    assert saved(token) == CLEAR


@pytest.mark.parametrize("path", ["/", "/form/"])
def test_a_clinic_that_nobody_has_filled_in_says_so(db: None, path: str) -> None:
    page = Client().get(path).content.decode()

    assert "Please do not count on a call from us." in page
    assert "The clinic reads" not in page
    assert "The clinic asks" not in page


def test_a_clinic_that_is_filled_in_does_not(bo: Client) -> None:
    page, _ = send(bo, CLEAR)

    assert all("still being set up" not in text for text in (page, bo.get("/").content.decode()))


def test_in_danger_help_stands_before_the_reference(bo: Client) -> None:
    page, _ = send(bo, PLAN)

    assert page.index("do not wait for us") < page.index("Your reference is")
    assert page.count("Help right now") == 1


def test_at_night_the_question_is_not_pushed_out_of_view_by_help_lines(bo: Client, clinic: Clinic) -> None:
    Clinic.objects.update(opening_hours=[None] * 6 + [["00:00", "00:01"]])
    start(bo)

    page = bo.get("/form/urgent_now/").content.decode()
    panel = page[page.index("Nobody from our team is here") : page.index("</section>")]

    assert panel.index("<details>") < panel.index("988")


def test_an_old_tab_adds_no_answers_that_the_check_page_does_not_show(bo: Client) -> None:
    token = start(bo)
    Draft.save_answers(token, {"trauma_exposure": "no"})

    assert bo.get("/form/pcptsd5/").url == "/form/check/"
    assert bo.post("/form/pcptsd5/", POSTS["pcptsd5"]).url == "/form/check/"
    assert saved(token) == {"trauma_exposure": "no"}
