"""What is written in the drug log: checked here, said back with the numbers."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from reprieve.treatment import stock
from reprieve.treatment.dose import strengths
from reprieve.web import times
from reprieve.web.door import MAY, is_password_of
from reprieve.web.drug_log import person_of
from reprieve.web.models import Lot, Member, StockEntry, TreatmentSession

KINDS = StockEntry.Kind
USED = (KINDS.GIVEN, KINDS.WASTED)
NO_SESSION = "none"
LATE_DAYS = 7  # so long a forgotten row can be written for a session that has ended
MOST_MG_PER_ML, MOST_VIAL_ML, MOST_VIALS = 200, 100, 1000  # our choice: beyond them a point has slipped
LEAST = Decimal("0.01")
ML_WORDS = {
    "required": "Write how many mL",
    "invalid": "Write mL in figures with a point, such as 0.70",
    "max_decimal_places": "Write at most two figures after the point, such as 0.70",
    "max_digits": "This is more than any safe holds; look for a slipped point",
    "max_whole_digits": "This is more than any safe holds; look for a slipped point",
}


def sentence(problem: Exception) -> str:
    """The words of a refusal, as a sentence.

    >>> sentence(stock.StockError("no reason; write why this row is wrong"))
    'No reason; write why this row is wrong.'
    """
    words = str(problem)
    return f"{words[0].upper()}{words[1:]}."


class Figures(forms.DecimalField):
    """An amount as it is typed: figures, a point, two decimals at most."""

    def __init__(self, label: str, least: Decimal = LEAST, most: int | None = None, **kwargs: Any) -> None:
        words = ML_WORDS | kwargs.pop("error_messages", {})
        words |= {
            "min_value": f"Write {least.normalize():f} or more",
            "max_value": "This is too much; look for a slipped point",
        }
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(
            label=label, min_value=least, max_value=most, max_digits=9, decimal_places=2, widget=widget,
            error_messages=words, **kwargs,
        )  # fmt: skip


class Once(forms.Form):
    """A form that carries the id of the row it writes, so that sending it twice writes it once."""

    uid = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={"uid": uuid4()} | (initial or {}))


class DeliveryForm(Once):
    """Vials that came: what they say, and how many."""

    number = forms.CharField(
        label="Lot number",
        max_length=40,
        help_text="As it stands on the vial.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Write the lot number from the vial"},
    )
    product = forms.CharField(
        label="Drug",
        max_length=80,
        help_text="Such as: ketamine hydrochloride.",
        error_messages={"required": "Write the name of the drug from the vial"},
    )
    mg_per_ml = Figures(
        "Strength, mg in 1 mL", most=MOST_MG_PER_ML, error_messages={"required": "Write the mg in 1 mL"}
    )
    sure = forms.BooleanField(label="The vial says so. A colleague has read it too.", required=False)
    vial_ml = Figures("mL in a vial", most=MOST_VIAL_ML, error_messages={"required": "Write the mL in a vial"})
    expires_on = forms.DateField(
        label="Good until",
        help_text="If the vial names only a month, its last day.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Choose the last day of use", "invalid": "Choose a day from the calendar"},
    )
    vials = forms.IntegerField(
        label="How many vials came",
        min_value=1,
        max_value=MOST_VIALS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": "Write how many vials came",
            "invalid": "Write how many vials in figures, such as 10",
            "min_value": "Write 1 or more",
            "max_value": f"Write {MOST_VIALS} or fewer; look for a slipped figure",
        },
    )
    note = forms.CharField(
        label="Note", max_length=500, required=False, help_text="Such as: who brought it, number of the delivery note."
    )

    def clean_expires_on(self) -> date:
        """Vials that are out of date go back at the door."""
        day: date = self.cleaned_data["expires_on"]
        if day < timezone.localdate():
            raise ValidationError("This day has passed. Read the date on the vial again, and do not take in old vials")
        return day

    def clean(self) -> dict[str, Any]:
        """A strength that vials are not sold in is asked about: mistaken, every dose would be wrong."""
        cleaned = super().clean() or {}
        strength = cleaned.get("mg_per_ml")
        if strength is not None and float(strength) not in strengths() and not cleaned.get("sure"):
            sold = ", ".join(f"{each:g}" for each in strengths())
            words = f"{stock.plain(strength)} mg in 1 mL is not a usual strength ({sold}). Read the vial again"
            self.add_error("sure", f"{words}, then mend it above or tick this")
        return cleaned

    @property
    def lot(self) -> dict[str, Any]:
        """What the vials say, as ``Lot.add`` takes it."""
        return {name: self.cleaned_data[name] for name in ("number", "product", "mg_per_ml", "vial_ml", "expires_on")}

    @property
    def ml(self) -> Decimal:
        """All vials together."""
        ml: Decimal = self.cleaned_data["vials"] * self.cleaned_data["vial_ml"]
        return ml


class RowForm(Once):
    """One row about a lot: drawn up, given, wasted, returned or counted."""

    session = forms.ChoiceField(
        label="Session",
        error_messages={"required": "Choose the session", "invalid_choice": "Choose a session from the list"},
    )
    ml = Figures("mL")
    witness = forms.ModelChoiceField(
        label="Witness",
        queryset=Member.objects.none(),
        empty_label="Choose a name",
        help_text="A colleague who watched, and may keep the drug log too.",
        error_messages={
            "required": "Waste needs a witness. Choose who watched",
            "invalid_choice": "Choose a colleague from the list, not yourself",
        },
    )
    password = forms.CharField(
        label="The witness's own password",
        strip=False,
        help_text="The witness types it here. It is not kept.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "The witness confirms with their own password"},
    )
    note = forms.CharField(label="Note", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, request: HttpRequest, lot: Lot, kind: str, now: datetime, data: Any = None) -> None:
        super().__init__(data, initial={"session": request.GET.get("session", "")})
        self.request, self.kind = request, kind
        fields: Any = self.fields
        if kind == KINDS.INVENTORY:
            fields["ml"] = Figures(
                "mL counted", least=Decimal(0), help_text="Full vials and what is left in open ones."
            )
        if kind != KINDS.WASTED:
            del fields["witness"], fields["password"]
        else:
            able: Any = Member.objects.filter(is_active=True, role__in=MAY["keep the drug log"])
            fields["witness"].queryset = able.exclude(pk=request.user.pk).order_by("name")
        if kind not in (KINDS.DRAWN, *USED):
            del fields["session"]
            return
        choices = _left_over(lot) if kind in USED else _to_draw_for(now)
        self.has_choices = bool(choices)
        uid = _uid(data)
        sent_before = lot.entries.filter(uid=uid).first() if uid else None
        if sent_before:  # its session may have left the list since
            choices.append((str(sent_before.session_id or NO_SESSION), sent_before.session_name))
        fields["session"].choices = [("", "Choose a session"), *choices]

    def clean(self) -> dict[str, Any]:
        """What one field alone cannot tell; the witness's password last, so that a slip elsewhere costs no try."""
        cleaned = super().clean() or {}
        if self.kind == KINDS.DRAWN and cleaned.get("session") == NO_SESSION and not cleaned.get("note"):
            self.add_error("note", ValidationError("Write what happened to the vial", code="required"))
        witness, password = cleaned.get("witness"), cleaned.pop("password", "")
        if witness and not self.errors and not is_password_of(self.request, witness, password):
            self.add_error("password", f"This is not the password of {witness.name}. Let {witness.name} type it again")
        return cleaned

    @property
    def row(self) -> dict[str, Any]:
        """What was typed, as ``StockEntry.keep`` takes it."""
        cleaned = self.cleaned_data
        chosen = cleaned.get("session", NO_SESSION)
        session = None if chosen == NO_SESSION else TreatmentSession.objects.get(pk=chosen)
        others = {"session": session, "witness": cleaned.get("witness"), "note": cleaned["note"]}
        return {"ml": cleaned["ml"], "uid": cleaned["uid"], **others}


class TakeBackForm(Once):
    """Why a row is wrong."""

    why = forms.CharField(
        label="Why is it wrong?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write why this row is wrong"},
    )


class PeriodForm(forms.Form):
    """From which day to which the log is shown."""

    def __init__(self, data: Any, today: date) -> None:
        super().__init__({"from": data.get("from") or today - timedelta(days=30), "until": data.get("until") or today})
        for name, label in (("from", "From"), ("until", "Until")):
            words = {"invalid": "Choose a day from the calendar"}
            widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            self.fields[name] = forms.DateField(label=label, widget=widget, error_messages=words)

    def clean(self) -> dict[str, Any]:
        """The first day is not after the last."""
        cleaned = super().clean() or {}
        if not self.errors and cleaned["from"] > cleaned["until"]:
            self.add_error("until", "Choose a day on or after the first one")
        return cleaned


def _uid(data: Any) -> UUID | None:
    try:
        return UUID(data["uid"]) if data else None
    except (KeyError, ValueError):
        return None


def _to_draw_for(now: datetime) -> list[tuple[str, str]]:
    """Sessions that are open or planned today, and those that ended lately, for what was forgotten."""
    states = TreatmentSession.State
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    today = Q(state=states.PLANNED, planned_at__gte=midnight, planned_at__lt=midnight + timedelta(days=1))
    lately = Q(state=states.ENDED, ended_at__gte=now - timedelta(days=LATE_DAYS))
    found = _with_people(TreatmentSession.objects.filter(Q(state=states.OPEN) | today | lately))
    order = [states.OPEN, states.PLANNED, states.ENDED]
    choices = []
    for session in sorted(found, key=lambda one: (order.index(states(one.state)), one.planned_at)):
        moment = session.ended_at or session.opened_at or session.planned_at
        stands = (
            f"{states(session.state).label.lower()} {times.day_and_hour(moment, now, timezone.get_current_timezone())}"
        )
        choices.append((str(session.pk), f"{person_of(session, names=True)}: {stands}"))
    return [*choices, (NO_SESSION, "No session: a vial broke, was spilled or is out of date")]


def _left_over(lot: Lot) -> list[tuple[str, str]]:
    """Sessions for which something was drawn from this lot that is neither given nor wasted yet."""
    keys = {entry.session_name: entry.session_id for entry in lot.entries.all()}
    left = {keys[name]: account.open_ml for name, account in stock.accounts(lot.rows).items() if account.open_ml > 0}
    people = {
        one.pk: person_of(one, names=True)
        for one in _with_people(TreatmentSession.objects.filter(pk__in=filter(None, left)))
    }
    return [
        (str(key or NO_SESSION), f"{people.get(key or 0, 'No session')}: {lot.vials.amount(ml)} left")
        for key, ml in left.items()
    ]


def _with_people(sessions: QuerySet[TreatmentSession]) -> QuerySet[TreatmentSession]:
    columns = ["number", "state", "planned_at", "opened_at", "ended_at", "course_id", "course__enquiry_id"]
    people = ["course__enquiry__reference", "course__enquiry__contact"]
    return sessions.select_related("course__enquiry").only(*columns, *people)
