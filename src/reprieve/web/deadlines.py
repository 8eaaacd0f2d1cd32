"""When somebody must call: staffed hours in, the moment of a deadline out. Pure; no clock, no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import models

LOOK_AHEAD_DAYS = 400


class Urgency(models.IntegerChoices):
    """How soon a person must hear from the team; the lower, the sooner."""

    IMMEDIATE = 0, "Urgent"
    SAME_DAY = 1, "Same day"
    NEXT_BUSINESS_DAY = 2, "Next day"
    ROUTINE = 3, "Routine"

    @classmethod
    def of(cls, respond_within: str) -> Urgency:
        """The urgency that an assessment's ``respond_within`` asks for.

        >>> Urgency.of("same_day").label
        'Same day'
        """
        return cls[respond_within.upper()]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each urgency allows. Platform choices (pathway.md 3), kept as data and signed by the clinic."""

    urgent_minutes: int = 15
    same_day_minutes: int = 120
    routine_days: int = 2


@dataclass(frozen=True, slots=True)
class StaffedHours:
    """The hours in which somebody answers.

    Parameters
    ----------
    weekly : seven entries from Monday, each (opens, closes) in local time, or None for a closed day
    closures : days on which nobody works
    zone : the clinic's time zone

    Raises
    ------
    ValueError : if no day of the week is open, or a day closes before it opens
    """

    weekly: tuple[tuple[time, time] | None, ...]
    closures: frozenset[date]
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if len(self.weekly) != 7 or not any(self.weekly):
            raise ValueError("no day of the week is staffed; open at least one of the seven days")
        for hours in self.weekly:
            if hours and hours[0] >= hours[1]:
                raise ValueError(f"a day opens at {hours[0]:%H:%M} and closes at {hours[1]:%H:%M}; it must close later")

    def is_open(self, now: datetime) -> bool:
        """Whether somebody is on duty at ``now``."""
        span = self._span(now.astimezone(self.zone).date())
        return span is not None and span[0] <= now < span[1]

    def is_open_on(self, day: date) -> bool:
        """Whether anybody is on duty on ``day``."""
        return self._span(day) is not None

    def next_opening(self, now: datetime) -> datetime:
        """``now`` in staffed hours, else the start of the next ones."""
        start, _ = next(self._spans_from(now))
        return max(start, now.astimezone(UTC))

    def after_minutes(self, now: datetime, minutes: int) -> datetime:
        """The moment when ``minutes`` of staffed time have passed."""
        left = timedelta(minutes=minutes)
        for start, end in self._spans_from(now):
            begin = max(start, now.astimezone(UTC))
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise AssertionError("unreachable: spans do not end")

    def close_after_days(self, now: datetime, days: int) -> datetime:
        """Closing time of the ``days``-th staffed day after the local day of ``now``; 0 is that day or the next."""
        today = now.astimezone(self.zone).date()
        spans = [span for span, _ in zip(self._spans_from(now), range(days + 1), strict=False)]
        first_is_today = spans[0][0].astimezone(self.zone).date() == today
        return spans[days if first_is_today or days == 0 else days - 1][1]

    def days_between(self, start: datetime, now: datetime) -> int:
        """How many staffed days have begun after the local day of ``start``, that of ``now`` among them."""
        first, last = (moment.astimezone(self.zone).date() for moment in (start, now))
        days = (first + timedelta(days=ahead) for ahead in range(1, (last - first).days + 1))
        return sum(self._span(day) is not None for day in days)

    def due(self, now: datetime, urgency: Urgency, limits: Limits) -> datetime:
        """When a call about something that arrived at ``now`` is due, in UTC.

        Urgent: ``urgent_minutes`` of staffed time. Same day: closing time, or ``same_day_minutes`` of staffed
        time when fewer than that remain. Next day and routine: closing time one or ``routine_days`` staffed days on.
        """
        if urgency is Urgency.IMMEDIATE:
            return self.after_minutes(now, limits.urgent_minutes)
        if urgency is Urgency.SAME_DAY:
            soonest = self.after_minutes(now, limits.same_day_minutes)
            return max(soonest, self.close_after_days(now, 0)) if self._opens_today(now) else soonest
        days = 1 if urgency is Urgency.NEXT_BUSINESS_DAY else limits.routine_days
        return self.close_after_days(now, days)

    def _opens_today(self, now: datetime) -> bool:
        span = self._span(now.astimezone(self.zone).date())
        return span is not None and now < span[1]

    def _span(self, day: date) -> tuple[datetime, datetime] | None:
        hours = self.weekly[day.weekday()]
        if hours is None or day in self.closures:
            return None
        opens, closes = (datetime.combine(day, moment, self.zone).astimezone(UTC) for moment in hours)
        return opens, closes

    def _spans_from(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Staffed spans, in UTC, that end after ``now``."""
        day = now.astimezone(self.zone).date() - timedelta(days=1)
        for ahead in range(LOOK_AHEAD_DAYS):
            span = self._span(day + timedelta(days=ahead))
            if span and span[1] > now:
                yield span
        raise ValueError(f"no staffed day in the next {LOOK_AHEAD_DAYS} days; check the clinic's closures")
