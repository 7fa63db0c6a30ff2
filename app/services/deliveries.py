"""Deliveries: messages are taken on a lease, made from what was frozen, and settled one by one. Nothing is sent in here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from app.db import Record, Tx
from app.documents import render
from app.documents.papers import letter as letter_paper
from app.domain.people import Actor, Role
from app.encoding import encode
from app.notify import mail, texts
from app.notify.calendar import invitation, method
from app.notify.hooks import Parcel
from app.notify.mail import Attached
from app.notify.notices import AT_ONCE, NOTICES, REMINDERS, Calendar
from app.notify.outbox import HOOK, MAIL
from app.records import casefile, consultations, notices, proposals
from app.records import webhooks as webhook_records
from app.services import audit, papers, standing, webhooks
from app.services.clock import Now
from app.services.rulebooks import Library

MOST_TRIES = 80  # the first eleven within 70 minutes, then one an hour: three days in all, longer than a weekend
LONGEST_PAUSE = timedelta(hours=1)
UNWANTED = "The reader wants no reminders."


@dataclass(frozen=True, slots=True)
class Sender:
    """Where messages come from: the sender's address and that of the service."""

    mailbox: str
    address: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What one attempt sends: a mail, or a webhook's parcel; or why nothing is sent at all."""

    numbers: tuple[int, ...]
    mail: EmailMessage | None = None
    parcel: Parcel | None = None
    webhook: int | None = None
    dropped: str | None = None


@dataclass(frozen=True, slots=True)
class Free:
    """How much a worker can take now: mails, webhook messages, and which webhooks it is busy with."""

    mails: int
    hooks: int
    busy: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Taken:
    """Messages that go together; of a webhook only one at a time, so that a slow one is slow for itself."""

    numbers: tuple[int, ...]
    webhook: int | None = None


def waiting(tx: Tx, now: datetime, free: Free) -> bool:
    """Whether anything is due that could be taken; a read, so that an idle worker never takes the writer's turn."""
    return (free.mails > 0 and notices.any_due(tx, MAIL, now)) or (
        free.hooks > 0 and notices.any_due(tx, HOOK, now, free.busy)
    )


def take(tx: Tx, now: Now, lease: timedelta, free: Free) -> list[Taken]:
    """Take due messages for a lease, those of one digest together; nobody else takes them until it is over.

    What does not hold any more is dropped, and says why.
    """
    numbers: list[int] = []
    if free.mails:
        notices.drop_unwanted(tx, REMINDERS, UNWANTED)
        notices.bundle_up(tx, now.at, AT_ONCE)
        numbers = notices.claim(tx, MAIL, now.at, lease, free.mails)
    numbers += notices.claim_each(tx, HOOK, now.at, lease, free.hooks, free.busy) if free.hooks else []
    groups: dict[Any, list[int]] = {}
    for row in notices.messages(tx, numbers):
        if row.attempts > MOST_TRIES:  # no attempt ever came to its end: whoever tried it died
            notices.mark_failed(tx, row.id, row.error or "Every attempt broke off.", None)
        elif why := standing.untrue(tx, row, now):
            notices.mark_dropped(tx, row.id, why)
        else:
            groups.setdefault((row.bundle or row.id, row.webhook_id), []).append(row.id)
    return [Taken(tuple(own), webhook) for (_name, webhook), own in groups.items()]


def ready(tx: Tx, numbers: Sequence[int], library: Library, sender: Sender, now: Now) -> Ready:
    """What is sent for messages that go together, made from what was frozen: only how far off a day is follows the day."""
    rows = [row for row in notices.messages(tx, numbers) if row.state == notices.WAITING]
    if not rows:
        return Ready(())
    first = rows[0]
    own = tuple(row.id for row in rows)
    if first.channel == HOOK:
        return _parcel(tx, first, own, now.at)
    if first.disabled_at is not None:
        return Ready(own, dropped="The reader's account is disabled.")
    return Ready(own, mail=mail_of(tx, rows, first.language or "en", library, sender, now))


def mail_of(tx: Tx, rows: Sequence[Record], language: str, library: Library, sender: Sender, now: Now) -> EmailMessage:
    """One mail that tells messages to one reader."""
    first = rows[0]
    said = [_said(tx, row, language, sender, now) for row in rows]
    whole = said[0] if len(said) == 1 else texts.digest(said, language)
    attached = [one for row in rows for one in _attached(tx, row, language, library, sender)]
    to, uid, at = (first.name, first.email), first.bundle or first.uid, first.happened_at
    return mail.build(whole, to, sender.mailbox, uid, at, attached, _one_click(rows, sender))


def told(tx: Tx, row: Record, library: Library, sender: Sender, now: Now) -> tuple[texts.Said, list[Attached]]:
    """What one message by mail says to its reader, in their language, and what is attached to it."""
    language = row.language or "en"
    return _said(tx, row, language, sender, now), _attached(tx, row, language, library, sender)


def _one_click(rows: Sequence[Record], sender: Sender) -> str | None:
    """Where a mail program ends reminders by itself (RFC 8058): only of a mail that holds nothing else."""
    only = all(row.kind in REMINDERS for row in rows)
    return f"{sender.address}/api/v1/unsubscribe/{rows[0].uid}" if only else None


def _opt_out(row: Record, sender: Sender) -> str | None:
    """The page where a reader ends reminders; decisions and what is to be done cannot be opted out of."""
    return f"{sender.address}/unsubscribe/{row.uid}" if row.kind in REMINDERS else None


def _said(tx: Tx, row: Record, language: str, sender: Sender, now: Now) -> texts.Said:
    facts = standing.current(tx, row, now)
    head = None
    if NOTICES[row.kind].decision:
        held = consultations.consultation_of(tx, facts["consultation"])
        head = held.head if held else None
    return texts.say(row.kind, facts, language, link(facts, sender), head, _opt_out(row, sender))


def link(facts: Mapping[str, Any], sender: Sender) -> str:
    """The page about what a message tells."""
    for name, place in (("ref", "proposals"), ("consultation", "consultations"), ("meeting", "technical-meetings")):
        if facts.get(name):
            return f"{sender.address}/{place}/{facts[name]}"
    return f"{sender.address}/"


def _attached(tx: Tx, row: Record, language: str, library: Library, sender: Sender) -> list[Attached]:
    """The decision letter with a decision, the invitation or its end with a meeting."""
    facts, change = json.loads(row.facts), NOTICES[row.kind].invitation
    if change is not None:
        title = texts.entry(row.kind.partition(".")[0], facts, language)
        to = (row.name, row.email)
        data = invitation(row.subject, title, facts, sender.mailbox, audit.home(tx), to, row.happened_at, change)
        name = "invitation.ics" if change is Calendar.INVITE else "cancellation.ics"
        return [Attached(name, "text/calendar", data, method(change))]
    if not NOTICES[row.kind].decision:
        return []
    about = proposals.proposal_for(tx, _INSIDE, row.ref)
    assert about, "what was decided is there"
    decided = casefile.decisions_concluded(tx, about.id)
    own = next(one for one in decided if one.consultation_id == facts["consultation"])
    said = papers.letter_on(tx, about, own, row.happened_at)
    made = render(letter_paper(said, library.current.framework, language))
    return [Attached(f"decision-{row.ref}.{language}.pdf", "application/pdf", made)]


# The letter is made from the Danish side's face; who gets it was settled when the decision took effect.
_INSIDE = Actor(0, "", Role.AUDITOR)


def _parcel(tx: Tx, row: Record, own: tuple[int, ...], now: datetime) -> Ready:
    hook = webhook_records.webhook_of(tx, row.webhook_id)
    if hook is None:
        return Ready(own, dropped="The webhook was deleted.")
    if not hook.hears:
        return Ready(own, dropped="The webhook's owner is disabled or has left the office.")
    if hook.paused_at is not None:
        return Ready(own, dropped="The webhook was paused; it can be replayed once it is resumed.")
    body = body_of(row)
    rotating = hook.old_secret and hook.old_until is not None and now < hook.old_until
    secrets = (hook.secret, hook.old_secret) if rotating else (hook.secret,)
    return Ready(own, parcel=Parcel(hook.url, secrets, row.uid, body), webhook=hook.id)


def body_of(row: Record) -> bytes:
    """What a webhook is told of a notice, as JSON."""
    data = {"subject": row.subject, **json.loads(row.facts)}
    return encode({"type": row.kind, "timestamp": row.happened_at, "data": data})


def hold(tx: Tx, numbers: Sequence[int]) -> set[int]:
    """Those messages that can be settled now. A worker waits for no lock, or a move that takes notices back might fail."""
    return notices.hold(tx, numbers)


def settle(tx: Tx, one: Ready, failure: Exception | None, now: datetime) -> list[int]:
    """Write down what came of an attempt: sent, to be tried again after a growing pause, or dead. The dead ones."""
    dead, tries = [], 0
    for row in notices.messages(tx, one.numbers):
        tries = max(tries, row.attempts)
        if one.dropped:
            notices.mark_dropped(tx, row.id, one.dropped)
        elif failure is None:
            notices.mark_sent(tx, row.id, now)
        else:
            final = isinstance(failure, mail.Permanent) or row.attempts >= MOST_TRIES
            notices.mark_failed(tx, row.id, _printable(failure), None if final else now + _pause(row.attempts))
            dead += [row.id] if final else []
    if one.webhook is not None and not one.dropped:
        if failure is None:
            webhook_records.succeeded(tx, one.webhook)
        else:
            webhooks.failed(tx, one.webhook, failure, tries, now)
    return dead


def _pause(attempts: int) -> timedelta:
    return min(LONGEST_PAUSE, timedelta(seconds=2.0 ** min(attempts, 12)))


def _printable(failure: Exception) -> str:
    """What a server said, as a database can keep it: PostgreSQL takes no NUL."""
    return "".join(sign if sign.isprintable() else " " for sign in str(failure))
