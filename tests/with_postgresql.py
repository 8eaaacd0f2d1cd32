"""Run a command with DATABASE_URL naming a PostgreSQL server that lives in a temporary folder while it runs.

python tests/with_postgresql.py pytest tests/web
"""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = "PostgreSQL is not installed here, so these tests did not run on it. On Debian: apt install postgresql"
FORGETFUL = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"  # faster, and good enough for tests


def binaries() -> Path | None:
    """The folder that holds initdb, Debian's newest first."""
    places = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    found = shutil.which("initdb", path=os.pathsep.join([*places, os.environ["PATH"]]))
    return Path(found).parent if found else None


@contextmanager
def server(*options: str) -> Iterator[str]:
    """Start a server on a free loopback port, with more ``options``; yield its URL; stop it and delete its files."""
    folder = binaries()
    if folder is None:
        raise FileNotFoundError(MISSING)
    home = Path(tempfile.mkdtemp(prefix="reprieve-postgresql-"))
    account = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(home, "postgres")
        account = {"user": "postgres", "cwd": str(home)}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        command = [str(folder / program), "--pgdata", str(home / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **account)

    run("initdb", "--auth=trust", "--username=reprieve", "--encoding=UTF8", "--no-locale")
    run(
        "pg_ctl",
        "start",
        "--wait",
        "--log",
        str(home / "log"),
        "--options",
        f"-p {port} -k {home} -c listen_addresses=127.0.0.1 {' '.join(options)}",
    )
    try:
        yield f"postgres://reprieve@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "stop", "--mode=immediate")
        shutil.rmtree(home)


def main(command: list[str]) -> int:
    """Run ``command`` with a server; without PostgreSQL say so, and fail in CI."""
    if binaries() is None:
        print(MISSING, file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    with server(FORGETFUL) as url:
        return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
