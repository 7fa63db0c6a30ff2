"""The consultation: planned, its agenda set, opened, and as each side sees it. What it decides stands in `decisions`.

Whoever changes one holds its proposals first (by number), then the consultation, then envelopes: nobody waits in a circle.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.db import Record, Tx
from app.domain.consultation import Stage, in_quarter
from app.domain.envelope import added, over_envelope
from app.domain.people import MFA, Actor, Role
from app.domain.rulebook import Rulebook
from app.domain.workflow import Event
from app.errors import Conflict, Fault, Invalid, NotFound, PreconditionFailed, PreconditionRequired, Refusal
from app.notify import outbox
from app.records import consultations, cycles, proposals
from app.records import review as review_records
from app.services import audit, casework, envelopes, faces, review
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


def refuse_unless(holds: bool, code: str, message: str) -> None:
    """Conflict with that one refusal, unless it holds."""
    if not holds:
        raise Conflict(code, message, refusals=[Refusal(code, message)])


def check_precondition(row: Record, expected: frozenset[int] | None, given: bool = True, needed: bool = False) -> None:
    """428 where a replacement names no version, 412 where it names another than there is."""
    if needed and not given:
        raise PreconditionRequired(
            "if_match_required", "Send If-Match with the ETag of the consultation you have read."
        )
    if expected is not None and row.version not in expected:
        message = f"The consultation is at version {row.version} now; read it again before you change it."
        raise PreconditionFailed("version_mismatch", message)


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
    facts: audit.Facts = {"cycle": plan.cycle, "date": str(plan.held_on), "place": plan.place}
    audit.record(tx, actor, "consultation.plan", name(number), now, facts, after=audit.digest(plan.reason or ""))
    outbox.owe(tx, "consultation.planned", name(number), now.at)
    return number


def _out_of_quarter(cycle: int, day: date, reason: str | None, book: Rulebook) -> list[Fault]:
    quarter = book.framework.calendar.consultation_quarter
    if in_quarter(day, cycle, quarter) or reason:
        return []
    said = f"{day} is not in quarter {quarter} of {cycle}; a consultation outside it needs a reason."
    return [Fault("/reason", "outside_quarter", said)]


def name(number: int) -> str:
    """How the log and notices name a consultation."""
    return f"consultation/{number}"


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
    """Move a consultation to another day or place, or say who takes part; not once it is concluded."""
    row = held(tx, number)
    check_precondition(row, expected)
    day = plan.held_on or row.held_on
    reason = plan.reason or row.reason
    faults = _out_of_quarter(row.cycle_year, day, reason, book)
    if faults:
        raise Invalid("validation_failed", "A consultation cannot be planned so.", faults=faults)
    refuse_unless(row.state != Stage.CONCLUDED, "wrong_state", "It is concluded; nothing about it changes any more.")
    values: dict[str, Any] = {"held_on": day, "place": plan.place or row.place, "reason": reason}
    if plan.participants is not None:
        values["participants"] = json.dumps(plan.participants)
    consultations.change(tx, number, values, outer=True)
    facts: audit.Facts = {"date": str(day), "place": values["place"]}
    before = audit.digest({"date": str(row.held_on), "place": row.place})
    audit.record(tx, actor, "consultation.change", name(number), now, facts, before, audit.digest(facts))
    if (day, values["place"]) != (row.held_on, row.place):
        outbox.owe(tx, "consultation.moved", name(number), now.at)


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
    rows = {ref: _on_table(tx, actor, ref) for ref in sorted(set(refs))}
    row = held(tx, number)
    check_precondition(row, expected, given, needed=bool(consultations.agenda_refs(tx, number)))
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
    refusals = []
    if row.state == Stage.CONCLUDED:
        refusals.append(Refusal("wrong_state", "It is concluded; its agenda changes no more."))
    for one in filter(None, rows.values()):
        refusals += _why_not_on(tx, row, one)
    if refusals:
        said = " ".join(refusal.message for refusal in refusals)
        raise Conflict(refusals[0].code if len(refusals) == 1 else "agenda_refused", said, refusals=refusals)
    consultations.put_agenda(tx, number, [found.id for ref in refs if (found := rows[ref])])
    consultations.change(tx, number, {}, outer=True)
    audit.record(tx, actor, "consultation.agenda", name(number), now, {"proposals": refs})


def _on_table(tx: Tx, actor: Actor, ref: str) -> Record | None:
    """The proposal, held, as the MFA sees it; None where there is none."""
    try:
        return faces.seen_to_change(tx, actor, ref)
    except NotFound:
        return None


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
        said = f"{one.ref} is on the agenda of consultation {other}, which is not concluded."
        found.append(Refusal("on_another_agenda", said))
    return found


def open_(tx: Tx, actor: Actor, number: int, expected: frozenset[int] | None, now: Now) -> None:
    """Open a planned consultation: from now on decisions can be recorded."""
    row = held(tx, number)
    check_precondition(row, expected)
    refuse_unless(row.state == Stage.PLANNED, "wrong_state", f"The consultation is {row.state} already.")
    consultations.change(tx, number, {"state": Stage.OPEN}, outer=True)
    audit.record(tx, actor, "consultation.open", name(number), now)


def listed(
    tx: Tx, actor: Actor, cycle: int | None, state: str | None, limit: int, below: int | None
) -> tuple[list[dict[str, Any]], int | None]:
    """One page of consultations, newest first, and the number after which the next page begins."""
    rows = consultations.listed(tx, cycle, state, limit, below)
    return [_head(row, actor) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None


def _head(row: Record, actor: Actor) -> dict[str, Any]:
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
        "version": row.version if inside else row.outer_version,
    }


def there(tx: Tx, number: int) -> Record:
    """The consultation as it stands, or NotFound."""
    row = consultations.consultation_of(tx, number)
    if row is None:
        raise _absent(number)
    return row


def described(tx: Tx, actor: Actor, number: int, book: Rulebook, now: Now) -> dict[str, Any]:
    """A consultation as this actor sees it.

    The MFA sees what is recorded, the running totals and what would refuse. Everybody else sees date and place, and of the
    agenda and, once it is concluded, of the decisions, those of the proposals they can see.
    """
    row = there(tx, number)
    items = consultations.agenda(tx, number)
    if actor.role not in INSIDE:
        seen = [one for one in items if proposals.proposal_for(tx, actor, one.ref) is not None]
        seen.sort(key=lambda one: str(one.ref))
        return {**_head(row, actor), "agenda": [_outer_item(row, one) for one in seen]}
    standing = envelopes.standing(tx)
    totals = _totals(tx, row, items)
    over = over_envelope(standing, totals["decided"]) if row.state != Stage.CONCLUDED else {}
    agenda = [_inner_item(tx, row, one, over, book, actor, now) for one in items]
    shown = json.loads(row.envelopes)["before"] if row.envelopes else None
    return {
        **_head(row, actor),
        "agenda": agenda,
        "totals": _shown_totals(tx, totals, shown),
        "refusals": [Refusal("envelope_exceeded", said).as_json() for said in over.values()],
        "undecided": [one.ref for one in items if one.decision is None],
    }


def _outer_item(row: Record, one: Record) -> dict[str, Any]:
    said = {"ref": one.ref, "title": one.title, "office": one.office_code}
    return {**said, "state": one.state, "decision": decision_json(one) if row.state == Stage.CONCLUDED else None}


def decision_json(one: Record) -> dict[str, Any] | None:
    """A decision as recorded: what, how much in which year, on which conditions, why, by whom; None where there is none."""
    if one.decision is None:
        return None
    return {
        "decision": one.decision,
        "amounts": json.loads(one.amounts),
        "conditions": json.loads(one.conditions),
        "reason": one.reason,
        "to_cycle": one.to_cycle,
        "recorded_at": one.at,
    }


def _inner_item(
    tx: Tx, row: Record, one: Record, over: dict[int, str], book: Rulebook, actor: Actor, now: Now
) -> dict[str, Any]:
    recommended = review_records.recommendation_of(tx, one.id)
    rows = review_records.assessments_of(tx, one.id, one.snapshot)
    ground = review.ground_of(tx, one.id, one.snapshot, book)
    decided = decision_json(one)
    if decided:
        decided["recorded_by"] = one.decided_by
    refused: list[Refusal] = []
    if row.state != Stage.CONCLUDED and one.decision is not None:
        refused = refusals_of(tx, one, over, actor, book, now)
    return {
        "ref": one.ref,
        "title": one.title,
        "office": one.office_code,
        "state": one.state,
        "total": one.total_tenths / 10,
        "assessed": review.outcome_of(rows, ground),
        "recommendation": {"verdict": recommended.verdict, "reason": recommended.reason} if recommended else None,
        "requested": _by_year(envelopes.requested_of(tx, one.id, one.snapshots)),
        "decision": decided,
        "refusals": [refusal.as_json() for refusal in refused],
    }


def refusals_of(tx: Tx, one: Record, over: dict[int, str], actor: Actor, book: Rulebook, now: Now) -> list[Refusal]:
    """What refuses the decision recorded on an item as things stand; `over` are the years whose envelopes it overruns."""
    return casework.table_refusals(tx, one, Event(one.decision), amounts_of(one), over, actor, book, now)


def amounts_of(one: Record) -> dict[int, int]:
    """The amounts of a decision by year as a number; none unless it approves."""
    return {int(year): amount for year, amount in json.loads(one.amounts or "{}").items()}


def _totals(tx: Tx, row: Record, items: Iterable[Record]) -> dict[str, dict[int, int]]:
    decided, pending = [], []
    for one in items:
        if one.decision is None:
            pending.append(envelopes.requested_of(tx, one.id, one.snapshots))
        elif one.decision == Event.APPROVE:
            decided.append(amounts_of(one))
    return {"decided": added(decided), "pending": added(pending)}


def _shown_totals(tx: Tx, totals: dict[str, dict[int, int]], kept: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Per year: the envelope, what was approved before, what is decided here, what that leaves, what is still undecided."""
    decided, pending = totals["decided"], totals["pending"]
    stands = kept if kept is not None else envelopes.overview(tx)
    return [
        {
            "year": one["year"],
            "amount": one["amount"],
            "status": one["status"],
            "approved_before": one["approved"],
            "decided": decided.get(one["year"], 0),
            "left": one["available"] - decided.get(one["year"], 0),
            "undecided_requests": pending.get(one["year"], 0),
        }
        for one in stands
        if one["year"] in decided or one["year"] in pending or one["amount"]
    ]


def _by_year(amounts: dict[int, int]) -> dict[str, int]:
    return {str(year): amount for year, amount in amounts.items()}
