"""The annual cycles: made from the framework, added by an administrator, their windows moved with a reason."""

from datetime import date
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import Window, day_of, return_deadline
from app.domain.framework import Framework
from app.domain.people import Actor
from app.errors import Conflict, Fault, Invalid, NotFound, check_version, refuse_unless
from app.notify import outbox
from app.records import cycles, money, proposals
from app.services import audit
from app.services.clock import Now

MOST_MOVES = 20


def establish(tx: Tx, framework: Framework) -> None:
    """Make the framework's cycles that the database does not have yet."""
    for plan in framework.cycles:
        if cycles.cycle_of(tx, plan.year) is None:
            window = Window(plan.opens_on, plan.closes_on)
            cycles.add_cycle(tx, plan.year, framework.id, window, plan.amount, plan.status, added=False)


def add(tx: Tx, framework: Framework, year: int, amount_dkk: int, window: Window | None = None) -> None:
    """Add a later cycle with its own envelope; without a window, the framework's usual days of the year before."""
    days = window or _usual_window(framework, year)
    added = cycles.add_cycle(tx, year, framework.id, days, amount_dkk, "planned", added=True)
    refuse_unless(added, "cycle_exists", f"The cycle {year} exists already.")


def add_later(
    tx: Tx,
    actor: Actor,
    framework: Framework,
    year: int,
    amount: int,
    opens_on: date | None,
    closes_on: date | None,
    reason: str,
    now: Now,
) -> dict[str, Any]:
    """Add a cycle after the last there is, with its own envelope, planned. Money is never moved between years."""
    last = max(row.year for row in cycles.all_cycles(tx))
    refuse_unless(year > last, "cycle_exists", f"There are cycles to {last}; only a later one can be added.")
    usual = _usual_window(framework, year)
    window = Window(opens_on or usual.opens_on, closes_on or usual.closes_on)
    _check_window(window)
    add(tx, framework, year, amount, window)
    money.note_change(tx, year, now.at, actor.id, amount, "planned", reason)
    facts: audit.Facts = {"opens_on": str(window.opens_on), "closes_on": str(window.closes_on), "amount": amount}
    audit.record(tx, actor, "cycle.add", f"cycle/{year}", now, facts, after=audit.digest(facts))
    return next(one for one in overview(tx, now) if one["year"] == year)


def _check_window(window: Window) -> None:
    if window.closes_on < window.opens_on:
        fault = Fault("/closes_on", "before_opening", f"The window opens on {window.opens_on}; it cannot close before.")
        raise Invalid("validation_failed", "The window would close before it opens.", faults=[fault])


def _usual_window(framework: Framework, year: int) -> Window:
    days = framework.calendar.window_opens, framework.calendar.window_closes
    return Window(*(date.fromisoformat(f"{year - 1}-{day}") for day in days))


def overview(tx: Tx, now: Now) -> list[dict[str, Any]]:
    """Every cycle with its window, whether it is open today, and its envelope."""
    return [_described(row, now) for row in cycles.all_cycles(tx)]


def moved(tx: Tx) -> list[dict[str, Any]]:
    """The newest moves of windows: cycle, when, by whom, the new days, why."""
    named = ("year", "at", "name", "opens_on", "closes_on", "reason")
    return [{name: getattr(row, name) for name in named} for row in cycles.changes(tx, MOST_MOVES)]


def _described(row: Record, now: Now) -> dict[str, Any]:
    window = cycles.window_of(row)
    return {
        "year": row.year,
        "framework": row.framework,
        "opens_on": row.opens_on.isoformat(),
        "closes_on": row.closes_on.isoformat(),
        "open": window.is_open(now.today),
        "added": row.added,
        "amount": row.amount_dkk,
        "status": row.status,
        "version": row.version,
    }


def knock(tx: Tx, year: int, expected: frozenset[int] | None) -> Record:
    """A cycle as it is before it is changed; 404 where there is none, 412 at another version than expected."""
    row = cycles.cycle_of(tx, year)
    if row is None:
        raise NotFound("cycle_not_found", f"There is no cycle {year}.")
    check_version("the cycle", row.version, expected)
    return row


def move_window(
    tx: Tx,
    actor: Actor,
    year: int,
    opens_on: date | None,
    closes_on: date | None,
    reason: str,
    expected: frozenset[int] | None,
    days: int,
    now: Now,
) -> dict[str, Any]:
    """Move a cycle's window, with all deadlines that hang on it; `days` a return by screening has at least."""
    row = knock(tx, year, expected)
    window = Window(opens_on or row.opens_on, closes_on or row.closes_on)
    _check_window(window)
    if window == Window(row.opens_on, row.closes_on):
        return next(one for one in overview(tx, now) if one["year"] == year)
    if not cycles.move_window(tx, year, row.version, window.opens_on, window.closes_on):
        raise Conflict("changed_meanwhile", "Somebody else changed this cycle at the same time; read it again.")
    cycles.note_change(tx, year, now.at, actor.id, reason, window.opens_on, window.closes_on)
    _move_deadlines(tx, year, window, days, now)  # before the log: whoever moves a proposal takes them in this order
    facts: audit.Facts = {"opens_on": str(window.opens_on), "closes_on": str(window.closes_on)}
    before = audit.digest({"opens_on": str(row.opens_on), "closes_on": str(row.closes_on)})
    audit.record(tx, actor, "cycle.move_window", f"cycle/{year}", now, facts, before, audit.digest(facts))
    return next(one for one in overview(tx, now) if one["year"] == year)


def _move_deadlines(tx: Tx, year: int, window: Window, days: int, now: Now) -> None:
    """Drafts live until the window's end, returns by screening until the later of that and `days` after they came back."""
    for row in proposals.waiting_in(tx, year):
        back = day_of(row.submitted_at) if row.state == "returned" else None
        deadline = return_deadline(window, back, days) if back else window.closes_on
        if deadline != row.deadline_on:
            proposals.change_proposal(tx, row.id, row.state, row.lock, {"deadline_on": deadline})
            proposals.touch_faces(tx, row.id, now.at)
            if back:
                outbox.owe(tx, "proposal.deadline_moved", row.ref, now.at, {"deadline": deadline.isoformat()}, row.ref)
