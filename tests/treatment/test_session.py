"""A session is read from its entries: in whatever order they came, and as somebody counting seconds would."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.treatment.limits import Limits
from reprieve.treatment.session import (
    BEFORE,
    KINDS,
    LEFT,
    OFFLINE,
    PAUSED,
    RUNNING,
    STOPPED,
    Progress,
    SessionError,
    Written,
    progress,
)

NINE = datetime(2026, 11, 25, 9)
LIMITS = Limits()
DOSE = {"mg": 40.0, "ml": 4.0, "mg_per_ml": 10.0, "ml_per_h": 6.0, "weight_kg": 80.0}  # runs for 40 minutes


def at(minute: float) -> datetime:
    return NINE + timedelta(minutes=minute)


def wrote(uid: str, kind: str, minute: float, term: str = "", **data) -> Written:
    return Written(uid, kind, at(minute), data, "nia", term)


DOSED = (wrote("gate", "gate", -20, complete=True), wrote("dose", "dose", -10, **DOSE))
BEGUN = (*DOSED, wrote("check", "dose_check", -5, mg=40.0, ml=4.0), wrote("start", "start", 0))


def stands(minute: float, *entries: Written, before: Iterable[Written] = BEGUN) -> Progress:
    return progress([*before, *entries], LIMITS, at(minute))


# Before the drip


def test_nothing_written_down_is_before_the_drip():
    found = stands(0, before=())

    assert (found.phase, found.dose, found.checked, found.infused_ml, found.left_ml) == (BEFORE, {}, False, 0, 0)
    assert found.started_at is found.stopped_at is found.ends_at is found.reading_due_at is None


@pytest.mark.parametrize(
    ("entry", "checked", "why"),
    [
        (wrote("x", "dose_check", -1, mg=40.0, ml=4.0), True, None),
        (wrote("x", "dose_check", -1, mg=41.0, ml=4.0), False, "it was another dose"),
        (wrote("x", "dose_check", -1, mg=40.0, ml=4.1), False, "it was another dose"),
        (wrote("x", "dose_check", -15), False, "no dose was computed"),
    ],
)
def test_a_second_person_checks_just_this_dose(entry, checked, why):
    found = stands(0, entry, before=DOSED)

    assert found.checked == checked
    assert found.without_effect == ({"x": why} if why else {})


def test_a_new_dose_asks_for_a_new_check():
    found = stands(0, wrote("again", "dose", -1, **{**DOSE, "mg": 39.0, "ml": 3.9}), before=BEGUN[:3])

    assert (found.dose["mg"], found.checked) == (39.0, False)


def test_a_start_that_came_out_before_its_dose_runs_with_that_dose():
    """Where a device's clock was moved, the time of a start is brought in, and may lie before the dose."""
    found = stands(20, wrote("start", "start", -30), before=DOSED)

    assert (found.phase, found.stopped_at) == (STOPPED, at(10))
    assert found.infused_mg == 40
    assert found.without_effect == {}


def test_a_discharge_before_anything_ends_a_visit_without_a_drip():
    found = stands(
        1, wrote("out", "discharge", 0), wrote("late", "start", 1), wrote("twice", "discharge", 1), before=()
    )

    assert (found.phase, found.infused_ml) == (LEFT, 0)
    assert found.without_effect == {"late": "the person had left", "twice": "the person had left"}


# The drip


@pytest.mark.parametrize(
    ("minute", "phase", "ml"),
    [(0, RUNNING, 0), (1, RUNNING, 0.1), (39.9, RUNNING, 3.99), (40, STOPPED, 4), (500, STOPPED, 4)],
)
def test_a_drip_runs_until_the_syringe_is_empty(minute, phase, ml):
    found = stands(minute)

    assert (found.phase, found.infused_ml, found.infused_mg) == (phase, pytest.approx(ml), pytest.approx(10 * ml))
    assert found.left_ml == pytest.approx(4 - ml)
    assert (found.ends_at, found.stopped_at) == ((at(40), None) if phase == RUNNING else (None, at(40)))


def test_pausing_and_resuming_at_the_same_moment_changes_nothing_that_runs_in():
    pair = wrote("z", "pause", 10), wrote("a", "resume", 10)

    for order in permutations(pair):
        found = stands(20, *order)
        assert (found.phase, found.ends_at, found.infused_ml) == (RUNNING, at(40), pytest.approx(2))
        assert found.without_effect == {}


def test_a_rate_changed_while_paused_holds_from_the_resume():
    found = stands(30, wrote("p", "pause", 10), wrote("r", "rate", 15, ml_per_h=3), wrote("g", "resume", 20))

    assert [(piece.start, piece.stop, piece.ml_per_h) for piece in found.pieces] == [
        (at(0), at(10), 6),
        (at(20), at(30), 3),
    ]
    assert found.infused_ml == pytest.approx(1.5)
    assert found.ends_at == at(80)


def test_a_paused_drip_has_no_rate_and_no_end():
    found = stands(30, wrote("p", "pause", 10))

    assert (found.phase, found.ml_per_h, found.ends_at, found.infused_ml) == (PAUSED, 0, None, pytest.approx(1))


def test_a_start_may_carry_its_own_rate():
    found = stands(10, wrote("s", "start", 0, ml_per_h=3), before=DOSED)

    assert (found.ml_per_h, found.ends_at) == (3, at(80))


@pytest.mark.parametrize("rate", [None, 0, -1, float("nan"), float("inf")])
def test_a_rate_is_above_zero(rate):
    with pytest.raises(SessionError, match="above zero"):
        wrote("r", "rate", 1, ml_per_h=rate)


def test_a_rate_next_to_nothing_has_no_end():
    found = stands(10, wrote("r", "rate", 5, ml_per_h=1e-12))

    assert (found.phase, found.ends_at) == (RUNNING, None)
    assert found.infused_ml == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("entries", "phase", "why"),
    [
        ([wrote("x", "start", 5)], RUNNING, "the drip had begun"),
        ([wrote("x", "resume", 5)], RUNNING, "the drip was not paused"),
        ([wrote("x", "dose", 5, **DOSE)], RUNNING, "the drip had begun"),
        ([wrote("x", "discharge", 5)], RUNNING, "the drip was not stopped"),
        ([wrote("p", "pause", 4), wrote("x", "pause", 5)], PAUSED, "the drip did not run"),
        ([wrote("p", "pause", 4), wrote("x", "start", 5)], PAUSED, "the drip was paused: resume it"),
        ([wrote("s", "stop", 4), wrote("x", "stop", 5)], STOPPED, "the drip did not run"),
        ([wrote("s", "stop", 4), wrote("x", "rate", 5, ml_per_h=3)], STOPPED, "the drip did not run"),
        (
            [wrote("s", "stop", 4), wrote("x", "start", 5)],
            STOPPED,
            "the drip was stopped: take the stop back if it runs",
        ),
        ([wrote("s", "stop", 4), wrote("x", "resume", 5)], STOPPED, "the drip was not paused"),
        ([wrote("x", "pause", 41)], STOPPED, "the syringe was empty by then"),
        ([wrote("x", "stop", 40)], STOPPED, "the syringe was empty by then"),
        ([wrote("x", "resume", 41)], STOPPED, "the syringe was empty by then"),
        ([wrote("x", "vitals", 5, text="cuff")], RUNNING, "no figure is in it"),
        ([wrote("x", "seen", 5, alarm="systolic-stop nobody")], RUNNING, "no such alarm stands"),
        ([wrote("x", "correction", 5, corrects="nobody", why="?")], RUNNING, "there is no such entry"),
    ],
)
def test_an_entry_that_changes_nothing_is_named_with_the_reason(entries, phase, why):
    found = stands(45 if entries[-1].at >= at(40) else 6, *entries)

    assert found.phase == phase
    assert found.without_effect == {"x": why}


def test_a_drip_that_ran_empty_and_is_paused_then_has_stopped_when_it_was_empty():
    found = stands(60, wrote("p", "pause", 50))

    assert (found.phase, found.stopped_at, found.infused_ml) == (STOPPED, at(40), 4)


def test_a_moment_before_the_last_entry_counts_as_that_of_the_entry():
    later = wrote("p", "pause", 30)

    assert stands(10, later) == stands(30, later)


# Corrections


def test_a_start_that_is_taken_back_never_was_and_the_next_one_counts():
    back = wrote("c", "correction", 6, corrects="start", why="wrong button")

    assert stands(10, back).phase == BEFORE
    assert stands(10, back, wrote("p", "pause", 7)).without_effect == {"p": "the drip did not run"}
    found = stands(10, wrote("real", "start", 5), back)
    assert (found.started_at, found.corrected, found.without_effect) == (at(5), {"start": "wrong button"}, {})


def test_a_stop_that_is_taken_back_lets_the_drip_run_on():
    stop, back = wrote("s", "stop", 10), wrote("c", "correction", 12, corrects="s", why="it runs")

    assert stands(20, stop).infused_ml == pytest.approx(1)
    assert (stands(20, stop, back).phase, stands(20, stop, back).infused_ml) == (RUNNING, pytest.approx(2))


def test_a_correction_that_is_taken_back_puts_the_entry_in_force_again():
    stop = wrote("s", "stop", 10)
    first = wrote("c1", "correction", 12, corrects="s", why="it runs")
    second = wrote("c2", "correction", 14, corrects="c1", why="no, it does not")
    third = wrote("c3", "correction", 16, corrects="c2", why="yes, it does")

    for order in permutations((stop, first, second)):
        found = stands(20, *order)
        assert (found.phase, found.corrected) == (STOPPED, {"c1": "no, it does not"})
    assert stands(20, stop, first, second, third).corrected == {"s": "it runs", "c2": "yes, it does"}


def test_corrections_that_go_round_in_a_circle_leave_all_else_alone():
    found = stands(
        10,
        wrote("a", "correction", 5, corrects="b", why="?"),
        wrote("b", "correction", 6, corrects="a", why="?"),
        wrote("c", "correction", 7, corrects="c", why="?"),
    )

    assert (found.phase, found.infused_ml) == (RUNNING, pytest.approx(1))


def test_two_corrections_of_one_entry_are_one_and_the_last_words_are_shown():
    first, second = (
        wrote(uid, "correction", minute, corrects="start", why=uid) for uid, minute in (("c", 3), ("d", 4))
    )

    assert stands(10, second, first).corrected == {"start": "d"}


@pytest.mark.parametrize("uid", ["gate", "dose", "check"])
def test_what_was_done_before_the_dose_is_done_anew_and_not_taken_back(uid):
    found = stands(10, wrote("c", "correction", 5, corrects=uid, why="?"))

    assert (found.phase, found.dose, found.checked, found.corrected) == (RUNNING, DOSE, True, {})
    assert found.without_effect["c"].endswith("done anew, not taken back")


# Alarms, events and what is due


HIGH = wrote("v", "vitals", 10, systolic=205, diastolic=90)


def test_an_acknowledged_alarm_stays_in_the_list_and_is_no_longer_open():
    seen = wrote("k", "seen", 11, alarm="systolic-stop v")

    assert [alarm.key for alarm in stands(20, HIGH).open_alarms] == ["systolic-stop v"]
    found = stands(20, HIGH, seen)
    assert ([alarm.key for alarm in found.alarms], found.open_alarms) == (["systolic-stop v"], ())
    undone = stands(20, HIGH, seen, wrote("c", "correction", 12, corrects="k", why="not seen"))
    assert [alarm.key for alarm in undone.open_alarms] == ["systolic-stop v"]


def test_a_reading_that_is_taken_back_takes_its_alarm_along():
    found = stands(
        20,
        HIGH,
        wrote("c", "correction", 12, corrects="v", why="cuff"),
        wrote("k", "seen", 13, alarm="systolic-stop v"),
    )

    assert (found.alarms, found.readings) == ((), ())
    assert found.without_effect == {"k": "no such alarm stands"}


def test_a_reading_that_arrives_late_makes_the_one_after_it_graver_and_opens_it_again():
    second, seen = wrote("b", "vitals", 10, systolic=185), wrote("k", "seen", 11, alarm="systolic-again b")
    late = wrote("a", "vitals", 5, systolic=185)

    assert stands(20, second, seen).open_alarms == ()
    assert [alarm.key for alarm in stands(20, second, seen, late).open_alarms] == [
        "systolic-twice b",
        "systolic-again a",
    ]


@pytest.mark.parametrize(
    ("term", "severity", "alarmed"),
    [
        ("chest_pain", "mild", True),
        ("asked_to_stop", "mild", True),
        ("nausea", "mild", False),
        ("nausea", "moderate", False),
        ("nausea", "severe", True),
        ("a term of another version", "severe", True),
        ("a term of another version", "mild", False),
    ],
)
def test_an_event_that_stops_the_drip_or_is_severe_raises_an_alarm(term, severity, alarmed):
    found = stands(20, wrote("e", "adverse", 10, term=term, severity=severity))

    assert [(alarm.key, alarm.level) for alarm in found.open_alarms] == ([("event e", "stop")] if alarmed else [])
    assert found.phase == RUNNING  # a person stops the pump, and says so


def test_the_gravest_open_alarm_comes_first_then_the_oldest():
    found = stands(
        20,
        wrote("a", "vitals", 2, systolic=185),
        wrote("b", "vitals", 3, spo2=93),
        wrote("e", "adverse", 9, term="chest_pain", severity="mild"),
        wrote("c", "vitals", 12, diastolic=121),
    )

    assert [alarm.key for alarm in found.open_alarms] == [
        "event e",
        "diastolic-stop c",
        "systolic-again a",
        "spo2-check b",
    ]


@pytest.mark.parametrize(
    ("entries", "due"),
    [
        ([], 10),
        ([wrote("v", "vitals", -1, systolic=120)], 10),  # from the start
        ([wrote("v", "vitals", 4, systolic=120)], 14),
        ([wrote("v", "vitals", 4, pulse=70)], 10),  # no blood pressure
        ([wrote("p", "pause", 5)], 10),
        ([wrote("s", "stop", 5)], 15),
        ([wrote("s", "stop", 5), wrote("v", "vitals", 6, systolic=120)], 21),
        ([wrote("s", "stop", 5), wrote("d", "discharge", 6)], None),
    ],
)
def test_when_the_next_reading_is_due(entries, due):
    assert stands(7, *entries).reading_due_at == (None if due is None else at(due))


# Whatever is written down


PLAIN = [kind for kind in OFFLINE if kind not in ("rate", "correction")]
MINUTES = st.integers(0, 60)
ENTRIES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([*PLAIN, "discharge"]), MINUTES, st.just({})),
        st.tuples(st.just("rate"), MINUTES, st.sampled_from([2.0, 6.0, 30.0]).map(lambda rate: {"ml_per_h": rate})),
        st.tuples(
            st.just("correction"), MINUTES, st.integers(0, 12).map(lambda n: {"corrects": f"e{n:02}", "why": "?"})
        ),
        st.tuples(st.just("vitals"), MINUTES, st.integers(100, 210).map(lambda high: {"systolic": high})),
    ),
    max_size=13,
).map(lambda rows: [wrote(f"e{n:02}", kind, minute, **data) for n, (kind, minute, data) in enumerate(rows)])


@given(ENTRIES, st.randoms())
def test_the_order_of_arrival_changes_nothing(entries, chance):
    shuffled = [*BEGUN, *entries]
    chance.shuffle(shuffled)

    assert progress(shuffled, LIMITS, at(61)) == stands(61, *entries)


def by_the_second(entries: list[Written], until_min: int) -> float:
    """What ran in, mL, by somebody who looks at the pump each second and knows nothing of pieces."""
    taken_back = {each.data["corrects"] for each in entries if each.kind == "correction"}
    phase, rate, ml = BEFORE, 6.0, 0.0
    standing = [each for each in entries if each.uid not in taken_back]
    for second in range(until_min * 60):
        now = [each for each in standing if each.at == NINE + timedelta(seconds=second)]
        for each in sorted(now, key=lambda each: (list(KINDS).index(each.kind), each.uid)):
            moves = {
                ("start", BEFORE): RUNNING, ("pause", RUNNING): PAUSED, ("resume", PAUSED): RUNNING,
                ("stop", RUNNING): STOPPED, ("stop", PAUSED): STOPPED, ("discharge", BEFORE): LEFT,
                ("discharge", STOPPED): LEFT,
            }  # fmt: skip
            if each.kind == "rate" and phase in (RUNNING, PAUSED):
                rate = each.data["ml_per_h"]
            phase = moves.get((each.kind, phase), phase)
        if phase == RUNNING:
            ml = min(ml + rate / 3600, 4.0)
            phase = STOPPED if ml > 4 - 1e-9 else phase
    return ml


CORRECTED_ONCE = ENTRIES.map(
    lambda entries: [
        each
        for each in entries
        if each.kind != "correction"
        or any(
            other.uid == each.data["corrects"] and other.kind not in ("correction", "discharge") for other in entries
        )
    ]
)


@given(CORRECTED_ONCE, st.integers(1, 61))
def test_what_ran_in_is_what_somebody_counting_seconds_finds(entries, until):
    entries = [each for each in entries if each.kind == "correction" or each.at < at(until)]
    start = wrote("start", "start", 0)
    last = max([until, *((each.at - NINE) // timedelta(minutes=1) for each in entries)])

    found = stands(until, *entries)

    assert found.infused_ml == pytest.approx(by_the_second([start, *entries], last), abs=0.02)


@given(ENTRIES)
def test_what_ran_in_never_falls_and_never_exceeds_the_syringe(entries):
    """Entries are taken as they become known, minute by minute; corrections aside, which may take back what ran in."""
    entries = [each for each in entries if each.kind != "correction"]
    infused = [stands(minute, *(each for each in entries if each.at <= at(minute))).infused_ml for minute in range(62)]

    assert infused == sorted(infused)
    assert infused[-1] <= DOSE["ml"]


@given(ENTRIES)
def test_pieces_follow_one_another_and_add_up(entries):
    found = stands(61, *entries)

    edges = [edge for piece in found.pieces for edge in (piece.start, piece.stop)]
    assert edges == sorted(edges)
    assert all(piece.stop > piece.start for piece in found.pieces)
    assert found.infused_ml == pytest.approx(sum(piece.ml for piece in found.pieces), abs=1e-6)
    assert found.left_ml + found.infused_ml == pytest.approx(4)
    assert (found.ends_at is not None) == (found.phase == RUNNING)


@given(ENTRIES)
def test_an_entry_named_as_without_effect_can_be_left_out(entries):
    found = stands(61, *entries)
    rest = [each for each in entries if each.uid not in found.without_effect]

    again = stands(61, *rest)

    assert (again.phase, again.pieces, again.alarms) == (found.phase, found.pieces, found.alarms)
    plain = {each.uid for each in entries if each.kind != "correction"}
    assert plain & again.corrected.keys() == plain & found.corrected.keys()


def test_an_unknown_kind_is_refused():
    with pytest.raises(SessionError, match="'flush' is no kind of entry"):
        wrote("x", "flush", 0)
