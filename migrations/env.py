"""Runs the migrations on SQLite and PostgreSQL; on PostgreSQL one process at a time, and never waiting long for a lock."""

from alembic import context
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import NullPool

from app.records import tables
from app.schema import compared
from app.settings import read_settings

# Any number that only we use: whoever migrates holds this advisory lock.
LOCK = 7261966


def run() -> None:
    """Run what is asked for on the configured database."""
    url = context.config.get_main_option("sqlalchemy.url") or read_settings().database_url
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        _begin_for_real(engine)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET statement_timeout = '10min'"))
            connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))  # another migrates: it may take its time
            connection.execute(text(f"SET lock_timeout = '{context.config.get_main_option('lock_timeout')}'"))
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=tables.proposal.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            include_object=compared if connection.dialect.name == "sqlite" else None,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


def _begin_for_real(engine: object) -> None:
    """SQLite's driver begins no transaction before DDL by itself: without this a failed migration would stay half done."""

    @event.listens_for(engine, "connect")
    def _off(connection: object, record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3's own attribute

    @event.listens_for(engine, "begin")
    def _begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]  # a Connection


run()
