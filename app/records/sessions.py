"""Browser sessions and the limits of guessing, as rows."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from app.db import Hot, Record, Tx, insert_of
from app.records.access_tables import login, office, person, rate, recovery_code, session

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
    )
    .select_from(
        session.outerjoin(person, person.c.id == session.c.person_id).outerjoin(
            office, office.c.code == person.c.office_code
        )
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


def count(tx: Tx, name: str, began: int) -> int:
    """Count one attempt under a name in the window that began then; how many there have been, this one included."""
    first = insert_of(tx, rate).values(name=name, began=began, n=1)
    again = first.on_conflict_do_update(index_elements=["name", "began"], set_={"n": rate.c.n + 1})
    return int(tx.execute(again.returning(rate.c.n)).scalar_one())


def forget_windows(tx: Tx, before: int) -> int:
    return tx.execute(delete(rate).where(rate.c.began < before)).rowcount


def login_of(tx: Tx, person_id: int) -> Record | None:
    return tx.execute(select(login).where(login.c.person_id == person_id)).one_or_none()


def put_login(tx: Tx, person_id: int, values: dict[str, Any]) -> None:
    """Change a person's local account, or make it."""
    if tx.execute(update(login).where(login.c.person_id == person_id).values(values)).rowcount == 0:
        tx.execute(insert(login).values(person_id=person_id, **values))


def confirm_login(tx: Tx, person_id: int, secret: str, step: int) -> bool:
    """Take a second factor into use; False when the person has one already."""
    here = (login.c.person_id == person_id) & login.c.totp_confirmed.is_(False)
    values = {"totp_secret": secret, "totp_confirmed": True, "totp_step": step}
    return tx.execute(update(login).where(here).values(values)).rowcount == 1


def use_step(tx: Tx, person_id: int, step: int) -> bool:
    """Use up a one-time code; False when it, or a later one, has been used before."""
    here = (login.c.person_id == person_id) & (login.c.totp_step < step)
    return tx.execute(update(login).where(here).values(totp_step=step)).rowcount == 1


def put_recovery_codes(tx: Tx, person_id: int, hashes: list[bytes]) -> None:
    """Replace a person's recovery codes."""
    tx.execute(delete(recovery_code).where(recovery_code.c.person_id == person_id))
    tx.execute(insert(recovery_code), [{"person_id": person_id, "sha256": one} for one in hashes])


def use_recovery_code(tx: Tx, person_id: int, sha256: bytes, at: datetime) -> bool:
    """Use up a recovery code; False when there is none such that is not used."""
    here = (recovery_code.c.person_id == person_id) & (recovery_code.c.sha256 == sha256)
    return (
        tx.execute(update(recovery_code).where(here, recovery_code.c.used_at.is_(None)).values(used_at=at)).rowcount
        == 1
    )
