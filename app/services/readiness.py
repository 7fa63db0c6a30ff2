"""What must be there before the service can do its work."""

import logging

from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import SQLAlchemyError

from app.db import Database, Tx
from app.schema import head
from app.services import rulebooks
from app.services.rulebooks import Library

log = logging.getLogger(__name__)


def revision_of(tx: Tx) -> str | None:
    """The migration the database is at; None for an empty one."""
    return MigrationContext.configure(tx).get_current_revision()


async def checks(database: Database, library: Library) -> dict[str, str]:
    """`ok`, a version, or what is wrong, for database, migrations and rulebook."""
    found = {"database": "ok", "migrations": "ok", "rulebook": library.current.version}
    try:
        revision = await database.read(revision_of)
        in_force = await database.read(rulebooks.in_force) if revision == head() else None
    except (SQLAlchemyError, OSError):
        log.exception("the database cannot be read")
        return {**found, "database": "failed", "migrations": "failed"}
    if revision != head():
        found["migrations"] = f"at {revision or 'nothing'}, not at {head()}; run: python -m app migrate"
    if in_force and in_force[1] != library.current.sha256:
        found["rulebook"] = (
            f"at {library.current.version}, not at {in_force[0]}, which is in force; start a release with it"
        )
    return found
