"""How the caller hears: preferences, the end of reminders by one click, and the calendar feed with its private address."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import Invalid, UnsupportedMediaType
from app.services import feeds, preferences
from app.services.deliveries import Sender
from app.services.feeds import Reading
from app.services.idempotency import Answer
from app.services.preferences import Wishes
from app.web.answers import ok, response, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers, problems
from app.web.requests import House, caller, house, read_body, read_optional_body

router = APIRouter(prefix="/api/v1", tags=["preferences"])
Whoever = Annotated[Actor, Depends(caller)]
FEED_READS = 30  # a minute, of one feed: calendars come by once an hour
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class PreferencesOut(shapes.Out):
    """`digest`: everything but decisions and invitations in one mail at 7 in Copenhagen."""

    language: Literal["en", "da"]
    digest: bool
    reminders: bool


class FeedOut(shapes.Out):
    exists: bool
    created_at: datetime | None


class FeedMade(shapes.Out):
    """`url` is told here and never again."""

    url: str
    created_at: datetime


_PREFERENCES: dict[str, Any] = {"language": "da", "digest": True, "reminders": True}
_MADE = {"url": "https://earmark.example/api/v1/feeds/....ics", "created_at": "2026-11-23T12:00:00Z"}
_ONE_CLICK = {
    "type": "object",
    "required": ["List-Unsubscribe"],
    "properties": {"List-Unsubscribe": {"type": "string", "const": "One-Click"}},
}


def _in_public(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: said for code, said in problems(*codes).items() if code != 401}


def _sender(here: House) -> Sender:
    return Sender(here.settings.mail_from, here.settings.public_url)


@router.get(
    "/preferences",
    operation_id="read_preferences",
    summary="How you hear",
    responses=answers(PreferencesOut, _PREFERENCES),
)
async def read_preferences(request: Request, actor: Whoever) -> Response:
    return response(ok(await house(request).database.read(lambda tx: preferences.of(tx, actor.id))))


@router.put(
    "/preferences",
    operation_id="set_preferences",
    summary="Say how you want to hear",
    responses=answers(PreferencesOut, _PREFERENCES, 400, 413, 415, 422),
)
async def set_preferences(request: Request, actor: Whoever) -> Response:
    """Without reminders, those that wait are taken back; without a digest, what waits for it goes at once."""
    now = house(request).now()
    new, raw = await read_body(request, bodies.PreferencesIn)
    wishes = Wishes(new.language, new.digest, new.reminders)
    return await write(request, actor, raw, lambda tx: ok(preferences.put(tx, actor, wishes, now)))


@router.post(
    "/unsubscribe/{uid}",
    operation_id="unsubscribe",
    summary="End the reminders of whoever got this one (RFC 8058)",
    responses={
        200: answers(PreferencesOut, {**_PREFERENCES, "reminders": False})[200],
        **_in_public(400, 404, 413, 415, 422),
    },
    openapi_extra={"requestBody": {"required": True, "content": {form: {"schema": _ONE_CLICK} for form in _FORMS}}},
)
async def unsubscribe(uid: str, request: Request) -> Response:
    """For mail programs: the address stands in the header List-Unsubscribe of reminders. Nobody need be logged in."""
    here, now, address = house(request), house(request).now(), request.scope["state"]["address"]
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORMS:
        raise UnsupportedMediaType("not_a_form", f"Send {' or '.join(_FORMS)}.")
    form = await request.form(max_files=0, max_fields=10, max_part_size=10_000)
    if form.get("List-Unsubscribe") != "One-Click":
        raise Invalid("not_one_click", "The body says List-Unsubscribe=One-Click; nothing else ends reminders here.")
    return response(ok(await here.database.write(lambda tx: preferences.unsubscribe(tx, uid, now, address))))


@router.get(
    "/unsubscribe/{uid}",
    operation_id="open_unsubscribe",
    summary="To the page that ends reminders with a button",
    status_code=303,
    response_class=Response,
    responses={303: {"description": "Where the page is; nothing is changed"}},
)
async def open_unsubscribe(uid: str) -> Response:
    """For mail programs that open the header's address because they cannot end reminders by themselves."""
    return Response(status_code=303, headers={"Location": f"/unsubscribe/{quote(uid, safe='')}"})


@router.get(
    "/feed",
    operation_id="read_feed",
    summary="Whether you have a calendar feed, and since when",
    responses=answers(FeedOut, {"exists": True, "created_at": "2026-11-23T12:00:00Z"}),
)
async def read_feed(request: Request, actor: Whoever) -> Response:
    return response(ok(await house(request).database.read(lambda tx: feeds.described(tx, actor))))


@router.post(
    "/feed",
    operation_id="create_feed",
    summary="Get a calendar feed; its address is shown once",
    status_code=201,
    responses=answers(FeedMade, _MADE, 400, 413, 415, 422, status=201),
)
async def create_feed(request: Request, actor: Whoever) -> Response:
    """Whoever has the address reads your calendar, without a login. One you had before ends."""
    here, now = house(request), house(request).now()
    _, raw = await read_optional_body(request, bodies.In)

    def work(tx: Tx) -> Answer:
        return ok(feeds.create(tx, actor, _sender(here), now), 201)

    return await write(request, actor, raw, work)


@router.delete(
    "/feed",
    operation_id="revoke_feed",
    summary="End your calendar feed at once",
    status_code=204,
    responses=answers(None, None, status=204),
)
async def revoke_feed(request: Request, actor: Whoever) -> Response:
    now = house(request).now()
    await house(request).database.write(lambda tx: feeds.revoke(tx, actor, now))
    return Response(status_code=204)


@router.get(
    "/feeds/{secret}.ics",
    operation_id="subscribe_feed",
    summary="A person's calendar, for whoever has its address",
    response_class=Response,
    responses={
        200: {"description": "Done", "content": {"text/calendar": {"schema": {"type": "string"}}}},
        **{code: said for code, said in _in_public(404).items() if code != 403},
    },
)
async def subscribe_feed(secret: str, request: Request) -> Response:
    """What concerns its person today: windows, deadlines, meetings, tranches. 404 once it is revoked."""
    here, now = house(request), house(request).now()
    actor, language = await here.database.read(lambda tx: feeds.owner(tx, secret))
    request.scope["state"]["actor_id"] = actor.id
    await here.quota.use(f"feed {actor.id}", FEED_READS)
    reading = Reading(actor, here.book.framework, _sender(here), now, language)
    made = await here.database.read_long(lambda tx: feeds.written(tx, reading))
    return Response(made, media_type="text/calendar; charset=utf-8")
