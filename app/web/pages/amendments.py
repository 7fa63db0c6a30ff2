"""Amendments of one proposal's agreement: what each changes, who has signed; proposed, signed, withdrawn here."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.domain.proposal import BudgetCategory
from app.domain.workflow import State
from app.encoding import canonical
from app.errors import AppError, Fault, Invalid
from app.services import amended, amendments
from app.web.api import bodies
from app.web.pages.addresses import Id
from app.web.pages.budget_form import budget_lines, shown_lines
from app.web.pages.deeds import Form, amount, as_model, may, take
from app.web.pages.money import head
from app.web.pages.rendering import page
from app.web.pages.rows import read_rows
from app.web.requests import caller, house, parse

router = APIRouter(include_in_schema=False)
_HERE = "POST /proposals/{ref}/amendments"
STATES = {"open": "wait", "signed": "good", "withdrawn": "quiet"}


@router.get("/proposals/{ref}/amendments")
async def show_amendments(ref: str, request: Request) -> Response:
    return await _amendments(request, ref, await caller(request))


async def _amendments(
    request: Request, ref: str, actor: Actor, error: AppError | None = None, sent: Form | None = None
) -> Response:
    """The page, with what was refused and what the refused form held."""
    found = await house(request).database.read(lambda tx: amended.amended_of(tx, actor, ref))
    given, text = sent or {}, found.agreement["text"] if found.agreement else None
    waits = any(one["state"] == "open" for one in found.amendments)
    live = found.head.row.state == State.AGREED
    return page(
        request,
        "amendments.html",
        error.status if error else 200,
        **head(found.head),
        room="amendments",
        amended=found,
        text=text,
        amendments=[{**one, "terms": _terms(text, one["text"])} for one in found.amendments],
        tones=STATES,
        error=error,
        sent=defaultdict(str, given),
        propose=live and text is not None and not waits and may(actor, _HERE),
        signs=live and may(actor, f"{_HERE}/{{number}}/sign"),
        withdraws=live and may(actor, f"{_HERE}/{{number}}/withdraw"),
        lines=shown_lines(given, text),
        categories=get_args(BudgetCategory),
        written=given.get("content") or given.get("file") or "",
    )


def _terms(now: Mapping[str, Any] | None, then: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """What an amendment makes of the terms in force: period and amounts, before and after."""
    before = now or {}
    named = [("period", before.get("period"), then.get("period"))]
    years = sorted({*before.get("amounts", {}), *then["amounts"]})
    named += [(year, before.get("amounts", {}).get(year, 0), then["amounts"].get(year, 0)) for year in years]
    return [one for one in named if one[1] != one[2]]


async def _take(request: Request, ref: str, said: str, work: Any) -> Response:
    return await take(
        request,
        work,
        lambda actor, error, form: _amendments(request, ref, actor, error, form),
        f"/proposals/{ref}/amendments",
        said,
    )


@router.post("/proposals/{ref}/amendments")
async def propose(ref: str, request: Request) -> Response:
    """Only what differs from the agreement the form was made from is proposed; refused when another one is in force."""
    book, now = house(request).book, house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        amended.check_text(tx, actor, ref, form.get("seen", ""))
        found = amended.amended_of(tx, actor, ref).agreement
        text = found["text"] if found else {"amounts": {}, "budget": []}
        new = read_rows(bodies.AmendmentIn, _sent(form, text), {"budget": [*budget_lines(form)]})
        budget = new.model_dump(mode="json")["budget"]
        amounts = {int(year): one for year, one in new.amounts.items()} if new.amounts is not None else None
        amendments.propose(tx, actor, ref, new.reason, new.content, budget, amounts, book, now)

    return await _take(request, ref, "amendment_proposed", work)


def _sent(form: Form, text: Mapping[str, Any]) -> dict[str, Any]:
    """The amendment as the API takes it."""
    amounts = {name[5:]: amount(said) for name, said in form.items() if name.startswith("year-") and said.strip()}
    amounts = {year: one for year, one in amounts.items() if one}
    budget = [*budget_lines(form).values()]
    sent: dict[str, Any] = {"reason": form.get("reason", "")}
    if amounts != text["amounts"]:
        sent["amounts"] = amounts
    if canonical(budget) != canonical(text["budget"]):
        sent["budget"] = budget
    written = (form.get("file") or form.get("content") or "").strip()
    return {**sent, "content": _content(written)} if written else sent


def _content(written: str) -> Any:
    """The content in a file or written in the form: JSON, alone or as `content` of a larger object."""
    try:
        value = parse(written.encode("utf-8", "surrogatepass"))
    except AppError as error:
        raise Invalid(
            "malformed_json", error.detail, faults=[Fault("/content", "malformed_json", error.detail)]
        ) from None
    inside = value.get("content") if isinstance(value, dict) else None
    return inside if isinstance(inside, dict) else value


@router.post("/proposals/{ref}/amendments/{number}/sign")
async def sign(ref: str, number: Id, request: Request) -> Response:
    """Sign the amendment whose SHA-256 the reader's page carried."""
    book, now = house(request).book, house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        seen = as_model(bodies.SignatureIn, {"sha256": form.get("sha256", "")})
        amendments.sign(tx, actor, ref, number, seen.sha256, book, now)

    return await _take(request, ref, "signed", work)


@router.post("/proposals/{ref}/amendments/{number}/withdraw")
async def withdraw(ref: str, number: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        amendments.withdraw(tx, actor, ref, number, now)

    return await _take(request, ref, "amendment_withdrawn", work)
