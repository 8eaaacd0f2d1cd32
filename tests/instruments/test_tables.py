"""The instruments against their tables."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

import reprieve.instruments
from reprieve.instruments import INSTRUMENTS, InstrumentError, Item, find, reliable_change
from reprieve.instruments.change import AnswerError
from reprieve.instruments.instrument import Band, CutPoint, Skip
from reprieve.instruments.page import reference_page
from reprieve.sources import Source

HERE = Path(reprieve.instruments.__file__).parent
DOCS = HERE.parents[2] / "docs" / "reference"
IN_TABLES = {"C-SSRS": "C-SSRS screener (recent)", "CADSS-6": "CADSS"}
NAMED = [
    "PC-PTSD-5",
    "PCL-5",
    "PHQ-9",
    "GAD-7",
    "AUDIT-C",
    "DAST-10",
    "C-SSRS",
    "ITQ",
    "ASRM",
    "ISI",
    "CADSS-6",
    "CAPS-5",
    "MADRS",
    "LEC-5",
]


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_instrument_is_there():
    assert sorted(INSTRUMENTS) == sorted(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_every_item_is_as_in_the_table(name):
    instrument = INSTRUMENTS[name]
    table = {
        row["item_no"]: row for row in rows("instrument_items.csv") if row["instrument"] == IN_TABLES.get(name, name)
    }

    for item in instrument.items:
        row = table[item.number]
        assert item.prompt == row["topic_label"] or row["topic_label"].startswith("(")
        assert row["response_range"] in (f"{item.lowest}-{item.highest}", *(("yes/no", "exposure route") * item.yes_no))
        assert item.reverse == (row["reverse_scored"] == "yes")
        assert (item.use == "total") == (row["in_total"] == "yes")
        assert (item.loinc, item.source.provenance) == (row["loinc_item_code"], row["provenance"])
    expected = ["1", "2", "6", "7", "15", "22"] if name == "CADSS-6" else list(table)
    assert [item.number for item in instrument.items] == expected


@pytest.mark.parametrize("name", ["PCL-5", "CAPS-5"])
def test_clusters_are_the_criteria_of_the_table(name):
    instrument = INSTRUMENTS[name]

    for subscale in instrument.subscales:
        of_criterion = [item.number for item in instrument.scored if item.criterion.startswith(subscale.name)]
        assert list(subscale.items) == of_criterion


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=lambda found: found.id)
def test_every_number_declared_stands_in_the_row_it_rests_on(instrument):
    for cut in instrument.cut_points:
        said = instrument.facts[cut.fact].value
        assert re.search(rf"\b{cut.cut}\b|\b{cut.cut - 1} or less", said), (cut, said)
    for change in instrument.changes:
        assert re.search(rf"\b{change.points:g}\b", instrument.facts[change.fact].value)


@pytest.mark.parametrize(
    ("instrument", "bounds"),
    [
        ("PCL-5", (0, 80)),
        ("CAPS-5", (0, 80)),
        ("PHQ-9", (0, 27)),
        ("GAD-7", (0, 21)),
        ("AUDIT-C", (0, 12)),
        ("DAST-10", (0, 10)),
        ("CADSS-6", (0, 24)),
        ("MADRS", (0, 60)),
        ("ISI", (0, 28)),
        ("ASRM", (0, 20)),
        ("PC-PTSD-5", (0, 5)),
        ("C-SSRS", None),
        ("ITQ", None),
        ("LEC-5", None),
    ],
)
def test_totals_run_as_far_as_the_scoring_rule_says(instrument, bounds):
    assert INSTRUMENTS[instrument].total_bounds == bounds


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("pcl5", "PCL-5"),
        ("PCL-5", "PCL-5"),
        (" phq 9 ", "PHQ-9"),
        ("C-SSRS", "C-SSRS"),
        ("cssrs", "C-SSRS"),
        ("C-SSRS screener (recent)", "C-SSRS"),
        ("pc_ptsd_5", "PC-PTSD-5"),
        ("cadss6", "CADSS-6"),
    ],
)
def test_an_instrument_is_found_whatever_the_case_and_punctuation(asked, found):
    assert find(asked).id == found


def test_an_unknown_instrument_brings_what_comes_close():
    with pytest.raises(InstrumentError, match=r"no instrument 'PHQ-8'; did you mean PHQ-9\?"):
        find("PHQ-8")
    with pytest.raises(InstrumentError, match="no instrument ''; choose from PC-PTSD-5, PCL-5"):
        find("")


def test_the_reference_page_is_current():
    assert (DOCS / "instruments.md").read_text(encoding="utf-8") == reference_page()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": INSTRUMENTS["GAD-7"].items * 2}, "two items with the same number"),
        ({"bands": (Band(0, 4, "low"), Band(6, 21, "high"))}, "do not cover"),
        ({"bands": (Band(0, 20, "low"),)}, "do not cover"),
        ({"bands": (Band(0, 10, "low"), Band(10, 21, "high"))}, "do not cover"),
        ({"skips": (Skip("1", ("8",)),)}, "names item '8'"),
        ({"cut_points": (CutPoint("x", 3, "hearsay"),)}, "'hearsay'"),
    ],
)
def test_an_instrument_that_contradicts_itself_cannot_be_made(change, message):
    with pytest.raises(InstrumentError, match=message):
        replace(INSTRUMENTS["GAD-7"], **change)


def test_an_item_or_a_cut_point_that_makes_no_sense_cannot_be_made():
    source = Source("here", "", "read")
    for number, prompt, lowest, highest, use in [
        ("", "Sleep", 0, 4, "total"),
        ("1", "", 0, 4, "total"),
        ("1", "Sleep", 4, 4, "total"),
        ("1", "Sleep", -1, 4, "total"),
        ("1", "Sleep", 0, 4, "sum"),
    ]:
        with pytest.raises(InstrumentError):
            Item(number, prompt, lowest, highest, source, use)
    with pytest.raises(InstrumentError, match="must lie below 33"):
        CutPoint("platform", 33, "platform_cut", borderline_from=33)


@pytest.mark.parametrize(
    ("points", "results"),
    [
        (-4, ["no_clear_change"] * 4),
        (-5, ["improved"] + ["no_clear_change"] * 3),
        (-9, ["improved"] + ["no_clear_change"] * 3),
        (-10, ["improved"] * 2 + ["no_clear_change"] * 2),
        (-14, ["improved"] * 2 + ["no_clear_change"] * 2),
        (-15, ["improved"] * 3 + ["no_clear_change"]),
        (-17, ["improved"] * 3 + ["no_clear_change"]),
        (-18, ["improved"] * 4),
        (0, ["no_clear_change"] * 4),
        (18, ["worsened"] * 4),
    ],
)
def test_pcl5_change_is_judged_by_the_older_and_the_newer_rule(points, results):
    judged = reliable_change("PCL-5", 40, 40 + points)

    assert [changed.result for changed in judged] == results
    assert {changed.points for changed in judged} == {points}


def test_change_needs_a_rule_and_totals():
    with pytest.raises(InstrumentError, match="no rule of reliable change was found for ASRM"):
        reliable_change("ASRM", 10, 5)
    for total in (81, -1, 3.0, True, None):
        with pytest.raises(AnswerError, match="whole number from 0 to 80"):
            reliable_change("PCL-5", 40, total)
