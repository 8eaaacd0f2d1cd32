"""The session screen in a real browser: it keeps working when the network drops, and loses and doubles nothing."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from reprieve.treatment.limits import Limits
from reprieve.treatment.vitals import Measured, alarms
from reprieve.web.models import Entry
from reprieve.web.models import TreatmentSession as Session
from reprieve.web.sessions import Shown
from tests.web.conftest import PASSWORD
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
from tests.web.test_sessions import GATE, LEAVING, begun, here

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.flaky(reruns=2)]  # a slow machine may be late

TABLET = (820, 1180)


def log_in(page: Page, live_server, email: str = "nia@clinic.example") -> None:
    page.goto(f"{live_server.url}{reverse('account_login')}")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/team/")


def show(page: Page, live_server, session: Session) -> None:
    page.goto(live_server.url + reverse("session", args=[session.pk]))
    expect(page.locator("#kept")).to_have_text("Everything so far is saved on the server.")


def answer(page: Page, answers: dict[str, str]) -> None:
    """Fill in a checklist; an item that this person is not asked is left out."""
    for name, value in answers.items():
        fields = page.locator(f"[name={name}]")
        if fields.count() > 1:
            page.locator(f"[name={name}][value='{value}']").check()
        elif fields.count():
            fields.fill(value)


def write_vitals(page: Page, **figures: float) -> None:
    for name, value in figures.items():
        page.locator(f"form[data-entry=vitals] [name={name}]").fill(str(value))
    page.get_by_role("button", name="Save vitals").click()


def no_bad(page: Page) -> list[str]:
    return [
        words for words in complaints(page) if "ERR_INTERNET_DISCONNECTED" not in words and "ERR_FAILED" not in words
    ]


def test_a_nurse_runs_a_whole_infusion_while_the_network_drops(live_server, nia, ada, as_, ready, desktop):
    session = ready()
    page = desktop(size=TABLET)
    log_in(page, live_server)

    page.goto(live_server.url + reverse("today"))
    page.get_by_role("link", name="Robin Sample").click()
    page.get_by_role("button", name="Open the session").click()
    page.get_by_role("link", name="Answer them").click()
    answer(page, GATE)
    page.get_by_role("button", name="Save the answers").click()
    page.get_by_label("Weight today").fill("82")
    page.get_by_label("Kilograms").check()
    page.get_by_role("button", name="Compute the dose").click()
    expect(page.locator(".steps b")).to_have_text("82 kg x 0.5 mg/kg = 41 mg, which is 4.1 mL of 10 mg/mL")
    page.get_by_label("Second person").select_option(label="Ada, prescriber")
    page.get_by_label("Their own password").fill(PASSWORD)
    page.get_by_role("button", name=re.compile("I have checked 41 mg")).click()
    page.get_by_role("button", name="Start the drip").click()
    expect(page.locator(".phase")).to_have_text("The drip runs: 6.15 mL an hour")

    write_vitals(page, systolic=138, diastolic=86, pulse=80, spo2=97)
    expect(page.locator("#kept")).to_contain_text("Saved on the server")
    page.context.set_offline(True)
    write_vitals(page, systolic=204, diastolic=96, pulse=92, spo2=96)
    expect(page.locator("#kept")).to_contain_text("1 entry waits on this device")
    expect(page.locator("#alarms-here")).to_contain_text("Upper pressure above 200: 204.")
    page.get_by_role("button", name="Stop infusion").click()
    expect(page.locator("#kept")).to_contain_text("2 entries wait on this device")
    expect(page.locator(".phase")).to_contain_text("The drip has stopped: noted on this device")
    assert here(session).phase == "running"
    page.context.set_offline(False)

    expect(page.locator("#kept")).to_contain_text("Saved on the server", timeout=15_000)
    expect(page.locator(".phase")).to_have_text("The drip has stopped")
    alarm = page.locator("[data-live=alarms] .alarm")
    expect(alarm).to_contain_text("Upper pressure above 200: 204")
    alarm.get_by_label("What I did").fill("Stopped, raised the head, called Ada")
    alarm.get_by_role("button", name="I have seen it").click()
    expect(page.locator("[data-live=alarms] .alarm")).to_have_count(0)
    screenshot(page, "session")

    Entry.objects.update(at=F("at") - timedelta(minutes=125))  # two hours later
    page.get_by_role("link", name="Go home?").click()
    answer(page, LEAVING)
    page.get_by_role("button", name="The person leaves").click()
    expect(page.get_by_text("The person has left")).to_be_visible()

    session.refresh_from_db()
    assert session.state == Session.State.ENDED
    assert Counter(session.entries.values_list("kind", flat=True)) == {
        "gate": 1, "dose": 1, "dose_check": 1, "start": 1, "vitals": 3, "stop": 1, "seen": 1, "discharge": 1,
    }  # fmt: skip
    assert no_bad(page) == []
    assert other_hosts(page) == set()


def test_500_entries_through_20_lost_connections_are_all_kept_once(live_server, nia, ada, as_, ready, desktop):
    """Every third time the server takes the entries and only its answer is lost: the browser sends them again."""
    session = begun(ready(), as_(nia), ada)
    page = desktop(size=TABLET)
    log_in(page, live_server)
    show(page, live_server, session)
    chance = random.Random(7)
    lost = {"left": 0}

    def lose_the_answer(route):
        if lost["left"]:
            lost["left"] -= 1
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/entries/", lose_the_answer)
    written = 0
    for turn in range(20):
        if turn % 3 == 2:
            lost["left"] = 1
        else:
            page.context.set_offline(True)
        page.evaluate(
            """async ([from, count]) => {
              const form = document.querySelector("form[data-entry=note]");
              for (let n = from; n < from + count; n++) {
                form.elements.text.value = `note ${n}`;
                form.requestSubmit();
                await new Promise(done => setTimeout(done, 2));
              }
            }""",
            [written, 25],
        )
        written += 25
        page.wait_for_timeout(chance.randint(20, 400))
        page.context.set_offline(False)
        page.wait_for_timeout(chance.randint(20, 600))
    expect(page.locator("#waiting li")).to_have_count(0, timeout=60_000)

    notes = [entry.data["text"] for entry in session.entries.filter(kind="note")]
    assert Counter(notes) == Counter(f"note {n}" for n in range(500))


def test_a_browser_that_is_killed_sends_what_it_kept_when_it_is_opened_again(
    live_server, nia, ada, as_, ready, playwright_again, tmp_path
):
    session = begun(ready(), as_(nia), ada)
    first = playwright_again(tmp_path / "profile")
    page = first.new_page()
    log_in(page, live_server)
    show(page, live_server, session)
    first.set_offline(True)
    write_vitals(page, systolic=141, diastolic=88)
    expect(page.locator("#kept")).to_contain_text("1 entry waits on this device")
    playwright_again.kill()

    page = playwright_again(tmp_path / "profile").new_page()
    log_in(page, live_server)
    page.goto(live_server.url + reverse("session", args=[session.pk]))
    expect(page.locator("#kept")).to_contain_text("Saved on the server", timeout=15_000)

    assert [one.values["systolic"] for one in here(session).readings] == [124, 141]


@pytest.fixture
def playwright_again(chromium):
    """A Chromium with a profile on disk, that can be killed: ``again(folder)``, ``again.kill()``."""
    return Killable(chromium)


class Killable:
    """Starts Chromium on a profile, and kills it as a power cut would."""

    def __init__(self, browser) -> None:
        self.type = browser.browser_type
        self.context = None

    def __call__(self, folder: Path):
        args = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--no-sandbox"]
        self.folder = folder
        self.context = self.type.launch_persistent_context(
            str(folder), executable_path=shutil.which("chromium"), args=args, locale="en-GB"
        )
        return self.context

    def kill(self) -> None:
        found = subprocess.run(["pgrep", "-f", str(self.folder)], capture_output=True, text=True, check=True).stdout
        for pid in found.split():
            os.kill(int(pid), signal.SIGKILL)
        for lock in self.folder.glob("Singleton*"):
            lock.unlink()


def test_unusual_figures_are_asked_again_before_they_are_kept(live_server, nia, ada, as_, ready, desktop):
    session = begun(ready(), as_(nia), ada)
    page = desktop(size=TABLET)
    log_in(page, live_server)
    show(page, live_server, session)

    write_vitals(page, systolic=1320, diastolic=84)
    expect(page.locator(".doubt")).to_contain_text("Upper pressure 1320 mmHg: it is usually 60 to 250.")
    assert len(here(session).readings) == 1
    page.get_by_text("These figures are right").click()
    page.get_by_role("button", name="Save vitals").click()
    expect(page.locator("#kept")).to_contain_text("Saved on the server")

    assert session.entries.filter(kind="vitals", flagged=True).count() == 1


def test_a_log_in_that_ran_out_keeps_entries_until_the_next_one(live_server, nia, ada, as_, ready, desktop):
    session = begun(ready(), as_(nia), ada)
    page = desktop(size=TABLET)
    log_in(page, live_server)
    show(page, live_server, session)
    page.context.clear_cookies()

    write_vitals(page, systolic=133, diastolic=80)
    expect(page.locator("#kept")).to_contain_text("You are logged out", timeout=15_000)
    other = page.context.new_page()
    log_in(other, live_server)
    expect(page.locator("#kept")).to_contain_text("Saved on the server", timeout=25_000)

    assert [one.values["systolic"] for one in here(session).readings] == [124, 133]


def test_two_nurses_see_each_others_entries(live_server, nia, ada, as_, ready, desktop):
    session = begun(ready(), as_(nia), ada)
    nias, adas = desktop(size=TABLET), desktop(size=TABLET)
    log_in(nias, live_server)
    log_in(adas, live_server, "ada@clinic.example")
    show(nias, live_server, session)
    show(adas, live_server, session)

    write_vitals(nias, systolic=135, diastolic=81)
    write_vitals(adas, spo2=95)

    expect(adas.locator("[data-live=entries]")).to_contain_text("135/81 mmHg", timeout=20_000)
    expect(nias.locator("[data-live=entries]")).to_contain_text("oxygen 95", timeout=20_000)


def test_an_event_that_stops_the_drip_is_an_alarm_without_a_network_too(live_server, nia, ada, as_, ready, desktop):
    session = begun(ready(), as_(nia), ada)
    page = desktop(size=TABLET)
    log_in(page, live_server)
    show(page, live_server, session)
    page.context.set_offline(True)

    page.get_by_text("Note an adverse event").click()
    page.get_by_label("What happened?").select_option(label="Chest pain")
    page.get_by_label("Mild: noticed, no help needed").check()
    page.get_by_label("Not better yet").check()
    page.get_by_role("button", name="Save this event").click()

    expect(page.locator("#alarms-here")).to_contain_text("Chest pain. Stop the drip.")
    page.context.set_offline(False)
    expect(page.locator("[data-live=alarms]")).to_contain_text("Chest pain", timeout=20_000)
    assert [alarm.words for alarm in here(session).open_alarms] == ["Chest pain"]


def test_the_browser_and_the_server_raise_the_same_alarms(live_server, nia, ada, as_, ready, desktop):
    """Drawn figures, offline in the browser; the pure room judges the same figures."""
    session = begun(ready(), as_(nia), ada)
    page = desktop(size=TABLET)
    log_in(page, live_server)
    show(page, live_server, session)
    page.context.set_offline(True)
    chance = random.Random(11)
    for _ in range(25):
        drawn = {
            "systolic": chance.choice([120, 180, 181, 200, 201]), "diastolic": chance.choice([80, 110, 111, 119]),
            "spo2": chance.choice([98, 94, 93, 92, 91]), "moaas": chance.choice([5, 4, 3, 2, 1]),
        }  # fmt: skip
        write_vitals(page, **drawn)
    expect(page.locator("#waiting li")).to_have_count(25)
    shown = page.locator("#alarms-here .alarm").evaluate_all("all => all.map(each => each.dataset.alarm)")
    page.context.set_offline(False)
    expect(page.locator("#waiting li")).to_have_count(0, timeout=20_000)

    readings = here(session).readings
    limits = Limits(session.limits.values if session.limits else None)
    on_server = {alarm.key for alarm in alarms([Measured(r.uid, r.at, r.values) for r in readings], limits)}
    assert on_server == set(shown)
    assert len(on_server) > 25


def test_the_screen_is_accessible_small_and_fits(live_server, nia, ada, as_, ready, desktop, phone):
    session = begun(ready(), as_(nia), ada)
    page = desktop(size=TABLET)
    log_in(page, live_server)
    before = bytes_transferred(page)
    show(page, live_server, session)
    page.wait_for_load_state("networkidle")
    assert bytes_transferred(page) - before < 100_000
    write_vitals(page, systolic=204, diastolic=96, spo2=91)
    expect(page.locator("[data-live=alarms] .alarm")).to_have_count(2)

    assert axe(page) == []
    assert not scrolls_sideways(page)
    assert small_targets(page) == []
    for options in ({"size": ZOOMED}, {"dark": True}, {"forced_colours": True}):
        small = phone(**options)
        log_in(small, live_server)
        show(small, live_server, session)
        assert axe(small) == []
        assert not scrolls_sideways(small)
        screenshot(small, f"session-{'-'.join(options)}")


@pytest.mark.parametrize("name", ["today", "courses", "limits", "calendar", "course", "gate", "discharge", "new"])
def test_pages_of_courses_are_accessible_and_fit_a_phone(live_server, nia, ada, as_, ready, phone, desktop, name):
    session = begun(ready(), as_(nia), ada)
    if name == "discharge":
        as_(nia).post(reverse("session-entry", args=[session.pk]), {"kind": "stop"})
    if name == "gate":
        session = session.course.sessions.get(number=2)
        as_(nia).post(reverse("session-open", args=[session.pk]))
    session.course.enquiry.consultations.create(
        by=ada, diagnosis="ptsd", decision="course", reasons="Tried two medicines."
    )
    places = {
        "course": ("course", session.course_id), "gate": ("session-gate", session.pk),
        "discharge": ("session-discharge", session.pk), "new": ("course-new", session.course.enquiry_id),
    }  # fmt: skip
    place, *args = places.get(name, (name,))
    for open_page in (phone, desktop):
        page = open_page()
        log_in(page, live_server, "ada@clinic.example")
        page.goto(live_server.url + reverse(place, args=args))
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

        assert axe(page) == []
        assert not scrolls_sideways(page)
        assert small_targets(page) == []
        assert complaints(page) == []
        screenshot(page, f"{name}-{open_page.__name__}")


def test_the_clock_says_when_a_reading_is_late(live_server, nia, ada, as_, ready, desktop):
    session = begun(ready(), as_(nia), ada)
    Entry.objects.filter(kind__in=["start", "vitals"]).update(at=timezone.now() - timedelta(minutes=14))
    page = desktop(size=TABLET)
    log_in(page, live_server)
    show(page, live_server, session)

    expect(page.locator("#reading-due")).to_have_text("4 min late")
    expect(page.locator("#minutes-run")).to_have_text("14")
    assert Shown.of(session, timezone.now()).is_late
