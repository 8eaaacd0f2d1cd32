"""The short forms that a person fills in behind a private link: what is asked, in which order, and what may not wait.

Pure values, no database. The prompts come from the instruments' tables, the side effects from the terms that sessions
use, and the question about safety from the brief form's table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from reprieve import instruments
from reprieve.candidacy.criteria import CRITERIA
from reprieve.candidacy.questions import QUESTIONS
from reprieve.instruments import Instrument, Item
from reprieve.sources import read_table
from reprieve.treatment.adverse import terms
from reprieve.web.deadlines import Urgency

SIDE_EFFECTS, PCL_5, PHQ_9, CAPS_5 = "side effects", "PCL-5", "PHQ-9", "CAPS-5"
BY_THE_PERSON = (PCL_5, PHQ_9, SIDE_EFFECTS)  # the others are interviews
QUESTIONS_ON_A_PAGE = 5
SAFETY = "suicidal_thoughts_month"  # the id of the question about safety, here as in the brief form
ITEM_9 = "9"  # of the PHQ-9
SEVERITY = ("No", "A little", "It got in my way", "Very bad")
LEADS = {
    PCL_5: "How much has each of these troubled you in the past {period}?",
    PHQ_9: "How often has each of these troubled you in the past 2 weeks?",
    SIDE_EFFECTS: "Since your last visit, have you had any of these?",
}
LEAD_ALONE = "How often has this troubled you in the past 2 weeks?"
TITLES = {PCL_5: "How you have been", PHQ_9: "Your mood", SIDE_EFFECTS: "Side effects", CAPS_5: "Interview"}
ASKED_TERMS = (
    "dissociation", "trauma_memories", "anxiety", "nausea", "dizziness", "headache", "sleepiness", "blurred_vision",
    "confusion", "bladder", "craving",
)  # fmt: skip
STOPPING = ("bladder", "craving")  # the sessions ask about the others
CRITERION_OF = {  # which criterion an answer about safety meets, and so how soon somebody must call
    "wish_dead": "CAU-01",
    "thoughts": "CAU-01",
    "method": "URG-09",
    "intent": "URG-01",
    "plan": "URG-01",
    "prefer_not_to_say": "CAU-04",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: its id in the answers, its words, and its answers from the least to the most."""

    id: str
    words: str
    choices: tuple[tuple[str, str], ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class ShortForm:
    """A whole short form. ``wording`` says whose words they are."""

    instrument: str
    title: str
    lead: str
    questions: tuple[Asked, ...]
    wording: str

    def pages(self, answers: Mapping[str, Any]) -> list[tuple[Asked, ...]]:
        """The questions page by page; what is about safety has a page of its own, so that help can be shown at once.

        After thoughts of death, or a blank where they are asked about, the question about safety follows.

        >>> [len(page) for page in form_for("PHQ-9").pages({})], [len(page) for page in form_for("PCL-5").pages({})]
        ([4, 4, 1], [5, 5, 5, 5])
        >>> form_for("PHQ-9").pages({"9": 1})[-1][0].id
        'suicidal_thoughts_month'
        """
        pages = _evenly([question for question in self.questions if not _is_about_safety(self.instrument, question)])
        pages += [(question,) for question in self.questions if _is_about_safety(self.instrument, question)]
        if self.instrument == PHQ_9 and ITEM_9 in answers and answers[ITEM_9] != 0:
            pages.append((_safety_question(),))
        return pages


def _evenly(questions: Sequence[Asked]) -> list[tuple[Asked, ...]]:
    pages = -(-len(questions) // QUESTIONS_ON_A_PAGE)
    edges = [round(number * len(questions) / pages) for number in range(pages + 1)]
    return [tuple(questions[start:end]) for start, end in pairwise(edges)]


def _is_about_safety(instrument: str, question: Asked) -> bool:
    return question.id == SAFETY or (instrument == PHQ_9 and question.id == ITEM_9)


def form_for(instrument: str, period: str = "month") -> ShortForm:
    """The short form of an instrument; ``period`` is what the PCL-5 looks back on, "week" or "month"."""
    if instrument == SIDE_EFFECTS:
        choices = tuple((str(number), words) for number, words in enumerate(SEVERITY))
        asked = [Asked(code, terms()[code].words, choices) for code in ASKED_TERMS]
        questions, wording = (*asked, _safety_question()), "our own words"
    else:
        found = instruments.find(instrument)
        questions, wording = tuple(_asked(found, item) for item in found.scored), found.wording
    return ShortForm(instrument, TITLES[instrument], LEADS[instrument].format(period=period), questions, wording)


def _asked(instrument: Instrument, item: Item) -> Asked:
    words = choice_words(instrument, item)
    numbers = range(item.lowest, item.highest + 1)
    lead = LEAD_ALONE if instrument.id == PHQ_9 and item.number == ITEM_9 else ""
    return Asked(item.number, item.prompt, tuple(zip(map(str, numbers), words, strict=True)), lead)


def choice_words(instrument: Instrument, item: Item) -> tuple[str, ...]:
    """What each answer of an item is called, from the lowest: the imported official words, else our own."""
    table = _choice_table()
    return tuple(item.choices or table.get((instrument.id, item.number)) or table[instrument.id, ""])


@cache
def _choice_table() -> dict[tuple[str, str], tuple[str, ...]]:
    rows = read_table(__package__, "instrument_choices.csv")
    return {(row["instrument"], row["item"]): tuple(row["choices"].split("|")) for row in rows}


def _safety_question() -> Asked:
    question = QUESTIONS[SAFETY]
    options = tuple(option for option in question.options if option[0] != "prefer_not_to_say")
    return Asked(SAFETY, question.wording, options, question.help)


def how_soon(instrument: str, answers: Mapping[str, Any], finished: bool) -> Urgency | None:
    """How soon somebody must call because of these answers; None when nothing asks for it.

    A question about safety that was left blank counts as well, once the form is finished.

    >>> how_soon("PHQ-9", {"9": 1}, finished=False).label, how_soon("PHQ-9", {"9": 0}, finished=True)
    ('Same day', None)
    >>> how_soon("PHQ-9", {"9": 1, "suicidal_thoughts_month": "plan"}, finished=False).label
    'Urgent'
    >>> how_soon("side effects", {"suicidal_thoughts_month": None}, finished=True).label
    'Same day'
    """
    met = []
    if instrument == PHQ_9 and (answers.get(ITEM_9) or 0) >= 1:
        met.append("URG-03")
    if instrument == PHQ_9 and finished and answers.get(ITEM_9) is None and answers.get(SAFETY) is None:
        met.append("CAU-04")
    if instrument == SIDE_EFFECTS and finished and answers.get(SAFETY) is None:
        met.append("CAU-04")
    if answers.get(SAFETY) not in (None, "none"):
        met.append(CRITERION_OF[answers[SAFETY]])
    return min((Urgency.of(CRITERIA[name].respond_within) for name in met), default=None)


def reasons_to_stop(instrument: str, answers: Mapping[str, Any]) -> list[str]:
    """Side effects that ask whether the course goes on (pathway.md 6), and what to do; empty when none was told.

    >>> reasons_to_stop("side effects", {"bladder": 1, "nausea": 3})
    ['Bladder pain or urgency: a little. Stop; urine tests.']
    """
    if instrument != SIDE_EFFECTS:
        return []
    told = [(terms()[code], answers.get(code) or 0) for code in STOPPING]
    return [f"{term.words}: {SEVERITY[level].lower()}. {term.management}." for term, level in told if level]


def total_of(instrument: str, answers: Mapping[str, Any]) -> tuple[int, int] | None:
    """Lowest and highest total that the answers allow; None for side effects, which have none.

    >>> total_of("PHQ-9", {str(item): 1 for item in range(1, 9)})
    (8, 11)
    >>> total_of("CAPS-5", {"B": 12, "C": 5, "D": 14, "E": None})
    (31, 55)
    """
    if instrument == SIDE_EFFECTS:
        return None
    if instrument == CAPS_5:
        tops = cluster_tops()
        given = {cluster: answers.get(cluster) for cluster in tops}
        low = sum(value or 0 for value in given.values())
        return low, low + sum(tops[cluster] for cluster, value in given.items() if value is None)
    found = instruments.find(instrument)
    numbers = {item.number for item in found.items}
    return instruments.score(found, {name: value for name, value in answers.items() if name in numbers}).total_range


def cluster_tops() -> dict[str, int]:
    """The highest sum of each cluster of the CAPS-5.

    >>> cluster_tops()
    {'B': 20, 'C': 8, 'D': 28, 'E': 24}
    """
    tops: dict[str, int] = {}
    for item in instruments.find(CAPS_5).scored:
        tops[item.criterion[0]] = tops.get(item.criterion[0], 0) + item.highest
    return tops
