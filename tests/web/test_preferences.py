"""How people want to hear: their own preferences, and the end of reminders by one click, which no look at a link is."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from app.domain.people import Role
from app.notify import outbox
from app.records import notices
from app.services import clock, deliveries
from app.services.deliveries import Free, Sender
from app.web.api import preferences
from app.web.shield import COOKIE
from tests.conftest import TODAY, Service, copy_of
from tests.notify.post import moment
from tests.serving import served

CLICK = {"List-Unsubscribe": "One-Click"}
WINDOW = {"cycle": 2027, "closes_on": "2026-12-31", "days": 7, "titles": "A draft", "offices": ["IOM-NE"]}


async def remind(service: Service) -> None:
    """Owe a reminder to the offices and focal points, and beside it something that is none."""
    at = clock.now(TODAY).at
    draft = {"cycle": 2027, "content": {}}
    assert (await service.call("iom_office", "POST", "/proposals", json=draft)).status_code == 201

    def work(tx: Any) -> None:
        outbox.owe(tx, "window.closes", "window/2027/IOM-NE", at, WINDOW)
        outbox.owe(tx, "proposal.close", "DK-IOM-2026-003", at, {}, "DK-IOM-2026-003")

    await service.house.database.write(work)


def messages(url: str, email: str = "iom-focal-point@demo.example") -> dict[str, Any]:
    """The newest message of each kind to a reader: uid, state, error."""
    engine = create_engine(url)
    query = """SELECT kind, uid, message.state, message.error FROM message JOIN notice ON notice.id = message.notice_id
        JOIN person ON person.id = message.person_id WHERE email = :email ORDER BY message.id"""
    with engine.connect() as tx:
        found = {row.kind: row for row in tx.execute(text(query), {"email": email})}
    engine.dispose()
    return found


def test_everybody_says_for_themselves_how_they_hear(run: Any) -> None:
    async def scenario(service: Service) -> None:
        usual = {"language": "en", "digest": False, "reminders": True}
        new = {"language": "da", "digest": True, "reminders": False}
        for role in Role:
            assert (await service.call(role, "GET", "/preferences")).json() == usual
        for _ in range(2):
            assert (await service.call("embassy", "PUT", "/preferences", json=new)).json() == new
        assert (await service.call("embassy", "GET", "/preferences")).json() == new
        assert (await service.call("mission", "GET", "/preferences")).json() == usual
        bad: tuple[Any, ...] = ({}, {**new, "language": "de"}, {**new, "digest": 1}, {**new, "person": 1}, [])
        for one in bad:
            assert (await service.call("embassy", "PUT", "/preferences", json=one)).status_code == 422, one
        small = await service.call("embassy", "POST", "/tokens", json={"label": "x", "scopes": ["proposals:read"]})
        mine = {"Authorization": f"Bearer {small.json()['token']}"}
        refused = await service.client.put("/api/v1/preferences", json=new, headers=mine)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        log = (await service.call("auditor", "GET", "/audit?event=preferences.change")).json()["items"]
        assert [one["facts"] for one in log] == [new], "what changes nothing is no act"
        told = (await service.call("mission", "GET", "/notifications?limit=1")).json()["items"][0]
        await service.call("mission", "PUT", "/preferences", json={**usual, "language": "da"})
        again = (await service.call("mission", "GET", "/notifications?limit=1")).json()["items"][0]
        assert told["subject"] != again["subject"]

    run(scenario)


def test_one_click_ends_reminders_and_only_those(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        await remind(service)
        waiting = messages(database_url)
        uid, other = waiting["window.closes"].uid, waiting["proposal.close"].uid
        path = f"/api/v1/unsubscribe/{uid}"
        for method in ("GET", "HEAD", "OPTIONS"):
            for place in (path, f"/unsubscribe/{uid}"):
                assert (await service.client.request(method, place)).status_code in (200, 303, 405)
        assert messages(database_url)["window.closes"].state == "waiting", "scanners open links"
        for data in ({}, {"List-Unsubscribe": "Yes"}):
            assert (await service.client.post(path, data=data)).status_code in (415, 422)
        assert (await service.client.post(path, json=CLICK)).status_code == 415
        unknown = [
            f"/api/v1/unsubscribe/{one}" for one in ("0" * 32, "%00", "a" * 5000, uid.upper(), f"{uid}%0a", other)
        ]
        refused = [await service.client.post(one, data=CLICK) for one in unknown]
        assert {(one.status_code, one.json()["detail"]) for one in refused} == {
            (404, "There is no reminder with this address.")
        }
        foreign = await service.client.post(
            path, data=CLICK, headers={"Sec-Fetch-Site": "cross-site", "Cookie": COOKIE}
        )
        assert foreign.status_code == 403
        for body in ({"data": CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}):
            assert (await service.client.post(path, **body)).json()["reminders"] is False
        after = messages(database_url)
        assert tuple(after["window.closes"])[2:] == ("superseded", "The reader wants no reminders.")
        assert after["proposal.close"].state == "waiting"
        assert messages(database_url, "iom-office@demo.example")["window.closes"].state == "waiting"
        await remind(service)
        assert messages(database_url)["window.closes"].uid == uid, "none is owed any more"
        log = (await service.call("auditor", "GET", "/audit?event=preferences.change")).json()["items"]
        assert [(one["actor"], one["facts"]["reminders"]) for one in log] == [(None, False)]

    run(scenario)


def test_the_page_asks_in_the_language_of_the_mail_and_ends_reminders_by_its_button(
    run: Any, database_url: str
) -> None:
    async def scenario(service: Service) -> None:
        await service.call(
            "iom_focal_point", "PUT", "/preferences", json={"language": "da", "digest": False, "reminders": True}
        )
        await remind(service)
        waiting = messages(database_url)
        page = await service.client.get(f"/unsubscribe/{waiting['window.closes'].uid}")
        assert "Stop mine påmindelser" in page.text
        assert '<html lang="da">' in page.text
        assert re.findall(r"<form[^>]*>", page.text) == ['<form method="post">']
        assert not re.search(r"<script>|style=| on[a-z]+=", page.text)
        done = await service.client.post(
            f"/unsubscribe/{waiting['window.closes'].uid}", headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert (done.status_code, "Du får ikke flere påmindelser" in done.text) == (200, True)
        assert messages(database_url)["window.closes"].state == "superseded"
        for one in (waiting["proposal.close"].uid, "0" * 32, "<script>"):
            for method in ("GET", "POST"):
                lost = await service.client.request(method, f"/unsubscribe/{one}")
                assert (lost.status_code, "leads to no reminder" in lost.text) == (404, True)
                assert one == "0" * 32 or one not in lost.text

    run(scenario)


def test_a_reminder_says_where_it_ends_and_nothing_else_does(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        await remind(service)
        database, now = service.house.database, clock.now(TODAY).at
        sender, uids = Sender("earmark@um.example", "https://earmark.example"), messages(database_url)

        def sent(tx: Any) -> list[Any]:
            groups = deliveries.take(tx, moment(now), deliveries.LONGEST_PAUSE, Free(200, 0))
            made = [
                deliveries.ready(tx, one.numbers, service.house.library, sender, moment(now)).mail for one in groups
            ]
            return [one for one in made if one is not None and one["To"].startswith("Demo Focal")]

        mails = {one["Message-ID"][1:33]: one for one in await database.write(sent)}
        reminder, other = mails[uids["window.closes"].uid], mails[uids["proposal.close"].uid]
        uid = uids["window.closes"].uid
        assert reminder["List-Unsubscribe"] == f"<https://earmark.example/api/v1/unsubscribe/{uid}>"
        assert reminder["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert f"https://earmark.example/unsubscribe/{uid}" in reminder.get_body(("plain",)).get_content()
        assert "List-Unsubscribe" not in other
        assert "unsubscribe" not in other.as_string()

    run(scenario)


def test_without_a_digest_what_waits_for_it_goes_at_once(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        wishes = {"language": "en", "digest": True, "reminders": True}
        await service.call("iom_focal_point", "PUT", "/preferences", json=wishes)
        await remind(service)
        database, mine = service.house.database, messages(database_url)["proposal.close"].uid

        def due(tx: Any) -> bool:
            row = notices.by_uid(tx, mine)
            assert row
            return bool(row.next_at <= clock.now(TODAY).at)

        assert not await database.read(due)
        await service.call("iom_focal_point", "PUT", "/preferences", json={**wishes, "digest": False})
        assert await database.read(due)

    run(scenario)


@pytest.mark.parametrize("ending", ["revoked", "replaced", "disabled"])
def test_a_feeds_address_is_told_once_kept_as_a_hash_and_ends(run: Any, database_url: str, ending: str) -> None:
    async def scenario(service: Service) -> None:
        assert (await service.call("mission", "GET", "/feed")).json() == {"exists": False, "created_at": None}
        keyed = {"Idempotency-Key": "k"}
        made = await service.call("mission", "POST", "/feed", headers=keyed)
        assert made.status_code == 201, made.text
        path = made.json()["url"].partition("/api/v1")[2]
        secret = path.removeprefix("/feeds/").removesuffix(".ics")
        assert len(secret) == 43
        assert (await service.call("mission", "GET", "/feed")).json()["exists"]
        read = await service.call(None, "GET", path)
        assert (read.status_code, read.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
        assert read.headers["Cache-Control"] == "no-store"
        if ending == "revoked":
            for _ in range(2):
                assert (await service.call("mission", "DELETE", "/feed")).status_code == 204
        elif ending == "replaced":
            assert (await service.call("mission", "POST", "/feed", headers=keyed)).json()["url"] != made.json()["url"]
        else:
            people = (await service.call("admin", "GET", "/users?limit=200")).json()["items"]
            one = next(f"/users/{one['id']}" for one in people if one["role"] == "mission")
            assert (await service.call("admin", "PATCH", one, json={"disabled": True})).status_code == 200
            assert (await service.call(None, "GET", path)).status_code == 404
            assert (await service.call("admin", "PATCH", one, json={"disabled": False})).status_code == 200
        gone = await service.call(None, "GET", path)
        never = await service.call(None, "GET", f"/feeds/{'A' * 43}.ics")
        assert (gone.status_code, gone.content) == (404, never.content)
        for odd in ("", "..%2f", "%00" * 43, "A" * 9000, secret + "%0a"):
            assert (await service.call(None, "GET", f"/feeds/{odd}.ics")).status_code == 404
        log = (await service.call("auditor", "GET", "/audit?limit=10")).text
        assert "feed.create" in log
        assert secret not in log

    run(scenario)


def test_a_feeds_secret_is_in_no_log_and_no_database(filled: dict[str, Any], tmp_path: Path) -> None:
    with copy_of("sqlite", filled, tmp_path) as url, served(url, tmp_path, log=tmp_path / "log") as address:
        accounts = json.loads((tmp_path / "demo.json").read_text())
        mine = {"Authorization": f"Bearer {accounts['mfa_finance']['token']}"}
        made = httpx.post(f"{address}/api/v1/feed", headers=mine).json()["url"]
        secret = made.rpartition("/")[2].removesuffix(".ics")
        place = f"{address}/api/v1/feeds/{secret}.ics"
        with httpx.Client() as client:
            assert client.get(place).status_code == 200
            client.post(place)
            client.get(place.replace("feeds", "feed"))
    said = (tmp_path / "log").read_text()
    assert "/api/v1/feeds/{secret}.ics" in said
    assert secret not in said
    assert secret.encode() not in b"".join(one.read_bytes() for one in tmp_path.glob("earmark.db*"))


def test_a_feed_is_not_read_without_end(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "FEED_READS", 2)

    async def scenario(service: Service) -> None:
        path = (await service.call("mission", "POST", "/feed")).json()["url"].partition("/api/v1")[2]
        statuses = [(await service.call(None, "GET", path)).status_code for _ in range(6)]
        assert 429 in statuses, "a minute may end in between"
        assert (await service.call("mission", "GET", "/feed")).status_code == 200, "who has it is not locked out"

    run(scenario)
