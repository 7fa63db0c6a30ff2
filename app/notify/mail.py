"""E-mail: a message as MIME, and how it leaves: by SMTP with verified TLS, or as a file where no server is set."""

import contextlib
import os
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from app.notify.lines import Line
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
    name, address = _plain(to[0]), to[1]
    local, _, domain = address.rpartition("@")
    message["Message-ID"] = f"<{uid}@{sender.rpartition('@')[2]}>"
    message["Date"] = at
    message["From"] = Address("Earmark", *sender.split("@", 1))
    message["To"] = Address(name, local, domain)
    message["Subject"] = _plain(said.subject)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if opt_out:
        message["List-Unsubscribe"] = f"<{opt_out}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _check_head(message)
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


def _plain(text: str) -> str:
    """One line that the email package takes for what it says: it would decode an encoded word (RFC 2047), line breaks in it too."""
    return one_line(text).replace("=?", "= ?")


def _check_head(message: EmailMessage) -> None:
    """Permanent, if the head as it would be sent has a line that we did not write."""
    head = message.as_bytes().partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].decode("latin-1") for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")]
    if names != list(message.keys()) or b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b""):
        raise Permanent("The message's head is not as it was written; it is not sent.")


class _Conversation(smtplib.SMTP):
    """A conversation whose connection is on a line from its beginning."""

    line: Line

    def open(self, line: Line, host: str, port: int) -> None:
        """Connect; an SMTPConnectError where the server is not ready for us."""
        self.line, self._host = line, host  # the host is what the certificate must be for
        code, said = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)

    def hold(self, line: Line) -> None:
        self.line = line
        if self.sock is not None:
            line.hold(self.sock)

    def _get_socket(self, *where: Any) -> socket.socket:
        made: socket.socket = super()._get_socket(*where)  # type: ignore[misc]  # as documented for SMTP_SSL, in no stub
        self.line.hold(made)
        return made


class _Secure(smtplib.SMTP_SSL, _Conversation):
    """The same inside TLS."""


class Smtp:
    """A mail server at `smtp://`, `smtps://` (TLS at once) or `smtp+starttls://`. What is open is used again until `rest`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.scheme, self.host = parts.scheme, parts.hostname or "localhost"
        self.port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.context = None if self.scheme == "smtp" else ssl.create_default_context()
        self.own = socket.gethostname()  # smtplib would look it up anew for each connection, for as long as that takes
        self._open: list[_Conversation] = []  # nobody speaks on these now

    def send(self, message: EmailMessage, line: Line) -> None:
        """Hand a message over; when this returns the server has it. Permanent is what it says of this message only."""
        try:
            server = self._again(line) or self._connected(line)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _unsent(error) from None
        try:
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _judged(*next(iter(error.recipients.values()))) from None
        except smtplib.SMTPDataError as error:
            raise _judged(error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            server.close()
            raise _unsent(error) from None
        finally:
            if server.sock is not None:
                self._open.append(server)

    def rest(self) -> None:
        """Close what nobody speaks on; there is nothing to send now."""
        while self._open:
            server = self._open.pop()
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.putcmd("quit")
            server.close()

    def _again(self, line: Line) -> _Conversation | None:
        """A conversation that goes on: one where the server still answers."""
        while True:
            try:
                server = self._open.pop()
            except IndexError:
                return None
            server.hold(line)
            with contextlib.suppress(smtplib.SMTPException, OSError, ValueError):
                if server.noop()[0] == 250:
                    return server
            server.close()

    def _new(self) -> _Conversation:
        return (
            _Secure(local_hostname=self.own, timeout=TIMEOUT, context=self.context)
            if self.scheme == "smtps"
            else _Conversation(local_hostname=self.own, timeout=TIMEOUT)
        )

    def _connected(self, line: Line) -> _Conversation:
        server = self._new()
        try:
            server.open(line, self.host, self.port)
            if self.scheme == "smtp+starttls":
                server.starttls(context=self.context)
            server.hold(line)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def _unsent(error: Exception) -> Transient:
    """What has nothing to do with this message: the server is away, breaks off, refuses us or cannot be understood."""
    if isinstance(error, smtplib.SMTPResponseException):
        return Transient(f"{error.smtp_code} {_words(error.smtp_error)}")
    return Transient(f"{type(error).__name__}: {error}")


def _words(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _judged(code: int, said: bytes | str) -> Permanent | Transient:
    words = f"{code} {_words(said)}"
    return Permanent(words) if 500 <= code < 600 else Transient(words)


class Folder:
    """No server: each message is a file `<uid>.eml`, written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rest(self) -> None:
        """Nothing is kept open."""

    def send(self, message: EmailMessage, line: Line) -> None:
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
