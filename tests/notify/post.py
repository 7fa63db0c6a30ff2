"""What tests of delivery share: a mail server that keeps what it took, and what the database says of the same messages."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import create_engine, text

from app.db import open_database
from app.delivering import Worker
from app.domain.cycle import day_of
from app.notify import outbox
from app.services.clock import Now
from app.services.rulebooks import Library
from tests.conftest import settings_for
from tests.serving import free_port


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

    def uids(self) -> list[str]:
        """What arrived, by the row's own id, repeats included."""
        with self.lock:
            return [number.strip("<>").partition("@")[0] for number, _ in self.taken]


@contextmanager
def mail_server(post: Post | None = None) -> Iterator[tuple[Post, str]]:
    post = post or Post()
    port = free_port()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield post, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


PAST = datetime(2026, 11, 22, 12, tzinfo=UTC)  # for the demo's day and for the real one


def owe(url: str, number: int, at: datetime = PAST) -> None:
    """So many notices of something that is told to two desk officers."""
    with open_database(url).transaction() as tx:
        for i in range(number):
            outbox.owe(tx, "clarification.answered", f"clarification/{i}", at, {"answer": "Yes."}, "DK-IOM-2023-001")


def asked(url: str, query: str) -> list[Any]:
    """What the database answers."""
    engine = create_engine(url)
    with engine.connect() as tx:
        found = list(tx.execute(text(query)))
    engine.dispose()
    return found


def rows(url: str) -> list[Any]:
    """The messages of what `owe` owed; the demo owes none of this kind."""
    query = """SELECT uid, channel, state, error, attempts, person_id, webhook_id FROM message
        JOIN notice ON notice.id = message.notice_id WHERE kind = 'clarification.answered' ORDER BY message.id"""
    return asked(url, query)


def worker_of(url: str, folder: Path, smtp: str, library: Library, **env: str) -> Worker:
    own = {"EARMARK_SMTP_URL": smtp, "EARMARK_TODAY": "", **env}
    worker = Worker(settings_for(url, folder, env=own), open_database(url), library)
    worker.reminded = float("inf")  # reminders have their own test
    return worker


@contextmanager
def running(*workers: Worker) -> Iterator[None]:
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(20)


def until(true: Callable[[], bool], seconds: float, every: float = 0.05) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(every)


def moment(at: datetime) -> Now:
    """An instant with its day in Copenhagen."""
    return Now(at, day_of(at))


def deliver_all(worker: Worker, at: datetime) -> None:
    """Everything that is due at an instant, one after the other, without the worker's own threads."""
    worker._now = lambda: moment(at)  # type: ignore[method-assign]
    while True:
        worker.once()
        if not worker.at_work:
            worker.office.rest()
            return
        while not worker.given.empty():
            attempt = worker.given.get()
            assert attempt
            worker._deliver(attempt)
            worker.done.put(attempt)
