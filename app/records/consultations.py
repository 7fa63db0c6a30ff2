"""Consultations, their agendas and decisions, and IOM's word on the minutes, as rows."""

import json
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from app.db import Record, Tx, insert_of
from app.prepared import Hot
from app.records.access_tables import person
from app.records.decision_tables import agenda_item, consultation, decision, minutes_answer
from app.records.tables import face, proposal


def add(tx: Tx, values: dict[str, Any]) -> int:
    return int(tx.execute(insert(consultation).values(values).returning(consultation.c.id)).scalar_one())


def consultation_of(tx: Tx, consultation_id: int) -> Record | None:
    return tx.execute(select(consultation).where(consultation.c.id == consultation_id)).one_or_none()


def hold(tx: Tx, consultation_id: int) -> Record | None:
    """The consultation, held by this transaction until its end. Proposals are held before it, envelopes after."""
    query = select(consultation).where(consultation.c.id == consultation_id).with_for_update()
    return tx.execute(query).one_or_none()


def listed(tx: Tx, cycle: int | None, state: str | None, limit: int, below: int | None) -> list[Record]:
    """One page of consultations, newest first, and one more if there is one."""
    query = select(consultation)
    if cycle is not None:
        query = query.where(consultation.c.cycle_year == cycle)
    if state is not None:
        query = query.where(consultation.c.state == state)
    if below is not None:
        query = query.where(consultation.c.id < below)
    return list(tx.execute(query.order_by(consultation.c.id.desc()).limit(limit + 1)))


def change(tx: Tx, consultation_id: int, values: dict[str, Any], outer: bool) -> None:
    """Change a consultation that is held; `outer` when people outside the MFA can see the change."""
    raised = {"version": consultation.c.version + 1}
    if outer:
        raised["outer_version"] = consultation.c.outer_version + 1
    tx.execute(update(consultation).where(consultation.c.id == consultation_id).values(values | raised))


def agenda_refs(tx: Tx, consultation_id: int) -> list[str]:
    """The references on an agenda, in their own order."""
    joined = agenda_item.join(proposal, proposal.c.id == agenda_item.c.proposal_id)
    query = select(proposal.c.ref).select_from(joined).where(agenda_item.c.consultation_id == consultation_id)
    return list(tx.scalars(query.order_by(proposal.c.id)))


def agenda(tx: Tx, consultation_id: int) -> list[Record]:
    """What is on the agenda in its order, as the Danish side sees it, with the decision recorded on it if there is one."""
    joined = (
        agenda_item.join(proposal, proposal.c.id == agenda_item.c.proposal_id)
        .join(face, (face.c.proposal_id == proposal.c.id) & (face.c.side == "mfa"))
        .outerjoin(
            decision,
            (decision.c.proposal_id == proposal.c.id) & (decision.c.consultation_id == agenda_item.c.consultation_id),
        )
        .outerjoin(person, person.c.id == decision.c.person_id)
    )
    columns = [
        *proposal.c,
        *(face.c[name] for name in ("title", "requested_dkk", "snapshot", "outcome", "total_tenths")),
        *(decision.c[name] for name in ("decision", "amounts", "conditions", "reason", "to_cycle", "person_id", "at")),
        decision.c.snapshot.label("decided_snapshot"),
        person.c.name.label("decided_by"),
    ]
    query = select(*columns).select_from(joined).where(agenda_item.c.consultation_id == consultation_id)
    return list(tx.execute(query.order_by(agenda_item.c.position)))


def held_elsewhere(tx: Tx, proposal_id: int, consultation_id: int) -> int | None:
    """The other consultation, neither concluded nor cancelled, that has a proposal on its agenda."""
    held = (agenda_item.c.held_proposal_id == proposal_id) & (agenda_item.c.consultation_id != consultation_id)
    return tx.scalar(select(agenda_item.c.consultation_id).where(held))


def put_agenda(tx: Tx, consultation_id: int, proposal_ids: list[int]) -> None:
    """Set the agenda; what falls off it takes its decision along."""
    here = agenda_item.c.consultation_id == consultation_id
    gone = (decision.c.consultation_id == consultation_id) & decision.c.proposal_id.not_in(proposal_ids)
    tx.execute(delete(decision).where(gone))
    tx.execute(delete(agenda_item).where(here))
    for position, proposal_id in enumerate(proposal_ids, 1):
        own = {"consultation_id": consultation_id, "proposal_id": proposal_id, "held_proposal_id": proposal_id}
        tx.execute(insert(agenda_item).values(**own, position=position))


def take_off(tx: Tx, proposal_id: int) -> int | None:
    """Take a proposal off the agenda that has it, with its decision; the consultation's number, if there was one."""
    found = tx.scalar(select(agenda_item.c.consultation_id).where(agenda_item.c.held_proposal_id == proposal_id))
    if found is None:
        return None
    hold(tx, found)
    here = (decision.c.consultation_id == found) & (decision.c.proposal_id == proposal_id)
    tx.execute(delete(decision).where(here))
    tx.execute(delete(agenda_item).where(agenda_item.c.held_proposal_id == proposal_id))
    change(tx, found, {}, outer=True)
    return int(found)


def release_agenda(tx: Tx, consultation_id: int) -> None:
    """A concluded or cancelled consultation holds its proposals no longer; they can come to another one."""
    here = agenda_item.c.consultation_id == consultation_id
    tx.execute(update(agenda_item).where(here).values(held_proposal_id=None))


def put_decision(tx: Tx, values: dict[str, Any]) -> None:
    """Record a decision, or put another in its place."""
    keys = ["consultation_id", "proposal_id"]
    put = insert_of(tx, decision).values(values)
    own = {name: value for name, value in values.items() if name not in keys}
    tx.execute(put.on_conflict_do_update(index_elements=keys, set_=own))


def remove_decision(tx: Tx, consultation_id: int, proposal_id: int) -> bool:
    here = (decision.c.consultation_id == consultation_id) & (decision.c.proposal_id == proposal_id)
    return tx.execute(delete(decision).where(here)).rowcount == 1


def decision_in_force(tx: Tx, proposal_id: int, consultation_id: int | None = None) -> Record | None:
    """The newest decision on a proposal whose consultation is concluded, with the consultation's date and place; of one
    consultation where it is named."""
    of = {} if consultation_id is None else {"consultation": consultation_id}
    return next(iter(_in_force(consultation_id is not None)(tx, proposal=proposal_id, **of)), None)


@cache
def _in_force(of_one: bool) -> Hot:
    joined = decision.join(consultation, consultation.c.id == decision.c.consultation_id)
    columns = [
        *decision.c,
        *(consultation.c[name] for name in ("held_on", "place", "concluded_at", "head", "rulebook")),
    ]
    here = (decision.c.proposal_id == bindparam("proposal")) & (consultation.c.state == "concluded")
    query = select(*columns).select_from(joined).where(here)
    if of_one:
        query = query.where(consultation.c.id == bindparam("consultation"))
    return Hot(query.order_by(consultation.c.concluded_at.desc(), consultation.c.id.desc()).limit(1))


def erase_name(tx: Tx, name: str) -> None:
    """Take a person out of the lists of participants."""
    for row in list(tx.execute(select(consultation.c.id, consultation.c.participants))):
        if name.casefold() in row.participants.casefold():
            left = without_name(row.participants, name)
            tx.execute(update(consultation).where(consultation.c.id == row.id).values(participants=left))


def without_name(text: str, name: str) -> str:
    """A JSON list of people, those who bear the name marked as erased."""
    people = json.loads(text)
    return json.dumps(
        ["erased" if name.casefold() in json.dumps(one, ensure_ascii=False).casefold() else one for one in people]
    )


def add_answer(tx: Tx, values: dict[str, Any]) -> None:
    tx.execute(insert(minutes_answer).values(values))


def answers_of(tx: Tx, consultation_id: int) -> list[Record]:
    """IOM's words on the minutes, oldest first."""
    joined = minutes_answer.join(person, person.c.id == minutes_answer.c.person_id)
    query = select(*minutes_answer.c, person.c.name, person.c.role).select_from(joined)
    return list(
        tx.execute(query.where(minutes_answer.c.consultation_id == consultation_id).order_by(minutes_answer.c.id))
    )
