"""Agreements with their signatures, and payments, as rows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from app.db import Record, Tx, insert_of
from app.records.access_tables import person
from app.records.agreement_tables import agreement, amendment, payment, signature
from app.records.among import among
from app.records.tables import envelope, proposal


def agreement_of(tx: Tx, proposal_id: int) -> Record | None:
    return tx.execute(select(agreement).where(agreement.c.proposal_id == proposal_id)).one_or_none()


def put(tx: Tx, proposal_id: int, values: dict[str, Any]) -> None:
    """Change an agreement, or make it; its version goes up."""
    made = insert_of(tx, agreement).values(proposal_id=proposal_id, version=1, **values)
    raised = {**values, "version": agreement.c.version + 1}
    tx.execute(made.on_conflict_do_update(index_elements=["proposal_id"], set_=raised))


def signed_of(tx: Tx, ids: Iterable[int]) -> dict[int, Record]:
    """Proposal -> its agreement, of those whose agreement both sides have signed."""
    here = among(agreement.c.proposal_id, ids) & agreement.c.signed_at.is_not(None)
    return {row.proposal_id: row for row in tx.execute(select(agreement).where(here))}


def sign(tx: Tx, proposal_id: int, number: int, side: str, person_id: int, at: datetime, sha256: str) -> bool:
    """Sign the agreement (0) or an amendment for a side; False when it has signed."""
    values = {
        "proposal_id": proposal_id,
        "number": number,
        "side": side,
        "person_id": person_id,
        "at": at,
        "sha256": sha256,
    }
    made = insert_of(tx, signature).values(values).on_conflict_do_nothing().returning(signature.c.side)
    return tx.execute(made).scalar_one_or_none() is not None


def signatures_of(tx: Tx, proposal_id: int, number: int = 0) -> list[Record]:
    """Who signed the agreement (0) or an amendment, the first first."""
    joined = signature.join(person, person.c.id == signature.c.person_id)
    query = select(*signature.c, person.c.name, person.c.role).select_from(joined)
    here = (signature.c.proposal_id == proposal_id) & (signature.c.number == number)
    return list(tx.execute(query.where(here).order_by(signature.c.at)))


def every_signature_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Who signed the agreement (0) and each amendment of a proposal, the first first."""
    joined = signature.join(person, person.c.id == signature.c.person_id)
    query = select(*signature.c, person.c.name, person.c.role).select_from(joined)
    return list(tx.execute(query.where(signature.c.proposal_id == proposal_id).order_by(signature.c.at)))


def add_amendment(tx: Tx, values: dict[str, Any]) -> int:
    """Add an amendment with the next number of its proposal, which is held."""
    last = tx.scalar(select(func.max(amendment.c.number)).where(amendment.c.proposal_id == values["proposal_id"])) or 0
    tx.execute(insert(amendment).values(**values, number=last + 1))
    return int(last) + 1


def amendments_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Every amendment of a proposal, by number, with who proposed it."""
    joined = amendment.join(person, person.c.id == amendment.c.proposed_by)
    query = select(*amendment.c, person.c.name, person.c.role).select_from(joined)
    return list(tx.execute(query.where(amendment.c.proposal_id == proposal_id).order_by(amendment.c.number)))


def change_amendment(tx: Tx, proposal_id: int, number: int, values: dict[str, Any]) -> None:
    here = (amendment.c.proposal_id == proposal_id) & (amendment.c.number == number)
    tx.execute(update(amendment).where(here).values(values))


def void_signatures(tx: Tx, proposal_id: int) -> int:
    """Take away the signatures given; how many there were."""
    here = (signature.c.proposal_id == proposal_id) & (signature.c.number == 0)
    return tx.execute(delete(signature).where(here)).rowcount


def add_payment(tx: Tx, values: dict[str, Any]) -> int:
    """Add a tranche with the next number of its proposal, which is held."""
    last = tx.scalar(select(func.max(payment.c.number)).where(payment.c.proposal_id == values["proposal_id"])) or 0
    return int(tx.execute(insert(payment).values(**values, number=last + 1).returning(payment.c.id)).scalar_one())


def payment_of(tx: Tx, payment_id: int) -> Record | None:
    """A payment with its proposal's reference and state."""
    query = select(*payment.c, proposal.c.ref).select_from(payment.join(proposal)).where(payment.c.id == payment_id)
    return tx.execute(query).one_or_none()


def payments_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Every tranche of a proposal, by number."""
    query = select(*payment.c, proposal.c.ref).select_from(payment.join(proposal))
    return list(tx.execute(query.where(payment.c.proposal_id == proposal_id).order_by(payment.c.number)))


def tranches_of(tx: Tx, proposal_id: int) -> list[Record]:
    """As `payments_of`, with the names of who prepared and who released each."""
    first, second = person.alias(), person.alias()
    joined = (
        payment.join(proposal)
        .outerjoin(first, first.c.id == payment.c.prepared_by)
        .outerjoin(second, second.c.id == payment.c.released_by)
    )
    names = (first.c.name.label("preparer"), second.c.name.label("releaser"))
    query = select(*payment.c, proposal.c.ref, *names).select_from(joined)
    return list(tx.execute(query.where(payment.c.proposal_id == proposal_id).order_by(payment.c.number)))


def has_open(tx: Tx, proposal_id: int) -> bool:
    """Whether a tranche is neither received nor cancelled."""
    here = (payment.c.proposal_id == proposal_id) & payment.c.state.not_in(("received", "cancelled"))
    return tx.scalar(select(payment.c.id).where(here).limit(1)) is not None


def step_payment(tx: Tx, payment_id: int, state: str, version: int, values: dict[str, Any]) -> bool:
    """Change a payment that is still in that state at that version; False when someone else was first."""
    here = (payment.c.id == payment_id) & (payment.c.state == state) & (payment.c.version == version)
    return tx.execute(update(payment).where(here).values(**values, version=version + 1)).rowcount == 1


def cancel_open(tx: Tx, proposal_id: int, at: datetime, reason: str) -> None:
    """Cancel every tranche that is not released."""
    here = (payment.c.proposal_id == proposal_id) & payment.c.state.in_(("scheduled", "prepared"))
    values = {"state": "cancelled", "cancelled_at": at, "reason": reason, "version": payment.c.version + 1}
    tx.execute(update(payment).where(here).values(values))


def hold_voted(tx: Tx, year: int) -> bool:
    """Hold a year's envelope as voted until this transaction ends; False when it is not voted."""
    here = (envelope.c.year == year) & (envelope.c.status == "voted")
    return tx.execute(update(envelope).where(here).values(version=envelope.c.version + 1)).rowcount == 1


def status_of(tx: Tx, year: int) -> str | None:
    return tx.scalar(select(envelope.c.status).where(envelope.c.year == year))
