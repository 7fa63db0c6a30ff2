"""The tables of telling: what happened, who is owed word of it by which channel, where that stands, how people want to hear."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from app.records.metadata import Instant, Key, key, metadata, to

# What people must be told, written in the transaction that made it true; delivery reads it from here.
notice = Table(
    "notice",
    metadata,
    key(),
    Column("kind", String(40), nullable=False),
    Column("subject", String(120), nullable=False, index=True),
    Column("ref", String(20), index=True),
    Column("facts", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

# One notice to one reader by one channel. `next_at` is due time and lease in one; `uid` is the Message-ID or webhook-id of
# every attempt, so that a receiver can drop a repeat. What once went into one digest stays together under its `bundle`, which
# is the digest's Message-ID. Who has another role or office when it is sent than it was addressed to is not told.
message = Table(
    "message",
    metadata,
    key(),
    to("notice.id", "notice_id", index=True),
    Column("channel", String(10), nullable=False),
    to("person.id", "person_id", nullable=True, index=True),
    to("webhook.id", "webhook_id", nullable=True, index=True),
    Column("addressed_role", String(40)),
    Column("addressed_office", String(40)),
    Column("uid", String(64), nullable=False, unique=True),
    Column("state", String(12), nullable=False, server_default="waiting"),
    Column("next_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("sent_at", Instant),
    Column("error", Text),
    to("notice.id", "superseded_by", nullable=True),
    Column("bundle", String(32), index=True),
    Index("ix_message_due", "state", "next_at"),
)

# How a person wants to hear: language, a daily digest of what is no decision, no reminders.
preference = Table(
    "preference",
    metadata,
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("language", String(2), nullable=False),
    Column("digest", Boolean, nullable=False),
    Column("reminders", Boolean, nullable=False),
)

# Where an office's system hears of events. The secret is what both sides sign with; the one before it holds a while.
webhook = Table(
    "webhook",
    metadata,
    key(),
    to("person.id", "person_id", index=True),
    to("office.code", "office_code", nullable=True),
    Column("url", String(2000), nullable=False),
    Column("events", Text, nullable=False),
    Column("secret", String(100), nullable=False),
    Column("old_secret", String(100)),
    Column("old_until", Instant),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("paused_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)

# A private address of a person's calendar; only its hash is kept.
feed = Table(
    "feed",
    metadata,
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
)

# Reminders that were owed: the name says of what, for which day and how long before.
reminder = Table(
    "reminder",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("at", Instant, nullable=False),
)
