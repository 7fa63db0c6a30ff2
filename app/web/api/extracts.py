"""Public extracts: one page on an agreed proposal, once both sides have released its text."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response

from app.db import Tx
from app.documents.accounts import extract as extract_paper
from app.domain.people import Actor
from app.services import extracts, faces
from app.services.idempotency import Answer
from app.web.answers import ok, response, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers, problems
from app.web.api.papers import Language, paper
from app.web.api.proposals import Ref
from app.web.requests import caller, house, read_body, read_optional_body
from app.web.sheets import listed

router = APIRouter(prefix="/api/v1", tags=["extracts"])
Whoever = Annotated[Actor, Depends(caller)]
AnyRef = Annotated[str, Path(max_length=40)]


class ResultOut(shapes.Out):
    code: str
    unit: str
    baseline: float
    target: float
    values: dict[str, float]


class ExtractOut(shapes.Out):
    """Title, aim, route, amounts, results so far: everything that is told in public."""

    ref: str
    title: str
    aim: str
    route: str
    countries: list[str]
    period: dict[str, str]
    amounts: dict[str, int]
    state: Literal["under_way", "finished"]
    results: list[ResultOut]
    released_on: date | None


class ReleaseOut(shapes.Out):
    side: Literal["iom", "mfa"]
    at: datetime
    by: shapes.By


class PreviewOut(shapes.Out):
    extract: ExtractOut
    sha256: str
    released: list[ReleaseOut]
    public: bool


class ExtractList(shapes.Out):
    items: list[ExtractOut]
    next_cursor: None


_EXTRACT: dict[str, Any] = {
    "ref": "DK-IOM-2027-003",
    "title": "Joint border posts",
    "aim": "Posts that work in pairs.",
    "route": "Central Sahel",
    "countries": ["NE", "ML"],
    "period": {"start": "2027-04-01", "end": "2029-03-31"},
    "amounts": {"2027": 12000000},
    "state": "under_way",
    "results": [],
    "released_on": None,
}
_PREVIEW = {"extract": _EXTRACT, "sha256": "0" * 64, "released": [], "public": False}


@router.get(
    "/proposals/{ref}/extract",
    operation_id="preview_extract",
    summary="The extract as it would be public, and who has released it",
    responses=answers(PreviewOut, _PREVIEW, 404),
)
async def preview_extract(ref: Ref, request: Request) -> Response:
    actor, library = await caller(request), house(request).library
    return response(ok(await house(request).database.read(lambda tx: extracts.described(tx, actor, ref, library))))


@router.post(
    "/proposals/{ref}/extract/releases",
    operation_id="release_extract",
    summary="Release the extract's text for your side",
    status_code=201,
    responses=answers(PreviewOut, _PREVIEW, 400, 404, 409, 413, 415, 422, status=201),
)
async def release_extract(ref: Ref, request: Request, actor: Whoever) -> Response:
    """It is public once both sides have released the same text; an amendment's new text needs both again."""
    here = house(request)
    library, now = here.library, here.now()
    await here.database.read(lambda tx: extracts.described(tx, actor, ref, library))
    sent, raw = await read_optional_body(request, bodies.SignatureIn)

    def work(tx: Tx) -> Answer:
        extracts.release(tx, actor, ref, sent.sha256, library, now)
        return ok(extracts.described(tx, actor, ref, library), 201)

    return await write(request, actor, raw, work)


@router.post(
    "/proposals/{ref}/extract/withdraw",
    operation_id="withdraw_extract",
    summary="Take your side's release back",
    responses=answers(PreviewOut, _PREVIEW, 400, 404, 409, 413, 415, 422),
)
async def withdraw_extract(ref: Ref, request: Request, actor: Whoever) -> Response:
    now, library = house(request).now(), house(request).library
    await house(request).database.read(lambda tx: faces.seen(tx, actor, ref))
    sent, raw = await read_body(request, bodies.ReasonIn)

    def work(tx: Tx) -> Answer:
        extracts.withdraw(tx, actor, ref, sent.reason, now)
        return ok(extracts.described(tx, actor, ref, library))

    return await write(request, actor, raw, work)


@router.get(
    "/extracts",
    operation_id="list_extracts",
    summary="Every public extract",
    responses={200: answers(ExtractList, {"items": [_EXTRACT], "next_cursor": None})[200]},
)
async def list_extracts(request: Request) -> Response:
    here = house(request)
    return await listed(request, ExtractOut, lambda tx: extracts.published(tx, here.library), long=True)


@router.get(
    "/extracts/{ref}",
    operation_id="read_extract",
    summary="One public extract, as JSON or PDF",
    responses={code: said for code, said in answers(ExtractOut, _EXTRACT, 404, 422).items() if code not in (401, 403)},
)
async def read_extract(ref: AnyRef, request: Request, language: Language = None) -> Response:
    library = house(request).library
    return await paper(request, lambda tx: extracts.public(tx, ref, library), extract_paper, "extract")


@router.get(
    "/extracts/{ref}/pdf",
    operation_id="read_extract_pdf",
    summary="One public extract as PDF, to link to",
    response_class=Response,
    responses={
        200: {"description": "Done", "content": {"application/pdf": {"schema": {"type": "string"}}}},
        **{code: said for code, said in problems(404, 422).items() if code not in (401, 403)},
    },
)
async def read_extract_pdf(ref: AnyRef, request: Request, language: Language = None) -> Response:
    library = house(request).library
    return await paper(request, lambda tx: extracts.public(tx, ref, library), extract_paper, "extract", pdf=True)
