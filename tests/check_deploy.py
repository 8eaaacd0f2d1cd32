"""`check --deploy` on production settings, with secrets made for this one run."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile

from cryptography.fernet import Fernet


def main() -> int:
    """Run the check; its exit code."""
    environment = os.environ | {
        "REPRIEVE_MODE": "production",
        "REPRIEVE_HOSTS": "forms.example.org",
        "REPRIEVE_SECRET_KEY": secrets.token_urlsafe(48),
        "REPRIEVE_FIELD_KEYS": Fernet.generate_key().decode(),
        "REPRIEVE_AUDIT_KEY": secrets.token_urlsafe(48),
        "REPRIEVE_DATA_DIR": tempfile.mkdtemp(prefix="reprieve-deploy-"),
    }
    command = [sys.executable, "-m", "reprieve.web", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
