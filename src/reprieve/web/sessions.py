"""What the session screen shows: entries read as a session, put in order for the page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.forms import Form

from reprieve.charts import LOOKS, svg
from reprieve.pharmacology.forecast import Forecast
from reprieve.pharmacology.person import Person
from reprieve.treatment.adverse import OUTCOMES, SEVERITIES, terms
from reprieve.treatment.expected import Pressure, Run, expected, picture
from reprieve.treatment.limits import Limits
from reprieve.treatment.session import BEFORE, KINDS, LEFT, PAUSED, RUNNING, STOPPED, Piece, Progress, Written, progress
from reprieve.treatment.vitals import STOP, rules, vitals
from reprieve.web.forms_session import AdverseForm, VitalsForm, WordsForm
from reprieve.web.models import Entry, Member
from reprieve.web.models import TreatmentSession as Session

CLOCK_OFF = timedelta(minutes=2)  # a device's clock that differs by more is said beside the entry
PHASES = {
    BEFORE: "The drip has not begun",
    RUNNING: "The drip runs",
    PAUSED: "The drip is paused",
    STOPPED: "The drip has stopped",
    LEFT: "The person has left",
}
TILES = (  # heading, unit, what it shows
    ("Blood pressure", "mmHg", ("systolic", "diastolic")),
    ("Pulse", "per min", ("pulse",)),
    ("Oxygen", "%", ("spo2",)),
    ("Awake, MOAA/S", "of 5", ("moaas",)),
    ("Detached, CADSS-6", "of 24", ("cadss6",)),
)


def form_of(kind: str, data: Any, *, ask_again: bool, prefix: str | None = None) -> Form:
    """The form that reads an entry of this kind."""
    if kind == "vitals":
        return VitalsForm(data, ask_again=ask_again, prefix=prefix)
    if kind == "adverse":
        return AdverseForm(data, prefix=prefix)
    return WordsForm(data, kind=kind, prefix=prefix)


def as_entry(
    session: Session, kind: str, form: Any, now: datetime, *, uid: uuid.UUID | None = None, at: datetime | None = None
) -> Entry:
    """The entry that a valid form makes, at ``at`` or now."""
    return Entry(
        session=session,
        uid=uid or uuid.uuid4(),
        kind=kind,
        term=form.term,
        data=form.kept,
        at=at or now,
        received_at=now,
        flagged=form.flagged,
    )


def when_it_happened(
    device_at: datetime, device_now: datetime, session: Session, now: datetime
) -> tuple[datetime, timedelta, bool]:
    """When an entry happened by the server's clock, from what the device's clock said then and says now.

    A clock that is wrong, but goes evenly, is put right. A time that comes out before the session was opened, or
    still ahead, says that the clock was moved in between: it is brought to the nearest that can be, and marked.

    Returns
    -------
    the moment, how far the device's clock is ahead, and whether it had to be brought in
    """
    ahead = device_now - now
    at = device_at - ahead
    earliest = session.opened_at or now
    brought_in = min(max(at, earliest), now)
    return brought_in, ahead, abs(brought_in - at) > timedelta(minutes=1)


def written(entries: Iterable[Entry]) -> list[Written]:
    """Rows of the database as the pure room reads them."""
    return [Written(str(e.uid), e.kind, e.at, e.data, e.by.name, e.term) for e in entries]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure, large: the latest, whether it rose or fell, when, and the one before."""

    heading: str
    unit: str
    latest: str
    arrow: str
    at: datetime | None
    before: str
    crossed: str
    level: str


@dataclass(frozen=True, slots=True)
class Row:
    """One entry in words."""

    uid: str
    kind: str
    at: datetime
    words: str
    by: str
    marks: tuple[str, ...]
    struck: bool
    may_correct: bool


@dataclass(frozen=True)
class Shown:
    """The screen of one session at one moment."""

    session: Session
    entries: Sequence[Entry]
    limits: Limits
    here: Progress
    now: datetime

    @classmethod
    def of(cls, session: Session, now: datetime) -> Shown:
        """Read the entries and compute where the session stands."""
        entries = list(session.entries.select_related("by"))
        limits = Limits(session.limits.values if session.limits else None)
        return cls(session, entries, limits, progress(written(entries), limits, now), now)

    @property
    def phase(self) -> str:
        """In words."""
        return PHASES[self.here.phase]

    @property
    def minutes_run(self) -> int:
        """Whole minutes since the start."""
        begun = self.here.started_at
        return (self.now - begun) // timedelta(minutes=1) if begun else 0

    @property
    def minutes_left(self) -> int | None:
        """Whole minutes until the syringe is empty, rounded up; None while it does not run."""
        ends = self.here.ends_at
        return None if ends is None else max(-((self.now - ends) // timedelta(minutes=1)), 0)

    @property
    def is_late(self) -> bool:
        """Whether a reading is overdue."""
        return self.here.reading_due_at is not None and self.here.reading_due_at < self.now

    @property
    def has_stop(self) -> bool:
        """Whether an alarm says stop."""
        return any(alarm.level == STOP for alarm in self.here.open_alarms)

    def tiles(self) -> list[Tile]:
        """The latest figures."""
        return [self._tile(*each) for each in TILES]

    def _tile(self, heading: str, unit: str, names: tuple[str, ...]) -> Tile:
        found = [reading for reading in self.here.readings if all(name in reading.values for name in names)]
        if not found:
            return Tile(heading, unit, "no reading", "", None, "", "", "")
        latest, before = found[-1], found[-2] if len(found) > 1 else None
        first = names[0]
        change = latest.values[first] - before.values[first] if before else 0
        crossed = [
            rule for name in names for rule in rules(self.limits)
            if rule.what == name and not rule.again_min and rule.fires(latest.values[name])
        ]  # fmt: skip
        grave = min(crossed, key=lambda rule: rule.level != STOP, default=None)
        return Tile(
            heading,
            unit,
            _figures(latest.values, names),
            "rising" if change > 0 else "falling" if change < 0 else "",
            latest.at,
            _figures(before.values, names) if before else "",
            grave.words if grave else "",
            grave.level if grave else "",
        )

    def rows(self) -> list[Row]:
        """Every entry, the newest first."""
        ordered = sorted(self.entries, key=lambda entry: (entry.at, entry.pk), reverse=True)
        return [self._row(entry) for entry in ordered]

    def _row(self, entry: Entry) -> Row:
        uid = str(entry.uid)
        marks = []
        if entry.flagged:
            marks.append("unusual figure, kept as typed")
        if uid in self.here.without_effect:
            marks.append(f"changed nothing: {self.here.without_effect[uid]}")
        if uid in self.here.corrected:
            marks.append(f"taken back: {self.here.corrected[uid]}")
        if entry.device_at is not None and entry.data.get("clock_ahead_s"):
            marks.append(clock_words(timedelta(seconds=entry.data["clock_ahead_s"])))
        if entry.data.get("time_unsure"):
            marks.append("the time is not sure")
        if entry.received_at - entry.at > CLOCK_OFF:
            marks.append("written down without a network" if entry.device_at else "entered later")
        struck = uid in self.here.corrected
        may_correct = not struck and entry.kind not in ("gate", "dose", "dose_check", "discharge", "correction")
        return Row(
            uid, KINDS[entry.kind], entry.at, summary(entry.kind, entry.term, entry.data), entry.by.name,
            tuple(marks), struck, may_correct,
        )  # fmt: skip

    def for_the_browser(self, member: Member, zone: str) -> dict[str, Any]:
        """What the script needs to time, warn and keep entries while there is no network."""
        here = self.here
        return {
            "session": self.session.pk,
            "member": member.pk,
            "now": self.now.isoformat(),
            "zone": zone,
            "phase": here.phase,
            "started_at": here.started_at and here.started_at.isoformat(),
            "ends_at": here.ends_at and here.ends_at.isoformat(),
            "reading_due_at": here.reading_due_at and here.reading_due_at.isoformat(),
            "every_min": self.limits["vitals_every_min" if here.phase in (RUNNING, PAUSED) else "vitals_after_min"],
            "readings": [
                {"uid": reading.uid, "at": reading.at.isoformat(), "values": dict(reading.values)}
                for reading in here.readings
            ],
            "alarms": [alarm.key for alarm in here.open_alarms],
            "terms": {
                term.code: {"words": term.words, "stops": term.stops, "action": f"Stop the drip. {term.management}"}
                | {"source": term.source.name, "mark": term.source.mark}
                for term in terms().values()
            },
            "rules": [rule.as_dict() for rule in rules(self.limits)],
            "vitals": {
                vital.id: {"words": vital.words, "unit": vital.unit, "low": vital.low, "high": vital.high}
                for vital in vitals().values()
            },
        }

    def pressures(self) -> list[Pressure]:
        """Each reading of both pressures, on the clock of the drip."""
        begun = self.here.started_at or self.now
        return [
            Pressure(_minutes(each.at - begun), each.values["systolic"], each.values["diastolic"])
            for each in self.here.readings
            if "systolic" in each.values and "diastolic" in each.values
        ]

    def expected(self) -> Forecast | None:
        """What the model expects of the drip as it ran, and at its present rate until the syringe is empty."""
        here, begun = self.here, self.here.started_at
        if begun is None or not here.dose:
            return None
        mg_per_ml = float(here.dose["mg_per_ml"])
        pieces = list(here.pieces)
        if here.ends_at is not None and here.ends_at > self.now:
            pieces.append(Piece(self.now, here.ends_at, here.ml_per_h))
        runs = [
            Run(_minutes(piece.start - begun), _minutes(piece.stop - begun), piece.ml_per_h * mg_per_ml)
            for piece in pieces
        ]
        stop = max([each.stop_min for each in runs], default=0.0)
        return expected(Person(float(here.dose["weight_kg"])), runs, stop + self.limits["watch_min"])

    def picture(self, width: int, look: str) -> str:
        """Pressures over what is expected, as SVG."""
        begun = self.here.started_at or self.now
        drawn = picture(self.expected(), self.pressures(), _minutes(self.now - begun), width, look, self.limits)
        return svg(drawn, LOOKS[look])


def _minutes(length: timedelta) -> float:
    return length / timedelta(minutes=1)


def clock_words(ahead: timedelta) -> str:
    """How far a device's clock is off.

    >>> clock_words(timedelta(hours=3)), clock_words(timedelta(minutes=-4))
    ('the device clock is 180 min ahead, put right', 'the device clock is 4 min behind, put right')
    """
    minutes = round(abs(ahead) / timedelta(minutes=1))
    return f"the device clock is {minutes} min {'ahead' if ahead > timedelta() else 'behind'}, put right"


def _figures(values: Mapping[str, float], names: Sequence[str]) -> str:
    return "/".join(f"{values[name]:g}" for name in names)


def summary(kind: str, term: str, data: Mapping[str, Any]) -> str:
    """What an entry says, in a line.

    >>> summary("vitals", "", {"systolic": 132.0, "diastolic": 84.0, "pulse": 78.0})
    '132/84 mmHg, pulse 78'
    """
    if kind == "vitals":
        return _vitals_in_words(data)
    if kind == "adverse":
        said = [terms()[term].words if term in terms() else term, SEVERITIES.get(data.get("severity", ""), "")]
        return "; ".join(word for word in [*said, data.get("action"), OUTCOMES.get(data.get("outcome", ""))] if word)
    if kind == "dose":
        return str(data.get("words", ""))
    if kind == "dose_check":
        return f"{data['mg']:g} mg in {data['ml']:g} mL"
    parts = [f"{data['ml_per_h']:g} mL an hour"] if data.get("ml_per_h") else []
    parts += [str(data[name]) for name in ("text", "why", "override") if data.get(name)]
    return "; ".join(parts)


def _vitals_in_words(data: Mapping[str, Any]) -> str:
    parts = []
    if data.get("systolic") is not None or data.get("diastolic") is not None:
        both = [f"{data[name]:g}" if data.get(name) is not None else "?" for name in ("systolic", "diastolic")]
        parts.append(f"{'/'.join(both)} mmHg")
    words = (("pulse", "pulse"), ("spo2", "oxygen"), ("breaths", "breaths"), ("moaas", "awake"), ("cadss6", "CADSS-6"))
    parts += [f"{said} {data[name]:g}" for name, said in words if data.get(name) is not None]
    return ", ".join(parts)
