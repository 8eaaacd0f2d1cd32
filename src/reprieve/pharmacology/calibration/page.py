"""The page of the documentation about the calibration: priors, posteriors, predictions, and what no datum sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reprieve.pharmacology.calibration.fit import (
    AGREE,
    ENOUGH,
    HARDLY,
    INFORMED,
    INSEPARABLE,
    Fitted,
    Posterior,
    Predicted,
)
from reprieve.pharmacology.calibration.information import SEEN
from reprieve.pharmacology.calibration.sampling import Effort

OPENING = """\
# Calibration: what the data say about the parameters

This page is written by a command; after a change in the model, its parameters or the tables of facts write it anew
with `reprieve fit --page > docs/explanation/calibration.md` (it needs the extra `fit`: in a clone, `make
research`). For research and method development only. Fitted values never replace `parameters.csv`: the defaults
were chosen by hand, are marked so, and are held to their targets in [the check](calibration-check.md).

Six levels are fitted in the order of the model's proposal, each with the levels before it frozen at their posterior
medians: so an interval here leaves out what is uncertain further up. Each parameter has a prior from its row: a
range of a measured, derived or assumed value is taken as the central 95 % of a log-normal about it; of a value that
was *calibrated by hand with these very data in view*, as the central 68 %, twice as wide. Posteriors are {chains}
chains of {samples} draws by NUTS (NumPyro) after {warmup}, seed {seed}; chains are said to agree when R-hat is at
most {agree} and there are {enough} effective draws.

**Shrinkage** is 1 less the posterior's standard deviation over the prior's: 0 is nothing learnt. From {informed} on
the data are said to inform a parameter, below {hardly} not to. **Combinations** are the eigenvectors of the Fisher
information, as products of powers; the number is how many times more than the prior the data know about one, and
below {seen} they know less. A dagger (†) marks what is from memory: shown, not fitted.
"""

SPECULATIVE = """
## What stays speculative

Everything past the receptor. One scan of eight people stands behind the rise of glutamate, and its own time of the
rise disagrees with the model's. No datum sees a synapse. Points of a depression scale stand in for how relief comes
and goes. The two trials in PTSD are met together only by letting one factor differ between them, or by giving up
part of both, and no data here can say which. Expectancy cannot be told from the drug at all.
"""


def page(found: Mapping[str, Fitted], effort: Effort) -> str:
    """The page as Markdown."""
    opening = OPENING.format(
        chains=effort.chains, samples=effort.samples, warmup=effort.warmup, seed=effort.seed, agree=AGREE,
        enough=ENOUGH, informed=INFORMED, hardly=HARDLY, seen=f"{SEEN:g}",
    )  # fmt: skip
    parts = (_not_seen(found), _trials(found), *(_level(name, each) for name, each in found.items()))
    return "\n".join([opening, *(line for part in parts for line in part), SPECULATIVE.rstrip("\n"), ""])


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _not_seen(found: Mapping[str, Fitted]) -> Iterator[str]:
    """The answer first: what the data do not inform."""
    yield "## What the data do not inform\n"
    for name, each in _main(found).items():
        silent = [one.prior.symbol for one in each.posteriors if one.shrinkage < HARDLY]
        hardly = [one.prior.symbol for one in each.posteriors if HARDLY <= one.shrinkage < INFORMED]
        yield f"- **{each.level.title}** ({name.partition(':')[0]}): not {_listed(silent)}; hardly {_listed(hardly)}."
    yield "\nAnd whatever a level's numbers say:\n"
    yield from (f"- {words}." for words in INSEPARABLE)
    yield ""


def _listed(symbols: list[str]) -> str:
    return ", ".join(f"`{symbol}`" for symbol in symbols) or "none"


def _main(found: Mapping[str, Fitted]) -> dict[str, Fitted]:
    """One fit a level: of the trials the version that goes on."""
    kept: dict[str, Fitted] = {}
    for name, each in found.items():
        if name.partition(":")[0] not in {known.partition(":")[0] for known in kept}:
            kept[name] = each
    return kept


def _trials(found: Mapping[str, Fitted]) -> Iterator[str]:
    """The two trials in PTSD under each way in which they may differ."""
    versions = {name.partition(": ")[2]: each for name, each in found.items() if name.startswith("ptsd: ")}
    if not versions:
        return
    yield "## The positive and the null trial, with the same weight\n"
    names = list(next(iter(versions.values())).derived)
    yield _cells(
        "the two may differ",
        *names,
        "new positive trials at least as far from what was seen",
        "new null trials that find nothing",
    )
    yield "|---|" + "---|" * (len(names) + 2)
    for name, each in versions.items():
        seen, null = (next(one for one in each.predicted if one.datum.kind == kind) for kind in ("number", "null"))
        yield _cells(
            name, *(spread(each.derived[one]) for one in names), f"{200 * seen.tail:.0f} %", f"{100 * null.tail:.0f} %"
        )
    yield "\nCAPS-5 points, drug less control, median and central 90 %.\n"


def _level(name: str, each: Fitted) -> Iterator[str]:
    yield f"## {each.level.title} ({name})\n"
    if each.frozen:
        yield f"Frozen before: {', '.join(f'{symbol} {value:.3g}' for symbol, value in each.frozen.items())}.\n"
    yield from (f"{note}\n" for note in each.level.notes)
    agree = "Chains agree" if each.agrees else "**Chains do not agree as asked**"
    yield f"{agree}; {each.divergences} divergent draws.\n"
    yield _cells("parameter", "unit", "prior", "posterior", "default", "shrinkage", "R-hat", "draws", "so")
    yield "|---|---|---|---|---|---|---|---|---|"
    for one in each.posteriors:
        yield _cells(*parameter_row(one).values())
    yield "\nWhat the data see, best seen first:\n"
    yield _cells("combination", "information over the prior's", "spread left")
    yield "|---|---|---|"
    for seen in each.combinations:
        if seen.information >= HARDLY:
            yield _cells(f"`{seen.words}`", f"{seen.information:.2g}", f"{100 * seen.left:.0f} %")
    unseen = sum(seen.information < HARDLY for seen in each.combinations)
    yield f"\n{unseen} of {len(each.combinations)} combinations are not seen at all.\n"
    yield "Posterior predictive check:\n"
    yield _cells("datum", "source", "seen", "central 90 % of new data", "tail", "")
    yield "|---|---|---|---|---|---|"
    for shown in each.predicted:
        yield _cells(*datum_row(shown).values())
    yield ""


def parameter_row(one: Posterior) -> dict[str, str]:
    """One parameter as people read it."""
    default = "" if one.table_value is None else f"{one.table_value:.3g}"
    return {
        "parameter": f"`{one.prior.symbol}`",
        "unit": one.prior.unit,
        "prior": spread(one.before),
        "posterior": spread(one.after),
        "default": default,
        "shrinkage": f"{one.shrinkage:.2f}",
        "R-hat": f"{one.r_hat:.3f}",
        "draws": f"{one.effective:.0f}",
        "so": one.words,
    }


def datum_row(shown: Predicted) -> dict[str, str]:
    """One datum beside its prediction."""
    datum = shown.datum
    if datum.kind == "null":
        seen, tail = "found nothing", f"{100 * shown.tail:.0f} % find nothing"
    else:
        observed = 2.718281828459045**datum.observed if datum.is_log else datum.observed
        seen, tail = f"{observed:.3g}", f"{shown.tail:.2f}"
    dagger = " †" if datum.mark else ""
    return {
        "datum": datum.name,
        "source": f"{datum.source}{dagger}",
        "seen": f"{seen} {datum.unit if datum.kind != 'null' else ''}".strip(),
        "central 90 % of new data": f"{shown.middle[1]:.3g} to {shown.middle[2]:.3g}",
        "tail": tail,
        "": "fitted" if shown.is_fitted else f"not fitted{': ' + datum.note if datum.note else ''}",
    }


def spread(three: tuple[float, float, float]) -> str:
    """Median and central 90 %.

    >>> spread((1.0, 0.5, 2.0))
    '1 (0.5 to 2)'
    """
    return f"{three[0]:.3g} ({three[1]:.3g} to {three[2]:.3g})"


def document(found: Mapping[str, Fitted], effort: Effort) -> dict[str, Any]:
    """All of it for machines."""
    return {
        "chains": effort.chains,
        "samples": effort.samples,
        "warmup": effort.warmup,
        "seed": effort.seed,
        "not_separable": list(INSEPARABLE),
        "levels": {
            name: {
                "title": each.level.title,
                "frozen": dict(each.frozen),
                "chains_agree": each.agrees,
                "divergences": each.divergences,
                "seconds": round(each.seconds, 1),
                "parameters": [
                    {
                        "symbol": one.prior.symbol,
                        "prior": one.before,
                        "prior_from": one.prior.how,
                        "posterior": one.after,
                        "default": one.table_value,
                        "shrinkage": one.shrinkage,
                        "r_hat": one.r_hat,
                        "effective_draws": one.effective,
                        "so": one.words,
                    }
                    for one in each.posteriors
                ],
                "combinations": [
                    {"combination": seen.words, "information": seen.information} for seen in each.combinations
                ],
                "predictive_check": [datum_row(shown) for shown in each.predicted],
                "derived": {key: list(three) for key, three in each.derived.items()},
            }
            for name, each in found.items()
        },
    }
