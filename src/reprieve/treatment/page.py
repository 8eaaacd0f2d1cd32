"""The reference page of a session's limits, alarms, plans and adverse events, drawn from their tables.

``python -m reprieve.treatment.page > docs/reference/limits.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from reprieve.sources import Source, read_table
from reprieve.treatment.adverse import Term, terms
from reprieve.treatment.dose import HEAVIEST_KG, LIGHTEST_KG
from reprieve.treatment.limits import BELOW, Limit, Limits, limits
from reprieve.treatment.plan import LEAST_GAP_DAYS, Template, templates
from reprieve.treatment.vitals import Rule, rules

OPENING = """\
# Limits of a session

This page is drawn from the tables in `src/reprieve/treatment`. After a change there, write it anew with
`python -m reprieve.treatment.page > docs/reference/limits.md`.

A dagger (†) marks what is from memory and not yet checked. "Our choice" is a number or a rule that no source states, or
on which sources disagree. No session is opened before a prescriber of the clinic has signed the whole set of limits; a
session keeps the set that was in force when it was opened.
"""
LIMITS_NOTE = (
    "The number is what a clinic starts from; it may sign another within the range. In pairs the first is lower:"
)
RANGES_NOTE = (
    "A figure beyond its range is asked for once more, and kept, marked, when somebody says that it is right. "
    "A range is no alarm."
)
ALARMS_NOTE = """\
Under the numbers above. Of several rules on one figure only the gravest raises an alarm. "Twice" needs two readings
above the limit at least that far apart, with none within it between; a reading that left the figure out does not count
as one within. Each of the two blood pressures is judged by itself. Readings before the drip and after it count too.
There is no rule for the pulse, for breaths in a minute and for CADSS-6: no source gave one.
"""
EVENTS_NOTE = (
    "An event that stops the drip, and any that is severe, raises an alarm; no page stops a pump. What to do is said "
    "in short and is no protocol: the clinic's own comes first. The source is where the event was seen. Our choice: "
    "that the drip is stopped for it, which no source says, or the term itself."
)


def reference_page() -> str:
    """The page as Markdown."""
    return "\n".join([OPENING, *_limits(), *_dose(), *_ranges(), *_alarms(), *_plans(), *_events()])


def _limits() -> Iterator[str]:
    pairs = "; ".join(f"`{lower}`, `{higher}`" for lower, higher in BELOW)
    yield f"## Limits\n\n{LIMITS_NOTE} {pairs}.\n"
    yield from _table(("Limit", "id", "Number", "May be", "From", "Note"), map(_limit_row, limits().values()))


def _limit_row(limit: Limit) -> tuple[str, ...]:
    return (
        limit.words,
        f"`{limit.id}`",
        f"{limit.default:g} {limit.unit}",
        f"{limit.low:g} to {limit.high:g}",
        _from(limit.is_our_choice, limit.fact.id, limit.fact.source),
        limit.note,
    )


def _dose() -> Iterator[str]:
    yield "## The dose\n"
    yield (
        f"Weight, {LIGHTEST_KG:g} to {HEAVIEST_KG:g} kg, times the dose for each kilogram, not above the ceiling, "
        "rounded down to the syringe's step. Less than one step is refused. A weight is asked for again when it "
        "differs by more than the limit from the one known so far. A vial's strength is doubted when it is not the one "
        "known so far, and, while none is known, when it is none of these, or ten times or a tenth of another:\n"
    )
    rows = read_table("reprieve.treatment", "strengths.csv")
    sources = [Source(row["source"], row["source_url"], row["provenance"]) for row in rows]
    yield from _table(
        ("Strength", "Sold as", "From"),
        (
            (f"{row['mg_per_ml']} mg/mL", row["words"], _cited(source))
            for row, source in zip(rows, sources, strict=True)
        ),
    )


def _ranges() -> Iterator[str]:
    yield f"## Figures and their usual range\n\n{RANGES_NOTE}\n"
    rows = read_table("reprieve.treatment", "vital_ranges.csv")
    yield from _table(
        ("Figure", "Unit", "Range", "From"),
        ((row["words"], row["unit"], f"{row['low']} to {row['high']}", _range_from(row["choice"])) for row in rows),
    )


def _range_from(choice: str) -> str:
    return choice if choice == "our choice" else "the range of the scale"


def _alarms() -> Iterator[str]:
    yield f"## Alarms\n\n{ALARMS_NOTE}"
    yield from _table(("Alarm", "Level", "What to do", "From"), map(_alarm_row, rules(Limits())))


def _alarm_row(rule: Rule) -> tuple[str, ...]:
    return rule.words, rule.level, rule.action, _cited(rule.source)


def _plans() -> Iterator[str]:
    yield "## Plans of a course\n"
    yield (
        "Days count from the first session, 0. A day on which the clinic is closed moves to the next open one; "
        f"sessions are at least {LEAST_GAP_DAYS} days apart, which is our choice. A maintenance course has a day on "
        "which it ends.\n"
    )
    yield from _table(("Plan", "Days", "Dose", "From", "Note"), map(_plan_row, templates().values()))


def _plan_row(plan: Template) -> tuple[str, ...]:
    days = ", ".join(map(str, plan.days))
    dose = f"{plan.dose_mg_per_kg:g} mg/kg over {plan.infusion_min} min"
    return plan.words, days, dose, f"{plan.fact.id} {_cited(plan.fact.source)}", plan.note


def _events() -> Iterator[str]:
    yield f"## Adverse events\n\n{EVENTS_NOTE}\n"
    yield from _table(("Event", "Stops the drip", "What to do", "From"), map(_event_row, terms().values()))


def _event_row(term: Term) -> tuple[str, ...]:
    stops = ("yes" if term.stops else "no") + (", our choice" if term.is_our_choice else "")
    return term.words, stops, term.management, _cited(term.source)


def _from(is_our_choice: bool, fact_id: str, source: Source) -> str:
    return f"{'our choice, beside ' if is_our_choice else ''}{fact_id} {_cited(source)}"


def _cited(source: Source) -> str:
    return f"{source.name} <{source.url}>{' †' if source.mark else ''}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for cells in (header, ("---",) * len(header), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(reference_page())
