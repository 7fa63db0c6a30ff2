"""The command that shows what people are told: every kind of message as it leaves, made from a demo in a database of its own."""

import os
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import typer

from app import demo
from app.db import open_database
from app.demo.examples import of_every_kind
from app.errors import NotFound
from app.faults import did_you_mean
from app.notify.notices import NOTICES
from app.records import notices
from app.schema import migrate
from app.services import clock, cycles, deliveries
from app.services.deliveries import Sender
from app.services.rulebooks import open_library
from app.settings import RULES, Settings, read_settings

messages = typer.Typer(no_args_is_help=True, help="Look at what people are told.")


@messages.callback()
def _only_one_yet() -> None:
    """Look at what people are told."""


@messages.command("preview")
def preview(
    language: Annotated[Literal["en", "da"], typer.Option()] = "en",
    kind: Annotated[str | None, typer.Option(help="print the text of this kind only")] = None,
    out: Annotated[Path | None, typer.Option(help="the folder to write to; without it var/messages")] = None,
) -> None:
    """Write every kind of message as an .eml file and list them: kind, subject, readers. No stored data is read."""
    if kind is not None and kind not in NOTICES:
        raise NotFound("unknown_kind", f"No message is called '{kind}'{did_you_mean(kind, NOTICES) or '.'}")
    settings = read_settings({**os.environ, "EARMARK_DEMO": "1"})
    folder = out or (None if kind else settings.var / "messages")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    for name, message in _made(settings, language, [kind] if kind else list(NOTICES)):
        typer.echo(_text(message) if kind else _line(name, message))
        if folder is not None:
            (folder / f"{name}.{language}.eml").write_bytes(message.as_bytes())
    if folder is not None:
        typer.echo(f"Written to {folder}.", err=True)


def _made(settings: Settings, language: str, kinds: list[str]) -> Iterator[tuple[str, EmailMessage]]:
    """A mail of each kind, from a demo that is filled for this and gone afterwards."""
    library, now = open_library(RULES, settings.framework), clock.now(settings.today)
    with TemporaryDirectory() as place:
        url = f"sqlite:///{place}/earmark.db"
        migrate(url)
        database = open_database(url)
        with database.transaction() as tx:
            cycles.establish(tx, library.current.framework)
        demo.load(database, library, Path(place) / "demo.json", now)
        with database.transaction() as tx:
            numbers = of_every_kind(tx, now.at)
            for kind in kinds:
                sender = Sender(settings.mail_from, settings.public_url)
                yield (
                    kind,
                    deliveries.mail_of(tx, notices.messages(tx, [numbers[kind]]), language, library, sender, now),
                )


def _line(kind: str, message: EmailMessage) -> str:
    readers = ", ".join(group.replace("_", " ") for group in NOTICES[kind].to) or (
        "who is no longer concerned" if NOTICES[kind].invitation else "the webhook itself"
    )
    return f"{kind:28} {message['Subject']:80} {readers}"


def _text(message: EmailMessage) -> str:
    """Subject, text and the names of what is attached."""
    body = message.get_body(("plain",))
    assert body, "every message has plain text"
    attached = [f"[{part.get_filename()}]" for part in message.iter_attachments()]
    return "\n".join([str(message["Subject"]), "", body.get_content().rstrip(), *attached])
