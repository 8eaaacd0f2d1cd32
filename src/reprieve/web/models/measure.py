"""How the person is: questionnaires that fall due, their answers, and alerts that somebody must answer."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from reprieve.web.encryption import EncryptedJSON, EncryptedText
from reprieve.web.models.course import Course
from reprieve.web.models.member import Member


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


class Measure(models.Model):
    """One questionnaire or interview of one person, due in a window of days, and its answers once it is done.

    Totals stand in the clear, as a range where answers are blank; the answers themselves are encrypted.
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
                fields=["last_on", "id"], condition=Q(completed_at=None, called_off=False), name="measures_not_done"
            ),
            models.Index(fields=["course", "instrument", "due_on"], name="measures_of_a_course"),
            models.Index(
                fields=["instrument", "course", "completed_at", "total_low", "total_high"],
                condition=Q(completed_at__isnull=False, total_low__isnull=False),
                name="totals_of_an_instrument",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} of {self.course}"


class Alert(models.Model):
    """Something in the person's course that a named clinician must look at, and say what they did."""

    class Kind(models.TextChoices):
        """What it is about."""

        RELAPSE = "relapse", "Getting worse"
        NO_BENEFIT = "no_benefit", "No measurable benefit: stop or change"
        URGENT = "urgent", "An answer about safety"
        ESCORT = "escort", "Left or came without an escort twice"
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
