"""What everybody may look up, the screening that stores nothing, and an administrator's moved window."""

import json
from itertools import product
from typing import Any

from app.settings import RULES
from tests.conftest import Service
from tests.web.test_proposals import made

EXAMPLES = RULES / "dk-iom-2023-2026" / "examples"
DRAFT = json.loads((EXAMPLES / "draft.json").read_text())


def test_the_examples_come_back_in_the_shape_of_the_contract(run: Any) -> None:
    async def scenario(service: Service) -> None:
        body = (EXAMPLES / "strong.json").read_bytes()
        answer = await service.call(
            "embassy", "POST", "/screenings", content=body, headers={"Content-Type": "application/json"}
        )
        result = answer.json()
        assert set(result) == {
            "outcome", "total", "total_reachable", "screened_on", "rulebook", "checks", "criteria", "alignment"
        }  # fmt: skip
        assert set(result["checks"][0]) == {"id", "level", "state", "reason", "facts", "remedy"}
        first = result["criteria"][0]
        group = {"letter", "title", "mandatory", "weight", "state", "earned", "possible", "indicators"}
        assert set(first) == group
        assert set(first["indicators"][0]) == {"id", "points", "required", "state", "reason", "facts", "remedy"}
        assert (group - {"letter", "weight"}) | {"key"} == set(result["alignment"][0])
        assert [one["letter"] for one in result["criteria"]] == list("abcdefgh")

    run(scenario)


def test_a_closed_cycle_screens_but_takes_no_proposal_and_an_unknown_one_is_a_fault(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for path, cycle, status, code in (
            ("/screenings", 2024, 200, None),
            ("/screenings", 2031, 422, "validation_failed"),
            ("/proposals", 2024, 409, "window_closed"),
            ("/proposals", 2031, 422, "validation_failed"),
        ):
            answer = await service.call("iom_office", "POST", path, json={"cycle": cycle, "content": DRAFT["content"]})
            assert answer.status_code == status, (path, cycle, answer.text)
            assert answer.json().get("code") == code
            if status == 422:
                assert answer.json()["errors"][0]["pointer"] == "/cycle"

    run(scenario)


def test_an_administrator_moves_a_window_with_a_reason_and_drafts_follow(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        patch = {"closes_on": "2027-01-15", "reason": "Flooding at headquarters"}
        refused = await service.call("mfa_head", "PATCH", "/cycles/2027", json=patch)
        assert refused.status_code == 403
        without = await service.call("admin", "PATCH", "/cycles/2027", json={"closes_on": "2027-01-15"})
        assert (without.status_code, without.json()["errors"][0]["pointer"]) == (422, "/reason")
        moved = await service.call("admin", "PATCH", "/cycles/2027", json=patch)
        assert (moved.status_code, moved.json()["closes_on"]) == (200, "2027-01-15")
        assert (await service.call("iom_office", "GET", f"/proposals/{ref}")).json()["deadline"] == "2027-01-15"
        backwards = await service.call("admin", "PATCH", "/cycles/2027", json={**patch, "closes_on": "2020-01-01"})
        assert backwards.status_code == 422
        old = await service.call("admin", "PATCH", "/cycles/2027", json=patch, headers={"If-Match": '"1"'})
        assert old.status_code == 412

    run(scenario)


def test_envelopes_and_cycles_are_those_of_the_source(run: Any) -> None:
    async def scenario(service: Service) -> None:
        money = (await service.call("auditor", "GET", "/envelopes")).json()["items"]
        by_year = {one["year"]: one["amount"] for one in money}
        expected = {2023: 25_000_000, 2024: 50_000_000, 2025: 50_000_000, 2026: 50_000_000}
        assert expected.items() <= by_year.items()
        assert set(money[0]) >= {"year", "amount", "status", "requested", "approved", "agreed", "paid", "available"}
        cycles = (await service.call("auditor", "GET", "/cycles")).json()["items"]
        assert {one["year"]: one["added"] for one in cycles} == {
            2023: False, 2024: False, 2025: False, 2026: False, 2027: True
        }  # fmt: skip

    run(scenario)


def test_a_rulebook_is_shown_whole_and_found_unchanged_by_its_etag(run: Any) -> None:
    async def scenario(service: Service) -> None:
        listed = (await service.call("embassy", "GET", "/rulebooks")).json()["items"]
        address = f"/rulebooks/{listed[0]['version']}"
        whole = await service.call("embassy", "GET", address)
        assert [one["letter"] for one in whole.json()["criteria"]] == list("abcdefgh")
        same = await service.call("embassy", "GET", address, headers={"If-None-Match": whole.headers["ETag"]})
        assert (same.status_code, same.content) == (304, b"")
        assert (await service.call("embassy", "GET", "/rulebooks/1999.1")).status_code == 404
        framework = (await service.call("embassy", "GET", "/frameworks/dk-iom-2023-2026")).json()
        assert (framework["finance_act_code"], framework["file_number"]) == ("06.32.10.14", "2022-18394")

    run(scenario)


def test_without_a_token_of_ours_nothing_is_answered(run: Any) -> None:
    tokens = (None, "Bearer", "Bearer earmark_x", "Basic eDp5", "Bearer earmark_" + "a" * 37)
    places = (("GET", "/proposals"), ("POST", "/screenings"), ("GET", "/proposals/DK-IOM-2027-001"))

    async def scenario(service: Service) -> None:
        for token, (method, path) in product(tokens, places):
            headers = {"Authorization": token} if token else {}
            answer = await service.call(None, method, path, headers=headers)
            assert answer.status_code == 401, (token, path)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.headers["Content-Type"] == "application/problem+json"

    run(scenario)


def test_health_and_the_documentation_are_open_and_run_no_inline_script(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for path in ("/health/live", "/health/ready", "/docs", "/api/v1/openapi.json"):
            answer = await service.client.get(path)
            assert answer.status_code == 200, path
        page = await service.client.get("/docs")
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "<script>" not in page.text

    run(scenario)
