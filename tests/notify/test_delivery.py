"""Delivery against a real mail server: nothing lost, nothing invented, refusals seen, workers that die replaced."""

import os
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import create_engine, text

from app.db import open_database
from app.delivering import Worker
from app.notify import mail, outbox
from app.services.rulebooks import Library, open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK, copy_of, settings_for
from tests.serving import forked, free_port, started


class Post:
    """What a mail server took, by Message-ID; `answers` are what it says to whom, before it takes the next."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.answers: dict[str, list[str]] = {}
        self.lock = threading.Lock()

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]) -> str:
        said = self.answers.get(to)
        if said:
            return said.pop(0)
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        head = bytes(envelope.content or b"").partition(b"\r\n\r\n")[0].decode()
        number = next(line for line in head.splitlines() if line.startswith("Message-ID:"))
        with self.lock:
            self.taken.append((number.removeprefix("Message-ID:").strip(), envelope.rcpt_tos[0]))
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[tuple[Post, str]]:
    post = Post()
    port = free_port()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield post, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def library() -> Library:
    return open_library(RULES, FRAMEWORK)


def owe(url: str, number: int) -> None:
    """So many notices of something that is told to two desk officers."""
    with open_database(url).transaction() as tx:
        for i in range(number):
            at = datetime.now(UTC) - timedelta(seconds=1)
            outbox.owe(tx, "clarification.answered", f"clarification/{i}", at, {"answer": "Yes."}, "DK-IOM-2023-001")


def rows(url: str) -> list[Any]:
    """The messages of what `owe` owed; the demo owes none of this kind."""
    engine = create_engine(url)
    with engine.connect() as tx:
        query = """SELECT uid, state, error, attempts FROM message JOIN notice ON notice.id = message.notice_id
            WHERE kind = 'clarification.answered' ORDER BY message.id"""
        found = list(tx.execute(text(query)))
    engine.dispose()
    return found


def every_uid(url: str) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as tx:
        found = set(tx.scalars(text("SELECT uid FROM message")))
    engine.dispose()
    return found


def worker_of(url: str, folder: Path, smtp: str, library: Library) -> Worker:
    settings = settings_for(url, folder, env={"EARMARK_SMTP_URL": smtp, "EARMARK_TODAY": ""})
    worker = Worker(settings, open_database(url), library)
    worker.reminded = float("inf")  # reminders have their own test
    return worker


def until(true: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_everything_owed_is_delivered_once_and_refusals_are_seen(
    kind: str, filled: dict[str, Any], tmp_path: Path, library: Library
) -> None:
    with copy_of(kind, filled, tmp_path) as url, mail_server() as (post, smtp):
        post.answers["mfa-reviewer@demo.example"] = ["550 No such reader"]
        post.answers["mfa-reviewer-2@demo.example"] = ["451 Not now"]
        owe(url, 6)
        worker = worker_of(url, tmp_path, smtp, library)
        thread = threading.Thread(target=worker.run)
        thread.start()
        until(lambda: all(row.state != "waiting" for row in rows(url)), 20)
        worker.stop()
        thread.join(10)
        states = Counter(row.state for row in rows(url))
        assert states == {"sent": 11, "dead": 1}
        assert [row.error for row in rows(url) if row.state == "dead"] == ["550 No such reader"]
        assert len(post.taken) == len({number for number, _ in post.taken}) == 11
        assert {number.strip("<>").partition("@")[0] for number, _ in post.taken} < {row.uid for row in rows(url)}


def test_the_service_delivers_by_itself_into_files_where_there_is_no_server(
    filled: dict[str, Any], tmp_path: Path
) -> None:
    with copy_of("sqlite", filled, tmp_path) as url:
        owe(url, 1)
        with started(url, tmp_path, deliver="1"):
            until(lambda: all(row.state == "sent" for row in rows(url)), 20)
        assert {row.uid for row in rows(url)} <= {one.stem for one in (tmp_path / "mail").iterdir()}


def test_a_server_that_never_answers_stops_nothing(
    filled: dict[str, Any], tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf, copy_of("sqlite", filled, tmp_path) as url:
        owe(url, 1)
        worker = worker_of(url, tmp_path, f"smtp://127.0.0.1:{deaf.getsockname()[1]}", library)
        thread = threading.Thread(target=worker.run)
        thread.start()
        until(lambda: any(row.error for row in rows(url)), 10)
        worker.stop()
        thread.join(10)
        assert {row.state for row in rows(url)} == {"waiting"}, "it is tried again"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_workers_killed_again_and_again_lose_nothing_and_invent_nothing(
    kind: str, filled: dict[str, Any], tmp_path: Path, capsys: Any
) -> None:
    seed, kills = random.randrange(10**6), 12
    chance = random.Random(seed)
    with copy_of(kind, filled, tmp_path) as url, mail_server() as (post, smtp):
        owe(url, 60)
        own = {"EARMARK_DATABASE_URL": url, "EARMARK_SMTP_URL": smtp, "EARMARK_DELIVERY_LEASE": "1"}
        env = {**os.environ, **own, "EARMARK_VAR": str(tmp_path)}
        for _ in range(kills):
            one = forked(("deliver",), env, os.devnull, os.devnull)
            time.sleep(chance.uniform(0.1, 0.5))
            one.kill()
            one.wait(10)
        last = forked(("deliver",), env, os.devnull, os.devnull)
        until(lambda: all(row.state == "sent" for row in rows(url)), 30)
        last.terminate()
        last.wait(20)
        told = {number.strip("<>").partition("@")[0] for number, _ in post.taken}
        assert {row.uid for row in rows(url)} <= told <= every_uid(url), "none lost, none invented; workers also remind"
        with capsys.disabled():
            print(f"\nkilled while delivering on {kind}, seed {seed}: {len(told)} messages, {len(post.taken)} arrivals")
