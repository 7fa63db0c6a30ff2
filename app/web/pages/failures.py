"""When a page cannot be shown or a form not be taken: what happened, what was kept, what to do, and a reference."""

import asyncio
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.errors import AppError, Unauthorized
from app.web.answers import problem
from app.web.pages.forms import read_form
from app.web.pages.login import own_place
from app.web.pages.rendering import page, redirect

_API = ("/api/", "/health/", "/docs", "/static/", "/metrics")
_NEVER_KEPT = ("/login", "/login/code", "/login/enrol")  # no page shall hold a password
_FILES = ("/drafts/new", "/papers")  # these take a file as it is, which a page cannot send again
_PATIENCE = 30.0  # seconds: of a body that was begun elsewhere the rest never comes
AGAIN = "authentication_too_old"


async def answer(request: Request, error: AppError) -> Response:
    """A page for whoever reads pages, problem+json for all others."""
    path = request.url.path
    if path.startswith(_API) or "text/html" not in request.headers.get("accept", ""):
        return problem(error)
    if isinstance(error, Unauthorized) or error.code == AGAIN:
        return await _log_in(request, error)
    number = request.scope["state"].get("request_id", "")
    kept = await _kept(request) if _loses_what_was_sent(request, error) else None
    made = page(request, "failure.html", error.status, error=error, number=number, kept=kept, place=path)
    made.headers.update(error.headers or {})  # such as when to come again
    return made


def _loses_what_was_sent(request: Request, error: AppError) -> bool:
    """Whether a form's own page could not come again with what it held. A flood from nobody we know is not read."""
    hurried = error.status == HTTPStatus.TOO_MANY_REQUESTS and "actor" in request.scope["state"]
    return request.method == "POST" and (hurried or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR)


async def _kept(request: Request) -> dict[str, str] | None:
    """What a form held, to be sent again as it was; None where that cannot be."""
    if request.url.path in _NEVER_KEPT or request.url.path.endswith(_FILES):
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            return await read_form(request)
    except (AppError, HTTPException, ClientDisconnect, TimeoutError):  # none, or more than is kept
        return None


async def _log_in(request: Request, error: AppError) -> Response:
    """To the login and back; what a form held stays on the page until it can be sent again."""
    again = {"again": "1"} if error.code == AGAIN else {}
    if request.method == "GET":
        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return redirect(f"/login?{urlencode({**again, 'next': own_place(place)})}")
    kept = await _kept(request)
    if kept is None:  # the page it was sent from asks for it anew
        return redirect(f"/login?{urlencode({**again, 'next': _sent_from(request)})}")
    login = f"/login?{urlencode({**again, 'next': '/account'})}"
    return page(request, "kept.html", error.status, kept=kept, login=login, place=request.url.path, again=bool(again))


def _sent_from(request: Request) -> str:
    """The page of ours that a form was sent from, as the browser names it; else where it was sent to."""
    try:
        said = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        said = urlsplit("")
    if said.netloc != request.headers.get("host") or not said.path:
        return own_place(request.url.path)
    return own_place(said.path + (f"?{said.query}" if said.query else ""))
