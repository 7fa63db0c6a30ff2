"""Webhooks: registered, rotated, tried out, paused after failures, resumed, replayed, ended with their owner's role or office."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import day_of
from app.domain.people import Actor
from app.errors import Fault, Forbidden, Invalid, NotFound, refuse_unless
from app.faults import did_you_mean, pointer
from app.notify import hooks, outbox
from app.notify.hooks import Network
from app.notify.mail import Permanent
from app.notify.notices import NOTICES
from app.records import people, webhooks
from app.services import access, audit
from app.services.clock import Now

MOST = 10  # webhooks of a person
FAILURES = 20  # in a row, until a webhook is paused,
PATIENCE = 10  # if one message was among them that was tried so often: for a quarter of an hour
OLD_HOLDS = timedelta(hours=24)  # how long the secret before a rotation signs too
MOST_REPLAYED = 1000
EVERYTHING = "*"
EVENTS = tuple(kind for kind, one in NOTICES.items() if not one.private)


def listed(tx: Tx, actor: Actor, limit: int, after: int) -> tuple[list[dict[str, Any]], int | None]:
    """One page of webhooks without their secrets: one's own, for an administrator everybody's."""
    rows = webhooks.page(tx, None if access.over_all(actor) else actor.id, limit, after)
    return [_described(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None


def _described(row: Record) -> dict[str, Any]:
    return {
        "id": row.id,
        "person": row.person_id,
        "office": row.office_code,
        "url": row.url,
        "events": json.loads(row.events),
        "failures": row.failures,
        "paused_at": row.paused_at,
        "old_secret_until": row.old_until,
        "created_at": row.created_at,
    }


def add(
    tx: Tx, actor: Actor, url: str, events: Sequence[str], of_office: bool, allowed: Sequence[Network], now: Now
) -> dict[str, Any]:
    """Register a webhook, one's own or one's office's; with its secret, which is shown here and never again."""
    faults = _faults_in(actor, url, events, of_office, allowed)
    if faults:
        raise Invalid("validation_failed", "The webhook cannot be registered.", faults=faults)
    said = f"You have {MOST} webhooks, which is the most there can be; delete one first."
    people.hold(tx, actor.id)  # two at once are counted one after the other
    refuse_unless(webhooks.count_of(tx, actor.id) < MOST, "too_many_webhooks", said)
    secret, office = hooks.new_secret(), actor.office if of_office else None
    values = {"person_id": actor.id, "office_code": office, "url": url, "events": json.dumps(list(events))}
    number = webhooks.add(tx, {**values, "secret": secret, "created_at": now.at})
    facts: audit.Facts = {"events": list(events), "office": office}
    audit.record(tx, actor, "webhook.add", name(number), now, facts, after=audit.digest(url))
    return {**_described(_seen(tx, actor, number)), "secret": secret}


def _faults_in(
    actor: Actor, url: str, events: Sequence[str], of_office: bool, allowed: Sequence[Network]
) -> list[Fault]:
    faults = []
    if said := hooks.fault_in(url, allowed):
        faults.append(Fault("/url", "address_not_allowed", said))
    known = ", ".join((EVERYTHING, *EVENTS))
    for i, one in enumerate(events):
        if one != EVERYTHING and one not in EVENTS:
            said = f"There is no event '{one}'{did_you_mean(one, EVENTS)}. There are: {known}."
            faults.append(Fault(pointer("events", i), "unknown_event", said))
    if of_office and actor.office is None:
        faults.append(Fault("/for", "no_office", "You act for no office; register the webhook for yourself: me."))
    return faults


def name(number: int) -> str:
    return f"webhook/{number}"


def _seen(tx: Tx, actor: Actor, number: int) -> Record:
    row = webhooks.webhook_of(tx, number)
    if row is None or (row.person_id != actor.id and not access.over_all(actor)):
        raise NotFound("webhook_not_found", f"There is no webhook {number} that you can see.")
    return row


def _own(tx: Tx, actor: Actor, number: int) -> Record:
    """One's own webhook: an administrator sees and deletes those of others, and does no more with them."""
    row = _seen(tx, actor, number)
    if row.person_id != actor.id:
        raise Forbidden("not_your_webhook", "Only who registered a webhook can do this; you can delete it.")
    return row


def _running(tx: Tx, actor: Actor, number: int) -> Record:
    row = _own(tx, actor, number)
    said = "This webhook is paused, so nothing is sent to it; resume it first."
    refuse_unless(row.paused_at is None, "webhook_paused", said)
    return row


def delete(tx: Tx, actor: Actor, number: int, now: Now) -> None:
    """Delete one's own webhook, or as an administrator anybody's; what waits for it is dropped and says so."""
    _end(tx, actor, _seen(tx, actor, number), "The webhook was deleted.", now)


def end_all(tx: Tx, actor: Actor | None, person_id: int, now: Now) -> None:
    """End every webhook of a person whose account, role or office is no longer what it was, as their tokens end."""
    for row in webhooks.page(tx, person_id, MOST, 0):
        _end(tx, actor, row, "The webhook ended with its owner's account, role or office.", now)


def _end(tx: Tx, actor: Actor | None, row: Record, why: str, now: Now) -> None:
    dropped = webhooks.drop_waiting(tx, row.id, why)  # first: whoever settles has messages and then wants their webhook
    if not webhooks.delete(tx, row.id, now.at):
        raise NotFound("webhook_not_found", f"There is no webhook {row.id} that you can see.")
    facts: audit.Facts = {"person": row.person_id, "dropped": dropped}
    audit.record(tx, actor, "webhook.delete", name(row.id), now, facts)


def rotate(tx: Tx, actor: Actor, number: int, now: Now) -> dict[str, Any]:
    """Give a webhook a new secret, shown here and never again; the one before signs too for a day, an older one no more."""
    row, secret = _own(tx, actor, number), hooks.new_secret()
    values = {"secret": secret, "old_secret": row.secret, "old_until": now.at + OLD_HOLDS}
    webhooks.change(tx, number, values)
    audit.record(tx, actor, "webhook.rotate", name(number), now)
    return {**_described(_seen(tx, actor, number)), "secret": secret}


def test(tx: Tx, actor: Actor, number: int, now: Now) -> int:
    """Owe a webhook, and no other, a message of the kind `webhook.test`; the message's number. One at a time."""
    _running(tx, actor, number)
    said = "A test of this webhook waits already."
    refuse_unless(not webhooks.waits(tx, number, "webhook.test"), "test_waits", said)
    audit.record(tx, actor, "webhook.test", name(number), now)
    return outbox.owe_webhook(tx, "webhook.test", name(number), number, now.at, {"webhook": number})


def resume(tx: Tx, actor: Actor, number: int, now: Now) -> dict[str, Any]:
    """Send to a paused webhook again; `missed` says how much never arrived, and from when on to replay."""
    refuse_unless(_own(tx, actor, number).paused_at is not None, "wrong_state", "This webhook is not paused.")
    webhooks.change(tx, number, {"paused_at": None, "failures": 0})
    audit.record(tx, actor, "webhook.resume", name(number), now)
    missed = webhooks.missed(tx, number)
    return {**_described(_seen(tx, actor, number)), "missed": {"messages": missed.messages, "from": missed.since}}


def replay_one(tx: Tx, actor: Actor, number: int, message: int, now: Now) -> dict[str, Any]:
    """Owe one message of a webhook again, under its own id."""
    _running(tx, actor, number)
    found = webhooks.message_of(tx, number, message)
    if found is None:
        raise NotFound("notification_not_found", f"This webhook has no notification {message}.")
    refuse_unless(
        found.again, "wrong_state", f"Only what was sent, is dead or was dropped comes again; it {_why(found)}."
    )
    return _replayed(tx, actor, number, [message], None, now)


def _why(found: Record) -> str:
    return "waits already" if found.state == "waiting" else "was taken back because something newer made it untrue"


def replay_period(tx: Tx, actor: Actor, number: int, since: datetime, until: datetime, now: Now) -> dict[str, Any]:
    """Owe what happened in a period again, the oldest 1,000 messages at most; `next_from` says where the rest begins."""
    _running(tx, actor, number)
    if since >= until:
        raise Invalid(
            "validation_failed", "The period is empty.", faults=[Fault("/to", "empty_period", "Must lie after from.")]
        )
    rows = webhooks.messages_between(tx, number, since, until, MOST_REPLAYED)
    following = rows[MOST_REPLAYED].at if len(rows) > MOST_REPLAYED else None
    return _replayed(tx, actor, number, [row.id for row in rows[:MOST_REPLAYED]], following, now)


def _replayed(
    tx: Tx, actor: Actor, number: int, messages: Sequence[int], following: datetime | None, now: Now
) -> dict[str, Any]:
    owed = webhooks.owe_again(tx, messages, now.at)
    audit.record(tx, actor, "webhook.replay", name(number), now, {"messages": owed})
    return {"owed": owed, "next_from": following}


def failed(tx: Tx, number: int, failure: Exception, tries: int, at: datetime) -> None:
    """Count a failure of what was tried so often. After many in a row, or at once when the receiver says 410, the webhook
    is paused and its owner told; many messages that fail together in a moment pause nothing.
    """
    gone = isinstance(failure, Permanent)
    if not webhooks.failed(tx, number, 1 if gone else FAILURES, gone or tries >= PATIENCE, at):
        return
    row = webhooks.webhook_of(tx, number)
    if row is None:
        return
    told = {"owner": row.person_id, "webhook": number, "failures": row.failures}
    outbox.owe(tx, "webhook.paused", name(number), at, told)
    audit.record(tx, None, "webhook.pause", name(number), Now(at, day_of(at)), {"failures": row.failures})
