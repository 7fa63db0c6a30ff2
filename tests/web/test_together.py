"""Many at once, over two instances of the service on one database: nothing twice, nothing lost, no gap."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import copy_of
from tests.serving import served
from tests.web.test_proposals import STRONG, shifted

BODY = {"cycle": 2027, "office": "IOM-NE", "content": shifted(STRONG)}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def clients(
    request: pytest.FixtureRequest, filled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[httpx.Client]]:
    """Eight focal points at two instances."""
    folder = tmp_path_factory.mktemp("together")
    with (
        copy_of(request.param, filled, folder) as url,
        served(url, folder) as one,
        served(url, folder) as two,
    ):
        token = json.loads((folder / "demo.json").read_text())["iom_focal_point"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        made = [httpx.Client(base_url=f"{one}/api/v1", headers=headers, timeout=60) for _ in range(4)]
        made += [httpx.Client(base_url=f"{two}/api/v1", headers=headers, timeout=60) for _ in range(4)]
        yield made
        for client in made:
            client.close()


def together(clients: list[httpx.Client], work: Any, times: int = 24) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(lambda i: work(clients[i % len(clients)], i), range(times)))


def test_references_made_together_have_no_gap_and_no_twin(clients: list[httpx.Client]) -> None:
    made = together(clients, lambda client, i: client.post("/proposals", json=BODY))
    assert {answer.status_code for answer in made} == {201}
    numbers = sorted(int(answer.json()["ref"][-3:]) for answer in made)
    assert numbers == list(range(numbers[0], numbers[0] + 24))


def test_one_key_used_together_makes_one_proposal(clients: list[httpx.Client]) -> None:
    headers = {"Idempotency-Key": "once"}
    made = together(clients, lambda client, i: client.post("/proposals", json=BODY, headers=headers))
    assert {answer.status_code for answer in made} <= {201, 409}
    assert len({answer.json()["ref"] for answer in made if answer.status_code == 201}) == 1
    assert {a.json()["code"] for a in made if a.status_code == 409} <= {"idempotency_key_in_use"}
    after = clients[0].post("/proposals", json=BODY, headers=headers)
    assert (after.status_code, after.headers["Idempotent-Replayed"]) == (201, "true")


def test_of_many_who_read_one_version_one_replaces_it(clients: list[httpx.Client]) -> None:
    ref = clients[0].post("/proposals", json=BODY).json()["ref"]
    content = {**BODY["content"], "route": "Another route"}
    headers = {"If-Match": '"1"'}
    sent = together(clients, lambda client, i: client.put(f"/proposals/{ref}/content", json=content, headers=headers))
    assert Counter(answer.status_code for answer in sent) == {200: 1, 412: 23}


def test_of_many_who_submit_one_does(clients: list[httpx.Client]) -> None:
    ref = clients[0].post("/proposals", json=BODY).json()["ref"]
    sent = together(clients, lambda client, i: client.post(f"/proposals/{ref}/moves", json={"move": "submit"}))
    assert Counter(answer.status_code for answer in sent) == {200: 1, 409: 23}
    history = clients[-1].get(f"/proposals/{ref}/history").json()["items"]
    assert [step["event"] for step in history] == ["create", "submit"]


def test_what_was_answered_is_there_after_a_restart(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path) as address:
        token = json.loads((tmp_path / "demo.json").read_text())["iom_focal_point"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        made = httpx.post(f"{address}/api/v1/proposals", json=BODY, headers=headers).json()
    with served(database_url, tmp_path) as address:
        token = json.loads((tmp_path / "demo.json").read_text())["iom_focal_point"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        again = httpx.get(f"{address}/api/v1/proposals/{made['ref']}", headers=headers).json()
    assert again == made
