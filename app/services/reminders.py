"""Reminders: computed from the calendar as it stands, never scheduled, so that a moved deadline moves them. Each once."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from app.db import Tx
from app.domain.framework import Framework
from app.domain.report import due_on
from app.domain.workflow import State
from app.notify import outbox
from app.records import proposals, reminders
from app.services import reporting
from app.services.clock import Now

BEFORE_CLOSING = (30, 7, 1)
BEFORE_REPORT = (30, 7, 0)
LATEST = timedelta(days=14)  # what was missed for longer is not caught up


def owe_due(tx: Tx, framework: Framework, now: Now) -> None:
    """Owe every reminder that is due today and was not owed before, also after days in which nobody looked."""
    for row in reminders.windows(tx):
        if row.opens_on <= now.today <= min(row.closes_on, row.opens_on + LATEST):
            _open(tx, row.year, row.opens_on, row.closes_on, now)
        if (step := reached(row.closes_on, now.today, BEFORE_CLOSING)) is not None:
            _closing(tx, row.year, row.closes_on, step, now)
    live = [row for row in proposals.signed(tx) if row.state in (State.AGREED, State.DISBURSED)]
    standings = reporting.standings(tx, [row.id for row in live], framework, now)
    for row in live:
        for one in standings[row.id]:
            if one["state"] not in ("submitted", "accepted"):
                _report(tx, row.ref, one["year"], due_on(one["year"], framework.calendar.report_due), now)


def outdated(tx: Tx, kind: str, facts: Mapping[str, Any]) -> str | None:
    """Why a reminder of a window that was owed is not sent any more: the window was moved since, or nothing is left to submit."""
    if kind not in ("window.opens", "window.closes"):
        return None
    row = next((one for one in reminders.windows(tx) if one.year == facts["cycle"]), None)
    told = {name: date.fromisoformat(facts[name]) for name in ("opens_on", "closes_on") if name in facts}
    if row is None or any(getattr(row, name) != day for name, day in told.items()):
        return "The window was moved since."
    if kind == "window.closes" and not {one.office_code for one in reminders.drafts(tx, row.year)} & {
        *facts["offices"]
    }:
        return "Everything was submitted since."
    return None


def reached(day: date, today: date, steps: tuple[int, ...]) -> int | None:
    """The step that is reached: the smallest number of days that is not more than what is left; None before and after."""
    left = (day - today).days
    if left < 0:
        return None
    return min((step for step in steps if left <= step), default=None)


def _open(tx: Tx, year: int, opens_on: date, closes_on: date, now: Now) -> None:
    if reminders.first(tx, f"window.opens/{year}/{opens_on}", now.at):
        facts = {"cycle": year, "opens_on": opens_on.isoformat(), "closes_on": closes_on.isoformat()}
        outbox.owe(tx, "window.opens", f"window/{year}", now.at, {**facts, "offices": reminders.iom_offices(tx)})


def _closing(tx: Tx, year: int, closes_on: date, step: int, now: Now) -> None:
    """To each office with drafts, which are named."""
    drafts = reminders.drafts(tx, year)
    for office in sorted({one.office_code for one in drafts}):
        if not reminders.first(tx, f"window.closes/{year}/{office}/{closes_on}/{step}", now.at):
            continue
        titles = ", ".join(one.title or one.ref for one in drafts if one.office_code == office)
        facts = {
            "cycle": year,
            "closes_on": closes_on.isoformat(),
            "days": (closes_on - now.today).days,
            "titles": titles,
        }
        outbox.owe(tx, "window.closes", f"window/{year}/{office}", now.at, {**facts, "offices": [office]})


def _report(tx: Tx, ref: str, year: int, day: date, now: Now) -> None:
    facts = {"year": year, "due_on": day.isoformat(), "days": (day - now.today).days}
    subject = f"report/{ref}/{year}"
    if day < now.today:
        if reminders.first(tx, f"report.overdue/{ref}/{year}/{day}", now.at):
            outbox.owe(tx, "report.overdue", subject, now.at, facts, ref)
        return
    step = reached(day, now.today, BEFORE_REPORT)
    if step is not None and reminders.first(tx, f"report.due/{ref}/{year}/{day}/{step}", now.at):
        outbox.owe(tx, "report.due", subject, now.at, facts, ref)
