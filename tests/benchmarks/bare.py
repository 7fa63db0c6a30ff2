"""The limit: a bare ASGI application that does the same database work, recorded, with the raw driver and prepared statements.

Its address names the trace: `/7` does what the service did for its request 7, transaction by transaction, and answers with
as many bytes. Keys are not checked against each other, to its advantage: in another order, numbers are given out otherwise.
"""

import asyncio
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import psycopg

from app.db import POOL
from tests.benchmarks import recorded
from tests.benchmarks.recorded import Trace

URL, TRACES, SIZE = "EARMARK_BENCH_URL", "EARMARK_BENCH_TRACES", "EARMARK_BENCH_ANSWER_SIZE"


class Sqlite:
    """One connection, as careful about the disk as the service's own."""

    def __init__(self, url: str) -> None:
        self.line = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, cached_statements=512)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16000"):
            self.line.execute(f"PRAGMA {pragma}")

    async def do(self, trace: Trace) -> None:
        for transaction in trace:
            writes = any(not text.lstrip().startswith("SELECT") for text, _values, _many in transaction)
            self.line.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            for text, values, many in transaction:
                if many:
                    self.line.executemany(text, values)
                else:
                    self.line.execute(text, values).fetchall()
            self.line.execute("COMMIT")


class Postgres:
    """As many connections as the service has, each statement prepared at its first use."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("+psycopg", "")
        self.free: asyncio.Queue[psycopg.AsyncConnection[Any]] = asyncio.Queue()
        self.opened = 0

    async def do(self, trace: Trace) -> None:
        line = await self._take()
        cursor = line.cursor()
        for transaction in trace:
            for text, values, many in transaction:
                if many:
                    await cursor.executemany(text, values)
                else:
                    await cursor.execute(text, values, prepare=True)
                    if cursor.description:
                        await cursor.fetchall()
            await line.commit()
        self.free.put_nowait(line)

    async def _take(self) -> psycopg.AsyncConnection[Any]:
        if self.free.empty() and self.opened < POOL:
            self.opened += 1
            return await psycopg.AsyncConnection.connect(self.url, options="-c session_replication_role=replica")
        return await self.free.get()


class Bare:
    """The application. Made when its process starts."""

    def __init__(self) -> None:
        url = os.environ[URL]
        self.database: Any = Sqlite(url) if url.startswith("sqlite") else Postgres(url)
        self.traces = recorded.read(Path(os.environ[TRACES]))
        self.answer = b"x" * int(os.environ[SIZE])
        length = str(len(self.answer)).encode()
        self.headers = [(b"content-type", b"application/json"), (b"content-length", length)]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            return await send({"type": "lifespan.startup.complete"})
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if body:
            json.loads(body)
        await self.database.do(self.traces[int(scope["path"][1:]) % len(self.traces)])
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        return await send({"type": "http.response.body", "body": self.answer})


def create() -> Bare:
    return Bare()
