"""Reprieve: from the brief form to the clinical team's call, honestly."""

__version__ = "0.1.0.dev0"
