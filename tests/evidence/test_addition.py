"""New rows are checked like the package's own, and say what they would change before anything is kept."""

from datetime import date

import pytest

from reprieve.evidence.addition import ADDABLE, compare, merge, recognise, summary, written
from reprieve.evidence.question import Question
from reprieve.evidence.rows import EvidenceError
from reprieve.evidence.tables import header, parse, read
from tests.evidence.invented import (
    HARM,
    KETAMINE,
    MIDAZOLAM,
    OF_ARM,
    RESULT,
    STUDY,
    TRIAL,
    csv_text,
    given,
    package_tables,
)

COUNTS = OF_ARM | {"kind": "responders", "mean": "", "sd": "", "events": "10", "n": "60"}
PERCENT = OF_ARM | {"kind": "responder_percent", "mean": "40", "sd": ""}
TWIN = {"provenance": "recalled", "source_url": "", "recalled_columns": "se"}

# What is wrong: the table, the row, what the message says after "new-TABLE.csv line 2, column "
BAD = {
    "negative SD": ("outcomes", OF_ARM | {"sd": "-9"}, "sd: '-9'; it must be greater than 0; check the sign"),
    "SD of zero": ("outcomes", OF_ARM | {"sd": "0"}, "sd: '0'; it must be greater than 0"),
    "negative standard error": ("outcomes", RESULT | {"se": "-2"}, "se: '-2'; it must be greater than 0"),
    "swapped interval": (
        "outcomes",
        RESULT | {"ci_low": "-0.1", "ci_high": "-8.3"},
        "ci_low: '-0.1'; ci_high is -8.3; the lower end comes first: swap the two",
    ),
    "interval beside its estimate": (
        "outcomes",
        RESULT | {"ci_low": "0.1", "ci_high": "8.3"},
        "ci_low: '0.1'; the estimate is -4.2; the lower end lies below it: check the signs",
    ),
    "unknown instrument": (
        "outcomes",
        RESULT | {"instrument": "CAPS-9"},
        "instrument: 'CAPS-9'; no such instrument in measures.csv; add its range",
    ),
    "p value of 0": ("outcomes", RESULT | {"p_value": "0"}, "p_value: '0'; it must be above 0 and at most 1; for a p"),
    "p value over 1": ("outcomes", RESULT | {"p_value": "1.2"}, "p_value: '1.2'; it must be above 0 and at most 1"),
    "one arm of two": ("outcomes", RESULT | {"arm_b": ""}, "arm_b: ''; one arm of two; name both arms of the contrast"),
    "size of one arm of two": ("outcomes", RESULT | {"n_a": ""}, "n_a: ''; one arm of two; give both n_a and n_b"),
    "an arm against itself": (
        "outcomes",
        RESULT | {"arm_b": "ketamine"},
        "arm_b: 'ketamine'; an arm cannot be compared",
    ),
    "NaN": ("outcomes", RESULT | {"mean": "NaN"}, "mean: 'NaN'; it must be a finite number; leave the cell empty"),
    "infinite": ("outcomes", RESULT | {"se": "inf"}, "se: 'inf'; it must be a finite number; leave the cell empty"),
    "a word for a number": (
        "outcomes",
        RESULT | {"mean": "lower"},
        "mean: 'lower'; it must be a number, such as -12.7",
    ),
    "decimal comma": ("outcomes", RESULT | {"mean": "-4,2"}, "mean: '-4,2'; it must be a number, such as -12.7"),
    "out of the scale's range": ("outcomes", OF_ARM | {"mean": "90"}, "mean: '90'; CAPS-5 runs from 0 to 80; check"),
    "percentage over 100": ("outcomes", PERCENT | {"mean": "120"}, "mean: '120'; a percentage lies between 0 and 100"),
    "more events than people": ("outcomes", COUNTS | {"events": "61"}, "events: '61'; 61 events in 60 people; events"),
    "events without people": ("outcomes", COUNTS | {"n": ""}, "events: '10'; responders needs events and n; give both"),
    "half a person": ("outcomes", COUNTS | {"events": "9.5"}, "events: '9.5'; it must be a whole number of people"),
    "unknown kind": ("outcomes", RESULT | {"kind": "guess"}, "kind: 'guess'; it must be one of 'mean', 'change'"),
    "unknown study": (
        "outcomes",
        RESULT | {"study_id": "nobody2026"},
        "study_id: 'nobody2026'; no such study_id in studies.csv; add it there first",
    ),
    "no study": ("outcomes", RESULT | {"study_id": ""}, "study_id: ''; this cell must not be empty; fill it in"),
    "unknown arm": (
        "outcomes",
        RESULT | {"arm_b": "saline"},
        "arm_b: 'saline'; 'saline' is no arm of okafor2026 in arms.csv; add the arm first",
    ),
    "recalled figures in a read row": (
        "outcomes",
        RESULT | {"recalled_columns": "se"},
        "recalled_columns: 'se'; a result marked read holds no figure from memory; put those into a recalled twin row",
    ),
    "read without an address": (
        "outcomes",
        RESULT | {"source_url": ""},
        "source_url: ''; a row marked read names",
    ),
    "unknown provenance": ("outcomes", RESULT | {"provenance": "seen"}, "provenance: 'seen'; it must be one of 'read'"),
    "harm percentage over 100": ("safety", HARM | {"percent": "120"}, "percent: '120'; it must lie between 0 and 100"),
    "more harmed than people": ("safety", HARM | {"n_events": "61"}, "n_events: '61'; 61 events in 60 people; events"),
    "unknown event": ("safety", HARM | {"event": "hiccups"}, "event: 'hiccups'; no such event in harms.csv; add which"),
    "unknown label": ("arms", KETAMINE | {"treatment": "hope"}, "treatment: 'hope'; no such label in treatments.csv"),
    "duration": ("arms", KETAMINE | {"duration": "long"}, "duration: 'long'; it must read as 12 days, 4 weeks"),
    "duplicate study": (
        "studies",
        STUDY | {"study_id": "feder2021"},
        "study_id: 'feder2021'; feder2021 stands already in studies.csv line 3; mend that row",
    ),
    "part of nothing": ("studies", STUDY | {"part_of": "nobody"}, "part_of: 'nobody'; no such study_id in studies.csv"),
    "people": ("studies", STUDY | {"people": "cats"}, "people: 'cats'; it must be one of empty, 'veterans'"),
    "id that stands": (
        "outcomes",
        RESULT | {"outcome_id": "feder2021-1"},
        "outcome_id: 'feder2021-1'; feder2021-1 stands already in outcomes.csv line",
    ),
    "result that stands": (
        "outcomes",
        RESULT | {"study_id": "feder2021", "timepoint_days": "14", "mean": "-11"},
        "outcome_id: 'feder2021-9'; the same result stands already as feder2021-1; mend that row instead of adding one",
    ),
    "harm that stands": (
        "safety",
        HARM | {"study_id": "feder2021", "event": "dropout", "n_events": "2", "n_total": "15"},
        "safety_id: 'feder2021-h14'; the same result stands already as feder2021-h1; mend that row",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_refused_with_file_line_column_rule_and_way_out(name):
    table, row, message = BAD[name]

    with pytest.raises(EvidenceError) as refused:
        merge(package_tables(), given(**(TRIAL | {table: [row, *TRIAL[table][1:]]})))

    assert str(refused.value).startswith(f"new-{table}.csv line 2, column {message}")


def test_a_study_that_differs_from_the_bad_ones_by_nothing_bad_is_taken():
    assert merge(package_tables(), given(**TRIAL)).study_ids == ("okafor2026",)


def test_the_line_is_that_of_the_file_and_not_of_the_table():
    rows = [RESULT, RESULT | {"timepoint_days": "7"}, RESULT | {"timepoint_days": "14", "instrument": "CAPS-9"}]

    with pytest.raises(EvidenceError, match=r"^new-outcomes\.csv line 4, column instrument: 'CAPS-9'"):
        merge(package_tables(), given(**(TRIAL | {"outcomes": rows})))


def test_two_new_rows_of_one_result_are_refused():
    with pytest.raises(EvidenceError, match=r"^new-outcomes\.csv line 3.* stands already as okafor2026-1"):
        merge(package_tables(), given(**(TRIAL | {"outcomes": [RESULT, RESULT | {"mean": "-5"}]})))


def test_a_second_recalled_twin_is_refused():
    rows = [RESULT, RESULT | TWIN, RESULT | TWIN | {"mean": "-5"}]

    with pytest.raises(EvidenceError, match=r"^new-outcomes\.csv line 4.* stands already as okafor2026-2"):
        merge(package_tables(), given(**(TRIAL | {"outcomes": rows})))


# --- the file itself --------------------------------------------------------------------------------------------------

NO_ROW = csv_text("outcomes")
FILES_REFUSED = {
    "missing column": (
        csv_text("outcomes", RESULT, drop="instrument"),
        "f.csv line 1, column instrument: missing; outcomes.csv needs it once: add it, empty where nothing was seen",
    ),
    "unknown column": (
        csv_text("outcomes", RESULT, extra="weight"),
        "f.csv line 1, column weight: outcomes.csv has no such column; take it out, or put its text into note",
    ),
    "column twice": (
        csv_text("outcomes", RESULT, extra="mean"),
        "f.csv line 1, column mean: there twice; outcomes",
    ),
    "another table's header": ("name,age\nBo,40\n", "f.csv line 1: the header is that of no table (studies, arms"),
    "nothing": ("", "f.csv line 1: the header is that of no table"),
    "no row": (NO_ROW, "f.csv line 2: no row below the header; give one row or more"),
    "empty line": (NO_ROW + "\n" + csv_text("outcomes", RESULT).split("\n")[1], "f.csv line 2: the line is empty"),
    "short row": (NO_ROW + "x,y\n", "f.csv line 2: the number of cells differs from the header; mend the commas"),
    "cell over two lines": (
        csv_text("outcomes", RESULT | {"note": "one\ntwo"}),
        "f.csv: a cell runs over the end of its line; keep each row on one line",
    ),
}


@pytest.mark.parametrize("name", FILES_REFUSED)
def test_a_file_that_is_no_table_is_refused(name):
    text, message = FILES_REFUSED[name]

    with pytest.raises(EvidenceError) as refused:
        recognise(text, "f.csv")

    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("table", ADDABLE)
def test_a_table_is_known_by_its_header(table):
    row = dict.fromkeys(header(table), "x")

    assert recognise(csv_text(table.removesuffix(".csv"), row), "f.csv").table == table


def test_columns_may_stand_in_any_order():
    text = csv_text("safety", HARM)
    turned = "\n".join(",".join(reversed(line.split(","))) for line in text.splitlines())

    assert recognise(turned, "f.csv").rows[0].cells["event"] == "nausea"


# --- what changes -----------------------------------------------------------------------------------------------------


def test_empty_ids_are_numbered_on():
    more = RESULT | {"study_id": "feder2021", "timepoint_days": "7"}
    added = merge(package_tables(), given(**(TRIAL | {"outcomes": [more, RESULT, RESULT | TWIN]})))

    assert added.ids("outcomes.csv") == ["feder2021-9", "okafor2026-1", "okafor2026-2"]
    assert added.ids("safety.csv") == ["okafor2026-h1"]


def test_the_files_may_come_in_any_order():
    assert merge(package_tables(), given(**TRIAL)[::-1]).after == merge(package_tables(), given(**TRIAL)).after


def test_the_answers_that_change_say_before_and_after():
    found = compare(merge(package_tables(), given(**TRIAL)))

    [change] = found.changes
    assert change.question == Question(window="24h")
    assert (change.before.numbers, change.before.directions) == (1, 1)
    assert (change.after.numbers, change.after.directions) == (2, 1)
    assert change.before.ordinary[0] == pytest.approx(0.4457, abs=1e-4)
    assert change.after.ordinary != change.before.ordinary
    assert change.after.with_directions != change.before.with_directions


def test_every_use_of_the_study_is_listed_with_its_reason():
    found = compare(merge(package_tables(), given(**TRIAL)))

    assert len(found.uses) == 12
    assert [use.question.window for use in found.uses if use.entry.use == "pooled"] == ["24h"]
    assert all(use.entry.why for use in found.uses)


def test_sentences_that_change_are_shown_both_ways():
    found = compare(merge(package_tables(), given(**TRIAL)))

    [wording] = [wording for wording in found.wordings if wording.id == "day-one"]
    assert wording.before.startswith("After one day: two trials.")
    assert wording.after.startswith("After one day: three trials.")


def test_a_result_for_a_study_that_stands_is_taken_and_its_claims_named():
    result = RESULT | {"study_id": "feder2021", "timepoint_days": "1", "n_a": "15", "n_b": "15"}
    found = compare(merge(package_tables(), given(outcomes=[result])))

    assert [change.question.window for change in found.changes] == ["24h"]
    assert found.claims
    assert all("feder2021" in (*claim.for_ids, *claim.against_ids) for claim in found.claims)


def test_a_result_from_memory_changes_no_answer():
    trial = TRIAL | {"outcomes": [RESULT | TWIN]}

    found = compare(merge(package_tables(), given(**trial)))

    assert found.changes == ()
    assert {use.entry.why for use in found.uses if use.question == Question(window="24h")} == {
        "its figures here come from memory and are left out unless asked for"
    }


def test_a_treatment_nobody_had_before_starts_from_nothing():
    label = {"label": "hope", "treatment": "hope", "words": "hope", "kind": "pill", "with_therapy": "false"}
    arms = [KETAMINE | {"arm_id": "hope", "treatment": "hope"}, MIDAZOLAM]
    result = RESULT | {"arm_a": "hope"}
    added = merge(package_tables(), given(treatments=[label], studies=[STUDY], arms=arms, outcomes=[result]))

    [change] = compare(added).changes

    assert (change.question.treatment, change.before.numbers, change.after.numbers) == ("hope", 0, 1)
    assert change.before.ordinary is None


def test_what_is_written_reads_back_as_what_was_shown():
    texts = {
        name: csv_text(name.removesuffix(".csv"), *rows)
        if name in ADDABLE
        else "version,released_on,change\n1,2026-01-01,First\n"
        for name, rows in package_tables().items()
    }
    added = merge(package_tables(), given(**TRIAL))

    new = written(texts, added, date(2026, 11, 30))

    assert set(new) == {"studies.csv", "arms.csv", "outcomes.csv", "safety.csv", "releases.csv"}
    assert new["releases.csv"].splitlines()[-1] == f'3,2026-11-30,"{summary(added)}"'
    kept = package_tables() | {name: parse(text, name) for name, text in new.items() if name != "releases.csv"}
    assert read(kept).outcomes == added.after.outcomes
    assert read(kept).harms == added.after.harms


def test_what_stood_stays_as_it_stood_to_the_byte():
    text = csv_text("safety", HARM | {"safety_id": "x-h1"}).replace("\n", "\r\n").rstrip()
    releases = "version,released_on,change\n"
    added = merge(package_tables(), given(safety=[HARM | {"study_id": "feder2021"}]))

    new = written({"safety.csv": text, "releases.csv": releases}, added, date(2026, 11, 30))["safety.csv"]

    assert new.startswith(f"{text}\r\n")
    assert new.endswith("\r\n")
    assert len(new.split("\r\n")) == 4
