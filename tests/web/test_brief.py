"""The brief form from the first page to the reference, and everything that can go wrong on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from reprieve.web.forms import PAGES
from reprieve.web.models import Draft, Enquiry
from reprieve.web.models.enquiry import sha256
from tests.web.conftest import CLEAR

pytestmark = pytest.mark.django_db

POSTS: dict[str, dict[str, Any]] = {
    "country_region": {"country": "US", "region": "US-CT"},
    "birth_date": {"birth_date_0": "1", "birth_date_1": "3", "birth_date_2": "1986"},
    "pcptsd5": {f"pcptsd5_{number}": "yes" for number in range(1, 6)},
    "contact_details": CLEAR["contact_details"],
}


def typed(page: str) -> dict[str, Any]:
    """What the person of CLEAR types on a page."""
    return POSTS[page] if page in POSTS else {page: CLEAR[page]}


def start(browser: Client) -> str:
    """Start a form four minutes ago, and return the device's token."""
    browser.post("/form/")
    token = browser.cookies["form"].value
    Draft.objects.filter(key=sha256(token)).update(started_at=timezone.now() - timedelta(minutes=4))
    return token


def fill_in(browser: Client, **instead: Any) -> str:
    """Answer every page of the form, and return the token."""
    token = start(browser)
    for page in PAGES:
        answer = browser.post(f"/form/{page}/", instead.get(page, typed(page)))
        assert answer.status_code == 302, (page, answer.context["form"].errors)
    return token


def saved(token: str) -> dict[str, Any]:
    """What the draft holds."""
    draft = Draft.held_by(token)
    assert draft is not None
    return draft.answers


def test_the_whole_way(bo: Client) -> None:
    token = fill_in(bo)

    assert saved(token) == CLEAR | {"contact_details": saved(token)["contact_details"]}
    answer = bo.post("/form/check/")
    assert answer.url == "/form/received/"
    enquiry = Enquiry.objects.get()
    assert enquiry.contact["phone_e164"] == "+12035550142"
    assert enquiry.reference in bo.get("/form/received/").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens(bo: Client, page: str) -> None:
    start(bo)

    answer = bo.get(f"/form/{page}/")

    assert answer.status_code == 200
    assert PAGES[page].progress in answer.content.decode()
