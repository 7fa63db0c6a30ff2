"""Payments over all proposals: the list that an actor sees, and what was released in a time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.db import Record, Tx
from app.domain.people import Actor
from app.records.access_tables import person
from app.records.agreement_tables import payment
from app.records.proposals import visible
from app.records.tables import face, proposal


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list asks for; `year` is the year charged, `below` the number of the last payment of the page before."""

    states: tuple[str, ...] = ()
    year: int | None = None
    cycle: int | None = None
    limit: int = 50
    below: int | None = None


def page(tx: Tx, actor: Actor, wanted: Wanted) -> list[Record]:
    """One page of the payments of what the actor sees, newest first, and one row more if there is one."""
    joined = payment.join(proposal).join(face, face.c.proposal_id == proposal.c.id)
    query = select(*payment.c, proposal.c.ref, face.c.title).select_from(joined).where(visible(actor))
    if wanted.states:
        query = query.where(payment.c.state.in_(wanted.states))
    if wanted.year is not None:
        query = query.where(payment.c.year == wanted.year)
    if wanted.cycle is not None:
        query = query.where(proposal.c.cycle_year == wanted.cycle)
    if wanted.below is not None:
        query = query.where(payment.c.id < wanted.below)
    return list(tx.execute(query.order_by(payment.c.id.desc()).limit(wanted.limit + 1)))


def totals(tx: Tx, actor: Actor) -> dict[tuple[int, str], int]:
    """(year charged, state) -> whole DKK of the payments that the actor sees; of what is received, what arrived."""
    joined = payment.join(proposal).join(face, face.c.proposal_id == proposal.c.id)
    amount = func.sum(func.coalesce(payment.c.received_dkk, payment.c.amount_dkk))
    query = select(payment.c.year, payment.c.state, amount).select_from(joined).where(visible(actor))
    found = tx.execute(query.group_by(payment.c.year, payment.c.state))
    return {(year, state): int(sum_) for year, state, sum_ in found}


def released(tx: Tx, since: datetime, until: datetime) -> list[Record]:
    """What was released from `since` on and before `until`, in that order, with who prepared and who released it."""
    first, second = person.alias(), person.alias()
    joined = (
        payment.join(proposal)
        .join(first, first.c.id == payment.c.prepared_by)
        .join(second, second.c.id == payment.c.released_by)
    )
    names = (first.c.name.label("preparer"), second.c.name.label("releaser"))
    here = (payment.c.released_at >= since) & (payment.c.released_at < until)
    query = select(*payment.c, proposal.c.ref, *names).select_from(joined).where(here)
    return list(tx.execute(query.order_by(payment.c.released_at, payment.c.id)))
