"""Logs that tell where something failed, and nothing that a person wrote."""

from __future__ import annotations

import logging
import traceback

OURS = "reprieve"


class NoHealthContent(logging.Filter):
    """Leave the name of the view and the kind of failure in a log record, and nothing a person wrote.

    Of what a library says only its name and the line are kept: its words may hold a name, an address or a value.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; it is always logged."""
        request = getattr(record, "request", None)
        if request is not None:
            match = getattr(request, "resolver_match", None)
            view = match.view_name if match else "an unknown address"
            record.msg, record.args = f"{getattr(record, 'status_code', '')} at {view}", ()
        elif record.name.partition(".")[0] != OURS:
            record.msg, record.args = f"{record.levelname} of {record.name}, {record.module} line {record.lineno}", ()
        if record.exc_info and record.exc_info[1] is not None:
            problem = record.exc_info[1]
            last = traceback.extract_tb(problem.__traceback__)[-3:]
            places = ", ".join(f"{frame.name} line {frame.lineno}" for frame in last)
            record.msg = f"{record.getMessage()}: {type(problem).__name__} in {places}"
            record.args, record.exc_info, record.exc_text = (), None, None
        record.stack_info = None
        return True
