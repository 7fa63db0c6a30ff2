"""The money of one proposal: what was decided, the agreement both sides sign, its tranches with their four-eyes steps."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.documents.papers import agreement as agreement_paper
from app.domain.payment import Step
from app.domain.people import Actor, Role
from app.domain.proposal import BudgetCategory
from app.encoding import canonical
from app.errors import AppError, NotFound
from app.services import agreements, payments, settlement
from app.services.paying import PAID_IN
from app.services.workspace import Head
from app.web.api import bodies
from app.web.api.papers import paper
from app.web.pages.budget_form import budget_lines, shown_lines
from app.web.pages.deeds import Form, amount, as_model, may, number, take, version
from app.web.pages.language import _
from app.web.pages.queue import TONES
from app.web.pages.rendering import language_for, page
from app.web.pages.rows import read_rows
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
STEPS = {
    Step.PREPARE: (_("Prepare"), Role.MFA_FINANCE),
    Step.RELEASE: (_("Release"), Role.MFA_FINANCE),
    Step.RECEIVE: (_("Confirm the receipt"), Role.IOM_FOCAL_POINT),
    Step.CANCEL: (_("Cancel the tranche"), Role.MFA_FINANCE),
}
PAYMENT_TONES = {
    "scheduled": "quiet",
    "prepared": "busy",
    "released": "ready",
    "received": "good",
    "cancelled": "quiet",
}


@router.get("/proposals/{ref}/money")
async def show_money(ref: str, request: Request) -> Response:
    return await _money(request, ref, await caller(request))


async def _money(
    request: Request, ref: str, actor: Actor, error: AppError | None = None, sent: Form | None = None
) -> Response:
    """The page, with what was refused and what the refused form held."""
    here = house(request)
    book, now = here.book, here.now()
    found = await here.database.read(lambda tx: settlement.money_of(tx, actor, ref, here.library, book, now))
    given, agreement = sent or {}, found.agreement
    signed_here = agreement and any(one["side"] == actor.side for one in agreement["signatures"])
    return page(
        request,
        "money.html",
        error.status if error else 200,
        **head(found.head),
        room="money",
        money=found,
        years=found.figures,
        sums={kind: sum(of[kind] for of in found.figures.values()) for kind in settlement.KINDS},
        error=error,
        sent=defaultdict(str, given),
        raw=canonical(agreement["text"]).decode() if agreement else "",
        sign=bool(agreement and agreement["state"] == "open" and may(actor, _SIGN) and not signed_here),
        signed_here=signed_here,
        adjust=bool(agreement and agreement["state"] == "open" and may(actor, _BUDGET)),
        lines=shown_lines(given, agreement["text"] if agreement else None),
        categories=get_args(BudgetCategory),
        tranches=[_tranche(one, actor) for one in found.tranches],
        schedule=may(actor, _TRANCHE) and found.head.row.state in PAID_IN,
        today=now.today,
    )


_SIGN, _BUDGET = "POST /proposals/{ref}/agreement/sign", "POST /proposals/{ref}/agreement/budget"
_TRANCHE = "POST /proposals/{ref}/tranches"


def head(found: Head) -> dict[str, Any]:
    """What the head of a proposal's pages shows."""
    return {"found": found, "row": found.row, "content": found.content, "tone": TONES[found.row.state]}


def _tranche(one: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """A tranche with its next steps: the label, who takes it, whether the reader may knock, and every reason against it."""
    steps = [
        {
            "step": step,
            "label": STEPS[step][0],
            "by": STEPS[step][1],
            "mine": may(actor, f"{_TRANCHE}/{{id}}/{step}"),
            "refusals": why,
        }
        for step, why in one["steps"].items()
    ]
    return {**one, "tone": PAYMENT_TONES[one["state"]], "steps": steps}


@router.get("/proposals/{ref}/agreement.pdf")
async def show_paper(ref: str, request: Request) -> Response:
    """The agreement as PDF, in the reader's language."""
    actor, library = await caller(request), house(request).library
    return await paper(
        request,
        lambda tx: agreements.described(tx, actor, ref, library),
        agreement_paper,
        f"agreement-{ref}",
        pdf=True,
        language=language_for(request),
    )


async def _take(request: Request, ref: str, said: str, part: str, work: Callable[[Tx, Actor, Form], Any]) -> Response:
    return await take(
        request,
        work,
        lambda actor, error, form: _money(request, ref, actor, error, form),
        f"/proposals/{ref}/money#{part}",
        said,
    )


@router.post("/proposals/{ref}/agreement/sign")
async def sign(ref: str, request: Request) -> Response:
    """Sign the text whose SHA-256 the reader's page carried."""
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        seen = as_model(bodies.SignatureIn, {"sha256": form.get("sha256", "")})
        agreements.sign(tx, actor, ref, seen.sha256, None, here.library, book, now)

    return await _take(request, ref, "signed", "agreement", work)


@router.post("/proposals/{ref}/agreement/budget")
async def adjust(ref: str, request: Request) -> Response:
    here = house(request)
    now = here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        lines = budget_lines(form)
        new = read_rows(bodies.BudgetIn, {"budget": [*lines.values()]}, {"budget": [*lines]})
        agreements.adjust(tx, actor, ref, new.model_dump(mode="json")["budget"], version(form), True, here.library, now)

    return await _take(request, ref, "adjusted", "budget", work)


@router.post("/proposals/{ref}/tranches")
async def schedule(ref: str, request: Request) -> Response:
    """Plan a tranche, unless the tranches have become others since the page was read: one click plans one."""
    here = house(request)
    now, framework = here.now(), here.book.framework

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        settlement.check_seen(tx, actor, ref, form.get("seen", ""))
        value = {"year": number(form.get("year", "")), "amount": amount(form.get("amount", ""))}
        more = {"due_on": form.get("due_on", ""), "condition": form.get("condition", "").strip() or None}
        new = as_model(bodies.PaymentIn, {**value, **more})
        payments.schedule(tx, actor, ref, new.year, new.amount, new.due_on, new.condition, framework, now)

    return await _take(request, ref, "tranche_planned", "tranches", work)


async def _step(
    request: Request, ref: str, payment: int, said: str, work: Callable[[Tx, Actor, Form], Any]
) -> Response:
    """A step of a tranche of this proposal."""

    def stepped(tx: Tx, actor: Actor, form: Form) -> None:
        if payment > 2**53 or payments.described(tx, actor, payment)["ref"] != ref:
            raise NotFound("payment_not_found", f"{ref} has no payment {payment}.")
        work(tx, actor, form)

    return await _take(request, ref, said, "tranches", stepped)


@router.post("/proposals/{ref}/tranches/{id}/prepare")
async def prepare(ref: str, id: int, request: Request) -> Response:
    now, framework = house(request).now(), house(request).book.framework
    return await _step(
        request,
        ref,
        id,
        "tranche_prepared",
        lambda tx, actor, form: payments.prepare(tx, actor, id, version(form), framework, now),
    )


@router.post("/proposals/{ref}/tranches/{id}/release")
async def release(ref: str, id: int, request: Request) -> Response:
    """Somebody else than who prepared it."""
    now, framework = house(request).now(), house(request).book.framework
    return await _step(
        request,
        ref,
        id,
        "tranche_released",
        lambda tx, actor, form: payments.release(tx, actor, id, version(form), framework, now),
    )


@router.post("/proposals/{ref}/tranches/{id}/receive")
async def receive(ref: str, id: int, request: Request) -> Response:
    now, framework = house(request).now(), house(request).book.framework

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        value = {"amount": amount(form.get("received", "")), "received_on": form.get("received_on", "")}
        new = as_model(bodies.ReceiptIn, {**value, "note": form.get("note", "").strip() or None})
        payments.receive(tx, actor, id, new.amount, new.received_on, new.note, version(form), framework, now)

    return await _step(request, ref, id, "tranche_received", work)


@router.post("/proposals/{ref}/tranches/{id}/cancel")
async def cancel(ref: str, id: int, request: Request) -> Response:
    now, framework = house(request).now(), house(request).book.framework

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        why = as_model(bodies.ReasonIn, {"reason": form.get("reason", "")}).reason
        payments.cancel(tx, actor, id, why, version(form), framework, now)

    return await _step(request, ref, id, "tranche_cancelled", work)
