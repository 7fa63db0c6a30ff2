"""The database's schema: bringing it to the newest migration, and knowing which that is."""

from functools import cache
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.settings import ROOT


def config(url: str | None = None) -> Config:
    """Alembic's configuration, with the database's address where one is given."""
    found = Config(ROOT / "alembic.ini")
    found.set_main_option("script_location", str(ROOT / "migrations"))
    if url:
        found.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return found


@cache
def head() -> str:
    """The newest migration."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    assert found, "there is no migration"
    return found


def compared(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Whether a table or index is ours to compare with `records`: on SQLite the index of words is FTS5's own tables."""
    return not (name or "").startswith(("findable_", "ix_findable_"))


@cache
def known() -> frozenset[str]:
    """Every migration this version knows."""
    return frozenset(one.revision for one in ScriptDirectory.from_config(config()).walk_revisions())


def migrate(url: str) -> None:
    """Bring the database to the newest migration; one that is there already stays as it is."""
    command.upgrade(config(url), "head")
