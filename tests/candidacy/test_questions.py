import math
from contextlib import suppress

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprieve.candidacy import BRIEF, QUESTIONS, AnswerError, check_answer
from reprieve.candidacy.questions import UNSURE
from reprieve.candidacy.schema import answers_schema
from tests.candidacy.forms import CLEAR_BRIEF, LATER
from tests.candidacy.strategies import answer_to, any_forms

VALIDATOR = jsonschema.Draft202012Validator(answers_schema())


def test_brief_form_has_twenty_questions_in_order():
    assert [question.order for question in BRIEF] == list(range(1, 21))
    assert BRIEF[0].id == "country_region"


def test_every_single_choice_has_one_way_to_be_unsure_at_most():
    assert all(len(UNSURE.intersection(question.codes)) <= 1 for question in QUESTIONS.values())


def test_options_are_pairs():
    assert QUESTIONS["escort_available"].options == (("yes", "Yes"), ("no", "No"), ("not_sure", "Not sure"))


def test_limits_of_a_number():
    question = QUESTIONS["systolic_last"]

    assert (question.minimum, question.maximum, question.unit) == (60, 260, "mmHg")


@pytest.mark.parametrize(
    ("question_id", "asked_when"),
    [
        ("seizure_detail", "'seizures' in conditions"),
        ("lung_detail", "'sleep_apnoea' in conditions or 'lung_severe' in conditions"),
        ("pcptsd5_1", "not trauma_exposure == 'no'"),
        ("birth_date", ""),
    ],
)
def test_condition_of_a_question(question_id, asked_when):
    assert QUESTIONS[question_id].asked_when == asked_when


@pytest.mark.parametrize(
    ("question_id", "value", "clean"),
    [
        ("escort_available", "yes", "yes"),
        ("conditions", ["avm", "avm"], ["avm"]),
        ("conditions", ("avm",), ["avm"]),
        ("conditions", [], None),
        ("birth_date", "1984-02-29", "1984-02-29"),
        ("birth_date", "", None),
        ("systolic_last", 60, 60),
        ("systolic_last", 122.0, 122),
        ("weight_kg", 72.5, 72.5),
        ("country_region", "us-ct", "US-CT"),
        ("country_region", "GB", "GB"),
        ("medicine_list", ["none", " "], ["none"]),
        ("cssrs", ["no", "no", None, None, None, "no", None], ["no", "no", None, None, None, "no", None]),
        ("seizure_detail", "not_applicable", "not_applicable"),
        ("eye_detail", ["not_applicable"], ["not_applicable"]),
        ("contact_details", {"name": "Bo", "best_time": None}, {"name": "Bo", "best_time": None}),
        ("mentions_past_psychosis_mania_or_drug_problem", False, False),
        ("phq9", None, None),
    ],
)
def test_answer_in_its_plain_form(question_id, value, clean):
    assert check_answer(question_id, value) == clean


@pytest.mark.parametrize(
    ("question_id", "value"),
    [
        ("nobody_asks_this", "yes"),
        ("escort_available", "Yes"),
        ("escort_available", ["yes"]),
        ("escort_available", True),
        ("escort_available", "not_applicable"),
        ("conditions", "avm"),
        ("conditions", ["AVM"]),
        ("conditions", [["avm"]]),
        ("conditions", ["avm", None]),
        ("conditions", {"avm": True}),
        ("eye_detail", ["not_applicable", "glaucoma_treated"]),
        ("birth_date", "29.02.1984"),
        ("birth_date", "1985-02-29"),
        ("birth_date", "1984-2-29"),
        ("birth_date", "1984-W01-1"),
        ("birth_date", 19840229),
        ("systolic_last", 59),
        ("systolic_last", 261),
        ("systolic_last", "122"),
        ("systolic_last", 122.5),
        ("systolic_last", True),
        ("systolic_last", math.nan),
        ("weight_kg", math.inf),
        ("weight_kg", 29.9),
        ("country_region", "United States"),
        ("country_region", "U"),
        ("country_region", 1),
        ("contact_details", "Bo"),
        ("contact_details", {"surname": "Bo"}),
        ("contact_details", {"phone": 5550100}),
        ("contact_details", {"safe_to_leave_message": "maybe"}),
        ("medicine_list", "sertraline"),
        ("medicine_list", [50]),
        ("medicine_list", ["x" * 301]),
        ("medicine_list", ["sertraline"] * 101),
        ("phq9", [0] * 8),
        ("phq9", [0] * 8 + [4]),
        ("phq9", "000000000"),
        ("cssrs", ["maybe"] * 7),
        ("mentions_past_psychosis_mania_or_drug_problem", "true"),
        ("criteria_ruled_out", "CV-01"),
        ("criteria_ruled_out", ["CV-01"]),
        ("criteria_ruled_out", [{"criterion_id": "CV-01"}]),
        ("criteria_ruled_out", [{"criterion_id": "CV-01", "reason": ""}]),
    ],
)
def test_answer_that_does_not_fit_says_where_and_what(question_id, value):
    with pytest.raises(AnswerError) as caught:
        check_answer(question_id, value)

    assert caught.value.question_id == question_id
    assert str(caught.value).startswith(f"{question_id}: ")
    assert len(str(caught.value)) < 700


def test_a_list_of_empty_lines_is_a_blank_and_not_a_person_without_medicines():
    assert check_answer("medicine_list", ["", "  "]) is None


@given(st.sampled_from(sorted(QUESTIONS)).flatmap(lambda name: st.tuples(st.just(name), answer_to(QUESTIONS[name]))))
def test_clean_answer_stays_as_it_is(named):
    name, answer = named
    once = check_answer(name, answer)

    assert check_answer(name, once) == once


@given(
    st.sampled_from(sorted(QUESTIONS)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ),
)
def test_any_value_is_taken_or_refused(name, value):
    with suppress(AnswerError):
        check_answer(name, value)


def test_schema_is_a_schema_and_takes_the_forms_of_the_tests():
    jsonschema.Draft202012Validator.check_schema(answers_schema())

    VALIDATOR.validate({**CLEAR_BRIEF, **LATER, "today": "2026-11-22"})


@settings(deadline=None)
@given(any_forms)
def test_schema_takes_every_clean_form(answers):
    VALIDATOR.validate(answers)


@pytest.mark.parametrize(
    "answers",
    [
        {"escort_available": "Yes"},
        {"conditions": "avm"},
        {"systolic_last": 300},
        {"birth_date": "1984"},
        {"phq9": [0] * 8},
        {"phq9": [9] * 9},
        {"contact_details": {"surname": "Bo"}},
        {"criteria_ruled_out": [{}]},
        [],
    ],
)
def test_schema_refuses_what_the_check_refuses(answers):
    assert not VALIDATOR.is_valid(answers)
