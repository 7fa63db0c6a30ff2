"""People and their tokens, for administrators; and everybody's own tokens."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.db import Tx
from app.domain.people import Actor, Role
from app.services import access, users
from app.services.idempotency import Answer
from app.web.answers import ok, write
from app.web.api import bodies, shapes
from app.web.api.docs import answers
from app.web.requests import caller, check_query, house, read_body
from app.web.sheets import paged


class UserOut(shapes.Out):
    id: int
    name: str
    email: str
    role: Role
    office: str | None
    disabled: bool
    created_at: datetime


class UserPage(shapes.Out):
    items: list[UserOut]
    next_cursor: int | None


class TokenOut(shapes.Out):
    id: int
    person: int
    label: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class TokenMade(TokenOut):
    token: str


class TokenPage(shapes.Out):
    items: list[TokenOut]
    next_cursor: int | None


router = APIRouter(prefix="/api/v1", tags=["people"])
Id = Annotated[int, Path(ge=1, le=2**53)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[int, Query(ge=0, le=2**53)]
Whoever = Annotated[Actor, Depends(caller)]

_USER = {
    "id": 7,
    "name": "A. Reviewer",
    "email": "reviewer@example.org",
    "role": "mfa_reviewer",
    "office": None,
    "disabled": False,
    "created_at": "2026-11-23T09:07:00Z",
}
_TOKEN = {
    "id": 3,
    "person": 7,
    "label": "submission script",
    "scopes": ["proposals:read"],
    "created_at": "2026-11-23T09:07:00Z",
    "expires_at": "2027-11-23T09:07:00Z",
    "revoked_at": None,
    "last_used_at": None,
}


@router.get(
    "/users",
    operation_id="list_users",
    summary="Everybody who has an account",
    responses=answers(UserPage, {"items": [_USER], "next_cursor": None}, 422),
)
async def list_users(request: Request, actor: Whoever, limit: Limit = 50, cursor: Cursor = 0) -> Response:
    check_query(request, {"limit", "cursor"})
    return await paged(request, UserOut, lambda tx, most: users.listed(tx, most, cursor), limit)


@router.post(
    "/users",
    operation_id="add_user",
    summary="Add a person",
    status_code=201,
    responses=answers(UserOut, _USER, 400, 409, 413, 415, 422, status=201),
)
async def add_user(request: Request) -> Response:
    actor = await caller(request)
    now = house(request).now()
    new, raw = await read_body(request, bodies.UserIn)

    def work(tx: Tx) -> Answer:
        made = users.add(tx, actor, new.name, new.email, new.role, new.office, now)
        return ok(made, 201, {"Location": f"/api/v1/users/{made['id']}"})

    return await write(request, actor, raw, work)


@router.patch(
    "/users/{id}",
    operation_id="change_user",
    summary="Change, disable or enable a person",
    responses=answers(UserOut, _USER, 400, 404, 409, 413, 415, 422),
)
async def change_user(id: Id, request: Request, actor: Whoever) -> Response:
    """Disabling ends every session and token at once."""
    now = house(request).now()
    await house(request).database.read(lambda tx: users.described(tx, id))
    new, raw = await read_body(request, bodies.UserPatch)
    return await write(
        request,
        actor,
        raw,
        lambda tx: ok(users.change(tx, actor, id, new.name, new.role, new.office, new.disabled, now)),
    )


@router.get(
    "/tokens",
    operation_id="list_tokens",
    summary="Your tokens; for an administrator everybody's, or one person's",
    responses=answers(TokenPage, {"items": [_TOKEN], "next_cursor": None}, 422),
)
async def list_tokens(
    request: Request,
    actor: Whoever,
    limit: Limit = 50,
    cursor: Cursor = 0,
    person: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    check_query(request, {"limit", "cursor", "person"})
    return await paged(request, TokenOut, lambda tx, most: access.listed(tx, actor, person, most, cursor), limit)


@router.post(
    "/tokens",
    operation_id="issue_token",
    summary="Issue a token; it is shown once",
    status_code=201,
    responses=answers(TokenMade, {**_TOKEN, "token": "earmark_..."}, 400, 404, 409, 413, 415, 422, status=201),
)
async def issue_token(request: Request) -> Response:
    """For yourself, or as an administrator for anybody. Two live tokens a person: for changing over from old to new."""
    actor = await caller(request)
    now = house(request).now()
    new, raw = await read_body(request, bodies.TokenIn)

    def work(tx: Tx) -> Answer:
        made = access.request_token(tx, actor, new.person, new.label, new.scopes, new.days, now)
        return ok(made, 201, {"Location": f"/api/v1/tokens/{made['id']}"})

    return await write(request, actor, raw, work)


@router.delete(
    "/tokens/{id}",
    operation_id="revoke_token",
    summary="Revoke a token at once",
    status_code=204,
    responses=answers(None, None, 404, 422, status=204),
)
async def revoke_token(id: Id, request: Request, actor: Whoever) -> Response:
    now = house(request).now()
    await house(request).database.write(lambda tx: access.revoke(tx, actor, id, now))
    return Response(status_code=204)
