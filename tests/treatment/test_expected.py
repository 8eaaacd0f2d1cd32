"""The picture of a session: the range begins at rest, readings are counted rightly, and it can be drawn and read."""

import re

import altair as alt
import numpy as np
import pytest

from reprieve.charts import LOOKS, svg
from reprieve.pharmacology.forecast import NINETY
from reprieve.pharmacology.parameters import parameter_set
from reprieve.pharmacology.person import HEAVIEST_KG, LIGHTEST_KG, Person
from reprieve.treatment.expected import (
    SIGNALS,
    Picture,
    Pressure,
    Run,
    expected,
    finding,
    picture,
    range_of,
    rest_of,
)
from reprieve.treatment.limits import Limits

PERSON = Person(81)
WHOLE = [Run(0, 40, 60.0)]
REST = Pressure(-8, 128, 80)
ERROR = NINETY * parameter_set()["bp_res"]


@pytest.fixture(scope="module")
def found():
    """What is expected of a drip that runs for 40 minutes."""
    return expected(PERSON, WHOLE, 160)


def level(found, minute: float) -> float:
    return float(np.interp(minute, found.times_min, found.after["ketamine_plasma_ng_per_ml"].middle))


def panels(drawn: Picture) -> list[dict]:
    return drawn.to_dict()["vconcat"]


def areas(drawn: Picture) -> list[list[dict]]:
    return [layer["data"]["values"] for layer in panels(drawn)[0]["layer"] if layer["mark"]["type"] == "area"]


# The forecast


@pytest.mark.parametrize("runs", [[], [Run(0, 0, 60)], [Run(0, 40, 0)]])
def test_nothing_is_expected_while_nothing_has_run_in(runs):
    assert expected(PERSON, runs, 120) is None


@pytest.mark.parametrize("weight_kg", [LIGHTEST_KG, 45, 81, 140, HEAVIEST_KG])
def test_a_light_and_a_heavy_person_have_a_range(weight_kg):
    found = expected(Person(weight_kg), [Run(0, 40, 0.5 * weight_kg * 1.5)], 160)

    for which in SIGNALS:
        band = range_of(found, REST, which)
        assert np.isfinite([band.low, band.middle, band.high]).all()
        assert (band.low < band.middle).all()
        assert (band.middle < band.high).all()


def test_a_drip_that_was_stopped_early_is_expected_to_fall_sooner(found):
    stopped = expected(PERSON, [Run(0, 10, 60)], 160)

    assert level(stopped, 8) == pytest.approx(level(found, 8))
    assert level(stopped, 40) < level(found, 40) / 2


def test_a_paused_drip_falls_and_rises_again():
    paused = expected(PERSON, [Run(0, 20, 60), Run(40, 60, 60)], 160)

    assert level(paused, 20) > level(paused, 36)
    assert level(paused, 60) > level(paused, 36)


# The range of a reading


@pytest.mark.parametrize("which", SIGNALS)
def test_the_range_begins_at_the_pressure_at_rest_with_the_error_of_one_reading(found, which):
    band = range_of(found, REST, which)

    assert found.times_min[0] == 0
    assert band.middle[0] == pytest.approx(getattr(REST, which))
    assert (band.low[0], band.high[0]) == pytest.approx((band.middle[0] - ERROR, band.middle[0] + ERROR))
    assert band.middle.max() > band.middle[0]


def test_about_nine_in_ten_readings_of_people_drawn_from_the_model_lie_in_the_range(found):
    chance = np.random.default_rng(7)
    scores = chance.standard_normal((20_000, 9))
    k = int(np.argmin(np.abs(found.times_min - 40)))
    signals = found.body.signals(scores, np.array([40.0]), "venous")

    for which, signal in SIGNALS.items():
        rise = signals[signal][:, 0] + parameter_set()["bp_res"] * chance.standard_normal(len(scores))
        band = range_of(found, REST, which)
        value = getattr(REST, which) + rise
        assert np.mean((band.low[k] <= value) & (value <= band.high[k])) == pytest.approx(0.9, abs=0.02)


def test_rest_is_the_last_reading_before_the_drip():
    early, last = Pressure(-30, 150, 90), Pressure(0, 130, 82)

    assert rest_of([Pressure(0.1, 140, 85), last, early]) == last
    assert rest_of([Pressure(0.1, 140, 85)]) is None
    assert rest_of([]) is None


@pytest.mark.parametrize(
    ("systolic_from_edge", "diastolic_from_edge", "inside"), [(-0.01, -0.01, 1), (0.01, -0.01, 0), (-0.01, 0.01, 0)]
)
@pytest.mark.parametrize("minute", [0.5, 22, 40, 159])
def test_a_reading_counts_as_inside_only_with_both_numbers(
    found, minute, systolic_from_edge, diastolic_from_edge, inside
):
    top = {which: np.interp(minute, found.times_min, range_of(found, REST, which).high) for which in SIGNALS}
    reading = Pressure(minute, top["systolic"] + systolic_from_edge, top["diastolic"] + diastolic_from_edge)

    assert finding(found, [REST, reading]).endswith(f" {inside} of 1 since the start are in the expected range.")


def test_a_reading_below_the_range_is_outside(found):
    assert "0 of 1" in finding(found, [REST, Pressure(40, 100, 85)])


@pytest.mark.parametrize(
    ("pressures", "words"),
    [
        ([], "No blood pressure yet."),
        ([REST], "The last blood pressure is 128/80."),
        ([Pressure(10, 140, 85)], "The last blood pressure is 140/85."),  # nothing at rest to count from
        ([Pressure(500, 131, 81), REST], "The last blood pressure is 131/81."),  # after the forecast ends
        (
            [Pressure(20, 141, 87), REST, Pressure(10, 138, 85), Pressure(30, 190, 87)],
            "The last blood pressure is 190/87. 2 of 3 since the start are in the expected range.",
        ),
    ],
)
def test_the_finding_in_a_sentence(found, pressures, words):
    assert finding(found, pressures) == words


def test_before_a_drip_the_finding_is_the_last_reading():
    assert finding(None, [REST]) == "The last blood pressure is 128/80."


# The picture


DURING = [REST, Pressure(10, 141, 88), Pressure(20, 150, 92), Pressure(40, 152, 93)]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("width", [328, 620])
@pytest.mark.parametrize("limits", [None, Limits()], ids=["no limits", "limits"])
@pytest.mark.parametrize("pressures", [[], [REST], DURING], ids=["no reading", "rest", "readings"])
@pytest.mark.parametrize("begun", [False, True])
def test_it_is_vega_lite_and_is_drawn_to_its_width_without_script_or_style(
    found, look, width, limits, pressures, begun
):
    drawn = picture(found if begun else None, pressures, 42.0 if begun else 0.0, width, look, limits)
    alt.Chart.from_dict(drawn.to_dict())  # raises where the description is not Vega-Lite

    said = svg(drawn, LOOKS[look])

    assert "<script" not in said
    assert "<style" not in said
    assert "style=" not in said
    across = float(re.search(r'viewBox="0 0 ([\d.]+)', said)[1])
    assert across == pytest.approx(width, abs=12)
    assert len(panels(drawn)) == (2 if begun else 1)


def test_bars_bands_and_the_line_at_now_are_where_they_belong(found):
    drawn = picture(found, DURING, 42, 620, "light", Limits())

    layers = panels(drawn)[0]["layer"]
    past, pale, _, _, bars, now = (layer["data"]["values"] for layer in layers)
    assert [(bar["h"], bar["s"], bar["d"]) for bar in bars] == [
        (round(each.at_min / 60, 3), each.systolic, each.diastolic) for each in DURING
    ]
    assert now == [{"h": 0.7}]
    assert past[0]["to"] == 0.7
    assert pale == [{"l": 40, "u": 140}]
    for band, which in zip(areas(drawn), SIGNALS, strict=True):
        assert (band[0]["h"], band[0]["u"]) == (0, pytest.approx(getattr(REST, which) + ERROR, abs=0.06))


def test_without_a_reading_at_rest_there_is_no_range(found):
    assert areas(picture(found, DURING[1:], 42, 620, "light")) == []


@pytest.mark.parametrize(
    ("pressures", "domain"),
    [
        (DURING, [40, 200]),
        ([Pressure(10, 200, 40)], [40, 200]),
        ([Pressure(10, 201, 39)], [20, 220]),
        ([Pressure(-5, 198, 110), Pressure(10, 190, 100)], [40, 240]),  # the range reaches further than the readings
        ([Pressure(10, 90, 215)], [40, 220]),  # numbers that were swapped
    ],
)
def test_the_axis_reaches_as_far_as_the_figures(found, pressures, domain):
    assert (
        panels(picture(found, pressures, 20, 328, "light"))[0]["layer"][-2]["encoding"]["y"]["scale"]["domain"]
        == domain
    )


def test_what_is_not_drawn_is_not_explained(found):
    def told(*given):
        return " ".join(picture(*given).to_dict()["title"]["subtitle"])

    assert told(None, [REST], 0, 620, "light") == "Bars: measured. Dotted line: now."
    assert "Grey" in told(found, DURING, 42, 620, "light")
    assert "to 150, at which" in told(found, DURING, 42, 620, "light", Limits({"hold_systolic_mmhg": 150}))
