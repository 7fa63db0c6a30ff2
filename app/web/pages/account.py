"""One's account: who one is, how one hears, one's calendar feed; and the statement on accessibility."""

from contextlib import suppress
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import AppError
from app.services import feeds, preferences
from app.services.deliveries import Sender
from app.services.preferences import Wishes
from app.services.sessions import IDLE, LONGEST
from app.web.access import DOORS
from app.web.api import bodies
from app.web.pages.deeds import Form, as_model, take, take_and_show
from app.web.pages.rendering import page
from app.web.requests import caller, house
from app.web.shield import COOKIE

router = APIRouter(include_in_schema=False)


@router.get("/account")
async def show_account(request: Request) -> Response:
    return await _account(request, await caller(request))


async def _account(
    request: Request, actor: Actor, error: AppError | None = None, sent: Form | None = None, made: Any = None
) -> Response:
    """The page; `made` is a calendar feed with the address it has just got."""
    subscribes = actor.role in DOORS["GET /api/v1/feed"].roles

    def read(tx: Tx) -> tuple[Wishes, dict[str, Any] | None]:
        return preferences.of(tx, actor.id), feeds.described(tx, actor) if subscribes else None

    wishes, feed = await house(request).database.read(read)
    return page(
        request,
        "account.html",
        error.status if error else 200,
        error=error,
        actor=actor,
        wishes=wishes,
        feed=feed,
        made=made,
        hooks=actor.role in DOORS["GET /webhooks"].roles,
        idle=int(IDLE.total_seconds() // 60),
        longest=int(LONGEST.total_seconds() // 3600),
    )


@router.post("/account/preferences")
async def set_preferences(request: Request) -> Response:
    """The pages are in the chosen language from the next one on."""
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        said = {"language": form.get("language", ""), "digest": "digest" in form, "reminders": "reminders" in form}
        new = as_model(bodies.PreferencesIn, said)
        preferences.put(tx, actor, Wishes(new.language, new.digest, new.reminders), now)

    return await take(request, work, partial(_account, request), "/account", "saved")


@router.post("/account/feed")
async def make_feed(request: Request) -> Response:
    here, now = house(request), house(request).now()
    sender = Sender(here.settings.mail_from, here.settings.public_url)

    def work(tx: Tx, actor: Actor, form: Form) -> dict[str, Any]:
        return feeds.create(tx, actor, sender, now)

    async def show(actor: Actor, made: Any) -> Response:
        return await _account(request, actor, made=made)

    return await take_and_show(request, work, partial(_account, request), show)


@router.post("/account/feed/end")
async def end_feed(request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        feeds.revoke(tx, actor, now)

    return await take(request, work, partial(_account, request), "/account", "feed_ended")


@router.get("/accessibility")
async def show_accessibility(request: Request) -> Response:
    """Public; whoever is logged in keeps their language and navigation."""
    if request.cookies.get(COOKIE):
        with suppress(AppError):
            await caller(request)
    return page(request, "accessibility.html")
