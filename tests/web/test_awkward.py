"""What went wrong once, or would: late, twice, in between, with half a right, with rubbish."""

import base64
import json
from datetime import date
from itertools import product
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from app.db import open_database
from app.services import integrity
from app.services.rulebooks import open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK, Service
from tests.web.test_proposals import STRONG, made, shifted

WEAK = {**shifted(STRONG), "priority_areas": [1], "srf_outcomes": ["1a.1"]}


async def returned(service: Service) -> str:
    ref = str((await made(service, WEAK))["ref"])
    answer = await service.call("iom_focal_point", "POST", f"/proposals/{ref}/moves", json={"move": "submit"})
    assert answer.json()["state"] == "returned", answer.text
    return ref


def test_admitting_shows_iom_the_snapshot_and_not_what_was_edited_since(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await returned(service)
        path = f"/proposals/{ref}/content"
        edited = await service.call(
            "iom_office", "PUT", path, json={"title": "Half finished edit"}, headers={"If-Match": "*"}
        )
        assert edited.status_code == 200
        body = {"move": "admit", "reason": "The screening misread the priority area."}
        assert (await service.call("mfa_head", "POST", f"/proposals/{ref}/moves", json=body)).status_code == 200
        seen = (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()
        theirs = (await service.call("mfa_head", "GET", f"/proposals/{ref}")).json()
        assert (seen["state"], seen["snapshot"]) == ("submitted", 1)
        assert seen["content"] == theirs["content"]
        listed = (await service.call("iom_office", "GET", "/proposals?priority_area=1&limit=200")).json()["items"]
        assert ref in [one["ref"] for one in listed]

    run(scenario)


def test_a_return_by_screening_gets_the_later_of_the_moved_window_and_14_days(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await returned(service)
        before = (await service.call("iom_office", "GET", f"/proposals/{ref}")).headers["ETag"]
        for closes_on, deadline in (("2027-01-20", "2027-01-20"), ("2026-11-24", "2026-12-07")):
            patch = {"closes_on": closes_on, "reason": "Moved"}
            assert (await service.call("admin", "PATCH", "/cycles/2027", json=patch)).status_code == 200
            now = await service.call("iom_office", "GET", f"/proposals/{ref}", headers={"If-None-Match": before})
            assert (now.status_code, now.json()["deadline"]) == (200, deadline)

    run(scenario)


def test_a_late_move_with_a_key_is_answered_the_same_again(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        path, headers = f"/proposals/{ref}/moves", {"Idempotency-Key": "late"}
        patch = {"closes_on": "2026-11-22", "reason": "Closed early"}
        assert (await service.call("admin", "PATCH", "/cycles/2027", json=patch)).status_code == 200
        first = await service.call("iom_focal_point", "POST", path, json={"move": "submit"}, headers=headers)
        again = await service.call("iom_focal_point", "POST", path, json={"move": "submit"}, headers=headers)
        assert (first.status_code, first.json()["code"]) == (409, "window_closed")
        assert (again.status_code, again.json()) == (409, first.json())
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Content-Type"] == "application/problem+json"

    run(scenario)


FORGED = [
    ["total", 1e300, 1],
    ["total", 2**63, 1],
    ["total", True, True],
    ["updated_at", "0001-01-01T00:00:00+14:00", 1],
    ["updated_at", "9999-12-31T23:59:59-23:59", 5],
    ["updated_at", "2026-01-01T00:00:00Z", 2**70],
    "nothing",
]


def test_a_forged_cursor_is_refused(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for inside, sort in product(FORGED, ("total", "updated_at")):
            cursor = base64.urlsafe_b64encode(json.dumps(inside).encode()).decode()
            answer = await service.call("iom_focal_point", "GET", "/proposals", params={"sort": sort, "cursor": cursor})
            assert answer.status_code == 422, (inside, sort, answer.text)

    run(scenario)


def test_a_token_that_only_reads_moves_nothing(run: Any, database_url: str) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        engine = create_engine(database_url)
        with engine.begin() as tx:
            tx.execute(text("UPDATE token SET scopes = 'proposals:read'"))
        engine.dispose()
        body = {"move": "withdraw", "reason": "Not needed any more"}
        answer = await service.call("iom_focal_point", "POST", f"/proposals/{ref}/moves", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")

    run(scenario)


def test_one_bad_amount_does_not_hide_the_faults_between_fields(run: Any) -> None:
    async def scenario(service: Service) -> None:
        content = shifted(STRONG)
        first, second, *rest = content["activities"]
        activities = [{**first, "amount": -1}, {**second, "ref": first["ref"], "countries": ["DK"]}, *rest]
        content = {
            **content,
            "activities": activities,
            "tools": [{"name": "x", "activity_refs": ["no"], "handover_to": ""}],
        }
        body = {"cycle": 2050, "office": "IOM-NE", "content": content, "zz": 1}
        answer = await service.call("iom_focal_point", "POST", "/proposals", json=body)
        found = {(one["pointer"], one["code"]) for one in answer.json()["errors"]}
        assert {
            ("/content/activities/0/amount", "out_of_range"),
            ("/content/activities/1/ref", "duplicate"),
            ("/content/activities/1/countries/0", "country_not_in_proposal"),
            ("/content/tools/0/activity_refs/0", "unknown_activity"),
            ("/cycle", "unknown_cycle"),
            ("/zz", "unknown_field"),
        } <= found
        assert "/office" not in {pointer for pointer, _ in found}

    run(scenario)


def test_a_huge_list_or_many_unknown_fields_are_answered_briefly(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for content in ({"priority_areas": [0] * 500_000}, {f"field{i}": 1 for i in range(20_000)}):
            answer = await service.call("iom_office", "POST", "/screenings", json={"cycle": 2026, "content": content})
            assert answer.status_code == 422
            assert len(answer.content) < 200_000

    run(scenario)


def test_what_the_ministry_says_among_itself_is_not_in_ioms_history(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        path = f"/proposals/{ref}/moves"
        await service.call("iom_focal_point", "POST", path, json={"move": "submit"})
        moved = {"move": "start_review", "reason": "internal: the ambassador doubts it"}
        assert (await service.call("mfa_reviewer", "POST", path, json=moved)).status_code == 200
        for role, told in (("iom_focal_point", False), ("auditor", True)):
            history = await service.call(role, "GET", f"/proposals/{ref}/history")
            assert ("ambassador" in history.text) == told

    run(scenario)


def test_an_overdue_draft_offers_no_move_that_would_be_refused(run: Any) -> None:
    async def scenario(service: Service) -> None:
        mine = (await service.call("iom_focal_point", "GET", "/proposals?state=draft&limit=200")).json()["items"]
        for one in mine:
            whole = (await service.call("iom_focal_point", "GET", f"/proposals/{one['ref']}")).json()
            assert not [move for move in whole["moves"] if move["allowed"]], whole["moves"]

    run(scenario, today=date(2027, 11, 1))


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM screening WHERE id = (SELECT max(id) FROM screening)",
        "UPDATE history SET event = 'bogus' WHERE id = (SELECT max(id) FROM history)",
        "UPDATE history SET event = 'approve' WHERE event = 'start_review'",
        "UPDATE proposal SET snapshots = 9 WHERE id = 1",
        "UPDATE proposal SET state = 'rejected' WHERE id = 1",
        "UPDATE face SET content = '{}' WHERE side = 'mfa'",
        "UPDATE screening SET outcome = 'eligible', total_tenths = 1000 WHERE outcome = 'ineligible'",
        "UPDATE snapshot SET content = replace(content, 'a', 'b') WHERE id = 1",
        "UPDATE audit SET facts = '{}' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
    ],
)
def test_the_check_finds_what_was_tampered_with(database_url: str, harm: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as tx:
        tx.execute(text(harm))
    engine.dispose()
    with open_database(database_url).reading() as tx:
        assert integrity.faults(tx, open_library(RULES, FRAMEWORK))
