"""From the README's demo to the end of the story: one infusion, one short form, one alert, on the real server.

The network drops and the server is killed in the middle of it; nothing that was acknowledged is lost.
"""

from __future__ import annotations

import io
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.web.conftest_browser import axe, complaints, other_hosts
from tests.web.server import Server
from tests.web.test_sessions import GATE, LEAVING
from tests.web.test_sessions_in_chromium import TABLET, answer, write_vitals

NO_QUIET_HOURS = """
import django; django.setup()
from reprieve.web.models import Clinic
Clinic.objects.update(quiet_from="03:00", quiet_until="03:00")
"""
ROOMY = (1280, 860)


class Mailbox:
    """Keeps what the mail server took."""

    def __init__(self) -> None:
        self.letters = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.letters.append(message_from_bytes(envelope.content))
        return "250 OK"

    def links(self, to: str) -> list[str]:
        """Addresses in the mails to a person, the newest last."""
        texts = [letter.get_payload(decode=True).decode() for letter in self.letters if to in str(letter["To"])]
        return [found for text in texts for found in re.findall(r"http://\S+/measure/\w+/", text)]


pytestmark = pytest.mark.flaky(reruns=1)  # a slow machine may be late


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """A mail server and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def clinic_of_the_demo(data_dir, mailbox) -> Iterator[tuple[Server, dict[str, str]]]:
    """`reprieve demo-data`, then `reprieve serve`; no hour is quiet, so that mails go out whenever the test runs."""
    data_dir.mkdir()
    server = Server(data_dir, REPRIEVE_SMTP_URL=f"smtp://127.0.0.1:{mailbox[1]}")
    logins = server.reprieve("demo-data")
    subprocess.run([sys.executable, "-c", NO_QUIET_HOURS], env=server.environment, check=True)
    server.start()
    yield server, {line.split()[-2].partition("@")[0]: line.split()[-1] for line in logins.splitlines()}
    server.stop()


def log_in(page: Page, server: Server, who: str, password: str) -> Page:
    page.set_default_timeout(30_000)  # the server is a process of its own, and may wait for its turn
    page.goto(server.url + "/team/")
    page.get_by_label("E-mail").fill(f"{who}@clinic.example")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/team/")
    return page


def drug_row(page: Page, ml: str, **more: str) -> None:
    page.locator("main form [name$=ml]").first.fill(ml)
    for name, value in more.items():
        field = page.locator(f"main form [name$={name}]").first
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
    page.locator("main form button").first.click()


def pdf(page: Page, address: str) -> str:
    """All words of a PDF."""
    answer = page.context.request.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    return " ".join(part.extract_text() for part in PdfReader(io.BytesIO(answer.body())).pages)


def test_an_infusion_a_short_form_and_an_alert(clinic_of_the_demo, mailbox, desktop, phone):
    server, passwords = clinic_of_the_demo
    nia = log_in(desktop(size=TABLET), server, "nia", passwords["nia"])
    nia.goto(server.url + "/team/today/")
    name = nia.locator("main a.person").first.inner_text()
    nia.locator("main a.person").first.click()

    # before the drip
    nia.get_by_role("button", name="Open the session").click()
    nia.get_by_role("link", name="Answer them").click()
    answer(nia, GATE | {"pregnancy_test": "negative", "lower_start": "done"})
    nia.get_by_role("button", name="Save the answers").click()
    nia.get_by_label("Weight today").fill("80")
    nia.get_by_label("Kilograms").check()
    nia.get_by_role("button", name="Compute the dose").click()
    nia.get_by_label("Second person").select_option(label="Ada Prescriber, prescriber")
    nia.get_by_label("Their own password").fill(passwords["ada"])
    nia.get_by_role("button", name=re.compile("I have checked 40 mg in 4 mL")).click()
    session = nia.url
    nia.get_by_role("link", name="Draw up for this session").click()
    nia.locator("table a", has_text="Draw up").first.click()
    drug_row(nia, "5")

    # the drip: a killed server, then no network, and an alarm
    nia.goto(session)
    nia.get_by_role("button", name="Start the drip").click()
    expect(nia.locator(".phase")).to_have_text("The drip runs: 6 mL an hour")
    server.kill()
    write_vitals(nia, systolic=138, diastolic=86, pulse=80, spo2=97)
    expect(nia.locator("#kept")).to_contain_text("1 entry waits on this device")
    server.start()
    expect(nia.locator("#kept")).to_contain_text("Saved on the server", timeout=30_000)
    nia.context.set_offline(True)
    write_vitals(nia, systolic=204, diastolic=98, pulse=92, spo2=96)
    expect(nia.locator("#alarms-here")).to_contain_text("Upper pressure above 200: 204.")
    nia.get_by_role("button", name="Stop infusion").click()
    expect(nia.locator("#kept")).to_contain_text("2 entries wait on this device")
    nia.context.set_offline(False)
    expect(nia.locator(".phase")).to_have_text("The drip has stopped", timeout=30_000)
    alarm = nia.locator("[data-live=alarms] .alarm")
    alarm.get_by_label("What I did").fill("Stopped, raised the head, called Ada")
    alarm.get_by_role("button", name="I have seen it").click()
    expect(nia.locator("[data-live=alarms] .alarm")).to_have_count(0)
    assert axe(nia) == []

    # the log balances, with a witness
    nia.get_by_role("link", name="Write down what was given").first.click()
    drug_row(nia, "0.1")
    nia.goto(session)
    nia.get_by_role("link", name="Write down what was wasted").first.click()
    drug_row(nia, "4.9", witness="Ada Prescriber", password=passwords["ada"])
    nia.goto(session)
    expect(nia.locator("dl", has_text="Not accounted for")).to_contain_text("nothing")

    # leaving
    assert "Jo Example" in pdf(nia, session + "after-care.pdf")
    nia.get_by_role("link", name="Go home?").click()
    answer(nia, LEAVING)
    nia.get_by_role("button", name="The person leaves").click()
    expect(nia.locator("#error-summary")).to_contain_text("0 min; the limit is at least 120.")
    answer(nia, LEAVING | {"override": "A test cannot wait for two hours."})
    nia.get_by_role("button", name="The person leaves").click()
    expect(nia.get_by_text("The person has left")).to_be_visible()

    # the short form, on a phone, worse than ever
    nia.get_by_role("link", name="The course", exact=True).click()
    nia.get_by_role("navigation", name="This course").get_by_role("link", name="Measures").click()
    nia.get_by_role("link", name="PCL-5").locator("visible=true").first.wait_for()
    person = name.lower().replace(" ", ".")
    for _ in range(120):
        if mailbox[0].links(person):
            break
        nia.wait_for_timeout(500)
    page = phone()
    page.goto(mailbox[0].links(person)[-1])
    page.get_by_label("What year were you born?").fill("1986")
    page.get_by_role("button", name="Go on").click()
    while page.locator("input[type=radio]").count():
        assert axe(page) == []
        for group in page.locator("main fieldset").all():
            group.locator("input[value='4']").check()
        page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Send to the team").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. We have your answers.")

    # the alert reaches its owner and is answered
    for _ in range(60):
        if any("A course needs your answer" in str(letter["Subject"]) for letter in mailbox[0].letters):
            break
        page.wait_for_timeout(500)
    told = [letter for letter in mailbox[0].letters if "A course needs your answer" in str(letter["Subject"])]
    assert {str(letter["To"]) for letter in told} == {"ada@clinic.example"}
    assert name not in told[-1].get_payload(decode=True).decode()
    ada = log_in(desktop(size=ROOMY), server, "ada", passwords["ada"])
    ada.goto(server.url + "/team/alerts/")
    ada.get_by_role("row", name=re.compile(name)).get_by_role("link").first.click()
    ada.locator("textarea").fill("Called. Safe. Seen tomorrow; the course pauses.")
    ada.locator("main form button").first.click()
    expect(ada.get_by_text("Kept. Nobody is told of it again.")).to_be_visible()

    # papers open, and the record is whole
    ada.goto(server.url + "/team/course/1/consent/")
    assert name in pdf(ada, server.url + ada.locator("a[href$='.pdf']").first.get_attribute("href"))
    assert "DEMO-7" in pdf(ada, server.url + "/team/drugs/log.pdf")
    assert json.loads(server.reprieve("check", "--json"))["problems"] == []
    for opened in (nia, page, ada):
        assert other_hosts(opened) == set()
        assert [words for words in complaints(opened) if "net::ERR_" not in words] == []
