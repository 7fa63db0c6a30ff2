"""A person's desk: what waits for them, their proposals with what is known of each, and the money of the cycle."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from app.db import Record, Tx
from app.domain.people import IOM, Actor, Role
from app.domain.workflow import State
from app.prepared import Hot
from app.records import audit, cycles, desk, listing
from app.records.listing import Wanted
from app.services.clock import Now

SOON = timedelta(days=30)  # how long before it is due a tranche waits to be prepared
TABS: dict[str, tuple[State, ...]] = {
    "drafts": (State.DRAFT,),
    "review": (State.SUBMITTED, State.UNDER_REVIEW),
    "with_iom": (State.RETURNED,),
    "decide": (State.RECOMMENDED, State.DEFERRED),
    "funded": (State.APPROVED, State.AGREED, State.DISBURSED),
    "ended": (State.REJECTED, State.CLOSED, State.CANCELLED),
}
STATES = tuple(str(state) for group in TABS.values() for state in group)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for a person: its kind, what of, by when; `number` is a tranche, a year, a question, a meeting."""

    kind: str
    ref: str | None
    title: str
    due_on: date | None
    number: int


@dataclass(frozen=True, slots=True)
class Row:
    """A proposal in a list: its columns, the state of each criterion, its countries, days until its deadline."""

    head: Record
    criteria: dict[str, str]
    countries: tuple[str, ...]
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Money:
    """A year's figures in DKK; `recommended` is part of `requested`, and 0 to whom it is not told."""

    envelope: int
    status: str
    requested: int
    recommended: int
    approved: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything the queue shows. `counts` stop at `desk.MOST` + 1; `following` is where the next page begins."""

    year: int
    years: tuple[int, ...]
    closes_on: date
    open: bool
    counts: dict[str, int]
    money: Money
    meeting: Record | None
    tasks: list[Task]
    rows: list[Row]
    following: tuple[Any, int] | None


def current_year(found: list[Record], today: date) -> int:
    """The cycle that people work on: the latest whose window has opened."""
    begun = [row.year for row in found if row.opens_on <= today]
    return int(max(begun, default=min(row.year for row in found)))


def queue(tx: Tx, actor: Actor, wanted: Wanted, tab: str, whole: bool, now: Now) -> Desk:
    """The desk of this person: of `wanted.cycle`, the current one where there is no such, of all cycles' proposals if `whole`."""
    found = cycles.all_cycles(tx)
    years = {row.year: row for row in found}
    cycle = years.get(wanted.cycle or 0) or years[current_year(found, now.today)]
    year: int = cycle.year
    listed = None if whole else year
    by_state = desk.state_counts(tx, actor, listed, STATES)
    asked = Wanted(
        listed, TABS.get(tab, ()), wanted.country, wanted.priority_area, wanted.office, wanted.q,
        wanted.by_total, wanted.limit, wanted.after,
    )  # fmt: skip
    rows = listing.list_proposals(tx, actor, asked, summaries=True)
    page, following = rows[: wanted.limit], None
    if len(rows) > wanted.limit:
        following = (page[-1].total_tenths if wanted.by_total else page[-1].updated_at, page[-1].id)
    meeting = desk.coming(tx, year)
    return Desk(
        year=year,
        years=tuple(row.year for row in found),
        closes_on=cycle.closes_on,
        open=cycles.window_of(cycle).is_open(now.today),
        counts={name: sum(by_state.get(state, 0) for state in group) for name, group in TABS.items()},
        money=_money(tx, actor, cycle),
        meeting=meeting,
        tasks=tasks(tx, actor, now),
        rows=_rows(tx, actor, page, meeting),
        following=following,
    )


def _rows(tx: Tx, actor: Actor, page: list[Record], meeting: Record | None) -> list[Row]:
    countries = desk.countries_of(tx, actor.side, [row.id for row in page])
    live = meeting if meeting is not None and meeting.state != "concluded" else None
    return [
        Row(
            head=row,
            criteria=json.loads(row.screening)["criteria"],
            countries=tuple(countries.get(row.id, ())),
            due_on=row.deadline_on if row.state in (State.DRAFT, State.RETURNED) else _decided(row, live),
        )
        for row in page
    ]


def _decided(row: Record, meeting: Record | None) -> date | None:
    """What is under way towards the consultation of its cycle is due on its day."""
    towards = row.state in (*TABS["review"], *TABS["decide"])
    return meeting.held_on if meeting is not None and towards and row.cycle_year == meeting.cycle_year else None


# Year -> the hash of the log's head and what was asked for then: every act changes the head, so sums of the same head hold.
_asked_for: dict[int, tuple[str, dict[str, int]]] = {}


def _requested(tx: Tx, year: int) -> dict[str, int]:
    head = audit.head(tx)
    known = _asked_for.get(year)
    if head is None or known is None or known[0] != head.hash:
        known = (head.hash if head else "", desk.requested_by_state(tx, year))
        _asked_for[year] = known
    return known[1]


def _money(tx: Tx, actor: Actor, cycle: Record) -> Money:
    by_state = _requested(tx, cycle.year)
    live = {state: amount for state, amount in by_state.items() if state not in (State.DRAFT, State.CANCELLED)}
    told = actor.role not in IOM
    recommended = sum(live.get(state, 0) for state in TABS["decide"]) if told else 0
    return Money(cycle.amount_dkk, cycle.status, sum(live.values()), recommended, cycle.committed_dkk)


def tasks(tx: Tx, actor: Actor, now: Now) -> list[Task]:
    """What waits for this person, by kind in the order of the work, the earliest due first."""
    asked = _asked(desk.seen_as(actor), now.today)
    found = [Task(row.kind, row.ref, row.title, row.due_on, int(row.number)) for row in (asked(tx) if asked else ())]
    if actor.role is Role.MFA_HEAD:
        found[:0] = [_meeting("decide", row) for row in desk.consultations_open(tx)]
    if actor.role is Role.IOM_FOCAL_POINT:
        found += [_meeting("confirm_minutes", row) for row in desk.minutes_unconfirmed(tx)]
    return found


@lru_cache(desk.KEPT)
def _asked(actor: Actor, today: date) -> Hot | None:
    """The statement of what waits for somebody on a day; None where nothing ever does."""
    match actor.role:
        case Role.MFA_REVIEWER:
            return desk.waiting(desk.of_reviewer(actor))
        case Role.MFA_HEAD:
            return desk.waiting(desk.of_head(actor))
        case Role.MFA_FINANCE:
            return desk.waiting(desk.of_finance(actor, today + SOON))
        case Role.IOM_OFFICE:
            return desk.waiting(desk.of_iom(actor))
        case Role.IOM_FOCAL_POINT:
            return desk.waiting([*desk.of_iom(actor), *desk.of_focal_point(actor)])
    return None


def _meeting(kind: str, row: Record) -> Task:
    return Task(kind, None, str(row.cycle_year), row.held_on, row.id)
