from pathlib import Path

import pytest

from reprieve.candidacy import CRITERIA, QUESTIONS
from reprieve.candidacy.pages import PAGES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name):
    assert (REFERENCE / f"{name}.md").read_text(encoding="utf-8") == PAGES[name](), (
        f"write it anew: python -m reprieve.candidacy.pages {name} > docs/reference/{name}.md"
    )


def test_every_criterion_and_question_is_on_its_page():
    assert all(f"| {key} | " in PAGES["criteria"]() for key in CRITERIA)
    assert all(f"| `{key}` | " in PAGES["questions"]() for key in QUESTIONS)


def test_what_is_from_memory_is_marked():
    rows = {row.split(" | ")[0]: row for row in PAGES["criteria"]().splitlines()}

    assert "†" in rows["| URG-04"]
    assert "†" not in rows["| URG-01"]
