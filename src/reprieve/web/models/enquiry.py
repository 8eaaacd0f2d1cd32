"""An enquiry, from the first saved page of the form to the team's decision."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from reprieve.candidacy import assess
from reprieve.web.deadlines import Urgency
from reprieve.web.encryption import EncryptedJSON, EncryptedText, name_index, name_indexes
from reprieve.web.models.audit import Event
from reprieve.web.models.clinic import Clinic
from reprieve.web.models.member import Member
from reprieve.web.models.rows import Ready
from reprieve.web.models.versioned import PERSON, Actor, Versioned

DRAFT_DAYS = 7
LINK_DAYS = 180
REFERENCE_LETTERS = "23456789BCDFGHJKMNPQRSTVWXYZ"  # no vowels, nothing that reads as something else


def sha256(text: str) -> str:
    """Hash of a token, as 64 hexadecimal digits; the database never holds the token."""
    return hashlib.sha256(text.encode()).hexdigest()


class Draft(models.Model):
    """Answers saved page by page, before the person sends them. Found by a token that only their device holds."""

    unfit: Collection[str] = ()  # questions whose answers the table no longer knows; not saved

    key = models.CharField(max_length=64, primary_key=True)
    answers = EncryptedJSON()
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return f"draft of {self.started_at:%Y-%m-%d %H:%M}"

    @staticmethod
    def new_token() -> str:
        """A token for one device's draft."""
        return secrets.token_urlsafe(24)

    @classmethod
    def held_by(cls, token: str | None) -> Draft | None:
        """The draft that ``token`` opens, unless it expired."""
        if not token:
            return None
        draft = next(iter(cls.objects.filter(key=sha256(token))), None)
        return draft if draft and draft.updated_at > timezone.now() - timedelta(days=DRAFT_DAYS) else None

    @classmethod
    def save_answers(cls, token: str, answers: dict[str, Any]) -> Draft:
        """Merge ``answers`` into the draft; a value of None removes an answer. Two tabs lose nothing."""
        with transaction.atomic():
            draft = next(iter(cls.objects.filter(key=sha256(token))), None) or cls(key=sha256(token), answers={})
            merged = draft.answers | answers
            draft.answers = {name: value for name, value in merged.items() if value is not None}
            draft.save()
        return draft


def link_token(draft_token: str) -> str:
    """The token of the private status page, the same each time for one draft."""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"status link" + draft_token.encode(), hashlib.sha256)
    return digest.hexdigest()[:40]


class EnquiryQuerySet(models.QuerySet["Enquiry"]):
    """Reads over many enquiries."""

    def waiting(self) -> EnquiryQuerySet:
        """Open enquiries, gravest first, then nearest deadline; a late one comes before all of its grade."""
        return self.filter(is_open=True).order_by("urgency", "due_at", "pk")

    def late(self, now: datetime) -> EnquiryQuerySet:
        """Open enquiries whose call is overdue."""
        return self.filter(is_open=True, due_at__lt=now)

    def closed(self) -> EnquiryQuerySet:
        """Enquiries that nobody waits on, the last closed first."""
        return self.filter(is_open=False).order_by("-closed_at", "-pk")

    def promises(self, start: datetime, end: datetime, now: datetime) -> dict[str, int]:
        """How the promises that fell due from ``start`` to before ``end`` were kept; counted in one index alone.

        A call is missed when it was made too late, or not at all although its time has passed. A promise is called
        off when the enquiry was closed before the call was due.
        """
        called_off = Q(first_called_at=None, closed_at__lte=F("promised_at"))
        waited = Q(first_called_at=None) & (Q(closed_at=None) | Q(closed_at__gt=F("promised_at")))
        too_late = Q(first_called_at__gt=F("promised_at"))
        return self.filter(promised_at__gte=start, promised_at__lt=end).aggregate(
            in_time=Count("pk", filter=Q(first_called_at__lte=F("promised_at"))),
            missed=Count("pk", filter=too_late | (waited & Q(promised_at__lt=now))),
            called_off=Count("pk", filter=called_off),
            still_open=Count("pk", filter=waited & Q(promised_at__gte=now)),
        )

    def named(self, name: str) -> EnquiryQuerySet:
        """Enquiries of people with exactly this name, whatever its case and spaces."""
        return self.filter(name_index__in=name_indexes(name))

    def at_link(self, token: str) -> Enquiry | None:
        """The enquiry behind a private status link, unless it expired."""
        return self.filter(link_hash=sha256(token), link_expires_at__gt=timezone.now()).first()


class Enquiry(Versioned):
    """One person's request for a call. Findings stay as they stood on the day it arrived."""

    class State(models.TextChoices):
        """Where the enquiry stands."""

        WAITING = "waiting", "Waiting for a call"
        TRYING = "trying", "Called, not reached yet"
        REACHED = "reached", "Spoken with"
        DECIDED = "decided", "Decided"
        NO_CALL = "no_call", "Asked for no call"
        STOPPED = "stopped", "Asked us to stop"
        ERASED = "erased", "Erased"

    class Decision(models.TextChoices):
        """What the clinician decided, or the person."""

        CONSULT = "consult", "Consultation offered"
        NOT_NOW = "not_now", "Not now"
        REFERRED = "referred", "Referred elsewhere"
        DECLINED = "declined", "Declined by the person"

    reference = models.CharField(max_length=8, unique=True)
    draft_key = models.CharField(max_length=64, unique=True)
    link_hash = models.CharField(max_length=64, unique=True)
    link_expires_at = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True)  # when the person agreed that we keep and read their answers
    received_at = models.DateTimeField(db_index=True)
    fictional = models.BooleanField(default=False)

    answers = EncryptedJSON()
    contact = EncryptedJSON()
    assessment = EncryptedJSON()
    why = EncryptedText(default="")
    name_index = models.CharField(max_length=64, db_index=True)
    country_region = models.CharField(max_length=6)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    is_open = models.BooleanField(default=True)
    urgency = models.PositiveSmallIntegerField(choices=Urgency)
    promised_at = models.DateTimeField(null=True)  # by when the first call was promised; never changes
    first_called_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)  # the next thing to do
    told_at = models.DateTimeField(null=True)  # when the team was told that it waits
    chased_at = models.DateTimeField(null=True)  # when somebody was last told that its call is late
    escalations = models.PositiveSmallIntegerField(default=0)
    owner = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="enquiries")
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    decision_words = EncryptedText(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    erasure_asked_at = models.DateTimeField(null=True)
    kept_because = EncryptedText(default="")  # why it was not erased, for the person to read
    closed_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Enquiry]] = EnquiryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["urgency", "due_at", "id"], condition=Q(is_open=True), name="waiting_in_order"),
            models.Index(fields=["id"], condition=Q(is_open=True, told_at__isnull=True), name="not_told_yet"),
            models.Index(fields=["owner", "urgency", "due_at", "id"], condition=Q(is_open=True), name="owned_in_order"),
            models.Index(fields=["-closed_at", "-id"], condition=Q(is_open=False), name="closed_in_order"),
            models.Index(fields=["promised_at", "first_called_at", "closed_at"], name="promises_kept"),
            models.Index(
                fields=["erasure_asked_at"], condition=Q(erasure_asked_at__isnull=False), name="erasures_asked"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(decision="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="decision_has_person_and_time",
            ),
            models.CheckConstraint(
                condition=Q(is_open=True, closed_at__isnull=True) | Q(is_open=False, closed_at__isnull=False),
                name="closed_enquiry_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"enquiry {self.pk}"

    @property
    def name(self) -> str:
        """The person's name, as typed."""
        return str(self.contact.get("name", "")) if self.contact else ""

    @property
    def kept(self) -> bool | None:
        """Whether the promised call was made in time; None while it still can be."""
        if self.promised_at is None:
            return None
        if self.first_called_at is None:
            return False if timezone.now() > self.promised_at else None
        return self.first_called_at <= self.promised_at

    @classmethod
    def receive(
        cls, draft_token: str, answers: dict[str, Any], now: datetime, clinic: Clinic, agreed_at: datetime | None = None
    ) -> Enquiry:
        """Turn a finished form into an enquiry, its first deadline and its audit event, in one transaction.

        The same token twice is one enquiry: the second call returns the first one's row.
        """
        enquiry = cls.drawn_up(draft_token, answers, now, clinic)
        enquiry.agreed_at = agreed_at
        row = Ready(enquiry)
        try:
            with transaction.atomic():
                row.insert()
                drafts = Draft.objects.filter(key=enquiry.draft_key)
                drafts._raw_delete(drafts.db)  # nothing hangs on a draft
                Event.record(PERSON, "sent the form", enquiry.subject, rules=enquiry.assessment["rule_set_version"])
        except IntegrityError:
            return cls.objects.get(draft_key=sha256(draft_token))
        return enquiry

    @classmethod
    def drawn_up(cls, draft_token: str, answers: dict[str, Any], now: datetime, clinic: Clinic) -> Enquiry:
        """The enquiry that these answers make, not saved yet."""
        contact = dict(answers.get("contact_details") or {})
        health = {name: value for name, value in answers.items() if name != "contact_details"}
        today = now.astimezone(clinic.zone).date()
        assessment = assess(answers, today).as_dict()
        urgency = Urgency.of(assessment["respond_within"])
        wants_call = answers.get("wants_contact") != "no" or urgency <= Urgency.SAME_DAY
        due_at = clinic.call_due(now, urgency) if wants_call else None
        return cls(
            reference=new_reference(),
            draft_key=sha256(draft_token),
            link_hash=sha256(link_token(draft_token)),
            link_expires_at=now + timedelta(days=LINK_DAYS),
            received_at=now,
            fictional=clinic.fictional,
            answers=health,
            contact=contact,
            assessment=assessment,
            why=why(assessment),
            name_index=name_index(contact.get("name", "")),
            country_region=answers.get("country_region") or "",
            state=cls.State.WAITING if wants_call else cls.State.NO_CALL,
            is_open=wants_call,
            closed_at=None if wants_call else now,
            urgency=urgency,
            promised_at=due_at,
            due_at=due_at,
        )

    @transaction.atomic
    def log_attempt(
        self,
        member: Member,
        seen_version: int,
        channel: str,
        outcome: str,
        note: str = "",
        next_try_at: datetime | None = None,
    ) -> Attempt:
        """Keep a call in the contact log; the first one keeps or misses the promise.

        Whoever asked us to stop, but may not be safe (``needs_a_person_first``), is tried once: that call closes it.
        """
        stopped = self.state == self.State.STOPPED
        next_try_at = None if stopped else next_try_at
        attempt = Attempt.objects.create(
            enquiry=self, by=member, channel=channel, outcome=outcome, note=note, next_try_at=next_try_at
        )
        reached = outcome in Attempt.SPOKEN or self.state == self.State.REACHED
        state = self.State.REACHED if reached else self.State.TRYING
        ended = (
            {"state": self.State.STOPPED, "is_open": False, "closed_at": attempt.at} if stopped else {"state": state}
        )
        detail = {"channel": channel, "outcome": outcome}
        self.change(
            member,
            "logged a call",
            seen_version,
            detail,
            first_called_at=self.first_called_at or attempt.at,
            due_at=next_try_at,
            owner=self.owner or member,
            **ended,
        )
        return attempt

    @transaction.atomic
    def hand_over(self, member: Member, seen_version: int, to: Member) -> None:
        """Give the enquiry to a named owner, who is told."""
        self.change(member, "handed over", seen_version, {"to": to.pk}, owner=to)
        if to != member:
            from reprieve.web.jobs import tell_owner

            tell_owner.enqueue(self.pk, to.pk)

    @transaction.atomic
    def rule_out(self, member: Member, seen_version: int, criterion_id: str, reason: str) -> Review:
        """Note that a clinician looked at a finding and why it does not stand. The finding stays visible."""
        self.change(member, "ruled out a finding", seen_version, {})
        return Review.objects.create(enquiry=self, criterion_id=criterion_id, reason=reason, by=member)

    @transaction.atomic
    def refer(self, member: Member, seen_version: int, to: str, follow_up_on: date | None) -> Referral:
        """Note where else the person was sent, and when somebody asks how that went."""
        self.change(member, "referred", seen_version, {})
        return Referral.objects.create(enquiry=self, to=to, by=member, follow_up_on=follow_up_on)

    @transaction.atomic
    def decide(self, member: Member, seen_version: int, decision: str, words: str, now: datetime) -> None:
        """Close the enquiry with a decision that the person can read in the clinician's own words."""
        self.change(
            member,
            "decided",
            seen_version,
            {"decision": decision},
            state=self.State.DECIDED,
            decision=decision,
            decision_words=words,
            decided_at=now,
            decided_by=member,
            is_open=False,
            due_at=None,
            closed_at=now,
            owner=self.owner or member,
        )

    @transaction.atomic
    def reopen(self, member: Member, seen_version: int, due_at: datetime) -> None:
        """Take a closed enquiry up again; what was decided stays in the timeline."""
        self.change(
            member,
            "reopened",
            seen_version,
            {"decision": self.decision},
            state=self._state_of_calls(),
            decision="",
            decided_at=None,
            decided_by=None,
            is_open=True,
            due_at=due_at,
            closed_at=None,
        )

    @transaction.atomic
    def ask_for_help(self, actor: Actor, urgency: Urgency, now: datetime, clinic: Clinic) -> None:
        """Put it before the team again, as gravely as an answer given during the course asks for, and tell them.

        An enquiry that waits already and is as grave stays as it is.
        """
        if self.is_open and self.urgency <= urgency:
            return
        self.change(
            actor,
            "asked for help during the course",
            self.version,
            {},
            state=self.State.WAITING,
            urgency=urgency,
            is_open=True,
            closed_at=None,
            due_at=clinic.call_due(now, urgency),
            told_at=None,
            chased_at=None,
            escalations=0,
            decision="",
            decided_at=None,
            decided_by=None,
        )

    def _state_of_calls(self) -> str:
        if self.attempts.filter(outcome__in=Attempt.SPOKEN).exists():
            return self.State.REACHED
        return self.State.TRYING if self.first_called_at else self.State.WAITING

    @transaction.atomic
    def correct_contact(self, contact: dict[str, Any]) -> None:
        """Keep the person's corrected contact details."""
        fields = {"contact": contact, "name_index": name_index(contact.get("name", ""))}
        self.change(None, "corrected contact details", self.version, {}, **fields)

    @property
    def needs_a_person_first(self) -> bool:
        """Whether answers say that the person may not be safe and nobody has looked yet: it must not close unseen."""
        return self.is_open and self.urgency <= Urgency.SAME_DAY and self.first_called_at is None

    def _stopped(self, now: datetime) -> dict[str, Any]:
        """What stopping writes; somebody who may not be safe stays before the team until a clinician closes it."""
        if self.needs_a_person_first:
            return {"state": self.State.STOPPED}
        closed_at = self.closed_at or now
        return {"state": self.State.STOPPED, "is_open": False, "due_at": None, "closed_at": closed_at}

    @transaction.atomic
    def stop_contact(self, now: datetime) -> None:
        """The person wants no more calls."""
        self.change(None, "asked us to stop", self.version, {}, **self._stopped(now))

    @property
    def is_part_of_a_medical_record(self) -> bool:
        """Whether a clinician has dealt with it, so that record-keeping law applies (pathway.md 10)."""
        return bool(self.decision) or self.first_called_at is not None

    @transaction.atomic
    def ask_for_erasure(self, now: datetime) -> bool:
        """Erase at once unless a clinician has dealt with it or must first; then ask the privacy lead.

        Returns
        -------
        whether it is erased
        """
        if not self.is_part_of_a_medical_record and not self.needs_a_person_first:
            self.erase(None, now)
            return True
        self.change(None, "asked to be erased", self.version, {}, erasure_asked_at=now, **self._stopped(now))
        from reprieve.web.jobs import tell_privacy_lead

        tell_privacy_lead.enqueue(self.pk)
        return False

    @transaction.atomic
    def keep(self, member: Member, seen_version: int, reason: str) -> None:
        """Answer a wish to be erased with the reason why the record is kept, which the person can read."""
        self.change(member, "kept the record", seen_version, {}, kept_because=reason, erasure_asked_at=None)

    @transaction.atomic
    def erase(self, by: Actor, now: datetime) -> None:
        """Remove everything that tells who it was or what they said. The reference, the times and the audit stay."""
        from reprieve.web.models.consent import PreConsultation

        Draft.objects.filter(key=self.draft_key).delete()  # another window may have saved once more
        self.attempts.all().delete()
        self.reviews.all().delete()
        self.referrals.all().delete()
        self.consultations.all().delete()
        PreConsultation.objects.filter(enquiry=self).delete()
        for course in self.courses.all():
            course.erase(by)
        self.change(
            by,
            "erased",
            self.version,
            {},
            answers={},
            contact={},
            assessment={},
            why="",
            name_index="",
            country_region="",
            decision_words=None,
            kept_because="",
            state=self.State.ERASED,
            is_open=False,
            due_at=None,
            closed_at=self.closed_at or now,
            erasure_asked_at=None,
        )


class Attempt(models.Model):
    """One try to reach the person, as the caller wrote it down."""

    class Channel(models.TextChoices):
        """How the person was tried."""

        PHONE = "phone", "Phone"
        TEXT = "text", "Text message"
        EMAIL = "email", "E-mail"
        IN_PERSON = "in_person", "In person"

    class Outcome(models.TextChoices):
        """What came of it."""

        REACHED = "reached", "Spoke with the person"
        NO_ANSWER = "no_answer", "No answer"
        MESSAGE = "message", "Left a message, as they allowed"
        WRONG = "wrong", "Wrong number or address"
        CALL_BACK = "call_back", "Asked us to call another time"

    SPOKEN = (Outcome.REACHED, Outcome.CALL_BACK)

    enquiry = models.ForeignKey(Enquiry, models.CASCADE, related_name="attempts")
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    channel = models.CharField(max_length=10, choices=Channel)
    outcome = models.CharField(max_length=10, choices=Outcome)
    note = EncryptedText(default="", blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"


class Review(models.Model):
    """A finding that a clinician looked at and ruled out, with the reason. The finding stays visible."""

    enquiry = models.ForeignKey(Enquiry, models.CASCADE, related_name="reviews")
    criterion_id = models.CharField(max_length=10)
    reason = EncryptedText()
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.criterion_id} ruled out"


class Referral(models.Model):
    """Where else the person was sent, and when somebody asks how that went."""

    enquiry = models.ForeignKey(Enquiry, models.CASCADE, related_name="referrals")
    to = EncryptedText()
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    follow_up_on = models.DateField(null=True, blank=True)
    accepted_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"referral of {self.enquiry}"


def new_reference() -> str:
    """A reference that can be read out on the telephone, such as R7K2-4QX.

    >>> len(new_reference())
    8
    """
    letters = [secrets.choice(REFERENCE_LETTERS) for _ in range(7)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def why(assessment: dict[str, Any]) -> str:
    """The gravest finding in a line, for the inbox; of equally grave ones, what the person said about safety first."""
    found = [finding for finding in assessment["findings"] if finding["category"] != "supports"]
    if not found:
        return "Nothing to clear up first"
    gravest = [finding for finding in found if finding["category"] == found[0]["category"]]
    first = min(gravest, key=lambda finding: not finding["criterion_id"].startswith(("URG", "CAU")))["condition"]
    return first if len(found) == 1 else f"{first} (and {len(found) - 1} more)"
