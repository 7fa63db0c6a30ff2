"""What two activities have in common: countries, kinds of activity, time. Facts, no verdict."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from app.domain.rulebook.functions import months_between


def shared(mine: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """What stands in both, each once, in the order of the first."""
    theirs = set(others)
    return [one for one in dict.fromkeys(mine) if one in theirs]


def months_in_common(start: date, end: date, from_: date | None, until: date | None) -> int | None:
    """Whole months that two periods have in common; None where the second lacks its start or its end."""
    if from_ is None or until is None:
        return None
    return months_between(max(start, from_), min(end, until))
