"""Notices and messages as rows: owing, finding readers, claiming, marking. Claims are taken by an UPDATE, never read first."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, or_, select, true, update

from app.db import Record, Tx, insert_of
from app.domain.people import Role, Side
from app.prepared import Hot, add_all, added
from app.records.access_tables import office, person
from app.records.among import among, among_given
from app.records.notice_tables import message, notice, preference, webhook
from app.records.tables import face, history, proposal

STATES = WAITING, SENT, DEAD, SUPERSEDED = "waiting", "sent", "dead", "superseded"


def add(tx: Tx, kind: str, subject: str, ref: str | None, facts: str, at: datetime) -> int:
    """Write a notice down; its number."""
    values = {"kind": kind, "subject": subject, "ref": ref, "facts": facts, "at": at}
    return added(tx, notice, values)


def add_messages(tx: Tx, rows: list[dict[str, Any]]) -> None:
    add_all(tx, message, rows)


def number_of(tx: Tx, uid: str) -> int:
    """The number of a message by its id."""
    return int(tx.execute(select(message.c.id).where(message.c.uid == uid)).scalar_one())


def supersede(tx: Tx, subject: str, kinds: Iterable[str], by: int) -> None:
    """Take back what was not sent of earlier notices of these kinds on a subject; it stays, and says what replaced it.

    What is dead or was dropped is taken back too: nobody sends it again by hand.
    """
    _superseding().changed(tx, subject=subject, kinds=list(kinds), state=SUPERSEDED, superseded_by=by, number=by)


@cache
def _superseding() -> Hot:
    before = notice.c.id < bindparam("number")
    older = select(notice.c.id).where(notice.c.subject == bindparam("subject"), among_given(notice.c.kind, "kinds"))
    unsent = (message.c.state != SENT) & message.c.superseded_by.is_(None)
    here = select(message.c.id).where(unsent, message.c.notice_id.in_(older.where(before)))
    held = here.order_by(message.c.id).with_for_update().cte("held")  # in one order: nobody waits for each other
    return Hot(update(message).where(message.c.id.in_(select(held.c.id)), unsent), ["state", "superseded_by"])


def hold(tx: Tx, numbers: Sequence[int]) -> set[int]:
    """Lock messages until the end of the transaction; those that somebody else has locked are left out, never waited for."""
    wanted = select(message.c.id).where(message.c.id.in_(numbers)).with_for_update(skip_locked=True)
    return set(tx.scalars(wanted))


def told_of(tx: Tx, subject: str) -> list[Record]:
    """Which kinds about a subject reached whom or still will, oldest first: reader and kind of each mail tried or waiting."""
    joined = message.join(notice, notice.c.id == message.c.notice_id).join(person, person.c.id == message.c.person_id)
    here = (notice.c.subject == subject) & person.c.disabled_at.is_(None)
    reached = (message.c.attempts > 0) | (message.c.state == WAITING)
    query = select(message.c.person_id, notice.c.kind).select_from(joined).where(here, reached)
    return list(tx.execute(query.order_by(notice.c.id)))


def _live() -> Select[Any]:
    return (
        select(person.c.id, office.c.countries)
        .select_from(person.outerjoin(office))
        .where(person.c.disabled_at.is_(None))
    )


def by_role(tx: Tx, roles: Iterable[Role], office_code: str | None = None) -> list[int]:
    """The people of these roles, of one office where it is named."""
    of = {"office": office_code} if office_code else {}
    return [row.id for row in _by_role(office_code is not None)(tx, roles=[str(role) for role in roles], **of)]


@cache
def _by_role(of_office: bool) -> Hot:
    query = _live().where(among_given(person.c.role, "roles"))
    return Hot(query.where(person.c.office_code == bindparam("office")) if of_office else query)


def embassies(tx: Tx, countries: Iterable[str]) -> list[int]:
    """The people of embassies accredited in one of these countries."""
    wanted = set(countries)
    rows = tx.execute(_live().where(person.c.role == Role.EMBASSY))
    return [row.id for row in rows if wanted & set((row.countries or "").split(" "))]


def enabled(tx: Tx, person_id: int) -> list[int]:
    """This person, if their account works."""
    return list(tx.scalars(select(person.c.id).where(person.c.id == person_id, person.c.disabled_at.is_(None))))


def living(tx: Tx) -> list[Record]:
    """Everybody whose account works: number, name, role, office and the countries of that."""
    columns = (person.c.id, person.c.name, person.c.role, person.c.office_code, office.c.countries)
    query = select(*columns).select_from(person.outerjoin(office)).where(person.c.disabled_at.is_(None))
    return list(tx.execute(query.order_by(person.c.id)))


def submitters(tx: Tx, ref: str) -> list[int]:
    """Who submitted the proposal last, if they still see it: the focal point, or somebody of its office."""
    return list(submitters_of(tx, [ref]).values())


def submitters_of(tx: Tx, refs: Iterable[str]) -> dict[str, int]:
    """Reference -> who submitted it last, where they still see it."""
    last = {row.ref: row for row in _submitting()(tx, refs=list(refs))}
    return {ref: int(row.person_id) for ref, row in last.items() if row.sees}


@cache
def _submitting() -> Hot:
    joined = history.join(proposal, proposal.c.id == history.c.proposal_id).join(
        person, person.c.id == history.c.person_id
    )
    here = among_given(proposal.c.ref, "refs") & (history.c.event == "submit") & person.c.disabled_at.is_(None)
    of_office = (person.c.role == Role.IOM_OFFICE) & (person.c.office_code == proposal.c.office_code)
    sees = or_(person.c.role == Role.IOM_FOCAL_POINT, of_office)
    query = select(proposal.c.ref, history.c.person_id, sees.label("sees")).select_from(joined).where(here)
    return Hot(query.order_by(history.c.number))


def proposal_head(tx: Tx, ref: str) -> Record | None:
    """A proposal's reference, title, office, cycle and content as last submitted, or as drafted where it never was."""
    return next(iter(_head()(tx, ref=ref)), None)


@cache
def _head() -> Hot:
    joined = face.join(proposal, proposal.c.id == face.c.proposal_id).join(
        office, office.c.code == proposal.c.office_code
    )
    query = select(
        *(proposal.c.ref, proposal.c.office_code, proposal.c.cycle_year, face.c.title, face.c.content),
        office.c.name.label("office_name"),
    )
    here = query.select_from(joined).where(proposal.c.ref == bindparam("ref"))
    return Hot(here.order_by((face.c.side == Side.MFA).desc()).limit(1))


def preferences_of(tx: Tx, people: Sequence[int]) -> dict[int, Record]:
    return {row.person_id: row for row in tx.execute(select(preference).where(among(preference.c.person_id, people)))}


def readers(tx: Tx, people: Sequence[int]) -> dict[int, Record]:
    """Person -> role and office today, and how they want to hear: None where they never said."""
    return {row.id: row for row in _reading()(tx, people=list(people))}


@cache
def _reading() -> Hot:
    columns = (person.c.id, person.c.role, person.c.office_code, preference.c.digest, preference.c.reminders)
    query = select(*columns).select_from(person.outerjoin(preference, preference.c.person_id == person.c.id))
    return Hot(query.where(among_given(person.c.id, "people")))


def put_preferences(tx: Tx, person_id: int, values: dict[str, Any]) -> None:
    """Write down how a person wants to hear, in the place of what stood there."""
    put = insert_of(tx, preference).values(person_id=person_id, **values)
    tx.execute(put.on_conflict_do_update(index_elements=["person_id"], set_=values))


def _of_kinds(kinds: Iterable[str]) -> ColumnElement[bool]:
    return exists().where(notice.c.id == message.c.notice_id, notice.c.kind.in_(sorted(kinds)))


def drop_unwanted(tx: Tx, reminders: Iterable[str], why: str) -> None:
    """Take back the waiting reminders of readers who want none, but for what is locked now; they stay, and say why."""
    without = select(preference.c.person_id).where(preference.c.reminders.is_(False))
    here = (message.c.state == WAITING) & message.c.person_id.in_(without) & _of_kinds(reminders)
    tx.execute(update(message).where(_unheld(here)).values(state=SUPERSEDED, error=why))


def _unheld(which: ColumnElement[bool], limit: int | None = None) -> ColumnElement[bool]:
    """Those of these messages that nobody else has locked, the first due first: a worker waits for no lock."""
    wanted = select(message.c.id).where(which).order_by(message.c.next_at, message.c.id).limit(limit)
    chosen = wanted.with_for_update(skip_locked=True).cte("chosen")
    return message.c.id.in_(select(chosen.c.id))


def release(tx: Tx, person_id: int, now: datetime) -> None:
    """Let what waits for a reader's digest go now, one by one."""
    here = (message.c.state == WAITING) & (message.c.person_id == person_id) & (message.c.attempts == 0)
    tx.execute(update(message).where(here, message.c.next_at > now).values(next_at=now))


def bundle_up(tx: Tx, now: datetime, at_once: Iterable[str]) -> None:
    """Tie what is due to each reader of a digest together, but for the kinds that go at once; a bundle never grows.

    What was tried by itself before stays by itself: it may have arrived.
    """
    due = (message.c.state == WAITING) & (message.c.next_at <= now) & (message.c.attempts == 0)
    due &= message.c.bundle.is_(None) & ~_of_kinds(at_once)
    readers = select(message.c.person_id).join(preference, preference.c.person_id == message.c.person_id)
    for one in sorted(set(tx.scalars(readers.where(due, preference.c.digest.is_(True))))):
        own = _unheld(due & (message.c.person_id == one))
        tx.execute(update(message).where(own).values(bundle=secrets.token_hex(16)))


def _due(channel: str, now: datetime) -> Any:
    return (message.c.state == WAITING) & (message.c.next_at <= now) & (message.c.channel == channel)


def _not_at(busy: Collection[int]) -> Any:
    return message.c.webhook_id.not_in(busy) if busy else true()


def any_due(tx: Tx, channel: str, now: datetime, busy: Collection[int] = ()) -> bool:
    """Whether a channel may send anything now, to webhooks that are not busy."""
    here = _due(channel, now) & _not_at(busy)
    return tx.scalar(select(message.c.id).where(here).limit(1)) is not None


def claim(tx: Tx, channel: str, now: datetime, lease: timedelta, limit: int) -> list[int]:
    """Take up to `limit` due messages and bundles for the length of a lease; nobody else takes them until it is over.

    A bundle is taken by its first message: whoever has that has the rest, so that two workers never part one.
    """
    first = message.alias()
    follows = exists().where(first.c.bundle == message.c.bundle, first.c.id < message.c.id, first.c.state == WAITING)
    lead = _lease(tx, _unheld(_due(channel, now) & ~follows, limit), now + lease)
    bundles = sorted({row.bundle for row in lead if row.bundle})
    if not bundles:
        return sorted(row.id for row in lead)
    rest = (message.c.state == WAITING) & message.c.bundle.in_(bundles) & message.c.id.not_in([one.id for one in lead])
    more = _lease(tx, _unheld(rest), now + lease)
    parted = set(tx.scalars(select(message.c.bundle).where(rest, message.c.next_at <= now)))  # somebody holds a part
    return sorted(row.id for row in [*lead, *more] if row.bundle not in parted)


def claim_each(tx: Tx, channel: str, now: datetime, lease: timedelta, limit: int, busy: Collection[int]) -> list[int]:
    """As `claim`, the oldest of each webhook only, and none of those that are busy."""
    due = _due(channel, now) & _not_at(busy)
    oldest = select(func.min(message.c.id)).where(due).group_by(message.c.webhook_id)
    return sorted(row.id for row in _lease(tx, _unheld(due & message.c.id.in_(oldest), limit), now + lease))


def _lease(tx: Tx, which: ColumnElement[bool], until: datetime) -> list[Record]:
    taken = update(message).where(which).values(next_at=until, attempts=message.c.attempts + 1)
    return list(tx.execute(taken.returning(message.c.id, message.c.bundle)))


_NOTICE = [notice.c.kind, notice.c.subject, notice.c.ref, notice.c.facts, notice.c.at.label("happened_at")]
_READER = [person.c.name, person.c.email, person.c.role, person.c.office_code, person.c.disabled_at]
_WISHES = [preference.c.language, preference.c.digest, preference.c.reminders]
_WHOLE = select(*message.c, *_NOTICE, *_READER, *_WISHES).select_from(
    message.join(notice, notice.c.id == message.c.notice_id)
    .outerjoin(person, person.c.id == message.c.person_id)
    .outerjoin(preference, preference.c.person_id == message.c.person_id)
)


def messages(tx: Tx, numbers: Sequence[int]) -> list[Record]:
    """Messages with their notice and reader, in order."""
    return list(tx.execute(_WHOLE.where(message.c.id.in_(numbers)).order_by(message.c.id)))


def by_uid(tx: Tx, uid: str) -> Record | None:
    """The message with that id, with its notice and reader."""
    return tx.execute(_WHOLE.where(message.c.uid == uid)).one_or_none()


def newest_mail(tx: Tx, kind: str) -> Record | None:
    """The newest message of a kind that is no webhook's, with its notice and reader."""
    here = (notice.c.kind == kind) & message.c.person_id.is_not(None)
    return tx.execute(_WHOLE.where(here).order_by(message.c.id.desc()).limit(1)).one_or_none()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages somebody asks for."""

    state: str | None = None
    kind: str | None = None
    ref: str | None = None


def page(tx: Tx, person_id: int | None, wanted: Wanted, limit: int, below: int | None) -> list[Record]:
    """One page of messages and one more if there is one, the newest first; of one reader and their webhooks where named."""
    query = _WHOLE.order_by(message.c.id.desc()).limit(limit + 1)
    if person_id is not None:
        query = query.where(_own(person_id))
    asked = ((message.c.state, wanted.state), (notice.c.kind, wanted.kind), (notice.c.ref, wanted.ref))
    query = query.where(*(column == value for column, value in asked if value is not None))
    return list(tx.execute(query.where(message.c.id < below) if below is not None else query))


def _own(person_id: int) -> ColumnElement[bool]:
    """What goes to a person or to one of their webhooks."""
    hooks = select(webhook.c.id).where(webhook.c.person_id == person_id)
    return or_(message.c.person_id == person_id, message.c.webhook_id.in_(hooks))


def message_for(tx: Tx, person_id: int | None, number: int) -> Record | None:
    """A message with its notice and reader; None when it goes neither to this person, where one is named, nor anywhere."""
    query = _WHOLE.where(message.c.id == number)
    return tx.execute(query if person_id is None else query.where(_own(person_id))).one_or_none()


def mark_sent(tx: Tx, number: int, at: datetime) -> None:
    """It was sent, whatever has happened to it meanwhile."""
    tx.execute(update(message).where(message.c.id == number).values(state=SENT, sent_at=at, error=None))


def mark_dropped(tx: Tx, number: int, why: str) -> None:
    """It is not sent, and need not be."""
    here = (message.c.id == number) & (message.c.state == WAITING)
    tx.execute(update(message).where(here).values(state=SUPERSEDED, error=why))


def drop_untried(tx: Tx, subject: str, kinds: Sequence[str], but: Sequence[int], why: str) -> None:
    """Drop what waits about a subject and was never tried, of these kinds, for anybody but these people."""
    about = select(notice.c.id).where(notice.c.subject == subject, notice.c.kind.in_(kinds))
    here = (message.c.state == WAITING) & (message.c.attempts == 0) & message.c.notice_id.in_(about)
    here &= message.c.person_id.is_not(None) & ~among(message.c.person_id, but)
    tx.execute(select(message.c.id).where(here).order_by(message.c.id).with_for_update())
    tx.execute(update(message).where(here).values(state=SUPERSEDED, error=why))


def mark_failed(tx: Tx, number: int, error: str, again_at: datetime | None) -> None:
    """It failed: try again at that time, or never by itself when there is none."""
    values: dict[str, Any] = {"error": error[:2000]}
    values |= {"next_at": again_at} if again_at else {"state": DEAD}
    tx.execute(update(message).where(message.c.id == number, message.c.state == WAITING).values(values))


def again(tx: Tx, number: int, at: datetime) -> bool:
    """Let a message that is dead or was dropped be sent once more, by itself if it was in a bundle; False for any other."""
    dropped = (message.c.state == SUPERSEDED) & message.c.superseded_by.is_(None)
    here = (message.c.id == number) & ((message.c.state == DEAD) | dropped)
    anew = {"state": WAITING, "next_at": at, "attempts": 0, "bundle": None}
    return tx.execute(update(message).where(here).values(anew)).rowcount == 1


def settle_history(tx: Tx) -> None:
    """Take every message as sent when it was owed: the demo's stories lie in the past."""
    happened = select(notice.c.at).where(notice.c.id == message.c.notice_id).scalar_subquery()
    tx.execute(update(message).where(message.c.state == WAITING).values(state=SENT, sent_at=happened, attempts=1))


def counts(tx: Tx) -> list[tuple[str, str, int]]:
    """How many messages there are by channel and state."""
    query = select(message.c.channel, message.c.state, func.count()).group_by(message.c.channel, message.c.state)
    return [(channel, state, int(number)) for channel, state, number in tx.execute(query)]


def _late(now: datetime) -> ColumnElement[bool]:
    return (message.c.state == WAITING) & ((message.c.next_at <= now) | (message.c.attempts > 0))


def oldest_late(tx: Tx, now: datetime) -> datetime | None:
    """When that happened which the oldest message tells of that is due or was tried in vain; None when there is none."""
    oldest = select(func.min(message.c.notice_id)).where(_late(now))
    return tx.scalar(select(notice.c.at).where(notice.c.id == oldest.scalar_subquery()))


def late(tx: Tx, now: datetime) -> dict[str, tuple[int, datetime]]:
    """By channel, how many waiting messages are due or were tried in vain, and since when the oldest waits."""
    joined = message.join(notice, notice.c.id == message.c.notice_id)
    query = select(message.c.channel, func.count(), func.min(notice.c.at)).select_from(joined).where(_late(now))
    return {name: (int(number), oldest) for name, number, oldest in tx.execute(query.group_by(message.c.channel))}


def tried(tx: Tx) -> dict[str, int]:
    """By channel, the attempts to deliver what there is."""
    query = select(message.c.channel, func.sum(message.c.attempts)).group_by(message.c.channel)
    return {name: int(number) for name, number in tx.execute(query)}
