"""What each link of the chain does in the made-up person: curves, and sentences that are computed from them.

A page, a picture and a table of one link read the same :class:`Panel`, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.made_up import INFUSION_H, WEEKS, MadeUp, Settings
from reprieve.pharmacology.memory import Memory
from reprieve.pharmacology.plasticity import Plasticity
from reprieve.pharmacology.symptoms import CAPS5_HIGHEST

Array = NDArray[np.float64]

CADSS_HIGHEST = 92.0  # 23 items rated by the person, 0 to 4 each
FIRST_HOURS = 6.0
HOURS, IN_WEEKS, LOADS = "hours from the start of the drip", "weeks", "load of stress"
HOURS_SHOWN = (0, 1 / 3, INFUSION_H, 1, 2, 4, 6)
DAYS_SHOWN = (0, 1, 7, 14, 21, 28, 42, 56, 70, 84)
LOADS_SHOWN = (0.0, 0.5, 1.0, 1.5)
FIRST, SECOND, GREY = range(3)  # the series of the chart theme
CLOSE = 2.0  # points of the CAPS-5 within which two lines are called close


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a panel: its short name, its values, which of the three series it is."""

    label: str
    values: Array
    series: int = FIRST


@dataclass(frozen=True, slots=True)
class Panel:
    """What a link shows. ``shown`` are places along ``across`` for the table, ``drips`` weeks with a drip."""

    title: str
    said: str
    measure: str
    axis: str
    across: Array
    curves: tuple[Curve, ...]
    domain: tuple[float, float]
    shown: tuple[int, ...]
    decimals: int = 0
    drips: tuple[float, ...] = ()
    mark: float | None = None

    def __post_init__(self) -> None:
        low, high = self.domain
        for curve in self.curves:
            if curve.values.shape != self.across.shape:
                raise ValueError(f"{curve.label}: {curve.values.shape} values at {self.across.shape} places")
            if curve.values.min() < low - 1e-6 or curve.values.max() > high + 1e-6:
                raise ValueError(f"{curve.label} leaves its axis, {low:g} to {high:g}")


# How figures are said


def points(value: float) -> str:
    """Points of a score.

    >>> points(0.0), points(0.4), points(0.7), points(9.1)
    ('no points', 'less than 1 point', '1 point', '9 points')
    """
    if abs(value) < 0.05:
        return "no points"
    if round(value) < 1:
        return "less than 1 point"
    return f"{value:.0f} point{'' if round(value) == 1 else 's'}"


def time_words(hours: float) -> str:
    """A stretch of time.

    >>> time_words(0.3), time_words(1.02), time_words(2.9)
    ('20 minutes', '1 hour', '3 hours')
    """
    if hours < 0.9:
        return f"{max(round(hours * 12) * 5, 5)} minutes"
    return f"{hours:.0f} hour{'' if round(hours) == 1 else 's'}"


def times(count: float, one: str) -> str:
    """A count with its noun.

    >>> times(1, "drip"), times(6.0, "drip")
    ('1 drip', '6 drips')
    """
    return f"{count:.0f} {one}{'' if count == 1 else 's'}"


def nothing(settings: Settings) -> str:
    """Why the drug's links show nothing."""
    return "There is no drug in the drip" if settings.infusions else "There is no drip"


def _until(hours: Array, values: Array, level: float, peak: int) -> float:
    """Hours from the peak until the values are at or below ``level``."""
    below = np.flatnonzero(values[peak:] <= level)
    return float(hours[peak + below[0]] - hours[peak]) if len(below) else float(hours[-1] - hours[peak])


def _first_hours(one: MadeUp) -> NDArray[np.bool_]:
    early: NDArray[np.bool_] = one.hours <= FIRST_HOURS + 1e-9
    return early


def _places(across: Array, wanted: Sequence[float]) -> tuple[int, ...]:
    return tuple(sorted({_near(across, each) for each in wanted}))


def _near(across: Array, wanted: float) -> int:
    return int(np.argmin(np.abs(across - wanted)))


def _in_hours(
    one: MadeUp, title: str, said: str, measure: str, curves: Sequence[tuple[str, Array]], top: float
) -> Panel:
    early = _first_hours(one)
    across = one.hours[early]
    drawn = tuple(Curve(label, values[early], number) for number, (label, values) in enumerate(curves))
    if not one.settings.has_drug:
        title, said = "No drug, so nothing changes", f"{nothing(one.settings)}, so nothing changes here."
    return Panel(title, said, measure, HOURS, across, drawn, (0, top), _places(across, HOURS_SHOWN))


def _in_weeks(
    one: MadeUp, title: str, said: str, measure: str, curves: Sequence[Curve], domain: tuple[float, float]
) -> Panel:
    places = _places(one.weeks, [day / 7 for day in DAYS_SHOWN])
    drips = tuple(day / 7 for day in one.settings.days)
    return Panel(title, said, measure, IN_WEEKS, one.weeks, tuple(curves), domain, places, decimals=1, drips=drips)


# Link by link


def _blood(one: MadeUp) -> Panel:
    early = _first_hours(one)
    level = one["ketamine_plasma_ng_per_ml"]
    peak = int(np.argmax(level[early]))
    half = _until(one.hours, level, level[peak] / 2, peak)
    return _in_hours(
        one,
        "Ketamine peaks as the drip ends",
        f"When the first drip ends, each millilitre of blood holds {level[peak]:.0f} billionths of a gram of ketamine. "
        f"Half of that is gone {time_words(half)} later. The body turns it into norketamine, which stays longer.",
        "In the blood, ng/mL",
        (("ketamine", level), ("norketamine", one["norketamine_plasma_ng_per_ml"])),
        600,
    )


def _pressure(one: MadeUp) -> Panel:
    early = _first_hours(one)
    upper, lower = one["systolic_change_mmhg"], one["diastolic_change_mmhg"]
    peak = int(np.argmax(upper[early]))
    later = _near(one.hours, 2)
    return _in_hours(
        one,
        "Blood pressure goes up, then down",
        f"The upper number of the blood pressure goes up by {upper[peak]:.0f}, the lower one by {lower[peak]:.0f}. "
        f"Two hours after the start the upper one is still up by {upper[later]:.0f}.",
        "Rise of blood pressure, mmHg",
        (("upper", upper), ("lower", lower)),
        20,
    )


def _detached(one: MadeUp) -> Panel:
    early = _first_hours(one)
    score = one["cadss_total"]
    peak = int(np.argmax(score[early]))
    said = (
        f"A score of such feelings goes from {score[0]:.0f} to {score[peak]:.0f} of {CADSS_HIGHEST:.0f} points. "
        f"Two hours after the start it is at {score[_near(one.hours, 2)]:.0f}."
    )
    if one.settings.infusions > 1:
        last = one.hours >= one.settings.days[-1] * 24
        said += f" At the last drip it reaches {score[last].max():.0f}, as it fades from drip to drip."
    return _in_hours(
        one,
        "It feels strangest as the drip ends",
        said,
        f"Feeling detached, CADSS points, 0 to {CADSS_HIGHEST:.0f}, lower is less",
        (("score", score),),
        CADSS_HIGHEST,
    )


def _receptor(one: MadeUp) -> Panel:
    early = _first_hours(one)
    brakes, signals = (100 * one[f"receptor_block_{cells}_fraction"] for cells in ("interneuron", "pyramidal"))
    return _in_hours(
        one,
        "A part of the receptors is blocked",
        "Ketamine sits in a receptor called NMDA and blocks it. On cells that slow others down, "
        f"{brakes[early].max():.0f} of 100 are blocked at most. On cells that pass signals on, it is "
        f"{signals[early].max():.0f} of 100.",
        "NMDA receptors blocked, of 100",
        (("slowing", brakes), ("passing on", signals)),
        100,
    )


def _glutamate(one: MadeUp) -> Panel:
    early = _first_hours(one)
    rise = 100 * one["glutamate_rise_fraction"]
    peak = int(np.argmax(rise[early]))
    half = _until(one.hours, rise, rise[peak] / 2, peak)
    return _in_hours(
        one,
        "Glutamate rises for a short time",
        "Glutamate is what brain cells use to wake each other. With the brakes off, it rises: by "
        f"{rise[peak]:.0f} parts in 100 at most. Half of the rise is gone {time_words(half)} later.",
        "Rise of glutamate, parts in 100 of rest",
        (("glutamate", np.maximum(rise, 0.0)),),
        60,
    )


def _synapses(one: MadeUp) -> Panel:
    filled = 100 * one["synaptic_density_fraction"]
    best = int(np.argmax(filled))
    meaning = "A synapse is where one brain cell touches the next."
    if one.settings.has_drug:
        title = "Synapses grow, then thin out again"
        said = (
            f"{meaning} Of 100 places for one, {filled[0]:.0f} are filled at first. After {one.weeks[best]:.0f} weeks "
            f"it is {filled[best]:.0f}. By week {WEEKS} it is {filled[-1]:.0f}."
        )
    else:
        title = "No drug, so hardly any change"
        said = f"{meaning} {nothing(one.settings)}, so {filled[0]:.0f} of 100 places stay filled, or very few more."
    return _in_weeks(one, title, said, "Places filled by a synapse, of 100", [Curve("synapses", filled)], (80, 100))


def _stress(one: MadeUp) -> Panel:
    signal = Plasticity.of(one.settings.parameters())
    loads = np.linspace(0, 1.5, 16)
    filled = np.array([100 * signal.density(signal.resting(float(load))) for load in loads])
    own = 100 * signal.density(signal.resting(one.settings.stress))
    said = f"At the load of stress that is set, {own:.1f} of 100 places hold a synapse, before any treatment."
    said += f" With no stress it would be {filled[0]:.0f}." if one.settings.stress else " That is the most there is."
    return Panel(
        "More stress, fewer synapses", said, "Places filled by a synapse at rest, of 100", LOADS, loads,
        (Curve("at rest", filled),), (80, 100), _places(loads, (*LOADS_SHOWN, one.settings.stress)), decimals=1,
        mark=one.settings.stress,
    )  # fmt: skip


def _symptoms(one: MadeUp) -> Panel:
    severity, plain = one["caps5_total"], one["caps5_total_without_infusions"]
    start, best = severity[0], one.best
    fall, drug = round(start - severity[best]), round(one.by_drug[best])
    begins = f"The made-up person starts at {start:.0f} of {CAPS5_HIGHEST:.0f} points."
    if one.settings.has_drug:
        close = abs(one.by_drug[-1]) < CLOSE
        title = "The two lines part, then meet again" if close else "The two lines part"
        said = (
            f"{begins} By week {one.weeks[best]:.0f} the score is down by {fall}. Ketamine makes up {drug} of these. "
            f"The other {fall - drug} come without it. By week {WEEKS} the score is down by "
            f"{start - severity[-1]:.0f}, and the part of ketamine is {points(one.by_drug[-1])}. We chose the strength "
            "of this link to meet a small trial that saw a gain. To meet the largest trial, we must cut it to "
            f"{100 * one.settings.parameters()['r_mil']:.0f} parts of 100."
        )
    else:
        title = "The score falls without any drug"
        said = (
            f"{begins} By week {WEEKS} the score is down by {fall}. {nothing(one.settings)}, so none of it is the drug."
        )
    curves = [Curve("with drug", severity - start), Curve("no drug", plain - start, GREY)]
    return _in_weeks(
        one,
        title,
        said,
        f"Change of the CAPS-5, a score of 0 to {CAPS5_HIGHEST:.0f}, lower is better",
        curves if one.settings.has_drug else curves[1:],
        (-start, 0),
    )


def _receptor_learning(one: MadeUp) -> Panel:
    early = _first_hours(one)
    memory = Memory.of(one.settings.parameters())
    share = np.array([100 * memory.receptor_gate(block) for block in one["receptor_block_pyramidal_fraction"]])
    low = int(np.argmin(share[early]))
    later = _near(one.hours, 4)
    return _in_hours(
        one,
        "Learning is weaker during the drip",
        f"With the receptor blocked, the brain learns less: {share[low]:.0f} parts of 100 when the drip ends. Four "
        f"hours after the start it is {share[later]:.0f}. So no session is set on the day of a drip.",
        "What is learnt, parts in 100 of rest",
        (("learning", share),),
        100,
    )


def _synapses_learning(one: MadeUp) -> Panel:
    memory = Memory.of(one.settings.parameters())
    gate = np.array([memory.synapse_gate(float(filled)) for filled in one["synaptic_density_fraction"]])
    share = 100 * gate / gate[0]
    best = int(np.argmax(share))
    more = share[best] - 100
    if one.settings.has_drug:
        title = "A session teaches a bit more, for a while"
        said = (
            f"More synapses may let the brain learn more. At most a session teaches {more:.0f} parts in 100 more than "
            f"at first, in week {one.weeks[best]:.0f}. By week {WEEKS} it is {share[-1] - 100:.0f}."
        )
    else:
        title = "No drug, so a session teaches as before"
        said = f"{nothing(one.settings)}, so a session of therapy teaches as much as at first, or hardly more."
    return _in_weeks(
        one, title, said, "What one session teaches, parts in 100 of the start", [Curve("a session", share)], (90, 130)
    )


def _therapy(one: MadeUp) -> Panel:
    sessions = one.settings.therapy
    if sessions:
        title = "Each session takes a little off"
        said = (
            f"The memory stays. What is learnt in {times(sessions, 'session')} pulls against it. By week {WEEKS} that "
            f"takes off {points(one.by_therapy[-1])}."
        )
    else:
        title, said = "No session is set", "No session of therapy is set, so nothing is learnt against the memory."
    return _off(one, title, said, Curve("therapy", np.maximum(one.by_therapy, 0)))


def _pill(one: MadeUp) -> Panel:
    dose = one.settings.ssri
    if dose:
        title = "The pill takes its time"
        said = (
            f"With {dose:.0f} mg a day, the pill takes off {points(one.by_pill[_near(one.weeks, 2)])} by week 2, and "
            f"{points(one.by_pill[-1])} by week {WEEKS}. We count in that people skip some pills."
        )
    else:
        title, said = "No pill is set", "No pill is set, so it takes nothing off."
    return _off(one, title, said, Curve("pill", np.maximum(one.by_pill, 0)))


def _off(one: MadeUp, title: str, said: str, curve: Curve) -> Panel:
    """The points that one thing takes off; on the same axis for each, and without the drips."""
    panel = _in_weeks(one, title, said, "Points off the CAPS-5, more is better", [curve], (0, 20))
    return replace(panel, drips=())


PANELS: Mapping[str, Callable[[MadeUp], Panel]] = {
    "infusion-blood": _blood,
    "blood-pressure": _pressure,
    "blood-detached": _detached,
    "blood-receptor": _receptor,
    "receptor-glutamate": _glutamate,
    "glutamate-synapses": _synapses,
    "stress-synapses": _stress,
    "synapses-symptoms": _symptoms,
    "receptor-learning": _receptor_learning,
    "synapses-learning": _synapses_learning,
    "learning-symptoms": _therapy,
    "ssri-symptoms": _pill,
}


def panel(link_id: str, one: MadeUp) -> Panel:
    """What the link with this id shows under the settings of ``one``."""
    return PANELS[link_id](one)


def in_short(one: MadeUp) -> str:
    """All of it in two or three sentences."""
    severity = one["caps5_total"]
    fall = severity[0] - severity[-1]
    said = f"In {WEEKS} weeks the signs of PTSD of this made-up person fall by {points(fall)}."
    if not one.settings.has_drug:
        return f"{said} {nothing(one.settings)}, so none of that is ketamine."
    drug = round(one.by_drug[-1])
    return (
        f"{said} {max(round(fall) - drug, 0)} of them come without the drug. The drug does most in week "
        f"{one.weeks[one.best]:.0f}, with {points(one.by_drug[one.best])}."
    )


def settings_words(settings: Settings) -> str:
    """What is done to the made-up person, in a line."""
    parts = []
    if settings.infusions:
        given = f"{settings.dose:g} mg of ketamine per kg of weight" if settings.dose else "no drug in it"
        parts.append(f"{times(settings.infusions, 'drip')} with {given}")
    if settings.therapy:
        parts.append(times(settings.therapy, "session") + " of talk therapy")
    if settings.ssri:
        parts.append(f"{settings.ssri:.0f} mg of sertraline a day")
    return f"{', '.join(parts) or 'no treatment'}; load of stress {settings.stress:g}"
