"""The clinic's results in a real browser: on a phone and a desk, light and dark, zoomed, on paper, without script."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from reprieve.web.models import Member
from tests.web.conftest_browser import (
    ZOOMED,
    axe,
    complaints,
    other_hosts,
    screenshot,
    scrolls_sideways,
    small_targets,
)
from tests.web.test_results import Treated, treated  # noqa: F401
from tests.web.test_team_in_chromium import log_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.flaky(reruns=2)]  # a slow machine may be late

Open = Callable[..., Page]
HARMS = ["nausea", "dissociation", "blood_pressure", "headache", "nausea", "dissociation"]


@pytest.fixture
def clinic_at_work(treated: Treated, ada: Member) -> Member:  # noqa: F811
    """Thirty made-up courses: two in three responded, most lost it again sooner or later; returns the prescriber."""
    for number in range(30):
        later = {40: 31 + number % 8, 68: 28 + number % 13, 96: 30 + number % 17}
        totals = {0: 50, 12: 30} | {day: total for day, total in later.items() if (number + day) % 5}
        if number % 3 == 2:
            totals = {0: 50} | ({12: 44} if number % 2 else {})
        treated(
            number * 5,
            totals=totals,
            given=6 - number % 4 // 3,
            ending="harm" if number % 10 == 9 else "as_planned",
            early=number % 2,
            harms=[(1, HARMS[number % 6])] * (number % 3 > 0),
        )
    return ada


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"dark": True},
        {"forced_colours": True},
        {"size": ZOOMED},
        {"size": (1280, 800)},
        {"size": (1280, 800), "dark": True},
    ],
    ids=["phone", "phone dark", "forced colours", "400 percent", "desktop", "desktop dark"],
)
def test_the_page_is_whole_and_accessible(
    phone: Open, live_server: Any, clinic_at_work: Member, kind: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    page = phone(**kind)
    log_in(page, live_server, clinic_at_work.email)
    page.get_by_role("link", name="Results").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Results: 30 courses have begun")
    for picture in page.locator("figure img").all():
        expect(picture).to_have_js_property("complete", True)
    if "SCREENSHOTS" in os.environ:
        screenshot(page, f"results {request.node.callspec.id}".replace(" ", "_"))

    for summary in page.locator("summary").all():
        summary.click()

    assert axe(page) == []
    assert not scrolls_sideways(page)
    assert small_targets(page) == []
    assert not other_hosts(page)
    assert complaints(page) == []


def test_the_curve_is_drawn_at_the_size_it_is_shown(
    phone: Open, desktop: Open, live_server: Any, clinic_at_work: Member
) -> None:
    for page, width in ((phone(), 328), (desktop(), 620)):
        log_in(page, live_server, clinic_at_work.email)
        page.goto(live_server.url + reverse("results"))
        shown = page.locator("figure img").first
        expect(shown).to_be_visible()

        assert f"loss-pcl-5-{width}-light.svg" in shown.evaluate("img => img.currentSrc")
        assert shown.evaluate("img => img.complete && img.naturalWidth > 0")
        assert (
            abs(shown.evaluate("img => img.getBoundingClientRect().width") - width) < 40
        )  # the frame takes some on a phone


def test_a_period_is_chosen_and_the_registry_taken_out_without_script(
    desktop: Open, live_server: Any, clinic_at_work: Member
) -> None:
    page = desktop(java_script=False)
    log_in(page, live_server, clinic_at_work.email)
    page.goto(live_server.url + reverse("results"))

    page.get_by_label("Began from").fill("2026-02-01")
    page.get_by_label("Began until").fill("2026-02-28")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Results: 5 courses began from 1 Feb 2026 until 28 Feb 2026"
    )
    page.get_by_role("link", name="All courses").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Take out the registry").click()

    assert taken.value.suggested_filename == "registry.csv"
    assert taken.value.path().read_text().startswith("table,row,column,count\n")


def test_on_paper_the_numbers_are_open_and_buttons_gone(
    desktop: Open, live_server: Any, clinic_at_work: Member
) -> None:
    page = desktop()
    log_in(page, live_server, clinic_at_work.email)
    page.goto(live_server.url + reverse("results"))

    page.emulate_media(media="print", color_scheme="dark")

    expect(page.get_by_role("columnheader", name="Still followed").first).to_be_visible()
    expect(page.get_by_role("link", name="Take out the registry")).to_be_hidden()
    assert "-light.svg" in page.locator("figure img").first.evaluate("img => img.currentSrc")
    if "SCREENSHOTS" in os.environ:
        page.pdf(path=f"{os.environ['SCREENSHOTS']}/results.pdf", format="A4")
