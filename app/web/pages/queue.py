"""The queue: what waits for the reader first, then the cycle's money and its proposals with what is known of each."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.domain.people import IOM, Role
from app.domain.vocabulary import COUNTRIES
from app.errors import Invalid
from app.records.desk import MOST
from app.records.listing import Wanted
from app.services import desk
from app.services.desk import Desk, Row, Task
from app.web.cursors import after, cursor
from app.web.pages.language import _
from app.web.pages.rendering import page, redirect
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
PER_PAGE = 40  # with long titles in it a page stays under 60 KB
TABS = {
    "all": _("All"),
    "drafts": _("Drafts"),
    "review": _("To review"),
    "with_iom": _("Returned"),
    "decide": _("For decision"),
    "funded": _("Funded"),
    "ended": _("Ended"),
}
TASKS = {
    "decide": _("Record and conclude the decisions"),
    "table": _("Recommended: put it on an agenda"),
    "sign": _("Sign the agreement"),
    "sign_amendment": _("Sign the amendment"),
    "start_review": _("Start the review"),
    "assess": _("Assess it"),
    "recommend": _("Assessed: recommend it"),
    "read_report": _("Read the report"),
    "prepare": _("Prepare the tranche"),
    "release": _("Check and release the tranche"),
    "rework": _("Returned: rework and submit it"),
    "answer": _("Answer the question"),
    "finish": _("Finish the draft and submit it"),
    "receive": _("Confirm what was received"),
    "confirm_minutes": _("Confirm the minutes"),
}
TONES = {
    "draft": "quiet", "submitted": "busy", "under_review": "busy", "returned": "wait", "recommended": "ready",
    "deferred": "wait", "approved": "good", "agreed": "good", "disbursed": "good", "closed": "quiet",
    "rejected": "bad", "cancelled": "quiet",
}  # fmt: skip


@router.get("/")
async def show_queue(request: Request) -> Response:
    """The desk of whoever is logged in; filters stand in the address, and what makes no sense there is left out."""
    actor, here = await caller(request), house(request)
    if actor.role is Role.ADMIN:
        return redirect("/account")
    asked, now = _asked(request.query_params), here.now()
    tab = asked["tab"]
    wanted = _wanted(asked, request.query_params.get("after"))
    found = await here.database.read(lambda tx: desk.queue(tx, actor, wanted, tab, asked["cycle"] == "all", now))
    if asked["cycle"] != "all" and asked["cycle"] != str(found.year):  # an unknown one, or none
        asked["cycle"] = ""
    mandatory: set[str] = {one.letter for one in here.book.criteria.criteria if one.mandatory}
    return page(
        request,
        "queue.html",
        desk=found,
        asked=asked,
        today=now.today,
        tabs=_tabs(found, asked, actor.role in IOM),
        tasks=[(TASKS[one.kind], one, _place(one)) for one in found.tasks],
        rows=[_shown(one, mandatory, now.today) for one in found.rows],
        countries=[code for region in here.book.framework.regions for code in region.countries],
        bars=_bars(found),
        next_page=_address(asked, after=cursor(found.following, asked["sort"])) if found.following else None,
        most=MOST,
        per_page=PER_PAGE,
        cut=any(number > MOST for number in Counter(one.kind for one in found.tasks).values()),
        mandatory=sorted(mandatory),
    )


def _asked(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address; what is unknown is as if it were not there."""
    sort, tab, country = query.get("sort"), query.get("tab"), query.get("country", "")
    cycle = query.get("cycle", "")
    return {
        "tab": tab if tab in TABS else "all",
        "q": query.get("q", "")[:200].strip(),
        "country": country if country in COUNTRIES else "",
        "cycle": cycle if cycle == "all" or (cycle.isdecimal() and len(cycle) == 4) else "",
        "sort": sort if sort in ("updated_at", "total") else "updated_at",
    }


def _wanted(asked: Mapping[str, str], place: str | None) -> Wanted:
    begin = None
    if place:
        try:
            begin = after(place, asked["sort"])
        except Invalid:  # an old address of a page is the first page
            begin = None
    return Wanted(
        cycle=int(asked["cycle"]) if asked["cycle"].isdecimal() else None,
        country=asked["country"] or None,
        q=asked["q"] or None,
        by_total=asked["sort"] == "total",
        limit=PER_PAGE,
        after=begin,
    )


def _address(asked: Mapping[str, str], **more: str) -> str:
    usual = {"tab": "all", "sort": "updated_at"}
    said = {name: value for name, value in {**asked, **more}.items() if value and usual.get(name) != value}
    return f"/?{urlencode(said)}" if said else "/"


def _tabs(found: Desk, asked: Mapping[str, str], outside: bool) -> list[tuple[str, str, int, bool]]:
    """Address, label, number, whether it is shown now; the Danish side has no drafts."""
    counts = {"all": sum(found.counts.values()), **found.counts}
    return [
        (_address(asked, tab=name), label, counts[name], name == asked["tab"])
        for name, label in TABS.items()
        if outside or name != "drafts"
    ]


def _place(one: Task) -> str:
    if one.kind in ("decide", "confirm_minutes"):
        return f"/consultations/{one.number}"
    tranche = f"/money#tranche-{one.number}"
    parts = {
        "assess": "#assessment", "answer": "#clarifications", "start_review": "#actions", "recommend": "#actions",
        "sign": "/money", "sign_amendment": "/amendments", "read_report": f"/reports/{one.number}",
        "prepare": tranche, "release": tranche, "receive": tranche,
    }  # fmt: skip
    return f"/proposals/{one.ref}{parts.get(one.kind, '')}"


def _shown(one: Row, mandatory: set[str], today: Any) -> dict[str, Any]:
    head = one.head
    return {
        "ref": head.ref,
        "title": head.title,
        "office": head.office_code,
        "countries": one.countries,
        "strip": [(letter, state, letter in mandatory) for letter, state in one.criteria.items()],
        "gap": [letter for letter, state in one.criteria.items() if letter in mandatory and state == "not_met"],
        "total": head.total_tenths / 10,
        "requested": head.requested_dkk,
        "state": head.state,
        "tone": TONES[head.state],
        "due_on": one.due_on,
        "days": (one.due_on - today).days if one.due_on else None,
    }


def _bars(found: Desk) -> dict[str, Any]:
    """The widths of the bar: approved, recommended, other requests, where the envelope ends; in percent of the widest."""
    money = found.money
    other = max(0, money.requested - money.recommended - money.approved)
    widest = max(money.envelope, money.approved + money.recommended + other, 1)
    parts = [("approved", money.approved), ("recommended", money.recommended), ("other", other)]
    at, bars = 0.0, []
    for name, amount in parts:
        width = 100 * amount / widest
        bars.append((name, round(at, 2), round(width, 2), amount))
        at += width
    return {"parts": bars, "mark": round(100 * money.envelope / widest, 2)}
