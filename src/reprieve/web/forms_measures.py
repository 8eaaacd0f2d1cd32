"""What a person answers in a short form, and what the team types about measures and alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from reprieve.web import short_forms
from reprieve.web.models import OtherTreatment
from reprieve.web.short_forms import Asked, ShortForm

BLANK = "blank"  # the answer "rather not say", kept as None
CHOOSE = "Choose an answer, or “Rather not say”"


def as_number(value: str) -> Any:
    """An answer as it is kept: a number, a word of the question about safety, or None.

    >>> as_number("2"), as_number("plan"), as_number("blank")
    (2, 'plan', None)
    """
    return None if value in (BLANK, "") else int(value) if value.isdecimal() else value


class YearForm(forms.Form):
    """The year of birth, so that nobody else sees or answers the form."""

    year = forms.CharField(
        label="What year were you born?",
        max_length=4,
        help_text="Four figures, such as 1984. We ask so that nobody else can open this form.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "bday-year"}),
        error_messages={
            "required": "Write the year with four figures",
            "max_length": "Write the year with four figures",
        },
    )


class AnswersForm(forms.Form):
    """One page of a short form, as tiles. "Rather not say" leaves a blank that stays a blank."""

    def __init__(self, questions: Iterable[Asked], answers: Mapping[str, Any], data: Any = None) -> None:
        questions = list(questions)
        given = {f"q{each.id}": _as_choice(answers[each.id]) for each in questions if each.id in answers}
        super().__init__(data, initial=given)
        self.questions = questions
        for each in questions:
            self.fields[f"q{each.id}"] = forms.ChoiceField(
                label=each.words,
                help_text=each.help,
                choices=[*each.choices, (BLANK, "Rather not say")],
                widget=forms.RadioSelect,
                error_messages={"required": f"{each.words}: {CHOOSE[0].lower()}{CHOOSE[1:]}", "invalid_choice": CHOOSE},
            )

    @property
    def answers(self) -> dict[str, Any]:
        """What was answered, by question."""
        return {each.id: as_number(self.cleaned_data[f"q{each.id}"]) for each in self.questions}


def _as_choice(answer: Any) -> str:
    return BLANK if answer is None else str(answer)


class OnBehalfForm(forms.Form):
    """A whole short form, typed by the team as the person said it. What is left out stays a blank."""

    def __init__(self, form: ShortForm, data: Any = None) -> None:
        super().__init__(data)
        questions = list(form.questions)
        if form.instrument == short_forms.PHQ_9:
            questions += [page[0] for page in form.pages({short_forms.ITEM_9: None})[-1:]]
        self.questions = questions
        for each in questions:
            self.fields[f"q{each.id}"] = forms.ChoiceField(
                label=each.words,
                required=False,
                choices=[("", "Not answered"), *each.choices],
                error_messages={"invalid_choice": "Choose from the answers"},
            )

    @property
    def answers(self) -> dict[str, Any]:
        """What was answered, by question; None where it was not."""
        return {each.id: as_number(self.cleaned_data[f"q{each.id}"]) for each in self.questions}


class ClustersForm(forms.Form):
    """The interview by cluster, as the interviewer rated it. What was not rated stays a blank."""

    NAMES = {
        "B": "Memories and dreams (B)",
        "C": "Avoiding (C)",
        "D": "Thoughts and mood (D)",
        "E": "Being on edge (E)",
    }

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for cluster, top in short_forms.cluster_tops().items():
            words = f"Write a whole number from 0 to {top}, or leave it blank"
            self.fields[f"q{cluster}"] = forms.IntegerField(
                label=self.NAMES[cluster],
                required=False,
                min_value=0,
                max_value=top,
                help_text=f"0 to {top}",
                widget=forms.TextInput(attrs={"inputmode": "numeric"}),
                error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), words),
            )

    def clean(self) -> dict[str, Any]:
        """One cluster at least was rated."""
        cleaned = super().clean() or {}
        if not self.errors and all(value is None for value in cleaned.values()):
            raise ValidationError("Write at least one of the four sums")
        return cleaned

    @property
    def answers(self) -> dict[str, Any]:
        """The sum of each cluster; None where it was not rated."""
        return {cluster: self.cleaned_data[f"q{cluster}"] for cluster in short_forms.cluster_tops()}


class AddMeasureForm(forms.Form):
    """One measure more than the schedule asks for."""

    instrument = forms.ChoiceField(
        label="What",
        choices=[
            (short_forms.PCL_5, "PCL-5"),
            (short_forms.PHQ_9, "PHQ-9"),
            (short_forms.SIDE_EFFECTS, "Side effects"),
            (short_forms.CAPS_5, "CAPS-5 interview"),
        ],
        error_messages={"required": "Choose what", "invalid_choice": "Choose from the list"},
    )


class AcknowledgeForm(forms.Form):
    """What was done about an alert."""

    words = forms.CharField(
        label="What did you do?",
        max_length=2000,
        help_text="Such as: called, spoke for 20 minutes, visit on Friday.",
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write what was done"},
    )


class OtherTreatmentForm(forms.Form):
    """A medicine, therapy sessions or an event that bears on how the person is."""

    kind = forms.ChoiceField(
        label="What is it?",
        choices=OtherTreatment.Kind,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what it is", "invalid_choice": "Choose what it is"},
    )
    what = forms.CharField(
        label="In words",
        max_length=80,
        help_text="Such as: sertraline 50 mg, or EMDR every week.",
        error_messages={"required": "Say what it is"},
    )
    from_on = forms.DateField(
        label="From",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Choose the first day", "invalid": "Choose the first day"},
    )
    to_on = forms.DateField(
        label="To",
        required=False,
        help_text="Blank while it goes on.",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Choose a day, or leave it blank"},
    )

    def clean_from_on(self) -> date:
        """A day that has come."""
        day: date = self.cleaned_data["from_on"]
        if day > timezone.localdate():
            raise ValidationError("Choose a day that has come")
        return day

    def clean(self) -> dict[str, Any]:
        """It does not end before it begins."""
        cleaned = super().clean() or {}
        if cleaned.get("to_on") and cleaned.get("from_on") and cleaned["to_on"] < cleaned["from_on"]:
            self.add_error("to_on", "Choose a last day that is not before the first")
        return cleaned
