"""From approval to money: the agreement both sides sign, tranches with four eyes, receipts, and every figure of the ledger."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from app.encoding import canonical
from tests.conftest import Service
from tests.web.test_consultations import PLAN, decide, opened, recommended
from tests.web.test_papers import PDF, check_accessible, told

NOW = {**PLAN, "date": "2026-11-23", "reason": "A test."}
APPROVED = 12_000_000


async def approved(service: Service, voted: bool = True) -> str:
    ref = await recommended(service)
    path = await opened(service, [ref], NOW)
    decision = {"decision": "approve", "amounts": {"2027": APPROVED}, "conditions": ["Report twice."]}
    assert (await decide(service, path, ref, decision)).status_code == 200
    assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
    if voted:
        change = {"amount": 50_000_000, "status": "voted", "reason": "Finance act."}
        put = await service.call("mfa_finance", "PUT", "/envelopes/2027", json=change, headers={"If-Match": "*"})
        assert put.status_code == 200
    return ref


async def sign(service: Service, role: str, ref: str, **body: Any) -> Any:
    return await service.call(role, "POST", f"/proposals/{ref}/agreement/signatures", json=body)


async def scheduled(service: Service, ref: str, amount: int, year: int = 2027) -> int:
    body = {"year": year, "amount": amount, "due_on": "2027-04-15", "condition": "First report accepted."}
    made = await service.call("mfa_finance", "POST", f"/proposals/{ref}/payments", json=body)
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


async def step(service: Service, role: str, number: int, name: str, **body: Any) -> Any:
    return await service.call(role, "POST", f"/payments/{number}/{name}", json=body)


def codes(answer: Any) -> set[str]:
    return {one["code"] for one in answer.json()["refusals"]}


def test_from_approved_through_two_tranches_to_disbursed_and_the_ledger_adds_up(run: Any) -> None:
    async def scenario(service: Service) -> None:
        async def money() -> tuple[int, int, int]:
            one = (await service.call("auditor", "GET", "/envelopes/2027")).json()
            assert one["available"] == one["amount"] - one["approved"]
            return one["approved"], one["agreed"], one["paid"]

        ref = await approved(service)
        assert await money() == (APPROVED, 0, 0)
        numbers = [await scheduled(service, ref, APPROVED // 2) for _ in range(2)]
        text_ = (await service.call("iom_office", "GET", f"/proposals/{ref}/agreement")).json()
        assert text_["text"]["amounts"] == {"2027": APPROVED}
        assert sum(line["amount"] for line in text_["text"]["budget"]) == APPROVED
        assert text_["sha256"] == hashlib.sha256(canonical(text_["text"])).hexdigest()
        assert [one["amount"] for one in text_["text"]["tranches"]] == [APPROVED // 2] * 2
        first = await sign(service, "iom_focal_point", ref, sha256=text_["sha256"])
        assert (first.status_code, first.json()["state"]) == (201, "open"), first.text
        early = await step(service, "mfa_finance", numbers[0], "prepare")
        assert codes(early) == {"not_signed"}
        assert (await sign(service, "mfa_head", ref)).json()["state"] == "signed"
        assert (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["state"] == "agreed"
        assert await money() == (APPROVED, APPROVED, 0)
        for i, number in enumerate(numbers):
            assert (await step(service, "mfa_finance", number, "prepare")).json()["state"] == "prepared"
            same = await step(service, "mfa_finance", number, "release")
            assert (same.status_code, codes(same)) == (409, {"preparer_releases"})
            done = await step(service, "mfa_finance_2", number, "release")
            assert done.json()["state"] == "released", done.text
            twice = await step(service, "mfa_finance_2", number, "release")
            assert (twice.status_code, "wrong_state" in codes(twice)) == (409, True)
            assert await money() == (APPROVED, APPROVED, APPROVED // 2 * (i + 1))
            got = await step(service, "iom_focal_point", number, "receive", amount=APPROVED // 2 - 40 * i)
            assert got.json()["difference"] == -40 * i
            state = (await service.call("mfa_head", "GET", f"/proposals/{ref}")).json()["state"]
            assert state == ("agreed", "disbursed")[i]
        listed = (await service.call("iom_office", "GET", f"/proposals/{ref}/payments")).json()["items"]
        assert [one["state"] for one in listed] == ["received", "received"]
        planned = {"amount": 50_000_000, "status": "planned", "reason": "No."}
        unvote = await service.call("mfa_finance", "PUT", "/envelopes/2027", json=planned, headers={"If-Match": "*"})
        assert (unvote.status_code, unvote.json()["code"]) == (409, "paid_already")
        assert (await service.call("auditor", "GET", "/audit/verify")).json()["sound"]

    run(scenario)


def test_a_change_of_the_text_voids_the_signatures_given(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await approved(service)
        path = f"/proposals/{ref}/agreement"
        before = (await service.call("mfa_head", "GET", path)).json()
        assert (await sign(service, "mfa_head", ref, sha256=before["sha256"])).status_code == 201
        again = await sign(service, "mfa_head", ref)
        assert (again.status_code, again.json()["code"]) == (409, "signed_already")
        await scheduled(service, ref, 5_000_000)
        after = (await service.call("mfa_head", "GET", path)).json()
        assert (after["signatures"], after["sha256"] != before["sha256"]) == ([], True)
        stale = await sign(service, "iom_focal_point", ref, sha256=before["sha256"])
        assert (stale.status_code, stale.json()["code"]) == (409, "text_changed")
        assert (await sign(service, "iom_focal_point", ref)).status_code == 201
        lines = [{"year": 2027, "category": "staff", "amount": APPROVED, "activity_ref": None}]
        over = [{**lines[0], "amount": APPROVED + 1}, {**lines[0], "activity_ref": "nowhere"}]
        bad = await service.call("iom_office", "PUT", f"{path}/budget", json={"budget": over})
        assert {one["code"] for one in bad.json()["errors"]} == {"unknown_activity", "over_approved"}
        put = await service.call("iom_office", "PUT", f"{path}/budget", json={"budget": lines})
        assert (put.status_code, put.json()["signatures"], put.json()["text"]["budget"]) == (200, [], lines)
        blind = await service.call("iom_office", "PUT", f"{path}/budget", json={"budget": lines})
        assert blind.status_code == 428
        for role in ("iom_focal_point", "mfa_head"):
            assert (await sign(service, role, ref)).status_code == 201
        late = await service.call(
            "iom_office", "PUT", f"{path}/budget", json={"budget": lines}, headers={"If-Match": "*"}
        )
        assert (late.status_code, late.json()["code"]) == (409, "wrong_state")
        for role in ("mfa_reviewer", "iom_office", "mfa_finance", "admin", "auditor"):
            assert (await sign(service, role, ref)).status_code == 403
        for language, word in (("en", "Agreement on"), ("da", "Aftale om")):
            made = await service.call("iom_office", "GET", f"{path}?language={language}", headers=PDF)
            check_accessible(made.content, language)
            assert word in told(made.content)

    run(scenario)


def test_every_refused_release_names_its_reasons(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await approved(service, voted=False)
        number = await scheduled(service, ref, APPROVED)
        over = await service.call(
            "mfa_finance",
            "POST",
            f"/proposals/{ref}/payments",
            json={"year": 2027, "amount": 1, "due_on": "2027-05-01"},
        )
        assert codes(over) == {"over_approved"}
        other = {"year": 2026, "amount": 1, "due_on": "2027-05-01"}
        assert codes(await service.call("mfa_finance", "POST", f"/proposals/{ref}/payments", json=other)) == {
            "over_approved"
        }
        assert codes(await step(service, "mfa_finance", number, "release")) == {
            "wrong_state",
            "not_signed",
            "not_voted",
        }
        for role in ("iom_focal_point", "mfa_head"):
            assert (await sign(service, role, ref)).status_code == 201
        assert (await step(service, "mfa_finance", number, "prepare")).status_code == 200
        assert codes(await step(service, "mfa_finance", number, "release")) == {"not_voted", "preparer_releases"}
        said = {"reason": "A cousin."}
        await service.call("mfa_finance_2", "POST", f"/proposals/{ref}/conflicts", json=said)
        assert codes(await step(service, "mfa_finance_2", number, "release")) == {"not_voted", "conflict_of_interest"}
        for role in ("mfa_head", "iom_focal_point", "mfa_reviewer", "admin"):
            assert (await step(service, role, number, "release")).status_code == 403
        assert (await step(service, "mfa_finance", 99999, "release")).status_code == 404
        assert (await step(service, "iom_focal_point", number, "receive", amount=-1)).status_code == 422
        assert codes(await step(service, "iom_focal_point", number, "receive")) == {"wrong_state"}
        gone = await step(service, "mfa_finance", number, "cancel", reason="In two tranches.")
        assert gone.json()["state"] == "cancelled"
        await scheduled(service, ref, APPROVED)

    run(scenario)


def test_termination_frees_what_is_not_paid_and_ends_the_tranches(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await approved(service)
        numbers = [await scheduled(service, ref, amount) for amount in (5_000_000, 7_000_000)]
        for role in ("iom_focal_point", "mfa_head"):
            assert (await sign(service, role, ref)).status_code == 201
        await step(service, "mfa_finance", numbers[0], "prepare")
        assert (await step(service, "mfa_finance_2", numbers[0], "release")).status_code == 200
        ended = await service.call(
            "mfa_head", "POST", f"/proposals/{ref}/moves", json={"move": "terminate", "reason": "The partner left."}
        )
        assert ended.json()["state"] == "cancelled"
        one = (await service.call("auditor", "GET", "/envelopes/2027")).json()
        assert (one["approved"], one["agreed"], one["paid"], one["freed"]) == (
            5_000_000,
            5_000_000,
            5_000_000,
            7_000_000,
        )
        listed = (await service.call("auditor", "GET", f"/proposals/{ref}/payments")).json()["items"]
        assert [item["state"] for item in listed] == ["released", "cancelled"]
        assert (await step(service, "iom_focal_point", numbers[0], "receive")).json()["state"] == "received"

    run(scenario)


def test_four_eyes_stand_in_the_database_too(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        ref = await approved(service)
        number = await scheduled(service, ref, 1_000_000)
        engine = create_engine(database_url)
        forged = text("UPDATE payment SET prepared_by = 1, released_by = 1 WHERE id = :id")
        with pytest.raises(IntegrityError, match="four_eyes"), engine.begin() as tx:
            tx.execute(forged, {"id": number})
        engine.dispose()

    run(scenario)


def test_a_key_repeats_the_answer_and_pays_once(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await approved(service)
        number = await scheduled(service, ref, APPROVED)
        for role in ("iom_focal_point", "mfa_head"):
            assert (await sign(service, role, ref)).status_code == 201
        await step(service, "mfa_finance", number, "prepare")
        key = {"Idempotency-Key": "release-once"}
        answers = [
            await service.call("mfa_finance_2", "POST", f"/payments/{number}/release", json={}, headers=key)
            for _ in range(3)
        ]
        assert len({one.content for one in answers}) == 1
        assert [one.headers.get("Idempotent-Replayed") for one in answers] == [None, "true", "true"]
        paid = (await service.call("auditor", "GET", "/envelopes/2027")).json()["paid"]
        assert paid == APPROVED

    run(scenario)
