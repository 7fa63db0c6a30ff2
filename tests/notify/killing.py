"""The service with its worker inside, killed -9 at random moments while people call it: nothing lost, nothing invented.

The suite runs it a hundred times on each database, `make soak` a thousand times.
"""

import contextlib
import os
import random
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, text, update

from app.records.notice_tables import message
from tests.notify.post import asked, mail_server, until
from tests.serving import forked, free_port, is_ready
from tests.web.test_together import BODY

NOW = datetime.now(UTC).date()
BACK = {"move": "return", "reason": "Say more.", "deadline": (NOW + timedelta(days=20)).isoformat()}
LEASE = 1
# What the service says it sent; the demo's stories are taken as sent at the moment they happened.
SENT = "SELECT uid FROM message JOIN notice ON notice.id = notice_id WHERE state = 'sent' AND sent_at <> notice.at"
LATE = "SELECT count(*) FROM message WHERE state = 'waiting'"


class Mortal:
    """The service on one port, to be killed and started again."""

    def __init__(self, url: str, var: Path, smtp: str) -> None:
        self.port = free_port()
        own = {"EARMARK_DATABASE_URL": url, "EARMARK_SMTP_URL": smtp, "EARMARK_DELIVERY_LEASE": str(LEASE)}
        own |= {"EARMARK_VAR": str(var), "EARMARK_PORT": str(self.port), "EARMARK_REQUESTS_PER_MINUTE": "1000000"}
        self.env = {**os.environ, **own, "EARMARK_DELIVER": "1"}
        self.log = var / "log"
        self.start()

    def start(self) -> None:
        self.process = forked(("serve",), self.env, str(self.log), str(self.log))

    def said(self) -> str:
        """What the service said went wrong."""
        return "\n".join(line for line in self.log.read_text().splitlines() if "exception" in line)[-4000:]

    def ready(self) -> bool:
        return is_ready(self.port)

    def die(self) -> None:
        self.process.kill()
        self.process.wait(10)


class Person(threading.Thread):
    """Asks, answers, returns and submits one proposal again and again, and repeats under its key what was not answered."""

    def __init__(self, port: int, accounts: dict[str, Any], number: int) -> None:
        super().__init__(daemon=True)
        self.accounts, self.number, self.port = accounts, number, port
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", verify=False, timeout=20)
        self.enough, self.told, self.calls, self.repeats = threading.Event(), Counter[tuple[str, str]](), 0, 0
        self.failed: Exception | None = None

    def run(self) -> None:
        try:
            ref = str(self.insist("iom_focal_point", "/proposals", BODY)["ref"])
            self.move(ref, "iom_focal_point", {"move": "submit"})
            while not self.enough.is_set():
                self.question(ref)
                self.question(ref)
                self.move(ref, "mfa_reviewer", BACK)
                self.move(ref, "iom_focal_point", {"move": "submit"})
        except Exception as error:  # noqa: BLE001  # told by whoever waits for this thread
            self.failed = error
        self.client.close()

    def question(self, ref: str) -> None:
        path = f"/proposals/{ref}/clarifications"
        number = self.insist("mfa_reviewer", path, {"question": f"Why {self.calls}?"})["id"]
        self.told["clarification.asked", f"clarification/{number}"] += 1
        self.insist("iom_focal_point", f"{path}/{number}/answer", {"answer": "So."})
        self.told["clarification.answered", f"clarification/{number}"] += 1

    def move(self, ref: str, role: str, body: dict[str, str]) -> None:
        self.insist(role, f"/proposals/{ref}/moves", body)
        self.told[f"proposal.{body['move']}", ref] += 1

    def insist(self, role: str, path: str, body: dict[str, Any]) -> Any:
        """Call until there is an answer."""
        self.calls += 1
        token, key = self.accounts[role]["token"], f"person-{self.number}-{self.calls}"
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        while True:
            try:
                answer = self.client.post(path, json=body, headers=headers)
                break
            except httpx.TransportError:
                self.repeats += 1
                self.knock()
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def knock(self) -> None:
        """Wait until somebody listens there; cheaper than to call again and again."""
        for _ in range(1000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)


def killed(
    url: str, var: Path, accounts: dict[str, Any], kills: int, seconds: float, chance: random.Random
) -> dict[str, int]:
    """Kill the service so often, or for so long: what was lost or invented (0, or the promise is broken), and of how much."""
    open_window(url)
    with ExitStack() as stack:
        post, smtp = stack.enter_context(mail_server())
        mortal = Mortal(url, var, smtp)
        stack.callback(mortal.die)
        until(mortal.ready, 30)
        people = [Person(mortal.port, accounts, number) for number in range(3)]
        for one in people:
            one.start()
        ends, done = time.monotonic() + seconds, 0
        while done < kills and time.monotonic() < ends:
            done += 1
            if chance.random() < 0.9:  # the others die while they start
                wanted = sum(one.calls for one in people) + chance.randrange(4)
                until(lambda wanted=wanted: _went_on(people, wanted), 60, every=0.005)
            time.sleep(chance.uniform(0, 0.05))
            mortal.die()
            mortal.start()
        for one in people:
            one.enough.set()
        for one in people:
            one.join(60)
            assert one.failed is None, f"{one.failed}\n{mortal.said()}"
        until(lambda: _hurried(url) == 0, 120)
        return {"kills": done, **_reckoned(url, post.uids(), people)}


def _went_on(people: list[Person], calls: int) -> bool:
    """Whether they have called so often by now, or one of them cannot go on."""
    return sum(one.calls for one in people) >= calls or any(one.failed for one in people)


def _hurried(url: str) -> int:
    """How many messages still wait; what pauses because it was killed again and again is due at once."""
    engine, now = create_engine(url), datetime.now(UTC)
    pausing = (message.c.state == "waiting") & (message.c.next_at > now + timedelta(seconds=LEASE))
    with engine.begin() as tx:
        tx.execute(update(message).where(pausing).values(next_at=now))
    engine.dispose()
    time.sleep(0.5)  # who looks too often keeps the worker from writing
    return int(asked(url, LATE)[0][0])


def open_window(url: str) -> None:
    """Let proposals be submitted whatever day it is: the service runs on the real clock, because the demo starts slower."""
    engine = create_engine(url)
    with engine.begin() as tx:
        days = {"opens": NOW - timedelta(days=60), "closes": NOW + timedelta(days=60)}
        tx.execute(text("UPDATE cycle SET opens_on = :opens, closes_on = :closes WHERE year = 2027"), days)
    engine.dispose()


def _reckoned(url: str, arrived: list[str], people: list[Person]) -> dict[str, int]:
    told = sum((one.told for one in people), Counter[tuple[str, str]]())
    mine = "kind LIKE 'clarification.%' OR kind LIKE 'proposal.%'"
    owed = Counter({(row.kind, row.subject): row.n for row in asked(
        url, f"SELECT kind, subject, count(*) AS n FROM notice WHERE {mine} GROUP BY kind, subject")})  # fmt: skip
    states = {row.uid: row.state for row in asked(url, "SELECT uid, state FROM message")}
    unaddressed = (
        "SELECT count(*) FROM notice WHERE kind LIKE 'clarification.%' AND id NOT IN (SELECT notice_id FROM message)"
    )
    sent = {row.uid for row in asked(url, SENT)}
    return {
        "lost": len(sent - set(arrived)),
        "dead": sum(state == "dead" for state in states.values()),
        "phantom": len(set(arrived) - states.keys()),
        "missing": sum((told - owed).values()) + int(asked(url, unaddressed)[0][0]),
        "doubled": sum(owed[key] - told[key] for key in told),
        "calls": sum(one.calls for one in people),
        "repeated calls": sum(one.repeats for one in people),
        "messages": len(set(arrived)),
        "duplicates": len(arrived) - len(set(arrived)),
    }
