"""The first answers to requests that carried an Idempotency-Key."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.db import Record, Tx
from app.records.tables import idempotency_key


def claim(tx: Tx, person_id: int, key: str, request_sha256: bytes, at: datetime) -> bool:
    """Take the key for this request; False when it is taken. On PostgreSQL this waits for a transaction that holds it."""
    values = {"person_id": person_id, "key": key, "request_sha256": request_sha256, "created_at": at}
    try:
        with tx.begin_nested():
            tx.execute(insert(idempotency_key).values(values))
    except IntegrityError:
        return False
    return True


def _of(person_id: int, key: str) -> Any:
    return (idempotency_key.c.person_id == person_id) & (idempotency_key.c.key == key)


def answer_of(tx: Tx, person_id: int, key: str) -> Record | None:
    return tx.execute(select(idempotency_key).where(_of(person_id, key))).one_or_none()


def keep_answer(tx: Tx, person_id: int, key: str, status: int, headers: str, body: bytes) -> None:
    """Keep the answer beside the effect, in the same transaction."""
    tx.execute(update(idempotency_key).where(_of(person_id, key)).values(status=status, headers=headers, body=body))


def forget_before(tx: Tx, moment: datetime) -> int:
    """Forget keys older than that; how many there were."""
    return tx.execute(delete(idempotency_key).where(idempotency_key.c.created_at < moment)).rowcount


def forget_saying(tx: Tx, person_id: int, words: tuple[str, ...]) -> None:
    """Forget a person's keys, and every kept answer in which one of the words stands."""
    rows = tx.execute(select(idempotency_key.c.person_id, idempotency_key.c.key, idempotency_key.c.body))
    for row in list(rows):
        if row.person_id == person_id or any(word.encode() in (row.body or b"") for word in words):
            tx.execute(delete(idempotency_key).where(_of(row.person_id, row.key)))
