"""What is given, and when: infusions of racemic ketamine in mg and hours.

A regimen is written as a TOML file, a list of ``[[infusion]]`` with ``start_h``, ``duration_h`` and exactly one of
``dose_mg``, ``dose_mg_per_kg`` and ``rate_mg_per_kg_per_h``, or as event records in the manner of NONMEM.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reprieve.pharmacology import PharmacologyError

HOURS_PER_DAY = 24.0
SESSION_GAP_H = 1.0  # infusions with no more than this between them are one sitting
DOSE_CEILING_MG_PER_KG = 1.0
FAST_DOSE_MG_PER_KG, FAST_WITHIN_H = 0.5, 10 / 60

WAYS = ("dose_mg", "dose_mg_per_kg", "rate_mg_per_kg_per_h")
KEYS = ("start_h", "duration_h", *WAYS)
WITHOUT_UNIT = {
    "dose": "dose_mg, dose_mg_per_kg",
    "rate": "rate_mg_per_kg_per_h",
    "rate_mg_per_kg": "rate_mg_per_kg_per_h",
    "start": "start_h",
    "time": "start_h",
    "duration": "duration_h",
    "stop": "duration_h",
}


class RegimenError(PharmacologyError):
    """A regimen cannot be used: says the value, the rule, and the way out."""


@dataclass(frozen=True, slots=True, order=True)
class Infusion:
    """A constant-rate intravenous infusion of racemic ketamine.

    >>> Infusion(start_h=0, duration_h=2 / 3, dose_mg=35).rate_mg_per_h
    52.5
    """

    start_h: float
    duration_h: float
    dose_mg: float

    def __post_init__(self) -> None:
        for name in ("start_h", "duration_h", "dose_mg"):
            if not math.isfinite(getattr(self, name)):
                raise RegimenError(f"{name} is {getattr(self, name)}; it must be a finite number")
        if self.start_h < 0:
            raise RegimenError(
                f"infusion starts at {self.start_h:g} h; time runs from 0, the first infusion or visit: move all starts"
            )
        if self.duration_h < 0:
            raise RegimenError(
                f"infusion at {self.start_h:g} h ends before it starts, at {self.stop_h:g} h; "
                "give its duration in hours, above zero"
            )
        if self.duration_h == 0:
            raise RegimenError(
                f"infusion at {self.start_h:g} h lasts 0 h; an infusion must last longer than zero "
                "(give a bolus as a short infusion, for example 1/60 h)"
            )
        if self.dose_mg <= 0:
            raise RegimenError(
                f"infusion at {self.start_h:g} h has a dose of {self.dose_mg:g} mg; a dose must be above zero "
                "(leave a missed infusion out)"
            )

    @classmethod
    def per_kg(cls, start_h: float, duration_h: float, dose_mg_per_kg: float, weight_kg: float) -> Infusion:
        """An infusion whose dose is given by body weight."""
        return cls(start_h, duration_h, dose_mg_per_kg * weight_kg)

    @classmethod
    def at_rate(cls, start_h: float, duration_h: float, rate_mg_per_kg_per_h: float, weight_kg: float) -> Infusion:
        """An infusion whose rate is given by body weight."""
        return cls(start_h, duration_h, rate_mg_per_kg_per_h * duration_h * weight_kg)

    @property
    def stop_h(self) -> float:
        """When it ends."""
        return self.start_h + self.duration_h

    @property
    def rate_mg_per_h(self) -> float:
        """The constant rate."""
        return self.dose_mg / self.duration_h

    def stopped(self, at_h: float) -> Infusion | None:
        """What was given when it was stopped at ``at_h``, at the same rate; None if it had not begun."""
        if at_h <= self.start_h:
            return None
        if at_h >= self.stop_h:
            return self
        return Infusion(self.start_h, at_h - self.start_h, self.rate_mg_per_h * (at_h - self.start_h))


@dataclass(frozen=True, slots=True)
class Regimen:
    """Infusions in order of their starts; those that overlap add."""

    infusions: tuple[Infusion, ...] = ()

    def __init__(self, infusions: Iterable[Infusion] = ()) -> None:
        object.__setattr__(self, "infusions", tuple(sorted(infusions)))

    @classmethod
    def repeated(cls, dose_mg: float, duration_h: float, days: Sequence[float], at_h: float = 0.0) -> Regimen:
        """The same infusion on each of ``days``, counted from day 0, ``at_h`` hours into the day.

        >>> Regimen.repeated(35.0, 2 / 3, days=[0, 2, 4]).total_mg
        105.0
        """
        if not days:
            raise RegimenError("no days; give at least one, such as 0 (for no infusion use an empty regimen)")
        return cls(Infusion(day * HOURS_PER_DAY + at_h, duration_h, dose_mg) for day in days)

    def __add__(self, other: Regimen) -> Regimen:
        return Regimen((*self.infusions, *other.infusions))

    @property
    def total_mg(self) -> float:
        """All that is given."""
        return sum(infusion.dose_mg for infusion in self.infusions)

    def without_day(self, day: float) -> Regimen:
        """The regimen when the infusions that start on this day were missed; the day must have one."""
        kept = tuple(each for each in self.infusions if math.floor(each.start_h / HOURS_PER_DAY) != math.floor(day))
        if len(kept) == len(self.infusions):
            raise RegimenError(f"day {day:g} has no infusion to miss; the days are {self._days()}")
        return Regimen(kept)

    def stopped(self, at_h: float) -> Regimen:
        """The regimen when whatever runs at ``at_h`` is stopped then; later infusions go ahead."""
        running = [each for each in self.infusions if each.start_h < at_h < each.stop_h]
        if not running:
            raise RegimenError(f"nothing runs at {at_h:g} h to be stopped; the starts are on days {self._days()}")
        return Regimen((each.stopped(at_h) or each) if each in running else each for each in self.infusions)

    def _days(self) -> str:
        return ", ".join(f"{each.start_h / HOURS_PER_DAY:g}" for each in self.infusions) or "none"

    def changes_h(self) -> tuple[float, ...]:
        """Times at which the rate jumps, in order, each once."""
        return tuple(sorted({time for each in self.infusions for time in (each.start_h, each.stop_h)}))

    def rate_mg_per_h(self, at_h: float) -> float:
        """The summed rate of what runs at ``at_h``, a start included and a stop not."""
        return sum(each.rate_mg_per_h for each in self.infusions if each.start_h <= at_h < each.stop_h)

    def sittings(self) -> tuple[tuple[Infusion, ...], ...]:
        """Infusions grouped into sittings: a bolus and what follows it, or the pieces of a ramp, are one."""
        groups: list[list[Infusion]] = []
        end = -math.inf
        for each in self.infusions:
            if each.start_h > end + SESSION_GAP_H:
                groups.append([])
            groups[-1].append(each)
            end = max(end, each.stop_h)
        return tuple(map(tuple, groups))

    def scaled(self, factors: Sequence[float]) -> Regimen:
        """The regimen when what reaches the blood differs from sitting to sitting: one factor on the doses of each.

        >>> Regimen.repeated(35.0, 2 / 3, days=[0, 2]).scaled([1.0, 1.2]).total_mg
        77.0
        """
        sittings = self.sittings()
        if len(factors) != len(sittings):
            raise RegimenError(f"{len(factors)} factors for {len(sittings)} sittings; give one for each")
        return Regimen(
            replace(each, dose_mg=each.dose_mg * float(factor))
            for sitting, factor in zip(sittings, factors, strict=True)
            for each in sitting
        )

    def warnings(self, weight_kg: float) -> tuple[str, ...]:
        """What to say about doses for which the model was not made; it runs all the same."""
        return tuple(_cautions(self.sittings(), weight_kg))


def _cautions(sittings: Sequence[Sequence[Infusion]], weight_kg: float) -> Iterator[str]:
    doses = [sum(each.dose_mg for each in sitting) / weight_kg for sitting in sittings]
    if doses and max(doses) > DOSE_CEILING_MG_PER_KG:
        yield (
            f"{max(doses):.3g} mg/kg in one sitting is above {DOSE_CEILING_MG_PER_KG:g} mg/kg: blood pressure comes "
            "out too low there and glutamate was not fitted, so this is outside the model (docs/explanation/model.md)"
        )
    fastest = max((_most_within(sitting) / weight_kg for sitting in sittings), default=0.0)
    if fastest > FAST_DOSE_MG_PER_KG * (1 + 1e-9):
        yield (
            f"{fastest:.3g} mg/kg within 10 minutes is above {FAST_DOSE_MG_PER_KG:g} mg/kg: the fastest infusion that "
            "the model was held to gave 0.4 mg/kg in 10 minutes, and mixing in the first minutes is not modelled "
            "(docs/explanation/model.md)"
        )


def _most_within(sitting: Sequence[Infusion]) -> float:
    """The most mg given within any ten minutes: such a stretch begins at a start or ends at a stop."""
    begins = [each.start_h for each in sitting] + [each.stop_h - FAST_WITHIN_H for each in sitting]
    return max(sum(_given(each, begin, begin + FAST_WITHIN_H) for each in sitting) for begin in begins)


def _given(infusion: Infusion, begin_h: float, end_h: float) -> float:
    overlap = min(end_h, infusion.stop_h) - max(begin_h, infusion.start_h)
    return infusion.rate_mg_per_h * max(overlap, 0.0)


def ramp(
    start_h: float, duration_h: float, first_rate_mg_per_h: float, last_rate_mg_per_h: float, pieces: int = 12
) -> Regimen:
    """A rate that climbs or falls in a straight line, as ``pieces`` constant infusions of the same total.

    >>> [round(each.rate_mg_per_h) for each in ramp(0, 1, 0, 60, pieces=3).infusions]
    [10, 30, 50]
    """
    if pieces < 1:
        raise RegimenError(f"a ramp of {pieces} pieces; it needs at least one")
    if min(first_rate_mg_per_h, last_rate_mg_per_h) < 0:
        raise RegimenError("a ramp with a rate below zero; rates must be zero or more")
    step = duration_h / pieces
    climb = (last_rate_mg_per_h - first_rate_mg_per_h) / pieces
    return Regimen(
        Infusion(start_h + number * step, step, (first_rate_mg_per_h + (number + 0.5) * climb) * step)
        for number in range(pieces)
    )


def from_toml(text: str, weight_kg: float, name: str = "regimen") -> Regimen:
    """The regimen in a TOML document; ``name`` is what errors call it.

    >>> from_toml("[[infusion]]\\nstart_h = 0\\nduration_h = 1\\ndose_mg_per_kg = 0.5", weight_kg=70).total_mg
    35.0
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegimenError(f"{name}: not TOML: {error}") from None
    for key in document:
        if key != "infusion":
            raise RegimenError(f"{name}: unknown key {key!r}; a regimen is a list of [[infusion]] and nothing else")
    tables = document.get("infusion")
    if not isinstance(tables, list) or not tables:
        raise RegimenError(f"{name}: no infusion; write at least one [[infusion]] with {', '.join(KEYS[:3])}")
    return Regimen(_infusion(f"{name}, infusion {n}", each, weight_kg) for n, each in enumerate(tables, start=1))


def _infusion(where: str, table: Mapping[str, object], weight_kg: float) -> Infusion:
    for key in table:
        if key in WITHOUT_UNIT:
            raise RegimenError(f"{where}: {key!r} has no unit; write {WITHOUT_UNIT[key]}")
        if key not in KEYS:
            raise RegimenError(f"{where}: unknown key {key!r}; the keys are {', '.join(KEYS)}")
    ways = [key for key in WAYS if key in table]
    if len(ways) != 1:
        given = " and ".join(ways) or "no dose"
        raise RegimenError(f"{where}: {given}; give exactly one of {', '.join(WAYS)}")
    start, duration, amount = (_number(where, table, key) for key in ("start_h", "duration_h", ways[0]))
    make = {"dose_mg": 1.0, "dose_mg_per_kg": weight_kg, "rate_mg_per_kg_per_h": weight_kg * duration}[ways[0]]
    try:
        return Infusion(start, duration, amount * make)
    except RegimenError as error:
        raise RegimenError(f"{where}: {error}") from None


def _number(where: str, table: Mapping[str, object], key: str) -> float:
    if key not in table:
        raise RegimenError(f"{where}: {key} is missing; give it as a number of hours")
    value = table[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RegimenError(f"{where}: {key} = {value!r}; it must be a number without its unit, which is in the name")
    return float(value)


EVENT_COLUMNS = ("ID", "TIME", "AMT", "RATE", "DUR", "II", "ADDL", "EVID")


def from_events(text: str, name: str = "events") -> Regimen:
    """The regimen in event records as NONMEM has them, as CSV with a header; one person.

    TIME, DUR and II are in hours, AMT in mg, RATE in mg/h. Each dose record has AMT and one of RATE and DUR; with ADDL
    and II it is repeated ADDL times, every II hours. Records with EVID other than 1, or with no AMT, are no doses.

    >>> from_events("TIME,AMT,DUR,II,ADDL\\n0,35,1,48,2").changes_h()
    (0.0, 1.0, 48.0, 49.0, 96.0, 97.0)
    """
    rows = list(csv.DictReader(text.splitlines()))
    header = [column.strip().upper() for column in (rows[0] if rows else ()) if column is not None]
    if "TIME" not in header or "AMT" not in header:
        raise RegimenError(
            f"{name} line 1: the header must have TIME and AMT; the columns are {', '.join(EVENT_COLUMNS)}"
        )
    for column in header:
        if column not in EVENT_COLUMNS:
            raise RegimenError(f"{name} line 1: unknown column {column}; the columns are {', '.join(EVENT_COLUMNS)}")
    events = [_event(f"{name} line {line}", row) for line, row in enumerate(rows, start=2)]
    if len({event["ID"] for event in events}) > 1:
        raise RegimenError(f"{name}: more than one ID; give the events of one person")
    return Regimen(
        each for number, event in enumerate(events, start=2) for each in _doses(f"{name} line {number}", event)
    )


def _event(where: str, row: Mapping[str | None, str | None]) -> dict[str, float]:
    cells = {(column or "").strip().upper(): (cell or "").strip() for column, cell in row.items() if column is not None}
    event = dict.fromkeys(EVENT_COLUMNS, 0.0)
    for column, cell in cells.items():
        if cell in ("", "."):
            continue
        try:
            event[column] = float(cell)
        except ValueError:
            raise RegimenError(f"{where}, column {column}: {cell!r}; it must be a number, or a dot for none") from None
    return event


def _doses(where: str, event: Mapping[str, float]) -> Iterator[Infusion]:
    amount, rate, duration = event["AMT"], event["RATE"], event["DUR"]
    if event["EVID"] not in (0, 1) or amount == 0:
        return
    if rate < 0 or (rate == 0) == (duration == 0):
        raise RegimenError(
            f"{where}: RATE {rate:g} and DUR {duration:g}; give one of them above zero "
            "(a bolus as a short infusion, for example DUR 0.0167)"
        )
    more = event["ADDL"]
    if more < 0 or more != int(more) or (more > 0 and event["II"] <= 0):
        raise RegimenError(
            f"{where}: ADDL {more:g} with II {event['II']:g}; ADDL is a whole number and needs II above zero"
        )
    for number in range(int(more) + 1):
        try:
            yield Infusion(event["TIME"] + number * event["II"], duration or amount / rate, amount)
        except RegimenError as error:
            raise RegimenError(f"{where}: {error}") from None
