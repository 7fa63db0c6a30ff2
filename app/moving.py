"""The commands that take the whole service elsewhere: a backup, its restoration, a copy from one database to the other."""

import asyncio
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app import backups, dumps
from app.backups import DATABASE, FILES, Backup, Packing
from app.db import Database, Tx, open_database
from app.errors import Conflict
from app.files import Files
from app.records import whole
from app.schema import head, known
from app.schema import migrate as bring_to_head
from app.services import backups as described
from app.services import copying
from app.services.readiness import revision_of
from app.services.rulebooks import Library, open_library
from app.settings import RULES, Settings, SettingsError, read_settings

From = Annotated[str, typer.Argument(metavar="FROM", help="address of the database to copy; it only reads there")]
To = Annotated[str, typer.Argument(metavar="TO", help="address of an empty database, which is migrated first")]


def copy_database(source: From, target: To) -> None:
    """Copy a whole installation from SQLite to PostgreSQL, or back: all or nothing, read back and compared. Stop the service first."""
    at = _database(source)
    with at.reading() as tx:
        _check_at_head(revision_of(tx))
        goal = open_database(target)
        with goal.reading() as empty:
            copying.check_empty(empty)
        bring_to_head(target)
        with goal.transaction() as empty:
            copied = copying.copy(tx, empty)
        files = whole.stored_files(tx)
    for one in copied:
        typer.echo(f"{one.table}\t{one.rows}\tequal\t{one.sha256}")
    typer.echo(f"{len(copied)} tables, {sum(one.rows for one in copied)} rows; the log of acts is whole.")
    if lost := _lost(read_settings(), files):
        raise typer.Exit(lost)


def _database(url: str) -> Database:
    """The database there, which must be there."""
    opened = open_database(url)
    if dumps.kind(url) == dumps.SQLITE and not dumps.sqlite_file(url).is_file():
        raise SettingsError(f"There is no database at {dumps.sqlite_file(url)}.")
    return opened


def _check_at_head(revision: str | None) -> None:
    if revision != head():
        said = f"The database to copy is at migration {revision or 'nothing'}, not at {head()}; migrate it first."
        raise Conflict("not_migrated", said)


def _lost(settings: Settings, files: dict[str, int]) -> int:
    """Say whether every file that the database names is in the store; exit code 1 when one is not."""
    store = Files(settings.files)
    try:
        lost = [sha256 for sha256 in files if asyncio.run(store.whole(sha256)) is None]
    except OSError as error:
        typer.echo(f"Not checked: {error}.", err=True)
        return 1
    for sha256 in lost:
        typer.echo(f"The store of files has not: {sha256}", err=True)
    typer.echo(
        f"{len(files) - len(lost)} of {len(files)} files of attachments are in the store, each with its SHA-256."
    )
    return 1 if lost else 0


def backup(to: Annotated[Path, typer.Argument(help="the file to write, or a folder that is there")]) -> None:
    """Write database and attachments into one file, whoever writes meanwhile. Exit 1 when the store lacks a file."""
    settings, now = read_settings(), datetime.now(UTC)
    _database(settings.database_url)
    file = to / f"earmark-{now:%Y%m%dT%H%M%SZ}.tar" if to.is_dir() else to
    missing: list[str] = []
    with backups.packing(file) as pack, _dumped(settings.database_url, pack.folder / DATABASE) as tx:
        files = whole.stored_files(tx)
        with (pack.folder / DATABASE).open("rb") as dump:
            pack.add(DATABASE, dump)
        _pack_files(pack, Files(settings.files), files, missing)
        pack.finish(described.described(tx, dumps.kind(settings.database_url), now, missing))
    for sha256 in missing:
        typer.echo(f"The store of files has not: {sha256}", err=True)
    typer.echo(
        f"{file}: database and {len(files) - len(missing)} of {len(files)} files, {file.stat().st_size:,} bytes."
    )
    raise typer.Exit(1 if missing else 0)


@contextmanager
def _dumped(url: str, to: Path) -> Iterator[Tx]:
    """Dump the database; what is read in here is just what the dump holds."""
    if dumps.kind(url) == dumps.SQLITE:
        dumps.copy_sqlite(dumps.sqlite_file(url), to)
        with open_database(f"sqlite:///{to}").reading() as tx:
            yield tx
        return
    with open_database(url).reading() as tx:
        whole.unhurried(tx)
        dumps.dump_postgres(url, to, dumps.snapshot_of(tx))
        yield tx


def _pack_files(pack: Packing, store: Files, files: dict[str, int], missing: list[str]) -> None:
    """Files are never changed and their rows come after them, so those of the dump are there still."""
    for sha256 in files:
        data = asyncio.run(store.whole(sha256))
        if data is None:
            missing.append(sha256)
        else:
            pack.add(FILES + sha256, io.BytesIO(data))


def restore(
    file: Annotated[Path, typer.Argument(help="a file that `backup` wrote")],
    replace: Annotated[bool, typer.Option("--replace", help="SQLite: keep the database that is there aside")] = False,
) -> None:
    """Bring a backup into an empty place and check it: every SHA-256, every row, the log of acts. Stop the service first."""
    settings = read_settings()
    url = settings.database_url
    library = open_library(RULES, settings.framework)
    settings.var.mkdir(parents=True, exist_ok=True)
    _check_free(url, replace)
    beside = dumps.sqlite_file(url).parent if dumps.kind(url) == dumps.SQLITE else settings.var
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=beside) as name, backups.opened(file, Path(name)) as found:
        _check_fits(found, url)
        (_into_sqlite if dumps.kind(url) == dumps.SQLITE else _into_postgres)(found, settings, library)
        made, missing = found.manifest, found.manifest.missing
    for sha256 in missing:
        typer.echo(f"The backup has not, as when it was made: {sha256}", err=True)
    typer.echo(
        f"Restored as of {made.made_at:%Y-%m-%d %H:%M:%S} UTC: {sum(made.tables.values())} rows, "
        f"{len(made.members) - 1} files, the log of acts up to entry {made.audit.seq}."
    )
    raise typer.Exit(1 if missing else 0)


def _check_free(url: str, replace: bool) -> None:
    """Refuse where something is that would be lost."""
    if dumps.kind(url) == dumps.POSTGRESQL:
        with open_database(url).reading() as tx:
            if dumps.has_tables(tx):
                said = (
                    "The database has tables already, and nothing is replaced there. Make an empty one, name it in "
                    "EARMARK_DATABASE_URL, restore into it, and drop the old one when you need it no more."
                )
                raise Conflict("not_empty", said)
        return
    target = dumps.sqlite_file(url)
    if _is_there(target) and not replace:
        said = f"{target} is there already. Restore with another EARMARK_VAR, or say --replace to keep it aside."
        raise Conflict("not_empty", said)
    for log in (target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-journal")):
        if log.exists() and not target.exists():
            raise Conflict("not_empty", f"{log} belongs to a database that is not there; move it away first.")


def _check_fits(found: Backup, url: str) -> None:
    made = found.manifest
    if made.database != dumps.kind(url):
        said = f"This backup is of {made.database}, EARMARK_DATABASE_URL names {dumps.kind(url)}: restore into "
        raise Conflict("wrong_database", f"{said}{made.database} and use `copy-database` then. Nothing was done.")
    if made.migration not in known():
        said = f"This backup is of a newer Earmark (migration {made.migration}, we know {head()})"
        raise Conflict("too_new", f"{said}: restore it with that one. Nothing was done.")


def _is_there(file: Path) -> bool:
    """Whether there is a database: any command that looks for one leaves an empty file where there is none."""
    return file.exists() and file.stat().st_size > 0


def _into_sqlite(found: Backup, settings: Settings, library: Library) -> None:
    target, staged = dumps.sqlite_file(settings.database_url), found.database
    _make_sound(f"sqlite:///{staged}", found, library)
    dumps.take_out_of_use(staged)
    _keep_files(found, settings)
    if _is_there(target):
        dumps.take_out_of_use(target)
        aside = target.with_name(f"{target.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        target.rename(aside)
        typer.echo(f"What was there is kept as {aside}.")
    staged.rename(target)
    backups.sync_folder(target.parent)


def _into_postgres(found: Backup, settings: Settings, library: Library) -> None:
    url = settings.database_url
    dumps.load_postgres(url, found.database)
    try:
        _make_sound(url, found, library)
        _keep_files(found, settings)
    except BaseException:
        with open_database(url).transaction() as tx:
            dumps.drop_tables(tx)
        raise


def _make_sound(url: str, found: Backup, library: Library) -> None:
    """Check what was restored as it is, bring it to the newest migration, check what it says."""
    database = open_database(url)
    with database.reading() as tx:
        described.check_rows(tx, found.manifest)
    bring_to_head(url)
    with database.reading() as tx:
        whole.unhurried(tx)
        described.check_sound(tx, found.manifest, library)
    asyncio.run(database.close())


def _keep_files(found: Backup, settings: Settings) -> None:
    store = Files(settings.files)
    for sha256, data in found.files():
        if asyncio.run(store.whole(sha256)) is None:
            asyncio.run(store.put(sha256, data))
