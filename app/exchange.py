"""The commands that exchange files with others: open data, a cycle as a workbook, IATI files of other publishers."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.administration import acting
from app.db import open_database
from app.documents.cycle_sheets import cycle_workbook
from app.documents.iati_reading import LARGEST
from app.encoding import encode
from app.errors import Invalid
from app.services import clock, engagements, opendata, workbooks
from app.services.rulebooks import open_library
from app.settings import RULES, SettingsError, read_settings

iati = typer.Typer(no_args_is_help=True, help="Open data.")
cycle = typer.Typer(no_args_is_help=True, help="Cycles as workbooks.")
engaged = typer.Typer(no_args_is_help=True, help="Danish engagements: import IATI files, list.")


@iati.command("export")
def iati_export() -> None:
    """Print what is agreed as an IATI 2.03 file."""
    settings = read_settings()
    library, now = open_library(RULES, settings.framework), clock.now(settings.today)
    with open_database(settings.database_url).reading() as tx:
        typer.echo(opendata.activities(tx, library, settings.public_url, now), nl=False)


@cycle.command("export")
def cycle_export(
    year: int,
    output: Annotated[Path, typer.Option(help="the XLSX file to write")],
    language: Annotated[Literal["en", "da"], typer.Option()] = "en",
) -> None:
    """Write a cycle as a workbook: proposals, criteria, budgets, coverage, money."""
    settings = read_settings()
    book = open_library(RULES, settings.framework).current
    with open_database(settings.database_url).reading() as tx:
        said = workbooks.of_cycle(tx, year, book)
    output.write_bytes(cycle_workbook(said, language))
    typer.echo(f"{output}: {len(said['proposals'])} proposals of the cycle {year}.")


@engaged.command("import")
def engagements_import(
    files: Annotated[list[Path], typer.Argument(help="IATI 2.03 activity files, of any publisher")],
) -> None:
    """Keep the activities of IATI files, each file as a whole or not at all. Safe to repeat. Exit 2 when one is refused."""
    refused = False
    for path in files:
        try:
            with path.open("rb") as file:
                told = engagements.read(path.name, file.read(LARGEST + 1))
            with acting() as (tx, now):
                _print_import(path, engagements.keep(tx, told, now))
        except Invalid as error:
            refused = True
            for fault in error.faults:
                typer.echo(f"{path}: {fault.message}", err=True)
    raise typer.Exit(2 if refused else 0)


def _print_import(path: Path, done: engagements.Imported) -> None:
    told = {"added": done.added, "updated": done.updated, "unchanged": done.unchanged}
    for what, identifiers in told.items():
        for identifier in identifiers:
            typer.echo(f"{what}\t{identifier}")
    counts = ", ".join(f"{len(identifiers)} {what}" for what, identifiers in told.items())
    nameless = f"; {done.nameless} without an identifier left out" if done.nameless else ""
    typer.echo(f"{path}: {counts}{nameless}.")


@engaged.command("list")
def engagements_list(
    country: Annotated[str | None, typer.Option(help="two capitals, such as NE")] = None,
    json_: Annotated[bool, typer.Option("--json", help="print JSON Lines")] = False,
) -> None:
    """List the register and what was imported."""
    if country is not None and not (len(country) == 2 and country.isascii() and country.isupper()):
        raise SettingsError(f"A country is written as two capitals, such as NE; '{country}' is not.")
    settings = read_settings()
    register = open_library(RULES, settings.framework).engagements
    with open_database(settings.database_url).reading() as tx:
        for one in engagements.everything(tx, register, country):
            days = f"{one['start'] or ''}/{one['end'] or ''}"
            line = "\t".join((one["iati_identifier"] or "-", " ".join(one["countries"]), days, one["title"]))
            typer.echo(encode(one).decode() if json_ else line)
