"""The commands of whoever proposes: the workbook to fill, files screened offline, files created and submitted."""

import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.documents.proposal_files import Sent
from app.documents.workbook import write_workbook
from app.domain.case import Cycle, Frame
from app.domain.proposal import read_content
from app.domain.rulebook import Rulebook
from app.domain.screening import screen
from app.encoding import encode
from app.errors import Fault
from app.services import clock
from app.services.rulebooks import open_library
from app.settings import RULES, Settings, SettingsError, read_settings
from app.submitting import read_sent, submit_file


def template(
    output: Annotated[Path | None, typer.Option(help="a new file to write instead of standard output")] = None,
    filled: Annotated[Path | None, typer.Option(help="a proposal (JSON, YAML or workbook) to fill in")] = None,
) -> None:
    """Write the workbook a proposal is filled in with: template > proposal.xlsx. Exit 2 when --filled is faulty."""
    if output is None and sys.stdout.isatty():
        raise SettingsError("A workbook is no text; send it into a file: template > proposal.xlsx, or --output FILE.")
    book = open_library(RULES, read_settings().framework).current
    raw = write_workbook(book, _sound(filled, book) if filled else None)
    if output is None:
        sys.stdout.buffer.write(raw)
        return
    with output.open("xb") as file:
        file.write(raw)


def _sound(path: Path, book: Rulebook) -> dict[str, Any]:
    """The proposal in a file, which may be a draft; leaves the command when there is a fault in it."""
    try:
        sent = read_sent(path)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    _, faults = read_content(sent.value["content"], book.indicator_codes, "/content")
    said = {name: value for name, value in sent.value.items() if value is not None}
    if type(cycle := said.get("cycle", 2000)) is not int or not 2000 <= cycle <= 2100:
        faults.append(Fault("/cycle", "out_of_range", "Must be a year from 2000 to 2100."))
    if not isinstance(said.get("office", ""), str):
        faults.append(Fault("/office", "not_a_text", "Must be a text."))
    if _tell(path, sent, faults):
        raise typer.Exit(2)
    return said


def _tell(path: Path, sent: Sent, faults: list[Fault]) -> bool:
    """Say everything wrong with a file on stderr; whether there was anything."""
    told = sent.told(faults)
    for one in told:
        typer.echo(f"{path}: {one}", err=True)
    return bool(told)


def screen_files(
    files: list[Path],
    json_: Annotated[bool, typer.Option("--json", help="print the results as JSON")] = False,
    envelope: Annotated[list[str] | None, typer.Option(help="YEAR=DKK of a cycle that was added")] = None,
) -> None:
    """Screen workbooks, JSON or YAML files offline: {cycle, content} each. Exit 1 when one is not eligible, 2 when one is faulty.

    Offline only the framework's own cycles are known; name the envelope of an added one: --envelope 2027=50000000.
    """
    settings = read_settings()
    added = _envelopes(envelope)
    book = open_library(RULES, settings.framework).current
    worst = 0
    for path in files:
        worst = max(worst, _screen_file(path, book, added, settings, json_))
    raise typer.Exit(worst)


def _envelopes(said: list[str] | None) -> dict[int, int]:
    pairs = [one.partition("=") for one in said or ()]
    if not all(year.isdecimal() and len(year) == 4 and amount.isdecimal() for year, _, amount in pairs):
        raise SettingsError("An envelope is written YEAR=DKK, such as 2027=50000000.")
    return {int(year): int(amount) for year, _, amount in pairs}


def _screen_file(path: Path, book: Rulebook, added: dict[int, int], settings: Settings, as_json: bool) -> int:
    try:
        sent = read_sent(path)
    except ValueError as error:
        typer.echo(str(error), err=True)
        return 2
    year = sent.value.get("cycle")
    content, faults = read_content(sent.value["content"], book.indicator_codes, "/content")
    envelopes = {plan.year: plan.amount for plan in book.framework.cycles} | added
    if type(year) is not int or year not in envelopes:
        known = ", ".join(map(str, envelopes))
        faults.insert(0, Fault("/cycle", "unknown_cycle", f"Offline the cycles are {known}; --envelope adds one."))
    if _tell(path, sent, faults) or content is None or year is None:
        return 2
    result = screen(content, book, Frame(Cycle(year, max(envelopes)), envelopes, clock.now(settings.today).today))
    if as_json:
        typer.echo(encode(result).decode())
    else:
        _print_table(path, result)
    return 0 if result["outcome"] == "eligible" else 1


def submit(
    files: list[Path],
    url: Annotated[str, typer.Option(help="where the service is")],
    token: Annotated[str, typer.Option(envvar="EARMARK_TOKEN", help="a focal point's token")],
    office: Annotated[str | None, typer.Option(help="the office, where the files do not name it")] = None,
) -> None:
    """Create and submit proposals from workbooks, JSON or YAML files. Safe to repeat. Exit 1 when one was not submitted."""
    if not token.isascii():
        raise SettingsError("The token has a character that no token has.")
    all_submitted = True
    with (
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        for path in progress.track(files, description="Submitting"):
            one = submit_file(client, path, office)
            all_submitted &= one.submitted
            progress.console.file.flush()
            typer.echo(f"{one.path}: {one.ref or 'not created'}, {one.state or 'refused'}: {'; '.join(one.said)}")
    raise typer.Exit(0 if all_submitted else 1)


def _print_table(path: Path, result: dict[str, Any]) -> None:
    table = Table(title=f"{path.name}: {result['outcome']}, {result['total']} of 100", title_justify="left")
    for column in ("", "State", "Why", "What would help"):
        table.add_column(column, overflow="fold")
    for one in result["checks"]:
        if one["state"] != "met":
            table.add_row(f"{one['id']} ({one['level']})", one["state"], one["reason"], one["remedy"])
    for group in (*result["criteria"], *result["alignment"]):
        name = group.get("letter") or group["key"]
        table.add_row(f"{name} {group['earned']}/{group['possible']}", group["state"], group["title"], "")
        for one in group["indicators"]:
            if one["state"] != "met":
                table.add_row(f"  {one['id']}", one["state"], one["reason"], one["remedy"])
    Console().print(table)
