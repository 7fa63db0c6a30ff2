"""The consultation through the API: planned, agenda, decisions recorded unseen, concluded whole or not at all."""

from datetime import date
from typing import Any

import httpx

from tests.conftest import Service
from tests.web.test_review import GOOD, MEMO, assess, under_review

DAY = date(2027, 2, 10)
PLAN = {"cycle": 2027, "date": "2027-02-10", "place": "Geneva", "participants": ["Head", {"name": "Director"}]}
APPROVE: dict[str, Any] = {"decision": "approve", "amounts": {"2027": 4_000_000}, "conditions": ["Report twice."]}


async def recommended(service: Service, verdict: str = "approve") -> str:
    ref = await under_review(service)
    for role in ("mfa_reviewer", "mfa_reviewer_2"):
        await assess(service, role, ref, GOOD)
    moved = await service.call(
        "mfa_reviewer", "POST", f"/proposals/{ref}/moves", json={**MEMO, "recommendation": verdict}
    )
    assert moved.status_code == 200, moved.text
    return ref


async def opened(service: Service, refs: list[str], plan: dict[str, Any] | None = None) -> str:
    made = await service.call("mfa_reviewer", "POST", "/consultations", json=plan or PLAN)
    assert made.status_code == 201, made.text
    path = f"/consultations/{made.json()['id']}"
    assert made.headers["Location"].endswith(path)
    agenda = await service.call("mfa_reviewer", "PUT", f"{path}/agenda", json={"proposals": refs})
    assert agenda.status_code == 200, agenda.text
    assert [one["ref"] for one in agenda.json()["agenda"]] == refs
    assert (await service.call("mfa_head", "POST", f"{path}/open")).json()["state"] == "open"
    return path


async def decide(service: Service, path: str, ref: str, decision: dict[str, Any]) -> httpx.Response:
    headers = {"If-Match": (await service.call("mfa_head", "GET", path)).headers["ETag"]}
    return await service.call("mfa_head", "PUT", f"{path}/decisions/{ref}", json=decision, headers=headers)


def test_what_is_decided_takes_effect_together(run: Any) -> None:
    async def before(service: Service) -> None:
        for verdict in ("approve", "reject", "defer"):
            await recommended(service, verdict)

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=recommended&cycle=2027")).json()["items"]
        one, two, three = sorted(item["ref"] for item in listed)[-3:]
        path = await opened(service, [three, one, two])
        envelope = (await service.call("mfa_head", "GET", "/envelopes/2027")).json()
        assert (await decide(service, path, one, APPROVE)).status_code == 200
        early = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert (early.status_code, early.json()["code"]) == (409, "conclusion_refused")
        assert [r["code"] for r in early.json()["refusals"]] == ["decision_missing", "decision_missing"]
        rejected = await decide(service, path, two, {"decision": "reject", "reason": "Not the right time."})
        assert rejected.json()["undecided"] == [three]
        shown = await decide(
            service, path, three, {"decision": "defer", "reason": "More partners first.", "to_cycle": 2028}
        )
        assert shown.json()["totals"][-1] | {"status": ""} == {
            "year": 2027,
            "amount": 50_000_000,
            "status": "",
            "approved_before": envelope["approved"],
            "decided": 4_000_000,
            "left": envelope["available"] - 4_000_000,
            "undecided_requests": 0,
        }
        done = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert (done.status_code, done.json()["state"]) == (200, "concluded"), done.text
        for ref, state in ((one, "approved"), (two, "rejected"), (three, "deferred")):
            read = (await service.call("iom_focal_point", "GET", f"/proposals/{ref}")).json()
            assert read["state"] == state
            assert read["decision"]["consultation"] == done.json()["id"]
        after = (await service.call("mfa_head", "GET", "/envelopes/2027")).json()
        assert after["approved"] - envelope["approved"] == 4_000_000
        assert envelope["available"] - after["available"] == 4_000_000
        again = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
        withdrawn = await service.call(
            "iom_focal_point", "POST", f"/proposals/{one}/moves", json={"move": "withdraw", "reason": "Lost the site."}
        )
        assert withdrawn.json()["state"] == "cancelled", withdrawn.text
        freed = (await service.call("mfa_head", "GET", "/envelopes/2027")).json()
        assert (freed["approved"], freed["freed"]) == (envelope["approved"], envelope["freed"] + 4_000_000)
        assert (await service.call("auditor", "GET", "/audit/verify")).json()["sound"]

    run(before)
    run(scenario, today=DAY)


def test_bad_decisions_are_refused_with_their_place(run: Any) -> None:
    async def before(service: Service) -> None:
        await recommended(service)

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=recommended&cycle=2027")).json()["items"]
        ref = listed[0]["ref"]
        path = await opened(service, [ref])
        place = f"{path}/decisions/{ref}"
        requested = (await service.call("mfa_head", "GET", path)).json()["agenda"][0]["requested"]["2027"]
        for bad, pointer in (
            ({"amounts": {"2027": requested + 1}}, "/amounts/2027"),
            ({"amounts": {"2026": 1}}, "/amounts/2026"),
            ({"amounts": {"2027": -1}}, "/amounts/2027"),
            ({"amounts": {"2027": 1.5}}, "/amounts/2027"),
            ({"amounts": {"next": 1}}, "/amounts/next"),
            ({"amounts": {}}, "/amounts"),
            ({"amounts": {"2027": 0}}, "/amounts"),
            ({"decision": "reject", "reason": "x"}, "/amounts"),
            ({"decision": "reject", "amounts": {}}, "/reason"),
            ({"decision": "defer", "amounts": {}, "reason": "x"}, "/to_cycle"),
            ({"decision": "defer", "amounts": {}, "reason": "x", "to_cycle": 2026}, "/to_cycle"),
            ({"decision": "maybe"}, "/decision"),
            ({"to_cycle": 2028}, "/to_cycle"),
            ({"surprise": 1}, "/surprise"),
        ):
            answer = await service.call("mfa_head", "PUT", place, json={**APPROVE, **bad})
            assert answer.status_code == 422, (bad, answer.text)
            assert pointer in [one["pointer"] for one in answer.json()["errors"]], (bad, answer.text)
        assert (await service.call("mfa_head", "PUT", place, json=APPROVE)).status_code == 200
        blind = await service.call("mfa_head", "PUT", place, json=APPROVE)
        assert (blind.status_code, blind.json()["code"]) == (428, "if_match_required")
        stale = await service.call("mfa_head", "PUT", place, json=APPROVE, headers={"If-Match": '"1"'})
        assert stale.status_code == 412
        other = "DK-IOM-2023-001"
        away = await service.call("mfa_head", "PUT", f"{path}/decisions/{other}", json=APPROVE)
        assert away.status_code in (409, 422), away.text
        for role in ("mfa_reviewer", "iom_focal_point", "admin"):
            assert (await service.call(role, "PUT", place, json=APPROVE)).status_code == 403
        gone = await service.call("mfa_head", "DELETE", place)
        assert gone.json()["undecided"] == [ref]
        assert (await service.call("mfa_head", "DELETE", place)).status_code == 404
        conflict = {"reason": "A cousin."}
        assert (await service.call("mfa_head", "POST", f"/proposals/{ref}/conflicts", json=conflict)).status_code == 201
        barred = await service.call("mfa_head", "PUT", place, json=APPROVE)
        assert (barred.status_code, barred.json()["code"]) == (409, "conflict_of_interest")

    run(before)
    run(scenario, today=DAY)


def test_agendas_hold_what_may_be_on_them(run: Any) -> None:
    async def before(service: Service) -> None:
        await recommended(service)
        await under_review(service)

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=recommended&cycle=2027")).json()["items"]
        ref = listed[0]["ref"]
        reviewed = (await service.call("mfa_head", "GET", "/proposals?state=under_review&cycle=2027")).json()["items"]
        path = await opened(service, [ref])
        second = f"/consultations/{(await service.call('mfa_head', 'POST', '/consultations', json=PLAN)).json()['id']}"
        for refs, code in (
            ([ref], "on_another_agenda"),
            ([reviewed[0]["ref"]], "wrong_state"),
            ([ref, ref], "validation_failed"),
            (["DK-IOM-2027-999"], "validation_failed"),
        ):
            answer = await service.call("mfa_head", "PUT", f"{second}/agenda", json={"proposals": refs})
            assert answer.json()["code"] == code, answer.text
        blind = await service.call("mfa_head", "PUT", f"{path}/agenda", json={"proposals": []})
        assert blind.status_code == 428
        assert (await service.call("mfa_head", "PUT", f"{path}/decisions/{ref}", json=APPROVE)).status_code == 200
        back = {"move": "return", "reason": "One thing more.", "deadline": "2027-03-01"}
        assert (await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json=back)).status_code == 200
        assert (await service.call("mfa_head", "GET", path)).json()["agenda"] == []
        empty = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert [one["code"] for one in empty.json()["refusals"]] == ["agenda_empty"]

    run(before)
    run(scenario, today=DAY)


def test_days_of_a_consultation(run: Any) -> None:
    async def scenario(service: Service) -> None:
        late = {**PLAN, "date": "2027-04-01"}
        refused = await service.call("mfa_reviewer", "POST", "/consultations", json=late)
        assert [one["pointer"] for one in refused.json()["errors"]] == ["/reason"]
        made = await service.call("mfa_reviewer", "POST", "/consultations", json={**late, "reason": "Strike."})
        assert made.status_code == 201
        wrong = await service.call("mfa_reviewer", "POST", "/consultations", json={**PLAN, "cycle": 2040})
        assert {one["pointer"] for one in wrong.json()["errors"]} == {"/cycle", "/reason"}
        ref = await recommended(service)
        path = await opened(service, [ref])
        assert (await decide(service, path, ref, APPROVE)).status_code == 200
        early = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert [one["code"] for one in early.json()["refusals"]] == ["too_early"]
        moved = await service.call("mfa_reviewer", "PATCH", path, json={"date": "2026-11-23"})
        assert [one["pointer"] for one in moved.json()["errors"]] == ["/reason"]
        moved = await service.call("mfa_reviewer", "PATCH", path, json={"date": "2026-11-23", "reason": "In time."})
        assert moved.json()["date"] == "2026-11-23"
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        after = await service.call("mfa_reviewer", "PATCH", path, json={"place": "Copenhagen"})
        assert (after.status_code, after.json()["code"]) == (409, "wrong_state")

    run(scenario)


def test_an_envelope_bears_no_more_than_it_holds(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref], {**PLAN, "date": "2026-11-23", "reason": "Now."})
        assert (await decide(service, path, ref, APPROVE)).status_code == 200
        read = await service.call("mfa_finance", "GET", "/envelopes/2027")
        change = {"amount": 3_999_999, "status": "planned", "reason": "Less was voted."}
        for headers, status in (({}, 428), ({"If-Match": '"99"'}, 412), ({"If-Match": read.headers["ETag"]}, 200)):
            answer = await service.call("mfa_finance", "PUT", "/envelopes/2027", json=change, headers=headers)
            assert answer.status_code == status, answer.text
        assert answer.json()["changes"][-1]["reason"] == "Less was voted."
        shown = (await service.call("mfa_head", "GET", path)).json()
        assert [one["code"] for one in shown["refusals"]] == ["envelope_exceeded"]
        refused = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert [one["code"] for one in refused.json()["refusals"]] == ["envelope_exceeded"]
        assert (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["state"] == "recommended"
        headers = {"If-Match": answer.headers["ETag"]}
        more = {**change, "amount": 4_000_000}
        assert (await service.call("admin", "PUT", "/envelopes/2027", json=more, headers=headers)).status_code == 200
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        below = await service.call("mfa_finance", "PUT", "/envelopes/2027", json=change, headers={"If-Match": "*"})
        assert (below.status_code, below.json()["code"]) == (409, "below_committed")
        nowhere = await service.call("mfa_finance", "PUT", "/envelopes/2031", json=change, headers={"If-Match": "*"})
        assert nowhere.status_code == 404

    run(scenario)


def test_a_deferred_proposal_comes_to_a_later_consultation(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        plan = {**PLAN, "date": "2026-11-23", "reason": "Now."}
        path = await opened(service, [ref], plan)
        assert (
            await decide(service, path, ref, {"decision": "defer", "reason": "Later.", "to_cycle": 2028})
        ).status_code == 200
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        cycle = {"year": 2028, "amount": 50_000_000, "reason": "It goes on."}
        assert (await service.call("admin", "POST", "/cycles", json=cycle)).status_code == 201
        again = await service.call("admin", "POST", "/cycles", json=cycle)
        assert (again.status_code, again.json()["code"]) == (409, "cycle_exists")
        path = await opened(service, [ref], {**plan, "cycle": 2028})
        assert (await decide(service, path, ref, APPROVE)).status_code == 200
        done = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert done.status_code == 200, done.text
        history = (await service.call("iom_office", "GET", f"/proposals/{ref}/history")).json()["items"]
        assert [step["to"] for step in history][-2:] == ["deferred", "approved"]

    run(scenario)
