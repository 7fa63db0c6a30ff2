"""Releases of public extracts, as rows: which side has released which text."""

from datetime import datetime

from sqlalchemy import delete, func, select

from app.db import Record, Tx, insert_of
from app.records.access_tables import person
from app.records.agreement_tables import extract_release


def put(tx: Tx, proposal_id: int, side: str, person_id: int, at: datetime, sha256: str) -> None:
    """A side's release of an extract's text; it replaces the one of an earlier text."""
    given = {"person_id": person_id, "at": at, "sha256": sha256}
    made = insert_of(tx, extract_release).values(proposal_id=proposal_id, side=side, **given)
    tx.execute(made.on_conflict_do_update(index_elements=["proposal_id", "side"], set_=given))


def of_proposal(tx: Tx, proposal_id: int) -> list[Record]:
    """Which sides released which text of an extract, with who did it, the first first."""
    joined = extract_release.join(person, person.c.id == extract_release.c.person_id)
    query = select(*extract_release.c, person.c.name, person.c.role).select_from(joined)
    return list(tx.execute(query.where(extract_release.c.proposal_id == proposal_id).order_by(extract_release.c.at)))


def drop_all(tx: Tx, proposal_id: int) -> None:
    """Take every release of an extract back."""
    tx.execute(delete(extract_release).where(extract_release.c.proposal_id == proposal_id))


def by_both(tx: Tx) -> set[int]:
    """The numbers of the proposals whose extract both sides have released, whatever text each did."""
    query = select(extract_release.c.proposal_id).group_by(extract_release.c.proposal_id)
    return set(tx.scalars(query.having(func.count() > 1)))


def drop(tx: Tx, proposal_id: int, side: str) -> bool:
    """Take a side's release back; False when there was none."""
    here = (extract_release.c.proposal_id == proposal_id) & (extract_release.c.side == side)
    return tx.execute(delete(extract_release).where(here)).rowcount == 1
