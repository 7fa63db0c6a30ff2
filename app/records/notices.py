"""Notices and messages as rows: owing, finding readers, claiming, marking. Claims are taken by an UPDATE, never read first."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select, true, update

from app.db import Record, Tx
from app.domain.people import Role, Side
from app.records.access_tables import office, person
from app.records.notice_tables import message, notice, preference
from app.records.tables import face, history, proposal

STATES = WAITING, SENT, DEAD, SUPERSEDED = "waiting", "sent", "dead", "superseded"


def add(tx: Tx, kind: str, subject: str, ref: str | None, facts: str, at: datetime) -> int:
    """Write a notice down; its number."""
    values = {"kind": kind, "subject": subject, "ref": ref, "facts": facts, "at": at}
    return int(tx.execute(insert(notice).values(values).returning(notice.c.id)).scalar_one())


def add_messages(tx: Tx, rows: list[dict[str, Any]]) -> None:
    if rows:
        tx.execute(insert(message), rows)


def supersede(tx: Tx, subject: str, kinds: Iterable[str], by: int) -> None:
    """Take back the unsent messages of earlier notices of these kinds on a subject; they stay, and say what replaced them."""
    older = select(notice.c.id).where(notice.c.subject == subject, notice.c.kind.in_(list(kinds)), notice.c.id < by)
    here = select(message.c.id).where(message.c.state == WAITING, message.c.notice_id.in_(older))
    held = here.order_by(message.c.id).with_for_update().cte("held")  # in one order: nobody waits for each other
    taken = update(message).where(message.c.id.in_(select(held.c.id)), message.c.state == WAITING)
    tx.execute(taken.values(state=SUPERSEDED, superseded_by=by))


def hold(tx: Tx, numbers: Sequence[int]) -> set[int]:
    """Lock messages until the end of the transaction; those that somebody else has locked are left out, never waited for."""
    wanted = select(message.c.id).where(message.c.id.in_(numbers)).with_for_update(skip_locked=True)
    return set(tx.scalars(wanted))


def _live() -> Select[Any]:
    return (
        select(person.c.id, office.c.countries)
        .select_from(person.outerjoin(office))
        .where(person.c.disabled_at.is_(None))
    )


def by_role(tx: Tx, roles: Iterable[Role], office_code: str | None = None) -> list[int]:
    """The people of these roles, of one office where it is named."""
    query = _live().where(person.c.role.in_([str(role) for role in roles]))
    return list(tx.scalars(query.where(person.c.office_code == office_code) if office_code else query))


def embassies(tx: Tx, countries: Iterable[str]) -> list[int]:
    """The people of embassies accredited in one of these countries."""
    wanted = set(countries)
    rows = tx.execute(_live().where(person.c.role == Role.EMBASSY))
    return [row.id for row in rows if wanted & set((row.countries or "").split(" "))]


def submitters(tx: Tx, ref: str) -> list[int]:
    """Who submitted the proposal last."""
    joined = history.join(proposal, proposal.c.id == history.c.proposal_id).join(
        person, person.c.id == history.c.person_id
    )
    here = (proposal.c.ref == ref) & (history.c.event == "submit") & person.c.disabled_at.is_(None)
    query = select(history.c.person_id).select_from(joined).where(here).order_by(history.c.number.desc()).limit(1)
    return list(tx.scalars(query))


def proposal_head(tx: Tx, ref: str) -> Record | None:
    """A proposal's reference, title, office, cycle and content as last submitted, or as drafted where it never was."""
    joined = face.join(proposal, proposal.c.id == face.c.proposal_id).join(
        office, office.c.code == proposal.c.office_code
    )
    query = select(
        *(proposal.c.ref, proposal.c.office_code, proposal.c.cycle_year, face.c.title, face.c.content),
        office.c.name.label("office_name"),
    )
    here = query.select_from(joined).where(proposal.c.ref == ref)
    return tx.execute(here.order_by((face.c.side == Side.MFA).desc()).limit(1)).one_or_none()


def preferences_of(tx: Tx, people: Sequence[int]) -> dict[int, Record]:
    return {row.person_id: row for row in tx.execute(select(preference).where(preference.c.person_id.in_(people)))}


def _due(channel: str, now: datetime) -> Any:
    return (message.c.state == WAITING) & (message.c.next_at <= now) & (message.c.channel == channel)


def _not_at(busy: Collection[int]) -> Any:
    return message.c.webhook_id.not_in(busy) if busy else true()


def any_due(tx: Tx, channel: str, now: datetime, busy: Collection[int] = ()) -> bool:
    """Whether a channel may send anything now, to webhooks that are not busy."""
    here = _due(channel, now) & _not_at(busy)
    return tx.scalar(select(message.c.id).where(here).limit(1)) is not None


def claim(tx: Tx, channel: str, now: datetime, lease: timedelta, limit: int) -> list[int]:
    """Take up to `limit` due messages for the length of a lease; nobody else takes them until it is over."""
    return _claim(tx, _due(channel, now), now + lease, limit)


def claim_each(tx: Tx, channel: str, now: datetime, lease: timedelta, limit: int, busy: Collection[int]) -> list[int]:
    """As `claim`, the oldest of each webhook only, and none of those that are busy."""
    due = _due(channel, now) & _not_at(busy)
    oldest = select(func.min(message.c.id)).where(due).group_by(message.c.webhook_id)
    return _claim(tx, due & message.c.id.in_(oldest), now + lease, limit)


def _claim(tx: Tx, which: Any, until: datetime, limit: int | None) -> list[int]:
    wanted = select(message.c.id).where(which).order_by(message.c.next_at, message.c.id).limit(limit)
    chosen = wanted.with_for_update(skip_locked=True).cte("chosen")
    return _lease(tx, message.c.id.in_(select(chosen.c.id)), until)


def _lease(tx: Tx, which: Any, until: datetime) -> list[int]:
    taken = update(message).where(which).values(next_at=until, attempts=message.c.attempts + 1)
    return sorted(tx.scalars(taken.returning(message.c.id)))


def claim_of(tx: Tx, person_id: int, now: datetime, lease: timedelta) -> list[int]:
    """Take every due mail of one reader for the length of a lease."""
    due = (message.c.state == WAITING) & (message.c.next_at <= now) & (message.c.person_id == person_id)
    return _claim(tx, due, now + lease, None)


_NOTICE = [notice.c.kind, notice.c.subject, notice.c.ref, notice.c.facts, notice.c.at.label("happened_at")]
_READER = [person.c.name, person.c.email, person.c.role, person.c.disabled_at]
_WISHES = [preference.c.language, preference.c.digest, preference.c.reminders]
_WHOLE = select(*message.c, *_NOTICE, *_READER, *_WISHES).select_from(
    message.join(notice, notice.c.id == message.c.notice_id)
    .outerjoin(person, person.c.id == message.c.person_id)
    .outerjoin(preference, preference.c.person_id == message.c.person_id)
)


def messages(tx: Tx, numbers: Sequence[int]) -> list[Record]:
    """Messages with their notice and reader, in order."""
    return list(tx.execute(_WHOLE.where(message.c.id.in_(numbers)).order_by(message.c.id)))


def page(tx: Tx, person_id: int | None, state: str | None, limit: int, below: int | None) -> list[Record]:
    """One page of messages and one more if there is one, the newest first; of one reader where named."""
    query = _WHOLE.order_by(message.c.id.desc()).limit(limit + 1)
    for column, value in ((message.c.person_id, person_id), (message.c.state, state)):
        query = query.where(column == value) if value is not None else query
    return list(tx.execute(query.where(message.c.id < below) if below is not None else query))


def mark_sent(tx: Tx, number: int, at: datetime) -> None:
    """It was sent, whatever has happened to it meanwhile."""
    tx.execute(update(message).where(message.c.id == number).values(state=SENT, sent_at=at, error=None))


def mark_dropped(tx: Tx, number: int, why: str) -> None:
    """It is not sent, and need not be."""
    here = (message.c.id == number) & (message.c.state == WAITING)
    tx.execute(update(message).where(here).values(state=SUPERSEDED, error=why))


def mark_failed(tx: Tx, number: int, error: str, again_at: datetime | None) -> None:
    """It failed: try again at that time, or never by itself when there is none."""
    values: dict[str, Any] = {"error": error[:2000]}
    values |= {"next_at": again_at} if again_at else {"state": DEAD}
    tx.execute(update(message).where(message.c.id == number, message.c.state == WAITING).values(values))


def again(tx: Tx, number: int, at: datetime) -> bool:
    """Let a dead message be sent once more; False when it is not dead."""
    here = (message.c.id == number) & (message.c.state == DEAD)
    return tx.execute(update(message).where(here).values(state=WAITING, next_at=at, attempts=0)).rowcount == 1


def settle_history(tx: Tx) -> None:
    """Take every message as sent when it was owed: the demo's stories lie in the past."""
    happened = select(notice.c.at).where(notice.c.id == message.c.notice_id).scalar_subquery()
    tx.execute(update(message).where(message.c.state == WAITING).values(state=SENT, sent_at=happened, attempts=1))


def counts(tx: Tx) -> list[tuple[str, str, int]]:
    """How many messages there are by channel and state."""
    query = select(message.c.channel, message.c.state, func.count()).group_by(message.c.channel, message.c.state)
    return [(channel, state, int(number)) for channel, state, number in tx.execute(query)]


def late(tx: Tx, now: datetime) -> dict[str, tuple[int, datetime]]:
    """By channel, how many waiting messages are due or were tried in vain, and since when the oldest waits."""
    here = (message.c.state == WAITING) & ((message.c.next_at <= now) | (message.c.attempts > 0))
    joined = message.join(notice, notice.c.id == message.c.notice_id)
    query = select(message.c.channel, func.count(), func.min(notice.c.at)).select_from(joined).where(here)
    return {name: (int(number), oldest) for name, number, oldest in tx.execute(query.group_by(message.c.channel))}


def tried(tx: Tx) -> dict[str, int]:
    """By channel, the attempts to deliver what there is."""
    query = select(message.c.channel, func.sum(message.c.attempts)).group_by(message.c.channel)
    return {name: int(number) for name, number in tx.execute(query)}
