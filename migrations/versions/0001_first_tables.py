"""First tables: people and tokens, cycles and envelopes, proposals with faces, snapshots, screenings and history."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cycle",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("framework", sa.String(length=60), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("added", sa.Boolean(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("closes_on >= opens_on", name=op.f("ck_cycle_window")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_cycle")),
    )
    op.create_table(
        "office",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("countries", sa.String(length=800), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_office")),
    )
    op.create_table(
        "envelope",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("amount_dkk", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("committed_dkk", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("committed_dkk >= 0 AND committed_dkk <= amount_dkk", name=op.f("ck_envelope_within")),
        sa.ForeignKeyConstraint(["year"], ["cycle.year"], name=op.f("fk_envelope_year_cycle")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_envelope")),
    )
    op.create_table(
        "person",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("office_code", sa.String(length=40), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["office_code"], ["office.code"], name=op.f("fk_person_office_code_office")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "cycle_change",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("reason", sa.String(length=4000), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_cycle_change_person_id_person")),
        sa.ForeignKeyConstraint(["year"], ["cycle.year"], name=op.f("fk_cycle_change_year_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle_change")),
    )
    op.create_index(op.f("ix_cycle_change_year"), "cycle_change", ["year"], unique=False)

    op.create_table(
        "idempotency_key",
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_idempotency_key_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)

    op.create_table(
        "proposal",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=20), nullable=False),
        sa.Column("cycle_year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("office_code", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("snapshots", sa.Integer(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("returned_by", sa.String(length=20), nullable=True),
        sa.Column("deadline_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_proposal_created_by_person")),
        sa.ForeignKeyConstraint(["cycle_year"], ["cycle.year"], name=op.f("fk_proposal_cycle_year_cycle")),
        sa.ForeignKeyConstraint(["office_code"], ["office.code"], name=op.f("fk_proposal_office_code_office")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("cycle_year", "number", name=op.f("uq_proposal_cycle_year_number")),
        sa.UniqueConstraint("ref", name=op.f("uq_proposal_ref")),
    )
    op.create_index(op.f("ix_proposal_office_code_id"), "proposal", ["office_code", "id"], unique=False)
    op.create_index(op.f("ix_proposal_state_cycle_year_id"), "proposal", ["state", "cycle_year", "id"], unique=False)
    op.create_index(op.f("ix_proposal_state_deadline_on"), "proposal", ["state", "deadline_on"], unique=False)

    op.create_table(
        "token",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("person_id", KEY, nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.String(length=800), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_token_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("sha256", name=op.f("uq_token_sha256")),
    )
    op.create_index(op.f("ix_token_person_id"), "token", ["person_id"], unique=False)

    op.create_table(
        "face",
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("requested_dkk", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("total_tenths", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("screening", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_face_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("proposal_id", "side", name=op.f("pk_face")),
    )
    op.create_index(
        op.f("ix_face_side_total_tenths_proposal_id"), "face", ["side", "total_tenths", "proposal_id"], unique=False
    )
    op.create_index(
        op.f("ix_face_side_updated_at_proposal_id"), "face", ["side", "updated_at", "proposal_id"], unique=False
    )

    op.create_table(
        "facet",
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_facet_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("proposal_id", "side", "name", "value", name=op.f("pk_facet")),
    )
    op.create_index(
        op.f("ix_facet_side_name_value_proposal_id"), "facet", ["side", "name", "value", "proposal_id"], unique=False
    )

    op.create_table(
        "history",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=True),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("person_id", KEY, nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("deadline_on", sa.Date(), nullable=True),
        sa.Column("snapshot", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_history_person_id_person")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_history_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
        sa.UniqueConstraint("proposal_id", "number", name=op.f("uq_history_proposal_id_number")),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("taken_by", KEY, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_snapshot_proposal_id_proposal")),
        sa.ForeignKeyConstraint(["taken_by"], ["person.id"], name=op.f("fk_snapshot_taken_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("proposal_id", "number", name=op.f("uq_snapshot_proposal_id_number")),
    )
    op.create_table(
        "screening",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("snapshot_id", KEY, nullable=False),
        sa.Column("rulebook", sa.String(length=60), nullable=False),
        sa.Column("rulebook_version", sa.String(length=20), nullable=False),
        sa.Column("rulebook_sha256", sa.String(length=64), nullable=False),
        sa.Column("semantics", sa.Integer(), nullable=False),
        sa.Column("screened_on", sa.Date(), nullable=False),
        sa.Column("last_cycle_year", sa.Integer(), nullable=False),
        sa.Column("envelopes", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("total_tenths", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_screening_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening")),
        sa.UniqueConstraint("snapshot_id", name=op.f("uq_screening_snapshot_id")),
    )
