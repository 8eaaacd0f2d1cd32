"""Who stands behind a private link: whoever gave the person's year of birth, in this browser, within the last hour."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from reprieve.web.models.enquiry import sha256

OPEN_SECONDS = 3600
WRONG_YEAR = "This is not the year we have. Check it, or call us"


def is_open(request: HttpRequest, name: str, token: str) -> bool:
    """Whether this browser may see what is behind the link ``token``; ``name`` is that of its cookie."""
    said = request.get_signed_cookie(name, default="", salt=_salt(name, token), max_age=OPEN_SECONDS)
    return said == "yes"


def opened(response: HttpResponse, name: str, token: str, path: str) -> HttpResponse:
    """The response, which lets this browser in for an hour; the cookie goes to pages under ``path`` alone."""
    response.set_signed_cookie(
        name,
        "yes",
        salt=_salt(name, token),
        max_age=OPEN_SECONDS,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=settings.PRODUCTION,
    )
    return response


def _salt(name: str, token: str) -> str:
    return f"{name} {sha256(token)}"
