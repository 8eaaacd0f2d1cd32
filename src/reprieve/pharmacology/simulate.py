"""The one call: what a course does in a body, or in a population of bodies, as named trajectories with units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reprieve.pharmacology.compartments import REFERENCE_WEIGHT_KG, SITES, STATES, SiteError, clearance_factor
from reprieve.pharmacology.dissociation import prior_sittings
from reprieve.pharmacology.model import Course, Model, Switches, TimesError, solve
from reprieve.pharmacology.parameters import ParameterSet, parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import HOURS_PER_DAY, Regimen
from reprieve.pharmacology.symptoms import CAPS5_HIGHEST, CLUSTERS, Items
from reprieve.pharmacology.trajectories import Trajectories
from reprieve.pharmacology.variability import Drawn, PopulationError, draw

if TYPE_CHECKING:
    import xarray as xr

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
    "pcl5_intrusion": ("points", "expected sum of PCL-5 items 1 to 5"),
    "pcl5_avoidance": ("points", "expected sum of PCL-5 items 6 and 7"),
    "pcl5_negative_mood": ("points", "expected sum of PCL-5 items 8 to 14"),
    "pcl5_arousal": ("points", "expected sum of PCL-5 items 15 to 20"),
    "systolic_change_mmhg": ("mmHg", "rise of systolic pressure above rest"),
    "diastolic_change_mmhg": ("mmHg", "rise of diastolic pressure above rest"),
    "pulse_change_per_min": ("1/min", "rise of the pulse above rest"),
    "cadss_total": ("points", "expected CADSS total"),
    "sedation_chance_fraction": ("1", "chance of being less than fully alert, MOAA/S below 5"),
}
KERNEL_STATES = {  # symbols of the readable model under their names in the kernel and here
    "BI": "receptor_block_interneuron_fraction",
    "BP": "receptor_block_pyramidal_fraction",
    "G": "glutamate_rise_fraction",
    "N": "bdnf_signal_fraction",
    "M": "translation_signal_fraction",
    "W": "spine_signal_fraction",
    "s": "labile_synapse_fraction",
    "sigma": "stress_load_fraction",
    "X": "extinction_fraction",
}
MOST_VALUES = 4_000_000  # people times times of one call, about a gigabyte
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
        if self.people < 1:
            raise PopulationError(f"{self.people} people; there must be at least 1")
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
    found = trajectories(
        course, who, parameters, times_min=times_min, until_day=until_day, site=site, switches=switches
    )
    return found.dataset()


def trajectories(
    course: AnyCourse,
    who: Person | Population | None = None,
    parameters: ParameterSet | None = None,
    *,
    times_min: Sequence[float] | Array | None = None,
    until_day: float | None = None,
    site: str = "arterial",
    switches: Switches | None = None,
    progress: Callable[[int], None] | None = None,
) -> Trajectories:
    """The same as :func:`simulate` as plain arrays, which spares a program a second at its start.

    ``progress`` is told after each person how many are done.
    """
    p = parameters or parameter_set()
    asked = who or Person()
    if site not in SITES:
        raise SiteError(f"site {site!r}; it must be {' or '.join(SITES)}")
    weight_kg = asked.weight_kg or REFERENCE_WEIGHT_KG
    given = _course(course, weight_kg)
    times = np.asarray(times_min if times_min is not None else default_times_min(given.regimen, until_day), dtype=float)
    runs = _runs(course, asked, p, switches or Switches(), len(times))
    values = {name: np.empty((len(runs), len(times))) for name in VARIABLES}
    for row, (run, chain) in enumerate(zip(runs, _chains(runs, times), strict=True)):
        for name, each in _variables(run, chain, times, site).items():
            values[name][row] = each
        if progress:
            progress(row + 1)
    return Trajectories(
        numbers=np.array([run.number for run in runs]),
        weight_kg=np.array([run.dosed.person.weight_kg for run in runs]),
        times_min=times,
        values=values,
        said=VARIABLES,
        attrs=_attributes(given, weight_kg, p, site),
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """One person on the course, and where they stand among those who believe; None takes the chance of believing."""

    number: int
    dosed: Model
    belief_rank: float | None = None
    pcl5_offset: float = 0.0

    @property
    def undosed(self) -> Model:
        """The same person on the same course without its infusions."""
        return replace(self.dosed, course=replace(self.dosed.course, regimen=Regimen()))


def _course(course: AnyCourse, weight_kg: float) -> Course:
    """The course of a person of this weight."""
    if isinstance(course, Regimen):
        return Course(regimen=course)
    return course if isinstance(course, Course) else _course(course(weight_kg), weight_kg)


def _runs(course: AnyCourse, who: Person | Population, p: ParameterSet, switches: Switches, times: int) -> list[_Run]:
    if isinstance(who, Person):
        return [_Run(0, Model(p, who, _course(course, who.weight_kg), switches))]
    if who.people * times > MOST_VALUES:
        raise PopulationError(
            f"{who.people} people at {times} times; together at most {MOST_VALUES:,}: ask for fewer times, or for the "
            "people in parts (kernel.simulate_many takes millions)"
        )
    return [_drawn_run(course, drawn, switches) for drawn in who.drawn(p)]


def _drawn_run(course: AnyCourse, drawn: Drawn, switches: Switches) -> _Run:
    own = _course(course, drawn.person.weight_kg)
    if drawn.p["cv_occ"] > 0:
        own = replace(own, regimen=own.regimen.scaled(drawn.occasions(len(own.regimen.sittings())).tolist()))
    return _Run(
        drawn.number, Model(drawn.p, drawn.person, own, switches), drawn.belief_rank, drawn.pcl5_offset
    )  # fmt: skip


Chain = Mapping[str, Array]  # states after the drug by symbol, blocks, and severity without infusions; each (T,)


def _chains(runs: Sequence[_Run], times_min: Array) -> Iterator[Chain]:
    """The chain of each person: a population by the kernel if it can, else the readable model person by person."""
    shared = shared_course([run.dosed for run in runs]) if runs[0].belief_rank is not None else None
    if shared is None:
        yield from (_chain(run, times_min) for run in runs)
        return
    from reprieve.pharmacology.kernel import UNBOUNDED, ManyError, People, simulate_many  # numba is slow to load

    states = {**KERNEL_STATES, "theta": UNBOUNDED}
    sets = [_with_covariates(run.dosed) for run in runs]
    ranks = np.array([run.belief_rank for run in runs], dtype=float)
    people, days = People.of([run.dosed.person for run in runs], sets, ranks), times_min / (60 * HOURS_PER_DAY)
    switches = replace(runs[0].dosed.switches, covariates=())
    course, occasions = shared
    try:
        dosed = simulate_many(people, course, days, list(states.values()), occasions=occasions, switches=switches)
    except ManyError:  # such as a drug that stays for days
        yield from (_chain(run, times_min) for run in runs)
        return
    undosed = simulate_many(people, replace(course, regimen=Regimen()), days, [UNBOUNDED], switches=switches)
    for row in range(len(runs)):
        found = {symbol: dosed[name][row] for symbol, name in states.items()}
        yield {**found, "theta without": undosed[UNBOUNDED][row]}


def _with_covariates(model: Model) -> ParameterSet:
    return model.p.replaced({"CL": model.p["CL"] * clearance_factor(model.person, model.switches.covariates)})


def shared_course(models: Sequence[Model]) -> tuple[Course, Array] | None:
    """One course and how many times its doses each person gets in each sitting, if that says what all of them get.

    None if it does not, or if the kernel has no such form of the model. The array has the shape (n, sittings).
    """
    first = models[0].course
    therapy = [session.day for session in first.therapy]
    if models[0].switches.kinetic_block or len(set(therapy)) < len(therapy):
        return None
    sittings = first.regimen.sittings()
    starts = np.cumsum([0, *map(len, sittings)])[:-1]
    reference = _doses(first.regimen)
    occasions = np.ones((len(models), len(sittings)))
    for row, model in enumerate(models):
        if replace(model.course, regimen=first.regimen) != first or _timing(model) != _timing(models[0]):
            return None
        if len(sittings):
            ratios = _doses(model.course.regimen) / reference
            occasions[row] = ratios[starts]
            if not np.allclose(ratios, np.repeat(occasions[row], list(map(len, sittings))), rtol=1e-12, atol=0):
                return None
    return first, occasions


def _doses(regimen: Regimen) -> Array:
    return np.array([each.dose_mg for each in regimen.infusions])


def _timing(model: Model) -> list[tuple[float, float]]:
    return [(each.start_h, each.duration_h) for each in model.course.regimen.infusions]


def _chain(run: _Run, times_min: Array) -> Chain:
    """The chain of one person by the readable model."""
    dosed, undosed = (
        solve(_believing(model, run.belief_rank), times_min / 60, rtol=RTOL, atol=ATOL)
        for model in (run.dosed, run.undosed)
    )
    found = {symbol: dosed[symbol] for symbol in (*KERNEL_STATES, "theta")}
    return {**found, "theta without": undosed["theta"]}


def _believing(model: Model, rank: float | None) -> Model:
    """The model of somebody who believes, or does not, by their rank among all."""
    return model if rank is None else replace(model, believes=float(rank < model.belief))


def _variables(run: _Run, chain: Chain, times_min: Array, site: str) -> dict[str, Array]:
    """Every variable of one person; each of shape (T,)."""
    model, by, times_h = run.dosed, run.dosed.symptoms, times_min / 60
    disposition, drug = model.exposure.disposition, dict(zip(STATES, model.exposure.at(times_h).T, strict=True))
    arterial = drug["A1"] / disposition.V1 * disposition.molar_mass_ketamine
    felt = model.effect_site_ng_per_ml(drug["Ce"])
    density = model.plasticity.density(chain["s"])
    items = Items.of(model.p).expected(chain["theta"], by.synapse_weight * (density - model.resting_density))
    clusters = {name: items[:, [item - 1 for item in numbers]].sum(axis=1) for name, numbers in CLUSTERS.items()}
    begins = [sitting[0].start_h for sitting in model.course.regimen.sittings()]
    return {
        "ketamine_plasma_ng_per_ml": drug["Cv"] * disposition.molar_mass_ketamine if site == "venous" else arterial,
        "norketamine_plasma_ng_per_ml": drug["AN1"] / disposition.VN * disposition.molar_mass_norketamine,
        "hydroxynorketamine_plasma_ng_per_ml": drug["AH"] / disposition.VH * disposition.molar_mass_hydroxynorketamine,
        "effect_site_ketamine_umol_per_l": drug["Ce"],
        **{name: chain[symbol] for symbol, name in KERNEL_STATES.items()},
        "synaptic_density_fraction": density,
        "caps5_total": np.clip(chain["theta"], 0.0, CAPS5_HIGHEST),
        "caps5_total_without_infusions": np.clip(chain["theta without"], 0.0, CAPS5_HIGHEST),
        "pcl5_total": np.clip(items.sum(axis=1) + run.pcl5_offset, 0.0, CAPS5_HIGHEST),
        **{f"pcl5_{name.replace(' ', '_')}": values for name, values in clusters.items()},
        "systolic_change_mmhg": model.haemodynamics.systolic_change_mmhg(arterial),
        "diastolic_change_mmhg": model.haemodynamics.diastolic_change_mmhg(arterial),
        "pulse_change_per_min": model.haemodynamics.pulse_change_per_min(arterial),
        "cadss_total": model.dissociation.mean(felt, prior_sittings(times_h, begins)),
        "sedation_chance_fraction": model.sedation.chance(felt),
    }


def _attributes(course: Course, weight_kg: float, p: ParameterSet, site: str) -> dict[str, Any]:
    return {
        "title": "Reprieve: simulated course",
        "caution": RESEARCH_ONLY,
        "parameter_set": p.name,
        "overrides": ", ".join(f"{symbol}={value:g}" for symbol, value in p.changed.items()),
        "site": site,
        "arm": course.arm,
        "setting": course.setting,
        "warnings": [*p.warnings, *course.regimen.warnings(weight_kg)],
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
