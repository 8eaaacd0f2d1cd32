"""``reprieve score`` and ``reprieve screen``: answers in files or on standard input, one result a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rich.table import Table

from reprieve import candidacy, instruments
from reprieve.candidacy.card import card as candidacy_card
from reprieve.candidacy.questions import as_date
from reprieve.cli.bad_input import BadInput
from reprieve.instruments.card import card

Result = tuple[dict[str, Any], Table]  # for machines, for people


def scored(instrument: str, file: str, sex: str | None, wording: str | None) -> list[Result]:
    """Each score of the answers in ``file``."""
    try:
        asked = instruments.find(instrument)
    except instruments.InstrumentError as error:
        raise BadInput(str(error)) from None
    if wording:
        asked = _worded(asked, wording)
    scores = [_score(asked, where, value, sex) for where, value in read_json(file)]
    return [(found.as_dict(), card(found)) for found in scores]


def _worded(asked: instruments.Instrument, file: str) -> instruments.Instrument:
    where, questionnaire = read_json(file)[0]
    try:
        return instruments.with_official_wording(asked, questionnaire)
    except instruments.WordingError as error:
        raise BadInput(f"{where}: {error}") from None


def _score(asked: instruments.Instrument, where: str, value: Any, sex: str | None) -> instruments.Score:
    record = value if isinstance(value, Mapping) and "answers" in value else {"answers": value}
    try:
        return instruments.score(asked, record["answers"], sex=record.get("sex") or sex)
    except instruments.AnswerError as error:
        raise BadInput(f"{where}: {error}") from None


def screened(file: str) -> list[Result]:
    """Each assessment of the answers in ``file``."""
    results = [_screen(where, value) for where, value in read_json(file)]
    return [(result.as_dict(), candidacy_card(result)) for result in results]


def _screen(where: str, value: Any) -> candidacy.Assessment:
    if not isinstance(value, Mapping):
        raise BadInput(
            f'{where}: not an object; give the answers by question id, such as {{"birth_date": "1984-02-29"}}'
        )
    answers = dict(value)
    today = answers.pop("today", None)
    try:
        return candidacy.assess(answers, date.today() if today is None else as_date("today", today))
    except candidacy.AnswerError as error:
        raise BadInput(f"{where}: {error}") from None


def read_json(file: str) -> list[tuple[str, Any]]:
    """JSON values in a file, or in standard input for ``-``: one value, or one a line.

    Returns
    -------
    for each value where it starts, as "name, line 3", and the value

    Raises
    ------
    BadInput : if the file cannot be read, is not text, or is not JSON
    """
    name = "standard input" if file == "-" else file
    try:
        text = (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror}; give a file that can be read, or - for standard input") from None
    except UnicodeDecodeError:
        raise BadInput(f"{name}: this is not text in UTF-8; give a JSON file") from None
    if not text.strip():
        raise BadInput(f"{name}, line 1: nothing there; give the answers as JSON")
    start = 1 + text[: len(text) - len(text.lstrip())].count("\n")
    try:
        return [(f"{name}, line {start}", _parse(text))]
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise BadInput(f"{name}, line {error.lineno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{name}, line {start}: not usable JSON: {error}") from None
    lines = [(f"{name}, line {number}", line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    return [(where, _parse_line(where, line)) for where, line in lines]


def _parse_line(where: str, line: str) -> Any:
    try:
        return _parse(line)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where}: not JSON: {getattr(error, 'msg', error)}") from None


def _parse(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of two values under one name none can be trusted."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice; give it once")
    return found
