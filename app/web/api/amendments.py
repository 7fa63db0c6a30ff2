"""Amendments: changes of what is agreed, signed by both sides."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.services import amendments, faces
from app.services.idempotency import Answer
from app.web.answers import ok, write
from app.web.api import bodies, shapes
from app.web.api.agreements import SignatureOut
from app.web.api.docs import answers
from app.web.api.proposals import Ref
from app.web.requests import caller, house, read_body, read_optional_body
from app.web.sheets import listed

router = APIRouter(prefix="/api/v1", tags=["agreements"])
Number = Annotated[int, Path(ge=1, le=100000)]
Whoever = Annotated[Actor, Depends(caller)]


class AmendmentOut(shapes.Out):
    """`changes` is the difference of the contents; `screening` is for information. `snapshot` is the one it made."""

    number: int
    reason: str
    state: Literal["open", "signed", "withdrawn"]
    by: shapes.By
    proposed_at: datetime
    signed_at: datetime | None
    snapshot: int | None
    text: dict[str, Any]
    sha256: str
    changes: list[shapes.ChangeOut]
    screening: dict[str, Any]
    signatures: list[SignatureOut]


class AmendmentList(shapes.Out):
    items: list[AmendmentOut]
    next_cursor: None


_AMENDMENT: dict[str, Any] = {
    "number": 1,
    "reason": "Half a year longer.",
    "state": "open",
    "by": {"role": "iom_focal_point", "name": "A. Person"},
    "text": {},
    "sha256": "0" * 64,
    "changes": [],
    "signatures": [],
}


@router.get(
    "/proposals/{ref}/amendments",
    operation_id="list_amendments",
    summary="Every amendment with what it changes",
    responses=answers(AmendmentList, {"items": [], "next_cursor": None}, 404),
)
async def list_amendments(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    return await listed(request, AmendmentOut, lambda tx: amendments.listed(tx, actor, ref))


@router.post(
    "/proposals/{ref}/amendments",
    operation_id="propose_amendment",
    summary="Propose a change of what is agreed",
    status_code=201,
    responses=answers(AmendmentOut, _AMENDMENT, 400, 404, 409, 413, 415, 422, status=201),
)
async def propose_amendment(ref: Ref, request: Request) -> Response:
    """Content, budget or amounts by year, never more money in all. In force when both sides have signed."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    await here.database.read(lambda tx: faces.seen(tx, actor, ref))
    new, raw = await read_body(request, bodies.AmendmentIn)
    budget = new.model_dump(mode="json")["budget"]
    amounts = {int(year): amount for year, amount in new.amounts.items()} if new.amounts is not None else None

    def work(tx: Tx) -> Answer:
        number = amendments.propose(tx, actor, ref, new.reason, new.content, budget, amounts, book, now)
        place = {"Location": f"/api/v1/proposals/{ref}/amendments"}
        return ok(amendments.described(tx, actor, ref, number), 201, place)

    return await write(request, actor, raw, work)


@router.post(
    "/proposals/{ref}/amendments/{number}/signatures",
    operation_id="sign_amendment",
    summary="Sign an amendment for your side",
    status_code=201,
    responses=answers(AmendmentOut, _AMENDMENT, 400, 404, 409, 413, 415, 422, status=201),
)
async def sign_amendment(ref: Ref, number: Number, request: Request, actor: Whoever) -> Response:
    here = house(request)
    book, now = here.book, here.now()
    await here.database.read(lambda tx: amendments.described(tx, actor, ref, number))
    new, raw = await read_optional_body(request, bodies.SignatureIn)

    def work(tx: Tx) -> Answer:
        amendments.sign(tx, actor, ref, number, new.sha256, book, now)
        return ok(amendments.described(tx, actor, ref, number), 201)

    return await write(request, actor, raw, work)


@router.post(
    "/proposals/{ref}/amendments/{number}/withdraw",
    operation_id="withdraw_amendment",
    summary="Withdraw an amendment that is not in force",
    responses=answers(AmendmentOut, {**_AMENDMENT, "state": "withdrawn"}, 400, 404, 409, 413, 415, 422),
)
async def withdraw_amendment(ref: Ref, number: Number, request: Request, actor: Whoever) -> Response:
    now = house(request).now()
    await house(request).database.read(lambda tx: amendments.described(tx, actor, ref, number))
    _, raw = await read_optional_body(request, bodies.In)

    def work(tx: Tx) -> Answer:
        amendments.withdraw(tx, actor, ref, number, now)
        return ok(amendments.described(tx, actor, ref, number))

    return await write(request, actor, raw, work)
