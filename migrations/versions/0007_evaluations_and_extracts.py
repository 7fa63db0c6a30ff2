"""Evaluations of the framework, releases of public extracts, and the text of an agreement that was signed first."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "evaluation",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_evaluation_created_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
    )
    op.create_table(
        "extract_release",
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_extract_release_person_id_person")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_extract_release_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("proposal_id", "side", name=op.f("pk_extract_release")),
    )
    with op.batch_alter_table("agreement") as batch:
        batch.add_column(sa.Column("original", sa.Text(), nullable=True))
    # An amendment in force has replaced the text that was signed first; of all others it is still there.
    op.execute(
        "UPDATE agreement SET original = text WHERE signed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM amendment "
        "WHERE amendment.proposal_id = agreement.proposal_id AND amendment.signed_at IS NOT NULL)"
    )
