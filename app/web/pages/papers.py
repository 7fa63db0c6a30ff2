"""Papers and talk: what hangs on a proposal, its submissions and what changed, what the Danes say, the papers to be had."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.documents import Paper
from app.documents.accounts import extract as extract_paper
from app.documents.papers import agreement as agreement_paper
from app.documents.papers import letter as letter_paper
from app.documents.papers import memo as memo_paper
from app.documents.words import number as grouped
from app.domain.framework import Framework
from app.domain.people import IOM, Actor, Role
from app.errors import AppError, NotFound
from app.services import agreements, attachments, extracts, faces, filed, papers, remarks, uploads
from app.services.filed import DANES
from app.services.rulebooks import Library
from app.web.access import DOORS, check_door
from app.web.answers import note_refusal
from app.web.api import bodies
from app.web.api.papers import paper
from app.web.api.remarks import read_file
from app.web.pages.deeds import Form, as_model, take
from app.web.pages.labels import CODES, FIELDS
from app.web.pages.language import _, translator
from app.web.pages.queue import TONES
from app.web.pages.rendering import language_for, page, redirect
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
UPLOADERS = IOM | {Role.MFA_REVIEWER, Role.MFA_HEAD}
PAPERS = {
    "decision-letter": _("Decision letter"),
    "decision-memo": _("Decision memo"),
    "agreement": _("Agreement"),
    "extract": _("Public extract, as it is or would be published"),
}
CASEFILES = {"full": _("Case file, whole (ZIP)"), "public": _("Case file, as it may be handed out (ZIP)")}
ENDED = attachments.ENDED


@router.get("/proposals/{ref}/papers")
async def show_papers(ref: str, request: Request) -> Response:
    return await _papers(request, await caller(request), ref)


async def _papers(
    request: Request, actor: Actor, ref: str, error: AppError | None = None, sent: Mapping[str, str] | None = None
) -> Response:
    """The page, with what was refused and what the refused form held."""
    here, asked = house(request), request.query_params.get("diff", "")
    diff = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else None
    found = await here.database.read(lambda tx: filed.of(tx, actor, ref, diff, here.library))
    language = language_for(request)
    return page(
        request,
        "papers.html",
        error.status if error else 200,
        row=found.head.row,
        content=found.head.content,
        found=found.head,
        filed=found,
        error=error,
        sent=defaultdict(str, sent or {}),
        tone=TONES[found.head.row.state],
        changes=[_changed(one, language) for one in found.changes["changes"]] if found.changes else None,
        names=PAPERS,
        casefiles=CASEFILES,
        codes=CODES,
        uploads=actor.role in UPLOADERS and found.head.row.state not in ENDED,
        comments=actor.role in DANES,
        largest=uploads.LARGEST // 1_000_000,
    )


def _changed(one: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A change for its reader: the field's heading, the place within it, and both values as plain text."""
    _root, name, *rest = one["pointer"].split("/")
    place = " ".join(str(int(step) + 1) if step.isdecimal() else step.replace("_", " ") for step in rest if step != "-")
    return {
        "field": FIELDS.get(name, name),
        "name": name,
        "place": place,
        "before": _plain(one["before"], language),
        "after": _plain(one["after"], language),
    }


def _plain(value: Any, language: str) -> list[str]:
    """A value of a content as lines of text, its codes in plain words; nothing for what is not there."""
    say = translator(language)
    if value is None or value in ("", []):
        return []
    if isinstance(value, dict):
        told = {key.replace("_", " "): ", ".join(_plain(inner, language)) for key, inner in value.items()}
        return [f"{key}: {text}" for key, text in told.items() if text]
    if isinstance(value, list):
        return [line for inner in value if (line := "; ".join(_plain(inner, language)))]
    if isinstance(value, bool):
        return [say(_("yes") if value else _("no"))]
    if isinstance(value, int) and value > 9999:
        return [grouped(value, language)]
    return [say(CODES[value]) if value in CODES else str(value)]


@router.post("/proposals/{ref}/papers")
async def attach(ref: str, request: Request) -> Response:
    """A file from the page's form, judged and kept as the API does it."""
    actor, here = await caller(request), house(request)
    now, visibility = here.now(), "internal"  # what could not be read is not opened to the other side
    try:
        await here.database.read(lambda tx: attachments.check_room(tx, faces.seen(tx, actor, ref)))
        name, data, visibility = await read_file(request)
        media_type = await asyncio.to_thread(uploads.judge, name, data)
        sha256 = hashlib.sha256(data).hexdigest()
        await here.files.put(sha256, data)
        made = (name, media_type, len(data), sha256, visibility)
        await here.database.write(lambda tx: attachments.add(tx, actor, ref, *made, now))
    except AppError as error:
        if error.status == 404:
            raise
        await note_refusal(request, error)
        return await _papers(request, actor, ref, error, {"visibility": visibility})
    return redirect(f"/proposals/{ref}/papers?said=attached#attachments")


@router.post("/proposals/{ref}/comments")
async def comment(ref: str, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        faces.seen(tx, actor, ref)
        remarks.comment(tx, actor, ref, as_model(bodies.CommentIn, {"text": form.get("text", "")}).text, now)

    async def again(actor: Actor, error: AppError, form: Form) -> Response:
        return await _papers(request, actor, ref, error, form)

    return await take(request, work, again, f"/proposals/{ref}/papers#talk", "commented")


Read = Callable[[Tx], dict[str, Any]]
LayOut = Callable[[dict[str, Any], Framework, str], Paper]


@router.get("/proposals/{ref}/papers/{name}.pdf")
async def show_paper(ref: str, name: str, request: Request) -> Response:
    """A paper of the API as PDF, to link to; its own route says who may have it."""
    actor, here = await caller(request), house(request)
    if name not in PAPERS:
        raise NotFound("paper_not_found", f"There is no paper '{name}'.")
    check_door(DOORS[f"GET /api/v1/proposals/{{ref}}/{name}"], actor, here.now())
    read, lay_out = _paper(actor, ref, name, here.library)
    return await paper(request, read, lay_out, f"{name}-{ref}", pdf=True)


def _paper(actor: Actor, ref: str, name: str, library: Library) -> tuple[Read, LayOut]:
    match name:
        case "decision-letter":
            return lambda tx: papers.letter(tx, actor, ref), letter_paper
        case "decision-memo":
            return lambda tx: papers.memo(tx, actor, ref, library.current), memo_paper
        case "agreement":
            return lambda tx: agreements.described(tx, actor, ref, library), agreement_paper
    return lambda tx: extracts.as_paper(tx, actor, ref, library), extract_paper
