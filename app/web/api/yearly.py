"""The yearly portfolio review, as JSON or PDF."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from app.documents.accounts import review as review_paper
from app.domain.people import Actor
from app.services import yearly
from app.web.api import shapes
from app.web.api.docs import answers
from app.web.api.papers import Language, paper
from app.web.api.portfolio import Gap, Year
from app.web.requests import caller, house

router = APIRouter(prefix="/api/v1", tags=["portfolio"])
Whoever = Annotated[Actor, Depends(caller)]


class TrancheOut(shapes.Out):
    ref: str
    number: int
    amount: int
    due_on: date
    state: Literal["scheduled", "prepared", "released", "received", "cancelled"]
    difference: int | None


class DueOut(shapes.Out):
    ref: str
    due_on: date
    state: Literal["draft", "submitted", "returned", "accepted"] | None
    overdue: bool


class FollowedOut(shapes.Out):
    title: str
    stage: Literal["planned", "delivered", "answered", "closed"]
    open: int
    overdue: int


class ReviewOut(shapes.Out):
    """Whole DKK. Payments are those charged to the year, reports and what they tell those on the year."""

    year: int
    on: date
    envelope: dict[str, Any] | None
    proposals: list[dict[str, Any]]
    states: dict[str, int]
    criteria: list[dict[str, Any]]
    regions: list[dict[str, Any]]
    gaps: list[Gap]
    payments: list[TrancheOut]
    reports: list[DueOut]
    results: list[dict[str, Any]]
    lessons: list[dict[str, str]]
    risks: list[dict[str, str]]
    evaluations: list[FollowedOut]


_REVIEW = {"year": 2026, "on": "2026-11-23", "envelope": None, "proposals": [], "states": {}}


@router.get(
    "/cycles/{year}/review",
    operation_id="read_review",
    summary="The yearly portfolio review, as JSON or PDF",
    responses=answers(ReviewOut, _REVIEW, 404, 422),
)
async def read_review(year: Year, request: Request, actor: Whoever, language: Language = None) -> Response:
    """What the desk sends upward, made from what is stored: money, decisions, payments, results, what is overdue."""
    here = house(request)
    book, now = here.book, here.now()
    return await paper(request, lambda tx: yearly.review(tx, year, book, now), review_paper, f"review-{year}")
