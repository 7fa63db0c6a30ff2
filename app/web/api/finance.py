"""Payments over all proposals: the list, and what the finance system books day by day."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.db import Tx
from app.domain.payment import Stage
from app.domain.people import Actor
from app.records.payments import Wanted
from app.services import payments, released
from app.web.api import shapes
from app.web.api.docs import answers
from app.web.api.payments import PAYMENT, PaymentOut
from app.web.requests import caller, check_query, house
from app.web.sheets import listed, paged

router = APIRouter(prefix="/api/v1", tags=["payments"])
Whoever = Annotated[Actor, Depends(caller)]


class PaymentPage(shapes.Out):
    items: list[PaymentOut]
    next_cursor: int | None


class Person(shapes.Out):
    id: int
    name: str


class Payee(shapes.Out):
    ref: str
    name: str


class BookedPayment(shapes.Out):
    """Whole DKK. `released_on` is the day in Copenhagen; the title is the one decided on, the SHA-256 that of the signed text."""

    id: int
    ref: str
    title: str
    tranche: int
    year: int
    amount: int
    currency: str
    due_on: date
    released_on: date
    released_by: Person
    prepared_by: Person
    finance_act_code: str
    file_number: str
    payee: Payee
    agreement_sha256: str


class BookedList(shapes.Out):
    items: list[BookedPayment]
    next_cursor: None


@router.get(
    "/payments",
    operation_id="list_all_payments",
    summary="Payments of the proposals you can see, newest first",
    responses=answers(PaymentPage, {"items": [PAYMENT], "next_cursor": None}, 422),
)
async def list_all_payments(
    request: Request,
    actor: Whoever,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    state: Annotated[list[Stage] | None, Query()] = None,
    year: Annotated[int | None, Query(ge=2000, le=2100, description="the year charged")] = None,
    cycle: Annotated[int | None, Query(ge=2000, le=2100)] = None,
) -> Response:
    check_query(request, {"limit", "cursor", "state", "year", "cycle"})

    def page(tx: Tx, most: int) -> tuple[list[dict[str, Any]], int | None]:
        return payments.page(tx, actor, Wanted(tuple(state or ()), year, cycle, most, cursor))

    return await paged(request, PaymentOut, page, limit)


@router.get(
    "/payments/export",
    operation_id="export_payments",
    summary="What was released on these days, for the finance system",
    responses=answers(BookedList, {"items": [], "next_cursor": None}, 422),
)
async def export_payments(
    request: Request,
    actor: Whoever,
    first: Annotated[date, Query(alias="from", description="the first day of release, in Copenhagen")],
    last: Annotated[date, Query(alias="to", description="the last one; it must be over")],
) -> Response:
    """The same days always give the same lines, and a payment stands in the file of one day only."""
    check_query(request, {"from", "to"})
    library, now = house(request).library, house(request).now()
    name = f"payments-{first}-{last}"
    return await listed(
        request, BookedPayment, lambda tx: released.between(tx, first, last, library, now), name, long=True
    )
