"""A person's calendar: what concerns them, computed at every read as things stand, under an address only they know.

Whoever has the address reads the calendar, so it says what the person could read and nothing else: each source looks
through the same filter as the API. The address is shown once; only its SHA-256 is kept.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import start_of
from app.domain.framework import Framework
from app.domain.payment import Stage
from app.domain.people import IOM, Actor, Role
from app.domain.report import DONE, due_on
from app.domain.workflow import State
from app.errors import NotFound
from app.notify import calendar, outbox, texts
from app.notify.calendar import Due
from app.records import feeds
from app.records import payments as payment_records
from app.records.payments import Wanted
from app.services import audit, consultations, meetings, reporting, review
from app.services.clock import Now
from app.services.deliveries import Sender, link

KEPT = timedelta(days=366)  # how long meetings and windows stay after their day
MOST = 1_000  # payments in one calendar
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What every source looks at: for whom, by which calendar, when, in which language."""

    actor: Actor
    framework: Framework
    sender: Sender
    now: Now
    language: str

    @property
    def oldest(self) -> date:
        return self.now.today - KEPT

    def due(self, kind: str, name: str, day: date, **facts: Any) -> Due:
        """An entry in the reader's language; facts are as for notices."""
        title = texts.entry(kind, facts, self.language)
        return Due(name, title, day, link(facts, self.sender), facts.get("place"), facts.get("sequence", 0))


def create(tx: Tx, actor: Actor, sender: Sender, now: Now) -> dict[str, Any]:
    """Give the actor a feed, in the place of the one they had; the address is told here and never again."""
    secret = secrets.token_urlsafe(32)
    feeds.put(tx, actor.id, _digest(secret), now.at)
    audit.record(tx, actor, "feed.create", f"user/{actor.id}", now)
    return {"url": f"{sender.address}/api/v1/feeds/{secret}.ics", "created_at": now.at}


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def described(tx: Tx, actor: Actor) -> dict[str, Any]:
    """Whether the actor has a feed and since when; its address nobody can tell."""
    since = feeds.since(tx, actor.id)
    return {"exists": since is not None, "created_at": since}


def revoke(tx: Tx, actor: Actor, now: Now) -> None:
    """End the actor's feed at once; ending it again changes nothing."""
    if feeds.end(tx, actor.id):
        audit.record(tx, actor, "feed.revoke", f"user/{actor.id}", now)


def owner(tx: Tx, secret: str) -> tuple[Actor, str]:
    """Whose feed an address is, as they are today, and their language; NotFound for one that is none, revoked or disabled."""
    row: Record | None = feeds.owner(tx, _digest(secret)) if _FORM.fullmatch(secret) else None
    if row is None:
        raise NotFound("feed_not_found", "There is no such calendar, or not any more.")
    countries = tuple(filter(None, (row.countries or "").split(" ")))
    return Actor(row.id, row.name, Role(row.role), row.office_code, countries), row.language or "en"


def written(tx: Tx, r: Reading) -> bytes:
    """The calendar as iCalendar, by day. The same all day long as long as nothing changes."""
    days = sorted((one for source in SOURCES for one in source(tx, r)), key=lambda one: (one.day, one.name))
    return calendar.feed(days, audit.home(tx), start_of(r.now.today))


def windows(tx: Tx, r: Reading) -> list[Due]:
    """The last day of every window, to those who submit."""
    if r.actor.role not in IOM:
        return []
    return [
        r.due("window", f"window/{row.year}", row.closes_on, cycle=row.year, sequence=row.version)
        for row in feeds.windows(tx, r.oldest)
    ]


def returned(tx: Tx, r: Reading) -> list[Due]:
    """Until when what is returned can come again, to those who have it."""
    if r.actor.role not in IOM:
        return []
    return [
        r.due("returned", f"returned/{row.ref}", row.deadline_on, ref=row.ref, title=row.title)
        for row in feeds.returned(tx, r.actor)
    ]


def questions(tx: Tx, r: Reading) -> list[Due]:
    """Until when open questions are to be answered, to those who are asked."""
    if r.actor.role not in IOM:
        return []
    return [
        r.due("clarification", f"clarification/{row.id}", row.due_on, ref=row.ref, title=row.title)
        for row in feeds.questions(tx, r.actor, review.ASKED_IN)
    ]


def reports(tx: Tx, r: Reading) -> list[Due]:
    """When reports are due that are not handed in, to those who owe them."""
    if r.actor.role not in IOM:
        return []
    done = feeds.handed_in(tx, DONE)
    return [
        r.due("report", f"report/{row.ref}/{year}", due_on(year, r.framework.calendar.report_due), ref=row.ref,
              title=row.title, year=year)
        for row in feeds.agreed(tx, r.actor, (State.AGREED, State.DISBURSED))
        for year in reporting.years_of(row)
        if (row.id, year) not in done
    ]  # fmt: skip


def consulted(tx: Tx, r: Reading) -> list[Due]:
    """The consultations, to those who are invited; the invitation's event."""
    if r.actor.role not in outbox.roles_told("consultation.planned"):
        return []
    return [
        r.due("consultation", consultations.name(row.id), row.held_on, **consultations.facts_of(row))
        for row in feeds.consultations(tx, r.oldest)
    ]


def met(tx: Tx, r: Reading) -> list[Due]:
    """The technical meetings, to those who are invited: always, or as one of their proposals is discussed."""
    whole = r.actor.role in outbox.roles_told("technical_meeting.planned")
    if not whole and r.actor.role not in (Role.IOM_OFFICE, Role.EMBASSY):
        return []
    return [
        r.due("technical_meeting", name, row.held_on, **facts)
        for row in feeds.meetings(tx, r.actor, whole, r.oldest)
        for name, facts in [meetings.event_of(row)]
    ]


def tranches(tx: Tx, r: Reading) -> list[Due]:
    """When tranches are due that are not released, to the financial officers."""
    if r.actor.role is not Role.MFA_FINANCE:
        return []
    rows = payment_records.page(tx, r.actor, Wanted(states=(Stage.SCHEDULED, Stage.PREPARED), limit=MOST))
    return [
        r.due("payment", f"payment/{row.id}", row.due_on, ref=row.ref, number=row.number, amount=row.amount_dkk,
              sequence=row.version)
        for row in rows[:MOST]
    ]  # fmt: skip


SOURCES: tuple[Callable[[Tx, Reading], list[Due]], ...] = (
    *(windows, returned, questions, reports, consulted, met, tranches),
)
