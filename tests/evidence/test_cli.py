"""``reprieve evidence`` on the package's own tables: a table for people, one JSON document, CSV rows, a picture."""

import csv
import inspect
import json
import os
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from reprieve.cli import cli, pooled
from reprieve.evidence.addition import ADDABLE, merge
from reprieve.evidence.censored import posterior
from reprieve.evidence.question import Question
from reprieve.evidence.tables import header, tables
from tests.evidence.invented import KETAMINE, MIDAZOLAM, RESULT, STUDY, TRIAL, csv_text, given, package_tables

COMMANDS = (
    "studies",
    "studies feder2021",
    "studies --treatment sertraline",
    "studies --pending",
    "pool",
    "pool --outcome response --window end",
    "claims",
    "claims c06",
    "safety",
    "guidelines",
    "guidelines --topic ketamine",
    "mechanism",
    "mechanism --claim c06",
    "durability",
    "network",
    "releases",
)
PICTURES = ("pool", "pool --window 4w --outcome remission", "safety", "durability", "network")


def evidence(words: str, *more: str):
    """Run ``reprieve evidence`` with these words."""
    return CliRunner().invoke(cli, ["evidence", *words.split(), *more])


def as_json(words: str, *more: str):
    """The document that the command prints."""
    run = evidence(words, "--json", *more)
    assert run.exit_code == 0, run.stderr
    return json.loads(run.stdout)


def as_csv(words: str, *more: str):
    """The rows that the command prints."""
    run = evidence(words, "--csv", *more)
    assert run.exit_code == 0, run.stderr
    return list(csv.DictReader(StringIO(run.stdout)))


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_prints_a_table_a_document_and_rows(words):
    run = evidence(words)

    assert (run.exit_code, run.stderr) == (0, "")
    assert run.stdout.strip()
    assert as_json(words)
    assert all(None not in row for row in as_csv(words))
    assert as_csv(words)


@pytest.mark.parametrize("words", PICTURES)
@pytest.mark.parametrize("look", [(), ("--dark",)])
def test_a_picture_is_drawn_as_svg(words, look, tmp_path):
    file = tmp_path / "picture.svg"

    run = evidence(words, "--plot", str(file), *look)

    assert (run.exit_code, run.stderr) == (0, f"Drawn: {file}\n")
    assert file.read_text().startswith("<svg")


def test_a_picture_is_drawn_as_png(tmp_path):
    file = tmp_path / "picture.PNG"

    assert evidence("pool", "--plot", str(file)).exit_code == 0
    assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("pool --window 9y", "window '9y'; it must be one of 24h, 1w, end, 4w"),
        ("pool --outcome joy", "outcome 'joy'; it must be one of ptsd, depression, response, remission"),
        ("pool --comparator none", "comparator 'none'; it must be one of any, active, inactive"),
        ("pool --people cats", "people 'cats'; it must be one of any, veterans, others"),
        ("pool --treatment aspirin", "treatment 'aspirin'; no study had it: choose from "),
        ("pool --method MH", "method 'MH' is not known; use one of common, DL, REML, PM"),
        ("pool --interval wide", "interval method 'wide' is not known; use normal or hartung-knapp"),
        ("pool --correlation 1", "correlation 1; it must lie between -1 and 1, such as 0.5"),
        ("pool --correlation nan", "correlation nan; it must lie between -1 and 1, such as 0.5"),
        ("pool --plot forest.jpg", "--plot forest.jpg: the name must end in .svg or .png, such as forest.svg"),
        ("pool --plot /nowhere/forest.svg", "--plot /nowhere/forest.svg: No such file or directory; give a place that"),
        ("pool --json --csv", "--json and --csv together; give one of them"),
        ("studies nobody", "study 'nobody' is not in studies.csv; ask for one such as "),
        ("studies --treatment hope", "treatment 'hope'; it must be one of "),
        ("claims c99", "claim 'c99'; it must be one of c01, c02"),
        ("mechanism --claim c99", "claim 'c99'; it must be one of c01, c02"),
        ("guidelines --topic dance", "topic 'dance'; no guideline row has it: choose a word from "),
        ("safety --treatment hope", "treatment 'hope'; no harm row is about it: choose from "),
        ("add", "no file; give one CSV file or more, or --template outcomes for a header to begin with"),
        ("add nowhere.csv", "nowhere.csv: No such file or directory; give a file that can be read"),
        ("add --template claims", "--template claims: rows can be added to studies, arms, outcomes, safety, "),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words, message):
    run = evidence(words)

    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr.startswith(message)
    assert run.stderr.count("\n") == 1


# --- studies ----------------------------------------------------------------------------------------------------------


def test_one_study_is_told_with_row_ids_marks_and_addresses():
    told = as_json("studies feder2021")

    assert told["study"]["row"] == "feder2021"
    assert {row["row"] for row in told["results"]} == {row.id for row in tables().outcomes_of("feder2021")}
    assert {row["row"] for row in told["harms"]} == {row.id for row in tables().harms_of("feder2021")}
    for row in (*told["arms"], *told["results"], *told["harms"]):
        assert row["mark"]
        assert row["address"] or row["mark"] == "from memory, not yet checked"


def test_studies_are_filtered():
    pending = as_json("studies --pending")["studies"]
    sertraline = as_json("studies --treatment sertraline")["studies"]

    assert {row["role"] for row in pending} == {"pipeline"}
    assert "brady2000" in {row["study"] for row in sertraline}
    assert "feder2021" not in {row["study"] for row in sertraline}


# --- pool -------------------------------------------------------------------------------------------------------------


def test_the_answer_a_day_after_the_first_dose():
    told = as_json("pool --outcome ptsd --window 24h --comparator any")

    used = {row["study_id"]: row["use"] for row in told["studies"]}
    assert used["feder2014"] == "pooled"
    assert used["dadabayev2020"] == "direction only"
    assert set(used.values()) == {"pooled", "direction only", "not usable"}
    assert all(row["why"] for row in told["studies"])
    assert [row["k"] for row in told["together"]] == [1, 2, 2]
    assert told["question"]["words"] == "ketamine and PTSD symptoms, one day after the first dose"


def test_one_number_is_called_one_number():
    said = " ".join(as_json("pool --window end")["said"])

    assert "One trial gives a number (k = 1): nothing is pooled, heterogeneity cannot be seen" in said
    assert "1 more trial gives a direction only." in said


def test_no_number_is_called_none():
    said = " ".join(as_json("pool --window 1w")["said"])

    assert "No trial gives a number (k = 0); 3 trials give a direction only." in said


def test_nothing_at_all_is_not_no_effect():
    told = as_json("pool --window 1w --outcome remission")

    assert told["together"] == []
    assert "No trial answers this question (k = 0)." in " ".join(told["said"])
    assert "that is not the same as no effect" in " ".join(told["said"])


def test_ratios_are_shown_as_ratios():
    told = as_json("pool --outcome response --window end")

    [row] = [row for row in told["studies"] if row["use"] == "pooled"]
    assert row["estimate"] == pytest.approx((10 / 15) / (3 / 15))
    assert told["together"][0]["estimate"] == pytest.approx(row["estimate"])
    assert "Effects are risk ratios" in told["said"][0]


def test_an_estimate_that_nothing_bounds_is_null_and_said_in_words():
    told = as_json("pool --outcome depression --window end")
    shown = evidence("pool --outcome depression --window end").stdout

    assert told["together"][0]["ci_high"] is None
    assert "to no limit)" in shown
    assert "inf" not in shown.replace("infusion", "").replace("infinite", "").replace("interval", "")


def test_recalled_figures_are_said_on_every_output(tmp_path):
    picture = tmp_path / "forest.svg"
    run = evidence("pool --include-recalled", "--plot", str(picture))
    told = as_json("pool --include-recalled")
    rows = as_csv("pool --include-recalled")

    assert "WARNING: figures from memory, not yet checked, were allowed (--include-recalled)" in run.stdout
    assert "(FROM MEMORY)" in run.stdout
    assert (told["include_recalled"], told["recalled_rows_used"]) == (True, ["feder2014-2"])
    assert {row["include_recalled"] for row in rows} == {"yes"}
    assert [row["study_id"] for row in rows if row["from_memory"] == "yes"] == ["feder2014"]
    assert "from memory" in picture.read_text()


@pytest.mark.parametrize("words", ["pool", "pool --window end", "safety", "durability"])
def test_a_picture_says_that_figures_from_memory_were_allowed(words, tmp_path):
    plain, whole = tmp_path / "plain.svg", tmp_path / "whole.svg"

    evidence(words, "--plot", str(plain))
    evidence(words, "--plot", str(whole), "--include-recalled")

    assert "from memory" not in plain.read_text()
    assert "rom memory" in whole.read_text()


def test_without_asking_nothing_recalled_is_used():
    told = as_json("pool")

    assert (told["include_recalled"], told["recalled_rows_used"]) == (False, [])
    assert not any(row["from_memory"] for row in told["studies"])


@pytest.mark.parametrize(
    ("option", "study", "why"),
    [
        ("--comparator inactive", "feder2014", "compared with midazolam: not the comparator asked for"),
        ("--comparator active", "dadabayev2020", "compared with ketorolac: not the comparator asked for"),
        ("--people veterans", "feder2014", "not a trial of veterans"),
        ("--people others", "dadabayev2020", "a trial of veterans"),
        ("--without-single-centre", "feder2014", "from one centre"),
        ("--numbers-only", "dadabayev2020", "gives a direction only"),
    ],
)
def test_what_the_question_leaves_out_is_listed_with_the_reason(option, study, why):
    [row] = [row for row in as_json(f"pool {option}")["studies"] if row["study_id"] == study]

    assert (row["use"], row["why"]) == ("left out", why)


def test_other_groups_pools_stand_beside_and_are_never_pooled():
    told = as_json("pool --window 24h")

    others = {row["row_ids"][0]: row for row in told["other_reviews_never_pooled"]}
    assert others["borgogna2024-3"]["estimate"] == pytest.approx(0.35)
    assert (others["borgogna2024-3"]["ci_low"], others["borgogna2024-3"]["ci_high"]) == (0.06, 0.64)
    assert "borgogna2024" not in {row["study_id"] for row in told["studies"]}
    assert {row["analysis"] for row in others.values() if row["day"] is None} == {"all times", "bias adjusted"}
    assert as_json("pool --outcome depression")["other_reviews_never_pooled"] == []


def test_further_tables_come_with_the_pool_they_need():
    words = "pool --treatment sertraline --outcome response --window end --leave-one-out --cumulative --small-studies"
    told = as_json(f"{words} --crossover-sensitivity")

    assert [row["without"] for row in told["leave_one_out"]] == ["Brady 2000", "Davidson 2001"]
    assert [(row["up_to"], row["k"]) for row in told["cumulative"]] == [("Brady 2000", 1), ("Davidson 2001", 2)]
    assert told["cumulative"][-1]["estimate"] == pytest.approx(told["together"][0]["estimate"])
    assert told["small_studies"].startswith("2 trials cannot show whether small trials find more")
    assert told["crossover_sensitivity"].startswith("no crossover trial is used here")


def test_three_trials_or_more_are_asked_whether_small_ones_find_more():
    trials = {"studies": [], "arms": [], "outcomes": []}
    for number, (mean, se) in enumerate([("-4", "2"), ("-9", "4"), ("-6", "3")]):
        name = {"study_id": f"okafor{number}", "year": f"202{number}"}
        trials["studies"].append(STUDY | name)
        trials["arms"] += [KETAMINE | name, MIDAZOLAM | name]
        trials["outcomes"].append(RESULT | name | {"mean": mean, "se": se})
    after = merge(package_tables(), given(**trials)).after

    told = pooled.report(Question(), after, [pooled.small_trials, pooled.left_out_in_turn, pooled.by_year]).document

    assert told["together"][0]["k"] == 4
    assert [row["test"].split(",")[0] for row in told["small_studies"]][:2] == [
        "Egger",
        "trim and fill",
    ]
    assert all("fewer than ten" in row["note"] for row in told["small_studies"])
    assert len(told["leave_one_out"]) == 4
    assert [row["k"] for row in told["cumulative"]] == [1, 2, 3, 4]


def test_the_prior_is_the_one_that_is_said():
    defaults = {name: each.default for name, each in inspect.signature(posterior).parameters.items()}
    [row] = [row for row in as_json("pool")["together"] if row["way"].endswith("weak prior")]

    assert (defaults["prior_sd"], defaults["tau_scale"]) == (0.5, 0.3)
    assert "normal around 0 with SD 0.5, and tau as half-normal with scale 0.3" in row["note"]
    assert 0 < row["probability_above_0"] < 1


def test_a_crossover_trial_is_answered_under_other_correlations():
    rows = as_json("pool --crossover-sensitivity")["crossover_sensitivity"]

    ordinary = {row["correlation"]: row["estimate"] for row in rows if row["way"].startswith("numbers only")}
    assert list(ordinary) == [0.3, 0.5, 0.7, 0.9]
    assert sorted(ordinary.values(), reverse=True) == list(ordinary.values())


# --- claims, safety, and the rest -------------------------------------------------------------------------------------


def test_claims_name_their_studies_and_figures():
    rows = {row["claim"]: row for row in as_json("claims")["claims"]}

    assert list(rows) == list(tables().claims)
    assert all(row["verdict"] and row["reasoning"] and row["confidence"] and row["judged_on"] for row in rows.values())
    assert any(row["figures"] and row["figure_rows"] for row in rows.values())


def test_harms_elsewhere_are_marked_and_not_pooled():
    rows = as_json("safety")["rows"]

    assert all(row["use"] for row in rows)
    assert all(row["population"].startswith("PTSD") for row in rows if row["use"] == "pooled")
    assert not any(row["mark"] == "from memory, not yet checked" for row in rows)


def test_recalled_harms_come_only_when_asked_for_and_say_so():
    rows = as_csv("safety --treatment ketamine --include-recalled")

    assert {row["include_recalled"] for row in rows} == {"yes"}
    assert any(row["mark"] == "from memory, not yet checked" for row in rows)
    assert "from memory" in evidence("safety --include-recalled").stdout


def test_the_network_refuses_a_league_table_and_says_why():
    words = as_json("network")["league_table"]

    assert words.startswith("No league table is given. The families of treatments were held against controls of diff")
    assert "trauma-focused therapy against" in words


def test_findings_say_in_whom_they_were_seen():
    rows = as_json("mechanism --claim c06")["findings"]

    assert rows
    assert all("c06" in row["claims"] and row["seen_in"] for row in rows)


# --- add --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    """Write tables as CSV files, and give their names."""

    def write(**rows):
        names = []
        for name, own in rows.items():
            file = tmp_path / f"new-{name}.csv"
            file.write_text(csv_text(name, *own), encoding="utf-8")
            names.append(str(file))
        return names

    return write


@pytest.fixture
def copy(tmp_path):
    """A copy of the package's tables."""
    folder = tmp_path / "tables"
    folder.mkdir()
    for file in Path(sys.modules["reprieve.evidence"].__path__[0]).glob("*.csv"):
        shutil.copy(file, folder)
        (folder / file.name).chmod(0o644)
    return folder


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_trial_says_what_it_would_change_and_is_not_kept(files, copy):
    before = contents(copy)

    run = evidence("add", *files(**TRIAL), "--tables", str(copy))

    assert run.exit_code == 0
    assert "Added: study okafor2026; group okafor2026/ketamine, okafor2026/midazolam; result okafor2026-1" in run.stdout
    assert "Nothing is kept; --keep writes it." in run.stdout
    assert contents(copy) == before


def test_the_package_own_tables_are_where_it_adds_by_default(files):
    told = json.loads(evidence("add", *files(**TRIAL), "--json").stdout)

    assert (told["keep"], told["version"]) == (False, tables().version + 1)
    [change] = told["changes"]
    assert (change["before"]["numbers"], change["after"]["numbers"]) == (1, 2)


def test_a_trial_is_kept_with_a_release(files, copy):
    run = evidence("add", *files(**TRIAL), "--tables", str(copy), "--keep")

    assert (run.exit_code, run.stderr) == (0, f"Kept: version {tables().version + 1} of the data, in {copy}\n")
    assert (
        (copy / "outcomes.csv").read_text().splitlines()[-1].startswith("okafor2026-1,okafor2026,,ketamine,midazolam")
    )
    assert (copy / "releases.csv").read_text().splitlines()[-1].startswith(f"{tables().version + 1},")
    again = evidence("add", *files(**TRIAL), "--tables", str(copy), "--keep")
    assert again.exit_code == 2
    assert "okafor2026 stands already in studies.csv line" in again.stderr


def test_what_is_kept_only_adds_lines(files, copy):
    before = contents(copy)

    evidence("add", *files(**TRIAL), "--tables", str(copy), "--keep")

    after = contents(copy)
    assert after.keys() == before.keys()
    assert all(after[name].startswith(text.rstrip(b"\r\n")) for name, text in before.items())


def test_a_refused_row_keeps_nothing(files, copy):
    before = contents(copy)
    bad = TRIAL | {"outcomes": [RESULT | {"se": "-2"}]}

    run = evidence("add", *files(**bad), "--tables", str(copy), "--keep")

    assert (run.exit_code, run.stdout) == (2, "")
    assert "new-outcomes.csv line 2, column se: '-2'; it must be greater than 0" in run.stderr
    assert contents(copy) == before


def test_a_write_that_fails_half_way_leaves_everything_as_it_was(files, copy, monkeypatch):
    before = contents(copy)
    rename = Path.replace

    def full(self, target):
        if Path(target).name == "outcomes.csv" and b"okafor" in self.read_bytes():
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", full)
    run = evidence("add", *files(**TRIAL), "--tables", str(copy), "--keep")

    assert run.exit_code == 2
    assert run.stderr == f"{copy}: No space left on device; nothing is kept, so give --tables a folder to write in\n"
    assert contents(copy) == before


def test_recalled_rows_say_that_they_stay_out_of_pools(files):
    twin = RESULT | {"provenance": "recalled", "source_url": ""}

    run = evidence("add", *files(studies=[STUDY], arms=[KETAMINE, MIDAZOLAM], outcomes=[twin]))

    assert "From memory, so left out of every pool unless asked for" in run.stdout


def test_a_file_that_is_not_text_is_refused(tmp_path):
    file = tmp_path / "new.csv"
    file.write_bytes(b"\xff\xfe\x00")

    run = evidence("add", str(file))

    assert (run.exit_code, run.stderr) == (2, f"{file}: this is not text in UTF-8; save it as CSV in UTF-8\n")


@pytest.mark.parametrize("table", ADDABLE)
def test_a_template_is_the_header_and_says_what_each_column_holds(table):
    run = evidence("add --template", table.removesuffix(".csv"))

    assert run.exit_code == 0
    assert run.stdout == ",".join(header(table)) + "\n"
    assert [line.split(":")[0] for line in run.stderr.splitlines()] == list(header(table))


def test_commands_that_need_no_statistics_load_none():
    code = "import sys, reprieve.__main__; sys.exit(bool({'scipy', 'pymare', 'altair', 'pandas'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0
