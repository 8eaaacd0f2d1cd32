"""Before a course: what the consultation found, and what the person agreed to in words that are kept."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from reprieve.candidacy import RULE_SET_VERSION, assess
from reprieve.web.deadlines import Urgency
from reprieve.web.encryption import EncryptedJSON, EncryptedText
from reprieve.web.models.audit import Event
from reprieve.web.models.clinic import Clinic
from reprieve.web.models.course import Course
from reprieve.web.models.enquiry import Enquiry, sha256
from reprieve.web.models.measure import WRONG_TRIES, Alert, year_of_birth
from reprieve.web.models.member import Member
from reprieve.web.models.versioned import Actor, ChangedMeanwhileError, name_of

PRE_CONSULTATION_DAYS = 14  # a platform choice


class PreConsultation(models.Model):
    """The longer form before a consultation, behind a private link. The database holds the link's hash only."""

    enquiry = models.OneToOneField(Enquiry, models.CASCADE, related_name="pre_consultation")
    link_hash = models.CharField(max_length=64, unique=True, null=True)
    link_expires_at = models.DateTimeField(null=True)
    answers = EncryptedJSON(default=dict)
    assessment = EncryptedJSON(null=True)  # of the brief form's answers and these together, as it stood that day
    sent_at = models.DateTimeField(null=True)  # when the e-mail went out
    problem = models.CharField(max_length=80, blank=True)  # the kind of failure, such as "ConnectionRefusedError"
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "pre-consultation form"

    def __str__(self) -> str:
        return f"pre-consultation form of {self.enquiry}"

    @property
    def token(self) -> str:
        """The token of the link, the same until the link is renewed."""
        assert self.link_expires_at is not None
        words = f"pre-consultation link {self.pk} {self.link_expires_at.timestamp():.6f}"
        return hmac.new(settings.SECRET_KEY.encode(), words.encode(), hashlib.sha256).hexdigest()[:40]

    def is_open(self, now: datetime) -> bool:
        """Whether its link works."""
        return self.completed_at is None and self.link_expires_at is not None and self.link_expires_at > now

    @classmethod
    def at_link(cls, token: str, now: datetime) -> PreConsultation | None:
        """The form behind a link, unless the link expired or the record was erased."""
        rows = cls.objects.select_related("enquiry").exclude(enquiry__state=Enquiry.State.ERASED)
        return rows.filter(link_hash=sha256(token), link_expires_at__gt=now).first()

    @transaction.atomic
    def is_opened_by(self, year: str) -> bool:
        """Whether it is the person's year of birth. Some wrong tries close the link until the team opens another."""
        row = PreConsultation.objects.select_for_update().select_related("enquiry").get(pk=self.pk)
        if row.link_hash is None or row.link_hash != self.link_hash:
            return False
        if year.strip() == year_of_birth(row.enquiry):
            return True
        row.wrong_tries += 1
        if row.wrong_tries >= WRONG_TRIES:
            row.link_hash = row.link_expires_at = None
            row.problem = "link closed after wrong years of birth"
        row.save(update_fields=["wrong_tries", "link_hash", "link_expires_at", "problem"])
        Event.record(name_of(None), "gave a wrong year at a link", row.enquiry.subject)
        self.link_hash = row.link_hash
        return False

    @classmethod
    @transaction.atomic
    def ask(cls, member: Member, enquiry: Enquiry, now: datetime) -> PreConsultation:
        """Open a link, or the one that is open for longer, and send it if the person gave an e-mail address."""
        asked, _ = cls.objects.get_or_create(enquiry=enquiry)
        asked = cls.objects.select_for_update().get(pk=asked.pk)
        if asked.completed_at is None:
            if not asked.is_open(now):
                asked.link_expires_at = now + timedelta(days=PRE_CONSULTATION_DAYS)
                asked.link_hash, asked.wrong_tries = sha256(asked.token), 0
            asked.sent_at, asked.problem = None, ""
            asked.save()
            Event.record(member.actor, "asked for the second form", enquiry.subject)
            if (enquiry.contact or {}).get("email"):
                from reprieve.web.jobs import send_pre_consultation

                send_pre_consultation.enqueue(asked.pk)
        return asked

    @transaction.atomic
    def keep(self, answers: dict[str, Any], now: datetime, clinic: Clinic) -> bool:
        """Keep one page's answers; a value of None removes an answer. An answer that cannot wait is told at once.

        Returns
        -------
        False if the form was sent already, and nothing is kept
        """
        row = PreConsultation.objects.select_for_update().select_related("enquiry").get(pk=self.pk)
        if row.completed_at is not None:
            return False
        merged = row.answers | answers
        row.answers = {name: value for name, value in merged.items() if value is not None}
        row.save(update_fields=["answers"])
        if "phq9" in answers:
            row._tell_the_team(row._assessed(now, clinic), now, clinic)
        self.answers = row.answers
        return True

    @transaction.atomic
    def complete(self, now: datetime, clinic: Clinic) -> bool:
        """The form is sent: assess all answers together, and put what cannot wait before the team.

        Returns
        -------
        False if it was sent before, and nothing changes
        """
        row = PreConsultation.objects.select_for_update().select_related("enquiry").get(pk=self.pk)
        if row.completed_at is not None:
            return False
        row.assessment, row.completed_at = row._assessed(now, clinic), now
        row.save(update_fields=["assessment", "completed_at"])
        Event.record(name_of(None), "sent the second form", row.enquiry.subject, rules=RULE_SET_VERSION)
        row._tell_the_team(row.assessment, now, clinic)
        return True

    def _assessed(self, now: datetime, clinic: Clinic) -> dict[str, Any]:
        said = self.enquiry.answers | {"contact_details": self.enquiry.contact} | self.answers
        return assess(said, now.astimezone(clinic.zone).date()).as_dict()

    def _tell_the_team(self, assessment: dict[str, Any], now: datetime, clinic: Clinic) -> None:
        """Ask for help as soon as the gravest finding that the brief form did not have."""
        known = {found["criterion_id"] for found in (self.enquiry.assessment or {}).get("findings", [])}
        soon = {Urgency.IMMEDIATE.name.lower(): Urgency.IMMEDIATE, Urgency.SAME_DAY.name.lower(): Urgency.SAME_DAY}
        asks = [
            soon[found["respond_within"]]
            for found in assessment["findings"]
            if found["respond_within"] in soon and found["criterion_id"] not in known
        ]
        if asks:
            self.enquiry.ask_for_help(None, min(asks), now, clinic)


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

    @property
    def caps5_total(self) -> int | None:
        """Sum over the clusters; None if the interview was not done."""
        return sum(self.caps5.values()) if self.caps5 else None

    @classmethod
    @transaction.atomic
    def record(cls, member: Member, enquiry: Enquiry, seen: int, **fields: Any) -> Consultation:
        """Save what was found and decided. The same record sent twice is kept once.

        Parameters
        ----------
        seen : pk of the last consultation that the writer saw; 0 for none

        Raises
        ------
        ChangedMeanwhileError : if somebody else recorded one after that
        """
        Enquiry.objects.select_for_update().only("pk").get(pk=enquiry.pk)
        last = cls.objects.filter(enquiry=enquiry).last()
        if last is not None and last.pk != seen:
            if last.by_id == member.pk and all(getattr(last, name) == value for name, value in fields.items()):
                return last
            raise ChangedMeanwhileError(enquiry.subject)
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
    def sign(cls, member: Member, course: Course, seen: int, now: datetime, **fields: Any) -> Consent:
        """Keep what the person and the clinician signed, with the text that they signed. Sent twice, it is kept once.

        Parameters
        ----------
        seen : pk of the last consent of the course that the writer saw; 0 for none

        Raises
        ------
        ChangedMeanwhileError : if somebody else took one after that, or the course has ended
        """
        row = Course.objects.select_for_update().get(pk=course.pk)
        last = cls.objects.filter(course=course).order_by("pk").last()
        if last is not None and last.pk != seen:
            if last.clinician_id == member.pk and all(getattr(last, name) == value for name, value in fields.items()):
                return last
            raise ChangedMeanwhileError(course.subject)
        if row.state == Course.State.ENDED:
            raise ChangedMeanwhileError(course.subject)
        kept = cls.objects.create(
            course=course, clinician=member, person_signed_at=now, clinician_signed_at=now, **fields
        )
        Event.record(member.actor, "took consent", course.subject, text=kept.text_version)
        return kept

    @transaction.atomic
    def withdraw(self, actor: Actor, words: str, now: datetime) -> None:
        """Every consent to the course ends now, whoever said so; the course pauses, and a drip that runs must stop.

        Withdrawing twice is once. The owner gets an alert.
        """
        course = Course.objects.select_for_update().get(pk=self.course_id)
        actor_name = name_of(actor)
        in_force = Consent.objects.filter(course=course, withdrawn_at=None)
        if in_force.update(withdrawn_at=now, withdrawn_by=actor_name, withdrawn_words=words):
            Event.record(actor_name, "withdrew consent", course.subject)
            if course.state != Course.State.ENDED:
                course.pause(actor, course.version, "paused: consent withdrawn")
            else:
                course.plan_measures()
            self._alert_the_owner(course, actor_name)
        self.refresh_from_db()

    def _alert_the_owner(self, course: Course, told_by: str) -> None:
        """The owner must look at it; nothing is infused meanwhile."""
        who = "The person withdrew consent" if told_by == name_of(None) else "The team noted that consent is withdrawn"
        reasons = [f"{who}. The course is paused. A drip that runs must stop."]
        Alert.open_for(course, Alert.Kind.CONSENT, f"consent {self.pk}", reasons)
