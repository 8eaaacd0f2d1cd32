"""The ``reprieve`` command: what works on files, and what runs the clinic."""

from __future__ import annotations

from reprieve.cli import cli
from reprieve.web.commands import COMMANDS

for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    cli()


if __name__ == "__main__":
    main()
