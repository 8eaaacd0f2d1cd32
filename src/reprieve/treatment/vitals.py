"""What is measured in a session, which figures are asked for again, and which ones raise an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from reprieve.sources import Source, read_table
from reprieve.treatment.limits import Limits
from reprieve.treatment.monitoring import fact

STOP, CHECK = "stop", "check"  # the two levels of alarm


@dataclass(frozen=True, slots=True)
class Vital:
    """One thing that is measured. Beyond ``low`` and ``high`` a slip of the hand is likelier than the figure."""

    id: str
    words: str
    unit: str
    low: float
    high: float


@cache
def vitals() -> dict[str, Vital]:
    """Everything that is measured, by its id."""
    rows = read_table("reprieve.treatment", "vital_ranges.csv")
    return {
        row["vital"]: Vital(row["vital"], row["words"], row["unit"], float(row["low"]), float(row["high"]))
        for row in rows
    }


def doubts(values: Mapping[str, float]) -> tuple[str, ...]:
    """Why to ask again before these figures are kept. They are kept, flagged, when somebody says that they are right.

    >>> doubts({"systolic": 1300, "diastolic": 80})
    ('Upper pressure 1300 mmHg: it is usually 60 to 250.',)
    >>> doubts({"systolic": 80, "diastolic": 130})
    ('The upper pressure, 80, is not above the lower one, 130.',)
    """
    found = [
        f"{vital.words} {values[name]:g} {vital.unit}: it is usually {vital.low:g} to {vital.high:g}."
        for name, vital in vitals().items()
        if name in values and not vital.low <= values[name] <= vital.high
    ]
    if "systolic" in values and "diastolic" in values and values["systolic"] <= values["diastolic"]:
        found.append(
            f"The upper pressure, {values['systolic']:g}, is not above the lower one, {values['diastolic']:g}."
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a figure raises an alarm: above or below a limit; ``again_min`` asks for two readings so far apart."""

    id: str
    level: str
    what: str
    above: float | None
    below: float | None  # fires below it
    again_min: float
    words: str
    action: str
    source: Source

    def fires(self, value: float) -> bool:
        """Whether one figure is beyond the limit."""
        if self.above is not None:
            return value > self.above
        return self.below is not None and value < self.below

    def as_dict(self) -> dict[str, Any]:
        """The rule for the browser, which applies it too while there is no network."""
        return asdict(self) | {"source": self.source.name, "mark": self.source.mark}


def rules(limits: Limits) -> tuple[Rule, ...]:
    """Every rule under these limits, the gravest first."""
    pressure, oxygen, sedation = fact("MON-34"), fact("MON-36"), fact("MON-37")
    stop = "Stop the drip. With symptoms: an emergency, call for help. Without: the medical lead decides on treatment."
    apart = limits["retake_after_min"]
    found = []
    for what, words in (("systolic", "Upper pressure"), ("diastolic", "Lower pressure")):
        top, high = limits[f"stop_{what}_mmhg"], limits[f"retake_{what}_mmhg"]
        found += [
            Rule(f"{what}-stop", STOP, what, top, None, 0, f"{words} above {top:g}", stop, pressure.source),
            Rule(
                f"{what}-twice",
                STOP,
                what,
                high,
                None,
                apart,
                f"{words} above {high:g} twice, {apart:g} minutes apart",
                stop,
                pressure.source,
            ),
            Rule(
                f"{what}-again",
                CHECK,
                what,
                high,
                None,
                0,
                f"{words} above {high:g}",
                f"Measure again in {apart:g} minutes, the person at rest.",
                pressure.source,
            ),
        ]
    low, lower = limits["check_spo2_percent"], limits["stop_spo2_percent"]
    stay, deep = limits["stay_moaas"], limits["stop_moaas"]
    found += [
        Rule(
            "spo2-stop", STOP, "spo2", None, lower, 0, f"Oxygen below {lower:g} %",
            "Give oxygen, stop the drip, call for help.", oxygen.source,
        ),
        Rule(
            "spo2-check", CHECK, "spo2", None, low, 0, f"Oxygen below {low:g} %",
            "Look at the airway, sit the person up, measure again.", oxygen.source,
        ),
        Rule(
            "moaas-stop", STOP, "moaas", None, deep + 1, 0, f"Sedation score {deep:g} or less",
            "Stop the drip, open the airway, call for help.", sedation.source,
        ),
        Rule(
            "moaas-stay", CHECK, "moaas", None, stay + 1, 0, f"Sedation score {stay:g} or less",
            "Stay at the bedside and pause the drip.", sedation.source,
        ),
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda rule: rule.level != STOP))


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one entry, and when they were taken."""

    uid: str
    at: datetime
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A figure beyond a limit, or an event that stops the drip. ``key`` names it when somebody acknowledges it."""

    key: str
    level: str
    at: datetime
    words: str
    action: str
    source: Source


def alarms(readings: Iterable[Measured], limits: Limits) -> Iterator[Alarm]:
    """Alarms of the readings, oldest first. Of several on one figure only the gravest is given.

    >>> at = datetime(2026, 11, 25, 9)
    >>> high = [Measured("a", at, {"systolic": 185}), Measured("b", at + timedelta(minutes=5), {"systolic": 186})]
    >>> [(alarm.key, alarm.level) for alarm in alarms(high, Limits())]
    [('systolic-again a', 'check'), ('systolic-twice b', 'stop')]
    """
    ordered = sorted(readings, key=lambda reading: (reading.at, reading.uid))
    table = rules(limits)
    for number, reading in enumerate(ordered):
        for what, value in reading.values.items():
            for rule in table:
                if rule.what == what and rule.fires(value) and _long_enough(rule, ordered[:number], reading):
                    words = f"{rule.words}: {value:g}"
                    yield Alarm(f"{rule.id} {reading.uid}", rule.level, reading.at, words, rule.action, rule.source)
                    break


def _long_enough(rule: Rule, before: list[Measured], reading: Measured) -> bool:
    """Whether the readings before it, without one within the limit between, go back as far as the rule asks."""
    if not rule.again_min:
        return True
    for earlier in reversed(before):
        value = earlier.values.get(rule.what)
        if value is None:
            continue
        if not rule.fires(value):
            return False
        if reading.at - earlier.at >= timedelta(minutes=rule.again_min):
            return True
    return False
