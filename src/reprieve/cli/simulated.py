"""What ``reprieve simulate``, ``compare`` and ``parameters`` say, from what was asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from reprieve.cli.bad_input import BadInput
from reprieve.cli.output import Listing, Report, Row
from reprieve.pharmacology.measured import measured
from reprieve.pharmacology.memory import TherapySession
from reprieve.pharmacology.model import Course, Switches
from reprieve.pharmacology.parameters import ParameterSet, parameter_set, set_from_csv, table
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.regimen import Regimen, from_events, from_toml
from reprieve.pharmacology.simulate import RESEARCH_ONLY, Population, default_times_min, trajectories
from reprieve.pharmacology.symptoms import Ssri
from reprieve.pharmacology.trajectories import Trajectories

SHORT_CAUTION = "research only, not for dosing people"
SHOWN_MIN = (20.0, 40.0, 60.0, 80.0, 110.0, 230.0)
SHOWN_DAYS = (1.0, 2.0, 7.0, 14.0, 21.0, 28.0, 42.0, 56.0, 84.0)
REFERENCE_WEIGHT_KG = 70.0
MANY = 200  # people from which a bar is shown
TREATMENTS = ("ketamine", "sertraline", "therapy", "nothing")
USUAL_DOSE_MG_PER_KG, USUAL_SSRI_MG, TREATMENT_DAYS = 0.5, 150.0, 84.0

# Heading, variable, factor, digits
Column = tuple[str, str, float, int]
BODY: tuple[Column, ...] = (
    ("ketamine", "ketamine_plasma_ng_per_ml", 1, 0),
    ("norketamine", "norketamine_plasma_ng_per_ml", 1, 0),
    ("HNK", "hydroxynorketamine_plasma_ng_per_ml", 1, 0),
    ("Ce umol/L", "effect_site_ketamine_umol_per_l", 1, 2),
    ("block I", "receptor_block_interneuron_fraction", 100, 1),
    ("block P", "receptor_block_pyramidal_fraction", 100, 1),
    ("systolic", "systolic_change_mmhg", 1, 1),
    ("diastolic", "diastolic_change_mmhg", 1, 1),
    ("CADSS", "cadss_total", 1, 1),
    ("less alert", "sedation_chance_fraction", 100, 0),
)
BODY_UNITS = (
    "ng/mL; free level at the effect site; receptors blocked in %, I interneurons, P pyramidal; mmHg; % of people"
)
AFTERWARDS: tuple[Column, ...] = (
    ("glutamate rise %", "glutamate_rise_fraction", 100, 1),
    ("labile synapses %", "labile_synapse_fraction", 100, 1),
    ("synaptic density %", "synaptic_density_fraction", 100, 1),
    ("CAPS-5", "caps5_total", 1, 1),
    ("CAPS-5, no infusion", "caps5_total_without_infusions", 1, 1),
    ("PCL-5", "pcl5_total", 1, 1),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One simulation, as the options of the command line give it."""

    plan: Course  # everything but the infusions
    regimen_at: Callable[[float], Regimen]  # from body weight in kg
    who: Person | Population
    parameters: ParameterSet
    switches: Switches
    site: str
    times_min: tuple[float, ...]
    until_day: float | None
    measured: bool
    parquet: str | None

    @classmethod
    def of(
        cls,
        *,
        file: str | None,
        dose_mg_per_kg: float | None,
        duration_min: float | None,
        days: str | None,
        weight_kg: float | None,
        age: float | None,
        sex: str | None,
        covariates: tuple[str, ...],
        set_name: str,
        overrides: tuple[str, ...],
        therapy_days: str,
        ssri_mg: float | None,
        arm: str,
        setting: str,
        norketamine: bool,
        kinetic_block: bool,
        site: str,
        people: int,
        seed: int,
        until_day: float | None,
        times_min: str | None = None,
        measured: bool = False,
        parquet: str | None = None,
    ) -> Asked:
        """The options, checked."""
        if parquet and Path(parquet).suffix.lower() != ".parquet":
            raise BadInput(f"--parquet {parquet}: the name must end in .parquet, such as course.parquet")
        body = Person(weight_kg=REFERENCE_WEIGHT_KG if weight_kg is None else weight_kg, age_years=age, sex=sex)
        regimen_at = _regimen(file, dose_mg_per_kg, duration_min, days)
        therapy = tuple(TherapySession(day) for day in _numbers("--therapy-days", therapy_days))
        ssri = (Ssri(ssri_mg),) if ssri_mg is not None else ()
        return cls(
            plan=Course(therapy=therapy, ssri=ssri, arm=arm, setting=setting),
            regimen_at=regimen_at,
            who=body if people == 1 else Population(people, seed, weight_kg, sex),
            parameters=_set(set_name, overrides),
            switches=Switches(kinetic_block, norketamine, covariates=covariates),
            site=site,
            times_min=_numbers("--times-min", times_min or ""),
            until_day=until_day,
            measured=measured,
            parquet=parquet,
        )

    def course_at(self, weight_kg: float) -> Course:
        """The whole plan for a person of this weight."""
        return replace(self.plan, regimen=self.regimen_at(weight_kg))

    @property
    def course(self) -> Course:
        """The plan for the weight that was given, or for 70 kg."""
        return self.course_at(self.stated_weight_kg)

    @property
    def stated_weight_kg(self) -> float:
        """The weight that was given, or 70 kg."""
        return self.who.weight_kg or REFERENCE_WEIGHT_KG

    def run(self, times_min: Sequence[float]) -> Trajectories:
        """The simulation at these times."""
        times = np.array(times_min)
        people = self.who.people if isinstance(self.who, Population) else 1
        with _progress(people) as progress:
            found = trajectories(
                self.course_at, self.who, self.parameters,
                times_min=times, site=self.site, switches=self.switches, progress=progress,
            )  # fmt: skip
        return measured(found, self.parameters, self.seed) if self.measured else found

    @property
    def seed(self) -> int:
        """The seed of the people drawn; of the errors of one person."""
        return self.who.seed if isinstance(self.who, Population) else 1

    def whole(self) -> Trajectories:
        """The whole course, close about each infusion, and at the times that the tables show."""
        times = default_times_min(self.course.regimen, self.until_day)
        shown = self.shown_min(float(times[-1]))
        return self.run(np.union1d(times, shown).tolist())

    def shown_min(self, last_min: float) -> list[float]:
        """Times for the tables: the first hours after the first infusion, then days."""
        if self.times_min:
            return list(self.times_min)
        infusions = self.course.regimen.infusions
        begin = infusions[0].start_h * 60 if infusions else 0.0
        days = {day * 1440 for day in SHOWN_DAYS} | {last_min}
        return sorted(time for time in {begin, *(begin + each for each in SHOWN_MIN), *days} if time <= last_min)


@contextmanager
def _progress(people: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error while many people are simulated; none where nobody looks."""
    if people < MANY or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{people} people", total=people)
        yield lambda done: bar.update(task, completed=done)


def _regimen(
    file: str | None, dose: float | None, duration_min: float | None, days: str | None
) -> Callable[[float], Regimen]:
    """The regimen for each body weight."""
    by_dose = {"--dose-mg-per-kg": dose, "--duration-min": duration_min, "--days": days}
    for option, value in by_dose.items():
        if file and value is not None:
            raise BadInput(f"a regimen file and {option} together; the file says it all, so give one of them")
    if file:
        return _read(file)
    if dose is None:
        raise BadInput("no regimen; give --regimen FILE.toml, or --dose-mg-per-kg such as 0.5")
    on_days, hours = _numbers("--days", days or "0"), (40 if duration_min is None else duration_min) / 60
    return lambda weight_kg: Regimen.repeated(dose * weight_kg, hours, on_days)


def _read(file: str) -> Callable[[float], Regimen]:
    text = _text(file)
    if file.lower().endswith(".csv"):
        regimen = from_events(text, file)
        return lambda _: regimen
    return lambda weight_kg: from_toml(text, weight_kg, file)


def _set(name: str, overrides: Sequence[str]) -> ParameterSet:
    """A set by its name, or from a CSV file."""
    if not name.lower().endswith(".csv"):
        return parameter_set(name, _overrides(overrides))
    return set_from_csv(_text(name), name, _overrides(overrides))


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}; give a file that can be read") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file}: this is not text in UTF-8; give a TOML or CSV file") from None


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(each) for each in text.split(",") if each.strip())
    except ValueError:
        raise BadInput(f"{option} {text}: it must be numbers with commas between, such as 0,2,4") from None


def _overrides(given: Sequence[str]) -> dict[str, float]:
    found = {}
    for each in given:
        name, sign, value = each.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise BadInput(f"--set {each}: it must be NAME=VALUE with a number, such as eta=40") from None
        if not sign:
            raise BadInput(f"--set {each}: it must be NAME=VALUE with a number, such as eta=40")
    return found


def report(asked: Asked) -> Report:
    """One simulation."""
    found = asked.run(asked.times_min) if asked.times_min else asked.whole()
    shown = found.at(np.isin(found.times_min, asked.shown_min(float(found.times_min[-1]))))
    if asked.parquet:
        _write_parquet(found, asked.parquet)
    parts: list[str | Listing] = [RESEARCH_ONLY, _described(asked), *_said(found)]
    if not asked.times_min:
        parts.append(Listing("Highest, and when", list(_peaks(found))))
    parts += [
        Listing(f"In the body ({BODY_UNITS})", list(_table(shown if asked.times_min else _early(shown), BODY))),
        Listing("Afterwards (plausible to speculative)", list(_table(shown, AFTERWARDS))),
    ]

    def draw(width: int, look: str) -> Any:
        from reprieve.pharmacology.plot import trajectory

        return trajectory(asked.whole() if asked.times_min else found, width, look)

    return Report(_document(asked, found), list(_rows(found)), parts, draw)


def _write_parquet(found: Trajectories, file: str) -> None:
    """A row for each person and time, and what the columns mean in the file's own description; whole or not at all."""
    try:
        import polars
    except ModuleNotFoundError:
        raise BadInput("--parquet needs polars: install the extra 'trials' (in a clone: make research)") from None
    people, times = len(found), len(found.times_min)
    columns = {
        "person": np.repeat(found.numbers, times),
        "weight_kg": np.repeat(found.weight_kg, times),
        "times_min": np.tile(found.times_min, people),
        **{name: values.ravel() for name, values in found.values.items()},
    }
    said = {name: str(value) for name, value in found.attrs.items()}
    units = {f"unit of {name}": unit for name, (unit, _) in found.said.items()}
    aside = Path(f"{file}.part")
    try:
        polars.DataFrame(columns).write_parquet(aside, metadata=said | units)
        aside.replace(file)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise BadInput(f"--parquet {file}: {error.strerror or error}; give a place that can be written") from None
    click.echo(f"Written: {file}", err=True)


def _early(found: Trajectories) -> Trajectories:
    """The times of the first hours, when there is drug in the body."""
    return found.at(found.times_min < found.times_min[0] + 1440)


def _described(asked: Asked) -> str:
    regimen = asked.course.regimen
    who = asked.who
    if isinstance(who, Person):
        body = f"one person of {who.weight_kg:g} kg with typical values"
    else:
        weight = "weights drawn" if who.weight_kg is None else f"all of {who.weight_kg:g} kg"
        body = f"{who.people} people drawn (seed {who.seed}, {weight}): median (5 % to 95 % of them)"
    changed = "".join(f", {symbol} = {value:g}" for symbol, value in asked.parameters.changed.items())
    return (
        f"{len(regimen.infusions)} infusion{'' if len(regimen.infusions) == 1 else 's'}, {regimen.total_mg:.4g} mg in "
        f"all at {asked.stated_weight_kg:g} kg; {body}; parameter set "
        f"{asked.parameters.name}{changed}; {asked.site} plasma; {asked.course.arm}, {asked.course.setting}"
    )


def _said(found: Trajectories) -> Iterator[str]:
    for warning in found.attrs["warnings"]:
        yield f"Warning: {warning}"


def _peaks(found: Trajectories) -> Iterator[Row]:
    for heading, name, factor, digits in (*BODY, AFTERWARDS[0], AFTERWARDS[2]):
        people = found[name]
        highest = people.max(axis=1) * factor
        middle = found.summary(name)[0]
        when = float(found.times_min[middle.argmax()])
        yield {"what": heading, "highest": _spread(highest, digits), "at": _moment(when)}


def _table(found: Trajectories, columns: Sequence[Column]) -> Iterator[Row]:
    for k, minutes in enumerate(found.times_min):
        cells = {heading: _spread(found[name][:, k] * factor, digits) for heading, name, factor, digits in columns}
        yield {"time": _moment(float(minutes)), **cells}


def _spread(values: Any, digits: int) -> str:
    low, middle, high = (_figure(each, digits) for each in np.quantile(values, [0.05, 0.5, 0.95]))
    return middle if len(values) == 1 else f"{middle} ({low} to {high})"


def _figure(value: float, digits: int) -> str:
    """A number with so many digits, and never a zero with a minus.

    >>> _figure(-1e-9, 1)
    '0.0'
    """
    return f"{round(float(value), digits) + 0.0:.{digits}f}"


def _moment(minutes: float) -> str:
    """A time as people say it.

    >>> _moment(40), _moment(2880), _moment(2920)
    ('40 min', 'day 2', 'day 2, 40 min')
    """
    day, rest = divmod(minutes, 1440)
    if day == 0:
        return f"{minutes:g} min"
    return f"day {day:g}" if rest < 1e-6 else f"day {day:g}, {rest:g} min"


def _document(asked: Asked, found: Trajectories) -> dict[str, Any]:
    who = asked.who
    one = isinstance(who, Person)
    return {
        "caution": RESEARCH_ONLY,
        "warnings": found.attrs["warnings"],
        "parameter_set": asked.parameters.name,
        "overrides": dict(asked.parameters.changed),
        "site": asked.site,
        "arm": asked.course.arm,
        "setting": asked.course.setting,
        "people": len(found),
        "weight_kg": found.weight_kg.tolist()[0] if one else getattr(who, "weight_kg", None),
        "infusions_are_for_kg": asked.stated_weight_kg,
        "infusions": [
            {"start_h": each.start_h, "duration_h": each.duration_h, "dose_mg": each.dose_mg}
            for each in asked.course.regimen.infusions
        ],
        "units": {name: unit for name, (unit, _) in found.said.items()},
        "times_min": found.times_min.tolist(),
        **_columns(found),
    }


def _columns(found: Trajectories) -> dict[str, list[float]]:
    """Each variable over time; of people the median, and beside it where 5 % and 95 % of them lie."""
    columns: dict[str, list[float]] = {}
    for name in found.values:
        middle, low, high = found.summary(name)
        columns[name] = middle.tolist()
        if len(found) > 1:
            columns |= {f"{name}_5_percent": low.tolist(), f"{name}_95_percent": high.tolist()}
    return columns


def _rows(found: Trajectories) -> Iterator[Row]:
    columns = {"times_min": found.times_min.tolist(), **_columns(found)}
    for k in range(len(found.times_min)):
        yield {"use": SHORT_CAUTION, **{name: values[k] for name, values in columns.items()}}


def listed(set_name: str, overrides: Sequence[str]) -> Report:
    """Every parameter of a set."""
    chosen = _set(set_name, overrides)
    rows = [
        {
            "symbol": each.symbol,
            "name": each.name,
            "value": chosen[each.symbol],
            "low": each.low,
            "high": each.high,
            "unit": each.unit,
            "distribution": each.distribution,
            "level": each.level,
            "source": each.source,
            "mark": each.mark,
        }
        for each in table().values()
    ]
    document = {"caution": RESEARCH_ONLY, "parameter_set": chosen.name, "warnings": chosen.warnings, "parameters": rows}
    columns = ("symbol", "value", "low", "high", "unit", "level", "source", "mark")
    title = f"Parameters, {chosen.name} set"
    return Report(document, rows, [RESEARCH_ONLY, *chosen.warnings, Listing(title, rows, columns)])


def comparison(files: Sequence[str], doses: str, treatments: str, asked: Mapping[str, Any]) -> Report:
    """Several regimens or treatments, everything else the same."""
    if bool(files) + bool(doses) != 1 and not treatments:
        raise BadInput("give two or more regimen files, or --dose-mg-per-kg such as 0.2,0.5")
    if treatments:
        named = _treatments(files, doses, treatments, asked)
    else:
        named = {Path(file).stem: Asked.of(file=file, dose_mg_per_kg=None, **asked) for file in files}
        named |= {
            f"{dose:g} mg/kg": Asked.of(file=None, dose_mg_per_kg=dose, **asked)
            for dose in _numbers("--dose-mg-per-kg", doses)
        }
    if len(named) < 2:
        raise BadInput(f"only {', '.join(named) or 'nothing'} to compare; give two or more with different names")
    last = max(_last_day(each) for each in named.values())
    results = {name: replace(each, until_day=last).whole() for name, each in named.items()}
    found = {name: _compared(each) for name, each in results.items()}
    first = next(iter(named.values()))
    document = {
        "caution": RESEARCH_ONLY,
        "until_day": last,
        "regimens": {name: _document(each, results[name]) | {"summary": found[name]} for name, each in named.items()},
    }
    warnings = [f"{name}: {words}" for name, each in results.items() for words in _said(each)]
    title = f"Side by side, to day {last:g}, {first.parameters.name} set, {_people(first)}"
    parts: list[str | Listing] = [RESEARCH_ONLY, *warnings, Listing(title, list(_side_by_side(found)))]

    def draw(width: int, look: str) -> Any:
        from reprieve.pharmacology.plot import comparison as drawn

        return drawn(results, width, look)

    return Report(
        document, [{"use": SHORT_CAUTION, "regimen": name, **row} for name, row in found.items()], parts, draw
    )


def _treatments(files: Sequence[str], doses: str, names: str, asked: Mapping[str, Any]) -> dict[str, Asked]:
    """Each treatment by its name, to the same last day."""
    given = _numbers("--dose-mg-per-kg", doses)
    if files or len(given) > 1:
        raise BadInput("--treatments with files or several doses; give one --dose-mg-per-kg for ketamine")
    whole = {
        **asked,
        "ssri_mg": USUAL_SSRI_MG if asked["ssri_mg"] is None else asked["ssri_mg"],
        "therapy_days": asked["therapy_days"] or ",".join(str(7 * week) for week in range(12)),
        "until_day": asked["until_day"] or TREATMENT_DAYS,
    }
    all_of_it = Asked.of(file=None, dose_mg_per_kg=given[0] if given else USUAL_DOSE_MG_PER_KG, **whole)
    found = {}
    for name in (each.strip() for each in names.split(",")):
        parts = set(name.split("+"))
        if not parts <= set(TREATMENTS) or ("nothing" in parts and len(parts) > 1):
            raise BadInput(f"--treatments {name}: it must be {', '.join(TREATMENTS)}, or some of them joined with +")
        plan = replace(
            all_of_it.plan,
            therapy=all_of_it.plan.therapy if "therapy" in parts else (),
            ssri=all_of_it.plan.ssri if "sertraline" in parts else (),
        )
        regimen_at = all_of_it.regimen_at if "ketamine" in parts else _nothing
        found[name] = replace(all_of_it, plan=plan, regimen_at=regimen_at)
    return found


def _nothing(weight_kg: float) -> Regimen:
    return Regimen()


def _side_by_side(found: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    """A line for each figure, a column for each regimen."""
    for heading in next(iter(found.values())):
        yield {"": heading, **{name: row[heading] for name, row in found.items()}}


def _people(asked: Asked) -> str:
    if isinstance(asked.who, Person):
        return f"one person of {asked.who.weight_kg:g} kg"
    return f"{asked.who.people} people, median (5 % to 95 %)"


def _last_day(asked: Asked) -> float:
    return float(default_times_min(asked.course.regimen, asked.until_day)[-1]) / 1440


def _compared(found: Trajectories) -> dict[str, str]:
    """One regimen: highest levels, and where symptoms end."""
    figures = {}
    for heading, variable, factor, digits in (*BODY, AFTERWARDS[0], AFTERWARDS[2]):
        figures[f"highest {heading}"] = _spread(found[variable].max(axis=1) * factor, digits)
    for heading, variable, factor, digits in AFTERWARDS[3:]:
        figures[f"{heading} at the end"] = _spread(found[variable][:, -1] * factor, digits)
    return figures
