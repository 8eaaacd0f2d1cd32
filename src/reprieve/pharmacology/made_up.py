"""A made-up person with typical values on a course that anybody may set: sliders in, one simulated course out.

It is nobody in particular, and never the reader: no weight, age or score of a real person goes in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from reprieve.pharmacology import PharmacologyError
from reprieve.pharmacology.memory import TherapySession
from reprieve.pharmacology.model import Course
from reprieve.pharmacology.parameters import ParameterSet, parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import HOURS_PER_DAY, Regimen
from reprieve.pharmacology.simulate import simulate
from reprieve.pharmacology.symptoms import Ssri

Array = NDArray[np.float64]

WHO = Person(weight_kg=70.0)
WEEKS = 12  # how long the made-up person is followed
DAYS = 7 * WEEKS
INFUSION_DAYS = (0, 2, 4, 7, 9, 11, 14, 16)  # thrice a week, with a rest at the weekend
INFUSION_H = 40 / 60
FIRST_THERAPY_DAY = 1  # then weekly, so that no session falls on the day of an infusion
KEPT = 128  # courses and comparators kept in memory


class SettingError(PharmacologyError):
    """A setting lies off its slider: says which, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class Slider:
    """One thing that can be set: its ends, its step, where it stands at first, and how it is said."""

    name: str
    label: str
    hint: str
    unit: str
    highest: float
    step: float
    usual: float

    @property
    def steps(self) -> int:
        """How many steps there are above zero."""
        return round(self.highest / self.step)

    @property
    def decimals(self) -> int:
        """How many decimals a step needs."""
        return 0 if self.step >= 1 else math.ceil(-math.log10(self.step))

    def nearest(self, asked: str | None) -> float:
        """The step nearest to what was asked; the usual one if that is no number.

        >>> DOSE.nearest("0.52"), DOSE.nearest("9"), DOSE.nearest("-1"), DOSE.nearest("a lot"), DOSE.nearest("nan")
        (0.5, 1.0, 0.0, 0.5, 0.5)
        """
        try:
            value = float(asked or "nan")
        except ValueError:
            return self.usual
        if math.isnan(value):
            return self.usual
        return self.at(round(min(max(value, 0.0), self.highest) / self.step))

    def at(self, step: int) -> float:
        """The value of this step, with no dust after the decimals that are shown."""
        return round(step * self.step, self.decimals)

    def text(self, value: float) -> str:
        """A value as the slider shows it, without its unit.

        >>> DOSE.text(0.5), THERAPY.text(6.0)
        ('0.5', '6')
        """
        return f"{value:g}"


STRESS = Slider("stress", "Load of stress", "0: calm. 1: years of PTSD.", "", 1.5, 0.1, 1.0)
DOSE = Slider("dose", "Each dose", "", "mg per kg", 1.0, 0.1, 0.5)
INFUSIONS = Slider("infusions", "Number of drips", "", "", 8, 1, 6)
THERAPY = Slider("therapy", "Weekly therapy sessions", "", "", 12, 1, 6)
SSRI = Slider("ssri", "Sertraline pill", "", "mg a day", 200, 25, 0)
SLIDERS = (DOSE, INFUSIONS, THERAPY, SSRI, STRESS)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where each slider stands.

    >>> Settings(dose=0.55)
    Traceback (most recent call last):
        ...
    reprieve.pharmacology.made_up.SettingError: dose 0.55; it goes from 0 to 1 in steps of 0.1: take the nearest
    """

    dose: float = DOSE.usual
    infusions: float = INFUSIONS.usual
    therapy: float = THERAPY.usual
    ssri: float = SSRI.usual
    stress: float = STRESS.usual

    def __post_init__(self) -> None:
        for slider in SLIDERS:
            value = self.of(slider)
            if not math.isfinite(value) or slider.nearest(str(value)) != value:
                raise SettingError(
                    f"{slider.name} {value:g}; it goes from 0 to {slider.highest:g} in steps of {slider.step:g}: "
                    "take the nearest"
                )

    @classmethod
    def asked(cls, given: Mapping[str, str]) -> Settings:
        """The settings nearest to what was asked; what is missing or no number stands as usual."""
        return cls(**{slider.name: slider.nearest(given.get(slider.name)) for slider in SLIDERS})

    def of(self, slider: Slider) -> float:
        """Where this slider stands."""
        return float(getattr(self, slider.name))

    def texts(self) -> dict[str, str]:
        """Each slider's name and its value as text, as an address has them."""
        return {slider.name: slider.text(self.of(slider)) for slider in SLIDERS}

    @property
    def has_drug(self) -> bool:
        """Whether any ketamine is given."""
        return self.dose > 0 and self.infusions > 0

    @property
    def is_treated(self) -> bool:
        """Whether anything is done, a drip without drug included."""
        return self.infusions > 0 or self.therapy > 0 or self.ssri > 0

    @property
    def days(self) -> tuple[int, ...]:
        """The days of the drips."""
        return INFUSION_DAYS[: int(self.infusions)]

    def course(self) -> Course:
        """What is done."""
        regimen = Regimen.repeated(self.dose * WHO.weight_kg, INFUSION_H, self.days) if self.has_drug else Regimen()
        sessions = tuple(TherapySession(float(FIRST_THERAPY_DAY + 7 * week)) for week in range(int(self.therapy)))
        pills = (Ssri(self.ssri),) if self.ssri else ()
        return Course(regimen, sessions, pills)

    def parameters(self) -> ParameterSet:
        """The default set with this load of stress; who gets nothing has nothing to believe in."""
        belief = {} if self.is_treated else {"w_P": 0.0}
        return parameter_set(overrides={"sigma_0": self.stress, **belief})


def _times_min() -> Array:
    """Minutes: closely over the first eight hours, at the end of each drip, twice a day to the end."""
    close = np.concatenate([np.arange(0, 181, 2), np.arange(190, 481, 10)])
    ends = (np.array(INFUSION_DAYS) * HOURS_PER_DAY + INFUSION_H) * 60
    times: Array = np.unique(np.concatenate([close, ends, np.arange(0, 2 * DAYS + 1) * 720.0]).round(6))
    return times


TIMES_MIN = _times_min()


@dataclass(frozen=True)
class MadeUp:
    """The made-up person under these settings: every trajectory, and what the symptoms would be with less."""

    settings: Settings
    course: xr.Dataset
    without_therapy: Array  # nor drug, CAPS-5 points over time, as the two below
    without_pill: Array  # nor drug, nor therapy
    untreated: Array  # nor belief

    def __getitem__(self, name: str) -> Array:
        """A trajectory by its name; shape (T,)."""
        values: Array = self.course[name].values[0]
        return values

    @property
    def hours(self) -> Array:
        """Times in hours; shape (T,)."""
        return TIMES_MIN / 60

    @property
    def weeks(self) -> Array:
        """Times in weeks; shape (T,)."""
        return TIMES_MIN / 60 / HOURS_PER_DAY / 7

    @cached_property
    def by_drug(self) -> Array:
        """Points that the model gives the drug; shape (T,)."""
        return self["caps5_total_without_infusions"] - self["caps5_total"]

    @cached_property
    def by_therapy(self) -> Array:
        """Points that it gives therapy, without drug; shape (T,)."""
        return self.without_therapy - self["caps5_total_without_infusions"]

    @cached_property
    def by_pill(self) -> Array:
        """Points that it gives sertraline, without drug and therapy; shape (T,)."""
        return self.without_pill - self.without_therapy

    @cached_property
    def by_belief(self) -> Array:
        """Points that it gives the belief to be treated; shape (T,)."""
        return self.untreated - self.without_pill

    @cached_property
    def by_time(self) -> Array:
        """Points that come off with time and with a second look at people who were at their worst; shape (T,)."""
        fall: Array = self.untreated[0] - self.untreated
        return fall

    @property
    def shares(self) -> dict[str, Array]:
        """Every part of the fall, in the order in which they were added; together they are the fall."""
        return {
            "time": self.by_time,
            "belief": self.by_belief,
            "sertraline": self.by_pill,
            "therapy": self.by_therapy,
            "ketamine": self.by_drug,
        }

    @property
    def best(self) -> int:
        """The place in time at which the drug's part is largest; the end if there is no drug."""
        return int(np.argmax(self.by_drug)) if self.settings.has_drug else len(TIMES_MIN) - 1


@lru_cache(maxsize=KEPT)
def made_up(settings: Settings) -> MadeUp:
    """The made-up person under these settings, computed once."""
    stress = settings.stress
    course = simulate(settings.course(), WHO, settings.parameters(), times_min=TIMES_MIN)
    without_drug: Array = course["caps5_total_without_infusions"].values[0]
    without_therapy = _severity(stress, settings.ssri, settings.is_treated) if settings.therapy else without_drug
    without_pill = _severity(stress, 0.0, settings.is_treated) if settings.ssri else without_therapy
    return MadeUp(settings, course, without_therapy, without_pill, _severity(stress, 0.0, False))


@lru_cache(maxsize=KEPT)
def _severity(stress: float, ssri: float, believes: bool) -> Array:
    """CAPS-5 points over time with no drug and no therapy; shape (T,)."""
    settings = Settings(dose=0, infusions=1 if believes else 0, therapy=0, ssri=ssri, stress=stress)
    found: Array = simulate(settings.course(), WHO, settings.parameters(), times_min=TIMES_MIN)["caps5_total"].values[0]
    return found
