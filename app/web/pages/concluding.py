"""The end of a consultation: what concluding would send to whom, then minutes, letters, corrections; and its picture in the room."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.documents.papers import letter as letter_paper
from app.documents.papers import minutes as minutes_paper
from app.domain.people import Actor
from app.errors import AppError
from app.notify.foretelling import Reader
from app.notify.notices import Group
from app.services import corrections, decisions, papers, sitting
from app.web.api import bodies
from app.web.api.papers import paper
from app.web.pages.addresses import Id
from app.web.pages.board import TONES, named
from app.web.pages.deeds import Form, as_model, may, take, version
from app.web.pages.language import _
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
GROUPS = {
    Group.SUBMITTER: _("Who submitted it"),
    Group.OFFICE: _("The other people of its IOM office"),
    Group.FOCAL_POINTS: _("IOM's focal points"),
    Group.EMBASSIES: _("Embassies of its countries"),
    Group.MISSION: _("The mission in Geneva"),
    None: _("Webhooks"),
}
KINDS = {
    "proposal.approve": _("Approval, with the letter"),
    "proposal.reject": _("Rejection, with the letter"),
    "proposal.defer": _("Deferral, with the letter"),
    "minutes.to_confirm": _("Minutes to confirm"),
}


@router.get("/consultations/{id}/conclude")
async def ask_to_conclude(id: Id, request: Request) -> Response:
    return await _conclusion(request, await caller(request), id)


async def _conclusion(
    request: Request, actor: Actor, id: int, error: AppError | None = None, sent: Mapping[str, str] | None = None
) -> Response:
    """What concluding now would put in force and send to whom, and everything that refuses it."""
    here = house(request)
    book, now = here.book, here.now()
    found = await here.database.read_long(lambda tx: sitting.conclusion(tx, actor, id, book, now))
    verdicts = Counter(one["decision"] for one in found.decided if "decision" in one)
    sums = Counter({year: 0 for one in found.decided for year in one.get("amounts", {})})
    for one in found.decided:
        sums.update(one.get("amounts", {}))
    return page(
        request,
        "conclude.html",
        error.status if error else 200,
        found=found,
        one=found.head,
        verdicts=verdicts,
        sums=sorted(sums.items()),
        tones=TONES,
        post=_post(found.readers),
        error=error,
        sent=defaultdict(str, sent or {}),
    )


def _post(readers: list[Reader]) -> dict[str, Any]:
    """The messages counted: kinds across, groups of readers down, each with its people; and how many there are in all."""
    kinds = [kind for kind in KINDS if any(one.coming.kind == kind for one in readers)]
    cells = Counter((one.group, one.coming.kind) for one in readers)
    rows = [
        {
            "label": label,
            "cells": [cells[group, kind] for kind in kinds],
            "people": sorted({one.name for one in readers if one.group is group}),
        }
        for group, label in GROUPS.items()
        if any(one.group is group for one in readers)
    ]
    sums = [sum(cells[group, kind] for group in GROUPS) for kind in kinds]
    return {"kinds": [KINDS[kind] for kind in kinds], "rows": rows, "sums": sums, "all": len(readers)}


@router.post("/consultations/{id}/conclude")
async def conclude(id: Id, request: Request) -> Response:
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        new = as_model(bodies.ConcludeIn, {"reason": form.get("reason", "").strip() or None})
        decisions.conclude(tx, actor, id, new.reason, version(form), book, now)

    return await take(
        request,
        work,
        lambda actor, error, form: _conclusion(request, actor, id, error, form),
        f"/consultations/{id}",
        "concluded",
    )


@router.get("/consultations/{id}/minutes")
async def show_minutes(id: Id, request: Request) -> Response:
    return await _minutes(request, await caller(request), id)


async def _minutes(
    request: Request, actor: Actor, id: int, error: AppError | None = None, sent: Mapping[str, str] | None = None
) -> Response:
    """The minutes as this reader reads them, with IOM's answers, and the form to answer for who may."""
    said = await house(request).database.read_long(lambda tx: papers.minutes(tx, actor, id))
    years = {one["year"]: one for one in said["envelopes"]["after"]}
    before = {one["year"]: one for one in said["envelopes"]["before"]}
    touched = {int(year) for one in said["decisions"] for year in one["amounts"]}
    return page(
        request,
        "minutes.html",
        error.status if error else 200,
        minutes=said,
        one=said["consultation"],
        participants=[named(one) for one in said["consultation"]["participants"]],
        money=[(year, before.get(year), after) for year, after in sorted(years.items()) if year in touched],
        tones=TONES,
        answers=may(actor, "POST /consultations/{id}/minutes/confirm") and not said["confirmed"],
        corrects=may(actor, "POST /consultations/{id}/corrections"),
        error=error,
        sent=defaultdict(str, sent or {}),
    )


@router.get("/consultations/{id}/minutes.pdf")
async def show_minutes_pdf(id: Id, request: Request) -> Response:
    actor = await caller(request)
    return await paper(request, lambda tx: papers.minutes(tx, actor, id), minutes_paper, f"minutes-{id}", pdf=True)


@router.get("/consultations/{id}/letters/{ref}")
async def show_letter(id: Id, ref: str, request: Request) -> Response:
    """The letter on a proposal that this consultation led to, as PDF."""
    actor = await caller(request)
    file = f"decision-{ref}"
    return await paper(request, lambda tx: papers.letter_from(tx, actor, ref, id), letter_paper, file, pdf=True)


@router.post("/consultations/{id}/minutes/confirm")
async def confirm(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        papers.minutes(tx, actor, id)
        papers.confirm(tx, actor, id, version(form), now)

    return await _answer(request, id, work, "confirmed")


@router.post("/consultations/{id}/minutes/object")
async def object_(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        papers.minutes(tx, actor, id)
        why = as_model(bodies.ReasonIn, {"reason": form.get("reason", "").strip()}).reason
        papers.object_(tx, actor, id, why, version(form), now)

    return await _answer(request, id, work, "objected")


@router.post("/consultations/{id}/corrections")
async def correct(id: Id, request: Request) -> Response:
    """Put the words of one decision right; what was told stays, and its readers are told of the correction."""
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        sent = {"ref": form.get("ref", ""), **{name: form.get(name, "").strip() for name in ("text", "reason")}}
        new = as_model(bodies.CorrectionIn, sent)
        corrections.add(tx, actor, id, new.ref, new.text, new.reason, version(form), now)

    return await _answer(request, id, work, "corrected")


async def _answer(request: Request, id: int, work: Any, said: str) -> Response:
    def again(actor: Actor, error: AppError, form: Form) -> Any:
        return _minutes(request, actor, id, error, form)

    return await take(request, work, again, f"/consultations/{id}/minutes", said)


@router.get("/consultations/{id}/present")
async def present(id: Id, request: Request) -> Response:
    """For the wall of the meeting room, where IOM sits too: what is asked and what is decided, and nothing that led to it."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    found = await here.database.read_long(lambda tx: sitting.of(tx, actor, id, book, now))
    agenda = [
        {
            **{name: one[name] for name in ("ref", "title", "office")},
            "requested": sum(one["requested"].values()),
            "countries": found.countries[one["ref"]],
            "decision": (one["decision"] or {}).get("decision"),
            "amount": sum((one["decision"] or {}).get("amounts", {}).values()),
            "to_cycle": (one["decision"] or {}).get("to_cycle"),
        }
        for one in found.said["agenda"]
    ]
    refs = [one["ref"] for one in agenda]
    wanted = request.query_params.get("item", "")
    at = refs.index(wanted) if wanted in refs else None
    return page(request, "present.html", one=found.said, agenda=agenda, at=at, tones=TONES)
