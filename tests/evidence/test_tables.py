"""The package's tables read, refer to each other, and answer each window as they imply."""

import math
from itertools import product

import pytest
from scipy.special import gammaln

from reprieve.evidence.addition import merge
from reprieve.evidence.answer import answer, ask
from reprieve.evidence.question import COMPARATORS, OUTCOMES, PEOPLE, RESPONSE_KINDS, WINDOWS, Question
from reprieve.evidence.rows import EvidenceError
from reprieve.evidence.tables import FILES, header, read, tables
from reprieve.evidence.trial import DIRECTION_ONLY, POOLED, treatments_of
from reprieve.sources import PROVENANCES
from tests.evidence.invented import KETAMINE, MIDAZOLAM, OF_ARM, RESULT, STUDY, given, package_tables

TREATMENTS = ("ketamine", "esketamine", "sertraline", "paroxetine", "venlafaxine", "trauma-focused therapy")
QUESTIONS = [
    Question(treatment, outcome, window, comparator, people, single_centre, directions)
    for treatment, outcome, window, comparator, people, single_centre, directions in product(
        TREATMENTS, OUTCOMES, WINDOWS, COMPARATORS, PEOPLE, (True, False), (True, False)
    )
]


@pytest.fixture(scope="module")
def answers():
    """Every question asked of the package's tables."""
    return [ask(question, tables()) for question in QUESTIONS]


@pytest.mark.parametrize("name", FILES)
def test_every_row_reads(name):
    rows = package_tables()[name]

    assert len(read(package_tables()).releases) == len(package_tables()["releases.csv"])
    assert rows
    assert all(tuple(row) == header(name) for row in rows)
    if "provenance" in header(name):
        assert {row["provenance"] for row in rows} <= set(PROVENANCES)


def test_nothing_recalled_enters_an_answer_unless_asked_for(answers):
    used = [entry for found in answers for entry in (*found.used(POOLED), *found.used(DIRECTION_ONLY))]

    assert used
    assert not any(entry.is_recalled for entry in used)


def test_a_recalled_figure_enters_when_asked_for_and_says_so():
    plain, whole = (answer(Question(include_recalled=asked)) for asked in (False, True))

    assert (plain.recalled, whole.recalled) == (False, True)
    assert [row.id for entry in whole.used(POOLED) for row in entry.rows] == ["feder2014-2"]


def test_every_study_of_the_treatment_is_in_the_answer_once(answers):
    for found in answers:
        having = {
            study.id
            for study in tables().studies.values()
            if study.is_primary and found.question.treatment in {name for _, name in treatments_of(study, tables())}
        }

        listed = [entry.study.id for entry in found.entries]

        assert sorted(listed) == sorted(having)


def test_every_study_has_its_reason(answers):
    assert all(entry.why for found in answers for entry in found.entries)


@pytest.mark.parametrize("include_recalled", [False, True])
def test_of_twins_one_is_used(include_recalled):
    kept = tables().without_twins(include_recalled=include_recalled)

    assert len({row.result for row in kept}) == len(kept)
    assert any(row.is_recalled for row in kept) is include_recalled


def test_people_are_not_counted_twice(answers):
    for found in answers:
        used = [entry.study for entry in (*found.used(POOLED), *found.used(DIRECTION_ONLY))]

        assert not any(study.part_of for study in used)


@pytest.mark.parametrize(
    ("outcome", "window", "numbers", "directions"),
    [
        ("ptsd", "24h", ["feder2014"], ["dadabayev2020"]),
        ("ptsd", "1w", [], ["dadabayev2020", "duek2023", "beaglehole2025"]),
        ("ptsd", "end", ["feder2021"], ["abdallah2022"]),
        ("ptsd", "4w", [], ["duek2023"]),
        ("depression", "end", [], ["feder2021"]),
        ("response", "end", ["feder2021"], []),
        ("remission", "end", [], []),
    ],
)
def test_what_each_window_rests_on(outcome, window, numbers, directions):
    found = answer(Question(outcome=outcome, window=window))

    assert [entry.study.id for entry in found.used(POOLED)] == numbers
    assert [entry.study.id for entry in found.used(DIRECTION_ONLY)] == directions


def test_feder_2021_at_the_end_of_the_course_by_hand():
    t = 11.88 / 3.96  # the difference over its standard error
    correction = math.exp(gammaln(14) - gammaln(13.5)) / math.sqrt(14)  # J on 15 + 15 - 2 degrees of freedom

    [entry] = answer(Question(window="end")).used(POOLED)

    assert entry.effect.estimate == pytest.approx(correction * t * math.sqrt(2 / 15), rel=1e-9)
    assert entry.effect.variance == pytest.approx(2 / 15 + entry.effect.estimate**2 / 60, rel=1e-6)


def test_responders_of_feder_2021_by_hand():
    [entry] = answer(Question(outcome="response", window="end")).used(POOLED)

    assert entry.effect.estimate == pytest.approx(math.log((10 / 15) / (3 / 15)))
    assert entry.effect.variance == pytest.approx(1 / 10 - 1 / 15 + 1 / 3 - 1 / 15)


def test_an_effect_for_ratios_never_meets_a_direction_on_the_standard_scale():
    for outcome in RESPONSE_KINDS:
        for window in WINDOWS:
            assert answer(Question(outcome=outcome, window=window)).directions == []


# --- what the tables do not hold today --------------------------------------------------------------------------------


def asked(results, arms=(KETAMINE, MIDAZOLAM), treatment="ketamine", **question):
    """How the invented trial is used."""
    found = merge(package_tables(), given(studies=[STUDY], arms=list(arms), outcomes=list(results))).after
    entries = ask(Question(treatment, **question), found).entries
    [entry] = [entry for entry in entries if entry.study.id == "okafor2026"]
    return entry


def test_nobody_better_in_either_arm_is_no_ratio_and_says_so():
    counts = OF_ARM | {"kind": "responders", "mean": "", "sd": "", "events": "0", "n": "60"}

    entry = asked([counts, counts | {"arm_id": "midazolam"}], outcome="response")

    assert entry.use == "not usable"
    assert "0 of 60 against 0 of 60: nobody in either arm had an event" in entry.why


def test_one_arm_of_two_is_not_usable_and_says_so():
    entry = asked([OF_ARM])

    assert (entry.use, entry.why) == ("not usable", "gives one arm of two, gives no direction either")


def test_a_head_to_head_trial_is_not_pooled_with_controlled_ones():
    against_pill = MIDAZOLAM | {"arm_id": "sertraline", "treatment": "sertraline"}

    entry = asked([RESULT | {"arm_b": "sertraline"}], arms=[KETAMINE, against_pill])

    assert entry.use == "not usable"
    assert entry.why.startswith("compares with sertraline, which is a treatment and no control")


def test_two_doses_are_no_comparison():
    low = KETAMINE | {"arm_id": "low", "dose": "0.2 mg/kg"}

    entry = asked([RESULT | {"arm_b": "low"}], arms=[KETAMINE, low])

    assert entry.why.startswith("compares groups that all had ketamine")


@pytest.mark.parametrize(("direction", "side"), [("favours_a", -1), ("favours_b", 1)])
def test_a_direction_turns_round_when_the_treatment_is_the_second_arm(direction, side):
    told = RESULT | {"arm_a": "midazolam", "arm_b": "ketamine", "kind": "group_test", "mean": "", "se": ""}

    entry = asked([told | {"direction": direction}])

    assert entry.use == "direction only"
    assert math.copysign(1, entry.direction.low) == side
    assert math.isinf(entry.direction.high if side == 1 else entry.direction.low)


def test_a_recalled_twin_is_used_once_and_only_when_asked_for():
    twin = RESULT | {"ci_low": "-8.3", "ci_high": "-0.1", "se": "", "recalled_columns": "ci_low;ci_high"}
    twin |= {"provenance": "recalled", "source_url": ""}
    rows = [RESULT | {"se": "", "p_value": "0.05"}, twin]

    plain, whole = (asked(rows, include_recalled=wanted) for wanted in (False, True))

    assert [row.id for row in plain.rows] == ["okafor2026-1"]
    assert [row.id for row in whole.rows] == ["okafor2026-2"]


def test_a_release_has_a_number():
    files = package_tables()

    with pytest.raises(EvidenceError, match=r"releases\.csv line 2, column version: 'x'; it must be a number"):
        read(files | {"releases.csv": [{"version": "x", "released_on": "2026-11-22", "change": "none"}]})
