"""The queue page beside itself: with 1,000 and with 100,000 proposals, asked in turns by one reader of the running service."""

import contextlib
import http.client
import json
import sqlite3
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.serving import free_port, running

FEW, MANY, ROUNDS = 1_000, 100_000, 120
_COPIED = ("face", "facet", "ledger", "snapshot", "history")


def seconds_a_page(folder: Path) -> tuple[float, float]:
    """Median seconds of an answer with FEW and with MANY proposals, rounds interleaved."""
    with contextlib.ExitStack() as stack:
        asked = [stack.enter_context(_desk(folder / str(number), number)) for number in (FEW, MANY)]
        times: list[list[float]] = [[], []]
        for number in range(ROUNDS + 10):
            for (client, headers), found in zip(asked, times, strict=True):
                took = _ask(client, headers)
                if number >= 10:  # the first ones compile statements and templates
                    found.append(took)
        return statistics.median(times[0]), statistics.median(times[1])


@contextlib.contextmanager
def _desk(folder: Path, number: int) -> Iterator[tuple[http.client.HTTPConnection, dict[str, str]]]:
    """A connection to the service over the demo and `number` proposals more, and a desk officer's headers."""
    folder.mkdir()
    env = {"EARMARK_DEMO": "1", "EARMARK_VAR": str(folder), "EARMARK_REQUESTS_PER_MINUTE": "10000000"}
    env |= {"EARMARK_PORT": str(free_port()), "EARMARK_DELIVER": "0"}
    with running(["app", "serve"], int(env["EARMARK_PORT"]), env):
        token = json.loads((folder / "demo.json").read_text())["mfa_reviewer"]["token"]
    fill(folder / "earmark.db", number)
    with running(["app", "serve"], int(env["EARMARK_PORT"]), env):
        client = http.client.HTTPConnection("127.0.0.1", int(env["EARMARK_PORT"]))
        yield client, {"Authorization": f"Bearer {token}", "Accept": "text/html"}
        client.close()


def _ask(client: http.client.HTTPConnection, headers: dict[str, str]) -> float:
    start = time.perf_counter()
    client.request("GET", "/", headers=headers)
    answer = client.getresponse()
    body = answer.read()
    took = time.perf_counter() - start
    assert answer.status == 200, body[:500]
    assert len(body) <= 60_000, f"{len(body)} bytes"
    return took


def fill(file: Path, number: int) -> None:
    """Copies of the demo's submitted proposals, evenly over its cycles, with what their lists and sums are read from."""
    database = sqlite3.connect(file)
    submitted = [row[0] for row in database.execute("SELECT id FROM proposal WHERE snapshots > 0 ORDER BY id")]
    years = [row[0] for row in database.execute("SELECT year FROM cycle ORDER BY year")]
    first = database.execute("SELECT max(id) + 1 FROM proposal").fetchone()[0]
    database.execute("CREATE TEMP TABLE copy (new INTEGER PRIMARY KEY, old INTEGER, year INTEGER)")
    pairs = ((first + i, submitted[i % len(submitted)], years[i // len(submitted) % len(years)]) for i in range(number))
    database.executemany("INSERT INTO copy VALUES (?, ?, ?)", pairs)
    _copy(
        database,
        "proposal",
        {"id": "copy.new", "ref": "'B-' || copy.new", "number": "copy.new", "cycle_year": "copy.year"},
        "id",
    )
    for table in _COPIED:
        _copy(
            database,
            table,
            {"id": "NULL", "proposal_id": "copy.new", "year": "copy.year", "cycle_year": "copy.year"},
            "proposal_id",
        )
    database.execute("ANALYZE")
    database.commit()
    database.close()


def _copy(database: sqlite3.Connection, table: str, changed: dict[str, str], key: str) -> None:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(name, f"{table}.{name}") for name in columns)
    database.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM copy JOIN {table} ON {table}.{key} = copy.old"
    )
