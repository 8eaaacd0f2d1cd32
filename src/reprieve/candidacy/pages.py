"""The reference pages of the criteria and the questions, drawn from their tables.

``python -m reprieve.candidacy.pages criteria > docs/reference/criteria.md`` writes one anew; ``questions`` the other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from reprieve.candidacy.assess import assess
from reprieve.candidacy.criteria import CRITERIA, RULE_SET_VERSION, Category, Criterion
from reprieve.candidacy.derived import DERIVED
from reprieve.candidacy.medicines import INTERACTIONS, LEVELS, Interaction
from reprieve.candidacy.questions import INSTRUMENT_OF, QUESTIONS, SECTIONS, Question
from reprieve.sources import Source

CRITERIA_OPENING = f"""\
# Criteria

This page is drawn from the tables in `src/reprieve/candidacy`. After a change there, write it anew with
`python -m reprieve.candidacy.pages criteria > docs/reference/criteria.md`. Rule set {RULE_SET_VERSION}.

No clinician has signed these rules. A dagger (†) marks what is from memory and not yet checked. The rules themselves
are a design built on the sources; the sources do not state them in this form.

## How a rule is read

- A rule uses names of answers (see [questions](questions.md)), constants, `== != < <= > >= in not and or`, and
  `given(name, default)`, which puts the default in the place of an answer that is missing. `country_region[:2]` is the
  country. `'DDI-08' in interaction_levels` holds when a listed medicine belongs to that interaction.
- A rule is true, false or unknown. A missing answer makes a comparison unknown; `and` and `or` follow Kleene. Unknown
  never fires and never reads as false: it is listed, with what a blank means there.
- In a tick list, an option that is not ticked is false only when the list was answered without "not sure" and "rather
  not say". In a single choice both are unknown, unless the comparison names them.
- A medicine line that was not recognised leaves every interaction that was not hit unknown.
- A question that was not asked because its condition is false holds `not_applicable`, which is an answer.
- A finding that a clinician rules out, with a reason, stays visible and no longer counts for the disposition. An urgent
  finding cannot be ruled out.
- Disposition: the gravest category that fires, in the order urgent, exclude until reviewed, not indicated, caution;
  `consider` when none fires. It is for the clinician, who decides; the person is never shown it.
"""
CATEGORY_NOTES = {
    Category.URGENT: "A person acts now. Never stood down by a form answer.",
    Category.EXCLUDE_UNTIL_REVIEWED: "Never a final no: a clinician looks first.",
    Category.NOT_INDICATED: "The answers do not point to PTSD.",
    Category.CAUTION: "To go through together.",
    Category.SUPPORTS: "Never shortens the time to answer, never means that somebody qualifies.",
}
QUESTIONS_OPENING = """\
# Questions

This page is drawn from `questions.csv` and `derived_answers.csv` in `src/reprieve/candidacy`. After a change there,
write it anew with `python -m reprieve.candidacy.pages questions > docs/reference/questions.md`.

The wording is our own. The suicide questions of the brief form are not the C-SSRS. `reprieve screen --schema` prints a
JSON Schema of the answers.

## How answers are written

One JSON object by question id; `null`, an empty list or absence is a blank. A required question left blank is asked
once more, then the blank is accepted.

| type | written as |
| --- | --- |
| single | the code of the option |
| multi | a list of codes |
| date | `YYYY-MM-DD` |
| integer, number | a number in the range given |
| region | `US-CT`, or `GB` alone |
| group | an object with `name`, `phone`, `email`, `phone_or_email`, `safe_to_leave_message` (yes, no), `best_time` |
| medicine_list | a list of lines as typed; `["none"]` for no medicines |
| instrument | a list in item order with `null` for a blank; numbers, or `"yes"` and `"no"` |
| boolean | `true` or `false` |
| criterion_list | a list of objects with `criterion_id` and `reason` |

A follow-up question that was not asked may hold `"not_applicable"`; `assess` also works that out by itself.
"""
EXAMPLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("A plan in the past month", {"suicidal_thoughts_month": "plan", "today": "2026-11-22"}),
    ("A blank form", {"today": "2026-11-22"}),
    (
        "A medicine list with a slip of the pen and a line that nobody knows",
        {"medicine_list": ["Nardyl 15 mg", "calm drops"], "today": "2026-11-22"},
    ),
    ("A misspelt question: reported, not used", {"suicidal_thought_month": "none", "today": "2026-11-22"}),
)


def criteria_page() -> str:
    """The criteria, a table for each category, and the interactions, as Markdown."""
    sections = [_category(category) for category in sorted(Category, reverse=True)]
    return "\n".join([CRITERIA_OPENING, *(line for section in sections for line in section), *_interactions()])


def questions_page() -> str:
    """The questions, the derived answers and examples as Markdown."""
    lines = [QUESTIONS_OPENING]
    for section in SECTIONS:
        lines.append(f"## {section.replace('_', '-').capitalize()}\n")
        asked = [question for question in QUESTIONS.values() if question.section == section]
        lines += _table(("id", "type", "question", "answers", "asked", "why"), map(_question_row, asked))
    lines.append("## Derived answers\n\nComputed from the answers; one that is given by name stands.\n")
    lines += _table(
        ("id", "type", "rule", "from"),
        ((f"`{found.id}`", found.type, found.rule, ", ".join(found.needs)) for found in DERIVED.values()),
    )
    return "\n".join([*lines, *_examples()])


def _category(category: Category) -> Iterator[str]:
    criteria = [criterion for criterion in CRITERIA.values() if criterion.category is category]
    yield f"## {category.code.replace('_', ' ').capitalize()} ({len(criteria)})\n"
    yield CATEGORY_NOTES[category] + "\n"
    heads = ("id", "condition", "fires when", "first known at", "team", "answer within", "a blank means", "source")
    yield from _table(heads, map(_criterion_row, criteria))


def _criterion_row(criterion: Criterion) -> tuple[str, ...]:
    return (
        criterion.id,
        criterion.condition,
        f"`{criterion.rule.text}`" + (f" {criterion.note}" if criterion.note else ""),
        _words(criterion.first_decidable_at),
        criterion.action,
        _words(criterion.respond_within),
        _words(criterion.blank_means),
        f"{_cited(criterion.source)}. Agreement: {criterion.agreement}",
    )


def _interactions() -> Iterator[str]:
    yield "## Interactions of medicines\n"
    yield "A level reaches the disposition only through the criteria named. Notes and holds are shown on the card.\n"
    heads = ("id", "level", "medicines", "what may happen", "team", "strength", "criteria", "source")
    gravest_first = sorted(INTERACTIONS.values(), key=lambda found: -LEVELS.index(found.level))
    yield from _table(heads, map(_interaction_row, gravest_first))


def _interaction_row(found: Interaction) -> tuple[str, ...]:
    return (
        found.id,
        _words(found.level),
        f"{found.drug_or_class}: {', '.join(found.ingredients)}",
        found.consequence,
        found.action,
        found.strength,
        ", ".join(found.criteria),
        _cited(found.source),
    )


def _question_row(question: Question) -> tuple[str, ...]:
    asked = f"when `{question.asked_when}`" if question.asked_when else "always"
    return (
        f"`{question.id}`",
        question.type,
        question.wording,
        _answers(question),
        asked + ("" if question.required else ", may be skipped"),
        question.why,
    )


def _answers(question: Question) -> str:
    if question.minimum is not None:
        return f"{question.minimum:g} to {question.maximum:g} {question.unit}".rstrip()
    if question.type == "instrument":
        return f"the items of [{INSTRUMENT_OF[question.id].id}](instruments.md)"
    return "; ".join(f"`{code}` {label}" for code, label in question.options)


def _examples() -> Iterator[str]:
    yield "## Examples\n"
    yield "Each is one line of a file for `reprieve screen FILE --json`. `today` is the day ages are counted on.\n"
    for title, example in EXAMPLES:
        answers = dict(example)
        result = assess(answers, date.fromisoformat(answers.pop("today")))
        yield f"{title}:\n\n```json\n{json.dumps(example)}\n```\n"
        yield from _table(
            ("field", "value"),
            (
                ("`disposition`", result.disposition),
                ("`respond_within`", result.respond_within),
                ("`findings`", ", ".join(finding.criterion_id for finding in result.findings)),
                ("`unrecognised_medicines`", ", ".join(result.unrecognised_medicines)),
                ("`unknown_names`", ", ".join(result.unknown_names)),
            ),
        )


def _cited(source: Source) -> str:
    return f"{source.name} <{source.url}>{' †' if source.mark else ''}"


def _words(code: str) -> str:
    return code.replace("_", " ")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(heads)
    yield _row(("---",) * len(heads))
    for row in rows:
        yield _row(row)
    yield ""


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


PAGES = {"criteria": criteria_page, "questions": questions_page}

if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
