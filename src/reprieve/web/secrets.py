"""The three secrets of a clinic, and what happens when one is missing or weak.

======================  ==================================================================
REPRIEVE_SECRET_KEY     signs cookies and links
REPRIEVE_FIELD_KEYS     encrypts names and answers; newest first, separated by commas
REPRIEVE_AUDIT_KEY      chains the audit trail; it does not change
======================  ==================================================================

Each may come from the environment, or from a file named in ``NAME_FILE``. In local mode they are made at the
first start and kept in ``secrets.env`` in the data directory, readable by its owner alone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

SHORTEST = 40
NAMES = ("REPRIEVE_SECRET_KEY", "REPRIEVE_FIELD_KEYS", "REPRIEVE_AUDIT_KEY")


class SettingError(Exception):
    """A setting is missing or unusable; the message names it and says what to do."""


def setting(environment: Mapping[str, str], name: str, default: str = "") -> str:
    """Value of ``name``, or the content of the file that ``name_FILE`` points to.

    Raises
    ------
    SettingError : if the file cannot be read
    """
    path = environment.get(f"{name}_FILE")
    if not path:
        return environment.get(name, default).strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingError(f"{name}_FILE is {path!r}, which cannot be read ({problem}); name a readable file") from None


def load(environment: Mapping[str, str], data_dir: Path, production: bool) -> dict[str, str]:
    """The secrets by name, checked.

    Raises
    ------
    SettingError : in production, if one is missing or weak
    """
    kept = {} if production else _kept_or_new(data_dir / "secrets.env")
    found = {name: setting(environment, name) or kept.get(name, "") for name in NAMES}
    for name, value in found.items():
        _check(name, value)
    return found


def new_field_key() -> str:
    """A new key for REPRIEVE_FIELD_KEYS."""
    return Fernet.generate_key().decode()


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the secrets file in one step, readable by its owner alone."""
    os.replace(_draft(path, values), path)
    _keep_through_power_loss(path.parent)


def read(path: Path) -> dict[str, str]:
    """Name to value of a secrets file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _draft(path: Path, values: Mapping[str, str]) -> Path:
    """A file beside ``path`` that holds ``values``, written through to the disk."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    return draft


def _keep_through_power_loss(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _kept_or_new(path: Path) -> dict[str, str]:
    """The secrets at ``path``; of several processes that find none, the first one's are everybody's."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        values = (secrets.token_urlsafe(48), new_field_key(), secrets.token_urlsafe(48))
        draft = _draft(path, dict(zip(NAMES, values, strict=True)))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        _keep_through_power_loss(path.parent)
    return read(path)


def _check(name: str, value: str) -> None:
    if not value:
        raise SettingError(f"{name} is not set; set it, or {name}_FILE (`reprieve keys new` prints fresh values)")
    if name == "REPRIEVE_FIELD_KEYS":
        for key in value.split(","):
            try:
                Fernet(key.strip())
            except ValueError:
                raise SettingError(
                    f"{name} holds a key that is not 32 bytes in base64; see `reprieve keys new`"
                ) from None
    elif len(value) < SHORTEST or len(set(value)) < 10:
        raise SettingError(f"{name} is too weak; use at least {SHORTEST} random characters (`reprieve keys new`)")
