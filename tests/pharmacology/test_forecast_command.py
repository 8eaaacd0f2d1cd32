"""``reprieve forecast``: every output says what it is for, and bad input says where it is bad."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from reprieve.cli import cli
from reprieve.pharmacology.forecast import SIGNALS, SYMBOLS

USUAL = ("forecast", "--weight-kg", "70", "--dose-mg-per-kg", "0.5", "--days", "0,2")
HEADER = "time_min,what,value\n"


def said(*words: str):
    return CliRunner().invoke(cli, list(words), catch_exceptions=False)


@pytest.fixture
def observed(tmp_path):
    def write(text: str) -> str:
        (tmp_path / "seen.csv").write_text(text)
        return str(tmp_path / "seen.csv")

    return write


@pytest.fixture
def readings(observed):
    return observed(HEADER + "20,systolic_change_mmhg,24\n40, systolic_change_mmhg, 31\n\n60,cadss_total,9\n")


def test_every_output_says_what_it_is_for(readings, tmp_path):
    picture = tmp_path / "session.svg"
    given = (*USUAL, "--observed", readings)

    for machine in ((), ("--json",), ("--csv",)):
        assert "not for dosing" in said(*given, *machine, "--plot", str(picture)).stdout.lower().replace("\n", " ")
        assert "Research only" in " ".join(picture.read_text().split())


def test_json_holds_before_and_after_and_what_was_learnt(readings):
    document = json.loads(said(*USUAL, "--observed", readings, "--times-min", "40,110", "--json").stdout)

    assert document["times_min"] == [40, 110]
    assert set(document["units"]) == set(SIGNALS)
    assert document["before_systolic_change_mmhg"][0] < document["after_systolic_change_mmhg"][0]
    assert document["before_ketamine_plasma_ng_per_ml"][0] == pytest.approx(252, abs=2)
    for name in SIGNALS:
        low, middle, high = (document[f"after_{name}{end}"][1] for end in ("_5_percent", "", "_95_percent"))
        assert low <= middle <= high
    assert [each["fits"] for each in document["readings"]] == [True, True, True]
    assert [each["symbol"] for each in document["parameters"]] == list(SYMBOLS)
    assert "pot" in document["not_informed"]
    assert document["below"][0]["source"].startswith("Bowdle 1998")
    assert [each["day"] for each in document["sessions"]] == [0, 2]


def test_without_readings_before_and_after_are_one():
    document = json.loads(said(*USUAL, "--times-min", "40", "--json").stdout)
    text = said(*USUAL).stdout

    assert document["before_cadss_total"] == document["after_cadss_total"]
    assert document["readings"] == []
    assert "no readings" in text
    assert "Expected (ng/mL" in text
    assert "Before the readings" not in text


def test_csv_rows_have_units_in_their_names(readings):
    rows = list(csv.DictReader(io.StringIO(said(*USUAL, "--observed", readings, "--csv").stdout)))

    assert rows[0]["use"] == "research only, not for dosing people"
    assert float(rows[0]["times_min"]) == 0
    assert "after_ketamine_plasma_ng_per_ml_95_percent" in rows[0]


def test_the_session_is_that_of_the_first_reading(observed):
    later = observed(HEADER + "2920,systolic_change_mmhg,9\n")

    document = json.loads(said(*USUAL, "--observed", later, "--json").stdout)

    assert (document["session"], document["times_min"][0]) == (2, 2880)
    assert json.loads(said(*USUAL, "--observed", later, "--session", "1", "--json").stdout)["session"] == 1


def test_a_regimen_in_a_file_and_warnings_for_its_dose(tmp_path):
    (tmp_path / "course.toml").write_text("[[infusion]]\nstart_h = 0\nduration_h = 1\ndose_mg_per_kg = 1.5\n")

    ended = said("forecast", "--weight-kg", "80", "--regimen", str(tmp_path / "course.toml"))

    assert "Warning: 1.5 mg/kg in one sitting is above 1 mg/kg" in ended.stdout
    assert "120 mg in all" in ended.stdout


def test_a_reading_that_does_not_fit_is_a_warning(observed):
    odd = observed(HEADER + "40,ketamine_venous_ng_per_ml,2040\n")

    assert "this reading does not fit: check it" in said(*USUAL, "--observed", odd).stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,what,value\n", "seen.csv line 1: no column time_min; the columns are time_min, what, value"),
        (HEADER[:-1] + ",note\n", "seen.csv line 1: unknown column 'note'"),
        (HEADER, "no readings; leave --observed out"),
        ("", "seen.csv line 1: no column time_min"),
        (HEADER + "forty,cadss_total,3\n", "seen.csv line 2, column time_min: 'forty'; it must be a number"),
        (HEADER + "40,cadss_total,3\n40,cadss_total,\n", "seen.csv line 3, column value: ''; it must be a number"),
        (HEADER + "40,cadss,3\n", "seen.csv line 2, column what: 'cadss'; it must be one of ketamine_arterial"),
        (HEADER + "40,cadss_total\n", "seen.csv line 2: 2 cells; the header has 3"),
        (HEADER + "\n40,cadss_total,93\n", "seen.csv line 3: CADSS 93; it must be 0 to 92 points"),
        (HEADER + "0,systolic_change_mmhg,3\n", "systolic rise 3 mmHg at 0 min: that is not after the start"),
        (HEADER + "40,cadss_total,nan\n", "seen.csv line 2: CADSS nan; it must be 0 to 92 points"),
    ],
)
def test_a_bad_file_names_line_and_column(observed, text, words):
    ended = said(*USUAL, "--observed", observed(text))

    assert ended.exit_code == 2
    assert words in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--dose-mg-per-kg", "0.5"), "no weight; a forecast is for one person, so give --weight-kg, such as 70"),
        (("--weight-kg", "7", "--dose-mg-per-kg", "0.5"), "weight 7 kg; it must be 30 to 250 kg"),
        (("--weight-kg", "70"), "no regimen; give --regimen FILE.toml"),
        (("--weight-kg", "70", "--dose-mg-per-kg", "0"), "a dose must be above zero"),
        (("--weight-kg", "70", "--dose-mg-per-kg", "0.5", "--session", "2"), "session 2; the regimen has 1"),
        (("--weight-kg", "70", "--dose-mg-per-kg", "0.5", "--session", "0"), "session 0; the regimen has 1"),
        (
            ("--weight-kg", "70", "--dose-mg-per-kg", "0.5", "--site", "toe"),
            "site 'toe'; it must be arterial or venous",
        ),
        (("--weight-kg", "70", "--dose-mg-per-kg", "0.5", "--times-min", "a"), "--times-min a: it must be numbers"),
        (("--weight-kg", "70", "--dose-mg-per-kg", "0.5", "--observed", "no.csv"), "no.csv: No such file or directory"),
    ],
)
def test_bad_options_say_what_to_do(options, words):
    ended = said("forecast", *options)

    assert ended.exit_code == 2
    assert words in ended.stderr


def test_naming_the_command_imports_no_numbers():
    probe = "import sys; import reprieve.cli.forecast; print(*{'numpy', 'scipy', 'altair'} & set(sys.modules))"

    ended = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == ""
