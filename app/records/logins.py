"""Local accounts, their second factors, and the count of guesses, as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.db import Record, Tx, insert_of
from app.records.access_tables import login, rate, recovery_code


def count(tx: Tx, name: str, began: int, by: int = 1) -> int:
    """Count an attempt, or several, under a name in the window that began then; how many there have been, these included."""
    first = insert_of(tx, rate).values(name=name, began=began, n=by)
    again = first.on_conflict_do_update(index_elements=["name", "began"], set_={"n": rate.c.n + by})
    return int(tx.execute(again.returning(rate.c.n)).scalar_one())


def forget_windows(tx: Tx, before: int, beginning: str = "") -> int:
    """Forget windows that began before then, those of names with that beginning; how many there were."""
    return tx.execute(delete(rate).where(rate.c.began < before, rate.c.name.startswith(beginning))).rowcount


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
