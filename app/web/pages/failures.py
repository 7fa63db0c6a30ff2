"""When a page cannot be shown or a form not be taken: what happened, what was kept, what to do, and a reference."""

from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from app.errors import AppError, Unauthorized
from app.web.answers import problem
from app.web.pages.forms import read_form
from app.web.pages.login import own_place
from app.web.pages.rendering import page, redirect

_API = ("/api/", "/health/", "/docs", "/static/", "/metrics")
AGAIN = "authentication_too_old"


async def answer(request: Request, error: AppError) -> Response:
    """A page for whoever reads pages, problem+json for all others."""
    path = request.url.path
    if path.startswith(_API) or "text/html" not in request.headers.get("accept", ""):
        return problem(error)
    if isinstance(error, Unauthorized) or error.code == AGAIN:
        return await _log_in(request, error)
    number = request.scope["state"].get("request_id", "")
    return page(request, "failure.html", error.status, error=error, number=number)


async def _log_in(request: Request, error: AppError) -> Response:
    """To the login and back; what a form held stays on the page until it can be sent again."""
    again = {"again": "1"} if error.code == AGAIN else {}
    if request.method == "GET":
        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return redirect(f"/login?{urlencode({**again, 'next': own_place(place)})}")
    try:
        kept = await read_form(request)
    except HTTPException:  # more than is kept
        kept = None
    if kept is None or request.scope["state"].get("carries_file"):  # the page it was sent from asks for the file anew
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
