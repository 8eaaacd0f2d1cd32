"""Write every encrypted value again under the newest key."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models, transaction

from reprieve.web.encryption import EncryptedText, decrypt, encrypt, name_index
from reprieve.web.models import Enquiry

SECOND_STEP_SECRETS = ("secret", "seed")


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
        for row in model._default_manager.only(*names).iterator(chunk_size=500):
            values: dict[str, Any] = {name: getattr(row, name) for name in names}
            if isinstance(row, Enquiry):
                values["name_index"] = name_index(row.name) if row.name else ""
            model._default_manager.filter(pk=row.pk).update(**values)
            rows += 1
    for device in Authenticator.objects.iterator():
        secret = {name: encrypt(decrypt(device.data[name])) for name in SECOND_STEP_SECRETS if name in device.data}
        if secret:
            Authenticator.objects.filter(pk=device.pk).update(data=device.data | secret)
            rows += 1
    return rows
