"""What reminders are computed from, and which were owed: each at most once, whoever computes it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.db import Record, Tx, insert_of
from app.records.access_tables import office
from app.records.among import among
from app.records.notice_tables import reminder
from app.records.tables import cycle, face, proposal


def first(tx: Tx, name: str, at: datetime) -> bool:
    """Note that a reminder is owed; False when it has been."""
    made = insert_of(tx, reminder).values(name=name, at=at).on_conflict_do_nothing().returning(reminder.c.name)
    return tx.execute(made).scalar_one_or_none() is not None


def owed(tx: Tx, names: Sequence[str]) -> set[str]:
    """Those of these reminders that have been owed."""
    return set(tx.scalars(select(reminder.c.name).where(among(reminder.c.name, names)))) if names else set()


def windows(tx: Tx) -> list[Record]:
    """Every cycle's window."""
    return list(tx.execute(select(cycle.c.year, cycle.c.opens_on, cycle.c.closes_on).order_by(cycle.c.year)))


def drafts(tx: Tx, year: int) -> list[Record]:
    """What ends with a cycle's window, by office, with titles as IOM sees them: drafts, and what screening returned."""
    joined = proposal.join(face, (face.c.proposal_id == proposal.c.id) & (face.c.side == "iom"))
    joined = joined.join(cycle, cycle.c.year == proposal.c.cycle_year)
    query = select(proposal.c.ref, proposal.c.office_code, face.c.title).select_from(joined)
    back = (proposal.c.state == "returned") & (proposal.c.returned_by == "screening")
    open_ = (proposal.c.state == "draft") | (back & (proposal.c.deadline_on == cycle.c.closes_on))
    return list(tx.execute(query.where(proposal.c.cycle_year == year, open_).order_by(proposal.c.ref)))


def iom_offices(tx: Tx) -> list[str]:
    """The codes of IOM's offices."""
    return list(tx.scalars(select(office.c.code).where(office.c.kind == "iom").order_by(office.c.code)))
