"""``reprieve evidence pool``: one question, every study that bears on it, and what they say together three ways."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from reprieve.cli.bad_input import BadInput
from reprieve.cli.listed import mark
from reprieve.cli.output import Listing, Report, interval
from reprieve.evidence.answer import Answer, ask
from reprieve.evidence.pooling import Pooled, PoolingError, check_options
from reprieve.evidence.question import WINDOWS, Question
from reprieve.evidence.rows import Outcome
from reprieve.evidence.sensitivity import cumulative, leave_one_out
from reprieve.evidence.small_studies import egger, pet_peese, trim_and_fill
from reprieve.evidence.tables import Evidence
from reprieve.evidence.trial import DIRECTION_ONLY, POOLED, Entry

Line = dict[str, Any]
CORRELATIONS = (0.3, 0.5, 0.7, 0.9)
ORDINARY, DIRECTIONS, BAYES = "numbers only, pooled as usual", "directions counted", "directions counted, weak prior"
ALL_TIMES = ("all_times", "bias_adjusted")  # analyses of a review that put every time together
ENDS = ("ci_low", "ci_high", "prediction_low", "prediction_high", "tau_low", "tau_high")
PRIOR = "The prior takes the mean effect as normal around 0 with SD 0.5, and tau as half-normal with scale 0.3."
ALLOWED = "WARNING: figures from memory, not yet checked, were allowed (--include-recalled)"

# An extra table: its title, its rows, and what is said when it has none
Extra = Callable[[Answer, Evidence], tuple[str, list[Line], str]]


def report(question: Question, evidence: Evidence, extras: Sequence[Extra]) -> Report:
    """The whole answer.

    Raises
    ------
    BadInput : for a method or an interval that is not known
    """
    try:
        check_options(question.method, question.interval_method, 0.95)
    except PoolingError as error:
        raise BadInput(str(error)) from None
    found = ask(question, evidence)
    studies, together, others = _studies(found), _together(found), elsewhere(question, evidence)
    wider = [extra(found, evidence) for extra in extras]
    said = [_warning(found), *_scale(found), *_still(found)]
    document = {
        "question": {**asdict(question), "words": question.words()},
        "data_version": evidence.version,
        "include_recalled": question.include_recalled,
        "recalled_rows_used": _recalled(found),
        "said": [sentence for sentence in said if sentence],
        "studies": studies,
        "together": together,
        "other_reviews_never_pooled": others,
        **{title.lower().replace(" ", "_"): rows or why for title, rows, why in wider},
    }
    tables = {"study": studies, "together": together, "other review, never pooled": others}
    tables |= {title.lower(): rows for title, rows, _ in wider}
    lines = [_csv_line(part, row, question) for part, rows in tables.items() for row in rows]
    warning = "" if found.recalled else _warning(found)  # the forest plot itself says that it uses one
    parts = _parts(found, said, tables, wider)
    return Report(document, lines, parts, draw=lambda width, look: _draw(found, width, look), warning=warning)


def _draw(found: Answer, width: int, look: str) -> Any:
    from reprieve.evidence.plot import forest

    return forest(found, width, look)


def _csv_line(part: str, row: Line, question: Question) -> Line:
    flat = {name: value for name, value in row.items() if name not in ("rows", "direction")}
    return {"part": part, **flat, "include_recalled": question.include_recalled}


def _parts(
    found: Answer, said: list[str], tables: dict[str, list[Line]], wider: list[tuple[str, list[Line], str]]
) -> list[str | Listing]:
    parts: list[str | Listing] = [f"Question: {found.question.words()}.", *(words for words in said if words)]
    parts.append(Listing("Every study", _read(tables["study"]), ("study", "effect", "use", "rows", "why")))
    parts += _listed("Together", tables["together"], "no trial with a result here")
    for title, rows, why in wider:
        parts += _listed(title, rows, why)
    others = tables["other review, never pooled"]
    if others:
        columns = ("study", "effect", "day", "analysis", "k", "rows", "note")
        title = "What other groups pooled, at this time or over all; never pooled here"
        parts.append(Listing(title, _read(others), columns))
    notes = [_note(source) for row in tables["study"] for source in row["rows"]]
    return [*parts, Listing("Where each row was read, and its note", notes, empty="no row used")]


def _listed(title: str, rows: list[Line], why: str) -> list[str | Listing]:
    """A table and, beneath it, its notes as sentences."""
    hidden = {*ENDS, "method", "note", "p_value"}
    columns = ["effect" if name == "estimate" else name for row in rows[:1] for name in row if name not in hidden]
    if any(row.get("prediction_low") is not None for row in rows):
        columns.append("new_trial")
    notes = dict.fromkeys(f"{next(iter(row.values()))}: {row['note']}" for row in rows if row.get("note"))
    return [Listing(title, _read(rows), tuple(columns), empty=why), *notes]


def _read(rows: list[Line]) -> list[Line]:
    """Rows for people: a figure and its interval in one cell, a mark beside a study from memory."""
    return [row | _for_people(row) for row in rows]


def _for_people(row: Line) -> Line:
    made: Line = {"effect": interval(row.get("estimate"), row.get("ci_low"), row.get("ci_high"))}
    if row.get("prediction_low") is not None:
        made["new_trial"] = f"{row['prediction_low']:.2f} to {row['prediction_high']:.2f}"
    if "row_ids" in row:
        made["rows"] = row["row_ids"]
    if "study" in row:
        against = f" against {row['against']}" if row.get("against") else ""
        made["study"] = f"{row['study']}{against}{' (FROM MEMORY)' if row['from_memory'] else ''}"
    return made


def _note(source: Line) -> Line:
    address = f"<{source['address']}>" if source["address"] else "no address"
    return {"row": source["row"], "mark": source["mark"], "address_and_note": f"{address} {source['note']}".strip()}


# --- what is said in words --------------------------------------------------------------------------------------------


def _recalled(found: Answer) -> list[str]:
    used = (*found.used(POOLED), *found.used(DIRECTION_ONLY))
    return [row.id for entry in used for row in entry.rows if row.is_recalled]


def _warning(found: Answer) -> str:
    if not found.question.include_recalled:
        return ""
    used = _recalled(found)
    return f"{ALLOWED}. Used here: {', '.join(used)}." if used else f"{ALLOWED}. None is used in this answer."


def _scale(found: Answer) -> list[str]:
    treatment = found.question.treatment
    if found.is_ratio:
        return [
            f"Effects are risk ratios with 95% intervals: 2 is twice as often with {treatment}, 1 no difference. "
            "Tau is on the log scale."
        ]
    return [f"Effects are standardised mean differences with 95% intervals: above 0 favours {treatment}, 0 is none."]


def _still(found: Answer) -> list[str]:
    """What none or one can still say."""
    numbers, directions = len(found.used(POOLED)), len(found.used(DIRECTION_ONLY))
    if not numbers and not directions:
        waiting = sum(entry.study.is_pending for entry in found.entries)
        pending = f", {waiting} of them registered and not yet reported" if waiting else ""
        return [
            f"No trial answers this question (k = 0). Each study of {found.question.treatment} "
            f"({len(found.entries)} in all{pending}) is listed with the reason why not. Nothing can be "
            "said of the size or the direction of an effect; that is not the same as no effect."
        ]
    if not numbers:
        return [
            f"No trial gives a number (k = 0); {_count(directions, 'trial')} a direction only. An ordinary pool is "
            "empty; what the directions allow stands below."
        ]
    if numbers == 1:
        others = f" {_count(directions, 'more trial')} a direction only." if directions else ""
        return [
            "One trial gives a number (k = 1): nothing is pooled, heterogeneity cannot be seen, and no prediction can "
            f"be made from numbers alone.{others}"
        ]
    return [f"{numbers} trials give a number, {directions} a direction only."]


def _count(n: int, what: str) -> str:
    return f"1 {what} gives" if n == 1 else f"{n} {what}s give"


# --- rows -------------------------------------------------------------------------------------------------------------


def _studies(found: Answer) -> list[Line]:
    weights = iter(found.pooled.weights if found.pooled else ())
    return [_study(entry, found, next(weights, None) if entry.use == POOLED else None) for entry in found.entries]


def _study(entry: Entry, found: Answer, weight: float | None) -> Line:
    low, high = entry.effect.interval() if entry.effect else (None, None)
    direction = entry.direction
    between = [_shown(direction.low, found), _shown(direction.high, found)] if direction else None
    return {
        "study": entry.study.name,
        "study_id": entry.study.id,
        "use": entry.use,
        "against": f"{entry.against} ({entry.comparator})" if entry.against else "",
        "estimate": _shown(entry.effect.estimate, found) if entry.effect else None,
        "ci_low": _shown(low, found),
        "ci_high": _shown(high, found),
        "direction": {"between": between, "how": direction.how} if direction else None,
        "weight": weight,
        "why": entry.why,
        "row_ids": [row.id for row in entry.rows],
        "rows": [_source(row) for row in entry.rows],
        "mark": "; ".join(dict.fromkeys(mark(row) for row in entry.rows)) or mark(entry.study),
        "from_memory": entry.is_recalled,
        "note": entry.note,
    }


def _source(row: Outcome) -> Line:
    return {"row": row.id, "mark": mark(row), "address": row.source.url, "note": row.note}


def _shown(value: float | None, found: Answer) -> float | None:
    """On the scale that is shown: ratios as ratios."""
    return math.exp(value) if found.is_ratio and value is not None else value


def _together(found: Answer) -> list[Line]:
    """The three ways side by side; one that cannot be had is left out, and said in words."""
    lines = []
    if found.pooled:
        lines.append({"way": ORDINARY, **_pooled(found.pooled, found)})
    if found.with_directions:
        fitted = found.with_directions
        lines.append(
            {
                "way": DIRECTIONS,
                "k": len(found.numbers[0]) + len(found.directions),
                **_ends(found, fitted.estimate, fitted.ci_low, fitted.ci_high),
                "tau": fitted.tau,
                "method": "maximum likelihood",
                "note": " ".join(fitted.notes),
            }
        )
    if found.belief:
        belief = found.belief
        lines.append(
            {
                "way": BAYES,
                "k": len(found.numbers[0]) + len(found.directions),
                **_ends(found, belief.median, belief.ci_low, belief.ci_high),
                "tau": belief.tau_median,
                "prediction_low": _shown(belief.prediction_low, found),
                "prediction_high": _shown(belief.prediction_high, found),
                "method": "posterior median",
                "probability_above_0": belief.probability_above(0),
                "note": f"{PRIOR} The chance that the mean effect is above 0 is {belief.probability_above(0):.0%}.",
            }
        )
    return lines


def _ends(found: Answer, estimate: float, low: float, high: float) -> Line:
    return {"estimate": _shown(estimate, found), "ci_low": _shown(low, found), "ci_high": _shown(high, found)}


def _pooled(pooled: Pooled, found: Answer) -> Line:
    tau = None if pooled.tau_squared is None else math.sqrt(pooled.tau_squared)
    ends = [None if end is None else math.sqrt(end) for end in (pooled.tau_squared_low, pooled.tau_squared_high)]
    return {
        "k": pooled.k,
        **_ends(found, pooled.estimate, pooled.ci_low, pooled.ci_high),
        "p_value": pooled.p_value,
        "tau": tau,
        "tau_low": ends[0],
        "tau_high": ends[1],
        "i_squared": pooled.i_squared,
        "prediction_low": _shown(pooled.prediction_low, found),
        "prediction_high": _shown(pooled.prediction_high, found),
        "method": f"{pooled.method}, {pooled.interval_method}" if pooled.k > 1 else "the trial itself",
        "note": " ".join(pooled.notes),
    }


def elsewhere(question: Question, evidence: Evidence) -> list[Line]:
    """What reviews by others pooled for the same treatment and outcome in the window, or over all times together."""
    window = WINDOWS[question.window]
    lines = []
    for row in evidence.without_twins(include_recalled=question.include_recalled):
        study = evidence.studies[row.study_id]
        treated = evidence.treatment_of(row.study_id, row.arm_a) if row.arm_a else None
        is_about = treated is not None and treated.treatment == question.treatment and not study.is_primary
        is_then = window.holds(row.day, None, True) or row.analysis in ALL_TIMES
        if is_about and is_then and evidence.measures[row.instrument].outcome == question.outcome:
            lines.append(_other(row, study.name))
    return lines


def _other(row: Outcome, name: str) -> Line:
    sign = -1 if row.higher_is_worse else 1
    turned = [None if end is None else sign * end for end in (row.value, row.ci_low, row.ci_high)]
    value, low, high = turned if sign == 1 else (turned[0], turned[2], turned[1])
    return {
        "study": f"{name}, not ours",
        "study_id": row.study_id,
        "estimate": value,
        "ci_low": low,
        "ci_high": high,
        "measure": row.kind,
        "day": row.day,
        "analysis": row.analysis.replace("_", " "),
        "k": row.k_studies,
        "row_ids": [row.id],
        "mark": mark(row),
        "from_memory": row.is_recalled,
        "note": row.note,
    }


# --- further tables ---------------------------------------------------------------------------------------------------


def left_out_in_turn(found: Answer, evidence: Evidence) -> tuple[str, list[Line], str]:
    """The ordinary pool without each trial in turn."""
    try:
        pools = leave_one_out(*found.numbers, **_options(found.question))
    except PoolingError as error:
        return "Leave one out", [], str(error)
    names = [entry.study.name for entry in found.used(POOLED)]
    lines = [{"without": name, **_pooled(each, found)} for name, each in zip(names, pools, strict=True)]
    return "Leave one out", lines, ""


def by_year(found: Answer, evidence: Evidence) -> tuple[str, list[Line], str]:
    """The ordinary pool after each further trial; entries stand in order of years."""
    names = [entry.study.name for entry in found.used(POOLED)]
    try:
        pools = cumulative(*found.numbers, order=range(len(names)), **_options(found.question))
    except PoolingError as error:
        return "Cumulative", [], str(error)
    lines = [{"up_to": name, **_pooled(each, found)} for name, each in zip(names, pools, strict=True)]
    return "Cumulative", lines, ""


def _options(question: Question) -> dict[str, Any]:
    return {"method": question.method, "interval_method": question.interval_method}


def small_trials(found: Answer, evidence: Evidence) -> tuple[str, list[Line], str]:
    """Whether small trials find more: three tests, each with its own warning. On the log scale for ratios."""
    try:
        bias, precise = egger(*found.numbers), pet_peese(*found.numbers)
        filled = trim_and_fill(*found.numbers, **_options(found.question))
    except PoolingError as error:
        return "Small studies", [], str(error)
    chosen = precise.pet if precise.chosen == "PET" else precise.peese
    lines = [
        {"test": "Egger, slope on the standard error", "estimate": bias.bias, "p_value": bias.p_value,
         "says": f"p {bias.p_value:.3g}", "note": " ".join(bias.notes)},
        {"test": f"trim and fill, {filled.missing} trials added", "estimate": filled.filled.estimate,
         "ci_low": filled.filled.ci_low, "ci_high": filled.filled.ci_high,
         "says": f"{filled.missing} missing on the {filled.side}", "note": " ".join(filled.notes)},
        {"test": f"PET-PEESE ({precise.chosen})", "estimate": chosen.estimate, "ci_low": chosen.ci_low,
         "ci_high": chosen.ci_high, "p_value": chosen.p_value, "says": f"p {chosen.p_value:.3g}",
         "note": " ".join(precise.notes)},
    ]  # fmt: skip
    return "Small studies", lines, ""


def by_correlation(found: Answer, evidence: Evidence) -> tuple[str, list[Line], str]:
    """The answer under other correlations between a person's two periods."""
    used = (*found.used(POOLED), *found.used(DIRECTION_ONLY))
    if not any(entry.study.is_crossover for entry in used):
        return "Crossover sensitivity", [], "no crossover trial is used here, so the correlation changes nothing"
    lines = []
    for correlation in sorted({*CORRELATIONS, found.question.correlation}):
        again = ask(replace(found.question, correlation=correlation), evidence)
        lines += [{"correlation": correlation, **line} for line in _together(again)]
    return "Crossover sensitivity", lines, ""
