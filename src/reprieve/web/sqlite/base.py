"""SQLite with one writer at a time, in turn.

SQLite lets one connection write and makes the others sleep and try again, which leaves a tail of a second or
more under load. Here every transaction first waits for a lock on a file beside the database. The kernel hands
that lock on at once, so writers of all threads and processes follow each other without sleeping.
"""

from __future__ import annotations

import fcntl
import os
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite connection, with the writer lock held from BEGIN to COMMIT or ROLLBACK."""

    _lock_file: int | None = None
    _locked_by = 0  # the process that opened the file: a lock taken on one inherited from a parent excludes nobody
    _holds_lock = False

    def _start_transaction_under_autocommit(self) -> None:
        self._take_lock()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._release_lock()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            if not self._in_transaction():
                self._release_lock()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._release_lock()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._release_lock()
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    def _in_transaction(self) -> bool:
        connection: Any = self.connection
        return connection is not None and bool(connection.in_transaction)

    def _take_lock(self) -> None:
        if self.is_in_memory_db():
            return
        try:
            if self._lock_file is None or self._locked_by != os.getpid():
                path = f"{self.settings_dict['NAME']}.writer"
                self._lock_file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._locked_by = os.getpid()
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        except OSError as problem:
            raise OperationalError(f"the writer lock cannot be taken: {problem.strerror}") from problem
        self._holds_lock = True

    def _release_lock(self) -> None:
        if self._holds_lock and self._lock_file is not None and self._locked_by == os.getpid():
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)
        self._holds_lock = False
