"""A real browser for the tests of pages: the Chromium that Debian packages, driven by Playwright.

``phone()`` and ``desktop()`` open pages; each page is a fresh browser context, so it starts with no cookies and an
empty cache. Say what differs: ``phone(java_script=False)``, ``desktop(dark=True)``, ``phone(size=ZOOMED)``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

PHONE = (360, 740)
DESKTOP = (1280, 800)
ZOOMED = (320, 256)  # what is left of 1280 x 1024 at 400 %

Open = Callable[..., Page]

_bytes: WeakKeyDictionary[Page, list[int]] = WeakKeyDictionary()
_hosts: WeakKeyDictionary[Page, set[str]] = WeakKeyDictionary()
_complaints: WeakKeyDictionary[Page, list[str]] = WeakKeyDictionary()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("no chromium on this machine; install it with: sudo apt install chromium", pytrace=False)
    # Playwright runs an event loop in this thread, and Django then refuses to touch the database in it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    args = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    args += ["--disable-sync"]
    if os.geteuid() == 0:
        args += ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=args)
        yield browser
        browser.close()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Open]:
    """Open a page 360 px wide: ``page = phone()``."""
    yield from _opener(chromium, PHONE)


@pytest.fixture
def desktop(chromium: Browser) -> Iterator[Open]:
    """Open a page 1280 px wide: ``page = desktop()``."""
    yield from _opener(chromium, DESKTOP)


def _opener(browser: Browser, usual_size: tuple[int, int]) -> Iterator[Open]:
    contexts = []

    def open_page(
        *,
        size: tuple[int, int] = usual_size,
        java_script: bool = True,
        dark: bool = False,
        forced_colours: bool = False,
        **more: Any,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=java_script,
            color_scheme="dark" if dark else "light",
            forced_colors="active" if forced_colours else "none",
            reduced_motion="reduce",
            locale="en-GB",
            **more,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        _listen(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


def _listen(page: Page) -> None:
    sizes, hosts = _bytes.setdefault(page, []), _hosts.setdefault(page, set())
    heard = _complaints.setdefault(page, [])
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands, one line for each element.

    The script is evaluated through the debugging protocol, so the page's Content-Security-Policy stays in force.
    """
    page.evaluate(AXE_SCRIPT)
    violations = page.evaluate("axe.run({resultTypes: ['violations']}).then(results => results.violations)")
    return [
        f"{violation['id']}: {violation['help']}: {' '.join(node['target'])}"
        for violation in violations
        for node in violation["nodes"]
    ]


def bytes_transferred(page: Page) -> int:
    """Bytes this page has received over the wire so far, headers and compression included."""
    return sum(_bytes[page])


def other_hosts(page: Page) -> set[str]:
    """Hosts the page asked for anything, besides the one it came from."""
    return _hosts[page] - {urlsplit(page.url).netloc, ""}


def complaints(page: Page) -> list[str]:
    """Errors on the browser's console, refusals by the Content-Security-Policy among them."""
    return list(_complaints[page])


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def small_targets(page: Page, least: int = 44) -> list[str]:
    """Links, buttons and tiles smaller than ``least`` CSS pixels; links inside a sentence are left out."""
    return page.evaluate(
        """least => [...document.querySelectorAll('a[href], button, summary, select, .tile, input:not([type=hidden])')]
          .filter(e => e.checkVisibility() && !e.closest('.skip, .hide') && !e.matches('.tile *'))
          .filter(e => getComputedStyle(e).display !== 'inline')
          .filter(e => { const r = e.getBoundingClientRect(); return r.height < least - .5 || r.width < least - .5 })
          .map(e => e.outerHTML.slice(0, 90))""",
        least,
    )


def screenshot(page: Page, name: str) -> None:
    """Save the whole page as ``name``.png in the folder ``$SCREENSHOTS``, for who asks for that; it takes its time."""
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
