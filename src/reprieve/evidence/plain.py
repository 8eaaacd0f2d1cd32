"""What is known, in plain words: each sentence made from rows, and each naming the rows it was made from.

``statements.csv`` holds the sentences; the figures in them are computed here. A sentence without a figure is the plain
form of the rows it names, and holds no number that they do not hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from scipy.special import ndtr

from reprieve.evidence.answer import Answer, answer
from reprieve.evidence.harms import Seen, harms_of, unknown_harms
from reprieve.evidence.network import FAMILIES, network
from reprieve.evidence.proportions import exact_interval
from reprieve.evidence.question import Question
from reprieve.evidence.rows import Guideline, Harm, Outcome, Study
from reprieve.evidence.tables import Evidence, tables
from reprieve.evidence.trial import DIRECTION_ONLY, POOLED
from reprieve.sources import read_table

SMALL = 0.2
VERDICTS = {"not_significant": "did no better than", "favours_a": "did better than", "favours_b": "did worse than"}
SAYS = {
    "strong for": "says to try",
    "weak for": "suggests",
    "conditional for": "suggests",
    "weak against": "suggests not using",
    "strong against": "says not to use",
    "neither": "has no view on",
    "not addressed": "does not speak of",
    "insufficient": "finds too little proof on",
}
PEOPLE_WORDS = {"veterans": "veterans and service members", "civilians": "people", "mixed": "people", "": "people"}

Row = Outcome | Harm | Guideline | Study
Figure = tuple[dict[str, str], tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Cite:
    """A row that a sentence was made from: its name for a reader, and where to open it."""

    name: str
    row_id: str
    study_id: str
    mark: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that is known, and the rows that say so."""

    id: str
    text: str
    cites: tuple[Cite, ...]


def statements(*ids: str) -> list[Statement]:
    """The sentences with these ids, in this order, from the package's tables; one that has no rows left is dropped."""
    made = all_statements()
    return [made[name] for name in ids if name in made]


@cache
def all_statements() -> dict[str, Statement]:
    """Every sentence by its id."""
    return make(tables())


def make(evidence: Evidence) -> dict[str, Statement]:
    """Every sentence that these tables can fill.

    A sentence whose rows are gone is left out rather than shown with a hole.
    """
    made = {}
    for row in read_table(__package__, "statements.csv"):
        found = _filled(row, evidence)
        if found:
            values, rows = found
            text = row["text"].format(**values)
            made[row["id"]] = Statement(row["id"], text, tuple(dict.fromkeys(_cite(each, evidence) for each in rows)))
    return made


def _filled(row: dict[str, str], evidence: Evidence) -> Figure | None:
    if row["figure"]:
        return FIGURES[row["figure"]](evidence)
    known: dict[str, Row] = {**evidence.outcomes, **evidence.harms, **evidence.guidelines}
    rows = tuple(known[name] for name in row["rows"].split(";") if name in known)
    return ({}, rows) if rows else None


def _cite(row: Row, evidence: Evidence) -> Cite:
    if isinstance(row, Guideline):
        mark = row.source.mark or ("seen on another site, to be confirmed" if "secondary" in row.note else "")
        return Cite(row.source.name, row.id, "", mark)
    study = row if isinstance(row, Study) else evidence.studies[row.study_id]
    return Cite(study.name, row.id, study.id, row.source.mark)


# How a number is said


def scale(value: float) -> str:
    """An effect on the standard scale, as a reader sees it.

    >>> scale(0.2649), scale(-0.08), scale(-0.001)
    ('0.26', '-0.08', '0.00')
    """
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text


def better_than_middle(effect: float) -> int:
    """Of 100 treated people, how many end up better than the middle person of the untreated; 50 is no effect.

    Cohen's U3, for scores that are normal in both groups.

    >>> better_than_middle(0.0), better_than_middle(0.5)
    (50, 69)
    """
    return round(100 * float(ndtr(effect)))


def number_word(n: int) -> str:
    """A small number as a word.

    >>> number_word(0), number_word(3), number_word(12)
    ('no', 'three', '12')
    """
    return (
        ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", *"")[n]
        if n < 11
        else str(n)
    )


def trials(n: int) -> str:
    """A count of trials in words."""
    return f"{number_word(n)} trial{'' if n == 1 else 's'}"


# Figures


def _rows_of(found: Answer) -> tuple[Row, ...]:
    return tuple(row for use in (POOLED, DIRECTION_ONLY) for entry in found.used(use) for row in entry.rows)


def _asked(evidence: Evidence, **asked: str) -> Answer:
    return answer(Question(**asked), None if evidence is tables() else evidence)  # type: ignore[arg-type]


def _ketamine_trials(evidence: Evidence) -> list[Study]:
    """Randomised trials of ketamine with a result, the largest first."""
    found = [entry.study for window in ("24h", "1w", "end", "4w") for entry in _asked(evidence, window=window).entries]
    done = {study.id: study for study in found if study.is_randomised and not study.is_pending and not study.part_of}
    return sorted(done.values(), key=lambda study: -(study.n_randomised or 0))


def _largest(evidence: Evidence) -> tuple[Study, str, str, Outcome] | None:
    """The largest trial with a verdict at the end of a course: what it found, against what, and the row."""
    for study in _ketamine_trials(evidence):
        for entry in _asked(evidence, window="end").entries:
            if entry.study.id == study.id and entry.rows and entry.use in (POOLED, DIRECTION_ONLY):
                row = entry.rows[0]
                effect = entry.effect
                direction = row.direction
                if effect:
                    low, high = effect.interval()
                    direction = "favours_a" if low > 0 else "favours_b" if high < 0 else "not_significant"
                return study, direction, entry.against, row
    return None


def largest_trial(evidence: Evidence) -> Figure | None:
    """What the largest trial found, for PTSD and for mood."""
    found = _largest(evidence)
    if not found:
        return None
    study, direction, against, row = found
    mood = [r for r in evidence.outcomes_of(study.id) if evidence.measures[r.instrument].outcome == "depression"]
    better = [r for r in mood if r.direction == "favours_a" and not r.is_recalled]
    values = {
        "n": str(study.n_randomised),
        "people": PEOPLE_WORDS[study.people],
        "verdict": VERDICTS[direction],
        "control": _words(against, evidence),
        "mood": " Low mood did get better at the usual dose." if better else "",
    }
    return values, (row, *better)


def _words(treatment: str, evidence: Evidence) -> str:
    return next((t.words for t in evidence.treatments.values() if t.treatment == treatment), treatment)


def counted(evidence: Evidence) -> tuple[Study, Outcome, Outcome] | None:
    """The trial of a repeated course that counted responders in both groups."""
    for entry in _asked(evidence, outcome="response", window="end").used(POOLED):
        return entry.study, entry.rows[0], entry.rows[1]
    return None


def size_word(study: Study) -> str:
    """Whether a trial is small."""
    return "small" if (study.n_randomised or 0) < 100 else "larger"


def trial_with_counts(evidence: Evidence) -> Figure | None:
    """How many of 100 got better in each group of that trial."""
    found = counted(evidence)
    if not found:
        return None
    study, treated, control = found
    given = evidence.treatment_of(study.id, control.arm_id)
    drop = re.search(r"at least (\d+) percent", treated.note)
    if not (drop and given and treated.n and control.n and treated.day):
        return None
    values = {
        "size": size_word(study),
        "n": str(study.n_randomised),
        "weeks": f"{treated.day / 7:.0f}",
        "drop": drop[1],
        "share": f"{100 * (treated.events or 0) / treated.n:.0f}",
        "control": given.words,
        "control_share": f"{100 * (control.events or 0) / control.n:.0f}",
    }
    return values, (treated, control)


def fading(evidence: Evidence) -> Figure | None:
    """The median time until responders of that trial had lost the gain."""
    found = counted(evidence)
    rows = evidence.outcomes_of(found[0].id) if found else []
    for row in rows:
        if row.kind == "median_days_to_loss_of_response" and row.value and not row.is_recalled:
            return {"days": f"{row.value:g}", "weeks": f"{row.value / 7:.0f}"}, (row,)
    return None


def short_answer(evidence: Evidence) -> Figure | None:
    """The answer in two sentences: whether some were helped, and what the largest trial found."""
    largest, lasts = _largest(evidence), fading(evidence)
    if not largest:
        return None
    helped = [
        entry
        for window in ("24h", "1w", "end")
        for entry in _asked(evidence, window=window).used(POOLED)
        if entry.effect and entry.effect.interval()[0] > 0
    ]
    first = "For some people it may" if helped else "There is no good sign that it does"
    time = ", for a short time" if helped and lasts else ""
    found = {
        "not_significant": "The largest trial found no gain for PTSD.",
        "favours_a": "The largest trial found a gain for PTSD.",
        "favours_b": "In the largest trial people did worse.",
    }[largest[1]]
    rows = (*(row for entry in helped for row in entry.rows), *(lasts[1] if lasts else ()), largest[3])
    return {"answer": f"{first}{time}. {found}"}, rows


def agreement(evidence: Evidence) -> Figure | None:
    """Whether the trials agree."""
    counted: dict[str, set[str]] = {"for": set(), "not": set()}
    rows: list[Row] = []
    for window in ("24h", "1w", "end", "4w"):
        found = _asked(evidence, window=window)
        for entry in (*found.used(POOLED), *found.used(DIRECTION_ONLY)):
            low = entry.effect.interval()[0] if entry.effect else entry.direction.low if entry.direction else 0
            counted["for" if low > 0 else "not"].add(entry.study.id)
            rows += entry.rows
    both = bool(counted["for"]) and bool(counted["not"])
    total = len(counted["for"] | counted["not"])
    so = "and they do not agree" if both else "and they agree"
    words = f"Not much yet: {trials(total)} with a result we can use, {so}. Here is what each one found."
    return {"agreement": words}, tuple(dict.fromkeys(rows))


def together(found: Answer, when: str) -> Figure:
    """A window's trials in words: how many give a number, what they come to with the others counted."""
    numbers, directions = found.used(POOLED), found.used(DIRECTION_ONLY)
    if not numbers and not directions:
        return {"text": f"{when}: no trial we can use has measured it. We do not know."}, _mentioned(found)
    total = len(numbers) + len(directions)
    text = f"{when}: {trials(total)}. "
    if not numbers:
        return {"text": f"{text}{_directions_in_words(found)} That is too little to say how much."}, _rows_of(found)
    if directions:
        text += f"Only {number_word(len(numbers))} of them give{'s' if len(numbers) == 1 else ''} a number. "
    belief = found.belief
    if belief is None:
        return {"text": f"{text}{_ratio_in_words(found)}"}, _rows_of(found)
    of_100 = better_than_middle(belief.median)
    low, high = better_than_middle(belief.ci_low), better_than_middle(belief.ci_high)
    text += (
        f"Put together with care, of 100 people who had it, {of_100} did better than the middle person who did not "
        f"(likely {low} to {high}; 50 means no effect)."
    )
    return {"text": text}, _rows_of(found)


def _ratio_in_words(found: Answer) -> str:
    """How many times as often it happened with the treatment, from the trials with a number."""
    pooled = found.pooled
    assert pooled is not None
    times, low, high = (f"{math.exp(end):.1f}" for end in (pooled.estimate, pooled.ci_low, pooled.ci_high))
    return f"With it, that was {times} times as common as with the control (likely {low} to {high}; 1 means no effect)."


def _directions_in_words(found: Answer) -> str:
    """How many of the trials without a number found a difference."""
    better = sum(direction.low > 0 for direction in found.directions)
    worse = sum(direction.high < 0 for direction in found.directions)
    unclear = len(found.directions) - better - worse
    counted = ((better, "found a gain"), (worse, "found harm"), (unclear, "found no clear difference"))
    said = [f"{number_word(n)} {what}" for n, what in counted if n]
    return f"{', and '.join(said).capitalize()}."


def _mentioned(found: Answer) -> tuple[Row, ...]:
    return tuple(entry.study for entry in found.entries if entry.study.is_randomised and not entry.study.is_pending)


def _window(evidence: Evidence, window: str, when: str, name: str) -> Figure | None:
    text, rows = together(_asked(evidence, window=window), when)
    return {name: text["text"]}, rows


def day_one(evidence: Evidence) -> Figure | None:
    """One day after the first dose."""
    return _window(evidence, "24h", "After one day", "day_one")


def end_of_course(evidence: Evidence) -> Figure | None:
    """At the end of a course of several doses."""
    return _window(evidence, "end", "After a full course", "end")


def four_weeks_after(evidence: Evidence) -> Figure | None:
    """About four weeks after the last dose."""
    return _window(evidence, "4w", "Four weeks after the last dose", "later")


def review(evidence: Evidence) -> Figure | None:
    """What the newest review that pooled ketamine trials found, before and after allowing for small trials."""
    rows = [
        row
        for row in evidence.outcomes.values()
        if row.kind == "hedges_g" and row.arm_a == "ketamine" and not row.is_recalled and row.value is not None
    ]
    whole = next((row for row in rows if row.analysis == "all_times"), None)
    fair = next((row for row in rows if row.analysis == "bias_adjusted"), None)
    if not whole or not fair:
        return None
    gain, fair_gain = favouring(whole), favouring(fair)
    values = {
        "k": number_word(whole.k_studies or 0),
        "n": str(whole.n),
        "gain": scale(gain[0]),
        "low": scale(gain[1]),
        "high": scale(gain[2]),
        "fair": scale(fair_gain[0]),
        "fair_low": scale(fair_gain[1]),
        "fair_high": scale(fair_gain[2]),
        "reading": "So it may be none at all." if fair_gain[1] <= 0 else "So a gain is likely.",
    }
    return values, (whole, fair)


def favouring(row: Outcome) -> tuple[float, float, float]:
    """A printed effect with its interval, turned so that positive favours arm_a."""
    sign = -1 if row.higher_is_worse else 1
    ends = sorted(sign * (end if end is not None else float("nan")) for end in (row.ci_low, row.ci_high))
    return sign * (row.value or 0), ends[0], ends[1]


def head_to_head(evidence: Evidence) -> Figure | None:
    """Trials that put ketamine against a first-line treatment."""
    graph = network(evidence)
    therapy = graph.between(FAMILIES["ketamine"], FAMILIES["trauma-focused therapy"])
    drugs = graph.between(FAMILIES["ketamine"], FAMILIES["SSRIs and venlafaxine"])
    looked = _ketamine_trials(evidence)
    if therapy or drugs:
        words = f"Ketamine met a first treatment head to head in {trials(len({*therapy, *drugs}))}."
        return {"contest": words}, (*therapy, *drugs)
    words = (
        f"Of {trials(len(looked))} of ketamine that we found, none tested it against talk therapy for trauma, "
        "and none against sertraline or drugs like it. So nobody can say that it works better."
    )
    return {"contest": words}, tuple(looked)


def pending(evidence: Evidence) -> Figure | None:
    """Trials that are registered and have not reported."""
    waiting = [study for study in evidence.studies.values() if study.is_pending]
    if not waiting:
        return None
    many = f"{number_word(len(waiting)).capitalize()} more trials are" if len(waiting) > 1 else "One more trial is"
    words = f"{many} under way, or done and not yet told."
    return {"pending": words}, tuple(waiting)


def uncounted(evidence: Evidence) -> Figure | None:
    """Grave and late harms that were named, and how many of them anybody counted in people treated for PTSD."""
    named = unknown_harms(evidence)
    if not named:
        return None
    rates = [seen for seen in named if seen.harm.in_ptsd and seen.harm.events is not None and (seen.harm.n or 0) > 1]
    words = (
        f"We found {number_word(len(named))} notes of grave or late harm. "
        f"{number_word(len(rates)).capitalize() if rates else 'None'} of them tell{'s' if len(rates) < 2 else ''} "
        "how often it happens to people treated for PTSD."
    )
    return {"uncounted": words}, tuple(seen.harm for seen in named)


def _guideline(body: str, topic: str) -> Callable[[Evidence], Figure | None]:
    def figure(evidence: Evidence) -> Figure | None:
        rows = [g for g in evidence.guidelines.values() if g.body == body and g.topic == topic]
        newest = max(rows, key=lambda row: row.year, default=None)
        return ({"says": SAYS[newest.strength]}, (newest,)) if newest and newest.strength in SAYS else None

    return figure


def therapy(evidence: Evidence) -> Figure | None:
    """How many more of 100 lost the diagnosis with exposure therapy."""
    for row in evidence.outcomes.values():
        is_it = row.kind == "risk_difference" and row.instrument == "loss of diagnosis"
        if is_it and row.value is not None and row.arm_a == "exposure-based therapy" and not row.is_recalled:
            values = {
                "control": _words("waiting list", evidence),
                "trials": number_word(row.k_studies or 0),
                "n": str(row.n),
                "more": f"{100 * row.value:.0f}",
            }
            return values, (row,)
    return None


def therapy_against_talk(evidence: Evidence) -> Figure | None:
    """The same therapies against other talk therapy, on the standard scale."""
    for row in evidence.outcomes.values():
        if (
            row.arm_a == "trauma-focused therapy"
            and row.arm_b == "non-trauma-focused therapy"
            and row.value is not None
        ):
            return {"against_talk": scale(-row.value if row.higher_is_worse else row.value)}, (row,)
    return None


def ssri(evidence: Evidence) -> Figure | None:
    """The newest pooled effect of the class against a dummy pill, on the standard scale."""
    rows = [
        row
        for row in evidence.outcomes.values()
        if row.kind == "smd" and row.arm_a == "SSRI class" and not row.is_recalled and row.ci_high is not None
    ]
    if not rows:
        return None
    newest = max(rows, key=lambda row: evidence.studies[row.study_id].year or 0)
    gain, low, high = favouring(newest)
    return {"gain": scale(gain), "low": scale(low), "high": scale(high)}, (newest,)


def spray(evidence: Evidence) -> Figure | None:
    """Four common harms of esketamine of 100 people, beside the control spray."""
    names = {
        "dissociation": "dissociation",
        "dizziness": "dizziness",
        "nausea": "nausea",
        "pressure": "blood pressure increased",
    }
    values: dict[str, str] = {}
    rows: list[Row] = []
    for key, event in names.items():
        seen = next((row for row in _seen(event, evidence) if row.control), None)
        if seen is None or seen.control is None or not seen.share or not seen.control.share:
            return None
        values |= {key: f"{seen.share.low:.0f}", f"control_{key}": f"{seen.control.share.low:.0f}"}
        rows += [seen.harm, seen.control]
    return values, tuple(rows)


def spray_sleepy(evidence: Evidence) -> Figure | None:
    """How many were sleepy after esketamine, with the exact interval of that share, beside the control spray."""
    for row in _seen("sedation", evidence):
        if row.control and row.has_counts and row.control.share:
            low, high = exact_interval(row.harm.events or 0, row.harm.n or 0)
            values = {
                "share": f"{100 * (row.harm.events or 0) / (row.harm.n or 1):.0f}",
                "low": f"{100 * low:.0f}",
                "high": f"{100 * high:.0f}",
                "control_share": f"{row.control.share.low:.0f}",
            }
            return values, (row.harm, row.control)
    return None


def spray_passed_out(evidence: Evidence) -> Figure | None:
    """How many of a thousand lost consciousness after esketamine."""
    for row in unknown_harms(evidence):
        if row.treatment == "esketamine" and row.harm.event == "loss of consciousness" and row.share:
            return {"per_thousand": number_word(round(10 * row.share.high))}, (row.harm,)
    return None


def _seen(event: str, evidence: Evidence) -> list[Seen]:
    """Rows of one event under esketamine."""
    return [row for s in harms_of(("esketamine",), evidence=evidence) for row in s.rows if row.harm.event == event]


def drop_out(evidence: Evidence) -> Figure | None:
    """People with PTSD who stopped a ketamine trial early, pooled."""
    for summary in harms_of(("ketamine",), evidence=evidence):
        if summary.name == "drop-out" and summary.pooled:
            values = {
                "share": f"{100 * summary.pooled.proportion:.0f}",
                "low": f"{100 * summary.pooled.ci_low:.0f}",
                "high": f"{100 * summary.pooled.ci_high:.0f}",
            }
            return values, tuple(row.harm for row in summary.rows if not row.why_not_pooled)
    return None


FIGURES: dict[str, Callable[[Evidence], Figure | None]] = {
    "short_answer": short_answer,
    "agreement": agreement,
    "largest_trial": largest_trial,
    "trial_with_counts": trial_with_counts,
    "fading": fading,
    "day_one": day_one,
    "end_of_course": end_of_course,
    "four_weeks_after": four_weeks_after,
    "review": review,
    "head_to_head": head_to_head,
    "pending": pending,
    "uncounted": uncounted,
    "guideline_therapy": _guideline("VA/DoD", "psychotherapy versus drugs"),
    "guideline_sertraline": _guideline("VA/DoD", "sertraline"),
    "guideline_venlafaxine": _guideline("VA/DoD", "venlafaxine"),
    "guideline_ketamine": _guideline("VA/DoD", "ketamine"),
    "therapy": therapy,
    "therapy_against_talk": therapy_against_talk,
    "ssri": ssri,
    "spray": spray,
    "spray_sleepy": spray_sleepy,
    "spray_passed_out": spray_passed_out,
    "drop_out": drop_out,
}
