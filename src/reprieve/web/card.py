"""What the candidacy card shows of an enquiry, put in order for the page. No query here but those named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from reprieve.candidacy import CRITERIA, QUESTIONS, RULE_SET_VERSION, AnswerError, Category, assess
from reprieve.candidacy.questions import UNSURE, is_blank
from reprieve.web.answers import in_words
from reprieve.web.models import Attempt, Consultation, Enquiry, Event, Member, Review
from reprieve.web.models.versioned import PERSON, SYSTEM

NOT_ANSWERED = "Not answered"

DISPOSITIONS = {  # what the findings add up to, said to a clinician
    "urgent": "Act first. Something here needs a person now; everything else can wait.",
    "exclude_until_reviewed": "Review first. A clinician looks at the findings below before anything else is decided.",
    "not_indicated": "The answers do not point to PTSD. Another way to help may fit better.",
    "caution": "Nothing that must be cleared first. There are cautions to go through together.",
    "consider": "Nothing in the answers speaks against a consultation. It may be worth one.",
}
GROUPS = (  # category, title, class of the finding, kind of the tag
    ("urgent", "Urgent", "urgent", "danger"),
    ("exclude_until_reviewed", "Review first", "exclude", "danger"),
    ("not_indicated", "Does not point to PTSD", "unclear", "caution"),
    ("caution", "Caution", "caution", "caution"),
    ("supports", "Supports a consultation", "supports", "ok"),
)
BLANK_MEANS = {
    "same_day_review": "Ask the same day",
    "ask_before_consult": "Ask before the consultation",
    "ask_at_consult": "Ask at the consultation",
    "no_dose_until_known": "No dose until this is known",
    "no_finding": "Good to know; nothing follows from a blank",
}
LEVELS = {
    "exclude_until_reviewed": ("Review first", "danger"),
    "caution": ("Caution", "caution"),
    "hold_on_day": ("Hold on the day", "caution"),
    "note": ("Note", ""),
}
DERIVED = {  # answers that are worked out, and worth showing beside what was said
    "age_years": "age in years",
    "pcptsd5_low": "signs of PTSD, at least",
    "pcptsd5_high": "signs of PTSD, at most",
    "cns_depressants": "kinds of sedating medicine",
    "bmi": "body mass index",
    "systolic": "upper blood pressure",
    "diastolic": "lower blood pressure",
    "phq9_low": "PHQ-9, at least",
    "phq9_item9": "PHQ-9, item 9",
    "pcl5_low": "PCL-5, at least",
    "pcl5_high": "PCL-5, at most",
    "auditc_low": "AUDIT-C, at least",
    "dast10_low": "DAST-10, at least",
    "cssrs_tier": "suicide screener",
}
ABOUT = {  # questions whose words say what they are about only on their own page of the form
    "substances": "Drink and drugs",
    "pregnancy_status": "Pregnancy",
    "mind_recent": "State of mind",
    "conditions": "Health",
    "medicines": "Medicines",
    "urgent_now": "Danger",
}
SCREEN = {
    "met": "at or above the cut: points to probable PTSD, to be confirmed in an interview",
    "not_met": "below the cut: does not point to PTSD",
    "undetermined": "not clear, because of blanks",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One question in words, and what the person said; ``grave`` for a blank and for "not sure"."""

    question: str
    lines: tuple[str, ...]
    grave: bool


@dataclass(slots=True)
class Group:
    """Findings of one gravity."""

    title: str
    css: str
    tag: str
    findings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline."""

    at: datetime
    who: str
    what: str
    note: str = ""


def _lines(name: str, value: Any) -> tuple[str, ...]:
    return tuple(in_words(name, value)) or (NOT_ANSWERED,)


def _is_open(name: str, value: Any) -> bool:
    ticked = value if isinstance(value, list) else [value]
    return is_blank(value) or any(isinstance(part, str) and part in UNSURE for part in ticked)


def answers_of(enquiry: Enquiry) -> list[Answer]:
    """Every question of the brief form but the contact details, and each later one that was answered."""
    said = enquiry.answers
    asked = [q for q in QUESTIONS.values() if q.type != "group" and (q.is_brief or q.id in said)]
    return [Answer(wording(q.id), _lines(q.id, said.get(q.id)), _is_open(q.id, said.get(q.id))) for q in asked]


def wording(name: str) -> str:
    """The question behind an answer's name; a derived answer has no question, so its name is spelled out."""
    if name not in QUESTIONS:
        return DERIVED.get(name, name.replace("_", " ")).capitalize()
    about, words = ABOUT.get(name, ""), QUESTIONS[name].wording
    return f"{about}: {words[0].lower()}{words[1:]}" if about else words


def groups_of(assessment: dict[str, Any], reviews: Iterable[Review]) -> list[Group]:
    """Findings by gravity, the gravest first, each with the answers that made it fire and its review."""
    reviewed = {review.criterion_id: review for review in reviews}
    groups = {code: Group(title, css, tag) for code, title, css, tag in GROUPS}
    for finding in assessment["findings"]:
        because = [
            (wording(name), ", ".join(_lines(name, said)))
            for name, said in finding["answers"].items()
            if name in QUESTIONS or name in DERIVED
        ]
        review = reviewed.get(finding["criterion_id"])
        may_rule_out = finding["category"] not in ("urgent", "supports") and review is None
        groups[finding["category"]].findings.append(
            finding | {"because": because, "review": review, "may_rule_out": may_rule_out}
        )
    return [group for group in groups.values() if group.findings]


def unknown_of(rows: Iterable[dict[str, Any]]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """What is not known yet: by what a blank means, then by question, the conditions that wait for it."""
    needed: dict[str, dict[str, list[str]]] = {meaning: {} for meaning in BLANK_MEANS}
    for row in rows:
        question = "; ".join(wording(name) for name in row["ask"])
        needed[row["blank_means"]].setdefault(question, []).append(f"{row['condition']} ({row['criterion_id']})")
    return [(BLANK_MEANS[meaning], list(asks.items())) for meaning, asks in needed.items() if asks]


def interactions_of(assessment: dict[str, Any]) -> list[dict[str, Any]]:
    """Interactions with their level in words and the kind of tag."""
    return [hit | dict(zip(("word", "kind"), LEVELS[hit["level"]], strict=True)) for hit in assessment["interactions"]]


def screen_of(assessment: dict[str, Any]) -> str:
    """The five short signs in a sentence, as a range when blanks leave one.

    >>> screen_of({"ptsd_screen": {"low": 2, "high": 4, "cut": 3, "result": "undetermined"}})
    '2 to 4 of 5 signs, cut at 3: not clear, because of blanks'
    """
    screen = assessment["ptsd_screen"]
    signs = str(screen["low"]) if screen["low"] == screen["high"] else f"{screen['low']} to {screen['high']}"
    return f"{signs} of 5 signs, cut at {screen['cut']}: {SCREEN[screen['result']]}"


def after_reviews(enquiry: Enquiry, reviews: Iterable[Review]) -> str | None:
    """The disposition once the reviewed findings stand down; None when nothing was ruled out, or it cannot be said."""
    ruled_out = [
        {"criterion_id": review.criterion_id, "reason": review.reason}
        for review in reviews
        if review.criterion_id in CRITERIA and CRITERIA[review.criterion_id].category is not Category.URGENT
    ]
    if not ruled_out or enquiry.assessment["rule_set_version"] != RULE_SET_VERSION:
        return None
    said = enquiry.answers | {"contact_details": enquiry.contact, "criteria_ruled_out": ruled_out}
    try:
        return assess(said, date.fromisoformat(enquiry.assessment["today"])).disposition
    except AnswerError:
        return None


def names_of_members() -> dict[str, str]:
    """Name by the audit trail's word for a member. One query."""
    named = {f"member {pk}": name for pk, name in Member.objects.values_list("pk", "name")}
    return named | {PERSON: "The person", SYSTEM: "The system"}


VERBS = {
    "sent the form": "Sent the form",
    "call late": "The promised call was late; the next on call was told",
    "handed over": "Handed over",
    "decided": "Decided",
    "reopened": "Reopened",
    "corrected contact details": "Corrected the contact details",
    "asked us to stop": "Asked for no more calls",
    "asked to be erased": "Asked to be erased",
    "kept the record": "Answered that the record is kept",
    "erased": "Erased",
    "logged a call": "Logged a call",
    "ruled out a finding": "Ruled out a finding",
    "referred": "Referred elsewhere",
    "asked for the second form": "Opened the link to the second form",
    "sent the second form": "Sent the second form",
    "recorded a consultation": "Recorded a consultation",
    "asked for help during the course": "Gave an answer that cannot wait",
}
HAS_A_ROW = {"logged a call", "ruled out a finding", "referred"}  # told by their own rows, with more in them
ONLY_LOOKED = {"opened", "exported"}


def said_of(event: Event, names: dict[str, str]) -> Happening:
    """An audit event in words."""
    note = ""
    if "to" in event.detail:
        note = f"To {names.get('member ' + str(event.detail['to']), 'a former member')}"
    elif event.detail.get("decision") in Consultation.Decision.values:
        note = Consultation.Decision(event.detail["decision"]).label
    elif event.detail.get("decision"):
        before = "It had been decided: " if event.verb == "reopened" else ""
        note = before + Enquiry.Decision(event.detail["decision"]).label
    return Happening(
        event.at, names.get(event.actor, event.actor), VERBS.get(event.verb, event.verb.capitalize()), note
    )


def timeline_of(enquiry: Enquiry, events: Iterable[Event], names: dict[str, str]) -> list[Happening]:
    """All that happened, newest first. Reads attempts, reviews and referrals as they were prefetched."""
    told = [said_of(event, names) for event in events if event.verb not in HAS_A_ROW | ONLY_LOOKED]
    told += [Happening(a.at, names.get(a.by.actor, ""), str(a), a.note) for a in enquiry.attempts.all()]
    told += [
        Happening(r.at, names.get(r.by.actor, ""), f"Ruled out {r.criterion_id}", r.reason)
        for r in enquiry.reviews.all()
    ]
    told += [Happening(r.at, names.get(r.by.actor, ""), "Referred elsewhere", r.to) for r in enquiry.referrals.all()]
    return sorted(told, key=lambda happening: happening.at, reverse=True)


def last_call() -> tuple[str, datetime] | None:
    """Whether the last logged call kept its promise, and when it was made. One query, none of it encrypted."""
    row = Attempt.objects.order_by("-pk").values_list("at", "enquiry__first_called_at", "enquiry__promised_at").first()
    if row is None:
        return None
    at, first_at, promised_at = row
    kept = promised_at is not None and first_at is not None and first_at <= promised_at
    return ("kept" if kept else "made"), at
