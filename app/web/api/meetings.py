"""Technical meetings: what was discussed in the field, and who follows it up."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.services import meetings
from app.services.idempotency import Answer
from app.web.answers import conditional, versioned, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.requests import caller, check_query, expected_versions, house, read_body
from app.web.sheets import listed

router = APIRouter(prefix="/api/v1", tags=["technical meetings"])
Id = Annotated[int, Path(ge=1, le=2**53)]
Whoever = Annotated[Actor, Depends(caller)]


class FollowUpOut(shapes.Out):
    what: str
    owner: str
    due_on: date
    done: bool


class MeetingOut(shapes.Out):
    """`proposals` are those of the discussed that you can see."""

    id: int
    cycle: int
    date: date
    place: str
    participants: list[Any]
    proposals: list[str]
    notes: str
    follow_ups: list[FollowUpOut]
    updated_at: datetime
    cancelled_at: datetime | None
    cancelled_because: str | None
    version: int


class MeetingList(shapes.Out):
    items: list[MeetingOut]
    next_cursor: None


_MEETING = {
    "id": 1,
    "cycle": 2026,
    "date": "2026-09-15",
    "place": "Tunis",
    "participants": ["IOM Tunisia", "Embassy in Tunis"],
    "proposals": ["DK-IOM-2026-001"],
    "notes": "The referral desks work; two posts lack power.",
    "follow_ups": [{"what": "Solar panels", "owner": "IOM Tunisia", "due_on": "2026-11-30", "done": False}],
    "updated_at": "2026-09-15T09:07:00Z",
    "cancelled_at": None,
    "cancelled_because": None,
    "version": 1,
}


def _shown(tx: Tx, actor: Actor, number: int, status: int = 200) -> Answer:
    return versioned(meetings.described(tx, actor, number), status, f"/api/v1/technical-meetings/{number}")


@router.get(
    "/technical-meetings",
    operation_id="list_meetings",
    summary="Technical meetings, newest first",
    responses=answers(MeetingList, {"items": [_MEETING], "next_cursor": None}, 422),
)
async def list_meetings(
    request: Request, actor: Whoever, cycle: Annotated[int | None, Query(ge=2000, le=2100)] = None
) -> Response:
    check_query(request, {"cycle"})
    return await listed(request, MeetingOut, lambda tx: meetings.listed(tx, actor, cycle))


@router.post(
    "/technical-meetings",
    operation_id="add_meeting",
    summary="Write down a technical meeting",
    status_code=201,
    responses=answers(MeetingOut, _MEETING, 400, 413, 415, 422, status=201),
)
async def add_meeting(request: Request) -> Response:
    """It discusses agreed proposals and decides nothing."""
    actor, here = await caller(request), house(request)
    now = here.now()
    new, raw = await read_body(request, bodies.MeetingIn)
    sent = new.model_dump()
    return await write(
        request, actor, raw, lambda tx: _shown(tx, actor, meetings.add(tx, actor, sent, now), status=201)
    )


@router.get(
    "/technical-meetings/{id}",
    operation_id="read_meeting",
    summary="A technical meeting with its follow-ups",
    responses=answers(MeetingOut, _MEETING, 304, 404, 422),
)
async def read_meeting(id: Id, request: Request, actor: Whoever) -> Response:
    return conditional(request, await house(request).database.read(lambda tx: _shown(tx, actor, id)))


@router.put(
    "/technical-meetings/{id}",
    operation_id="replace_meeting",
    summary="Replace what is written of a technical meeting",
    responses=answers(MeetingOut, _MEETING, 400, 404, 409, 412, 413, 415, 422, 428),
)
async def replace_meeting(id: Id, request: Request, actor: Whoever) -> Response:
    here, expected, given = house(request), expected_versions(request), "if-match" in request.headers
    now = here.now()
    await here.database.read(lambda tx: meetings.knock(tx, actor, id, expected, given))
    new, raw = await read_body(request, bodies.MeetingIn)
    sent = new.model_dump()

    def work(tx: Tx) -> Answer:
        meetings.replace(tx, actor, id, sent, expected, given, now)
        return _shown(tx, actor, id)

    return await write(request, actor, raw, work)


@router.post(
    "/technical-meetings/{id}/cancel",
    operation_id="cancel_meeting",
    summary="Cancel a technical meeting that has not been held",
    responses=answers(MeetingOut, _MEETING, 400, 404, 409, 412, 413, 415, 422),
)
async def cancel_meeting(id: Id, request: Request, actor: Whoever) -> Response:
    """It stays, with the reason. Whoever was invited is told."""
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: meetings.knock(tx, actor, id, expected, True))
    new, raw = await read_body(request, bodies.ReasonIn)

    def work(tx: Tx) -> Answer:
        meetings.cancel(tx, actor, id, new.reason, expected, now)
        return _shown(tx, actor, id)

    return await write(request, actor, raw, work)
