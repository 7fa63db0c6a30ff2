"""Agreements: the text both sides sign, IOM's adjusted budget, the signatures."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from app.db import Tx
from app.documents.papers import agreement as agreement_paper
from app.domain.people import Actor
from app.services import agreements, faces
from app.services.idempotency import Answer
from app.web.answers import versioned, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.api.papers import Language, paper
from app.web.api.proposals import Ref
from app.web.requests import caller, expected_versions, house, read_body, read_optional_body

router = APIRouter(prefix="/api/v1", tags=["agreements"])
Whoever = Annotated[Actor, Depends(caller)]


class SignatureOut(shapes.Out):
    side: Literal["iom", "mfa"]
    by: shapes.By
    at: datetime
    sha256: str


class AgreementOut(shapes.Out):
    """`sha256` is that of the canonical JSON of `text`: keys sorted, no spaces, UTF-8."""

    ref: str
    state: Literal["open", "signed"]
    text: dict[str, Any]
    sha256: str
    signatures: list[SignatureOut]
    signed_at: datetime | None
    version: int


_AGREEMENT: dict[str, Any] = {
    "ref": "DK-IOM-2027-003",
    "state": "open",
    "text": {"amounts": {"2027": 12000000}},
    "sha256": "0" * 64,
    "signatures": [],
    "signed_at": None,
    "version": 0,
}


def _shown(tx: Tx, request: Request, actor: Actor, ref: str, status: int = 200) -> Answer:
    return versioned(agreements.described(tx, actor, ref, house(request).library), status)


@router.get(
    "/proposals/{ref}/agreement",
    operation_id="read_agreement",
    summary="The agreement on an approved proposal, as JSON or PDF",
    responses=answers(AgreementOut, _AGREEMENT, 404, 422),
)
async def read_agreement(ref: Ref, request: Request, actor: Whoever, language: Language = None) -> Response:
    """Made from the approved snapshot, the amounts, conditions, tranches and the framework's clauses."""
    library = house(request).library
    return await paper(
        request, lambda tx: agreements.described(tx, actor, ref, library), agreement_paper, f"agreement-{ref}"
    )


@router.put(
    "/proposals/{ref}/agreement/budget",
    operation_id="adjust_budget",
    summary="Adjust the agreement's budget within the approved amounts",
    responses=answers(AgreementOut, _AGREEMENT, 400, 404, 409, 412, 413, 415, 422, 428),
)
async def adjust_budget(ref: Ref, request: Request, actor: Whoever) -> Response:
    """Until then it is the proposal's budget, each year's lines in proportion to what is approved. A change voids signatures."""
    here, expected, given = house(request), expected_versions(request), "if-match" in request.headers
    now = here.now()
    await here.database.read(lambda tx: agreements.described(tx, actor, ref, here.library))
    new, raw = await read_body(request, bodies.BudgetIn)
    lines = new.model_dump(mode="json")["budget"]

    def work(tx: Tx) -> Answer:
        agreements.adjust(tx, actor, ref, lines, expected, given, here.library, now)
        return _shown(tx, request, actor, ref)

    return await write(request, actor, raw, work)


@router.post(
    "/proposals/{ref}/agreement/signatures",
    operation_id="sign_agreement",
    summary="Sign the agreement for your side",
    status_code=201,
    responses=answers(AgreementOut, _AGREEMENT, 400, 404, 409, 412, 413, 415, 422, status=201),
)
async def sign_agreement(ref: Ref, request: Request, actor: Whoever) -> Response:
    """In either order; both sides sign the same text. A change of the text voids the signatures given."""
    here, expected = house(request), expected_versions(request)
    book, now = here.book, here.now()
    await here.database.read(lambda tx: faces.seen(tx, actor, ref))
    new, raw = await read_optional_body(request, bodies.SignatureIn)

    def work(tx: Tx) -> Answer:
        agreements.sign(tx, actor, ref, new.sha256, expected, here.library, book, now)
        return _shown(tx, request, actor, ref, 201)

    return await write(request, actor, raw, work)
