"""Evaluations of the framework: terms, findings, recommendations, management response with follow-ups."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response

from app.db import Tx
from app.domain.evaluation import Evaluation
from app.domain.people import Actor
from app.services import evaluations
from app.services.clock import Now
from app.services.idempotency import Answer
from app.web.answers import conditional, versioned, write
from app.web.api import shapes
from app.web.api.docs import answers
from app.web.requests import caller, expected_versions, house, read_body
from app.web.sheets import listed

router = APIRouter(prefix="/api/v1", tags=["evaluations"])
Id = Annotated[int, Path(ge=1, le=2**53)]
Whoever = Annotated[Actor, Depends(caller)]


class EvaluationOut(shapes.Out):
    """`stage` follows from what is written; `overdue` counts the actions whose day has passed."""

    id: int
    stage: Literal["planned", "delivered", "answered", "closed"]
    overdue: int
    evaluation: dict[str, Any]
    updated_at: datetime
    version: int


class EvaluationList(shapes.Out):
    items: list[EvaluationOut]
    next_cursor: None


_EVALUATION = {
    "id": 1,
    "stage": "planned",
    "overdue": 0,
    "evaluation": {"kind": "mid_term", "title": "Mid-term evaluation", "due_on": "2027-06-30"},
    "updated_at": "2026-11-23T09:07:00Z",
    "version": 1,
}


def _shown(tx: Tx, actor: Actor, number: int, now: Now, status: int = 200) -> Answer:
    return versioned(evaluations.described(tx, actor, number, now), status, f"/api/v1/evaluations/{number}")


@router.get(
    "/evaluations",
    operation_id="list_evaluations",
    summary="Evaluations of the framework, newest first",
    responses=answers(EvaluationList, {"items": [_EVALUATION], "next_cursor": None}),
)
async def list_evaluations(request: Request, actor: Whoever) -> Response:
    """IOM, the embassies and the mission read those that are shared."""
    now = house(request).now()
    return await listed(request, EvaluationOut, lambda tx: evaluations.listed(tx, actor, now))


@router.post(
    "/evaluations",
    operation_id="add_evaluation",
    summary="Plan an evaluation",
    status_code=201,
    responses=answers(EvaluationOut, _EVALUATION, 400, 413, 415, 422, status=201),
)
async def add_evaluation(request: Request) -> Response:
    actor, now = await caller(request), house(request).now()
    sent, raw = await read_body(request, Evaluation)
    return await write(
        request, actor, raw, lambda tx: _shown(tx, actor, evaluations.add(tx, actor, sent, now), now, 201)
    )


@router.get(
    "/evaluations/{id}",
    operation_id="read_evaluation",
    summary="An evaluation with its recommendations and what follows from them",
    responses=answers(EvaluationOut, _EVALUATION, 304, 404, 422),
)
async def read_evaluation(id: Id, request: Request, actor: Whoever) -> Response:
    now = house(request).now()
    return conditional(request, await house(request).database.read(lambda tx: _shown(tx, actor, id, now)))


@router.put(
    "/evaluations/{id}",
    operation_id="replace_evaluation",
    summary="Replace what is written of an evaluation",
    responses=answers(EvaluationOut, _EVALUATION, 400, 404, 409, 412, 413, 415, 422, 428),
)
async def replace_evaluation(id: Id, request: Request, actor: Whoever) -> Response:
    """The desk writes terms, findings, recommendations and how far actions have come; the head answers them."""
    here, expected, given = house(request), expected_versions(request), "if-match" in request.headers
    now = here.now()
    await here.database.read(lambda tx: evaluations.knock(tx, actor, id, expected, given))
    sent, raw = await read_body(request, Evaluation)

    def work(tx: Tx) -> Answer:
        evaluations.replace(tx, actor, id, sent, expected, given, now)
        return _shown(tx, actor, id, now)

    return await write(request, actor, raw, work)
