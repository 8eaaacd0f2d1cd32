"""Consent: the text as it was signed, two signatures, its paper, and its end at any time by either side."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from reprieve.web.consent_paper import text_for
from reprieve.web.models import Alert, Consent, Course, Draft, Enquiry, Event
from reprieve.web.models.enquiry import link_token
from tests.web.before import HOSTILE, consent_answers, speaks
from tests.web.conftest import CLEAR

STROKES = [[[0.1, 0.5], [0.2, 0.4], [0.9, 0.6]], [[0.5, 0.2]]]


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def printed(content: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))


def alternative_texts(content: bytes) -> set[str]:
    """What a screen reader says in place of pictures."""
    reader = PdfReader(io.BytesIO(content))
    found = (reader.get_object(number) for number in range(1, reader.trailer["/Size"]))
    return {str(each["/Alt"]) for each in found if isinstance(each, dict) and "/Alt" in each}


@pytest.fixture
def planned(clinic, course):
    """A planned course in a clinic that says what only it can say."""
    speaks(clinic)
    return course()


@pytest.fixture
def version(clinic, planned):
    """The version of the text of today."""
    return text_for(planned.enquiry, clinic).version


@pytest.fixture
def signed(ada, as_, planned, version):
    """A consent that both have signed."""
    answer = as_(ada).post(reverse("consent", args=[planned.pk]), consent_answers(version))
    assert answer.status_code == 302
    return Consent.objects.get()


@pytest.fixture
def at_status(clinic, ada, course):
    """A course, and the person's own page."""
    speaks(clinic)
    token = Draft.new_token()
    person = Enquiry.receive(token, CLEAR, timezone.now(), clinic)
    return course(person), reverse("status", args=[link_token(token)])


def take(ada: Any, as_: Any, of: Course, clinic: Any, **more: Any) -> Consent:
    said = consent_answers(text_for(of.enquiry, clinic).version, **more)
    assert as_(ada).post(reverse("consent", args=[of.pk]), said).status_code == 302
    return Consent.objects.filter(course=of).latest("pk")


# Signing


def test_both_sign_and_the_text_is_kept_with_it(ada, clinic, planned, version, signed):
    text = text_for(planned.enquiry, clinic)

    assert signed.is_in_force
    assert [element["text"] for element in signed.text] == [element.text for element in text.elements]
    assert (signed.text_version, signed.clinician) == (version, ada)
    assert (signed.person_signature, signed.clinician_signature) == ({"typed": "Robin Sample"}, {"typed": "Ada"})
    assert signed.teach_back["TB-01"] == "In my words: 0."
    assert "A course costs 100 made-up dollars." in str(signed.text)
    assert Event.objects.filter(verb="took consent", subject=planned.subject).get().detail == {"text": version}


def test_signatures_may_be_drawn(ada, as_, clinic, planned):
    drawn = {"person_strokes": json.dumps(STROKES), "person_typed": ""}

    kept = take(ada, as_, planned, clinic, **drawn)

    assert kept.person_signature == {"strokes": STROKES}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"person_typed": ""}, "Sign by drawing on the pad, or by typing the name"),
        ({"clinician_typed": ""}, "Sign by drawing on the pad, or by typing the name"),
        ({"person_strokes": json.dumps(STROKES)}, "Draw or type, not both"),
        ({"person_typed": "", "person_strokes": "[[[2, 0.5]]]"}, "The drawing could not be read"),
        ({"person_typed": "", "person_strokes": "[[]]"}, "The drawing could not be read"),
        ({"person_typed": "", "person_strokes": '{"a": 1}'}, "The drawing could not be read"),
        ({"person_typed": "", "person_strokes": "[" * 9000}, "The drawing could not be read"),
        ({"person_typed": "", "person_strokes": '[[["<svg>", NaN]]]'}, "The drawing could not be read"),
        ({"person_typed": "", "person_strokes": "[[[NaN, NaN]]]"}, "The drawing could not be read"),
        ({"person_typed": "", "person_strokes": json.dumps([[[0.5, 0.5]] * 1201])}, "The drawing could not be read"),
        ({"capacity": " "}, "Write how you judged that the person can decide"),
        ({"TB-04": ""}, "Write what the person said, in their own words"),
        ({"person_name": ""}, "Write the person&#x27;s full name"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_lost(ada, as_, planned, version, wrong, said):
    answer = as_(ada).post(reverse("consent", args=[planned.pk]), consent_answers(version, **wrong))

    assert said in words(answer)
    assert "Will I dream? We said: perhaps." in words(answer)
    assert not Consent.objects.exists()


def test_sent_twice_it_is_kept_once(ada, as_, planned, version, signed):
    again = as_(ada).post(reverse("consent", args=[planned.pk]), consent_answers(version))

    assert again.status_code == 302
    assert Consent.objects.count() == 1


def test_two_people_at_once_take_one_consent(ada, as_, planned, version, signed):
    other = as_(ada).post(reverse("consent", args=[planned.pk]), consent_answers(version, questions="Another page."))

    assert other.status_code == 409
    assert "Another page." in words(other)
    assert Consent.objects.count() == 1


def test_a_text_that_changed_while_it_was_read_is_read_again(ada, as_, clinic, planned, version):
    clinic.costs = "Nothing at all."
    clinic.save()

    answer = as_(ada).post(reverse("consent", args=[planned.pk]), consent_answers(version))

    assert answer.status_code == 409
    assert "Nothing at all." in words(answer)
    assert f'value="{text_for(planned.enquiry, clinic).version}"' in answer.content.decode()
    assert not Consent.objects.exists()


def test_without_the_words_of_the_clinic_nothing_is_signed(ada, as_, clinic, course):
    page = words(as_(ada).get(reverse("consent", args=[course().pk])))

    assert "The text cannot be shown yet." in page
    assert "Night phone" in page
    assert "Keep both signatures" not in page


def test_a_changed_text_does_not_end_a_consent_and_is_offered(ada, as_, clinic, planned, signed):
    clinic.costs = "It costs more now."
    clinic.save()

    page = words(as_(ada).get(reverse("consent", args=[planned.pk])))

    assert "Consent: in force" in page
    assert "The text has changed since this consent was signed. The consent still stands." in page
    newer = take(ada, as_, planned, clinic, seen=signed.pk)
    assert newer.text_version != signed.text_version
    assert "The text has changed" not in words(as_(ada).get(reverse("consent", args=[planned.pk])))


def test_only_a_prescriber_takes_consent(nia, as_, planned, version):
    address = reverse("consent", args=[planned.pk])

    assert "A prescriber takes consent." in words(as_(nia).get(address))
    assert as_(nia).post(address, consent_answers(version)).status_code == 403
    assert not Consent.objects.exists()


def test_a_course_that_ended_takes_no_consent(ada, as_, planned, version):
    planned.end(ada, planned.version, Course.Ending.PERSON, "", timezone.localdate())

    answer = as_(ada).post(reverse("consent", args=[planned.pk]), consent_answers(version))

    assert answer.status_code == 409
    assert not Consent.objects.exists()


def test_hostile_words_stay_words_on_the_page_and_on_paper(ada, as_, clinic, planned):
    said = dict.fromkeys(("questions", "capacity", "interpreter", "TB-01"), HOSTILE)
    kept = take(ada, as_, planned, clinic, person_name="<b>#Robin$", person_typed="*Robin* #let x = 1", **said)

    page = as_(ada).get(reverse("consent", args=[planned.pk])).content.decode()
    paper = printed(as_(ada).get(reverse("consent-pdf", args=[planned.pk, kept.pk])).content)

    assert "<b>#Robin$" not in page
    assert "&lt;b&gt;#Robin$" in page
    assert "<script>alert(1)</script>" in paper
    assert "*Robin* #let x = 1" in paper


# On paper


def test_the_paper_is_tagged_and_holds_what_was_signed(ada, as_, planned, signed):
    answer = as_(ada).get(reverse("consent-pdf", args=[planned.pk, signed.pk]))

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{planned.enquiry.reference}.pdf"'
    reader = PdfReader(io.BytesIO(answer.content))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in reader.trailer["/Root"]
    said = printed(answer.content)
    assert signed.text_version in said
    assert "A course costs 100 made-up dollars." in said
    assert "Will I dream? We said: perhaps." in said
    assert "Robin Sample" in said
    assert planned.enquiry.reference in said


def test_the_paper_of_another_course_is_not_found(ada, as_, clinic, course, signed):
    assert as_(ada).get(reverse("consent-pdf", args=[course().pk, signed.pk])).status_code == 404


def test_drawn_strokes_are_on_the_paper(ada, as_, clinic, planned):
    kept = take(ada, as_, planned, clinic, person_strokes=json.dumps(STROKES), person_typed="")

    answer = as_(ada).get(reverse("consent-pdf", args=[planned.pk, kept.pk]))

    assert "Signature of Robin Sample" in alternative_texts(answer.content)
    assert "Signature of Ada" not in alternative_texts(answer.content)


# Withdrawing


def test_the_team_withdraws_with_who_said_so(nia, ada, as_, planned, signed):
    answer = as_(nia).post(reverse("consent-withdraw", args=[planned.pk]), {"words": "Robin, by telephone."})

    signed.refresh_from_db()
    planned.refresh_from_db()
    assert answer.status_code == 302
    assert (signed.withdrawn_by, signed.withdrawn_words) == (nia.actor, "Robin, by telephone.")
    assert planned.state == Course.State.PAUSED
    alert = Alert.objects.get()
    assert (alert.kind, alert.owner) == (Alert.Kind.CONSENT, ada)
    page = words(as_(nia).get(reverse("consent", args=[planned.pk])))
    assert "Consent: not in force" in page
    assert "noted by Nia" in page


def test_withdrawing_needs_words_from_the_team(nia, as_, planned, signed):
    answer = as_(nia).post(reverse("consent-withdraw", args=[planned.pk]), {"words": " "})

    assert "Write who said so, and how" in words(answer)
    assert Consent.objects.get().is_in_force


def test_withdrawn_twice_is_withdrawn_once(nia, as_, planned, signed):
    for _ in range(2):
        as_(nia).post(reverse("consent-withdraw", args=[planned.pk]), {"words": "Robin, by telephone."})

    assert Alert.objects.count() == 1
    assert Event.objects.filter(verb="withdrew consent").count() == 1


def test_the_person_withdraws_from_their_own_page(ada, as_, bo, clinic, at_status):
    of, status = at_status
    take(ada, as_, of, clinic)
    of.change(ada, "began", Course.objects.get(pk=of.pk).version, {}, state=Course.State.RUNNING)
    assert "Withdraw my consent" in words(bo.get(status))

    asked = bo.get(f"{status}withdraw/")
    done = bo.post(f"{status}withdraw/", follow=True)

    assert "Do you want to withdraw your consent?" in words(asked)
    assert "Your consent is withdrawn." in words(done)
    kept, of = Consent.objects.get(), Course.objects.get(pk=of.pk)
    assert (kept.withdrawn_by, kept.is_in_force) == ("person", False)
    assert of.state == Course.State.PAUSED
    assert Alert.objects.get().reasons == [
        "The person withdrew consent. The course is paused. A drip that runs must stop."
    ]
    assert "Withdraw my consent" not in words(bo.get(status))


def test_every_consent_of_the_course_ends_together(ada, as_, clinic, planned, signed):
    clinic.costs = "It costs more now."
    clinic.save()
    newer = take(ada, as_, planned, clinic, seen=signed.pk)

    newer.withdraw(None, "", timezone.now())

    rows: Any = Consent.objects
    assert not rows.in_force().exists()


def test_after_withdrawing_the_person_may_sign_again(ada, as_, clinic, planned, signed):
    signed.withdraw(None, "", timezone.now())

    again = take(ada, as_, planned, clinic, seen=signed.pk)

    assert again.is_in_force
    assert "Consent: in force" in words(as_(ada).get(reverse("consent", args=[planned.pk])))


def test_the_person_reads_what_they_signed(ada, as_, bo, clinic, at_status):
    of, status = at_status
    kept = take(ada, as_, of, clinic)

    answer = bo.get(f"{status}consent/{kept.pk}.pdf")

    assert "What you signed" in words(bo.get(status))
    assert "Robin Sample" in printed(answer.content)
    assert answer.headers["Cache-Control"] == "no-store, private"


def test_nobody_reads_the_paper_of_another_person(ada, as_, bo, clinic, at_status, signed):
    _, status = at_status

    assert bo.get(f"{status}consent/{signed.pk}.pdf").status_code == 404
    assert bo.get(f"/status/wrong/consent/{signed.pk}.pdf").status_code == 404
    assert bo.post("/status/wrong/withdraw/").status_code == 404
    assert Consent.objects.get(pk=signed.pk).is_in_force


def test_a_stranger_withdraws_nothing_behind_the_door(bo: Client, planned, signed):
    answer = bo.post(reverse("consent-withdraw", args=[planned.pk]), {"words": "Me."})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))
    assert Consent.objects.get().is_in_force


def test_the_person_s_whole_record_holds_what_they_signed(pia, as_, planned, signed):
    record = as_(pia).get(reverse("export", args=[planned.enquiry_id])).json()

    assert [kept["person_signature"] for kept in record["consents"]] == [{"typed": "Robin Sample"}]
    assert (record["consultations"], record["second_form"], record["baseline"]) == ([], None, [])


def test_the_audit_trail_says_who_and_when_but_not_what(ada, as_, bo, planned, signed):
    signed.withdraw(None, "I feel worse", timezone.now())

    told = str(list(Event.objects.values_list("actor", "verb", "subject", "detail")))
    assert not any(word in told for word in ("worse", "Robin", "dream"))
