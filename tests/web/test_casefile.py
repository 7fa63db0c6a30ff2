"""Case files: made for those who may, whole, checked from their own bytes alone, and public without a person in them."""

import asyncio
import hashlib
import io
import json
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from app.casefiles import cases
from app.db import open_database
from app.documents.casefile import NotCaseFile
from app.documents.casefile.checking import verify
from app.documents.casefile.packing import pack, safe_name
from app.domain.people import Role
from app.records import people
from app.services import casefile
from app.services.rulebooks import Library, open_library
from app.settings import RULES, SettingsError
from tests.conftest import FRAMEWORK, Service, copy_of, settings_for
from tests.conftest import _with_service as with_service
from tests.services.test_uploads import PDF
from tests.web.test_reports import agreed

CLOSED = "DK-IOM-2023-001"


@pytest.fixture(scope="module")
def library() -> Library:
    return open_library(RULES, FRAMEWORK)


@pytest.fixture(scope="module")
def url(filled: dict[str, Any]) -> str:
    return f"sqlite:///{filled['folder']}/earmark.db"


def made(url: str, library: Library, ref: str = CLOSED, variant: Any = "full", role: str = "auditor") -> bytes:
    with open_database(url).reading() as tx:
        actor = people.person_by_email(tx, f"{role.replace('_', '-')}@demo.example")
        assert actor
        case = casefile.gathered(tx, actor, ref, variant, library, "en")
    return pack(casefile.as_told(case), {})


@pytest.fixture(scope="module")
def full(url: str, library: Library) -> bytes:
    return made(url, library)


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes], summed: bool = False) -> bytes:
    """The files as a ZIP file, with sums made anew where somebody would hide what they did."""
    if summed:
        lines = [
            f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items() if name != "SHA256SUMS"
        ]
        files = {**files, "SHA256SUMS": "".join(lines).encode()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def test_a_closed_proposals_case_file_is_whole_and_in_order(full: bytes) -> None:
    found = verify(full)
    assert found.discrepancies == []
    files = unpacked(full)
    index = json.loads(files["index.json"])
    acts = index["acts"]
    assert [one["number"] for one in acts] == list(range(1, len(acts) + 1))
    assert [one["at"] for one in acts[:-1]] == sorted(one["at"] for one in acts[:-1])
    kinds = {one["kind"] for one in acts}
    assert kinds >= {"snapshot", "screening", "move", "assessment", "recommendation", "agenda", "decision", "minutes"}
    assert kinds >= {"letter", "agreement", "signature", "payment", "report", "ledger", "notice", "audit"}
    steps = [one["what"] for one in acts if one["kind"] == "payment" and "2:" in one["what"]]
    assert [said.rpartition(" ")[2] for said in steps] == ["schedule", "prepare", "release", "receive"]
    paper = "".join(page.extract_text() for page in PdfReader(io.BytesIO(files["index.pdf"])).pages)
    assert hashlib.sha256(files["index.json"]).hexdigest() in paper
    assert "Head of department, Demo Head of Department" in " ".join(paper.split())
    agreement = next(name for name in files if name.endswith("agreement.json"))
    signature = json.loads(files[next(name for name in files if "signature-iom" in name)])
    assert signature["sha256"] == hashlib.sha256(files[agreement]).hexdigest()
    assert all(len(name) <= 100 and name.isascii() for name in files)


def test_the_same_state_gives_the_same_bytes(url: str, library: Library, full: bytes) -> None:
    assert made(url, library) == full
    assert made(url, library, role="mfa_finance") == full, "nothing says who asked"


def test_sha256sum_checks_the_unpacked_folder(full: bytes, tmp_path: Path) -> None:
    for name, data in unpacked(full).items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(list(tmp_path.iterdir())) - 1


def _edited(files: dict[str, bytes], change: Callable[[dict[str, Any]], Any]) -> dict[str, bytes]:
    index = json.loads(files["index.json"])
    change(index)
    return {**files, "index.json": json.dumps(index).encode()}


def _swapped(files: dict[str, bytes], part: str, old: bytes, new: bytes) -> dict[str, bytes]:
    """One file changed, and index and sums changed to fit: only what the domain hashed can tell."""
    name = next(one for one in files if part in one)
    assert old in files[name]
    data = files[name].replace(old, new, 1)
    index = json.loads(files["index.json"])
    for file in (file for act in index["acts"] for file in act.get("files", []) if file.get("name") == name):
        file |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {**files, name: data, "index.json": json.dumps(index).encode()}


HARMS: list[tuple[str, Callable[[dict[str, bytes]], dict[str, bytes]], str]] = [
    ("removed", lambda f: {n: d for n, d in f.items() if "minutes-1.json" not in n}, "minutes-1.json"),
    ("added", lambda f: {**f, "099-more.json": b"{}"}, "099-more.json is not in the index"),
    ("index edited", lambda f: _edited(f, lambda i: i.update(state="agreed")), "index.pdf does not bear"),
    ("act removed", lambda f: _edited(f, lambda i: i["acts"].pop(3)), "not numbered one after another"),
    ("snapshot", lambda f: _swapped(f, "snapshot-1.json", b"four", b"five"), "not the snapshot/1 that the service"),
    (
        "agreement",
        lambda f: _swapped(f, "agreement.json", b"9400000", b"9500000"),
        "not the agreement that the service",
    ),
    ("signature", lambda f: _swapped(f, "signature-mfa", b'"sha256": "', b'"sha256": "0'), "given on another text"),
    ("log", lambda f: _swapped(f, "audit.jsonl", b"proposal.submit", b"proposal.cancel"), "its hash is another"),
]


@pytest.mark.parametrize(("what", "harm", "said"), HARMS, ids=[one[0] for one in HARMS])
def test_every_harm_is_found_and_named(full: bytes, what: str, harm: Any, said: str) -> None:
    found = verify(packed(harm(unpacked(full)), summed=True))
    assert any(said in one for one in found.discrepancies), found.discrepancies


def test_no_flipped_byte_changes_what_is_read_unseen(full: bytes) -> None:
    right, seen = unpacked(full), 0
    for place in range(7, len(full), len(full) // 60):
        bent = bytearray(full)
        bent[place] ^= 0x20
        try:
            found = verify(bytes(bent))
        except NotCaseFile:
            seen += 1
            continue
        assert found.discrepancies or unpacked(bytes(bent)) == right, place
        seen += bool(found.discrepancies)
    assert seen >= 55


def _raw(name: str, data: bytes = b"{}", mode: int = 0, twice: bool = False, kind: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", kind) as archive:
        for one in [name, *([name.upper()] if twice else [])]:
            entry = zipfile.ZipInfo(one)
            entry.external_attr, entry.compress_type = mode << 16, kind
            archive.writestr(entry, data)
    return target.getvalue()


def _encrypted() -> bytes:
    data = bytearray(_raw("index.json"))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _understated() -> bytes:
    """Says that it unpacks to little."""
    data = bytearray(_raw("index.json", b"0" * 5_000_000, kind=zipfile.ZIP_DEFLATED))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (100).to_bytes(4, "little")
    return bytes(data)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "not a zip": lambda: b"%PDF-1.7",
    "nothing": lambda: b"",
    "a zip of something else": lambda: packed({"a.txt": b"hello"}),
    "truncated": lambda: _raw("index.json", b"x" * 5000)[:-200],
    "a bomb": lambda: _raw("index.json", b"0" * 20_000_000, kind=zipfile.ZIP_DEFLATED),
    "a bomb that says it is none": _understated,
    "path traversal": lambda: _raw("../../etc/passwd"),
    "an absolute path": lambda: _raw("/etc/passwd"),
    "a path of Windows": lambda: _raw("C:\\autoexec.bat"),
    "a name with an escape": lambda: _raw("\x1b[31mred.json"),
    "two of a name": lambda: _raw("index.json", twice=True),
    "encrypted": _encrypted,
    "a symlink": lambda: _raw("index.json", b"/etc/passwd", stat.S_IFLNK | 0o777),
    "something before it": lambda: b"#!/bin/sh\n" + _raw("index.json"),
    "something after it": lambda: _raw("index.json") + b"more",
    "an index of something else": lambda: packed({"index.json": b"[1]"}, summed=True),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_case_file_is_a_sentence(tmp_path: Path, what: str) -> None:
    (tmp_path / "x.zip").write_bytes(HOSTILE[what]())
    done = CliRunner().invoke(cases, ["verify", str(tmp_path / "x.zip")])
    said = str(done.exception)
    assert type(done.exception) is SettingsError, done.output  # which the command line makes exit code 2
    assert "is no case file. " in said
    assert "\x1b" not in said
    assert [one.name for one in tmp_path.iterdir()] == ["x.zip"]


def _texts_of(files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    for name, data in files.items():
        yield name, name + data.decode("utf-8", "replace")
        if name.endswith(".pdf"):
            reader = PdfReader(io.BytesIO(data))
            yield name, " ".join(" ".join(page.extract_text() for page in reader.pages).split()) + str(reader.metadata)


def test_the_public_variant_names_nobody_and_grades_nothing(url: str, library: Library) -> None:
    data = made(url, library, variant="public")
    assert verify(data).discrepancies == []
    files = unpacked(data)
    with open_database(url).reading() as tx:
        names = [said for one in people.all_people(tx, 1000, 0) for said in (one.name, one.email)]
    for name, said in _texts_of(files):
        assert not [one for one in names if one.casefold() in said.casefold()], name
        assert '"grades"' not in said, name
        assert "@" not in said or name.endswith(".pdf"), name
    index = json.loads(files["index.json"])
    left_out = {one["kind"]: one for one in index["acts"] if "left_out" in one}
    assert {kind: one["left_out"] for kind, one in left_out.items()} == {
        **dict.fromkeys(("assessment", "recommendation", "agenda", "decision", "notice", "audit"), "internal"),
        "minutes": "personal",
    }
    assert all(set(one) == {"number", "kind", "left_out"} for one in left_out.values())
    recommended = json.loads(files[next(name for name in files if "move-recommend" in name)])
    assert recommended["reason"] is None
    assert recommended["by"] == {"role": "mfa_reviewer"}


def test_a_text_that_names_a_person_is_left_out_of_the_public_variant(
    filled: dict[str, Any], tmp_path: Path, library: Library
) -> None:
    with copy_of("sqlite", filled, tmp_path) as url:
        engine = create_engine(url)
        with engine.begin() as tx:
            tx.execute(text("UPDATE history SET reason = 'Ask DEMO reviewer one.' WHERE event = 'return'"))
            tx.execute(text("UPDATE payment SET note = 'Ask Jens (at) example.org' WHERE number = 1"))
            tx.execute(text("UPDATE payment SET condition = 'Write to a.person@example.org' WHERE number = 1"))
        engine.dispose()
        data = made(url, library, variant="public")
    acts = {one["what"]: one["files"] for one in json.loads(unpacked(data)["index.json"])["acts"] if "what" in one}
    assert acts["Move return: under_review > returned"] == [{"left_out": "personal"}]
    assert acts["Payment 1: schedule"] == [{"left_out": "personal"}]
    assert b"Jens" not in data, "notes are not for the public, whoever they name"
    assert verify(data).discrepancies == []


def run_on_sqlite(filled: dict[str, Any], folder: Path, scenario: Any, today: date = date(2026, 11, 23)) -> None:
    with copy_of("sqlite", filled, folder) as url:
        asyncio.run(with_service(scenario, settings_for(url, folder, today), filled))


def test_who_sees_everything_gets_it_and_nobody_else(run: Any) -> None:
    async def scenario(service: Service) -> None:
        path = f"/proposals/{CLOSED}/casefile"
        for role in Role:
            if role not in ("mfa_reviewer", "mfa_head", "mfa_finance", "auditor"):
                assert (await service.call(role, "GET", path)).status_code == 403, role
        answer = await service.call("mfa_head", "GET", f"{path}?language=da")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
        assert verify(answer.content).discrepancies == []
        assert "Indstilling" in {
            one["what"].partition(" ")[0] for one in json.loads(unpacked(answer.content)["index.json"])["acts"]
        }
        known = {"If-None-Match": answer.headers["ETag"]}
        assert (await service.call("mfa_head", "GET", f"{path}?language=da", headers=known)).status_code == 304
        assert (await service.call("auditor", "GET", "/proposals/DK-IOM-2023-999/casefile")).status_code == 404
        assert (await service.call("auditor", "GET", f"{path}?variant=secret")).status_code == 422
        for ref in ("DK-IOM-2026-003", "DK-IOM-2027-001"):  # deferred; not decided
            early = await service.call("mfa_head", "GET", f"/proposals/{ref}/casefile?variant=public")
            assert (early.status_code, early.json()["code"]) == (409, "not_decided"), ref

    run(scenario)


def test_a_blind_review_stays_blind(filled: dict[str, Any], tmp_path: Path) -> None:
    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_reviewer", "GET", "/proposals?state=submitted")).json()["items"]
        path = f"/proposals/{listed[0]['ref']}"
        await service.call("mfa_reviewer", "POST", f"{path}/moves", json={"move": "start_review"})
        grades = dict.fromkeys("abcdefgh", 3)
        sent = {"grades": grades, "comments": dict.fromkeys("abcdefgh", "As I see it."), "overall": "Zanzibar-doubt"}
        saved = await service.call("mfa_reviewer", "PUT", f"{path}/assessments/mine", json=sent)
        done = await service.call("mfa_reviewer", "POST", f"{path}/assessments/mine/complete")
        assert (saved.status_code, done.status_code) == (200, 200), done.text
        for role, sees in (("mfa_reviewer", True), ("mfa_head", True), ("mfa_reviewer_2", False)):
            answer = await service.call(role, "GET", f"{path}/casefile")
            assert (b"Zanzibar-doubt" in answer.content) == sees, role
            acts = json.loads(unpacked(answer.content)["index.json"])["acts"]
            assert ({"blind"} <= {one.get("left_out") for one in acts}) != sees

    run_on_sqlite(filled, tmp_path, scenario)


def test_an_amended_agreement_is_there_in_the_text_in_force_with_both_pairs_of_signatures(
    filled: dict[str, Any], tmp_path: Path
) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        content = (await service.call("iom_focal_point", "GET", f"/proposals/{ref}")).json()["content"]
        longer = {**content, "period": {**content["period"], "end": "2029-06-30"}}
        for reason, body in (
            ("Longer.", {"content": longer}),
            ("Another name.", {"content": {**longer, "title": "Another name of it"}}),
        ):
            made = await service.call(
                "iom_focal_point", "POST", f"/proposals/{ref}/amendments", json={"reason": reason, **body}
            )
            assert made.status_code == 201, made.text
            if reason == "Longer.":
                signed = f"/proposals/{ref}/amendments/1/signatures"
                assert (await service.call("mfa_head", "POST", signed, json={})).status_code == 201
                assert (await service.call("iom_focal_point", "POST", signed, json={})).status_code == 201
        for variant, kept in (("full", 2), ("public", 1)):
            answer = await service.call("auditor", "GET", f"/proposals/{ref}/casefile?variant={variant}")
            assert verify(answer.content).discrepancies == []
            files = unpacked(answer.content)
            acts = json.loads(files["index.json"])["acts"]
            assert {one.get("left_out") for one in acts if one["kind"] == "agreement"} == {None}
            first = next(data for name, data in files.items() if name.endswith("agreement.json"))
            assert json.loads(first)["period"] == content["period"], "what was signed first is kept"
            assert sum("text.json" in name for name in files) == kept, "what is only proposed is not public"
            assert any(name.endswith("agreement-in-force.pdf") for name in files)
            assert sum("signature" in name for name in files) == 4
            harm = packed(
                _swapped(files, "-agreement.json", content["period"]["end"].encode(), b"2031-01-01"), summed=True
            )
            assert any("not the agreement" in one for one in verify(harm).discrepancies)
            harm = packed(_swapped(files, "amendment-1-text", b"2029-06-30", b"2030-06-30"), summed=True)
            assert any("not the amendment/1" in one for one in verify(harm).discrepancies)

    run_on_sqlite(filled, tmp_path, scenario)


def test_attachments_are_in_it_and_what_the_store_lost_is_named(filled: dict[str, Any], tmp_path: Path) -> None:
    async def scenario(service: Service) -> None:
        ref = (await service.call("mfa_head", "GET", "/proposals?state=submitted")).json()["items"][0]["ref"]
        for name in ("Budget æøå (v. 2) - endelig.pdf", "con.pdf"):
            data = {"visibility": "internal"}
            body = PDF + (b"" if name == "con.pdf" else b"\n")
            sent = {"files": {"file": (name, body)}, "data": data}
            answer = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/attachments", **sent)
            assert answer.status_code == 201, answer.text
        lost = hashlib.sha256(PDF).hexdigest()
        place = tmp_path / "files" / lost[:2] / lost
        place.unlink()
        answer = await service.call("auditor", "GET", f"/proposals/{ref}/casefile")
        files = unpacked(answer.content)
        kept = next(name for name in files if "attachment" in name)
        assert kept.endswith("-attachment-Budget-aeoeaa-v-2-endelig.pdf")
        assert files[kept] == PDF + b"\n"
        found = verify(answer.content)
        assert len(found.discrepancies) == 1
        assert "was missing in the store of files" in found.discrepancies[0]
        place.write_bytes(b"another")
        again = verify((await service.call("auditor", "GET", f"/proposals/{ref}/casefile")).content)
        assert "was altered in the store of files" in again.discrepancies[0]

    run_on_sqlite(filled, tmp_path, scenario)


def test_the_commands_export_verify_and_compare(
    filled: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "case.zip"
    with copy_of("sqlite", filled, tmp_path) as url:
        monkeypatch.setenv("EARMARK_DATABASE_URL", url)
        monkeypatch.setenv("EARMARK_VAR", str(tmp_path))
        run = CliRunner().invoke
        assert run(cases, ["export", CLOSED, "--output", str(file)]).exit_code == 0
        whole = run(cases, ["verify", str(file), "--against-database"])
        assert (whole.exit_code, whole.output.splitlines()[-1]) == (0, "The case file is whole.")
        engine = create_engine(url)
        with engine.begin() as tx:
            tx.execute(text("UPDATE snapshot SET sha256 = 'x' WHERE number = 1"))
        engine.dispose()
        other = run(cases, ["verify", str(file), "--against-database"])
        assert other.exit_code == 1
        assert "snapshot/1: the database knows it by another SHA-256." in other.output
        with engine.begin() as tx:
            tx.execute(text("UPDATE audit SET hash = 'x' WHERE seq = (SELECT seq FROM audit_head)"))
        engine.dispose()
        bent_head = run(cases, ["verify", str(file), "--against-database"])
        assert "The head of the log, entry" in bent_head.output
    data = unpacked(file.read_bytes())
    file.write_bytes(packed({**data, "001-move-create.json": b"{}"}))
    bent = run(cases, ["verify", str(file)])
    assert bent.exit_code == 1
    assert "001-move-create.json" in bent.output


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../x.pdf", "x.pdf"),
        ("Rødgrød med fløde.docx", "Roedgroed-med-floede.docx"),
        ("\u202egnp.exe", "gnp.exe"),
        ("日本.png", "file.png"),
        ("no ending", "file.noending"),
        ("a" * 300 + ".xlsx", "a" * 80 + ".xlsx"),
        (".", "file.bin"),
    ],
)
def test_a_files_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe
