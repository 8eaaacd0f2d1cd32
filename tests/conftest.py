"""What every test shares: drawn examples are the same in each run of CI, and new each time on a developer's machine."""

import os

from hypothesis import settings

settings.register_profile("developer", deadline=None)  # a busy machine is no failure
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
