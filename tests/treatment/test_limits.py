"""The safety limits: every number has its source, and a set that cannot be right cannot be made."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.sources import read_table
from reprieve.treatment.limits import BELOW, LimitError, Limits, limits
from reprieve.treatment.monitoring import facts

WIDE = {  # so that a limit's own bounds can be reached without crossing its pair
    "hold_systolic_mmhg": 100, "retake_systolic_mmhg": 165, "stop_systolic_mmhg": 210,
    "hold_diastolic_mmhg": 60, "retake_diastolic_mmhg": 101, "stop_diastolic_mmhg": 125,
    "stop_spo2_percent": 85, "check_spo2_percent": 97, "stop_moaas": 0, "stay_moaas": 4,
}  # fmt: skip
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def rows():
    return read_table("reprieve.treatment", "limits.csv")


def pair_moved(name: str, value: float) -> dict[str, float]:
    """A set in which this limit has this value and its pairs keep clear of it."""
    said = {**WIDE, name: value}
    for lower, higher in BELOW:
        if name == lower and said[higher] <= value:
            said[higher] = limits()[higher].high
        if name == higher and said[lower] >= value:
            said[lower] = limits()[lower].low
    return said


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["limit_id"])
def test_a_limit_stands_in_its_source_or_is_called_our_choice(row):
    source = facts()[row["fact_id"]]
    in_the_source = {float(number) for number in NUMBER.findall(f"{source.value} {source.timing} {source.action}")}

    assert row["choice"] in ("source", "our choice")
    if row["choice"] == "source":
        assert float(row["default"]) in in_the_source


@pytest.mark.parametrize("name", ["food_h", "fluids_h", "watch_min", "vitals_every_min", "retake_systolic_mmhg"])
def test_where_sources_disagree_the_number_is_our_choice(name):
    assert limits()[name].is_our_choice
    assert re.match("sources (disagree|vary)|no single standard", limits()[name].note)


@pytest.mark.parametrize("name", limits())
@pytest.mark.parametrize("end", ["low", "high"])
def test_each_limit_at_its_bound_just_inside_and_just_outside(name, end):
    limit = limits()[name]
    bound = getattr(limit, end)
    whole = limit.unit == "points"
    step = (1 if whole else 0.001) * (1 if end == "low" else -1)

    assert Limits(pair_moved(name, bound))[name] == bound
    if limit.low <= bound + step <= limit.high:
        assert Limits(pair_moved(name, bound + step))[name] == bound + step
    with pytest.raises(LimitError, match="it must be"):
        Limits(pair_moved(name, bound - step))


@pytest.mark.parametrize(("lower", "higher"), BELOW)
def test_a_limit_stays_below_its_pair(lower, higher):
    value = max(limits()[lower].low, limits()[higher].low)
    for above, stands in ((value, False), (value + 1, True)):
        said = {**pair_moved(lower, value), higher: above}
        said |= {third: limits()[third].high for second, third in BELOW if second == higher}
        if stands:
            assert Limits(said)[higher] == above
        else:
            with pytest.raises(LimitError, match="must be below"):
                Limits(said)


def test_one_that_is_left_out_has_its_default():
    assert Limits() == {name: limit.default for name, limit in limits().items()}
    assert Limits({"watch_min": 240}) == {**Limits(), "watch_min": 240}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1])
def test_no_number_is_no_limit(value):
    with pytest.raises(LimitError):
        Limits({"most_mg": value})


def test_a_score_has_no_fractions():
    with pytest.raises(LimitError, match="whole number"):
        Limits({"stop_moaas": 0.5})


def test_an_unknown_limit_is_named():
    with pytest.raises(LimitError, match="'most_grams' is no limit"):
        Limits({"most_grams": 1})


@given(st.dictionaries(st.sampled_from(sorted(limits())), st.floats(0, 400)))
def test_whatever_stands_is_within_bounds_and_in_order(said):
    try:
        found = Limits(said)
    except LimitError:
        return
    assert all(limits()[name].low <= value <= limits()[name].high for name, value in found.items())
    assert all(found[lower] < found[higher] for lower, higher in BELOW)
    assert found.items() >= said.items()
