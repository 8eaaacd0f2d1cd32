"""Write every encrypted value again under the newest key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models, transaction

from reprieve.web.encryption import EncryptedText, decrypt, encrypt, name_index
from reprieve.web.models import Enquiry, Event
from reprieve.web.models.versioned import SYSTEM

SECOND_STEP_SECRETS = ("secret", "seed", "migrated_codes")


def encrypted_fields() -> list[tuple[type[models.Model], list[str]]]:
    """Every model of the clinic that has encrypted columns, with their names."""
    found = []
    for model in apps.get_app_config("web").get_models():
        names = [field.attname for field in model._meta.fields if isinstance(field, EncryptedText)]
        if names:
            found.append((model, names))
    return found


@transaction.atomic
def rewrite_all() -> int:
    """Read and write back every encrypted value and every name index. All or nothing.

    Returns
    -------
    number of rows written

    Raises
    ------
    UndecryptableError : if a value was written under a key that is not among FIELD_KEYS
    """
    rows = 0
    for model, names in encrypted_fields():
        for row in _one_by_one(model, *names):
            values: dict[str, Any] = {name: getattr(row, name) for name in names}
            if isinstance(row, Enquiry):
                values["name_index"] = name_index(row.name) if row.name else ""
            model._default_manager.filter(pk=row.pk).update(**values)
            rows += 1
    for device in _one_by_one(Authenticator):
        secret = second_step_secrets(device.data)
        if secret:
            again = {name: _again(value) for name, value in secret.items()}
            Authenticator.objects.filter(pk=device.pk).update(data=device.data | again)
            rows += 1
    Event.record(SYSTEM, "rotated the keys", "keys", rows=rows)
    return rows


def second_step_secrets(data: dict[str, Any]) -> dict[str, Any]:
    """What is encrypted in a code app's or spare codes' row: tokens, or lists of tokens."""
    return {name: data[name] for name in SECOND_STEP_SECRETS if name in data}


def _again(tokens: Any) -> Any:
    return [_again(token) for token in tokens] if isinstance(tokens, list) else encrypt(decrypt(tokens))


def _one_by_one(model: Any, *names: str) -> Iterator[Any]:
    """Each row as it is now, locked until all are written, so that a server that runs on writes under none of them."""
    for pk in list(model._default_manager.values_list("pk", flat=True)):
        row = model._default_manager.select_for_update().only(*names).filter(pk=pk).first()
        if row is not None:
            yield row
