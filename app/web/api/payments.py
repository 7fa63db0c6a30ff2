"""Payments: tranches scheduled, prepared, released, received."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.services import faces, payments
from app.services.idempotency import Answer
from app.web.answers import conditional, etag, ok, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.api.proposals import Ref
from app.web.requests import caller, expected_versions, house, read_body, read_optional_body
from app.web.sheets import listed

router = APIRouter(prefix="/api/v1", tags=["payments"])
Id = Annotated[int, Path(ge=1, le=2**53)]
Whoever = Annotated[Actor, Depends(caller)]


class PaymentOut(shapes.Out):
    """Whole DKK. `difference` is what was received less what was released."""

    id: int
    ref: str
    number: int
    year: int
    amount: int
    due_on: date
    condition: str | None
    state: Literal["scheduled", "prepared", "released", "received", "cancelled"]
    prepared_at: datetime | None
    released_at: datetime | None
    received_at: datetime | None
    received_on: date | None
    received_amount: int | None
    difference: int | None
    note: str | None
    cancelled_at: datetime | None
    reason: str | None
    version: int


class PaymentList(shapes.Out):
    items: list[PaymentOut]
    next_cursor: None


_NOTHING: dict[str, Any] = dict.fromkeys(
    ("prepared_at", "released_at", "received_at", "received_on", "received_amount", "difference", "note")
)
PAYMENT = {
    "id": 1,
    "ref": "DK-IOM-2027-003",
    "number": 1,
    "year": 2027,
    "amount": 6000000,
    "due_on": "2027-04-15",
    "condition": None,
    "state": "scheduled",
    **_NOTHING,
    "cancelled_at": None,
    "reason": None,
    "version": 1,
}


def _answer(said: dict[str, Any], status: int = 200) -> Answer:
    made = {"Location": f"/api/v1/payments/{said['id']}"} if status == 201 else {}
    return ok(said, status, {**etag(said["version"]), **made})


@router.get(
    "/proposals/{ref}/payments",
    operation_id="list_payments",
    summary="Every tranche of a proposal",
    responses=answers(PaymentList, {"items": [PAYMENT], "next_cursor": None}, 404),
)
async def list_payments(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    return await listed(request, PaymentOut, lambda tx: payments.listed(tx, actor, ref))


@router.post(
    "/proposals/{ref}/payments",
    operation_id="schedule_payment",
    summary="Plan a tranche within what is approved for its year",
    status_code=201,
    responses=answers(PaymentOut, PAYMENT, 400, 404, 409, 413, 415, 422, status=201),
)
async def schedule_payment(ref: Ref, request: Request) -> Response:
    """Before the agreement is signed it is part of its text. `due_on` may fall later than the year charged."""
    actor, here = await caller(request), house(request)
    now, framework = here.now(), here.book.framework
    await here.database.read(lambda tx: faces.seen(tx, actor, ref))
    new, raw = await read_body(request, bodies.PaymentIn)

    def work(tx: Tx) -> Answer:
        number = payments.schedule(tx, actor, ref, new.year, new.amount, new.due_on, new.condition, framework, now)
        return _answer(payments.described(tx, actor, number), 201)

    return await write(request, actor, raw, work)


@router.get(
    "/payments/{id}",
    operation_id="read_payment",
    summary="One tranche",
    responses=answers(PaymentOut, PAYMENT, 304, 404, 422),
)
async def read_payment(id: Id, request: Request, actor: Whoever) -> Response:
    return conditional(
        request, _answer(await house(request).database.read(lambda tx: payments.described(tx, actor, id)))
    )


async def _step(
    request: Request, actor: Actor, number: int, body: type[bodies.In], take: Callable[[Tx, Any], dict[str, Any]]
) -> Response:
    """404 before the body is read, then the step and the payment as it then is."""
    await house(request).database.read(lambda tx: payments.described(tx, actor, number))
    new, raw = await read_optional_body(request, body)
    return await write(request, actor, raw, lambda tx: _answer(take(tx, new)))


@router.post(
    "/payments/{id}/prepare",
    operation_id="prepare_payment",
    summary="Prepare a scheduled payment",
    responses=answers(PaymentOut, PAYMENT, 400, 404, 409, 412, 413, 415, 422),
)
async def prepare_payment(id: Id, request: Request, actor: Whoever) -> Response:
    now, expected, framework = house(request).now(), expected_versions(request), house(request).book.framework
    return await _step(
        request, actor, id, bodies.In, lambda tx, new: payments.prepare(tx, actor, id, expected, framework, now)
    )


@router.post(
    "/payments/{id}/release",
    operation_id="release_payment",
    summary="Release a prepared payment",
    responses=answers(PaymentOut, PAYMENT, 400, 404, 409, 412, 413, 415, 422),
)
async def release_payment(id: Id, request: Request, actor: Whoever) -> Response:
    """Somebody else than who prepared it; signed, voted, within what is approved. 409 names everything that refuses."""
    now, expected, framework = house(request).now(), expected_versions(request), house(request).book.framework
    return await _step(
        request, actor, id, bodies.In, lambda tx, new: payments.release(tx, actor, id, expected, framework, now)
    )


@router.post(
    "/payments/{id}/receive",
    operation_id="receive_payment",
    summary="Confirm the receipt of a payment, with amount and date",
    responses=answers(PaymentOut, PAYMENT, 400, 404, 409, 412, 413, 415, 422),
)
async def receive_payment(id: Id, request: Request, actor: Whoever) -> Response:
    """A difference is recorded. The last receipt makes the proposal disbursed."""
    now, expected, framework = house(request).now(), expected_versions(request), house(request).book.framework
    return await _step(
        request,
        actor,
        id,
        bodies.ReceiptIn,
        lambda tx, new: payments.receive(
            tx, actor, id, new.amount, new.received_on, new.note, expected, framework, now
        ),
    )


@router.post(
    "/payments/{id}/cancel",
    operation_id="cancel_payment",
    summary="Cancel a payment that is not released",
    responses=answers(PaymentOut, PAYMENT, 400, 404, 409, 412, 413, 415, 422),
)
async def cancel_payment(id: Id, request: Request, actor: Whoever) -> Response:
    now, expected, framework = house(request).now(), expected_versions(request), house(request).book.framework
    return await _step(
        request,
        actor,
        id,
        bodies.ReasonIn,
        lambda tx, new: payments.cancel(tx, actor, id, new.reason, expected, framework, now),
    )
