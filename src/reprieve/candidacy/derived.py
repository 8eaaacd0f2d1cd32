"""Values the rules use that are computed from answers: scores as ranges, tiers, counts, signals.

``derived_answers.csv`` says in words what is computed here. A blank leaves a value unknown or a range wide; it is
never taken as zero. A value that the caller gives by name stands, and whatever rests on it uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from reprieve import instruments
from reprieve.candidacy import medicines
from reprieve.candidacy.expressions import Kind, parse
from reprieve.candidacy.questions import INSTRUMENT_OF, NOT_APPLICABLE, QUESTIONS, UNSURE, AnswerError, as_date
from reprieve.sources import read_table

Answers = dict[str, Any]

SAFETY = ("urgent_now", "suicidal_thoughts_month", "suicidal_behaviour")
HEALTH = ("trauma_exposure", "escort_available")
HEALTH_LISTS = ("conditions", "mind_recent", "medicines", "treatments_tried", "substances", "pregnancy_status")
UNSAID = ""
UNANSWERED = UNSURE | {UNSAID, NOT_APPLICABLE}
PCPTSD5 = ("pcptsd5_1", "pcptsd5_2", "pcptsd5_3", "pcptsd5_4", "pcptsd5_5")
PCPTSD5_CUT = 3
QUALIFYING_EVENTS = frozenset({"death_or_threat", "serious_injury", "sexual_violence"})
BP_READING_DAYS = 90
LIMITS_MMHG = {"systolic": 140, "diastolic": 90}
DEPRESSANT_CLASSES = {
    "benzodiazepine": frozenset({"DDI-01"}),
    "opioid": frozenset({"DDI-03", "DDI-05"}),
    "sleep_or_nerve": frozenset({"DDI-02", "DDI-21", "DDI-32", "DDI-33", "DDI-34", "DDI-40", "DDI-41"}),
}
ALL_DEPRESSANTS = frozenset().union(*DEPRESSANT_CLASSES.values())
FIRST_BRIEF = frozenset(  # derived answers that the brief form alone can settle
    {"age_years", "safety_blank", "brief_blank", "pcptsd5_low", "pcptsd5_high", "cns_depressants", "contradiction"}
    | {"cns_depressants_low"}
)
CHOICES = {
    "cssrs_tier": ("high", "moderate", "low", "none", "incomplete", "not_done"),
    "pcl5_pattern": ("met", "not_met", "undetermined"),
}
FOLLOW_UPS: dict[str, tuple[str, frozenset[str]]] = {
    "heart_event_timing": ("conditions", frozenset({"heart_attack_unstable", "stroke_or_tia", "stent_bypass_valve"})),
    "head_injury_detail": ("conditions", frozenset({"head_injury"})),
    "seizure_detail": ("conditions", frozenset({"seizures"})),
    "eye_detail": ("conditions", frozenset({"eye_pressure_or_injury"})),
    "lung_detail": ("conditions", frozenset({"sleep_apnoea", "lung_severe"})),
    "thyroid_detail": ("conditions", frozenset({"thyroid_over"})),
    "contraception": ("pregnancy_status", frozenset({"could_become"})),
}
"""Follow-up questions, each with the list and the options that lead to it."""
FOLLOW_UPS_OF = {
    parent: tuple((name, leads) for name, (led_by, leads) in FOLLOW_UPS.items() if led_by == parent)
    for parent in ("conditions", "pregnancy_status")
}
ALL_LEADS: frozenset[str] = frozenset().union(*(leads for _, leads in FOLLOW_UPS.values()))
UNASKED: dict[str, Any] = {
    name: [NOT_APPLICABLE] if QUESTIONS[name].type == "multi" else NOT_APPLICABLE for name in FOLLOW_UPS
}
TICK_LISTS = tuple(
    name for name, question in QUESTIONS.items() if question.type == "multi" and "none" in question.codes
)


@dataclass(frozen=True, slots=True)
class Derived:
    """One computed value, in words, and the questions it rests on."""

    id: str
    type: str
    rule: str
    needs: tuple[str, ...]
    section: str


class Contradiction(NamedTuple):
    """Two answers that cannot both be right."""

    answers: tuple[str, ...]
    sentence: str
    about_safety: bool


class LooseEnds(NamedTuple):
    """What of the brief form is open or cannot be right: questions by id, and pairs of answers."""

    safety: list[str]
    health: list[str]
    contradictions: list[Contradiction]


def _needs(cell: str) -> tuple[str, ...]:
    names = (PCPTSD5 if name == "pcptsd5_1..5" else (name,) for name in cell.split(";"))
    return tuple(name for group in names for name in group if name in QUESTIONS or name.startswith(("cssrs", "phq9")))


DERIVED: dict[str, Derived] = {
    row["answer_id"]: Derived(
        id=row["answer_id"],
        type=row["type"],
        rule=row["rule"],
        needs=_needs(row["needs"]),
        section="brief" if row["answer_id"] in FIRST_BRIEF else "pre_consult",
    )
    for row in read_table(__package__, "derived_answers.csv")
}


def _kind(name: str) -> Kind:
    if name in DERIVED:
        return Kind.LIST if DERIVED[name].type == "list" else Kind.VALUE
    question = QUESTIONS[name]
    if question.type == "multi":
        return Kind.LIST
    return Kind.CHOICE if not UNSURE.isdisjoint(question.codes) else Kind.VALUE


KINDS: dict[str, Kind] = {name: _kind(name) for name in (*QUESTIONS, *DERIVED)}


def check_derived(name: str, value: Any) -> Any:
    """A derived value given by name, checked against its type."""
    kind = DERIVED[name].type
    if kind == "boolean":
        fits, rule = isinstance(value, bool), "true or false"
    elif kind == "list":
        fits = isinstance(value, list | tuple) and all(
            entry in medicines.INTERACTIONS or entry in ("none", "not_sure") for entry in value
        )
        rule = "a list of interaction ids such as DDI-01"
    elif kind == "choice":
        fits, rule = value in CHOICES[name], f"one of {', '.join(CHOICES[name])}"
    else:
        fits, rule = isinstance(value, int | float) and not isinstance(value, bool), "a number"
    if not fits:
        raise AnswerError(name, f"{value!r} must be {rule}, or null to have it worked out")
    return value


def derive(answers: Answers, today: date, has_later: bool) -> LooseEnds:
    """Add to ``answers`` what can be computed from them, and tell what is open and what contradicts.

    Parameters
    ----------
    answers : checked, without blanks; changed in place
    today : ages and the age of a reading are counted on this day
    has_later : whether anything beyond the brief form is answered
    """
    _mark_unasked(answers, has_later)
    if has_later:
        _drop_not_applicable(answers)
        _add_instruments(answers)
        _add_measurements(answers, today)
        _add_interactions(answers)
    _add_age_and_signs(answers, today)
    answers.setdefault("auditc_cut", 4 if answers.get("sex_for_cutoffs") == "male" else 3)
    _add_event(answers)
    _add_suicide_signal(answers)
    _add_depressants(answers)
    loose_ends = LooseEnds(_open_safety(answers), _open_health(answers), find_contradictions(answers, has_later))
    _add_flags(answers, loose_ends)
    return loose_ends


def _add_flags(answers: Answers, loose_ends: LooseEnds) -> None:
    if "safety_blank" not in answers:
        answers["safety_blank"] = (
            bool(loose_ends.safety) or answers.get("cssrs_tier") == "incomplete" or _item9_left_blank(answers)
        )
    answers.setdefault("brief_blank", bool(loose_ends.health))
    if loose_ends.contradictions:
        answers.setdefault("contradiction", True)
    elif "suicidal_thoughts_month" in answers and "suicidal_behaviour" in answers:
        answers.setdefault("contradiction", False)


def _mark_unasked(answers: Answers, has_later: bool) -> None:
    """A follow-up whose condition is surely false holds ``not_applicable``; any other ``not_applicable`` is a blank."""
    for parent, follow_ups in FOLLOW_UPS_OF.items():
        ticked = answers.get(parent)
        may_lead = ALL_LEADS if ticked is None or not UNSURE.isdisjoint(ticked) else frozenset(ticked)
        for follow_up, leads in follow_ups:
            if leads.isdisjoint(may_lead):
                answers.setdefault(follow_up, UNASKED[follow_up])
            elif has_later and answers.get(follow_up) in (NOT_APPLICABLE, [NOT_APPLICABLE]):
                del answers[follow_up]


def _drop_not_applicable(answers: Answers) -> None:
    """Where no option of the form says it, ``not_applicable`` is a blank; so is a screener ``not_done``.

    The rules put their own defaults in the place of such a blank.
    """
    if answers.get("cssrs_tier") == "not_done":
        del answers["cssrs_tier"]
    for name in ("benzodiazepine_lorazepam_mg_day", "ecg_result", "child_pugh"):
        if answers.get(name) == NOT_APPLICABLE:
            del answers[name]


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _add_age_and_signs(answers: Answers, today: date) -> None:
    if "age_years" not in answers and "birth_date" in answers:
        answers["age_years"] = _years(as_date("birth_date", answers["birth_date"]), today)
    if answers.get("trauma_exposure") == "no":
        low = high = 0
    else:
        signs = [answers.get(name) for name in PCPTSD5]
        low, high = signs.count("yes"), len(signs) - signs.count("no")
    answers.setdefault("pcptsd5_low", low)
    answers.setdefault("pcptsd5_high", high)


def _open_safety(answers: Answers) -> list[str]:
    """Safety questions of the brief form that are blank or "rather not say"."""
    get = answers.get
    names = [name for name in ("suicidal_thoughts_month", "suicidal_behaviour") if get(name, UNSAID) in UNANSWERED]
    return names if is_settled(get("urgent_now")) else ["urgent_now", *names]


def _open_health(answers: Answers) -> list[str]:
    """Other questions of the brief form that are blank, not sure or "rather not say"."""
    get = answers.get
    names = [name for name in HEALTH_LISTS if not is_settled(get(name))]
    names += [name for name in HEALTH if get(name, UNSAID) in UNANSWERED]
    if "age_years" not in answers:
        names.append("birth_date")
    if answers["pcptsd5_low"] != answers["pcptsd5_high"]:
        names += [name for name in PCPTSD5 if get(name, UNSAID) in UNANSWERED]
    return names


def is_settled(ticked: list[str] | None) -> bool:
    """Whether an option that is not ticked is surely not so."""
    return ticked is not None and UNSURE.isdisjoint(ticked)


def _item9_left_blank(answers: Answers) -> bool:
    phq9 = answers.get("phq9")
    if phq9 is None or answers.get("cssrs_tier", "incomplete") != "incomplete":
        return False
    return "phq9_item9" not in answers and any(answer is not None for answer in phq9)


def _add_event(answers: Answers) -> None:
    if "qualifying_event" in answers:
        return
    kinds = answers.get("trauma_kind", ())
    if not QUALIFYING_EVENTS.isdisjoint(kinds):
        answers["qualifying_event"] = True
    elif ("prefer_not_to_say" not in kinds and "none" in kinds) or answers.get("trauma_exposure") == "no":
        answers["qualifying_event"] = False


def _add_suicide_signal(answers: Answers) -> None:
    if "suicide_signal" in answers:
        return
    get = answers.get
    thoughts, behaviour, item9 = get("suicidal_thoughts_month"), get("suicidal_behaviour"), get("phq9_item9")
    if (
        thoughts not in (None, "none")
        or behaviour not in (None, "never")
        or (item9 is not None and item9 >= 1)
        or get("cssrs_tier") in ("low", "moderate", "high")
        or ("cssrs" in answers and _screener(answers).results["yes_items"])
    ):
        answers["suicide_signal"] = True
    elif thoughts == "none" and behaviour == "never" and item9 == 0:
        answers["suicide_signal"] = False


def _add_depressants(answers: Answers) -> None:
    ticked = answers.get("medicines", ())
    listed = ALL_DEPRESSANTS.intersection(answers.get("interaction_levels", ()))
    known = len(listed)
    for option, classes in DEPRESSANT_CLASSES.items():
        known += option in ticked and classes.isdisjoint(listed)
    answers.setdefault("cns_depressants_low", known)
    if (ticked and UNSURE.isdisjoint(ticked)) or len(listed) >= 2:
        answers.setdefault("cns_depressants", known)


@lru_cache(maxsize=4096)
def _scored(name: str, answers: tuple[Any, ...]) -> instruments.Score:
    return instruments.score(INSTRUMENT_OF[name], answers)


def _score(answers: Answers, name: str) -> instruments.Score | None:
    return _scored(name, tuple(answers[name])) if name in answers else None


def _screener(answers: Mapping[str, Any]) -> instruments.Score:
    return _scored("cssrs", tuple(answers["cssrs"]))


def _add_instruments(answers: Answers) -> None:
    put = answers.setdefault
    if "cssrs" in answers:
        _add_screener(answers)
    if phq9 := _score(answers, "phq9"):
        if phq9.answers["9"] is not None:
            put("phq9_item9", phq9.answers["9"])
        put("phq9_low", _range(phq9)[0])
    if pcl5 := _score(answers, "pcl5"):
        put("pcl5_low", _range(pcl5)[0])
        put("pcl5_high", _range(pcl5)[1])
        put("pcl5_pattern", pcl5.results["provisional_ptsd"])
    if auditc := _score(answers, "auditc"):
        put("auditc_low", _range(auditc)[0])
    if dast10 := _score(answers, "dast10"):
        put("dast10_low", _range(dast10)[0])


def _range(score: instruments.Score) -> tuple[int, int]:
    if score.total_range is None:
        raise ValueError(f"{score.instrument.id} has no total; it cannot feed a rule that compares one")
    return score.total_range


def _add_screener(answers: Answers) -> None:
    screener = _screener(answers)
    answers.setdefault("cssrs_tier", screener.results["tier"])
    thought, method = screener.answers["2"], screener.answers["3"]
    behaviour, recent = screener.answers["6"], screener.answers["6a"]
    if method is not None or thought == 0:
        answers.setdefault("cssrs_method", method == 1)
    if behaviour == 0 or recent is not None:
        answers.setdefault("cssrs_past_behaviour", behaviour == 1 and recent == 0)
        answers.setdefault("cssrs_recent_behaviour", recent == 1)


def _add_measurements(answers: Answers, today: date) -> None:
    for name, limit in LIMITS_MMHG.items():
        if name not in answers and (reading := _reading(answers, name, limit, today)) is not None:
            answers[name] = reading
    weight, height = answers.get("weight_kg"), answers.get("height_cm")
    if "bmi" not in answers and weight and height:
        answers["bmi"] = weight / (height / 100) ** 2


def _reading(answers: Answers, name: str, limit: int, today: date) -> int | None:
    rest, last = answers.get(f"{name}_rest"), answers.get(f"{name}_last")
    if rest is not None or last is None:
        return rest
    taken = answers.get("bp_reading_date")
    counts = last > limit if taken is None else 0 <= (today - as_date("bp_reading_date", taken)).days <= BP_READING_DAYS
    return last if counts else None


def _add_interactions(answers: Answers) -> None:
    """Interactions of the list. ``not_sure`` stands in it for lines that were not recognised, ``none`` for no hit."""
    lines = answers.get("medicine_list")
    if lines is None or "interaction_levels" in answers:
        return
    if medicines.says_none(lines):
        answers["interaction_levels"] = ["none"]
        return
    ids: Iterable[str] = sorted({hit.id for line in lines for hit in medicines.hits_of(line)})
    is_clear = all(medicines.match(line).is_clear for line in lines if not medicines.says_none([line]))
    answers["interaction_levels"] = [*ids] + ([] if is_clear else ["not_sure"]) or ["none"]


def find_contradictions(answers: Mapping[str, Any], has_later: bool) -> list[Contradiction]:
    """Pairs of answers that cannot both be right, in plain sentences that name both."""
    found = [
        Contradiction(
            (name,), f"{_short(name)}: “none” is ticked together with {_ticked(name, answers[name])}.", name in SAFETY
        )
        for name in TICK_LISTS
        if name in answers and "none" in answers[name] and len(answers[name]) > 1
    ]
    age = answers.get("age_years")
    if age is not None and not 0 <= age <= 110:
        found.append(
            Contradiction(
                ("birth_date", "age_years"), f"The date of birth makes the person {age:g} years old today.", False
            )
        )
    if has_later:
        found += _suicide_contradictions(answers)
        found += _later_contradictions(answers)
    return found


def _short(name: str) -> str:
    return QUESTIONS[name].wording.rstrip("?")


def _said(name: str, answers: Mapping[str, Any]) -> str:
    return f"“{QUESTIONS[name].label(answers[name])}”"


def _ticked(name: str, options: Iterable[str]) -> str:
    return ", ".join(f"“{QUESTIONS[name].label(option)}”" for option in options if option != "none")


def _suicide_contradictions(answers: Mapping[str, Any]) -> Iterable[Contradiction]:
    thoughts, behaviour = answers.get("suicidal_thoughts_month"), answers.get("suicidal_behaviour")
    item9 = answers.get("phq9_item9")
    screener = _screener(answers).answers if "cssrs" in answers else {}
    thought_items = [number for number in ("1", "2", "3", "4", "5") if screener.get(number)]
    if thoughts == "none" and item9 is not None and item9 >= 1:
        yield _against("suicidal_thoughts_month", answers, "phq9_item9", f"PHQ-9 item 9 is {item9}")
    if thoughts == "none" and thought_items:
        yes = f"C-SSRS screener: yes to item {', '.join(thought_items)}"
        yield _against("suicidal_thoughts_month", answers, "cssrs", yes)
    if thoughts in ("thoughts", "method", "intent", "plan") and screener.get("2") == 0:
        yield _against("suicidal_thoughts_month", answers, "cssrs", "C-SSRS screener: no to item 2")
    if behaviour == "never" and screener.get("6"):
        yield _against("suicidal_behaviour", answers, "cssrs", "C-SSRS screener: yes to item 6")
    if behaviour in ("over_3_months", "past_3_months") and screener.get("6") == 0:
        yield _against("suicidal_behaviour", answers, "cssrs", "C-SSRS screener: no to item 6")


def _against(name: str, answers: Mapping[str, Any], other: str, sentence: str) -> Contradiction:
    return Contradiction((name, other), f"{_short(name)}: {_said(name, answers)}; but {sentence}.", True)


def _later_contradictions(answers: Mapping[str, Any]) -> Iterable[Contradiction]:
    kinds = QUALIFYING_EVENTS.intersection(answers.get("trauma_kind", ()))
    if answers.get("trauma_exposure") == "no" and kinds:
        yield Contradiction(
            ("trauma_exposure", "trauma_kind"),
            f"{_short('trauma_exposure')}: “No”; but the worst event involved {_ticked('trauma_kind', sorted(kinds))}.",
            False,
        )
    for follow_up, (parent, leads) in FOLLOW_UPS.items():
        if parent != "conditions" or parent not in answers or not leads.isdisjoint(answers[parent]):
            continue
        said = answers.get(follow_up)
        options = [said] if isinstance(said, str) else said or []
        if set(options) - {"none", "never", NOT_APPLICABLE}:
            yield Contradiction(
                (parent, follow_up),
                f"{_short(follow_up)}: {_ticked(follow_up, options)}; but no condition that leads to this question is "
                f"ticked ({_ticked(parent, answers[parent]) or '“None of these”'}).",
                False,
            )
    systolic, diastolic = answers.get("systolic"), answers.get("diastolic")
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        yield Contradiction(
            ("systolic", "diastolic"),
            f"The bottom number of the blood pressure ({diastolic:g}) is not below the top number ({systolic:g}).",
            False,
        )


_ASKED = {name: parse(question.asked_when, KINDS) for name, question in QUESTIONS.items() if question.asked_when}


def is_asked(question_id: str, answers: Mapping[str, Any]) -> bool | None:
    """Whether a question has to be asked, given the other answers; None while that is not known.

    >>> is_asked("seizure_detail", {"conditions": ["seizures"]}), is_asked("seizure_detail", {"conditions": ["none"]})
    (True, False)
    >>> is_asked("birth_date", {})
    True
    """
    return _ASKED[question_id].decide(KINDS, answers) if question_id in _ASKED else True
