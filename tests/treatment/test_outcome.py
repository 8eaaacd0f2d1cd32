"""Each rule at its threshold, just below, just above, and with items left blank."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprieve.instruments import find
from reprieve.sources import read_table
from reprieve.treatment.outcome import (
    NOT_MEASURED,
    NOT_RELEVANT,
    Measured,
    OutcomeError,
    alerts,
    fell_enough,
    judge,
    judged_instruments,
    review,
    rule,
    rules,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/explanation/outcomes.md"
START = date(2026, 11, 30)
END = START + timedelta(days=11)
REVIEW = START + timedelta(days=14)


def pcl(day: int, low: int, high: int | None = None) -> Measured:
    return Measured(START + timedelta(days=day), "PCL-5", (low, low if high is None else high))


def caps(day: int, low: int, high: int | None = None) -> Measured:
    return Measured(START + timedelta(days=day), "CAPS-5", (low, low if high is None else high))


BASELINE = pcl(0, 50)


def at_end(low: int, high: int | None = None, baseline: Measured = BASELINE):
    return judge(baseline, [pcl(12, low, high)], END)


def test_every_rule_names_a_fact_and_is_a_source_s_or_our_choice():
    rows = {row["rule_id"]: row for row in read_table("reprieve.treatment", "outcome_rules.csv")}

    assert {row["choice"] for row in rows.values()} == {"source", "our choice"}
    for each in rules().values():
        assert each.source.url.startswith("https://")
        assert (each.source.name == "our choice") == each.is_our_choice
        if not each.is_our_choice:
            assert each.source.provenance == each.fact.source.provenance
    assert rules()["pcl5-no-benefit"].source.mark == "from memory, not yet checked"


def test_points_of_change_are_those_of_the_instrument():
    rows = [row for row in read_table("reprieve.treatment", "outcome_rules.csv") if row["unit"] == "points"]

    assert {row["value"] for row in rows} == {""}
    for row in rows:
        names = {change.name: change.points for change in find(row["instrument"]).changes}
        assert rules()[row["rule_id"]].value == names[row["change_rule"]]
    assert [rule("PCL-5", "reliable_change").value, rule("CAPS-5", "reliable_change").value] == [15, 13]


@pytest.mark.parametrize(
    ("low", "high", "result"),
    [(36, 36, "no_clear_change"), (35, 35, "improved"), (34, 34, "improved"), (35, 36, "undecided"),
     (64, 64, "no_clear_change"), (65, 65, "worsened"), (66, 66, "worsened"), (64, 65, "undecided")],
)  # fmt: skip
def test_reliable_change_is_fifteen_points_either_way(low, high, result):
    assert at_end(low, high).reliable.result == result


def test_the_older_and_the_second_sample_are_shown_beside():
    found = {each.points: each.result for each in at_end(36).by_published_rules}

    assert found == {5: "improved", 10: "improved", 15: "no_clear_change", 18: "no_clear_change"}


@pytest.mark.parametrize(
    ("low", "high", "result"),
    [(36, 36, "no"), (35, 35, "yes"), (34, 34, "yes"), (35, 36, "undecided"), (0, 0, "yes"), (36, 40, "no")],
)
def test_response_is_a_fall_of_thirty_percent(low, high, result):
    assert at_end(low, high).response.result == result


@pytest.mark.parametrize(("low", "result"), [(29, "no"), (28, "yes"), (27, "yes")])
def test_response_on_the_caps5_is_the_trial_s(low, result):
    found = judge(caps(0, 40), [caps(12, low)], END, "CAPS-5")

    assert (found.response.result, found.remission) == (result, None)
    assert (found.response.rule.fact.id, found.response.rule.is_our_choice) == ("MON-51", False)


def test_blanks_before_the_course_leave_the_response_open_too():
    assert [at_end(35, baseline=pcl(0, low, 50)).response.result for low in (50, 49)] == ["yes", "undecided"]


def test_nobody_responds_from_zero():
    assert at_end(0, baseline=pcl(0, 0)).response.result == "no"


@pytest.mark.parametrize(
    ("low", "high", "result"), [(29, 29, "no"), (28, 28, "yes"), (27, 27, "yes"), (28, 29, "undecided")]
)
def test_remission_is_a_total_of_twenty_eight_or_less(low, high, result):
    assert at_end(low, high).remission.result == result


@pytest.mark.parametrize(("before", "result"), [(29, "yes"), (28, NOT_RELEVANT), (27, NOT_RELEVANT)])
def test_who_was_that_low_from_the_start_has_no_remission(before, result):
    assert at_end(20, baseline=pcl(0, before)).remission.result == result


def test_what_was_not_measured_is_said_so():
    without_baseline, without_end = judge(None, [pcl(12, 30)], END), judge(BASELINE, [], END)

    for found in (without_baseline, without_end):
        results = found.reliable.result, found.response.result, found.remission.result, found.loss.result
        assert results == (NOT_MEASURED,) * 4
        assert found.by_published_rules == ()


@pytest.mark.parametrize(("day", "result"), [(11, NOT_MEASURED), (12, "yes"), (18, "yes"), (19, NOT_MEASURED)])
def test_the_end_is_judged_in_its_window(day, result):
    """The last session is on day 11; what was filled in before it cannot tell of it."""
    assert judge(BASELINE, [pcl(day, 30)], END).response.result == result


def test_while_the_course_goes_on_the_latest_total_counts_and_nothing_can_be_lost():
    found = judge(BASELINE, [pcl(9, 30), pcl(4, 45)], None)

    assert (found.at, found.response.result, found.loss.result) == (pcl(9, 30), "yes", NOT_RELEVANT)


@pytest.mark.parametrize(("low", "result"), [(34, "no"), (35, "no"), (36, "yes")])
def test_a_response_is_lost_when_it_is_no_longer_thirty_percent(low, result):
    assert judge(BASELINE, [pcl(12, 30), pcl(40, low)], END).loss.result == result


def test_a_loss_lies_between_the_last_seen_kept_and_the_first_seen_lost():
    totals = [pcl(12, 30), pcl(40, 34), pcl(68, 35, 36), pcl(96, 44), pcl(194, 20)]

    loss = judge(BASELINE, totals, END).loss

    assert (loss.kept_on, loss.lost_on, loss.days_seen) == (totals[1].on, totals[3].on, 84)


@pytest.mark.parametrize(
    ("later", "result", "days"),
    [([], NOT_MEASURED, 0), ([pcl(40, 30)], "no", 28), ([pcl(40, 35, 36)], "undecided", 0),
     ([pcl(40, 30), pcl(68, 35, 36)], "undecided", 28)],
)  # fmt: skip
def test_a_response_that_was_not_seen_lost_was_followed_until_last_seen_kept(later, result, days):
    loss = judge(BASELINE, [pcl(12, 30), *later], END).loss

    assert (loss.result, loss.days_seen) == (result, days)


@pytest.mark.parametrize(("total", "result"), [((36, 36), NOT_RELEVANT), ((35, 36), "undecided")])
def test_who_did_not_respond_has_nothing_to_lose(total, result):
    assert judge(BASELINE, [pcl(12, *total), pcl(40, 50)], END).loss.result == result


@pytest.mark.parametrize(
    ("low", "high", "result"),
    [(54, 54, []), (55, 55, ["yes"]), (56, 56, ["yes"]), (54, 55, ["undecided"])],
)
def test_an_alert_opens_at_fifteen_points_above_the_lowest(low, high, result):
    assert [reason.result for reason in alerts(BASELINE, [pcl(4, 40), pcl(9, 45)], pcl(16, low, high))] == result


def test_the_baseline_counts_among_the_lowest():
    assert [reason.result for reason in alerts(BASELINE, [], pcl(4, 65))] == ["yes"]
    assert alerts(BASELINE, [], pcl(4, 64)) == ()


@pytest.mark.parametrize(("low", "high", "result"), [(35, 35, []), (36, 36, ["yes"]), (35, 36, ["undecided"])])
def test_an_alert_opens_when_a_response_is_lost(low, high, result):
    found = alerts(BASELINE, [pcl(12, 30)], pcl(40, low, high))

    assert [(reason.rule.kind, reason.result) for reason in found] == [("loss_of_response", each) for each in result]


def test_a_loss_that_was_seen_before_is_not_told_again():
    assert alerts(BASELINE, [pcl(12, 30), pcl(40, 37)], pcl(68, 38)) == ()


def test_totals_of_other_instruments_and_later_days_are_left_aside():
    assert alerts(BASELINE, [caps(12, 5), pcl(20, 0)], pcl(16, 45)) == ()
    assert alerts(caps(0, 40), [], pcl(16, 80)) == ()
    assert alerts(BASELINE, [], Measured(START, "PHQ-9", (27, 27))) == ()


@pytest.mark.parametrize(
    ("now", "result"),
    [((36, 36), ["yes"]), ((35, 35), []), ((34, 34), []), ((35, 36), ["undecided"]), ((70, 70), ["yes"])],
)
def test_no_reliable_fall_by_the_review_says_stop_or_change(now, result):
    assert [reason.result for reason in review(BASELINE, [pcl(12, *now)], REVIEW)] == result


@pytest.mark.parametrize(("day", "result"), [(0, NOT_MEASURED), (1, None), (14, None), (15, NOT_MEASURED)])
def test_only_totals_since_the_start_and_up_to_the_review_count(day, result):
    found = [reason.result for reason in review(BASELINE, [pcl(day, 20)], REVIEW)]

    assert found == ([result] if result else [])


def test_a_total_of_more_than_two_weeks_ago_cannot_show_a_benefit():
    later = REVIEW + timedelta(days=7)

    assert [review(BASELINE, [pcl(day, 20)], later) == () for day in (6, 7)] == [False, True]


def test_without_a_baseline_no_benefit_can_be_shown():
    assert [reason.result for reason in review(None, [pcl(12, 20)], REVIEW)] == [NOT_MEASURED]


@pytest.mark.parametrize("total", [(-1, 3), (5, 4), (80, 81)])
def test_a_total_that_the_instrument_cannot_give_is_refused(total):
    with pytest.raises(OutcomeError):
        Measured(START, "PCL-5", total)


def test_an_instrument_without_total_or_rules_is_refused():
    with pytest.raises(OutcomeError, match="no total"):
        Measured(START, "C-SSRS", (0, 0))
    with pytest.raises(OutcomeError, match="no rule"):
        judge(None, [], END, "PHQ-9")
    with pytest.raises(OutcomeError, match="baseline of the CAPS-5"):
        judge(caps(0, 40), [], END)


totals = st.tuples(st.integers(0, 80), st.integers(0, 80)).map(lambda pair: (min(pair), max(pair)))


@given(totals, totals, st.sampled_from(["response", "remission"]))
def test_a_range_is_decided_only_when_every_pair_of_totals_agrees(before, after, kind):
    own = rule("PCL-5", kind)
    each = {fell_enough(own, b, a) for b in range(before[0], before[1] + 1) for a in range(after[0], after[1] + 1)}

    found = judge(pcl(0, *before), [pcl(12, *after)], END)

    expected = "undecided" if len(each) == 2 else "yes" if True in each else "no"
    if kind == "remission" and before[1] <= own.value:
        expected = NOT_RELEVANT
    assert getattr(found, kind).result == expected


def test_the_instruments_judged_are_those_of_the_rules():
    assert set(judged_instruments()) == {"PCL-5", "CAPS-5"}


def test_the_document_has_every_rule():
    wanted = [
        f"| {each.instrument} | {each.kind.replace('_', ' ')} | {each.figure} | {each.source.name} "
        f"| {each.fact.id}{' (from memory)' if each.source.mark else ''} |"
        for each in rules().values()
    ]

    found = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(("| PCL-5 ", "| CAPS-5 "))]

    assert found == wanted
