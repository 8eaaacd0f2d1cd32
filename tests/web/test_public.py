"""The pages that anybody may read, and a person's own page behind the private link."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from importlib import resources

import pytest
from django.test import Client
from django.utils import timezone

from reprieve.candidacy import CRITERIA
from reprieve.candidacy.crisis import CRISIS_LINES, lines_for
from reprieve.evidence import plain
from reprieve.web.crisis_panel import panel_for
from reprieve.web.forms import PAGES
from reprieve.web.models import ChangedMeanwhileError, Clinic, Draft, Enquiry, Member, Signature
from reprieve.web.models.enquiry import link_token
from reprieve.web.public_words import FACTS, TOPICS, topics
from tests.web.conftest import CLEAR, PLAN
from tests.web.reading import grade, words_of

pytestmark = pytest.mark.django_db

OPEN_PAGES = ["/", "/what-is-known/", "/help/", "/privacy/", "/form/"]


@pytest.fixture
def person(clinic: Clinic) -> Callable[..., tuple[Enquiry, str]]:
    """A person's enquiry and the address of their own page."""

    def receive(**more: object) -> tuple[Enquiry, str]:
        token = Draft.new_token()
        enquiry = Enquiry.receive(token, CLEAR | more, timezone.now(), clinic)
        return enquiry, f"/status/{link_token(token)}/"

    return receive


# Pages to read


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_a_page_opens_before_the_clinic_is_set_up(db: None, path: str) -> None:
    answer = Client().get(path)

    assert answer.status_code == 200
    assert "Call or text 988" in answer.content.decode()


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_a_page_sets_no_cookie_and_asks_no_other_host(bo: Client, path: str) -> None:
    answer = bo.get(path)

    assert set(answer.cookies) <= {"csrftoken"}
    elsewhere = r'<(?:script|img|link|iframe)[^>]*(?:src|href)="(?!/(?:static|what-is-known)/)'
    assert not re.search(elsewhere, answer.content.decode())
    assert not re.search(r"<[^>]* (?:style|on\w+)=", answer.content.decode())


def test_home_goes_from_the_question_to_the_form(bo: Client) -> None:
    page = bo.get("/").content.decode()

    order = [
        "Can ketamine help with PTSD?",
        "158 veterans",
        "What guidelines say",
        "What can go wrong",
        "about 4 minutes",
    ]
    places = [page.index(words) for words in order]
    assert places == sorted(places)
    assert "Start the form (about 4 minutes)" in page
    assert len(re.findall(r'class="button"', page)) == 1


@pytest.mark.parametrize("path", ["/", "/what-is-known/"])
def test_the_trial_that_helped_never_stands_without_the_one_that_did_not(bo: Client, path: str) -> None:
    page = bo.get(path).content.decode()

    for statement in plain.statements("largest-trial", "small-trial", "fades", "guideline-ketamine", "off-label"):
        assert statement.text in page
    assert "seen on another site, to be confirmed" in page


@pytest.mark.parametrize("path", [*OPEN_PAGES, "/form/received/"])
def test_nothing_is_promised_and_nothing_sold(bo: Client, path: str) -> None:
    page = words_of(bo.get(path, follow=True).content.decode()).lower()

    for word in (
        "cure",
        "breakthrough",
        "proven",
        "safe and effective",
        "you qualify",
        "eligible",
        "rejected",
        "miracle",
    ):
        assert word not in page


def test_help_shows_every_line_of_the_country_and_the_way_for_others(bo: Client) -> None:
    page = bo.get("/help/").content.decode()

    for number in ("988", "911", "741741", "116 123", "findahelpline.com"):
        assert number in page


# What the team will talk about


def test_every_criterion_has_plain_words() -> None:
    assert set(TOPICS) == set(CRITERIA)


def test_plain_words_hold_no_id_no_verdict_and_no_percentage() -> None:
    for words in TOPICS.values():
        assert not re.search(r"[A-Z]{2,3}-\d|%|exclu|eligib|qualif|contraindic|suitab", words)
        assert grade(words) < 12


def test_each_subject_is_said_once_and_safety_first() -> None:
    said = topics(["CV-04", "CV-05", "URG-01", "URG-02"])

    assert [topic.text for topic in said] == [TOPICS["URG-01"], TOPICS["CV-04"]]


def test_a_topic_that_states_a_fact_says_where_it_was_read():
    safety, pressure = topics(["URG-01", "CV-04"])

    assert safety.links == ()
    assert [link.url for link in pressure.links] == [CRITERIA["CV-04"].source.url]
    assert all(CRITERIA[name].source.url for name in FACTS), "a fact without an address cannot be opened"


def test_help_panels_exist_for_every_danger_in_every_country() -> None:
    for country in ("US-CT", "GB", "DE", "PT", "JP", "", None):
        for option in PAGES["urgent_now"].questions[0].codes:
            panel = panel_for("urgent_now", [option], country)
            assert (panel is None) == (option == "none")
            assert panel is None or panel.first.tel_href


# A person's own page


def test_waiting(bo: Client, person: Callable[..., tuple[Enquiry, str]]) -> None:
    enquiry, link = person()

    page = bo.get(link).content.decode()

    assert enquiry.reference in page
    assert "A person from our team calls you by" in page


def test_a_late_call_is_admitted(bo: Client, person: Callable[..., tuple[Enquiry, str]]) -> None:
    enquiry, link = person()
    Enquiry.objects.filter(pk=enquiry.pk).update(promised_at=timezone.now() - timedelta(minutes=1))

    page = bo.get(link).content.decode()

    assert "We promised to call by" in page
    assert "and have not. We are sorry." in page
    assert "tel:555-0100" in page


def test_a_kept_call_and_the_decision_in_the_clinicians_words(
    bo: Client, person: Callable[..., tuple[Enquiry, str]], ada: Member
) -> None:
    enquiry, link = person()
    enquiry.log_attempt(ada, enquiry.version, "phone", "reached")
    assert "(in time)" in bo.get(link).content.decode()

    enquiry.decide(ada, enquiry.version, "consult", "Let us meet <on Friday>.\nBring your list.", timezone.now())
    page = bo.get(link).content.decode()

    assert "Consultation offered" in page
    assert "Let us meet &lt;on Friday&gt;.<br>Bring your list." in page
    assert "Ada" in page


def test_tried_and_not_reached(bo: Client, person: Callable[..., tuple[Enquiry, str]], ada: Member) -> None:
    enquiry, link = person()
    enquiry.log_attempt(ada, enquiry.version, "phone", "no_answer", next_try_at=timezone.now() + timedelta(hours=3))

    page = bo.get(link).content.decode()

    assert "We tried to reach you and could not." in page
    assert "We try again by" in page


@pytest.mark.parametrize("path", ["", "contact/", "stop/", "erase/"])
def test_a_wrong_link_and_an_expired_one_read_the_same(
    bo: Client, person: Callable[..., tuple[Enquiry, str]], path: str
) -> None:
    enquiry, link = person()
    Enquiry.objects.filter(pk=enquiry.pk).update(link_expires_at=timezone.now())

    expired, wrong = bo.get(link + path), bo.get("/status/nobody/" + path)

    assert (expired.status_code, wrong.status_code) == (404, 404)
    assert expired.content == wrong.content
    assert bo.post(link + path).status_code in (404, 405)


def test_correcting_contact_details(bo: Client, person: Callable[..., tuple[Enquiry, str]]) -> None:
    enquiry, link = person()

    wrong = bo.post(f"{link}contact/", {"name": "Robin", "phone": "x"})
    right = bo.post(f"{link}contact/", {"name": "Robin Vale", "phone": "203 555 0143", "safe_to_leave_message": "yes"})
    enquiry.refresh_from_db()

    assert "Check the phone number" in wrong.content.decode()
    assert right.url == f"{link}?done=contact"
    assert "Saved." in bo.get(right.url).content.decode()
    assert enquiry.contact["phone_e164"] == "+12035550143"
    assert list(Enquiry.objects.named("robin vale")) == [enquiry]


def test_stopping(bo: Client, person: Callable[..., tuple[Enquiry, str]]) -> None:
    enquiry, link = person()

    assert "Shall we stop calling you?" in bo.get(f"{link}stop/").content.decode()
    bo.post(f"{link}stop/")
    bo.post(f"{link}stop/")
    enquiry.refresh_from_db()

    assert (enquiry.state, enquiry.is_open) == ("stopped", False)
    assert "You asked us to stop. We will not call you." in bo.get(link).content.decode()


def test_erasing_before_a_clinician_has_dealt_with_it(bo: Client, person: Callable[..., tuple[Enquiry, str]]) -> None:
    enquiry, link = person()

    assert "at once" in bo.get(f"{link}erase/").content.decode()
    bo.post(f"{link}erase/")
    enquiry.refresh_from_db()

    assert (enquiry.answers, enquiry.contact) == ({}, {})
    assert "Your answers are deleted." in bo.get(link).content.decode()
    assert bo.get(f"{link}contact/").status_code == 404
    assert bo.post(f"{link}erase/").status_code == 302


def test_erasing_afterwards_names_the_law_and_asks_the_privacy_lead(
    bo: Client, person: Callable[..., tuple[Enquiry, str]], ada: Member
) -> None:
    enquiry, link = person()
    enquiry.log_attempt(ada, enquiry.version, "phone", "reached")

    assert "The law on medical records" in bo.get(f"{link}erase/").content.decode()
    bo.post(f"{link}erase/")
    bo.post(f"{link}erase/")
    enquiry.refresh_from_db()

    assert enquiry.erasure_asked_at is not None
    assert "You asked us to delete your answers." in bo.get(link).content.decode()


def test_a_change_by_the_team_at_the_same_moment_loses_nothing(
    bo: Client, person: Callable[..., tuple[Enquiry, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    enquiry, link = person()
    stop, calls = Enquiry.stop_contact, []

    def meanwhile(row: Enquiry, now: object) -> None:
        calls.append(row)
        if len(calls) == 1:
            raise ChangedMeanwhileError
        stop(row, now)  # type: ignore[arg-type]

    monkeypatch.setattr(Enquiry, "stop_contact", meanwhile)
    bo.post(f"{link}stop/")
    enquiry.refresh_from_db()

    assert enquiry.state == "stopped"


def test_the_private_page_is_not_kept_by_the_browser(bo: Client, person: Callable[..., tuple[Enquiry, str]]) -> None:
    _, link = person()

    assert bo.get(link).headers["Cache-Control"] == "no-store, private"


# Reading age

GRADE = 6
NAMES_OF_MEDICINES = 9  # they are what they are, and people know those they take


def _page(bo: Client, name: str) -> str:
    if name not in ("received", "status", "received urgent", "check"):
        return bo.get(name).content.decode()
    token = Draft.new_token()
    Draft.save_answers(token, PLAN if "urgent" in name else CLEAR)
    bo.cookies["form"] = token
    if name == "check":
        return bo.get("/form/check/").content.decode()
    bo.post("/form/check/", {"again": "1"})
    return bo.get("/form/received/" if "received" in name else f"/status/{link_token(token)}/").content.decode()


@pytest.mark.parametrize(
    "name", ["/", "/form/", "/what-is-known/", "/help/", "/privacy/", "received", "received urgent", "status"]
)
def test_an_eleven_year_old_can_read_the_page(bo: Client, name: str) -> None:
    words = words_of(_page(bo, name))

    assert grade(words) <= GRADE, words


@pytest.mark.parametrize("page", PAGES)
def test_an_eleven_year_old_can_read_the_question(bo: Client, page: str) -> None:
    bo.cookies["form"] = token = Draft.new_token()
    Draft.save_answers(token, {})

    words = words_of(bo.get(f"/form/{page}/").content.decode())

    assert grade(words) <= (NAMES_OF_MEDICINES if page == "medicines" else GRADE), words


def test_words_table_is_sorted_into_known_criteria_only() -> None:
    with resources.files("reprieve.web").joinpath("public_words.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["criterion_id"] for row in csv.DictReader(file)]

    assert len(ids) == len(set(ids))


def test_a_number_that_nobody_looked_up_is_marked_until_the_clinic_has_tried_it(
    client: Client, clinic: Clinic, ada: Member
) -> None:
    from_memory = next(line for line in lines_for("US-CT", veteran=True) if line.mark)
    mark = "we have not tried this number ourselves"
    assert mark in client.get("/help/").content.decode()

    for line in CRISIS_LINES:
        Signature.objects.create(item=clinic.help_line_item(line), by=ada)

    assert from_memory.contact in client.get("/help/").content.decode()
    assert mark not in client.get("/help/").content.decode()


@pytest.mark.parametrize("wish", ["stop", "erase"])
def test_somebody_who_may_not_be_safe_does_not_vanish_from_the_inbox_unseen(
    client: Client, person: Callable[..., tuple[Enquiry, str]], wish: str
) -> None:
    enquiry, link = person(**PLAN)

    asked = client.get(f"{link}{wish}/").content.decode()
    client.post(f"{link}{wish}/")

    kept = Enquiry.objects.get(pk=enquiry.pk)
    told = client.get(link).content.decode()
    assert (kept.is_open, kept.state, kept.due_at) == (True, Enquiry.State.STOPPED, enquiry.due_at)
    assert kept.answers == enquiry.answers
    assert all("a person from our team still reads them" in page for page in (asked, told))


def test_once_a_person_has_looked_the_wish_to_stop_closes_it(
    client: Client, person: Callable[..., tuple[Enquiry, str]], ada: Member
) -> None:
    enquiry, link = person(**PLAN)
    enquiry.log_attempt(ada, enquiry.version, "phone", "no_answer")

    client.post(f"{link}stop/")

    assert Enquiry.objects.get(pk=enquiry.pk).is_open is False


def test_whoever_asked_us_to_stop_is_tried_once_and_not_again(
    client: Client, person: Callable[..., tuple[Enquiry, str]], ada: Member
) -> None:
    enquiry, link = person(**PLAN)
    client.post(f"{link}stop/")
    waiting = Enquiry.objects.get(pk=enquiry.pk)

    waiting.log_attempt(ada, waiting.version, "phone", "no_answer", next_try_at=timezone.now() + timedelta(hours=1))

    kept = Enquiry.objects.get(pk=enquiry.pk)
    assert (kept.state, kept.is_open, kept.due_at) == (Enquiry.State.STOPPED, False, None)
    assert kept.attempts.get().next_try_at is None
    assert "You asked us to stop. We will not call you." in client.get(link).content.decode()
