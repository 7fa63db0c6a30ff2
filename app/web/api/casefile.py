"""A proposal's case file for download, made anew for each reader from what they may see."""

import asyncio
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from app.documents.casefile.packing import pack
from app.domain.people import Actor
from app.services import casefile
from app.web.answers import is_known
from app.web.api.docs import problems
from app.web.api.proposals import Ref
from app.web.requests import caller, check_query, house, language_of

router = APIRouter(prefix="/api/v1", tags=["papers"])
Whoever = Annotated[Actor, Depends(caller)]


@router.get(
    "/proposals/{ref}/casefile",
    operation_id="read_casefile",
    summary="The case file (sagsakter) with its list of acts (aktliste), as a ZIP file",
    response_class=Response,
    responses={
        **problems(304, 404, 409, 422),
        200: {"description": "The case file", "content": {"application/zip": {"schema": {"type": "string"}}}},
    },
)
async def read_casefile(
    ref: Ref,
    request: Request,
    actor: Whoever,
    variant: Annotated[Literal["full", "public"], Query(description="public leaves out what is internal")] = "full",
    language: Annotated[Literal["en", "da"] | None, Query(description="of the papers; else Accept-Language")] = None,
) -> Response:
    """Every act in order, `index.json` and `SHA256SUMS`; `python -m app casefile verify` checks it without the service."""
    check_query(request, {"variant", "language"})
    here, said_in = house(request), language_of(request)
    library = here.library
    case = await here.database.read_long(lambda tx: casefile.gathered(tx, actor, ref, variant, library, said_in))
    told = await asyncio.to_thread(casefile.as_told, case)
    tag = {"ETag": f'"{await asyncio.to_thread(casefile.fingerprint, told)}"', "Vary": "Accept-Language"}
    if is_known(request, tag["ETag"]):
        return Response(status_code=304, headers=tag)
    stored = {sha256: await here.files.get(sha256) for sha256 in told.stored}
    made = await asyncio.to_thread(partial(pack, told, stored))
    named = {"Content-Disposition": f'attachment; filename="casefile-{ref}.{variant}.{said_in}.zip"'}
    return Response(made, 200, {**named, **tag}, "application/zip")
