"""Lists of any length in a statement: one parameter, where `IN` would make one of every entry (PostgreSQL takes 65,535)."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, ColumnElement, Dialect, String, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class _Listed(TypeDecorator[list[Any]]):
    """An array on PostgreSQL, JSON on SQLite, which has no arrays."""

    impl = Text
    cache_ok = True

    def __init__(self, text: bool) -> None:
        super().__init__()
        self.text = text

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        kind = ARRAY(String() if self.text else BigInteger()) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class _Among(FunctionElement[bool]):
    type = Boolean()
    name = "among"
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """As it is: SQLAlchemy would compare it with 1 on SQLite, and no index would be used."""
        return self


@compiles(_Among, "postgresql")
def _any(element: Any, compiler: Any, **more: Any) -> str:
    column, listed = (compiler.process(one, **more) for one in element.clauses)
    return f"{column} = ANY ({listed})"


@compiles(_Among, "sqlite")
def _each(element: Any, compiler: Any, **more: Any) -> str:
    column, listed = (compiler.process(one, **more) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({listed}))"  # noqa: S608 - compiled pieces


def among(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column holds one of these numbers, or of these texts, however many they are."""
    listed = list(values)
    return _Among(column, bindparam(None, listed, _Listed(isinstance(column.type, String)), unique=True))


def among_given(column: Any, name: str) -> ColumnElement[bool]:
    """As `among`, for a statement that is put together once: the list is given by this name whenever it is run."""
    return _Among(column, bindparam(name, type_=_Listed(isinstance(column.type, String))))
