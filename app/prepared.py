"""Statements that nearly every request runs: put together and compiled once, then run on the driver itself.

Putting a statement together anew and running it through SQLAlchemy costs some ten times what the database does with it. The
SQL is SQLAlchemy's all the same, one for each database, and so are its errors.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Table, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import TypeEngine

from app.db import Tx

Change = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement as one driver takes it: its text, the order of its values, what changes values going in and coming out."""

    text: str
    order: list[str] | None
    fixed: dict[str, Any]
    given: dict[str, Change]
    row: Callable[..., Any]
    found: list[tuple[int, Change]]

    def values(self, given: Mapping[str, Any]) -> Any:
        bound = dict(self.fixed)
        for name, value in given.items():
            change = self.given.get(name)
            bound[name] = change(value) if change else value
        return [bound[name] for name in self.order] if self.order is not None else bound

    def rows(self, found: list[Any]) -> list[Any]:
        """What the driver found, as Python has it, columns by name."""
        if not self.found:
            return [self.row(*values) for values in found]
        rows = []
        for values in map(list, found):
            for place, change in self.found:
                values[place] = change(values[place])
            rows.append(self.row(*values))
        return rows


class Hot:
    """A statement that is run often. Its values are given by name, as Python has them: those of its `bindparam`s, and of
    the columns that an INSERT or UPDATE sets.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._ready: dict[str, _Ready] = {}

    def __call__(self, tx: Tx, **given: Any) -> list[Any]:
        """The rows that it finds or returns, columns by name."""
        ready = self._ready.get(tx.dialect.name) or self._prepare(tx.dialect)
        return ready.rows(_on_driver(tx, lambda cursor: _ask(cursor, ready.text, ready.values(given))))

    def changed(self, tx: Tx, **given: Any) -> int:
        """Run it, and say how many rows it changed."""
        ready = self._ready.get(tx.dialect.name) or self._prepare(tx.dialect)
        return int(_on_driver(tx, lambda cursor: _change(cursor, ready.text, ready.values(given))))

    def each(self, tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each set of values."""
        ready = self._ready.get(tx.dialect.name) or self._prepare(tx.dialect)
        _on_driver(tx, lambda cursor: cursor.executemany(ready.text, [ready.values(one) for one in rows]))

    def _prepare(self, dialect: Dialect) -> _Ready:
        compiled: Any = self._statement.compile(  # type: ignore[attr-defined]  # every statement can be
            dialect=dialect, column_keys=self._columns, compile_kwargs={"render_postcompile": True}
        )
        columns = list(getattr(self._statement, "exported_columns", ()))
        out = [_change_of(column.type, dialect, "result") for column in columns]
        row = namedtuple("row", [str(column.key) for column in columns])  # type: ignore[misc]  # the columns are data
        into = {name: _change_of(bound.type, dialect, "bind") for name, bound in compiled.binds.items()}
        given = {name: change for name, change in into.items() if change}
        fixed = {name: given[name](value) if name in given else value for name, value in _fixed(compiled).items()}
        order = list(compiled.positiontup or ()) if compiled.positional else None
        found = [(place, change) for place, change in enumerate(out) if change]
        self._ready[dialect.name] = ready = _Ready(str(compiled), order, fixed, given, row, found)
        return ready


def _fixed(compiled: SQLCompiler) -> dict[str, Any]:
    """The values that stand in the statement itself, and those of columns that an INSERT is not given."""
    left_out: dict[str, Any] = {str(column.key): column.default for column in compiled.insert_prefetch}
    given = {name for name, bound in compiled.binds.items() if bound.required}
    said = {name: value for name, value in compiled.params.items() if name not in given}
    return said | {name: default.arg for name, default in left_out.items() if default is not None}


def _change_of(kind: TypeEngine[Any], dialect: Dialect, way: str) -> Change | None:
    known: Any = kind.dialect_impl(dialect)
    found: Change | None = known.bind_processor(dialect) if way == "bind" else known.result_processor(dialect, None)
    return found


def _ask(cursor: Any, text: str, values: Any) -> list[Any]:
    cursor.execute(text, values)
    return list(cursor.fetchall())


def _change(cursor: Any, text: str, values: Any) -> int:
    cursor.execute(text, values)
    return int(cursor.rowcount)


def _on_driver(tx: Tx, work: Callable[[Any], Any]) -> Any:
    """Work on a cursor of the transaction's connection. Its errors are SQLAlchemy's; a connection that is gone is given up."""
    cursor = tx.connection.cursor()
    try:
        return work(cursor)
    except tx.dialect.loaded_dbapi.Error as error:
        gone = tx.dialect.is_disconnect(error, tx.connection.dbapi_connection, cursor)
        if gone:
            tx.invalidate(error)
        known = tx.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(
            None, None, error, known, hide_parameters=True, connection_invalidated=gone, dialect=tx.dialect
        ) from error
    finally:
        cursor.close()


@cache
def _adding(table: Table, names: tuple[str, ...], key: str | None) -> Hot:
    return Hot(insert(table).returning(table.c[key]) if key else insert(table), names)


def add(tx: Tx, table: Table, values: Mapping[str, Any]) -> None:
    """Add a row."""
    _adding(table, tuple(values), None).changed(tx, **values)


def add_all(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, which all name the same columns; none is fine."""
    if rows:
        _adding(table, tuple(rows[0]), None).each(tx, rows)


def added(tx: Tx, table: Table, values: Mapping[str, Any], key: str = "id") -> int:
    """Add a row; the number it was given."""
    return int(_adding(table, tuple(values), key)(tx, **values)[0][0])
