"""The clinic as a whole: what the page counts is what the pure room counts, and nobody is named in what leaves."""

from __future__ import annotations

import csv
import io
import os
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from reprieve.evidence.harms import KETAMINE, harms_of
from reprieve.treatment.adverse import terms
from reprieve.treatment.outcome import Measured
from reprieve.treatment.registry import Cell, registry_rows
from reprieve.treatment.results import NO_PROOF, CourseRecord, Courses, Share, summarise
from reprieve.web import results
from reprieve.web.commands import registry
from reprieve.web.models import Clinic, Consent, Consultation, Course, Enquiry, Entry, Event, Measure, Member
from reprieve.web.models import TreatmentSession as Session
from reprieve.web.results import EVER, Period, Reading
from tests.web.conftest import CLEAR

FIRST_DAY = date(2026, 1, 5)
DAYS = (0, 2, 4, 7, 9, 11)
Treated = Callable[..., Course]


def at(clinic: Clinic, day: int, hour: int = 10) -> datetime:
    """An hour, by the clinic's clock, so many days after the first of all."""
    return datetime.combine(FIRST_DAY + timedelta(days=day), time(hour), clinic.zone)


@pytest.fixture
def treated(clinic: Clinic, ada: Member, enquiry: Callable[..., Enquiry], course: Callable[..., Course]) -> Treated:
    """A course that was given: ``treated(begins=3, given=4, totals={0: 50, 12: 30}, harms=[(1, "nausea")])``.

    Days of totals count from its own first day; ``ending=""`` leaves it going on.
    """

    def treat(
        begins: int = 0,
        given: int = 6,
        ending: str = "as_planned",
        totals: dict[int, int | tuple[int, int]] | None = None,
        harms: list[tuple[int, str]] | None = None,
        early: int = 0,
        person: Enquiry | None = None,
        born: str = "1986-03-01",
    ) -> Course:
        first = at(clinic, begins)
        person = person or enquiry(at=first - timedelta(days=20), birth_date=born)
        planned = course(person, first_at=first)
        for session in planned.sessions.all()[:given]:
            infused = 20.0 if session.number <= early else 40.0
            fields = {"state": "ended", "opened_at": session.planned_at, "dose_mg": 40.0, "infused_mg": infused}
            Session.objects.filter(pk=session.pk).update(**fields)
        for number, term in harms or []:
            harm(planned, ada, number, term)
        for day, total in (totals or {}).items():
            measure(planned, "PCL-5", at(clinic, begins + day), total)
        over = {"state": "ended", "ended_on": (first + timedelta(days=15)).date(), "ending": ending} if ending else {}
        Course.objects.filter(pk=planned.pk).update(started_on=first.date(), **over)
        planned.sessions.filter(state="planned").update(state="called_off" if ending else "planned")
        planned.refresh_from_db()
        return planned

    return treat


def harm(course: Course, member: Member, number: int, term: str) -> Entry:
    session = course.sessions.get(number=number)
    entry = Entry(session=session, uid=uuid.uuid4(), kind="adverse", term=term, data={"severity": "mild"},
                  at=session.planned_at)  # fmt: skip
    assert Entry.keep(member, entry)
    return entry


def measure(course: Course, instrument: str, moment: datetime, total: int | tuple[int, int]) -> None:
    low, high = total if isinstance(total, tuple) else (total, total)
    day = moment.date()
    Measure.objects.create(
        course=course, instrument=instrument, reason="extra", due_on=day, first_on=day, last_on=day,
        total_low=low, total_high=high, completed_at=moment, answers={},
    )  # fmt: skip


def sign(course: Course, member: Member, moment: datetime) -> None:
    Consent.objects.create(
        course=course, text_version="test", text=[], capacity="Weighed it up well.", clinician=member,
        person_name="Robin Sample", person_signature={"typed": "Robin Sample"}, person_signed_at=moment,
        clinician_signature={"typed": "Ada"}, clinician_signed_at=moment,
    )  # fmt: skip


def consult(person: Enquiry, member: Member, moment: datetime) -> None:
    said = {"diagnosis": "ptsd", "decision": "course", "reasons": "As talked about."}
    Consultation.objects.create(enquiry=person, by=member, at=moment, **said)


def records(clinic: Clinic) -> list[CourseRecord]:
    """Every course that began, one by one, as its rows say."""
    return [_record(course, clinic) for course in Course.objects.filter(started_on__isnull=False).order_by("pk")]


def _record(course: Course, clinic: Clinic) -> CourseRecord:
    sessions, person = list(course.sessions.all()), course.enquiry
    given = [session for session in sessions if session.state == "ended" and (session.infused_mg or 0) > 0]
    held = [session.opened_at or session.planned_at for session in sessions if session.state == "ended"]
    last = max(held).astimezone(clinic.zone).date() if held else course.ended_on
    back = {entry.data["corrects"] for entry in Entry.objects.filter(session__course=course, kind="correction")}
    harms = [
        (session.number, entry.term)
        for session in given
        for entry in session.entries.exclude(term="")
        if str(entry.uid) not in back
    ]
    talk, consent = person.consultations.order_by("at").first(), course.consents.first()
    waited = (consent.person_signed_at - talk.at).total_seconds() / 60 if talk and consent else None
    is_first = not person.courses.filter(pk__lt=course.pk).exists()
    born = person.answers["birth_date"]
    done = course.measures.filter(completed_at__isnull=False, total_low__isnull=False).order_by("completed_at")
    return CourseRecord(
        started_on=course.started_on,
        ended_on=last if course.state == "ended" else None,
        planned=len(sessions),
        given=len(given),
        missed=sum(session.state == "missed" for session in sessions),
        ending=course.ending,
        measured=tuple(
            Measured(each.completed_at.astimezone(clinic.zone).date(), each.instrument,
                     (each.total_low, each.total_high)) for each in done
        ),
        harms=tuple(harms),
        contact_kept=person.kept,
        consent_min=waited if is_first and waited is not None and waited >= 0 else None,
        age_years=course.started_on.year - int(born[:4]) - (course.started_on.isoformat()[5:] < born[5:]),
        stopped_early=sum(session.infused_mg < 0.95 * session.dose_mg for session in given),
    )  # fmt: skip


def summary_of(clinic: Clinic, period: Period = EVER) -> Any:
    now = timezone.now()
    return summarise(Reading(period, clinic, now).courses(), timezone.localdate(now))


def words_of(page: Any) -> str:
    """The page as it is read, without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


@pytest.fixture
def many(treated: Treated, clinic: Clinic, ada: Member) -> list[Course]:
    """Courses of every kind: response kept, lost, open, missing; stopped early; harms, one of them taken back."""
    courses = [
        treated(0, totals={0: 50, 12: 30, 40: 32, 68: 46}, harms=[(1, "nausea"), (2, "nausea"), (2, "dizziness")]),
        treated(1, totals={-3: 60, 0: 50, 12: 30, 40: 28}, early=2),
        treated(2, totals={0: 50, 12: (34, 36)}, harms=[(1, "nausea")]),
        treated(3, totals={0: 50}, given=2, ending="harm", harms=[(2, "chest_pain")]),
        treated(4, totals={12: 20}, given=3, ending="person"),
        treated(5, ending="", given=1, totals={0: 44}),
    ]
    missed = courses[3].sessions.get(number=3)
    Session.objects.filter(pk=missed.pk).update(state="missed")
    measure(courses[1], "CAPS-5", at(clinic, 1), 40)
    measure(courses[1], "CAPS-5", at(clinic, 14), 20)
    measure(courses[1], "PHQ-9", at(clinic, 14), 5)
    taken_back = harm(courses[4], ada, 1, "vomiting")
    Entry.keep(ada, Entry(session=taken_back.session, uid=uuid.uuid4(), kind="correction", at=taken_back.at,
                          data={"corrects": str(taken_back.uid), "why": "Another person."}))  # fmt: skip
    consult(courses[0].enquiry, ada, at(clinic, -10))
    consult(courses[0].enquiry, ada, at(clinic, -5))
    sign(courses[0], ada, at(clinic, -4))
    consult(courses[1].enquiry, ada, at(clinic, -2))
    sign(courses[1], ada, at(clinic, -3))
    Enquiry.objects.filter(pk=courses[0].enquiry_id).update(first_called_at=courses[0].enquiry.promised_at)
    return courses


# What is counted


def test_arrays_from_the_database_count_what_the_rows_say_one_by_one(many, clinic):
    now = timezone.now()

    read = Reading(EVER, clinic, now).courses(with_ages=True)

    today = timezone.localdate(now)
    assert summarise(read, today) == summarise(records(clinic), today)
    expected = Courses.of(records(clinic))
    assert read.age_years.tolist() == expected.age_years.tolist()
    assert read.stopped_early.tolist() == expected.stopped_early.tolist() == [0, 2, 0, 0, 0, 0]


def test_the_page_shows_what_was_counted(many, clinic, nia, as_):
    summary = summarise(records(clinic), timezone.localdate())

    page = words_of(as_(nia).get(reverse("results")))

    assert "Results: 6 courses have begun" in page
    assert NO_PROOF in page
    shown = [count.share.words for count in summary.counts]
    for found in summary.responses:
        shown += [found.of_measured.words, found.if_none.words, found.if_all.words]
    shown += [words for each in summary.harms for words in (each.people.words, each.sessions.words)]
    assert [words for words in shown if words not in page] == []
    said = r"2 of 2 \(100 %.* 2 of 5 \(40 %.* 5 of 5 \(100 %[^)]*\) 2 1 "  # two were not measured, one is left open
    assert re.search(f"PCL-5, when the course ends {said}", page)
    assert f"median {summary.losses['PCL-5'].median.words}" in page


def test_an_adverse_event_that_was_taken_back_does_not_count(many, clinic):
    harms = {each.code: each.people.events for each in summary_of(clinic).harms if each.people.events}

    assert harms == {"nausea": 2, "dizziness": 1, "chest_pain": 1}


def test_an_adverse_event_without_an_infusion_is_not_a_harm_of_one(treated, clinic, ada):
    planned = treated(given=0, ending="")
    harm(planned, ada, 1, "anxiety")

    found = summary_of(clinic)

    assert {each.people.events for each in found.harms} == {0}


def test_consent_is_timed_from_the_first_consultation_of_a_first_course(treated, clinic, ada):
    first = treated(0)
    again = treated(60, person=first.enquiry)
    consult(first.enquiry, ada, at(clinic, -10))
    sign(first, ada, at(clinic, -4))
    sign(again, ada, at(clinic, 55))

    consent = summary_of(clinic).consent

    assert (consent.n, consent.unknown, consent.median) == (1, 1, 6 * 24 * 60)


def test_calls_are_counted_of_everybody_who_asked(clinic, enquiry, treated, nia, as_):
    person = treated(0).enquiry
    Enquiry.objects.filter(pk=person.pk).update(first_called_at=person.promised_at)
    enquiry(at=at(clinic, 0))
    enquiry()

    kept, still_open = results.contact(EVER, clinic, timezone.now())

    assert (kept, still_open) == (Share.of(1, 2), 1)
    assert "First call made in time, of all who asked 1 of 2" in words_of(as_(nia).get(reverse("results")))


def test_the_end_of_a_course_is_the_day_of_its_last_session(treated, clinic):
    """It was closed four days later, as the fixture does."""
    treated(0)

    ended = Reading(EVER, clinic, timezone.now()).ended

    assert [date.fromordinal(day) for day in ended] == [FIRST_DAY + timedelta(days=11)]


def test_a_measure_late_at_night_belongs_to_the_clinic_s_day(treated, clinic):
    """Five hours behind Greenwich, 23:30 is the next day in the database."""
    late = treated(0, totals={0: 50})
    measure(late, "PCL-5", at(clinic, 18, 23) + timedelta(minutes=30), 20)

    found = Reading(EVER, clinic, timezone.now()).totals("PCL-5")

    assert [date.fromordinal(day) for day in found.day] == [FIRST_DAY, FIRST_DAY + timedelta(days=18)]


@pytest.mark.parametrize("moment", ["2026-03-08T06:59", "2026-03-08T07:01", "2026-11-01T05:59", "2026-11-01T06:01"])
def test_days_are_the_clinic_s_when_the_clock_changes(moment, clinic):
    moment = datetime.fromisoformat(f"{moment}+00:00")
    seconds = np.array([int(moment.timestamp()) + hour * 3600 for hour in range(-30, 30)])

    days = results.local_days(seconds, clinic.zone)

    assert days.tolist() == [datetime.fromtimestamp(int(second), clinic.zone).date().toordinal() for second in seconds]


# Periods


@pytest.mark.parametrize(
    ("from_on", "until_on", "begun"),
    [
        ("", "", [0, 1, 2, 3, 4, 5]),
        ("2026-01-06", "", [1, 2, 3, 4, 5]),
        ("", "2026-01-06", [0, 1]),
        ("2026-01-06", "2026-01-08", [1, 2, 3]),
        ("2026-01-07", "2026-01-07", [2]),
        ("2027-01-01", "", []),
    ],
)
def test_a_period_holds_its_first_and_its_last_day(many, clinic, nia, as_, from_on, until_on, begun):
    chosen = {"from_on": from_on, "until_on": until_on}
    period = Period(*(date.fromisoformat(day) if day else None for day in chosen.values()))

    page = as_(nia).get(reverse("results"), chosen)

    assert page.context["summary"].courses == len(begun)
    assert Reading(period, clinic, timezone.now()).pks.tolist() == [many[number].pk for number in begun]
    today = timezone.localdate()
    assert page.context["summary"] == summarise([records(clinic)[number] for number in begun], today)


def test_calls_belong_to_the_period_in_which_they_were_promised(clinic, enquiry):
    person = enquiry(at=at(clinic, 0))
    due = person.promised_at.astimezone(clinic.zone).date()
    around = [Period(due + timedelta(days=day), due + timedelta(days=day)) for day in (-1, 0, 1)]

    found = [results.contact(period, clinic, timezone.now())[0].n for period in around]

    assert found == [0, 1, 0]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"from_on": "2026-02-01", "until_on": "2026-01-01"}, "The last day is before the first"),
        ({"from_on": "soon"}, "Choose a day from the calendar"),
    ],
)
def test_an_impossible_period_is_said_and_everything_shown(many, nia, as_, chosen, words):
    page = as_(nia).get(reverse("results"), chosen)

    assert words in words_of(page)
    assert page.context["summary"].courses == 6


def test_the_picture_is_of_the_period_that_was_chosen(many, nia, as_):
    page = as_(nia).get(reverse("results"), {"from_on": "2026-01-06"}).content.decode()

    assert "loss-pcl-5-620-dark.svg?from_on=2026-01-06" in page


# What is empty


def test_an_empty_clinic_says_so(clinic, nia, as_):
    page = words_of(as_(nia).get(reverse("results")))

    assert "Results: 0 courses have begun" in page
    assert "No course has begun yet." in page
    assert "nothing to count yet" in page
    assert NO_PROOF in page


def test_a_course_that_goes_on_has_not_ended(treated, course, nia, as_):
    treated(ending="", given=1)
    course()

    page = words_of(as_(nia).get(reverse("results")))

    assert "No course has ended yet." in page
    assert "Planned, not begun: 1" in page
    assert "Nobody has responded on the PCL-5 at the end of a course yet" in page


def test_made_up_courses_are_not_counted_in_a_real_clinic(treated, clinic):
    treated(0)
    Course.objects.update(fictional=True)

    assert summary_of(clinic).courses == 0
    clinic.fictional = True
    assert summary_of(clinic).courses == 1


# Beside the trials


def test_trials_and_their_sources_stand_beside(many, nia, as_):
    page = as_(nia).get(reverse("results")).content.decode()

    assert f"{reverse('study', args=['feder2021'])}#feder2021-4" in page
    assert "Responded: 10 of 15 (67 %, 95 % interval 38 to 88 %)" in page
    assert "from memory, not yet checked" in page


def test_harms_that_studies_counted_are_found_under_their_name():
    counted = {found.name for found in harms_of(KETAMINE, include_recalled=True)}

    named = {term.harm for term in terms().values() if term.harm}
    assert named <= counted
    assert {"nausea", "dissociation", "headache"} <= named


def test_the_page_names_nobody(many, nia, as_):
    page = as_(nia).get(reverse("results")).content.decode()

    for course in many:
        assert course.enquiry.reference not in page
        assert course.enquiry.name not in page


def test_the_number_of_queries_does_not_grow_with_courses(treated, nia, as_):
    browser, counted = as_(nia), []
    browser.get(reverse("results"))

    for number in (1, 5):
        for each in range(number):
            treated(each, totals={0: 50, 12: 30}, harms=[(1, "nausea")])
        with CaptureQueriesContext(
            connection,
        ) as captured:
            browser.get(reverse("results"))
        counted.append(len(captured))

    assert counted[0] == counted[1]


# The picture


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [328, 620])
def test_the_curve_is_drawn(many, nia, as_, width, look):
    drawn = as_(nia).get(reverse("results-picture", args=["pcl-5", width, look]))

    assert drawn.headers["Content-Type"] == "image/svg+xml"
    assert "days from the end of the course" in drawn.content.decode()


@pytest.mark.parametrize("address", ["phq-9-620-light", "pcl-5-621-light", "pcl-5-620-pink"])
def test_other_pictures_are_not_there(clinic, nia, as_, address):
    assert as_(nia).get(f"/team/results/loss-{address}.svg").status_code == 404


# Who may see it


ADDRESSES = {
    "/team/results/": {"ada", "nia", "cleo"},
    "/team/results/loss-pcl-5-328-light.svg": {"ada", "nia", "cleo"},
    "/team/results/registry.csv": {"ada", "pia"},  # a privacy lead, and whoever manages the clinic
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_role_sees_what_it_may(address, ada, nia, cleo, pia, as_, bo):
    answers = {who.name.lower(): as_(who).get(address).status_code for who in (ada, nia, cleo, pia)}

    assert answers == {name: 200 if name in ADDRESSES[address] else 403 for name in answers}
    refused = bo.get(address)
    assert (refused.status_code, refused.content) == (302, b"")
    assert refused.headers["Location"].startswith(reverse("account_login"))


def test_the_way_to_the_registry_is_shown_to_who_may_take_it_out(ada, nia, pia, as_):
    assert reverse("registry") in as_(ada).get(reverse("results")).content.decode()
    assert reverse("registry") not in as_(nia).get(reverse("results")).content.decode()
    assert reverse("registry") in as_(pia).get(reverse("erasures")).content.decode()


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_changed_by_a_post(address, ada, as_):
    assert as_(ada).post(address).status_code == 405


# The registry


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


@pytest.fixture
def thirty(treated: Treated) -> list[Course]:
    """Thirty people in their thirties: twenty responded, eight did not, two were not measured."""
    after = [30] * 20 + [45] * 8 + [None] * 2
    return [treated(number, totals={0: 50} | ({12: total} if total else {})) for number, total in enumerate(after)]


def test_the_registry_holds_counts_and_hides_small_ones(thirty, clinic, pia, as_):
    answer = as_(pia).get(reverse("registry"))

    assert answer.headers["Content-Disposition"] == 'attachment; filename="registry.csv"'
    expected = registry_rows(records(clinic), timezone.localdate())
    assert rows_of(answer) == [
        {"table": cell.table, "row": cell.row, "column": cell.column, "count": cell.words} for cell in expected
    ]
    found = {(row["row"], row["column"]): row["count"] for row in rows_of(answer) if row["table"].startswith("resp")}
    assert found["30 to 39", "responded"] == "20"
    assert found["30 to 39", "not known"] == found["30 to 39", "did not"] == "hidden (small)"


def test_the_registry_holds_no_name_reference_day_or_age(thirty, pia, as_):
    text = as_(pia).get(reverse("registry")).content.decode()

    for course in thirty:
        assert course.enquiry.reference not in text
        assert course.enquiry.name not in text
    assert not re.search(r"\d{4}|\d\d[-/.]\d\d", text)
    assert CLEAR["birth_date"] not in text


def test_each_export_is_noted_without_what_was_in_it(thirty, pia, as_):
    as_(pia).get(reverse("registry"))

    [event] = Event.objects.filter(verb="exported the registry")
    assert (event.actor, event.subject) == (pia.actor, "courses")
    assert event.detail.keys() == {"cells"}


def test_an_empty_registry_is_a_line_of_heads(clinic, pia, as_):
    assert as_(pia).get(reverse("registry")).content.decode() == "table,row,column,count\n"


def test_a_made_up_clinic_s_registry_says_so_in_its_name(clinic, pia, as_):
    Clinic.objects.update(fictional=True)

    disposition = as_(pia).get(reverse("registry")).headers["Content-Disposition"]

    assert disposition == 'attachment; filename="registry-made-up.csv"'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\r="])
def test_text_never_comes_out_as_a_formula(start):
    words = f"{start}cmd|' /C calc'!A0"

    [_, line] = csv.reader(io.StringIO(results.as_csv([Cell("ending", words, "all", 7)])))

    assert line == ["ending", f"'{words.strip()}" if start.strip() else words.strip(), "all", "7"]


@pytest.fixture
def umask() -> Iterator[None]:
    """A command takes reading away from others for its whole process."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_command_writes_the_same_file_and_notes_it(thirty, clinic, tmp_path, umask):
    path = tmp_path / "registry.csv"
    ended = CliRunner().invoke(registry, [str(path)])

    assert (ended.exit_code, ended.output) == (
        0,
        f"{path} holds counts of courses that ended, the small ones hidden.\n",
    )
    assert path.read_text() == results.as_csv(results.registry(clinic, timezone.now()))
    assert path.stat().st_mode & 0o077 == 0
    assert Event.objects.get(verb="exported the registry").actor == "system"


def test_the_command_overwrites_nothing(clinic, tmp_path, umask):
    path = tmp_path / "registry.csv"
    path.write_text("kept")

    ended = CliRunner().invoke(registry, [str(path)])

    assert ended.exit_code == 2
    assert path.read_text() == "kept"
    assert not Event.objects.filter(verb="exported the registry").exists()
