"""The command line: one function per command, files in, a table or ``--json`` out.

Bad input ends with one line on standard error that says what is wrong and where, and exit code 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console

import reprieve
from reprieve import candidacy, instruments
from reprieve.candidacy.card import card as candidacy_card
from reprieve.candidacy.questions import as_date
from reprieve.candidacy.schema import answers_schema
from reprieve.cli import evidence, fit, simulate
from reprieve.cli.bad_input import BadInput
from reprieve.instruments.card import card


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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(reprieve.__version__, prog_name="reprieve")
def cli() -> None:
    """Reprieve: from the brief form to the clinical team's call."""


cli.add_command(evidence.evidence)
cli.add_command(simulate.simulate)
cli.add_command(simulate.compare)
cli.add_command(fit.fit)


@cli.command()
@click.argument("instrument")
@click.argument("file")
@click.option("--sex", type=click.Choice(["female", "male"]), help="For a cut point that differs by sex.")
@click.option("--wording", help="A FHIR Questionnaire with the official text, checked against our table.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
def score(instrument: str, file: str, sex: str | None, wording: str | None, as_json: bool) -> None:
    """Score the answers in FILE (- reads standard input) to INSTRUMENT.

    FILE holds a list in item order, an object by item number, or either of them under "answers"; null is a blank. A
    file of several lines gives one result a line.
    """
    try:
        asked = instruments.find(instrument)
    except instruments.InstrumentError as error:
        raise BadInput(str(error)) from None
    if wording:
        asked = _worded(asked, wording)
    scores = [_score(asked, where, value, sex) for where, value in read_json(file)]
    console = Console(markup=False, emoji=False, highlight=False)
    for found in scores:
        if as_json:
            click.echo(json.dumps(found.as_dict()))
        else:
            console.print(card(found))


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


@cli.command()
@click.argument("file", default="-")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
@click.option("--schema", is_flag=True, help="Print a JSON Schema of the answers, and stop.")
def screen(file: str, as_json: bool, schema: bool) -> None:
    """Say what the answers in FILE (- reads standard input) amount to, for the clinician.

    FILE holds a JSON object by question id, or one such object a line; null is a blank. A key "today" sets the day on
    which ages are counted, as YYYY-MM-DD. A name that is no question is reported and not used.
    """
    if schema:
        click.echo(json.dumps(answers_schema(), indent=2))
        return
    results = [_screen(where, value) for where, value in read_json(file)]
    console = Console(markup=False, emoji=False, highlight=False)
    for result in results:
        if as_json:
            click.echo(json.dumps(result.as_dict()))
        else:
            console.print(candidacy_card(result))


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
