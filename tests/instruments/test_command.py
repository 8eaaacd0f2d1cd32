"""``reprieve score``: a file of answers in, one result a line out, one line of error."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from reprieve.cli import cli
from reprieve.instruments import INSTRUMENTS
from tests.instruments.test_official import questionnaire


def run(*arguments, stdin=None):
    return CliRunner(env={"COLUMNS": "160"}).invoke(cli, ["score", *arguments], input=stdin)


def results(*arguments, stdin=None):
    outcome = run(*arguments, "--json", stdin=stdin)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def test_json_gives_everything_a_machine_needs():
    (found,) = results("PCL-5", "-", stdin=json.dumps([2] * 19 + [None]))

    assert found == {
        "instrument": "PCL-5",
        "total": None,
        "total_range": [38, 42],
        "band": None,
        "subscales": {"B": [10, 10], "C": [4, 4], "D": [14, 14], "E": [10, 14]},
        "cut_points": {
            "platform": {
                "cut": 33,
                "result": "at_or_above",
                "source_url": "https://comorbidityguidelines.org.au/specific-mental-health-instruments/"
                "ptsd-checklist-for-dsm5-pcl5",
                "provenance": "read",
            }
        },
        "missing": ["20"],
        "provisional_ptsd": "met",
        "rules_agree": "yes",
        "notes": [],
        "from_memory": [],
        "wording": "our own short wording, not the official text",
    }


@pytest.mark.parametrize(
    "text",
    [
        "[1, 1, 1, 1, 1, 1, 1]",
        "\n\n[1,\n1,\n1,\n1, 1, 1, 1]\n",
        '{"1": 1, "2": 1, "3": 1, "4": 1, "5": 1, "6": 1, "7": 1}',
        '{"answers": [1, 1, 1, 1, 1, 1, 1]}',
        '\ufeff{"answers": {"1": 1, "2": 1, "3": 1, "4": 1, "5": 1, "6": 1, "7": 1}, "who": "ada"}',
    ],
)
def test_answers_come_as_a_list_an_object_or_under_answers(text, tmp_path):
    file = tmp_path / "answers.json"
    file.write_text(text, encoding="utf-8")

    assert results("gad7", str(file))[0]["total"] == 7


def test_a_file_of_several_lines_gives_one_result_a_line():
    lines = '[0, null, null]\n\n{"answers": [1, 1, 1], "sex": "male"}\n{"1": 4, "2": 4, "3": 4}\n'
    found = results("auditc", "-", "--sex", "female", stdin=lines)

    assert [one["total"] for one in found] == [0, 3, 12]
    assert [one["cut_points"]["hazardous_drinking"]["cut"] for one in found] == [3, 4, 3]


def test_what_is_from_memory_is_marked():
    (found,) = results("gad7", "-", stdin="[1, 1, 1, 1, 1, 1, 1]")
    card = run("gad7", "-", stdin="[1, 1, 1, 1, 1, 1, 1]").stdout

    assert found["from_memory"] == ["scoring_rule", "severity_bands", "cut_point"]
    assert "mild (from memory, not yet checked)" in card


def test_people_get_a_card_with_findings_answers_and_grounds():
    card = run("phq9", "-", stdin="[1, 1, 1, 1, 1, 1, 1, 1, null]").stdout

    for words in (
        "8 to 11, open because of blanks",
        "undetermined",
        "Item 9 is blank: that is unknown, not zero. Ask again.",
        "Thoughts of death or self-harm",
        "our own short wording, not the official text",
        "Sum 0 to 27",
        "https://cdn.loinc.org/44261-6",
        "Free; no permission needed",
    ):
        assert words in card


@pytest.mark.parametrize(
    ("instrument", "text", "line"),
    [
        ("PHQ-8", "[]", "there is no instrument 'PHQ-8'; did you mean PHQ-9?"),
        ("gad7", "[1, 2", "standard input, line 1: not JSON: Expecting ',' delimiter"),
        ("gad7", "[1,\n2,\n?]", "standard input, line 3: not JSON: Expecting value"),
        ("gad7", "", "standard input, line 1: nothing there; give the answers as JSON"),
        ("gad7", "\n[1, 2]", "standard input, line 2: GAD-7: 2 answers; a list must hold 7, in item order, with null "
         "for each blank"),
        ("gad7", "[0,0,0,0,0,0,0]\n\n[0,0,0,0,0,0,7]\n", "standard input, line 3: GAD-7 item 7: 7 is not an answer to "
         "it; give a whole number from 0 to 3, or null where it was left blank"),
        ("gad7", "[0,0,0,0,0,0,0]\n[0,0,", "standard input, line 2: not JSON: Expecting value"),
        ("gad7", "[NaN,0,0,0,0,0,0]", "standard input, line 1: GAD-7 item 1: nan is not an answer to it; give a whole "
         "number from 0 to 3, or null where it was left blank"),
        ("gad7", '{"1": 0, "1": 3}', "standard input, line 1: not usable JSON: '1' is given twice; give it once"),
        ("gad7", '{"answers": null}', "standard input, line 1: GAD-7: None is neither a list nor a mapping; give the "
         "answers in item order, or by item number"),
        ("gad7", '"a\\nb"', "standard input, line 1: GAD-7: 'a\\nb' is neither a list nor a mapping; give the answers "
         "in item order, or by item number"),
        ("auditc", '{"answers": [0, 0, 0], "sex": "x"}', "standard input, line 1: sex 'x'; it must be female, male or "
         "not_stated"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_bad_input_ends_with_one_line_and_code_2(instrument, text, line, flags):
    outcome = run(instrument, "-", *flags, stdin=text)

    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (2, "", line + "\n")


def test_json_nested_without_end_is_refused():
    outcome = run("gad7", "-", stdin="[" * 100_000)

    assert (outcome.exit_code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)


def test_a_number_too_long_to_read_is_refused():
    outcome = run("gad7", "-", stdin=f"[{'1' * 5000}]")

    assert (outcome.exit_code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    binary = tmp_path / "scan.png"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")

    assert run("gad7", str(binary)).stderr == f"{binary}: this is not text in UTF-8; give a JSON file\n"
    assert run("gad7", str(tmp_path)).stderr.startswith(f"{tmp_path}: Is a directory; give a file")
    absent = run("gad7", str(tmp_path / "absent.json"))
    assert (absent.exit_code, absent.stdout) == (2, "")
    assert absent.stderr.startswith(f"{tmp_path / 'absent.json'}: No such file or directory; give a file")


def test_the_installed_command_scores_standard_input():
    done = subprocess.run(
        [sys.executable, "-m", "reprieve", "score", "C-SSRS", "-", "--json"],
        input='["yes", "no", null, null, null, "no", null]',
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)

    assert (found["tier"], found["total"], found["missing"], done.stderr) == ("low", None, [], "")


def test_official_wording_is_checked_and_shown(tmp_path):
    form = tmp_path / "form.json"
    form.write_text(json.dumps(questionnaire(INSTRUMENTS["GAD-7"])))

    outcome = run("GAD-7", "-", "--wording", str(form), stdin="[0, 1, 2, 3, 0, 1, 2]")

    assert outcome.exit_code == 0
    assert "official wording" in outcome.stdout


def test_wording_of_another_instrument_is_refused_in_one_line(tmp_path):
    form = tmp_path / "form.json"
    form.write_text(json.dumps(questionnaire(INSTRUMENTS["GAD-7"])))

    outcome = run("PCL-5", "-", "--wording", str(form), stdin="[]")

    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (2, 1)
    assert outcome.stderr.startswith(str(form))
