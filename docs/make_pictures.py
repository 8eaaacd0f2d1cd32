"""The pictures of the documentation, taken from the running fictional clinic: `make pictures`.

They are made by a script so that they never show what is no longer there.
"""

from __future__ import annotations

import os
import re
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
TABLET = {"width": 820, "height": 1180}
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
        passwords = {line.split()[-2].partition("@")[0]: line.split()[-1] for line in logins.splitlines()}
        work(browser.new_page(viewport=DESKTOP, locale="en-GB"), server, passwords["nia"])
        treat(browser.new_page(viewport=TABLET, locale="en-GB"), server, passwords)
        follow(browser.new_page(viewport=DESKTOP, locale="en-GB"), server, passwords["ada"])
        answer(browser.new_page(viewport=PHONE, locale="en-GB"), server)
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
    """Log in as the nurse and look at the inbox, a candidacy card, a planned course and the team page."""
    log_in(page, server, "nia", password)
    keep(page, "inbox")
    page.locator("main table a, main a[href*='/team/enquiry/']").first.click()
    keep(page, "card")
    page.get_by_role("link", name="Exposure").click()
    plan(page)
    keep(page, "exposure", whole=True)
    page.goto(server.url + "/team/promises/")
    keep(page, "promises")


def log_in(page: Page, server: Server, who: str, password: str) -> None:
    """Log in, to the inbox."""
    page.goto(server.url + "/team/")
    page.get_by_label("E-mail").fill(f"{who}@clinic.example")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").first.click()
    page.wait_for_url("**/team/")


def treat(page: Page, server: Server, passwords: dict[str, str]) -> None:
    """Run today's session as the nurse, up to the first readings, then look at the drug log."""
    log_in(page, server, "nia", passwords["nia"])
    page.goto(server.url + "/team/today/")
    keep(page, "today")
    page.locator("main a.person").first.click()
    page.get_by_role("button", name="Open the session").click()
    page.get_by_role("link", name="Answer them").click()
    for name, value in GATE.items():
        fields = page.locator(f'[name="{name}"]')
        if fields.count() > 1:
            page.locator(f'[name="{name}"][value="{value}"]').check()
        elif fields.count():
            fields.fill(value)
    keep(page, "gate")
    page.get_by_role("button", name="Save the answers").click()
    page.get_by_label("Weight today").fill("80")
    page.get_by_label("Kilograms").check()
    page.get_by_role("button", name="Compute the dose").click()
    page.get_by_label("Second person").select_option(index=1)
    page.get_by_label("Their own password").fill(passwords["ada"])
    page.get_by_role("button", name="I have checked").click()
    page.get_by_role("button", name="Start the drip").click()
    page.get_by_text("The drip runs").wait_for()
    for name, value in {"systolic": "186", "diastolic": "92", "pulse": "84", "spo2": "97", "moaas": "5"}.items():
        page.locator(f'form[data-entry="vitals"] [name="{name}"]').fill(value)
    page.get_by_role("button", name="Save vitals").click()
    page.locator("[data-live=alarms] .alarm").wait_for()
    page.wait_for_load_state("networkidle")
    keep(page, "session-tablet")
    page.goto(server.url + "/team/drugs/")
    keep(page, "drugs")


def follow(page: Page, server: Server, password: str) -> None:
    """Look as the prescriber at consent, limits, alerts, a timeline and the results."""
    log_in(page, server, "ada", password)
    places = {
        "limits": "limits/",
        "consent": "course/1/consent/",
        "alerts": "alerts/",
        "timeline": "course/2/timeline/",
    }
    for name, place in (places | {"measures": "measures/", "results": "results/"}).items():
        page.goto(f"{server.url}/team/{place}")
        page.wait_for_load_state("networkidle")
        keep(page, name)


def answer(page: Page, server: Server) -> None:
    """Open the short form that was sent by mail, on a phone; without a mail server its text stands in the log."""
    for _ in range(60):
        found = re.search(r"http://\S+/measure/\w+/", server.log.read_text())
        if found:
            break
        page.wait_for_timeout(500)
    assert found, "no short form was sent; look at the quiet hours of the fictional clinic"
    page.goto(found[0])
    page.locator("main input[type=text]").fill("1986")
    page.get_by_role("button", name="Go on").click()
    keep(page, "measure-phone")


GATE = {
    "systolic": "124", "diastolic": "78", "pulse": "70", "spo2": "98", "food_h": "9", "fluids_h": "3",
    "escort_name": "Jo Example", "escort_phone": "555 0199", "pregnancy_test": "negative", "sober": "yes",
    "medicines_today": "none", "stimulant": "none", "suicide_check": "none", "mood_check": "done", "new_signs": "no",
    "bladder": "no", "craving": "no", "equipment": "yes", "consent": "yes", "lower_start": "done",
}  # fmt: skip


def plan(page: Page) -> None:
    """Compute a planned course from two readings."""
    read = {"weight_kg": "82", "rest_systolic": "124", "rest_diastolic": "78"}
    read |= {
        "minute_1": "20",
        "systolic_1": "146",
        "diastolic_1": "88",
        "minute_2": "40",
        "systolic_2": "149",
        "cadss_2": "30",
    }
    for name, value in read.items():
        page.locator(f'[name="{name}"]').fill(value)
    page.get_by_role("button", name="Compute").click()


if __name__ == "__main__":
    main()
