"""One visit for an infusion: nothing is lost, nothing is doubled, and nothing starts that should not."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from reprieve.web.models import Consent, Course, Entry, Event
from reprieve.web.models import TreatmentSession as Session
from reprieve.web.sessions import Shown
from tests.web.conftest import PASSWORD

GATE = {
    "systolic": "124",
    "diastolic": "78",
    "pulse": "70",
    "spo2": "98",
    "food_h": "9",
    "fluids_h": "3",
    "escort_name": "Jo Example",
    "escort_phone": "555 0199",
    "sober": "yes",
    "medicines_today": "none",
    "stimulant": "none",
    "suicide_check": "none",
    "mood_check": "done",
    "new_signs": "no",
    "bladder": "no",
    "craving": "no",
    "equipment": "yes",
    "consent": "yes",
}
LEAVING = {
    "falling": "yes",
    "feels_usual": "yes",
    "moaas": "5",
    "aldrete": "10",
    "walking": "yes",
    "nausea": "no",
    "mood": "yes",
    "escort_here": "yes",
    "told_driving": "yes",
    "told_alcohol": "yes",
    "sheet": "yes",
}


def at(session: Session, name: str = "session", **more) -> str:
    return reverse(name, args=[session.pk], **more)


def opened(session: Session, browser) -> Session:
    browser.post(at(session, "session-open"))
    session.refresh_from_db()
    assert session.state == Session.State.OPEN
    return session


def dosed(session: Session, browser, second) -> Session:
    """Open, gate, weight, second person: ready to start."""
    opened(session, browser)
    browser.post(at(session, "session-gate"), GATE)
    browser.post(at(session, "session-weigh"), {"weight-weight": "82", "weight-unit": "kg", "weight-mg_per_ml": "10"})
    browser.post(at(session, "session-second"), {"second-second": second.pk, "second-password": PASSWORD})
    return session


def begun(session: Session, browser, second) -> Session:
    dosed(session, browser, second)
    browser.post(at(session, "session-entry"), {"kind": "start"})
    return session


def here(session: Session):
    session.refresh_from_db()
    return Shown.of(session, timezone.now()).here


def sent(browser, session: Session, member, *entries, device_now=None) -> dict:
    body = {
        "member": member.pk,
        "device_now": (device_now or timezone.now()).isoformat(),
        "entries": [
            {
                "uid": str(one.get("uid") or uuid.uuid4()),
                "kind": one["kind"],
                "data": one.get("data", {}),
                "device_at": (one.get("at") or device_now or timezone.now()).isoformat(),
            }
            for one in entries
        ],
    }
    answer = browser.post(at(session, "session-entries"), json.dumps(body), content_type="application/json")
    return answer.json() | {"status": answer.status_code}


VITALS = {"systolic": "132", "diastolic": "84", "pulse": "78", "spo2": "97"}


def test_a_whole_visit_without_script(nia, ada, as_, ready):
    session, browser = begun(ready(), as_(nia), ada), as_(nia)

    browser.post(at(session, "session-entry"), {"kind": "vitals"} | VITALS)
    browser.post(at(session, "session-entry"), {"kind": "stop"})
    Entry.objects.filter(kind__in=["stop", "start"]).update(at=timezone.now() - timedelta(minutes=121))
    answer = browser.post(at(session, "session-discharge"), LEAVING)

    assert answer.headers["Location"] == at(session)
    session.refresh_from_db()
    assert session.state == Session.State.ENDED
    assert [entry.kind for entry in session.entries.order_by("pk")] == [
        "gate", "vitals", "dose", "dose_check", "start", "vitals", "stop", "discharge",
    ]  # fmt: skip
    assert session.course.started_on == timezone.localdate()
    assert session.course.state == Course.State.RUNNING


def test_the_dose_follows_from_the_weight_of_the_day(nia, ada, as_, ready):
    session = dosed(ready(), as_(nia), ada)

    assert here(session).dose["words"] == "82 kg x 0.5 mg/kg = 41 mg, which is 4.1 mL of 10 mg/mL"
    assert here(session).dose["ml_per_h"] == 6.15
    assert here(session).checked is True


def test_nothing_opens_before_the_limits_are_signed(nia, as_, course):
    session = course().sessions.get(number=1)

    page = as_(nia).post(at(session, "session-open"), follow=True).content.decode()

    assert "The safety limits are not signed." in page
    session.refresh_from_db()
    assert session.state == Session.State.PLANNED


def test_nothing_opens_without_consent_in_force(nia, as_, ready):
    session = ready()
    Consent.objects.get().withdraw(None, "I changed my mind.", timezone.now())

    page = as_(nia).post(at(session, "session-open"), follow=True).content.decode()

    assert "The course is paused." in page
    session.refresh_from_db()
    assert session.state == Session.State.PLANNED


@pytest.mark.parametrize("left_out", sorted(GATE))
def test_no_question_before_the_dose_may_be_left_blank(nia, as_, ready, left_out):
    session = opened(ready(), as_(nia))

    page = as_(nia).post(at(session, "session-gate"), GATE | {left_out: ""}).content.decode()

    assert "Error:" in page
    assert session.entries.count() == 0


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("consent", "no"), ("sober", "no"), ("suicide_check", "high"), ("suicide_check", "not_asked"),
        ("mood_check", "not_done"), ("new_signs", "yes"), ("craving", "yes"), ("equipment", "no"), ("spo2", "93"),
    ],
)  # fmt: skip
def test_some_answers_stop_the_dose_whatever_the_reason(ada, as_, ready, name, answer):
    session = opened(ready(), as_(ada))

    as_(ada).post(at(session, "session-gate"), GATE | {name: answer, "override": "I take the risk"})

    assert here(session).gate == {}


@pytest.mark.parametrize(("systolic", "passes"), [("140", True), ("141", False)])
def test_a_high_pressure_holds_the_dose(nia, as_, ready, systolic, passes):
    session = opened(ready(), as_(nia))

    as_(nia).post(at(session, "session-gate"), GATE | {"systolic": systolic})

    assert bool(here(session).gate) is passes


def test_a_prescriber_may_go_on_in_spite_of_a_pressure_with_a_reason_and_a_nurse_may_not(nia, ada, as_, ready):
    session = opened(ready(), as_(nia))
    high = GATE | {"systolic": "146", "override": "White coat; 128 at home this morning."}

    as_(nia).post(at(session, "session-gate"), high)
    assert here(session).gate == {}
    as_(ada).post(at(session, "session-gate"), high)

    assert here(session).gate["override"] == "White coat; 128 at home this morning."
    assert here(session).gate["overridden"] == [
        "Upper pressure, at rest: 146 mmHg; the limit is at most 140. "
        "Measure again after rest. If it stays up, wait or book a new day."
    ]


def test_a_weight_in_pounds_is_taken_as_pounds(nia, as_, ready):
    session = opened(ready(), as_(nia))
    as_(nia).post(at(session, "session-gate"), GATE)

    as_(nia).post(at(session, "session-weigh"), {"weight-weight": "180", "weight-unit": "lb", "weight-mg_per_ml": "10"})

    assert here(session).dose["weight_kg"] == 81.6


def test_pounds_typed_as_kilograms_are_asked_again(nia, ada, as_, ready):
    first = begun(ready(), as_(nia), ada)
    second = opened(first.course.sessions.get(number=2), as_(nia))
    as_(nia).post(at(second, "session-gate"), GATE)
    slip = {"weight-weight": "181", "weight-unit": "kg", "weight-mg_per_ml": "10"}

    page = as_(nia).post(at(second, "session-weigh"), slip).content.decode()

    assert "181 kg is 2.2 times the 82 kg known so far: was it read in pounds?" in page
    assert here(second).dose == {}
    as_(nia).post(at(second, "session-weigh"), slip | {"weight-sure": "on"})
    assert here(second).dose["mg"] == 60  # the ceiling


@pytest.mark.parametrize("slip", [{"weight-weight": "820"}, {"weight-weight": "8.2"}, {"weight-mg_per_ml": "0"}])
def test_a_decimal_slip_makes_no_dose(nia, as_, ready, slip):
    session = opened(ready(), as_(nia))
    as_(nia).post(at(session, "session-gate"), GATE)

    as_(nia).post(
        at(session, "session-weigh"), {"weight-weight": "82", "weight-unit": "kg", "weight-mg_per_ml": "10"} | slip
    )

    assert here(session).dose == {}


def test_the_second_person_is_another_with_their_own_password(nia, ada, as_, ready):
    session = dosed(ready(), as_(nia), ada)
    Entry.objects.filter(kind="dose_check").delete()

    for who, password in ((ada, "wrong"), (nia, PASSWORD), (ada, "")):
        as_(nia).post(at(session, "session-second"), {"second-second": who.pk, "second-password": password})
        assert here(session).checked is False
    as_(nia).post(at(session, "session-second"), {"second-second": ada.pk, "second-password": PASSWORD})

    assert here(session).checked is True
    assert session.entries.get(kind="dose_check").by == ada


def test_a_new_dose_needs_a_new_check(nia, ada, as_, ready):
    session = dosed(ready(), as_(nia), ada)

    as_(nia).post(at(session, "session-weigh"), {"weight-weight": "80", "weight-unit": "kg", "weight-mg_per_ml": "10"})

    assert here(session).checked is False
    assert sent(as_(nia), session, nia, {"kind": "start"})["refused"][0]["why"] == (
        "A second person has not checked the dose yet"
    )


def test_the_same_entry_twice_is_kept_once(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    once = {"uid": uuid.uuid4(), "kind": "vitals", "data": VITALS}

    answers = [sent(as_(nia), session, nia, once) for _ in range(3)]

    assert [answer["saved"] for answer in answers] == [[str(once["uid"])]] * 3
    assert session.entries.filter(uid=once["uid"]).count() == 1
    assert Event.objects.filter(verb="wrote down: vitals").count() == 2  # the pressures at rest, and this


def test_an_entry_made_without_a_network_keeps_the_time_when_it_was_made(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    Session.objects.filter(pk=session.pk).update(opened_at=timezone.now() - timedelta(hours=1))
    made_at = timezone.now() - timedelta(minutes=25)

    sent(as_(nia), session, nia, {"kind": "vitals", "data": VITALS, "at": made_at})

    entry = session.entries.filter(kind="vitals").order_by("at").first()
    assert abs(entry.at - made_at) < timedelta(seconds=2)


@pytest.mark.parametrize("wrong_by", [timedelta(hours=3), timedelta(hours=-3), timedelta(days=-400)])
def test_a_device_clock_that_is_wrong_is_put_right(nia, ada, as_, ready, wrong_by):
    session = begun(ready(), as_(nia), ada)
    Session.objects.filter(pk=session.pk).update(opened_at=timezone.now() - timedelta(hours=1))
    device_now = timezone.now() + wrong_by

    sent(
        as_(nia), session, nia, {"kind": "note", "data": {"text": "Calm"}, "at": device_now - timedelta(minutes=7)},
        device_now=device_now,
    )  # fmt: skip

    note = session.entries.get(kind="note")
    assert abs(timezone.now() - note.at - timedelta(minutes=7)) < timedelta(seconds=5)
    assert "the device clock is" in as_(nia).get(at(session)).content.decode()


def test_a_clock_that_was_moved_in_between_is_marked_and_nothing_is_lost(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)

    sent(as_(nia), session, nia, {"kind": "note", "data": {"text": "Calm"}, "at": timezone.now() - timedelta(days=9)})

    note = session.entries.get(kind="note")
    assert note.at == session.opened_at
    assert note.data["time_unsure"] is True


def test_figures_out_of_the_bodys_range_are_asked_again_on_the_page_and_kept_with_a_flag(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    slip = {"kind": "vitals"} | VITALS | {"systolic": "1320"}

    page = as_(nia).post(at(session, "session-entry"), slip).content.decode()
    assert "Upper pressure 1320 mmHg: it is usually 60 to 250." in page
    assert session.entries.filter(kind="vitals").count() == 1
    as_(nia).post(at(session, "session-entry"), slip | {"sure": "on"})

    assert session.entries.filter(kind="vitals").last().flagged is True


def test_an_entry_from_the_browsers_store_is_never_turned_away_for_its_figure(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)

    answer = sent(as_(nia), session, nia, {"kind": "vitals", "data": VITALS | {"systolic": "1320"}})

    assert len(answer["saved"]) == 1
    assert session.entries.filter(kind="vitals").last().flagged is True


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"kind": "vitals", "data": {"systolic": "high"}}, "Write upper pressure as a number"),
        ({"kind": "discharge"}, "it is no entry of a session"),
        ({"kind": "rate", "data": {"ml_per_h": "600"}}, "Write the new rate in mL an hour, above zero and at most 200"),
        ({"kind": "rate", "data": {"ml_per_h": "-3"}}, "Write the new rate in mL an hour, above zero and at most 200"),
        ({"kind": "adverse", "data": {"term_code": "nausea"}}, "Choose how grave it is Choose how it is now"),
    ],
)
def test_what_cannot_be_kept_is_said_with_its_reason(nia, ada, as_, ready, entry, why):
    session = begun(ready(), as_(nia), ada)

    assert [one["why"] for one in sent(as_(nia), session, nia, entry)["refused"]] == [why]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"member": 1}', "\x00", '{"entries": 3, "device_now": "x"}'])
def test_nonsense_is_refused_calmly(nia, as_, ready, body):
    session = opened(ready(), as_(nia))

    answer = as_(nia).post(at(session, "session-entries"), body, content_type="application/json")

    assert answer.status_code == 400


def test_entries_of_another_member_are_not_taken_in_ones_own_name(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)

    answer = sent(as_(ada), session, nia, {"kind": "note", "data": {"text": "Calm"}})

    assert (answer["status"], session.entries.filter(kind="note").count()) == (409, 0)


def test_an_entry_of_one_session_cannot_be_put_into_another(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    other = opened(session.course.sessions.get(number=2), as_(nia))
    note = {"uid": uuid.uuid4(), "kind": "note", "data": {"text": "Calm"}}
    sent(as_(nia), session, nia, note)

    answer = sent(as_(nia), other, nia, note)

    assert answer["refused"][0]["why"] == "it belongs to another session"


def test_two_nurses_who_both_press_stop_stop_it_once(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)

    sent(as_(nia), session, nia, {"kind": "stop"})
    sent(as_(ada), session, ada, {"kind": "stop"})

    found = here(session)
    assert found.phase == "stopped"
    assert list(found.without_effect.values()) == ["the drip did not run"]
    assert session.entries.filter(kind="stop").count() == 2


def test_an_entry_that_arrives_after_the_end_is_still_kept(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    made_at = timezone.now()
    as_(nia).post(at(session, "session-entry"), {"kind": "stop"})
    as_(nia).post(at(session, "session-discharge"), LEAVING | {"override": "Taken to hospital with chest pain."})
    session.refresh_from_db()
    assert session.state == Session.State.ENDED

    answer = sent(as_(nia), session, nia, {"kind": "vitals", "data": VITALS, "at": made_at})

    assert len(answer["saved"]) == 1


def test_a_correction_strikes_an_entry_and_both_stay(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    sent(as_(nia), session, nia, {"kind": "vitals", "data": VITALS | {"systolic": "201"}})
    wrong = session.entries.filter(kind="vitals").last()
    assert [alarm.level for alarm in here(session).open_alarms] == ["stop"]

    sent(as_(nia), session, nia, {"kind": "correction", "data": {"corrects": str(wrong.uid), "why": "Cuff slipped"}})

    assert here(session).open_alarms == ()
    assert "<s>Vitals: 201/84 mmHg" in as_(nia).get(at(session)).content.decode()


def test_an_alarm_names_its_rule_and_source_and_is_acknowledged_by_name(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    sent(as_(nia), session, nia, {"kind": "vitals", "data": VITALS | {"systolic": "204"}})

    page = as_(nia).get(at(session)).content.decode()
    alarm = here(session).open_alarms[0]
    sent(as_(nia), session, nia, {"kind": "seen", "data": {"alarm": alarm.key, "text": "Stopped, called Ada"}})

    assert "Upper pressure above 200: 204" in page
    assert f"Rule: {alarm.source.name}" in page
    assert "from memory" in page
    assert here(session).open_alarms == ()
    assert session.entries.get(kind="seen").by == nia


def test_consent_withdrawn_mid_course_says_stop_on_the_open_session(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)

    Consent.objects.get().withdraw(None, "Please stop.", timezone.now())

    page = as_(nia).get(at(session)).content.decode()
    assert "Consent was withdrawn. Stop the drip now" in page
    assert Course.objects.get().state == Course.State.PAUSED


def test_nobody_leaves_while_the_drip_runs(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)

    as_(nia).post(at(session, "session-discharge"), LEAVING)

    assert here(session).phase == "running"


def test_leaving_early_needs_a_reason_that_is_kept(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    as_(nia).post(at(session, "session-entry"), {"kind": "stop"})

    as_(nia).post(at(session, "session-discharge"), LEAVING)
    session.refresh_from_db()
    assert session.state == Session.State.OPEN
    as_(nia).post(at(session, "session-discharge"), LEAVING | {"override": "Left against advice, with escort."})

    session.refresh_from_db()
    assert session.state == Session.State.ENDED
    kept = session.entries.get(kind="discharge").data
    assert kept["override"] == "Left against advice, with escort."
    assert kept["overridden"] == ["Minutes since the drip ended: 0 min; the limit is at least 120. Stay and watch on."]


PAGES = ["session", "session-live", "session-gate", "session-discharge"]
POSTS = ["session-open", "session-weigh", "session-second", "session-entry", "session-entries"]


@pytest.mark.parametrize("name", [*PAGES, *POSTS, "session-move", "session-miss", "session-call-off"])
def test_a_stranger_is_sent_to_log_in(bo, ready, name):
    session = ready()

    for answer in (bo.get(at(session, name)), bo.post(at(session, name))):
        assert answer.headers["Location"].startswith(reverse("account_login"))


def test_a_stranger_sees_no_chart(bo, ready):
    answer = bo.get(reverse("session-chart", args=[ready().pk, 328, "light"]))

    assert answer.headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", [*PAGES, *POSTS])
def test_a_privacy_lead_sees_no_session(pia, as_, ready, name):
    session = ready()

    assert {as_(pia).get(at(session, name)).status_code, as_(pia).post(at(session, name)).status_code} == {403}


@pytest.mark.parametrize("name", ["session-gate", "session-discharge", *POSTS])
def test_a_coordinator_gives_no_treatment(cleo, as_, ready, name):
    assert as_(cleo).post(at(ready(), name)).status_code == 403


def test_the_chart_draws_what_was_measured_over_what_is_expected(nia, ada, as_, ready):
    session = begun(ready(), as_(nia), ada)
    sent(as_(nia), session, nia, {"kind": "vitals", "data": VITALS})

    answer = as_(nia).get(reverse("session-chart", args=[session.pk, 328, "light"]))

    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert "The last blood pressure is" in answer.content.decode()
    assert "Ketamine in blood from a vein" in answer.content.decode()
