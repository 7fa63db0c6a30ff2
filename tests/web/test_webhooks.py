"""Webhooks through the API, to a real receiver: what is heard and by whom, secrets, pauses, replays, ends, rights."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text, update

from app.delivering import Worker
from app.domain.people import Role
from app.notify import outbox
from app.records.notice_tables import message
from app.services import users, webhooks
from tests.conftest import Service, copy_of
from tests.notify.post import deliver_all
from tests.notify.receiving import Receiver, authority, receiver, signed_by
from tests.notify.test_notices import NOW
from tests.serving import started
from tests.web.test_consultations import decide, opened, recommended

REF = "DK-IOM-2023-001"
ALL = {"events": ["*"], "for": "me"}
YESTERDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
PERIOD = {"from": "2026-11-22T00:00:00+01:00", "to": "2026-11-24T00:00:00Z"}
# Where the database makes no difference.
either = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def registered(service: Service, role: str, port: int, **more: Any) -> tuple[str, str]:
    """The path of a new webhook to a receiver on this machine, and its secret."""
    loopback = (ip_network("127.0.0.0/8"),)
    service.house.settings = replace(service.house.settings, webhook_networks=loopback)
    body = {"url": f"http://127.0.0.1:{port}/earmark", **ALL, **more}
    made = await service.call(role, "POST", "/webhooks", json=body)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == f"/api/v1/webhooks/{made.json()['id']}"
    return f"/webhooks/{made.json()['id']}", made.json()["secret"]


async def delivered(service: Service, later: timedelta = timedelta(), at: datetime | None = None) -> datetime:
    """Deliver everything that is due now, later or at an instant; when that was."""
    here = service.house
    worker = Worker(here.settings, here.database, here.library)
    at = at or here.now().at + later
    await asyncio.to_thread(deliver_all, worker, at)
    return at


async def asked(service: Service, number: int = 1) -> None:
    """So many notices that are told to the desk; the demo has two people there."""

    def work(tx: Any) -> None:
        for i in range(number):
            outbox.owe(tx, "clarification.answered", f"clarification/{900 + i}", YESTERDAY, {"answer": "Yes."}, REF)

    await service.house.database.write(work)


async def told(service: Service, role: str, path: str) -> list[Any]:
    """The messages of a webhook as its owner sees them, the oldest first."""
    items = (await service.call(role, "GET", "/notifications?limit=200")).json()["items"]
    return [one for one in reversed(items) if one["webhook"] == int(path.rpartition("/")[2])]


def sql(url: str, statement: str, **given: Any) -> list[Any]:
    engine = create_engine(url)
    with engine.begin() as tx:
        done = tx.execute(text(statement), given)
        rows = [tuple(row) for row in done] if done.returns_rows else []
    engine.dispose()
    return rows


@either
def test_a_message_is_signed_and_the_same_at_each_attempt(run: Any) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as found:
            path, secret = await registered(service, "mfa_reviewer", found.port)
            found.statuses[:] = [500, 302]
            await asked(service)
            for hours in (0, 1, 2, 3):
                await delivered(service, timedelta(hours=hours))
            [one] = await told(service, "mfa_reviewer", path)
            assert (one["state"], one["attempts"], one["channel"], one["to"]) == ("sent", 3, "webhook", None)
            assert {(it.uid, it.body) for it in found.arrivals} == {(found.arrivals[0].uid, found.arrivals[0].body)}
            assert len(found.arrivals) == 3
            for it in found.arrivals:
                assert signed_by(secret, it)
                assert it.headers["content-type"] == "application/json"
                assert abs(int(it.headers["webhook-timestamp"]) - time.time()) < 60
            said = json.loads(found.arrivals[0].body)
            assert (said["type"], said["data"]["ref"], said["data"]["answer"]) == (
                "clarification.answered",
                REF,
                "Yes.",
            )
            assert said["timestamp"] == one["happened_at"]

    run(scenario)


def test_a_webhook_hears_exactly_what_its_people_are_told_and_nothing_early(run: Any, database_url: str) -> None:
    hearing = {
        "iom_office": "office",
        "embassy": "office",
        "mission": "office",
        "iom_focal_point": "me",
        "mfa_head": "me",
    }

    async def scenario(service: Service) -> None:
        paths = {role: (await registered(service, role, 9999, **{"for": whose}))[0] for role, whose in hearing.items()}
        only, _ = await registered(service, "mfa_reviewer", 9999, events=["proposal.submit"])
        [(before,)] = sql(database_url, "SELECT max(id) FROM notice")
        ref = await recommended(service)
        path = await opened(service, [ref], NOW)
        yes = {"decision": "approve", "amounts": {"2027": 1_000_000}}
        assert (await decide(service, path, ref, yes)).status_code == 200
        heard = "SELECT kind, webhook_id FROM message JOIN notice ON notice.id = notice_id WHERE webhook_id IS NOT NULL"
        assert "proposal.approve" not in {kind for kind, _ in sql(database_url, heard)}
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        for role, place in paths.items():
            query = f"SELECT notice_id FROM message WHERE {{}} AND notice_id > {before} ORDER BY 1"
            email = service.accounts[role]["email"]
            owner = f"person_id = (SELECT id FROM person WHERE email = '{email}')"
            by_mail = sql(database_url, query.format(owner))
            assert sql(database_url, query.format(f"webhook_id = {place.rpartition('/')[2]}")) == by_mail
            assert by_mail, role
        number = int(only.rpartition("/")[2])
        assert {kind for kind, one in sql(database_url, heard) if one == number} == {"proposal.submit"}

    run(scenario)


@either
def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(run: Any) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as found:
            path, first = await registered(service, "mfa_finance", found.port)
            made = await service.call("mfa_finance", "POST", f"{path}/rotate")
            second = made.json()["secret"]
            assert made.json()["old_secret_until"] > made.json()["created_at"]
            for hours, signing in ((0, [True, True]), (23, [True, True]), (25, [False, True])):
                owed = await service.call("mfa_finance", "POST", f"{path}/test")
                assert owed.status_code == 202
                await delivered(service, timedelta(hours=hours))
                assert [signed_by(one, found.arrivals[-1]) for one in (first, second)] == signing
                shown = (await told(service, "mfa_finance", path))[-1]
                assert (shown["id"], shown["kind"]) == (owed.json()["notification"], "webhook.test")
            assert len(found.arrivals) == 3
            assert len(found.arrivals[0].headers["webhook-signature"].split(" ")) == 2

    run(scenario)


@either
def test_a_test_goes_to_that_webhook_only_and_one_at_a_time(run: Any) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as mine, receiver() as other:
            path, _ = await registered(service, "mfa_reviewer", mine.port)
            await registered(service, "mfa_reviewer", other.port)
            assert (await service.call("mfa_reviewer", "POST", f"{path}/test")).status_code == 202
            again = await service.call("mfa_reviewer", "POST", f"{path}/test")
            assert (again.status_code, again.json()["code"]) == (409, "test_waits")
            await delivered(service)
            assert (len(mine.arrivals), len(other.arrivals)) == (1, 0)

    run(scenario)


async def paused(service: Service, found: Receiver, role: str = "mfa_reviewer") -> str:
    """A webhook that is paused after so many failures: not of many messages in a moment, but of one for a quarter of an hour."""
    path, _ = await registered(service, role, found.port)
    found.always = 500
    await asked(service, webhooks.FAILURES)
    at = await delivered(service)
    assert not (await service.call(role, "GET", "/webhooks")).json()["items"][0]["paused_at"]
    long = update(message).where(message.c.state == "waiting", message.c.webhook_id.is_not(None))
    tried = long.values(attempts=webhooks.PATIENCE - 1, next_at=at)
    await service.house.database.write(lambda tx: tx.execute(tried))
    await delivered(service, at=at)
    assert (await service.call(role, "GET", "/webhooks")).json()["items"][0]["paused_at"]
    return path


@either
def test_after_twenty_failures_it_is_paused_its_owner_told_and_nothing_lost(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as found:
            path = await paused(service, found)
            assert len(found.arrivals) == webhooks.FAILURES + 1
            query = """SELECT person.email FROM message JOIN notice ON notice.id = notice_id
                LEFT JOIN person ON person.id = person_id WHERE kind = 'webhook.paused'"""
            assert sql(database_url, query) == [(service.accounts["mfa_reviewer"]["email"],)], (
                "by mail, once, nobody else"
            )
            found.always = None
            await asked(service)
            await delivered(service, timedelta(hours=4))
            messages = await told(service, "mfa_reviewer", path)
            assert {(one["state"], one["error"][:22]) for one in messages} == {("superseded", "The webhook was paused")}
            refused = [await service.call("mfa_reviewer", "POST", f"{path}/{verb}", json=body) for verb, body in (
                ("test", {}), ("replay", {"notification": messages[0]["id"]}))]  # fmt: skip
            assert {(one.status_code, one.json()["code"]) for one in refused} == {(409, "webhook_paused")}
            done = (await service.call("mfa_reviewer", "POST", f"{path}/resume")).json()
            assert (done["paused_at"], done["failures"]) == (None, 0)
            assert done["missed"] == {"messages": webhooks.FAILURES + 1, "from": "2026-11-22T12:00:00Z"}
            assert (await service.call("mfa_reviewer", "POST", f"{path}/resume")).json()["code"] == "wrong_state"
            uids = {one.uid for one in found.arrivals}
            found.arrivals.clear()
            replayed = await service.call("mfa_reviewer", "POST", f"{path}/replay", json=PERIOD)
            assert replayed.json() == {"owed": len(messages), "next_from": None}
            await delivered(service, timedelta(hours=5))
            assert len(found.arrivals) == len({one.uid for one in found.arrivals}) == len(messages)
            assert uids < {one.uid for one in found.arrivals}, "the same ids, and what came in the pause"
            assert {one["state"] for one in await told(service, "mfa_reviewer", path)} == {"sent"}

    run(scenario)


def test_a_receiver_that_is_gone_pauses_at_once(run: Any) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as found:
            path, _ = await registered(service, "mfa_reviewer", found.port)
            found.statuses[:] = [410]
            await asked(service)
            await delivered(service)
            [one] = await told(service, "mfa_reviewer", path)
            assert (one["state"], one["error"]) == ("dead", "410 Gone: the receiver wants no more.")
            assert (await service.call("mfa_reviewer", "GET", "/webhooks")).json()["items"][0]["paused_at"]
            assert (await service.call("mfa_reviewer", "POST", f"{path}/resume")).json()["missed"]["messages"] == 1

    run(scenario)


def test_one_message_or_a_period_is_replayed_but_nothing_that_became_untrue(
    run: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as found:
            path, _ = await registered(service, "mfa_reviewer", found.port)
            other, _ = await registered(service, "mfa_reviewer", found.port, events=["payment.released"])
            await asked(service, 3)
            await delivered(service)
            one = (await told(service, "mfa_reviewer", path))[0]

            async def replay(body: Any, place: str = path) -> httpx.Response:
                return await service.call("mfa_reviewer", "POST", f"{place}/replay", json=body)

            assert (await replay({"notification": one["id"]})).json() == {"owed": 1, "next_from": None}
            waits = await replay({"notification": one["id"]})
            assert (waits.status_code, waits.json()["code"]) == (409, "wrong_state")
            await delivered(service)
            assert [len(found.arrivals), len({it.uid for it in found.arrivals})] == [4, 3]
            assert (await replay({"notification": one["id"]}, other)).status_code == 404
            monkeypatch.setattr(webhooks, "MOST_REPLAYED", 2)
            some = (await replay(PERIOD)).json()
            assert some["owed"] == 2
            assert (await replay({**PERIOD, "from": some["next_from"]})).json() == {"owed": 1, "next_from": None}
            await delivered(service)
            sql(
                database_url,
                "UPDATE message SET state = 'superseded', superseded_by = notice_id WHERE id = :id",
                id=one["id"],
            )
            assert (await replay({"notification": one["id"]})).json()["code"] == "wrong_state"
            assert (await replay(PERIOD)).json()["owed"] == 2
            for bad in ({}, {"from": PERIOD["from"]}, {**PERIOD, "notification": 1}, {"from": PERIOD["to"], "to": PERIOD["from"]},
                        {**PERIOD, "to": 1700000000}, {**PERIOD, "to": "2026-11-24"}, {**PERIOD, "to": "2026-11-24T00:00:00"}):  # fmt: skip
                answer = await replay(bad)
                assert answer.status_code == 422, bad
                assert answer.json()["errors"]

    run(scenario)


@either
def test_a_deleted_webhook_hears_no_more_and_what_waited_says_so(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as found:
            path, _ = await registered(service, "mfa_reviewer", found.port)
            await asked(service)
            assert (await service.call("mfa_reviewer", "DELETE", path)).status_code == 204
            assert (await service.call("mfa_reviewer", "DELETE", path)).status_code == 404
            await asked(service)
            await delivered(service)
            assert found.arrivals == []
            [one] = await told(service, "mfa_reviewer", path)
            assert (one["state"], one["error"]) == ("superseded", "The webhook was deleted.")
            assert (await service.call("mfa_reviewer", "GET", "/webhooks")).json()["items"] == []
            assert sql(database_url, "SELECT secret, old_secret FROM webhook") == [("", None)]

    run(scenario)


@either
@pytest.mark.parametrize(
    "change",
    [{"disabled": True}, {"role": "iom_focal_point"}, {"office": "IOM-TN"}, {"role": "embassy", "office": "EMB-TUNIS"}],
)
def test_who_loses_account_role_or_office_loses_their_webhooks(
    change: dict[str, Any], run: Any, database_url: str
) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as found:
            for whose in ("me", "office"):
                await registered(service, "iom_office", found.port, **{"for": whose})
            await service.house.database.write(
                lambda tx: outbox.owe(tx, "report.accepted", "report/1", now, {"year": 2024}, REF)
            )
            query = "SELECT count(*) FROM message WHERE webhook_id IS NOT NULL AND state = '{}'"
            assert sql(database_url, query.format("waiting")) == [(2,)]
            [(person,)] = sql(database_url, "SELECT DISTINCT person_id FROM webhook")
            changed = await service.call("admin", "PATCH", f"/users/{person}", json=change)
            assert changed.status_code == 200, changed.text
            await service.house.database.write(
                lambda tx: outbox.owe(tx, "report.accepted", "report/2", now, {"year": 2025}, REF)
            )
            await delivered(service)
            assert found.arrivals == []
            assert sql(database_url, query.format("superseded")) == [(2,)], "and nothing is owed any more"

    now = datetime(2026, 11, 23, 1, tzinfo=UTC)
    run(scenario)


@either
def test_an_office_whose_webhook_is_of_somebody_elsewhere_is_not_heard_whatever_the_tables_say(
    run: Any, database_url: str
) -> None:
    async def scenario(service: Service) -> None:
        with receiver() as found:
            path, _ = await registered(service, "iom_office", found.port, **{"for": "office"})
            for _ in range(2):
                await service.house.database.write(
                    lambda tx: outbox.owe(tx, "report.accepted", "report/1", YESTERDAY, {"year": 2024}, REF)
                )
                sql(
                    database_url,
                    "UPDATE person SET office_code = 'IOM-TN' WHERE office_code = 'IOM-NE' AND name NOT LIKE '%IOM%'",
                )
            await delivered(service)
            assert found.arrivals == []
            [one] = await told(service, "iom_office", path)
            assert one["error"] == "The webhook's owner is disabled or has left the office."

    run(scenario)


@either
def test_a_submitter_who_left_the_office_hears_nothing_of_its_proposals(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        place = "SELECT count(*) FROM message JOIN person ON person.id = person_id WHERE notice_id = (SELECT max(id) FROM notice)"
        sql(
            database_url,
            "UPDATE history SET person_id = (SELECT id FROM person WHERE email = 'iom-office@demo.example')",
        )
        sql(database_url, "UPDATE person SET office_code = 'IOM-TN' WHERE email = 'iom-office@demo.example'")
        await service.house.database.write(
            lambda tx: outbox.owe(tx, "clarification.asked", "clarification/1", YESTERDAY, {"question": "Why?"}, REF)
        )
        assert sql(database_url, f"{place} AND office_code = 'IOM-TN'") == [(0,)]
        assert sql(database_url, f"{place} AND office_code = 'IOM-NE'") == [(1,)]

    run(scenario)


@either
def test_whose_a_webhook_is_and_what_others_can_do_with_it(run: Any) -> None:
    async def scenario(service: Service) -> None:
        paths = {}
        for role in Role:
            body = {"url": "https://hooks.example.org/", **ALL}
            made = await service.call(role, "POST", "/webhooks", json=body)
            assert made.status_code == (403 if role is Role.AUDITOR else 201), (role, made.text)
            if made.status_code == 201:
                paths[role] = f"/webhooks/{made.json()['id']}"
        for role, path in paths.items():
            for verb in ("rotate", "test", "resume", "replay"):
                body = {"notification": 1} if verb == "replay" else {}
                for other in dict.fromkeys((role, Role.ADMIN, Role.MFA_HEAD, Role.MISSION)):
                    answer = await service.call(other, "POST", f"{path}/{verb}", json=body)
                    refused = {True: {403}, False: {404}}[other is Role.ADMIN]
                    own = {"rotate": {200}, "test": {202}, "resume": {409}, "replay": {404}}[verb]
                    assert answer.status_code in (own if other is role else refused), (role, verb, other, answer.text)
            listed = (await service.call(role, "GET", "/webhooks")).json()["items"]
            mine = [f"/webhooks/{one['id']}" for one in listed]
            assert mine == (list(paths.values()) if role is Role.ADMIN else [path])
        taken = await service.call("mfa_head", "DELETE", paths[Role.MISSION])
        assert (taken.status_code, taken.json()["code"]) == (404, "webhook_not_found")
        assert (await service.call("admin", "DELETE", paths[Role.MISSION])).status_code == 204
        assert (await service.call("mission", "GET", "/webhooks")).json()["items"] == []
        small = await service.call("mission", "POST", "/tokens", json={"label": "small", "scopes": ["proposals:read"]})
        headers = {"Authorization": f"Bearer {small.json()['token']}"}
        answer = await service.client.get("/api/v1/webhooks", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")

    run(scenario)


@either
def test_what_cannot_be_registered_is_refused_with_everything_that_is_wrong(run: Any) -> None:
    async def scenario(service: Service) -> None:
        bad = {"url": "https://127.0.0.1/", "events": ["proposal.aprove", "webhook.test"], "for": "office"}
        refused = await service.call("mfa_reviewer", "POST", "/webhooks", json=bad)
        errors = {one["pointer"]: one for one in refused.json()["errors"]}
        assert refused.status_code == 422
        assert errors.keys() == {"/url", "/events/0", "/events/1", "/for"}
        assert "did you mean 'proposal.approve'?" in errors["/events/0"]["message"]
        assert all(kind in errors["/events/1"]["message"] for kind in webhooks.EVENTS)
        assert not {"webhook.test", "webhook.paused"} & set(webhooks.EVENTS)
        fine = {"url": "https://hooks.example.org/", **ALL}
        for more in ({"events": []}, {"events": ["*", "*"]}, {"for": "us"}, {"secret": "x"}, {"url": "x" * 2001}):
            assert (await service.call("mfa_reviewer", "POST", "/webhooks", json={**fine, **more})).status_code == 422
        for place in range(webhooks.MOST + 1):
            answer = await service.call("mfa_reviewer", "POST", "/webhooks", json=fine)
            assert answer.status_code == (201 if place < webhooks.MOST else 409)
        assert answer.json()["code"] == "too_many_webhooks"

    run(scenario)


@either
def test_an_erased_person_leaves_no_address_of_a_webhook(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        await registered(service, "embassy", 9999)
        [(person,)] = sql(database_url, "SELECT person_id FROM webhook")
        await service.house.database.write(lambda tx: users.erase(tx, None, person, service.house.now()))
        assert sql(database_url, "SELECT url, secret, deleted_at IS NULL FROM webhook") == [("", "", False)]

    run(scenario)


def test_a_secret_is_said_once_and_stands_nowhere_else(
    filled: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, certificate = authority(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setenv("EARMARK_WEBHOOK_NETWORKS", "127.0.0.0/8")
    log = tmp_path / "log"
    with (
        copy_of("sqlite", filled, tmp_path) as url,
        receiver(certificate) as found,
        started(url, tmp_path, log=log, deliver="1") as (address, _),
    ):
        accounts = json.loads((tmp_path / "demo.json").read_text())

        def call(role: str, method: str, path: str, **more: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {accounts[role]['token']}", **more.pop("headers", {})}
            return httpx.request(method, f"{address}/api/v1{path}", headers=headers, **more)

        body = {"url": f"https://127.0.0.1:{found.port}/", **ALL}
        key = {"Idempotency-Key": "one"}
        made = [call("mfa_head", "POST", "/webhooks", json=body, headers=key).json() for _ in range(2)]
        secrets = [one["secret"] for one in made]
        path = f"/webhooks/{made[0]['id']}"
        secrets.append(call("mfa_head", "POST", f"{path}/rotate", headers=key).json()["secret"])
        assert call("mfa_head", "POST", f"{path}/test").status_code == 202
        end = time.monotonic() + 10
        while not found.arrivals:
            assert time.monotonic() < end, "it never arrived"
            time.sleep(0.02)
        assert signed_by(secrets[0], found.arrivals[0])
        assert signed_by(secrets[2], found.arrivals[0])
        assert call("mfa_head", "DELETE", f"/webhooks/{made[1]['id']}").status_code == 204
        seen = [call(role, "GET", place, headers={"Accept": accept}).text for accept in ("application/json", "text/csv")
                for role, place in (("mfa_head", "/webhooks"), ("admin", "/webhooks"), ("admin", "/audit?limit=200"),
                                    ("mfa_head", "/notifications"), ("admin", "/notifications"))]  # fmt: skip
        events = {one["event"] for one in call("admin", "GET", "/audit?limit=200").json()["items"]}
        assert {"webhook.add", "webhook.rotate", "webhook.test", "webhook.delete"} <= events
        kept = sql(url, "SELECT body FROM idempotency_key")
    told = [*seen, log.read_text(), str(kept), *(str(one) for one in found.arrivals)]
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert not any(secret.removeprefix("whsec_") in one for one in told)
