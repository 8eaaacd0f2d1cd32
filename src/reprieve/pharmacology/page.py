"""The reference page of the parameters, drawn from their table.

``python -m reprieve.pharmacology.page > docs/reference/parameters.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from reprieve.pharmacology.parameters import LEVELS, SETS, Parameter, table

OPENING = """\
# Parameters of the model

This page is drawn from `parameters.csv` in `src/reprieve/pharmacology`. After a change there, write it anew with
`python -m reprieve.pharmacology.page > docs/reference/parameters.md`. The equations are in
[the model](../explanation/model.md).

A dagger (†) marks a value from memory, not yet checked. *Measured* was read from a measurement; *derived* was computed
from one; *calibrated* was chosen so that the model meets one; *assumed* is a convention or a guess. Volumes and
clearances are for 70 kg. `--set NAME=VALUE` takes the symbol or the name; beyond the range the model runs and says so.
"""

# The chapters of the page: heading, and the symbol that each begins with
CHAPTERS = {
    "MW_K": "Disposition",
    "fu": "Effect site and receptor",
    "a": "Glutamate to synapses",
    "r_I": "Memory and extinction",
    "theta_0": "Symptoms and other treatments",
    "sd_ou": "Ratings",
    "L_B": "Clusters and items",
    "h0_civ": "Dropout (not simulated yet)",
    "cad_base": "Dissociation",
    "Emax_s": "Blood pressure and pulse",
    "C50_sed": "Sedation",
    "cv_occ": "From sitting to sitting",
}


def reference_page() -> str:
    """The page as Markdown."""
    return "\n".join([OPENING, *_counted(), *_sets(), *_chapters()])


def _counted() -> Iterator[str]:
    counts = Counter(parameter.level for parameter in table().values())
    recalled = sum(1 for parameter in table().values() if parameter.mark)
    parts = ", ".join(f"{counts[level]} {level}" for level in LEVELS)
    yield f"Of {len(table())} values {parts}; {recalled} are from memory.\n"


def _sets() -> Iterator[str]:
    yield "## Sets\n"
    yield "| set | differs in | why |\n| --- | --- | --- |"
    for name, (changed, why) in SETS.items():
        differs = ", ".join(
            f"{symbol} = {value:g} (not {table()[symbol].value:g})" for symbol, value in changed.items()
        )
        yield f"| {name} | {differs or 'nothing'} | {why} |"
    yield ""


def _chapters() -> Iterator[str]:
    for symbol, parameter in table().items():
        if symbol in CHAPTERS:
            yield f"\n## {CHAPTERS[symbol]}\n"
            yield "| symbol | name | value | range | unit | between people | level | source |"
            yield "|---|---|---|---|---|---|---|---|"
        yield _row(parameter)
    yield ""


def _row(parameter: Parameter) -> str:
    between = f"{parameter.low:g} to {parameter.high:g}" if None not in (parameter.low, parameter.high) else ""
    dagger = " †" if parameter.mark else ""
    cells = (
        parameter.symbol,
        parameter.name,
        f"{parameter.value:g}{dagger}",
        between,
        parameter.unit,
        parameter.distribution,
        parameter.level,
        parameter.source,
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    sys.stdout.write(reference_page())
