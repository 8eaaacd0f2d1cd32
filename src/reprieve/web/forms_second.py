"""One page of the longer form before a consultation. A blank is asked about once, then accepted; it stays a blank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reprieve.candidacy import AnswerError, Question, check_answer
from reprieve.candidacy.questions import is_blank
from reprieve.web.forms import FROM_THE_LIST, LEFT_BLANK, DayField, Part, clean_text
from reprieve.web.second_form import Step, choices_of, items_of

UNITS = {"weight_kg": (("kg", "Kilograms", 1.0), ("lb", "Pounds", 0.45359237)),
         "height_cm": (("cm", "Centimetres", 1.0), ("in", "Inches", 2.54))}  # fmt: skip
LINE_LETTERS, MOST_LINES = 300, 100
TEMPLATES = {"single": "_field_radios.html", "multi": "_field_checkboxes.html", "date": "_field_date.html"}
HINTS = {"medicine_list": "One on a line, as it is on the pack. Write “none” if you take none."}


class SecondForm(forms.Form):
    """A page as its questions draw it.

    Parameters
    ----------
    answers : what is saved so far, by question id
    today : the clinic's day; a reading cannot be from later
    """

    def __init__(self, step: Step, answers: Mapping[str, Any], today: date, data: Any = None) -> None:
        super().__init__(data, auto_id="%s")
        self.step, self.today = step, today
        self.asked = set(str(data.get("asked", "")).split()) if data else set()
        for question in step.questions:
            self._draw(question, answers.get(question.id))

    def _draw(self, question: Question, saved: Any) -> None:
        words: dict[str, Any] = {"label": question.wording, "help_text": question.help, "required": False}
        refusal = {"invalid_choice": FROM_THE_LIST, "invalid_list": FROM_THE_LIST}
        if question.id == self.step.instrument:
            self._draw_items(question, saved)
            return
        if question.type == "single":
            field: forms.Field = forms.ChoiceField(
                choices=question.options, widget=forms.RadioSelect, error_messages=refusal, **words
            )
        elif question.type == "multi":
            field = forms.MultipleChoiceField(
                choices=question.options, widget=forms.CheckboxSelectMultiple, error_messages=refusal, **words
            )
        elif question.type == "date":
            field = DayField(**words)
        elif question.type == "medicine_list":
            words["help_text"] = HINTS[question.id]
            field = forms.CharField(max_length=LINE_LETTERS * 20, widget=forms.Textarea(attrs={"rows": 5}), **words)
            saved = "\n".join(saved or [])
        else:
            words["help_text"] = f"In {question.unit}. {question.help}".strip() if question.unit else question.help
            if question.id in UNITS:
                words["help_text"] = question.help
            field = forms.CharField(max_length=20, widget=forms.TextInput(attrs={"inputmode": "decimal"}), **words)
            saved = f"{saved:g}" if isinstance(saved, int | float) else saved
        self.fields[question.id] = field
        if question.id in UNITS:
            units = [(code, label) for code, label, _ in UNITS[question.id]]
            label = f"{question.wording.removesuffix('?').removeprefix('What is ').capitalize()} in"
            self.fields[f"{question.id}_unit"] = forms.ChoiceField(
                label=label, choices=units, error_messages=refusal, initial=units[0][0], required=False
            )
        if not is_blank(saved):
            self.initial[question.id] = saved

    def _draw_items(self, question: Question, saved: Any) -> None:
        for place, item in enumerate(items_of(question.id)):
            name = f"{question.id}_{place}"
            self.fields[name] = forms.ChoiceField(
                label=item.prompt,
                required=False,
                choices=choices_of(question.id, item),
                widget=forms.RadioSelect,
                error_messages={"invalid_choice": FROM_THE_LIST},
            )
            if saved and len(saved) > place and saved[place] is not None:
                self.initial[name] = str(int(saved[place]))

    def parts(self) -> Iterator[Part]:
        """The fields in order, with the fragments that draw them."""
        for question in self.step.questions:
            if question.id == self.step.instrument:
                for place in range(len(items_of(question.id))):
                    yield Part(self[f"{question.id}_{place}"], "_field_radios.html")
                continue
            yield Part(self[question.id], TEMPLATES.get(question.type, "_field_text.html"), width=_width(question))
            if question.id in UNITS:
                yield Part(self[f"{question.id}_unit"], "_field_select.html", width=10)

    def clean(self) -> dict[str, Any]:
        """Put each answer in its plain form, ask once about blanks that matter."""
        cleaned = super().clean() or {}
        self.answers: dict[str, Any] = {}
        for question in self.step.questions:
            first = f"{question.id}_0" if question.id == self.step.instrument else question.id
            if question.id not in self.errors and first not in self.errors:
                self._read(question, first, cleaned)
        return cleaned

    def _read(self, question: Question, first: str, cleaned: dict[str, Any]) -> None:
        try:
            answer = check_answer(question.id, self._typed(question, cleaned))
        except (AnswerError, ValueError):
            self.add_error(first, ValidationError(_refusal(question), code="invalid"))
            return
        if question.type == "date" and answer and date.fromisoformat(answer) > self.today:
            self.add_error(first, ValidationError("This day has not come yet. Check the year", code="invalid"))
            return
        blanks = answer is None or (isinstance(answer, list) and None in answer)
        if blanks and question.required and question.id not in self.asked:
            self.asked.add(question.id)
            place = answer.index(None) if isinstance(answer, list) and None in answer else 0
            field = f"{question.id}_{place}" if question.id == self.step.instrument else first
            self.add_error(field, ValidationError(LEFT_BLANK, code="required"))
        self.answers[question.id] = answer

    def _typed(self, question: Question, cleaned: dict[str, Any]) -> Any:
        if question.id == self.step.instrument:
            given = [cleaned.get(f"{question.id}_{place}") for place in range(len(items_of(question.id)))]
            return [None if value in ("", None) else int(value) for value in given] if any(given) else None
        typed = cleaned.get(question.id)
        if is_blank(typed):
            return None
        if question.type == "medicine_list":
            lines = [clean_text(line) for line in str(typed).splitlines()]
            return [line for line in lines if line] or None
        if question.type in ("integer", "number"):
            number = float(str(typed).strip().replace(",", "."))
            unit = cleaned.get(f"{question.id}_unit")
            factor = {code: one for code, _, one in UNITS.get(question.id, ())}.get(unit or "", 1.0)
            return round(number * factor, 1) if question.id in UNITS else number
        return typed

    @property
    def asked_about(self) -> str:
        """What was asked about already, for the hidden field."""
        return " ".join(sorted(self.asked))


def _width(question: Question) -> int | None:
    return 4 if question.type in ("integer", "number") else None


def _refusal(question: Question) -> str:
    if question.id in UNITS:
        return "Write a number that fits the unit below, such as 80, or leave it blank"
    if question.minimum is not None:
        return f"Write a number from {question.minimum:g} to {question.maximum:g}, or leave it blank"
    if question.type == "medicine_list":
        return f"Write at most {MOST_LINES} lines of {LINE_LETTERS} letters each"
    return FROM_THE_LIST
