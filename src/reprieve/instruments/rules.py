"""The rules that read more than a sum off the answers: patterns, tiers and algorithms.

A blank is neither yes nor no, so a rule has three values: True, False, and None where the blanks could turn it
either way.
"""

from __future__ import annotations

from collections.abc import Iterable

from reprieve.instruments.instrument import Answers, Findings, Reading

DSM5_CLUSTERS = {
    "B": ("1", "2", "3", "4", "5"),
    "C": ("6", "7"),
    "D": ("8", "9", "10", "11", "12", "13", "14"),
    "E": ("15", "16", "17", "18", "19", "20"),
}
DSM5_NEEDS = {"B": 1, "C": 1, "D": 2, "E": 2}  # symptoms present in each cluster
PRESENT = 2  # a symptom rated 2 or more is present

ITQ_PTSD = (("P1", "P2"), ("P3", "P4"), ("P5", "P6"), ("P7", "P8", "P9"))  # three clusters, then impairment
ITQ_DSO = (("C1", "C2"), ("C3", "C4"), ("C5", "C6"), ("C7", "C8", "C9"))  # disturbances in self-organisation

WORDS = {True: "met", False: "not_met", None: "undetermined"}


def enough(answers: Answers, numbers: Iterable[str], need: int = 1) -> bool | None:
    """Whether at least ``need`` of the items are present; None when blanks decide it.

    >>> enough({"6": 3, "7": None}, ("6", "7")), enough({"6": 1, "7": None}, ("6", "7"))
    (True, None)
    """
    given = [answers.get(number) for number in numbers]
    present = sum(answer is not None and answer >= PRESENT for answer in given)
    if present >= need:
        return True
    return None if present + given.count(None) >= need else False


def every(values: Iterable[bool | None]) -> bool | None:
    """True when all are, False when any is not, None otherwise."""
    seen = set(values)
    if False in seen:
        return False
    return None if None in seen else True


def dsm5_pattern(answers: Answers) -> bool | None:
    """Symptoms present: at least 1 of B, 1 of C, 2 of D and 2 of E."""
    return every(enough(answers, DSM5_CLUSTERS[cluster], need) for cluster, need in DSM5_NEEDS.items())


def pcl5(reading: Reading) -> Findings:
    """The cluster rule beside the cut point; where they disagree a clinician decides."""
    pattern = dsm5_pattern(reading.answers)
    by_total = {"at_or_above": True, "below": False}.get(reading.verdicts["platform"])
    agree = "undetermined" if pattern is None or by_total is None else "yes" if pattern == by_total else "no"
    notes = ("The total and the pattern of symptoms disagree: a clinician has to look.",) if agree == "no" else ()
    return Findings({"provisional_ptsd": WORDS[pattern], "rules_agree": agree}, notes)


def caps5(reading: Reading) -> Findings:
    """The diagnosis rule as far as the items decide it; the event itself (criterion A) is for the clinician."""
    lasted = reading.answers.get("22")
    parts = {
        "symptoms": dsm5_pattern(reading.answers),
        "longer_than_a_month": None if lasted is None else bool(lasted),
        "distress_or_impairment": enough(reading.answers, ("23", "24", "25")),
    }
    diagnosis = every(parts.values())
    parts["diagnosis_by_items"] = diagnosis
    parts["dissociative_subtype"] = every((diagnosis, enough(reading.answers, ("29", "30"))))
    return Findings(
        {name: WORDS[value] for name, value in parts.items()},
        ("The diagnosis also needs a qualifying event (criterion A), which the items do not hold.",),
    )


def itq(reading: Reading) -> Findings:
    """ICD-11 PTSD, or complex PTSD in its place, never both."""
    ptsd = every(enough(reading.answers, cluster) for cluster in ITQ_PTSD)
    dso = every(enough(reading.answers, cluster) for cluster in ITQ_DSO)
    if ptsd is False:
        diagnosis = "neither"
    elif ptsd is None or dso is None:
        diagnosis = "undetermined"
    else:
        diagnosis = "CPTSD" if dso else "PTSD"
    return Findings({"diagnosis": diagnosis, "ptsd": WORDS[ptsd], "dso": WORDS[dso]})


def cssrs(reading: Reading) -> Findings:
    """The triage tier: the gravest that any yes reaches; incomplete with an item left blank, unless already high."""
    yes = tuple(number for number, answer in reading.answers.items() if answer)
    at_least = _cssrs_tier(set(yes))
    tier = "incomplete" if reading.missing and at_least != "high" else at_least
    return Findings({"tier": tier, "at_least": at_least, "yes_items": yes})


def _cssrs_tier(yes: set[str]) -> str:
    if yes & {"4", "5", "6a"}:
        return "high"
    if yes & {"3", "6"}:
        return "moderate"
    return "low" if yes else "none"


def phq9(reading: Reading) -> Findings:
    """Item 9 by itself: it is never filled in, and a total never hides it."""
    return Findings({"item9": reading.answers["9"]}, _self_harm_notes("9", reading.answers["9"], from_answer=1))


def madrs(reading: Reading) -> Findings:
    """Item 10 by itself; from 2 on the suicide-risk screener is run at the same visit (platform choice)."""
    return Findings({"item10": reading.answers["10"]}, _self_harm_notes("10", reading.answers["10"], from_answer=2))


def _self_harm_notes(number: str, answer: int | None, from_answer: int) -> tuple[str, ...]:
    if answer is None:
        return (f"Item {number} is blank: that is unknown, not zero. Ask again.",)
    if answer >= from_answer:
        return (f"Item {number} is {answer}: run the suicide-risk screener now, whatever the total.",)
    return ()


def auditc(reading: Reading) -> Findings:
    """A remark where every point comes from how often, none from how much."""
    often_only = bool(reading.answers["1"]) and reading.answers["2"] == reading.answers["3"] == 0
    note = "All points come from item 1: drinking may well lie below the limits. Ask about the past months."
    return Findings({}, (note,) if often_only else ())


def lec5(reading: Reading) -> Findings:
    """The events that were marked; there is no total."""
    return Findings({"yes_items": tuple(number for number, answer in reading.answers.items() if answer)})
