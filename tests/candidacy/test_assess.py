import json
from datetime import date

import pytest

from reprieve.candidacy import BRIEF, CRITERIA, RULE_SET_VERSION, AnswerError, Assessment, assess
from tests.candidacy.forms import CLEAR_BRIEF, LATER, TODAY, fired, form, unknown


def findings(answers):
    return {finding.criterion_id: finding for finding in assess(answers, TODAY).findings}


def test_blank_form_fires_only_that_it_is_blank():
    result = assess({}, TODAY)

    assert result.disposition == "exclude_until_reviewed"
    assert result.respond_within == "same_day"
    assert [finding.criterion_id for finding in result.findings] == ["CAU-04", "CAU-05"]
    assert result.blanks == tuple(question.id for question in BRIEF)
    assert {row.criterion_id for row in (*result.unknown, *result.not_asked_yet)} == CRITERIA.keys() - {
        "CAU-04",
        "CAU-05",
    }


def test_clear_brief_form():
    result = assess(CLEAR_BRIEF, TODAY)

    assert result.disposition == "consider"
    assert result.respond_within == "routine"
    assert result.blanks == result.unsure == result.contradictions == result.unknown == ()
    assert result.ptsd_screen == (5, 5, 3, "met")
    assert result.rule_set_version == RULE_SET_VERSION
    assert result.today == TODAY


def test_brief_form_does_not_list_what_nobody_has_asked_yet():
    result = assess(CLEAR_BRIEF, TODAY)

    assert result.unknown == ()
    assert {"CV-11", "SOC-02", "PSY-13", "SUB-07", "MED-02"} <= {row.criterion_id for row in result.not_asked_yet}


def test_question_of_a_stage_that_was_reached_is_listed_when_blank():
    result = assess({**CLEAR_BRIEF, "weight_kg": 72}, TODAY)

    row = next(row for row in result.unknown if row.criterion_id == "SOC-02")
    assert row.missing == row.ask == ("driving_needed",)
    assert row.blank_means == "no_dose_until_known"


def test_unknown_tells_which_question_to_ask_for_a_derived_answer():
    row = next(row for row in assess(CLEAR_BRIEF, TODAY).not_asked_yet if row.criterion_id == "CV-11")

    assert row.missing == ("systolic", "diastolic")
    assert row.ask == ("systolic_rest", "systolic_last", "bp_reading_date", "diastolic_rest", "diastolic_last")


def test_set_up_of_the_clinic_does_not_open_the_consultation():
    result = assess({**CLEAR_BRIEF, "service_setting": "specialist_monitored"}, TODAY)

    assert result.unknown == ()
    assert "SOC-08" not in unknown({**CLEAR_BRIEF, "service_setting": "specialist_monitored"})


@pytest.mark.parametrize(
    ("answers", "disposition"),
    [
        ({"urgent_now": ["harm_others"], "conditions": ["avm"]}, "urgent"),
        ({"conditions": ["avm", "diabetes"], "trauma_exposure": "no"}, "exclude_until_reviewed"),
        ({"conditions": ["diabetes"], "trauma_exposure": "no"}, "not_indicated"),
        ({"conditions": ["diabetes"]}, "caution"),
        ({}, "consider"),
    ],
)
def test_gravest_finding_decides(answers, disposition):
    assert assess(form(**answers), TODAY).disposition == disposition


def test_findings_come_gravest_first():
    result = assess(form(urgent_now=["harm_others"], conditions=["diabetes", "avm"]), TODAY)

    assert [finding.criterion_id for finding in result.findings][:3] == ["URG-04", "CV-02", "END-03"]


def test_finding_tells_answers_source_and_mark():
    finding = findings(form(urgent_now=["harm_others"]))["URG-04"]

    assert finding.answers == {"urgent_now": ["harm_others"]}
    assert finding.source_url == "https://doi.org/10.1001/jamapsychiatry.2017.0080"
    assert finding.mark == "from memory, not yet checked"
    assert finding.rule == "'harm_others' in urgent_now"
    assert finding.respond_within == "immediate"


def test_finding_from_a_derived_answer_tells_the_raw_ones_too():
    finding = findings(form(systolic_last=150, diastolic_last=80, bp_reading_date="2026-11-01"))["CV-04"]

    assert finding.answers["systolic"] == finding.answers["systolic_last"] == 150
    assert finding.answers["bp_reading_date"] == "2026-11-01"


def test_blank_finding_names_the_open_answers():
    assert findings(form("suicidal_behaviour", urgent_now=["prefer_not_to_say"]))["CAU-04"].answers == {
        "urgent_now": ["prefer_not_to_say"],
        "suicidal_behaviour": None,
    }
    assert findings(form("pcptsd5_2", conditions=["avm", "not_sure"]))["CAU-05"].answers == {
        "conditions": ["avm", "not_sure"],
        "pcptsd5_2": None,
    }


def test_not_sure_is_noted_apart_from_blank():
    result = assess(form("wants_contact", escort_available="not_sure", substances=["prefer_not_to_say"]), TODAY)

    assert result.blanks == ("wants_contact",)
    assert set(result.unsure) == {"escort_available", "substances"}


def test_signs_are_not_blank_when_there_was_no_event():
    answers = form(*(f"pcptsd5_{number}" for number in range(1, 6)), trauma_exposure="no")

    assert assess(answers, TODAY).blanks == ()
    assert fired(answers) == {"PSY-10"}


def test_derived_answer_that_is_given_stands():
    answers = form("birth_date", age_years=17)

    assert "AGE-01" in fired(answers)
    assert assess(answers, TODAY).blanks == ()


def test_unknown_name_is_reported_and_not_used():
    result = assess({**form("suicidal_thoughts_month"), "suicidal_thought_month": "none", "": None}, TODAY)

    assert result.unknown_names == ("", "suicidal_thought_month")
    assert "suicidal_thoughts_month" in result.blanks


def test_supporting_findings_never_shorten_the_time_to_answer():
    result = assess(CLEAR_BRIEF, TODAY)

    assert "SUP-01" in [finding.criterion_id for finding in result.findings]
    assert result.respond_within == "routine"


def test_later_form_answer_does_not_stand_down_an_urgent_one():
    screener_clear = ["no", "no", None, None, None, "no", None]
    answers = form(suicidal_thoughts_month="plan", phq9=[0] * 9, cssrs=screener_clear)

    assert assess(answers, TODAY).disposition == "urgent"
    assert "SOC-07" in fired(answers)


def test_clinician_stands_a_finding_down_where_the_rule_says_so():
    assert "PSY-01" in fired(form(mind_recent=["hears_sees"]))
    assert "PSY-01" not in fired(form(mind_recent=["hears_sees"], psychosis_now="trauma_related_only"))
    assert "PSY-01" in fired(form(mind_recent=["none"], psychosis_now="present"))


def test_finding_ruled_out_stays_visible_and_no_longer_counts():
    reviewed = [{"criterion_id": "CV-02", "reason": "MRI of 3 May shows no AVM."}]
    result = assess(form(conditions=["avm"], criteria_ruled_out=reviewed), TODAY)

    assert result.disposition == "consider"
    assert result.findings[0].criterion_id == "CV-02"
    assert result.findings[0].reviewed
    assert result.findings[0].reason == "MRI of 3 May shows no AVM."


@pytest.mark.parametrize(
    ("criterion_id", "why"),
    [
        ("URG-01", "urgent and cannot be ruled out"),
        ("CV-11", "urgent and cannot be ruled out"),
        ("XX-1", "not a criterion"),
    ],
)
def test_what_cannot_be_ruled_out(criterion_id, why):
    with pytest.raises(AnswerError, match=why):
        assess({"criteria_ruled_out": [{"criterion_id": criterion_id, "reason": "because"}]}, TODAY)


def test_ruling_out_needs_a_reason():
    with pytest.raises(AnswerError, match="has no reason"):
        assess({"criteria_ruled_out": [{"criterion_id": "CV-02", "reason": " "}]}, TODAY)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"conditions": ["none", "avm"]}, "“none” is ticked together with “A tangle of blood vessels (AVM)”"),
        ({"urgent_now": ["none", "withdrawal"]}, "“none” is ticked together with"),
        ({"phq9": [0] * 8 + [2]}, "“No thoughts of dying or ending my life”; but PHQ-9 item 9 is 2."),
        ({"cssrs": ["yes", "no", None, None, None, "no", None]}, "but C-SSRS screener: yes to item 1."),
        ({"suicidal_thoughts_month": "plan", "cssrs": ["no", "no", None, None, None, "no", None]}, "no to item 2."),
        ({"cssrs": ["no", "no", None, None, None, "yes", "no"]}, "“No, never”; but C-SSRS screener: yes to item 6."),
        ({"suicidal_behaviour": "over_3_months", "cssrs": ["no", "no", None, None, None, "no", None]}, "no to item 6."),
        (
            {"trauma_exposure": "no", "trauma_kind": ["serious_injury"]},
            "“No”; but the worst event involved “Serious injury”.",
        ),
        (
            {"seizure_detail": "past_12_months"},
            "“In the past year”; but no condition that leads to this question is ticked",
        ),
        ({"lung_detail": ["home_oxygen"]}, "no condition that leads to this question is ticked"),
        ({"birth_date": "2030-01-01"}, "The date of birth makes the person -4 years old today."),
        ({"birth_date": "1900-01-01"}, "The date of birth makes the person 126 years old today."),
        ({"systolic_rest": 80, "diastolic_rest": 80}, "(80) is not below the top number (80)"),
    ],
)
def test_contradiction_names_both_answers(answers, sentence):
    result = assess(form(**answers), TODAY)

    assert [said for said in result.contradictions if sentence in said] != []
    assert "SOC-07" in fired(form(**answers))


@pytest.mark.parametrize(
    "answers",
    [
        {"seizure_detail": "not_applicable"},
        {"heart_event_timing": "never"},
        {"lung_detail": ["none"]},
        {"systolic_rest": 81, "diastolic_rest": 80},
        {"conditions": ["seizures"], "seizure_detail": "past_12_months"},
    ],
)
def test_no_contradiction(answers):
    assert assess(form(**answers), TODAY).contradictions == ()


def test_contradiction_is_answered_the_same_day_only_when_safety_is_involved():
    assert findings(form(conditions=["none", "diabetes"]))["SOC-07"].respond_within == "at_consult"
    assert assess(form(conditions=["none", "diabetes"]), TODAY).respond_within == "routine"
    assert findings(form(urgent_now=["none", "harm_others"]))["SOC-07"].respond_within == "same_day"
    assert findings(form(contradiction=True))["SOC-07"].respond_within == "same_day"


def test_none_with_another_option_counts_as_the_other():
    assert "CV-02" in fired(form(conditions=["none", "avm"]))


def test_medicine_list():
    lines = ["Xanax 0.5", "calm drops", "fuloxetine", "none"]
    result = assess(form(medicine_list=lines), TODAY)

    assert [(hit.id, hit.level, hit.ingredient, hit.line) for hit in result.interactions] == [
        ("DDI-01", "caution", "alprazolam", "Xanax 0.5")
    ]
    assert result.unrecognised_medicines == ("calm drops", "fuloxetine")
    assert result.unclear_medicines == {"fuloxetine": ("duloxetine", "fluoxetine")}


def test_line_not_recognised_keeps_an_interaction_open():
    assert "MED-02" in unknown(form(medicine_list=["calm drops"]))
    assert "MED-02" not in unknown(form(medicine_list=["sertraline"]))
    assert "MED-02" not in unknown(form(medicine_list=["none"]))


def test_medicine_list_beside_the_brief_form_opens_no_later_stage():
    assert assess(form(medicine_list=["sertraline"]), TODAY).unknown == ()
    assert "MED-02" in [row.criterion_id for row in assess(form(medicine_list=["calm drops"]), TODAY).unknown]


def test_medicine_not_yet_named_fires_until_the_list_is_settled():
    ticked = form(medicines=["infection_epilepsy_hiv"])

    assert "MED-07" in fired(ticked)
    assert "MED-07" in fired({**ticked, "medicine_list": ["calm drops"]})
    assert "MED-07" not in fired({**ticked, "medicine_list": ["sertraline"]})
    assert "MED-07" in fired({**ticked, "medicine_list": ["Tegretol 200mg"]})


@pytest.mark.parametrize(
    ("ticked", "lines", "expected"),
    [
        (["none"], None, set()),
        (["opioid"], None, {"MED-04"}),
        (["opioid", "benzodiazepine"], None, {"MED-04", "MED-11"}),
        (["opioid"], ["codeine 30 mg"], {"MED-04"}),  # the same class once
        (["opioid"], ["codeine 30 mg", "zopiclone"], {"MED-04", "MED-11"}),
        (["opioid"], ["zopiclone"], {"MED-04", "MED-11"}),
        (["other"], ["sodium oxybate"], {"MED-04", "MED-11"}),
        (["opioid", "not_sure"], None, {"MED-04"}),
        (["not_sure"], ["codeine"], {"MED-04"}),
        (["opioid", "benzodiazepine", "not_sure"], None, {"MED-04", "MED-11"}),
        (None, ["codeine", "zopiclone"], {"MED-04", "MED-11"}),
        (["not_sure"], None, set()),
    ],
)
def test_depressants_are_counted_by_class(ticked, lines, expected):
    assert fired(form(medicines=ticked, medicine_list=lines)) & {"MED-04", "MED-11"} == expected


def test_one_depressant_with_sleep_apnoea_is_graver():
    assert "MED-11" in fired(form(medicines=["opioid"], conditions=["sleep_apnoea"]))


def test_veteran_rule_is_for_the_united_states_only():
    depressed = {"antidepressants_failed": 4, "phq9": [2] * 8 + [0], "veteran_status": "yes"}
    sorted_out = {"bipolar_history": "absent", "psychosis_history": "none"}
    at_home = findings(form(**depressed, **sorted_out))

    assert "PSY-15" in at_home
    assert "PSY-15" not in findings(form(**depressed, **sorted_out, country_region="GB"))


@pytest.mark.parametrize(
    "answers", [{}, CLEAR_BRIEF, {**CLEAR_BRIEF, **LATER}, {"medicine_list": ["fuloxetine", "Xanax"]}]
)
def test_assessment_survives_json_as_it_stood(answers):
    result = assess(answers, TODAY)
    plain = result.as_dict()

    assert json.loads(json.dumps(plain)) == plain
    assert Assessment.from_dict(json.loads(json.dumps(plain))) == result


def test_assessment_does_not_change_with_the_answers_it_came_from():
    ticked = ["avm"]
    result = assess({"conditions": ticked}, TODAY)
    ticked.append("diabetes")

    assert findings({"conditions": ["avm"]})["CV-02"].answers == result.findings[0].answers == {"conditions": ["avm"]}


def test_answers_are_left_as_they_were():
    answers = form()
    before = json.dumps(answers)
    assess(answers, TODAY)

    assert json.dumps(answers) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cssrs_tier", "grave"),
        ("safety_blank", "yes"),
        ("age_years", "17"),
        ("age_years", True),
        ("interaction_levels", ["DDI-99"]),
        ("interaction_levels", "DDI-01"),
    ],
)
def test_derived_answer_given_is_checked(name, value):
    with pytest.raises(AnswerError, match=name):
        assess({name: value}, TODAY)


def test_today_decides_the_age():
    assert "AGE-01" in fired(form(birth_date="2008-11-22"), date(2026, 11, 21))
    assert "AGE-01" not in fired(form(birth_date="2008-11-22"), date(2026, 11, 22))
