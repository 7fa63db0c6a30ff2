"""Annual reports: written by IOM, submitted whole, returned or accepted; overdue they stop the money, final they let it close."""

from datetime import date
from typing import Any

from sqlalchemy import create_engine, text

from tests.conftest import Service
from tests.web.test_payments import APPROVED, approved, codes, scheduled, sign, step

REPORT: dict[str, Any] = {
    "progress": {letter: f"Criterion {letter} went as planned." for letter in "abcdefgh"},
    "spending": [{"category": "staff", "amount": 4_000_000}, {"category": "operations", "amount": 1_000_000}],
    "lessons": "Power first, then computers.",
    "risks": [{"category": "contextual", "description": "Posts closed for a week.", "response": "Mobile desks."}],
}


async def report(service: Service, ref: str) -> dict[str, Any]:
    content = (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["content"]
    values = [{"code": one["code"], "value": 3, "disaggregated": {"women": 2}} for one in content["indicators"]]
    return {**REPORT, "indicators": values}


async def agreed(service: Service) -> str:
    ref = await approved(service)
    for role in ("iom_focal_point", "mfa_head"):
        assert (await sign(service, role, ref)).status_code == 201
    return ref


def test_from_signatures_to_closed(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        number = await scheduled(service, ref, APPROVED)
        listed = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/reports")).json()["items"]
        assert [(one["year"], one["due_on"], one["overdue"]) for one in listed] == [
            (2027, "2028-03-31", False), (2028, "2029-03-31", False)
        ]  # fmt: skip
        path = f"/proposals/{ref}/reports/2028"
        whole = await report(service, ref)
        for role, status in (("mfa_reviewer", 403), ("admin", 403), ("iom_office", 200)):
            assert (await service.call(role, "PUT", path, json={"lessons": "Few."})).status_code == status
        assert (await service.call("mfa_reviewer", "GET", path)).status_code == 404
        lacking = await service.call("iom_office", "POST", f"{path}/submit")
        pointers = {one["pointer"] for one in lacking.json()["errors"]}
        assert {"/progress/a", "/spending", "/indicators"} <= pointers
        assert (await service.call("iom_office", "PUT", path, json=whole)).status_code == 428
        wrong = {**whole, "indicators": [*whole["indicators"], {"code": "custom:x", "value": 1}]}
        put = await service.call("iom_office", "PUT", path, json=wrong, headers={"If-Match": "*"})
        assert put.status_code == 200
        refused = await service.call("iom_office", "POST", f"{path}/submit")
        assert {one["code"] for one in refused.json()["errors"]} == {"unknown_indicator"}
        final = {**whole, "final": True}
        await service.call("iom_office", "PUT", path, json=final, headers={"If-Match": "*"})
        unstated = await service.call("iom_office", "POST", f"{path}/submit")
        assert {one["pointer"] for one in unstated.json()["errors"]} == {"/unspent"}
        final["unspent"] = {"amount": 7_000_000, "plan": "returned"}
        await service.call("iom_office", "PUT", path, json=final, headers={"If-Match": "*"})
        done = await service.call("iom_office", "POST", f"{path}/submit")
        assert (done.status_code, done.json()["state"]) == (200, "submitted"), done.text
        assert (await service.call("iom_office", "POST", f"{path}/submit")).status_code == 409
        back = await service.call("mfa_reviewer", "POST", f"{path}/return", json={"reason": "Say what power costs."})
        assert (back.json()["state"], back.json()["comment"]) == ("returned", "Say what power costs.")
        longer = {**final, "lessons": "Power first: a tenth of the costs."}
        put = await service.call("iom_office", "PUT", path, json=longer, headers={"If-Match": "*"})
        assert {one["value"] for one in put.json()["indicators"]} == {3}
        assert put.json()["indicators"][0].keys() == {"code", "unit", "baseline", "target", "value"}
        assert put.json()["past"][0]["comment"] == "Say what power costs."
        seen = (await service.call("mfa_reviewer", "GET", path)).json()
        assert seen["report"]["lessons"] == "Power first, then computers.", "what was last submitted"
        assert (await service.call("iom_focal_point", "POST", f"{path}/submit")).status_code == 200
        close = {"move": "close"}
        early = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=close)
        assert codes(early) == {"wrong_state"}
        assert (await step(service, "mfa_finance", number, "prepare")).status_code == 200
        assert (await step(service, "mfa_finance_2", number, "release")).status_code == 200
        assert (await step(service, "iom_focal_point", number, "receive")).status_code == 200
        unready = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=close)
        assert codes(unready) == {"final_report_missing"}
        assert (await service.call("mfa_reviewer", "POST", f"{path}/accept")).json()["state"] == "accepted"
        closed = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=close)
        assert closed.json()["state"] == "closed", closed.text
        late = await service.call("iom_office", "PUT", path, json=final, headers={"If-Match": "*"})
        assert late.status_code == 409
        assert (await service.call("auditor", "GET", "/audit/verify")).json()["sound"]

    run(scenario)


def test_an_overdue_report_stops_the_next_release(run: Any, database_url: str) -> None:
    async def before(service: Service) -> None:
        ref = await agreed(service)
        await scheduled(service, ref, APPROVED)
        engine = create_engine(database_url)
        with engine.begin() as tx:  # tokens live a year
            tx.execute(text("UPDATE token SET expires_at = '2029-01-01 00:00:00.000000'"))
        engine.dispose()

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=agreed&cycle=2027")).json()["items"]
        ref = listed[0]["ref"]
        number = (await service.call("mfa_finance", "GET", f"/proposals/{ref}/payments")).json()["items"][0]["id"]
        assert (await step(service, "mfa_finance", number, "prepare")).status_code == 200
        assert codes(await step(service, "mfa_finance_2", number, "release")) == {"report_overdue"}
        late = (await service.call("mfa_head", "GET", f"/proposals/{ref}/reports")).json()["items"]
        assert [one["overdue"] for one in late] == [True, False]
        path = f"/proposals/{ref}/reports/2027"
        assert (await service.call("iom_office", "PUT", path, json=await report(service, ref))).status_code == 200
        assert (await service.call("iom_office", "POST", f"{path}/submit")).status_code == 200
        assert (await step(service, "mfa_finance_2", number, "release")).status_code == 200

    run(before)
    run(scenario, today=date(2028, 4, 1))


def test_years_that_are_not_reported_on_are_not_there(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        for year, status in ((2026, 404), (2029, 404), (1999, 422), (2027, 404)):
            assert (await service.call("iom_office", "GET", f"/proposals/{ref}/reports/{year}")).status_code == status
        unsigned = await approved(service)
        assert (await service.call("iom_office", "GET", f"/proposals/{unsigned}/reports")).json()["items"] == []
        assert (
            await service.call("iom_office", "PUT", f"/proposals/{unsigned}/reports/2027", json={})
        ).status_code == 404

    run(scenario)


def test_after_an_amendment_reports_are_on_what_is_agreed_then(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        content = (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["content"]
        more = {"code": "custom:wells", "baseline": 0, "target": 4, "unit": "wells", "means_of_verification": "Visits"}
        amended = {**content, "indicators": [*content["indicators"], more]}
        body = {"reason": "Wells, too.", "content": amended}
        made = await service.call("iom_focal_point", "POST", f"/proposals/{ref}/amendments", json=body)
        assert made.status_code == 201, made.text
        for role in ("iom_focal_point", "mfa_head"):
            signed = await service.call(role, "POST", f"/proposals/{ref}/amendments/1/signatures", json={})
            assert signed.status_code == 201, signed.text
        path = f"/proposals/{ref}/reports/2027"
        whole = await report(service, ref)
        assert (await service.call("iom_office", "PUT", path, json=whole)).json()["indicators"][-1]["code"] == more[
            "code"
        ]
        assert (await service.call("iom_office", "POST", f"{path}/submit")).status_code == 200

    run(scenario)
