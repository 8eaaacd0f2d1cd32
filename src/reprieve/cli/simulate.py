"""``reprieve simulate``, ``compare`` and ``parameters``: what a regimen does, by the model; for research only.

The commands only name their options. NumPy, SciPy and xarray are imported when one runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from reprieve.cli.output import Report, says
from reprieve.pharmacology import PharmacologyError

WAYS_TO_ASK = (
    click.option("--weight-kg", type=float, help="Body weight; 70 for one person, drawn for each of --people."),
    click.option("--age", type=float, metavar="YEARS", help="For the record; the default set has no effect of age."),
    click.option("--sex", metavar="female|male", help="For the record, unless with --covariate sex."),
    click.option("--covariate", "covariates", multiple=True, metavar="sex", help="Women clear ketamine 20 % faster."),
    click.option("--parameters", "set_name", default="default", show_default=True, metavar="SET|FILE.csv"),
    click.option("--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Another value for one parameter."),
    click.option("--duration-min", type=float, help="Of each infusion by dose; 40 if not given."),
    click.option("--days", metavar="0,2,4", help="Of the infusions by dose; day 0 if not given."),
    click.option("--until-day", type=float, help="How far to go; 14 days after the last infusion if not given."),
    click.option("--therapy-days", default="", metavar="1,8,15", help="Exposure sessions."),
    click.option("--ssri-mg", type=float, help="Sertraline a day, or the equivalent, from day 0."),
    click.option("--arm", default="open label", show_default=True, help="What the person was told, such as midazolam."),
    click.option("--setting", default="civilian", show_default=True, metavar="civilian|military"),
    click.option("--norketamine", is_flag=True, help="Let norketamine block receptors too."),
    click.option("--kinetic-block", is_flag=True, help="Let block follow at the speed that --set Po=VALUE gives."),
    click.option("--site", default="arterial", show_default=True, metavar="arterial|venous"),
    click.option("--people", type=int, default=1, show_default=True, help="Draw so many people instead of one."),
    click.option("--seed", type=int, default=1, show_default=True, help="Which people are drawn."),
)


def refusing(command: Callable[..., Report]) -> Callable[..., Report]:
    """What the room refuses becomes bad input."""

    @functools.wraps(command)
    def run(**asked: Any) -> Report:
        from reprieve.cli.bad_input import BadInput

        try:
            return command(**asked)
        except PharmacologyError as error:
            raise BadInput(str(error)) from None

    return run


def asks(command: Callable[..., Report]) -> Callable[..., Report]:
    """The options that both simulating commands share."""
    wrapped = refusing(command)
    for option in reversed(WAYS_TO_ASK):
        wrapped = option(wrapped)
    return wrapped


@click.command()
@click.option("--regimen", "file", metavar="FILE.toml", help="A list of [[infusion]]; or dose records in a .csv.")
@click.option("--dose-mg-per-kg", type=float, help="Of each infusion, if there is no --regimen.")
@click.option("--times-min", metavar="40,80,110", help="Minutes from day 0, instead of a whole course.")
@click.option(
    "--measured", is_flag=True, help="Add what would be written down, with the errors of assay, cuff and rater."
)
@click.option("--parquet", metavar="FILE", help="Every person at every time, into FILE.parquet.")
@says(picture=True)
@asks
def simulate(**asked: Any) -> Report:
    """Simulate a regimen in one person or many: concentrations, receptor block, synapses, symptoms, pressure, CADSS.

    For research only, not for dosing people.
    """
    from reprieve.cli import simulated

    return simulated.report(simulated.Asked.of(**asked))


@click.command()
@click.option("--parameters", "set_name", default="default", show_default=True, metavar="SET|FILE.csv")
@click.option("--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Another value for one parameter.")
@says()
@refusing
def parameters(set_name: str, overrides: tuple[str, ...]) -> Report:
    """List the model's parameters: value, unit, range, source, and whether measured, derived, calibrated or assumed.

    What --csv prints can be changed and read again with --parameters FILE.csv.
    """
    from reprieve.cli import simulated

    return simulated.listed(set_name, overrides)


@click.command()
@click.argument("files", nargs=-1, metavar="FILE.toml...")
@click.option("--dose-mg-per-kg", "doses", default="", metavar="0.2,0.5", help="Doses to compare, instead of files.")
@click.option("--treatments", default="", metavar="ketamine,sertraline,therapy", help="Those, nothing, or two with +.")
@says(picture=True)
@asks
def compare(files: tuple[str, ...], doses: str, treatments: str, **asked: Any) -> Report:
    """Compare side by side: regimens in files, doses by body weight under one schedule, or whole treatments.

    Treatments are ketamine (by --dose-mg-per-kg), sertraline (--ssri-mg, or 150), therapy (--therapy-days, or weekly
    for twelve weeks), nothing, and combinations such as ketamine+therapy, all told the same. For research only, not
    for dosing people.
    """
    from reprieve.cli import simulated

    return simulated.comparison(files, doses, treatments, asked)
