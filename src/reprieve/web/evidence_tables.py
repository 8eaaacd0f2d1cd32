"""Tables of the evidence as pages show them: each cell with its caveat, each figure with a link to its row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from reprieve.evidence import plain, plot
from reprieve.evidence.answer import Answer
from reprieve.evidence.durability import durability
from reprieve.evidence.harms import HarmSummary, Seen, harms_of
from reprieve.evidence.network import Network
from reprieve.evidence.question import WINDOWS, Question
from reprieve.evidence.rows import STANDARDISED, Arm, Claim, Finding, Guideline, Harm, Outcome, Study
from reprieve.evidence.tables import tables
from reprieve.evidence.trial import DIRECTION_ONLY, LEFT_OUT, NOT_USABLE, POOLED, Entry
from reprieve.web import evidence_words as words
from reprieve.web.evidence_words import Cell, Link, Table, table

USES = (POOLED, DIRECTION_ONLY, LEFT_OUT, NOT_USABLE)
SIGN = re.compile(r"sign set so negative favours \w+;?\s*")  # said of the row; on the page the sign is turned


# The page in plain words


def counted_panels() -> list[tuple[str, float, Outcome]]:
    """What each group of the trial that counted people was given, and the share that got much better."""
    known = tables()
    found = plain.counted(known)
    if not found:
        return []
    _, treated, control = found
    given = [(row, known.treatment_of(row.study_id, row.arm_id)) for row in (treated, control)]
    return [(arm.treatment if arm else row.arm_id, (row.events or 0) / (row.n or 1), row) for row, arm in given]


def counted_words() -> dict[str, Any]:
    """That trial in words, for the picture's text, its caveat and its table."""
    found, panels = plain.counted(tables()), counted_panels()
    if not found:
        return {}
    said = [f"{100 * share:.0f} of 100 with {given}" for given, share, _ in panels]
    rows = (
        ("", (given.capitalize(), f"{row.events} of {row.n}", f"{100 * share:.0f}", Cell(links=(_row_link(row),))))
        for given, share, row in panels
    )
    return {
        "counted": panels,
        "counted_alt": f"Much better at the end: {', '.join(said)}. The table below has the counts.",
        "counted_size": plain.size_word(found[0]),
        "counted_n": found[0].n_randomised,
        "counted_table": table("People who got much better", ("Given", "Counted", "Of 100", "Row"), rows),
    }


def _row_link(row: Outcome | Harm) -> Link:
    return Link(tables().studies[row.study_id].name, words.study_url(row.study_id, row.id), row.source.mark)


def course() -> Table:
    """The share of people better, by day, in each trial that counted it."""
    known = durability()
    rows = [
        ("", (
            Cell(links=(words.study_link(course.study, point.row.id),)),
            f"{words.number(point.day)}",
            f"{100 * point.share:.0f}",
            "half of those who were better" if point.low is None or point.high is None
            else f"{100 * point.low:.0f} to {100 * point.high:.0f}",
            "yes" if course.controlled else "no",
        ))
        for course in known.courses
        for point in course.points
    ]  # fmt: skip
    return table("How many of 100 were better", ("Trial", "Day", "Of 100", "Likely", "Control"), rows)


def harms_pictured() -> list[HarmSummary]:
    """Harms of the nose spray: the one count beside a control that is large enough to draw, all of the same people."""
    return harms_of(("esketamine",))


def _harms_pictured() -> Iterator[tuple[str, Harm, Harm]]:
    """Each of them in words, as counted in most people, and the same in the control group."""
    for summary in harms_pictured():
        counted = [(seen.harm, seen.control) for seen in summary.rows if seen.share and seen.control]
        pairs = [(harm, control) for harm, control in counted if control.share]
        if pairs:
            yield summary.words, *max(pairs, key=lambda pair: pair[0].n or 0)


def _share_cell(seen: Harm) -> Cell:
    return Cell(words.share(seen.share), (_row_link(seen),))


def harms_words() -> dict[str, Any]:
    """The picture of harms as a sentence and as a table."""
    found = sorted(_harms_pictured(), key=lambda each: -(each[1].share.high if each[1].share else 0))
    said = [f"{name} {words.share(drug.share)} and {words.share(control.share)}" for name, drug, control in found]
    rows = (("", (name.capitalize(), _share_cell(drug), _share_cell(control))) for name, drug, control in found)
    return {
        "harms_alt": f"With the drug and with the control: {'; '.join(said)}.",
        "harm_table": table("How many, with the drug and with the control", ("Harm", "With drug", "Control"), rows),
    }


# The trials under a question


def together(found: Answer) -> Table:
    """What the trials say together, in each way of counting them."""
    rows = []
    for line in plot.forest_lines(found):
        if line.kind in ("pooled", "new"):
            of_100 = [plain.better_than_middle(end) for end in (line.value or 0, line.low, line.high)]
            said = "" if found.is_ratio else f"{of_100[0]} of 100 ({of_100[1]} to {of_100[2]})"
            rows.append(("", (line.label, line.text(found.is_ratio), *([] if found.is_ratio else [said]))))
    effect = "Times as often (95% interval)" if found.is_ratio else "Effect (95% interval)"
    heads = ("Counted", effect) if found.is_ratio else ("Counted", effect, "Better than the middle")
    return table("What the trials say together", heads, rows)


def forest(found: Answer) -> Table:
    """The numbers of the forest plot."""
    rows = [("", (line.label, _line_words(line, found.is_ratio))) for line in plot.forest_lines(found)]
    return table("The numbers of the picture", ("Trial", "Effect (95% interval)"), rows)


def _line_words(line: plot.Line, ratio: bool) -> str:
    if line.value is not None:
        return line.text(ratio)
    return f"direction only, {_between(line.low, line.high)}"


def _between(low: float, high: float) -> str:
    if low == float("-inf"):
        return f"below {plain.scale(high)}"
    return (
        f"above {plain.scale(low)}" if high == float("inf") else f"between {plain.scale(low)} and {plain.scale(high)}"
    )


def used(found: Answer) -> Table:
    """Every study that is counted, with its effect and its rows."""
    entries = [*found.used(POOLED), *found.used(DIRECTION_ONLY)]
    heads = ("Study", "Use", "Why", "Against", "Effect", "Rows")
    return table("Studies that are counted", heads, (("", _entry_cells(one, found)) for one in entries))


def _entry_cells(entry: Entry, found: Answer) -> tuple[Cell | str, ...]:
    effect = ""
    if entry.effect:
        low, high = entry.effect.interval()
        effect = plot.Line("", "trial", entry.effect.estimate, low, high).text(found.is_ratio)
    elif entry.direction:
        effect = _between(entry.direction.low, entry.direction.high)
    return (
        Cell(links=(words.study_link(entry.study),)),
        Cell(entry.use, tag=""),
        _sentence(entry.why),
        entry.against or words.NOT_SEEN,
        effect,
        Cell(links=_numbered(entry.rows)),
    )


def not_used(found: Answer) -> Table:
    """Every other study, and why it is not counted."""
    entries = [*found.used(LEFT_OUT), *found.used(NOT_USABLE)]
    rows = (
        (
            "",
            (Cell(links=(words.study_link(one.study),)), Cell(one.use, tag="caution"), _sentence(one.why), one.against),
        )
        for one in entries
    )
    return table("Studies that are not counted", ("Study", "Use", "Why", "Against"), rows)


def _sentence(why: str) -> str:
    return why[:1].upper() + why[1:]


def _numbered(rows: Iterable[Outcome]) -> tuple[Link, ...]:
    return tuple(Link(row.id, words.study_url(row.study_id, row.id), row.source.mark) for row in rows)


def how_pooled(found: Answer) -> list[tuple[str, str]]:
    """The figures of the ordinary pool, for those who check it."""
    pooled = found.pooled
    told = [("Trials with a number (k)", str(len(found.used(POOLED)))),
            ("Trials with a direction only", str(len(found.directions)))]  # fmt: skip
    if pooled:
        told += [("Method", f"{pooled.method}, {pooled.interval_method}")]
        figures: tuple[tuple[str, float | None], ...] = (
            ("Tau squared", pooled.tau_squared),
            ("I squared, %", pooled.i_squared),
            ("Q", pooled.q),
            ("p of Q", pooled.q_p),
        )
        told += [(name, f"{value:.3f}") for name, value in figures if value is not None]
        if pooled.prediction_low is not None and pooled.prediction_high is not None:
            told.append(("Range for a new trial", f"{pooled.prediction_low:.2f} to {pooled.prediction_high:.2f}"))
        told += [("Note", note) for note in pooled.notes]
    return told


def by_others(question: Question) -> Table | None:
    """What reviews by others found when they pooled trials of this treatment, for the same time or all together."""
    known, window = tables(), WINDOWS[question.window]
    rows = []
    for row in known.without_twins(include_recalled=question.include_recalled):
        given = known.treatment_of(row.study_id, row.arm_a) if row.arm_a else None
        is_review = given is not None and not known.studies[row.study_id].is_primary
        is_about = known.measures[row.instrument].outcome == question.outcome
        is_then = row.day is None or window.holds(row.day, None, True)
        if is_review and is_about and is_then and given and given.treatment == question.treatment:
            rows.append(("", _review_cells(row, known.studies[row.study_id])))
    heads = ("Review", "When", "Effect (95% interval)", "Against", "Note")
    return table("Pooled by other groups", heads, rows) if rows else None


def _review_cells(row: Outcome, review: Study) -> tuple[Cell | str, ...]:
    said = words.result(row)
    if row.kind in STANDARDISED and row.value is not None and row.ci_low is not None and row.ci_high is not None:
        said = plot.Line("", "trial", *plain.favouring(row)).text(ratio=False)
    return (
        Cell(links=(words.study_link(review, row.id),), mark=row.source.mark),
        "all times" if row.day is None else f"day {row.day:g}",
        said,
        words.arm_name(row.arm_b),
        SIGN.sub("", row.note),
    )


# One study


def facts(found: Study) -> Iterator[tuple[str, Cell]]:
    """What is known about a study as a whole; the caveat on what came from memory."""
    doi, register = words.doi_link(found.doi), words.registry_link(found.registry_id)
    part_of = tables().studies.get(found.part_of)
    cells = (
        ("journal", "Journal", Cell(found.journal)),
        ("design", "Design", Cell(found.design)),
        ("population", "People", Cell(found.population)),
        ("n_randomised", "Number randomised", Cell("" if found.n_randomised is None else str(found.n_randomised))),
        ("setting", "Where", Cell(", ".join(filter(None, (found.setting, found.country))))),
        ("funder", "Paid for by", Cell(found.funder)),
        ("risk_of_bias_notes", "What may mislead", Cell(found.bias)),
        ("part_of", "Counts again the people of", Cell(links=(words.study_link(part_of),) if part_of else ())),
        ("doi", "DOI", Cell(links=(doi,)) if doi else Cell(found.doi)),
        ("registry_id", "Register", Cell(links=(register,)) if register else Cell(found.registry_id)),
    )
    recalled = {*found.recalled_columns, *(["setting"] if "country" in found.recalled_columns else [])}
    for column, title, cell in cells:
        if cell.text or cell.links:
            yield title, replace(cell, mark=words.FROM_MEMORY if column in recalled else "")


def cited_by(found: Study) -> Iterator[tuple[Claim, str]]:
    """Claims that name this study, and on which side."""
    names = {found.id, found.doi} - {""}
    for claim in tables().claims.values():
        for side, cited in (("for", claim.for_ids), ("against", claim.against_ids)):
            if names & set(cited):
                yield claim, side


def groups(arms: Iterable[Arm]) -> Table:
    """The groups of a study and what each was given."""
    heads = ("Group", "Given", "How", "When", "People", "Note", "Read at")
    return table("Groups", heads, ((f"arm-{arm.id}", _arm_cells(arm)) for arm in arms))


def _arm_cells(arm: Arm) -> tuple[Cell | str, ...]:
    return (
        words.arm_name(arm.id),
        arm.treatment,
        ", ".join(filter(None, (arm.dose, arm.route))) or words.NOT_SEEN,
        ", ".join(filter(None, (arm.schedule, arm.duration))) or words.NOT_SEEN,
        words.NOT_SEEN if arm.n is None else str(arm.n),
        arm.note,
        words.source_cell(arm.source, arm.recalled_columns),
    )


def results(rows: Iterable[Outcome]) -> Table:
    """Result rows as they stand."""
    heads = ("Who", "Measure", "Day", "Result", "Note", "Read at")
    return table("Results", heads, ((row.id, _result_cells(row)) for row in rows))


def _result_cells(row: Outcome) -> tuple[Cell | str, ...]:
    better = "lower is better" if row.higher_is_worse else "higher is better"
    return (
        words.compared(row),
        f"{row.instrument} ({better}): {words.kind_of(row)}",
        words.NOT_SEEN if row.day is None else words.number(row.day),
        words.result(row),
        row.note,
        words.source_cell(row.source, row.recalled_columns, row.id),
    )


def harm_rows(rows: Iterable[Harm]) -> Table:
    """Harm rows as they stand."""
    heads = ("Who", "What", "How many", "Seen in", "Note", "Read at")
    return table("Harms", heads, ((row.id, _harm_cells(row)) for row in rows))


def _harm_cells(row: Harm) -> tuple[Cell | str, ...]:
    return (
        words.arm_name(row.arm_id),
        row.event,
        words.harm_count(row),
        row.population,
        "; ".join(filter(None, (row.severity, row.note))),
        words.source_cell(row.source, row.recalled_columns, row.id),
    )


# Harms, guidelines, pairs, findings


def harms(summaries: Sequence[HarmSummary]) -> Iterator[dict[str, Any]]:
    """Each harm once: the pooled share in words for each drug that has one, and every row."""
    heads = ("Study", "Drug", "In whom", "How many", "With the control", "Note")
    for name in dict.fromkeys(summary.name for summary in summaries):
        same = [summary for summary in summaries if summary.name == name]
        title = f"{same[0].words[0].upper()}{same[0].words[1:]}"
        rows = [("", _seen_cells(seen)) for summary in same for seen in summary.rows]
        yield {"title": title, "said": _said(same), "table": table(title, heads, rows)}


def _said(same: Sequence[HarmSummary]) -> str:
    """What is known of one harm: where people with PTSD were counted, else what else was told, and of whom."""
    counted = [said for summary in same if (said := _pooled_words(summary))]
    if counted:
        return " ".join(counted)
    told = [seen.harm.is_recalled for summary in same for seen in summary.rows if seen.harm.in_ptsd and seen.share]
    if not told:
        said = "Nobody has counted this in people treated for PTSD, in the texts we could read."
    elif all(told):
        said = "In people with PTSD we have figures from memory only."
    else:
        said = "In people with PTSD a share was told, and not how many people stand behind it."
    others = [seen for summary in same for seen in summary.elsewhere if not seen.harm.is_recalled]
    if not others:
        return said
    most = max(others, key=lambda seen: seen.harm.n or 0)
    control = f", {words.share(most.control.share)} with the control" if most.control else ""
    return f"{said} In people with {most.harm.population}: {words.share(most.share)} with {most.treatment}{control}."


def _pooled_words(summary: HarmSummary) -> str:
    read = replace(summary, rows=tuple(seen for seen in summary.rows if not seen.harm.is_recalled))
    pooled = read.pooled
    if not pooled:
        return ""
    share, low, high = (round(100 * part) for part in (pooled.proportion, pooled.ci_low, pooled.ci_high))
    groups = f"{plain.number_word(pooled.k)} group{'' if pooled.k == 1 else 's'}"
    return (
        f"With {summary.treatment}, in people with PTSD: {pooled.events} of {pooled.n} in {groups}, "
        f"about {share} of 100 (likely {low} to {high})."
    )


def _seen_cells(seen: Seen) -> tuple[Cell | str, ...]:
    harm = seen.harm
    elsewhere = Cell(f"seen in other people: {harm.population}", tag="caution")
    return (
        Cell(links=(words.study_link(seen.study, harm.id),), mark=harm.source.mark),
        seen.treatment,
        Cell("people with PTSD") if harm.in_ptsd else elsewhere,
        words.harm_count(harm),
        words.harm_count(seen.control) if seen.control else "no control group",
        "; ".join(filter(None, (harm.event, harm.note))),
    )


def uncounted(rows: Iterable[Seen]) -> Table:
    """Harms that were named without a usable rate."""
    heads = ("Harm", "Seen in", "How many", "Note", "Study")
    return table("Harms without a usable rate", heads, (("", _unknown_cells(seen)) for seen in rows))


def _unknown_cells(seen: Seen) -> tuple[Cell | str, ...]:
    harm = seen.harm
    return (
        harm.event.capitalize(),
        harm.population,
        words.harm_count(harm),
        harm.note,
        Cell(links=(words.study_link(seen.study, harm.id),), mark=harm.source.mark),
    )


def positions(body: str, rows: Iterable[Guideline]) -> Table:
    """What one body says, subject by subject."""
    heads = ("Subject", "What it says", "How strongly", "Year", "Note", "Read at")
    return table(body, heads, ((row.id, _position_cells(row)) for row in rows))


def _position_cells(row: Guideline) -> tuple[Cell | str, ...]:
    return (
        row.topic[0].upper() + row.topic[1:],
        row.statement,
        Cell(row.strength, tag=""),
        str(row.year),
        row.note,
        replace(words.source_cell(row.source), mark=words.guideline_mark(row)),
    )


def pairs(known: Network) -> Table:
    """Every pair that was put side by side, those with most trials first."""
    ordered = sorted(known.comparisons, key=lambda pair: (-len(pair.studies), pair.a, pair.b))
    rows = (
        (
            "",
            (
                f"{pair.a} and {pair.b}",
                Cell(str(len(pair.studies)), tuple(words.study_link(one) for one in pair.studies)),
                Cell(links=_numbered(pair.reviewed)) if pair.reviewed else "none",
            ),
        )
        for pair in ordered
    )
    return table("Who was compared with whom", ("Pair", "Randomised trials", "Pooled in a review"), rows)


def findings(caption: str, found: Iterable[Finding]) -> Table:
    """Findings, each with its anchor."""
    heads = ("Points", "Finding", "How it was seen", "Note", "Read at")
    return table(caption, heads, ((one.id, _finding_cells(one)) for one in found))


def _finding_cells(finding: Finding) -> tuple[Cell | str, ...]:
    doi, read_at = words.doi_link(finding.doi), words.source_cell(finding.source)
    return (
        Cell(finding.direction or "no direction given", tag=""),
        finding.finding,
        "; ".join(filter(None, (finding.source.name, finding.species, finding.method, finding.n, finding.effect_size))),
        finding.note,
        replace(read_at, links=(*read_at.links, *((doi,) if doi else ()))),
    )


# How the numbers are made


def windows() -> Table:
    """The times, as days."""
    rows = (
        (
            "",
            (
                window.words,
                "end of the course" if window.after_course else "first dose",
                words.number(window.first_day),
                words.number(window.last_day),
            ),
        )
        for window in WINDOWS.values()
    )
    return table("Times, in days", ("Time", "Counted from", "From day", "To day"), rows)


def controls() -> Table:
    """What each control counts as."""
    rows = (("", (one.label, one.comparator, one.note)) for one in tables().treatments.values() if one.comparator)
    return table("Controls", ("Control", "Kind", "Why"), rows)


def instruments() -> Table:
    """What each instrument measures, and which speaks for a trial."""
    rows = (
        (
            "",
            (
                m.instrument,
                m.outcome,
                m.rated_by,
                "" if m.lowest is None else f"{m.lowest:g} to {m.highest:g}",
                str(m.rank),
            ),
        )
        for m in tables().measures.values()
    )
    return table("Instruments", ("Instrument", "Measures", "Rated by", "Range", "Rank"), rows)


def releases() -> Table:
    """The states of the data, newest first."""
    rows = (("", (str(one.version), one.released_on.isoformat(), one.change)) for one in reversed(tables().releases))
    return table("Versions of the data", ("Version", "Day", "What changed"), rows)
