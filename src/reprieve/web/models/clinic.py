"""The clinic itself: who it is, when it is staffed, and what it has checked before opening."""

from __future__ import annotations

import time
from copy import copy
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from reprieve.candidacy import CrisisLine
from reprieve.web.deadlines import Limits, StaffedHours, Urgency
from reprieve.web.encryption import EncryptedText

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS_NINE_TO_FIVE: list[list[str] | None] = [["09:00", "17:00"]] * 5 + [None] * 2


_read: tuple[float, Clinic | None] = (0.0, None)


class Clinic(models.Model):
    """One row. Times are the clinic's local times."""

    name = models.CharField(max_length=80, default="The clinic")
    phone = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2, default="US", help_text="ISO code; where the clinic may call people")
    region = models.CharField(max_length=6, blank=True, help_text="ISO code of the state, such as US-CT")
    time_zone = models.CharField(max_length=40, default="America/New_York")
    opening_hours = models.JSONField(default=list)  # seven of ["09:00", "17:00"] or null; empty until filled in
    closures = models.JSONField(default=list, blank=True)  # ["2026-12-25"]
    urgent_minutes = models.PositiveSmallIntegerField(default=15)
    same_day_minutes = models.PositiveSmallIntegerField(default=120)
    routine_days = models.PositiveSmallIntegerField(default=2)
    keep_closed_days = models.PositiveIntegerField(default=2555, help_text="then a closed enquiry is erased")
    leave_url = models.CharField(
        max_length=200, default="https://www.weather.gov/", help_text="where “Leave site” goes"
    )
    privacy_promise_checked = models.BooleanField(
        default=False, help_text="counsel has checked the promise not to share drug answers with police or employers"
    )
    night_phone = models.CharField(max_length=80, blank=True, help_text="whom people call when the clinic is closed")
    costs = models.TextField(blank=True, help_text="what a course costs and who pays, as consent says it")
    quiet_from = models.TimeField(default=time_of_day(20, 0), help_text="no message to a person from then")
    quiet_until = models.TimeField(default=time_of_day(9, 0), help_text="until then")
    text_url = EncryptedText(null=True, blank=True, help_text="an Apprise address that sends texts; {to} is the number")
    fictional = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_clinic")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> Clinic:
        """The clinic's row, with defaults until somebody fills it in."""
        return next(iter(cls.objects.filter(pk=1)), None) or cls(pk=1)

    @classmethod
    def lately(cls) -> Clinic:
        """A copy of the row as it was at most ``CLINIC_SECONDS`` ago: every page needs it, and it hardly changes."""
        global _read
        read_at, clinic = _read
        if clinic is None or time.monotonic() - read_at >= settings.CLINIC_SECONDS:
            clinic = cls.current()
            clinic.checked_items  # noqa: B018  (read now, and kept with the copy)
            _read = (time.monotonic(), clinic)
        return copy(clinic)

    @cached_property
    def checked_items(self) -> frozenset[str]:
        """What members signed on the start-up checklist."""
        return frozenset(Signature.objects.values_list("item", flat=True))

    @staticmethod
    def help_line_item(line: CrisisLine) -> str:
        """How the checklist names a help line."""
        return f"crisis {line.country_code} {line.service} {line.contact}"[:120]

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def week(self) -> list[list[str] | None]:
        """Opening and closing time of the seven days from Monday; weekdays nine to five until somebody says."""
        return self.opening_hours or WEEKDAYS_NINE_TO_FIVE

    @property
    def hours(self) -> StaffedHours:
        """When somebody answers."""
        weekly = tuple(
            (time_of_day.fromisoformat(span[0]), time_of_day.fromisoformat(span[1])) if span else None
            for span in self.week
        )
        return StaffedHours(weekly, frozenset(date.fromisoformat(day) for day in self.closures), self.zone)

    def is_quiet(self, now: datetime) -> bool:
        """Whether people get no message now; the quiet hours may run across midnight. The same hour twice is never."""
        at = now.astimezone(self.zone).time()
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= at < self.quiet_until
        return at >= self.quiet_from or at < self.quiet_until

    def quiet_ends(self, now: datetime) -> datetime:
        """When the quiet hours that ``now`` lies in end."""
        local = now.astimezone(self.zone)
        day = local.date() + timedelta(days=local.time() >= self.quiet_until)
        return datetime.combine(day, self.quiet_until, self.zone).astimezone(UTC)

    def is_staffed(self, now: datetime) -> bool:
        """Whether somebody is on duty now."""
        return self.hours.is_open(now)

    def call_due(self, received_at: datetime, urgency: Urgency) -> datetime:
        """By when to call about an enquiry that arrived at ``received_at``."""
        return self.hours.due(received_at, urgency, self.limits)

    @property
    def limits(self) -> Limits:
        """How long each urgency allows here."""
        return Limits(self.urgent_minutes, self.same_day_minutes, self.routine_days)


class Signature(models.Model):
    """A named member's word that something was checked before launch: a crisis number, the rule set, a setting."""

    item = models.CharField(max_length=120, db_index=True)  # such as "crisis US 988" or "rules 3f2a91"
    by = models.ForeignKey("web.Member", models.PROTECT)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.item}, checked by {self.by} on {self.at:%Y-%m-%d}"
