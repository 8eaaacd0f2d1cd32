"""The one call, populations, and the two commands."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys

import numpy as np
import polars
import pytest
from click.testing import CliRunner

from reprieve.cli import cli
from reprieve.pharmacology.memory import TherapySession
from reprieve.pharmacology.model import Course, Model, Switches, TimesError
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.plot import PictureError, comparison
from reprieve.pharmacology.regimen import Regimen
from reprieve.pharmacology.simulate import (
    VARIABLES,
    Population,
    default_times_min,
    shared_course,
    simulate,
    trajectories,
)
from reprieve.pharmacology.symptoms import Ssri
from reprieve.pharmacology.variability import PopulationError, draw
from tests.pharmacology.runs import SIX_DAYS, half_mg_per_kg

P = parameter_set()
CAUTION = "Not for dosing people"


def said(*words: str):
    return CliRunner().invoke(cli, list(words), catch_exceptions=False)


@pytest.fixture
def toml(tmp_path):
    def write(text: str, name: str = "course.toml") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_every_variable_has_its_unit():
    found = simulate(half_mg_per_kg(), times_min=[0, 40, 80])

    assert list(found.data_vars) == list(VARIABLES)
    assert {name: found[name].attrs["units"] for name in VARIABLES} == {n: unit for n, (unit, _) in VARIABLES.items()}
    assert dict(found.sizes) == {"person": 1, "time": 3}
    assert found.times_min.attrs["units"] == "min"
    assert CAUTION in found.attrs["caution"]


def test_close_about_each_infusion_and_out_to_a_fortnight_after():
    times = default_times_min(half_mg_per_kg((0, 2)))

    assert times[-1] == 16 * 1440
    assert {0, 40, 2880, 2920} <= set(times)
    assert np.all(np.diff(times) > 0)


def test_a_course_that_begins_later_and_one_without_infusions():
    later = simulate(half_mg_per_kg((3,)), times_min=[0, 3 * 1440, 3 * 1440 + 40])
    none = simulate(Course(), until_day=2)

    assert later.ketamine_plasma_ng_per_ml.values[0].round() == pytest.approx([0, 0, 253])
    assert none.ketamine_plasma_ng_per_ml.values.max() == 0


def test_a_person_is_the_same_alone_or_among_others():
    among = Population(5, seed=9).drawn(P)[3]

    assert draw(P, seed=9, number=3) == among
    assert draw(P, seed=10, number=3) != among


def test_a_chunk_more_changes_nobody():
    few = simulate(half_mg_per_kg(), Population(2, seed=4), times_min=[40, 2880])
    more = simulate(half_mg_per_kg(), Population(3, seed=4), times_min=[40, 2880])

    assert few.equals(more.isel(person=slice(2)))


@pytest.mark.parametrize(
    ("course", "switches"),
    [
        (lambda kg: half_mg_per_kg(SIX_DAYS, weight_kg=kg), Switches()),
        (Course(half_mg_per_kg((0, 3)), (TherapySession(1),), (Ssri(100),), "midazolam", "military"), Switches()),
        (Course(), Switches(stress_moves=False)),
        (lambda kg: half_mg_per_kg((1,), weight_kg=kg), Switches(norketamine=True, covariates=("sex",))),
    ],
    ids=["six by weight", "with everything", "no infusion", "covariate"],
)
def test_a_population_agrees_with_the_readable_model(course, switches, monkeypatch):
    who, times = Population(6, seed=3, sex="female"), [0, 20, 40, 90, 600, 1440, 4 * 1440 + 40, 20 * 1440]
    fast = simulate(course, who, times_min=times, switches=switches)
    monkeypatch.setattr("reprieve.pharmacology.simulate.shared_course", lambda models: None)

    readable = simulate(course, who, times_min=times, switches=switches)

    for name in VARIABLES:
        assert fast[name].values == pytest.approx(readable[name].values, rel=1e-4, abs=1e-6), name


def test_people_on_courses_of_their_own_cannot_share_one():
    a, b = half_mg_per_kg((0, 2)), half_mg_per_kg((0, 3))
    models = [Model(P, Person(), Course(each)) for each in (a, a.scaled([1.0, 1.5]), b)]

    course, occasions = shared_course(models[:2])

    assert course == models[0].course
    assert occasions.tolist() == [[1, 1], [1, 1.5]]
    assert shared_course(models) is None
    assert shared_course([Model(P, Person(), Course(a), Switches(kinetic_block=True))]) is None


def test_the_clusters_add_up_to_the_total_of_one_person():
    found = simulate(half_mg_per_kg(), times_min=[0, 40, 4000])
    clusters = [found[name].values for name in VARIABLES if name.startswith("pcl5_") and name != "pcl5_total"]

    assert sum(clusters) == pytest.approx(found.pcl5_total.values)


def test_sittings_of_one_person_differ_and_are_theirs():
    one, again = draw(P, 1, 3).occasions(4), draw(P, 1, 3).occasions(2)
    everybody = np.concatenate([draw(P, 1, number).occasions(6) for number in range(500)])

    assert one[:2].tolist() == again.tolist()
    assert (everybody.mean(), everybody.std()) == (pytest.approx(1, abs=0.01), pytest.approx(0.1, rel=0.05))
    assert draw(parameter_set(overrides={"cv_occ": 0}), 1, 3).occasions(2).tolist() == [1, 1]


def test_natural_course_and_belief_are_shown_apart_from_the_drug():
    treated = simulate(half_mg_per_kg(SIX_DAYS), times_min=[0, 14 * 1440])
    untreated = simulate(Course(), times_min=[0, 14 * 1440])

    without = treated.caps5_total_without_infusions.values[0]
    assert without == pytest.approx(untreated.caps5_total.values[0])
    assert treated.caps5_total.values[0, 1] < without[1] < 42


def test_doses_by_weight_follow_each_person():
    by_weight = simulate(lambda kg: half_mg_per_kg(weight_kg=kg), Population(30), times_min=[40])
    ended = said("simulate", "--dose-mg-per-kg", "0.5", "--people", "30", "--times-min", "40", "--json")

    heavy = int(by_weight.weight_kg.values.argmax())
    alone = draw(P, 1, heavy)
    dose = half_mg_per_kg(weight_kg=alone.person.weight_kg).scaled(alone.occasions(1))
    expected = simulate(dose, alone.person, alone.p, times_min=[40])
    level = by_weight.ketamine_plasma_ng_per_ml.values
    assert level[heavy, 0] == pytest.approx(expected.ketamine_plasma_ng_per_ml.values[0, 0])
    assert json.loads(ended.stdout)["ketamine_plasma_ng_per_ml"] == pytest.approx([np.median(level)])


def test_people_spread_as_the_table_says():
    people = [draw(P, seed=1, number=number) for number in range(4000)]
    logs = {name: np.log([each.p[name] for each in people]) for name in ("V1", "CL", "VN", "CLN", "pot", "w_S")}
    weights = np.array([each.person.weight_kg for each in people])

    assert np.median(np.exp(logs["CL"])) == pytest.approx(84, rel=0.02)
    assert logs["V1"].std() == pytest.approx(math.sqrt(math.log(1.09)), rel=0.05)
    assert np.corrcoef(logs["V1"], logs["CL"])[0, 1] == pytest.approx(0.48, abs=0.04)
    assert np.corrcoef(logs["VN"], logs["CLN"])[0, 1] == pytest.approx(0.69, abs=0.04)
    assert np.corrcoef(logs["pot"], logs["w_S"])[0, 1] == pytest.approx(0, abs=0.05)
    assert np.exp(logs["pot"]).mean() == pytest.approx(1, rel=0.03)
    assert np.exp(logs["w_S"]).mean() == pytest.approx(190, rel=0.03)
    assert (weights.min(), weights.max(), weights.mean()) == (50, 120, pytest.approx(82, abs=1))
    assert np.mean([each.p["adh"] for each in people]) == pytest.approx(0.85, abs=0.01)
    assert min(each.p["w_P"] for each in people) == 0
    assert {each.p["Kpuu"] for each in people} == {0.6}


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda: Population(0), PopulationError, "0 people; there must be at least 1"),
        (
            lambda: simulate(half_mg_per_kg(), Population(10**6), times_min=range(61)),
            PopulationError,
            "1000000 people at 61 times; together at most 4,000,000",
        ),
        (lambda: draw(P, -1, 0), PopulationError, "seed -1, person 0; both must be zero or above"),
        (lambda: simulate(Regimen(), times_min=[5, 5]), TimesError, "times must increase"),
        (lambda: simulate(Regimen(), until_day=0), TimesError, "until day 0; it must be above 0"),
        (lambda: simulate(Regimen(), until_day=1e9), TimesError, "until day 1e.09; .* at most 3650"),
    ],
)
def test_what_cannot_be_simulated_is_refused(ask, error, says):
    with pytest.raises(error, match=says):
        ask()


def test_the_command_says_what_the_model_gives():
    ended = said("simulate", "--dose-mg-per-kg", "0.5", "--weight-kg", "70", "--times-min", "40,80,110,230", "--json")
    found = json.loads(ended.stdout)

    assert CAUTION in found["caution"]
    assert found["times_min"] == [40, 80, 110, 230]
    assert [round(level) for level in found["ketamine_plasma_ng_per_ml"]] == [253, 74, 54, 27]
    assert set(VARIABLES) <= set(found)


def test_a_population_comes_with_its_spread():
    ended = said("simulate", "--dose-mg-per-kg", "0.5", "--people", "4", "--times-min", "40", "--json")
    found = json.loads(ended.stdout)

    low, middle, high = (found[f"cadss_total{end}"][0] for end in ("_5_percent", "", "_95_percent"))
    assert low < middle < high


def test_rows_for_a_spreadsheet_say_what_they_are_for():
    ended = said("simulate", "--dose-mg-per-kg", "0.5", "--times-min", "40,80", "--csv")
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))

    assert [row["times_min"] for row in rows] == ["40.0", "80.0"]
    assert {row["use"] for row in rows} == {"research only, not for dosing people"}


def test_tables_and_a_picture(tmp_path):
    picture = tmp_path / "course.svg"

    ended = said("simulate", "--dose-mg-per-kg", "1.5", "--days", "0,2", "--plot", str(picture), "--set", "eta=1000")

    assert CAUTION in " ".join(ended.stdout.split())
    assert "Warning: 1.5 mg/kg in one sitting is above 1 mg/kg" in ended.stdout
    assert "Warning: eta = 1000 none lies outside its range" in ended.stdout
    assert "Research only, not for dosing people" in picture.read_text()


def test_a_file_is_read_and_compared(toml):
    low = toml("[[infusion]]\nstart_h = 0\nduration_h = 1\ndose_mg_per_kg = 0.2", "low.toml")
    high = toml("[[infusion]]\nstart_h = 0\nduration_h = 1\ndose_mg_per_kg = 0.5", "high.toml")

    found = json.loads(said("compare", low, high, "--until-day", "7", "--json").stdout)
    again = said("compare", "--dose-mg-per-kg", "0.2,0.5", "--duration-min", "60", "--until-day", "7", "--csv").stdout

    assert CAUTION in found["caution"]
    assert list(found["regimens"]) == ["low", "high"]
    assert found["regimens"]["low"]["summary"]["highest ketamine"] in again


def test_treatments_are_compared_over_the_same_weeks():
    words = ("compare", "--treatments", "ketamine,sertraline,ketamine+therapy,nothing", "--days", "0,2,4,7,9,11")

    found = json.loads(said(*words, "--json").stdout)

    each, last = found["regimens"], {name: one["caps5_total"][-1] for name, one in found["regimens"].items()}
    assert found["until_day"] == 84
    assert [len(one["infusions"]) for one in each.values()] == [6, 0, 6, 0]
    assert each["ketamine"]["caps5_total_without_infusions"][-1] == pytest.approx(last["nothing"])
    assert max(last, key=last.get) == "nothing"
    assert last["ketamine+therapy"] < last["ketamine"]


def test_the_other_forms_of_block_are_switches():
    common = ("simulate", "--dose-mg-per-kg", "0.5", "--times-min", "0,40", "--json")

    plain, slow, more = (
        json.loads(said(*common, *switch).stdout)["receptor_block_interneuron_fraction"]
        for switch in ((), ("--kinetic-block", "--set", "Po=0.001"), ("--norketamine",))
    )

    assert slow[1] < plain[1] < more[1]


def test_one_moment_is_enough():
    assert simulate(half_mg_per_kg(), times_min=[0]).caps5_total.values.tolist() == [[42.0]]


def test_every_person_at_every_time_goes_into_a_parquet_file(tmp_path):
    file = tmp_path / "course.parquet"
    words = ("simulate", "--dose-mg-per-kg", "0.5", "--people", "3", "--times-min", "0,40", "--measured")

    ended = said(*words, "--parquet", str(file), "--json")

    written, told = polars.read_parquet(file), json.loads(ended.stdout)
    middle = written.filter(polars.col("times_min") == 40)["cadss_total_measured"].median()
    assert written.shape == (6, 3 + len(told["units"]))
    assert middle == pytest.approx(told["cadss_total_measured"][1])
    assert CAUTION in polars.read_parquet_metadata(file)["caution"]
    assert [each.name for each in tmp_path.iterdir()] == ["course.parquet"]


def test_a_parquet_file_is_whole_or_not_there(tmp_path):
    ended = said("simulate", "--dose-mg-per-kg", "0.5", "--times-min", "40", "--parquet", f"{tmp_path}/no/a.parquet")

    assert ended.exit_code == 2
    assert "give a place that can be written" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_was_printed_can_be_read_again(toml):
    printed = said("parameters", "--parameters", "start", "--set", "CL=90", "--csv").stdout

    file = toml(printed, "mine.csv")
    found = json.loads(said("parameters", "--parameters", file, "--json").stdout)

    values = {row["symbol"]: row["value"] for row in found["parameters"]}
    assert values == dict(parameter_set("start", {"CL": 90}))
    ended = said("simulate", "--dose-mg-per-kg", "0.5", "--parameters", file, "--times-min", "40", "--json")
    assert json.loads(ended.stdout)["overrides"] == {"CL": 90, "eta": 40, "ke": 0.0625, "kf": 0.0625}


def test_dose_records_are_read(toml):
    file = toml("TIME,AMT,DUR,II,ADDL\n0,35,0.6667,48,2\n", "doses.csv")

    found = json.loads(said("simulate", "--regimen", file, "--times-min", "40", "--json").stdout)

    assert [each["start_h"] for each in found["infusions"]] == [0, 48, 96]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["simulate"], "no regimen; give --regimen FILE.toml, or --dose-mg-per-kg such as 0.5"),
        (
            ["simulate", "--dose-mg-per-kg", "0"],
            "a dose of 0 mg; a dose must be above zero (leave a missed infusion out)",
        ),
        (["simulate", "--dose-mg-per-kg", "-1"], "a dose of -70 mg; a dose must be above zero"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--weight-kg", "7"], "weight 7 kg; it must be 30 to 250 kg"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--weight-kg", "700"], "weight 700 kg; it must be 30 to 250 kg"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--duration-min", "-40"], "ends before it starts"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--times-min", "40,20"], "times must increase"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--times-min", "4O"], "--times-min 4O: it must be numbers"),
        (
            ["simulate", "--dose-mg-per-kg", "0.5", "--parameters", "mine"],
            "the sets are default, start, otto2021, simons2022",
        ),
        (["simulate", "--dose-mg-per-kg", "0.5", "--set", "etta=3"], "nearest: eta"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--set", "eta"], "--set eta: it must be NAME=VALUE"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--site", "ear"], "site 'ear'; it must be arterial or venous"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--people", "0"], "0 people; there must be at least 1"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--arm", "blind"], "arm 'blind'; the arms are even odds"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--setting", "naval"], "setting 'naval'"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--sex", "x"], "sex 'x'; it must be female or male"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--covariate", "sex"], "without a sex; give female or male"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--until-day", "0"], "until day 0; it must be above 0"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--plot", "a.pdf"], "the name must end in .svg or .png"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--parquet", "a.csv"], "the name must end in .parquet"),
        (["simulate", "--dose-mg-per-kg", "0.5", "--parameters", "no.csv"], "no.csv: No such file or directory"),
        (["simulate", "--regimen", "nowhere.toml"], "nowhere.toml: No such file or directory"),
        (["simulate", "--regimen", "a.toml", "--dose-mg-per-kg", "1"], "file and --dose-mg-per-kg together"),
        (["simulate", "--regimen", "a.toml", "--days", "0,2"], "file and --days together; the file says it all"),
        (["compare", "a.toml", "b.toml", "--duration-min", "60"], "file and --duration-min together"),
        (["compare", "--treatments", "ketamine,magic"], "--treatments magic: it must be ketamine, sertraline, therapy"),
        (["compare", "--treatments", "ketamine+nothing,therapy"], "--treatments ketamine+nothing: it must be"),
        (["compare", "--treatments", "ketamine,therapy", "--dose-mg-per-kg", "0.2,0.5"], "with files or several doses"),
        (["compare", "--treatments", "ketamine"], "only ketamine to compare"),
        (["compare"], "give two or more regimen files, or --dose-mg-per-kg such as 0.2,0.5"),
        (["compare", "--dose-mg-per-kg", "0.5"], "only 0.5 mg/kg to compare"),
    ],
)
def test_bad_input_ends_with_one_line_that_says_what(words, says):
    ended = said(*words)

    assert ended.exit_code == 2
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_file_with_an_unknown_key_is_named(toml):
    ended = said("simulate", "--regimen", toml("[[infusion]]\nstart_h=0\nduration_h=1\ndose_mg=35\ncolour=1\n"))

    assert ended.exit_code == 2
    assert "course.toml, infusion 1: unknown key 'colour'; the keys are start_h, duration_h" in ended.stderr


def test_a_picture_holds_three_regimens():
    each = trajectories(half_mg_per_kg(), Person(), times_min=[0, 40])

    with pytest.raises(PictureError, match="4 regimens in one picture; compare at most 3"):
        comparison(dict.fromkeys("abcd", each), 760, "light")


def test_a_simulation_loads_no_tables_of_labels():
    code = (
        "import sys; from reprieve.cli import cli;"
        "cli('simulate --dose-mg-per-kg 0.5 --times-min 40'.split(), standalone_mode=False);"
        "sys.exit(bool({'pandas', 'xarray', 'numba', 'pymare', 'jax'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_help_loads_no_arrays():
    code = (
        "import sys; from reprieve.cli import cli; cli(['--help'], standalone_mode=False); "
        "sys.exit(bool({'numpy', 'scipy', 'xarray', 'altair'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
