"""What holds for any answers at all."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reprieve.candidacy import BRIEF, CRITERIA, QUESTIONS, Assessment, Category, assess
from reprieve.candidacy.derived import KINDS, derive
from reprieve.candidacy.expressions import blank_variables, compile_rules, hold, parse
from tests.candidacy.forms import TODAY, form
from tests.candidacy.strategies import any_forms, brief_forms

GRAVITY = {"consider": 0, "supports": 0} | {category.code: int(category) for category in Category if category}
SAFETY = ("urgent_now", "suicidal_thoughts_month", "suicidal_behaviour")
SEVERITY = {
    "suicidal_thoughts_month": ("none", "wish_dead", "thoughts", "method", "intent", "plan"),
    "suicidal_behaviour": ("never", "over_3_months", "past_3_months"),
}
IDS = list(CRITERIA)
WHOLE_TABLE = compile_rules({place: CRITERIA[key].rule for place, key in enumerate(IDS)}, blank_variables(KINDS))
LISTS_OF_TROUBLE = ("urgent_now", "conditions", "mind_recent", "medicines", "substances", "pregnancy_status")

often = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def gravity(answers):
    return GRAVITY[assess(answers, TODAY).disposition]


@often
@given(any_forms)
def test_clean_answers_are_always_assessed(answers):
    result = assess(answers, TODAY)

    assert Assessment.from_dict(json.loads(json.dumps(result.as_dict()))) == result


@often
@given(any_forms, st.randoms(use_true_random=False))
def test_order_of_the_answers_does_not_matter(answers, chance):
    shuffled = list(answers.items())
    chance.shuffle(shuffled)

    assert assess(dict(shuffled), TODAY).as_dict() == assess(answers, TODAY).as_dict()


@often
@given(any_forms)
def test_criterion_is_found_or_open_or_decided_never_two_of_them(answers):
    result = assess(answers, TODAY)
    seen = [row.criterion_id for row in (*result.findings, *result.unknown, *result.not_asked_yet)]

    assert len(seen) == len(set(seen))


@often
@given(brief_forms)
def test_rules_for_the_brief_form_decide_as_the_whole_table_does(answers):
    answered = {name: value for name, value in answers.items() if value not in (None, [])}
    result = assess(answered, TODAY)
    derive(answered, TODAY, has_later=False)
    variables = blank_variables(KINDS)
    for name, value in answered.items():
        hold(variables, KINDS[name], name, value)
    fired, unknown = WHOLE_TABLE(variables)

    open_rows = (*result.unknown, *result.not_asked_yet)
    assert {finding.criterion_id for finding in result.findings} == {IDS[place] for place in fired}
    assert {(row.criterion_id, row.missing) for row in open_rows} == {
        (IDS[place], CRITERIA[IDS[place]].rule.open_names(bits)) for place, bits in unknown
    }


@often
@given(any_forms)
def test_blank_never_passes(answers):
    result = assess(answers, TODAY)
    open_safety = [name for name in SAFETY if not answers.get(name)]

    if open_safety:
        assert "CAU-04" in [finding.criterion_id for finding in result.findings]
        assert result.disposition in ("urgent", "exclude_until_reviewed")
        assert result.respond_within in ("immediate", "same_day")
    assert set(open_safety) <= set(result.blanks)


@pytest.mark.parametrize("question", [question.id for question in BRIEF])
def test_leaving_out_one_answer_of_a_clear_form_is_seen(question):
    result = assess(form(question), TODAY)

    assert result.blanks == (question,)
    if question not in ("country_region", "wants_contact", "contact_details"):
        assert result.disposition != "consider"


@pytest.mark.parametrize("name", SEVERITY)
@often
@given(answers=any_forms, places=st.tuples(st.integers(0, 5), st.integers(0, 5)))
def test_worse_answer_never_lowers_the_disposition(name, answers, places):
    codes = SEVERITY[name]
    better, worse = sorted(min(place, len(codes) - 1) for place in places)

    assert gravity({**answers, name: codes[better]}) <= gravity({**answers, name: codes[worse]})


@often
@given(any_forms, st.sampled_from(LISTS_OF_TROUBLE), st.data())
def test_ticking_one_more_never_removes_a_graver_finding(answers, name, data):
    codes = QUESTIONS[name].codes
    ticked = data.draw(st.lists(st.sampled_from(codes), unique=True, min_size=1, max_size=3))
    more = data.draw(st.sampled_from([code for code in codes if code != "none"]))

    before = assess({**answers, name: ticked}, TODAY)
    after = assess({**answers, name: [*ticked, more]}, TODAY)

    grave = {"urgent", "exclude_until_reviewed"}
    lost = {finding.criterion_id for finding in before.findings if finding.category in grave} - {
        finding.criterion_id for finding in after.findings
    }
    assert lost == set()
    assert GRAVITY[before.disposition] <= GRAVITY[after.disposition]


@often
@given(any_forms, st.integers(60, 260), st.integers(60, 260))
def test_higher_pressure_never_lowers_the_disposition(answers, one, other):
    low, high = sorted((one, other))
    calm = {**answers, "diastolic_rest": 30}

    assert gravity({**calm, "systolic_rest": low}) <= gravity({**calm, "systolic_rest": high})


@often
@given(any_forms)
def test_reviewed_finding_never_counts_and_is_never_lost(answers):
    before = assess(answers, TODAY)
    can_be = [found.criterion_id for found in before.findings if found.category != "urgent"]
    reviewed = [{"criterion_id": key, "reason": "looked at"} for key in can_be]
    after = assess({**answers, "criteria_ruled_out": reviewed}, TODAY)

    assert {finding.criterion_id for finding in before.findings} <= {finding.criterion_id for finding in after.findings}
    assert after.disposition in ("urgent", "consider")


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=lambda criterion: criterion.id)
def test_rule_without_its_names_is_a_rule_on_a_blank_form(criterion):
    rule = criterion.rule

    assert parse(rule.text, KINDS, absent=KINDS.keys()).decide(KINDS, {}) is rule.decide(KINDS, {})
