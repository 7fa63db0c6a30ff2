"""What testers and reviewers found in the second half of the corridor, so that it stays found."""

from typing import Any

from sqlalchemy import create_engine, text

from app.services import users
from tests.conftest import Service
from tests.web.test_consultations import APPROVE, PLAN, decide, opened, recommended
from tests.web.test_papers import PDF, told
from tests.web.test_proposals import STRONG, shifted
from tests.web.test_review import GOOD, MEMO, assess

NOW = {**PLAN, "date": "2026-11-23", "reason": "A test."}
DEFER = {"decision": "defer", "reason": "Later.", "to_cycle": 2028}


def test_a_paper_comes_out_whatever_was_written(run: Any) -> None:
    strange = "Addis አዲስ አበባ, Tifinagh ⴰⵎ, 漢字, \U0001f600, Word \uf0b7, عربي"

    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref], {**NOW, "participants": [strange]})
        await decide(service, path, ref, {"decision": "reject", "reason": strange})
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        for place in (f"{path}/minutes", f"/proposals/{ref}/decision-letter"):
            made = await service.call("mfa_head", "GET", place, headers=PDF)
            assert made.status_code == 200, place
            assert "[U+12A0]" in told(made.content)

    run(scenario)


def test_a_deferred_proposal_keeps_its_cycle_through_a_return(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref], NOW)
        await decide(service, path, ref, DEFER)
        await service.call("mfa_head", "POST", f"{path}/conclude")
        await service.call("admin", "POST", "/cycles", json={"year": 2028, "amount": 50_000_000, "reason": "On."})
        moves = f"/proposals/{ref}/moves"
        back = {"move": "return", "reason": "Move the budget.", "deadline": "2026-12-20"}
        assert (await service.call("mfa_reviewer", "POST", moves, json=back)).status_code == 200
        content = shifted(STRONG)
        content["budget"] = [{**line, "year": 2028} for line in content["budget"]]
        put = await service.call(
            "iom_office", "PUT", f"/proposals/{ref}/content", json=content, headers={"If-Match": "*"}
        )
        assert put.status_code == 200
        for role, move in (("iom_focal_point", "submit"), ("mfa_reviewer", "start_review")):
            assert (await service.call(role, "POST", moves, json={"move": move})).status_code == 200
        for role in ("mfa_reviewer", "mfa_reviewer_2"):
            await assess(service, role, ref, GOOD)
        assert (await service.call("mfa_reviewer", "POST", moves, json=MEMO)).status_code == 200
        old = (await service.call("mfa_head", "GET", path)).json()["agenda"][0]
        assert old["requested"] == {"2027": sum(line["amount"] for line in content["budget"])}, "as it was decided on"
        path = await opened(service, [ref], {**NOW, "cycle": 2028})
        await decide(service, path, ref, {"decision": "approve", "amounts": {"2028": 1_000_000}})
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        later = (await service.call("mfa_head", "GET", "/cycles/2028/coverage")).json()
        assert ref in [one["ref"] for one in later["proposals"]]
        first = (await service.call("mfa_head", "GET", "/cycles/2027/coverage")).json()
        assert ref not in [one["ref"] for one in first["proposals"]]

    run(scenario)


def test_a_conflict_bars_from_taking_a_decision_back_and_what_was_recorded_with_it(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref], NOW)
        await decide(service, path, ref, APPROVE)
        said = {"reason": "A cousin."}
        assert (await service.call("mfa_head", "POST", f"/proposals/{ref}/conflicts", json=said)).status_code == 201
        gone = await service.call("mfa_head", "DELETE", f"{path}/decisions/{ref}")
        assert (gone.status_code, gone.json()["code"]) == (409, "conflict_of_interest")
        new = {"name": "Second Head", "email": "second@demo.example", "role": "mfa_head"}
        person = (await service.call("admin", "POST", "/users", json=new)).json()
        made = await service.call("admin", "POST", "/tokens", json={"label": "x", "person": person["id"]})
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        other = await service.client.post(f"/api/v1{path}/conclude", headers=headers)
        assert [one["code"] for one in other.json()["refusals"]] == ["conflict_of_interest"]
        headers["If-Match"] = "*"
        again = await service.client.put(f"/api/v1{path}/decisions/{ref}", headers=headers, json=APPROVE)
        assert again.status_code == 200
        assert (await service.client.post(f"/api/v1{path}/conclude", headers=headers)).status_code == 200

    run(scenario)


def test_a_recorded_decision_falls_off_the_agenda_only_by_the_heads_hand(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref], NOW)
        await decide(service, path, ref, APPROVE)
        bare = {"json": {"proposals": []}, "headers": {"If-Match": "*"}}
        refused = await service.call("mfa_reviewer", "PUT", f"{path}/agenda", **bare)
        assert (refused.status_code, refused.json()["code"]) == (409, "decision_recorded")
        assert (await service.call("mfa_head", "PUT", f"{path}/agenda", **bare)).status_code == 200
        log = (await service.call("auditor", "GET", "/audit?event=decision.remove")).json()["items"]
        assert log[0]["facts"] == {"proposal": ref}

    run(scenario)


def test_the_log_names_what_was_recorded_by_its_hash_only(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref], {**NOW, "place": "House of A. Person"})
        for decision in (APPROVE, DEFER, {**DEFER, "to_cycle": 2029}):
            assert (await decide(service, path, ref, decision)).status_code == 200
        log = (await service.call("admin", "GET", "/audit?event=decision.record&limit=3")).json()["items"]
        third, second, first = log
        assert (first["before"], second["before"], third["before"]) == (None, first["after"], second["after"])
        assert third["after"] != second["after"]
        everything = (await service.call("admin", "GET", "/audit?limit=200")).text
        assert "defer" not in str([one["facts"] for one in log])
        assert "A. Person" not in everything

    run(scenario)


def test_what_bars_a_reader_is_not_shown_as_barring_the_head(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref])
        await decide(service, path, ref, APPROVE)
        shown = (await service.call("mfa_reviewer", "GET", path)).json()
        assert shown["agenda"][0]["refusals"] == []
        assert [one["code"] for one in shown["refusals"]] == ["too_early"]

    run(scenario)


def test_a_memo_of_what_is_approved_does_not_count_it_twice(run: Any) -> None:
    async def scenario(service: Service) -> None:
        said = (await service.call("mfa_head", "GET", "/proposals/DK-IOM-2026-001/decision-memo")).json()
        assert said["envelopes"][0]["left"] == 50_000_000 - 11_780_000 - 23_126_000

    run(scenario)


def test_what_others_found_is_not_told_before_ones_own_assessment(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        await service.call(
            "mfa_reviewer",
            "POST",
            f"/proposals/{ref}/moves",
            json={"move": "return", "reason": "x", "deadline": "2026-12-20"},
        )
        for role, move in (("iom_focal_point", "submit"), ("mfa_reviewer", "start_review")):
            await service.call(role, "POST", f"/proposals/{ref}/moves", json={"move": move})
        await assess(service, "mfa_reviewer", ref, {**GOOD, "grades": dict.fromkeys("abcdefgh", 4)})
        said = (await service.call("mfa_reviewer_2", "GET", "/cycles/2027/coverage")).json()
        assert next(one for one in said["proposals"] if one["ref"] == ref)["assessed"] is None

    run(scenario)


def test_a_version_goes_before_a_body_and_bodies_are_read_whole(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await recommended(service)
        path = await opened(service, [ref], NOW)
        stale, bad = {"If-Match": '"999"'}, {"x": 1}
        for role, method, place in (
            ("mfa_finance", "PUT", "/envelopes/2027"),
            ("mfa_head", "PUT", f"{path}/agenda"),
            ("mfa_head", "PUT", f"{path}/decisions/{ref}"),
            ("mfa_head", "PATCH", path),
            ("mfa_head", "POST", f"{path}/conclude"),
        ):
            answer = await service.call(role, method, place, json=bad, headers=stale)
            assert answer.status_code == 412, (place, answer.text)
        away = await service.call("mfa_head", "PUT", f"{path}/decisions/DK-IOM-2027-999", json=bad)
        assert away.status_code == 404
        two = {"decision": "approve", "amounts": {"2027": 1, " 2027": 5}}
        assert (await service.call("mfa_head", "PUT", f"{path}/decisions/{ref}", json=two)).status_code == 422

        async def parts() -> Any:
            yield b'{"surprise": 1}'

        headers = {"Content-Type": "application/json"}
        chunked = await service.call("mfa_head", "POST", f"{path}/conclude", content=parts(), headers=headers)
        assert chunked.status_code == 422
        key = {"Idempotency-Key": "open"}
        second = f"/consultations/{(await service.call('mfa_head', 'POST', '/consultations', json=NOW)).json()['id']}"
        assert (await service.call("mfa_head", "POST", f"{second}/open", headers=key)).status_code == 200
        assert (await service.call("mfa_head", "POST", f"{second}/open", headers=key, json=bad)).status_code == 422

    run(scenario)


def test_a_meetings_notes_live_on_when_what_it_discussed_is_terminated(run: Any, database_url: str) -> None:
    ref = "DK-IOM-2026-001"

    async def scenario(service: Service) -> None:
        engine = create_engine(database_url)
        with engine.begin() as tx:
            tx.execute(text("UPDATE proposal SET state = 'agreed' WHERE ref = :ref"), {"ref": ref})
        engine.dispose()
        meeting = {
            "cycle": 2026,
            "date": "2026-09-15",
            "place": "Tunis",
            "participants": ["Demo Embassy"],
            "proposals": [ref],
            "notes": "Two posts lack power.",
            "follow_ups": [{"what": "Panels", "owner": "Demo Office Niamey", "due_on": "2026-12-01"}],
        }
        early = await service.call(
            "mfa_reviewer", "POST", "/technical-meetings", json={**meeting, "proposals": ["DK-IOM-2026-003"]}
        )
        assert early.json()["errors"][0]["code"] == "wrong_state"
        made = await service.call("mfa_reviewer", "POST", "/technical-meetings", json=meeting)
        assert made.status_code == 201, made.text
        path = f"/technical-meetings/{made.json()['id']}"
        assert (await service.call("embassy", "GET", path)).json()["proposals"] == [ref]
        assert (await service.call("iom_office", "GET", path)).status_code == 404
        assert (await service.call("iom_office", "GET", "/technical-meetings")).json()["items"] == []
        ended = await service.call(
            "mfa_head", "POST", f"/proposals/{ref}/moves", json={"move": "terminate", "reason": "The partner left."}
        )
        assert ended.json()["state"] == "cancelled", ended.text
        money = (await service.call("mfa_head", "GET", "/envelopes/2026")).json()
        assert (money["approved"], money["freed"]) == (11_780_000, 20_000_000)
        done = {**meeting, "follow_ups": [{**meeting["follow_ups"][0], "done": True}]}
        blind = await service.call("mfa_reviewer", "PUT", path, json=done)
        assert blind.status_code == 428
        put = await service.call("mfa_reviewer", "PUT", path, json=done, headers={"If-Match": made.headers["ETag"]})
        assert put.status_code == 200, put.text

    run(scenario)


def test_an_erased_person_leaves_participants_and_follow_ups(run: Any) -> None:
    async def scenario(service: Service) -> None:
        people = (await service.call("admin", "GET", "/users?limit=200")).json()["items"]
        mission = next(one for one in people if one["role"] == "mission")
        before = (await service.call("mfa_head", "GET", "/consultations/1")).json()["participants"]
        assert mission["name"] in before
        await service.house.database.write(lambda tx: users.erase(tx, None, mission["id"], service.house.now()))
        after = (await service.call("mfa_head", "GET", "/consultations/1")).json()["participants"]
        assert mission["name"] not in after
        assert len(after) == len(before)
        assert (await service.call("auditor", "GET", "/audit/verify")).json()["sound"]

    run(scenario)
