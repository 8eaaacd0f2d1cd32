"""Before a course in a real browser: signing by mouse, by finger and by name; the second form on a phone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from reprieve.treatment.consent import teach_back
from reprieve.treatment.limits import Limits
from reprieve.web.models import Alert, Consent, Consultation, Draft, Enquiry, LimitSet, PreConsultation
from reprieve.web.models.enquiry import link_token
from reprieve.web.second_form import steps_for
from tests.web.before import CONSULTATION, speaks
from tests.web.conftest import CLEAR
from tests.web.conftest_browser import (
    DESKTOP,
    PHONE,
    axe,
    bytes_transferred,
    complaints,
    other_hosts,
    screenshot,
    scrolls_sideways,
    small_targets,
)
from tests.web.test_consent import take
from tests.web.test_team_in_chromium import log_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.flaky(reruns=2)]  # a slow machine may be late

TABLET = (820, 1180)


@pytest.fixture
def planned(clinic, course, enquiry, ada):
    """A planned course of somebody with a heart finding and medicines that matter."""
    speaks(clinic)
    person = enquiry(conditions=["stent_bypass_valve"], medicine_list=["diazepam 10 mg"])
    LimitSet.sign(ada, dict(Limits()))
    return course(person)


def fill_in(page: Page) -> None:
    """Everything but the signatures."""
    for one in teach_back():
        page.get_by_label(one.question).fill("Said it well.")
    page.get_by_label("How you judged").fill("Understood it, and said it back.")
    page.get_by_label("The person's full name").fill("Robin Sample")


def pad(page: Page, whose: str) -> Any:
    """The pad of one of the two, brought into view, and where it is."""
    canvas = page.get_by_role("img", name=f"Pad for {whose} to sign on")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    return canvas, box


def draw_with_the_mouse(page: Page, whose: str) -> None:
    _, box = pad(page, whose)
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 20 + step * 20, box["y"] + box["height"] * (0.3 + 0.4 * (step % 2)))
    page.mouse.up()


def draw_with_a_finger(page: Page, whose: str) -> None:
    _, box = pad(page, whose)
    wire = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points]
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    touch("touchStart", (0.1, 0.5))
    for step in range(1, 10):
        touch("touchMove", (0.1 + step * 0.08, 0.5 + 0.3 * (-1) ** step))
    touch("touchEnd")


def opened(page: Page, live_server: Any, name: str, pk: int) -> Page:
    log_in(page, live_server)
    page.goto(live_server.url + reverse(name, args=[pk]))
    return page


def looks_right(page: Page, name: str) -> None:
    """A picture to look at, and what a machine can tell of it."""
    screenshot(page, name)
    found = axe(page)
    assert found == [], found
    assert not scrolls_sideways(page)
    assert small_targets(page) == []
    assert other_hosts(page) == set()
    assert complaints(page) == []


def test_signing_with_the_mouse(live_server, planned, desktop):
    page = opened(desktop(), live_server, "consent", planned.pk)
    fill_in(page)
    draw_with_the_mouse(page, "the person")
    draw_with_the_mouse(page, "you")
    screenshot(page, "consent-drawn")

    page.get_by_role("button", name="Keep both signatures").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Consent: in force")
    kept = Consent.objects.get()
    points = [point for stroke in kept.person_signature["strokes"] for point in stroke]
    assert len(points) >= 10
    assert all(0 <= part <= 1 for point in points for part in point)
    looks_right(page, "consent-signed")


def test_signing_with_a_finger_on_a_tablet(live_server, planned, desktop):
    page = opened(desktop(size=TABLET, has_touch=True), live_server, "consent", planned.pk)
    fill_in(page)
    draw_with_a_finger(page, "the person")
    draw_with_a_finger(page, "you")

    page.get_by_role("button", name="Keep both signatures").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Consent: in force")
    assert len(Consent.objects.get().clinician_signature["strokes"][0]) >= 8
    address = page.get_by_role("link", name="What was signed (PDF)").get_attribute("href")
    content = page.request.get(live_server.url + str(address)).body()
    assert len(PdfReader(io.BytesIO(content)).pages) >= 2


def test_a_pad_is_cleared_and_kept_through_an_error(live_server, planned, desktop):
    page = opened(desktop(), live_server, "consent", planned.pk)
    fill_in(page)
    draw_with_the_mouse(page, "the person")
    draw_with_the_mouse(page, "you")
    drawn = page.locator("input[name=person_strokes]").input_value()
    page.get_by_role("button", name="Clear the pad").last.click()
    assert page.locator("input[name=clinician_strokes]").input_value() == ""

    page.get_by_role("button", name="Keep both signatures").click()

    expect(page.locator("#error-summary")).to_contain_text("Sign by drawing on the pad, or by typing the name")
    kept = page.locator("input[name=person_strokes]").input_value()
    assert drawn.replace(" ", "") == kept.replace(" ", "")
    page.get_by_label("Or type your name to sign").fill("Ada")
    page.get_by_role("button", name="Keep both signatures").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Consent: in force")


def test_signing_by_name_without_script(live_server, planned, desktop):
    page = opened(desktop(java_script=False), live_server, "consent", planned.pk)
    fill_in(page)
    page.get_by_label("Or type the name to sign").fill("Robin Sample")
    page.get_by_label("Or type your name to sign").fill("Ada")

    page.get_by_role("button", name="Keep both signatures").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Consent: in force")
    assert Consent.objects.get().person_signature == {"typed": "Robin Sample"}


@pytest.mark.parametrize("size", [DESKTOP, TABLET, PHONE])
def test_the_pages_of_the_team_on_every_screen(live_server, planned, desktop, ada, size):
    planned.enquiry.decide(ada, planned.enquiry.version, "consult", "Let us meet.", timezone.now())
    PreConsultation.ask(ada, planned.enquiry, timezone.now())
    page = opened(desktop(size=size), live_server, "consent", planned.pk)
    looks_right(page, f"consent-{size[0]}")

    page.goto(live_server.url + reverse("baseline", args=[planned.pk]))
    page.get_by_label("First reading, upper pressure").fill("150")
    page.get_by_label("PCL-5").select_option("done")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("150 mmHg; the limit is at most 140.")).to_be_visible()
    looks_right(page, f"baseline-{size[0]}")

    page.goto(live_server.url + reverse("consultation", args=[planned.enquiry_id]))
    looks_right(page, f"consultation-{size[0]}")
    for name, value in CONSULTATION.items():
        field = page.locator(f"[name={name}]")
        if name.startswith("offered") or name in ("diagnosis", "decision"):
            (page.locator(f"[name={name}][value={value}]") if field.count() > 1 else field).check()
        elif name != "seen":
            field.fill(str(value))
    page.get_by_role("button", name="Keep it, in my name").click()
    expect(page.get_by_text("41 of 80")).to_be_visible()
    looks_right(page, f"consultation-kept-{size[0]}")
    assert Consultation.objects.count() == 1

    page.goto(live_server.url + reverse("card", args=[planned.enquiry_id]))
    looks_right(page, f"card-before-{size[0]}")


@pytest.mark.parametrize("java_script", [True, False])
def test_the_second_form_on_a_phone(live_server, clinic, enquiry, ada, phone, java_script):
    person = enquiry()
    token = PreConsultation.ask(ada, person, timezone.now()).token
    page = phone(java_script=java_script)
    page.goto(live_server.url + reverse("before", args=[token]))
    page.get_by_label("What year were you born?").fill("1986")
    page.get_by_role("button", name="Go on").click()
    if java_script:  # axe-core needs it
        looks_right(page, "second-start")
    page.get_by_role("link", name="Start").click()

    for step in steps_for(person.answers):
        expect(page).to_have_url(live_server.url + reverse("before-question", args=[token, step.slug]))
        if java_script:
            looks_right(page, f"second-{step.slug}")
        if step.instrument:
            which = "last" if step.slug == "dast10" else "first"  # yes stands first there
            for group in page.locator("fieldset").all():
                getattr(group.locator("input"), which).check()
        page.get_by_role("button", name="Save and continue").click()
        if page.locator("#error-summary").count():
            page.get_by_role("button", name="Save and continue").click()
    assert not scrolls_sideways(page)
    screenshot(page, f"second-check-{java_script}")
    page.get_by_role("button", name="Send to the team").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. We have your answers.")
    assert PreConsultation.objects.get().answers["pcl5"] == [0] * 20
    assert bytes_transferred(page) < 60_000 * (len(steps_for(person.answers)) + 3)


def test_the_person_withdraws_on_a_phone(live_server, clinic, ada, course, phone, as_):
    speaks(clinic)
    draft = Draft.new_token()
    person = Enquiry.receive(draft, CLEAR, timezone.now(), clinic)
    take(ada, as_, course(person), clinic)
    page = phone()
    page.goto(live_server.url + reverse("status", args=[link_token(draft)]))
    page.get_by_role("link", name="Withdraw my consent").click()
    looks_right(page, "withdraw-phone")

    page.get_by_role("button", name="Withdraw my consent").click()

    expect(page.get_by_text("Your consent is withdrawn.")).to_be_visible()
    assert Alert.objects.get().kind == Alert.Kind.CONSENT
    looks_right(page, "status-withdrawn")
