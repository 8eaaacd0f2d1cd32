"""The real settings, on a data directory of the test run's own."""

import os
import tempfile

os.environ["REPRIEVE_MODE"] = "local"
os.environ.setdefault("REPRIEVE_DATA_DIR", tempfile.mkdtemp(prefix="reprieve-test-"))
os.environ.pop("REPRIEVE_SMTP_URL", None)

from reprieve.web.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
CLINIC_SECONDS = 0.0
