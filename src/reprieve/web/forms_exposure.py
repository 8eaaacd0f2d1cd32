"""What is typed on the exposure page: a body, a planned course, and readings. Nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reprieve.pharmacology.person import HEAVIEST_KG, LIGHTEST_KG, OLDEST_YEARS, YOUNGEST_YEARS, Person
from reprieve.pharmacology.readings import KINDS, Reading
from reprieve.pharmacology.regimen import HOURS_PER_DAY, Regimen

ROWS = 6
LARGEST_MG_PER_KG = 2.0
LONGEST_MIN, MOST_DAYS, LAST_DAY = 600, 20, 365
READ_WITHIN_MIN = 1440
# Each column of a row of readings: its heading, lowest, highest, and the figure's name in an error
COLUMNS = (
    ("minute", "Minute", None, READ_WITHIN_MIN, "the minute"),
    ("systolic", "Upper", 60, 300, "the upper pressure"),
    ("diastolic", "Lower", 30, 200, "the lower pressure"),
    ("cadss", "CADSS", 0, 92, "the CADSS"),
    ("ketamine", "Ketamine", 0.1, 20_000, "the ketamine level"),
)


class Number(forms.FloatField):
    """A number as people type it, 72.5 or 72,5, within limits; what was typed is kept."""

    def __init__(self, name: str, low: float | None, high: float, unit: str = "", **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "maxlength": "12"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)
        span = unit if low is None else f"{low:g} to {high:g} {unit}".strip()
        self.low, self.high, self.wrong = low, high, f"Write {name} as a number, {span}"
        self.error_messages |= {"required": self.wrong, "invalid": self.wrong}

    def to_python(self, value: Any) -> float | None:  # type: ignore[override]  # as FloatField itself does
        """A comma is a point."""
        return super().to_python(str(value or "").strip().replace(",", "."))

    def validate(self, value: Any) -> None:
        """Within the limits."""
        super().validate(value)
        if value is not None and not (self.low is None or value >= self.low):
            raise ValidationError(self.wrong)
        if value is not None and value > self.high:
            raise ValidationError(self.wrong)


class ExposureForm(forms.Form):
    """One person, one course, one session of it, and up to six readings."""

    weight_kg = Number("the weight", LIGHTEST_KG, HEAVIEST_KG, "kg", label="Weight, kg")
    age_years = Number("the age", YOUNGEST_YEARS, OLDEST_YEARS, "years", label="Age, years", required=False)
    sex = forms.ChoiceField(
        label="Sex",
        required=False,
        choices=[("", "Not said"), ("female", "Female"), ("male", "Male")],
        error_messages={"invalid_choice": "Choose female, male or not said"},
    )
    dose_mg_per_kg = Number("the dose", 0.05, LARGEST_MG_PER_KG, "mg/kg", label="Dose, mg/kg", initial="0.5")
    duration_min = Number("the length", 2, LONGEST_MIN, "minutes", label="Minutes of each infusion", initial="40")
    days = forms.CharField(
        label="Days of the infusions",
        max_length=100,
        initial="0, 2, 4, 7, 9, 11",
        help_text="Day 0 is the first. Commas between.",
        error_messages={"required": "Write the days of the infusions, such as 0, 2, 4"},
        widget=forms.TextInput(attrs={"inputmode": "text"}),
    )
    session = Number("which session", 1, MOST_DAYS, label="Which session to look at", initial="1")
    rest_systolic = Number("the upper pressure at rest", 60, 250, "mmHg", label="Upper", required=False)
    rest_diastolic = Number("the lower pressure at rest", 30, 150, "mmHg", label="Lower", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in range(1, ROWS + 1):
            for column, heading, low, high, name in COLUMNS:
                unit = f"at most {READ_WITHIN_MIN} after the start" if column == "minute" else ""
                field = Number(f"{name} of reading {row}", low, high, unit, required=False)
                field.label = f"{heading}, reading {row}"
                field.widget.attrs["aria-label"] = field.label
                self.fields[f"{column}_{row}"] = field
        for each in self.fields.values():
            each.widget.attrs["autocomplete"] = "off"

    def rows(self) -> Iterator[list[forms.BoundField]]:
        """The readings' fields, row by row."""
        for row in range(1, ROWS + 1):
            yield [self[f"{column}_{row}"] for column, *_ in COLUMNS]

    @property
    def headings(self) -> tuple[str, ...]:
        """Of the readings' columns."""
        return tuple(heading for _, heading, *_ in COLUMNS)

    @property
    def wrong_readings(self) -> list[forms.BoundField]:
        """Fields of the rows in which something is wrong, to be said above them."""
        return [field for row in self.rows() for field in row if field.errors]

    def clean_days(self) -> tuple[int, ...]:
        """Whole days, each once, in order."""
        words = self.cleaned_data["days"]
        try:
            days = sorted(int(each) for each in words.replace(";", ",").split(",") if each.strip())
        except ValueError:
            raise ValidationError("Write the days as whole numbers with commas between, such as 0, 2, 4") from None
        if not days or len(days) > MOST_DAYS or not 0 <= days[0] <= days[-1] <= LAST_DAY or len(set(days)) < len(days):
            raise ValidationError(f"Write 1 to {MOST_DAYS} different days, from 0 to {LAST_DAY}")
        return tuple(days)

    def clean_session(self) -> int:
        """A whole number."""
        session = self.cleaned_data["session"]
        if session != int(session):
            raise ValidationError("Write which session as a whole number, 1 for the first")
        return int(session)

    def clean(self) -> dict[str, Any]:
        """The session is one of the course; each row has a minute and something read; a rise has a rest."""
        said = super().clean() or {}
        days = said.get("days", ())
        if days and said.get("session", 1) > len(days):
            many = f"the course has {len(days)}" if len(days) > 1 else "the course has one"
            self.add_error("session", f"Write which session: {many}")
        for row in range(1, ROWS + 1):
            self._check_row(row, said)
        for which in ("systolic", "diastolic"):
            read = any(said.get(f"{which}_{row}") is not None for row in range(1, ROWS + 1))
            rest = f"rest_{which}"
            if read and said.get(rest) is None and rest not in self.errors:
                word = "upper" if which == "systolic" else "lower"
                self.add_error(rest, f"Write the {word} pressure at rest too: a rise is counted from it")
        return said

    def _check_row(self, row: int, said: dict[str, Any]) -> None:
        minute = said.get(f"minute_{row}")
        names = [f"{column}_{row}" for column, *_ in COLUMNS if column != "minute"]
        filled = any(said.get(name) is not None or name in self.errors for name in names)
        if f"minute_{row}" in self.errors:
            return
        if filled and minute is None:
            self.add_error(f"minute_{row}", f"Write the minute of reading {row}")
        elif minute is not None and minute <= 0:
            self.add_error(
                f"minute_{row}",
                f"Reading {row}: write a minute after the infusion starts. A pressure before it is the one at rest",
            )
        elif minute is not None and not filled:
            self.add_error(f"minute_{row}", f"Reading {row}: write what was read, or take the minute away")
        cadss = said.get(f"cadss_{row}")
        if cadss is not None and cadss != int(cadss):
            self.add_error(f"cadss_{row}", f"Write the CADSS of reading {row} as a whole number")
        upper, lower = said.get(f"systolic_{row}"), said.get(f"diastolic_{row}")
        if upper is not None and lower is not None and lower >= upper:
            self.add_error(f"diastolic_{row}", f"Reading {row}: the lower pressure must be below the upper")
        for which in ("systolic", "diastolic"):
            kind = KINDS[f"{which}_change_mmhg"]
            rise = _rise(said.get(f"{which}_{row}"), said.get(f"rest_{which}"))
            if rise is not None and not kind.lowest <= rise <= kind.highest:
                self.add_error(
                    f"{which}_{row}", f"Reading {row}: {rise:+g} mmHg from rest cannot be right, look at both again"
                )

    @property
    def person(self) -> Person:
        """Who it is for."""
        said = self.cleaned_data
        return Person(said["weight_kg"], said["age_years"], said["sex"] or None)

    @property
    def regimen(self) -> Regimen:
        """The planned course."""
        said = self.cleaned_data
        dose_mg = said["dose_mg_per_kg"] * said["weight_kg"]
        return Regimen.repeated(dose_mg, said["duration_min"] / 60, said["days"])

    @property
    def rest(self) -> dict[str, float | None]:
        """Pressures at rest, by the signal that is counted from them."""
        said = self.cleaned_data
        return {f"{which}_change_mmhg": said[f"rest_{which}"] for which in ("systolic", "diastolic")}

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What was read: pressures less those at rest, times from day 0; a ketamine level is from a vein."""
        said = self.cleaned_data
        begins = said["days"][said["session"] - 1] * HOURS_PER_DAY * 60
        found = []
        for row in range(1, ROWS + 1):
            read = {column: said[f"{column}_{row}"] for column, *_ in COLUMNS}
            if read["minute"] is None:
                continue
            values = {
                "systolic_change_mmhg": _rise(read["systolic"], said["rest_systolic"]),
                "diastolic_change_mmhg": _rise(read["diastolic"], said["rest_diastolic"]),
                "cadss_total": read["cadss"],
                "ketamine_venous_ng_per_ml": read["ketamine"],
            }
            found += [Reading(begins + read["minute"], what, v) for what, v in values.items() if v is not None]
        return tuple(found)


def _rise(value: float | None, rest: float | None) -> float | None:
    return None if value is None or rest is None else value - rest
