"""A disk that is full, as SQLite meets it: refusals in words, nothing half done, and on it goes when there is room."""

from typing import Any

import pytest

from app.db import Tx
from app.services import integrity
from app.services.rulebooks import open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK, Service
from tests.web.test_together import BODY


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_a_full_disk_all_or_nothing_is_done_and_with_room_it_goes_on(run: Any, record_property: Any) -> None:
    async def scenario(service: Service) -> None:
        database = service.house.database

        async def allow(pages: int) -> None:
            await database.write(lambda tx: tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}"))

        def pragma(tx: Tx, name: str) -> int:
            return int(tx.exec_driver_sql(f"PRAGMA {name}").scalar_one())

        def stored(tx: Tx) -> int:
            return int(tx.exec_driver_sql("SELECT count(*) FROM proposal").scalar_one())

        before = await database.read(stored)
        await allow(await database.read(lambda tx: pragma(tx, "page_count") - pragma(tx, "freelist_count")) + 40)
        answers = [await service.call("iom_focal_point", "POST", "/proposals", json=BODY) for _ in range(60)]
        taken = [answer for answer in answers if answer.status_code == 201]
        refused = [answer for answer in answers if answer.status_code != 201]
        record_property("done", len(taken))
        record_property("refused", len(refused))
        assert taken
        assert refused
        assert {(one.status_code, one.json()["code"]) for one in refused} == {(503, "database_full")}
        assert all(one.headers["Retry-After"] for one in refused)
        assert await database.read(stored) == before + len(taken)
        assert not await database.read(lambda tx: integrity.faults(tx, open_library(RULES, FRAMEWORK)))
        assert (await service.call("iom_focal_point", "GET", "/proposals")).status_code == 200
        await allow(2**30)
        assert (await service.call("iom_focal_point", "POST", "/proposals", json=BODY)).status_code == 201

    run(scenario)
