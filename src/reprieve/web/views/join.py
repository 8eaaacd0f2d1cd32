"""Being written."""

from typing import Any

from django.http import HttpRequest, HttpResponse


def join(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Being written."""
    return HttpResponse("join")
