"""Corrections: words of a decision that were wrong, put right after the conclusion and marked as such.

What was decided stays as it was told, word for word; amounts and states change by amendment and move, never by this.
"""

from datetime import datetime
from typing import Any

from app.db import Record, Tx
from app.domain.consultation import Stage
from app.domain.people import Actor
from app.domain.workflow import Facts, barred
from app.errors import Conflict, Fault, Invalid, check_version, refuse_unless
from app.notify import outbox
from app.records import consultations, corrections, proposals
from app.records import review as review_records
from app.services import audit
from app.services.clock import Now
from app.services.consultations import facts_of, held, name, there


def add(
    tx: Tx, actor: Actor, number: int, ref: str, text: str, reason: str, expected: frozenset[int] | None, now: Now
) -> None:
    """Correct the words of one decision of a concluded consultation; whoever was told of the decision is told of it.

    Refuses in the order 404, 412, 422, 409.
    """
    proposals.hold_all(tx, [ref])
    row = held(tx, number)
    check_version("the consultation", row.version, expected)
    item = next((one for one in consultations.agenda(tx, number) if one.ref == ref), None)
    if item is None:
        fault = Fault("/ref", "unknown_proposal", f"'{ref}' is not on the agenda of this consultation.")
        raise Invalid("validation_failed", "This decision cannot be corrected.", faults=[fault])
    said = f"What is wrong before the conclusion is recorded anew; this consultation is {row.state}."
    refuse_unless(row.state == Stage.CONCLUDED, "wrong_state", said)
    _refuse_barred(tx, actor, item, now)
    own = {"consultation_id": number, "proposal_id": item.id, "person_id": actor.id, "at": now.at}
    corrections.add(tx, {**own, "text": text, "reason": reason})
    consultations.change(tx, number, {}, outer=True)
    proposals.touch_faces(tx, item.id, now.at)
    after = audit.digest({"text": text, "reason": reason})
    audit.record(tx, actor, "decision.correct", name(number), now, {"proposal": ref}, after=after)
    told = {**facts_of(there(tx, number)), "correction": text, "reason": reason}
    outbox.owe(tx, "proposal.corrected", ref, now.at, told, ref)


def _refuse_barred(tx: Tx, actor: Actor, item: Record, now: Now) -> None:
    conflicted = proposals.has_conflict(tx, item.id, actor.id)
    assessed = review_records.has_assessed(tx, item.id, actor.id)
    found = barred(Facts(today=now.today, conflicted=conflicted, has_assessed=assessed))
    if found:
        raise Conflict(found[0].code, " ".join(one.message for one in found), refusals=found)


def told(tx: Tx, number: int, proposal_id: int, until: datetime | None = None) -> list[dict[str, Any]]:
    """The corrections of one decision, oldest first, up to an instant."""
    return [_told(one) for one in corrections.of_consultation(tx, number, proposal_id, until)]


def told_of_all(tx: Tx, number: int) -> dict[int, list[dict[str, Any]]]:
    """The corrections of a consultation's decisions by the numbers of their proposals, oldest first."""
    found: dict[int, list[dict[str, Any]]] = {}
    for one in corrections.of_consultation(tx, number):
        found.setdefault(one.proposal_id, []).append(_told(one))
    return found


def _told(one: Record) -> dict[str, Any]:
    return {"text": one.text, "reason": one.reason, "at": one.at, "by": {"role": one.role, "name": one.name}}
