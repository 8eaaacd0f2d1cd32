"""Who was compared with whom: a graph of trials, so that nobody reads an indirect comparison as a direct one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from reprieve.evidence.rows import Outcome, Study
from reprieve.evidence.tables import Evidence, tables
from reprieve.evidence.trial import treatments_of

# The treatments a person chooses among, and the controls each family of trials used
FAMILIES = {
    "ketamine": ("ketamine",),
    "SSRIs and venlafaxine": ("sertraline", "paroxetine", "venlafaxine", "fluoxetine", "SSRIs as a class"),
    "trauma-focused therapy": ("trauma-focused therapy",),
}
# What a review calls the controls of all its trials: no treatment of its own
ANY_CONTROL = "any control"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two treatments, the randomised trials that put them side by side, and reviews that pooled such trials."""

    a: str
    b: str
    studies: tuple[Study, ...]
    reviewed: tuple[Outcome, ...]

    @property
    def sources(self) -> int:
        """Trials and reviews that made it, each once."""
        return len(self.studies) + len({row.study_id for row in self.reviewed})


@dataclass(frozen=True, slots=True)
class Network:
    """The treatments and who was compared with whom."""

    treatments: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    controls: frozenset[str]

    def between(self, one: tuple[str, ...], other: tuple[str, ...]) -> tuple[Study, ...]:
        """Trials that put any of ``one`` against any of ``other``."""
        return tuple(
            study
            for comparison in self.comparisons
            if (comparison.a in one and comparison.b in other) or (comparison.b in one and comparison.a in other)
            for study in comparison.studies
        )

    def controls_of(self, family: tuple[str, ...]) -> tuple[str, ...]:
        """What this family of treatments was held against, other families apart, most often used first."""
        counted: dict[str, int] = {}
        for comparison in self.comparisons:
            for own, other in ((comparison.a, comparison.b), (comparison.b, comparison.a)):
                if own in family and other in self.controls:
                    counted[other] = counted.get(other, 0) + comparison.sources
        return tuple(sorted(counted, key=lambda name: -counted[name]))

    def headline(self) -> str:
        """Whether ketamine ever met a first-line treatment, in words."""
        met = {
            study.id for name in ("SSRIs and venlafaxine", "trauma-focused therapy")
            for study in self.between(FAMILIES["ketamine"], FAMILIES[name])
        }  # fmt: skip
        if not met:
            return "No trial put ketamine beside a first-line treatment"
        return f"Trials that put ketamine beside a first-line treatment: {len(met)}"

    def one_table_is_fair(self) -> bool:
        """Whether the families share a control, so that one league table would compare like with like."""
        controls = [set(self.controls_of(family)) for family in FAMILIES.values()]
        return bool(set.intersection(*controls))


def network(evidence: Evidence | None = None) -> Network:
    """Every comparison in the tables, of randomised trials and of reviews, in PTSD."""
    evidence = evidence or tables()
    found: dict[tuple[str, str], tuple[list[Study], list[Outcome]]] = {}
    for study in evidence.studies.values():
        if study.is_randomised and not study.part_of and not study.is_pending:
            for pair in _pairs(study, evidence):
                found.setdefault(pair, ([], []))[0].append(study)
    for row in evidence.without_twins(include_recalled=False):
        if row.arm_a and not evidence.studies[row.study_id].is_primary:
            sides = [evidence.treatment_of(row.study_id, arm) for arm in (row.arm_a, row.arm_b)]
            names = sorted({side.treatment for side in sides if side} - {ANY_CONTROL})
            if len(names) == 2:
                found.setdefault((names[0], names[1]), ([], []))[1].append(row)
    comparisons = [Comparison(a, b, tuple(studies), tuple(rows)) for (a, b), (studies, rows) in sorted(found.items())]
    treatments = _neighbours_together(comparisons)
    controls = frozenset(given.treatment for given in evidence.treatments.values() if given.comparator)
    return Network(treatments, tuple(comparisons), controls)


def _pairs(study: Study, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Pairs of different treatments in a study's arms."""
    names = sorted({name for _, name in treatments_of(study, evidence)})
    yield from combinations(names, 2)


def _neighbours_together(comparisons: list[Comparison]) -> tuple[str, ...]:
    """Every treatment once, each beside those it was compared with, from ketamine on."""
    beside: dict[str, list[str]] = {"ketamine": []}
    for pair in comparisons:
        beside.setdefault(pair.a, []).append(pair.b)
        beside.setdefault(pair.b, []).append(pair.a)
    placed: dict[str, None] = {}
    for start in beside:
        waiting = [start]
        while waiting:
            name = waiting.pop(0)
            if name not in placed:
                placed[name] = None
                waiting = sorted(beside[name], key=lambda other: len(beside[other])) + waiting
    return tuple(placed)
