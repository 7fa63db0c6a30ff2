"""What a hostile tester found of money and texts after the decision; each was once possible."""

from typing import Any

from tests.conftest import Service
from tests.web.test_giving_account import ANSWER, delivered
from tests.web.test_payments import APPROVED, codes, scheduled, step
from tests.web.test_reports import agreed, report


async def paid(service: Service, number: int) -> Any:
    assert (await step(service, "mfa_finance", number, "prepare")).status_code == 200
    assert (await step(service, "mfa_finance_2", number, "release")).status_code == 200
    return await step(service, "iom_focal_point", number, "receive")


async def amended(service: Service, ref: str, number: int, sign_it: bool = True, **body: Any) -> Any:
    said = {"reason": "A change.", **body}
    made = await service.call("iom_focal_point", "POST", f"/proposals/{ref}/amendments", json=said)
    for role in ("iom_focal_point", "mfa_head") if sign_it and made.status_code == 201 else ():
        path = f"/proposals/{ref}/amendments/{number}/signatures"
        assert (await service.call(role, "POST", path, json={})).status_code == 201
    return made


async def state_of(service: Service, ref: str) -> str:
    return str((await service.call("mfa_head", "GET", f"/proposals/{ref}")).json()["state"])


def test_a_rest_can_still_be_paid_when_disbursed_and_is_free_again_at_the_close(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        first, second = [await scheduled(service, ref, amount) for amount in (5_000_000, 7_000_000)]
        assert (await paid(service, first)).status_code == 200
        assert await state_of(service, ref) == "agreed"
        gone = await step(service, "mfa_finance", second, "cancel", reason="In two tranches.")
        assert (gone.status_code, await state_of(service, ref)) == (200, "disbursed")
        third = await scheduled(service, ref, 1_000_000)
        final = {**await report(service, ref), "final": True, "unspent": {"amount": 0, "plan": "returned"}}
        path = f"/proposals/{ref}/reports/2028"
        for role, method, more in (
            ("iom_office", "PUT", {"path": path, "json": final}),
            ("iom_office", "POST", {"path": f"{path}/submit"}),
            ("mfa_reviewer", "POST", {"path": f"{path}/accept"}),
        ):
            assert (await service.call(role, method, **more)).status_code == 200
        close = {"move": "close"}
        early = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=close)
        assert codes(early) == {"payment_open"}
        assert (await paid(service, third)).status_code == 200
        assert (await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=close)).status_code == 200
        one = (await service.call("auditor", "GET", "/envelopes/2027")).json()
        assert (one["approved"], one["agreed"], one["paid"], one["freed"]) == (6_000_000,) * 3 + (APPROVED - 6_000_000,)

    run(scenario)


def test_a_receipt_lies_between_release_and_today(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        number = await scheduled(service, ref, APPROVED)
        await step(service, "mfa_finance", number, "prepare")
        await step(service, "mfa_finance_2", number, "release")
        for day in ("2026-11-22", "2026-11-24"):
            wrong = await step(service, "iom_focal_point", number, "receive", received_on=day)
            assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/received_on"), wrong.text
        assert (await step(service, "iom_focal_point", number, "receive", received_on="2026-11-23")).status_code == 200

    run(scenario)


def test_an_amendment_is_signed_with_all_its_content_and_charges_years_there_are(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        content = (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["content"]
        texts = []
        for i, target in enumerate((5, 999_999), 1):
            indicators = [{**content["indicators"][0], "target": target}, *content["indicators"][1:]]
            made = await amended(service, ref, i, sign_it=False, content={**content, "indicators": indicators})
            texts.append(made.json()["sha256"])
            back = f"/proposals/{ref}/amendments/{i}/withdraw"
            assert (await service.call("iom_focal_point", "POST", back, json={})).status_code == 200
        assert texts[0] != texts[1]
        for year in ("2024", "2035"):
            wrong = await amended(service, ref, 3, sign_it=False, amounts={year: APPROVED})
            found = {(one["pointer"], one["code"]) for one in wrong.json()["errors"]}
            assert (f"/amounts/{year}", "year_out_of_range") in found, wrong.text

    run(scenario)


def test_an_amendment_takes_the_public_extract_down_and_going_back_does_not_put_it_up(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        for role in ("iom_focal_point", "mfa_head"):
            assert (await service.call(role, "POST", f"/proposals/{ref}/extract/releases")).status_code == 201
        content = (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["content"]
        named = {**content["indicators"][0], "code": "custom:Call Jens Hansen"}
        for number, indicators in ((1, [named]), (2, content["indicators"])):
            assert (await service.call(None, "GET", f"/extracts/{ref}")).status_code == (200 if number == 1 else 404)
            made = await amended(service, ref, number, content={**content, "indicators": indicators})
            assert made.status_code == 201, made.text
        assert (await service.call(None, "GET", f"/extracts/{ref}")).status_code == 404
        barred = await service.call("mfa_head", "POST", f"/proposals/{ref}/conflicts", json={"reason": "A cousin."})
        assert barred.status_code == 201
        refused = await service.call("mfa_head", "POST", f"/proposals/{ref}/extract/releases")
        assert codes(refused) == {"conflict_of_interest"}

    run(scenario)


def test_what_the_head_has_answered_stays_what_it_was_asked(run: Any) -> None:
    async def scenario(service: Service) -> None:
        made = await service.call("mfa_head", "POST", "/evaluations", json=delivered(ANSWER))
        path = made.headers["Location"].removeprefix("/api/v1")
        other = delivered(ANSWER)
        other["recommendations"] = [{"text": "Stop.", "response": ANSWER}]
        moved = delivered(ANSWER)
        moved["recommendations"] = [{"text": "New."}, *moved["recommendations"]]
        for said in (other, moved):
            taken = await service.call("mfa_reviewer", "PUT", path, json=said, headers={"If-Match": "*"})
            assert (taken.status_code, taken.json()["code"]) == (403, "response_is_the_heads")

    run(scenario)


def test_what_was_paid_is_accounted_for_also_after_a_termination(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        number = await scheduled(service, ref, 5_000_000)
        await scheduled(service, ref, 7_000_000)
        assert (await paid(service, number)).status_code == 200
        end = {"move": "terminate", "reason": "The partner left."}
        assert (await service.call("mfa_head", "POST", f"/proposals/{ref}/moves", json=end)).status_code == 200
        path = f"/proposals/{ref}/reports/2027"
        twice = await report(service, ref)
        twice["spending"] = [*twice["spending"], twice["spending"][0]]
        assert (await service.call("iom_office", "PUT", path, json=twice)).status_code == 200
        refused = await service.call("iom_office", "POST", f"{path}/submit")
        assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
            ("/spending/2/category", "duplicate")
        ]
        whole = await report(service, ref)
        assert (await service.call("iom_office", "PUT", path, json=whole, headers={"If-Match": "*"})).status_code == 200
        assert (await service.call("iom_office", "POST", f"{path}/submit")).status_code == 200

    run(scenario)
