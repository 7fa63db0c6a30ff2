"""Full-text search; office and state on each face, with indexes in the order of their lists."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.domain.finding import terms

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT_ONCE = 1_000
LED = (["side", "cycle_year", "state"], ["side", "office_code"])


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "findable",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("words", TSVECTOR().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findable")),
    )
    if sqlite:
        _index_on_sqlite()
    _fill()
    if not sqlite:
        op.create_index(
            op.f("ix_findable_words"),
            "findable",
            ["words"],
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 512},
        )
    op.add_column("face", sa.Column("office_code", sa.String(length=40), nullable=True))
    op.add_column("face", sa.Column("state", sa.String(length=20), nullable=True))
    op.execute(
        "UPDATE face SET (office_code, state) = "
        "(SELECT office_code, state FROM proposal WHERE proposal.id = face.proposal_id)"
    )
    with op.batch_alter_table("face", schema=None) as batch_op:
        batch_op.alter_column("office_code", existing_type=sa.String(length=40), nullable=False)
        batch_op.alter_column("state", existing_type=sa.String(length=20), nullable=False)
        batch_op.drop_column("words")
    for led in LED:
        for order in ("updated_at", "total_tenths"):
            columns = [*led, order, "proposal_id"]
            op.create_index(op.f(f"ix_face_{'_'.join(columns)}"), "face", columns)
    op.create_index(
        op.f("ix_face_side_office_code_cycle_year_state"), "face", ["side", "office_code", "cycle_year", "state"]
    )
    op.drop_index(op.f("ix_proposal_state_deadline_on"), "proposal")
    op.create_index(op.f("ix_proposal_state_deadline_on_id"), "proposal", ["state", "deadline_on", "id"])
    op.create_index(op.f("ix_clarification_answered_at_due_on"), "clarification", ["answered_at", "due_on"])
    op.create_index(op.f("ix_assessment_person_id_completed_at"), "assessment", ["person_id", "completed_at"])


def _index_on_sqlite() -> None:
    """Words are looked up in `findable_index`; of each it keeps only in which rows it stands."""
    op.execute(
        "CREATE VIRTUAL TABLE findable_index USING fts5(words, content='findable', content_rowid='id', "
        "tokenize=\"ascii tokenchars '='\", detail=none, columnsize=0)"
    )
    gone = "INSERT INTO findable_index (findable_index, rowid, words) VALUES ('delete', old.id, old.words);"
    come = "INSERT INTO findable_index (rowid, words) VALUES (new.id, new.words);"
    op.execute(f"CREATE TRIGGER findable_added AFTER INSERT ON findable BEGIN {come} END")
    op.execute(f"CREATE TRIGGER findable_changed AFTER UPDATE OF words ON findable BEGIN {gone} {come} END")
    op.execute(f"CREATE TRIGGER findable_removed AFTER DELETE ON findable BEGIN {gone} END")


def _fill() -> None:
    """The words that each face has, folded and with their stems."""
    bind, last = op.get_bind(), (0, "")
    read = sa.text(
        "SELECT proposal_id, side, words FROM face WHERE (proposal_id, side) > (:id, :side) "
        "ORDER BY proposal_id, side LIMIT :most"
    )
    add = sa.text("INSERT INTO findable (id, words) VALUES (:id, CAST(:words AS tsvector))")
    if bind.dialect.name == "sqlite":
        add = sa.text("INSERT INTO findable (id, words) VALUES (:id, :words)")
    while rows := bind.execute(read, {"id": last[0], "side": last[1], "most": AT_ONCE}).all():
        bind.execute(add, [{"id": 2 * row[0] + (row[1] == "mfa"), "words": terms(row[2])} for row in rows])
        last = (rows[-1][0], rows[-1][1])
