"""Logging: one line an event on standard error, ``key=value``, with request and SEV ids. Never a secret.

An exception is told by its type and the place in our code, never by its text: drivers quote rows, addresses and
statements in theirs. A traceback, which has that text in it, is not logged either.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

_PACKAGE = Path(__file__).parents[1]
#: Of others' loggers, what is worth a line.
_QUIET = {"apscheduler": logging.ERROR, "waitress.queue": logging.ERROR, "alembic": logging.WARNING}


def configure(level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's records the same way. Call it once, from a command."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        only_where,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, printable, _LINE],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("sevtracker").setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


_LINE = structlog.processors.LogfmtRenderer(key_order=["ts", "level", "event"], drop_missing=True)


def only_where(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception becomes ``error=Type`` and ``where=file:line``, the innermost place in our own code."""
    found = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if Path(f.filename).is_relative_to(_PACKAGE)] or frames
        if ours:
            event["where"] = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return event


def printable(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keys without blanks (logfmt refuses them), values on one line."""
    return {
        str(key).replace(" ", "_"): value
        if isinstance(value, (int, float, bool)) or value is None
        else _one_line(value)
        for key, value in event.items()
    }


def _one_line(value: object) -> str:
    return " ".join(str(value).split())
