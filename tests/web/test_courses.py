"""Courses: planned from a template, moved, missed, paused, ended; limits signed by name; a calendar without names."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from reprieve.treatment.limits import limits as table_of_limits
from reprieve.web.models import Alert, Consent, Consultation, Course, Entry, Event, LimitSet, Member
from reprieve.web.models import TreatmentSession as Session
from tests.web.test_sessions import LEAVING, at, begun


@pytest.fixture
def plan():
    """What a prescriber types: six infusions from a Monday in the clinic's future."""
    first = timezone.localdate() + timedelta(days=(7 - timezone.localdate().weekday()))
    return {
        "template": "6-in-2-weeks", "dose_mg_per_kg": "0.5", "infusion_min": "40", "first_on": first.isoformat(),
        "hour": "10:30", "reason": "Two medicines and talk therapy did not help enough.",
    }  # fmt: skip


@pytest.fixture
def consulted(ada, enquiry):
    """A person whose consultation decided on a course."""
    person = enquiry()
    Consultation.record(ada, person, 0, diagnosis="ptsd", decision="course", reasons="See notes.")
    return person


def test_a_course_is_planned_from_a_template_on_open_days_by_the_clinics_clock(
    ada, as_, clinic, consulted, limits, plan
):
    clinic.opening_hours = [["09:00", "17:00"]] * 5 + [None] * 2
    clinic.closures = [(date.fromisoformat(plan["first_on"]) + timedelta(days=4)).isoformat()]  # the first Friday
    clinic.save()

    as_(ada).post(reverse("course-new", args=[consulted.pk]), plan | {"owner": ada.pk})

    course = Course.objects.get()
    local = [session.planned_at.astimezone(clinic.zone) for session in course.sessions.all()]
    assert [f"{each:%a %H:%M}" for each in local] == [
        "Mon 10:30", "Wed 10:30", "Mon 10:30", "Wed 10:30", "Fri 10:30", "Mon 10:30",
    ]  # fmt: skip
    assert (course.owner, course.state, course.review_on) == (ada, Course.State.PREPARING, local[-1].date())


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"dose_mg_per_kg": "5"}, "Write the dose as a number, 0.1 to 1 mg/kg"),
        ({"dose_mg_per_kg": "0.8"}, "The signed limit is 0.5 mg/kg"),
        ({"first_on": "2020-01-01"}, "Choose a day from today on, within the next year"),
        ({"first_on": "tomorrow"}, "Choose a day from the calendar"),
        ({"template": "whatever"}, "Select a valid choice"),
        ({"template": "maintenance"}, "Choose the day on which it ends: there is no open-ended treatment"),
        ({"template": "maintenance", "must_end_on": "2036-01-01"}, "within half a year"),
        ({"reason": ""}, "Write why, in your own words"),
        ({"owner": ""}, "Choose who answers for it"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_words(ada, as_, consulted, limits, plan, typed, words):
    page = as_(ada).post(reverse("course-new", args=[consulted.pk]), plan | {"owner": ada.pk} | typed)

    assert words in page.content.decode()
    assert not Course.objects.exists()


def test_maintenance_stops_at_its_end_date(ada, as_, consulted, limits, plan):
    end = date.fromisoformat(plan["first_on"]) + timedelta(days=30)
    typed = plan | {"owner": ada.pk, "template": "maintenance", "must_end_on": end.isoformat()}

    as_(ada).post(reverse("course-new", args=[consulted.pk]), typed)

    course = Course.objects.get()
    assert (course.maintenance, course.must_end_on, course.sessions.count()) == (True, end, 3)


def test_no_course_without_a_consultation_that_decided_on_one(ada, as_, enquiry, limits):
    assert as_(ada).get(reverse("course-new", args=[enquiry().pk])).status_code == 404


def test_no_course_before_the_limits_are_signed(ada, as_, consulted, plan):
    as_(ada).post(reverse("course-new", args=[consulted.pk]), plan | {"owner": ada.pk})

    assert not Course.objects.exists()


def test_a_session_is_moved_by_the_clinics_clock(cleo, as_, clinic, course):
    session = course().sessions.get(number=2)
    typed = {f"move-{session.pk}-version": session.version, f"move-{session.pk}-planned_at_0": "2027-03-01"}

    as_(cleo).post(at(session, "session-move"), typed | {f"move-{session.pk}-planned_at_1": "14.30"})

    session.refresh_from_db()
    assert f"{session.planned_at.astimezone(clinic.zone):%Y-%m-%d %H:%M}" == "2027-03-01 14:30"


def test_a_missed_session_is_noted_and_planned_again(cleo, as_, clinic, course):
    session = course().sessions.get(number=1)
    prefix = f"miss-{session.pk}"
    before = session.planned_at

    as_(cleo).post(
        at(session, "session-miss"),
        {f"{prefix}-version": session.version, f"{prefix}-why": "No escort", f"{prefix}-again": "on"},
    )

    session.refresh_from_db()
    others = [each.planned_at for each in session.course.sessions.exclude(pk=session.pk)]
    assert session.state == Session.State.PLANNED
    assert session.planned_at > before
    assert all(abs(session.planned_at.date() - each.date()) >= timedelta(days=2) for each in others)
    assert Event.objects.filter(subject=session.subject, verb="noted a missed session").exists()


def test_a_stale_page_changes_nothing_and_says_so(cleo, ada, as_, course):
    session = course().sessions.get(number=1)
    seen = session.version
    session.move(ada, seen, timezone.now() + timedelta(days=5))

    answer = as_(cleo).post(at(session, "session-call-off"), {"version": seen})

    assert answer.status_code == 409
    assert "Not saved." in answer.content.decode()
    session.refresh_from_db()
    assert session.state == Session.State.PLANNED


def test_a_paused_course_opens_no_session_until_a_prescriber_resumes_it(nia, ada, as_, ready):
    session = ready()
    course = session.course

    as_(nia).post(reverse("course-pause", args=[course.pk]), {"version": course.version})
    as_(nia).post(at(session, "session-open"))
    session.refresh_from_db()
    assert session.state == Session.State.PLANNED
    course.refresh_from_db()
    as_(ada).post(reverse("course-resume", args=[course.pk]), {"version": course.version})
    as_(nia).post(at(session, "session-open"))

    session.refresh_from_db()
    assert session.state == Session.State.OPEN


def test_a_course_whose_consent_was_withdrawn_is_not_resumed(ada, as_, ready):
    course = ready().course
    Consent.objects.get().withdraw(None, "No more.", timezone.now())
    course.refresh_from_db()

    page = as_(ada).post(reverse("course-resume", args=[course.pk]), {"version": course.version}, follow=True)

    assert "It is signed anew before the course goes on." in page.content.decode()
    course.refresh_from_db()
    assert course.state == Course.State.PAUSED


def test_ending_a_course_needs_words_and_calls_off_what_is_left(ada, as_, course):
    planned = course()
    address = reverse("course-end", args=[planned.pk])

    as_(ada).post(address, {"end-version": planned.version, "end-ending": "person"})
    planned.refresh_from_db()
    assert planned.state == Course.State.PREPARING
    as_(ada).post(address, {"end-version": planned.version, "end-ending": "person", "end-words": "Moved away."})

    planned.refresh_from_db()
    assert (planned.state, planned.ending, planned.ending_words) == (Course.State.ENDED, "person", "Moved away.")
    assert set(planned.sessions.values_list("state", flat=True)) == {Session.State.CALLED_OFF}


def test_a_course_is_handed_to_another_prescriber_only(ada, nia, as_, course):
    bea = Member.objects.create_user("bea@clinic.example", "x", name="Bea", role="prescriber")
    planned = course()
    address = reverse("course-hand-over", args=[planned.pk])

    as_(ada).post(address, {"hand-version": planned.version, "hand-to": nia.pk})
    planned.refresh_from_db()
    assert planned.owner == ada
    as_(ada).post(address, {"hand-version": planned.version, "hand-to": bea.pk})

    planned.refresh_from_db()
    assert planned.owner == bea


def test_the_appointments_of_a_day_by_the_clinics_clock(cleo, as_, clinic, course, enquiry):
    late = timezone.now().astimezone(clinic.zone).replace(hour=23, minute=50)
    course(enquiry(name="Late Example"), first_at=late)

    pages = {
        day: as_(cleo).get(reverse("today"), {"day": day.isoformat()}).content.decode()
        for day in (late.date(), late.date() + timedelta(days=1))
    }

    assert ["Late Example" in page for page in pages.values()] == [True, False]
    assert as_(cleo).get(reverse("today"), {"day": "0001-01-01"}).status_code == 200


# Limits


def signing(**changed: str) -> dict[str, str]:
    return {name: f"{limit.default:g}" for name, limit in table_of_limits().items()} | changed


def test_limits_are_signed_by_name_and_a_session_keeps_those_it_was_opened_under(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)

    as_(ada).post(reverse("limits"), signing(stop_systolic_mmhg="190"))

    assert (LimitSet.in_force().by, LimitSet.in_force().values["stop_systolic_mmhg"]) == (ada, 190)
    session.refresh_from_db()
    assert session.limits.values["stop_systolic_mmhg"] == 200
    assert Event.objects.filter(verb="signed the safety limits", actor=ada.actor).count() == 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"watch_min": "30"}, "Write least minutes in the clinic after the drip as a number, 60 to 360 min"),
        ({"hold_systolic_mmhg": ""}, "Write hold the dose above this upper pressure as a number, 100 to 160 mmHg"),
        ({"stop_systolic_mmhg": "150", "retake_systolic_mmhg": "160"}, "must be below"),
    ],
)
def test_limits_that_contradict_each_other_or_their_bounds_are_not_signed(ada, as_, clinic, typed, words):
    page = as_(ada).post(reverse("limits"), signing(**typed)).content.decode()

    assert words in page
    assert LimitSet.in_force() is None


def test_a_nurse_signs_no_limits(nia, as_, clinic):
    as_(nia).post(reverse("limits"), signing())

    assert LimitSet.in_force() is None


# The calendar


def feed_of(browser) -> str:
    """The address that the page shows once."""
    page = browser.post(reverse("calendar"), {"do": "make"}).content.decode()
    return re.search(r'value="[^"]*(/calendar/[^"]+)"', page)[1]


def test_the_calendar_feed_has_times_and_no_names(cleo, bo, as_, course):
    planned = course()
    answer = bo.get(feed_of(as_(cleo)))

    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    text = answer.content.decode()
    assert not any(word in text.lower() for word in ("robin", "sample", "ketamin", "ptsd", "infusion"))
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    assert [event.decoded("dtstart") for event in events] == [
        session.planned_at.replace(microsecond=0) for session in planned.sessions.all()
    ]


def test_a_new_address_ends_the_old_one_and_so_does_leaving(cleo, bo, as_, course):
    course()
    old, new = feed_of(as_(cleo)), feed_of(as_(cleo))

    assert [bo.get(address).status_code for address in (old, new, "/calendar/guess.ics")] == [404, 200, 404]
    Member.objects.filter(pk=cleo.pk).update(is_active=False)
    assert bo.get(new).status_code == 404


# What hangs on a course


def test_leaving_without_an_escort_twice_opens_an_alert(nia, ada, as_, ready):
    first = ready()
    for session in list(first.course.sessions.all())[:2]:
        begun(session, as_(nia), ada)
        as_(nia).post(at(session, "session-entry"), {"kind": "stop"})
        as_(nia).post(at(session, "session-discharge"), LEAVING | {"escort_here": "no", "override": "Took a taxi."})
        session.refresh_from_db()
        assert session.state == Session.State.ENDED

    assert [alert.kind for alert in Alert.objects.all()] == [Alert.Kind.ESCORT]


def test_a_copy_for_the_person_holds_what_was_written_down(nia, ada, pia, as_, ready):
    session = begun(ready(), as_(nia), ada)

    record = as_(pia).get(reverse("export", args=[session.course.enquiry_id])).json()

    kept = record["courses"][0]
    assert [entry["kind"] for entry in kept["entries"]] == ["gate", "vitals", "dose", "dose_check", "start"]
    assert kept["entries"][1]["data"]["systolic"] == 124
    assert kept["entries"][1]["by"] == "Nia"
    assert not any("link_hash" in measure for measure in kept["measures"])


def test_erasing_takes_what_tells_of_the_person_and_leaves_days_and_the_drug_log(nia, ada, pia, as_, ready):
    session = begun(ready(), as_(nia), ada)
    person = session.course.enquiry

    person.erase(pia, timezone.now())

    assert not Entry.objects.exists()
    assert not Consent.objects.exists()
    session.refresh_from_db()
    assert session.opened_at is not None
    assert session.limits is not None


def test_a_page_of_a_course_notes_who_looked(cleo, as_, course):
    planned = course()

    as_(cleo).get(reverse("course", args=[planned.pk]))

    assert Event.objects.filter(actor=cleo.actor, verb="opened", subject=planned.subject).count() == 1
