"""Webhooks as rows."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from app.db import Record, Tx
from app.records.access_tables import person
from app.records.notice_tables import webhook


def add(tx: Tx, values: dict[str, Any]) -> int:
    return int(tx.execute(insert(webhook).values(values).returning(webhook.c.id)).scalar_one())


def of_person(tx: Tx, person_id: int) -> list[Record]:
    """A person's webhooks that are not deleted, oldest first."""
    here = (webhook.c.person_id == person_id) & webhook.c.deleted_at.is_(None)
    return list(tx.execute(select(webhook).where(here).order_by(webhook.c.id)))


def webhook_of(tx: Tx, number: int) -> Record | None:
    return tx.execute(select(webhook).where(webhook.c.id == number, webhook.c.deleted_at.is_(None))).one_or_none()


def change(tx: Tx, number: int, values: dict[str, Any]) -> None:
    tx.execute(update(webhook).where(webhook.c.id == number).values(values))


def subscribed(tx: Tx, kind: str, readers: Sequence[int]) -> list[int]:
    """The webhooks that hear of a kind of notice: those of people it is for, or of anybody of their office."""
    offices = select(person.c.office_code).where(person.c.id.in_(readers), person.c.office_code.is_not(None))
    live = webhook.c.deleted_at.is_(None) & webhook.c.paused_at.is_(None)
    query = select(webhook.c.id, webhook.c.events).where(live)
    rows = tx.execute(query.where(or_(webhook.c.person_id.in_(readers), webhook.c.office_code.in_(offices))))
    return sorted(row.id for row in rows if kind in json.loads(row.events) or "*" in json.loads(row.events))


def failed(tx: Tx, number: int, most: int, at: datetime) -> bool:
    """Count a failure; True when this one pauses the webhook."""
    counted = update(webhook).where(webhook.c.id == number).values(failures=webhook.c.failures + 1)
    failures = tx.execute(counted.returning(webhook.c.failures)).scalar_one_or_none() or 0
    here = (webhook.c.id == number) & webhook.c.paused_at.is_(None) & (webhook.c.failures >= most)
    return failures >= most and tx.execute(update(webhook).where(here).values(paused_at=at)).rowcount == 1


def succeeded(tx: Tx, number: int) -> None:
    tx.execute(update(webhook).where(webhook.c.id == number, webhook.c.failures > 0).values(failures=0))
