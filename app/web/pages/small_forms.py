"""Forms of the small pages: read as the API's own models, done in one transaction; refused, the page comes again."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel

from app.db import Tx
from app.domain.people import Actor
from app.errors import AppError, Invalid
from app.web.pages.forms import read_form
from app.web.requests import caller, house, read_as

Form = Mapping[str, str]
M = TypeVar("M", bound=BaseModel)
Show = Callable[[Request, Actor, AppError | None, Form, Any], Awaitable[Response]]
_LATEST = date(2999, 12, 31)


async def take(
    request: Request, work: Callable[[Tx, Actor, Form], Any], show: Show, done: Callable[[Any], Response] | None
) -> Response:
    """Take a form. `show` makes the page again with why not, and with what was made where that is shown once."""
    actor = await caller(request)
    form = await read_form(request)
    try:
        made = await house(request).database.write(lambda tx: work(tx, actor, form))
    except AppError as error:
        if error.status == 404:
            raise
        return await show(request, actor, error, form, None)
    return done(made) if done else await show(request, actor, None, {}, made)


def as_model(model: type[M], values: Mapping[str, Any]) -> M:
    """The values as the model, or Invalid with every fault in them."""
    read, faults = read_as(model, dict(values))
    if read is None:
        raise Invalid("validation_failed", "This cannot be taken as it was sent.", faults=faults)
    return read


def filled(form: Form, *names: str) -> dict[str, Any]:
    """Those of the named fields that hold something."""
    return {name: form[name].strip() for name in names if form.get(name, "").strip()}


def whole(said: str) -> int | str:
    """A whole number as people write it, with or without separators; other texts as they are, for the model to refuse."""
    plain = said.translate(str.maketrans("", "", " .,\u00a0"))
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 16 else said


def number(said: str | None) -> int | None:
    """A number in an address; what is none is as if it were not there."""
    return int(said) if said and said.isascii() and said.isdecimal() and len(said) < 16 and int(said) else None


def day(said: str | None, later: int = 0) -> date | None:
    """A day in an address, `later` days on; what is none is as if it were not there."""
    try:
        read = date.fromisoformat(said or "")
    except ValueError:
        return None
    return read + timedelta(days=later) if read.year >= 1970 and read < _LATEST else None
