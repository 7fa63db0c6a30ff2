"""What stands before every route: foreign pages, floods, forwarded addresses; and the headers on every answer."""

import asyncio
from itertools import product
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.web.access import DOORS
from app.web.pages.failures import answer
from app.web.shield import COOKIE, SAFE, Shield, foreign
from tests.conftest import Service, settings_for

COOKIED = f"{COOKIE}=x"
# Sec-Fetch-Site, Origin, cookie there, taken
ROWS = [
    ("same-origin", None, True, True),
    ("none", None, True, True),
    ("same-site", None, True, False),
    ("cross-site", None, True, False),
    ("cross-site", "http://earmark.test", True, False),
    ("cross-site", None, False, False),
    (None, "http://earmark.test", True, True),
    (None, "http://evil.test", True, False),
    (None, "null", True, False),
    (None, None, True, False),
    (None, None, False, True),
]


def unsafe_routes() -> list[tuple[str, str]]:
    found = [(line.split(" ")[0], line.split(" ")[1]) for line in DOORS]
    return [one for one in found if one[0] not in SAFE]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # it is refused before any database is asked
def test_a_foreign_page_reaches_no_unsafe_route(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for (site, origin, cookie, taken), (method, path) in product(ROWS, unsafe_routes()):
            headers = {"Sec-Fetch-Site": site, "Origin": origin, "Cookie": COOKIED if cookie else None}
            sent = {name: value for name, value in headers.items() if value}
            place = path.replace("{ref}", "DK-IOM-2027-001").replace("{id}", "1").replace("{year}", "2027")
            answer = await service.client.request(method, place, headers=sent)
            refused = answer.status_code == 403 and answer.json()["code"] == "cross_site"
            assert refused != taken, (sent, method, path, answer.status_code)

    run(scenario)


def test_a_script_with_a_token_is_no_foreign_page() -> None:
    assert foreign("POST", {b"authorization": "Bearer x", b"origin": "http://evil.test"}) is None
    assert foreign("POST", {b"authorization": "Bearer x", b"sec-fetch-site": "cross-site", b"cookie": COOKIED})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no database has a part in it
def test_every_answer_of_every_route_carries_the_headers(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for line in [
            *DOORS,
            "GET /nowhere",
            "PUT /login",
            "GET /static/earmark.css",
            "GET /docs/assets/swagger-ui.css",
        ]:
            method, path = line.split(" ")
            place = path.replace("{ref}", "DK-IOM-2027-001").replace("{id}", "1").replace("{year}", "2027")
            for role in (None, "iom_focal_point", "admin"):
                headers = {"Authorization": f"Bearer {service.accounts[role]['token']}"} if role else {}
                answer = await service.client.request(method, place, headers=headers)
                said = answer.headers
                assert said["X-Content-Type-Options"] == "nosniff", line
                assert said["Referrer-Policy"] == "same-origin", line
                assert said["X-Frame-Options"] == "DENY", line
                assert "default-src 'none'" in said["Content-Security-Policy"], line
                assert "unsafe-inline" not in said["Content-Security-Policy"] or path == "/docs", line
                public = "/static/" in path or "/assets/" in path
                assert said["Cache-Control"] == ("public, max-age=3600" if public else "no-store"), line
                assert said["X-Request-Id"], line

    run(scenario)


def client_of(tmp_path: Any, peer: str, **env: str) -> Any:
    app = create_app(settings_for(f"sqlite:///{tmp_path}/a.db", tmp_path, env=env))
    transport = httpx.ASGITransport(app=app, client=(peer, 1))
    return app, httpx.AsyncClient(transport=transport, base_url="https://earmark.test")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "rubbish", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_a_forwarded_address_is_believed_from_trusted_proxies_only(
    tmp_path: Any, peer: str, forwarded: str, address: str
) -> None:
    seen: list[str] = []

    async def scenario() -> None:
        settings = settings_for("sqlite://", tmp_path, env={"EARMARK_TRUSTED_PROXIES": "10.0.0.0/8"})

        async def spy(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["state"]["address"])
            await httpx_answer(send)

        transport = httpx.ASGITransport(app=Shield(spy, settings, answer), client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://earmark.test") as one:
            await one.get("/", headers={"X-Forwarded-For": forwarded})

    asyncio.run(scenario())
    assert seen == [address]


async def httpx_answer(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_a_flood_is_stopped_with_the_time_to_go_on(tmp_path: Any) -> None:
    async def scenario() -> None:
        app, client = client_of(tmp_path, "203.0.113.9", EARMARK_REQUESTS_PER_MINUTE="5")
        async with client:
            statuses = [(await client.get("/health/live")).status_code for _ in range(7)]
            last = await client.get("/health/live")
        assert statuses.count(200) in (5, 6, 7)  # a minute may end in between
        if last.status_code == 429:
            assert (last.json()["code"], 0 < int(last.headers["Retry-After"]) <= 60) == ("too_many_requests", True)
        await app.state.house.database.close()

    asyncio.run(scenario())
