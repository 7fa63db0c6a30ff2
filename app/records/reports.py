"""Annual reports as rows."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, cast, exists, func, insert, literal, select, union_all, update

from app.db import Record, Tx
from app.domain.cycle import start_of
from app.domain.people import Actor
from app.domain.report import DONE
from app.records.agreement_tables import agreement, report
from app.records.among import among
from app.records.proposals import visible
from app.records.tables import face, proposal


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
    for row in tx.execute(select(*columns).where(among(report.c.proposal_id, ids)).order_by(report.c.year)):
        found.setdefault(row.proposal_id, []).append(row)
    return found


def owed(tx: Tx, actor: Actor, years: range, limit: int) -> list[Record]:
    """Reference, title and year of the reports on these years that are owed and not submitted, the oldest year first.

    As far as this actor sees the proposals; of each agreement its period alone is read. `domain.report.years_owed` in SQL.
    """
    if not years:
        return []
    asked = union_all(*(_owed_on(tx, actor, year) for year in years)).subquery()
    return list(tx.execute(select(asked).order_by(asked.c.year, asked.c.ref).limit(limit)))


def _owed_on(tx: Tx, actor: Actor, year: int) -> Select[Any]:
    begins, ends = date(year, 1, 1), date(year + 1, 1, 1)
    joined = proposal.join(face, face.c.proposal_id == proposal.c.id)
    joined = joined.join(agreement, agreement.c.proposal_id == proposal.c.id)
    here = (report.c.proposal_id == proposal.c.id) & (report.c.year == year) & report.c.state.in_(DONE)
    lasts = (_period(tx, "end") >= begins.isoformat()) | (agreement.c.signed_at >= start_of(begins))
    return (
        select(proposal.c.ref, face.c.title, literal(year).label("year"))
        .select_from(joined)
        .where(visible(actor), proposal.c.state.in_(("agreed", "disbursed")), ~exists().where(here))
        .where(agreement.c.signed_at < start_of(ends), _period(tx, "start") < ends.isoformat(), lasts)
    )


def _period(tx: Tx, end: str) -> ColumnElement[str]:
    """An end of a signed agreement's period, read out of its text where it stands."""
    if tx.dialect.name == "postgresql":
        return func.json_extract_path_text(cast(agreement.c.text, JSON), "period", end)
    return func.json_extract(agreement.c.text, f"$.period.{end}")


def add(tx: Tx, values: dict[str, Any]) -> None:
    tx.execute(insert(report).values(**values, version=1, past="[]"))


def change(tx: Tx, proposal_id: int, year: int, version: int, values: dict[str, Any]) -> bool:
    """Change a report that is still at that version; False when someone else was first."""
    here = (report.c.proposal_id == proposal_id) & (report.c.year == year) & (report.c.version == version)
    return tx.execute(update(report).where(here).values(**values, version=version + 1)).rowcount == 1
