"""The exposure page: what the model expects of one person's planned course. Typed, answered, and not kept."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.forecast import CAUTION
from reprieve.web.door import needs
from reprieve.web.exposure import Shown
from reprieve.web.forms_exposure import ExposureForm
from reprieve.web.models import Enquiry, Event, Member


@needs("see enquiries")
def exposure(request: HttpRequest, pk: int) -> HttpResponse:
    """The form, and under its answer the form again. Opening it is noted; what is typed is not."""
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if enquiry.state == Enquiry.State.ERASED:
        return redirect("card", pk=pk)
    assert isinstance(request.user, Member)
    with transaction.atomic():
        Event.record(request.user.actor, "opened", enquiry.subject)
    form = ExposureForm(request.POST if request.method == "POST" else None, initial=_known(enquiry))
    shown = _shown(form) if form.is_bound and form.is_valid() else None
    return render(
        request, "exposure/exposure.html", {"enquiry": enquiry, "form": form, "shown": shown, "caution": CAUTION}
    )


def _shown(form: ExposureForm) -> Shown | None:
    try:
        return Shown.of(form.person, form.regimen, form.cleaned_data["session"], form.readings, form.rest)
    except PharmacologyError as error:
        form.add_error(None, f"This could not be computed: {error}.")
        return None


def _known(enquiry: Enquiry) -> dict[str, Any]:
    """What the person has told already: age, and weight and sex once they are asked for."""
    said = enquiry.answers
    known: dict[str, Any] = {}
    if said.get("weight_kg"):
        known["weight_kg"] = said["weight_kg"]
    if said.get("sex_for_cutoffs") in ("female", "male"):
        known["sex"] = said["sex_for_cutoffs"]
    born = said.get("birth_date")
    if born:
        known["age_years"] = _age(date.fromisoformat(str(born)), timezone.localdate())
    return known


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
