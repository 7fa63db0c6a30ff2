"""A consultation's board: the agenda in order, one decision after the other, the money, and what would refuse."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.documents.words import number as grouped
from app.domain.people import Actor
from app.errors import AppError
from app.services import consultations, decisions, sitting
from app.services.consultations import INSIDE, Plan
from app.services.decisions import Sent
from app.web.api import bodies
from app.web.pages.addresses import Id
from app.web.pages.consultations import STAGES, lines, when_and_where
from app.web.pages.deeds import Form, amount, as_model, may, number, take, version
from app.web.pages.forms import read_form
from app.web.pages.rendering import language_for, page
from app.web.pages.workspace import VERDICTS
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
TONES = {"approve": "good", "reject": "bad", "defer": "wait"}


@router.get("/consultations/{id}")
async def show_board(id: Id, request: Request) -> Response:
    return await _board(request, await caller(request), id)


async def _board(
    request: Request, actor: Actor, id: int, error: AppError | None = None, sent: Mapping[str, str] | None = None
) -> Response:
    """The board, with what was refused and what the refused form held."""
    here = house(request)
    book, now = here.book, here.now()
    found = await here.database.read_long(lambda tx: sitting.of(tx, actor, id, book, now))
    one = {"undecided": [], "refusals": [], **found.said, "agenda": [_whole(each) for each in found.said["agenda"]]}
    agenda: list[dict[str, Any]] = one["agenda"]
    wanted = (sent or {}).get("item") or request.query_params.get("item")
    item = _chosen(one, wanted)
    refused, inside = (sent or {}).get("form", ""), actor.role in INSIDE
    live = one["state"] in ("planned", "open")
    return page(
        request,
        "board.html",
        error.status if error else 200,
        one=one,
        agenda=agenda,
        item=item,
        following=_following(agenda, item),
        found=found,
        stage=STAGES[one["state"]],
        tones=TONES,
        verdicts=VERDICTS,
        money=_money(one) if one.get("totals") else None,
        inside=inside,
        prepares=live and may(actor, "POST /consultations/{id}/agenda"),
        heads=may(actor, "POST /consultations/{id}/cancel"),
        form=_form(one, item, sent if refused == "decision" else None, language_for(request)) if inside else None,
        participants="\n".join(map(named, one["participants"])),
        error=error,
        refused=refused,
        sent=defaultdict(str, sent or {}),
    )


def _whole(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item with every member, empty where this reader is not told."""
    nothing: dict[str, Any] = {
        "total": None,
        "assessed": None,
        "recommendation": None,
        "requested": None,
        "refusals": [],
    }
    decision = {"recorded_at": None, **item["decision"]} if item["decision"] else None
    return {**nothing, **item, "decision": decision}


def _chosen(one: Mapping[str, Any], ref: str | None) -> dict[str, Any] | None:
    """The item the address names; else the first that the reader knows to be undecided, while it is open; else the first."""
    agenda: list[dict[str, Any]] = one["agenda"]
    named_one = next((item for item in agenda if item["ref"] == ref), None)
    if named_one or one["state"] != "open" or "totals" not in one:
        return named_one or (agenda[0] if agenda else None)
    return next((item for item in agenda if item["ref"] in one["undecided"]), None)


def _following(agenda: list[dict[str, Any]], item: dict[str, Any] | None) -> str:
    """The next undecided item after this one, round the end of the agenda; empty when there is none."""
    if item is None:
        return ""
    at = agenda.index(item)
    return next((str(one["ref"]) for one in [*agenda[at + 1 :], *agenda[:at]] if one["decision"] is None), "")


def named(person: Any) -> str:
    """A participant in one line: the name, and where they are said title and organisation."""
    if isinstance(person, str):
        return person
    return ", ".join(said for said in (person["name"], person.get("title"), person.get("organisation")) if said)


def _money(one: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of the cycle's own year with their bar in percent of the widest, and those of the other years."""
    totals = [{**year, "approved": year["approved_before"] + year["decided"]} for year in one["totals"]]
    own = next((year for year in totals if year["year"] == one["cycle"]), totals[0])
    widest = max(own["amount"], own["approved"] + own["undecided_requests"], 1)
    at, parts = 0.0, []
    for name, dkk in (("approved", own["approved"]), ("recommended", own["undecided_requests"])):
        parts.append((name, round(at, 2), round(100 * dkk / widest, 2), dkk))
        at += 100 * dkk / widest
    bars = {"parts": parts, "mark": round(100 * own["amount"] / widest, 2)}
    return {"own": own, "bars": bars, "years": totals if len(totals) > 1 else []}


def _form(
    one: Mapping[str, Any], item: Mapping[str, Any] | None, sent: Mapping[str, str] | None, language: str
) -> dict[str, Any]:
    """What the decision form holds: what was sent, else what is recorded, else what is requested and recommended."""
    if item is None:
        return {}
    recorded = item["decision"] or {}
    asked = recorded.get("amounts") or item["requested"]
    usual = {
        "decision": recorded.get("decision") or (item["recommendation"] or {}).get("verdict", ""),
        "conditions": "\n".join(recorded.get("conditions", ())),
        "reason": recorded.get("reason", ""),
        "to_cycle": str(recorded.get("to_cycle") or one["cycle"] + 1),
    }
    amounts = {year: grouped(asked.get(year, 0), language) for year in item["requested"]}
    if sent is None:
        return {**usual, "amounts": amounts}
    return {
        **{name: sent.get(name, "") for name in usual},
        "amounts": {year: sent.get(f"amounts/{year}", was) for year, was in amounts.items()},
    }


@router.post("/consultations/{id}/decisions/{ref}")
async def decide(id: Id, ref: str, request: Request) -> Response:
    """Record a decision and go to the next item, or take the recorded one back."""
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        if form.get("deed") == "remove":
            decisions.remove(tx, actor, id, ref, version(form), book, now)
            return
        new = as_model(bodies.DecisionIn, _decision(form))
        amounts = {int(year): dkk for year, dkk in new.amounts.items()}
        made = Sent(new.decision, amounts, new.conditions, new.reason, new.to_cycle)
        decisions.record(tx, actor, id, ref, made, version(form), True, book, now)

    form = await read_form(request)
    removed = form.get("deed") == "remove"
    following = ref if removed else form.get("following", "")
    known = following if following.isascii() and following.replace("-", "").isalnum() else ""
    place = f"/consultations/{id}" + (f"?item={known}" if known else "") + "#item"
    return await take(request, work, _again(request, id), place, "taken_back" if removed else "recorded")


def _again(request: Request, id: int) -> Callable[[Actor, AppError, Form], Awaitable[Response]]:
    return lambda actor, error, form: _board(request, actor, id, error, form)


def _decision(form: Form) -> dict[str, Any]:
    """A form's decision as the API takes it: what belongs to another choice than the one made is left out."""
    chosen = form.get("decision", "")
    said: dict[str, Any] = {"decision": chosen, "reason": form.get("reason", "").strip()}
    if chosen == "approve":
        fields = {name.partition("/")[2]: dkk for name, dkk in form.items() if name.startswith("amounts/")}
        said["amounts"] = {year: amount(dkk) for year, dkk in fields.items() if dkk.strip()}
        said["conditions"] = lines(form.get("conditions", ""))
    if chosen == "defer":
        said["to_cycle"] = number(form.get("to_cycle", ""))
    return said


@router.post("/consultations/{id}/agenda")
async def set_agenda(id: Id, request: Request) -> Response:
    """Put a proposal on the agenda, take one off, move one up or down: `deed` is `up DK-...` and the like."""
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        wanted = _moved(form.get("refs", "").split(), *form.get("deed", "").partition(" ")[::2])
        new = as_model(bodies.AgendaIn, {"proposals": wanted})
        consultations.set_agenda(tx, actor, id, new.proposals, version(form), True, now)

    return await take(request, work, _again(request, id), f"/consultations/{id}#agenda", "agenda_set")


def _moved(refs: list[str], deed: str, what: str) -> list[str]:
    """The agenda after one deed; one that there is not changes nothing. `add` takes several."""
    if deed == "add":
        return [*refs, *(ref for ref in what.split() if ref not in refs)]
    if what not in refs:
        return refs
    at, others = refs.index(what), [ref for ref in refs if ref != what]
    place = {"up": max(at - 1, 0), "down": at + 1}.get(deed)
    return others if place is None and deed == "off" else [*others[:place], what, *others[place:]]


@router.post("/consultations/{id}")
async def change(id: Id, request: Request) -> Response:
    """Move the consultation to another day or place, or say who takes part."""
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        known = {named(one): one for one in consultations.participants(tx, id)}
        said = when_and_where(form)
        said["participants"] = [known.get(line, line) for line in said["participants"]]
        new = as_model(bodies.ConsultationPatch, said)
        people = new.model_dump()["participants"]
        consultations.change(
            tx, actor, id, Plan(None, new.date, new.place, people, new.reason), version(form), book, now
        )

    return await take(request, work, _again(request, id), f"/consultations/{id}", "changed")


@router.post("/consultations/{id}/open")
async def open_(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        consultations.open_(tx, actor, id, version(form), now)

    return await take(request, work, _again(request, id), f"/consultations/{id}", "opened")


@router.post("/consultations/{id}/cancel")
async def cancel(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        why = as_model(bodies.ReasonIn, {"reason": form.get("reason", "").strip()}).reason
        consultations.cancel(tx, actor, id, why, version(form), now)

    return await take(request, work, _again(request, id), f"/consultations/{id}", "called_off")
