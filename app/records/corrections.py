"""Corrections of decisions as rows: only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from app.db import Record, Tx
from app.records.access_tables import person
from app.records.decision_tables import correction


def add(tx: Tx, values: dict[str, Any]) -> int:
    return int(tx.execute(insert(correction).values(values).returning(correction.c.id)).scalar_one())


def of_consultation(
    tx: Tx, consultation_id: int, proposal_id: int | None = None, until: datetime | None = None
) -> list[Record]:
    """The corrections of a consultation's decisions with who made them, oldest first; of one proposal, up to an instant."""
    joined = correction.join(person, person.c.id == correction.c.person_id)
    query = select(*correction.c, person.c.name, person.c.role).select_from(joined)
    query = query.where(correction.c.consultation_id == consultation_id).order_by(correction.c.id)
    if proposal_id is not None:
        query = query.where(correction.c.proposal_id == proposal_id)
    return list(tx.execute(query if until is None else query.where(correction.c.at <= until)))
