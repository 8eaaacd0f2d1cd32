"""A missing or weak secret stops the start in production, and the message names the setting."""

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

GOOD = {
    "REPRIEVE_MODE": "production",
    "REPRIEVE_HOSTS": "forms.example.org",
    "REPRIEVE_SECRET_KEY": "pX4v0mTq1uJ7cR9aLk2sWz8yHb5nDg3fEi6oQe-t",
    "REPRIEVE_FIELD_KEYS": Fernet.generate_key().decode(),
    "REPRIEVE_AUDIT_KEY": "zL8w2nYr5vK1dS7bMj4tXq9uGc6pFh3eAo0iWk_m",
}


def start(tmp_path, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Load the settings as the server would."""
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("REPRIEVE_", "DJANGO_", "DATABASE_"))
    }
    values = {name: value for name, value in (GOOD | changes).items() if value is not None}
    command = [sys.executable, "-m", "reprieve", "check"]
    environment = plain | values | {"REPRIEVE_DATA_DIR": str(tmp_path)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REPRIEVE_SECRET_KEY", None),
        ("REPRIEVE_SECRET_KEY", "short"),
        ("REPRIEVE_SECRET_KEY", "a" * 60),
        ("REPRIEVE_FIELD_KEYS", None),
        ("REPRIEVE_FIELD_KEYS", "not a key"),
        ("REPRIEVE_AUDIT_KEY", None),
        ("REPRIEVE_AUDIT_KEY", "12345"),
        ("REPRIEVE_HOSTS", None),
        ("REPRIEVE_MODE", "prod"),
    ],
)
def test_a_missing_or_weak_setting_stops_the_start(tmp_path, name, value):
    ended = start(tmp_path, **{name: value})

    assert ended.returncode == 2
    assert ended.stderr.startswith(name)
    assert len(ended.stderr.strip().splitlines()) == 1
    assert not value or value not in ended.stderr or name == "REPRIEVE_MODE"


def test_a_secret_may_come_from_a_file(tmp_path):
    file = tmp_path / "key"
    file.write_text(GOOD["REPRIEVE_SECRET_KEY"] + "\n")

    ended = start(tmp_path, REPRIEVE_SECRET_KEY=None, REPRIEVE_SECRET_KEY_FILE=str(file))

    assert "not set" not in ended.stderr


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path):
    ended = start(tmp_path, REPRIEVE_SECRET_KEY=None, REPRIEVE_SECRET_KEY_FILE=str(tmp_path / "absent"))

    assert (ended.returncode, ended.stderr[:24]) == (2, "REPRIEVE_SECRET_KEY_FILE")


def test_local_mode_makes_its_own_secrets_for_its_owner_alone(tmp_path):
    start(tmp_path / "data", **dict.fromkeys(GOOD))

    kept = tmp_path / "data" / "secrets.env"
    assert kept.stat().st_mode & 0o777 == 0o600
    before = kept.read_text()
    start(tmp_path / "data", **dict.fromkeys(GOOD))
    assert kept.read_text() == before
