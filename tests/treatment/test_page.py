"""The reference page of the limits is the tables', whole and current."""

from pathlib import Path

from reprieve.treatment.adverse import terms
from reprieve.treatment.limits import Limits, limits
from reprieve.treatment.page import reference_page
from reprieve.treatment.plan import templates
from reprieve.treatment.vitals import rules, vitals

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "limits.md"


def test_the_reference_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == reference_page()


def test_every_row_is_there_once():
    cells = [line.split(" | ")[0].removeprefix("| ") for line in reference_page().splitlines() if line.startswith("| ")]

    for table in (limits(), vitals(), templates(), terms()):
        for row in table.values():
            assert cells.count(row.words) == 1
    for rule in rules(Limits()):
        assert cells.count(rule.words) == 1


def test_what_is_from_memory_is_marked():
    marked = [line for line in reference_page().splitlines() if line.endswith("† |")]

    for rule in rules(Limits()):
        assert any(line.startswith(f"| {rule.words} |") for line in marked) == bool(rule.source.mark)
