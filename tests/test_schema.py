"""Migrations on PostgreSQL: two at once, and one that meets a lock."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from sqlalchemy.exc import OperationalError

from app.outages import told
from app.schema import config, head
from tests.serving import earmark


def test_two_who_migrate_at_once_both_succeed(empty_postgres: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: earmark("migrate", EARMARK_DATABASE_URL=empty_postgres), range(2)))
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    assert _revision(empty_postgres) == head()


def test_a_migration_that_meets_a_long_lock_gives_up_in_time_and_leaves_nothing_half_done(empty_postgres: str) -> None:
    impatient = config(empty_postgres)
    impatient.set_main_option("lock_timeout", "100ms")
    command.upgrade(impatient, "0009")
    with psycopg.connect(_plain(empty_postgres)) as holder:
        holder.execute("SELECT * FROM face")  # 0012 changes this table, 0010 and 0011 others
        with pytest.raises(OperationalError) as refused:
            command.upgrade(impatient, "head")
    out = told(refused.value)
    assert out
    assert out.detail.startswith("Others hold what this needs for too long. Nothing was done")
    assert _revision(empty_postgres) == "0009"
    command.upgrade(impatient, "head")
    assert _revision(empty_postgres) == head()


def _revision(url: str) -> str:
    with psycopg.connect(_plain(url)) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found
    return str(found[0])


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")
