"""The cycles: their submission windows and envelopes, moved or set with a reason, and the next one added."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import AppError, NotFound
from app.services import cycles, envelopes
from app.web.access import DOORS
from app.web.api import bodies
from app.web.pages.rendering import page, redirect
from app.web.pages.small_forms import Form, as_model, filled, number, take, whole
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)


@router.get("/cycles")
async def show_cycles(request: Request) -> Response:
    return await _cycles(request, await caller(request), None, {}, None)


async def _cycles(request: Request, actor: Actor, error: AppError | None, form: Form, made: Any) -> Response:
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
        sent=form,
        rows=list(reversed(rows)),
        money=money,
        moved=moved,
        moves=_moves(actor),
        sets=actor.role in DOORS["PUT /api/v1/envelopes/{year}"].roles,
        next_year=max(row["year"] for row in rows) + 1,
    )


def _moves(actor: Actor) -> bool:
    return actor.role in DOORS["PATCH /api/v1/cycles/{year}"].roles


def _year(request: Request) -> int:
    found = number(request.path_params["year"])
    if found is None or found > 9999:
        raise NotFound("cycle_not_found", "There is no such cycle.")
    return found


def _seen(form: Form) -> frozenset[int]:
    return frozenset({number(form.get("version")) or 0})


@router.post("/cycles")
async def add_cycle(request: Request) -> Response:
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        said = filled(form, "year", "amount", "opens_on", "closes_on", "reason")
        new = as_model(bodies.CycleIn, said | {name: whole(said[name]) for name in ("year", "amount") if name in said})
        days = (new.opens_on, new.closes_on)
        cycles.add_later(tx, actor, book.framework, new.year, new.amount, *days, new.reason, now)

    return await take(request, work, _cycles, lambda _made: redirect("/cycles?said=cycle_added"))


@router.post("/cycles/{year}")
async def move_window(year: str, request: Request) -> Response:
    """The form carries the version of the cycle that was seen."""
    here = house(request)
    days, now = here.book.framework.calendar.return_days_after_screening, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        new = as_model(bodies.CyclePatch, filled(form, "opens_on", "closes_on", "reason"))
        which, seen = _year(request), _seen(form)
        cycles.move_window(tx, actor, which, new.opens_on, new.closes_on, new.reason, seen, days, now)

    return await take(request, work, _cycles, lambda _made: redirect("/cycles?said=window_moved"))


@router.post("/cycles/{year}/envelope")
async def set_envelope(year: str, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        said = filled(form, "amount", "status", "reason")
        new = as_model(bodies.EnvelopeIn, said | ({"amount": whole(said["amount"])} if "amount" in said else {}))
        which, seen = _year(request), _seen(form)
        envelopes.set_envelope(tx, actor, which, new.amount, new.status, new.reason, seen, True, now)

    return await take(request, work, _cycles, lambda _made: redirect("/cycles?said=envelope_set"))
