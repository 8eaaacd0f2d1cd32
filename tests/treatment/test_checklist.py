"""The lists before a course, before a dose and before leaving: what is still open, at each edge."""

from __future__ import annotations

from typing import Any

import pytest

from reprieve.candidacy import CRITERIA, QUESTIONS
from reprieve.treatment.checklist import (
    AT_LEAST,
    AT_MOST,
    PHASES,
    CheckItem,
    ChecklistError,
    Facts,
    items,
    open_items,
)
from reprieve.treatment.limits import Limits

SIGNED = Facts(limits=Limits())
EVERY_ITEM = [item for phase in PHASES for item in items(phase)]


def item(phase: str, name: str) -> CheckItem:
    return next(one for one in items(phase) if one.id == name)


def good(one: CheckItem, facts: Facts) -> Any:
    """An answer that completes the item."""
    if one.good:
        return one.good[0]
    if one.complete_when in (AT_MOST, AT_LEAST):
        return facts.limits[one.limit_ids[0]]
    return "Sam Escort, 203 555 0188" if one.kind == "text" else one.low


@pytest.mark.parametrize(
    ("phase", "name", "answer", "why"),
    [
        ("pre-dose", "systolic", 140, ""),
        ("pre-dose", "systolic", 141, "141 mmHg; the limit is at most 140."),
        ("pre-dose", "diastolic", 90, ""),
        ("pre-dose", "diastolic", 91, "91 mmHg; the limit is at most 90."),
        ("pre-dose", "food_h", 6, ""),
        ("pre-dose", "food_h", 5.9, "5.9 h; the limit is at least 6."),
        ("pre-dose", "fluids_h", 2, ""),
        ("pre-dose", "fluids_h", 0, "0 h; the limit is at least 2."),
        ("pre-dose", "sober", "no", "No. Do not dose today."),
        ("pre-dose", "escort_name", "", "Not answered yet."),
        ("pre-dose", "suicide_check", "safe", ""),
        ("pre-dose", "suicide_check", "high", "Intent or a plan or an act."),
        ("pre-dose", "consent", "no", "No. No dose without a yes."),
        ("discharge", "watched_min", 120, ""),
        ("discharge", "watched_min", 119, "119 min; the limit is at least 120."),
        ("discharge", "aldrete", 9, ""),
        ("discharge", "aldrete", 8, "8 points; the limit is at least 9."),
        ("discharge", "moaas", "5", ""),
        ("discharge", "moaas", "4", "4: slow to answer."),
        ("discharge", "nausea", "yes", "Yes. Treat it, and watch on."),
        ("baseline", "first_systolic", 140, ""),
        ("baseline", "first_systolic", 140.5, "140.5 mmHg; the limit is at most 140."),
        ("baseline", "spo2", 94, ""),
        ("baseline", "spo2", 93, "93 %; the limit is at least 94."),
        ("baseline", "ecg", "not_needed", ""),
        ("baseline", "ecg", "abnormal", "Not normal. A prescriber looks at it first."),
        ("baseline", "pcl5", None, "Not answered yet."),
    ],
)
def test_what_is_open_at_each_edge(phase: str, name: str, answer: Any, why: str) -> None:
    assert item(phase, name).open_because(answer, SIGNED)[: len(why) or None] == why


@pytest.mark.parametrize("phase", PHASES)
def test_a_list_is_complete_when_every_item_is(phase: str) -> None:
    everything = Facts(frozenset(reason for one in items(phase) for reason in one.asked_for), Limits())
    answers = {one.id: good(one, everything) for one in items(phase)}

    assert open_items(phase, answers, everything) == ()
    for name in answers:
        left = answers | {name: None}
        assert [one.id for one in open_items(phase, left, everything)] == [name]


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        ("CV-07", {"ecg"}),
        ("HEP-02", {"liver"}),
        ("URO-03", {"kidney"}),
        ("NEU-06", {"sleep_apnoea"}),
        ("SUB-06", {"drug_screen"}),
        ("PRE-01", {"pregnancy_test"}),
        ("pregnancy_status=could_become", {"pregnancy_test"}),
        ("pregnancy_status=none", set()),
    ],
)
def test_a_test_is_asked_for_when_something_asks_for_it(reason: str, asked: set[str]) -> None:
    always = {one.id for one in open_items("baseline", {}, SIGNED)}

    assert {one.id for one in open_items("baseline", {}, Facts(frozenset({reason})))} - always == asked


def test_no_number_is_good_enough_before_the_limits_are_signed() -> None:
    found = {one.id: one.why for one in open_items("pre-dose", {"systolic": 110}, Facts())}

    assert found["systolic"] == "The clinic's limits are not signed yet, so this cannot be judged."


def test_every_reason_to_ask_is_a_criterion_or_an_option_of_a_question() -> None:
    for one in EVERY_ITEM:
        for reason in one.asked_for:
            question, is_answer, option = reason.partition("=")
            assert option in QUESTIONS[question].codes if is_answer else reason in CRITERIA


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("weight_kg", 400),
        ("weight_kg", "80"),
        ("weight_kg", True),
        ("weight_kg", float("nan")),
        ("ecg", "fine"),
        ("escort_name", " "),
        ("escort_name", "x" * 501),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(name: str, answer: Any) -> None:
    with pytest.raises(ChecklistError, match=item("baseline", name).words[:10]):
        open_items("baseline", {name: answer}, Facts(frozenset({"CV-07"}), Limits()))


def test_a_phase_that_is_none_is_refused() -> None:
    with pytest.raises(ChecklistError, match="'after' is no phase"):
        items("after")


def test_ids_are_unique_in_a_phase() -> None:
    for phase in PHASES:
        names = [one.id for one in items(phase)]
        assert len(names) == len(set(names))
