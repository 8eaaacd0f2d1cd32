"""Deadlines and ages in templates, by the clock that the page runs on (see ``reprieve.web.middleware``)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone

from reprieve.web import times

register = template.Library()


def _zone() -> ZoneInfo:
    return timezone.get_current_timezone()


@register.filter
def due(due_at: datetime | None) -> str:
    """How a deadline stands now, such as "12 min late"."""
    return times.due(due_at, timezone.now(), _zone())


@register.filter
def is_late(due_at: datetime | None) -> bool:
    """Whether a deadline has passed."""
    return due_at is not None and due_at < timezone.now()


@register.filter
def day_and_hour(moment: datetime) -> str:
    """Such as "Tue 24 Nov, 17:00"."""
    return times.day_and_hour(moment, timezone.now(), _zone())


@register.filter
def day(moment: datetime) -> str:
    """Such as "Tue 24 Nov 2026"."""
    return times.day(moment, _zone())


@register.filter
def age(moment: datetime) -> str:
    """How long ago, such as "12 min"."""
    return times.span(timezone.now() - moment)
