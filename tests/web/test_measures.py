"""Short forms fall due, go out by a private link, come back once, and what cannot wait reaches the team at once."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import socket
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from reprieve.treatment import schedule
from reprieve.web import jobs, letters
from reprieve.web.deadlines import Urgency
from reprieve.web.models import Alert, ChangedMeanwhileError, Clinic, Course, Enquiry, Event, Measure
from reprieve.web.models.measure import NO_WAY, WRONG_TRIES
from tests.web.conftest import CLEAR
from tests.web.reading import grade, words_of

pytestmark = pytest.mark.django_db

YEAR = "1986"  # in which the person of CLEAR was born
MAIL = CLEAR["contact_details"] | {"email": "robin@example.com"}
TEXTS = CLEAR["contact_details"] | {"phone_e164": "+12035550142", "safe_to_leave_message": "yes"}


@pytest.fixture
def form(course):
    """A short form that is due today, and its token: ``form("PHQ-9")``, ``form(contact_details=MAIL)``."""

    def make(instrument="PCL-5", person=None, **fields):
        today = timezone.now().astimezone(ZoneInfo("America/New_York")).date()
        its_course = course(person, first_at=timezone.now() + timedelta(days=90))
        Measure.objects.filter(course=its_course).delete()
        window = {"due_on": today, "first_on": today, "last_on": today + timedelta(days=2)} | fields
        return Measure.objects.create(course=its_course, instrument=instrument, reason="extra", **window)

    return make


@pytest.fixture
def opened():
    """A browser that has given the year of birth, and the token."""

    def open_link(measure):
        token = measure.issue_link(timezone.now(), Clinic.current())
        browser = Client()
        assert browser.post(reverse("measure", args=[token]), {"year": YEAR}).status_code == 302
        return browser, token

    return open_link


def answer_all(browser, token, measure, answer="1", **special):
    """Answer every page, and return the last answer of the site."""
    response = None
    for number in range(1, 9):
        measure.refresh_from_db()
        pages = measure.form.pages(measure.answers or {})
        if number > len(pages):
            break
        said = {f"q{question.id}": special.get(f"q{question.id}", answer) for question in pages[number - 1]}
        response = browser.post(reverse("measure-page", args=[token, number]), said | {"shown": "yes"})
        assert response.status_code == 302
    return response


# What falls due


def day(text):
    return datetime.fromisoformat(f"2026-{text}T15:00-05:00")


def test_a_planned_course_has_the_measures_of_the_schedule(course):
    planned = course(first_at=day("11-30"))
    days = [date(2026, 11, 30) + timedelta(days=number) for number in (0, 2, 4, 7, 9, 11)]

    found = {(row.reason, row.due_on, row.first_on, row.last_on) for row in planned.measures.all()}

    assert found == {(due.slot.id, due.day, due.first, due.last) for due in schedule.due(days[0], days[-1], days)}


def test_planning_again_changes_nothing(course):
    planned = course()
    before, events = list(planned.measures.values()), Event.objects.count()

    Measure.plan_for(planned)

    assert list(planned.measures.values()) == before
    assert Event.objects.count() == events


def test_a_session_that_moves_takes_its_measures_along(course, nia):
    planned = course(first_at=day("11-30"))
    last = planned.sessions.get(number=6)
    rows = planned.measures.count()

    last.move(nia, last.version, last.planned_at + timedelta(days=3))

    assert planned.measures.get(reason="end-pcl5").due_on == date(2026, 12, 15)
    assert planned.measures.count() == rows


def test_what_is_done_stays_when_the_course_moves(course, nia, clinic):
    planned = course(first_at=timezone.now())
    done = planned.measures.get(reason="baseline-pcl5")
    done.complete(nia, {"1": 4}, timezone.now(), clinic)
    last = planned.sessions.get(number=6)

    last.move(nia, last.version, last.planned_at + timedelta(days=3))

    [kept] = planned.measures.filter(reason="baseline-pcl5")
    assert (kept.pk, kept.answers, kept.called_off) == (done.pk, {"1": 4}, False)


def test_a_course_that_ends_early_is_followed_from_its_last_session(course, ada, nia):
    planned = course(first_at=timezone.now() - timedelta(days=1))
    planned.sessions.filter(number=1).update(state="ended")
    planned.refresh_from_db()

    planned.end(ada, planned.version, Course.Ending.HARM, "A rash.", timezone.now().date())

    rows = Measure.objects.filter(course=planned)
    assert rows.get(reason="week-4-pcl5", called_off=False).due_on == rows.get(
        reason="end-pcl5", called_off=False
    ).due_on + timedelta(days=27)
    assert set(rows.filter(reason="session-pcl5").values_list("called_off", flat=True)) == {True}


def test_a_course_without_a_session_leaves_nothing_due(course, ada):
    planned = course()

    planned.end(ada, planned.version, Course.Ending.PERSON, "Changed their mind.", timezone.now().date())

    assert not planned.measures.filter(called_off=False).exists()


def test_who_withdraws_is_asked_nothing_more(course, ada):
    planned = course()
    Measure.add(ada, planned, "PCL-5", timezone.now().date())

    planned.end(ada, planned.version, Course.Ending.WITHDRAWN, "Took it back.", timezone.now().date())

    assert not planned.measures.filter(called_off=False).exists()


@pytest.mark.parametrize("ended", [False, True])
def test_consent_that_is_withdrawn_ends_the_questions(ready, ada, ended):
    its_course = ready().course
    if ended:
        its_course.sessions.filter(number=1).update(state="ended")
        its_course.end(ada, its_course.version, Course.Ending.PERSON, "Enough.", timezone.now().date())
    consent = its_course.consents.get()

    consent.withdraw(None, "No more.", timezone.now())

    assert not its_course.measures.filter(called_off=False).exists()


# The private link


def test_the_database_never_holds_the_token(form):
    measure = form()

    token = measure.issue_link(timezone.now(), Clinic.current())

    assert len(token) == 40
    assert token not in str(list(Measure.objects.values()))


def test_the_link_asks_for_the_year_first_and_tells_nothing(form, bo):
    measure = form()
    token = measure.issue_link(timezone.now(), Clinic.current())

    page = bo.get(reverse("measure", args=[token])).content.decode()

    assert "What year were you born?" in page
    for word in ("Robin", "Sample", "PCL", "PTSD", "memories", "ketamine", "Ada"):
        assert word not in words_of(page)


@pytest.mark.parametrize("name", ["measure-page", "measure-send", "measure-next"])
def test_no_page_opens_before_the_year(form, bo, name):
    token = form().issue_link(timezone.now(), Clinic.current())
    address = reverse(name, args=[token, 1] if name == "measure-page" else [token])

    answer = bo.post(address, {"q1": "4"})

    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("measure", args=[token]))
    assert Measure.objects.get().answers is None


def test_after_five_wrong_years_the_link_is_closed_and_the_owner_is_alerted(form, bo, ada):
    measure = form()
    token = measure.issue_link(timezone.now(), Clinic.current())
    address = reverse("measure", args=[token])

    answers = [bo.post(address, {"year": "1970"}).status_code for _ in range(WRONG_TRIES)]

    assert answers == [200, 200, 200, 200, 404]
    assert bo.post(address, {"year": YEAR}).status_code == 404
    [alert] = Alert.objects.all()
    assert (alert.kind, alert.owner) == (Alert.Kind.LINK, ada)


def test_a_new_link_after_a_closed_one_is_another(form, nia):
    measure = form()
    first = measure.issue_link(timezone.now(), Clinic.current())
    for _ in range(WRONG_TRIES):
        measure.is_opened_by("1970", timezone.now())

    measure.refresh_from_db()
    second = measure.issue_link(timezone.now(), Clinic.current())

    assert first != second
    assert Measure.objects.at_link(first, timezone.now()) is None
    assert Measure.objects.at_link(second, timezone.now()) == measure


def test_an_unknown_an_expired_and_a_called_off_link_look_alike(form, bo, nia):
    expired, off = form(), form()
    tokens = [measure.issue_link(timezone.now(), Clinic.current()) for measure in (expired, off)]
    Measure.objects.filter(pk=expired.pk).update(link_expires_at=timezone.now() - timedelta(seconds=1))
    off.call_off(nia)

    pages = [bo.get(reverse("measure", args=[token])) for token in (*tokens, "nothing")]

    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1
    assert "555-0100" in pages[0].content.decode()


def test_a_link_works_until_some_days_after_the_window(form):
    measure = form()
    token = measure.issue_link(timezone.now(), Clinic.current())
    end = datetime.combine(measure.last_on, time(), ZoneInfo("America/New_York"))

    assert Measure.objects.at_link(token, end + timedelta(days=3)) == measure
    assert Measure.objects.at_link(token, end + timedelta(days=4)) is None


def test_an_erased_person_leaves_no_link(form, bo, opened):
    measure = form()
    _, token = opened(measure)

    measure.course.enquiry.erase(None, timezone.now())

    assert bo.get(reverse("measure", args=[token])).status_code == 404


# Answering


def test_a_form_that_is_filled_in_gives_a_total(form, opened):
    measure = form()
    browser, token = opened(measure)

    answer_all(browser, token, measure, "2")
    browser.post(reverse("measure-send", args=[token]))

    measure.refresh_from_db()
    assert (measure.total_low, measure.total_high, measure.by) == (40, 40, None)
    assert measure.completed_at is not None


def test_rather_not_say_stays_a_blank_and_leaves_a_range(form, opened):
    measure = form()
    browser, token = opened(measure)

    answer_all(browser, token, measure, "2", q3="blank", q7="blank")
    browser.post(reverse("measure-send", args=[token]))

    measure.refresh_from_db()
    assert (measure.answers["3"], measure.answers["7"]) == (None, None)
    assert (measure.total_low, measure.total_high) == (36, 44)


def test_each_page_is_kept_and_back_shows_it(form, opened):
    measure = form()
    browser, token = opened(measure)
    browser.post(reverse("measure-page", args=[token, 1]), {f"q{number}": "3" for number in range(1, 6)})

    again = browser.get(reverse("measure", args=[token]))
    back = browser.get(reverse("measure-page", args=[token, 1])).content.decode()

    assert again.headers["Location"] == reverse("measure-page", args=[token, 2])
    assert back.count("checked") == 5


def test_a_question_without_an_answer_is_asked_again_and_the_others_stay(form, opened):
    measure = form()
    browser, token = opened(measure)

    page = browser.post(reverse("measure-page", args=[token, 1]), {"q1": "3"}).content.decode()

    assert "Rather not say" in page
    assert page.count("checked") == 1
    assert Measure.objects.get().answers is None


@pytest.mark.parametrize("wrong", ["5", "-1", "1.5", "plan", "'"])
def test_an_answer_that_is_none_of_the_choices_is_refused(form, opened, wrong):
    browser, token = opened(form())

    answer = browser.post(reverse("measure-page", args=[token, 1]), {f"q{number}": wrong for number in range(1, 6)})

    assert answer.status_code == 200
    assert Measure.objects.get().answers is None


def test_nothing_can_be_sent_before_every_page_was_seen(form, opened):
    measure = form()
    browser, token = opened(measure)

    browser.post(reverse("measure-send", args=[token]))

    assert Measure.objects.get().completed_at is None


def test_sent_twice_is_one_result(form, opened):
    measure = form()
    browser, token = opened(measure)
    answer_all(browser, token, measure, "2")
    browser.post(reverse("measure-send", args=[token]))
    first = Measure.objects.values().get()

    again = browser.post(reverse("measure-send", args=[token]))
    changed = browser.post(reverse("measure-page", args=[token, 1]), {f"q{number}": "0" for number in range(1, 6)})

    assert (again.status_code, changed.status_code) == (302, 302)
    assert Measure.objects.values().get() == first
    assert Event.objects.filter(verb="sent a measure").count() == 1


@pytest.mark.django_db(transaction=True)
def test_sent_by_two_windows_at_once_is_one_result(form, opened, clinic):
    measure = form("PHQ-9")
    browser, token = opened(measure)
    answer_all(browser, token, measure, "1", qsuicidal_thoughts_month="thoughts")
    ready, done = threading.Barrier(2), []

    def send():
        from django.db import connections

        own = Measure.objects.get(pk=measure.pk)
        ready.wait()
        done.append(own.complete(None, {}, timezone.now(), clinic))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == [False, True]
    assert Event.objects.filter(verb="sent a measure").count() == 1
    assert Alert.objects.filter(kind=Alert.Kind.URGENT).count() == 1


def test_thanks_gives_no_verdict_and_says_what_is_next(form, opened, bo):
    measure = form()
    later = measure.first_on + timedelta(days=20)
    Measure.objects.create(
        course=measure.course, instrument="PHQ-9", reason="extra", due_on=later, first_on=later, last_on=later
    )
    browser, token = opened(measure)
    answer_all(browser, token, measure, "2")
    browser.post(reverse("measure-send", args=[token]))

    page = words_of(browser.get(reverse("measure", args=[token])).content.decode())

    assert "Thank you" in page
    assert f"{later.day} {later:%B}" in page
    for word in ("40", "score", "severe", "moderate", "PTSD"):
        assert word not in page


def test_the_next_form_that_is_due_opens_without_another_message(form, opened):
    measure = form()
    other = Measure.objects.create(
        course=measure.course, instrument="PHQ-9", reason="extra", due_on=measure.due_on, first_on=measure.first_on,
        last_on=measure.last_on,
    )  # fmt: skip
    browser, token = opened(measure)
    answer_all(browser, token, measure, "2")
    browser.post(reverse("measure-send", args=[token]))

    its_first = browser.post(reverse("measure-next", args=[token]), follow=True)

    other.refresh_from_db()
    assert its_first.request["PATH_INFO"] == reverse("measure-page", args=[other.token, 1])


@pytest.mark.parametrize("instrument", ["PCL-5", "PHQ-9", "side effects"])
def test_a_person_who_is_tired_can_read_every_page(form, opened, instrument):
    measure = form(instrument)
    browser, token = opened(measure)
    pages = [browser.get(reverse("measure-page", args=[token, 1])), browser.get(reverse("measure-stop", args=[token]))]
    answer_all(browser, token, measure, "1", qsuicidal_thoughts_month="thoughts")
    pages.append(browser.get(reverse("measure-send", args=[token])))
    browser.post(reverse("measure-send", args=[token]))
    pages.append(browser.get(reverse("measure", args=[token])))
    pages.append(browser.get(reverse("measure", args=["nothing"])))

    assert [page.status_code for page in pages] == [200, 200, 200, 200, 404]
    for page in pages:
        assert grade(words_of(page.content.decode())) <= 6


# What cannot wait


def test_thoughts_of_death_show_help_at_once_and_reach_the_team_before_anything_is_sent(form, opened, ada):
    measure = form("PHQ-9")
    browser, token = opened(measure)
    for number in (1, 2):
        first = 4 * number - 3
        browser.post(
            reverse("measure-page", args=[token, number]), {f"q{item}": "0" for item in range(first, first + 4)}
        )

    answer = browser.post(reverse("measure-page", args=[token, 3]), {"q9": "1"}, follow=True)

    page = answer.content.decode()
    assert 'id="aside"' in page
    assert 'href="tel:988"' in page
    person = Enquiry.objects.get()
    assert (person.is_open, person.urgency, person.told_at) == (True, Urgency.SAME_DAY, None)
    [alert] = Alert.objects.all()
    assert (alert.kind, alert.owner) == (Alert.Kind.URGENT, ada)
    assert Measure.objects.get().completed_at is None


@pytest.mark.parametrize(
    ("said", "urgency"),
    [
        ("none", Urgency.SAME_DAY),  # item 9 alone
        ("wish_dead", Urgency.SAME_DAY),
        ("method", Urgency.SAME_DAY),
        ("intent", Urgency.IMMEDIATE),
        ("plan", Urgency.IMMEDIATE),
        ("blank", Urgency.SAME_DAY),
    ],
)
def test_how_soon_somebody_calls_follows_the_answer_about_safety(form, opened, said, urgency):
    measure = form("PHQ-9")
    browser, token = opened(measure)

    answer_all(browser, token, measure, "1", qsuicidal_thoughts_month=said)
    browser.post(reverse("measure-send", args=[token]))

    assert Enquiry.objects.get().urgency == urgency


@pytest.mark.parametrize(("instrument", "question"), [("PHQ-9", "q9"), ("side effects", "qsuicidal_thoughts_month")])
def test_a_blank_about_safety_is_never_a_pass(form, opened, instrument, question):
    measure = form(instrument)
    browser, token = opened(measure)

    answer_all(browser, token, measure, "0", **{question: "blank", "qsuicidal_thoughts_month": "blank"})
    browser.post(reverse("measure-send", args=[token]))

    assert Enquiry.objects.get().urgency == Urgency.SAME_DAY
    assert Alert.objects.get().kind == Alert.Kind.URGENT


def test_a_form_without_danger_leaves_the_inbox_alone(form, opened, ada):
    measure = form("PHQ-9")
    person = measure.course.enquiry
    person.decide(ada, person.version, "consult", "Come on Tuesday.", timezone.now())
    browser, token = opened(measure)

    answer_all(browser, token, measure, "0")
    browser.post(reverse("measure-send", args=[token]))

    person.refresh_from_db()
    assert (person.is_open, person.decision) == (False, "consult")
    assert not Alert.objects.exists()


# Messages


class Mailbox:
    """Keeps what the server took."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.letters.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 OK"


@pytest.fixture
def mail(settings):
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 2
    mailbox = Mailbox()
    mailbox.port = port
    return mailbox


@pytest.fixture
def post(mail):
    """A mail server that takes everything."""
    controller = Controller(mail, hostname="127.0.0.1", port=mail.port)
    controller.start()
    yield mail
    controller.stop()


@pytest.fixture
def never_quiet(clinic):
    """A clinic that sends at every hour, so that tests do not depend on when they run."""
    clinic.quiet_from = clinic.quiet_until = time(0, 0)
    clinic.save()
    return clinic


def work():
    """Let the jobs worker do everything that is due now."""
    jobs.watch()
    call_command("db_worker", batch=True, interval=0, startup_delay=False, reload=False, verbosity=0)


def letters_to_people(mailbox):
    return [(to, letter) for to, letter in mailbox.letters if to == ["robin@example.com"]]


@pytest.mark.django_db(transaction=True)
def test_the_link_goes_out_by_mail_and_opens_the_form(post, never_quiet, form, enquiry, bo):
    measure = form(person=enquiry(contact_details=MAIL))

    work()

    [(_, letter)] = letters_to_people(post)
    measure.refresh_from_db()
    assert letter["Subject"] == "A short form from Harbour Clinic"
    address = reverse("measure", args=[measure.token])
    assert address in letter.get_payload(decode=True).decode()
    assert bo.get(address).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_message_holds_no_health_content(post, clinic, form, enquiry, caplog):
    caplog.set_level(logging.INFO)
    clinic.name, clinic.quiet_until, clinic.quiet_from = "Harbour Ketamine and PTSD Clinic", time(0), time(0)
    clinic.save()
    form("PHQ-9", enquiry(contact_details=MAIL, name="Quill Hush"))

    work()

    [(_, letter)] = letters_to_people(post)
    text = (letter["Subject"] + letter.get_payload(decode=True).decode()).lower()
    for word in ("ketamine", "ptsd", "phq", "quill", "hush", "mood", "suicid", "depress"):
        assert word not in text
    assert "robin@example.com" not in caplog.text
    assert Measure.objects.get().token not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_twice_however_often_the_worker_looks(post, never_quiet, form, enquiry):
    form(person=enquiry(contact_details=MAIL))

    for _ in range(5):
        work()

    assert len(letters_to_people(post)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_owe_one_message(never_quiet, form, enquiry):
    form(person=enquiry(contact_details=MAIL))
    ready = threading.Barrier(2)

    def look():
        from django.db import connections

        ready.wait()
        jobs.send_forms(timezone.now(), never_quiet)
        connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert DBTaskResult.objects.filter(task_path=jobs.send_form.module_path).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_before_it_sent_loses_nothing(post, never_quiet, form, enquiry):
    form(person=enquiry(contact_details=MAIL))
    jobs.watch()  # the message is owed, and the worker dies with its job half done
    DBTaskResult.objects.update(status="RUNNING", started_at=timezone.now())
    work()
    assert letters_to_people(post) == []

    jobs.recover()
    work()

    assert len(letters_to_people(post)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_after_it_sent_doubles_nothing(post, never_quiet, form, enquiry):
    form(person=enquiry(contact_details=MAIL))
    work()
    DBTaskResult.objects.filter(task_path=jobs.send_form.module_path).update(
        status="RUNNING", started_at=timezone.now(), finished_at=None
    )

    jobs.recover()
    work()

    assert len(letters_to_people(post)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_waits_while_the_mail_server_is_down(mail, never_quiet, form, enquiry):
    form(person=enquiry(contact_details=MAIL))
    work()
    assert mail.letters == []

    controller = Controller(mail, hostname="127.0.0.1", port=mail.port)
    controller.start()
    try:
        DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))
        work()
    finally:
        controller.stop()

    assert len(letters_to_people(mail)) == 1


@pytest.mark.django_db(transaction=True)
def test_after_many_tries_the_team_is_told_to_call(mail, never_quiet, form, enquiry, nia, as_):
    form(person=enquiry(contact_details=MAIL))
    for _ in range(14):
        work()
        DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))

    page = as_(nia).get(reverse("measures-due")).content.decode()

    assert "Not sent (ConnectionRefusedError): call" in page


@pytest.mark.django_db(transaction=True)
def test_two_forms_that_are_due_make_one_message(post, never_quiet, form, enquiry):
    measure = form(person=enquiry(contact_details=MAIL))
    Measure.objects.create(
        course=measure.course, instrument="PHQ-9", reason="extra", due_on=measure.due_on, first_on=measure.first_on,
        last_on=measure.last_on,
    )  # fmt: skip

    work()
    work()

    assert len(letters_to_people(post)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_reminders_follow_and_no_third(post, never_quiet, form, enquiry):
    measure = form(person=enquiry(contact_details=MAIL))
    work()
    counts = []
    for days in (1, 2, 3, 4, 6, 8):
        Measure.objects.update(
            sent_at=timezone.now() - timedelta(days=days), last_on=measure.due_on + timedelta(days=9)
        )
        work()
        work()
        counts.append(len(letters_to_people(post)))

    assert counts == [1, 2, 2, 3, 3, 3]


@pytest.mark.django_db(transaction=True)
def test_who_has_answered_is_not_reminded(post, never_quiet, form, enquiry, nia):
    measure = form(person=enquiry(contact_details=MAIL))
    work()
    measure.complete(nia, {"1": 0}, timezone.now(), never_quiet)
    Measure.objects.update(sent_at=timezone.now() - timedelta(days=2))

    work()

    assert len(letters_to_people(post)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("why", ["stopped", "erasure asked", "messages stopped", "paused", "not yet", "too late"])
def test_nothing_is_sent_to_who_must_not_be_written_to(post, never_quiet, form, enquiry, ada, why):
    measure = form(person=enquiry(contact_details=MAIL))
    person, its_course = measure.course.enquiry, measure.course
    if why == "stopped":
        person.stop_contact(timezone.now())
    elif why == "erasure asked":
        Enquiry.objects.update(erasure_asked_at=timezone.now())
    elif why == "messages stopped":
        its_course.stop_messages(timezone.now())
    elif why == "paused":
        its_course.pause(ada, its_course.version)
    else:
        days = timedelta(days=3 if why == "not yet" else -5)
        Measure.objects.update(first_on=measure.first_on + days, last_on=measure.last_on + days)

    work()

    assert letters_to_people(post) == []


@pytest.mark.django_db(transaction=True)
def test_a_text_goes_through_apprise_to_the_number(never_quiet, form, enquiry):
    got = []

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        threading.Thread(target=gateway.serve_forever).start()
        never_quiet.text_url = f"json://127.0.0.1:{gateway.server_port}/{{to}}"
        never_quiet.save()
        form(person=enquiry(contact_details=TEXTS))
        work()
        gateway.shutdown()

    [(path, text)] = got
    assert path.replace("%2B", "+") == "/+12035550142/" or path.replace("%2B", "+") == "/+12035550142"
    assert "Harbour Clinic has a short form for you" in text


@pytest.mark.parametrize(
    ("contact", "text_url", "way"),
    [
        (MAIL, "", "e-mail"),
        (TEXTS, "json://localhost/{to}", "text"),
        (TEXTS, "", ""),
        (TEXTS | {"safe_to_leave_message": "no"}, "json://localhost/{to}", ""),
        (TEXTS | {"safe_to_leave_message": ""}, "json://localhost/{to}", ""),
    ],
)
def test_the_way_to_a_person_is_the_one_they_allowed(clinic, enquiry, contact, text_url, way):
    clinic.text_url = text_url or None

    assert letters.way_to(enquiry(contact_details=contact), clinic) == way


def test_without_a_year_of_birth_no_link_goes_out(clinic, enquiry):
    assert letters.way_to(enquiry(contact_details=MAIL, birth_date=None), clinic) == ""


@pytest.mark.django_db(transaction=True)
def test_who_cannot_be_reached_is_called_until_there_is_an_address(post, never_quiet, form, enquiry, nia, as_):
    measure = form(person=enquiry())
    work()
    page = as_(nia).get(reverse("measures-due")).content.decode()
    assert "No way to send: call" in page
    assert Measure.objects.get().problem == NO_WAY

    measure.course.enquiry.correct_contact(MAIL)
    work()

    assert len(letters_to_people(post)) == 1


@pytest.mark.parametrize(
    ("hours", "at", "quiet"),
    [
        ((20, 9), "2026-11-25T19:59:59-05:00", False),
        ((20, 9), "2026-11-25T20:00:00-05:00", True),
        ((20, 9), "2026-11-26T00:00:00-05:00", True),
        ((20, 9), "2026-11-26T08:59:59-05:00", True),
        ((20, 9), "2026-11-26T09:00:00-05:00", False),
        ((1, 5), "2026-11-26T00:59:00-05:00", False),
        ((1, 5), "2026-11-26T01:00:00-05:00", True),
        ((1, 5), "2026-11-26T05:00:00-05:00", False),
        ((9, 9), "2026-11-26T03:00:00-05:00", False),
        ((20, 9), "2026-03-08T12:59:00+00:00", True),  # 08:59 on the day the clocks go forward
        ((20, 9), "2026-03-08T13:00:00+00:00", False),
        ((20, 9), "2026-11-01T13:59:00+00:00", True),  # 08:59 on the day they go back
        ((20, 9), "2026-11-01T14:00:00+00:00", False),
    ],
)
def test_quiet_hours_by_the_clinics_clock(clinic, hours, at, quiet):
    clinic.quiet_from, clinic.quiet_until = (time(hour) for hour in hours)

    assert clinic.is_quiet(datetime.fromisoformat(at)) is quiet


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-11-25T22:00:00-05:00", "2026-11-26T14:00:00+00:00"),
        ("2026-11-26T03:00:00-05:00", "2026-11-26T14:00:00+00:00"),
        ("2026-03-07T22:00:00-05:00", "2026-03-08T13:00:00+00:00"),
        ("2026-10-31T22:00:00-04:00", "2026-11-01T14:00:00+00:00"),
    ],
)
def test_quiet_hours_end_on_the_right_day(clinic, at, ends):
    clinic.quiet_from, clinic.quiet_until = time(20), time(9)

    assert clinic.quiet_ends(datetime.fromisoformat(at)) == datetime.fromisoformat(ends)


@pytest.mark.django_db(transaction=True)
def test_a_message_that_is_owed_waits_for_the_end_of_the_quiet_hours(post, clinic, form, enquiry, nia):
    now = timezone.now().astimezone(clinic.zone)
    clinic.quiet_from = (now - timedelta(hours=1)).time()
    clinic.quiet_until = (now + timedelta(hours=1)).time()
    clinic.save()
    measure = form(person=enquiry(contact_details=MAIL))
    measure.send_now(nia, timezone.now())

    work()

    assert letters_to_people(post) == []
    waiting = DBTaskResult.objects.get(status="READY", task_path=jobs.send_form.module_path)
    assert waiting.run_after == clinic.quiet_ends(timezone.now())


def test_who_opens_the_link_can_stop_the_messages_without_giving_a_year(form, bo):
    measure = form()
    token = measure.issue_link(timezone.now(), Clinic.current())

    page = bo.post(reverse("measure-stop", args=[token]))

    assert "no more of these messages" in page.content.decode()
    measure.course.refresh_from_db()
    assert measure.course.messages_stopped_at is not None


# The team's pages


@pytest.mark.parametrize(("days", "shown"), [(28, True), (29, False)])
def test_what_is_long_overdue_is_missed_and_leaves_the_list(form, cleo, as_, enquiry, days, shown):
    today = timezone.now().astimezone(ZoneInfo("America/New_York")).date()
    closed_on = today - timedelta(days=days)
    measure = form(person=enquiry(name="Kim Doe"), due_on=closed_on, first_on=closed_on, last_on=closed_on)

    pages = [
        as_(cleo).get(address).content.decode()
        for address in (reverse("measures-due"), reverse("course-measures", args=[measure.course_id]))
    ]

    assert ("Kim Doe" in pages[0], "Missed" in pages[1]) == (shown, not shown)


def test_the_list_shows_what_is_due_and_what_is_overdue(form, cleo, as_, enquiry):
    form(person=enquiry(name="Kim Doe"))
    long_ago = timezone.now().date() - timedelta(days=9)
    form(person=enquiry(name="Lee Poe"), due_on=long_ago, first_on=long_ago, last_on=long_ago)

    page = as_(cleo).get(reverse("measures-due")).content.decode()

    assert "Measures: 1 due, 1 overdue" in page
    assert page.index("Lee Poe") < page.index("Kim Doe")


def test_a_nurse_types_in_what_the_person_says(form, nia, as_):
    measure = form("PHQ-9")

    answer = as_(nia).post(
        reverse("team-measure", args=[measure.pk]), {f"q{item}": "1" for item in range(1, 9)} | {"q9": "0"}
    )

    assert answer.status_code == 302
    measure.refresh_from_db()
    assert (measure.total_low, measure.by) == (8, nia)


def test_a_danger_that_a_nurse_types_in_reaches_the_team_too(form, nia, as_):
    measure = form("PHQ-9")

    as_(nia).post(reverse("team-measure", args=[measure.pk]), {"q9": "2", "qsuicidal_thoughts_month": "plan"})

    assert Enquiry.objects.get().urgency == Urgency.IMMEDIATE


def test_a_coordinator_types_in_no_answers(form, cleo, as_):
    answer = as_(cleo).post(reverse("team-measure", args=[form().pk]), {"q1": "1"})

    assert answer.status_code == 403
    assert Measure.objects.get().completed_at is None


@pytest.mark.parametrize(("typed", "low", "high"), [(("12", "5", "14", "10"), 41, 41), (("12", "5", "14", ""), 31, 55)])
def test_a_prescriber_enters_the_interview_by_cluster(form, ada, as_, typed, low, high):
    measure = form("CAPS-5")

    as_(ada).post(reverse("team-measure", args=[measure.pk]), dict(zip(("qB", "qC", "qD", "qE"), typed, strict=True)))

    measure.refresh_from_db()
    assert (measure.total_low, measure.total_high) == (low, high)


@pytest.mark.parametrize("typed", [{"qB": "21"}, {"qC": "9"}, {"qD": "-1"}, {"qE": "two"}, {}])
def test_an_interview_out_of_range_is_refused(form, ada, as_, typed):
    measure = form("CAPS-5")

    answer = as_(ada).post(reverse("team-measure", args=[measure.pk]), typed)

    assert answer.status_code == 200
    assert Measure.objects.get().completed_at is None


def test_a_nurse_enters_no_interview(form, nia, as_):
    assert as_(nia).post(reverse("team-measure", args=[form("CAPS-5").pk]), {"qB": "1"}).status_code == 403


def test_answers_that_came_meanwhile_are_not_overwritten(form, nia, as_, clinic):
    measure = form()
    measure.complete(None, {"1": 4}, timezone.now(), clinic)

    answer = as_(nia).post(reverse("team-measure", args=[measure.pk]), {"q1": "0"})

    assert answer.status_code == 409
    assert Measure.objects.get().answers == {"1": 4}


def test_what_is_done_cannot_be_called_off_or_sent(form, nia, as_, clinic, enquiry):
    measure = form(person=enquiry(contact_details=MAIL))
    measure.complete(None, {"1": 4}, timezone.now(), clinic)

    answers = [
        as_(nia).post(reverse(name, args=[measure.pk])).status_code for name in ("call-off-measure", "send-measure")
    ]

    assert answers == [409, 409]
    with pytest.raises(ChangedMeanwhileError):
        measure.call_off(nia)


def test_one_more_measure_is_due_from_today(course, cleo, as_):
    planned = course()

    as_(cleo).post(reverse("add-measure", args=[planned.pk]), {"instrument": "CAPS-5"})

    added = planned.measures.get(reason="extra")
    assert (added.instrument, added.due_on) == (
        "CAPS-5",
        timezone.now().astimezone(ZoneInfo("America/New_York")).date(),
    )


def test_answers_are_encrypted_and_no_event_tells_of_them(form, opened):
    measure = form("PHQ-9")
    browser, token = opened(measure)
    answer_all(browser, token, measure, "1", qsuicidal_thoughts_month="plan")
    browser.post(reverse("measure-send", args=[token]))

    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT answers FROM web_measure")
        assert "plan" not in str(cursor.fetchall())
    assert "plan" not in str(list(Event.objects.exclude(verb__startswith="planned").values_list("verb", "detail")))


def test_every_hour_stands_in_utc_in_the_database(form):
    measure = form()
    measure.issue_link(timezone.now(), Clinic.current())

    measure.refresh_from_db()

    assert measure.link_expires_at.tzinfo in (UTC, ZoneInfo("UTC"))
