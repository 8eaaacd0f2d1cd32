"""The one way in which a command refuses: a line on standard error and exit code 2."""

from __future__ import annotations

import sys
from typing import Any

import click


class BadInput(click.ClickException):
    """What the person gave cannot be used: one line says what and where."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the message on one line of standard error."""
        click.echo(" ".join(self.message.split()), file=file or sys.stderr)
