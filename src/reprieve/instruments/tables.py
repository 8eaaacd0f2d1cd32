"""The instruments: one declaration each. Facts come from the two CSV files beside this module.

Numbers below that are not in a column of their own (cut points, points of change) name the row they rest on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from reprieve.instruments import rules
from reprieve.instruments.instrument import (
    Band,
    Change,
    CutPoint,
    Fact,
    Instrument,
    InstrumentError,
    Item,
    Skip,
    Subscale,
)
from reprieve.sources import Source, read_table

FACT_ROWS = read_table("reprieve.instruments", "instruments.csv")
ITEM_ROWS = read_table("reprieve.instruments", "instrument_items.csv")

CSSRS_NAME = "C-SSRS screener (recent)"  # its name in the tables
CADSS6_ITEMS = ("1", "2", "6", "7", "15", "22")
YES_NO = ("yes/no", "exposure route")  # of the routes of an event only "by any of them, yes or no" is kept
USE_OF = {"yes": "total", "no": "extra", "algorithm": "rule", "tier": "rule"}

DSM5_SUBSCALES = tuple(Subscale(cluster, items) for cluster, items in rules.DSM5_CLUSTERS.items())


def _facts(name: str) -> dict[str, Fact]:
    return {
        row["fact"]: Fact(
            row["value"], row["note"], Source(f"{name}: {row['fact']}", row["source_url"], row["provenance"])
        )
        for row in FACT_ROWS
        if row["instrument"] == name
    }


def _items(name: str) -> tuple[Item, ...]:
    return tuple(_item(row) for row in ITEM_ROWS if row["instrument"] == name)


def _item(row: Mapping[str, str]) -> Item:
    number, label = row["item_no"], row["topic_label"]
    yes_no = row["response_range"] in YES_NO
    lowest, highest = (0, 1) if yes_no else map(int, row["response_range"].split("-"))
    return Item(
        number=number,
        prompt=f"Item {number}: no prompt of ours, use the official form" if label.startswith("(") else label,
        lowest=lowest,
        highest=highest,
        source=Source(f"{row['instrument']} item {number}", row["source_url"], row["provenance"]),
        use=USE_OF[row["in_total"]],
        yes_no=yes_no,
        reverse=row["reverse_scored"] == "yes",
        criterion="" if row["dsm5_criterion"] == "n/a" else row["dsm5_criterion"],
        loinc=row["loinc_item_code"],
    )


def _bands(facts: Mapping[str, Fact]) -> tuple[Band, ...]:
    """Bands out of a cell such as "0 none; 1-2 low"; none when the cell starts with a word."""
    cell = facts["severity_bands"].value if "severity_bands" in facts else ""
    parts = re.findall(r"(\d+)(?:-(\d+))? ([^;]+)", cell) if cell[:1].isdigit() else []
    return tuple(Band(int(low), int(high or low), label.strip()) for low, high, label in parts)


def _instrument(name: str, **declared: Any) -> Instrument:
    facts = declared.pop("facts", None) or _facts(name)
    items: Sequence[Item] = declared.pop("items", None) or _items(name)
    return Instrument(id=declared.pop("id", name), items=tuple(items), facts=facts, bands=_bands(facts), **declared)


PC_PTSD_5 = _instrument(
    "PC-PTSD-5",
    cut_points=(CutPoint("platform", 3, "platform_cut"), CutPoint("published", 4, "cut_point")),
    skips=(Skip("0", ("1", "2", "3", "4", "5")),),
)

PCL_5 = _instrument(
    "PCL-5",
    subscales=DSM5_SUBSCALES,
    cut_points=(CutPoint("platform", 33, "platform_cut", borderline_from=31),),
    changes=(
        Change("reliable, older guidance", 5, "minimal_important_change"),
        Change("clinically meaningful, older guidance", 10, "minimal_important_change"),
        Change("reliable, newer, first sample", 15, "minimal_important_change_newer"),
        Change("reliable, newer, second sample", 18, "minimal_important_change_newer"),
    ),
    rule=rules.pcl5,
)

CAPS_5 = _instrument(
    "CAPS-5",
    subscales=DSM5_SUBSCALES,
    changes=(
        Change("reliable, second sample", 12, "minimal_important_change"),
        Change("reliable, first sample", 13, "minimal_important_change"),
    ),
    rule=rules.caps5,
)

LEC_5 = _instrument(
    "LEC-5",
    items=[replace(item, use="rule") for item in _items("LEC-5")],
    rule=rules.lec5,
)

ITQ = _instrument("ITQ", rule=rules.itq)

PHQ_9 = _instrument(
    "PHQ-9",
    cut_points=(CutPoint("depression", 10, "cut_point"),),
    changes=(Change("important", 5, "minimal_important_change"),),
    rule=rules.phq9,
)

GAD_7 = _instrument(
    "GAD-7",
    cut_points=(CutPoint("anxiety", 10, "cut_point"),),
    changes=(Change("important", 4, "minimal_important_change"),),
)

CSSRS = _instrument(
    CSSRS_NAME,
    id="C-SSRS",
    skips=(Skip("2", ("3", "4", "5")), Skip("6", ("6a",))),
    rule=rules.cssrs,
)

AUDIT_C = _instrument(
    "AUDIT-C",
    cut_points=(
        CutPoint("hazardous_drinking", 3, "cut_point", sex="female"),
        CutPoint("hazardous_drinking", 4, "cut_point", sex="male"),
    ),
    skips=(Skip("1", ("2", "3")),),
    rule=rules.auditc,
)

DAST_10 = _instrument(
    "DAST-10",
    cut_points=(CutPoint("further_enquiry", 3, "cut_point"),),
    skips=(Skip("1", ("2", "3", "4", "5", "6", "7", "8", "9", "10")),),
)

CADSS_6 = _instrument(
    "CADSS-6",
    items=[item for item in _items("CADSS") if item.number in CADSS6_ITEMS],
    facts=_facts("CADSS") | _facts("CADSS-6"),
)

MADRS = _instrument(
    "MADRS",
    cut_points=(CutPoint("above_remission_10", 11, "cut_point"), CutPoint("above_remission_12", 13, "cut_point")),
    rule=rules.madrs,
)

ISI = _instrument(
    "ISI",
    cut_points=(CutPoint("community", 10, "cut_point"), CutPoint("clinical_insomnia", 15, "cut_point")),
    changes=(
        Change("moderate improvement", 8.4, "minimal_important_change"),
        Change("important, older estimate", 6, "minimal_important_change_alternative"),
    ),
)

ASRM = _instrument("ASRM", cut_points=(CutPoint("mania", 6, "cut_point"),))

INSTRUMENTS: Mapping[str, Instrument] = {
    instrument.id: instrument
    for instrument in (
        PC_PTSD_5,
        PCL_5,
        CAPS_5,
        LEC_5,
        ITQ,
        PHQ_9,
        GAD_7,
        CSSRS,
        AUDIT_C,
        DAST_10,
        CADSS_6,
        MADRS,
        ISI,
        ASRM,
    )
}


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


BY_PLAIN_NAME = {_plain(name): found for name, found in INSTRUMENTS.items()} | {_plain(CSSRS_NAME): CSSRS}


def find(name: str) -> Instrument:
    """The instrument of that name; case, spaces and punctuation do not matter.

    >>> find("pcl5").id
    'PCL-5'

    Raises
    ------
    InstrumentError : naming what comes close, or else all there are
    """
    try:
        return BY_PLAIN_NAME[_plain(name)]
    except KeyError:
        close = get_close_matches(_plain(name), BY_PLAIN_NAME, n=3)
        names = dict.fromkeys(BY_PLAIN_NAME[plain].id for plain in close) or INSTRUMENTS
        raise InstrumentError(
            f"there is no instrument {name!r}; {'did you mean' if close else 'choose from'} {', '.join(names)}"
            f"{'?' if close else ''}"
        ) from None
