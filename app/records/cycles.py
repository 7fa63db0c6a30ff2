"""Cycles and their envelopes."""

from datetime import date, datetime

from sqlalchemy import bindparam, insert, select, update

from app.db import Record, Tx, insert_of
from app.domain.cycle import Window
from app.prepared import Hot
from app.records.access_tables import person
from app.records.tables import cycle, cycle_change, envelope

_ENVELOPES = Hot(
    select(cycle.c.year, envelope.c.amount_dkk)
    .select_from(cycle.join(envelope, envelope.c.year == cycle.c.year))
    .order_by(cycle.c.year)
)
_CYCLE = Hot(select(cycle).where(cycle.c.year == bindparam("year")))
_HELD = Hot(select(cycle).where(cycle.c.year == bindparam("year")).with_for_update())
_RAISED = Hot(
    update(cycle)
    .where(cycle.c.year == bindparam("at"))
    .values(last_number=cycle.c.last_number + 1)
    .returning(cycle.c.last_number)
)


def all_cycles(tx: Tx) -> list[Record]:
    """Every cycle with its envelope, by year."""
    both = cycle.join(envelope, envelope.c.year == cycle.c.year)
    columns = [*cycle.c, envelope.c.amount_dkk, envelope.c.status, envelope.c.committed_dkk]
    return list(tx.execute(select(*columns).select_from(both).order_by(cycle.c.year)))


def cycle_of(tx: Tx, year: int) -> Record | None:
    return next(iter(_CYCLE(tx, year=year)), None)


def hold(tx: Tx, year: int) -> Record | None:
    """The cycle, held by this transaction until its end: its window does not move meanwhile."""
    return next(iter(_HELD(tx, year=year)), None)


def existing_cycle(tx: Tx, year: int) -> Record:
    """The cycle of a proposal, which is there as long as the proposal is."""
    row: Record = _CYCLE(tx, year=year)[0]
    return row


def window_of(row: Record) -> Window:
    return Window(row.opens_on, row.closes_on)


def next_number(tx: Tx, year: int) -> int:
    """The next reference number of a cycle, held by this transaction until it ends: no gap, no race."""
    return int(_RAISED(tx, at=year)[0].last_number)


def add_cycle(tx: Tx, year: int, framework: str, window: Window, amount_dkk: int, status: str, added: bool) -> bool:
    """Add a cycle and its envelope; False when there is one, also when it was made at the same moment."""
    days = {"opens_on": window.opens_on, "closes_on": window.closes_on}
    made = insert_of(tx, cycle).values(year=year, framework=framework, added=added, last_number=0, version=1, **days)
    if tx.execute(made.on_conflict_do_nothing().returning(cycle.c.year)).scalar_one_or_none() is None:
        return False
    tx.execute(insert(envelope).values(year=year, amount_dkk=amount_dkk, status=status, committed_dkk=0))
    return True


def move_window(tx: Tx, year: int, version: int, opens_on: date, closes_on: date) -> bool:
    """Move a cycle's window; False when it is no longer at that version."""
    moved = tx.execute(
        update(cycle)
        .where(cycle.c.year == year, cycle.c.version == version)
        .values(opens_on=opens_on, closes_on=closes_on, version=version + 1)
    )
    return moved.rowcount == 1


def note_change(
    tx: Tx, year: int, at: datetime, person_id: int | None, reason: str, opens_on: date, closes_on: date
) -> None:
    values = {"year": year, "at": at, "person_id": person_id, "reason": reason}
    tx.execute(insert(cycle_change).values(**values, opens_on=opens_on, closes_on=closes_on))


def changes(tx: Tx, most: int) -> list[Record]:
    """The newest moves of windows, with who moved them and why."""
    columns = [*cycle_change.c, person.c.name]
    query = select(*columns).select_from(cycle_change.outerjoin(person, person.c.id == cycle_change.c.person_id))
    return list(tx.execute(query.order_by(cycle_change.c.id.desc()).limit(most)))


def envelopes(tx: Tx) -> dict[int, int]:
    """Year -> DKK of its envelope, for every cycle that exists, administrator-added ones included, in their order."""
    return {row.year: row.amount_dkk for row in _ENVELOPES(tx)}
