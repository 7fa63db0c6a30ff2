"""Notifications: what went to whom, when, after how many attempts, in the server's words; and once more by hand."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.records.notices import Wanted
from app.services import notifications
from app.web.answers import ok, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.requests import caller, check_query, house, read_optional_body
from app.web.sheets import paged

router = APIRouter(prefix="/api/v1", tags=["notifications"])
Id = Annotated[int, Path(ge=1, le=2**53)]
Whoever = Annotated[Actor, Depends(caller)]
State = Literal["waiting", "sent", "dead", "superseded"]


class Reader(shapes.Out):
    role: str
    name: str


class NotificationOut(shapes.Out):
    """`to` is null for a `webhook`, which is named by its number; `superseded` was taken back before it was sent.

    Something newer made it untrue, or `error` says why it was dropped.
    """

    id: int
    kind: str
    ref: str | None
    subject: str
    channel: Literal["mail", "webhook"]
    webhook: int | None
    to: Reader | None
    state: State
    happened_at: datetime
    sent_at: datetime | None
    attempts: int
    error: str | None


class NotificationPage(shapes.Out):
    items: list[NotificationOut]
    next_cursor: int | None


_NOTIFICATION: dict[str, Any] = {
    "id": 7,
    "kind": "proposal.approve",
    "ref": "DK-IOM-2027-003",
    "subject": "DK-IOM-2027-003 is approved",
    "channel": "mail",
    "webhook": None,
    "to": {"role": "iom_focal_point", "name": "A. Focal Point"},
    "state": "sent",
    "happened_at": "2027-02-10T12:00:00Z",
    "sent_at": "2027-02-10T12:00:01Z",
    "attempts": 1,
    "error": None,
}


@router.get(
    "/notifications",
    operation_id="list_notifications",
    summary="What was told to whom, the newest first",
    responses=answers(NotificationPage, {"items": [_NOTIFICATION], "next_cursor": None}, 422),
)
async def list_notifications(
    request: Request,
    actor: Whoever,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    state: State | None = None,
) -> Response:
    """An administrator and the auditor see everything, everybody else what went to them and their webhooks."""
    check_query(request, {"limit", "cursor", "state"})

    def page(tx: Tx, most: int) -> tuple[list[dict[str, Any]], int | None]:
        return notifications.listed(tx, actor, Wanted(state), most, cursor)

    return await paged(request, NotificationOut, page, limit)


@router.post(
    "/notifications/{id}/resend",
    operation_id="resend_notification",
    summary="Let a dead message be tried again",
    responses=answers(NotificationOut, {**_NOTIFICATION, "state": "waiting"}, 400, 404, 409, 413, 415, 422),
)
async def resend_notification(id: Id, request: Request, actor: Whoever) -> Response:
    now = house(request).now()
    _, raw = await read_optional_body(request, bodies.In)
    return await write(request, actor, raw, lambda tx: ok(notifications.resend(tx, actor, id, now)))
