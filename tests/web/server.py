"""The real server in a process of its own, started by the command that a clinic runs."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

START_SECONDS = 40


class Server:
    """`reprieve serve` on a free port and a data directory of its own."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir / "server.log"
        self.environment = (
            os.environ
            | environment
            | {
                "DJANGO_SETTINGS_MODULE": "reprieve.web.settings",
                "REPRIEVE_DATA_DIR": str(data_dir),
                "HOST": "127.0.0.1",
                "PORT": str(self.port),
            }
        )

    def reprieve(self, *arguments: str) -> str:
        """Output of another `reprieve` command on the same data."""
        command = [sys.executable, "-m", "reprieve", *arguments]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def start(self) -> None:
        """Start, and wait until the home page answers."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "reprieve", "serve"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                if self.get("/")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
            if self.process.poll() is not None:
                break
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def kill(self) -> None:
        """kill -9 of the server and of everything that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Stop as a service manager does, or harder when that does not help."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.terminate()
            self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def join_link(self) -> str:
        """The one-time link that the first start printed."""
        return re.search(r"http://\S+/team/join/\S+", self.log.read_text())[0]

    def get(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        """Status, headers and text of a GET."""
        return self._ask("GET", path, None, headers)

    def post(
        self, path: str, fields: dict[str, str | list[str]], **headers: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """Status, headers and text of a form POST."""
        headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(fields, doseq=True), headers)

    def _ask(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()


@contextmanager
def running(data_dir: Path, **environment: str) -> Iterator[Server]:
    """A started server, stopped at the end."""
    data_dir.mkdir(parents=True, exist_ok=True)
    server = Server(data_dir, **environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()
