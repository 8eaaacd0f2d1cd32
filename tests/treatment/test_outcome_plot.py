"""Pictures of outcomes: drawn at both widths in both looks, with sentences and tables that say the same."""

import re
from datetime import date, timedelta

import pytest

from reprieve.charts import LOOKS, svg
from reprieve.treatment.outcome import Measured, rule
from reprieve.treatment.outcome_plot import (
    Beside,
    Timeline,
    finding,
    headline,
    rows,
    survival,
    survival_finding,
    survival_headline,
    survival_rows,
    timeline,
)
from reprieve.treatment.results import published_median
from reprieve.treatment.survival import kaplan_meier

START = date(2026, 1, 5)
PUBLISHED = published_median("CAPS-5")
CURVE = kaplan_meier([27, 28, 28, 56, 84, 182], [True, False, True, True, False, False])
ALL_LOST = kaplan_meier([28, 56, 84], [True, True, True])


def day(number: int) -> date:
    return START + timedelta(days=number)


def pcl(number: int, low: int, high: int | None = None) -> Measured:
    return Measured(day(number), "PCL-5", (low, low if high is None else high))


STORY = Timeline(
    START,
    (pcl(-2, 52), pcl(7, 45, 48), pcl(12, 35), pcl(39, 41), Measured(day(13), "CAPS-5", (27, 27))),
    (day(0), day(2), day(4)),
    (Beside("Sertraline 100 mg", day(-20)), Beside("Talk therapy", day(20), day(80)),
     Beside("Moved house, and a word that is much too long for a telephone", day(60), is_event=True)),
)  # fmt: skip


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [328, 620])
@pytest.mark.parametrize(
    "story", [STORY, Timeline(START), Timeline(START, (pcl(12, 30),)), Timeline(START, (pcl(0, 5),))]
)
def test_a_timeline_fits_its_width_without_script_or_style(story, width, look):
    drawn = svg(timeline(story, width, look), LOOKS[look])

    assert int(re.search(r'<svg[^>]* width="(\d+)', drawn)[1]) <= width + 1
    assert not re.search(r"<script|<style|style=|href=", drawn)


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [328, 620])
@pytest.mark.parametrize("curve", [CURVE, ALL_LOST, kaplan_meier([], []), kaplan_meier([400], [False])])
def test_a_survival_curve_fits_its_width_without_script_or_style(curve, width, look):
    drawn = svg(survival(curve, PUBLISHED, width, look), LOOKS[look])

    assert int(re.search(r'<svg[^>]* width="(\d+)', drawn)[1]) <= width + 1
    assert not re.search(r"<script|<style|style=|href=", drawn)


def data_of(chart) -> list[list[dict]]:
    """Every list of values that a picture is drawn from."""
    return [values for values in chart.to_dict()["datasets"].values() if values]


def test_the_band_is_what_is_less_than_a_reliable_change():
    [[band]] = [values for values in data_of(timeline(STORY, 620, "light")) if "upper" in values[0]]

    assert (52 - band["middle"], band["upper"] - 52) == (14, 14)
    assert rule("PCL-5", "reliable_change").value == 15


def test_the_band_is_cut_at_the_ends_of_the_questionnaire():
    story = Timeline(START, (pcl(0, 75), pcl(12, 60)))
    [[band]] = [values for values in data_of(timeline(story, 620, "light")) if "upper" in values[0]]

    assert (band["middle"], band["upper"]) == (61, 80)


@pytest.mark.parametrize(
    ("story", "words"),
    [
        (STORY, "PCL-5: 52 before, 41 in week 6"),
        (Timeline(START), "PCL-5: no total since the first session"),
        (Timeline(START, (pcl(0, 52),)), "PCL-5: no total since the first session"),
        (Timeline(START, (pcl(12, 30),)), "PCL-5: 30, none before the course"),
    ],
)
def test_the_title_says_what_is_seen(story, words):
    assert headline(story) == words


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (pcl(14, 38), "38 in week 2: too little to be sure of; no infusions."),
        (pcl(14, 37), "37 in week 2: more than the questionnaire's own noise, so better; no infusions."),
        (pcl(14, 67), "67 in week 2: more than the questionnaire's own noise, so worse; no infusions."),
        (
            pcl(14, 37, 38),
            "37 to 38 (items are blank) in week 2: with items left blank, so that the change is not clear; "
            "no infusions.",
        ),
    ],
)  # fmt: skip
def test_the_sentence_judges_the_change(after, words):
    assert finding(Timeline(START, (pcl(0, 52), after))) == f"The PCL-5 was 52 before the first session and {words}"


def test_a_missing_baseline_is_told():
    story = Timeline(START, (pcl(12, 30),), (day(0),))

    assert finding(story) == "PCL-5: 30, none before the course; 1 infusion."


def test_the_table_has_everything_that_the_picture_has():
    found = rows(STORY)

    assert [day for day, *_ in found] == sorted(day for day, *_ in found)
    assert len(found) == len(STORY.measured) + len(STORY.infusions) + len(STORY.beside)
    assert (day(7), 1.0, "PCL-5", "45 to 48 (items are blank)") in found
    assert (day(20), 20 / 7, "other treatment", "Talk therapy until 26 Mar 2026") in found


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (ALL_LOST, "Half had lost their response 56 days after the course"),
        (kaplan_meier([28, 28], [False, True]), "Half had lost their response 28 days after the course"),
        (
            kaplan_meier([28, 28, 28], [False, False, True]),
            "Fewer than half have been seen to lose their response so far",
        ),
        (kaplan_meier([], []), "Nobody who responded has been followed yet"),
    ],
)  # fmt: skip
def test_the_curve_s_title_says_what_is_seen(curve, words):
    assert survival_headline(curve) == words


def test_the_curve_s_sentence_has_its_denominator_and_the_trial():
    assert survival_finding(kaplan_meier([28], [False]), PUBLISHED) == (
        "Fewer than half have been seen to lose their response so far. Of 1 person who responded, 0 lost it; "
        "median not reached. Feder 2021, on the CAPS-5: median 27.5 days."
    )


def test_the_curve_s_table_is_the_curve():
    assert survival_rows(ALL_LOST)[:2] == [(0.0, 3, 0, "100 %", ""), (28.0, 3, 1, "67 %", "5 to 95 %")]
    assert survival_rows(ALL_LOST)[-1] == (84.0, 1, 1, "0 %", "")
    assert len(survival_rows(CURVE)) == len(CURVE.steps)


def test_the_published_median_is_drawn_and_left_out_where_there_is_none():
    words = [values for values in data_of(survival(CURVE, PUBLISHED, 620, "light")) if "Feder" in str(values)]

    assert words == [[{"day": 27.5, "words": "Feder 2021: 27.5"}]]
    assert not [values for values in data_of(survival(CURVE, None, 620, "light")) if "Feder" in str(values)]


def test_censored_people_are_marked_on_their_days():
    seen = [
        values
        for values in data_of(survival(CURVE, None, 620, "light"))
        if "share" in values[0] and "high" not in values[0]
    ]

    assert [each["day"] for each in min(seen, key=len)] == [28, 84, 182]
