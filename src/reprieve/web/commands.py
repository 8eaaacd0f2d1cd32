"""Commands that run the clinic. Django is only loaded when one of them runs."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import click

SERVER_PROCESSES = max(2, os.cpu_count() or 1)
SERVER_THREADS = 1  # of a process; with more, one that holds the writer lock waits for another to give up Python's lock
STOP_SECONDS = (
    5  # until a process that does not stop is killed: two signals at once, as Ctrl-C gives, can lock it for ever
)


@click.command()
def serve() -> None:
    """Start the clinic's server: migrate, print the address, go.

    HOST, PORT and REPRIEVE_DATA_DIR are honoured. On the first start it prints a one-time link that makes the
    first staff account.
    """
    django()
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces

    prepare_database()
    hold_the_only_server_lock("a server already runs on this data directory; stop it, or set REPRIEVE_DATA_DIR")
    refuse_a_taken_port(settings.HOST, int(settings.PORT))
    collect_static()
    click.echo(f"Reprieve runs at {settings.BASE_URL}/   (the team: {settings.BASE_URL}/team/)")
    click.echo(f"The record is kept in {settings.DATA_DIR}")
    announce_first_account()
    if not settings.PRODUCTION and settings.HOST not in ("127.0.0.1", "localhost", "::1"):
        click.echo("Answers travel unencrypted on this network; set REPRIEVE_MODE=production and serve it over TLS.")
    keep_running([sys.executable, "-m", "reprieve", "jobs"])
    Granian(
        "reprieve.web.wsgi:application",
        address=settings.HOST,
        port=int(settings.PORT),
        interface=Interfaces.WSGI,
        workers=SERVER_PROCESSES,
        blocking_threads=SERVER_THREADS,
        runtime_threads=1,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_enabled=False,
        websockets=False,
    ).serve()


@click.command()
def jobs() -> None:
    """Run the jobs worker: notices, late calls, retention. `serve` starts one by itself."""
    django()
    from django.core.management import call_command

    from reprieve.web.jobs import WATCH_SECONDS, recover, watch

    stop_with_parent()
    sys.excepthook = end_without_words
    recover()
    repeat(watch, WATCH_SECONDS)
    call_command("db_worker", interval=1, startup_delay=False, reload=False, verbosity=0)


@click.command()
def invite() -> None:
    """Print a one-time link that makes an account for a manager, when no manager can log in any more."""
    django()
    prepare_database()
    click.echo(f"Make a manager's account here, once: {first_link()}")


@click.command("demo-data")
@click.option("--enquiries", default=30, show_default=True, help="How many fictional people ask.")
def demo_data(enquiries: int) -> None:
    """Fill an empty database with a fictional clinic. Refused when real enquiries exist."""
    django()
    from reprieve.web import demo

    prepare_database()
    try:
        logins = demo.fill(enquiries)
    except demo.NotEmptyError as problem:
        fail(str(problem))
    if not logins:
        click.echo("The fictional clinic is already there.")
    for role, email, password in logins:
        click.echo(f"{role:<13} {email:<28} {password}")


@click.group()
def keys() -> None:
    """The keys that encrypt names and answers."""


@keys.command("new")
def new_keys() -> None:
    """Print fresh values for the three secrets of a production server."""
    from reprieve.web.secrets import NAMES, new_field_key

    for name, value in zip(NAMES, (secrets.token_urlsafe(48), new_field_key(), secrets.token_urlsafe(48)), strict=True):
        click.echo(f"{name}={value}")


@keys.command("rotate")
def rotate_keys() -> None:
    """Write everything again under the newest key.

    In local mode, with the server stopped, a new key is made, and the old ones go once nothing needs them. Where you
    set REPRIEVE_FIELD_KEYS yourself, put the new key in front of it, restart the server, then run this; afterwards
    the old key can be taken out.
    """
    django()
    from django.conf import settings

    from reprieve.web import rotation
    from reprieve.web.encryption import UndecryptableError
    from reprieve.web.secrets import new_field_key, read, setting, write

    path = settings.DATA_DIR / "secrets.env"
    own_file = not settings.PRODUCTION and not setting(os.environ, "REPRIEVE_FIELD_KEYS")
    if own_file:
        hold_the_only_server_lock("stop the server first, it knows only the old key")
        settings.FIELD_KEYS = [new_field_key(), *settings.FIELD_KEYS]
        write(path, read(path) | {"REPRIEVE_FIELD_KEYS": ",".join(settings.FIELD_KEYS)})
    try:
        rows = rotation.rewrite_all()
    except UndecryptableError as problem:
        fail(str(problem))
    if own_file:
        write(path, read(path) | {"REPRIEVE_FIELD_KEYS": settings.FIELD_KEYS[0]})
    click.echo(f"{rows} rows are now under the newest key.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite record to FILE while the server runs. The copy needs the same keys to be read."""
    django()
    from reprieve.web import backup as copies

    try:
        copies.backup(file)
    except copies.BackupError as problem:
        fail(str(problem))
    click.echo(f"{file} holds the record as it is now. Keep the keys apart from it.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put a copy made by `reprieve backup` in place of an absent or empty record."""
    django()
    from reprieve.web import backup as copies

    try:
        copies.restore(file)
    except copies.BackupError as problem:
        fail(str(problem))
    click.echo("Restored. Run `reprieve check`, then start the server.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def registry(file: Path) -> None:
    """Write FILE: counts of all courses that ended, without names and days, the small ones hidden.

    The audit trail notes it.
    """
    django()
    from django.db import transaction
    from django.utils import timezone

    from reprieve.web import results
    from reprieve.web.models import Clinic
    from reprieve.web.models.versioned import SYSTEM

    clinic = Clinic.current()
    try:
        with transaction.atomic(), file.open("x", encoding="utf-8", newline="") as out:
            out.write(results.export(SYSTEM, clinic, timezone.now()))
    except OSError as problem:
        fail(f"{file} cannot be written ({problem.strerror}); name a file that does not exist")
    click.echo(f"{file} holds counts of courses that ended, the small ones hidden.")
    if clinic.fictional:
        click.echo("The clinic is made up, and so is every count.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def check(as_json: bool) -> None:
    """Prove that the record is whole: audit, drug log, triggers, encryption, database. Exit code 1 if it is not."""
    django()
    from reprieve.web import proof

    report = proof.examine()
    if as_json:
        click.echo(json.dumps({"problems": report.problems, **report.facts}))
    else:
        for name, value in report.facts.items():
            click.echo(f"{name.replace('_', ' '):<24} {value}")
        for problem in report.problems:
            click.echo(f"PROBLEM: {problem}")
        click.echo("The record is whole." if not report.problems else f"{len(report.problems)} problems.")
    sys.exit(1 if report.problems else 0)


COMMANDS: list[click.Command] = [serve, jobs, invite, demo_data, keys, backup, restore, registry, check]


def django() -> None:
    """Load the settings and Django, or stop with the name of the setting that is wrong."""
    import django as framework

    from reprieve.web.secrets import SettingError

    os.umask(0o077)  # the record, its copies and the secrets are for their owner alone
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reprieve.web.settings")
    try:
        framework.setup()
    except SettingError as problem:
        fail(str(problem))


def fail(message: str) -> NoReturn:
    """One line on standard error, exit code 2."""
    click.echo(message, err=True)
    sys.exit(2)


def prepare_database() -> None:
    """Bring the tables up to date."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import DatabaseError

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    close_to_others(settings.DATA_DIR)
    try:
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
    except DatabaseError as problem:
        fail(f"the database cannot be used ({problem}); check DATABASE_URL and REPRIEVE_DATA_DIR")


def close_to_others(folder: Path) -> None:
    """Take reading away from everybody but the owner, where an earlier start left it to others."""
    for path in folder.glob("reprieve.sqlite3*"):
        if path.stat().st_uid == os.geteuid():
            path.chmod(0o600)


def hold_the_only_server_lock(why: str) -> None:
    """Take the lock that a running server holds until this process ends, or stop with ``why``."""
    from django.conf import settings

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    lock = os.open(settings.DATA_DIR / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fail(why)


def refuse_a_taken_port(host: str, port: int) -> None:
    """Stop when something listens there: two servers on one port would share the visitors between them."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            fail(f"port {port} of {host} cannot be used ({problem.strerror}); stop what uses it, or set PORT")


def collect_static() -> None:
    """Put style sheet, scripts and font where the server reads them."""
    from django.core.management import call_command

    call_command("collectstatic", verbosity=0, interactive=False, clear=True)


def announce_first_account() -> None:
    """Until somebody has an account, print a fresh one-time link that makes the first one."""
    from reprieve.web.models import Invitation, Member

    if not Member.objects.exists():
        Invitation.objects.filter(used_by__isnull=True).delete()
        click.echo(f"Make the first staff account here, once: {first_link()}")


def first_link() -> str:
    """A fresh one-time link for a manager, noted in the audit trail."""
    from django.conf import settings
    from django.db import transaction
    from django.urls import reverse

    from reprieve.web.models import Event, Invitation

    with transaction.atomic():
        token = Invitation.issue(manages=True)
        Event.record("system", "invited", "members", manages=True)
    return f"{settings.BASE_URL}{reverse('join', args=[token])}"


def keep_running(command: list[str]) -> None:
    """Run ``command`` beside the server, and start it again when it stops."""
    environment = os.environ | {"REPRIEVE_PARENT": str(os.getpid())}

    def watch() -> None:
        while True:
            subprocess.run(command, env=environment, check=False)  # noqa: S603
            time.sleep(2)

    threading.Thread(target=watch, daemon=True).start()


def end_without_words(kind: type[BaseException], problem: BaseException, places: TracebackType | None) -> None:
    """Log what ended the process by the rules of the log: a database's message may hold values."""
    logging.getLogger("reprieve").critical("the jobs worker ended", exc_info=(kind, problem, places))


def repeat(what: Callable[[], None], seconds: float) -> None:
    """Do ``what`` again and again beside everything else; a failure is logged and the next turn comes."""
    from django.db import close_old_connections

    def turns() -> None:
        while True:
            try:
                close_old_connections()
                what()
            except Exception:
                logging.getLogger("reprieve").exception("%s failed", what.__name__)
            time.sleep(seconds)

    threading.Thread(target=turns, daemon=True).start()


def stop_with_parent() -> None:
    """End this process soon after the server that started it, however that ended."""
    parent = os.environ.get("REPRIEVE_PARENT")
    if not parent:
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
