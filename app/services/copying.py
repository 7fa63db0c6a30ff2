"""Moving a whole installation from one database to the other: every row as it is, all or nothing, read back and compared."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError

from app.db import Tx
from app.encoding import canonical
from app.errors import Conflict
from app.records import whole
from app.services import audit


@dataclass(frozen=True, slots=True)
class Copied:
    """One table: its rows, and the SHA-256 over them that both sides have."""

    table: str
    rows: int
    sha256: str


def check_empty(target: Tx) -> None:
    """Conflict where a database has rows, whatever migration it is at."""
    if not whole.is_empty(target):
        said = "The database to copy to has rows already. Make a new one, which need not be migrated, and name that."
        raise Conflict("not_empty", said)


def copy(source: Tx, target: Tx) -> list[Copied]:
    """Copy every table in the order of its references; Conflict where the target has rows or has not become the same."""
    whole.unhurried(source)
    whole.unhurried(target)
    check_empty(target)
    whole.forget_head(target)
    read = [_copy_table(source, target, one) for one in whole.TABLES]
    whole.set_sequences(target)
    for one, told in zip(whole.TABLES, read, strict=True):
        if _told(target, one) != told:
            raise Conflict("not_the_same", f"Read back, the table {one.name} is not what was copied; nothing was kept.")
    if not audit.verify(target)["sound"]:
        said = "The log of acts is not whole; nothing was kept. `audit verify` on the database to copy from says more."
        raise Conflict("audit_not_whole", said)
    return read


def _copy_table(source: Tx, target: Tx, one: Table) -> Copied:
    rows, sha256 = 0, hashlib.sha256()
    try:
        for batch in whole.batches(source, one):
            whole.put(target, one, batch)
            _add(sha256, batch)
            rows += len(batch)
    except (DBAPIError, ValueError) as error:
        why = str(getattr(error, "orig", error)).strip().splitlines()[0]
        said = (
            f"A row of {one.name} between the {rows + 1}th and the {rows + whole.BATCH}th cannot be kept there: {why}"
        )
        raise Conflict("row_refused", f"{said}. Nothing was kept.") from error
    return Copied(one.name, rows, sha256.hexdigest())


def _told(tx: Tx, one: Table) -> Copied:
    """What a table holds, as `copy` says it."""
    rows, sha256 = 0, hashlib.sha256()
    for batch in whole.batches(tx, one):
        _add(sha256, batch)
        rows += len(batch)
    return Copied(one.name, rows, sha256.hexdigest())


def _add(sha256: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Take rows into a hash: each a line of canonical JSON, the same whatever database it came from."""
    for row in rows:
        sha256.update(canonical([_plain(value) for value in row.values()]) + b"\n")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
