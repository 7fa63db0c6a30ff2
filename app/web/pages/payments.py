"""Agreements and payments over all proposals: what waits, for the reader first; every tranche; the finance system's file."""

from collections.abc import Mapping
from datetime import date, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.domain.payment import Stage
from app.domain.people import Actor
from app.errors import AppError, Fault, Invalid
from app.records.payments import Wanted
from app.services import dues, payments, released
from app.services.dues import Due
from app.web.api.finance import BookedPayment
from app.web.api.payments import PaymentOut
from app.web.pages.deeds import may
from app.web.pages.language import _
from app.web.pages.money import PAYMENT_TONES
from app.web.pages.rendering import page
from app.web.requests import caller, house
from app.web.sheets import sheet, whole

router = APIRouter(include_in_schema=False)
PER_PAGE = 50
WAITS = {
    "sign_mfa": _("Agreement: the MFA's signature"),
    "sign_iom": _("Agreement: IOM's signature"),
    "sign_amendment_mfa": _("Amendment: the MFA's signature"),
    "sign_amendment_iom": _("Amendment: IOM's signature"),
    "prepare": _("Tranche to prepare"),
    "release": _("Tranche to check and release"),
    "release_other": _("Tranche you prepared: somebody else releases it"),
    "receive": _("Tranche whose receipt IOM confirms"),
    "report_overdue": _("Report overdue"),
    "report_due": _("Report due"),
    "read_report": _("Report to read"),
}


@router.get("/payments")
async def show_payments(request: Request) -> Response:
    return await _payments(request, await caller(request))


async def _payments(request: Request, actor: Actor, error: AppError | None = None) -> Response:
    here = house(request)
    asked, now, framework = _asked(request.query_params), here.now(), here.book.framework
    below = request.query_params.get("after", "")
    start = int(below) if below.isascii() and below.isdecimal() and len(below) < 16 else None
    wanted = _wanted(asked, PER_PAGE, start)
    found = await here.database.read_long(lambda tx: dues.overview(tx, actor, wanted, framework, now))
    years = sorted({year for year, _state in found.totals})
    yesterday = now.today - timedelta(days=1)
    return page(
        request,
        "payments.html",
        error.status if error else 200,
        error=error,
        dues=found,
        most=PER_PAGE,
        mine=[(WAITS[one.kind], one, _place(one)) for one in found.waiting if one.mine],
        others=[(WAITS[one.kind], one, _place(one)) for one in found.waiting if not one.mine],
        today=now.today,
        asked=asked,
        years=years,
        stages=list(Stage),
        tones=PAYMENT_TONES,
        totals={year: {stage: found.totals.get((year, stage), 0) for stage in Stage} for year in years},
        next_page=_address("/payments", asked, after=str(found.following)) if found.following else None,
        csv=_address("/payments.csv", asked),
        books=may(actor, "GET /payments/export"),
        first=request.query_params.get("from") or (yesterday - timedelta(days=30)).isoformat(),
        last=request.query_params.get("to") or yesterday.isoformat(),
    )


def _asked(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address; what is unknown is as if it were not there."""
    asked = {name: query.get(name, "") for name in ("state", "year", "cycle")}
    asked["state"] = asked["state"] if asked["state"] in set(Stage) else ""
    fine = {
        name: said if said.isascii() and said.isdecimal() and len(said) == 4 else "" for name, said in asked.items()
    }
    return {**fine, "state": asked["state"]}


def _wanted(asked: Mapping[str, str], limit: int, below: int | None) -> Wanted:
    states = (asked["state"],) if asked["state"] else ()
    year, cycle = (int(asked[name]) if asked[name] else None for name in ("year", "cycle"))
    return Wanted(states, year, cycle, limit, below)


def _address(place: str, asked: Mapping[str, str], **more: str) -> str:
    said = {name: value for name, value in {**asked, **more}.items() if value}
    return f"{place}?{urlencode(said)}" if said else place


def _place(one: Due) -> str:
    """Where what waits is done."""
    if one.kind.startswith("sign_amendment"):
        return f"/proposals/{one.ref}/amendments"
    if one.kind.startswith("sign"):
        return f"/proposals/{one.ref}/money"
    if "report" in one.kind:
        return f"/proposals/{one.ref}/reports/{one.number}"
    return f"/proposals/{one.ref}/money#tranche-{one.number}"


@router.get("/payments.csv")
async def show_sheet(request: Request) -> Response:
    """The whole filtered list as CSV."""
    actor, asked = await caller(request), _asked(request.query_params)
    name = f"payments-{house(request).now().today}"
    return await whole(request, PaymentOut, lambda tx, most: payments.page(tx, actor, _wanted(asked, most, None)), name)


@router.get("/payments/export")
async def show_books(request: Request) -> Response:
    """The finance system's file of these days; what is refused shows the page with the reason."""
    actor, here = await caller(request), house(request)
    library, now = here.library, here.now()
    try:
        first, last = (_day(request.query_params, name) for name in ("from", "to"))
        booked = await here.database.read_long(lambda tx: released.between(tx, first, last, library, now))
    except AppError as error:
        return await _payments(request, actor, error)
    return await sheet(request, BookedPayment, booked, f"payments-{first}-{last}")


def _day(query: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(query.get(name, ""))
    except ValueError:
        said = "A day such as 2026-11-22 is needed."
        raise Invalid("validation_failed", said, faults=[Fault(f"/{name}", "invalid", said)]) from None
