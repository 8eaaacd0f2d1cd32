"""What was done, by whom, when: rows that are only ever added, each chained to the one before.

Triggers in the database (migration 0002) refuse to change or delete a row, and refuse a new row that does not
name the last one. The chain is keyed with REPRIEVE_AUDIT_KEY, so a rewritten table shows.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from reprieve.web.models.rows import Ready

GENESIS = "0" * 64
POSTGRES_LOCK = 5_281_947  # any number, the same in every process


class Event(models.Model):
    """One thing that happened. ``detail`` never holds health content or a name."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=40)  # "person", "system" or "member 7"
    verb = models.CharField(max_length=40)
    subject = models.CharField(max_length=40, db_index=True)  # such as "enquiry 12"
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.verb} {self.subject}"

    @classmethod
    def record(cls, actor: str, verb: str, subject: str, **detail: Any) -> Event:
        """Add an event to the chain. Call it inside the transaction of the change that it tells of."""
        cls.hold()
        with connection.cursor() as cursor:
            cursor.execute("SELECT hash FROM web_event ORDER BY id DESC LIMIT 1")
            previous = next(iter(cursor.fetchall()), (GENESIS,))[0]
        event = cls(at=timezone.now(), actor=actor, verb=verb, subject=subject, detail=detail, previous=previous)
        event.hash = event.computed_hash()
        Ready(event).insert()
        return event

    @classmethod
    def hold(cls) -> None:
        """Let nobody else record until this transaction ends; on SQLite nobody else writes meanwhile anyway."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [POSTGRES_LOCK])

    def computed_hash(self) -> str:
        """HMAC-SHA256 over every column but ``hash``, as 64 hexadecimal digits."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        content = json.dumps([self.previous, at, self.actor, self.verb, self.subject, self.detail], sort_keys=True)
        return hmac.new(settings.AUDIT_KEY.encode(), content.encode(), hashlib.sha256).hexdigest()

    @classmethod
    def broken_links(cls) -> Iterator[str]:
        """A sentence for each place where the chain does not hold; nothing when it is whole."""
        previous = GENESIS
        for event in cls.objects.order_by("id").iterator(chunk_size=2000):
            if event.previous != previous:
                yield f"event {event.pk} does not follow the one before it: a row was removed, added or reordered"
            if event.hash != event.computed_hash():
                yield f"event {event.pk} was changed after it was written"
            previous = event.hash
