"""Reading a request: who it is from, its JSON within bounds, its preconditions."""

import asyncio
import hashlib
import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Event
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from app.db import Database
from app.domain.people import Actor
from app.domain.rulebook import Rulebook
from app.errors import BadRequest, Fault, Invalid, TooLarge, UnsupportedMediaType
from app.faults import did_you_mean, faults_of
from app.files import Files
from app.services import access, clock, faces, rulebooks, sessions
from app.services.clock import Now
from app.services.provider import Provider
from app.services.rulebooks import Library
from app.settings import Settings
from app.web.access import Door, check_door
from app.web.figures import Figures
from app.web.quota import Quota
from app.web.shield import COOKIE

LARGEST_BODY = 2_000_000
M = TypeVar("M", bound=BaseModel)
_ETAG = re.compile(r'(?:W/)?"?([0-9]{1,9})(?:-[0-9a-f]{8})?"?')


@dataclass(slots=True)
class House:
    """What every request needs and is made once, at start."""

    settings: Settings
    database: Database
    library: Library
    doors: dict[Any, Door]
    files: Files
    provider: Provider | None = None
    at_work: set[tuple[int, str]] = field(default_factory=set)
    token_uses: dict[int, datetime] = field(default_factory=dict)
    head_told: date | None = None
    quota: Quota = field(init=False)
    figures: Figures = field(default_factory=Figures)
    ending: Event = field(default_factory=Event)  # set: the process still answers, and is about to stop
    followed: float = 0.0

    def __post_init__(self) -> None:
        self.quota = Quota(self.database)

    @property
    def book(self) -> Rulebook:
        return self.library.current

    def now(self) -> Now:
        return clock.now(self.settings.today)

    async def follow(self) -> None:
        """Once a second: load what is newly published when another instance has put it in force."""
        if time.monotonic() - self.followed < 1:
            return
        self.followed = time.monotonic()
        found = await self.database.read(rulebooks.in_force)
        if found and found[1] != self.book.sha256:
            await asyncio.to_thread(rulebooks.catch_up, self.library)


def house(request: Request) -> House:
    found: House = request.app.state.house
    return found


async def caller(request: Request) -> Actor:
    """The person behind the request, once it is clear that they may use this route: 401, then 403.

    A token in the header, or without one the session of the cookie.
    """
    here, now = house(request), house(request).now()
    header, state = request.headers.get("authorization"), request.scope["state"]
    secret = None if header else request.cookies.get(COOKIE)
    if secret:
        actor, state["language"] = await _session_actor(here, secret, now, state["address"])
    else:
        digest = access.token_hash(header)
        actor = await here.database.read(lambda tx: access.identify(tx, digest, now, state["address"]))
        if actor.token_id is not None:
            here.token_uses[actor.token_id] = now.at
    state["actor"], state["actor_id"] = actor, actor.id
    await here.quota.use(f"person {actor.id}", here.settings.requests_per_minute)
    check_door(here.doors[request.scope["endpoint"]], actor, now)
    await here.follow()
    return actor


async def _session_actor(here: House, secret: str, now: Now, address: str) -> tuple[Actor, str | None]:
    """Who is logged in, and the language they prefer."""
    actor, row = await here.database.read(lambda tx: sessions.identify(tx, secret, now, address))
    if now.at - row.seen_at > sessions.SEEN:
        await here.database.write(lambda tx: sessions.seen(tx, secret, now))
    return actor, row.language


async def read_bytes(request: Request) -> bytes:
    """The body, or TooLarge as soon as it is known to be."""
    too_large = TooLarge("body_too_large", f"The body may have {LARGEST_BODY:,} bytes.")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise too_large
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise too_large
        parts.append(part)
    return b"".join(parts)


async def read_json_bytes(request: Request) -> bytes:
    """The body's bytes, which the request calls JSON."""
    _check_json(request)
    return await read_bytes(request)


def _check_json(request: Request) -> None:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("not_json", f"Send application/json; this is {kind or 'nothing'}.")


def parse(raw: bytes) -> Any:
    """The JSON value of a body; nesting beyond 200, NaN and half surrogates are not JSON here."""
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest("malformed_json", f"The body is not JSON that can be read: {error}.") from None


async def read_json(request: Request) -> tuple[Any, bytes]:
    """The body's JSON value and its bytes."""
    raw = await read_json_bytes(request)
    return parse(raw), raw


def read_as(model: type[M], value: Any) -> tuple[M | None, list[Fault]]:
    """The value as the model, or every fault in it."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, faults_of(error, model)


async def read_body(request: Request, model: type[M]) -> tuple[M, bytes]:
    """The body as the model, and its bytes; Invalid with every fault in it."""
    value, raw = await read_json(request)
    read, faults = read_as(model, value)
    if read is None:
        raise Invalid("validation_failed", "This cannot be taken as it was sent.", faults=faults)
    return read, raw


async def read_optional_body(request: Request, model: type[M]) -> tuple[M, bytes]:
    """As `read_body`; no body at all says the same as an empty object."""
    raw = await read_bytes(request)
    if raw:
        _check_json(request)
    read, faults = read_as(model, parse(raw) if raw else {})
    if read is None:
        raise Invalid("validation_failed", "This cannot be taken as it was sent.", faults=faults)
    return read, raw


async def read_body_about(request: Request, actor: Actor, ref: str, model: type[M]) -> tuple[M, bytes]:
    """As `read_body`, about a proposal that this actor sees: 404 goes before 422."""
    await house(request).database.read(lambda tx: faces.seen(tx, actor, ref))
    return await read_body(request, model)


def expected_versions(request: Request) -> frozenset[int] | None:
    """The versions in If-Match, any of which will do; None without the header or for `*`. ETags not of ours are no version."""
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return None
    found = (_ETAG.fullmatch(part.strip()) for part in header.split(","))
    return frozenset(int(one[1]) for one in found if one)


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, 1 to 255 printable characters, or None."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise BadRequest("idempotency_key_invalid", "An Idempotency-Key has 1 to 255 printable ASCII characters.")
    return key


def fingerprint(request: Request, raw: bytes) -> bytes:
    """What makes two requests the same: method, address and body."""
    line = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(line.encode() + raw).digest()


def wants_pdf(request: Request) -> bool:
    """Whether the reader would rather have PDF than JSON; JSON where it does not say."""
    return _preferred(request.headers.get("accept", ""), ("application/json", "application/pdf")) == "application/pdf"


def wants_csv(request: Request) -> bool:
    """Whether the reader would rather have CSV than JSON; JSON where it does not say."""
    return _preferred(request.headers.get("accept", ""), ("application/json", "text/csv")) == "text/csv"


def language_of(request: Request) -> str:
    """`da` or `en`: as the query says, else as the reader prefers; English where it does not say."""
    return request.query_params.get("language") or _preferred(request.headers.get("accept-language", ""), ("en", "da"))


def _preferred(header: str, offered: tuple[str, ...]) -> str:
    """The offer with the highest quality in an Accept header (RFC 9110, 12.5); the first where none is named."""
    best, chosen = 0.0, offered[0]
    for part in header.split(","):
        name, _, parameters = part.strip().lower().partition(";")
        quality = re.search(r"q=([01](?:\.[0-9]{0,3})?)", parameters)
        weight = float(quality[1]) if quality else 1.0
        match = next((one for one in offered if name == one or name.partition("-")[0] == one), None)
        if match and weight > best:
            best, chosen = weight, match
    return chosen


def check_query(request: Request, known: Collection[str]) -> None:
    """Refuse a query parameter that there is not: a misspelt filter must not answer with everything."""
    faults = []
    for name, value in request.query_params.multi_items():
        if name not in known:
            faults.append(
                Fault(f"/{name}", "unknown_parameter", f"There is no parameter '{name}'{did_you_mean(name, known)}.")
            )
        elif any(sign < " " or "\x7f" <= sign <= "\x9f" or "\ud800" <= sign <= "\udfff" for sign in value):
            faults.append(Fault(f"/{name}", "control_character", "Holds a control character."))
    if faults:
        raise Invalid("validation_failed", "The query cannot be used; pointers name its parameters.", faults=faults)
