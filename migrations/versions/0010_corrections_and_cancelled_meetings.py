"""Corrections of decisions; consultations and technical meetings that are cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("consultation_id", KEY, nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_correction_consultation_id_consultation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_correction_person_id_person")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_correction_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_consultation_id"), "correction", ["consultation_id"], unique=False)
    op.create_index(op.f("ix_correction_proposal_id"), "correction", ["proposal_id"], unique=False)

    with op.batch_alter_table("consultation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cancelled_at", INSTANT, nullable=True))
        batch_op.add_column(sa.Column("cancelled_by", KEY, nullable=True))
        batch_op.add_column(sa.Column("cancelled_because", sa.Text(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_consultation_cancelled_by_person"), "person", ["cancelled_by"], ["id"]
        )

    with op.batch_alter_table("technical_meeting", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cancelled_at", INSTANT, nullable=True))
        batch_op.add_column(sa.Column("cancelled_because", sa.Text(), nullable=True))
