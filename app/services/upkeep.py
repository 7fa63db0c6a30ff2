"""Upkeep: what is kept no longer than it must be, and what is written down when the service starts."""

import time
from datetime import timedelta

from app.db import Record, Tx
from app.records import audit as audit_records
from app.records import idempotency, logins, sessions
from app.services import audit, quotas, rulebooks
from app.services.clock import Now
from app.services.rulebooks import Library
from app.services.sessions import IDLE, LONGEST

KEYS = timedelta(hours=48)  # an Idempotency-Key is promised for 24


def tidy(tx: Tx, keep_days: int, now: Now) -> dict[str, int]:
    """Delete ended sessions, old rate rows and idempotency keys; how many of each."""
    kept = now.at - timedelta(days=keep_days)
    logins.forget_windows(tx, int(time.time()) - 2 * quotas.MINUTE, quotas.NAME)
    return {
        "sessions": sessions.end_before(tx, now.at - IDLE, now.at - LONGEST),
        "rates": logins.forget_windows(tx, int(kept.timestamp())),
        "idempotency_keys": idempotency.forget_before(tx, now.at - KEYS),
    }


def head(tx: Tx) -> Record | None:
    """The end of the log of acts."""
    return audit_records.head(tx)


def note_start(tx: Tx, library: Library, configuration: str, now: Now) -> None:
    """Write down that another rulebook or configuration is in force than at the start before; `configuration` is a hash.

    An instance that does not know the rulebook in force is older than another one, and changes nothing about it.
    """
    book, known = library.current, {None, *(one.sha256 for one in library.books.values())}
    for event, subject, value in (
        (rulebooks.IN_FORCE, f"rulebook/{book.version}", book.sha256),
        ("configuration.in_force", "configuration", configuration),
    ):
        last = audit_records.last_of(tx, event)
        before = last.after_sha256 if last else None
        if before != value and (event != rulebooks.IN_FORCE or before in known):
            audit.record(tx, None, event, subject, now, before=before, after=value)
