"""Technical meetings and the proposals they discussed, as rows."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.db import Record, Tx
from app.domain.people import Side
from app.records.consultations import without_name
from app.records.decision_tables import discussed, technical_meeting
from app.records.tables import face, proposal


def add(tx: Tx, values: dict[str, Any]) -> int:
    return int(tx.execute(insert(technical_meeting).values(values).returning(technical_meeting.c.id)).scalar_one())


def meeting_of(tx: Tx, meeting_id: int) -> Record | None:
    return tx.execute(select(technical_meeting).where(technical_meeting.c.id == meeting_id)).one_or_none()


def replace(tx: Tx, meeting_id: int, version: int, values: dict[str, Any]) -> bool:
    """Replace a meeting; False when it is no longer at that version."""
    here = (technical_meeting.c.id == meeting_id) & (technical_meeting.c.version == version)
    return tx.execute(update(technical_meeting).where(here).values(**values, version=version + 1)).rowcount == 1


def listed(tx: Tx, cycle: int | None) -> list[Record]:
    """Every technical meeting, newest first; there is one a year."""
    query = select(technical_meeting)
    if cycle is not None:
        query = query.where(technical_meeting.c.cycle_year == cycle)
    return list(
        tx.execute(query.order_by(technical_meeting.c.held_on.desc(), technical_meeting.c.id.desc()).limit(200))
    )


def discuss(tx: Tx, meeting_id: int, proposal_ids: list[int]) -> None:
    """Set which proposals a meeting discussed."""
    tx.execute(delete(discussed).where(discussed.c.technical_meeting_id == meeting_id))
    if proposal_ids:
        rows = [{"technical_meeting_id": meeting_id, "proposal_id": one} for one in sorted(proposal_ids)]
        tx.execute(insert(discussed), rows)


def erase_name(tx: Tx, name: str) -> None:
    """Take a person out of participants and the owners of follow-ups."""
    for row in list(tx.execute(select(technical_meeting))):
        if name.casefold() in f"{row.participants} {row.follow_ups}".casefold():
            owned = [
                {**one, "owner": "erased" if name.casefold() in one["owner"].casefold() else one["owner"]}
                for one in json.loads(row.follow_ups)
            ]
            left = {"participants": without_name(row.participants, name), "follow_ups": json.dumps(owned)}
            tx.execute(update(technical_meeting).where(technical_meeting.c.id == row.id).values(left))


def refs_of(tx: Tx, meeting_id: int) -> list[str]:
    """The references of what a meeting discussed."""
    joined = discussed.join(proposal, proposal.c.id == discussed.c.proposal_id)
    query = select(proposal.c.ref).select_from(joined).where(discussed.c.technical_meeting_id == meeting_id)
    return list(tx.scalars(query.order_by(proposal.c.ref)))


def discussed_by(tx: Tx, meeting_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """Meeting -> number and reference of each proposal it discussed, by reference."""
    joined = discussed.join(proposal, proposal.c.id == discussed.c.proposal_id)
    query = select(discussed.c.technical_meeting_id, proposal.c.id, proposal.c.ref).select_from(joined)
    found: dict[int, dict[int, str]] = {}
    here = discussed.c.technical_meeting_id.in_(list(meeting_ids))
    for meeting, number, ref in tx.execute(query.where(here).order_by(proposal.c.ref)):
        found.setdefault(meeting, {})[number] = ref
    return found


def discussable(tx: Tx, states: Iterable[str], limit: int = 100) -> list[Record]:
    """Reference and title of what a meeting can discuss, as last submitted, the newest first."""
    joined = proposal.join(face, (face.c.proposal_id == proposal.c.id) & (face.c.side == Side.MFA))
    query = select(proposal.c.ref, face.c.title).select_from(joined).where(proposal.c.state.in_(list(states)))
    return list(tx.execute(query.order_by(proposal.c.id.desc()).limit(limit)))
