"""Consultations: planned, agenda, opened, decided, concluded, corrected; or cancelled."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.services import board, consultations, corrections, decisions, faces
from app.services.consultations import Plan
from app.services.decisions import Sent
from app.services.idempotency import Answer
from app.web.answers import conditional, versioned, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.api.proposals import Ref
from app.web.requests import caller, check_query, expected_versions, house, read_body, read_optional_body
from app.web.sheets import paged

router = APIRouter(prefix="/api/v1", tags=["consultations"])
Id = Annotated[int, Path(ge=1, le=2**53)]
Whoever = Annotated[Actor, Depends(caller)]
Stage = Literal["planned", "open", "concluded", "cancelled"]


class ListedConsultation(shapes.Out):
    id: int
    cycle: int
    date: date
    place: str
    participants: list[Any]
    reason: str | None
    state: Stage
    concluded_at: datetime | None
    cancelled_at: datetime | None
    cancelled_because: str | None
    version: int


class ConsultationPage(shapes.Out):
    items: list[ListedConsultation]
    next_cursor: int | None


class DecisionOut(shapes.Out):
    decision: Literal["approve", "reject", "defer"]
    amounts: dict[str, int]
    conditions: list[str]
    reason: str
    to_cycle: int | None
    recorded_at: datetime | None = None
    recorded_by: str | None = None


class ItemOut(shapes.Out):
    """People outside the MFA see reference, title, office, state and, once it is concluded, the decision."""

    ref: str
    title: str
    office: str
    state: str
    decision: DecisionOut | None
    corrections: list[shapes.CorrectionOut]
    total: float | None = None
    assessed: dict[str, Any] | None = None
    recommendation: dict[str, str] | None = None
    requested: dict[str, int] | None = None
    refusals: list[shapes.RefusalOut] | None = None


class TotalOut(shapes.Out):
    year: int
    amount: int
    status: str
    approved_before: int
    decided: int
    left: int
    undecided_requests: int


class ConsultationOut(ListedConsultation):
    """`totals`, `refusals` and `undecided` are for the MFA."""

    agenda: list[ItemOut]
    totals: list[TotalOut] | None = None
    refusals: list[shapes.RefusalOut] | None = None
    undecided: list[str] | None = None


_LISTED = {
    "id": 1,
    "cycle": 2027,
    "date": "2027-02-10",
    "place": "Geneva",
    "participants": ["Head of Department", "IOM Director"],
    "reason": None,
    "state": "planned",
    "concluded_at": None,
    "cancelled_at": None,
    "cancelled_because": None,
    "version": 1,
}
_SHOWN = {**_LISTED, "agenda": [], "totals": [], "refusals": [], "undecided": []}


def _shown(tx: Tx, request: Request, actor: Actor, number: int, status: int = 200) -> Answer:
    here = house(request)
    said = board.described(tx, actor, number, here.book, here.now())
    return versioned(said, status, f"/api/v1/consultations/{number}")


async def _change(
    request: Request, actor: Actor, number: int, raw: bytes, work: Callable[[Tx], None], status: int = 200
) -> Response:
    """Do it, and answer with the consultation as it then is."""

    def whole(tx: Tx) -> Answer:
        work(tx)
        return _shown(tx, request, actor, number, status)

    return await write(request, actor, raw, whole)


@router.get(
    "/consultations",
    operation_id="list_consultations",
    summary="Consultations, newest first",
    responses=answers(ConsultationPage, {"items": [_LISTED], "next_cursor": None}, 422),
)
async def list_consultations(
    request: Request,
    actor: Whoever,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    cycle: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    state: Stage | None = None,
) -> Response:
    check_query(request, {"limit", "cursor", "cycle", "state"})
    return await paged(
        request,
        ListedConsultation,
        lambda tx, most: consultations.listed(tx, actor, cycle, state, most, cursor),
        limit,
    )


@router.post(
    "/consultations",
    operation_id="plan_consultation",
    summary="Plan a consultation of a cycle",
    status_code=201,
    responses=answers(ConsultationOut, _SHOWN, 400, 413, 415, 422, status=201),
)
async def plan_consultation(request: Request) -> Response:
    """In the first quarter of the cycle; on another day with a reason."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    new, raw = await read_body(request, bodies.ConsultationIn)
    sent = new.model_dump()["participants"]
    plan = Plan(new.cycle, new.date, new.place, sent, new.reason)

    def work(tx: Tx) -> Answer:
        number = consultations.create(tx, actor, plan, book, now)
        return _shown(tx, request, actor, number, 201)

    return await write(request, actor, raw, work)


@router.get(
    "/consultations/{id}",
    operation_id="read_consultation",
    summary="A consultation with its agenda, decisions and running totals",
    responses=answers(ConsultationOut, _SHOWN, 304, 404, 422),
)
async def read_consultation(id: Id, request: Request, actor: Whoever) -> Response:
    """What is decided is seen outside the MFA once it is concluded, not before."""
    return conditional(request, await house(request).database.read_long(lambda tx: _shown(tx, request, actor, id)))


@router.patch(
    "/consultations/{id}",
    operation_id="change_consultation",
    summary="Move a consultation to another day or place",
    responses=answers(ConsultationOut, _SHOWN, 400, 404, 409, 412, 413, 415, 422),
)
async def change_consultation(id: Id, request: Request, actor: Whoever) -> Response:
    here, expected = house(request), expected_versions(request)
    book, now = here.book, here.now()
    await here.database.read(lambda tx: consultations.knock(tx, id, expected))
    new, raw = await read_body(request, bodies.ConsultationPatch)
    sent = new.model_dump()["participants"]
    plan = Plan(None, new.date, new.place, sent, new.reason)
    return await _change(
        request, actor, id, raw, lambda tx: consultations.change(tx, actor, id, plan, expected, book, now)
    )


@router.put(
    "/consultations/{id}/agenda",
    operation_id="set_agenda",
    summary="Set the agenda, in its order",
    responses=answers(ConsultationOut, _SHOWN, 400, 404, 409, 412, 413, 415, 422, 428),
)
async def set_agenda(id: Id, request: Request, actor: Whoever) -> Response:
    """Recommended or deferred proposals of the cycle. What falls off the agenda takes its decision along."""
    here, expected, given = house(request), expected_versions(request), "if-match" in request.headers
    now = here.now()
    await here.database.read(lambda tx: consultations.knock(tx, id, expected, given, "agenda"))
    new, raw = await read_body(request, bodies.AgendaIn)
    return await _change(
        request, actor, id, raw, lambda tx: consultations.set_agenda(tx, actor, id, new.proposals, expected, given, now)
    )


@router.post(
    "/consultations/{id}/open",
    operation_id="open_consultation",
    summary="Open a consultation: decisions can be recorded",
    responses=answers(ConsultationOut, {**_SHOWN, "state": "open"}, 400, 404, 409, 412, 413, 415, 422),
)
async def open_consultation(id: Id, request: Request, actor: Whoever) -> Response:
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: consultations.there(tx, id))
    _, raw = await read_optional_body(request, bodies.In)
    return await _change(request, actor, id, raw, lambda tx: consultations.open_(tx, actor, id, expected, now))


@router.put(
    "/consultations/{id}/decisions/{ref}",
    operation_id="record_decision",
    summary="Record a decision, or put another in its place",
    responses=answers(ConsultationOut, {**_SHOWN, "state": "open"}, 400, 404, 409, 412, 413, 415, 422, 428),
)
async def record_decision(id: Id, ref: Ref, request: Request, actor: Whoever) -> Response:
    """Nobody outside the MFA sees it before the conclusion; what would refuse that stands in `refusals`."""
    here, expected, given = house(request), expected_versions(request), "if-match" in request.headers
    book, now = here.book, here.now()
    await here.database.read(lambda tx: faces.seen(tx, actor, ref))
    await here.database.read(lambda tx: consultations.knock(tx, id, expected, given, ref))
    new, raw = await read_body(request, bodies.DecisionIn)
    amounts = {int(year): amount for year, amount in new.amounts.items()}
    sent = Sent(new.decision, amounts, new.conditions, new.reason, new.to_cycle)
    return await _change(
        request, actor, id, raw, lambda tx: decisions.record(tx, actor, id, ref, sent, expected, given, book, now)
    )


@router.delete(
    "/consultations/{id}/decisions/{ref}",
    operation_id="remove_decision",
    summary="Take a recorded decision back",
    responses=answers(ConsultationOut, {**_SHOWN, "state": "open"}, 404, 409, 412, 422),
)
async def remove_decision(id: Id, ref: Ref, request: Request, actor: Whoever) -> Response:
    here, expected = house(request), expected_versions(request)
    book, now = here.book, here.now()
    return await _change(request, actor, id, b"", lambda tx: decisions.remove(tx, actor, id, ref, expected, book, now))


@router.post(
    "/consultations/{id}/conclude",
    operation_id="conclude_consultation",
    summary="Put every decision in force, or none",
    responses=answers(ConsultationOut, {**_SHOWN, "state": "concluded"}, 400, 404, 409, 412, 413, 415, 422),
)
async def conclude_consultation(id: Id, request: Request, actor: Whoever) -> Response:
    """409 names everything that refuses. Not before its date; outside the first quarter with a reason."""
    here, expected = house(request), expected_versions(request)
    book, now = here.book, here.now()
    await here.database.read(lambda tx: consultations.knock(tx, id, expected))
    new, raw = await read_optional_body(request, bodies.ConcludeIn)
    return await _change(
        request, actor, id, raw, lambda tx: decisions.conclude(tx, actor, id, new.reason, expected, book, now)
    )


@router.post(
    "/consultations/{id}/cancel",
    operation_id="cancel_consultation",
    summary="Cancel a consultation in which nothing is decided yet",
    responses=answers(ConsultationOut, {**_SHOWN, "state": "cancelled"}, 400, 404, 409, 412, 413, 415, 422),
)
async def cancel_consultation(id: Id, request: Request, actor: Whoever) -> Response:
    """It stays, with the reason; its proposals can be tabled elsewhere. Whoever was invited is told."""
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: consultations.knock(tx, id, expected))
    new, raw = await read_body(request, bodies.ReasonIn)
    return await _change(
        request, actor, id, raw, lambda tx: consultations.cancel(tx, actor, id, new.reason, expected, now)
    )


@router.post(
    "/consultations/{id}/corrections",
    operation_id="correct_decision",
    summary="Correct the words of a decision after the conclusion",
    status_code=201,
    responses=answers(ConsultationOut, {**_SHOWN, "state": "concluded"}, 400, 404, 409, 412, 413, 415, 422, status=201),
)
async def correct_decision(id: Id, request: Request, actor: Whoever) -> Response:
    """What was decided stays as it was told; minutes and letter show the correction below it, and its readers are told."""
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: consultations.knock(tx, id, expected))
    new, raw = await read_body(request, bodies.CorrectionIn)
    said = (new.ref, new.text, new.reason)
    return await _change(request, actor, id, raw, lambda tx: corrections.add(tx, actor, id, *said, expected, now), 201)
