"""The team's way through the pages, in a real browser, with nothing mocked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from reprieve.web.models import Attempt, Clinic, Enquiry, Invitation, Member, Notice
from tests.web.conftest import CLEAR, PASSWORD, PLAN
from tests.web.conftest_browser import (
    DESKTOP,
    PHONE,
    ZOOMED,
    axe,
    complaints,
    other_hosts,
    screenshot,
    scrolls_sideways,
    small_targets,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.flaky(reruns=2)]  # a slow machine may be late

ADA = "ada@clinic.example"


def code_now(secret: str, steps: int = 0) -> str:
    """What a code app shows now, or ``steps`` half minutes on."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def log_in(page: Page, live_server: Any, email: str = ADA) -> None:
    page.goto(f"{live_server.url}{reverse('account_login')}")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def still_you(page: Page) -> None:
    """Answer the question that stands before every change to one's log-in."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it still you?")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def test_from_the_invitation_to_a_decision(live_server, clinic, enquiry, phone):
    person = enquiry(PLAN)
    token = Invitation.issue()
    page = phone()

    page.goto(live_server.url + reverse("join", args=[token]))
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Work e-mail").fill(ADA)
    page.get_by_label("Prescriber").check()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your log-in")
    page.get_by_role("link", name="Set up a code app").click()
    secret = page.locator(".secret").inner_text()
    page.get_by_label("Code").fill(code_now(secret))
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Spare codes: 10 of 10 left")

    page.get_by_role("link", name="Checklist").click()
    page.get_by_role("button", name=re.compile("I have checked it")).first.click()
    expect(page.get_by_text("Checked, in your name.")).to_be_visible()

    page.get_by_role("link", name="Inbox").click()
    expect(page).to_have_title("Inbox: 1 waiting, 0 late – Harbour Clinic")
    page.get_by_role("link", name="Robin Sample").click()
    expect(page.get_by_text("Act first.")).to_be_visible()
    assert page.get_by_role("link", name="+1 203 555 0142").get_attribute("href") == "tel:+12035550142"

    call = page.locator("form", has=page.get_by_role("heading", name="Log a call"))
    call.get_by_label("Phone").check()
    call.get_by_label("Spoke with the person").check()
    call.get_by_label("Note").fill("Safe at a friend's. Plan made together.")
    call.get_by_role("button").click()
    expect(page.get_by_text("Logged.")).to_be_visible()

    page.get_by_label("Hand over to").select_option(label="Ada, prescriber")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("It is yours now.")).to_be_visible()

    page.get_by_label("Not now").check()
    page.get_by_label("What the person will read").fill("We look at this again together in a month.")
    page.get_by_role("button", name="Decide, in my name").click()
    expect(page.get_by_text("Decided. The person can read your words now.")).to_be_visible()

    person.refresh_from_db()
    assert (person.decision, person.decided_by.name, person.kept) == ("not_now", "Ada", True)
    assert person.attempts.get().note == "Safe at a friend's. Plan made together."
    assert complaints(page) == []
    assert other_hosts(page) == set()


def test_log_in_with_a_code_from_the_app(live_server, ada, second_step, desktop):
    secret = second_step(ada)
    page = desktop()

    log_in(page, live_server)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator("#error-summary")).to_be_focused()
    page.get_by_label("Code").fill(code_now(secret))
    page.get_by_role("button", name="Log in", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Inbox: 0 waiting, 0 late")


def test_a_passkey_alone_opens_the_inbox(live_server, ada, second_step, desktop):
    """The browser's own virtual key stands in for a finger on a sensor; everything else is real."""
    host = live_server.url.replace("127.0.0.1", "localhost")
    page = desktop()
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options | {"isUserVerified": True}})

    page.goto(host + reverse("account_login"))
    page.get_by_label("E-mail").fill(ADA)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.goto(host + reverse("mfa_add_webauthn"))
    still_you(page)
    page.get_by_label("Name of the passkey").fill("work telephone")
    page.get_by_label("Log in with it alone").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Spare codes")
    page.get_by_role("button", name="Log out").click()

    page.goto(host + reverse("account_login"))
    page.get_by_role("button", name="Log in with a passkey").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Inbox: 0 waiting, 0 late")


def test_two_people_write_to_one_enquiry(live_server, ada, nia, enquiry, desktop):
    enquiry()
    first, second = desktop(), desktop()
    for page, email in ((first, ADA), (second, "nia@clinic.example")):
        log_in(page, live_server, email)
        page.get_by_role("link", name="Robin Sample").click()
    first.get_by_label("Hand over to").select_option(label="Ada, prescriber")
    first.get_by_role("button", name="Hand over").click()

    second.get_by_label("What the person will read").fill("Please come on Tuesday at ten.")
    second.get_by_label("Consultation offered").check()
    second.get_by_role("button", name="Decide, in my name").click()

    expect(second.get_by_role("alert")).to_contain_text("Not saved.")
    expect(second.get_by_role("alert")).to_contain_text(re.compile(r"Ada, .*: handed over \(to ada\)"))
    expect(second.get_by_label("What the person will read")).to_have_value("Please come on Tuesday at ten.")
    assert Enquiry.objects.get().decision == ""
    second.get_by_role("button", name="Decide, in my name").click()
    expect(second.get_by_text("Decided. The person can read your words now.")).to_be_visible()


def test_the_list_says_how_many_are_new_and_stays_put(live_server, ada, enquiry, desktop):
    enquiry(name="Kim First")
    page = desktop()
    page.clock.install()
    log_in(page, live_server)
    expect(page.get_by_role("link", name="Kim First")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the script that asks has run

    enquiry(name="Lee Second")
    enquiry(name="Max Third")
    page.clock.run_for(31_000)
    expect(page.get_by_role("link", name="Update list (2 new)")).to_be_visible()
    assert page.get_by_role("link", name="Lee Second").count() == 0
    page.get_by_role("link", name="Update list (2 new)").click()
    expect(page.get_by_role("link", name="Lee Second")).to_be_visible()


def busy(clinic: Clinic, enquiry: Callable[..., Enquiry], ada: Member, nia: Member) -> dict[str, Enquiry]:
    """A clinic in the middle of a day: one late, one blank, one with everything, one closed, one to erase."""
    now = timezone.now()
    blank = {"contact_details": CLEAR["contact_details"]}
    cases = {
        "late": enquiry(PLAN, name="Alex Late", at=now - timedelta(hours=1)),
        "blank": enquiry(blank, name="Bertrand Featherstonehaugh-Cholmondeley"),
        "full": enquiry(
            name="Casey Full",
            conditions=["bp_high_or_unknown", "none"],
            medicine_list=["xanax 1 mg", "blue pill", "lithium"],
            substances=["cannabis_weekly"],
            mind_recent=["loses_time"],
        ),
        "closed": enquiry(name="Dana Closed"),
        "erase": enquiry(name="Erin Gone"),
    }
    full, closed, erase = cases["full"], cases["closed"], cases["erase"]
    full.log_attempt(nia, full.version, "phone", Attempt.Outcome.NO_ANSWER, "Rang out twice.", now + timedelta(hours=3))
    full.hand_over(nia, full.version, ada)
    found = next(f for f in full.assessment["findings"] if f["category"] == "exclude_until_reviewed")
    full.rule_out(ada, full.version, found["criterion_id"], "Measured 122/78 today, on both arms.")
    full.refer(ada, full.version, "Riverside trauma therapy", now.date() + timedelta(days=14))
    for one in (closed, erase):
        one.log_attempt(nia, one.version, "phone", Attempt.Outcome.REACHED)
        one.decide(ada, one.version, "consult", "Please come on Tuesday.\nBring somebody you trust.", now)
    erase.ask_for_erasure(now)
    Notice.objects.create(
        enquiry=full, member=nia, kind="new", channel="email", tries=3, problem="ConnectionRefusedError"
    )
    Notice.objects.create(enquiry=full, member=ada, kind="late", channel="apprise", tries=12, state="given_up")
    return cases


LOOKS = {
    "phone": {"size": PHONE},
    "phone-dark": {"size": PHONE, "dark": True},
    "desktop": {"size": DESKTOP},
    "desktop-dark": {"size": DESKTOP, "dark": True},
    "zoomed": {"size": ZOOMED},
    "forced": {"size": DESKTOP, "forced_colours": True},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_reads_well(live_server, clinic, enquiry, ada, nia, cleo, pia, second_step, desktop, look):
    cases = busy(clinic, enquiry, ada, nia)
    pages = {
        "inbox": reverse("inbox"),
        "inbox-closed": reverse("inbox") + "?state=closed",
        "inbox-nothing": reverse("inbox") + "?urgency=0&owner=me&late=1",
        **{f"card-{name}": reverse("card", args=[one.pk]) for name, one in cases.items()},
        "promises": reverse("promises"),
        "notices": reverse("notices"),
        "members": reverse("members"),
        "member": reverse("member", args=[nia.pk]),
        "clinic": reverse("clinic"),
        "checklist": reverse("checklist"),
        "your-log-in": reverse("mfa_index"),
        "still-you": reverse("account_reauthenticate"),
        "code-app": reverse("mfa_activate_totp"),
        "passkey": reverse("mfa_add_webauthn"),
        "password": reverse("account_change_password"),
        "log-out": reverse("account_logout"),
    }
    privacy = {
        "erasures": reverse("erasures"),
        "erase": reverse("erase", args=[cases["erase"].pk]),
        "audit": reverse("audit"),
    }
    stranger = {
        "log-in": reverse("account_login"),
        "forgotten": reverse("account_reset_password"),
        "join": reverse("join", args=[Invitation.issue()]),
        "join-ended": reverse("join", args=["nothing"]),
    }
    wrong = []
    for who, addresses in (("", stranger), (ADA, pages), ("pia@clinic.example", privacy)):
        page = desktop(**LOOKS[look])
        if who:
            log_in(page, live_server, who)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
        for name, address in addresses.items():
            page.goto(live_server.url + address)
            screenshot(page, f"team-{name}-{look}")
            wrong += [f"{name}: {finding}" for finding in axe(page)]
            wrong += [f"{name} scrolls sideways"] * scrolls_sideways(page)
            wrong += [f"{name}: small {target}" for target in small_targets(page)] if look == "phone" else []
            if name == "still-you":
                page.goto(f"{live_server.url}{reverse('account_reauthenticate')}?next={reverse('mfa_index')}")
                still_you(page)
        wrong += [error for error in complaints(page) if "404" not in error]
    assert wrong == []
