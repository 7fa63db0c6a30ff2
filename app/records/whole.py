"""The whole database, table by table: every row of each in one order on both databases, counted, read and written."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, Table, collate, delete, func, insert, inspect, select, table, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.db import Tx
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


def batches(tx: Tx, one: Table) -> Iterator[list[dict[str, Any]]]:
    """All rows of a table, some at a time, ordered by key: text by its bytes, for databases sort it as they please."""
    query = select(*(_read(tx, column) for column in one.c)).order_by(*(_bytewise(tx, key) for key in one.primary_key))
    searched = [column.name for column in one.c if isinstance(column.type, TSVECTOR)]
    for rows in tx.execute(query, execution_options={"yield_per": BATCH}).mappings().partitions():
        yield [{**row, **{name: _in_order(row[name]) for name in searched}} for row in rows]


def _read(tx: Tx, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, TSVECTOR) and tx.dialect.name == "postgresql":
        return func.array_to_string(func.tsvector_to_array(column), " ").label(column.key)
    return column


def _in_order(words: str) -> str:
    """The words that a search finds, as `finding.terms` has them but in one order: PostgreSQL keeps none, and none counts."""
    return " ".join(["", *sorted(words.split()), ""])


def _bytewise(tx: Tx, column: ColumnElement[Any]) -> ColumnElement[Any]:
    is_text = isinstance(column.type, String)
    return collate(column, "C" if tx.dialect.name == "postgresql" else "BINARY") if is_text else column


def put(tx: Tx, one: Table, rows: Sequence[dict[str, Any]]) -> None:
    tx.execute(insert(one), rows)


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
