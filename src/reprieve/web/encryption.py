"""Encrypted model fields, and an index that finds an exact name without storing it.

Fields are Fernet tokens (AES-128-CBC with HMAC-SHA256) under the newest of ``FIELD_KEYS``; older keys still
read. The blind index is a keyed hash, so the database file alone names nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class UndecryptableError(Exception):
    """A stored value was written under a key that REPRIEVE_FIELD_KEYS no longer holds, or was tampered with."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """Token of ``text`` under the newest key."""
    return _fernet(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Text of ``token``.

    Raises
    ------
    UndecryptableError : if no key opens it
    """
    try:
        return _fernet(tuple(settings.FIELD_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken:
        raise UndecryptableError(
            "a value cannot be decrypted; add the key it was written with to REPRIEVE_FIELD_KEYS"
        ) from None


def name_index(name: str, key: str | None = None) -> str:
    """Keyed hash of a name, the same for spellings that differ in case, accents' encoding or spaces.

    Returns
    -------
    64 hexadecimal digits
    """
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    secret = hashlib.sha256(b"name index" + (key or settings.FIELD_KEYS[0]).encode()).digest()
    return hmac.new(secret, plain.encode(), hashlib.sha256).hexdigest()


def name_indexes(name: str) -> list[str]:
    """The index of ``name`` under every key, to search while keys rotate."""
    return [name_index(name, key) for key in settings.FIELD_KEYS]


class EncryptedText(models.TextField[Any, Any]):
    """Text that is encrypted in the database. It cannot be searched or sorted; NULL stays NULL."""

    def deconstruct(self) -> Any:
        """To a migration it is text, so that old migrations never need this module."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        """Decrypt on the way out."""
        return None if value is None else decrypt(value)

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        return None if value is None else encrypt(value)


class EncryptedJSON(EncryptedText):
    """A JSON value that is encrypted in the database."""

    _pyi_private_set_type: Any  # for the type checker: any JSON value goes in and comes out
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        """Decrypt and parse."""
        return None if value is None else json.loads(decrypt(value))

    def get_prep_value(self, value: Any) -> Any:
        """Write and encrypt."""
        return None if value is None else encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def to_python(self, value: Any) -> Any:
        """Leave values as they are."""
        return value
