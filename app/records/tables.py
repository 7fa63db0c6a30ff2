"""The tables. Amounts are whole DKK, `_at` UTC instants, `_on` dates; states and roles are text, so that a new one needs no migration."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)
Key = BigInteger().with_variant(Integer, "sqlite")
Dkk = BigInteger()


class Instant(TypeDecorator[datetime]):
    """A UTC instant. SQLite keeps no offsets, so they are taken off going in and put on coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _key() -> Column[Any]:
    return Column("id", Key, primary_key=True, autoincrement=True)


def _to(target: str, name: str, **more: Any) -> Column[Any]:
    return Column(name, ForeignKey(target), **({"nullable": False} | more))


office = Table(
    "office",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("countries", String(800), nullable=False, default=""),
)

person = Table(
    "person",
    metadata,
    _key(),
    Column("name", String(200), nullable=False),
    Column("email", String(320), nullable=False, unique=True),
    Column("role", String(40), nullable=False),
    _to("office.code", "office_code", nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

token = Table(
    "token",
    metadata,
    _key(),
    _to("person.id", "person_id", index=True),
    Column("label", String(200), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", String(800), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

# `last_number` gives the references out: raised in the transaction that makes the proposal, so without gaps or races.
cycle = Table(
    "cycle",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("framework", String(60), nullable=False),
    Column("opens_on", Date, nullable=False),
    Column("closes_on", Date, nullable=False),
    Column("added", Boolean, nullable=False, default=False),
    Column("last_number", Integer, nullable=False, default=0),
    Column("version", Integer, nullable=False, default=1),
    CheckConstraint("closes_on >= opens_on", name="window"),
)

# Every move of a cycle's dates, with its reason.
cycle_change = Table(
    "cycle_change",
    metadata,
    _key(),
    _to("cycle.year", "year", index=True),
    Column("at", Instant, nullable=False),
    _to("person.id", "person_id", nullable=True),
    Column("reason", String(4000), nullable=False),
    Column("opens_on", Date, nullable=False),
    Column("closes_on", Date, nullable=False),
)

envelope = Table(
    "envelope",
    metadata,
    _to("cycle.year", "year", primary_key=True),
    Column("amount_dkk", Dkk, nullable=False),
    Column("status", String(20), nullable=False),
    Column("committed_dkk", Dkk, nullable=False, default=0),
    CheckConstraint("committed_dkk >= 0 AND committed_dkk <= amount_dkk", name="within"),
)

# `lock` goes up with every change; a conditional UPDATE on it lets one of two simultaneous changes through.
proposal = Table(
    "proposal",
    metadata,
    _key(),
    Column("ref", String(20), nullable=False, unique=True),
    _to("cycle.year", "cycle_year"),
    Column("number", Integer, nullable=False),
    _to("office.code", "office_code"),
    Column("state", String(20), nullable=False),
    Column("lock", Integer, nullable=False, default=1),
    _to("person.id", "created_by"),
    Column("created_at", Instant, nullable=False),
    Column("snapshots", Integer, nullable=False, default=0),
    Column("moves", Integer, nullable=False, default=0),
    Column("returned_by", String(20)),
    Column("deadline_on", Date),
    UniqueConstraint("cycle_year", "number"),
    Index(None, "state", "cycle_year", "id"),
    Index(None, "state", "deadline_on"),
    Index(None, "office_code", "id"),
)

# What one side sees of a proposal. IOM's face is the working content; the MFA's is the last snapshot and does not exist
# before the first one. `snapshot` is the number of the snapshot a face shows, null where IOM has edited since; `screening`
# the summary of its screening. Version, time and figures belong to the face, so that nothing leaks from one side to the other.
face = Table(
    "face",
    metadata,
    _to("proposal.id", "proposal_id", primary_key=True),
    Column("side", String(4), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("title", String(200), nullable=False),
    Column("requested_dkk", Dkk, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("total_tenths", Integer, nullable=False),
    Column("snapshot", Integer),
    Column("content", Text, nullable=False),
    Column("contact", Text),
    Column("screening", Text, nullable=False),
    Column("words", Text, nullable=False),
    Index(None, "side", "updated_at", "proposal_id"),
    Index(None, "side", "total_tenths", "proposal_id"),
)

# What a list filters by: name is `country` or `priority_area`.
facet = Table(
    "facet",
    metadata,
    Column("proposal_id", Key, ForeignKey("proposal.id"), primary_key=True),
    Column("side", String(4), primary_key=True),
    Column("name", String(20), primary_key=True),
    Column("value", String(40), primary_key=True),
    Index(None, "side", "name", "value", "proposal_id"),
)

# What was submitted, never changed. The personal contact is kept beside the hashed content, so that it can be erased.
snapshot = Table(
    "snapshot",
    metadata,
    _key(),
    _to("proposal.id", "proposal_id"),
    Column("number", Integer, nullable=False),
    Column("taken_at", Instant, nullable=False),
    _to("person.id", "taken_by"),
    Column("content", Text, nullable=False),
    Column("contact", Text),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("proposal_id", "number"),
)

# The whole canonical result of screening a snapshot, with everything it depended on.
screening = Table(
    "screening",
    metadata,
    _key(),
    _to("snapshot.id", "snapshot_id", unique=True),
    Column("rulebook", String(60), nullable=False),
    Column("rulebook_version", String(20), nullable=False),
    Column("rulebook_sha256", String(64), nullable=False),
    Column("semantics", Integer, nullable=False),
    Column("screened_on", Date, nullable=False),
    Column("last_cycle_year", Integer, nullable=False),
    Column("envelopes", Text, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("total_tenths", Integer, nullable=False),
    Column("result", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
)

history = Table(
    "history",
    metadata,
    _key(),
    _to("proposal.id", "proposal_id"),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("event", String(20), nullable=False),
    Column("source", String(20)),
    Column("target", String(20), nullable=False),
    _to("person.id", "person_id", nullable=True),
    Column("role", String(40)),
    Column("reason", Text),
    Column("deadline_on", Date),
    Column("snapshot", Integer),
    UniqueConstraint("proposal_id", "number"),
)

# The first answer to a POST with an Idempotency-Key, written in the transaction of its effect.
idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_sha256", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("status", Integer),
    Column("headers", Text),
    Column("body", LargeBinary),
)
