"""The consultations and technical meetings there are, what comes next, and planning another."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import Actor
from app.errors import AppError
from app.services import consultations, sitting
from app.services.consultations import Plan
from app.web.api import bodies
from app.web.pages.deeds import Form, as_model, may, number, take
from app.web.pages.language import _
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
STAGES = {
    "planned": (_("Planned"), "busy"),
    "open": (_("Open"), "ready"),
    "concluded": (_("Concluded"), "good"),
    "cancelled": (_("Cancelled"), "quiet"),
}


@router.get("/consultations")
async def show_consultations(request: Request) -> Response:
    return await shown(request, await caller(request))


async def shown(
    request: Request, actor: Actor, error: AppError | None = None, sent: Mapping[str, str] | None = None
) -> Response:
    """Both lists, with what was refused and what the refused form held."""
    here = house(request)
    now, below = here.now(), request.query_params.get("before", "")
    older = int(below) if below.isascii() and below.isdecimal() and len(below) < 10 else None
    found = await here.database.read(lambda tx: sitting.meetings_for(tx, actor, older))
    ahead = [one for one in found.consultations if one["state"] in ("planned", "open")]
    return page(
        request,
        "consultations.html",
        error.status if error else 200,
        found=found,
        coming=min(ahead, key=lambda one: str(one["date"]), default=None),
        stages=STAGES,
        today=now.today,
        prepares=may(actor, "POST /consultations"),
        error=error,
        sent=defaultdict(str, sent or {}),
    )


@router.post("/consultations")
async def plan(request: Request) -> Response:
    """Plan a consultation; on a day outside the first quarter with a reason."""
    here = house(request)
    book, now = here.book, here.now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        new = as_model(bodies.ConsultationIn, {"cycle": number(form.get("cycle", "")), **when_and_where(form)})
        people = new.model_dump()["participants"]
        consultations.create(tx, actor, Plan(new.cycle, new.date, new.place, people, new.reason), book, now)

    return await take(request, work, lambda *more: shown(request, *more), "/consultations", "planned")


def when_and_where(form: Form) -> dict[str, Any]:
    """Day, place, participants (one a line) and reason as the API takes them; an empty reason is none."""
    return {
        "date": form.get("date", ""),
        "place": form.get("place", ""),
        "participants": lines(form.get("participants", "")),
        "reason": form.get("reason", "").strip() or None,
    }


def lines(text: str) -> list[str]:
    """The lines of a text that say something."""
    return [said for line in text.strip().split("\n") if (said := line.strip())]
