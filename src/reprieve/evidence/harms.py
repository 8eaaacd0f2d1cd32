"""Harms: how often each was seen, in whom, and what nobody has counted.

Counts in people with PTSD are pooled. Figures from other people, such as those with depression, are shown beside
them and never pooled with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from reprieve.evidence.effect_sizes import EffectSize, EffectSizeError, risk_difference, risk_ratio
from reprieve.evidence.proportions import PooledProportion, pool_proportions
from reprieve.evidence.rows import Harm, Percent, Study
from reprieve.evidence.tables import Evidence, tables

KETAMINE = ("ketamine", "esketamine")
UNKNOWNS = ("misuse and bladder", "long term", "serious")


@dataclass(frozen=True, slots=True)
class Seen:
    """One harm in one group of one study."""

    study: Study
    harm: Harm
    treatment: str
    control: Harm | None = None

    @property
    def share(self) -> Percent | None:
        """The percentage of people it happened to."""
        return self.harm.share

    @property
    def has_counts(self) -> bool:
        """Whether it can be pooled: people and events, both seen."""
        harm = self.harm
        return harm.events is not None and bool(harm.n) and "n_total" not in harm.recalled_columns

    @property
    def why_not_pooled(self) -> str:
        """Why its figure is not in the pool; empty when it is."""
        if not self.harm.in_ptsd:
            return f"seen in other people: {self.harm.population}"
        if not self.has_counts:
            return "a percentage or a range without counts" if self.harm.percent else "no rate seen"
        return ""

    def ratio(self) -> EffectSize | None:
        """How much more often than with the control, as a log ratio that is positive when it happened less often."""
        return self._against_control(risk_ratio)

    def difference(self) -> EffectSize | None:
        """How many fewer it happened to than with the control, as a share."""
        return self._against_control(risk_difference)

    def _against_control(self, measure: object) -> EffectSize | None:
        control = self.control
        if control is None or self.harm.events is None or control.events is None or not self.harm.n or not control.n:
            return None
        try:
            effect: EffectSize = measure(  # type: ignore[operator]
                self.harm.events, self.harm.n, control.events, control.n, event_is_good=False
            )
        except EffectSizeError:
            return None
        return effect


@dataclass(frozen=True)
class HarmSummary:
    """One harm under one treatment: every row that tells of it, and the pooled share where counts allow."""

    name: str
    words: str
    treatment: str
    rows: tuple[Seen, ...]

    @cached_property
    def pooled(self) -> PooledProportion | None:
        """The share of people with PTSD, from rows with counts; each group once."""
        used = [row for row in self.rows if not row.why_not_pooled]
        if not used:
            return None
        return pool_proportions([row.harm.events or 0 for row in used], [row.harm.n or 0 for row in used])

    @property
    def elsewhere(self) -> tuple[Seen, ...]:
        """Rows with a figure, from people without PTSD."""
        return tuple(row for row in self.rows if not row.harm.in_ptsd and row.share)

    @property
    def recalled(self) -> bool:
        """Whether a row comes from memory."""
        return any(row.harm.is_recalled for row in self.rows)


def harms_of(
    treatments: tuple[str, ...] = KETAMINE, *, include_recalled: bool = False, evidence: Evidence | None = None
) -> list[HarmSummary]:
    """Harms of these treatments, those with most rows first; what is unknown has :func:`unknown_harms`."""
    evidence = evidence or tables()
    found: dict[tuple[str, str], list[Seen]] = {}
    for harm in evidence.harms.values():
        if harm.is_recalled and not include_recalled:
            continue
        name = evidence.harm_names[harm.event]
        given = _treatment_of(harm, evidence)
        if given in treatments and name.words and name.harm not in UNKNOWNS:
            row = Seen(evidence.studies[harm.study_id], harm, given, _control_of(harm, evidence))
            found.setdefault((name.harm, given), []).append(row)
    words = {name.harm: name.words for name in reversed(list(evidence.harm_names.values())) if name.words}
    summaries = [HarmSummary(harm, words[harm], given, tuple(rows)) for (harm, given), rows in found.items()]
    return sorted(summaries, key=lambda summary: -len(summary.rows))


def unknown_harms(evidence: Evidence | None = None) -> list[Seen]:
    """Rows about grave or long-term harm that give no usable rate: what is known to happen and not how often."""
    evidence = evidence or tables()
    return [
        Seen(evidence.studies[harm.study_id], harm, _treatment_of(harm, evidence))
        for harm in evidence.harms.values()
        if evidence.harm_names[harm.event].harm in UNKNOWNS and _treatment_of(harm, evidence) in KETAMINE
    ]


def _treatment_of(harm: Harm, evidence: Evidence) -> str:
    """What the group had. A group of a crossover's sequence is not an arm: no one treatment."""
    given = evidence.treatment_of(harm.study_id, harm.arm_id)
    return given.treatment if given else ""


def _control_of(harm: Harm, evidence: Evidence) -> Harm | None:
    """The same event in the study's control group, recalled only if this row is."""
    for other in evidence.harms_of(harm.study_id):
        given = evidence.treatment_of(other.study_id, other.arm_id)
        is_control = given is not None and bool(given.comparator)
        if other.event == harm.event and is_control and (harm.is_recalled or not other.is_recalled):
            return other
    return None
