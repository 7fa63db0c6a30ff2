"""Clarifications, assessments and recommendations as rows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from app.db import Record, Tx
from app.records.access_tables import person
from app.records.among import among
from app.records.tables import assessment, clarification, recommendation


def add_clarification(tx: Tx, values: dict[str, Any]) -> int:
    return int(tx.execute(insert(clarification).values(values).returning(clarification.c.id)).scalar_one())


def clarifications_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Every question about a proposal, oldest first."""
    query = select(clarification).where(clarification.c.proposal_id == proposal_id)
    return list(tx.execute(query.order_by(clarification.c.id)))


def clarification_of(tx: Tx, proposal_id: int, clarification_id: int) -> Record | None:
    here = (clarification.c.proposal_id == proposal_id) & (clarification.c.id == clarification_id)
    return tx.execute(select(clarification).where(here)).one_or_none()


def answer(tx: Tx, clarification_id: int, text: str, person_id: int, at: datetime) -> bool:
    """Answer a question; False when it has been answered."""
    here = (clarification.c.id == clarification_id) & clarification.c.answered_at.is_(None)
    values = {"answer": text, "answered_by": person_id, "answered_at": at}
    return tx.execute(update(clarification).where(here).values(values)).rowcount == 1


def open_clarifications(tx: Tx, proposal_id: int) -> int:
    here = (clarification.c.proposal_id == proposal_id) & clarification.c.answered_at.is_(None)
    return int(tx.scalar(select(func.count()).select_from(clarification).where(here)) or 0)


def assessment_of(tx: Tx, proposal_id: int, snapshot: int, person_id: int) -> Record | None:
    here = (assessment.c.proposal_id == proposal_id) & (assessment.c.snapshot == snapshot)
    return tx.execute(select(assessment).where(here, assessment.c.person_id == person_id)).one_or_none()


def put_assessment(tx: Tx, proposal_id: int, snapshot: int, person_id: int, values: dict[str, Any]) -> None:
    """Change a person's assessment of a snapshot, or make it."""
    here = (assessment.c.proposal_id == proposal_id) & (assessment.c.snapshot == snapshot)
    changed = tx.execute(update(assessment).where(here, assessment.c.person_id == person_id).values(values))
    if changed.rowcount == 0:
        own = {"proposal_id": proposal_id, "snapshot": snapshot, "person_id": person_id, "past": "[]"}
        tx.execute(insert(assessment).values(own | values))


def assessments_of(tx: Tx, proposal_id: int, snapshot: int | None = None) -> list[Record]:
    """The assessments of a proposal, of one snapshot or all, with who made them, in the order they were begun."""
    joined = assessment.join(person, person.c.id == assessment.c.person_id)
    query = select(*assessment.c, person.c.name).select_from(joined).where(assessment.c.proposal_id == proposal_id)
    if snapshot is not None:
        query = query.where(assessment.c.snapshot == snapshot)
    return list(tx.execute(query.order_by(assessment.c.id)))


def assessments_by(tx: Tx, proposal_ids: Iterable[int]) -> dict[int, list[Record]]:
    """Proposal -> the assessments of all its snapshots, with who made them, in the order they were begun."""
    joined = assessment.join(person, person.c.id == assessment.c.person_id)
    query = select(*assessment.c, person.c.name).select_from(joined)
    query = query.where(among(assessment.c.proposal_id, proposal_ids)).order_by(assessment.c.id)
    found: dict[int, list[Record]] = {}
    for row in tx.execute(query):
        found.setdefault(row.proposal_id, []).append(row)
    return found


def has_assessed(tx: Tx, proposal_id: int, person_id: int) -> bool:
    """Whether a person has completed an assessment of any snapshot of a proposal."""
    here = (assessment.c.proposal_id == proposal_id) & (assessment.c.person_id == person_id)
    done = select(assessment.c.id).where(here, assessment.c.completed_at.is_not(None)).limit(1)
    return tx.scalar(done) is not None


def add_recommendation(tx: Tx, values: dict[str, Any]) -> None:
    tx.execute(insert(recommendation).values(values))


def recommendation_of(tx: Tx, proposal_id: int, snapshot: int | None = None) -> Record | None:
    """The newest recommendation, of one snapshot or of all, with who made it."""
    joined = recommendation.join(person, person.c.id == recommendation.c.person_id)
    query = select(*recommendation.c, person.c.name).select_from(joined)
    query = query.where(recommendation.c.proposal_id == proposal_id)
    if snapshot is not None:
        query = query.where(recommendation.c.snapshot == snapshot)
    return tx.execute(query.order_by(recommendation.c.id.desc()).limit(1)).one_or_none()


def recommendations_by(tx: Tx, proposal_ids: Iterable[int]) -> dict[tuple[int, int], Record]:
    """(proposal, snapshot) -> its newest recommendation, with who made it."""
    joined = recommendation.join(person, person.c.id == recommendation.c.person_id)
    query = select(*recommendation.c, person.c.name).select_from(joined)
    query = query.where(among(recommendation.c.proposal_id, proposal_ids))
    return {(row.proposal_id, row.snapshot): row for row in tx.execute(query.order_by(recommendation.c.id))}
