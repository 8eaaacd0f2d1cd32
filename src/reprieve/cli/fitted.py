"""What ``reprieve fit`` says, from what was asked."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import click

from reprieve.cli.bad_input import BadInput
from reprieve.cli.output import Listing, Report, Verbatim

CAUTION = "Research only, not for dosing people."


def check(*, people: int, seed: int, as_page: bool, level: str | None, **_: Any) -> Report:
    """The default set held to its targets."""
    from reprieve.pharmacology.check import NOT_MET
    from reprieve.pharmacology.check import check as checked
    from reprieve.pharmacology.check_page import counted, page, row, shown

    if level:
        raise BadInput("--check and --level together; --check fits nothing, so leave --level out")
    targets = checked(people, seed)
    rows = [row(target) for target in targets]
    document = {"caution": CAUTION, "people": people, "seed": seed, "summary": counted(targets), "targets": rows}
    if as_page:
        return Report(document, rows, [Verbatim(page(targets, people, seed).rstrip("\n"))])
    failed = [
        {"target": f"{each.group.partition(':')[0]}: {each.name}", "why": each.because}
        for each in targets
        if each.verdict == NOT_MET
    ]
    parts: list[str | Listing] = [CAUTION, f"{people} virtual people an arm, seed {seed}. {counted(targets)}"]
    for group, own in groupby(targets, key=lambda target: target.group):
        said = [shown(each) for each in own]
        columns = () if any(each["seen"] for each in said) else ("target", "document", "ours", "as printed")
        parts.append(Listing(group, said, columns))
    parts.append(Listing("Not met", failed, empty="none"))
    return Report(document, rows, parts)


def report(
    *, level: str | None, chains: int, samples: int, warmup: int, seed: int, as_page: bool, people: int
) -> Report:
    """The calibration, level by level."""
    from reprieve.pharmacology.calibration import needs_extra

    needs_extra()
    from reprieve.pharmacology.calibration.fit import INSEPARABLE, LEVELS, calibrate
    from reprieve.pharmacology.calibration.page import datum_row, document, page, parameter_row
    from reprieve.pharmacology.calibration.sampling import Effort

    effort = Effort(chains, samples, warmup, seed)
    found = calibrate(effort, (level,) if level else tuple(LEVELS), lambda name: click.echo(f"{name} ...", err=True))
    rows = [{"level": name, **parameter_row(one)} for name, each in found.items() for one in each.posteriors]
    whole = {"caution": CAUTION, **document(found, effort)}
    if as_page:
        return Report(whole, rows, [Verbatim(page(found, effort).rstrip("\n"))])
    parts: list[str | Listing] = [CAUTION]
    for name, each in found.items():
        parts += [f"{name}: {each.level.title}. {'; '.join(each.level.notes)}"]
        parts += [Listing(f"{name}: median (central 90 %)", [parameter_row(one) for one in each.posteriors])]
        parts += [Listing(f"{name}: seen and predicted", [datum_row(one) for one in each.predicted])]
        parts += [f"{key}: {median:.1f} ({low:.1f} to {high:.1f})" for key, (median, low, high) in each.derived.items()]
    parts += ["Never told apart:", *INSEPARABLE]
    return Report(whole, rows, parts)
