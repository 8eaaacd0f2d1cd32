"""The check of the default set: virtual trials, what is met and what is not, and the page that shows it."""

from __future__ import annotations

import csv
import json
import math
import re
import subprocess
import sys
from functools import cache
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import nct, t

from reprieve.cli import cli
from reprieve.pharmacology import check_page
from reprieve.pharmacology.check import (
    DESIGNS,
    MET,
    NOT_MET,
    PEOPLE,
    SEED,
    CheckError,
    Figure,
    Printed,
    check,
    finding,
    trials,
)
from reprieve.pharmacology.facts import findings
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.ratings import caps5_ratings, days_to_loss, median_time, pcl5_ratings
from reprieve.pharmacology.symptoms import Items, fluctuation
from reprieve.pharmacology.symptoms import seen as rated

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/calibration-check.md"
P = parameter_set()
DAYS = np.array([0.0, 1.0, 7.0, 14.0])


@cache
def small():
    """The check with few people; every row, larger errors."""
    return check(people=300, seed=SEED)


def one(name: str, group: str = ""):
    found = [each for each in small() if each.name == name and each.group.startswith(group)]
    assert len(found) == 1
    return found[0]


def noise(seed=3):
    return np.random.Generator(np.random.Philox(seed))


def test_one_persons_ratings_are_those_of_the_readable_model():
    severity = np.array([42.0, 40.0, 35.0, 33.0])

    together, one = caps5_ratings(severity[None], DAYS, P, noise()), noise()

    assert together[0] == pytest.approx(rated(severity + fluctuation(DAYS, P, one), P["sem_caps"], one), abs=1e-12)


def test_drift_is_an_ornstein_uhlenbeck_process_less_its_start():
    drift = fluctuation(DAYS, P, noise(), (40_000,))

    spread = P["sd_ou"] * np.sqrt(2 * (1 - np.exp(-DAYS / P["tau_ou"])))
    assert drift.std(axis=0) == pytest.approx(spread, rel=0.02, abs=1e-12)


def test_pcl5_ratings_lie_about_the_item_model():
    severity = np.full((4000, 2), 42.0)
    still = P.replaced({"sd_ou": 1e-9, "pcl_off": 0.0})

    seen = pcl5_ratings(severity, np.zeros_like(severity), DAYS[:2], still, noise())

    expected = float(Items.of(P).pcl5(np.array([42.0]), np.array([0.0]))[0])
    assert seen.mean() == pytest.approx(expected, abs=0.3)
    assert seen.std() == pytest.approx(P["sem_pcl"], rel=0.05)


def test_the_median_time_is_kaplan_meiers_when_nobody_leaves():
    responding = np.array([[True, True], [False, True], [True, False], [False, False]])

    lost = days_to_loss(responding, np.array([7.0, 14.0]))

    assert lost.tolist() == [math.inf, 7.0, 14.0, 7.0]
    assert float(median_time(lost)) == 7.0
    assert float(median_time(np.array([7.0, 14.0, math.inf]))) == 14.0


def test_virtual_trials_have_the_power_of_the_t_test():
    falls = noise().standard_normal(200_000) * 10
    drawn = trials(falls + 8, falls, (15, 15), noise(4), count=20_000)

    shift, critical = 8 / (10 * math.sqrt(2 / 15)), t.ppf(0.975, 28)
    power = nct.sf(critical, 28, shift) + nct.cdf(-critical, 28, shift)
    assert drawn.critical == pytest.approx(critical)
    assert drawn.significant.mean() == pytest.approx(power, abs=0.012)
    assert drawn.difference.std() == pytest.approx(10 * math.sqrt(2 / 15), rel=0.02)


@pytest.mark.parametrize(
    ("words", "value", "agrees"),
    [("8.1 to 8.4", 8.05, True), ("8.1 to 8.4", 8.46, False), ("59 %", 59.4, True), ("0.306", 0.3054, False)],
)
def test_a_printed_figure_agrees_within_its_rounding(words, value, agrees):
    assert Printed.of(words).agrees(Figure(value)) == agrees


def test_monte_carlo_error_widens_the_agreement():
    assert Printed.of("8.1 to 8.4").agrees(Figure(8.6, error=0.1))


def test_sizes_of_trials_stand_in_the_rows_of_facts():
    for design in DESIGNS:
        words = {row.preparation for row in findings("symptoms_timecourse") if row.source.name == design.study}
        assert words
        for preparation in words:
            assert {str(size) for size in design.people} <= set(re.findall(r"\d+", preparation)), design.study


def test_what_was_seen_is_read_from_the_tables():
    advantage = finding("CAPS-5 advantage at week 2", "Feder 2021")

    assert one("difference at 2 weeks").seen == f"{advantage.value:g} (SE 3.96)"
    assert {each.source for each in small() if each.seen} <= {
        "Feder 2021", "Feder 2021; 2024 meta-analysis", "Abdallah 2022", "Brady 2000", "Huang 2020",
        "Brady 2000; Davidson 2001", "Albott 2018", "Holmes 2022",
    }  # fmt: skip


def test_what_is_from_memory_is_marked():
    recalled = [each for each in small() if each.mark]

    assert [each.source for each in recalled] == ["Huang 2020"]
    assert all("†" in check_page.shown(each)["seen"] for each in recalled)


def test_the_open_series_is_shown_as_the_failure_it_is():
    for name in ("fall after the last infusion, r_mil 0.4", "fall after the last infusion, r_mil 1"):
        assert one(name).verdict == NOT_MET


def test_the_positive_and_the_null_trial_can_both_stand():
    assert one("difference at 2 weeks").verdict == MET
    assert one("difference of 0.5 mg/kg from placebo, r_mil 0.4").verdict == MET


def test_the_same_seed_gives_the_same_numbers():
    again = check(people=300, seed=SEED)

    assert [each.ours for each in again] == [each.ours for each in small()]


def test_too_few_people_are_refused():
    with pytest.raises(CheckError, match="give 100 to"):
        check(people=10)


def page_rows() -> list[list[str]]:
    """Cells of every row under "Every target"."""
    return [line.strip("| ").split(" | ") for line in PAGE.read_text().partition("## Every target")[2].splitlines()]


def test_the_page_and_the_code_agree():
    rows = page_rows()
    assert f"{PEOPLE:,} virtual people an arm, seed {SEED}." in PAGE.read_text()

    for each in small():
        said = check_page.shown(each)
        own = [row for row in rows if row[0] == each.name and said["document"] in row]
        assert own, each.name
        if each.group.startswith(("Labile", "One infusion")):  # no chance in it: the same figure
            assert any(said["ours"] in row for row in own), each.name


def test_the_page_differs_from_a_small_run_by_chance_alone():
    text = PAGE.read_text()
    printed = re.search(r"\| difference at 2 weeks \|.*?\| (\d+\.\d) ± \d\.\d CAPS-5 points", text)

    ours = one("difference at 2 weeks").ours
    assert abs(float(printed[1]) - ours.value) < 4 * ours.error + 0.05


def run(*words: str):
    return CliRunner().invoke(cli, ["fit", "--check", "--people", "200", *words])


def test_the_command_prints_tables_json_rows_and_the_page():
    said, as_json, as_csv, as_page = (run(*words) for words in ((), ("--json",), ("--csv",), ("--page",)))

    assert "Not met" in said.stdout
    document = json.loads(as_json.stdout)
    assert document["people"] == 200
    rows = list(csv.DictReader(StringIO(as_csv.stdout)))
    assert [row["target"] for row in rows] == [each["target"] for each in document["targets"]]
    assert as_page.stdout.startswith("# The default set held to its targets")


@pytest.mark.parametrize("words", [("--level", "pk"), ("--people", "7")])
def test_what_the_check_would_ignore_is_refused(words):
    refused = run(*words)

    assert refused.exit_code == 2
    assert len(refused.stderr.strip().splitlines()) == 1


def test_neither_help_nor_the_check_imports_jax():
    script = (
        "import sys; sys.modules.update(dict.fromkeys(('jax', 'numpyro', 'arviz')));"
        "from click.testing import CliRunner; from reprieve.__main__ import cli;"
        "runs = [CliRunner().invoke(cli, words) for words in (['--help'], ['fit', '--help'],"
        " ['fit', '--check', '--people', '100'])];"
        "assert [run.exit_code for run in runs] == [0, 0, 0], runs"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
