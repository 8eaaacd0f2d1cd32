"""Lift the guard of the audit trail for a moment, as only the owner of the database can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def lifted() -> Iterator[None]:
    """No triggers on the audit table inside; the same ones as before outside."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE web_event DISABLE TRIGGER USER")
            yield
            cursor.execute("ALTER TABLE web_event ENABLE TRIGGER USER")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'web_event'")
        kept = cursor.fetchall()
        for name, _ in kept:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _, sql in kept:
            cursor.execute(sql)
