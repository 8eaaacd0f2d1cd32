"""The clinic as a whole: all courses of a period as arrays, read in a few queries; and the registry export.

Everything is counted from columns that stand in the clear. Decrypted are only corrections in sessions with an adverse
event, because an event that was taken back does not count, and, for the registry alone, dates of birth.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection, models, transaction
from django.db.models import Case, Count, Exists, F, Func, Max, Min, OuterRef, Q, When
from django.db.models.functions import Cast, Coalesce
from numpy.typing import NDArray

from reprieve.treatment.outcome import judged_instruments
from reprieve.treatment.registry import Cell, registry_rows
from reprieve.treatment.results import NEVER, Courses, Ints, Share, Totals
from reprieve.web.forms import age
from reprieve.web.models import Clinic, Consent, Consultation, Course, Enquiry, Entry, Event, Measure
from reprieve.web.models import TreatmentSession as Session
from reprieve.web.models.versioned import Actor, name_of

WHOLE_DOSE = 0.95  # our choice: with less of the dose run in, a session was stopped early
GIVEN = Q(state=Session.State.ENDED, infused_mg__gt=0)
DAY_S, MINUTE_S = 86_400, 60
EPOCH = date(1970, 1, 1).toordinal()
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes for the start of a formula
HEADS = ("table", "row", "column", "count")


class _Seconds(Func):
    """A moment as whole seconds since 1970."""

    output_field = models.BigIntegerField()
    template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The same for PostgreSQL."""
        return self.as_sql(
            compiler, connection, template="FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint", **context
        )


class _Ordinal(Func):
    """A day as its number, 1 for 1 January of the year 1."""

    output_field = models.BigIntegerField()
    template = "CAST(julianday(%(expressions)s) - 1721424.5 AS INTEGER)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The same for PostgreSQL."""
        return self.as_sql(compiler, connection, template="(%(expressions)s - DATE '0001-01-01' + 1)", **context)


@dataclass(frozen=True, slots=True)
class Period:
    """Courses that began from one day until another, both included; None leaves an end open."""

    from_on: date | None = None
    until_on: date | None = None

    def begun(self, clinic: Clinic) -> Q:
        """Courses of the clinic that began in it."""
        found: dict[str, Any] = {"started_on__isnull": False, "fictional": clinic.fictional}
        if self.from_on:
            found["started_on__gte"] = self.from_on
        if self.until_on:
            found["started_on__lte"] = self.until_on
        return Q(**found)

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """When it starts, and when the day after it does, by the clinic's clock."""
        start = datetime.combine(self.from_on, time(), zone) if self.from_on else FIRST
        end = datetime.combine(self.until_on + timedelta(days=1), time(), zone) if self.until_on else LAST
        return start, end

    @property
    def words(self) -> str:
        """Such as "began from 1 Jan 2026 until 31 Mar 2026"."""
        ends = (("from", self.from_on), ("until", self.until_on))
        said = [f"{word} {day.day} {day:%b %Y}" for word, day in ends if day]
        return " ".join(["began", *said]) if said else "have begun"


EVER = Period()


def contact(period: Period, clinic: Clinic, now: datetime) -> tuple[Share, int]:
    """Promised first calls that fell due in the period, of everybody who asked: kept of those due, and still open."""
    objects: Any = Enquiry.objects
    found = objects.promises(*period.moments(clinic.zone), now)
    return Share.of(found["in_time"], found["in_time"] + found["missed"]), found["still_open"]


def not_begun(clinic: Clinic) -> dict[str, int]:
    """Courses without a first infusion: still planned, and ended before it."""
    found = Course.objects.filter(started_on=None, fictional=clinic.fictional)
    over = Q(state=Course.State.ENDED)
    return found.aggregate(planned=Count("pk", filter=~over), ended=Count("pk", filter=over))


@dataclass(frozen=True, eq=False)
class Reading:
    """Courses that began in a period, as arrays in the order of their keys; each part is read once, when asked for.

    What hangs on courses is read of all of them, from an index alone, and then taken of those in the period: that is
    faster than asking course by course. A course ends on the day of its last session. A session counts as given once
    it has ended and something ran in.
    """

    period: Period
    clinic: Clinic
    now: datetime

    @cached_property
    def rows(self) -> list[tuple[Any, ...]]:
        """Key, day of the start, day on which it was ended, enquiry, whether it is a later one, ending."""
        earlier = Course.objects.filter(enquiry=OuterRef("enquiry"), pk__lt=OuterRef("pk"))
        found = Course.objects.filter(self.period.begun(self.clinic)).order_by("pk")
        days = _Ordinal("started_on"), _Ordinal("ended_on")
        return _fetched(found.values_list("pk", *days, "enquiry_id", Exists(earlier), "ending"))

    def _contact_kept(self) -> Ints:
        """Shape (n,): 1 if the person's first call was made in time, 0 if not, NEVER where none was promised yet."""
        promised = F("promised_at")
        kept = Case(
            When(Q(promised_at=None), then=NEVER),
            When(Q(first_called_at__lte=promised), then=1),
            When(Q(first_called_at__gt=promised) | Q(promised_at__lt=self.now), then=0),
            default=NEVER,
            output_field=models.IntegerField(),
        )
        found = dict(_fetched(Enquiry.objects.order_by().values_list("pk", kept)))
        return np.array([found[row[3]] for row in self.rows], dtype=np.int64)

    def _column(self, place: int) -> Ints:
        return np.array([NEVER if row[place] is None else row[place] for row in self.rows], dtype=np.int64)

    @cached_property
    def pks(self) -> Ints:
        """Shape (n,): key of each course."""
        return self._column(0)

    def _mine(self, found: Ints) -> Ints:
        """Rows whose first column is the key of a course of the period; now it is the place of that course."""
        place = np.searchsorted(self.pks, found[:, 0])
        mine = self.pks[np.minimum(place, len(self.pks) - 1)] == found[:, 0] if len(self.pks) else place < 0
        return np.column_stack([place, found[:, 1:]])[mine]

    @cached_property
    def sessions(self) -> Ints:
        """Shape (n, 5): planned, given, stopped early, missed; and when the last one was, NEVER without one."""
        ended = Q(state=Session.State.ENDED)
        early = GIVEN & Q(infused_mg__lt=F("dose_mg") * WHOLE_DOSE)
        rows = (
            Session.objects.order_by()
            .values("course_id")
            .annotate(
                planned=Count("pk"),
                given=Count("pk", filter=GIVEN),
                early=Count("pk", filter=early),
                missed=Count("pk", filter=Q(state=Session.State.MISSED)),
                last=Coalesce(_Seconds(Max(Coalesce("opened_at", "planned_at"), filter=ended)), NEVER),
            )
            .values_list("course_id", "planned", "given", "early", "missed", "last")
        )
        found = self._mine(_array(_fetched(rows), 6))
        counted = np.zeros((len(self.pks), 5), dtype=np.int64)
        counted[:, 4] = NEVER
        counted[found[:, 0]] = found[:, 1:]
        return counted

    @cached_property
    def started(self) -> Ints:
        """Shape (n,): day of the first infusion as an ordinal."""
        return self._column(1)

    @cached_property
    def ended(self) -> Ints:
        """Shape (n,): day of the last session of a course that has ended, NEVER while it goes on."""
        over, last = self._column(2), self.sessions[:, 4]
        held = np.where(last == NEVER, over, local_days(last, self.clinic.zone))
        return np.where(over == NEVER, NEVER, held)

    def totals(self, instrument: str) -> Totals:
        """Every total on one instrument."""
        done = Q(instrument=instrument, completed_at__isnull=False, total_low__isnull=False)
        rows = Measure.objects.filter(done).order_by()
        read = _fetched(rows.values_list("course_id", _Seconds("completed_at"), "total_low", "total_high"))
        owner, second, low, high = self._mine(_array(read, 4)).T
        order = np.lexsort((second, owner))
        owner, second, low, high = (column[order] for column in (owner, second, low, high))
        return Totals(instrument, owner, local_days(second, self.clinic.zone), low, high, self.started, self.ended)

    def courses(self, *, with_ages: bool = False) -> Courses:
        """All of it; with ages, dates of birth are decrypted."""
        planned, given, early, missed, _ = self.sessions.T
        owner, number, codes = self._harms()
        return Courses(
            totals={instrument: self.totals(instrument) for instrument in judged_instruments()},
            planned=planned,
            given=given,
            stopped_early=early,
            missed=missed,
            endings=[row[5] for row in self.rows],
            contact_kept=self._contact_kept(),
            consent_min=self._consent_min(),
            age_years=self._ages() if with_ages else np.full(len(self.pks), NEVER),
            harm_owner=owner,
            harm_session=number,
            harm_codes=codes,
        )

    def _consent_min(self) -> NDArray[np.float64]:
        """From the person's first consultation to the signature; of a first course alone, later they know the drug."""
        signed = _first(Consent.objects.order_by(), "course_id", "person_signed_at")
        first = _first(Consultation.objects.order_by(), "enquiry_id", "at")
        minutes = np.full(len(self.rows), np.nan)
        for place, (pk, _, _, enquiry, is_later, *_) in enumerate(self.rows):
            if not is_later and pk in signed and first.get(enquiry, np.inf) <= signed[pk]:
                minutes[place] = (signed[pk] - first[enquiry]) / MINUTE_S
        return minutes

    def _harms(self) -> tuple[Ints, Ints, list[str]]:
        """Adverse events in sessions that were given, but those that were taken back."""
        named = ~Q(term="")
        given = Q(session__state=Session.State.ENDED, session__infused_mg__gt=0)
        here = Entry.objects.filter(given).order_by()
        beside = Exists(Entry.objects.filter(named, session=OuterRef("session")))
        corrections = here.filter(beside, kind="correction").values_list("data", flat=True)
        back = {str(data.get("corrects")).replace("-", "") for data in corrections}
        uid = Cast("uid", models.TextField())
        rows = here.filter(named).values_list("session__course_id", "session__number", "term", uid)
        kept = [row[:3] for row in _fetched(rows) if row[3].replace("-", "") not in back]
        codes = sorted({code for *_, code in kept})
        number = {code: place for place, code in enumerate(codes)}
        found = self._mine(_array(((course, session, number[code]) for course, session, code in kept), 3))
        return found[:, 0], found[:, 1], [codes[place] for place in found[:, 2]]

    def _ages(self) -> Ints:
        """Age in years on the first day, NEVER where no date of birth was given."""
        here = Course.objects.filter(self.period.begun(self.clinic)).order_by()
        said = dict(here.values_list("pk", "enquiry__answers"))
        found = [_age(said[pk], date.fromordinal(day)) for pk, day, *_ in self.rows]
        return np.array(found, dtype=np.int64)


def _fetched(rows: models.QuerySet[Any, Any]) -> list[Any]:
    """Rows as the database gives them, without making Python's values of each: numbers and text alone."""
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _array(rows: Iterable[tuple[int, ...]], columns: int) -> Ints:
    return np.fromiter(chain.from_iterable(rows), dtype=np.int64).reshape(-1, columns)


def _first(rows: models.QuerySet[Any], by: str, at: str) -> dict[int, int]:
    """The earliest moment of each group, as seconds."""
    return dict(_fetched(rows.values(by).annotate(first=_Seconds(Min(at))).values_list(by, "first")))


def _age(answers: Any, on: date) -> int:
    try:
        return age(answers["birth_date"], on)
    except (KeyError, TypeError, ValueError):  # left blank, or erased
        return NEVER


def local_days(seconds: Ints, zone: ZoneInfo) -> Ints:
    """Days as ordinals, by the clinic's calendar, of seconds since 1970.

    >>> half_past_four = int(datetime(2026, 11, 24, 4, 30, tzinfo=UTC).timestamp())
    >>> [str(date.fromordinal(day)) for day in local_days(np.array([half_past_four]), ZoneInfo("America/New_York"))]
    ['2026-11-23']
    """
    days, place = np.unique(seconds // DAY_S, return_inverse=True)
    begins, ends = ([_offset_s(int(day + more) * DAY_S, zone) for day in days] for more in (0, 1))
    shift = np.array(begins, dtype=np.int64)[place]
    for each in np.flatnonzero((np.array(begins) != np.array(ends))[place]):  # the clock changes on that day
        shift[each] = _offset_s(int(seconds[each]), zone)
    return EPOCH + (seconds + shift) // DAY_S


@lru_cache(maxsize=20_000)
def _offset_s(second: int, zone: ZoneInfo) -> int:
    """How far the clinic's clock is ahead of Greenwich."""
    ahead = datetime.fromtimestamp(second, zone).utcoffset() or timedelta()
    return ahead // timedelta(seconds=1)


# The registry


def registry(clinic: Clinic, now: datetime) -> tuple[Cell, ...]:
    """Every course that ended, as counts in which nobody can be found."""
    courses = Reading(EVER, clinic, now).courses(with_ages=True)
    return registry_rows(courses, now.astimezone(clinic.zone).date())


@transaction.atomic
def export(actor: Actor, clinic: Clinic, now: datetime) -> str:
    """The registry as a CSV file; that it was taken out is noted."""
    cells = registry(clinic, now)
    Event.record(name_of(actor), "exported the registry", "courses", cells=len(cells))
    return as_csv(cells)


def as_csv(cells: Sequence[Cell]) -> str:
    """Cells as a table in which no text is a formula.

    >>> print(as_csv([Cell("ending", "=1+1", "all", 7), Cell("ending", "30 to 39", "all", None)]), end="")
    table,row,column,count
    ending,'=1+1,all,7
    ending,30 to 39,all,hidden (small)
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS)
    writer.writerows([_as_text(each) for each in (cell.table, cell.row, cell.column, cell.words)] for cell in cells)
    return out.getvalue()


def _as_text(words: str) -> str:
    """On one line, for a line of its own could be a formula too."""
    words = " ".join(words.split())
    return f"'{words}" if words.startswith(FORMULA) else words
