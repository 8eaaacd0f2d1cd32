"""The real settings, on a data directory of the test run's own; of two workers, each has its own in it."""

import os
import tempfile
from pathlib import Path

os.environ["REPRIEVE_MODE"] = "local"
home = Path(os.environ.get("REPRIEVE_DATA_DIR") or tempfile.mkdtemp(prefix="reprieve-test-"))
worker = os.environ.get("PYTEST_XDIST_WORKER", home.name)
if home.name != worker:  # inherited from the process that started the worker
    home /= worker
    home.mkdir(exist_ok=True)
os.environ["REPRIEVE_DATA_DIR"] = str(home)
os.environ.pop("REPRIEVE_SMTP_URL", None)

from reprieve.web.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
CLINIC_SECONDS = 0.0
