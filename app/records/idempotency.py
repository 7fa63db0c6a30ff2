"""The first answers to requests that carried an Idempotency-Key."""

from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, delete, select, update

from app.db import Record, Tx, insert_into
from app.prepared import Hot
from app.records.tables import idempotency_key

_HERE = (idempotency_key.c.person_id == bindparam("by_person")) & (idempotency_key.c.key == bindparam("by_key"))
_ANSWER = Hot(select(idempotency_key).where(_HERE))
_KEEP = Hot(update(idempotency_key).where(_HERE), ["status", "headers", "body"])
_FORGET = Hot(delete(idempotency_key).where(_HERE))


def claim(tx: Tx, person_id: int, key: str, request_sha256: bytes, at: datetime) -> bool:
    """Take the key for this request; False when it is taken. On PostgreSQL this waits for a transaction that holds it."""
    values = {"person_id": person_id, "key": key, "request_sha256": request_sha256, "created_at": at}
    return bool(_claiming(tx.dialect.name)(tx, **values))


@cache
def _claiming(dialect: str) -> Hot:
    adding = insert_into(dialect, idempotency_key).on_conflict_do_nothing().returning(idempotency_key.c.key)
    return Hot(adding, ["person_id", "key", "request_sha256", "created_at"])


def answer_of(tx: Tx, person_id: int, key: str) -> Record | None:
    return next(iter(_ANSWER(tx, by_person=person_id, by_key=key)), None)


def keep_answer(tx: Tx, person_id: int, key: str, status: int, headers: str, body: bytes) -> None:
    """Keep the answer beside the effect, in the same transaction."""
    _KEEP.changed(tx, by_person=person_id, by_key=key, status=status, headers=headers, body=body)


def forget_before(tx: Tx, moment: datetime) -> int:
    """Forget keys older than that; how many there were."""
    return tx.execute(delete(idempotency_key).where(idempotency_key.c.created_at < moment)).rowcount


def forget_saying(tx: Tx, person_id: int, words: tuple[str, ...]) -> None:
    """Forget a person's keys, and every kept answer in which one of the words stands."""
    rows = tx.execute(select(idempotency_key.c.person_id, idempotency_key.c.key, idempotency_key.c.body))
    for row in list(rows):
        if row.person_id == person_id or any(word.encode() in (row.body or b"") for word in words):
            _FORGET.changed(tx, by_person=row.person_id, by_key=row.key)
