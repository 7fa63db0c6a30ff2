"""A whole database as one file, and back: SQLite by its own backup, PostgreSQL by its own programs.

No password stands on a command line, where everybody on the machine could read it.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

import psycopg.conninfo
from sqlalchemy import Connection, inspect, make_url, text

from app.errors import Conflict, Unavailable
from app.settings import SettingsError

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
Kind = Literal["sqlite", "postgresql"]
_SECRET = ("password", "sslpassword")


def kind(url: str) -> Kind:
    """Which of the two databases an address is of."""
    return SQLITE if make_url(url).get_backend_name() == SQLITE else POSTGRESQL


def sqlite_file(url: str) -> Path:
    """The file of a SQLite database."""
    name = make_url(url).database
    if not name or name == ":memory:":
        raise SettingsError("A database in memory cannot be kept or moved; name a file: sqlite:////path/earmark.db")
    return Path(name)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database as it stands at one moment, whoever writes meanwhile, into a file without a log beside it."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other, pages=-1)  # in one go: step by step it begins anew whenever somebody writes
        other.execute("PRAGMA journal_mode = DELETE")


def take_out_of_use(file: Path) -> None:
    """Fold the log into a SQLite file, so that it is whole by itself; refused while anybody has it open."""
    try:
        with closing(sqlite3.connect(file, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        said = f"{file} is in use ({error}); stop the service and whatever else has it open. Nothing was done."
        raise Conflict("database_in_use", said) from None


def snapshot_of(tx: Connection) -> str:
    """The name of a PostgreSQL transaction's snapshot, for as long as it is open."""
    return str(tx.scalar(text("SELECT pg_export_snapshot()")))


def dump_postgres(url: str, target: Path, snapshot: str) -> None:
    """Dump a PostgreSQL database as it stands in a snapshot, whoever writes meanwhile."""
    options = ["--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s", f"--snapshot={snapshot}"]
    _run(url, "pg_dump", *options, f"--file={target}")


def load_postgres(url: str, source: Path) -> None:
    """Load a dump into an empty PostgreSQL database, as a whole or not at all."""
    _run(url, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(source))


def has_tables(tx: Connection) -> bool:
    return bool(inspect(tx).get_table_names())


def drop_tables(tx: Connection) -> None:
    """Take away every table of a PostgreSQL database."""
    quoted = tx.dialect.identifier_preparer.quote
    for name in inspect(tx).get_table_names():
        tx.execute(text(f"DROP TABLE {quoted(name)} CASCADE"))


def _run(url: str, program: str, *words: str) -> None:
    address = make_url(url)
    _, given = address.get_dialect()().create_connect_args(address)
    secrets = {f"PG{name.upper()}": str(given[name]) for name in _SECRET if given.get(name)}
    where = psycopg.conninfo.make_conninfo("", **{name: value for name, value in given.items() if name not in _SECRET})
    command = [_program(program), "--no-password", f"--dbname={where}", *words]
    done = subprocess.run(command, env={**os.environ, **secrets}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Unavailable("program_failed", f"{program}: {(done.stderr.strip() or 'it failed').splitlines()[0]}")


def _program(name: str) -> str:
    """Where PostgreSQL's program is: on PATH, else the newest of Debian's."""
    if found := shutil.which(name):
        return found
    debian = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if path.parts[-3].isdecimal()]
    if not debian:
        said = f"{name} is not here; install PostgreSQL's client programs (Debian: postgresql-client)."
        raise Unavailable("program_missing", said)
    return str(max(debian, key=lambda path: int(path.parts[-3])))
