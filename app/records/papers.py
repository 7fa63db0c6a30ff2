"""Which papers there are of a proposal."""

from sqlalchemy import exists, select

from app.db import Record, Tx
from app.records.agreement_tables import agreement
from app.records.decision_tables import consultation, decision
from app.records.tables import recommendation


def existing(tx: Tx, proposal_id: int) -> Record:
    """Whether there is a decision in force, a recommendation, a signed agreement: `letter`, `memo`, `signed`."""
    decided = select(decision.c.proposal_id).join(consultation, consultation.c.id == decision.c.consultation_id)
    letter = decided.where(decision.c.proposal_id == proposal_id, consultation.c.state == "concluded").exists()
    memo = exists().where(recommendation.c.proposal_id == proposal_id)
    signed = exists().where(agreement.c.proposal_id == proposal_id, agreement.c.signed_at.is_not(None))
    return tx.execute(select(letter.label("letter"), memo.label("memo"), signed.label("signed"))).one()
