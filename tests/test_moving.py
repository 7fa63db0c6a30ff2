"""A service taken elsewhere: backed up under writes, restored, copied between databases; and what is refused, leaving all as it was."""

import asyncio
import hashlib
import io
import json
import resource
import sqlite3
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from app import moving
from app.db import open_database
from app.domain.finding import asked
from app.domain.people import Side
from app.records import findable
from tests.serving import earmark, served, started
from tests.web.test_together import BODY

PDF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"
SHA256 = hashlib.sha256(PDF).hexdigest()


def at(url: str, var: Path) -> dict[str, str]:
    return {"EARMARK_DATABASE_URL": url, "EARMARK_VAR": str(var)}


def ask(url: str, sql: str) -> list[Any]:
    engine = create_engine(url)
    with engine.begin() as connection:
        found = connection.execute(text(sql))
        rows = list(found) if found.returns_rows else []
    engine.dispose()
    return rows


@pytest.fixture
def with_file(database_url: str, tmp_path: Path) -> str:
    """A database whose store, in `tmp_path`, holds a file on a proposal."""
    ask(
        database_url,
        "INSERT INTO attachment (proposal_id, side, visibility, name, media_type, size, sha256, person_id, at) "
        f"SELECT id, 'iom', 'shared', 'a.pdf', 'application/pdf', {len(PDF)}, '{SHA256}', created_by, created_at "
        "FROM proposal ORDER BY id LIMIT 1",
    )
    place = tmp_path / "files" / SHA256[:2] / SHA256
    place.parent.mkdir(parents=True)
    place.write_bytes(PDF)
    return database_url


@pytest.fixture
def elsewhere(database_url: str, empty_postgres: str, tmp_path: Path) -> dict[str, str]:
    """An empty place of the same kind of database."""
    var = tmp_path / "elsewhere"
    return at(f"sqlite:///{var}/earmark.db" if database_url.startswith("sqlite") else empty_postgres, var)


class Writer(threading.Thread):
    """Creates and submits proposals until it is enough; `refs` are those that the service said are submitted."""

    def __init__(self, address: str, token: str) -> None:
        super().__init__(daemon=True)
        self.client = httpx.Client(base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {token}"})
        self.enough = threading.Event()
        self.refs: list[str] = []

    def run(self) -> None:
        while not self.enough.is_set():
            try:
                ref = self.client.post("/proposals", json=BODY).json()["ref"]
                if self.client.post(f"/proposals/{ref}/moves", json={"move": "submit"}).status_code == 200:
                    self.refs.append(ref)
            except httpx.TransportError:
                break
        self.client.close()


def test_a_backup_under_writes_is_restored_whole_and_served(
    with_file: str, elsewhere: dict[str, str], tmp_path: Path, record_property: Any
) -> None:
    with started(with_file, tmp_path) as (address, process):
        token = json.loads((tmp_path / "demo.json").read_text())["iom_focal_point"]["token"]
        writer = Writer(address, token)
        writer.start()
        while len(writer.refs) < 5:
            time.sleep(0.01)
        before, began = list(writer.refs), time.monotonic()
        made = earmark("backup", str(tmp_path / "b.tar"), **at(with_file, tmp_path))
        record_property("backup seconds", round(time.monotonic() - began, 2))
        assert (made.returncode, made.stderr) == (0, "")
        assert len(writer.refs) > len(before), "it wrote all the time"
        process.kill()
        writer.join(10)
    began = time.monotonic()
    done = earmark("restore", str(tmp_path / "b.tar"), **elsewhere)
    record_property("restore seconds", round(time.monotonic() - began, 2))
    assert (done.returncode, done.stderr) == (0, "")
    url, var = elsewhere["EARMARK_DATABASE_URL"], Path(elsewhere["EARMARK_VAR"])
    restored = {row.ref for row in ask(url, "SELECT ref FROM proposal WHERE state = 'submitted'")}
    assert set(before) <= restored
    assert (var / "files" / SHA256[:2] / SHA256).read_bytes() == PDF
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    assert earmark("check", **elsewhere).stdout == "Everything stored is sound.\n"
    assert earmark("audit", "verify", **elsewhere).returncode == 0
    with served(url, var, demo="0") as address, httpx.Client(base_url=f"{address}/api/v1") as client:
        answer = client.get(f"/proposals/{before[-1]}", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["state"] == "submitted"


@pytest.fixture
def kept(with_file: str, tmp_path: Path) -> Path:
    """A backup."""
    file = tmp_path / "kept.tar"
    done = earmark("backup", str(file), **at(with_file, tmp_path))
    assert done.returncode == 0, done.stderr
    return file


def repacked(file: Path, change: Callable[[str, bytes], tuple[str, bytes] | None], *more: tarfile.TarInfo) -> Path:
    """The backup again, its entries changed and others added."""
    other = file.with_name("other.tar")
    with tarfile.open(file) as source, tarfile.open(other, "w") as target:
        for entry in source:
            content = source.extractfile(entry)
            assert content
            if changed := change(entry.name, content.read()):
                entry.name, entry.size = changed[0], len(changed[1])
                target.addfile(entry, io.BytesIO(changed[1]))
        for one in more:
            target.addfile(one)
    return other


def hostile(name: str, type: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = type, "/etc/passwd"
    return made


def as_it_is(name: str, data: bytes) -> tuple[str, bytes]:
    return name, data


def told(**values: Any) -> Callable[[str, bytes], tuple[str, bytes]]:
    """A change of what the manifest says."""

    def change(name: str, data: bytes) -> tuple[str, bytes]:
        return name, json.dumps(json.loads(data) | values).encode() if name == "manifest.json" else data

    return change


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    kept: Path, elsewhere: dict[str, str], tmp_path: Path, empty_postgres: str
) -> None:
    data = kept.read_bytes()
    cut = tmp_path / "cut.tar"
    var = Path(elsewhere["EARMARK_VAR"])
    outside = tmp_path / "outside"
    head = {"audit": {"seq": 1, "hash": "0" * 64}}
    bad: list[tuple[Callable[[], Any], str]] = [
        (lambda: cut.write_bytes(data[: len(data) // 2]), "ends too early"),
        (lambda: cut.write_bytes(b"PK\3\4" * 500), "ends too early or is none"),
        (lambda: repacked(kept, lambda n, d: None if n == "manifest.json" else (n, d)), "written last, is missing"),
        (lambda: repacked(kept, lambda n, d: (n, d[:-1] + b"?") if n == "database" else (n, d)), "database is not"),
        (lambda: repacked(kept, lambda n, d: None if n.startswith("files/") else (n, d)), "left out"),
        (lambda: repacked(kept, as_it_is, hostile(f"../{outside.name}")), "which no backup does"),
        (lambda: repacked(kept, as_it_is, hostile(str(outside))), "which no backup does"),
        (lambda: repacked(kept, as_it_is, hostile(f"files/{'0' * 64}", tarfile.SYMTYPE)), "no plain file"),
        (lambda: repacked(kept, as_it_is, hostile("database")), "there twice"),
        (lambda: repacked(kept, told(migration="9999")), "newer Earmark"),
        (lambda: repacked(kept, told(database="postgresql")), "is of postgresql"),
        (lambda: repacked(kept, told(tables={"proposal": 1})), "has not the rows"),
        (lambda: repacked(kept, told(**head)), "does not end as its manifest says"),
    ]
    for make, sentence in bad:
        made = make()
        done = earmark("restore", str(made if isinstance(made, Path) else cut), **elsewhere)
        assert (done.returncode, sentence in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
        assert list(var.iterdir()) == []
    assert not outside.exists()
    other = earmark("restore", str(kept), **{**elsewhere, "EARMARK_DATABASE_URL": empty_postgres})
    assert "use `copy-database` then" in other.stderr


def test_what_is_there_is_not_replaced_unless_asked_and_then_kept_aside(
    kept: Path, with_file: str, tmp_path: Path
) -> None:
    here = at(with_file, tmp_path)
    ask(with_file, "UPDATE proposal SET lock = lock + 1")
    refused = earmark("restore", str(kept), **here)
    assert refused.returncode == 2
    if with_file.startswith("postgresql"):
        assert "Make an empty one" in refused.stderr
        assert "Make an empty one" in earmark("restore", "--replace", str(kept), **here).stderr
        return
    assert "--replace" in refused.stderr
    engine = create_engine(with_file)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM proposal")).all()
        in_use = earmark("restore", "--replace", str(kept), **here)
    engine.dispose()
    assert "is in use" in in_use.stderr
    done = earmark("restore", "--replace", str(kept), **here)
    assert done.returncode == 0, done.stderr
    aside = next(tmp_path.glob("earmark.db.before-*"))
    assert ask(f"sqlite:///{aside}", "SELECT sum(lock) FROM proposal") > ask(
        with_file, "SELECT sum(lock) FROM proposal"
    )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_restored_postgresql_database_that_is_not_as_told_is_empty_again(
    kept: Path, elsewhere: dict[str, str]
) -> None:
    done = earmark("restore", str(repacked(kept, told(tables={"proposal": 1}))), **elsewhere)
    assert (done.returncode, "has not the rows" in done.stderr) == (2, True), done.stderr
    assert ask(elsewhere["EARMARK_DATABASE_URL"], "SELECT * FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backup_names_what_the_store_has_not_and_replaces_nothing(with_file: str, tmp_path: Path) -> None:
    place = tmp_path / "files" / SHA256[:2] / SHA256
    place.write_bytes(b"another")
    done = earmark("backup", str(tmp_path / "poor.tar"), **at(with_file, tmp_path))
    assert (done.returncode, done.stderr) == (1, f"The store of files has not: {SHA256}\n")
    again = earmark("backup", str(tmp_path / "poor.tar"), **at(with_file, tmp_path))
    assert "is there already" in again.stderr


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("most", [500_000, 1_440_000])  # too little for the database, and for the archive around it
def test_a_backup_that_finds_no_room_leaves_nothing(
    most: int, with_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    for name, value in at(with_file, tmp_path).items():
        monkeypatch.setenv(name, value)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, usual[1]))
    try:
        with pytest.raises((OSError, sqlite3.Error)):
            moving.backup(tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def other_kind(database_url: str, empty_postgres: str, tmp_path: Path) -> str:
    """An empty database of the other kind."""
    return empty_postgres if database_url.startswith("sqlite") else f"sqlite:///{tmp_path}/other.db"


def _found(url: str, q: str) -> list[int]:
    database = open_database(url)
    with database.reading() as tx:
        numbers = findable.looked_up(tx, Side.MFA, asked(q), 100)
    asyncio.run(database.close())
    return sorted(numbers or [])


def test_everything_is_copied_to_the_other_database_and_goes_on_there(
    with_file: str, other_kind: str, tmp_path: Path
) -> None:
    done = earmark("copy-database", with_file, other_kind, **at(with_file, tmp_path))
    assert done.returncode == 0, done.stderr
    said = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    assert {line[2] for line in said} == {"equal"}
    assert ("proposal", str(ask(with_file, "SELECT count(*) FROM proposal")[0][0])) in {
        (one[0], one[1]) for one in said
    }
    assert "1 of 1 files" in done.stdout
    found = [_found(url, "migration") for url in (with_file, other_kind)]
    assert found[0] == found[1] != []
    there = at(other_kind, tmp_path)
    assert earmark("check", **there).returncode == 0
    added = earmark("user", "add", "New Person", "new@demo.example", "auditor", **there)
    assert added.returncode == 0, "keys go on after those that were copied: " + added.stderr
    again = earmark("copy-database", with_file, other_kind, **at(with_file, tmp_path))
    assert (again.returncode, "has rows already" in again.stderr) == (2, True)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_row_that_the_other_database_cannot_keep_is_named_and_nothing_is_kept(
    database_url: str, empty_postgres: str, tmp_path: Path
) -> None:
    ask(database_url, "UPDATE person SET name = 'a' || char(0) WHERE id = (SELECT max(id) FROM person)")
    done = earmark("copy-database", database_url, empty_postgres, **at(database_url, tmp_path))
    assert (done.returncode, "A row of person" in done.stderr) == (2, True), done.stderr
    assert ask(empty_postgres, "SELECT count(*) FROM office")[0][0] == 0
    ask(database_url, "UPDATE person SET name = 'a' WHERE id = (SELECT max(id) FROM person)")
    ask(database_url, "UPDATE audit SET subject = 'forged' WHERE seq = 5")
    broken = earmark("copy-database", database_url, empty_postgres, **at(database_url, tmp_path))
    assert "The log of acts is not whole" in broken.stderr
    assert ask(empty_postgres, "SELECT count(*) FROM office")[0][0] == 0
    ask(database_url, "UPDATE alembic_version SET version_num = '0011'")
    old = earmark("copy-database", database_url, empty_postgres, **at(database_url, tmp_path))
    assert "migrate it first" in old.stderr
