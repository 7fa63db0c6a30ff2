"""Calendar feeds: whose an address is, and what a calendar is made from, each kind in one SELECT whatever there is of it."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import ColumnElement, delete, exists, select

from app.db import Record, Tx, insert_of
from app.domain.people import Actor
from app.records.access_tables import office, person
from app.records.agreement_tables import agreement, report
from app.records.decision_tables import consultation, discussed, technical_meeting
from app.records.notice_tables import feed, preference
from app.records.proposals import visible
from app.records.tables import clarification, cycle, face, proposal

_SEEN = proposal.join(face, face.c.proposal_id == proposal.c.id)


def put(tx: Tx, person_id: int, sha256: bytes, at: datetime) -> None:
    """Give a person a feed; the address they had before ends."""
    values = {"sha256": sha256, "created_at": at}
    made = insert_of(tx, feed).values(person_id=person_id, **values)
    tx.execute(made.on_conflict_do_update(index_elements=["person_id"], set_=values))


def since(tx: Tx, person_id: int) -> datetime | None:
    """Since when a person has the feed they have; None where they have none."""
    return tx.scalar(select(feed.c.created_at).where(feed.c.person_id == person_id))


def end(tx: Tx, person_id: int) -> bool:
    """End a person's feed; False when there was none."""
    return tx.execute(delete(feed).where(feed.c.person_id == person_id)).rowcount == 1


def owner(tx: Tx, sha256: bytes) -> Record | None:
    """Whose feed has that hash, who is not disabled: the person with office and language."""
    joined = feed.join(person, person.c.id == feed.c.person_id).outerjoin(office).outerjoin(preference)
    columns = [person.c.id, person.c.name, person.c.role, person.c.office_code, office.c.countries]
    query = select(*columns, preference.c.language).select_from(joined)
    return tx.execute(query.where(feed.c.sha256 == sha256, person.c.disabled_at.is_(None))).one_or_none()


def windows(tx: Tx, day: date) -> list[Record]:
    """The windows that close on that day or later."""
    return list(tx.execute(select(cycle.c.year, cycle.c.closes_on, cycle.c.version).where(cycle.c.closes_on >= day)))


def returned(tx: Tx, actor: Actor) -> list[Record]:
    """What the actor sees of what is returned and can come again until a day."""
    columns = [proposal.c.ref, proposal.c.deadline_on, face.c.title]
    here = (proposal.c.state == "returned") & proposal.c.deadline_on.is_not(None)
    query = select(*columns).select_from(_SEEN).where(visible(actor), here)
    return list(tx.execute(query.order_by(proposal.c.id)))


def questions(tx: Tx, actor: Actor, states: Iterable[str]) -> list[Record]:
    """The unanswered questions on what the actor sees in these states."""
    joined = _SEEN.join(clarification, clarification.c.proposal_id == proposal.c.id)
    query = select(clarification.c.id, clarification.c.due_on, proposal.c.ref, face.c.title).select_from(joined)
    here = clarification.c.answered_at.is_(None) & proposal.c.state.in_(list(states))
    return list(tx.execute(query.where(visible(actor), here).order_by(clarification.c.id)))


def agreed(tx: Tx, actor: Actor, states: Iterable[str]) -> list[Record]:
    """The signed agreements on what the actor sees in these states."""
    joined = _SEEN.join(agreement, agreement.c.proposal_id == proposal.c.id)
    columns = [proposal.c.id, proposal.c.ref, face.c.title, agreement.c.signed_at, agreement.c.text]
    here = agreement.c.signed_at.is_not(None) & proposal.c.state.in_(list(states))
    return list(tx.execute(select(*columns).select_from(joined).where(visible(actor), here).order_by(proposal.c.id)))


def handed_in(tx: Tx, states: Iterable[str]) -> set[tuple[int, int]]:
    """Number of the proposal and year of every report in these states."""
    query = select(report.c.proposal_id, report.c.year).where(report.c.state.in_(list(states)))
    return {(row.proposal_id, row.year) for row in tx.execute(query)}


def consultations(tx: Tx, day: date) -> list[Record]:
    """The consultations on that day or later, but for what is cancelled."""
    here = (consultation.c.held_on >= day) & (consultation.c.state != "cancelled")
    return list(tx.execute(select(consultation).where(here).order_by(consultation.c.id)))


def meetings(tx: Tx, actor: Actor, whole: bool, day: date) -> list[Record]:
    """The technical meetings on that day or later that are not cancelled: all, or unless `whole` those on a proposal that
    the actor sees."""
    here = (technical_meeting.c.held_on >= day) & technical_meeting.c.cancelled_at.is_(None)
    query = select(technical_meeting).where(here)
    if not whole:
        query = query.where(_concerns(actor))
    return list(tx.execute(query.order_by(technical_meeting.c.id)))


def _concerns(actor: Actor) -> ColumnElement[bool]:
    joined = _SEEN.join(discussed, discussed.c.proposal_id == proposal.c.id)
    own = discussed.c.technical_meeting_id == technical_meeting.c.id
    return exists(select(proposal.c.id).select_from(joined).where(own, visible(actor)).correlate(technical_meeting))
