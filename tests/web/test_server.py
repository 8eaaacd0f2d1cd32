"""The real server, started by the command a clinic runs: first start, loss of power, copies made while writing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from tests.web.server import Server, running

CSRF = "c" * 32
FAST = {"REPRIEVE_FORM_POSTS_PER_MINUTE": "100000"}


IN_DJANGO = """
import json, os, sys
import django; django.setup()
from datetime import timedelta
from django.utils import timezone
from reprieve.web.demo import NOTHING_ELSE
from reprieve.web.models import Draft, Enquiry
from reprieve.web.models.enquiry import sha256
"""
MAKE_DRAFTS = (
    IN_DJANGO
    + """
contact = {"name": "Hazel Fable", "phone": "+1 860 555 0123", "safe_to_leave_message": "no"}
ago = timezone.now() - timedelta(minutes=4)
tokens = [Draft.new_token() for _ in range(int(sys.argv[1]))]
rows = [Draft(key=sha256(t), answers=NOTHING_ELSE | {"contact_details": contact}, started_at=ago) for t in tokens]
Draft.objects.bulk_create(rows)
print(json.dumps(tokens))
"""
)
WHICH_ARRIVED = (
    IN_DJANGO
    + """
tokens = json.load(sys.stdin)
print(json.dumps([t for t in tokens if Enquiry.objects.filter(draft_key=sha256(t)).exists()]))
"""
)


def in_django(server: Server, code: str, *arguments: str, sent: str = "") -> object:
    """What ``code`` prints as JSON, run on the server's data in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, env=server.environment, input=sent, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def send(server: Server, token: str) -> bool:
    """Press "Send to the team"; whether the server acknowledged it."""
    status, headers, _ = server.post(
        "/form/check/", {"csrfmiddlewaretoken": CSRF}, Cookie=f"csrftoken={CSRF}; form={token}"
    )
    return status == 302 and headers["Location"] == "/form/received/"


def test_first_start_prints_a_link_that_makes_the_first_account_once(data_dir):
    with running(data_dir) as server:
        path = server.join_link().removeprefix(server.url)
        assert server.url in server.log.read_text()
        assert server.get(path)[0] == 200

        fields = {"name": "Ada", "email": "ada@clinic.example", "password": "a lantern by the river"}
        fields |= {"role": "prescriber", "csrfmiddlewaretoken": CSRF}
        assert server.post(path, fields, Cookie=f"csrftoken={CSRF}")[0] == 302
        assert server.get(path)[0] == 404


def test_a_second_server_on_the_same_data_is_refused(data_dir):
    with running(data_dir) as server:
        ended = subprocess.run(
            [sys.executable, "-m", "reprieve", "serve"],
            env=server.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 2
    assert "already runs" in ended.stderr


def test_a_port_that_is_taken_is_refused(data_dir, tmp_path):
    with running(data_dir) as server:
        other = server.environment | {"REPRIEVE_DATA_DIR": str(tmp_path / "other")}
        ended = subprocess.run(
            [sys.executable, "-m", "reprieve", "serve"], env=other, capture_output=True, text=True, check=False
        )

    assert (ended.returncode, f"port {server.port}" in ended.stderr) == (2, True)


def test_kill_9_under_load_loses_no_acknowledged_enquiry(data_dir):
    data_dir.mkdir()
    server = Server(data_dir, **FAST)
    server.start()
    tokens = in_django(server, MAKE_DRAFTS, "400")
    acknowledged, waiting, lock = [], iter(tokens), threading.Lock()

    def client() -> None:
        while True:
            with lock:
                token = next(waiting, None)
            if token is None:
                return
            try:
                if send(server, token):
                    acknowledged.append(token)
            except (OSError, http.client.HTTPException):  # cut off in the middle
                return

    clients = [threading.Thread(target=client) for _ in range(8)]
    for each in clients:
        each.start()
    until = time.monotonic() + 20
    while len(acknowledged) < 60 and time.monotonic() < until:
        time.sleep(0.005)
    server.kill()
    for each in clients:
        each.join()

    assert 60 <= len(acknowledged) < 400
    arrived = in_django(server, WHICH_ARRIVED, sent=json.dumps(acknowledged))
    assert arrived == acknowledged
    assert json.loads(server.reprieve("check", "--json"))["problems"] == []


def test_one_token_sent_by_many_at_once_is_one_enquiry(data_dir):
    with running(data_dir, **FAST) as server:
        [token] = in_django(server, MAKE_DRAFTS, "1")
        outcomes = []
        clients = [threading.Thread(target=lambda: outcomes.append(send(server, token))) for _ in range(8)]
        for each in clients:
            each.start()
        for each in clients:
            each.join()

        assert outcomes == [True] * 8
        assert json.loads(server.reprieve("check", "--json"))["enquiries"] == 1


@pytest.mark.skipif(os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="PostgreSQL has pg_dump")
def test_a_copy_made_while_writing_is_whole(data_dir, tmp_path):
    with running(data_dir, **FAST) as server:
        tokens = in_django(server, MAKE_DRAFTS, "2000")
        sent, copied = [], threading.Event()

        def write_until_copied():
            while not copied.wait(0.005):
                sent.append(send(server, tokens[len(sent)]))

        writer = threading.Thread(target=write_until_copied)
        writer.start()
        server.reprieve("backup", str(tmp_path / "copy.sqlite3"))
        copied.set()
        writer.join()
        with sqlite3.connect(tmp_path / "copy.sqlite3") as copy:
            rows = copy.execute("SELECT count(*) FROM web_enquiry").fetchone()[0]
    assert all(sent)
    assert 0 < rows < len(sent)

    other = Server(tmp_path)
    other.environment |= {"REPRIEVE_DATA_DIR": str(tmp_path / "restored")}
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored" / "secrets.env").write_text((data_dir / "secrets.env").read_text())
    other.reprieve("restore", str(tmp_path / "copy.sqlite3"))
    found = json.loads(other.reprieve("check", "--json"))
    assert (found["problems"], found["enquiries"]) == ([], rows)


@pytest.mark.skipif(not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="SQLite is copied, see above")
def test_a_copy_of_postgresql_is_left_to_its_own_tool_in_one_line(data_dir, tmp_path):
    with running(data_dir) as server:
        command = [sys.executable, "-m", "reprieve", "backup", str(tmp_path / "copy")]
        ended = subprocess.run(command, env=server.environment, capture_output=True, text=True, check=False)

    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "pg_dump" in ended.stderr
    assert not (tmp_path / "copy").exists()


def test_ctrl_c_stops_everything_that_was_started(data_dir):
    with running(data_dir) as server:
        os.killpg(server.process.pid, signal.SIGINT)

        assert server.process.wait(30) == 0
        assert ends_within(20, server.process.pid), "something that the server started still runs"


def ends_within(seconds: float, group: int) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_keys_rotate_with_the_server_stopped_and_everything_reads_after(data_dir):
    with running(data_dir) as server:
        server.reprieve("demo-data", "--enquiries", "5")
        refused = subprocess.run(
            [sys.executable, "-m", "reprieve", "keys", "rotate"],
            env=server.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (refused.returncode, "stop the server first" in refused.stderr) == (2, True)
    before = (data_dir / "secrets.env").read_text()

    server.reprieve("keys", "rotate")

    after = (data_dir / "secrets.env").read_text()
    assert after != before
    assert "," not in after.split("REPRIEVE_FIELD_KEYS=")[1].splitlines()[0]
    assert json.loads(server.reprieve("check", "--json"))["problems"] == []


def test_demo_data_is_refused_when_a_real_enquiry_exists(data_dir):
    with running(data_dir, **FAST) as server:
        [token] = in_django(server, MAKE_DRAFTS, "1")
        assert send(server, token)
        ended = subprocess.run(
            [sys.executable, "-m", "reprieve", "demo-data"],
            env=server.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert (ended.returncode, "holds a real clinic" in ended.stderr) == (2, True)


def test_the_log_holds_nothing_that_a_person_wrote(data_dir):
    with running(data_dir) as server:
        server.post("/form/contact_details/", {"name": "Quill Hush", "phone": "tell-tale"}, Cookie="form=secret-token")
        server.get("/status/secret-token/")
        server.post("/form/check/", {"x": "y" * 300_000})
        text = server.log.read_text()

    for word in ("Quill", "tell-tale", "secret-token"):
        assert word not in text
