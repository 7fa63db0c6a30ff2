"""Reminders: computed from the calendar as it stands, never scheduled, so that a moved deadline moves them. Each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.db import Tx
from app.domain.framework import Framework
from app.domain.report import DONE, due_on
from app.domain.workflow import State
from app.notify import outbox
from app.records import proposals, reminders
from app.services import reporting
from app.services.clock import Now

BEFORE_CLOSING = (30, 7, 1)
BEFORE_REPORT = (30, 7, 0)
LATEST = timedelta(days=14)  # what was missed for longer is not caught up


@dataclass(frozen=True, slots=True)
class Reminder:
    """One that the calendar calls for today: `name` says of what, for which day and how long before, and is owed once."""

    name: str
    kind: str
    subject: str
    facts: dict[str, Any]
    ref: str | None = None


def due(tx: Tx, framework: Framework, now: Now) -> list[Reminder]:
    """Every reminder that is due today and was not owed before, also after days in which nobody looked. It only reads."""
    found = [*_windows(tx, now), *_reports(tx, framework, now)]
    owed = reminders.owed(tx, [one.name for one in found])
    return [one for one in found if one.name not in owed]


def owe_due(tx: Tx, framework: Framework, now: Now) -> None:
    """Owe what is due; of several workers that do it at once, one does."""
    for one in due(tx, framework, now):
        if reminders.first(tx, one.name, now.at):
            outbox.owe(tx, one.kind, one.subject, now.at, one.facts, one.ref)


def _windows(tx: Tx, now: Now) -> Iterator[Reminder]:
    for row in reminders.windows(tx):
        year, closes_on = row.year, row.closes_on.isoformat()
        if row.opens_on <= now.today <= min(row.closes_on, row.opens_on + LATEST):
            facts = {"cycle": year, "opens_on": row.opens_on.isoformat(), "closes_on": closes_on}
            offices = {"offices": reminders.iom_offices(tx)}
            name = f"window.opens/{year}/{row.opens_on}/{row.closes_on}"
            yield Reminder(name, "window.opens", f"window/{year}", {**facts, **offices})
        if (step := reached(row.closes_on, now.today, BEFORE_CLOSING)) is not None:
            yield from _closing(tx, year, row.closes_on, step, now)


def _closing(tx: Tx, year: int, closes_on: date, step: int, now: Now) -> Iterator[Reminder]:
    """To each office with drafts, which are named."""
    drafts = reminders.drafts(tx, year)
    days = {"cycle": year, "closes_on": closes_on.isoformat(), "days": (closes_on - now.today).days}
    for office in sorted({one.office_code for one in drafts}):
        titles = ", ".join(one.title or one.ref for one in drafts if one.office_code == office)
        name = f"window.closes/{year}/{office}/{closes_on}/{step}"
        facts = {**days, "titles": titles, "offices": [office]}
        yield Reminder(name, "window.closes", f"window/{year}/{office}", facts)


def _reports(tx: Tx, framework: Framework, now: Now) -> Iterator[Reminder]:
    live = [row for row in proposals.signed(tx) if row.state in (State.AGREED, State.DISBURSED)]
    standings = reporting.standings(tx, [row.id for row in live], framework, now)
    for row in live:
        for one in standings[row.id]:
            day = due_on(one["year"], framework.calendar.report_due)
            if one["state"] not in DONE and (made := _report(row.ref, one["year"], day, now)):
                yield made


def _report(ref: str, year: int, day: date, now: Now) -> Reminder | None:
    facts = {"year": year, "due_on": day.isoformat(), "days": (day - now.today).days}
    subject = f"report/{ref}/{year}"
    if day < now.today:
        return Reminder(f"report.overdue/{ref}/{year}/{day}", "report.overdue", subject, facts, ref)
    step = reached(day, now.today, BEFORE_REPORT)
    if step is None:
        return None
    return Reminder(f"report.due/{ref}/{year}/{day}/{step}", "report.due", subject, facts, ref)


def reached(day: date, today: date, steps: tuple[int, ...]) -> int | None:
    """The step that is reached: the smallest number of days that is not more than what is left; None before and after."""
    left = (day - today).days
    if left < 0:
        return None
    return min((step for step in steps if left <= step), default=None)
