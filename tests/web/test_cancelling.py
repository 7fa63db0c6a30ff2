"""After planning and after concluding: consultations and meetings called off, words of decisions put right."""

import csv
import json
from io import StringIO
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.conftest import Service
from tests.notify.test_notices import NOW, last, owed
from tests.web.test_casefile import unpacked
from tests.web.test_consultations import APPROVE, decide, opened, recommended
from tests.web.test_papers import PDF, told

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the database makes no difference
OFF = {"reason": "The finance act is not passed."}


async def acts_of(service: Service, ref: str) -> list[dict[str, Any]]:
    answer = await service.call("auditor", "GET", f"/proposals/{ref}/casefile")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = json.loads(unpacked(answer.content)["index.json"])["acts"]
    return found


def sent(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as tx:
        tx.execute(text("UPDATE message SET state = 'sent', attempts = 1 WHERE state = 'waiting'"))
    engine.dispose()


def test_a_cancelled_consultation_stays_decides_nothing_and_lets_its_proposals_go(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        ref, before = await recommended(service), last(database_url)
        path = await opened(service, [ref], NOW)
        sent(database_url)
        assert (await decide(service, path, ref, APPROVE)).status_code == 200
        for role, body, status, code in (
            ("mfa_reviewer", OFF, 403, "role_not_allowed"),
            ("mfa_head", {}, 422, "validation_failed"),
            ("mfa_head", OFF, 409, "decision_recorded"),
        ):
            refused = await service.call(role, "POST", f"{path}/cancel", json=body)
            assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
        read = await service.call("mfa_head", "GET", path)
        headers = {"If-Match": read.headers["ETag"]}
        assert (await service.call("mfa_head", "DELETE", f"{path}/decisions/{ref}", headers=headers)).status_code == 200
        stale = await service.call("mfa_head", "POST", f"{path}/cancel", json=OFF, headers=headers)
        assert stale.status_code == 412
        done = await service.call("mfa_head", "POST", f"{path}/cancel", json=OFF)
        said = done.json()
        assert (said["state"], said["cancelled_because"], said["undecided"]) == ("cancelled", OFF["reason"], [])
        any_version = {"If-Match": "*"}
        for method, place, body in (
            ("PATCH", "", {"place": "Copenhagen"}),
            ("PUT", "/agenda", {"proposals": []}),
            ("POST", "/open", None),
            ("PUT", f"/decisions/{ref}", APPROVE),
            ("DELETE", f"/decisions/{ref}", None),
            ("POST", "/conclude", None),
            ("POST", "/cancel", OFF),
            ("POST", "/corrections", {"ref": ref, "text": "So.", "reason": "So."}),
        ):
            more = {"json": body} if body is not None else {}
            refused = await service.call("mfa_head", method, path + place, headers=any_version, **more)
            assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state"), place
            assert "cancelled" in refused.json()["detail"], refused.text
        assert (await service.call("auditor", "GET", f"{path}/minutes")).status_code == 404
        for role in ("iom_focal_point", "embassy"):
            seen = (await service.call(role, "GET", path)).json()
            assert (seen["state"], seen["cancelled_because"]) == ("cancelled", OFF["reason"])
            assert [one["ref"] for one in seen["agenda"]] == [ref]
        listed = await service.call("mission", "GET", "/consultations?state=cancelled", headers={"Accept": "text/csv"})
        rows = list(csv.DictReader(StringIO(listed.text.removeprefix("\ufeff"))))
        assert [(row["state"], row["cancelled_because"]) for row in rows] == [("cancelled", OFF["reason"])]
        assert (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["state"] == "recommended"
        cancelled = [one for one in owed(database_url, before) if one[0] == "consultation.cancelled"]
        invited = [one for one in owed(database_url, before) if one[0] == "consultation.planned"]
        assert sorted(one[3:] for one in cancelled) == sorted(one[3:] for one in invited)
        path = await opened(service, [ref], NOW)
        assert (await decide(service, path, ref, APPROVE)).status_code == 200
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).json()["state"] == "concluded"
        late = await service.call("mfa_head", "POST", f"{path}/cancel", json=OFF)
        assert (late.status_code, late.json()["code"]) == (409, "wrong_state")
        acts = await acts_of(service, ref)
        assert [one["kind"] for one in acts if one["kind"] in ("cancelled", "minutes")] == ["cancelled", "minutes"]
        assert (await service.call("auditor", "GET", "/audit/verify")).json()["sound"]

    run(scenario)


@ON_SQLITE
def test_a_technical_meeting_is_cancelled_by_who_may_move_it(run: Any) -> None:
    async def scenario(service: Service) -> None:
        new = {"cycle": 2026, "date": "2026-11-23", "place": "Tunis"}
        made = await service.call("mfa_reviewer", "POST", "/technical-meetings", json=new)
        path = f"/technical-meetings/{made.json()['id']}"
        for role, headers, status in (
            ("iom_focal_point", {}, 403),
            ("mfa_head", {"If-Match": '"7"'}, 412),
            ("mfa_reviewer", {}, 200),
            ("mfa_reviewer", {}, 409),
        ):
            answer = await service.call(role, "POST", f"{path}/cancel", json=OFF, headers=headers)
            assert answer.status_code == status, answer.text
        seen = (await service.call("embassy", "GET", path)).json()
        assert (seen["cancelled_because"], seen["version"]) == (OFF["reason"], 2)
        assert seen["cancelled_at"]
        held = await service.call("mfa_reviewer", "POST", "/technical-meetings", json={**new, "date": "2026-09-15"})
        late = await service.call("mfa_head", "POST", f"/technical-meetings/{held.json()['id']}/cancel", json=OFF)
        assert (late.status_code, late.json()["code"]) == (409, "already_held")

    run(scenario)


@ON_SQLITE
def test_a_correction_stands_beside_what_was_decided_and_changes_nothing_of_it(run: Any, database_url: str) -> None:
    slip = {"text": "The condition reads: report three times.", "reason": "A slip of the pen."}

    async def scenario(service: Service) -> None:
        ref, other = await recommended(service), await recommended(service)
        path = await opened(service, [ref, other], NOW)
        early = await service.call("mfa_head", "POST", f"{path}/corrections", json={"ref": ref, **slip})
        assert (early.status_code, early.json()["code"]) == (409, "wrong_state")
        assert (await decide(service, path, ref, APPROVE)).status_code == 200
        assert (await decide(service, path, other, {"decision": "reject", "reason": "No."})).status_code == 200
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        before = (await service.call("iom_office", "GET", f"/proposals/{ref}/decision-letter")).json()
        money, after = (await service.call("auditor", "GET", "/envelopes/2027")).json(), last(database_url)
        for role, body, status in (
            ("mfa_reviewer", {"ref": ref, **slip}, 403),
            ("mfa_head", {"ref": "DK-IOM-2023-001", **slip}, 422),
            ("mfa_head", {"ref": ref, "text": "", "reason": ""}, 422),
            ("mfa_head", {"ref": ref, **slip}, 201),
        ):
            answer = await service.call(role, "POST", f"{path}/corrections", json=body)
            assert answer.status_code == status, answer.text
        for role in ("iom_office", "embassy", "mission", "auditor"):
            for place, among in (
                (path, "agenda"),
                (f"{path}/minutes", "decisions"),
            ):
                items = {one["ref"]: one for one in (await service.call(role, "GET", place)).json()[among]}
                said = [{key: one[key] for key in slip} for one in items[ref]["corrections"]]
                assert (said, items[other]["corrections"]) == ([slip], [])
            letter = (await service.call(role, "GET", f"/proposals/{ref}/decision-letter")).json()
            assert letter["corrections"].pop()["by"]["role"] == "mfa_head"
            assert letter == before, "the decision is word for word what it was"
        for place, language, mark in (
            (f"{path}/minutes", "en", "Correction of 23 November 2026"),
            (f"/proposals/{ref}/decision-letter", "da", "Rettelse af 23. november 2026"),
        ):
            paper = await service.call("iom_office", "GET", f"{place}?language={language}", headers=PDF)
            assert f"{mark} {slip['text']}" in told(paper.content)
            assert "Report twice." in told(paper.content)
        assert (await service.call("auditor", "GET", "/envelopes/2027")).json() == money
        assert {one[0] for one in owed(database_url, after)} == {"proposal.corrected"}
        assert {(one[3], one[4]) for one in owed(database_url, after)} == {
            *(("iom_focal_point", None), ("iom_office", "IOM-NE"), ("mission", "MIS-GENEVA")),
            ("embassy", "EMB-TUNIS"),
        }
        acts = await acts_of(service, ref)
        assert [one["by"]["role"] for one in acts if one["kind"] == "correction"] == ["mfa_head"]
        conflict = {"reason": "A cousin."}
        assert (await service.call("mfa_head", "POST", f"/proposals/{ref}/conflicts", json=conflict)).status_code == 201
        barred = await service.call("mfa_head", "POST", f"{path}/corrections", json={"ref": ref, **slip})
        assert (barred.status_code, barred.json()["code"]) == (409, "conflict_of_interest")

    run(scenario)
