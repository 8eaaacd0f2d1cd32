"""Copies of the record, taken while the clinic works."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connection


class BackupError(Exception):
    """The copy cannot be made or put back; the message says why and what to do."""


def backup(file: Path) -> None:
    """Copy the SQLite record to ``file``, as it is at one moment, while others write.

    Raises
    ------
    BackupError : on PostgreSQL, if ``file`` exists, or if the copy is not whole
    """
    if connection.vendor != "sqlite":
        raise BackupError("the record is in PostgreSQL; copy it with pg_dump --format=custom")
    if file.exists():
        raise BackupError(f"{file} exists already; name a file that does not")
    draft = file.with_name(f"{file.name}.part")
    try:
        _for_the_owner_alone(draft)
        with (
            closing(sqlite3.connect(settings.DATABASES["default"]["NAME"])) as source,
            closing(sqlite3.connect(draft)) as copy,
        ):
            source.backup(copy)
            problem = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except (sqlite3.Error, OSError) as failure:
        draft.unlink(missing_ok=True)
        raise BackupError(f"{file} could not be written: {failure}") from None
    if problem != "ok":
        raise BackupError(f"the copy in {draft} is not whole: {problem}")
    os.replace(draft, file)


def restore(file: Path) -> None:
    """Put the copy ``file`` where the record belongs.

    Raises
    ------
    BackupError : if ``file`` is no record, or a record is there already
    """
    place = Path(settings.DATABASES["default"]["NAME"])
    if connection.vendor != "sqlite":
        raise BackupError("the record is in PostgreSQL; restore it with pg_restore")
    if place.exists():
        raise BackupError(f"{place} exists; move it away first, nothing is overwritten")
    try:
        _for_the_owner_alone(place)
        with (
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(place)) as record,
        ):
            source.execute("SELECT 1 FROM web_enquiry LIMIT 1")
            source.backup(record)
    except sqlite3.Error as failure:
        place.unlink(missing_ok=True)
        raise BackupError(f"{file} is not a copy of a Reprieve record: {failure}") from None


def _for_the_owner_alone(path: Path) -> None:
    """Make an empty file that nobody else may open, before anything is written to it."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
