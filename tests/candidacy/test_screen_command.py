import json
import re

import jsonschema
import pytest
from click.testing import CliRunner

from reprieve.candidacy.pages import EXAMPLES
from reprieve.cli import cli
from tests.candidacy.forms import CLEAR_BRIEF, LATER

TODAY = "2026-11-22"


@pytest.fixture
def screen(tmp_path):
    """Run the command on a file with this content; without content, on the file's name alone."""

    def run(content, *options, name="answers.json"):
        file = tmp_path / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        elif content is not None:
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return CliRunner().invoke(cli, ["screen", str(file), *options])

    return run


def test_one_form_as_json(screen):
    run = screen({"suicidal_thoughts_month": "plan", "today": TODAY}, "--json")

    result = json.loads(run.stdout)
    assert run.exit_code == 0
    assert (result["disposition"], result["respond_within"], result["today"]) == ("urgent", "immediate", TODAY)
    assert result["findings"][0]["criterion_id"] == "URG-01"


def test_one_form_a_line(screen):
    forms = [{**CLEAR_BRIEF, "today": TODAY}, {"conditions": ["avm"], "today": TODAY}, {"today": TODAY}]
    run = screen("\n".join(map(json.dumps, forms)) + "\n", "--json")

    assert [json.loads(line)["disposition"] for line in run.stdout.splitlines()] == [
        "consider",
        "exclude_until_reviewed",
        "exclude_until_reviewed",
    ]


def test_standard_input():
    for arguments in (["screen", "-", "--json"], ["screen", "--json"]):
        run = CliRunner().invoke(cli, arguments, input=json.dumps({**CLEAR_BRIEF, "today": TODAY}))

        assert json.loads(run.stdout)["disposition"] == "consider"


def test_today_is_today_unless_it_is_given(screen):
    assert json.loads(screen({}, "--json").stdout)["today"] >= TODAY[:4]


def test_unknown_name_is_reported(screen):
    answers = {"suicidal_thought_month": "none", "today": TODAY}

    assert json.loads(screen(answers, "--json").stdout)["unknown_names"] == ["suicidal_thought_month"]
    assert "suicidal_thought_month is no question" in " ".join(screen(answers).stdout.replace("│", "").split())


def test_card_for_people(screen):
    answers = {**CLEAR_BRIEF, **LATER, "conditions": ["avm"], "medicine_list": ["calm drops", "fuloxetine"]}
    text = " ".join(screen({**answers, "today": TODAY}).stdout.replace("│", "").split())

    for words in ("exclude until reviewed", "CV-02", "conditions: avm", "calm drops: for the pharmacist"):
        assert words in text
    assert "could be duloxetine or fluoxetine" in text


def test_card_cannot_steer_the_terminal(screen):
    assert "\x1b" not in screen({"medicine_list": ["\x1b[31mcodeine\x07"], "today": TODAY}).stdout


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (None, "answers.json", "No such file"),
        (b"\xff\xfe\x00\x01", "answers.json", "not text in UTF-8"),
        ("", "line 1", "nothing there"),
        ("{", "line 1", "not JSON"),
        ('{}\n{"conditions": [}\n', "line 2", "not JSON"),
        ('{}\n{"conditions": ["AVM"]}\n', "line 2", "conditions: 'AVM' is not an option"),
        ('{\n"escort_available": "perhaps"\n}', "line 1", "escort_available: 'perhaps' is not an option"),
        ("[1, 2]", "line 1", "not an object"),
        ('"plan"', "line 1", "not an object"),
        ('{"today": "yesterday"}', "line 1", "today: 'yesterday' is not a day"),
        ('{"systolic_last": "high"}', "line 1", "systolic_last: 'high' must be a number from 60 to 260 mmHg"),
        ('{"weight_kg": NaN}', "line 1", "weight_kg"),
        ('{"weight_kg": 1e999}', "line 1", "weight_kg"),
        ('{"age_years": "old"}', "line 1", "age_years: 'old' must be a number"),
        ('{"phq9": [0]}', "line 1", "phq9: PHQ-9: 1 answers"),
        ('{"conditions": ["avm"], "conditions": ["none"]}', "line 1", "'conditions' is given twice"),
        ('{"criteria_ruled_out": [{"criterion_id": "URG-01", "reason": "x"}]}', "line 1", "URG-01 is urgent"),
        ("[" * 100_000, "line 1", "not"),
    ],
)
def test_bad_input_is_one_line_that_says_what_and_where(screen, content, where, what):
    run = screen(content, "--json")

    assert run.exit_code == 2
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert where in run.stderr
    assert what in run.stderr
    assert "Traceback" not in run.stderr


def test_folder_instead_of_a_file(tmp_path):
    run = CliRunner().invoke(cli, ["screen", str(tmp_path)])

    assert run.exit_code == 2
    assert len(run.stderr.splitlines()) == 1


def test_schema():
    run = CliRunner().invoke(cli, ["screen", "--schema"])
    schema = json.loads(run.stdout)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(CLEAR_BRIEF)


@pytest.mark.parametrize(("title", "example"), EXAMPLES)
def test_examples_of_the_documentation_run(screen, title, example):
    assert screen(example, "--json").exit_code == 0
    assert re.match(r"[A-Z]", title)
