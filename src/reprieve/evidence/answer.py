"""The answer to a question: every study that bears on it, and what they say together.

Trials with a number are pooled as usual. Trials that report a direction only are added as censored effects, so that
the two can be seen side by side: the difference is what unpublished numbers hide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from reprieve.evidence.censored import CensoredFit, Direction, Posterior, fit, posterior
from reprieve.evidence.pooling import Pooled, pool
from reprieve.evidence.question import RESPONSE_KINDS, Question, QuestionError
from reprieve.evidence.tables import Evidence, tables
from reprieve.evidence.trial import DIRECTION_ONLY, LEFT_OUT, NOT_USABLE, POOLED, Entry, entry_of, treatments_of


@dataclass(frozen=True)
class Answer:
    """Every study that bears on the question, and what they say together. Ratios are on the log scale."""

    question: Question
    entries: tuple[Entry, ...]

    def used(self, use: str) -> tuple[Entry, ...]:
        """The studies used like this."""
        return tuple(entry for entry in self.entries if entry.use == use)

    @cached_property
    def numbers(self) -> tuple[list[float], list[float]]:
        """Estimates and variances of the trials with a number."""
        effects = [entry.effect for entry in self.used(POOLED) if entry.effect]
        return [effect.estimate for effect in effects], [effect.variance for effect in effects]

    @cached_property
    def directions(self) -> list[Direction]:
        """What the trials with a direction only say."""
        return [entry.direction for entry in self.used(DIRECTION_ONLY) if entry.direction]

    @cached_property
    def pooled(self) -> Pooled | None:
        """The trials with a number, pooled as usual; None when there is none."""
        estimates, variances = self.numbers
        if not estimates:
            return None
        return pool(estimates, variances, method=self.question.method, interval_method=self.question.interval_method)

    @cached_property
    def with_directions(self) -> CensoredFit | None:
        """All trials, those with a direction only as censored, by maximum likelihood; None when there is no trial."""
        estimates, variances = self.numbers
        return fit(estimates, variances, self.directions) if estimates or self.directions else None

    @cached_property
    def belief(self) -> Posterior | None:
        """The same by Bayes' rule from a weak prior; None for ratios, whose scale the prior is not made for."""
        estimates, variances = self.numbers
        if self.is_ratio or not (estimates or self.directions):
            return None
        return posterior(estimates, variances, self.directions)

    @property
    def is_ratio(self) -> bool:
        """Whether effects are log ratios rather than standardised differences."""
        return self.question.outcome in RESPONSE_KINDS

    @property
    def recalled(self) -> bool:
        """Whether any figure used comes from memory."""
        return any(entry.is_recalled for entry in self.entries if entry.use in (POOLED, DIRECTION_ONLY))


def answer(question: Question, evidence: Evidence | None = None) -> Answer:
    """What the trials say to the question.

    Returns
    -------
    every study of the treatment, used or not, each with its reason

    Raises
    ------
    QuestionError : if no arm in the tables had that treatment
    """
    return _answer(question) if evidence is None else ask(question, evidence)


@lru_cache(maxsize=256)
def _answer(question: Question) -> Answer:
    return ask(question, tables())


def ask(question: Question, evidence: Evidence) -> Answer:
    """``answer`` on tables given."""
    given = {study: {t for _, t in treatments_of(study, evidence)} for study in evidence.studies.values()}
    studies = [study for study, treatments in given.items() if study.is_primary and question.treatment in treatments]
    if not studies:
        known = sorted({t for study, treatments in given.items() if study.is_primary for t in treatments})
        raise QuestionError(f"treatment {question.treatment!r}; no study had it: choose from {', '.join(known)}")
    entries = tuple(
        entry_of(study, question, evidence) for study in sorted(studies, key=lambda s: (s.year or 9999, s.id))
    )
    order = (POOLED, DIRECTION_ONLY, LEFT_OUT, NOT_USABLE)
    return Answer(question, tuple(sorted(entries, key=lambda entry: order.index(entry.use))))
