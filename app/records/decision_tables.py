"""The tables of the second half of the corridor: the money and its ledger, consultations and what they decide, evaluations."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from app.records.metadata import Dkk, Instant, Key, key, metadata, to

# What a year's appropriation was set to, when, by whom and why.
envelope_change = Table(
    "envelope_change",
    metadata,
    key(),
    to("envelope.year", "year", index=True),
    Column("at", Instant, nullable=False),
    to("person.id", "person_id", nullable=True),
    Column("amount_dkk", Dkk, nullable=False),
    Column("status", String(20), nullable=False),
    Column("reason", Text, nullable=False),
)

# Every figure of a year is a sum of these, which are only ever added: `requested` by a snapshot, `approved`, `agreed`,
# `paid`, `freed`. What is approved less what is freed is what the envelope holds as committed.
ledger = Table(
    "ledger",
    metadata,
    key(),
    Column("year", Integer, nullable=False),  # what is requested can lie in a year that has no envelope
    to("proposal.id", "proposal_id"),
    Column("kind", String(20), nullable=False),
    Column("amount_dkk", Dkk, nullable=False),
    Column("snapshot", Integer, nullable=False),
    to("consultation.id", "consultation_id", nullable=True),
    to("person.id", "person_id", nullable=True),
    Column("at", Instant, nullable=False),
    CheckConstraint("amount_dkk <> 0", name="amount"),
    Index(None, "proposal_id", "kind"),
    Index(None, "year", "kind"),
)

# `version` goes up with everything, `outer_version` only with what people outside the MFA may see. Envelopes, rulebook and
# the log's head are kept as they were when it was concluded. What is cancelled stays, with its reason.
consultation = Table(
    "consultation",
    metadata,
    key(),
    to("cycle.year", "cycle_year", index=True),
    Column("held_on", Date, nullable=False),
    Column("place", String(200), nullable=False),
    Column("participants", Text, nullable=False),
    Column("reason", Text),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("outer_version", Integer, nullable=False, default=1),
    to("person.id", "created_by"),
    Column("created_at", Instant, nullable=False),
    Column("concluded_at", Instant),
    to("person.id", "concluded_by", nullable=True),
    Column("concluded_because", Text),
    Column("envelopes", Text),
    Column("rulebook", Text),
    Column("head", String(64)),
    Column("cancelled_at", Instant),
    to("person.id", "cancelled_by", nullable=True),
    Column("cancelled_because", Text),
)

# `held_proposal_id` is the proposal until the consultation is concluded or cancelled: it is unique, so no two hold the same one.
agenda_item = Table(
    "agenda_item",
    metadata,
    Column("consultation_id", Key, ForeignKey("consultation.id"), primary_key=True),
    Column("proposal_id", Key, ForeignKey("proposal.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    to("proposal.id", "held_proposal_id", nullable=True, unique=True),
)

# Recorded while the consultation is open; in force from its conclusion on. `amounts` is DKK by year.
decision = Table(
    "decision",
    metadata,
    Column("consultation_id", Key, ForeignKey("consultation.id"), primary_key=True),
    Column("proposal_id", Key, ForeignKey("proposal.id"), primary_key=True, index=True),
    Column("decision", String(20), nullable=False),
    Column("amounts", Text, nullable=False),
    Column("conditions", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("to_cycle", Integer),
    Column("snapshot", Integer, nullable=False),
    to("person.id", "person_id"),
    Column("at", Instant, nullable=False),
)

# Words of a decision that were wrong: only ever added, after the conclusion; what was decided stays as it is.
correction = Table(
    "correction",
    metadata,
    key(),
    to("consultation.id", "consultation_id", index=True),
    to("proposal.id", "proposal_id", index=True),
    Column("text", Text, nullable=False),
    Column("reason", Text, nullable=False),
    to("person.id", "person_id"),
    Column("at", Instant, nullable=False),
)

# IOM's word on the minutes: objections stay on record, a confirmation is the last word.
minutes_answer = Table(
    "minutes_answer",
    metadata,
    key(),
    to("consultation.id", "consultation_id", index=True),
    to("person.id", "person_id"),
    Column("at", Instant, nullable=False),
    Column("answer", String(20), nullable=False),
    Column("objection", Text),
)

# In the third quarter, in the field; it decides nothing.
technical_meeting = Table(
    "technical_meeting",
    metadata,
    key(),
    to("cycle.year", "cycle_year", index=True),
    Column("held_on", Date, nullable=False),
    Column("place", String(200), nullable=False),
    Column("participants", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("follow_ups", Text, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    to("person.id", "created_by"),
    Column("updated_at", Instant, nullable=False),
    Column("cancelled_at", Instant),
    Column("cancelled_because", Text),
)

discussed = Table(
    "discussed",
    metadata,
    Column("technical_meeting_id", Key, ForeignKey("technical_meeting.id"), primary_key=True),
    Column("proposal_id", Key, ForeignKey("proposal.id"), primary_key=True),
)

# An evaluation of the framework, as one document; its stage follows from what is written in it.
evaluation = Table(
    "evaluation",
    metadata,
    key(),
    Column("content", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    to("person.id", "created_by"),
    Column("updated_at", Instant, nullable=False),
)
