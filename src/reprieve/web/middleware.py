"""What happens around every request: a locked door for staff pages, and calm failures."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from reprieve.web.context import clinic_of
from reprieve.web.door import has_second_step

logger = logging.getLogger("reprieve")
Handler = Callable[[HttpRequest], HttpResponse]

STAFF = "/team/"
JOIN = "/team/join/"


def calm_failures(get_response: Handler) -> Handler:
    """Answer a database that is locked, full or gone with a calm page and status 503."""

    class CalmFailures:
        def __call__(self, request: HttpRequest) -> HttpResponse:
            return get_response(request)

        def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
            if not isinstance(problem, DatabaseError):
                return None
            logger.error("database failure", exc_info=problem)
            return render(request, "503.html", status=503)

    return CalmFailures()


def staff_door(get_response: Handler) -> Handler:
    """Let nobody past who is not a member of the team, and has set up a second step where one is required."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(STAFF) and not request.path.startswith(JOIN):
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if settings.REQUIRE_SECOND_STEP and not has_second_step(request.user):
                return redirect("mfa_index")
        if request.path.startswith((STAFF, "/account/")):
            with timezone.override(clinic_of(request).zone):
                response = get_response(request)
        else:
            response = get_response(request)
        if request.path.startswith((STAFF, "/form/", "/status/", "/account/")):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware
