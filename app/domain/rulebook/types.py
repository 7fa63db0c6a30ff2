"""The types of the rule language, read off the Pydantic models so that rules and content cannot drift apart."""

import types
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Le
from pydantic import BaseModel

from app.domain.vocabulary import OneOf

LARGEST = 10**12  # no number of a proposal or a rule is larger
LONGEST_LIST = 300  # no list of a proposal or the framework is longer


@dataclass(frozen=True, slots=True)
class Type:
    """`int number text bool date null list record`; a list has an `item`, a record `fields`, a closed text `values`.

    `most` is what a whole number can reach; the checker keeps it within 64 bits, so that no accepted rule can overflow.
    """

    kind: str
    item: "Type | None" = None
    fields: "tuple[tuple[str, Type], ...]" = ()
    values: tuple[str, ...] = ()
    nullable: bool = False
    most: int = LARGEST

    def __str__(self) -> str:
        name = f"list of {self.item}" if self.item else self.kind
        return f"{name} or null" if self.nullable else name

    def field(self, name: str) -> "Type | None":
        return dict(self.fields).get(name)

    @property
    def certain(self) -> "Type":
        """The same type where null has been ruled out."""
        return replace(self, nullable=False)


INT, NUMBER, TEXT, BOOL, NULL = Type("int"), Type("number"), Type("text"), Type("bool"), Type("null")
YEAR = Type("int", most=9999)
DATE = Type("date", fields=(("year", YEAR), ("month", YEAR), ("day", YEAR)))
_PLAIN = {int: INT, float: NUMBER, str: TEXT, bool: BOOL, date: DATE}


def list_of(item: Type) -> Type:
    return Type("list", item)


def type_of(annotation: Any) -> Type:
    """The rule type of a Python annotation; a TypeError for one the language has no type for."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _limited(type_of(args[0]), args[1:])
    if origin is Literal:
        return Type("text", values=tuple(args))
    if origin in (Union, types.UnionType):
        (inner,) = (type_of(arg) for arg in args if arg is not type(None))
        return replace(inner, nullable=True)
    if origin in (list, tuple):
        return list_of(type_of(args[0]))
    if origin is dict:
        return Type("record")
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    return record_of(annotation)


def _limited(inner: Type, extras: tuple[Any, ...]) -> Type:
    """The type with the closed values or the upper limit that its annotations give it."""
    for extra in extras:
        if isinstance(extra, OneOf):
            inner = replace(inner, values=extra.values)
        for limit in getattr(extra, "metadata", ()):
            if inner.kind == "int" and isinstance(limit, Le):
                inner = replace(inner, most=int(str(limit.le)))
    return inner


def record_of(model: Any) -> Type:
    """The record type of a Pydantic model or dataclass, one field each."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        hints = get_type_hints(model, include_extras=True)
        return Type("record", fields=tuple((name, type_of(hints[name])) for name in model.model_fields))
    if isinstance(model, type) and is_dataclass(model):
        hints = get_type_hints(model, include_extras=True)
        return Type("record", fields=tuple((f.name, type_of(hints[f.name])) for f in fields(model)))
    raise TypeError(f"the rule language has no type for {model!r}")
