"""Where a fact comes from, and whether anybody here saw it there.

Every table of facts in Reprieve ends its rows with ``source_url`` and ``provenance``. ``read`` means the
figure or claim was in text that was looked up; ``recalled`` means it comes from memory and must be checked;
``reviewer design`` means a rule written for this project on top of facts that were read.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources

PROVENANCES = ("read", "recalled", "reviewer design")


@dataclass(frozen=True, slots=True)
class Source:
    """One citation: what it is called, where the text was seen, and whether it was.

    >>> Source("Spravato label", "https://example.org/label", "recalled").mark
    'from memory, not yet checked'
    """

    name: str
    url: str
    provenance: str

    def __post_init__(self) -> None:
        if self.provenance not in PROVENANCES:
            raise ValueError(
                f"provenance {self.provenance!r} of {self.name!r}; it must be one of {', '.join(PROVENANCES)}"
            )

    @property
    def mark(self) -> str:
        """Words to show beside the fact; empty when the source was read."""
        return "from memory, not yet checked" if self.provenance == "recalled" else ""


def read_table(package: str, name: str) -> list[dict[str, str]]:
    """Rows of the CSV file ``name`` that lies beside the modules of ``package``.

    Returns
    -------
    one dict per row, header to cell; cells are stripped, an empty cell is ``""``

    Raises
    ------
    ValueError : if a row has more or fewer cells than the header
    """
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ValueError(f"{name} line {number}: the number of cells differs from the header; mend the commas")
    return [{key: cell.strip() for key, cell in row.items()} for row in rows]
