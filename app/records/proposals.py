"""Every SELECT and change of proposals. `visible` comes first: what an actor may not see is as absent as what is not there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from app.db import Record, Tx, insert_of
from app.domain.people import Actor, Role, Side
from app.prepared import Hot, add, add_all, added
from app.records import findable
from app.records.access_tables import person
from app.records.agreement_tables import agreement
from app.records.among import among
from app.records.decision_tables import agenda_item, ledger
from app.records.tables import comment, conflict, face, facet, history, proposal, screening, snapshot

_JOINED = proposal.join(face, face.c.proposal_id == proposal.c.id)
_TWICE = ("proposal_id", "cycle_year", "office_code", "state", "content")  # the proposal's own, and what few read
_HEAD = [
    *proposal.c,
    *(column for column in face.c if column.name not in _TWICE),
]
_WHOLE = select(*_HEAD, face.c.content).select_from(_JOINED)
_HELD = Hot(select(proposal.c.id).where(proposal.c.ref == bindparam("ref")).with_for_update())
_CONFLICT = Hot(
    select(conflict.c.person_id).where(
        conflict.c.proposal_id == bindparam("proposal"), conflict.c.person_id == bindparam("person")
    )
)


def visible(actor: Actor) -> ColumnElement[bool]:
    """The filter of what this actor sees: an office its own, a focal point all of IOM's, the Danish side what was submitted."""
    return _visible(actor.role, actor.side, actor.office, actor.countries)


def _visible(role: Role, side: Any, office: Any, countries: Iterable[str]) -> ColumnElement[bool]:
    seen: ColumnElement[bool] = face.c.side == side
    if role is Role.IOM_OFFICE:
        return and_(seen, face.c.office_code == office)
    if role is Role.EMBASSY:
        return and_(seen, has_facet(Side.MFA, "country", facet.c.value.in_(countries)))
    if role is Role.ADMIN:
        return and_(seen, face.c.proposal_id < 0)
    return seen


def has_facet(side: Side, name: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the face that a statement is at has a facet of that name, `country` or `priority_area`."""
    own = (facet.c.proposal_id == face.c.proposal_id) & (facet.c.side == side) & (facet.c.name == name)
    return exists().where(own, condition)


def proposal_for(tx: Tx, actor: Actor, ref: str) -> Record | None:
    """The proposal as this actor sees it, with content; None when there is none or it is not theirs to see."""
    if actor.role is Role.EMBASSY:  # accredited in several countries
        return tx.execute(_WHOLE.where(proposal.c.ref == ref, visible(actor))).one_or_none()
    found = _seen_by(actor.role)(tx, ref=ref, side=str(actor.side), office=actor.office)
    return next(iter(found), None)


@cache
def _seen_by(role: Role) -> Hot:
    seen = _visible(role, bindparam("side"), bindparam("office"), ())
    return Hot(_WHOLE.where(proposal.c.ref == bindparam("ref"), seen))


def seen_among(tx: Tx, actor: Actor, ids: Iterable[int]) -> frozenset[int]:
    """Those of these proposals that this actor sees."""
    query = select(proposal.c.id).select_from(_JOINED).where(among(proposal.c.id, ids), visible(actor))
    return frozenset(tx.scalars(query))


def hold(tx: Tx, ref: str) -> None:
    """Hold a proposal until this transaction ends: on PostgreSQL others wait here, SQLite has one writer anyway.

    Read it only after this, in a statement of its own: that sees what whoever held it before has made of it.
    """
    _HELD(tx, ref=ref)


def hold_all(tx: Tx, refs: Iterable[str]) -> None:
    """Hold several proposals, in the order of their numbers whoever asks: nobody waits in a circle."""
    here = among(proposal.c.ref, sorted(set(refs)))
    tx.execute(select(proposal.c.id).where(here).order_by(proposal.c.id).with_for_update()).all()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a face shows of a content, ready to be stored: canonical JSON texts and the columns lists need."""

    title: str
    snapshot: int | None
    requested_dkk: int
    outcome: str
    total_tenths: int
    content: str
    contact: str | None
    screening: str
    words: str  # as `finding.terms` makes them
    countries: tuple[str, ...]
    priority_areas: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """A proposal's number and reference, and what stands on its faces as it stands on itself."""

    id: int
    ref: str
    cycle_year: int
    office_code: str
    state: str


def add_proposal(tx: Tx, values: dict[str, Any]) -> int:
    return added(tx, proposal, values)


_OURS = face.c.proposal_id == bindparam("proposal")
_SIDES = (_OURS, face.c.side == bindparam("of"))
_APART = ("words", "countries", "priority_areas")  # what a face shows, but stands in other tables
_SHOWN = [name for name in Shown.__slots__ if name not in _APART]
_RENEWED = Hot(update(face).where(*_SIDES).values(version=face.c.version + 1), [*_SHOWN, "updated_at"])
_TOUCHED = Hot(update(face).where(_OURS).values(version=face.c.version + 1), ["updated_at"])
_STATED = Hot(update(face).where(_OURS), ["state"])
_UNFACETED = Hot(delete(facet).where(facet.c.proposal_id == bindparam("proposal"), facet.c.side == bindparam("of")))


def put_face(tx: Tx, of: Own, side: Side, shown: Shown, at: datetime) -> None:
    """Write what a side sees; its version goes up by one (or starts at one)."""
    values = {name: getattr(shown, name) for name in _SHOWN}
    here, own = {"proposal": of.id, "of": str(side)}, {"proposal_id": of.id, "side": side}
    if not _RENEWED.changed(tx, **here, **values, updated_at=at):
        copied = {"cycle_year": of.cycle_year, "office_code": of.office_code, "state": of.state}
        add(tx, face, {**own, **copied, **values, "version": 1, "updated_at": at})
    findable.put(tx, of.id, side, shown.words)
    _UNFACETED.changed(tx, **here)
    wanted = {("country", code) for code in shown.countries}
    wanted |= {("priority_area", str(number)) for number in shown.priority_areas}
    add_all(tx, facet, [{**own, "name": name, "value": value} for name, value in sorted(wanted)])


def touch_faces(tx: Tx, proposal_id: int, at: datetime) -> None:
    """Every face has changed in what stands outside the content: state, deadline."""
    _TOUCHED.changed(tx, proposal=proposal_id, updated_at=at)


def change_proposal(tx: Tx, proposal_id: int, state: str, lock: int, values: dict[str, Any]) -> bool:
    """Change a proposal that is still in that state and at that lock; False when someone else was first."""
    here = {"number": proposal_id, "from_state": state, "from_lock": lock}
    changed = _changing(tuple(values)).changed(tx, **here, **values) == 1
    if changed and values.get("state", state) != state:
        _STATED.changed(tx, proposal=proposal_id, state=values["state"])
    return changed


@cache
def _changing(names: tuple[str, ...]) -> Hot:
    here = (proposal.c.id == bindparam("number")) & (proposal.c.state == bindparam("from_state"))
    changed = update(proposal).where(here, proposal.c.lock == bindparam("from_lock"))
    return Hot(changed.values(lock=proposal.c.lock + 1), names)


def add_history(tx: Tx, values: dict[str, Any]) -> None:
    add(tx, history, values)


def history_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Every step of a proposal in order, with the names of those who made it."""
    joined = history.outerjoin(person, person.c.id == history.c.person_id)
    query = select(*history.c, person.c.name.label("person_name")).select_from(joined)
    return list(tx.execute(query.where(history.c.proposal_id == proposal_id).order_by(history.c.number)))


def lapse_day(tx: Tx, proposal_id: int) -> date | None:
    """The deadline whose passing cancelled a proposal, if that is how it ended."""
    query = select(history.c.deadline_on).where(history.c.proposal_id == proposal_id, history.c.event == "lapse")
    return tx.scalar(query)


def has_conflict(tx: Tx, proposal_id: int, person_id: int) -> bool:
    return bool(_CONFLICT(tx, proposal=proposal_id, person=person_id))


def conflicts_among(tx: Tx, ids: Iterable[int]) -> frozenset[tuple[int, int]]:
    """(proposal, person) of every conflict of interest declared in these proposals."""
    query = select(conflict.c.proposal_id, conflict.c.person_id).where(among(conflict.c.proposal_id, ids))
    return frozenset((row.proposal_id, row.person_id) for row in tx.execute(query))


def add_conflict(tx: Tx, proposal_id: int, person_id: int, at: datetime, reason: str) -> bool:
    """Write down a conflict of interest; False when the person has declared one already."""
    values = {"proposal_id": proposal_id, "person_id": person_id, "at": at, "reason": reason}
    made = insert_of(tx, conflict).values(values).on_conflict_do_nothing().returning(conflict.c.person_id)
    return tx.execute(made).scalar_one_or_none() is not None


def blank_conflicts(tx: Tx, person_id: int) -> None:
    """Take away what an erased person said of themselves; that they declared a conflict stays."""
    tx.execute(update(conflict).where(conflict.c.person_id == person_id).values(reason=""))


def conflicts_of(tx: Tx, proposal_id: int) -> list[Record]:
    joined = conflict.join(person, person.c.id == conflict.c.person_id)
    query = select(*conflict.c, person.c.name, person.c.role).select_from(joined)
    return list(tx.execute(query.where(conflict.c.proposal_id == proposal_id).order_by(conflict.c.at)))


def add_comment(tx: Tx, values: dict[str, Any]) -> int:
    return added(tx, comment, values)


def comments_of(tx: Tx, proposal_id: int) -> list[Record]:
    """Every comment on a proposal, oldest first, with who made it."""
    joined = comment.join(person, person.c.id == comment.c.person_id)
    query = select(*comment.c, person.c.name, person.c.role).select_from(joined)
    return list(tx.execute(query.where(comment.c.proposal_id == proposal_id).order_by(comment.c.id)))


def overdue(tx: Tx, today: date, limit: int) -> list[Record]:
    """Drafts and returned proposals whose deadline lies before today, oldest first; held, but for those others hold."""
    late = proposal.c.state.in_(("draft", "returned")) & (proposal.c.deadline_on < today)
    query = select(proposal).where(late).order_by(proposal.c.id).limit(limit)
    return list(tx.execute(query.with_for_update(skip_locked=True)))


def every_proposal(tx: Tx) -> list[Record]:
    return list(tx.execute(select(proposal).order_by(proposal.c.id)))


def portfolio(tx: Tx, year: int) -> list[Record]:
    """A cycle's proposals in play or funded, and those deferred to it, as the Danish side sees them, by reference.

    One that was cancelled stays as long as money was paid for it. `held_by` is the consultation that has it on its agenda.
    """
    out = ("draft", "cancelled", "rejected")
    paid = exists().where(ledger.c.proposal_id == proposal.c.id, ledger.c.kind == "paid")
    back = (proposal.c.state == "returned") & (proposal.c.returned_by == "screening")
    holding = select(agenda_item.c.consultation_id).where(agenda_item.c.held_proposal_id == proposal.c.id)
    query = _of_cycle(year).where(proposal.c.state.not_in(out) | paid, ~back)
    return list(tx.execute(query.add_columns(holding.scalar_subquery().label("held_by"))))


def of_cycle(tx: Tx, year: int) -> list[Record]:
    """Every proposal of a cycle, whatever became of it, and those deferred to it, as the Danish side sees them, by reference."""
    return list(tx.execute(_of_cycle(year)))


def states_in(tx: Tx, year: int) -> list[Record]:
    """As `of_cycle`, number and state only."""
    return list(tx.execute(_of_cycle(year).with_only_columns(proposal.c.id, proposal.c.state)))


def steps_of(tx: Tx, ids: Iterable[int]) -> list[Record]:
    """When each of many proposals came into which state, in order."""
    columns = [history.c.proposal_id, history.c.at, history.c.target]
    query = select(*columns).where(among(history.c.proposal_id, ids))
    return list(tx.execute(query.order_by(history.c.proposal_id, history.c.number)))


def results_of(tx: Tx, ids: Iterable[int]) -> dict[int, str]:
    """Proposal -> the stored screening result of the snapshot that the Danish side sees."""
    joined = snapshot.join(screening, screening.c.snapshot_id == snapshot.c.id).join(
        face, (face.c.proposal_id == snapshot.c.proposal_id) & (face.c.snapshot == snapshot.c.number)
    )
    query = select(snapshot.c.proposal_id, screening.c.result).select_from(joined)
    here = (face.c.side == Side.MFA) & among(snapshot.c.proposal_id, ids)
    return {number: str(result) for number, result in tx.execute(query.where(here))}


def _of_cycle(year: int) -> Select[Any]:
    here = ((proposal.c.cycle_year == year) & proposal.c.deferred_to.is_(None)) | (proposal.c.deferred_to == year)
    query = select(*_HEAD, face.c.content).select_from(_JOINED).where(face.c.side == Side.MFA, here)
    return query.order_by(proposal.c.ref)


def in_countries(tx: Tx, actor: Actor, but: int, countries: Iterable[str], limit: int) -> list[Record]:
    """The other proposals this actor sees in any of the countries: those with most of them first, then the newest."""
    here = (facet.c.side == actor.side) & (facet.c.name == "country") & facet.c.value.in_(sorted(set(countries)))
    counted = select(facet.c.proposal_id, func.count().label("number")).where(here).group_by(facet.c.proposal_id)
    found = counted.subquery()
    query = select(*_HEAD, face.c.content).select_from(_JOINED.join(found, found.c.proposal_id == proposal.c.id))
    query = query.where(visible(actor), proposal.c.id != but)
    return list(tx.execute(query.order_by(found.c.number.desc(), proposal.c.id.desc()).limit(limit)))


def row_of(tx: Tx, ref: str) -> Record:
    """A proposal by its reference, whoever asks."""
    return tx.execute(select(proposal).where(proposal.c.ref == ref)).one()


def office_of(tx: Tx, ref: str) -> str:
    """The office a proposal is of."""
    return str(tx.execute(select(proposal.c.office_code).where(proposal.c.ref == ref)).scalar_one())


def signed(tx: Tx, ref: str | None = None) -> list[Record]:
    """Every proposal whose agreement is signed, or the one with this reference, as the Danish side sees it."""
    here = exists().where(agreement.c.proposal_id == proposal.c.id, agreement.c.signed_at.is_not(None))
    query = select(*_HEAD, face.c.content).select_from(_JOINED).where(face.c.side == Side.MFA, here)
    return list(tx.execute((query.where(proposal.c.ref == ref) if ref else query).order_by(proposal.c.ref)))


def ids_of(tx: Tx, refs: Iterable[str]) -> list[int]:
    """The numbers of proposals, in the order of their references."""
    return list(tx.scalars(select(proposal.c.id).where(among(proposal.c.ref, refs)).order_by(proposal.c.ref)))


def waiting_in(tx: Tx, year: int) -> list[Record]:
    """A cycle's drafts and those returned by screening, whose deadlines hang on its window; with when they came back."""
    last = select(func.max(history.c.at)).where(history.c.proposal_id == proposal.c.id, history.c.event == "submit")
    here = (proposal.c.state == "draft") | ((proposal.c.state == "returned") & (proposal.c.returned_by == "screening"))
    query = select(proposal, last.scalar_subquery().label("submitted_at")).where(proposal.c.cycle_year == year, here)
    return list(tx.execute(query.order_by(proposal.c.id).with_for_update(of=proposal)))


def show_snapshot_to_iom(tx: Tx, proposal_id: int, number: int) -> None:
    """IOM's face becomes what the Danish side sees, the snapshot; edits made since are gone. Its version stays its own."""
    own = {"proposal_id", "side", "version", "updated_at", "contact"}
    here = face.c.proposal_id == proposal_id
    shown = tx.execute(select(face).where(here, face.c.side == Side.MFA)).one()._asdict()
    kept = tx.execute(
        select(snapshot.c.contact).where(snapshot.c.proposal_id == proposal_id, snapshot.c.number == number)
    )
    values = {name: value for name, value in shown.items() if name not in own} | {"contact": kept.scalar_one()}
    tx.execute(update(face).where(here, face.c.side == Side.IOM).values(values))
    tx.execute(facet.delete().where(facet.c.proposal_id == proposal_id, facet.c.side == Side.IOM))
    columns = [facet.c.proposal_id, literal(Side.IOM.value), facet.c.name, facet.c.value]
    theirs = select(*columns).where(facet.c.proposal_id == proposal_id, facet.c.side == Side.MFA)
    tx.execute(insert(facet).from_select(["proposal_id", "side", "name", "value"], theirs))
    findable.put_as_other(tx, proposal_id, Side.IOM, Side.MFA)


def erase_contact(tx: Tx, email: str, name: str) -> None:
    """Take a person out of the contacts that stand beside contents and snapshots."""
    for table in (face, snapshot):
        keys = list(table.primary_key.columns)
        for row in list(tx.execute(select(*keys, table.c.contact).where(table.c.contact.is_not(None)))):
            said = row.contact.casefold()
            if email.casefold() in said or name.casefold() in said:
                here = and_(*(column == value for column, value in zip(keys, row, strict=False)))
                tx.execute(update(table).where(here).values(contact="null"))


def faces_of(tx: Tx, proposal_id: int) -> list[Record]:
    """What each side sees: side, number of the snapshot, content."""
    columns = [face.c.side, face.c.snapshot, face.c.content]
    return list(tx.execute(select(*columns).where(face.c.proposal_id == proposal_id).order_by(face.c.side)))
