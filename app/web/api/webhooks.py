"""Webhooks: one's own and one's office's; their secrets are shown once."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from app.db import Tx
from app.domain.people import Actor
from app.errors import Fault, Invalid
from app.services import webhooks
from app.services.idempotency import Answer
from app.web.answers import ok, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.requests import caller, check_query, house, read_body, read_optional_body
from app.web.sheets import paged

router = APIRouter(prefix="/api/v1", tags=["notifications"])
Id = Annotated[int, Path(ge=1, le=2**53)]
Whoever = Annotated[Actor, Depends(caller)]


class WebhookOut(shapes.Out):
    """`office` is set where it hears for an office; `failures` counts failed attempts in a row."""

    id: int
    person: int
    office: str | None
    url: str
    events: list[str]
    failures: int
    paused_at: datetime | None
    old_secret_until: datetime | None
    created_at: datetime


class WebhookMade(WebhookOut):
    secret: str


class Missed(shapes.Out):
    """What never arrived: how many messages, and when the first of them happened."""

    messages: int
    since: Annotated[datetime | None, Field(alias="from")]


class WebhookResumed(WebhookOut):
    missed: Missed


class WebhookPage(shapes.Out):
    items: list[WebhookOut]
    next_cursor: int | None


class TestOwed(shapes.Out):
    notification: int


class Replayed(shapes.Out):
    """`next_from` is where the rest of the period begins, when it holds more than 1,000 messages."""

    owed: int
    next_from: datetime | None


_WEBHOOK: dict[str, Any] = {
    "id": 3,
    "person": 7,
    "office": None,
    "url": "https://hooks.example.org/earmark",
    "events": ["proposal.approve"],
    "failures": 0,
    "paused_at": None,
    "old_secret_until": None,
    "created_at": "2026-11-23T09:07:00Z",
}
_MADE = {**_WEBHOOK, "secret": "whsec_..."}


@router.get(
    "/webhooks",
    operation_id="list_webhooks",
    summary="Your webhooks; for an administrator everybody's",
    responses=answers(WebhookPage, {"items": [_WEBHOOK], "next_cursor": None}, 422),
)
async def list_webhooks(
    request: Request,
    actor: Whoever,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    check_query(request, {"limit", "cursor"})
    return await paged(request, WebhookOut, lambda tx, most: webhooks.listed(tx, actor, most, cursor), limit)


@router.post(
    "/webhooks",
    operation_id="add_webhook",
    summary="Register a webhook; its secret is shown once",
    status_code=201,
    responses=answers(WebhookMade, _MADE, 400, 409, 413, 415, 422, status=201),
)
async def add_webhook(request: Request, actor: Whoever) -> Response:
    """It hears what you, or people of your office, are told from now on. Messages are signed as Standard Webhooks says."""
    here, now = house(request), house(request).now()
    new, raw = await read_body(request, bodies.WebhookIn)

    def work(tx: Tx) -> Answer:
        networks = here.settings.webhook_networks
        made = webhooks.add(tx, actor, new.url, new.events, new.whose == "office", networks, now)
        return ok(made, 201, {"Location": f"/api/v1/webhooks/{made['id']}"})

    return await write(request, actor, raw, work)


@router.delete(
    "/webhooks/{id}",
    operation_id="delete_webhook",
    summary="Delete a webhook; what waits for it is dropped",
    status_code=204,
    responses=answers(None, None, 404, 422, status=204),
)
async def delete_webhook(id: Id, request: Request, actor: Whoever) -> Response:
    now = house(request).now()
    await house(request).database.write(lambda tx: webhooks.delete(tx, actor, id, now))
    return Response(status_code=204)


@router.post(
    "/webhooks/{id}/rotate",
    operation_id="rotate_webhook",
    summary="Give a webhook a new secret, shown once",
    responses=answers(WebhookMade, _MADE, 400, 404, 413, 415, 422),
)
async def rotate_webhook(id: Id, request: Request, actor: Whoever) -> Response:
    """The old secret signs beside the new one for 24 hours, until `old_secret_until`."""
    now = house(request).now()
    _, raw = await read_optional_body(request, bodies.In)
    return await write(request, actor, raw, lambda tx: ok(webhooks.rotate(tx, actor, id, now)))


@router.post(
    "/webhooks/{id}/test",
    operation_id="test_webhook",
    summary="Send a webhook a message to try it out",
    status_code=202,
    responses=answers(TestOwed, {"notification": 12}, 400, 404, 409, 413, 415, 422, status=202),
)
async def test_webhook(id: Id, request: Request, actor: Whoever) -> Response:
    """It goes the way of every message; `GET /notifications` tells what came of it."""
    now = house(request).now()
    _, raw = await read_optional_body(request, bodies.In)
    return await write(request, actor, raw, lambda tx: ok({"notification": webhooks.test(tx, actor, id, now)}, 202))


@router.post(
    "/webhooks/{id}/resume",
    operation_id="resume_webhook",
    summary="Send to a paused webhook again",
    responses=answers(
        WebhookResumed, {**_WEBHOOK, "missed": {"messages": 0, "from": None}}, 400, 404, 409, 413, 415, 422
    ),
)
async def resume_webhook(id: Id, request: Request, actor: Whoever) -> Response:
    """What it missed is not sent by itself; `missed` says how much that is, and from when on to replay."""
    now = house(request).now()
    _, raw = await read_optional_body(request, bodies.In)
    return await write(request, actor, raw, lambda tx: ok(webhooks.resume(tx, actor, id, now)))


@router.post(
    "/webhooks/{id}/replay",
    operation_id="replay_webhook",
    summary="Send a webhook one message again, or those of a period",
    responses=answers(Replayed, {"owed": 14, "next_from": None}, 400, 404, 409, 413, 415, 422),
)
async def replay_webhook(id: Id, request: Request, actor: Whoever) -> Response:
    """What was sent, is dead or was dropped comes again with the ids it has; of a period 1,000 messages at most, the oldest."""
    now = house(request).now()
    wanted, raw = await read_body(request, bodies.ReplayIn)
    period = (wanted.since, wanted.until)

    def work(tx: Tx) -> Answer:
        if wanted.notification is not None and period == (None, None):
            return ok(webhooks.replay_one(tx, actor, id, wanted.notification, now))
        if wanted.notification is None and wanted.since and wanted.until:
            return ok(webhooks.replay_period(tx, actor, id, wanted.since, wanted.until, now))
        said = "Name either a notification, or a period by from and to."
        raise Invalid("validation_failed", said, faults=[Fault("", "one_or_a_period", said)])

    return await write(request, actor, raw, work)
