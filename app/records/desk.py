"""What a desk shows besides the list itself: numbers by state, money asked for by state, and what waits for whom."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, select, union_all

from app.db import Record, Tx
from app.domain.people import Actor, Side
from app.prepared import Hot
from app.records.agreement_tables import amendment, payment, report, signature
from app.records.decision_tables import agenda_item, consultation, ledger, minutes_answer
from app.records.proposals import visible
from app.records.tables import assessment, clarification, conflict, cycle, face, facet, proposal

KEPT = 256  # statements that are put together once, those used last
MOST = 100  # a number beyond is shown as "more": no list counts everything there is
_JOINED = proposal.join(face, face.c.proposal_id == proposal.c.id)


def state_counts(tx: Tx, actor: Actor, year: int | None, states: tuple[str, ...]) -> dict[str, int]:
    """State -> how many proposals this actor sees in it, counted to MOST + 1."""
    return {row.state: int(row.number) for row in _counting(seen_as(actor), year, states)(tx)}


@lru_cache(KEPT)
def _counting(actor: Actor, year: int | None, states: tuple[str, ...]) -> Hot:
    parts = []
    for state in states:
        cycles = face.c.cycle_year == year if year is not None else face.c.cycle_year.in_(select(cycle.c.year))
        found = select(literal(state).label("state")).select_from(face).where(visible(actor), cycles)
        found = found.where(face.c.state == state)
        parts.append(select(found.limit(MOST + 1).subquery()))
    counted = union_all(*parts).subquery()
    return Hot(select(counted.c.state, func.count().label("number")).group_by(counted.c.state))


def seen_as(actor: Actor) -> Actor:
    """What of an actor decides what they see: statements that are put together once for somebody are kept by it."""
    return Actor(actor.id, "", actor.role, actor.office, actor.countries)


def requested_by_state(tx: Tx, year: int) -> dict[str, int]:
    """State -> DKK that last snapshots in that state ask for of a year's envelope; what screening returned asks nothing."""
    back = (proposal.c.state == "returned") & (proposal.c.returned_by == "screening")
    here = (ledger.c.year == year) & (ledger.c.kind == "requested") & (ledger.c.snapshot == proposal.c.snapshots)
    query = select(proposal.c.state, func.sum(ledger.c.amount_dkk))
    query = query.select_from(ledger.join(proposal, proposal.c.id == ledger.c.proposal_id)).where(here, ~back)
    return {state: int(amount) for state, amount in tx.execute(query.group_by(proposal.c.state))}


def countries_of(tx: Tx, side: Side, ids: Iterable[int]) -> dict[int, list[str]]:
    """Proposal -> its countries, in the order of their codes."""
    here = facet.c.proposal_id.in_(list(ids)) & (facet.c.side == side) & (facet.c.name == "country")
    found: dict[int, list[str]] = {}
    for number, code in tx.execute(select(facet.c.proposal_id, facet.c.value).where(here).order_by(facet.c.value)):
        found.setdefault(number, []).append(code)
    return found


def neighbours(tx: Tx, actor: Actor, year: int, number: int) -> tuple[str | None, str | None]:
    """The references before and after one in its cycle, as far as this actor sees them."""
    seen = select(proposal.c.ref).select_from(_JOINED).where(visible(actor), proposal.c.cycle_year == year)
    before = seen.where(proposal.c.number < number).order_by(proposal.c.number.desc()).limit(1)
    following = seen.where(proposal.c.number > number).order_by(proposal.c.number).limit(1)
    found = tx.execute(select(before.scalar_subquery(), following.scalar_subquery())).one()
    return found[0], found[1]


# What waits. Every query answers kind, ref, title, due and number, so that one statement asks them all; of each kind the
# MOST that are due first, and one to tell that there are more.


def _task(kind: str, source: Any, due: Any, number: Any, *where: ColumnElement[bool]) -> Select[Any]:
    columns = (literal(kind).label("kind"), proposal.c.ref, face.c.title, due.label("due_on"), number.label("number"))
    return select(*columns).select_from(source).where(*where).order_by(due.nulls_last(), proposal.c.id).limit(MOST + 1)


_DEADLINE, _PROPOSAL = proposal.c.deadline_on, proposal.c.id


def of_reviewer(actor: Actor) -> list[Select[Any]]:
    """What was submitted, what lacks their own assessment, reports to read."""
    own = (conflict.c.proposal_id == proposal.c.id) & (conflict.c.person_id == actor.id)
    free = visible(actor) & ~exists().where(own)
    mine = (assessment.c.proposal_id == proposal.c.id) & (assessment.c.snapshot == proposal.c.snapshots)
    own_done = (assessment.c.person_id == actor.id) & assessment.c.completed_at.is_not(None)
    done = exists().where(mine, own_done)
    by_all = assessment.alias()
    ready = (by_all.c.proposal_id == proposal.c.id) & (by_all.c.snapshot == proposal.c.snapshots)
    all_done = select(func.count()).select_from(by_all).where(ready, by_all.c.completed_at.is_not(None))
    assessed = _JOINED.join(assessment, mine)
    reports = _JOINED.join(report, report.c.proposal_id == proposal.c.id)
    under_review = proposal.c.state == "under_review"
    completed = all_done.correlate(proposal).scalar_subquery()
    return [
        _task("start_review", _JOINED, _DEADLINE, _PROPOSAL, free, proposal.c.state == "submitted"),
        _task("assess", _JOINED, _DEADLINE, completed, free, under_review, ~done),
        _task("recommend", assessed, _DEADLINE, completed, free, under_review, own_done),
        _task("read_report", reports, _DEADLINE, report.c.year, free, report.c.state == "submitted"),
    ]


def of_head(actor: Actor) -> list[Select[Any]]:
    """What is recommended and on no agenda, agreements and amendments without the MFA's signature."""
    held = exists().where(agenda_item.c.held_proposal_id == proposal.c.id)
    tabled = proposal.c.state.in_(("recommended", "deferred")) & ~held
    return [
        _task("table", _JOINED, _DEADLINE, _PROPOSAL, visible(actor), tabled),
        *_to_sign(actor, Side.MFA),
    ]


def _to_sign(actor: Actor, side: Side, suffix: str = "") -> list[Select[Any]]:
    """Agreements, and amendments of them, that a side has not signed."""

    def unsigned(number: Any) -> ColumnElement[bool]:
        signed = (signature.c.proposal_id == proposal.c.id) & (signature.c.number == number)
        return ~exists().where(signed, signature.c.side == side)

    amended = _JOINED.join(amendment, amendment.c.proposal_id == proposal.c.id)
    open_ = (proposal.c.state == "agreed") & (amendment.c.state == "open")
    approved, number = proposal.c.state == "approved", amendment.c.number
    return [
        _task(f"sign{suffix}", _JOINED, _DEADLINE, _PROPOSAL, visible(actor), approved, unsigned(0)),
        _task(f"sign_amendment{suffix}", amended, _DEADLINE, number, visible(actor), open_, unsigned(number)),
    ]


def of_finance(actor: Actor, soon: date) -> list[Select[Any]]:
    """Tranches due until a day that nobody has prepared, and those that somebody else has."""
    paid = _JOINED.join(payment, payment.c.proposal_id == proposal.c.id)
    live = visible(actor) & proposal.c.state.in_(("agreed", "disbursed"))
    scheduled = (payment.c.state == "scheduled") & (payment.c.due_on <= soon)
    prepared = (payment.c.state == "prepared") & (payment.c.prepared_by != actor.id)
    return [
        _task("prepare", paid, payment.c.due_on, payment.c.number, live, scheduled),
        _task("release", paid, payment.c.due_on, payment.c.number, live, prepared),
    ]


def of_iom(actor: Actor) -> list[Select[Any]]:
    """Drafts, what came back, questions without an answer."""
    asked = _JOINED.join(clarification, clarification.c.proposal_id == proposal.c.id)
    answerable = proposal.c.state.in_(("submitted", "under_review", "recommended", "deferred"))
    seen = visible(actor)
    return [
        _task("rework", _JOINED, _DEADLINE, _PROPOSAL, seen, proposal.c.state == "returned"),
        _task(
            "answer",
            asked,
            clarification.c.due_on,
            clarification.c.id,
            seen,
            answerable,
            clarification.c.answered_at.is_(None),
        ),
        _task("finish", _JOINED, _DEADLINE, _PROPOSAL, seen, proposal.c.state == "draft"),
    ]


def of_focal_point(actor: Actor) -> list[Select[Any]]:
    """What only IOM's focal point does: sign, and confirm what was received."""
    paid = _JOINED.join(payment, payment.c.proposal_id == proposal.c.id)
    released = payment.c.state == "released"
    return [
        *_to_sign(actor, Side.IOM),
        _task("receive", paid, payment.c.due_on, payment.c.number, visible(actor), released),
    ]


def of_money(actor: Actor, soon: date) -> list[Select[Any]]:
    """Everything that agreements, tranches and reports wait for, whoever does it; what this actor prepared is told apart."""
    paid = _JOINED.join(payment, payment.c.proposal_id == proposal.c.id)
    reports = _JOINED.join(report, report.c.proposal_id == proposal.c.id)
    seen = visible(actor)
    live, stage, own = proposal.c.state.in_(("agreed", "disbursed")), payment.c.state, payment.c.prepared_by == actor.id
    due, number = payment.c.due_on, payment.c.number
    return [
        *_to_sign(actor, Side.MFA, "_mfa"),
        *_to_sign(actor, Side.IOM, "_iom"),
        _task("prepare", paid, due, number, seen, live, stage == "scheduled", due <= soon),
        _task("release", paid, due, number, seen, live, stage == "prepared", ~own),
        _task("release_other", paid, due, number, seen, live, stage == "prepared", own),
        _task("receive", paid, due, number, seen, stage == "released"),
        _task("read_report", reports, _DEADLINE, report.c.year, seen, report.c.state == "submitted"),
    ]


def waiting(tasks: Iterable[Select[Any]]) -> Hot:
    """What waits, as one statement: in the order of the kinds asked for, the earliest due first within each."""
    found = union_all(*(select(literal(n).label("place"), one.subquery()) for n, one in enumerate(tasks))).subquery()
    return Hot(select(found).order_by(found.c.place, found.c.due_on, found.c.ref))


def consultations_open(tx: Tx) -> list[Record]:
    """Consultations in which decisions are recorded now."""
    return list(tx.execute(select(*_MEETING).where(consultation.c.state == "open").order_by(consultation.c.held_on)))


def minutes_unconfirmed(tx: Tx) -> list[Record]:
    """Concluded consultations whose minutes IOM has not confirmed."""
    said = (minutes_answer.c.consultation_id == consultation.c.id) & (minutes_answer.c.answer == "confirm")
    query = select(*_MEETING).where(consultation.c.state == "concluded", ~exists().where(said))
    return list(tx.execute(query.order_by(consultation.c.held_on)))


_MEETING = (consultation.c.id, consultation.c.cycle_year, consultation.c.held_on)


def coming(tx: Tx, year: int) -> Record | None:
    """The consultation of a cycle: the first that is still to be concluded, else the last that was."""
    query = select(consultation).where(consultation.c.cycle_year == year, consultation.c.state != "cancelled")
    found = tx.execute(query.order_by(consultation.c.held_on, consultation.c.id)).all()
    return next((one for one in found if one.state != "concluded"), found[-1] if found else None)
