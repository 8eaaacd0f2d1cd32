"""A person's way through the pages in a real browser: with script and without, by keyboard, on every kind of screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from reprieve.web.forms import PAGES
from reprieve.web.models import Clinic, Draft, Enquiry
from tests.web.conftest import CLEAR
from tests.web.conftest_browser import (
    ZOOMED,
    axe,
    bytes_transferred,
    complaints,
    other_hosts,
    screenshot,
    scrolls_sideways,
    small_targets,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.flaky(reruns=2)]  # a slow machine may be late

FORM_BYTES = 60_000
READING = ["/", "/what-is-known/", "/help/", "/privacy/", "/form/"]
QUESTIONS = [f"/form/{page}/" for page in PAGES]
Open = Callable[..., Page]


@pytest.fixture
def site(live_server: LiveServer, clinic: Clinic) -> str:
    """The address of a clinic that is open."""
    return str(live_server.url)


@pytest.fixture
def draft(site: str) -> str:
    """A finished form that was not sent yet, and the token that opens it."""
    token = Draft.new_token()
    Draft.save_answers(token, CLEAR)
    four_minutes_pass()
    return token


def four_minutes_pass() -> None:
    """As long as the form takes a person; a form sent sooner than 10 seconds is asked about."""
    Draft.objects.update(started_at=timezone.now() - timedelta(minutes=4))


def with_form(page: Page, site: str, token: str) -> Page:
    """Give a browser the key to a form."""
    page.context.add_cookies([{"name": "form", "value": token, "url": site}])
    return page


def press(page: Page, words: str) -> None:
    """Press a button or a link by its words."""
    page.get_by_role("button", name=words, exact=True).or_(
        page.get_by_role("link", name=words, exact=True)
    ).first.click()


def answer(page: Page) -> None:
    """Answer the page that is open as the person of CLEAR would."""
    slug = page.url.rstrip("/").rpartition("/")[2]
    if slug == "country_region":
        page.get_by_label("Country").select_option("US")
        page.get_by_label("State or region").select_option("US-CT")
    elif slug == "birth_date":
        for label, text in (("Day", "1"), ("Month", "3"), ("Year", "1986")):
            page.get_by_label(label).fill(text)
    elif slug == "contact_details":
        page.get_by_label("Your name").fill("Robin Sample")
        page.get_by_label("Phone number").fill("203 555 0142")
    else:
        for question in PAGES[slug].questions:
            said = CLEAR[question.id]
            for code in said if isinstance(said, list) else [said]:
                page.locator(f'input[name="{question.id}"][value="{code}"]').check()
    press(page, "Save and continue")


@pytest.mark.parametrize("java_script", [True, False])
def test_the_whole_way_on_a_phone(site: str, phone: Open, java_script: bool) -> None:
    page = phone(java_script=java_script)

    page.goto(site)
    press(page, "Start the form (about 4 minutes)")
    press(page, "Start the form (about 4 minutes)")
    for slug in PAGES:
        assert page.url == f"{site}/form/{slug}/"
        answer(page)
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    four_minutes_pass()
    press(page, "Send to the team")

    enquiry = Enquiry.objects.get()
    expect(page.get_by_text(enquiry.reference, exact=True)).to_be_visible()
    page.locator("a[href*='/status/']").click()
    expect(page.get_by_role("heading", name="Your request")).to_be_visible()
    page.go_back()
    press(page, "Clear this device")
    expect(page.get_by_role("heading", name="This device is cleared")).to_be_visible()
    assert not other_hosts(page)
    assert complaints(page) == []


def test_the_way_by_keyboard_alone(site: str, desktop: Open) -> None:
    page = desktop()
    page.goto(f"{site}/form/")
    _tab_to(page, "Start the form (about 4 minutes)")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Question 1 of 20")).to_be_visible()
    _tab_to(page, "Save and continue")
    page.keyboard.press("Enter")

    expect(page.locator("#error-summary")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Country")).to_be_focused()
    page.keyboard.type("United States")
    page.keyboard.press("Tab")
    page.keyboard.type("Connecticut")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Question 2 of 20")).to_be_visible()
    assert page.get_by_role("link", name="Back").get_attribute("href") == "/form/country_region/"


def _tab_to(page: Page, words: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == words:
            return
    raise AssertionError(f"{words!r} cannot be reached with the Tab key")


def test_enter_in_a_box_saves_the_page_and_does_not_add_a_medicine(site: str, desktop: Open, draft: str) -> None:
    page = with_form(desktop(), site, draft)
    page.goto(f"{site}/form/medicines/")

    page.get_by_label("Medicine 1").fill("sertraline 50 mg")
    page.get_by_label("Medicine 1").press("Enter")

    expect(page.get_by_text("Question 15 of 20")).to_be_visible()
    kept = Draft.held_by(draft)
    assert kept is not None
    assert kept.answers["medicine_list"] == ["sertraline 50 mg"]


@pytest.mark.parametrize("java_script", [True, False])
def test_an_urgent_answer_shows_help_on_the_page(site: str, phone: Open, draft: str, java_script: bool) -> None:
    page = with_form(phone(java_script=java_script), site, draft)
    page.goto(f"{site}/form/suicidal_thoughts_month/")
    expect(page.get_by_text("You can get help right now")).to_be_hidden()

    page.get_by_label("I made a plan and meant to do it").check()
    if java_script:
        expect(page.get_by_text("You can get help right now")).to_be_visible()
    press(page, "Save and continue")

    panel = page.locator("#aside")
    expect(panel).to_be_in_viewport()
    expect(panel.get_by_role("link", name="Call or text 988")).to_have_attribute("href", "tel:988")
    assert small_targets(page) == []
    press(page, "Continue the form when you are ready")
    expect(page.get_by_text("Question 5 of 20")).to_be_visible()


def test_a_change_from_the_check_page_comes_back_there(site: str, phone: Open, draft: str) -> None:
    page = with_form(phone(), site, draft)
    page.goto(f"{site}/form/check/")

    page.get_by_role("link", name=re.compile("Could an adult take you home")).click()
    page.get_by_label("Not sure").check()
    press(page, "Save and continue")

    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    expect(page.get_by_text("Not sure")).to_be_visible()


@pytest.fixture
def everywhere(site: str, draft: str) -> Iterator[Callable[[Page], Iterator[str]]]:
    """Take a browser to every page of the person's, one after the other."""

    def go(page: Page) -> Iterator[str]:
        with_form(page, site, draft)
        for path in [*READING, *QUESTIONS, "/form/check/", "/form/clear/"]:
            page.goto(site + path)
            yield path
        grave = {"urgent_now": ["danger_from_others"], "country_region": "GB", "birth_date": "2015-01-01"}
        Draft.save_answers(draft, grave)
        for slug in ("urgent_now", "country_region", "birth_date"):
            page.goto(f"{site}/form/{slug}/")
            yield f"{slug} with a panel"
        Draft.save_answers(draft, {name: CLEAR[name] for name in ("urgent_now", "country_region", "birth_date")})
        page.goto(f"{site}/form/contact_details/")
        page.get_by_label("Your name").fill("")
        press(page, "Save and continue")
        expect(page.locator("#error-summary")).to_be_focused()
        yield "an error"
        page.goto(f"{site}/form/check/")
        press(page, "Send to the team")
        expect(page.get_by_role("heading", name="Thank you. We have your form.")).to_be_visible()
        yield "received"
        status = page.locator("a[href*='/status/']").get_attribute("href")
        assert status
        for path in ("", "contact/", "stop/", "erase/", "nobody/"):
            page.goto(site + status + path)
            yield f"status {path}"

    return go


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"dark": True},
        {"forced_colours": True},
        {"size": ZOOMED},
        {"size": (1280, 800)},
    ],
    ids=["phone", "phone dark", "forced colours", "400 percent", "desktop"],
)
def test_every_page_is_whole_and_accessible(
    phone: Open, everywhere: Callable[[Page], Iterator[str]], kind: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    page = phone(**kind)
    problems = []

    for name in everywhere(page):
        problems += [f"{name}: {problem}" for problem in axe(page)]
        problems += [f"{name}: scrolls sideways"] * scrolls_sideways(page)
        problems += [f"{name}: small target {target}" for target in small_targets(page)]
        screenshot(page, f"{request.node.callspec.id} {name}".replace("/", "_"))

    assert problems == []
    assert not other_hosts(page)
    assert [words for words in complaints(page) if "404" not in words] == []


@pytest.mark.parametrize("slug", PAGES)
def test_a_question_is_light_and_its_first_answer_in_view(site: str, phone: Open, draft: str, slug: str) -> None:
    Draft.save_answers(draft, dict.fromkeys(CLEAR))
    page = with_form(phone(), site, draft)

    page.goto(f"{site}/form/{slug}/")

    assert bytes_transferred(page) <= FORM_BYTES
    expect(page.locator("h1")).to_be_in_viewport()
    first = page.locator(".tile, .control > :first-child, .dates input").first
    expect(first).to_be_in_viewport()


def test_text_spacing_breaks_nothing(site: str, phone: Open, draft: str) -> None:
    page = with_form(phone(bypass_csp=True), site, draft)

    for path in ("/", "/form/", "/form/conditions/", "/form/contact_details/", "/form/check/"):
        page.goto(site + path)
        page.add_style_tag(
            content="* { line-height: 1.5 !important; letter-spacing: .12em !important;"
            " word-spacing: .16em !important } p { margin-bottom: 2em !important }"
        )
        assert not scrolls_sideways(page), path
