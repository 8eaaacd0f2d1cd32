"""Whether the record is whole: what `reprieve check` looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from reprieve.web.encryption import UndecryptableError, decrypt
from reprieve.web.models import Enquiry, Event, Notice, StockEntry
from reprieve.web.rotation import encrypted_fields, second_step_secrets

TRAIL, LOG = "the audit trail", "the drug log"
TRIGGERS = {  # each with what it guards
    "sqlite": {
        **dict.fromkeys(("audit_no_update", "audit_no_delete", "audit_chain"), TRAIL),
        **dict.fromkeys(("stock_no_update", "stock_no_delete", "lot_no_update", "lot_no_delete"), LOG),
    },
    "postgresql": {
        **dict.fromkeys(("audit_no_change", "audit_no_truncate", "audit_chain"), TRAIL),
        **dict.fromkeys(("stock_no_update", "stock_no_delete", "stock_no_truncate"), LOG),
        **dict.fromkeys(("lot_no_update", "lot_no_delete", "lot_no_truncate"), LOG),
    },
}


@dataclass
class Report:
    """What was found."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def examine() -> Report:
    """Look at the database, the audit chain, the drug log and every encrypted value."""
    report = Report()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        report.problems.append("the tables are not up to date; `reprieve serve` brings them up to date")
        return report
    unreadable = _unreadable()
    report.problems += [*_database(), *_triggers(), *Event.broken_links(), *_enquiries_without_events(), *unreadable]
    if not unreadable:
        report.problems += StockEntry.broken()
    last = Event.objects.order_by("-id").first()
    report.facts = {
        "database": connection.vendor,
        "enquiries": Enquiry.objects.count(),
        "events": Event.objects.count(),
        "drug_log_rows": StockEntry.objects.count(),
        "last_event": last.hash if last else "",
        "notices_waiting": Notice.objects.filter(state=Notice.State.WAITING).count(),
    }
    return report


def _database() -> list[str]:
    if connection.vendor != "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        return [f"SQLite: {row[0]}" for row in cursor.fetchall() if row[0] != "ok"]


def _triggers() -> list[str]:
    sql = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        there = {row[0] for row in cursor.fetchall()}
    return [
        f"the trigger {name} that guards {what} is missing"
        for name, what in TRIGGERS[connection.vendor].items()
        if name not in there
    ]


def _enquiries_without_events() -> list[str]:
    told = set(Event.objects.filter(subject__startswith="enquiry ").values_list("subject", flat=True).distinct())
    pks = Enquiry.objects.values_list("pk", flat=True).iterator()
    return [f"enquiry {pk} has no event in the audit trail" for pk in pks if f"enquiry {pk}" not in told]


def _unreadable() -> list[str]:
    problems = []
    for model, names in encrypted_fields():
        for pk in model._default_manager.values_list("pk", flat=True).iterator():
            try:
                model._default_manager.filter(pk=pk).values_list(*names).first()
            except UndecryptableError:
                problems.append(f"{model.__name__} {pk} cannot be decrypted with the keys at hand")
    for device in Authenticator.objects.iterator():
        try:
            for tokens in second_step_secrets(device.data).values():
                [decrypt(token) for token in ([tokens] if isinstance(tokens, str) else tokens)]
        except UndecryptableError:
            problems.append(f"the second step of member {device.user_id} cannot be decrypted with the keys at hand")
    return problems
