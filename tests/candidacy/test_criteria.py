import json
from dataclasses import replace
from importlib import resources

import pytest

from reprieve.candidacy import CRITERIA, QUESTIONS, Category, assess
from reprieve.candidacy.criteria import CriterionError
from reprieve.candidacy.derived import DERIVED, FOLLOW_UPS, KINDS, is_asked
from reprieve.candidacy.expressions import Expression
from reprieve.candidacy.medicines import INTERACTIONS, LEVELS
from tests.candidacy.forms import CLEAR_BRIEF, TODAY, fired, form

CLEAR_CASE = json.loads(resources.files("reprieve.candidacy").joinpath("clear_case.json").read_text("utf-8"))
NOT_SUPPORTS = [criterion for criterion in CRITERIA.values() if criterion.category is not Category.SUPPORTS]


def test_every_criterion_of_the_table_is_there():
    assert len(CRITERIA) == 106
    assert {criterion.id[:3] for criterion in CRITERIA.values() if criterion.category is Category.URGENT} == {
        "URG",
        "CV-",
    }


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=lambda criterion: criterion.id)
def test_example_fires_its_criterion(criterion):
    result = assess({**CLEAR_CASE, **criterion.example}, TODAY)

    assert criterion.id in [finding.criterion_id for finding in result.findings]


@pytest.mark.parametrize("criterion", NOT_SUPPORTS, ids=lambda criterion: criterion.id)
def test_blank_form_leaves_every_rule_unknown(criterion):
    assert criterion.rule.decide(KINDS, {}) is None


def test_clear_case_fires_only_what_supports():
    result = assess(CLEAR_CASE, TODAY)

    assert result.disposition == "consider"
    assert {finding.category for finding in result.findings} == {"supports"}
    assert result.unknown == ()


def test_clear_brief_form_fires_nothing():
    assert fired(CLEAR_BRIEF) == set()


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=lambda criterion: criterion.id)
def test_example_uses_names_and_options_that_exist(criterion):
    assess(criterion.example, TODAY)

    assert set(criterion.example) <= {*QUESTIONS, *DERIVED}


def test_no_criterion_is_signed_yet():
    assert {(criterion.reviewed_by, criterion.reviewed_on) for criterion in CRITERIA.values()} == {("", None)}


def test_criterion_cannot_be_half_signed():
    with pytest.raises(CriterionError, match="signed by half"):
        replace(CRITERIA["CV-01"], reviewed_by="Ada")


def test_criterion_refuses_an_unknown_word():
    with pytest.raises(CriterionError, match="'someday' of CV-01"):
        replace(CRITERIA["CV-01"], respond_within="someday")


def test_criterion_names_every_answer_it_reads():
    rule = Expression("x", ("weight_kg",), (), "True", "True")

    with pytest.raises(CriterionError, match="reads weight_kg"):
        replace(CRITERIA["CV-01"], rule=rule)


def test_every_grave_interaction_feeds_a_criterion_of_its_level_or_graver():
    for found in INTERACTIONS.values():
        assert found.level in LEVELS
        assert set(found.criteria) <= CRITERIA.keys()
        if found.level in ("caution", "exclude_until_reviewed"):
            assert max(CRITERIA[key].category for key in found.criteria) >= Category[found.level.upper()]


@pytest.mark.parametrize("interaction_id", INTERACTIONS)
def test_interaction_alone_fires_its_criteria(interaction_id):
    needs_more = {"CV-05", "SUB-09"} if interaction_id == "DDI-07" else set()
    result = fired(form(interaction_levels=[interaction_id]))

    assert set(INTERACTIONS[interaction_id].criteria) - needs_more <= result


@pytest.mark.parametrize(
    ("follow_up", "parent", "option"),
    [(follow_up, parent, option) for follow_up, (parent, leads) in FOLLOW_UPS.items() for option in sorted(leads)],
)
def test_follow_up_is_asked_for_each_option_that_leads_to_it(follow_up, parent, option):
    assert is_asked(follow_up, {parent: [option]}) is True
    assert is_asked(follow_up, {parent: ["none"]}) is False
    assert is_asked(follow_up, {}) is None
