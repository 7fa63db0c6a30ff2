"""Giving account: evaluations with their follow-ups, the yearly review, public extracts, what earlier proposals came to."""

import io
from datetime import date
from typing import Any

import openpyxl

from tests.conftest import Service
from tests.web.test_papers import PDF, check_accessible, told
from tests.web.test_payments import approved
from tests.web.test_reports import agreed, report

PLANNED = {"kind": "end_of_cycle", "title": "Last", "terms": {"purpose": "What remains."}, "due_on": "2027-06-30"}
ACTION = {"action": "Write it down.", "responsible": "The desk", "due_on": "2026-10-01"}
ANSWER = {"answer": "accepted", "follow_ups": [ACTION]}
DONE = {"answer": "accepted", "follow_ups": [{**ACTION, "done_on": "2026-11-20"}]}


def delivered(response: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    findings = [{"criterion": "impact", "text": "Fewer wait longer."}]
    recommended = [{"text": "Ask earlier.", "response": response}]
    return {**PLANNED, "delivered_on": "2026-11-01", "findings": findings, "recommendations": recommended, **more}


def test_an_evaluation_goes_from_its_terms_to_its_last_follow_up(run: Any) -> None:
    async def scenario(service: Service) -> None:
        made = await service.call("mfa_reviewer", "POST", "/evaluations", json=PLANNED)
        assert (made.status_code, made.json()["stage"]) == (201, "planned"), made.text
        path = made.headers["Location"].removeprefix("/api/v1")

        async def put(role: str, said: dict[str, Any], **headers: str) -> Any:
            return await service.call(role, "PUT", path, json=said, headers=headers or {"If-Match": "*"})

        assert (await put("mfa_reviewer", PLANNED, **{"If-Match": '"7"'})).status_code == 412
        assert (await service.call("mfa_reviewer", "PUT", path, json=PLANNED)).status_code == 428
        early = {**delivered(None), "delivered_on": "2027-01-01"}
        assert [one["code"] for one in (await put("mfa_reviewer", early)).json()["errors"]] == ["in_future"]
        undated = {**delivered(None), "delivered_on": None}
        assert [one["pointer"] for one in (await put("mfa_reviewer", undated)).json()["errors"]] == ["/delivered_on"]
        assert (await put("mfa_reviewer", delivered(None))).json()["stage"] == "delivered"
        taken = await put("mfa_reviewer", delivered(ANSWER))
        assert (taken.status_code, taken.json()["code"]) == (403, "response_is_the_heads")
        bare = {"answer": "partly_accepted"}
        pointers = {
            one["pointer"].rpartition("/")[2] for one in (await put("mfa_head", delivered(bare))).json()["errors"]
        }
        assert pointers == {"explanation", "follow_ups"}
        answered = (await put("mfa_head", delivered(ANSWER))).json()
        assert (answered["stage"], answered["overdue"]) == ("answered", 1)
        gone = await put("mfa_reviewer", delivered(None))
        assert gone.status_code == 403, "nor is an answer taken away by the desk"
        for role in ("iom_focal_point", "embassy", "mission"):
            assert (await service.call(role, "GET", path)).status_code == 404
            assert (await put(role, PLANNED)).status_code == 403
        closed = (await put("mfa_reviewer", delivered(DONE, shared=True))).json()
        assert (closed["stage"], closed["overdue"], closed["version"]) == ("closed", 0, 4)
        for role in ("iom_focal_point", "embassy", "mission", "auditor"):
            listed = (await service.call(role, "GET", "/evaluations")).json()["items"]
            assert listed[0]["evaluation"]["title"] == "Last"
        assert (await service.call("admin", "GET", "/evaluations")).status_code == 403

    run(scenario)


def test_the_yearly_review_says_what_is_stored(run: Any) -> None:
    async def scenario(service: Service) -> None:
        said = (await service.call("mfa_reviewer", "GET", "/cycles/2025/review")).json()
        money = (await service.call("mfa_reviewer", "GET", "/envelopes/2025")).json()
        assert {key: said["envelope"][key] for key in ("requested", "approved", "agreed", "paid", "available")} == {
            key: money[key] for key in ("requested", "approved", "agreed", "paid", "available")
        }
        released = sum(one["amount"] for one in said["payments"] if one["state"] in ("released", "received"))
        assert released == money["paid"]
        assert said["states"] == {"agreed": 1, "rejected": 1}
        assert [one["ref"] for one in said["lessons"]] == ["DK-IOM-2023-001", "DK-IOM-2025-001"]
        assert {one["ref"] for one in said["results"]} == {"DK-IOM-2023-001", "DK-IOM-2024-001", "DK-IOM-2025-001"}
        assert [(one["stage"], one["open"], one["overdue"]) for one in said["evaluations"]] == [("answered", 2, 2)]
        assert [one["ref"] for one in said["reports"] if one["overdue"]] == ["DK-IOM-2024-001"]
        short = (await service.call("mfa_head", "GET", "/cycles/2023/review")).json()
        assert [one["difference"] for one in short["payments"]] == [0, -150]
        for language, word in (("en", "Portfolio review 2025"), ("da", "Porteføljegennemgang 2025")):
            made = await service.call("auditor", "GET", f"/cycles/2025/review?language={language}", headers=PDF)
            check_accessible(made.content, language)
            assert word in told(made.content)
        sheets = (await service.call("mfa_head", "GET", "/cycles/2025/review/workbook?language=da")).content
        read = openpyxl.load_workbook(io.BytesIO(sheets), data_only=True)
        assert read.sheetnames == [
            "Midlerne", "Forslag", "Porteføljens dækning", "Rater", "Rapporter", "Resultater indtil nu", "Evalueringer"
        ]  # fmt: skip
        assert {row[0].value: row[1].value for row in read["Midlerne"].iter_rows(min_row=2)}["Udbetalt"] == money[
            "paid"
        ]
        for role in ("iom_focal_point", "iom_office", "embassy", "mission", "admin"):
            assert (await service.call(role, "GET", "/cycles/2025/review")).status_code == 403
        assert (await service.call("mfa_head", "GET", "/cycles/2099/review")).status_code == 404

    run(scenario)


def test_an_extract_is_public_when_both_sides_have_released_the_same_text(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await approved(service)
        assert (await service.call("mfa_head", "GET", f"/proposals/{ref}/extract")).status_code == 404
        for role in ("iom_focal_point", "mfa_head"):
            await service.call(role, "POST", f"/proposals/{ref}/agreement/signatures", json={})
        path = f"/proposals/{ref}/extract"
        shown = (await service.call("iom_office", "GET", path)).json()
        assert (shown["public"], shown["released"], shown["extract"]["amounts"]) == (False, [], {"2027": 12_000_000})
        wrong = await service.call("mfa_head", "POST", f"{path}/releases", json={"sha256": "0" * 64})
        assert (wrong.status_code, wrong.json()["code"]) == (409, "text_changed")
        for role, status in (("mfa_reviewer", 403), ("iom_office", 403), ("mfa_head", 201), ("mfa_head", 409)):
            done = await service.call(role, "POST", f"{path}/releases", json={"sha256": shown["sha256"]})
            assert done.status_code == status, done.text
        assert (await service.call(None, "GET", f"/extracts/{ref}")).status_code == 404
        assert (await service.call("iom_focal_point", "POST", f"{path}/releases")).json()["public"]
        public = await service.call(None, "GET", f"/extracts/{ref}")
        assert public.json() == shown["extract"] | {"released_on": "2026-11-23"}
        listed = (await service.call(None, "GET", "/extracts")).json()["items"]
        assert [one["ref"] for one in listed] == ["DK-IOM-2023-001", ref]
        for language, word in (("en", "Results so far"), ("da", "Resultater indtil nu")):
            made = await service.call(None, "GET", f"/extracts/{ref}/pdf?language={language}")
            check_accessible(made.content, language)
            assert word in told(made.content)
            assert "Demo Focal" not in told(made.content)
        xml = (await service.call(None, "GET", "/iati/activities.xml")).text
        assert f"/api/v1/extracts/{ref}/pdf" in xml
        back = await service.call(
            "iom_focal_point", "POST", f"{path}/withdraw", json={"reason": "A partner is at risk."}
        )
        assert not back.json()["public"], back.text
        assert (await service.call(None, "GET", f"/extracts/{ref}")).status_code == 404
        twice = await service.call("iom_focal_point", "POST", f"{path}/withdraw", json={"reason": "Again."})
        assert twice.status_code == 409
        assert f"/api/v1/extracts/{ref}/pdf" not in (await service.call(None, "GET", "/iati/activities.xml")).text

    run(scenario)


def test_what_iom_reported_stands_beside_the_next_proposal_of_its_chain(run: Any) -> None:
    async def scenario(service: Service) -> None:
        for role in ("mfa_reviewer", "iom_focal_point"):
            found = (await service.call(role, "GET", "/proposals?q=twenty councils&cycle=2027")).json()["items"]
            items = (await service.call(role, "GET", f"/proposals/{found[0]['ref']}/previous")).json()["items"]
            assert [(one["ref"], one["state"], one["report"]["year"]) for one in items] == [
                ("DK-IOM-2023-001", "closed", 2025)
            ], items
            assert items[0]["paid"] == 19_665_000
            assert items[0]["report"]["report"]["lessons"].startswith("The four services")
        assert (await service.call("mfa_reviewer", "GET", "/proposals/DK-IOM-2023-001/previous")).json()["items"] == []

    run(scenario)


def test_a_report_names_files_that_hang_on_its_proposal(run: Any) -> None:
    async def scenario(service: Service) -> None:
        ref = await agreed(service)
        png = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55") + bytes.fromhex(
            "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
        )
        files = {"file": ("photo.png", png, "image/png")}
        added = await service.call("iom_office", "POST", f"/proposals/{ref}/attachments", files=files)
        assert added.status_code == 201, added.text
        said = {**await report(service, ref), "attachments": [added.json()["id"], 999]}
        path = f"/proposals/{ref}/reports/2027"
        assert (await service.call("iom_office", "PUT", path, json=said)).status_code == 200
        refused = await service.call("iom_office", "POST", f"{path}/submit")
        assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
            ("/attachments/1", "unknown_attachment")
        ]
        said["attachments"].pop()
        await service.call("iom_office", "PUT", path, json=said, headers={"If-Match": "*"})
        assert (await service.call("iom_office", "POST", f"{path}/submit")).status_code == 200
        seen = (await service.call("mfa_reviewer", "GET", path)).json()["report"]["attachments"]
        got = await service.call("mfa_reviewer", "GET", f"/proposals/{ref}/attachments/{seen[0]}")
        assert got.content == png

    run(scenario, today=date(2026, 11, 23))
