"""The cycle on each face, with indexes in the order of lists; indexes of what waits by its state."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("face", sa.Column("cycle_year", sa.Integer(), nullable=True))
    op.execute("UPDATE face SET cycle_year = (SELECT cycle_year FROM proposal WHERE proposal.id = face.proposal_id)")
    with op.batch_alter_table("face", schema=None) as batch_op:
        batch_op.alter_column("cycle_year", existing_type=sa.Integer(), nullable=False)
    for order in ("updated_at", "total_tenths"):
        columns = ["side", "cycle_year", order, "proposal_id"]
        op.create_index(op.f(f"ix_face_side_cycle_year_{order}_proposal_id"), "face", columns)
    op.create_index(op.f("ix_payment_state_due_on"), "payment", ["state", "due_on"])
    op.create_index(op.f("ix_report_state"), "report", ["state"])
    op.create_index(op.f("ix_amendment_state"), "amendment", ["state"])
