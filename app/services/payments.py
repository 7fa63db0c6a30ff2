"""Payments: tranches scheduled, prepared, released by somebody else, received; every step once, every refusal named."""

from datetime import date
from typing import Any

from app.db import Record, Tx
from app.domain.cycle import day_of
from app.domain.envelope import Kind
from app.domain.framework import Framework
from app.domain.payment import Stage, line_of, refusals
from app.domain.payment import Step as PaymentStep
from app.domain.people import Actor
from app.domain.workflow import Event, State, choose_move
from app.domain.workflow import Facts as ProposalFacts
from app.errors import Conflict, Fault, Invalid, NotFound, check_version, refuse_unless
from app.notify import outbox
from app.records import agreements, proposals
from app.records import payments as payment_records
from app.records.payments import Wanted
from app.services import agreements as agreement_service
from app.services import audit, casework, envelopes, faces, paying
from app.services.casework import Step
from app.services.clock import Now


def schedule(
    tx: Tx,
    actor: Actor,
    ref: str,
    year: int,
    amount: int,
    due_on: date,
    condition: str | None,
    framework: Framework,
    now: Now,
) -> int:
    """Plan a tranche within what is approved for its year; before the agreement is signed it is part of the text.

    Of a disbursed proposal what is approved and not paid can still be planned, until it is closed and the rest is free.
    """
    row = faces.seen_to_change(tx, actor, ref)
    said = f"Tranches are planned for what is approved, agreed or disbursed; this proposal is {row.state}."
    refuse_unless(row.state in paying.PAID_IN, "wrong_state", said)
    facts = paying.facts(paying.known(tx, row, year, actor, framework, now), year, amount, actor, now)
    found = refusals(Stage.SCHEDULED, PaymentStep.PREPARE, facts)
    found = [one for one in found if one.code in ("over_approved", "conflict_of_interest")]
    if found:
        raise Conflict(found[0].code, " ".join(one.message for one in found), refusals=found)
    if row.state == State.APPROVED:
        agreement_service.void(tx, row, actor, now)
    values = {
        "proposal_id": row.id,
        "year": year,
        "amount_dkk": amount,
        "due_on": due_on,
        "condition": condition,
        "state": Stage.SCHEDULED,
        "scheduled_by": actor.id,
        "scheduled_at": now.at,
    }
    number = agreements.add_payment(tx, values)
    said_facts: audit.Facts = {"proposal": ref, "year": year, "amount": amount, "due_on": str(due_on)}
    audit.record(tx, actor, "payment.schedule", _name(number), now, said_facts)
    return number


def _name(number: int) -> str:
    return f"payment/{number}"


def _held(tx: Tx, actor: Actor, payment_id: int) -> tuple[Record, Record]:
    """The payment and its proposal, held; NotFound where there is none that this actor sees."""
    one = agreements.payment_of(tx, payment_id)
    row = proposals.proposal_for(tx, actor, one.ref) if one else None
    if one is None or row is None:
        raise NotFound("payment_not_found", f"There is no payment {payment_id} that you can see.")
    proposals.hold(tx, one.ref)
    held, seen = agreements.payment_of(tx, payment_id), proposals.proposal_for(tx, actor, one.ref)
    assert held, "payments are never deleted"
    assert seen, "proposals are never deleted"
    return held, seen


def take(
    tx: Tx,
    actor: Actor,
    payment_id: int,
    step: PaymentStep,
    values: dict[str, Any],
    expected: frozenset[int] | None,
    framework: Framework,
    now: Now,
) -> dict[str, Any]:
    """Take a step of a payment, once; 404, 412, then 409 with every reason. `values` are what is stored with it."""
    one, row = _held(tx, actor, payment_id)
    check_version("the payment", one.version, expected)
    found = paying.refused(row, one, step, paying.known(tx, row, one.year, actor, framework, now), actor, now)
    if found:
        code = found[0].code if len(found) == 1 else "payment_refused"
        raise Conflict(code, " ".join(refusal.message for refusal in found), refusals=found)
    if step is PaymentStep.RELEASE:
        voted = agreements.hold_voted(tx, one.year)
        refuse_unless(voted, "not_voted", f"The appropriation of {one.year} was changed at the same time.")
        envelopes.enter(tx, Kind.PAID, row.id, row.snapshots, {one.year: one.amount_dkk}, actor, now)
    if step is PaymentStep.CANCEL and row.state == State.APPROVED:
        agreement_service.void(tx, row, actor, now)
    target = line_of(step).target
    changed = agreements.step_payment(tx, payment_id, one.state, one.version, {**values, "state": target})
    refuse_unless(changed, "changed_meanwhile", "Somebody else changed this payment at the same time; read it again.")
    facts: audit.Facts = {"proposal": one.ref, "from": one.state, "to": target, "amount": one.amount_dkk}
    if step is PaymentStep.RECEIVE:
        facts |= {"received": values["received_dkk"], "received_on": str(values["received_on"])}
    if step in (PaymentStep.RECEIVE, PaymentStep.CANCEL):
        _complete(tx, row, now)
    told = {"number": one.number, "year": one.year, "amount": one.amount_dkk, "due_on": one.due_on.isoformat()}
    told |= {"received": values["received_dkk"]} if step is PaymentStep.RECEIVE else {}
    outbox.owe(tx, f"payment.{target}", _name(payment_id), now.at, told, one.ref)
    audit.record(tx, actor, f"payment.{step}", _name(payment_id), now, facts)
    return described(tx, actor, payment_id)


def prepare(
    tx: Tx, actor: Actor, payment_id: int, expected: frozenset[int] | None, framework: Framework, now: Now
) -> dict[str, Any]:
    """Prepare a scheduled payment."""
    values = {"prepared_by": actor.id, "prepared_at": now.at}
    return take(tx, actor, payment_id, PaymentStep.PREPARE, values, expected, framework, now)


def release(
    tx: Tx, actor: Actor, payment_id: int, expected: frozenset[int] | None, framework: Framework, now: Now
) -> dict[str, Any]:
    """Release a prepared payment; somebody else than who prepared it. The ledger says it is paid."""
    values = {"released_by": actor.id, "released_at": now.at}
    return take(tx, actor, payment_id, PaymentStep.RELEASE, values, expected, framework, now)


def receive(
    tx: Tx,
    actor: Actor,
    payment_id: int,
    amount: int | None,
    received_on: date | None,
    note: str | None,
    expected: frozenset[int] | None,
    framework: Framework,
    now: Now,
) -> dict[str, Any]:
    """Confirm what was received and when; another amount than released is recorded as such, not hidden."""
    one, _ = _held(tx, actor, payment_id)
    day = received_on or now.today
    if one.released_at is not None and not day_of(one.released_at) <= day <= now.today:
        said = f"It was released on {day_of(one.released_at)} and today is {now.today}; it was received between them."
        raise Invalid("validation_failed", said, faults=[Fault("/received_on", "out_of_range", said)])
    values = {
        "received_by": actor.id,
        "received_at": now.at,
        "received_on": day,
        "received_dkk": one.amount_dkk if amount is None else amount,
        "note": note,
    }
    return take(tx, actor, payment_id, PaymentStep.RECEIVE, values, expected, framework, now)


def cancel(
    tx: Tx, actor: Actor, payment_id: int, reason: str, expected: frozenset[int] | None, framework: Framework, now: Now
) -> dict[str, Any]:
    """Cancel a payment that is not released; its money stays approved."""
    values = {"cancelled_at": now.at, "reason": reason}
    return take(tx, actor, payment_id, PaymentStep.CANCEL, values, expected, framework, now)


def _complete(tx: Tx, row: Record, now: Now) -> None:
    """An agreed proposal of which something was received and nothing is open is disbursed."""
    received = any(one.state == Stage.RECEIVED for one in agreements.payments_of(tx, row.id))
    if row.state != State.AGREED or not received or agreements.has_open(tx, row.id):
        return
    move = choose_move(State.AGREED, Event.COMPLETE, None, ProposalFacts(today=now.today))
    proposals.touch_faces(tx, row.id, now.at)
    casework.advance(tx, row, Event.COMPLETE, move.target, Step(None, snapshot=row.snapshots), now, {})


def listed(tx: Tx, actor: Actor, ref: str) -> list[dict[str, Any]]:
    """Every tranche of a proposal, by number."""
    row = faces.seen(tx, actor, ref)
    return [shown(one) for one in agreements.payments_of(tx, row.id)]


def page(tx: Tx, actor: Actor, wanted: Wanted) -> tuple[list[dict[str, Any]], int | None]:
    """One page of the payments an actor sees, newest first, and the number after which the next page begins."""
    rows = payment_records.page(tx, actor, wanted)
    following = rows[wanted.limit - 1].id if len(rows) > wanted.limit else None
    return [shown(one) for one in rows[: wanted.limit]], following


def described(tx: Tx, actor: Actor, payment_id: int) -> dict[str, Any]:
    """One payment, or NotFound where there is none that this actor sees."""
    one = agreements.payment_of(tx, payment_id)
    if one is None or proposals.proposal_for(tx, actor, one.ref) is None:
        raise NotFound("payment_not_found", f"There is no payment {payment_id} that you can see.")
    return shown(one)


def shown(one: Record) -> dict[str, Any]:
    """A payment as it is answered."""
    return {
        "id": one.id,
        "ref": one.ref,
        "number": one.number,
        "year": one.year,
        "amount": one.amount_dkk,
        "due_on": one.due_on.isoformat(),
        "condition": one.condition,
        "state": one.state,
        "prepared_at": one.prepared_at,
        "released_at": one.released_at,
        "received_at": one.received_at,
        "received_on": one.received_on.isoformat() if one.received_on else None,
        "received_amount": one.received_dkk,
        "difference": None if one.received_dkk is None else one.received_dkk - one.amount_dkk,
        "note": one.note,
        "cancelled_at": one.cancelled_at,
        "reason": one.reason,
        "version": one.version,
    }
