"""A PostgreSQL that is killed, hangs or makes wait: refusals in words, nothing acknowledged is missing, and on it goes."""

import asyncio
import json
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from app import dumps
from app.db import _WRITES, Postgres, Tx, open_database
from app.outages import told
from tests import postgres
from tests.serving import served
from tests.web.test_together import BODY


@pytest.fixture(scope="module")
def server(filled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """A server of its own with the demo, that commits before it says so (it is killed, not the machine: it need not flush)."""
    dump, url = tmp_path_factory.mktemp("dumped") / "dump", filled["server"].format(name="filled")
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    with postgres.server(f"{postgres.IN_MEMORY} -c synchronous_commit=on") as made:
        with engine.connect() as tx:
            dumps.dump_postgres(url, dump, dumps.snapshot_of(tx))
        engine.dispose()
        dumps.load_postgres(made.address.format(name="postgres"), dump)
        yield made


@pytest.fixture(scope="module")
def client(server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("outages")
    with served(server.address.format(name="postgres"), folder) as address:
        token = json.loads((folder / "demo.json").read_text())["iom_focal_point"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=address, headers=headers, timeout=20) as made:
            yield made


class Writer(threading.Thread):
    """Creates proposals until it is enough, and remembers which the service said are there and what else it said."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(daemon=True)
        self.client, self.enough = client, threading.Event()
        self.refs: list[str] = []
        self.others: list[httpx.Response] = []

    def run(self) -> None:
        while not self.enough.is_set():
            answer = self.client.post("/api/v1/proposals", json=BODY)
            if answer.status_code == 201:
                self.refs.append(answer.json()["ref"])
            else:
                self.others.append(answer)
                time.sleep(0.05)


def stored(server: postgres.Server) -> set[str]:
    engine = create_engine(server.address.format(name="postgres"))
    with engine.connect() as connection:
        found = set(connection.execute(text("SELECT ref FROM proposal")).scalars())
    engine.dispose()
    return found


def await_more(writers: list[Writer]) -> None:
    """Wait until the service has acknowledged ten proposals more: it works, and goes on by itself."""
    before, ends = sum(len(one.refs) for one in writers), time.monotonic() + 30
    while sum(len(one.refs) for one in writers) < before + 10:
        assert time.monotonic() < ends, [one.text for writer in writers for one in writer.others][-3:]
        time.sleep(0.01)


def test_a_database_killed_under_load_loses_nothing_acknowledged_and_the_service_goes_on(
    server: postgres.Server, client: httpx.Client, record_property: Any
) -> None:
    writers = [Writer(client) for _ in range(4)]
    for one in writers:
        one.start()
    for _ in range(3):
        await_more(writers)
        server.crash()
        server.start()
    await_more(writers)
    for one in writers:
        one.enough.set()
    for one in writers:
        one.join(30)
    refs = {ref for one in writers for ref in one.refs}
    others = [answer for one in writers for answer in one.others]
    record_property("acknowledged", len(refs))
    record_property("refused", len(others))
    assert refs - stored(server) == set()
    assert {answer.status_code for answer in others} <= {503}, [answer.text for answer in others][:3]
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in others)


def test_the_first_requests_after_a_restart_are_answered(server: postgres.Server, client: httpx.Client) -> None:
    assert {client.get("/api/v1/proposals").status_code for _ in range(10)} == {200}
    server.crash()
    assert client.get("/health/ready").status_code == 503
    assert client.get("/api/v1/proposals").json()["code"] == "database_unavailable"
    server.start()
    assert {client.get("/api/v1/proposals").status_code for _ in range(10)} == {200}
    assert client.post("/api/v1/proposals", json=BODY).status_code == 201


def test_a_hanging_database_makes_the_service_unready_within_seconds_and_ready_when_it_goes_on(
    server: postgres.Server, client: httpx.Client
) -> None:
    assert client.get("/health/ready").status_code == 200
    time.sleep(1.1)  # what is looked at once a second is due again
    server.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = client.get("/health/ready")
        took = time.monotonic() - began
        assert client.get("/health/live").status_code == 200
    finally:
        server.signal(signal.SIGCONT)
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "failed")
    assert took < 5
    assert client.get("/health/ready").status_code == 200


def test_a_statement_that_was_stopped_is_a_refusal_that_says_so(server: postgres.Server, client: httpx.Client) -> None:
    plain = server.address.format(name="postgres").replace("+psycopg", "")
    answers: list[httpx.Response] = []
    with psycopg.connect(plain) as holder, psycopg.connect(plain, autocommit=True) as other:
        holder.execute("LOCK TABLE cycle IN ACCESS EXCLUSIVE MODE")
        asking = threading.Thread(target=lambda: answers.append(client.post("/api/v1/proposals", json=BODY)))
        asking.start()
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'earmark'"
        while not (found := other.execute(waiting).fetchone()):
            time.sleep(0.02)
        other.execute("SELECT pg_cancel_backend(%s)", found)  # what statement_timeout does by itself
        asking.join(10)
    assert (answers[0].status_code, answers[0].json()["code"]) == (503, "database_too_slow")
    assert answers[0].headers["Retry-After"] == "10"


def test_nothing_waits_for_ever_and_who_waits_too_long_for_a_lock_is_refused(server: postgres.Server) -> None:
    url = server.address.format(name="postgres")
    database, impatient = open_database(url), open_database(f"{url}&options=-c%20lock_timeout%3D50ms")

    def limits(tx: Tx) -> list[Any]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
        return [tx.scalar(text(f"SHOW {name}")) for name in names]

    async def scenario() -> None:
        assert await database.read(limits) == ["30s", "10s", "30s", "earmark"]
        assert await database.read_long(limits) == ["5min", "10s", "5min", "earmark"]
        with database.transaction() as holder:
            holder.execute(text("LOCK TABLE cycle IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(OperationalError) as refused:
                await impatient.write(lambda tx: tx.execute(text("UPDATE cycle SET version = version")))
        out = told(refused.value)
        assert out
        assert (out.code, out.status) == ("database_busy", 503)
        await database.close()
        await impatient.close()

    asyncio.run(scenario())


def test_those_who_waited_too_long_together_do_not_wait_again_one_by_one(server: postgres.Server) -> None:
    url = server.address.format(name="postgres")
    database, begun = Postgres(f"{url}&options=-c%20lock_timeout%3D300ms", lasting=False), list[Any]()
    event.listen(database._lines, "begin", begun.append)

    async def scenario() -> list[Any]:
        with psycopg.connect(url.replace("+psycopg", "")) as holder:
            holder.execute(f"SELECT pg_advisory_xact_lock({_WRITES})")
            asked = [database.write(lambda tx: tx.scalar(text("SELECT 1"))) for _ in range(8)]
            ended = await asyncio.gather(*asked, return_exceptions=True)
        assert await database.write(lambda tx: tx.scalar(text("SELECT 1"))) == 1
        await database.close()
        return ended

    refusals = [told(one) for one in asyncio.run(scenario())]
    assert {one and one.code for one in refusals} == {"database_busy"}
    assert len(begun) <= 2 + 1, "the first of them, those who came meanwhile, and the one after"


def test_only_what_time_or_others_may_mend_is_an_outage() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(OperationalError) as ours:
        connection.execute(text("SELECT no_such_column"))
    engine.dispose()
    assert told(ours.value) is None


def test_a_full_disk_is_an_outage_that_says_so() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE one (text TEXT)"))
        connection.execute(text("PRAGMA max_page_count = 2"))
        with pytest.raises(OperationalError) as full:
            connection.execute(text("INSERT INTO one VALUES (hex(zeroblob(10000)))"))
    engine.dispose()
    out = told(full.value)
    assert out
    assert (out.code, out.headers) == ("database_full", {"Retry-After": "60"})
