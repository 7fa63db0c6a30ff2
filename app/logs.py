"""Logs as JSON lines (in a terminal, as lines to read). They name requests and people by id and never repeat what was sent."""

import logging
import sys
import traceback
from typing import Any

import structlog


def set_up() -> None:
    """Let everything that logs, ours or a library's, come out on stderr in one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    tail = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _where, last]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=tail, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("earmark").setLevel(logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


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
    return structlog.get_logger(f"earmark.{room}")
