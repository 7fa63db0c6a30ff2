"""How a person wants to hear: their language, a daily digest of what is no decision, reminders or none.

The language here is the only one there is of a person; papers and pages read by somebody else are in that reader's.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.people import Actor
from app.errors import NotFound
from app.notify.notices import REMINDERS
from app.records import notices, people
from app.services import audit
from app.services.clock import Now
from app.services.deliveries import UNWANTED

_UID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a person hears who has said nothing."""

    language: str = "en"
    digest: bool = False
    reminders: bool = True


def of(tx: Tx, person_id: int) -> Wishes:
    row = notices.preferences_of(tx, [person_id]).get(person_id)
    return Wishes(row.language, row.digest, row.reminders) if row else Wishes()


def put(tx: Tx, actor: Actor, wishes: Wishes, now: Now) -> dict[str, Any]:
    """Write the actor's preferences down. Reminders that wait are taken back, and a digest let go, where they end them."""
    people.hold(tx, actor.id)
    _change(tx, actor, actor.id, of(tx, actor.id), wishes, now)
    return asdict(wishes)


def _change(
    tx: Tx, actor: Actor | None, person_id: int, before: Wishes, after: Wishes, now: Now, address: str | None = None
) -> None:
    if before == after:
        return
    notices.put_preferences(tx, person_id, asdict(after))
    if not after.reminders:
        notices.drop_unwanted(tx, REMINDERS, UNWANTED)
    if before.digest and not after.digest:
        notices.release(tx, person_id, now.at)
    subject = f"user/{person_id}"
    audit.record(tx, actor, "preferences.change", subject, now, asdict(after), address=address)


def offered(tx: Tx, uid: str) -> Wishes:
    """What the reader of a reminder wants today; NotFound for an id that is none, or not of a reminder."""
    return of(tx, _reminder(tx, uid).person_id)


def _reminder(tx: Tx, uid: str) -> Record:
    row = notices.by_uid(tx, uid) if _UID.fullmatch(uid) else None
    if row is None or row.person_id is None or row.kind not in REMINDERS:
        raise NotFound("reminder_not_found", "There is no reminder with this address.")
    return row


def unsubscribe(tx: Tx, uid: str, now: Now, address: str | None) -> Wishes:
    """End the reminders of whoever got this one, who need not be logged in; ending them again changes nothing."""
    person_id = int(_reminder(tx, uid).person_id)
    people.hold(tx, person_id)
    before = of(tx, person_id)
    after = Wishes(before.language, before.digest, reminders=False)
    _change(tx, None, person_id, before, after, now, address)
    return after
