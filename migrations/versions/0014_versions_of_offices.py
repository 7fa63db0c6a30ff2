"""A version of each office, so that nobody undoes another's change unseen."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("office", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
