"""The log of acts cannot be bent unseen, and erasing a person leaves it whole."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from app.db import open_database
from app.domain.people import Actor, Role
from app.services import audit
from app.services.clock import Now
from tests.serving import earmark, served
from tests.web.test_proposals import STRONG, shifted

HARMS, SEED = int(os.environ.get("SOAK_HARMS", "250")), int(os.environ.get("SOAK_SEED", "20261123"))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def log(database_url: str) -> tuple[str, str]:
    """A database with a log of its own length, and the head that was published."""
    with open_database(database_url).transaction() as tx:
        actor = Actor(1, "x", Role.MFA_HEAD, token_id=1, address="192.0.2.1")
        for i in range(40):
            now = Now(NOON + timedelta(seconds=i), NOON.date())
            audit.record(tx, actor, "proposal.return", f"DK-IOM-2027-{i:03d}", now, {"number": i}, before="b" * 64)
        head = audit.verify(tx)["head"]
    return database_url, head


def harm(tx: Any, rng: Random, rows: list[Any]) -> str:
    """One random edit, deletion, cut or rewrite of the whole log from some entry on."""
    kind = rng.choice(["edit", "delete", "cut", "rewrite", "swap"])
    row = rng.choice(rows)
    if kind == "edit":
        column, value = rng.choice(
            [("event", "x"), ("subject", "x"), ("facts", "{}"), ("role", "admin"), ("person_id", 2), ("token_id", 9),
             ("before_sha256", "c" * 64), ("after_sha256", "c" * 64), ("previous", "d" * 64), ("hash", "e" * 64),
             ("at", "2020-01-01 00:00:00.000000")]
        )  # fmt: skip
        if getattr(row, column) == value:
            return "nothing"
        tx.execute(text(f"UPDATE audit SET {column} = :v WHERE seq = :s"), {"v": value, "s": row.seq})
    elif kind == "delete":
        tx.execute(text("DELETE FROM audit WHERE seq = :s"), {"s": row.seq})
    elif kind == "swap":
        if row.seq == rows[0].seq:
            return "nothing"
        tx.execute(
            text("UPDATE audit SET subject = subject || '!' WHERE seq IN (:a, :b)"), {"a": row.seq, "b": row.seq - 1}
        )
    else:
        tx.execute(text("DELETE FROM audit WHERE seq >= :s"), {"s": row.seq})
        last = tx.execute(text("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")).one_or_none()
        place = {"s": last.seq if last else 0, "h": last.hash if last else audit.FIRST}
        tx.execute(text("UPDATE audit_head SET seq = :s, hash = :h"), place)
        if kind == "rewrite":
            for _ in range(len(rows) - (last.seq if last else 0)):
                audit.record(tx, None, "nothing.happened", "nobody", Now(NOON, NOON.date()))
    return kind


def test_five_hundred_random_harms_are_all_found_with_the_published_head(
    log: tuple[str, str], capsys: Any, record_property: Any
) -> None:
    url, head = log
    rng, found = Random(SEED), 0
    with open_database(url).transaction() as tx:
        rows = list(tx.execute(text("SELECT * FROM audit ORDER BY seq")))
        assert audit.verify(tx, [head])["sound"]
        done = 0
        while done < HARMS:  # on each of the two databases
            point = tx.begin_nested()
            kind = harm(tx, rng, rows)
            if kind != "nothing":
                done += 1
                proof = audit.verify(tx, [head])
                assert not proof["sound"], kind
                found += 1
            point.rollback()
        assert audit.verify(tx, [head])["sound"]
    for name, value in {"seed": SEED, "harms": done, "not found": done - found}.items():
        record_property(name, value)
    with capsys.disabled():
        print(f"\naudit: {found} harms of {done} found")


def test_a_cut_or_rewritten_log_needs_the_published_head_to_be_found(log: tuple[str, str]) -> None:
    """The control: without a head published elsewhere a clean rewrite shows nothing, so heads are published."""
    url, head = log
    with open_database(url).transaction() as tx:
        tx.execute(text("DELETE FROM audit"))
        tx.execute(text("UPDATE audit_head SET seq = 0, hash = :h"), {"h": audit.FIRST})
        audit.record(tx, None, "nothing.happened", "nobody", Now(NOON, NOON.date()))
        assert audit.verify(tx)["sound"]
        assert not audit.verify(tx, [head])["sound"]


NAME, EMAIL = "Ingeborg Canarius", "ingeborg.canarius@example.org"


def test_an_erased_person_is_nowhere_left_and_the_chain_holds(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path, log=tmp_path / "log") as address:
        accounts = json.loads((tmp_path / "demo.json").read_text())
        base = f"{address}/api/v1"
        admin = {"Authorization": f"Bearer {accounts['admin']['token']}"}
        new = {"name": NAME, "email": EMAIL, "role": "iom_office", "office": "IOM-NE"}
        person = httpx.post(f"{base}/users", json=new, headers={**admin, "Idempotency-Key": "k1"}).json()["id"]
        token = httpx.post(f"{base}/tokens", json={"label": "x", "person": person}, headers=admin).json()["token"]
        mine = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k2"}
        content = {**shifted(STRONG), "contact": {"name": NAME, "email": EMAIL}}
        made = httpx.post(f"{base}/proposals", json={"cycle": 2027, "content": content}, headers=mine).json()
        focal = {"Authorization": f"Bearer {accounts['iom_focal_point']['token']}"}
        moved = httpx.post(f"{base}/proposals/{made['ref']}/moves", json={"move": "submit"}, headers=focal)
        assert moved.json()["state"] == "submitted"
        httpx.post(f"{address}/login", data={"email": EMAIL, "password": "canary-password"})
    assert EMAIL in _dump(database_url)
    env = {"EARMARK_DATABASE_URL": database_url}
    done = earmark("user", "erase", str(person), **env)
    assert done.returncode == 0, done.stderr
    left = _dump(database_url)
    for word in (NAME, EMAIL, "Canarius", "canarius"):
        assert word not in left
        assert word not in (tmp_path / "log").read_text()
    assert earmark("audit", "verify", **env).returncode == 0
    assert earmark("check", **env).returncode == 0
    assert f'"subject":"user/{person}"' in earmark("audit", "export", **env).stdout


def _dump(url: str) -> str:
    """Everything the database holds: the files of SQLite, the rows of PostgreSQL."""
    if url.startswith("sqlite"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        return "".join(one.read_bytes().decode("latin-1") for one in folder.glob("earmark.db*"))
    engine = create_engine(url)
    with engine.connect() as tx:
        tables = tx.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
        said = "".join(str(list(tx.execute(text(f'SELECT * FROM "{name}"')))) for name in tables)
        said += str([bytes(row[0] or b"") for row in tx.execute(text("SELECT body FROM idempotency_key"))])
    engine.dispose()
    return said


CANARIES = ("canary-password", "Canary title of a proposal", "canary@example.org", "canary-note")


def test_no_secret_address_or_text_of_a_proposal_gets_into_the_logs(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path, log=tmp_path / "log") as address:
        accounts = json.loads((tmp_path / "demo.json").read_text())
        token = accounts["iom_focal_point"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        base = f"{address}/api/v1"
        httpx.post(f"{address}/login", data={"email": "canary@example.org", "password": "canary-password"})
        httpx.get(f"{base}/proposals?q=canary-note", headers=headers)
        content = {"title": "Canary title of a proposal", "contact": {"name": "x", "email": "canary@example.org"}}
        httpx.post(f"{base}/proposals", json={"cycle": 2027, "office": "IOM-NE", "content": content}, headers=headers)
        httpx.post(f"{base}/proposals", content=b'{"cycle": "canary-note"', headers=headers)
        session = httpx.post(
            f"{address}/login", data={k: accounts["mfa_head"][k] for k in ("email", "password")}
        ).headers["Set-Cookie"]
    said = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    answered = [line for line in lines if line["event"] == "answered"]
    assert {"request_id", "actor", "route", "status", "ms"} <= set(answered[-1])
    assert any(line["actor"] for line in answered)
    secrets = [token, session.partition("=")[2].partition(";")[0], accounts["mfa_head"]["password"], *CANARIES]
    assert not [one for one in secrets if one in said]


def test_the_daily_head_of_the_log_is_told(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path, log=tmp_path / "log"):
        pass
    told = [line for line in (tmp_path / "log").read_text().splitlines() if '"audit_head"' in line]
    head = json.loads(told[0])["hash"]
    env = {"EARMARK_DATABASE_URL": database_url}
    assert earmark("audit", "verify", "--head", head, **env).returncode == 0
    assert earmark("audit", "verify", "--head", "f" * 64, **env).returncode == 1
    assert earmark("tidy", **env).returncode == 0
