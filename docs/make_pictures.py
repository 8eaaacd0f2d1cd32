"""The pictures of the documentation, taken from the running fictional clinic: `make pictures`.

They are made by a script so that they never show what is no longer there.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.web.server import Server, running

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 860}
ANSWERS: dict[str, list[str]] = {
    "urgent_now": ["none"],
    "suicidal_thoughts_month": ["thoughts"],
    "suicidal_behaviour": ["never"],
    "trauma_exposure": ["yes"],
    "conditions": ["bp_high_or_unknown"],
    "mind_recent": ["none"],
    "medicines": ["antidepressant", "benzodiazepine"],
    "treatments_tried": ["ptsd_medicine"],
    "substances": ["none"],
    "pregnancy_status": ["none"],
    "escort_available": ["yes"],
    "wants_contact": ["yes"],
}


def main() -> None:
    """Start the fictional clinic, walk through it as each person, and keep what is seen."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server, sync_playwright() as playwright:
        logins = server.reprieve("demo-data")
        flags = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
        flags += ["--disable-sync", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        fill_in(browser.new_page(viewport=PHONE, locale="en-GB"), server, "phone")
        fill_in(browser.new_page(viewport=DESKTOP, locale="en-GB"), server, "desktop")
        read(browser.new_page(viewport=PHONE, locale="en-GB"), server, "phone")
        read(browser.new_page(viewport=DESKTOP, locale="en-GB"), server, "desktop")
        password = next(line.split()[-1] for line in logins.splitlines() if "nia@" in line)
        work(browser.new_page(viewport=DESKTOP, locale="en-GB"), server, password)
        browser.close()


def keep(page: Page, name: str, whole: bool = False, from_top: bool = True) -> None:
    """Save a picture of the page from its top, or as it stands."""
    if from_top:
        page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=HERE / "pictures" / f"{name}.png", full_page=whole)
    print(name)


def read(page: Page, server: Server, size: str) -> None:
    """Read what is known, the trials at the end of a course, and how it is thought to work."""
    page.goto(server.url + "/what-is-known/")
    keep(page, f"known-{size}")
    page.goto(server.url + "/what-is-known/trials/?window=end")
    keep(page, f"trials-{size}")
    page.goto(server.url + "/what-is-known/how-it-may-work/")
    chain(page, size)


def chain(page: Page, size: str) -> None:
    """The chain itself on a phone, the sliders and what they change on a desk."""
    seen = page.locator("figure.chart").first if size == "phone" else page.locator("#settings")
    seen.evaluate("element => element.scrollIntoView()")
    page.wait_for_load_state("networkidle")
    keep(page, f"chain-{size}", from_top=False)


def fill_in(page: Page, server: Server, size: str) -> None:
    """Fill in the brief form as somebody would, up to the received page."""
    page.goto(server.url)
    keep(page, f"home-{size}")
    page.get_by_role("link", name="Start the form").click()
    page.get_by_role("button", name="Start the form").click()
    page.get_by_label("Country").select_option("US")
    page.get_by_label("State or region").select_option("US-CT")
    go_on(page)
    for name, value in {"Day": "1", "Month": "3", "Year": "1986"}.items():
        page.get_by_label(name, exact=True).fill(value)
    go_on(page)
    for question, options in ANSWERS.items():
        if question == "conditions":
            for number in range(1, 6):
                page.locator(f'input[name="pcptsd5_{number}"][value="yes"]').check()
            go_on(page)
        for option in options:
            page.locator(f'input[name="{question}"][value="{option}"]').check()
        if question == "conditions":
            keep(page, f"form-{size}")
        go_on(page)
        if question == "suicidal_thoughts_month":
            keep(page, f"crisis-{size}")
            page.get_by_text("Continue the form when you are ready").click()
    page.get_by_label("name", exact=False).first.fill("Robin Fable")
    page.get_by_label("Phone").fill("+1 860 555 0142")
    page.locator('input[name="safe_to_leave_message"][value="no"]').check()
    go_on(page)
    keep(page, f"check-{size}")
    page.get_by_role("button", name="Send").click()
    if page.get_by_text("That was quick").count():
        page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/form/received/")
    keep(page, f"received-{size}", whole=size == "phone")


def go_on(page: Page) -> None:
    """Press the one filled button."""
    page.get_by_role("button", name="Save and continue").click()


def work(page: Page, server: Server, password: str) -> None:
    """Log in as the nurse and look at the inbox, a candidacy card and the team page."""
    page.goto(server.url + "/team/")
    page.get_by_label("E-mail").fill("nia@clinic.example")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").first.click()
    page.wait_for_url("**/team/")
    keep(page, "inbox")
    page.locator("main table a, main a[href*='/team/enquiry/']").first.click()
    keep(page, "card")
    page.goto(server.url + "/team/promises/")
    keep(page, "promises")


if __name__ == "__main__":
    main()
