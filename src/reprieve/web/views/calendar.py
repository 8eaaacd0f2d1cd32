"""The sessions as a calendar feed for the team's own calendar programs: times and links, no names."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from icalendar import Calendar
from icalendar import Event as CalendarEvent

from reprieve.web.door import may, needs
from reprieve.web.models import Event, Member
from reprieve.web.models import TreatmentSession as Session
from reprieve.web.models.enquiry import sha256

BACK, AHEAD = timedelta(days=30), timedelta(days=200)
WATCH = timedelta(hours=2)


@needs("see courses")
def calendar(request: HttpRequest) -> HttpResponse:
    """Make a feed's address, shown once; a new one ends the old one."""
    member = request.user
    assert isinstance(member, Member)
    if request.method != "POST":
        return render(request, "course/calendar.html", {"has_one": member.calendar_hash is not None})
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        member.calendar_hash = sha256(token) if request.POST.get("do") == "make" else None
        member.save(update_fields=["calendar_hash"])
        Event.record(member.actor, "changed the calendar feed", member.actor)
    if member.calendar_hash is None:
        messages.success(request, "The feed has ended. Its address opens nothing now.")
        return redirect("calendar")
    link = f"{settings.BASE_URL}{reverse('calendar-feed', args=[token])}"
    return render(request, "course/calendar.html", {"has_one": True, "link": link})


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Sessions of the past month and the next months, as iCalendar (RFC 5545)."""
    member = Member.objects.filter(calendar_hash=sha256(token), is_active=True).first()
    if member is None or not may(member, "see courses"):
        raise Http404
    now = timezone.now()
    rows = Session.objects.filter(planned_at__gte=now - BACK, planned_at__lt=now + AHEAD)
    rows = rows.exclude(state=Session.State.CALLED_OFF).select_related("course__enquiry").order_by("planned_at")
    calendar = Calendar({"prodid": "-//Reprieve//Sessions//EN", "version": "2.0"})
    for session in rows:
        calendar.add_component(_event(session))
    answer = HttpResponse(calendar.to_ical(), content_type="text/calendar; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store, private"
    return answer


def _event(session: Session) -> CalendarEvent:
    host = settings.BASE_URL.partition("//")[2].partition("/")[0]
    event = CalendarEvent()
    event.add("uid", f"session-{session.pk}@{host}")
    event.add("sequence", session.version)
    event.add("dtstamp", session.changed_at)
    event.add("dtstart", session.planned_at)
    event.add("dtend", session.planned_at + timedelta(minutes=session.course.infusion_min) + WATCH)
    event.add("summary", f"Session {session.number}, {session.course.enquiry.reference}")
    event.add("url", f"{settings.BASE_URL}{reverse('session', args=[session.pk])}")
    event.add("status", "CANCELLED" if session.state == Session.State.MISSED else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event
