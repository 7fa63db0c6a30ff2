"""Corrections of decisions as rows: only ever added."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select

from app.db import Record, Tx
from app.prepared import Hot, added
from app.records.access_tables import person
from app.records.decision_tables import correction


def add(tx: Tx, values: dict[str, Any]) -> int:
    return added(tx, correction, values)


def of_consultation(
    tx: Tx, consultation_id: int, proposal_id: int | None = None, until: datetime | None = None
) -> list[Record]:
    """The corrections of a consultation's decisions with who made them, oldest first; of one proposal, up to an instant."""
    narrow = {"proposal": proposal_id, "until": until}
    given = {name: value for name, value in narrow.items() if value is not None}
    return _corrected(*given)(tx, consultation=consultation_id, **given)


@cache
def _corrected(*given: str) -> Hot:
    joined = correction.join(person, person.c.id == correction.c.person_id)
    query = select(*correction.c, person.c.name, person.c.role).select_from(joined)
    query = query.where(correction.c.consultation_id == bindparam("consultation")).order_by(correction.c.id)
    if "proposal" in given:
        query = query.where(correction.c.proposal_id == bindparam("proposal"))
    return Hot(query.where(correction.c.at <= bindparam("until")) if "until" in given else query)
