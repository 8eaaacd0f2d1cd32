"""What others have published: models of disposition, measured concentrations, and findings on the later links.

These rows are what the parameters were chosen from or are held against; the equations read ``parameters.csv`` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from reprieve.pharmacology import PharmacologyError
from reprieve.sources import Source, read_table

FINDINGS = ("receptor", "plasticity", "haemodynamics_and_dissociation", "symptoms_timecourse")


class FactError(PharmacologyError):
    """A table of facts cannot be used: says which file, line and column, the rule, and the way out."""


@dataclass(frozen=True, slots=True)
class PublishedValue:
    """One parameter of a published pharmacokinetic model. ``between_subject_cv_percent`` is as printed."""

    model_id: str
    doi: str
    population: str
    analyte: str
    compartments: str
    parameter: str
    value: str
    unit: str
    covariate_equation: str
    between_subject_cv_percent: str
    residual_error: str
    route: str
    source: Source


@dataclass(frozen=True, slots=True)
class Observation:
    """One measured concentration, mean over ``n`` people, ``unit`` as printed."""

    study: str
    doi: str
    dose: str
    duration_min: float | None
    analyte: str
    time_min: float | None
    mean: float | None
    sd: float | None
    n: float | None
    unit: str
    source: Source

    def __post_init__(self) -> None:
        if self.mean is not None and self.mean < 0:
            raise FactError(f"{self.study}: a concentration of {self.mean:g}; it must not be negative")


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure about receptors, plasticity, haemodynamics, dissociation or symptoms; value None if none was given."""

    parameter: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    species: str
    preparation: str
    doi: str
    note: str
    source: Source

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise FactError(f"{self.parameter}: low {self.low:g} is above high {self.high:g}; swap the two")


@cache
def published_models() -> tuple[PublishedValue, ...]:
    """Rows of ``pk_models.csv``."""
    name = "pk_models.csv"
    words = [column for column in PublishedValue.__slots__ if column != "source"]
    return tuple(
        PublishedValue(**_words(row, *words), source=_source(name, line, row, row["source"]))
        for line, row in _rows(name)
    )


@cache
def observations() -> tuple[Observation, ...]:
    """Rows of ``observations_pk.csv``."""
    name = "observations_pk.csv"
    return tuple(
        Observation(
            **_words(row, "study", "doi", "dose", "analyte", "unit"),
            **_numbers(name, line, row, "duration_min", "time_min", "mean", "sd", "n"),
            source=_source(name, line, row, row["study"]),
        )
        for line, row in _rows(name)
    )


@cache
def findings(subject: str) -> tuple[Finding, ...]:
    """Rows of one of :data:`FINDINGS`.

    >>> findings("receptor")[0].value
    0.71
    """
    name = f"{subject}.csv"
    return tuple(
        Finding(
            **_words(row, "parameter", "unit", "species", "preparation", "doi", "note"),
            **_numbers(name, line, row, "value", "low", "high"),
            source=_source(name, line, row, row["source"]),
        )
        for line, row in _rows(name)
    )


def _rows(name: str) -> list[tuple[int, dict[str, str]]]:
    return list(enumerate(read_table(__package__, name), start=2))


def _words(row: Mapping[str, str], *columns: str) -> dict[str, Any]:
    return {column: row[column] for column in columns}


def _numbers(name: str, line: int, row: Mapping[str, str], *columns: str) -> dict[str, Any]:
    return {column: _number(name, line, row, column) for column in columns}


def _number(name: str, line: int, row: Mapping[str, str], column: str) -> float | None:
    cell = row[column]
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        raise FactError(f"{name} line {line}, column {column}: {cell!r}; it must be a number, or empty") from None


def _source(name: str, line: int, row: Mapping[str, str], called: str) -> Source:
    try:
        return Source(called, row["source_url"], row["provenance"])
    except ValueError as error:
        raise FactError(f"{name} line {line}, column provenance: {error}") from None
