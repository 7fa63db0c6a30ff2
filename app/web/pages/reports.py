"""IOM's annual reports on one proposal: the years owed, each report against what was agreed; written, sent, decided here."""

import re
from collections import defaultdict
from collections.abc import Mapping
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
from app.web.pages.deeds import Form, amount, as_model, may, take, version
from app.web.pages.language import _
from app.web.pages.money import head
from app.web.pages.rendering import page
from app.web.requests import caller, house, parse, read_as

router = APIRouter(include_in_schema=False)
_HERE = "POST /proposals/{ref}/reports/{year}"
_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}(?:[.,\u00a0 ][0-9]{3})+")
MORE_RISKS = 2  # empty lines of a report's form, for risks that came true
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
async def show_report(ref: str, year: int, request: Request) -> Response:
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
        fields=_fields(found, given) if writes else {},
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


def _fields(found: Sheet, sent: Mapping[str, str]) -> dict[str, Any]:
    """What stands in the form: what was sent and refused, else the report as it is kept."""
    said = _sent(sent, found) if "lessons" in sent else found.report or Report().model_dump(mode="json")
    spent = {one["category"]: one["amount"] for one in said["spending"]}
    values = {one["code"]: one for one in said["indicators"]}
    claimed = [letter for letter, claim in (found.agreed.get("criteria") or {}).items() if claim]
    unspent = said["unspent"] or {"amount": "", "plan": ""}
    return {
        "progress": {letter: said["progress"].get(letter, "") for letter in sorted({*claimed, *said["progress"]})},
        "indicators": [
            {**one, "said": values.get(one["code"], {"value": "", "comment": "", "disaggregated": {}})}
            for one in found.agreed.get("indicators", [])
        ],
        "spent": {name: spent.get(name, "") for name in get_args(BudgetCategory)},
        "lessons": said["lessons"],
        "risks": [*said["risks"], *[{"category": "", "description": "", "response": ""}] * MORE_RISKS],
        "unspent": unspent,
        "attachments": said["attachments"],
        "final": said["final"],
    }


def _sent(form: Mapping[str, str], found: Sheet) -> dict[str, Any]:
    """The report a form holds, as the API takes it; what is left empty is left out."""
    progress = {
        name[9:]: text for name, said in form.items() if name.startswith("progress-") and (text := said.strip())
    }
    indicators = []
    for at, one in enumerate(found.agreed.get("indicators", [])):
        if value := form.get(f"value-{at}", "").strip():
            parts = _parts(form.get(f"parts-{at}", ""))
            more = {"disaggregated": parts, "comment": form.get(f"remark-{at}", "").strip()}
            indicators.append({"code": one["code"], "value": _measured(value), **more})
    spending = [
        {"category": name, "amount": amount(said)}
        for name in get_args(BudgetCategory)
        if (said := form.get(f"spent-{name}", "").strip())
    ]
    left = form.get("unspent", "").strip()
    return {
        "progress": progress,
        "indicators": indicators,
        "spending": spending,
        "lessons": form.get("lessons", "").strip(),
        "risks": _risks(form),
        "unspent": {"amount": amount(left), "plan": form.get("plan", "")} if left else None,
        "attachments": [one.id for one in found.files if form.get(f"file-{one.id}")],
        "final": bool(form.get("final")),
    }


def _measured(said: str) -> float | str:
    """A measured value, with a decimal point or comma; what is no number, or may be two, is left to be refused."""
    plain = said.replace(",", ".")
    if _GROUPED.fullmatch(said) or not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", plain):
        return said
    return float(plain) if "." in plain else int(plain)


def _report_of(sent: dict[str, Any]) -> Report:
    """The report of a form, or Invalid with every fault in it; a value that reads as two numbers is told apart."""
    made, faults = read_as(Report, sent)
    unclear = _unclear(sent)
    if made is None or unclear:
        told = {one.pointer for one in unclear}
        faults = [*unclear, *(one for one in faults if one.pointer not in told)]
        raise Invalid("validation_failed", "This cannot be taken as it was sent.", faults=faults)
    return made


def _unclear(sent: dict[str, Any]) -> list[Fault]:
    """A fault for each value such as `1,250`, which is 1250 to one reader and 1.25 to another."""
    found = []
    for at, one in enumerate(sent["indicators"]):
        named = {
            "value": one["value"],
            **{f"disaggregated/{name}": each for name, each in one["disaggregated"].items()},
        }
        for place, value in named.items():
            if isinstance(value, str) and _GROUPED.fullmatch(value):
                said = f"'{value}' can be read in two ways: write 1250 for a thousand and more, 1.25 for one and a quarter."
                found.append(Fault(f"/indicators/{at}/{place}", "ambiguous", said))
    return found


def _parts(said: str) -> dict[str, Any]:
    """`women 120; men 80` as the values by name."""
    pairs = (one.strip().rpartition(" ") for one in re.split(r"[;\n]", said) if one.strip())
    return {name.strip(" :=") or value: _measured(value) for name, _gap, value in pairs}


def _risks(form: Mapping[str, str]) -> list[dict[str, Any]]:
    risks, at = [], 0
    while f"risk-{at}" in form:
        if text := form.get(f"risk-{at}", "").strip():
            more = {"category": form.get(f"risk-category-{at}", ""), "response": form.get(f"response-{at}", "").strip()}
            risks.append({"description": text, **more})
        at += 1
    return risks


async def _take(request: Request, ref: str, year: int, said: str, work: Any) -> Response:
    return await take(
        request,
        work,
        lambda actor, error, form: _report(request, ref, year, actor, error, form),
        f"/proposals/{ref}/reports/{year}",
        said,
    )


@router.post("/proposals/{ref}/reports/{year}")
async def write(ref: str, year: int, request: Request) -> Response:
    """Save a report as far as it goes, from the form or from a file as the API takes it."""
    book, now = house(request).book, house(request).now()

    return await _take(request, ref, year, "saved", lambda tx, actor, form: _put(tx, actor, form, ref, year, book, now))


def _put(tx: Tx, actor: Actor, form: Form, ref: str, year: int, book: Rulebook, now: Now) -> None:
    found = accounts.sheet_of(tx, actor, ref, year, book, now)
    written = form.get("file", "").strip()
    new = as_model(Report, _parsed(written)) if written else _report_of(_sent(form, found))
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
async def submit(ref: str, year: int, request: Request) -> Response:
    """Save what the form holds and submit it, both or neither."""
    book, now = house(request).book, house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        _put(tx, actor, form, ref, year, book, now)
        reporting.submit(tx, actor, ref, year, None, now)

    return await _take(request, ref, year, "report_submitted", work)


@router.post("/proposals/{ref}/reports/{year}/accept")
async def accept(ref: str, year: int, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        reporting.decide(tx, actor, ref, year, Stage.ACCEPTED, None, version(form), now)

    return await _take(request, ref, year, "report_accepted", work)


@router.post("/proposals/{ref}/reports/{year}/return")
async def return_(ref: str, year: int, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        why = as_model(bodies.ReasonIn, {"reason": form.get("reason", "")}).reason
        reporting.decide(tx, actor, ref, year, Stage.RETURNED, why, version(form), now)

    return await _take(request, ref, year, "report_returned", work)
