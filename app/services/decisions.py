"""Decisions: recorded one by one while a consultation is open, in force together when it is concluded, or not at all."""

import json
from dataclasses import dataclass

from app.db import Record, Tx
from app.domain.consultation import Stage, Verdict, in_quarter, too_early
from app.domain.envelope import Kind, added, over_envelope, over_request
from app.domain.people import Actor
from app.domain.rulebook import Rulebook
from app.domain.workflow import PERSONAL, Event, lines_of
from app.errors import Conflict, Fault, Invalid, NotFound, Refusal, check_version, refuse_unless
from app.notify import outbox
from app.records import audit as audit_records
from app.records import consultations, proposals
from app.services import audit, casework, envelopes, faces, tabled
from app.services.casework import Step
from app.services.clock import Now
from app.services.consultations import decision_digest, facts_of, held, name
from app.services.tabled import Tabled


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
    before = decision_digest(item) if item is not None and item.decision is not None else None
    check_version("the consultation", row.version, expected, given or before is None)
    faults = _faults(tx, row, one, sent)
    if faults:
        raise Invalid("validation_failed", "This decision cannot be recorded.", faults=faults)
    _refuse_closed(row)
    refuse_unless(item is not None, "not_on_agenda", f"{ref} is not on the agenda of this consultation.")
    _refuse_barred(tx, one, Event(sent.decision), actor, book, now)
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
    made = next(item for item in consultations.agenda(tx, number) if item.id == one.id)
    after = decision_digest(made)
    audit.record(tx, actor, "decision.record", name(number), now, {"proposal": ref}, before, after)


def _refuse_barred(tx: Tx, one: Record, event: Event, actor: Actor, book: Rulebook, now: Now) -> None:
    """Refuse a person who takes no part in this proposal: who assessed it, who has declared a conflict of interest."""
    table = tabled.read(tx, [one.id], {})
    found = casework.table_refusals(one, event, {}, {}, {}, table.facts(one, actor, book, now))
    barred = [refusal for refusal in found if refusal.code in PERSONAL]
    if barred:
        raise Conflict(barred[0].code, " ".join(one.message for one in barred), refusals=barred)


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


def remove(
    tx: Tx, actor: Actor, number: int, ref: str, expected: frozenset[int] | None, book: Rulebook, now: Now
) -> None:
    """Take a recorded decision back; the proposal stays on the agenda, undecided."""
    one = faces.seen_to_change(tx, actor, ref)
    row = held(tx, number)
    check_version("the consultation", row.version, expected)
    _refuse_closed(row)
    item = next((item for item in consultations.agenda(tx, number) if item.id == one.id), None)
    if item is None or item.decision is None:
        raise NotFound("decision_not_found", f"No decision on {ref} is recorded here.")
    _refuse_barred(tx, one, Event(item.decision), actor, book, now)
    consultations.remove_decision(tx, number, one.id)
    consultations.change(tx, number, {}, outer=False)
    audit.record(tx, actor, "decision.remove", name(number), now, {"proposal": ref}, before=decision_digest(item))


def conclude(
    tx: Tx, actor: Actor, number: int, reason: str | None, expected: frozenset[int] | None, book: Rulebook, now: Now
) -> None:
    """Put every decision in force in this one transaction, or none: Conflict names everything that refuses."""
    refs = consultations.agenda_refs(tx, number)
    proposals.hold_all(tx, refs)
    row = held(tx, number)
    check_version("the consultation", row.version, expected)
    refuse_unless(row.state == Stage.OPEN, "wrong_state", f"Only an open consultation is concluded; it is {row.state}.")
    items = consultations.agenda(tx, number)
    if not {item.ref for item in items} <= set(refs):
        raise Conflict("changed_meanwhile", "Its agenda was changed at the same time; read it again.")
    table = tabled.read(tx, [item.id for item in items], envelopes.standing(tx))
    refused = why_not(row, items, reason, table, actor, book, now)
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
        "concluded_because": reason,
    }
    consultations.release_agenda(tx, number)
    facts: audit.Facts = {"decisions": [f"{item.ref} {item.decision}" for item in items]}
    audit.record(tx, actor, "consultation.conclude", name(number), now, facts, after=audit.digest(values["envelopes"]))
    head = audit_records.head(tx)
    consultations.change(tx, number, {**values, "head": head.hash if head else None}, outer=True)
    outbox.owe(tx, "minutes.to_confirm", name(number), now.at, facts_of(row))


def why_not(
    row: Record, items: list[Record], reason: str | None, table: Tabled, actor: Actor, book: Rulebook, now: Now
) -> list[Refusal]:
    """Everything that refuses the conclusion, item by item."""
    early = too_early(row.held_on, now.today)
    found = [early] if early else []
    quarter = book.framework.calendar.consultation_quarter
    planned_outside = row.reason and not in_quarter(row.held_on, row.cycle_year, quarter)
    if not early and not (in_quarter(now.today, row.cycle_year, quarter) or reason or planned_outside):
        said = f"{now.today} is not in quarter {quarter} of {row.cycle_year}; to conclude outside it, give a reason."
        found.append(Refusal("outside_quarter", said))
    if not items:
        found.append(Refusal("agenda_empty", "There is nothing on the agenda."))
    over = over_envelope(table.standing, added(amounts_of(item) for item in items))
    found += [Refusal("envelope_exceeded", said) for said in over.values()]
    for item in items:
        if item.decision is None:
            found.append(Refusal("decision_missing", f"{item.ref} is on the agenda without a decision."))
        else:
            refused = refusals_of(item, {}, table, actor, book, now)
            found += [Refusal(one.code, f"{item.ref}: {one.message}") for one in refused]
    return found


def refusals_of(
    item: Record, over: dict[int, str], table: Tabled, actor: Actor, book: Rulebook, now: Now
) -> list[Refusal]:
    """What refuses the decision recorded on an item as things stand; `over` are the years whose envelopes it overruns."""
    requested, facts = table.asks(item.id, item.snapshots), table.facts(item, actor, book, now)
    found = casework.table_refusals(item, Event(item.decision), amounts_of(item), requested, over, facts)
    if (item.id, item.person_id) in table.conflicts and item.person_id != actor.id:
        said = "Who recorded the decision has declared a conflict of interest since; somebody else must record it anew."
        found.append(Refusal("conflict_of_interest", said))
    return found


def amounts_of(item: Record) -> dict[int, int]:
    """The amounts of a decision by year as a number; none unless it approves."""
    return {int(year): amount for year, amount in json.loads(item.amounts or "{}").items()}


def _put_in_force(tx: Tx, row: Record, item: Record, actor: Actor, now: Now) -> None:
    """One decision becomes the proposal's state, its entries in the ledger, its history and its notice."""
    event = Event(item.decision)
    proposals.touch_faces(tx, item.id, now.at)
    if event is Event.APPROVE:
        envelopes.enter(tx, Kind.APPROVED, item.id, item.snapshots, amounts_of(item), actor, now, row.id)
    cycle = item.to_cycle if event is Event.DEFER else row.cycle_year
    changes = {"deferred_to": cycle if cycle != item.cycle_year or event is Event.DEFER else None}
    target, step = lines_of(event)[0].target, Step(actor, item.reason, snapshot=item.snapshots)
    told = {
        "consultation": row.id,
        "date": row.held_on.isoformat(),
        "place": row.place,
        "amounts": {str(year): amount for year, amount in amounts_of(item).items()},
        "amount": sum(amounts_of(item).values()),
        "conditions": json.loads(item.conditions),
        "to_cycle": item.to_cycle,
    }
    casework.advance(tx, item, event, target, step, now, changes, told)
