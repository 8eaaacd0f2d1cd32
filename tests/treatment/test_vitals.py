"""Each alarm at its edge, pairs of readings, and figures that a slip of the hand makes."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.treatment.limits import Limits
from reprieve.treatment.vitals import CHECK, STOP, Measured, alarms, doubts, rules, vitals

NINE = datetime(2026, 11, 25, 9)
LIMITS = Limits()


def reading(uid: str, minute: float, **values: float) -> Measured:
    return Measured(uid, NINE + timedelta(minutes=minute), values)


def keys(*readings: Measured, limits: Limits = LIMITS) -> list[str]:
    return [alarm.key for alarm in alarms(readings, limits)]


@pytest.mark.parametrize(
    ("what", "value", "expected"),
    [
        ("systolic", 180, ""),
        ("systolic", 180.5, "systolic-again a"),
        ("systolic", 181, "systolic-again a"),
        ("systolic", 200, "systolic-again a"),
        ("systolic", 201, "systolic-stop a"),
        ("diastolic", 110, ""),
        ("diastolic", 111, "diastolic-again a"),
        ("diastolic", 120, "diastolic-again a"),
        ("diastolic", 121, "diastolic-stop a"),
        ("spo2", 94, ""),
        ("spo2", 93, "spo2-check a"),
        ("spo2", 92, "spo2-check a"),
        ("spo2", 91, "spo2-stop a"),
        ("moaas", 4, ""),
        ("moaas", 3, "moaas-stay a"),
        ("moaas", 2, "moaas-stay a"),
        ("moaas", 1, "moaas-stop a"),
        ("moaas", 0, "moaas-stop a"),
    ],
)
def test_a_rule_at_its_edge(what, value, expected):
    assert keys(reading("a", 0, **{what: value})) == ([expected] if expected else [])


def test_what_was_not_measured_raises_nothing():
    assert keys(reading("a", 0)) == []
    assert keys(reading("a", 0, pulse=300, breaths=1, cadss6=24)) == []  # no source gives these a limit


@pytest.mark.parametrize("what", ["systolic", "diastolic"])
@pytest.mark.parametrize(
    ("minutes_and_values", "expected"),
    [
        ([(0, "high"), (4.99, "high")], ["again a", "again b"]),
        ([(0, "high"), (5, "high")], ["again a", "twice b"]),
        ([(0, "high"), (3, "normal"), (6, "high")], ["again a", "again c"]),
        ([(0, "high"), (3, None), (6, "high")], ["again a", "twice c"]),
        ([(0, "high"), (3, "high"), (5, "high")], ["again a", "again b", "twice c"]),
        ([(0, "normal"), (3, "high"), (7, "high"), (8, "high")], ["again b", "again c", "twice d"]),
        ([(0, "high"), (5, "grave")], ["again a", "stop b"]),  # only the gravest
        ([(0, "grave"), (5, "high")], ["stop a", "twice b"]),
        ([(0, "high"), (0, "high")], ["again a", "again b"]),
    ],
)
def test_twice_means_so_far_apart_with_none_within_the_limit_between(what, minutes_and_values, expected):
    numbers = {
        "systolic": {"normal": 180, "high": 185, "grave": 201},
        "diastolic": {"normal": 110, "high": 115, "grave": 121},
    }
    taken = [
        reading(uid, minute, **({what: numbers[what][value]} if value else {"pulse": 80}))
        for uid, (minute, value) in zip("abcd", minutes_and_values, strict=False)
    ]

    for order in permutations(taken):
        assert keys(*order) == [f"{what}-{each}" for each in expected]


def test_each_number_of_the_pressure_is_judged_by_itself():
    assert keys(reading("a", 0, systolic=185, diastolic=125)) == ["systolic-again a", "diastolic-stop a"]
    assert keys(reading("a", 0, systolic=185, diastolic=90), reading("b", 5, systolic=170, diastolic=115)) == [
        "systolic-again a",
        "diastolic-again b",
    ]


def test_an_alarm_says_the_figure_and_its_source():
    (alarm,) = alarms([reading("a", 0, spo2=88.0)], LIMITS)

    assert (alarm.words, alarm.level) == ("Oxygen below 92 %: 88", STOP)
    assert alarm.source.mark == "from memory, not yet checked"


def test_rules_follow_the_signed_limits():
    mine = Limits({"retake_systolic_mmhg": 160, "retake_after_min": 10, "stop_moaas": 2, "check_spo2_percent": 96})

    assert keys(reading("a", 0, systolic=161), reading("b", 9, systolic=161), limits=mine) == [
        "systolic-again a",
        "systolic-again b",
    ]
    assert keys(reading("a", 0, systolic=161), reading("b", 10, systolic=161), limits=mine)[1] == "systolic-twice b"
    assert keys(reading("a", 0, moaas=2, spo2=95), limits=mine) == ["moaas-stop a", "spo2-check a"]


def test_the_gravest_rules_come_first_and_every_rule_can_be_shown_in_a_browser():
    levels = [rule.level for rule in rules(LIMITS)]

    assert levels == sorted(levels, key=[STOP, CHECK].index)
    for rule in rules(LIMITS):
        assert rule.as_dict()["source"] == rule.source.name
        assert (rule.above is None) != (rule.below is None)


READINGS = st.lists(
    st.tuples(st.integers(0, 12), st.dictionaries(st.sampled_from(sorted(vitals())), st.integers(0, 260))), max_size=7
).map(lambda rows: [reading(str(n), minute, **values) for n, (minute, values) in enumerate(rows)])


@given(READINGS, st.randoms())
def test_the_order_of_arrival_changes_no_alarm(taken, chance):
    shuffled = list(taken)
    chance.shuffle(shuffled)

    assert keys(*shuffled) == keys(*taken)


@given(READINGS)
def test_a_figure_raises_at_most_one_alarm_and_exactly_when_a_rule_fires(taken):
    found = keys(*taken)

    fired = {
        (rule.what, each.uid)
        for each in taken
        for rule in rules(LIMITS)
        if rule.what in each.values and not rule.again_min and rule.fires(each.values[rule.what])
    }
    assert {(key.split("-")[0], key.split(" ")[1]) for key in found} == fired
    assert len(found) == len(fired)


@pytest.mark.parametrize("name", vitals())
def test_a_figure_is_asked_for_again_only_beyond_its_range(name):
    vital = vitals()[name]

    assert doubts({name: vital.low}) == doubts({name: vital.high}) == ()
    assert len(doubts({name: vital.low - 1})) == len(doubts({name: vital.high + 1})) == 1
    assert len(doubts({name: float("nan")})) == 1


def test_the_upper_pressure_is_above_the_lower_one():
    assert len(doubts({"systolic": 90, "diastolic": 90})) == 1
    assert doubts({"systolic": 91, "diastolic": 90}) == ()
    assert doubts({}) == ()


@pytest.mark.parametrize(
    ("name", "ordinary"), [("systolic", 130), ("diastolic", 80), ("pulse", 75), ("spo2", 98), ("breaths", 14)]
)
def test_a_slipped_point_in_an_ordinary_figure_is_doubted(name, ordinary):
    assert doubts({name: ordinary}) == ()
    assert doubts({name: ordinary * 10})
    assert doubts({name: ordinary / 10})
