"""Courses of treatment: the list, and one course with all that belongs to it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from reprieve.web.door import needs
from reprieve.web.models import Course, Event, Member


@needs("see courses")
@require_safe
def courses(request: HttpRequest) -> HttpResponse:
    """Courses that go on, the newest first."""
    objects: Any = Course.objects
    rows = objects.going_on().select_related("enquiry", "owner")[:200]
    return render(request, "course/courses.html", {"courses": rows})


@needs("see courses")
@require_safe
def course(request: HttpRequest, pk: int) -> HttpResponse:
    """One course. Opening it is noted."""
    found = get_object_or_404(Course.objects.select_related("enquiry", "owner"), pk=pk)
    assert isinstance(request.user, Member)
    with transaction.atomic():
        Event.record(request.user.actor, "opened", found.subject)
    return render(request, "course/course.html", {"course": found, "enquiry": found.enquiry})
