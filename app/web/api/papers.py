"""The papers of a consultation, as JSON or PDF: minutes with IOM's answer, decision letters, decision memos."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.db import Tx
from app.documents import Paper, render
from app.documents.papers import letter as letter_paper
from app.documents.papers import memo as memo_paper
from app.documents.papers import minutes as minutes_paper
from app.domain.framework import Framework
from app.domain.people import Actor
from app.services import papers
from app.web.answers import etag, ok, response, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.api.proposals import Ref
from app.web.requests import (
    caller,
    check_query,
    expected_versions,
    house,
    language_of,
    read_body,
    read_optional_body,
    wants_pdf,
)

router = APIRouter(prefix="/api/v1", tags=["papers"])
Id = Annotated[int, Path(ge=1, le=2**53)]
Whoever = Annotated[Actor, Depends(caller)]
Language = Annotated[
    Literal["en", "da"] | None, Query(description="of the PDF; else Accept-Language says", alias="language")
]


class MinutesHead(shapes.Out):
    id: int
    cycle: int
    date: date
    place: str
    participants: list[Any]
    reason: str | None
    concluded_because: str | None
    concluded_at: datetime
    concluded_by: str | None


class DecidedOut(shapes.Out):
    ref: str
    title: str
    office: str
    decision: Literal["approve", "reject", "defer"]
    amounts: dict[str, int]
    conditions: list[str]
    reason: str
    to_cycle: int | None
    snapshot: int
    requested: dict[str, int]
    corrections: list[shapes.CorrectionOut]


class AnswerOut(shapes.Out):
    answer: Literal["confirm", "object"]
    objection: str | None
    at: datetime
    by: shapes.By


class MinutesOut(shapes.Out):
    """`head` is the hash of the audit log's last entry at the conclusion; `envelopes` has each year before and after."""

    consultation: MinutesHead
    envelopes: dict[str, list[dict[str, Any]]]
    decisions: list[DecidedOut]
    rulebook: shapes.RulebookRef
    head: str
    answers: list[AnswerOut]
    confirmed: bool
    version: int


class LetterOut(shapes.DecisionInForce):
    ref: str
    title: str
    office: str
    office_name: str
    snapshot: int
    requested: dict[str, int]
    signed_by: str | None
    rulebook: shapes.RulebookRef
    head: str


class MemoOut(shapes.Out):
    """What is asked, screening and assessments side by side, the envelopes, risks, the recommendation, who signed off."""

    ref: str
    title: str
    office: str
    office_name: str
    snapshot: int
    summary: str
    period: dict[str, str]
    countries: list[str]
    total: float
    score: float | None
    criteria: list[dict[str, Any]]
    envelopes: list[dict[str, Any]]
    risks: list[dict[str, Any]]
    recommendation: dict[str, Any]
    assessed: list[dict[str, Any]]


_MINUTES = {
    "consultation": {"id": 1},
    "envelopes": {"before": [], "after": []},
    "decisions": [],
    "confirmed": False,
    "version": 9,
}
_LETTER = {"ref": "DK-IOM-2027-003", "decision": "approve", "amounts": {"2027": 12000000}, "conditions": []}
_MEMO = {"ref": "DK-IOM-2027-003", "total": 91.4, "score": 81.8, "recommendation": {"verdict": "approve"}}


async def paper(
    request: Request,
    read: Callable[[Tx], dict[str, Any]],
    lay_out: Callable[[dict[str, Any], Framework, str], Paper],
    file: str,
    pdf: bool | None = None,
    language: str | None = None,
) -> Response:
    """The paper's data as JSON, or where the reader accepts PDF (or `pdf` says so), the paper, in `language` or the reader's."""
    check_query(request, {"language"})
    here = house(request)
    said = await here.database.read_long(read)
    vary = {"Vary": "Accept, Accept-Language"}
    if not (wants_pdf(request) if pdf is None else pdf):
        answer = ok(said, headers=vary)
        answer.headers.update(etag(said["version"], answer.body) if "version" in said else {})
        return response(answer)
    tongue = language or language_of(request)
    made = await asyncio.to_thread(lambda: render(lay_out(said, here.book.framework, tongue)))
    named = {"Content-Disposition": f'inline; filename="{file}.{tongue}.pdf"'}
    return Response(made, 200, {**vary, **named}, "application/pdf")


@router.get(
    "/consultations/{id}/minutes",
    operation_id="read_minutes",
    summary="The minutes of a concluded consultation, as JSON or PDF",
    responses=answers(MinutesOut, _MINUTES, 404, 422),
)
async def read_minutes(id: Id, request: Request, actor: Whoever, language: Language = None) -> Response:
    """`Accept: application/pdf` gives the paper. An office and an embassy read the decisions on what they can see."""
    return await paper(request, lambda tx: papers.minutes(tx, actor, id), minutes_paper, f"minutes-{id}")


@router.post(
    "/consultations/{id}/minutes/confirm",
    operation_id="confirm_minutes",
    summary="Confirm the minutes for IOM",
    responses=answers(MinutesOut, {**_MINUTES, "confirmed": True}, 400, 404, 409, 412, 413, 415, 422),
)
async def confirm_minutes(id: Id, request: Request, actor: Whoever) -> Response:
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: papers.minutes(tx, actor, id))
    _, raw = await read_optional_body(request, bodies.In)
    return await write(request, actor, raw, lambda tx: ok(papers.confirm(tx, actor, id, expected, now)))


@router.post(
    "/consultations/{id}/minutes/object",
    operation_id="object_to_minutes",
    summary="Object to the minutes; the objection stays on record",
    responses=answers(MinutesOut, _MINUTES, 400, 404, 409, 412, 413, 415, 422),
)
async def object_to_minutes(id: Id, request: Request, actor: Whoever) -> Response:
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: papers.minutes(tx, actor, id))
    new, raw = await read_body(request, bodies.ReasonIn)
    return await write(request, actor, raw, lambda tx: ok(papers.object_(tx, actor, id, new.reason, expected, now)))


@router.get(
    "/proposals/{ref}/decision-letter",
    operation_id="read_letter",
    summary="The decision letter on a proposal, as JSON or PDF",
    responses=answers(LetterOut, _LETTER, 404, 422),
)
async def read_letter(ref: Ref, request: Request, actor: Whoever, language: Language = None) -> Response:
    return await paper(request, lambda tx: papers.letter(tx, actor, ref), letter_paper, f"decision-{ref}")


@router.get(
    "/proposals/{ref}/decision-memo",
    operation_id="read_memo",
    summary="The desk officer's decision memo (indstilling), as JSON or PDF",
    responses=answers(MemoOut, _MEMO, 404, 422),
)
async def read_memo(ref: Ref, request: Request, actor: Whoever, language: Language = None) -> Response:
    """Within the ministry only."""
    book = house(request).book
    return await paper(request, lambda tx: papers.memo(tx, actor, ref, book), memo_paper, f"memo-{ref}")
