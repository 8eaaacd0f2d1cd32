"""What a command says, three ways: tables for people, one JSON document for programs, CSV rows for a spreadsheet.

A command returns a :class:`Report`; the decorator :func:`says` adds the options and prints it.
"""

from __future__ import annotations

import csv
import functools
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from reprieve.cli.bad_input import BadInput
from reprieve.evidence.question import QuestionError
from reprieve.evidence.rows import EvidenceError
from reprieve.printable import printable

Row = Mapping[str, Any]
PICTURES = (".svg", ".png")
PICTURE_WIDTH = 760
SHORT, NARROW = 12, 20  # letters of a cell that is never broken; of a column beside one with more to say
PAPER_WIDTH = 120  # columns where there is no terminal to ask


class Verbatim(str):
    """A line for people that is printed as it is, however long."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows as people read them: a table, or with ``upright`` each row as a block of label and text."""

    title: str
    rows: Sequence[Row]
    columns: tuple[str, ...] = ()
    upright: bool = False
    empty: str = "nothing in the tables"

    def table(self) -> Table:
        """The rows for the terminal; ``columns`` chooses some, in that order."""
        names = self.columns or tuple(dict.fromkeys(name for row in self.rows for name in row))
        drawn = Table(title=self.title, title_justify="left", show_header=not self.upright)
        if self.upright:
            drawn.add_column(style="bold", no_wrap=True)
            drawn.add_column(overflow="fold")
            for row in self.rows:
                drawn.add_section()
                for name in names:
                    drawn.add_row(_words(name), _cell(row.get(name)))
            return drawn
        widths = {name: max(len(_cell(row.get(name))) for row in self.rows) for name in names}
        for name in names:
            longest = widths[name] == max(widths.values())
            narrow = NARROW if max(widths.values()) > 2 * NARROW and not longest else None
            drawn.add_column(_words(name), overflow="fold", no_wrap=widths[name] < SHORT, max_width=narrow)
        for row in self.rows:
            drawn.add_row(*(_cell(row.get(name)) for name in names))
        return drawn


@dataclass(frozen=True, slots=True)
class Report:
    """One answer: ``document`` for ``--json``, ``rows`` for ``--csv``, ``parts`` for people.

    ``draw`` makes its picture from a width and a look, and ``warning`` stands in it; ``then`` is done once all of it
    has been said.
    """

    document: Mapping[str, Any]
    rows: Sequence[Row]
    parts: Sequence[str | Listing]
    draw: Callable[[int, str], Any] | None = None
    warning: str = ""
    then: Callable[[], None] | None = field(default=None, repr=False)


MACHINE_OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="One JSON document, for machines."),
    click.option("--csv", "as_csv", is_flag=True, help="Rows as CSV, for a spreadsheet."),
)
PICTURE_OPTIONS = (
    click.option("--plot", metavar="FILE", help="Draw it into FILE.svg or FILE.png."),
    click.option("--dark", is_flag=True, help="Draw it for a dark page."),
)


def says(*, picture: bool = False) -> Callable[[Callable[..., Report]], Callable[..., None]]:
    """Make a command of a function that returns a report: add ``--json``, ``--csv`` and, for a picture, ``--plot``."""

    def decorate(report_of: Callable[..., Report]) -> Callable[..., None]:
        @functools.wraps(report_of)
        def run(*, as_json: bool, as_csv: bool, plot: str | None = None, dark: bool = False, **asked: Any) -> None:
            if as_json and as_csv:
                raise BadInput("--json and --csv together; give one of them")
            _check_picture(plot)
            try:
                report = report_of(**asked)
            except (EvidenceError, QuestionError) as error:
                raise BadInput(str(error)) from None
            if plot:
                _write_picture(report, plot, "dark" if dark else "light")
            _print(report, as_json=as_json, as_csv=as_csv)
            if report.then:
                report.then()

        command: Callable[..., None] = run
        for option in (*MACHINE_OPTIONS, *(PICTURE_OPTIONS if picture else ())):
            command = option(command)
        return command

    return decorate


def _print(report: Report, *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        click.echo(json.dumps(plain_data(report.document), indent=2, ensure_ascii=False, allow_nan=False))
    elif as_csv:
        _print_csv(report.rows)
    else:
        _print_parts(report.parts)


def _print_csv(rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(sys.stdout, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _csv_cell(value) for name, value in row.items()} for row in rows)


def _print_parts(parts: Sequence[str | Listing]) -> None:
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, emoji=False, highlight=False, width=PAPER_WIDTH)
    for part in parts:
        if isinstance(part, Verbatim):
            click.echo(part)
        elif isinstance(part, str):
            console.print(printable(part))
        elif part.rows:
            console.print(part.table())
        else:
            console.print(f"{part.title}: {part.empty}")


def _check_picture(file: str | None) -> None:
    if file and Path(file).suffix.lower() not in PICTURES:
        raise BadInput(f"--plot {file}: the name must end in .svg or .png, such as forest.svg")


def _write_picture(report: Report, file: str, look: str) -> None:
    from reprieve.charts import LOOKS, lines, png, svg

    assert report.draw is not None
    chart = report.draw(PICTURE_WIDTH, look)
    if report.warning:
        chart.title.subtitle = [*chart.title.subtitle, *lines(report.warning, PICTURE_WIDTH // 8)]
    drawn = png(chart, LOOKS[look]) if Path(file).suffix.lower() == ".png" else svg(chart, LOOKS[look]).encode()
    try:
        Path(file).write_bytes(drawn)
    except OSError as error:
        raise BadInput(f"--plot {file}: {error.strerror}; give a place that can be written") from None
    click.echo(f"Drawn: {file}", err=True)


def plain_data(value: Any) -> Any:
    """The value in JSON's own kinds; a number that is not finite is null.

    >>> plain_data({"low": float("-inf"), "rows": ("a", date(2026, 11, 22))})
    {'low': None, 'rows': ['a', '2026-11-22']}
    """
    match value:
        case Mapping():
            return {str(name): plain_data(each) for name, each in value.items()}
        case list() | tuple():
            return [plain_data(each) for each in value]
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case date():
            return value.isoformat()
    return str(value)


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """A figure and its interval; an end may be missing, or infinite when nothing bounds it.

    >>> interval(0.5, -0.1, 1.1), interval(0.5, None, None), interval(None, None, None)
    ('0.50 (-0.10 to 1.10)', '0.50', '')
    >>> interval(math.inf, 0.33, math.inf)
    'no estimate (0.33 to no limit)'
    """
    if value is None:
        return ""
    figure = f"{value:.2f}" if math.isfinite(value) else "no estimate"
    if low is None or high is None:
        return figure
    ends = (f"{end:.2f}" if math.isfinite(end) else "no limit" for end in (low, high))
    return f"{figure} ({' to '.join(ends)})"


def _cell(value: Any) -> str:
    return printable(_csv_cell(value)) if not isinstance(value, float) else f"{value:.4g}"


def _csv_cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return "; ".join(map(str, value))
    return str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
