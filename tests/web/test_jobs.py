"""Notices go out over a real mail server, come back when it fails, and never say what a person told us."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from reprieve.web import jobs
from reprieve.web.models import Draft, Enquiry, Event, Hit, Member, Notice
from tests.web.conftest import CLEAR, PLAN

pytestmark = pytest.mark.django_db(transaction=True)


class Mailbox:
    """Keeps what the server took."""

    def __init__(self) -> None:
        self.letters = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.letters.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 OK"


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def mail(settings, port):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 2
    return Mailbox()


@pytest.fixture
def mail_server(mail, port):
    controller = Controller(mail, hostname="127.0.0.1", port=port)
    controller.start()
    yield mail
    controller.stop()


def work() -> None:
    """Let the jobs worker do everything that is due now."""
    jobs.watch()
    call_command("db_worker", batch=True, interval=0, startup_delay=False, reload=False, verbosity=0)


def make_everything_due() -> None:
    DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))


def test_the_member_on_call_is_told_by_mail(mail_server, ada, nia, enquiry):
    asked = enquiry()

    work()

    [(recipients, letter)] = mail_server.letters
    assert recipients == [ada.email]
    assert letter["Subject"] == "A new enquiry waits"
    assert asked.reference in letter.get_payload()
    assert Notice.objects.get().state == Notice.State.SENT


def test_an_urgent_enquiry_tells_everybody_on_call(mail_server, ada, nia, cleo, pia, enquiry):
    enquiry(PLAN)

    work()

    assert {to for [to], _ in mail_server.letters} == {ada.email, nia.email, cleo.email}


def test_a_notice_never_says_who_or_what(mail_server, ada, enquiry):
    enquiry(PLAN, name="Quill Hush")

    work()

    text = " ".join(letter["Subject"] + letter.get_payload() for _, letter in mail_server.letters).lower()
    assert text
    for word in ("quill", "hush", "suicid", "plan", "urgent", "ptsd", "ketamine", "555"):
        assert word not in text


def test_a_notice_waits_while_the_mail_server_is_down_and_goes_out_after(mail, port, ada, enquiry):
    enquiry()
    work()
    waiting = Notice.objects.get()
    assert (waiting.state, waiting.tries, waiting.problem) == (Notice.State.WAITING, 1, "ConnectionRefusedError")

    controller = Controller(mail, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        make_everything_due()
        work()
    finally:
        controller.stop()

    assert len(mail.letters) == 1
    assert Notice.objects.get().state == Notice.State.SENT


def test_after_many_tries_a_notice_is_given_up_and_shown_as_such(mail, ada, enquiry):
    enquiry()
    for _ in range(14):
        work()
        make_everything_due()

    notice = Notice.objects.get(kind=Notice.Kind.NEW)
    assert (notice.state, notice.tries) == (Notice.State.GIVEN_UP, 12)


def test_a_notice_goes_to_a_pager_too_without_health_content(mail_server, ada, enquiry):
    told = []

    class Pager(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Pager) as pager:
        threading.Thread(target=pager.serve_forever).start()
        ada.notice_url = f"json://127.0.0.1:{pager.server_port}/"
        ada.save()
        asked = enquiry(PLAN)
        work()
        pager.shutdown()

    [text] = told
    assert asked.reference in text
    assert "plan" not in text.lower()
    assert {notice.state for notice in Notice.objects.all()} == {Notice.State.SENT}
    assert Notice.objects.count() == 2


def test_a_late_call_is_passed_to_the_next_person(mail_server, ada, nia, enquiry):
    asked = enquiry(at=timezone.now() - timedelta(days=5))
    assert asked.due_at < timezone.now()

    work()

    late = Notice.objects.filter(kind=Notice.Kind.LATE)
    assert [notice.member for notice in late] == [nia]
    assert Event.objects.filter(verb="call late", subject=asked.subject).count() == 1


def test_an_owner_who_left_is_told_nothing(mail_server, ada, nia, cleo, enquiry):
    asked = enquiry(at=timezone.now() - timedelta(days=5))
    asked.hand_over(ada, asked.version, cleo)
    Member.objects.filter(pk=cleo.pk).update(is_active=False)

    jobs.watch()

    assert [notice.member for notice in Notice.objects.filter(kind=Notice.Kind.LATE)] == [nia]


def test_a_call_made_in_time_is_not_chased(mail_server, ada, nia, enquiry):
    asked = enquiry(at=timezone.now() - timedelta(days=5))
    asked.log_attempt(ada, asked.version, "phone", "reached")

    work()

    assert not Notice.objects.filter(kind=Notice.Kind.LATE).exists()


def test_a_new_owner_is_told(mail_server, ada, nia, enquiry):
    asked = enquiry()
    asked.hand_over(ada, asked.version, nia)

    work()

    assert [notice.member for notice in Notice.objects.filter(kind=Notice.Kind.YOURS)] == [nia]


def test_jobs_of_a_killed_worker_are_found_again(mail_server, ada, enquiry):
    enquiry()
    jobs.watch()
    DBTaskResult.objects.update(status="RUNNING")

    jobs.recover()
    work()

    assert Notice.objects.get().state == Notice.State.SENT


def test_a_notice_without_a_job_is_found_again(mail_server, ada, enquiry):
    enquiry()
    jobs.watch()
    DBTaskResult.objects.all().delete()

    jobs.recover()
    work()

    assert Notice.objects.get().state == Notice.State.SENT


def test_looking_again_tells_once(mail_server, ada, enquiry):
    enquiry()

    for _ in range(3):
        work()

    assert len(mail_server.letters) == 1


def test_an_enquiry_that_nobody_could_be_told_of_is_told_when_somebody_is_on_call(mail_server, ada, enquiry):
    ada.call_order = None
    ada.save()
    enquiry()
    work()
    assert mail_server.letters == []

    ada.call_order = 1
    ada.save()
    work()

    assert len(mail_server.letters) == 1


@pytest.mark.parametrize(("answers", "minutes"), [(PLAN, 15), (CLEAR, 24 * 60)], ids=["urgent", "routine"])
def test_a_late_call_is_told_again_after_a_while_and_not_before(mail_server, ada, nia, enquiry, answers, minutes):
    asked = enquiry(answers, at=timezone.now() - timedelta(days=5))
    late = Notice.objects.filter(kind=Notice.Kind.LATE)
    counts = []
    for ago in (None, minutes - 1, minutes + 1):
        if ago is not None:
            Enquiry.objects.filter(pk=asked.pk).update(chased_at=timezone.now() - timedelta(minutes=ago))
        work()
        counts.append(late.count())

    assert counts == [1, 1, 2]


def test_old_drafts_counts_and_closed_enquiries_are_forgotten(mail_server, clinic, ada, enquiry):
    now = timezone.now()
    Draft.save_answers("a token", {"trauma_exposure": "yes"})
    Draft.objects.update(updated_at=now - timedelta(days=8))
    Hit.count_one("192.0.2.1", now - timedelta(hours=2))
    old, young = enquiry(name="Old Friend"), enquiry(name="New Friend")
    for each in (old, young):
        each.decide(ada, each.version, "not_now", "Not now.", now)
    Enquiry.objects.filter(pk=old.pk).update(closed_at=now - timedelta(days=clinic.keep_closed_days + 1))

    jobs.forget.call()
    jobs.watch()

    old.refresh_from_db()
    young.refresh_from_db()
    assert (Draft.objects.count(), Hit.objects.count()) == (0, 0)
    assert (old.state, old.answers, old.contact) == (Enquiry.State.ERASED, {}, {})
    assert young.name == "New Friend"
