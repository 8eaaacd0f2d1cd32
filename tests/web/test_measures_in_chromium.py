"""A short form on a phone, and the team's pages of measures, in a real browser: with script and without."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from reprieve.web.models import Alert, Clinic, Course, Enquiry, Measure, Member, TreatmentSession
from tests.web.conftest_browser import (
    PHONE,
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

PAGE_BYTES = 60_000
MINUTES_3 = 180
SECONDS_A_QUESTION = 6  # to read one and to choose, for somebody tired; our guess
Open = Callable[..., Page]


@pytest.fixture
def site(live_server: LiveServer, clinic: Clinic) -> str:
    """The address of a clinic that is open."""
    return str(live_server.url)


@pytest.fixture
def form(course: Callable[..., Course]) -> Callable[..., Measure]:
    """A short form that is due today, with a link: ``form("PHQ-9")``."""

    def make(instrument: str = "PCL-5", its_course: Course | None = None) -> Measure:
        today = timezone.now().astimezone(ZoneInfo("America/New_York")).date()
        if its_course is None:
            its_course = course(first_at=timezone.now() + timedelta(days=90))
            Measure.objects.filter(course=its_course).delete()
        measure = Measure.objects.create(
            course=its_course,
            instrument=instrument,
            reason="extra",
            due_on=today,
            first_on=today,
            last_on=today + timedelta(days=2),
        )
        measure.issue_link(timezone.now(), Clinic.current())
        return measure

    return make


@pytest.fixture
def treated(course: Callable[..., Course], clinic: Clinic, ada: Member) -> Course:
    """A course of which four sessions were held and five PCL-5 were answered, one of them with blanks; it got worse."""
    first_at = timezone.now() - timedelta(days=30)
    planned = course(first_at=first_at)
    planned.sessions.update(state=TreatmentSession.State.ENDED, infused_mg=35.0)
    Course.objects.filter(pk=planned.pk).update(started_on=first_at.date(), state="running")
    for total, days, blanks in ((52, 31, 0), (44, 23, 0), (30, 16, 2), (28, 9, 0), (47, 1, 0)):
        at = timezone.now() - timedelta(days=days)
        measure = Measure.objects.create(
            course=planned, instrument="PCL-5", reason="extra", due_on=at.date(), first_on=at.date(), last_on=at.date()
        )
        said = {
            str(item): 4 if item <= total // 4 else total % 4 if item == total // 4 + 1 else 0 for item in range(1, 21)
        }
        measure.complete(None, said | dict.fromkeys(["19", "20"][:blanks]), at, clinic)
    planned.other_treatments.create(kind="medicine", what="sertraline 50 mg", from_on=first_at.date(), by=ada)
    planned.other_treatments.create(
        kind="event", what="Moved house", from_on=(timezone.now() - timedelta(days=5)).date(), by=ada
    )
    return planned


def look(page: Page, name: str) -> None:
    """The page is right for everybody, and a picture of it is kept."""
    screenshot(page, name)
    assert axe(page) == []
    assert not scrolls_sideways(page)
    assert small_targets(page) == []
    assert complaints(page) == []
    assert other_hosts(page) == set()


def answer_page(page: Page, words: str = "A little") -> int:
    """Choose the same answer to each question of the page; returns how many there were."""
    groups = page.locator("fieldset")
    for number in range(groups.count()):
        groups.nth(number).get_by_text(words, exact=True).click()
    return groups.count()


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def enter(page: Page, site: str, measure: Measure) -> None:
    page.goto(f"{site}/measure/{measure.token}/")
    page.get_by_label("What year were you born?").fill("1986")
    press(page, "Go on")


@pytest.mark.parametrize("java_script", [True, False])
def test_a_person_fills_in_the_pcl5_on_a_phone(site: str, phone: Open, form: Callable[..., Measure], java_script: bool):
    measure = form()
    page, started_at = phone(java_script=java_script), time.monotonic()
    page.goto(f"{site}/measure/{measure.token}/")
    if java_script:
        look(page, "measure-year")
    page.get_by_label("What year were you born?").fill("1986")
    press(page, "Go on")
    questions = 0
    for number in range(1, 5):
        if java_script and number in (1, 2):
            look(page, f"measure-page-{number}")
        questions += answer_page(page)
        press(page, "Save and continue")
    if java_script:
        look(page, "measure-send")
    press(page, "Send to the team")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. We have your answers.")
    if java_script:
        look(page, "measure-thanks")

    measure.refresh_from_db()
    assert (questions, measure.total_low) == (20, 20)
    assert time.monotonic() - started_at + questions * SECONDS_A_QUESTION < MINUTES_3
    if java_script:
        assert bytes_transferred(page) < PAGE_BYTES * 3


def test_thoughts_of_death_show_help_on_the_same_page_at_once(site: str, phone: Open, form: Callable[..., Measure]):
    measure = form("PHQ-9")
    page = phone()
    enter(page, site, measure)
    for _ in range(2):
        answer_page(page, "Not at all")
        press(page, "Save and continue")
    answer_page(page, "On some days")
    press(page, "Save and continue")

    expect(page.locator("#aside")).to_be_in_viewport()
    assert page.get_by_role("link", name="Call or text 988").first.get_attribute("href") == "tel:988"
    look(page, "measure-help")
    page.get_by_role("link", name="Continue the form when you are ready").click()
    page.get_by_text("I made a plan and meant to do it").click()
    press(page, "Save and continue")
    look(page, "measure-help-again")
    page.get_by_role("link", name="Continue the form when you are ready").click()
    press(page, "Send to the team")
    look(page, "measure-thanks-urgent")

    assert Enquiry.objects.get().urgency == 0
    assert Alert.objects.filter(kind=Alert.Kind.URGENT).count() == 2


@pytest.mark.parametrize("size", [PHONE, ZOOMED])
@pytest.mark.parametrize("dark", [False, True])
def test_side_effects_fit_every_screen(site: str, phone: Open, form: Callable[..., Measure], size, dark: bool):
    page = phone(size=size, dark=dark)
    enter(page, site, form("side effects"))

    look(page, f"measure-side-effects-{size[0]}-{'dark' if dark else 'light'}")


def test_back_works_and_a_missing_answer_is_said(site: str, phone: Open, form: Callable[..., Measure]):
    page = phone()
    enter(page, site, form())
    answer_page(page)
    press(page, "Save and continue")
    page.get_by_role("link", name="Back", exact=True).click()
    assert page.locator("input:checked").count() == 5
    page.go_back()
    press(page, "Save and continue")

    expect(page.locator("#error-summary")).to_be_focused()
    look(page, "measure-missing")


def test_an_ended_link_is_calm(site: str, phone: Open):
    page = phone()
    page.goto(f"{site}/measure/nothing/")

    screenshot(page, "measure-ended")
    assert axe(page) == []
    expect(page.get_by_role("heading", level=1)).to_have_text("This link has ended")


def test_the_person_sees_their_course(site: str, phone: Open, treated: Course):
    from reprieve.web.models.enquiry import sha256

    Enquiry.objects.update(link_hash=sha256("own-token"))
    page = phone()
    page.goto(f"{site}/status/own-token/course/")

    look(page, "own-course")
    zoomed = phone(size=ZOOMED, java_script=False)
    zoomed.goto(f"{site}/status/own-token/course/")
    assert not scrolls_sideways(zoomed)


@pytest.mark.parametrize("wide", [True, False])
def test_the_teams_pages_are_right(site: str, desktop: Open, treated: Course, form, ada: Member, wide: bool):
    form("PHQ-9", treated)
    interview = form("CAPS-5", treated)
    page = desktop() if wide else desktop(size=PHONE)
    page.goto(f"{site}/team/")
    page.get_by_label("Work e-mail").or_(page.get_by_label("E-mail")).first.fill(ada.email)
    page.get_by_label("Password").fill("a lantern by the river")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Inbox")
    alert = Alert.objects.get(kind=Alert.Kind.RELAPSE)
    size = "wide" if wide else "narrow"
    for name, address in {
        "measures": "/team/measures/",
        "course-measures": f"/team/course/{treated.pk}/measures/",
        "measure": f"/team/measure/{interview.pk}/",
        "timeline": f"/team/course/{treated.pk}/timeline/",
        "alerts": "/team/alerts/",
        "alert": f"/team/alert/{alert.pk}/",
        "clinic": "/team/clinic/",
    }.items():
        page.goto(f"{site}{address}")
        look(page, f"team-{name}-{size}")
