"""What was told to whom: an administrator and the auditor see everything, everybody else what went to them or their webhooks."""

import json
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor, Role
from app.errors import NotFound, refuse_unless
from app.notify import texts
from app.notify.outbox import HOOK
from app.records import notices
from app.records.notices import Wanted
from app.services import audit, deliveries, standing
from app.services.clock import Now
from app.services.deliveries import Sender
from app.services.rulebooks import Library

OVERSEERS = (Role.ADMIN, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Told:
    """A message as its reader gets it: its plain text (JSON for a webhook) and what is attached: name, kind, bytes.

    Without a text for an administrator: who sends messages again need not read them. Nor for a reader who got another role
    or office before it was sent: it was for whoever holds the old one.
    """

    head: dict[str, Any]
    text: str | None
    attached: list[tuple[str, str, int]]


def listed(
    tx: Tx, actor: Actor, wanted: Wanted, limit: int, below: int | None
) -> tuple[list[dict[str, Any]], int | None]:
    """A page of messages, the newest first, and the cursor of the next one."""
    rows = notices.page(tx, _whose(actor), wanted, limit, below)
    shown = rows[:limit]
    return [_described(row) for row in shown], shown[-1].id if len(rows) > limit else None


def _whose(actor: Actor) -> int | None:
    return None if actor.role in OVERSEERS else actor.id


def one(tx: Tx, actor: Actor, number: int, library: Library, sender: Sender, now: Now) -> Told:
    """A message that this actor may see; making a decision letter anew takes a while. NotFound for all others."""
    row = notices.message_for(tx, _whose(actor), number)
    if row is None:
        raise NotFound("notification_not_found", f"There is no notification {number} that you can see.")
    unread = row.sent_at is None and standing.readdressed(row) and actor.role is not Role.AUDITOR
    if unread or (actor.role is Role.ADMIN and row.person_id != actor.id):
        return Told(_described(row), None, [])
    if row.channel == HOOK:
        return Told(_described(row), deliveries.body_of(row).decode(), [])
    said, attached = deliveries.told(tx, row, library, sender, now)
    return Told(_described(row), said.text, [(file.name, file.kind, len(file.data)) for file in attached])


def _described(row: Record) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "ref": row.ref,
        "subject": texts.subject(row.kind, json.loads(row.facts), row.language or "en"),
        "channel": "webhook" if row.channel == HOOK else "mail",
        "webhook": row.webhook_id,
        "to": {"role": row.role, "name": row.name} if row.person_id else None,
        "state": row.state,
        "happened_at": row.happened_at,
        "sent_at": row.sent_at,
        "attempts": row.attempts,
        "error": row.error,
    }


def resend(tx: Tx, actor: Actor, number: int, now: Now) -> dict[str, Any]:
    """Let a message that is dead, or was dropped when its turn came, be tried again; its id stays, so that a receiver can
    drop a repeat. What is not true any more, or not for this reader, is not.
    """
    found = notices.messages(tx, [number])
    if not found:
        raise NotFound("notification_not_found", f"There is no notification {number}.")
    row = found[0]
    off = "The reader's account is disabled." if row.person_id and row.disabled_at else None
    why = off or standing.untrue(tx, row, now) if row.state in (notices.DEAD, notices.SUPERSEDED) else None
    refuse_unless(why is None, "untrue_since", f"It is not sent again: {why}")
    said = f"Only what is dead or was dropped is sent again by hand; this one is {row.state}."
    refuse_unless(notices.again(tx, number, now.at), "wrong_state", said)
    audit.record(tx, actor, "notification.resend", f"notification/{number}", now)
    return _described(notices.messages(tx, [number])[0])
