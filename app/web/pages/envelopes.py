"""The envelopes: each year's appropriation with what of it is used, every change of it, and the form that sets one."""

from collections import defaultdict

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import AppError
from app.services import envelopes
from app.web.api import bodies
from app.web.pages.addresses import Id
from app.web.pages.deeds import Form, amount, as_model, may, take, version
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)


@router.get("/envelopes")
async def show_envelopes(request: Request) -> Response:
    return await _envelopes(request, await caller(request))


async def _envelopes(
    request: Request, actor: Actor, error: AppError | None = None, sent: Form | None = None
) -> Response:
    """The page, with what was refused and what the refused form held."""
    found = await house(request).database.read(envelopes.every)
    return page(
        request,
        "envelopes.html",
        error.status if error else 200,
        envelopes=list(reversed(found)),
        error=error,
        sent=defaultdict(str, sent or {}),
        sets=may(actor, "POST /envelopes/{year}"),
    )


@router.post("/envelopes/{year}")
async def set_envelope(year: Id, request: Request) -> Response:
    """Set a year's appropriation, from the version that the reader's page showed."""
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        value = {"amount": amount(form.get("amount", "")), "status": form.get("status", "")}
        new = as_model(bodies.EnvelopeIn, {**value, "reason": form.get("reason", "")})
        envelopes.set_envelope(tx, actor, year, new.amount, new.status, new.reason, version(form), True, now)

    return await take(
        request,
        work,
        lambda actor, error, form: _envelopes(request, actor, error, form),
        f"/envelopes#envelope-{year}",
        "envelope_set",
    )
