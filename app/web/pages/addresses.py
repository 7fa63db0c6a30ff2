"""What stands in a page's address: what makes no sense there is as if it were not there."""

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from app.errors import NotFound

_LATEST = date(2999, 12, 31)


def whole(said: str | None) -> int | None:
    """A whole number from 1."""
    return int(said) if said and said.isascii() and said.isdecimal() and len(said) < 16 and int(said) else None


def day(said: str | None, later: int = 0) -> date | None:
    """A day, `later` days on."""
    try:
        read = date.fromisoformat(said or "")
    except ValueError:
        return None
    return read + timedelta(days=later) if read.year >= 1970 and read < _LATEST else None


def _there(said: Any) -> int:
    found = whole(str(said))
    if found is None:
        raise NotFound("not_found", "What this address names goes by a number from 1; this is none.")
    return found


Id = Annotated[int, BeforeValidator(_there)]  # in a path: what cannot be a number of ours is not there
