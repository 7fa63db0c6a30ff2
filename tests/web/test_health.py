"""What a balancer reads: what takes an instance out, and what is only told."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import update

from app.records.notice_tables import message, notice
from tests.conftest import Service


def test_an_old_queue_is_told_but_takes_no_instance_out(run: Any) -> None:
    async def scenario(service: Service) -> None:
        assert (await _ready(service))["checks"]["queue"] == "ok"
        await service.house.database.write(partial(_deaf, since=service.house.now().at - timedelta(hours=2)))
        said = await _ready(service)
        assert said["status"] == "ready"
        told = {"database": "ok", "migrations": "ok", "rulebook": "2023.1", "queue": "late 7200 s", "files": "ok"}
        assert said["checks"] == told

    run(scenario)


def _deaf(tx: Any, since: Any) -> None:
    """As if the mail server had not taken the newest message, tried again and again since it was owed."""
    newest = tx.execute(message.select().order_by(message.c.id.desc()).limit(1)).one()
    later = {"state": "waiting", "attempts": 5, "next_at": since + timedelta(days=1)}
    tx.execute(update(message).where(message.c.id == newest.id).values(later))
    tx.execute(update(notice).where(notice.c.id == newest.notice_id).values(at=since))


async def _ready(service: Service) -> Any:
    answer = await service.client.get("/health/ready")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_store_that_is_not_there_is_told(run: Any, tmp_path: Path) -> None:
    async def scenario(service: Service) -> None:
        await asyncio.to_thread((tmp_path / "files").rmdir)
        assert (await _ready(service))["checks"]["files"] == "full, or not to be written"

    run(scenario)
