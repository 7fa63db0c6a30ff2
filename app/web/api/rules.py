"""What everybody may look up: frameworks, cycles, envelopes, rulebooks."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import NotFound
from app.services import cycles, rulebooks
from app.services.idempotency import Answer
from app.web.answers import conditional, etag, ok, response, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.requests import caller, expected_versions, house, read_body
from app.web.sheets import listed

router = APIRouter(prefix="/api/v1", tags=["rules"])
Year = Annotated[int, Path(ge=1, le=9999)]

_CYCLE = {
    "year": 2027,
    "framework": "dk-iom-2023-2026",
    "opens_on": "2026-10-01",
    "closes_on": "2026-12-31",
    "open": True,
    "added": True,
    "amount": 50000000,
    "status": "planned",
    "version": 1,
}
_RULEBOOK = {"id": "dk-iom-2023-2026", "version": "2023.1", "sha256": "0" * 64}


@router.get(
    "/frameworks/{id}",
    operation_id="read_framework",
    summary="A framework: calendar, envelopes, geography, codes",
    responses=answers(shapes.FrameworkOut, {"id": "dk-iom-2023-2026"}, 404),
)
async def read_framework(id: str, request: Request) -> Response:
    await caller(request)
    here = house(request)
    book, now = here.book, here.now()
    if id != book.framework.id:
        raise NotFound("framework_not_found", "There is no framework of that name.")
    listed = await here.database.read(lambda tx: cycles.overview(tx, now))
    said: dict[str, Any] = book.framework.model_dump(mode="json")
    return response(ok({**said, "cycles": listed, "indicators": book.annex.model_dump(mode="json")}))


@router.get(
    "/cycles",
    operation_id="list_cycles",
    summary="Every cycle with its submission window",
    responses=answers(shapes.CycleList, {"items": [_CYCLE]}),
)
async def list_cycles(request: Request) -> Response:
    await caller(request)
    here = house(request)
    now = here.now()
    return await listed(request, shapes.CycleOut, lambda tx: cycles.overview(tx, now))


@router.patch(
    "/cycles/{year}",
    operation_id="move_window",
    summary="Move the submission window of a cycle, with a reason",
    responses=answers(shapes.CycleOut, _CYCLE, 400, 404, 409, 412, 413, 415, 422),
)
async def move_window(year: Year, request: Request, actor: Annotated[Actor, Depends(caller)]) -> Response:
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: cycles.knock(tx, year, expected))
    patch, raw = await read_body(request, bodies.CyclePatch)

    days = here.book.framework.calendar.return_days_after_screening

    def work(tx: Any) -> Any:
        moved = cycles.move_window(tx, actor, year, patch.opens_on, patch.closes_on, patch.reason, expected, days, now)
        return ok(moved, headers=etag(moved["version"]))

    return await write(request, actor, raw, work)


@router.post(
    "/cycles",
    operation_id="add_cycle",
    summary="Add a later cycle with its own envelope",
    status_code=201,
    responses=answers(shapes.CycleOut, _CYCLE, 400, 409, 413, 415, 422, status=201),
)
async def add_cycle(request: Request) -> Response:
    """Money never moves between years; its envelope begins as planned."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    new, raw = await read_body(request, bodies.CycleIn)

    def work(tx: Tx) -> Answer:
        made = cycles.add_later(
            tx, actor, book.framework, new.year, new.amount, new.opens_on, new.closes_on, new.reason, now
        )
        return ok(made, 201, {**etag(made["version"]), "Location": "/api/v1/cycles"})

    return await write(request, actor, raw, work)


@router.get(
    "/rulebooks",
    operation_id="list_rulebooks",
    summary="Every published rulebook version, newest first",
    responses=answers(
        shapes.RulebookList, {"items": [{**_RULEBOOK, "current": True, "title": "Softly earmarked funds"}]}
    ),
)
async def list_rulebooks(request: Request) -> Response:
    await caller(request)
    library = house(request).library
    return await listed(request, shapes.RulebookHead, lambda tx: rulebooks.overview(library))


@router.get(
    "/rulebooks/{version}",
    operation_id="read_rulebook",
    summary="A rulebook: every criterion with its text, source, points and expressions",
    responses=answers(shapes.RulebookOut, {**_RULEBOOK, "checks": [], "criteria": [], "alignment": []}, 304, 404),
)
async def read_rulebook(version: str, request: Request) -> Response:
    await caller(request)
    book = house(request).library.book(version)
    return conditional(request, ok(rulebooks.described(book), headers={"ETag": f'"{book.sha256}"'}))
