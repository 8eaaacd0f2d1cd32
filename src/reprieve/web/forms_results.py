"""Which courses the results are of."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reprieve.web.results import Period

DAY_ERROR = {"invalid": "Choose a day from the calendar"}


class PeriodForm(forms.Form):
    """Courses that began from one day until another; either may be left blank."""

    from_on = forms.DateField(
        label="Began from", required=False, widget=forms.DateInput(attrs={"type": "date"}), error_messages=DAY_ERROR
    )
    until_on = forms.DateField(
        label="Began until", required=False, widget=forms.DateInput(attrs={"type": "date"}), error_messages=DAY_ERROR
    )

    def clean(self) -> dict[str, Any]:
        """The period does not end before it begins."""
        said = super().clean() or {}
        first, last = said.get("from_on"), said.get("until_on")
        if first and last and last < first:
            raise ValidationError("The last day is before the first. Change one of them.")
        return said

    @property
    def period(self) -> Period:
        """As chosen; everything when nothing, or something impossible, was."""
        return Period(**self.cleaned_data) if self.is_valid() else Period()
