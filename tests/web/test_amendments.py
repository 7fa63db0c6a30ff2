"""Amendments: what is agreed becomes another by both signatures, never with more money, within every envelope."""

from typing import Any

from tests.conftest import Service
from tests.web.test_payments import APPROVED, scheduled, step
from tests.web.test_reports import agreed


async def propose(service: Service, ref: str, role: str = "iom_focal_point", **body: Any) -> Any:
    return await service.call(
        role, "POST", f"/proposals/{ref}/amendments", json={"reason": "It turned out so.", **body}
    )


async def sign(service: Service, role: str, ref: str, number: int, **body: Any) -> Any:
    return await service.call(role, "POST", f"/proposals/{ref}/amendments/{number}/signatures", json=body)


def test_a_longer_period_is_agreed_by_both_and_the_old_snapshot_stays(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        content = (await service.call("iom_focal_point", "GET", f"/proposals/{ref}")).json()["content"]
        content = {**content, "period": {**content["period"], "end": "2029-06-30"}}
        made = await propose(service, ref, content=content)
        assert made.status_code == 201, made.text
        assert [one["pointer"] for one in made.json()["changes"]] == ["/period/end"]
        assert made.json()["screening"]["outcome"] == "eligible"
        second = await propose(service, ref, content=content)
        assert (second.status_code, second.json()["code"]) == (409, "amendment_open")
        wrong = await sign(service, "mfa_head", ref, 1, sha256="0" * 64)
        assert (wrong.status_code, wrong.json()["code"]) == (409, "text_changed")
        assert (await sign(service, "mfa_head", ref, 1, sha256=made.json()["sha256"])).status_code == 201
        again = await sign(service, "mfa_head", ref, 1)
        assert again.json()["code"] == "signed_already"
        before = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}")).json()
        assert before["content"]["period"]["end"] != "2029-06-30"
        done = await sign(service, "iom_focal_point", ref, 1)
        assert (done.json()["state"], done.json()["snapshot"]) == ("signed", 2), done.text
        after = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}")).json()
        assert (after["state"], after["snapshot"], after["content"]["period"]["end"]) == ("agreed", 2, "2029-06-30")
        assert [one["year"] for one in (await service.call("iom_office", "GET", f"/proposals/{ref}/reports")).json()["items"]] == [
            2027, 2028, 2029
        ]  # fmt: skip
        old = (await service.call("auditor", "GET", f"/proposals/{ref}/snapshots/1")).json()
        assert old["content"]["period"]["end"] == "2028-12-31"
        history = (await service.call("iom_office", "GET", f"/proposals/{ref}/history")).json()["items"]
        assert (history[-1]["event"], history[-1]["reason"]) == ("amend", "It turned out so.")
        agreement = (await service.call("mfa_head", "GET", f"/proposals/{ref}/agreement")).json()
        assert agreement["text"]["period"]["end"] == "2029-06-30"

    run(scenario)


def test_amounts_move_between_years_within_the_envelopes_and_never_grow(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        cycle = {"year": 2028, "amount": 3_000_000, "reason": "It goes on."}
        assert (await service.call("admin", "POST", "/cycles", json=cycle)).status_code == 201
        line = {"category": "staff", "activity_ref": None}
        for amounts, code in (
            ({"2027": APPROVED + 1}, "over_agreed"),
            ({"2027": APPROVED - 1}, "over_approved"),  # the budget as it stands no longer fits
        ):
            answer = await propose(service, ref, amounts=amounts)
            assert answer.json()["errors"][0]["code"] == code, answer.text
        assert (await propose(service, ref)).status_code == 422
        number = await scheduled(service, ref, 10_000_000)
        moved = {"2027": APPROVED - 4_000_000, "2028": 4_000_000}
        lines = [{"year": int(year), "amount": amount, **line} for year, amount in moved.items()]
        below = await propose(service, ref, amounts=moved, budget=lines)
        assert below.json()["errors"][0]["code"] == "below_tranches"
        assert (await step(service, "mfa_finance", number, "cancel", reason="Smaller.")).status_code == 200
        assert (await propose(service, ref, amounts=moved, budget=lines)).status_code == 201
        assert (await sign(service, "mfa_head", ref, 1)).status_code == 201
        over = await sign(service, "iom_focal_point", ref, 1)
        assert (over.status_code, over.json()["code"]) == (409, "envelope_exceeded"), over.text
        assert (await service.call("mfa_head", "GET", f"/proposals/{ref}")).json()["snapshot"] == 1
        more = {"amount": 5_000_000, "status": "planned", "reason": "More."}
        put = await service.call("mfa_finance", "PUT", "/envelopes/2028", json=more, headers={"If-Match": "*"})
        assert put.status_code == 200
        assert (await sign(service, "iom_focal_point", ref, 1)).json()["state"] == "signed"
        for year, amount in moved.items():
            one = (await service.call("auditor", "GET", f"/envelopes/{year}")).json()
            assert (one["approved"], one["agreed"], one["available"]) == (amount, amount, one["amount"] - amount)

    run(scenario)


def test_who_may_propose_sign_and_withdraw(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        for role, status in (("iom_office", 403), ("mfa_finance", 403), ("auditor", 403), ("mfa_reviewer", 201)):
            answer = await propose(service, ref, role, amounts={"2027": APPROVED})
            assert answer.status_code == status, (role, answer.text)
        assert (await sign(service, "mfa_reviewer", ref, 1)).status_code == 403
        assert (await sign(service, "mfa_head", ref, 9)).status_code == 404
        path = f"/proposals/{ref}/amendments/1/withdraw"
        assert (await service.call("mfa_head", "POST", path)).json()["state"] == "withdrawn"
        late = await sign(service, "mfa_head", ref, 1)
        assert (late.status_code, late.json()["code"]) == (409, "wrong_state")
        asked = await service.call("mfa_head", "POST", f"/proposals/{ref}/moves", json={"move": "amend"})
        assert (asked.status_code, asked.json()["code"]) == (409, "made_elsewhere")

    run(scenario)
