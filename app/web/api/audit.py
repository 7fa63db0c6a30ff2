"""The log of acts, for auditors and administrators."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import StringConstraints

from app.db import Tx
from app.domain.people import Actor
from app.errors import Fault, Invalid
from app.records.audit import Wanted
from app.services import audit
from app.web.answers import ok, response
from app.web.api import shapes
from app.web.api.docs import answers
from app.web.requests import caller, check_query, house
from app.web.sheets import paged


class AuditActor(shapes.Out):
    id: int
    role: str | None


class AuditEntry(shapes.Out):
    seq: int
    at: datetime
    event: str
    actor: AuditActor | None
    token_id: int | None
    address: str | None
    subject: str
    before: str | None
    after: str | None
    facts: dict[str, Any]
    previous: str
    hash: str


class AuditPage(shapes.Out):
    items: list[AuditEntry]
    next_cursor: int | None


class AuditFault(shapes.Out):
    seq: int
    message: str


class AuditProof(shapes.Out):
    sound: bool
    entries: int
    head: str
    faults: list[AuditFault]


router = APIRouter(prefix="/api/v1", tags=["audit"])
Whoever = Annotated[Actor, Depends(caller)]
_ENTRY = {
    "seq": 12,
    "at": "2026-11-23T09:07:00Z",
    "event": "proposal.submit",
    "actor": {"id": 2, "role": "iom_focal_point"},
    "token_id": 2,
    "address": "192.0.2.7",
    "subject": "DK-IOM-2027-003",
    "before": "0" * 64,
    "after": "0" * 64,
    "facts": {"from": "draft", "to": "submitted"},
    "previous": "0" * 64,
    "hash": "0" * 64,
}


@router.get(
    "/audit",
    operation_id="list_audit",
    summary="Who did what, newest first",
    responses=answers(AuditPage, {"items": [_ENTRY], "next_cursor": None}, 422),
)
async def list_audit(
    request: Request,
    actor: Whoever,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    event: Annotated[str | None, Query(max_length=60)] = None,
    person: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    subject: Annotated[str | None, Query(max_length=120)] = None,
    since: Annotated[datetime | None, Query()] = None,
    until: Annotated[datetime | None, Query()] = None,
) -> Response:
    """`since` and `until` are instants with their offset; `cursor` is the `next_cursor` of the page before."""
    check_query(request, {"limit", "cursor", "event", "person", "subject", "since", "until"})
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and (moment.tzinfo is None or not 1 < moment.year < 9999):
            fault = Fault(f"/{name}", "not_an_instant", "Write an instant with its offset: 2026-11-23T09:07:00Z.")
            raise Invalid(
                "validation_failed", "The query cannot be used; pointers name its parameters.", faults=[fault]
            )

    def page(tx: Tx, most: int) -> tuple[list[dict[str, Any]], int | None]:
        return audit.listed(tx, Wanted(event, person, subject, since, until, most, cursor))

    return await paged(request, AuditEntry, page, limit)


_Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$")]


@router.get(
    "/audit/verify",
    operation_id="verify_audit",
    summary="Read the log from its first entry and say whether it is whole",
    responses=answers(AuditProof, {"sound": True, "entries": 12, "head": "0" * 64, "faults": []}, 422),
)
async def verify_audit(
    request: Request,
    actor: Whoever,
    head: Annotated[list[_Sha256] | None, Query(description="published head hashes that must be in the log")] = None,
) -> Response:
    """A published `head` (minutes, decision letters, the daily log line) proves that no tail was cut and nothing rewritten."""
    check_query(request, {"head"})
    heads = [one.lower() for one in head or ()]
    return response(ok(await house(request).database.read_long(lambda tx: audit.verify(tx, heads))))
