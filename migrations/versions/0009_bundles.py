"""Which messages went into one digest together."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("bundle", sa.String(length=32), nullable=True))
        batch_op.create_index(batch_op.f("ix_message_bundle"), ["bundle"], unique=False)
