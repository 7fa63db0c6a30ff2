"""The commands for case files: made from the database and the store of files, and verified without either."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from app.db import open_database
from app.documents.casefile import CaseFile, NotCaseFile
from app.documents.casefile.checking import Findings, verify
from app.documents.casefile.opening import MOST_BYTES
from app.documents.casefile.packing import pack
from app.files import Files
from app.services import casefile
from app.services.rulebooks import open_library
from app.settings import RULES, SettingsError, read_settings

cases = typer.Typer(no_args_is_help=True, help="Export and verify case files (sagsakter).")


@cases.command("export")
def casefile_export(
    ref: str,
    output: Annotated[Path, typer.Option(help="the ZIP file to write")],
    public: Annotated[bool, typer.Option("--public", help="without what is internal or personal")] = False,
    language: Annotated[str, typer.Option(help="of the papers: en or da")] = "en",
) -> None:
    """Write a proposal's case file, as an auditor would read it."""
    if language not in ("en", "da"):
        raise SettingsError("A case file is written in `en` or `da`.")
    settings = read_settings()
    library, actor = open_library(RULES, settings.framework), casefile.AT_THE_COMMAND_LINE
    with open_database(settings.database_url).reading() as tx:
        case = casefile.gathered(tx, actor, ref, "public" if public else "full", library, language)
    told = casefile.as_told(case)
    output.write_bytes(pack(told, asyncio.run(_fetched(told, settings.files))))
    typer.echo(f"{ref}: {len(told.acts)} acts in {output}.")


async def _fetched(case: CaseFile, url: str) -> dict[str, bytes | None]:
    files = Files(url)
    return {sha256: await files.get(sha256) for sha256 in case.stored}


@cases.command("verify")
def casefile_verify(
    file: Path,
    against_database: Annotated[bool, typer.Option("--against-database", help="compare with what is stored")] = False,
) -> None:
    """Check a case file from its own bytes. Exit 1 with every discrepancy named, 2 for what is no case file."""
    if file.stat().st_size > MOST_BYTES:
        raise SettingsError(f"{file} is no case file: it has more than {MOST_BYTES:,} bytes.")
    try:
        found = verify(file.read_bytes())
    except NotCaseFile as error:
        raise SettingsError(f"{file} is no case file. {error}") from None
    if against_database and found.ref is not None:
        _compare(found, found.ref)
    for line in found.verified:
        typer.echo(line)
    for said in found.discrepancies:
        typer.echo(said, err=True)
    typer.echo("NOT as it was made." if found.discrepancies else "The case file is whole.")
    raise typer.Exit(1 if found.discrepancies else 0)


def _compare(found: Findings, ref: str) -> None:
    """Hold every hash in the case file against the database's."""
    with open_database(read_settings().database_url).reading() as tx:
        stored = casefile.hashes(tx, ref)
        head = casefile.hash_at(tx, found.head[0]) if found.head else None
    if stored is None:
        found.discrepancies.append(f"The database has no proposal {ref} to compare with.")
        return
    for of, sha256 in found.known.items():
        if stored.get(of) != sha256:
            said = "knows it by another SHA-256" if of in stored else "does not have it"
            found.discrepancies.append(f"{of}: the database {said}.")
    if found.head is not None:
        if head != found.head[1]:
            found.discrepancies.append(f"The head of the log, entry {found.head[0]}: the database has another one.")
        entries = {of for of in stored if of.startswith("audit/") and int(of[6:]) <= found.head[0]}
        found.discrepancies += [f"{of}: the case file does not have it." for of in sorted(entries - found.known.keys())]
    found.verified.append(f"{len(found.known)} hashes compared with the database.")
