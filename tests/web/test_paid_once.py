"""From approved to closed over HTTP while the service is killed again and again: nothing is paid twice or lost."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import open_database
from app.services import integrity
from app.services.rulebooks import open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK, copy_of
from tests.serving import Process, started
from tests.web.test_deciding_together import AMOUNT, APPROVE, People
from tests.web.test_reports import REPORT

KILLS = 12
PROPOSALS, STEPS = 4, 14  # of a proposal from approved to closed
VOTED = {"amount": 50_000_000, "status": "voted", "reason": "Finance act."}
Step = tuple[str, str, str, dict[str, Any]]


class Mortal:
    """The service, killed at random moments while it works on a request and started again on the same port."""

    def __init__(self, url: str, var: Path, chance: random.Random) -> None:
        self.url, self.var, self.chance = url, var, chance
        self.steps, self.fatal = 0, frozenset(chance.sample(range(1, PROPOSALS * STEPS + 1), KILLS))
        self.stack = ExitStack()
        self.address, self.process = self.start(None)
        self.kills, self.seen = 0, Counter[str]()

    def start(self, port: int | None) -> tuple[str, Process]:
        return self.stack.enter_context(started(self.url, self.var, port=port))

    def again(self) -> None:
        self.process.wait(10)
        self.stack.close()
        self.address, self.process = self.start(int(self.address.rpartition(":")[2]))

    @contextmanager
    def dying(self) -> Iterator[None]:
        """Within this, at some steps of the whole way, the service is killed."""
        self.steps += 1
        if self.steps not in self.fatal:
            yield
            return
        self.kills += 1
        killer = threading.Timer(self.chance.uniform(0.0, 0.03), self.process.kill)
        killer.start()
        try:
            yield
        finally:
            killer.join()
            self.again()


class Persistent(People):
    """A client that repeats what was not answered under the same key, and keeps every answer."""

    def __init__(self, mortal: Mortal) -> None:
        super().__init__([mortal.address], json.loads((mortal.var / "demo.json").read_text()))
        self.mortal = mortal
        self.kept: dict[str, tuple[Step, httpx.Response]] = {}

    def insist(self, role: str, method: str, path: str, body: dict[str, Any]) -> Any:
        key = f"key-{len(self.kept)}"
        headers = {"Idempotency-Key": key} if method == "POST" else {"If-Match": "*"}
        try:
            with self.mortal.dying():
                answer = self.call(role, method, path, json=body, headers=headers)
        except httpx.TransportError:
            answer = self.call(role, method, path, json=body, headers=headers)
            self.mortal.seen["unanswered"] += 1
            self.mortal.seen["of those done before it died"] += "Idempotent-Replayed" in answer.headers
        assert answer.is_success, f"{method} {path}: {answer.text}"
        if method == "POST":
            self.kept[key] = ((role, method, path, body), answer)
        return answer.json()

    def figures(self) -> tuple[int, int, int]:
        answer = self.call("auditor", "GET", "/envelopes/2027")
        assert answer.status_code == 200, answer.text
        one = answer.json()
        assert one["available"] == one["amount"] - one["approved"]
        return one["approved"], one["agreed"], one["paid"]


def to_closed(desk: Persistent, ref: str) -> None:
    """Sign, pay two tranches, report, close; after every step the ledger is what it must be."""
    about, (approved, agreed, paid) = f"/proposals/{ref}", desk.figures()
    tranche = {"year": 2027, "amount": AMOUNT // 2, "due_on": "2027-04-15"}
    numbers = [desk.insist("mfa_finance", "POST", f"{about}/payments", tranche)["id"] for _ in range(2)]
    assert numbers[0] != numbers[1]
    for role in ("iom_focal_point", "mfa_head"):
        desk.insist(role, "POST", f"{about}/agreement/signatures", {})
    assert desk.figures() == (approved, agreed + AMOUNT, paid)
    for i, number in enumerate(numbers):
        for role, name in (("mfa_finance", "prepare"), ("mfa_finance_2", "release"), ("iom_focal_point", "receive")):
            desk.insist(role, "POST", f"/payments/{number}/{name}", {})
        assert desk.figures() == (approved, agreed + AMOUNT, paid + AMOUNT // 2 * (i + 1))
    content = desk.call("iom_office", "GET", about).json()["content"]
    values = [{"code": one["code"], "value": 3} for one in content["indicators"]]
    final = {**REPORT, "indicators": values, "final": True, "unspent": {"amount": 0, "plan": "returned"}}
    desk.insist("iom_office", "PUT", f"{about}/reports/2028", final)
    desk.insist("iom_office", "POST", f"{about}/reports/2028/submit", {})
    desk.insist("mfa_reviewer", "POST", f"{about}/reports/2028/accept", {})
    assert desk.insist("mfa_reviewer", "POST", f"{about}/moves", {"move": "close"})["state"] == "closed"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_at_random_points_nothing_is_paid_twice_and_keys_repeat_their_answers(
    kind: str, filled: dict[str, Any], tmp_path: Path, capsys: Any
) -> None:
    seed = random.randrange(10**6)
    with copy_of(kind, filled, tmp_path) as url, capsys.disabled():
        mortal = Mortal(url, tmp_path, random.Random(seed))
        print(f"\nkilled while paying on {kind}, seed {seed}:", end=" ", flush=True)
        with mortal.stack:
            desk = Persistent(mortal)
            refs = [desk.recommended() for _ in range(PROPOSALS)]
            path = desk.opened(refs)
            for ref in refs:
                assert desk.call("mfa_head", "PUT", f"{path}/decisions/{ref}", json=APPROVE).status_code == 200
            assert desk.call("mfa_head", "POST", f"{path}/conclude").status_code == 200
            assert desk.call("mfa_finance", "PUT", "/envelopes/2027", json=VOTED, headers={"If-Match": "*"}).is_success
            for ref in refs:
                to_closed(desk, ref)
            assert desk.figures() == (PROPOSALS * AMOUNT,) * 3
            for key, ((role, method, place, body), answer) in desk.kept.items():
                again = desk.call(role, method, place, json=body, headers={"Idempotency-Key": key})
                assert (again.content, again.headers["Idempotent-Replayed"]) == (answer.content, "true")
            assert desk.call("auditor", "GET", "/audit/verify").json()["sound"]
            desk.client.close()
        with open_database(url).reading() as tx:
            assert not integrity.faults(tx, open_library(RULES, FRAMEWORK))
        print(f"{mortal.kills} kills, {dict(mortal.seen)}")
    assert (mortal.kills, mortal.steps) == (KILLS, PROPOSALS * STEPS)
