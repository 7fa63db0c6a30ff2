"""The audit log: rows that are only ever added, each chained to the one before by its hash."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from app.db import Record, Tx
from app.prepared import Hot, add
from app.records.access_tables import audit, audit_head

_HEAD = update(audit_head).where(audit_head.c.id == 1)
_RAISED = Hot(_HEAD.values(seq=audit_head.c.seq + 1).returning(audit_head.c.seq, audit_head.c.hash))
_MOVED = Hot(_HEAD.values(hash=bindparam("new")))


def next_place(tx: Tx) -> tuple[int, str]:
    """The next entry's number and the hash of the entry before; held until this transaction ends."""
    row = _RAISED(tx)[0]
    return int(row.seq), str(row.hash)


def append(tx: Tx, values: dict[str, Any]) -> None:
    """Add an entry and move the head to it."""
    add(tx, audit, values)
    _MOVED.changed(tx, new=values["hash"])


def hash_at(tx: Tx, seq: int) -> str | None:
    """The hash of one entry; None where there is none."""
    return tx.scalar(select(audit.c.hash).where(audit.c.seq == seq))


def head(tx: Tx) -> Record | None:
    """Number and hash of the last entry (0 and zeros before the first); None only when somebody took the head away."""
    return tx.execute(select(audit_head)).one_or_none()


def entries(tx: Tx) -> Iterator[Record]:
    """Every entry, oldest first, a thousand at a time."""
    last = -1
    while rows := list(tx.execute(select(audit).where(audit.c.seq > last).order_by(audit.c.seq).limit(1000))):
        yield from rows
        last = rows[-1].seq


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader of the log asks for; `below` is the number of the last entry of the page before."""

    event: str | None = None
    person: int | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50
    below: int | None = None


def page(tx: Tx, wanted: Wanted) -> list[Record]:
    """One page of entries, newest first, and one more if there is one."""
    query = select(audit)
    if wanted.event is not None:
        query = query.where(audit.c.event == wanted.event)
    if wanted.person is not None:
        query = query.where(audit.c.person_id == wanted.person)
    if wanted.subject is not None:
        query = query.where(audit.c.subject == wanted.subject)
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit.c.at < wanted.until)
    if wanted.below is not None:
        query = query.where(audit.c.seq < wanted.below)
    return list(tx.execute(query.order_by(audit.c.seq.desc()).limit(wanted.limit + 1)))


def first_hash(tx: Tx) -> str | None:
    """The hash of the first entry; None while there is none."""
    return tx.scalar(select(audit.c.hash).where(audit.c.seq == 1))


_LAST = select(func.max(audit.c.seq)).where(audit.c.event == bindparam("event")).scalar_subquery()
_NEWEST = Hot(select(audit.c.subject, audit.c.after_sha256).where(audit.c.seq == _LAST))


def newest_of(tx: Tx, event: str) -> Any:
    """Subject and hash of the newest entry of an event; None where there is none. For what is looked at again and again."""
    return next(iter(_NEWEST(tx, event=event)), None)


def last_of(tx: Tx, event: str) -> Record | None:
    """The newest entry of an event."""
    return tx.execute(select(audit).where(audit.c.event == event).order_by(audit.c.seq.desc()).limit(1)).one_or_none()


def forget_addresses(tx: Tx, person_id: int) -> None:
    """Take away where a person's entries came from; it stands beside what is hashed."""
    theirs = (audit.c.person_id == person_id) | (audit.c.subject == f"user/{person_id}")
    tx.execute(update(audit).where(theirs).values(address=None))
