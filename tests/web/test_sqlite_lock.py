"""The lock that lets one writer after the other into the SQLite record."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from reprieve.web.models import Event
from reprieve.web.sqlite.base import DatabaseWrapper

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the lock is for SQLite"),
    pytest.mark.django_db(transaction=True),
]
WAIT = 10  # seconds, far more than any of this takes


@pytest.fixture
def place() -> Path:
    """The file that is locked."""
    return Path(f"{connection.settings_dict['NAME']}.writer")


@pytest.fixture
def is_free(place: Path) -> Iterator[Callable[[], bool]]:
    """Whether another process could write now."""
    with place.open("a") as file:

        def look() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            fcntl.flock(file, fcntl.LOCK_UN)
            return True

        yield look


@transaction.atomic
def write_and_fail() -> None:
    """Add an event, then fail."""
    Event.record("system", "inner", "a test")
    raise ValueError("no")


def test_the_lock_is_held_from_begin_to_commit(is_free):
    with transaction.atomic():
        held = not is_free()

    assert (held, is_free()) == (True, True)


def test_a_failure_gives_the_lock_back(is_free):
    with pytest.raises(ValueError, match="no"):
        write_and_fail()

    assert (is_free(), Event.objects.count()) == (True, 0)


def test_an_inner_rollback_keeps_the_lock_and_what_the_outer_one_wrote(is_free):
    with transaction.atomic():
        Event.record("system", "outer", "a test")
        with pytest.raises(ValueError, match="no"):
            write_and_fail()
        held = not is_free()

    assert (held, is_free(), [event.verb for event in Event.objects.all()]) == (True, True, ["outer"])


def test_closing_in_the_middle_gives_the_lock_back(is_free):
    free = []
    with contextlib.suppress(ValueError), transaction.atomic():
        connection.close()
        free.append(is_free())
        raise ValueError

    assert [*free, is_free()] == [True, True]


def test_a_begin_that_fails_gives_the_lock_back(is_free, monkeypatch):
    def fail(self: DatabaseWrapper) -> None:
        raise OperationalError("disk is full")

    monkeypatch.setattr(DatabaseWrapper.__base__, "_start_transaction_under_autocommit", fail)

    with pytest.raises(OperationalError, match="full"), transaction.atomic():
        pass

    assert is_free()


def test_a_lock_file_that_cannot_be_opened_is_a_database_failure(monkeypatch):
    connection.close()
    connection.ensure_connection()
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/at/all.sqlite3")

    with pytest.raises(OperationalError, match="writer lock"), transaction.atomic():
        pass


def test_the_second_thread_waits_for_the_first():
    told: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def second() -> None:
        began.wait(WAIT)
        threading.Timer(0.1, go_on.set).start()
        with transaction.atomic():
            told.append("second")
        connection.close()

    other = threading.Thread(target=second)
    other.start()
    with transaction.atomic():
        began.set()
        go_on.wait(WAIT)
        told.append("first")
    other.join(WAIT)

    assert told == ["first", "second"]


def test_a_reader_does_not_wait_for_a_writer():
    seen: list[int] = []

    def read() -> None:
        seen.append(Event.objects.count())
        connection.close()

    with transaction.atomic():
        Event.record("system", "wrote", "a test")
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(WAIT)

    assert seen == [0]


def test_a_writer_that_was_killed_leaves_the_lock_free(place, is_free):
    script = (
        "import fcntl,sys,time; f=open(sys.argv[1],'a'); fcntl.flock(f,2); print('held',flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(place)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "held\n"
        held = not is_free()
        writer.kill()

    assert (held, is_free()) == (True, True)


def test_a_child_does_not_write_under_the_lock_of_its_parent(monkeypatch):
    with transaction.atomic():
        pass
    parents = connection._lock_file
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as after a fork

    with transaction.atomic():
        opened = connection._lock_file

    assert opened != parents


def test_a_database_in_memory_needs_no_lock():
    memory = DatabaseWrapper(connection.settings_dict | {"NAME": ":memory:"}, "memory")
    memory._take_lock()

    assert (memory._lock_file, memory._holds_lock) == (None, False)
