"""The evidence tables, read and held against each other: ``tables()`` is the one door to them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from reprieve.evidence.rows import (
    Arm,
    Cells,
    Claim,
    EvidenceError,
    Finding,
    Guideline,
    Harm,
    HarmName,
    Measure,
    Outcome,
    Release,
    Study,
    Treatment,
)
from reprieve.sources import read_table

Row = TypeVar("Row")
Rows = Sequence[Mapping[str, str]]
Places = Mapping[str, Sequence[tuple[str, int]]]

# Each file, what one of its rows is, and the columns that name it
FILES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "studies.csv": (Study, ("study_id",)),
    "arms.csv": (Arm, ("study_id", "arm_id")),
    "outcomes.csv": (Outcome, ("outcome_id",)),
    "safety.csv": (Harm, ("safety_id",)),
    "guidelines.csv": (Guideline, ("guideline_id",)),
    "claims.csv": (Claim, ("claim_id",)),
    "mechanism.csv": (Finding, ("study_id",)),
    "treatments.csv": (Treatment, ("label",)),
    "measures.csv": (Measure, ("instrument",)),
    "harms.csv": (HarmName, ("event",)),
    "releases.csv": (Release, ("version",)),
}


@dataclass(frozen=True)
class Evidence:
    """Every table, each row checked, each reference found."""

    studies: Mapping[str, Study]
    arms: Mapping[tuple[str, str], Arm]
    outcomes: Mapping[str, Outcome]
    harms: Mapping[str, Harm]
    guidelines: Mapping[str, Guideline]
    claims: Mapping[str, Claim]
    findings: Mapping[str, Finding]
    treatments: Mapping[str, Treatment]
    measures: Mapping[str, Measure]
    harm_names: Mapping[str, HarmName]
    releases: tuple[Release, ...]

    @property
    def version(self) -> int:
        """The newest release of the data."""
        return self.releases[-1].version

    def arms_of(self, study_id: str) -> list[Arm]:
        """A study's arms, in the table's order."""
        return [arm for (study, _), arm in self.arms.items() if study == study_id]

    def outcomes_of(self, study_id: str) -> list[Outcome]:
        """A study's results, in the table's order."""
        return [outcome for outcome in self.outcomes.values() if outcome.study_id == study_id]

    def harms_of(self, study_id: str) -> list[Harm]:
        """A study's harms, in the table's order."""
        return [harm for harm in self.harms.values() if harm.study_id == study_id]

    def treatment_of(self, study_id: str, arm_id: str) -> Treatment | None:
        """What a group was given: by its arm's label, or by its own name in a review."""
        arm = self.arms.get((study_id, arm_id))
        return self.treatments.get(arm.treatment if arm else arm_id)

    def without_twins(self, *, include_recalled: bool) -> list[Outcome]:
        """Each result once: the row that was read, or with ``include_recalled`` its fuller twin from memory."""
        kept: dict[tuple[object, ...], Outcome] = {}
        for outcome in self.outcomes.values():
            if outcome.is_recalled and not include_recalled:
                continue
            if outcome.result not in kept or outcome.is_recalled:
                kept[outcome.result] = outcome
        return list(kept.values())


@cache
def tables() -> Evidence:
    """The tables that lie beside this module."""
    return read({name: read_table(__package__, name) for name in FILES})


def read(files: Mapping[str, Rows], places: Places | None = None) -> Evidence:
    """The tables in ``files``, by file name. ``places`` says what errors call the file and line of each row.

    Raises
    ------
    EvidenceError : if a cell breaks its rule, a key stands twice, or a reference leads nowhere
    """
    cells = {name: _cells(name, files[name], (places or {}).get(name)) for name in FILES}
    found: dict[str, Any] = {name: _read(name, cells[name]) for name in FILES}
    found["releases.csv"] = tuple(sorted(found["releases.csv"].values(), key=lambda release: release.version))
    evidence = Evidence(*found.values())
    _refer(evidence, cells)
    return evidence


def _cells(name: str, rows: Rows, places: Sequence[tuple[str, int]] | None) -> list[Cells]:
    named = places or [(name, line) for line in range(2, len(rows) + 2)]
    return [Cells(file, line, row) for (file, line), row in zip(named, rows, strict=True)]


def _read(name: str, rows: Iterable[Cells]) -> dict[Any, Any]:
    """The rows of one table by key, each checked alone."""
    (kind, keys), columns = FILES[name], header(name)
    kept: dict[Any, Any] = {}
    for cells in rows:
        missing = [column for column in columns if column not in cells.cells]
        if missing:
            raise EvidenceError(
                f"{cells.file} line 1, column {missing[0]}: missing; the header must be {','.join(columns)}"
            )
        named = tuple(cells.text(column, needed=True) for column in keys)
        key = named if len(named) > 1 else named[0]
        if key in kept:
            raise cells.wrong(keys[-1], "this stands in the table already; give it another id, or drop the row")
        kept[key] = kind.read(cells)
    return kept


@cache
def header(name: str) -> tuple[str, ...]:
    """The columns of a table, as its own file has them."""
    return tuple(read_table(__package__, name)[0])


def parse(text: str, file: str) -> list[dict[str, str]]:
    """Rows of CSV ``text``; complains of a row that is longer or shorter than the header."""
    rows = list(csv.DictReader(text.splitlines()))
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise EvidenceError(f"{file} line {line}: the number of cells differs from the header; mend the commas")
    return [{key: cell.strip() for key, cell in row.items()} for row in rows]


def _refer(evidence: Evidence, cells: Mapping[str, list[Cells]]) -> None:
    """Every reference leads somewhere, and no result stands twice."""
    for line, study in _lines(cells, "studies.csv", evidence.studies):
        if study.part_of and study.part_of not in evidence.studies:
            raise line.wrong("part_of", "no such study_id in studies.csv; add that study first")
    for line, arm in _lines(cells, "arms.csv", evidence.arms):
        _known(line, "study_id", evidence.studies, "studies.csv")
        if arm.treatment not in evidence.treatments:
            raise line.wrong("treatment", "no such label in treatments.csv; add what it stands for there")
    seen: dict[tuple[object, ...], str] = {}
    for line, outcome in _lines(cells, "outcomes.csv", evidence.outcomes):
        _known(line, "study_id", evidence.studies, "studies.csv")
        _outcome_refers(line, outcome, evidence)
        same = (*outcome.result, outcome.source.provenance, outcome.note)
        if same in seen:
            raise line.wrong("outcome_id", f"the same result as {seen[same]}; drop one of the two")
        seen[same] = outcome.id
    for line, harm in _lines(cells, "safety.csv", evidence.harms):
        _known(line, "study_id", evidence.studies, "studies.csv")
        if harm.event not in evidence.harm_names:
            raise line.wrong("event", "no such event in harms.csv; add which harm it is there")
    _claims_refer(evidence, cells)


def _outcome_refers(line: Cells, outcome: Outcome, evidence: Evidence) -> None:
    measure = evidence.measures.get(outcome.instrument)
    if measure is None:
        raise line.wrong("instrument", "no such instrument in measures.csv; add its range and what it measures there")
    if not measure.holds(outcome):
        width = f"{measure.lowest:g} to {measure.highest:g}"
        raise line.wrong("mean", f"{outcome.instrument} runs from {width}; check the value, the sign and the scale")
    for arm_id in outcome.arms:
        if evidence.treatment_of(outcome.study_id, arm_id) is None:
            column = "arm_id" if outcome.arm_id else "arm_a" if arm_id in outcome.arm_a else "arm_b"
            raise line.wrong(column, f"{arm_id!r} is no arm of {outcome.study_id} in arms.csv; add the arm first")


def _claims_refer(evidence: Evidence, cells: Mapping[str, list[Cells]]) -> None:
    dois = {finding.doi for finding in evidence.findings.values()}
    dois |= {guideline.where for guideline in evidence.guidelines.values()}
    known = evidence.studies.keys() | evidence.findings.keys() | dois
    for line, claim in _lines(cells, "claims.csv", evidence.claims):
        for column, names in (("studies_for", claim.for_ids), ("studies_against", claim.against_ids)):
            for name in names:
                if name not in known:
                    raise line.wrong(column, f"{name!r} is no study, finding or DOI of a guideline here; add it first")
    for line, finding in _lines(cells, "mechanism.csv", evidence.findings):
        for name in finding.claims:
            if name not in evidence.claims:
                raise line.wrong("claims", f"{name!r} is no claim_id in claims.csv")


def _known(line: Cells, column: str, there: Mapping[Any, Any], file: str) -> None:
    if line.text(column) not in there:
        raise line.wrong(column, f"no such {column} in {file}; add it there first")


def _lines(cells: Mapping[str, list[Cells]], name: str, values: Mapping[Any, Row]) -> Iterable[tuple[Cells, Row]]:
    """Each value with the cells it came from."""
    return zip(cells[name], values.values(), strict=True)
