"""An assessment as a card for the terminal: for the clinician, with reasons, sources, blanks and contradictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from reprieve.candidacy.assess import Assessment, Finding, Unknown
from reprieve.printable import printable

OPENING = "For the clinician, who decides. Not a verdict, and not for the person to read."


def card(result: Assessment) -> Table:
    """A table of two columns: what to do and by when, then what it rests on."""
    table = Table(title=f"Screened on {result.today.isoformat()}", caption=OPENING, show_header=False)
    table.title_justify = table.caption_justify = "left"
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _head(result):
        table.add_row(label, printable(text))
    for finding in result.findings:
        table.add_section()
        for label, text in _finding(finding):
            table.add_row(label, printable(text))
    table.add_section()
    for label, text in _rest(result):
        table.add_row(label, printable(text))
    return table


def _head(result: Assessment) -> Iterator[tuple[str, str]]:
    screen = result.ptsd_screen
    signs = str(screen.low) if screen.low == screen.high else f"{screen.low} to {screen.high}"
    yield "disposition", _words(result.disposition)
    yield "answer within", _words(result.respond_within)
    yield "PTSD signs", f"{signs} of 5, cut {screen.cut}: {_words(screen.result)}"
    for name in result.unknown_names:
        yield "warning", f"{name} is no question and was not used; is a question misspelt?"
    for sentence in result.contradictions:
        yield "contradiction", sentence


def _finding(finding: Finding) -> Iterator[tuple[str, str]]:
    yield finding.criterion_id, f"{_words(finding.category)}: {finding.condition}"
    if finding.reviewed:
        yield "ruled out", finding.reason
    yield "answers", "; ".join(f"{name}: {_value(value)}" for name, value in finding.answers.items()) or "none"
    yield "team", f"{finding.action} ({_words(finding.respond_within)})"
    mark = f" ({finding.mark})" if finding.mark else ""
    yield "source", f"{finding.source} <{finding.source_url}>{mark}; agreement: {finding.agreement}"


def _rest(result: Assessment) -> Iterator[tuple[str, str]]:
    for hit in result.interactions:
        yield hit.id, f"{_words(hit.level)}: {hit.line or hit.drug_or_class} ({hit.ingredient}): {hit.consequence}"
    for line in result.unrecognised_medicines:
        candidates = result.unclear_medicines.get(line)
        may_be = f" (could be {' or '.join(candidates)})" if candidates else ""
        yield "not recognised", f"{line}{may_be}: for the pharmacist"
    yield "blank", ", ".join(result.blanks) or "none"
    yield "not sure", ", ".join(result.unsure) or "none"
    yield "left open", _listed(result.unknown)
    yield "not asked yet", _listed(result.not_asked_yet)
    yield "rule set", result.rule_set_version


def _listed(unknown: tuple[Unknown, ...]) -> str:
    return ", ".join(row.criterion_id for row in unknown) or "none"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return "blank" if value is None else str(value)


def _words(code: str) -> str:
    return code.replace("_", " ")
