"""Who may do what: every route with every role, every state and every office, generated from the access table."""

import json
import re
from collections import Counter
from typing import Any

from sqlalchemy import create_engine, text

from app.domain.people import Role, Side
from app.web.access import DOORS
from tests.conftest import Service

PARTS = {"{year}": "2027", "{version}": "2023.1", "{id}": "1", "{number}": "1"}  # consultation 1 is there, concluded
MOVERS = {"iom_office", "iom_focal_point", "mfa_reviewer", "mfa_head"}  # who holds the scope that moves need
ELSEWHERE = re.compile(r"^(GET|POST) /(login|logout|account|docs)|^GET /$")


def api_routes() -> list[tuple[str, str]]:
    return [
        (line.split(" ")[0], line.split(" ")[1])
        for line in DOORS
        if not ELSEWHERE.match(line) and "/api/v1/" in line and not DOORS[line].public
    ]


def sees(role: str, account_office: str | None, proposal: Any) -> bool:
    """Visibility as DOMAIN.md says it, written apart from the query."""
    if role == "iom_office":
        return bool(proposal.office_code == account_office)
    if role == "iom_focal_point":
        return True
    if role == "admin" or proposal.snapshots == 0:
        return False
    if role == "embassy":
        content = json.loads(proposal.content)
        return bool({"TN", "DZ"} & {country["code"] for country in content["countries"]})
    return True


def proposals_of(url: str) -> list[Any]:
    """One proposal for every state and kind of office, with what was last submitted."""
    engine = create_engine(url)
    with engine.connect() as tx:
        query = """SELECT proposal.*, face.content FROM proposal LEFT JOIN face
                   ON face.proposal_id = proposal.id AND face.side = 'mfa' ORDER BY proposal.id"""
        rows = list(tx.execute(text(query)))
    engine.dispose()
    kinds = {(row.state, row.office_code == "IOM-NE", row.snapshots > 0, embassy(row)): row for row in rows}
    return list(kinds.values())


def embassy(row: Any) -> bool:
    return row.content is not None and sees("embassy", None, row)


def test_every_cell_of_role_route_state_and_office(
    run: Any, database_url: str, capsys: Any, record_property: Any
) -> None:
    cells: Counter[str] = Counter()

    async def scenario(service: Service) -> None:
        proposals, on_sqlite = proposals_of(database_url), database_url.startswith("sqlite")
        for place, (method, path) in enumerate(api_routes()):
            door = DOORS[f"{method} {path}"]
            for role in Role:
                refs = proposals if "{ref}" in path else [None]
                if role not in door.roles:  # the door refuses before it looks at what is asked for, in any database
                    refs = refs[:2] if on_sqlite else []
                elif not on_sqlite:  # the same queries: there every third cell, another third for each route
                    refs = refs[place % 3 :: 3] if "{ref}" in path else refs
                for proposal in refs:
                    address = path.replace("{ref}", proposal.ref if proposal else "")
                    for part, value in PARTS.items():
                        address = address.replace(part, value)
                    if method == "DELETE":
                        address = address.replace("/1", "/999999")
                    more = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
                    if path.endswith("/casefile"):
                        more = {"headers": {"If-None-Match": "*"}}  # the same doors, and no papers are set
                    answer = await service.call(role, method, address.removeprefix("/api/v1"), **more)
                    where = (method, path, role, proposal and (proposal.ref, proposal.state), answer.text)
                    if role not in door.roles:
                        assert answer.status_code == 403, where
                    elif proposal is not None and not sees(role, "IOM-NE", proposal):
                        assert answer.status_code == 404, where
                    elif path.endswith("/moves") and role not in MOVERS:
                        assert answer.status_code == 403, where
                    else:
                        assert answer.status_code not in (401, 403), where
                        fine = proposal is None or any(
                            part in path for part in ("number", "{id}", "decision-", "agreement", "extract", "reports/")
                        )
                        assert fine or answer.status_code != 404, where
                    cells[f"{answer.status_code}"] += 1
            nobody = await service.call(None, method, address.removeprefix("/api/v1"))
            assert nobody.status_code == 401, (method, path)

    run(scenario)
    record_property("cells", sum(cells.values()))
    with capsys.disabled():
        print(f"\naccess matrix: {sum(cells.values())} cells, {dict(sorted(cells.items()))}")


INTERNAL = ("comments", "conflicts")


def test_what_is_internal_never_reaches_iom(run: Any) -> None:
    secret = "Zanzibar-doubt"

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_reviewer", "GET", "/proposals?state=submitted")).json()["items"]
        ref = listed[0]["ref"]
        said = {"text": secret, "visibility": "internal"}
        assert (await service.call("mission", "POST", f"/proposals/{ref}/comments", json=said)).status_code == 201
        conflict = {"reason": secret}
        path = f"/proposals/{ref}/conflicts"
        assert (await service.call("mfa_reviewer", "POST", path, json=conflict)).status_code == 201
        again = await service.call("mfa_reviewer", "POST", path, json=conflict)
        assert (again.status_code, again.json()["code"]) == (409, "conflict_declared")
        moves = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}")).json()["moves"]
        assert {one["move"]: [r["code"] for r in one["refusals"]] for one in moves}["start_review"] == [
            "conflict_of_interest"
        ]
        refused = await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/moves", json={"move": "start_review"})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict_of_interest")
        other = await service.call("mfa_reviewer_2", "POST", f"/proposals/{ref}/moves", json={"move": "start_review"})
        assert other.status_code == 200
        for role in ("iom_focal_point", "iom_office"):
            for line in DOORS:
                method, path = line.split(" ")
                if method == "GET" and "{ref}" in path:
                    place = path.replace("{ref}", ref).replace("{number}", "1").replace("{id}", "1")
                    answer = await service.call(role, "GET", place.removeprefix("/api/v1"))
                    assert secret not in answer.text, path
        told = await service.call("auditor", "GET", f"/proposals/{ref}/comments")
        assert secret in told.text

    run(scenario)


def test_a_disabled_person_is_out_at_once_and_a_new_role_needs_a_new_token(run: Any) -> None:
    async def scenario(service: Service) -> None:
        people = (await service.call("admin", "GET", "/users?limit=200")).json()["items"]
        auditor = next(one for one in people if one["role"] == "auditor")
        assert (await service.call("auditor", "GET", "/audit")).status_code == 200
        path = f"/users/{auditor['id']}"
        assert (await service.call("admin", "PATCH", path, json={"disabled": True})).json()["disabled"]
        assert (await service.call("auditor", "GET", "/audit")).status_code == 401
        assert (await service.call("admin", "PATCH", path, json={"disabled": False})).status_code == 200
        assert (await service.call("auditor", "GET", "/audit")).status_code == 401
        myself = next(one for one in people if one["role"] == "admin")
        alone = await service.call("admin", "PATCH", f"/users/{myself['id']}", json={"disabled": True})
        assert (alone.status_code, alone.json()["code"]) == (409, "not_yourself")

    run(scenario)


def test_people_are_added_with_an_office_that_fits_their_role(run: Any) -> None:
    async def scenario(service: Service) -> None:
        new = {"name": "New Person", "email": "New@Example.org", "role": "embassy"}
        for office, status in ((None, 422), ("IOM-NE", 422), ("nowhere", 422), ("EMB-TUNIS", 201)):
            answer = await service.call("admin", "POST", "/users", json={**new, "office": office})
            assert answer.status_code == status, answer.text
        twice = await service.call("admin", "POST", "/users", json={**new, "office": "EMB-TUNIS"})
        assert (twice.status_code, twice.json()["code"]) == (409, "email_taken")
        for bad in (
            {"role": "emperor"},
            {"email": "nothing"},
            {"name": ""},
            {"office": "EMB-TUNIS", "role": "auditor"},
        ):
            assert (await service.call("admin", "POST", "/users", json={**new, **bad})).status_code == 422, bad

    run(scenario)


def test_a_token_is_shown_once_used_and_changed_over_with_two_live_ones(run: Any) -> None:
    async def scenario(service: Service) -> None:
        made = await service.call("mission", "POST", "/tokens", json={"label": "next", "scopes": ["proposals:read"]})
        assert made.status_code == 201, made.text
        secret = made.json()["token"]
        third = await service.call("mission", "POST", "/tokens", json={"label": "third"})
        assert (third.status_code, third.json()["code"]) == (409, "too_many_tokens")
        headers = {"Authorization": f"Bearer {secret}"}
        assert (await service.client.get("/api/v1/proposals", headers=headers)).status_code == 200
        comment = await service.client.post("/api/v1/proposals/DK-IOM-2023-001/comments", json={}, headers=headers)
        assert (comment.status_code, comment.json()["code"]) == (403, "scope_missing")
        more = await service.client.post("/api/v1/tokens", json={"label": "x"}, headers=headers)
        assert (more.status_code, more.json()["code"]) == (403, "scope_missing")
        listed = (await service.call("mission", "GET", "/tokens")).json()["items"]
        assert secret not in json.dumps(listed)
        foreign = await service.call("embassy", "DELETE", f"/tokens/{made.json()['id']}")
        assert foreign.status_code == 404
        assert (await service.call("mission", "DELETE", f"/tokens/{made.json()['id']}")).status_code == 204
        assert (await service.client.get("/api/v1/proposals", headers=headers)).status_code == 401
        wrong = {"label": "x", "scopes": ["payments:write"]}
        assert (await service.call("mission", "POST", "/tokens", json=wrong)).status_code == 403

    run(scenario)


def test_an_administrators_token_without_that_scope_rules_over_nobody(run: Any) -> None:
    async def scenario(service: Service) -> None:
        made = await service.call("admin", "POST", "/tokens", json={"label": "small", "scopes": ["tokens"], "days": 3})
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        head = next(
            one
            for one in (await service.call("admin", "GET", "/users?limit=200")).json()["items"]
            if one["role"] == "mfa_head"
        )
        body = {"label": "stolen", "person": head["id"]}
        assert (await service.client.post("/api/v1/tokens", json=body, headers=headers)).status_code == 404
        mine = (await service.client.get("/api/v1/tokens", headers=headers)).json()["items"]
        assert {one["person"] for one in mine} == {made.json()["person"]}
        first = mine[0]["id"]
        assert (await service.client.delete(f"/api/v1/tokens/{first}", headers=headers)).status_code == 204
        longer = {"label": "longer", "scopes": ["tokens"], "days": 365}
        child = await service.client.post("/api/v1/tokens", json=longer, headers=headers)
        assert child.json()["expires_at"] == made.json()["expires_at"]

    run(scenario)


def test_an_error_of_ours_still_carries_the_headers_and_says_nothing(run: Any, monkeypatch: Any) -> None:
    def broken(*more: Any) -> None:
        raise RuntimeError("secret in a message")

    monkeypatch.setattr("app.services.envelopes.overview", broken)

    async def scenario(service: Service) -> None:
        answer = await service.call("auditor", "GET", "/envelopes")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert "secret" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        headers = {"Authorization": f"Bearer {service.accounts['auditor']['token']}", "Accept": "text/html"}
        page = await service.client.get("/cycles", headers=headers)
        assert (page.status_code, "Something went wrong on our side</h1>" in page.text) == (500, True)
        assert page.headers["X-Request-ID"] in page.text
        assert "secret" not in page.text

    run(scenario)


def test_sides_are_two() -> None:
    assert {role for role in Role if role.startswith("iom")} == {Role.IOM_OFFICE, Role.IOM_FOCAL_POINT}
    assert set(Side) == {"iom", "mfa"}
