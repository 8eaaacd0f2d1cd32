"""What came of one course: response, remission, reliable change and loss of response, each by a stated rule.

A total with blank items is a range. What the range does not decide is ``undecided``, what nobody measured is
``not measured``; neither is ever a zero or a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from reprieve.instruments import find, reliable_change
from reprieve.sources import Source, read_table
from reprieve.treatment.monitoring import Fact, fact
from reprieve.treatment.schedule import slot

YES, NO, UNDECIDED, NOT_MEASURED, NOT_RELEVANT = "yes", "no", "undecided", "not measured", "does not apply"
IMPROVED, NO_CLEAR_CHANGE, WORSENED = "improved", "no_clear_change", "worsened"
KINDS = ("reliable_change", "response", "remission", "loss_of_response", "relapse_alert", "no_benefit")
UNITS = ("points", "percent", "total")
OUR_CHOICE = "our choice"
RECENT_DAYS = 14  # our choice: an older total does not tell how somebody is at the review


class OutcomeError(ValueError):
    """An outcome cannot be judged: says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of ``outcome_rules.csv``. ``value`` is in ``unit``: points of change, percent of baseline, or a total."""

    id: str
    instrument: str
    kind: str
    words: str
    value: float
    unit: str
    is_our_choice: bool
    fact: Fact
    source: Source
    note: str

    def __post_init__(self) -> None:
        for word, allowed in ((self.kind, KINDS), (self.unit, UNITS)):
            if word not in allowed:
                raise OutcomeError(f"{word!r} in the outcome rule {self.id}; it must be one of {', '.join(allowed)}")
        if not self.value > 0:
            raise OutcomeError(f"the outcome rule {self.id} asks for {self.value:g}; it must be above zero")

    @property
    def figure(self) -> str:
        """The number as it is shown.

        >>> rule("PCL-5", "response").figure, rule("PCL-5", "remission").figure
        ('30 %', 'a total of 28')
        """
        shown = {"points": "{:g} points", "percent": "{:g} %", "total": "a total of {:g}"}
        return shown[self.unit].format(self.value)


@cache
def rules() -> dict[str, Rule]:
    """Every rule by its id, in the order of the table."""
    return {row["rule_id"]: _rule(row) for row in read_table("reprieve.treatment", "outcome_rules.csv")}


def _rule(row: dict[str, str]) -> Rule:
    """A rule; the points of a reliable change are those of the instrument."""
    seen, value, is_our_choice = fact(row["fact_id"]), row["value"], row["choice"] == OUR_CHOICE
    if row["change_rule"]:
        [value] = [str(each.points) for each in find(row["instrument"]).changes if each.name == row["change_rule"]]
    return Rule(
        id=row["rule_id"],
        instrument=row["instrument"],
        kind=row["kind"],
        words=row["words"],
        value=float(value),
        unit=row["unit"],
        is_our_choice=is_our_choice,
        fact=seen,
        source=Source(OUR_CHOICE if is_our_choice else seen.source.name, seen.source.url, row["provenance"]),
        note=row["note"],
    )


def rule(instrument: str, kind: str) -> Rule:
    """The rule of this kind for an instrument.

    Raises
    ------
    OutcomeError : if there is none
    """
    for each in rules().values():
        if (each.instrument, each.kind) == (instrument, kind):
            return each
    raise OutcomeError(f"there is no rule of {kind} for the {instrument}; judged are the instruments of the rules")


def judged_instruments() -> tuple[str, ...]:
    """Instruments whose response is judged."""
    return tuple(each.instrument for each in rules().values() if each.kind == "response")


@cache
def _bounds(instrument: str) -> tuple[int, int] | None:
    return find(instrument).total_bounds


@dataclass(frozen=True, slots=True)
class Measured:
    """One questionnaire or interview that was done: the lowest and the highest total that its answers allow.

    >>> Measured(date(2026, 11, 30), "PCL-5", (50, 54)).total is None
    True
    """

    on: date
    instrument: str
    total_range: tuple[int, int]

    def __post_init__(self) -> None:
        (low, high), bounds = self.total_range, _bounds(self.instrument)
        if bounds is None:
            raise OutcomeError(f"the {self.instrument} has no total to judge; give an instrument that has one")
        if not bounds[0] <= low <= high <= bounds[1]:
            raise OutcomeError(
                f"{self.instrument} with a total from {low} to {high}; it must run from the lower to the higher, "
                f"within {bounds[0]} to {bounds[1]}"
            )

    @property
    def total(self) -> int | None:
        """The total, None while blank items leave it open."""
        low, high = self.total_range
        return low if low == high else None

    @property
    def words(self) -> str:
        """The total, or its range, in words."""
        low, high = self.total_range
        return str(low) if low == high else f"{low} to {high} (items are blank)"


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule says, and on which totals it rests."""

    rule: Rule
    result: str
    before: Measured | None = None
    after: Measured | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """Whether a response was lost: last seen kept on ``kept_on``, first seen lost on ``lost_on``, from ``since``.

    The day itself lies between the two and is not known.
    """

    rule: Rule
    result: str
    since: date | None = None
    kept_on: date | None = None
    lost_on: date | None = None

    @property
    def days_seen(self) -> int | None:
        """Days from the end's measure until the loss was seen, or until the response was last seen kept."""
        until = self.lost_on or self.kept_on
        return (until - self.since).days if until and self.since else None


@dataclass(frozen=True, slots=True)
class Published:
    """What one published rule of change says; ``result`` is improved, worsened, no_clear_change or undecided."""

    name: str
    points: float
    result: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One instrument's outcome: judged at ``at``, the end of the course, or the latest total while it goes on."""

    instrument: str
    baseline: Measured | None
    at: Measured | None
    reliable: Judged
    by_published_rules: tuple[Published, ...]
    response: Judged
    remission: Judged | None
    loss: Loss


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody must look: the rule, whether it is certain, and a sentence."""

    rule: Rule
    result: str
    words: str


def judge(
    baseline: Measured | None, later: Iterable[Measured], ended_on: date | None, instrument: str = "PCL-5"
) -> Outcome:
    """What came of a course by one instrument.

    Parameters
    ----------
    baseline : the total before the course; None if nobody took it
    later : totals since, in any order; those of other instruments are left aside
    ended_on : day of the last session; None while the course goes on

    Raises
    ------
    OutcomeError : if the baseline is another instrument's, or the instrument has no rules

    Examples
    --------
    From 50 to 32 two weeks later; six weeks on it is 46 again.

    >>> start, end, six_weeks = date(2026, 11, 30), date(2026, 12, 12), date(2027, 1, 23)
    >>> found = judge(
    ...     Measured(start, "PCL-5", (50, 50)),
    ...     [Measured(end, "PCL-5", (32, 32)), Measured(six_weeks, "PCL-5", (46, 46))],
    ...     ended_on=date(2026, 12, 11),
    ... )
    >>> found.response.result, found.remission.result, found.loss.result, found.loss.days_seen
    ('yes', 'no', 'yes', 42)
    """
    response = rule(instrument, "response")
    seen = _since(baseline, later, instrument)
    at = (seen[-1] if seen else None) if ended_on is None else _at_end(seen, instrument, ended_on)
    has_remission = any((each.instrument, each.kind) == (instrument, "remission") for each in rules().values())
    return Outcome(
        instrument=instrument,
        baseline=baseline,
        at=at,
        reliable=_reliable(baseline, at, instrument),
        by_published_rules=_published(baseline, at, instrument),
        response=Judged(response, _two_way(response, baseline, at), baseline, at),
        remission=_remission(baseline, at, instrument) if has_remission else None,
        loss=_loss(baseline, at, seen, ended_on, instrument),
    )


def baseline_of(measured: Iterable[Measured], started_on: date, instrument: str) -> Measured | None:
    """The last total of an instrument in the window that its schedule opens before the first session."""
    first, last = slot("baseline", instrument).window(started_on)
    own = [each for each in measured if each.instrument == instrument and first <= each.on <= last]
    return max(reversed(own), key=lambda each: each.on, default=None)


def _since(baseline: Measured | None, later: Iterable[Measured], instrument: str) -> list[Measured]:
    if baseline is not None and baseline.instrument != instrument:
        raise OutcomeError(f"a baseline of the {baseline.instrument} for the {instrument}; give that of the same one")
    own = [each for each in later if each.instrument == instrument]
    return sorted((each for each in own if baseline is None or each.on > baseline.on), key=lambda each: each.on)


def _at_end(seen: Sequence[Measured], instrument: str, ended_on: date) -> Measured | None:
    """The first total in the window after the end."""
    first, last = slot("end", instrument).window(ended_on)
    return next((each for each in seen if first <= each.on <= last), None)


def fell_enough(rule: Rule, before: Any, after: Any) -> Any:
    """Whether exact totals, or arrays of them, meet a rule of response, loss (its opposite) or remission.

    A higher total before, and a lower one after, can only turn no into yes, so the ends of two ranges decide.
    """
    if rule.unit == "total":
        return (after <= rule.value) & (before > rule.value)
    return (before > after) & (100 * (before - after) >= rule.value * before)


def _two_way(rule: Rule, before: Measured | None, after: Measured | None) -> str:
    if before is None or after is None:
        return NOT_MEASURED
    return _between(
        fell_enough(rule, before.total_range[0], after.total_range[1]),
        fell_enough(rule, before.total_range[1], after.total_range[0]),
    )


def _between(worst: bool, best: bool) -> str:
    return YES if worst else UNDECIDED if best else NO


def _remission(before: Measured | None, after: Measured | None, instrument: str) -> Judged:
    own = rule(instrument, "remission")
    result = _two_way(own, before, after)
    if before is not None and before.total_range[1] <= own.value:
        result = NOT_RELEVANT  # it was as low from the start
    return Judged(own, result, before, after)


def _reliable(before: Measured | None, after: Measured | None, instrument: str) -> Judged:
    own = rule(instrument, "reliable_change")
    found = [each.result for each in _published(before, after, instrument) if each.points == own.value]
    return Judged(own, found[0] if found else NOT_MEASURED, before, after)


def _published(before: Measured | None, after: Measured | None, instrument: str) -> tuple[Published, ...]:
    """Every published rule of change; undecided when the worst and the best of the ranges differ."""
    if before is None or after is None:
        return ()
    worst = reliable_change(instrument, before.total_range[0], after.total_range[1])
    best = reliable_change(instrument, before.total_range[1], after.total_range[0])
    return tuple(
        Published(low.rule.name, low.rule.points, low.result if low.result == high.result else UNDECIDED)
        for low, high in zip(worst, best, strict=True)
    )


def _loss(
    before: Measured | None, at: Measured | None, seen: Sequence[Measured], ended_on: date | None, instrument: str
) -> Loss:
    own = rule(instrument, "loss_of_response")
    if ended_on is None or before is None or at is None:
        return Loss(own, NOT_RELEVANT if ended_on is None else NOT_MEASURED)
    responded = _two_way(rule(instrument, "response"), before, at)
    if responded != YES:
        return Loss(own, UNDECIDED if responded == UNDECIDED else NOT_RELEVANT)
    kept_on, result = at.on, NOT_MEASURED
    for each in (each for each in seen if each.on > at.on):
        kept = _two_way(own, before, each)
        if kept == NO:
            return Loss(own, YES, at.on, kept_on, each.on)
        result = NO if kept == YES else UNDECIDED
        kept_on = each.on if kept == YES else kept_on
    return Loss(own, result, at.on, kept_on)


def alerts(baseline: Measured | None, earlier: Iterable[Measured], new: Measured) -> tuple[Reason, ...]:
    """Reasons to alert the owner of a course when a new total has come in; none for an instrument without rules.

    The total has risen by the reliable change from the lowest since the course began, the baseline counted, or a
    response that was seen is lost. What blank items leave open is a reason too, and says so.

    Examples
    --------
    >>> baseline = Measured(date(2026, 11, 30), "PCL-5", (50, 50))
    >>> week_2 = Measured(date(2026, 12, 14), "PCL-5", (30, 30))
    >>> for reason in alerts(baseline, [week_2], Measured(date(2027, 1, 9), "PCL-5", (45, 45))):
    ...     print(reason.words)
    PCL-5 45, which is 15 points above the lowest since the course began (30).
    PCL-5 45: no longer 30 % below the 50 before the course.
    """
    if new.instrument not in judged_instruments():
        return ()
    own = baseline if baseline is not None and baseline.instrument == new.instrument else None
    seen = [each for each in _since(own, earlier, new.instrument) if each.on < new.on]
    found = (_rise([*([own] if own else []), *seen], new), _lost(own, seen, new))
    return tuple(reason for reason in found if reason)


def _rise(seen: Sequence[Measured], new: Measured) -> Reason | None:
    if not seen:
        return None
    own = rule(new.instrument, "relapse_alert")
    surest, lowest = min(each.total_range[1] for each in seen), min(each.total_range[0] for each in seen)
    result = _between(new.total_range[0] - surest >= own.value, new.total_range[1] - lowest >= own.value)
    if result == NO:
        return None
    if result == UNDECIDED:
        words = (
            f"may be {own.value:g} points or more above the lowest since the course began; blank items leave it open"
        )
    else:
        up = new.total_range[0] - surest
        at_least = "at least " if new.total is None or surest != lowest else ""
        words = f"which is {at_least}{up} points above the lowest since the course began ({surest})"
    return Reason(own, result, f"{new.instrument} {new.words}, {words}.")


def _lost(baseline: Measured | None, seen: Sequence[Measured], new: Measured) -> Reason | None:
    own = rule(new.instrument, "loss_of_response")
    decided = [found for each in seen if (found := _two_way(own, baseline, each)) in (YES, NO)]
    kept = _two_way(own, baseline, new)
    if baseline is None or not decided or decided[-1] == NO or kept == YES:
        return None
    if kept == UNDECIDED:
        result, words = UNDECIDED, "may be no longer"
    else:
        result, words = YES, "no longer"
    return Reason(
        own, result, f"{new.instrument} {new.words}: {words} {own.figure} below the {baseline.words} before the course."
    )


def review(baseline: Measured | None, later: Iterable[Measured], review_on: date) -> tuple[Reason, ...]:
    """Reasons to stop or change at the planned review; none when the PCL-5 has reliably fallen.

    The last total in the two weeks up to the review counts. A total that is missing or undecided is a reason as
    well: it cannot show a benefit.

    Examples
    --------
    >>> baseline = Measured(date(2026, 11, 30), "PCL-5", (50, 50))
    >>> [reason.words for reason in review(baseline, [], date(2026, 12, 14))]
    ['No PCL-5 in the 14 days before the review: no benefit can be shown.']
    """
    own = rule("PCL-5", "no_benefit")
    oldest = review_on - timedelta(days=RECENT_DAYS)
    recent = [each for each in _since(baseline, later, own.instrument) if oldest <= each.on <= review_on]
    if baseline is None:
        return (Reason(own, NOT_MEASURED, "No PCL-5 before the course: no benefit can be shown."),)
    if not recent:
        words = f"No PCL-5 in the {RECENT_DAYS} days before the review: no benefit can be shown."
        return (Reason(own, NOT_MEASURED, words),)
    now = recent[-1]
    fall = baseline.total_range[0] - now.total_range[1], baseline.total_range[1] - now.total_range[0]
    result = _between(fall[0] >= own.value, fall[1] >= own.value)
    if result == YES:
        return ()
    told = f"PCL-5 {now.words} after {baseline.words} before the course"
    if result == UNDECIDED:
        words = f"{told}: blank items leave open whether it fell by {own.figure}."
        return (Reason(own, UNDECIDED, words),)
    return (Reason(own, YES, f"{told}: it has not fallen by {own.figure}."),)
