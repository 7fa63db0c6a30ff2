"""What a case file needs as rows beside what other rooms read: all of a proposal's consultations, entries and notices."""

from collections.abc import Iterable

from sqlalchemy import select

from app.db import Record, Tx
from app.records.access_tables import audit, person
from app.records.decision_tables import agenda_item, consultation, decision, ledger
from app.records.notice_tables import notice
from app.records.tables import recommendation


def consultations_with(tx: Tx, proposal_id: int) -> list[Record]:
    """Every consultation that has or had a proposal on its agenda, in whatever state, oldest first."""
    joined = agenda_item.join(consultation, consultation.c.id == agenda_item.c.consultation_id)
    query = select(*consultation.c, agenda_item.c.position).select_from(joined)
    return list(tx.execute(query.where(agenda_item.c.proposal_id == proposal_id).order_by(consultation.c.id)))


def decisions_concluded(tx: Tx, proposal_id: int) -> list[Record]:
    """Every decision on a proposal whose consultation is concluded, oldest first; the last is the one in force."""
    joined = decision.join(consultation, consultation.c.id == decision.c.consultation_id)
    named = ("held_on", "place", "concluded_at", "concluded_by", "head", "rulebook")
    query = select(*decision.c, *(consultation.c[name] for name in named)).select_from(joined)
    here = (decision.c.proposal_id == proposal_id) & (consultation.c.state == "concluded")
    return list(tx.execute(query.where(here).order_by(consultation.c.concluded_at, consultation.c.id)))


def recommendations_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Every recommendation, oldest first, with who made it."""
    joined = recommendation.join(person, person.c.id == recommendation.c.person_id)
    query = select(*recommendation.c, person.c.name, person.c.role).select_from(joined)
    return list(tx.execute(query.where(recommendation.c.proposal_id == proposal_id).order_by(recommendation.c.id)))


def ledger_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Every entry of the ledger for a proposal, in the order they were made."""
    return list(tx.execute(select(ledger).where(ledger.c.proposal_id == proposal_id).order_by(ledger.c.id)))


def notices_about(tx: Tx, ref: str, subjects: Iterable[str]) -> list[Record]:
    """Every notice owed about a proposal or one of these subjects, oldest first."""
    here = (notice.c.ref == ref) | notice.c.subject.in_(sorted(subjects))
    return list(tx.execute(select(notice).where(here).order_by(notice.c.id)))


def audit_about(tx: Tx, subjects: Iterable[str]) -> list[Record]:
    """Every entry of the log of acts about these subjects, oldest first."""
    return list(tx.execute(select(audit).where(audit.c.subject.in_(sorted(subjects))).order_by(audit.c.seq)))
