"""The tables of cycles, proposals and what hangs on them; those of people and access stand in their own room.

States and roles are text, so that a new one needs no migration.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

import app.records.access_tables  # the metadata is whole only with them
import app.records.agreement_tables
import app.records.decision_tables
import app.records.engagement_tables
import app.records.notice_tables  # noqa: F401
from app.records.metadata import Dkk, Instant, Key, key, metadata, to

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
    key(),
    to("cycle.year", "year", index=True),
    Column("at", Instant, nullable=False),
    to("person.id", "person_id", nullable=True),
    Column("reason", String(4000), nullable=False),
    Column("opens_on", Date, nullable=False),
    Column("closes_on", Date, nullable=False),
)

envelope = Table(
    "envelope",
    metadata,
    to("cycle.year", "year", primary_key=True),
    Column("amount_dkk", Dkk, nullable=False),
    Column("status", String(20), nullable=False),
    Column("committed_dkk", Dkk, nullable=False, default=0),
    Column("version", Integer, nullable=False, server_default="1"),
    CheckConstraint("committed_dkk >= 0 AND committed_dkk <= amount_dkk", name="within"),
)

# `lock` goes up with every change; a conditional UPDATE on it lets one of two simultaneous changes through.
proposal = Table(
    "proposal",
    metadata,
    key(),
    Column("ref", String(20), nullable=False, unique=True),
    to("cycle.year", "cycle_year"),
    Column("number", Integer, nullable=False),
    to("office.code", "office_code"),
    Column("state", String(20), nullable=False),
    Column("lock", Integer, nullable=False, default=1),
    to("person.id", "created_by"),
    Column("created_at", Instant, nullable=False),
    Column("snapshots", Integer, nullable=False, default=0),
    Column("moves", Integer, nullable=False, default=0),
    Column("returned_by", String(20)),
    Column("deadline_on", Date),
    Column("deferred_to", Integer),
    UniqueConstraint("cycle_year", "number"),
    Index(None, "state", "cycle_year", "id"),
    Index(None, "state", "deadline_on", "id"),
    Index(None, "office_code", "id"),
)

# What one side sees of a proposal. IOM's face is the working content; the MFA's is the last snapshot and does not exist
# before the first one. `snapshot` is the number of the snapshot a face shows, null where IOM has edited since; `screening`
# the summary of its screening. Version, time and figures belong to the face, so that nothing leaks from one side to the other.
# Cycle, office and state stand here once more, so that an index leads through every list in its order.
face = Table(
    "face",
    metadata,
    to("proposal.id", "proposal_id", primary_key=True),
    Column("side", String(4), primary_key=True),
    Column("cycle_year", Integer, nullable=False),
    Column("office_code", String(40), nullable=False),
    Column("state", String(20), nullable=False),
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
    *(
        Index(None, "side", *led, order, "proposal_id")
        for led in ((), ("cycle_year",), ("cycle_year", "state"), ("office_code",))
        for order in ("updated_at", "total_tenths")
    ),
    Index(None, "side", "office_code", "cycle_year", "state"),
)

# What each side's search finds a proposal by; the number is `findable.number`. PostgreSQL has an index on it here, SQLite
# in the FTS5 table `findable_index`, which triggers keep. Apart from the face, as a face changes with every move.
findable = Table(
    "findable",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("words", TSVECTOR().with_variant(Text(), "sqlite"), nullable=False),
    Index(None, "words", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 512}),
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
    key(),
    to("proposal.id", "proposal_id"),
    Column("number", Integer, nullable=False),
    Column("taken_at", Instant, nullable=False),
    to("person.id", "taken_by"),
    Column("content", Text, nullable=False),
    Column("contact", Text),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("proposal_id", "number"),
)

# The whole canonical result of screening a snapshot, with everything it depended on.
screening = Table(
    "screening",
    metadata,
    key(),
    to("snapshot.id", "snapshot_id", unique=True),
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
    key(),
    to("proposal.id", "proposal_id"),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("event", String(20), nullable=False),
    Column("source", String(20)),
    Column("target", String(20), nullable=False),
    to("person.id", "person_id", nullable=True),
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

# What embassies, the mission and the MFA say about a proposal among themselves; IOM never sees it.
comment = Table(
    "comment",
    metadata,
    key(),
    to("proposal.id", "proposal_id", index=True),
    to("person.id", "person_id"),
    Column("at", Instant, nullable=False),
    Column("visibility", String(20), nullable=False),
    Column("text", Text, nullable=False),
)

# Who may take no part in a proposal, by their own word.
conflict = Table(
    "conflict",
    metadata,
    Column("proposal_id", Key, ForeignKey("proposal.id"), primary_key=True),
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

# A file's bytes stand in the store under their SHA-256; here is what hangs on which proposal, and who may see it. What
# IOM adds to working content belongs to no snapshot until the next submission.
attachment = Table(
    "attachment",
    metadata,
    key(),
    to("proposal.id", "proposal_id", index=True),
    Column("side", String(4), nullable=False),
    Column("visibility", String(20), nullable=False),
    Column("name", String(255), nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("snapshot", Integer),
    to("person.id", "person_id"),
    Column("at", Instant, nullable=False),
)

clarification = Table(
    "clarification",
    metadata,
    key(),
    to("proposal.id", "proposal_id", index=True),
    Column("criterion", String(1)),
    Column("field", String(60)),
    Column("question", Text, nullable=False),
    to("person.id", "asked_by"),
    Column("asked_at", Instant, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("answer", Text),
    to("person.id", "answered_by", nullable=True),
    Column("answered_at", Instant),
    Index(None, "answered_at", "due_on"),
)

# One person's judgement of one snapshot. `past` are the versions that were completed and reopened, with the reasons.
assessment = Table(
    "assessment",
    metadata,
    key(),
    to("proposal.id", "proposal_id"),
    Column("snapshot", Integer, nullable=False),
    to("person.id", "person_id"),
    Column("grades", Text, nullable=False),
    Column("comments", Text, nullable=False),
    Column("overall", Text, nullable=False),
    Column("carried_from", Integer),
    Column("updated_at", Instant, nullable=False),
    Column("completed_at", Instant),
    Column("past", Text, nullable=False),
    UniqueConstraint("proposal_id", "snapshot", "person_id"),
    Index(None, "person_id", "completed_at"),
)

# What the desk officer recommends to the consultation; the newest of a snapshot counts.
recommendation = Table(
    "recommendation",
    metadata,
    key(),
    to("proposal.id", "proposal_id", index=True),
    Column("snapshot", Integer, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("memo", Text, nullable=False),
    to("person.id", "person_id"),
    Column("at", Instant, nullable=False),
)
