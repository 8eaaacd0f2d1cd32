"""Who gets worse, or shows no benefit, is put before a named clinician until that clinician says what was done."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from reprieve.treatment.outcome import rule
from reprieve.web import jobs, notices
from reprieve.web.models import Alert, ChangedMeanwhileError, Course, Event, Measure, Member, Notice, Role

pytestmark = pytest.mark.django_db

RISE = int(rule("PCL-5", "relapse_alert").value)  # points that count as getting worse


@pytest.fixture
def treated(course):
    """A course whose first session was three weeks ago."""
    planned = course(first_at=timezone.now() - timedelta(days=21))
    Course.objects.filter(pk=planned.pk).update(started_on=(timezone.now() - timedelta(days=21)).date())
    planned.refresh_from_db()
    return planned


@pytest.fixture
def pcl5(treated, clinic):
    """A PCL-5 with a total, answered so many days after the first session: ``pcl5(50, 0)``."""

    def answer(total, days, blank=()):
        at = timezone.now() - timedelta(days=21 - days)
        answers = {
            str(item): 4 if item <= total // 4 else total % 4 if item == total // 4 + 1 else 0 for item in range(1, 21)
        }
        answers |= dict.fromkeys(map(str, blank))
        measure = Measure.objects.create(
            course=treated, instrument="PCL-5", reason="extra", due_on=at.date(), first_on=at.date(), last_on=at.date()
        )
        measure.complete(None, answers, at, clinic)
        return measure

    return answer


def make_alert(course, key="measure 1", kind=Alert.Kind.RELAPSE):
    return Alert.open_for(course, kind, key, ["PCL-5 45, 15 points up."])


@pytest.mark.parametrize(("rise", "alerts"), [(RISE - 1, 0), (RISE, 1)])
def test_a_rise_by_a_reliable_change_alerts_the_owner(pcl5, ada, rise, alerts):
    pcl5(30, -1)
    pcl5(30, 7)

    pcl5(30 + rise, 14)

    assert Alert.objects.filter(kind=Alert.Kind.RELAPSE, owner=ada).count() == alerts


def test_the_reasons_say_what_rose(pcl5):
    pcl5(30, -1)
    pcl5(30 + RISE, 14)

    assert Alert.objects.get().reasons[0] == (
        f"PCL-5 {30 + RISE}, which is {RISE} points above the lowest since the course began (30)."
    )


def test_the_first_total_of_all_alerts_nobody(pcl5):
    pcl5(70, -1)

    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("said", "alerts"), [({}, 0), ({"nausea": 3}, 0), ({"bladder": None}, 0), ({"bladder": 1}, 1), ({"craving": 1}, 1)]
)
def test_bladder_trouble_and_craving_ask_whether_the_course_goes_on(treated, ada, clinic, said, alerts):
    measure = Measure.add(ada, treated, "side effects", timezone.localdate())

    measure.complete(None, {"suicidal_thoughts_month": "none"} | said, timezone.now(), clinic)

    assert Alert.objects.filter(kind=Alert.Kind.HARM, owner=ada).count() == alerts


def test_a_cause_is_raised_once(treated):
    first, again = make_alert(treated), make_alert(treated)

    assert first is not None
    assert again is None
    assert Alert.objects.count() == 1


# The planned review


def test_no_benefit_at_the_planned_review_opens_stop_or_change(pcl5, treated):
    pcl5(50, -1)
    pcl5(50 - RISE + 1, 14)
    Course.objects.filter(pk=treated.pk).update(review_on=timezone.now().date())

    jobs.watch()
    jobs.watch()

    [alert] = Alert.objects.filter(kind=Alert.Kind.NO_BENEFIT)
    assert "it has not fallen by" in alert.reasons[0]


def test_a_benefit_at_the_planned_review_alerts_nobody(pcl5, treated):
    pcl5(50, -1)
    pcl5(50 - RISE, 14)
    Course.objects.filter(pk=treated.pk).update(review_on=timezone.now().date())

    jobs.watch()

    assert not Alert.objects.exists()


def test_a_review_without_a_total_shows_no_benefit(treated):
    Course.objects.filter(pk=treated.pk).update(review_on=timezone.now().date())

    jobs.watch()

    assert Alert.objects.get().reasons == ["No PCL-5 before the course: no benefit can be shown."]


# Telling


def told(kind=Notice.Kind.ALERT):
    return [notice.member.name for notice in Notice.objects.filter(kind=kind).order_by("pk")]


def test_the_owner_is_told_once_a_day(treated, ada, nia):
    make_alert(treated)

    for _ in range(3):
        jobs.watch()

    assert told() == ["Ada"]


def test_each_working_day_one_more_is_told_until_somebody_answers(treated, ada, nia, cleo, clinic):
    alert = make_alert(treated)
    jobs.watch()
    now = datetime.combine(timezone.now().astimezone(clinic.zone).date() + timedelta(days=1), time(10), clinic.zone)
    on_call = list(Member.objects.on_call())

    for days in range(3):
        jobs.tell_of_alerts(now + timedelta(days=days), clinic, on_call)
        jobs.tell_of_alerts(now + timedelta(days=days, minutes=1), clinic, on_call)
    alert.acknowledge(ada, "Called.", now)
    jobs.tell_of_alerts(now + timedelta(days=3), clinic, on_call)

    assert told() == ["Ada", "Ada", "Nia", "Ada", "Nia", "Cleo", "Ada", "Nia", "Cleo"]


def test_on_a_closed_day_nobody_is_told_again(treated, ada, clinic):
    make_alert(treated)
    jobs.watch()
    tomorrow = timezone.now().astimezone(clinic.zone).date() + timedelta(days=1)
    clinic.closures = [tomorrow.isoformat()]
    clinic.save()

    jobs.tell_of_alerts(datetime.combine(tomorrow, time(10), clinic.zone), clinic, [ada])

    assert told() == ["Ada"]


def test_when_the_owner_has_left_those_on_call_are_told(treated, ada, nia):
    Member.objects.filter(pk=ada.pk).update(is_active=False)
    make_alert(treated)

    jobs.watch()

    assert told() == ["Nia"]


def test_a_notice_of_an_alert_says_nothing_of_health(treated, ada, clinic):
    make_alert(treated, kind=Alert.Kind.URGENT)
    jobs.watch()

    subject, text = notices.words(Notice.objects.get(kind=Notice.Kind.ALERT), clinic)

    assert reverse("alerts") in text
    for word in ("robin", "safety", "suicid", "worse", "pcl", "ptsd", "ketamine"):
        assert word not in (subject + text).lower()


# Answering


def test_the_inbox_and_the_measures_show_how_many_wait(treated, nia, as_):
    make_alert(treated)

    pages = [as_(nia).get(reverse(name)).content.decode() for name in ("inbox", "measures-due")]

    assert ["Alerts: 1" in page for page in pages] == [True, True]


def test_the_owner_says_what_was_done(treated, ada, as_):
    alert = make_alert(treated)

    answer = as_(ada).post(reverse("alert", args=[alert.pk]), {"words": "Called, visit on Friday."})

    assert answer.headers["Location"] == reverse("alerts")
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.what_was_done) == (ada, "Called, visit on Friday.")
    assert Event.objects.filter(verb="acknowledged an alert", actor=ada.actor).count() == 1


def test_without_words_an_alert_stays_open(treated, ada, as_):
    alert = make_alert(treated)

    page = as_(ada).post(reverse("alert", args=[alert.pk]), {"words": "  "})

    assert "Write what was done" in page.content.decode()
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_another_prescriber_may_answer(treated, as_):
    eve = Member.objects.create_user("eve@clinic.example", name="Eve", role=Role.PRESCRIBER)

    answer = as_(eve).post(reverse("alert", args=[make_alert(treated).pk]), {"words": "Saw the person."})

    assert answer.status_code == 302


@pytest.mark.parametrize("who", ["nia", "cleo"])
def test_nobody_else_may_answer(treated, as_, request, who):
    alert = make_alert(treated)

    answer = as_(request.getfixturevalue(who)).post(reverse("alert", args=[alert.pk]), {"words": "Done."})

    assert answer.status_code == 403
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_an_alert_that_was_answered_is_not_answered_again(treated, ada, as_):
    alert = make_alert(treated)
    alert.acknowledge(ada, "Called.", timezone.now())

    answer = as_(ada).post(reverse("alert", args=[alert.pk]), {"words": "I called too."})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Called." in page
    assert "I called too." in page
    with pytest.raises(ChangedMeanwhileError):
        alert.acknowledge(ada, "Again.", timezone.now())


def test_an_answer_that_is_never_given_is_refused_by_the_database_too(treated, ada):
    alert = make_alert(treated)
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.filter(pk=alert.pk).update(acknowledged_at=timezone.now())
