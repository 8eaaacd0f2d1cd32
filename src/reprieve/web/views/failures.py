"""What somebody sees when something went wrong: calm words, what was kept, the way out."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Status 400: what was sent cannot be read, or is too large. Status 503: the log-in could not be renewed."""
    if isinstance(exception, SessionInterrupted):
        return render(request, "503.html", status=503)
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Status 403: logged in, but this role may not do that."""
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Status 404."""
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Status 500."""
    return render(request, "500.html", status=500)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A page that was open for too long, or a form from elsewhere. On the brief form the answers are kept."""
    from reprieve.web.views import brief

    again: dict[str, Callable[..., HttpResponse]] = {
        "form-start": brief.stale_start,
        "form-question": brief.keep_unsaved,
        "form-check": brief.stale_check,
    }
    match = request.resolver_match
    if match and match.view_name in again:
        return again[match.view_name](request, **match.kwargs)
    return render(request, "403_csrf.html", status=403)
