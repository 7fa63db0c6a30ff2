"""Who is who: the person behind a token, offices, people."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, literal, null, or_, select, update

from app.db import Record, Tx, insert_of
from app.domain.people import SCOPES, Actor, Role
from app.prepared import Hot
from app.records.access_tables import identity, login, office, person, recovery_code, session, token, token_use
from app.records.notice_tables import feed, preference

_ACTOR = Hot(
    select(
        person.c.id,
        person.c.name,
        person.c.role,
        person.c.office_code,
        office.c.countries,
        token.c.id.label("token_id"),
        token.c.scopes,
        token.c.expires_at,
        token.c.revoked_at,
        person.c.disabled_at,
    )
    .select_from(token.join(person, person.c.id == token.c.person_id).outerjoin(office))
    .where(token.c.sha256 == bindparam("sha256"))
)


def token_by_hash(tx: Tx, sha256: bytes) -> Record | None:
    """The token with that hash, with its person and the person's office."""
    return next(iter(_ACTOR(tx, sha256=sha256)), None)


def actor_of(row: Record, address: str | None = None) -> Actor:
    """The actor of a row with person, office and the scopes of a token."""
    countries = tuple(filter(None, (row.countries or "").split(" ")))
    scopes = frozenset(row.scopes.split(" "))
    return Actor(row.id, row.name, Role(row.role), row.office_code, countries, scopes, row.token_id, address=address)


_PERSON = [person.c.id, person.c.name, person.c.role, person.c.office_code, office.c.countries, person.c.disabled_at]
_NO_TOKEN = [literal("").label("scopes"), null().label("token_id")]


def person_by_email(tx: Tx, email: str) -> Actor | None:
    """The person with that address, with all that their role may do."""
    query = select(*_PERSON, *_NO_TOKEN).select_from(person.outerjoin(office))
    found = tx.execute(query.where(person.c.email == email.lower())).one_or_none()
    return replace(actor_of(found), scopes=frozenset(SCOPES[Role(found.role)])) if found else None


def person_of(tx: Tx, person_id: int) -> Record | None:
    """The whole row of a person, with the kind of their office."""
    query = select(*person.c, office.c.kind.label("office_kind")).select_from(person.outerjoin(office))
    return tx.execute(query.where(person.c.id == person_id)).one_or_none()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people somebody asks for; `q` is part of a name or an address."""

    role: str | None = None
    q: str | None = None
    disabled: bool | None = None


def all_people(tx: Tx, limit: int, after: int, wanted: Wanted | None = None) -> list[Record]:
    """One page of people by id, and one more if there is one."""
    asked, query = wanted or Wanted(), select(person).where(person.c.id > after)
    if asked.role:
        query = query.where(person.c.role == asked.role)
    if asked.q:
        query = query.where(
            or_(person.c.name.icontains(asked.q, autoescape=True), person.c.email.icontains(asked.q, autoescape=True))
        )
    if asked.disabled is not None:
        query = query.where(person.c.disabled_at.is_not(None) if asked.disabled else person.c.disabled_at.is_(None))
    return list(tx.execute(query.order_by(person.c.id).limit(limit + 1)))


def names(tx: Tx, numbers: Iterable[int]) -> dict[int, str]:
    """Number -> the name of each of these people."""
    rows = tx.execute(select(person.c.id, person.c.name).where(person.c.id.in_(sorted(set(numbers)))))
    return {row.id: row.name for row in rows}


def offices(tx: Tx) -> list[Record]:
    """Every office by kind and code, with how many people act for it."""
    return list(tx.execute(_OFFICES.order_by(office.c.kind, office.c.code)))


def offices_after(tx: Tx, limit: int, code: str) -> list[Record]:
    """Offices by code, those after one."""
    return list(tx.execute(_OFFICES.where(office.c.code > code).order_by(office.c.code).limit(limit)))


def office_of(tx: Tx, code: str) -> Record | None:
    return tx.execute(_OFFICES.where(office.c.code == code)).one_or_none()


_OFFICES = (
    select(*office.c, func.count(person.c.id).label("members"))
    .select_from(office.outerjoin(person))
    .group_by(*office.c)
)


def any_admin(tx: Tx) -> bool:
    live = (person.c.role == Role.ADMIN) & person.c.disabled_at.is_(None)
    return tx.scalar(select(person.c.id).where(live).limit(1)) is not None


def change_person(tx: Tx, person_id: int, values: dict[str, Any]) -> None:
    tx.execute(update(person).where(person.c.id == person_id).values(values))


def office_exists(tx: Tx, code: str, kind: str) -> bool:
    return tx.scalar(select(office.c.code).where(office.c.code == code, office.c.kind == kind)) is not None


def office_kind(tx: Tx, code: str) -> str | None:
    return tx.scalar(select(office.c.kind).where(office.c.code == code))


def office_name(tx: Tx, code: str) -> str:
    return str(tx.scalar(select(office.c.name).where(office.c.code == code)) or code)


def add_office(tx: Tx, code: str, name: str, kind: str, countries: tuple[str, ...]) -> bool:
    """Add an office; False, and it stays as it is, when its code is taken."""
    values = {"code": code, "name": name, "kind": kind, "countries": " ".join(countries)}
    made = insert_of(tx, office).values(values).on_conflict_do_nothing().returning(office.c.code)
    return tx.execute(made).scalar_one_or_none() is not None


def change_office(tx: Tx, code: str, version: int, name: str, countries: tuple[str, ...]) -> bool:
    """Change an office; False when it is not at this version any more."""
    values = {"name": name, "countries": " ".join(countries), "version": version + 1}
    here = (office.c.code == code) & (office.c.version == version)
    return tx.execute(update(office).where(here).values(values)).rowcount == 1


def add_person(tx: Tx, name: str, email: str, role: Role, office_code: str | None, at: datetime) -> int | None:
    """Add a person; None when somebody has the e-mail address, also when that happened at the same moment."""
    values = {"name": name, "email": email.lower(), "role": role, "office_code": office_code, "created_at": at}
    made = insert_of(tx, person).values(values).on_conflict_do_nothing().returning(person.c.id)
    return tx.execute(made).scalar_one_or_none()


def blank_labels(tx: Tx, person_id: int) -> None:
    tx.execute(update(token).where(token.c.person_id == person_id).values(label="erased"))


def add_token(
    tx: Tx, person_id: int, label: str, sha256: bytes, scopes: str, created_at: datetime, expires_at: datetime
) -> int:
    """Store a token's hash; the token itself is known to its owner only."""
    values = {
        "person_id": person_id,
        "label": label,
        "sha256": sha256,
        "scopes": scopes,
        "created_at": created_at,
        "expires_at": expires_at,
    }
    return int(tx.execute(insert(token).values(values).returning(token.c.id)).scalar_one())


def revoke_tokens(tx: Tx, person_id: int, at: datetime, label: str | None = None) -> None:
    """Revoke a person's live tokens, all or those of a label."""
    live = (token.c.person_id == person_id) & token.c.revoked_at.is_(None)
    if label is not None:
        live &= token.c.label == label
    tx.execute(update(token).where(live).values(revoked_at=at))


_TOKEN = [
    *(token.c[name] for name in ("id", "person_id", "label", "scopes", "created_at", "expires_at", "revoked_at")),
    token_use.c.used_at,
]


def tokens(tx: Tx, person_id: int | None, limit: int, after: int) -> list[Record]:
    """One page of tokens by id, a person's or everybody's, and one more if there is one."""
    query = select(*_TOKEN).select_from(token.outerjoin(token_use)).where(token.c.id > after)
    if person_id is not None:
        query = query.where(token.c.person_id == person_id)
    return list(tx.execute(query.order_by(token.c.id).limit(limit + 1)))


def token_of(tx: Tx, token_id: int) -> Record | None:
    query = select(*_TOKEN).select_from(token.outerjoin(token_use)).where(token.c.id == token_id)
    return tx.execute(query).one_or_none()


def live_tokens(tx: Tx, person_id: int, at: datetime) -> int:
    """How many tokens of a person work at that instant; the person is held until this transaction ends."""
    tx.execute(select(person.c.id).where(person.c.id == person_id).with_for_update())
    live = (token.c.person_id == person_id) & token.c.revoked_at.is_(None) & (token.c.expires_at > at)
    return int(tx.scalar(select(func.count()).select_from(token).where(live)) or 0)


def revoke_token(tx: Tx, token_id: int, at: datetime) -> bool:
    """Revoke a token; False when it does not work any more anyway."""
    live = (token.c.id == token_id) & token.c.revoked_at.is_(None)
    return tx.execute(update(token).where(live).values(revoked_at=at)).rowcount == 1


def note_uses(tx: Tx, uses: dict[int, datetime]) -> None:
    """Write down when tokens were last used; what another instance saw later stays."""
    for token_id, at in sorted(uses.items()):
        noted = insert_of(tx, token_use).values(token_id=token_id, used_at=at)
        earlier = token_use.c.used_at < at
        tx.execute(noted.on_conflict_do_update(index_elements=["token_id"], set_={"used_at": at}, where=earlier))


def identity_of(tx: Tx, issuer: str, subject: str) -> Record | None:
    """Who is known by that identity."""
    here = (identity.c.issuer == issuer) & (identity.c.subject == subject)
    query = select(person).select_from(identity.join(person, person.c.id == identity.c.person_id))
    return tx.execute(query.where(here)).one_or_none()


def has_identity(tx: Tx, person_id: int) -> bool:
    return tx.scalar(select(identity.c.id).where(identity.c.person_id == person_id).limit(1)) is not None


def add_identity(tx: Tx, person_id: int, issuer: str, subject: str) -> None:
    tx.execute(insert(identity).values(person_id=person_id, issuer=issuer, subject=subject))


def hold(tx: Tx, person_id: int) -> None:
    """Hold a person until this transaction ends, but not what is written about them meanwhile."""
    tx.execute(select(person.c.id).where(person.c.id == person_id).with_for_update(key_share=True))


def forget(tx: Tx, person_id: int) -> None:
    """Take away every way a person could log in, and everything that says who they were there."""
    for table in (login, recovery_code, identity, session, feed, preference):
        tx.execute(delete(table).where(table.c.person_id == person_id))
