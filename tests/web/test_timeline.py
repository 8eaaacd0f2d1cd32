"""One timeline: for the team with rules and what is missing, for the person in plain words and without a verdict."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from reprieve.treatment.outcome import rule
from reprieve.web.models import Consultation, Course, Event, Measure, OtherTreatment, TreatmentSession
from tests.web.reading import grade, words_of

pytestmark = pytest.mark.django_db

LEAST = rule("PCL-5", "reliable_change").value


@pytest.fixture
def treated(course, clinic, enquiry):
    """A course of which two sessions were held, with the link of its person."""
    from reprieve.web.models.enquiry import link_token, sha256

    person = enquiry()
    token = link_token("a device")
    type(person).objects.filter(pk=person.pk).update(link_hash=sha256(token))
    first_at = timezone.now() - timedelta(days=3)
    planned = course(person, first_at=first_at)
    planned.sessions.filter(number__lte=2).update(state=TreatmentSession.State.ENDED, infused_mg=35.0)
    Course.objects.filter(pk=planned.pk).update(started_on=first_at.astimezone(clinic.zone).date(), state="running")
    planned.refresh_from_db()
    planned.token = token
    return planned


def answered(course, total, days, clinic, instrument="PCL-5", answers=None):
    """A measure of so many points, so many days before now."""
    at = timezone.now() - timedelta(days=days)
    answers = answers or {
        str(item): 4 if item <= total // 4 else total % 4 if item == total // 4 + 1 else 0 for item in range(1, 21)
    }
    measure = Measure.objects.create(
        course=course, instrument=instrument, reason="extra", due_on=at.date(), first_on=at.date(), last_on=at.date()
    )
    measure.complete(None, answers, at, clinic)
    return measure


def page_of(browser, course):
    return browser.get(reverse("timeline", args=[course.pk])).content.decode()


def test_totals_infusions_and_other_treatments_stand_in_one_list(treated, clinic, nia, as_):
    answered(treated, 50, 3, clinic)
    OtherTreatment.note(
        nia, treated, kind="medicine", what="sertraline 50 mg", from_on=timezone.now().date(), to_on=None
    )

    words = words_of(page_of(as_(nia), treated))

    for part in ("PCL-5", "50", "number 1, 35 mg", "number 2, 35 mg", "sertraline 50 mg"):
        assert part in words


def test_what_is_missing_is_shown_as_missing(treated, nia, as_):
    words = words_of(page_of(as_(nia), treated))

    assert "Missing: it was not measured" in words
    assert "missing: not done in its window" in words


def test_a_reliable_change_is_judged_with_its_rule_and_source(treated, clinic, nia, as_):
    answered(treated, 50, 3, clinic)
    answered(treated, 50 - int(LEAST), 1, clinic)

    page = page_of(as_(nia), treated)

    assert "Improved" in words_of(page)
    assert "18 points: no clear change" in words_of(page)
    assert f"{LEAST:g} points" in page
    assert rule("PCL-5", "reliable_change").source.url.replace("&", "&amp;") in page


def test_blanks_leave_the_judgement_open(treated, clinic, nia, as_):
    answered(treated, 50, 3, clinic)
    answered(treated, 0, 1, clinic, answers={str(item): 2 for item in range(1, 16)})  # 30 to 50

    assert "Open: blanks leave it undecided" in words_of(page_of(as_(nia), treated))


def test_the_interview_of_the_consultation_is_the_baseline(treated, ada, as_):
    Consultation.record(
        ada, treated.enquiry, 0, caps5={"B": 12, "C": 5, "D": 14, "E": 10}, diagnosis="ptsd", decision="course",
        reasons="Long ill.",
    )  # fmt: skip
    Consultation.objects.update(at=timezone.now() - timedelta(days=10))

    picture = as_(ada).get(reverse("timeline-picture", args=[treated.pk, 620, "light"]))

    assert "CAPS-5" in picture.content.decode()


@pytest.mark.parametrize(("width", "look"), [(328, "light"), (328, "dark"), (620, "light"), (620, "dark")])
def test_the_picture_holds_no_style_and_no_script(treated, clinic, nia, as_, width, look):
    answered(treated, 50, 3, clinic)

    picture = as_(nia).get(reverse("timeline-picture", args=[treated.pk, width, look]))

    svg = picture.content.decode()
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "<style" not in svg
    assert "<script" not in svg


@pytest.mark.parametrize(("width", "look"), [(329, "light"), (328, "pink")])
def test_a_picture_of_another_size_or_look_is_not_there(treated, nia, as_, width, look):
    assert as_(nia).get(reverse("timeline-picture", args=[treated.pk, width, look])).status_code == 404


def test_what_else_happens_is_noted(treated, cleo, as_):
    said = {"kind": "therapy", "what": "EMDR every week", "from_on": timezone.now().date().isoformat(), "to_on": ""}

    as_(cleo).post(reverse("note-other-treatment", args=[treated.pk]), said)

    noted = OtherTreatment.objects.get()
    assert (noted.kind, noted.what, noted.by) == ("therapy", "EMDR every week", cleo)
    assert "EMDR" not in str(list(Event.objects.values()))


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "magic"), ("what", ""), ("from_on", "2099-01-01"), ("from_on", "soon"), ("to_on", "2001-01-01")],
)
def test_what_cannot_be_is_asked_again(treated, cleo, as_, field, value):
    said = {"kind": "event", "what": "Moved house", "from_on": timezone.now().date().isoformat(), "to_on": ""}

    answer = as_(cleo).post(reverse("note-other-treatment", args=[treated.pk]), said | {field: value})

    assert answer.status_code == 200
    assert "error-summary" in answer.content.decode()
    assert not OtherTreatment.objects.exists()


# The person's own page


def own(bo, course):
    return bo.get(reverse("own-course", args=[course.token]))


def test_the_person_reads_how_far_they_are(treated, bo):
    words = words_of(own(bo, treated).content.decode())

    assert "You have had 2 of 6 drips." in words
    assert "Your next visit is at" in words


def test_the_person_reads_their_change_in_plain_words(treated, bo, clinic):
    answered(treated, 50, 3, clinic)
    answered(treated, 38, 1, clinic)

    words = words_of(own(bo, treated).content.decode())

    assert "your score went down by 12 points." in words
    assert f"A change of {LEAST:g} or more is more than chance ups and downs." in words


def test_a_score_with_blanks_is_shown_as_a_range_and_not_compared(treated, bo, clinic):
    answered(treated, 50, 3, clinic)
    answered(treated, 0, 1, clinic, answers={str(item): 2 for item in range(1, 19)})

    words = words_of(own(bo, treated).content.decode())

    assert "36 to 44" in words
    assert "went down" not in words


def test_the_person_reads_no_verdict(treated, bo, clinic):
    answered(treated, 50, 3, clinic)
    answered(treated, 20, 1, clinic)

    words = words_of(own(bo, treated).content.decode())

    for word in ("response", "remission", "Improved", "cured", "PTSD", "severe"):
        assert word not in words


def test_the_person_can_read_it(treated, bo, clinic):
    answered(treated, 50, 3, clinic)
    answered(treated, 38, 1, clinic)

    page = own(bo, treated).content.decode()

    assert grade(words_of(page)) <= 6
    assert 'href="tel:988"' in page


def test_the_status_page_leads_there_only_when_there_is_a_course(treated, bo, enquiry):
    page = bo.get(reverse("status", args=[treated.token])).content.decode()
    assert reverse("own-course", args=[treated.token]) in page


def test_without_a_course_there_is_no_such_page(bo, clinic, enquiry):
    from reprieve.web.models.enquiry import link_token, sha256

    person, token = enquiry(), link_token("another device")
    type(person).objects.filter(pk=person.pk).update(link_hash=sha256(token))

    assert bo.get(reverse("own-course", args=[token])).status_code == 404
    assert bo.get(reverse("own-course", args=["nothing"])).status_code == 404


def test_the_persons_picture_shows_their_scores_alone(treated, bo, clinic, nia):
    answered(treated, 50, 3, clinic)
    OtherTreatment.note(nia, treated, kind="event", what="A bad fall", from_on=timezone.now().date(), to_on=None)

    picture = bo.get(reverse("own-picture", args=[treated.token, 328, "light"]))

    assert picture.status_code == 200
    assert "A bad fall" not in picture.content.decode()


def test_after_erasure_nothing_is_left(treated, bo, clinic):
    answered(treated, 50, 3, clinic)
    person = treated.enquiry
    person.refresh_from_db()

    person.erase(None, timezone.now())

    assert own(bo, treated).status_code == 404
    assert not Measure.objects.exists()
