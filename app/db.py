"""The one seam to the database: endpoints await `read` and `write`, services get a plain connection and stay sync.

Only this module begins and commits. A write is committed before `write` returns, hence before the answer leaves. One thread
writes (`writing`), on PostgreSQL one of all instances at a time: every act ends in the one log of acts anyway. SQLite reads
inline, PostgreSQL through a pool of async connections. An AppError rolls back, unless it says that what was done before it
is `settled`. PostgreSQL ends what takes too long, waits too long for a lock, or forgets to go on; what breaks off before its
commit because the server went away is done anew.
"""

import asyncio
import select as sockets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from psycopg import OperationalError as Broken
from sqlalchemy import URL, Connection, Engine, Row, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.errors import AppError
from app.outages import DEADLOCK, is_lost, is_tired, sqlstate
from app.settings import SettingsError
from app.writing import Writer

T = TypeVar("T")
Tx = Connection
Record = Row[*tuple[Any, ...]]  # a row as it comes from the database, its columns as attributes
POOL, KEPT, MOST = 8, 4, 20  # connections of requests; of threads, how many are kept open and how many there may be
_WRITES = 7261967  # any number that only we use: whichever instance writes holds this advisory lock
_PATIENCE = {"connect_timeout": 5, "tcp_user_timeout": 15000, "keepalives_idle": 30, "application_name": "earmark"}
_LIMITS = "-c lock_timeout=10s -c idle_in_transaction_session_timeout={long} -c statement_timeout={long}"


class Database(Protocol):
    """What the two databases offer; `read_long` is for what takes over 10 ms.

    `transaction` and `reading` (one snapshot) are for the command line and start-up.
    """

    async def read(self, work: Callable[[Tx], T]) -> T: ...
    async def read_long(self, work: Callable[[Tx], T]) -> T: ...
    async def write(self, work: Callable[[Tx], T]) -> T: ...
    @contextmanager
    def transaction(self) -> Iterator[Tx]: ...
    @contextmanager
    def reading(self) -> Iterator[Tx]: ...
    def scrub(self) -> None: ...
    async def close(self) -> None: ...


def insert_of(tx: Tx, table: Table) -> Any:
    """An INSERT that can say ON CONFLICT, which both databases can, each in its own dialect."""
    return insert_into(tx.dialect.name, table)


def insert_into(dialect: str, table: Table) -> Any:
    """As `insert_of`, for a statement that is put together once for each database."""
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)


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


class Sqlite:
    """One file, WAL, FULL; one writer thread, so that no writer waits for another inside SQLite's own lock."""

    def __init__(self, url: str) -> None:
        file = make_url(url).database
        if file and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).touch(0o600)  # it holds names, addresses and second factors; what there is stays as it is
        self.engine = _sqlite_engine(url, writes=True)
        self._reading = _sqlite_engine(url, writes=False)
        self._writer = Writer(self._writing, lambda error: False, lambda error: False)
        self._turn = threading.Lock()
        self._reader: Tx | None = None

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a short read on the event loop's own connection; it sees one consistent snapshot."""
        if self._reader is None:
            self._reader = self._reading.connect()
        reader = self._reader
        driver: Any = reader.connection.dbapi_connection
        driver.execute("BEGIN")  # on the driver: through SQLAlchemy it would cost more than most reads
        try:
            return work(reader)
        finally:
            reader.rollback()
            driver.rollback()

    async def read_long(self, work: Callable[[Tx], T]) -> T:
        """Run a read in a thread, on a connection of its own."""
        return await asyncio.to_thread(self._read_long, work)

    def _read_long(self, work: Callable[[Tx], T]) -> T:
        with self.reading() as tx:
            return work(tx)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run a write on the writer thread; when this returns it is on disk."""
        return await self._writer.write(work)

    @contextmanager
    def _writing(self) -> Iterator[Tx]:
        with self._turn, self.engine.begin() as tx:
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        with self._reading.connect() as tx:
            tx.exec_driver_sql("BEGIN")
            yield tx

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        with self._turn, _settling(self.engine.begin()) as tx:
            yield tx

    def scrub(self) -> None:
        """Write the file anew, so that nothing deleted is left in it."""
        with self._turn, self.engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.close)
        if self._reader is not None:
            self._reader.close()
        self.engine.dispose()
        self._reading.dispose()


class Postgres:
    """A pool of async connections on which the sync services run; READ COMMITTED, guarded by conditional updates."""

    def __init__(self, url: str, lasting: bool) -> None:
        lines: dict[str, Any] = {"pool_size": KEPT, "max_overflow": MOST - KEPT} if lasting else {"poolclass": NullPool}
        self.engine: Engine = create_engine(_patient(url, "5min"), hide_parameters=True, **lines)
        self._pool: AsyncEngine = create_async_engine(
            _patient(url, "30s"), pool_size=POOL, max_overflow=0, pool_timeout=30, hide_parameters=True
        )
        self._lines = create_engine(_patient(url, "30s"), pool_size=1, max_overflow=0, hide_parameters=True)
        self._writer = Writer(self._writing, _is_passing, is_tired)
        for engine in (self.engine, self._lines, self._pool.sync_engine):
            event.listen(engine, "checkout", _check_line)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a read in a read-only transaction that sees one consistent snapshot; once more when the server went away."""
        try:
            return await self._read(work)
        except (OperationalError, Broken) as error:
            if not is_lost(error):
                raise
        return await self._read(work)

    async def _read(self, work: Callable[[Tx], T]) -> T:
        async with self._pool.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await connection.run_sync(work)

    async def read_long(self, work: Callable[[Tx], T]) -> T:
        """Run a read in a thread, on a connection of its own: what a service reckons does not hold the loop up."""
        return await asyncio.to_thread(self._read_long, work)

    def _read_long(self, work: Callable[[Tx], T]) -> T:
        with self.reading() as tx:
            return work(tx)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run a write on the writer thread to its commit."""
        return await self._writer.write(work)

    @contextmanager
    def _writing(self) -> Iterator[Tx]:
        with self._lines.begin() as tx:
            tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITES})")
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        with self.engine.connect() as tx:
            tx.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield tx

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        with _settling(self.engine.begin()) as tx:
            yield tx

    def scrub(self) -> None:
        """Write the tables anew, so that nothing deleted is left in their files."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM FULL")
            connection.invalidate()  # nobody else shall have no limit

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.close)
        await self._pool.dispose()
        self._lines.dispose()
        self.engine.dispose()


def _is_passing(error: Exception) -> bool:
    """Whether PostgreSQL ended a transaction before anything of it was done: to let others go first, or because it went away."""
    return isinstance(error, (OperationalError, Broken)) and (sqlstate(error) == DEADLOCK or is_lost(error))


def _patient(url: str, long: str) -> URL:
    """The address with our limits; what it says itself counts more."""
    found = make_url(url)
    own = found.query.get("options", "")
    limits = {"options": f"{_LIMITS.format(long=long)} {own}".rstrip()}
    return found.set(query={**{name: str(value) for name, value in _PATIENCE.items()}, **found.query, **limits})


def _check_line(connection: Any, record: Any, proxy: Any) -> None:
    """A line on which something came unasked was closed by the server: another is opened. A look, no round trip."""
    line = record.driver_connection
    if not line.closed:
        looked = sockets.poll()
        looked.register(line.fileno(), sockets.POLLIN)
        if not looked.poll(0):
            return
    raise DisconnectionError("the server has closed the connection")


def _sqlite_engine(url: str, writes: bool) -> Engine:
    one = {"pool_size": 1, "max_overflow": 4} if writes else {"poolclass": NullPool}
    driver = {"check_same_thread": False, "timeout": 30, "cached_statements": 512}
    engine = create_engine(url, connect_args=driver, hide_parameters=True, **one)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # no BEGIN but our own
        cursor = connection.cursor()
        pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", "cache_size=-16000"]
        for pragma in pragmas if writes else [*pragmas[2:], "query_only=ON"]:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if writes:

        @event.listens_for(engine, "begin")
        def _begin(connection: Tx) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def open_database(url: str, lasting: bool = False) -> Database:
    """The database at a `sqlite:///` or `postgresql+psycopg://` address; `lasting` for who keeps it until `close`."""
    backend = make_url(url).get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise SettingsError(f"The database '{backend}' is not supported; use sqlite:///... or postgresql+psycopg://...")
    return Sqlite(url) if backend == "sqlite" else Postgres(url, lasting)
