"""What is said in plain words follows the rows: change a row and the words change, take it away and they go."""

import re
from dataclasses import replace

import pytest

from reprieve.evidence import plain
from reprieve.evidence.answer import answer
from reprieve.evidence.claims import judged
from reprieve.evidence.question import Question
from reprieve.evidence.tables import FILES, Evidence, read, tables
from reprieve.sources import read_table

SENTENCES = {row["id"]: row for row in read_table("reprieve.evidence", "statements.csv")}
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def files() -> dict[str, list[dict[str, str]]]:
    return {name: read_table("reprieve.evidence", name) for name in FILES}


def with_cell(file: str, key: str, value: str, **cells: str) -> Evidence:
    changed = files()
    [row] = [row for row in changed[file] if row[key] == value]
    row |= cells
    return read(changed)


def without(file: str, key: str, value: str) -> Evidence:
    changed = files()
    changed[file] = [row for row in changed[file] if row[key] != value]
    return read(changed)


def test_every_sentence_can_be_made_and_names_its_rows():
    made = plain.make(tables())

    assert set(made) == set(SENTENCES)
    assert all(statement.cites for statement in made.values())
    assert not [s.id for s in made.values() if "{" in s.text or "nan" in s.text.split() or "  " in s.text]


@pytest.mark.parametrize("row", [row for row in SENTENCES.values() if not row["figure"]], ids=lambda row: row["id"])
def test_a_sentence_without_a_figure_holds_no_number_that_its_rows_do_not(row):
    evidence = tables()
    everything = {**evidence.outcomes, **evidence.harms, **evidence.guidelines}
    said = " ".join(str(everything[name]) for name in row["rows"].split(";"))

    assert [number for number in NUMBER.findall(row["text"]) if number not in NUMBER.findall(said)] == []


@pytest.mark.parametrize("row", [row for row in SENTENCES.values() if row["figure"]], ids=lambda row: row["id"])
def test_a_sentence_with_a_figure_holds_no_result_of_its_own(row):
    typed = [number for number in NUMBER.findall(row["text"]) if number not in ("100", str(plain.SMALL))]

    assert typed == []


def test_no_cited_row_is_from_memory_unmarked():
    marked = {cite.row_id for s in plain.make(tables()).values() for cite in s.cites if cite.mark}
    recalled = {row.id for row in tables().outcomes.values() if row.is_recalled}
    cited = {cite.row_id for s in plain.make(tables()).values() for cite in s.cites}

    assert cited & recalled <= marked


def test_the_largest_trial_is_told_as_its_row_stands():
    now = plain.make(tables())["largest-trial"].text
    for_ketamine = plain.make(
        with_cell("outcomes.csv", "outcome_id", "abdallah2022-2", direction="favours_a", instrument="CAPS-5")
    )["largest-trial"].text

    assert now.startswith(
        "The largest trial had 158 veterans and service members. For PTSD, ketamine did no better than a dummy drip."
    )
    assert "ketamine did better than a dummy drip" in for_ketamine


def test_counts_of_the_small_trial_come_from_its_rows():
    statement = plain.make(tables())["small-trial"]

    assert "67 of 100 people who had ketamine" in statement.text
    assert "it was 20 of 100" in statement.text
    assert {cite.study_id for cite in statement.cites} == {"feder2021"}

    more = plain.make(with_cell("outcomes.csv", "outcome_id", "feder2021-4", events="12"))["small-trial"]
    assert "80 of 100 people who had ketamine" in more.text


def test_the_fading_is_told_in_days_and_weeks():
    assert "about 4 weeks later (27.5 days)" in plain.make(tables())["fades"].text
    assert "fades" not in plain.make(without("outcomes.csv", "outcome_id", "feder2021-6"))


def test_guideline_words_follow_the_strength():
    assert plain.make(tables())["guideline-ketamine"].text == "It suggests not using ketamine for PTSD."

    stronger = with_cell("guidelines.csv", "guideline_id", "va-dod2023-9", strength="strong against")
    assert plain.make(stronger)["guideline-ketamine"].text == "It says not to use ketamine for PTSD."


def test_a_head_to_head_trial_would_change_the_words():
    changed = files()
    [arm] = [r for r in changed["arms.csv"] if (r["study_id"], r["arm_id"]) == ("feder2021", "midazolam")]
    arm["treatment"] = "sertraline"

    assert "none against sertraline" in plain.make(tables())["no-contest"].text
    assert "head to head in one trial" in plain.make(read(changed))["no-contest"].text


def test_the_review_says_when_the_gain_may_be_none():
    assert plain.make(tables())["pooled"].text.endswith("So it may be none at all.")


def test_a_window_without_a_number_gives_no_share():
    assert plain.make(tables())["four-weeks-after"].text == (
        "Four weeks after the last dose: one trial. One found no clear difference. That is too little to say how much."
    )


def test_a_trial_without_its_numbers_of_people_is_listed_with_the_reason():
    bare = with_cell("outcomes.csv", "outcome_id", "davidson2006_ven12w-1", n="")
    [entry] = [
        entry
        for entry in answer(Question(treatment="venlafaxine", window="end"), bare).entries
        if entry.study.id == "davidson2006_ven12w"
    ]

    assert entry.use == "not usable"
    assert "0 people" in entry.why


def test_every_claim_is_judged_with_its_sources_found():
    found = judged()

    assert [j.claim.id for j in found] == [f"c{n:02d}" for n in range(1, 14)]
    assert all(j.supporting or j.opposing for j in found)
    by_id = {j.claim.id: j for j in found}
    assert {cite.study_id for cite in by_id["c10"].opposing} == {"abdallah2022", "dadabayev2020", "duek2023"}
    assert [s.id for s in by_id["c11"].figures] == ["no-contest"]


def test_a_better_share_is_fifty_without_effect():
    assert plain.better_than_middle(0) == 50
    assert plain.better_than_middle(0.8) + plain.better_than_middle(-0.8) == 100


def test_a_sentence_of_rows_that_are_gone_is_not_shown():
    gone = replace(tables(), harms={k: v for k, v in tables().harms.items() if k != "abdallah2022-h1"})

    assert "feel-strange" not in plain.make(gone)
