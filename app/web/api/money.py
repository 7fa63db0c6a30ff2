"""The envelopes: every year's appropriation and what has become of it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.services import envelopes
from app.services.idempotency import Answer
from app.web.answers import conditional, etag, ok, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.requests import caller, expected_versions, house, read_body
from app.web.sheets import listed

router = APIRouter(prefix="/api/v1", tags=["money"])
Year = Annotated[int, Path(ge=1, le=9999)]
Whoever = Annotated[Actor, Depends(caller)]


class EnvelopeOut(shapes.Out):
    """Whole DKK. `approved` is net of `freed`; `available` is what can still be approved."""

    year: int
    amount: int
    status: Literal["planned", "voted"]
    requested: int
    approved: int
    agreed: int
    paid: int
    freed: int
    available: int
    version: int


class EnvelopeList(shapes.Out):
    items: list[EnvelopeOut]
    next_cursor: None


class EnvelopeChange(shapes.Out):
    at: datetime
    by: shapes.By
    amount: int
    status: str
    reason: str


class EnvelopeWhole(EnvelopeOut):
    changes: list[EnvelopeChange]


_ENVELOPE = {
    "year": 2027,
    "amount": 50000000,
    "status": "planned",
    "requested": 62000000,
    "approved": 21400000,
    "agreed": 0,
    "paid": 0,
    "freed": 0,
    "available": 28600000,
    "version": 3,
}
_WHOLE = {**_ENVELOPE, "changes": []}


@router.get(
    "/envelopes",
    operation_id="list_envelopes",
    summary="Money by year, in whole DKK",
    responses=answers(EnvelopeList, {"items": [_ENVELOPE], "next_cursor": None}),
)
async def list_envelopes(request: Request) -> Response:
    await caller(request)
    return await listed(request, EnvelopeOut, envelopes.overview)


@router.get(
    "/envelopes/{year}",
    operation_id="read_envelope",
    summary="One year's money, and every appropriation there was with its reason",
    responses=answers(EnvelopeWhole, _WHOLE, 304, 404, 422),
)
async def read_envelope(year: Year, request: Request, actor: Whoever) -> Response:
    found = await house(request).database.read(lambda tx: envelopes.one(tx, year))
    return conditional(request, _shown(found))


def _shown(found: dict[str, object]) -> Answer:
    body = ok(found).body
    return Answer(200, body, etag(int(str(found["version"])), body))


@router.put(
    "/envelopes/{year}",
    operation_id="set_envelope",
    summary="Set a year's appropriation, with a reason",
    responses=answers(EnvelopeWhole, _WHOLE, 400, 404, 409, 412, 413, 415, 422, 428),
)
async def set_envelope(year: Year, request: Request, actor: Whoever) -> Response:
    """Never below what is committed."""
    here, expected, given = house(request), expected_versions(request), "if-match" in request.headers
    now = here.now()
    await here.database.read(lambda tx: envelopes.knock(tx, year, expected, given))
    new, raw = await read_body(request, bodies.EnvelopeIn)

    def work(tx: Tx) -> Answer:
        return _shown(envelopes.set_envelope(tx, actor, year, new.amount, new.status, new.reason, expected, given, now))

    return await write(request, actor, raw, work)
