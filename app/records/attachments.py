"""Attachments of proposals: who may see which is decided here, in the query."""

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, or_, select, update

from app.db import Record, Tx
from app.domain.people import Actor, Side
from app.prepared import Hot
from app.records.tables import attachment


def _visible(actor: Actor) -> ColumnElement[bool]:
    """One's own side's, and what the other shares; what IOM adds is unseen until it has been submitted with a snapshot."""
    own = attachment.c.side == actor.side
    shared = attachment.c.visibility == "shared"
    told = shared if actor.side is Side.IOM else and_(shared, attachment.c.snapshot.is_not(None))
    return or_(own, told)


_SUBMITTED = Hot(
    update(attachment).where(attachment.c.proposal_id == bindparam("proposal"), attachment.c.snapshot.is_(None)),
    ["snapshot"],
)


def submit_with(tx: Tx, proposal_id: int, snapshot: int) -> None:
    """What hangs on the working content belongs to this snapshot from now on."""
    _SUBMITTED.changed(tx, proposal=proposal_id, snapshot=snapshot)


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
