"""The consultation: planned, its agenda set, opened or cancelled, and as each side sees it. What it decides stands in `decisions`.

Whoever changes one holds its proposals first (by number), then the consultation, then envelopes: nobody waits in a circle.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.db import Record, Tx
from app.domain.consultation import SETTLED, Stage, in_quarter
from app.domain.people import MFA, Actor, Role
from app.domain.rulebook import Rulebook
from app.errors import Conflict, Fault, Invalid, NotFound, Refusal, check_version, refuse_unless
from app.notify import invitations, outbox
from app.records import consultations, cycles, proposals
from app.services import audit, casework
from app.services.clock import Now

INSIDE = MFA | {Role.AUDITOR}  # who sees what is recorded before it is concluded


@dataclass(frozen=True, slots=True)
class Plan:
    """What is said of a consultation: all of it when it is made, some of it when it is changed."""

    cycle: int | None = None
    held_on: date | None = None
    place: str | None = None
    participants: list[Any] | None = None
    reason: str | None = None


def create(tx: Tx, actor: Actor, plan: Plan, book: Rulebook, now: Now) -> int:
    """Plan a consultation of a cycle; outside its quarter only with a reason. Its number."""
    assert plan.cycle is not None
    assert plan.held_on is not None
    faults = _out_of_quarter(plan.cycle, plan.held_on, plan.reason, book)
    if cycles.cycle_of(tx, plan.cycle) is None:
        faults = [Fault("/cycle", "unknown_cycle", f"There is no cycle {plan.cycle}."), *faults]
    if faults:
        raise Invalid("validation_failed", "A consultation cannot be planned so.", faults=faults)
    values = {
        "cycle_year": plan.cycle,
        "held_on": plan.held_on,
        "place": plan.place,
        "participants": json.dumps(plan.participants or []),
        "reason": plan.reason,
        "state": Stage.PLANNED,
        "created_by": actor.id,
        "created_at": now.at,
    }
    number = consultations.add(tx, values)
    facts: audit.Facts = {"cycle": plan.cycle, "date": str(plan.held_on)}
    audit.record(tx, actor, "consultation.plan", name(number), now, facts, after=_digest(plan.held_on, plan.place))
    if plan.held_on >= now.today:
        outbox.owe(tx, "consultation.planned", name(number), now.at, facts_of(there(tx, number)))
    return number


def _out_of_quarter(cycle: int, day: date, reason: str | None, book: Rulebook) -> list[Fault]:
    quarter = book.framework.calendar.consultation_quarter
    if in_quarter(day, cycle, quarter) or reason:
        return []
    said = f"{day} is not in quarter {quarter} of {cycle}; a consultation outside it needs a reason."
    return [Fault("/reason", "outside_quarter", said)]


def _digest(held_on: date, place: str | None) -> str:
    """The hash of where and when; the place can name a person's house and stays out of what is chained."""
    return audit.digest({"date": str(held_on), "place": place})


def name(number: int) -> str:
    """How the log and notices name a consultation."""
    return f"consultation/{number}"


def facts_of(row: Record) -> dict[str, Any]:
    """What notices say of a consultation: which, when and where, and how often it was changed."""
    when = {"date": row.held_on.isoformat(), "place": row.place}
    return {"consultation": row.id, "cycle": row.cycle_year, **when, "sequence": row.outer_version}


def held(tx: Tx, number: int) -> Record:
    """The consultation, held by this transaction; NotFound where there is none."""
    row = consultations.hold(tx, number)
    if row is None:
        raise _absent(number)
    return row


def _absent(number: int) -> NotFound:
    return NotFound("consultation_not_found", f"There is no consultation {number}.")


def change(
    tx: Tx, actor: Actor, number: int, plan: Plan, expected: frozenset[int] | None, book: Rulebook, now: Now
) -> None:
    """Move a consultation to another day or place, or say who takes part; not once it is concluded or cancelled."""
    row = held(tx, number)
    check_version("the consultation", row.version, expected)
    day, place = plan.held_on or row.held_on, plan.place or row.place
    reason = plan.reason or (row.reason if day == row.held_on else None)
    faults = _out_of_quarter(row.cycle_year, day, reason, book)
    if faults:
        raise Invalid("validation_failed", "A consultation cannot be planned so.", faults=faults)
    refuse_unless(row.state not in SETTLED, "wrong_state", f"It is {row.state}; nothing about it changes any more.")
    values: dict[str, Any] = {"held_on": day, "place": place, "reason": reason}
    if plan.participants is not None:
        values["participants"] = json.dumps(plan.participants)
    if all(getattr(row, key) == value for key, value in values.items()):
        return
    consultations.change(tx, number, values, outer=True)
    before, after = _digest(row.held_on, row.place), _digest(day, place)
    facts: audit.Facts = {
        "date": str(day),
        "participants": len(json.loads(values.get("participants", row.participants))),
    }
    audit.record(tx, actor, "consultation.change", name(number), now, facts, before, after)
    if (day, place) != (row.held_on, row.place):
        invitations.move(tx, "consultation", name(number), now.at, facts_of(there(tx, number)), facts_of(row))


def set_agenda(
    tx: Tx,
    actor: Actor,
    number: int,
    refs: list[str],
    expected: frozenset[int] | None,
    given: bool,
    now: Now,
) -> None:
    """Set the agenda in its order. Refuses in the order 404, 428, 412, 422, 409; all that is wrong with it at once."""
    was = set(consultations.agenda_refs(tx, number))
    proposals.hold_all(tx, [*refs, *was])
    rows = {ref: proposals.proposal_for(tx, actor, ref) for ref in refs}
    row = held(tx, number)
    items = consultations.agenda(tx, number)
    check_version("the consultation", row.version, expected, given or not items)
    faults = [
        Fault(f"/proposals/{i}", "unknown_proposal", f"There is no proposal '{ref}'.")
        for i, ref in enumerate(refs)
        if rows[ref] is None
    ]
    faults += [
        Fault(f"/proposals/{i}", "duplicate", f"{ref} is listed twice.")
        for i, ref in enumerate(refs)
        if ref in refs[:i]
    ]
    if faults:
        raise Invalid("validation_failed", "The agenda cannot be set so.", faults=faults)
    fallen = [one for one in items if one.ref not in refs and one.decision is not None]
    refusals = _why_not(tx, actor, row, [one for one in rows.values() if one], fallen)
    if not {one.ref for one in items} <= was:
        refusals.append(Refusal("changed_meanwhile", "The agenda was changed at the same time; read it again."))
    if refusals:
        said = " ".join(refusal.message for refusal in refusals)
        raise Conflict(refusals[0].code if len(refusals) == 1 else "agenda_refused", said, refusals=refusals)
    consultations.put_agenda(tx, number, [found.id for ref in refs if (found := rows[ref])])
    consultations.change(tx, number, {}, outer=True)
    for one in fallen:
        audit.record(tx, actor, "decision.remove", name(number), now, {"proposal": one.ref}, decision_digest(one))
    audit.record(tx, actor, "consultation.agenda", name(number), now, {"proposals": refs})


def _why_not(tx: Tx, actor: Actor, row: Record, rows: list[Record], fallen: list[Record]) -> list[Refusal]:
    """Everything that refuses this agenda; what has a decision recorded falls off it only by who may decide."""
    found = []
    if row.state in SETTLED:
        found.append(Refusal("wrong_state", f"It is {row.state}; its agenda changes no more."))
    if actor.role is not Role.MFA_HEAD:
        said = "{ref} has a decision recorded; the head of department takes it back first."
        found += [Refusal("decision_recorded", said.format(ref=one.ref)) for one in fallen]
    for one in rows:
        found += _why_not_on(tx, row, one)
    return found


def _why_not_on(tx: Tx, row: Record, one: Record) -> list[Refusal]:
    """Why a proposal cannot stand on this consultation's agenda."""
    found = []
    if one.state not in casework.TABLED:
        said = f"{one.ref} is {one.state}; only what is recommended or deferred comes to a consultation."
        found.append(Refusal("wrong_state", said))
    elif row.cycle_year not in (one.cycle_year, one.deferred_to):
        said = f"{one.ref} belongs to the cycle {one.deferred_to or one.cycle_year}, not to {row.cycle_year}."
        found.append(Refusal("wrong_cycle", said))
    other = consultations.held_elsewhere(tx, one.id, row.id)
    if other is not None:
        said = f"{one.ref} is on the agenda of consultation {other}, which is neither concluded nor cancelled."
        found.append(Refusal("on_another_agenda", said))
    return found


def open_(tx: Tx, actor: Actor, number: int, expected: frozenset[int] | None, now: Now) -> None:
    """Open a planned consultation: from now on decisions can be recorded."""
    row = held(tx, number)
    check_version("the consultation", row.version, expected)
    said = f"Only a planned consultation is opened; this one is {row.state}."
    refuse_unless(row.state == Stage.PLANNED, "wrong_state", said)
    consultations.change(tx, number, {"state": Stage.OPEN}, outer=True)
    audit.record(tx, actor, "consultation.open", name(number), now)


def cancel(tx: Tx, actor: Actor, number: int, reason: str, expected: frozenset[int] | None, now: Now) -> None:
    """Call a consultation off before anything is decided: its proposals, as they stand, can be tabled elsewhere.

    It stays, with its agenda and the reason. Whoever was invited is told, whether or not they would be today.
    """
    row = held(tx, number)
    check_version("the consultation", row.version, expected)
    refuse_unless(
        row.state not in SETTLED, "wrong_state", f"It is {row.state}; only what is planned or open is cancelled."
    )
    items = consultations.agenda(tx, number)
    recorded = ", ".join(one.ref for one in items if one.decision is not None)
    said = f"A decision is recorded on {recorded}; take back what is recorded first, or conclude."
    refuse_unless(not recorded, "decision_recorded", said)
    values = {"state": Stage.CANCELLED, "cancelled_at": now.at, "cancelled_by": actor.id, "cancelled_because": reason}
    consultations.change(tx, number, values, outer=True)
    consultations.release_agenda(tx, number)
    facts: audit.Facts = {"proposals": [one.ref for one in items]}
    audit.record(tx, actor, "consultation.cancel", name(number), now, facts, after=audit.digest(reason))
    told = {**facts_of(there(tx, number)), "reason": reason}
    outbox.owe(tx, "consultation.cancelled", name(number), now.at, told)


def listed(
    tx: Tx, actor: Actor, cycle: int | None, state: str | None, limit: int, below: int | None
) -> tuple[list[dict[str, Any]], int | None]:
    """One page of consultations, newest first, and the number after which the next page begins."""
    rows = consultations.listed(tx, cycle, state, limit, below)
    return [head_json(row, actor) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None


def head_json(row: Record, actor: Actor) -> dict[str, Any]:
    """What everybody sees of a consultation, with the version of this reader's side."""
    inside = actor.role in INSIDE
    return {
        "id": row.id,
        "cycle": row.cycle_year,
        "date": row.held_on.isoformat(),
        "place": row.place,
        "participants": json.loads(row.participants),
        "reason": row.reason,
        "state": row.state,
        "concluded_at": row.concluded_at,
        "cancelled_at": row.cancelled_at,
        "cancelled_because": row.cancelled_because,
        "version": row.version if inside else row.outer_version,
    }


def knock(
    tx: Tx, number: int, expected: frozenset[int] | None, given: bool = True, replaces: str | None = None
) -> None:
    """404, 428 and 412 before a body is even read; `replaces` is `agenda` or the reference of a decision."""
    row, needed = there(tx, number), False
    if replaces is not None:
        items = consultations.agenda(tx, number)
        needed = any(replaces == "agenda" or (one.ref == replaces and one.decision is not None) for one in items)
    check_version("the consultation", row.version, expected, given or not needed)


def there(tx: Tx, number: int) -> Record:
    """The consultation as it stands, or NotFound."""
    row = consultations.consultation_of(tx, number)
    if row is None:
        raise _absent(number)
    return row


def participants(tx: Tx, number: int) -> list[Any]:
    """Who takes part, as it was written down."""
    return list(json.loads(there(tx, number).participants))


def decision_json(one: Record) -> dict[str, Any] | None:
    """A decision as recorded: what, how much in which year, on which conditions, why; None where there is none."""
    if one.decision is None:
        return None
    return {
        "decision": one.decision,
        "amounts": json.loads(one.amounts),
        "conditions": json.loads(one.conditions),
        "reason": one.reason,
        "to_cycle": one.to_cycle,
    }


def decision_digest(one: Record) -> str:
    """The hash of all that a decision says."""
    return audit.digest(decision_json(one))
