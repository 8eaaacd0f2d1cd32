"""``reprieve evidence add``: files read, what they would change said, and with ``--keep`` the tables written."""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import click

from reprieve.cli.bad_input import BadInput
from reprieve.cli.output import Listing, Report, Verbatim, interval
from reprieve.evidence.addition import (
    ADDABLE,
    Addition,
    Change,
    Given,
    Standing,
    Use,
    compare,
    merge,
    recognise,
    summary,
    written,
)
from reprieve.evidence.tables import FILES, header, parse

# What each column holds, for somebody who fills in a template
COLUMNS = {
    "study_id": "short name of the study, such as feder2021; the same in every table",
    "first_author": "family name",
    "year": "of publication",
    "title_short": "what it was, in a line",
    "journal": "where it appeared",
    "doi": "without https://doi.org/",
    "registry_id": "such as NCT02397889",
    "design": "such as parallel RCT, crossover RCT, open label",
    "population": "who took part; in safety.csv begin with PTSD if they had it",
    "people": "veterans, civilians, mixed or empty",
    "sites": "one, several or empty",
    "part_of": "study_id of the study whose people it counts again",
    "n_randomised": "people",
    "setting": "where it was done",
    "country": "where it was done",
    "funder": "who paid",
    "risk_of_bias_notes": "its weaknesses",
    "evidence_role": "such as ketamine efficacy, or pipeline for a trial without result",
    "arm_id": "short name of the group, such as ketamine; in outcomes.csv empty for a contrast",
    "treatment": "what the group had: a label in treatments.csv; there, the treatment it stands for",
    "dose": "such as 0.5 mg/kg",
    "route": "such as IV over 40 min",
    "n_infusions": "doses; 1 for a single one",
    "schedule": "such as 3 per week for 2 weeks",
    "duration": "of the course, such as 12 days or 2 weeks",
    "n": "people",
    "outcome_id": "leave empty to have it numbered on",
    "arm_a": "arm_id whose figure comes first in a contrast (arm_a minus arm_b)",
    "arm_b": "arm_id of the control in a contrast",
    "instrument": "as in measures.csv, such as CAPS-5",
    "timepoint_days": "days from the first dose",
    "kind": "such as mean, change, mean_difference, smd, responders, group_test",
    "k_studies": "trials pooled, in a review",
    "mean": "the estimate, whatever its kind",
    "sd": "standard deviation, above 0",
    "se": "standard error, above 0",
    "ci_low": "lower end of the 95% interval",
    "ci_high": "upper end of the 95% interval",
    "events": "people it happened to",
    "p_value": "such as 0.02, or <0.001",
    "higher_is_worse": "true for a symptom scale, false where more is better",
    "direction": "favours_a, favours_b, not_significant or empty",
    "analysis": "tells apart analyses of the same result, such as crossover",
    "n_a": "people in arm_a, for a result with a direction only",
    "n_b": "people in arm_b, for a result with a direction only",
    "safety_id": "leave empty to have it numbered on",
    "event": "as in harms.csv, such as nausea",
    "n_events": "people it happened to",
    "n_total": "people in the group",
    "percent": "a number, a range such as 49-61, or a bound such as <5",
    "severity": "mild, moderate, serious, transient, unknown or empty",
    "label": "what arms.csv calls it",
    "words": "plain words for a reader",
    "comparator": "active, inactive, or empty for what is no control",
    "with_therapy": "true or false",
    "outcome": "what it measures, such as ptsd or depression",
    "rated_by": "clinician, self, several or none",
    "lowest": "lowest score",
    "highest": "highest score",
    "rank": "1 speaks for a trial before 2",
    "harm": "which harm it is, such as nausea",
    "note": "anything a reader should know",
    "recalled_columns": "columns that come from memory, semicolons between",
    "source_url": "where it was read",
    "provenance": "read, or recalled for what comes from memory",
}
CHANGED = ("treatment", "outcome", "window", "state", "numbers", "directions", "ordinary", "with_directions")
KINDS = {"kind": "in treatments.csv infusion, pill, talk or none"}


def template(name: str) -> Report:
    """The header of a table; what each column holds goes to standard error."""
    table = f"{name.removesuffix('.csv')}.csv"
    if table not in ADDABLE:
        names = ", ".join(each.removesuffix(".csv") for each in ADDABLE)
        raise BadInput(f"--template {name}: rows can be added to {names}; name one of these")
    columns = header(table)
    holds = {column: COLUMNS[column] for column in columns} | (KINDS if table == "treatments.csv" else {})
    for column, words in holds.items():
        click.echo(f"{column}: {words}", err=True)
    return Report({"table": table, "columns": holds}, [holds], [Verbatim(",".join(columns))])


def report(files: tuple[str, ...], folder: Path | None, keep: bool, today: date) -> Report:
    """What the files would change; writing is left for after it has been said."""
    if not files:
        raise BadInput("no file; give one CSV file or more, or --template outcomes for a header to begin with")
    place = folder or Path(str(resources.files("reprieve.evidence")))
    texts = {name: _text(place / name, str(place / name) if folder else name) for name in FILES}
    given = [recognise(_text(Path(file), file), file) for file in files]
    addition = merge({name: parse(text, name) for name, text in texts.items()}, given)
    found = compare(addition)
    version = addition.before.version + 1
    document: dict[str, Any] = {
        "keep": keep,
        "version": version,
        "added": {name: addition.ids(name) for name in addition.added},
        "from_memory": _from_memory(addition),
        "changes": [_change(change) for change in found.changes],
        "uses": [_use(use) for use in found.uses],
        "statements": [{"id": said.id, "before": said.before, "after": said.after} for said in found.wordings],
        "claims": [{"claim": claim.id, "text": claim.claim, "verdict": claim.verdict} for claim in found.claims],
    }
    end = f"To be kept as version {version}." if keep else "Nothing is kept; --keep writes it."
    lines = [row for change in document["changes"] for row in _before_and_after(change)]
    parts = _parts(given, addition, document, lines, end)

    def write() -> None:
        _keep(place, texts, written(texts, addition, today))
        click.echo(f"Kept: version {version} of the data, in {place}", err=True)

    return Report(document, lines, parts, then=write if keep else None)


def _text(path: Path, name: str) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror}; give a file that can be read") from None
    except UnicodeDecodeError:
        raise BadInput(f"{name}: this is not text in UTF-8; save it as CSV in UTF-8") from None


def _from_memory(addition: Addition) -> list[str]:
    rows = (row for rows in addition.added.values() for row in rows)
    return [f"{row.file} line {row.line}" for row in rows if row.text("provenance") == "recalled"]


def _parts(
    given: list[Given], addition: Addition, document: Mapping[str, Any], lines: list[dict[str, Any]], end: str
) -> list[str | Listing]:
    read = [f"{file.file}: {len(file.rows)} row{'' if len(file.rows) == 1 else 's'} for {file.table}" for file in given]
    memory = document["from_memory"]
    warning = f"From memory, so left out of every pool unless asked for: {', '.join(memory)}." if memory else ""
    return [
        "; ".join(read) + ".",
        summary(addition),
        *([warning] if warning else []),
        Listing("How the studies are used", document["uses"], empty="under no question"),
        Listing(
            "Answers that change; response and remission as risk ratios",
            [_for_people(row) for row in lines],
            CHANGED,
            empty="none",
        ),
        Listing("Sentences that change", document["statements"], upright=True, empty="none"),
        Listing("Claims that name these studies", document["claims"], empty="none"),
        end,
    ]


def _change(change: Change) -> dict[str, Any]:
    """Before and after, ratios as ratios."""
    question = change.question
    return {
        "treatment": question.treatment,
        "outcome": question.outcome,
        "window": question.window,
        "scale": "risk ratio" if change.is_ratio else "standardised mean difference",
        "before": _standing(change.before, change.is_ratio),
        "after": _standing(change.after, change.is_ratio),
    }


def _standing(standing: Standing, is_ratio: bool) -> dict[str, Any]:
    return {
        "numbers": standing.numbers,
        "directions": standing.directions,
        **_ends("ordinary", standing.ordinary, is_ratio),
        **_ends("with_directions", standing.with_directions, is_ratio),
    }


def _ends(name: str, ends: tuple[float, float, float] | None, is_ratio: bool) -> dict[str, float | None]:
    shown = [math.exp(end) if is_ratio else end for end in ends] if ends else [None] * 3
    return dict(zip((f"{name}_estimate", f"{name}_low", f"{name}_high"), shown, strict=True))


def _before_and_after(change: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each of the two."""
    about = {name: value for name, value in change.items() if name not in ("before", "after")}
    return [{**about, "state": state, **change[state]} for state in ("before", "after")]


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    shown = {
        name: interval(row[f"{name}_estimate"], row[f"{name}_low"], row[f"{name}_high"]) or "none"
        for name in ("ordinary", "with_directions")
    }
    return row | shown


def _use(use: Use) -> dict[str, Any]:
    entry = use.entry
    return {
        "study": entry.study.id,
        "outcome": use.question.outcome,
        "window": use.question.window,
        "use": entry.use,
        "why": entry.why,
    }


# --- the disk ---------------------------------------------------------------------------------------------------------


def _keep(place: Path, texts: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Every file or none: all are written beside the old ones first, then renamed; a rename that fails is undone."""
    ready: dict[str, Path] = {}
    renamed: list[str] = []
    try:
        for name, text in new.items():
            if _text(place / name, name) != texts[name]:
                raise BadInput(f"{place / name} has changed meanwhile; nothing is kept, so run the command again")
            ready[name] = _written_beside(place / name, text)
        for name, waiting in ready.items():
            waiting.replace(place / name)
            renamed.append(name)
        _settle(place)
    except OSError as error:
        for name in renamed:
            with contextlib.suppress(OSError):
                _written_beside(place / name, texts[name]).replace(place / name)
        raise BadInput(f"{place}: {error.strerror}; nothing is kept, so give --tables a folder to write in") from None
    finally:
        for waiting in ready.values():
            waiting.unlink(missing_ok=True)


def _written_beside(path: Path, text: str) -> Path:
    """A finished file with the text, on the disk and not in a cache, in the same folder."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    waiting = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        waiting.chmod(path.stat().st_mode & 0o777)
    except OSError:
        waiting.unlink(missing_ok=True)
        raise
    return waiting


def _settle(place: Path) -> None:
    """The renames reach the disk too."""
    folder = os.open(place, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
