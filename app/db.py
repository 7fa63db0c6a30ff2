"""The one seam to the database: endpoints await `read` and `write`, services get a plain connection and stay sync.

Only this module begins and commits. A write is committed before `write` returns, hence before the answer leaves. SQLite:
reads inline, writes one at a time on a writer thread; PostgreSQL: a pool of async connections, writes shielded from
cancellation. An AppError rolls back, unless it says that what was done before it is `settled`.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, Row, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.errors import AppError

T = TypeVar("T")
Tx = Connection
Record = Row[*tuple[Any, ...]]  # a row as it comes from the database, its columns as attributes
POOL = 8


class Database(Protocol):
    """What the two databases offer; `transaction` is for the command line and for start-up."""

    async def read(self, work: Callable[[Tx], T]) -> T: ...
    async def write(self, work: Callable[[Tx], T]) -> T: ...
    @contextmanager
    def transaction(self) -> Iterator[Tx]: ...
    async def close(self) -> None: ...


@contextmanager
def _settling(begin: Any) -> Iterator[Tx]:
    """A transaction that commits at its end, also before an AppError that says the work so far is settled."""
    settled: AppError | None = None
    with begin as tx:
        try:
            yield tx
        except AppError as error:
            if not error.settled:
                raise
            settled = error
    if settled:
        raise settled


def _run(tx: Tx, work: Callable[[Tx], T]) -> T | AppError:
    try:
        return work(tx)
    except AppError as error:
        if error.settled:
            return error
        raise


class Sqlite:
    """One file, WAL, FULL; one writer thread, so that no writer waits for another inside SQLite's own lock."""

    def __init__(self, url: str) -> None:
        file = make_url(url).database
        if file and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        self.engine = _sqlite_engine(url, "BEGIN IMMEDIATE")
        self._reading = _sqlite_engine(url, "BEGIN")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._turn = threading.Lock()
        self._reader: Tx | None = None

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a short read on the event loop's own connection; it sees one consistent snapshot."""
        if self._reader is None:
            self._reader = self._reading.connect()
        with self._reader.begin():
            return work(self._reader)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run a write on the writer thread; when this returns it is on disk, and a cancelled request does not stop it."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._writer, self._write, work))

    def _write(self, work: Callable[[Tx], T]) -> T:
        with self.transaction() as tx:
            return work(tx)

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        with self._turn, _settling(self.engine.begin()) as tx:
            yield tx

    async def close(self) -> None:
        self._writer.shutdown(wait=True)
        if self._reader is not None:
            self._reader.close()
        self.engine.dispose()
        self._reading.dispose()


class Postgres:
    """A pool of async connections on which the sync services run; READ COMMITTED, guarded by conditional updates."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = create_engine(url, poolclass=NullPool)
        self._pool: AsyncEngine = create_async_engine(url, pool_size=POOL, max_overflow=0, pool_timeout=30)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a read in a read-only transaction that sees one consistent snapshot."""
        async with self._pool.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await connection.run_sync(work)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run a write to its commit, even when the request that asked for it is cancelled meanwhile."""
        done = await asyncio.shield(asyncio.ensure_future(self._write(work)))
        if isinstance(done, AppError):
            raise done
        return done

    async def _write(self, work: Callable[[Tx], T]) -> T | AppError:
        async with self._pool.begin() as connection:
            return await connection.run_sync(_run, work)

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        with _settling(self.engine.begin()) as tx:
            yield tx

    async def close(self) -> None:
        await self._pool.dispose()
        self.engine.dispose()


def _sqlite_engine(url: str, begin: str) -> Engine:
    one = {"pool_size": 1, "max_overflow": 4} if begin == "BEGIN IMMEDIATE" else {"poolclass": NullPool}
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30}, **one)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # no BEGIN but our own
        cursor = connection.cursor()
        pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", "cache_size=-16000"]
        for pragma in pragmas if begin == "BEGIN IMMEDIATE" else [*pragmas[2:], "query_only=ON"]:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Tx) -> None:
        connection.exec_driver_sql(begin)

    return engine


def open_database(url: str) -> Database:
    """The database at a `sqlite:///` or `postgresql+psycopg://` address."""
    backend = make_url(url).get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(f"'{backend}' is not supported; use sqlite:///... or postgresql+psycopg://...")
    return Sqlite(url) if backend == "sqlite" else Postgres(url)
