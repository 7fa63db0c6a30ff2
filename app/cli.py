"""The command line: serve, migrate, demo, check, rulebook; proposing and administration have rooms of their own.

Errors are sentences on stderr; 2 is a wrong use, 1 a refusal.
"""

import hashlib
import json
import logging
import os
import sqlite3
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import SQLAlchemyError

from app import administration, casefiles, delivering, exchange, logs, moving, previewing, proposing
from app import demo as demo_data
from app.db import Database, open_database
from app.domain.rulebook import FILES, Rulebook, RulebookError, build_rulebook
from app.errors import AppError
from app.main import create_app
from app.outages import told
from app.schema import migrate as bring_to_head
from app.services import clock, comparison, cycles, integrity, upkeep
from app.services.rulebooks import Library, ManifestError, described, open_library
from app.serving import Server
from app.settings import RULES, Settings, SettingsError, read_settings
from app.web.requests import House

OF_ONE_INSTANCE = ("host", "port", "var", "deliver", "drain")  # instances differ in these, and that is no change

cli = typer.Typer(add_completion=False, no_args_is_help=True, help="Earmark: softly earmarked funds, settled.")
rulebook = typer.Typer(no_args_is_help=True, help="Check and show rulebooks.")
cli.add_typer(rulebook, name="rulebook")
cli.add_typer(administration.user, name="user")
cli.add_typer(administration.office, name="office")
cli.add_typer(administration.token, name="token")
cli.add_typer(administration.audits, name="audit")
cli.add_typer(exchange.iati, name="iati")
cli.add_typer(casefiles.cases, name="casefile")
cli.add_typer(exchange.cycle, name="cycle")
cli.command("deliver")(delivering.deliver)
cli.command("template")(proposing.template)
cli.command("screen")(proposing.screen_files)
cli.command("submit")(proposing.submit)
cli.add_typer(exchange.engaged, name="engagements")
cli.command("backup")(moving.backup)
cli.command("restore")(moving.restore)
cli.command("copy-database")(moving.copy_database)
cli.add_typer(previewing.messages, name="messages")


def _prepared(settings: Settings) -> tuple[Database, Library]:
    """The database at its newest migration with the framework's cycles in it, and the published rulebooks."""
    library = open_library(RULES, settings.framework)
    database = open_database(settings.database_url)
    bring_to_head(settings.database_url)
    with database.transaction() as tx:
        cycles.establish(tx, library.current.framework)
    return database, library


@cli.command()
def serve() -> None:
    """Serve the API. In demo mode the database is migrated and filled first."""
    settings = read_settings()
    if settings.demo:
        _fill_demo(settings)
    logs.set_up()
    sys.setswitchinterval(0.0005)
    app = create_app(settings)
    server = Server(app, partial(_started, app.state.house))
    try:
        server.run()
    except SystemExit:  # as the server does when it finds no door, with a code of its own
        raise typer.Exit(1) from None
    if not server.started:
        raise typer.Exit(1)


def _started(here: House) -> None:
    """Once somebody can be answered, not before: who fails to start puts no rulebook in force."""
    _note_start(here)
    _announce(here.settings)


def _note_start(here: House) -> None:
    """Write a changed rulebook or configuration to the log of acts; a database not migrated yet has no log."""
    names = (name for name in Settings.__slots__ if name not in (*OF_ONE_INSTANCE, "database_url", "oidc"))
    public = {name: str(getattr(here.settings, name)) for name in names}
    if here.settings.oidc:
        public["oidc"] = str(replace(here.settings.oidc, client_secret=""))
    configuration = hashlib.sha256(json.dumps(public, sort_keys=True).encode()).hexdigest()
    with here.database.transaction() as tx:
        upkeep.note_start(tx, here.library, configuration, clock.now(here.settings.today))


def _fill_demo(settings: Settings) -> None:
    database, library = _prepared(settings)
    demo_data.load(database, library, settings.demo_file, clock.now(settings.today))


def _announce(settings: Settings) -> None:
    address = f"http://{settings.host}:{settings.port}"
    read = f'python3 -c \'import json; print(json.load(open("{settings.demo_file}"))["iom_focal_point"]["token"])\''
    typer.echo(f"Earmark serves on {address} (API documentation: {address}/docs)")
    if not settings.demo:
        return
    typer.echo(f"People and tokens of the demo: {settings.demo_file}")
    typer.echo(f'Try: curl -s -H "Authorization: Bearer $({read})" {address}/api/v1/proposals')


@cli.command()
def migrate() -> None:
    """Bring the database to the newest migration and make the framework's cycles."""
    _prepared(read_settings())
    typer.echo("The database is at the newest migration.")


@cli.command()
def demo() -> None:
    """Fill an empty database with the demo."""
    settings = read_settings({**os.environ, "EARMARK_DEMO": "1"})
    _fill_demo(settings)
    typer.echo(f"The demo is there; its people and tokens stand in {settings.demo_file}.")


@cli.command()
def check() -> None:
    """Check what is stored: states, letters and hashes known, histories that replay to the current state."""
    settings = read_settings()
    library = open_library(RULES, settings.framework)
    with open_database(settings.database_url).reading() as tx:
        faults = integrity.faults(tx, library)
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo("Everything stored is sound.")


@cli.command()
def tidy() -> None:
    """Delete ended sessions, old rate rows and idempotency keys, as EARMARK_KEEP_DAYS says."""
    keep = read_settings().keep_days
    with administration.acting() as (tx, now):
        gone = upkeep.tidy(tx, keep, now)
    typer.echo(", ".join(f"{number} {name.replace('_', ' ')}" for name, number in gone.items()) + " deleted.")


@rulebook.command("check")
def rulebook_check(
    files: Annotated[list[Path], typer.Argument(help="criteria.yaml files or rulebook folders")],
) -> None:
    """Find every mistake in rulebook files; the files beside each are read with it, else those of the framework."""
    mistakes = 0
    for path in files:
        try:
            book = _rulebook_at(path)
            typer.echo(f"{path}: sound ({book.id} {book.version}, SHA-256 {book.sha256})")
        except RulebookError as error:
            mistakes += len(error.mistakes)
            typer.echo(str(error), err=True)
    if mistakes:
        typer.echo(f"{mistakes} mistake{'s' if mistakes > 1 else ''}.", err=True)
        raise typer.Exit(1)


def _rulebook_at(path: Path) -> Rulebook:
    criteria = path / "criteria.yaml" if path.is_dir() else path
    usual = RULES / read_settings().framework
    found = {name: criteria.parent / name if (criteria.parent / name).is_file() else usual / name for name in FILES}
    found["criteria.yaml"] = criteria
    return build_rulebook(
        {name: file.read_bytes() for name, file in found.items()}, {n: str(f) for n, f in found.items()}
    )


@rulebook.command("show")
def rulebook_show(version: Annotated[str | None, typer.Argument()] = None) -> None:
    """Print a published rulebook as JSON, the newest one unless a version is named."""
    library = open_library(RULES, read_settings().framework)
    book = library.book(version) if version else library.current
    typer.echo(json.dumps(described(book), indent=2, ensure_ascii=False))


@rulebook.command("diff")
def rulebook_diff(
    old: Annotated[Path, typer.Argument(help="a rulebook folder or criteria.yaml")],
    new: Annotated[Path, typer.Argument(help="another one")],
    against_database: Annotated[bool, typer.Option("--against-database", help="screen what is stored by both")] = False,
) -> None:
    """Show what changes between two rulebooks, and whose outcome or total would change. Exit 1 when anything does."""
    before, after = _rulebook_at(old), _rulebook_at(new)
    lines = comparison.differences(before, after)
    if against_database:
        with open_database(read_settings().database_url).reading() as tx:
            lines += comparison.effects(tx, before, after)
    for line in lines:
        typer.echo(line)
    if not lines:
        typer.echo("Nothing changes.")
    raise typer.Exit(1 if lines else 0)


def main() -> None:
    """Run the command line; what goes wrong in a known way is a sentence on stderr."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        cli()
    except (SettingsError, ManifestError) as error:
        _fail(str(error))
    except RulebookError as error:
        _fail(f"the rulebook cannot be used:\n{error}")
    except AppError as error:
        _fail("\n  ".join([error.detail, *(f"{one.pointer}: {one.message}" for one in error.faults)]))
    except (SQLAlchemyError, sqlite3.Error) as error:
        if out := told(error):
            _fail(out.detail)
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        _fail(f"the database cannot be used: {said}. Is its address right, and has `migrate` been run?")
    except OSError as error:
        _fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"earmark: {sentence}", err=True)
    sys.exit(2)
