"""What every template may count on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from reprieve.candidacy import crisis
from reprieve.web.door import MAY, may
from reprieve.web.models import Clinic, Member


def clinic_of(request: HttpRequest) -> Clinic:
    """The clinic, the same one throughout a request."""
    found: Clinic | None = getattr(request, "clinic", None)
    if found is None:
        found = request.clinic = Clinic.lately()  # type: ignore[attr-defined]
    return found


def is_new(clinic: Clinic) -> bool:
    """Whether nobody has filled in who this clinic is, so that nobody may be there to keep its promises."""
    return clinic._state.adding


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """The clinic, the crisis line of the person's country, the way out, and what the member may do."""
    clinic = clinic_of(request)
    country = getattr(request, "country_region", "") or clinic.region or clinic.country
    member = getattr(request, "user", None)
    return {
        "clinic": clinic,
        "crisis_line": crisis.first_line(country),
        "leave_url": clinic.leave_url,
        "fictional": clinic.fictional,
        "may": {what.replace(" ", "_"): may(member, what) for what in (*MAY, "manage the clinic")}
        if isinstance(member, Member)
        else {},
    }
