"""A score as a card for the terminal: what was found, and what it rests on."""

from __future__ import annotations

from rich.table import Table

from reprieve.instruments.instrument import Fact, Instrument, Item, Result
from reprieve.instruments.score import Score, Verdict


def card(score: Score) -> Table:
    """A table of two columns: the findings, the answers, then the sources."""
    instrument = score.instrument
    table = Table(title=instrument.id, show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in (*_findings(score), *_answers(score)):
        table.add_row(label, text)
    table.add_section()
    for label, text in _grounds(instrument):
        table.add_row(label, text)
    return table


def _findings(score: Score) -> list[tuple[str, str]]:
    rows = []
    if score.total_range is not None:
        rows.append(("total", _bounds(score.total_range)))
    rows += [(f"subscale {name}", _bounds(bounds)) for name, bounds in score.subscales.items()]
    if score.band is not None:
        rows.append(("band", score.band + _mark(score.instrument.facts["severity_bands"])))
    rows += [
        (f"cut point {_spaced(name)}", _verdict(score.instrument, verdict))
        for name, verdict in score.cut_points.items()
    ]
    rows += [(_spaced(name), _result(result)) for name, result in score.results.items()]
    rows.append(("left blank", ", ".join(score.missing) or "none"))
    rows += [("note", note) for note in score.notes]
    return rows


def _answers(score: Score) -> list[tuple[str, str]]:
    return [
        (f"item {item.number}", f"{_answer(item, score.answers[item.number])}  {item.prompt}")
        for item in score.instrument.items
        if item.number in score.answers
    ]


def _grounds(instrument: Instrument) -> list[tuple[str, str]]:
    scoring, licence = instrument.facts["scoring_rule"], instrument.facts["licence"]
    rows = [("wording", instrument.wording)]
    rows += [("scoring", scoring.value + _mark(scoring)), ("source", scoring.source.url)]
    rows.append(("licence", licence.value + _mark(licence)))
    recalled = [item.number for item in instrument.items if item.source.mark]
    if recalled:
        rows.append(("items", f"{', '.join(recalled)} are written from memory, not yet checked"))
    return rows


def _bounds(bounds: tuple[int, int]) -> str:
    low, high = bounds
    return str(low) if low == high else f"{low} to {high}, open because of blanks"


def _verdict(instrument: Instrument, verdict: Verdict) -> str:
    cut = verdict.cut_point
    borderline = "" if cut.borderline_from is None else f", borderline from {cut.borderline_from}"
    return f"{_spaced(verdict.result)} ({cut.cut}{borderline}){_mark(instrument.facts[cut.fact])}"


def _result(result: Result) -> str:
    if isinstance(result, tuple):
        return ", ".join(result) or "none"
    return "blank" if result is None else _spaced(str(result))


def _answer(item: Item, answer: int | None) -> str:
    if answer is None:
        return "-"
    return ("no", "yes")[answer] if item.yes_no else str(answer)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _mark(fact: Fact) -> str:
    return f" ({fact.source.mark})" if fact.source.mark else ""
