"""Delivery where the network, a receiver or a message is bad: what can arrive arrives, the rest is seen, nobody waits for it."""

import asyncio
import json
import os
import random
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import create_engine, text
from structlog.testing import capture_logs

from app import delivering
from app.db import open_database
from app.notify import hooks, mail
from app.records import webhooks as webhook_records
from app.services import deliveries, webhooks
from app.services.deliveries import Free
from app.services.rulebooks import Library, open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK, copy_of
from tests.notify.faulty import faulty
from tests.notify.post import Post, asked, mail_server, moment, owe, rows, running, until, worker_of
from tests.serving import forked, started

NOTICES = int(os.environ.get("SOAK_NOTICES", "12"))
LOOPBACK = {"EARMARK_WEBHOOK_NETWORKS": "127.0.0.0/8"}


@pytest.fixture(scope="module")
def library() -> Library:
    return open_library(RULES, FRAMEWORK)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs and pauses of a tenth of a second instead of seconds and minutes."""
    monkeypatch.setattr(mail, "TIMEOUT", 0.25)
    monkeypatch.setattr(hooks, "TIMEOUT", httpx.Timeout(0.25))
    monkeypatch.setattr(deliveries, "_pause", lambda attempts: timedelta(seconds=0.05))
    monkeypatch.setattr(webhooks, "PATIENCE", 10**6)  # so many tries take a quarter of an hour elsewhere, seconds here
    monkeypatch.setattr(delivering, "PAUSE", 0.05)


class Receiver(BaseHTTPRequestHandler):
    heard: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def receiver() -> Iterator[tuple[list[str], int]]:
    """What a webhook's receiver heard, and its port."""
    heard: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Receiver,), {"heard": heard}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield heard, server.server_address[1]
    server.shutdown()
    server.server_close()


def subscribe(url: str, port: int) -> None:
    """A desk officer's system hears of everything."""
    with open_database(url).transaction() as tx:
        person = tx.execute(text("SELECT min(id) FROM person WHERE role = 'mfa_reviewer'")).scalar_one()
        values = {"person_id": person, "url": f"http://127.0.0.1:{port}/", "events": json.dumps(["*"])}
        webhook_records.add(tx, {**values, "secret": hooks.new_secret(), "created_at": datetime.now(UTC)})


def change(url: str, sql: str) -> None:
    engine = create_engine(url)
    with engine.begin() as tx:
        tx.execute(text(sql))
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_over_a_network_where_four_of_five_connections_break_everything_arrives(
    kind: str, filled: dict[str, Any], tmp_path: Path, library: Library, quick: None, capsys: Any, record_property: Any
) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    with copy_of(kind, filled, tmp_path) as url, mail_server() as (post, smtp), receiver() as (heard, port):
        behind = int(smtp.rpartition(":")[2])
        with faulty(behind, b"\r\n.\r\n", chance) as mails, faulty(port, b"}", chance) as hooked:
            subscribe(url, hooked.place)
            owe(url, NOTICES)
            worker = worker_of(url, tmp_path, f"smtp://127.0.0.1:{mails.place}", library, **LOOPBACK)
            with running(worker):
                until(lambda: all(row.state != "waiting" for row in rows(url)), 60 + NOTICES)
        found = rows(url)
        tries = sum(row.attempts for row in found)
        for name, value in {"seed": seed, "messages": len(found), "attempts": tries}.items():
            record_property(name, value)
        with capsys.disabled():
            print(f"\nbad network on {kind}, seed {seed}: {len(found)} messages, {tries} attempts, "
                  f"mail {dict(mails.done)}, webhooks {dict(hooked.done)}")  # fmt: skip
        assert len(found) == 3 * NOTICES
        assert {row.state for row in found} == {"sent"}, [row.error for row in found if row.state == "dead"]
        assert {row.uid for row in found if row.channel == "mail"} == set(post.uids())
        assert {row.uid for row in found if row.channel == "webhook"} == set(heard)


def test_a_deaf_receiver_is_slow_for_itself(
    filled: dict[str, Any], tmp_path: Path, library: Library, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "TIMEOUT", httpx.Timeout(30))
    with (
        copy_of("sqlite", filled, tmp_path) as url,
        socket.create_server(("127.0.0.1", 0)) as deaf,
        mail_server() as (post, smtp),
        receiver() as (heard, port),
    ):
        subscribe(url, deaf.getsockname()[1])
        subscribe(url, port)
        owe(url, 15)
        monkeypatch.setattr(delivering, "GRACE", 0.2)
        with running(worker_of(url, tmp_path, smtp, library, **LOOPBACK)):
            until(lambda: (len(post.taken), len(heard)) == (30, 15), 20)
            began = time.monotonic()
        assert time.monotonic() - began < 8, "what is deaf is cut when the worker must end"
        left = [row for row in rows(url) if row.state != "sent"]
        assert len(left) == 15
        assert sorted(row.attempts for row in left) == [0] * 14 + [1], "one at a time"


def test_an_attempt_ends_before_its_lease_does(
    filled: dict[str, Any], tmp_path: Path, library: Library, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 30.0)

    def drip(listening: socket.socket) -> None:
        talking, _ = listening.accept()
        with talking:
            for _ in range(100):  # a sign now and then: no single answer is late, and there is never one
                time.sleep(0.1)
                try:
                    talking.sendall(b"2")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as slow, copy_of("sqlite", filled, tmp_path) as url:
        threading.Thread(target=drip, args=(slow,), daemon=True).start()
        owe(url, 1)
        place = f"smtp://127.0.0.1:{slow.getsockname()[1]}"
        with running(worker_of(url, tmp_path, place, library, EARMARK_DELIVERY_LEASE="1")):
            until(lambda: any(row.error for row in rows(url)), 10)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_transaction_is_open_while_a_mail_server_does_not_answer(
    kind: str, filled: dict[str, Any], tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "GRACE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as deaf, copy_of(kind, filled, tmp_path) as url:
        owe(url, 2)
        with running(worker_of(url, tmp_path, f"smtp://127.0.0.1:{deaf.getsockname()[1]}", library)):
            until(lambda: all(row.attempts for row in rows(url)), 10)
            time.sleep(0.3)
            if kind == "postgresql":
                query = (
                    "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                assert not [row for row in asked(url, query) if (row.state or "").startswith("idle in")]
            change(url, "UPDATE message SET error = 'written meanwhile' WHERE attempts > 0")
            assert all(row.error for row in rows(url))
        assert {(row.state, row.attempts) for row in rows(url)} == {("waiting", 1)}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_three_workers_one_dies_and_the_others_deliver_what_it_had_taken(
    kind: str, filled: dict[str, Any], tmp_path: Path, record_property: Any
) -> None:
    lease = 2
    with copy_of(kind, filled, tmp_path) as url, mail_server(Slow(0.3)) as (post, smtp):
        three = [forked(("deliver",), _env(url, smtp, tmp_path, lease), "/dev/null", "/dev/null") for _ in range(3)]
        try:
            time.sleep(0.3)
            owe(url, 30)
            until(lambda: len(post.taken) > 4, 20)
            three[0].kill()
            began = time.monotonic()
            until(lambda: {row.state for row in rows(url)} == {"sent"}, 60)
            took = time.monotonic() - began
        finally:
            for one in three:
                one.kill()
        record_property("lost", len({row.uid for row in rows(url)} - set(post.uids())))
        record_property("seconds", round(took, 1))
        assert {row.uid for row in rows(url)} <= set(post.uids())
        assert took < lease + 5, took


class Slow(Post):
    """A mail server that takes its time over each message."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.seconds)
        return await super().handle_DATA(server, session, envelope)


def _env(url: str, smtp: str, folder: Path, lease: int) -> dict[str, str]:
    own = {"EARMARK_DATABASE_URL": url, "EARMARK_SMTP_URL": smtp, "EARMARK_VAR": str(folder)}
    return {**os.environ, **own, "EARMARK_DELIVERY_LEASE": str(lease), "EARMARK_DEMO": "1"}


def test_told_to_end_while_it_sends_a_worker_finishes_that_and_nothing_is_sent_twice(
    filled: dict[str, Any], tmp_path: Path
) -> None:
    with copy_of("sqlite", filled, tmp_path) as url, mail_server(Slow(0.5)) as (post, smtp):
        owe(url, 10)
        one = forked(("deliver",), _env(url, smtp, tmp_path, 60), "/dev/null", "/dev/null")
        until(lambda: sum(row.attempts for row in rows(url)) >= 8, 20)
        one.terminate()
        one.wait(15)
        settled = {row.uid for row in rows(url) if row.state == "sent"}
        assert settled == set(post.uids()) & {row.uid for row in rows(url)}, "what was sent is written down"
        assert all(row.attempts == 0 for row in rows(url) if row.state == "waiting"), "nothing is left half done"
        other = forked(("deliver",), _env(url, smtp, tmp_path, 60), "/dev/null", "/dev/null")
        until(lambda: all(row.state == "sent" for row in rows(url)), 20)
        other.terminate()
        other.wait(15)
        assert len(post.uids()) == len(set(post.uids()))


def test_while_mail_is_deaf_everything_else_is_as_fast_as_before_and_nothing_is_lost(
    filled: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asking(address: str) -> float:
        """The median time of a move that owes two notices."""
        people = json.loads((tmp_path / "demo.json").read_text())
        token = {"Authorization": f"Bearer {people['mfa_reviewer']['token']}"}
        times = []
        with httpx.Client(base_url=address, headers=token, verify=False) as client:
            found = client.get("/api/v1/proposals?state=submitted&limit=1").json()["items"]
            for i in range(25):
                began = time.perf_counter()
                path = f"/api/v1/proposals/{found[0]['ref']}/clarifications"
                assert client.post(path, json={"question": f"Why {i}?"}).status_code == 201
                times.append(time.perf_counter() - began)
            assert client.get("/login").status_code == 200
            assert client.get("/health/ready").status_code == 200
        return statistics.median(times)

    with socket.create_server(("127.0.0.1", 0)) as deaf, copy_of("sqlite", filled, tmp_path) as url:
        with started(url, tmp_path) as (address, _):
            quiet = asking(address)
        monkeypatch.setenv("EARMARK_SMTP_URL", f"smtp://127.0.0.1:{deaf.getsockname()[1]}")
        with started(url, tmp_path, deliver="1") as (address, process):
            busy = asking(address)
            process.kill()
        assert busy < 5 * quiet + 0.05, (quiet, busy)
        owed = asked(url, "SELECT state FROM message JOIN notice ON notice.id = notice_id WHERE kind = 'clarification.asked'"
                          " AND facts LIKE '%Why %'")  # fmt: skip
        assert {row.state for row in owed} == {"waiting"}
        assert len(owed) >= 100


def test_a_message_that_cannot_be_made_is_dead_in_the_end_and_holds_nobody_up(
    filled: dict[str, Any], tmp_path: Path, library: Library, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MOST_TRIES", 3)
    with copy_of("sqlite", filled, tmp_path) as url, mail_server() as (post, smtp):
        owe(url, 5)
        change(url, "UPDATE notice SET facts = '{\"deadline\": 7}' WHERE id = (SELECT max(id) FROM notice)")
        with capture_logs() as said, running(worker_of(url, tmp_path, smtp, library)):
            until(lambda: all(row.state != "waiting" for row in rows(url)), 20)
        assert [one["event"] for one in said].count("messages dead") >= 1
        dead = [row for row in rows(url) if row.state == "dead"]
        assert len(dead) == 2
        assert {(row.error, row.attempts) for row in dead} == {("It could not be made: ValueError.", 3)}
        assert len(post.taken) == 8


def test_what_kills_every_worker_that_takes_it_is_dead_in_the_end(
    filled: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MOST_TRIES", 3)
    with copy_of("sqlite", filled, tmp_path) as url:
        owe(url, 1)
        now = datetime.now(UTC)
        for i in range(4):
            with open_database(url).transaction() as tx:
                taken = deliveries.take(tx, moment(now + timedelta(minutes=i)), timedelta(seconds=1), Free(8, 4))
                assert len(taken) == (2 if i < 3 else 0)
        assert {(row.state, row.error) for row in rows(url)} == {("dead", "Every attempt broke off.")}


def test_what_a_server_says_of_us_is_no_verdict_on_a_message(
    filled: dict[str, Any], tmp_path: Path, library: Library, quick: None
) -> None:
    class Closed(Post):
        async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, by: str, options: Any) -> str:
            return "554 No service for you\0 today"

    with copy_of("postgresql", filled, tmp_path) as url, mail_server(Closed()) as (_, smtp):
        owe(url, 1)
        with running(worker_of(url, tmp_path, smtp, library)):
            until(lambda: all(row.attempts > 1 and row.error for row in rows(url)), 20)
        assert {(row.state, row.error[:25]) for row in rows(url)} == {("waiting", "554 No service for you  t")}


def test_a_worker_waits_for_no_message_that_a_move_holds(filled: dict[str, Any], tmp_path: Path) -> None:
    with copy_of("postgresql", filled, tmp_path) as url:
        owe(url, 1)
        database, now = open_database(url), datetime.now(UTC)
        with database.transaction() as tx:
            first, second = (one.numbers[0] for one in deliveries.take(tx, moment(now), timedelta(60), Free(8, 4)))
        with database.transaction() as move:
            move.execute(text(f"UPDATE message SET error = 'held' WHERE id = {first}"))
            with database.transaction() as tx:
                assert deliveries.hold(tx, [first, second]) == {second}
