"""Deadlines and ages in words, always by the clinic's clock. Pure; the one place that writes them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def day(moment: datetime, zone: ZoneInfo) -> str:
    """The day, with its year.

    >>> day(datetime.fromisoformat("2026-11-24T23:30+00:00"), ZoneInfo("Europe/Berlin"))
    'Wed 25 Nov 2026'
    """
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def day_and_hour(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The day and the hour; the year only when it is not this one.

    >>> now = datetime.fromisoformat("2026-11-23T09:00+00:00")
    >>> day_and_hour(datetime.fromisoformat("2026-11-24T17:00+00:00"), now, ZoneInfo("UTC"))
    'Tue 24 Nov, 17:00'
    """
    local = moment.astimezone(zone)
    year = "" if local.year == now.astimezone(zone).year else f" {local:%Y}"
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"


def span(length: timedelta) -> str:
    """A length of time as one number and its unit: minutes below 2 hours, hours below 2 days, then days. Rounded down.

    >>> span(timedelta(seconds=30)), span(timedelta(minutes=119)), span(timedelta(hours=47)), span(timedelta(days=3))
    ('1 min', '119 min', '47 h', '3 days')
    """
    minutes = length // timedelta(minutes=1)
    if minutes < 120:
        return f"{max(minutes, 1)} min"
    return f"{length // HOUR} h" if length < 2 * DAY else f"{length // DAY} days"


def due(due_at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """How a deadline stands.

    >>> now, utc = datetime.fromisoformat("2026-11-23T09:00+00:00"), ZoneInfo("UTC")
    >>> [due(now + timedelta(minutes=minutes), now, utc) for minutes in (-12, 0, 9, 60, 61)]
    ['12 min late', 'due now', 'due in 9 min', 'due in 60 min', 'due Mon 23 Nov, 10:01']
    >>> due(None, now, utc)
    'no call due'
    """
    if due_at is None:
        return "no call due"
    if due_at == now:
        return "due now"
    if due_at < now:
        return f"{span(now - due_at)} late"
    if due_at - now <= HOUR:
        return f"due in {math.ceil((due_at - now) / timedelta(minutes=1))} min"
    return f"due {day_and_hour(due_at, now, zone)}"
