"""Figures of the session screen: `make bench-sessions`. A table for people, and last one line of JSON.

Saving one vitals row, from the request to the durable row and its audit event, on the real server (`reprieve serve`)
with 20 open sessions: each screen saves a row every five seconds, reads the state of its session after that and asks
once more whether it changed, for a minute. That is sixty times what 20 nurses write, who save one every five
minutes. Beside it, in the same run and at the same pace, a bare Django form insert (benchmarks/bare.py).
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.load import percentile
from benchmarks.web import HOME, bare_server
from tests import with_postgresql
from tests.web.server import running

SCREENS = 20
PACE_SECONDS = 5
STAMP = re.compile(r'"stamp": "([^"]+)"')
SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
CSRF = "c" * 32


def main() -> None:
    """Measure on both databases and print it."""
    if len(sys.argv) > 1:
        print(json.dumps(measured()))
        return
    figures: dict[str, float] = {}
    with with_postgresql.server() as url:
        for database, address in (("sqlite", ""), ("postgresql", url)):
            environment = {k: v for k, v in os.environ.items() if k not in ("REPRIEVE_DATA_DIR", "DATABASE_URL")}
            environment |= {"DATABASE_URL": address} if address else {}
            command = [sys.executable, __file__, database]
            out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            found = json.loads(out.strip().splitlines()[-1])
            figures |= {f"{name}_{database}": value for name, value in found.items()}
    for name, value in figures.items():
        print(f"{name:<40} {value:>10}")
    print(json.dumps(figures))


def measured() -> dict[str, float]:
    """Times of saves and of states, in ms, and what was lost."""
    with bare_server() as bare_port, running(HOME) as server:
        sessions, member, cookie = open_sessions()
        saves: list[float] = []
        states: list[float] = []
        bares: list[float] = []
        acknowledged: list[str] = []

        def screen(pk: int, chance: random.Random) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            until = time.monotonic() + SECONDS
            time.sleep(PACE_SECONDS * chance.random())
            while time.monotonic() < until:
                begun = time.perf_counter()
                uid = str(uuid.uuid4())
                status = post(connection, pk, member, cookie, uid, chance)
                saves.append(1000 * (time.perf_counter() - begun))
                if status == 200:
                    acknowledged.append(uid)
                asked = time.perf_counter()
                connection.request("GET", f"/team/session/{pk}/live/", headers={"Cookie": cookie})
                stamp = STAMP.search(connection.getresponse().read().decode())[1]
                states.append(1000 * (time.perf_counter() - asked))
                connection.request("GET", f"/team/session/{pk}/live/?stamp={stamp}", headers={"Cookie": cookie})
                connection.getresponse().read()
                time.sleep(max(0.0, PACE_SECONDS - (time.perf_counter() - begun)))

        def bare(chance: random.Random) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", bare_port, timeout=20)
            body = urlencode({"csrfmiddlewaretoken": CSRF, "name": "A B", "phone": "1", "answers": "x" * 400})
            headers = {"Cookie": f"csrftoken={CSRF}", "Content-Type": "application/x-www-form-urlencoded"}
            until = time.monotonic() + SECONDS / 3
            time.sleep(PACE_SECONDS * chance.random())
            while time.monotonic() < until:
                begun = time.perf_counter()
                connection.request("POST", "/send/", body, headers)
                connection.getresponse().read()
                bares.append(1000 * (time.perf_counter() - begun))
                time.sleep(max(0.0, PACE_SECONDS - (time.perf_counter() - begun)))

        together([lambda n=n: bare(random.Random(n)) for n in range(SCREENS)])
        together([lambda pk=pk: screen(pk, random.Random(pk)) for pk in sessions])
        from reprieve.web.models import Entry
        from reprieve.web.proof import examine

        kept = {str(uid) for uid in Entry.objects.values_list("uid", flat=True)}
        assert not examine().problems
    return {
        "saves": len(saves),
        "save_p50_ms": round(percentile(saves, 0.5), 1),
        "save_p95_ms": round(percentile(saves, 0.95), 1),
        "save_p99_ms": round(percentile(saves, 0.99), 1),
        "bare_p95_ms": round(percentile(bares, 0.95), 1),
        "ratio_to_bare_p95": round(percentile(saves, 0.95) / percentile(bares, 0.95), 2),
        "state_p95_ms": round(percentile(states, 0.95), 1),
        "acknowledged_and_lost": len(set(acknowledged) - kept),
        "not_acknowledged": len(saves) - len(acknowledged),
    }


def together(acts: list) -> None:
    """Run them all at once, and wait for them."""
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def post(
    connection: http.client.HTTPConnection, pk: int, member: int, cookie: str, uid: str, chance: random.Random
) -> int:
    """Save one row as the screen does; the status of the answer."""
    now = datetime.now(UTC).isoformat()
    data = {"systolic": str(chance.randint(110, 170)), "diastolic": str(chance.randint(70, 100)), "pulse": "80"}
    body = json.dumps(
        {
            "member": member,
            "device_now": now,
            "entries": [{"uid": uid, "kind": "vitals", "device_at": now, "data": data}],
        }
    )
    headers = {"Cookie": cookie, "Content-Type": "application/json", "X-CSRFToken": CSRF}
    connection.request("POST", f"/team/session/{pk}/entries/", body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def open_sessions() -> tuple[list[int], int, str]:
    """Twenty people on the drip, a nurse, and the cookies of her log-in."""
    import django

    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.utils import timezone

    from reprieve.treatment.limits import Limits
    from reprieve.web.demo import NOTHING_ELSE
    from reprieve.web.models import Clinic, Course, Draft, Enquiry, Entry, LimitSet, Member, TreatmentSession

    ada = Member.objects.create_user("ada@clinic.example", "x", name="Ada", role="prescriber")
    limits, now, clinic = LimitSet.sign(ada, dict(Limits())), timezone.now(), Clinic.current()
    pks = []
    for number in range(SCREENS):
        answers = NOTHING_ELSE | {"contact_details": {"name": f"Person {number}", "phone": "+1 203 555 0142"}}
        enquiry = Enquiry.receive(Draft.new_token(), answers, now, clinic)
        plan = {"template": "6-in-2-weeks", "dose_mg_per_kg": 0.5, "infusion_min": 40, "owner": ada}
        session: TreatmentSession = Course.plan(ada, enquiry, [now], **plan).sessions.get()
        session.open(ada, session.version, limits, now)
        dose = {"weight_kg": 80, "mg": 40.0, "ml": 4.0, "mg_per_ml": 10.0, "ml_per_h": 6.0}
        for kind, data in (("gate", {"complete": True}), ("dose", dose), ("start", {})):
            Entry.keep(ada, Entry(session=session, uid=uuid.uuid4(), kind=kind, data=data, at=now))
        pks.append(session.pk)
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(ada.pk), ada.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store.create()
    return pks, ada.pk, f"sessionid={store.session_key}; csrftoken={CSRF}"


if __name__ == "__main__":
    main()
