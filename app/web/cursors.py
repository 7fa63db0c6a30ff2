"""Where a page of a list begins: the sort value and number of the last row before it, made opaque."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import orjson

from app.encoding import encode
from app.errors import Fault, Invalid


def cursor(following: tuple[Any, int], sort: str) -> str:
    """The address part that leads to what follows, for that sort order only."""
    return base64.urlsafe_b64encode(encode([sort, *following])).decode().rstrip("=")


def after(said: str, sort: str) -> tuple[Any, int]:
    """Where a page begins; a cursor of another sort order or none of ours is refused."""
    try:
        made_for, value, last = orjson.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
        if made_for == sort and type(last) is int and abs(last) < 2**62:
            if sort == "updated_at":
                place = datetime.fromisoformat(value)
                if place.tzinfo is not None and 1 < place.year < 9999:
                    return place.astimezone(UTC), last
            elif type(value) is int and 0 <= value <= 1000:
                return value, last
    except (ValueError, TypeError, binascii.Error, UnicodeError, OverflowError):
        pass
    fault = Fault("/cursor", "cursor_invalid", f"This is no next_cursor of a list sorted by {sort}.")
    raise Invalid("cursor_invalid", "The cursor cannot be used; begin again without it.", faults=[fault])
