"""The calibration: its arithmetic held to the readable model and to closed forms, its answers to what must come out."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import norm

from reprieve.cli import cli
from reprieve.pharmacology.calibration import CalibrationError, ptsd
from reprieve.pharmacology.calibration.disposition import levels, states
from reprieve.pharmacology.calibration.fit import HARDLY, INFORMED, LEVELS, calibrate, fit_level
from reprieve.pharmacology.calibration.information import combinations, fisher, most_likely
from reprieve.pharmacology.calibration.level import Datum, Level
from reprieve.pharmacology.calibration.numerics import jnp, log_null
from reprieve.pharmacology.calibration.page import page
from reprieve.pharmacology.calibration.priors import Prior
from reprieve.pharmacology.calibration.sampling import Effort
from reprieve.pharmacology.calibration.slow import severity, signals
from reprieve.pharmacology.compartments import Disposition, Exposure
from reprieve.pharmacology.model import Course, Model, solve
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.symptoms import Ssri
from tests.pharmacology.runs import SIX_DAYS, THREE_STEPS, half_mg_per_kg

P = parameter_set()
QUICK = Effort(chains=2, samples=150, warmup=150)


def normal(symbol: str) -> Prior:
    return Prior(symbol, "normal", 0.0, 1.0, "none", "of a test")


def datum(name: str, observed: float, error: float, kind: str = "number") -> Datum:
    return Datum(name, observed, error, "none", "a test", kind=kind)


SEEN = Level(  # two parameters of which one combination is seen, twice, and a third that nothing sees
    name="test",
    title="A level whose posterior is known",
    priors=(normal("a"), normal("b"), normal("unseen")),
    data=(datum("a + b", 2.0, 0.5), datum("a + b again", 1.0, 1.0)),
    predict=lambda values: jnp.stack([values["a"] + values["b"]] * 2),
)


@cache
def fitted():
    return fit_level(SEEN, Effort(chains=4, samples=1000, warmup=300), {})


def test_levels_agree_with_the_closed_form():
    person, regimen = Person(weight_kg=83), THREE_STEPS
    steps = np.arange(0, 300, 5) / 60
    rates = np.array([regimen.rate_mg_per_h(start + 1e-9) for start in steps])
    exposure = Exposure(Disposition.of(P, person), regimen)

    found = states(dict(P), 83.0, rates)

    ends = steps + 5 / 60
    assert np.asarray(found) == pytest.approx(exposure.at(ends), rel=1e-6, abs=1e-9)
    for species, site, expected in (
        ("ketamine", "arterial", exposure.ketamine_plasma_ng_per_ml(ends)),
        ("ketamine", "venous", exposure.ketamine_plasma_ng_per_ml(ends, "venous")),
        ("norketamine", "arterial", exposure.norketamine_plasma_ng_per_ml(ends)),
        ("hydroxynorketamine", "arterial", exposure.hydroxynorketamine_plasma_ng_per_ml(ends)),
    ):
        assert np.asarray(levels(dict(P), 83.0, found, species, site)) == pytest.approx(expected, rel=1e-6)


def test_the_slow_part_agrees_with_the_readable_model():
    courses = [
        Course(half_mg_per_kg(SIX_DAYS), arm="midazolam"),
        Course(half_mg_per_kg((0, 3)), ssri=(Ssri(100),), arm="two to one", setting="military"),
        Course(arm="daily pill"),
    ]

    found = np.asarray(severity(dict(P), signals(P, courses, 28)))

    hours = np.arange(28 * 24 + 1.0)
    for row, course in enumerate(courses):
        expected = solve(Model(P, Person(), course), hours)["theta"]
        assert np.abs(found[row] - expected).max() < 1e-3 * expected.max()


def test_a_trial_that_found_nothing_counts_as_its_chance():
    for difference, error in ((0.0, 2.0), (3.0, 2.1), (-9.0, 2.1), (40.0, 2.0)):
        z = np.linspace(-1.959963984540054, 1.959963984540054, 200_001)
        expected = np.trapezoid(norm.pdf(z, loc=difference / error), z)
        assert float(jnp.exp(log_null(jnp.array(difference), error))) == pytest.approx(expected, rel=1e-6, abs=1e-80)


def test_the_information_is_that_of_a_linear_model():
    design, errors = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]), np.array([0.5, 1.0])

    information = fisher(SEEN, most_likely(SEEN))

    assert information == pytest.approx(design.T @ np.diag(1 / errors**2) @ design)
    seen, *unseen = combinations(SEEN, information)
    assert (seen.words, seen.information) == ("a x b", pytest.approx(10))
    assert [each.information for each in unseen] == pytest.approx([0, 0], abs=1e-9)


def test_the_posterior_is_the_known_one():
    precision = np.eye(3) + np.array([[5.0, 5, 0], [5, 5, 0], [0, 0, 0]])
    covariance = np.linalg.inv(precision)
    mean = covariance @ np.array([9.0, 9.0, 0.0])

    draws = fitted().draws.flat

    assert draws.mean(axis=0) == pytest.approx(mean, abs=0.08)
    assert draws.std(axis=0) == pytest.approx(np.sqrt(np.diag(covariance)), rel=0.08)
    assert fitted().agrees
    assert fitted().divergences == 0


def test_what_no_datum_sees_keeps_its_prior():
    unseen = fitted().posteriors[2]

    assert unseen.shrinkage == pytest.approx(0, abs=HARDLY)
    assert unseen.words == "the data do not inform it"


def test_known_values_are_recovered():
    truth = 7.0
    level = Level(
        "test", "one", (Prior("w_E", "lognormal", 6.7, 0.46, "points", "of a test"),),
        tuple(datum(str(k), truth + shift, 0.6) for k, shift in enumerate((-0.5, 0.1, 0.4))),
        lambda values: jnp.stack([values["w_E"]] * 3),
    )  # fmt: skip

    found = fit_level(level, QUICK, {})

    median, low, high = found.posteriors[0].after
    assert low < truth < high
    assert median == pytest.approx(truth, abs=0.3)
    assert found.posteriors[0].shrinkage > INFORMED
    assert found.medians == {"w_E": median}


@cache
def both_versions():
    return {name: fit_level(ptsd.level(P, name), QUICK, {}) for name in ("as in the table", "one common effect")}


def test_the_two_trials_count_once_each_and_pull_apart():
    own, common = both_versions()["as in the table"], both_versions()["one common effect"]

    assert [each.kind for each in own.level.data] == ["number", "null"]
    positive, null = (own.derived[name][0] for name in (ptsd.POSITIVE, ptsd.NULL))
    assert positive > common.derived[ptsd.POSITIVE][0] > null
    assert common.derived[ptsd.NULL][0] > null


def test_belief_is_not_told_from_the_drug():
    expectancy = next(each for each in both_versions()["one common effect"].posteriors if each.prior.symbol == "w_P")

    assert abs(expectancy.shrinkage) < INFORMED


def test_levels_take_what_came_before_and_ke_keeps_to_kf():
    found = calibrate(Effort(2, 60, 100), ("symptoms", "comparators"))

    frozen = found["comparators"].frozen
    assert found["symptoms"].frozen == {}
    assert frozen["ke"] == frozen["kf"] == found["symptoms"].medians["kf"]
    told = page(found, QUICK)
    for name, each in found.items():
        assert f"## {each.level.title} ({name})" in told
        for one in each.posteriors:
            assert f"| `{one.prior.symbol}` |" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fit", "--level", "soul"], "level 'soul'; the levels are pk, safety, synapses"),
        (["fit", "--chains", "1"], "1 chains; it takes two or more"),
        (["fit", "--samples", "5"], "5 samples after 500; give at least 50 of each"),
        (["fit", "--check", "--level", "pk"], "--check and --level together"),
    ],
)
def test_bad_input_ends_with_one_line(words, says):
    ended = CliRunner().invoke(cli, words)

    assert ended.exit_code == 2
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_without_the_extra_the_way_out_is_named():
    code = (
        "import sys; sys.modules['numpyro'] = None\n"
        "from reprieve.cli import cli; cli(['fit'])"
    )  # fmt: skip

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert ran.stderr == (
        "reprieve fit needs jax, numpyro and arviz: install the extra 'fit' (in a clone: make research)\n"
    )


def test_the_check_needs_no_extra():
    code = (
        "import sys; from reprieve.cli import cli; cli(['fit', '--check', '--people', '100'], standalone_mode=False);"
        "sys.exit(bool({'jax', 'numpyro', 'arviz'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_an_unknown_level_is_refused():
    with pytest.raises(CalibrationError, match="level 'x'; the levels are"):
        calibrate(QUICK, ("x",))
    assert list(LEVELS) == ["pk", "safety", "synapses", "symptoms", "ptsd", "comparators"]
