"""The portfolio of a cycle: coverage and what-if."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from app.domain.people import Actor
from app.services import portfolio
from app.services.portfolio import Wanted
from app.web.answers import ok, response, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.requests import caller, house, read_body

router = APIRouter(prefix="/api/v1", tags=["portfolio"])
Year = Annotated[int, Path(ge=1, le=9999)]
Whoever = Annotated[Actor, Depends(caller)]


class Gap(shapes.Out):
    kind: str
    subject: str
    message: str


class CoverageTables(shapes.Out):
    """Each row has the references it counts and their money in whole DKK; `counting` says how."""

    proposals: list[dict[str, Any]]
    criteria: list[dict[str, Any]]
    countries: list[dict[str, Any]]
    regions: list[dict[str, Any]]
    srf_outcomes: list[dict[str, Any]]
    priority_areas: list[dict[str, Any]]
    gaps: list[Gap]
    counting: str


class CoverageOut(CoverageTables):
    cycle: int
    money: list[dict[str, Any]]


class BestOut(shapes.Out):
    """`gap` is how far from the best a set can be at most, as a share; 0 where it is proven to be the best."""

    objective: str
    meaning: str
    sets: list[dict[str, Any]]


class WhatIfOut(shapes.Out):
    note: str
    include: list[str]
    envelopes: list[dict[str, int]]
    fits: bool
    refusals: list[shapes.RefusalOut]
    coverage: CoverageTables
    best: BestOut | None


_TABLES: dict[str, Any] = {
    "proposals": [],
    "criteria": [],
    "countries": [],
    "regions": [],
    "srf_outcomes": [],
    "gaps": [],
}


@router.get(
    "/cycles/{year}/coverage",
    operation_id="read_coverage",
    summary="What a cycle's portfolio covers, and the gaps",
    responses=answers(CoverageOut, {"cycle": 2027, "money": [], **_TABLES}, 404, 422),
)
async def read_coverage(year: Year, request: Request, actor: Whoever) -> Response:
    """Criteria, countries, regions, SRF outcomes and priority areas by proposal, with the money of each."""
    here = house(request)
    return response(ok(await here.database.read_long(lambda tx: portfolio.covered(tx, year, here.book))))


@router.post(
    "/cycles/{year}/what-if",
    operation_id="what_if",
    summary="What a set of proposals would cover and cost; on request the sets that fit best",
    responses=answers(WhatIfOut, {"include": [], "fits": True, "best": None}, 400, 404, 409, 413, 415, 422),
)
async def what_if(year: Year, request: Request, actor: Whoever) -> Response:
    """What-if, not advice. Stores nothing but the answer to an Idempotency-Key. Sets are exact, among at most 60 proposals."""
    here = house(request)
    await here.database.read(lambda tx: portfolio.check_cycle(tx, year))
    new, raw = await read_body(request, bodies.WhatIfIn)
    amounts = {ref: {int(y): amount for y, amount in by.items()} for ref, by in new.amounts.items()}
    wanted = Wanted(tuple(new.include), amounts)
    if new.best:
        more = tuple(new.best.must_include), tuple(new.best.leave_out)
        wanted = Wanted(tuple(new.include), amounts, new.best.objective, new.best.sets, *more)
    setting = await here.database.read_long(lambda tx: portfolio.prepare(tx, year, wanted, here.book))
    answer = ok(await asyncio.to_thread(portfolio.reckon, setting, here.book))
    if request.headers.get("idempotency-key") is None:
        return response(answer)
    return await write(request, actor, raw, lambda tx: answer)
