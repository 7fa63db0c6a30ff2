"""A technical meeting in the field: what was discussed, who follows it up; written down, changed, cancelled."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import AppError
from app.services import meetings
from app.web.api import bodies
from app.web.pages import consultations
from app.web.pages.addresses import Id
from app.web.pages.board import named
from app.web.pages.consultations import lines
from app.web.pages.deeds import Form, as_model, may, number, take, version
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
BLANK = 3  # empty rows for follow-ups at the end of the form
_ROW = re.compile(r"follow_ups/([0-9]{1,3})/[a-z_]+")
FIELDS = ("date", "place", "participants", "proposals", "notes")
FOLLOW_UP = ("what", "owner", "due_on", "done")


@router.get("/technical-meetings/{id}")
async def show_meeting(id: Id, request: Request) -> Response:
    return await _meeting(request, await caller(request), id)


async def _meeting(
    request: Request, actor: Actor, id: int, error: AppError | None = None, sent: Mapping[str, str] | None = None
) -> Response:
    """The meeting, with what was refused and what the refused form held."""
    here = house(request)
    found = await here.database.read(lambda tx: meetings.described(tx, actor, id))
    today = here.now().today
    return page(
        request,
        "meeting.html",
        error.status if error else 200,
        one=found,
        today=today,
        people=[named(one) for one in found["participants"]],
        form=_form(found, sent),
        prepares=may(actor, "POST /technical-meetings/{id}") and found["cancelled_at"] is None,
        ahead=str(found["date"]) >= today.isoformat(),
        error=error,
        refused=(sent or {}).get("form", ""),
        sent=defaultdict(str, sent or {}),
    )


def _form(found: Mapping[str, Any], sent: Mapping[str, str] | None) -> dict[str, Any]:
    """What the form holds: what was sent, else what is written, with empty rows for more follow-ups."""
    if sent and sent.get("form") == "change":
        rows = [{name: sent.get(f"follow_ups/{i}/{name}", "") for name in FOLLOW_UP} for i in range(_rows(sent))]
        return {**dict.fromkeys(FIELDS, ""), **sent, "follow_ups": rows}
    written = [{**one, "done": "on" if one["done"] else ""} for one in found["follow_ups"]]
    return {
        "date": found["date"],
        "place": found["place"],
        "participants": "\n".join(named(one) for one in found["participants"]),
        "proposals": "\n".join(found["proposals"]),
        "notes": found["notes"],
        "follow_ups": [*written, *(dict.fromkeys(FOLLOW_UP, "") for _i in range(BLANK))],
    }


def _rows(form: Mapping[str, str]) -> int:
    """How many rows of follow-ups a form holds."""
    return 1 + max((int(found[1]) for name in form if (found := _ROW.fullmatch(name))), default=-1)


def _sent(form: Form, cycle: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """A form as the API takes a meeting; a row of the follow-ups without a word in it is none."""
    rows = [{name: form.get(f"follow_ups/{i}/{name}", "").strip() for name in FOLLOW_UP} for i in range(_rows(form))]
    return {
        "cycle": cycle,
        "date": form.get("date", ""),
        "place": form.get("place", ""),
        "participants": [known.get(line, line) for line in lines(form.get("participants", ""))],
        "proposals": form.get("proposals", "").replace(",", " ").split(),
        "notes": form.get("notes", "").strip(),
        "follow_ups": [{**row, "done": row["done"] == "on"} for row in rows if any(row.values())],
    }


@router.post("/technical-meetings")
async def add(request: Request) -> Response:
    """Write a meeting down, before it is held or after."""
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        new = as_model(bodies.MeetingIn, _sent(form, number(form.get("cycle", "")), {}))
        meetings.add(tx, actor, new.model_dump(), now)

    return await take(request, work, lambda *more: consultations.shown(request, *more), "/consultations", "written")


@router.post("/technical-meetings/{id}")
async def change(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        there = meetings.described(tx, actor, id)
        known = {named(one): one for one in there["participants"]}
        new = as_model(bodies.MeetingIn, _sent(form, there["cycle"], known))
        meetings.replace(tx, actor, id, new.model_dump(), version(form), True, now)

    return await _take(request, id, work, "written")


@router.post("/technical-meetings/{id}/cancel")
async def cancel(id: Id, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        why = as_model(bodies.ReasonIn, {"reason": form.get("reason", "").strip()}).reason
        meetings.cancel(tx, actor, id, why, version(form), now)

    return await _take(request, id, work, "called_off")


async def _take(request: Request, id: int, work: Any, said: str) -> Response:
    def again(actor: Actor, error: AppError, form: Form) -> Any:
        return _meeting(request, actor, id, error, form)

    return await take(request, work, again, f"/technical-meetings/{id}", said)
