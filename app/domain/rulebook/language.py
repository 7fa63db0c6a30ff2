"""What the checker of expressions deals in: names, accepted expressions, refusals, and what pieces are called in them."""

import ast
from dataclasses import dataclass

from app.domain.rulebook.types import Type


class Refused(Exception):
    """An expression that the language does not accept: `offset` is the character in its text."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset, self.message = offset, message


class Echo(Refused):
    """A name that stands for a mistaken fact: the mistake is told where it was made, not again here."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a name stands for: its code, its type, the content fields it rests on; `shown` when its value explains.

    A parameter keeps its `literals`, so that they can be held against a closed vocabulary like written-out ones.
    `members` is the source of a mapping whose keys are the values of a list, where there is one to look them up in.
    """

    plain: str
    careful: str
    type: Type
    reads: frozenset[str] = frozenset()
    shown: bool = False
    literals: tuple[int | str, ...] = ()
    members: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An accepted expression: Python source for whole contents and for drafts, its type and what it rests on.

    `members` is as for a Name; `keyed` the source of a mapping whose keys, in their order, are the list.
    """

    plain: str
    careful: str
    type: Type
    reads: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    shows: tuple[str, ...] = ()
    members: str = ""
    keyed: str = ""


_SAID = {
    ast.Subscript: "an index []",
    ast.IfExp: "if ... else",
    ast.Lambda: "a function of its own",
    ast.JoinedStr: "a formatted text",
    ast.ListComp: "a list in brackets (put the loop inside count, any, ...)",
    ast.GeneratorExp: "a loop outside count, sum, min, max, any, all, distinct",
    ast.Dict: "a mapping",
    ast.NamedExpr: "an assignment",
}


def said(node: ast.AST) -> str:
    """What a piece of an expression is called in a refusal."""
    return _SAID.get(type(node), type(node).__name__)


def path_of(node: ast.expr) -> str:
    """A name or field as it is written, nothing for any other expression."""
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def ruled_out(node: ast.expr, holds: bool) -> frozenset[str]:
    """The paths that are certainly not null once `node` is known to hold (or, in an `or`, not to hold)."""
    null_test = isinstance(node, ast.Compare) and len(node.ops) == 1 and path_of(node.comparators[0]) == "null"
    if isinstance(node, ast.Compare) and null_test and isinstance(node.ops[0], ast.NotEq if holds else ast.Eq):
        return frozenset({path_of(node.left)})
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And if holds else ast.Or):
        return frozenset().union(*(ruled_out(value, holds) for value in node.values))
    return frozenset()
