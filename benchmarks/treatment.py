"""Figures of treatment and outcomes: `make bench-treatment`. A table for people, and last one line of JSON.

Dashboard
    the page of the clinic's results over 10,000 courses, each with 6 sessions of 10 entries and 10 totals that are
    judged, one adverse event in every second session, and as many people who asked and had no course; the number of
    its queries at 100 courses and at all; the picture of one curve; and the registry export.

Name a part to run it alone: `python benchmarks/treatment.py dashboard`.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "reprieve.web.settings",
    "REPRIEVE_MODE": "local",
    "REPRIEVE_DATA_DIR": tempfile.mkdtemp(prefix="reprieve-bench-"),
}

COURSES = int(os.environ.get("BENCH_COURSES", "10000"))
SESSIONS, ENTRIES = 6, 10
DAYS = (0, 2, 4, 7, 9, 11)
TOTALS = (("PCL-5", (0, 7, 12, 25, 40, 68, 96, 194)), ("CAPS-5", (0, 40)))  # days since the start of the course
TIMES = 15
GOALS = {"dashboard_ms": "at most 500"}


def main() -> None:
    """Run the parts that are named, or all, and print their figures."""
    figures: dict[str, float] = {}
    for part in sys.argv[1:] or PARTS:
        if len(sys.argv) == 2:
            figures |= PARTS[part]()
            continue
        command = [sys.executable, __file__, part]  # a fresh process and a fresh database for each
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures |= json.loads(out.strip().splitlines()[-1])
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<44} {value:>12,}   {GOALS.get(name, '')}")
    print(f"\n{json.dumps(figures)}")


def dashboard() -> dict[str, float]:
    """The page of the clinic's results, asked for again and again; nothing is kept between two times."""
    set_up()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from reprieve.web import demo
    from reprieve.web.models import Member

    demo.fill(4)
    prescriber = Client(HTTP_HOST="127.0.0.1")
    prescriber.force_login(Member.objects.get(email="ada@clinic.example"), "django.contrib.auth.backends.ModelBackend")
    queries = []
    for count in (100, COURSES):
        fill_courses(count)
        with CaptureQueriesContext(connection) as captured:
            assert prescriber.get("/team/results/").status_code == 200
        queries.append(len(captured))
    page = [taken_ms(lambda: prescriber.get("/team/results/")) for _ in range(TIMES)]
    picture = [taken_ms(lambda: prescriber.get("/team/results/loss-pcl-5-620-light.svg")) for _ in range(TIMES)]
    export = taken_ms(lambda: prescriber.get("/team/results/registry.csv"))
    return {
        "dashboard_courses": COURSES,
        "dashboard_ms": round(statistics.median(page)),
        "dashboard_slowest_ms": round(max(page)),
        "dashboard_picture_ms": round(statistics.median(picture)),
        "dashboard_queries_at_100": queries[0],
        "dashboard_queries_at_all": queries[1],
        "registry_export_ms": round(export),
    }


def taken_ms(ask: Any) -> float:
    """How long one answer takes."""
    begun = time.perf_counter()
    assert ask().status_code == 200
    return 1000 * (time.perf_counter() - begun)


def fill_courses(count: int) -> None:
    """Courses of made-up people until there are so many, with all that hangs on them."""
    from reprieve.web.models import Consent, Consultation, Course, Enquiry, Measure, Member, TreatmentSession

    owner, model = Member.objects.get(email="ada@clinic.example"), Enquiry.objects.order_by("pk")[0]
    answers = json.dumps({f"PCL-5 {number}": 2 for number in range(20)})
    have, first = Course.objects.count(), datetime(2020, 1, 6, 15, tzinfo=UTC)
    numbers = range(have, count)
    begun = {number: first + timedelta(days=number % 2000) for number in numbers}
    people = [person_like(model, number, begun[number]) for number in numbers]
    Enquiry.objects.bulk_create((person_like(model, number, begun[number]) for number in numbers), batch_size=500)
    Enquiry.objects.bulk_create(people, batch_size=500)
    fields: dict[str, Any] = {"owner": owner, "dose_mg_per_kg": 0.5, "infusion_min": 40, "fictional": True}
    courses = [
        Course(
            enquiry=person, template="6-in-2-weeks", state="ended", ending="as_planned",
            started_on=begun[number].date(), ended_on=(begun[number] + timedelta(days=11)).date(), **fields,
        )
        for number, person in zip(numbers, people, strict=True)
    ]  # fmt: skip
    Course.objects.bulk_create(courses, batch_size=500)
    at = {course.pk: begun[number] for number, course in zip(numbers, courses, strict=True)}
    signed: dict[str, Any] = {
        "text_version": "bench", "text": [{"id": "a", "heading": "b", "text": "c" * 200}] * 20, "capacity": "Clear.",
        "person_name": "Hazel Fable", "person_signature": {"typed": "Hazel Fable"}, "clinician": owner,
        "clinician_signature": {"typed": "Ada"},
    }  # fmt: skip
    for kept in in_parts(courses):
        talks = [
            Consultation(enquiry=course.enquiry, by=owner, at=at[course.pk] - timedelta(days=9), diagnosis="ptsd",
                         decision="course", reasons="As talked about.") for course in kept
        ]  # fmt: skip
        Consultation.objects.bulk_create(talks)
        days = [at[course.pk] - timedelta(days=3) for course in kept]
        Consent.objects.bulk_create(
            Consent(course=course, person_signed_at=day, clinician_signed_at=day, **signed)
            for course, day in zip(kept, days, strict=True)
        )
        TreatmentSession.objects.bulk_create(
            TreatmentSession(
                course=course, number=number, planned_at=at[course.pk] + timedelta(days=day), state="ended",
                opened_at=at[course.pk] + timedelta(days=day), dose_mg=40, infused_mg=20 if day == 9 else 40,
            )
            for course in kept
            for number, day in enumerate(DAYS, start=1)
        )  # fmt: skip
        Measure.objects.bulk_create(
            Measure(
                course=course, instrument=instrument, reason="extra", due_on=moment, first_on=moment, last_on=moment,
                answers=answers, total_low=total(course.pk, day), total_high=total(course.pk, day),
                completed_at=moment,
            )
            for course in kept
            for instrument, when in TOTALS
            for day in when
            for moment in [at[course.pk] + timedelta(days=day)]
        )  # fmt: skip
    fill_entries()


def total(number: int, day: int) -> int:
    """A total that falls in most and rises again in some."""
    low = 50 - number % 31 if day > 7 else 50
    return min(low + (day // 12) * (number % 3), 80)


def in_parts(rows: list[Any], size: int = 500) -> list[list[Any]]:
    """The rows, so many at a time."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def person_like(model: Any, number: int, at: datetime) -> Any:
    """Another made-up person with the same answers."""
    import secrets

    from reprieve.web.models import Enquiry
    from reprieve.web.models.enquiry import new_reference

    row = Enquiry(
        **{field.attname: getattr(model, field.attname) for field in Enquiry._meta.fields if field.name != "id"}
    )
    row.reference, row.draft_key, row.link_hash = new_reference(), secrets.token_hex(32), secrets.token_hex(32)
    row.received_at, row.promised_at = at - timedelta(days=20), at - timedelta(days=19)
    row.first_called_at = row.promised_at + timedelta(hours=number % 7 - 5)
    return row


def fill_entries() -> None:
    """Entries of every session that has none: the database copies one encrypted value; each second one has nausea."""
    from django.db import connection

    from reprieve.web.encryption import encrypt
    from reprieve.web.models import Member

    data = encrypt(json.dumps({"systolic": 120, "diastolic": 80, "pulse": 70, "severity": "mild", "note": ""}))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO web_entry (session_id, uid, kind, term, data, by_id, at, received_at, flagged) "
            "WITH RECURSIVE turn(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM turn WHERE n < %s) "
            "SELECT s.id, lower(hex(randomblob(16))), CASE WHEN n = 5 AND s.id %% 2 THEN 'adverse' ELSE 'vitals' END, "
            "CASE WHEN n = 5 AND s.id %% 2 THEN 'nausea' ELSE '' END, %s, %s, s.planned_at, s.planned_at, 0 "
            "FROM web_treatmentsession s, turn WHERE s.id NOT IN (SELECT session_id FROM web_entry)",
            [ENTRIES, data, Member.objects.get(email="ada@clinic.example").pk],
        )
        cursor.execute(
            "INSERT INTO web_entry (session_id, uid, kind, term, data, by_id, at, received_at, flagged) "
            "SELECT id, lower(hex(randomblob(16))), 'correction', '', %s, %s, planned_at, planned_at, 0 "
            "FROM web_treatmentsession WHERE id %% 100 = 1 AND id NOT IN "
            "(SELECT session_id FROM web_entry WHERE kind = 'correction')",
            [encrypt(json.dumps({"corrects": "0" * 32, "why": "Another person."})),
             Member.objects.get(email="ada@clinic.example").pk],
        )  # fmt: skip


def set_up() -> None:
    """Load Django on an empty database."""
    import django

    django.setup()
    from reprieve.web.commands import collect_static, prepare_database

    prepare_database()
    collect_static()


PARTS = {"dashboard": dashboard}

if __name__ == "__main__":
    main()
