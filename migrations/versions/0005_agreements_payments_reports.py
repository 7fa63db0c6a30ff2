"""Agreements, amendments, signatures, payments, reports."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "agreement",
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("budget", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_agreement_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_agreement")),
    )
    op.create_table(
        "payment",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("amount_dkk", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("scheduled_by", KEY, nullable=False),
        sa.Column("scheduled_at", INSTANT, nullable=False),
        sa.Column("prepared_by", KEY, nullable=True),
        sa.Column("prepared_at", INSTANT, nullable=True),
        sa.Column("released_by", KEY, nullable=True),
        sa.Column("released_at", INSTANT, nullable=True),
        sa.Column("received_by", KEY, nullable=True),
        sa.Column("received_at", INSTANT, nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("received_dkk", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("amount_dkk > 0", name=op.f("ck_payment_amount")),
        sa.CheckConstraint(
            "prepared_by IS NULL OR released_by IS NULL OR prepared_by <> released_by",
            name=op.f("ck_payment_four_eyes"),
        ),
        sa.ForeignKeyConstraint(["prepared_by"], ["person.id"], name=op.f("fk_payment_prepared_by_person")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_payment_proposal_id_proposal")),
        sa.ForeignKeyConstraint(["received_by"], ["person.id"], name=op.f("fk_payment_received_by_person")),
        sa.ForeignKeyConstraint(["released_by"], ["person.id"], name=op.f("fk_payment_released_by_person")),
        sa.ForeignKeyConstraint(["scheduled_by"], ["person.id"], name=op.f("fk_payment_scheduled_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("proposal_id", "number", name=op.f("uq_payment_proposal_id_number")),
    )
    op.create_index(op.f("ix_payment_year"), "payment", ["year"], unique=False)

    op.create_table(
        "report",
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("submitted", sa.Text(), nullable=True),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("past", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=True),
        sa.Column("submitted_by", KEY, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", KEY, nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_report_decided_by_person")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_report_proposal_id_proposal")),
        sa.ForeignKeyConstraint(["submitted_by"], ["person.id"], name=op.f("fk_report_submitted_by_person")),
        sa.PrimaryKeyConstraint("proposal_id", "year", name=op.f("pk_report")),
    )
    op.create_table(
        "amendment",
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("screening", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("proposed_by", KEY, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("signed_at", INSTANT, nullable=True),
        sa.Column("snapshot", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["agreement.proposal_id"], name=op.f("fk_amendment_proposal_id_agreement")
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_amendment_proposed_by_person")),
        sa.PrimaryKeyConstraint("proposal_id", "number", name=op.f("pk_amendment")),
    )
    op.create_table(
        "signature",
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_signature_person_id_person")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["agreement.proposal_id"], name=op.f("fk_signature_proposal_id_agreement")
        ),
        sa.PrimaryKeyConstraint("proposal_id", "number", "side", name=op.f("pk_signature")),
    )
