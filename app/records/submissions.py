"""What was submitted, snapshot by snapshot, and how each was screened; neither is ever changed."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, bindparam, exists, select

from app.db import Record, Tx
from app.prepared import Hot, add, added
from app.records.among import among
from app.records.tables import proposal, screening, snapshot

_SNAPSHOTS = select(
    *snapshot.c,
    *(screening.c.result, screening.c.sha256.label("result_sha256"), screening.c.outcome, screening.c.total_tenths),
).select_from(snapshot.join(screening, screening.c.snapshot_id == snapshot.c.id))

_SNAPSHOT = Hot(
    _SNAPSHOTS.where(snapshot.c.proposal_id == bindparam("proposal"), snapshot.c.number == bindparam("number"))
)


def add_snapshot(tx: Tx, values: dict[str, Any]) -> int:
    return added(tx, snapshot, values)


def add_screening(tx: Tx, values: dict[str, Any]) -> None:
    add(tx, screening, values)


def snapshots_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Number, time, hash and screening outcome of every snapshot, without the contents."""
    columns = [snapshot.c.number, snapshot.c.taken_at, snapshot.c.sha256, screening.c.outcome, screening.c.total_tenths]
    query = select(*columns).select_from(snapshot.join(screening, screening.c.snapshot_id == snapshot.c.id))
    return list(tx.execute(query.where(snapshot.c.proposal_id == proposal_id).order_by(snapshot.c.number)))


def snapshot_of(tx: Tx, proposal_id: int, number: int) -> Record | None:
    """One snapshot whole, with its screening result and that one's hash."""
    return next(iter(_SNAPSHOT(tx, proposal=proposal_id, number=number)), None)


def snapshots_among(tx: Tx, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Record]:
    """(proposal, number) -> the snapshot as `snapshot_of` gives it, of those wanted that there are."""
    asked = set(wanted)
    numbers, ids = sorted({number for _, number in asked}), sorted({proposal_id for proposal_id, _ in asked})
    here = among(snapshot.c.proposal_id, ids) & among(snapshot.c.number, numbers)
    found = {(row.proposal_id, row.number): row for row in tx.execute(_SNAPSHOTS.where(here))}
    return {place: row for place, row in found.items() if place in asked}


def contents_among(tx: Tx, proposal_id: int, numbers: Iterable[int]) -> dict[int, str]:
    """Snapshot -> its content's text, of those there are among these."""
    here = (snapshot.c.proposal_id == proposal_id) & snapshot.c.number.in_(list(numbers))
    return {number: str(text) for number, text in tx.execute(select(snapshot.c.number, snapshot.c.content).where(here))}


def every_snapshot(tx: Tx) -> list[Record]:
    """Every snapshot with its proposal and everything its screening depended on, oldest first."""
    return list(tx.execute(_screened().order_by(snapshot.c.id)))


def newest_snapshots(tx: Tx, most: int) -> list[Record]:
    """As `every_snapshot`, the newest of each proposal, the newest first, no more than `most` and one."""
    newer = snapshot.alias()
    later = exists().where(newer.c.proposal_id == snapshot.c.proposal_id, newer.c.number > snapshot.c.number)
    return list(tx.execute(_screened().where(~later).order_by(snapshot.c.id.desc()).limit(most + 1)))


def screened_snapshot(tx: Tx, proposal_id: int, number: int) -> Record | None:
    """One snapshot with everything its screening depended on."""
    here = (snapshot.c.proposal_id == proposal_id) & (snapshot.c.number == number)
    return tx.execute(_screened().where(here)).one_or_none()


def _screened() -> Select[Any]:
    joined = snapshot.join(proposal, proposal.c.id == snapshot.c.proposal_id).join(
        screening, screening.c.snapshot_id == snapshot.c.id
    )
    kept = [column for column in screening.c if column.name not in ("id", "sha256")]
    columns = [proposal.c.ref, proposal.c.cycle_year, snapshot.c.number, snapshot.c.content, snapshot.c.sha256, *kept]
    labelled = screening.c.sha256.label("result_sha256")
    return select(*columns, labelled).select_from(joined)
