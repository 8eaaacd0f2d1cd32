"""Each claim of the text that this project answers: verdict, who says so and who does not, the figure behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reprieve.evidence.plain import Cite, Statement, make
from reprieve.evidence.rows import Claim, Finding, Guideline, Study
from reprieve.evidence.tables import Evidence, tables


@dataclass(frozen=True, slots=True)
class Judgement:
    """A claim with its sources found. ``figures`` are sentences computed from rows; empty where only studies speak."""

    claim: Claim
    supporting: tuple[Cite, ...]
    opposing: tuple[Cite, ...]
    figures: tuple[Statement, ...]
    findings: tuple[Finding, ...]


# The statements that give the figure behind a claim
FIGURES: dict[str, tuple[str, ...]] = {
    "approvals": (),
    "mechanism": (),
    "therapy": ("therapy-works", "therapy-caution"),
    "ptsd-end": ("end-of-course", "pooled"),
    "head-to-head": ("no-contest",),
    "onset-and-durability": ("day-one", "fades"),
    "dissociation": ("spray-numbers", "drop-out"),
}


def judged(evidence: Evidence | None = None) -> list[Judgement]:
    """Every claim in the table's order."""
    evidence = evidence or tables()
    said = make(evidence)
    return [
        Judgement(
            claim,
            tuple(_cite(name, evidence) for name in claim.for_ids),
            tuple(_cite(name, evidence) for name in claim.against_ids),
            tuple(said[name] for name in FIGURES[claim.figure] if name in said),
            tuple(finding for finding in evidence.findings.values() if claim.id in finding.claims),
        )
        for claim in evidence.claims.values()
    ]


def _cite(name: str, evidence: Evidence) -> Cite:
    """The study, finding or guideline behind an id or a DOI."""
    lookups: tuple[Callable[[], Study | Finding | Guideline | None], ...] = (
        lambda: evidence.studies.get(name),
        lambda: evidence.findings.get(name),
        lambda: next((f for f in evidence.findings.values() if f.doi == name), None),
        lambda: next((g for g in evidence.guidelines.values() if g.where == name), None),
    )
    found = next(row for lookup in lookups if (row := lookup()))
    study_id = found.id if isinstance(found, Study) else ""
    return Cite(found.source.name, found.id, study_id, found.source.mark)
