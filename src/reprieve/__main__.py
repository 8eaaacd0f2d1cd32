"""The ``reprieve`` command: what works on files, and what runs the clinic."""

from __future__ import annotations

import warnings

from reprieve.cli import cli
from reprieve.web.commands import COMMANDS

for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    warnings.filterwarnings("ignore", r"\s*ArviZ is undergoing a major refactor", FutureWarning)  # PyMARE imports it
    cli()


if __name__ == "__main__":
    main()
