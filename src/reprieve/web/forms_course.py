"""What is typed about a course: its plan, its days, its end, and the safety limits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from reprieve.treatment.limits import LimitError, Limits, limits
from reprieve.treatment.plan import PlanError, Template, days_of, templates
from reprieve.web.forms_exposure import Number
from reprieve.web.forms_team import Moment, Versioned
from reprieve.web.models import Clinic, Course, LimitSet, Member, Role

DAYS_AHEAD = 366
LONGEST_MAINTENANCE_DAYS = 183  # our choice: half a year, then a new decision


class LimitsForm(forms.Form):
    """Every safety limit as a number; each stays within its own bounds."""

    def __init__(self, *args: Any, in_force: LimitSet | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = Limits(in_force.values if in_force else None)
        for name, limit in limits().items():
            words = limit.words.lower()
            self.fields[name] = Number(
                words, limit.low, limit.high, limit.unit, label=f"{limit.words}, {limit.unit}", initial=f"{now[name]:g}"
            )

    def clean(self) -> dict[str, Any]:
        """Pairs stand in the right order."""
        said = super().clean() or {}
        if not self.errors:
            try:
                Limits(said)
            except LimitError as problem:
                raise ValidationError(f"{problem}.") from None
        return said

    def rows(self) -> list[tuple[Any, Any]]:
        """Each limit with its field."""
        return [(limit, self[name]) for name, limit in limits().items()]


class PlanForm(forms.Form):
    """A course from a template: the dose, the first day, the hour, and who answers for it."""

    template = forms.ChoiceField(
        label="Which course?", widget=forms.RadioSelect, error_messages={"required": "Choose a course"}
    )
    dose_mg_per_kg = Number("the dose", 0.1, 1, "mg/kg", label="Dose, mg for each kg")
    infusion_min = Number("the time", 20, 120, "minutes", label="Drip over, minutes", initial="40")
    first_on = forms.DateField(
        label="First session on",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Choose the first day", "invalid": "Choose a day from the calendar"},
    )
    hour = forms.TimeField(
        label="At",
        input_formats=("%H:%M", "%H.%M", "%H%M", "%H"),
        initial="09:00",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": "5"}),
        error_messages={"required": "Write the hour, such as 09:30", "invalid": "Write the hour, such as 09:30"},
    )
    must_end_on = forms.DateField(
        label="Ends on, at the latest",
        required=False,
        help_text="A maintenance course must have an end date, in writing.",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Choose a day from the calendar"},
    )
    owner = forms.ModelChoiceField(
        label="Who answers for it?",
        queryset=Member.objects.none(),
        empty_label="Choose a name",
        help_text="Alerts go to this prescriber.",
        error_messages={"required": "Choose who answers for it", "invalid_choice": "Choose a prescriber"},
    )
    reason = forms.CharField(
        label="Why this course?",
        max_length=3000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write why, in your own words"},
    )

    def __init__(self, *args: Any, clinic: Clinic, in_force: LimitSet | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic, self.in_force = clinic, in_force
        choice: Any = self.fields["template"]
        choice.choices = [(each.id, f"{each.words} ({each.dose_mg_per_kg:g} mg/kg)") for each in templates().values()]
        owner: Any = self.fields["owner"]
        owner.queryset = Member.objects.filter(is_active=True, role=Role.PRESCRIBER).order_by("name")
        owner.label_from_instance = lambda member: member.name

    def clean_first_on(self) -> date:
        """A day that can still come."""
        day: date = self.cleaned_data["first_on"]
        if not timedelta() <= day - timezone.localdate() <= timedelta(days=DAYS_AHEAD):
            raise ValidationError("Choose a day from today on, within the next year")
        return day

    def clean(self) -> dict[str, Any]:
        """The dose is within the signed limit; maintenance has an end; the days can be found."""
        said = super().clean() or {}
        template = templates().get(said.get("template", ""))
        most = Limits(self.in_force.values if self.in_force else None)["most_mg_per_kg"]
        if said.get("dose_mg_per_kg", 0) > most:
            self.add_error("dose_mg_per_kg", f"The signed limit is {most:g} mg/kg")
        if template and template.maintenance:
            self._check_end(said)
        if template and not self.errors:
            try:
                self.sessions = self._sessions(template, said)
            except PlanError as problem:
                self.add_error("first_on", f"{problem}.")
        return said

    def _check_end(self, said: dict[str, Any]) -> None:
        end, first = said.get("must_end_on"), said.get("first_on")
        if end is None:
            self.add_error("must_end_on", "Choose the day on which it ends: there is no open-ended treatment")
        elif first and not first < end <= first + timedelta(days=LONGEST_MAINTENANCE_DAYS):
            self.add_error("must_end_on", "Choose a day after the first session, within half a year")

    def _sessions(self, template: Template, said: dict[str, Any]) -> list[datetime]:
        end = said["must_end_on"] if template.maintenance else None
        days = days_of(template, said["first_on"], self.clinic.hours.is_open_on, end)
        return [local(day, said["hour"], self.clinic) for day in days]


def local(day: date, hour: time, clinic: Clinic) -> datetime:
    """A moment by the clinic's clock."""
    return datetime.combine(day, hour, clinic.zone)


class MoveForm(Versioned):
    """Another time for a session."""

    planned_at = Moment(label="New time", error_messages={"required": "Choose a day and an hour"})

    def clean_planned_at(self) -> Any:
        """Within a year of today."""
        moment = self.cleaned_data["planned_at"]
        if abs(moment - timezone.now()) > timedelta(days=DAYS_AHEAD):
            raise ValidationError("Choose a day within a year, and look at the year again")
        return moment


class MissForm(Versioned):
    """Why a session did not take place."""

    why = forms.CharField(
        label="Why was it missed?",
        max_length=1000,
        error_messages={"required": "Write why, such as: did not come, no escort"},
    )
    again = forms.BooleanField(label="Plan it again on the next free day", required=False, initial=True)


class EndForm(Versioned):
    """The end of a course, with a reason."""

    ending = forms.ChoiceField(
        label="Why does it end?",
        choices=Course.Ending,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why it ends"},
    )
    words = forms.CharField(
        label="In your own words",
        max_length=3000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write why it ends, and what comes next"},
    )


class OwnerForm(Versioned):
    """A new prescriber for the course."""

    to = forms.ModelChoiceField(
        label="Hand the course to",
        queryset=Member.objects.none(),
        empty_label="Choose a name",
        error_messages={"required": "Choose who takes it over", "invalid_choice": "Choose a prescriber"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to"]
        field.queryset = Member.objects.filter(is_active=True, role=Role.PRESCRIBER).order_by("name")
        field.label_from_instance = lambda member: member.name
