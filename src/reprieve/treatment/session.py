"""One visit for an infusion, as the list of what was written down in it.

Entries are only added. Where the drip stands, how much has run in, what is due next and which alarms are open follow
from the list alone, in the order in which things happened, whoever wrote them and whenever they arrived. Of entries of
one moment those go first that stand first in ``KINDS``: a pause before a resume, so that the drip runs.

A correction takes an entry back. Taking a correction back puts its entry in force again. What was answered or computed
before the dose, and a discharge, are done anew and not taken back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reprieve.treatment.adverse import terms
from reprieve.treatment.limits import Limits
from reprieve.treatment.vitals import STOP, Alarm, Measured, alarms, vitals

KINDS = {
    "gate": "Before the dose",
    "dose": "Dose computed",
    "dose_check": "Dose checked by a second person",
    "start": "Drip started",
    "pause": "Drip paused",
    "resume": "Drip resumed",
    "rate": "Rate changed",
    "stop": "Drip stopped",
    "vitals": "Vitals",
    "adverse": "Adverse event",
    "seen": "Alarm acknowledged",
    "note": "Note",
    "discharge": "Discharge",
    "correction": "Correction",
}
OFFLINE = ("start", "pause", "resume", "rate", "stop", "vitals", "adverse", "seen", "note", "correction")
NOT_TAKEN_BACK = ("gate", "dose", "dose_check", "discharge")
ORDER = {kind: place for place, kind in enumerate(KINDS)}
LONGEST_H = 1000.0  # a drip that would take longer has no end that is worth a clock
BEFORE, RUNNING, PAUSED, STOPPED, LEFT = "before", "running", "paused", "stopped", "left"


NO_START = {
    RUNNING: "the drip had begun",
    PAUSED: "the drip was paused: resume it",
    STOPPED: "the drip was stopped: take the stop back if it runs",
    LEFT: "the person had left",
}


class SessionError(ValueError):
    """A session cannot be read: says why."""


@dataclass(frozen=True, slots=True)
class Written:
    """One entry: ``at`` is when it happened; ``uid`` is its own for ever; ``by`` is who wrote it."""

    uid: str
    kind: str
    at: datetime
    data: Mapping[str, Any]
    by: str = ""
    term: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SessionError(f"{self.kind!r} is no kind of entry; it must be one of {', '.join(KINDS)}")
        rate = self.data.get("ml_per_h")
        if self.kind == "rate" and not (rate and 0 < float(rate) < math.inf):
            raise SessionError(
                f"a rate of {rate} mL an hour; it must be above zero (write down a pause to halt the drip)"
            )


@dataclass(frozen=True, slots=True)
class Piece:
    """The drip running at one rate."""

    start: datetime
    stop: datetime
    ml_per_h: float

    @property
    def ml(self) -> float:
        """What ran in."""
        return self.ml_per_h * (self.stop - self.start) / timedelta(hours=1)


@dataclass(frozen=True)
class Progress:
    """Where a session stands at one moment.

    Parameters
    ----------
    phase : BEFORE, RUNNING, PAUSED, STOPPED or LEFT
    dose : the data of the dose in force; empty until it was computed
    checked : whether a second person has checked just this dose
    gate : the data of the last answers before the dose; empty until then
    pieces : the drip's rate over time
    stopped_at : when it was stopped or ran empty
    ends_at : when the syringe is empty at this rate; None while the drip does not run
    without_effect : uid of an entry that changed nothing -> the reason, such as a second start
    corrected : uid of an entry that was taken back -> the correction's words
    open_alarms : alarms that nobody has acknowledged, the gravest first
    reading_due_at : by when the next vitals are due; None when none are
    """

    phase: str
    dose: Mapping[str, Any]
    checked: bool
    gate: Mapping[str, Any]
    pieces: tuple[Piece, ...]
    ml_per_h: float
    started_at: datetime | None
    stopped_at: datetime | None
    ends_at: datetime | None
    infused_ml: float
    infused_mg: float
    reading_due_at: datetime | None
    readings: tuple[Measured, ...] = field(repr=False)
    alarms: tuple[Alarm, ...] = field(repr=False)
    open_alarms: tuple[Alarm, ...] = field(repr=False)
    without_effect: Mapping[str, str] = field(repr=False)
    corrected: Mapping[str, str] = field(repr=False)

    @property
    def left_ml(self) -> float:
        """What is still in the syringe."""
        return max(float(self.dose.get("ml", 0)) - self.infused_ml, 0.0)


class _Drip:
    """The drip while the list is read through."""

    def __init__(self) -> None:
        self.phase = BEFORE
        self.dose: Mapping[str, Any] = {}
        self.gate: Mapping[str, Any] = {}
        self.checked = False
        self.rate = 0.0
        self.since: datetime | None = None
        self.started_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.ran_empty = False
        self.pieces: list[Piece] = []

    @property
    def run_in(self) -> float:
        return sum(piece.ml for piece in self.pieces)

    def runs_empty_at(self) -> datetime | None:
        """When the syringe is empty at this rate."""
        if self.phase != RUNNING or self.since is None or self.rate <= 0:
            return None
        hours = max(float(self.dose.get("ml", 0)) - self.run_in, 0.0) / self.rate
        return self.since + timedelta(hours=hours) if hours < LONGEST_H else None

    def _until(self, at: datetime) -> None:
        """Close the piece that runs; ``go_on_to`` has seen to it that the syringe is not empty before."""
        if self.since is not None and at > self.since:
            self.pieces.append(Piece(self.since, at, self.rate))

    def go_on_to(self, at: datetime) -> None:
        """Let the drip run until ``at``; when the syringe runs empty before, the drip has stopped then."""
        empty = self.runs_empty_at()
        if empty is not None and empty <= at:
            self._until(empty)
            self.phase, self.since, self.stopped_at, self.ran_empty = STOPPED, None, empty, True

    def take(self, entry: Written) -> str:
        """Apply one entry; the reason when it changes nothing."""
        act = getattr(self, f"_{entry.kind}", None)
        return act(entry) or "" if act else ""

    @property
    def _does_not_run(self) -> str:
        return "the syringe was empty by then" if self.ran_empty else "the drip did not run"

    def _gate(self, entry: Written) -> None:
        self.gate = entry.data

    def _dose(self, entry: Written) -> str | None:
        if self.dose and self.phase != BEFORE:
            return "the drip had begun"
        self.dose, self.checked = entry.data, False
        if self.phase in (RUNNING, PAUSED):  # a start whose time is not sure, and came out before its dose
            self.rate = self.rate or float(entry.data.get("ml_per_h") or 0)
        return None

    def _dose_check(self, entry: Written) -> str | None:
        if not self.dose:
            return "no dose was computed"
        if entry.data.get("mg") != self.dose.get("mg") or entry.data.get("ml") != self.dose.get("ml"):
            return "it was another dose"
        self.checked = True
        return None

    def _start(self, entry: Written) -> str | None:
        if self.phase != BEFORE:
            return NO_START[self.phase]
        self.phase, self.started_at = RUNNING, entry.at
        self.rate, self.since = float(entry.data.get("ml_per_h") or self.dose.get("ml_per_h") or 0), entry.at
        return None

    def _pause(self, entry: Written) -> str | None:
        if self.phase != RUNNING:
            return self._does_not_run
        self._until(entry.at)
        self.phase, self.since = PAUSED, None
        return None

    def _resume(self, entry: Written) -> str | None:
        if self.phase != PAUSED:
            return "the syringe was empty by then" if self.ran_empty else "the drip was not paused"
        self.phase, self.since = RUNNING, entry.at
        return None

    def _rate(self, entry: Written) -> str | None:
        if self.phase not in (RUNNING, PAUSED):
            return self._does_not_run
        if self.phase == RUNNING:
            self._until(entry.at)
            self.since = entry.at
        self.rate = float(entry.data["ml_per_h"])
        return None

    def _stop(self, entry: Written) -> str | None:
        if self.phase not in (RUNNING, PAUSED):
            return self._does_not_run
        if self.phase == RUNNING:
            self._until(entry.at)
        self.phase, self.since, self.stopped_at = STOPPED, None, entry.at
        return None

    def _discharge(self, entry: Written) -> str | None:
        if self.phase in (RUNNING, PAUSED):
            return "the drip was not stopped"
        if self.phase == LEFT:
            return "the person had left"
        self.phase = LEFT
        return None


def progress(entries: Iterable[Written], limits: Limits, now: datetime) -> Progress:
    """Where the session stands at ``now``, or at the last entry when that is later.

    Examples
    --------
    >>> begun = datetime(2026, 11, 25, 9)
    >>> entries = [
    ...     Written("a", "dose", begun, {"mg": 40.0, "ml": 4.0, "mg_per_ml": 10.0, "ml_per_h": 6.0}),
    ...     Written("b", "start", begun, {}),
    ...     Written("c", "pause", begun + timedelta(minutes=10), {}),
    ...     Written("d", "resume", begun + timedelta(minutes=15), {}),
    ... ]
    >>> here = progress(entries, Limits(), begun + timedelta(minutes=20))
    >>> here.phase, round(here.infused_ml, 3), round(here.infused_mg, 1), here.ends_at - begun
    ('running', 1.5, 15.0, datetime.timedelta(seconds=2700))
    """
    ordered = sorted(entries, key=lambda entry: (entry.at, ORDER[entry.kind], entry.uid))
    corrected, idle = _taken_back(ordered)
    standing = [entry for entry in ordered if entry.uid not in corrected]
    now = max([now, *(entry.at for entry in standing)])
    drip = _Drip()
    for entry in standing:
        drip.go_on_to(entry.at)
        reason = drip.take(entry)
        if reason:
            idle[entry.uid] = reason
    drip.go_on_to(now)
    ends_at = drip.runs_empty_at()
    pieces = list(drip.pieces)
    if drip.phase == RUNNING and drip.since is not None and now > drip.since:
        pieces.append(Piece(drip.since, now, drip.rate))
    ml = min(sum(piece.ml for piece in pieces), float(drip.dose.get("ml", 0)))  # to the last bit
    readings = tuple(_readings(standing))
    read = {reading.uid for reading in readings}
    idle |= {e.uid: "no figure is in it" for e in standing if e.kind == "vitals" and e.uid not in read}
    found = sorted([*alarms(readings, limits), *_alarms_of_events(standing)], key=lambda alarm: alarm.at)
    seen = {str(entry.data.get("alarm")) for entry in standing if entry.kind == "seen"}
    keys = {alarm.key for alarm in found}
    idle |= {
        entry.uid: "no such alarm stands"
        for entry in standing
        if entry.kind == "seen" and str(entry.data.get("alarm")) not in keys
    }
    unseen = [alarm for alarm in found if alarm.key not in seen]
    return Progress(
        phase=drip.phase,
        dose=drip.dose,
        checked=drip.checked,
        gate=drip.gate,
        pieces=tuple(pieces),
        ml_per_h=drip.rate if drip.phase == RUNNING else 0.0,
        started_at=drip.started_at,
        stopped_at=drip.stopped_at,
        ends_at=ends_at,
        infused_ml=ml,
        infused_mg=ml * float(drip.dose.get("mg_per_ml", 0)),
        reading_due_at=_due(drip, readings, limits),
        readings=readings,
        alarms=tuple(found),
        open_alarms=tuple(sorted(unseen, key=lambda alarm: (alarm.level != STOP, alarm.at))),
        without_effect=idle,
        corrected=corrected,
    )


def _taken_back(ordered: Sequence[Written]) -> tuple[dict[str, str], dict[str, str]]:
    """Entries that a standing correction takes back, with its words; and corrections that cannot, with the reason."""
    kind_of = {entry.uid: entry.kind for entry in ordered}
    idle, of = {}, dict[str, list[Written]]()
    for entry in ordered:
        if entry.kind == "correction":
            target = str(entry.data.get("corrects"))
            if target not in kind_of:
                idle[entry.uid] = "there is no such entry"
            elif kind_of[target] in NOT_TAKEN_BACK:
                idle[entry.uid] = f"{KINDS[kind_of[target]].lower()}: done anew, not taken back"
            else:
                of.setdefault(target, []).append(entry)

    def standing(uid: str, trail: frozenset[str]) -> list[Written]:
        trail |= {uid}
        return [each for each in of.get(uid, ()) if each.uid not in trail and not standing(each.uid, trail)]

    found = {uid: standing(uid, frozenset()) for uid in of}
    return {uid: str(each[-1].data.get("why", "")) for uid, each in found.items() if each}, idle


def _readings(entries: Sequence[Written]) -> Iterable[Measured]:
    for entry in entries:
        values = {name: float(entry.data[name]) for name in vitals() if entry.data.get(name) is not None}
        if entry.kind == "vitals" and values:
            yield Measured(entry.uid, entry.at, values)


def _alarms_of_events(entries: Sequence[Written]) -> Iterable[Alarm]:
    for entry in entries:
        if entry.kind != "adverse":
            continue
        term = terms().get(entry.term, terms()["other"])
        if term.stops or entry.data.get("severity") == "severe":
            action = f"Stop the drip. {term.management}"
            yield Alarm(f"event {entry.uid}", STOP, entry.at, term.words, action, term.source)


def _due(drip: _Drip, readings: Sequence[Measured], limits: Limits) -> datetime | None:
    """So long after the start or the last blood pressure, whichever is later; more seldom once the drip has stopped."""
    if drip.phase in (BEFORE, LEFT) or drip.started_at is None:
        return None
    every = limits["vitals_every_min"] if drip.phase in (RUNNING, PAUSED) else limits["vitals_after_min"]
    pressures = [reading.at for reading in readings if "systolic" in reading.values]
    last = max([drip.started_at, *pressures])
    return last + timedelta(minutes=every)
