"""Money and its ledger, consultations, technical meetings, notices."""

import json
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_table(
        "consultation",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("cycle_year", sa.Integer(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("participants", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("outer_version", sa.Integer(), nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("concluded_at", INSTANT, nullable=True),
        sa.Column("concluded_by", KEY, nullable=True),
        sa.Column("concluded_because", sa.Text(), nullable=True),
        sa.Column("envelopes", sa.Text(), nullable=True),
        sa.Column("rulebook", sa.Text(), nullable=True),
        sa.Column("head", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["concluded_by"], ["person.id"], name=op.f("fk_consultation_concluded_by_person")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_consultation_created_by_person")),
        sa.ForeignKeyConstraint(["cycle_year"], ["cycle.year"], name=op.f("fk_consultation_cycle_year_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation")),
    )
    op.create_index(op.f("ix_consultation_cycle_year"), "consultation", ["cycle_year"], unique=False)

    op.create_table(
        "envelope_change",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("amount_dkk", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_envelope_change_person_id_person")),
        sa.ForeignKeyConstraint(["year"], ["envelope.year"], name=op.f("fk_envelope_change_year_envelope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_envelope_change")),
    )
    op.create_index(op.f("ix_envelope_change_year"), "envelope_change", ["year"], unique=False)

    op.create_table(
        "technical_meeting",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("cycle_year", sa.Integer(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("participants", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("follow_ups", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_technical_meeting_created_by_person")),
        sa.ForeignKeyConstraint(["cycle_year"], ["cycle.year"], name=op.f("fk_technical_meeting_cycle_year_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_technical_meeting")),
    )
    op.create_index(op.f("ix_technical_meeting_cycle_year"), "technical_meeting", ["cycle_year"], unique=False)

    op.create_table(
        "agenda_item",
        sa.Column("consultation_id", KEY, nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("held_proposal_id", KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_agenda_item_consultation_id_consultation")
        ),
        sa.ForeignKeyConstraint(
            ["held_proposal_id"], ["proposal.id"], name=op.f("fk_agenda_item_held_proposal_id_proposal")
        ),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_agenda_item_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("consultation_id", "proposal_id", name=op.f("pk_agenda_item")),
        sa.UniqueConstraint("held_proposal_id", name=op.f("uq_agenda_item_held_proposal_id")),
    )
    op.create_table(
        "decision",
        sa.Column("consultation_id", KEY, nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("amounts", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("to_cycle", sa.Integer(), nullable=True),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_decision_consultation_id_consultation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_decision_person_id_person")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_decision_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("consultation_id", "proposal_id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_proposal_id"), "decision", ["proposal_id"], unique=False)

    op.create_table(
        "discussed",
        sa.Column("technical_meeting_id", KEY, nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_discussed_proposal_id_proposal")),
        sa.ForeignKeyConstraint(
            ["technical_meeting_id"],
            ["technical_meeting.id"],
            name=op.f("fk_discussed_technical_meeting_id_technical_meeting"),
        ),
        sa.PrimaryKeyConstraint("technical_meeting_id", "proposal_id", name=op.f("pk_discussed")),
    )
    op.create_table(
        "ledger",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("amount_dkk", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("consultation_id", KEY, nullable=True),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("amount_dkk <> 0", name=op.f("ck_ledger_amount")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_ledger_consultation_id_consultation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_ledger_person_id_person")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_ledger_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_index(op.f("ix_ledger_proposal_id_kind"), "ledger", ["proposal_id", "kind"], unique=False)
    op.create_index(op.f("ix_ledger_year_kind"), "ledger", ["year", "kind"], unique=False)

    op.create_table(
        "minutes_answer",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("consultation_id", KEY, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("objection", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_minutes_answer_consultation_id_consultation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_minutes_answer_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_minutes_answer")),
    )
    op.create_index(op.f("ix_minutes_answer_consultation_id"), "minutes_answer", ["consultation_id"], unique=False)

    with op.batch_alter_table("envelope", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))

    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deferred_to", sa.Integer(), nullable=True))

    _note_what_was_requested()


def _note_what_was_requested() -> None:
    """What the snapshots there are ask for, by year, goes into the ledger as if it had been there when they were taken."""
    tx = op.get_bind()
    kept = tx.execute(sa.text("SELECT proposal_id, number, content, taken_by, taken_at FROM snapshot ORDER BY id"))
    entry = sa.text(
        "INSERT INTO ledger (year, proposal_id, kind, amount_dkk, snapshot, person_id, at) "
        "VALUES (:year, :proposal, 'requested', :amount, :snapshot, :person, :at)"
    )
    for row in kept.all():
        years: Counter[int] = Counter()
        for line in json.loads(row.content)["budget"]:
            years[line["year"]] += line["amount"]
        for year, amount in sorted(years.items()):
            if amount:
                said = {"year": year, "proposal": row.proposal_id, "amount": amount, "snapshot": row.number}
                tx.execute(entry, {**said, "person": row.taken_by, "at": row.taken_at})
