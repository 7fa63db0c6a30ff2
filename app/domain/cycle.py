"""Days and deadlines: instants are UTC, deadlines are dates in Copenhagen, late from 00:00 of the next day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def day_of(instant: datetime) -> date:
    """The calendar day in Copenhagen at a UTC instant."""
    return instant.astimezone(COPENHAGEN).date()


def noon_of(day: date) -> datetime:
    """A UTC instant that lies on that day in Copenhagen, for a fixed clock and for demo data."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=COPENHAGEN).astimezone(UTC)


def start_of(day: date) -> datetime:
    """The UTC instant at which a day begins in Copenhagen."""
    return datetime(day.year, day.month, day.day, tzinfo=COPENHAGEN).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which proposals of a cycle can be made and submitted, both included."""

    opens_on: date
    closes_on: date

    def is_open(self, today: date) -> bool:
        return self.opens_on <= today <= self.closes_on

    def sentence(self, year: int, today: date) -> str:
        """Why the window is closed today, with the date that decides it."""
        if today < self.opens_on:
            return f"Submissions for the cycle {year} open on {self.opens_on}."
        return f"Submissions for the cycle {year} closed on {self.closes_on}."


def return_deadline(window: Window, today: date, days: int) -> date:
    """Until when a proposal returned by screening can come again: the later of the window's end and `days` from today."""
    return max(window.closes_on, today + timedelta(days=days))
