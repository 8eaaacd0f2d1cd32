"""Figures of the web: `make bench-web`. A table for people, and last one line of JSON with the same figures.

Form POST to durable row
    8 clients press "Send to the team" on finished drafts, on the real server (`reprieve serve`, two processes).
    Acknowledged means: the enquiry, its audit event and its job are committed, synchronous FULL. Beside it, in
    the same run, a bare Django form insert (benchmarks/bare.py) on the same server program and database.
Inbox
    a page of 50 with 100,000 enquiries in the database, and the number of its queries at 100 and at 100,000.
Form page
    bytes of one question page with all that it loads, as the browser gets them.
assess()
    forms a second on one core (benchmarks/assess.py).
"""

from __future__ import annotations

import json
import os
import platform
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
HOME = Path(tempfile.mkdtemp(prefix="reprieve-bench-"))
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "reprieve.web.settings",
    "REPRIEVE_MODE": "local",
    "REPRIEVE_DATA_DIR": str(HOME),
    "REPRIEVE_FORM_POSTS_PER_MINUTE": "1000000",
}

from benchmarks import load
from tests import with_postgresql
from tests.web.server import Server, running

CLIENTS = 8
POSTS = int(os.environ.get("BENCH_POSTS", "6000"))
ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
CSRF = "c" * 32


def main() -> None:
    """Run everything and print it."""
    part = sys.argv[1] if len(sys.argv) > 1 else "all"
    if part != "all":
        print(json.dumps(PARTS[part]()))
        return
    figures: dict[str, float] = {}
    with with_postgresql.server() as url:
        for database, address in (("sqlite", ""), ("postgresql", url)):
            figures |= child("posts", database, address)
    figures |= child("inbox", "sqlite", "")
    figures |= child("page", "sqlite", "")
    assess = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/assess.py")], check=True, capture_output=True, text=True
    ).stdout
    figures |= json.loads(assess.strip().splitlines()[-1])
    show(figures)
    print(json.dumps(figures))


def child(part: str, database: str, address: str) -> dict[str, float]:
    """Figures of one part on one database, measured in a fresh process."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("REPRIEVE_DATA_DIR", "DATABASE_URL")
    }
    if address:
        environment["DATABASE_URL"] = address
    command = [sys.executable, __file__, part]
    out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(out.strip().splitlines()[-1])
    return {f"{name}_{database}" if part == "posts" else name: value for name, value in found.items()}


def posts() -> dict[str, float]:
    """Finished forms a second, beside the bare insert, each measured three times in turn; the middle one counts."""
    with bare_server() as bare_port, running(HOME) as server:
        setup_django()
        from reprieve.web.proof import examine

        bare_body = urlencode({"csrfmiddlewaretoken": CSRF, "name": "A B", "phone": "1", "answers": "x" * 400})
        bare_request = load.request("POST", "/send/", bare_port, bare_body, f"csrftoken={CSRF}")
        load.run(bare_port, [bare_request] * 200, CLIENTS)
        load.run(server.port, finished_forms(server, 200), CLIENTS)
        pairs = []
        for _ in range(3):
            bare = load.run(bare_port, [bare_request] * (POSTS // 3), CLIENTS)
            ours = load.run(server.port, finished_forms(server, POSTS // 3), CLIENTS)
            pairs.append((ours, bare))
        ours, bare = sorted(pairs, key=lambda pair: pair[0].per_second)[1]
        report = examine()
        lost = sum(pair[0].acknowledged for pair in pairs) + 200 - report.facts["enquiries"]
        assert not report.problems, report.problems[:3]
    return {
        "posts_per_second": round(ours.per_second),
        "posts_p50_ms": round(ours.p50_ms, 1),
        "posts_p99_ms": round(ours.p99_ms, 1),
        "posts_refused": sum(pair[0].refused for pair in pairs),
        "posts_acknowledged_and_lost": lost,
        "bare_per_second": round(bare.per_second),
        "bare_p99_ms": round(bare.p99_ms, 1),
        "ratio_to_bare": round(ours.per_second / bare.per_second, 2),
    }


def finished_forms(server: Server, count: int) -> list[bytes]:
    """Requests that send ``count`` finished drafts, which are written first."""
    from django.utils import timezone

    from reprieve.web.demo import CASES, NOTHING_ELSE
    from reprieve.web.models import Draft
    from reprieve.web.models.enquiry import sha256

    contact = {
        "name": "Hazel Fable",
        "phone": "+1 860 555 0123",
        "safe_to_leave_message": "no",
        "best_time": "mornings",
    }
    tokens = [secrets.token_urlsafe(24) for _ in range(count)]
    started_at = timezone.now() - timedelta(minutes=4)
    drafts = [
        Draft(
            key=sha256(token),
            answers=NOTHING_ELSE | CASES[number % len(CASES)] | {"contact_details": contact},
            started_at=started_at,
            updated_at=started_at,
        )
        for number, token in enumerate(tokens)
    ]
    Draft.objects.bulk_create(drafts, batch_size=500)
    body = urlencode({"csrfmiddlewaretoken": CSRF})
    return [
        load.request("POST", "/form/check/", server.port, body, f"csrftoken={CSRF}; form={token}") for token in tokens
    ]


def inbox() -> dict[str, float]:
    """The inbox with a hundred thousand enquiries."""
    with running(HOME) as server:
        setup_django()
        from django.test import Client
        from django.test.utils import CaptureQueriesContext
        from django.db import connection

        from reprieve.web import demo
        from reprieve.web.models import Enquiry, Member

        demo.fill(30)
        nurse = Client(HTTP_HOST="127.0.0.1")
        nurse.force_login(Member.objects.get(email="nia@clinic.example"), "django.contrib.auth.backends.ModelBackend")
        cookie = f"sessionid={nurse.cookies['sessionid'].value}"
        queries = []
        for rows in (100, ROWS):
            fill(rows - Enquiry.objects.count())
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert nurse.get("/team/").status_code == 200
            queries.append(len(captured))
        asked = load.request("GET", "/team/", server.port, cookie=cookie)
        load.run(server.port, [asked] * 20, 1, good=(200,))
        one = load_times(server.port, asked, 200)
    return {
        "inbox_rows": ROWS,
        "inbox_p50_ms": round(load.percentile(one, 0.5), 1),
        "inbox_p95_ms": round(load.percentile(one, 0.95), 1),
        "inbox_queries_at_100_rows": queries[0],
        "inbox_queries_at_all_rows": queries[1],
    }


def load_times(port: int, asked: bytes, times: int) -> list[float]:
    """Milliseconds of each of ``times`` requests by one client."""
    import socket

    taken = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(times):
            begun = time.perf_counter()
            assert load.exchange(connection, asked) == 200
            taken.append(1000 * (time.perf_counter() - begun))
    return taken


def fill(count: int) -> None:
    """Add ``count`` fictional enquiries, most of them closed, as years of work leave them."""
    from django.utils import timezone

    from reprieve.web.demo import CASES, NOTHING_ELSE
    from reprieve.web.models import Clinic, Enquiry
    from reprieve.web.models.enquiry import new_reference

    clinic, now = Clinic.current(), timezone.now()
    contact = {
        "name": "Hazel Fable",
        "phone": "+1 860 555 0123",
        "safe_to_leave_message": "no",
        "best_time": "mornings",
    }
    models = [
        Enquiry.drawn_up("model", NOTHING_ELSE | case | {"contact_details": contact}, now, clinic) for case in CASES
    ]
    fields = [field.attname for field in Enquiry._meta.fields if field.attname != "id"]
    rows = []
    for number in range(count):
        row = Enquiry(**{name: getattr(models[number % len(models)], name) for name in fields})
        row.draft_key, row.link_hash, row.reference = secrets.token_hex(32), secrets.token_hex(32), new_reference()
        row.received_at = now - timedelta(minutes=number)
        if number % 10 and row.is_open:
            row.is_open, row.closed_at, row.due_at, row.state = False, now, None, Enquiry.State.STOPPED
        rows.append(row)
        if len(rows) == 2000 or number == count - 1:
            Enquiry.objects.bulk_create(rows, ignore_conflicts=True)
            rows = []


def page() -> dict[str, float]:
    """Bytes of a question page with style sheet, scripts and icons, compressed as a browser asks for them."""
    with running(HOME) as server:
        setup_django()
        from reprieve.web.models import Draft

        token = Draft.new_token()
        Draft.save_answers(token, {"country_region": "US-CT"})
        sizes = {}
        for name in ("conditions", "medicines", "suicidal_thoughts_month"):
            sizes[name] = transferred(server, f"/form/{name}/", f"form={token}")
    return {"form_page_bytes": max(sizes.values())}


def transferred(server: Server, path: str, cookie: str) -> int:
    """Bytes of a page and everything that it names, bodies and headers."""
    html, total = fetch(server, path, cookie)
    for address in set(re.findall(r'(?:src|href)="([^"]+\.(?:css|js|svg|woff2|png|ico)[^"]*)"', html)):
        assert address.startswith("/"), f"{address} is on another host"
        total += fetch(server, address, "")[1]
    return total


def fetch(server: Server, path: str, cookie: str) -> tuple[str, int]:
    """Text of an answer, and its size on the wire."""
    asked = urllib.request.Request(server.url + path, headers={"Cookie": cookie, "Accept-Encoding": "br, gzip"})
    with urllib.request.urlopen(asked) as answer:
        body = answer.read()
        plain = body if answer.headers.get("Content-Encoding") is None else b""
        return plain.decode(), len(body) + len(str(answer.headers))


@contextmanager
def bare_server():
    """The bare Django on a port of its own, with the same server program and as many processes and threads."""
    import socket

    from reprieve.web.commands import SERVER_PROCESSES, SERVER_THREADS

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = os.environ.get("DATABASE_URL") or f"sqlite:///{HOME}/bare.sqlite3"
    environment = os.environ | {"BARE_DATABASE_URL": address, "PYTHONPATH": str(ROOT / "benchmarks")}
    subprocess.run([sys.executable, str(ROOT / "benchmarks/bare.py")], env=environment, check=True)
    command = [
        *(str(Path(sys.executable).parent / "granian"), "bare:application", "--interface", "wsgi", "--no-ws"),
        *("--port", str(port), "--workers", str(SERVER_PROCESSES), "--blocking-threads", str(SERVER_THREADS)),
        *("--runtime-threads", "1", "--no-log"),
    ]
    process = subprocess.Popen(command, env=environment, cwd=ROOT / "benchmarks")
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def setup_django() -> None:
    """Load Django in this process, on the data of the server."""
    import django

    django.setup()


def show(figures: dict[str, float]) -> None:
    """The table."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"Measured on {machine}, {time.strftime('%d %b %Y')}; {CLIENTS} clients\n")
    goals = {
        "posts_per_second_sqlite": "at least 600",
        "posts_p99_ms_sqlite": "at most 50",
        "posts_per_second_postgresql": "at least 400",
        "ratio_to_bare_sqlite": "at least 0.6",
        "ratio_to_bare_postgresql": "at least 0.6",
        "inbox_p95_ms": "at most 100",
        "form_page_bytes": "at most 60000",
        "assess_per_second": "at least 20000",
    }
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<44} {value:>12,}   {goals.get(name, '')}")
    print()


PARTS = {"posts": posts, "inbox": inbox, "page": page}

if __name__ == "__main__":
    main()
