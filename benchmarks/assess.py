"""How many forms a second the rules read on one core: varied answers from a seed, not one form repeated.

Prints a table for people and, last, one line of JSON: {"assess_per_second": ...}, which is the brief form.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from datetime import date

from rich.console import Console
from rich.table import Table

from reprieve.candidacy import BRIEF, QUESTIONS, Question, assess
from reprieve.candidacy.questions import INSTRUMENT_OF

SEED, FORMS, REPEATS = 20261122, 4000, 7
TODAY = date(2026, 11, 22)
MEDICINES = (
    "sertraline 50mg once daily",
    "Xanax 0.5",
    "propanolol 40 mg",
    "omeprazole",
    "lithium carbonate 400",
    "CBD oil",
)
FORMS_OF = {
    "brief form": ("brief",),
    "brief and pre-consultation": ("brief", "pre_consult"),
    "all three": ("brief", "pre_consult", "consult"),
}


COMMON = {"suicidal_thoughts_month": "none", "suicidal_behaviour": "never", "trauma_exposure": "yes"}
COMMON |= {"escort_available": "yes", "wants_contact": "yes"}


def an_answer(question: Question, chance: random.Random) -> object:
    """A plausible answer: half the people give the common one, the others any; some leave a blank."""
    if chance.random() < 0.04:
        return None
    match question.type:
        case "single":
            if question.id in COMMON and chance.random() < 0.5:
                return COMMON[question.id]
            return chance.choice(question.codes)
        case "multi":
            if "none" in question.codes and chance.random() < 0.5:
                return ["none"]
            return chance.sample([code for code in question.codes if code != "none"], chance.choice((1, 1, 1, 2, 3)))
        case "date":
            return date(chance.randint(1940, 2010), chance.randint(1, 12), chance.randint(1, 28)).isoformat()
        case "integer" | "number":
            return chance.randint(int(question.minimum or 0), int(question.maximum or 100))
        case "region":
            return chance.choice(("US-CT", "US-NY", "GB", "IE", "AU-NSW", "PT"))
        case "group":
            return {"name": "Bo", "phone": "555-0100", "safe_to_leave_message": "no", "best_time": "evening"}
        case "medicine_list":
            return chance.sample(MEDICINES, chance.randint(1, 3))
        case "instrument":
            items = INSTRUMENT_OF[question.id].required
            return [chance.randint(item.lowest, item.highest) for item in items]
        case "boolean":
            return chance.random() < 0.5
    return None


def forms(sections: tuple[str, ...]) -> list[dict[str, object]]:
    """Filled-in forms; a follow-up is left out as often as not."""
    chance = random.Random(SEED)
    asked = [question for question in QUESTIONS.values() if question.section in sections]
    made = []
    for _ in range(FORMS):
        answers = {
            question.id: an_answer(question, chance)
            for question in asked
            if question in BRIEF or not question.is_follow_up or chance.random() < 0.5
        }
        made.append({name: answer for name, answer in answers.items() if answer is not None})
    return made


def per_second(filled_in: list[dict[str, object]]) -> list[float]:
    """Forms a second of processor time in each repeat, after one warm-up; other work on the machine does not count."""
    rates = []
    for _ in range(REPEATS + 1):
        start = time.process_time()
        for answers in filled_in:
            assess(answers, TODAY)
        rates.append(len(filled_in) / (time.process_time() - start))
    return rates[1:]


def main() -> None:
    table = Table(title=f"assess(), a second of one core, {FORMS} different forms, median of {REPEATS} repeats")
    for heading in ("answers", "a second", "slowest", "fastest", "findings a form", "unknown a form"):
        table.add_column(heading, justify="left" if heading == "answers" else "right")
    medians = {}
    for name, sections in FORMS_OF.items():
        filled_in = forms(sections)
        rates = per_second(filled_in)
        medians[name] = statistics.median(rates)
        results = [assess(answers, TODAY) for answers in filled_in]
        table.add_row(
            name,
            *(f"{rate:,.0f}" for rate in (medians[name], min(rates), max(rates))),
            f"{statistics.mean(len(result.findings) for result in results):.1f}",
            f"{statistics.mean(len(result.unknown) for result in results):.1f}",
        )
    Console().print(table)
    print(json.dumps({"assess_per_second": round(medians["brief form"])}))


if __name__ == "__main__":
    main()
