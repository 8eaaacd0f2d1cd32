"""New rows for the evidence tables: recognised, checked, merged, and what they would change. No disk in here.

Every complaint names the file that was given, the line in it, the column, the rule and the way out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO

from reprieve.evidence.answer import Answer, ask
from reprieve.evidence.plain import make
from reprieve.evidence.question import WINDOWS, Question, QuestionError
from reprieve.evidence.rows import Cells, Claim, EvidenceError, Harm, Outcome
from reprieve.evidence.tables import FILES, Evidence, Rows, header, parse, read
from reprieve.evidence.trial import DIRECTION_ONLY, POOLED, Entry

OUTCOMES = ("ptsd", "depression", "response")
# Tables that rows can be added to; the last three hold what labels in the others stand for
ADDABLE = (
    "studies.csv",
    "arms.csv",
    "outcomes.csv",
    "safety.csv",
    "treatments.csv",
    "measures.csv",
    "harms.csv",
)
NUMBERED = {"outcomes.csv": ("outcome_id", "-"), "safety.csv": ("safety_id", "-h")}
ALIKE = 0.5  # of the columns; a header with fewer of a table's own is no header of that table


@dataclass(frozen=True, slots=True)
class Given:
    """One file that was given: which table it is for, and its rows with their lines."""

    file: str
    table: str
    rows: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class Addition:
    """The tables before and after, and the rows that came in, by table."""

    before: Evidence
    after: Evidence
    added: Mapping[str, tuple[Cells, ...]]

    @property
    def study_ids(self) -> tuple[str, ...]:
        """Studies that are new or have new rows."""
        named = (row.text("study_id") for rows in self.added.values() for row in rows)
        return tuple(dict.fromkeys(name for name in named if name))

    def ids(self, table: str) -> list[str]:
        """What names each new row of a table."""
        keys = FILES[table][1]
        return ["/".join(row.text(key) for key in keys) for row in self.added.get(table, ())]


def recognise(text: str, file: str) -> Given:
    """The table that a file is for, by its header, and its rows.

    Raises
    ------
    EvidenceError : for a header of no table, a column missing or unknown, or a line that is no row
    """
    try:
        lines = list(csv.reader(StringIO(text, newline="")))
    except csv.Error as error:
        raise EvidenceError(f"{file}: not a CSV file: {error}; save it as CSV in UTF-8") from None
    columns = [column.strip() for column in lines[0]] if lines else []
    table = _table_of(columns, file)
    _check_header(columns, table, file)
    if len(lines) != len(text.splitlines()):
        raise EvidenceError(f"{file}: a cell runs over the end of its line; keep each row on one line")
    for number, line in enumerate(lines, start=1):
        if not line:
            raise EvidenceError(f"{file} line {number}: the line is empty; take it out")
    rows = parse(text, file)
    if not rows:
        raise EvidenceError(f"{file} line 2: no row below the header; give one row or more")
    return Given(file, table, tuple(Cells(file, number, row) for number, row in enumerate(rows, start=2)))


def _table_of(columns: Sequence[str], file: str) -> str:
    """The table whose header it has most of."""

    def alike(table: str) -> float:
        own = set(header(table))
        return len(own & set(columns)) / len(own | set(columns))

    table = max(ADDABLE, key=alike)
    if alike(table) < ALIKE:
        names = ", ".join(name.removesuffix(".csv") for name in ADDABLE)
        raise EvidenceError(
            f"{file} line 1: the header is that of no table ({names}); "
            "begin with the line that reprieve evidence add --template prints"
        )
    return table


def _check_header(columns: Sequence[str], table: str, file: str) -> None:
    for column in header(table):
        if columns.count(column) != 1:
            is_twice = column in columns
            raise EvidenceError(
                f"{file} line 1, column {column}: {'there twice' if is_twice else 'missing'}; {table} needs it once: "
                f"{'take one out' if is_twice else 'add it, empty where nothing was seen'}"
            )
    for column in columns:
        if column not in header(table):
            raise EvidenceError(
                f"{file} line 1, column {column}: {table} has no such column; take it out, or put its text into note"
            )


def merge(tables: Mapping[str, Rows], given: Sequence[Given]) -> Addition:
    """The tables with the given rows added, checked exactly as the package's own.

    Raises
    ------
    EvidenceError : if a row breaks a rule, stands already, or refers to what is not there
    """
    before = read(tables)
    added: dict[str, list[Cells]] = {table: [] for table in ADDABLE}
    for file in given:
        for row in file.rows:
            added[file.table].append(_numbered(row, file.table, [*tables[file.table], *_plain(added[file.table])]))
    for table, rows in added.items():
        _refuse_known_ids(table, tables[table], rows)
    merged = {name: [*tables[name], *_plain(added.get(name, []))] for name in FILES}
    places = {name: _places(name, tables[name], added.get(name, [])) for name in FILES}
    after = read(merged, places)
    _refuse_known_results(before, after, added)
    return Addition(before, after, {table: tuple(rows) for table, rows in added.items() if rows})


def _plain(rows: Sequence[Cells]) -> list[Mapping[str, str]]:
    return [row.cells for row in rows]


def _places(name: str, rows: Rows, added: Sequence[Cells]) -> list[tuple[str, int]]:
    return [(name, line) for line in range(2, len(rows) + 2)] + [(row.file, row.line) for row in added]


def _numbered(row: Cells, table: str, there: Sequence[Mapping[str, str]]) -> Cells:
    """The row with an id: its own, or the study's next number."""
    if table not in NUMBERED:
        return row
    column, mark = NUMBERED[table]
    if row.text(column):
        return row
    start = f"{row.text('study_id', needed=True)}{mark}"
    taken = [other[column].removeprefix(start) for other in there if other[column].startswith(start)]
    number = max((int(text) for text in taken if text.isdigit()), default=0) + 1
    return Cells(row.file, row.line, {**row.cells, column: f"{start}{number}"})


def _refuse_known_ids(table: str, rows: Rows, added: Sequence[Cells]) -> None:
    keys = FILES[table][1]
    there = {tuple(row[key] for key in keys): f"{table} line {line}" for line, row in enumerate(rows, start=2)}
    for row in added:
        key = tuple(row.text(name, needed=True) for name in keys)
        if key in there:
            raise row.wrong(
                keys[-1], f"{'/'.join(key)} stands already in {there[key]}; mend that row, or give this one another id"
            )
        there[key] = f"{row.file} line {row.line}"


def _refuse_known_results(before: Evidence, after: Evidence, added: Mapping[str, Sequence[Cells]]) -> None:
    """A result or a harm that stands already is not taken twice; a read row and its twin from memory may both stand."""
    results = {_result(outcome): outcome.id for outcome in before.outcomes.values()}
    for row in added["outcomes.csv"]:
        outcome = after.outcomes[row.text("outcome_id")]
        _refuse_twice(row, "outcome_id", _result(outcome), outcome.id, results)
    harms = {_event(harm): harm.id for harm in before.harms.values()}
    for row in added["safety.csv"]:
        harm = after.harms[row.text("safety_id")]
        _refuse_twice(row, "safety_id", _event(harm), harm.id, harms)


def _refuse_twice(
    row: Cells, column: str, key: tuple[object, ...], name: str, there: dict[tuple[object, ...], str]
) -> None:
    if key in there:
        raise row.wrong(column, f"the same result stands already as {there[key]}; mend that row instead of adding one")
    there[key] = name


def _result(outcome: Outcome) -> tuple[object, ...]:
    """What it is a result of, whatever figure it gives; a read row and its twin from memory differ."""
    about = (outcome.study_id, outcome.arms, outcome.instrument, outcome.day, outcome.kind, outcome.analysis)
    return (*about, outcome.is_recalled)


def _event(harm: Harm) -> tuple[object, ...]:
    return (harm.study_id, harm.arm_id, harm.event, harm.severity, harm.population, harm.is_recalled)


# --- what changes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an answer stands: trials with a number and with a direction, and both estimates with their intervals."""

    numbers: int
    directions: int
    ordinary: tuple[float, float, float] | None
    with_directions: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Change:
    """One question whose answer is another now. Ratios are on the log scale."""

    question: Question
    is_ratio: bool
    before: Standing
    after: Standing


@dataclass(frozen=True, slots=True)
class Use:
    """How a study with new rows is used under one question, and why."""

    question: Question
    entry: Entry


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence that reads differently; empty where it is not there."""

    id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that an addition changes."""

    changes: tuple[Change, ...]
    uses: tuple[Use, ...]
    wordings: tuple[Wording, ...]
    claims: tuple[Claim, ...]


def compare(addition: Addition) -> Difference:
    """What the new rows change: answers, sentences, and the claims that name their studies."""
    changes, uses = [], []
    for question in _questions(addition):
        old, new = _asked(question, addition.before), _asked(question, addition.after)
        before, after = _standing(old), _standing(new)
        if before != after:
            changes.append(Change(question, bool(new and new.is_ratio), before, after))
        entries = new.entries if new else ()
        uses += [Use(question, entry) for entry in entries if entry.study.id in addition.study_ids]
    return Difference(tuple(changes), tuple(uses), tuple(_wordings(addition)), tuple(_claims(addition)))


def _questions(addition: Addition) -> Iterator[Question]:
    """Each window and outcome, for each treatment that a study with new rows gave."""
    given = {
        found.treatment: None
        for name in addition.study_ids
        for arm in addition.after.arms_of(name)
        if (found := addition.after.treatment_of(name, arm.id)) and not found.comparator
    }
    for treatment in given:
        for outcome in OUTCOMES:
            for window in WINDOWS:
                yield Question(treatment=treatment, outcome=outcome, window=window)


def _asked(question: Question, evidence: Evidence) -> Answer | None:
    """The answer; None when no study had that treatment."""
    try:
        return ask(question, evidence)
    except QuestionError:
        return None


def _standing(found: Answer | None) -> Standing:
    if found is None:
        return Standing(0, 0, None, None)
    pooled, fitted = found.pooled, found.with_directions
    return Standing(
        len(found.used(POOLED)),
        len(found.used(DIRECTION_ONLY)),
        (pooled.estimate, pooled.ci_low, pooled.ci_high) if pooled else None,
        (fitted.estimate, fitted.ci_low, fitted.ci_high) if fitted else None,
    )


def _wordings(addition: Addition) -> Iterator[Wording]:
    before, after = make(addition.before), make(addition.after)
    for name in dict.fromkeys((*before, *after)):
        old, new = (said[name].text if name in said else "" for said in (before, after))
        if old != new:
            yield Wording(name, old, new)


def _claims(addition: Addition) -> Iterator[Claim]:
    for claim in addition.after.claims.values():
        if set(addition.study_ids) & {*claim.for_ids, *claim.against_ids}:
            yield claim


# --- what is written --------------------------------------------------------------------------------------------------


def written(texts: Mapping[str, str], addition: Addition, today: date) -> dict[str, str]:
    """The new text of each file that changes, from the old: new rows at the end, and a release."""
    found = {name: _appended(texts[name], _plain(rows)) for name, rows in addition.added.items()}
    release = {
        "version": str(addition.before.version + 1),
        "released_on": today.isoformat(),
        "change": summary(addition),
    }
    return found | {"releases.csv": _appended(texts["releases.csv"], [release])}


def _appended(text: str, rows: Sequence[Mapping[str, str]]) -> str:
    columns = [column.strip() for column in next(csv.reader([text.splitlines()[0]]))]
    end = "\r\n" if "\r\n" in text else "\n"
    lines = StringIO()
    csv.DictWriter(lines, columns, lineterminator=end).writerows(rows)
    return text.rstrip("\r\n") + end + lines.getvalue()


def summary(addition: Addition) -> str:
    """What was added, in a sentence."""
    words = {
        "studies.csv": "study",
        "arms.csv": "group",
        "outcomes.csv": "result",
        "safety.csv": "harm",
        "treatments.csv": "treatment label",
        "measures.csv": "instrument",
        "harms.csv": "event",
    }
    parts = [f"{words[table]} {', '.join(addition.ids(table))}" for table in addition.added]
    return f"Added: {'; '.join(parts)}."
