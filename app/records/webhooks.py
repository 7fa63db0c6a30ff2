"""Webhooks as rows, and their messages: who hears, what waits, what can be owed again."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from app.db import Record, Tx
from app.prepared import Hot
from app.records.access_tables import person
from app.records.among import among_given
from app.records.notice_tables import message, notice, webhook
from app.records.notices import DEAD, SENT, SUPERSEDED, WAITING

_OWNED = webhook.join(person, person.c.id == webhook.c.person_id)
_THERE = webhook.c.deleted_at.is_(None)
# Whose owner may hear: the account works, and where it is an office's webhook it still acts for that office.
_HEARS = person.c.disabled_at.is_(None) & or_(
    webhook.c.office_code.is_(None), webhook.c.office_code == person.c.office_code
)
# Dropped, not taken back: nothing newer has made it untrue.
_DROPPED = (message.c.state == SUPERSEDED) & message.c.superseded_by.is_(None)


def add(tx: Tx, values: dict[str, Any]) -> int:
    return int(tx.execute(insert(webhook).values(values).returning(webhook.c.id)).scalar_one())


def page(tx: Tx, person_id: int | None, limit: int, after: int) -> list[Record]:
    """One page of webhooks by number, a person's or everybody's, and one more if there is one."""
    query = select(webhook).where(_THERE, webhook.c.id > after).order_by(webhook.c.id).limit(limit + 1)
    return list(tx.execute(query.where(webhook.c.person_id == person_id) if person_id is not None else query))


def count_of(tx: Tx, person_id: int) -> int:
    """How many webhooks a person has."""
    return int(tx.scalar(select(func.count()).where(_THERE, webhook.c.person_id == person_id)) or 0)


def webhook_of(tx: Tx, number: int) -> Record | None:
    """A webhook that is not deleted; `hears` says whether its owner still may."""
    query = select(*webhook.c, _HEARS.label("hears")).select_from(_OWNED)
    return tx.execute(query.where(_THERE, webhook.c.id == number)).one_or_none()


def change(tx: Tx, number: int, values: dict[str, Any]) -> None:
    tx.execute(update(webhook).where(webhook.c.id == number).values(values))


def delete(tx: Tx, number: int, at: datetime) -> bool:
    """Delete a webhook, its secrets with it; False when somebody else has."""
    gone = {"deleted_at": at, "secret": "", "old_secret": None, "old_until": None}
    return tx.execute(update(webhook).where(_THERE, webhook.c.id == number).values(gone)).rowcount == 1


def blank(tx: Tx, person_id: int) -> None:
    """Take the addresses of a person's webhooks away, and what their receivers and mail servers said: it may name them."""
    own = select(webhook.c.id).where(webhook.c.person_id == person_id)
    theirs = message.c.webhook_id.in_(own) | (message.c.person_id == person_id)
    tx.execute(update(message).where(theirs).values(error=None))
    tx.execute(update(webhook).where(webhook.c.person_id == person_id).values(url=""))


def subscribed(tx: Tx, kind: str, readers: Sequence[int]) -> list[int]:
    """The webhooks that hear of a kind of notice: those of people it is for, and of the offices of those people.

    Paused ones too: what they miss is written down, and can be sent when they are resumed.
    """
    return sorted(row.id for row in _of_readers()(tx, readers=list(readers)) if hears(row, kind))


@cache
def _of_readers() -> Hot:
    reader, known = person.alias(), among_given
    offices = select(reader.c.office_code).where(known(reader.c.id, "readers"), reader.c.office_code.is_not(None))
    own = webhook.c.office_code.is_(None) & known(webhook.c.person_id, "readers")
    query = select(webhook.c.id, webhook.c.events).select_from(_OWNED).where(_THERE, _HEARS)
    return Hot(query.where(or_(own, webhook.c.office_code.in_(offices))))


def hears(row: Record, kind: str) -> bool:
    """Whether a webhook subscribes to a kind of notice."""
    events = json.loads(row.events)
    return kind in events or "*" in events


def hearing(tx: Tx) -> list[Record]:
    """Every webhook whose owner may hear: its events, whose and which office's it is, the owner's name."""
    columns = (*(webhook.c[name] for name in ("id", "events", "person_id", "office_code")), person.c.name)
    return list(tx.execute(select(*columns).select_from(_OWNED).where(_THERE, _HEARS).order_by(webhook.c.id)))


def failed(tx: Tx, number: int, most: int, lasting: bool, at: datetime) -> bool:
    """Count a failure; True when this one pauses the webhook: it is the `most`th in a row or a later one, and `lasting`."""
    counted = update(webhook).where(webhook.c.id == number).values(failures=webhook.c.failures + 1)
    failures = tx.execute(counted.returning(webhook.c.failures)).scalar_one_or_none() or 0
    here = (webhook.c.id == number) & webhook.c.paused_at.is_(None) & (webhook.c.failures >= most)
    return lasting and failures >= most and tx.execute(update(webhook).where(here).values(paused_at=at)).rowcount == 1


def succeeded(tx: Tx, number: int) -> None:
    tx.execute(update(webhook).where(webhook.c.id == number, webhook.c.failures > 0).values(failures=0))


def drop_waiting(tx: Tx, number: int, why: str) -> int:
    """Take back what waits for a webhook, saying why; how many messages. They are locked in the order of their numbers."""
    here = (message.c.webhook_id == number) & (message.c.state == WAITING)
    tx.execute(select(message.c.id).where(here).order_by(message.c.id).with_for_update())
    return tx.execute(update(message).where(here).values(state=SUPERSEDED, error=why)).rowcount


def waits(tx: Tx, number: int, kind: str) -> bool:
    """Whether a message of a kind waits for a webhook."""
    joined = message.join(notice, notice.c.id == message.c.notice_id)
    here = (message.c.webhook_id == number) & (message.c.state == WAITING) & (notice.c.kind == kind)
    return tx.scalar(select(message.c.id).select_from(joined).where(here).limit(1)) is not None


def message_of(tx: Tx, number: int, message_id: int) -> Record | None:
    """A webhook's message: its number, its state, and whether it can be owed again."""
    again = _may_come_again().label("again")
    here = (message.c.webhook_id == number) & (message.c.id == message_id)
    return tx.execute(select(message.c.id, message.c.state, again).where(here)).one_or_none()


def _may_come_again() -> ColumnElement[bool]:
    return or_(message.c.state.in_([SENT, DEAD]), _DROPPED)


def messages_between(tx: Tx, number: int, since: datetime, until: datetime, limit: int) -> list[Record]:
    """Messages that can be owed again, of what happened from `since` until before `until`; the oldest, and one more."""
    joined = message.join(notice, notice.c.id == message.c.notice_id)
    here = (message.c.webhook_id == number) & (notice.c.at >= since) & (notice.c.at < until)
    query = select(message.c.id, notice.c.at).select_from(joined).where(here, _may_come_again())
    return list(tx.execute(query.order_by(notice.c.at, message.c.id).limit(limit + 1)))


def owe_again(tx: Tx, messages: Sequence[int], at: datetime) -> int:
    """Let messages be tried anew, under the ids they have; how many."""
    values = {"state": WAITING, "next_at": at, "attempts": 0, "error": None}
    here = message.c.id.in_(messages) & _may_come_again()
    return tx.execute(update(message).where(here).values(values)).rowcount


def missed(tx: Tx, number: int) -> Record:
    """How many messages of a webhook never arrived (dead or dropped), and when the first of them happened."""
    joined = message.join(notice, notice.c.id == message.c.notice_id)
    here = (message.c.webhook_id == number) & message.c.sent_at.is_(None) & or_(message.c.state == DEAD, _DROPPED)
    query = select(func.count().label("messages"), func.min(notice.c.at).label("since"))
    return tx.execute(query.select_from(joined).where(here)).one()
