"""The log of acts: filtered, paged, exported as a sheet, verified from its first entry."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.cycle import start_of
from app.records.audit import Wanted
from app.services import audit, users
from app.web.api.audit import AuditEntry
from app.web.pages.addresses import day, whole
from app.web.pages.rendering import page
from app.web.requests import caller, house
from app.web.sheets import MOST, sheet

router = APIRouter(include_in_schema=False)
PER_PAGE = 50
_HEX = frozenset("0123456789abcdef")


@router.get("/audit")
async def show_log(request: Request) -> Response:
    """Filters stand in the address; what makes no sense there is left out."""
    await caller(request)
    asked = _asked(request.query_params)
    wanted = _wanted(asked, PER_PAGE, whole(request.query_params.get("after")))

    def read(tx: Tx) -> tuple[list[dict[str, Any]], int | None, dict[int, str]]:
        rows, following = audit.listed(tx, wanted)
        return rows, following, users.names(tx, [row["actor"]["id"] for row in rows if row["actor"]])

    rows, following, names = await house(request).database.read(read)
    said = {name: value for name, value in asked.items() if value}
    return page(
        request,
        "audit.html",
        rows=rows,
        names=names,
        asked=asked,
        export=f"/audit/export?{urlencode(said)}",
        most=MOST,
        next_page=f"/audit?{urlencode({**said, 'after': following})}" if following else None,
    )


def _asked(query: Mapping[str, str]) -> dict[str, str]:
    said = {name: query.get(name, "").strip()[:120] for name in ("event", "subject", "person", "since", "until")}
    said |= {name: "" for name in ("event", "subject") if not said[name].isprintable()}
    said["person"] = said["person"] if whole(said["person"]) else ""
    return said | {name: said[name] if day(said[name]) else "" for name in ("since", "until")}


def _wanted(asked: Mapping[str, str], limit: int, below: int | None) -> Wanted:
    since, until = day(asked["since"]), day(asked["until"], later=1)
    return Wanted(
        event=asked["event"] or None,
        person=whole(asked["person"]),
        subject=asked["subject"] or None,
        since=start_of(since) if since else None,
        until=start_of(until) if until else None,
        limit=limit,
        below=below,
    )


@router.get("/audit/export")
async def export(request: Request) -> Response:
    """The filtered entries as a sheet, the newest first and as many as a sheet holds."""
    await caller(request)
    wanted, here = _wanted(_asked(request.query_params), MOST, None), house(request)
    rows, _ = await here.database.read_long(lambda tx: audit.listed(tx, wanted))
    return await sheet(request, AuditEntry, rows, f"audit-{here.now().today}")


@router.get("/audit/verify")
async def verify(request: Request) -> Response:
    """Read the whole log now and say whether it is whole; published heads can be held against it."""
    await caller(request)
    said = request.query_params.get("heads", "").lower().split()[:50]
    heads = [one for one in said if len(one) == 64 and set(one) <= _HEX]
    strange = [one for one in said if one not in heads]
    proof = await house(request).database.read_long(lambda tx: audit.verify(tx, heads))
    return page(request, "audit_verified.html", proof=proof, heads=heads, strange=strange)
