"""Annual reports as rows."""

from typing import Any

from sqlalchemy import insert, select, update

from app.db import Record, Tx
from app.records.agreement_tables import report


def report_of(tx: Tx, proposal_id: int, year: int) -> Record | None:
    here = (report.c.proposal_id == proposal_id) & (report.c.year == year)
    return tx.execute(select(report).where(here)).one_or_none()


def reports_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Every report of a proposal, by year."""
    return list(tx.execute(select(report).where(report.c.proposal_id == proposal_id).order_by(report.c.year)))


def add(tx: Tx, values: dict[str, Any]) -> None:
    tx.execute(insert(report).values(**values, version=1, past="[]"))


def change(tx: Tx, proposal_id: int, year: int, version: int, values: dict[str, Any]) -> bool:
    """Change a report that is still at that version; False when someone else was first."""
    here = (report.c.proposal_id == proposal_id) & (report.c.year == year) & (report.c.version == version)
    return tx.execute(update(report).where(here).values(**values, version=version + 1)).rowcount == 1
