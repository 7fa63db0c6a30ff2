"""IOM's annual reports on one proposal: the years owed, each report against what was agreed; written, sent, decided here."""

from collections import defaultdict
from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor, Side
from app.domain.proposal import BudgetCategory, RiskCategory
from app.domain.report import Report, Stage
from app.domain.rulebook import Rulebook
from app.errors import AppError, Fault, Invalid
from app.services import accounts, reporting
from app.services.accounts import Sheet
from app.services.clock import Now
from app.web.api import bodies
from app.web.pages import report_form
from app.web.pages.addresses import Id
from app.web.pages.deeds import Form, as_model, may, take, version
from app.web.pages.language import _
from app.web.pages.money import head
from app.web.pages.rendering import page
from app.web.requests import caller, house, parse

router = APIRouter(include_in_schema=False)
_HERE = "POST /proposals/{ref}/reports/{year}"
TONES = {None: "quiet", "draft": "quiet", "submitted": "busy", "returned": "wait", "accepted": "good"}
KINDS = {"mid_term": _("mid-term"), "end_of_cycle": _("end of cycle")}


@router.get("/proposals/{ref}/reports")
async def show_reports(ref: str, request: Request) -> Response:
    """The years owed, and the evaluations of the framework that the reader sees."""
    actor, here = await caller(request), house(request)
    book, now = here.book, here.now()
    found = await here.database.read(lambda tx: accounts.accounts_of(tx, actor, ref, book, now))
    shown = {**head(found.head), "years": found.years, "evaluations": found.evaluations}
    return page(request, "reports.html", room="reports", error=None, tones=TONES, kinds=KINDS, today=now.today, **shown)


@router.get("/proposals/{ref}/reports/{year}")
async def show_report(ref: str, year: Id, request: Request) -> Response:
    return await _report(request, ref, year, await caller(request))


async def _report(
    request: Request, ref: str, year: int, actor: Actor, error: AppError | None = None, sent: Form | None = None
) -> Response:
    """The page, with what was refused and what the refused form held."""
    here = house(request)
    book, now = here.book, here.now()
    found = await here.database.read(lambda tx: accounts.sheet_of(tx, actor, ref, year, book, now))
    state = found.standing["state"]
    writes = (
        may(actor, _HERE)
        and state in (None, Stage.DRAFT, Stage.RETURNED)
        and found.head.row.state in reporting.REPORTED_IN
    )
    given = sent or {}
    return page(
        request,
        "report.html",
        error.status if error else 200,
        **head(found.head),
        room="reports",
        sheet=found,
        state=state,
        report_tone=TONES[state],
        version=found.kept.version if found.kept else 0,
        error=error,
        sent=defaultdict(str, given),
        writes=writes,
        fields=report_form.drawn(found, given) if writes else {},
        decides=may(actor, f"{_HERE}/accept") and state == Stage.SUBMITTED,
        spending=_spending(found),
        criteria={one.letter: one.title for one in book.criteria.criteria},
        categories=get_args(BudgetCategory),
        risk_categories=get_args(RiskCategory),
        outside=actor.side is Side.IOM,
    )


def _spending(found: Sheet) -> list[tuple[str, int, int]]:
    """Category, what was agreed for the year, what was spent; of every category that has either."""
    spent = {one["category"]: one["amount"] for one in (found.report or {}).get("spending", [])}
    rows = [(name, found.budget.get(name, 0), spent.get(name, 0)) for name in get_args(BudgetCategory)]
    return [one for one in rows if one[1] or one[2]]


async def _take(request: Request, ref: str, year: int, said: str, work: Any) -> Response:
    return await take(
        request,
        work,
        lambda actor, error, form: _report(request, ref, year, actor, error, form),
        f"/proposals/{ref}/reports/{year}",
        said,
    )


@router.post("/proposals/{ref}/reports/{year}")
async def write(ref: str, year: Id, request: Request) -> Response:
    """Save a report as far as it goes, from the form or from a file as the API takes it."""
    book, now = house(request).book, house(request).now()

    return await _take(request, ref, year, "saved", lambda tx, actor, form: _put(tx, actor, form, ref, year, book, now))


def _put(tx: Tx, actor: Actor, form: Form, ref: str, year: int, book: Rulebook, now: Now) -> None:
    found = accounts.sheet_of(tx, actor, ref, year, book, now)
    written = form.get("file", "").strip()
    new = as_model(Report, _parsed(written)) if written else report_form.read(form, found)
    reporting.put(tx, actor, ref, year, new, version(form), True, now)


def _parsed(written: str) -> Any:
    """A report in JSON, alone or as `report` of a larger object."""
    try:
        value = parse(written.encode("utf-8", "surrogatepass"))
    except AppError as error:
        raise Invalid("malformed_json", error.detail, faults=[Fault("/file", "malformed_json", error.detail)]) from None
    inside = value.get("report") if isinstance(value, dict) else None
    return inside if isinstance(inside, dict) else value


@router.post("/proposals/{ref}/reports/{year}/submit")
async def submit(ref: str, year: Id, request: Request) -> Response:
    """Save what the form holds and submit it, both or neither."""
    book, now = house(request).book, house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        _put(tx, actor, form, ref, year, book, now)
        reporting.submit(tx, actor, ref, year, None, now)

    return await _take(request, ref, year, "report_submitted", work)


@router.post("/proposals/{ref}/reports/{year}/accept")
async def accept(ref: str, year: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        reporting.decide(tx, actor, ref, year, Stage.ACCEPTED, None, version(form), now)

    return await _take(request, ref, year, "report_accepted", work)


@router.post("/proposals/{ref}/reports/{year}/return")
async def return_(ref: str, year: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        why = as_model(bodies.ReasonIn, {"reason": form.get("reason", "")}).reason
        reporting.decide(tx, actor, ref, year, Stage.RETURNED, why, version(form), now)

    return await _take(request, ref, year, "report_returned", work)
