"""One person's forecast: the prior is the room's, the update is Bayes' rule, and the intervals cover."""

from __future__ import annotations

import math
from dataclasses import replace

import altair as alt
import numpy as np
import pytest
from scipy.stats import binom

from reprieve.charts import LOOKS, svg
from reprieve.pharmacology import PharmacologyError, forecast_plot
from reprieve.pharmacology.compartments import Disposition, Exposure
from reprieve.pharmacology.dissociation import Dissociation
from reprieve.pharmacology.exposures import Exposures
from reprieve.pharmacology.forecast import (
    NINETY,
    PLACE,
    SYMBOLS,
    Body,
    ForecastError,
    Learnt,
    forecast,
    learn,
    session_times_min,
)
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import Person
from reprieve.pharmacology.readings import KINDS, Reading, ReadingError
from reprieve.pharmacology.regimen import Infusion, Regimen
from reprieve.pharmacology.simulate import simulate
from reprieve.pharmacology.thresholds import HOURS, peaks, thresholds, times_below
from reprieve.pharmacology.variability import CORRELATED, DRAWS, draw, generator
from tests.pharmacology.runs import SIX_DAYS, half_mg_per_kg

P = parameter_set()
PERSON = Person(weight_kg=81)
SIX = half_mg_per_kg(SIX_DAYS, weight_kg=81)
BODY = Body(PERSON, SIX, P)
TYPED = (  # what a nurse may have in hand after a session
    Reading(20, "systolic_change_mmhg", 20),
    Reading(40, "systolic_change_mmhg", 24),
    Reading(40, "diastolic_change_mmhg", 12),
    Reading(40, "cadss_total", 30),
    Reading(45, "ketamine_venous_ng_per_ml", 150),
    Reading(80, "cadss_total", 2),
)


def people(n: int, seed: int = 3):
    return generator(seed, 0).standard_normal((n, len(SYMBOLS)))


# Levels of many at once


@pytest.mark.parametrize("weight_kg", [45, 81, 140])
def test_many_people_at_once_are_as_each_alone(weight_kg):
    regimen = half_mg_per_kg(SIX_DAYS, weight_kg=weight_kg) + Regimen([Infusion(0.5, 1.25, 7), Infusion(49, 0.1, 11)])
    typical = Disposition.of(P, Person(weight_kg=weight_kg))
    factors = np.exp(0.35 * people(25)[:, :4]).T
    own = {
        name: getattr(typical, name) * factor for name, factor in zip(("V1", "CL", "VN", "CLN"), factors, strict=True)
    }
    times = np.concatenate([np.linspace(0, 30, 60), [47.9, 48.6, 264.7, 270, 400]])

    found = Exposures(typical, **own, regimen=regimen).levels(times)

    for k in range(25):
        alone = Exposure(replace(typical, **{name: value[k] for name, value in own.items()}), regimen)
        states = alone.at(times)
        levels = {
            "arterial": states[:, 0] / own["V1"][k],
            "venous": states[:, 6],
            "effect_site": states[:, 7] / typical.free_at_effect_site,
            "norketamine": states[:, 3] / own["VN"][k],
        }
        for name, level in levels.items():
            assert getattr(found, name)[k] == pytest.approx(level, rel=1e-9, abs=1e-11), (k, name)


def test_where_two_rates_meet_a_person_goes_the_slower_way_and_is_right():
    typical = Disposition.of(P, PERSON)
    one = {name: np.array([getattr(typical, name)]) for name in ("V1", "CL", "VN", "CLN")}
    middle = Exposures(typical, **one, regimen=SIX).rates[0, 1]
    met = replace(typical, kv=float(middle) * (1 + 1e-8))
    many = Exposures(met, **one, regimen=SIX)
    times = np.array([0.5, 2.0, 8.0])

    assert many.is_close.all()
    assert many.levels(times).venous[0] == pytest.approx(Exposure(met, SIX).at(times)[:, 6], rel=1e-9)


def test_the_median_person_is_the_one_that_simulate_gives():
    typical = dict.fromkeys(("pot", "Dmax", "Emax_s", "Emax_d", "Emax_h"), 1.0)
    shrunk = BODY.factors(np.zeros((1, 9)))[0]
    own = P.replaced({name: P[name] * shrunk[PLACE[name]] for name in typical})
    times = np.array([20.0, 40.0, 80.0, 2920.0, 20240.0])

    mine = BODY.signals(np.zeros((1, 9)), times, "venous")
    whole = simulate(SIX, PERSON, own, times_min=times, site="venous")

    for name, signal in mine.items():
        assert signal[0] == pytest.approx(whole[name].values[0], rel=1e-6), name


# The prior


def test_the_prior_is_the_spread_that_the_room_draws():
    """The same standard normal numbers give the same person here and in ``variability.py``."""
    drawn = draw(P, seed=4, number=11, weight_kg=81)
    z = dict(zip(DRAWS, generator(4, 11).standard_normal(len(DRAWS)), strict=True))
    scores = np.array([[z[symbol] for symbol in SYMBOLS]])

    factors = dict(zip(SYMBOLS, BODY.factors(scores)[0], strict=True))

    assert {name: P[name] * factors[name] for name in SYMBOLS} == pytest.approx({n: drawn.p[n] for n in SYMBOLS})
    assert set(CORRELATED) <= set(SYMBOLS)


def test_no_readings_give_the_prior_exactly():
    learnt = learn(BODY, ())
    found = forecast(PERSON, SIX)

    assert np.array_equal(learnt.scores, np.zeros(9))
    assert np.array_equal(learnt.covariance, np.eye(9))
    assert found.after is found.before
    assert [each.shrinkage for each in found.parameters] == [0] * 9
    assert all(each.before == each.after for each in found.parameters)
    assert found.not_informed == found.parameters


# Bayes' rule


def test_a_steady_level_is_the_conjugate_case():
    """At steady state log level = log(rate) - log(clearance), so normal times normal: a closed form."""
    rate_mg_per_h, observed = 20.0, 300.0
    long = Regimen([Infusion(0, 2000, rate_mg_per_h * 2000)])
    body = Body(Person(weight_kg=70), long, P)
    expected = rate_mg_per_h * 1e3 / P["CL"]  # ng/mL

    learnt = learn(body, [Reading(1999 * 60, "ketamine_arterial_ng_per_ml", observed)])

    prior = math.log1p(0.17**2)
    error = math.log1p(P["sigma_K"] ** 2)
    log_clearance = -math.log(observed / expected) * prior / (prior + error)
    r = P["rho_V1_CL"]
    row = body.mixing[PLACE["CL"]]
    assert row @ learnt.scores * math.sqrt(prior) == pytest.approx(log_clearance, abs=1e-6)
    assert row @ learnt.covariance @ row * prior == pytest.approx(prior * error / (prior + error), rel=1e-5)
    v1 = learnt.scores[PLACE["V1"]]  # the volume is learnt through its correlation alone
    assert v1 * math.sqrt(prior) == pytest.approx(r * log_clearance, abs=1e-6)


@pytest.mark.parametrize(
    ("symbol", "readings"),
    [
        ("Emax_s", [Reading(m, "systolic_change_mmhg", v) for m, v in ((20, 24), (40, 31), (60, 19))]),
        ("Emax_h", [Reading(40, "pulse_change_per_min", 9)]),
        ("Dmax", [Reading(20, "cadss_total", 41), Reading(40, "cadss_total", 52), Reading(60, "cadss_total", 20)]),
        ("CL", [Reading(m, "ketamine_venous_ng_per_ml", v) for m, v in ((80, 60), (120, 40), (230, 15))]),
    ],
)
def test_one_parameter_agrees_with_brute_force(symbol, readings):
    """Laplace is an approximation, so the mode is held tightly and the spread loosely."""
    z = np.linspace(-6, 6, 4001)
    scores = np.zeros((len(z), 9))
    scores[:, PLACE[symbol]] = z
    log = BODY.log_chance(scores, readings) - z**2 / 2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = float(weight @ z)
    spread = math.sqrt(float(weight @ (z - mean) ** 2))

    learnt = learn(BODY, readings, symbols=[symbol])

    at = PLACE[symbol]
    laplace = math.sqrt(learnt.covariance[at, at])
    assert learnt.scores[at] == pytest.approx(z[log.argmax()], abs=2e-3)
    assert learnt.scores[at] == pytest.approx(mean, abs=0.35 * spread)
    assert laplace == pytest.approx(spread, rel=0.12)
    others = np.delete(np.arange(9), at)
    assert np.array_equal(learnt.scores[others], np.zeros(8))


def test_the_most_probable_person_is_at_the_top():
    learnt = learn(BODY, TYPED)
    near = learnt.scores + np.concatenate([0.01 * np.eye(9), -0.01 * np.eye(9), np.zeros((1, 9))])
    log = BODY.log_chance(near, TYPED) - np.sum(near**2, axis=1) / 2

    assert log.argmax() == len(near) - 1
    assert np.linalg.eigvalsh(learnt.covariance)[0] > 0


def test_the_order_of_readings_does_not_matter():
    one, other = learn(BODY, TYPED), learn(BODY, TYPED[::-1])

    assert np.array_equal(one.scores, other.scores)
    assert np.array_equal(one.covariance, other.covariance)


PLAN = [(m, what) for m in (30, 60, 150) for what in KINDS if what not in ("ketamine_venous_ng_per_ml", "cadss_total")]
PLAN += [(m, "cadss_total") for m in (20, 40, 80)]


def test_ninety_percent_intervals_hold_about_ninety_percent_of_people():
    """120 made-up people, 9 parameters each; a thousand are in docs/explanation/forecast.md."""
    sets, held = 120, np.zeros(9)
    for number in range(sets):
        noise = generator(8, number)
        own = noise.standard_normal(9)
        expected = BODY.expected(own[None], [Reading(m, what, 1) for m, what in PLAN])[0]
        readings = []
        for (minute, what), mean in zip(PLAN, expected, strict=True):
            value = float(Reading(minute, what, 1).drawn(np.array([mean]), P, noise)[0])
            readings.append(Reading(minute, what, min(max(value, KINDS[what].lowest), KINDS[what].highest)))
        learnt = learn(BODY, readings)
        apart = BODY.mixing @ (own - learnt.scores)
        spread = np.sqrt(np.diag(BODY.mixing @ learnt.covariance @ BODY.mixing.T))
        held += np.abs(apart) < NINETY * spread

    low, high = binom.ppf([0.0005, 0.9995], sets, 0.9)
    assert np.all((held >= low) & (held <= high)), held
    assert held.sum() / (9 * sets) == pytest.approx(0.9, abs=0.03)


def test_what_is_read_is_learnt_and_the_rest_is_named():
    found = forecast(PERSON, SIX, TYPED)
    learnt = {each.symbol for each in found.parameters if each.is_learnt}

    assert learnt == {"Dmax", "Emax_s", "Emax_d"}
    assert "pot" in {each.symbol for each in found.not_informed}  # no reading can tell
    systolic = next(each for each in found.parameters if each.symbol == "Emax_s")
    assert systolic.shrinkage == pytest.approx(0.66, abs=0.02)
    assert systolic.after[2] - systolic.after[0] < systolic.before[2] - systolic.before[0]


def test_many_readings_draw_the_forecast_to_the_person():
    own = np.array([0.8, -0.9, 0.3, -1.0, 0.0, 1.0, 1.2, -0.7, 0.9])
    plan = [
        Reading(m, what, 1)
        for m in range(5, 235, 5)
        for what in ("ketamine_arterial_ng_per_ml", "norketamine_ng_per_ml")
    ]
    plan += [Reading(m, "systolic_change_mmhg", 1) for m in range(5, 200, 5)]
    expected = BODY.expected(own[None], plan)[0]
    readings = [Reading(each.time_min, each.what, value) for each, value in zip(plan, expected, strict=True)]

    found = forecast(PERSON, SIX, readings, times_min=[40, 110])

    for name in ("ketamine_plasma_ng_per_ml", "norketamine_plasma_ng_per_ml", "systolic_change_mmhg"):
        truth = BODY.signals(own[None], np.array([40.0, 110.0]))[name][0]
        assert found.after[name].middle == pytest.approx(truth, rel=0.05), name
        assert np.all(found.after[name].high - found.after[name].low < found.before[name].high - found.before[name].low)


def test_the_same_people_are_drawn_every_time():
    one, other = forecast(PERSON, SIX, TYPED), forecast(PERSON, SIX, TYPED[::-1])

    assert np.array_equal(one.people_after, other.people_after)
    assert np.array_equal(one.people_before, Learnt.nothing().drawn())
    assert one.people_before.mean(axis=0) == pytest.approx(np.zeros(9), abs=1e-12)  # pairs of opposites


def test_no_symptoms_in_a_forecast():
    found = forecast(PERSON, SIX, times_min=[40])

    assert not [name for name in found.before if "caps" in name or "pcl" in name or "synap" in name]


# Readings


@pytest.mark.parametrize(
    "reading", [Reading(40, "systolic_change_mmhg", 95), Reading(40, "ketamine_arterial_ng_per_ml", 2530)]
)
def test_a_reading_far_outside_is_named(reading):
    found = forecast(PERSON, SIX, [*TYPED, reading])

    assert f"{reading.words}: this reading does not fit: check it" in found.warnings
    assert not next(check for check in found.checks if check.reading == reading).fits


def test_one_that_disagrees_with_the_others_is_named_although_others_might_read_it():
    steady = [Reading(m, "systolic_change_mmhg", 5) for m in (20, 30, 40, 50)]
    odd = Reading(35, "systolic_change_mmhg", 34)

    found = forecast(PERSON, SIX, [*steady, odd])

    assert [check.reading for check in found.checks if not check.fits] == [odd]
    assert forecast(PERSON, SIX, [odd]).checks[0].fits


def test_usual_readings_fit():
    assert all(check.fits for check in forecast(PERSON, SIX, TYPED).checks)


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        ("systolic", 12, "'systolic' is no reading"),
        ("systolic_change_mmhg", 151, "systolic rise 151; it must be -80 to 150 mmHg"),
        ("ketamine_venous_ng_per_ml", 0, "ketamine, venous 0; it must be 0.1 to 20000 ng/mL"),
        ("cadss_total", 93, "CADSS 93; it must be 0 to 92 points"),
        ("cadss_total", 2.5, "CADSS 2.5; it must be a whole number of points"),
        ("norketamine_ng_per_ml", math.nan, "norketamine nan"),
    ],
)
def test_a_reading_checks_itself(what, value, words):
    with pytest.raises(ReadingError, match=words):
        Reading(40, what, value)


@pytest.mark.parametrize("minute", [-1, math.inf, math.nan])
def test_a_time_before_the_course_is_refused(minute):
    with pytest.raises(ReadingError, match="time runs from 0"):
        Reading(minute, "cadss_total", 3)


@pytest.mark.parametrize("minute", [0, 1440])
def test_a_reading_before_there_is_drug_is_refused(minute):
    later = Regimen.repeated(40, 2 / 3, days=[1, 3])

    with pytest.raises(ForecastError, match=r"not after the start of the first infusion, 1440 min; a reading at rest"):
        learn(Body(PERSON, later, P), [Reading(minute, "systolic_change_mmhg", 3)])


def test_readings_without_any_drug_and_too_many_are_refused():
    with pytest.raises(ForecastError, match="and there is none"):
        forecast(PERSON, Regimen(), [TYPED[0]])
    with pytest.raises(ForecastError, match="201 readings; give at most 200"):
        forecast(PERSON, SIX, [TYPED[0]] * 201)


@pytest.mark.parametrize("minute", [0.01, 40, 30_000])
@pytest.mark.parametrize(("rise", "points", "level"), [(-80, 0, 0.1), (150, 92, 20_000)])
def test_everything_extreme_at_once_still_gives_an_answer(minute, rise, points, level):
    readings = [
        Reading(minute, "systolic_change_mmhg", rise),
        Reading(minute, "cadss_total", points),
        Reading(minute, "ketamine_arterial_ng_per_ml", level),
    ]

    found = forecast(PERSON, SIX, readings)

    assert all(np.all(np.isfinite(band.high)) for band in found.after.values())
    assert found.warnings != ()


def test_the_chance_of_a_count_is_that_of_the_room():
    """The rating's law is the one that ``Dissociation.rated`` draws from."""
    drawn = Dissociation.of(P).rated(np.full(200_000, 12.0), generator(5, 5))
    for value in (0, 3, 12, 40):
        reading = Reading(40, "cadss_total", value)
        chance = math.exp(reading.log_chance(np.array([12.0]), P)[0])
        below = reading.chance_below(np.array([12.0]), P)[0]

        assert chance == pytest.approx(np.mean(drawn == value), abs=0.002)
        assert below == pytest.approx(np.mean(drawn < value) + np.mean(drawn == value) / 2, abs=0.003)
    total = sum(math.exp(Reading(1, "cadss_total", n).log_chance(np.array([5.0]), P)[0]) for n in range(93))
    assert total == pytest.approx(1, abs=1e-5)


# Thresholds


def test_each_threshold_says_where_it_comes_from():
    found = {each.signal: each for each in thresholds(P)}

    assert found["ketamine_plasma_ng_per_ml"].source.startswith("Bowdle 1998")
    assert found["cadss_total"].level == P["cad_base"] + 2
    assert {each.source for each in found.values()} - {found["ketamine_plasma_ng_per_ml"].source} == {"our choice"}
    assert found["systolic_change_mmhg"].published.startswith("published: pressure back at rest 1.5 h after infusion")


def test_times_below_are_those_of_the_people_drawn():
    found = forecast(PERSON, SIX, TYPED)
    below = {each.threshold.signal: each for each in times_below(found)}
    at = below["systolic_change_mmhg"].most_after_min
    half = below["systolic_change_mmhg"].half_after_min

    later = np.array([half, at])
    rise = BODY.signals(found.people_after, later)["systolic_change_mmhg"]

    assert np.mean(rise[:, 0] < 5) == pytest.approx(0.5, abs=0.01)
    assert np.mean(rise[:, 1] < 5) == pytest.approx(0.95, abs=0.01)
    assert half < at


def test_never_above_is_below_from_the_start_and_not_within_a_day_is_said():
    little = times_below(forecast(PERSON, Regimen([Infusion(0, 1, 0.5)])))
    lasting = times_below(forecast(PERSON, Regimen([Infusion(0, HOURS, 2000)])))

    assert {each.most_before_min for each in little} == {0.0}
    assert {each.half_before_min for each in lasting} == {math.inf}


def test_a_session_ends_where_the_next_begins():
    close = Regimen([Infusion(0, 1, 40), Infusion(5, 1, 40)])

    assert session_times_min(close, 1)[-1] == 300
    assert session_times_min(close, 2)[[0, -1]].tolist() == [300, 660]
    with pytest.raises(ForecastError, match="session 3; the regimen has 2"):
        session_times_min(close, 3)
    with pytest.raises(ForecastError, match="session 1; the regimen has 0"):
        forecast(PERSON, Regimen())


def test_dissociation_is_less_each_session_and_levels_are_not():
    found = peaks(forecast(PERSON, SIX, TYPED))

    assert [each.session for each in found] == [1, 2, 3, 4, 5, 6]
    assert [each.day for each in found] == list(SIX_DAYS)
    middles = [each.cadss[1] for each in found]
    assert middles == sorted(middles, reverse=True)
    assert found[5].ketamine_ng_per_ml[1] == pytest.approx(found[0].ketamine_ng_per_ml[1], rel=0.01)


# The picture


@pytest.mark.parametrize("width", [328, 620])
@pytest.mark.parametrize("readings", [(), TYPED])
def test_the_picture_is_vega_lite_and_small(width, readings):
    found = forecast(PERSON, SIX, readings, site="venous")

    picture = forecast_plot.session(found, 1, width, "light")
    drawn = svg(picture, LOOKS["light"])

    alt.Chart.from_dict(picture.to_dict())  # raises where the description is not Vega-Lite
    assert len(drawn) < 60_000
    assert "style" not in drawn
    assert "Research only" in drawn
    assert ("Dots: the" in drawn) == bool(readings)


def test_a_thinned_line_is_never_off_by_what_can_be_seen():
    found = forecast(PERSON, SIX)
    band = found.before["ketamine_plasma_ng_per_ml"]
    clock = found.times_min / 60

    kept = forecast_plot._points(band, clock, 1.0, seen=1.0)

    line = np.interp(clock, [each["h"] for each in kept], [each["m"] for each in kept])
    assert len(kept) < len(clock)
    assert np.max(np.abs(line - band.middle)) < 1.2


def test_a_parameter_set_and_a_covariate_are_carried():
    women = forecast(Person(weight_kg=70, sex="female"), half_mg_per_kg(), covariates=("sex",), times_min=[40])
    usual = forecast(Person(weight_kg=70, sex="female"), half_mg_per_kg(), times_min=[40])
    otto = forecast(Person(weight_kg=70), half_mg_per_kg(), parameters=parameter_set("otto2021"), times_min=[40])

    level = "ketamine_plasma_ng_per_ml"
    assert women.before[level].middle[0] < usual.before[level].middle[0]
    assert otto.before[level].middle[0] < women.before[level].middle[0]


@pytest.mark.parametrize("times", [[], [-1.0], [math.nan]])
def test_times_are_checked(times):
    with pytest.raises(PharmacologyError, match="times must be"):
        forecast(PERSON, SIX, times_min=times)
