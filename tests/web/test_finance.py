"""What the finance system books: every released payment in the file of one day, the same bytes whenever it is asked for."""

from datetime import date, timedelta
from typing import Any

from tests.conftest import TODAY, Service
from tests.web.test_payments import APPROVED, approved, scheduled, sign, step
from tests.web.test_sheets import CSV, rows_of

DAYS = [TODAY + timedelta(days=n) for n in range(3)]


async def file_of(service: Service, first: date, last: date, role: str = "mfa_finance") -> Any:
    return await service.call(role, "GET", f"/payments/export?from={first}&to={last}", headers=CSV)


def test_a_released_payment_is_in_the_file_of_one_day_and_of_no_other(run: Any) -> None:
    kept: dict[str, Any] = {}

    async def plan(service: Service) -> None:
        kept["ref"] = await approved(service)
        kept["numbers"] = [await scheduled(service, kept["ref"], APPROVED // 4) for _ in range(4)]
        for role in ("iom_focal_point", "mfa_head"):
            kept["sha256"] = (await sign(service, role, kept["ref"])).json()["sha256"]
        for number in kept["numbers"]:
            await step(service, "mfa_finance", number, "prepare")

    def release(*places: int) -> Any:
        async def scenario(service: Service) -> None:
            for place in places:
                done = await step(service, "mfa_finance_2", kept["numbers"][place], "release")
                assert done.status_code == 200, done.text

        return scenario

    async def ask(service: Service) -> None:
        files = [rows_of((await file_of(service, day, day)).content) for day in DAYS]
        assert [[int(one["id"]) for one in rows] for rows in files] == [
            [kept["numbers"][1], kept["numbers"][0]],
            [],
            [kept["numbers"][2]],
        ]
        whole = await file_of(service, DAYS[0], DAYS[2])
        assert rows_of(whole.content) == [*files[0], *files[1], *files[2]]
        assert whole.headers["Content-Disposition"] == 'attachment; filename="payments-2026-11-23-2026-11-25.csv"'
        first = files[0][0]
        assert first["released_on"] == "2026-11-23"
        assert (first["amount"], first["currency"], first["tranche"]) == (str(APPROVED // 4), "DKK", "2")
        assert (first["finance_act_code"], first["file_number"]) == ("06.32.10.14", "2022-18394")
        assert first["payee.name"] == "International Organization for Migration (IOM)"
        assert first["agreement_sha256"] == kept["sha256"]
        assert first["released_by.id"] != first["prepared_by.id"]
        assert (await step(service, "iom_focal_point", kept["numbers"][0], "receive")).status_code == 200
        for role in ("mfa_finance", "mfa_head", "auditor"):
            assert (await file_of(service, DAYS[0], DAYS[2], role)).content == whole.content, (
                "a receipt changes nothing"
            )
        for role in ("mfa_reviewer", "iom_focal_point", "mission"):
            assert (await file_of(service, DAYS[0], DAYS[2], role)).status_code == 403
        today = await file_of(service, DAYS[0], DAYS[2] + timedelta(days=1))
        assert [one["code"] for one in today.json()["errors"]] == ["day_not_over"]
        back = await file_of(service, DAYS[2], DAYS[0])
        assert [one["code"] for one in back.json()["errors"]] == ["before_from"]
        ever = rows_of((await file_of(service, date(2023, 1, 1), DAYS[2])).content)
        listed = await service.call("auditor", "GET", "/payments?limit=200&state=released&state=received")
        assert sorted(int(one["id"]) for one in ever) == sorted(one["id"] for one in listed.json()["items"])

    run(plan)
    run(release(1, 0))
    run(release(2), today=DAYS[2])
    run(ask, today=DAYS[2] + timedelta(days=1))


def test_the_list_of_payments_shows_what_its_reader_sees(run: Any) -> None:
    async def scenario(service: Service) -> None:
        async def listed(role: str, query: str = "") -> list[dict[str, Any]]:
            answer = await service.call(role, "GET", f"/payments{query}")
            assert answer.status_code == 200, answer.text
            return list(answer.json()["items"])

        everything = await listed("mfa_finance", "?limit=200")
        assert len(everything) > 3
        assert await listed("iom_focal_point", "?limit=200") == everything
        for role in ("iom_office", "embassy"):
            seen = {one["ref"] for one in (await service.call(role, "GET", "/proposals?limit=200")).json()["items"]}
            assert await listed(role, "?limit=200") == [one for one in everything if one["ref"] in seen]
        assert await listed("auditor", "?year=2024") == [one for one in everything if one["year"] == 2024]
        assert await listed("auditor", "?cycle=2023") == [one for one in everything if "-2023-" in one["ref"]]
        page = (await service.call("auditor", "GET", "/payments?limit=2")).json()
        more = await listed("auditor", f"?limit=200&cursor={page['next_cursor']}")
        assert [*page["items"], *more] == everything
        assert (await service.call("admin", "GET", "/payments")).status_code == 403

    run(scenario)
