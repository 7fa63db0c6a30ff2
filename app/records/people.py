"""Who is who: the person behind a token, offices, people."""

from datetime import datetime

from sqlalchemy import bindparam, insert, literal, select, update

from app.db import Hot, Record, Tx
from app.domain.people import Actor, Role
from app.records.tables import office, person, token

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


def actor_of(row: Record) -> Actor:
    countries = tuple(filter(None, (row.countries or "").split(" ")))
    return Actor(row.id, row.name, Role(row.role), row.office_code, countries, frozenset(row.scopes.split(" ")))


def person_by_email(tx: Tx, email: str) -> Actor | None:
    """The person with that address; without the scopes of any token."""
    columns = [person.c.id, person.c.name, person.c.role, person.c.office_code, office.c.countries]
    query = select(*columns, literal("").label("scopes")).select_from(person.outerjoin(office))
    found = tx.execute(query.where(person.c.email == email)).one_or_none()
    return actor_of(found) if found else None


def office_exists(tx: Tx, code: str, kind: str) -> bool:
    return tx.scalar(select(office.c.code).where(office.c.code == code, office.c.kind == kind)) is not None


def add_office(tx: Tx, code: str, name: str, kind: str, countries: tuple[str, ...]) -> None:
    """Add an office, or leave it as it is when its code is taken."""
    if tx.scalar(select(office.c.code).where(office.c.code == code)) is None:
        tx.execute(insert(office).values(code=code, name=name, kind=kind, countries=" ".join(countries)))


def add_person(tx: Tx, name: str, email: str, role: Role, office_code: str | None, at: datetime) -> int:
    values = {"name": name, "email": email, "role": role, "office_code": office_code, "created_at": at}
    return int(tx.execute(insert(person).values(values).returning(person.c.id)).scalar_one())


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


def revoke_tokens(tx: Tx, person_id: int, label: str, at: datetime) -> None:
    """Revoke a person's live tokens of that label."""
    live = (token.c.person_id == person_id) & (token.c.label == label) & token.c.revoked_at.is_(None)
    tx.execute(update(token).where(live).values(revoked_at=at))
