"""The digest: once a day what is no decision, in one mail; tried again it says the same under the same Message-ID."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import text

from app.db import Database, Tx, open_database
from app.delivering import Worker
from app.notify import outbox
from app.records import notices, people
from app.services import deliveries
from app.services.deliveries import Free
from app.services.rulebooks import Library, open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK, copy_of, settings_for
from tests.notify.post import deliver_all, moment
from tests.serving import free_port

EVENING = datetime(2026, 11, 23, 19, tzinfo=UTC)
SEVEN = datetime(2026, 11, 24, 6, tzinfo=UTC)  # 7 in Copenhagen
REF, READER = "DK-IOM-2026-003", "mfa-reviewer@demo.example"
MEETING = {"consultation": 5, "cycle": 2027, "date": "2027-02-10", "place": "Geneva", "sequence": 1}


class Mailbox:
    """A mail server that keeps whole what it is given, whatever it then answers to what tells of the first answer."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        made = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.got.append(made)
        return self.answers.pop(0) if self.answers and "Answer 1." in body(made) else "250 taken"


@pytest.fixture(scope="module")
def library() -> Library:
    return open_library(RULES, FRAMEWORK)


class Post:
    """A database whose reader wants a digest in Danish, a mail server, and a worker whose clock is set by hand."""

    def __init__(self, url: str, folder: Path, smtp: str, library: Library, box: Mailbox) -> None:
        self.box = box
        self.database: Database = open_database(url)
        with self.database.transaction() as tx:
            self.reader = _number(tx, READER)
            notices.put_preferences(tx, self.reader, {"language": "da", "digest": True, "reminders": True})
            tx.execute(text("UPDATE person SET disabled_at = created_at WHERE id <> :id"), {"id": self.reader})
        self.worker = Worker(settings_for(url, folder, env={"EARMARK_SMTP_URL": smtp}), self.database, library)
        self.worker.sender = deliveries.Sender("earmark@um.example", "https://earmark.example")

    def owe(self, kind: str, subject: str, at: datetime, **facts: Any) -> None:
        with self.database.transaction() as tx:
            outbox.owe(tx, kind, subject, at, facts, REF if "date" not in facts else None)

    def deliver(self, at: datetime) -> list[EmailMessage]:
        """Everything that is sent when the worker looks at that instant."""
        before = len(self.box.got)
        deliver_all(self.worker, at)
        return self.box.got[before:]


def _number(tx: Tx, email: str) -> int:
    found = people.person_by_email(tx, email)
    assert found
    return found.id


@contextmanager
def post_of(kind: str, filled: dict[str, Any], folder: Path, library: Library) -> Iterator[Post]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with copy_of(kind, filled, folder) as url:
            yield Post(url, folder, f"smtp://127.0.0.1:{port}", library, box)
    finally:
        controller.stop()


def body(one: EmailMessage) -> str:
    part = one.get_body(("plain",))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_digest_comes_once_at_seven_and_invitations_come_at_once(
    kind: str, filled: dict[str, Any], tmp_path: Path, library: Library
) -> None:
    with post_of(kind, filled, tmp_path, library) as post:
        post.owe("proposal.screened_out", REF, EVENING, deadline="2026-12-31")
        post.owe("proposal.submit", REF, EVENING, total=88.0)  # what came before is no longer so
        for number in (1, 2):
            post.owe("clarification.answered", f"clarification/{number}", EVENING, answer=f"Answer {number}.")
        post.owe("consultation.planned", "consultation/905", EVENING, **MEETING)
        at_once = post.deliver(EVENING)
        assert [one["Subject"] for one in at_once] == ["Konsultation 2027: 10. februar 2027, Geneva"]
        assert post.deliver(SEVEN - timedelta(seconds=1)) == []
        (digest,) = post.deliver(SEVEN)
        assert digest["Subject"] == "3 meddelelser fra Earmark"
        assert "List-Unsubscribe" not in digest
        said = body(digest)
        assert all(word in said for word in ("Answer 1.", "Answer 2.", f"{REF} er indsendt"))
        assert "2026-12-31" not in said
        assert "31. december" not in said
        assert post.deliver(SEVEN + timedelta(days=1)) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_digest_tried_again_gains_nothing_and_keeps_its_message_id(
    kind: str, filled: dict[str, Any], tmp_path: Path, library: Library
) -> None:
    with post_of(kind, filled, tmp_path, library) as post:
        for number in (1, 2, 3):
            post.owe("clarification.answered", f"clarification/{number}", EVENING, answer=f"Answer {number}.")
        post.box.answers = ["451 Not now", "451 Not now"]  # said after it was taken: it may have arrived
        (first,) = post.deliver(SEVEN)
        post.owe("clarification.answered", "clarification/4", EVENING, answer="Answer 4.")  # committed too late
        (second, other) = post.deliver(SEVEN + timedelta(seconds=10))
        if "Answer 4." in body(second):
            second, other = other, second
        assert first["Message-ID"] == second["Message-ID"] != other["Message-ID"]
        assert body(first) == body(second)
        assert "Answer 4." in body(other)
        post.owe("proposal.withdraw", REF, SEVEN + timedelta(minutes=1))  # is for tomorrow's digest
        with post.database.transaction() as tx:
            query = (
                "UPDATE message SET state = 'superseded' WHERE uid = (SELECT max(uid) FROM message WHERE bundle = :b)"
            )
            tx.execute(text(query), {"b": str(first["Message-ID"])[1:33]})
        (third,) = post.deliver(SEVEN + timedelta(minutes=2))
        assert third["Message-ID"] == first["Message-ID"]
        assert third["Subject"] == "2 meddelelser fra Earmark", "what is no longer so is not told, and nothing is new"
        (tomorrow,) = post.deliver(SEVEN + timedelta(days=1))
        assert tomorrow["Subject"] == f"{REF} er trukket tilbage"


def test_two_workers_never_part_a_digest(filled: dict[str, Any], tmp_path: Path, library: Library) -> None:
    with post_of("postgresql", filled, tmp_path, library) as post:
        for turn in range(3):
            at = SEVEN + timedelta(days=turn)
            with post.database.transaction() as tx:
                for number in range(12):
                    subject = f"clarification/{turn}-{number}"
                    outbox.owe(tx, "clarification.answered", subject, at - timedelta(hours=2), {"answer": "Yes."}, REF)
            start, taken = threading.Barrier(3), list[tuple[int, ...]]()

            def take(at: datetime = at, start: Any = start, taken: list[tuple[int, ...]] = taken) -> None:
                start.wait()
                with post.database.transaction() as tx:
                    taken += [one.numbers for one in deliveries.take(tx, moment(at), timedelta(hours=1), Free(8, 4))]

            workers = [threading.Thread(target=take) for _ in range(3)]
            for one in workers:
                one.start()
            for one in workers:
                one.join()
            assert [len(numbers) for numbers in taken] == [12]
            with post.database.transaction() as tx:
                for number in taken[0]:
                    notices.mark_sent(tx, number, at)


@pytest.mark.parametrize(
    ("owed", "due"),
    [
        ("2027-03-27T20:00", "2027-03-28T05:00"),  # the clock goes forward that night
        ("2027-03-28T05:00", "2027-03-29T05:00"),
        ("2026-10-24T20:00", "2026-10-25T06:00"),  # and back that one
        ("2026-10-25T05:59", "2026-10-25T06:00"),
        ("2026-11-23T05:59", "2026-11-23T06:00"),
        ("2026-12-31T23:30", "2027-01-01T06:00"),
    ],
)
def test_a_digest_is_due_at_seven_in_copenhagen_on_every_day(owed: str, due: str) -> None:
    at, expected = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (owed, due))
    assert outbox.next_digest(at) == expected
