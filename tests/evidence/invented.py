"""Invented studies as CSV text, to be added to the tables or refused. Nothing in here was ever measured."""

from __future__ import annotations

from reprieve.evidence.addition import recognise
from reprieve.evidence.tables import FILES, header
from reprieve.sources import read_table

SOURCE = {"source_url": "https://example.org/okafor", "provenance": "read"}
STUDY = {
    "study_id": "okafor2026",
    "first_author": "Okafor",
    "year": "2026",
    "title_short": "Invented",
    "design": "parallel RCT",
    "people": "mixed",
    "sites": "several",
    "n_randomised": "120",
    "evidence_role": "ketamine efficacy",
    **SOURCE,
}
KETAMINE = {"study_id": "okafor2026", "arm_id": "ketamine", "treatment": "ketamine", "n_infusions": "1", "n": "60"}
KETAMINE |= {"duration": "1 day", **SOURCE}
MIDAZOLAM = KETAMINE | {"arm_id": "midazolam", "treatment": "midazolam"}
RESULT = {
    "study_id": "okafor2026",
    "arm_a": "ketamine",
    "arm_b": "midazolam",
    "instrument": "CAPS-5",
    "timepoint_days": "1",
    "kind": "mean_difference",
    "n": "120",
    "mean": "-4.2",
    "se": "2.1",
    "higher_is_worse": "true",
    "n_a": "60",
    "n_b": "60",
    **SOURCE,
}
OF_ARM = RESULT | {"arm_id": "ketamine", "arm_a": "", "arm_b": "", "kind": "mean", "mean": "30", "se": "", "sd": "9"}
HARM = {"study_id": "okafor2026", "arm_id": "ketamine", "event": "nausea", "n_events": "6", "n_total": "60"}
HARM |= {"population": "PTSD", **SOURCE}
TRIAL = {"studies": [STUDY], "arms": [KETAMINE, MIDAZOLAM], "outcomes": [RESULT], "safety": [HARM]}


def package_tables():
    """The rows of the package's own tables, by file name."""
    return {name: read_table("reprieve.evidence", name) for name in FILES}


def csv_text(table: str, *rows: dict[str, str], drop: str = "", extra: str = "") -> str:
    """Rows as the text of a file; ``drop`` leaves a column out, ``extra`` puts one more in."""
    columns = [column for column in header(f"{table}.csv") if column != drop] + ([extra] if extra else [])
    lines = [",".join(f'"{row.get(column, "")}"' for column in columns) for row in rows]
    return "\n".join([",".join(columns), *lines]) + "\n"


def given(**tables: list[dict[str, str]]):
    """Files as recognised, each called after its table, such as new-outcomes.csv."""
    return [recognise(csv_text(name, *rows), f"new-{name}.csv") for name, rows in tables.items()]
