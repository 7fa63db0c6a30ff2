"""What the pages of a proposal and the dashboard read: no more statements for many rows than for few, and only what one may see."""

from typing import Any

import pytest

from tests.conftest import Service
from tests.web.test_engagements import counting, imported, submitted
from tests.web.test_proposals import STRONG, made, shifted

MOST = 12


async def looked(service: Service, role: str, path: str) -> tuple[int, str, int]:
    """Status, text and number of statements of a page."""
    headers = {"Authorization": f"Bearer {service.accounts[role]['token']}", "Accept": "text/html"}
    with counting() as ran:
        answer = await service.client.get(path, headers=headers)
    return answer.status_code, answer.text, sum(one.lstrip()[:6] in ("SELECT", "WITH x") for one in ran)


def test_pages_read_as_much_for_many_proposals_as_for_few(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await submitted(service, shifted(STRONG))
        pages = ("/dashboard?cycle=2027", f"/proposals/{ref}/papers", f"/proposals/{ref}/content")
        few = [(await looked(service, "mfa_head", path))[2] for path in pages]
        for i in range(4):
            await submitted(service, {**shifted(STRONG), "route": f"Another one {i}"})
        imported(service, 20, STRONG["countries"][0]["code"])
        for path, before in zip(pages, few, strict=True):
            status, _text, after = await looked(service, "mfa_head", path)
            assert status == 200
            assert (after, after <= MOST) == (before, True), path
        changes = await looked(service, "mfa_head", "/proposals/DK-IOM-2023-001/papers?diff=2")
        assert (changes[0], changes[2] <= MOST) == (200, True)

    run(scenario)


def test_coverage_says_the_same_read_together(run: Any) -> None:
    async def scenario(service: Service) -> None:
        said = (await service.call("auditor", "GET", "/cycles/2026/coverage")).json()
        whole = (await service.call("auditor", "GET", "/envelopes")).json()["items"]
        rows = {one["ref"]: one for one in said["proposals"]}
        for ref, one in rows.items():
            proposal = (await service.call("auditor", "GET", f"/proposals/{ref}")).json()
            assert one["requested"] == proposal["requested"]
        assert sum(one["approved"] for one in said["money"]) <= sum(one["approved"] for one in whole)
        with counting() as ran:
            await service.call("auditor", "GET", "/cycles/2026/coverage")
        assert len(ran) <= MOST

    run(scenario)


def test_a_page_of_papers_tells_each_reader_what_the_api_tells_them(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = "DK-IOM-2023-001"
        said = {"text": "Between us Danes."}
        await service.call("embassy", "POST", f"/proposals/{ref}/comments", json=said)
        await service.call("mfa_reviewer", "POST", f"/proposals/{ref}/comments", json=said)
        mfa, iom = [(await looked(service, role, f"/proposals/{ref}/papers"))[1] for role in ("mfa_head", "iom_office")]
        for words in ("Between us Danes.", "decision-memo.pdf", "casefile?variant=full", "Similar Danish"):
            assert words in mfa
            assert words not in iom
        assert "decision-letter.pdf" in iom
        assert (await looked(service, "iom_office", f"/proposals/{ref}/papers/decision-memo.pdf"))[0] == 403
        assert (await looked(service, "mfa_head", f"/proposals/{ref}/papers/nothing.pdf"))[0] == 404
        for nothing in ("1", "9", "x"):
            status, page, _ = await looked(service, "mfa_head", f"/proposals/{ref}/papers?diff={nothing}")
            assert (status, 'id="changes"' in page) == (200, False)
        draft = str((await made(service))["ref"])
        for place in ("content", "papers"):
            assert (await looked(service, "mfa_head", f"/proposals/{draft}/{place}"))[0] == 404
        assert (await looked(service, "iom_focal_point", "/dashboard"))[0] == 403

    run(scenario)


def test_an_upload_after_the_session_ended_leads_to_the_login_and_back(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for place in ("/proposals/DK-IOM-2027-001/papers", "/drafts/new"):
            files = {"file": ("note.pdf", b"%PDF-1.4", "application/pdf")}
            answer = await service.client.post(place, files=files, headers={"Accept": "text/html"})
            assert answer.status_code == 303
            assert answer.headers["location"] == f"/login?next={place.replace('/', '%2F')}"

    run(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_refused_upload_stays_on_its_own_side(run: Any) -> None:
    async def scenario(service: Service) -> None:
        headers = {"Authorization": f"Bearer {service.accounts['mfa_head']['token']}", "Accept": "text/html"}
        files = {"file": ("note.pdf", b"No PDF at all.", "application/pdf")}
        more = {"files": files, "data": {"visibility": "internal"}, "headers": headers}
        answer = await service.client.post("/proposals/DK-IOM-2027-005/papers", **more)
        assert answer.status_code == 422
        assert '<option value="internal" selected>' in answer.text

    run(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_page_of_a_draft_shows_whatever_the_draft_lacks(run: Any) -> None:
    async def scenario(service: Service) -> None:
        whole = shifted(STRONG)
        drafts = [{}, *({name: value} for name, value in whole.items()), *(
            {name: value for name, value in whole.items() if name != left} for left in whole
        )]  # fmt: skip
        made = (await service.call("iom_office", "POST", "/proposals", json={"cycle": 2027, "content": {}})).json()
        for draft in drafts:
            path = f"/proposals/{made['ref']}"
            put = await service.call("iom_office", "PUT", f"{path}/content", json=draft, headers={"If-Match": "*"})
            assert put.status_code == 200, put.text
            for part in ("", "/content"):
                status, text, _ = await looked(service, "iom_office", path + part)
                assert status == 200, (list(draft), part, text[:300])
        for part in ("/papers", "/money", "/amendments", "/reports", "/extract"):
            assert (await looked(service, "iom_focal_point", path + part))[0] in (200, 404), part

    run(scenario)


def test_an_extract_is_laid_out_before_it_is_released(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for ref in ("DK-IOM-2023-001", "DK-IOM-2025-001", "DK-IOM-2024-001"):
            headers = {"Authorization": f"Bearer {service.accounts['mfa_head']['token']}", "Accept": "text/html"}
            answer = await service.client.get(f"/proposals/{ref}/papers/extract.pdf", headers=headers)
            assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-"), ref

    run(scenario)
