"""Answers in, findings out: what fired, what stays unknown, what contradicts, and how soon a human answers.

The result is for the clinician, who decides. A blank is never a pass, and an unknown rule never fires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from reprieve.candidacy import medicines
from reprieve.candidacy.criteria import CRITERIA, RULE_SET_VERSION, STAGES, Category, Criterion, section_of
from reprieve.candidacy.derived import (
    DERIVED,
    FOLLOW_UPS,
    KINDS,
    PCPTSD5_CUT,
    LooseEnds,
    check_derived,
    derive,
)
from reprieve.candidacy.expressions import CLOSED, KNOWN, NEVER, Kind, blank_variables, compile_rules, parse
from reprieve.candidacy.questions import BRIEF, QUESTIONS, UNSURE, AnswerError, check_answer, is_blank

SOONEST_FIRST = ("immediate", "same_day", "next_business_day", "routine")
CONSIDER = "consider"


class Finding(NamedTuple):
    """One criterion that fired, as it stood on the day."""

    criterion_id: str
    category: str
    condition: str
    action: str
    rule: str
    note: str
    source: str
    source_url: str
    agreement: str
    provenance: str
    rule_provenance: str
    mark: str
    respond_within: str
    answers: dict[str, Any]
    reviewed: bool = False
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "answers": dict(self.answers)}


class Unknown(NamedTuple):
    """One criterion that could not be decided: what is missing, and what a blank means there."""

    criterion_id: str
    category: str
    condition: str
    missing: tuple[str, ...]
    ask: tuple[str, ...]
    blank_means: str

    def as_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "missing": list(self.missing), "ask": list(self.ask)}


class PtsdScreen(NamedTuple):
    """The five short signs: how many are surely there, how many there may be, and what that says at the cut."""

    low: int
    high: int
    cut: int
    result: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything the answers say on one day.

    Parameters
    ----------
    disposition : the gravest category that fired and was not reviewed; ``consider`` when none did
    respond_within : ``immediate``, ``same_day``, ``next_business_day`` or ``routine``
    findings : what fired, the gravest first
    unknown : criteria left open by a blank at a stage already reached
    not_asked_yet : criteria that wait for questions of a later stage
    blanks : questions of the brief form without an answer
    unsure : questions of the brief form answered "not sure" or "rather not say"
    unclear_medicines : lines with a word that could be two medicines, each with the names it could be
    unknown_names : keys that are no question; they were not used
    """

    disposition: str
    respond_within: str
    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]
    not_asked_yet: tuple[Unknown, ...]
    blanks: tuple[str, ...]
    unsure: tuple[str, ...]
    contradictions: tuple[str, ...]
    ptsd_screen: PtsdScreen
    interactions: tuple[medicines.Hit, ...]
    unrecognised_medicines: tuple[str, ...]
    unclear_medicines: dict[str, tuple[str, ...]]
    unknown_names: tuple[str, ...]
    rule_set_version: str
    today: date

    def as_dict(self) -> dict[str, Any]:
        """Plain values that survive JSON unchanged."""
        plain = {part.name: getattr(self, part.name) for part in fields(self)}
        lists = ("blanks", "unsure", "contradictions", "unrecognised_medicines", "unknown_names")
        return {
            **plain,
            **{name: list(plain[name]) for name in lists},
            "findings": [finding.as_dict() for finding in self.findings],
            "unknown": [row.as_dict() for row in self.unknown],
            "not_asked_yet": [row.as_dict() for row in self.not_asked_yet],
            "ptsd_screen": self.ptsd_screen._asdict(),
            "interactions": [hit._asdict() for hit in self.interactions],
            "unclear_medicines": {line: list(names) for line, names in self.unclear_medicines.items()},
            "today": self.today.isoformat(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Assessment:
        """The assessment that ``as_dict`` was taken from, as it stood, whatever the tables say today."""
        return cls(
            **{
                **plain,
                "findings": tuple(Finding(**finding) for finding in plain["findings"]),
                "unknown": _unknowns(plain["unknown"]),
                "not_asked_yet": _unknowns(plain["not_asked_yet"]),
                "blanks": tuple(plain["blanks"]),
                "unsure": tuple(plain["unsure"]),
                "contradictions": tuple(plain["contradictions"]),
                "ptsd_screen": PtsdScreen(**plain["ptsd_screen"]),
                "interactions": tuple(medicines.Hit(**hit) for hit in plain["interactions"]),
                "unrecognised_medicines": tuple(plain["unrecognised_medicines"]),
                "unclear_medicines": {line: tuple(names) for line, names in plain["unclear_medicines"].items()},
                "unknown_names": tuple(plain["unknown_names"]),
                "today": date.fromisoformat(plain["today"]),
            }
        )


def _unknowns(plain: Iterable[Mapping[str, Any]]) -> tuple[Unknown, ...]:
    return tuple(Unknown(**{**row, "missing": tuple(row["missing"]), "ask": tuple(row["ask"])}) for row in plain)


ORDERED: tuple[Criterion, ...] = tuple(sorted(CRITERIA.values(), key=lambda criterion: -criterion.category))
"""Criteria, the gravest first; the compiled rules speak of them by place."""

AT_ANY_TIME = frozenset({"service_setting", "jurisdiction_authorised", "criteria_ruled_out", "medicine_list"})
"""Answers that may come beside the brief form; they do not open a later stage."""
STAGE = {name: STAGES.index(section_of(name)) for name in KINDS}
LATER = frozenset(name for name, stage in STAGE.items() if stage)
_LATER_ONLY = LATER - FOLLOW_UPS.keys() - {"qualifying_event", "suicide_signal", "auditc_cut"}
"""Names without an answer as long as only the brief form is filled in; the others it may settle."""

_READ = frozenset(name for criterion in ORDERED for name in criterion.rule.names)
_HELD_AS = {name: kind for name, kind in KINDS.items() if name in _READ}
_VALUE, _CHOICE, _LIST = Kind.VALUE, Kind.CHOICE, Kind.LIST
_CODES = {name: frozenset(question.codes) for name, question in QUESTIONS.items() if question.type == "single"}
_NONE: frozenset[str] = frozenset()
_OPTIONS = {name: frozenset(question.codes) for name, question in QUESTIONS.items() if question.type == "multi"}
_BRIEF_IDS = tuple(question.id for question in BRIEF)
_BRIEF_CHOICES = tuple(
    question.id for question in BRIEF if not UNSURE.isdisjoint(question.codes) and question.type == "single"
)
_BRIEF_LISTS = tuple(question.id for question in BRIEF if question.type == "multi")
_SIGNS = frozenset(name for name in _BRIEF_IDS if name.startswith("pcptsd5_"))


def _variables(answers: Mapping[str, Any], blank_form: dict[str, Any]) -> dict[str, Any]:
    """The answers as the variables of the compiled rules; see ``expressions.hold``, of which this is the fast form."""
    variables = blank_form.copy()
    for name, value in answers.items():
        kind = _HELD_AS.get(name)
        if kind is _VALUE:
            variables[name] = value
        elif kind is _LIST:
            variables[name] = value
            if UNSURE.isdisjoint(value):
                variables[name + CLOSED] = True
        elif kind is _CHOICE:
            variables[name] = value
            if value not in UNSURE:
                variables[name + KNOWN] = value
    return variables


_RULES = {place: criterion.rule for place, criterion in enumerate(ORDERED)}
_BLANK_FORM = blank_variables(_HELD_AS)
_decide = compile_rules(_RULES, _BLANK_FORM)

_AT_BRIEF = {place: parse(rule.text, KINDS, absent=_LATER_ONLY) for place, rule in _RULES.items()}
_WAITING = frozenset(place for place, rule in _AT_BRIEF.items() if rule.surely == rule.settled == NEVER)
"""Places of the rules that are unknown as long as nothing beyond the brief form is answered."""
_BLANK_BRIEF_FORM = blank_variables({name: kind for name, kind in _HELD_AS.items() if name not in _LATER_ONLY})
_decide_brief = compile_rules({place: _AT_BRIEF[place] for place in _RULES if place not in _WAITING}, _BLANK_BRIEF_FORM)


def _evidence_names(criterion: Criterion) -> tuple[str, ...]:
    asked = (need for name in criterion.rule.names if name in DERIVED for need in DERIVED[name].needs)
    names = dict.fromkeys((*criterion.rule.names, *asked))
    return tuple(name for name in names if name not in QUESTIONS or QUESTIONS[name].type != "instrument")


_EVIDENCE = tuple(_evidence_names(criterion) for criterion in ORDERED)
_FACTS = tuple(
    (
        criterion.id,
        criterion.category.code,
        criterion.condition,
        criterion.action,
        criterion.rule.text,
        criterion.note,
        criterion.source.name,
        criterion.source.url,
        criterion.agreement,
        criterion.source.provenance,
        criterion.rule_provenance,
        criterion.source.mark,
    )
    for criterion in ORDERED
)
_PLACES = {criterion.id: place for place, criterion in enumerate(ORDERED)}
_SHOWN_BY_LOOSE_ENDS: dict[int, Callable[[LooseEnds], list[str]]] = {
    _PLACES["CAU-04"]: lambda loose_ends: loose_ends.safety or ["cssrs_tier", "phq9_item9"],
    _PLACES["CAU-05"]: lambda loose_ends: loose_ends.health,
    _PLACES["SOC-07"]: lambda loose_ends: [name for found in loose_ends.contradictions for name in found.answers],
}
_RESPOND = tuple(criterion.respond_within for criterion in ORDERED)
_RANK = {word: rank for rank, word in enumerate(SOONEST_FIRST)}


@cache
def _unknown(place: int, bits: int) -> tuple[int, Unknown]:
    """An unknown criterion and the first stage at which one of its open answers is asked."""
    criterion = ORDERED[place]
    missing = criterion.rule.open_names(bits)
    ask = dict.fromkeys(ask for name in missing for ask in (DERIVED[name].needs if name in DERIVED else (name,)))
    return min(STAGE[name] for name in missing), Unknown(
        criterion.id, criterion.category.code, criterion.condition, missing, tuple(ask), criterion.blank_means
    )


def _not_asked_yet(place: int) -> Unknown:
    compared = enumerate(_RULES[place].compared)
    return _unknown(place, sum(1 << bit for bit, (name, _, given) in compared if name in _LATER_ONLY and not given))[1]


_NOT_ASKED_YET = tuple(_not_asked_yet(place) for place in sorted(_WAITING))


def _read(answers: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Checked answers without the blanks, and the names that are no question."""
    said: dict[str, Any] = {}
    unknown_names = []
    for name, value in answers.items():
        kind = value.__class__
        if kind is str and value in _CODES.get(name, _NONE):
            said[name] = value
        elif kind is list and value and _are_options(value, _OPTIONS.get(name, _NONE)):
            said[name] = value[:]
        elif name in QUESTIONS:
            if (checked := check_answer(name, value)) is not None:
                said[name] = checked
        elif name in DERIVED:
            if not is_blank(value):
                said[name] = check_derived(name, value)
        else:
            unknown_names.append(str(name))
    return said, sorted(unknown_names)


def _are_options(value: list[Any], options: frozenset[str]) -> bool:
    try:
        return options.issuperset(value)
    except TypeError:  # a list within the list
        return False


def _ruled_out(said: Mapping[str, Any]) -> dict[str, str]:
    reasons = {entry["criterion_id"]: entry["reason"] for entry in said.get("criteria_ruled_out", ())}
    for key in reasons:
        if key not in CRITERIA:
            raise AnswerError("criteria_ruled_out", f"{key!r} is not a criterion; the ids are in criteria.csv")
        if CRITERIA[key].category is Category.URGENT:
            raise AnswerError(
                "criteria_ruled_out", f"{key} is urgent and cannot be ruled out; act on it, then record what was done"
            )
    return reasons


def assess(answers: Mapping[str, Any], today: date) -> Assessment:
    """Read the answers of one person.

    Parameters
    ----------
    answers : by question id as in ``questions.csv``; a blank is absent or None. A derived value may be given by its
        name and then stands.
    today : the day on which ages and the age of a reading are counted

    Raises
    ------
    AnswerError : for an answer that does not fit its question

    Examples
    --------
    >>> result = assess({"suicidal_thoughts_month": "plan"}, date(2026, 11, 22))
    >>> result.disposition, result.respond_within, result.findings[0].criterion_id
    ('urgent', 'immediate', 'URG-01')

    An empty form is not a clear one.

    >>> [finding.criterion_id for finding in assess({}, date(2026, 11, 22)).findings]
    ['CAU-04', 'CAU-05']
    """
    said, unknown_names = _read(answers)
    has_later = not LATER.isdisjoint(said)
    reached = max((STAGE[name] for name in said if name not in AT_ANY_TIME), default=0) if has_later else 0
    reasons = _ruled_out(said) if "criteria_ruled_out" in said else {}

    loose_ends = derive(said, today, has_later)
    if has_later:
        fired, undecided = _decide(_variables(said, _BLANK_FORM))
    else:
        fired, undecided = _decide_brief(_variables(said, _BLANK_BRIEF_FORM))
    findings = _findings(fired, said, loose_ends, reasons)
    unknown, not_asked_yet = _sort_unknown(undecided, reached, "interaction_levels" in said)
    blanks, unsure = _blanks(said)
    hits, unrecognised, unclear = _medicines(said)
    return Assessment(
        disposition=_disposition(findings),
        respond_within=_respond_within(findings, unknown),
        findings=findings,
        unknown=unknown,
        not_asked_yet=not_asked_yet if has_later else (*not_asked_yet, *_NOT_ASKED_YET),
        blanks=blanks,
        unsure=unsure,
        contradictions=tuple([found.sentence for found in loose_ends.contradictions]),
        ptsd_screen=_ptsd_screen(said["pcptsd5_low"], said["pcptsd5_high"]),
        interactions=hits,
        unrecognised_medicines=unrecognised,
        unclear_medicines=unclear,
        unknown_names=tuple(unknown_names),
        rule_set_version=RULE_SET_VERSION,
        today=today,
    )


def _findings(
    fired: list[int], said: Mapping[str, Any], loose_ends: LooseEnds, reasons: Mapping[str, str]
) -> tuple[Finding, ...]:
    findings = []
    for place in fired:
        facts, respond_within = _FACTS[place], _RESPOND[place]
        if place in _SHOWN_BY_LOOSE_ENDS:
            names = _SHOWN_BY_LOOSE_ENDS[place](loose_ends)
            evidence = {name: said.get(name) for name in names}
            if facts[0] == "SOC-07" and names and not any(found.about_safety for found in loose_ends.contradictions):
                respond_within = "at_consult"
        else:
            evidence = {name: said[name] for name in _EVIDENCE[place] if name in said}
        reason = reasons.get(facts[0], "")
        findings.append(Finding._make((*facts, respond_within, evidence, reason != "", reason)))
    return tuple(findings)


def _sort_unknown(
    undecided: list[tuple[int, int]], reached: int, has_medicine_list: bool
) -> tuple[tuple[Unknown, ...], tuple[Unknown, ...]]:
    """Unknown criteria: those left open at a stage already reached, and those that wait for a later one."""
    unknown: list[Unknown] = []
    not_asked_yet: list[Unknown] = []
    for place, bits in undecided:
        stage, row = _unknown(place, bits)
        is_open = stage <= reached or (has_medicine_list and "interaction_levels" in row.missing)
        (unknown if is_open else not_asked_yet).append(row)
    return tuple(unknown), tuple(not_asked_yet)


def _blanks(said: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Questions of the brief form without an answer, and those answered "not sure" or "rather not say"."""
    blanks = [name for name in _BRIEF_IDS if name not in said]
    if blanks and said["pcptsd5_low"] == said["pcptsd5_high"]:
        blanks = [name for name in blanks if name not in _SIGNS]
    if "age_years" in said and "birth_date" in blanks:
        blanks.remove("birth_date")
    unsure = [name for name in _BRIEF_CHOICES if said.get(name) in UNSURE]
    unsure += [name for name in _BRIEF_LISTS if name in said and not UNSURE.isdisjoint(said[name])]
    return tuple(blanks), tuple(unsure)


def _medicines(
    said: Mapping[str, Any],
) -> tuple[tuple[medicines.Hit, ...], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Interactions the gravest first, lines not recognised, and what the unclear ones may be."""
    if "medicine_list" not in said:
        ids = (key for key in said.get("interaction_levels", ()) if key in medicines.INTERACTIONS)
        return tuple(medicines.hit(key, ingredient="", line="") for key in ids), (), {}
    lines = [line for line in said["medicine_list"] if not medicines.says_none([line])]
    hits = [hit for line in lines for hit in medicines.hits_of(line)]
    matches = [medicines.match(line) for line in lines]
    return (
        tuple(sorted(hits, key=lambda hit: -medicines.LEVELS.index(hit.level))),
        tuple(match.line for match in matches if not match.is_clear),
        {match.line: match.candidates for match in matches if match.candidates},
    )


def _disposition(findings: Iterable[Finding]) -> str:
    for finding in findings:
        if not finding.reviewed:
            return CONSIDER if finding.category == "supports" else finding.category
    return CONSIDER


def _respond_within(findings: Iterable[Finding], unknown: Iterable[Unknown]) -> str:
    rank = _RANK["routine"]
    for finding in findings:
        if finding.category != "supports" and not finding.reviewed:
            rank = min(rank, _RANK.get(finding.respond_within, rank))
    if rank > _RANK["same_day"] and any([row.blank_means == "same_day_review" for row in unknown]):  # noqa: C419
        rank = _RANK["same_day"]
    return SOONEST_FIRST[rank]


def _ptsd_screen(low: int, high: int) -> PtsdScreen:
    result = "met" if low >= PCPTSD5_CUT else "not_met" if high < PCPTSD5_CUT else "undetermined"
    return PtsdScreen(low, high, PCPTSD5_CUT, result)
