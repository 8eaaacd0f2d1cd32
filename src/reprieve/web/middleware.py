"""What happens around every request: a locked door for staff pages, and calm failures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
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
PRIVATE = (STAFF, "/form/", "/before/", "/status/", "/account/")


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
        path = request.path_info
        if path.startswith((STAFF, "/account/")):
            with timezone.override(clinic_of(request).zone):
                response = _turned_away(request) or get_response(request)
        else:
            response = get_response(request)
        if path.startswith(PRIVATE):
            response.headers["Cache-Control"] = "no-store, private"
        return response

    return middleware


def _turned_away(request: HttpRequest) -> HttpResponse | None:
    """Where to go first; None for somebody who may go on."""
    path = request.path_info
    if not path.startswith(STAFF) or path.startswith(JOIN):
        return None
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if settings.REQUIRE_SECOND_STEP and not has_second_step(request.user):
        return redirect("mfa_index")
    return None


class NoFiles(FileUploadHandler):
    """No page takes files, so a long body is refused before it is read, and no file is written anywhere."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        """Refuse a body that is longer than any form."""
        if content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("a form is too long")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Drop it."""

    def file_complete(self, file_size: int) -> None:
        """Nothing came of it."""
