"""The brief form: pages drawn from the table of questions, and what a person typed, checked in plain words.

Every page is a form of its own. A blank is asked about once and then accepted; it stays a blank and never becomes
a "no". Options are checked by ``reprieve.candidacy`` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError

from reprieve.candidacy import BRIEF, check_answer, suggestions
from reprieve.candidacy.questions import AnswerError, Question, is_blank
from reprieve.web.models import Clinic
from reprieve.web.places import REGIONS, country_choices, country_in_words, region_choices

LEFT_BLANK = "You left this blank. You can answer it now, or go on without."
TWO_AT_ONCE = "You ticked “None of these” and something else. Take one of them away, or go on as it is."
FROM_THE_LIST = "Choose from the answers below"
SIGNS = "pcptsd5"
ADULT_YEARS, OLDEST_YEARS = 18, 120
NAME_LETTERS, PHONE_LETTERS, TIME_LETTERS, MEDICINE_LETTERS = 80, 40, 80, 120
MEDICINES_AT_FIRST, MEDICINES_AT_MOST = 3, 20
NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PROMISE = "We do not share it with police or your job."
SUBJECTS = {"substances": "Drink and drugs", "pregnancy_status": "Pregnancy"}
FOR_THE_TEAM = re.compile(r"\b[A-Z]{2,4}-\d|\.csv|C-SSRS|PC-PTSD|our own words", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the form: a question, or a tight set of them."""

    slug: str
    questions: tuple[Question, ...]

    @property
    def progress(self) -> str:
        """Where this page stands.

        >>> PAGES["urgent_now"].progress, PAGES["pcptsd5"].progress
        ('Question 3 of 20', 'Questions 7 to 11 of 20')
        """
        first, last = self.questions[0].order, self.questions[-1].order
        here = f"Question {first}" if first == last else f"Questions {first} to {last}"
        return f"{here} of {len(BRIEF)}"

    @property
    def title(self) -> str:
        """The page's heading."""
        return self.questions[0].wording if len(self.questions) == 1 else "Five short questions about the past month"


def _pages() -> dict[str, Page]:
    by_slug: dict[str, list[Question]] = {}
    for question in BRIEF:
        by_slug.setdefault(SIGNS if question.id.startswith(SIGNS) else question.id, []).append(question)
    return {slug: Page(slug, tuple(questions)) for slug, questions in by_slug.items()}


PAGES: dict[str, Page] = _pages()


def asked_pages(answers: Mapping[str, Any]) -> list[Page]:
    """The pages that these answers lead to, in order."""
    return [page for page in PAGES.values() if page.slug != SIGNS or answers.get("trauma_exposure") != "no"]


def help_for(question: Question, clinic: Clinic) -> str:
    """The hint under a question. A promise that the clinic has not checked against its own law is left out."""
    return question.help if clinic.privacy_promise_checked else question.help.replace(PROMISE, "").strip()


def why_asked(question: Question) -> str:
    """Why we ask, without the sentences that are meant for the team.

    >>> why_asked(PAGES["country_region"].questions[0])
    'Help lines and prescribing rules depend on the place.'
    """
    sentences = re.split(r"(?<=[.;]) ", re.sub(r"\s*\[[^]]*\]", "", question.why))
    return " ".join(words for words in sentences if not FOR_THE_TEAM.search(words)).strip()


def clean_text(typed: str) -> str:
    """What was typed, without control characters and marks that turn the direction of the text."""
    return NOT_TEXT.sub("", re.sub(r"[\t\r\n]+", " ", typed)).strip()


class PlainText(forms.CharField):
    """One line of text, kept as typed; what cannot be printed is dropped before anything else looks at it."""

    def __init__(self, letters: int, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.letters = letters

    def to_python(self, value: Any) -> str:
        """Strip what is not text."""
        return clean_text(str(value or ""))

    def validate(self, value: str) -> None:
        """Refuse what is too long, in words."""
        if len(value) > self.letters:
            raise ValidationError(f"This is too long for us. Use at most {self.letters} letters", code="long")


class DayWidget(forms.MultiWidget):
    """Three boxes: day, month and a year of four figures."""

    def __init__(self) -> None:
        parts = ("bday-day", "bday-month", "bday-year")
        boxes = [forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": part}) for part in parts]
        super().__init__(boxes)

    def decompress(self, value: Any) -> list[Any]:
        """The three parts of ``YYYY-MM-DD``."""
        if not value or isinstance(value, list):
            return value or [None, None, None]
        year, month, day = str(value).split("-")
        return [str(int(day)), str(int(month)), year]


class DayField(forms.Field):
    """A day as typed in three boxes; the value is ``YYYY-MM-DD``."""

    widget = DayWidget

    def clean(self, value: Any) -> str | None:
        """Read the three boxes, and say which of them needs a look."""
        day, month, year = (clean_text(str(part or "")) for part in (value or ["", "", ""]))
        if not (day or month or year):
            return None
        missing = [name for name, part in (("day", day), ("month", month), ("year", year)) if not part]
        if missing:
            raise ValidationError(f"Write the {' and the '.join(missing)} too", code="required")
        if not all(re.fullmatch(r"\d{1,4}", part, re.ASCII) for part in (day, month, year)):
            raise ValidationError("Write the date in figures, such as 27 3 1984", code="figures")
        if len(year) != 4:
            raise ValidationError("Write the year with four figures, such as 1984", code="year")
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            raise ValidationError("There is no such day. Check the day and the month", code="no_day") from None


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a page and the fragment that draws it."""

    field: forms.BoundField
    template: str
    alone: bool = False
    optional: bool = False
    width: int | None = None
    progress: str = ""


class ContactForm(forms.Form):
    """How to reach a person. Also used behind the private link, to correct it."""

    name = PlainText(NAME_LETTERS, label="Your name, or what we may call you")
    phone = PlainText(PHONE_LETTERS, label="Phone number", help_text="With the area code.")
    email = PlainText(254, label="Email address")
    safe_to_leave_message = forms.ChoiceField(
        label="Is it safe to leave a message?",
        help_text="If you leave this blank, we leave no message.",
        choices=[("yes", "Yes"), ("no", "No")],
        widget=forms.RadioSelect,
        required=False,
        error_messages={"invalid_choice": "Choose yes or no"},
    )
    best_time = PlainText(TIME_LETTERS, label="Best time to call", help_text="Such as: after 16:00, not on Fridays.")

    def __init__(self, clinic: Clinic, data: Any = None, may_stay_blank: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "%s")
        super().__init__(data, **kwargs)
        self.clinic, self.may_stay_blank = clinic, may_stay_blank
        self.asked = set(str(data.get("asked", "")).split()) if data else set()
        self.phone_e164 = ""
        hints = {"name": "name", "phone": "tel", "email": "email"}
        for name, hint in hints.items():
            self.fields[name].widget.attrs["autocomplete"] = hint
        self.fields["phone"].widget.attrs["inputmode"] = "tel"
        self.fields["email"].widget.attrs["inputmode"] = "email"

    def clean_phone(self) -> str:
        """Check the number as one of the clinic's country; an odd one is asked about once."""
        typed = str(self.cleaned_data["phone"])
        if not typed:
            return typed
        try:
            number = phonenumbers.parse(typed, self.clinic.country)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not re.search(r"\d", typed):
            raise ValidationError("Check the phone number. Write it with the area code, such as 203 555 0142")
        if not phonenumbers.is_valid_number(number) and "phone" not in self.asked:
            self.asked.add("phone")
            raise ValidationError("This does not look like a full phone number. Check it, or press again to keep it")
        self.phone_e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return typed

    def clean_email(self) -> str:
        """Check that mail can be sent there."""
        typed = str(self.cleaned_data["email"])
        if typed:
            try:
                forms.EmailField().clean(typed)
            except ValidationError:
                raise ValidationError("Check the email address. It looks like name@example.com") from None
        return typed

    def clean(self) -> dict[str, Any]:
        """Ask for a name and one way to reach the person."""
        cleaned = super().clean() or {}
        reachable = cleaned.get("phone") or cleaned.get("email") or self.errors.keys() & {"phone", "email"}
        if self.may_stay_blank:
            return cleaned
        if not cleaned.get("name") and "name" not in self.errors:
            self.add_error("name", ValidationError("Write your name, or any name we may use", code="required"))
        if not reachable:
            self.add_error("phone", ValidationError("Give a phone number or an email address", code="required"))
        return cleaned

    @property
    def contact(self) -> dict[str, str]:
        """What was given; what was left blank is absent."""
        given = self.cleaned_data | {"phone_e164": self.phone_e164}
        names = ("name", "phone", "phone_e164", "email", "safe_to_leave_message", "best_time")
        return {name: given[name] for name in names if given.get(name)}

    def parts(self) -> Iterator[Part]:
        """The fields in order, with the fragments that draw them."""
        text, radios = "_field_text.html", "_field_radios.html"
        yield Part(self["name"], text, width=20)
        yield Part(self["phone"], text, width=20)
        yield Part(self["email"], text, width=20)
        yield Part(self["safe_to_leave_message"], radios)
        yield Part(self["best_time"], text, optional=True, width=20)

    @property
    def asked_about(self) -> str:
        """What was asked about already, for the hidden field."""
        return " ".join(sorted(self.asked))


class BriefForm(ContactForm):
    """One page of the brief form.

    Parameters
    ----------
    page : which page
    answers : what the draft holds so far, by question id
    today : the clinic's day, on which ages are counted
    data : what was posted, to be checked
    typed : what was posted, to be shown again unchecked
    """

    def __init__(
        self, page: Page, clinic: Clinic, answers: Mapping[str, Any], today: date, data: Any = None, typed: Any = None
    ) -> None:
        self.page, self.answered, self.today = page, answers, today
        self.type = page.questions[0].type
        self.medicine_count = MEDICINES_AT_FIRST
        unwanted = page.slug == "contact_details" and answers.get("wants_contact") == "no"
        super().__init__(clinic, data, may_stay_blank=self.type != "group" or unwanted)
        if self.type != "group":
            self.fields.clear()
            self._draw(data if data is not None else typed)
        if typed is not None:
            self.asked = set(str(typed.get("asked", "")).split())
            self.initial = {
                name: field.widget.value_from_datadict(typed, {}, name) for name, field in self.fields.items()
            }
        else:
            self.initial = self._as_typed()

    def _draw(self, posted: Any) -> None:
        if self.type == "region":
            self.fields["country"] = forms.ChoiceField(
                label="Country",
                choices=country_choices(self.clinic.country),
                required=False,
                error_messages={"invalid_choice": "Choose a country from the list"},
            )
            self.fields["region"] = forms.ChoiceField(
                label="State or region",
                help_text="For the US, Canada, Australia and the UK.",
                choices=region_choices(self.clinic.country),
                required=False,
                error_messages={"invalid_choice": "Choose a state or region from the list"},
            )
            return
        for question in self.page.questions:
            self.fields[question.id] = self._field(question)
        if self.page.slug == "medicines":
            self._draw_medicines(posted)

    def _field(self, question: Question) -> forms.Field:
        words: dict[str, Any] = {
            "label": question.wording,
            "help_text": help_for(question, self.clinic),
            "required": False,
        }
        if self.type == "date":
            return DayField(**words)
        refusal = {"invalid_choice": _choose(question)}
        if self.type == "single":
            return forms.ChoiceField(
                choices=question.options, widget=forms.RadioSelect, error_messages=refusal, **words
            )
        return forms.MultipleChoiceField(
            choices=question.options,
            widget=forms.CheckboxSelectMultiple,
            error_messages=refusal | {"invalid_list": _choose(question)},
            **words,
        )

    def _draw_medicines(self, posted: Any) -> None:
        saved = len(self.answered.get("medicine_list") or [])
        count = max(MEDICINES_AT_FIRST, saved + 1 if posted is None else 0)
        if posted is not None:
            numbers = [int(name[9:]) for name in posted if re.fullmatch(r"medicine_\d{1,2}", name, re.ASCII)]
            count = max([count, *numbers]) + ("add" in posted)
        self.medicine_count = min(count, MEDICINES_AT_MOST)
        for number in range(1, self.medicine_count + 1):
            field = PlainText(MEDICINE_LETTERS, label=f"Medicine {number}")
            field.widget.attrs |= {"list": "medicine-names", "autocomplete": "off", "spellcheck": "false"}
            self.fields[f"medicine_{number}"] = field

    def _as_typed(self) -> dict[str, Any]:
        """The saved answers of this page, as its fields hold them."""
        if self.type == "region":
            place = self.answered.get("country_region") or ""
            return {"country": place[:2], "region": place if "-" in place else ""}
        if self.type == "group":
            return dict(self.answered.get("contact_details") or {})
        saved = {question.id: self.answered.get(question.id) for question in self.page.questions}
        for number, line in enumerate(self.answered.get("medicine_list") or [], start=1):
            saved[f"medicine_{number}"] = line
        return saved

    def parts(self) -> Iterator[Part]:
        """The fields in order, with the fragments that draw them."""
        if self.type == "group":
            yield from super().parts()
            return
        alone = len(self.page.questions) == 1
        if self.type == "region":
            yield Part(self["country"], "_field_select.html", width=20)
            yield Part(self["region"], "_field_select.html", width=20)
            return
        template = {"single": "_field_radios.html", "multi": "_field_checkboxes.html", "date": "_field_date.html"}
        for question in self.page.questions:
            yield Part(self[question.id], template[question.type], alone, progress=self.page.progress)

    @property
    def medicine_boxes(self) -> list[Part]:
        """The boxes for names of medicines."""
        numbers = range(1, self.medicine_count + 1) if self.page.slug == "medicines" else ()
        return [Part(self[f"medicine_{number}"], "_field_text.html", width=20) for number in numbers]

    @property
    def suggestions(self) -> list[str]:
        """Names of medicines to offer while typing."""
        return suggestions()

    @property
    def may_add_a_medicine(self) -> bool:
        """Whether there is room for one more."""
        return self.medicine_count < MEDICINES_AT_MOST

    def clean(self) -> dict[str, Any]:
        """What one field alone cannot tell: blanks, pairs that do not fit, days that cannot be a birthday."""
        cleaned = super().clean()
        if self.type == "region":
            self._check_place(cleaned)
        elif self.type == "date":
            self._check_birthday(cleaned)
        elif self.type == "multi" and {"none"} < set(cleaned.get(self.page.slug) or []):
            self._ask_once(f"{self.page.slug}:two", self.page.slug, TWO_AT_ONCE, "two")
        if self.type != "group":
            self._ask_about_blanks(cleaned)
        if not self.errors:
            self._ask_the_table()
        return cleaned

    def _ask_once(self, what: str, field: str, words: str, code: str) -> None:
        if what not in self.asked:
            self.asked.add(what)
            self.add_error(field, ValidationError(words, code=code))

    def _ask_about_blanks(self, cleaned: dict[str, Any]) -> None:
        names = ("country",) if self.type == "region" else tuple(question.id for question in self.page.questions)
        for name in names:
            listed = any(cleaned.get(part.field.name) for part in self.medicine_boxes)
            if name not in self.errors and is_blank(cleaned.get(name)) and not listed:
                self._ask_once(name, name, LEFT_BLANK, "required")

    def _check_place(self, cleaned: dict[str, Any]) -> None:
        country, region = cleaned.get("country"), cleaned.get("region")
        if region and not country and "country" not in self.errors:
            cleaned["country"] = region[:2]
        elif region and country and region[:2] != country:
            words = f"This is not in {country_in_words(country)}. Choose another one, or leave it blank"
            self.add_error("region", ValidationError(words, code="elsewhere"))
        elif country in REGIONS and not region and "region" not in self.errors:
            self._ask_once("region", "region", LEFT_BLANK, "required")

    def _check_birthday(self, cleaned: dict[str, Any]) -> None:
        born = cleaned.get("birth_date")
        if not born:
            return
        if date.fromisoformat(born) > self.today:
            self.add_error("birth_date", ValidationError("This day has not come yet. Check the year", code="future"))
        elif age(born, self.today) > OLDEST_YEARS:
            self.add_error("birth_date", ValidationError("Check the year. It is very long ago", code="past"))

    def _ask_the_table(self) -> None:
        """Let the table of questions have the last word."""
        for name, value in self._values().items():
            try:
                check_answer(name, value)
            except AnswerError:
                self.add_error(None, ValidationError(FROM_THE_LIST, code="invalid_choice"))

    def _values(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if self.type == "region":
            return {"country_region": cleaned.get("region") or cleaned.get("country")}
        if self.type == "group":
            return {"contact_details": self.contact}
        values = {question.id: cleaned.get(question.id) for question in self.page.questions}
        if self.page.slug == "medicines":
            lines = [cleaned.get(part.field.name) for part in self.medicine_boxes]
            values["medicine_list"] = [line for line in lines if line]
        return values

    @property
    def answers(self) -> dict[str, Any]:
        """Question id to answer, ready for the draft; None takes an answer away."""
        values = {name: None if is_blank(value) else value for name, value in self._values().items()}
        if values.get("trauma_exposure") == "no":
            values |= {question.id: None for question in PAGES[SIGNS].questions}
        return values


def age(born: str, today: date) -> int:
    """Whole years from a day written ``YYYY-MM-DD``.

    >>> age("2008-11-23", date(2026, 11, 22)), age("2008-11-22", date(2026, 11, 22))
    (17, 18)
    """
    day = date.fromisoformat(born)
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))


def _choose(question: Question) -> str:
    """What to say about an answer that is none of the options.

    >>> _choose(PAGES["trauma_exposure"].questions[0])
    'Choose yes, no or rather not say'
    """
    labels = ["rather not say" if code == "prefer_not_to_say" else label.lower() for code, label in question.options]
    if len(labels) > 3 or any(len(label) > 15 for label in labels):
        return FROM_THE_LIST
    return f"Choose {', '.join(labels[:-1])} or {labels[-1]}"


def asks(question: Question) -> str:
    """The question as the check page shows it: where two are worded alike, the subject goes first.

    >>> asks(PAGES["substances"].questions[0])
    'Drink and drugs: is any of this true for you?'
    """
    subject, words = SUBJECTS.get(question.id), question.wording
    return f"{subject}: {words[0].lower()}{words[1:]}" if subject else words
