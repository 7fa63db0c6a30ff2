"""Tables of who is who and who did what: people, tokens, sessions, logins, limits, and the audit log."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from app.records.metadata import Instant, Key, key, metadata, to

office = Table(
    "office",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("countries", String(800), nullable=False, default=""),
    Column("version", Integer, nullable=False, server_default="1"),
)

person = Table(
    "person",
    metadata,
    key(),
    Column("name", String(200), nullable=False),
    Column("email", String(320), nullable=False, unique=True),
    Column("role", String(40), nullable=False),
    to("office.code", "office_code", nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

token = Table(
    "token",
    metadata,
    key(),
    to("person.id", "person_id", index=True),
    Column("label", String(200), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", String(800), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

# When a token was last used, to the minute; a row of its own, so that using a token never waits for one who changes it.
token_use = Table(
    "token_use",
    metadata,
    Column("token_id", Key, ForeignKey("token.id"), primary_key=True, autoincrement=False),
    Column("used_at", Instant, nullable=False),
)

# A local account, for where there is no identity provider. The secrets go with the row when a person is erased.
login = Table(
    "login",
    metadata,
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("password_hash", String(200), nullable=False),
    Column("totp_secret", String(64)),
    Column("totp_confirmed", Boolean, nullable=False, default=False),
    Column("totp_step", Integer, nullable=False, default=0),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    key(),
    to("person.id", "person_id", index=True),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("used_at", Instant),
)

# Who a person is at the identity provider: issuer and subject, nothing else is an identity.
identity = Table(
    "identity",
    metadata,
    key(),
    to("person.id", "person_id", index=True),
    Column("issuer", String(400), nullable=False),
    Column("subject", String(255), nullable=False),
    UniqueConstraint("issuer", "subject"),
)

# `authenticated_at` is when the person last proved who they are; `state` what a login that is not finished waits for.
session = Table(
    "session",
    metadata,
    Column("sha256", LargeBinary(32), primary_key=True),
    to("person.id", "person_id", nullable=True, index=True),
    Column("state", Text, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("seen_at", Instant, nullable=False),
    Column("authenticated_at", Instant, nullable=False),
)

rate = Table(
    "rate",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("began", Integer, primary_key=True),
    Column("n", Integer, nullable=False),
)

# The log. What is hashed names people by id only; the address stands beside it and can be erased.
audit = Table(
    "audit",
    metadata,
    Column("seq", Key, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("event", String(60), nullable=False),
    to("person.id", "person_id", nullable=True),
    Column("role", String(40)),
    Column("token_id", Key),
    Column("subject", String(120), nullable=False),
    Column("before_sha256", String(64)),
    Column("after_sha256", String(64)),
    Column("facts", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("address", String(60)),
    Index(None, "person_id", "seq"),
    Index(None, "event", "seq"),
    Index(None, "subject", "seq"),
)

# The end of the chain, one row: locked by whoever writes the next entry.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Key, nullable=False),
    Column("hash", String(64), nullable=False),
)
