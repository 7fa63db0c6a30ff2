"""E-mail: a message as MIME, and how it leaves: by SMTP with verified TLS, or as a file where no server is set."""

import os
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.notify.texts import Said, one_line

TIMEOUT = 20.0  # seconds for each answer of a mail server


class Permanent(Exception):
    """The server refuses for good; trying again would change nothing. The words are the server's."""


class Transient(Exception):
    """It could not be sent now; the words say why."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a message. `method` is set for an invitation."""

    name: str
    kind: str
    data: bytes
    method: str | None = None


def build(
    said: Said,
    to: tuple[str, str],
    sender: str,
    uid: str,
    at: datetime,
    attached: Sequence[Attached] = (),
    opt_out: str | None = None,
) -> EmailMessage:
    """A message as MIME: plain text, HTML, files. The Message-ID is the same for every attempt. Headers cannot be injected."""
    message = EmailMessage(policy=SMTP)
    name, address = one_line(to[0]), to[1]
    local, _, domain = address.rpartition("@")
    message["Message-ID"] = f"<{uid}@{sender.rpartition('@')[2]}>"
    message["Date"] = at
    message["From"] = Address("Earmark", *sender.split("@", 1))
    message["To"] = Address(name, local, domain)
    message["Subject"] = one_line(said.subject)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if opt_out:
        message["List-Unsubscribe"] = f"<{opt_out}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(said.text)
    message.add_alternative(said.html, subtype="html")
    for one in attached:
        main, _, sub = one.kind.partition("/")
        parameters = {"method": one.method} if one.method else None
        if main == "text":
            message.add_attachment(one.data.decode(), subtype=sub, filename=one.name, params=parameters)
        else:
            message.add_attachment(one.data, maintype=main, subtype=sub, filename=one.name)
    return message


class Smtp:
    """A mail server at `smtp://`, `smtps://` (TLS at once) or `smtp+starttls://`; one conversation a message."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.scheme, self.host = parts.scheme, parts.hostname or "localhost"
        self.port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")

    def send(self, message: EmailMessage) -> None:
        """Hand a message over; when this returns the server has it."""
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _judged(*next(iter(error.recipients.values()))) from None
        except smtplib.SMTPResponseException as error:
            raise _judged(error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"{type(error).__name__}: {error}") from None

    def _connected(self) -> smtplib.SMTP:
        secure = ssl.create_default_context()
        if self.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=secure)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
            if self.scheme == "smtp+starttls":
                server.starttls(context=secure)
        if self.user:
            server.login(self.user, self.password)
        return server


def _judged(code: int, said: bytes | str) -> Permanent | Transient:
    words = f"{code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return Permanent(words) if 500 <= code < 600 else Transient(words)


class Folder:
    """No server: each message is a file `<uid>.eml`, written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write the message; the same message again is the same file."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        part = self.folder / f"{name}.part"
        with part.open("wb") as file:
            file.write(message.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / f"{name}.eml")


def post_office(url: str | None, folder: Path) -> Smtp | Folder:
    """Where mail goes: to the server, or into the folder where there is none."""
    return Smtp(url) if url else Folder(folder)
