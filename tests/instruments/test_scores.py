"""Every threshold below, at, above and with a blank."""

from math import inf, nan

import pytest

from reprieve.instruments import INSTRUMENTS, AnswerError, score
from reprieve.instruments.score import Score


def summing_to(instrument: str, total: int) -> list[int]:
    """Answers with that total, the first items as high as they go."""
    answers = []
    for item in INSTRUMENTS[instrument].scored:
        answers.append(min(total, item.highest))
        total -= answers[-1]
    return answers


def cut(found: Score, name: str) -> str:
    return found.cut_points[name].result


@pytest.mark.parametrize(
    ("instrument", "total", "band"),
    [
        ("PHQ-9", 0, "minimal"),
        ("PHQ-9", 4, "minimal"),
        ("PHQ-9", 5, "mild"),
        ("PHQ-9", 9, "mild"),
        ("PHQ-9", 10, "moderate"),
        ("PHQ-9", 14, "moderate"),
        ("PHQ-9", 15, "moderately severe"),
        ("PHQ-9", 19, "moderately severe"),
        ("PHQ-9", 20, "severe"),
        ("PHQ-9", 27, "severe"),
        ("GAD-7", 0, "minimal"),
        ("GAD-7", 4, "minimal"),
        ("GAD-7", 5, "mild"),
        ("GAD-7", 9, "mild"),
        ("GAD-7", 10, "moderate"),
        ("GAD-7", 14, "moderate"),
        ("GAD-7", 15, "severe"),
        ("GAD-7", 21, "severe"),
        ("ISI", 0, "none"),
        ("ISI", 7, "none"),
        ("ISI", 8, "subthreshold"),
        ("ISI", 14, "subthreshold"),
        ("ISI", 15, "moderate"),
        ("ISI", 21, "moderate"),
        ("ISI", 22, "severe"),
        ("ISI", 28, "severe"),
        ("MADRS", 0, "normal/remission"),
        ("MADRS", 6, "normal/remission"),
        ("MADRS", 7, "mild"),
        ("MADRS", 19, "mild"),
        ("MADRS", 20, "moderate"),
        ("MADRS", 34, "moderate"),
        ("MADRS", 35, "severe"),
        ("MADRS", 60, "severe"),
    ],
)
def test_a_band_holds_both_its_ends(instrument, total, band):
    found = score(instrument, summing_to(instrument, total))

    assert (found.total, found.total_range, found.band) == (total, (total, total), band)


@pytest.mark.parametrize(
    ("instrument", "name", "at"),
    [
        ("PHQ-9", "depression", 10),
        ("GAD-7", "anxiety", 10),
        ("ISI", "community", 10),
        ("ISI", "clinical_insomnia", 15),
        ("ASRM", "mania", 6),
        ("MADRS", "above_remission_10", 11),
        ("MADRS", "above_remission_12", 13),
        ("PC-PTSD-5", "platform", 3),
        ("PC-PTSD-5", "published", 4),
        ("PCL-5", "platform", 33),
    ],
)
def test_a_cut_point_is_reached_at_the_cut(instrument, name, at):
    assert cut(score(instrument, summing_to(instrument, at)), name) == "at_or_above"
    assert cut(score(instrument, summing_to(instrument, at + 1)), name) == "at_or_above"
    assert cut(score(instrument, summing_to(instrument, at - 1)), name) != "at_or_above"


@pytest.mark.parametrize(
    ("instrument", "name", "total", "verdict"),
    [
        ("PHQ-9", "depression", 12, "undetermined"),  # the first item, worth 3, is blank
        ("PHQ-9", "depression", 13, "at_or_above"),
        ("ASRM", "mania", 9, "undetermined"),
        ("ASRM", "mania", 10, "at_or_above"),
        ("PC-PTSD-5", "platform", 3, "undetermined"),
        ("PC-PTSD-5", "platform", 4, "at_or_above"),
        ("PCL-5", "platform", 36, "undetermined"),
        ("PCL-5", "platform", 37, "at_or_above"),
    ],
)
def test_with_a_blank_a_cut_point_is_reached_only_by_what_is_known(instrument, name, total, verdict):
    answers = [None, *summing_to(instrument, total)[1:]]

    assert cut(score(instrument, answers), name) == verdict


@pytest.mark.parametrize(
    ("total", "verdict"),
    [(30, "below"), (31, "borderline"), (32, "borderline"), (33, "at_or_above")],
)
def test_pcl5_is_borderline_from_31_to_32(total, verdict):
    assert cut(score("PCL-5", summing_to("PCL-5", total)), "platform") == verdict


def test_a_blank_leaves_the_total_open_and_the_band_undetermined():
    found = score("PHQ-9", [1, 1, 1, 1, 0, 0, 0, 0, None])

    assert (found.total, found.total_range, found.band, found.missing) == (None, (4, 7), "undetermined", ("9",))


def test_a_blank_that_cannot_move_the_band_leaves_it_standing():
    assert score("PHQ-9", [3, 3, 3, 3, 3, 3, 3, 3, None]).band == "severe"


def test_zero_and_blank_differ_everywhere():
    for instrument in INSTRUMENTS.values():
        zeros = score(instrument, [0] * len(instrument.required))
        blanks = score(instrument, [None] * len(instrument.required))

        assert zeros.missing == ()
        assert blanks.missing == tuple(item.number for item in instrument.required)
        assert blanks.total is None
        assert blanks.total_range == instrument.total_bounds


# PCL-5: 1 of B, 1 of C, 2 of D, 2 of E at 2 or more


def pcl5(b=(0,) * 5, c=(0,) * 2, d=(0,) * 7, e=(0,) * 6):
    return score("PCL-5", [*b, *c, *d, *e])


FULL = {
    "b": (2, 0, 0, 0, 0),
    "c": (0, 2),
    "d": (2, 0, 2, 0, 0, 0, 0),
    "e": (0, 2, 2, 0, 0, 0),
}


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({}, "met"),
        ({"b": (1, 1, 1, 1, 1)}, "not_met"),
        ({"b": (1, 1, 1, 1, None)}, "undetermined"),
        ({"b": (2, None, None, None, None)}, "met"),
        ({"c": (1, 1)}, "not_met"),
        ({"c": (1, None)}, "undetermined"),
        ({"d": (4, 1, 1, 1, 1, 1, 1)}, "not_met"),
        ({"d": (4, 1, 1, 1, 1, 1, None)}, "undetermined"),
        ({"d": (1, 1, 1, 1, 1, 1, None)}, "not_met"),
        ({"e": (4, 1, 1, 1, 1, 1)}, "not_met"),
        ({"e": (4, None, 1, 1, 1, 1)}, "undetermined"),
        ({"e": (None, None, 1, 1, 1, 1)}, "undetermined"),
        ({"b": (None,) * 5, "c": (1, 1)}, "not_met"),  # what is blank cannot mend what is not met
    ],
)
def test_pcl5_pattern_is_met_by_what_is_known_or_left_open(change, pattern):
    assert pcl5(**(FULL | change)).results["provisional_ptsd"] == pattern


@pytest.mark.parametrize(
    ("answers", "verdict", "pattern", "agree"),
    [
        (FULL, "below", "met", "no"),
        ({"b": (4,) * 5, "c": (4, 4), "d": (4, 1, 1, 1, 0, 0, 0)}, "at_or_above", "not_met", "no"),
        ({}, "below", "not_met", "yes"),
        ({"b": (4,) * 5, "c": (4, 4), "d": (4, 4) + (0,) * 5, "e": (4, 4, 0, 0, 0, 0)}, "at_or_above", "met", "yes"),
        (FULL | {"b": (4,) * 5, "c": (0, 3)}, "borderline", "met", "undetermined"),
        (FULL | {"b": (4,) * 4 + (None,), "c": (0, 3)}, "undetermined", "met", "undetermined"),
    ],
)
def test_pcl5_says_whether_total_and_pattern_agree(answers, verdict, pattern, agree):
    found = pcl5(**answers)

    assert (cut(found, "platform"), found.results) == (verdict, {"provisional_ptsd": pattern, "rules_agree": agree})


def test_pcl5_clusters_are_ranges():
    found = pcl5(b=(1, 2, 3, 4, None), c=(4, 4))

    assert found.subscales == {"B": (10, 14), "C": (8, 8), "D": (0, 0), "E": (0, 0)}


# Self-harm items stand by themselves


@pytest.mark.parametrize(
    ("instrument", "key", "answer", "noted"),
    [
        ("PHQ-9", "item9", 0, False),
        ("PHQ-9", "item9", 1, True),
        ("PHQ-9", "item9", None, True),
        ("MADRS", "item10", 1, False),
        ("MADRS", "item10", 2, True),
        ("MADRS", "item10", None, True),
    ],
)
def test_the_self_harm_item_is_surfaced_whatever_the_total(instrument, key, answer, noted):
    others = len(INSTRUMENTS[instrument].required) - 1
    found = score(instrument, [0] * others + [answer])

    assert found.results == {key: answer}
    assert bool(found.notes) == noted


# Skips


@pytest.mark.parametrize(
    ("answers", "total_range", "missing"),
    [
        ([0, None, None], (0, 0), ()),
        ([0, 0, 0], (0, 0), ()),
        ([1, None, None], (1, 9), ("2", "3")),
        ([None, 2, 2], (4, 8), ("1",)),
        ([4, 4, 4], (12, 12), ()),
    ],
)
def test_auditc_asks_no_more_of_a_person_who_never_drinks(answers, total_range, missing):
    found = score("AUDIT-C", answers)

    assert (found.total_range, found.missing) == (total_range, missing)


@pytest.mark.parametrize(
    ("sex", "total", "cut_used", "verdict"),
    [
        ("female", 2, 3, "below"),
        ("female", 3, 3, "at_or_above"),
        ("male", 3, 4, "below"),
        ("male", 4, 4, "at_or_above"),
        (None, 2, 3, "below"),
        (None, 3, 3, "at_or_above"),
        ("not_stated", 3, 3, "at_or_above"),
    ],
)
def test_auditc_cut_point_follows_sex_and_is_the_lower_one_when_not_stated(sex, total, cut_used, verdict):
    found = score("AUDIT-C", [1, total - 1, 0], sex=sex)
    said = "Sex was not stated, so the lower cut point, 3, was used." in found.notes

    assert found.cut_points["hazardous_drinking"].cut_point.cut == cut_used
    assert cut(found, "hazardous_drinking") == verdict
    assert said == (sex not in ("female", "male"))


def test_auditc_notes_when_every_point_comes_from_how_often():
    assert len(score("AUDIT-C", [4, 0, 0], sex="female").notes) == 1
    assert score("AUDIT-C", [4, 1, 0], sex="female").notes == ()


USES_DRUGS = ["yes", "no", "yes", "no", "no", "no", "no", "no", "no", "no"]


@pytest.mark.parametrize(
    ("change", "total_range", "band"),
    [
        ({}, (1, 1), "low"),
        ({3: "no"}, (2, 2), "low"),
        ({3: None}, (1, 2), "low"),
        ({2: "yes", 3: "no"}, (3, 3), "moderate"),
        ({2: None, 3: "no"}, (2, 3), "undetermined"),
        ({2: "yes", 3: "no", 4: "yes", 5: "yes"}, (5, 5), "moderate"),
        ({2: "yes", 3: "no", 4: "yes", 5: "yes", 6: "yes"}, (6, 6), "substantial"),
        (dict.fromkeys((2, 4, 5, 6, 7, 8, 9), "yes"), (8, 8), "substantial"),
        (dict.fromkeys((2, 4, 5, 6, 7, 8, 9, 10), "yes"), (9, 9), "severe"),
        (dict.fromkeys((2, 4, 5, 6, 7, 8, 9, 10), "yes") | {3: "no"}, (10, 10), "severe"),
    ],
)
def test_dast10_scores_item_3_for_no(change, total_range, band):
    answers = dict(enumerate(USES_DRUGS, start=1)) | change
    found = score("DAST-10", answers)

    assert (found.total_range, found.band) == (total_range, band)


@pytest.mark.parametrize(
    ("answers", "total_range", "missing"),
    [
        (["no"] * 10, (0, 0), 0),
        (["no"] + [None] * 9, (0, 0), 0),
        ([None] + ["no"] * 9, (0, 2), 1),  # item 3 scores for no only in a person who uses drugs
        ([None] * 10, (0, 10), 10),
    ],
)
def test_dast10_is_zero_without_drug_use_whatever_item_3_says(answers, total_range, missing):
    found = score("DAST-10", answers)

    assert (found.total_range, len(found.missing)) == (total_range, missing)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({2: "yes"}, "below"),
        ({2: "yes", 4: "yes"}, "at_or_above"),
        ({2: "yes", 4: "yes", 5: "yes"}, "at_or_above"),
        ({2: "yes", 4: None}, "undetermined"),
        ({2: "yes", 4: "yes", 5: None}, "at_or_above"),
    ],
)
def test_dast10_asks_further_from_3(change, verdict):
    answers = dict(enumerate(USES_DRUGS, start=1)) | change

    assert cut(score("DAST-10", answers), "further_enquiry") == verdict


@pytest.mark.parametrize(
    ("answers", "total_range", "missing"),
    [
        (["no", None, None, None, None, None], (0, 0), ()),
        (["yes", "yes", None, "no", "no", "no"], (1, 2), ("2",)),
        ([None, "yes", "yes", "yes", "no", "no"], (3, 3), ("0",)),
        (["yes", "yes", "yes", "no", "no"], (3, 3), ()),  # five answers: the gate was not asked here
    ],
)
def test_pc_ptsd_5_ends_at_a_gate_answered_no(answers, total_range, missing):
    found = score("PC-PTSD-5", answers)

    assert (found.total_range, found.missing) == (total_range, missing)


@pytest.mark.parametrize(
    ("instrument", "answers", "total_range"),
    [
        ("AUDIT-C", [0, 4, 4], (0, 8)),
        ("DAST-10", ["no", "yes", "no", "no", "yes", "no", "no", "no", "no", "no"], (0, 2)),
        ("PC-PTSD-5", ["no", "yes", "yes", "yes", "no", "no"], (0, 3)),
    ],
)
def test_answers_that_contradict_a_skip_leave_the_total_open(instrument, answers, total_range):
    found = score(instrument, answers)

    assert (found.total, found.total_range) == (None, total_range)
    assert any("ask again" in note for note in found.notes)


# C-SSRS: items 1 to 6, then behaviour in the past 3 months


@pytest.mark.parametrize(
    ("answers", "tier", "at_least"),
    [
        ("n n - - - n -", "none", "none"),
        ("n n n n n n n", "none", "none"),
        ("y n - - - n -", "low", "low"),
        ("n y n n n n -", "low", "low"),
        ("y y y n n n -", "moderate", "moderate"),
        ("n n - - - y n", "moderate", "moderate"),
        ("y y n y n n -", "high", "high"),
        ("y y n n y n -", "high", "high"),
        ("n n - - - y y", "high", "high"),
        ("- - - y - - -", "high", "high"),  # high already, whatever the blanks
        ("- - - - - - y", "high", "high"),
        ("y y y y - n -", "high", "high"),
        ("- n - - - n -", "incomplete", "none"),
        ("n - - - - n -", "incomplete", "none"),
        ("n y - n n n -", "incomplete", "low"),
        ("n y n - n n -", "incomplete", "low"),
        ("n y n n - n -", "incomplete", "low"),
        ("n n - - - - -", "incomplete", "none"),
        ("n n - - - y -", "incomplete", "moderate"),
        ("y y y n - n -", "incomplete", "moderate"),
        ("- - - - - - -", "incomplete", "none"),
        ("n n - y - n -", "high", "high"),  # a contradiction never lowers the tier
        ("n n y - - n -", "moderate", "moderate"),
        ("n n - - - n y", "high", "high"),
    ],
)
def test_cssrs_tier_is_the_gravest_yes_and_a_blank_is_not_a_no(answers, tier, at_least):
    given = [{"y": "yes", "n": "no", "-": None}[mark] for mark in answers.split()]
    found = score("C-SSRS", given)

    assert (found.results["tier"], found.results["at_least"]) == (tier, at_least)
    assert (found.total, found.total_range, found.band) == (None, None, None)


def test_cssrs_names_the_items_answered_yes_and_the_follow_up_is_6a():
    found = score("cssrs", {1: "yes", 2: "no", 6: "yes", "6a": "no"})

    assert (found.results["yes_items"], found.missing) == (("1", "6"), ())


# ITQ: three clusters and impairment, twice

PTSD = {"P1": 2, "P2": 0, "P3": 0, "P4": 2, "P5": 2, "P6": 0, "P7": 0, "P8": 0, "P9": 2}
NO_DSO = dict.fromkeys(("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"), 1)
DSO = NO_DSO | {"C1": 2, "C4": 2, "C5": 2, "C9": 2}


@pytest.mark.parametrize(
    ("answers", "diagnosis"),
    [
        (PTSD | NO_DSO, "PTSD"),
        (PTSD | DSO, "CPTSD"),
        (PTSD | DSO | {"C9": 1}, "PTSD"),
        (PTSD | DSO | {"C9": None}, "undetermined"),
        (PTSD | DSO | {"P1": 1}, "neither"),
        (PTSD | DSO | {"P4": 1}, "neither"),
        (PTSD | DSO | {"P5": 1}, "neither"),
        (PTSD | DSO | {"P9": 1}, "neither"),
        (PTSD | DSO | {"P1": None}, "undetermined"),
        (PTSD | DSO | {"P2": None}, "CPTSD"),
        (PTSD | {"P1": 1} | dict.fromkeys(DSO), "neither"),
    ],
)
def test_itq_gives_one_diagnosis_or_leaves_it_open(answers, diagnosis):
    assert score("ITQ", answers).results["diagnosis"] == diagnosis


# CAPS-5: decided by what the clinician has entered

CAPS_SYMPTOMS = [2, 0, 0, 0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0]
CAPS_REST = {"22": "yes", "23": 2, "24": 0, "25": 0, "29": 0, "30": 0}


@pytest.mark.parametrize(
    ("change", "diagnosis", "subtype"),
    [
        ({}, "met", "not_met"),
        ({"1": 1}, "not_met", "not_met"),
        ({"1": None}, "undetermined", "not_met"),
        ({"22": "no"}, "not_met", "not_met"),
        ({"22": None}, "undetermined", "not_met"),
        ({"23": 1}, "not_met", "not_met"),
        ({"23": 1, "25": None}, "undetermined", "not_met"),
        ({"29": 2}, "met", "met"),
        ({"30": 1}, "met", "not_met"),
        ({"30": None}, "met", "undetermined"),
        ({"22": "no", "29": 4}, "not_met", "not_met"),
    ],
)
def test_caps5_diagnosis_needs_symptoms_duration_and_impairment(change, diagnosis, subtype):
    answers = {str(number): answer for number, answer in enumerate(CAPS_SYMPTOMS, start=1)} | CAPS_REST | change
    found = score("CAPS-5", answers)

    assert found.results["diagnosis_by_items"] == diagnosis
    assert found.results["dissociative_subtype"] == subtype


def test_caps5_totals_twenty_items_and_leaves_the_diagnosis_open_without_the_rest():
    found = score("CAPS-5", CAPS_SYMPTOMS)

    assert (found.total, found.subscales["D"], found.missing) == (12, (4, 4), ())
    assert found.results["symptoms"] == "met"
    assert found.results["diagnosis_by_items"] == "undetermined"


def test_lec5_lists_events_and_has_no_total():
    found = score("LEC-5", ["yes", None] + ["no"] * 15)

    assert (found.total, found.total_range, found.band) == (None, None, None)
    assert (found.results, found.missing) == ({"yes_items": ("1",)}, ("2",))


def test_cadss_6_keeps_the_numbers_of_the_long_form():
    found = score("CADSS-6", {1: 4, 2: 4, 6: 4, 7: 4, 15: 4, 22: 4})

    assert (found.total, found.band, found.cut_points) == (24, None, {})


# Answers that do not fit


@pytest.mark.parametrize("answer", [-1, 5, 1.5, nan, inf, True, False, "2", "yes", "", [1], {"value": 1}, 10**30])
def test_an_answer_outside_the_range_or_of_the_wrong_kind_is_refused(answer):
    with pytest.raises(AnswerError, match=r"PCL-5 item 20: .* whole number from 0 to 4, or null"):
        score("PCL-5", [0] * 19 + [answer])


@pytest.mark.parametrize("answer", [2, -1, 0.5, nan, "maybe", ""])
def test_a_yes_or_no_item_takes_yes_or_no(answer):
    with pytest.raises(AnswerError, match=r"C-SSRS item 6a: .* yes or no"):
        score("C-SSRS", ["no"] * 6 + [answer])


@pytest.mark.parametrize(
    ("answer", "read"),
    [("yes", 1), ("No", 0), (" YES ", 1), (True, 1), (False, 0), (1, 1), (0.0, 0), (None, None)],
)
def test_yes_and_no_may_be_said_in_several_ways(answer, read):
    assert score("C-SSRS", [answer] + ["no"] * 6).answers["1"] == read


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([0] * 19, "PCL-5: 19 answers; a list must hold 20,"),
        ([0] * 21, "PCL-5: 21 answers; a list must hold 20,"),
        ([], "PCL-5: 0 answers"),
        ({"21": 0}, "PCL-5 has no item '21'; its items are 1, 2,"),
        ({True: 0}, "PCL-5 has no item True"),
        ({"1": 0, 1: 0}, "PCL-5 item 1 is answered twice"),
        ("0" * 20, "is neither a list nor a mapping"),
        (b"0" * 20, "is neither a list nor a mapping"),
        (None, "None is neither a list nor a mapping"),
        (3, "3 is neither a list nor a mapping"),
        ({1, 2}, "is neither a list nor a mapping"),
    ],
)
def test_answers_that_do_not_fit_the_instrument_are_refused(answers, message):
    with pytest.raises(AnswerError, match=message):
        score("PCL-5", answers)


def test_extra_items_may_be_left_out_all_together():
    assert score("PHQ-9", [1] * 9).total == score("PHQ-9", [1] * 9 + [3]).total == 9
    with pytest.raises(AnswerError, match="a list must hold 20 or 30"):
        score("CAPS-5", [0] * 25)


def test_a_sex_we_do_not_know_is_refused():
    with pytest.raises(AnswerError, match="sex 'm'; it must be female, male or not_stated"):
        score("AUDIT-C", [0, 0, 0], sex="m")
