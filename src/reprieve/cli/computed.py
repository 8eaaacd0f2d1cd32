"""What is computed from the evidence tables beside pools: claims judged, harms, how long relief lasts, who met whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from reprieve.cli.bad_input import BadInput
from reprieve.cli.listed import mark, people_harmed
from reprieve.cli.output import Listing, Report
from reprieve.evidence.claims import Judgement, judged
from reprieve.evidence.durability import Course, Durability, durability
from reprieve.evidence.harms import KETAMINE, HarmSummary, Seen, harms_of, unknown_harms
from reprieve.evidence.network import FAMILIES, Network, network
from reprieve.evidence.plain import Cite
from reprieve.evidence.rows import Outcome
from reprieve.evidence.tables import Evidence

FROM_MEMORY = "Figures from memory, not yet checked, are included here (--include-recalled)."


def claims(evidence: Evidence, claim: str | None) -> Report:
    """Each claim with its verdict, what speaks for and against it, and the figure behind it."""
    if claim is not None and claim not in evidence.claims:
        raise BadInput(f"claim {claim!r}; it must be one of {', '.join(evidence.claims)}")
    rows = [_claim(found) for found in judged(evidence) if claim in (None, found.claim.id)]
    parts = [Listing("Claims", rows, upright=True)]
    return Report({"claims": rows}, rows, parts)


def _claim(found: Judgement) -> dict[str, Any]:
    return {
        "claim": found.claim.id,
        "text": found.claim.claim,
        "verdict": found.claim.verdict,
        "reasoning": found.claim.reasoning,
        "confidence": found.claim.confidence,
        "judged_on": found.claim.judged_on.isoformat(),
        "for": _cited(found.supporting),
        "against": _cited(found.opposing),
        "figures": [statement.text for statement in found.figures],
        "figure_rows": _cited(cite for statement in found.figures for cite in statement.cites),
        "findings": [finding.id for finding in found.findings],
    }


def _cited(cites: Iterable[Cite]) -> list[str]:
    return list(dict.fromkeys(f"{cite.row_id} ({cite.mark})" if cite.mark else cite.row_id for cite in cites))


def safety(evidence: Evidence, treatments: tuple[str, ...], include_recalled: bool) -> Report:
    """Each harm: of how many people, pooled where counts in PTSD allow, beside what was seen in others."""
    summaries = harms_of(treatments or KETAMINE, include_recalled=include_recalled, evidence=evidence)
    if not summaries:
        known = sorted({row.treatment for row in evidence.treatments.values()})
        having = [name for name in known if harms_of((name,), include_recalled=True, evidence=evidence)]
        raise BadInput(f"treatment {', '.join(treatments)!r}; no harm row is about it: choose from {', '.join(having)}")
    unknown = unknown_harms(evidence) if not treatments or set(treatments) & set(KETAMINE) else []
    unknown = [row for row in unknown if include_recalled or not row.harm.is_recalled]
    pooled = [_summary(summary) for summary in summaries]
    seen = [_seen(row, summary.name) for summary in summaries for row in summary.rows]
    open_rows = [_seen(row, evidence.harm_names[row.harm.event].harm) for row in unknown]
    warning = FROM_MEMORY if include_recalled else ""
    parts: list[str | Listing] = [warning] if warning else []
    parts += [
        Listing(
            "Harms; shares of 100 people, pooled from counts in people with PTSD only",
            pooled,
            ("harm", "treatment", "of_100", "counted", "in_other_people", "from_memory"),
        ),
        *dict.fromkeys(note for row in pooled for note in row["notes"]),
        Listing("Row by row", seen, ("row", "harm", "treatment", "figure", "control", "use", "mark")),
        Listing(
            "Known to happen, not known how often",
            open_rows,
            ("row", "harm", "event", "figure", "population", "note", "mark"),
        ),
    ]
    document = {"includes_recalled": include_recalled, "harms": pooled, "rows": seen, "unknown": open_rows}
    lines = [{**row, "include_recalled": include_recalled} for row in seen + open_rows]
    return Report(document, lines, parts, draw=lambda width, look: _harm_bars(summaries, width, look), warning=warning)


def _harm_bars(summaries: Sequence[HarmSummary], width: int, look: str) -> Any:
    from reprieve.evidence.plot import harm_bars

    return harm_bars(summaries, width, look)


def _summary(summary: HarmSummary) -> dict[str, Any]:
    pooled = summary.pooled
    share = f"{100 * pooled.proportion:.0f} ({100 * pooled.ci_low:.0f} to {100 * pooled.ci_high:.0f})" if pooled else ""
    elsewhere = [f"{row.share}% ({row.harm.population})" for row in summary.elsewhere]
    return {
        "harm": summary.name,
        "words": summary.words,
        "treatment": summary.treatment,
        "of_100": share or "no count in people with PTSD",
        "share": pooled.proportion if pooled else None,
        "ci_low": pooled.ci_low if pooled else None,
        "ci_high": pooled.ci_high if pooled else None,
        "counted": f"{pooled.events} of {pooled.n}, {pooled.k} group{'' if pooled.k == 1 else 's'}" if pooled else "",
        "in_other_people": elsewhere,
        "notes": list(pooled.notes) if pooled else [],
        "from_memory": summary.recalled,
    }


def _seen(row: Seen, harm: str) -> dict[str, Any]:
    return {
        "row": row.harm.id,
        "harm": harm,
        "event": row.harm.event,
        "treatment": row.treatment or row.harm.arm_id,
        "study": row.study.id,
        "figure": people_harmed(row.harm),
        "share_percent": str(row.share) if row.share else None,
        "control": people_harmed(row.control) if row.control else "",
        "population": row.harm.population,
        "use": row.why_not_pooled or "pooled",
        "severity": row.harm.severity,
        "mark": mark(row.harm),
        "note": row.harm.note,
        "address": row.harm.source.url,
    }


def lasting(evidence: Evidence, include_recalled: bool) -> Report:
    """How long relief lasts, as far as anybody counted."""
    known = durability(evidence, include_recalled=include_recalled)
    points = [row for course in known.courses for row in _points(course)]
    medians = [_median(row) for row in known.medians]
    warning = FROM_MEMORY if include_recalled else ""
    parts: list[str | Listing] = [warning] if warning else []
    parts += [
        Listing("People better, by day from the first dose", points, empty="nobody counted"),
        Listing("Days until half had lost the gain", medians, empty="nobody counted"),
        Listing("Counted without a day", [_median(row) for row in known.without_day], empty="no row"),
        _not_known(known),
    ]
    document = {
        "includes_recalled": include_recalled,
        "points": points,
        "medians": medians,
        "without_day": [_median(row) for row in known.without_day],
        "unknown": _not_known(known),
    }
    lines = [{"of": "share", **row} for row in points] + [{"of": "median", **row} for row in medians]
    lines = [{**row, "include_recalled": include_recalled} for row in lines]
    return Report(document, lines, parts, draw=lambda width, look: _survival(known, width, look), warning=warning)


def _survival(known: Durability, width: int, look: str) -> Any:
    from reprieve.evidence.plot import survival

    return survival(known, width, look)


def _points(course: Course) -> list[dict[str, Any]]:
    return [
        {
            "row": point.row.id,
            "study": course.study.id,
            "treatment": course.treatment,
            "randomised": course.controlled,
            "day": point.day,
            "better_percent": round(100 * point.share, 1),
            "low": None if point.low is None else round(100 * point.low, 1),
            "high": None if point.high is None else round(100 * point.high, 1),
            "counted": f"{point.row.events} of {point.row.n}" if point.row.events is not None else "from the median",
            "mark": mark(point.row),
        }
        for point in course.points
    ]


def _median(row: Outcome) -> dict[str, Any]:
    figure = f"{row.events} of {row.n}" if row.events is not None else f"{row.value:g} days" if row.value else ""
    return {
        "row": row.id,
        "study": row.study_id,
        "group": row.arm_id,
        "kind": row.kind,
        "figure": figure,
        "p_value": str(row.p) if row.p else None,
        "mark": mark(row),
        "note": row.note,
    }


def _not_known(known: Durability) -> str:
    days = [point.day for course in known.courses for point in course.points if point.row.events is not None]
    last = f"The last count was on day {max(days):g}; after it" if days else "At any time"
    return f"{last} nobody has counted who was still better. Between the days nothing is known."


def met(evidence: Evidence) -> Report:
    """Who was compared with whom, and why there is no league table."""
    graph = network(evidence)
    rows = [
        {
            "a": comparison.a,
            "b": comparison.b,
            "trials": [study.id for study in comparison.studies],
            "reviews": [row.id for row in comparison.reviewed],
        }
        for comparison in graph.comparisons
    ]
    words = league_table(graph)
    document = {"comparisons": rows, "league_table": words}
    parts: list[str | Listing] = [Listing("Compared directly: randomised trials, and rows of reviews", rows), words]
    return Report(document, rows, parts, draw=lambda width, look: _graph(graph, width, look))


def _graph(graph: Network, width: int, look: str) -> Any:
    from reprieve.evidence.plot import graph as draw

    return draw(graph, width, look)


def league_table(graph: Network) -> str:
    """Whether one ranking of the treatments would be fair, and why."""
    against = "; ".join(
        f"{name} against {', '.join(graph.controls_of(family)) or 'nothing else'}" for name, family in FAMILIES.items()
    )
    if graph.one_table_is_fair():
        return f"The families of treatments share a control: {against}. A league table would still be indirect."
    return (
        "No league table is given. The families of treatments were held against controls of different kinds: "
        f"{against}. A control that people can feel, or that gives nothing to hope for, changes the result; a ranking "
        "would compare the controls, not the treatments. Only the pairs above were ever compared directly."
    )
