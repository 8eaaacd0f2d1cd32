"""The reference page of the instruments, drawn from their tables.

``python -m reprieve.instruments.page > docs/reference/instruments.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from reprieve.instruments.instrument import CutPoint, Fact, Instrument, Item
from reprieve.instruments.tables import INSTRUMENTS

OPENING = """\
# Instruments

This page is drawn from `instruments.csv`, `instrument_items.csv` and `tables.py` in `src/reprieve/instruments`. After a
change there, write it anew with `python -m reprieve.instruments.page > docs/reference/instruments.md`.

The prompts are our own short ones. They are not the official text, and only the official text is validated: a clinic
that may use it imports it as a FHIR Questionnaire. A dagger (†) marks what is from memory and not yet checked.

A blank is never a zero. It leaves a range of totals, and where the range crosses the edge of a band or a cut point the
answer is "undetermined". An item that was rightly skipped is not a blank. Nothing is imputed, whatever custom allows.
"""

SHOWN_FACTS = (
    ("measures", "Measures"),
    ("scoring_rule", "Score"),
    ("provisional_diagnosis_rule", "Provisional diagnosis"),
    ("combining_rule", "Total and pattern"),
    ("diagnosis_rule", "Diagnosis"),
    ("triage_high", "Tier high"),
    ("triage_moderate", "Tier moderate"),
    ("triage_low", "Tier low"),
    ("skip_rule", "Skips"),
    ("sex_rule", "Sex"),
    ("item3_wording_trap", "Item 3"),
    ("escalation_rule", "Escalation"),
    ("severity_bands", "Bands"),
    ("cut_point", "Cut point"),
    ("platform_cut", "Cut point used here"),
    ("missing_item_rule", "Blanks by custom"),
    ("minimal_important_change", "Change that counts"),
    ("minimal_important_change_newer", "Change, newer"),
    ("minimal_important_change_alternative", "Change, other estimate"),
    ("licence", "Licence"),
)


def reference_page() -> str:
    """The page as Markdown."""
    return "\n".join([OPENING, *(line for instrument in INSTRUMENTS.values() for line in _section(instrument))])


def _section(instrument: Instrument) -> Iterator[str]:
    yield f"## {instrument.id}\n"
    yield from _table(
        ("", "", "Seen at"), (_fact_row(label, instrument.facts[name]) for name, label in _shown(instrument))
    )
    if instrument.cut_points:
        yield from _table(("Cut point", "At or above", "Below", "For"), map(_cut_row, instrument.cut_points))
    yield from _table(("Item", "Our prompt", "Answers", "Belongs to", "Counts"), map(_item_row, instrument.items))


def _shown(instrument: Instrument) -> Iterator[tuple[str, str]]:
    return ((name, label) for name, label in SHOWN_FACTS if name in instrument.facts)


def _fact_row(label: str, fact: Fact) -> tuple[str, ...]:
    text = f"{fact.value}. {fact.note}" if fact.note else fact.value
    return label, f"{text}{_dagger(fact.source.mark)}", f"<{fact.source.url}>"


def _cut_row(cut: CutPoint) -> tuple[str, ...]:
    below = cut.cut if cut.borderline_from is None else cut.borderline_from
    return cut.name, str(cut.cut), str(below), cut.sex or "everyone"


def _item_row(item: Item) -> tuple[str, ...]:
    answers = "no, yes" if item.yes_no else f"{item.lowest} to {item.highest}"
    counts = {"total": "in the total", "rule": "by rule", "extra": "not in the total, may be left out"}[item.use]
    reverse = ", reversed" if item.reverse else ""
    return f"{item.number}{_dagger(item.source.mark)}", item.prompt, answers, item.criterion, counts + reverse


def _dagger(mark: str) -> str:
    return " †" if mark else ""


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for cells in (header, ("---",) * len(header), *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(reference_page())
