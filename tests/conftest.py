"""What tests stand on: the published rulebook, both databases, the application over each with its demo people."""

import asyncio
import fcntl
import gc
import json
import math
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpx
import psycopg
import pytest
import structlog
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import Pool

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
LONG = (
    "test_killed",
    "test_contract",
    "browser/",
    "test_access",
    "test_deciding",
    "test_paid",
    "services/",
    "test_hostile",
)
MEMORY, ROOM = "/dev/shm", 2 * 2**30


@pytest.fixture(scope="session")
def book() -> Rulebook:
    return open_library(RULES, FRAMEWORK).current


def pytest_configure(config: pytest.Config) -> None:
    """Keep what is temporary in memory where there is room: on a disk every commit and every copy of a database waits for it."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = MEMORY
    plain = [
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(processors=plain)  # as it comes, an error is drawn with all its variables, for seconds


def pytest_collection_finish() -> None:
    """What is imported by now stays; to search it for garbage again and again would take a tenth of every test."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let the workers of a run share one PostgreSQL server; it ends with the run."""
    if not hasattr(node.config, "postgres"):
        stack = ExitStack()
        node.config.postgres = stack.enter_context(postgres.server()).address
        node.config.add_cleanup(stack.close)
    node.workerinput["postgres"] = node.config.postgres


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> Iterator[str]:
    shared = getattr(pytestconfig, "workerinput", None)
    if shared:
        yield shared["postgres"]
    else:
        with postgres.server() as made:
            yield made.address


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, postgres_server: str, worker_id: str) -> dict[str, Any]:
    """The demo, loaded once in a run into each database; tests get copies."""
    folder = tmp_path_factory.getbasetemp() / ("filled" if worker_id == "master" else "../filled")
    folder.mkdir(exist_ok=True)
    urls = {"sqlite": f"sqlite:///{folder}/earmark.db", "postgresql": postgres_server.format(name="filled")}
    for kind in sorted(urls, reverse=worker_id == "gw0"):  # two workers load one each
        with (folder / f"{kind}.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not (folder / f"{kind}.json").exists():
                _fill(urls[kind], folder / f"{kind}.json", postgres_server)
    made = {kind: json.loads((folder / f"{kind}.json").read_text()) for kind in urls}
    return {"folder": folder, "server": postgres_server, **made}


def _fill(url: str, accounts: Path, server: str) -> None:
    if url.startswith("postgresql"):
        _statement(server, "CREATE DATABASE filled")
    migrate(url)
    database, library = open_database(url), open_library(RULES, FRAMEWORK)
    with database.transaction() as tx:
        cycles.establish(tx, library.current.framework)
    demo.load(database, library, accounts, clock.now(TODAY))
    asyncio.run(database.close())


def _statement(server: str, sql: str) -> None:
    engine = create_engine(server.format(name="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(sql))
    engine.dispose()


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The address of a PostgreSQL database with nothing in it."""
    name = f"empty_{os.getpid()}_{next(_names)}"
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
_connections: WeakSet[psycopg.Connection] = WeakSet()


@event.listens_for(Pool, "connect")
def _note(connection: Any, record: Any) -> None:
    if isinstance(connection, psycopg.Connection):
        _connections.add(connection)


@contextmanager
def copy_of(kind: str, filled: dict[str, Any], folder: Path) -> Iterator[str]:
    """The address of a copy of the filled database."""
    if kind == "sqlite":
        (folder / "earmark.db").write_bytes((filled["folder"] / "earmark.db").read_bytes())
        yield f"sqlite:///{folder}/earmark.db"
    else:
        name = f"copy_{os.getpid()}_{next(_names)}"
        _statement(filled["server"], f"CREATE DATABASE {name} TEMPLATE filled")
        yield filled["server"].format(name=name)
        for one in list(_connections):  # what a test leaves open ends with its database
            if not one.closed and one.info.dbname == name:
                one.close()
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
    app.state.house.followed = math.inf  # the look at other instances once a second would be counted with some request
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
