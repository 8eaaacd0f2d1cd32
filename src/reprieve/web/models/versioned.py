"""Rows that two people may change: each carries a version, and a stale one is refused."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from reprieve.web.models.audit import Event
from reprieve.web.models.member import Member

PERSON = "person"
SYSTEM = "system"
Actor = Member | str | None  # a member, SYSTEM, or None for the person themselves


class ChangedMeanwhileError(Exception):
    """Somebody else changed the row after this page was opened."""


def name_of(actor: Actor) -> str:
    """How the audit trail names who acted."""
    return actor.actor if isinstance(actor, Member) else actor or PERSON


class Versioned(models.Model):
    """A row whose every change names its author, is noted in the audit trail, and refuses a stale version."""

    version = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    @property
    def subject(self) -> str:
        """How the audit trail names this row, such as "enquiry 12"."""
        return f"{self._meta.verbose_name} {self.pk}"

    def change(self, actor: Actor, verb: str, seen_version: int, detail: dict[str, Any], **fields: Any) -> None:
        """Write ``fields`` and an audit event, unless somebody else wrote first. Call inside a transaction.

        Raises
        ------
        ChangedMeanwhileError : if the row is no longer at ``seen_version``; nothing is written
        """
        for name, value in fields.items():
            setattr(self, name, value)
        self.changed_by = actor if isinstance(actor, Member) else None
        self.version, self.changed_at = seen_version + 1, timezone.now()
        columns = {name: getattr(self, name) for name in (*fields, "version", "changed_by", "changed_at")}
        if not type(self)._default_manager.filter(pk=self.pk, version=seen_version).update(**columns):
            raise ChangedMeanwhileError(self.subject)
        Event.record(name_of(actor), verb, self.subject, **detail)
