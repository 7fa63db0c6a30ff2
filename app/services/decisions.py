"""Decisions: recorded one by one while a consultation is open, in force together when it is concluded, or not at all."""

import json
from dataclasses import dataclass
from typing import Any

from app.db import Record, Tx
from app.domain.consultation import Stage, Verdict, in_quarter, too_early
from app.domain.envelope import Kind, added, over_envelope, over_request
from app.domain.people import Actor
from app.domain.rulebook import Rulebook
from app.domain.workflow import MOVES, Event, Maker, State
from app.errors import Conflict, Fault, Invalid, NotFound, Refusal
from app.notify import outbox
from app.records import audit as audit_records
from app.records import consultations, proposals
from app.services import audit, casework, envelopes, faces
from app.services.casework import Step
from app.services.clock import Now
from app.services.consultations import amounts_of, check_precondition, held, name, refusals_of, refuse_unless


@dataclass(frozen=True, slots=True)
class Sent:
    """A decision as sent: `amounts` is DKK by year for an approval, `to_cycle` the year for a deferral."""

    decision: Verdict
    amounts: dict[int, int]
    conditions: list[str]
    reason: str
    to_cycle: int | None = None


def record(
    tx: Tx,
    actor: Actor,
    number: int,
    ref: str,
    sent: Sent,
    expected: frozenset[int] | None,
    given: bool,
    book: Rulebook,
    now: Now,
) -> None:
    """Record a decision or put another in its place. It may still be refused in the end; what would refuse is shown with it.

    Refuses in the order 404, 428, 412, 422, 409.
    """
    one = faces.seen_to_change(tx, actor, ref)
    row = held(tx, number)
    item = next((item for item in consultations.agenda(tx, number) if item.id == one.id), None)
    check_precondition(row, expected, given, needed=item is not None and item.decision is not None)
    faults = _faults(tx, row, one, sent)
    if faults:
        raise Invalid("validation_failed", "This decision cannot be recorded.", faults=faults)
    _refuse_closed(row)
    refuse_unless(item is not None, "not_on_agenda", f"{ref} is not on the agenda of this consultation.")
    barred = casework.table_refusals(tx, one, Event(sent.decision), {}, {}, actor, book, now)
    for refusal in barred:
        refuse_unless(refusal.code == "mandatory_not_met", refusal.code, refusal.message)
    values = {
        "consultation_id": number,
        "proposal_id": one.id,
        "decision": sent.decision,
        "amounts": json.dumps({str(year): amount for year, amount in sent.amounts.items()}),
        "conditions": json.dumps(sent.conditions),
        "reason": sent.reason,
        "to_cycle": sent.to_cycle,
        "snapshot": one.snapshots,
        "person_id": actor.id,
        "at": now.at,
    }
    consultations.put_decision(tx, values)
    consultations.change(tx, number, {}, outer=False)
    before = audit.digest(_said(item)) if item is not None and item.decision is not None else None
    facts: audit.Facts = {"proposal": ref, "decision": sent.decision, "amounts": json.loads(values["amounts"])}
    audit.record(tx, actor, "decision.record", name(number), now, facts, before, audit.digest(_said_sent(sent)))


def _said(item: Record) -> dict[str, Any]:
    return {"decision": item.decision, "amounts": json.loads(item.amounts), "reason": item.reason}


def _said_sent(sent: Sent) -> dict[str, Any]:
    amounts = {str(year): amount for year, amount in sent.amounts.items()}
    return {"decision": sent.decision, "amounts": amounts, "reason": sent.reason, "conditions": sent.conditions}


def _faults(tx: Tx, row: Record, one: Record, sent: Sent) -> list[Fault]:
    """What is wrong with a decision in itself: amounts where none belong, more than requested, a year that is past."""
    if sent.decision is not Verdict.APPROVE:
        found = [Fault("/amounts", "not_applicable", f"'{sent.decision}' has no amounts.")] if sent.amounts else []
        found += [] if sent.reason else [Fault("/reason", "required", f"'{sent.decision}' needs a reason.")]
        if sent.decision is Verdict.DEFER and sent.to_cycle is None:
            found.append(Fault("/to_cycle", "required", "'defer' needs the cycle it is deferred to."))
        elif sent.to_cycle is not None and sent.to_cycle < row.cycle_year:
            said = f"This is the consultation of {row.cycle_year}; a proposal is deferred to it or a later one."
            found.append(Fault("/to_cycle", "in_the_past", said))
    else:
        found = [] if any(sent.amounts.values()) else [Fault("/amounts", "required", "'approve' needs an amount.")]
        requested = envelopes.requested_of(tx, one.id, one.snapshots)
        over = over_request(requested, sent.amounts)
        found += [Fault(f"/amounts/{year}", "amount_over_request", said) for year, said in over.items()]
        others = [year for year in sent.amounts if year not in requested and year not in over]
        found += [Fault(f"/amounts/{y}", "amount_over_request", f"Nothing is requested for {y}.") for y in others]
    if sent.to_cycle is not None and sent.decision is not Verdict.DEFER:
        found.append(Fault("/to_cycle", "not_applicable", f"'{sent.decision}' has no `to_cycle`."))
    return found


def _refuse_closed(row: Record) -> None:
    said = f"Decisions are recorded while a consultation is open; this one is {row.state}."
    refuse_unless(row.state == Stage.OPEN, "wrong_state", said)


def remove(tx: Tx, actor: Actor, number: int, ref: str, expected: frozenset[int] | None, now: Now) -> None:
    """Take a recorded decision back; the proposal stays on the agenda, undecided."""
    one = faces.seen_to_change(tx, actor, ref)
    row = held(tx, number)
    check_precondition(row, expected)
    _refuse_closed(row)
    if not consultations.remove_decision(tx, number, one.id):
        raise NotFound("decision_not_found", f"No decision on {ref} is recorded here.")
    consultations.change(tx, number, {}, outer=False)
    audit.record(tx, actor, "decision.remove", name(number), now, {"proposal": ref})


def conclude(
    tx: Tx, actor: Actor, number: int, reason: str | None, expected: frozenset[int] | None, book: Rulebook, now: Now
) -> None:
    """Put every decision in force in this one transaction, or none: Conflict names everything that refuses."""
    refs = consultations.agenda_refs(tx, number)
    for ref in refs:
        proposals.hold(tx, ref)
    row = held(tx, number)
    check_precondition(row, expected)
    refuse_unless(row.state == Stage.OPEN, "wrong_state", f"Only an open consultation is concluded; it is {row.state}.")
    items = consultations.agenda(tx, number)
    if not {item.ref for item in items} <= set(refs):
        raise Conflict("changed_meanwhile", "Its agenda was changed at the same time; read it again.")
    refused = _why_not(tx, row, items, reason, actor, book, now)
    if refused:
        said = (
            f"The consultation cannot be concluded: {len(refused)} thing{'s' if len(refused) != 1 else ''} refuse it."
        )
        raise Conflict("conclusion_refused", said, refusals=refused)
    before = envelopes.overview(tx)
    envelopes.commit(tx, added(amounts_of(item) for item in items))
    for item in items:
        _put_in_force(tx, row, item, actor, now)
    after = envelopes.overview(tx)
    values = {
        "state": Stage.CONCLUDED,
        "concluded_at": now.at,
        "concluded_by": actor.id,
        "envelopes": json.dumps({"before": before, "after": after}),
        "rulebook": json.dumps(book.reference),
        "reason": reason or row.reason,
    }
    consultations.release_agenda(tx, number)
    facts: audit.Facts = {"decisions": [f"{item.ref} {item.decision}" for item in items]}
    audit.record(tx, actor, "consultation.conclude", name(number), now, facts, after=audit.digest(values["envelopes"]))
    head = audit_records.head(tx)
    consultations.change(tx, number, {**values, "head": head.hash if head else None}, outer=True)
    outbox.owe(tx, "minutes.to_confirm", name(number), now.at)


def _why_not(
    tx: Tx, row: Record, items: list[Record], reason: str | None, actor: Actor, book: Rulebook, now: Now
) -> list[Refusal]:
    """Everything that refuses the conclusion, item by item."""
    early = too_early(row.held_on, now.today)
    found = [early] if early else []
    quarter = book.framework.calendar.consultation_quarter
    if not early and not (in_quarter(now.today, row.cycle_year, quarter) or reason or row.reason):
        said = f"{now.today} is not in quarter {quarter} of {row.cycle_year}; to conclude outside it, give a reason."
        found.append(Refusal("outside_quarter", said))
    if not items:
        found.append(Refusal("agenda_empty", "There is nothing on the agenda."))
    over = over_envelope(envelopes.standing(tx), added(amounts_of(item) for item in items))
    found += [Refusal("envelope_exceeded", said) for said in over.values()]
    for item in items:
        if item.decision is None:
            found.append(Refusal("decision_missing", f"{item.ref} is on the agenda without a decision."))
        else:
            refused = refusals_of(tx, item, {}, actor, book, now)
            found += [Refusal(one.code, f"{item.ref}: {one.message}") for one in refused]
    return found


_TARGET = {move.event: move.target for move in MOVES if move.maker is Maker.CONSULTATION}


def _put_in_force(tx: Tx, row: Record, item: Record, actor: Actor, now: Now) -> None:
    """One decision becomes the proposal's state, its entries in the ledger, its history and its notice."""
    event = Event(item.decision)
    proposals.touch_faces(tx, item.id, now.at)
    if event is Event.APPROVE:
        envelopes.enter(tx, Kind.APPROVED, item.id, item.snapshots, amounts_of(item), actor, now, row.id)
    step = Step(actor, item.reason, snapshot=item.snapshots)
    changes = {"deferred_to": item.to_cycle if event is Event.DEFER else None}
    casework.advance(tx, item, event, State(_TARGET[event]), step, now, changes)
