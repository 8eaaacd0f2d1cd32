"""How it is thought to work, in a real browser: with sliders and without script, on a phone, a desk and zoomed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from reprieve.pharmacology.made_up import Settings, made_up
from reprieve.pharmacology.panels import PANELS, in_short, panel
from reprieve.web.models import Clinic
from tests.web.conftest_browser import bytes_transferred, complaints, other_hosts, scrolls_sideways

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.flaky(reruns=2)]  # a slow machine may be late

Open = Callable[..., Page]
HERE = "/what-is-known/how-it-may-work/"
SECONDS = 20_000  # the first picture of a process is slow to draw


@pytest.fixture
def here(live_server: LiveServer, clinic: Clinic) -> str:
    """The address of the page."""
    return f"{live_server.url}{HERE}"


def press(page: Page, label: str, key: str, count: int) -> None:
    """Move a slider by the keyboard."""
    slider = page.get_by_label(label)
    slider.focus()
    for _ in range(count):
        slider.press(key)


def test_a_slider_changes_what_is_shown_and_keeps_the_focus(here: str, desktop: Open) -> None:
    page = desktop()
    page.goto(here)
    page.locator("#infusion-blood summary").first.click()
    press(page, "Each dose", "ArrowRight", 3)

    one = made_up(Settings(dose=0.8))
    expect(page.locator("output[for=dose]")).to_have_text("0.8 mg per kg")
    expect(page.locator("#in-short")).to_have_text(in_short(one), timeout=SECONDS)
    expect(page.locator("#said-infusion-blood")).to_have_text(panel("infusion-blood", one).said)
    expect(page.locator("#picture-infusion-blood img")).to_have_attribute("src", f"{HERE}{{}}".format(
        "infusion-blood-328-light.svg?dose=0.8&infusions=6&therapy=6&ssri=0&stress=1"
    ))  # fmt: skip
    expect(page.get_by_label("Each dose")).to_be_focused()
    expect(page.locator("#numbers-infusion-blood")).to_be_visible()  # what was unfolded stays so
    assert page.url == f"{here}?dose=0.8&infusions=6&therapy=6&ssri=0&stress=1"
    assert not other_hosts(page)
    assert complaints(page) == []


def test_the_address_that_a_slider_leaves_opens_the_same_page(here: str, phone: Open) -> None:
    page = phone()
    page.goto(f"{here}?infusions=0&therapy=12")

    expect(page.locator("#in-short")).to_have_text(in_short(made_up(Settings(infusions=0, therapy=12))))
    expect(page.get_by_label("Number of drips")).to_have_value("0")
    expect(page.locator("output[for=therapy]")).to_have_text("12")


def test_a_server_that_does_not_answer_is_said_so(here: str, phone: Open) -> None:
    page = phone()
    page.goto(here)
    page.route("**/how-it-may-work/?**", lambda route: route.abort())
    press(page, "Load of stress", "ArrowLeft", 1)

    expect(page.get_by_role("status").filter(has_text="We could not reach the server")).to_be_visible()
    expect(page.locator("output[for=stress]")).to_have_text("0.9")


@pytest.mark.parametrize("size", [(360, 740), (320, 256), (1280, 800)], ids=["phone", "400 percent", "desktop"])
def test_without_script_a_button_does_the_same(here: str, phone: Open, size: tuple[int, int]) -> None:
    page = phone(java_script=False, size=size)
    page.goto(here)
    page.get_by_role("link", name="Go to the sliders").click()
    press(page, "Number of drips", "ArrowLeft", 6)
    page.get_by_role("button", name="Show what changes").click()

    expect(page.locator("#in-short")).to_have_text(in_short(made_up(Settings(infusions=0))))
    expect(page.locator("#in-short")).to_be_in_viewport()
    assert "infusions=0" in page.url
    assert not scrolls_sideways(page)


def test_pictures_are_drawn_at_the_size_they_are_shown_and_keep_their_place(
    here: str, phone: Open, desktop: Open
) -> None:
    for page, width in ((phone(), 328), (desktop(), 620)):
        page.goto(here)
        before = page.evaluate("document.documentElement.scrollHeight")
        for name in ("chain", *PANELS):
            shown = page.locator(f'img[src*="/{name}-328"]')
            shown.scroll_into_view_if_needed()
            expect(shown).to_have_js_property("complete", True, timeout=SECONDS)
            assert f"/{name}-{width}-light.svg" in shown.evaluate("img => img.currentSrc")
            assert shown.evaluate("img => img.width / img.naturalWidth") > 0.85  # so that its text stays readable
        assert page.evaluate("document.documentElement.scrollHeight") == before


def test_the_form_stays_beside_what_it_changes_on_a_desk(here: str, desktop: Open) -> None:
    page = desktop()
    page.goto(here)

    for name in ("infusion-blood", "synapses-symptoms"):
        page.locator(f"#said-{name}").scroll_into_view_if_needed()
        expect(page.get_by_role("button", name="Show what changes")).to_be_in_viewport()


def test_the_page_without_pictures_is_light(here: str, phone: Open) -> None:
    page = phone(java_script=True)
    page.route("**/*.svg*", lambda route: route.abort())
    page.goto(here, wait_until="load")

    assert bytes_transferred(page) < 200_000  # not compressed by the test's server
