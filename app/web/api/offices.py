"""Offices that people act for: everybody reads them, administrators add and change them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.services import offices
from app.services.idempotency import Answer
from app.web.answers import etag, ok, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.requests import caller, check_query, expected_versions, house, read_body
from app.web.sheets import paged


class OfficeOut(shapes.Out):
    code: str
    name: str
    kind: Literal["iom", "embassy", "mission"]
    countries: list[str]
    members: int
    version: int


class OfficePage(shapes.Out):
    items: list[OfficeOut]
    next_cursor: str | None


router = APIRouter(prefix="/api/v1", tags=["people"])
Code = Annotated[str, Path(min_length=1, max_length=40)]
_OFFICE: dict[str, object] = {"code": "EMB-TUNIS", "name": "Embassy in Tunis", "kind": "embassy", "countries": ["TN"]}
_OFFICE |= {"members": 1, "version": 1}


@router.get(
    "/offices",
    operation_id="list_offices",
    summary="IOM's offices, embassies with the countries they are accredited to, missions",
    responses=answers(OfficePage, {"items": [_OFFICE], "next_cursor": None}, 422),
)
async def list_offices(
    request: Request,
    actor: Annotated[Actor, Depends(caller)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    check_query(request, {"limit", "cursor"})
    return await paged(request, OfficeOut, lambda tx, most: offices.listed(tx, most, cursor), limit)


@router.post(
    "/offices",
    operation_id="add_office",
    summary="Add an office",
    status_code=201,
    responses=answers(OfficeOut, _OFFICE, 400, 409, 413, 415, 422, status=201),
)
async def add_office(request: Request) -> Response:
    """Its code and kind stay as they are. An embassy needs `countries`, a mission has none."""
    actor = await caller(request)
    now = house(request).now()
    new, raw = await read_body(request, bodies.OfficeIn)

    def work(tx: Tx) -> Answer:
        made = offices.add(tx, actor, new.code, new.name, new.kind, new.countries, now)
        return ok(made, 201, {"Location": f"/api/v1/offices/{made['code']}", **etag(made["version"])})

    return await write(request, actor, raw, work)


@router.patch(
    "/offices/{code}",
    operation_id="change_office",
    summary="Change an office's name, or the countries an embassy is accredited to",
    responses=answers(OfficeOut, _OFFICE, 400, 404, 409, 412, 413, 415, 422),
)
async def change_office(code: Code, request: Request, actor: Annotated[Actor, Depends(caller)]) -> Response:
    """What an embassy sees follows its countries at once."""
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: offices.knock(tx, code, expected))
    new, raw = await read_body(request, bodies.OfficePatch)

    def work(tx: Tx) -> Answer:
        made = offices.change(tx, actor, code, new.name, new.countries, expected, now)
        return ok(made, headers=etag(made["version"]))

    return await write(request, actor, raw, work)
