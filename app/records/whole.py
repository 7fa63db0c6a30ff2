"""The whole database, table by table: every row of each in one order on both databases, counted, read and written."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, Table, collate, delete, func, insert, inspect, select, table, text

from app.db import Record, Tx
from app.records.access_tables import audit_head
from app.records.metadata import metadata
from app.records.tables import attachment

BATCH = 1000
TABLES: Sequence[Table] = metadata.sorted_tables  # each after those it refers to


def unhurried(tx: Tx) -> None:
    """Take the limits off this transaction: what goes through everything takes its time."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SET LOCAL statement_timeout = 0"))
        tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def counts(tx: Tx) -> dict[str, int]:
    """Rows by the name of each table that is there, whatever migration it is at."""
    names = sorted(inspect(tx).get_table_names())
    return {name: int(tx.scalar(select(func.count()).select_from(table(name))) or 0) for name in names}


def batches(tx: Tx, one: Table) -> Iterator[Sequence[Record]]:
    """All rows of a table, some at a time, ordered by key: text by its bytes, for databases sort it as they please."""
    query = select(one).order_by(*(_bytewise(tx, column) for column in one.primary_key))
    yield from tx.execute(query, execution_options={"yield_per": BATCH}).partitions()


def _bytewise(tx: Tx, column: ColumnElement[Any]) -> ColumnElement[Any]:
    is_text = isinstance(column.type, String)
    return collate(column, "C" if tx.dialect.name == "postgresql" else "BINARY") if is_text else column


def put(tx: Tx, one: Table, rows: Sequence[Record]) -> None:
    tx.execute(insert(one), [row._asdict() for row in rows])


def is_empty(tx: Tx) -> bool:
    """Whether no table of ours has a row, but for the head that a migration makes for a log without entries."""
    found = counts(tx)
    return not any(found.get(one.name) for one in TABLES if one is not audit_head)


def forget_head(tx: Tx) -> None:
    """Take away the head of a log without entries."""
    tx.execute(delete(audit_head).where(audit_head.c.seq == 0))


def set_sequences(tx: Tx) -> None:
    """Let PostgreSQL count on from the highest key of each table; SQLite does by itself."""
    if tx.dialect.name != "postgresql":
        return
    for one in TABLES:
        for column in one.primary_key:
            sequence = tx.scalar(select(func.pg_get_serial_sequence(one.name, column.name)))
            if sequence:
                following = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
                tx.execute(select(func.setval(sequence, following, False)))


def stored_files(tx: Tx) -> dict[str, int]:
    """SHA-256 -> bytes of every file that an attachment names."""
    query = select(attachment.c.sha256, attachment.c.size).distinct().order_by(attachment.c.sha256)
    return {row.sha256: int(row.size) for row in tx.execute(query)}
