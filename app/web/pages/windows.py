"""The cycles: their submission windows, moved with a reason, their envelopes beside them, and the next cycle added."""

from collections import defaultdict
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import AppError, NotFound
from app.services import cycles, envelopes
from app.web.access import DOORS
from app.web.api import bodies
from app.web.pages.addresses import whole
from app.web.pages.deeds import Form, amount, as_model, filled, number, take, version
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)


@router.get("/cycles")
async def show_cycles(request: Request) -> Response:
    return await _cycles(request, await caller(request))


async def _cycles(
    request: Request, actor: Actor, error: AppError | None = None, sent: Form | None = None, made: Any = None
) -> Response:
    here = house(request)
    now, reasons = here.now(), actor.role in DOORS["GET /api/v1/cycles/{year}/review"].roles

    def read(tx: Tx) -> tuple[list[dict[str, Any]], dict[int, dict[str, Any]], list[dict[str, Any]]]:
        money = {one["year"]: one for one in envelopes.overview(tx)}
        return cycles.overview(tx, now), money, cycles.moved(tx) if reasons or _moves(actor) else []

    rows, money, moved = await here.database.read(read)
    return page(
        request,
        "cycles.html",
        error.status if error else 200,
        error=error,
        sent=defaultdict(str, sent or {}),
        rows=list(reversed(rows)),
        money=money,
        moved=moved,
        moves=_moves(actor),
        next_year=max(row["year"] for row in rows) + 1,
    )


def _moves(actor: Actor) -> bool:
    return actor.role in DOORS["PATCH /api/v1/cycles/{year}"].roles


def _year(request: Request) -> int:
    found = whole(request.path_params["year"])
    if found is None or found > 9999:
        raise NotFound("cycle_not_found", "There is no such cycle.")
    return found


@router.post("/cycles")
async def add_cycle(request: Request) -> Response:
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        said = filled(form, "year", "amount", "opens_on", "closes_on", "reason")
        value = said | {"year": number(said.get("year", "")), "amount": amount(said.get("amount", ""))}
        new = as_model(bodies.CycleIn, value)
        days = (new.opens_on, new.closes_on)
        cycles.add_later(tx, actor, book.framework, new.year, new.amount, *days, new.reason, now)

    return await take(request, work, partial(_cycles, request), "/cycles", "cycle_added")


@router.post("/cycles/{year}")
async def move_window(year: str, request: Request) -> Response:
    """The form carries the version of the cycle that was seen."""
    here = house(request)
    days, now = here.book.framework.calendar.return_days_after_screening, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        new = as_model(bodies.CyclePatch, filled(form, "opens_on", "closes_on", "reason"))
        which, seen = _year(request), version(form)
        cycles.move_window(tx, actor, which, new.opens_on, new.closes_on, new.reason, seen, days, now)

    return await take(request, work, partial(_cycles, request), "/cycles", "window_moved")
