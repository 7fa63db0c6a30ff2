"""Rates of what is asked most, beside a bare application that does the same database work, on both databases."""

import asyncio
import contextlib
import json
import shutil
import sqlite3
import statistics
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from app import demo
from app.db import open_database
from app.main import create_app
from app.schema import migrate
from app.services import clock, cycles
from app.services.rulebooks import open_library
from app.settings import RULES, read_settings
from tests import postgres
from tests.benchmarks import bare
from tests.benchmarks.recorded import Recorder, unpatched
from tests.benchmarks.serving import EXAMPLE, Client, free_port, request, running
from tests.serving import TODAY

FRAMEWORK = "dk-iom-2023-2026"
ROUNDS, EACH = 9, 48  # rounds, and requests of each
MANY = (ROUNDS + 1) * EACH  # one round warms up
SUBMIT, START = {"move": "submit"}, {"move": "start_review"}
Ask = Callable[..., Awaitable[httpx.Response]]


def whole() -> dict[str, Any]:
    """The strong example, moved to the demo's open cycle."""
    said = EXAMPLE.read_text().replace("2026-", "2027-").replace('"year": 2026', '"year": 2027')
    return {**json.loads(said), "cycle": 2027, "office": "IOM-NE"}


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked: by whom, and the request for the nth time. What only reads is recorded once."""

    name: str
    role: str
    method: str
    path: Callable[[int, dict[str, list[str]]], str]
    body: Any = None
    reads: bool = False


OPERATIONS = (
    Operation("create", "iom_focal_point", "POST", lambda n, made: "/proposals", whole()),
    Operation("submit", "iom_focal_point", "POST", lambda n, made: f"/proposals/{made['draft'][n]}/moves", SUBMIT),
    Operation("move", "mfa_reviewer", "POST", lambda n, made: f"/proposals/{made['submitted'][n]}/moves", START),
    Operation("read one", "mfa_reviewer", "GET", lambda n, made: "/proposals/DK-IOM-2026-001", reads=True),
    Operation("list of 50", "mfa_reviewer", "GET", lambda n, made: "/proposals?limit=50", reads=True),
)


class Store:
    """Databases of one kind in a folder, or in a server, that are copied from one another."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self.folder, self.server = folder, server

    def url(self, name: str) -> str:
        return self.server.format(name=name) if self.server else f"sqlite:///{self.folder}/{name}.db"

    def make(self, name: str) -> str:
        """An empty database."""
        if self.server:
            self._run(f"CREATE DATABASE {name}")
        return self.url(name)

    def copy(self, name: str, to: str) -> str:
        if self.server:
            self._run(f"CREATE DATABASE {to} TEMPLATE {name}")
        else:
            with contextlib.closing(sqlite3.connect(self.folder / f"{name}.db")) as line:
                line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copy(self.folder / f"{name}.db", self.folder / f"{to}.db")
        return self.url(to)

    def drop(self, name: str) -> None:
        if self.server:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")
        else:
            for file in self.folder.glob(f"{name}.db*"):
                file.unlink()

    def _run(self, sql: str) -> None:
        assert self.server, "SQLite has files"
        engine = create_engine(self.server.format(name="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as line:
            line.execute(text(sql))
        engine.dispose()


@contextlib.contextmanager
def stores(folder: Path, settings: str = "") -> Iterator[dict[str, Store]]:
    """A store of each kind; PostgreSQL as careful about the disk as it is by itself, unless settings say otherwise."""
    with postgres.server(settings) as server:
        yield {"SQLite": Store(folder, None), "PostgreSQL": Store(folder, server.address)}


def environment(url: str, folder: Path) -> dict[str, str]:
    return {
        "EARMARK_DEMO": "1",
        "EARMARK_VAR": str(folder),
        "EARMARK_DATABASE_URL": url,
        "EARMARK_TODAY": TODAY.isoformat(),
        "EARMARK_REQUESTS_PER_MINUTE": "100000000",
        "EARMARK_DELIVER": "0",
    }


def in_process(url: str, folder: Path, scenario: Callable[[Ask, Any], Awaitable[None]]) -> None:
    """Run a scenario against the application in this process: it gets `ask(role, method, path, body)` and the application."""

    async def run() -> None:
        app = create_app(read_settings(environment(url, folder)))
        people = json.loads((folder / "demo.json").read_text())
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://earmark.test/api/v1") as client:

            async def ask(role: str, method: str, path: str, body: Any = None, more: Any = None) -> httpx.Response:
                headers = {"Authorization": f"Bearer {people[role]['token']}", **(more or {})}
                answer = await client.request(method, path, json=body, headers=headers)
                assert answer.is_success, answer.text
                return answer

            await scenario(ask, app)
        await app.state.house.database.close()

    asyncio.run(run())


def rows(url: str, table: str, where: str = "true") -> int:
    """How many rows there are."""
    engine = create_engine(url)
    with engine.connect() as line:
        number = int(line.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())
    engine.dispose()
    return number


def prepare(store: Store, folder: Path) -> dict[str, list[str]]:
    """The database `base`: the demo, and what operations need: drafts to submit, submitted ones to move."""
    url = store.make("base")
    migrate(url)
    database, library = open_database(url), open_library(RULES, FRAMEWORK)
    with database.transaction() as tx:
        cycles.establish(tx, library.current.framework)
    demo.load(database, library, folder / "demo.json", clock.now(TODAY))
    asyncio.run(database.close())
    made: dict[str, list[str]] = {"draft": [], "submitted": []}

    async def fill(ask: Ask, app: Any) -> None:
        for _ in range(2 * MANY):
            ref = (await ask("iom_focal_point", "POST", "/proposals", whole())).json()["ref"]
            made["submitted" if len(made["draft"]) == MANY else "draft"].append(ref)
        for ref in made["submitted"]:
            await ask("iom_focal_point", "POST", f"/proposals/{ref}/moves", SUBMIT)

    in_process(url, folder, fill)
    return made


def record(
    store: Store, folder: Path, one: Operation, made: dict[str, list[str]], base: str, times: int
) -> tuple[Path, int]:
    """What the operation does to the database, each time; and how long its answer is."""
    file, size = folder / "traces", 0

    async def note(ask: Ask, app: Any) -> None:
        nonlocal size
        await ask(one.role, "GET", "/proposals?limit=1")  # the first request of a minute counts for a quota
        recorder = Recorder(app.state.house.database)
        for number in range(1 if one.reads else times):
            recorder.begin()
            size = len((await ask(one.role, one.method, one.path(number, made), one.body)).content)
        recorder.write(file)

    with unpatched():
        in_process(store.copy(base, "recorded"), folder, note)
    store.drop("recorded")
    return file, size


def beside(
    store: Store,
    folder: Path,
    one: Operation,
    made: dict[str, list[str]],
    base: str = "base",
    rounds: int = ROUNDS + 1,
    each: int = EACH,
) -> tuple[float, float]:
    """Requests a second of the service and of the bare application, medians of interleaved rounds; the first warms up."""
    times = rounds * each
    traces, size = record(store, folder, one, made, base, times)
    ours, limit = store.copy(base, "ours"), store.copy(base, "bare")
    port, bare_port = free_port(), free_port()
    token = json.loads((folder / "demo.json").read_text())[one.role]["token"]
    body = json.dumps(one.body).encode() if one.body else b""
    asked = [request(one.method, f"/api/v1{one.path(n, made)}", body, token) for n in range(times)]
    plain = [request(one.method, f"/{n}", body, token) for n in range(times)]
    given = {bare.URL: limit, bare.TRACES: str(traces), bare.SIZE: str(size)}
    command = ["uvicorn", "tests.benchmarks.bare:create", "--factory", "--port", str(bare_port), "--log-level", "error"]
    parts = [slice(start, start + each) for start in range(0, times, each)]
    with (
        running(["app", "serve"], port, environment(ours, folder) | {"EARMARK_PORT": str(port)}),
        running(command, bare_port, given),
        contextlib.closing(Client(port)) as service,
        contextlib.closing(Client(bare_port)) as rival,
    ):
        rates = [(service.rate(asked[part]), rival.rate(plain[part])) for part in parts][1:]
    store.drop("ours"), store.drop("bare")
    return statistics.median(one for one, _ in rates), statistics.median(two for _, two in rates)
