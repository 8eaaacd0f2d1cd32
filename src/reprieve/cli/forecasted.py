"""What ``reprieve forecast`` says, from what was asked."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reprieve.cli.bad_input import BadInput
from reprieve.cli.output import Listing, Report, Row
from reprieve.cli.simulated import SHORT_CAUTION, SHOWN_MIN, _figure, _moment, _numbers, _overrides, _regimen
from reprieve.pharmacology.forecast import CAUTION, SIGNALS, Band, Forecast, session_times_min
from reprieve.pharmacology.forecast import forecast as run
from reprieve.pharmacology.parameters import ParameterSet, parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.readings import KINDS, Reading, ReadingError
from reprieve.pharmacology.regimen import Regimen
from reprieve.pharmacology.thresholds import HOURS, Below, peaks, times_below

COLUMNS = ("time_min", "what", "value")
# Heading, signal, factor, digits
BODY = (
    ("ketamine", "ketamine_plasma_ng_per_ml", 1, 0),
    ("norketamine", "norketamine_plasma_ng_per_ml", 1, 0),
    ("block I", "receptor_block_interneuron_fraction", 100, 1),
    ("block P", "receptor_block_pyramidal_fraction", 100, 1),
    ("systolic", "systolic_change_mmhg", 1, 1),
    ("diastolic", "diastolic_change_mmhg", 1, 1),
    ("pulse", "pulse_change_per_min", 1, 1),
    ("CADSS", "cadss_total", 1, 1),
)
UNITS = "ng/mL; receptors blocked in %, I interneurons, P pyramidal; rises in mmHg and per min; median (5 % to 95 %)"


@dataclass(frozen=True, slots=True)
class Asked:
    """One forecast, as the options of the command line give it."""

    person: Person
    regimen: Regimen
    readings: tuple[Reading, ...]
    parameters: ParameterSet
    covariates: tuple[str, ...]
    site: str
    session: int
    times_min: tuple[float, ...]

    @classmethod
    def of(
        cls,
        *,
        weight_kg: float | None,
        age: float | None,
        sex: str | None,
        covariates: tuple[str, ...],
        file: str | None,
        dose_mg_per_kg: float | None,
        duration_min: float | None,
        days: str | None,
        observed: str | None,
        session: int | None,
        times_min: str | None,
        site: str,
        set_name: str,
        overrides: tuple[str, ...],
    ) -> Asked:
        """The options, checked."""
        if weight_kg is None:
            raise BadInput("no weight; a forecast is for one person, so give --weight-kg, such as 70")
        person = Person(weight_kg=weight_kg, age_years=age, sex=sex)
        regimen = _regimen(file, dose_mg_per_kg, duration_min, days)(weight_kg)
        readings = _readings(observed) if observed else ()
        return cls(
            person,
            regimen,
            readings,
            parameter_set(set_name, _overrides(overrides)),
            covariates,
            site,
            _session_of(regimen, readings) if session is None else session,
            _numbers("--times-min", times_min or ""),
        )

    def run(self, times_min: Any) -> Forecast:
        """The forecast at these times."""
        return run(
            self.person,
            self.regimen,
            self.readings,
            self.parameters,
            times_min=times_min,
            site=self.site,
            covariates=self.covariates,
        )


def _session_of(regimen: Regimen, readings: tuple[Reading, ...]) -> int:
    """The session in which the first reading was taken; the first if there is none."""
    if not readings:
        return 1
    begins = [sitting[0].start_h * 60 for sitting in regimen.sittings()]
    return max(1, sum(begin <= min(readings).time_min for begin in begins))


def _readings(file: str) -> tuple[Reading, ...]:
    """The readings in a CSV file."""
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}; give a file that can be read") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file}: this is not text in UTF-8; give a CSV file") from None
    lines = csv.reader(text.splitlines())
    header = [cell.strip() for cell in next(lines, [])]
    for column in COLUMNS:
        if column not in header:
            raise BadInput(f"{file} line 1: no column {column}; the columns are {', '.join(COLUMNS)}")
    for column in header:
        if column not in COLUMNS:
            raise BadInput(f"{file} line 1: unknown column {column!r}; the columns are {', '.join(COLUMNS)}")
    found = [_reading(f"{file} line {lines.line_num}", header, row) for row in lines if any(map(str.strip, row))]
    if not found:
        raise BadInput(f"{file}: no readings; leave --observed out, or write at least one line under the header")
    return tuple(found)


def _reading(where: str, header: list[str], row: list[str]) -> Reading:
    if len(row) != len(header):
        raise BadInput(f"{where}: {len(row)} cells; the header has {len(header)}")
    cells = dict(zip(header, map(str.strip, row), strict=True))
    if cells["what"] not in KINDS:
        raise BadInput(f"{where}, column what: {cells['what']!r}; it must be one of {', '.join(KINDS)}")
    time_min, value = (_number(f"{where}, column {column}", cells[column]) for column in ("time_min", "value"))
    try:
        return Reading(time_min, cells["what"], value)
    except ReadingError as error:
        raise BadInput(f"{where}: {error}") from None


def _number(where: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise BadInput(f"{where}: {cell!r}; it must be a number") from None


def report(asked: Asked) -> Report:
    """One forecast."""
    about = session_times_min(asked.regimen, asked.session)
    shown = np.array(asked.times_min) if asked.times_min else about[0] + np.array((0.0, *SHOWN_MIN))
    times = shown if asked.times_min else np.union1d(about, shown)
    found = asked.run(times)
    below = times_below(found, asked.session)
    parts: list[str | Listing] = [CAUTION, _described(asked), *(f"Warning: {words}" for words in found.warnings)]
    if asked.readings:
        parts += [
            Listing("Readings, and what was expected of them", list(_checked(found))),
            Listing("What the readings say about this person", list(_learnt(found))),
            _not_informed(found),
        ]
    if asked.readings:
        parts.append(Listing(f"Before the readings ({UNITS})", list(_table(found, found.before, shown))))
    title = "After the readings" if asked.readings else "Expected"
    parts += [
        Listing(f"{title} ({UNITS})", list(_table(found, found.after, shown))),
        Listing(f"Below a threshold in session {asked.session}, from its start", list(_below(below, found))),
    ]

    def draw(width: int, look: str) -> Any:
        from reprieve.pharmacology.forecast_plot import session

        return session(replace(found, times_min=about), asked.session, width, look)

    return Report(_document(asked, found, below), list(_rows(found)), parts, draw)


def _described(asked: Asked) -> str:
    infusions = len(asked.regimen.infusions)
    changed = "".join(f", {symbol} = {value:g}" for symbol, value in asked.parameters.changed.items())
    readings = len(asked.readings)
    return (
        f"One person of {asked.person.weight_kg:g} kg; {infusions} infusion{'' if infusions == 1 else 's'}, "
        f"{asked.regimen.total_mg:.4g} mg in all; {readings or 'no'} reading{'' if readings == 1 else 's'}; parameter "
        f"set {asked.parameters.name}{changed}; {asked.site} plasma. Bands leave out the error of a single reading."
    )


def _not_informed(found: Forecast) -> str:
    names = ", ".join(each.words for each in found.not_informed)
    return f"The readings say next to nothing about: {names}." if names else "The readings say something about each."


def _triple(low: float, middle: float, high: float, digits: int, factor: float = 1) -> str:
    middle_, low_, high_ = (_figure(each * factor, digits) for each in (middle, low, high))
    return f"{middle_} ({low_} to {high_})"


def _checked(found: Forecast) -> Iterator[Row]:
    for each in found.checks:
        yield {
            "reading": each.reading.words,
            "expected before": _triple(*each.before, digits=1),
            "expected now": _triple(*each.after, digits=1),
            "": each.words,
        }


def _learnt(found: Forecast) -> Iterator[Row]:
    for each in found.parameters:
        digits = 2 if each.before[1] < 10 else 0
        yield {
            "parameter": f"{each.symbol}, {each.words}",
            "unit": each.unit,
            "before": _triple(*each.before, digits=digits),
            "after": _triple(*each.after, digits=digits),
            "learnt": f"{100 * each.shrinkage:.0f} %",
        }


def _table(found: Forecast, bands: Mapping[str, Band], shown: Any) -> Iterator[Row]:
    for k, minutes in enumerate(found.times_min):
        if not np.any(np.isclose(shown, minutes)):
            continue
        cells = {}
        for heading, name, factor, digits in BODY:
            band = bands[name]
            cells[heading] = _triple(float(band.low[k]), float(band.middle[k]), float(band.high[k]), digits, factor)
        yield {"time": _moment(float(minutes)), **cells}


def _below(below: tuple[Below, ...], found: Forecast) -> Iterator[Row]:
    for each in below:
        row = {"threshold": each.threshold.words}
        if found.readings:
            row |= {"half, before": _when(each.half_before_min), "95 %, before": _when(each.most_before_min)}
        yield row | {
            "half of people": _when(each.half_after_min),
            "95 % of people": _when(each.most_after_min),
            "source": "; ".join(filter(None, (each.threshold.source, each.threshold.published))),
        }


def _when(minutes: float) -> str:
    """A time from the start of a session, to whole minutes and never too early.

    >>> _when(0), _when(124.2), _when(math.inf)
    ('at once', '2 h 05 min', 'not seen')
    """
    if not math.isfinite(minutes):
        return "not seen"
    hours, rest = divmod(math.ceil(minutes), 60)
    return f"{hours} h {rest:02d} min" if minutes > 0 else "at once"


def _document(asked: Asked, found: Forecast, below: tuple[Below, ...]) -> dict[str, Any]:
    return {
        "caution": CAUTION,
        "warnings": list(found.warnings),
        "parameter_set": asked.parameters.name,
        "overrides": dict(asked.parameters.changed),
        "site": asked.site,
        "session": asked.session,
        "weight_kg": asked.person.weight_kg,
        "infusions": [
            {"start_h": each.start_h, "duration_h": each.duration_h, "dose_mg": each.dose_mg}
            for each in asked.regimen.infusions
        ],
        "units": SIGNALS,
        "times_min": found.times_min.tolist(),
        **{f"{when}_{name}": value for when, name, value in _bands(found)},
        "readings": [
            {
                "time_min": each.reading.time_min,
                "what": each.reading.what,
                "value": each.reading.value,
                "expected_before": _named(each.before),
                "expected_after": _named(each.after),
                "surprise": each.surprise,
                "residual": each.residual,
                "fits": each.fits,
            }
            for each in found.checks
        ],
        "parameters": [
            {
                "symbol": each.symbol,
                "name": each.words,
                "unit": each.unit,
                "before": _named(each.before),
                "after": _named(each.after),
                "shrinkage": each.shrinkage,
            }
            for each in found.parameters
        ],
        "not_informed": [each.symbol for each in found.not_informed],
        "scores": found.learnt.scores.tolist(),
        "covariance_of_scores": found.learnt.covariance.tolist(),
        "below_looks_ahead_h": HOURS,
        "below": [
            {
                "threshold": each.threshold.words,
                "signal": each.threshold.signal,
                "level": each.threshold.level,
                "source": each.threshold.source,
                "published": each.threshold.published,
                "half_before_min": each.half_before_min,
                "most_before_min": each.most_before_min,
                "half_after_min": each.half_after_min,
                "most_after_min": each.most_after_min,
            }
            for each in below
        ],
        "sessions": [
            {
                "session": each.session,
                "day": each.day,
                "highest_ketamine_ng_per_ml": _named(each.ketamine_ng_per_ml),
                "highest_systolic_change_mmhg": _named(each.systolic_mmhg),
                "highest_cadss_total": _named(each.cadss),
            }
            for each in peaks(found)
        ],
    }


def _named(three: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("5_percent", "median", "95_percent"), three, strict=True))


def _bands(found: Forecast) -> Iterator[tuple[str, str, list[float]]]:
    """Before and after, each signal: its median, and beside it where 5 % and 95 % of people lie."""
    for when, bands in (("before", found.before), ("after", found.after)):
        for name in SIGNALS:
            band = bands[name]
            yield when, name, band.middle.tolist()
            yield when, f"{name}_5_percent", band.low.tolist()
            yield when, f"{name}_95_percent", band.high.tolist()


def _rows(found: Forecast) -> Iterator[Row]:
    columns = {f"{when}_{name}": values for when, name, values in _bands(found)}
    for k, minutes in enumerate(found.times_min.tolist()):
        yield {"use": SHORT_CAUTION, "times_min": minutes, **{name: values[k] for name, values in columns.items()}}
