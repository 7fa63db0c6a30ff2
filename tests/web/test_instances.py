"""Two instances of the application over one database: what one counts or puts in force holds for the other."""

import asyncio
import hashlib
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import cli, main
from app.domain.rulebook import FILES
from app.services import quotas, upkeep
from app.settings import RULES
from app.web import quota
from app.web.requests import House
from tests.conftest import FRAMEWORK, settings_for
from tests.notify.post import asked
from tests.web.test_proposals import STRONG, shifted

BODY = {"cycle": 2027, "office": "IOM-NE", "content": shifted(STRONG)}


class Instance:
    """One of several applications, and how somebody calls it."""

    def __init__(self, url: str, var: Path, token: str, **env: str) -> None:
        app = main.create_app(settings_for(url, var, env=env))
        self.house: House = app.state.house
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://earmark.test/api/v1",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def create(self) -> httpx.Response:
        return await self.client.post("/proposals", json=BODY)

    async def ready(self) -> httpx.Response:
        return await self.client.get("http://earmark.test/health/ready")


def together(instances: list[Instance], scenario: Callable[..., Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await scenario(*instances)
        finally:
            for one in instances:
                await one.client.aclose()
                await one.house.database.close()

    asyncio.run(whole())


def token_of(filled: dict[str, Any], url: str) -> str:
    return str(filled["sqlite" if url.startswith("sqlite") else "postgresql"]["iom_focal_point"]["token"])


class Clock:
    """Minutes end when the test says so."""

    now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


def test_the_quota_is_one_for_all_instances_and_few_requests_write(
    database_url: str, filled: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Clock()
    monkeypatch.setattr(quota, "time", hands)
    told: list[int] = []
    add = quotas.add
    monkeypatch.setattr(quotas, "add", lambda *args, **more: told.append(1) or add(*args, **more))

    async def scenario(one: Instance, two: Instance) -> None:
        asking = [instance.client.get("/proposals?limit=1") for _ in range(80) for instance in (one, two)]
        said = Counter(answer.status_code for answer in [await asked for asked in asking])
        assert 100 <= said[200] <= 100 + 2 * 2
        assert said[200] + said[429] == 160
        assert len(told) <= 100 / 2 + 2, "two requests are a fiftieth"
        refused = await two.client.get("/proposals?limit=1")
        assert (refused.json()["code"], refused.headers["Retry-After"]) == ("too_many_requests", "60")
        hands.now += 60
        assert (await one.client.get("/proposals?limit=1")).status_code == 200

    env = {"EARMARK_REQUESTS_PER_MINUTE": "100"}
    token = token_of(filled, database_url)
    together([Instance(database_url, tmp_path, token, **env) for _ in range(2)], scenario)


def test_instances_that_come_and_go_use_up_no_more_than_they_let_through(
    database_url: str, filled: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "time", Clock())

    async def scenario(*instances: Instance) -> None:
        said = [(await one.client.get("/proposals?limit=1")).status_code for one in instances]
        assert Counter(said) == {200: 20, 429: 1}
        last = instances[-1].house
        await last.database.write(lambda tx: upkeep.tidy(tx, 90, last.now()))
        kept = asked(database_url, "SELECT n FROM rate WHERE name LIKE 'requests:%'")
        assert [row.n for row in kept] == [21], "only counts of minutes that are over are deleted"

    env = {"EARMARK_REQUESTS_PER_MINUTE": "20"}
    token = token_of(filled, database_url)
    together([Instance(database_url, tmp_path, token, **env) for _ in range(21)], scenario)


def publish(rules: Path) -> str:
    """A newer version beside the one there is; its SHA-256."""
    folder = rules / FRAMEWORK
    (folder / "2027.1").mkdir()
    for name in FILES:
        text = (folder / name).read_text("utf-8").replace('version: "2023.1"', 'version: "2027.1"')
        (folder / "2027.1" / name).write_text(text, "utf-8")
    sums = "".join(f"{hashlib.sha256((folder / '2027.1' / n).read_bytes()).hexdigest()}  {n}\n" for n in sorted(FILES))
    sha256 = hashlib.sha256(sums.encode()).hexdigest()
    with (folder / "manifest.yaml").open("a") as manifest:
        manifest.write(f'  - {{version: "2027.1", folder: "2027.1", sha256: {sha256}}}\n')
    return sha256


def screened_by(answer: httpx.Response) -> str:
    return str(answer.json()["screening"]["rulebook"]["version"])


@pytest.fixture
def shelves(tmp_path: Path) -> tuple[Path, Path]:
    """Two copies of the rules, as two releases have them."""
    made = tmp_path / "old", tmp_path / "new"
    for one in made:
        shutil.copytree(RULES, one)
    return made


def test_an_instance_without_the_rulebook_in_force_screens_nothing_and_says_so(
    database_url: str, filled: dict[str, Any], tmp_path: Path, shelves: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_rules, new_rules = shelves
    publish(new_rules)
    token = token_of(filled, database_url)
    monkeypatch.setattr(main, "RULES", old_rules)
    old = Instance(database_url, tmp_path, token)
    cli._note_start(old.house)
    monkeypatch.setattr(main, "RULES", new_rules)
    new = Instance(database_url, tmp_path, token)

    async def scenario(old: Instance, new: Instance) -> None:
        assert (await old.ready()).status_code == 200
        assert screened_by(await old.create()) == "2023.1"
        cli._note_start(new.house)
        refused = await old.create()
        assert (refused.status_code, refused.json()["code"]) == (503, "rulebook_superseded")
        assert "2027.1 is in force" in refused.json()["detail"]
        ready = await old.ready()
        assert (ready.status_code, ready.json()["checks"]["rulebook"][:25]) == (503, "at 2023.1, not at 2027.1,")
        assert (await old.client.get("/proposals?limit=1")).status_code == 200, "reading goes on"
        assert (await new.ready()).status_code == 200
        assert screened_by(await new.create()) == "2027.1"
        cli._note_start(old.house)  # started again, it is still the older one
        assert screened_by(await new.create()) == "2027.1"

    together([old, new], scenario)


def test_a_rulebook_published_where_both_look_screens_in_both_from_the_same_moment(
    database_url: str, filled: dict[str, Any], tmp_path: Path, shelves: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, _ = shelves
    token = token_of(filled, database_url)
    monkeypatch.setattr(main, "RULES", rules)
    old = Instance(database_url, tmp_path, token)
    cli._note_start(old.house)
    sha256 = publish(rules)
    new = Instance(database_url, tmp_path, token)

    async def scenario(old: Instance, new: Instance) -> None:
        assert screened_by(await old.create()) == "2023.1"
        cli._note_start(new.house)
        assert (await old.create()).status_code == 503, "it looked less than a second ago"
        assert (await old.ready()).json()["checks"]["rulebook"] == "2027.1"
        made = [screened_by(await one.create()) for one in (old, new)]
        assert made == ["2027.1", "2027.1"]
        named = asked(database_url, "SELECT after_sha256 FROM audit WHERE event = 'rulebook.in_force' ORDER BY seq")
        assert [row.after_sha256 for row in named][-1] == sha256

    together([old, new], scenario)
