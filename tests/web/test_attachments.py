"""Files on a proposal through the API: who adds, who sees, who reads, and what stands in the log."""

import hashlib
from typing import Any

from tests.conftest import Service
from tests.services.test_uploads import HOSTILE, PDF, PNG, office
from tests.web.test_proposals import made


async def attach(service: Service, role: str, ref: str, name: str, data: bytes, **fields: str) -> Any:
    files = {"file": (name, data, "application/x-whatever")}
    return await service.call(role, "POST", f"/proposals/{ref}/attachments", files=files, data=fields)


async def seen(service: Service, role: str, ref: str) -> list[str]:
    answer = await service.call(role, "GET", f"/proposals/{ref}/attachments")
    return [one["name"] for one in answer.json()["items"]]


def test_a_file_is_added_listed_and_downloaded_as_it_was(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        data = office()
        answer = await attach(service, "iom_office", ref, "Begrundelse æøå.docx", data)
        assert answer.status_code == 201, answer.text
        one = answer.json()
        assert (one["sha256"], one["size"], one["visibility"]) == (
            hashlib.sha256(data).hexdigest(),
            len(data),
            "shared",
        )
        got = await service.call("iom_focal_point", "GET", f"/proposals/{ref}/attachments/{one['id']}")
        assert got.content == data
        assert got.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''Begrundelse%20")
        assert got.headers["X-Content-SHA256"] == one["sha256"]
        assert "sandbox" in got.headers["Content-Security-Policy"]
        assert (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/attachments")).status_code == 404
        read = (await service.call("auditor", "GET", f"/audit?event=attachment.read&subject={ref}")).json()["items"]
        assert [(entry["facts"]["attachment"], entry["after"]) for entry in read] == [(one["id"], one["sha256"])]

    run(scenario)


def test_each_side_keeps_what_is_internal_and_nothing_is_told_too_early(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        path = f"/proposals/{ref}/moves"
        await attach(service, "iom_office", ref, "first.pdf", PDF)
        await attach(service, "iom_office", ref, "our own.pdf", PDF, visibility="internal")
        await service.call("iom_focal_point", "POST", path, json={"move": "submit"})
        await attach(service, "mfa_reviewer", ref, "ours.png", PNG, visibility="internal")
        await attach(service, "mfa_reviewer", ref, "for you.png", PNG)
        returned = {"move": "return", "reason": "Say more about the route.", "deadline": "2026-12-20"}
        assert (await service.call("mfa_reviewer", "POST", path, json=returned)).status_code == 200
        await attach(service, "iom_office", ref, "too early.pdf", PDF)
        assert await seen(service, "auditor", ref) == ["first.pdf", "ours.png", "for you.png"]
        assert await seen(service, "iom_office", ref) == ["first.pdf", "our own.pdf", "for you.png", "too early.pdf"]
        hidden = (await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/attachments/5")).status_code
        assert hidden == 404
        await service.call("iom_focal_point", "POST", path, json={"move": "submit"})
        assert "too early.pdf" in await seen(service, "mfa_head", ref)

    run(scenario)


def test_a_hostile_or_odd_upload_is_refused_and_nothing_is_kept(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = (await made(service))["ref"]
        for what in ("macros", "zip bomb", "HTML called PDF", "empty", "name with a path"):
            name, data = HOSTILE[what]
            answer = await attach(service, "iom_office", ref, name, data)
            assert answer.status_code == 422, (what, answer.text)
        large = await attach(service, "iom_office", ref, "a.pdf", PDF + b"x" * 20_000_001)
        assert large.status_code == 413
        path = f"/proposals/{ref}/attachments"
        for more, status in (
            ({"json": {}}, 415),
            ({"data": {"visibility": "shared"}, "files": {"other": ("a.pdf", PDF)}}, 422),
            ({"content": b"rubbish", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
            ({"content": b"rubbish", "headers": {"Content-Type": "multipart/form-data"}}, 400),
            ({"files": {"file": ("a.pdf", PDF)}, "data": {"visibility": "public"}}, 422),
        ):
            answer = await service.call("iom_office", "POST", path, **more)
            assert answer.status_code == status, (more, answer.status_code, answer.text)
        assert await seen(service, "iom_office", ref) == []

    run(scenario)


def test_the_log_is_read_by_page_and_by_filter(run: Any) -> None:
    async def scenario(service: Service) -> None:
        await made(service)
        pages, cursor = [], ""
        while True:
            page = (await service.call("auditor", "GET", f"/audit?limit=7{cursor}")).json()
            pages += [entry["seq"] for entry in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert pages == list(range(len(pages), 0, -1))
        created = (await service.call("admin", "GET", "/audit?event=proposal.create&since=2026-11-22T23:00:00Z")).json()
        assert created["items"]
        assert {entry["event"] for entry in created["items"]} == {"proposal.create"}
        assert (await service.call("auditor", "GET", "/audit?since=yesterday")).status_code == 422
        assert (await service.call("auditor", "GET", "/audit?since=2026-11-23T00:00:00")).status_code == 422
        proof = (await service.call("auditor", "GET", "/audit/verify")).json()
        assert (proof["sound"], proof["entries"]) == (True, len(pages))
        refused = await service.call("mfa_reviewer", "GET", "/audit")
        assert refused.status_code == 403
        last = (await service.call("auditor", "GET", "/audit?limit=1")).json()["items"][0]
        assert (last["event"], last["subject"]) == ("right.refused", "GET /api/v1/audit")

    run(scenario)
