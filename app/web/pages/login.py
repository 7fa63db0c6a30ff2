"""Logging in and out in a browser: at the identity provider, or with password and one-time code; plain forms."""

import asyncio
import io
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import segno
from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.errors import AppError, Unauthorized
from app.logs import logger
from app.services import audit, logins, sessions, users
from app.services.provider import Lie, Pending
from app.web.pages.rendering import page, redirect
from app.web.requests import House, house
from app.web.shield import COOKIE

router = APIRouter(include_in_schema=False)
log = logger("login")
_COOKIE = f"{COOKIE}={{}}; Path=/; Secure; HttpOnly; SameSite=Lax"


def _with_cookie(answer: Response, secret: str) -> Response:
    answer.headers["Set-Cookie"] = _COOKIE.format(secret)
    return answer


def _without_cookie(answer: Response) -> Response:
    answer.headers["Set-Cookie"] = _COOKIE.format("") + "; Max-Age=0"
    return answer


def own_place(said: str | None) -> str:
    """Where to go after the login: a path of ours, never another site."""
    fine = bool(said) and str(said).isascii() and str(said).isprintable()
    return str(said) if fine and str(said).startswith("/") and not str(said).startswith(("//", "/\\")) else "/"


async def _form(request: Request, *names: str) -> dict[str, str]:
    """The named fields of a small form, empty where they are missing or no text."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return dict.fromkeys(names, "")
    form = await request.form(max_files=0, max_fields=10, max_part_size=10_000)
    found = {name: form.get(name) for name in names}
    return {name: value[:1000] if isinstance(value, str) else "" for name, value in found.items()}


def _address(request: Request) -> str:
    return str(request.scope["state"]["address"])


@router.get("/login")
async def show_login(request: Request) -> Response:
    return _login_page(request)


def _login_page(request: Request, error: AppError | None = None, place: str | None = None) -> Response:
    here = house(request)
    shown: dict[str, Any] = {
        "local": here.settings.local_login,
        "sso": here.provider is not None,
        "again": "again" in request.query_params,
        "place": own_place(place or request.query_params.get("next")),
        "error": error.detail if error else None,
    }
    answer = page(request, "login.html", error.status if error else 200, **shown)
    if error and "Retry-After" in error.headers:
        answer.headers["Retry-After"] = error.headers["Retry-After"]
    return answer


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Password first; then the second factor, except for demo accounts that have none."""
    here, address = house(request), _address(request)
    sent = await _form(request, "email", "password", "next")
    now, place = here.now(), own_place(sent["next"])
    if not here.settings.local_login:
        return _login_page(request, Unauthorized("local_login_off", "Local accounts are switched off."), place)
    try:
        await here.database.write(lambda tx: logins.count_attempt(tx, "login", sent["email"], address, now))
        account = await here.database.read(lambda tx: logins.known(tx, sent["email"]))
        if not await asyncio.to_thread(logins.fits, account, sent["password"]):
            await here.database.write(lambda tx: logins.refuse(tx, account, "password", now, address))
    except AppError as error:
        return _login_page(request, error, place)
    person_id, old = int(account.person_id or 0), request.cookies.get(COOKIE)

    def after_password(tx: Tx) -> tuple[str, str]:
        if logins.second_factor(tx, person_id) is None and here.settings.demo:
            return sessions.log_in(tx, person_id, old, "demo password", now, address), place
        step = "code" if logins.second_factor(tx, person_id) else "enrol"
        state = {"step": step, "next": place, **({"secret": logins.new_secret()} if step == "enrol" else {})}
        return sessions.begin_login(tx, person_id, state, old, now), f"/login/{step}"

    secret, next_place = await here.database.write(after_password)
    return _with_cookie(redirect(next_place), secret)


@router.get("/login/code")
async def show_code(request: Request) -> Response:
    return await _step_page(request, "code")


@router.get("/login/enrol")
async def show_enrol(request: Request) -> Response:
    return await _step_page(request, "enrol")


async def _step_page(request: Request, step: str, error: AppError | None = None) -> Response:
    """The page of a login's second step, or the beginning when there is no such login under way."""
    here, secret = house(request), request.cookies.get(COOKIE)
    now = here.now()

    def offered(tx: Tx) -> tuple[str, str]:
        row, state = sessions.unfinished(tx, secret, step, now)
        if step == "code":
            return "", ""
        return state["secret"], users.described(tx, row.person_id)["email"]

    try:
        key, email = await here.database.read(offered)
    except Unauthorized:
        return redirect("/login")
    shown: dict[str, Any] = {"error": error.detail if error else None}
    if step == "enrol":
        shown |= {"key": " ".join(key[i : i + 4] for i in range(0, len(key), 4)), "qr": _qr(key, email)}
    return page(request, f"{step}.html", error.status if error else 200, **shown)


def _qr(key: str, email: str) -> str:
    picture = io.BytesIO()
    code = segno.make(logins.provisioning_uri(key, email), error="m")
    code.save(picture, kind="svg", scale=5, xmldecl=False, svgclass="qr", omitsize=True, nl=False)
    return picture.getvalue().decode()


@router.post("/login/code")
async def take_code(request: Request) -> Response:
    return await _take(request, "code")


@router.post("/login/enrol")
async def take_enrolment(request: Request) -> Response:
    return await _take(request, "enrol")


async def _take(request: Request, step: str) -> Response:
    """A one-time code: it ends the login, or takes a new second factor into use and shows the recovery codes."""
    here, secret, address = house(request), request.cookies.get(COOKIE), _address(request)
    code, now = (await _form(request, "code"))["code"], here.now()

    def work(tx: Tx) -> tuple[str, str, list[str]]:
        row, state = sessions.unfinished(tx, secret, step, now)
        person_id, means, fresh = int(row.person_id), None, None
        logins.count_attempt(tx, "code", str(person_id), None, now)
        if step == "enrol":
            fresh = logins.confirm_second_factor(tx, person_id, state["secret"], code, now)
        else:
            means = logins.use_code(tx, person_id, code, now)
        if not fresh and not means:
            logins.refuse(tx, logins.Known(person_id, ""), "code", now, address)
        opened = sessions.log_in(tx, person_id, secret, f"password and {means or 'enrolment'}", now, address)
        return opened, state["next"], fresh or []

    try:
        opened, place, fresh = await here.database.write(work)
    except AppError as error:
        return redirect("/login") if error.code == "login_expired" else await _step_page(request, step, error)
    if fresh:
        return _with_cookie(page(request, "recovery.html", codes=fresh, place=place), opened)
    return _with_cookie(redirect(place), opened)


@router.get("/login/sso")
async def go_to_provider(request: Request) -> Response:
    here = house(request)
    if here.provider is None:
        return _login_page(request, Unauthorized("provider_missing", "No identity provider is configured."))
    pending, now, again = Pending.fresh(), here.now(), "again" in request.query_params
    place = own_place(request.query_params.get("next"))
    try:
        address = await here.provider.begin(pending, again)
    except Lie as lie:
        return await _lied(request, here, lie)
    state = {"step": "sso", "next": place, "again": again, **asdict(pending)}
    old = request.cookies.get(COOKIE)
    secret = await here.database.write(lambda tx: sessions.begin_login(tx, None, state, old, now))
    return _with_cookie(redirect(address), secret)


@router.get("/login/callback")
async def come_back(request: Request) -> Response:
    """The browser's return from the provider."""
    here, secret, address = house(request), request.cookies.get(COOKIE), _address(request)
    now = here.now()
    if here.provider is None:
        return redirect("/login")
    try:
        row, state = await here.database.read(lambda tx: sessions.unfinished(tx, secret, "sso", now))
    except Unauthorized as error:
        return _login_page(request, error)
    pending = Pending(state["state"], state["nonce"], state["verifier"])
    spent = {**state, "step": "spent"}
    await here.database.write(lambda tx: sessions.spend(tx, row.sha256, spent))
    try:
        who = await here.provider.finish(pending, dict(request.query_params), state["again"])
        proved = datetime.fromtimestamp(who.authenticated_at, UTC)

        def work(tx: Tx) -> str:
            person_id = users.from_provider(tx, who, now)
            return sessions.log_in(tx, person_id, secret, "identity provider", now, address, proved)

        opened = await here.database.write(work)
    except AppError as error:
        return await _lied(request, here, error)
    return _with_cookie(redirect(state["next"]), opened)


async def _lied(request: Request, here: House, error: AppError) -> Response:
    """Nobody is logged in; what was wrong stands in the logs, the page says only that it did not work."""
    now, address, code = here.now(), _address(request), error.code
    log.warning("provider_refused", code=code)
    await here.database.write(
        lambda tx: audit.record(tx, None, "login.refused", "provider", now, {"step": code}, address=address)
    )
    return _login_page(request, Unauthorized(code, "The login at the identity provider could not be used. Try again."))


@router.post("/logout")
async def log_out(request: Request) -> Response:
    here, secret = house(request), request.cookies.get(COOKIE)
    if secret:
        now, address = here.now(), _address(request)
        await here.database.write(lambda tx: sessions.log_out(tx, secret, now, address))
    return _without_cookie(redirect("/login"))
