"""Each limit below it, at it, above it and unanswered."""

from datetime import date, timedelta

import pytest

from reprieve.candidacy import assess
from tests.candidacy.forms import LATER, TODAY, fired, form, unknown

GIVEN_ON = {"bp_reading_date": "2026-11-01"}


def among(ids, answers, today=TODAY):
    return fired(answers, today) & set(ids.split())


@pytest.mark.parametrize(
    ("systolic", "diastolic", "expected"),
    [
        (139, 89, set()),
        (140, 89, {"CV-13"}),
        (139, 90, {"CV-13"}),
        (140, 90, {"CV-13"}),
        (141, 89, {"CV-04"}),
        (139, 91, {"CV-04"}),
        (141, 90, {"CV-04"}),
        (179, 119, {"CV-04"}),
        (180, 89, {"CV-04", "CV-11"}),
        (139, 120, {"CV-04", "CV-11"}),
        (None, 89, set()),
        (None, None, set()),
    ],
)
def test_blood_pressure(systolic, diastolic, expected):
    answers = form(systolic_rest=systolic, diastolic_rest=diastolic)

    assert among("CV-04 CV-11 CV-13", answers) == expected
    if systolic is None:
        assert {"CV-04", "CV-11", "CV-13"} <= unknown(answers)


@pytest.mark.parametrize(("days_ago", "counts"), [(-1, False), (0, True), (90, True), (91, False)])
def test_old_blood_pressure_reading_does_not_count(days_ago, counts):
    taken = (TODAY - timedelta(days=days_ago)).isoformat()
    answers = form(systolic_last=141, diastolic_last=80, bp_reading_date=taken)

    assert ("CV-04" in fired(answers)) is counts
    assert ("CV-04" in unknown(answers)) is not counts


@pytest.mark.parametrize(
    ("systolic", "diastolic", "expected"),
    [(140, 90, set()), (141, 90, {"CV-04"}), (140, 91, {"CV-04"}), (180, 90, {"CV-04", "CV-11"})],
)
def test_reading_without_a_date_counts_only_when_it_is_high(systolic, diastolic, expected):
    assert among("CV-04 CV-11 CV-13", form(systolic_last=systolic, diastolic_last=diastolic)) == expected


def test_resting_reading_replaces_the_last_one():
    answers = form(systolic_last=185, diastolic_last=80, **GIVEN_ON, systolic_rest=122, diastolic_rest=78)

    assert among("CV-04 CV-11", answers) == set()


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("2008-11-23", {"AGE-01"}),  # 18 tomorrow
        ("2008-11-22", {"AGE-03"}),  # 18 today
        ("2001-11-23", {"AGE-03"}),  # 25 tomorrow
        ("2001-11-22", set()),
        ("1961-11-23", set()),  # 65 tomorrow
        ("1961-11-22", {"AGE-02"}),
        ("2009-11-22", {"AGE-01"}),
        ("2026-11-22", {"AGE-01"}),
        ("2027-01-01", {"AGE-01"}),
    ],
)
def test_age(birth_date, expected):
    assert among("AGE-01 AGE-02 AGE-03", form(birth_date=birth_date)) == expected


@pytest.mark.parametrize(
    ("today", "is_child"),
    [(date(2026, 2, 28), True), (date(2026, 3, 1), False), (date(2028, 2, 28), False), (date(2028, 2, 29), False)],
)
def test_age_of_a_person_born_on_29_february(today, is_child):
    assert ("AGE-01" in fired(form(birth_date="2008-02-29"), today)) is is_child


def test_age_not_given_is_looked_at_the_same_day():
    result = assess(form("birth_date"), TODAY)

    assert "AGE-01" in [row.criterion_id for row in result.unknown]
    assert result.respond_within == "same_day"


@pytest.mark.parametrize(("weight_kg", "fires"), [(49, True), (49.9, True), (50, False), (100, False), (101, True)])
def test_weight(weight_kg, fires):
    assert ("WT-01" in fired(form(weight_kg=weight_kg))) is fires


def test_weight_unanswered():
    assert "WT-01" in unknown(form())


def pcl5_of(total, met=True):
    """Twenty answers with that total; the pattern is met, or all of the points lie where they do not make it."""
    answers = [0] * 20
    at_least_2 = [0, 5, 7, 8, 14, 15] if met else []
    for place in at_least_2:
        answers[place] = 2
    spare = [place for place in range(20) if met or place > 6]  # no intrusion, no avoidance: pattern not met
    while sum(answers) < total:
        place = min(spare, key=lambda place: answers[place])
        answers[place] += 1
    return answers


@pytest.mark.parametrize(
    ("total", "met", "expected"),
    [
        (30, False, {"PSY-10"}),
        (30, True, {"PSY-17"}),
        (31, False, {"PSY-17"}),
        (31, True, {"PSY-17"}),
        (32, True, {"PSY-17"}),
        (33, True, {"PSY-09"}),
        (33, False, {"PSY-17"}),
    ],
)
def test_pcl5(total, met, expected):
    answers = form(**{**LATER, "pcl5": pcl5_of(total, met)})
    ids = {finding.criterion_id for finding in assess(answers, TODAY).findings}

    assert ids & {"PSY-09", "PSY-10", "PSY-17"} == expected


def test_pcl5_with_blanks_that_straddle_the_limit():
    answers = form(**{**LATER, "pcl5": [*pcl5_of(32)[:-1], None]})

    assert "PSY-17" in fired(answers)


def test_pcl5_unanswered():
    assert {"PSY-09", "PSY-17"} <= unknown(form(trauma_kind=["death_or_threat"]))


@pytest.mark.parametrize(
    ("yes", "blank", "expected"),
    [
        (2, 0, "not_met"),
        (3, 0, "met"),
        (2, 1, "undetermined"),
        (0, 2, "not_met"),
        (0, 3, "undetermined"),
        (5, 0, "met"),
    ],
)
def test_pc_ptsd_5(yes, blank, expected):
    said = ["yes"] * yes + [None] * blank + ["no"] * (5 - yes - blank)
    result = assess(form(**{f"pcptsd5_{number}": answer for number, answer in enumerate(said, start=1)}), TODAY)

    assert (result.ptsd_screen.low, result.ptsd_screen.high) == (yes, yes + blank)
    assert result.ptsd_screen.result == expected
    assert ("PSY-10" in [finding.criterion_id for finding in result.findings]) is (expected == "not_met")


def test_pcl5_overrules_the_short_screen_upwards():
    few_signs = {f"pcptsd5_{number}": "no" for number in range(1, 6)}

    assert "PSY-10" in fired(form(**few_signs))
    assert "PSY-10" not in fired(form(**few_signs, **LATER))


@pytest.mark.parametrize(
    ("sex", "points", "fires"),
    [
        ("female", 2, False),
        ("female", 3, True),
        ("male", 3, False),
        ("male", 4, True),
        ("not_stated", 2, False),
        ("not_stated", 3, True),
        (None, 2, False),
        (None, 3, True),
    ],
)
def test_auditc_by_sex(sex, points, fires):
    assert ("SUB-03" in fired(form(sex_for_cutoffs=sex, auditc=[points, 0, 0]))) is fires


def test_auditc_unanswered():
    assert "SUB-03" in unknown(form(sex_for_cutoffs="male"))


def dast10_of(points):
    """Item 3 is reversed: a no to it is a point."""
    yes = ["yes"] * points + ["no"] * (9 - points)
    return [*yes[:2], "yes", *yes[2:]]


@pytest.mark.parametrize(
    ("points", "expected"), [(2, set()), (3, {"SUB-04"}), (5, {"SUB-04"}), (6, {"SUB-10"}), (9, {"SUB-10"})]
)
def test_dast10(points, expected):
    assert among("SUB-04 SUB-10", form(dast10=dast10_of(points))) == expected


def test_dast10_unanswered():
    assert {"SUB-04", "SUB-10"} <= unknown(form())


@pytest.mark.parametrize(("bmi", "fires"), [(29.9, False), (30, True)])
def test_bmi_with_sleep_apnoea(bmi, fires):
    answers = form(conditions=["sleep_apnoea"], lung_detail=["cpap_used"], bmi=bmi)

    assert ("NEU-07" in fired(answers)) is fires


def test_bmi_is_computed_from_weight_and_height():
    assert "NEU-07" in fired(form(conditions=["sleep_apnoea"], weight_kg=86.7, height_cm=170))
    assert "NEU-07" not in fired(form(conditions=["sleep_apnoea"], weight_kg=86.6, height_cm=170))


@pytest.mark.parametrize(("qtc_ms", "fires"), [(469, False), (470, True)])
def test_qtc(qtc_ms, fires):
    assert ("CV-09" in fired(form(ecg_told_abnormal="no", qtc_ms=qtc_ms))) is fires


@pytest.mark.parametrize(("pulse", "fires"), [(100, False), (101, True), (None, False)])
def test_pulse_with_thyroid_tablets(pulse, fires):
    assert ("END-01" in fired(form(medicines=["thyroid_tablets"], pulse_rest=pulse))) is fires


@pytest.mark.parametrize(
    ("item9", "tier", "expected"),
    [
        (0, None, set()),
        (1, None, {"URG-03"}),
        (3, None, {"URG-03"}),
        (1, ["no", "no", None, None, None, "no", None], {"CAU-02"}),
        (1, ["no", None, None, None, None, "no", None], {"URG-03", "CAU-04"}),
        (1, ["yes", "no", None, None, None, "no", None], {"CAU-01"}),
        (0, ["no", "no", None, None, None, "no", None], set()),
        (None, None, {"CAU-04"}),
    ],
)
def test_phq9_item_9_and_the_screener(item9, tier, expected):
    answers = form(phq9=[0, 0, 0, 0, 0, 0, 0, 0, item9], cssrs=tier)
    if tier is None and item9 is None:
        answers["phq9"][0] = 1

    assert among("URG-03 CAU-01 CAU-02 CAU-04", answers) == expected


@pytest.mark.parametrize(
    ("screener", "expected"),
    [
        (["no", "no", None, None, None, "no", None], set()),
        (["yes", "no", None, None, None, "no", None], {"CAU-01"}),
        (["no", "yes", "no", "no", "no", "no", None], {"CAU-01"}),
        (["no", "yes", "yes", "no", "no", "no", None], {"URG-09"}),
        (["no", "yes", "no", "yes", "no", "no", None], {"URG-01"}),
        (["no", "yes", "no", "no", "yes", "no", None], {"URG-01"}),
        (["no", "no", None, None, None, "yes", "yes"], {"URG-01", "URG-02"}),
        (["no", "no", None, None, None, "yes", "no"], {"CAU-03"}),
        (["no", "no", None, None, None, "yes", None], {"CAU-04"}),
        (["no", "yes", None, None, None, "no", None], {"CAU-04"}),
        ([None] * 7, {"CAU-04"}),
    ],
)
def test_cssrs_tiers(screener, expected):
    assert among("URG-01 URG-02 URG-09 CAU-01 CAU-03 CAU-04", form(cssrs=screener)) == expected


@pytest.mark.parametrize(
    ("thoughts", "expected", "respond_within"),
    [
        ("none", set(), "routine"),
        ("wish_dead", {"CAU-01"}, "same_day"),  # lethal means not answered: SOC-04
        ("thoughts", {"CAU-01"}, "same_day"),
        ("method", {"URG-09"}, "same_day"),
        ("intent", {"URG-01"}, "immediate"),
        ("plan", {"URG-01"}, "immediate"),
        ("prefer_not_to_say", {"CAU-04"}, "same_day"),
        (None, {"CAU-04"}, "same_day"),
    ],
)
def test_suicidal_thoughts(thoughts, expected, respond_within):
    answers = form(suicidal_thoughts_month=thoughts)

    assert among("URG-01 URG-09 CAU-01 CAU-04", answers) == expected
    assert assess(answers, TODAY).respond_within == respond_within


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("never", set()),
        ("over_3_months", {"CAU-03"}),
        ("past_3_months", {"URG-02"}),
        ("prefer_not_to_say", {"CAU-04"}),
        (None, {"CAU-04"}),
    ],
)
def test_suicidal_behaviour(behaviour, expected):
    assert among("URG-02 CAU-03 CAU-04", form(suicidal_behaviour=behaviour)) == expected


@pytest.mark.parametrize(("mg_day", "fires"), [(3, False), (3.1, True), (None, True), ("not_applicable", True)])
def test_benzodiazepine_dose(mg_day, fires):
    assert ("MED-01" in fired(form(medicines=["benzodiazepine"], benzodiazepine_lorazepam_mg_day=mg_day))) is fires


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ("within_6_weeks", {"CV-06", "CV-10"}),
        ("6_weeks_to_12_months", {"CV-06"}),
        ("over_12_months", {"CV-07"}),
        ("not_sure", {"CV-06"}),
        ("not_applicable", {"CV-06"}),
        (None, {"CV-06"}),
    ],
)
def test_heart_attack_by_time(timing, expected):
    answers = form(conditions=["heart_attack_unstable"], heart_event_timing=timing)

    assert among("CV-06 CV-07 CV-10", answers) == expected


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("mild_over_3_months", {"NEU-03"}),
        ("mild_recent", {"NEU-02"}),
        ("severe", {"NEU-02"}),
        ("ongoing_problems", {"NEU-02"}),
        ("not_sure", {"NEU-02"}),
        ("not_applicable", {"NEU-02"}),
        (None, {"NEU-02"}),
    ],
)
def test_head_injury_by_detail(detail, expected):
    assert among("NEU-02 NEU-03", form(conditions=["head_injury"], head_injury_detail=detail)) == expected


@pytest.mark.parametrize(("failed", "expected"), [(1, False), (2, True)])
def test_antidepressants_failed(failed, expected):
    result = assess(form(antidepressants_failed=failed), TODAY)

    assert ("PSY-11" in [finding.criterion_id for finding in result.findings]) is expected


@pytest.mark.parametrize(("severity", "fires"), [(1, False), (2, True), (None, False)])
def test_dissociation_items_of_caps5(severity, fires):
    assert ("PSY-06" in fired(form(caps5_29=severity))) is fires


@pytest.mark.parametrize(("alt", "fires"), [(1, False), (1.1, True)])
def test_liver_enzymes(alt, fires):
    assert ("HEP-02" in fired(form(alt_times_upper=alt))) is fires
