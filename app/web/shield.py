"""What every request passes first: where it is from, whether a foreign page sent it, how many there were; and what every
answer carries: its headers and one line in the log. Plain ASGI, so that no connection is held on the way."""

import secrets
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from structlog.contextvars import bound_contextvars

from app.errors import AppError, Forbidden
from app.logs import logger
from app.outages import sqlstate, told
from app.settings import Settings
from app.web.figures import Figures
from app.web.quota import too_many

COOKIE = "__Host-earmark"
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
AT_ONE_ADDRESS, MOST_COUNTED = 5, 20_000
log = logger("requests")
App = Callable[[Any, Any, Any], Any]
Say = Callable[[Request, AppError], Awaitable[Response]]


class Counts:
    """Requests of this minute in this instance, by address, before anything is read: it guards the instance, within bounds."""

    def __init__(self) -> None:
        self.minute, self.counts = 0, dict[str, int]()

    def one_more(self, who: str, most: int) -> AppError | None:
        """Count one, and refuse it beyond `most` this minute."""
        minute = int(time.time()) // 60
        if minute != self.minute:
            self.minute, self.counts = minute, {}
        name = who if who in self.counts or len(self.counts) < MOST_COUNTED else "all others"
        self.counts[name] = count = self.counts.get(name, 0) + 1
        return None if count <= most else too_many(most)


class Shield:
    """The outermost layer. `scope["state"]` gets `address`, `request_id`, and later `actor_id` from whoever identifies."""

    def __init__(
        self, app: App, settings: Settings, say: Say, ending: Event | None = None, figures: Figures | None = None
    ) -> None:
        self.app, self.settings, self.say = app, settings, say
        self.ending, self.figures = ending or Event(), figures or Figures()
        self.https = settings.public_url.startswith("https://")
        self.counts = Counts()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:  # a header that comes twice is one list
            said = value.decode("latin-1")
            headers[name] = f"{headers[name]}, {said}" if name in headers else said
        state = scope.setdefault("state", {})
        state["address"] = self._address(scope, headers)
        state["request_id"] = request_id = secrets.token_hex(8)
        began, status, started = time.perf_counter(), 500, False
        self.figures.in_flight += 1

        async def answer(message: Any) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                message = {**message, "headers": self._headers(scope, message["headers"], request_id)}
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                refusal = foreign(scope["method"], headers) or self._too_many(state["address"])
                await (self._refuse(refusal, scope, receive, answer) if refusal else self.app(scope, receive, answer))
            except Exception as error:  # the last place where an answer can still be given
                out = told(error)
                if out:
                    log.warning("database", code=out.code, error=type(error).__name__, sqlstate=sqlstate(error))
                else:
                    log.exception("broken")
                if not started:
                    await self._refuse(out or _broken(), scope, receive, answer)
            finally:
                route, took = getattr(scope.get("route"), "path", None), time.perf_counter() - began
                self.figures.in_flight -= 1
                self.figures.note(scope["method"], route or "", status, took)
                log.info(
                    "answered",
                    method=scope["method"],
                    route=route,
                    status=status,
                    actor=state.get("actor_id"),
                    ms=round(1000 * took, 1),
                )

    async def _refuse(self, error: AppError, scope: Any, receive: Any, answer: Any) -> None:
        response = await self.say(Request(scope, receive), error)
        await response(scope, receive, answer)

    def _address(self, scope: Any, headers: dict[bytes, str]) -> str:
        """Where the request is from. X-Forwarded-For is believed as far as trusted proxies wrote it, from the right."""
        address = str((scope.get("client") or ("unknown",))[0])
        for said in reversed(headers.get(b"x-forwarded-for", "").split(",")):
            if not said.strip() or not self._trusted(address):
                break
            try:
                address = str(ip_address(said.strip()))
            except ValueError:
                break
        return address

    def _trusted(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.settings.trusted_proxies)

    def _too_many(self, address: str) -> AppError | None:
        """The refusal of an address that sends more than an office full of people would."""
        return self.counts.one_more(address, AT_ONE_ADDRESS * self.settings.requests_per_minute)

    def _headers(self, scope: Any, given: Any, request_id: str) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in given}
        usual = [*_HEADERS, *([_HSTS] if self.https else []), (b"x-request-id", request_id.encode())]
        if self.ending.is_set():
            usual.append((b"connection", b"close"))
        if b"content-security-policy" not in names:
            usual.append((b"content-security-policy", CSP.encode()))
        if b"cache-control" not in names:
            kept = (
                b"public, max-age=3600" if "/static/" in scope["path"] or "/assets/" in scope["path"] else b"no-store"
            )
            usual.append((b"cache-control", kept))
        return [*given, *usual]


def _broken() -> AppError:
    return AppError(
        "internal_error",
        "Something went wrong on our side. Our log has it, under the reference of this answer (X-Request-ID).",
    )


def foreign(method: str, headers: dict[bytes, str]) -> AppError | None:
    """The refusal of an unsafe request that another site's page may have sent with this person's cookie."""
    if method in SAFE:
        return None
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        own = site in ("same-origin", "none")
    elif origin is not None:
        own = urlsplit(origin).netloc == headers.get(b"host", "")
    else:
        own = COOKIE not in headers.get(b"cookie", "")
    if own or (COOKIE not in headers.get(b"cookie", "") and b"authorization" in headers):
        return None
    return Forbidden("cross_site", "Another site's page sent this; nothing was done. Use the service's own pages.")
