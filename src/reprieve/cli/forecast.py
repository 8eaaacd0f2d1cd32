"""``reprieve forecast``: one person's course before and after readings from that person; for research only.

The command only names its options. NumPy and SciPy are imported when it runs.
"""

from __future__ import annotations

from typing import Any

import click

from reprieve.cli.output import Report, says
from reprieve.pharmacology import PharmacologyError


@click.command()
@click.option("--weight-kg", type=float, help="Body weight; it must be given.")
@click.option("--age", type=float, metavar="YEARS", help="For the record; the default set has no effect of age.")
@click.option("--sex", metavar="female|male", help="For the record, unless with --covariate sex.")
@click.option("--covariate", "covariates", multiple=True, metavar="sex", help="Women clear ketamine 20 % faster.")
@click.option("--regimen", "file", metavar="FILE.toml", help="A list of [[infusion]]; or dose records in a .csv.")
@click.option("--dose-mg-per-kg", type=float, help="Of each infusion, if there is no --regimen.")
@click.option("--duration-min", type=float, help="Of each infusion by dose; 40 if not given.")
@click.option("--days", metavar="0,2,4", help="Of the infusions by dose; day 0 if not given.")
@click.option("--observed", metavar="FILE.csv", help="Readings from the person: time_min,what,value.")
@click.option("--session", type=int, help="Which session to look at; that of the first reading, or the first.")
@click.option("--times-min", metavar="40,80,110", help="Minutes from day 0, instead of six hours of the session.")
@click.option("--site", default="arterial", show_default=True, metavar="arterial|venous")
@click.option("--parameters", "set_name", default="default", show_default=True, metavar="SET")
@click.option("--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Another value for one parameter.")
@says(picture=True)
def forecast(**asked: Any) -> Report:
    """Forecast one person: levels, receptor block, pressure and dissociation, before and after readings from them.

    For research only, not for dosing people. Readings are ketamine_arterial_ng_per_ml, ketamine_venous_ng_per_ml,
    norketamine_ng_per_ml, systolic_change_mmhg, diastolic_change_mmhg and pulse_change_per_min (above the person's own
    rest), and cadss_total.
    """
    from reprieve.cli import forecasted
    from reprieve.cli.bad_input import BadInput

    try:
        return forecasted.report(forecasted.Asked.of(**asked))
    except PharmacologyError as error:
        raise BadInput(str(error)) from None
