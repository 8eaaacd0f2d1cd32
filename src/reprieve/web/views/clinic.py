"""Being written."""

from typing import Any

from django.http import HttpRequest, HttpResponse


def edit(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Being written."""
    return HttpResponse("edit")


def checklist(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Being written."""
    return HttpResponse("checklist")
