"""Names and answers are unreadable in the database, and keys can be changed."""

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from reprieve.web.encryption import UndecryptableError, decrypt, encrypt, name_index
from reprieve.web.models import Enquiry, Member
from reprieve.web.rotation import encrypted_fields, rewrite_all


@pytest.mark.parametrize("text", ["", "Ada", "Zoë 🌻", "a" * 5000, "line\nbreak", "Ωμέγα"])
def test_what_is_encrypted_comes_back(text):
    assert decrypt(encrypt(text)) == text


def test_a_changed_token_is_not_read():
    token = encrypt("Ada")

    with pytest.raises(UndecryptableError):
        decrypt(token[:-2] + ("AA" if token[-2:] != "AA" else "BB"))


@pytest.mark.parametrize("typed", ["Zoë Fable", "ZOË FABLE", "  Zoë   Fable ", "Zoe\u0308 Fable", "zoë fable"])
def test_a_name_is_found_however_it_is_typed(enquiry, typed):
    asked = enquiry(name="Zoë Fable")

    assert list(Enquiry.objects.named(typed)) == [asked]


def test_a_different_name_is_not_found(enquiry):
    enquiry(name="Zoë Fable")

    assert not Enquiry.objects.named("Zoe Fable").exists()


def test_the_database_file_names_nobody(enquiry):
    asked = enquiry(name="Quillon Hushabye", medicine_list=["Zoloft"])

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM web_enquiry WHERE id = %s", [asked.pk])
        row = " ".join(map(str, cursor.fetchone()))
    assert not any(word in row for word in ("Quillon", "Hushabye", "Zoloft", "555 0142", "birth_date"))


def test_after_rotation_everything_reads_and_is_found_under_the_new_key_alone(enquiry, ada, settings, second_step):
    asked = enquiry(name="Quill Hush")
    asked.log_attempt(ada, asked.version, "phone", "reached", note="called")
    asked.decide(ada, asked.version, "not_now", "Not now.", asked.received_at)
    ada.notice_url = "json://localhost/x"
    ada.save()
    second_step(ada)
    new = Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, *settings.FIELD_KEYS]

    rewrite_all()

    settings.FIELD_KEYS = [new]
    kept = Enquiry.objects.named("quill hush").get()
    assert (kept.answers["trauma_exposure"], kept.decision_words) == ("yes", "Not now.")
    assert kept.attempts.get().note == "called"
    assert Member.objects.get(pk=ada.pk).notice_url == "json://localhost/x"
    assert kept.name_index == name_index("Quill Hush")


def test_rotation_without_the_old_key_changes_nothing(enquiry, settings):
    asked = enquiry()
    old = settings.FIELD_KEYS
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(UndecryptableError, match="REPRIEVE_FIELD_KEYS"):
        rewrite_all()

    settings.FIELD_KEYS = old
    assert Enquiry.objects.get(pk=asked.pk).answers == asked.answers


def test_every_place_that_holds_words_is_encrypted():
    names = {f"{model.__name__}.{name}" for model, fields in encrypted_fields() for name in fields}

    assert names == {
        "Alert.reasons",
        "Alert.what_was_done",
        "Attempt.note",
        "BaselineItem.answer",
        "Clinic.text_url",
        "Consent.capacity",
        "Consent.clinician_signature",
        "Consent.interpreter",
        "Consent.person_name",
        "Consent.person_signature",
        "Consent.questions",
        "Consent.teach_back",
        "Consent.withdrawn_words",
        "Consultation.alternatives",
        "Consultation.caps5",
        "Consultation.reasons",
        "Course.ending_words",
        "Course.reason",
        "Draft.answers",
        "Enquiry.answers",
        "Enquiry.assessment",
        "Enquiry.contact",
        "Enquiry.decision_words",
        "Enquiry.kept_because",
        "Enquiry.why",
        "Entry.data",
        "Measure.answers",
        "Member.notice_url",
        "OtherTreatment.what",
        "PreConsultation.answers",
        "PreConsultation.assessment",
        "Referral.to",
        "Review.reason",
        "StockEntry.note",
        "TreatmentSession.missed_why",
    }
