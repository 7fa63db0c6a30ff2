"""The public extract of one proposal: what the world would read, and which side has released it."""

from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import AppError, NotFound
from app.services import extracts, workspace
from app.services.rulebooks import Library
from app.services.workspace import Head
from app.web.api import bodies
from app.web.pages.deeds import Form, as_model, may, take
from app.web.pages.money import head
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
_HERE = "POST /proposals/{ref}/extract"


@router.get("/proposals/{ref}/extract")
async def show_extract(ref: str, request: Request) -> Response:
    return await _extract(request, ref, await caller(request))


async def _extract(
    request: Request, ref: str, actor: Actor, error: AppError | None = None, sent: Form | None = None
) -> Response:
    """The page, with what was refused and what the refused form held."""
    library = house(request).library
    found, told = await house(request).database.read(lambda tx: _read(tx, actor, ref, library))
    released = {one["side"] for one in told["released"]} if told else set()
    return page(
        request,
        "extract.html",
        error.status if error else 200,
        **head(found),
        room="extract",
        told=told,
        released=actor.side in released,
        error=error,
        sent=defaultdict(str, sent or {}),
        releases=may(actor, f"{_HERE}/release"),
    )


def _read(tx: Tx, actor: Actor, ref: str, library: Library) -> tuple[Head, dict[str, Any] | None]:
    """The proposal, and its extract where there is one."""
    found = workspace.head(tx, actor, ref)
    try:
        return found, extracts.described(tx, actor, ref, library)
    except NotFound:
        return found, None


async def _take(request: Request, ref: str, said: str, work: Any) -> Response:
    return await take(
        request,
        work,
        lambda actor, error, form: _extract(request, ref, actor, error, form),
        f"/proposals/{ref}/extract",
        said,
    )


@router.post("/proposals/{ref}/extract/release")
async def release(ref: str, request: Request) -> Response:
    """Release the text whose SHA-256 the reader's page carried."""
    library, now = house(request).library, house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        seen = as_model(bodies.SignatureIn, {"sha256": form.get("sha256", "")})
        extracts.release(tx, actor, ref, seen.sha256, library, now)

    return await _take(request, ref, "extract_released", work)


@router.post("/proposals/{ref}/extract/withdraw")
async def withdraw(ref: str, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        extracts.withdraw(tx, actor, ref, as_model(bodies.ReasonIn, {"reason": form.get("reason", "")}).reason, now)

    return await _take(request, ref, "extract_withdrawn", work)
