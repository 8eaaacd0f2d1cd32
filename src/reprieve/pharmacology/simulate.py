"""The one call: what a course does in a body, or in a population of bodies, as named trajectories with units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG, SITES, SiteError
from reprieve.pharmacology.dissociation import prior_sittings
from reprieve.pharmacology.model import Course, Model, Switches, TimesError, Trajectory, solve
from reprieve.pharmacology.parameters import ParameterSet, parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import HOURS_PER_DAY, Regimen
from reprieve.pharmacology.symptoms import CAPS5_HIGHEST, Items
from reprieve.pharmacology.variability import Drawn, PopulationError, draw

Array = NDArray[np.float64]

RESEARCH_ONLY = (
    "For research and method development only. Not for dosing people, and no forecast for any one person: the links "
    "after receptor block are plausible or speculative."
)

# Every trajectory: its unit, and what it is
VARIABLES = {
    "ketamine_plasma_ng_per_ml": ("ng/mL", "total racemic ketamine in plasma at the sampling site"),
    "norketamine_plasma_ng_per_ml": ("ng/mL", "total norketamine in plasma"),
    "hydroxynorketamine_plasma_ng_per_ml": ("ng/mL", "total hydroxynorketamine in plasma"),
    "effect_site_ketamine_umol_per_l": ("umol/L", "free ketamine at the effect site"),
    "receptor_block_interneuron_fraction": ("1", "NMDA receptors blocked on interneurons"),
    "receptor_block_pyramidal_fraction": ("1", "NMDA receptors blocked on pyramidal cells"),
    "glutamate_rise_fraction": ("1", "rise of prefrontal glutamate relative to rest"),
    "bdnf_signal_fraction": ("1", "AMPA throughput and BDNF, in units of the glutamate rise"),
    "translation_signal_fraction": ("1", "mTOR and translation, in the same units"),
    "spine_signal_fraction": ("1", "spine-formation signal, in the same units"),
    "labile_synapse_fraction": ("1", "filled share of the labile prefrontal synapses"),
    "synaptic_density_fraction": ("1", "prefrontal synaptic density relative to all sites filled"),
    "stress_load_fraction": ("1", "load of stress; chronic PTSD 1, healthy 0"),
    "extinction_fraction": ("1", "learnt against the trauma memory"),
    "caps5_total": ("points", "expected CAPS-5 total, 0 to 80"),
    "caps5_total_without_infusions": ("points", "the same without the infusions: natural course, belief, the rest"),
    "pcl5_total": ("points", "expected PCL-5 total, 0 to 80"),
    "systolic_change_mmhg": ("mmHg", "rise of systolic pressure above rest"),
    "diastolic_change_mmhg": ("mmHg", "rise of diastolic pressure above rest"),
    "pulse_change_per_min": ("1/min", "rise of the pulse above rest"),
    "cadss_total": ("points", "expected CADSS total"),
}
CHAIN_VARIABLES = {
    "glutamate_rise_fraction": "G",
    "bdnf_signal_fraction": "N",
    "translation_signal_fraction": "M",
    "spine_signal_fraction": "W",
    "labile_synapse_fraction": "s",
    "stress_load_fraction": "sigma",
    "extinction_fraction": "X",
}
MOST_PEOPLE = 10_000
LAST_DAY = 3650  # of a course laid out twice a day
RTOL, ATOL = 1e-7, 1e-9  # of the solver here; the oracle's own defaults are finer

AnyCourse = Course | Regimen | Callable[[float], Course | Regimen]


@dataclass(frozen=True, slots=True)
class Population:
    """People drawn about the typical values: how many, from which seed. ``weight_kg`` None draws weights too."""

    people: int
    seed: int = 1
    weight_kg: float | None = None
    sex: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.people <= MOST_PEOPLE:
            raise PopulationError(f"{self.people} people; this readable form of the model takes 1 to {MOST_PEOPLE}")
        if self.weight_kg is not None:
            Person(weight_kg=self.weight_kg, sex=self.sex)

    def drawn(self, p: ParameterSet) -> list[Drawn]:
        """Each person, in order of number."""
        return [draw(p, self.seed, number, self.weight_kg, self.sex) for number in range(self.people)]


def simulate(
    course: AnyCourse,
    who: Person | Population | None = None,
    parameters: ParameterSet | None = None,
    *,
    times_min: Sequence[float] | Array | None = None,
    until_day: float | None = None,
    site: str = "arterial",
    switches: Switches | None = None,
) -> xr.Dataset:
    """What a course does, from plasma to symptoms.

    Parameters
    ----------
    course : a regimen alone, or with therapy sessions, an SSRI, an arm and a setting; or a function from body weight
        in kg to either, so that doses by weight follow each person of a population
    who : one person, whose values are the typical ones, or a population, each with values of their own
    parameters : the ``default`` set if not given
    times_min : minutes from day 0, increasing; if not given, close about each infusion and twice a day to ``until_day``
    until_day : 14 days after the last infusion if not given
    site : where plasma is drawn, arterial or venous; the effect site always follows arterial blood

    Returns
    -------
    dimensions ``person`` and ``time`` (coordinate ``times_min``), the variables of :data:`VARIABLES`, ``units`` and
    ``long_name`` on each, and as attributes the parameter set, what was overridden, and warnings

    Examples
    --------
    >>> from reprieve.pharmacology.regimen import Infusion
    >>> half_mg_per_kg = Regimen([Infusion(start_h=0, duration_h=2 / 3, dose_mg=35)])
    >>> found = simulate(half_mg_per_kg, Person(weight_kg=70), times_min=[40, 80, 110])
    >>> found.ketamine_plasma_ng_per_ml.values.round()
    array([[253.,  74.,  54.]])
    """
    p = parameters or parameter_set()
    asked = who or Person()
    if site not in SITES:
        raise SiteError(f"site {site!r}; it must be {' or '.join(SITES)}")
    given = _course(course, asked.weight_kg or REFERENCE_WEIGHT_KG)
    times = np.asarray(times_min if times_min is not None else default_times_min(given.regimen, until_day), dtype=float)
    runs = _runs(course, asked, p, switches or Switches())
    each = [_variables(one, times, site) for one in runs]
    dataset = xr.Dataset(
        {
            name: (("person", "time"), np.stack([one[name] for one in each]), {"units": unit, "long_name": words})
            for name, (unit, words) in VARIABLES.items()
        },
        coords={
            "person": ("person", [one.number for one in runs]),
            "times_min": ("time", times, {"units": "min", "long_name": "time from day 0"}),
            "weight_kg": ("person", [one.dosed.person.weight_kg for one in runs], {"units": "kg"}),
        },
    )
    return dataset.assign_attrs(_attributes(runs[0].dosed, p, site))


@dataclass(frozen=True, slots=True)
class _Run:
    """One person twice: on the course, and on the same course without its infusions."""

    number: int
    dosed: Model
    undosed: Model
    pcl5_offset: float = 0.0


def _course(course: AnyCourse, weight_kg: float) -> Course:
    """The course of a person of this weight."""
    if isinstance(course, Regimen):
        return Course(regimen=course)
    return course if isinstance(course, Course) else _course(course(weight_kg), weight_kg)


def _runs(course: AnyCourse, who: Person | Population, p: ParameterSet, switches: Switches) -> list[_Run]:
    if isinstance(who, Person):
        own = _course(course, who.weight_kg)
        return [_Run(0, Model(p, who, own, switches), Model(p, who, _undosed(own), switches))]
    found = []
    for drawn in who.drawn(p):
        own = _course(course, drawn.person.weight_kg)
        dosed, undosed = (Model(drawn.p, drawn.person, each, switches) for each in (own, _undosed(own)))
        found.append(_Run(drawn.number, _believing(dosed, drawn), _believing(undosed, drawn), drawn.pcl5_offset))
    return found


def _undosed(course: Course) -> Course:
    return replace(course, regimen=Regimen())


def _believing(model: Model, drawn: Drawn) -> Model:
    """The model of somebody who believes, or does not, by their rank among all."""
    return replace(model, believes=float(drawn.belief_rank < model.belief))


def _solved(model: Model, times_min: Array) -> Trajectory:
    return solve(model, times_min / 60, rtol=RTOL, atol=ATOL)


def _variables(one: _Run, times_min: Array, site: str) -> dict[str, Array]:
    """Every variable of one person; each of shape (T,)."""
    model, found = one.dosed, _solved(one.dosed, times_min)
    disposition, by = model.exposure.disposition, model.symptoms
    arterial = found["A1"] / disposition.V1 * disposition.molar_mass_ketamine
    density = model.plasticity.density(found["s"])
    synaptic_fall = by.synapse_weight * (density - model.resting_density)
    pcl5 = Items.of(model.p).pcl5(found["theta"], synaptic_fall) + one.pcl5_offset
    begins = [sitting[0].start_h for sitting in model.course.regimen.sittings()]
    return {
        "ketamine_plasma_ng_per_ml": found["Cv"] * disposition.molar_mass_ketamine if site == "venous" else arterial,
        "norketamine_plasma_ng_per_ml": found["AN1"] / disposition.VN * disposition.molar_mass_norketamine,
        "hydroxynorketamine_plasma_ng_per_ml": found["AH"] / disposition.VH * disposition.molar_mass_hydroxynorketamine,
        "effect_site_ketamine_umol_per_l": found["Ce"],
        "receptor_block_interneuron_fraction": found["BI"],
        "receptor_block_pyramidal_fraction": found["BP"],
        **{name: found[state] for name, state in CHAIN_VARIABLES.items()},
        "synaptic_density_fraction": density,
        "caps5_total": np.clip(found["theta"], 0.0, CAPS5_HIGHEST),
        "caps5_total_without_infusions": np.clip(_solved(one.undosed, times_min)["theta"], 0.0, CAPS5_HIGHEST),
        "pcl5_total": np.clip(pcl5, 0.0, CAPS5_HIGHEST),
        "systolic_change_mmhg": model.haemodynamics.systolic_change_mmhg(arterial),
        "diastolic_change_mmhg": model.haemodynamics.diastolic_change_mmhg(arterial),
        "pulse_change_per_min": model.haemodynamics.pulse_change_per_min(arterial),
        "cadss_total": model.dissociation.mean(
            model.effect_site_ng_per_ml(found["Ce"]), prior_sittings(found.times_h, begins)
        ),
    }


def _attributes(first: Model, p: ParameterSet, site: str) -> dict[str, Any]:
    course = first.course
    return {
        "title": "Reprieve: simulated course",
        "caution": RESEARCH_ONLY,
        "parameter_set": p.name,
        "overrides": ", ".join(f"{symbol}={value:g}" for symbol, value in p.changed.items()),
        "site": site,
        "arm": course.arm,
        "setting": course.setting,
        "warnings": [*p.warnings, *course.regimen.warnings(first.person.weight_kg)],
    }


def default_times_min(regimen: Regimen, until_day: float | None = None) -> Array:
    """Minutes: every 2 to 3 h after each sitting begins, every 10 to 8 h, and twice a day; shape (T,), increasing."""
    begins = [sitting[0].start_h * 60 for sitting in regimen.sittings()]
    stops = [infusion.stop_h * 60 for infusion in regimen.infusions]
    last = until_day if until_day is not None else max(stops, default=0.0) // (60 * HOURS_PER_DAY) + 14
    if not 0 < last <= LAST_DAY:
        raise TimesError(
            f"until day {last:g}; it must be above 0 and at most {LAST_DAY} (give times_min to go further)"
        )
    close = np.concatenate([np.arange(0, 181, 2), np.arange(190, 481, 10)])
    times = np.concatenate([*(begin + close for begin in begins), stops, np.arange(0, last, 0.5) * 1440, [last * 1440]])
    kept: Array = np.unique(times[times <= last * 1440].round(6))
    return kept


def summary(dataset: xr.Dataset, name: str) -> tuple[Array, Array, Array]:
    """Median and the central 90 % of people at each time; three of shape (T,)."""
    low, middle, high = np.quantile(dataset[name].values, [0.05, 0.5, 0.95], axis=0)
    return middle, low, high
