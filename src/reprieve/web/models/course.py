"""A course of treatment: from the plan to its end, its sessions, and what was written down in each."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from reprieve.web.encryption import EncryptedJSON, EncryptedText
from reprieve.web.models.audit import Event
from reprieve.web.models.enquiry import Enquiry
from reprieve.web.models.member import Member
from reprieve.web.models.versioned import Actor, ChangedMeanwhileError, Versioned, name_of


class LimitSet(models.Model):
    """Safety limits as a named medical lead signed them. A new signature is a new row; the last one is in force."""

    values = models.JSONField()  # limit id -> number, as reprieve.treatment.limits takes them
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "limit set"

    def __str__(self) -> str:
        return f"limits signed by {self.by} on {self.at:%Y-%m-%d}"

    @classmethod
    def in_force(cls) -> LimitSet | None:
        """The last one signed; None until somebody has signed one, and then nothing may be infused."""
        return cls.objects.select_related("by").order_by("-pk").first()

    @classmethod
    @transaction.atomic
    def sign(cls, member: Member, values: dict[str, float]) -> LimitSet:
        """Put these limits in force, in the member's name."""
        signed = cls.objects.create(values=values, by=member)
        Event.record(member.actor, "signed the safety limits", f"limit set {signed.pk}")
        return signed


class CourseQuerySet(models.QuerySet["Course"]):
    """Reads over many courses."""

    def going_on(self) -> CourseQuerySet:
        """Courses that have not ended, the newest first."""
        return self.exclude(state=Course.State.ENDED).order_by("-pk")


class Course(Versioned):
    """One person's course: what is planned, who answers for it, how far it has come."""

    class State(models.TextChoices):
        """Where the course stands."""

        PREPARING = "preparing", "Being prepared"
        RUNNING = "running", "Under way"
        PAUSED = "paused", "Paused"
        ENDED = "ended", "Ended"

    class Ending(models.TextChoices):
        """Why it ended."""

        AS_PLANNED = "as_planned", "As planned"
        NO_BENEFIT = "no_benefit", "No measurable benefit"
        HARM = "harm", "A side effect or a new risk"
        WITHDRAWN = "withdrawn", "Consent withdrawn"
        PERSON = "person", "The person chose to stop"
        OTHER = "other", "Another reason"

    enquiry = models.ForeignKey(Enquiry, models.PROTECT, related_name="courses")
    owner = models.ForeignKey(Member, models.PROTECT, related_name="courses")  # alerts go to this named clinician
    template = models.CharField(max_length=40)  # id in treatment/plans.csv
    dose_mg_per_kg = models.FloatField()
    infusion_min = models.PositiveSmallIntegerField()
    maintenance = models.BooleanField(default=False)
    must_end_on = models.DateField(null=True)  # the end date that a maintenance course must have
    reason = EncryptedText(default="")  # why this course, in the prescriber's words
    state = models.CharField(max_length=10, choices=State, default=State.PREPARING, db_index=True)
    started_on = models.DateField(null=True)  # day of the first infusion
    ended_on = models.DateField(null=True, db_index=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)
    ending_words = EncryptedText(default="")
    review_on = models.DateField(null=True)  # the planned review
    messages_stopped_at = models.DateTimeField(null=True)  # when the person asked for no more short forms by message
    fictional = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[models.Manager[Course]] = CourseQuerySet.as_manager()

    class Meta:
        verbose_name = "course"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="ended", ended_on__isnull=False) & ~Q(ending="")
                | ~Q(state="ended") & Q(ended_on__isnull=True, ending=""),
                name="ended_course_has_day_and_reason",
            ),
            models.CheckConstraint(
                condition=Q(maintenance=False) | Q(must_end_on__isnull=False),
                name="maintenance_has_an_end_date",
            ),
        ]

    def __str__(self) -> str:
        return f"course {self.pk}"

    @classmethod
    @transaction.atomic
    def plan(cls, member: Member, enquiry: Enquiry, sessions: list[datetime], **fields: Any) -> Course:
        """Save a course with its planned sessions."""
        course = cls(enquiry=enquiry, changed_by=member, fictional=enquiry.fictional, **fields)
        course.save(force_insert=True)
        for number, planned_at in enumerate(sessions, start=1):
            TreatmentSession.objects.create(course=course, number=number, planned_at=planned_at)
        Event.record(member.actor, "planned a course", course.subject, sessions=len(sessions), enquiry=enquiry.pk)
        course.plan_measures()
        return course

    def plan_measures(self) -> None:
        """Bring the measures that fall due up to date with the sessions and the state of the course."""
        from reprieve.web.models.measure import Measure

        Measure.plan_for(self)

    @transaction.atomic
    def stop_messages(self, now: datetime) -> None:
        """The person wants no more short forms by e-mail or text; the team asks at the visits."""
        row = Course.objects.select_for_update(of=("self",)).get(pk=self.pk)
        if row.messages_stopped_at is None:
            row.change(None, "asked for no more messages", row.version, {}, messages_stopped_at=now)
        self.messages_stopped_at = row.messages_stopped_at

    @transaction.atomic
    def pause(self, actor: Actor, seen_version: int, verb: str = "paused the course") -> None:
        """No further session may be opened until somebody resumes it."""
        self.change(actor, verb, seen_version, {}, state=self.State.PAUSED)
        self.plan_measures()

    @transaction.atomic
    def resume(self, member: Member, seen_version: int) -> None:
        """Sessions may be opened again."""
        state = self.State.RUNNING if self.started_on else self.State.PREPARING
        self.change(member, "resumed the course", seen_version, {}, state=state)
        self.plan_measures()

    @transaction.atomic
    def end(self, member: Member, seen_version: int, ending: str, words: str, on: date) -> None:
        """End it with a reason; sessions that have not begun are called off."""
        self.change(
            member,
            "ended the course",
            seen_version,
            {"ending": ending},
            state=self.State.ENDED,
            ended_on=on,
            ending=ending,
            ending_words=words,
        )
        self.sessions.filter(state=TreatmentSession.State.PLANNED).update(state=TreatmentSession.State.CALLED_OFF)
        self.plan_measures()

    @transaction.atomic
    def hand_over(self, member: Member, seen_version: int, to: Member) -> None:
        """Give the course to another named clinician."""
        self.change(member, "handed over", seen_version, {"to": to.pk}, owner=to)

    @transaction.atomic
    def erase(self, by: Actor) -> None:
        """Remove what tells of the person. Days, doses and the controlled-drug log stay, as the law asks."""
        Entry.objects.filter(session__course=self).delete()
        for rows in (self.consents, self.baseline_items, self.other_treatments, self.measures, self.alerts):
            rows.all().delete()
        self.sessions.update(missed_why="")
        self.change(by, "erased", self.version, {}, reason="", ending_words="")


class TreatmentSession(Versioned):
    """One visit for an infusion. What happens in it is a list of entries; nothing in that list is ever changed."""

    class State(models.TextChoices):
        """Where the session stands."""

        PLANNED = "planned", "Planned"
        OPEN = "open", "Open"
        ENDED = "ended", "Ended"
        MISSED = "missed", "Missed"
        CALLED_OFF = "called_off", "Called off"

    course = models.ForeignKey(Course, models.CASCADE, related_name="sessions")
    number = models.PositiveSmallIntegerField()
    planned_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED, db_index=True)
    opened_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    limits = models.ForeignKey(LimitSet, models.PROTECT, null=True, related_name="+")  # as signed on the day
    ended_at = models.DateTimeField(null=True)
    dose_mg = models.FloatField(null=True)  # both computed from the entries when the session ends:
    infused_mg = models.FloatField(null=True)  # the dose that was meant, and what ran in
    missed_why = EncryptedText(default="")

    class Meta:
        verbose_name = "session"
        ordering = ["course", "number"]
        constraints = [models.UniqueConstraint(fields=["course", "number"], name="one_session_of_a_number")]
        indexes = [
            models.Index(
                fields=["course", "state", "infused_mg", "dose_mg", "opened_at", "planned_at"],
                name="sessions_as_they_went",
            )
        ]

    def __str__(self) -> str:
        return f"session {self.number} of {self.course}"

    @transaction.atomic
    def move(self, member: Member, seen_version: int, planned_at: datetime) -> None:
        """Plan it for another time; a missed one is planned anew."""
        state = self.State.PLANNED
        self.change(member, "moved a session", seen_version, {}, planned_at=planned_at, state=state, missed_why="")
        self.course.plan_measures()

    @transaction.atomic
    def miss(self, member: Member, seen_version: int, why: str) -> None:
        """The person did not come, or was sent home."""
        self.change(member, "noted a missed session", seen_version, {}, state=self.State.MISSED, missed_why=why)
        self.course.plan_measures()

    @transaction.atomic
    def call_off(self, member: Member, seen_version: int) -> None:
        """It will not take place."""
        self.change(member, "called off a session", seen_version, {}, state=self.State.CALLED_OFF)
        self.course.plan_measures()

    @transaction.atomic
    def open(self, member: Member, seen_version: int, limits: LimitSet, now: datetime) -> None:
        """Begin the visit, under the limits in force."""
        self.change(
            member,
            "opened a session",
            seen_version,
            {"limits": limits.pk},
            state=self.State.OPEN,
            opened_at=now,
            opened_by=member,
            limits=limits,
        )
        self.course.plan_measures()

    @transaction.atomic
    def close(
        self, member: Member, seen_version: int, infused_mg: float, now: datetime, dose_mg: float | None = None
    ) -> None:
        """The person has left; the dose and what of it was infused are kept beside it."""
        self.change(
            member,
            "ended a session",
            seen_version,
            {},
            state=self.State.ENDED,
            ended_at=now,
            dose_mg=dose_mg,
            infused_mg=infused_mg,
        )

    def tell_of_no_escort(self) -> None:
        """Open an alert when the person has left without an escort for the second time in the course."""
        from reprieve.web.models.measure import Alert

        rows = Entry.objects.filter(session__course=self.course, kind="discharge")
        alone = [row.pk for row in rows if row.data.get("answers", {}).get("escort_here") == "no"]
        if len(alone) > 1:
            reasons = [
                f"The person left without an escort {len(alone)} times. Stop or pause the course, or say why not."
            ]
            Alert.open_for(self.course, Alert.Kind.ESCORT, f"session {self.pk}", reasons)


class Entry(models.Model):
    """One thing written down in a session. Entries are only added; a correction is an entry that names another.

    ``uid`` is made where it is written down, perhaps without a network, so that sending it twice keeps it once.
    """

    session = models.ForeignKey(TreatmentSession, models.CASCADE, related_name="entries")
    uid = models.UUIDField(unique=True)
    kind = models.CharField(max_length=12)  # one of reprieve.treatment.session.KINDS
    term = models.CharField(max_length=40, blank=True)  # an adverse event's code, to count harms by
    data = EncryptedJSON()
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField()  # when it happened, by the server's clock
    device_at = models.DateTimeField(null=True)  # when it happened, as the device told it
    received_at = models.DateTimeField(default=timezone.now)
    flagged = models.BooleanField(default=False)  # a value out of the body's range, kept as typed

    class Meta:
        verbose_name = "entry"
        verbose_name_plural = "entries"
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["session", "at"], name="entries_of_a_session"),
            models.Index(fields=["session", "term", "uid"], condition=~Q(term=""), name="harms_in_sessions"),
            models.Index(fields=["session"], condition=Q(kind="correction"), name="corrections_in_sessions"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.session}"

    @classmethod
    def keep(cls, member: Member, entry: Entry) -> bool:
        """Save an entry and its audit event; an entry that is there already is not saved again.

        Returns
        -------
        whether it is new
        """
        entry.by = member
        try:
            with transaction.atomic():
                entry.save(force_insert=True)
                Event.record(member.actor, f"wrote down: {entry.kind}", f"session {entry.session_id}")
        except IntegrityError:
            if not cls.objects.filter(uid=entry.uid, session_id=entry.session_id).exists():
                raise
            return False
        return True


class BaselineItem(models.Model):
    """An answer to one item of the baseline checklist. The last one counts; those before it stay."""

    course = models.ForeignKey(Course, models.CASCADE, related_name="baseline_items")
    item = models.CharField(max_length=40)  # id in treatment/checklist.csv
    answer = EncryptedJSON()
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.item} of {self.course}"

    @classmethod
    def last_of(cls, course: Course) -> tuple[dict[str, BaselineItem], int]:
        """The answer that counts for each item, and the pk of the newest answer of all; 0 when there is none."""
        rows = list(cls.objects.filter(course=course).select_related("by").order_by("pk"))
        return {row.item: row for row in rows}, rows[-1].pk if rows else 0

    @classmethod
    @transaction.atomic
    def keep(cls, member: Member, course: Course, seen: int, answers: dict[str, Any]) -> None:
        """Save the answers that changed; an answer that stands already is not saved again.

        Parameters
        ----------
        seen : pk of the newest answer that the writer saw; 0 for none

        Raises
        ------
        ChangedMeanwhileError : if somebody else answered one of these items differently after that
        """
        Course.objects.select_for_update().only("pk").get(pk=course.pk)
        standing, _ = cls.last_of(course)
        said = {item: row.answer for item, row in standing.items()}
        changed = {item: answer for item, answer in answers.items() if said.get(item) != answer}
        if any(item in standing and standing[item].pk > seen for item in changed):
            raise ChangedMeanwhileError(course.subject)
        for item, answer in changed.items():
            cls.objects.create(course=course, item=item, answer=answer, by=member)
        if changed:
            Event.record(member.actor, "answered the baseline checklist", course.subject, items=len(changed))


class OtherTreatment(models.Model):
    """What else happened to the person that bears on how they are: a medicine, therapy sessions, an event."""

    class Kind(models.TextChoices):
        """What it is."""

        MEDICINE = "medicine", "Medicine"
        THERAPY = "therapy", "Talk therapy"
        EVENT = "event", "Something that happened"

    course = models.ForeignKey(Course, models.CASCADE, related_name="other_treatments")
    kind = models.CharField(max_length=10, choices=Kind)
    what = EncryptedText()
    from_on = models.DateField()
    to_on = models.DateField(null=True)
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["from_on", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} beside {self.course}"

    @classmethod
    @transaction.atomic
    def note(cls, member: Member, course: Course, **fields: Any) -> OtherTreatment:
        """Save one."""
        noted = cls.objects.create(course=course, by=member, **fields)
        Event.record(name_of(member), "noted another treatment", course.subject, kind=noted.kind)
        return noted
