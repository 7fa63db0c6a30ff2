"""What time it is: the instant in UTC and the day in Copenhagen; in the demo the day can be fixed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from app.domain.cycle import COPENHAGEN, day_of


@dataclass(frozen=True, slots=True)
class Now:
    """One moment, the same throughout a request."""

    at: datetime
    today: date


def now(fixed: date | None = None) -> Now:
    """The present moment, or the present time of day on a fixed date."""
    at = datetime.now(UTC)
    if fixed is None:
        return Now(at, day_of(at))
    local = at.astimezone(COPENHAGEN).replace(year=fixed.year, month=fixed.month, day=fixed.day)
    return Now(local.astimezone(UTC), fixed)
