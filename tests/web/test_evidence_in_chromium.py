"""The evidence pages in a real browser: on a phone and a desk, light and dark, zoomed, without script."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from reprieve.web.models import Clinic
from tests.web.conftest_browser import (
    ZOOMED,
    axe,
    complaints,
    other_hosts,
    screenshot,
    scrolls_sideways,
    small_targets,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.flaky(reruns=2)]  # a slow machine may be late

Open = Callable[..., Page]
HERE = "/what-is-known/"
PAGES = [
    HERE,
    f"{HERE}claims/",
    f"{HERE}trials/",
    f"{HERE}trials/?outcome=response&window=end&recalled=with",
    f"{HERE}trials/?treatment=venlafaxine&window=1w",
    f"{HERE}trials/feder2021/",
    f"{HERE}trials/spravato_label/",
    f"{HERE}harms/",
    f"{HERE}guidelines/",
    f"{HERE}compared/",
    f"{HERE}how-it-may-work/",
    f"{HERE}method/",
]


@pytest.fixture
def site(live_server: LiveServer, clinic: Clinic) -> str:
    """The address of a clinic that is open."""
    return str(live_server.url)


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
def test_every_page_is_whole_and_accessible(
    phone: Open, site: str, kind: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    page = phone(**kind)
    problems = []

    for path in PAGES:
        page.goto(site + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        problems += [f"{path}: {problem}" for problem in axe(page)]
        problems += [f"{path}: scrolls sideways"] * scrolls_sideways(page)
        problems += [f"{path}: small target {target}" for target in small_targets(page)]
        if "SCREENSHOTS" in os.environ:
            page.reload()
            screenshot(page, f"{request.node.callspec.id} {path}".replace("/", "_").replace("?", "_"))

    assert problems == []
    assert not other_hosts(page)
    assert complaints(page) == []


def test_the_question_is_changed_and_a_row_opened_without_script(site: str, phone: Open) -> None:
    page = phone(java_script=False)
    page.goto(site + HERE)

    page.get_by_role("link", name="See each trial").click()
    page.get_by_role("link", name="End of a course").click()
    expect(page.get_by_role("link", name="End of a course")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="feder2021-1", exact=True).click()

    expect(page.get_by_role("heading", name="Feder 2021")).to_be_visible()
    expect(page.locator("#feder2021-1")).to_be_in_viewport()


def test_pictures_are_drawn_at_the_size_they_are_shown(site: str, phone: Open, desktop: Open) -> None:
    for page, width in ((phone(), 328), (desktop(), 620)):
        page.goto(f"{site}{HERE}trials/")
        shown = page.locator("figure img")
        expect(shown).to_be_visible()

        assert f"-{width}-light.svg" in shown.evaluate("img => img.currentSrc")
        assert shown.evaluate("img => img.complete && img.naturalWidth > 0")
        assert shown.evaluate("img => img.width / img.naturalWidth") > 0.85  # so that its text stays readable
