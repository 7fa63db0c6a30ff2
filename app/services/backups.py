"""What a backup says of its database, and whether a restored database is what its backup says."""

from datetime import datetime

from app.backups import Head, Manifest
from app.db import Tx
from app.dumps import Kind
from app.errors import Conflict
from app.records import whole
from app.services import integrity, upkeep
from app.services.readiness import revision_of
from app.services.rulebooks import Library


def described(tx: Tx, kind: Kind, at: datetime, missing: list[str]) -> Manifest:
    """The manifest of a database, without its members; Conflict where there is nothing to back up."""
    migration, head = revision_of(tx), upkeep.head(tx) if whole.counts(tx) else None
    if migration is None or head is None:
        raise Conflict("nothing_there", "There is nothing to back up: the database is empty, or its log has no head.")
    end = Head(seq=head.seq, hash=head.hash)
    return Manifest(made_at=at, database=kind, migration=migration, tables=whole.counts(tx), audit=end, missing=missing)


def check_rows(tx: Tx, manifest: Manifest) -> None:
    """Refuse a database that has not the rows its backup says, at the migration it was made at."""
    if revision_of(tx) != manifest.migration or whole.counts(tx) != manifest.tables:
        raise Conflict("not_the_same", "The database in this backup has not the rows that its manifest says.")


def check_sound(tx: Tx, manifest: Manifest, library: Library) -> None:
    """Refuse a database whose log has not the head its backup says, or in which anything does not fit."""
    head = upkeep.head(tx)
    if head is None or (head.seq, head.hash) != (manifest.audit.seq, manifest.audit.hash):
        raise Conflict("not_the_same", "The log of acts in this backup does not end as its manifest says.")
    if faults := integrity.faults(tx, library):
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise Conflict("not_sound", f"What is in this backup is not sound: {' '.join(faults[:3])}{more}")
