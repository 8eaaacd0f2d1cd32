"""What the team types: checked here, said back in plain words."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import apprise
import pycountry
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from reprieve.web.deadlines import StaffedHours, Urgency
from reprieve.web.models import Attempt, Clinic, Enquiry, Member, Role
from reprieve.web.models.clinic import WEEKDAYS

DAYS_AHEAD = 366
AHEAD = "Choose a day and an hour that are still ahead"


HOURS_AS_TYPED = ("%H:%M", "%H.%M", "%H%M", "%H")


def as_reference(words: str) -> str:
    """A reference as it is kept, however it was typed; other words come back as they are.

    >>> as_reference("r7k2 4qx"), as_reference("Ada Stone")
    ('R7K2-4QX', 'Ada Stone')
    """
    letters = "".join(letter for letter in words.upper() if letter.isalnum())
    return f"{letters[:4]}-{letters[4:]}" if len(letters) == 7 else words


class LocalDateTime(forms.SplitDateTimeWidget):
    """A day and an hour, by the clinic's clock."""

    def __init__(self) -> None:
        super().__init__(
            date_attrs={"type": "date"}, time_attrs={"inputmode": "numeric", "maxlength": "5"}, time_format="%H:%M"
        )


class Versioned(forms.Form):
    """A form about one enquiry: it carries the version that its writer saw."""

    version = forms.IntegerField(widget=forms.HiddenInput)


def _ahead(moment: Any) -> Any:
    if moment is not None and moment <= timezone.now():
        raise ValidationError(AHEAD)
    if moment is not None and moment > timezone.now() + timedelta(days=DAYS_AHEAD):
        raise ValidationError("Choose a day within the next year, and look at the year again")
    return moment


class Moment(forms.SplitDateTimeField):
    """A day and an hour, the hour as people type it: 14:30, 14.30, 1430 or 14."""

    widget = LocalDateTime

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_time_formats=HOURS_AS_TYPED, **kwargs)
        day, hour = self.fields
        day.error_messages["invalid"] = "Choose a day from the calendar"
        hour.error_messages["invalid"] = "Write the hour with two figures each, such as 09:30"
        self.error_messages["invalid_date"] = "Choose the day too, or leave both blank"
        self.error_messages["invalid_time"] = "Write the hour too, such as 14:30"


class AttemptForm(Versioned):
    """A call, or another try to reach the person."""

    channel = forms.ChoiceField(
        label="How did you try?",
        choices=Attempt.Channel,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how you tried to reach the person"},
    )
    outcome = forms.ChoiceField(
        label="What came of it?",
        choices=Attempt.Outcome,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what came of it"},
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=5000,
        help_text="For the team. The person can ask to read it.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    next_try_at = Moment(
        label="Next step by",
        required=False,
        help_text="Left blank, the clinic's usual time for this urgency counts again from now.",
        error_messages={"invalid": f"{AHEAD}, or leave both blank"},
    )

    def clean_next_try_at(self) -> Any:
        """A next step lies ahead; whoever asked for another time is called at that time."""
        moment = _ahead(self.cleaned_data["next_try_at"])
        if moment is None and self.cleaned_data.get("outcome") == Attempt.Outcome.CALL_BACK:
            raise ValidationError("Write the day and the hour that they asked for")
        return moment


class HandOverForm(Versioned):
    """A new owner."""

    to = forms.ModelChoiceField(
        label="Hand over to",
        queryset=Member.objects.none(),
        empty_label="Choose a name",
        error_messages={"required": "Choose who takes it over", "invalid_choice": "Choose somebody from the list"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from reprieve.web.door import CLINICAL

        field: Any = self.fields["to"]
        field.queryset = Member.objects.filter(is_active=True, role__in=CLINICAL).order_by("name")
        field.label_from_instance = lambda member: f"{member.name}, {member.get_role_display().lower()}"


class RuleOutForm(Versioned):
    """Why a finding does not stand. Only the findings ``allowed`` may be ruled out; an urgent one never."""

    reason = forms.CharField(
        label="Why does it not stand?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write why you rule this out"},
    )

    def __init__(self, *args: Any, criterion: str, allowed: Collection[str] = (), **kwargs: Any) -> None:
        kwargs["prefix"] = f"out-{criterion}"
        super().__init__(*args, **kwargs)
        self.criterion, self.allowed = criterion, allowed

    def clean(self) -> dict[str, Any]:
        """The finding is there, is not urgent, and was not reviewed before."""
        if self.criterion not in self.allowed:
            raise ValidationError(f"{self.criterion or 'This'} cannot be ruled out here. Urgent findings never can.")
        return super().clean() or {}


class ReferralForm(Versioned):
    """Where else the person goes."""

    to = forms.CharField(
        label="Referred to",
        max_length=500,
        error_messages={"required": "Write who you referred the person to"},
    )
    follow_up_on = forms.DateField(
        label="Ask how it went on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "Choose a day, or leave it blank"},
    )

    def clean_follow_up_on(self) -> date | None:
        """A day on which somebody can still ask."""
        day: date | None = self.cleaned_data["follow_up_on"]
        if day and not timedelta() <= day - timezone.localdate() <= timedelta(days=DAYS_AHEAD):
            raise ValidationError("Choose a day from today on, within the next year, or leave it blank")
        return day


class DecisionForm(Versioned):
    """The decision, in the words that the person will read."""

    decision = forms.ChoiceField(
        label="Decision",
        choices=Enquiry.Decision,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a decision"},
    )
    words = forms.CharField(
        label="What the person will read",
        max_length=5000,
        help_text="Your own words, in plain language. They see this behind their private link, with your name.",
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "Write what the person will read"},
    )

    def __init__(self, *args: Any, only_declined: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if only_declined:
            field: Any = self.fields["decision"]
            field.choices = [(Enquiry.Decision.DECLINED.value, Enquiry.Decision.DECLINED.label)]


class ReopenForm(Versioned):
    """Take up again, with a next step."""

    due_at = Moment(
        label="Next step by",
        error_messages={"required": AHEAD, "invalid": AHEAD},
    )

    def clean_due_at(self) -> Any:
        """A next step lies ahead."""
        return _ahead(self.cleaned_data["due_at"])


class KeepForm(Versioned):
    """Why a record is kept although its person asked to be erased."""

    reason = forms.CharField(
        label="Why we keep it",
        max_length=2000,
        help_text="The person reads this. Name the law and for how long.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write why the record is kept"},
    )


class FilterForm(forms.Form):
    """What the inbox shows. Every part may be left out."""

    urgency = forms.ChoiceField(
        label="Urgency", required=False, choices=[("", "Any"), *((str(u.value), u.label) for u in Urgency)]
    )
    owner = forms.ChoiceField(label="Owner", required=False, choices=[("", "Anyone"), ("me", "Me"), ("none", "Nobody")])
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Open"), ("closed", "Closed")])
    late = forms.ChoiceField(label="Call due", required=False, choices=[("", "Any time"), ("1", "Late only")])


class SearchForm(forms.Form):
    """Find one person. Sent by POST, so that no name stands in an address."""

    find = forms.CharField(
        label="Find by reference or whole name",
        max_length=200,
        error_messages={"required": "Write a reference such as R7K2-4QX, or the person's whole name"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class InviteForm(forms.Form):
    """A new colleague's role."""

    role = forms.ChoiceField(
        label="Role",
        choices=Role,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a role"},
    )
    manages = forms.BooleanField(label="May invite members and change the clinic's settings", required=False)


class MemberForm(forms.ModelForm[Member]):
    """What a manager may change about a member."""

    class Meta:
        model = Member
        fields = ("name", "role", "manages", "is_active", "call_order", "notice_url")
        labels = {
            "name": "Name",
            "role": "Role",
            "manages": "May invite members and change the clinic's settings",
            "is_active": "May log in",
            "call_order": "Place on the call list",
            "notice_url": "Address for texts, pager or chat",
        }
        help_texts = {
            "call_order": "1 is told first. Blank is never told of new enquiries.",
            "notice_url": "An Apprise address. It gets no health content: only that somebody waits, and by when.",
            "manages": "",
            "is_active": "Untick it when somebody leaves. Their name stays beside what they did.",
        }
        widgets = {
            "role": forms.RadioSelect,
            "notice_url": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }
        error_messages = {
            "name": {"required": "Write the member's name"},
            "role": {"required": "Choose a role"},
            "call_order": {"invalid": "Write a whole number from 1, or leave it blank", "min_value": "Write 1 or more"},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role: Any = self.fields["role"]
        role.choices = Role.choices
        if not self.is_bound and self.instance.notice_url:
            self.initial["notice_url"] = self.instance.notice_url

    def clean_call_order(self) -> int | None:
        """Places are counted from 1."""
        place: int | None = self.cleaned_data["call_order"]
        if place == 0:
            raise ValidationError("Write 1 or more, or leave it blank")
        return place

    def clean_notice_url(self) -> str | None:
        """An address that Apprise can read."""
        address: str = (self.cleaned_data["notice_url"] or "").strip()
        if address and not apprise.Apprise().add(address):
            raise ValidationError("This is not an address that can take notices. Look up its form at appriseit.com.")
        return address or None

    def clean(self) -> dict[str, Any]:
        """Somebody must be left who can let others in."""
        cleaned = super().clean() or {}
        stays = cleaned.get("manages") and cleaned.get("is_active")
        others = Member.objects.filter(manages=True, is_active=True).exclude(pk=self.instance.pk)
        if not stays and not others.exists():
            raise ValidationError("Somebody must manage the clinic. Make another member a manager first.")
        return cleaned


class JoinForm(forms.Form):
    """A new member's account."""

    name = forms.CharField(
        label="Your name",
        max_length=80,
        help_text="Colleagues see it, and people read it beside a decision.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Write your name"},
    )
    email = forms.EmailField(
        label="Work e-mail",
        help_text="You log in with it, and notices go there.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
        error_messages={"required": "Write your e-mail address", "invalid": "Write an address such as ada@clinic.org"},
    )
    role = forms.ChoiceField(
        label="Your role",
        choices=Role,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose your role"},
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=200,
        help_text="12 letters or more. Four words you can remember work well.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Choose a password"},
    )

    def __init__(self, *args: Any, role: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if role:
            del self.fields["role"]

    def clean_email(self) -> str:
        """One account for each address."""
        email: str = self.cleaned_data["email"].lower()
        if Member.objects.filter(email=email).exists():
            raise ValidationError("There is an account with this address. Log in, or use another address.")
        return email

    def clean(self) -> dict[str, Any]:
        """The password is long enough, not a common one, and not the name."""
        cleaned = super().clean() or {}
        if cleaned.get("password"):
            named = Member(name=cleaned.get("name", ""), email=cleaned.get("email", ""))
            try:
                validate_password(cleaned["password"], named)
            except ValidationError as problem:
                self.add_error("password", problem)
        return cleaned


def _is_region(code: str) -> bool:
    subdivisions: Any = pycountry.subdivisions
    return subdivisions.get(code=code) is not None


def _place_choices() -> list[tuple[str, str]]:
    named = ((country.alpha_2, getattr(country, "common_name", country.name)) for country in pycountry.countries)
    return sorted(named, key=lambda pair: pair[1])


class ClinicForm(forms.ModelForm[Clinic]):
    """The clinic's settings. Each weekday is two fields; closures are days, one a line."""

    leave_url = forms.URLField(
        label="Where “Leave site” goes",
        help_text="A page nobody would wonder about, such as the weather.",
        assume_scheme="https",
        max_length=200,
    )

    class Meta:
        model = Clinic
        fields = (
            "name", "phone", "country", "region", "time_zone", "urgent_minutes", "same_day_minutes", "routine_days",
            "keep_closed_days", "leave_url", "privacy_promise_checked", "night_phone", "costs", "quiet_from",
            "quiet_until", "text_url",
        )  # fmt: skip
        labels = {
            "name": "Name of the clinic",
            "phone": "Telephone",
            "country": "Country",
            "region": "State or region",
            "time_zone": "Time zone",
            "urgent_minutes": "Urgent: call within this many staffed minutes",
            "same_day_minutes": "Same day: when the day is nearly over, within this many staffed minutes",
            "routine_days": "Routine: by closing time, this many staffed days on",
            "keep_closed_days": "Keep closed enquiries for this many days",
            "privacy_promise_checked": "Counsel has checked our promise about drug answers",
            "night_phone": "Whom people call at night",
            "costs": "What a course costs, and who pays",
            "text_url": "Address that sends texts",
        }
        help_texts = {
            "phone": "Shown to people, so that they can call you.",
            "country": "Where you may call people. It also chooses the help lines.",
            "region": "Its ISO code, such as US-CT. Blank for the whole country.",
            "time_zone": "Such as America/New_York. All hours here are by this clock.",
            "keep_closed_days": "Then they are erased. 2555 days are seven years; ask counsel.",
            "privacy_promise_checked": "The promise is that they are not shared with the police or employers. "
            "We make it only once this is ticked.",
            "night_phone": "A number and who answers. It stands on the after-care sheet.",
            "costs": "In the words that consent uses.",
            "text_url": "An Apprise address with {to} where the number goes. Without one, no texts are sent.",
        }
        widgets = {
            "costs": forms.Textarea(attrs={"rows": 3}),
            "text_url": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }

    closures = forms.CharField(
        label="Days closed",
        required=False,
        help_text="One a line, such as 2026-12-25.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"] = forms.ChoiceField(
            label=self.fields["country"].label, help_text=self.fields["country"].help_text, choices=_place_choices
        )
        for name, top in (("urgent_minutes", 240), ("same_day_minutes", 1440), ("routine_days", 30)):
            self.fields[name].widget.attrs["inputmode"] = "numeric"
            self._between(name, 1, top)
        self._between("keep_closed_days", 30, 36500)
        for name, words in (("quiet_from", "from"), ("quiet_until", "until")):
            self.fields[name] = forms.TimeField(
                label=f"No message {words}",
                input_formats=HOURS_AS_TYPED,
                help_text="The same hour twice means that messages go out at any hour." * (name == "quiet_until"),
                widget=forms.TimeInput(attrs={"inputmode": "numeric", "maxlength": "5"}, format="%H:%M"),
                error_messages=dict.fromkeys(
                    ("required", "invalid"), f"No message {words}: write an hour such as 20:00"
                ),
            )
        if not self.is_bound and self.instance.text_url:
            self.initial["text_url"] = self.instance.text_url
        self.fields["name"].error_messages["required"] = "Write the clinic's name"
        self.fields["leave_url"].error_messages["invalid"] = "Write a whole address, such as https://www.weather.gov/"
        self.fields["closures"].initial = "\n".join(self.instance.closures)
        for weekday, hours in zip(WEEKDAYS, self.instance.week, strict=True):
            for part, shown in (("opens", 0), ("closes", 1)):
                self.fields[f"{weekday.lower()}_{part}"] = forms.TimeField(
                    label=f"{weekday} {part}",
                    required=False,
                    input_formats=HOURS_AS_TYPED,
                    initial=time.fromisoformat(hours[shown]) if hours else None,
                    widget=forms.TimeInput(attrs={"inputmode": "numeric", "maxlength": "5"}, format="%H:%M"),
                    error_messages={"invalid": f"{weekday} {part}: write an hour such as 09:00, or leave it blank"},
                )

    def _between(self, name: str, low: int, high: int) -> None:
        field: Any = self.fields[name]
        words = f"{field.label}: write a whole number from {low} to {high}"
        self.fields[name] = forms.IntegerField(
            label=field.label,
            help_text=field.help_text,
            min_value=low,
            max_value=high,
            error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), words),
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        )

    @property
    def weekdays(self) -> list[tuple[str, Any, Any]]:
        """Each weekday with its two fields, for the template."""
        return [(day, self[f"{day.lower()}_opens"], self[f"{day.lower()}_closes"]) for day in WEEKDAYS]

    def clean_region(self) -> str:
        """A region of the country."""
        region: str = self.cleaned_data["region"].strip().upper()
        country = self.cleaned_data.get("country", "")
        if region and (not region.startswith(f"{country}-") or not _is_region(region)):
            raise ValidationError(f"{region} is not a region of that country. Write its ISO code, such as US-CT.")
        return region

    def clean_time_zone(self) -> str:
        """A zone that the machine knows."""
        zone: str = self.cleaned_data["time_zone"].strip()
        if zone not in available_timezones():
            raise ValidationError(f"{zone} is not a time zone. Write one such as America/New_York.")
        return zone

    def clean_text_url(self) -> str | None:
        """An address that Apprise can read, with a place for the number."""
        address: str = (self.cleaned_data["text_url"] or "").strip()
        if address and "{to}" not in address:
            raise ValidationError("Write {to} where the number goes")
        if address and not apprise.Apprise().add(address.replace("{to}", "+12035550142")):
            raise ValidationError("This is not an address that can send texts. Look up its form at appriseit.com.")
        return address or None

    def clean_leave_url(self) -> str:
        """A page that opens anywhere."""
        address: str = self.cleaned_data["leave_url"]
        if urlsplit(address).scheme != "https":
            raise ValidationError("Write an address that starts with https://")
        return address

    def clean_closures(self) -> list[str]:
        """Days, in order."""
        days, wrong = set(), []
        for line in filter(None, map(str.strip, self.cleaned_data["closures"].splitlines())):
            try:
                days.add(date.fromisoformat(line).isoformat())
            except ValueError:
                wrong.append(line)
        if wrong:
            lines = f"{wrong[0]} is not a day" if len(wrong) == 1 else f"{', '.join(wrong)} are not days"
            raise ValidationError(f"{lines}. Write the year first, such as 2026-12-25.")
        return sorted(days)

    def clean(self) -> dict[str, Any]:
        """Opening hours that can be kept, with a staffed day within sight."""
        cleaned = super().clean() or {}
        weekly: list[list[str] | None] = []
        for weekday in WEEKDAYS:
            opens, closes = cleaned.get(f"{weekday.lower()}_opens"), cleaned.get(f"{weekday.lower()}_closes")
            if (opens is None) != (closes is None):
                missing = "closes" if closes is None else "opens"
                if f"{weekday.lower()}_{missing}" not in self.errors:
                    self.add_error(f"{weekday.lower()}_{missing}", f"{weekday}: write both hours, or leave both blank")
            elif opens and closes and opens >= closes:
                self.add_error(f"{weekday.lower()}_closes", f"{weekday} must close later than it opens")
            weekly.append([f"{opens:%H:%M}", f"{closes:%H:%M}"] if opens and closes else None)
        if not self.errors:
            try:
                spans = tuple((time.fromisoformat(s[0]), time.fromisoformat(s[1])) if s else None for s in weekly)
                closed = frozenset(date.fromisoformat(day) for day in cleaned["closures"])
                StaffedHours(spans, closed, ZoneInfo(cleaned["time_zone"])).next_opening(timezone.now())
            except ValueError:
                self.add_error("monday_opens", "Open at least one day of the week")
        cleaned["opening_hours"] = weekly
        return cleaned

    def save(self, commit: bool = True) -> Clinic:
        """Keep the hours and the closures too."""
        self.instance.opening_hours = self.cleaned_data["opening_hours"]
        self.instance.closures = self.cleaned_data["closures"]
        return super().save(commit)
