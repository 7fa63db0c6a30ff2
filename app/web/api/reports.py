"""Annual reports: what IOM tells about each year of an agreed proposal."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.domain.report import Report, Stage
from app.services import reporting
from app.services.idempotency import Answer
from app.web.answers import conditional, versioned, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.api.proposals import Ref
from app.web.requests import caller, expected_versions, house, read_body, read_optional_body
from app.web.sheets import listed

router = APIRouter(prefix="/api/v1", tags=["reports"])
Year = Annotated[int, Path(ge=2000, le=2100)]
Whoever = Annotated[Actor, Depends(caller)]


class ListedReport(shapes.Out):
    year: int
    due_on: date
    state: Literal["draft", "submitted", "returned", "accepted"] | None
    final: bool
    overdue: bool


class ReportList(shapes.Out):
    items: list[ListedReport]
    next_cursor: None


class Newest(shapes.Out):
    year: int
    state: Literal["submitted", "returned", "accepted", "draft"]
    submitted_at: datetime
    report: dict[str, Any]


class Earlier(shapes.Out):
    """`report` is the newest that IOM has submitted; `paid` is whole DKK."""

    ref: str
    title: str
    cycle: int
    state: str
    paid: int
    report: Newest | None


class EarlierList(shapes.Out):
    items: list[Earlier]
    next_cursor: None


class Measured(shapes.Out):
    code: str
    unit: str
    baseline: float
    target: float
    value: float | None


class ReportOut(shapes.Out):
    """`indicators` holds each value against baseline and target; `past` are earlier submissions with what the MFA said of them."""

    ref: str
    year: int
    state: Literal["draft", "submitted", "returned", "accepted"]
    due_on: date
    overdue: bool
    report: dict[str, Any]
    indicators: list[Measured]
    comment: str | None
    submitted_at: datetime | None
    decided_at: datetime | None
    past: list[dict[str, Any]]
    version: int


_REPORT: dict[str, Any] = {
    "ref": "DK-IOM-2027-003",
    "year": 2027,
    "state": "draft",
    "due_on": "2028-03-31",
    "overdue": False,
    "report": {"progress": {"a": "Six posts work in pairs."}},
    "indicators": [{"code": "3b11d", "unit": "initiatives", "baseline": 1, "target": 5, "value": None}],
    "comment": None,
    "submitted_at": None,
    "decided_at": None,
    "past": [],
    "version": 1,
}


def _shown(tx: Tx, request: Request, actor: Actor, ref: str, year: int) -> Answer:
    here = house(request)
    return versioned(reporting.described(tx, actor, ref, year, here.book.framework, here.now()))


@router.get(
    "/proposals/{ref}/reports",
    operation_id="list_reports",
    summary="The years a proposal reports on, and where each report stands",
    responses=answers(ReportList, {"items": [], "next_cursor": None}, 404),
)
async def list_reports(ref: Ref, request: Request) -> Response:
    actor, here = await caller(request), house(request)
    framework, now = here.book.framework, here.now()
    return await listed(request, ListedReport, lambda tx: reporting.listed(tx, actor, ref, framework, now))


@router.get(
    "/proposals/{ref}/previous",
    operation_id="list_previous",
    summary="What this proposal goes on from, with what IOM last reported of it",
    responses=answers(EarlierList, {"items": [], "next_cursor": None}, 404),
)
async def list_previous(ref: Ref, request: Request) -> Response:
    """The chain of `previous_proposal`, the nearest first, as far as you see it."""
    actor = await caller(request)
    return await listed(request, Earlier, lambda tx: reporting.previous(tx, actor, ref))


@router.get(
    "/proposals/{ref}/reports/{year}",
    operation_id="read_report",
    summary="A year's report as you see it",
    responses=answers(ReportOut, _REPORT, 304, 404, 422),
)
async def read_report(ref: Ref, year: Year, request: Request, actor: Whoever) -> Response:
    """IOM sees what it works on, the Danish side what was last submitted."""
    return conditional(request, await house(request).database.read(lambda tx: _shown(tx, request, actor, ref, year)))


@router.put(
    "/proposals/{ref}/reports/{year}",
    operation_id="write_report",
    summary="Write a year's report, as far as it goes",
    responses=answers(ReportOut, _REPORT, 400, 404, 409, 412, 413, 415, 422, 428),
)
async def write_report(ref: Ref, year: Year, request: Request, actor: Whoever) -> Response:
    here, expected, given = house(request), expected_versions(request), "if-match" in request.headers
    now = here.now()
    await here.database.read(lambda tx: reporting.knock(tx, actor, ref, year, expected, given))
    new, raw = await read_body(request, Report)

    def work(tx: Tx) -> Answer:
        reporting.put(tx, actor, ref, year, new, expected, given, now)
        return _shown(tx, request, actor, ref, year)

    return await write(request, actor, raw, work)


@router.post(
    "/proposals/{ref}/reports/{year}/submit",
    operation_id="submit_report",
    summary="Submit a year's report",
    responses=answers(ReportOut, {**_REPORT, "state": "submitted"}, 400, 404, 409, 412, 413, 415, 422),
)
async def submit_report(ref: Ref, year: Year, request: Request, actor: Whoever) -> Response:
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: reporting.knock(tx, actor, ref, year, expected, True))
    _, raw = await read_optional_body(request, bodies.In)

    def work(tx: Tx) -> Answer:
        reporting.submit(tx, actor, ref, year, expected, now)
        return _shown(tx, request, actor, ref, year)

    return await write(request, actor, raw, work)


@router.post(
    "/proposals/{ref}/reports/{year}/accept",
    operation_id="accept_report",
    summary="Accept a submitted report",
    responses=answers(ReportOut, {**_REPORT, "state": "accepted"}, 400, 404, 409, 412, 413, 415, 422),
)
async def accept_report(ref: Ref, year: Year, request: Request, actor: Whoever) -> Response:
    """An accepted final report lets the desk close the proposal."""
    return await _decide(request, actor, ref, year, Stage.ACCEPTED)


@router.post(
    "/proposals/{ref}/reports/{year}/return",
    operation_id="return_report",
    summary="Return a submitted report with a comment",
    responses=answers(ReportOut, {**_REPORT, "state": "returned"}, 400, 404, 409, 412, 413, 415, 422),
)
async def return_report(ref: Ref, year: Year, request: Request, actor: Whoever) -> Response:
    return await _decide(request, actor, ref, year, Stage.RETURNED)


async def _decide(request: Request, actor: Actor, ref: str, year: int, stage: Stage) -> Response:
    here, expected = house(request), expected_versions(request)
    now = here.now()
    await here.database.read(lambda tx: reporting.knock(tx, actor, ref, year, expected, True))
    if stage is Stage.RETURNED:
        said, raw = await read_body(request, bodies.ReasonIn)
        comment: str | None = said.reason
    else:
        _, raw = await read_optional_body(request, bodies.In)
        comment = None

    def work(tx: Tx) -> Answer:
        reporting.decide(tx, actor, ref, year, stage, comment, expected, now)
        return _shown(tx, request, actor, ref, year)

    return await write(request, actor, raw, work)
