"""Rows of a form: the empty ones at its end are for more, and a fault is told by the row it stands in, not by what was read."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import Fault, Invalid
from app.web.pages.deeds import M
from app.web.requests import read_as


def with_more(rows: Sequence[Mapping[str, Any]], empty: Mapping[str, Any], more: int) -> list[Mapping[str, Any]]:
    """The rows up to the last that says something, in their places, and so many empty ones."""
    said = [at for at, row in enumerate(rows) if any(row.values())]
    return [*rows[: said[-1] + 1 if said else 0], *[empty] * more]


def read_rows(model: type[M], value: Any, places: Mapping[str, Sequence[int]], found: Sequence[Fault] = ()) -> M:
    """The form's values as the model, or Invalid with those faults and every other one.

    `places` has for each list of the model the rows of the form that its items stand in.
    """
    made, faults = read_as(model, value)
    if made is None or found:
        known = {one.pointer for one in found}
        faults = [*found, *(one for one in (_placed(one, places) for one in faults) if not _told(one, known))]
        raise Invalid("validation_failed", "This cannot be taken as it was sent.", faults=faults)
    return made


def _told(fault: Fault, known: set[str]) -> bool:
    """Whether it is said already, of the same field or of what is around it."""
    steps = fault.pointer.split("/")
    return any("/".join(steps[:length]) in known for length in range(2, len(steps) + 1))


def _placed(fault: Fault, places: Mapping[str, Sequence[int]]) -> Fault:
    """The fault in the form's row; of a list as a whole it stays where it is."""
    _start, *steps = fault.pointer.split("/")
    if len(steps) < 2 or steps[0] not in places or not steps[1].isdecimal():
        return fault
    row = places[steps[0]][int(steps[1])]
    return Fault("/".join(["", steps[0], str(row), *steps[2:]]), fault.code, fault.message)
