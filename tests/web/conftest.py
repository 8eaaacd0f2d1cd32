"""A clinic, its people, and people who ask. Everybody here is made up."""

from __future__ import annotations

import itertools
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client, TransactionTestCase
from django.utils import timezone

from reprieve.treatment.limits import Limits
from reprieve.web.demo import NOTHING_ELSE
from reprieve.web.models import Clinic, Consent, Course, Draft, Enquiry, LimitSet, Lot, Member, Role, StockEntry
from reprieve.web.models import TreatmentSession as Session
from tests.web.conftest_browser import *  # noqa: F403
from tests.web.triggers import lifted

PASSWORD = "a lantern by the river"  # of every made-up member
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

CLEAR: dict[str, Any] = NOTHING_ELSE | {  # a person with signs of PTSD and nothing else
    "pcptsd5_5": "yes",
    "contact_details": {
        "name": "Robin Sample",
        "phone": "+1 203 555 0142",
        "email": "",
        "safe_to_leave_message": "no",
        "best_time": "after 16:00",
    },
}
PLAN: dict[str, Any] = CLEAR | {"suicidal_thoughts_month": "plan"}  # needs a call within minutes


@pytest.fixture(autouse=True, scope="session")
def _tests_may_empty_the_audit_trail() -> Iterator[None]:
    """Django empties every table after a test that commits; the audit trail lets nobody, so its guard is lifted."""
    empty = TransactionTestCase._fixture_teardown

    def teardown(self: TransactionTestCase) -> None:
        with lifted():
            empty(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data directory. On PostgreSQL an empty database too, which no other worker knows."""
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        name = f"server_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
        psql = ["psql", url, "--quiet", "--command", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"]
        subprocess.run([*psql, "--command", f"CREATE DATABASE {name}"], check=True, stderr=subprocess.DEVNULL)
        monkeypatch.setenv("DATABASE_URL", urlsplit(url)._replace(path=f"/{name}").geturl())
    return tmp_path / "data"


@pytest.fixture
def clinic(db: None) -> Clinic:
    """A clinic in Connecticut that is open at every hour, so that tests do not depend on the day they run."""
    return Clinic.objects.create(
        pk=1,
        name="Harbour Clinic",
        phone="555-0100",
        country="US",
        region="US-CT",
        opening_hours=[["00:00", "23:59"]] * 7,
    )


def _member(name: str, role: Role, **more: Any) -> Member:
    return Member.objects.create_user(f"{name.lower()}@clinic.example", PASSWORD, name=name, role=role, **more)


@pytest.fixture
def ada(clinic: Clinic) -> Member:
    """The prescriber, who also manages the clinic."""
    return _member("Ada", Role.PRESCRIBER, manages=True, call_order=1)


@pytest.fixture
def nia(clinic: Clinic) -> Member:
    """The nurse."""
    return _member("Nia", Role.NURSE, call_order=2)


@pytest.fixture
def cleo(clinic: Clinic) -> Member:
    """The coordinator."""
    return _member("Cleo", Role.COORDINATOR, call_order=3)


@pytest.fixture
def pia(clinic: Clinic) -> Member:
    """The privacy lead."""
    return _member("Pia", Role.PRIVACY_LEAD)


@pytest.fixture
def bo(clinic: Clinic) -> Client:
    """The stranger: a browser with no log-in."""
    return Client()


@pytest.fixture
def as_() -> Callable[[Member], Client]:
    """A browser logged in as a member: ``as_(nia).get(...)``."""

    def client(member: Member) -> Client:
        browser = Client()
        browser.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
        return browser

    return client


@pytest.fixture
def second_step() -> Callable[[Member], str]:
    """Give a member a one-time code app, and return its secret."""

    def set_up(member: Member) -> str:
        TOTP.activate(member, TOTP_SECRET)
        assert Authenticator.objects.filter(user=member).exists()
        return TOTP_SECRET

    return set_up


@pytest.fixture
def enquiry(clinic: Clinic) -> Callable[..., Enquiry]:
    """A person's finished form: ``enquiry()``, ``enquiry(PLAN)``, ``enquiry(name="Kim Doe", at=yesterday)``."""
    numbers = itertools.count()

    def receive(answers: dict[str, Any] = CLEAR, *, name: str = "", at: datetime | None = None, **more: Any) -> Enquiry:
        said = answers | more
        if name:
            said = said | {"contact_details": said["contact_details"] | {"name": name}}
        token = f"{Draft.new_token()}{next(numbers)}"
        return Enquiry.receive(token, said, at or timezone.now(), clinic)

    return receive


@pytest.fixture
def course(ada: Member, enquiry: Callable[..., Enquiry]) -> Callable[..., Course]:
    """A planned course of six sessions, owned by Ada: ``course()``, ``course(first_at=yesterday)``."""

    def plan(person: Enquiry | None = None, *, first_at: datetime | None = None, **more: Any) -> Course:
        first = first_at or timezone.now()
        days = [first + timedelta(days=number) for number in (0, 2, 4, 7, 9, 11)]
        fields = {"template": "6-in-2-weeks", "dose_mg_per_kg": 0.5, "infusion_min": 40, "owner": ada} | more
        return Course.plan(ada, person or enquiry(), days, **fields)

    return plan


@pytest.fixture
def limits(ada: Member) -> LimitSet:
    """The safety limits as proposed, signed by Ada."""
    return LimitSet.sign(ada, dict(Limits()))


@pytest.fixture
def ready(course: Callable[..., Course], limits: LimitSet, ada: Member) -> Callable[..., Session]:
    """The first session of a course with consent, planned for now, and vials in the safe."""

    def first(**more: Any) -> Session:
        planned = course(**more)
        vials = Lot.add(ada, "K-1", "Ketamine", Decimal(10), Decimal(20), timezone.localdate() + timedelta(days=400))
        StockEntry.keep(ada, vials, "receipt", Decimal(100), uid=uuid.uuid4())
        signed = {"typed": "Robin Sample"}
        Consent.sign(
            ada, planned, 0, timezone.now(), text_version="test", text=[], capacity="Weighed it up well.",
            person_name="Robin Sample", person_signature=signed, clinician_signature={"typed": "Ada"},
        )  # fmt: skip
        return planned.sessions.get(number=1)

    return first
