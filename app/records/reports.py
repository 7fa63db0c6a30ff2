"""Annual reports as rows."""

from collections.abc import Iterable
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


def reports_by_proposal(tx: Tx, ids: Iterable[int]) -> dict[int, list[Record]]:
    """Proposal -> where its reports stand, by year: number, state and whether it is the final one, without their texts."""
    columns = (report.c.proposal_id, report.c.year, report.c.state, report.c.final)
    found: dict[int, list[Record]] = {}
    for row in tx.execute(select(*columns).where(report.c.proposal_id.in_(list(ids))).order_by(report.c.year)):
        found.setdefault(row.proposal_id, []).append(row)
    return found


def add(tx: Tx, values: dict[str, Any]) -> None:
    tx.execute(insert(report).values(**values, version=1, past="[]"))


def change(tx: Tx, proposal_id: int, year: int, version: int, values: dict[str, Any]) -> bool:
    """Change a report that is still at that version; False when someone else was first."""
    here = (report.c.proposal_id == proposal_id) & (report.c.year == year) & (report.c.version == version)
    return tx.execute(update(report).where(here).values(**values, version=version + 1)).rowcount == 1
