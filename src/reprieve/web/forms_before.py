"""What is typed before a course: the consultation, the baseline checklist, the consent and its withdrawal."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reprieve.paper import LONGEST_TYPED
from reprieve.treatment.alternatives import alternatives
from reprieve.treatment.checklist import CheckItem, ChecklistError
from reprieve.treatment.consent import TeachBack
from reprieve.web.forms import Part, clean_text
from reprieve.web.models import Consultation
from reprieve.web.short_forms import cluster_tops

CLUSTERS = {"B": "Memories and dreams (B)", "C": "Avoiding (C)", "D": "Thoughts and mood (D)", "E": "On edge (E)"}
LONG_TEXT, SHORT_TEXT = 5000, 500
MOST_STROKES, MOST_POINTS = 200, 1200
DRAW_OR_TYPE = "Sign by drawing on the pad, or by typing the name"


class Seen(forms.Form):
    """A form about a list that only grows: it carries the newest row that its writer saw."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


def _lines(label: str, hint: str = "", *, required: str = "", letters: int = LONG_TEXT, rows: int = 4) -> Any:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=bool(required),
        max_length=letters,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": required, "max_length": f"This is too long. Use at most {letters} letters"},
    )


class ConsultationForm(Seen):
    """The record of a consultation."""

    diagnosis = forms.ChoiceField(
        label="Diagnosis",
        choices=Consultation.Diagnosis,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the interview says of PTSD"},
    )
    decision = forms.ChoiceField(
        label="What you decided together",
        choices=Consultation.Decision,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what you decided together"},
    )
    reasons = _lines("Reasons, in your own words", "Kept as written.", required="Write the reasons")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for cluster, top in cluster_tops().items():
            words = f"{CLUSTERS[cluster]}: write a whole number from 0 to {top}"
            self.fields[f"caps_{cluster}"] = forms.IntegerField(
                label=f"{CLUSTERS[cluster]}, 0 to {top}",
                required=False,
                min_value=0,
                max_value=top,
                widget=forms.TextInput(attrs={"inputmode": "numeric"}),
                error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), words),
            )
        for one in alternatives().values():
            self.fields[f"offered_{one.id}"] = forms.BooleanField(label=f"{one.words}: offered", required=False)
            self.fields[f"said_{one.id}"] = forms.CharField(
                label=f"{one.words}: what the person said",
                required=False,
                max_length=SHORT_TEXT,
                error_messages={"max_length": f"{one.words}: use at most {SHORT_TEXT} letters"},
            )

    @property
    def clusters(self) -> list[forms.BoundField]:
        """The fields of the interview."""
        return [self[f"caps_{cluster}"] for cluster in cluster_tops()]

    @property
    def offers(self) -> Iterator[tuple[Any, forms.BoundField, forms.BoundField]]:
        """Each alternative with its two fields."""
        for one in alternatives().values():
            yield one, self[f"offered_{one.id}"], self[f"said_{one.id}"]

    def clean(self) -> dict[str, Any]:
        """The interview is whole or not done; what somebody answered was offered, and something was."""
        cleaned = super().clean() or {}
        blank = [name for name in (f"caps_{cluster}" for cluster in cluster_tops()) if cleaned.get(name) is None]
        if len(blank) < len(cluster_tops()):
            for name in blank:
                if name not in self.errors:
                    words = "Write this cluster too, or leave all four blank when the interview was not done"
                    self.add_error(name, ValidationError(words, code="required"))
        for one in alternatives().values():
            if cleaned.get(f"said_{one.id}") and not cleaned.get(f"offered_{one.id}"):
                self.add_error(f"offered_{one.id}", f"{one.words}: tick that it was offered, or clear the answer")
        if not any(cleaned.get(f"offered_{name}") for name in alternatives()):
            self.add_error("offered_trauma_therapy", "Offer at least one alternative, and tick what you offered")
        return cleaned

    @property
    def record(self) -> dict[str, Any]:
        """What is kept."""
        said = self.cleaned_data
        rated = {cluster: said[f"caps_{cluster}"] for cluster in cluster_tops()}
        return {
            "diagnosis": said["diagnosis"],
            "decision": said["decision"],
            "reasons": said["reasons"],
            "caps5": None if None in rated.values() else rated,
            "alternatives": {name: said[f"said_{name}"] for name in alternatives() if said[f"offered_{name}"]},
        }


class BaselineForm(Seen):
    """The checklist before a course. A blank stays open; nothing has to be answered at once."""

    def __init__(self, items: Sequence[CheckItem], answers: Mapping[str, Any], data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.items = items
        for item in items:
            hint = " ".join(filter(None, (f"In {item.unit}." if item.unit else "", source_words(item))))
            self.fields[item.id] = self._field(item, hint)
            if item.id in answers:
                self.initial[item.id] = _as_typed(answers[item.id])

    def _field(self, item: CheckItem, hint: str) -> forms.Field:
        words: dict[str, Any] = {"label": item.words, "required": False, "help_text": hint}
        if item.kind == "choice":
            choices = [("", "Not answered yet"), *item.options]
            return forms.ChoiceField(
                choices=choices, error_messages={"invalid_choice": f"{item.words}: choose from the list"}, **words
            )
        keys = {"inputmode": "decimal"} if item.kind == "number" else {}
        return forms.CharField(max_length=SHORT_TEXT, widget=forms.TextInput(attrs=keys), **words)

    def clean(self) -> dict[str, Any]:
        """Every answer fits its item."""
        cleaned = super().clean() or {}
        for item in self.items:
            typed = cleaned.get(item.id)
            if typed in (None, ""):
                continue
            try:
                cleaned[item.id] = item.check(as_number(typed) if item.kind == "number" else typed)
            except ChecklistError as error:
                self.add_error(item.id, str(error))
        return cleaned

    @property
    def answers(self) -> dict[str, Any]:
        """What was answered, by item; blanks are left out."""
        return {item.id: said for item in self.items if (said := self.cleaned_data.get(item.id)) not in (None, "")}

    def parts(self) -> Iterator[Part]:
        """The fields in order, with the fragments that draw them."""
        for item in self.items:
            template = "_field_select.html" if item.kind == "choice" else "_field_text.html"
            yield Part(self[item.id], template, width=4 if item.kind == "number" else 20)


def source_words(item: CheckItem) -> str:
    """Where an item comes from, with its mark."""
    return f"{item.fact.id}, {item.mark}." if item.mark else f"{item.fact.id}."


def _as_typed(answer: Any) -> str:
    return f"{answer:g}" if isinstance(answer, float) else str(answer)


def as_number(typed: str) -> float | str:
    """A number as people type it, a comma for a point; other words come back as they are."""
    try:
        number = float(typed.strip().replace(",", "."))
    except ValueError:
        return typed
    return number if math.isfinite(number) else typed


class DrawnOrTyped(forms.CharField):
    """A signature: the strokes of a pad as JSON, checked; the value is a list of strokes, empty when none was drawn."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> list[list[list[float]]]:
        """Read the strokes. Anything that is no list of points from 0 to 1 is refused."""
        if not value:
            return []
        try:
            strokes = json.loads(value)
            points = [point for stroke in strokes for point in stroke]
            fits = all(_is_point(point) for point in points) and all(strokes)
        except (ValueError, TypeError, RecursionError):
            fits, points, strokes = False, [], []
        if not fits or len(strokes) > MOST_STROKES or len(points) > MOST_POINTS:
            raise ValidationError("The drawing could not be read. Clear the pad and sign again, or type the name")
        return [[[round(float(x), 4), round(float(y), 4)] for x, y in stroke] for stroke in strokes]


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(part, int | float) and not isinstance(part, bool) and 0 <= part <= 1 for part in point)
    )


class OneLine(forms.CharField):
    """One line of text without control characters."""

    def to_python(self, value: Any) -> str:
        """Strip what cannot be printed."""
        return clean_text(str(value or ""))


class ConsentForm(Seen):
    """What was asked and said, and two signatures, each drawn or typed."""

    text_version = forms.CharField(widget=forms.HiddenInput, max_length=16)
    questions = _lines("What the person asked, and what you answered", "Leave it blank if nothing was asked.")
    capacity = _lines(
        "How you judged that the person can decide",
        "Such as: understood, weighed it up, could say it back, was not pressed.",
        required="Write how you judged that the person can decide",
        rows=3,
    )
    interpreter = OneLine(
        label="Interpreter, or who else helped",
        required=False,
        max_length=200,
        help_text="Leave it blank if nobody was needed.",
    )
    person_name = OneLine(
        label="The person's full name",
        max_length=LONGEST_TYPED,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Write the person's full name"},
    )
    person_strokes = DrawnOrTyped(required=False)
    person_typed = OneLine(label="Or type the name to sign", required=False, max_length=LONGEST_TYPED)
    clinician_strokes = DrawnOrTyped(required=False)
    clinician_typed = OneLine(label="Or type your name to sign", required=False, max_length=LONGEST_TYPED)

    def __init__(self, teach_back: Sequence[TeachBack], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = teach_back
        for one in teach_back:
            self.fields[one.id] = _lines(
                one.question,
                f"A good answer: {one.good_answer}",
                required=f"{one.question} Write what the person said, in their own words",
                letters=2000,
                rows=2,
            )

    @property
    def teach_back_fields(self) -> list[forms.BoundField]:
        """The questions that the person answers in their own words."""
        return [self[one.id] for one in self.asked]

    def clean(self) -> dict[str, Any]:
        """Each of the two signs in one of the two ways."""
        cleaned = super().clean() or {}
        for who in ("person", "clinician"):
            drawn, typed = cleaned.get(f"{who}_strokes"), cleaned.get(f"{who}_typed")
            wrong = self.errors.keys() & {f"{who}_strokes", f"{who}_typed"}
            if not wrong and bool(drawn) == bool(typed):
                words = "Draw or type, not both: clear the pad or the name" if drawn else DRAW_OR_TYPE
                self.add_error(f"{who}_typed", ValidationError(words, code="both" if drawn else "required"))
            for problem in self.errors.pop(f"{who}_strokes", []):
                self.add_error(f"{who}_typed", str(problem))
        return cleaned

    def _signature(self, who: str) -> dict[str, Any]:
        drawn = self.cleaned_data[f"{who}_strokes"]
        return {"strokes": drawn} if drawn else {"typed": self.cleaned_data[f"{who}_typed"]}

    @property
    def record(self) -> dict[str, Any]:
        """What is kept beside the text."""
        names = ("questions", "capacity", "interpreter", "person_name")
        return {name: self.cleaned_data[name] for name in names} | {
            "teach_back": {one.id: self.cleaned_data[one.id] for one in self.asked},
            "person_signature": self._signature("person"),
            "clinician_signature": self._signature("clinician"),
        }


class WithdrawForm(forms.Form):
    """Consent ends: how the team came to know."""

    words = _lines(
        "Who said so, when and how",
        "Such as: the person, on the telephone today.",
        required="Write who said so, and how",
        letters=2000,
        rows=3,
    )
