"""The functions that accepted expressions call; none of them raises for values of the types the checker lets through."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

_DAY = timedelta(days=1)


def distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once, in the order first seen (never a set: its order would change with the hash seed)."""
    return list(dict.fromkeys(values))


def least(values: Iterable[int]) -> int:
    return min(values, default=0)


def most(values: Iterable[int]) -> int:
    return max(values, default=0)


def count_words(text: str) -> int:
    return len(text.split())


def months_between(start: date, end: date) -> int:
    """Whole months from `start` to the end of `end`: 1 January to 31 December is 12. 0 when it ends before it starts.

    A month is full on the day before `start`'s day comes round; a month that lacks that day is full with its last one.
    """
    after = end + _DAY
    months = (after.year - start.year) * 12 + after.month - start.month
    if after.day < start.day and (after + _DAY).month == after.month:
        months -= 1
    return max(months, 0)
