"""The screening criteria: one table, read by the rules, the clinician's card, the documentation and the tests.

``criteria.csv`` holds what a criterion means and where it comes from; ``criteria_logic.csv`` holds the one
expression that decides it. Neither is repeated in code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from importlib import resources
from typing import Any

from reprieve.candidacy.derived import DERIVED, KINDS
from reprieve.candidacy.expressions import Expression, parse
from reprieve.candidacy.questions import QUESTIONS
from reprieve.sources import Source, read_table

STAGES = ("brief", "pre_consult", "consult", "dosing_day")
RESPONSES = ("immediate", "same_day", "next_business_day", "before_consult", "at_consult", "before_dose")
BLANKS = ("same_day_review", "ask_before_consult", "ask_at_consult", "no_dose_until_known", "no_finding")
TABLES = (
    "questions.csv",
    "derived_answers.csv",
    "criteria.csv",
    "criteria_logic.csv",
    "interactions.csv",
    "interaction_ingredients.csv",
    "interaction_levels.csv",
    "medicine_names.csv",
)


class CriterionError(ValueError):
    """A row of the criteria tables that does not fit the others."""


class Category(IntEnum):
    """What a criterion does to the disposition, from lightest to gravest."""

    SUPPORTS = 0
    CAUTION = 1
    NOT_INDICATED = 2
    EXCLUDE_UNTIL_REVIEWED = 3
    URGENT = 4

    @property
    def code(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion. ``reviewed_by`` and ``reviewed_on`` stay empty until a clinician has signed it."""

    id: str
    category: Category
    domain: str
    condition: str
    form_question: str
    action: str
    source: Source
    agreement: str
    rule: Expression
    rule_provenance: str
    answers_needed: tuple[str, ...]
    first_decidable_at: str
    respond_within: str
    blank_means: str
    example: Mapping[str, Any] = field(hash=False)
    note: str
    reviewed_by: str = ""
    reviewed_on: date | None = None

    def __post_init__(self) -> None:
        self._check_word("first_decidable_at", self.first_decidable_at, STAGES)
        self._check_word("respond_within", self.respond_within, RESPONSES)
        self._check_word("blank_means", self.blank_means, BLANKS)
        if missing := set(self.rule.names) - set(self.answers_needed):
            raise CriterionError(f"{self.id} reads {', '.join(sorted(missing))}; name each in answers_needed")
        if bool(self.reviewed_by) != bool(self.reviewed_on):
            raise CriterionError(f"{self.id} is signed by half; give both reviewed_by and reviewed_on, or neither")

    def _check_word(self, column: str, word: str, words: tuple[str, ...]) -> None:
        if word not in words:
            raise CriterionError(f"{column} {word!r} of {self.id}; it must be one of {', '.join(words)}")


def _read_criteria() -> dict[str, Criterion]:
    logic = {row["criterion_id"]: row for row in read_table(__package__, "criteria_logic.csv")}
    facts = {row["criterion_id"]: row for row in read_table(__package__, "criteria.csv")}
    if logic.keys() != facts.keys():
        raise CriterionError(f"{', '.join(logic.keys() ^ facts.keys())} stands in one of the two tables only; add it")
    return {key: _criterion(facts[key], logic[key]) for key in facts}


def _criterion(facts: Mapping[str, str], logic: Mapping[str, str]) -> Criterion:
    if facts["category"] != logic["category"]:
        raise CriterionError(f"{facts['criterion_id']} has two categories; make the two tables agree")
    return Criterion(
        id=facts["criterion_id"],
        category=Category[facts["category"].upper()],
        domain=facts["domain"],
        condition=facts["condition"],
        form_question=facts["form_question"],
        action=facts["clinical_team_action"],
        source=Source(facts["sources"], facts["source_url"], facts["provenance"]),
        agreement=facts["agreement"],
        rule=parse(logic["fires_when"], KINDS),
        rule_provenance=logic["provenance"],
        answers_needed=tuple(logic["answers_needed"].split(";")),
        first_decidable_at=logic["first_decidable_at"],
        respond_within=logic["respond_within"],
        blank_means=logic["blank_means"],
        example=json.loads(logic["example_that_fires"]),
        note=logic["note"],
    )


def _fingerprint() -> str:
    folder, digest = resources.files(__package__), hashlib.sha256()
    for name in TABLES:
        digest.update(name.encode() + b"\0" + folder.joinpath(name).read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def section_of(name: str) -> str:
    """The stage at which an answer, asked or derived, is first there."""
    if name == "intoxicated_or_withdrawing_today":
        return "dosing_day"
    return QUESTIONS[name].section if name in QUESTIONS else DERIVED[name].section


CRITERIA: dict[str, Criterion] = _read_criteria()
RULE_SET_VERSION: str = _fingerprint()
"""Changes when any table changes that a finding can rest on."""
