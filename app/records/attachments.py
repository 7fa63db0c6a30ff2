"""Attachments of proposals: who may see which is decided here, in the query."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, or_, select

from app.db import Record, Tx
from app.domain.people import Actor, Side
from app.records.tables import attachment, proposal, snapshot


def _visible(actor: Actor) -> ColumnElement[bool]:
    """One's own side's, and what the other shares; what IOM adds to a returned proposal is unseen until it comes again."""
    own = attachment.c.side == actor.side
    shared = attachment.c.visibility == "shared"
    if actor.side is Side.IOM:
        return or_(own, shared)
    last = select(func.max(snapshot.c.taken_at)).where(snapshot.c.proposal_id == attachment.c.proposal_id)
    open_ = select(proposal.c.id).where(
        proposal.c.id == attachment.c.proposal_id, proposal.c.state.in_(("draft", "returned"))
    )
    told = or_(~open_.exists(), attachment.c.at <= last.scalar_subquery())
    return or_(own, and_(shared, told))


def of_proposal(tx: Tx, actor: Actor, proposal_id: int) -> list[Record]:
    """The attachments of a proposal that this actor sees, oldest first."""
    query = select(attachment).where(attachment.c.proposal_id == proposal_id, _visible(actor))
    return list(tx.execute(query.order_by(attachment.c.id)))


def one_of(tx: Tx, actor: Actor, proposal_id: int, attachment_id: int) -> Record | None:
    here = (attachment.c.proposal_id == proposal_id) & (attachment.c.id == attachment_id)
    return tx.execute(select(attachment).where(here, _visible(actor))).one_or_none()


def count_and_size(tx: Tx, proposal_id: int) -> tuple[int, int]:
    """How many attachments a proposal has, and their bytes together."""
    counted = select(func.count(), func.coalesce(func.sum(attachment.c.size), 0))
    row = tx.execute(counted.where(attachment.c.proposal_id == proposal_id)).one()
    return int(row[0]), int(row[1])


def add(tx: Tx, values: dict[str, Any]) -> int:
    return int(tx.execute(insert(attachment).values(values).returning(attachment.c.id)).scalar_one())
