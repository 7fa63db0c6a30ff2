"""JSON out: the canonical form that is stored and hashed, and the form that answers."""

from typing import Any

import orjson


def canonical(value: Any) -> bytes:
    """The one JSON form that is stored and hashed: keys sorted, no spaces, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def encode(value: Any) -> bytes:
    """JSON as it is sent: instants in UTC with a Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def readable(value: Any) -> bytes:
    """JSON for a file that people open: indented, in its own order, instants in UTC with a Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
