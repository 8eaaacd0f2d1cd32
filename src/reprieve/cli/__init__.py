"""The command line: one function per command, files in, a table or ``--json`` out; each loads what it needs itself.

Bad input ends with one line on standard error that says what is wrong and where, and exit code 2.
"""

from __future__ import annotations

import json
from typing import Any

import click

import reprieve
from reprieve.cli import evidence, fit, forecast, simulate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(reprieve.__version__, prog_name="reprieve")
def cli() -> None:
    """Reprieve: from the brief form to the clinical team's call."""


cli.add_command(evidence.evidence)
cli.add_command(simulate.simulate)
cli.add_command(simulate.compare)
cli.add_command(forecast.forecast)
cli.add_command(simulate.parameters)
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
    from reprieve.cli import answers

    _print(answers.scored(instrument, file, sex, wording), as_json=as_json)


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
        from reprieve.candidacy.schema import answers_schema

        click.echo(json.dumps(answers_schema(), indent=2))
        return
    from reprieve.cli import answers

    _print(answers.screened(file), as_json=as_json)


def _print(results: list[tuple[dict[str, Any], Any]], *, as_json: bool) -> None:
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    for document, table in results:
        if as_json:
            click.echo(json.dumps(document))
        else:
            console.print(table)
