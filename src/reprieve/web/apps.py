"""The one Django app."""

import logging

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Named ``web`` in tables and migrations."""

    name = "reprieve.web"
    label = "web"

    def ready(self) -> None:
        """Listen to what the log-in library does; let Python's warnings go through the log's filter."""
        from reprieve.web import noted

        noted.note()
        logging.captureWarnings(True)
