"""The pages about money: few statements however much there is, nothing told too early, refusals where they happen."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from app.db import Tx
from app.domain.report import DONE
from app.records import people, proposals, reports
from app.services import reporting
from app.web.pages.deeds import amount
from app.web.pages.figures import plain
from tests.conftest import Service
from tests.web.test_engagements import counting

OPEN, AGREED, CLOSED = "DK-IOM-2026-001", "DK-IOM-2025-001", "DK-IOM-2023-001"
PAGES = [
    ("mfa_finance", f"/proposals/{OPEN}/money"),
    ("mfa_finance", f"/proposals/{AGREED}/money"),
    ("iom_focal_point", f"/proposals/{AGREED}/amendments"),
    ("mfa_reviewer", f"/proposals/{AGREED}/reports"),
    ("iom_focal_point", f"/proposals/{AGREED}/reports/2026"),
    ("mfa_reviewer", f"/proposals/{AGREED}/reports/2025"),
    ("mfa_head", f"/proposals/{CLOSED}/extract"),
    ("mfa_finance", "/payments"),
    ("admin", "/envelopes"),
]
MOST = 12


async def opened(service: Service, role: str, path: str, **form: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {service.accounts[role]['token']}", "Accept": "text/html"}
    if form:
        return await service.client.post(path, data=form, headers=headers)
    return await service.client.get(path, headers=headers)


async def fuller(service: Service) -> None:
    """Many tranches, an amendment that waits and a report on every proposal that owes one."""
    for month in range(1, 10):
        value = {"year": 2026, "amount": 1000, "due_on": f"2027-0{month}-01"}
        step = await service.call("mfa_finance", "POST", f"/proposals/{OPEN}/payments", json=value)
        assert step.status_code in (201, 409)
    change = {"reason": "Less in all.", "amounts": {"2025": 10600000, "2026": 11780000}}
    assert (await service.call("mfa_head", "POST", f"/proposals/{AGREED}/amendments", json=change)).status_code == 201
    for ref, year in (("DK-IOM-2023-002", 2023), ("DK-IOM-2023-002", 2024), ("DK-IOM-2024-001", 2025)):
        answer = await service.call("iom_focal_point", "PUT", f"/proposals/{ref}/reports/{year}", json={})
        assert answer.status_code == 200, answer.text


def test_no_page_makes_more_than_a_dozen_statements_whatever_there_is(run: Any) -> None:
    async def scenario(service: Service) -> None:
        before = {path: await ran(service, role, path, counting) for role, path in PAGES}
        await fuller(service)
        for role, path in PAGES:
            number = await ran(service, role, path, counting)
            assert number <= MOST, (path, number)
            assert number == before[path], path

    run(scenario)


async def ran(service: Service, role: str, path: str, counted: Callable[[], AbstractContextManager[list[str]]]) -> int:
    with counted() as statements:
        answer = await opened(service, role, path)
    assert answer.status_code == 200, path
    return len([one for one in statements if not one.startswith(("PRAGMA", "BEGIN", "SELECT pg_"))])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_double_click_plans_one_tranche_and_a_stale_step_is_refused_in_place(run: Any) -> None:
    async def scenario(service: Service) -> None:
        listed = await service.call("mfa_finance", "GET", f"/proposals/{OPEN}/payments")
        first = listed.json()["items"][0]
        why = {"version": str(first["version"]), "reason": "Later.", "tranche": "1", "step": "cancel"}
        place = f"/proposals/{OPEN}/tranches/{first['id']}/cancel"
        assert (await opened(service, "mfa_finance", place, **why)).status_code == 303
        again = await opened(service, "mfa_finance", place, **why)
        assert again.status_code == 412
        assert "read it again" in again.text
        page = (await opened(service, "mfa_finance", f"/proposals/{OPEN}/money")).text
        seen = page.partition('name="seen" value="')[2].partition('"')[0]
        new = {"seen": seen, "year": "2026", "amount": "1.000.000", "due_on": "2026-12-20"}
        assert (await opened(service, "mfa_finance", f"/proposals/{OPEN}/tranches", **new)).status_code == 303
        twice = await opened(service, "mfa_finance", f"/proposals/{OPEN}/tranches", **new)
        assert twice.status_code == 409
        assert "The tranches have changed since" in twice.text
        assert 'value="1.000.000"' in twice.text
        elsewhere = f"/proposals/{AGREED}/tranches/{first['id']}/prepare"
        assert (await opened(service, "mfa_finance", elsewhere, version="1")).status_code == 404

    run(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_text_that_changed_since_it_was_read_is_not_signed(run: Any) -> None:
    async def scenario(service: Service) -> None:
        place = f"/proposals/{OPEN}/agreement/sign"
        answer = await opened(service, "mfa_head", place, sha256="0" * 64)
        assert answer.status_code == 409
        assert "The text is another one now" in answer.text
        assert (await opened(service, "mfa_head", place, sha256="")).status_code == 422
        assert (await opened(service, "mfa_finance", place, sha256="0" * 64)).status_code == 403
        agreement = (await service.call("mfa_head", "GET", f"/proposals/{OPEN}/agreement")).json()
        lines = agreement["text"]["budget"]
        form = {"version": str(agreement["version"]), **lined(lines)}
        over = {**form, "line-0-amount": "99.000.000"}
        refused = await opened(service, "iom_focal_point", f"/proposals/{OPEN}/agreement/budget", **over)
        assert refused.status_code == 422
        assert 'value="99.000.000"' in refused.text
        less = {**form, "line-0-amount": "1"}
        taken = await opened(service, "iom_focal_point", f"/proposals/{OPEN}/agreement/budget", **less)
        assert taken.status_code == 303
        after = (await service.call("mfa_head", "GET", f"/proposals/{OPEN}/agreement")).json()
        assert after["text"]["budget"] == [{**lines[0], "amount": 1}, *lines[1:]]
        assert after["signatures"] == []

    run(scenario)


def lined(lines: list[dict[str, Any]]) -> dict[str, str]:
    named = {"year": "year", "category": "category", "activity_ref": "activity", "amount": "amount"}
    return {
        f"line-{at}-{field}": str(line[name] if line[name] is not None else "")
        for at, line in enumerate(lines)
        for name, field in named.items()
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_files_come_as_their_readers_need_them_and_only_to_them(run: Any) -> None:
    async def scenario(service: Service) -> None:
        paper = await opened(service, "mission", f"/proposals/{OPEN}/agreement.pdf")
        assert paper.headers["content-type"] == "application/pdf"
        sheet = await opened(service, "embassy", "/payments.csv?state=received&year=2024")
        assert sheet.headers["content-type"].startswith("text/csv")
        whole = await service.call("embassy", "GET", "/payments?state=received&year=2024")
        assert len(sheet.text.strip().splitlines()) == len(whole.json()["items"]) + 1
        books = await opened(service, "mfa_finance", "/payments/export?from=2025-04-01&to=2025-04-30")
        assert books.headers["content-disposition"] == 'attachment; filename="payments-2025-04-01-2025-04-30.csv"'
        refused = await opened(service, "mfa_finance", "/payments/export?from=2026-11-23&to=2026-11-23")
        assert refused.status_code == 422
        assert "is not over" in refused.text
        assert (await opened(service, "iom_focal_point", "/payments/export?from=2025-04-01&to=x")).status_code == 403
        shown = (await opened(service, "iom_office", f"/proposals/{CLOSED}/money")).text
        assert "Demo Finance" not in shown  # who prepared and released is the ministry's

    run(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_extract_is_released_by_its_hash_and_taken_back_with_a_reason(run: Any) -> None:
    async def scenario(service: Service) -> None:
        place = f"/proposals/{AGREED}/extract"
        stale = await opened(service, "mfa_head", f"{place}/release", sha256="0" * 64)
        assert stale.status_code == 409
        page = (await opened(service, "mfa_head", place)).text
        sha = page.partition('name="sha256" value="')[2][:64]
        for role in ("mfa_head", "iom_focal_point"):
            assert (await opened(service, role, f"{place}/release", sha256=sha)).status_code == 303
        assert (await service.call(None, "GET", f"/extracts/{AGREED}")).status_code == 200
        bare = await opened(service, "iom_focal_point", f"{place}/withdraw", reason="")
        assert bare.status_code == 422
        gone = await opened(service, "iom_focal_point", f"{place}/withdraw", reason="A partner is in danger.")
        assert gone.status_code == 303
        assert (await service.call(None, "GET", f"/extracts/{AGREED}")).status_code == 404

    run(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_report_comes_from_a_file_and_an_office_finds_only_its_own_to_write(run: Any) -> None:
    async def scenario(service: Service) -> None:
        headers = {"Authorization": f"Bearer {service.accounts['iom_focal_point']['token']}", "Accept": "text/html"}
        path, file = f"/proposals/{AGREED}/reports/2026", {"file": ("r.json", b'{"lessons": "Ask herders first."}')}
        sent = await service.client.post(path, data={"version": "0"}, files=file, headers=headers)
        assert sent.status_code == 303
        assert "Ask herders first." in (await opened(service, "iom_focal_point", path)).text
        odd = {"file": ("r.json", b'{"lessons": 1, "unknown": 2}')}
        refused = await service.client.post(path, data={"version": "1"}, files=odd, headers=headers)
        assert refused.status_code == 422
        assert "There is no member" in refused.text or "unknown" in refused.text
        binary = await service.client.post(
            path, data={"version": "1"}, files={"file": ("r", b"\xff\xfe")}, headers=headers
        )
        assert binary.status_code == 422
        assert (await opened(service, "iom_office", f"{path}")).status_code == 404
        assert AGREED not in (await opened(service, "iom_office", "/payments")).text
        assert (await opened(service, "iom_office", f"/proposals/{CLOSED}/reports/1999")).status_code == 404

    run(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_value_that_reads_as_two_numbers_is_refused_and_one_decimal_sign_taken(run: Any) -> None:
    async def scenario(service: Service) -> None:
        path = f"/proposals/{AGREED}/reports/2026"
        for said in ("1,250", "1.250", "1 250", "-12.345.678", "1\u00a0250"):
            sent = {"version": "0", "lessons": "Kept.", "value-0": said, "parts-0": "women 1,300"}
            refused = await opened(service, "iom_focal_point", path, **sent)
            assert refused.status_code == 422
            assert "can be read in two ways" in refused.text
            assert f'value="{said}"' in refused.text
        for at, (said, kept) in enumerate((("1,25", 1.25), ("1.25", 1.25), ("0,125", 0.125), ("1250", 1250))):
            sent = {"version": str(at), "lessons": "Kept.", "value-0": said}
            assert (await opened(service, "iom_focal_point", path, **sent)).status_code == 303
            report = (await service.call("iom_focal_point", "GET", f"/proposals/{AGREED}/reports/2026")).json()[
                "report"
            ]
            assert report["indicators"][0]["value"] == kept

    run(scenario)


def test_a_measured_value_of_three_decimals_comes_back_from_its_field_as_it_was() -> None:
    assert [plain(one) for one in (1.234, 0.125, 12.5, 1250)] == ["1.2340", "0.1250", "12.5", "1250"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1250", 1250), (" 12.000.000 ", 12_000_000), ("1,250", 1250), ("1 250 000", 1_250_000),
        ("1\u00a0250", 1250), ("999.999.999.999.999", 999_999_999_999_999),
        *((one, one) for one in ("1.234,567", "1 234.567", "1.5", "1,50", "1e6", "-5", "", "1.2345", "9" * 5000,
                                 "1" + ".000" * 5)),
    ],
)  # fmt: skip
def test_an_amount_is_grouped_by_one_sign_or_left_to_be_refused(said: str, meant: int | str) -> None:
    assert amount(said) == meant


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_form_made_before_an_amendment_came_into_force_cannot_undo_it(run: Any) -> None:
    async def scenario(service: Service) -> None:
        path = f"/proposals/{AGREED}/amendments"
        page = (await opened(service, "iom_focal_point", path)).text
        agreement = (await service.call("mfa_head", "GET", f"/proposals/{AGREED}/agreement")).json()
        text, seen = agreement["text"], page.partition('name="seen" value="')[2][:64]
        assert seen == agreement["sha256"]
        (first, _amount), *more = text["amounts"].items()
        form = {
            "seen": seen,
            "reason": "Mine.",
            **{f"year-{year}": str(one) for year, one in more},
            **lined(text["budget"]),
        }
        assert more
        less = {"reason": "Another line.", "budget": [{**text["budget"][0], "amount": 1}, *text["budget"][1:]]}
        assert (await service.call("mfa_head", "POST", path, json=less)).status_code == 201
        for role in ("mfa_head", "iom_focal_point"):
            assert (await service.call(role, "POST", f"{path}/1/signatures", json={})).status_code == 201
        refused = await opened(service, "iom_focal_point", path, **form, **{f"year-{first}": ""})
        assert refused.status_code == 409
        assert "The agreement has changed since" in refused.text
        assert ">Mine.</textarea>" in refused.text
        cleared = refused.text.partition(f'name="year-{first}"')[2].partition('value="')[2].partition('"')[0]
        assert cleared == ""

    run(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_after_a_lost_session_a_paper_leads_back_to_the_page_it_was_sent_from(run: Any) -> None:
    async def scenario(service: Service) -> None:
        form = f"/proposals/{AGREED}/papers"
        own = f"http://{service.client.base_url.netloc.decode()}"
        for referer, place in (
            (f"{own}{form}?said=attached", f"{form}?said=attached"),
            (f"http://elsewhere.test{form}", form),
            (f"{own}//elsewhere.test/", "/"),
            ("http://[", form),
            ("", form),
        ):
            headers = {"Accept": "text/html", "Referer": referer, "Sec-Fetch-Site": "same-origin"}
            sent = await service.client.post(form, files={"file": ("r.pdf", b"%PDF-")}, headers=headers)
            assert sent.headers["Location"] == f"/login?{urlencode({'next': place})}"

    run(scenario)


def test_what_is_owed_is_found_without_the_texts_as_the_proposals_say_it(run: Any) -> None:
    async def scenario(service: Service) -> None:
        here = service.house

        def compared(tx: Tx) -> int:
            number = 0
            signed = [row.ref for row in proposals.signed(tx) if row.state in ("agreed", "disbursed")]
            for role in ("mfa_finance", "iom_office", "embassy"):
                actor = people.person_by_email(tx, service.accounts[role]["email"])
                assert actor
                for today in (date(2024, 6, 1), date(2026, 6, 1), date(2030, 6, 1)):
                    now = replace(here.now(), today=today)
                    wanted = {
                        (ref, one["year"])
                        for ref in signed
                        if proposals.proposal_for(tx, actor, ref)
                        for one in reporting.listed(tx, actor, ref, here.book.framework, now)
                        if one["state"] not in DONE and one["year"] < today.year
                    }
                    found = reports.owed(tx, actor, range(2020, today.year), 1000)
                    assert {(one.ref, one.year) for one in found} == wanted
                    number += len(wanted)
            assert not reports.owed(tx, actor, range(2020, 2020), 10)
            return number

        assert await here.database.read(compared) > 10

    run(scenario)
