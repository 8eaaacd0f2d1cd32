"""A made-up person on a course that anybody sets: the sliders, the parts of the fall, and the words."""

from __future__ import annotations

from dataclasses import fields
from itertools import product

import numpy as np
import pytest

from reprieve.charts import LOOKS, svg
from reprieve.pharmacology import made_up as module
from reprieve.pharmacology.links import drawn
from reprieve.pharmacology.made_up import SLIDERS, SettingError, Settings, made_up
from reprieve.pharmacology.panels import PANELS, in_short, panel, settings_words
from reprieve.pharmacology.pictures import PLACES, Box, chain, chain_size, chart, size

USUAL = Settings()
NO_DRUG = Settings(dose=0)
NO_DRIP = Settings(infusions=0)
NOTHING = Settings(infusions=0, therapy=0)
ALL = Settings(dose=1, infusions=8, therapy=12, ssri=200, stress=1.5)
EVERY = [USUAL, NO_DRUG, NO_DRIP, NOTHING, ALL, Settings(stress=0), Settings(dose=0.1, infusions=1, ssri=25)]
DRUG_LINKS = ("infusion-blood", "blood-pressure", "blood-detached", "blood-receptor", "receptor-glutamate")


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("0.5", 0.5), ("0.34", 0.3), ("0.06", 0.1), ("7", 1.0), ("-3", 0.0), ("", 0.5), ("much", 0.5), ("nan", 0.5),
        ("inf", 1.0), ("1e400", 1.0), ("0,5", 0.5),
    ],
)  # fmt: skip
def test_what_is_asked_goes_to_the_nearest_step(asked, got):
    assert Settings.asked({"dose": asked}).dose == got


def test_what_is_missing_stands_as_usual():
    assert Settings.asked({"colour": "red"}) == USUAL


def test_a_setting_between_two_steps_is_refused():
    with pytest.raises(SettingError, match="ssri 30; it goes from 0 to 200 in steps of 25"):
        Settings(ssri=30)


def test_every_slider_is_a_setting_and_every_step_is_allowed():
    assert {field.name for field in fields(Settings)} == {slider.name for slider in SLIDERS}
    for slider in SLIDERS:
        for step in range(slider.steps + 1):
            value = slider.at(step)
            assert Settings.asked({slider.name: slider.text(value)}).of(slider) == value


def test_no_session_falls_on_the_day_of_a_drip():
    course = ALL.course()

    assert not {session.day for session in course.therapy} & set(ALL.days)
    assert max(session.day for session in course.therapy) < module.DAYS


@pytest.mark.parametrize("settings", EVERY)
def test_the_parts_add_up_to_the_fall(settings):
    one = made_up(settings)

    fall = one["caps5_total"][0] - one["caps5_total"]
    assert sum(one.shares.values()) == pytest.approx(fall, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "absent"),
    [
        (NO_DRUG, {"ketamine", "sertraline"}), (NO_DRIP, {"ketamine", "sertraline"}), (USUAL, {"sertraline"}),
        (NOTHING, {"ketamine", "sertraline", "therapy", "belief"}), (ALL, set()),
    ],
)  # fmt: skip
def test_what_is_not_given_takes_nothing_off(settings, absent):
    shares = made_up(settings).shares

    assert {name for name, points in shares.items() if np.abs(points).max() < 1e-6} == absent


def test_the_same_settings_are_simulated_once():
    made_up.cache_clear()

    assert made_up(Settings(dose=0.3)) is made_up(Settings.asked({"dose": "0.31"}))
    assert made_up.cache_info().misses == 1


# Panels


def test_every_arrow_has_a_panel():
    assert list(PANELS) == [link.id for link in drawn()]


@pytest.mark.parametrize(("name", "settings"), list(product(PANELS, EVERY)))
def test_no_curve_leaves_its_axis_and_every_figure_is_in_the_table(name, settings):
    shown = panel(name, made_up(settings))  # a panel whose curve leaves its axis cannot be made

    assert shown.title
    assert shown.said.endswith(".")
    assert shown.shown[0] == 0
    assert shown.shown[-1] == len(shown.across) - 1


@pytest.mark.parametrize("name", DRUG_LINKS)
@pytest.mark.parametrize(
    ("settings", "why"), [(NO_DRUG, "There is no drug in the drip"), (NO_DRIP, "There is no drip")]
)
def test_without_drug_the_first_links_say_that_nothing_changes(name, settings, why):
    shown = panel(name, made_up(settings))

    assert shown.said == f"{why}, so nothing changes here."
    assert all(np.ptp(curve.values) == 0 for curve in shown.curves)


def test_words_follow_the_curves():
    one = made_up(USUAL)
    level = one["ketamine_plasma_ng_per_ml"]
    peak = level[one.hours <= 6].max()

    assert f"{peak:.0f} billionths of a gram" in panel("infusion-blood", one).said
    assert f"down by {one['caps5_total'][0] - one['caps5_total'][-1]:.0f}" in panel("synapses-symptoms", one).said
    assert panel("infusion-blood", made_up(Settings(dose=0.3))).said != panel("infusion-blood", one).said


def test_more_drug_means_more_of_each_step_and_little_at_the_end():
    low, high = made_up(Settings(dose=0.2)), made_up(Settings(dose=0.8))

    for name in ("systolic_change_mmhg", "cadss_total", "glutamate_rise_fraction", "synaptic_density_fraction"):
        assert high[name].max() > low[name].max()
    assert high.by_drug.max() > low.by_drug.max() > 0
    assert high.by_drug[-1] < 0.2 * high.by_drug.max()


def test_the_parts_named_in_a_sentence_make_its_whole():
    said = panel("synapses-symptoms", made_up(USUAL)).said

    assert "is down by 17. Ketamine makes up 9 of these. The other 8 come without it." in said
    assert "the part of ketamine is 1 point" in said
    assert "we must cut it to 40 parts of 100" in said


def test_in_short():
    assert "21 of them come without the drug. The drug does most in week 2, with 9 points." in in_short(made_up(USUAL))
    assert in_short(made_up(NO_DRUG)).endswith("There is no drug in the drip, so none of that is ketamine.")


def test_settings_in_words():
    assert settings_words(USUAL) == (
        "6 drips with 0.5 mg of ketamine per kg of weight, 6 sessions of talk therapy; load of stress 1"
    )
    assert settings_words(Settings(infusions=1, dose=0, therapy=1)).startswith("1 drip with no drug in it, 1 session")
    assert settings_words(NOTHING) == "no treatment; load of stress 1"


# Pictures


@pytest.mark.parametrize("width", [328, 620])
@pytest.mark.parametrize("name", PANELS)
def test_a_chart_is_drawn_at_the_size_that_was_promised(name, width):
    shown = panel(name, made_up(USUAL))

    promised = size(shown, width)
    assert f'width="{promised[0]}" height="{promised[1]}"' in svg(chart(shown, width, "light"), LOOKS["light"])[:300]


@pytest.mark.parametrize("width", [328, 620])
def test_the_chain_has_a_word_on_every_arrow_and_its_boxes_apart(width):
    drawn_chain = svg(chain(width, "dark"), LOOKS["dark"])
    boxes = [Box.of(node, width) for node in PLACES]

    assert f'width="{width}" height="{chain_size(width)[1]}"' in drawn_chain[:300]
    for standing in ("well founded", "plausible", "speculative"):
        assert drawn_chain.count(f">{standing}</text>") == sum(link.standing == standing for link in drawn())
    for one, other in product(boxes, boxes):
        apart = one.right < other.left or other.right < one.left or one.bottom < other.top or other.bottom < one.top
        assert apart or one is other
    assert min(box.left for box in boxes) >= 1
    assert max(box.right for box in boxes) <= width - 1
