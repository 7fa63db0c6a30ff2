"""Writing an answer: JSON encoded once, problem+json for every refusal, each write done once and committed first."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from zlib import crc32

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.db import Tx
from app.domain.people import Actor
from app.encoding import encode
from app.errors import AppError, Conflict, Fault, Forbidden
from app.faults import pointer
from app.services import audit
from app.services.idempotency import Answer, once
from app.web.access import methods_at
from app.web.requests import fingerprint, house, idempotency_key

PROBLEM = "application/problem+json"
# Their answers may not be kept for a repetition: each tells a secret, once. Reminders end once anyway.
NEVER_KEPT = frozenset({"issue_token", "create_feed", "add_webhook", "rotate_webhook", "unsubscribe"})


def ok(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer with a JSON value; bytes are taken as JSON that is encoded already."""
    return Answer(status, value if isinstance(value, bytes) else encode(value), headers or {})


def etag(version: int, body: bytes = b"") -> dict[str, str]:
    """The version, and where the answer varies by more than that (by day, by reader) a checksum of its body."""
    return {"ETag": f'"{version}-{crc32(body):08x}"' if body else f'"{version}"'}


def versioned(said: dict[str, Any], status: int = 200, place: str = "") -> Answer:
    """A thing with its version, which varies by reader or day; `place` is the address of what was made (201)."""
    answer = ok(said, status, {"Location": place} if place and status == HTTPStatus.CREATED else {})
    answer.headers.update(etag(said["version"], answer.body))
    return answer


def response(answer: Answer) -> Response:
    kind = PROBLEM if answer.status >= HTTPStatus.BAD_REQUEST else "application/json"
    return Response(answer.body, answer.status, answer.headers, kind)


def conditional(request: Request, answer: Answer) -> Response:
    """The answer, or 304 when the client has this version."""
    tag = answer.headers.get("ETag")
    if tag and is_known(request, tag):
        return Response(status_code=304, headers=answer.headers)
    return response(answer)


def is_known(request: Request, tag: str) -> bool:
    """Whether the client says that it has this version."""
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    return "*" in known or tag in known


async def write(request: Request, actor: Actor, raw: bytes, work: Callable[[Tx], Answer]) -> Response:
    """Do a write in one transaction and answer after its commit; with an Idempotency-Key do it once only."""
    here, now = house(request), house(request).now()
    keyed = request.method == "POST" and request.scope["route"].operation_id not in NEVER_KEPT
    key = idempotency_key(request) if keyed else None
    if key is None:
        return response(await here.database.write(work))
    mark, named = fingerprint(request, raw), (actor.id, key)
    if named in here.at_work:
        raise Conflict("idempotency_key_in_use", "A request with this Idempotency-Key is being worked on; try again.")
    here.at_work.add(named)
    try:
        return response(await here.database.write(lambda tx: once(tx, actor, key, mark, now, lambda: work(tx))))
    finally:
        here.at_work.discard(named)


def problem(error: AppError) -> Response:
    return Response(encode(error.as_problem()), error.status, error.headers, PROBLEM)


async def note_refusal(request: Request, error: AppError) -> None:
    """Write refused rights and refused submissions to the log of acts."""
    state, here = request.scope["state"], house(request)
    actor, submission = state.get("actor"), state.get("submission")
    barred = {"conflict_of_interest", "assessor_decides", "preparer_releases"} & {one.code for one in error.refusals}
    if actor is None or not (isinstance(error, Forbidden) or submission or barred):
        return
    place = f"{request.method} {request.url.path}"
    event, subject = ("submission.refused", submission) if submission else ("right.refused", place)
    codes = [error.code, *(refusal.code for refusal in error.refusals), *(fault.code for fault in error.faults)]
    facts: audit.Facts = {"codes": list(dict.fromkeys(codes))[:20], "status": error.status}
    await here.database.write(lambda tx: audit.record(tx, actor, event, subject[:120], here.now(), facts))


Teller = Callable[[Request, AppError], Awaitable[Response]]


def install_handlers(app: FastAPI, tell: Teller) -> None:
    """Every way a request can fail ends in a refusal with a stable code, told by `tell`; none shows a stack trace."""

    @app.exception_handler(AppError)
    async def refused(request: Request, error: AppError) -> Response:
        await note_refusal(request, error)
        return await tell(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [Fault(pointer(*one["loc"][1:]), str(one["type"]), one["msg"] + ".") for one in error.errors()]
        said = AppError("validation_failed", "The address cannot be used; pointers name its parameters.", faults=faults)
        said.status, said.title = 422, "Not valid"
        return await tell(request, said)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        codes = {404: "not_found", 405: "method_not_allowed"}
        said = AppError(
            codes.get(error.status_code, "http_error"), f"{request.method} {request.url.path}: {error.detail}."
        )
        said.status, said.title, said.headers = error.status_code, str(error.detail), dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            said.headers["Allow"] = methods_at(request.url.path)
        return await tell(request, said)
