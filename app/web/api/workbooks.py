"""A cycle as a workbook, for people who reckon on."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.documents.cycle_sheets import cycle_workbook
from app.documents.spreadsheet import MEDIA_TYPE
from app.domain.people import Actor
from app.services import workbooks
from app.web.api.docs import problems
from app.web.requests import caller, check_query, house, language_of

router = APIRouter(prefix="/api/v1", tags=["portfolio"])
Year = Annotated[int, Path(ge=1, le=9999)]
Whoever = Annotated[Actor, Depends(caller)]
Language = Annotated[Literal["en", "da"] | None, Query(description="of the workbook; else Accept-Language says")]


@router.get(
    "/cycles/{year}/workbook",
    operation_id="read_workbook",
    summary="A cycle as XLSX: proposals, criteria, budgets, coverage, money",
    response_class=Response,
    responses={
        200: {"description": "Done", "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
        **problems(404, 422),
    },
)
async def read_workbook(year: Year, request: Request, actor: Whoever, language: Language = None) -> Response:
    """The same state gives the same bytes."""
    check_query(request, {"language"})
    here, chosen = house(request), language_of(request)
    said = await here.database.read_long(lambda tx: workbooks.of_cycle(tx, year, here.book))
    made = await asyncio.to_thread(cycle_workbook, said, chosen)
    named = {"Content-Disposition": f'attachment; filename="cycle-{year}.{chosen}.xlsx"', "Vary": "Accept-Language"}
    return Response(made, 200, named, MEDIA_TYPE)
