"""A cycle and the yearly review as workbooks, for people who reckon on."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.db import Tx
from app.documents.cycle_sheets import cycle_workbook
from app.documents.review_sheets import review_workbook
from app.documents.xlsx import MEDIA_TYPE
from app.domain.people import Actor
from app.services import workbooks, yearly
from app.web.api.docs import problems
from app.web.requests import caller, check_query, house, language_of

router = APIRouter(prefix="/api/v1", tags=["portfolio"])
Year = Annotated[int, Path(ge=1, le=9999)]
Whoever = Annotated[Actor, Depends(caller)]
Language = Annotated[Literal["en", "da"] | None, Query(description="of the workbook; else Accept-Language says")]


_XLSX: dict[int | str, dict[str, Any]] = {
    200: {"description": "Done", "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
    **problems(404, 422),
}


async def _saved(
    request: Request, read: Callable[[Tx], dict[str, Any]], write: Callable[[dict[str, Any], str], bytes], name: str
) -> Response:
    """What is read as a workbook to be saved, in the reader's language."""
    check_query(request, {"language"})
    chosen = language_of(request)
    made = await asyncio.to_thread(write, await house(request).database.read_long(read), chosen)
    named = {"Content-Disposition": f'attachment; filename="{name}.{chosen}.xlsx"', "Vary": "Accept-Language"}
    return Response(made, 200, named, MEDIA_TYPE)


@router.get(
    "/cycles/{year}/workbook",
    operation_id="read_workbook",
    summary="A cycle as XLSX: proposals, criteria, budgets, coverage, money",
    response_class=Response,
    responses=_XLSX,
)
async def read_workbook(year: Year, request: Request, actor: Whoever, language: Language = None) -> Response:
    """The same state gives the same bytes."""
    book = house(request).book
    return await _saved(request, lambda tx: workbooks.of_cycle(tx, year, book), cycle_workbook, f"cycle-{year}")


@router.get(
    "/cycles/{year}/review/workbook",
    operation_id="read_review_workbook",
    summary="The yearly portfolio review as XLSX",
    response_class=Response,
    responses=_XLSX,
)
async def read_review_workbook(year: Year, request: Request, actor: Whoever, language: Language = None) -> Response:
    book, now = house(request).book, house(request).now()
    return await _saved(request, lambda tx: yearly.review(tx, year, book, now), review_workbook, f"review-{year}")
