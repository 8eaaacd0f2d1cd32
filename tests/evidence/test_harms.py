"""Harms are pooled in people with PTSD only; durability and the network say what was counted and who met whom."""

import pytest

from reprieve.evidence.durability import durability
from reprieve.evidence.harms import harms_of, unknown_harms
from reprieve.evidence.network import FAMILIES, network
from reprieve.evidence.tables import tables


def summary(name: str, treatment: str = "ketamine", **options):
    [found] = [s for s in harms_of((treatment,), **options) if s.name == name]
    return found


def test_only_counts_of_people_with_ptsd_are_pooled():
    for found in harms_of(include_recalled=True):
        for row in found.rows:
            if not row.why_not_pooled:
                assert row.harm.in_ptsd
                assert row.harm.events is not None
        if found.treatment == "esketamine":
            assert found.pooled is None


def test_drop_out_is_pooled_over_the_ketamine_groups():
    found = summary("drop-out")
    used = [row for row in found.rows if not row.why_not_pooled]

    assert [(row.harm.events, row.harm.n) for row in used] == [(1, 15), (14, 55), (13, 53), (1, 14)]
    assert found.pooled.k == 4
    assert 0.05 < found.pooled.ci_low < found.pooled.proportion < found.pooled.ci_high < 0.5


def test_other_peoples_figures_say_whose_they_are():
    row = summary("dissociation", "esketamine").rows[0]

    assert row.why_not_pooled == "seen in other people: treatment-resistant depression"
    assert round(row.share.low) == 41
    assert round(row.control.share.low) == 9


def test_a_total_from_memory_is_not_divided_by():
    placebo = tables().harms["spravato_label-h2"]

    assert placebo.recalled_columns == ("n_total",)
    assert (placebo.share.low, placebo.share.high) == (9, 9)


def test_recalled_rates_stay_out_unless_asked_for():
    assert not any(s.recalled for s in harms_of())
    assert any(s.recalled for s in harms_of(include_recalled=True))


def test_what_nobody_counted_is_listed():
    events = {row.harm.event for row in unknown_harms()}

    assert {"known class risks", "long-term and repeated-dose harm", "bladder symptoms"} <= events


def test_the_gain_is_followed_as_far_as_it_was_counted():
    courses = {(course.study.id, course.treatment): course for course in durability().courses}
    feder = courses["feder2021", "ketamine"].points

    assert [(p.day, p.share) for p in feder] == [(14, pytest.approx(2 / 3)), (41.5, pytest.approx(1 / 3))]
    assert feder[1].low is None, "half of the responders is a median, not a count"
    assert durability().headline() == "Half of those who got better had lost it after 27.5 to 41 days"


def test_no_trial_put_ketamine_beside_a_first_line_treatment():
    found = network()

    assert found.between(FAMILIES["ketamine"], FAMILIES["trauma-focused therapy"]) == ()
    assert found.between(FAMILIES["ketamine"], FAMILIES["SSRIs and venlafaxine"]) == ()
    assert "midazolam" in found.controls_of(FAMILIES["ketamine"])
    assert not found.one_table_is_fair()


def test_each_trial_stands_once_on_each_of_its_comparisons():
    [pair] = [c for c in network().comparisons if {c.a, c.b} == {"ketamine", "midazolam"}]

    assert [study.id for study in pair.studies] == ["feder2014", "feder2021", "duek2023"]
