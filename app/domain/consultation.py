"""The consultation's own rules: its stages, its quarter, and when it can be concluded. Pure."""

from datetime import date
from enum import StrEnum

from app.errors import Refusal


class Stage(StrEnum):
    PLANNED = "planned"
    OPEN = "open"
    CONCLUDED = "concluded"
    CANCELLED = "cancelled"


SETTLED = (Stage.CONCLUDED, Stage.CANCELLED)  # nothing about it changes any more


class Verdict(StrEnum):
    """What a consultation decides on a proposal; each is the move it makes."""

    APPROVE = "approve"
    REJECT = "reject"
    DEFER = "defer"


def in_quarter(day: date, year: int, quarter: int) -> bool:
    """Whether a day lies in that quarter of that year."""
    return day.year == year and (day.month - 1) // 3 + 1 == quarter


def too_early(held_on: date, today: date) -> Refusal | None:
    """A consultation is not concluded before it is held. Days are days in Copenhagen."""
    if today >= held_on:
        return None
    return Refusal(
        "too_early", f"The consultation is held on {held_on}; it cannot be concluded before. Today is {today}."
    )
