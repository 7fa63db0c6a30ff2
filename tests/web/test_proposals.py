"""A proposal's way through the API, on both databases, and what is refused on it."""

import json
from datetime import date
from typing import Any

import pytest

from app.settings import RULES
from tests.conftest import Service

STRONG = json.loads((RULES / "dk-iom-2023-2026" / "examples" / "strong.json").read_text())["content"]


def shifted(content: dict[str, Any]) -> dict[str, Any]:
    """The strong example as a proposal for the demo's cycle 2027."""
    budget = [{**line, "year": 2027} for line in content["budget"]]
    return {**content, "budget": budget, "period": {"start": "2027-01-01", "end": "2028-12-31"}}


async def made(service: Service, content: dict[str, Any] | None = None) -> dict[str, Any]:
    body = {"cycle": 2027, "content": shifted(STRONG) if content is None else content}
    answer = await service.call("iom_office", "POST", "/proposals", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_proposal_is_made_submitted_and_reviewed(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        for role, move, state in (
            ("iom_focal_point", "submit", "submitted"),
            ("mfa_reviewer", "start_review", "under_review"),
        ):
            answer = await service.call(role, "POST", f"/proposals/{ref}/moves", json={"move": move})
            assert (answer.status_code, answer.json()["state"]) == (200, state), answer.text
        history = (await service.call("auditor", "GET", f"/proposals/{ref}/history")).json()["items"]
        assert [step["event"] for step in history] == ["create", "submit", "start_review"]
        stored = await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/snapshots/1")
        assert stored.json()["screening"]["outcome"] == "eligible"

    run(scenario)


def test_a_draft_is_seen_by_its_side_only(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        for role, status in (("iom_focal_point", 200), ("mfa_reviewer", 404), ("auditor", 404), ("embassy", 404)):
            answer = await service.call(role, "GET", f"/proposals/{ref}")
            assert answer.status_code == status, role
            listed = (await service.call(role, "GET", "/proposals?limit=200")).json()["items"]
            assert (ref in [one["ref"] for one in listed]) == (status == 200), role

    run(scenario)


def test_references_have_no_gap_after_refusals(run: Any) -> None:
    async def scenario(service: Service) -> None:
        first = (await made(service))["ref"]
        bad = {"cycle": 2027, "content": {"title": "short"}}
        assert (await service.call("iom_office", "POST", "/proposals", json=bad)).status_code == 422
        second = (await made(service))["ref"]
        assert int(second[-3:]) == int(first[-3:]) + 1

    run(scenario)


def test_the_same_key_makes_one_proposal_and_another_body_is_refused(run: Any) -> None:
    async def scenario(service: Service) -> None:
        body = {"cycle": 2027, "content": {}}
        key = {"Idempotency-Key": "one"}
        first = await service.call("iom_office", "POST", "/proposals", json=body, headers=key)
        again = await service.call("iom_office", "POST", "/proposals", json=body, headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Location"] == first.headers["Location"]
        other = await service.call("iom_office", "POST", "/proposals", json={"cycle": 2026, "content": {}}, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")

    run(scenario)


def test_replacing_content_needs_the_version_that_was_read(run: Any) -> None:
    async def scenario(service: Service) -> None:
        proposal = await made(service)
        path = f"/proposals/{proposal['ref']}/content"
        content = {**proposal["content"], "route": "Another route"}
        assert (await service.call("iom_office", "PUT", path, json=content)).status_code == 428
        stale = await service.call("iom_office", "PUT", path, json=content, headers={"If-Match": '"7"'})
        assert stale.status_code == 412
        done = await service.call("iom_office", "PUT", path, json=content, headers={"If-Match": '"1"'})
        assert (done.status_code, done.json()["content"]["route"]) == (200, "Another route")
        assert done.headers["ETag"].startswith('"2-')

    run(scenario)


def test_while_a_returned_proposal_is_edited_the_ministry_sees_its_snapshot(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        moves = f"/proposals/{ref}/moves"
        await service.call("iom_focal_point", "POST", moves, json={"move": "submit"})
        back = {"move": "return", "reason": "Please name the route.", "deadline": "2026-12-07"}
        assert (await service.call("mfa_reviewer", "POST", moves, json=back)).status_code == 200
        before = await service.call("mfa_reviewer", "GET", f"/proposals/{ref}")
        mine = (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()
        edited = {**mine["content"], "title": "A title that only IOM sees"}
        tag = {"If-Match": f'"{mine["version"]}"'}
        done = await service.call("iom_office", "PUT", f"/proposals/{ref}/content", json=edited, headers=tag)
        assert done.json()["title"] == "A title that only IOM sees"
        after = await service.call("mfa_reviewer", "GET", f"/proposals/{ref}")
        assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])

    run(scenario)


def test_a_late_submission_is_refused_with_the_deadline_and_lapses(run: Any) -> None:
    async def early(service: Service) -> str:
        return str((await made(service))["ref"])

    ref = run(early)

    async def late(service: Service) -> None:
        answer = await service.call("iom_focal_point", "POST", f"/proposals/{ref}/moves", json={"move": "submit"})
        assert (answer.status_code, answer.json()["code"]) == (409, "window_closed")
        assert "2026-12-31" in answer.json()["detail"]
        assert (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["state"] == "cancelled"
        again = await service.call("iom_focal_point", "POST", f"/proposals/{ref}/moves", json={"move": "submit"})
        assert [one["code"] for one in again.json()["refusals"]] == ["wrong_state", "deadline_passed"]

    run(late, today=date(2027, 1, 1))


@pytest.mark.parametrize(
    ("role", "body", "status", "code"),
    [
        ("iom_office", {"move": "submit"}, 403, "wrong_role"),
        ("mfa_reviewer", {"move": "submit"}, 404, "proposal_not_found"),
        ("iom_focal_point", {"move": "fly"}, 422, "unknown_move"),
        ("iom_focal_point", {"move": "withdraw"}, 422, "validation_failed"),
        ("iom_focal_point", {}, 422, "validation_failed"),
        ("iom_focal_point", {"move": "start_review"}, 403, "wrong_role"),
    ],
)
def test_a_move_is_refused_for_what_stands_in_its_way(
    run: Any, role: str, body: dict[str, Any], status: int, code: str
) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        answer = await service.call(role, "POST", f"/proposals/{ref}/moves", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text

    run(scenario)


RUBBISH = [
    (b"{", 400),
    (b"", 400),
    (b"[" * 10000, 400),
    (b'{"cycle": NaN, "content": {}}', 400),
    (b'{"cycle": 2027, "content": {"title": "\\ud800 half a pair"}}', 400),
    (b'{"cycle": 2027, "content": {"title": "with \\u0000 inside it"}}', 422),
    (b"[]", 422),
    (b"null", 422),
    (b'{"cycle": 2027, "content": []}', 422),
    (b'{"cycle": "2027", "content": {}}', 422),
    (b'{"cycle": 2031, "content": {}}', 422),
    (b'{"cycle": 2027, "content": {"tilte": "A misspelt field"}}', 422),
    (b'{"cycle": 2027, "content": {"period": {"start": "2026-02-30", "end": "2027-01-01"}}}', 422),
    (b'{"cycle": 2027, "content": {"title": null}}', 422),
    (b'{"cycle": 2027, "content": {"budget": [{"year": 2027, "amount": ' + b"9" * 5000 + b"}]}}", 400),
    (b'{"cycle": 2027, "content": {"budget": [{"year": 2027, "amount": ' + b"9" * 50 + b"}]}}", 422),
    (b'{"cycle": 2027, "content": {"summary": "' + b"x" * 2_000_000 + b'"}}', 413),
    (b'{"cycle": 2024, "content": {}}', 409),
]


def test_rubbish_is_answered_with_a_problem_and_leaves_no_row(run: Any) -> None:
    async def scenario(service: Service) -> None:
        before = (await service.call("iom_office", "GET", "/proposals?limit=200")).content
        headers = {"Content-Type": "application/json"}
        for raw, status in RUBBISH:
            answer = await service.call("iom_office", "POST", "/proposals", content=raw, headers=headers)
            assert answer.status_code == status, (raw[:100], answer.text[:500])
            assert answer.headers["Content-Type"] == "application/problem+json", raw[:100]
            assert answer.json()["code"], raw[:100]
            assert (await service.call("iom_office", "GET", "/proposals?limit=200")).content == before, raw[:100]

    run(scenario)


def test_every_fault_is_told_at_once_with_its_pointer(run: Any) -> None:
    async def scenario(service: Service) -> None:
        activity = shifted(STRONG)["activities"][0]
        content = {
            **shifted(STRONG),
            "title": "short",
            "nonsense": 1,
            "activities": [activity, activity],
            "climate": {"narrative": "", "activity_refs": ["nowhere"]},
            "period": {"start": "2027-01-01", "end": "2026-01-01"},
            "gender_marker": "3",
        }
        answer = await service.call("iom_office", "POST", "/proposals", json={"cycle": 2027, "content": content})
        pointers = {fault["pointer"] for fault in answer.json()["errors"]}
        wanted = {"title", "nonsense", "activities/1/ref", "climate/activity_refs/0", "period/end", "gender_marker"}
        assert {f"/content/{name}" for name in wanted} <= pointers, pointers

    run(scenario)
