"""What the log-in library and the jobs do, noted in the audit trail and the log as everything else is."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.dispatch import Signal
from django_tasks import TaskResultStatus
from django_tasks.signals import task_finished
from django_tasks_db.models import DBTaskResult

from reprieve.web.models import Event, Member

NOTED: list[tuple[Signal, str]] = [
    (user_logged_in, "logged in"),
    (user_logged_out, "logged out"),
    (account.password_changed, "changed the password"),
    (account.password_set, "changed the password"),
    (account.password_reset, "reset the password"),
    (account.email_changed, "changed the e-mail address"),
    (mfa.authenticator_added, "added a second step"),
    (mfa.authenticator_removed, "took a second step away"),
    (mfa.authenticator_reset, "made new spare codes"),
]


def note() -> None:
    """Listen from now on."""
    for signal, verb in NOTED:
        signal.connect(_noting(verb), weak=False, dispatch_uid=f"note {verb}")
    task_finished.connect(keep_no_message, dispatch_uid="keep no message")


def _noting(verb: str) -> Any:
    def receiver(user: Any, authenticator: Any = None, **_: Any) -> None:
        if isinstance(user, Member):
            detail = {"kind": str(authenticator.type)} if authenticator else {}
            with transaction.atomic():
                Event.record(user.actor, verb, user.actor, **detail)

    return receiver


def keep_no_message(task_result: Any, **_: Any) -> None:
    """A job that failed: say so in the log, and keep where it failed but not the message, which may hold values."""
    if task_result.status != TaskResultStatus.FAILED:
        return
    row = DBTaskResult.objects.get(pk=task_result.id)
    places = [line for line in row.traceback.splitlines() if line.startswith("  File ")]
    DBTaskResult.objects.filter(pk=row.pk).update(traceback="\n".join([row.exception_class_path, *places]))
    logging.getLogger("reprieve").error("the job %s failed: %s", row.task_path, row.exception_class_path)
