"""A nurse's way through the drug log, in a real browser, with nothing mocked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from reprieve.web.models import LimitSet, Lot, StockEntry
from tests.web.conftest import PASSWORD
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
from tests.web.test_team_in_chromium import log_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.flaky(reruns=2)]  # a slow machine may be late

NIA = "nia@clinic.example"
KINDS = StockEntry.Kind


def test_from_the_delivery_to_a_witnessed_waste_and_a_row_taken_back(live_server, ada, nia, course, phone):
    session = course().sessions.first()
    page = phone()

    log_in(page, live_server, NIA)
    page.get_by_role("link", name="Drugs").click()
    page.get_by_role("link", name="write down the delivery").click()
    page.get_by_label("Lot number").fill("K1")
    page.get_by_label("Drug", exact=True).fill("Ketamine")
    page.get_by_label("Strength, mg in 1 mL").fill("50")
    page.get_by_label("mL in a vial").fill("10")
    page.get_by_label("Good until").fill("2099-01-31")
    page.get_by_label("How many vials came").fill("5")
    page.get_by_role("button", name="Write down the delivery").click()
    expect(page.get_by_text("Received: 50.00 mL (2500 mg).")).to_be_visible()

    page.goto(f"{live_server.url}{reverse('drugs')}?session={session.pk}")
    page.get_by_role("link", name="Draw up from lot K1").click()
    expect(page.get_by_label("Session")).to_have_value(str(session.pk))
    page.get_by_label("mL", exact=True).fill("70")
    expect(page.get_by_text("70 mL is 3500 mg")).to_be_visible()
    page.get_by_role("button", name="Write down what was drawn").click()
    expect(page.locator("#error-summary")).to_be_focused()
    page.get_by_label("mL", exact=True).fill("0.70")
    page.get_by_role("button", name="Write down what was drawn").click()
    expect(page.get_by_text("Drawn up: 0.70 mL (35 mg).")).to_be_visible()

    page.get_by_role("link", name="Write down what was given").click()
    page.get_by_label("mL", exact=True).fill("0.60")
    page.get_by_role("button", name="Write down what was given").click()
    page.get_by_role("link", name="Write down what was wasted").click()
    page.get_by_label("mL", exact=True).fill("0.10")
    page.get_by_label("Witness", exact=True).select_option(label="Ada")
    page.get_by_label("The witness's own password").fill(PASSWORD)
    page.get_by_role("button", name="Write down what was wasted").click()
    expect(page.get_by_text("Wasted: 0.10 mL (5 mg).")).to_be_visible()
    expect(page.get_by_text("witness Ada")).to_be_visible()

    page.get_by_role("link", name="Take back row").first.click()
    page.get_by_label("Why is it wrong?").fill("It was 0.08.")
    page.get_by_role("button", name="Take back row").click()
    expect(page.get_by_text("is taken back. Write the right one now")).to_be_visible()

    rows = [(entry.kind, entry.ml) for entry in StockEntry.objects.all()]
    assert [kind for kind, _ in rows] == ["receipt", "drawn", "given", "wasted", "reversal"]
    assert complaints(page) == []
    assert other_hosts(page) == set()


LOOKS = {
    "phone": {"size": PHONE},
    "phone-dark": {"size": PHONE, "dark": True},
    "desktop": {"size": DESKTOP},
    "zoomed": {"size": ZOOMED},
    "forced": {"size": DESKTOP, "forced_colours": True},
}


def busy(ada, nia, course):
    """Lots of each kind, a session that does not add up, a count that differs, a row taken back."""

    def keep(lot, kind, ml, **more):
        return StockEntry.keep(nia, lot, kind, Decimal(ml), **{"uid": uuid4()} | more)

    first, second, *_ = course().sessions.all()
    lot = Lot.add(nia, "KET-2207-A", "Ketamine hydrochloride", Decimal(50), Decimal(10), date(2099, 1, 31))
    keep(lot, KINDS.RECEIPT, "100", note="Delivery note 4711")
    keep(lot, KINDS.DRAWN, "7.00", session=first).reverse(nia, "Slipped point: it was 0.70.", uid=uuid4())
    keep(lot, KINDS.DRAWN, "0.70", session=first)
    keep(lot, KINDS.GIVEN, "0.60", session=first)
    first.open(nia, first.version, LimitSet.sign(ada, {}), timezone.now())
    first.close(nia, first.version, 30.0, timezone.now())
    keep(lot, KINDS.DRAWN, "0.80", session=second)
    keep(lot, KINDS.GIVEN, "0.70", session=second)
    wasted = keep(lot, KINDS.WASTED, "0.05", session=second, witness=ada, note="Left in the syringe.")
    keep(lot, KINDS.INVENTORY, "98.40")
    old = Lot.add(nia, "KET-1903-C", "Ketamine hydrochloride", Decimal(10), Decimal(20), date(2020, 1, 31))
    keep(old, KINDS.RECEIPT, "40")
    gone = Lot.add(nia, "KET-2001-B", "Ketamine hydrochloride", Decimal(100), Decimal(5), date(2099, 5, 31))
    keep(gone, KINDS.RECEIPT, "5")
    keep(gone, KINDS.RETURNED, "5")
    return lot, second, wasted


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_reads_well(live_server, ada, nia, course, desktop, look):
    lot, session, wasted = busy(ada, nia, course)
    chosen = f"?session={session.pk}"
    pages = {
        "drugs": reverse("drugs"),
        "session": reverse("drugs") + chosen,
        "delivery": reverse("drug-delivery"),
        "lot": reverse("drug-lot", args=[lot.pk]) + chosen,
        "draw": reverse("drug-draw", args=[lot.pk]) + chosen,
        "waste": reverse("drug-waste", args=[lot.pk]) + chosen,
        "count": reverse("drug-count", args=[lot.pk]),
        "take-back": reverse("drug-take-back", args=[wasted.pk]),
        "log": reverse("drug-log"),
        "log-wrong": reverse("drug-log") + "?from=soon",
    }
    page = desktop(**LOOKS[look])
    log_in(page, live_server, NIA)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    wrong = []
    for name, address in pages.items():
        page.goto(live_server.url + address)
        screenshot(page, f"drugs-{name}-{look}")
        wrong += [f"{name}: {finding}" for finding in axe(page)]
        wrong += [f"{name} scrolls sideways"] * scrolls_sideways(page)
        wrong += [f"{name}: small {target}" for target in small_targets(page)] if look == "phone" else []
    assert wrong + complaints(page) == []


def test_the_log_goes_on_paper_whole(live_server, ada, nia, course, desktop):
    busy(ada, nia, course)
    page = desktop()
    log_in(page, live_server, NIA)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(live_server.url + reverse("drug-log"))

    page.emulate_media(media="print")
    screenshot(page, "drugs-log-print")

    expect(page.get_by_text("In the safe at the end: 98.50 mL (4925 mg).")).to_be_visible()
    expect(page.get_by_role("link", name="Open as PDF")).not_to_be_visible()
    expect(page.get_by_role("button", name="Show")).not_to_be_visible()
