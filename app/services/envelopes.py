"""The money: a year's appropriation, and the ledger that every figure is a sum of. Whole DKK."""

from collections.abc import Mapping
from typing import Any

from app.db import Record, Tx
from app.domain.envelope import Envelope, Kind, dkk
from app.domain.people import Actor
from app.errors import NotFound, check_version, refuse_unless
from app.records import money
from app.services import audit
from app.services.clock import Now

_FIGURES = (Kind.REQUESTED, Kind.APPROVED, Kind.AGREED, Kind.PAID, Kind.FREED)


def overview(tx: Tx) -> list[dict[str, Any]]:
    """Money by year: approved is net of what was freed; available is what can still be approved."""
    sums = money.sums(tx)
    return [_described(row, sums) for row in money.all_envelopes(tx)]


def one(tx: Tx, year: int) -> dict[str, Any]:
    """One year's money with every appropriation there was and why, oldest first."""
    found = _row(tx, year)
    return {**_described(found, money.sums(tx)), "changes": [_change(row) for row in money.changes_of(tx, year)]}


def every(tx: Tx) -> list[dict[str, Any]]:
    """Every year's money as `one` tells it, in three statements."""
    sums, changes = money.sums(tx), money.every_change(tx)
    return [
        {**_described(row, sums), "changes": [_change(each) for each in changes.get(row.year, [])]}
        for row in money.all_envelopes(tx)
    ]


def _change(row: Record) -> dict[str, Any]:
    return {
        "at": row.at,
        "by": {"role": row.role, "name": row.name} if row.role else {"role": "system", "name": None},
        "amount": row.amount_dkk,
        "status": row.status,
        "reason": row.reason,
    }


def _row(tx: Tx, year: int) -> Record:
    found = money.envelope_of(tx, year)
    if found is None:
        raise NotFound("envelope_not_found", f"There is no envelope {year}; a cycle is added with its own.")
    return found


def knock(tx: Tx, year: int, expected: frozenset[int] | None, given: bool) -> None:
    """404, 428 and 412 before a body is even read."""
    check_version("the envelope", _row(tx, year).version, expected, given)


def _described(row: Record, sums: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    figures = {str(kind): sums.get((kind, row.year), 0) for kind in _FIGURES}
    figures["approved"] -= figures["freed"]
    return {
        "year": row.year,
        "amount": row.amount_dkk,
        "status": row.status,
        **figures,
        "available": row.amount_dkk - row.committed_dkk,
        "version": row.version,
    }


def standing(tx: Tx) -> dict[int, Envelope]:
    """Year -> its envelope as it stands in this transaction."""
    return {row.year: Envelope(row.year, row.amount_dkk, row.committed_dkk) for row in money.all_envelopes(tx)}


def standing_in(overview: list[dict[str, Any]]) -> dict[int, Envelope]:
    """As `standing`, out of an overview that was read already."""
    return {one["year"]: Envelope(one["year"], one["amount"], one["amount"] - one["available"]) for one in overview}


def set_envelope(
    tx: Tx,
    actor: Actor,
    year: int,
    amount: int,
    status: str,
    reason: str,
    expected: frozenset[int] | None,
    given: bool,
    now: Now,
) -> dict[str, Any]:
    """Set a year's appropriation; never below what is committed. Refuses in the order 404, 428, 412, 409."""
    row = _row(tx, year)
    check_version("the envelope", row.version, expected, given)
    if not money.set_envelope(tx, year, row.version, amount, status):
        _say_why_not(tx, year, amount, status)
    money.note_change(tx, year, now.at, actor.id, amount, status, reason)
    before = {"amount": row.amount_dkk, "status": row.status}
    after: audit.Facts = {"amount": amount, "status": status}
    audit.record(tx, actor, "envelope.set", f"envelope/{year}", now, after, audit.digest(before), audit.digest(after))
    return one(tx, year)


def _say_why_not(tx: Tx, year: int, amount: int, status: str) -> None:
    """Why an envelope could not be set, in the words of the condition that did not hold."""
    held, paid = money.envelope_of(tx, year), money.sums(tx).get((Kind.PAID, year), 0)
    committed = held.committed_dkk if held else 0
    said = f"{dkk(committed)} of {year} is committed; the envelope cannot be set to {dkk(amount)}."
    refuse_unless(committed <= amount, "below_committed", said)
    said = f"{dkk(paid)} of {year} has been paid; its appropriation is voted and stays so."
    refuse_unless(status == "voted" or not paid, "paid_already", said)
    refuse_unless(False, "changed_meanwhile", "Somebody else changed this envelope at the same time; read it again.")


def enter(
    tx: Tx,
    kind: Kind,
    proposal_id: int,
    snapshot: int,
    amounts: Mapping[int, int],
    actor: Actor | None,
    now: Now,
    consultation_id: int | None = None,
) -> None:
    """Enter amounts by year into the ledger; a year of nothing has no entry."""
    own = {"proposal_id": proposal_id, "snapshot": snapshot, "at": now.at, "consultation_id": consultation_id}
    by = {"kind": kind, "person_id": actor.id if actor else None}
    money.enter(tx, [{**own, **by, "year": year, "amount_dkk": amount} for year, amount in amounts.items() if amount])


def commit(tx: Tx, amounts: Mapping[int, int]) -> None:
    """Take amounts out of their years' envelopes, year by year; Conflict, and nothing stays done, when one cannot bear it."""
    for year, amount in sorted(amounts.items()):
        if amount and not money.commit_amount(tx, year, amount):
            said = f"The envelope of {year} cannot bear {dkk(amount)} more; it was changed at the same time."
            refuse_unless(False, "envelope_exceeded", said)


def free(tx: Tx, row: Record, actor: Actor | None, now: Now) -> dict[int, int]:
    """Give back what is approved for a proposal and not paid, by year."""
    sums = money.sums_of(tx, row.id)
    years = sorted({year for _, year in sums})
    of = {kind: {year: sums.get((kind, year), 0) for year in years} for kind in Kind}
    freed = {}
    for year in years:
        amount = of[Kind.APPROVED][year] - of[Kind.FREED][year] - of[Kind.PAID][year]
        if amount > 0:
            if not money.free_amount(tx, year, amount):
                raise RuntimeError(f"{year}: less is committed than {row.ref} has approved")
            freed[year] = amount
    enter(tx, Kind.FREED, row.id, row.snapshots, freed, actor, now)
    agreed = {year: -min(freed.get(year, 0), of[Kind.AGREED][year]) for year in years}
    enter(tx, Kind.AGREED, row.id, row.snapshots, agreed, actor, now)
    return freed


def move(
    tx: Tx,
    proposal_id: int,
    snapshot: int,
    before: Mapping[int, int],
    after: Mapping[int, int],
    actor: Actor,
    now: Now,
) -> None:
    """Bring what is approved and agreed by year to other amounts, within every envelope; each year has its own entries."""
    deltas = {year: after.get(year, 0) - before.get(year, 0) for year in sorted({*before, *after})}
    more = {year: delta for year, delta in deltas.items() if delta > 0}
    less = {year: -delta for year, delta in deltas.items() if delta < 0}
    for year, delta in deltas.items():  # by year, as whoever concludes takes them: nobody waits in a circle
        if delta < 0 and not money.free_amount(tx, year, -delta):
            raise RuntimeError(f"{year}: less is committed than proposal {proposal_id} has approved")
        commit(tx, {year: max(delta, 0)})
    enter(tx, Kind.APPROVED, proposal_id, snapshot, more, actor, now)
    enter(tx, Kind.FREED, proposal_id, snapshot, less, actor, now)
    enter(tx, Kind.AGREED, proposal_id, snapshot, deltas, actor, now)


def approved_of(tx: Tx, proposal_id: int) -> dict[int, int]:
    """What is approved for a proposal and not freed, DKK by year."""
    return approved_in(money.sums_of(tx, proposal_id))


def approved_in(sums: Mapping[tuple[str, int], int]) -> dict[int, int]:
    """What is approved and not freed in a proposal's sums, DKK by year."""
    net = {y: amount - sums.get((Kind.FREED, y), 0) for (kind, y), amount in sums.items() if kind == Kind.APPROVED}
    return {year: amount for year, amount in sorted(net.items()) if amount}


def requested_of(tx: Tx, proposal_id: int, snapshot: int) -> dict[int, int]:
    """What a snapshot asks for, DKK by year."""
    return money.requested(tx, proposal_id, snapshot)
