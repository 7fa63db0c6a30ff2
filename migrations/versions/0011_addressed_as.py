"""As whom a message was addressed: role and office of its reader when it was owed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("addressed_role", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("addressed_office", sa.String(length=40), nullable=True))
