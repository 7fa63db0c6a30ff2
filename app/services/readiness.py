"""What must be there before the service can do its work, and what should be."""

import asyncio
import logging
from datetime import datetime, timedelta

from alembic.runtime.migration import MigrationContext

from app.db import Database, Tx
from app.files import Files
from app.records import notices
from app.schema import head
from app.services import rulebooks
from app.services.rulebooks import Library

PATIENCE = 3.0  # seconds for the database to answer in
LATE = timedelta(minutes=15)
# The migration it stands at, since when the oldest message is due, version and SHA-256 of the rulebook in force.
Asked = tuple[str | None, datetime | None, tuple[str, str] | None]
log = logging.getLogger(__name__)


def revision_of(tx: Tx) -> str | None:
    """The migration the database is at; None for an empty one."""
    return MigrationContext.configure(tx).get_current_revision()


async def checks(database: Database, library: Library, files: Files, now: datetime) -> tuple[bool, dict[str, str]]:
    """Whether the service can work, and of each part `ok`, a version, or what is wrong; within a few seconds.

    A queue or a store of files in trouble is told and no more: all instances have the same, and the rest works. A rulebook
    that another instance has put in force is loaded first, if it has been published here.
    """
    found = {"database": "ok", "migrations": "ok", "rulebook": library.current.version}
    found |= {"queue": "ok", "files": "ok" if files.can_be_written() else "full, or not to be written"}
    try:
        revision, oldest, book = await _in_time(database, now)
    except Exception:
        log.exception("the database cannot be read")
        return False, {**found, "database": "failed", "migrations": "failed", "queue": "unknown"}
    if oldest and now - oldest > LATE:
        found["queue"] = f"late {round((now - oldest).total_seconds())} s"
    if revision != head():
        found["migrations"] = f"at {revision or 'nothing'}, not at {head()}; run: python -m app migrate"
    if book and book[1] != library.current.sha256:
        await asyncio.to_thread(rulebooks.catch_up, library)
        found["rulebook"] = library.current.version
    if book and book[1] != library.current.sha256:
        said = f"at {library.current.version}, not at {book[0]}, which is in force; start a release with it"
        return False, {**found, "rulebook": said}
    return revision == head(), found


async def _in_time(database: Database, now: datetime) -> Asked:
    """What is asked of the database; TimeoutError after PATIENCE. What hangs is left to end by itself, nobody waits for it."""
    asked = asyncio.ensure_future(database.read(lambda tx: _asked(tx, now)))
    await asyncio.wait({asked}, timeout=PATIENCE)
    if asked.done():
        return asked.result()
    asked.add_done_callback(lambda late: late.cancelled() or late.exception())
    raise TimeoutError("the database does not answer")


def _asked(tx: Tx, now: datetime) -> Asked:
    revision = revision_of(tx)
    if revision != head():
        return revision, None, None
    return revision, notices.oldest_late(tx, now), rulebooks.in_force(tx)
