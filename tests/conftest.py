"""What tests stand on: the published rulebook, both databases, the application over each with its demo people."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from app import demo
from app.db import open_database
from app.domain.rulebook import Rulebook
from app.main import create_app
from app.schema import migrate
from app.services import clock, cycles
from app.services.rulebooks import open_library
from app.settings import RULES, Settings, read_settings
from app.web.requests import House
from tests import postgres
from tests.serving import TODAY

FRAMEWORK = "dk-iom-2023-2026"


@pytest.fixture(scope="session")
def book() -> Rulebook:
    return open_library(RULES, FRAMEWORK).current


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as made:
        yield made.address


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, postgres_server: str, book: Rulebook) -> dict[str, Any]:
    """The demo, loaded once into each database; tests get copies."""
    folder = tmp_path_factory.mktemp("filled")
    made: dict[str, Any] = {"folder": folder, "server": postgres_server}
    for name, url in (
        ("sqlite", f"sqlite:///{folder}/earmark.db"),
        ("postgresql", postgres_server.format(name="filled")),
    ):
        if name == "postgresql":
            _statement(postgres_server, "CREATE DATABASE filled")
        migrate(url)
        database = open_database(url)
        with database.transaction() as tx:
            cycles.establish(tx, book.framework)
        demo.load(database, open_library(RULES, FRAMEWORK), folder / f"{name}.json", clock.now(TODAY))
        asyncio.run(database.close())
        made[name] = json.loads((folder / f"{name}.json").read_text())
    return made


def _statement(server: str, sql: str) -> None:
    engine = create_engine(server.format(name="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(sql))
    engine.dispose()


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The address of a PostgreSQL database with nothing in it."""
    name = f"empty_{next(_names)}"
    _statement(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.format(name=name)
    _statement(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Service:
    """The application over a filled database of its own, and how its people call it."""

    settings: Settings
    accounts: dict[str, Any]
    client: httpx.AsyncClient
    house: House

    async def call(self, role: str | None, method: str, path: str, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if role:
            headers["Authorization"] = f"Bearer {self.accounts[role]['token']}"
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **more)


_names = iter(range(10**9))


@contextmanager
def copy_of(kind: str, filled: dict[str, Any], folder: Path) -> Iterator[str]:
    """The address of a copy of the filled database."""
    if kind == "sqlite":
        (folder / "earmark.db").write_bytes((filled["folder"] / "earmark.db").read_bytes())
        yield f"sqlite:///{folder}/earmark.db"
    else:
        name = f"copy_{next(_names)}"
        _statement(filled["server"], f"CREATE DATABASE {name} TEMPLATE filled")
        yield filled["server"].format(name=name)
        _statement(filled["server"], f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, filled: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    """A copy of the filled database, on each of the two databases."""
    with copy_of(request.param, filled, tmp_path) as url:
        yield url


def settings_for(url: str, var: Path, today: date = TODAY, env: dict[str, str] | None = None) -> Settings:
    return read_settings(
        {
            "EARMARK_VAR": str(var),
            "EARMARK_DATABASE_URL": url,
            "EARMARK_DEMO": "1",
            "EARMARK_TODAY": today.isoformat(),
            "EARMARK_REQUESTS_PER_MINUTE": "1000000",
            **(env or {}),
        }
    )


@pytest.fixture
def run(database_url: str, filled: dict[str, Any], tmp_path: Path) -> Callable[..., Any]:
    """Run an async scenario against the service: run(scenario) or run(scenario, today=...)."""

    def go(scenario: Callable[[Service], Awaitable[Any]], today: date = TODAY) -> Any:
        return asyncio.run(_with_service(scenario, settings_for(database_url, tmp_path, today), filled))

    return go


async def _with_service(
    scenario: Callable[[Service], Awaitable[Any]], settings: Settings, filled: dict[str, Any]
) -> Any:
    app = create_app(settings)
    accounts = filled["sqlite" if settings.database_url.startswith("sqlite") else "postgresql"]
    async with _client(app) as client:
        try:
            return await scenario(Service(settings, accounts, client, app.state.house))
        finally:
            await app.state.house.database.close()


def _client(app: Any) -> Any:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://earmark.test")


__all__ = ["AsyncIterator", "Service"]
