"""One trial under one question: a number, a direction only, or neither, and why.

No trial is dropped without a word. An effect is positive when it favours the treatment asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from reprieve.evidence.censored import CensoredError, Direction
from reprieve.evidence.effect_sizes import (
    EffectSize,
    EffectSizeError,
    risk_ratio,
    smd_from_crossover,
    smd_from_mean_difference,
    smd_from_means,
)
from reprieve.evidence.question import OUTCOMES, RESPONSE_KINDS, WINDOWS, Question
from reprieve.evidence.rows import STANDARDISED, Outcome, Study
from reprieve.evidence.tables import Evidence

NORMAL_95 = 1.959963984540054
ALPHA = 0.05
POOLED, DIRECTION_ONLY, LEFT_OUT, NOT_USABLE = "pooled", "direction only", "left out", "not usable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One study: how it is used, why, and the rows that say so."""

    study: Study
    use: str
    why: str
    against: str = ""
    comparator: str = ""
    rows: tuple[Outcome, ...] = ()
    effect: EffectSize | None = None
    direction: Direction | None = None

    @property
    def is_recalled(self) -> bool:
        """Whether a figure in it comes from memory."""
        return any(row.is_recalled for row in self.rows)

    @property
    def note(self) -> str:
        """What the rows say about themselves."""
        return "; ".join(dict.fromkeys(row.note for row in self.rows if row.note))


def treatments_of(study: Study, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Arm ids of a study, each with what it was given."""
    for arm in evidence.arms_of(study.id):
        yield arm.id, evidence.treatments[arm.treatment].treatment


def entry_of(study: Study, question: Question, evidence: Evidence) -> Entry:
    """How one study is used."""
    reason = _unfit(study)
    if reason:
        return Entry(study, NOT_USABLE, reason)
    trial = Trial(study, question, evidence)
    against = trial.against()
    left_out = trial.left_out(against)
    if left_out:
        return Entry(study, LEFT_OUT, left_out, *against)
    return replace(trial.entry(), against=against[0], comparator=against[1])


def _unfit(study: Study) -> str:
    if study.is_pending:
        return "registered, no result published yet"
    if study.part_of:
        return f"counts people of {study.part_of} again"
    if not study.is_randomised:
        return "no randomised comparison, so its change is not only the drug's doing"
    return ""


@dataclass(frozen=True)
class Trial:
    """One randomised trial under one question."""

    study: Study
    question: Question
    evidence: Evidence

    def against(self) -> tuple[str, str]:
        """The control treatment, and what kind of comparator it is."""
        for arm in self.evidence.arms_of(self.study.id):
            given = self.evidence.treatments[arm.treatment]
            if given.treatment != self.question.treatment and given.comparator:
                return given.treatment, given.comparator
        return "", ""

    def left_out(self, against: tuple[str, str]) -> str:
        """Why the question itself leaves the trial out."""
        question = self.question
        if question.comparator != "any" and against[1] != question.comparator:
            return f"compared with {against[0] or 'another treatment'}: not the comparator asked for"
        if question.people == "veterans" and self.study.people != "veterans":
            return "not a trial of veterans"
        if question.people == "others" and self.study.people == "veterans":
            return "a trial of veterans"
        if not question.single_centre and self.study.sites != "several":
            return "from one centre"
        return ""

    def entry(self) -> Entry:
        """A number if a row gives one, else a direction, else the reasons why neither."""
        rows = self._rows(include_recalled=self.question.include_recalled)
        reasons: list[str] = []
        makers: tuple[Callable[[Outcome, list[Outcome]], Entry], ...] = (self._number, self._direction)
        if not self.question.directions:
            makers = makers[:1]
        for make in makers:
            for row in rows:
                try:
                    return make(row, rows)
                except (_NoUseError, EffectSizeError, CensoredError) as why:
                    reasons.append(str(why))
        if not rows and self._rows(include_recalled=True):
            return Entry(self.study, NOT_USABLE, "its figures here come from memory and are left out unless asked for")
        if not self.question.directions and any(row.direction for row in rows):
            return Entry(self.study, LEFT_OUT, "gives a direction only", rows=tuple(rows))
        return Entry(self.study, NOT_USABLE, ", ".join(dict.fromkeys(reasons)) or self._nothing(), rows=tuple(rows))

    def _nothing(self) -> str:
        """Why no row falls into the window."""
        about = [row for row in self.evidence.outcomes_of(self.study.id) if self._is_about(row)]
        if not about:
            return f"no result on {OUTCOMES[self.question.outcome]} in the tables"
        if all(row.day is None for row in about):
            return "the day of its result was not seen"
        days = ", ".join(f"{day:g}" for day in sorted({row.day for row in about if row.day is not None}))
        return f"no result in this window (results on day {days})"

    def _is_about(self, row: Outcome) -> bool:
        kinds = RESPONSE_KINDS.get(self.question.outcome)
        if kinds:
            return row.kind in kinds
        counts = [kind for kinds in RESPONSE_KINDS.values() for kind in kinds]
        measured = self.evidence.measures[row.instrument].outcome
        return measured == self.question.outcome and row.kind not in counts

    def _rows(self, *, include_recalled: bool) -> list[Outcome]:
        """Its results on the outcome in the window that are about the treatment, best instrument first."""
        window = WINDOWS[self.question.window]
        own = [arm for arm in self.evidence.arms_of(self.study.id) if self._is_treated(arm.id)]
        course = max((arm.duration_days for arm in own if arm.duration_days), default=None)
        repeated = any(arm.n_infusions != 1 for arm in own)
        rows = [
            row
            for row in self.evidence.without_twins(include_recalled=include_recalled)
            if row.study_id == self.study.id
            and self._is_about(row)
            and window.holds(row.day, course, repeated)
            and any(self._is_treated(arm) for arm in row.arms)
        ]
        # a difference printed by the trial before one of ours, a read row before one from memory
        return sorted(
            rows,
            key=lambda row: (
                self.evidence.measures[row.instrument].rank,
                row.kind in STANDARDISED,
                row.is_recalled,
            ),
        )

    def _is_treated(self, arm_id: str) -> bool:
        given = self.evidence.treatment_of(self.study.id, arm_id)
        return given is not None and given.treatment == self.question.treatment

    def _number(self, row: Outcome, rows: list[Outcome]) -> Entry:
        if row.value is None and row.events is None:
            raise _NoUseError("gives no figure")
        if row.arm_a:
            self._check_sides(row)
            effect = self._contrast(row)
            used: tuple[Outcome, ...] = (row,)
        else:
            other = self._control(row)
            effect = self._pair(row, other)
            used = (row, other)
        if self._is_turned(row):
            effect = replace(effect, estimate=-effect.estimate)
        return Entry(self.study, POOLED, effect.how + self._others(row, rows), rows=used, effect=effect)

    def _check_sides(self, row: Outcome) -> None:
        """A contrast must set the treatment against a control: not against another treatment, not against itself."""
        given = [self.evidence.treatment_of(self.study.id, arm) for arm in row.arms]
        others = [treatment for treatment in given if treatment and treatment.treatment != self.question.treatment]
        if not others:
            raise _NoUseError(f"compares groups that all had {self.question.treatment}")
        for other in others:
            if not other.comparator:
                raise _NoUseError(f"compares with {other.treatment}, which is a treatment and no control")

    def _is_turned(self, row: Outcome) -> bool:
        """Whether the treatment is arm_b of a contrast."""
        return bool(row.arm_b) and self._is_treated(row.arm_b.split(" and ")[0])

    def _others(self, row: Outcome, rows: list[Outcome]) -> str:
        same = [r for r in rows if r.instrument == row.instrument and r.kind == row.kind and r.arm_a and r is not row]
        shared = [r for r in same if r.arm_b == row.arm_b and r.arm_a != row.arm_a]
        return "; another dose shares its control group and is not counted again" if shared else ""

    def _contrast(self, row: Outcome) -> EffectSize:
        """The effect in a row that compares two arms."""
        if row.kind not in ("mean_difference", *STANDARDISED) or row.value is None:
            raise _NoUseError("gives no size of the difference")
        interval = (row.ci_low, row.ci_high) if row.ci_low is not None and row.ci_high is not None else None
        exact_p = row.p.value if row.p and not row.p.is_bound else None
        if row.kind in STANDARDISED:
            return _standardised(row, interval)
        known: dict[str, object] = {}
        if row.se is not None:
            known = {"se": row.se}
        elif interval is not None:
            known = {"interval": interval}
        elif exact_p is not None:
            known = {"p_value": exact_p}
        else:
            raise _NoUseError("gives a difference without standard error, interval or exact p value")
        if row.analysis == "crossover":
            if not row.n:
                raise _NoUseError("gives no number of people for its crossover result")
            return smd_from_crossover(
                n=row.n,
                correlation=self.question.correlation,
                difference=row.value,
                higher_is_worse=row.higher_is_worse,
                **known,  # type: ignore[arg-type]
            )
        n_a, n_b = self._sizes(row)
        if n_a != int(n_a) or n_b != int(n_b):
            raise _NoUseError("gives halves of a total for the people in each arm, not counts")
        return smd_from_mean_difference(
            row.value,
            int(n_a),
            int(n_b),
            higher_is_worse=row.higher_is_worse,
            **known,  # type: ignore[arg-type]
        )

    def _control(self, row: Outcome) -> Outcome:
        """The control arm's row that belongs to a treated arm's row."""
        if not self._is_treated(row.arm_id):
            raise _NoUseError("gives one arm of two")
        for other in self.evidence.without_twins(include_recalled=self.question.include_recalled):
            given = self.evidence.treatment_of(self.study.id, other.arm_id) if other.arm_id else None
            same = (other.study_id, other.instrument, other.day, other.kind) == (
                row.study_id,
                row.instrument,
                row.day,
                row.kind,
            )
            if same and given is not None and given.comparator:
                return other
        raise _NoUseError("gives one arm of two")

    def _pair(self, row: Outcome, other: Outcome) -> EffectSize:
        """The effect in two rows, one for each arm."""
        if self.question.outcome in RESPONSE_KINDS:
            return risk_ratio(*_counts(row), *_counts(other), event_is_good=True)
        if row.value is None or other.value is None or not row.n or not other.n:
            raise _NoUseError("gives no mean or no number of people for an arm")
        if row.sd is not None and other.sd is not None:
            return smd_from_means(
                row.value, row.sd, row.n, other.value, other.sd, other.n, higher_is_worse=row.higher_is_worse
            )
        if row.p and not row.p.is_bound:
            return smd_from_mean_difference(
                row.value - other.value, row.n, other.n, higher_is_worse=row.higher_is_worse, p_value=row.p.value
            )
        raise _NoUseError("gives means without standard deviation or exact p value")

    def _sizes(self, row: Outcome) -> tuple[float, float]:
        """People in each side of a contrast: from the row, else from the arms."""
        if row.n_a is not None and row.n_b is not None:
            return row.n_a, row.n_b
        sides = []
        for side in (row.arm_a, row.arm_b):
            sizes = [self.evidence.arms[self.study.id, arm].n_seen for arm in side.split(" and ")]
            if any(size is None for size in sizes):
                raise _NoUseError("the number of people in each arm was not seen")
            sides.append(sum(size for size in sizes if size is not None))
        return sides[0], sides[1]

    def _direction(self, row: Outcome, rows: list[Outcome]) -> Entry:
        """What a row says that gives a direction, or a p value as a bound, and no more."""
        result, other = self._reported(row)
        if other is not None:
            direction = Direction.parallel(result, row.n or 0, other.n or 0, ALPHA)
        elif self.study.is_crossover and row.n:
            direction = Direction.crossover(result, row.n, self.question.correlation, ALPHA)
        else:
            direction = Direction.parallel(result, *self._sizes(row), ALPHA)
        why = direction.how.replace("in favour of a ", f"in favour of {self.question.treatment} ")
        used = (row,) if other is None else (row, other)
        return Entry(self.study, DIRECTION_ONLY, why, rows=used, direction=direction)

    def _reported(self, row: Outcome) -> tuple[str, Outcome | None]:
        """The direction, turned to the treatment asked about; of two arms' rows with a bound p, the control's too."""
        if row.arm_a:
            self._check_sides(row)
            if not row.direction:
                raise _NoUseError("gives no direction either")
            return TURNED.get(row.direction, row.direction) if self._is_turned(row) else row.direction, None
        if row.direction:
            raise _NoUseError("gives one arm of two")
        if row.p is None or not row.p.is_bound or row.p.value > ALPHA:
            raise _NoUseError("gives no direction either")
        other = self._control(row)
        if row.value is None or other.value is None:
            raise _NoUseError("gives no direction")
        better = (row.value < other.value) == row.higher_is_worse
        return "favours_a" if better else "favours_b", other


TURNED = {"favours_a": "favours_b", "favours_b": "favours_a"}


class _NoUseError(Exception):
    """Why a row cannot be used: half a sentence."""


def _standardised(row: Outcome, interval: tuple[float, float] | None) -> EffectSize:
    if row.value is None or interval is None:
        raise _NoUseError("gives a standardised difference without an interval")
    se = (interval[1] - interval[0]) / (2 * NORMAL_95)
    sign = -1 if row.higher_is_worse else 1
    return EffectSize(sign * row.value, se**2, "smd", "standardised difference and its 95% interval as printed")


def _counts(row: Outcome) -> tuple[int, int]:
    """People it happened to, and of how many; a percentage is turned into people."""
    if not row.n:
        raise _NoUseError("gives no number of people for an arm")
    if row.events is not None:
        return row.events, row.n
    return round((row.value or 0) * row.n / 100), row.n
