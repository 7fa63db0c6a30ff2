"""Proposals: made, listed, read, edited, moved; their screening, history and snapshots."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.domain.proposal import read_content
from app.domain.rulebook import Rulebook
from app.domain.vocabulary import COUNTRIES
from app.domain.workflow import Event, State
from app.errors import Fault, Invalid
from app.records.listing import Wanted
from app.services import casework, intake
from app.services.casework import Request as MoveRequest
from app.services.clock import Now
from app.services.idempotency import Answer
from app.web.answers import conditional, etag, ok, response, write
from app.web.api import bodies, shapes
from app.web.api.docs import EXAMPLE_CONTENT, answers
from app.web.api.submission import read_submission
from app.web.cursors import after as after_of
from app.web.cursors import cursor as cursor_of
from app.web.requests import caller, check_query, expected_versions, house, read_as, read_json
from app.web.sheets import enclosed, paged

router = APIRouter(prefix="/api/v1", tags=["proposals"])
Ref = Annotated[str, Path(description="Like DK-IOM-2027-003", examples=["DK-IOM-2027-003"])]

_LISTED = {
    "ref": "DK-IOM-2027-003",
    "cycle": 2027,
    "office": "IOM-NE",
    "state": "draft",
    "title": "Protection along the Central Mediterranean route",
    "requested": 12000000,
    "outcome": "undetermined",
    "total": 31.8,
    "deadline": "2026-12-31",
    "version": 1,
    "created_at": "2026-11-23T09:07:00Z",
    "updated_at": "2026-11-23T09:07:00Z",
}
_OPTION = {"move": "submit", "allowed": True, "needs": [], "refusals": []}
_SUMMARY = {"outcome": "undetermined", "total": 31.8, "total_reachable": 90.5, "missing": ["budget"]}
_PROPOSAL = {**_LISTED, "snapshot": None, "moves": [_OPTION], "decision": None, "screening": _SUMMARY}
_PROPOSAL["content"] = EXAMPLE_CONTENT
_STEP = {"number": 1, "at": "2026-11-23T09:07:00Z", "event": "create", "from": None, "to": "draft"}
_SNAPSHOT = {"number": 1, "taken_at": "2026-11-23T09:07:00Z", "sha256": "0" * 64}


def _shown(tx: Tx, actor: Actor, ref: str, book: Rulebook, now: Now, status: int = 200) -> Answer:
    row, body = intake.described(tx, actor, ref, book, now)
    made = {"Location": f"/api/v1/proposals/{ref}"} if status == 201 else {}
    return Answer(status, body, {**etag(row.version, body), **made})


@router.post(
    "/proposals",
    operation_id="create_proposal",
    summary="Make a draft proposal in an open cycle",
    status_code=201,
    responses=answers(shapes.ProposalOut, _PROPOSAL, 400, 409, 413, 415, 422, status=201),
)
async def create_proposal(request: Request) -> Response:
    """A draft may leave out any field; what is there must be well-formed. A focal point names the office."""
    actor = await caller(request)
    here = house(request)
    book, now = here.book, here.now()
    sent = await read_submission(request, book.indicator_codes)

    def work(tx: Tx) -> Answer:
        ref = intake.create(tx, actor, sent.cycle, sent.office, sent.content, sent.faults, book, now)
        return _shown(tx, actor, ref, book, now, 201)

    return await write(request, actor, sent.raw, work)


@router.get(
    "/proposals",
    operation_id="list_proposals",
    summary="Proposals you can see, newest first or by total",
    responses=answers(shapes.ProposalPage, {"items": [_LISTED], "next_cursor": None}, 422),
)
async def list_proposals(
    request: Request,
    actor: Annotated[Actor, Depends(caller)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
    cycle: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    state: Annotated[list[State] | None, Query()] = None,
    country: Annotated[str | None, Query(min_length=2, max_length=2)] = None,
    priority_area: Annotated[int | None, Query(ge=1, le=4)] = None,
    office: Annotated[str | None, Query(max_length=40)] = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    sort: Literal["updated_at", "total"] = "updated_at",
) -> Response:
    """`q` finds what has all its words, or words that begin so or inflect them, in the list's order; `cursor` is a `next_cursor`."""
    check_query(request, _FILTERS)
    if country is not None and country not in COUNTRIES:
        fault = Fault("/country", "not_listed", "Must be an ISO 3166-1 alpha-2 country code.")
        raise Invalid("validation_failed", "The query cannot be used; pointers name its parameters.", faults=[fault])
    by_total = sort == "total"
    after = after_of(cursor, sort) if cursor is not None else None
    states = tuple(state or ())

    def page(tx: Tx, most: int) -> tuple[list[dict[str, Any]], str | None]:
        wanted = Wanted(cycle, states, country, priority_area, office, q, by_total, most, after)
        items, following = intake.listed(tx, actor, wanted)
        return items, cursor_of(following, sort) if following else None

    return await paged(request, shapes.ListedProposal, page, limit)


_FILTERS = dict.fromkeys(("limit", "cursor", "cycle", "state", "country", "priority_area", "office", "q", "sort"), None)


@router.get(
    "/proposals/{ref}",
    operation_id="read_proposal",
    summary="A proposal as you see it, with what you can do now",
    responses=answers(shapes.ProposalOut, _PROPOSAL, 304, 404),
)
async def read_proposal(ref: Ref, request: Request) -> Response:
    """IOM sees what it works on; the Danish side the last snapshot. `moves` says what you can do, and what refuses the rest."""
    actor = await caller(request)
    book, now = house(request).book, house(request).now()
    return conditional(request, await house(request).database.read(lambda tx: _shown(tx, actor, ref, book, now)))


@router.put(
    "/proposals/{ref}/content",
    operation_id="replace_content",
    summary="Replace the content of a draft or returned proposal",
    responses=answers(shapes.ProposalOut, _PROPOSAL, 400, 404, 409, 412, 413, 415, 422, 428),
)
async def replace_content(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    here = house(request)
    book, now = here.book, here.now()
    value, raw = await read_json(request)
    content, faults = read_content(value, book.indicator_codes)
    given = "if-match" in request.headers
    expected = expected_versions(request)

    def work(tx: Tx) -> Answer:
        intake.replace_content(tx, actor, ref, content, faults, expected, given, book, now)
        return _shown(tx, actor, ref, book, now)

    return await write(request, actor, raw, work)


@router.post(
    "/proposals/{ref}/moves",
    operation_id="make_move",
    summary="Move a proposal: submit, return, start the review, ...",
    responses=answers(shapes.ProposalOut, _PROPOSAL, 400, 404, 409, 412, 413, 415, 422),
)
async def make_move(ref: Ref, request: Request) -> Response:
    """Refuses in the order 404, 403, 412, 422, 409, naming every guard. A `submit` that ends in `returned` is 200."""
    actor = await caller(request)
    here, expected = house(request), expected_versions(request)
    book, now = here.book, here.now()
    value, raw = await read_json(request)
    read, faults = read_as(bodies.MoveIn, value)
    name = value.get("move") if isinstance(value, dict) else None
    wanted = MoveRequest(
        move=name.strip() if isinstance(name, str) else "",
        reason=read.reason if read else None,
        deadline=read.deadline if read else None,
        recommendation=read.recommendation if read else None,
        memo=read.memo if read else None,
        named=frozenset(value) if isinstance(value, dict) else frozenset(),
        faults=tuple(faults),
        expected=expected,
    )

    if wanted.move == Event.SUBMIT:
        request.scope["state"]["submission"] = ref

    def work(tx: Tx) -> Answer:
        casework.make_move(tx, actor, ref, wanted, book, now)
        return _shown(tx, actor, ref, book, now)

    return await write(request, actor, raw, work)


@router.get(
    "/proposals/{ref}/screening",
    operation_id="read_screening",
    summary="The whole screening of the content you see",
    responses=answers(shapes.ScreeningOut, {"outcome": "eligible", "total": 91.4}, 404),
)
async def read_screening(ref: Ref, request: Request) -> Response:
    """A snapshot's is the stored one, byte for byte; a draft's is made today."""
    actor = await caller(request)
    here = house(request)
    book, now = here.book, here.now()
    return response(ok(await here.database.read(lambda tx: intake.screening_of(tx, actor, ref, book, now))))


@router.get(
    "/proposals/{ref}/history",
    operation_id="read_history",
    summary="Every step of a proposal, oldest first",
    responses=answers(shapes.HistoryOut, {"items": [_STEP]}, 404),
)
async def read_history(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    return await enclosed(request, shapes.StepOut, lambda tx: {"items": intake.history_of(tx, actor, ref)})


@router.get(
    "/proposals/{ref}/snapshots",
    operation_id="list_snapshots",
    summary="Every submission of a proposal, oldest first",
    responses=answers(shapes.SnapshotList, {"items": [{**_SNAPSHOT, "outcome": "eligible", "total": 91.4}]}, 404),
)
async def list_snapshots(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    return await enclosed(request, shapes.SnapshotHead, lambda tx: {"items": intake.snapshots_of(tx, actor, ref)})


@router.get(
    "/proposals/{ref}/snapshots/{number}",
    operation_id="read_snapshot",
    summary="One submission: content, SHA-256 and screening",
    responses=answers(shapes.SnapshotOut, {**_SNAPSHOT, "screening": {}, "content": {}}, 404, 422),
)
async def read_snapshot(ref: Ref, number: Annotated[int, Path(ge=1, le=100000)], request: Request) -> Response:
    """The SHA-256 is that of the content's canonical JSON without `contact`, which can be erased."""
    actor = await caller(request)
    return response(ok(await house(request).database.read(lambda tx: intake.snapshot_of(tx, actor, ref, number))))


@router.get(
    "/proposals/{ref}/snapshots/{number}/diff",
    operation_id="compare_snapshots",
    summary="What changed in a snapshot, field by field",
    responses=answers(shapes.DiffOut, {"snapshot": 2, "against": 1, "changes": []}, 404, 422),
)
async def compare_snapshots(
    ref: Ref,
    number: Annotated[int, Path(ge=1, le=100000)],
    request: Request,
    actor: Annotated[Actor, Depends(caller)],
    against: Annotated[int | None, Query(ge=1, le=100000)] = None,
) -> Response:
    """Against the one before, unless `against` names another."""
    check_query(request, {"against"})
    return response(ok(await house(request).database.read(lambda tx: intake.compared(tx, actor, ref, number, against))))
