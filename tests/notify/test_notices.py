"""Notices: the right readers and nobody else, in their language, nothing before it is true, and what is untrue taken back."""

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from app.domain.workflow import Event
from app.notify import mail, texts
from app.notify.lines import Line
from app.notify.notices import NOTICES, SILENT
from app.settings import ROOT
from tests.conftest import Service
from tests.web.test_consultations import PLAN, decide, opened, recommended

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = {**PLAN, "date": "2026-11-23", "reason": "A test."}


def owed(url: str, after: int) -> list[Any]:
    """Every message since a notice: kind, subject, state, the reader's role, their office."""
    engine = create_engine(url)
    query = """SELECT notice.kind, notice.subject, message.state, person.role, person.office_code FROM message
        JOIN notice ON notice.id = message.notice_id JOIN person ON person.id = message.person_id
        WHERE notice.id > :after ORDER BY message.id"""
    with engine.connect() as tx:
        found = [tuple(row) for row in tx.execute(text(query), {"after": after})]
    engine.dispose()
    return found


def last(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as tx:
        found = int(tx.execute(text("SELECT max(id) FROM notice")).scalar_one())
    engine.dispose()
    return found


def test_every_kind_that_is_owed_stands_in_the_table_and_every_one_of_the_table_has_its_texts() -> None:
    owing = set()
    for file in (ROOT / "app").rglob("*.py"):
        owing |= set(re.findall(r'outbox\.owe\(\s*tx,\s*"([a-z_.]+)"', file.read_text("utf-8")))
    assert owing <= NOTICES.keys() | SILENT
    made = {f"proposal.{event}" for event in Event} - {"proposal.create"}
    assert made <= NOTICES.keys() | SILENT
    for language in texts.LANGUAGES:
        said = texts.catalogue(language)
        assert said.keys() == NOTICES.keys(), said.keys() ^ NOTICES.keys()
        assert all(one.keys() == {"subject", "said", "todo"} for one in said.values())
    assert texts.labels("en").keys() == texts.labels("da").keys()
    assert {end for one in NOTICES.values() for end in one.ends} <= NOTICES.keys()


def test_a_decision_reaches_exactly_whom_it_concerns_and_nobody_before_the_conclusion(
    run: Any, database_url: str
) -> None:
    async def scenario(service: Service) -> None:
        refs = [await recommended(service) for _ in range(3)]
        before = last(database_url)
        path = await opened(service, refs, NOW)
        for ref, decision in zip(refs, ("approve", "reject", "defer"), strict=True):
            more = {"amounts": {"2027": 1_000_000}} if decision == "approve" else {"reason": "Not now."}
            more |= {"to_cycle": 2027} if decision == "defer" else {}
            assert (await decide(service, path, ref, {"decision": decision, **more})).status_code == 200
        told = owed(database_url, before)
        assert {one[0] for one in told} == {"consultation.planned"}, "nothing is told early"
        assert sorted(one[3] for one in told) == sorted(
            ["mfa_reviewer", "mfa_reviewer", "mfa_head", "iom_focal_point", "mission"]
        )
        after = last(database_url)
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        told = owed(database_url, after)
        for ref, kind in zip(refs, ("approve", "reject", "defer"), strict=True):
            assert {(one[3], one[4]) for one in told if one[:2] == (f"proposal.{kind}", ref)} == {
                *(("iom_focal_point", None), ("iom_office", "IOM-NE"), ("mission", "MIS-GENEVA")),
                ("embassy", "EMB-TUNIS"),  # Tunisia is one of its countries
            }
        assert [one[3] for one in told if one[0] == "minutes.to_confirm"] == ["iom_focal_point"]
        assert {one[0] for one in told} == {
            *("proposal.approve", "proposal.reject", "proposal.defer", "minutes.to_confirm")
        }

    run(scenario)


def test_a_return_that_was_withdrawn_by_a_newer_one_is_taken_back(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        before = last(database_url)
        said = {"move": "return", "reason": "Which partners?", "deadline": "2026-12-20"}
        assert (await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=said)).status_code == 200
        submit = {"move": "submit"}
        assert (
            await service.call("iom_focal_point", "POST", f"/proposals/{ref}/moves", json=submit)
        ).status_code == 200
        states = {(one[0], one[2]) for one in owed(database_url, before)}
        assert states == {("proposal.return", "superseded"), ("proposal.submit", "waiting")}

    run(scenario)


@pytest.mark.parametrize("name", ["A\r\nBcc: all@example.org", "=?utf-8?q?x?=", "Åse <x@y>", "\u202eevil", '"; drop'])
def test_nobody_is_named_so_that_a_header_is_injected(name: str) -> None:
    said = texts.Said(f"About {name}\nBcc: all@example.org", "text", "<p>html</p>")
    made: EmailMessage = mail.build(said, (name, "reader@example.org"), "earmark@um.example", "a" * 32, NOON)
    raw = made.as_bytes()
    head = raw.partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc:" not in head
    assert made["To"].addresses[0].addr_spec == "reader@example.org"
    assert made["Message-ID"] == f"<{'a' * 32}@um.example>"
    assert made["Auto-Submitted"] == "auto-generated"


def test_a_message_without_a_server_is_a_file_written_once(tmp_path: Path) -> None:
    said = texts.Said("Subject", "text", "<p>html</p>")
    made = mail.build(said, ("Reader", "reader@example.org"), "earmark@um.example", "b" * 32, NOON)
    office = mail.post_office("", tmp_path / "mail")
    for _ in range(2):
        office.send(made, Line())
    assert [one.name for one in (tmp_path / "mail").iterdir()] == [f"{'b' * 32}.eml"]


def test_everybody_sees_what_was_sent_to_them_and_only_an_administrator_sends_the_dead_again(
    run: Any, database_url: str
) -> None:
    async def scenario(service: Service) -> None:
        mine = (await service.call("mission", "GET", "/notifications?limit=200")).json()["items"]
        assert {one["to"]["role"] for one in mine} == {"mission"}
        assert "proposal.approve" in {one["kind"] for one in mine}
        everything = (await service.call("admin", "GET", "/notifications?limit=200")).json()
        assert len({one["to"]["role"] for one in everything["items"]}) > 4
        assert everything["next_cursor"]
        number = mine[0]["id"]
        path = f"/notifications/{number}/resend"
        assert (await service.call("mission", "POST", path)).status_code == 403
        refused = await service.call("admin", "POST", path)
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
        engine = create_engine(database_url)
        with engine.begin() as tx:
            tx.execute(text("UPDATE message SET state = 'dead', error = '550 No' WHERE id = :id"), {"id": number})
        engine.dispose()
        dead = (await service.call("mission", "GET", "/notifications?state=dead")).json()["items"]
        assert [(one["id"], one["error"]) for one in dead] == [(number, "550 No")]
        assert (await service.call("admin", "POST", path)).json()["state"] == "waiting"
        assert (await service.call("admin", "POST", "/notifications/99999999/resend")).status_code == 404

    run(scenario)


WORDS = ["=?utf-8?q?x=0d=0aBcc:_third=40evil.example?=", "=?utf-8?q?a=0d=0a=0d=0abody?=", "=?utf-8?b?DQpCY2M6IHg=?="]


@pytest.mark.parametrize("word", WORDS)
def test_an_encoded_word_in_a_name_or_subject_injects_nothing(word: str) -> None:
    said = texts.Said(f"Consultation, {word}", "text", "<p>html</p>")
    made = mail.build(said, (word, "reader@example.org"), "earmark@um.example", "a" * 32, NOON)
    head = made.as_bytes().partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert b"Bcc" not in names
    assert names.count(b"Content-Type") == 1
    assert [one.addr_spec for one in made["To"].addresses] == ["reader@example.org"]


@pytest.mark.parametrize(
    "email", ["=?utf-8?q?a?=@x.dk", ".a.@x..dk", "a@x.dk.", "a@b", "ab<c@x.dk", "a,b@x.dk", "søren@um.dk"]
)
def test_an_address_that_mail_programs_read_otherwise_is_refused(run: Any, email: str) -> None:
    async def scenario(service: Service) -> None:
        sent = {"name": "Somebody", "email": email, "role": "mfa_reviewer"}
        assert (await service.call("admin", "POST", "/users", json=sent)).status_code == 422

    run(scenario)
