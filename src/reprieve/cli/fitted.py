"""What ``reprieve fit`` says, from what was asked."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from reprieve.cli.bad_input import BadInput
from reprieve.cli.output import Listing, Report, Verbatim

CAUTION = "Research only, not for dosing people."


def check(*, people: int, seed: int, as_page: bool, level: str | None, out: str | None, **_: Any) -> Report:
    """The default set held to its targets."""
    from reprieve.pharmacology.check import NOT_MET
    from reprieve.pharmacology.check import check as checked
    from reprieve.pharmacology.check_page import counted, page, row, shown

    for option, given in (("--level", level), ("--out", out)):
        if given:
            raise BadInput(f"--check and {option} together; --check fits nothing, so leave {option} out")
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


def report(**asked: Any) -> Report:
    """The calibration."""
    raise BadInput("not yet")
