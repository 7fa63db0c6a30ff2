"""People, offices and tokens: who has an account with which role, and the tokens that programs act with."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.db import Tx
from app.domain.people import SCOPES, Actor, Role
from app.errors import AppError, NotFound
from app.records.people import Wanted
from app.services import access, users
from app.services import offices as office_services
from app.web.api import bodies
from app.web.pages.addresses import whole
from app.web.pages.deeds import Form, as_model, filled, number, take, take_and_show, version
from app.web.pages.rendering import page
from app.web.requests import caller, house

router = APIRouter(include_in_schema=False)
PER_PAGE, MOST_TOKENS = 50, 100
_SCOPE = "scope-"


@router.get("/users")
async def show_users(request: Request) -> Response:
    return await _users(request, await caller(request))


async def _users(
    request: Request, actor: Actor, error: AppError | None = None, sent: Form | None = None, made: Any = None
) -> Response:
    asked = _asked(request.query_params)
    disabled = {"disabled": True, "enabled": False}.get(asked["state"])
    wanted = Wanted(asked["role"] or None, asked["q"] or None, disabled)
    after = whole(request.query_params.get("after")) or 0

    def read(tx: Tx) -> tuple[list[dict[str, Any]], int | None, list[dict[str, Any]]]:
        return *users.listed(tx, PER_PAGE, after, wanted), office_services.everyone(tx)

    rows, following, offices = await house(request).database.read(read)
    said = {name: value for name, value in asked.items() if value}
    return page(
        request,
        "users.html",
        error.status if error else 200,
        error=error,
        sent=defaultdict(str, sent or {}),
        rows=rows,
        offices=offices,
        roles=list(Role),
        asked=asked,
        next_page=f"/users?{urlencode({**said, 'after': following})}" if following else None,
    )


def _asked(query: Mapping[str, str]) -> dict[str, str]:
    role, state = query.get("role", ""), query.get("state", "")
    q = query.get("q", "").strip()[:200]
    return {
        "role": role if role in set(Role) else "",
        "state": state if state in ("enabled", "disabled") else "",
        "q": q if q.isprintable() else "",
    }


@router.post("/users")
async def add_user(request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        new = as_model(bodies.UserIn, {"name": "", "email": "", **filled(form, "name", "email", "role", "office")})
        users.add(tx, actor, new.name, new.email, new.role, new.office, now)

    return await take(request, work, partial(_users, request), "/users", "user_added")


@router.post("/users/{id}")
async def change_user(id: str, request: Request) -> Response:
    """Save what the form holds, or disable or enable: each by its own button."""
    now, person = house(request).now(), whole(id)
    if person is None:
        raise NotFound("person_not_found", "People have numbers; this is none.")

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        deeds = {"disable": {"disabled": True}, "enable": {"disabled": False}}
        said = deeds.get(form.get("deed", ""), filled(form, "name", "role", "office"))
        new = as_model(bodies.UserPatch, said)
        users.change(tx, actor, person, new.name, new.role, new.office, new.disabled, now)

    return await take(request, work, partial(_users, request), "/users", "user_changed")


@router.post("/offices")
async def add_office(request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        sent = {"code": "", "name": "", "kind": "iom", **filled(form, "code", "name", "kind")}
        new = as_model(bodies.OfficeIn, {**sent, "countries": _countries(form)})
        office_services.add(tx, actor, new.code, new.name, new.kind, new.countries, now)

    return await take(request, work, partial(_users, request), "/users#offices", "office_added")


@router.post("/offices/{code}")
async def change_office(code: str, request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        new = as_model(bodies.OfficePatch, {**filled(form, "name"), "countries": _countries(form)})
        office_services.change(tx, actor, code, new.name, new.countries, version(form), now)

    return await take(request, work, partial(_users, request), "/users#offices", "office_changed")


def _countries(form: Form) -> list[str]:
    """Codes as people write them, `TN, DZ`."""
    return re.findall(r"[^\s,;]+", form.get("countries", "").upper())


@router.get("/tokens")
async def show_tokens(request: Request) -> Response:
    return await _tokens(request, await caller(request))


async def _tokens(
    request: Request, actor: Actor, error: AppError | None = None, sent: Form | None = None, made: Any = None
) -> Response:
    """One's own tokens, or for an administrator one person's or everybody's; `made` is a token that is shown once."""
    person, after = whole(request.query_params.get("person")), whole(request.query_params.get("after")) or 0

    def read(tx: Tx) -> tuple[list[dict[str, Any]], int | None, dict[int, str]]:
        rows, following = access.listed(tx, actor, person, MOST_TOKENS, after)
        return rows, following, users.names(tx, [row["person"] for row in rows])

    here = house(request)
    rows, following, names = await here.database.read(read)
    said = {"person": person} if person else {}
    return page(
        request,
        "tokens.html",
        error.status if error else 200,
        error=error,
        sent=sent or {},
        rows=rows,
        names=names,
        made=made,
        now=here.now().at,
        everybody=actor.role is Role.ADMIN,
        scopes=SCOPES[actor.role],
        most=access.LIVE,
        next_page=f"/tokens?{urlencode({**said, 'after': following})}" if following else None,
    )


@router.post("/tokens")
async def issue_token(request: Request) -> Response:
    now = house(request).now()

    def work(tx: Tx, actor: Actor, form: Form) -> dict[str, Any]:
        said: dict[str, Any] = {"label": form.get("label", ""), "days": number(form.get("days", ""))}
        if scopes := [name.removeprefix(_SCOPE) for name in form if name.startswith(_SCOPE)]:
            said["scopes"] = scopes
        if form.get("person", "").strip():
            said["person"] = number(form["person"].strip())
        new = as_model(bodies.TokenIn, said)
        return access.request_token(tx, actor, new.person, new.label, new.scopes, new.days, now)

    async def show(actor: Actor, made: Any) -> Response:
        return await _tokens(request, actor, made=made)

    return await take_and_show(request, work, partial(_tokens, request), show)


@router.post("/tokens/{id}/revoke")
async def revoke_token(id: str, request: Request) -> Response:
    now, which = house(request).now(), whole(id)
    if which is None:
        raise NotFound("token_not_found", "Tokens have numbers; this is none.")

    def work(tx: Tx, actor: Actor, form: Form) -> None:
        access.revoke(tx, actor, which, now)

    return await take(request, work, partial(_tokens, request), "/tokens", "revoked")
