"""Logs as JSON lines (in a terminal, as lines to read). They name requests and people by id and never repeat what was sent.

Our own lines go straight to stderr: a line for every request must cost little beside the request.
"""

import logging
import sys
import traceback
from typing import Any

import orjson
import structlog


def set_up() -> None:
    """Let everything that logs, ours or a library's, come out on stderr in one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _where,
    ]
    terminal = sys.stderr.isatty()
    last: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(orjson.dumps)
    straight: Any = (
        structlog.PrintLoggerFactory(sys.stderr) if terminal else structlog.BytesLoggerFactory(sys.stderr.buffer)
    )
    structlog.configure(
        processors=[*shared, last],
        logger_factory=straight,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    text: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    tail = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, text]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=tail, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _where(room: Any, name: str, said: Any) -> Any:
    """An error as its kind and where it came from; its message is left out, for it may repeat what was sent or stored."""
    error = said.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    if error and error[0]:
        said["error"] = error[0].__name__
        said["at"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error[2])[-8:]]
    return said


def logger(room: str) -> Any:
    """The logger of a room: `logger("requests").info("answered", status=200)`."""
    return structlog.get_logger(room=room)
