"""Which fields of a proposal a rule looks at, so that whoever reads its result finds the very values that decided it."""

import ast
from collections.abc import Iterator, Mapping

from app.domain.case import DERIVED_FROM
from app.domain.proposal import Content
from app.domain.rulebook.criteria import Criteria, Rule

FIELDS = tuple(Content.model_fields)


def fields_read(criteria: Criteria) -> dict[str, tuple[str, ...]]:
    """Rule id -> the fields of the content that its expressions read, in the order of the content."""
    rules = [*criteria.checks, *(one for group in criteria.criteria for one in group.indicators)]
    return {rule.id: _of_rule(rule, criteria.facts) for rule in rules}


def _of_rule(rule: Rule, shared: Mapping[str, str]) -> tuple[str, ...]:
    known = {**shared, **rule.facts}
    said = set(_fields(rule.when, known, frozenset()))
    for expression in rule.facts.values():
        said |= set(_fields(expression, known, frozenset()))
    return tuple(field for field in FIELDS if field in said)


def _fields(expression: str, known: Mapping[str, str], within: frozenset[str]) -> Iterator[str]:
    """The fields an expression names, itself or through facts; a fact is not followed into itself."""
    for node in ast.walk(ast.parse(expression.strip(), mode="eval")):
        if not isinstance(node, ast.Name) or node.id in within:
            continue
        if node.id in known:
            yield from _fields(known[node.id], known, within | {node.id})
        elif (field := DERIVED_FROM.get(node.id, node.id)) in FIELDS:
            yield field
