"""Envelopes and the ledger. What an envelope holds is changed by conditional statements only, never read, checked and written."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, insert, not_, or_, select, update

from app.db import Record, Tx
from app.prepared import add_all
from app.records.access_tables import person
from app.records.among import among
from app.records.decision_tables import envelope_change, ledger
from app.records.tables import envelope, proposal


def envelope_of(tx: Tx, year: int) -> Record | None:
    return tx.execute(select(envelope).where(envelope.c.year == year)).one_or_none()


def all_envelopes(tx: Tx) -> list[Record]:
    return list(tx.execute(select(envelope).order_by(envelope.c.year)))


def commit_amount(tx: Tx, year: int, amount_dkk: int) -> bool:
    """Take an amount out of what is available; False, and nothing done, when there is not as much."""
    raised = envelope.c.committed_dkk + amount_dkk
    here = (envelope.c.year == year) & (raised <= envelope.c.amount_dkk)
    done = update(envelope).where(here).values(committed_dkk=raised, version=envelope.c.version + 1)
    return tx.execute(done).rowcount == 1


def free_amount(tx: Tx, year: int, amount_dkk: int) -> bool:
    """Give an amount back; False, and nothing done, when less than that is committed."""
    lowered = envelope.c.committed_dkk - amount_dkk
    here = (envelope.c.year == year) & (lowered >= 0)
    done = update(envelope).where(here).values(committed_dkk=lowered, version=envelope.c.version + 1)
    return tx.execute(done).rowcount == 1


def set_envelope(tx: Tx, year: int, version: int, amount_dkk: int, status: str) -> bool:
    """Set a year's appropriation; False when it is no longer at that version, more than that is committed, or paid unvoted."""
    here = (envelope.c.year == year) & (envelope.c.version == version) & (envelope.c.committed_dkk <= amount_dkk)
    if status != "voted":
        here &= ~exists().where(ledger.c.year == year, ledger.c.kind == "paid")
    values = {"amount_dkk": amount_dkk, "status": status, "version": version + 1}
    return tx.execute(update(envelope).where(here).values(values)).rowcount == 1


def note_change(
    tx: Tx, year: int, at: datetime, person_id: int | None, amount_dkk: int, status: str, reason: str
) -> None:
    values = {"year": year, "at": at, "person_id": person_id, "reason": reason}
    tx.execute(insert(envelope_change).values(**values, amount_dkk=amount_dkk, status=status))


def changes_of(tx: Tx, year: int) -> list[Record]:
    """Every appropriation of a year, oldest first, with who set it and why."""
    joined = envelope_change.outerjoin(person, person.c.id == envelope_change.c.person_id)
    query = select(*envelope_change.c, person.c.name, person.c.role).select_from(joined)
    return list(tx.execute(query.where(envelope_change.c.year == year).order_by(envelope_change.c.id)))


def enter(tx: Tx, entries: list[dict[str, Any]]) -> None:
    """Add entries to the ledger."""
    add_all(tx, ledger, [{"consultation_id": None, **one} for one in entries])


def requested(tx: Tx, proposal_id: int, snapshot: int) -> dict[int, int]:
    """Year -> DKK that a snapshot asks for."""
    here = (ledger.c.proposal_id == proposal_id) & (ledger.c.snapshot == snapshot) & (ledger.c.kind == "requested")
    query = select(ledger.c.year, ledger.c.amount_dkk).where(here).order_by(ledger.c.year)
    return {row.year: row.amount_dkk for row in tx.execute(query)}


def entries_by(tx: Tx, proposal_ids: Iterable[int]) -> dict[tuple[int, str, int], dict[int, int]]:
    """(proposal, kind, snapshot) -> what is entered, DKK by year."""
    columns = (ledger.c.proposal_id, ledger.c.kind, ledger.c.snapshot, ledger.c.year)
    query = select(*columns, func.sum(ledger.c.amount_dkk).label("amount"))
    query = query.where(among(ledger.c.proposal_id, proposal_ids)).group_by(*columns).order_by(ledger.c.year)
    found: dict[tuple[int, str, int], dict[int, int]] = {}
    for row in tx.execute(query):
        found.setdefault((row.proposal_id, row.kind, row.snapshot), {})[row.year] = int(row.amount)
    return found


def sums_of(tx: Tx, proposal_id: int) -> dict[tuple[str, int], int]:
    """(kind, year) -> DKK entered for a proposal."""
    total = func.sum(ledger.c.amount_dkk)
    query = select(ledger.c.kind, ledger.c.year, total).where(ledger.c.proposal_id == proposal_id)
    return {
        (kind, year): int(amount) for kind, year, amount in tx.execute(query.group_by(ledger.c.kind, ledger.c.year))
    }


def figures_of(tx: Tx, proposal_id: int, snapshot: int) -> dict[tuple[str, int], int]:
    """(kind, year) -> DKK of a proposal; requested is what that snapshot asks for."""
    counted = (ledger.c.kind != "requested") | (ledger.c.snapshot == snapshot)
    query = select(ledger.c.kind, ledger.c.year, func.sum(ledger.c.amount_dkk))
    query = query.where(ledger.c.proposal_id == proposal_id, counted).group_by(ledger.c.kind, ledger.c.year)
    return {(kind, year): int(amount) for kind, year, amount in tx.execute(query)}


def every_change(tx: Tx) -> dict[int, list[Record]]:
    """Year -> every appropriation of it, oldest first, with who set it and why."""
    joined = envelope_change.outerjoin(person, person.c.id == envelope_change.c.person_id)
    query = select(*envelope_change.c, person.c.name, person.c.role).select_from(joined)
    found: dict[int, list[Record]] = {}
    for row in tx.execute(query.order_by(envelope_change.c.id)):
        found.setdefault(row.year, []).append(row)
    return found


def sums_by(tx: Tx, ids: Iterable[int]) -> dict[int, dict[tuple[str, int], int]]:
    """As `sums_of`, of many proposals at once; one without an entry is not there."""
    by = (ledger.c.proposal_id, ledger.c.kind, ledger.c.year)
    query = select(ledger.c.proposal_id, ledger.c.kind, ledger.c.year, func.sum(ledger.c.amount_dkk))
    query = query.where(among(ledger.c.proposal_id, ids)).group_by(*by)
    found: dict[int, dict[tuple[str, int], int]] = {}
    for number, kind, year, amount in tx.execute(query):
        found.setdefault(number, {})[kind, year] = int(amount)
    return found


def sums(tx: Tx) -> dict[tuple[str, int], int]:
    """(kind, year) -> DKK over all proposals. Requested is what last snapshots ask for, of drafts, cancelled ones and
    those that the screening returned nothing."""
    live = and_(
        ledger.c.snapshot == proposal.c.snapshots,
        proposal.c.state.not_in(("draft", "cancelled")),
        or_(proposal.c.state != "returned", not_(proposal.c.returned_by.is_not_distinct_from("screening"))),
    )
    counted = or_(ledger.c.kind != "requested", live)
    joined = ledger.join(proposal, proposal.c.id == ledger.c.proposal_id)
    query = select(ledger.c.kind, ledger.c.year, func.sum(ledger.c.amount_dkk)).select_from(joined).where(counted)
    return {
        (kind, year): int(amount) for kind, year, amount in tx.execute(query.group_by(ledger.c.kind, ledger.c.year))
    }


def changed_at(tx: Tx) -> datetime | None:
    """When an appropriation or the ledger last changed; None where nothing is entered yet."""
    found = [tx.scalar(select(func.max(table.c.at))) for table in (ledger, envelope_change)]
    return max((at for at in found if at), default=None)
