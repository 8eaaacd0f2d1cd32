"""``reprieve fit``: the model held to the data, and what the data say about its parameters; for research only.

The command only names its options. Nothing heavy is imported before it runs, and ``--check`` needs no extra.
"""

from __future__ import annotations

from typing import Any

import click

from reprieve.cli.bad_input import BadInput
from reprieve.cli.output import Report, says
from reprieve.pharmacology import PharmacologyError

LEVELS = ("pk", "safety", "synapses", "symptoms", "ptsd", "comparators")


@click.command()
@click.option("--check", "only_check", is_flag=True, help="Fit nothing; hold the default set to its targets.")
@click.option("--people", type=int, default=6000, show_default=True, help="Virtual people an arm, with --check.")
@click.option("--level", metavar="|".join(LEVELS), help="One level, what comes before at its table values.")
@click.option("--chains", type=int, default=4, show_default=True, help="Chains of the sampler.")
@click.option("--samples", type=int, default=1000, show_default=True, help="Kept from each chain.")
@click.option("--warmup", type=int, default=500, show_default=True, help="Thrown away before, in each chain.")
@click.option("--seed", type=int, default=20261125, show_default=True, help="Of the virtual people, and the sampler.")
@click.option("--page", "as_page", is_flag=True, help="Print the page of the documentation.")
@says()
def fit(**asked: Any) -> Report:
    """Calibrate the model, level by level, and report what is and is not identified; --check holds it to its targets.

    For research only, not for dosing people. Fitted values never replace the table of parameters.
    """
    from reprieve.cli import fitted

    try:
        return fitted.check(**asked) if asked.pop("only_check") else fitted.report(**asked)
    except PharmacologyError as error:
        raise BadInput(str(error)) from None
