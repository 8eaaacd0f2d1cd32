"""The one Django app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Named ``web`` in tables and migrations."""

    name = "reprieve.web"
    label = "web"
