"""``reprieve evidence``: the evidence tables asked, pooled, drawn and added to.

The commands only name their options. What they say is in modules that are imported when one runs, so that NumPy, SciPy
and PyMARE do not slow the commands that need none of them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from reprieve.cli.output import Report, says
from reprieve.evidence.question import COMPARATORS, OUTCOMES, PEOPLE, WINDOWS, Question
from reprieve.evidence.tables import tables

METHODS = ("REML", "DL", "PM", "common")
INTERVALS = ("hartung-knapp", "normal")


@click.group()
def evidence() -> None:
    """What the trials say: studies, pooled effects, claims, harms, guidelines."""


@evidence.command()
@click.argument("study", required=False)
@click.option("--treatment", help="Only studies of this treatment, such as ketamine.")
@click.option("--pending", is_flag=True, help="Only trials that are registered and have not reported.")
@says()
def studies(study: str | None, treatment: str | None, pending: bool) -> Report:
    """List every study, or show everything about one STUDY."""
    from reprieve.cli import listed

    return listed.study(tables(), study) if study else listed.studies(tables(), treatment, pending)


def _one_of(names: object) -> str:
    return "|".join(map(str, names))  # type: ignore[call-overload]


@evidence.command()
@click.option("--treatment", default="ketamine", show_default=True)
@click.option("--outcome", default="ptsd", show_default=True, metavar=_one_of(OUTCOMES))
@click.option("--window", default="24h", show_default=True, metavar=_one_of(WINDOWS), help="When it was measured.")
@click.option("--comparator", default="any", show_default=True, metavar=_one_of(COMPARATORS))
@click.option("--people", default="any", show_default=True, metavar=_one_of(PEOPLE))
@click.option("--without-single-centre", is_flag=True, help="Leave out trials from one centre.")
@click.option("--numbers-only", is_flag=True, help="Leave out trials that give a direction only.")
@click.option("--include-recalled", is_flag=True, help="Use figures from memory too; every output says so.")
@click.option("--correlation", type=float, default=0.5, show_default=True, help="Between a person's crossover periods.")
@click.option("--method", default="REML", show_default=True, metavar=_one_of(METHODS), help="Of the ordinary pool.")
@click.option("--interval", "interval_method", default="hartung-knapp", show_default=True, metavar=_one_of(INTERVALS))
@click.option("--leave-one-out", is_flag=True, help="The pool without each trial in turn.")
@click.option("--cumulative", is_flag=True, help="The pool after each further trial.")
@click.option("--small-studies", is_flag=True, help="Egger's test, trim and fill, PET-PEESE.")
@click.option("--crossover-sensitivity", is_flag=True, help="The answer under other correlations.")
@says(picture=True)
def pool(
    without_single_centre: bool,
    numbers_only: bool,
    leave_one_out: bool,
    cumulative: bool,
    small_studies: bool,
    crossover_sensitivity: bool,
    **asked: object,
) -> Report:
    """Pool the trials under one question: every study listed, used or not, and why."""
    question = Question(single_centre=not without_single_centre, directions=not numbers_only, **asked)  # type: ignore[arg-type]
    from reprieve.cli import pooled

    extras = {
        pooled.left_out_in_turn: leave_one_out,
        pooled.by_year: cumulative,
        pooled.small_trials: small_studies,
        pooled.by_correlation: crossover_sensitivity,
    }
    return pooled.report(question, tables(), [extra for extra, wanted in extras.items() if wanted])


@evidence.command()
@click.argument("claim", required=False)
@says()
def claims(claim: str | None) -> Report:
    """Judge each claim of the source text, or one CLAIM such as c06."""
    from reprieve.cli import computed

    return computed.claims(tables(), claim)


@evidence.command()
@click.option("--treatment", "treatments", multiple=True, help="May be repeated; ketamine and esketamine if not given.")
@click.option("--include-recalled", is_flag=True, help="Use figures from memory too; every output says so.")
@says(picture=True)
def safety(treatments: tuple[str, ...], include_recalled: bool) -> Report:
    """Tell of each harm: of how many people, in whom, and what nobody has counted."""
    from reprieve.cli import computed

    return computed.safety(tables(), treatments, include_recalled)


@evidence.command()
@click.option("--topic", metavar="WORD", help="Only topics with this word, such as ketamine.")
@says()
def guidelines(topic: str | None) -> Report:
    """Say who recommends what, how strongly."""
    from reprieve.cli import listed

    return listed.guidelines(tables(), topic)


@evidence.command()
@click.option("--claim", help="Only findings that bear on this claim, such as c06.")
@says()
def mechanism(claim: str | None) -> Report:
    """List findings about how it may work, in people or animals, for and against."""
    from reprieve.cli import listed

    return listed.mechanism(tables(), claim)


@evidence.command()
@click.option("--include-recalled", is_flag=True, help="Use figures from memory too; every output says so.")
@says(picture=True)
def durability(include_recalled: bool) -> Report:
    """Say how long relief lasts, as far as anybody counted."""
    from reprieve.cli import computed

    return computed.lasting(tables(), include_recalled)


@evidence.command()
@says(picture=True)
def network() -> Report:
    """Show who was compared with whom, and why no league table is given."""
    from reprieve.cli import computed

    return computed.met(tables())


@evidence.command()
@says()
def releases() -> Report:
    """List the versions of the data and what each changed."""
    from reprieve.cli import listed

    return listed.releases(tables())


@evidence.command()
@click.argument("files", nargs=-1, metavar="FILE.csv...")
@click.option("--keep", is_flag=True, help="Write the rows into the tables, after saying what changes.")
@click.option("--tables", "folder", metavar="DIR", help="A copy of the tables to add to, instead of the package's own.")
@click.option("--template", metavar="TABLE", help="Print the header of a table, such as outcomes, and stop.")
@says()
def add(files: tuple[str, ...], keep: bool, folder: str | None, template: str | None) -> Report:
    """Check new rows in FILE.csv and say what they would change; nothing is kept without --keep.

    Each file is recognised by its header. An empty outcome_id or safety_id is numbered on.
    """
    from reprieve.cli import added

    if template is not None:
        return added.template(template)
    return added.report(files, Path(folder) if folder else None, keep, date.today())
