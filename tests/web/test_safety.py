"""What must not get out, and who must not get in, beyond what the pages themselves show."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import subprocess
import sys
import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.backends.base import UpdateError
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from reprieve.web import backup, jobs, rotation, secrets
from reprieve.web.commands import first_link
from reprieve.web.encryption import decrypt, encrypt
from reprieve.web.logs import NoHealthContent
from reprieve.web.models import Draft, Enquiry, Event, Member, Role
from reprieve.web.models.enquiry import link_token, sha256
from tests.web.conftest import CLEAR, PASSWORD

STATUS = "/status/nobody-knows-this-token/"
LOGIN = {"login": "nia@clinic.example", "password": PASSWORD}


def log_in(browser: Client, **more: str) -> HttpResponse:
    """The answer to e-mail and password."""
    return browser.post(reverse("account_login"), LOGIN | more)


# Who gets in


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "http:///evil"]
)
def test_no_log_in_leads_to_another_site(bo, nia, elsewhere):
    assert log_in(bo, next=elsewhere).headers["Location"] == reverse("inbox")


def test_a_member_without_the_required_second_step_reaches_no_page_of_the_team(nia, as_, enquiry, settings):
    settings.REQUIRE_SECOND_STEP = True
    person, browser = enquiry(), as_(nia)
    pages = [
        "inbox",
        "inbox-news",
        "promises",
        "notices",
        "members",
        "clinic",
        "checklist",
        "erasures",
        "audit",
        "stay",
    ]
    cards = ["card", "log-attempt", "decide", "hand-over", "rule-out", "refer", "reopen", "erase", "export", "member"]
    addresses = [reverse(name) for name in pages] + [reverse(name, args=[person.pk]) for name in cards]

    answers = [ask(address) for address in addresses for ask in (browser.get, browser.post)]

    assert {answer.headers.get("Location") for answer in answers} == {reverse("mfa_index")}


def test_codes_of_a_second_step_cannot_be_guessed_from_many_addresses(clinic, nia, second_step):
    second_step(nia)
    told = []
    for number in range(12):
        browser = Client(REMOTE_ADDR=f"203.0.113.{number}")
        log_in(browser)
        told.append(browser.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode())

    assert ["Too many" in page for page in told] == [False] * 10 + [True] * 2


def test_nobody_takes_away_the_passkey_of_somebody_else(ada, nia, as_):
    passkey = Authenticator.objects.create(user=ada, type=Authenticator.Type.WEBAUTHN, data={"name": "telephone"})
    browser = Client()
    log_in(browser)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    for name in ("mfa_remove_webauthn", "mfa_edit_webauthn"):
        assert browser.post(reverse(name, args=[passkey.pk]), {"name": "mine"}).status_code == 404
    assert Authenticator.objects.get().data == {"name": "telephone"}


def test_an_open_screen_does_not_let_another_address_in(nia, as_):
    answer = as_(nia).post(reverse("account_email"), {"action_add": "", "email": "thief@evil.example"})

    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))


def test_behind_a_proxy_a_forged_address_gives_no_more_tries_and_locks_nobody_else(clinic, nia, settings):
    settings.TRUST_PROXY = True

    def tried(number: int, address: str, password: str = "wrong") -> int:
        forwarded = f"198.51.100.{number}, {address}"
        return log_in(Client(headers={"X-Forwarded-For": forwarded}), password=password).status_code

    codes = [tried(number, "203.0.113.9") for number in range(9)]

    assert codes[-1] == 429
    assert tried(1, "203.0.113.10", PASSWORD) == 302


@pytest.mark.django_db(transaction=True)
def test_two_managers_who_demote_each_other_at_once_leave_one(ada, as_):
    bea = Member.objects.create_user("bea@clinic.example", PASSWORD, name="Bea", role=Role.NURSE, manages=True)
    ways = [(as_(ada), bea), (as_(bea), ada)]
    together = threading.Barrier(2)

    def demote(browser: Client, other: Member) -> None:
        together.wait(10)
        browser.post(reverse("member", args=[other.pk]), {"name": other.name, "role": other.role, "is_active": "on"})
        connection.close()

    threads = [threading.Thread(target=demote, args=way) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert Member.objects.filter(manages=True).count() == 1


def test_a_clinic_that_lost_its_managers_gets_a_link_on_the_server_and_it_is_noted(bo, nia):
    link = first_link()

    said = {"name": "Bea", "email": "bea@clinic.example", "role": "coordinator", "password": PASSWORD}
    bo.post(urlsplit(link).path, said)

    assert Member.objects.get(name="Bea").manages
    assert Event.objects.get(verb="invited").actor == "system"


# What an answer carries


@pytest.mark.parametrize(
    "address", ["/", "/help/", "/form/", STATUS, "/nowhere/", "/team/", "/account/login/", "/static/site.css"]
)
def test_every_answer_is_closed_to_other_sites(bo, address):
    with contextlib.closing(bo.get(address)) as answer:
        headers = answer.headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("address", ["/form/", "/form/check/", STATUS, "/team/", "/team/enquiry/1/", "/account/login/"])
def test_no_browser_keeps_a_private_page(bo, address):
    assert bo.get(address).headers["Cache-Control"] == "no-store, private"


def test_a_forged_host_makes_no_link_in_a_password_mail(bo, nia):
    answer = bo.post(reverse("account_reset_password"), {"email": nia.email}, headers={"Host": "evil.example"})

    assert (answer.status_code, mail.outbox) == (400, [])


def test_a_file_is_refused_before_it_is_read(bo):
    def sent(size: int) -> HttpResponse:
        return bo.post("/form/", {"scan": SimpleUploadedFile("scan.png", b"x" * size)})

    assert (sent(200_000).status_code, sent(2_000).status_code) == (400, 302)


def test_every_form_needs_its_key(clinic, nia, enquiry):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(nia, backend="django.contrib.auth.backends.ModelBackend")
    asked = enquiry()
    addresses = [reverse("decide", args=[asked.pk]), reverse("account_logout"), reverse("form-clear"), "/form/"]

    assert {browser.post(address).status_code for address in addresses} == {403}
    assert browser.get(reverse("inbox")).status_code == 200


PRODUCTION = {
    "REPRIEVE_MODE": "production",
    "REPRIEVE_SECRET_KEY": "".join(f"{number:x}z" for number in range(40)),
    "REPRIEVE_AUDIT_KEY": "".join(f"{number:x}q" for number in range(40)),
    "REPRIEVE_FIELD_KEYS": secrets.new_field_key(),
    "DJANGO_SETTINGS_MODULE": "reprieve.web.settings",
}


def production(tmp_path: os.PathLike[str], script: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A script run with the settings of a production server."""
    settings = {"REPRIEVE_HOSTS": "forms.clinic.example", "REPRIEVE_DATA_DIR": str(tmp_path)} | more
    environment = os.environ | PRODUCTION | settings
    command = [sys.executable, "-c", f"import django; django.setup()\n{script}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_in_production_no_cookie_leaves_tls_and_no_neighbour_plants_one(tmp_path):
    ended = production(
        tmp_path,
        "from django.conf import settings as s; from reprieve.web.views.brief import COOKIE\n"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, COOKIE, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE)",
    )

    assert ended.stdout.split() == ["__Host-session", "__Host-csrf", "__Host-form", "True", "True"]


def test_a_server_for_every_host_name_does_not_start(tmp_path):
    assert "REPRIEVE_HOSTS holds *" in production(tmp_path, "", REPRIEVE_HOSTS="*").stderr


def test_a_log_in_that_cannot_be_renewed_says_to_try_again(nia, as_, monkeypatch):
    browser = as_(nia)

    def locked(*args: object, **more: object) -> None:
        raise UpdateError

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.save", locked)

    assert browser.get(reverse("promises")).status_code == 503


# What is kept


def test_log_ins_and_second_steps_stand_in_the_audit_trail(bo, nia, second_step):
    log_in(bo)
    bo.post(reverse("account_logout"))

    assert [event.verb for event in Event.objects.filter(actor=nia.actor)] == ["logged in", "logged out"]
    assert not AccessLog.objects.exists()


def test_wrong_log_ins_are_forgotten_after_a_day(bo, clinic, nia):
    log_in(bo, password="wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(days=2))

    jobs.forget.call()

    assert not AccessAttempt.objects.exists()


def test_a_record_that_grew_old_is_erased_in_the_name_of_the_system(clinic, enquiry):
    old = enquiry(wants_contact="no")
    Enquiry.objects.update(closed_at=timezone.now() - timedelta(days=9000))

    jobs.forget.call()

    old.refresh_from_db()
    assert (old.state, Event.objects.get(verb="erased").actor) == ("erased", "system")


def test_erasing_leaves_nothing_that_the_person_said(clinic, ada):
    token = Draft.new_token()
    asked = Enquiry.receive(token, CLEAR | {"conditions": ["psychosis"]}, timezone.now(), clinic)
    asked.rule_out(ada, 1, "EXC-01", "Looked into it.")
    Draft.save_answers(token, CLEAR)  # another window saved once more

    asked.erase(ada, timezone.now())

    asked.refresh_from_db()
    assert (asked.answers, asked.contact, asked.assessment, asked.why, asked.name_index) == ({}, {}, {}, "", "")
    assert not Draft.objects.filter(key=sha256(token)).exists()
    assert not asked.reviews.exists()
    assert all("EXC" not in str(event.detail) for event in Event.objects.all())


def test_the_link_to_an_erased_record_shows_no_answer(bo, clinic):
    token = Draft.new_token()
    asked = Enquiry.receive(token, CLEAR, timezone.now(), clinic)
    asked.erase(None, timezone.now())

    assert "Robin" not in bo.get(reverse("status", args=[link_token(token)])).content.decode()
    assert bo.get(reverse("status-contact", args=[link_token(token)])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_keeps_no_message(clinic, monkeypatch, caplog):
    def fail(*args: object) -> None:
        raise OperationalError("DETAIL: Robin Sample, psychosis")

    monkeypatch.setattr(jobs, "_tell", fail)
    jobs.tell_owner.enqueue(1, 1)

    with caplog.at_level(logging.ERROR, logger="reprieve"):
        call_command("db_worker", batch=True, interval=0, startup_delay=False, reload=False, verbosity=0)

    row = DBTaskResult.objects.get()
    assert (row.status, "Robin" in row.traceback) == ("FAILED", False)
    assert "tell_owner failed" in caplog.text


@pytest.mark.parametrize("name", ["axes.handlers", "apprise", "py.warnings"])
def test_of_what_a_library_says_only_its_name_is_logged(name):
    record = logging.LogRecord(name, logging.WARNING, "some.py", 7, "lock out %s", ("nia@clinic.example",), None)

    NoHealthContent().filter(record)

    assert record.getMessage() == f"WARNING of {name}, some line 7"


def test_rotation_reaches_every_second_step_and_is_noted(nia, settings):
    data = {"seed": encrypt("seed"), "migrated_codes": [encrypt("12345678"), encrypt("87654321")]}
    Authenticator.objects.create(user=nia, type=Authenticator.Type.RECOVERY_CODES, data=data)
    settings.FIELD_KEYS = [secrets.new_field_key(), *settings.FIELD_KEYS]

    rotation.rewrite_all()

    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    data = Authenticator.objects.get().data
    assert [decrypt(token) for token in (data["seed"], *data["migrated_codes"])] == ["seed", "12345678", "87654321"]
    assert Event.objects.get(subject="keys").verb == "rotated the keys"


def test_two_first_starts_at_once_agree_on_the_secrets(tmp_path):
    found: list[dict[str, str]] = []
    threads = [
        threading.Thread(target=lambda: found.append(secrets.load({}, tmp_path / "data", False))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert found == [secrets.read(tmp_path / "data" / "secrets.env")] * 8
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secrets.env"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="pg_dump copies PostgreSQL")
def test_a_copy_is_for_its_owner_alone_from_its_first_byte(tmp_path, monkeypatch):
    modes = []
    connect = backup.sqlite3.connect

    def look(place: object, **more: object) -> object:
        if str(place).endswith(".part"):
            modes.append(stat.S_IMODE(os.stat(str(place)).st_mode))
        return connect(place, **more)

    monkeypatch.setattr(backup.sqlite3, "connect", look)
    monkeypatch.setitem(backup.settings.DATABASES["default"], "NAME", connection.settings_dict["NAME"])
    backup.backup(tmp_path / "copy.sqlite3")

    assert (modes, stat.S_IMODE((tmp_path / "copy.sqlite3").stat().st_mode)) == ([0o600], 0o600)


# The audit trail while several write


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_keep_the_chain_whole(clinic):
    def write(number: int) -> None:
        for _ in range(10):
            Enquiry.receive(Draft.new_token(), CLEAR, timezone.now(), clinic)
        connection.close()

    writers = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    assert (Event.objects.count(), list(Event.broken_links())) == (40, [])
