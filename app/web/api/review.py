"""Review by people: clarifications and assessments."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from app.domain.people import Actor
from app.services import faces, review
from app.web.answers import ok, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.api.proposals import Ref
from app.web.requests import caller, house, read_body_about, read_optional_body
from app.web.sheets import enclosed, listed


class ClarificationOut(shapes.Out):
    id: int
    criterion: str | None
    field: str | None
    question: str
    asked_at: datetime
    due_on: date
    answer: str | None
    answered_at: datetime | None


class ClarificationList(shapes.Out):
    items: list[ClarificationOut]
    next_cursor: None


class AssessmentOut(shapes.Out):
    """One person's assessment; `past` are its completed versions that were reopened, with the reasons."""

    grades: dict[str, int | None]
    comments: dict[str, str]
    overall: str
    snapshot: int
    carried_from: int | None
    updated_at: datetime
    completed_at: datetime | None
    past: list[dict[str, Any]]


class OthersAssessment(AssessmentOut):
    by: shapes.By


class OwnAssessmentOut(shapes.Out):
    snapshot: int
    mine: AssessmentOut | None
    earlier: AssessmentOut | None


class AssessmentsOut(OwnAssessmentOut):
    needed: int
    completed: int
    blind: bool
    items: list[OthersAssessment]
    next_cursor: None
    consolidated: dict[str, Any] | None


router = APIRouter(prefix="/api/v1", tags=["review"])
Whoever = Annotated[Actor, Depends(caller)]
_QUESTION = {
    "id": 2,
    "criterion": "d",
    "field": None,
    "question": "Which partners are confirmed in writing?",
    "asked_at": "2026-12-01T09:07:00Z",
    "due_on": "2026-12-15",
    "answer": None,
    "answered_at": None,
}
_GRADES = {"grades": {"a": 3, "b": None}, "comments": {"b": "Not claimed."}, "overall": "Sound.", "carried_from": None}
_STORED = {**_GRADES, "snapshot": 1, "updated_at": "2027-01-12T09:07:00Z", "completed_at": None, "past": []}
_OWN = {"snapshot": 1, "mine": _STORED, "earlier": None}
_ALL = {**_OWN, "needed": 2, "completed": 0, "blind": True, "items": [], "next_cursor": None, "consolidated": None}


@router.get(
    "/proposals/{ref}/clarifications",
    operation_id="list_clarifications",
    summary="Questions to IOM and their answers",
    responses=answers(ClarificationList, {"items": [_QUESTION], "next_cursor": None}, 404),
)
async def list_clarifications(ref: Ref, request: Request) -> Response:
    actor = await caller(request)
    return await listed(request, ClarificationOut, lambda tx: review.questions(tx, actor, ref))


@router.post(
    "/proposals/{ref}/clarifications",
    operation_id="ask_clarification",
    summary="Ask IOM about the proposal, a criterion or a field",
    status_code=201,
    responses=answers(ClarificationOut, _QUESTION, 400, 404, 409, 413, 415, 422, status=201),
)
async def ask_clarification(ref: Ref, request: Request) -> Response:
    """Answering does not change the content; a `return` lets IOM do that."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    new, raw = await read_body_about(request, actor, ref, bodies.ClarificationIn)
    return await write(
        request,
        actor,
        raw,
        lambda tx: ok(review.ask(tx, actor, ref, new.criterion, new.field, new.question, book, now), 201),
    )


@router.post(
    "/proposals/{ref}/clarifications/{id}/answer",
    operation_id="answer_clarification",
    summary="Answer a question, once",
    responses=answers(ClarificationOut, _QUESTION, 400, 404, 409, 413, 415, 422),
)
async def answer_clarification(
    ref: Ref, id: Annotated[int, Path(ge=1, le=2**53)], request: Request, actor: Whoever
) -> Response:
    now = house(request).now()
    new, raw = await read_body_about(request, actor, ref, bodies.AnswerIn)
    return await write(request, actor, raw, lambda tx: ok(review.answer(tx, actor, ref, id, new.answer, now)))


@router.get(
    "/proposals/{ref}/assessments",
    operation_id="list_assessments",
    summary="Assessments of the snapshot under review, and what they come to",
    responses=answers(AssessmentsOut, _ALL, 404),
)
async def list_assessments(ref: Ref, request: Request) -> Response:
    """A reviewer sees the others' grades once their own assessment is completed (`blind` says so)."""
    actor, here = await caller(request), house(request)
    book = here.book
    return await enclosed(request, OthersAssessment, lambda tx: review.overview(tx, actor, ref, book))


@router.put(
    "/proposals/{ref}/assessments/mine",
    operation_id="save_assessment",
    summary="Save your assessment of the snapshot under review, as far as it goes",
    responses=answers(OwnAssessmentOut, _OWN, 400, 404, 409, 413, 415, 422),
)
async def save_assessment(ref: Ref, request: Request) -> Response:
    """Grades 0-4, or null for not applicable; `carried_from` names the snapshot whose grades you took over."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    new, raw = await read_body_about(request, actor, ref, bodies.AssessmentIn)
    sent = new.model_dump()
    return await write(request, actor, raw, lambda tx: ok(review.save(tx, actor, ref, sent, book, now)))


@router.post(
    "/proposals/{ref}/assessments/mine/complete",
    operation_id="complete_assessment",
    summary="Complete your assessment",
    responses=answers(OwnAssessmentOut, _OWN, 400, 404, 409, 413, 415, 422),
)
async def complete_assessment(ref: Ref, request: Request) -> Response:
    """Every criterion needs a grade, every grade that departs from the screening a comment, and all of it a word."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    await here.database.read(lambda tx: faces.seen(tx, actor, ref))
    _, raw = await read_optional_body(request, bodies.In)
    return await write(request, actor, raw, lambda tx: ok(review.complete(tx, actor, ref, book, now)))


@router.post(
    "/proposals/{ref}/assessments/mine/reopen",
    operation_id="reopen_assessment",
    summary="Reopen your completed assessment, with a reason",
    responses=answers(OwnAssessmentOut, _OWN, 400, 404, 409, 413, 415, 422),
)
async def reopen_assessment(ref: Ref, request: Request) -> Response:
    """What it was stays in `past`."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    new, raw = await read_body_about(request, actor, ref, bodies.ReasonIn)
    return await write(request, actor, raw, lambda tx: ok(review.reopen(tx, actor, ref, new.reason, book, now)))
