"""Forms that do something: their fields read as the API's bodies are, the deed done, or the page again with why not."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel

from app.db import Tx
from app.domain.people import Actor
from app.encoding import canonical
from app.errors import AppError, Invalid
from app.services.idempotency import Answer, once
from app.web.access import DOORS
from app.web.answers import note_refusal
from app.web.pages.forms import read_form
from app.web.pages.rendering import redirect
from app.web.requests import caller, fingerprint, house, read_as

Form = Mapping[str, str]
Work = Callable[[Tx, Actor, Form], Any]
Again = Callable[[Actor, AppError, Form], Awaitable[Response]]
M = TypeVar("M", bound=BaseModel)
_GROUPED = re.compile(
    r"[1-9][0-9]{0,2}([ .,\u00a0\u202f])[0-9]{3}(?:\1[0-9]{3}){0,3}|[0-9]{1,15}"
)  # one sign, 15 digits


async def take(request: Request, work: Work, again: Again, place: str, said: str) -> Response:
    """Do what a form asks and go to `place`, which says so; refused, the page comes `again` with why and what was sent.

    A form that makes something carries `once`: clicked twice, it does its deed once and goes there twice.
    """

    def work_once(tx: Tx, actor: Actor, form: Form) -> None:
        def done() -> Answer:
            work(tx, actor, form)
            return Answer(303, b"")

        if form.get("once"):
            mark = fingerprint(request, canonical(form))
            once(tx, actor, f"form {mark.hex()}", mark, house(request).now(), done)
        else:
            work(tx, actor, form)

    async def go(_actor: Actor, _made: Any) -> Response:
        return go_and_say(place, said)

    return await take_and_show(request, work_once, again, go)


async def take_and_show(
    request: Request, work: Work, again: Again, show: Callable[[Actor, Any], Awaitable[Response]]
) -> Response:
    """The same where the answer is a page with what was made, such as a secret that is shown once."""
    actor, form = await caller(request), await read_form(request)
    try:
        made = await house(request).database.write(lambda tx: work(tx, actor, form))
    except AppError as error:
        if error.status == 404:
            raise
        await note_refusal(request, error)
        return await again(actor, error, form)
    return await show(actor, made)


def go_and_say(place: str, said: str) -> Response:
    """On to a page, which says what was done."""
    path, mark, part = place.partition("#")
    joint = "&" if "?" in path else "?"
    return redirect(f"{path}{joint}said={said}{mark}{part}")


def as_model(model: type[M], value: dict[str, Any]) -> M:
    """The form's values as the model, or Invalid with every fault in them."""
    made, faults = read_as(model, value)
    if made is None:
        raise Invalid("validation_failed", "This cannot be taken as it was sent.", faults=faults)
    return made


def filled(form: Form, *names: str) -> dict[str, Any]:
    """Those of the named fields that hold something."""
    return {name: form[name].strip() for name in names if form.get(name, "").strip()}


def amount(said: str) -> int | str:
    """Whole DKK as people write them, `12000000` or `12.000.000`; what is no such number is left for the model to refuse."""
    said = said.strip()
    return int(re.sub(r"\D", "", said)) if _GROUPED.fullmatch(said) else said


def number(said: str) -> int | str:
    """A small whole number such as a year; what is none is left for the model to refuse."""
    said = said.strip()
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else said


def version(form: Form) -> frozenset[int]:
    """The version that the form was made from; none that could match where the form does not say."""
    said = number(form.get("version", ""))
    return frozenset({said}) if isinstance(said, int) else frozenset()


def may(actor: Actor, door: str) -> bool:
    """Whether this person's role may knock at that line of the access table."""
    return actor.role in DOORS[door].roles
