"""Screening a content that is stored nowhere."""

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.services import intake
from app.services.idempotency import Answer
from app.web.answers import ok, response, write
from app.web.api import shapes
from app.web.api.direct import Direct
from app.web.api.docs import answers
from app.web.api.submission import read_submission
from app.web.requests import caller, house

router = APIRouter(prefix="/api/v1", tags=["screenings"], route_class=Direct)


@router.post(
    "/screenings",
    operation_id="screen_content",
    summary="Screen a content, whole or draft; nothing is stored",
    responses=answers(shapes.ScreeningOut, {"outcome": "undetermined", "total": 0.0}, 400, 409, 413, 415, 422),
)
async def screen_content(request: Request) -> Response:
    """Every existing cycle will do, open or closed. What a draft leaves out makes what depends on it undetermined."""
    actor = await caller(request)
    here = house(request)
    book, now = here.book, here.now()
    sent = await read_submission(request, book.indicator_codes)

    def work(tx: Tx) -> Answer:
        return ok(intake.screen_draft(tx, sent.cycle, sent.content, sent.faults, book, now))

    if request.headers.get("idempotency-key") is None:
        return response(await here.database.read(work))
    return await write(request, actor, sent.raw, work)
