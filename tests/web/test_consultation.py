"""The consultation and the second form: kept as written, once, and what cannot wait reaches the team."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reprieve.web.deadlines import Urgency
from reprieve.web.jobs import send_pre_consultation
from reprieve.web.models import Consultation, Enquiry, Event, PreConsultation
from reprieve.web.models.enquiry import sha256
from reprieve.web.second_form import steps_for
from tests.web.before import CONSULTATION, HOSTILE
from tests.web.conftest import CLEAR

MOOD = {f"phq9_{item}": "0" for item in range(9)}


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def consult(person: Enquiry, ada: Any) -> Enquiry:
    person.decide(ada, person.version, "consult", "Let us meet.", timezone.now())
    return person


# The consultation


def test_a_consultation_is_kept_as_it_was_written(ada, as_, enquiry):
    person = consult(enquiry(), ada)
    address = reverse("consultation", args=[person.pk])

    answer = as_(ada).post(address, CONSULTATION)

    assert answer.status_code == 302
    kept = Consultation.objects.get()
    assert (kept.caps5, kept.caps5_total) == ({"B": 12, "C": 5, "D": 14, "E": 10}, 41)
    assert kept.alternatives == {"trauma_therapy": "Had it twice, helped a little.", "nothing": ""}
    assert (kept.diagnosis, kept.decision, kept.by) == ("ptsd", "course", ada)
    page = words(as_(ada).get(address))
    assert "41 of 80" in page
    assert "Two courses of therapy and sertraline did not do enough." in page
    assert Event.objects.filter(subject=person.subject, verb="recorded a consultation").get().detail == {
        "decision": "course"
    }


def test_an_interview_may_be_left_not_done(ada, as_, enquiry):
    person = enquiry()
    blank = CONSULTATION | dict.fromkeys(("caps_B", "caps_C", "caps_D", "caps_E"), "")

    as_(ada).post(reverse("consultation", args=[person.pk]), blank)

    assert Consultation.objects.get().caps5 is None
    assert "Not done" in words(as_(ada).get(reverse("consultation", args=[person.pk])))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"caps_B": 21}, "Memories and dreams (B): write a whole number from 0 to 20"),
        ({"caps_C": 9}, "Avoiding (C): write a whole number from 0 to 8"),
        ({"caps_D": -1}, "Thoughts and mood (D): write a whole number from 0 to 28"),
        ({"caps_E": "ten"}, "On edge (E): write a whole number from 0 to 24"),
        ({"caps_E": ""}, "Write this cluster too, or leave all four blank"),
        ({"diagnosis": ""}, "Choose what the interview says of PTSD"),
        ({"decision": "yes"}, "Select a valid choice"),
        ({"reasons": " "}, "Write the reasons"),
        ({"said_venlafaxine": "No."}, "Venlafaxine: tick that it was offered, or clear the answer"),
        ({"offered_trauma_therapy": "", "said_trauma_therapy": "", "offered_nothing": ""}, "Offer at least one"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_lost(ada, as_, enquiry, wrong, said):
    answer = as_(ada).post(reverse("consultation", args=[enquiry().pk]), CONSULTATION | wrong)

    assert said in words(answer)
    assert "Two courses of therapy" in words(answer) or "reasons" in wrong
    assert not Consultation.objects.exists()


def test_the_highest_of_each_cluster_is_taken(ada, as_, enquiry):
    top = CONSULTATION | {"caps_B": 20, "caps_C": 8, "caps_D": 28, "caps_E": 24}

    as_(ada).post(reverse("consultation", args=[enquiry().pk]), top)

    assert Consultation.objects.get().caps5_total == 80


def test_sent_twice_it_is_kept_once(ada, as_, enquiry):
    address = reverse("consultation", args=[enquiry().pk])

    answers = [as_(ada).post(address, CONSULTATION).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert Consultation.objects.count() == 1


def test_a_second_look_is_a_second_row_and_a_stale_page_is_refused(ada, as_, enquiry):
    person = enquiry()
    address = reverse("consultation", args=[person.pk])
    as_(ada).post(address, CONSULTATION)
    first = Consultation.objects.get()

    stale = as_(ada).post(address, CONSULTATION | {"decision": "wait", "reasons": "Seen from an old page."})
    fresh = as_(ada).post(address, CONSULTATION | {"seen": first.pk, "decision": "wait"})

    assert stale.status_code == 409
    assert "Seen from an old page." in words(stale)
    assert f'name="seen" value="{first.pk}"' in stale.content.decode()
    assert fresh.status_code == 302
    assert [row.decision for row in Consultation.objects.all()] == ["course", "wait"]


def test_a_nurse_reads_it_and_does_not_write_it(ada, nia, as_, enquiry):
    address = reverse("consultation", args=[enquiry().pk])

    assert as_(nia).get(address).status_code == 200
    assert "Keep it, in my name" not in words(as_(nia).get(address))
    assert as_(nia).post(address, CONSULTATION).status_code == 403
    assert not Consultation.objects.exists()


def test_hostile_words_stay_words(ada, as_, enquiry):
    person = enquiry()
    said = CONSULTATION | {"reasons": HOSTILE, "said_trauma_therapy": HOSTILE}

    as_(ada).post(reverse("consultation", args=[person.pk]), said)

    page = as_(ada).get(reverse("consultation", args=[person.pk])).content.decode()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert Consultation.objects.get().reasons == HOSTILE.strip()


def test_the_card_leads_to_it_once_a_consultation_is_offered(ada, as_, enquiry):
    person = enquiry()
    card, address = reverse("card", args=[person.pk]), reverse("consultation", args=[person.pk])

    assert address not in as_(ada).get(card).content.decode()
    consult(person, ada)
    assert f'href="{address}"' in as_(ada).get(card).content.decode()


def test_an_erased_record_has_no_consultation_left(ada, as_, enquiry):
    person = consult(enquiry(), ada)
    as_(ada).post(reverse("consultation", args=[person.pk]), CONSULTATION)
    PreConsultation.ask(ada, person, timezone.now())

    person.erase(ada, timezone.now())

    assert not Consultation.objects.exists()
    assert not PreConsultation.objects.exists()
    assert as_(ada).get(reverse("consultation", args=[person.pk])).status_code == 302


# The second form


@pytest.fixture
def second(ada, enquiry, bo):
    """A second form that was asked for, and its token; Bo's browser was let in by the year of birth."""
    form = PreConsultation.ask(ada, consult(enquiry(), ada), timezone.now())
    answer = bo.post(reverse("before", args=[form.token]), {"year": "1986"})
    assert answer.status_code == 302
    return form, form.token


def answer_all(browser: Any, form: PreConsultation, token: str, **more: Any) -> Any:
    """Go through every page, leave the rest blank, and send."""
    for step in steps_for(form.enquiry.answers):
        asked = {"asked": " ".join(question.id for question in step.questions)}
        answer = browser.post(reverse("before-question", args=[token, step.slug]), asked | more | {"shown": "yes"})
        assert answer.status_code == 302, step.slug
    return browser.post(reverse("before-check", args=[token]))


def test_the_database_holds_only_a_hash_of_the_link(second):
    form, token = second

    assert form.link_hash == sha256(token)
    assert token not in str(PreConsultation.objects.values().get())


def test_the_link_goes_out_by_e_mail_and_says_nothing_of_health(ada, as_, enquiry):
    contact = CLEAR["contact_details"] | {"email": "robin@example.com"}
    person = consult(enquiry(contact_details=contact), ada)

    as_(ada).post(reverse("ask-second-form", args=[person.pk]))
    form = PreConsultation.objects.get()
    send_pre_consultation.func(form.pk)
    send_pre_consultation.func(form.pk)

    assert [message.to for message in mail.outbox] == [["robin@example.com"]]
    said = (mail.outbox[0].subject + mail.outbox[0].body).lower()
    assert reverse("before", args=[form.token]) in said
    assert not any(word in said for word in ("ketamin", "ptsd", "harbour", "robin", "trauma"))
    form.refresh_from_db()
    assert form.sent_at is not None


def test_mail_that_fails_is_tried_again_and_shown(ada, as_, enquiry, monkeypatch):
    person = consult(enquiry(contact_details=CLEAR["contact_details"] | {"email": "robin@example.com"}), ada)
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", lambda *_: 1 / 0)
    form = PreConsultation.ask(ada, person, timezone.now())

    send_pre_consultation.func(form.pk)

    form.refresh_from_db()
    assert (form.sent_at, form.problem) == (None, "ZeroDivisionError")
    assert "could not be sent yet" in words(as_(ada).get(reverse("card", args=[person.pk])))


def test_without_an_address_the_link_is_shown_to_read_out(ada, as_, enquiry):
    person = consult(enquiry(), ada)

    page = words(as_(ada).post(reverse("ask-second-form", args=[person.pk]), follow=True))

    assert "There is no e-mail address, so copy it or read it out." in page
    assert reverse("before", args=[PreConsultation.objects.get().token]) in page
    assert mail.outbox == []


def test_the_whole_form_is_assessed_beside_the_first(ada, as_, bo, second):
    form, token = second
    old = Enquiry.objects.get(pk=form.enquiry_id).assessment

    answer_all(bo, form, token, **MOOD, systolic_last="150", diastolic_last="80")

    form.refresh_from_db()
    assert form.completed_at is not None
    assert form.answers["systolic_last"] == 150
    assert "CV-04" in [found["criterion_id"] for found in form.assessment["findings"]]
    assert Enquiry.objects.get(pk=form.enquiry_id).assessment == old
    page = words(as_(ada).get(reverse("card", args=[form.enquiry_id])))
    assert "With both forms together" in page
    assert "CV-04" in page


def test_thoughts_of_death_reach_the_team_before_the_form_is_sent(bo, second):
    form, token = second

    answer = bo.post(reverse("before-question", args=[token, "phq9"]), MOOD | {"phq9_8": "1"})

    person = Enquiry.objects.get(pk=form.enquiry_id)
    assert (person.is_open, person.urgency) == (True, Urgency.SAME_DAY)
    assert answer.headers["Location"].endswith("#aside")
    page = words(bo.get(reverse("before-question", args=[token, "phq9"])))
    assert "You can get help right now" in page
    assert "988" in page


def test_an_urgent_blood_pressure_puts_it_before_the_team(bo, second):
    form, token = second

    answer_all(bo, form, token, **MOOD, systolic_last="185", diastolic_last="80")

    person = Enquiry.objects.get(pk=form.enquiry_id)
    assert (person.is_open, person.urgency) == (True, Urgency.SAME_DAY)


def test_a_form_without_anything_grave_opens_nothing(bo, second):
    form, token = second

    answer_all(bo, form, token, **MOOD)

    assert not Enquiry.objects.get(pk=form.enquiry_id).is_open


def test_sent_twice_is_one_result(bo, second):
    form, token = second
    answer_all(bo, form, token, **MOOD)
    done_at = PreConsultation.objects.get().completed_at

    bo.post(reverse("before-check", args=[token]))
    late = bo.post(reverse("before-question", args=[token, "phq9"]), {"phq9_0": "3"})

    form.refresh_from_db()
    assert form.completed_at == done_at
    assert form.answers["phq9"][0] == 0
    assert late.status_code == 302
    assert Event.objects.filter(verb="sent the second form").count() == 1
    assert "Thank you. We have your answers." in words(bo.get(reverse("before", args=[token])))


def test_whoever_has_the_link_but_not_the_year_of_birth_sees_nothing_of_the_form(second):
    form, token = second
    stranger = Client()

    page = words(stranger.get(reverse("before", args=[token])))
    pages = [reverse("before-question", args=[token, "phq9"]), reverse("before-check", args=[token])]
    answers = [ask(address) for address in pages for ask in (stranger.get, stranger.post)]

    assert "What year were you born?" in page
    assert {answer.headers["Location"] for answer in answers} == {reverse("before", args=[token])}
    form.refresh_from_db()
    assert (form.answers, form.completed_at) == ({}, None)


def test_five_wrong_years_close_the_link_until_the_team_opens_another(ada, second):
    form, token = second
    stranger = Client()

    tries = [
        stranger.post(reverse("before", args=[token]), {"year": str(year)}).status_code for year in range(1990, 1996)
    ]

    assert tries == [200, 200, 200, 200, 404, 404]
    again = PreConsultation.ask(ada, form.enquiry, timezone.now())
    assert again.token != token
    assert stranger.post(reverse("before", args=[again.token]), {"year": "1986"}).status_code == 302


def test_a_wrong_or_expired_link_is_a_calm_page(bo, second):
    _, token = second
    PreConsultation.objects.update(link_expires_at=timezone.now() - timedelta(seconds=1))

    answers = [
        bo.get(reverse("before", args=["wrong"])),
        bo.get(reverse("before", args=[token])),
        bo.get(reverse("before-question", args=[token, "phq9"])),
        bo.post(reverse("before-check", args=[token])),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert all("This link has ended" in words(answer) for answer in answers)
    assert PreConsultation.objects.get().completed_at is None


def test_an_expired_link_is_renewed_as_another(ada, second):
    form, token = second
    PreConsultation.objects.update(link_expires_at=timezone.now() - timedelta(seconds=1))

    again = PreConsultation.ask(ada, form.enquiry, timezone.now())

    assert again.token != token
    assert PreConsultation.at_link(again.token, timezone.now()) == form


@pytest.mark.parametrize(
    ("page", "typed", "answers"),
    [
        ("weight_kg", {"weight_kg": "180", "weight_kg_unit": "lb"}, {"weight_kg": 81.6}),
        ("weight_kg", {"weight_kg": "80,5", "weight_kg_unit": "kg"}, {"weight_kg": 80.5}),
        ("weight_kg", {"height_cm": "70", "height_cm_unit": "in"}, {"height_cm": 177.8}),
        ("weight_kg", {"medicine_list": "Zoloft 50 mg\r\n\r\n Xanax "}, {"medicine_list": ["Zoloft 50 mg", "Xanax"]}),
    ],
)
def test_what_was_typed_becomes_an_answer(bo, second, page, typed, answers):
    form, token = second
    slug = next(s.slug for s in steps_for(form.enquiry.answers) if any(q.id == page for q in s.questions))
    asked = "weight_kg medicine_list self_harm_3_months driving_needed phone_and_safe_place"

    bo.post(reverse("before-question", args=[token, slug]), typed | {"asked": asked})

    kept = PreConsultation.objects.get().answers
    assert {name: kept.get(name) for name in answers} == answers


@pytest.mark.parametrize(
    "typed",
    [
        {"systolic_last": "1300"},
        {"systolic_last": "high"},
        {"systolic_last": "inf"},
        {"systolic_last": "1e999"},
        {"systolic_last": "122.5"},
        {"trauma_kind": "other"},
        {"bp_reading_date_0": "1", "bp_reading_date_1": "2", "bp_reading_date_2": "2999"},
    ],
)
def test_what_does_not_fit_is_asked_again(bo, second, typed):
    form, token = second
    slug = next(s.slug for s in steps_for(form.enquiry.answers) if any(q.id == "systolic_last" for q in s.questions))

    answer = bo.post(reverse("before-question", args=[token, slug]), typed | {"asked": "trauma_kind"})

    assert answer.status_code == 200
    assert "Error:" in answer.content.decode()
    assert PreConsultation.objects.get().answers == {}


def test_a_blank_is_asked_about_once_and_stays_a_blank(bo, second):
    _, token = second
    address = reverse("before-question", args=[token, "pcl5"])

    once = bo.post(address, {"pcl5_0": "4"})
    twice = bo.post(address, {"pcl5_0": "4", "asked": "pcl5"})

    assert "You left this blank." in words(once)
    assert twice.status_code == 302
    assert PreConsultation.objects.get().answers["pcl5"] == [4] + [None] * 19


def test_hostile_medicines_stay_words(ada, as_, bo, second):
    form, token = second
    answer_all(bo, form, token, **MOOD, medicine_list=HOSTILE)

    card = as_(ada).get(reverse("card", args=[form.enquiry_id])).content.decode()

    assert "<script>alert" not in card
    assert "&lt;script&gt;alert(1)" in card


def test_the_pages_of_the_second_form_are_not_kept_by_any_cache(bo, second):
    _, token = second

    assert bo.get(reverse("before", args=[token])).headers["Cache-Control"] == "no-store, private"
