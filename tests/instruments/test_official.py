"""Official wording, imported as a FHIR Questionnaire: taken when it fits, refused in one clear line when not.

The prompts here are invented; no official text lies in this project.
"""

import re
from copy import deepcopy

import pytest

from reprieve.instruments import INSTRUMENTS, WordingError, score, with_official_wording
from reprieve.instruments.instrument import OUR_WORDING
from reprieve.instruments.official import ORDINAL_VALUE

GAD_7, PCL_5, C_SSRS, DAST_10, ITQ = (INSTRUMENTS[name] for name in ("GAD-7", "PCL-5", "C-SSRS", "DAST-10", "ITQ"))


def option(weight, words=None):
    extension = [{"url": ORDINAL_VALUE, "valueDecimal": weight}]
    return {"extension": extension, "valueCoding": {"display": words or f"answer worth {weight}"}}


def question(item, options=None):
    options = options or [option(weight) for weight in range(item.lowest, item.highest + 1)]
    return {"linkId": item.number, "type": "choice", "text": f"Official prompt {item.number}", "answerOption": options}


def yes_no(item):
    return question(item, [option(item.points(1), "Yes"), option(item.points(0), "No")])


def questionnaire(instrument, ask=question):
    items = [ask(item) for item in instrument.items]
    return {"resourceType": "Questionnaire", "title": instrument.id, "copyright": "Its owner", "item": items}


def test_official_prompts_and_answers_replace_ours_and_the_rules_stay():
    official = with_official_wording(GAD_7, questionnaire(GAD_7))

    assert [item.prompt for item in official.items] == [f"Official prompt {n}" for n in range(1, 8)]
    assert official.items[0].choices == ("answer worth 0", "answer worth 1", "answer worth 2", "answer worth 3")
    assert (GAD_7.wording, official.wording) == (OUR_WORDING, "official wording: GAD-7; Its owner")
    assert score(official, [2] * 7).band == score(GAD_7, [2] * 7).band == "moderate"


def test_groups_are_opened_and_display_texts_passed_over():
    form = questionnaire(GAD_7)
    note = {"linkId": "note", "type": "display", "text": "Over the past weeks"}
    form["item"] = [note, {"linkId": "group", "type": "group", "item": [note, *form["item"]]}]

    assert with_official_wording(GAD_7, form).items[6].prompt == "Official prompt 7"


def test_weights_are_read_from_the_option_its_coding_or_an_integer():
    form = questionnaire(GAD_7)
    on_coding = [
        {"valueCoding": {"code": str(n), "extension": [{"url": ORDINAL_VALUE, "valueDecimal": float(n)}]}}
        for n in range(4)
    ]
    form["item"][0]["answerOption"] = on_coding[::-1]
    form["item"][1]["answerOption"] = [{"valueInteger": n} for n in range(4)]
    items = with_official_wording(GAD_7, form).items

    assert items[0].choices == items[1].choices == ("0", "1", "2", "3")


@pytest.mark.parametrize(
    "label",
    [
        {"linkId": "/69725-0"},
        {"linkId": "x", "code": [{"system": "http://loinc.org", "code": "69725-0"}]},
        {"linkId": "x", "prefix": "1."},
        {"linkId": "gad7-1"},
        {"linkId": "q1"},
        {"linkId": "GAD7.Q1"},
    ],
)
def test_a_question_says_which_item_it_is_by_code_prefix_or_link(label):
    form = questionnaire(GAD_7)
    form["item"][0] |= label

    assert with_official_wording(GAD_7, form).items[0].prompt == "Official prompt 1"


def test_extra_items_may_be_left_out():
    phq9 = INSTRUMENTS["PHQ-9"]
    form = questionnaire(phq9)
    del form["item"][9]

    assert [item.number for item in with_official_wording(phq9, form).items] == [str(n) for n in range(1, 10)]


def test_letters_in_item_numbers_are_kept():
    form = questionnaire(C_SSRS, yes_no)
    form["item"][0]["type"] = "boolean"
    del form["item"][0]["answerOption"]

    assert with_official_wording(C_SSRS, form).items[6].prompt == "Official prompt 6a"
    assert with_official_wording(ITQ, questionnaire(ITQ)).items[9].prompt == "Official prompt C1"


def test_a_reversed_item_must_score_for_no():
    form = questionnaire(DAST_10, yes_no)
    assert with_official_wording(DAST_10, form).items[2].prompt == "Official prompt 3"

    form["item"][2]["answerOption"] = [option(0, "No"), option(1, "Yes")]
    with pytest.raises(WordingError, match=r"'yes', and it must weigh 0; this item scores for no, so check"):
        with_official_wording(DAST_10, form)

    form["item"][2] |= {"type": "boolean", "answerOption": []}
    with pytest.raises(WordingError, match=r"so that they weigh \[0, 1\]"):
        with_official_wording(DAST_10, form)


def test_yes_must_weigh_1_elsewhere():
    form = questionnaire(C_SSRS, yes_no)
    form["item"][3]["answerOption"] = [option(1, "No"), option(0, "Yes")]

    with pytest.raises(WordingError, match=r"question 4 .* must have one answer 'yes', and it must weigh 1$"):
        with_official_wording(C_SSRS, form)


def broken(change):
    form = deepcopy(questionnaire(GAD_7))
    change(form, form["item"])
    return form


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ([], "GAD-7: not a FHIR Questionnaire; its resourceType must be Questionnaire"),
        ({"resourceType": "Patient"}, "GAD-7: not a FHIR Questionnaire"),
        ({"resourceType": "Questionnaire"}, "GAD-7: item: None is not a list"),
        ({"resourceType": "Questionnaire", "item": ["a"]}, "GAD-7: item: 'a' is not an object"),
        (broken(lambda form, items: items.pop()), "GAD-7: the Questionnaire asks 6 questions; it must ask 7"),
        (broken(lambda form, items: items.append(items[6])), "asks 8 questions; it must ask 7"),
        (broken(lambda form, items: items.reverse()), "question 1 (linkId '7') is item 7, where item 1 is due"),
        (broken(lambda form, items: items[2].update(linkId="2")), "question 3 (linkId '2') is item 2, where item 3"),
        (broken(lambda form, items: items[2].update(linkId="calm")), "does not say which item it is; give it linkId"),
        (broken(lambda form, items: items[2].pop("linkId")), "question 3 (linkId None) does not say which item"),
        (broken(lambda form, items: items[2].update(linkId="8")), "does not say which item it is"),
        (broken(lambda form, items: items[2].update(code="x")), "code: 'x' is not a list"),
        (broken(lambda form, items: items[2].update(text=" ")), "question 3 (linkId '3') has no text"),
        (broken(lambda form, items: items[2].update(text=5)), "question 3 (linkId '3') has no text"),
        (
            broken(lambda form, items: items[2].pop("answerOption")),
            "has answers that weigh []; list them as answerOption",
        ),
        (broken(lambda form, items: items[2]["answerOption"].pop()), "weigh [0, 1, 2]; list them"),
        (broken(lambda form, items: items[2]["answerOption"].append(option(4))), "so that they weigh [0, 1, 2, 3]"),
        (
            broken(lambda form, items: items[2].update(answerOption=[option(n) for n in (1, 2, 3, 4)])),
            "weigh [1, 2, 3, 4]",
        ),
        (
            broken(lambda form, items: items[2].update(answerOption=[option(n) for n in (0, 1, 1, 3)])),
            "weigh [0, 1, 1, 3]",
        ),
        (
            broken(lambda form, items: items[2]["answerOption"][1].pop("extension")),
            "'answer worth 1' weighs None; give it",
        ),
        (
            broken(lambda form, items: items[2].update(answerOption=[option(0.5)])),
            "weighs 0.5; give it an ordinalValue",
        ),
        (broken(lambda form, items: items[2].update(answerOption=[option(True)])), "weighs True; give it"),
        (broken(lambda form, items: items[2].update(answerOption=["x"])), "answerOption: 'x' is not an object"),
        (broken(lambda form, items: items[2].update(type="boolean", answerOption=[])), "weigh []; list them"),
    ],
)
def test_a_questionnaire_that_does_not_fit_is_refused(form, message):
    with pytest.raises(WordingError, match=re.escape(message)):
        with_official_wording(GAD_7, form)


def test_wrong_wording_on_pcl5_is_told_apart_by_place():
    form = questionnaire(PCL_5)
    form["item"][10], form["item"][11] = form["item"][11], form["item"][10]

    with pytest.raises(WordingError, match="is item 12, where item 11 is due"):
        with_official_wording(PCL_5, form)
