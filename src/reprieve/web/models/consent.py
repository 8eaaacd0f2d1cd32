"""Before a course: what the consultation found, and what the person agreed to in words that are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from reprieve.web.encryption import EncryptedJSON, EncryptedText
from reprieve.web.models.audit import Event
from reprieve.web.models.course import Course
from reprieve.web.models.enquiry import Enquiry
from reprieve.web.models.member import Member
from reprieve.web.models.versioned import Actor, name_of


class Consultation(models.Model):
    """What a prescriber found and decided with the person. Kept as written; a second look is a second row."""

    class Diagnosis(models.TextChoices):
        """What the interview says of PTSD."""

        PTSD = "ptsd", "PTSD"
        NOT_PTSD = "not_ptsd", "Not PTSD"
        UNCLEAR = "unclear", "Not clear yet"

    class Decision(models.TextChoices):
        """What was decided together."""

        COURSE = "course", "A course of ketamine, off-label"
        OTHER = "other", "Another treatment"
        WAIT = "wait", "Nothing for now"

    enquiry = models.ForeignKey(Enquiry, models.PROTECT, related_name="consultations")
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    caps5 = EncryptedJSON(null=True)  # severity by cluster, {"B": 12, "C": 5, "D": 14, "E": 10}; None if not done
    diagnosis = models.CharField(max_length=10, choices=Diagnosis)
    decision = models.CharField(max_length=10, choices=Decision)
    alternatives = EncryptedJSON(default=dict)  # id of the alternative -> what the person said to it
    reasons = EncryptedText()

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["enquiry", "at"], name="consultations_held")]

    def __str__(self) -> str:
        return f"consultation of {self.enquiry}"

    @classmethod
    @transaction.atomic
    def record(cls, member: Member, enquiry: Enquiry, **fields: Any) -> Consultation:
        """Save what was found and decided."""
        kept = cls.objects.create(enquiry=enquiry, by=member, **fields)
        Event.record(member.actor, "recorded a consultation", enquiry.subject, decision=kept.decision)
        return kept


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Reads over consents."""

    def in_force(self) -> ConsentQuerySet:
        """Signed by both and not withdrawn."""
        return self.filter(clinician_signed_at__isnull=False, withdrawn_at__isnull=True)


class Consent(models.Model):
    """Informed consent to one course: the text as it was read, what was asked, and two signatures.

    A signature is ``{"typed": "Robin Sample"}`` or ``{"strokes": [[[x, y], ...], ...]}`` with x and y from 0 to 1.
    """

    course = models.ForeignKey(Course, models.CASCADE, related_name="consents")
    text_version = models.CharField(max_length=16)
    text = models.JSONField()  # the elements as they were shown: [{"id", "heading", "text"}]
    questions = EncryptedText(default="")  # what the person asked, and what was answered
    teach_back = EncryptedJSON(default=dict)  # id of the question -> what the person said
    capacity = EncryptedText()  # how the clinician judged that the person can decide
    interpreter = EncryptedText(default="")
    person_name = EncryptedText()
    person_signature = EncryptedJSON()
    person_signed_at = models.DateTimeField()
    clinician = models.ForeignKey(Member, models.PROTECT, related_name="+")
    clinician_signature = EncryptedJSON()
    clinician_signed_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=40, blank=True)  # as the audit trail names who told us
    withdrawn_words = EncryptedText(default="")

    objects: ClassVar[models.Manager[Consent]] = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["person_signed_at", "pk"]
        indexes = [models.Index(fields=["course", "person_signed_at"], name="consents_signed")]
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by="")
                | Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by=""),
                name="withdrawal_has_person_and_time",
            )
        ]

    def __str__(self) -> str:
        return f"consent {self.pk} to {self.course}"

    @property
    def is_in_force(self) -> bool:
        """Signed by both and not withdrawn."""
        return self.clinician_signed_at is not None and self.withdrawn_at is None

    @classmethod
    @transaction.atomic
    def sign(cls, member: Member, course: Course, now: datetime, **fields: Any) -> Consent:
        """Keep what the person and the clinician signed, with the text that they signed."""
        kept = cls.objects.create(
            course=course, clinician=member, person_signed_at=now, clinician_signed_at=now, **fields
        )
        Event.record(member.actor, "took consent", course.subject, text=kept.text_version)
        return kept

    @transaction.atomic
    def withdraw(self, actor: Actor, words: str, now: datetime) -> None:
        """Consent ends now, whoever said so; the course pauses, and an infusion that runs must stop."""
        actor_name = name_of(actor)
        changed = Consent.objects.filter(pk=self.pk, withdrawn_at=None).update(
            withdrawn_at=now, withdrawn_by=actor_name, withdrawn_words=words
        )
        self.refresh_from_db()
        if changed:
            Event.record(actor_name, "withdrew consent", self.course.subject)
            self.course.refresh_from_db()
            if self.course.state != Course.State.ENDED:
                self.course.pause(actor, self.course.version, "paused: consent withdrawn")
