"""Rows of the evidence tables as they stand: studies, guidelines, mechanism, releases. Nothing here is computed."""

from __future__ import annotations

from typing import Any

from reprieve.cli.bad_input import BadInput
from reprieve.cli.output import Listing, Report, interval
from reprieve.evidence.rows import Arm, Harm, Outcome, Study
from reprieve.evidence.tables import Evidence


def mark(row: Study | Arm | Outcome | Harm) -> str:
    """Whether the row was read, and which of its columns were not."""
    if row.source.mark or not row.recalled_columns:
        return row.source.mark or "read"
    return f"read; {', '.join(row.recalled_columns)} from memory, not yet checked"


def studies(evidence: Evidence, treatment: str | None, pending: bool) -> Report:
    """Every study, or those of a treatment, or those that have not reported."""
    if treatment is not None:
        _known_treatment(evidence, treatment)
    rows = [
        {
            "study": study.id,
            "year": study.year,
            "design": study.design,
            "people": study.people or study.population,
            "n": study.n_randomised,
            "role": study.role,
            "mark": mark(study),
            "address": study.source.url,
        }
        for study in evidence.studies.values()
        if (not pending or study.is_pending) and (treatment is None or treatment in _given(evidence, study))
    ]
    table = Listing("Studies", rows, ("study", "year", "design", "people", "n", "role", "mark"))
    return Report({"studies": rows}, rows, [table])


def _given(evidence: Evidence, study: Study) -> set[str]:
    """What its groups had, or what it pooled trials of."""
    arms = {arm.id for arm in evidence.arms_of(study.id)}
    arms |= {arm for outcome in evidence.outcomes_of(study.id) for arm in outcome.arms}
    found = (evidence.treatment_of(study.id, arm) for arm in arms)
    return {treatment.treatment for treatment in found if treatment}


def _known_treatment(evidence: Evidence, treatment: str) -> None:
    known = sorted({row.treatment for row in evidence.treatments.values()})
    if treatment not in known:
        raise BadInput(f"treatment {treatment!r}; it must be one of {', '.join(known)}")


def study(evidence: Evidence, study_id: str) -> Report:
    """Everything about one study: itself, its arms, its results, its harms."""
    found = evidence.studies.get(study_id)
    if found is None:
        near = [name for name in evidence.studies if study_id[:4].lower() in name] or ["feder2021"]
        raise BadInput(f"study {study_id!r} is not in studies.csv; ask for one such as {', '.join(near[:5])}")
    whole = _about(found)
    arms = [_arm(arm, evidence) for arm in evidence.arms_of(study_id)]
    results = [_result(outcome) for outcome in evidence.outcomes_of(study_id)]
    harms = [_harm(harm) for harm in evidence.harms_of(study_id)]
    filled = {name: value for name, value in whole.items() if value not in (None, "")}
    parts = [
        Listing(found.name, [filled], upright=True),
        Listing("Groups", arms, ("row", "given", "dose", "schedule", "n", "mark")),
        Listing("Results", results, ("row", "instrument", "kind", "day", "of", "n", "figure", "mark")),
        Listing("Harms", harms, ("row", "event", "of", "figure", "severity", "population", "mark")),
        Listing("Where each row was read, and its note", [_where(row) for row in (*arms, *results, *harms)]),
    ]
    document = {"study": whole, "arms": arms, "results": results, "harms": harms}
    lines = [{"table": name, **row} for name, rows in _tables_of(whole, arms, results, harms) for row in rows]
    return Report(document, lines, parts)


def _where(row: dict[str, Any]) -> dict[str, str]:
    address = f"<{row['address']}>" if row["address"] else "no address: from memory"
    return {"row": row["row"], "address_and_note": f"{address} {row['note']}".strip()}


def _tables_of(whole: dict[str, Any], *others: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    return list(zip(("studies", "arms", "outcomes", "safety"), ([whole], *others), strict=True))


def _about(found: Study) -> dict[str, Any]:
    return {
        "row": found.id,
        "title": found.title,
        "year": found.year,
        "journal": found.journal,
        "doi": found.doi,
        "registry": found.registry_id,
        "design": found.design,
        "population": found.population,
        "people": found.people,
        "sites": found.sites,
        "part_of": found.part_of,
        "n": found.n_randomised,
        "setting": found.setting,
        "country": found.country,
        "funder": found.funder,
        "weaknesses": found.bias,
        "role": found.role,
        "mark": mark(found),
        "address": found.source.url,
    }


def _arm(arm: Arm, evidence: Evidence) -> dict[str, Any]:
    return {
        "row": f"{arm.study_id}/{arm.id}",
        "given": arm.treatment,
        "treatment": evidence.treatments[arm.treatment].treatment,
        "dose": arm.dose,
        "schedule": "; ".join(filter(None, (arm.route, arm.schedule, arm.duration))),
        "n": arm.n,
        "mark": mark(arm),
        "note": arm.note,
        "address": arm.source.url,
    }


def _result(outcome: Outcome) -> dict[str, Any]:
    return {
        "row": outcome.id,
        "instrument": outcome.instrument,
        "kind": outcome.kind,
        "day": outcome.day,
        "of": f"{outcome.arm_a} minus {outcome.arm_b}" if outcome.arm_a else outcome.arm_id,
        "n": outcome.n,
        "figure": _figure(outcome),
        "value": outcome.value,
        "sd": outcome.sd,
        "se": outcome.se,
        "ci_low": outcome.ci_low,
        "ci_high": outcome.ci_high,
        "events": outcome.events,
        "p_value": str(outcome.p) if outcome.p else None,
        "direction": outcome.direction,
        "higher_is_worse": outcome.higher_is_worse,
        "analysis": outcome.analysis,
        "mark": mark(outcome),
        "note": outcome.note,
        "address": outcome.source.url,
    }


def _figure(outcome: Outcome) -> str:
    parts = (
        "" if outcome.events is None else f"{outcome.events} of {outcome.n}",
        interval(outcome.value, outcome.ci_low, outcome.ci_high),
        "" if outcome.sd is None else f"SD {outcome.sd:g}",
        "" if outcome.se is None else f"SE {outcome.se:g}",
        "" if outcome.p is None else f"p {outcome.p}",
        outcome.direction.replace("_", " "),
    )
    return ", ".join(filter(None, parts)) or "no figure seen"


def _harm(harm: Harm) -> dict[str, Any]:
    return {
        "row": harm.id,
        "event": harm.event,
        "of": harm.arm_id,
        "figure": people_harmed(harm),
        "events": harm.events,
        "n": harm.n,
        "percent": str(harm.percent) if harm.percent else None,
        "severity": harm.severity,
        "population": harm.population,
        "mark": mark(harm),
        "note": harm.note,
        "address": harm.source.url,
    }


def people_harmed(harm: Harm) -> str:
    """How many it happened to, as far as it was seen."""
    counted = f"{harm.events} of {'?' if harm.n is None else harm.n}" if harm.events is not None else ""
    share = f"{harm.percent}%" if harm.percent else ""
    return ", ".join(filter(None, (counted, share))) or "no rate seen"


def guidelines(evidence: Evidence, topic: str | None) -> Report:
    """Who says what, how strongly, the newest first."""
    found = [row for row in evidence.guidelines.values() if not topic or topic.lower() in row.topic.lower()]
    if topic and not found:
        topics = sorted({row.topic for row in evidence.guidelines.values()})
        raise BadInput(f"topic {topic!r}; no guideline row has it: choose a word from {', '.join(topics)}")
    rows = [
        {
            "row": row.id,
            "body": row.body,
            "year": row.year or None,
            "topic": row.topic,
            "statement": row.statement,
            "strength": row.strength,
            "mark": row.source.mark or "read",
            "note": row.note,
            "address": row.source.url or row.where,
        }
        for row in sorted(found, key=lambda row: -row.year)
    ]
    table = Listing("Guidelines", rows, ("row", "body", "year", "topic", "strength", "statement", "mark"))
    return Report({"guidelines": rows}, rows, [table])


def mechanism(evidence: Evidence, claim: str | None) -> Report:
    """Findings about how it may work, each in people or animals, for or against."""
    if claim is not None and claim not in evidence.claims:
        raise BadInput(f"claim {claim!r}; it must be one of {', '.join(evidence.claims)}")
    rows = [
        {
            "finding": row.id,
            "claims": row.claims,
            "seen_in": row.species,
            "in_people": row.in_people,
            "method": row.method,
            "says": row.direction,
            "what": row.finding,
            "n": row.n,
            "effect": row.effect_size,
            "mark": row.source.mark or "read",
            "note": row.note,
            "address": row.source.url,
        }
        for row in evidence.findings.values()
        if claim is None or claim in row.claims
    ]
    parts: list[str | Listing] = [
        Listing("Findings", rows, ("finding", "claims", "seen_in", "says", "what", "n", "mark"), empty="no finding")
    ]
    if claim:
        parts.insert(0, f"{claim}: {evidence.claims[claim].claim}")
    return Report({"claim": claim, "findings": rows}, rows, parts)


def releases(evidence: Evidence) -> Report:
    """Every state of the data and what it changed, the newest last."""
    rows = [
        {"version": row.version, "released_on": row.released_on.isoformat(), "change": row.change}
        for row in evidence.releases
    ]
    return Report({"releases": rows}, rows, [Listing("Releases of the data", rows)])
