"""Text that somebody typed, safe to print in a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text without signs that could steer the terminal.

    >>> printable("codeine\\x1b[31m")
    'codeine\\ufffd[31m'
    """
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
