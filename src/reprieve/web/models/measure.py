"""How the person is: questionnaires that fall due, their answers, and alerts that somebody must answer."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from reprieve.treatment import outcome, schedule
from reprieve.web import short_forms
from reprieve.web.deadlines import Urgency
from reprieve.web.encryption import EncryptedJSON, EncryptedText
from reprieve.web.models.audit import Event
from reprieve.web.models.clinic import Clinic
from reprieve.web.models.course import Course, TreatmentSession
from reprieve.web.models.enquiry import Enquiry, sha256
from reprieve.web.models.member import Member, Role
from reprieve.web.models.versioned import SYSTEM, Actor, ChangedMeanwhileError, name_of

LINK_DAYS_AFTER = 3  # a link works for so many days after the window has closed
WRONG_TRIES = 5
REMIND_AFTER_DAYS = (2, 4)  # after the first message; our choice
PAUSE_HOURS = 20  # between two messages to one person
NO_WAY = "no way to send"
NO_YEAR = "no year of birth"
EXTRA = "extra"
EXTRA_DAYS = 7


class MeasureQuerySet(models.QuerySet["Measure"]):
    """Reads over many measures."""

    def due(self, today: date) -> MeasureQuerySet:
        """Not done, and their window is open; the one that closes first comes first."""
        return self.open().filter(first_on__lte=today, last_on__gte=today).order_by("last_on", "pk")

    def overdue(self, today: date) -> MeasureQuerySet:
        """Not done, and their window has closed; the longest overdue first."""
        return self.open().filter(last_on__lt=today).order_by("last_on", "pk")

    def open(self) -> MeasureQuerySet:
        """Not done and not called off."""
        return self.filter(completed_at=None, called_off=False)

    def done(self) -> MeasureQuerySet:
        """Done, in the order of days."""
        return self.filter(completed_at__isnull=False).order_by("completed_at", "pk")

    def by_the_person(self) -> MeasureQuerySet:
        """Those that a person fills in; the others are interviews."""
        return self.filter(instrument__in=short_forms.BY_THE_PERSON)

    def sendable(self) -> MeasureQuerySet:
        """Those whose person may be written to: not stopped, not erased, and the course does not pause."""
        gone = (Enquiry.State.STOPPED, Enquiry.State.ERASED)
        return (
            self.by_the_person()
            .exclude(course__enquiry__state__in=gone)
            .exclude(course__state=Course.State.PAUSED)
            .filter(course__enquiry__erasure_asked_at=None, course__messages_stopped_at=None)
        )

    def to_send(self, now: datetime, today: date) -> MeasureQuerySet:
        """Due, and a first message or a reminder is owed; not to somebody who had a message a few hours ago."""
        owed = Q(sent_at=None)
        for number, days in enumerate(REMIND_AFTER_DAYS):
            owed |= Q(reminders=number, sent_at__lte=now - timedelta(days=days))
        lately = Measure.objects.filter(sent_at__gt=now - timedelta(hours=PAUSE_HOURS)).values("course")
        return self.due(today).sendable().filter(owed, problem="").exclude(course__in=lately)

    def at_link(self, token: str, now: datetime) -> Measure | None:
        """The measure behind a private link, unless it has expired, was closed or called off."""
        found = self.filter(link_hash=sha256(token), link_expires_at__gt=now, called_off=False)
        return found.exclude(course__enquiry__state=Enquiry.State.ERASED).select_related("course__enquiry").first()


class Measure(models.Model):
    """One questionnaire or interview of one person, due in a window of days, and its answers once it is done.

    Totals stand in the clear, as a range where answers are blank; the answers themselves are encrypted. An answer of
    None was left blank; one that is absent was not asked yet.
    """

    course = models.ForeignKey(Course, models.CASCADE, related_name="measures")
    instrument = models.CharField(max_length=20)  # as in instruments.csv, or "side effects"
    reason = models.CharField(max_length=40)  # id in treatment/outcome_schedule.csv, or "extra"
    due_on = models.DateField()
    first_on = models.DateField()
    last_on = models.DateField()
    link_hash = models.CharField(max_length=64, unique=True, null=True)
    link_expires_at = models.DateTimeField(null=True)
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=80, blank=True)  # why no message goes out: NO_WAY, or the kind of failure
    answers = EncryptedJSON(null=True)
    total_low = models.PositiveSmallIntegerField(null=True)
    total_high = models.PositiveSmallIntegerField(null=True)
    completed_at = models.DateTimeField(null=True)
    by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")  # None: the person, behind a link
    called_off = models.BooleanField(default=False)

    objects: ClassVar[models.Manager[Measure]] = MeasureQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]
        indexes = [
            models.Index(
                fields=["last_on", "first_on", "id"],
                condition=Q(completed_at=None, called_off=False),
                name="measures_not_done",
            ),
            models.Index(fields=["sent_at", "course"], condition=Q(sent_at__isnull=False), name="measures_sent"),
            models.Index(fields=["course", "instrument", "due_on"], name="measures_of_a_course"),
            models.Index(
                fields=["instrument", "course", "completed_at", "total_low", "total_high"],
                condition=Q(completed_at__isnull=False, total_low__isnull=False),
                name="totals_of_an_instrument",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} of {self.course}"

    @property
    def subject(self) -> str:
        """How the audit trail names it."""
        return f"measure {self.pk}"

    @property
    def why(self) -> str:
        """Why then, in words."""
        slot = schedule.slots().get(self.reason)
        return slot.words if slot else "asked for by the team"

    @property
    def title(self) -> str:
        """What the person reads on top of it."""
        return short_forms.TITLES[self.instrument]

    @property
    def form(self) -> short_forms.ShortForm:
        """What is asked."""
        slot = schedule.slots().get(self.reason)
        lately = slot is not None and slot.moment in ("session", "weekly", "end")
        return short_forms.form_for(self.instrument, "week" if lately else "month")

    @property
    def is_for_the_person(self) -> bool:
        """Whether the person fills it in; the others are interviews."""
        return self.instrument in short_forms.BY_THE_PERSON

    @property
    def total_words(self) -> str:
        """The total, or the range that blanks leave."""
        if self.total_low is None:
            return "no total"
        return str(self.total_low) if self.total_low == self.total_high else f"{self.total_low} to {self.total_high}"

    # When it is due

    @classmethod
    @transaction.atomic
    def plan_for(cls, course: Course) -> None:
        """Make the measures that the course asks for now. Done again it changes nothing; what is done stays done.

        Call it whenever a session is planned, moved, missed or called off, and when the course ends or consent does.
        """
        zone = Clinic.current().zone
        wanted: dict[str, list[schedule.Due]] = {}
        for each in _falling_due(course, zone):
            wanted.setdefault(each.slot.id, []).append(each)
        rows: dict[str, list[Measure]] = {}
        for row in cls.objects.select_for_update().filter(course=course).exclude(reason=EXTRA).order_by("due_on", "pk"):
            rows.setdefault(row.reason, []).append(row)
        changed = sum(_fit(course, slot, wanted.get(slot, []), rows.get(slot, []), zone) for slot in {*wanted, *rows})
        if _is_over(course):
            changed += cls.objects.open().filter(course=course, reason=EXTRA).update(called_off=True)
        if changed:
            Event.record(SYSTEM, "planned the measures", course.subject, changed=changed)

    @classmethod
    @transaction.atomic
    def add(cls, member: Member, course: Course, instrument: str, today: date) -> Measure:
        """Ask for one more, from today on."""
        last_on = today + timedelta(days=EXTRA_DAYS)
        added = cls.objects.create(
            course=course, instrument=instrument, reason=EXTRA, due_on=today, first_on=today, last_on=last_on
        )
        Event.record(member.actor, "asked for a measure", added.subject)
        return added

    @transaction.atomic
    def call_off(self, member: Member) -> None:
        """It will not be done.

        Raises
        ------
        ChangedMeanwhileError : if it is done or called off already
        """
        rows: Any = Measure.objects
        if not rows.open().filter(pk=self.pk).update(called_off=True, link_hash=None):
            raise ChangedMeanwhileError(self.subject)
        Event.record(member.actor, "called off a measure", self.subject)

    # The private link

    @property
    def token(self) -> str:
        """The token of its link, the same for the first message and the reminders; the database holds its hash."""
        assert self.link_expires_at is not None
        words = f"measure link {self.pk} {self.link_expires_at.timestamp():.6f}"
        return hmac.new(settings.SECRET_KEY.encode(), words.encode(), hashlib.sha256).hexdigest()[:40]

    def issue_link(self, now: datetime, clinic: Clinic) -> str:
        """Open a link, unless one is open, and return its token. A link that was closed gets another token."""
        if not (self.link_hash and self.link_expires_at and self.link_expires_at > now):
            today = now.astimezone(clinic.zone)
            ends_on = max(self.last_on, today.date()) + timedelta(days=LINK_DAYS_AFTER)
            self.link_expires_at = datetime.combine(ends_on, today.time(), clinic.zone)
            self.wrong_tries = 0
        self.link_hash = sha256(self.token)
        self.save(update_fields=["link_hash", "link_expires_at", "wrong_tries"])
        return self.token

    @transaction.atomic
    def send_now(self, member: Member, now: datetime) -> None:
        """Send the link at once, or when the quiet hours end.

        Raises
        ------
        ChangedMeanwhileError : if it is done or called off already
        """
        rows: Any = Measure.objects
        if not rows.open().filter(pk=self.pk).update(sent_at=now, problem=""):
            raise ChangedMeanwhileError(self.subject)
        from reprieve.web.jobs import send_form

        send_form.enqueue(self.pk, f"{self.pk}-{now:%Y%m%d%H%M%S%f}")
        Event.record(member.actor, "asked to send a link", self.subject)

    @transaction.atomic
    def is_opened_by(self, year: str, now: datetime) -> bool:
        """Whether it is the person's year of birth. Some wrong tries close the link, and the owner is told."""
        row = Measure.objects.select_for_update().select_related("course__enquiry").get(pk=self.pk)
        if row.link_hash is None or row.link_hash != self.link_hash:
            return False
        if year.strip() == year_of_birth(row.course.enquiry):
            return True
        row.wrong_tries += 1
        if row.wrong_tries >= WRONG_TRIES:
            row.link_hash = None
            row.problem = "link closed"
            reason = f"Somebody gave {WRONG_TRIES} wrong years of birth. The link is closed. Call the person."
            Alert.open_for(row.course, Alert.Kind.LINK, f"{row.subject} {now:%Y-%m-%d %H:%M:%S}", [reason])
        row.save(update_fields=["wrong_tries", "link_hash", "problem"])
        Event.record("person", "gave a wrong year at a link", row.subject)
        self.link_hash = row.link_hash
        return False

    # The answers

    @transaction.atomic
    def keep(self, answers: dict[str, Any], now: datetime, clinic: Clinic) -> bool:
        """Keep the answers of one page; what is about safety goes to the team at once.

        Returns
        -------
        False if it was sent already, and nothing is kept
        """
        row = self._locked()
        if row.completed_at:
            return False
        row.answers = (row.answers or {}) | answers
        row.save(update_fields=["answers"])
        row._tell_of_danger(None, False, now, clinic)
        self.answers = row.answers
        return True

    @transaction.atomic
    def complete(self, actor: Actor, answers: dict[str, Any], now: datetime, clinic: Clinic) -> bool:
        """It is done: keep the total, tell the team what cannot wait, and alert the owner where the rules say so.

        Returns
        -------
        False if it was done already, and nothing is kept
        """
        row = self._locked()
        if row.completed_at:
            return False
        row.answers = (row.answers or {}) | answers
        total = short_forms.total_of(row.instrument, row.answers)
        row.total_low, row.total_high = total or (None, None)
        row.completed_at, row.by = now, actor if isinstance(actor, Member) else None
        row.called_off = False
        row.save(update_fields=["answers", "total_low", "total_high", "completed_at", "by", "called_off"])
        Event.record(name_of(actor), "sent a measure", row.subject)
        row._tell_of_danger(actor, True, now, clinic)
        Alert.raise_for(row)
        stopping = short_forms.reasons_to_stop(row.instrument, row.answers)
        if stopping:
            Alert.open_for(row.course, Alert.Kind.HARM, row.subject, stopping)
        self.refresh_from_db()
        return True

    def _locked(self) -> Measure:
        return Measure.objects.select_for_update(of=("self",)).select_related("course").get(pk=self.pk)

    def _tell_of_danger(self, actor: Actor, finished: bool, now: datetime, clinic: Clinic) -> None:
        urgency = short_forms.how_soon(self.instrument, self.answers or {}, finished)
        if urgency is None:
            return
        how_soon = Urgency(urgency).label.lower()
        reason = f"An answer about safety, or none, in the {self.instrument} asks for a call: {how_soon}."
        if Alert.open_for(self.course, Alert.Kind.URGENT, f"{self.subject} {urgency.name}", [reason]):
            enquiry = Enquiry.objects.select_for_update().get(pk=self.course.enquiry_id)
            enquiry.ask_for_help(actor, urgency, now, clinic)

    def as_measured(self, zone: Any) -> outcome.Measured | None:
        """As the rules of outcome read it; None while it is not done, or for an instrument without a total."""
        if self.completed_at is None or self.total_low is None or self.total_high is None:
            return None
        day = self.completed_at.astimezone(zone).date()
        return outcome.Measured(day, self.instrument, (self.total_low, self.total_high))


def year_of_birth(enquiry: Enquiry) -> str:
    """The year that opens a person's links; empty when they did not say."""
    return str((enquiry.answers or {}).get("birth_date") or "")[:4]


def _is_over(course: Course) -> bool:
    """Whether nothing more is asked: consent is withdrawn and no other is in force."""
    withdrawn = course.ending == Course.Ending.WITHDRAWN or course.consents.filter(withdrawn_at__isnull=False).exists()
    return withdrawn and not course.consents.filter(clinician_signed_at__isnull=False, withdrawn_at=None).exists()


def _falling_due(course: Course, zone: Any) -> Iterable[schedule.Due]:
    """What the schedule asks for, by the sessions as they stand now."""
    if _is_over(course):
        return ()
    states = TreatmentSession.State
    counted = [states.ENDED, states.OPEN] + ([] if course.state == Course.State.ENDED else [states.PLANNED])
    days = [
        (session.opened_at or session.planned_at).astimezone(zone).date()
        for session in course.sessions.filter(state__in=counted)
    ]
    return schedule.due(min(days), max(days), days) if days else ()


def _fit(course: Course, slot: str, wanted: list[schedule.Due], rows: list[Measure], zone: Any) -> int:
    """Bring the rows of one slot to what is wanted; returns how many were changed."""
    wanted, changed = list(wanted), 0
    for row in (row for row in rows if row.completed_at):
        days = {row.due_on, row.completed_at.astimezone(zone).date()}  # type: ignore[union-attr]
        answered = next((each for each in wanted if any(each.first <= day <= each.last for day in days)), None)
        if answered:
            wanted.remove(answered)
    still_open = [row for row in rows if not row.completed_at]
    for each in wanted:
        fields = {"due_on": each.day, "first_on": each.first, "last_on": each.last, "called_off": False}
        if not still_open:
            Measure.objects.create(course=course, instrument=each.instrument, reason=slot, **fields)
            changed += 1
            continue
        row = still_open.pop(0)
        if any(getattr(row, name) != value for name, value in fields.items()):
            fields |= {"sent_at": None, "reminders": 0} if row.due_on != each.day else {}
            Measure.objects.filter(pk=row.pk).update(**fields)
            changed += 1
    left = [row.pk for row in still_open if not row.called_off]
    return changed + Measure.objects.filter(pk__in=left).update(called_off=True, link_hash=None)


class AlertQuerySet(models.QuerySet["Alert"]):
    """Reads over many alerts."""

    def waiting(self) -> AlertQuerySet:
        """Those that nobody has answered yet, the oldest first."""
        return self.filter(acknowledged_at=None).order_by("opened_at", "pk")


class Alert(models.Model):
    """Something in the person's course that a named clinician must look at, and say what they did."""

    class Kind(models.TextChoices):
        """What it is about."""

        RELAPSE = "relapse", "Getting worse"
        NO_BENEFIT = "no_benefit", "No measurable benefit: stop or change"
        URGENT = "urgent", "An answer about safety"
        ESCORT = "escort", "Left or came without an escort twice"
        HARM = "harm", "A side effect that may stop the course"
        CONSENT = "consent", "Consent withdrawn"
        LINK = "link", "A link was tried by somebody else"

    course = models.ForeignKey(Course, models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=12, choices=Kind)
    key = models.CharField(max_length=60)  # what it was raised by, such as "measure 12": raised once
    reasons = EncryptedJSON()  # sentences
    owner = models.ForeignKey(Member, models.PROTECT, related_name="alerts")
    opened_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    what_was_done = EncryptedText(default="")

    objects: ClassVar[models.Manager[Alert]] = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["acknowledged_at", "opened_at"]
        constraints = [
            models.UniqueConstraint(fields=["course", "kind", "key"], name="one_alert_for_a_cause"),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="acknowledgement_has_person_and_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.course}"

    @property
    def subject(self) -> str:
        """How the audit trail names it."""
        return f"alert {self.pk}"

    @classmethod
    @transaction.atomic
    def open_for(cls, course: Course, kind: Alert.Kind, key: str, reasons: list[str]) -> Alert | None:
        """Open an alert for the owner of the course; None if there was one for this cause before."""
        opened, is_new = cls.objects.get_or_create(
            course=course, kind=kind, key=key, defaults={"reasons": reasons, "owner_id": course.owner_id}
        )
        if not is_new:
            return None
        Event.record(SYSTEM, "opened an alert", opened.subject)
        return opened

    @classmethod
    def raise_for(cls, measure: Measure) -> None:
        """Open the alerts that a new total calls for: getting worse, or a response that is lost."""
        zone = Clinic.current().zone
        new = measure.as_measured(zone)
        if new is None:
            return
        baseline, later = measured_of(measure.course, measure.instrument, zone)
        earlier = [each for each in later if each.on < new.on]
        reasons = outcome.alerts(baseline if baseline and baseline.on < new.on else None, earlier, new)
        if reasons:
            cls.open_for(measure.course, cls.Kind.RELAPSE, measure.subject, [reason.words for reason in reasons])

    @classmethod
    def raise_at_review(cls, course: Course, zone: Any) -> None:
        """Open the alert that no measurable benefit at the planned review calls for, with its reasons."""
        if course.review_on is None:
            return
        baseline, later = measured_of(course, short_forms.PCL_5, zone)
        reasons = outcome.review(baseline, later, course.review_on)
        if reasons:
            key = f"review {course.review_on}"
            cls.open_for(course, cls.Kind.NO_BENEFIT, key, [reason.words for reason in reasons])

    def may_be_answered_by(self, member: Member) -> bool:
        """Its owner, or a prescriber."""
        return member.pk == self.owner_id or member.role == Role.PRESCRIBER

    @transaction.atomic
    def acknowledge(self, member: Member, words: str, now: datetime) -> None:
        """Say what was done about it; then it is no longer told.

        Raises
        ------
        ChangedMeanwhileError : if somebody has said so already; nothing is written
        """
        waiting = Alert.objects.filter(pk=self.pk, acknowledged_at=None)
        if not waiting.update(acknowledged_at=now, acknowledged_by=member, what_was_done=words):
            raise ChangedMeanwhileError(self.subject)
        Event.record(member.actor, "acknowledged an alert", self.subject)
        self.refresh_from_db()


def measured_of(course: Course, instrument: str, zone: Any) -> tuple[outcome.Measured | None, list[outcome.Measured]]:
    """The total before the course, None if nobody took it, and all others of one instrument, in the order of days."""
    found = all_measured(course, zone)
    started_on = started_on_of(course, zone)
    baseline = outcome.baseline_of(found, started_on, instrument) if started_on else None
    return baseline, [each for each in found if each.instrument == instrument and each != baseline]


def all_measured(course: Course, zone: Any) -> list[outcome.Measured]:
    """Every total of the course, in the order of days; the interview of a consultation counts as well."""
    rows: Any = Measure.objects
    found = [measured for row in rows.done().filter(course=course) if (measured := row.as_measured(zone))]
    for consultation in course.enquiry.consultations.all():
        total = short_forms.total_of(short_forms.CAPS_5, consultation.caps5) if consultation.caps5 else None
        if total:
            found.append(outcome.Measured(consultation.at.astimezone(zone).date(), short_forms.CAPS_5, total))
    return sorted(found, key=lambda each: each.on)


def started_on_of(course: Course, zone: Any) -> date | None:
    """The day of the first session, planned or as it came; None while none is planned."""
    return course.started_on or _first_day(course, zone)


def _first_day(course: Course, zone: Any) -> date | None:
    first = course.sessions.exclude(state=TreatmentSession.State.CALLED_OFF).order_by("planned_at").first()
    return first.planned_at.astimezone(zone).date() if first else None
