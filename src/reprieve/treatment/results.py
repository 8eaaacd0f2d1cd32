"""What came of all courses of a clinic, with denominators, intervals and what is missing, beside the trials.

It says what happened, not why: without a control group nobody knows how the same people would have fared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reprieve.evidence.durability import MEDIANS
from reprieve.evidence.proportions import exact_interval
from reprieve.evidence.rows import Outcome as PublishedRow
from reprieve.evidence.tables import tables
from reprieve.instruments import INSTRUMENTS
from reprieve.treatment.adverse import terms
from reprieve.treatment.outcome import Measured, Rule, fell_enough, judged_instruments, rule
from reprieve.treatment.schedule import slot
from reprieve.treatment.survival import Curve, kaplan_meier

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_PROOF = (
    "These are the people this clinic treated, with no control group: no proof that the treatment caused the change. "
    "Some would have got better, or worse, without it, and those who did not come back may have fared differently."
)
AS_PLANNED = "as_planned"
MOMENTS = ("end", "week-4")
NEVER = -1  # no day, no total
_CODES = {name: number for number, name in enumerate(INSTRUMENTS)}


class ResultsError(ValueError):
    """A record contradicts itself: says how, and the way out."""


@dataclass(frozen=True, slots=True)
class CourseRecord:
    """One course, without a name.

    Parameters
    ----------
    started_on : day of the first infusion; None when there was none
    ended_on : day of the last one; None while the course goes on
    ending : why it ended, ``as_planned`` or another code; empty while it goes on
    measured : every total, before the course and after, in any order
    stopped_early : of those given, how many before the whole dose had run in
    harms : number of the session, from 1, and the code of the adverse event
    contact_kept : whether the first call came in time; None if unknown
    consent_min : minutes from the first consultation to the person's signature; None if one of them is not noted
    """

    started_on: date | None = None
    ended_on: date | None = None
    planned: int = 0
    given: int = 0
    missed: int = 0
    ending: str = ""
    measured: tuple[Measured, ...] = ()
    harms: tuple[tuple[int, str], ...] = ()
    contact_kept: bool | None = None
    consent_min: float | None = None
    age_years: int | None = None
    stopped_early: int = 0

    def __post_init__(self) -> None:
        if min(self.planned, self.given, self.missed, self.stopped_early) < 0:
            raise ResultsError("a number of sessions below zero; count those planned, given and missed from zero")
        if self.stopped_early > self.given:
            raise ResultsError(f"{self.stopped_early} of {self.given} sessions stopped early; count those given alone")
        if (self.ended_on is None) != (not self.ending):
            raise ResultsError(f"ended on {self.ended_on} with reason {self.ending!r}; give both, or neither")
        if self.started_on and self.ended_on and self.ended_on < self.started_on:
            raise ResultsError(f"from {self.started_on} to {self.ended_on}; a course must not end before it starts")
        if any(number < 1 for number, _ in self.harms):
            raise ResultsError("an adverse event in session 0; sessions are numbered from 1")


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many; the share is None when there is nobody.

    ``low`` and ``high`` are the exact 95 % interval, None where none holds, as for sessions: those of one person are
    alike.
    """

    events: int
    n: int
    share: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, events: int, n: int) -> Share:
        """Count ``events`` among ``n``.

        >>> Share.of(3, 10).words
        '3 of 10 (30 %, 95 % interval 7 to 65 %)'
        """
        if not n:
            return cls(0, 0, None, None, None)
        return cls(events, n, events / n, *exact_interval(events, n))

    @classmethod
    def of_sessions(cls, events: int, n: int) -> Share:
        """Count sessions: without an interval."""
        return cls(events, n, events / n if n else None, None, None)

    @property
    def words(self) -> str:
        """Count, share and interval in words."""
        if self.share is None:
            return "nothing to count yet"
        interval = ""
        if self.low is not None and self.high is not None:
            interval = f", 95 % interval {100 * self.low:.0f} to {100 * self.high:.0f} %"
        return f"{self.events} of {self.n} ({100 * self.share:.0f} %{interval})"


@dataclass(frozen=True, slots=True)
class Count:
    """A count with its denominator; ``unknown`` people are in neither."""

    id: str
    words: str
    share: Share
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """Responders at one moment, three ways: of those measured; if none, and if all, of the others had responded."""

    moment: str
    rule: Rule
    undecided: int
    missing: int
    of_measured: Share
    if_none: Share
    if_all: Share


@dataclass(frozen=True, slots=True)
class HarmCount:
    """How many people had an adverse event at least once, and in how many sessions."""

    code: str
    words: str
    people: Share
    sessions: Share


@dataclass(frozen=True, slots=True)
class Minutes:
    """Median and quartiles of a length of time in minutes; None when nobody noted any."""

    n: int
    unknown: int
    median: float | None
    quartiles: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """One figure of a published study, in the clinic's own terms where the row allows."""

    study: str
    treatment: str
    instrument: str
    words: str
    share: Share | None
    days: float | None
    row: PublishedRow


@dataclass(frozen=True, slots=True)
class Summary:
    """The clinic as a whole on one day."""

    courses: int
    started: int
    ended: int
    counts: tuple[Count, ...]
    consent: Minutes
    responses: tuple[Response, ...]
    losses: dict[str, Curve]
    harms: tuple[HarmCount, ...]
    sentence: str = NO_PROOF


@dataclass(frozen=True, eq=False)
class Courses:
    """Many courses as arrays, in one order: what the summary counts, without an object for each course.

    Parameters
    ----------
    totals : by instrument; they hold the days of start and end, NEVER if there is none
    planned, given, stopped_early, missed : shape (n,): numbers of sessions
    endings : n codes, empty while a course goes on
    contact_kept : shape (n,): 1 or 0, NEVER if not known
    consent_min : shape (n,): NaN if not noted
    age_years : shape (n,): NEVER if not known
    harm_owner, harm_session : shape (h,): which course, and the number of its session
    harm_codes : h codes of adverse events
    """

    totals: dict[str, Totals]
    planned: Ints
    given: Ints
    stopped_early: Ints
    missed: Ints
    endings: Sequence[str]
    contact_kept: Ints
    consent_min: NDArray[np.float64]
    age_years: Ints
    harm_owner: Ints
    harm_session: Ints
    harm_codes: Sequence[str]

    @classmethod
    def of(cls, records: Sequence[CourseRecord]) -> Courses:
        """Those of records."""

        def column(name: str) -> list[Any]:
            return list(map(attrgetter(name), records))

        def numbers(name: str) -> Ints:
            return np.array([NEVER if value is None else int(value) for value in column(name)], dtype=np.int64)

        every = list(chain.from_iterable(column("harms")))
        return cls(
            totals=Totals.of(records),
            planned=numbers("planned"),
            given=numbers("given"),
            stopped_early=numbers("stopped_early"),
            missed=numbers("missed"),
            endings=column("ending"),
            contact_kept=numbers("contact_kept"),
            consent_min=np.array([np.nan if value is None else value for value in column("consent_min")], dtype=float),
            age_years=numbers("age_years"),
            harm_owner=np.repeat(np.arange(len(records)), [len(harms) for harms in column("harms")]),
            harm_session=np.array([number for number, _ in every], dtype=np.int64),
            harm_codes=[code for _, code in every],
        )

    @property
    def started(self) -> Ints:
        """Shape (n,): the day of the first infusion."""
        return next(iter(self.totals.values())).started

    @property
    def ended(self) -> Ints:
        """Shape (n,): the day of the last one."""
        return next(iter(self.totals.values())).ended


def summarise(courses: Courses | Sequence[CourseRecord], as_of: date) -> Summary:
    """The clinic's own results.

    A course counts towards the response at a moment once that moment's window has closed by ``as_of``: then a
    missing total is missing, and not just to come.

    Parameters
    ----------
    courses : arrays, or a record for each course
    as_of : the day of the summary
    """
    found = courses if isinstance(courses, Courses) else Courses.of(courses)
    return Summary(
        courses=len(found.given),
        started=int(np.sum(found.started != NEVER)),
        ended=int(np.sum(found.ended != NEVER)),
        counts=tuple(_counts(found)),
        consent=_minutes(found.consent_min),
        responses=tuple(own.response(moment, as_of) for own in found.totals.values() for moment in MOMENTS),
        losses={instrument: own.loss() for instrument, own in found.totals.items()},
        harms=tuple(_harms(found)),
    )


def _counts(found: Courses) -> Iterator[Count]:
    known, kept = found.contact_kept != NEVER, int(np.sum(found.contact_kept == 1))
    yield Count("contact-kept", "First call made in time", Share.of(kept, int(known.sum())), int((~known).sum()))
    over = found.ended != NEVER
    planned = found.planned[over]
    # sessions given beyond the plan do not hide those that were not
    for name, counted in (("given", found.given), ("missed", found.missed)):
        share = Share.of_sessions(int(np.minimum(counted[over], planned).sum()), int(planned.sum()))
        yield Count(name, f"Sessions {name}, of those planned", share)
    early = Share.of_sessions(int(found.stopped_early.sum()), int(found.given.sum()))
    yield Count("stopped-early", "Sessions stopped before the whole dose had run in, of all given", early)
    endings = Counter(ending for ending in found.endings if ending)
    for code in sorted({AS_PLANNED, *endings}, key=lambda code: (code != AS_PLANNED, -endings[code], code)):
        yield Count(f"ending-{code}", code, Share.of(endings[code], int(over.sum())))


def _minutes(noted: NDArray[np.float64]) -> Minutes:
    known = noted[~np.isnan(noted)]
    if not len(known):
        return Minutes(0, len(noted), None, None)
    low, middle, high = np.percentile(known, [25, 50, 75])
    return Minutes(len(known), len(noted) - len(known), float(middle), (float(low), float(high)))


def _harms(found: Courses) -> Iterator[HarmCount]:
    """Every term, those never seen too: none of so many is a finding with an upper limit."""
    treated, sessions = int(np.sum(found.given > 0)), int(found.given.sum())
    codes = sorted({*found.harm_codes, *terms()})
    number = {code: place for place, code in enumerate(codes)}
    which = np.array([number[code] for code in found.harm_codes], dtype=np.int64)
    owner, session = found.harm_owner, found.harm_session
    people = _counted(which, owner, len(codes))
    seen = _counted(which, owner * (1 + session.max(initial=0)) + session, len(codes))
    for place in np.argsort(-people, kind="stable"):
        code = codes[place]
        words = terms()[code].words if code in terms() else code
        yield HarmCount(
            code, words, Share.of(int(people[place]), treated), Share.of_sessions(int(seen[place]), sessions)
        )


def _counted(which: Ints, key: Ints, kinds: int) -> Ints:
    """Shape (kinds,): how many different keys each kind has."""
    return np.bincount(np.unique(key * kinds + which) % kinds, minlength=kinds)


@dataclass(frozen=True, eq=False)
class Totals:
    """The totals of many courses on one instrument, as arrays: a row for each measure, by course, then day.

    Parameters
    ----------
    owner, day, low, high : shape (m,): which course, day as an ordinal, lowest and highest total
    started, ended : shape (n,): days of each course as ordinals, NEVER if there is none
    """

    instrument: str
    owner: Ints
    day: Ints
    low: Ints
    high: Ints
    started: Ints
    ended: Ints

    @classmethod
    def of(cls, records: Sequence[CourseRecord]) -> dict[str, Totals]:
        """Those of each instrument that is judged."""
        every = list(chain.from_iterable(map(attrgetter("measured"), records)))
        n = len(every)
        days = np.fromiter(map(date.toordinal, map(attrgetter("on"), every)), np.int64, n)
        codes = np.fromiter(map(_CODES.__getitem__, map(attrgetter("instrument"), every)), np.int64, n)
        ranges = np.fromiter(chain.from_iterable(map(attrgetter("total_range"), every)), np.int64, 2 * n).reshape(n, 2)
        owner = np.repeat(np.arange(len(records)), [len(record.measured) for record in records])
        order = np.lexsort((days, owner))
        started, ended = (_ordinals(list(map(attrgetter(name), records))) for name in ("started_on", "ended_on"))
        found = {}
        for instrument in judged_instruments():
            own = order[codes[order] == _CODES[instrument]]
            low, high = ranges[own, 0], ranges[own, 1]
            found[instrument] = cls(instrument, owner[own], days[own], low, high, started, ended)
        return found

    @cached_property
    def before(self) -> Ints:
        """Shape (n,): the row of each course's baseline, the last in its window; NEVER where there is none."""
        return self._at("baseline", self.started)

    @cached_property
    def after(self) -> dict[str, Ints]:
        """For each moment after the course, shape (n,): the first row in its window, NEVER where there is none."""
        return {moment: self._at(moment, self.ended) for moment in MOMENTS}

    def _at(self, moment: str, anchors: Ints) -> Ints:
        place, found = slot(moment, self.instrument), np.full(len(anchors), NEVER)
        since = self.day - anchors[self.owner] - place.day
        inside = (since >= -place.opens_days_before) & (since <= place.closes_days_after)
        rows = np.flatnonzero(inside & (anchors[self.owner] != NEVER))
        rows = rows if place.anchor == "start" else rows[::-1]
        found[self.owner[rows]] = rows  # of several the last stays
        return found

    def responded(self, moment: str) -> tuple[Bools, Bools, Bools]:
        """Shape (n,) each: responded for certain, perhaps, and whether both totals are there."""
        own = rule(self.instrument, "response")
        there = (self.before != NEVER) & (self.after[moment] != NEVER)
        rows = np.flatnonzero(there)
        before, after = self.before[rows], self.after[moment][rows]
        surely, perhaps = np.zeros(len(there), bool), np.zeros(len(there), bool)
        surely[rows] = fell_enough(own, self.low[before], self.high[after])
        perhaps[rows] = fell_enough(own, self.high[before], self.low[after])
        return surely, perhaps, there

    def closed(self, moment: str, as_of: date) -> Bools:
        """Shape (n,): treated, ended, and the window of the moment is over."""
        place = slot(moment, self.instrument)
        over = self.ended + place.day + place.closes_days_after < as_of.toordinal()
        return np.asarray((self.started != NEVER) & (self.ended != NEVER) & over)

    def response(self, moment: str, as_of: date) -> Response:
        """Responders at a moment among the courses whose window has closed."""
        counted = self.closed(moment, as_of)
        surely, perhaps, there = self.responded(moment)
        n, yes = int(counted.sum()), int((counted & surely).sum())
        undecided, missing = int((counted & perhaps & ~surely).sum()), int((counted & ~there).sum())
        return Response(
            moment,
            rule(self.instrument, "response"),
            undecided,
            missing,
            of_measured=Share.of(yes, n - undecided - missing),
            if_none=Share.of(yes, n),
            if_all=Share.of(yes + undecided + missing, n),
        )

    def lost(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Those who responded for certain at the end: which courses, and for each the day of its measure at the end,
        the last on which the response was seen kept, and the first on which it was seen lost, NEVER if it was not.
        """
        own, courses = rule(self.instrument, "loss_of_response"), np.flatnonzero(self.responded("end")[0])
        since, kept_on, lost_on = (np.full(len(self.started), NEVER) for _ in range(3))
        since[courses] = self.day[self.after["end"][courses]]
        kept_on[courses] = since[courses]
        rows = np.flatnonzero((since[self.owner] != NEVER) & (self.day > since[self.owner]))
        owner, day, before = self.owner[rows], self.day[rows], self.before[self.owner[rows]]
        is_lost = ~fell_enough(own, self.high[before], self.low[rows])
        lost_on[owner[is_lost][::-1]] = day[is_lost][::-1]
        is_kept = fell_enough(own, self.low[before], self.high[rows])
        is_kept &= (lost_on[owner] == NEVER) | (day < lost_on[owner])
        kept_on[owner[is_kept]] = day[is_kept]
        return courses, since[courses], kept_on[courses], lost_on[courses]

    def loss(self) -> Curve:
        """How long the responders at the end kept it, in days from their measure at the end.

        A loss counts on the day on which it was seen, though it came earlier, so the curve is a little too high;
        who was not seen to lose it is censored on the day on which it was last seen kept.
        """
        _, since, kept_on, lost_on = self.lost()
        is_lost = lost_on != NEVER
        return kaplan_meier((np.where(is_lost, lost_on, kept_on) - since).tolist(), is_lost.tolist())


def _ordinals(days: Sequence[date | None]) -> Ints:
    return np.array([NEVER if day is None else day.toordinal() for day in days], dtype=np.int64)


@cache
def published() -> tuple[PublishedResult, ...]:
    """Response and its loss in published studies of ketamine for PTSD, and trials that found no difference.

    Left out are rows from memory, and instruments that the clinic's rules do not judge.
    """
    found = []
    for row in tables().without_twins(include_recalled=False):
        if row.instrument not in judged_instruments() or not _is_ketamine(row):
            continue
        told = _told(row)
        if told:
            found.append(told)
    return tuple(found)


def _is_ketamine(row: PublishedRow) -> bool:
    labels = [arm.treatment for arm in tables().arms_of(row.study_id)]
    return any("ketamine" in tables().treatments[label].treatment for label in labels)


def _told(row: PublishedRow) -> PublishedResult | None:
    share, days, words = None, None, ""
    if row.kind == "responders" and row.n and row.events is not None:
        share = Share.of(row.events, row.n)
        words = f"responded: {share.words}"
    elif row.kind in MEDIANS and row.value is not None:
        days = row.value
        words = f"half of those who had got better had lost it after {days:g} days"
    elif row.kind == "group_by_time_test" and row.direction == "not_significant":
        words = f"no significant difference between the groups, in {row.n} people"
    if not words:
        return None
    study = tables().studies[row.study_id].name
    given = " against ".join(_given(row.study_id, side) for side in (row.arm_id, row.arm_a, row.arm_b) if side)
    return PublishedResult(study, given, row.instrument, words, share, days, row)


def _given(study_id: str, side: str) -> str:
    """What the arms of one side got, by their own labels, doses and routes."""
    arms = [tables().arms[study_id, arm_id] for arm_id in side.split(" and ")]
    return " and ".join(", ".join(filter(None, (arm.treatment, arm.dose, arm.route))) for arm in arms)


def published_median(instrument: str) -> PublishedResult | None:
    """The published median days to loss of response on an instrument; None where no study gave one."""
    medians: list[Any] = [each for each in published() if each.days is not None and each.instrument == instrument]
    return medians[0] if medians else None
