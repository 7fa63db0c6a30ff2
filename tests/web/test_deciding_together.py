"""Deciding at the same moment, over two instances of the service, and a service killed while it concludes."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import copy_of
from tests.serving import served, started
from tests.web.test_review import GOOD, MEMO
from tests.web.test_together import BODY

PLAN = {"cycle": 2027, "date": "2026-11-23", "place": "Geneva", "participants": [], "reason": "A test."}
AMOUNT = 4_000_000
APPROVE = {"decision": "approve", "amounts": {"2027": AMOUNT}}
REJECT = {"decision": "reject", "reason": "Not now."}


class People:
    """Everybody at one or two instances; heads are two persons."""

    def __init__(self, addresses: list[str], accounts: dict[str, Any]) -> None:
        self.addresses, self.accounts = addresses, accounts
        self.client = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=40))
        new = {"name": "Second Head", "email": "second-head@demo.example", "role": "mfa_head"}
        person = self.call("admin", "POST", "/users", json=new).json()
        token = self.call("admin", "POST", "/tokens", json={"label": "test", "person": person["id"]}).json()["token"]
        self.accounts["mfa_head_2"] = {"token": token}

    def call(self, role: str, method: str, path: str, at: int = 0, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.accounts[role]['token']}", **more.pop("headers", {})}
        address = self.addresses[at % len(self.addresses)]
        return self.client.request(method, f"{address}/api/v1{path}", headers=headers, **more)

    def recommended(self) -> str:
        ref = str(self.call("iom_focal_point", "POST", "/proposals", json=BODY).json()["ref"])
        moves, mine = f"/proposals/{ref}/moves", f"/proposals/{ref}/assessments/mine"
        self.call("iom_focal_point", "POST", moves, json={"move": "submit"})
        self.call("mfa_reviewer", "POST", moves, json={"move": "start_review"})
        for role in ("mfa_reviewer", "mfa_reviewer_2"):
            self.call(role, "PUT", mine, json=GOOD)
            self.call(role, "POST", f"{mine}/complete")
        assert self.call("mfa_reviewer", "POST", moves, json=MEMO).json()["state"] == "recommended"
        return ref

    def opened(self, refs: list[str]) -> str:
        path = f"/consultations/{self.call('mfa_reviewer', 'POST', '/consultations', json=PLAN).json()['id']}"
        assert self.call("mfa_reviewer", "PUT", f"{path}/agenda", json={"proposals": refs}).status_code == 200
        assert self.call("mfa_head", "POST", f"{path}/open").status_code == 200
        return path

    def state(self, ref: str) -> str:
        return str(self.call("iom_focal_point", "GET", f"/proposals/{ref}").json()["state"])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, filled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[People]:
    folder = tmp_path_factory.mktemp("deciding")
    with copy_of(request.param, filled, folder) as url, served(url, folder) as one, served(url, folder) as two:
        people = People([one, two], json.loads((folder / "demo.json").read_text()))
        yield people
        people.client.close()


def test_of_two_who_decide_at_once_one_is_told(desk: People) -> None:
    refs = [desk.recommended() for _ in range(10)]
    path = desk.opened(refs)
    with ThreadPoolExecutor(4) as pool:
        for round_ in range(2):  # twenty pairs: every item is decided twice, taken back in between
            for ref in refs:
                place = f"{path}/decisions/{ref}"
                both = list(
                    pool.map(
                        lambda i, place=place: desk.call(
                            ("mfa_head", "mfa_head_2")[i], "PUT", place, at=i, json=(APPROVE, REJECT)[i]
                        ),
                        (0, 1),
                    )
                )
                assert sorted(one.status_code for one in both) == [200, 428], [one.text for one in both]
                held = next(i for i, one in enumerate(both) if one.status_code == 200)
                told = both[1 - held].json()
                assert told["code"] == "if_match_required"
                shown = desk.call("mfa_head", "GET", path).json()
                item = next(one for one in shown["agenda"] if one["ref"] == ref)
                assert item["decision"]["decision"] == ("approve", "reject")[held]
                if round_ == 0:
                    assert desk.call("mfa_head", "DELETE", place).status_code == 200
    assert desk.call("mfa_head", "PUT", f"{path}/agenda", json={"proposals": []}, headers={"If-Match": "*"}).is_success


def test_consultations_concluded_at_once_share_one_envelope(desk: People) -> None:
    before = desk.call("mfa_finance", "GET", "/envelopes/2027").json()
    refs = [desk.recommended() for _ in range(8)]
    paths = {ref: desk.opened([ref]) for ref in refs}
    change = {"amount": before["approved"] + 5 * AMOUNT + AMOUNT // 2, "status": "planned", "reason": "Room for five."}
    put = desk.call("mfa_finance", "PUT", "/envelopes/2027", json=change, headers={"If-Match": "*"})
    assert put.status_code == 200, put.text
    for ref, path in paths.items():
        assert desk.call("mfa_head", "PUT", f"{path}/decisions/{ref}", json=APPROVE).status_code == 200
    tries = [(path, i) for path in paths.values() for i in range(2)]
    random.Random(7).shuffle(tries)
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda one: desk.call("mfa_head", "POST", f"{one[0]}/conclude", at=one[1]), tries))
    assert {one.status_code for one in done} == {200, 409}, Counter(one.status_code for one in done)
    assert sum(one.status_code == 200 for one in done) == 5
    codes = {refusal["code"] for one in done if one.status_code == 409 for refusal in one.json()["refusals"]}
    assert codes <= {"envelope_exceeded", "wrong_state"}
    assert sum(desk.state(ref) == "approved" for ref in refs) == 5
    after = desk.call("mfa_finance", "GET", "/envelopes/2027").json()
    assert after["approved"] - before["approved"] == 5 * AMOUNT
    assert after["available"] == AMOUNT // 2
    assert desk.call("auditor", "GET", "/audit/verify").json()["sound"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_while_concluding_all_or_nothing_has_happened(
    kind: str, filled: dict[str, Any], tmp_path: Path, capsys: Any
) -> None:
    seed = random.randrange(10**6)
    chance, seen = random.Random(seed), Counter[str]()
    with copy_of(kind, filled, tmp_path) as url:
        for number in range(4):
            with started(url, tmp_path) as (address, process):
                accounts = json.loads((tmp_path / "demo.json").read_text())
                if number == 0:
                    desk = People([address], accounts)
                    refs = [desk.recommended() for _ in range(3)]
                    path = desk.opened(refs)
                    for ref in refs:
                        assert desk.call("mfa_head", "PUT", f"{path}/decisions/{ref}", json=APPROVE).status_code == 200
                desk.addresses = [address]
                before = [desk.state(ref) for ref in refs]
                approved = desk.call("mfa_finance", "GET", "/envelopes/2027").json()["approved"]
                assert before in (["recommended"] * 3, ["approved"] * 3), before
                assert approved == (0 if before[0] == "recommended" else 3 * AMOUNT)
                shown = desk.call("mfa_head", "GET", path).json()
                assert shown["state"] == ("open" if before[0] == "recommended" else "concluded")
                seen[before[0]] += 1
                if shown["state"] == "concluded" or number == 3:
                    break
                killer = threading.Timer(chance.uniform(0.0, 0.06), process.kill)
                killer.start()
                try:
                    desk.call("mfa_head", "POST", f"{path}/conclude")
                except httpx.TransportError:
                    seen["killed"] += 1
                killer.join()
    desk.client.close()
    with capsys.disabled():
        print(f"\nkilled while concluding on {kind}, seed {seed}: {dict(seen)}")
