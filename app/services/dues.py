"""What waits after decisions, over all proposals a person sees: signatures, tranches, reports; and the list of payments."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from app.db import Record, Tx
from app.domain.framework import Framework
from app.domain.people import IOM, Actor, Role
from app.domain.report import due_on
from app.prepared import Hot
from app.records import cycles, desk, payments, reports
from app.records.desk import MOST
from app.records.payments import Wanted
from app.services.clock import Now
from app.services.desk import SOON

# Who does what waits, in the order in which it is shown.
DOERS: dict[str, frozenset[Role]] = {
    "sign_mfa": frozenset({Role.MFA_HEAD}),
    "sign_iom": frozenset({Role.IOM_FOCAL_POINT}),
    "sign_amendment_mfa": frozenset({Role.MFA_HEAD}),
    "sign_amendment_iom": frozenset({Role.IOM_FOCAL_POINT}),
    "prepare": frozenset({Role.MFA_FINANCE}),
    "release": frozenset({Role.MFA_FINANCE}),
    "release_other": frozenset(),
    "receive": frozenset({Role.IOM_FOCAL_POINT}),
    "report_overdue": IOM,
    "report_due": IOM,
    "read_report": frozenset({Role.MFA_REVIEWER}),
}


@dataclass(frozen=True, slots=True)
class Due:
    """Something that waits: what, of which proposal, by when, and whether for the reader; `number`: a tranche, a year."""

    kind: str
    ref: str
    title: str
    due_on: date | None
    number: int
    mine: bool


@dataclass(frozen=True, slots=True)
class Dues:
    """The page's facts. `totals` is (year charged, state) -> whole DKK; `following` the number the next page begins below.

    No kind of what waits has more than MOST here; `more` when there are more reports than that.
    """

    waiting: list[Due]
    rows: list[Record]
    following: int | None
    totals: dict[tuple[int, str], int]
    cycles: tuple[int, ...]
    more: bool


def overview(tx: Tx, actor: Actor, wanted: Wanted, framework: Framework, now: Now) -> Dues:
    """What waits, the reader's own first and the earliest due first; five statements whatever there is."""
    found = [
        Due(one.kind, one.ref, one.title, one.due_on, int(one.number), actor.role in DOERS[one.kind])
        for one in _asked(desk.seen_as(actor), now.today)(tx)
    ]
    known = tuple(row.year for row in cycles.all_cycles(tx))
    years = range(
        min(known, default=now.today.year) - 1, now.today.year
    )  # what is signed early is signed the year before
    owed = reports.owed(tx, actor, years, MOST + 1)
    found += _reports(owed[:MOST], actor, framework, now)
    order = list(DOERS)
    rows = payments.page(tx, actor, wanted)
    return Dues(
        waiting=sorted(found, key=lambda one: (not one.mine, order.index(one.kind), one.due_on or date.max, one.ref)),
        rows=rows[: wanted.limit],
        following=rows[wanted.limit - 1].id if len(rows) > wanted.limit else None,
        totals=payments.totals(tx, actor),
        cycles=known,
        more=len(owed) > MOST,
    )


@lru_cache(desk.KEPT)
def _asked(actor: Actor, today: date) -> Hot:
    return desk.waiting(desk.of_money(actor, today + SOON))


def _reports(owed: list[Record], actor: Actor, framework: Framework, now: Now) -> list[Due]:
    """Reports that are overdue, and those on years that are over."""
    found = [(one, due_on(one.year, framework.calendar.report_due)) for one in owed]
    return [
        Due("report_overdue" if day < now.today else "report_due", one.ref, one.title, day, one.year, actor.role in IOM)
        for one, day in found
    ]
