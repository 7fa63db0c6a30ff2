"""Browser sessions as rows."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from app.db import Record, Tx
from app.prepared import Hot
from app.records.access_tables import office, person, session
from app.records.notice_tables import preference

_BY_HASH = Hot(
    select(
        session.c.sha256,
        session.c.person_id,
        session.c.state,
        session.c.created_at,
        session.c.seen_at,
        session.c.authenticated_at,
        person.c.id,
        person.c.name,
        person.c.role,
        person.c.office_code,
        person.c.disabled_at,
        office.c.countries,
        preference.c.language,
    )
    .select_from(
        session.outerjoin(person, person.c.id == session.c.person_id)
        .outerjoin(office, office.c.code == person.c.office_code)
        .outerjoin(preference, preference.c.person_id == person.c.id)
    )
    .where(session.c.sha256 == bindparam("sha256"))
)


def add(tx: Tx, sha256: bytes, person_id: int | None, state: dict[str, Any], at: datetime, proved_at: datetime) -> None:
    values = {"created_at": at, "seen_at": at, "authenticated_at": proved_at}
    tx.execute(insert(session).values(sha256=sha256, person_id=person_id, state=json.dumps(state), **values))


def by_hash(tx: Tx, sha256: bytes) -> Record | None:
    """The session with that hash, with its person where somebody is logged in."""
    return next(iter(_BY_HASH(tx, sha256=sha256)), None)


def set_state(tx: Tx, sha256: bytes, state: dict[str, Any]) -> None:
    tx.execute(update(session).where(session.c.sha256 == sha256).values(state=json.dumps(state)))


def touch(tx: Tx, sha256: bytes, at: datetime) -> None:
    tx.execute(update(session).where(session.c.sha256 == sha256).values(seen_at=at))


def end(tx: Tx, sha256: bytes) -> bool:
    return tx.execute(delete(session).where(session.c.sha256 == sha256)).rowcount == 1


def end_all(tx: Tx, person_id: int) -> None:
    tx.execute(delete(session).where(session.c.person_id == person_id))


def end_before(tx: Tx, seen: datetime, created: datetime) -> int:
    """Delete sessions not seen since, or made before; how many there were."""
    return tx.execute(delete(session).where((session.c.seen_at < seen) | (session.c.created_at < created))).rowcount
