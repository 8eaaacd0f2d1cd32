"""What a nurse writes down in a session. The same forms read a page that was sent and an entry made offline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reprieve.treatment.adverse import OUTCOMES, SEVERITIES, terms
from reprieve.treatment.checklist import CheckItem, ChecklistError, Facts, asked_items, open_items
from reprieve.treatment.dose import HEAVIEST_KG, KG_PER_POUND, LIGHTEST_KG
from reprieve.treatment.vitals import doubts, vitals
from reprieve.web.forms_before import as_number
from reprieve.web.models import Member

LONGEST_NOTE = 2000
FASTEST_ML_PER_H = 200  # our choice: faster is a slipped point


class Figure(forms.FloatField):
    """A figure that is kept however far it is out; only words are refused. A comma is a point."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "maxlength": "6", "autocomplete": "off"}
        wrong = f"Write {name} as a number"
        kwargs["error_messages"] = {"invalid": wrong, "required": wrong} | kwargs.get("error_messages", {})
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)

    def to_python(self, value: Any) -> float | None:  # type: ignore[override]  # as FloatField itself does
        """The number."""
        return super().to_python(str("" if value is None else value).strip().replace(",", "."))


class VitalsForm(forms.Form):
    """Blood pressure, pulse, oxygen, breathing, sedation and dissociation; any of them may be left out."""

    kept: dict[str, Any]
    term = ""
    flagged = False

    sure = forms.BooleanField(label="These figures are right", required=False)

    def __init__(self, *args: Any, ask_again: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask_again = ask_again
        for vital in vitals().values():
            self.fields[vital.id] = Figure(vital.words.lower(), label=f"{vital.words}, {vital.unit}", required=False)

    def clean(self) -> dict[str, Any]:
        """Something was measured. What is out of the usual range is asked for again, and kept when it is right."""
        said = super().clean() or {}
        values = {name: said[name] for name in vitals() if said.get(name) is not None}
        if self.errors:
            return said
        if not values:
            raise ValidationError("Write at least one figure")
        found = doubts(values)
        if found and self.ask_again and not said.get("sure"):
            raise ValidationError(
                [*found, "Look again. If the figures are right, tick that they are, and save once more."]
            )
        self.kept, self.flagged = values, bool(found)
        return said


class AdverseForm(forms.Form):
    """An adverse event: what, how grave, what was done, how it ended."""

    kept: dict[str, Any]
    flagged = False

    term_code = forms.ChoiceField(label="What happened?", error_messages={"required": "Choose what happened"})
    severity = forms.ChoiceField(
        label="How grave?",
        choices=list(SEVERITIES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how grave it is"},
    )
    action = forms.CharField(label="What was done?", max_length=LONGEST_NOTE, required=False)
    outcome = forms.ChoiceField(
        label="How is it now?",
        choices=list(OUTCOMES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it is now"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["term_code"]
        field.choices = [("", "Choose"), *((term.code, term.words) for term in terms().values())]

    def clean(self) -> dict[str, Any]:
        """Keep what was said."""
        said = super().clean() or {}
        self.kept = {name: said.get(name) for name in ("severity", "action", "outcome")}
        return said

    @property
    def term(self) -> str:
        """The code by which harms are counted."""
        return str(self.cleaned_data["term_code"])


class WordsForm(forms.Form):
    """An entry of words alone: why the drip was paused or stopped, a note, what was done about an alarm."""

    kept: dict[str, Any]
    term = ""
    flagged = False

    text = forms.CharField(label="In words", max_length=LONGEST_NOTE, required=False)
    ml_per_h = Figure("the rate", label="New rate, mL an hour", required=False)
    alarm = forms.CharField(max_length=120, required=False)
    corrects = forms.UUIDField(required=False)
    why = forms.CharField(label="What was wrong with it?", max_length=LONGEST_NOTE, required=False)

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind

    def clean(self) -> dict[str, Any]:
        """What each kind cannot do without."""
        said = super().clean() or {}
        if self.kind == "rate" and not 0 < (said.get("ml_per_h") or 0) <= FASTEST_ML_PER_H:
            self.add_error("ml_per_h", f"Write the new rate in mL an hour, above zero and at most {FASTEST_ML_PER_H}")
        if self.kind == "note" and not said.get("text"):
            self.add_error("text", "Write the note")
        if self.kind == "seen" and not said.get("alarm"):
            raise ValidationError("Nothing says which alarm it was")
        if self.kind == "correction" and not (said.get("corrects") and said.get("why")):
            self.add_error("why", "Write what was wrong with it")
        names = ("text", "alarm", "why", *(["ml_per_h"] if self.kind == "rate" else []))
        self.kept = {name: said[name] for name in names if said.get(name) not in (None, "")}
        if said.get("corrects"):
            self.kept["corrects"] = str(said["corrects"])
        return said


class WeightForm(forms.Form):
    """The weight of the day, and the vial that the dose is drawn from."""

    weight = Figure("the weight of today", label="Weight today")
    unit = forms.ChoiceField(
        label="Unit",
        choices=[("kg", "Kilograms"), ("lb", "Pounds")],
        initial="kg",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose kilograms or pounds"},
    )
    mg_per_ml = Figure("the strength of the vial", label="Strength of the vial, mg in 1 mL", initial="10")
    sure = forms.BooleanField(label="I looked again, at the scales and at the vial: this is right", required=False)

    @property
    def weight_kg(self) -> float:
        """In kilograms, to a tenth."""
        typed = self.cleaned_data["weight"] * (KG_PER_POUND if self.cleaned_data["unit"] == "lb" else 1)
        return round(float(typed), 1)

    def clean_weight(self) -> float:
        """A weight above zero that a grown person can have, in one unit or the other."""
        weight = float(self.cleaned_data["weight"])
        if not LIGHTEST_KG <= weight <= HEAVIEST_KG / KG_PER_POUND:
            raise ValidationError(f"{weight:g} is no weight of a grown person: look for a slipped point")
        return weight


class SecondPersonForm(forms.Form):
    """A second member reads the dose, and says with their own password that it is right."""

    second = forms.ModelChoiceField(
        label="Second person",
        queryset=Member.objects.none(),
        empty_label="Choose a name",
        error_messages={"required": "Choose who checked it", "invalid_choice": "Choose somebody from the list"},
    )
    password = forms.CharField(
        label="Their own password",
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "The second person types their own password"},
    )

    def __init__(self, *args: Any, not_by: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from reprieve.web.door import MAY

        field: Any = self.fields["second"]
        field.queryset = (
            Member.objects.filter(is_active=True, role__in=MAY["treat"]).exclude(pk=not_by.pk).order_by("name")
        )
        field.label_from_instance = lambda member: f"{member.name}, {member.get_role_display().lower()}"


class GateForm(forms.Form):
    """The checklist before a dose or before leaving, all of it; a reason where somebody goes on in spite of an answer.

    A blank is never a pass: whatever stands in the way is said, and can be overridden only where the table allows it.

    Parameters
    ----------
    known : answers that nobody is asked for, such as the minutes since the drip stopped
    """

    override = forms.CharField(
        label="Why you go on in spite of this",
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self,
        *args: Any,
        phase: str,
        facts: Facts,
        prescriber: bool,
        known: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.phase, self.facts, self.prescriber, self.known = phase, facts, prescriber, dict(known or {})
        self.items = [item for item in asked_items(phase, facts) if item.id not in self.known]
        for item in self.items:
            self.fields[item.id] = _field(item)

    def clean(self) -> dict[str, Any]:
        """Everything is answered and nothing stands in the way, or the reason to go on is written down."""
        said = super().clean() or {}
        self.answers = self.known | {item.id: self._read(item, said) for item in self.items}
        if self.errors:
            return said
        found = open_items(self.phase, self.answers, self.facts)
        reason, free = said.get("override"), [item for item in found if item.may_go_on(self.prescriber)]
        for item in found:
            if item not in free or not reason:
                words = f"{item.words}: {item.why}"
                self.add_error(item.id if item.id in self.fields else None, words)
        if found and len(free) == len(found) and not reason:
            self.add_error("override", "Wait, or write why you go on in spite of this")
        self.overridden = [f"{item.words}: {item.why}" for item in found]
        return said

    def _read(self, item: CheckItem, said: Mapping[str, Any]) -> Any:
        typed = said.get(item.id)
        if typed in (None, ""):
            return None
        try:
            return item.check(as_number(typed) if item.kind == "number" else typed)
        except ChecklistError as problem:
            self.add_error(item.id, str(problem))
            return None

    def rows(self) -> list[tuple[Any, CheckItem]]:
        """Each field with its item."""
        return [(self[item.id], item) for item in self.items]


def _field(item: CheckItem) -> forms.Field:
    words: dict[str, Any] = {"label": f"{item.words}, {item.unit}" if item.unit else item.words, "required": False}
    if item.kind == "choice":
        return forms.ChoiceField(choices=item.options, widget=forms.RadioSelect, **words)
    attrs = {"autocomplete": "off"} | ({"inputmode": "decimal"} if item.kind == "number" else {})
    return forms.CharField(max_length=LONGEST_NOTE, widget=forms.TextInput(attrs=attrs), **words)
