"""What is decided and not concluded is invisible outside the MFA: every answer is the same, byte for byte, before and after."""

from typing import Any

from app.web.access import DOORS
from tests.conftest import Service
from tests.web.test_consultations import APPROVE, DAY, PLAN, opened, recommended

OUTSIDE = ("iom_office", "iom_focal_point", "embassy", "mission")
PARTS = {"{year}": "2027", "{version}": "2023.1", "{number}": "1"}


async def everything(service: Service, role: str, refs: list[str], meetings: list[str]) -> dict[str, Any]:
    """Every answer of every GET there is, for every proposal and consultation: status, body, and what marks a version."""
    seen: dict[str, Any] = {}
    for line in DOORS:
        method, path = line.split(" ")
        if method != "GET" or "/api/v1/" not in path or "openapi" in path or "tokens" in path:
            continue
        for part, value in PARTS.items():
            path = path.replace(part, value)
        places = [path.replace("{ref}", ref) for ref in refs] if "{ref}" in path else [path]
        if "/consultations/{id}" in path:
            places = [path.replace("{id}", number) for number in meetings]
        for place in places:
            for sort in ("", "?sort=total") if path.endswith("/proposals") else ("",):
                address = place.replace("{id}", "1").removeprefix("/api/v1") + sort
                answer = await service.call(role, "GET", address)
                headers = {name: answer.headers.get(name) for name in ("ETag", "Last-Modified", "Location")}
                seen[address] = (answer.status_code, answer.content, headers)
    return seen


def test_recording_changes_not_a_byte_outside_the_ministry(run: Any, capsys: Any) -> None:
    compared = []

    async def before(service: Service) -> None:
        for _ in range(3):
            await recommended(service)

    async def scenario(service: Service) -> None:
        listed = (await service.call("mfa_head", "GET", "/proposals?state=recommended&cycle=2027")).json()["items"]
        one, two, three = sorted(item["ref"] for item in listed)[-3:]
        path = await opened(service, [one, two, three], PLAN)
        number = path.rsplit("/", 1)[1]
        refs, meetings = [one, two, three, "DK-IOM-2026-003"], [number, "4", "5"]
        seen = {role: await everything(service, role, refs, meetings) for role in OUTSIDE}
        for ref, decision in (
            (one, APPROVE),
            (two, {"decision": "reject", "reason": "No."}),
            (three, {"decision": "defer", "reason": "Later.", "to_cycle": 2028}),
        ):
            put = await service.call("mfa_head", "PUT", f"{path}/decisions/{ref}", json=decision)
            assert put.status_code == 200, put.text
        assert (await service.call("mfa_head", "DELETE", f"{path}/decisions/{three}")).status_code == 200
        refused = await service.call("mfa_head", "POST", f"{path}/conclude")
        assert refused.status_code == 409
        for role in OUTSIDE:
            after = await everything(service, role, refs, meetings)
            assert after == seen[role], [key for key in after if after[key] != seen[role][key]]
            compared.append(len(after))
        put = await service.call(
            "mfa_head", "PUT", f"{path}/decisions/{three}", json={"decision": "reject", "reason": "No."}
        )
        assert put.status_code == 200
        assert (await service.call("mfa_head", "POST", f"{path}/conclude")).status_code == 200
        told = await everything(service, "iom_focal_point", refs, meetings)
        changed = [key for key in told if told[key] != seen["iom_focal_point"][key]]
        assert f"/proposals/{one}" in changed
        assert f"/consultations/{number}/minutes" in changed

    run(before)
    run(scenario, today=DAY)
    with capsys.disabled():
        print(f"\nread before and after recording decisions: {sum(compared)} answers, byte for byte the same")
