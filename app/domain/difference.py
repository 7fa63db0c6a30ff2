"""What changed between two contents, field by field: items of lists are told apart by their own name where they have one."""

from collections.abc import Iterator
from typing import Any

from app.faults import pointer

_NAMES = ("ref", "code", "name", "engagement", "reference")


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Every changed place as `{pointer, before, after}`; null where there was or is nothing. Pointers are of the newer one."""
    return list(_between(before, after, ()))


def _between(before: Any, after: Any, at: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _between(before.get(key), after.get(key), (*at, key))
    elif _named(before) and _named(after):
        yield from _between_named(before, after, at)
    else:
        yield {"pointer": pointer(*at), "before": before, "after": after}


def _named(value: Any) -> bool:
    """Whether this is a list of records that each have a name of their own, none twice."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return False
    names = [_name(one) for one in value]
    return None not in names and len(set(names)) == len(names)


def _name(item: dict[str, Any]) -> str | None:
    return next((str(item[key]) for key in _NAMES if item.get(key)), None)


def _between_named(before: list[Any], after: list[Any], at: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    old = {_name(one): one for one in before}
    for i, item in enumerate(after):
        yield from _between(old.pop(_name(item), None), item, (*at, i))
    for gone in old.values():
        yield {"pointer": pointer(*at, "-"), "before": gone, "after": None}
