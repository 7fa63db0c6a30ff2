"""Where a reminder's link leads: a page with one button. Opening it changes nothing, for mail scanners open every link."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.errors import NotFound
from app.services import preferences
from app.services.preferences import Wishes
from app.web.pages.rendering import page
from app.web.requests import house

router = APIRouter(include_in_schema=False)


@router.get("/unsubscribe/{uid}")
async def ask(uid: str, request: Request) -> Response:
    return await _page(request, "ask", lambda tx: preferences.offered(tx, uid), writes=False)


@router.post("/unsubscribe/{uid}")
async def end(uid: str, request: Request) -> Response:
    now, address = house(request).now(), request.scope["state"]["address"]
    return await _page(request, "done", lambda tx: preferences.unsubscribe(tx, uid, now, address), writes=True)


async def _page(request: Request, step: str, work: Callable[[Tx], Wishes], writes: bool) -> Response:
    """The page in the language of the mail; for an address that is none in the reader's own."""
    database = house(request).database
    try:
        wishes = await (database.write(work) if writes else database.read(work))
    except NotFound:
        return page(request, "unsubscribe.html", 404, step="unknown")
    return page(request, "unsubscribe.html", language=wishes.language, step=step if wishes.reminders else "done")
