"""The tables of what follows a decision: agreements with their signatures, and payments."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from app.records.metadata import Dkk, Instant, Key, key, metadata, to

# One text both sides sign. While it is open its text is made from what is stored; signed, it stands here word for word.
# An amendment in force replaces `text`; `original` stays what was signed first.
agreement = Table(
    "agreement",
    metadata,
    Column("proposal_id", Key, ForeignKey("proposal.id"), primary_key=True),
    Column("budget", Text),
    Column("text", Text),
    Column("original", Text),
    Column("sha256", String(64)),
    Column("signed_at", Instant),
    Column("version", Integer, nullable=False, server_default="1"),
)

# Who signed which text for which side; a change of the text takes away those given before.
signature = Table(
    "signature",
    metadata,
    Column("proposal_id", Key, ForeignKey("agreement.proposal_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # 0: the agreement, else the amendment
    Column("side", String(4), primary_key=True),
    to("person.id", "person_id"),
    Column("at", Instant, nullable=False),
    Column("sha256", String(64), nullable=False),
)

# A change of what is agreed, in force when both sides have signed its text. `content` is the whole new content.
amendment = Table(
    "amendment",
    metadata,
    Column("proposal_id", Key, ForeignKey("agreement.proposal_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("screening", Text, nullable=False),
    Column("state", String(20), nullable=False),
    to("person.id", "proposed_by"),
    Column("proposed_at", Instant, nullable=False),
    Column("signed_at", Instant),
    Column("snapshot", Integer),
    Index(None, "state"),
)

# IOM's report on a year. The Danish side sees `submitted`, what was last submitted; `past` are earlier submissions and
# what was said of them.
report = Table(
    "report",
    metadata,
    Column("proposal_id", Key, ForeignKey("proposal.id"), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("state", String(20), nullable=False),
    Column("content", Text, nullable=False),
    Column("submitted", Text),
    Column("final", Boolean, nullable=False),
    Column("past", Text, nullable=False),
    Column("comment", Text),
    Column("version", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("submitted_at", Instant),
    to("person.id", "submitted_by", nullable=True),
    Column("decided_at", Instant),
    to("person.id", "decided_by", nullable=True),
    Index(None, "state"),
)

# A tranche. Who prepares does not release, also when the service should fail to ask.
payment = Table(
    "payment",
    metadata,
    key(),
    to("proposal.id", "proposal_id"),
    Column("number", Integer, nullable=False),
    Column("year", Integer, nullable=False, index=True),
    Column("amount_dkk", Dkk, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("condition", Text),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    to("person.id", "scheduled_by"),
    Column("scheduled_at", Instant, nullable=False),
    to("person.id", "prepared_by", nullable=True),
    Column("prepared_at", Instant),
    to("person.id", "released_by", nullable=True),
    Column("released_at", Instant),
    to("person.id", "received_by", nullable=True),
    Column("received_at", Instant),
    Column("received_on", Date),
    Column("received_dkk", Dkk),
    Column("note", Text),
    Column("cancelled_at", Instant),
    Column("reason", Text),
    UniqueConstraint("proposal_id", "number"),
    CheckConstraint("amount_dkk > 0", name="amount"),
    CheckConstraint("prepared_by IS NULL OR released_by IS NULL OR prepared_by <> released_by", name="four_eyes"),
    Index(None, "state", "due_on"),
)

# A side's word that the extract of a proposal may be public, for the text with this SHA-256 and for no other.
extract_release = Table(
    "extract_release",
    metadata,
    Column("proposal_id", Key, ForeignKey("proposal.id"), primary_key=True),
    Column("side", String(4), primary_key=True),
    to("person.id", "person_id"),
    Column("at", Instant, nullable=False),
    Column("sha256", String(64), nullable=False),
)
