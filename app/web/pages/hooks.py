"""The reader's webhooks: registered with a secret that is shown once, tried out, resumed, replayed, deleted."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.cycle import start_of
from app.domain.people import Actor
from app.errors import AppError, Fault, Invalid
from app.services import users, webhooks
from app.web.api import bodies
from app.web.pages.addresses import Id, day
from app.web.pages.deeds import Form, Work, as_model, go_and_say, take, take_and_show
from app.web.pages.notices import KINDS
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
MOST = 100
_EVENT = "event-"


@router.get("/webhooks")
async def show_webhooks(request: Request) -> Response:
    return await _hooks(request, await caller(request))


async def _hooks(
    request: Request, actor: Actor, error: AppError | None = None, sent: Form | None = None, made: Any = None
) -> Response:
    """The page; `made` is a webhook with the secret it has just got."""

    def read(tx: Tx) -> tuple[list[dict[str, Any]], bool, dict[int, str]]:
        rows, following = webhooks.listed(tx, actor, MOST, 0)
        return rows, following is not None, users.names(tx, [row["person"] for row in rows])

    rows, more, names = await house(request).database.read(read)
    return page(
        request,
        "webhooks.html",
        error.status if error else 200,
        error=error,
        rows=rows,
        more=more,
        names=names,
        made=made,
        sent=sent or {},
        kinds={kind: KINDS[kind] for kind in webhooks.EVENTS},
        all_kinds=KINDS,
        most=webhooks.MOST,
        actor=actor,
    )


@router.post("/webhooks")
async def add(request: Request) -> Response:
    here, now = house(request), house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> dict[str, Any]:
        chosen = [name.removeprefix(_EVENT) for name in form if name.startswith(_EVENT)]
        events = [webhooks.EVERYTHING] if form.get("all") else chosen
        new = as_model(bodies.WebhookIn, {"url": form.get("url", ""), "events": events, "for": form.get("for", "me")})
        networks = here.settings.webhook_networks
        return webhooks.add(tx, actor, new.url, new.events, new.whose == "office", networks, now)

    return await _take_once(request, work)


async def _take_once(request: Request, work: Work) -> Response:
    """The page comes with the secret that was made, shown this once."""

    async def show(actor: Actor, made: Any) -> Response:
        return await _hooks(request, actor, made=made)

    return await take_and_show(request, work, partial(_hooks, request), show)


@router.post("/webhooks/{id}/rotate")
async def rotate(id: Id, request: Request) -> Response:
    now = house(request).now()
    return await _take_once(request, lambda tx, actor, form: webhooks.rotate(tx, actor, id, now))


@router.post("/webhooks/{id}/test")
async def test(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> int:
        return webhooks.test(tx, actor, id, now)

    async def show(_actor: Actor, message: int) -> Response:
        return go_and_say(f"/notifications/{message}", "tried")

    return await take_and_show(request, work, partial(_hooks, request), show)


@router.post("/webhooks/{id}/resume")
async def resume(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        webhooks.resume(tx, actor, id, now)

    return await take(request, work, partial(_hooks, request), "/webhooks", "resumed")


@router.post("/webhooks/{id}/replay")
async def replay(id: Id, request: Request) -> Response:
    """What happened from one day to another, both included."""
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        since, until = day(form.get("from")), day(form.get("to"), later=1)
        if since is None or until is None:
            said = "Name the first and the last day of the period."
            raise Invalid("validation_failed", said, faults=[Fault("/from", "not_a_day", said)])
        webhooks.replay_period(tx, actor, id, start_of(since), start_of(until), now)

    return await take(request, work, partial(_hooks, request), "/webhooks", "replayed")


@router.post("/webhooks/{id}/delete")
async def delete(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        webhooks.delete(tx, actor, id, now)

    return await take(request, work, partial(_hooks, request), "/webhooks", "deleted")
