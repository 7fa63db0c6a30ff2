"""Three-valued logic for drafts: what an expression gives when some fields are not there yet.

A value is known or UNKNOWN. A comprehension gives a Bag: elements that are certainly or possibly in it, and whether an
unknown list may add more. Whole contents never come here; they run on plain Python.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final


class _Unknown:
    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


class Bag:
    """The elements of a comprehension: (certain, value) pairs in order; `open_ended` when more may come."""

    __slots__ = ("entries", "open_ended")

    def __init__(self, entries: list[tuple[bool, Any]], open_ended: bool = False) -> None:
        self.entries, self.open_ended = entries, open_ended

    @property
    def settled(self) -> bool:
        """Whether it is known which elements there are and what each is."""
        return not self.open_ended and all(certain and value is not UNKNOWN for certain, value in self.entries)


def item(value: Any) -> Bag:
    return Bag([(True, value)])


def when(condition: Any, then: Callable[[], Bag]) -> Bag:
    """The bag behind an `if`: nothing when it does not hold, uncertain elements when that is unknown."""
    if condition is UNKNOWN:
        bag = then()
        return Bag([(False, value) for _, value in bag.entries], bag.open_ended)
    return then() if condition else Bag([])


def loop(items: Any, body: Callable[[Any], Bag]) -> Bag:
    """The bag behind a `for`: the bags of every element, or an open-ended one when the list is unknown."""
    if items is UNKNOWN:
        return Bag([], True)
    entries: list[tuple[bool, Any]] = []
    open_ended = False
    for element in items:
        bag = body(element)
        entries += bag.entries
        open_ended = open_ended or bag.open_ended
    return Bag(entries, open_ended)


def any_(bag: Bag) -> Any:
    if any(certain and value is True for certain, value in bag.entries):
        return True
    possible = bag.open_ended or any(value is not False for _, value in bag.entries)
    return UNKNOWN if possible else False


def all_(bag: Bag) -> Any:
    if any(certain and value is False for certain, value in bag.entries):
        return False
    doubtful = bag.open_ended or any(value is not True for _, value in bag.entries)
    return UNKNOWN if doubtful else True


def count(bag: Bag) -> Any:
    if bag.open_ended or not all(certain for certain, _ in bag.entries):
        return UNKNOWN
    return len(bag.entries)


def gather(bag: Bag, reduce: Callable[[list[Any]], Any]) -> Any:
    """`reduce` over the values of a settled bag (sum, min, max, distinct), else UNKNOWN."""
    return reduce([value for _, value in bag.entries]) if bag.settled else UNKNOWN


def apply(function: Callable[..., Any], *values: Any) -> Any:
    """The function of its arguments, UNKNOWN when one of them is."""
    return UNKNOWN if any(value is UNKNOWN for value in values) else function(*values)


def contains(value: Any, items: Any) -> Any:
    """`value in items`: false for an empty list, whatever the value."""
    if items is not UNKNOWN and not items:
        return False
    return apply(lambda v, many: v in many, value, items)


def and_(parts: Iterable[Callable[[], Any]]) -> Any:
    """False as soon as one part is false; parts after an unknown one are still asked."""
    unknown = False
    for part in parts:
        value = part()
        if value is False:
            return False
        unknown = unknown or value is UNKNOWN
    return UNKNOWN if unknown else True


def or_(parts: Iterable[Callable[[], Any]]) -> Any:
    """True as soon as one part is true; parts after an unknown one are still asked."""
    unknown = False
    for part in parts:
        value = part()
        if value is True:
            return True
        unknown = unknown or value is UNKNOWN
    return UNKNOWN if unknown else False


def not_(value: Any) -> Any:
    return UNKNOWN if value is UNKNOWN else not value
